//! Which flaws a forged message of a kind has, by chance.

use crate::forge::{CONDITIONAL, COSTLY, ENTAILS, FLAWS, MANNERS, makes};
use bemr_model::Flaws;
use bemr_spec::Clause;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Flaws that are not drawn, and why.
const LEFT_OUT: &[(&str, Clause, &str)] = &[
    ("Proposal", Clause::HeightAdvancesByOne, "blocks from its height on are sent back"),
    ("Grant", Clause::RoleMayRead, "it is for another reader, of whom nothing was revoked"),
];

/// Flaws whose check comes late: they are drawn more often than the others of their kind, because most forgeries fail before it.
const RARE: &[(&str, Clause)] = &[
    ("T_initial", Clause::CiphertextIsTheSigned),
    ("T_initial", Clause::CommitmentsMatchMapping),
    ("T_block", Clause::BsdSignsBlock),
    ("T_block", Clause::BlockCarriesUserSignature),
    ("T_block", Clause::CheckedAttributesOpened),
    ("T_block", Clause::OpeningsMatchCommitments),
    ("T_valid", Clause::ValidCarriesUserSignature),
    ("T_valid", Clause::AckAnswersThisBlock),
    ("T_valid", Clause::AckIsTrue),
    ("T_valid", Clause::SignersAreDistinct),
    ("T_valid", Clause::MoreThanTwoThirds),
    ("T_valid", Clause::SealDigestIsCarried),
    ("T_valid", Clause::CiphertextMatchesSigned),
    // The last of all checks but one.
    ("T_valid", Clause::CiphertextMatchesSigned),
    ("T_valid", Clause::CiphertextMatchesSigned),
    ("T_valid", Clause::EntryInclusionProven),
    ("ReadResponse", Clause::LogIsAppendOnly),
    ("ReadResponse", Clause::HeadIsAnchored),
    ("ReadResponse", Clause::ReadMatchesSigned),
    ("ReadResponse", Clause::TagVerifiedBeforeUse),
    ("ReadResponse", Clause::ReadMatchesCommitments),
    ("Response", Clause::ResponderSignsTranscript),
    ("Response", Clause::ResponderConfirmsKey),
];

/// One or two flaws of this kind.
pub(super) fn draw(rng: &mut ChaCha8Rng, kind: &str) -> Option<Flaws> {
    let (_, listed) = FLAWS.iter().find(|(name, _)| *name == kind)?;
    let mut flaws = Flaws::NONE;
    for _ in 0..if rng.random_range(0..4) == 0 { 2 } else { 1 } {
        let mut place = rng.random_range(0..listed.len());
        let rare = RARE.iter().filter(|(name, _)| *name == kind).count();
        if rare > 0 && rng.random_range(0..2) == 0 {
            let (_, flaw) = RARE.iter().filter(|(name, _)| *name == kind).nth(rng.random_range(0..rare))?;
            place = listed.iter().position(|one| one == flaw)?;
        }
        let flaw = listed[place];
        let left_out = CONDITIONAL.iter().map(|(kind, flaw, _)| (kind, flaw));
        let left_out = left_out.chain(COSTLY.iter().map(|(kind, flaw)| (kind, flaw)));
        let mut left_out = left_out.chain(LEFT_OUT.iter().map(|(kind, flaw, _)| (kind, flaw)));
        let anchored = (kind, flaw) == ("ReadResponse", Clause::HeadIsAnchored);
        if !anchored && left_out.any(|(name, other)| *name == kind && *other == flaw) {
            return None;
        }
        flaws = flaws.and(flaw);
    }
    // Some checks fail in several variants.
    if flaws.iter().count() == 1 && rng.random_range(0..2) == 0 {
        let of = |(name, of, _): &&(&str, Clause, Clause)| *name == kind && flaws.has(*of);
        let manners: Vec<_> = MANNERS.iter().filter(of).collect();
        if !manners.is_empty() {
            let (.., manner) = manners[rng.random_range(0..manners.len())];
            flaws = flaws.and(*manner);
        }
    }
    // A flaw that entails another gives the same bytes without it, and the model knows those under one name.
    let entailed = |(name, one, other, _): &(&str, Clause, Clause, &str)| {
        *name == kind && kind == "T_initial" && flaws.has(*one) && flaws.has(*other)
    };
    (!ENTAILS.iter().any(entailed)).then_some(())?;
    makes(kind, flaws).then_some(flaws)
}
