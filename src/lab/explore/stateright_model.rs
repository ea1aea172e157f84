//! The same states for stateright: its web explorer shows them, and its checker, which shares nothing with ours but what a move makes
//! of a state, counts them once more.

use crate::explore::goals::{Target, targets};
use crate::explore::{Move, SearchConfig, SearchModel, SearchState};
use bemr_spec::Rules;
use stateright::{Checker, Model, Property};

/// A configuration as stateright takes it.
struct Oracle {
    model: SearchModel,
    /// The goals that are checked.
    goals: Vec<Target>,
}

/// What stateright counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// Different states.
    pub states: usize,
    /// The longest run, in states.
    pub depth: usize,
    /// Whether some goal of the configuration is broken.
    pub broken: bool,
}

/// Has stateright visit every state.
pub fn count(model: SearchModel) -> Count {
    let oracle = Oracle::new(model);
    let checker = oracle.checker().spawn_bfs().join();
    Count {
        states: checker.unique_state_count(),
        depth: checker.max_depth(),
        broken: checker.discovery(KEPT).is_some(),
    }
}

impl SearchConfig {
    /// Serves the states of this configuration to a browser; comes back only when the address cannot be used.
    pub fn serve(&self, rules: Rules, address: &str) {
        let _ = Oracle::new(self.under(rules)).checker().serve(address);
    }
}

const KEPT: &str = "every goal holds";

impl Oracle {
    fn new(model: SearchModel) -> Oracle {
        let goals = targets(&model.config).into_iter().filter(|goal| model.config.goals.contains(&goal.name));
        let goals = goals.collect();
        Oracle { model, goals }
    }

    fn is_kept(&self, state: &SearchState) -> bool {
        let cache = self.model.cache();
        let state = state.state.get(0);
        let (system, is_over) = (self.model.system(&cache, &state), self.model.is_over(&cache, &state));
        self.goals.iter().all(|goal| (goal.at_end && !is_over) || !(goal.is_found)(&system))
    }
}

impl Model for Oracle {
    type State = SearchState;
    type Action = Move;

    fn init_states(&self) -> Vec<SearchState> {
        vec![SearchState::new(self.model.begin(), &self.model.cache())]
    }

    fn actions(&self, state: &SearchState, moves: &mut Vec<Move>) {
        let state = state.state.get(0);
        self.model.prepare(&state);
        self.model.moves(&self.model.cache(), &state, moves);
    }

    fn next_state(&self, state: &SearchState, what: Move) -> Option<SearchState> {
        let next = self.model.play(&state.state.get(0), what)?;
        Some(SearchState::new(next, &self.model.cache()))
    }

    fn format_action(&self, what: &Move) -> String {
        let cache = self.model.cache();
        let envelope = |number: u32| cache.envelopes.get(number);
        match *what {
            Move::Deliver(number) => format!("Deliver {:?}", envelope(number)),
            Move::Drop(number) => format!("Drop {:?}", envelope(number)),
            Move::Replay(number) => format!("Replay {:?}", envelope(number)),
            Move::Redirect(number, to, from) => {
                format!("Redirect to {to} from {from}: {:?}", envelope(number))
            }
            Move::Byzantine(number) => format!("{:?}", cache.byzantine.get(number)),
            Move::Command | Move::Wake(..) | Move::Crash(_) => format!("{what:?}"),
        }
    }

    fn format_step(&self, state: &SearchState, what: Move) -> Option<String> {
        let next = self.model.play(&state.state.get(0), what)?;
        let (next, cache) = (next.get(0), self.model.cache());
        let in_flight: Vec<_> = next.in_flight.iter().map(|number| cache.envelopes.get(*number)).collect();
        let system = self.model.system(&cache, &next);
        Some(format!("at {} ms\n{system:#?}\nin flight: {in_flight:#?}", next.counters.now))
    }

    fn properties(&self) -> Vec<Property<Oracle>> {
        // The checker ends where it has found everything: the second is nowhere.
        vec![Property::always(KEPT, Oracle::is_kept), Property::sometimes("the end", |_, _| false)]
    }
}
