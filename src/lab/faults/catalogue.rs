//! The adversaries that the paper fears, and those that it should, by name.

use crate::faults::{Adversary, Behaviour, Contradiction, Ploy, Target, When};
use bemr_model::{Actor, Time};
use std::collections::BTreeSet;

/// An adversary with a name.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    /// The name.
    pub name: &'static str,
    /// What it is.
    pub says: &'static str,
    /// Its ploys in a network of so many validators, of whom it has as many as the protocol bears.
    ploys: fn(u8) -> Vec<Ploy>,
}

impl Named {
    /// It, in a network of so many validators.
    ///
    /// # Errors
    /// None for any of [`NAMED`]: a test makes each at every size.
    pub fn of(&self, validators: u8) -> Result<Adversary, Contradiction> {
        Adversary::new((self.ploys)(validators))
    }

    /// The one of this name.
    pub fn find(name: &str) -> Option<&'static Named> {
        NAMED.iter().find(|one| one.name == name)
    }
}

/// When whoever is cut off for a while is so, in milliseconds.
const CUT_OFF: (Time, Time) = (300, 2_000);

/// How much slower a slow node is.
const SLOW: Time = 1_500;

/// All of them.
pub const NAMED: &[Named] = &[
    Named {
        name: "loss",
        says: "a tenth of all messages is lost",
        ploys: |_| vec![by_chance(Behaviour::Drop, 100)],
    },
    Named {
        name: "delay",
        says: "a fifth of all messages comes too late",
        ploys: |_| vec![by_chance(Behaviour::Delay { by: 2_500 }, 200)],
    },
    Named {
        name: "disorder",
        says: "messages come twice, out of order, and again long after",
        ploys: |_| {
            vec![
                by_chance(Behaviour::Duplicate, 200),
                by_chance(Behaviour::Reorder, 300),
                by_chance(Behaviour::Replay, 20),
            ]
        },
    },
    Named {
        name: "one-way",
        says: "nothing gets from the server database to the first validator, and everything gets back",
        ploys: |_| {
            vec![Ploy::new(Behaviour::Silence, Target::Link { from: Actor::Bsd, to: Actor::Validator(0) })]
        },
    },
    Named {
        name: "partition",
        says: "a part of the validators is cut off from the others, and comes back",
        ploys: |validators| {
            let side = liars(validators).chain([Actor::Validator(0)]).collect();
            vec![Ploy::new(Behaviour::Silence, Target::Across(side)).when(from_until(CUT_OFF.0, CUT_OFF.1))]
        },
    },
    Named {
        name: "eclipse",
        says: "the server database hears nobody for a while, and nobody hears it",
        ploys: |_| {
            let side = BTreeSet::from([Actor::Bsd]);
            vec![Ploy::new(Behaviour::Silence, Target::Across(side)).when(from_until(CUT_OFF.0, CUT_OFF.1))]
        },
    },
    Named {
        name: "black-hole-node",
        says: "the paper's black hole: validators answer nothing",
        ploys: |validators| of_liars(validators, Behaviour::Silence),
    },
    Named {
        name: "black-hole-link",
        says: "a black hole on the links to validators: half of what goes there is lost",
        ploys: |validators| {
            let when = When { thousandths: Some(500), ..When::ALWAYS };
            let towards = |liar| Ploy::new(Behaviour::Drop, Target::Towards(liar)).when(when.clone());
            liars(validators).map(towards).collect()
        },
    },
    Named {
        name: "falsification-node",
        says: "the paper's falsification: validators vote otherwise than they find",
        ploys: |validators| of_liars(validators, Behaviour::Contradict),
    },
    Named {
        name: "falsification-link",
        says: "falsification on the links: bytes are changed",
        ploys: |_| vec![by_chance(Behaviour::Spoil, 100)],
    },
    Named {
        name: "random-liars",
        says: "validators vote otherwise in half of all cases",
        ploys: |validators| {
            let when = When { thousandths: Some(500), ..When::ALWAYS };
            of_liars_when(validators, Behaviour::Contradict, &when)
        },
    },
    Named {
        name: "strategists",
        says: "validators vote otherwise together, and only where that wins",
        ploys: |validators| {
            let when = When { winning: true, ..When::ALWAYS };
            let all = (0..validators).rev().take(usize::from(validators.div_ceil(3))).map(Actor::Validator);
            all.map(|liar| Ploy::new(Behaviour::Contradict, Target::Node(liar)).when(when.clone())).collect()
        },
    },
    Named {
        name: "equivocators",
        says: "validators vote both ways",
        ploys: |validators| of_liars(validators, Behaviour::Equivocate),
    },
    Named {
        name: "sleepers",
        says: "validators vote as they find twice, and otherwise ever after",
        ploys: |validators| {
            of_liars_when(validators, Behaviour::Contradict, &When { after: Some(2), ..When::ALWAYS })
        },
    },
    Named {
        name: "slow-validators",
        says: "what validators send comes late",
        ploys: |validators| of_liars(validators, Behaviour::Delay { by: SLOW }),
    },
    Named {
        name: "stale-contracts",
        says: "changes of policy do not reach some validators, who go on under the old contracts",
        ploys: |validators| {
            let when = When { message: Some("PolicyChange".to_owned()), ..When::ALWAYS };
            let towards = |liar| Ploy::new(Behaviour::Drop, Target::Towards(liar)).when(when.clone());
            liars(validators).map(towards).collect()
        },
    },
    Named {
        name: "withheld-blocks",
        says: "validators keep the blocks that they close to themselves",
        ploys: |validators| {
            let when = When { message: Some("Block".to_owned()), ..When::ALWAYS };
            of_liars_when(validators, Behaviour::Drop, &when)
        },
    },
    Named {
        name: "reordered-blocks",
        says: "blocks and what closes them come out of order, and late",
        ploys: |_| {
            let named =
                |name: &str| When { message: Some(name.to_owned()), thousandths: Some(400), ..When::ALWAYS };
            vec![
                Ploy::new(Behaviour::Delay { by: SLOW }, Target::Everything).when(named("Block")),
                Ploy::new(Behaviour::Reorder, Target::Everything).when(named("Proposal")),
                Ploy::new(Behaviour::Reorder, Target::Everything).when(named("Closing")),
            ]
        },
    },
    Named {
        name: "private-fork",
        says: "miners work on a chain of their own for a while, and then show it",
        ploys: |validators| {
            let side = liars(validators).chain([Actor::Validator(0)]).collect();
            let border = || Target::Across(BTreeSet::clone(&side));
            let block = When { message: Some("Block".to_owned()), ..from_until(0, CUT_OFF.1) };
            vec![Ploy::new(Behaviour::Silence, border()).when(block)]
        },
    },
    Named {
        name: "newcomers",
        says: "validators vote under names that nobody admitted",
        ploys: |validators| of_liars(validators, Behaviour::Lie),
    },
    Named {
        name: "man-in-the-middle",
        says: "packets go astray, come from others, are changed, and handshakes are answered by impostors",
        ploys: |_| {
            vec![
                by_chance(Behaviour::Redirect, 40),
                by_chance(Behaviour::Spoil, 40),
                by_chance(Behaviour::Replay, 20),
                Ploy::new(Behaviour::Pose, Target::Node(Actor::Bsd)).when(seldom()),
                Ploy::new(Behaviour::Pose, Target::Node(Actor::Cloud)).when(seldom()),
                Ploy::new(Behaviour::Pose, Target::Node(Actor::User(0))).when(seldom()),
            ]
        },
    },
    Named {
        name: "insider-user",
        says: "a certified user says what no honest one would",
        ploys: |_| insider(Actor::User(0)),
    },
    Named {
        name: "insider-bsd",
        says: "the server database says what no honest one would, and shows its audit log otherwise",
        ploys: |_| {
            let mut ploys = insider(Actor::Bsd);
            ploys.push(Ploy::new(Behaviour::Falsify, Target::Node(Actor::Bsd)));
            ploys
        },
    },
    Named {
        name: "insider-cloud",
        says: "the cloud rolls back, forks, deletes, changes and truncates",
        ploys: |_| {
            let mut ploys = insider(Actor::Cloud);
            ploys.push(Ploy::new(Behaviour::Falsify, Target::Node(Actor::Cloud)));
            ploys.push(Ploy::new(Behaviour::Tamper, Target::Node(Actor::Cloud)).when(seldom()).at_most(8));
            ploys
        },
    },
    Named {
        name: "insider-kdc",
        says: "a second pair of keys is certified for names that have one, and lists are forged",
        ploys: |_| {
            vec![
                Ploy::new(Behaviour::Certify, Target::Node(Actor::Kdc)).when(seldom()),
                Ploy::new(Behaviour::Tell, Target::Node(Actor::Kdc)).when(seldom()),
            ]
        },
    },
    Named {
        name: "thief",
        says: "now and then somebody reads what the server database, a user or the cloud has in memory",
        ploys: |_| {
            let whose = [Actor::Bsd, Actor::Cloud, Actor::User(0)];
            whose.map(|node| Ploy::new(Behaviour::Leak, Target::Node(node)).when(seldom())).into()
        },
    },
    Named {
        name: "crashes",
        says: "everybody who can dies now and then, and starts again",
        ploys: |validators| {
            let mortal = [Actor::Bsd, Actor::Cloud].into_iter().chain((0..validators).map(Actor::Validator));
            let when = When { thousandths: Some(3), ..When::ALWAYS };
            mortal.map(|node| Ploy::new(Behaviour::Crash, Target::Node(node)).when(when.clone())).collect()
        },
    },
];

/// The last of the validators, as many as the protocol bears; the last, where it bears none.
fn liars(validators: u8) -> impl Iterator<Item = Actor> {
    let many = (validators.saturating_sub(1) / 3).max(1);
    (validators - many..validators).map(Actor::Validator)
}

fn of_liars(validators: u8, behaviour: Behaviour) -> Vec<Ploy> {
    of_liars_when(validators, behaviour, &When::ALWAYS)
}

fn of_liars_when(validators: u8, behaviour: Behaviour, when: &When) -> Vec<Ploy> {
    liars(validators).map(|liar| Ploy::new(behaviour, Target::Node(liar)).when(when.clone())).collect()
}

fn insider(node: Actor) -> Vec<Ploy> {
    let tell = Ploy::new(Behaviour::Tell, Target::Node(node)).when(seldom());
    let lie =
        Ploy::new(Behaviour::Lie, Target::Node(node)).when(When { thousandths: Some(300), ..When::ALWAYS });
    vec![lie, tell]
}

fn by_chance(behaviour: Behaviour, thousandths: u16) -> Ploy {
    let when = When { thousandths: Some(thousandths), ..When::ALWAYS };
    Ploy::new(behaviour, Target::Everything).when(when)
}

const fn seldom() -> When {
    When { thousandths: Some(50), ..When::ALWAYS }
}

const fn from_until(from: Time, until: Time) -> When {
    When { from: Some(from), until: Some(until), ..When::ALWAYS }
}
