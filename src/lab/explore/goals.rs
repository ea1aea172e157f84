//! What a search asks of every scene: whether the goals hold, and whether what they speak of happens.

use crate::explore::{SearchConfig, SearchModel, SearchState};
use bemr_model::{
    Actor, GOALS, Members, System, everything_ended, sound_is_committed, stored_is_certified,
    two_certificates,
};
use stateright::Property;
use std::sync::atomic::{AtomicBool, Ordering};

/// G-TER: where nothing can happen any more within the time of the part, everything has ended.
pub const TERMINATION: &str = "G-TER";

/// What a part can ask for beside the goals that every search knows: it depends on who lies, or on how a run ends.
#[derive(Clone, Copy, Debug)]
pub struct AuxiliaryProperty {
    /// Its name in [`SearchConfig::goals`].
    pub name: &'static str,
    /// What it says.
    pub says: &'static str,
    holds: Condition,
}

/// All of these.
pub const BESIDE: &[AuxiliaryProperty] = &[
    AuxiliaryProperty {
        name: PROGRESS,
        says: "where nothing can happen any more, every submission that breaks no rule is committed",
        holds: progresses,
    },
    AuxiliaryProperty {
        name: STORED,
        says: "whatever the BSD does, what the cloud stores has a true certificate of a quorum, and breaks no rule",
        holds: stores,
    },
    AuxiliaryProperty {
        name: CERTIFIED,
        says: "whatever the BSD asks, there are not enough signatures for two certificates on one tid",
        holds: certifies,
    },
];

/// The second half of G-TER.
pub const PROGRESS: &str = "G-TER, committed";
/// G-CIV where the BSD lies.
pub const STORED: &str = "G-CIV, lying BSD";
/// G-AGR where the BSD lies.
pub const CERTIFIED: &str = "G-AGR, lying BSD";

/// How many goals there can be: a goal is two bits of a verdict.
const MOST: usize = 32;

/// What was found already: of the many runs that end in it, the first is a shortest one, and the only one kept.
#[derive(Default)]
pub(super) struct Found {
    broken: [AtomicBool; MOST],
    happened: [AtomicBool; MOST],
    endless: AtomicBool,
    beside: [AtomicBool; BESIDE.len()],
}

/// Whether this is the first time.
fn first(found: &AtomicBool) -> bool {
    !found.swap(true, Ordering::Relaxed)
}

impl SearchModel {
    /// Of each goal whether it is broken, and then of each whether it happens; what is known of it already is not asked.
    fn verdict(&self, scene: &SearchState) -> u64 {
        *scene.verdict.get_or_init(|| {
            let system = self.system(scene);
            let mut verdict = 0;
            for (place, goal) in GOALS.iter().enumerate() {
                let checked = self.part.goals.contains(&goal.name);
                if checked && !self.found.broken[place].load(Ordering::Relaxed) && !goal.is_kept(&system) {
                    verdict |= 1 << place;
                }
                if !self.found.happened[place].load(Ordering::Relaxed) && (goal.sometimes.1)(&system) {
                    verdict |= 1 << (MOST + place);
                }
            }
            verdict
        })
    }
}

fn holds<const N: usize>(stage: &SearchModel, scene: &SearchState) -> bool {
    stage.verdict(scene) >> N & 1 == 0 || !first(&stage.found.broken[N])
}

fn happens<const N: usize>(stage: &SearchModel, scene: &SearchState) -> bool {
    stage.verdict(scene) >> (MOST + N) & 1 == 1 && first(&stage.found.happened[N])
}

fn terminates(stage: &SearchModel, scene: &SearchState) -> bool {
    if !stage.is_over(scene) {
        return true;
    }
    everything_ended(&stage.system(scene)) || !first(&stage.found.endless)
}

fn progresses(stage: &SearchModel, scene: &SearchState) -> bool {
    !stage.is_over(scene) || sound_is_committed(&stage.system(scene)) || !stage.is_first(PROGRESS)
}

fn stores(stage: &SearchModel, scene: &SearchState) -> bool {
    stored_is_certified(&stage.system(scene)) || !stage.is_first(STORED)
}

fn certifies(stage: &SearchModel, scene: &SearchState) -> bool {
    let number = |insider: &Actor| match insider {
        Actor::Validator(number) => Some(*number),
        _ => None,
    };
    let liars: Members = stage.part.insiders.iter().filter_map(number).collect();
    !two_certificates(&stage.system(scene), liars) || !stage.is_first(CERTIFIED)
}

impl SearchModel {
    fn system(&self, scene: &SearchState) -> System {
        let mut system = self.start.clone();
        self.atlas().restore(&mut system, &scene.states);
        system
    }

    /// Whether one of [`BESIDE`] is broken for the first time.
    fn is_first(&self, name: &str) -> bool {
        let place = BESIDE.iter().position(|one| one.name == name);
        place.is_none_or(|place| first(&self.found.beside[place]))
    }
}

type Condition = fn(&SearchModel, &SearchState) -> bool;

/// A condition cannot carry which goal it is of: there is one of each kind for every place that a goal can have.
macro_rules! conditions {
    ($($place:literal)*) => {
        [$((holds::<$place> as Condition, happens::<$place> as Condition)),*]
    };
}

const CONDITIONS: [(Condition, Condition); MOST] = conditions!(
    0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31
);

const _: () = assert!(GOALS.len() <= MOST, "a verdict has no room for so many goals");

/// The goals of a part, and what sometimes has to happen.
pub(super) fn properties(part: &SearchConfig) -> Vec<Property<SearchModel>> {
    let checked = |name: &str| part.goals.contains(&name);
    let mut properties: Vec<Property<SearchModel>> = Vec::new();
    for (goal, (holds, happens)) in GOALS.iter().zip(CONDITIONS) {
        if checked(goal.name) {
            properties.push(Property::always(goal.name, holds));
        }
        // The goals that have one twin in common share its run.
        if properties.iter().all(|property| property.name != goal.sometimes.0) {
            properties.push(Property::sometimes(goal.sometimes.0, happens));
        }
    }
    if checked(TERMINATION) {
        properties.push(Property::always(TERMINATION, terminates));
    }
    let beside = BESIDE.iter().filter(|one| checked(one.name));
    properties.extend(beside.map(|one| Property::always(one.name, one.holds)));
    properties
}
