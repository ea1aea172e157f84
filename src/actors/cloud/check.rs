//! What the cloud checks of T_valid, in the order of the chapter on transactions. It changes nothing.

use crate::actors::NodeContext;
use crate::actors::bsd::{Addressee, check_addressee, check_grants, check_tid};
use crate::crypto::{Digest, Domain};
use crate::keys::{CertifiedPrincipal, Party, Permission};
use crate::ledger::verify_entry;
use crate::votes::verify_quorum;
use crate::wire::{Ballot, Entry, PROTOCOL_VERSION, SealDigest, TValid, Time, encode};
use bemr_spec::{Clause, Refusal};

/// Checks who sent a T_valid.
///
/// # Errors
/// The first check of [`T_VALID`](bemr_spec::order::T_VALID) that fails, from ENC-03 to VAL-01.
pub(super) fn check_sender(
    context: &NodeContext,
    peer: &CertifiedPrincipal,
    valid: &TValid,
) -> Result<(), Refusal> {
    let rules = &context.rules;
    let body = &valid.body;
    let versions = [body.version, valid.initial.version, valid.block.version];
    rules
        .require(Clause::ProtocolVersionIsOne, versions.iter().all(|version| *version == PROTOCOL_VERSION))?;
    let suite = context.own.identity().suite();
    let suites = [body.suite, valid.initial.suite, valid.block.suite];
    rules.require(Clause::SuiteMatches, suites.iter().all(|one| *one == suite))?;
    let named =
        body.bsd == *peer.name() && peer.role().place() == Party::Bsd && body.cloud == *context.name();
    rules.require(Clause::BsdSignsValid, named).map_err(|refusal| refusal.at("bsd"))?;
    peer.signing_key()
        .vouches(rules, Clause::BsdSignsValid, Domain::T_VALID, &encode(body), &valid.signature)
        .map_err(|refusal| refusal.at("signature"))
}

/// Checks whose record a T_valid carries, and that the network accepted it.
///
/// # Errors
/// The first check of [`T_VALID`](bemr_spec::order::T_VALID) that fails, from the user's certificate to INI-11.
pub(super) fn check_content(context: &mut NodeContext, now: Time, valid: &TValid) -> Result<(), Refusal> {
    let rules = context.rules;
    let (body, initial, block) = (&valid.body, &valid.initial, &valid.block);
    let user = context.trust.verify_as_of(&rules, now, initial.issued, &valid.user)?;
    user.require_claim(&rules, &initial.user, initial.role)?;
    let message = encode(initial);
    let one_tid = body.tid == initial.tid && body.tid == block.tid;
    rules.require(Clause::ValidCarriesUserSignature, one_tid).map_err(|refusal| refusal.at("tid"))?;
    let (key, signature) = (user.signing_key(), &valid.user_signature);
    key.vouches(&rules, Clause::ValidCarriesUserSignature, Domain::T_INITIAL, &message, signature)
        .map_err(|refusal| refusal.at("user_signature"))?;
    check_tid(&rules, initial)?;
    let validators = &context.ledger_view.validators;
    let addressee = Addressee { bsd: body.bsd.clone(), network: validators.network().clone() };
    check_addressee(&rules, initial, &addressee)?;

    let certificate = &valid.acknowledgement;
    let sent = &certificate.body;
    let bound = body.block == Digest::of(Domain::T_BLOCK, &encode(block))
        && block.initial == Digest::of(Domain::T_INITIAL, &message)
        && body.acknowledgement == certificate.digest()
        && sent.tid == body.tid
        && sent.block == body.block
        && sent.policy == block.policy
        && sent.height == block.height;
    rules.require(Clause::AckAnswersThisBlock, bound)?;
    rules.require(Clause::AckIsTrue, sent.ballot == Ballot::True)?;
    let ledger = &context.ledger_view.ledger;
    if ledger.is_verified(certificate) {
        #[cfg(bemr_weaken)]
        crate::crypto::operations::spared(|| drop(verify_quorum(&rules, validators, certificate)));
    } else {
        verify_quorum(&rules, validators, certificate)?;
    }
    let header = ledger.block(body.height).map(|block| block.header());
    let header = header.filter(|header| header.digest() == body.header);
    let is_final = header.is_some() && ledger.require_final(&rules, &body.header).is_ok();
    rules
        .require(Clause::DecisionIsFinal, is_final)
        .map_err(|refusal| refusal.at(format!("height {}", body.height)))?;
    if let Some(header) = header {
        verify_entry(&rules, header, &Entry::Decision(certificate.clone()), &valid.inclusion)?;
    }
    SealDigest(body.seals).require_some(&rules)?;
    rules.check(Clause::CiphertextMatchesSigned, || {
        initial.ciphertext == Digest::of(Domain::CIPHERTEXT, valid.ciphertext.as_slice())
    })?;
    let policy = &context.ledger_view.policy;
    check_grants(&rules, initial, &valid.grants, |reader| {
        context.directory.get(reader).is_some_and(|reader| {
            let role = reader.role();
            role.may(Permission::Read) && policy.lets_read(initial.contracts.as_slice(), role)
        })
    })?;
    context.check_readers_certified(now, initial.issued, &valid.grants)
}
