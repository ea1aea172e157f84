//! Because of which primitive's clause an input was refused (chapter 14): where a clause demands a signature or that something
//! opens, what the primitive of chapter 3 says of the value.

use crate::{Datagram, Flaws, Gossip, Message, Packet, Vote};
use bemr_spec::Clause;

/// The clauses that demand that something opens.
const OPENED: &[Clause] =
    &[Clause::FlightIsAuthentic, Clause::RecordIsAuthentic, Clause::RecordOpensUnderItsKey];

/// The clauses that demand a signature. Some demand more, which fails for no primitive's sake.
const SIGNED: &[Clause] = &[
    Clause::CertificateSignedByKdc,
    Clause::ResponderSignsTranscript,
    Clause::InitiatorSignsTranscript,
    Clause::UserSignsInitial,
    Clause::BsdSignsBlock,
    Clause::BsdSignsValid,
    Clause::VoteSigned,
    Clause::HeadSignedByCloud,
    Clause::AuditHeadSigned,
];

/// Why `clause` refused what arrived with `flaws`: a signature among them is that of another message, unless a flaw says how
/// else it is wrong.
pub(super) fn cause(clause: Clause, arrived: &Datagram, flaws: Flaws) -> Option<Clause> {
    if OPENED.contains(&clause) {
        return Some(Clause::TagVerifiedBeforeUse);
    }
    let flaws = arrived.flaws().into_iter().chain([flaws]).find(|flaws| flaws.has(clause))?;
    SIGNED.contains(&clause).then_some(match flaws.has(Clause::ScalarInRange) {
        true => Clause::ScalarInRange,
        false => Clause::CommitmentRecomputed,
    })
}

impl Datagram {
    /// The flaws of all the terms in it.
    pub fn flaws(&self) -> [Flaws; 3] {
        let none = Flaws::NONE;
        match self {
            Datagram::Packet(Packet::Record(record)) => match &record.message {
                Message::Valid { certificate, flaws, .. } => [*flaws, certificate.flaws, none],
                Message::Receipt { certificate, flaws, .. } => [*flaws, certificate.flaws, none],
                Message::Initial { flaws, .. }
                | Message::Block { flaws, .. }
                | Message::Vote(Vote { flaws, .. })
                | Message::Record { flaws, .. }
                | Message::Order { flaws, .. } => [*flaws, none, none],
                Message::Outcome { .. } | Message::Read { .. } | Message::Answer { .. } => [none; 3],
            },
            Datagram::Packet(_) => [none; 3],
            Datagram::Gossip(gossip) => match gossip {
                Gossip::Decision(certificate) => [certificate.flaws, none, none],
                Gossip::Head { flaws, .. }
                | Gossip::Closing { flaws, .. }
                | Gossip::PolicyChange { flaws, .. }
                | Gossip::RevocationList { flaws, .. } => [*flaws, none, none],
                Gossip::Proposal { proposal, flaws, .. } => [*flaws, proposal.flaws, none],
                Gossip::Block(block) => [block.flaws, block.proposal.flaws, none],
                Gossip::BlocksFrom(_) => [none; 3],
            },
        }
    }
}
