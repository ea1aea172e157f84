//! One datagram in flight.

use bemr::actors::{Input, Output};
use bemr::wire::{Gossip, Name, decode, encode};
use bemr_spec::{Refusal, Rules};
use std::rc::Rc;
use tls_codec::{TlsByteSliceU32, TlsByteVecU32, TlsDeserializeBytes, TlsSerialize, TlsSize};

/// A datagram in flight. Its source is unauthenticated: a fault injector may change all of it.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// The claimed sender.
    pub from: Name,
    /// The receiver.
    pub to: Name,
    /// The name of the message inside, for diagnostics only.
    pub label: &'static str,
    /// The framed datagram. All envelopes of a broadcast share it, or memory would grow with the square of the nodes.
    pub bytes: Rc<[u8]>,
}

/// The frame of what travels between two nodes.
#[expect(clippy::large_enum_variant, reason = "one exists at a time, and it is consumed at once")]
#[derive(TlsSerialize, TlsDeserializeBytes, TlsSize)]
#[repr(u8)]
enum Datagram {
    #[tls_codec(discriminant = 1)]
    Packet(TlsByteVecU32),
    #[tls_codec(discriminant = 2)]
    Gossip(Gossip),
}

/// A [`Datagram`] that borrows its content.
#[derive(TlsSerialize, TlsSize)]
#[repr(u8)]
enum DatagramRef<'a> {
    #[tls_codec(discriminant = 1)]
    Packet(TlsByteSliceU32<'a>),
    #[tls_codec(discriminant = 2)]
    Gossip(&'a Gossip),
}

impl Envelope {
    /// The envelopes of one output of `from`: one, or for a broadcast one to every other node.
    pub(super) fn of<'a>(
        from: &Name,
        output: &Output,
        nodes: impl Iterator<Item = &'a Name>,
    ) -> Vec<Envelope> {
        let envelope =
            |to: &Name, label, bytes: Rc<[u8]>| Envelope { from: from.clone(), to: to.clone(), label, bytes };
        match output {
            Output::Send { to, label, packet } => {
                vec![envelope(to, label, encode(&DatagramRef::Packet(TlsByteSliceU32(packet))).into())]
            }
            Output::SendGossip { to, gossip } => {
                vec![envelope(to, gossip.name(), encode(&DatagramRef::Gossip(gossip)).into())]
            }
            Output::Publish(gossip) => {
                let bytes: Rc<[u8]> = encode(&DatagramRef::Gossip(gossip)).into();
                let others = nodes.filter(|to| *to != from);
                others.map(|to| envelope(to, gossip.name(), Rc::clone(&bytes))).collect()
            }
        }
    }

    /// What the receiver is handed.
    pub(super) fn into_input(self, rules: &Rules) -> Result<Input, Refusal> {
        Ok(match decode::<Datagram>(rules, &self.bytes)? {
            Datagram::Packet(packet) => Input::Packet { from: self.from, packet: packet.into() },
            Datagram::Gossip(gossip) => Input::Gossip { from: self.from, gossip },
        })
    }

    /// The session packet inside; nothing in an envelope with gossip.
    pub fn packet(&self) -> Option<&[u8]> {
        (self.bytes.first() == Some(&1)).then(|| self.bytes.get(5..)).flatten()
    }

    /// The encoded gossip inside; nothing in an envelope with a packet.
    pub fn gossip(&self) -> Option<&[u8]> {
        (self.bytes.first() == Some(&2)).then(|| &self.bytes[1..])
    }
}
