//! A part under rules: what is searched.

use crate::explore::goals::{self, Found};
use crate::explore::state::insert;
use crate::explore::transition_cache::{Input, Number, Reaction, TransitionCache};
use crate::explore::{Arrival, Budget, Move, SearchConfig, SearchState, moves, partial_order, symmetry};
use bemr_model::{Actor, Command, Envelope, LedgerKind, Renaming, System, Tid, Time};
use bemr_spec::Rules;
use stateright::{Model, Property};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{OnceLock, PoisonError, RwLock, RwLockReadGuard};

/// A part under rules: what is searched.
pub struct SearchModel {
    pub(super) part: SearchConfig,
    pub(super) rules: Rules,
    /// Whether parcels that no receiver makes anything of are left out.
    reduced: bool,
    /// Set from outside to end a search.
    pub(super) stop: AtomicBool,
    pub(super) found: Found,
    /// The actors as they begin.
    pub(super) start: System,
    atlas: RwLock<TransitionCache>,
    /// How many states those are that were looked at, under all of their names.
    pub(super) stand_for: AtomicU64,
}

impl SearchModel {
    pub(super) fn new(part: SearchConfig, rules: Rules) -> SearchModel {
        let start = System::new(&part.setup);
        SearchModel {
            part,
            rules,
            reduced: true,
            stop: AtomicBool::new(false),
            found: Found::default(),
            atlas: RwLock::new(TransitionCache::new(
                symmetry::renamings(&part, &start),
                symmetry::swaps(&part, &start),
            )),
            start,
            stand_for: AtomicU64::new(0),
        }
    }

    /// The same with the parcels that no receiver makes anything of.
    #[must_use]
    pub fn with_every_parcel(mut self) -> SearchModel {
        self.reduced = false;
        self
    }

    /// The same with nobody taken for anybody else.
    #[must_use]
    pub fn with_every_name(self) -> SearchModel {
        let only = symmetry::renamings(&self.part, &self.start).into_iter().take(1).collect();
        SearchModel { atlas: RwLock::new(TransitionCache::new(only, Vec::new())), ..self }
    }

    /// Under how many names a state can be seen.
    pub fn names(&self) -> usize {
        self.atlas().names()
    }

    /// The same, where these renamings are taken for symmetries whatever they are: for a test that a wrong one is noticed.
    #[must_use]
    pub fn taking(self, names: Vec<Renaming>) -> SearchModel {
        SearchModel { atlas: RwLock::new(TransitionCache::new(names, Vec::new())), ..self }
    }

    pub(super) fn atlas(&self) -> RwLockReadGuard<'_, TransitionCache> {
        self.atlas.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every actor, in the order of [`System::index`].
    fn everybody(&self) -> impl Iterator<Item = Actor> + use<> {
        self.start.actors().chain([Actor::Kdc])
    }

    /// Adds to what was met.
    fn learn(&self, more: impl FnOnce(&mut TransitionCache)) {
        let mut atlas = self.atlas.write().unwrap_or_else(PoisonError::into_inner);
        more(&mut atlas);
        if atlas.flaw.is_some() {
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn begin(&self) -> SearchState {
        let mut states = Vec::new();
        self.learn(|atlas| states.extend(self.everybody().map(|actor| atlas.meet(actor, &self.start))));
        SearchState::new(states.into(), self.part.budget, &self.atlas())
    }

    /// Whether the receiver makes something of a parcel: chapter 10 says who hears what.
    fn is_heard(&self, parcel: &Envelope) -> bool {
        !partial_order::is_withheld(&self.part, parcel)
            && !self.part.silent.contains(&parcel.to)
            && (!self.reduced || parcel.datagram.concerns(parcel.to))
    }

    /// To whom a move happens, and what; nothing of a parcel that is lost.
    pub(super) fn input(
        &self,
        atlas: &TransitionCache,
        scene: &SearchState,
        what: Move,
    ) -> Option<(Actor, Input)> {
        Some(match what {
            Move::Command => {
                let (actor, _) = self.part.script.get(usize::from(scene.said))?;
                (*actor, Input::Command(scene.said, Tid::nth(scene.submissions)))
            }
            Move::Deliver(number) | Move::Replay(number) => {
                let parcel = &atlas.parcel(number).parcel;
                (parcel.to, Input::Envelope(number, parcel.from))
            }
            Move::Redirect(number, to, from) => (to, Input::Envelope(number, from)),
            Move::Drop(_) => return None,
            Move::Wake(actor, lucky) => (actor, Input::Instant(lucky)),
            Move::Crash(actor) => (actor, Input::Death),
            Move::Lie(number) => (atlas.lie(number).happens_to(), Input::Lie(number)),
        })
    }

    /// The scene after a move; nothing where that cannot be.
    pub(super) fn play(&self, scene: &SearchState, what: Move) -> Option<SearchState> {
        let atlas = self.atlas();
        let Some((actor, input)) = self.input(&atlas, scene, what) else {
            return matches!(what, Move::Drop(_)).then(|| self.after(&atlas, scene, what, None));
        };
        let index = self.start.index(actor)?;
        let state = scene.states[index];
        let now = match what {
            Move::Wake(..) => scene.now.max(atlas.state(state).wakes?),
            _ => scene.now,
        };
        let after = |atlas: &TransitionCache, reaction: &Option<Reaction>| {
            let reaction = reaction.as_ref()?;
            Some(self.after(atlas, scene, what, Some((index, now, reaction))))
        };
        if let Some(reaction) = atlas.reaction(state, now, input) {
            return after(&atlas, reaction);
        }
        drop(atlas);
        let heard = |parcel: &Envelope| self.is_heard(parcel);
        self.learn(|atlas| {
            atlas.learn(&self.rules, &self.part, &self.start, heard, (actor, state, now, input));
        });
        let atlas = self.atlas();
        let reaction = atlas.reaction(state, now, input)?;
        after(&atlas, reaction)
    }

    fn after(
        &self,
        atlas: &TransitionCache,
        scene: &SearchState,
        what: Move,
        reaction: Option<(usize, Time, &Reaction)>,
    ) -> SearchState {
        let sends = reaction.map_or(&[] as &[Number], |(.., reaction)| &reaction.sends);
        let mut flying = Vec::with_capacity(scene.flying.len() + sends.len());
        let gone = match what {
            Move::Deliver(parcel) | Move::Drop(parcel) | Move::Redirect(parcel, ..) => Some(parcel),
            Move::Lie(lie) => partial_order::answered(&self.part, atlas, scene, lie),
            _ => None,
        };
        match gone {
            Some(parcel) => {
                let place = scene.flying.partition_point(|one| *one < parcel);
                flying.extend_from_slice(&scene.flying[..place]);
                flying.extend_from_slice(&scene.flying[place + 1..]);
            }
            None => flying.extend_from_slice(&scene.flying),
        }
        sends.iter().for_each(|parcel| insert(&mut flying, *parcel));
        let mut next = SearchState {
            states: scene.states.clone(),
            flying,
            old: scene.old.clone(),
            verdict: OnceLock::new(),
            ..*scene
        };
        let budget = &mut next.budget;
        match what {
            Move::Command => {
                let submits = matches!(self.part.script[usize::from(scene.said)].1, Command::Submit { .. });
                next.said += 1;
                next.submissions += u16::from(submits);
            }
            Move::Deliver(parcel) => {
                if budget.replay > 0 && next.old.binary_search(&parcel).is_err() {
                    insert(&mut next.old, parcel);
                }
            }
            Move::Drop(_) => budget.drop -= 1,
            Move::Replay(_) => {
                budget.replay -= 1;
                if budget.replay == 0 {
                    next.old.clear();
                }
            }
            Move::Redirect(..) => budget.redirect -= 1,
            Move::Wake(_, lucky) => {
                budget.early -= u8::from(!scene.flying.is_empty());
                budget.luck -= u8::from(lucky);
            }
            Move::Crash(_) => budget.crash -= 1,
            Move::Lie(_) => budget.lie -= 1,
        }
        if let Some((index, now, reaction)) = reaction {
            next.now = now;
            // The goals look at actors alone.
            if next.states[index] == reaction.state {
                next.verdict = scene.verdict.clone();
            }
            next.states[index] = reaction.state;
        } else {
            next.verdict = scene.verdict.clone();
        }
        next.look(atlas);
        next
    }

    /// When each actor waits for, of those that wait.
    fn waiting<'a>(
        &self,
        atlas: &'a TransitionCache,
        scene: &'a SearchState,
    ) -> impl Iterator<Item = (Time, Actor)> + 'a {
        let wakes = scene.states.iter().map(|state| atlas.state(*state).wakes);
        self.everybody().zip(wakes).filter_map(|(actor, wakes)| Some((wakes?, actor)))
    }

    /// Whether nothing can happen any more within the time of the part.
    pub(super) fn is_over(&self, scene: &SearchState) -> bool {
        scene.flying.is_empty()
            && usize::from(scene.said) == self.part.script.len()
            && self.waiting(&self.atlas(), scene).all(|(time, _)| time > self.part.until)
    }

    fn lies(&self, scene: &SearchState, actions: &mut Vec<Move>) {
        if self.atlas().unprompted(scene.now).is_none() {
            self.learn(|atlas| atlas.learn_unprompted(&self.rules, &self.part, scene.now));
        }
        let atlas = self.atlas();
        let parcels = scene.flying.iter().chain(&scene.old);
        let prompted = parcels.flat_map(|parcel| &atlas.parcel(*parcel).lies);
        let mut lies: Vec<Number> =
            prompted.chain(atlas.unprompted(scene.now).into_iter().flatten()).copied().collect();
        lies.sort_unstable();
        lies.dedup();
        actions.extend(lies.into_iter().map(Move::Lie));
    }
}

impl Model for SearchModel {
    type State = SearchState;
    type Action = Move;

    fn init_states(&self) -> Vec<SearchState> {
        vec![self.begin()]
    }

    fn actions(&self, scene: &SearchState, actions: &mut Vec<Move>) {
        if self.stop.load(Ordering::Relaxed) {
            return;
        }
        self.stand_for.fetch_add(u64::from(scene.orbit), Ordering::Relaxed);
        let Budget { drop, replay, redirect, early, crash, lie, luck } = scene.budget;
        if usize::from(scene.said) < self.part.script.len() {
            actions.push(Move::Command);
        }
        let atlas = self.atlas();
        let mut last = None;
        for parcel in &scene.flying {
            // Two equal parcels are one choice.
            if last.replace(*parcel) == Some(*parcel) {
                continue;
            }
            actions.push(Move::Deliver(*parcel));
            if drop > 0 {
                actions.push(Move::Drop(*parcel));
            }
            if redirect > 0 {
                let led = moves::redirections(&atlas.parcel(*parcel).parcel, self.start.actors());
                actions.extend(led.into_iter().map(|(to, from)| Move::Redirect(*parcel, to, from)));
            }
        }
        if replay > 0 {
            actions.extend(scene.old.iter().copied().map(Move::Replay));
        }
        if scene.flying.is_empty() || early > 0 {
            let first = self.waiting(&atlas, scene).map(|(time, _)| time).min();
            let first = first.filter(|first| *first <= self.part.until);
            for (_, actor) in self.waiting(&atlas, scene).filter(|(time, _)| Some(*time) == first) {
                actions.push(Move::Wake(actor, false));
                let miner =
                    self.part.setup.ledger == LedgerKind::Work && matches!(actor, Actor::Validator(_));
                if miner && luck > 0 {
                    actions.push(Move::Wake(actor, true));
                }
            }
        }
        std::mem::drop(atlas);
        if crash > 0 {
            let mortal = |actor: &Actor| !matches!(actor, Actor::User(_));
            actions.extend(self.start.actors().filter(mortal).map(Move::Crash));
        }
        if lie > 0 {
            self.lies(scene, actions);
        }
        if self.part.arrival != Arrival::Any {
            partial_order::choose(&self.part, &self.atlas(), scene, actions);
        }
    }

    fn next_state(&self, scene: &SearchState, what: Move) -> Option<SearchState> {
        self.play(scene, what)
    }

    fn format_action(&self, what: &Move) -> String {
        let atlas = self.atlas();
        let parcel = |number: Number| &atlas.parcel(number).parcel;
        match *what {
            Move::Deliver(number) => format!("Deliver {:?}", parcel(number)),
            Move::Drop(number) => format!("Drop {:?}", parcel(number)),
            Move::Replay(number) => format!("Replay {:?}", parcel(number)),
            Move::Redirect(number, to, from) => {
                format!("Redirect to {to} from {from}: {:?}", parcel(number))
            }
            Move::Lie(number) => format!("{:?}", atlas.lie(number)),
            Move::Command | Move::Wake(..) | Move::Crash(_) => format!("{what:?}"),
        }
    }

    fn format_step(&self, scene: &SearchState, what: Move) -> Option<String> {
        let next = self.play(scene, what)?;
        let atlas = self.atlas();
        let mut system = self.start.clone();
        atlas.restore(&mut system, &next.states);
        let flying: Vec<_> = next.flying.iter().map(|number| &atlas.parcel(*number).parcel).collect();
        Some(format!("at {} ms\n{system:#?}\non its way: {flying:#?}", next.now))
    }

    fn properties(&self) -> Vec<Property<SearchModel>> {
        goals::properties(&self.part)
    }
}
