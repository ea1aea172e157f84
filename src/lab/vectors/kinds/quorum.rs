//! Quorum certificates (chapter 9).

use super::prelude::*;
use super::voters::{Set, Voters};
use bemr::votes::verify_quorum;

data! {
    QuorumInput { validators: Set, certificate: Hex }
    /// A digest.
    DigestOf { digest: Hex, set: Hex }
}

/// A quorum certificate is verified.
impl QuorumInput {
    pub(super) fn evaluate(&self, suite: Suite) -> Result<DigestOf, Stop> {
        let set = self.validators.set(suite)?;
        let certificate: QuorumCertificate = self.certificate.decode()?;
        verify_quorum(&RULES, &set, &certificate)?;
        Ok(DigestOf { digest: certificate.digest().as_bytes().into(), set: set.digest().as_bytes().into() })
    }

    pub(super) fn cases(suite: Suite) -> Result<Vec<Case<Self>>, Refusal> {
        use Clause::{MoreThanTwoThirds, VoteSigned, VoterIsAdmitted};
        let voters = Voters::new(suite, Self::NAME, 4);
        let body = voters.vote(1);
        let signed = |voters: &Voters, count| QuorumInput {
            validators: Set::of(&voters.set),
            certificate: Hex::of(&voters.signed(voters.vote(1), count)),
        };
        let mut cases = Cases::of(suite, signed(&voters, 3));
        cases.valid("three of four", |_| ());
        cases.valid("all four", |input| *input = signed(&voters, 4));
        for (count, comment) in [(2, "two of four"), (0, "none")] {
            cases
                .invalid(MoreThanTwoThirds, comment, |input| *input = signed(&voters, count))
                .about(&["QuorumCertificate.signatories"]);
        }
        for (count, quorum) in [(1, 1), (2, 2), (3, 3), (6, 5), (7, 5)] {
            let few = Voters::new(suite, &format!("{} {count}", Self::NAME), count);
            for (signatures, clause) in [(quorum, None), (quorum - 1, Some(MoreThanTwoThirds))] {
                let comment = format!("{signatures} of {count}");
                cases.add(clause, comment, |input| *input = signed(&few, signatures));
            }
        }
        let mut sweep = Sweep::new(suite, &["~", "validator-2"], 2);
        let repair = |message: &MutatedMessage, way: u8| {
            let mut certificate: QuorumCertificate = decode(&RULES, &message.bytes).ok()?;
            if way == 0 {
                voters.signer().quorum(&mut certificate);
            }
            Some(encode(&certificate))
        };
        cases.sweep(&mut sweep, "QuorumCertificate", |input| &mut input.certificate, &repair);
        // Another set, which the certificate names.
        let renamed = |input: &mut QuorumInput| {
            let validators = input.validators.set(suite).map_or(body.validators, |set| set.digest());
            input.certificate = Hex::of(&voters.certificate(VoteBody { validators, ..body.clone() }));
        };
        let last = voters.keys.values().last().expect("four").verifying_key();
        cases
            .invalid(VoteSigned, "a member with another key", |input| {
                input.validators.members[0].key = Hex(last.encode());
                renamed(input);
            })
            .about(&["Member.signing_key"]);
        cases
            .invalid(VoterIsAdmitted, "a member of another name", |input| {
                input.validators.members[0].name = "validator-0".to_owned();
                renamed(input);
            })
            .about(&["ValidatorSet.members", "Member.validator"]);
        Ok(cases.all())
    }
}
