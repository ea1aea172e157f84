//! The inputs that are kept, in `fuzz/corpus`: a folder for each target. A file that begins with `found` once showed a fault.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// An input and the name of its file.
pub type Named = (String, Vec<u8>);

/// The folder of a target's corpus.
pub fn folder(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(target)
}

/// The inputs of a target, by name; none where there is no folder.
///
/// # Errors
/// A file that cannot be read.
pub fn read(target: &str) -> io::Result<Vec<Named>> {
    read_folder(&folder(target))
}

/// The inputs in a folder, by name; none where there is no folder.
///
/// # Errors
/// A file that cannot be read.
pub fn read_folder(folder: &Path) -> io::Result<Vec<Named>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut inputs = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // What begins with a point is not whole, or no input.
        if !name.starts_with('.') {
            inputs.push((name, fs::read(&path)?));
        }
    }
    inputs.sort();
    Ok(inputs)
}

/// Replaces the corpus of a target by these inputs. What once showed a fault stays.
///
/// # Errors
/// A file that cannot be written.
pub fn write(target: &str, inputs: &[Named]) -> io::Result<()> {
    let folder = folder(target);
    for (name, _) in read(target)?.iter().filter(|(name, _)| !name.starts_with("found")) {
        fs::remove_file(folder.join(name))?;
    }
    fs::create_dir_all(&folder)?;
    inputs.iter().try_for_each(|(name, bytes)| fs::write(folder.join(name), bytes))
}
