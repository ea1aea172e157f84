//! T_valid.

use super::{Edits, Forge, any, change, flip_last, initial, nobody, other_suite, stray, table, tblock};
use bemr::crypto::{Digest, Domain};
use bemr::wire::{Ballot, TValid, ValidBody, encode};
use bemr_model::Flaws;
use bemr_spec::Clause;

const OF_THE_CERTIFICATE: &[Clause] =
    &[Clause::VoterIsAdmitted, Clause::SignersAreDistinct, Clause::MoreThanTwoThirds, Clause::VoteSigned];

const BODY: &Edits<ValidBody> = &[
    (Clause::ProtocolVersionIsOne, &[|body| body.version = 2]),
    (Clause::SuiteMatches, &[|body| body.suite = other_suite(body.suite)]),
    (Clause::DecisionIsFinal, &[|body| body.header = stray(body.header.as_bytes())]),
    (Clause::SealDigestIsCarried, &[|body| body.seals = Digest::default()]),
    (Clause::BsdSignsValid, &[|_| (), |body| body.cloud = nobody()]),
];

/// Of the digests in the body, once they are those of what was forged.
const ANSWERED: &Edits<ValidBody> = &[(
    Clause::AckAnswersThisBlock,
    &[
        |body| body.acknowledgement = stray(body.acknowledgement.as_bytes()),
        |body| body.block = stray(body.block.as_bytes()),
    ],
)];

const INCLUSION: &Edits<TValid> = &[(
    Clause::EntryInclusionProven,
    &[
        |valid| valid.inclusion.index += 1,
        |valid| change(&mut valid.inclusion.path, |path| path.push(stray(valid.body.header.as_bytes()))),
    ],
)];

impl Forge<'_> {
    /// T_valid of its BSD.
    pub fn valid(&self, genuine: &TValid, flaws: Flaws) -> Option<TValid> {
        table::require("T_valid", flaws)?;
        let bsd = genuine.body.bsd.clone();
        let mut forged = genuine.clone();
        self.edit(BODY, &mut forged.body, flaws);
        forged.user = self.certificate(&genuine.user, flaws)?;
        if any(flaws, &[Clause::TidIsDerived, Clause::InitialNamesRecipient]) {
            // The user conspires; the validators who do not would have to vote on this header, too.
            self.edit(tblock::HEADER, &mut forged.initial, flaws);
            self.edit(initial::HEADER, &mut forged.initial, flaws);
            let message = encode(&forged.initial);
            forged.user_signature = self.sign(&forged.initial.user, Domain::T_INITIAL, &message)?;
            forged.block.initial = Digest::of(Domain::T_INITIAL, &message);
            forged.body.block = Digest::of(Domain::T_BLOCK, &encode(&forged.block));
            forged.acknowledgement.body.block = forged.body.block;
            self.sign_again(&mut forged.acknowledgement);
            forged.body.acknowledgement = forged.acknowledgement.digest();
        }
        if flaws.has(Clause::AckIsTrue) {
            // The validators conspire, too.
            let body = &mut forged.acknowledgement.body;
            (body.ballot, body.reason) = (Ballot::False, Clause::RequiredRule.code());
            self.sign_again(&mut forged.acknowledgement);
            forged.body.acknowledgement = forged.acknowledgement.digest();
        }
        if flaws.has(Clause::ValidCarriesUserSignature) {
            forged.user_signature = self.sign(&bsd, Domain::T_INITIAL, &encode(&forged.initial))?;
        }
        if any(flaws, OF_THE_CERTIFICATE) {
            let of_certificate = flaws.iter().filter(|flaw| OF_THE_CERTIFICATE.contains(flaw));
            let of_certificate = of_certificate.fold(Flaws::NONE, Flaws::and);
            let first_way = Forge { way: self.way(flaws, u8::MAX), ..*self };
            forged.acknowledgement = first_way.certified(&forged.acknowledgement, of_certificate)?;
            forged.body.acknowledgement = forged.acknowledgement.digest();
        }
        self.edit(ANSWERED, &mut forged.body, flaws);
        self.edit(INCLUSION, &mut forged, flaws);
        if flaws.has(Clause::CiphertextMatchesSigned) {
            forged.ciphertext = flip_last(forged.ciphertext.as_slice())?.into();
        }
        if flaws.has(Clause::GrantsNameAuthorisedReaders) {
            change(&mut forged.grants, |grants| {
                let last = grants.last_mut()?;
                match self.way(flaws, 2) {
                    0 => last.wrapped = flip_last(last.wrapped.as_slice())?.into(),
                    _ => drop(grants.pop()?),
                }
                Some(())
            })?;
        }
        let (of, body) = ((Clause::BsdSignsValid, 2), encode(&forged.body));
        forged.signature = self.signed(flaws, of, &bsd, Domain::T_VALID, &body)?;
        Some(forged)
    }
}
