//! Parts of more than one page: the published resilience thresholds and mutation matrix.

use bemr_lab::attacks::threshold::{self, Cell, SIZES, ThresholdConfig, Verdict};
use bemr_lab::html::{Entry, paragraph, put, table};
use bemr_lab::mutation::{Entry as Mutant, Published};

/// The published resilience thresholds.
pub(super) fn thresholds(out: &mut String) {
    let cells = threshold::published();
    put(out, format_args!("<h2 id=\"thresholds\">Resilience thresholds</h2>"));
    paragraph(
        out,
        "For each property that depends on validators and each number f of them that are Byzantine and collude: whether a search of the model \
         shows that it holds, and the number of states, or the length of the shortest run that breaks it. These are the tables of the \
         specification; bemr attack --thresholds repeats the searches and writes the runs.",
    );
    for validators in SIZES {
        let heads: Vec<String> = ["property", "configuration"]
            .map(str::to_owned)
            .into_iter()
            .chain((0..=validators).map(|lying| format!("f = {lying}")))
            .collect();
        let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
        let rows = threshold::CONFIGURATIONS
            .iter()
            .flat_map(|config| config.goals.iter().map(move |goal| (config, *goal)));
        let rows = rows.map(|(config, goal)| row(&cells, config, goal, validators)).collect();
        table(out, &format!("{validators} validators"), &heads, rows);
    }
    put(out, format_args!("<h3>Configurations</h3>\n<dl>"));
    for ThresholdConfig { name, says, .. } in threshold::CONFIGURATIONS {
        put(out, format_args!("<dt>{name}</dt><dd>{}</dd>", says.replace('*', "")));
    }
    put(out, format_args!("</dl>"));
}

fn row(cells: &[Cell], config: &ThresholdConfig, goal: &str, validators: u8) -> Vec<Entry> {
    let cell = |lying| {
        let found = cells.iter().find(|cell| cell.is_of(config, goal, validators, lying));
        found.map_or(Entry::from("–"), |cell| match &cell.verdict {
            Verdict::Holds { states } => Entry::from(format!("holds, {states}")).of_class("holds"),
            Verdict::Broken { steps: 0 } => Entry::from("broken initially").of_class("broken"),
            Verdict::Broken { steps } => Entry::from(format!("broken in {steps}")).of_class("broken"),
            Verdict::Unfinished { why } => Entry::from(format!("unknown: {why}")),
        })
    };
    [Entry::from(goal), Entry::from(config.name)].into_iter().chain((0..=validators).map(cell)).collect()
}

/// The published mutation matrix.
pub(super) fn mutation_matrix(out: &mut String) {
    let published = Published::current();
    put(out, format_args!("<h2 id=\"mutation-matrix\">Mutation matrix</h2>"));
    paragraph(
        out,
        &format!(
            "{}. Each row is the protocol without one clause. A cell gives the case in which a checker detected the mutant and the steps \
             of its run, or the number of cases in which it did not. This is the matrix of the specification; bemr mutation-matrix \
             repeats it.",
            published.totals()
        ),
    );
    let kinds = published.kinds();
    let heads: Vec<String> = ["clause", "breaks", "defence in depth, because"]
        .map(str::to_owned)
        .into_iter()
        .chain(kinds.iter().map(|kind| format!("{} ({})", kind.name(), kind.cases())))
        .collect();
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let row = |entry: &Mutant| {
        let name = format!("{} {}", entry.clause.id(), entry.name);
        let goal = entry.goal.as_deref().unwrap_or("");
        let goal = if entry.killed { Entry::from(goal) } else { Entry::from("survived").of_class("broken") };
        let findings = kinds.iter().map(|kind| Entry::from(entry.said(*kind)).of_class("number"));
        let reason = Entry::from(entry.reason.as_deref().unwrap_or("")).of_class("prose");
        [Entry::from(name), goal, reason].into_iter().chain(findings).collect()
    };
    table(out, "Mutation matrix", &heads, published.rows.iter().map(row).collect());
}
