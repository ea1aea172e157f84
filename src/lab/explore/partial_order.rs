//! Which of all moves a search takes where it does not take all of them ([`Arrival`]).
//!
//! Of moves that happen to two validators who can be swapped without a difference one leads where the other leads, under other
//! names: the one of the lower number is taken.

use crate::explore::transition_cache::{Number, Says, TransitionCache};
use crate::explore::{Arrival, Move, SearchConfig, SearchState};
use bemr_model::{Actor, Datagram, Envelope, Gossip, Message, Packet};

/// Leaves of these moves those that are taken.
pub(super) fn choose(
    part: &SearchConfig,
    atlas: &TransitionCache,
    scene: &SearchState,
    moves: &mut Vec<Move>,
) {
    match part.arrival {
        Arrival::Any => {}
        Arrival::Prompt => promptly(part, atlas, scene, moves),
        Arrival::InOrder => in_order(atlas, scene, moves),
    }
}

/// What an insider does not hear any more who answers it otherwise.
pub(super) fn answered(
    part: &SearchConfig,
    atlas: &TransitionCache,
    scene: &SearchState,
    lie: Number,
) -> Option<Number> {
    if part.arrival == Arrival::Any || !matches!(atlas.lie(lie).by, Actor::Validator(_)) {
        return None;
    }
    let is_answer = |number: &&Number| {
        let sent = atlas.parcel(**number);
        sent.parcel.to == atlas.lie(lie).by && sent.lies.contains(&lie)
    };
    scene.flying.iter().find(is_answer).copied()
}

fn is_proposal_to_insider(part: &SearchConfig, parcel: &Envelope) -> bool {
    matches!(parcel.datagram, Datagram::Gossip(Gossip::Proposal { .. })) && part.insiders.contains(&parcel.to)
}

/// Whether a parcel arrives before anything else happens.
fn is_prompt(part: &SearchConfig, parcel: &Envelope) -> bool {
    match &parcel.datagram {
        // What somebody signed before is shown to who proposes otherwise, who has signed as well.
        Datagram::Gossip(Gossip::Proposal { proposal, signatory, .. }) => *signatory != proposal.proposer,
        // BSD, cloud and users go on by a block.
        Datagram::Gossip(Gossip::Block(_)) => matches!(parcel.to, Actor::Validator(_)),
        Datagram::Gossip(_) => true,
        Datagram::Packet(Packet::Record(record)) => match record.message {
            Message::Vote(_) => true,
            // What a BSD who lies asks arrives when it likes: it need not have asked before.
            Message::Block { .. } => part.insiders.contains(&Actor::Bsd),
            _ => false,
        },
        Datagram::Packet(_) => false,
    }
}

fn promptly(part: &SearchConfig, atlas: &TransitionCache, scene: &SearchState, moves: &mut Vec<Move>) {
    let prompt = scene.flying.iter().find(|number| is_prompt(part, &atlas.parcel(**number).parcel));
    let to_insider = |number: &&Number| is_proposal_to_insider(part, &atlas.parcel(**number).parcel);
    if let Some(number) = prompt {
        *moves = vec![Move::Deliver(*number)];
    } else if let Some(number) = scene.flying.iter().find(to_insider) {
        let signs = |what: &&Move| matches!(what, Move::Lie(lie) if answered(part, atlas, scene, *lie) == Some(*number));
        let signs = moves.iter().find(signs).copied();
        *moves = vec![signs.unwrap_or(Move::Deliver(*number))];
    } else {
        let next = moves.iter().filter_map(|what| listener(atlas, *what)).min();
        moves.retain(|what| listener(atlas, *what).is_none_or(|one| Some(one) == next));
        // Users go on when all is quiet.
        moves.retain(|what| *what != Move::Command || scene.flying.is_empty());
        moves.retain(|what| {
            validator(atlas, *what).is_none_or(|validator| !scene.is_a_copy(atlas, validator))
        });
    }
}

/// Whether a parcel is lost for certain: where a turn can come early, nobody hears of the block that was closed before it.
pub(super) fn is_withheld(part: &SearchConfig, parcel: &Envelope) -> bool {
    part.arrival == Arrival::Prompt
        && part.budget.early > 0
        && matches!(parcel.datagram, Datagram::Gossip(Gossip::Block(_)))
}

/// Who hears a proposal by this move, where it is one of those who are one another. What one of them hears and what another does change
/// nothing for each other, since of what they answer the proposer counts how many they are: so one comes after the other.
fn listener(atlas: &TransitionCache, what: Move) -> Option<u8> {
    let Move::Deliver(number) = what else { return None };
    let parcel = &atlas.parcel(number).parcel;
    let (Actor::Validator(to), Datagram::Gossip(Gossip::Proposal { .. })) = (parcel.to, &parcel.datagram)
    else {
        return None;
    };
    atlas.swaps().iter().any(|swap| swap.low == to || swap.high == to).then_some(to)
}

/// The validator to whom a move happens.
fn validator(atlas: &TransitionCache, what: Move) -> Option<u8> {
    let actors = match what {
        Move::Deliver(number) | Move::Drop(number) | Move::Replay(number) => {
            let parcel = &atlas.parcel(number).parcel;
            [parcel.to, parcel.from]
        }
        Move::Redirect(_, to, from) => [to, from],
        Move::Wake(actor, _) | Move::Crash(actor) => [actor, actor],
        Move::Lie(number) => [atlas.lie(number).by, atlas.lie(number).to],
        Move::Command => return None,
    };
    // Where two validators take part, who is swapped with whom is another matter.
    match actors {
        [Actor::Validator(one), Actor::Validator(other)] if one != other => None,
        [Actor::Validator(one), _] | [_, Actor::Validator(one)] => Some(one),
        _ => None,
    }
}

fn in_order(atlas: &TransitionCache, scene: &SearchState, moves: &mut Vec<Move>) {
    let taken = |what: &Move| match (what, scene.flying.first()) {
        (Move::Deliver(number), Some(first)) => number == first,
        // To sign a block is no lie yet.
        (Move::Lie(lie), Some(first)) => {
            atlas.parcel(*first).lies.contains(lie) && matches!(atlas.lie(*lie).says, Says::Message(_))
        }
        (Move::Command | Move::Wake(..), None) => true,
        _ => false,
    };
    moves.retain(taken);
    if scene.flying.is_empty() {
        moves.truncate(1);
    }
}
