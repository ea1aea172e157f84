//! Quorum certificates (chapter 9).

use super::voters::{Set, Voters};
use super::{Kind, Made, RULES, SUITES, Stop};
use crate::forge::{MutatedMessage, Sweep};
use crate::vectors::Hex;
use bemr::crypto::{Domain, Suite};
use bemr::votes::verify_quorum;
use bemr::wire::{QuorumCertificate, VoteBody, decode, encode};
use bemr_spec::{Clause, Refusal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A quorum certificate is verified.
pub(in crate::vectors) enum VerifyQuorum {}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct QuorumInput {
    validators: Set,
    certificate: Hex,
}

/// A digest.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct DigestOf {
    digest: Hex,
    set: Hex,
}

impl Kind for VerifyQuorum {
    const NAME: &'static str = "quorum";
    const SUITES: &'static [&'static str] = SUITES;
    type Input = QuorumInput;
    type Output = DigestOf;

    fn judge(suite: Suite, input: &QuorumInput) -> Result<DigestOf, Stop> {
        let set = input.validators.set(suite)?;
        let certificate: QuorumCertificate = decode(&RULES, &input.certificate.0)?;
        verify_quorum(&RULES, &set, &certificate)?;
        Ok(DigestOf { digest: certificate.digest().as_bytes().into(), set: set.digest().as_bytes().into() })
    }

    fn make(suite: Suite) -> Result<Vec<Made<QuorumInput>>, Refusal> {
        use Clause::{MoreThanTwoThirds, VoteSigned, VoterIsAdmitted};
        let voters = Voters::new(suite, Self::NAME, 4);
        let genuine = voters.certificate(voters.vote(1));
        let given = QuorumInput { validators: Set::of(&voters.set), certificate: Hex(encode(&genuine)) };
        let with = |bytes: &[u8]| QuorumInput { certificate: bytes.into(), ..given.clone() };
        let of = |count: usize| {
            let signatories = voters.signatories(count, Domain::VOTE, &encode(&genuine.body)).into();
            with(&encode(&QuorumCertificate { signatories, ..genuine.clone() }))
        };
        let mut made = vec![
            Made::valid("three of four", given.clone()),
            Made::valid("all four", of(4)),
            Made::invalid(MoreThanTwoThirds, "two of four", of(2)).of("QuorumCertificate.signatories"),
            Made::invalid(MoreThanTwoThirds, "none", of(0)).of("QuorumCertificate.signatories"),
        ];
        for (count, quorum) in [(1, 1), (2, 2), (3, 3), (6, 5), (7, 5)] {
            let few = Voters::new(suite, &format!("{} {count}", Self::NAME), count);
            let body = few.vote(1);
            for (signed, clause) in [(quorum, None), (quorum - 1, Some(MoreThanTwoThirds))] {
                let signatories = few.signatories(signed, Domain::VOTE, &encode(&body)).into();
                let certificate = QuorumCertificate { body: body.clone(), signatories };
                let input =
                    QuorumInput { validators: Set::of(&few.set), certificate: Hex(encode(&certificate)) };
                let comment = format!("{signed} of {count}");
                made.push(match clause {
                    None => Made::valid(comment, input),
                    Some(clause) => Made::invalid(clause, comment, input),
                });
            }
        }
        let mut sweep = Sweep::new(suite, &["~", "validator-2"], 2);
        let mend = |near: &MutatedMessage, way: u8| {
            let mut certificate: QuorumCertificate = decode(&RULES, &near.bytes).ok()?;
            if way == 0 {
                voters.signer().quorum(&mut certificate);
            }
            Some(encode(&certificate))
        };
        made.extend(Self::swept(suite, &mut sweep, "QuorumCertificate", &encode(&genuine), mend, with));
        // Another set, which the certificate names.
        let mut other = Set::of(&voters.set);
        other.members[0].key = Hex(voters.keys.values().last().expect("four").verifying_key().encode());
        let renamed = |set: &Set| -> Result<Vec<u8>, Refusal> {
            let digest = set.set(suite)?.digest();
            Ok(encode(&voters.certificate(VoteBody { validators: digest, ..voters.vote(1) })))
        };
        let input = QuorumInput { certificate: Hex(renamed(&other)?), validators: other };
        made.push(Made::invalid(VoteSigned, "a member with another key", input).of("Member.signing_key"));
        let mut other = Set::of(&voters.set);
        other.members[0].name = "validator-0".to_owned();
        let input = QuorumInput { certificate: Hex(renamed(&other)?), validators: other };
        made.push(
            Made::invalid(VoterIsAdmitted, "a member of another name", input)
                .of("ValidatorSet.members")
                .of("Member.validator"),
        );
        Ok(made)
    }
}
