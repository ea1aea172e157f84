//! `bemr attack`: every attack of chapter 18 on the protocol as the paper has it, and the clause that stops it.

use crate::report_parts::cliffs;
use crate::{ExitStatus, print, print_json, tell};
use bemr_lab::attacks::threshold::{self, Among, CLIFF, Cell, SIZES, Verdict};
use bemr_lab::attacks::{
    Attack, CATALOGUE, How, Outcome, TABLE, WEAKNESSES, markdown, outcome, weaknesses, weaknesses_as_markdown,
};
use bemr_lab::html::{Entry, paragraph, table as table_of};
use bemr_lab::sequence::{Section, page_of_runs, text};
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
    /// Writes the two traces of each attack into this folder.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// For each clause, which goals break without it and how weak an adversary can be who breaks them: minutes.
    #[arg(long, conflicts_with_all = ["id", "rules", "out"])]
    powers: bool,
    /// For each goal and each number of lying validators among 4, 7 and 10, whether it holds or how it is broken: minutes. With --out
    /// the runs that break one, as traces.
    #[arg(long, conflicts_with_all = ["id", "rules", "powers", "report"])]
    cliff: bool,
    /// With --cliff: among so many validators alone.
    #[arg(long, requires = "cliff", conflicts_with = "write", value_parser = clap::value_parser!(u8).range(1..=10))]
    validators: Option<u8>,
    /// Writes the table of all attacks into the specification, from the root of the source tree.
    #[arg(long, conflicts_with_all = ["id", "rules"])]
    write: bool,
    /// Writes a page that shows each attack as two sequence diagrams side by side.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["rules", "powers"])]
    report: Option<PathBuf>,
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

pub(super) fn attack(options: &Options) -> Result<ExitStatus, String> {
    if options.powers {
        return powers(options);
    }
    if options.cliff {
        return cliff(options);
    }
    if let Some(chosen) = &options.rules {
        return under(options, chosen);
    }
    let attacks: Vec<&'static Attack> =
        options.id.map_or_else(|| CATALOGUE.iter().collect(), |one| vec![one]);
    let bar = bar(attacks.len() as u64);
    let mut outcomes = Vec::new();
    for attack in attacks {
        bar.set_message(attack.id);
        outcomes.push(outcome(attack));
        bar.inc(1);
    }
    bar.finish_and_clear();
    if let Some(out) = &options.out {
        for outcome in &outcomes {
            write_traces(outcome, out)?;
        }
    }
    if let Some(path) = &options.report {
        std::fs::write(path, page(&outcomes)).map_err(|error| format!("{}: {error}", path.display()))?;
        tell(&path.display().to_string());
    }
    if options.write {
        std::fs::write(TABLE, markdown(&outcomes)).map_err(|error| format!("{TABLE}: {error}"))?;
        tell(TABLE);
    }
    let failed = outcomes.iter().any(|outcome| !outcome.row.published.found);
    if options.json {
        print_json(&outcomes.iter().map(|outcome| &outcome.row).collect::<Vec<_>>())?;
    } else if let (Some(_), [only]) = (options.id, &outcomes[..]) {
        print(&one(only))?;
    } else {
        print(&table(&outcomes))?;
    }
    Ok(if failed { ExitStatus::Something } else { ExitStatus::Nothing })
}

fn bar(length: u64) -> ProgressBar {
    let bar = ProgressBar::new(length);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}, {elapsed}, {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Whether an adversary breaks the goal of each row under other rules.
fn under(options: &Options, chosen: &Chosen) -> Result<ExitStatus, String> {
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
        let found = attack.weakest(chosen.rules);
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
    Ok(if any { ExitStatus::Something } else { ExitStatus::Nothing })
}

/// What breaks without each clause, and by whom.
fn powers(options: &Options) -> Result<ExitStatus, String> {
    let bar = bar(Clause::ALL.len() as u64);
    let mut all = Vec::new();
    for clause in Clause::ALL {
        bar.set_message(clause.id());
        all.extend(weaknesses(clause));
        bar.inc(1);
    }
    bar.finish_and_clear();
    let table = weaknesses_as_markdown(&all);
    if options.write {
        std::fs::write(WEAKNESSES, &table).map_err(|error| format!("{WEAKNESSES}: {error}"))?;
        tell(WEAKNESSES);
    }
    if options.json {
        print_json(&all)?;
    } else {
        print(table.trim_end())?;
    }
    Ok(ExitStatus::Nothing)
}

/// From how many liars on which goal breaks.
fn cliff(options: &Options) -> Result<ExitStatus, String> {
    let sizes = options.validators.map_or(SIZES.to_vec(), |validators| vec![validators]);
    let bar = bar(threshold::questions_of(&sizes).count() as u64);
    let mut before = bar.elapsed();
    let looked = threshold::look(&sizes, |bench, among| {
        bar.inc(1);
        let took = bar.elapsed() - before;
        before = bar.elapsed();
        let Among { validators, lying } = among;
        bar.suspend(|| {
            tell(&format!("{}, {lying} of {validators} lie: {:.1} s", bench.name, took.as_secs_f64()))
        });
    });
    bar.finish_and_clear();
    if let Some(out) = &options.out {
        std::fs::create_dir_all(out).map_err(|error| format!("{}: {error}", out.display()))?;
        for one in &looked {
            let Some(told) = one.tell() else { continue };
            let path = out.join(format!("{}.jsonl", one.cell.file_name()));
            std::fs::write(&path, told.trace.to_bytes())
                .map_err(|error| format!("{}: {error}", path.display()))?;
            let both = told.both.map_or_else(|why| format!(" (the model alone: {why})"), |()| String::new());
            tell(&format!("bemr replay {}{both}", path.display()));
        }
    }
    let cells: Vec<Cell> = looked.into_iter().map(|one| one.cell).collect();
    let table = threshold::markdown(&cells, &sizes);
    if options.write {
        let json = serde_json::to_string_pretty(&cells).map_err(|error| error.to_string())? + "\n";
        for (end, text) in [("md", &table), ("json", &json)] {
            let path = PathBuf::from(CLIFF).with_extension(end);
            std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
            tell(&path.display().to_string());
        }
    }
    if options.json {
        print_json(&cells)?;
    } else {
        print(table.trim_end())?;
    }
    let unknown = cells.iter().any(|cell| matches!(cell.verdict, Verdict::Unfinished { .. }));
    Ok(if unknown { ExitStatus::Something } else { ExitStatus::Nothing })
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

/// A page with each attack on both sides.
fn page(outcomes: &[Outcome]) -> String {
    let mut body = String::new();
    paragraph(
        &mut body,
        "Each attack on the protocol as the paper has it, as a search found it, and the same steps with every clause in force.",
    );
    let rows = outcomes.iter().map(|Outcome { row, .. }| {
        let steps = row.published.steps.map_or(Entry::from("not found").of_class("broken"), Entry::number);
        vec![
            Entry::from(row.id).to(row.id),
            Entry::from(row.says).of_class("prose"),
            Entry::from(row.goal).of_class("word"),
            row.published.minimum_power.unwrap_or("–").into(),
            steps,
            row.hardened.refused_by.unwrap_or("–").into(),
        ]
    });
    let heads = ["no.", "attack", "goal", "weakest adversary", "steps", "stopped by"];
    table_of(&mut body, "All attacks", &heads, rows.collect());
    cliffs(&mut body);
    page_of_runs(
        "Attacks on the published protocol",
        &body,
        &outcomes.iter().map(section).collect::<Vec<_>>(),
    )
}

fn section(outcome: &Outcome) -> Section<'_> {
    let row = &outcome.row;
    let without = row.published.without.join(", ");
    let stopped = row.hardened.refused_by.unwrap_or("-");
    let sides = outcome.pair.iter().flat_map(|pair| {
        let published = format!("{}: without {without}, {} is broken", row.id, row.goal);
        let hardened = format!("{}: with every clause in force, stopped by {stopped}", row.id);
        [(published, &pair.published.trace), (hardened, &pair.hardened.trace)]
    });
    let sides = sides.collect();
    Section { id: row.id, heading: format!("{} {}", row.id, row.says), says: vec![outcome.line()], sides }
}

/// One attack: what happened on each side.
fn one(outcome: &Outcome) -> String {
    let row = &outcome.row;
    let mut out = format!("{} {}: {}", row.id, row.says, outcome.line());
    let Some(pair) = &outcome.pair else { return out };
    let without = row.published.without.join(", ");
    let (left, right) = (text(&pair.published.trace), text(&pair.hardened.trace));
    let stopped = row.hardened.refused_by.unwrap_or("-");
    let _ = write!(out, "\n\n== published: without {without}; {} is broken\n{left}", row.goal);
    let _ = write!(out, "\n== hardened: stopped by {stopped}\n{}", right.trim_end());
    out
}

fn table(outcomes: &[Outcome]) -> String {
    let lines = outcomes
        .iter()
        .map(|outcome| format!("{:6} {:50} {}", outcome.row.id, outcome.row.says, outcome.line()));
    lines.collect::<Vec<_>>().join("\n")
}
