//! A campaign keeps on disk what shows something new, the next one goes on from there, and what is merged into the corpus leaves it as it is.
#![allow(clippy::unwrap_used, reason = "helpers of tests stop at what is not as expected")]

use bemr_fuzz::canaries::canary;
use bemr_fuzz::engine::{execute, smallest};
use bemr_fuzz::kept::{Begin, Kept, name, resume};
use bemr_fuzz::merge::merge;
use bemr_fuzz::{Seen, Subject, Target, corpus, target};
use std::collections::BTreeMap;
use std::path::Path;

fn records() -> &'static Target {
    target("records").unwrap()
}

/// So few that much is left to be found.
fn few() -> Vec<Vec<u8>> {
    corpus::read("records").unwrap().into_iter().map(|(_, input)| input).take(3).collect()
}

fn begin(read_kept: bool) -> Begin {
    Begin { seeds: few(), read_kept, seed: 1 }
}

/// All files of a folder, those that are not whole too.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return BTreeMap::new() };
    let read = |path: std::path::PathBuf| {
        (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap())
    };
    entries.map(|entry| read(entry.unwrap().path())).collect()
}

fn seen(inputs: impl IntoIterator<Item = Vec<u8>>) -> Seen {
    let mut seen = Seen::default();
    inputs.into_iter().for_each(|input| execute(records(), &Subject::product(), &input, &mut seen).unwrap());
    seen
}

#[test]
fn a_campaign_keeps_what_shows_something_new_at_once_and_the_next_goes_on_from_there() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("records");
    let mut during = 0;
    let first = resume(records(), root.path(), begin(true), |executed| {
        during = during.max(files(&folder).len());
        executed < 600
    })
    .unwrap();
    let kept = files(&folder);
    assert!(during > 10 && kept.len() > 10, "{during} while it ran, {} after it", kept.len());
    assert!(kept.iter().all(|(file, input)| *file == name(input)));
    assert!(first.seen.adds_to(&seen(few())), "it saw more than the seeds show");
    // Nothing but seeds and kept inputs is executed, and everything that was seen is seen.
    let all = (few().len() + kept.len()) as u64;
    let second = resume(records(), root.path(), begin(true), |executed| executed < all).unwrap();
    assert!(second.executions == all && !first.seen.adds_to(&second.seen));
    assert_eq!(files(&folder), kept);
    // A third goes on to find more.
    let third = resume(records(), root.path(), begin(true), |executed| executed < all + 600).unwrap();
    assert!(third.seen.adds_to(&second.seen));
    assert!(!third.seen.adds_to(&seen(files(&folder).into_values().chain(few()))));
}

#[test]
fn what_is_not_judged_is_not_removed_nor_what_has_a_name_nor_what_another_campaign_keeps() {
    let root = tempfile::tempdir().unwrap();
    resume(records(), root.path(), begin(true), |executed| executed < 200).unwrap();
    let folder = root.path().join("records");
    let dull = few().swap_remove(0);
    std::fs::write(folder.join("by-hand"), &dull).unwrap();
    std::fs::write(folder.join(".unfinished-x"), b"{").unwrap();
    let before = files(&folder);
    // It ends before it has executed what is there, or begins from nothing.
    resume(records(), root.path(), begin(true), |executed| executed < 2).unwrap();
    assert_eq!(files(&folder), before);
    resume(records(), root.path(), begin(false), |executed| executed < 2).unwrap();
    assert_eq!(files(&folder), before);
    let (mut kept, inputs) = Kept::open(root.path(), "records").unwrap();
    assert_eq!(inputs.len(), before.len() - 1, "what is not whole is not read");
    let others = b"what another campaign keeps meanwhile";
    std::fs::write(folder.join(name(others)), others).unwrap();
    kept.keep_only(&[]).unwrap();
    let names: Vec<String> = files(&folder).into_keys().collect();
    let mut left = vec![".unfinished-x".to_owned(), "by-hand".to_owned(), name(others)];
    left.sort();
    assert_eq!(names, left);
}

#[test]
fn merging_adds_what_the_corpus_does_not_exercise_and_changes_nothing_in_it() {
    let root = tempfile::tempdir().unwrap();
    let (corpus, kept) = (root.path().join("corpus"), root.path().join("records"));
    std::fs::create_dir(&corpus).unwrap();
    for (number, input) in few().into_iter().enumerate() {
        std::fs::write(corpus.join(format!("named-{number}")), input).unwrap();
    }
    // One that does the same as another stays too: its name says what it is for.
    std::fs::write(corpus.join("found-once"), &few()[0]).unwrap();
    let run = resume(records(), root.path(), begin(true), |executed| executed < 600).unwrap();
    let (named, offered) = (files(&corpus), files(&kept));
    let merged = merge(records(), &corpus, &kept, 2).unwrap();
    assert_eq!(merged.taken.len(), 2);
    for name in merged.taken {
        std::fs::remove_file(corpus.join(name)).unwrap();
    }
    let merged = merge(records(), &corpus, &kept, usize::MAX).unwrap();
    let after = files(&corpus);
    assert!(merged.taken.len() > 5 && merged.faults.is_empty(), "{merged:?}");
    assert_eq!(merged.taken.len() + merged.left, offered.len());
    assert!(named.iter().all(|(file, input)| after[file] == *input));
    assert_eq!(after.len(), named.len() + merged.taken.len());
    assert!(!run.seen.adds_to(&seen(after.values().cloned())));
    assert_eq!(files(&kept), offered);
    let again = merge(records(), &corpus, &kept, usize::MAX).unwrap();
    assert!(again.taken.is_empty() && files(&corpus) == after, "{again:?}");
}

#[test]
fn an_input_becomes_as_small_as_what_it_shows_allows() {
    let healthy = few().swap_remove(1);
    let small = smallest(records(), &Subject::product(), &healthy);
    assert!(small.len() <= healthy.len());
    assert!(!seen([healthy]).adds_to(&seen([small])));
    let lockstep = target("lockstep").unwrap();
    let subject = (canary("small-quorum").unwrap().subject)();
    let lives = corpus::read("lockstep").unwrap();
    let shows = |input: &[u8]| execute(lockstep, &subject, input, &mut Seen::default()).err();
    let (_, life) = lives.into_iter().find(|(_, input)| shows(input).is_some()).unwrap();
    let small = smallest(lockstep, &subject, &life);
    assert!(shows(&small).is_some() && small.len() < life.len(), "{} of {} bytes", small.len(), life.len());
}
