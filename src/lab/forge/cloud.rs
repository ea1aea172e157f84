//! What the cloud says, and the BSD to its user.

use super::{Edits, Forge, any, change, element, flip_last, nobody, stray, table};
use bemr::actors::initial_builder::{ONE_NONCE, grant_context, unwrap};
use bemr::crypto::{Digest, Domain};
use bemr::merkle::MerkleTree;
use bemr::wire::{
    AuditHead, CloudHead, CloudLeaf, ConsistencyProof, LeafKind, Outcome, ReadProof, ReadResponse, Receipt,
    RequestOutcome, SignedAuditHead, SignedCloudHead, Time, WrappedKey, encode,
};
use bemr_model::{FORKING, Flaws};
use bemr_spec::Clause;
use tls_codec::TlsByteVecU16;

const CLOUD_HEAD: &Edits<CloudHead> =
    &[(Clause::HeadSignedByCloud, &[|_| (), |head| head.network = nobody()])];

const AUDIT_HEAD: &Edits<AuditHead> = &[(Clause::AuditHeadSigned, &[|_| (), |head| head.network = nobody()])];

const RECEIPT: &Edits<Receipt> = &[(
    Clause::LeafIsIncluded,
    &[
        |receipt| receipt.inclusion.index += 1,
        |receipt| receipt.leaf.content = stray(receipt.leaf.content.as_bytes()),
        |receipt| receipt.leaf.kind = LeafKind::Erase,
    ],
)];

const INCLUSION: &Edits<ReadProof> = &[(
    Clause::LeafIsIncluded,
    &[|proof| proof.inclusion.index += 1, |proof| proof.leaf.content = stray(proof.leaf.content.as_bytes())],
)];

const ANSWER: &Edits<RequestOutcome> = &[(
    Clause::ReadAnswersRequest,
    &[|answer| answer.request[0] ^= 1, |answer| answer.tid = stray(answer.tid.as_bytes())],
)];

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
        self.edit(CLOUD_HEAD, &mut forged.head, flaws);
        let (of, message) = ((Clause::HeadSignedByCloud, 2), encode(&forged.head));
        forged.signature = self.signed(flaws, of, &cloud, Domain::CLOUD_HEAD, &message)?;
        Some(())
    }

    /// A head of its BSD's audit log.
    pub fn audit_head(&self, genuine: &SignedAuditHead, flaws: Flaws) -> Option<SignedAuditHead> {
        table::require("AuditHead", flaws)?;
        let mut forged = genuine.clone();
        self.edit(AUDIT_HEAD, &mut forged.head, flaws);
        let (of, message) = ((Clause::AuditHeadSigned, 2), encode(&forged.head));
        forged.signature = self.signed(flaws, of, &genuine.head.bsd, Domain::AUDIT_HEAD, &message)?;
        Some(forged)
    }

    /// A receipt of its cloud.
    pub fn receipt(&self, genuine: &Receipt, flaws: Flaws) -> Option<Receipt> {
        table::require("Receipt", flaws)?;
        let mut forged = genuine.clone();
        self.sign_cloud_head(&mut forged.head, flaws)?;
        self.edit(RECEIPT, &mut forged, flaws);
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
                change(&mut header.commitments, |all| {
                    let first = all.first_mut()?;
                    *first = stray(first.as_bytes());
                    Some(())
                })?;
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
            let root = stray(proof.head.head.root.as_bytes());
            change(&mut proof.extends_remembered.path, |path| path.push(root));
        }
        self.edit(INCLUSION, proof, flaws);
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
        self.edit(ANSWER, &mut forged, flaws);
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
