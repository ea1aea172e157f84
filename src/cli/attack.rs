//! `bemr attack`: executes every attack of chapter 18 on the protocol as published, and names the clause that stops it.

use crate::report_parts;
use crate::{ExitStatus, bar, files, note, print, print_json, write_file, write_into};
use bemr_lab::attacks::threshold::{self, Cell, Coalition, SIZES, THRESHOLDS, Verdict};
use bemr_lab::attacks::{
    Attack, CATALOGUE, How, Outcome, TABLE, WEAKNESSES, markdown, outcome, weaknesses, weaknesses_as_markdown,
};
use bemr_lab::html::{Entry, paragraph, table as table_of};
use bemr_lab::sequence::{Section, page_of_runs, text};
use bemr_spec::{Clause, Rules};
use indicatif::ProgressBar;
use serde::Serialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Options of `bemr attack`.
#[derive(clap::Args)]
pub(super) struct Options {
    /// One attack, such as C-08; without it, all of them in a table.
    #[arg(value_parser = attack_of)]
    id: Option<&'static Attack>,
    /// Searches only under these rules: published, hardened or without:CLAUSE. By default each attack is searched without the
    /// clauses that stop it, and replayed with every clause.
    #[arg(long, value_parser = rules_of)]
    rules: Option<NamedRules>,
    /// The folder for the two traces of each attack.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// For each clause, the properties that break without it and the minimum capability of an adversary that breaks them:
    /// minutes.
    #[arg(long, alias = "powers", conflicts_with_all = ["id", "rules", "out"])]
    capabilities: bool,
    /// The resilience thresholds: for each property and each number of Byzantine validators among 4, 7 and 10, whether it
    /// holds or how it breaks: minutes. --out writes the runs that break one as traces.
    #[arg(long, alias = "cliff", conflicts_with_all = ["id", "rules", "capabilities", "report"])]
    thresholds: bool,
    /// With --thresholds: only this number of validators.
    #[arg(long, requires = "thresholds", conflicts_with = "write", value_parser = clap::value_parser!(u8).range(1..=10))]
    validators: Option<u8>,
    /// Writes the table of all attacks into the specification, from the root of the source tree.
    #[arg(long, conflicts_with_all = ["id", "rules"])]
    write: bool,
    /// Writes a page with the two sequence diagrams of each attack side by side.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["rules", "capabilities"])]
    report: Option<PathBuf>,
    /// Prints one JSON document.
    #[arg(long)]
    json: bool,
}

/// A set of rules and its name.
#[derive(Clone, Debug)]
struct NamedRules {
    name: String,
    rules: Rules,
}

fn attack_of(text: &str) -> Result<&'static Attack, String> {
    Attack::find(text).ok_or_else(|| "the attacks are C-01 to C-38 and C-14b".to_owned())
}

fn rules_of(text: &str) -> Result<NamedRules, String> {
    let rules = match text {
        "published" => Rules::published(),
        "hardened" => Rules::hardened(),
        other => {
            let clause = other.strip_prefix("without:").and_then(Clause::find);
            Rules::hardened().without(clause.ok_or("published, hardened or without:CLAUSE")?)
        }
    };
    Ok(NamedRules { name: text.to_owned(), rules })
}

pub(super) fn attack(options: &Options) -> Result<ExitStatus, String> {
    if options.capabilities {
        return capabilities(options);
    }
    if options.thresholds {
        return thresholds(options);
    }
    if let Some(chosen) = &options.rules {
        return under(options, chosen);
    }
    let attacks: Vec<&'static Attack> =
        options.id.map_or_else(|| CATALOGUE.iter().collect(), |one| vec![one]);
    // What cannot be written is said before the work.
    let page_file =
        options.report.as_deref().map(|path| files::reserve(path, files::PAGE, &[])).transpose()?;
    if let Some(out) = &options.out {
        files::create_folder(out)?;
    }
    let bar = progress(attacks.len());
    let mut outcomes = Vec::new();
    for attack in attacks {
        bar.set_message(attack.id);
        outcomes.push(outcome(attack));
        bar.inc(1);
    }
    bar.finish_and_clear();
    let failed = outcomes.iter().any(|outcome| !outcome.row.published.found);
    if options.json {
        print_json(&outcomes.iter().map(|outcome| &outcome.row).collect::<Vec<_>>())?;
    } else if let (Some(_), [only]) = (options.id, &outcomes[..]) {
        print(&one(only))?;
    } else {
        print(&table(&outcomes))?;
    }
    if let Some(out) = &options.out {
        for outcome in &outcomes {
            write_traces(outcome, out)?;
        }
    }
    if let (Some(path), Some(file)) = (&options.report, page_file) {
        file.write(page(&outcomes))?;
        note(&path.display().to_string());
    }
    if options.write {
        write_file(Path::new(TABLE), markdown(&outcomes))?;
        note(TABLE);
    }
    Ok(ExitStatus::of(!failed))
}

fn progress(length: usize) -> ProgressBar {
    bar(Some(length as u64), "{bar:30} {pos}/{len} {msg}, {elapsed}, {eta} left")
}

/// Whether an adversary breaks the property of each attack under the given rules.
fn under(options: &Options, chosen: &NamedRules) -> Result<ExitStatus, String> {
    #[derive(Serialize)]
    struct Under<'a> {
        id: &'static str,
        property: &'static str,
        rules: &'a str,
        found: bool,
        steps: Option<usize>,
        minimum_capability: Option<&'static str>,
    }
    let attacks = CATALOGUE.iter().filter(|one| options.id.is_none_or(|id| id.id == one.id));
    let attacks: Vec<_> = attacks.filter(|one| matches!(one.how, How::Searched { .. })).collect();
    if attacks.is_empty() {
        return Err("this attack is computed, not searched for: --rules does not apply".to_owned());
    }
    let bar = progress(attacks.len());
    let mut rows = Vec::new();
    for attack in attacks {
        bar.set_message(attack.id);
        let found = attack.weakest(chosen.rules);
        rows.push(Under {
            id: attack.id,
            property: attack.goal(),
            rules: &chosen.name,
            found: found.is_some(),
            steps: found.as_ref().map(|(_, _, run, _)| run.steps.len()),
            minimum_capability: found.as_ref().map(|(capability, ..)| capability.name()),
        });
        bar.inc(1);
    }
    bar.finish_and_clear();
    let any = rows.iter().any(|row| row.found);
    if options.json {
        print_json(&rows)?;
    } else {
        let line = |row: &Under| match (row.steps, row.minimum_capability) {
            (Some(steps), Some(capability)) => {
                format!("{:6} {} broken in {steps} steps by {capability}", row.id, row.property)
            }
            _ => format!("{:6} {} holds", row.id, row.property),
        };
        print(&rows.iter().map(line).collect::<Vec<_>>().join("\n"))?;
    }
    Ok(ExitStatus::of(!any))
}

/// The properties that break without each clause, and the minimum capability that this takes.
fn capabilities(options: &Options) -> Result<ExitStatus, String> {
    let bar = progress(Clause::ALL.len());
    let mut all = Vec::new();
    for clause in Clause::ALL {
        bar.set_message(clause.id());
        all.extend(weaknesses(clause));
        bar.inc(1);
    }
    bar.finish_and_clear();
    let table = weaknesses_as_markdown(&all);
    if options.write {
        write_file(Path::new(WEAKNESSES), &table)?;
        note(WEAKNESSES);
    }
    if options.json {
        print_json(&all)?;
    } else {
        print(table.trim_end())?;
    }
    Ok(ExitStatus::Success)
}

/// The number of Byzantine validators from which on each property breaks.
fn thresholds(options: &Options) -> Result<ExitStatus, String> {
    let sizes = options.validators.map_or(SIZES.to_vec(), |validators| vec![validators]);
    if let Some(out) = &options.out {
        files::create_folder(out)?;
    }
    let bar = progress(threshold::cells_of(&sizes).count());
    let mut before = bar.elapsed();
    let searched = threshold::search_cells(&sizes, |config, coalition| {
        bar.inc(1);
        let took = bar.elapsed() - before;
        before = bar.elapsed();
        let Coalition { validators, lying } = coalition;
        bar.suspend(|| {
            let seconds = took.as_secs_f64();
            note(&format!("{}, {lying} of {validators} validators Byzantine: {seconds:.1} s", config.name))
        });
    });
    bar.finish_and_clear();
    let cells: Vec<Cell> = searched.iter().map(|one| one.cell.clone()).collect();
    let table = threshold::markdown(&cells, &sizes);
    if options.json {
        print_json(&cells)?;
    } else {
        print(table.trim_end())?;
    }
    if let Some(out) = &options.out {
        for one in &searched {
            let Some(run) = one.counterexample() else { continue };
            let name = format!("{}.jsonl", one.cell.file_name());
            let path = write_into(out, &name, run.trace.to_bytes())?;
            let both = run.both.map_or_else(|why| format!(" (the model alone: {why})"), |()| String::new());
            note(&format!("bemr replay {}{both}", path.display()));
        }
    }
    if options.write {
        let json = serde_json::to_string_pretty(&cells).map_err(|error| error.to_string())? + "\n";
        for (extension, text) in [("md", &table), ("json", &json)] {
            let path = PathBuf::from(THRESHOLDS).with_extension(extension);
            write_file(&path, text)?;
            note(&path.display().to_string());
        }
    }
    let unknown = cells.iter().any(|cell| matches!(cell.verdict, Verdict::Unfinished { .. }));
    Ok(ExitStatus::of(!unknown))
}

fn write_traces(outcome: &Outcome, out: &Path) -> Result<(), String> {
    let Some(pair) = &outcome.pair else { return Ok(()) };
    for (side, of) in [("published", &pair.published), ("hardened", &pair.hardened)] {
        let path = write_into(out, &format!("{}-{side}.jsonl", outcome.row.id), of.trace.to_bytes())?;
        note(&format!("bemr replay {}", path.display()));
    }
    Ok(())
}

/// The page with the two sequence diagrams of each attack.
fn page(outcomes: &[Outcome]) -> String {
    let mut body = String::new();
    paragraph(
        &mut body,
        "Each attack on the protocol as published, as a search found it, and the same steps with every clause enforced.",
    );
    let rows = outcomes.iter().map(|Outcome { row, .. }| {
        let steps = row.published.steps.map_or(Entry::from("not found").of_class("broken"), Entry::number);
        vec![
            Entry::from(row.id).to(row.id),
            Entry::from(row.says).of_class("prose"),
            Entry::from(row.goal).of_class("word"),
            row.published.minimum_capability.unwrap_or("–").into(),
            steps,
            row.hardened.refused_by.unwrap_or("–").into(),
        ]
    });
    let heads = ["no.", "attack", "property", "minimum capability", "steps", "stopped by"];
    table_of(&mut body, "All attacks", &heads, rows.collect());
    report_parts::thresholds(&mut body);
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
        let hardened = format!("{}: every clause enforced, stopped by {stopped}", row.id);
        [(published, &pair.published.trace), (hardened, &pair.hardened.trace)]
    });
    let sides = sides.collect();
    Section { id: row.id, heading: format!("{} {}", row.id, row.says), says: vec![outcome.line()], sides }
}

/// One attack: its run without and with the clauses that stop it.
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
