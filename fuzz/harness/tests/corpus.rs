//! The committed corpus goes through every target on a stable compiler, all of it, and exercises as much as it should.

use bemr::wire::{CODECS, NOT_DECODED};
use bemr_fuzz::canaries::canaries;
use bemr_fuzz::engine::{execute, explore};
use bemr_fuzz::pool::Pool;
use bemr_fuzz::targets::codec_of;
use bemr_fuzz::{Seen, Subject, TARGETS, corpus, dictionary, target};
use bemr_spec::Clause;
use bemr_spec::messages::Tables;
use std::collections::BTreeSet;
use std::path::Path;

/// The least inputs of each target.
const LEAST: usize = 10;

/// Of all clauses the lockstep corpus reaches these many: 90 of 100.
const REACHED: usize = Clause::ALL.len() * 9 / 10;

/// The most bytes of all corpora.
const MOST_BYTES: usize = 2 << 20;

#[test]
fn every_input_of_the_corpus_goes_well_and_together_they_exercise_enough() {
    let subject = Subject::product();
    let (mut bytes, mut clauses) = (0, BTreeSet::new());
    for target in TARGETS {
        let inputs = corpus::read(target.name).unwrap();
        let mut all = Seen::default();
        for (name, input) in &inputs {
            if let Err(message) = execute(target, &subject, input, &mut all) {
                let path = corpus::folder(target.name).join(name);
                panic!(
                    "{message}\nagain: cargo run --release -p bemr-fuzz -- run {} {}",
                    target.name,
                    path.display()
                );
            }
            bytes += input.len();
        }
        println!(
            "{}: {} inputs, {} things seen, {} clauses",
            target.name,
            inputs.len(),
            all.len(),
            all.clauses().len()
        );
        assert!(inputs.len() >= LEAST, "{}: {} inputs", target.name, inputs.len());
        assert!(3 * all.len() >= inputs.len(), "{}: {} things seen", target.name, all.len());
        if target.name == "lockstep" {
            clauses.extend(all.clauses().iter().copied());
        }
    }
    let missed: Vec<&str> =
        Clause::ALL.map(Clause::id).into_iter().filter(|id| !clauses.contains(id)).collect();
    println!(
        "{bytes} bytes; the lockstep target reaches {} clauses of {}, and not {missed:?}",
        clauses.len(),
        Clause::ALL.len()
    );
    assert!(clauses.len() >= REACHED, "{} of at least {REACHED} clauses; not {missed:?}", clauses.len());
    assert!(bytes <= MOST_BYTES, "{bytes} bytes");
}

#[test]
fn every_table_has_a_decoder_or_a_reason_and_every_decoder_a_table_and_a_value_that_it_takes() {
    let tables = Tables::of_the_chapters().unwrap();
    let decoded = |name: &str| CODECS.iter().any(|codec| codec.table == name);
    // A name with a dot is the case of a select, and decoded within its message.
    for message in tables.messages().filter(|message| !message.name.contains('.')) {
        let excused = NOT_DECODED.iter().any(|(name, _)| *name == message.name);
        assert!(decoded(&message.name) != excused, "{}: decoded or excused, one of the two", message.name);
    }
    for (name, _) in NOT_DECODED {
        assert!(tables.definition(name).is_some(), "{name} is no table");
    }
    let inputs = corpus::read("decoders").unwrap();
    let taken: BTreeSet<&str> = inputs
        .iter()
        .filter_map(|(_, input)| {
            let (codec, bytes) = codec_of(input)?;
            codec.again(&Subject::product().rules, bytes).ok().map(|_| codec.table)
        })
        .collect();
    for codec in CODECS {
        assert!(tables.definition(codec.table).is_some(), "{}: no table", codec.table);
        assert!(taken.contains(codec.table), "{}: no input of the corpus is one", codec.table);
    }
}

#[test]
fn every_file_is_a_target_and_every_target_has_a_file_a_corpus_and_a_planted_bug() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz_targets");
    let mut files = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let says = format!("#![no_main]\nbemr_fuzz_targets::target!({});\n", name.to_uppercase());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), says, "{name}: it fuzzes the target of its name");
        files.insert(name);
    }
    let names: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    assert_eq!(files, names);
    for target in TARGETS {
        assert!(canaries().any(|canary| canary.target == target.name), "{}: no planted bug", target.name);
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
    let corpora: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(corpora, names, "a folder that no target reads");
}

#[test]
fn the_dictionary_is_what_the_specification_makes_it() {
    let kept = std::fs::read_to_string(dictionary::path()).unwrap();
    assert!(kept == dictionary::dictionary(), "again: cargo run -p bemr-fuzz -- dictionary");
    assert!(kept.lines().count() > 300);
}

#[test]
fn for_everything_seen_the_cheapest_input_is_kept_and_no_other() {
    let seen = |features: &[u8], more| {
        let mut seen = Seen::default();
        features.iter().for_each(|feature| seen.note(feature));
        seen.spend(more);
        seen
    };
    let kept = |pool: &Pool| pool.clone().into_inputs();
    let mut pool = Pool::default();
    pool.offer(b"all".to_vec(), &seen(&[1, 2, 3], 10));
    pool.offer(b"dearer".to_vec(), &seen(&[1, 2], 50));
    pool.offer(b"one".to_vec(), &seen(&[1], 0));
    assert_eq!(kept(&pool), [&b"all"[..], b"one"]);
    pool.offer(b"rest".to_vec(), &seen(&[2, 3], 0));
    assert_eq!(kept(&pool), [&b"one"[..], b"rest"]);
    pool.offer(b"silent".to_vec(), &Seen::default());
    pool.seed(b"silent seed".to_vec(), &Seen::default());
    pool.seed(b"dear seed".to_vec(), &seen(&[3], 50));
    assert_eq!(kept(&pool), [&b"one"[..], b"rest", b"silent seed"]);
}

#[test]
fn the_same_seed_makes_the_same_run() {
    for name in ["decoders", "lockstep", "records"] {
        let target = target(name).unwrap();
        let seeds: Vec<Vec<u8>> =
            corpus::read(name).unwrap().into_iter().map(|(_, bytes)| bytes).take(5).collect();
        let [first, second] =
            [0, 1].map(|_| explore(target, &Subject::product(), &seeds, 7, |executed| executed < 60));
        assert_eq!(first.seen.len(), second.seen.len(), "{name}");
        assert_eq!(first.corpus.into_inputs(), second.corpus.into_inputs(), "{name}");
    }
}

#[test]
fn every_planted_bug_is_no_bug_of_the_product_and_the_quick_ones_are_found_from_the_corpus() {
    for canary in canaries().filter(|canary| canary.target != "lockstep") {
        let target = target(canary.target).unwrap();
        let seeds: Vec<Vec<u8>> =
            corpus::read(canary.target).unwrap().into_iter().map(|(_, bytes)| bytes).collect();
        // What takes longer is for a campaign to find.
        let most = (5 * target.smoke).max(20_000);
        let run = explore(target, &(canary.subject)(), &seeds, 1, |executed| executed < most);
        let found = run.found.unwrap_or_else(|| panic!("{}: not found", canary.name));
        execute(target, &Subject::product(), &found.input, &mut Seen::ignoring())
            .unwrap_or_else(|message| panic!("{}: the product does the same: {message}", canary.name));
        println!("{}: {} executions: {}", canary.name, run.executions, found.message);
    }
}
