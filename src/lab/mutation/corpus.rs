//! What is kept: traces that once showed a fault, for each clause one that shows that it is missing, the table of the weakest
//! adversaries, and the lives of the fuzzers' corpus.

use crate::attacks::{WEAKNESSES, Weakness};
use crate::lockstep::Script;
use crate::trace::{Trace, TraceError};
use bemr::crypto::{Digest, Domain};
use bemr_spec::Clause;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

/// Where the traces are that once showed a fault, from the root of the project.
const KEPT: &str = "proptests/traces";

/// Where the killers are, from the root of the project.
const KILLERS: &str = "proptests/killers";

/// Where the lives are that the fuzzers kept, from the root of the project.
const RUNS: &str = "fuzz/corpus/lockstep";

/// What a trace is called.
const EXTENSION: &str = "jsonl";

/// A trace that goes otherwise without a clause: its header says which, and its steps tell what happens with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessTrace {
    clause: Clause,
    trace: Trace,
}

impl WitnessTrace {
    /// This trace, if one clause is missing in it.
    pub fn new(trace: Trace) -> Option<WitnessTrace> {
        match trace.header.rules.as_slice() {
            [clause] => Some(WitnessTrace { clause: *clause, trace }),
            _ => None,
        }
    }

    /// The clause that is missing.
    pub const fn clause(&self) -> Clause {
        self.clause
    }

    /// The trace.
    pub const fn trace(&self) -> &Trace {
        &self.trace
    }
}

/// What is kept.
#[derive(Clone, Debug, Default)]
pub struct Corpus {
    /// Traces that once showed a fault, by name.
    pub kept: BTreeMap<String, Trace>,
    /// The weakest adversary for each goal and clause, as published.
    pub weaknesses: Vec<Weakness>,
    /// Lives that the fuzzers kept, by name.
    pub runs: BTreeMap<String, Script>,
    /// Killers.
    killers: BTreeMap<Clause, WitnessTrace>,
}

/// What is kept cannot be read.
#[derive(Debug)]
pub enum CorpusError {
    /// A file or folder.
    Unreadable(PathBuf, io::Error),
    /// A file that is no trace.
    NoTrace(TraceError),
    /// A file that is not the killer whose name it has.
    Misnamed(PathBuf),
}

impl fmt::Display for CorpusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CorpusError::Unreadable(path, error) => write!(f, "{}: {error}", path.display()),
            CorpusError::NoTrace(error) => error.fmt(f),
            CorpusError::Misnamed(path) => {
                write!(
                    f,
                    "{}: header: rules: not the one clause that the file is named after",
                    path.display()
                )
            }
        }
    }
}

impl std::error::Error for CorpusError {}

impl Corpus {
    /// What is kept under `root`, the root of the project. There may be no killers yet.
    ///
    /// # Errors
    /// The first file that is not what it should be.
    pub fn read(root: &Path) -> Result<Corpus, CorpusError> {
        let mut shelf = Corpus::default();
        for (name, path) in files(&root.join(KEPT))? {
            shelf.kept.insert(name, Trace::open(&path).map_err(CorpusError::NoTrace)?);
        }
        let table = root.join(WEAKNESSES);
        let unreadable = |error| CorpusError::Unreadable(table.clone(), error);
        let table = fs::read_to_string(&table).map_err(unreadable)?;
        shelf.weaknesses = table.lines().filter_map(Weakness::read).collect();
        shelf.runs = lives(&root.join(RUNS))?;
        let killers = root.join(KILLERS);
        if !killers.exists() {
            return Ok(shelf);
        }
        for (name, path) in files(&killers)? {
            let killer = WitnessTrace::new(Trace::open(&path).map_err(CorpusError::NoTrace)?);
            match killer.filter(|killer| killer.clause().id() == name) {
                Some(killer) => shelf.killers.insert(killer.clause(), killer),
                None => return Err(CorpusError::Misnamed(path)),
            };
        }
        Ok(shelf)
    }

    /// The killer of the mutant without `clause`, if there is one.
    pub fn killer(&self, clause: Clause) -> Option<&WitnessTrace> {
        self.killers.get(&clause)
    }

    /// Every killer.
    pub fn killers(&self) -> impl Iterator<Item = &WitnessTrace> {
        self.killers.values()
    }

    /// Takes a killer in; another of its clause goes.
    pub fn put(&mut self, killer: WitnessTrace) {
        self.killers.insert(killer.clause(), killer);
    }

    /// The digest of all killers.
    pub fn digest(&self) -> Digest {
        let each: Vec<Vec<u8>> = self.killers().map(|killer| killer.trace().to_bytes()).collect();
        let parts: Vec<&[u8]> = each.iter().map(Vec::as_slice).collect();
        Digest::of_parts(Domain::PUBLIC_STATE, &parts)
    }

    /// Writes the killers under `root`, and removes those of clauses that have none any more.
    ///
    /// # Errors
    /// The first file that cannot be written or removed.
    pub fn write(&self, root: &Path) -> Result<(), CorpusError> {
        let folder = root.join(KILLERS);
        let at = |path: &Path| {
            let path = path.to_owned();
            move |error| CorpusError::Unreadable(path, error)
        };
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        for (_, path) in files(&folder)? {
            fs::remove_file(&path).map_err(at(&path))?;
        }
        for killer in self.killers() {
            let path = folder.join(killer.clause().id()).with_extension(EXTENSION);
            fs::write(&path, killer.trace().to_bytes()).map_err(at(&path))?;
        }
        Ok(())
    }
}

/// The traces in a folder, by name.
fn files(folder: &Path) -> Result<BTreeMap<String, PathBuf>, CorpusError> {
    let unreadable = |error| CorpusError::Unreadable(folder.to_owned(), error);
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == EXTENSION)
            && let Some(name) = path.file_stem().and_then(|name| name.to_str())
        {
            files.insert(name.to_owned(), path);
        }
    }
    Ok(files)
}

/// The lives in a folder, by name.
fn lives(folder: &Path) -> Result<BTreeMap<String, Script>, CorpusError> {
    let unreadable = |error| CorpusError::Unreadable(folder.to_owned(), error);
    let mut lives = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let bytes = fs::read(&path).map_err(unreadable)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        lives.insert(name, Script::read(&bytes));
    }
    Ok(lives)
}
