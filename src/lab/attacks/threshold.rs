//! The resilience thresholds of chapter 15, found by search: from how many Byzantine validators on each security property breaks.
//!
//! A *configuration* is a network of `n` validators of whom `f` are Byzantine, what honest users do, and which properties are checked. Each
//! cell of the table is a search to the end, or to a run that breaks the property. A configuration says itself which orders of events its
//! search omits; nothing here knows a threshold.

use crate::explore::suites::{BROKEN, CHANGED, HEAD, NONE, ONE, QUIET, READ, TO_THE_END, setup};
use crate::explore::{
    Arrival, AuxiliaryProperty, BESIDE, Budget, CERTIFIED, Counterexample, Found, GoalReport, PROGRESS,
    STORED, SearchConfig, TERMINATION, search,
};
use bemr_model::Actor;
use bemr_spec::{Clause, Rules};
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// The tables, from the root of the project; with another end for people and for programs.
pub const THRESHOLDS: &str = "spec/generated/thresholds";

/// How many validators there are, in the tables.
pub const SIZES: [u8; 3] = [4, 7, 10];

/// How many states of a part are looked at before the cell counts as unfinished.
const STATES: usize = 2_000_000;

/// One thread visits the same states every time.
const ONE_THREAD: usize = 1;

/// The BSD, and validators in the order in which they become Byzantine: the proposers of the first rounds last, so that the others are
/// symmetric.
const fn order(validators: u8) -> [Actor; MOST + 1] {
    let mut order = [Actor::Bsd; MOST + 1];
    let mut place = 0;
    while place < validators {
        order[place as usize + 1] = Actor::Validator(match place {
            0 => 0,
            place if place + 2 < validators => place + 2,
            place => validators - place,
        });
        place += 1;
    }
    order
}

/// The most validators.
const MOST: usize = 10;

/// By the number of validators.
static ORDERS: [[Actor; MOST + 1]; MOST + 1] = {
    let mut orders = [[Actor::Bsd; MOST + 1]; MOST + 1];
    let mut validators = 0;
    while validators <= MOST {
        orders[validators] = order(validators as u8);
        validators += 1;
    }
    orders
};

/// So many Byzantine validators of so many, who collude.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Coalition {
    /// Validators.
    pub validators: u8,
    /// Of whom lie.
    pub lying: u8,
}

impl Coalition {
    fn order(self) -> &'static [Actor] {
        &ORDERS[usize::from(self.validators).min(MOST)]
    }

    fn liars(self) -> &'static [Actor] {
        &self.order()[1..=usize::from(self.lying)]
    }

    fn liars_and_bsd(self) -> &'static [Actor] {
        &self.order()[..=usize::from(self.lying)]
    }
}

/// A network with Byzantine validators, and what is searched there.
#[derive(Clone, Copy, Debug)]
pub struct ThresholdConfig {
    /// Its name.
    pub name: &'static str,
    /// Who else lies, what happens, and what is left out.
    pub says: &'static str,
    /// What is looked at.
    pub goals: &'static [&'static str],
    made: fn(Coalition) -> Vec<SearchConfig>,
    /// The checks that a lying BSD does not make.
    without: &'static [Clause],
}

/// Every configuration.
pub const CONFIGURATIONS: &[ThresholdConfig] = &[
    ThresholdConfig {
        name: "votes",
        says: "BSD and cloud are honest. A record that breaks a rule is submitted; a sound one is submitted and read by two users of whom one may; a \
               sound one is submitted after a change of policy. Each liar answers T_block truly or otherwise, and signs every block that is proposed. \
               Nothing is lost or repeated. What is public, votes and signatures arrive at once; T_blocks, proposals, blocks and what BSD, cloud and users \
               say to one another in every order. Users go on when nothing is on its way. The first 350 ms, in which one block is closed; with the change of policy, 100 ms.",
        goals: VOTES,
        made: votes,
        without: &[],
    },
    ThresholdConfig {
        name: "blocks",
        says: "A head is to be anchored. Two turns to propose come, the second possibly before everybody heard the first. Liars sign every block that is \
               proposed. Signatures, and what was signed before and is shown, arrive at once, proposals in every order, and at those who have no turn at one after the other; nobody hears in time of the block that another closed, by which it could be \
               warned. 2 300 ms.",
        goals: &["G-IMM"],
        made: blocks,
        without: &[],
    },
    ThresholdConfig {
        name: "questions",
        says: "The BSD lies: about one record it asks whom it likes by another T_block. Broken is where the honest votes that were given and the \
               signatures of all liars are enough for certificates on both.",
        goals: &[CERTIFIED],
        made: questions,
        without: &[],
    },
    ThresholdConfig {
        name: "blind BSD",
        says: "The BSD lies: it passes on what breaks a rule as soon as validators certify it (it lacks ACK-05). Broken is where the cloud stores it. \
               Otherwise as *votes*, of a record that breaks a rule.",
        goals: &[STORED],
        made: blind,
        without: &[Clause::AcceptNeedsReverification],
    },
    ThresholdConfig {
        name: "to the end",
        says: "BSD and cloud are honest and a sound record is submitted. Once all liars are silent; once each votes truly or otherwise. Everything arrives, \
               in one order, for ten minutes: three times as long as a user waits.",
        goals: &[TERMINATION, PROGRESS],
        made: to_the_end,
        without: &[],
    },
];

const VOTES: &[&str] = &[
    "G-SEC", "G-ORI", "G-AGR", "G-SDN", "G-CIV", "G-POL", "G-PRV", "G-ORD", "G-KEY", "G-AUD", "G-DEL",
    "G-ACC",
];

fn votes(coalition: Coalition) -> Vec<SearchConfig> {
    let part = SearchConfig {
        name: "votes",
        setup: setup(1, coalition.validators),
        script: BROKEN,
        insiders: coalition.liars(),
        budget: Budget { byzantine: coalition.lying, ..NONE },
        arrival: Arrival::Prompt,
        until: 350,
        goals: VOTES,
        ..QUIET
    };
    let silent = &[Actor::Cloud, Actor::User(1), Actor::User(2), Actor::User(3), Actor::User(4)];
    vec![
        part,
        SearchConfig {
            name: "votes and a read",
            setup: setup(2, coalition.validators),
            script: READ,
            ..part
        },
        SearchConfig {
            name: "votes after a change",
            setup: setup(5, coalition.validators),
            script: CHANGED,
            silent,
            until: 100,
            ..part
        },
    ]
}

fn blocks(coalition: Coalition) -> Vec<SearchConfig> {
    vec![SearchConfig {
        name: "blocks",
        setup: setup(1, coalition.validators),
        script: HEAD,
        insiders: coalition.liars(),
        budget: Budget { byzantine: 2 * coalition.lying, early: 1, ..NONE },
        arrival: Arrival::Prompt,
        silent: &[Actor::Bsd, Actor::Cloud, Actor::User(0)],
        until: 2_300,
        goals: &["G-IMM"],
        ..QUIET
    }]
}

fn questions(coalition: Coalition) -> Vec<SearchConfig> {
    vec![SearchConfig {
        name: "questions",
        setup: setup(1, coalition.validators),
        script: ONE,
        insiders: coalition.liars_and_bsd(),
        budget: Budget { byzantine: coalition.validators, ..NONE },
        arrival: Arrival::Prompt,
        silent: &[Actor::Cloud],
        until: 100,
        goals: &[CERTIFIED],
        ..QUIET
    }]
}

fn blind(coalition: Coalition) -> Vec<SearchConfig> {
    vec![SearchConfig {
        name: "blind BSD",
        setup: setup(1, coalition.validators),
        script: BROKEN,
        insiders: coalition.liars(),
        budget: Budget { byzantine: coalition.lying, ..NONE },
        arrival: Arrival::Prompt,
        until: 350,
        goals: &[STORED],
        ..QUIET
    }]
}

fn to_the_end(coalition: Coalition) -> Vec<SearchConfig> {
    let part = SearchConfig {
        name: "silent to the end",
        setup: setup(1, coalition.validators),
        script: ONE,
        silent: coalition.liars(),
        arrival: Arrival::InOrder,
        until: TO_THE_END,
        goals: &[TERMINATION, PROGRESS],
        ..QUIET
    };
    let budget = Budget { byzantine: coalition.lying, ..NONE };
    vec![
        part,
        SearchConfig {
            name: "contrary to the end",
            silent: &[],
            insiders: coalition.liars(),
            budget,
            ..part
        },
    ]
}

/// What a search says of a goal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// So many states were visited, all that there are, and what the goal speaks of happens in one.
    Holds {
        /// How many.
        states: usize,
    },
    /// A run of so many steps breaks it.
    Broken {
        /// How many; none where it is so from the beginning.
        steps: usize,
    },
    /// Nothing is known.
    Unfinished {
        /// Why.
        why: String,
    },
}

/// One goal among so many liars.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// The configuration.
    #[serde(rename = "configuration")]
    pub config: String,
    /// The security property.
    #[serde(rename = "property")]
    pub goal: String,
    /// Validators.
    pub validators: u8,
    /// Of whom lie.
    pub lying: u8,
    /// What was found.
    pub verdict: Verdict,
}

/// A cell, and the run that breaks the goal.
#[derive(Clone, Debug)]
pub struct SearchedCell {
    /// The cell.
    pub cell: Cell,
    /// The part and the run, where there is one.
    pub run: Option<(SearchConfig, Found)>,
}

impl Cell {
    /// Whether it is this one.
    pub fn is_of(&self, config: &ThresholdConfig, goal: &str, validators: u8, lying: u8) -> bool {
        (self.config.as_str(), self.goal.as_str(), self.validators, self.lying)
            == (config.name, goal, validators, lying)
    }

    /// What a file about it is called.
    pub fn file_name(&self) -> String {
        let goal = self.goal.replace([' ', ','], "-").replace("--", "-");
        format!("threshold-{goal}-{}-of-{}", self.lying, self.validators)
    }
}

impl SearchedCell {
    /// The run as a trace, and whether the implementation goes through it too; nothing where nothing is broken.
    pub fn counterexample(&self) -> Option<Counterexample> {
        let (part, run) = self.run.as_ref()?;
        let config = CONFIGURATIONS.iter().find(|config| config.name == self.cell.config)?;
        let mut told = run.counterexample(config.rules(), part.setup);
        let Cell { goal, lying, validators, .. } = &self.cell;
        told.trace.header.note =
            Some(format!("{goal} is broken where {lying} of {validators} validators lie"));
        Some(told)
    }
}

impl ThresholdConfig {
    /// The rules under which it is searched.
    pub fn rules(&self) -> Rules {
        super::replay::less(self.without)
    }

    /// What is searched.
    pub fn parts(&self, coalition: Coalition) -> Vec<SearchConfig> {
        (self.made)(coalition)
    }

    /// Searches for a break of every goal of the configuration by this coalition.
    pub fn search(&self, coalition: Coalition) -> Vec<SearchedCell> {
        let reports: Vec<_> = self
            .parts(coalition)
            .into_iter()
            .map(|part| {
                (part, search(part.under(self.rules()), ONE_THREAD, |progress| progress.states < STATES))
            })
            .collect();
        let of = |goal: &'static str| {
            let said = || {
                reports
                    .iter()
                    .flat_map(|(part, report)| report.goals.iter().map(move |one| (part, one)))
                    .filter(|(_, one)| one.name == goal)
            };
            let broken = said().filter_map(|(part, one)| Some((*part, one.broken.clone()?)));
            let run = broken.min_by_key(|(_, run)| run.steps.len());
            let states = reports.iter().map(|(_, report)| report.states).sum();
            let unfinished = reports.iter().find(|(_, report)| !report.complete);
            let beside = !bemr_model::GOALS.iter().any(|one| one.name == goal);
            // Of liars alone there is something to convict.
            let idle = goal == "G-ACC" && coalition.lying == 0;
            let happens = |(_, one): (&SearchConfig, &GoalReport)| one.witness.is_some();
            let verdict = match (&run, unfinished) {
                (Some((_, run)), _) => Verdict::Broken { steps: run.steps.len() },
                (None, Some((part, report))) => {
                    let why = report.flaw.clone().unwrap_or_else(|| format!("more than {STATES} states"));
                    Verdict::Unfinished { why: format!("{}: {why}", part.name) }
                }
                (None, None) if !beside && !idle && !said().any(happens) => {
                    Verdict::Unfinished { why: "what it speaks of never happens".to_owned() }
                }
                (None, None) => Verdict::Holds { states },
            };
            let Coalition { validators, lying } = coalition;
            let cell =
                Cell { config: self.name.to_owned(), goal: goal.to_owned(), validators, lying, verdict };
            SearchedCell { cell, run }
        };
        self.goals.iter().map(|goal| of(goal)).collect()
    }
}

/// All cells for these numbers of validators; `done` is called with each configuration and coalition when its cells are finished.
pub fn search_cells(sizes: &[u8], mut done: impl FnMut(&ThresholdConfig, Coalition)) -> Vec<SearchedCell> {
    let mut all = Vec::new();
    for (config, coalition) in cells_of(sizes) {
        all.extend(config.search(coalition));
        done(config, coalition);
    }
    all
}

/// Everything that is searched for these numbers of validators.
pub fn cells_of(sizes: &[u8]) -> impl Iterator<Item = (&'static ThresholdConfig, Coalition)> {
    sizes.iter().flat_map(|validators| {
        let validators = *validators;
        CONFIGURATIONS.iter().flat_map(move |config| {
            (0..=validators).map(move |lying| (config, Coalition { validators, lying }))
        })
    })
}

/// What is in the specification of this version.
///
/// # Panics
/// Never: a test reads it.
pub fn published() -> Vec<Cell> {
    serde_json::from_str(include_str!("../../../spec/generated/thresholds.json")).expect("a test reads it")
}

/// The table of the specification.
pub fn markdown(cells: &[Cell], sizes: &[u8]) -> String {
    let mut out = "# Resilience thresholds\n\n<!-- Written by `cargo run --release -- attack --thresholds --write`. -->\n\n\
         For each security property that depends on validators and each number f of them that are Byzantine and collude: whether a search of\n\
         the model shows that it holds, and the number of states; or the length of the shortest run that breaks it. No cell is computed from a\n\
         threshold: [chapter 15](../chapters/15-goals-adversary.md#thresholds) states the thresholds, and a test compares. Below the tables\n\
         stands what the search of each configuration covers and what it omits.\n"
        .to_owned();
    for validators in sizes.iter().copied() {
        write!(out, "\n## {validators} validators\n\n| property | configuration |").expect("a string grows");
        (0..=validators).for_each(|lying| write!(out, " f = {lying} |").expect("a string grows"));
        out.push_str("\n|---|---|");
        (0..=validators).for_each(|_| out.push_str("---|"));
        out.push('\n');
        for config in CONFIGURATIONS {
            for goal in config.goals {
                write!(out, "| {goal} | {} |", config.name).expect("a string grows");
                for lying in 0..=validators {
                    let here = cells.iter().find(|cell| cell.is_of(config, goal, validators, lying));
                    let said = here.map_or("-".to_owned(), |cell| cell.verdict.to_string());
                    write!(out, " {said} |").expect("a string grows");
                }
                out.push('\n');
            }
        }
    }
    out.push_str(
        "\n## What is searched\n\n| configuration | what happens, and in which orders |\n|---|---|\n",
    );
    for ThresholdConfig { name, says, .. } in CONFIGURATIONS {
        writeln!(out, "| {name} | {says} |").expect("a string grows");
    }
    out.push_str("\nAuxiliary properties beside a property's name:\n\n");
    for AuxiliaryProperty { name, says, .. } in BESIDE {
        writeln!(out, "- *{name}*: {says}.").expect("a string grows");
    }
    out
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Verdict::Holds { states } => write!(f, "holds, {states} states"),
            Verdict::Broken { steps: 0 } => f.write_str("**broken** from the beginning"),
            Verdict::Broken { steps } => write!(f, "**broken** in {steps} steps"),
            Verdict::Unfinished { why } => write!(f, "unknown: {why}"),
        }
    }
}
