//! The errors of a store.

use crate::store::Table;
use bemr_spec::{Clause, Refusal};
use std::path::{Path, PathBuf};

/// A store could not read or keep something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened, read or written: a matter of the machine, not of what the file holds.
    #[error("{}: {cause}", show(.file))]
    Unavailable {
        /// The file.
        file: Option<PathBuf>,
        /// The error of the operating system or of the database, such as a full disk.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What the file holds is not what was committed.
    #[error("{}{}: {refusal}", show(.file), entry.as_ref().map(|entry| format!(", {entry}")).unwrap_or_default())]
    Damaged {
        /// The file.
        file: Option<PathBuf>,
        /// The table and entry, when the damage has a place.
        entry: Option<String>,
        /// CLD-06, and what is wrong.
        refusal: Refusal,
    },
}

fn show(file: &Option<PathBuf>) -> String {
    file.as_ref().map_or_else(|| "store in memory".to_owned(), |file| file.display().to_string())
}

impl StoreError {
    /// What is kept there is not what was written: at this file, table and key.
    pub fn damaged(
        file: Option<&Path>,
        entry: Option<(Table, &[u8])>,
        problem: impl Into<String>,
    ) -> StoreError {
        let entry = entry.map(|(table, key)| format!("table {}, entry {}", table.name(), table.show(key)));
        let refusal = Refusal::new(Clause::StoreMatchesHead).at(problem);
        StoreError::Damaged { file: file.map(Path::to_owned), entry, refusal }
    }

    /// The file, or a store without one, does not let itself be read or written, because of `cause`.
    pub fn unavailable(
        file: Option<&Path>,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> StoreError {
        StoreError::Unavailable { file: file.map(Path::to_owned), cause: cause.into() }
    }

    /// The clause that the file breaks; nothing for a matter of the machine.
    pub fn clause(&self) -> Option<Clause> {
        match self {
            StoreError::Unavailable { .. } => None,
            StoreError::Damaged { refusal, .. } => Some(refusal.clause()),
        }
    }
}
