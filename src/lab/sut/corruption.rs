//! What happens to the bytes of an envelope on its way.

use crate::forge;
use crate::sut::{Bytes, CLEAR, Envelope, SystemUnderTest};
use bemr::actors::Input;
use bemr::crypto::{Element, Suite};
use bemr::wire::{self, decode, encode};
use bemr_model::{Actor, Corruption, Flaws, Happened, Packet};
use bemr_spec::{Clause, Event, Rules, constants};

impl SystemUnderTest {
    /// An envelope arrives with its bytes changed.
    pub(super) fn corrupt(&mut self, envelope: u32, how: Corruption) -> Option<Happened> {
        let place = envelope as usize;
        let envelope = self.envelopes.get(place)?;
        let (from, to, cause) = (envelope.from, envelope.to, envelope.packet);
        let slot = self.slot(to)?;
        let name = self.address(from)?;
        let suite = self.foundation.suite;
        let input = match &envelope.bytes {
            Bytes::Packet(packet) => {
                let hello = matches!(cause, Some(Packet::Hello { .. }));
                let packet = match (in_clear(how), how) {
                    (Some(clause), _) => {
                        let genuine: wire::Packet = decode(&Rules::hardened(), packet).ok()?;
                        encode(&forge::packet(&genuine, Flaws::of(clause))?)
                    }
                    (None, Corruption::Splice) => {
                        let other = last_record(&self.envelopes[..place], from)?;
                        [packet.get(..HEADER)?, other.get(HEADER..)?].concat()
                    }
                    (None, _) => corrupted(packet.to_vec(), how, hello.then_some(suite)),
                };
                Input::Packet { from: name, packet }
            }
            Bytes::Gossip(_) if !matches!(how, Corruption::Flip | Corruption::Cut | Corruption::Extend) => {
                return None;
            }
            Bytes::Gossip(gossip) => {
                let bytes = corrupted(encode(&**gossip), how, None);
                match decode::<wire::Gossip>(&self.rules, &bytes) {
                    Ok(gossip) => Input::Gossip { from: name, gossip },
                    Err(refusal) => {
                        let clause = Some(refusal.clause());
                        return Some(self.happened(to, Some(from), Event::Malformed, clause, Vec::new()));
                    }
                }
            }
        };
        Some(self.happen(slot, Some(from), cause, input))
    }
}

/// What is changed in a field of a packet: so that it fails the check of this clause.
const fn in_clear(how: Corruption) -> Option<Clause> {
    Some(match how {
        Corruption::Suite => Clause::SuiteNotDowngraded,
        Corruption::SessionType => Clause::RoleFitsPlace,
        Corruption::Neutral => Clause::ElementInRange,
        Corruption::Outside => Clause::ElementInSubgroup,
        Corruption::Stage => Clause::StageFitsSession,
        Corruption::Ahead => Clause::SkipIsBounded,
        Corruption::Flip
        | Corruption::Cut
        | Corruption::Extend
        | Corruption::Bloat
        | Corruption::Swap
        | Corruption::Splice => return None,
    })
}

/// The kind of a packet, and what a record says in clear.
const HEADER: usize = 1 + CLEAR;

/// The last record that somebody sent.
fn last_record(envelopes: &[Envelope], from: Actor) -> Option<&[u8]> {
    envelopes.iter().rev().filter(|envelope| envelope.from == from).find_map(|envelope| {
        match (&envelope.packet, &envelope.bytes) {
            (Some(Packet::Record(_)), Bytes::Packet(bytes)) => Some(&bytes[..]),
            _ => None,
        }
    })
}

/// Longer than any message, and than what allocators keep for the next who asks: so its zeros come from the system, and cost nothing because
/// nobody touches them.
const BLOATED: usize = 40 << 20;
const _: () = assert!(BLOATED > constants::MESSAGE_BYTES);

/// Bytes of a block of the cipher, and of its tag.
const BLOCK: usize = 16;

/// `bytes`, changed. What a hello of `hello` ends with is an element, and half of all changes make another one: the lowest
/// bit is turned over that does not.
fn corrupted(mut bytes: Vec<u8>, how: Corruption, hello: Option<Suite>) -> Vec<u8> {
    match (how, hello) {
        (Corruption::Cut, _) => drop(bytes.pop()),
        (Corruption::Extend, _) => bytes.push(0),
        (Corruption::Bloat, _) => {
            let mut bloated = vec![0; BLOATED];
            bloated[..bytes.len()].copy_from_slice(&bytes);
            return bloated;
        }
        (Corruption::Swap, _) => {
            if let Some(start) = bytes.len().checked_sub(2 * BLOCK) {
                bytes[start..].rotate_left(BLOCK);
            }
        }
        (Corruption::Flip, None) => {
            if let Some(last) = bytes.last_mut() {
                *last ^= 1;
            }
        }
        (Corruption::Flip, Some(suite)) => {
            let element = bytes.len().saturating_sub(suite.element_len());
            let last = bytes.len().saturating_sub(1);
            for bit in (0..8).map(|bit| 1 << bit) {
                bytes[last] ^= bit;
                if Element::decode(&Rules::hardened(), suite, &bytes[element..]).is_err() {
                    break;
                }
                bytes[last] ^= bit;
            }
        }
        // A field is changed where it is known.
        _ => {}
    }
    bytes
}
