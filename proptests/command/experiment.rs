//! `bemr experiment`, in the form that takes seconds.

use crate::bemr;
use std::fs;
use std::path::Path;

#[test]
fn a_quick_experiment_writes_three_files_says_one_document_and_finds_all_as_claimed() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("made/for/it");
    let ran =
        bemr([Path::new("experiment"), Path::new("--quick"), Path::new("--json"), Path::new("--out"), &out]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let json = ran.json();
    assert_eq!(json["failures"].as_array().map(Vec::len), Some(0), "{}", ran.err);
    assert_eq!(json["quick"], true);
    assert_eq!(json["claims"].as_array().map(Vec::len), Some(28), "fourteen rules in two mixes");
    let inside = |point: &serde_json::Value| point["inside"] == true;
    assert!(json["points"].as_array().unwrap().iter().all(inside));

    let cells = 2 * 7 * 10 * 14;
    assert_eq!(json["cells"], cells);
    let csv = fs::read_to_string(out.join("experiment.csv")).unwrap();
    assert_eq!(csv.lines().count(), cells + 1);
    let whole: serde_json::Value =
        serde_json::from_slice(&fs::read(out.join("experiment.json")).unwrap()).unwrap();
    let names: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
    assert_eq!(whole["columns"].as_array().unwrap().len(), names.len());
    let row = whole["rows"].as_array().unwrap().last().unwrap().as_array().unwrap();
    assert_eq!((whole["rows"].as_array().unwrap().len(), row.len()), (cells, names.len()));
    for name in ["cdr", "bcdr", "far", "psr_lit", "plr", "delay_mean_lit_ms", "proved_lower", "swap_upper"] {
        assert!(names.contains(&name), "{name}");
    }
    let page = fs::read_to_string(out.join("experiment.html")).unwrap();
    assert!(page.ends_with("</html>\n") && page.contains("Every claim, negative control and proved bound"));
}

#[test]
fn a_folder_that_cannot_be_made_is_named_before_anything_is_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let ran = bemr([Path::new("experiment"), Path::new("--out"), &file]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.starts_with(&format!("bemr: {}: ", file.display())), "{}", ran.err);
    assert_eq!(ran.err.lines().count(), 1);
}
