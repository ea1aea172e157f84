//! An established session, and the keys that its records have used.

use crate::crypto::AeadKey;
use crate::keys::{CertifiedPrincipal, Credentials};
#[cfg(bemr_weaken)]
use crate::session::compromised::Stolen;
use crate::session::records::Records;
use crate::wire::{
    ContentType, Direction, Name, Packet, Record, RecordHeader, SessionId, SessionType, decode,
};
use bemr_spec::machines::session::{Event, Guard, State};
use bemr_spec::{Clause, Refusal, Rules};
use std::sync::Arc;
use zeroize::Zeroizing;

/// A session that both sides confirmed. It cannot be copied or written down, or a nonce could come back:
///
/// ```compile_fail,E0308
/// fn fork(session: &bemr::session::Session) -> bemr::session::Session {
///     session.clone()
/// }
/// ```
#[derive(Debug)]
pub struct Session {
    pub(super) records: Records,
    own: Name,
    peer: Arc<CertifiedPrincipal>,
}

/// Where in which session a key is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The session.
    pub session: SessionId,
    /// The direction.
    pub direction: Direction,
    /// The number of the record.
    pub sequence: u64,
    /// The stage.
    pub stage: ContentType,
}

/// The key of one record after its use: it can be sealed or dropped, and is erased either way. Nothing else takes it, and
/// there is one of each:
///
/// ```compile_fail,E0382
/// fn twice(key: bemr::session::UsedKey) -> [bemr::session::UsedKey; 2] {
///     [key, key]
/// }
/// ```
#[must_use = "the key of a message of a transaction is sealed before the next stage"]
pub struct UsedKey {
    pub(super) position: Position,
    pub(super) owner: Name,
    pub(super) peer: Name,
    pub(super) key: AeadKey,
}

/// A record to send.
#[derive(Debug)]
pub struct Sent {
    /// Its bytes.
    pub record: Vec<u8>,
    /// The key that protects it.
    pub key: UsedKey,
}

/// A record that came in.
#[derive(Debug)]
pub struct Opened {
    /// The message; erased when dropped.
    pub message: Zeroizing<Vec<u8>>,
    /// The key that protected it.
    pub key: UsedKey,
}

impl Session {
    pub(super) fn new(records: Records, own: &Credentials, peer: Arc<CertifiedPrincipal>) -> Session {
        Session { records, own: own.name().clone(), peer }
    }

    /// The public name of the session, the same on both sides.
    pub const fn id(&self) -> SessionId {
        self.records.id()
    }

    /// What it is for.
    pub const fn purpose(&self) -> SessionType {
        self.records.purpose()
    }

    /// The principal at the other side, as the handshake proved it.
    pub const fn peer(&self) -> &Arc<CertifiedPrincipal> {
        &self.peer
    }

    /// The keys of both chains as they stand, for checkers that look for them where they must not be.
    #[cfg(bemr_weaken)]
    pub fn chains(&self) -> [[u8; 32]; 2] {
        self.records.chains()
    }

    /// What an intruder finds of it in memory, for checkers.
    #[cfg(bemr_weaken)]
    pub fn stolen(&self) -> Stolen {
        self.records.stolen()
    }

    /// As if it had sealed as many records as it may, for checkers.
    #[cfg(bemr_weaken)]
    pub fn wear_out(&mut self) {
        self.records.wear_out();
    }

    /// Encrypts `message` as the next record of `stage`.
    ///
    /// # Errors
    #[doc = bemr_spec::errors!(send_record)]
    pub fn seal_record(
        &mut self,
        rules: &Rules,
        stage: ContentType,
        message: &[u8],
    ) -> Result<Sent, Refusal> {
        let (record, header, key) = self.records.seal(rules, stage, message)?;
        State::Established.on(rules, Event::Send, Guard::StageIsTheSessionsAndKeysAreLeft)?;
        Ok(Sent { record, key: self.used(&header, key) })
    }

    /// Decrypts a record. Keys of records skipped over are erased; a refused record changes nothing.
    ///
    /// # Errors
    #[doc = bemr_spec::errors!(record)]
    /// SES-03 ignores the packet, the others reject it.
    pub fn open_record(&mut self, rules: &Rules, packet: &[u8]) -> Result<Opened, Refusal> {
        match decode(rules, packet)? {
            Packet::Record(record) => self.open_decoded(rules, &record),
            other => Err(refusal(rules, &other)),
        }
    }

    /// As [`Session::open_record`], for a packet that was decoded to see which session it belongs to.
    ///
    /// # Errors
    /// The first check of [`RECORD`](bemr_spec::order::RECORD) that fails, from SES-06 to SES-02.
    pub fn open_decoded(&mut self, rules: &Rules, record: &Record) -> Result<Opened, Refusal> {
        let (message, header, key) = self.records.open(rules, record)?;
        State::Established.on(rules, Event::Record, Guard::EveryCheckHolds)?;
        Ok(Opened { message, key: self.used(&header, key) })
    }

    fn used(&self, header: &RecordHeader, key: AeadKey) -> UsedKey {
        UsedKey {
            position: Position {
                session: self.records.id(),
                direction: header.direction,
                sequence: header.sequence,
                stage: header.stage,
            },
            owner: self.own.clone(),
            peer: self.peer.name().clone(),
            key,
        }
    }
}

impl UsedKey {
    /// Where it was used.
    pub const fn position(&self) -> Position {
        self.position
    }

    /// The key, for checkers that look for it where it must not be.
    #[cfg(bemr_weaken)]
    pub const fn key(&self) -> &AeadKey {
        &self.key
    }

    /// The other principal of its session.
    pub const fn peer(&self) -> &Name {
        &self.peer
    }
}

impl std::fmt::Debug for UsedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UsedKey").field("position", &self.position).finish_non_exhaustive()
    }
}

/// Why a packet other than a record is refused: the state has a row for each kind.
fn refusal(rules: &Rules, packet: &Packet) -> Refusal {
    let event = match packet {
        Packet::Hello(_) => Event::Hello,
        Packet::Response(_) => Event::Response,
        Packet::Finish(_) => Event::Finish,
        Packet::Record(_) => Event::Record,
    };
    let taken = State::Established.on(rules, event, Guard::Always);
    taken.err().unwrap_or_else(|| Refusal::new(Clause::EventFitsState)).at(packet.kind())
}
