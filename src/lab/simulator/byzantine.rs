//! Validators that err, lie or are silent, as data, for checkers and experiments.
//!
//! One who lies has real keys and a real session, and signs what it says: nothing on the wire tells it from an honest
//! one. It lies about verdicts alone; what it signs of blocks is what an honest one signs.

use crate::simulator::Node;
use bemr::actors::{Actor, Input, Output, Overheard, Step, Validator};
use bemr::crypto::{Digest, Domain};
use bemr::wire::{Ballot, Message, Name, Time, Vote, VoteBody, encode};
use bemr_spec::{Clause, Refusal};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// How a validator behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ByzantinePolicy {
    /// As the protocol says.
    Honest,
    /// Its verdict is the opposite of the right one with one probability, the same for one T_block whenever it is asked;
    /// an answer of it does not come with another, drawn each time.
    Flawed {
        /// The probability of a false verdict.
        falsify: f64,
        /// The probability that an answer does not come.
        silence: f64,
    },
    /// It does nothing at all: no vote, no handshake, no signature of a block.
    Absent,
}

impl ByzantinePolicy {
    /// Always says the opposite.
    pub const FALSIFY: ByzantinePolicy = ByzantinePolicy::Flawed { falsify: 1.0, silence: 0.0 };

    /// Says the opposite, where it does not drop its answer: one in two.
    pub const MIXED: ByzantinePolicy = ByzantinePolicy::Flawed { falsify: 1.0, silence: 0.5 };
}

/// What liars say is broken: they all name one rule, so that their votes count together.
const EXCUSE: Clause = Clause::RangeRule;

/// A validator with a conduct of its own.
pub struct ByzantineValidator {
    validator: Validator,
    conduct: ByzantinePolicy,
    /// What it says of each T_block.
    said: BTreeMap<Digest, Vote>,
    rng: ChaCha8Rng,
}

impl ByzantineValidator {
    fn new(mut validator: Validator, conduct: ByzantinePolicy, seed: u64) -> ByzantineValidator {
        validator.context().sessions.tap();
        ByzantineValidator { validator, conduct, said: BTreeMap::new(), rng: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// These validators, each with its conduct; those beyond the end of `conduct` are honest. All chance is from the seed.
    pub(super) fn among(validators: Vec<Validator>, conduct: &[ByzantinePolicy], seed: u64) -> Vec<Node> {
        let node = |(place, validator): (usize, Validator)| match conduct.get(place) {
            None | Some(ByzantinePolicy::Honest) => Node::Validator(Box::new(validator)),
            Some(conduct) => {
                let seed = seed ^ (place as u64 + 1).rotate_right(8);
                Node::ByzantineValidator(Box::new(ByzantineValidator::new(validator, *conduct, seed)))
            }
        };
        validators.into_iter().enumerate().map(node).collect()
    }

    /// The validator as it would be.
    pub fn validator(&mut self) -> &mut Validator {
        &mut self.validator
    }

    /// The vote that the validator has just given, and to whom, if it has.
    fn honest_vote(&mut self) -> Option<(Name, Vote)> {
        let heard = self.validator.context().sessions.overheard();
        heard.into_iter().rev().find_map(|heard| match heard {
            Overheard::Message { peer, message: Message::Vote(vote), .. } => Some((peer, vote)),
            _ => None,
        })
    }

    /// What it says instead of `honest`; drawn when it is first asked.
    fn vote(&mut self, honest: Vote, falsify: f64) -> Vote {
        let block = honest.body.block;
        if let Some(said) = self.said.get(&block) {
            return said.clone();
        }
        let said = if self.rng.random_bool(falsify) {
            let (ballot, reason) = match honest.body.ballot {
                Ballot::True => (Ballot::False, EXCUSE.code()),
                Ballot::False => (Ballot::True, 0),
            };
            let body = VoteBody { ballot, reason, ..honest.body };
            let office = self.validator.context();
            let key = office.own.identity().signing_key();
            let signature = key.sign(&office.rules, Domain::VOTE, &encode(&body));
            Vote { body, signature, ..honest }
        } else {
            honest
        };
        self.said.insert(block, said.clone());
        said
    }

    fn say(&mut self, now: Time, step: Step, falsify: f64, silence: f64) -> Step {
        let Some((bsd, honest)) = self.honest_vote() else { return step };
        let vote = self.vote(honest.clone(), falsify);
        if self.rng.random_bool(silence) {
            return map_outputs(step, |outputs| {
                outputs.into_iter().filter(|output| !is_vote(output)).collect()
            });
        }
        if vote == honest {
            return step;
        }
        let office = self.validator.context();
        let lie = office.send(now, &bsd, Message::Vote(vote)).map(|(outputs, _)| outputs).unwrap_or_default();
        // What it said just now is no vote of the validator.
        office.sessions.overheard();
        map_outputs(step, |outputs| {
            outputs.into_iter().filter(|output| !is_vote(output)).chain(lie).collect()
        })
    }
}

fn is_vote(output: &Output) -> bool {
    matches!(output, Output::Send { label: "Vote", .. })
}

fn map_outputs(step: Step, with: impl FnOnce(Vec<Output>) -> Vec<Output>) -> Step {
    Step { outcome: step.outcome.map(with), ..step }
}

impl Actor for ByzantineValidator {
    fn name(&self) -> &Name {
        self.validator.name()
    }

    fn handle(&mut self, now: Time, input: Input) -> Step {
        match self.conduct {
            ByzantinePolicy::Absent => Step::refused("Absent", Refusal::new(Clause::PeerIsIntended)),
            ByzantinePolicy::Honest => self.validator.handle(now, input),
            ByzantinePolicy::Flawed { falsify, silence } => {
                let step = self.validator.handle(now, input);
                self.say(now, step, falsify, silence)
            }
        }
    }

    fn wake(&self) -> Option<Time> {
        match self.conduct {
            ByzantinePolicy::Absent => None,
            ByzantinePolicy::Honest | ByzantinePolicy::Flawed { .. } => self.validator.wake(),
        }
    }

    fn state(&self) -> Digest {
        self.validator.state()
    }
}
