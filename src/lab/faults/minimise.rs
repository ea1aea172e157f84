//! The weakest adversary that does what was done.

use crate::faults::{Act, Adversary, FaultKind, FaultRule, ObservedFault, Scope, Trigger};
use bemr_model::{Actor, Time};
use std::collections::{BTreeMap, BTreeSet};

/// A kind and the acts that it shows in.
type Group = (FaultKind, Vec<(Time, Act)>);

/// Of so many nodes that send, all are meant.
const MANY: usize = 8;

/// The rules of these acts: one for each kind and node, with as much budget as was used, no longer than it was needed,
/// and for one kind of message where it was done to one kind. `heard` are those of whom anything arrived: of others all that
/// was lost was silence.
pub fn least(acts: &[(Time, Act)], heard: &BTreeSet<Actor>) -> Adversary {
    let mut groups: BTreeMap<(FaultKind, Actor), Vec<(Time, Act)>> = BTreeMap::new();
    let lateness: BTreeMap<Actor, Time> = acts.iter().fold(BTreeMap::new(), |mut most, (_, act)| {
        if let ObservedFault::Late(late) = act.fault {
            let before = most.entry(act.from).or_insert(late);
            *before = late.max(*before);
        }
        most
    });
    for (time, act) in acts {
        let kind = match act.fault.kind() {
            FaultKind::Delay { by } => {
                FaultKind::Delay { by: lateness.get(&act.from).copied().unwrap_or(by) }
            }
            FaultKind::Drop if !heard.contains(&act.from) => FaultKind::Silence,
            kind => kind,
        };
        groups.entry((kind, act.from)).or_default().push((*time, *act));
    }
    let mut nodes: BTreeMap<&str, BTreeSet<Actor>> = BTreeMap::new();
    for (kind, node) in groups.keys() {
        nodes.entry(kind.word()).or_default().insert(*node);
    }
    let mut rules: Vec<FaultRule> = Vec::new();
    let mut whole: BTreeMap<&str, Group> = BTreeMap::new();
    for ((kind, node), acts) in groups {
        let many = nodes.get(kind.word()).is_some_and(|nodes| nodes.len() > MANY);
        if many && kind.is_of_messages() && kind != FaultKind::Silence {
            let (longest, all) = whole.entry(kind.word()).or_insert((kind, Vec::new()));
            *longest = kind.max(*longest);
            all.extend(acts);
        } else {
            rules.push(rule(kind, Scope::Node(node), &acts));
        }
    }
    rules.extend(whole.into_values().map(|(kind, acts)| rule(kind, Scope::Everything, &acts)));
    rules.sort_by_key(|rule| (rule.power(), rule.kind));
    Adversary(rules)
}

fn rule(kind: FaultKind, scope: Scope, acts: &[(Time, Act)]) -> FaultRule {
    let messages: BTreeSet<Option<&str>> = acts.iter().map(|(_, act)| act.message).collect();
    let one = (messages.len() == 1).then(|| messages.into_iter().next().flatten()).flatten();
    let from = acts.iter().map(|(time, _)| *time).min().filter(|from| *from > 0);
    let until = acts.iter().map(|(time, _)| *time).max().map(|last| last.saturating_add(1));
    // Who never says anything is silent always: that they are is no fault of an instant.
    let silent = kind == FaultKind::Silence;
    let trigger = Trigger {
        from: from.filter(|_| !silent),
        until: until.filter(|_| !silent),
        message: one.filter(|_| !silent).map(str::to_owned),
        ..Trigger::ALWAYS
    };
    let budget = u32::try_from(acts.len()).ok().filter(|_| !silent);
    FaultRule { kind, scope, trigger, budget }
}
