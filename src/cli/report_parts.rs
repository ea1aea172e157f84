//! What more than one page shows: the published tables of cliffs and of the kill matrix.

use bemr_lab::attacks::threshold::{self, Bench, Cell, SIZES, Verdict};
use bemr_lab::html::{Entry, paragraph, put, table};
use bemr_lab::mutation::{Entry as Killed, Published};

/// The tables of cliffs, as they are published.
pub(super) fn cliffs(out: &mut String) {
    let cells = threshold::published();
    put(out, format_args!("<h2 id=\"cliffs\">From how many liars on a goal breaks</h2>"));
    paragraph(
        out,
        "For each goal that speaks of validators and each number f of them who lie, together and as they like: whether a search of the model finds it \
         to hold, and after how many states, or in how many steps the shortest run that it finds breaks it. As published in the specification; bemr attack \
         --cliff searches again, and writes the runs.",
    );
    for validators in SIZES {
        let heads: Vec<String> = ["goal", "bench"]
            .map(str::to_owned)
            .into_iter()
            .chain((0..=validators).map(|lying| format!("f = {lying}")))
            .collect();
        let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
        let rows =
            threshold::BENCHES.iter().flat_map(|bench| bench.goals.iter().map(move |goal| (bench, *goal)));
        let rows = rows.map(|(bench, goal)| row(&cells, bench, goal, validators)).collect();
        table(out, &format!("{validators} validators"), &heads, rows);
    }
    put(out, format_args!("<h3>What is searched</h3>\n<dl>"));
    for Bench { name, says, .. } in threshold::BENCHES {
        put(out, format_args!("<dt>{name}</dt><dd>{}</dd>", says.replace('*', "")));
    }
    put(out, format_args!("</dl>"));
}

fn row(cells: &[Cell], bench: &Bench, goal: &str, validators: u8) -> Vec<Entry> {
    let cell = |lying| {
        let found = cells.iter().find(|cell| cell.is_of(bench, goal, validators, lying));
        found.map_or(Entry::from("–"), |cell| match &cell.verdict {
            Verdict::Holds { states } => Entry::from(format!("holds, {states}")).of_class("holds"),
            Verdict::Broken { steps: 0 } => Entry::from("broken at once").of_class("broken"),
            Verdict::Broken { steps } => Entry::from(format!("broken in {steps}")).of_class("broken"),
            Verdict::Unfinished { why } => Entry::from(format!("unknown: {why}")),
        })
    };
    [Entry::from(goal), Entry::from(bench.name)].into_iter().chain((0..=validators).map(cell)).collect()
}

/// The kill matrix, as it is published.
pub(super) fn kill_matrix(out: &mut String) {
    let published = Published::current();
    put(out, format_args!("<h2 id=\"kills\">Who notices that a clause is missing</h2>"));
    paragraph(
        out,
        &format!(
            "{}. A cell says in which case a checker noticed and how many steps show it, or in how many cases it did not. As published in the \
             specification; bemr kill-matrix asks again.",
            published.totals()
        ),
    );
    let kinds = published.kinds();
    let heads: Vec<String> = ["clause", "breaks a goal", "defence in depth, because"]
        .map(str::to_owned)
        .into_iter()
        .chain(kinds.iter().map(|kind| format!("{} ({})", kind.name(), kind.cases())))
        .collect();
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let row = |entry: &Killed| {
        let name = format!("{} {}", entry.clause.id(), entry.name);
        let goal = entry.goal.as_deref().unwrap_or("");
        let goal =
            if entry.killed { Entry::from(goal) } else { Entry::from("nobody notices").of_class("broken") };
        let said = kinds.iter().map(|kind| Entry::from(entry.said(*kind)).of_class("number"));
        let reason = Entry::from(entry.reason.as_deref().unwrap_or("")).of_class("prose");
        [Entry::from(name), goal, reason].into_iter().chain(said).collect()
    };
    table(out, "Kill matrix", &heads, published.rows.iter().map(row).collect());
}
