//! Checkers that look at the mutated model alone: they notice where a goal is broken.

use crate::explore::{SUITES, SearchConfig, search_bounded};
use crate::lockstep::Driver;
use crate::mutation::{Corpus, Finding, Mutant, Notice};
use bemr_model::{Action, Actor, Execution, GOALS, Goal, Message, SHOWN};
use bemr_spec::Rules;

/// About how many states of a part are visited for a mutant that the part does not claim to notice.
const MOST: usize = 60_000;

/// The same for one that it does.
const MOST_CLAIMED: usize = 4_000_000;

/// Lives of the model, and the steps of each.
const RUNS: u64 = 600;
const STEPS: usize = 400;

/// How often the goals are looked at, in steps: each look costs as much as everything that happened.
const LOOK: usize = 25;

/// The goal that speaks of who submitted.
const ORIGIN: &str = "G-ORI";

fn scope(name: &str) -> &'static [SearchConfig] {
    SUITES.iter().find(|suite| suite.name == name).map_or(&[], |suite| suite.configurations)
}

/// Searches the parts that claim to notice this mutant, then all parts of scope `smoke`, then the beginnings of those of scope
/// `ci`.
pub(super) fn search(mutant: Mutant, _: &Corpus) -> Finding {
    let claims = |part: &&SearchConfig| part.notices.iter().any(|(clause, _)| Some(*clause) == mutant.0);
    let claimed = scope("ci").iter().filter(claims).map(|part| (part, MOST_CLAIMED));
    let others = scope("smoke").iter().chain(scope("ci")).map(|part| (part, MOST));
    let mut cases = 0;
    for (part, most) in claimed.chain(others) {
        let found = search_bounded(part.under(mutant.rules()), most);
        cases += found.states as u64;
        if let Some((goal, run)) = found.broken {
            let what = format!("{goal} is broken in the part {}", part.name);
            let (steps, goal) = (run.steps.len(), Some(goal.to_owned()));
            return Finding::Noticed(Notice { cases, steps, what, goal, trace: None });
        }
    }
    Finding::Missed { cases }
}

/// Lives random lives and looks at every goal, those of auditors included.
pub(super) fn lives(mutant: Mutant, _: &Corpus) -> Finding {
    for seed in 0..RUNS {
        let Some(most) = live(mutant.rules(), seed, STEPS, LOOK).map(|(step, _)| step) else { continue };
        // Once more, looking after each step.
        let Some((step, goal)) = live(mutant.rules(), seed, most, 1) else { continue };
        return Finding::Noticed(Notice {
            cases: seed + 1,
            steps: step,
            what: format!("{} is broken in the life of seed {seed}", goal.name),
            goal: Some(goal.name.to_owned()),
            trace: None,
        });
    }
    Finding::Missed { cases: RUNS }
}

/// Lives one life of at most so many steps: the step after which a goal is found broken.
fn live(rules: Rules, seed: u64, steps: usize, look: usize) -> Option<(usize, &'static Goal)> {
    let mut driver = Driver::new(seed);
    let mut model = Execution::new(rules, driver.setup());
    let (mut crashed, mut spoke) = (false, false);
    for step in 1..=steps {
        let action = driver.next(&model)?;
        model.step(&action);
        crashed |= matches!(action, Action::Crash { .. });
        spoke |=
            matches!(action, Action::Send { actor: Actor::User(_), message: Message::Initial { .. }, .. });
        if step.is_multiple_of(look) || step == steps {
            let claimed = GOALS.iter().chain(SHOWN).filter(|goal| !crashed || goal.holds_through_crashes());
            // What a user says who lies is no submission of theirs to the model, though they signed it.
            let claimed = claimed.filter(|goal| !spoke || goal.name != ORIGIN);
            let broken = claimed.into_iter().find(|goal| !goal.is_kept(model.system()));
            if let Some(goal) = broken {
                return Some((step, goal));
            }
        }
    }
    None
}
