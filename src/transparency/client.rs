//! What a client remembers of a cloud's log.

use crate::merkle::verify_consistency;
use crate::transparency::{LogOperator, verify_head};
use crate::wire::{ConsistencyProof, SignedCloudHead};
use bemr_spec::{Clause, Refusal, Rules};

/// A client's memory of the newest head of a cloud.
#[derive(Clone, Debug)]
pub struct LogClient {
    identity: LogOperator,
    newest: Option<SignedCloudHead>,
}

/// Two heads signed by one cloud that no single append-only log can have: same size, different roots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadConflict {
    /// The one seen first.
    pub first: SignedCloudHead,
    /// The one that contradicts it.
    pub second: SignedCloudHead,
}

impl LogClient {
    /// A client that has seen no head of this cloud.
    pub fn new(identity: LogOperator) -> LogClient {
        LogClient { identity, newest: None }
    }

    /// A client that remembers `newest` from before.
    pub fn resume(identity: LogOperator, newest: SignedCloudHead) -> LogClient {
        LogClient { identity, newest: Some(newest) }
    }

    /// The cloud.
    pub fn identity(&self) -> &LogOperator {
        &self.identity
    }

    /// The newest head seen.
    pub fn newest(&self) -> Option<&SignedCloudHead> {
        self.newest.as_ref()
    }

    /// The size from which the cloud has to prove consistency; 0 before the first head.
    pub fn size(&self) -> u64 {
        self.newest.as_ref().map_or(0, |newest| newest.head.size)
    }

    /// Takes a head that the cloud presents, with the proof that it extends the one remembered; the proof is empty
    /// for the first head and for one of the same size.
    ///
    /// # Errors
    #[doc = bemr_spec::errors!(cloud_head)]
    pub fn observe(
        &mut self,
        rules: &Rules,
        signed: &SignedCloudHead,
        proof: &ConsistencyProof,
    ) -> Result<(), Refusal> {
        verify_head(rules, &self.identity, signed)?;
        if let Some(newest) = &self.newest {
            let (old, new) = (&newest.head, &signed.head);
            rules
                .require(Clause::HeadNotOlder, old.size <= new.size && old.time <= new.time)
                .map_err(|refusal| refusal.at(format!("size {} after {}", new.size, old.size)))?;
            rules.check(Clause::LogIsAppendOnly, || {
                // Without CLD-04 a smaller head gets here: then the older one has to extend it.
                let (first, second) = if old.size <= new.size { (old, new) } else { (new, old) };
                verify_consistency((first.size, &first.root), (second.size, &second.root), proof)
            })?;
        } else {
            rules.require(Clause::LogIsAppendOnly, proof.path.as_slice().is_empty())?;
        }
        self.newest = Some(signed.clone());
        Ok(())
    }

    /// Attributable evidence against the cloud, when `signed` is a head of it and contradicts the one remembered.
    pub fn conflict(&self, rules: &Rules, signed: &SignedCloudHead) -> Option<HeadConflict> {
        let newest = self.newest.as_ref()?;
        let forked = newest.head.size == signed.head.size && newest.head.root != signed.head.root;
        (forked && verify_head(rules, &self.identity, signed).is_ok())
            .then(|| HeadConflict { first: newest.clone(), second: signed.clone() })
    }
}
