//! A configuration as a plain transition system: for a checker that shares with our search only what a move makes of a state.

use crate::explore::goals::{Target, targets};
use crate::explore::{Move, SearchModel, SearchState};

/// The states of a configuration, one at a time.
pub struct TransitionSystem {
    model: SearchModel,
    goals: Vec<Target>,
}

impl TransitionSystem {
    /// Of this model, with the goals that its configuration checks.
    pub fn new(model: SearchModel) -> TransitionSystem {
        let goals = targets(&model.config).into_iter().filter(|goal| model.config.goals.contains(&goal.name));
        let goals = goals.collect();
        TransitionSystem { model, goals }
    }

    /// Where every run begins.
    pub fn initial(&self) -> SearchState {
        SearchState::new(self.model.begin(), &self.model.cache())
    }

    /// What can happen in a state.
    pub fn moves(&self, state: &SearchState) -> Vec<Move> {
        let state = state.state.get(0);
        self.model.prepare(&state);
        let mut moves = Vec::new();
        self.model.moves(&self.model.cache(), &state, &mut moves);
        moves
    }

    /// The state after a move; nothing where the move changes nothing.
    pub fn next(&self, state: &SearchState, what: Move) -> Option<SearchState> {
        let next = self.model.apply(&state.state.get(0), what)?;
        Some(SearchState::new(next, &self.model.cache()))
    }

    /// Whether every goal holds in a state.
    pub fn is_kept(&self, state: &SearchState) -> bool {
        let cache = self.model.cache();
        let state = state.state.get(0);
        let (system, is_over) = (self.model.system(&cache, &state), self.model.is_over(&cache, &state));
        self.goals.iter().all(|goal| (goal.at_end && !is_over) || !(goal.is_found)(&system))
    }
}
