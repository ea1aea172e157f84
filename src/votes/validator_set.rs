//! The admitted validators of a network.

use crate::crypto::{Digest, Domain, VerifyingKey};
use crate::wire::{Name, encode};
use std::collections::BTreeMap;
use tls_codec::{TlsByteVecU16, TlsSerialize, TlsSize, TlsVecU32};

/// The admitted validators of a network and their keys, from verified certificates. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ValidatorSet {
    network: Name,
    members: std::sync::Arc<BTreeMap<Name, VerifyingKey>>,
    digest: Digest,
}

#[derive(TlsSerialize, TlsSize)]
struct Member {
    validator: Name,
    signing_key: TlsByteVecU16,
}

#[derive(TlsSerialize, TlsSize)]
struct Members {
    network: Name,
    members: TlsVecU32<Member>,
}

impl ValidatorSet {
    /// The set of these members, who hold verified certificates of role validator.
    pub fn new(network: Name, members: BTreeMap<Name, VerifyingKey>) -> ValidatorSet {
        let listed: Vec<Member> = members
            .iter()
            .map(|(name, key)| Member { validator: name.clone(), signing_key: key.encode().into() })
            .collect();
        let digest = Digest::of(
            Domain::VALIDATOR_SET,
            &encode(&Members { network: network.clone(), members: listed.into() }),
        );
        ValidatorSet { network, members: members.into(), digest }
    }

    /// The network that they validate.
    pub fn network(&self) -> &Name {
        &self.network
    }

    /// What identifies the set in messages.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// How many they are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The least number that is more than two thirds of them.
    pub fn quorum(&self) -> usize {
        self.len() * 2 / 3 + 1
    }

    /// The key of a member.
    pub fn key(&self, validator: &Name) -> Option<&VerifyingKey> {
        self.members.get(validator)
    }

    /// The members in ascending order of their names.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &Name> {
        self.members.keys()
    }

    /// The member whose turn it is at `turn`, round robin in the order of names.
    pub fn at(&self, turn: u64) -> Option<&Name> {
        let index = turn.checked_rem(self.len() as u64)?;
        self.members.keys().nth(index as usize)
    }
}
