//! How the policy of a network changes: who may change it, from when on it holds, and that nobody submits under an old
//! one.
#![allow(clippy::unwrap_used, reason = "helpers of tests stop at what is not as expected")]

use crate::testbed::{RULES, Reply, Testbed, name, refused, refused_by, sample};
use bemr::records::Record;
use bemr::wire::{
    Check, Decision, Gossip, Height, Message, Name, PROTOCOL_VERSION, PolicyChange, RangeRule, Role, TBlock,
    TInitial, Version,
};
use bemr_spec::Clause;

const RECORD: &str = "Observation-blood-pressure";

fn empty(bed: &Testbed) -> PolicyChange {
    PolicyChange {
        protocol: PROTOCOL_VERSION,
        network: bed.network.keys.genesis.network.clone(),
        templates: Vec::new().into(),
        contracts: Vec::new().into(),
    }
}

/// The next version of the contract `id`, from `effective` on: as it is.
fn contract(bed: &Testbed, id: &str, effective: u64) -> PolicyChange {
    let all = bed.replica.policy.contracts_in_force(&name("observation"), Height(u64::MAX));
    let mut next = (*all.iter().find(|one| one.id.as_str() == id).expect("a contract")).clone();
    next.version = Version(next.version.0 + 1);
    next.effective = Height(effective);
    PolicyChange { contracts: vec![next].into(), ..empty(bed) }
}

/// The next version of the template of observations, from `effective` on: as it is.
fn template(bed: &Testbed, effective: u64) -> PolicyChange {
    let mut next = bed.replica.policy.template_in_force(&name("observation"), Height(1)).unwrap().clone();
    next.version = Version(next.version.0 + 1);
    next.effective = Height(effective);
    PolicyChange { templates: vec![next].into(), ..empty(bed) }
}

fn administrators(bed: &Testbed) -> [Name; 2] {
    bed.network.keys.roster.administrators.clone()
}

/// Everybody hears of a change that both administrators signed, the insiders too.
fn announce(bed: &mut Testbed, change: PolicyChange) {
    let [first, second] = administrators(bed);
    let approved = bed.approved(change, &[&first, &second]);
    bed.publish(&Gossip::PolicyChange(approved.clone()));
    let (trust, directory) = (bed.network.keys.trust.clone(), bed.network.keys.directory.clone());
    let now = bed.now();
    bed.replica.on_policy_change(&RULES, now, &trust, &directory, &approved).unwrap();
}

/// A validator hears of a change that these principals signed.
fn heard(bed: &mut Testbed, change: PolicyChange, by: &[&Name]) -> Reply {
    let approved = bed.approved(change, by);
    let validator = bed.network.keys.roster.validators[0].clone();
    bed.send_gossip(&name("somebody"), &validator, Gossip::PolicyChange(approved))
}

fn by_both(bed: &mut Testbed, change: PolicyChange) -> Reply {
    let [first, second] = administrators(bed);
    heard(bed, change, &[&first, &second])
}

fn ask(bed: &mut Testbed, block: TBlock) -> Reply {
    let cast = bed.network.keys.roster.clone();
    bed.send(&cast.bsd, &cast.validators[0], Message::TBlock(Box::new(block)))
}

#[test]
fn two_administrators_change_the_policy_of_everybody() {
    let mut bed = Testbed::new(RULES, 4);
    let change = contract(&bed, "vital-signs", 3);
    let everybody: Vec<Name> = bed.network.nodes().map(|(name, _)| name.clone()).collect();
    let before: Vec<_> = everybody.iter().map(|who| bed.actor(who).state()).collect();
    announce(&mut bed, change);
    for (who, before) in everybody.iter().zip(before) {
        assert_ne!(bed.actor(who).state(), before, "{who}");
    }
    let policy = &bed.network.cloud().unwrap().ledger_view().policy;
    let version = |height| {
        let all = policy.contracts_in_force(&name("observation"), Height(height));
        all.iter().find(|one| one.id.as_str() == "vital-signs").unwrap().version
    };
    assert_eq!((version(2), version(3)), (Version(1), Version(2)));
}

#[test]
fn one_administrator_is_not_two() {
    let clause = Clause::PolicyChangeHasTwoAdministrators;
    refused_by(clause, |bed| {
        let [first, _] = administrators(bed);
        let change = contract(bed, "vital-signs", 3);
        heard(bed, change, &[&first])
    });
    refused_by(clause, |bed| {
        let [first, _] = administrators(bed);
        let change = contract(bed, "vital-signs", 3);
        heard(bed, change, &[&first, &first])
    });
    // The second signature is over another change.
    refused_by(clause, |bed| {
        let [first, second] = administrators(bed);
        let other = bed.approved(contract(bed, "vital-signs", 9), &[&second]);
        let mut approved = bed.approved(contract(bed, "vital-signs", 3), &[&first]);
        approved.approvals = approved.approvals.iter().chain(other.approvals.iter()).cloned().collect();
        let validator = bed.network.keys.roster.validators[0].clone();
        bed.send_gossip(&first, &validator, Gossip::PolicyChange(approved))
    });
    // Nobody vouches for a stranger's key.
    refused(clause, |bed| {
        let [first, second] = administrators(bed);
        let mut approved = bed.approved(contract(bed, "vital-signs", 3), &[&first, &second]);
        let mut approvals = approved.approvals.to_vec();
        approvals[1].administrator = name("root-3");
        approved.approvals = approvals.into();
        let validator = bed.network.keys.roster.validators[0].clone();
        bed.send_gossip(&first, &validator, Gossip::PolicyChange(approved))
    });
}

#[test]
fn a_doctor_changes_no_policy() {
    refused_by(Clause::RoleMayChangePolicy, |bed| {
        let (doctor, [first, _]) = (bed.network.keys.roster.doctor.clone(), administrators(bed));
        let change = contract(bed, "vital-signs", 3);
        heard(bed, change, &[&doctor, &first])
    });
}

#[test]
fn an_administrator_who_was_revoked_changes_no_policy() {
    refused_by(Clause::CertificateNotRevoked, |bed| {
        let [first, _] = administrators(bed);
        let list = bed.revoked(&first);
        bed.publish(&Gossip::RevocationList(list));
        let change = contract(bed, "vital-signs", 3);
        by_both(bed, change)
    });
}

#[test]
fn a_change_is_for_this_network_and_this_protocol() {
    refused_by(Clause::PolicyIsWellFormed, |bed| {
        let change = PolicyChange { network: name("pbn-2"), ..contract(bed, "vital-signs", 3) };
        by_both(bed, change)
    });
    refused_by(Clause::ProtocolVersionIsOne, |bed| {
        let change = PolicyChange { protocol: 2, ..contract(bed, "vital-signs", 3) };
        by_both(bed, change)
    });
    refused_by(Clause::PolicyIsWellFormed, |bed| {
        let change = empty(bed);
        by_both(bed, change)
    });
}

#[test]
fn a_version_follows_the_one_before_and_holds_later() {
    for version in [1, 3] {
        refused_by(Clause::PolicyVersionAdvances, |bed| {
            let mut change = contract(bed, "vital-signs", 3);
            let mut next = change.contracts[0].clone();
            next.version = Version(version);
            change.contracts = vec![next].into();
            by_both(bed, change)
        });
    }
    refused_by(Clause::PolicyEffectiveLater, |bed| {
        bed.close(Vec::new());
        let change = contract(bed, "vital-signs", 1);
        by_both(bed, change)
    });
    // The same change again is an old one.
    refused_by(Clause::PolicyVersionAdvances, |bed| {
        let change = contract(bed, "vital-signs", 3);
        by_both(bed, change.clone()).assert_accepted();
        by_both(bed, change)
    });
}

#[test]
fn a_mandatory_attribute_stays_checked() {
    refused_by(Clause::MandatoryAreChecked, |bed| {
        let mut change = contract(bed, "observation-base", 3);
        let mut lax = change.contracts[0].clone();
        lax.rules = Vec::new().into();
        change.contracts = vec![lax].into();
        by_both(bed, change)
    });
}

/// A T_block of a submission that was made before `change` came into force and is voted on when it is.
fn stale(bed: &mut Testbed, change: PolicyChange) -> (TInitial, TBlock) {
    let doctor = bed.network.keys.roster.doctor.clone();
    let initial = bed.initial(&doctor, sample(RECORD), &[]);
    let mut block = bed.block(&initial);
    announce(bed, change);
    bed.close(Vec::new());
    block.body.height = Height(2);
    bed.sign_block(&mut block);
    (initial, block)
}

#[test]
fn a_submission_under_an_old_contract_is_refused_by_validators() {
    refused_by(Clause::AllContractsApplied, |bed| {
        let change = contract(bed, "vital-signs", 2);
        let (_, block) = stale(bed, change);
        ask(bed, block)
    });
    // At the height for which it was made the old version is the one in force.
    let mut bed = Testbed::new(RULES, 4);
    let change = contract(&bed, "vital-signs", 2);
    let (_, mut block) = stale(&mut bed, change);
    block.body.height = Height(1);
    bed.sign_block(&mut block);
    ask(&mut bed, block).assert_accepted();
}

#[test]
fn a_submission_under_an_old_template_is_refused_by_validators() {
    refused_by(Clause::TemplateIsInForce, |bed| {
        let change = template(bed, 2);
        let (_, block) = stale(bed, change);
        ask(bed, block)
    });
    // Nor is one under a version that is not in force yet.
    refused_by(Clause::TemplateIsInForce, |bed| {
        let change = template(bed, 3);
        announce(bed, change);
        let doctor = bed.network.keys.roster.doctor.clone();
        let initial = bed.initial(&doctor, sample(RECORD), &[]);
        let mut early = initial.header.template.clone();
        early.version = Version(2);
        let weak = RULES.without(Clause::TemplateIsInForce);
        let policy = bed.replica.policy.policy(&weak, &early, initial.header.contracts.as_slice(), Height(1));
        let digest = policy.unwrap().digest();
        let block = bed.block_with(&initial, |header| header.template = early, |body| body.policy = digest);
        ask(bed, block)
    });
}

#[test]
fn a_submission_under_an_old_policy_is_refused_by_the_bsd() {
    for (clause, is_contract) in [(Clause::AllContractsApplied, true), (Clause::TemplateIsInForce, false)] {
        refused_by(clause, |bed| {
            let change = if is_contract { contract(bed, "vital-signs", 2) } else { template(bed, 2) };
            let (initial, _) = stale(bed, change);
            let cast = bed.network.keys.roster.clone();
            bed.send(&cast.doctor, &cast.bsd, Message::TInitial(Box::new(initial)))
        });
    }
}

#[test]
fn a_new_contract_decides_from_its_height_on() {
    let mut bed = Testbed::new(RULES, 4);
    let doctor = bed.network.keys.roster.doctor.clone();
    let mut change = contract(&bed, "vital-signs", 5);
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
        let [first, second] = administrators(&bed);
        bed.approved(change, &[&first, &second])
    };
    bed.publish(&Gossip::PolicyChange(approved));
    let mut decisions = Vec::new();
    while bed.network.bsd().unwrap().ledger_view().next_height() < Height(5) {
        // Records differ by nothing but their end, so that none is submitted twice.
        let bytes = [sample(RECORD), " ".repeat(decisions.len()).as_bytes()].concat();
        bed.commit(&doctor, &bytes, &[]);
        bed.run_for(30_000);
        decisions.push(());
    }
    assert!(!decisions.is_empty());
    let bytes = [sample(RECORD), b"\n\n"].concat();
    let record = Record::read(&RULES, &bytes).unwrap();
    let tid = bed.network.as_user(&doctor, |user, now| user.submit(now, &record, &[])).unwrap();
    bed.run_for(30_000);
    let outcome = bed.network.user(&doctor).unwrap().outcome(&tid).unwrap().clone();
    assert_eq!((outcome.decision, outcome.reason.clause()), (Decision::Rejected, Some(Clause::RangeRule)));
}

#[test]
fn readers_are_those_of_the_contracts_that_the_submission_names() {
    // Assistants may read under the contracts of the submission, and not under those that come later.
    let mut bed = Testbed::new(RULES, 4);
    let cast = bed.network.keys.roster.clone();
    let mut change = contract(&bed, "admission", 2);
    let mut strict = change.contracts[0].clone();
    strict.readers = vec![Role::Doctor].into();
    change.contracts = vec![strict].into();
    let before = bed.valid(sample(RECORD), std::slice::from_ref(&cast.assistant));
    announce(&mut bed, change);
    bed.store(&before).assert_accepted();
    let after = bed.initial(&cast.doctor, sample("Observation-bmd"), std::slice::from_ref(&cast.assistant));
    let heard = bed.send(&cast.doctor, &cast.bsd, Message::TInitial(Box::new(after)));
    heard.assert_refused(Clause::GrantsNameAuthorisedReaders);
    // Nor does the cloud take what a server database let through.
    let after = bed.valid(sample("Observation-bmd"), std::slice::from_ref(&cast.assistant));
    bed.store(&after).assert_refused(Clause::GrantsNameAuthorisedReaders);
}
