//! What a checker is, and the list of them.

use crate::mutation::{Corpus, attack, fuzz, goals, lockstep, traces, unit};
use crate::trace::Trace;
use bemr_spec::{Clause, Rules};
use serde::{Deserialize, Serialize};

/// A protocol that lacks one clause; or none, as a control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mutant(pub Option<Clause>);

impl Mutant {
    /// Its rules.
    pub fn rules(self) -> Rules {
        self.0.map_or(Rules::hardened(), |clause| Rules::hardened().without(clause))
    }
}

/// A kind of checker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Exhaustive search of the mutated model.
    Search,
    /// Random lives of the mutated model, in which the goals are looked at.
    Runs,
    /// Random lives of the mutated implementation beside the model.
    Lockstep,
    /// Traces that are kept, run again by the mutated implementation.
    Traces,
    /// Inputs that break one clause, at the implementation's door.
    Unit,
    /// Adversaries of the attack pairs, against the mutated model.
    Attack,
    /// Lives that the fuzzers kept, of the mutated implementation beside the model.
    Fuzz,
}

/// What checkers have in common that could make all of them blind to one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// They judge by the goals.
    Goals,
    /// They judge by what the model does.
    Lockstep,
    /// They judge by what is expected of one input.
    Unit,
}

impl Kind {
    /// All kinds, in the order of the columns.
    pub const ALL: [Kind; 7] =
        [Kind::Search, Kind::Runs, Kind::Lockstep, Kind::Traces, Kind::Unit, Kind::Attack, Kind::Fuzz];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Search => "search",
            Kind::Runs => "runs",
            Kind::Lockstep => "lockstep",
            Kind::Traces => "traces",
            Kind::Unit => "unit",
            Kind::Attack => "attack",
            Kind::Fuzz => "fuzz",
        }
    }

    /// What it goes by.
    pub const fn family(self) -> Family {
        match self {
            Kind::Search | Kind::Runs | Kind::Attack => Family::Goals,
            Kind::Lockstep | Kind::Traces | Kind::Fuzz => Family::Lockstep,
            Kind::Unit => Family::Unit,
        }
    }

    /// What it counts as a case.
    pub const fn cases(self) -> &'static str {
        match self {
            Kind::Search => "states",
            Kind::Runs | Kind::Lockstep => "runs",
            Kind::Traces => "traces",
            Kind::Unit => "inputs",
            Kind::Attack => "adversaries",
            Kind::Fuzz => "runs",
        }
    }
}

/// What a checker says of a mutant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Finding {
    /// Something is wrong with it.
    Noticed(Notice),
    /// It is as it should be, for all that was tried.
    Missed {
        /// How many cases were tried.
        cases: u64,
    },
}

/// What was noticed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The number of the case in which it shows, from 1.
    pub cases: u64,
    /// How many steps show it.
    pub steps: usize,
    /// What is wrong.
    pub what: String,
    /// The security property that is broken, where it is one.
    #[serde(rename = "property", default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<String>,
    /// What shows it, to be kept.
    #[serde(skip)]
    pub trace: Option<Box<Trace>>,
}

impl Finding {
    /// What was noticed, if anything was.
    pub const fn notice(&self) -> Option<&Notice> {
        match self {
            Finding::Noticed(notice) => Some(notice),
            Finding::Missed { .. } => None,
        }
    }
}

/// Something that is shown mutants.
#[derive(Clone, Copy)]
pub struct Checker {
    /// Its kind; there is one of each.
    pub kind: Kind,
    /// Whether it takes seconds for all mutants together.
    pub quick: bool,
    /// Looks at a mutant.
    pub look: fn(Mutant, &Corpus) -> Finding,
}

/// Every checker, in the order in which they look: what one finds is on the shelf for those after it.
pub const CHECKERS: &[Checker] = &[
    Checker { kind: Kind::Search, quick: false, look: goals::search },
    Checker { kind: Kind::Runs, quick: false, look: goals::lives },
    Checker { kind: Kind::Lockstep, quick: false, look: lockstep::look },
    Checker { kind: Kind::Traces, quick: true, look: traces::look },
    Checker { kind: Kind::Unit, quick: true, look: unit::look },
    Checker { kind: Kind::Attack, quick: false, look: attack::look },
    Checker { kind: Kind::Fuzz, quick: false, look: fuzz::look },
];
