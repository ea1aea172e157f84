//! Checks of single heads and leaves.

use crate::crypto::{Domain, VerifyingKey};
use crate::ledger::Ledger;
use crate::merkle::{verify_consistency, verify_inclusion};
use crate::wire::{
    CloudHead, CloudLeaf, ConsistencyProof, InclusionProof, LogKind, Name, PROTOCOL_VERSION, SignedCloudHead,
    encode,
};
use bemr_spec::{Clause, Refusal, Rules};

/// Who signs the heads of a log, the cloud of its log of records or the BSD of its audit log, as others know it from
/// its verified certificate.
#[derive(Clone, Debug)]
pub struct LogOperator {
    /// The network that it serves.
    pub network: Name,
    /// Its name, by which its certificate and the anchors in blocks know it.
    pub name: Name,
    /// Its signing key.
    pub key: VerifyingKey,
}

/// Checks that a head is of this cloud and signed by it.
///
/// # Errors
/// CLD-03.
pub fn verify_head(rules: &Rules, identity: &LogOperator, signed: &SignedCloudHead) -> Result<(), Refusal> {
    let head = &signed.head;
    let named = head.version == PROTOCOL_VERSION
        && head.suite == identity.key.suite()
        && head.network == identity.network
        && head.cloud == identity.name;
    rules.require(Clause::HeadSignedByCloud, named).map_err(|refusal| refusal.at("head"))?;
    identity
        .key
        .vouches(rules, Clause::HeadSignedByCloud, Domain::CLOUD_HEAD, &encode(head), &signed.signature)
        .map_err(|refusal| refusal.at("signature"))
}

/// Checks that `proof` shows `leaf` in the log under `head`, at the index that the leaf names.
///
/// # Errors
/// CLD-02.
pub fn verify_leaf(
    rules: &Rules,
    head: &CloudHead,
    leaf: &CloudLeaf,
    proof: &InclusionProof,
) -> Result<(), Refusal> {
    rules.check(Clause::LeafIsIncluded, || {
        leaf.sequence == proof.index && verify_inclusion(&head.root, head.size, &leaf.digest(), proof)
    })
}

/// Checks a verified `head` against the newest anchor of its log in a final block. `anchored` is the head that the
/// anchor names and `proof` shows that `head` extends it. A log without an anchor in a final block passes.
///
/// # Errors
/// CLD-05.
pub fn verify_anchored(
    rules: &Rules,
    ledger: &Ledger,
    head: &CloudHead,
    anchored: Option<(&CloudHead, &ConsistencyProof)>,
) -> Result<(), Refusal> {
    let Some((height, anchor)) = ledger.final_anchor(LogKind::Cloud, &head.cloud) else { return Ok(()) };
    rules
        .check(Clause::HeadIsAnchored, || {
            if head.digest() == anchor.head {
                return true;
            }
            anchored.is_some_and(|(old, proof)| {
                old.digest() == anchor.head
                    && old.size == anchor.size
                    && verify_consistency((old.size, &old.root), (head.size, &head.root), proof)
            })
        })
        .map_err(|refusal| refusal.at(format!("anchor at height {height}")))
}
