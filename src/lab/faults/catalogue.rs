//! The adversaries that the paper fears, and those that it should, by name.

use crate::faults::FaultKind::{self, *};
use crate::faults::{Adversary, Contradiction, FaultRule, Scope, Trigger};
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

/// From when until when a partition lasts, in milliseconds.
const CUT_OFF: (Time, Time) = (300, 2_000);

/// How much slower a slow node is.
const SLOW: Time = 1_500;

const fn named(name: &'static str, says: &'static str, rules: fn(u8) -> Vec<FaultRule>) -> NamedAdversary {
    NamedAdversary { name, says, rules }
}

/// All of them.
pub const NAMED: &[NamedAdversary] = &[
    named("loss", "a tenth of all messages is lost", |_| vec![by_chance(Drop, 100)]),
    named("delay", "a fifth of all messages comes too late", |_| vec![by_chance(Delay { by: 2_500 }, 200)]),
    named("disorder", "messages come twice, out of order, and again long after", |_| {
        vec![by_chance(Duplicate, 200), by_chance(Reorder, 300), by_chance(Replay, 20)]
    }),
    named(
        "one-way",
        "nothing gets from the server database to the first validator, and everything gets back",
        |_| vec![FaultRule::new(Silence, Scope::Link { from: Actor::Bsd, to: Actor::Validator(0) })],
    ),
    named("partition", "a part of the validators is cut off from the others, and comes back", |validators| {
        cut_off(liars(validators).chain([Actor::Validator(0)]).collect())
    }),
    named("eclipse", "the server database hears nobody for a while, and nobody hears it", |_| {
        cut_off(BTreeSet::from([Actor::Bsd]))
    }),
    named("black-hole-node", "the paper's black hole: validators answer nothing", |validators| {
        of_liars(validators, Silence)
    }),
    named(
        "black-hole-link",
        "a black hole on the links to validators: half of what goes there is lost",
        |validators| {
            liars(validators)
                .map(|liar| FaultRule::new(Drop, Scope::Towards(liar)).when(chance(500)))
                .collect()
        },
    ),
    named(
        "falsification-node",
        "the paper's falsification: validators vote otherwise than they find",
        |validators| of_liars(validators, Contradict),
    ),
    named("falsification-link", "falsification on the links: bytes are changed", |_| {
        vec![by_chance(Corrupt, 100)]
    }),
    named("random-liars", "validators vote otherwise in half of all cases", |validators| {
        of_liars_when(validators, Contradict, &chance(500))
    }),
    named("strategists", "validators vote otherwise together, and only where that wins", |validators| {
        let trigger = Trigger { winning: true, ..Trigger::ALWAYS };
        let all = (0..validators).rev().take(usize::from(validators.div_ceil(3))).map(Actor::Validator);
        all.map(|liar| FaultRule::new(Contradict, Scope::Node(liar)).when(trigger.clone())).collect()
    }),
    named("equivocators", "validators vote both ways", |validators| of_liars(validators, Equivocate)),
    named("sleepers", "validators vote as they find twice, and otherwise ever after", |validators| {
        of_liars_when(validators, Contradict, &Trigger { after: Some(2), ..Trigger::ALWAYS })
    }),
    named("slow-validators", "what validators send comes late", |validators| {
        of_liars(validators, Delay { by: SLOW })
    }),
    named(
        "stale-contracts",
        "changes of policy do not reach some validators, who go on under the old contracts",
        |validators| {
            let trigger = Trigger { message: Some("PolicyChange".to_owned()), ..Trigger::ALWAYS };
            let towards = |liar| FaultRule::new(Drop, Scope::Towards(liar)).when(trigger.clone());
            liars(validators).map(towards).collect()
        },
    ),
    named("withheld-blocks", "validators keep the blocks that they close to themselves", |validators| {
        let trigger = Trigger { message: Some("Block".to_owned()), ..Trigger::ALWAYS };
        of_liars_when(validators, Drop, &trigger)
    }),
    named("reordered-blocks", "blocks and what closes them come out of order, and late", |_| {
        let named = |name: &str| Trigger {
            message: Some(name.to_owned()),
            thousandths: Some(400),
            ..Trigger::ALWAYS
        };
        vec![
            FaultRule::new(Delay { by: SLOW }, Scope::Everything).when(named("Block")),
            FaultRule::new(Reorder, Scope::Everything).when(named("Proposal")),
            FaultRule::new(Reorder, Scope::Everything).when(named("Closing")),
        ]
    }),
    named(
        "private-fork",
        "miners work on a chain of their own for a while, and then show it",
        |validators| {
            let side = liars(validators).chain([Actor::Validator(0)]).collect();
            let block = Trigger { message: Some("Block".to_owned()), ..from_until(0, CUT_OFF.1) };
            vec![FaultRule::new(Silence, Scope::Across(side)).when(block)]
        },
    ),
    named("newcomers", "validators vote under names that nobody admitted", |validators| {
        of_liars(validators, Lie)
    }),
    named(
        "man-in-the-middle",
        "packets go astray, come from others, are changed, and handshakes are answered by impostors",
        |_| {
            vec![
                by_chance(Redirect, 40),
                by_chance(Corrupt, 40),
                by_chance(Replay, 20),
                FaultRule::new(Impersonate, Scope::Node(Actor::Bsd)).when(seldom()),
                FaultRule::new(Impersonate, Scope::Node(Actor::Cloud)).when(seldom()),
                FaultRule::new(Impersonate, Scope::Node(Actor::User(0))).when(seldom()),
            ]
        },
    ),
    named("insider-user", "a certified user says what no honest one would", |_| insider(Actor::User(0))),
    named(
        "insider-bsd",
        "the server database says what no honest one would, and shows its audit log otherwise",
        |_| {
            let falsifies = FaultRule::new(Falsify, Scope::Node(Actor::Bsd));
            [insider(Actor::Bsd), vec![falsifies]].concat()
        },
    ),
    named("insider-cloud", "the cloud rolls back, forks, deletes, changes and truncates", |_| {
        let falsifies = FaultRule::new(Falsify, Scope::Node(Actor::Cloud));
        let tampers = FaultRule::new(Tamper, Scope::Node(Actor::Cloud)).when(seldom()).at_most(8);
        [insider(Actor::Cloud), vec![falsifies, tampers]].concat()
    }),
    named(
        "insider-kdc",
        "a second pair of keys is certified for names that have one, and lists are forged",
        |_| {
            vec![
                FaultRule::new(Certify, Scope::Node(Actor::Kdc)).when(seldom()),
                FaultRule::new(Publish, Scope::Node(Actor::Kdc)).when(seldom()),
            ]
        },
    ),
    named(
        "thief",
        "now and then somebody reads what the server database, a user or the cloud has in memory",
        |_| {
            let whose = [Actor::Bsd, Actor::Cloud, Actor::User(0)];
            whose.map(|node| FaultRule::new(Leak, Scope::Node(node)).when(seldom())).into()
        },
    ),
    named("crashes", "everybody who can dies now and then, and starts again", |validators| {
        let mortal = [Actor::Bsd, Actor::Cloud].into_iter().chain((0..validators).map(Actor::Validator));
        mortal.map(|node| FaultRule::new(Crash, Scope::Node(node)).when(chance(3))).collect()
    }),
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
    let tell = FaultRule::new(Publish, Scope::Node(node)).when(seldom());
    let lie = FaultRule::new(Lie, Scope::Node(node)).when(chance(300));
    vec![lie, tell]
}

fn by_chance(kind: FaultKind, thousandths: u16) -> FaultRule {
    FaultRule::new(kind, Scope::Everything).when(chance(thousandths))
}

const fn chance(thousandths: u16) -> Trigger {
    Trigger { thousandths: Some(thousandths), ..Trigger::ALWAYS }
}

const fn seldom() -> Trigger {
    chance(50)
}

fn cut_off(side: BTreeSet<Actor>) -> Vec<FaultRule> {
    vec![FaultRule::new(Silence, Scope::Across(side)).when(from_until(CUT_OFF.0, CUT_OFF.1))]
}

const fn from_until(from: Time, until: Time) -> Trigger {
    Trigger { from: Some(from), until: Some(until), ..Trigger::ALWAYS }
}
