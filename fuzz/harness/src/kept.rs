//! The inputs that campaigns keep, in `fuzz/kept` or a folder of one's own, so that the next campaign goes on from them.
//!
//! A file is named by the SHA-256 of what it contains and is there whole or not at all: a campaign may be killed, and two may keep in one folder.
//! Files of other names are read and never removed.

use crate::corpus::{self, Named};
use crate::engine::{Run, explore_and_tell};
use crate::{Subject, Target};
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The folder that campaigns keep inputs in where none is named; a folder in it for each target.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../kept")
}

/// The inputs of one target.
#[derive(Debug)]
pub struct Kept {
    folder: PathBuf,
    /// The names of what this campaign has read or written: it answers for nothing else.
    known: BTreeSet<String>,
}

impl Kept {
    /// Opens the folder of a target, made where it is not there, and reads its inputs, by name.
    ///
    /// # Errors
    /// A folder or a file that cannot be used.
    pub fn open(root: &Path, target: &str) -> io::Result<(Kept, Vec<Named>)> {
        let folder = root.join(target);
        fs::create_dir_all(&folder)?;
        let inputs = corpus::read_folder(&folder)?;
        let known = inputs.iter().map(|(name, _)| name.clone()).collect();
        Ok((Kept { folder, known }, inputs))
    }

    /// Keeps an input.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn keep(&mut self, input: &[u8]) -> io::Result<()> {
        let name = name(input);
        if self.known.contains(&name) {
            return Ok(());
        }
        let mut file = tempfile::Builder::new().prefix(".unfinished-").tempfile_in(&self.folder)?;
        file.write_all(input)?;
        file.persist(self.folder.join(&name)).map_err(|error| error.error)?;
        self.known.insert(name);
        Ok(())
    }

    /// At the end: keeps these, and of what this campaign has read and written removes all others.
    ///
    /// # Errors
    /// A file that cannot be written or removed.
    pub fn keep_only(&mut self, inputs: &[Vec<u8>]) -> io::Result<()> {
        for input in inputs {
            self.keep(input)?;
        }
        let names: BTreeSet<String> = inputs.iter().map(|input| name(input)).collect();
        for name in self.known.iter().filter(|name| is_digest(name) && !names.contains(*name)) {
            match fs::remove_file(self.folder.join(name)) {
                // Another campaign did.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                removed => removed?,
            }
        }
        self.known.retain(|name| !is_digest(name) || names.contains(name));
        Ok(())
    }
}

/// What a campaign begins with.
#[derive(Clone, Debug)]
pub struct Begin {
    /// The committed corpus, or nothing.
    pub seeds: Vec<Vec<u8>>,
    /// Whether it goes on from what is kept.
    pub read_kept: bool,
    /// Where chance begins.
    pub seed: u64,
}

/// Fuzzes the product until `go_on` says no, and keeps what shows something new as soon as it does. At the end there is in the folder what the engine
/// would mutate, and nothing that it would not.
///
/// # Errors
/// A folder or a file that cannot be used.
pub fn resume(
    target: &Target,
    root: &Path,
    begin: Begin,
    mut go_on: impl FnMut(u64) -> bool,
) -> io::Result<Run> {
    let Begin { mut seeds, read_kept, seed } = begin;
    let (kept, inputs) = Kept::open(root, target.name)?;
    let committed: BTreeSet<Vec<u8>> = seeds.iter().cloned().collect();
    if read_kept {
        seeds.extend(inputs.into_iter().map(|(_, input)| input));
    }
    let (kept, failed) = (RefCell::new(kept), RefCell::new(None));
    let on = |executed| failed.borrow().is_none() && go_on(executed);
    let keep = |input: &[u8]| {
        if let Err(error) = kept.borrow_mut().keep(input) {
            *failed.borrow_mut() = Some(error);
        }
    };
    let run = explore_and_tell(target, &Subject::product(), &seeds, seed, on, keep);
    if let Some(error) = failed.into_inner() {
        return Err(error);
    }
    // What was not executed was not judged, and what shows a fault is in no pool: until all is judged and well, nothing is removed.
    if read_kept && run.found.is_none() && run.executions >= seeds.len() as u64 {
        let mut left = run.corpus.clone().into_inputs();
        left.retain(|input| !committed.contains(input));
        kept.into_inner().keep_only(&left)?;
    }
    Ok(run)
}

/// The name of an input's file.
pub fn name(input: &[u8]) -> String {
    Sha256::digest(input).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn is_digest(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
