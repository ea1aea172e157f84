//! The custodian's side of sealing: what it recovers, and in which context alone.

use crate::crypto::{AeadKey, Digest};
use crate::keys::{Credentials, Party};
use crate::session::Position;
use crate::session::records::open_authentic;
use crate::session::seal::{chain_id, first_chain_key, open_at, ratchet, seal_nonce};
use crate::wire::{Name, PROTOCOL_VERSION, Seal, SealChainStart, SealDigest, encode};
use bemr_spec::{Clause, Refusal, Rules, constants};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// The holder of the offline key to which chains are opened.
#[derive(Debug)]
pub struct Custodian {
    own: Credentials,
}

impl Custodian {
    /// A custodian.
    ///
    /// # Errors
    /// ROL-04 when the role of these credentials is another.
    pub fn new(rules: &Rules, own: Credentials) -> Result<Custodian, Refusal> {
        own.role().require_place(rules, Party::Custodian)?;
        Ok(Custodian { own })
    }

    /// Opens a chain from its start.
    ///
    /// # Errors
    #[doc = bemr_spec::errors!(open_chain)]
    pub fn open_chain(&self, rules: &Rules, start: &SealChainStart) -> Result<OpenedChain, Refusal> {
        let body = &start.body;
        rules.require(Clause::ProtocolVersionIsOne, body.version == PROTOCOL_VERSION)?;
        rules.require(Clause::SuiteMatches, body.suite == self.own.identity().suite())?;
        rules
            .require(Clause::SealNamesItsContext, body.custodian == *self.own.name())
            .map_err(|refusal| refusal.at("custodian"))?;
        let agreement = self.own.identity().agreement_key();
        let shared = agreement.decapsulate(rules, start.encapsulation.as_slice(), &encode(body))?;
        let id = chain_id(start);
        let first = first_chain_key(&shared, &id);
        let reached = (0, first.clone());
        Ok(OpenedChain { id, owner: body.owner.clone(), first, reached, recovered: BTreeMap::new() })
    }
}

/// A chain that the custodian opened. It opens every seal of the chain, in any order; in ascending order fastest.
pub struct OpenedChain {
    id: Digest,
    owner: Name,
    first: Zeroizing<[u8; 32]>,
    /// A number of seals and the chain key after so many.
    reached: (u64, Zeroizing<[u8; 32]>),
    /// Which seal held the key of which record.
    recovered: BTreeMap<Position, SealDigest>,
}

impl OpenedChain {
    /// Recovers the keys in `seal`, in the order of its context.
    ///
    /// # Errors
    #[doc = bemr_spec::errors!(open_seal)]
    pub fn open(&mut self, rules: &Rules, seal: &Seal) -> Result<Vec<RecoveredKey>, Refusal> {
        let context = &seal.context;
        let count = context.keys.len();
        rules.require(Clause::ProtocolVersionIsOne, context.version == PROTOCOL_VERSION)?;
        rules
            .require(Clause::SealNamesItsContext, context.chain == self.id && context.owner == self.owner)
            .map_err(|refusal| refusal.at("chain"))?;
        rules.require(Clause::SizeWithinBound, (1..=constants::SEAL_KEYS).contains(&count))?;
        if !(1..=constants::CHAIN_SEALS).contains(&context.index) {
            // Not weakened: there is no key to derive outside the chain.
            return Err(Refusal::new(Clause::KeyNotExhausted).at("index"));
        }
        let right_length = seal.wrapped.as_slice().len() == 32 * count + constants::AEAD_TAG_BYTES;
        if !right_length {
            return Err(Refusal::new(Clause::SealNamesItsContext).at("wrapped"));
        }
        let (reached, key) = self.walk_to(context.index);
        let nonce = seal_nonce(context.index);
        let secret = open_authentic(
            rules,
            Clause::SealNamesItsContext,
            &key,
            &nonce,
            &encode(context),
            seal.wrapped.as_slice(),
        )?;
        let digest = SealDigest::of(seal);
        let positions: Vec<Position> = context
            .keys
            .iter()
            .map(|key| Position {
                session: key.session,
                direction: key.direction,
                sequence: key.sequence,
                stage: context.stage,
            })
            .collect();
        rules.check(Clause::SealedKeyIsErased, || {
            let mut sorted = positions.clone();
            sorted.sort_unstable();
            sorted.is_sorted_by(|position, next| position < next)
                && positions.iter().all(|p| self.recovered.get(p).is_none_or(|known| *known == digest))
        })?;

        self.reached = reached;
        self.recovered.extend(positions.iter().map(|position| (*position, digest)));
        let keys = secret.chunks_exact(32).zip(positions).map(|(bytes, position)| RecoveredKey {
            position,
            key: AeadKey::from_bytes(bytes.try_into().expect("chunks of 32 bytes")),
        });
        Ok(keys.collect())
    }

    /// The chain after seal `index`, and the key of that seal.
    fn walk_to(&self, index: u64) -> ((u64, Zeroizing<[u8; 32]>), AeadKey) {
        let (mut at, mut chain) =
            if self.reached.0 < index { self.reached.clone() } else { (0, self.first.clone()) };
        loop {
            let (next, key) = ratchet(&chain);
            (at, chain) = (at + 1, next);
            if at == index {
                return ((at, chain), key);
            }
        }
    }
}

impl std::fmt::Debug for OpenedChain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenedChain")
            .field("owner", &self.owner)
            .field("recovered", &self.recovered.len())
            .finish_non_exhaustive()
    }
}

/// A key that came out of a seal.
pub struct RecoveredKey {
    position: Position,
    key: AeadKey,
}

impl RecoveredKey {
    /// Which record it opens.
    pub const fn position(&self) -> Position {
        self.position
    }

    /// The key, for checkers that compare it.
    #[cfg(bemr_weaken)]
    pub const fn key(&self) -> &AeadKey {
        &self.key
    }

    /// The message in that record.
    ///
    /// # Errors
    /// In this order: ENC-04, ENC-01, ENC-02, SEA-02 for another record, SES-02.
    pub fn open_record(&self, rules: &Rules, packet: &[u8]) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        open_at(&self.position, &self.key, rules, packet)
    }
}

impl std::fmt::Debug for RecoveredKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecoveredKey").field("position", &self.position).finish_non_exhaustive()
    }
}
