//! One searched attack: found on the protocol as published, replayed with real bytes, and stopped.

use crate::attacks::{Attack, How, limited};
use crate::explore::{Found, SearchConfig, search_within};
use crate::faults::Capability;
use crate::lockstep::Lockstep;
use crate::trace::{Header, Step, Trace};
use bemr::crypto::Suite;
use bemr_model::{Action, Execution, GOALS, Happened, Output, System};
use bemr_spec::{Clause, Rules};

/// How many successors are made for one capability of the adversary.
const STATES: usize = 300_000;

/// Each search is short: starting threads would cost more than they save.
const ONE: usize = 1;

/// How the attack ends under one set of rules.
#[derive(Clone, Debug)]
pub struct Side {
    /// What happened, step by step.
    pub trace: Trace,
    /// Whether the implementation executed it too; if not, why.
    pub both: Result<(), String>,
}

/// An attack on the protocol as published, and what stops it.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The minimum capability of an adversary that can execute it.
    pub power: Capability,
    /// How many states were visited until it was found, for all capabilities up to that one.
    pub states: usize,
    /// The attack, in which the goal is broken at the end.
    pub published: Side,
    /// How many steps it takes to break the goal without any of the clauses that answer an attack; nothing where no such run is found.
    pub in_the_whole: Option<usize>,
    /// The same steps with every clause in force, up to the first that diverges.
    pub hardened: Side,
    /// The clause that refused that step; nothing where the honest actors no longer take it.
    pub refused_by: Option<Clause>,
}

/// The rules without these clauses.
pub(super) fn less(without: &[Clause]) -> Rules {
    without.iter().fold(Rules::hardened(), |rules, clause| rules.without(*clause))
}

impl Attack {
    /// The minimum capability with which a search breaks the goal under `rules`, with the run and the number of states visited.
    /// Nothing for an attack that is not searched, or where no run is found.
    pub fn weakest(&'static self, rules: Rules) -> Option<(Capability, SearchConfig, Found, usize)> {
        let How::Searched { part, goal, from, .. } = &self.how else { return None };
        let mut visited = 0;
        for power in Capability::ALL.into_iter().filter(|power| power >= from) {
            let Some(limited) = limited(power, part) else { continue };
            let limited = SearchConfig { goals: std::slice::from_ref(goal), ..limited };
            let (found, states) = search_within(limited.under(rules), goal, ONE, STATES);
            visited += states;
            if let Some(found) = found {
                return Some((power, limited, found, visited));
            }
        }
        None
    }
}

/// Finds the attack and what stops it.
///
/// # Errors
/// No run is found, or no clause stops it.
pub fn carry_out(attack: &'static Attack) -> Result<Pair, String> {
    let How::Searched { without, goal, .. } = attack.how else {
        return Err("not an attack that is searched for".to_owned());
    };
    let rules = less(without);
    let (power, part, found, states) = attack.weakest(rules).ok_or("no run of the scene breaks the goal")?;
    let mut told = found.counterexample(rules, part.setup);
    told.trace.header.note = Some(format!("{}: {}; breaks {goal}", attack.id, attack.says));
    let published = Side { trace: told.trace, both: told.both };
    let (whole, _) = search_within(part.under(Rules::published()), goal, ONE, STATES);
    let in_the_whole = whole.map(|run| run.steps.len());
    let (hardened, refused_by) = defended(&published, attack.id, goal)?;
    Ok(Pair { power, states, published, in_the_whole, hardened, refused_by })
}

/// Replays the steps with every clause in force, up to the first that diverges.
fn defended(published: &Side, id: &str, goal: &str) -> Result<(Side, Option<Clause>), String> {
    let Trace { header, steps: attacked } = &published.trace;
    let mut field = Field::new(published.both.is_ok(), header)?;
    let (mut steps, mut refused_by, mut otherwise) = (Vec::new(), None, false);
    for (number, step) in (1..).zip(attacked) {
        let Some((action, happened)) = field.step(&step.action)? else {
            otherwise = true;
            break;
        };
        steps.push(Step::of(number, action, &happened));
        if happened.clause.is_some() && happened.clause != step.clause {
            (refused_by, otherwise) = (happened.clause, true);
            break;
        }
        // A step can diverge without a refusal: it sends other messages.
        let sent =
            |sends: &[Output]| sends.iter().map(|output| (output.to(), output.name())).collect::<Vec<_>>();
        let told: Vec<_> = step.sends.iter().map(|send| (send.to, send.message.as_str())).collect();
        if sent(&happened.sends) != told {
            otherwise = true;
            break;
        }
    }
    // No step breaks termination: that the run diverges is all that can be shown.
    let kept =
        GOALS.iter().find(|one| one.name == goal).map_or(otherwise, |goal| goal.is_kept(field.system()));
    if !kept {
        return Err(format!("with every clause in force {goal} is broken all the same"));
    }
    let both = field.both();
    let mut header = Header::new(
        if both.is_ok() { Suite::Tiny } else { Suite::Ristretto255 },
        &Rules::hardened(),
        header.setup,
    );
    header.note = Some(format!("{id}, with every clause in force"));
    Ok((Side { trace: Trace { header, steps }, both }, refused_by))
}

/// Model and implementation, or the model alone.
enum Field {
    Both(Box<Lockstep>),
    Model(Box<Execution>),
}

impl Field {
    fn new(both: bool, header: &Header) -> Result<Field, String> {
        let (rules, setup) = (Rules::hardened(), &header.setup);
        Ok(if both {
            let both = Lockstep::new(rules, setup).map_err(|refusal| refusal.to_string())?;
            Field::Both(Box::new(both.as_recorded()))
        } else {
            Field::Model(Box::new(Execution::new(rules, setup)))
        })
    }

    fn step(&mut self, action: &Action) -> Result<Option<(Action, Happened)>, String> {
        match self {
            Field::Both(both) => both.step(action).map_err(|divergence| divergence.to_string()),
            Field::Model(model) => Ok(model.step(action).map(|happened| (action.clone(), happened))),
        }
    }

    const fn system(&self) -> &System {
        match self {
            Field::Both(both) => both.model().system(),
            Field::Model(model) => model.system(),
        }
    }

    fn both(&self) -> Result<(), String> {
        match self {
            Field::Both(_) => Ok(()),
            Field::Model(_) => Err("the model alone".to_owned()),
        }
    }
}
