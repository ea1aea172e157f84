//! Packets between neighbours, as far as somebody forges them who stands between.
//!
//! It has no keys and changes what is in clear, or a bit of what is not. What only an end of the handshake can do is for
//! [`Forge::response`](super::Forge::response) and [`Forge::finish`](super::Forge::finish).

use super::handshake::BETWEEN;
use super::{element, flip_last, other_suite, stray, table};
use bemr::wire::{ContentType, Packet, SessionId, SessionType};
use bemr_model::Flaws;
use bemr_spec::{Clause, constants};

/// A packet; of a handshake's proofs only what takes no keys.
pub fn packet(genuine: &Packet, flaws: Flaws) -> Option<Packet> {
    table::require(genuine.kind(), flaws)?;
    let proves = matches!(genuine, Packet::Response(_) | Packet::Finish(_));
    if proves && !flaws.iter().all(|flaw| BETWEEN.contains(&flaw)) {
        return None;
    }
    let mut forged = genuine.clone();
    match &mut forged {
        Packet::Hello(hello) => {
            if flaws.has(Clause::SuiteNotDowngraded) {
                hello.suite = other_suite(hello.suite);
            }
            if flaws.has(Clause::RoleFitsPlace) {
                // Nobody answers two purposes of which one is block.
                hello.purpose = if hello.purpose == SessionType::Block {
                    SessionType::Initial
                } else {
                    SessionType::Block
                };
            }
            hello.ephemeral = element(hello.ephemeral.as_slice(), flaws)?.into();
        }
        Packet::Response(response) => {
            response.ephemeral = element(response.ephemeral.as_slice(), flaws)?.into();
            if flaws.has(Clause::FlightIsAuthentic) {
                response.proof = flip_last(response.proof.as_slice())?.into();
            }
        }
        Packet::Finish(finish) => {
            if flaws.has(Clause::FlightIsAuthentic) {
                finish.proof = flip_last(finish.proof.as_slice())?.into();
            }
        }
        Packet::Record(record) => {
            let header = &mut record.header;
            if flaws.has(Clause::SessionEstablished) {
                header.session = SessionId(stray(header.session.0.as_bytes()));
            }
            if flaws.has(Clause::DirectionIsIncoming) {
                header.direction = header.direction.reverse();
            }
            if flaws.has(Clause::StageFitsSession) {
                header.stage = if header.stage == ContentType::Block {
                    ContentType::Initial
                } else {
                    ContentType::Block
                };
            }
            if flaws.has(Clause::SequenceAdvances) {
                header.sequence = 0;
            }
            if flaws.has(Clause::SkipIsBounded) {
                // Wherever in its window the genuine record stands.
                header.sequence = header.sequence.saturating_add(constants::RECORDS_SKIPPED);
            }
            if flaws.has(Clause::RecordIsAuthentic) {
                record.ciphertext = flip_last(record.ciphertext.as_slice())?.into();
            }
        }
    }
    Some(forged)
}
