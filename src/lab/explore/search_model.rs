//! A configuration under rules: which moves there are in a state, and what each makes of it.

use crate::explore::state::{Delivered, Effect, StateRef, States};
use crate::explore::transition_cache::{Input, Number, TransitionCache};
use crate::explore::{Arrival, Budget, Move, SearchConfig, partial_order, symmetry};
use bemr_model::{Actor, Command, Envelope, LedgerKind, Renaming, System, Time};
use bemr_spec::Rules;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

/// A configuration under rules: what is searched.
pub struct SearchModel {
    pub(super) config: SearchConfig,
    pub(super) rules: Rules,
    /// Whether envelopes that no receiver makes anything of are left out.
    reduced: bool,
    /// The actors as they begin.
    pub(super) start: System,
    /// Every actor, in the order of [`System::index`].
    actors: Vec<Actor>,
    /// Written between two steps of a search, and read by all of its threads within one.
    cache: RwLock<TransitionCache>,
}

/// What a move does, before anybody asks what the actor makes of it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Action {
    /// An envelope is lost: no actor notices.
    Loss,
    /// The actor at this place, in this state, gets an input at an instant.
    Input { place: usize, state: Number, now: Time, input: Input },
}

impl SearchModel {
    pub(super) fn new(config: SearchConfig, rules: Rules) -> SearchModel {
        assert!(u32::try_from(config.until).is_ok(), "the transition cache keeps instants in 32 bits");
        let start = System::new(&config.setup);
        let names = symmetry::renamings(&config, &start);
        let cache = TransitionCache::new(names, symmetry::swaps(&config, &start));
        let actors = start.actors().chain([Actor::Kdc]).collect();
        SearchModel { config, rules, reduced: true, start, actors, cache: RwLock::new(cache) }
    }

    /// The same with the envelopes that no receiver makes anything of.
    #[must_use]
    pub fn with_every_envelope(mut self) -> SearchModel {
        self.reduced = false;
        self
    }

    /// The same without symmetry reduction.
    #[must_use]
    pub fn with_every_name(self) -> SearchModel {
        let only = symmetry::renamings(&self.config, &self.start).into_iter().take(1).collect();
        self.taking(only)
    }

    /// The same, where these renamings are taken for symmetries whatever they are: for a test that a wrong one is noticed.
    #[must_use]
    pub fn taking(self, names: Vec<Renaming>) -> SearchModel {
        SearchModel { cache: RwLock::new(TransitionCache::new(names, Vec::new())), ..self }
    }

    /// Under how many names a state can be seen.
    pub fn names(&self) -> usize {
        self.cache().names()
    }

    pub(super) fn cache(&self) -> RwLockReadGuard<'_, TransitionCache> {
        self.cache.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn learn<T>(&self, more: impl FnOnce(&mut TransitionCache) -> T) -> T {
        more(&mut self.cache.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// The state in which every run begins.
    pub(super) fn begin(&self) -> States {
        let meet = |cache: &mut TransitionCache| {
            self.actors.iter().map(|actor| cache.meet(*actor, &self.start)).collect()
        };
        States::of_actors(self.learn(meet), self.config.budget)
    }

    /// The actors of a state.
    pub(super) fn system(&self, cache: &TransitionCache, state: &StateRef<'_>) -> System {
        let mut system = self.start.clone();
        cache.restore(&mut system, state.actors);
        system
    }

    /// Whether the receiver makes something of an envelope: chapter 10 says who processes what.
    fn is_heard(&self, envelope: &Envelope) -> bool {
        !partial_order::is_withheld(&self.config, envelope)
            && !self.config.silent.contains(&envelope.to)
            && (!self.reduced || envelope.datagram.concerns(envelope.to))
    }

    /// What a move does in a state; nothing where it is to an actor that is not there.
    pub(super) fn action(&self, cache: &TransitionCache, state: &StateRef<'_>, what: Move) -> Option<Action> {
        let commands = state.counters.commands;
        let (actor, input) = match what {
            Move::Drop(_) => return Some(Action::Loss),
            Move::Command => {
                let (actor, _) = self.config.script.get(usize::from(commands))?;
                (*actor, Input::Command(commands, state.counters.submissions))
            }
            Move::Deliver(number) | Move::Replay(number) => {
                let envelope = cache.envelopes.get(number);
                (envelope.to, Input::Envelope(number, envelope.from))
            }
            Move::Redirect(number, to, from) => (to, Input::Envelope(number, from)),
            Move::Wake(actor, lucky) => (actor, Input::Instant(lucky)),
            Move::Crash(actor) => (actor, Input::Crash),
            Move::Byzantine(number) => (cache.byzantine.get(number).happens_to(), Input::Byzantine(number)),
        };
        let place = self.start.index(actor)?;
        let number = state.actors[place];
        let now = match what {
            Move::Wake(..) => state.counters.now.max(cache.wakes(number)?),
            _ => state.counters.now,
        };
        Some(Action::Input { place, state: number, now, input })
    }

    /// Works out what an actor makes of an input that the cache does not know yet.
    pub(super) fn react(&self, (place, state, now, input): (usize, Number, Time, Input)) -> Option<Number> {
        if let Some(known) = self.cache().find_reaction(state, now, input) {
            return known;
        }
        let heard = |envelope: &Envelope| self.is_heard(envelope);
        let input = (self.actors[place], state, now, input);
        self.learn(|cache| cache.learn(&self.rules, &self.config, &self.start, heard, input))
    }

    /// Works out what the adversary can send at an instant of its own accord, where it is not known yet and could be sent.
    pub(super) fn prepare(&self, state: &StateRef<'_>) {
        if !self.is_prepared(&self.cache(), state) {
            let now = state.counters.now;
            self.learn(|cache| cache.learn_unprompted(&self.rules, &self.config, now));
        }
    }

    pub(super) fn is_prepared(&self, cache: &TransitionCache, state: &StateRef<'_>) -> bool {
        state.counters.budget.byzantine == 0 || cache.unprompted(state.counters.now).is_some()
    }

    /// What a move makes of a state: `reaction` is that of the actor at a place, at an instant; there is none to a loss.
    pub(super) fn effect<'a>(
        &self,
        cache: &'a TransitionCache,
        state: &StateRef<'_>,
        what: Move,
        reaction: Option<(usize, Time, Number)>,
    ) -> Effect<'a> {
        let mut counters = state.counters;
        counters.now = reaction.map_or(counters.now, |(_, now, _)| now);
        let reaction = reaction.map(|(place, _, number)| (place, cache.reaction(number)));
        let (mut arrived, mut delivered) = (None, Delivered::Same);
        let budget = &mut counters.budget;
        match what {
            Move::Command => {
                let (_, command) = self.config.script[usize::from(counters.commands)];
                counters.commands += 1;
                counters.submissions += u16::from(matches!(command, Command::Submit { .. }));
            }
            Move::Deliver(envelope) => {
                arrived = Some(envelope);
                if budget.replay > 0 && state.delivered.binary_search(&envelope).is_err() {
                    delivered = Delivered::With(envelope);
                }
            }
            Move::Drop(envelope) => {
                arrived = Some(envelope);
                budget.drop -= 1;
            }
            Move::Replay(_) => {
                budget.replay -= 1;
                if budget.replay == 0 {
                    delivered = Delivered::Forgotten;
                }
            }
            Move::Redirect(envelope, ..) => {
                arrived = Some(envelope);
                budget.redirect -= 1;
            }
            Move::Wake(_, lucky) => {
                budget.early -= u8::from(!state.in_flight.is_empty());
                budget.luck -= u8::from(lucky);
            }
            Move::Crash(_) => budget.crash -= 1,
            Move::Byzantine(message) => {
                arrived = partial_order::answered(&self.config, cache, state, message);
                budget.byzantine -= 1;
            }
        }
        Effect { counters, arrived, delivered, reaction }
    }

    /// The first instant that any actor waits for.
    fn next_wake(&self, cache: &TransitionCache, state: &StateRef<'_>) -> Option<Time> {
        let first = state.actors.iter().filter_map(|number| cache.wakes(*number)).min();
        first.filter(|first| *first <= self.config.until)
    }

    /// Whether nothing can happen any more within the time of the configuration.
    pub(super) fn is_over(&self, cache: &TransitionCache, state: &StateRef<'_>) -> bool {
        state.in_flight.is_empty()
            && usize::from(state.counters.commands) == self.config.script.len()
            && self.next_wake(cache, state).is_none()
    }

    fn byzantine_moves(&self, cache: &TransitionCache, state: &StateRef<'_>, moves: &mut Vec<Move>) {
        let first = moves.len();
        let envelopes = state.in_flight.iter().chain(state.delivered);
        let prompted = envelopes.flat_map(|number| cache.prompted(*number));
        let unprompted = cache.unprompted(state.counters.now).into_iter().flatten();
        moves.extend(prompted.chain(unprompted).map(|number| Move::Byzantine(*number)));
        let number = |what: &Move| if let Move::Byzantine(number) = what { *number } else { 0 };
        moves[first..].sort_unstable_by_key(number);
        moves.dedup();
    }

    /// Everything that can happen in a state, in place of what `moves` held.
    pub(super) fn moves(&self, cache: &TransitionCache, state: &StateRef<'_>, moves: &mut Vec<Move>) {
        moves.clear();
        let Budget { drop, replay, redirect, early, crash, byzantine, luck } = state.counters.budget;
        if usize::from(state.counters.commands) < self.config.script.len() {
            moves.push(Move::Command);
        }
        let mut last = None;
        for envelope in state.in_flight.iter().copied() {
            // Two equal envelopes are one choice.
            if last.replace(envelope) == Some(envelope) {
                continue;
            }
            moves.push(Move::Deliver(envelope));
            if drop > 0 {
                moves.push(Move::Drop(envelope));
            }
            if redirect > 0 {
                let led = cache.redirections(envelope).iter();
                moves.extend(led.map(|(to, from)| Move::Redirect(envelope, *to, *from)));
            }
        }
        if replay > 0 {
            moves.extend(state.delivered.iter().copied().map(Move::Replay));
        }
        if (state.in_flight.is_empty() || early > 0)
            && let Some(first) = self.next_wake(cache, state)
        {
            let wakes = |number: &Number| cache.wakes(*number) == Some(first);
            for (actor, _) in self.actors.iter().zip(state.actors).filter(|(_, number)| wakes(number)) {
                moves.push(Move::Wake(*actor, false));
                let miner =
                    self.config.setup.ledger == LedgerKind::Work && matches!(actor, Actor::Validator(_));
                if miner && luck > 0 {
                    moves.push(Move::Wake(*actor, true));
                }
            }
        }
        if crash > 0 {
            let mortal = |actor: &&Actor| !matches!(actor, Actor::User(_) | Actor::Kdc);
            moves.extend(self.actors.iter().filter(mortal).map(|actor| Move::Crash(*actor)));
        }
        if byzantine > 0 {
            self.byzantine_moves(cache, state, moves);
        }
        if self.config.arrival != Arrival::Any {
            partial_order::choose(&self.config, cache, state, moves);
        }
    }

    /// The state after a move; nothing where that cannot be.
    pub(super) fn apply(&self, state: &StateRef<'_>, what: Move) -> Option<States> {
        let action = self.action(&self.cache(), state, what)?;
        let reaction = match action {
            Action::Loss => None,
            Action::Input { place, state, now, input } => {
                Some((place, now, self.react((place, state, now, input))?))
            }
        };
        let cache = self.cache();
        let mut next = States::default();
        next.push(state, &self.effect(&cache, state, what, reaction));
        Some(next)
    }
}
