//! T_valid.

use super::{Forge, any, flip_last, nobody, other_suite, stray, table};
use bemr::crypto::{Digest, Domain};
use bemr::wire::{Ballot, TValid, encode};
use bemr_model::Flaws;
use bemr_spec::Clause;

const OF_THE_CERTIFICATE: &[Clause] =
    &[Clause::VoterIsAdmitted, Clause::SignersAreDistinct, Clause::MoreThanTwoThirds, Clause::VoteSigned];

impl Forge<'_> {
    /// T_valid of its BSD.
    pub fn valid(&self, genuine: &TValid, flaws: Flaws) -> Option<TValid> {
        table::require("T_valid", flaws)?;
        let bsd = genuine.body.bsd.clone();
        let mut forged = genuine.clone();
        if flaws.has(Clause::ProtocolVersionIsOne) {
            forged.body.version = 2;
        }
        if flaws.has(Clause::SuiteMatches) {
            forged.body.suite = other_suite(forged.body.suite);
        }
        forged.user = self.certificate(&genuine.user, flaws)?;
        if any(flaws, &[Clause::TidIsDerived, Clause::InitialNamesRecipient]) {
            // The user conspires; the validators who do not would have to vote on this header, too.
            let header = &mut forged.initial;
            if flaws.has(Clause::TidIsDerived) {
                header.nonce[0] ^= 1;
            }
            if flaws.has(Clause::InitialNamesRecipient) {
                match self.way(flaws, 2) {
                    0 => header.recipient = nobody(),
                    _ => header.network = nobody(),
                }
            }
            let message = encode(header);
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
        let body = &mut forged.body;
        if flaws.has(Clause::AckAnswersThisBlock) {
            match self.way(flaws, 2) {
                0 => body.acknowledgement = stray(body.acknowledgement.as_bytes()),
                _ => body.block = stray(body.block.as_bytes()),
            }
        }
        if flaws.has(Clause::DecisionIsFinal) {
            body.header = stray(body.header.as_bytes());
        }
        if flaws.has(Clause::EntryInclusionProven) {
            match self.way(flaws, 2) {
                0 => forged.inclusion.index += 1,
                _ => {
                    let mut path = forged.inclusion.path.as_slice().to_vec();
                    path.push(stray(body.header.as_bytes()));
                    forged.inclusion.path = path.into();
                }
            }
        }
        if flaws.has(Clause::SealDigestIsCarried) {
            body.seals = Digest::default();
        }
        if flaws.has(Clause::CiphertextMatchesSigned) {
            forged.ciphertext = flip_last(forged.ciphertext.as_slice())?.into();
        }
        if flaws.has(Clause::GrantsNameAuthorisedReaders) {
            let mut grants = forged.grants.as_slice().to_vec();
            match self.way(flaws, 2) {
                0 => {
                    let last = grants.last_mut()?;
                    last.wrapped = flip_last(last.wrapped.as_slice())?.into();
                }
                _ => drop(grants.pop()?),
            }
            forged.grants = grants.into();
        }
        if flaws.has(Clause::BsdSignsValid) && self.way(flaws, 2) == 1 {
            forged.body.cloud = nobody();
        }
        let signed = !flaws.has(Clause::BsdSignsValid) || self.way(flaws, 2) == 1;
        forged.signature = self.sign_or_not(signed, flaws, &bsd, Domain::T_VALID, &encode(&forged.body))?;
        Some(forged)
    }
}
