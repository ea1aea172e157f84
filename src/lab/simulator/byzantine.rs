//! Validators that deviate from the protocol, as data, for checkers and experiments.
//!
//! A Byzantine validator has genuine keys and a genuine session and signs what it sends: nothing on the wire tells it from an
//! honest one. Only its votes on transactions are false; blocks it signs as an honest one does.

use crate::faults::{FaultKind, FaultRule};
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
    /// It follows the protocol.
    Honest,
    /// It votes the opposite of the right verdict with one probability, and the same on one T_block whenever it is asked; with
    /// another, drawn each time, it does not send its vote.
    Flawed {
        /// The probability of a false vote.
        falsify: f64,
        /// The probability that a vote is not sent.
        silence: f64,
    },
    /// It sends nothing: no vote, no handshake, no signature of a block.
    Absent,
}

impl ByzantinePolicy {
    /// What these rules make of a validator, each with its own chance: that it votes otherwise than it finds, that its answers
    /// are lost, or that it does nothing at all.
    pub fn of(rules: &[FaultRule]) -> ByzantinePolicy {
        let chance = |kind: FaultKind| {
            let rule = rules.iter().find(|rule| rule.kind == kind);
            rule.map_or(0.0, |rule| f64::from(rule.trigger.thousandths.unwrap_or(1_000)) / 1_000.0)
        };
        if chance(FaultKind::Silence) > 0.0 {
            return ByzantinePolicy::Absent;
        }
        let (falsify, silence) = (chance(FaultKind::Contradict), chance(FaultKind::Drop));
        match falsify + silence > 0.0 {
            true => ByzantinePolicy::Flawed { falsify, silence },
            false => ByzantinePolicy::Honest,
        }
    }

    /// Always votes the opposite.
    pub const FALSIFY: ByzantinePolicy = ByzantinePolicy::Flawed { falsify: 1.0, silence: 0.0 };
}

/// The clause that every false negative vote names: votes with one reason count together.
const FALSE_REASON: Clause = Clause::RangeRule;

/// A validator that deviates from the protocol.
pub struct ByzantineValidator {
    validator: Validator,
    policy: ByzantinePolicy,
    /// Its vote on each T_block.
    votes: BTreeMap<Digest, Vote>,
    rng: ChaCha8Rng,
}

impl ByzantineValidator {
    fn new(mut validator: Validator, policy: ByzantinePolicy, seed: u64) -> ByzantineValidator {
        validator.context().sessions.tap();
        ByzantineValidator { validator, policy, votes: BTreeMap::new(), rng: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// These validators, each with its policy; those beyond the end of `policies` follow the protocol. All chance comes from
    /// the seed.
    pub(super) fn among(validators: Vec<Validator>, policies: &[ByzantinePolicy], seed: u64) -> Vec<Node> {
        let node = |(index, validator): (usize, Validator)| match policies.get(index) {
            None | Some(ByzantinePolicy::Honest) => Node::Validator(Box::new(validator)),
            Some(policy) => {
                let seed = seed ^ (index as u64 + 1).rotate_right(8);
                Node::ByzantineValidator(Box::new(ByzantineValidator::new(validator, *policy, seed)))
            }
        };
        validators.into_iter().enumerate().map(node).collect()
    }

    /// The validator as it would be if it followed the protocol.
    pub fn validator(&mut self) -> &mut Validator {
        &mut self.validator
    }

    /// The vote that the validator has just sent, and to whom, if it has.
    fn honest_vote(&mut self) -> Option<(Name, Vote)> {
        let sent = self.validator.context().sessions.overheard();
        sent.into_iter().rev().find_map(|sent| match sent {
            Overheard::Message { peer, message: Message::Vote(vote), .. } => Some((peer, vote)),
            _ => None,
        })
    }

    /// What it votes instead of `honest`; drawn when it is first asked.
    fn vote(&mut self, honest: Vote, falsify: f64) -> Vote {
        let block = honest.body.block;
        if let Some(vote) = self.votes.get(&block) {
            return vote.clone();
        }
        let vote = if self.rng.random_bool(falsify) {
            let (ballot, reason) = match honest.body.ballot {
                Ballot::True => (Ballot::False, FALSE_REASON.code()),
                Ballot::False => (Ballot::True, 0),
            };
            let body = VoteBody { ballot, reason, ..honest.body };
            let context = self.validator.context();
            let key = context.own.identity().signing_key();
            let signature = key.sign(&context.rules, Domain::VOTE, &encode(&body));
            Vote { body, signature, ..honest }
        } else {
            honest
        };
        self.votes.insert(block, vote.clone());
        vote
    }

    /// Replaces or drops the vote among what the validator sends.
    fn falsify(&mut self, now: Time, step: Step, falsify: f64, silence: f64) -> Step {
        let Some((bsd, honest)) = self.honest_vote() else { return step };
        let vote = self.vote(honest.clone(), falsify);
        let silent = self.rng.random_bool(silence);
        if vote == honest && !silent {
            return step;
        }
        let mut replacement = Vec::new();
        if !silent {
            let context = self.validator.context();
            replacement =
                context.send(now, &bsd, Message::Vote(vote)).map(|(sent, _)| sent).unwrap_or_default();
            // The false vote is not one that the validator sent.
            context.sessions.overheard();
        }
        let kept = |sent: Vec<Output>| {
            sent.into_iter().filter(|output| !is_vote(output)).chain(replacement).collect()
        };
        Step { outcome: step.outcome.map(kept), ..step }
    }
}

fn is_vote(output: &Output) -> bool {
    matches!(output, Output::Send { label: "Vote", .. })
}

impl Actor for ByzantineValidator {
    fn name(&self) -> &Name {
        self.validator.name()
    }

    fn handle(&mut self, now: Time, input: Input) -> Step {
        match self.policy {
            ByzantinePolicy::Absent => {
                Step::refused(bemr_spec::Event::Unexpected, Refusal::new(Clause::PeerIsIntended))
            }
            ByzantinePolicy::Honest => self.validator.handle(now, input),
            ByzantinePolicy::Flawed { falsify, silence } => {
                let step = self.validator.handle(now, input);
                self.falsify(now, step, falsify, silence)
            }
        }
    }

    fn wake(&self) -> Option<Time> {
        match self.policy {
            ByzantinePolicy::Absent => None,
            ByzantinePolicy::Honest | ByzantinePolicy::Flawed { .. } => self.validator.wake(),
        }
    }

    fn state(&self) -> Digest {
        self.validator.state()
    }
}
