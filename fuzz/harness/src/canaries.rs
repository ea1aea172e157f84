//! Bugs to be found: a campaign that does not find them has shown nothing.
//!
//! None of them is in the product. Those of the protocol are its own rules less one clause; the others stand between a target
//! and what it calls.

use crate::Subject;
use crate::targets::Kept;
use bemr::crypto::{Digest, Scalar};
use bemr::merkle::{verify_consistency, verify_inclusion};
use bemr::store::StoreError;
use bemr::wire::{Codec, ConsistencyProof, InclusionProof};
use bemr_lab::lockstep::Sides;
use bemr_lab::trace::{Trace, TraceError};
use bemr_spec::{Clause, Refusal, Rules};
use std::path::Path;

/// A bug.
#[derive(Clone, Copy, Debug)]
pub struct Canary {
    /// What it is called.
    pub name: &'static str,
    /// The target that has to find it.
    pub target: &'static str,
    /// What it does.
    pub what: &'static str,
    /// The product with it.
    pub subject: fn() -> Subject,
}

/// An implementation that does not check one clause, beside a model that does.
fn unchecked(clause: Clause) -> Subject {
    let law = Rules::hardened();
    Subject { sides: Sides { model: law, implementation: law.without(clause) }, ..Subject::product() }
}

fn lax(clause: Clause) -> Subject {
    Subject { rules: Rules::hardened().without(clause), ..Subject::product() }
}

/// Of some tables, writes a value that ends in 240 or more as another one.
fn forgetful(codec: &Codec, rules: &Rules, bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut again = codec.again(rules, bytes)?;
    if let [_, .., last @ 0xf0..=0xff] = again.as_mut_slice()
        && codec.table.starts_with('R')
    {
        *last = 0;
    }
    Ok(again)
}

/// Of some tables, takes a zero after the end of a value.
fn generous(codec: &Codec, rules: &Rules, bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
    match bytes.split_last() {
        Some((0, shorter)) if codec.table.starts_with(['Q', 'S']) => codec
            .again(rules, bytes)
            .or_else(|refusal| codec.again(rules, shorter).map(|_| bytes.to_vec()).map_err(|_| refusal)),
        _ => codec.again(rules, bytes),
    }
}

/// A proof with one node too many passes, when the last is the root itself.
fn inclusion_too_long(root: &Digest, size: u64, leaf: &Digest, proof: &InclusionProof) -> bool {
    let shorter = proof
        .path
        .as_slice()
        .split_last()
        .map(|(_, shorter)| InclusionProof { index: proof.index, path: shorter.to_vec().into() });
    verify_inclusion(root, size, leaf, proof)
        || shorter
            .is_some_and(|shorter| verify_inclusion(root, size, leaf, &shorter) && proof.index + 1 == size)
        || proof.index >= size
            && verify_inclusion(
                root,
                size,
                leaf,
                &InclusionProof { index: proof.index % size.max(1), path: proof.path.clone() },
            )
}

/// The old root is not looked at where the old tree is a power of two.
fn old_root_unread(old: (u64, &Digest), new: (u64, &Digest), proof: &ConsistencyProof) -> bool {
    verify_consistency(old, new, proof)
        || old.0.is_power_of_two() && old.0 < new.0 && proof.path.as_slice().len() == 1
}

/// A carry is lost where the sum's last byte is 0xff.
fn carry_lost(sum: &Scalar, a: &Scalar, b: &Scalar) -> Result<Scalar, Refusal> {
    match sum.encode().last() {
        Some(0xff) => Scalar::reduce(sum.suite(), &[]).plus_product(a, b),
        _ => sum.plus_product(a, b),
    }
}

/// A line may go on to the end of the file.
fn unended(bytes: &[u8]) -> Result<Trace, TraceError> {
    let read = Trace::read(bytes);
    if bytes.ends_with(b"\n") {
        read
    } else {
        read.or_else(|_| Trace::read([bytes, b"\n"].concat().as_slice()))
    }
}

/// A store whose keys are not those that were kept passes for an empty one.
fn keyless(path: &Path) -> Result<Kept, StoreError> {
    let opened = crate::subject::open(path);
    let of_keys = |error: &StoreError| error.to_string().contains("vault_keys");
    if opened.as_ref().err().is_some_and(of_keys) { Ok(Kept::default()) } else { opened }
}

macro_rules! unchecked {
    ($($name:literal: $clause:ident, $what:literal;)*) => {
        [$(Canary {
            name: $name,
            target: "lockstep",
            what: $what,
            subject: || unchecked(Clause::$clause),
        }),*]
    };
}

const OF_THE_PROTOCOL: [Canary; 14] = unchecked! {
    "replayed-record": SequenceAdvances, "A record is taken twice in one session.";
    "replayed-hello": SessionIsFresh, "A hello is answered again.";
    "reused-tid": TidIsFresh, "The same submission is taken twice.";
    "small-quorum": MoreThanTwoThirds, "A third of the votes is a quorum.";
    "second-vote": OneVotePerValidator, "A validator votes twice and counts twice.";
    "second-block": OneBlockPerTid, "A validator votes on two blocks of one tid.";
    "changed-decision": FirstDecisionStands, "A later decision wins.";
    "expired": CertificateWithinValidity, "A certificate holds for ever.";
    "anybody-submits": RoleMaySubmit, "Whoever has a certificate submits.";
    "unsealed": SealDigestIsCarried, "The cloud takes what names no seal.";
    "unsigned-by-user": ValidCarriesUserSignature, "The cloud stores what no user signed.";
    "broken-chain": BlockLinksPrevious, "A block follows any other.";
    "unread-commitments": ReadMatchesCommitments, "A reader takes another record than was committed to.";
    "damaged-store": StoreMatchesHead, "A cloud starts from what it never signed.";
};

const OF_PRIMITIVES: [Canary; 10] = [
    Canary {
        name: "trailing-byte",
        target: "tables",
        what: "A value of some tables is taken with a zero after its end.",
        subject: || Subject { again: Some(generous), ..Subject::product() },
    },
    Canary {
        name: "written-otherwise",
        target: "decoders",
        what: "A value of some tables that ends in 240 or more is written as another one.",
        subject: || Subject { again: Some(forgetful), ..Subject::product() },
    },
    Canary {
        name: "ill-typed",
        target: "records",
        what: "A value is mapped whatever its type.",
        subject: || lax(Clause::AttributeHasItsType),
    },
    Canary {
        name: "long-proof",
        target: "proofs",
        what: "A proof of inclusion may be longer than the tree is high.",
        subject: || Subject { inclusion: Some(inclusion_too_long), ..Subject::product() },
    },
    Canary {
        name: "fork-passes",
        target: "proofs",
        what: "The old root of a proof of consistency is not always compared.",
        subject: || Subject { consistency: Some(old_root_unread), ..Subject::product() },
    },
    Canary {
        name: "lost-carry",
        target: "arithmetic",
        what: "A sum is forgotten where its last byte is 255.",
        subject: || Subject { plus_product: Some(carry_lost), ..Subject::product() },
    },
    Canary {
        name: "unlooked-store",
        target: "recovery",
        what: "A store is not compared with its newest head.",
        subject: || lax(Clause::StoreMatchesHead),
    },
    Canary {
        name: "unended-line",
        target: "traces",
        what: "A trace that is cut short within its last line's end is taken.",
        subject: || Subject { read_trace: Some(unended), ..Subject::product() },
    },
    Canary {
        name: "keyless",
        target: "store_file",
        what: "A store whose keys are damaged passes for an empty one.",
        subject: || Subject { open: Some(keyless), ..Subject::product() },
    },
    Canary {
        name: "unread-root",
        target: "recovery",
        what: "A ledger recovers whatever its blocks hold under their roots.",
        subject: || lax(Clause::MerkleRootMatches),
    },
];

/// All of them.
pub fn canaries() -> impl Iterator<Item = &'static Canary> {
    OF_THE_PROTOCOL.iter().chain(&OF_PRIMITIVES)
}

/// The one of this name.
pub fn canary(name: &str) -> Option<&'static Canary> {
    canaries().find(|canary| canary.name == name)
}
