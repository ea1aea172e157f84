//! Writes `FOUND.md`: how many mutants there are in each room, who caught them, and why the rest changes nothing that anyone can observe.

use crate::Places;
use crate::ask::Said;
use crate::list::Mutant;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Why some mutants change nothing that anyone can observe.
#[derive(Deserialize)]
struct Reason {
    why: String,
    mutants: Vec<String>,
}

/// A room's numbers.
#[derive(Default)]
struct Room {
    mutants: usize,
    impossible: usize,
    constants: usize,
    caught: usize,
    too_long: usize,
    alive: usize,
    unasked: usize,
}

/// Writes the report. A survivor without a reason, and a reason without a survivor, are errors, but are written too.
pub(crate) fn write(
    places: &Places,
    mutants: &[Mutant],
    out: &BTreeMap<String, String>,
    said: &BTreeMap<String, Said>,
) -> Result<(), String> {
    let reasons = fs::read(places.home.join("reasons.json")).map_err(|error| error.to_string())?;
    let reasons: Vec<Reason> = serde_json::from_slice(&reasons).map_err(|error| error.to_string())?;
    let explained: BTreeSet<&str> =
        reasons.iter().flat_map(|reason| &reason.mutants).map(String::as_str).collect();
    let mut rooms: BTreeMap<&str, Room> = BTreeMap::new();
    let mut catchers: BTreeMap<&str, usize> = BTreeMap::new();
    let mut alive: BTreeSet<&str> = BTreeSet::new();
    let mut unasked: Vec<&str> = Vec::new();
    for mutant in mutants {
        let room = rooms.entry(mutant.room()).or_default();
        room.mutants += 1;
        match said.get(&mutant.name) {
            _ if out.get(&mutant.name).is_some_and(|problem| problem.ends_with("in constants")) => {
                room.constants += 1;
            }
            _ if out.contains_key(&mutant.name) => room.impossible += 1,
            Some(Said { caught: Some(by), too_long, .. }) => {
                room.caught += 1;
                room.too_long += usize::from(*too_long);
                *catchers.entry(by.split("::").next().unwrap_or_default()).or_default() += 1;
            }
            Some(said) if !said.unfinished || explained.contains(mutant.name.as_str()) => {
                room.alive += 1;
                alive.insert(&mutant.name);
            }
            _ => {
                room.unasked += 1;
                unasked.push(&mutant.name);
            }
        }
    }
    let commit = said_by(&places.project, "git", &["log", "-1", "--format=%H` of %cs"])?;
    let versions = [
        said_by(&places.project, "cargo", &["mutants", "--version"])?,
        said_by(&places.project, "rustc", &["--version"])?,
    ];
    let mut text = format!(
        "# Mutants, and who caught them\n\nWritten by `cargo run -p bemr-proptests --features tools --example mutants`, of commit `{commit}, with {}.\n\n{}\n",
        versions.join(" and "),
        include_str!("method.md"),
    );
    text += "| room | mutants | do not compile | constants | caught | … by taking too long | survive, with a reason | not asked to the end |\n";
    text += "|---|---:|---:|---:|---:|---:|---:|---:|\n";
    let mut whole = Room::default();
    for (name, room) in &rooms {
        text += &row(name, room);
        whole.mutants += room.mutants;
        whole.impossible += room.impossible;
        whole.constants += room.constants;
        whole.caught += room.caught;
        whole.too_long += room.too_long;
        whole.alive += room.alive;
        whole.unasked += room.unasked;
    }
    text += &row("all", &whole);
    text += "\n## Who caught them\n\nThe first of the tests that failed. The likely and the quick ones are asked first.\n\n| tests | caught |\n|---|---:|\n";
    let mut catchers: Vec<(&str, usize)> = catchers.into_iter().collect();
    catchers.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
    for (name, count) in catchers {
        let _ = writeln!(text, "| `{name}` | {count} |");
    }
    text += "\n## Survivors\n\nEach of these changes nothing that anyone can observe.\n";
    for reason in &reasons {
        let _ = writeln!(text, "\n{}\n", reason.why);
        reason.mutants.iter().for_each(|name| text += &format!("- `{name}`\n"));
    }
    if !unasked.is_empty() {
        text += "\n## Not asked to the end\n\n";
        unasked.iter().for_each(|name| text += &format!("- `{name}`\n"));
    }
    let unexplained: Vec<&str> = alive.difference(&explained).copied().collect();
    if !unexplained.is_empty() {
        text += "\n## Survivors without a reason\n\n";
        unexplained.iter().for_each(|name| text += &format!("- `{name}`\n"));
    }
    fs::write(places.home.join("FOUND.md"), text).map_err(|error| error.to_string())?;
    let dead: Vec<&str> = explained.difference(&alive).copied().collect();
    println!("{} mutants, {} caught, {} survive", whole.mutants, whole.caught, whole.alive);
    match (unexplained.as_slice(), dead.as_slice()) {
        ([], []) => Ok(()),
        _ => Err(format!(
            "survivors without a reason: {}\nreasons without a survivor:\n{}",
            unexplained.len(),
            dead.join("\n")
        )),
    }
}

fn row(name: &str, room: &Room) -> String {
    let Room { mutants, impossible, constants, caught, too_long, alive, unasked } = room;
    format!(
        "| {name} | {mutants} | {impossible} | {constants} | {caught} | {too_long} | {alive} | {unasked} |\n"
    )
}

fn said_by(folder: &Path, program: &str, arguments: &[&str]) -> Result<String, String> {
    let ran = Command::new(program).args(arguments).current_dir(folder).output();
    let ran = ran.map_err(|error| format!("{program}: {error}"))?;
    Ok(String::from_utf8_lossy(&ran.stdout).trim().to_owned())
}
