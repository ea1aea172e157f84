//! Reading, sharing and erasing: the whole story over the network; every check of the cloud and of the reader with its
//! mutant; and a cloud that lies, which is caught by whoever reads.
#![allow(clippy::unwrap_used, reason = "helpers of tests stop at what is not as expected")]

use crate::common::{Heard, RULES, Stage, name, refused, refused_by, sample, stray_digest};
use bemr::actors::cloud::record_machine::State;
use bemr::actors::initial_builder::{ONE_NONCE, record_context, transaction_id, unwrap, wrap};
use bemr::actors::user::{Answer, RequestId};
use bemr::actors::{Actor, Input, Output, User};
use bemr::audit::{AuditReport, Auditor, PublicRecord, audit};
use bemr::crypto::{AeadKey, Digest, Domain, Suite};
use bemr::merkle::{Frontier, MerkleTree};
use bemr::records::{Record, commitments, map};
use bemr::store::{Table, for_each, recover};
use bemr::transparency::CloudLog;
use bemr::wire::{
    Anchor, CloudLeaf, ConsistencyProof, Decision, Entry, Erase, EraseApproval, EraseBody, Gossip, Grant,
    GrantBody, LeafKind, LogKind, Message, Name, PROTOCOL_VERSION, ReadRequest, ReadResponse, RequestOutcome,
    Revoke, RevokeBody, Role, TInitial, Time, encode,
};
use bemr_lab::simulator::Node;
use bemr_spec::{Clause, Rules, Verdict, constants};
use tls_codec::{DeserializeBytes, Serialize};

const RECORD: &str = "Observation-blood-pressure";

fn record() -> Answer {
    Answer::Record(sample(RECORD).to_vec().into())
}

fn refusal(clause: Clause) -> Answer {
    Answer::Refused(Some(clause))
}

/// All messages of a table of the store.
fn all<T: DeserializeBytes + Serialize>(stage: &Stage, table: Table) -> Vec<T> {
    let mut rows = Vec::new();
    let push = |row| {
        rows.push(row);
        Ok(())
    };
    stage.archive.read(|store| for_each(store, &RULES, table, push)).unwrap();
    rows
}

/// What the public can see of the network is consistent.
fn audited(stage: &Stage) -> AuditReport {
    let (blocks, leaves) = (all(stage, Table::Blocks), all(stage, Table::Leaves));
    let (entries, audit_heads) = (all(stage, Table::AuditEntries), all(stage, Table::AuditHeads));
    let cloud_heads = all(stage, Table::CloudHeads);
    let town = &stage.town;
    let bsd = (town.bsd.name.clone(), town.bsd.key.clone());
    let (genesis, validators) = (town.genesis.clone(), town.validators.clone());
    let auditor = Auditor::new(&RULES, stage.now(), genesis, validators, town.cloud.clone(), bsd).unwrap();
    let public = PublicRecord {
        blocks: &blocks,
        leaves: &leaves,
        cloud_heads: &cloud_heads,
        entries: &entries,
        audit_heads: &audit_heads,
    };
    stage.archive.read(|store| recover(&RULES, store, &town.cloud)).unwrap();
    audit(auditor, &public).unwrap()
}

#[test]
fn a_record_is_shared_revoked_and_erased() {
    let mut stage = Stage::new(RULES);
    let cast = stage.town.cast.clone();
    let (doctor, colleague, assistant) = (&cast.doctor, &cast.colleague, &cast.assistant);

    // What was granted at submission is read; what was not is not.
    let tid = stage.submit(doctor, sample(RECORD), std::slice::from_ref(colleague));
    assert_eq!(stage.read(doctor, tid), record());
    assert_eq!(stage.read(colleague, tid), record());
    assert_eq!(stage.read(assistant, tid), refusal(Clause::ReaderIsGranted));

    // A grant later on, its end, and another one.
    assert_eq!(stage.ask(doctor, |user, now| user.grant(now, tid, assistant)), Answer::Done);
    assert_eq!(stage.read(assistant, tid), record());
    assert_eq!(stage.ask(doctor, |user, now| user.revoke(now, tid, assistant)), Answer::Done);
    assert_eq!(stage.read(assistant, tid), refusal(Clause::ReaderIsGranted));
    assert_eq!(stage.read(colleague, tid), record());
    assert_eq!(stage.ask(doctor, |user, now| user.grant(now, tid, assistant)), Answer::Done);
    assert_eq!(stage.read(assistant, tid), record());

    // Erasure takes two.
    let other = stage.submit(doctor, sample("Condition-f201"), &[]);
    let now = stage.now();
    let body = stage.town.user(doctor).unwrap().erasure(now, tid);
    let alone = stage.town.user(doctor).unwrap().approve(&body);
    let one = vec![alone.clone()];
    assert_eq!(
        stage.ask(doctor, |user, now| user.erase(now, body.clone(), one)),
        refusal(Clause::ErasureByAuthority)
    );
    assert_eq!(stage.read(doctor, tid), record());
    let second = stage.town.user(&cast.administrators[1]).unwrap().approve(&body);
    let both = vec![alone, second];
    let blob = stage.archive.read(|store| store.blob(&tid)).unwrap().unwrap();
    let key = stage.archive.read(|store| store.vault_key(&tid)).unwrap().unwrap();
    assert!(key.open(&ONE_NONCE, tid.as_bytes(), &blob).is_some());
    assert_eq!(stage.ask(doctor, |user, now| user.erase(now, body.clone(), both)), Answer::Done);
    for reader in [doctor, colleague, assistant] {
        assert_eq!(stage.read(reader, tid), refusal(Clause::ErasedStaysErased));
    }
    assert_eq!(
        stage.ask(doctor, |user, now| user.grant(now, tid, assistant)),
        refusal(Clause::ErasedStaysErased)
    );

    // Nothing in the store opens any more, and every proof holds: of the log that goes on, and to the auditor.
    let gone = |table| stage.archive.read(|store| store.scan(table, tid.as_bytes(), 1)).unwrap();
    assert!(stage.archive.read(|store| store.vault_key(&tid)).unwrap().is_none());
    assert!(stage.archive.read(|store| store.blob(&tid)).unwrap().is_none());
    assert!(gone(Table::Grants).iter().all(|(key, _)| !key.starts_with(tid.as_bytes())));
    assert_eq!(stage.read(doctor, other), Answer::Record(sample("Condition-f201").to_vec().into()));
    stage.run(30_000);
    let report = audited(&stage);
    assert_eq!((report.records, report.erased, report.committed), (1, 1, 2));
    assert_eq!((report.leaves, report.leaves_anchored), (6, 6));
}

// The cloud.

/// The doctor's record, stored by the cloud, which the colleague may read too.
fn shared(stage: &mut Stage) -> Digest {
    let colleague = stage.town.cast.colleague.clone();
    stage.stored(sample(RECORD), &[colleague])
}

fn to_cloud(stage: &mut Stage, who: &Name, message: Message) -> Heard {
    let cloud = stage.town.cast.cloud.clone();
    let heard = stage.say(who, &cloud, message.clone());
    // The answer says what the cloud made of it.
    if let Some(refused) = heard.step.clause()
        && let [Message::Answer(answer)] = heard.answers.as_slice()
    {
        assert_eq!(Some(answer.request), message.request());
        assert!(answer.reason == refused.into() || answer.decision == Decision::Committed);
    }
    heard
}

fn request(tid: Digest) -> ReadRequest {
    ReadRequest { tid, nonce: [7; 32], remembered: 0 }
}

fn reads(stage: &mut Stage, who: &Name, tid: Digest) -> Heard {
    to_cloud(stage, who, Message::ReadRequest(request(tid)))
}

/// A grant of the doctor's to `reader`, changed before it is signed.
fn grant(stage: &mut Stage, tid: Digest, reader: &Name, change: impl FnOnce(&mut GrantBody)) -> Grant {
    let cast = stage.town.cast.clone();
    let reader = stage.town.directory.get(reader).unwrap().clone();
    let mut body = GrantBody {
        version: PROTOCOL_VERSION,
        suite: Suite::Tiny,
        tid,
        owner: cast.doctor.clone(),
        cloud: cast.cloud.clone(),
        key: wrap(&RULES, &mut stage.rng, &tid, &reader, &[9; 32]),
        issued: stage.now(),
    };
    change(&mut body);
    let signature = stage.sign(&cast.doctor, Domain::GRANT, &encode(&body));
    Grant { body, signature, reader: reader.certificate().clone() }
}

fn revoke(stage: &Stage, tid: Digest, reader: &Name, change: impl FnOnce(&mut RevokeBody)) -> Revoke {
    let cast = &stage.town.cast;
    let mut body = RevokeBody {
        version: PROTOCOL_VERSION,
        suite: Suite::Tiny,
        tid,
        owner: cast.doctor.clone(),
        cloud: cast.cloud.clone(),
        reader: reader.clone(),
        issued: stage.now(),
    };
    change(&mut body);
    let signature = stage.sign(&cast.doctor, Domain::REVOKE, &encode(&body));
    Revoke { body, signature }
}

fn erase(stage: &Stage, tid: Digest, by: &[&Name], change: impl FnOnce(&mut EraseBody)) -> Erase {
    let cloud = stage.town.cast.cloud.clone();
    let mut body =
        EraseBody { version: PROTOCOL_VERSION, suite: Suite::Tiny, tid, cloud, issued: stage.now() };
    change(&mut body);
    let approve = |who: &&Name| EraseApproval {
        authority: stage.town.credentials[*who].certified().certificate().clone(),
        signature: stage.sign(who, Domain::ERASE, &encode(&body)),
    };
    let approvals: Vec<EraseApproval> = by.iter().map(approve).collect();
    Erase { body, approvals: approvals.into() }
}

/// The owner sends a grant to the assistant.
fn granted(stage: &mut Stage, change: impl FnOnce(&mut GrantBody)) -> Heard {
    let (doctor, assistant) = (stage.town.cast.doctor.clone(), stage.town.cast.assistant.clone());
    let tid = shared(stage);
    let grant = grant(stage, tid, &assistant, change);
    to_cloud(stage, &doctor, Message::Grant(Box::new(grant)))
}

/// The owner ends the colleague's grant.
fn revoked(stage: &mut Stage, change: impl FnOnce(&mut RevokeBody)) -> Heard {
    let (doctor, colleague) = (stage.town.cast.doctor.clone(), stage.town.cast.colleague.clone());
    let tid = shared(stage);
    let revoke = revoke(stage, tid, &colleague, change);
    to_cloud(stage, &doctor, Message::Revoke(revoke))
}

/// The first of them sends an erasure that they all approve.
fn erased(stage: &mut Stage, by: &[&str], change: impl FnOnce(&mut EraseBody)) -> Heard {
    let tid = shared(stage);
    let by: Vec<Name> = by.iter().map(|who| name(who)).collect();
    let erase = erase(stage, tid, &by.iter().collect::<Vec<_>>(), change);
    to_cloud(stage, &by[0], Message::Erase(erase))
}

#[test]
fn the_cloud_goes_through_every_row_of_its_machine() {
    let mut stage = Stage::new(RULES);
    let cast = stage.town.cast.clone();
    let state = |stage: &mut Stage, tid| stage.town.cloud().unwrap().state_of(&tid);
    assert_eq!(state(&mut stage, stray_digest()), State::AwaitingValid);
    let tid = shared(&mut stage);
    assert_eq!(state(&mut stage, tid), State::Stored);
    let heard = reads(&mut stage, &cast.colleague, tid);
    heard.assert_taken();
    assert!(heard.unchanged && matches!(heard.answers.as_slice(), [Message::ReadResponse(_)]));
    let statements = [
        Message::Grant(Box::new(grant(&mut stage, tid, &cast.assistant, |_| ()))),
        Message::Revoke(revoke(&stage, tid, &cast.assistant, |_| ())),
        Message::Erase(erase(&stage, tid, &[&cast.doctor, &cast.administrators[0]], |_| ())),
    ];
    for (statement, after) in statements.into_iter().zip([State::Stored, State::Stored, State::Erased]) {
        let heard = to_cloud(&mut stage, &cast.doctor, statement.clone());
        heard.assert_taken();
        let done = RequestOutcome {
            request: statement.request().unwrap(),
            tid,
            decision: Decision::Committed,
            reason: bemr::wire::Reason::NONE,
        };
        assert_eq!(heard.answers, [Message::Answer(done)]);
        let head = heard.step.outputs().any(|output| matches!(output, Output::Publish(Gossip::CloudHead(_))));
        assert!(head && !heard.unchanged);
        assert_eq!(state(&mut stage, tid), after);
    }
    reads(&mut stage, &cast.colleague, tid).assert_refused(Clause::ErasedStaysErased);
}

#[test]
fn nobody_reads_shares_or_erases_what_is_not_there() {
    refused(Clause::LeafIsIncluded, |stage| {
        let doctor = stage.town.cast.doctor.clone();
        reads(stage, &doctor, stray_digest())
    });
    refused(Clause::LeafIsIncluded, |stage| granted(stage, |body| body.tid = stray_digest()));
    refused(Clause::LeafIsIncluded, |stage| revoked(stage, |body| body.tid = stray_digest()));
    refused(Clause::LeafIsIncluded, |stage| {
        erased(stage, &["dr-ada", "root-1"], |body| body.tid = stray_digest())
    });
}

#[test]
fn statements_are_of_this_version_and_suite() {
    refused_by(Clause::ProtocolVersionIsOne, |stage| granted(stage, |body| body.version = 2));
    refused_by(Clause::ProtocolVersionIsOne, |stage| revoked(stage, |body| body.version = 2));
    refused_by(Clause::ProtocolVersionIsOne, |stage| {
        erased(stage, &["dr-ada", "root-1"], |body| body.version = 2)
    });
    refused_by(Clause::SuiteMatches, |stage| granted(stage, |body| body.suite = Suite::Ristretto255));
    refused_by(Clause::SuiteMatches, |stage| revoked(stage, |body| body.suite = Suite::Ristretto255));
    refused_by(Clause::SuiteMatches, |stage| {
        erased(stage, &["dr-ada", "root-1"], |body| body.suite = Suite::Ristretto255)
    });
}

#[test]
fn who_holds_no_grant_reads_nothing() {
    refused_by(Clause::ReaderIsGranted, |stage| {
        let assistant = stage.town.cast.assistant.clone();
        let tid = shared(stage);
        reads(stage, &assistant, tid)
    });
    // The grant of another record does not help.
    refused_by(Clause::ReaderIsGranted, |stage| {
        let assistant = stage.town.cast.assistant.clone();
        stage.stored(sample("Condition-f201"), std::slice::from_ref(&assistant));
        let tid = shared(stage);
        reads(stage, &assistant, tid)
    });
}

/// `who` is no doctor any more, but an administrator of the same name.
fn promoted(stage: &mut Stage, who: &Name) {
    let list = stage.revoked(who);
    stage.publish(&Gossip::RevocationList(list.clone()));
    stage.town.trust.update(&RULES, list).unwrap();
    stage.enrol(who, Role::Administrator);
}

#[test]
fn a_role_that_may_not_read_reads_nothing_whatever_was_granted() {
    refused_by(Clause::RoleMayRead, |stage| {
        let colleague = stage.town.cast.colleague.clone();
        let tid = shared(stage);
        promoted(stage, &colleague);
        reads(stage, &colleague, tid)
    });
    // CLD-09 stands behind it for administrators who hold no grant, and INI-11 for a grant to them.
    for (rules, clause) in
        [(RULES, Clause::RoleMayRead), (RULES.without(Clause::RoleMayRead), Clause::ReaderIsGranted)]
    {
        let mut stage = Stage::new(rules);
        let [administrator, _] = stage.town.cast.administrators.clone();
        let tid = shared(&mut stage);
        reads(&mut stage, &administrator, tid).assert_refused(clause);
    }
    for (rules, clause) in [
        (RULES, Clause::RoleMayRead),
        (RULES.without(Clause::RoleMayRead), Clause::GrantsNameAuthorisedReaders),
    ] {
        let mut stage = Stage::new(rules);
        let cast = stage.town.cast.clone();
        let tid = shared(&mut stage);
        let grant = grant(&mut stage, tid, &cast.administrators[0], |_| ());
        to_cloud(&mut stage, &cast.doctor, Message::Grant(Box::new(grant))).assert_refused(clause);
    }
}

#[test]
fn a_role_that_may_not_grant_grants_and_revokes_nothing() {
    // The owner became an administrator since.
    refused_by(Clause::RoleMayGrant, |stage| {
        let (doctor, assistant) = (stage.town.cast.doctor.clone(), stage.town.cast.assistant.clone());
        let tid = shared(stage);
        promoted(stage, &doctor);
        let grant = grant(stage, tid, &assistant, |_| ());
        to_cloud(stage, &doctor, Message::Grant(Box::new(grant)))
    });
    refused_by(Clause::RoleMayGrant, |stage| {
        let (doctor, colleague) = (stage.town.cast.doctor.clone(), stage.town.cast.colleague.clone());
        let tid = shared(stage);
        promoted(stage, &doctor);
        let revoke = revoke(stage, tid, &colleague, |_| ());
        to_cloud(stage, &doctor, Message::Revoke(revoke))
    });
}

#[test]
fn only_the_owner_shares_a_record() {
    let clause = Clause::GrantByOwner;
    refused_by(clause, |stage| granted(stage, |body| body.owner = name("dr-ben")));
    refused_by(clause, |stage| granted(stage, |body| body.cloud = name("cloud-2")));
    // Another sends what the owner signed.
    refused_by(clause, |stage| {
        let cast = stage.town.cast.clone();
        let tid = shared(stage);
        let mut grant = grant(stage, tid, &cast.assistant, |_| ());
        grant.signature = stage.sign(&cast.colleague, Domain::GRANT, &encode(&grant.body));
        to_cloud(stage, &cast.colleague, Message::Grant(Box::new(grant)))
    });
    refused_by(clause, |stage| {
        let cast = stage.town.cast.clone();
        let tid = shared(stage);
        let mut grant = grant(stage, tid, &cast.assistant, |_| ());
        grant.signature = stage.sign(&cast.doctor, Domain::REVOKE, &encode(&grant.body));
        to_cloud(stage, &cast.doctor, Message::Grant(Box::new(grant)))
    });
}

#[test]
fn a_grant_is_to_a_certified_reader_whom_the_contract_lets_read() {
    refused_by(Clause::CertificateSignedByKdc, |stage| {
        let cast = stage.town.cast.clone();
        let tid = shared(stage);
        let mut grant = grant(stage, tid, &cast.assistant, |_| ());
        grant.reader.body.serial += 1000;
        to_cloud(stage, &cast.doctor, Message::Grant(Box::new(grant)))
    });
    refused_by(Clause::CertificateNotRevoked, |stage| {
        let cast = stage.town.cast.clone();
        let tid = shared(stage);
        let grant = grant(stage, tid, &cast.assistant, |_| ());
        let list = stage.revoked(&cast.assistant);
        stage.publish(&Gossip::RevocationList(list));
        to_cloud(stage, &cast.doctor, Message::Grant(Box::new(grant)))
    });
    refused_by(Clause::SubjectIsClaimedPrincipal, |stage| {
        let colleague = stage.town.cast.colleague.clone();
        granted(stage, |body| body.key.reader = colleague)
    });
    // A contract that lets assistants read nothing; the submission names it.
    refused_by(Clause::GrantsNameAuthorisedReaders, |stage| {
        let [first, second] = stage.town.cast.administrators.clone();
        let height = stage.replica.next_height();
        let observation = name("observation");
        let all = stage.replica.policy.contracts_in_force(&observation, height);
        let mut strict = (*all.iter().find(|one| one.id.as_str() == "admission").unwrap()).clone();
        (strict.version.0, strict.effective, strict.readers) = (2, height, vec![Role::Doctor].into());
        let change = bemr::wire::PolicyChange {
            protocol: PROTOCOL_VERSION,
            network: stage.town.genesis.network.clone(),
            templates: Vec::new().into(),
            contracts: vec![strict].into(),
        };
        let approved = stage.approved(change, &[&first, &second]);
        stage.publish(&Gossip::PolicyChange(approved.clone()));
        let (trust, directory, now) = (stage.town.trust.clone(), stage.town.directory.clone(), stage.now());
        stage.replica.on_policy_change(&RULES, now, &trust, &directory, &approved).unwrap();
        granted(stage, |_| ())
    });
}

#[test]
fn only_the_owner_ends_a_grant() {
    let clause = Clause::RevokeByOwner;
    refused_by(clause, |stage| revoked(stage, |body| body.owner = name("dr-ben")));
    refused_by(clause, |stage| revoked(stage, |body| body.cloud = name("cloud-2")));
    refused_by(clause, |stage| revoked(stage, |body| body.reader = name("dr-ada")));
    refused_by(clause, |stage| {
        let cast = stage.town.cast.clone();
        let tid = shared(stage);
        let mut revoke = revoke(stage, tid, &cast.colleague, |_| ());
        revoke.signature = stage.sign(&cast.colleague, Domain::REVOKE, &encode(&revoke.body));
        to_cloud(stage, &cast.colleague, Message::Revoke(revoke))
    });
    refused_by(clause, |stage| {
        let cast = stage.town.cast.clone();
        let tid = shared(stage);
        let mut revoke = revoke(stage, tid, &cast.colleague, |_| ());
        revoke.body.issued = revoke.body.issued.after(1);
        to_cloud(stage, &cast.doctor, Message::Revoke(revoke))
    });
    refused_by(Clause::ReaderIsGranted, |stage| revoked(stage, |body| body.reader = name("mia")));
}

#[test]
fn a_grant_that_was_held_back_does_not_undo_its_revocation() {
    let held_back = |stage: &mut Stage| {
        let cast = stage.town.cast.clone();
        let tid = shared(stage);
        let grant = grant(stage, tid, &cast.assistant, |_| ());
        let old = Message::Grant(Box::new(grant));
        to_cloud(stage, &cast.doctor, old.clone()).assert_taken();
        let revoke = revoke(stage, tid, &cast.assistant, |_| ());
        to_cloud(stage, &cast.doctor, Message::Revoke(revoke)).assert_taken();
        to_cloud(stage, &cast.doctor, old)
    };
    refused_by(Clause::StatementAdvances, held_back);
}

#[test]
fn a_revocation_that_comes_again_is_answered_again_and_ends_no_later_grant() {
    let again = |stage: &mut Stage| {
        let cast = stage.town.cast.clone();
        let tid = shared(stage);
        let revoke = revoke(stage, tid, &cast.colleague, |_| ());
        let old = Message::Revoke(revoke);
        to_cloud(stage, &cast.doctor, old.clone()).assert_taken();
        stage.later += 1;
        let grant = grant(stage, tid, &cast.colleague, |_| ());
        to_cloud(stage, &cast.doctor, Message::Grant(Box::new(grant))).assert_taken();
        let heard = to_cloud(stage, &cast.doctor, old);
        if heard.step.verdict() == Verdict::Ignore {
            assert!(
                matches!(&heard.answers[..], [Message::Answer(answer)] if answer.decision == Decision::Committed)
            );
            reads(stage, &cast.colleague, tid).assert_taken();
        }
        heard
    };
    refused_by(Clause::StatementAdvances, again);
}

#[test]
fn one_authority_alone_erases_nothing() {
    let clause = Clause::ErasureByAuthority;
    for by in [
        &["dr-ada"][..],
        &["root-1"],
        &["root-1", "root-1"],
        &["dr-ada", "dr-ada"],
        &["dr-ada", "root-1", "root-2"],
    ] {
        refused_by(clause, |stage| erased(stage, by, |_| ()));
    }
    // Not by who is neither owner nor administrator, nor without an administrator.
    for by in [&["dr-ben", "root-1"][..], &["root-1", "dr-ben"], &["dr-ada", "dr-ben"]] {
        refused_by(clause, |stage| erased(stage, by, |_| ()));
    }
    refused_by(clause, |stage| erased(stage, &["dr-ada", "root-1"], |body| body.cloud = name("cloud-2")));
    // Nobody approved anything.
    refused_by(clause, |stage| {
        let [administrator, _] = stage.town.cast.administrators.clone();
        let tid = shared(stage);
        let erase = erase(stage, tid, &[], |_| ());
        to_cloud(stage, &administrator, Message::Erase(erase))
    });
    // Two approve, and a third sends it.
    refused_by(clause, |stage| {
        let cast = stage.town.cast.clone();
        let tid = shared(stage);
        let erase = erase(stage, tid, &[&cast.administrators[0], &cast.administrators[1]], |_| ());
        to_cloud(stage, &cast.doctor, Message::Erase(erase))
    });
    // An approval of something else.
    refused_by(clause, |stage| {
        let cast = stage.town.cast.clone();
        let tid = shared(stage);
        let mut erase = erase(stage, tid, &[&cast.doctor, &cast.administrators[0]], |_| ());
        erase.body.issued = erase.body.issued.after(1);
        to_cloud(stage, &cast.doctor, Message::Erase(erase))
    });
    for by in [["dr-ada", "root-2"], ["root-1", "dr-ada"], ["root-1", "root-2"]] {
        erased(&mut Stage::new(RULES), &by, |_| ()).assert_taken();
    }
}

#[test]
fn an_authority_that_was_revoked_erases_nothing() {
    refused_by(Clause::CertificateNotRevoked, |stage| {
        let cast = stage.town.cast.clone();
        let tid = shared(stage);
        let erase = erase(stage, tid, &[&cast.doctor, &cast.administrators[0]], |_| ());
        let list = stage.revoked(&cast.administrators[0]);
        stage.publish(&Gossip::RevocationList(list));
        to_cloud(stage, &cast.doctor, Message::Erase(erase))
    });
    refused_by(Clause::CertificateSignedByKdc, |stage| {
        let cast = stage.town.cast.clone();
        let tid = shared(stage);
        let mut erase = erase(stage, tid, &[&cast.doctor, &cast.administrators[0]], |_| ());
        let mut approvals = erase.approvals.as_slice().to_vec();
        approvals[1].authority.body.serial += 1000;
        erase.approvals = approvals.into();
        to_cloud(stage, &cast.doctor, Message::Erase(erase))
    });
}

#[test]
fn what_is_erased_is_read_shared_and_erased_no_more() {
    // The mutant of CLD-12 destroys nothing, and goes on as if nothing had happened.
    let gone = |stage: &mut Stage| {
        let cast = stage.town.cast.clone();
        let tid = shared(stage);
        let first = erase(stage, tid, &[&cast.doctor, &cast.administrators[0]], |_| ());
        to_cloud(stage, &cast.doctor, Message::Erase(first)).assert_taken();
        tid
    };
    let clause = Clause::ErasedStaysErased;
    refused_by(clause, |stage| {
        let tid = gone(stage);
        let colleague = stage.town.cast.colleague.clone();
        reads(stage, &colleague, tid)
    });
    refused_by(clause, |stage| {
        let tid = gone(stage);
        let (doctor, assistant) = (stage.town.cast.doctor.clone(), stage.town.cast.assistant.clone());
        let grant = grant(stage, tid, &assistant, |_| ());
        to_cloud(stage, &doctor, Message::Grant(Box::new(grant)))
    });
    refused_by(clause, |stage| {
        let tid = gone(stage);
        let (doctor, colleague) = (stage.town.cast.doctor.clone(), stage.town.cast.colleague.clone());
        let revoke = revoke(stage, tid, &colleague, |_| ());
        to_cloud(stage, &doctor, Message::Revoke(revoke))
    });
    refused_by(clause, |stage| {
        let tid = gone(stage);
        let [first, second] = stage.town.cast.administrators.clone();
        let erase = erase(stage, tid, &[&first, &second], |_| ());
        to_cloud(stage, &first, Message::Erase(erase))
    });
    // The very erasure that was carried out is answered as before.
    let mut stage = Stage::new(RULES);
    let cast = stage.town.cast.clone();
    let tid = shared(&mut stage);
    let same = Message::Erase(erase(&stage, tid, &[&cast.doctor, &cast.administrators[0]], |_| ()));
    let first = to_cloud(&mut stage, &cast.doctor, same.clone());
    let again = to_cloud(&mut stage, &cast.doctor, same);
    again.assert_refused(clause);
    assert_eq!(first.answers, again.answers);
}

#[test]
fn a_user_who_was_revoked_is_not_served() {
    refused_by(Clause::CertificateNotRevoked, |stage| {
        let colleague = stage.town.cast.colleague.clone();
        let tid = shared(stage);
        reads(stage, &colleague, tid).assert_taken();
        let list = stage.revoked(&colleague);
        stage.publish(&Gossip::RevocationList(list));
        reads(stage, &colleague, tid)
    });
}

#[test]
fn the_cloud_takes_no_other_message_of_a_user() {
    refused(Clause::MessageTypeIsExpected, |stage| {
        let colleague = stage.town.cast.colleague.clone();
        let tid = shared(stage);
        let answer = RequestOutcome {
            request: [0; 32],
            tid,
            decision: Decision::Committed,
            reason: bemr::wire::Reason::NONE,
        };
        to_cloud(stage, &colleague, Message::Answer(answer))
    });
}

// The reader, and a cloud that lies.

/// The colleague asks for a record, and the liar, who has the cloud's keys, hears it.
fn asks(stage: &mut Stage, tid: Digest) -> (RequestId, ReadRequest) {
    let (cloud, colleague) = (stage.town.cast.cloud.clone(), stage.town.cast.colleague.clone());
    let now = stage.now();
    let (id, outputs) = stage.town.user(&colleague).unwrap().read(now, tid).unwrap();
    let said = to_liar(stage, &cloud, &colleague, outputs);
    match said.as_slice() {
        [Message::ReadRequest(request)] => (id, request.clone()),
        other => panic!("{other:?}"),
    }
}

/// What the colleague sends reaches the liar: what was said.
fn to_liar(stage: &mut Stage, liar: &Name, user: &Name, mut outputs: Vec<Output>) -> Vec<Message> {
    let now = stage.now();
    let mut said = Vec::new();
    while !outputs.is_empty() {
        let (replies, messages) = stage.hear(liar, user, &outputs);
        said.extend(messages);
        outputs = Vec::new();
        for reply in replies {
            let Output::Send { packet, .. } = reply else { continue };
            let step = stage.actor(user).handle(now, Input::Packet { from: liar.clone(), packet });
            outputs.extend(step.outputs().cloned());
        }
    }
    said
}

/// What the honest cloud answers to the colleague's request. The liar asked it with the colleague's keys.
fn honest(stage: &mut Stage, request: &ReadRequest) -> ReadResponse {
    let colleague = stage.town.cast.colleague.clone();
    let heard = to_cloud(stage, &colleague, Message::ReadRequest(request.clone()));
    match heard.answers.as_slice() {
        [Message::ReadResponse(response)] => (**response).clone(),
        other => panic!("{other:?}"),
    }
}

/// The liar answers the colleague.
fn answers(stage: &mut Stage, response: ReadResponse) -> Heard {
    let (cloud, colleague) = (stage.town.cast.cloud.clone(), stage.town.cast.colleague.clone());
    stage.say(&cloud, &colleague, Message::ReadResponse(Box::new(response)))
}

/// The colleague reads the doctor's record, and the liar changes the honest answer.
fn lied(stage: &mut Stage, change: impl FnOnce(&mut Stage, &mut ReadResponse)) -> Heard {
    let tid = shared(stage);
    let (_, request) = asks(stage, tid);
    let mut response = honest(stage, &request);
    change(stage, &mut response);
    answers(stage, response)
}

/// A log of the liar's own: leaves of these contents, the last one of the record that is shown, and its newest head.
struct Fork {
    log: CloudLog,
    tree: MerkleTree,
    last: Option<CloudLeaf>,
}

impl Fork {
    fn new(stage: &Stage) -> Fork {
        let (network, cloud) = (stage.town.genesis.network.clone(), stage.town.cast.cloud.clone());
        let log = CloudLog::new(Suite::Tiny, network, cloud, Frontier::default());
        Fork { log, tree: MerkleTree::default(), last: None }
    }

    fn leaf(mut self, kind: LeafKind, tid: Digest, content: Digest, time: Time) -> Fork {
        let appended = self.log.append(kind, tid, content, time);
        self.tree.append(&appended.leaf.digest());
        self.last = Some(appended.leaf);
        self
    }

    /// Shows the record of `response` at the end of this log.
    fn show(self, stage: &Stage, response: &mut ReadResponse) -> Fork {
        let now = stage.now();
        let fork = self.leaf(LeafKind::Record, response.record.initial.tid, response.record.digest(), now);
        let key = stage.key(&stage.town.cast.cloud);
        let size = fork.log.size();
        response.proof.head = fork.log.sign(&RULES, &key, now);
        response.proof.leaf = fork.last.clone().unwrap();
        response.proof.inclusion = fork.tree.prove_inclusion(size, size - 1).unwrap();
        response.proof.extends_remembered = ConsistencyProof { path: Vec::new().into() };
        response.proof.anchored = None;
        fork
    }
}

#[test]
fn the_honest_answer_is_taken() {
    let mut stage = Stage::new(RULES);
    let tid = shared(&mut stage);
    let (id, request) = asks(&mut stage, tid);
    let response = honest(&mut stage, &request);
    let heard = answers(&mut stage, response.clone());
    heard.assert_taken();
    assert!(!heard.unchanged);
    let colleague = stage.town.cast.colleague.clone();
    assert_eq!(stage.town.user(&colleague).unwrap().answer(id), Some(&record()));
    // Once: there is no open request any more.
    answers(&mut stage, response).assert_refused(Clause::ReadAnswersRequest);
}

#[test]
fn an_answer_to_another_request_is_refused() {
    let clause = Clause::ReadAnswersRequest;
    refused_by(clause, |stage| lied(stage, |_, response| response.nonce = [8; 32]));
    // The former answer again, as if nothing had happened since.
    refused_by(clause, |stage| {
        let tid = shared(stage);
        let (_, request) = asks(stage, tid);
        let former = honest(stage, &request);
        answers(stage, former.clone()).assert_taken();
        asks(stage, tid);
        answers(stage, former)
    });
    // Another record; without CLD-08 its leaf is not that of the record that was asked for.
    for (rules, clause) in [(RULES, clause), (RULES.without(clause), Clause::LeafIsIncluded)] {
        let mut stage = Stage::new(rules);
        let colleague = stage.town.cast.colleague.clone();
        let other = stage.stored(sample("Condition-f201"), &[colleague]);
        let tid = shared(&mut stage);
        let (_, request) = asks(&mut stage, tid);
        let response = honest(&mut stage, &ReadRequest { tid: other, ..request });
        answers(&mut stage, response).assert_refused(clause);
    }
}

#[test]
fn the_answer_to_one_statement_is_not_the_answer_to_the_next() {
    refused_by(Clause::ReadAnswersRequest, |stage| {
        let cast = stage.town.cast.clone();
        let (doctor, cloud, assistant) = (&cast.doctor, &cast.cloud, &cast.assistant);
        let tid = stage.submit(doctor, sample(RECORD), &[]);
        let now = stage.now();
        let (_, outputs) = stage.town.user(doctor).unwrap().grant(now, tid, assistant).unwrap();
        let said = to_liar(stage, cloud, doctor, outputs);
        let request = said[0].request().unwrap();
        let done = Message::Answer(RequestOutcome {
            request,
            tid,
            decision: Decision::Committed,
            reason: bemr::wire::Reason::NONE,
        });
        stage.say(cloud, doctor, done.clone()).assert_taken();
        let (id, outputs) = stage.town.user(doctor).unwrap().revoke(now, tid, assistant).unwrap();
        to_liar(stage, cloud, doctor, outputs);
        // A grant that was sent twice is answered twice; the revocation is not carried out by that.
        let heard = stage.say(cloud, doctor, done);
        let user = stage.town.user(doctor).unwrap();
        assert_eq!(user.awaits_answer(id), heard.step.outcome.is_err());
        heard
    });
}

#[test]
fn nobody_else_answers_for_the_cloud() {
    // A principal of another name whose role is cloud: the handshake is refused before it comes to HSK-02 here.
    let mut stage = Stage::new(RULES);
    let cast = stage.town.cast.clone();
    let tid = shared(&mut stage);
    let now = stage.now();
    let (_, outputs) = stage.town.user(&cast.colleague).unwrap().read(now, tid).unwrap();
    stage.enrol(&name("cloud-2"), Role::Cloud);
    let (replies, _) = stage.hear(&name("cloud-2"), &cast.colleague, &[rename(&outputs[0], "cloud-2")]);
    let Output::Send { packet, .. } = &replies[0] else { panic!("{replies:?}") };
    let before = stage.actor(&cast.colleague).state();
    let step = stage
        .actor(&cast.colleague)
        .handle(now, Input::Packet { from: cast.cloud.clone(), packet: packet.clone() });
    assert_eq!(step.clause(), Some(Clause::PeerIsIntended));
    assert_eq!(stage.actor(&cast.colleague).state(), before);
}

fn rename(output: &Output, to: &str) -> Output {
    match output {
        Output::Send { label, packet, .. } => Output::Send { to: name(to), label, packet: packet.clone() },
        other => other.clone(),
    }
}

#[test]
fn the_bsd_cannot_answer_for_the_cloud() {
    // Its session carries another stage; the mutant of that lets the message through to HSK-02.
    for (rules, clause) in
        [(RULES, Clause::StageFitsSession), (RULES.without(Clause::StageFitsSession), Clause::PeerIsIntended)]
    {
        let mut stage = Stage::new(rules);
        let cast = stage.town.cast.clone();
        let record = Record::read(&RULES, sample(RECORD)).unwrap();
        let now = stage.now();
        let (tid, outputs) = stage.town.user(&cast.colleague).unwrap().submit(now, &record, &[]).unwrap();
        to_liar(&mut stage, &cast.bsd, &cast.colleague, outputs);
        stage.context(&cast.bsd).rules = RULES.without(Clause::StageFitsSession);
        let answer = RequestOutcome {
            request: [0; 32],
            tid,
            decision: Decision::Committed,
            reason: bemr::wire::Reason::NONE,
        };
        stage.say(&cast.bsd, &cast.colleague, Message::Answer(answer)).assert_refused(clause);
    }
}

#[test]
fn a_head_that_the_cloud_did_not_sign_is_refused() {
    refused_by(Clause::HeadSignedByCloud, |stage| {
        lied(stage, |stage, response| {
            let bsd = stage.town.cast.bsd.clone();
            response.proof.head.signature =
                stage.sign(&bsd, Domain::CLOUD_HEAD, &encode(&response.proof.head.head));
        })
    });
    refused_by(Clause::HeadSignedByCloud, |stage| {
        lied(stage, |stage, response| {
            response.proof.head.head.network = name("pbn-2");
            let cloud = stage.town.cast.cloud.clone();
            response.proof.head.signature =
                stage.sign(&cloud, Domain::CLOUD_HEAD, &encode(&response.proof.head.head));
        })
    });
}

#[test]
fn a_cloud_that_rolls_back_is_caught_by_who_remembers() {
    refused_by(Clause::HeadNotOlder, |stage| {
        let tid = shared(stage);
        let old = honest(stage, &request(tid));
        stage.later += 1_000;
        stage.stored(sample("Condition-f201"), &[]);
        let (_, request) = asks(stage, tid);
        let response = honest(stage, &request);
        let forward = response.proof.extends_remembered.clone();
        answers(stage, response).assert_taken();
        // Before the second record there was one leaf.
        assert!(forward.path.as_slice().is_empty());
        let (_, request) = asks(stage, tid);
        let mut rolled = ReadResponse { nonce: request.nonce, ..old };
        let leaves: Vec<CloudLeaf> = all(stage, Table::Leaves);
        let tree: MerkleTree = leaves.iter().map(CloudLeaf::digest).collect::<Vec<_>>().iter().collect();
        rolled.proof.extends_remembered = tree.prove_consistency(1, 2).unwrap();
        answers(stage, rolled)
    });
}

#[test]
fn a_cloud_that_forks_its_log_is_caught_by_who_remembers() {
    let forked = |stage: &mut Stage, others: u64| {
        let tid = shared(stage);
        stage.stored(sample("Condition-f201"), &[]);
        let (_, first) = asks(stage, tid);
        let response = honest(stage, &first);
        answers(stage, response).assert_taken();
        // The liar hides what came after the record.
        let (_, request) = asks(stage, tid);
        let mut response = honest(stage, &request);
        let mut fork = Fork::new(stage);
        for _ in 0..others {
            fork = fork.leaf(LeafKind::Record, stray_digest(), stray_digest(), stage.now());
        }
        let fork = fork.show(stage, &mut response);
        if fork.log.size() > 2 {
            response.proof.extends_remembered = fork.tree.prove_consistency(2, fork.log.size()).unwrap();
        }
        answers(stage, response)
    };
    refused_by(Clause::LogIsAppendOnly, |stage| forked(stage, 1));
    refused_by(Clause::LogIsAppendOnly, |stage| forked(stage, 6));
}

#[test]
fn a_record_that_is_not_in_the_log_is_refused() {
    refused_by(Clause::LeafIsIncluded, |stage| {
        stage.stored(sample("Condition-f201"), &[]);
        lied(stage, |_, response| response.proof.inclusion.index = 0)
    });
    refused_by(Clause::LeafIsIncluded, |stage| lied(stage, |_, response| response.proof.leaf.time = Time(1)));
    // A leaf that is there, and tells of something else.
    refused_by(Clause::LeafIsIncluded, |stage| {
        lied(stage, |stage, response| {
            let mut other = response.clone();
            other.record.height.0 += 1;
            Fork::new(stage).show(stage, &mut other);
            response.proof = other.proof;
        })
    });
    refused_by(Clause::LeafIsIncluded, |stage| {
        lied(stage, |stage, response| {
            let (tid, content) = (response.record.initial.tid, response.record.digest());
            let fork = Fork::new(stage).leaf(LeafKind::Erase, tid, content, stage.now());
            response.proof.head = fork.log.sign(&RULES, &stage.key(&stage.town.cast.cloud), stage.now());
            response.proof.leaf = fork.last.clone().unwrap();
            response.proof.inclusion = fork.tree.prove_inclusion(1, 0).unwrap();
        })
    });
}

/// The newest head of the cloud's log stands in a final block.
fn anchored(stage: &mut Stage) {
    let head = stage.town.cloud().unwrap().head().unwrap().head.clone();
    let anchor =
        Anchor { kind: LogKind::Cloud, keeper: head.cloud.clone(), size: head.size, head: head.digest() };
    stage.close(vec![Entry::Anchor(anchor)]);
}

#[test]
fn a_cloud_that_forks_its_log_is_caught_by_the_ledger() {
    // The reader has never seen a head of this cloud.
    refused_by(Clause::HeadIsAnchored, |stage| {
        lied(stage, |stage, response| {
            anchored(stage);
            let fork = Fork::new(stage).leaf(LeafKind::Record, stray_digest(), stray_digest(), stage.now());
            fork.show(stage, response);
        })
    });
    // The head is older than the anchor, though the record is there.
    refused_by(Clause::HeadIsAnchored, |stage| {
        lied(stage, |stage, response| {
            stage.stored(sample("Condition-f201"), &[]);
            anchored(stage);
            response.proof.anchored = Some(stage.town.cloud().unwrap().head().unwrap().head.clone());
        })
    });
    let mut stage = Stage::new(RULES);
    let tid = shared(&mut stage);
    anchored(&mut stage);
    stage.stored(sample("Condition-f201"), &[]);
    let (_, request) = asks(&mut stage, tid);
    let response = honest(&mut stage, &request);
    assert_eq!(response.proof.anchored.as_ref().map(|head| head.size), Some(1));
    answers(&mut stage, response).assert_taken();
}

#[test]
fn the_owners_certificate_is_the_kdcs_theirs_and_not_revoked() {
    // The liar logs what it shows.
    let shown = |stage: &mut Stage, change: &dyn Fn(&mut Stage, &mut ReadResponse)| {
        lied(stage, |stage, response| {
            change(stage, response);
            Fork::new(stage).show(stage, response);
        })
    };
    refused_by(Clause::CertificateSignedByKdc, |stage| {
        shown(stage, &|_, response| response.record.user.body.serial += 1000)
    });
    refused_by(Clause::SubjectIsClaimedPrincipal, |stage| {
        shown(stage, &|stage, response| {
            let assistant = stage.town.cast.assistant.clone();
            response.record.user = stage.town.credentials[&assistant].certified().certificate().clone();
            let message = encode(&response.record.initial);
            response.record.user_signature = stage.sign(&assistant, Domain::T_INITIAL, &message);
        })
    });
    refused_by(Clause::CertificateNotRevoked, |stage| {
        lied(stage, |stage, _| {
            let doctor = stage.town.cast.doctor.clone();
            let list = stage.revoked(&doctor);
            stage.publish(&Gossip::RevocationList(list));
        })
    });
}

#[test]
fn a_record_that_its_owner_did_not_sign_is_refused() {
    let clause = Clause::ReadMatchesSigned;
    refused_by(clause, |stage| {
        lied(stage, |stage, response| {
            let cloud = stage.town.cast.cloud.clone();
            response.record.user_signature =
                stage.sign(&cloud, Domain::T_INITIAL, &encode(&response.record.initial));
            Fork::new(stage).show(stage, response);
        })
    });
    // A header that the owner did not write.
    refused_by(clause, |stage| {
        lied(stage, |stage, response| {
            response.record.initial.patient = name("Patient/another");
            Fork::new(stage).show(stage, response);
        })
    });
    // Another ciphertext: AED-01 stands behind CLD-14, and for a colleague who conspires CLD-15.
    for (rules, clause) in [(RULES, clause), (RULES.without(clause), Clause::TagVerifiedBeforeUse)] {
        let mut stage = Stage::new(rules);
        let heard = lied(&mut stage, |_, response| {
            let mut tampered = response.ciphertext.as_slice().to_vec();
            tampered[20] ^= 1;
            response.ciphertext = tampered.into();
        });
        heard.assert_refused(clause);
    }
    // Who has the record's key can make another ciphertext that opens.
    refused_by(clause, |stage| {
        lied(stage, |stage, response| {
            let colleague = stage.town.credentials[&stage.town.cast.colleague].clone();
            let header = &response.record.initial;
            let key = unwrap(&RULES, &colleague, &header.tid, &response.key).unwrap();
            let context = record_context(&header.user, &header.nonce);
            // One more space at the end says the same, and is not what was signed.
            let other = [sample(RECORD), b" "].concat();
            response.ciphertext = AeadKey::from_bytes(*key).seal(&ONE_NONCE, &context, &other).into();
        })
    });
}

#[test]
fn a_key_of_another_record_or_reader_opens_nothing() {
    // What does not open has no mutant: there is nothing to read.
    refused(Clause::TagVerifiedBeforeUse, |stage| {
        let colleague = stage.town.cast.colleague.clone();
        let other = stage.stored(sample("Condition-f201"), &[colleague]);
        let key = honest(stage, &request(other)).key;
        lied(stage, |_, response| response.key = key)
    });
    refused(Clause::ElementInRange, |stage| {
        lied(stage, |_, response| {
            let length = response.key.encapsulation.as_slice().len();
            response.key.encapsulation = vec![0xff; length].into();
        })
    });
}

/// A submission in which the ciphertext is that of another record than the one that the commitments tell of.
fn conspired(stage: &mut Stage) -> Digest {
    let cast = stage.town.cast.clone();
    let mut initial: TInitial =
        stage.initial(&cast.doctor, sample(RECORD), std::slice::from_ref(&cast.colleague));
    // Judged: the sound record. Stored: one that no contract would let pass.
    let judged = stage.block(&initial);
    let header = &mut initial.header;
    let context = record_context(&header.user, &header.nonce);
    let key = AeadKey::from_bytes(initial.record_key);
    initial.ciphertext = key.seal(&ONE_NONCE, &context, sample("broken-impossible-heart-rate")).into();
    header.ciphertext = Digest::of(Domain::CIPHERTEXT, initial.ciphertext.as_slice());
    header.tid = transaction_id(&header.user, &header.nonce, &header.ciphertext);
    let mut grants = Vec::new();
    for reader in [&cast.doctor, &cast.colleague] {
        let reader = stage.town.directory.get(reader).unwrap().clone();
        grants.push(wrap(&RULES, &mut stage.rng, &header.tid, &reader, &initial.record_key));
    }
    initial.grants = grants.into();
    header.grants = bemr::actors::initial_builder::grants_digest(&initial.grants);
    let message = encode(header);
    initial.signature = stage.sign(&cast.doctor, Domain::T_INITIAL, &message);
    let mut block = judged;
    block.initial = initial.header.clone();
    block.user_signature = initial.signature.clone();
    block.body.tid = initial.header.tid;
    block.body.initial = Digest::of(Domain::T_INITIAL, &message);
    stage.sign_block(&mut block);
    // The honest validators find nothing wrong.
    for validator in &cast.validators {
        let heard = stage.say(&cast.bsd, validator, Message::TBlock(Box::new(block.clone())));
        assert!(matches!(&heard.answers[..], [Message::Vote(vote)] if vote.body.reason == 0));
    }
    let certificate = stage.certificate(&block, bemr::wire::Ballot::True, 0);
    let valid = stage.valid_with(&initial, &block, certificate);
    stage.store(&valid).assert_taken();
    valid.body.tid
}

#[test]
fn a_submitter_and_a_bsd_who_conspire_are_caught_by_who_reads() {
    refused_by(Clause::ReadMatchesCommitments, |stage| {
        let tid = conspired(stage);
        let (_, request) = asks(stage, tid);
        let response = honest(stage, &request);
        answers(stage, response)
    });
    // The record does say something else than what was judged.
    let template = |stage: &Stage| {
        let height = stage.replica.next_height();
        stage.replica.policy.template_for("Observation", height).unwrap().clone()
    };
    let stage = Stage::new(RULES);
    let committed = |file| {
        let record = Record::read(&RULES, sample(file)).unwrap();
        commitments(&[7; 32], &template(&stage), &map(&RULES, &template(&stage), &record).unwrap())
    };
    assert_ne!(committed(RECORD), committed("broken-impossible-heart-rate"));
}

// What a user does who waits for the cloud.

/// A user whose cloud answers nothing, and what they send when they wake.
fn wakes(stage: &mut Stage, who: &Name, after: u64) -> (&'static str, Vec<Output>) {
    stage.later += after;
    let now = stage.now();
    let step = stage.actor(who).handle(now, Input::Wake);
    (step.event, step.outputs().cloned().collect())
}

#[test]
fn a_user_asks_three_times_and_gives_up() {
    let asked = |rules: Rules| {
        let mut stage = Stage::new(rules);
        let (cloud, colleague) = (stage.town.cast.cloud.clone(), stage.town.cast.colleague.clone());
        let tid = shared(&mut stage);
        let (id, first) = asks(&mut stage, tid);
        for _ in 0..2 {
            let (event, outputs) = wakes(&mut stage, &colleague, constants::USER_ANSWER_MS);
            assert_eq!(event, "AnswerExpired");
            let said = to_liar(&mut stage, &cloud, &colleague, outputs);
            assert_eq!(said, [Message::ReadRequest(first.clone())]);
            assert!(stage.town.user(&colleague).unwrap().awaits_answer(id));
        }
        let (event, outputs) = wakes(&mut stage, &colleague, constants::USER_ANSWER_MS);
        assert_eq!(event, "AnswerExpired");
        (stage, id, first, !outputs.is_empty())
    };
    let (mut stage, id, first, more) = asked(RULES);
    let colleague = stage.town.cast.colleague.clone();
    assert!(!more);
    let user = stage.town.user(&colleague).unwrap();
    assert!(!user.awaits_answer(id) && user.answer(id).is_none());
    // What comes too late is not taken.
    let late = honest(&mut stage, &first);
    answers(&mut stage, late).assert_refused(Clause::ReadAnswersRequest);
    // The mutant goes on asking.
    let (mut stage, id, _, more) = asked(RULES.without(Clause::FailoverIsBounded));
    assert!(more && stage.town.user(&colleague).unwrap().awaits_answer(id));
}

#[test]
fn an_answer_ends_the_waiting() {
    for (decision, reason, expected) in [
        (Decision::Committed, 0, Answer::Done),
        (Decision::Refused, Clause::ReaderIsGranted.code(), refusal(Clause::ReaderIsGranted)),
    ] {
        let mut stage = Stage::new(RULES);
        let (cloud, colleague) = (stage.town.cast.cloud.clone(), stage.town.cast.colleague.clone());
        let tid = shared(&mut stage);
        let (id, request) = asks(&mut stage, tid);
        let answer = RequestOutcome {
            request: request.nonce,
            tid,
            decision,
            reason: bemr::wire::Reason::from_code(reason),
        };
        stage.say(&cloud, &colleague, Message::Answer(answer.clone())).assert_taken();
        assert_eq!(stage.town.user(&colleague).unwrap().answer(id), Some(&expected));
        assert_eq!(stage.town.user(&colleague).unwrap().wake(), None);
        stage.say(&cloud, &colleague, Message::Answer(answer)).assert_refused(Clause::ReadAnswersRequest);
    }
}

#[test]
fn two_reads_at_once_are_both_answered_though_the_log_grows() {
    let mut stage = Stage::new(RULES);
    let (cloud, colleague) = (stage.town.cast.cloud.clone(), stage.town.cast.colleague.clone());
    let tid = shared(&mut stage);
    let (first, earlier) = asks(&mut stage, tid);
    let (second, later) = asks(&mut stage, tid);
    let response = honest(&mut stage, &earlier);
    answers(&mut stage, response).assert_taken();
    stage.stored(sample("Condition-f201"), &[]);
    // Both were sent by a reader who remembered nothing; one head later that is not what they remember.
    let response = honest(&mut stage, &later);
    answers(&mut stage, response).assert_refused(Clause::LogIsAppendOnly);
    let (_, outputs) = wakes(&mut stage, &colleague, constants::USER_ANSWER_MS);
    let said = to_liar(&mut stage, &cloud, &colleague, outputs);
    let [Message::ReadRequest(again)] = said.as_slice() else { panic!("{said:?}") };
    assert_eq!((again.nonce, again.remembered), (later.nonce, 1));
    let response = honest(&mut stage, again);
    answers(&mut stage, response).assert_taken();
    let user = stage.town.user(&colleague).unwrap();
    assert_eq!((user.answer(first), user.answer(second)), (Some(&record()), Some(&record())));
}

#[test]
fn an_app_that_starts_again_awaits_no_answer_and_knows_none() {
    let mut stage = Stage::new(RULES);
    let doctor = stage.town.cast.doctor.clone();
    let tid = stage.submit(&doctor, sample(RECORD), &[]);
    let read = |stage: &mut Stage| stage.town.by(&doctor, |user, now| user.read(now, tid)).unwrap();
    let answered = read(&mut stage);
    stage.run(30_000);
    let open = read(&mut stage);
    let before = stage.town.user(&doctor).unwrap();
    assert!(before.answer(answered).is_some() && before.awaits_answer(open));
    let (bsd, cloud) = (stage.town.cast.bsd.clone(), stage.town.cloud.clone());
    let (fresh, again) = (stage.new_office(&doctor), stage.new_office(&doctor));
    let Some(Node::User(user)) = stage.town.world.node(&doctor) else { panic!("a user") };
    let after = std::mem::replace(&mut **user, User::new(fresh, bsd, cloud)).restart(again);
    assert!(after.answer(answered).is_none() && !after.awaits_answer(open));
}
