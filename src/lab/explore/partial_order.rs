//! Which of all moves a search takes where it does not take all of them ([`Arrival`]).
//!
//! Moves that happen to two validators who can be swapped without a difference lead to the same states but for their names: the search
//! takes the one of the lower number.

use crate::explore::adversary::Payload;
use crate::explore::state::StateRef;
use crate::explore::transition_cache::{Number, TransitionCache};
use crate::explore::{Arrival, Move, SearchConfig};
use bemr_model::{Actor, Datagram, Envelope, Gossip, Message, Packet};

/// Leaves of these moves those that are taken.
pub(super) fn choose(
    config: &SearchConfig,
    cache: &TransitionCache,
    state: &StateRef<'_>,
    moves: &mut Vec<Move>,
) {
    match config.arrival {
        Arrival::Any => {}
        Arrival::Prompt => promptly(config, cache, state, moves),
        Arrival::InOrder => in_order(cache, state, moves),
    }
}

/// The envelope that a Byzantine validator answers by this message, and so does not answer honestly any more.
pub(super) fn answered(
    config: &SearchConfig,
    cache: &TransitionCache,
    state: &StateRef<'_>,
    message: Number,
) -> Option<Number> {
    if config.arrival == Arrival::Any {
        return None;
    }
    let by = cache.byzantine.get(message).by;
    let prompts = |number: &&Number| {
        cache.envelopes.get(**number).to == by && cache.prompted(**number).contains(&message)
    };
    matches!(by, Actor::Validator(_)).then(|| state.in_flight.iter().find(prompts).copied()).flatten()
}

fn is_proposal_to_insider(config: &SearchConfig, envelope: &Envelope) -> bool {
    matches!(envelope.datagram, Datagram::Gossip(Gossip::Proposal { .. }))
        && config.insiders.contains(&envelope.to)
}

/// Whether an envelope arrives before anything else happens.
fn is_prompt(config: &SearchConfig, envelope: &Envelope) -> bool {
    match &envelope.datagram {
        // A signatory retransmits what it signed to the proposer of another block, who has signed as well.
        Datagram::Gossip(Gossip::Proposal { proposal, signatory, .. }) => *signatory != proposal.proposer,
        // BSD, cloud and users act on a block, so that its arrival there is searched in every order.
        Datagram::Gossip(Gossip::Block(_)) => matches!(envelope.to, Actor::Validator(_)),
        Datagram::Gossip(_) => true,
        Datagram::Packet(Packet::Record(record)) => match record.message {
            Message::Vote(_) => true,
            // A Byzantine BSD need not have sent its T_block before: any instant of arrival is one of sending.
            Message::Block { .. } => config.insiders.contains(&Actor::Bsd),
            _ => false,
        },
        Datagram::Packet(_) => false,
    }
}

fn promptly(config: &SearchConfig, cache: &TransitionCache, state: &StateRef<'_>, moves: &mut Vec<Move>) {
    let first = |condition: fn(&SearchConfig, &Envelope) -> bool| {
        state.in_flight.iter().copied().find(|number| condition(config, cache.envelopes.get(*number)))
    };
    if let Some(number) = first(is_prompt) {
        *moves = vec![Move::Deliver(number)];
    } else if let Some(number) = first(is_proposal_to_insider) {
        let signs = |what: &&Move| matches!(what, Move::Byzantine(message) if answered(config, cache, state, *message) == Some(number));
        let signs = moves.iter().find(signs).copied();
        *moves = vec![signs.unwrap_or(Move::Deliver(number))];
    } else {
        let next = moves.iter().filter_map(|what| proposal_receiver(cache, *what)).min();
        moves.retain(|what| proposal_receiver(cache, *what).is_none_or(|one| Some(one) == next));
        // Users go on when nothing is in flight.
        moves.retain(|what| *what != Move::Command || state.in_flight.is_empty());
        moves.retain(|what| {
            validator(cache, *what).is_none_or(|validator| !state.has_twin_of_lower_number(cache, validator))
        });
    }
}

/// Whether an envelope is lost for certain: where a round can come early, nobody receives the block that was committed before it.
pub(super) fn is_withheld(config: &SearchConfig, envelope: &Envelope) -> bool {
    config.arrival == Arrival::Prompt
        && config.budget.early > 0
        && matches!(envelope.datagram, Datagram::Gossip(Gossip::Block(_)))
}

/// The validator to whom this move delivers a proposal, where it can be swapped with another. What these receive changes nothing for
/// each other, since the proposer counts their answers: so one receives it after the other.
fn proposal_receiver(cache: &TransitionCache, what: Move) -> Option<u8> {
    let Move::Deliver(number) = what else { return None };
    let envelope = cache.envelopes.get(number);
    let (Actor::Validator(to), Datagram::Gossip(Gossip::Proposal { .. })) = (envelope.to, &envelope.datagram)
    else {
        return None;
    };
    cache.swaps().iter().any(|swap| swap.low == to || swap.high == to).then_some(to)
}

/// The validator to whom a move happens.
fn validator(cache: &TransitionCache, what: Move) -> Option<u8> {
    let actors = match what {
        Move::Deliver(number) | Move::Drop(number) | Move::Replay(number) => {
            let envelope = cache.envelopes.get(number);
            [envelope.to, envelope.from]
        }
        Move::Redirect(_, to, from) => [to, from],
        Move::Wake(actor, _) | Move::Crash(actor) => [actor, actor],
        Move::Byzantine(number) => [cache.byzantine.get(number).by, cache.byzantine.get(number).to],
        Move::Command => return None,
    };
    // Where two validators take part, swapping one leaves the other's move another one.
    match actors {
        [Actor::Validator(one), Actor::Validator(other)] if one != other => None,
        [Actor::Validator(one), _] | [_, Actor::Validator(one)] => Some(one),
        _ => None,
    }
}

fn in_order(cache: &TransitionCache, state: &StateRef<'_>, moves: &mut Vec<Move>) {
    let Some(first) = state.in_flight.first() else {
        moves.retain(|what| matches!(what, Move::Command | Move::Wake(..)));
        moves.truncate(1);
        return;
    };
    moves.retain(|what| match what {
        Move::Deliver(number) => number == first,
        // Signing a block is not yet a contradiction.
        Move::Byzantine(number) => {
            cache.prompted(*first).contains(number)
                && matches!(cache.byzantine.get(*number).payload, Payload::Message(_))
        }
        _ => false,
    });
}
