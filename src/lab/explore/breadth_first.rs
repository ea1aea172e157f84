//! Breadth-first search of every state, by several threads and always in the same order.
//!
//! The frontier is taken in blocks. In each block threads share three steps, between which nothing runs but what is said here:
//! expand (moves and fingerprints of successors; the transition cache is read alone), deduplicate (each thread has a share of the
//! fingerprints, and takes of equal ones the first), and store the new states. Inputs that the cache does not know are worked out between
//! the first two steps, in the order of the states. So whatever the number of threads, the search visits the same states in the
//! same order, numbers alike what it meets, and finds the same runs.

use crate::explore::goals::Target;
use crate::explore::search_model::{Action, SearchModel};
use crate::explore::state::{StateRef, States, print};
use crate::explore::transition_cache::{Number, TransitionCache};
use crate::explore::{Move, Progress, goals};
use bemr_model::Time;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// States in a block, unless a search may have to end within one.
const BLOCK: usize = 32_768;

/// States that a thread takes at once.
const CHUNK: usize = 256;

/// When a search ends before its end.
pub(super) struct Limits {
    /// Any of these was found.
    pub(super) wanted: Vec<&'static str>,
    /// So many successors were made, equal ones included.
    pub(super) successors: usize,
    /// After how many states that is looked at.
    pub(super) every: usize,
}

impl Limits {
    /// The search goes on to its end.
    pub(super) const NONE: Limits = Limits { wanted: Vec::new(), successors: usize::MAX, every: usize::MAX };
}

/// What a search came to.
pub(super) struct Visited {
    /// Different states.
    pub(super) states: usize,
    /// How many these are without symmetry reduction.
    pub(super) stand_for: u64,
    /// The longest run, in states.
    pub(super) depth: usize,
    /// Whether every state was visited.
    pub(super) complete: bool,
    /// What was found, and the moves that lead to it.
    pub(super) found: Vec<(&'static str, Vec<Move>)>,
}

/// Fingerprints are hashes.
#[derive(Clone, Copy, Default)]
struct Unhashed(u64);

impl Hasher for Unhashed {
    fn write(&mut self, _: &[u8]) {
        unreachable!("fingerprints are of 64 bits");
    }

    fn write_u64(&mut self, print: u64) {
        self.0 = print;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[expect(clippy::disallowed_types, reason = "looked up alone, millions of times a second")]
type Prints = std::collections::HashSet<u64, BuildHasherDefault<Unhashed>>;

/// How an actor reacts to a move, as far as a thread knows.
#[derive(Clone, Copy, Debug)]
enum Reacts {
    /// No actor notices.
    Nobody,
    /// The actor at this place, at this instant, by this reaction.
    As(usize, Time, Number),
    /// The cache does not know it yet.
    Unknown,
    /// The move cannot be.
    Never,
}

/// A successor of a state.
struct Candidate {
    print: u64,
    /// The place of the state in its level, and of the move among those of the state.
    before: u32,
    place: u32,
    what: Move,
    reacts: Reacts,
}

/// What a thread made of some states.
#[derive(Default)]
struct Expansion {
    candidates: Vec<Candidate>,
    /// Those whose reaction is not known.
    unknown: Vec<usize>,
    /// Which targets were found first in which of the states.
    found: Vec<(usize, u32)>,
    /// Systems that were not looked at before.
    systems: Prints,
    stand_for: u64,
}

/// A search under way.
struct Search<'a> {
    model: &'a SearchModel,
    threads: usize,
    targets: Vec<Target>,
    /// Of each target the state in which it was found first.
    found: Vec<Option<u32>>,
    /// Fingerprints of the states, in shares.
    prints: Vec<Mutex<Prints>>,
    /// From which state and by which of its moves each state was met first.
    parents: Vec<(u32, u32)>,
    /// Fingerprints of the systems that goals were looked at in.
    systems: Prints,
    /// The states of a level, and those that were found of the next.
    level: States,
    next: States,
    /// The number of the level's first state.
    first: usize,
    depth: usize,
    successors: usize,
    stand_for: u64,
}

/// Visits the states in order until `limits` or `go_on`, which is asked before each block, ends it.
pub(super) fn visit(
    model: &SearchModel,
    threads: usize,
    limits: &Limits,
    mut go_on: impl FnMut(Progress) -> bool,
) -> Visited {
    let mut search = Search::new(model, threads);
    let mut until_check = limits.every;
    let complete = 'search: loop {
        let mut done = 0;
        while done < search.level.len() {
            let progress = Progress { states: search.parents.len(), depth: search.depth };
            if !go_on(progress) || model.cache().flaw.is_some() {
                break 'search false;
            }
            let block = search.block(done, BLOCK.min(until_check));
            search.expand(done, block);
            done += block;
            until_check -= block;
            if until_check == 0 {
                let is_wanted = |(target, found): (&Target, &Option<u32>)| {
                    found.is_some() && limits.wanted.contains(&target.name)
                };
                if search.targets.iter().zip(&search.found).any(is_wanted)
                    || search.successors >= limits.successors
                {
                    break 'search false;
                }
                until_check = limits.every;
            }
        }
        if search.next.len() == 0 {
            break true;
        }
        search.first += search.level.len();
        search.depth += 1;
        std::mem::swap(&mut search.level, &mut search.next);
        search.next.clear();
    };
    search.end(complete && model.cache().flaw.is_none())
}

impl<'a> Search<'a> {
    fn new(model: &'a SearchModel, threads: usize) -> Search<'a> {
        let level = model.begin();
        let mut prints: Vec<Prints> = (0..threads).map(|_| Prints::default()).collect();
        let cache = model.cache();
        let mut sums = vec![0; cache.names()];
        level.get(0).add_up(&cache, &mut sums);
        let first = print(&sums, &level.get(0).counters);
        prints[share(first, threads)].insert(first);
        let targets = goals::targets(&model.config);
        Search {
            model,
            threads,
            found: vec![None; targets.len()],
            targets,
            prints: prints.into_iter().map(Mutex::new).collect(),
            parents: vec![(0, 0)],
            systems: Prints::default(),
            level,
            next: States::default(),
            first: 0,
            depth: 1,
            successors: 1,
            stand_for: 0,
        }
    }

    /// How many states of the level form a block, from this one on. It ends before an instant at which the adversary's messages have to be
    /// worked out: they are numbered after all that the states before it bring.
    fn block(&self, start: usize, most: usize) -> usize {
        self.model.prepare(&self.level.get(start));
        let end = self.level.len().min(start.saturating_add(most));
        let cache = self.model.cache();
        let unprepared =
            (start..end).position(|place| !self.model.is_prepared(&cache, &self.level.get(place)));
        unprepared.unwrap_or(end - start)
    }

    /// Expands a block, and stores what is new of its successors.
    fn expand(&mut self, start: usize, block: usize) {
        let chunks = block.div_ceil(CHUNK);
        let chunk = |index: usize| start + index * CHUNK..start + block.min((index + 1) * CHUNK);
        let mut expansions: Vec<Expansion> = {
            let cache = self.model.cache();
            in_parallel(self.threads, chunks, |index| self.expand_chunk(&cache, chunk(index)))
        };
        for expansion in &mut expansions {
            self.learn(expansion);
        }
        let fresh: Vec<Vec<Vec<u32>>> =
            in_parallel(self.threads, self.threads, |share| self.deduplicate(share, &expansions));
        let stored: Vec<(States, Vec<(u32, u32)>)> = {
            let cache = self.model.cache();
            let places = |chunk: usize| fresh.iter().flat_map(|share| &share[chunk]).copied().collect();
            in_parallel(self.threads, chunks, |chunk| self.store(&cache, places(chunk), &expansions[chunk]))
        };
        for (states, parents) in stored {
            self.next.append(&states);
            self.parents.extend(parents);
        }
        for expansion in expansions {
            self.systems.extend(expansion.systems);
            self.stand_for += expansion.stand_for;
            for (target, place) in expansion.found {
                self.found[target].get_or_insert(place + self.first as u32);
            }
        }
    }

    /// The successors of some states, with their fingerprints, and what was found in the states.
    fn expand_chunk(&self, cache: &TransitionCache, places: std::ops::Range<usize>) -> Expansion {
        let mut expansion = Expansion::default();
        let (mut sums, mut after) = (vec![0; cache.names()], vec![0; cache.names()]);
        let mut moves = Vec::new();
        for before in places {
            let state = self.level.get(before);
            let before = before as u32;
            self.check_targets(cache, &state, before, &mut expansion);
            state.add_up(cache, &mut sums);
            let fixed = sums.iter().filter(|sum| **sum == sums[0]).count();
            expansion.stand_for += (sums.len() / fixed) as u64;
            self.model.moves(cache, &state, &mut moves);
            for (place, what) in (0..).zip(&moves) {
                let reacts = match self.model.action(cache, &state, *what) {
                    None => continue,
                    Some(Action::Loss) => Reacts::Nobody,
                    Some(Action::Input { place, state, now, input }) => {
                        match cache.find_reaction(state, now, input) {
                            Some(Some(number)) => Reacts::As(place, now, number),
                            Some(None) => continue,
                            None => Reacts::Unknown,
                        }
                    }
                };
                let mut candidate = Candidate { print: 0, before, place, what: *what, reacts };
                if matches!(reacts, Reacts::Unknown) {
                    expansion.unknown.push(expansion.candidates.len());
                } else {
                    candidate.print = self.print(cache, &state, &candidate, &sums, &mut after);
                }
                expansion.candidates.push(candidate);
            }
        }
        expansion
    }

    fn print(
        &self,
        cache: &TransitionCache,
        state: &StateRef<'_>,
        candidate: &Candidate,
        sums: &[u64],
        after: &mut [u64],
    ) -> u64 {
        self.model.effect(cache, state, candidate.what, candidate.reaction()).print(cache, state, sums, after)
    }

    /// Looks for targets in a state: once in each system, and in each state where nothing can happen any more.
    fn check_targets(
        &self,
        cache: &TransitionCache,
        state: &StateRef<'_>,
        place: u32,
        expansion: &mut Expansion,
    ) {
        let system_print = state.system_print(cache);
        let is_new = !self.systems.contains(&system_print) && !expansion.systems.contains(&system_print);
        let is_over = self.model.is_over(cache, state);
        if !is_new && !is_over {
            return;
        }
        if is_new {
            expansion.systems.insert(system_print);
        }
        let system = self.model.system(cache, state);
        for (index, target) in self.targets.iter().enumerate() {
            let asked = if target.at_end { is_over } else { is_new };
            if asked && self.found[index].is_none() && (target.is_found)(&system) {
                expansion.found.push((index, place));
            }
        }
    }

    /// Works out how actors react to what the cache did not know.
    fn learn(&mut self, expansion: &mut Expansion) {
        for index in std::mem::take(&mut expansion.unknown) {
            let candidate = &mut expansion.candidates[index];
            let state = self.level.get(candidate.before as usize);
            let action = self.model.action(&self.model.cache(), &state, candidate.what);
            let Some(Action::Input { place, state: number, now, input }) = action else { continue };
            let reaction = self.model.react((place, number, now, input));
            candidate.reacts = reaction.map_or(Reacts::Never, |number| Reacts::As(place, now, number));
            if reaction.is_some() {
                let cache = self.model.cache();
                let (mut sums, mut after) = (vec![0; cache.names()], vec![0; cache.names()]);
                state.add_up(&cache, &mut sums);
                expansion.candidates[index].print =
                    self.print(&cache, &state, &expansion.candidates[index], &sums, &mut after);
            }
        }
        let can_be = |candidate: &&Candidate| !matches!(candidate.reacts, Reacts::Never);
        self.successors += expansion.candidates.iter().filter(can_be).count();
    }

    /// Takes in the fingerprints of one share: of each chunk, the places of the candidates that are new.
    fn deduplicate(&self, own: usize, expansions: &[Expansion]) -> Vec<Vec<u32>> {
        let mut prints = self.prints[own].lock().unwrap_or_else(PoisonError::into_inner);
        let mut fresh_in = |expansion: &Expansion| {
            let candidates = (0..).zip(&expansion.candidates);
            let fresh = candidates.filter(|(_, candidate)| {
                share(candidate.print, self.threads) == own
                    && !matches!(candidate.reacts, Reacts::Never)
                    && prints.insert(candidate.print)
            });
            fresh.map(|(place, _)| place).collect()
        };
        expansions.iter().map(&mut fresh_in).collect()
    }

    /// The new states of a chunk, and where each came from.
    fn store(
        &self,
        cache: &TransitionCache,
        mut places: Vec<u32>,
        expansion: &Expansion,
    ) -> (States, Vec<(u32, u32)>) {
        places.sort_unstable();
        let mut states = States::default();
        let parents = places.into_iter().map(|place| {
            let candidate = &expansion.candidates[place as usize];
            let state = self.level.get(candidate.before as usize);
            states.push(&state, &self.model.effect(cache, &state, candidate.what, candidate.reaction()));
            (candidate.before + self.first as u32, candidate.place)
        });
        let parents = parents.collect();
        (states, parents)
    }

    /// The moves that lead to a state.
    fn path(&self, state: u32) -> Vec<Move> {
        let steps = std::iter::successors(Some(state), |state| {
            (*state != 0).then(|| self.parents[*state as usize].0)
        });
        let mut places: Vec<u32> =
            steps.take_while(|state| *state != 0).map(|state| self.parents[state as usize].1).collect();
        places.reverse();
        let (mut state, mut moves, mut path) = (self.model.begin(), Vec::new(), Vec::new());
        for place in places {
            self.model.moves(&self.model.cache(), &state.get(0), &mut moves);
            let what = moves[place as usize];
            path.push(what);
            state = self.model.apply(&state.get(0), what).expect("the search made this move");
        }
        path
    }

    fn end(self, complete: bool) -> Visited {
        let found = self.targets.iter().zip(&self.found);
        let found = found.filter_map(|(target, state)| Some((target.name, self.path((*state)?)))).collect();
        Visited { states: self.parents.len(), stand_for: self.stand_for, depth: self.depth, complete, found }
    }
}

impl Candidate {
    const fn reaction(&self) -> Option<(usize, Time, Number)> {
        match self.reacts {
            Reacts::As(place, now, number) => Some((place, now, number)),
            Reacts::Nobody | Reacts::Unknown | Reacts::Never => None,
        }
    }
}

/// Which thread takes a fingerprint in. The table of each uses the bits at both ends.
const fn share(print: u64, threads: usize) -> usize {
    (print >> 32) as usize % threads
}

/// What `work` makes of each number below `count`, in their order, by so many threads.
fn in_parallel<T: Send>(threads: usize, count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    if threads == 1 || count == 1 {
        return (0..count).map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let run = || {
        let mine = std::iter::from_fn(|| {
            let index = next.fetch_add(1, Ordering::Relaxed);
            (index < count).then(|| (index, work(index)))
        });
        mine.collect::<Vec<_>>()
    };
    let mut done: Vec<(usize, T)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads.min(count)).map(|_| scope.spawn(run)).collect();
        let mut done = run();
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}
