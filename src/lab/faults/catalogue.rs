//! The adversaries that the paper fears, and those that it should, by name.

use crate::faults::{Adversary, Contradiction, FaultKind, FaultRule, Scope, Trigger};
use bemr_model::{Actor, Time};
use std::collections::BTreeSet;

/// An adversary with a name.
#[derive(Clone, Copy, Debug)]
pub struct NamedAdversary {
    /// The name.
    pub name: &'static str,
    /// What it is.
    pub says: &'static str,
    /// Its rules in a network of so many validators, of whom it has as many as the protocol bears.
    rules: fn(u8) -> Vec<FaultRule>,
}

impl NamedAdversary {
    /// It, in a network of so many validators.
    ///
    /// # Errors
    /// None for any of [`NAMED`]: a test makes each at every size.
    pub fn of(&self, validators: u8) -> Result<Adversary, Contradiction> {
        Adversary::new((self.rules)(validators))
    }

    /// The one of this name.
    pub fn find(name: &str) -> Option<&'static NamedAdversary> {
        NAMED.iter().find(|one| one.name == name)
    }
}

/// Trigger whoever is cut off for a while is so, in milliseconds.
const CUT_OFF: (Time, Time) = (300, 2_000);

/// How much slower a slow node is.
const SLOW: Time = 1_500;

/// All of them.
pub const NAMED: &[NamedAdversary] = &[
    NamedAdversary {
        name: "loss",
        says: "a tenth of all messages is lost",
        rules: |_| vec![by_chance(FaultKind::Drop, 100)],
    },
    NamedAdversary {
        name: "delay",
        says: "a fifth of all messages comes too late",
        rules: |_| vec![by_chance(FaultKind::Delay { by: 2_500 }, 200)],
    },
    NamedAdversary {
        name: "disorder",
        says: "messages come twice, out of order, and again long after",
        rules: |_| {
            vec![
                by_chance(FaultKind::Duplicate, 200),
                by_chance(FaultKind::Reorder, 300),
                by_chance(FaultKind::Replay, 20),
            ]
        },
    },
    NamedAdversary {
        name: "one-way",
        says: "nothing gets from the server database to the first validator, and everything gets back",
        rules: |_| {
            vec![FaultRule::new(
                FaultKind::Silence,
                Scope::Link { from: Actor::Bsd, to: Actor::Validator(0) },
            )]
        },
    },
    NamedAdversary {
        name: "partition",
        says: "a part of the validators is cut off from the others, and comes back",
        rules: |validators| {
            let side = liars(validators).chain([Actor::Validator(0)]).collect();
            vec![
                FaultRule::new(FaultKind::Silence, Scope::Across(side))
                    .when(from_until(CUT_OFF.0, CUT_OFF.1)),
            ]
        },
    },
    NamedAdversary {
        name: "eclipse",
        says: "the server database hears nobody for a while, and nobody hears it",
        rules: |_| {
            let side = BTreeSet::from([Actor::Bsd]);
            vec![
                FaultRule::new(FaultKind::Silence, Scope::Across(side))
                    .when(from_until(CUT_OFF.0, CUT_OFF.1)),
            ]
        },
    },
    NamedAdversary {
        name: "black-hole-node",
        says: "the paper's black hole: validators answer nothing",
        rules: |validators| of_liars(validators, FaultKind::Silence),
    },
    NamedAdversary {
        name: "black-hole-link",
        says: "a black hole on the links to validators: half of what goes there is lost",
        rules: |validators| {
            let trigger = Trigger { thousandths: Some(500), ..Trigger::ALWAYS };
            let towards = |liar| FaultRule::new(FaultKind::Drop, Scope::Towards(liar)).when(trigger.clone());
            liars(validators).map(towards).collect()
        },
    },
    NamedAdversary {
        name: "falsification-node",
        says: "the paper's falsification: validators vote otherwise than they find",
        rules: |validators| of_liars(validators, FaultKind::Contradict),
    },
    NamedAdversary {
        name: "falsification-link",
        says: "falsification on the links: bytes are changed",
        rules: |_| vec![by_chance(FaultKind::Corrupt, 100)],
    },
    NamedAdversary {
        name: "random-liars",
        says: "validators vote otherwise in half of all cases",
        rules: |validators| {
            let trigger = Trigger { thousandths: Some(500), ..Trigger::ALWAYS };
            of_liars_when(validators, FaultKind::Contradict, &trigger)
        },
    },
    NamedAdversary {
        name: "strategists",
        says: "validators vote otherwise together, and only where that wins",
        rules: |validators| {
            let trigger = Trigger { winning: true, ..Trigger::ALWAYS };
            let all = (0..validators).rev().take(usize::from(validators.div_ceil(3))).map(Actor::Validator);
            all.map(|liar| FaultRule::new(FaultKind::Contradict, Scope::Node(liar)).when(trigger.clone()))
                .collect()
        },
    },
    NamedAdversary {
        name: "equivocators",
        says: "validators vote both ways",
        rules: |validators| of_liars(validators, FaultKind::Equivocate),
    },
    NamedAdversary {
        name: "sleepers",
        says: "validators vote as they find twice, and otherwise ever after",
        rules: |validators| {
            of_liars_when(validators, FaultKind::Contradict, &Trigger { after: Some(2), ..Trigger::ALWAYS })
        },
    },
    NamedAdversary {
        name: "slow-validators",
        says: "what validators send comes late",
        rules: |validators| of_liars(validators, FaultKind::Delay { by: SLOW }),
    },
    NamedAdversary {
        name: "stale-contracts",
        says: "changes of policy do not reach some validators, who go on under the old contracts",
        rules: |validators| {
            let trigger = Trigger { message: Some("PolicyChange".to_owned()), ..Trigger::ALWAYS };
            let towards = |liar| FaultRule::new(FaultKind::Drop, Scope::Towards(liar)).when(trigger.clone());
            liars(validators).map(towards).collect()
        },
    },
    NamedAdversary {
        name: "withheld-blocks",
        says: "validators keep the blocks that they close to themselves",
        rules: |validators| {
            let trigger = Trigger { message: Some("Block".to_owned()), ..Trigger::ALWAYS };
            of_liars_when(validators, FaultKind::Drop, &trigger)
        },
    },
    NamedAdversary {
        name: "reordered-blocks",
        says: "blocks and what closes them come out of order, and late",
        rules: |_| {
            let named = |name: &str| Trigger {
                message: Some(name.to_owned()),
                thousandths: Some(400),
                ..Trigger::ALWAYS
            };
            vec![
                FaultRule::new(FaultKind::Delay { by: SLOW }, Scope::Everything).when(named("Block")),
                FaultRule::new(FaultKind::Reorder, Scope::Everything).when(named("Proposal")),
                FaultRule::new(FaultKind::Reorder, Scope::Everything).when(named("Closing")),
            ]
        },
    },
    NamedAdversary {
        name: "private-fork",
        says: "miners work on a chain of their own for a while, and then show it",
        rules: |validators| {
            let side = liars(validators).chain([Actor::Validator(0)]).collect();
            let border = || Scope::Across(BTreeSet::clone(&side));
            let block = Trigger { message: Some("Block".to_owned()), ..from_until(0, CUT_OFF.1) };
            vec![FaultRule::new(FaultKind::Silence, border()).when(block)]
        },
    },
    NamedAdversary {
        name: "newcomers",
        says: "validators vote under names that nobody admitted",
        rules: |validators| of_liars(validators, FaultKind::Lie),
    },
    NamedAdversary {
        name: "man-in-the-middle",
        says: "packets go astray, come from others, are changed, and handshakes are answered by impostors",
        rules: |_| {
            vec![
                by_chance(FaultKind::Redirect, 40),
                by_chance(FaultKind::Corrupt, 40),
                by_chance(FaultKind::Replay, 20),
                FaultRule::new(FaultKind::Impersonate, Scope::Node(Actor::Bsd)).when(seldom()),
                FaultRule::new(FaultKind::Impersonate, Scope::Node(Actor::Cloud)).when(seldom()),
                FaultRule::new(FaultKind::Impersonate, Scope::Node(Actor::User(0))).when(seldom()),
            ]
        },
    },
    NamedAdversary {
        name: "insider-user",
        says: "a certified user says what no honest one would",
        rules: |_| insider(Actor::User(0)),
    },
    NamedAdversary {
        name: "insider-bsd",
        says: "the server database says what no honest one would, and shows its audit log otherwise",
        rules: |_| {
            let mut rules = insider(Actor::Bsd);
            rules.push(FaultRule::new(FaultKind::Falsify, Scope::Node(Actor::Bsd)));
            rules
        },
    },
    NamedAdversary {
        name: "insider-cloud",
        says: "the cloud rolls back, forks, deletes, changes and truncates",
        rules: |_| {
            let mut rules = insider(Actor::Cloud);
            rules.push(FaultRule::new(FaultKind::Falsify, Scope::Node(Actor::Cloud)));
            rules
                .push(FaultRule::new(FaultKind::Tamper, Scope::Node(Actor::Cloud)).when(seldom()).at_most(8));
            rules
        },
    },
    NamedAdversary {
        name: "insider-kdc",
        says: "a second pair of keys is certified for names that have one, and lists are forged",
        rules: |_| {
            vec![
                FaultRule::new(FaultKind::Certify, Scope::Node(Actor::Kdc)).when(seldom()),
                FaultRule::new(FaultKind::Publish, Scope::Node(Actor::Kdc)).when(seldom()),
            ]
        },
    },
    NamedAdversary {
        name: "thief",
        says: "now and then somebody reads what the server database, a user or the cloud has in memory",
        rules: |_| {
            let whose = [Actor::Bsd, Actor::Cloud, Actor::User(0)];
            whose.map(|node| FaultRule::new(FaultKind::Leak, Scope::Node(node)).when(seldom())).into()
        },
    },
    NamedAdversary {
        name: "crashes",
        says: "everybody who can dies now and then, and starts again",
        rules: |validators| {
            let mortal = [Actor::Bsd, Actor::Cloud].into_iter().chain((0..validators).map(Actor::Validator));
            let trigger = Trigger { thousandths: Some(3), ..Trigger::ALWAYS };
            mortal
                .map(|node| FaultRule::new(FaultKind::Crash, Scope::Node(node)).when(trigger.clone()))
                .collect()
        },
    },
];

/// The last of the validators, as many as the protocol bears; the last, where it bears none.
fn liars(validators: u8) -> impl Iterator<Item = Actor> {
    let many = (validators.saturating_sub(1) / 3).max(1);
    (validators - many..validators).map(Actor::Validator)
}

fn of_liars(validators: u8, kind: FaultKind) -> Vec<FaultRule> {
    of_liars_when(validators, kind, &Trigger::ALWAYS)
}

fn of_liars_when(validators: u8, kind: FaultKind, trigger: &Trigger) -> Vec<FaultRule> {
    liars(validators).map(|liar| FaultRule::new(kind, Scope::Node(liar)).when(trigger.clone())).collect()
}

fn insider(node: Actor) -> Vec<FaultRule> {
    let tell = FaultRule::new(FaultKind::Publish, Scope::Node(node)).when(seldom());
    let lie = FaultRule::new(FaultKind::Lie, Scope::Node(node))
        .when(Trigger { thousandths: Some(300), ..Trigger::ALWAYS });
    vec![lie, tell]
}

fn by_chance(kind: FaultKind, thousandths: u16) -> FaultRule {
    let trigger = Trigger { thousandths: Some(thousandths), ..Trigger::ALWAYS };
    FaultRule::new(kind, Scope::Everything).when(trigger)
}

const fn seldom() -> Trigger {
    Trigger { thousandths: Some(50), ..Trigger::ALWAYS }
}

const fn from_until(from: Time, until: Time) -> Trigger {
    Trigger { from: Some(from), until: Some(until), ..Trigger::ALWAYS }
}
