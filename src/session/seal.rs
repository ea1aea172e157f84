//! Sealing: before the next stage of a transaction begins, the keys that protected this one are encrypted to the
//! custodian and erased.

use crate::crypto::{AeadKey, Digest, Domain, expand, expand_both};
use crate::keys::{CertifiedPrincipal, Credentials, Party};
use crate::session::{Position, UsedKey};
use crate::wire::{
    ContentType, Name, PROTOCOL_VERSION, Packet, Seal, SealChainBody, SealChainStart, SealContext,
    SealDigest, SealedKey, decode, encode,
};
use bemr_spec::{Clause, Refusal, Rules, constants};
use rand::CryptoRng;
use std::marker::PhantomData;
use zeroize::Zeroizing;

/// The stages whose keys are sealed before the next stage, as types.
pub mod stage {
    /// T_initial; sealed before T_block.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Initial {}
    /// T_block and the votes; sealed before T_valid.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Block {}
}

mod closed {
    pub trait Closed {}
    impl Closed for super::stage::Initial {}
    impl Closed for super::stage::Block {}
}

/// A stage whose keys are sealed before the next one.
pub trait SealableStage: closed::Closed {
    /// Its value on the wire.
    const STAGE: ContentType;
}

impl SealableStage for stage::Initial {
    const STAGE: ContentType = ContentType::Initial;
}

impl SealableStage for stage::Block {
    const STAGE: ContentType = ContentType::Block;
}

/// Evidence that the keys of stage `S` of one transaction are sealed. The constructors of the messages of the next
/// stage ask for it, so that such a message without a seal does not compile, nor one with the seal of another stage:
///
/// ```compile_fail,E0308
/// use bemr::session::{Sealed, stage};
/// fn valid(block: Sealed<stage::Initial>) -> Sealed<stage::Block> {
///     block
/// }
/// ```
#[derive(Debug)]
#[must_use = "the message of the next stage carries the digest of the seal"]
pub struct Sealed<S: SealableStage> {
    tid: Digest,
    digest: SealDigest,
    stage: PhantomData<S>,
}

impl<S: SealableStage> Sealed<S> {
    /// Evidence of nothing.
    ///
    /// # Errors
    /// SEA-01: there is none. Its mutant gives a token with the digest of no seal.
    pub fn none(rules: &Rules, tid: Digest) -> Result<Sealed<S>, Refusal> {
        rules.require(Clause::SealBeforeNextStage, false)?;
        Ok(Sealed { tid, digest: SealDigest::default(), stage: PhantomData })
    }

    /// Gives up the evidence for the digest that the next message of transaction `tid` carries.
    ///
    /// # Errors
    /// SEA-01 when it is evidence for another transaction.
    pub fn digest_for(self, rules: &Rules, tid: &Digest) -> Result<SealDigest, Refusal> {
        rules.require(Clause::SealBeforeNextStage, self.tid == *tid).map_err(|refusal| refusal.at("tid"))?;
        Ok(self.digest)
    }
}

impl SealDigest {
    /// The digest of `seal`.
    pub fn of(seal: &Seal) -> SealDigest {
        SealDigest(Digest::of(Domain::SEAL, &encode(seal)))
    }

    /// Goes on when this digest, carried by a message, is of some seal.
    ///
    /// # Errors
    /// SEA-04.
    pub fn require_some(&self, rules: &Rules) -> Result<(), Refusal> {
        rules.require(Clause::SealDigestIsCarried, *self != SealDigest::default())
    }

    /// Goes on when this digest, carried by a message, is of some seal and is the one that the audit log holds.
    ///
    /// # Errors
    /// SEA-04.
    pub fn require_audited(&self, rules: &Rules, audited: &SealDigest) -> Result<(), Refusal> {
        self.require_some(rules)?;
        rules
            .require(Clause::SealDigestIsCarried, self == audited)
            .map_err(|refusal| refusal.at("audit entry"))
    }
}

/// The seal chain of one owner: opened once to a custodian, then ratcheted at every seal. It can be neither copied
/// nor written down; an owner that starts again opens another.
pub struct SealChain {
    owner: Name,
    custodian: Name,
    id: Digest,
    key: Zeroizing<[u8; 32]>,
    last: u64,
    /// Keys that a mutant of SEA-03 did not erase.
    kept: Vec<UsedKey>,
}

impl SealChain {
    /// Opens a chain to `custodian`: one key encapsulation. The start is kept with the seals, in clear.
    ///
    /// # Errors
    /// ROL-04 when `custodian` is none.
    pub fn open<R: CryptoRng + ?Sized>(
        rules: &Rules,
        rng: &mut R,
        owner: &Credentials,
        custodian: &CertifiedPrincipal,
    ) -> Result<(SealChain, SealChainStart), Refusal> {
        custodian.role().require_place(rules, Party::Custodian)?;
        let body = SealChainBody {
            version: PROTOCOL_VERSION,
            suite: owner.identity().suite(),
            owner: owner.name().clone(),
            custodian: custodian.name().clone(),
        };
        let (encapsulation, shared) = custodian.agreement_key().encapsulate(rules, rng, &encode(&body));
        let (owner, custodian) = (body.owner.clone(), body.custodian.clone());
        let start = SealChainStart { body, encapsulation: encapsulation.into() };
        let id = chain_id(&start);
        let key = first_chain_key(&shared, &id);
        Ok((SealChain { owner, custodian, id, key, last: 0, kept: Vec::new() }, start))
    }

    /// The custodian that can open it.
    pub const fn custodian(&self) -> &Name {
        &self.custodian
    }

    /// Seals the keys that protected stage `S` of transaction `tid`, erases them, and ratchets. `keys` is empty
    /// afterwards; a refusal leaves it as it was.
    ///
    /// # Errors
    #[doc = bemr_spec::errors!(seal)]
    pub fn seal<S: SealableStage>(
        &mut self,
        rules: &Rules,
        tid: Digest,
        keys: &mut Vec<UsedKey>,
    ) -> Result<(Seal, Sealed<S>), Refusal> {
        let of_stage = !keys.is_empty() && keys.iter().all(|key| key.position.stage == S::STAGE);
        rules.require(Clause::SealBeforeNextStage, of_stage).map_err(|refusal| refusal.at("keys"))?;
        rules
            .check(Clause::SealNamesItsContext, || keys.iter().all(|key| key.owner == self.owner))
            .map_err(|refusal| refusal.at("owner"))?;
        rules.require(Clause::SizeWithinBound, keys.len() <= constants::SEAL_KEYS)?;
        rules.require(Clause::KeyNotExhausted, self.last < constants::CHAIN_SEALS)?;

        let keys = std::mem::take(keys);
        let (next, seal_key) = ratchet(&self.key);
        self.key = next;
        self.last += 1;
        let names = keys.iter().map(|used| SealedKey {
            session: used.position.session,
            direction: used.position.direction,
            sequence: used.position.sequence,
            peer: used.peer.clone(),
        });
        let context = SealContext {
            version: PROTOCOL_VERSION,
            chain: self.id,
            index: self.last,
            tid,
            stage: S::STAGE,
            owner: self.owner.clone(),
            keys: names.collect::<Vec<_>>().into(),
        };
        let mut secret = Zeroizing::new(Vec::with_capacity(32 * keys.len()));
        for used in &keys {
            secret.extend_from_slice(used.key.expose());
        }
        let wrapped = seal_key.seal(&seal_nonce(self.last), &encode(&context), &secret).into();
        if !rules.in_force(Clause::SealedKeyIsErased) {
            self.kept.extend(keys);
        }
        let seal = Seal { context, wrapped };
        let token = Sealed { tid, digest: SealDigest::of(&seal), stage: PhantomData };
        Ok((seal, token))
    }

    /// Opens once more a record whose key was sealed here: there is no key to do it with.
    ///
    /// # Errors
    /// SEA-03. Its mutant has kept the keys; then SES-02 when none of them opens the record.
    pub fn reopen(&self, rules: &Rules, packet: &[u8]) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        rules.require(Clause::SealedKeyIsErased, false)?;
        self.kept
            .iter()
            .find_map(|used| open_at(&used.position, &used.key, rules, packet).ok())
            .ok_or(Refusal::new(Clause::RecordIsAuthentic))
    }
}

impl std::fmt::Debug for SealChain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SealChain")
            .field("owner", &self.owner)
            .field("custodian", &self.custodian)
            .field("last", &self.last)
            .finish_non_exhaustive()
    }
}

/// The name of a chain: the digest of its start.
pub(super) fn chain_id(start: &SealChainStart) -> Digest {
    Digest::of(Domain::SEAL_CHAIN, &encode(start))
}

/// The first key of a chain.
pub(super) fn first_chain_key(encapsulated: &AeadKey, id: &Digest) -> Zeroizing<[u8; 32]> {
    expand(encapsulated.expose(), Domain::SEAL_CHAIN, id.as_bytes())
}

/// The next key of a chain, and the key of the seal at this place.
pub(super) fn ratchet(chain: &Zeroizing<[u8; 32]>) -> (Zeroizing<[u8; 32]>, AeadKey) {
    let [next, key] = expand_both(chain, [Domain::SEAL_NEXT, Domain::SEAL_KEY]);
    (next, AeadKey::from_bytes(*key))
}

/// The nonce of seal `index`: four zeros, index.
pub(super) fn seal_nonce(index: u64) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&index.to_be_bytes());
    nonce
}

/// The message in a record under the key of `position`.
pub(super) fn open_at(
    position: &Position,
    key: &AeadKey,
    rules: &Rules,
    packet: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let record = match decode(rules, packet)? {
        Packet::Record(record) => record,
        other => return Err(Refusal::new(Clause::MessageTypeIsExpected).at(other.kind())),
    };
    let header = record.header;
    let found = Position {
        session: header.session,
        direction: header.direction,
        sequence: header.sequence,
        stage: header.stage,
    };
    rules.require(Clause::SealNamesItsContext, found == *position).map_err(|refusal| refusal.at("record"))?;
    let nonce = super::records::nonce(header.direction, header.stage, header.sequence);
    super::records::open_authentic(
        rules,
        Clause::RecordIsAuthentic,
        key,
        &nonce,
        &encode(&header),
        record.ciphertext.as_slice(),
    )
}

#[cfg(test)]
impl SealChain {
    /// A copy of what an intruder finds in memory.
    pub(super) fn stolen(&self) -> Zeroizing<[u8; 32]> {
        self.key.clone()
    }

    /// Puts the chain at its end without walking there.
    pub(super) fn exhaust(&mut self) {
        self.last = constants::CHAIN_SEALS;
    }
}
