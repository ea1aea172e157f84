//! Votes of Byzantine validators: alone, and in coalition.

use crate::sut::BREAKABLE;
use bemr_model::{Action, Actor, Ballot, Datagram, Execution, Message, Packet, Vote};
use bemr_spec::Clause;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// The rules that a false vote can name. No sample record violates the last one, so that a vote naming it is never true.
pub(super) const RULES: [Clause; 8] = {
    let [one, two, three, four, five, six, seven] = BREAKABLE;
    [one, two, three, four, five, six, seven, Clause::SubjectRule]
};

/// The ballot of a validator that votes the opposite.
pub(super) const fn contrary(ballot: Ballot) -> Ballot {
    match ballot {
        Ballot::True => Ballot::False(RULES[0]),
        Ballot::False(_) => Ballot::True,
    }
}

/// The genuine vote in an envelope, if there is one.
pub(super) fn vote(model: &Execution, envelope: u32) -> Option<Vote> {
    match &model.envelopes().get(envelope as usize)?.datagram {
        Datagram::Packet(Packet::Record(record)) => match record.message {
            Message::Vote(vote) if vote.flaws.is_empty() => Some(vote),
            _ => None,
        },
        _ => None,
    }
}

/// All validators vote false on the question that `vote` answers: with one rule, or with different ones.
pub(super) fn coalition(rng: &mut ChaCha8Rng, model: &Execution, vote: &Vote) -> Vec<Action> {
    let rule = RULES[rng.random_range(0..RULES.len())];
    let split = rng.random_range(0..2) == 0;
    let validators = model.system().actors().filter(|actor| matches!(actor, Actor::Validator(_)));
    let liars = validators.filter_map(|actor| match actor {
        Actor::Validator(validator) => Some((actor, validator)),
        _ => None,
    });
    let ballot = |validator: u8| match split {
        true => Ballot::False(RULES[usize::from(validator) % RULES.len()]),
        false => Ballot::False(rule),
    };
    liars
        .map(|(actor, validator)| {
            let message = Message::Vote(Vote { validator, ballot: ballot(validator), ..*vote });
            Action::Send { actor, to: Actor::Bsd, message }
        })
        .collect()
}
