//! The workflows run the stages of `.ci/run`, all of them, and nothing that somebody else can exchange; and `.ci/run` tells what fails and
//! what it leaves out.
#![allow(clippy::unwrap_used, reason = "helpers of tests stop at what is not as expected")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The workflows, by their file's name.
fn workflows() -> BTreeMap<String, String> {
    let files = fs::read_dir(project().join(".github/workflows")).unwrap();
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(path).unwrap())
    };
    files.map(|file| read(file.unwrap().path())).collect()
}

/// What `uses:` names in each line.
fn uses(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.trim_start().trim_start_matches("- ").strip_prefix("uses: "))
}

/// What is wrong with the name of an action: only a digest says for ever which code runs, and only a version says to people which it is.
fn wrong(action: &str) -> Option<&'static str> {
    if action.starts_with("./") {
        return None;
    }
    let (name, comment) = action.split_once(" # ").unwrap_or((action, ""));
    let digest = name.split_once('@').map_or("", |(_, digest)| digest);
    let is_digest =
        digest.len() == 40 && digest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let is_version =
        comment.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    match (is_digest, is_version) {
        (false, _) => Some("no digest"),
        (_, false) => Some("no version"),
        _ => None,
    }
}

#[test]
fn every_action_is_pinned_by_digest_with_its_version_beside_it() {
    let action = fs::read_to_string(project().join(".github/actions/rust/action.yml")).unwrap();
    let texts: Vec<String> = workflows().into_values().chain([action]).collect();
    let mut digests: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut count = 0;
    for action in texts.iter().flat_map(|text| uses(text)) {
        assert_eq!(wrong(action), None, "{action}");
        count += 1;
        if let Some((name, digest)) = action.split_once('@') {
            let repository = name.splitn(3, '/').take(2).map(str::len).sum::<usize>() + 1;
            digests.entry(&name[..repository]).or_default().insert(digest);
        } else {
            assert!(project().join(action).join("action.yml").is_file(), "{action}");
        }
    }
    assert!(count >= 30 && digests.len() >= 6, "{count} uses of {digests:?}");
    assert!(digests.values().all(|digests| digests.len() == 1), "two versions of one: {digests:?}");
    assert_eq!(wrong("actions/checkout@v7"), Some("no digest"));
    assert_eq!(wrong("actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b # v7"), Some("no digest"));
    assert_eq!(wrong("actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"), Some("no version"));
}

/// The stages that a workflow runs.
fn stages_of(text: &str) -> BTreeSet<String> {
    let matrix = text.lines().find_map(|line| line.trim().strip_prefix("stage: ["));
    let matrix = matrix.map_or("", |list| list.trim_end_matches(']')).replace(',', " ");
    let commands =
        text.lines().filter_map(|line| line.split_once("bash .ci/run ").map(|(_, arguments)| arguments));
    let arguments = commands.map(|arguments| arguments.replace("${{ matrix.stage }}", &matrix));
    let words: Vec<String> =
        arguments.flat_map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect();
    words.into_iter().filter(|word| !word.starts_with("--")).collect()
}

#[test]
fn the_workflows_run_every_stage_and_no_other() {
    let listed = Command::new("bash").args([".ci/run", "--list"]).current_dir(project()).output().unwrap();
    assert!(listed.status.success());
    let listed = String::from_utf8(listed.stdout).unwrap();
    let listed: BTreeSet<String> =
        listed.lines().filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect();
    assert!(listed.len() >= 20, "{listed:?}");
    let workflows = workflows();
    let (of_changes, of_the_night) = (stages_of(&workflows["ci.yml"]), stages_of(&workflows["nightly.yml"]));
    assert!(of_changes.is_disjoint(&of_the_night));
    assert_eq!(of_changes.union(&of_the_night).cloned().collect::<BTreeSet<_>>(), listed);
}

/// The jobs of a workflow, with their lines.
fn jobs(text: &str) -> BTreeMap<&str, String> {
    let (_, jobs) = text.split_once("\njobs:\n").unwrap();
    let mut found = BTreeMap::new();
    let mut name = "";
    for line in jobs.lines() {
        let inner = line.strip_prefix("  ").filter(|rest| !rest.starts_with([' ', '#']));
        if let Some(job) = inner.and_then(|rest| rest.strip_suffix(':')) {
            name = job;
        }
        found.entry(name).or_insert_with(String::new).push_str(&format!("{line}\n"));
    }
    found
}

#[test]
fn every_job_has_a_bound_and_no_more_rights_than_it_says() {
    for (file, text) in workflows() {
        assert!(text.contains("\npermissions:\n  contents: read\n"), "{file}");
        for (name, job) in jobs(&text) {
            assert!(job.contains("\n    timeout-minutes: "), "{file}: {name}");
            assert!(
                !job.contains("actions/checkout@") || job.contains("persist-credentials: false"),
                "{file}: {name}"
            );
        }
    }
    let workflows = workflows();
    let jobs = jobs(&workflows["ci.yml"]);
    let needs = jobs["all"].lines().find_map(|line| line.trim().strip_prefix("needs: [")).unwrap();
    let needs: BTreeSet<&str> = needs.trim_end_matches(']').split(", ").collect();
    assert_eq!(needs, jobs.keys().copied().filter(|name| *name != "all").collect());
}

/// `.ci/run` with stages of our own.
fn run(stages: &str, arguments: &[&str]) -> (Output, String) {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join(".ci");
    fs::create_dir(&inner).unwrap();
    for file in ["run", "annotate.awk"] {
        fs::copy(project().join(".ci").join(file), inner.join(file)).unwrap();
    }
    fs::write(inner.join("stages"), stages).unwrap();
    fs::write(inner.join("nightly"), "NIGHTLY=(\"late: at night\")\nstage_late() { echo it is late; }\n")
        .unwrap();
    let summary = folder.path().join("summary");
    let output = Command::new("bash")
        .arg(".ci/run")
        .args(arguments)
        .current_dir(folder.path())
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", &summary)
        .output()
        .unwrap();
    (output, fs::read_to_string(summary).unwrap_or_default())
}

const STAGES: &str = r#"
FIRST="tools: what all need"
STAGES=("first: passes" "in-part: passes in part" "second: fails in its middle" "third: passes")
stage_tools() { :; }
stage_first() { echo first; }
stage_in_part() { echo "$stage: half of it" >>"$scratch/left-out"; }
stage_second() {
  printf "thread 'wire::says' (7) panicked at src/wire/mod.rs:12:5:\nassertion failed: 50%% of it\n"
  false
  echo "never said"
}
stage_third() { echo third; }
"#;

#[test]
fn a_stage_that_fails_is_told_with_its_place_and_what_comes_after_it_is_named() {
    let (output, summary) = run(STAGES, &[]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(!said.contains("never said") && !said.contains("\nthird\n"), "{said}");
    assert!(
        said.contains(
            "\n::error file=src/wire/mod.rs,line=12,title=wire%3A%3Asays::assertion failed: 50%25 of it\n"
        ),
        "{said}"
    );
    assert!(said.contains("\n::error title=.ci/run second::exit code 1%0A"), "{said}");
    assert!(
        said.contains(
            "\n!! LEFT OUT in in-part: half of it\n::warning title=left out::in-part: half of it\n"
        ),
        "{said}"
    );
    for row in [
        "| first | passed | ",
        "| in-part | incomplete | ",
        "| second | FAILED | ",
        "| third | not reached | ",
        "- in-part: half of it",
    ] {
        assert!(summary.lines().any(|line| line.starts_with(row)), "{row}: {summary}");
    }
}

#[test]
fn stages_run_by_name_to_the_end_and_strictly_where_that_is_asked_for() {
    let (output, summary) = run(STAGES, &["--keep-going", "second", "third"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        summary.contains("| third | passed | ") && summary.contains("Nothing was left out."),
        "{summary}"
    );
    let (output, summary) = run(STAGES, &["in-part", "late"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(summary.contains("| late | passed | ") && !summary.contains("third"), "{summary}");
    let (output, summary) = run(STAGES, &["--strict", "in-part"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(summary.contains("| in-part | FAILED | "), "{summary}");
    let (output, _) = run(STAGES, &["fourth"]);
    assert_eq!(output.status.code(), Some(2));
}
