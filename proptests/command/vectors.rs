//! `bemr vectors`: generated files, stale files, and a folder without vectors.

use crate::bemr;
use std::fs;

#[test]
fn what_was_written_is_current_and_what_was_changed_since_is_stale_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let generate = |more: &[&str]| {
        bemr([&["vectors", "generate", path, "--kind", "verify", "--suite", "tiny"], more].concat())
    };
    let written = generate(&["--json"]);
    assert_eq!(written.code, 0, "{}", written.err);
    let both = serde_json::json!(["vectors.schema.json", "verify-tiny.json"]);
    assert_eq!(written.json(), serde_json::json!({ "files": both, "changed": both }));
    let again = generate(&[]);
    assert_eq!((again.code, again.out.as_str()), (0, "2 files, 0 changed\n"));
    let current = generate(&["--check"]);
    assert_eq!((current.code, current.out.as_str()), (0, "2 files, 0 stale\n"));

    let file = folder.path().join("verify-tiny.json");
    let text = fs::read_to_string(&file).unwrap().replacen("as it was made", "as it is", 1);
    fs::write(&file, &text).unwrap();
    let stale = generate(&["--check"]);
    assert_eq!((stale.code, stale.out.as_str()), (1, "2 files, 1 stale\n"));
    assert_eq!(stale.err, format!("{} is stale\n", file.display()));
    assert_eq!(fs::read_to_string(&file).unwrap(), text, "nothing is written");
    assert_eq!(generate(&["--json"]).json()["changed"], serde_json::json!(["verify-tiny.json"]));
    let verified = bemr(["vectors", "verify", path, "--json"]);
    assert_eq!((verified.code, &verified.json()["files"]), (0, &1.into()), "{}", verified.err);
}

#[test]
fn a_kind_a_suite_or_a_folder_that_is_not_there_is_bad_input() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    for (option, known) in [("--kind", "verify"), ("--suite", "ristretto255")] {
        let ran = bemr(["vectors", "generate", path, option, "nothing"]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""));
        assert!(ran.err.contains("`nothing`; known: ") && ran.err.contains(known), "{}", ran.err);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is written");
    let ran = bemr(["vectors", "verify", path]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("no vectors found"), "{}", ran.err);
}
