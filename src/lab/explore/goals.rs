//! What a search asks of every state: whether the security properties hold, and whether what they speak of happens.

use crate::explore::SearchConfig;
use bemr_model::{
    Actor, GOALS, Members, System, everything_ended, sound_is_committed, stored_is_certified,
    two_certificates,
};

/// G-TER: where nothing can happen any more within the time of the configuration, everything has ended.
pub const TERMINATION: &str = "G-TER";

/// What a configuration can ask for beside the goals that every search knows: it depends on who is Byzantine, or on how a run ends.
#[derive(Clone, Copy, Debug)]
pub struct AuxiliaryProperty {
    /// Its name in [`SearchConfig::goals`].
    pub name: &'static str,
    /// What it says.
    pub says: &'static str,
    /// Asked only where nothing can happen any more.
    at_end: bool,
    is_broken: fn(&System, Members) -> bool,
}

/// All of these.
pub const BESIDE: &[AuxiliaryProperty] = &[
    AuxiliaryProperty {
        name: PROGRESS,
        says: "where nothing can happen any more, every submission that breaks no rule is committed",
        at_end: true,
        is_broken: |system, _| !sound_is_committed(system),
    },
    AuxiliaryProperty {
        name: STORED,
        says: "whatever the BSD does, what the cloud stores has a true certificate of a quorum, and breaks no rule",
        at_end: false,
        is_broken: |system, _| !stored_is_certified(system),
    },
    AuxiliaryProperty {
        name: CERTIFIED,
        says: "whatever the BSD asks, there are not enough signatures for two certificates on one tid",
        at_end: false,
        is_broken: two_certificates,
    },
];

/// The second half of G-TER.
pub const PROGRESS: &str = "G-TER, committed";
/// G-CIV where the BSD is Byzantine.
pub const STORED: &str = "G-CIV, lying BSD";
/// G-AGR where the BSD is Byzantine.
pub const CERTIFIED: &str = "G-AGR, lying BSD";

/// Something that a search looks for: a goal that is broken, or what a goal speaks of.
pub(super) struct Target {
    pub(super) name: &'static str,
    /// Asked only where nothing can happen any more.
    pub(super) at_end: bool,
    pub(super) is_found: Box<dyn Fn(&System) -> bool + Send + Sync>,
}

/// All that a search of this configuration looks for. All but what is asked at the end depends on the actors alone.
pub(super) fn targets(config: &SearchConfig) -> Vec<Target> {
    let checked = |name: &str| config.goals.contains(&name);
    let mut targets: Vec<Target> = Vec::new();
    for goal in GOALS {
        if checked(goal.name) {
            let is_found = Box::new(|system: &System| !goal.is_kept(system));
            targets.push(Target { name: goal.name, at_end: false, is_found });
        }
        // Goals can share what they speak of.
        let (name, happens) = goal.sometimes;
        if targets.iter().all(|target| target.name != name) {
            targets.push(Target { name, at_end: false, is_found: Box::new(happens) });
        }
    }
    if checked(TERMINATION) {
        let is_found = Box::new(|system: &System| !everything_ended(system));
        targets.push(Target { name: TERMINATION, at_end: true, is_found });
    }
    let number = |insider: &Actor| match insider {
        Actor::Validator(number) => Some(*number),
        _ => None,
    };
    let byzantine: Members = config.insiders.iter().filter_map(number).collect();
    targets.extend(BESIDE.iter().filter(|one| checked(one.name)).map(|one| {
        let is_found = Box::new(move |system: &System| (one.is_broken)(system, byzantine));
        Target { name: one.name, at_end: one.at_end, is_found }
    }));
    targets
}
