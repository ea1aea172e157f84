//! How the policy of a network changes: who may change it, from when on it holds, and that nobody submits under an old
//! one.
#![allow(clippy::unwrap_used, reason = "helpers of tests stop at what is not as expected")]

use crate::common::{Heard, RULES, Stage, name, refused, refused_by, sample};
use bemr::records::Record;
use bemr::wire::{
    Check, Decision, Gossip, Height, Message, Name, PROTOCOL_VERSION, PolicyChange, RangeRule, Role, TBlock,
    TInitial, Version,
};
use bemr_spec::Clause;

const RECORD: &str = "Observation-blood-pressure";

fn empty(stage: &Stage) -> PolicyChange {
    PolicyChange {
        protocol: PROTOCOL_VERSION,
        network: stage.town.genesis.network.clone(),
        templates: Vec::new().into(),
        contracts: Vec::new().into(),
    }
}

/// The next version of the contract `id`, from `effective` on: as it is.
fn contract(stage: &Stage, id: &str, effective: u64) -> PolicyChange {
    let all = stage.replica.policy.contracts_in_force(&name("observation"), Height(u64::MAX));
    let mut next = (*all.iter().find(|one| one.id.as_str() == id).expect("a contract")).clone();
    next.version = Version(next.version.0 + 1);
    next.effective = Height(effective);
    PolicyChange { contracts: vec![next].into(), ..empty(stage) }
}

/// The next version of the template of observations, from `effective` on: as it is.
fn template(stage: &Stage, effective: u64) -> PolicyChange {
    let mut next = stage.replica.policy.template_in_force(&name("observation"), Height(1)).unwrap().clone();
    next.version = Version(next.version.0 + 1);
    next.effective = Height(effective);
    PolicyChange { templates: vec![next].into(), ..empty(stage) }
}

fn administrators(stage: &Stage) -> [Name; 2] {
    stage.town.cast.administrators.clone()
}

/// Everybody hears of a change that both administrators signed, the insiders too.
fn announce(stage: &mut Stage, change: PolicyChange) {
    let [first, second] = administrators(stage);
    let approved = stage.approved(change, &[&first, &second]);
    stage.publish(&Gossip::PolicyChange(approved.clone()));
    let (trust, directory) = (stage.town.trust.clone(), stage.town.directory.clone());
    let now = stage.now();
    stage.replica.on_policy_change(&RULES, now, &trust, &directory, &approved).unwrap();
}

/// A validator hears of a change that these principals signed.
fn heard(stage: &mut Stage, change: PolicyChange, by: &[&Name]) -> Heard {
    let approved = stage.approved(change, by);
    let validator = stage.town.cast.validators[0].clone();
    stage.tell(&name("somebody"), &validator, Gossip::PolicyChange(approved))
}

fn by_both(stage: &mut Stage, change: PolicyChange) -> Heard {
    let [first, second] = administrators(stage);
    heard(stage, change, &[&first, &second])
}

fn ask(stage: &mut Stage, block: TBlock) -> Heard {
    let cast = stage.town.cast.clone();
    stage.say(&cast.bsd, &cast.validators[0], Message::TBlock(Box::new(block)))
}

#[test]
fn two_administrators_change_the_policy_of_everybody() {
    let mut stage = Stage::new(RULES);
    let change = contract(&stage, "vital-signs", 3);
    let everybody: Vec<Name> = stage.town.world.nodes().map(|(name, _)| name.clone()).collect();
    let before: Vec<_> = everybody.iter().map(|who| stage.actor(who).state()).collect();
    announce(&mut stage, change);
    for (who, before) in everybody.iter().zip(before) {
        assert_ne!(stage.actor(who).state(), before, "{who}");
    }
    let policy = &stage.town.cloud().unwrap().ledger_view().policy;
    let version = |height| {
        let all = policy.contracts_in_force(&name("observation"), Height(height));
        all.iter().find(|one| one.id.as_str() == "vital-signs").unwrap().version
    };
    assert_eq!((version(2), version(3)), (Version(1), Version(2)));
}

#[test]
fn one_administrator_is_not_two() {
    let clause = Clause::PolicyChangeHasTwoAdministrators;
    refused_by(clause, |stage| {
        let [first, _] = administrators(stage);
        let change = contract(stage, "vital-signs", 3);
        heard(stage, change, &[&first])
    });
    refused_by(clause, |stage| {
        let [first, _] = administrators(stage);
        let change = contract(stage, "vital-signs", 3);
        heard(stage, change, &[&first, &first])
    });
    // The second signature is over another change.
    refused_by(clause, |stage| {
        let [first, second] = administrators(stage);
        let other = stage.approved(contract(stage, "vital-signs", 9), &[&second]);
        let mut approved = stage.approved(contract(stage, "vital-signs", 3), &[&first]);
        approved.approvals = approved.approvals.iter().chain(other.approvals.iter()).cloned().collect();
        let validator = stage.town.cast.validators[0].clone();
        stage.tell(&first, &validator, Gossip::PolicyChange(approved))
    });
    // Nobody vouches for a stranger's key.
    refused(clause, |stage| {
        let [first, second] = administrators(stage);
        let mut approved = stage.approved(contract(stage, "vital-signs", 3), &[&first, &second]);
        let mut approvals = approved.approvals.to_vec();
        approvals[1].administrator = name("root-3");
        approved.approvals = approvals.into();
        let validator = stage.town.cast.validators[0].clone();
        stage.tell(&first, &validator, Gossip::PolicyChange(approved))
    });
}

#[test]
fn a_doctor_changes_no_policy() {
    refused_by(Clause::RoleMayChangePolicy, |stage| {
        let (doctor, [first, _]) = (stage.town.cast.doctor.clone(), administrators(stage));
        let change = contract(stage, "vital-signs", 3);
        heard(stage, change, &[&doctor, &first])
    });
}

#[test]
fn an_administrator_who_was_revoked_changes_no_policy() {
    refused_by(Clause::CertificateNotRevoked, |stage| {
        let [first, _] = administrators(stage);
        let list = stage.revoked(&first);
        stage.publish(&Gossip::RevocationList(list));
        let change = contract(stage, "vital-signs", 3);
        by_both(stage, change)
    });
}

#[test]
fn a_change_is_for_this_network_and_this_protocol() {
    refused_by(Clause::PolicyIsWellFormed, |stage| {
        let change = PolicyChange { network: name("pbn-2"), ..contract(stage, "vital-signs", 3) };
        by_both(stage, change)
    });
    refused_by(Clause::ProtocolVersionIsOne, |stage| {
        let change = PolicyChange { protocol: 2, ..contract(stage, "vital-signs", 3) };
        by_both(stage, change)
    });
    refused_by(Clause::PolicyIsWellFormed, |stage| {
        let change = empty(stage);
        by_both(stage, change)
    });
}

#[test]
fn a_version_follows_the_one_before_and_holds_later() {
    for version in [1, 3] {
        refused_by(Clause::PolicyVersionAdvances, |stage| {
            let mut change = contract(stage, "vital-signs", 3);
            let mut next = change.contracts[0].clone();
            next.version = Version(version);
            change.contracts = vec![next].into();
            by_both(stage, change)
        });
    }
    refused_by(Clause::PolicyEffectiveLater, |stage| {
        stage.close(Vec::new());
        let change = contract(stage, "vital-signs", 1);
        by_both(stage, change)
    });
    // The same change again is an old one.
    refused_by(Clause::PolicyVersionAdvances, |stage| {
        let change = contract(stage, "vital-signs", 3);
        by_both(stage, change.clone()).assert_taken();
        by_both(stage, change)
    });
}

#[test]
fn a_mandatory_attribute_stays_checked() {
    refused_by(Clause::MandatoryAreChecked, |stage| {
        let mut change = contract(stage, "observation-base", 3);
        let mut lax = change.contracts[0].clone();
        lax.rules = Vec::new().into();
        change.contracts = vec![lax].into();
        by_both(stage, change)
    });
}

/// A T_block of a submission that was made before `change` came into force and is voted on when it is.
fn stale(stage: &mut Stage, change: PolicyChange) -> (TInitial, TBlock) {
    let doctor = stage.town.cast.doctor.clone();
    let initial = stage.initial(&doctor, sample(RECORD), &[]);
    let mut block = stage.block(&initial);
    announce(stage, change);
    stage.close(Vec::new());
    block.body.height = Height(2);
    stage.sign_block(&mut block);
    (initial, block)
}

#[test]
fn a_submission_under_an_old_contract_is_refused_by_validators() {
    refused_by(Clause::AllContractsApplied, |stage| {
        let change = contract(stage, "vital-signs", 2);
        let (_, block) = stale(stage, change);
        ask(stage, block)
    });
    // At the height for which it was made the old version is the one in force.
    let mut stage = Stage::new(RULES);
    let change = contract(&stage, "vital-signs", 2);
    let (_, mut block) = stale(&mut stage, change);
    block.body.height = Height(1);
    stage.sign_block(&mut block);
    ask(&mut stage, block).assert_taken();
}

#[test]
fn a_submission_under_an_old_template_is_refused_by_validators() {
    refused_by(Clause::TemplateIsInForce, |stage| {
        let change = template(stage, 2);
        let (_, block) = stale(stage, change);
        ask(stage, block)
    });
    // Nor is one under a version that is not in force yet.
    refused_by(Clause::TemplateIsInForce, |stage| {
        let change = template(stage, 3);
        announce(stage, change);
        let doctor = stage.town.cast.doctor.clone();
        let initial = stage.initial(&doctor, sample(RECORD), &[]);
        let mut early = initial.header.template.clone();
        early.version = Version(2);
        let weak = RULES.without(Clause::TemplateIsInForce);
        let policy =
            stage.replica.policy.policy(&weak, &early, initial.header.contracts.as_slice(), Height(1));
        let digest = policy.unwrap().digest();
        let block = stage.block_with(&initial, |header| header.template = early, |body| body.policy = digest);
        ask(stage, block)
    });
}

#[test]
fn a_submission_under_an_old_policy_is_refused_by_the_bsd() {
    for (clause, is_contract) in [(Clause::AllContractsApplied, true), (Clause::TemplateIsInForce, false)] {
        refused_by(clause, |stage| {
            let change = if is_contract { contract(stage, "vital-signs", 2) } else { template(stage, 2) };
            let (initial, _) = stale(stage, change);
            let cast = stage.town.cast.clone();
            stage.say(&cast.doctor, &cast.bsd, Message::TInitial(Box::new(initial)))
        });
    }
}

#[test]
fn a_new_contract_decides_from_its_height_on() {
    let mut stage = Stage::new(RULES);
    let doctor = stage.town.cast.doctor.clone();
    let mut change = contract(&stage, "vital-signs", 5);
    let mut strict = change.contracts[0].clone();
    let bounds = strict.rules.iter().map(|rule| match &rule.check {
        // No measure that has a range at all lies in this one.
        Check::Range(range) => Check::Range(RangeRule {
            low: range.low.clone().or(range.high.clone()).map(|mut bound| {
                bound.value = "1e9".to_owned().try_into().expect("a short text");
                bound
            }),
            high: None,
            ..range.clone()
        }),
        other => other.clone(),
    });
    let rules =
        strict.rules.iter().zip(bounds).map(|(rule, check)| bemr::wire::Rule { check, ..rule.clone() });
    strict.rules = rules.collect();
    change.contracts = vec![strict].into();
    let approved = {
        let [first, second] = administrators(&stage);
        stage.approved(change, &[&first, &second])
    };
    stage.publish(&Gossip::PolicyChange(approved));
    let mut decisions = Vec::new();
    while stage.town.bsd().unwrap().ledger_view().next_height() < Height(5) {
        // Records differ by nothing but their end, so that none is submitted twice.
        let bytes = [sample(RECORD), " ".repeat(decisions.len()).as_bytes()].concat();
        stage.submit(&doctor, &bytes, &[]);
        stage.run(30_000);
        decisions.push(());
    }
    assert!(!decisions.is_empty());
    let bytes = [sample(RECORD), b"\n\n"].concat();
    let record = Record::read(&RULES, &bytes).unwrap();
    let tid = stage.town.by(&doctor, |user, now| user.submit(now, &record, &[])).unwrap();
    stage.run(30_000);
    let outcome = stage.town.user(&doctor).unwrap().outcome(&tid).unwrap().clone();
    assert_eq!((outcome.decision, outcome.reason.clause()), (Decision::Rejected, Some(Clause::RangeRule)));
}

#[test]
fn readers_are_those_of_the_contracts_that_the_submission_names() {
    // Assistants may read under the contracts of the submission, and not under those that come later.
    let mut stage = Stage::new(RULES);
    let cast = stage.town.cast.clone();
    let mut change = contract(&stage, "admission", 2);
    let mut strict = change.contracts[0].clone();
    strict.readers = vec![Role::Doctor].into();
    change.contracts = vec![strict].into();
    let before = stage.valid(sample(RECORD), std::slice::from_ref(&cast.assistant));
    announce(&mut stage, change);
    stage.store(&before).assert_taken();
    let after = stage.initial(&cast.doctor, sample("Observation-bmd"), std::slice::from_ref(&cast.assistant));
    let heard = stage.say(&cast.doctor, &cast.bsd, Message::TInitial(Box::new(after)));
    heard.assert_refused(Clause::GrantsNameAuthorisedReaders);
    // Nor does the cloud take what a server database let through.
    let after = stage.valid(sample("Observation-bmd"), std::slice::from_ref(&cast.assistant));
    stage.store(&after).assert_refused(Clause::GrantsNameAuthorisedReaders);
}
