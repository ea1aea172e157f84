//! `bemr attack`: every attack of chapter 18 on the protocol as the paper has it, and the clause that stops it.

use crate::attacks::{Attack, CATALOGUE, How, Pair, carry_out, exhibit};
use crate::command::{Found, print, print_json, tell};
use crate::conformance::drawing::text;
use bemr_spec::{Clause, Rules};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

/// Options of `bemr attack`.
#[derive(clap::Args)]
pub(super) struct Options {
    /// One attack, such as C-08; without it, a table of all.
    #[arg(value_parser = attack_of)]
    id: Option<&'static Attack>,
    /// Searches under these rules alone: published, hardened or without:CLAUSE. Without it, each attack is found where the clauses are
    /// missing that it needs, and shown to be stopped where none is.
    #[arg(long, value_parser = rules_of)]
    rules: Option<Chosen>,
    /// How many threads search.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=64))]
    threads: u8,
    /// Writes the two traces of each attack into this folder.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Prints one JSON document.
    #[arg(long)]
    json: bool,
}

/// Rules by their name.
#[derive(Clone, Debug)]
struct Chosen {
    name: String,
    rules: Rules,
}

fn attack_of(text: &str) -> Result<&'static Attack, String> {
    Attack::find(text).ok_or_else(|| "the attacks are C-01 to C-38 and C-14b".to_owned())
}

fn rules_of(text: &str) -> Result<Chosen, String> {
    let rules = match text {
        "published" => Rules::published(),
        "hardened" => Rules::hardened(),
        other => {
            let clause = other.strip_prefix("without:").and_then(Clause::find);
            Rules::hardened().without(clause.ok_or("published, hardened or without:CLAUSE")?)
        }
    };
    Ok(Chosen { name: text.to_owned(), rules })
}

/// A row of the table.
#[derive(Serialize)]
struct Row {
    id: &'static str,
    says: &'static str,
    goal: &'static str,
    published: Published,
    hardened: Hardened,
    /// Why it is not shown, or not as it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[derive(Serialize)]
struct Published {
    /// Whether it works on the protocol as the paper has it.
    found: bool,
    /// How many steps it takes.
    steps: Option<usize>,
    /// The weakest adversary that does it; nothing where it is carried out on bytes.
    minimum_power: Option<&'static str>,
    /// The clauses that the paper does not have, without which it works.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    without: Vec<&'static str>,
    /// Whether the implementation went through it with real bytes.
    implementation: bool,
    /// Whether the same run breaks the goal under `Rules::published()`, where all clauses are missing that answer any attack.
    #[serde(skip_serializing_if = "Option::is_none")]
    in_the_whole: Option<bool>,
    /// What the adversary has at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    gained: Option<String>,
    /// How many states were visited.
    #[serde(skip_serializing_if = "Option::is_none")]
    states: Option<usize>,
}

#[derive(Serialize)]
struct Hardened {
    /// The clause that stops it.
    refused_by: Option<&'static str>,
}

/// What came of one attack.
struct Outcome {
    row: Row,
    pair: Option<Pair>,
    shown: bool,
}

pub(super) fn attack(options: &Options) -> Result<Found, String> {
    if let Some(chosen) = &options.rules {
        return under(options, chosen);
    }
    let attacks: Vec<&'static Attack> =
        options.id.map_or_else(|| CATALOGUE.iter().collect(), |one| vec![one]);
    let bar = bar(attacks.len() as u64);
    let mut outcomes = Vec::new();
    for attack in attacks {
        bar.set_message(attack.id);
        outcomes.push(outcome(attack, usize::from(options.threads)));
        bar.inc(1);
    }
    bar.finish_and_clear();
    if let Some(out) = &options.out {
        for outcome in &outcomes {
            write_traces(outcome, out)?;
        }
    }
    let failed = outcomes.iter().any(|outcome| !outcome.shown);
    if options.json {
        print_json(&outcomes.iter().map(|outcome| &outcome.row).collect::<Vec<_>>())?;
    } else if let (Some(_), [only]) = (options.id, &outcomes[..]) {
        print(&one(only))?;
    } else {
        print(&table(&outcomes))?;
    }
    Ok(if failed { Found::Something } else { Found::Nothing })
}

fn bar(length: u64) -> ProgressBar {
    let bar = ProgressBar::new(length);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}, {elapsed}, {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn outcome(attack: &'static Attack, threads: usize) -> Outcome {
    let goal = attack.goal();
    let nothing = Published {
        found: false,
        steps: None,
        minimum_power: None,
        without: Vec::new(),
        implementation: false,
        in_the_whole: None,
        gained: None,
        states: None,
    };
    let row = |published, refused_by: Option<Clause>, note| Row {
        id: attack.id,
        says: attack.says,
        goal,
        published,
        hardened: Hardened { refused_by: refused_by.map(Clause::id) },
        note,
    };
    match attack.how {
        How::Explained { why, .. } => {
            Outcome { row: row(nothing, None, Some(why.to_owned())), pair: None, shown: true }
        }
        How::Computed { .. } => match exhibit(attack) {
            Some(Ok(exhibit)) => {
                let published = Published {
                    found: true,
                    steps: Some(exhibit.steps),
                    implementation: true,
                    gained: Some(exhibit.published),
                    ..nothing
                };
                Outcome { row: row(published, Some(exhibit.refused_by), None), pair: None, shown: true }
            }
            failed => {
                let why = failed.and_then(Result::err);
                Outcome { row: row(nothing, None, why), pair: None, shown: false }
            }
        },
        How::Searched { without, .. } => match carry_out(attack, threads) {
            Ok(pair) => {
                let published = Published {
                    found: true,
                    steps: Some(pair.published.trace.steps.len()),
                    minimum_power: Some(pair.power.name()),
                    without: without.iter().map(|clause| clause.id()).collect(),
                    implementation: pair.published.both.is_ok(),
                    in_the_whole: Some(pair.in_the_whole),
                    gained: None,
                    states: Some(pair.states),
                };
                let note = pair.published.both.as_ref().err().map(|why| format!("the model alone: {why}"));
                let stopped = pair.refused_by.or(without.first().copied());
                Outcome { row: row(published, stopped, note), pair: Some(pair), shown: true }
            }
            Err(why) => Outcome { row: row(nothing, None, Some(why)), pair: None, shown: false },
        },
    }
}

/// Whether an adversary breaks the goal of each row under other rules.
fn under(options: &Options, chosen: &Chosen) -> Result<Found, String> {
    #[derive(Serialize)]
    struct Under<'a> {
        id: &'static str,
        goal: &'static str,
        rules: &'a str,
        found: bool,
        steps: Option<usize>,
        minimum_power: Option<&'static str>,
    }
    let attacks = CATALOGUE.iter().filter(|one| options.id.is_none_or(|id| id.id == one.id));
    let attacks: Vec<_> = attacks.filter(|one| matches!(one.how, How::Searched { .. })).collect();
    if attacks.is_empty() {
        return Err("this attack is not searched for: there are no rules to choose".to_owned());
    }
    let bar = bar(attacks.len() as u64);
    let mut rows = Vec::new();
    for attack in attacks {
        bar.set_message(attack.id);
        let found = attack.weakest(chosen.rules, usize::from(options.threads));
        rows.push(Under {
            id: attack.id,
            goal: attack.goal(),
            rules: &chosen.name,
            found: found.is_some(),
            steps: found.as_ref().map(|(_, _, run, _)| run.steps.len()),
            minimum_power: found.as_ref().map(|(power, ..)| power.name()),
        });
        bar.inc(1);
    }
    bar.finish_and_clear();
    let any = rows.iter().any(|row| row.found);
    if options.json {
        print_json(&rows)?;
    } else {
        let line = |row: &Under| match (row.steps, row.minimum_power) {
            (Some(steps), Some(power)) => {
                format!("{:6} {} broken in {steps} steps by {power}", row.id, row.goal)
            }
            _ => format!("{:6} {} holds", row.id, row.goal),
        };
        print(&rows.iter().map(line).collect::<Vec<_>>().join("\n"))?;
    }
    Ok(if any { Found::Something } else { Found::Nothing })
}

fn write_traces(outcome: &Outcome, out: &std::path::Path) -> Result<(), String> {
    let Some(pair) = &outcome.pair else { return Ok(()) };
    std::fs::create_dir_all(out).map_err(|error| format!("{}: {error}", out.display()))?;
    for (side, of) in [("published", &pair.published), ("hardened", &pair.hardened)] {
        let path = out.join(format!("{}-{side}.jsonl", outcome.row.id));
        std::fs::write(&path, of.trace.to_bytes()).map_err(|error| format!("{}: {error}", path.display()))?;
        tell(&format!("bemr replay {}", path.display()));
    }
    Ok(())
}

/// One attack: what happened on each side.
fn one(outcome: &Outcome) -> String {
    let row = &outcome.row;
    let mut out = format!("{} {}: {}", row.id, row.says, line(outcome));
    let Some(pair) = &outcome.pair else { return out };
    let without = row.published.without.join(", ");
    let (left, right) = (text(&pair.published.trace), text(&pair.hardened.trace));
    let stopped = row.hardened.refused_by.unwrap_or("-");
    let _ = write!(out, "\n\n== published: without {without}; {} is broken\n{left}", row.goal);
    let _ = write!(out, "\n== hardened: stopped by {stopped}\n{}", right.trim_end());
    out
}

fn line(outcome: &Outcome) -> String {
    let Row { goal, published, hardened, note, .. } = &outcome.row;
    let note = note.as_ref().map_or(String::new(), |note| format!(" ({note})"));
    if !published.found {
        return format!("{goal}: {}{note}", if outcome.shown { "not shown here" } else { "NOT FOUND" });
    }
    let gained = published.gained.as_deref().unwrap_or("");
    let power = published.minimum_power.map_or(String::new(), |power| format!(" by {power}"));
    let whole = if published.in_the_whole == Some(false) { ", not in the whole" } else { "" };
    let steps = published.steps.unwrap_or(0);
    let stopped = hardened.refused_by.unwrap_or("-");
    format!("{goal} broken in {steps} steps{power}{whole}; stopped by {stopped}. {gained}{note}")
}

fn table(outcomes: &[Outcome]) -> String {
    let lines = outcomes
        .iter()
        .map(|outcome| format!("{:6} {:50} {}", outcome.row.id, outcome.row.says, line(outcome)));
    lines.collect::<Vec<_>>().join("\n")
}
