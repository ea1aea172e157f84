//! What a validator makes of T_block: every check refuses by its clause and changes nothing, every mutant of a clause
//! lets the same T_block through, and a validator says one thing of one transaction for ever.
#![allow(clippy::unwrap_used, reason = "helpers of tests stop at what is not as expected")]

use crate::testbed::{RULES, Reply, Testbed, name, refused, refused_by, sample, stray_digest};
use bemr::actors::Actor;
use bemr::crypto::{Digest, Domain, Suite};
use bemr::records::{Record, canonical, commitment_of, map, opening};
use bemr::wire::{
    AttributeOpening, Ballot, BlockBody, Gossip, Height, InitialHeader, Message, Role, TBlock, TInitial,
    Time, Vote, encode,
};
use bemr_spec::Clause;

const RECORD: &str = "Observation-blood-pressure";

fn initial(bed: &mut Testbed) -> TInitial {
    let doctor = bed.network.keys.roster.doctor.clone();
    bed.initial(&doctor, sample(RECORD), &[])
}

/// The BSD asks the first validator.
fn ask(bed: &mut Testbed, block: TBlock) -> Reply {
    let cast = bed.network.keys.roster.clone();
    bed.send(&cast.bsd, &cast.validators[0], Message::TBlock(Box::new(block)))
}

/// A T_block whose header and body are changed before user and BSD sign.
fn signed(
    bed: &mut Testbed,
    header: impl FnOnce(&mut InitialHeader),
    body: impl FnOnce(&mut BlockBody),
) -> Reply {
    let initial = initial(bed);
    let block = bed.block_with(&initial, header, body);
    ask(bed, block)
}

/// A T_block that is changed after user and BSD signed.
fn changed(bed: &mut Testbed, change: impl FnOnce(&mut Testbed, &TInitial, &mut TBlock)) -> Reply {
    let initial = initial(bed);
    let mut block = bed.block(&initial);
    change(bed, &initial, &mut block);
    ask(bed, block)
}

fn vote(heard: &Reply) -> Vote {
    heard.assert_accepted();
    match heard.answers.as_slice() {
        [Message::Vote(vote)] => vote.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_validator_votes_once_and_repeats_its_vote() {
    let mut bed = Testbed::new(RULES, 4);
    let initial = initial(&mut bed);
    let block = bed.block(&initial);
    let heard = ask(&mut bed, block.clone());
    assert!(!heard.unchanged);
    let first = vote(&heard);
    assert_eq!((first.body.ballot, first.body.reason), (Ballot::True, 0));
    assert_eq!(first.body.block, Digest::of(Domain::T_BLOCK, &encode(&block.body)));
    let key = bed.key(&bed.network.keys.roster.validators[0]);
    assert!(key.verifying_key().verify(&RULES, Domain::VOTE, &encode(&first.body), &first.signature));
    let again = ask(&mut bed, block);
    assert!(again.unchanged);
    assert_eq!(vote(&again), first);
}

#[test]
fn a_record_that_breaks_a_contract_gets_the_vote_false_with_the_reason() {
    for (record, clause) in [
        ("broken-future-observation", Clause::NotInFutureRule),
        ("broken-impossible-heart-rate", Clause::RangeRule),
    ] {
        let mut bed = Testbed::new(RULES, 4);
        let doctor = bed.network.keys.roster.doctor.clone();
        let initial = bed.initial(&doctor, sample(record), &[]);
        let block = bed.block(&initial);
        let vote = vote(&ask(&mut bed, block));
        assert_eq!((vote.body.ballot, vote.body.reason), (Ballot::False, clause.code()));
    }
}

#[test]
fn version_and_suite_are_the_networks() {
    refused_by(Clause::ProtocolVersionIsOne, |bed| signed(bed, |_| (), |body| body.version = 2));
    refused_by(Clause::ProtocolVersionIsOne, |bed| signed(bed, |header| header.version = 2, |_| ()));
    refused_by(Clause::SuiteMatches, |bed| signed(bed, |_| (), |body| body.suite = Suite::Ristretto255));
    refused_by(Clause::SuiteMatches, |bed| signed(bed, |header| header.suite = Suite::Ristretto255, |_| ()));
}

#[test]
fn a_t_block_for_other_validators_is_refused() {
    refused_by(Clause::BlockNamesNetwork, |bed| {
        // The record was submitted to that network.
        signed(bed, |header| header.network = name("pbn-2"), |body| body.network = name("pbn-2"))
    });
    refused_by(Clause::BlockNamesNetwork, |bed| signed(bed, |_| (), |body| body.validators = stray_digest()));
}

#[test]
fn a_t_block_that_the_bsd_did_not_sign_is_refused() {
    refused_by(Clause::BsdSignsBlock, |bed| changed(bed, |_, _, block| block.body.issued = Time(1)));
    refused_by(Clause::BsdSignsBlock, |bed| {
        changed(bed, |bed, _, block| {
            let cloud = bed.network.keys.roster.cloud.clone();
            block.signature = bed.sign(&cloud, Domain::T_BLOCK, &encode(&block.body));
        })
    });
    // In the name of another BSD, to whom the user did submit.
    refused_by(Clause::BsdSignsBlock, |bed| {
        signed(bed, |header| header.recipient = name("bsd-2"), |body| body.bsd = name("bsd-2"))
    });
}

#[test]
fn only_a_bsd_opens_a_session_with_a_validator() {
    // The mutant of ROL-04 lets the cloud in, which BLK-01 refuses then.
    for (rules, clause) in
        [(RULES, Clause::RoleFitsPlace), (RULES.without(Clause::RoleFitsPlace), Clause::BsdSignsBlock)]
    {
        let mut bed = Testbed::new(rules, 4);
        let cast = bed.network.keys.roster.clone();
        let initial = initial(&mut bed);
        let mut block = bed.block_with(&initial, |_| (), |body| body.bsd = cast.cloud.clone());
        block.signature = bed.sign(&cast.cloud, Domain::T_BLOCK, &encode(&block.body));
        bed.context(&cast.cloud).rules = RULES.without(Clause::RoleFitsPlace);
        let heard = bed.send(&cast.cloud, &cast.validators[0], Message::TBlock(Box::new(block)));
        heard.assert_refused(clause);
    }
}

#[test]
fn the_users_certificate_is_the_kdcs_and_theirs() {
    refused_by(Clause::CertificateSignedByKdc, |bed| {
        changed(bed, |_, _, block| block.user.body.serial += 1000)
    });
    // The colleague signs as the doctor and shows a certificate of their own.
    refused_by(Clause::SubjectIsClaimedPrincipal, |bed| {
        changed(bed, |bed, _, block| {
            let colleague = bed.network.keys.roster.colleague.clone();
            block.user = bed.network.keys.credentials[&colleague].certified().certificate().clone();
            block.user_signature = bed.sign(&colleague, Domain::T_INITIAL, &encode(&block.initial));
        })
    });
    // A doctor who signs as an assistant.
    refused_by(Clause::SubjectIsClaimedPrincipal, |bed| {
        signed(bed, |header| header.role = Role::Assistant, |_| ())
    });
}

#[test]
fn the_t_block_of_a_revoked_user_is_refused() {
    refused_by(Clause::CertificateNotRevoked, |bed| {
        let initial = initial(bed);
        let block = bed.block(&initial);
        let list = bed.revoked(&initial.header.user);
        bed.publish(&Gossip::RevocationList(list));
        ask(bed, block)
    });
}

#[test]
fn a_revocation_list_that_is_older_or_forged_changes_nothing() {
    let mut bed = Testbed::new(RULES, 4);
    let cast = bed.network.keys.roster.clone();
    let old = bed.list();
    let new = bed.revoked(&cast.doctor);
    bed.publish(&Gossip::RevocationList(new.clone()));
    let validator = &cast.validators[0];
    bed.send_gossip(&cast.cloud, validator, Gossip::RevocationList(old))
        .assert_refused(Clause::RevocationListAdvances);
    let mut forged = new;
    forged.body.list.0 += 1;
    forged.body.serials = Vec::new().into();
    bed.send_gossip(&cast.cloud, validator, Gossip::RevocationList(forged))
        .assert_refused(Clause::RevocationListSignedByKdc);
    let initial = initial(&mut bed);
    let block = bed.block(&initial);
    ask(&mut bed, block).assert_refused(Clause::CertificateNotRevoked);
}

/// Everybody has a new certificate but the doctor, whose one is about to expire.
fn after_ten_years(bed: &mut Testbed, late: u64) -> TBlock {
    let cast = bed.network.keys.roster.clone();
    let end = bed.network.keys.credentials[&cast.doctor].certified().certificate().body.not_after;
    bed.later = end.0 - bed.now().0 - 3_600_000;
    let list = bed.list();
    bed.publish(&Gossip::RevocationList(list.clone()));
    bed.network.keys.trust.update(&RULES, list).unwrap();
    let initial = initial(bed);
    bed.later += late;
    let block = bed.block(&initial);
    if late > 3_600_000 {
        bed.enrol(&cast.bsd, Role::Bsd);
    }
    // The validator's own certificate is not what is tested here.
    bed.context(&cast.bsd).rules = RULES.without(Clause::CertificateWithinValidity);
    let mut block = block;
    bed.sign_block(&mut block);
    block
}

#[test]
fn the_users_certificate_is_valid_when_the_validator_votes() {
    let mut bed = Testbed::new(RULES, 4);
    let block = after_ten_years(&mut bed, 3_599_999);
    ask(&mut bed, block).assert_accepted();
    refused_by(Clause::CertificateWithinValidity, |bed| {
        let block = after_ten_years(bed, 3_600_001);
        ask(bed, block)
    });
}

#[test]
fn a_t_block_without_the_users_signature_is_refused() {
    refused_by(Clause::BlockCarriesUserSignature, |bed| {
        changed(bed, |bed, _, block| {
            let bsd = bed.network.keys.roster.bsd.clone();
            block.user_signature = bed.sign(&bsd, Domain::T_INITIAL, &encode(&block.initial));
        })
    });
    refused_by(Clause::BlockCarriesUserSignature, |bed| {
        signed(bed, |_| (), |body| body.initial = stray_digest())
    });
    refused_by(Clause::BlockCarriesUserSignature, |bed| {
        signed(bed, |_| (), |body| body.tid = stray_digest())
    });
}

#[test]
fn an_administrator_submits_no_record() {
    refused_by(Clause::RoleMaySubmit, |bed| {
        let [administrator, _] = bed.network.keys.roster.administrators.clone();
        let initial = bed.initial(&administrator, sample(RECORD), &[]);
        let block = bed.block(&initial);
        ask(bed, block)
    });
}

#[test]
fn a_tid_of_the_users_choice_is_refused() {
    refused_by(Clause::TidIsDerived, |bed| signed(bed, |header| header.tid = stray_digest(), |_| ()));
}

#[test]
fn a_record_that_was_submitted_elsewhere_is_refused() {
    refused_by(Clause::InitialNamesRecipient, |bed| {
        signed(bed, |header| header.recipient = name("bsd-2"), |_| ())
    });
    refused_by(Clause::InitialNamesRecipient, |bed| {
        signed(bed, |header| header.network = name("pbn-2"), |_| ())
    });
}

#[test]
fn a_submission_counts_in_its_time_alone() {
    const DAY: u64 = 86_400_000;
    refused_by(Clause::InitialWithinValidity, |bed| {
        signed(bed, |header| header.issued = header.issued.after(1), |_| ())
    });
    refused_by(Clause::InitialWithinValidity, |bed| {
        signed(bed, |header| header.expires = header.issued.after(DAY + 1), |_| ())
    });
    refused_by(Clause::InitialWithinValidity, |bed| {
        let initial = initial(bed);
        let block = bed.block(&initial);
        bed.later = DAY;
        ask(bed, block)
    });
    let mut bed = Testbed::new(RULES, 4);
    let initial = initial(&mut bed);
    let block = bed.block(&initial);
    bed.later = DAY - 1;
    ask(&mut bed, block).assert_accepted();
}

#[test]
fn the_height_lies_in_the_window_of_the_validator() {
    let at = |bed: &mut Testbed, height: u64| {
        for _ in 0..10 {
            bed.close(Vec::new());
        }
        signed(bed, |_| (), |body| body.height = Height(height))
    };
    for height in [3, 11, 18] {
        at(&mut Testbed::new(RULES, 4), height).assert_accepted();
    }
    for height in [2, 19] {
        refused_by(Clause::HeightInWindow, |bed| at(bed, height));
    }
}

#[test]
fn a_second_t_block_for_one_tid_is_refused_and_kept_as_evidence() {
    let twice = |bed: &mut Testbed| {
        let initial = initial(bed);
        let first = bed.block(&initial);
        ask(bed, first).assert_accepted();
        let second = bed.block_with(&initial, |_| (), |body| body.issued = body.issued.after(1));
        ask(bed, second)
    };
    refused_by(Clause::OneBlockPerTid, twice);
    let mut bed = Testbed::new(RULES, 4);
    twice(&mut bed);
    let validator = bed.network.keys.roster.validators[0].clone();
    let evidence = bed.network.validator(&validator).unwrap().evidence().to_vec();
    let [two] = evidence.as_slice() else { panic!("{evidence:?}") };
    assert_ne!(two.voted, Digest::of(Domain::T_BLOCK, &encode(&two.refused.body)));
    // Anybody can check it: the BSD signed both.
    let bsd = bed.key(&bed.network.keys.roster.bsd);
    assert!(bsd.verifying_key().verify(
        &RULES,
        Domain::T_BLOCK,
        &encode(&two.refused.body),
        &two.refused.signature
    ));
}

#[test]
fn evidence_is_bounded() {
    const BOUND: usize = 1024;
    let mut bed = Testbed::new(RULES, 4);
    let initial = initial(&mut bed);
    let first = bed.block(&initial);
    ask(&mut bed, first).assert_accepted();
    for later in 1..=BOUND as u64 + 1 {
        let other = bed.block_with(&initial, |_| (), |body| body.issued = body.issued.after(later));
        ask(&mut bed, other).assert_refused(Clause::OneBlockPerTid);
    }
    let validator = bed.network.keys.roster.validators[0].clone();
    assert_eq!(bed.network.validator(&validator).unwrap().evidence().len(), BOUND);
}

#[test]
fn a_policy_of_the_submitters_choice_is_refused() {
    // There is no second version; a stale one is refused in the tests of policy changes.
    refused(Clause::TemplateIsInForce, |bed| signed(bed, |header| header.template.version.0 = 2, |_| ()));
    refused_by(Clause::AllContractsApplied, |bed| signed(bed, |_| (), |body| body.policy = stray_digest()));
    refused_by(Clause::AllContractsApplied, |bed| {
        let initial = initial(bed);
        let mut fewer = initial.header.contracts.as_slice().to_vec();
        let dropped = fewer.pop().unwrap();
        assert_eq!(dropped.id.as_str(), "vital-signs");
        let mut block = bed.block_with(&initial, |header| header.contracts = fewer.clone().into(), |_| ());
        let weak = RULES.without(Clause::AllContractsApplied);
        let policy = &bed.replica.policy;
        let lax = policy.policy(&weak, &initial.header.template, &fewer, Height(1)).unwrap();
        let checked = lax.checked_attributes();
        let openings = block.openings.as_slice().iter().filter(|one| checked.contains(&one.index)).cloned();
        block.openings = openings.collect::<Vec<_>>().into();
        ask(bed, block)
    });
}

#[test]
fn a_t_block_without_a_seal_is_refused() {
    refused_by(Clause::SealDigestIsCarried, |bed| signed(bed, |_| (), |body| body.seal = Digest::default()));
}

#[test]
fn exactly_the_checked_attributes_are_opened_in_order() {
    refused_by(Clause::CheckedAttributesOpened, |bed| {
        changed(bed, |_, _, block| {
            let fewer = block.openings.as_slice()[1..].to_vec();
            block.openings = fewer.into();
        })
    });
    refused_by(Clause::CheckedAttributesOpened, |bed| {
        changed(bed, |_, _, block| {
            let mut reversed = block.openings.as_slice().to_vec();
            reversed.reverse();
            block.openings = reversed.into();
        })
    });
    refused_by(Clause::CheckedAttributesOpened, |bed| {
        changed(bed, |bed, initial, block| {
            let template = bed.replica.policy.template(&initial.header.template).unwrap();
            let record = Record::read(&RULES, sample(RECORD)).unwrap();
            let values = map(&RULES, template, &record).unwrap();
            let opened: Vec<u16> = block.openings.as_slice().iter().map(|one| one.index).collect();
            let index = (0..values.len() as u16).find(|index| !opened.contains(index)).unwrap();
            let curious = AttributeOpening {
                index,
                opening: *opening(&initial.record_key, index),
                value: canonical(&values[usize::from(index)]).into(),
            };
            let mut more = block.openings.as_slice().to_vec();
            more.push(curious);
            more.sort_by_key(|one| one.index);
            block.openings = more.into();
        })
    });
    // Without BLK-06 an attribute that the template does not have is still none.
    refused(Clause::CheckedAttributesOpened, |bed| {
        changed(bed, |_, _, block| {
            let mut more = block.openings.as_slice().to_vec();
            more.push(AttributeOpening { index: 1000, opening: [0; 32], value: vec![0].into() });
            block.openings = more.into();
        })
    });
}

#[test]
fn what_is_opened_is_what_the_user_committed_to() {
    refused_by(Clause::OpeningsMatchCommitments, |bed| {
        changed(bed, |_, _, block| {
            let mut other = block.openings.as_slice().to_vec();
            other[0].opening[0] ^= 1;
            block.openings = other.into();
        })
    });
    // The BSD shows the value of another record.
    refused_by(Clause::OpeningsMatchCommitments, |bed| {
        let (mut block, other) = {
            let doctor = bed.network.keys.roster.doctor.clone();
            let broken = bed.initial(&doctor, sample("broken-impossible-heart-rate"), &[]);
            let sound = initial(bed);
            (bed.block(&broken), bed.block(&sound))
        };
        block.openings = other.openings;
        ask(bed, block)
    });
    // Fewer commitments than attributes.
    refused_by(Clause::OpeningsMatchCommitments, |bed| {
        signed(bed, |header| header.commitments = Vec::new().into(), |_| ())
    });
}

#[test]
fn a_committed_value_that_is_none_is_refused() {
    refused(Clause::OneEncodingPerValue, |bed| {
        let initial = initial(bed);
        let honest = bed.block(&initial);
        let mut openings = honest.openings.as_slice().to_vec();
        openings[0].value = vec![7].into();
        let first = &openings[0];
        let template = bed.replica.policy.template(&initial.header.template).unwrap();
        let attribute = template.attributes[usize::from(first.index)].name.clone();
        let lie = commitment_of(first.index, &attribute, &[7], &first.opening);
        let mut commitments = initial.header.commitments.as_slice().to_vec();
        commitments[usize::from(first.index)] = lie;
        let mut block = bed.block_with(&initial, |header| header.commitments = commitments.into(), |_| ());
        block.openings = openings.into();
        ask(bed, block)
    });
}

#[test]
fn a_validator_takes_no_other_message_of_a_bsd() {
    refused(Clause::MessageTypeIsExpected, |bed| {
        let cast = bed.network.keys.roster.clone();
        let initial = initial(bed);
        let block = bed.block(&initial);
        let body = bemr::actors::validator::vote_body(&block, &Ok(()));
        let signature = bed.sign(&cast.bsd, Domain::VOTE, &encode(&body));
        let vote = Vote { validator: cast.bsd.clone(), body, signature };
        bed.send(&cast.bsd, &cast.validators[0], Message::Vote(vote))
    });
}

#[test]
fn a_bsd_that_is_revoked_is_not_heard_any_more() {
    let heard = |bed: &mut Testbed| {
        let cast = bed.network.keys.roster.clone();
        let initial = initial(bed);
        let block = bed.block(&initial);
        ask(bed, block.clone()).assert_accepted();
        let list = bed.revoked(&cast.bsd);
        bed.publish(&Gossip::RevocationList(list));
        ask(bed, block)
    };
    refused_by(Clause::CertificateNotRevoked, heard);
}

#[test]
fn refused_t_blocks_leave_no_vote_behind() {
    let mut bed = Testbed::new(RULES, 4);
    let validator = bed.network.keys.roster.validators[0].clone();
    let before = bed.actor(&validator).state();
    for _ in 0..3 {
        signed(&mut bed, |_| (), |body| body.seal = Digest::default())
            .assert_refused(Clause::SealDigestIsCarried);
    }
    assert_eq!(bed.network.validator(&validator).unwrap().state(), before);
}
