//! The writing end of the audit log.

use crate::crypto::{Digest, Domain, SigningKey, Suite, VerifyingKey};
use crate::wire::{
    AuditEntry, AuditHead, AuditStart, LogState, Name, PROTOCOL_VERSION, SignedAuditHead, Terminal, Time,
    encode,
};
use bemr_spec::{Clause, Refusal, Rules};

/// A server database's audit log: how many entries it has and the digest of the last. Cheap to clone, so that a
/// step which is not committed is forgotten by dropping the clone.
#[derive(Clone, Debug)]
pub struct AuditLog {
    suite: Suite,
    network: Name,
    bsd: Name,
    count: u64,
    last: Digest,
    state: LogState,
}

/// How a transaction ended, without its place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The transaction.
    pub tid: Digest,
    /// How it ended.
    pub terminal: Terminal,
    /// The code of the clause that ended it, zero for none.
    pub reason: u16,
    /// Digest of the T_block body, when one was sent.
    pub block: Option<Digest>,
    /// Digest of the quorum certificate, when there is one.
    pub decision: Option<Digest>,
    /// Digest of the seals of its keys, when something was sealed.
    pub seal: Option<Digest>,
    /// When it ended.
    pub time: Time,
}

impl AuditLog {
    /// An empty log.
    pub fn new(suite: Suite, network: Name, bsd: Name) -> AuditLog {
        let start = AuditStart { version: PROTOCOL_VERSION, network: network.clone(), bsd: bsd.clone() };
        AuditLog { suite, network, bsd, count: 0, last: start.digest(), state: LogState::Open }
    }

    /// Whether this entry follows the newest one.
    pub fn is_next(&self, entry: &AuditEntry) -> bool {
        (entry.sequence, entry.previous) == (self.count, self.last)
    }

    /// The log after an entry that was kept.
    pub fn go_on(&mut self, entry: &AuditEntry) {
        (self.count, self.last) = (entry.sequence.saturating_add(1), entry.digest());
    }

    /// The digest of the newest entry, or of the start.
    pub fn last(&self) -> Digest {
        self.last
    }

    /// How many entries it has.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Goes on when something may follow.
    ///
    /// # Errors
    /// AUD-05 when the log is closed.
    pub fn require_open(&self, rules: &Rules) -> Result<(), Refusal> {
        rules.require(Clause::CountIsClosed, self.state == LogState::Open)
    }

    /// Appends a terminal state.
    ///
    /// # Errors
    /// AUD-05 when the log is closed.
    pub fn append(&mut self, rules: &Rules, outcome: Outcome) -> Result<AuditEntry, Refusal> {
        self.require_open(rules)?;
        let Outcome { tid, terminal, reason, block, decision, seal, time } = outcome;
        let (sequence, previous) = (self.count, self.last);
        let entry = AuditEntry { sequence, previous, tid, terminal, reason, block, decision, seal, time };
        self.count += 1;
        self.last = entry.digest();
        Ok(entry)
    }

    /// Checks that a head is of this log, and signed with this key.
    ///
    /// # Errors
    /// AUD-02.
    pub fn verify_head(
        &self,
        rules: &Rules,
        key: &VerifyingKey,
        signed: &SignedAuditHead,
    ) -> Result<(), Refusal> {
        verify_audit_head(rules, &self.network, &self.bsd, key, signed)
    }

    /// Ends the log: the next head states that nothing follows.
    pub fn close(&mut self) {
        self.state = LogState::Closed;
    }

    /// Signs the log as it stands.
    pub fn sign(&self, rules: &Rules, key: &SigningKey, time: Time) -> SignedAuditHead {
        let head = AuditHead {
            version: PROTOCOL_VERSION,
            suite: self.suite,
            network: self.network.clone(),
            bsd: self.bsd.clone(),
            count: self.count,
            last: self.last,
            state: self.state,
            time,
        };
        let signature = key.sign(rules, Domain::AUDIT_HEAD, &encode(&head));
        SignedAuditHead { head, signature }
    }
}

/// Checks that a head is of the audit log of `bsd` in `network` and signed with its key.
///
/// # Errors
/// AUD-02.
pub fn verify_audit_head(
    rules: &Rules,
    network: &Name,
    bsd: &Name,
    key: &VerifyingKey,
    signed: &SignedAuditHead,
) -> Result<(), Refusal> {
    let head = &signed.head;
    let named = head.version == PROTOCOL_VERSION
        && head.suite == key.suite()
        && head.network == *network
        && head.bsd == *bsd;
    rules.require(Clause::AuditHeadSigned, named).map_err(|refusal| refusal.at("head"))?;
    key.vouches(rules, Clause::AuditHeadSigned, Domain::AUDIT_HEAD, &encode(head), &signed.signature)
        .map_err(|refusal| refusal.at("signature"))
}
