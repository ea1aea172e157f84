//! The page of `bemr check`: what holds, how it was looked at, and runs to go through.

use crate::explore::GoalRow;
use crate::report_parts::{cliffs, kill_matrix};
use bemr_lab::explore::{PartReport, SearchConfig, TERMINATION};
use bemr_lab::html::{Entry, escaped, paragraph, put, table};
use bemr_lab::lockstep::CampaignReport;
use bemr_lab::sequence::{Section, page_of_runs};
use bemr_lab::trace::Trace;
use bemr_model::GOALS;
use bemr_spec::Rules;
use std::collections::BTreeMap;

/// What a check found.
pub(super) struct Checked<'a> {
    /// The scope that was searched.
    pub(super) scope: &'static str,
    /// Its parts, each with what was found and the seconds that it took.
    pub(super) parts: &'a [(SearchConfig, PartReport, f64)],
    /// What they say together.
    pub(super) goals: &'a [GoalRow],
    /// The lives in lockstep.
    pub(super) lockstep: &'a CampaignReport,
    /// How many kept traces were run again, and which differ.
    pub(super) kept: (usize, &'a [String]),
    /// The run of a divergence.
    pub(super) divergence: Option<Trace>,
}

/// A run that is shown for a goal: one that breaks it, or else one in which what it speaks of happens.
struct Shown {
    /// On the page.
    id: String,
    goal: &'static str,
    says: String,
    broken: bool,
    trace: Trace,
}

/// The page.
pub(super) fn page(checked: &Checked<'_>) -> String {
    // What happens from the beginning is nothing to go through.
    let shown = checked.goals.iter().filter_map(|row| shown(checked, row.name));
    let shown: Vec<Shown> = shown.filter(|one| !one.trace.steps.is_empty()).collect();
    let mut body = String::new();
    opening(&mut body, checked);
    goals(&mut body, checked, &shown);
    parts(&mut body, checked);
    lockstep(&mut body, checked);
    cliffs(&mut body);
    kill_matrix(&mut body);
    let parts = "Model and implementation part";
    let divergence = checked.divergence.iter().map(|trace| Section {
        id: "run-divergence",
        heading: parts.to_owned(),
        says: Vec::new(),
        sides: vec![(parts.to_owned(), trace)],
    });
    let runs = shown.iter().map(|one| {
        let what = if one.broken { "is broken" } else { "what it speaks of happens" };
        let heading = format!("{}: {what}", one.goal);
        Section {
            id: &one.id,
            heading: heading.clone(),
            says: vec![one.says.clone()],
            sides: vec![(heading, &one.trace)],
        }
    });
    let sections: Vec<Section<'_>> = divergence.chain(runs).collect();
    page_of_runs("What holds", &body, &sections)
}

/// The run of a goal, as both sides go through it, or the model alone.
fn shown(checked: &Checked<'_>, goal: &'static str) -> Option<Shown> {
    let found = |broken: bool| {
        checked.parts.iter().find_map(|(part, report, _)| {
            let one = report.goals.iter().find(|one| one.name == goal)?;
            Some((part, if broken { one.broken.as_ref()? } else { one.witness.as_ref()? }))
        })
    };
    let (broken, (part, run)) = match found(true) {
        Some(run) => (true, run),
        None => (false, found(false)?),
    };
    let mut told = run.tell(Rules::hardened(), part.setup);
    let says = match told.both {
        Ok(()) => format!("In the part {}; model and implementation both go through it.", part.name),
        Err(why) => format!("In the part {}; the model goes through it alone: {why}.", part.name),
    };
    told.trace.header.note = Some(format!("{goal}, {}", part.name));
    Some(Shown { id: format!("run-{goal}"), goal, says, broken, trace: told.trace })
}

fn opening(out: &mut String, checked: &Checked<'_>) {
    paragraph(
        out,
        &format!(
            "Every state of the model within the scope {} was looked at, {} random lives were lived on model and implementation side by side, and {} \
             kept traces were run again.",
            checked.scope, checked.lockstep.lives, checked.kept.0
        ),
    );
    let broken = checked
        .goals
        .iter()
        .filter(|row| row.verdict == "broken")
        .map(|row| format!("{} is broken.", row.name));
    let flawed = checked.parts.iter().filter_map(|(part, report, _)| {
        Some(format!("{}: nothing of this counts: {}", part.name, report.flaw.as_ref()?))
    });
    let parted = checked
        .lockstep
        .failure
        .iter()
        .map(|failure| format!("Model and implementation part: {}", failure.short.divergence));
    let differ = checked.kept.1.iter().map(|name| format!("The kept trace {name} goes otherwise."));
    let failures: Vec<String> = broken.chain(flawed).chain(parted).chain(differ).collect();
    if failures.is_empty() {
        put(
            out,
            format_args!(
                "<p class=\"verdict\">No goal is broken, no life parts, no kept trace goes otherwise.</p>"
            ),
        );
        return;
    }
    put(out, format_args!("<div class=\"failure\"><p>Not as it should be:</p><ul>"));
    failures.iter().for_each(|failure| put(out, format_args!("<li>{}</li>", escaped(failure))));
    put(out, format_args!("</ul></div>"));
}

fn goals(out: &mut String, checked: &Checked<'_>, shown: &[Shown]) {
    put(out, format_args!("<h2 id=\"goals\">Goals</h2>"));
    paragraph(
        out,
        "What a goal speaks of has to happen in some run, or it holds because nothing happens: the witness is such a run, or one that breaks it.",
    );
    let rows = checked.goals.iter().map(|row| {
        let goal = GOALS.iter().find(|goal| goal.name == row.name);
        let says = goal.map_or("whatever was submitted or asked ends", |goal| goal.says);
        let verdict = match row.verdict {
            "holds" => Entry::from("holds").of_class("holds"),
            "broken" => Entry::from("broken").of_class("broken"),
            other => Entry::from(other),
        };
        let steps = row.witness.as_ref().map_or(0, Vec::len);
        let run = shown
            .iter()
            .find(|one| one.goal == row.name)
            .map(|one| Entry::from(format!("{steps} steps")).to(&one.id));
        let none = match &row.witness {
            Some(_) => "from the beginning",
            None if row.name == TERMINATION => "none is needed",
            None => "none",
        };
        vec![
            row.name.into(),
            Entry::from(says).of_class("prose"),
            verdict,
            Entry::number(row.states),
            run.unwrap_or_else(|| none.into()).of_class("word"),
        ]
    });
    table(
        out,
        "Goals of the model",
        &["goal", "what it says", "verdict", "states", "witness"],
        rows.collect(),
    );
}

fn parts(out: &mut String, checked: &Checked<'_>) {
    put(out, format_args!("<h2 id=\"parts\">Where it was searched</h2>"));
    let rows = checked.parts.iter().map(|(part, report, _)| {
        vec![
            part.name.into(),
            Entry::number(report.states),
            Entry::number(report.stand_for),
            Entry::number(report.depth),
            if report.complete {
                "every state".into()
            } else {
                Entry::from("ended before").of_class("broken")
            },
        ]
    });
    table(
        out,
        "Parts of the scope",
        &["part", "states", "for so many when nobody is taken for anybody else", "longest run", "visited"],
        rows.collect(),
    );
}

fn lockstep(out: &mut String, checked: &Checked<'_>) {
    let statistics = &checked.lockstep.statistics;
    put(out, format_args!("<h2 id=\"lockstep\">Model and implementation side by side</h2>"));
    paragraph(
        out,
        &format!(
            "{} lives, {} steps, {} divergences. {} clauses refused something, {} decided something.",
            checked.lockstep.lives,
            statistics.steps,
            usize::from(checked.lockstep.failure.is_some()),
            statistics.refused.len(),
            statistics.decided.len(),
        ),
    );
    for (caption, head, counts) in [
        ("What was done", "action", &statistics.actions),
        ("What was sent", "message", &statistics.sent),
        ("How submissions ended", "end", &statistics.ends),
        ("What refused", "clause", &statistics.refused),
    ] {
        put(out, format_args!("<details><summary>{caption}</summary>"));
        counted(out, caption, head, counts);
        put(out, format_args!("</details>"));
    }
}

fn counted(out: &mut String, caption: &str, head: &str, counts: &BTreeMap<&'static str, u64>) {
    let rows = counts.iter().map(|(name, count)| vec![Entry::from(*name), Entry::number(count)]);
    table(out, caption, &[head, "times"], rows.collect());
}
