//! What one checks with a closed header alone, without the ledger.

use crate::crypto::Domain;
use crate::merkle::verify_inclusion;
use crate::votes::{ValidatorSet, verify_signatories};
use crate::wire::{BlockHeader, ClosedHeader, Closing, Entry, InclusionProof, Name};
use bemr_spec::{Clause, Refusal, Rules};

/// Checks that `proof` shows `entry` in the block of `header`.
///
/// # Errors
/// LED-13.
pub fn verify_entry(
    rules: &Rules,
    header: &BlockHeader,
    entry: &Entry,
    proof: &InclusionProof,
) -> Result<(), Refusal> {
    rules.check(Clause::EntryInclusionProven, || {
        verify_inclusion(&header.root, header.count.into(), &entry.digest(), proof)
    })
}

/// Checks that a header is closed: by a quorum of `validators`, or by a digest below the target that it names.
/// Whether that target is the scheduled one and whether the block is final, only the ledger knows.
///
/// # Errors
/// LED-04 for a quorum, LED-05 for proof of work.
pub fn verify_close(rules: &Rules, validators: &ValidatorSet, closed: &ClosedHeader) -> Result<(), Refusal> {
    match &closed.header.closing {
        Closing::Quorum(set) => {
            rules
                .require(Clause::BlockHasQuorum, *set == validators.digest())
                .map_err(|refusal| refusal.at("closing.validators"))?;
            if !rules.in_force(Clause::BlockHasQuorum) {
                return Ok(());
            }
            let message = closed.header.digest();
            let signatories = closed.signatories.as_slice();
            verify_signatories(rules, validators, signatories, Domain::BLOCK_CLOSE, message.as_bytes())
                .map_err(|cause| Refusal::new(Clause::BlockHasQuorum).at(cause.to_string()))
        }
        Closing::Work(work) => {
            rules
                .require(Clause::WorkMeetsTarget, closed.signatories.as_slice().is_empty())
                .map_err(|refusal| refusal.at("signatories"))?;
            rules.check(Clause::WorkMeetsTarget, || work.target.is_met_by(&closed.header.digest()))
        }
    }
}

/// The validators who signed both of two different headers of one height, with signatures that verify: each of
/// them lied. Empty for headers of different heights or networks, and for one header twice.
pub fn double_signers<'a>(
    rules: &Rules,
    validators: &ValidatorSet,
    first: &'a ClosedHeader,
    second: &ClosedHeader,
) -> Vec<&'a Name> {
    let (one, other) = (first.header.digest(), second.header.digest());
    let rival = one != other
        && first.header.height == second.header.height
        && first.header.network == second.header.network;
    if !rival {
        return Vec::new();
    }
    let mut liars = Vec::new();
    for signatory in first.signatories.iter() {
        let twin = second.signatories.iter().find(|twin| twin.validator == signatory.validator);
        if let (Some(twin), Some(key)) = (twin, validators.key(&signatory.validator))
            && key.verify(rules, Domain::BLOCK_CLOSE, one.as_bytes(), &signatory.signature)
            && key.verify(rules, Domain::BLOCK_CLOSE, other.as_bytes(), &twin.signature)
        {
            liars.push(&signatory.validator);
        }
    }
    liars
}
