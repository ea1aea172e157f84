//! Which principals of a configuration are symmetric.
//!
//! Two users, or two validators, are where the configuration does the same with both and no rule of the protocol looks at their
//! numbers. One rule does: the proposer of a round follows from the height (chapter 10), so that a validator who can be the proposer
//! before the configuration's time is over is symmetric to nobody. Under proof of work no rule does.
//!
//! This is derived from the configuration and then checked: whenever an actor reacts, [`SearchModel`](crate::explore::SearchModel) has it
//! react under every other name as well, and the reactions have to be the same under these names.

use crate::explore::{Arrival, SearchConfig};
use bemr_model::{Actor, Command, LedgerKind, Order, Rename, Renaming, System, may_handle_records};
use bemr_spec::constants;
use std::collections::BTreeMap;

/// The most names under which a state is looked at.
const MOST: usize = 120;

/// The same where swaps stand in for names ([`swaps`]): each name costs time, and few are left to find.
const MOST_BESIDE_SWAPS: usize = 24;

/// Ways to rename the actors of a configuration that leave it as it is, the one first that renames nobody.
pub(super) fn renamings(config: &SearchConfig, start: &System) -> Vec<Renaming> {
    let (users, validators) = (config.setup.users, config.setup.validators);
    let most = if config.arrival == Arrival::Any { MOST } else { MOST_BESIDE_SWAPS };
    let user_classes = few(classes(users, |user| class_of_user(config, user)), most);
    let validator_classes = few(classes(validators, |validator| class_of_validator(config, validator)), most);
    let users = arrangements(users, &user_classes);
    let validators = arrangements(validators, &validator_classes);
    let all = users.iter().flat_map(|users| {
        validators.iter().map(|validators| Renaming::new(users.clone(), validators.clone()))
    });
    all.filter(|names| is_same(start, names)).take(most).collect()
}

/// Every two validators who can be swapped, by their numbers, where not every order is searched: partial-order reduction takes what happens
/// to one of them.
pub(super) fn swaps(config: &SearchConfig, start: &System) -> Vec<(u8, u8, Renaming)> {
    if config.arrival == Arrival::Any {
        return Vec::new();
    }
    let nobody = |count: u8| (0..count).collect::<Vec<u8>>();
    let swapped = |low: u8, high: u8| {
        let mut validators = nobody(config.setup.validators);
        validators.swap(usize::from(low), usize::from(high));
        (low, high, Renaming::new(nobody(config.setup.users), validators))
    };
    let classes = classes(config.setup.validators, |validator| class_of_validator(config, validator));
    let pairs = classes.iter().flat_map(|class| {
        let of = |(place, low): (usize, &u8)| {
            class[place + 1..].iter().map(|high| (*low, *high)).collect::<Vec<_>>()
        };
        class.iter().enumerate().flat_map(of).collect::<Vec<_>>()
    });
    let swaps = pairs.map(|(low, high)| swapped(low, high));
    swaps.filter(|(.., names)| is_same(start, names)).collect()
}

fn is_same(start: &System, names: &Renaming) -> bool {
    start.actors().all(|actor| {
        let renamed = start.state(actor).map(|state| state.renamed(names));
        renamed == start.state(actor.renamed(names))
    })
}

/// The members of each class, of those that are in one.
fn classes<C: Ord>(count: u8, class: impl Fn(u8) -> Option<C>) -> Vec<Vec<u8>> {
    let mut classes: BTreeMap<C, Vec<u8>> = BTreeMap::new();
    for number in 0..count {
        if let Some(class) = class(number) {
            classes.entry(class).or_default().push(number);
        }
    }
    classes.into_values().collect()
}

/// The classes, made smaller until they have few orders.
fn few(mut classes: Vec<Vec<u8>>, most: usize) -> Vec<Vec<u8>> {
    let ways = |classes: &[Vec<u8>]| -> usize {
        classes.iter().map(|class| (1..=class.len()).product::<usize>()).product()
    };
    // The members that a class loses are symmetric to nobody.
    while ways(&classes) > most
        && let Some(largest) = classes.iter_mut().max_by_key(|class| class.len())
    {
        largest.pop();
    }
    classes
}

/// Every order of the members of each class among themselves, as a new number for each old one.
fn arrangements(count: u8, classes: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let nobody: Vec<u8> = (0..count).collect();
    classes.iter().fold(vec![nobody], |found, class| {
        let orders = orders(class);
        let rearranged = |numbers: &Vec<u8>| -> Vec<Vec<u8>> {
            let with = |order: &Vec<u8>| {
                let mut numbers = numbers.clone();
                class.iter().zip(order).for_each(|(old, new)| numbers[usize::from(*old)] = *new);
                numbers
            };
            orders.iter().map(with).collect()
        };
        found.iter().flat_map(rearranged).collect()
    })
}

fn orders(members: &[u8]) -> Vec<Vec<u8>> {
    if members.is_empty() {
        return vec![Vec::new()];
    }
    let begun_with = |place: usize| {
        let mut rest = members.to_vec();
        let first = rest.remove(place);
        orders(&rest).into_iter().map(move |order| [vec![first], order].concat())
    };
    (0..members.len()).flat_map(begun_with).collect()
}

/// What a configuration does with a user; none where no other user is like them.
fn class_of_user(config: &SearchConfig, user: u8) -> Option<(bool, bool)> {
    let actor = Actor::User(user);
    let names = |command: &Command| match command {
        Command::Submit { readers, .. } => readers.has(user),
        Command::Order { order: Order::Grant(reader) | Order::Revoke(reader), .. } => *reader == user,
        Command::Order { order: Order::Erase(approvals), .. } => approvals.has(user),
        Command::ChangePolicy { approvals, .. } => approvals.has(user),
        Command::Read { .. } | Command::CloseAudit => false,
        // Serials tell everybody aconfig.
        Command::Enrol(_) | Command::RevokeCertificate { .. } | Command::IssueList => true,
    };
    let in_script = config.script.iter().any(|(who, command)| *who == actor || names(command));
    // Messages of insiders name the first two and administrators.
    let in_messages = !config.insiders.is_empty() && (user < 2 || !may_handle_records(user));
    let alone = in_script || in_messages || config.insiders.contains(&actor);
    (!alone).then(|| (may_handle_records(user), config.silent.contains(&actor)))
}

/// What a configuration does with a validator; none where no other validator is like it.
fn class_of_validator(config: &SearchConfig, validator: u8) -> Option<(bool, bool)> {
    let actor = Actor::Validator(validator);
    let serials = |(_, command): &(Actor, Command)| {
        matches!(command, Command::Enrol(_) | Command::RevokeCertificate { .. } | Command::IssueList)
    };
    // Administrators who are insiders send to the first.
    let addressed =
        validator == 0 && config.insiders.iter().any(|insider| matches!(insider, Actor::User(3..)));
    let is_proposer = config.setup.ledger == LedgerKind::Quorum && is_proposer(config, validator);
    let alone = is_proposer || addressed || config.script.iter().any(serials);
    (!alone).then(|| (config.insiders.contains(&actor), config.silent.contains(&actor)))
}

/// Whether a validator can be the proposer before the configuration's time is over: round r of height h does not begin before h times the
/// time to gather and r rounds, and no height without an entry that was not in a block before.
fn is_proposer(config: &SearchConfig, validator: u8) -> bool {
    let brings = |command: &Command| match command {
        // Its decision, its end in the audit log, its leaf in the cloud's.
        Command::Submit { .. } => 3,
        Command::Order { .. } | Command::CloseAudit => 1,
        _ => 0,
    };
    let entries: u64 = config.script.iter().map(|(_, command)| brings(command)).sum();
    // A Byzantine validator adds no entry.
    let others_are_byzantine = config.insiders.iter().any(|insider| !matches!(insider, Actor::Validator(_)));
    let heights = entries + if others_are_byzantine { 3 * u64::from(config.budget.byzantine) } else { 0 };
    let members = u64::from(config.setup.validators);
    (1..=heights).any(|height| {
        let earliest = |round: u64| height * constants::GATHERING_MS + round * constants::ROUND_MS;
        (0..members)
            .take_while(|round| earliest(*round) <= config.until)
            .any(|round| (height + round) % members == u64::from(validator))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::SUITES;

    #[test]
    fn every_order_of_every_class_is_there_once() {
        let mut found = arrangements(6, &[vec![1, 2], vec![0, 3, 5]]);
        assert_eq!((found.len(), found[0].clone()), (12, vec![0, 1, 2, 3, 4, 5]));
        found.sort();
        found.dedup();
        assert_eq!(found.len(), 12);
        assert!(found.iter().all(|order| order[4] == 4 && order[1] + order[2] == 3));
    }

    #[test]
    fn who_can_be_the_proposer_is_symmetric_to_nobody() {
        let config = |name: &str| {
            let ci = SUITES.iter().find(|scope| scope.name == "ci").unwrap();
            ci.configurations.iter().find(|config| config.name == name).unwrap()
        };
        let closing = config("closing");
        let proposers: Vec<bool> = (0..4).map(|validator| is_proposer(closing, validator)).collect();
        assert_eq!(proposers, [false, true, true, false]);
    }
}
