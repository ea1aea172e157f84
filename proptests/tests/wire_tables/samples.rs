//! One value of every message. A new table gets a line in [`samples`].

use bemr::crypto::{Digest, Signature, SigningKey, Suite, Tag};
use bemr::wire::{
    Ballot, Height, Name, PROTOCOL_VERSION, QuorumCertificate, Signatory, Vote, VoteBody, decode, encode,
};
use bemr_spec::{Refusal, Rules};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use tls_codec::{DeserializeBytes, Serialize};

/// Decodes and encodes what it decoded.
type Again = fn(&[u8]) -> Result<Vec<u8>, Refusal>;

/// The bytes of one value and the table that describes them.
pub(crate) struct Sample {
    pub(crate) table: &'static str,
    pub(crate) bytes: Vec<u8>,
    /// Nothing for a structure that is hashed or signed and never received.
    pub(crate) again: Option<Again>,
}

impl Sample {
    /// A message that is sent and received.
    fn of<T: Serialize + DeserializeBytes>(table: &'static str, value: &T) -> Sample {
        let again: Again = |bytes| decode::<T>(&Rules::hardened(), bytes).map(|value| encode(&value));
        Sample { table, bytes: encode(value), again: Some(again) }
    }
}

/// The samples.
pub(crate) fn samples() -> Vec<Sample> {
    vec![
        Sample::of("VoteBody", &vote_body(Ballot::False)),
        Sample::of("Vote", &vote()),
        Sample::of("QuorumCertificate", &quorum_certificate(0)),
        Sample::of("QuorumCertificate", &quorum_certificate(2)),
    ]
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

fn digest(byte: u8) -> Digest {
    Digest::from_bytes([byte; 32])
}

fn signature(message: &[u8]) -> Signature {
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    SigningKey::generate(Suite::Ristretto255, &mut rng).sign(&Rules::hardened(), Tag::VOTE, message)
}

fn vote_body(ballot: Ballot) -> VoteBody {
    VoteBody {
        version: PROTOCOL_VERSION,
        suite: Suite::Ristretto255,
        network: name("clinics"),
        validators: digest(1),
        tid: digest(2),
        block: digest(3),
        policy: digest(4),
        height: Height(5),
        ballot,
        reason: 6,
    }
}

fn vote() -> Vote {
    let body = vote_body(Ballot::True);
    Vote { validator: name("v1"), signature: signature(&encode(&body)), body }
}

fn quorum_certificate(signatories: usize) -> QuorumCertificate {
    let body = vote_body(Ballot::True);
    let signatories: Vec<Signatory> = (0..signatories)
        .map(|index| Signatory {
            validator: name(&format!("v{index}")),
            signature: signature(&encode(&body)),
        })
        .collect();
    QuorumCertificate { body, signatories: signatories.into() }
}
