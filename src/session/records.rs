//! The record layer: one symmetric ratchet in each direction, one key for each record.

use crate::crypto::{AeadKey, Domain, expand, expand_both};
#[cfg(bemr_weaken)]
use crate::session::compromised::Stolen;
use crate::wire::{ContentType, Direction, Packet, Record, RecordHeader, SessionId, SessionType, encode};
use bemr_spec::{Clause, Refusal, Rules, constants};
use zeroize::Zeroizing;

/// How much longer a record is than its message, in bytes: kind, header, length and tag.
pub const RECORD_OVERHEAD: usize = 1 + 42 + 4 + constants::AEAD_TAG_BYTES;

type ChainKey = Zeroizing<[u8; 32]>;

/// The nonce of the key at this place: direction, stage, two zeros, sequence.
pub(super) fn nonce(direction: Direction, stage: ContentType, sequence: u64) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[0] = direction as u8;
    nonce[1] = stage as u8;
    nonce[4..].copy_from_slice(&sequence.to_be_bytes());
    nonce
}

/// The plaintext under `key`, or the refusal by `clause` when the tag does not verify.
pub(super) fn open_authentic(
    rules: &Rules,
    clause: Clause,
    key: &AeadKey,
    nonce: &[u8; 12],
    associated_data: &[u8],
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    if let Some(plaintext) = key.open(nonce, associated_data, ciphertext) {
        return Ok(Zeroizing::new(plaintext));
    }
    rules.require(clause, false).map_err(|refusal| refusal.because(Clause::TagVerifiedBeforeUse))?;
    // The mutant takes what no tag vouches for. GCM encrypts by exclusive or, so encrypting again undoes it.
    let body = &ciphertext[..ciphertext.len().saturating_sub(constants::AEAD_TAG_BYTES)];
    let mut plaintext = key.seal(nonce, associated_data, body);
    plaintext.truncate(body.len());
    Ok(Zeroizing::new(plaintext))
}

/// The ratchet of one direction.
pub(super) struct Chain {
    key: ChainKey,
    pub(super) last: u64,
    /// The first key, for the mutant of SES-03 alone: without the clause old keys are at hand.
    first: Option<ChainKey>,
}

impl Chain {
    fn new(rules: &Rules, key: ChainKey) -> Chain {
        let first = (!rules.in_force(Clause::SequenceAdvances)).then(|| key.clone());
        Chain { key, last: 0, first }
    }

    /// The key of the next record; the one before cannot be derived any more.
    fn advance(&mut self) -> AeadKey {
        let (next, key) = step(&self.key);
        self.key = next;
        self.last = self.last.wrapping_add(1);
        key
    }

    /// The key of record `sequence` and the chain behind it, without moving.
    pub(super) fn ahead(&self, sequence: u64) -> (Option<ChainKey>, AeadKey) {
        let (start, from) = match &self.first {
            Some(first) if sequence <= self.last => (first, 0),
            _ => (&self.key, self.last),
        };
        let mut chain = start.clone();
        for _ in from + 1..sequence {
            chain = expand(&chain, Domain::CHAIN_NEXT, b"");
        }
        let (next, key) = step(&chain);
        ((sequence > self.last).then_some(next), key)
    }
}

fn step(chain: &ChainKey) -> (ChainKey, AeadKey) {
    let [next, key] = expand_both(chain, [Domain::CHAIN_NEXT, Domain::RECORD_KEY]);
    (next, AeadKey::from_bytes(*key))
}

/// Both directions of a session, without its principals.
pub(super) struct Records {
    id: SessionId,
    purpose: SessionType,
    own: Direction,
    pub(super) sending: Chain,
    pub(super) receiving: Chain,
}

impl Records {
    pub(super) fn new(
        rules: &Rules,
        id: SessionId,
        purpose: SessionType,
        own: Direction,
        sending: ChainKey,
        receiving: ChainKey,
    ) -> Records {
        let (sending, receiving) = (Chain::new(rules, sending), Chain::new(rules, receiving));
        Records { id, purpose, own, sending, receiving }
    }

    pub(super) const fn id(&self) -> SessionId {
        self.id
    }

    #[cfg(bemr_weaken)]
    pub(super) fn chains(&self) -> [[u8; 32]; 2] {
        [*self.sending.key, *self.receiving.key]
    }

    #[cfg(bemr_weaken)]
    pub(super) fn stolen(&self) -> Stolen {
        let chains = [(self.own, self.sending.stolen()), (self.own.reverse(), self.receiving.stolen())];
        Stolen { id: self.id, chains }
    }

    #[cfg(bemr_weaken)]
    pub(super) const fn wear_out(&mut self) {
        self.sending.last = constants::SESSION_RECORDS;
    }

    /// As if so many records had been sent and received.
    #[cfg(bemr_weaken)]
    pub(super) const fn counted(&mut self, sent: u64, received: u64) {
        self.sending.last = sent;
        self.receiving.last = received;
    }

    pub(super) const fn purpose(&self) -> SessionType {
        self.purpose
    }

    /// Encrypts; in this order: SES-07, ENC-04, SES-05.
    pub(super) fn seal(
        &mut self,
        rules: &Rules,
        stage: ContentType,
        plaintext: &[u8],
    ) -> Result<(Vec<u8>, RecordHeader, AeadKey), Refusal> {
        rules.require(Clause::StageFitsSession, stage == self.purpose.stage())?;
        rules.require(
            Clause::SizeWithinBound,
            plaintext.len() <= constants::MESSAGE_BYTES - RECORD_OVERHEAD,
        )?;
        rules.require(Clause::KeyNotExhausted, self.sending.last < constants::SESSION_RECORDS)?;
        let key = self.sending.advance();
        let sequence = self.sending.last;
        let header = RecordHeader { session: self.id, direction: self.own, stage, sequence };
        let ciphertext = key.seal(&nonce(self.own, stage, sequence), &encode(&header), plaintext).into();
        Ok((encode(&Packet::Record(Record { header, ciphertext })), header, key))
    }

    /// Decrypts; in this order: SES-06, SES-08, SES-07, SES-03, SES-04, SES-05, SES-02.
    pub(super) fn open(
        &mut self,
        rules: &Rules,
        record: &Record,
    ) -> Result<(Zeroizing<Vec<u8>>, RecordHeader, AeadKey), Refusal> {
        let header = record.header;
        let sequence = header.sequence;
        rules.require(Clause::RecordNamesSession, header.session == self.id)?;
        rules.require(Clause::DirectionIsIncoming, header.direction == self.own.reverse())?;
        rules.require(Clause::StageFitsSession, header.stage == self.purpose.stage())?;
        let at = |refusal: Refusal| refusal.at(format!("record {sequence}"));
        let last = self.receiving.last;
        rules.require(Clause::SequenceAdvances, sequence > last).map_err(at)?;
        rules
            .require(Clause::SkipIsBounded, sequence <= last.saturating_add(constants::RECORDS_SKIPPED))
            .map_err(at)?;
        rules.require(Clause::KeyNotExhausted, sequence <= constants::SESSION_RECORDS).map_err(at)?;
        let (next, key) = self.receiving.ahead(sequence);
        // Of the session's own name, so that nothing but SES-06 compares it.
        let bound = RecordHeader { session: self.id, ..header };
        let nonce = nonce(header.direction, header.stage, sequence);
        let ciphertext = record.ciphertext.as_slice();
        let plaintext =
            open_authentic(rules, Clause::RecordIsAuthentic, &key, &nonce, &encode(&bound), ciphertext)
                .map_err(at)?;
        if let Some(next) = next {
            self.receiving.key = next;
            self.receiving.last = sequence;
        }
        Ok((plaintext, header, key))
    }
}

impl std::fmt::Debug for Records {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Records")
            .field("id", &self.id)
            .field("purpose", &self.purpose)
            .field("sent", &self.sending.last)
            .field("received", &self.receiving.last)
            .finish_non_exhaustive()
    }
}

#[cfg(any(test, bemr_weaken))]
impl Chain {
    /// A copy of what an intruder finds in memory.
    pub(super) fn stolen(&self) -> Chain {
        Chain { key: self.key.clone(), last: self.last, first: self.first.clone() }
    }
}

#[cfg(test)]
impl Chain {
    /// Puts the ratchet at the end of its numbers without walking there.
    pub(super) fn exhaust(&mut self) {
        self.last = constants::SESSION_RECORDS;
    }

    pub(super) fn key_ahead(&self, sequence: u64) -> AeadKey {
        self.ahead(sequence).1
    }

    pub(super) const fn last(&self) -> u64 {
        self.last
    }
}
