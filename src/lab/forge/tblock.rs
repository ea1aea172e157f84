//! T_block.

use super::{Forge, any, initial, nobody, other_suite, stray, table};
use bemr::crypto::{Digest, Domain};
use bemr::records::{canonical, commitment_of};
use bemr::wire::{AttributeOpening, AttributeType, Height, List, Role, TBlock, Version, encode};
use bemr_model::Flaws;
use bemr_spec::{Clause, constants};

/// Flaws of what the user signs: the user conspires.
const SIGNED_BY_THE_USER: &[Clause] = &[
    Clause::RoleMaySubmit,
    Clause::TidIsDerived,
    Clause::InitialNamesRecipient,
    Clause::InitialWithinValidity,
    Clause::TemplateIsInForce,
    Clause::AttributeHasItsType,
    Clause::RequiredAttributePresent,
];

/// Flaws of what the BSD signs beside that.
const OF_THE_BODY: &[Clause] = &[
    Clause::ProtocolVersionIsOne,
    Clause::SuiteMatches,
    Clause::BlockNamesNetwork,
    Clause::HeightInWindow,
    Clause::AllContractsApplied,
    Clause::SealDigestIsCarried,
];

/// Whether a T_block with these flaws has another digest than the genuine one.
pub fn is_of_the_body(flaws: Flaws) -> bool {
    any(flaws, OF_THE_BODY) || any(flaws, SIGNED_BY_THE_USER)
}

impl Forge<'_> {
    /// T_block of its BSD.
    pub fn block(&self, genuine: &TBlock, flaws: Flaws) -> Option<TBlock> {
        table::require("T_block", flaws)?;
        let bsd = genuine.body.bsd.clone();
        let mut forged = genuine.clone();
        let (body, header) = (&mut forged.body, &mut forged.initial);
        if flaws.has(Clause::ProtocolVersionIsOne) {
            body.version = 2;
        }
        if flaws.has(Clause::SuiteMatches) {
            body.suite = other_suite(body.suite);
        }
        if flaws.has(Clause::BlockNamesNetwork) {
            match self.way(flaws, 2) {
                0 => body.validators = stray(body.validators.as_bytes()),
                _ => body.network = nobody(),
            }
        }
        if flaws.has(Clause::HeightInWindow) {
            body.height = Height(body.height.0.saturating_add(1_000));
        }
        if flaws.has(Clause::AllContractsApplied) {
            body.policy = stray(body.policy.as_bytes());
        }
        if flaws.has(Clause::SealDigestIsCarried) {
            body.seal = Digest::default();
        }
        if flaws.has(Clause::RoleMaySubmit) {
            header.role = Role::Administrator;
        }
        if flaws.has(Clause::TidIsDerived) {
            header.nonce[0] ^= 1;
        }
        if flaws.has(Clause::InitialNamesRecipient) {
            match self.way(flaws, 2) {
                0 => header.recipient = nobody(),
                _ => header.network = nobody(),
            }
        }
        if flaws.has(Clause::InitialWithinValidity) {
            header.expires = match self.way(flaws, 2) {
                0 => header.issued.after(constants::SUBMISSION_LIFETIME_MS + 1),
                _ => header.issued,
            };
        }
        if flaws.has(Clause::TemplateIsInForce) {
            header.template.version = Version(header.template.version.0 + initial::NEVER);
        }
        self.open(&mut forged, genuine, flaws)?;
        let header = encode(&forged.initial);
        if any(flaws, SIGNED_BY_THE_USER) {
            forged.body.initial = Digest::of(Domain::T_INITIAL, &header);
            forged.user_signature = self.sign(&forged.initial.user, Domain::T_INITIAL, &header)?;
        }
        if flaws.has(Clause::BlockCarriesUserSignature) {
            match self.way(flaws, 2) {
                0 => forged.user_signature = self.sign(&bsd, Domain::T_INITIAL, &header)?,
                _ => forged.body.initial = stray(&header),
            }
        }
        forged.user = self.certificate(&genuine.user, flaws)?;
        let signed = !flaws.has(Clause::BsdSignsBlock);
        forged.signature = self.sign_or_not(signed, flaws, &bsd, Domain::T_BLOCK, &encode(&forged.body))?;
        Some(forged)
    }

    /// What is opened, and what the user committed to.
    fn open(&self, forged: &mut TBlock, genuine: &TBlock, flaws: Flaws) -> Option<()> {
        let mut openings = forged.openings.as_slice().to_vec();
        let mut commitments = forged.initial.commitments.as_slice().to_vec();
        let mut commit = |opening: &mut AttributeOpening, value: Vec<u8>| {
            let template = self.policy.template(&genuine.initial.template)?;
            let index = usize::from(opening.index);
            let name = &template.attributes.get(index)?.name;
            *commitments.get_mut(index)? = commitment_of(opening.index, name, &value, &opening.opening);
            opening.value = value.into();
            Some(())
        };
        if flaws.has(Clause::AttributeHasItsType) {
            // A list of no items is the value of nothing.
            commit(openings.first_mut()?, canonical(&Some(List::default())))?;
        }
        if flaws.has(Clause::RequiredAttributePresent) {
            // Of the patient alone an opening shows by itself that it must not be missing.
            let template = self.policy.template(&genuine.initial.template)?;
            let is_patient = |opening: &&mut AttributeOpening| {
                let attribute = template.attributes.get(usize::from(opening.index));
                attribute.is_some_and(|attribute| attribute.kind == AttributeType::Patient)
            };
            commit(openings.iter_mut().find(is_patient)?, canonical(&None))?;
        }
        if flaws.has(Clause::OpeningsMatchCommitments) {
            openings.first_mut()?.opening[0] ^= 1;
        }
        if flaws.has(Clause::CheckedAttributesOpened) {
            match self.way(flaws, 2) {
                0 => openings.push(openings.last()?.clone()),
                _ => drop(openings.pop()?),
            }
        }
        forged.openings = openings.into();
        forged.initial.commitments = commitments.into();
        Some(())
    }
}
