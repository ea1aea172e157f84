//! `bemr adversary`: the adversaries that have names, and whether one from a file can be.

use crate::{ExitStatus, print, print_json};
use bemr_lab::faults::{Adversary, NAMED, NamedAdversary};
use bemr_model::{LedgerKind, Lifetimes, Setup};
use serde::Serialize;
use std::path::Path;

/// Options of `bemr adversary`.
#[derive(clap::Args)]
pub(super) struct Options {
    /// Of whom to tell everything: a name, or a file of ploys as JSON.
    #[arg(value_name = "NAME|FILE")]
    adversary: Option<String>,
    /// For a network of so many validators.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=64))]
    validators: u8,
    /// Prints one JSON document.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Row {
    name: String,
    says: String,
    minimum_power: &'static str,
    ploys: Adversary,
}

/// The adversary of this name, or in this file, in a network of so many validators.
///
/// # Errors
/// A file that cannot be read, or an adversary that cannot be.
pub(super) fn find(named: &str, validators: u8) -> Result<Adversary, String> {
    if let Some(named) = NamedAdversary::find(named) {
        return named.of(validators).map_err(|error| error.to_string());
    }
    let path = Path::new(named);
    if !path.exists() {
        return Err(format!("{named}: no adversary has this name, and no file"));
    }
    /// More than any adversary of so many ploys takes.
    const MOST: u64 = 1 << 20;
    let size = path.metadata().map_err(|error| format!("{named}: {error}"))?.len();
    if size > MOST {
        return Err(format!("{named}: {size} bytes, of at most {MOST}"));
    }
    let bytes = std::fs::read(path).map_err(|error| format!("{named}: {error}"))?;
    let mut reader = serde_json::Deserializer::from_slice(&bytes);
    let adversary =
        serde_path_to_error::deserialize(&mut reader).map_err(|error| format!("{named}: {error}"))?;
    reader.end().map_err(|error| format!("{named}: {error}"))?;
    Ok(adversary)
}

/// A network that an adversary can be in: everybody whom it names is there.
pub(super) fn network(validators: u8, seed: u64) -> Setup {
    let ledger = if seed % 8 == 7 { LedgerKind::Work } else { LedgerKind::Quorum };
    Setup {
        users: 5,
        validators,
        ledger,
        seed,
        acquainted: seed.is_multiple_of(2),
        lifetimes: Lifetimes::LONG,
    }
}

pub(super) fn adversary(options: &Options) -> Result<ExitStatus, String> {
    let of = |named: &NamedAdversary| -> Result<Row, String> {
        let ploys = named.of(options.validators).map_err(|error| error.to_string())?;
        let (name, says) = (named.name.to_owned(), named.says.to_owned());
        Ok(Row { name, says, minimum_power: ploys.power().name(), ploys })
    };
    let Some(wanted) = &options.adversary else {
        let rows = NAMED.iter().map(of).collect::<Result<Vec<Row>, String>>()?;
        if options.json {
            print_json(&rows)?;
        } else {
            let line = |row: &Row| format!("{:20} {:15} {}", row.name, row.minimum_power, row.says);
            print(&rows.iter().map(line).collect::<Vec<_>>().join("\n"))?;
        }
        return Ok(ExitStatus::Nothing);
    };
    let row = match NamedAdversary::find(wanted) {
        Some(named) => of(named)?,
        None => {
            let ploys = find(wanted, options.validators)?;
            let (name, says) = (wanted.clone(), String::new());
            Row { name, says, minimum_power: ploys.power().name(), ploys }
        }
    };
    if options.json {
        print_json(&row)?;
        return Ok(ExitStatus::Nothing);
    }
    let says = if row.says.is_empty() { String::new() } else { format!(": {}", row.says) };
    let mut lines = vec![format!("{}{says}", row.name), format!("minimum power: {}", row.minimum_power)];
    lines.extend(row.ploys.ploys().iter().map(ToString::to_string));
    print(&lines.join("\n"))?;
    Ok(ExitStatus::Nothing)
}
