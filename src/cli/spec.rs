//! `bemr spec`: the register of clauses.

use crate::{ExitStatus, note, print, print_json};
use bemr_lab::specgen;
use bemr_spec::Clause;
use serde::Serialize;
use std::path::PathBuf;

/// Options of `bemr spec`.
#[derive(clap::Args)]
pub(super) struct Options {
    /// A clause, by id (`KEY-03`) or name (`KeysHaveOneUse`).
    clause: Option<String>,
    /// Generates the derived parts of `spec/` and of the README; run it at the root of the source tree.
    #[arg(long)]
    write: bool,
    /// Prints one JSON document.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Entry {
    id: &'static str,
    code: u16,
    name: &'static str,
    must: &'static str,
    why: &'static str,
    chapter: &'static str,
    paper: Vec<String>,
    stops: &'static [&'static str],
    enforced: Vec<String>,
    shown: Vec<String>,
    fields: Vec<String>,
    machines: Vec<String>,
}

fn place(place: &specgen::coverage::Place) -> String {
    format!("{} {}", place.file, place.item)
}

fn entry(clause: Clause) -> Entry {
    let recorded = specgen::coverage::Coverage::recorded();
    let covered = recorded.covered(clause);
    Entry {
        id: clause.id(),
        code: clause.code(),
        name: clause.name(),
        must: clause.must(),
        why: clause.why(),
        chapter: clause.chapter(),
        paper: clause.paper().iter().map(|number| format!("P-{number}")).collect(),
        stops: clause.stops(),
        enforced: covered.map_or(Vec::new(), |one| one.enforced.iter().map(place).collect()),
        shown: covered.map_or(Vec::new(), |one| one.shown.iter().map(place).collect()),
        fields: covered.map_or(Vec::new(), |one| one.fields.clone()),
        machines: covered.map_or(Vec::new(), |one| one.machines.clone()),
    }
}

pub(super) fn spec(options: &Options) -> Result<ExitStatus, String> {
    if options.write {
        let root = PathBuf::from(".");
        if !root.join("spec/chapters").is_dir() {
            return Err("spec/chapters: not found; run --write at the root of the source tree".to_owned());
        }
        for path in specgen::write(&root).map_err(|error| error.to_string())? {
            note(&format!("wrote {}", path.display()));
        }
        return Ok(ExitStatus::Success);
    }
    match &options.clause {
        Some(text) => {
            let clause = Clause::find(text).ok_or_else(|| {
                let prefixes: std::collections::BTreeSet<&str> =
                    Clause::ALL.iter().map(|clause| &clause.id()[..3]).collect();
                let prefixes: Vec<&str> = prefixes.into_iter().collect();
                format!("{text}: no such clause; ids start with {}", prefixes.join(", "))
            })?;
            if options.json {
                print_json(&entry(clause))?;
            } else {
                print(&specgen::explain(clause))?;
            }
        }
        None if options.json => print_json(&Clause::ALL.map(entry).into_iter().collect::<Vec<_>>())?,
        None => {
            let line =
                |clause: Clause| format!("{}  {:32}  {}", clause.id(), clause.name(), clause.chapter());
            print(&Clause::ALL.map(line).join("\n"))?;
        }
    }
    Ok(ExitStatus::Success)
}
