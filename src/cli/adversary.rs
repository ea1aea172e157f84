//! `bemr adversary`: lists the named adversaries, or validates and describes one.

use crate::{ExitStatus, files, print, print_json};
use bemr_lab::faults::{Adversary, NAMED, NamedAdversary};
use bemr_model::{LedgerKind, Lifetimes, Setup};
use serde::Serialize;
use std::path::Path;

/// The largest file of fault rules in bytes; no valid adversary needs more.
const MAX_FILE: u64 = 1 << 20;

/// Options of `bemr adversary`.
#[derive(clap::Args)]
pub(super) struct Options {
    /// The adversary to describe: a name, or a JSON file of fault rules.
    #[arg(value_name = "NAME|FILE")]
    adversary: Option<String>,
    /// The number of validators in the network.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=64))]
    validators: u8,
    /// Prints one JSON document.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Row {
    name: String,
    description: String,
    minimum_capability: &'static str,
    fault_rules: Adversary,
}

impl Row {
    fn of(name: &str, description: &str, fault_rules: Adversary) -> Row {
        let (name, description) = (name.to_owned(), description.to_owned());
        Row { name, description, minimum_capability: fault_rules.power().name(), fault_rules }
    }

    fn named(named: &NamedAdversary, validators: u8) -> Result<Row, String> {
        let rules = named.of(validators).map_err(|error| error.to_string())?;
        Ok(Row::of(named.name, named.says, rules))
    }
}

/// The adversary of this name, or in this file, in a network of so many validators.
///
/// # Errors
/// An unreadable file, or fault rules that contradict each other.
pub(super) fn find(name: &str, validators: u8) -> Result<Adversary, String> {
    if let Some(named) = NamedAdversary::find(name) {
        return named.of(validators).map_err(|error| error.to_string());
    }
    let path = Path::new(name);
    if !path.exists() {
        return Err(format!("{name}: neither a named adversary nor a file"));
    }
    let bytes = files::read(path, MAX_FILE)?;
    let mut reader = serde_json::Deserializer::from_slice(&bytes);
    let adversary: Adversary =
        serde_path_to_error::deserialize(&mut reader).map_err(|error| format!("{name}: {error}"))?;
    reader.end().map_err(|error| format!("{name}: {error}"))?;
    if adversary.rules().is_empty() {
        return Err(format!("{name}: no fault rule"));
    }
    adversary.fits(&network(validators, 0)).map_err(|problem| format!("{name}: {problem}"))?;
    Ok(adversary)
}

/// A network with enough users and validators for every node that a fault rule can name.
pub(super) fn network(validators: u8, seed: u64) -> Setup {
    let ledger = if seed % 8 == 7 { LedgerKind::Work } else { LedgerKind::Quorum };
    let established = seed.is_multiple_of(2);
    Setup { users: 5, validators, ledger, seed, established, lifetimes: Lifetimes::LONG }
}

pub(super) fn adversary(options: &Options) -> Result<ExitStatus, String> {
    let Some(wanted) = &options.adversary else {
        let rows = NAMED.iter().map(|named| Row::named(named, options.validators));
        let rows = rows.collect::<Result<Vec<Row>, String>>()?;
        if options.json {
            print_json(&rows)?;
        } else {
            let line =
                |row: &Row| format!("{:20} {:15} {}", row.name, row.minimum_capability, row.description);
            print(&rows.iter().map(line).collect::<Vec<_>>().join("\n"))?;
        }
        return Ok(ExitStatus::Success);
    };
    let row = match NamedAdversary::find(wanted) {
        Some(named) => Row::named(named, options.validators)?,
        None => Row::of(wanted, "", find(wanted, options.validators)?),
    };
    if options.json {
        print_json(&row)?;
        return Ok(ExitStatus::Success);
    }
    let description =
        if row.description.is_empty() { String::new() } else { format!(": {}", row.description) };
    let mut lines =
        vec![format!("{}{description}", row.name), format!("minimum capability: {}", row.minimum_capability)];
    lines.extend(row.fault_rules.rules().iter().map(ToString::to_string));
    print(&lines.join("\n"))?;
    Ok(ExitStatus::Success)
}
