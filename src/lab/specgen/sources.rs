//! The Rust sources of the project.

use std::path::Path;
use std::{fs, io};

/// Source files by their path from the root of the project, in ascending order.
#[derive(Clone, Debug)]
pub struct Sources(Vec<(String, String)>);

/// The folders of the code that enforces clauses and of the tests that show them.
const FOLDERS: [&str; 2] = ["src", "proptests"];

/// Folders in which naming a clause neither enforces nor shows it.
const NOT_COUNTED: [&str; 9] = [
    "src/lab/specgen",
    "src/lab/trace",
    "src/lab/sequence",
    "src/lab/forge",
    "src/lab/lockstep",
    "src/lab/sut",
    "src/lab/refinement",
    "src/lab/mutation",
    "src/lab/vectors",
];

impl Sources {
    /// The sources under `root`.
    ///
    /// # Errors
    /// A file or folder that cannot be read.
    pub fn read(root: &Path) -> io::Result<Sources> {
        let mut files = Vec::new();
        for folder in FOLDERS {
            collect(&root.join(folder), folder, &mut files)?;
        }
        Ok(Sources::new(files))
    }

    /// These sources.
    pub fn new(mut files: Vec<(String, String)>) -> Sources {
        files.sort();
        Sources(files)
    }

    /// Path and text of each.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }
}

fn collect(folder: &Path, shown: &str, files: &mut Vec<(String, String)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let shown = format!("{shown}/{name}");
        if entry.file_type()?.is_dir() {
            if name != "target" && !name.starts_with('.') && !NOT_COUNTED.contains(&shown.as_str()) {
                collect(&entry.path(), &shown, files)?;
            }
        } else if name.ends_with(".rs") {
            files.push((shown, fs::read_to_string(entry.path())?));
        }
    }
    Ok(())
}
