//! What the cloud says, and the BSD to its user.

use super::{Forge, any, element, flip_last, nobody, stray, table};
use bemr::actors::initial_builder::{ONE_NONCE, grant_context, unwrap};
use bemr::crypto::{Digest, Domain};
use bemr::merkle::MerkleTree;
use bemr::wire::{
    CloudLeaf, ConsistencyProof, LeafKind, Outcome, ReadResponse, Receipt, RequestOutcome, SignedAuditHead,
    SignedCloudHead, Time, WrappedKey, encode,
};
use bemr_model::{FORKING, Flaws};
use bemr_spec::Clause;
use tls_codec::TlsByteVecU16;

impl Forge<'_> {
    /// A head of its cloud's log.
    pub fn cloud_head(&self, genuine: &SignedCloudHead, flaws: Flaws) -> Option<SignedCloudHead> {
        table::require("CloudHead", flaws)?;
        let mut forged = genuine.clone();
        self.sign_cloud_head(&mut forged, flaws)?;
        Some(forged)
    }

    fn sign_cloud_head(&self, forged: &mut SignedCloudHead, flaws: Flaws) -> Option<()> {
        let cloud = forged.head.cloud.clone();
        let (wrong, way) = (flaws.has(Clause::HeadSignedByCloud), self.way(flaws, 2));
        if wrong && way == 1 {
            forged.head.network = nobody();
        }
        let message = encode(&forged.head);
        forged.signature =
            self.sign_or_not(!wrong || way == 1, flaws, &cloud, Domain::CLOUD_HEAD, &message)?;
        Some(())
    }

    /// A head of its BSD's audit log.
    pub fn audit_head(&self, genuine: &SignedAuditHead, flaws: Flaws) -> Option<SignedAuditHead> {
        table::require("AuditHead", flaws)?;
        let mut forged = genuine.clone();
        let (wrong, way) = (flaws.has(Clause::AuditHeadSigned), self.way(flaws, 2));
        if wrong && way == 1 {
            forged.head.network = nobody();
        }
        let message = encode(&forged.head);
        let signed = !wrong || way == 1;
        forged.signature =
            self.sign_or_not(signed, flaws, &genuine.head.bsd, Domain::AUDIT_HEAD, &message)?;
        Some(forged)
    }

    /// A receipt of its cloud.
    pub fn receipt(&self, genuine: &Receipt, flaws: Flaws) -> Option<Receipt> {
        table::require("Receipt", flaws)?;
        let mut forged = genuine.clone();
        self.sign_cloud_head(&mut forged.head, flaws)?;
        if flaws.has(Clause::LeafIsIncluded) {
            match self.way(flaws, 3) {
                0 => forged.inclusion.index += 1,
                1 => forged.leaf.content = stray(forged.leaf.content.as_bytes()),
                _ => forged.leaf.kind = LeafKind::Erase,
            }
        }
        Some(forged)
    }

    /// A record of its cloud, whose log has these leaves, for a reader who remembers `remembered` of them. CLD-04 can be made only when
    /// that is any, and CLD-05 only when the cloud's head is anchored. What is wrong with what
    /// was stored stands in one more leaf at the end of the log.
    pub fn record(
        &self,
        genuine: &ReadResponse,
        leaves: &[CloudLeaf],
        remembered: u64,
        flaws: Flaws,
    ) -> Option<ReadResponse> {
        table::require("ReadResponse", flaws)?;
        let mut forged = genuine.clone();
        if flaws.has(Clause::ReadAnswersRequest) {
            forged.nonce[0] ^= 1;
        }
        if any(flaws, FORKING) {
            forged.record.user = self.certificate(&genuine.record.user, flaws)?;
            if flaws.has(Clause::ReadMatchesCommitments) {
                let header = &mut forged.record.initial;
                let mut commitments = header.commitments.as_slice().to_vec();
                let first = commitments.first_mut()?;
                *first = stray(first.as_bytes());
                header.commitments = commitments.into();
                forged.record.user_signature = self.sign(&header.user, Domain::T_INITIAL, &encode(header))?;
            }
            store(&mut forged, leaves, remembered)?;
        }
        if flaws.has(Clause::ReadMatchesSigned) {
            forged.ciphertext = flip_last(forged.ciphertext.as_slice())?.into();
        }
        forged.key.encapsulation = element(forged.key.encapsulation.as_slice(), flaws)?.into();
        if flaws.has(Clause::EncapsulationIsContextual) {
            forged.key.wrapped = self.wrapped_for_nobody(&genuine.key, &genuine.record.initial.tid)?;
        } else if flaws.has(Clause::TagVerifiedBeforeUse) {
            forged.key.wrapped = flip_last(forged.key.wrapped.as_slice())?.into();
        }
        let proof = &mut forged.proof;
        if flaws.has(Clause::HeadIsAnchored) {
            proof.anchored.take()?;
            proof.extends_anchored = ConsistencyProof { path: Vec::new().into() };
            // Another head than the anchored one.
            proof.head.head.time = proof.head.head.time.after(1);
        }
        if flaws.has(Clause::HeadNotOlder) {
            (remembered > 0).then_some(())?;
            proof.head.head.time = Time(0);
        }
        self.sign_cloud_head(&mut proof.head, flaws)?;
        if flaws.has(Clause::LogIsAppendOnly) {
            let mut path = proof.extends_remembered.path.as_slice().to_vec();
            path.push(stray(proof.head.head.root.as_bytes()));
            proof.extends_remembered.path = path.into();
        }
        if flaws.has(Clause::LeafIsIncluded) {
            match self.way(flaws, 2) {
                0 => proof.inclusion.index += 1,
                _ => proof.leaf.content = stray(proof.leaf.content.as_bytes()),
            }
        }
        Some(forged)
    }

    /// The key of a record, wrapped under a key that no context went into.
    fn wrapped_for_nobody(&self, genuine: &WrappedKey, tid: &Digest) -> Option<TlsByteVecU16> {
        let reader = self.keys.get(&genuine.reader)?;
        let key = unwrap(self.rules, reader, tid, genuine).ok()?;
        let (context, lax) =
            (grant_context(tid, reader.name()), self.rules.without(Clause::EncapsulationIsContextual));
        let agreement = reader.identity().agreement_key();
        let wrapping = agreement.decapsulate(&lax, genuine.encapsulation.as_slice(), &context).ok()?;
        Some(wrapping.seal(&ONE_NONCE, &context, &*key).into())
    }

    /// An answer to a request.
    pub fn answer(&self, genuine: &RequestOutcome, flaws: Flaws) -> Option<RequestOutcome> {
        table::require("Answer", flaws)?;
        let mut forged = genuine.clone();
        if flaws.has(Clause::ReadAnswersRequest) {
            match self.way(flaws, 2) {
                0 => forged.request[0] ^= 1,
                _ => forged.tid = stray(forged.tid.as_bytes()),
            }
        }
        Some(forged)
    }

    /// What became of a submission.
    pub fn outcome(&self, genuine: &Outcome, flaws: Flaws) -> Option<Outcome> {
        table::require("Outcome", flaws)?;
        let mut forged = genuine.clone();
        if flaws.has(Clause::EventFitsState) {
            forged.tid = stray(forged.tid.as_bytes());
        }
        Some(forged)
    }
}

/// The record as it stands becomes one more leaf of the log, and the proof is of that.
fn store(forged: &mut ReadResponse, leaves: &[CloudLeaf], remembered: u64) -> Option<()> {
    let (content, proof) = (forged.record.digest(), &mut forged.proof);
    let head = &mut proof.head.head;
    let before = leaves.get(..usize::try_from(head.size).ok()?)?;
    let (kind, tid, time) = (LeafKind::Record, forged.record.initial.tid, head.time);
    let leaf = CloudLeaf { sequence: head.size, kind, tid, content, time };
    let digests: Vec<_> = before.iter().chain([&leaf]).map(CloudLeaf::digest).collect();
    let tree: MerkleTree = digests.iter().collect();
    head.size += 1;
    head.root = tree.root();
    proof.inclusion = tree.prove_inclusion(head.size, leaf.sequence)?;
    proof.leaf = leaf;
    proof.extends_remembered = tree.prove_consistency(remembered, head.size)?;
    let anchored = proof.anchored.as_ref().map_or(0, |anchored| anchored.size);
    proof.extends_anchored = tree.prove_consistency(anchored, head.size)?;
    Some(())
}
