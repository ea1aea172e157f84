//! What a validator makes of T_block: every check refuses by its clause and changes nothing, every mutant of a clause
//! lets the same T_block through, and a validator says one thing of one transaction for ever.
#![allow(clippy::unwrap_used, reason = "helpers of tests stop at what is not as expected")]

use crate::common::{Heard, RULES, Stage, name, refused, refused_by, sample, stray_digest};
use bemr::actors::Actor;
use bemr::crypto::{Digest, Domain, Suite};
use bemr::records::{Record, canonical, commitment_of, map, opening};
use bemr::wire::{
    AttributeOpening, Ballot, BlockBody, Gossip, Height, InitialHeader, Message, Role, TBlock, TInitial,
    Time, Vote, encode,
};
use bemr_spec::Clause;

const RECORD: &str = "Observation-blood-pressure";

fn initial(stage: &mut Stage) -> TInitial {
    let doctor = stage.town.cast.doctor.clone();
    stage.initial(&doctor, sample(RECORD), &[])
}

/// The BSD asks the first validator.
fn ask(stage: &mut Stage, block: TBlock) -> Heard {
    let cast = stage.town.cast.clone();
    stage.say(&cast.bsd, &cast.validators[0], Message::TBlock(Box::new(block)))
}

/// A T_block whose header and body are changed before user and BSD sign.
fn signed(
    stage: &mut Stage,
    header: impl FnOnce(&mut InitialHeader),
    body: impl FnOnce(&mut BlockBody),
) -> Heard {
    let initial = initial(stage);
    let block = stage.block_with(&initial, header, body);
    ask(stage, block)
}

/// A T_block that is changed after user and BSD signed.
fn changed(stage: &mut Stage, change: impl FnOnce(&mut Stage, &TInitial, &mut TBlock)) -> Heard {
    let initial = initial(stage);
    let mut block = stage.block(&initial);
    change(stage, &initial, &mut block);
    ask(stage, block)
}

fn vote(heard: &Heard) -> Vote {
    heard.assert_taken();
    match heard.answers.as_slice() {
        [Message::Vote(vote)] => vote.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_validator_votes_once_and_repeats_its_vote() {
    let mut stage = Stage::new(RULES);
    let initial = initial(&mut stage);
    let block = stage.block(&initial);
    let heard = ask(&mut stage, block.clone());
    assert!(!heard.unchanged);
    let first = vote(&heard);
    assert_eq!((first.body.ballot, first.body.reason), (Ballot::True, 0));
    assert_eq!(first.body.block, Digest::of(Domain::T_BLOCK, &encode(&block.body)));
    let key = stage.key(&stage.town.cast.validators[0]);
    assert!(key.verifying_key().verify(&RULES, Domain::VOTE, &encode(&first.body), &first.signature));
    let again = ask(&mut stage, block);
    assert!(again.unchanged);
    assert_eq!(vote(&again), first);
}

#[test]
fn a_record_that_breaks_a_contract_gets_the_vote_false_with_the_reason() {
    for (record, clause) in [
        ("broken-future-observation", Clause::NotInFutureRule),
        ("broken-impossible-heart-rate", Clause::RangeRule),
    ] {
        let mut stage = Stage::new(RULES);
        let doctor = stage.town.cast.doctor.clone();
        let initial = stage.initial(&doctor, sample(record), &[]);
        let block = stage.block(&initial);
        let vote = vote(&ask(&mut stage, block));
        assert_eq!((vote.body.ballot, vote.body.reason), (Ballot::False, clause.code()));
    }
}

#[test]
fn version_and_suite_are_the_networks() {
    refused_by(Clause::ProtocolVersionIsOne, |stage| signed(stage, |_| (), |body| body.version = 2));
    refused_by(Clause::ProtocolVersionIsOne, |stage| signed(stage, |header| header.version = 2, |_| ()));
    refused_by(Clause::SuiteMatches, |stage| signed(stage, |_| (), |body| body.suite = Suite::Ristretto255));
    refused_by(Clause::SuiteMatches, |stage| {
        signed(stage, |header| header.suite = Suite::Ristretto255, |_| ())
    });
}

#[test]
fn a_t_block_for_other_validators_is_refused() {
    refused_by(Clause::BlockNamesNetwork, |stage| {
        // The record was submitted to that network.
        signed(stage, |header| header.network = name("pbn-2"), |body| body.network = name("pbn-2"))
    });
    refused_by(Clause::BlockNamesNetwork, |stage| {
        signed(stage, |_| (), |body| body.validators = stray_digest())
    });
}

#[test]
fn a_t_block_that_the_bsd_did_not_sign_is_refused() {
    refused_by(Clause::BsdSignsBlock, |stage| changed(stage, |_, _, block| block.body.issued = Time(1)));
    refused_by(Clause::BsdSignsBlock, |stage| {
        changed(stage, |stage, _, block| {
            let cloud = stage.town.cast.cloud.clone();
            block.signature = stage.sign(&cloud, Domain::T_BLOCK, &encode(&block.body));
        })
    });
    // In the name of another BSD, to whom the user did submit.
    refused_by(Clause::BsdSignsBlock, |stage| {
        signed(stage, |header| header.recipient = name("bsd-2"), |body| body.bsd = name("bsd-2"))
    });
}

#[test]
fn only_a_bsd_opens_a_session_with_a_validator() {
    // The mutant of ROL-04 lets the cloud in, which BLK-01 refuses then.
    for (rules, clause) in
        [(RULES, Clause::RoleFitsPlace), (RULES.without(Clause::RoleFitsPlace), Clause::BsdSignsBlock)]
    {
        let mut stage = Stage::new(rules);
        let cast = stage.town.cast.clone();
        let initial = initial(&mut stage);
        let mut block = stage.block_with(&initial, |_| (), |body| body.bsd = cast.cloud.clone());
        block.signature = stage.sign(&cast.cloud, Domain::T_BLOCK, &encode(&block.body));
        stage.context(&cast.cloud).rules = RULES.without(Clause::RoleFitsPlace);
        let heard = stage.say(&cast.cloud, &cast.validators[0], Message::TBlock(Box::new(block)));
        heard.assert_refused(clause);
    }
}

#[test]
fn the_users_certificate_is_the_kdcs_and_theirs() {
    refused_by(Clause::CertificateSignedByKdc, |stage| {
        changed(stage, |_, _, block| block.user.body.serial += 1000)
    });
    // The colleague signs as the doctor and shows a certificate of their own.
    refused_by(Clause::SubjectIsClaimedPrincipal, |stage| {
        changed(stage, |stage, _, block| {
            let colleague = stage.town.cast.colleague.clone();
            block.user = stage.town.credentials[&colleague].certified().certificate().clone();
            block.user_signature = stage.sign(&colleague, Domain::T_INITIAL, &encode(&block.initial));
        })
    });
    // A doctor who signs as an assistant.
    refused_by(Clause::SubjectIsClaimedPrincipal, |stage| {
        signed(stage, |header| header.role = Role::Assistant, |_| ())
    });
}

#[test]
fn the_t_block_of_a_revoked_user_is_refused() {
    refused_by(Clause::CertificateNotRevoked, |stage| {
        let initial = initial(stage);
        let block = stage.block(&initial);
        let list = stage.revoked(&initial.header.user);
        stage.publish(&Gossip::RevocationList(list));
        ask(stage, block)
    });
}

#[test]
fn a_revocation_list_that_is_older_or_forged_changes_nothing() {
    let mut stage = Stage::new(RULES);
    let cast = stage.town.cast.clone();
    let old = stage.list();
    let new = stage.revoked(&cast.doctor);
    stage.publish(&Gossip::RevocationList(new.clone()));
    let validator = &cast.validators[0];
    stage
        .tell(&cast.cloud, validator, Gossip::RevocationList(old))
        .assert_refused(Clause::RevocationListAdvances);
    let mut forged = new;
    forged.body.list.0 += 1;
    forged.body.serials = Vec::new().into();
    stage
        .tell(&cast.cloud, validator, Gossip::RevocationList(forged))
        .assert_refused(Clause::RevocationListSignedByKdc);
    let initial = initial(&mut stage);
    let block = stage.block(&initial);
    ask(&mut stage, block).assert_refused(Clause::CertificateNotRevoked);
}

/// Everybody has a new certificate but the doctor, whose one is about to expire.
fn after_ten_years(stage: &mut Stage, late: u64) -> TBlock {
    let cast = stage.town.cast.clone();
    let end = stage.town.credentials[&cast.doctor].certified().certificate().body.not_after;
    stage.later = end.0 - stage.now().0 - 3_600_000;
    let list = stage.list();
    stage.publish(&Gossip::RevocationList(list.clone()));
    stage.town.trust.update(&RULES, list).unwrap();
    let initial = initial(stage);
    stage.later += late;
    let block = stage.block(&initial);
    if late > 3_600_000 {
        stage.enrol(&cast.bsd, Role::Bsd);
    }
    // The validator's own certificate is not what is tested here.
    stage.context(&cast.bsd).rules = RULES.without(Clause::CertificateWithinValidity);
    let mut block = block;
    stage.sign_block(&mut block);
    block
}

#[test]
fn the_users_certificate_is_valid_when_the_validator_votes() {
    let mut stage = Stage::new(RULES);
    let block = after_ten_years(&mut stage, 3_599_999);
    ask(&mut stage, block).assert_taken();
    refused_by(Clause::CertificateWithinValidity, |stage| {
        let block = after_ten_years(stage, 3_600_001);
        ask(stage, block)
    });
}

#[test]
fn a_t_block_without_the_users_signature_is_refused() {
    refused_by(Clause::BlockCarriesUserSignature, |stage| {
        changed(stage, |stage, _, block| {
            let bsd = stage.town.cast.bsd.clone();
            block.user_signature = stage.sign(&bsd, Domain::T_INITIAL, &encode(&block.initial));
        })
    });
    refused_by(Clause::BlockCarriesUserSignature, |stage| {
        signed(stage, |_| (), |body| body.initial = stray_digest())
    });
    refused_by(Clause::BlockCarriesUserSignature, |stage| {
        signed(stage, |_| (), |body| body.tid = stray_digest())
    });
}

#[test]
fn an_administrator_submits_no_record() {
    refused_by(Clause::RoleMaySubmit, |stage| {
        let [administrator, _] = stage.town.cast.administrators.clone();
        let initial = stage.initial(&administrator, sample(RECORD), &[]);
        let block = stage.block(&initial);
        ask(stage, block)
    });
}

#[test]
fn a_tid_of_the_users_choice_is_refused() {
    refused_by(Clause::TidIsDerived, |stage| signed(stage, |header| header.tid = stray_digest(), |_| ()));
}

#[test]
fn a_record_that_was_submitted_elsewhere_is_refused() {
    refused_by(Clause::InitialNamesRecipient, |stage| {
        signed(stage, |header| header.recipient = name("bsd-2"), |_| ())
    });
    refused_by(Clause::InitialNamesRecipient, |stage| {
        signed(stage, |header| header.network = name("pbn-2"), |_| ())
    });
}

#[test]
fn a_submission_counts_in_its_time_alone() {
    const DAY: u64 = 86_400_000;
    refused_by(Clause::InitialWithinValidity, |stage| {
        signed(stage, |header| header.issued = header.issued.after(1), |_| ())
    });
    refused_by(Clause::InitialWithinValidity, |stage| {
        signed(stage, |header| header.expires = header.issued.after(DAY + 1), |_| ())
    });
    refused_by(Clause::InitialWithinValidity, |stage| {
        let initial = initial(stage);
        let block = stage.block(&initial);
        stage.later = DAY;
        ask(stage, block)
    });
    let mut stage = Stage::new(RULES);
    let initial = initial(&mut stage);
    let block = stage.block(&initial);
    stage.later = DAY - 1;
    ask(&mut stage, block).assert_taken();
}

#[test]
fn the_height_lies_in_the_window_of_the_validator() {
    let at = |stage: &mut Stage, height: u64| {
        for _ in 0..10 {
            stage.close(Vec::new());
        }
        signed(stage, |_| (), |body| body.height = Height(height))
    };
    for height in [3, 11, 18] {
        at(&mut Stage::new(RULES), height).assert_taken();
    }
    for height in [2, 19] {
        refused_by(Clause::HeightInWindow, |stage| at(stage, height));
    }
}

#[test]
fn a_second_t_block_for_one_tid_is_refused_and_kept_as_evidence() {
    let twice = |stage: &mut Stage| {
        let initial = initial(stage);
        let first = stage.block(&initial);
        ask(stage, first).assert_taken();
        let second = stage.block_with(&initial, |_| (), |body| body.issued = body.issued.after(1));
        ask(stage, second)
    };
    refused_by(Clause::OneBlockPerTid, twice);
    let mut stage = Stage::new(RULES);
    twice(&mut stage);
    let validator = stage.town.cast.validators[0].clone();
    let evidence = stage.town.validator(&validator).unwrap().evidence().to_vec();
    let [two] = evidence.as_slice() else { panic!("{evidence:?}") };
    assert_ne!(two.voted, Digest::of(Domain::T_BLOCK, &encode(&two.refused.body)));
    // Anybody can check it: the BSD signed both.
    let bsd = stage.key(&stage.town.cast.bsd);
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
    let mut stage = Stage::new(RULES);
    let initial = initial(&mut stage);
    let first = stage.block(&initial);
    ask(&mut stage, first).assert_taken();
    for later in 1..=BOUND as u64 + 1 {
        let other = stage.block_with(&initial, |_| (), |body| body.issued = body.issued.after(later));
        ask(&mut stage, other).assert_refused(Clause::OneBlockPerTid);
    }
    let validator = stage.town.cast.validators[0].clone();
    assert_eq!(stage.town.validator(&validator).unwrap().evidence().len(), BOUND);
}

#[test]
fn a_policy_of_the_submitters_choice_is_refused() {
    // There is no second version; a stale one is refused in the tests of policy changes.
    refused(Clause::TemplateIsInForce, |stage| signed(stage, |header| header.template.version.0 = 2, |_| ()));
    refused_by(Clause::AllContractsApplied, |stage| {
        signed(stage, |_| (), |body| body.policy = stray_digest())
    });
    refused_by(Clause::AllContractsApplied, |stage| {
        let initial = initial(stage);
        let mut fewer = initial.header.contracts.as_slice().to_vec();
        let dropped = fewer.pop().unwrap();
        assert_eq!(dropped.id.as_str(), "vital-signs");
        let mut block = stage.block_with(&initial, |header| header.contracts = fewer.clone().into(), |_| ());
        let weak = RULES.without(Clause::AllContractsApplied);
        let policy = &stage.replica.policy;
        let lax = policy.policy(&weak, &initial.header.template, &fewer, Height(1)).unwrap();
        let checked = lax.checked_attributes();
        let openings = block.openings.as_slice().iter().filter(|one| checked.contains(&one.index)).cloned();
        block.openings = openings.collect::<Vec<_>>().into();
        ask(stage, block)
    });
}

#[test]
fn a_t_block_without_a_seal_is_refused() {
    refused_by(Clause::SealDigestIsCarried, |stage| {
        signed(stage, |_| (), |body| body.seal = Digest::default())
    });
}

#[test]
fn exactly_the_checked_attributes_are_opened_in_order() {
    refused_by(Clause::CheckedAttributesOpened, |stage| {
        changed(stage, |_, _, block| {
            let fewer = block.openings.as_slice()[1..].to_vec();
            block.openings = fewer.into();
        })
    });
    refused_by(Clause::CheckedAttributesOpened, |stage| {
        changed(stage, |_, _, block| {
            let mut reversed = block.openings.as_slice().to_vec();
            reversed.reverse();
            block.openings = reversed.into();
        })
    });
    refused_by(Clause::CheckedAttributesOpened, |stage| {
        changed(stage, |stage, initial, block| {
            let template = stage.replica.policy.template(&initial.header.template).unwrap();
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
    refused(Clause::CheckedAttributesOpened, |stage| {
        changed(stage, |_, _, block| {
            let mut more = block.openings.as_slice().to_vec();
            more.push(AttributeOpening { index: 1000, opening: [0; 32], value: vec![0].into() });
            block.openings = more.into();
        })
    });
}

#[test]
fn what_is_opened_is_what_the_user_committed_to() {
    refused_by(Clause::OpeningsMatchCommitments, |stage| {
        changed(stage, |_, _, block| {
            let mut other = block.openings.as_slice().to_vec();
            other[0].opening[0] ^= 1;
            block.openings = other.into();
        })
    });
    // The BSD shows the value of another record.
    refused_by(Clause::OpeningsMatchCommitments, |stage| {
        let (mut block, other) = {
            let doctor = stage.town.cast.doctor.clone();
            let broken = stage.initial(&doctor, sample("broken-impossible-heart-rate"), &[]);
            let sound = initial(stage);
            (stage.block(&broken), stage.block(&sound))
        };
        block.openings = other.openings;
        ask(stage, block)
    });
    // Fewer commitments than attributes.
    refused_by(Clause::OpeningsMatchCommitments, |stage| {
        signed(stage, |header| header.commitments = Vec::new().into(), |_| ())
    });
}

#[test]
fn a_committed_value_that_is_none_is_refused() {
    refused(Clause::OneEncodingPerValue, |stage| {
        let initial = initial(stage);
        let honest = stage.block(&initial);
        let mut openings = honest.openings.as_slice().to_vec();
        openings[0].value = vec![7].into();
        let first = &openings[0];
        let template = stage.replica.policy.template(&initial.header.template).unwrap();
        let attribute = template.attributes[usize::from(first.index)].name.clone();
        let lie = commitment_of(first.index, &attribute, &[7], &first.opening);
        let mut commitments = initial.header.commitments.as_slice().to_vec();
        commitments[usize::from(first.index)] = lie;
        let mut block = stage.block_with(&initial, |header| header.commitments = commitments.into(), |_| ());
        block.openings = openings.into();
        ask(stage, block)
    });
}

#[test]
fn a_validator_takes_no_other_message_of_a_bsd() {
    refused(Clause::MessageTypeIsExpected, |stage| {
        let cast = stage.town.cast.clone();
        let initial = initial(stage);
        let block = stage.block(&initial);
        let body = bemr::actors::validator::vote_body(&block, &Ok(()));
        let signature = stage.sign(&cast.bsd, Domain::VOTE, &encode(&body));
        let vote = Vote { validator: cast.bsd.clone(), body, signature };
        stage.say(&cast.bsd, &cast.validators[0], Message::Vote(vote))
    });
}

#[test]
fn a_bsd_that_is_revoked_is_not_heard_any_more() {
    let heard = |stage: &mut Stage| {
        let cast = stage.town.cast.clone();
        let initial = initial(stage);
        let block = stage.block(&initial);
        ask(stage, block.clone()).assert_taken();
        let list = stage.revoked(&cast.bsd);
        stage.publish(&Gossip::RevocationList(list));
        ask(stage, block)
    };
    refused_by(Clause::CertificateNotRevoked, heard);
}

#[test]
fn refused_t_blocks_leave_no_vote_behind() {
    let mut stage = Stage::new(RULES);
    let validator = stage.town.cast.validators[0].clone();
    let before = stage.actor(&validator).state();
    for _ in 0..3 {
        signed(&mut stage, |_| (), |body| body.seal = Digest::default())
            .assert_refused(Clause::SealDigestIsCarried);
    }
    assert_eq!(stage.town.validator(&validator).unwrap().state(), before);
}
