//! T_block.

use super::{Edits, Forge, any, initial, nobody, other_suite, stray, table};
use bemr::crypto::{Digest, Domain};
use bemr::records::{canonical, commitment_of};
use bemr::wire::{
    AttributeOpening, AttributeType, BlockBody, Height, InitialHeader, List, Role, TBlock, encode,
};
use bemr_model::Flaws;
use bemr_spec::Clause;

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

/// Whether a T_block with these flaws has another digest than the genuine one.
pub fn is_of_the_body(flaws: Flaws) -> bool {
    any(flaws, SIGNED_BY_THE_USER) || BODY.iter().any(|(clause, _)| flaws.has(*clause))
}

const BODY: &Edits<BlockBody> = &[
    (Clause::ProtocolVersionIsOne, &[|body| body.version = 2]),
    (Clause::SuiteMatches, &[|body| body.suite = other_suite(body.suite)]),
    (
        Clause::BlockNamesNetwork,
        &[|body| body.validators = stray(body.validators.as_bytes()), |body| body.network = nobody()],
    ),
    (Clause::HeightInWindow, &[|body| body.height = Height(body.height.0.saturating_add(1_000))]),
    (Clause::AllContractsApplied, &[|body| body.policy = stray(body.policy.as_bytes())]),
    (Clause::SealDigestIsCarried, &[|body| body.seal = Digest::default()]),
];

/// Of the header that a validator or the cloud reads; [`initial::HEADER`] has the others.
pub(super) const HEADER: &Edits<InitialHeader> = &[
    (Clause::RoleMaySubmit, &[|header| header.role = Role::Administrator]),
    (Clause::TidIsDerived, &[|header| header.nonce[0] ^= 1]),
];

impl Forge<'_> {
    /// T_block of its BSD.
    pub fn block(&self, genuine: &TBlock, flaws: Flaws) -> Option<TBlock> {
        table::require("T_block", flaws)?;
        let bsd = genuine.body.bsd.clone();
        let mut forged = genuine.clone();
        self.edit(BODY, &mut forged.body, flaws);
        self.edit(HEADER, &mut forged.initial, flaws);
        self.edit(initial::HEADER, &mut forged.initial, flaws);
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
        let (of, body) = ((Clause::BsdSignsBlock, 1), encode(&forged.body));
        forged.signature = self.signed(flaws, of, &bsd, Domain::T_BLOCK, &body)?;
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
