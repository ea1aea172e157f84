//! How a link distinguishes a packet from gossip.

use crate::wire::Gossip;
use tls_codec::{TlsByteVecU32, TlsDeserializeBytes, TlsSerialize, TlsSize};

/// What a link carries from one node to another: one byte of kind, then the contents.
///
/// The link authenticates nothing. The address that it reports serves to reply, and a node draws no other conclusion
/// from it.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it is taken apart at once")]
#[repr(u8)]
pub enum Datagram {
    /// The encoding of a packet: a message of a handshake, or a protected record.
    #[tls_codec(discriminant = 1)]
    Packet(TlsByteVecU32),
    /// A public statement.
    #[tls_codec(discriminant = 2)]
    Gossip(Gossip),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Height, decode, encode};
    use bemr_spec::{Clause, Rules};

    #[test]
    fn the_first_byte_tells_a_packet_from_gossip() {
        let rules = Rules::hardened();
        let packet = Datagram::Packet(vec![7, 8].into());
        let gossip = Datagram::Gossip(Gossip::BlocksFrom(Height(1)));
        assert_eq!(encode(&packet), [1, 0, 0, 0, 2, 7, 8]);
        assert_eq!(encode(&gossip), [2, 7, 0, 0, 0, 0, 0, 0, 0, 1]);
        for datagram in [packet, gossip] {
            assert_eq!(decode::<Datagram>(&rules, &encode(&datagram)).unwrap(), datagram);
        }
        let unknown = decode::<Datagram>(&rules, &[3, 0, 0, 0, 0]).unwrap_err();
        assert_eq!(unknown.clause(), Clause::OneEncodingPerValue);
    }
}
