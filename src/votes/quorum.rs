//! Verifies quorum certificates.

use crate::crypto::{Domain, Signed, vouch_all};
use crate::votes::ValidatorSet;
use crate::wire::{QuorumCertificate, Signatory, encode};
use bemr_spec::{Clause, Refusal, Rules};

/// Checks that `certificate` is one of `validators`: more than two thirds of them, each once, each signing its body.
///
/// # Errors
#[doc = bemr_spec::errors!(quorum)]
pub fn verify_quorum(
    rules: &Rules,
    validators: &ValidatorSet,
    certificate: &QuorumCertificate,
) -> Result<(), Refusal> {
    rules
        .require(Clause::VoterIsAdmitted, certificate.body.validators == validators.digest())
        .map_err(|refusal| refusal.at("validators"))?;
    let message = encode(&certificate.body);
    verify_signatories(rules, validators, certificate.signatories.as_slice(), Domain::VOTE, &message)
}

/// Checks that more than two thirds of `validators` signed `message` for `domain`, each once.
///
/// # Errors
/// QUO-02 for names that do not ascend, VOT-01 for a stranger, QUO-01 for too few, VOT-02 for a wrong signature.
pub fn verify_signatories(
    rules: &Rules,
    validators: &ValidatorSet,
    signatories: &[Signatory],
    domain: Domain,
    message: &[u8],
) -> Result<(), Refusal> {
    let ascending = signatories.windows(2).all(|pair| pair[0].validator < pair[1].validator);
    rules.require(Clause::SignersAreDistinct, ascending)?;
    let mut signed = Vec::with_capacity(signatories.len());
    for signatory in signatories {
        match validators.key(&signatory.validator) {
            Some(key) => signed.push(Signed { key, domain, message, signature: &signatory.signature }),
            None => rules
                .require(Clause::VoterIsAdmitted, false)
                .map_err(|refusal| refusal.at(signatory.validator.as_str()))?,
        }
    }
    rules
        .require(Clause::MoreThanTwoThirds, signatories.len() >= validators.quorum())
        .map_err(|refusal| refusal.at(format!("{} of {}", signatories.len(), validators.len())))?;
    vouch_all(rules, Clause::VoteSigned, &signed)
}
