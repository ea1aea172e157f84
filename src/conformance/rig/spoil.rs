//! What happens to the bytes of a parcel on its way.

use crate::actors::Input;
use crate::conformance::rig::{Bytes, Rig};
use crate::crypto::{Element, Suite};
use crate::wire::{self, decode, encode};
use bemr_spec::Rules;
use bemr_spec::model::{Happened, Packet, Spoiling};

impl Rig {
    /// A parcel arrives with its bytes changed.
    pub(super) fn spoil(&mut self, parcel: u32, how: Spoiling) -> Option<Happened> {
        let parcel = self.parcels.get(parcel as usize)?;
        let (from, to, cause) = (parcel.from, parcel.to, parcel.packet);
        let slot = self.slot(to)?;
        let name = self.address(from)?;
        let suite = self.foundation.suite;
        let input = match &parcel.bytes {
            Bytes::Packet(packet) => {
                let hello = matches!(cause, Some(Packet::Hello { .. }));
                Input::Packet { from: name, packet: spoiled(packet.to_vec(), how, hello.then_some(suite)) }
            }
            Bytes::Gossip(gossip) => {
                let bytes = spoiled(encode(&**gossip), how, None);
                match decode::<wire::Gossip>(&self.rules, &bytes) {
                    Ok(gossip) => Input::Gossip { from: name, gossip },
                    Err(refusal) => {
                        let clause = Some(refusal.clause());
                        return Some(self.happened(to, Some(from), "unreadable packet", clause, Vec::new()));
                    }
                }
            }
        };
        Some(self.happen(slot, Some(from), cause, input))
    }
}

/// `bytes`, changed. What a hello of `hello` ends with is an element, and half of all changes make another one: the lowest
/// bit is turned over that does not.
fn spoiled(mut bytes: Vec<u8>, how: Spoiling, hello: Option<Suite>) -> Vec<u8> {
    match (how, hello) {
        (Spoiling::Cut, _) => drop(bytes.pop()),
        (Spoiling::Extend, _) => bytes.push(0),
        (Spoiling::Flip, None) => {
            if let Some(last) = bytes.last_mut() {
                *last ^= 1;
            }
        }
        (Spoiling::Flip, Some(suite)) => {
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
    }
    bytes
}
