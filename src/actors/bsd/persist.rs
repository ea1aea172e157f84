//! What a BSD keeps, so as to go on after a restart: how submissions ended, which records it has taken, its evidence and
//! its audit log. Sessions, seal chain and open submissions end with the process.

use crate::actors::bsd::terminal::Ended;
use crate::actors::bsd::{Bsd, Evidence};
use crate::actors::{NodeContext, StoreHandle};
use crate::audit::AuditLog;
use crate::crypto::Digest;
use crate::session::SealChain;
use crate::store::{Commit, StoreError, Table, for_each_row, recover_audit_log};
use crate::transparency::LogOperator;
use crate::votes::{BallotBox, Equivocation, ValidatorSet};
use crate::wire::{Name, Outcome, QuorumCertificate, Vote, VoteBody, decode, encode};
use bemr_spec::{Clause, Refusal};
use tls_codec::{DeserializeBytes, TlsDeserializeBytes, TlsSerialize, TlsSize, TlsVecU32};

/// Where a store keeps the key of the digests of records that were taken.
const REUSE_KEY: &str = "reuse key";

/// Where it keeps how a submission ended.
const ENDED: &str = "ended/";

/// Where it keeps evidence.
const EVIDENCE: &str = "evidence/";

/// How a submission ended, as a store holds it.
#[derive(TlsSerialize, TlsDeserializeBytes, TlsSize)]
struct KeptEnding {
    user: Name,
    outcome: Outcome,
    /// Of a committed record, the digest that detects its reuse.
    taken: Option<Digest>,
    asked: VoteBody,
    votes: TlsVecU32<Vote>,
    acknowledgement: Option<QuorumCertificate>,
}

/// Keeps how a submission ended, and the record of a committed one as taken.
pub(super) fn ending(commit: Commit, ended: &Ended, taken: Option<Digest>) -> Commit {
    let kept = KeptEnding {
        user: ended.user.clone(),
        outcome: ended.outcome.clone(),
        taken,
        asked: ended.ballots.asked().clone(),
        votes: ended.ballots.votes().cloned().collect::<Vec<_>>().into(),
        acknowledgement: ended.acknowledgement.clone(),
    };
    commit.meta(&format!("{ENDED}{}", ended.outcome.tid), encode(&kept))
}

/// Keeps the `index`th piece of evidence.
pub(super) fn evidence(index: usize, evidence: &Evidence) -> Commit {
    Commit::new().meta(&format!("{EVIDENCE}{index:016x}"), encode(evidence))
}

/// Keeps the key of the digests of records that were taken.
pub(super) fn reuse_key(key: &[u8; 32]) -> Commit {
    Commit::new().meta(REUSE_KEY, key.to_vec())
}

impl KeptEnding {
    fn into_ended(self, validators: &ValidatorSet) -> Ended {
        Ended {
            user: self.user,
            outcome: self.outcome,
            ballots: BallotBox::resume(validators.clone(), self.asked, self.votes.into()),
            acknowledgement: self.acknowledgement,
        }
    }
}

impl Bsd {
    /// A BSD that goes on from what its store holds: the submissions that ended, the records that it took, its evidence
    /// policy, revocation list and its audit log. Its ledger was recovered from the same store; `seals` is a new chain.
    ///
    /// # Errors
    /// CLD-06 when the store is damaged or does not take what is new.
    pub fn resume(
        mut context: NodeContext,
        cloud: LogOperator,
        seals: SealChain,
        store: StoreHandle,
    ) -> Result<Bsd, Refusal> {
        let suite = context.own.identity().suite();
        let network = context.ledger_view.validators.network().clone();
        let audit = AuditLog::new(suite, network, context.name().clone());
        let Some(key) = store.read(|store| store.meta(REUSE_KEY))? else {
            return Bsd::new(context, cloud, seals, store, audit);
        };
        let damaged = |place: &str| Refusal::new(Clause::StoreMatchesHead).at(place.to_owned());
        let key: [u8; 32] = key.try_into().map_err(|_| damaged(REUSE_KEY))?;
        context.persist_in(&store)?;
        let mut bsd = Bsd::with(context, cloud, seals, store.clone(), audit, key);
        let validators = bsd.context.ledger_view.validators.clone();
        for kept in bsd.rows::<KeptEnding>(ENDED)? {
            bsd.known.extend(kept.taken);
            bsd.ended.insert(kept.outcome.tid, kept.into_ended(&validators));
        }
        for evidence in bsd.rows::<Evidence>(EVIDENCE)? {
            if let Evidence::Equivocation(Equivocation { second: vote, .. })
            | Evidence::LateAndContrary(vote) = &evidence
            {
                bsd.convicted.insert((vote.body.tid, vote.validator.clone()));
            }
            bsd.evidence.push(evidence);
        }
        bsd.resume_audit().map(|()| bsd)
    }

    fn resume_audit(&mut self) -> Result<(), Refusal> {
        let context = &self.context;
        let (rules, key) = (context.rules, context.own.identity().signing_key().verifying_key());
        let audit = self.audit.clone();
        let (audit, head) = self.store.read(|store| recover_audit_log(&rules, store, audit, key))?;
        self.audit = audit;
        self.audit_head = head.map(|signed| signed.head.digest());
        Ok(())
    }

    /// What the store keeps under names that begin with `prefix`, in their order.
    fn rows<T: DeserializeBytes + tls_codec::Serialize>(&self, prefix: &str) -> Result<Vec<T>, Refusal> {
        let rules = self.context.rules;
        let mut rows = Vec::new();
        self.store.read(|store| {
            for_each_row(store, Table::Meta, |key, bytes| {
                if key.starts_with(prefix.as_bytes()) {
                    rows.push(decode(&rules, bytes).map_err(|cause| {
                        StoreError::damaged(store.place(), Some((Table::Meta, key)), cause.to_string())
                    })?);
                }
                Ok(())
            })
        })?;
        Ok(rows)
    }
}
