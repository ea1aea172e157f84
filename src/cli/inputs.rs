//! Finds and reads record files. Every unreadable file is reported in one line; the others are still processed.

use bemr::records::{Record, SAMPLES};
use bemr_spec::{Clause, Refusal, Rules, constants};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// One input: a file, or a record of the shipped sample.
pub(super) struct Input {
    /// The path, or the name of the sample.
    pub(super) source: String,
    /// The record, or why it could not be read.
    pub(super) record: Result<Record, Unreadable>,
}

/// Why an input could not be read.
pub(super) struct Unreadable {
    /// The clause that it violates, if any.
    pub(super) clause: Option<Clause>,
    /// One line.
    pub(super) message: String,
}

impl From<Refusal> for Unreadable {
    fn from(refusal: Refusal) -> Unreadable {
        Unreadable { clause: Some(refusal.clause()), message: refusal.to_string() }
    }
}

impl From<std::io::Error> for Unreadable {
    fn from(error: std::io::Error) -> Unreadable {
        Unreadable { clause: None, message: error.to_string() }
    }
}

fn unreadable(message: &str) -> Unreadable {
    Unreadable { clause: None, message: message.to_owned() }
}

/// Where a record comes from.
pub(super) enum Source {
    /// Shipped with the program: name and bytes.
    Sample(&'static str, &'static [u8]),
    /// A file.
    File(PathBuf),
    /// A path that holds no record.
    Problem(PathBuf, Unreadable),
}

/// The records named on the command line, in order; those of a folder sorted by name. Without any, the sample.
pub(super) fn sources(paths: &[PathBuf]) -> Vec<Source> {
    if paths.is_empty() {
        return SAMPLES.iter().map(|(name, bytes)| Source::Sample(name, bytes)).collect();
    }
    paths.iter().flat_map(|path| named(path)).collect()
}

/// The files among them.
pub(super) fn files(sources: &[Source]) -> impl Iterator<Item = &PathBuf> {
    sources.iter().filter_map(|source| match source {
        Source::File(path) | Source::Problem(path, _) => Some(path),
        Source::Sample(..) => None,
    })
}

fn named(path: &Path) -> Vec<Source> {
    let problem = |why: Unreadable| vec![Source::Problem(path.to_owned(), why)];
    match fs::metadata(path) {
        Err(error) => problem(error.into()),
        Ok(metadata) if metadata.is_dir() => match folder(path) {
            Err(error) => problem(error.into()),
            Ok(found) if found.is_empty() => problem(unreadable("the folder is empty")),
            Ok(found) => found,
        },
        Ok(metadata) if metadata.is_file() => vec![Source::File(path.to_owned())],
        Ok(_) => problem(unreadable("neither a file nor a folder")),
    }
}

fn folder(path: &Path) -> std::io::Result<Vec<Source>> {
    let mut entries: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(path)? {
        entries.push(entry?.path());
    }
    entries.sort();
    let source = |path: PathBuf| match fs::metadata(&path) {
        Err(error) => Source::Problem(path, error.into()),
        Ok(metadata) if metadata.is_file() => Source::File(path),
        Ok(metadata) if metadata.is_dir() => Source::Problem(
            path,
            unreadable("a folder inside a folder of records is not read; name it on the command line"),
        ),
        Ok(_) => Source::Problem(path, unreadable("neither a file nor a folder")),
    };
    Ok(entries.into_iter().map(source).collect())
}

/// Reads one record; never more than the largest permitted size is in memory.
pub(super) fn read(rules: &Rules, source: Source) -> Input {
    match source {
        Source::Sample(name, bytes) => {
            Input { source: format!("sample/{name}"), record: Record::read(rules, bytes).map_err(Into::into) }
        }
        Source::Problem(path, why) => Input { source: shown(&path), record: Err(why) },
        Source::File(path) => Input { source: shown(&path), record: read_file(rules, &path) },
    }
}

/// A path with control characters escaped, so that it stays on one line.
fn shown(path: &Path) -> String {
    let mut shown = String::new();
    for c in path.display().to_string().chars() {
        if c.is_control() { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}

fn read_file(rules: &Rules, path: &Path) -> Result<Record, Unreadable> {
    let file = crate::files::open(path)?;
    let mut bytes = Vec::new();
    file.take(constants::RECORD_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(Record::read(rules, &bytes)?)
}
