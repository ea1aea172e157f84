//! The chapters as text.

use std::{fmt::Write as _, fs, path::Path};

/// One chapter.
pub(crate) struct Chapter {
    /// Its file name.
    pub(crate) file: String,
    /// Its Markdown.
    pub(crate) text: String,
}

/// Every chapter in the folder, by file name.
pub(crate) fn read_all(folder: &Path) -> Vec<Chapter> {
    let mut paths: Vec<_> = fs::read_dir(folder)
        .expect("the chapters are beside the build script")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "md"))
        .collect();
    paths.sort();
    let read = |path: &std::path::PathBuf| Chapter {
        file: path.file_name().and_then(|name| name.to_str()).expect("a plain file name").to_owned(),
        text: fs::read_to_string(path).expect("a chapter is UTF-8"),
    };
    paths.iter().map(read).collect()
}

/// An array of file names and texts.
pub(crate) fn render_list(chapters: &[Chapter]) -> String {
    let here = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let folder = Path::new(&here).join("chapters");
    let mut out = String::from("&[\n");
    for Chapter { file, .. } in chapters {
        writeln!(out, "    ({file:?}, include_str!({:?})),", folder.join(file)).expect("a string grows");
    }
    out.push_str("]\n");
    out
}
