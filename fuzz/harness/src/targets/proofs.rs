//! Proofs of ledger and cloud: what verifies is true.
//!
//! The bytes make a tree, a claim and a proof, which is honest but for what the bytes change in it. The tree is known here, so
//! what the claim says is either so or not. A root alone does not say of how many leaves it is: that is signed beside it, in
//! the head or the header; so a claim with another size than the true one has to be answered, and may be true of another tree.

use crate::{Seen, Subject};
use arbitrary::{Result, Unstructured};
use bemr::crypto::{Digest, Domain};
use bemr::merkle::{MerkleTree, verify_consistency, verify_inclusion};
use bemr::wire::{ConsistencyProof, InclusionProof};
use std::sync::LazyLock;

/// The most leaves of a tree.
const MOST: u64 = 40;

/// A claim about a tree.
pub(super) fn run(subject: &Subject, input: &[u8], seen: &mut Seen) {
    // Bytes that end too early are no input.
    let _ = claim(subject, &mut Unstructured::new(input), seen);
}

/// The leaf of a number. Those of trees are made once.
fn leaf(number: u64) -> Digest {
    static LEAVES: LazyLock<Vec<Digest>> = LazyLock::new(|| (0..=MOST).map(hashed).collect());
    let made = usize::try_from(number).ok().and_then(|at| LEAVES.get(at));
    made.copied().unwrap_or_else(|| hashed(number))
}

fn hashed(number: u64) -> Digest {
    Digest::of(Domain::MERKLE_LEAF, &number.to_be_bytes())
}

fn claim(subject: &Subject, bytes: &mut Unstructured<'_>, seen: &mut Seen) -> Result<()> {
    let size = bytes.int_in_range(1..=MOST)?;
    // Few of the leaves are alike, as those of two grants would be.
    let alike = bytes.int_in_range(1..=MOST)?;
    let leaves: Vec<Digest> = (0..size).map(|number| leaf(number % alike.max(size / 2))).collect();
    let tree: MerkleTree = leaves.iter().collect();
    if bytes.arbitrary()? {
        inclusion(subject, bytes, &tree, &leaves, seen)
    } else {
        consistency(subject, bytes, &tree, &leaves, seen)
    }
}

/// Of something near `honest`, mostly the same.
fn near(bytes: &mut Unstructured<'_>, honest: u64) -> Result<u64> {
    Ok(match bytes.int_in_range(0..=9_u8)? {
        0 => honest.wrapping_add(1),
        1 => honest.wrapping_sub(1),
        2 => honest ^ 1_u64.checked_shl(bytes.int_in_range(0..=63)?).unwrap_or(0),
        3 => honest.wrapping_mul(2),
        4 => bytes.arbitrary()?,
        _ => honest,
    })
}

/// A path with a few changes: nodes dropped, doubled, exchanged, or put in from the tree.
fn changed(bytes: &mut Unstructured<'_>, tree: &MerkleTree, path: &[Digest]) -> Result<Vec<Digest>> {
    let mut path = path.to_vec();
    for _ in 0..bytes.int_in_range(0..=2_u8)? {
        let at = bytes.int_in_range(0..=path.len())?;
        let other = bytes.int_in_range(0..=path.len())?;
        match bytes.int_in_range(0..=4_u8)? {
            0 if at < path.len() => drop(path.remove(at)),
            1 if at < path.len() => path.insert(other.min(path.len()), path[at]),
            2 if at < path.len() && other < path.len() => path.swap(at, other),
            3 => path.insert(at, tree.root_at(bytes.int_in_range(0..=tree.size())?).unwrap_or_default()),
            _ => path.insert(at, leaf(bytes.int_in_range(0..=MOST)?)),
        }
    }
    Ok(path)
}

fn inclusion(
    subject: &Subject,
    bytes: &mut Unstructured<'_>,
    tree: &MerkleTree,
    leaves: &[Digest],
    seen: &mut Seen,
) -> Result<()> {
    let index = bytes.int_in_range(0..=tree.size() - 1)?;
    let within = bytes.int_in_range(index + 1..=tree.size())?;
    let honest = tree.prove_inclusion(within, index).expect("the index is within the tree");
    let root = tree.root_at(within).expect("the tree has so many leaves");
    let (size, at) = (near(bytes, within)?, near(bytes, index)?);
    let claimed = usize::try_from(near(bytes, index)?).unwrap_or(usize::MAX);
    let claimed = leaves.get(claimed).copied().unwrap_or_else(|| leaf(u64::MAX));
    let path = changed(bytes, tree, honest.path.as_slice())?;
    let genuine = (size, at, path.as_slice()) == (within, index, honest.path.as_slice())
        && claimed == leaves[index as usize];
    let proof = InclusionProof { index: at, path: path.into() };
    let verified = subject.inclusion.unwrap_or(verify_inclusion)(&root, size, &claimed, &proof);
    assert!(verified || !genuine, "a genuine proof does not verify");
    if verified && size == within {
        let there = usize::try_from(at).ok().and_then(|at| leaves[..within as usize].get(at));
        assert!(there == Some(&claimed), "leaf {at} of {within} is another one");
    }
    seen.note(("inclusion", verified, genuine, within, index));
    Ok(())
}

fn consistency(
    subject: &Subject,
    bytes: &mut Unstructured<'_>,
    tree: &MerkleTree,
    leaves: &[Digest],
    seen: &mut Seen,
) -> Result<()> {
    let second = tree.size();
    let first = bytes.int_in_range(0..=second)?;
    let honest = tree.prove_consistency(first, second).expect("the first tree is within the second");
    // The old tree may be of another log: with a leaf changed, or of another size than is said.
    let mut old = leaves[..first as usize].to_vec();
    let fork = bytes.int_in_range(0..=3 * second)?;
    if let Some(one) = old.get_mut(fork as usize) {
        *one = leaf(u64::MAX);
    }
    let forked = old != leaves[..first as usize];
    let old: MerkleTree = old.iter().collect();
    let sizes = (near(bytes, first)?, near(bytes, second)?);
    let path = changed(bytes, tree, honest.path.as_slice())?;
    let genuine = !forked && sizes == (first, second) && path == honest.path.as_slice();
    let proof = ConsistencyProof { path: path.into() };
    let verified = subject.consistency.unwrap_or(verify_consistency)(
        (sizes.0, &old.root()),
        (sizes.1, &tree.root()),
        &proof,
    );
    assert!(verified || !genuine, "a genuine proof does not verify");
    if verified && sizes == (first, second) {
        assert!(!forked, "a log that forked at leaf {fork} passes for one that grew");
    }
    seen.note(("consistency", verified, genuine, first, second, forked));
    Ok(())
}
