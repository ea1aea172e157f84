//! What a validator checks of T_block, and how it comes to its verdict. It changes nothing.

use crate::actors::bsd::{Addressee, check_addressee, check_tid, check_validity, facts};
use crate::actors::{LedgerView, NodeContext};
use crate::crypto::{Digest, Domain};
use crate::keys::{CertifiedPrincipal, Party, Permission};
use crate::records::{Failure, Opened, Policy, commitment_of, read_value};
use crate::wire::{Ballot, PROTOCOL_VERSION, SealDigest, TBlock, Time, VoteBody, encode};
use bemr_spec::{Clause, Refusal, Rules, constants};

/// Checks who sent a T_block and who signed what in it.
///
/// # Errors
/// The first check of [`T_BLOCK`](bemr_spec::order::T_BLOCK) that fails, from ENC-03 to BLK-04.
pub(super) fn check_origin(
    context: &mut NodeContext,
    now: Time,
    peer: &CertifiedPrincipal,
    block: &TBlock,
) -> Result<(), Refusal> {
    let rules = context.rules;
    let (body, initial) = (&block.body, &block.initial);
    let versions = body.version == PROTOCOL_VERSION && initial.version == PROTOCOL_VERSION;
    rules.require(Clause::ProtocolVersionIsOne, versions)?;
    let suite = context.own.identity().suite();
    rules.require(Clause::SuiteMatches, body.suite == suite && initial.suite == suite)?;
    let validators = &context.ledger_view.validators;
    let here = body.network == *validators.network() && body.validators == validators.digest();
    rules.require(Clause::BlockNamesNetwork, here)?;
    let from_bsd = body.bsd == *peer.name() && peer.role().place() == Party::Bsd;
    rules.require(Clause::BsdSignsBlock, from_bsd).map_err(|refusal| refusal.at("bsd"))?;
    peer.signing_key()
        .vouches(&rules, Clause::BsdSignsBlock, Domain::T_BLOCK, &encode(body), &block.signature)
        .map_err(|refusal| refusal.at("signature"))?;
    let user = context.trust.verify(&rules, now, &block.user)?;
    user.require_claim(&rules, &initial.user, initial.role)?;
    let message = encode(initial);
    let bound = body.tid == initial.tid && body.initial == Digest::of(Domain::T_INITIAL, &message);
    rules.require(Clause::BlockCarriesUserSignature, bound).map_err(|refusal| refusal.at("initial"))?;
    user.signing_key()
        .vouches(
            &rules,
            Clause::BlockCarriesUserSignature,
            Domain::T_INITIAL,
            &message,
            &block.user_signature,
        )
        .map_err(|refusal| refusal.at("user_signature"))?;
    user.role().require(&rules, Permission::Submit)?;
    check_tid(&rules, initial)?;
    let addressee = Addressee { bsd: body.bsd.clone(), network: body.network.clone() };
    check_addressee(&rules, initial, &addressee)?;
    check_validity(&rules, initial, now)?;
    let current = context.ledger_view.ledger.height().0;
    let height = body.height.0;
    rules
        .require(
            Clause::HeightInWindow,
            height <= current.saturating_add(constants::HEIGHTS_AHEAD)
                && height.saturating_add(constants::HEIGHTS_BEHIND) >= current,
        )
        .map_err(|refusal| refusal.at(format!("height {height} at {current}")))
}

/// The policy that a T_block names, with the digest that its body has to name.
///
/// # Errors
/// The first check of [`T_BLOCK`](bemr_spec::order::T_BLOCK) that fails, from TPL-01 to SEA-04.
pub(super) fn check_policy<'a>(
    rules: &Rules,
    ledger_view: &'a LedgerView,
    block: &TBlock,
) -> Result<Policy<'a>, Refusal> {
    let initial = &block.initial;
    let policy = ledger_view.policy.policy(
        rules,
        &initial.template,
        initial.contracts.as_slice(),
        block.body.height,
    )?;
    rules
        .check(Clause::AllContractsApplied, || block.body.policy == policy.digest())
        .map_err(|refusal| refusal.at("policy"))?;
    SealDigest(block.body.seal).require_some(rules)?;
    Ok(policy)
}

/// Opens the attributes that the contracts check and runs the contracts.
///
/// # Errors
/// The first check of [`T_BLOCK`](bemr_spec::order::T_BLOCK) that fails, from BLK-06 to its end.
pub(super) fn verdict(
    rules: &Rules,
    policy: &Policy<'_>,
    block: &TBlock,
) -> Result<Result<(), Failure>, Refusal> {
    let initial = &block.initial;
    let template = policy.template();
    let checked = policy.checked_attributes();
    rules.check(Clause::CheckedAttributesOpened, || {
        block.openings.iter().map(|opening| opening.index).eq(checked.iter().copied())
    })?;
    let mut opened = Opened::new();
    for opening in block.openings.iter() {
        let index = usize::from(opening.index);
        let stray = || Refusal::new(Clause::CheckedAttributesOpened).at(format!("index {index}"));
        let attribute = template.attributes.get(index).ok_or_else(stray)?;
        let value = opening.value.as_slice();
        rules
            .check(Clause::OpeningsMatchCommitments, || {
                let commitment = commitment_of(opening.index, &attribute.name, value, &opening.opening);
                initial.commitments.as_slice().get(index) == Some(&commitment)
            })
            .map_err(|refusal| refusal.at(attribute.name.as_str()))?;
        opened.insert(opening.index, read_value(rules, attribute, value)?);
    }
    Ok(policy.evaluate(rules, &opened, &facts(initial)))
}

/// The contents of the vote on a T_block.
pub fn vote_body(block: &TBlock, verdict: &Result<(), Failure>) -> VoteBody {
    let body = &block.body;
    let (ballot, reason) = match verdict {
        Ok(()) => (Ballot::True, 0),
        Err(failure) => (Ballot::False, failure.reason()),
    };
    VoteBody {
        version: PROTOCOL_VERSION,
        suite: body.suite,
        network: body.network.clone(),
        validators: body.validators,
        tid: body.tid,
        block: Digest::of(Domain::T_BLOCK, &encode(body)),
        policy: body.policy,
        height: body.height,
        ballot,
        reason,
    }
}
