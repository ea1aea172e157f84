//! Which principals of a part can be taken for one another.
//!
//! Two users, or two validators, can where the part does the same with both, and no rule of the protocol looks at their
//! numbers. One rule does: whose turn it is to propose is the number counted from the height (chapter 10), so that a
//! validator whose turn can come before the part is over is only itself. Under proof of work no rule does.
//!
//! This is derived from the part, and not believed: [`SearchModel`](crate::explore::SearchModel) asks every actor that turns up to react
//! under other names as well, and has the reaction be the same under these names.

use crate::explore::{Arrival, SearchConfig};
use bemr_model::{Actor, Command, LedgerKind, Order, Rename, Renaming, System, may_handle_records};
use bemr_spec::constants;
use std::collections::BTreeMap;

/// The most names under which a state is looked at.
const MOST: usize = 120;

/// The same where swaps stand in for names ([`swaps`]): each name costs time, and few are left to find.
const MOST_BESIDE_SWAPS: usize = 24;

/// Ways to rename the actors of a part that leave the part as it is, the one first that renames nobody.
pub(super) fn renamings(part: &SearchConfig, start: &System) -> Vec<Renaming> {
    let (users, validators) = (part.setup.users, part.setup.validators);
    let most = if part.arrival == Arrival::Any { MOST } else { MOST_BESIDE_SWAPS };
    let user_classes = few(classes(users, |user| class_of_user(part, user)), most);
    let validator_classes = few(classes(validators, |validator| class_of_validator(part, validator)), most);
    let users = arrangements(users, &user_classes);
    let validators = arrangements(validators, &validator_classes);
    let all = users.iter().flat_map(|users| {
        validators.iter().map(|validators| Renaming::new(users.clone(), validators.clone()))
    });
    all.filter(|names| is_same(start, names)).take(most).collect()
}

/// Every two validators who can be swapped, by their numbers, where not every order is searched: of what happens to
/// one of them or to the other, one is looked at.
pub(super) fn swaps(part: &SearchConfig, start: &System) -> Vec<(u8, u8, Renaming)> {
    if part.arrival == Arrival::Any {
        return Vec::new();
    }
    let nobody = |count: u8| (0..count).collect::<Vec<u8>>();
    let swapped = |low: u8, high: u8| {
        let mut validators = nobody(part.setup.validators);
        validators.swap(usize::from(low), usize::from(high));
        (low, high, Renaming::new(nobody(part.setup.users), validators))
    };
    let classes = classes(part.setup.validators, |validator| class_of_validator(part, validator));
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

/// Of these classes what has few orders.
fn few(mut classes: Vec<Vec<u8>>, most: usize) -> Vec<Vec<u8>> {
    let ways = |classes: &[Vec<u8>]| -> usize {
        classes.iter().map(|class| (1..=class.len()).product::<usize>()).product()
    };
    // A class that is too large for all of its orders is taken in part: the rest are only themselves.
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

/// What a part does with a user; none where no other user is like them.
fn class_of_user(part: &SearchConfig, user: u8) -> Option<(bool, bool)> {
    let actor = Actor::User(user);
    let speaks_of = |command: &Command| match command {
        Command::Submit { readers, .. } => readers.has(user),
        Command::Order { order: Order::Grant(reader) | Order::Revoke(reader), .. } => *reader == user,
        Command::Order { order: Order::Erase(approvals), .. } => approvals.has(user),
        Command::ChangePolicy { approvals, .. } => approvals.has(user),
        Command::Read { .. } | Command::CloseAudit => false,
        // Serials tell everybody apart.
        Command::Enrol(_) | Command::RevokeCertificate { .. } | Command::IssueList => true,
    };
    let in_script = part.script.iter().any(|(who, command)| *who == actor || speaks_of(command));
    // Insiders speak of the first two and of administrators.
    let in_lies = !part.insiders.is_empty() && (user < 2 || !may_handle_records(user));
    let alone = in_script || in_lies || part.insiders.contains(&actor);
    (!alone).then(|| (may_handle_records(user), part.silent.contains(&actor)))
}

/// What a part does with a validator; none where no other validator is like it.
fn class_of_validator(part: &SearchConfig, validator: u8) -> Option<(bool, bool)> {
    let actor = Actor::Validator(validator);
    let serials = |(_, command): &(Actor, Command)| {
        matches!(command, Command::Enrol(_) | Command::RevokeCertificate { .. } | Command::IssueList)
    };
    // Administrators who are insiders tell the first.
    let told = validator == 0 && part.insiders.iter().any(|insider| matches!(insider, Actor::User(3..)));
    let has_turn = part.setup.ledger == LedgerKind::Quorum && has_turn(part, validator);
    let alone = has_turn || told || part.script.iter().any(serials);
    (!alone).then(|| (part.insiders.contains(&actor), part.silent.contains(&actor)))
}

/// Whether a validator's turn can come before the part is over: turn r of height h not before h times the time to gather
/// and r turns, and no height without something that was not in a block before.
fn has_turn(part: &SearchConfig, validator: u8) -> bool {
    let brings = |command: &Command| match command {
        // Its decision, its end in the audit log, its leaf in the cloud's.
        Command::Submit { .. } => 3,
        Command::Order { .. } | Command::CloseAudit => 1,
        _ => 0,
    };
    let told: u64 = part.script.iter().map(|(_, command)| brings(command)).sum();
    // A validator who lies brings nothing that is not there.
    let others_lie = part.insiders.iter().any(|insider| !matches!(insider, Actor::Validator(_)));
    let heights = told + if others_lie { 3 * u64::from(part.budget.lie) } else { 0 };
    let members = u64::from(part.setup.validators);
    (1..=heights).any(|height| {
        let earliest = |turn: u64| height * constants::GATHERING_MS + turn * constants::ROUND_MS;
        (0..members)
            .take_while(|turn| earliest(*turn) <= part.until)
            .any(|turn| (height + turn) % members == u64::from(validator))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::SCOPES;

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
    fn whoever_has_a_turn_is_only_itself() {
        let part = |name: &str| {
            let ci = SCOPES.iter().find(|scope| scope.name == "ci").unwrap();
            ci.parts.iter().find(|part| part.name == name).unwrap()
        };
        let closing = part("closing");
        let turns: Vec<bool> = (0..4).map(|validator| has_turn(closing, validator)).collect();
        assert_eq!(turns, [false, true, true, false]);
    }
}
