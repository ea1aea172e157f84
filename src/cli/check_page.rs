//! The page of `bemr check`: security properties, how they were checked, and runs to step through.

use crate::explore::PropertyRow;
use crate::report_parts::{mutation_matrix, thresholds};
use bemr_lab::explore::{SearchConfig, SearchReport, TERMINATION};
use bemr_lab::html::{Entry, escaped, paragraph, put, table};
use bemr_lab::lockstep::CampaignReport;
use bemr_lab::sequence::{Section, page_of_runs};
use bemr_lab::trace::Trace;
use bemr_model::GOALS;
use bemr_spec::Rules;
use std::collections::BTreeMap;

/// The results of a check.
pub(super) struct Checked<'a> {
    /// The suite that was searched.
    pub(super) suite: &'static str,
    /// Its configurations, each with the report of the search and its duration in seconds.
    pub(super) searches: &'a [(SearchConfig, SearchReport, f64)],
    /// Their verdicts together.
    pub(super) properties: &'a [PropertyRow],
    /// The random runs in lockstep.
    pub(super) lockstep: &'a CampaignReport,
    /// The number of regression traces that were replayed, and those that differ.
    pub(super) regressions: (usize, &'a [String]),
    /// The run of a divergence.
    pub(super) divergence: Option<Trace>,
}

/// The run that is shown for a property: a counterexample, or else a witness.
struct Shown {
    /// The anchor on the page.
    id: String,
    property: &'static str,
    description: String,
    broken: bool,
    trace: Trace,
}

/// The page.
pub(super) fn page(checked: &Checked<'_>) -> String {
    // A run without steps cannot be stepped through.
    let shown = checked.properties.iter().filter_map(|row| shown(checked, row.name));
    let shown: Vec<Shown> = shown.filter(|one| !one.trace.steps.is_empty()).collect();
    let mut body = String::new();
    opening(&mut body, checked);
    properties(&mut body, checked, &shown);
    searches(&mut body, checked);
    lockstep(&mut body, checked);
    thresholds(&mut body);
    mutation_matrix(&mut body);
    let diverge = "Model and implementation diverge";
    let divergence = checked.divergence.iter().map(|trace| Section {
        id: "run-divergence",
        heading: diverge.to_owned(),
        says: Vec::new(),
        sides: vec![(diverge.to_owned(), trace)],
    });
    let runs = shown.iter().map(|one| {
        let what = if one.broken { "a counterexample" } else { "a witness" };
        let heading = format!("{}: {what}", one.property);
        Section {
            id: &one.id,
            heading: heading.clone(),
            says: vec![one.description.clone()],
            sides: vec![(heading, &one.trace)],
        }
    });
    let sections: Vec<Section<'_>> = divergence.chain(runs).collect();
    page_of_runs("Results of bemr check", &body, &sections)
}

/// The run of a property, executed on model and implementation, or on the model alone.
fn shown(checked: &Checked<'_>, property: &'static str) -> Option<Shown> {
    let found = |broken: bool| {
        checked.searches.iter().find_map(|(config, report, _)| {
            let one = report.goals.iter().find(|one| one.name == property)?;
            Some((config, if broken { one.broken.as_ref()? } else { one.witness.as_ref()? }))
        })
    };
    let (broken, (config, run)) = match found(true) {
        Some(run) => (true, run),
        None => (false, found(false)?),
    };
    let mut run = run.counterexample(Rules::hardened(), config.setup);
    let description = match run.both {
        Ok(()) => format!("In the configuration {}; executed on model and implementation.", config.name),
        Err(why) => format!("In the configuration {}; executed on the model alone: {why}.", config.name),
    };
    run.trace.header.note = Some(format!("{property}, {}", config.name));
    Some(Shown { id: format!("run-{property}"), property, description, broken, trace: run.trace })
}

fn opening(out: &mut String, checked: &Checked<'_>) {
    paragraph(
        out,
        &format!(
            "A search explored every reachable state of the model in the suite {}, {} random runs were executed on model and \
             implementation in lockstep, and {} regression traces were replayed.",
            checked.suite, checked.lockstep.runs, checked.regressions.0
        ),
    );
    let broken = checked
        .properties
        .iter()
        .filter(|row| row.verdict == "broken")
        .map(|row| format!("{} is broken.", row.name));
    let invalid = checked.searches.iter().filter_map(|(config, report, _)| {
        Some(format!("{}: the search is invalid: {}", config.name, report.flaw.as_ref()?))
    });
    let diverged = checked
        .lockstep
        .failure
        .iter()
        .map(|failure| format!("Model and implementation diverge: {}", failure.short.divergence));
    let differ = checked.regressions.1.iter().map(|name| format!("The regression trace {name} differs."));
    let failures: Vec<String> = broken.chain(invalid).chain(diverged).chain(differ).collect();
    if failures.is_empty() {
        put(
            out,
            format_args!(
                "<p class=\"verdict\">No property is broken, no run diverges, no regression trace differs.</p>"
            ),
        );
        return;
    }
    put(out, format_args!("<div class=\"failure\"><p>Failures:</p><ul>"));
    failures.iter().for_each(|failure| put(out, format_args!("<li>{}</li>", escaped(failure))));
    put(out, format_args!("</ul></div>"));
}

fn properties(out: &mut String, checked: &Checked<'_>, shown: &[Shown]) {
    put(out, format_args!("<h2 id=\"properties\">Security properties</h2>"));
    paragraph(
        out,
        "A property that holds needs a witness, a run in which its premise occurs, or it would hold vacuously. Where a property is broken, the run is a counterexample.",
    );
    let rows = checked.properties.iter().map(|row| {
        let goal = GOALS.iter().find(|goal| goal.name == row.name);
        let statement = goal.map_or("every submission and every request terminates", |goal| goal.says);
        let verdict = match row.verdict {
            "holds" => Entry::from("holds").of_class("holds"),
            "broken" => Entry::from("broken").of_class("broken"),
            other => Entry::from(other),
        };
        let steps = row.witness.as_ref().map_or(0, Vec::len);
        let run = shown
            .iter()
            .find(|one| one.property == row.name)
            .map(|one| Entry::from(format!("{steps} steps")).to(&one.id));
        let none = match &row.witness {
            Some(_) => "the initial state",
            None if row.name == TERMINATION => "not needed",
            None => "none",
        };
        vec![
            row.name.into(),
            Entry::from(statement).of_class("prose"),
            verdict,
            Entry::number(row.states),
            run.unwrap_or_else(|| none.into()).of_class("word"),
        ]
    });
    table(
        out,
        "Security properties of the model",
        &["property", "statement", "verdict", "states", "run"],
        rows.collect(),
    );
}

fn searches(out: &mut String, checked: &Checked<'_>) {
    put(out, format_args!("<h2 id=\"configurations\">Configurations</h2>"));
    let rows = checked.searches.iter().map(|(config, report, _)| {
        vec![
            config.name.into(),
            Entry::number(report.states),
            Entry::number(report.stand_for),
            Entry::number(report.depth),
            if report.complete {
                "exhaustive".into()
            } else {
                Entry::from("stopped early").of_class("broken")
            },
        ]
    });
    table(
        out,
        "Configurations of the suite",
        &["configuration", "states", "states without symmetry reduction", "longest run", "search"],
        rows.collect(),
    );
}

fn lockstep(out: &mut String, checked: &Checked<'_>) {
    let statistics = &checked.lockstep.statistics;
    put(out, format_args!("<h2 id=\"lockstep\">Model and implementation in lockstep</h2>"));
    paragraph(
        out,
        &format!(
            "{} runs, {} steps, {} divergences. {} clauses refused an input, {} decided one.",
            checked.lockstep.runs,
            statistics.steps,
            usize::from(checked.lockstep.failure.is_some()),
            statistics.refused.len(),
            statistics.decided.len(),
        ),
    );
    for (caption, head, counts) in [
        ("Actions", "action", &statistics.actions),
        ("Messages sent", "message", &statistics.sent),
        ("Outcomes of submissions", "outcome", &statistics.ends),
        ("Refusals", "clause", &statistics.refused),
    ] {
        put(out, format_args!("<details><summary>{caption}</summary>"));
        counted(out, caption, head, counts);
        put(out, format_args!("</details>"));
    }
}

fn counted(out: &mut String, caption: &str, head: &str, counts: &BTreeMap<&'static str, u64>) {
    let rows = counts.iter().map(|(name, count)| vec![Entry::from(*name), Entry::number(count)]);
    table(out, caption, &[head, "count"], rows.collect());
}
