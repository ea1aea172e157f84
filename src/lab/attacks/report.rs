//! What came of each attack, for people and for programs.

use crate::attacks::{Attack, How, Pair, carry_out, evidence_of};
use bemr_spec::Clause;
use serde::Serialize;
use std::fmt::Write;

/// The table of all attacks, from the root of the project.
pub const TABLE: &str = "spec/generated/attacks.md";

/// A row of the table.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Of chapter 18.
    pub id: &'static str,
    /// What it is.
    pub says: &'static str,
    /// The security property that it breaks.
    #[serde(rename = "property")]
    pub goal: &'static str,
    /// On the protocol as the paper has it.
    pub published: Published,
    /// With every clause in force.
    pub hardened: Hardened,
    /// Why it was not carried out, or not with real bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// How an attack goes on the protocol as the paper has it.
#[derive(Clone, Debug, Serialize)]
pub struct Published {
    /// Whether it works on the protocol as the paper has it.
    pub found: bool,
    /// How many steps it takes.
    pub steps: Option<usize>,
    /// The weakest adversary that does it; nothing where it is carried out on bytes.
    pub minimum_capability: Option<&'static str>,
    /// The clauses that the paper does not have, without which it works.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<&'static str>,
    /// Whether the implementation went through it with real bytes.
    pub implementation: bool,
    /// How many steps it takes the same adversary under `Rules::published()`, where all clauses are missing that answer any attack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_the_whole: Option<usize>,
    /// What the adversary has at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gained: Option<String>,
    /// How many states were visited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub states: Option<usize>,
}

/// How it goes with every clause in force.
#[derive(Clone, Debug, Serialize)]
pub struct Hardened {
    /// The clause that stops it.
    pub refused_by: Option<&'static str>,
}

/// What came of one attack.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What is told of it.
    pub row: Row,
    /// What was found, of a row that is searched.
    pub pair: Option<Pair>,
}

/// Carries out one attack, and says what came of it.
pub fn outcome(attack: &'static Attack) -> Outcome {
    let goal = attack.goal();
    let nothing = Published {
        found: false,
        steps: None,
        minimum_capability: None,
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
        How::Computed { .. } => match evidence_of(attack) {
            Some(Ok(evidence)) => {
                let published = Published {
                    found: true,
                    steps: Some(evidence.steps),
                    implementation: true,
                    gained: Some(evidence.published),
                    ..nothing
                };
                Outcome { row: row(published, Some(evidence.refused_by), None), pair: None }
            }
            failed => {
                let why = failed.and_then(Result::err);
                Outcome { row: row(nothing, None, why), pair: None }
            }
        },
        How::Searched { without, .. } => match carry_out(attack) {
            Ok(pair) => {
                let published = Published {
                    found: true,
                    steps: Some(pair.published.trace.steps.len()),
                    minimum_capability: Some(pair.power.name()),
                    without: without.iter().map(|clause| clause.id()).collect(),
                    implementation: pair.published.both.is_ok(),
                    in_the_whole: pair.in_the_whole,
                    gained: None,
                    states: Some(pair.states),
                };
                let note = pair.published.both.as_ref().err().map(|why| format!("the model alone: {why}"));
                let stopped = pair.refused_by.or(without.first().copied());
                Outcome { row: row(published, stopped, note), pair: Some(pair) }
            }
            Err(why) => Outcome { row: row(nothing, None, Some(why)), pair: None },
        },
    }
}

impl Outcome {
    /// It in one line, for a terminal.
    pub fn line(&self) -> String {
        let Row { goal, published, hardened, note, .. } = &self.row;
        let note = note.as_ref().map_or(String::new(), |note| format!(" ({note})"));
        if !published.found {
            return format!("{goal}: NOT FOUND{note}");
        }
        let gained = published.gained.as_deref().unwrap_or("");
        let power = published.minimum_capability.map_or(String::new(), |power| format!(" by {power}"));
        let whole = match (published.minimum_capability, published.in_the_whole) {
            (Some(_), None) => ", not found under the published rules as a whole",
            _ => "",
        };
        let steps = published.steps.unwrap_or(0);
        let stopped = hardened.refused_by.unwrap_or("-");
        format!("{goal} broken in {steps} steps{power}{whole}; stopped by {stopped}. {gained}{note}")
    }
}

/// The table of the specification.
pub fn markdown(outcomes: &[Outcome]) -> String {
    let mut out =
        "# Attacks, carried out\n\n<!-- Written by `cargo run --release -- attack --write`. -->\n\n\
         [Chapter 18](../chapters/18-attacks.md#attack-pairs) explains the columns.\n\n\
         | no. | attack | property | without | minimum capability | steps | published rules | bytes | stopped by |\n\
         |---|---|---|---|---|---|---|---|---|\n"
            .to_owned();
    for Outcome { row, .. } in outcomes {
        let Row { id, says, goal, published, hardened, note } = row;
        let number = |steps: Option<usize>| steps.map_or("-".to_owned(), |steps| steps.to_string());
        let power = published.minimum_capability.unwrap_or("-");
        let bytes = if published.implementation { "yes" } else { "no" };
        let without = published.without.join(", ");
        let stopped = hardened.refused_by.unwrap_or("-");
        let whole = number(published.in_the_whole);
        let says = [Some(*says), published.gained.as_deref(), note.as_deref()];
        let says = says.into_iter().flatten().collect::<Vec<_>>().join(": ").replace('|', "\\|");
        writeln!(
            out,
            "| {id} | {says} | {goal} | {without} | {power} | {} | {whole} | {bytes} | {stopped} |",
            number(published.steps)
        )
        .expect("a string grows");
    }
    out
}
