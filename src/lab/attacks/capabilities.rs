//! For each clause, which goals break without it, and how weak an adversary can be who breaks them.

use crate::attacks::limited;
use crate::attacks::scenarios::SCENES;
use crate::explore::{SearchConfig, TERMINATION, search, search_within};
use crate::faults::Capability;
use bemr_model::GOALS;
use bemr_spec::{Clause, Rules};
use serde::Serialize;
use std::fmt::Write;

/// The table of all, from the root of the project.
pub const WEAKNESSES: &str = "spec/generated/capabilities.md";

/// How many states of a scene are looked at.
const STATES: usize = 150_000;

/// Without the clause, this adversary breaks the goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Weakness {
    /// The security property.
    #[serde(rename = "property")]
    pub goal: &'static str,
    /// The clause that is missing.
    pub clause: Clause,
    /// The minimum capability of the adversary.
    #[serde(rename = "capability")]
    pub power: Capability,
    /// The configuration in which it does so.
    #[serde(rename = "configuration")]
    pub scene: &'static str,
    /// In how many steps.
    pub steps: usize,
}

/// What breaks without a clause, in any scene: of each goal the weakest adversary, and its shortest run.
pub fn weaknesses(clause: Clause) -> Vec<Weakness> {
    let mut found: Vec<Weakness> = Vec::new();
    for scene in SCENES {
        let rules = Rules::hardened().without(clause);
        let report = search(scene.under(rules), 2, |progress| progress.states < STATES);
        for goal in report.goals.iter().filter(|goal| goal.broken.is_some()) {
            found.extend(weakest(scene, goal.name, clause));
        }
    }
    found.sort_unstable();
    found.dedup_by_key(|one| one.goal);
    found
}

/// The weakest adversary of a scene who breaks the goal without the clause.
fn weakest(scene: &SearchConfig, goal: &'static str, clause: Clause) -> Option<Weakness> {
    let rules = Rules::hardened().without(clause);
    Capability::ALL.into_iter().find_map(|power| {
        let limited = limited(power, scene)?;
        let (run, _) = search_within(limited.under(rules), goal, 1, STATES);
        Some(Weakness { goal, clause, power, scene: scene.name, steps: run?.steps.len() })
    })
}

impl Weakness {
    /// A row of the table; nothing for any other line.
    pub fn read(line: &str) -> Option<Weakness> {
        let cells: Vec<&str> = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect();
        let [goal, clause, power, steps, scene] = cells[..] else { return None };
        Some(Weakness {
            goal: GOALS.iter().map(|one| one.name).chain([TERMINATION]).find(|name| *name == goal)?,
            clause: Clause::find(clause.split_once(' ')?.0)?,
            power: Capability::ALL.into_iter().find(|one| one.name() == power)?,
            scene: SCENES.iter().map(|one| one.name).find(|name| *name == scene)?,
            steps: steps.parse().ok()?,
        })
    }

    /// How many steps it takes its adversary to break its goal in its scene under these rules; nothing where it does not.
    pub fn run(&self, rules: Rules) -> Option<usize> {
        let scene = SCENES.iter().find(|scene| scene.name == self.scene)?;
        // A power that has nothing new in the scene is never in the table.
        let limited = limited(self.power, scene)?;
        let (run, _) = search_within(limited.under(rules), self.goal, 1, STATES);
        Some(run?.steps.len())
    }

    /// Whether it is found again, where and as it says.
    pub fn stands(&self) -> bool {
        let Some(scene) = SCENES.iter().find(|scene| scene.name == self.scene) else { return false };
        weakest(scene, self.goal, self.clause) == Some(*self)
    }
}

/// The table of the specification: a row for each clause, goal by goal.
pub fn weaknesses_as_markdown(all: &[Weakness]) -> String {
    let mut out = "# Minimum capability\n\n<!-- Written by `cargo run --release -- attack --capabilities --write`. -->\n\n\
         For each security property and each clause without which it breaks: the minimum capability of an adversary that breaks it, in\n\
         the order of [chapter 18](../chapters/18-attacks.md#attack-pairs), the number of steps, and the configuration of the attack pairs.\n\
         A clause that is not listed breaks no property in them by its absence alone.\n\n\
         | property | without | minimum capability | steps | configuration |\n|---|---|---|---|---|\n"
        .to_owned();
    let mut sorted: Vec<&Weakness> = all.iter().collect();
    sorted.sort_unstable_by_key(|one| (one.goal, one.clause.id()));
    for Weakness { goal, clause, power, scene, steps } in sorted {
        writeln!(out, "| {goal} | {clause} | {} | {steps} | {scene} |", power.name())
            .expect("a string grows");
    }
    out
}
