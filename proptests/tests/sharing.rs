//! Reading, sharing and erasing: the whole story over the network; every check of the cloud and of the reader with its
//! mutant; and a cloud that lies, which is caught by whoever reads.
#![allow(clippy::unwrap_used, reason = "helpers of tests stop at what is not as expected")]

use crate::testbed::{RULES, Reply, Testbed, name, refused, refused_by, sample, stray_digest};
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
fn all<T: DeserializeBytes + Serialize>(bed: &Testbed, table: Table) -> Vec<T> {
    let mut rows = Vec::new();
    let push = |row| {
        rows.push(row);
        Ok(())
    };
    bed.network.store.read(|store| for_each(store, &RULES, table, push)).unwrap();
    rows
}

/// What the public can see of the network is consistent.
fn audited(bed: &Testbed) -> AuditReport {
    let (blocks, leaves) = (all(bed, Table::Blocks), all(bed, Table::Leaves));
    let (entries, audit_heads) = (all(bed, Table::AuditEntries), all(bed, Table::AuditHeads));
    let cloud_heads = all(bed, Table::CloudHeads);
    let network = &bed.network;
    let bsd = (network.keys.bsd.name.clone(), network.keys.bsd.key.clone());
    let (genesis, validators) = (network.keys.genesis.clone(), network.keys.validators.clone());
    let auditor =
        Auditor::new(&RULES, bed.now(), genesis, validators, network.keys.cloud.clone(), bsd).unwrap();
    let public = PublicRecord {
        blocks: &blocks,
        leaves: &leaves,
        cloud_heads: &cloud_heads,
        entries: &entries,
        audit_heads: &audit_heads,
    };
    bed.network.store.read(|store| recover(&RULES, store, &network.keys.cloud)).unwrap();
    audit(auditor, &public).unwrap()
}

#[test]
fn a_record_is_shared_revoked_and_erased() {
    let mut bed = Testbed::new(RULES, 4);
    let cast = bed.network.keys.roster.clone();
    let (doctor, colleague, assistant) = (&cast.doctor, &cast.colleague, &cast.assistant);

    // What was granted at submission is read; what was not is not.
    let tid = bed.commit(doctor, sample(RECORD), std::slice::from_ref(colleague));
    assert_eq!(bed.read(doctor, tid), record());
    assert_eq!(bed.read(colleague, tid), record());
    assert_eq!(bed.read(assistant, tid), refusal(Clause::ReaderIsGranted));

    // A grant later on, its end, and another one.
    assert_eq!(bed.ask(doctor, |user, now| user.grant(now, tid, assistant)), Answer::Done);
    assert_eq!(bed.read(assistant, tid), record());
    assert_eq!(bed.ask(doctor, |user, now| user.revoke(now, tid, assistant)), Answer::Done);
    assert_eq!(bed.read(assistant, tid), refusal(Clause::ReaderIsGranted));
    assert_eq!(bed.read(colleague, tid), record());
    assert_eq!(bed.ask(doctor, |user, now| user.grant(now, tid, assistant)), Answer::Done);
    assert_eq!(bed.read(assistant, tid), record());

    // Erasure takes two.
    let other = bed.commit(doctor, sample("Condition-f201"), &[]);
    let now = bed.now();
    let body = bed.network.user(doctor).unwrap().erasure(now, tid);
    let alone = bed.network.user(doctor).unwrap().approve(&body);
    let one = vec![alone.clone()];
    assert_eq!(
        bed.ask(doctor, |user, now| user.erase(now, body.clone(), one)),
        refusal(Clause::ErasureByAuthority)
    );
    assert_eq!(bed.read(doctor, tid), record());
    let second = bed.network.user(&cast.administrators[1]).unwrap().approve(&body);
    let both = vec![alone, second];
    let blob = bed.network.store.read(|store| store.blob(&tid)).unwrap().unwrap();
    let key = bed.network.store.read(|store| store.vault_key(&tid)).unwrap().unwrap();
    assert!(key.open(&ONE_NONCE, tid.as_bytes(), &blob).is_some());
    assert_eq!(bed.ask(doctor, |user, now| user.erase(now, body.clone(), both)), Answer::Done);
    for reader in [doctor, colleague, assistant] {
        assert_eq!(bed.read(reader, tid), refusal(Clause::ErasedStaysErased));
    }
    assert_eq!(
        bed.ask(doctor, |user, now| user.grant(now, tid, assistant)),
        refusal(Clause::ErasedStaysErased)
    );

    // Nothing in the store opens any more, and every proof holds: of the log that goes on, and to the auditor.
    let gone = |table| bed.network.store.read(|store| store.scan(table, tid.as_bytes(), 1)).unwrap();
    assert!(bed.network.store.read(|store| store.vault_key(&tid)).unwrap().is_none());
    assert!(bed.network.store.read(|store| store.blob(&tid)).unwrap().is_none());
    assert!(gone(Table::Grants).iter().all(|(key, _)| !key.starts_with(tid.as_bytes())));
    assert_eq!(bed.read(doctor, other), Answer::Record(sample("Condition-f201").to_vec().into()));
    bed.run_for(30_000);
    let report = audited(&bed);
    assert_eq!((report.records, report.erased, report.committed), (1, 1, 2));
    assert_eq!((report.leaves, report.leaves_anchored), (6, 6));
}

// The cloud.

/// The doctor's record, stored by the cloud, which the colleague may read too.
fn shared(bed: &mut Testbed) -> Digest {
    let colleague = bed.network.keys.roster.colleague.clone();
    bed.stored(sample(RECORD), &[colleague])
}

fn to_cloud(bed: &mut Testbed, who: &Name, message: Message) -> Reply {
    let cloud = bed.network.keys.roster.cloud.clone();
    let heard = bed.send(who, &cloud, message.clone());
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

fn reads(bed: &mut Testbed, who: &Name, tid: Digest) -> Reply {
    to_cloud(bed, who, Message::ReadRequest(request(tid)))
}

/// A grant of the doctor's to `reader`, changed before it is signed.
fn grant(bed: &mut Testbed, tid: Digest, reader: &Name, change: impl FnOnce(&mut GrantBody)) -> Grant {
    let cast = bed.network.keys.roster.clone();
    let reader = bed.network.keys.directory.get(reader).unwrap().clone();
    let mut body = GrantBody {
        version: PROTOCOL_VERSION,
        suite: Suite::Tiny,
        tid,
        owner: cast.doctor.clone(),
        cloud: cast.cloud.clone(),
        key: wrap(&RULES, &mut bed.rng, &tid, &reader, &[9; 32]),
        issued: bed.now(),
    };
    change(&mut body);
    let signature = bed.sign(&cast.doctor, Domain::GRANT, &encode(&body));
    Grant { body, signature, reader: reader.certificate().clone() }
}

fn revoke(bed: &Testbed, tid: Digest, reader: &Name, change: impl FnOnce(&mut RevokeBody)) -> Revoke {
    let cast = &bed.network.keys.roster;
    let mut body = RevokeBody {
        version: PROTOCOL_VERSION,
        suite: Suite::Tiny,
        tid,
        owner: cast.doctor.clone(),
        cloud: cast.cloud.clone(),
        reader: reader.clone(),
        issued: bed.now(),
    };
    change(&mut body);
    let signature = bed.sign(&cast.doctor, Domain::REVOKE, &encode(&body));
    Revoke { body, signature }
}

fn erase(bed: &Testbed, tid: Digest, by: &[&Name], change: impl FnOnce(&mut EraseBody)) -> Erase {
    let cloud = bed.network.keys.roster.cloud.clone();
    let mut body = EraseBody { version: PROTOCOL_VERSION, suite: Suite::Tiny, tid, cloud, issued: bed.now() };
    change(&mut body);
    let approve = |who: &&Name| EraseApproval {
        authority: bed.network.keys.credentials[*who].certified().certificate().clone(),
        signature: bed.sign(who, Domain::ERASE, &encode(&body)),
    };
    let approvals: Vec<EraseApproval> = by.iter().map(approve).collect();
    Erase { body, approvals: approvals.into() }
}

/// The owner sends a grant to the assistant.
fn granted(bed: &mut Testbed, change: impl FnOnce(&mut GrantBody)) -> Reply {
    let (doctor, assistant) =
        (bed.network.keys.roster.doctor.clone(), bed.network.keys.roster.assistant.clone());
    let tid = shared(bed);
    let grant = grant(bed, tid, &assistant, change);
    to_cloud(bed, &doctor, Message::Grant(Box::new(grant)))
}

/// The owner ends the colleague's grant.
fn revoked(bed: &mut Testbed, change: impl FnOnce(&mut RevokeBody)) -> Reply {
    let (doctor, colleague) =
        (bed.network.keys.roster.doctor.clone(), bed.network.keys.roster.colleague.clone());
    let tid = shared(bed);
    let revoke = revoke(bed, tid, &colleague, change);
    to_cloud(bed, &doctor, Message::Revoke(revoke))
}

/// The first of them sends an erasure that they all approve.
fn erased(bed: &mut Testbed, by: &[&str], change: impl FnOnce(&mut EraseBody)) -> Reply {
    let tid = shared(bed);
    let by: Vec<Name> = by.iter().map(|who| name(who)).collect();
    let erase = erase(bed, tid, &by.iter().collect::<Vec<_>>(), change);
    to_cloud(bed, &by[0], Message::Erase(erase))
}

#[test]
fn the_cloud_goes_through_every_row_of_its_machine() {
    let mut bed = Testbed::new(RULES, 4);
    let cast = bed.network.keys.roster.clone();
    let state = |bed: &mut Testbed, tid| bed.network.cloud().unwrap().state_of(&tid);
    assert_eq!(state(&mut bed, stray_digest()), State::AwaitingValid);
    let tid = shared(&mut bed);
    assert_eq!(state(&mut bed, tid), State::Stored);
    let heard = reads(&mut bed, &cast.colleague, tid);
    heard.assert_accepted();
    assert!(heard.unchanged && matches!(heard.answers.as_slice(), [Message::ReadResponse(_)]));
    let statements = [
        Message::Grant(Box::new(grant(&mut bed, tid, &cast.assistant, |_| ()))),
        Message::Revoke(revoke(&bed, tid, &cast.assistant, |_| ())),
        Message::Erase(erase(&bed, tid, &[&cast.doctor, &cast.administrators[0]], |_| ())),
    ];
    for (statement, after) in statements.into_iter().zip([State::Stored, State::Stored, State::Erased]) {
        let heard = to_cloud(&mut bed, &cast.doctor, statement.clone());
        heard.assert_accepted();
        let done = RequestOutcome {
            request: statement.request().unwrap(),
            tid,
            decision: Decision::Committed,
            reason: bemr::wire::Reason::NONE,
        };
        assert_eq!(heard.answers, [Message::Answer(done)]);
        let head = heard.step.outputs().any(|output| matches!(output, Output::Publish(Gossip::CloudHead(_))));
        assert!(head && !heard.unchanged);
        assert_eq!(state(&mut bed, tid), after);
    }
    reads(&mut bed, &cast.colleague, tid).assert_refused(Clause::ErasedStaysErased);
}

#[test]
fn nobody_reads_shares_or_erases_what_is_not_there() {
    refused(Clause::LeafIsIncluded, |bed| {
        let doctor = bed.network.keys.roster.doctor.clone();
        reads(bed, &doctor, stray_digest())
    });
    refused(Clause::LeafIsIncluded, |bed| granted(bed, |body| body.tid = stray_digest()));
    refused(Clause::LeafIsIncluded, |bed| revoked(bed, |body| body.tid = stray_digest()));
    refused(Clause::LeafIsIncluded, |bed| {
        erased(bed, &["dr-ada", "root-1"], |body| body.tid = stray_digest())
    });
}

#[test]
fn statements_are_of_this_version_and_suite() {
    refused_by(Clause::ProtocolVersionIsOne, |bed| granted(bed, |body| body.version = 2));
    refused_by(Clause::ProtocolVersionIsOne, |bed| revoked(bed, |body| body.version = 2));
    refused_by(Clause::ProtocolVersionIsOne, |bed| {
        erased(bed, &["dr-ada", "root-1"], |body| body.version = 2)
    });
    refused_by(Clause::SuiteMatches, |bed| granted(bed, |body| body.suite = Suite::Ristretto255));
    refused_by(Clause::SuiteMatches, |bed| revoked(bed, |body| body.suite = Suite::Ristretto255));
    refused_by(Clause::SuiteMatches, |bed| {
        erased(bed, &["dr-ada", "root-1"], |body| body.suite = Suite::Ristretto255)
    });
}

#[test]
fn who_holds_no_grant_reads_nothing() {
    refused_by(Clause::ReaderIsGranted, |bed| {
        let assistant = bed.network.keys.roster.assistant.clone();
        let tid = shared(bed);
        reads(bed, &assistant, tid)
    });
    // The grant of another record does not help.
    refused_by(Clause::ReaderIsGranted, |bed| {
        let assistant = bed.network.keys.roster.assistant.clone();
        bed.stored(sample("Condition-f201"), std::slice::from_ref(&assistant));
        let tid = shared(bed);
        reads(bed, &assistant, tid)
    });
}

/// `who` is no doctor any more, but an administrator of the same name.
fn promoted(bed: &mut Testbed, who: &Name) {
    let list = bed.revoked(who);
    bed.publish(&Gossip::RevocationList(list.clone()));
    bed.network.keys.trust.update(&RULES, list).unwrap();
    bed.enrol(who, Role::Administrator);
}

#[test]
fn a_role_that_may_not_read_reads_nothing_whatever_was_granted() {
    refused_by(Clause::RoleMayRead, |bed| {
        let colleague = bed.network.keys.roster.colleague.clone();
        let tid = shared(bed);
        promoted(bed, &colleague);
        reads(bed, &colleague, tid)
    });
    // CLD-09 stands behind it for administrators who hold no grant, and INI-11 for a grant to them.
    for (rules, clause) in
        [(RULES, Clause::RoleMayRead), (RULES.without(Clause::RoleMayRead), Clause::ReaderIsGranted)]
    {
        let mut bed = Testbed::new(rules, 4);
        let [administrator, _] = bed.network.keys.roster.administrators.clone();
        let tid = shared(&mut bed);
        reads(&mut bed, &administrator, tid).assert_refused(clause);
    }
    for (rules, clause) in [
        (RULES, Clause::RoleMayRead),
        (RULES.without(Clause::RoleMayRead), Clause::GrantsNameAuthorisedReaders),
    ] {
        let mut bed = Testbed::new(rules, 4);
        let cast = bed.network.keys.roster.clone();
        let tid = shared(&mut bed);
        let grant = grant(&mut bed, tid, &cast.administrators[0], |_| ());
        to_cloud(&mut bed, &cast.doctor, Message::Grant(Box::new(grant))).assert_refused(clause);
    }
}

#[test]
fn a_role_that_may_not_grant_grants_and_revokes_nothing() {
    // The owner became an administrator since.
    refused_by(Clause::RoleMayGrant, |bed| {
        let (doctor, assistant) =
            (bed.network.keys.roster.doctor.clone(), bed.network.keys.roster.assistant.clone());
        let tid = shared(bed);
        promoted(bed, &doctor);
        let grant = grant(bed, tid, &assistant, |_| ());
        to_cloud(bed, &doctor, Message::Grant(Box::new(grant)))
    });
    refused_by(Clause::RoleMayGrant, |bed| {
        let (doctor, colleague) =
            (bed.network.keys.roster.doctor.clone(), bed.network.keys.roster.colleague.clone());
        let tid = shared(bed);
        promoted(bed, &doctor);
        let revoke = revoke(bed, tid, &colleague, |_| ());
        to_cloud(bed, &doctor, Message::Revoke(revoke))
    });
}

#[test]
fn only_the_owner_shares_a_record() {
    let clause = Clause::GrantByOwner;
    refused_by(clause, |bed| granted(bed, |body| body.owner = name("dr-ben")));
    refused_by(clause, |bed| granted(bed, |body| body.cloud = name("cloud-2")));
    // Another sends what the owner signed.
    refused_by(clause, |bed| {
        let cast = bed.network.keys.roster.clone();
        let tid = shared(bed);
        let mut grant = grant(bed, tid, &cast.assistant, |_| ());
        grant.signature = bed.sign(&cast.colleague, Domain::GRANT, &encode(&grant.body));
        to_cloud(bed, &cast.colleague, Message::Grant(Box::new(grant)))
    });
    refused_by(clause, |bed| {
        let cast = bed.network.keys.roster.clone();
        let tid = shared(bed);
        let mut grant = grant(bed, tid, &cast.assistant, |_| ());
        grant.signature = bed.sign(&cast.doctor, Domain::REVOKE, &encode(&grant.body));
        to_cloud(bed, &cast.doctor, Message::Grant(Box::new(grant)))
    });
}

#[test]
fn a_grant_is_to_a_certified_reader_whom_the_contract_lets_read() {
    refused_by(Clause::CertificateSignedByKdc, |bed| {
        let cast = bed.network.keys.roster.clone();
        let tid = shared(bed);
        let mut grant = grant(bed, tid, &cast.assistant, |_| ());
        grant.reader.body.serial += 1000;
        to_cloud(bed, &cast.doctor, Message::Grant(Box::new(grant)))
    });
    refused_by(Clause::CertificateNotRevoked, |bed| {
        let cast = bed.network.keys.roster.clone();
        let tid = shared(bed);
        let grant = grant(bed, tid, &cast.assistant, |_| ());
        let list = bed.revoked(&cast.assistant);
        bed.publish(&Gossip::RevocationList(list));
        to_cloud(bed, &cast.doctor, Message::Grant(Box::new(grant)))
    });
    refused_by(Clause::SubjectIsClaimedPrincipal, |bed| {
        let colleague = bed.network.keys.roster.colleague.clone();
        granted(bed, |body| body.key.reader = colleague)
    });
    // A contract that lets assistants read nothing; the submission names it.
    refused_by(Clause::GrantsNameAuthorisedReaders, |bed| {
        let [first, second] = bed.network.keys.roster.administrators.clone();
        let height = bed.replica.next_height();
        let observation = name("observation");
        let all = bed.replica.policy.contracts_in_force(&observation, height);
        let mut strict = (*all.iter().find(|one| one.id.as_str() == "admission").unwrap()).clone();
        (strict.version.0, strict.effective, strict.readers) = (2, height, vec![Role::Doctor].into());
        let change = bemr::wire::PolicyChange {
            protocol: PROTOCOL_VERSION,
            network: bed.network.keys.genesis.network.clone(),
            templates: Vec::new().into(),
            contracts: vec![strict].into(),
        };
        let approved = bed.approved(change, &[&first, &second]);
        bed.publish(&Gossip::PolicyChange(approved.clone()));
        let (trust, directory, now) =
            (bed.network.keys.trust.clone(), bed.network.keys.directory.clone(), bed.now());
        bed.replica.on_policy_change(&RULES, now, &trust, &directory, &approved).unwrap();
        granted(bed, |_| ())
    });
}

#[test]
fn only_the_owner_ends_a_grant() {
    let clause = Clause::RevokeByOwner;
    refused_by(clause, |bed| revoked(bed, |body| body.owner = name("dr-ben")));
    refused_by(clause, |bed| revoked(bed, |body| body.cloud = name("cloud-2")));
    refused_by(clause, |bed| revoked(bed, |body| body.reader = name("dr-ada")));
    refused_by(clause, |bed| {
        let cast = bed.network.keys.roster.clone();
        let tid = shared(bed);
        let mut revoke = revoke(bed, tid, &cast.colleague, |_| ());
        revoke.signature = bed.sign(&cast.colleague, Domain::REVOKE, &encode(&revoke.body));
        to_cloud(bed, &cast.colleague, Message::Revoke(revoke))
    });
    refused_by(clause, |bed| {
        let cast = bed.network.keys.roster.clone();
        let tid = shared(bed);
        let mut revoke = revoke(bed, tid, &cast.colleague, |_| ());
        revoke.body.issued = revoke.body.issued.after(1);
        to_cloud(bed, &cast.doctor, Message::Revoke(revoke))
    });
    refused_by(Clause::ReaderIsGranted, |bed| revoked(bed, |body| body.reader = name("mia")));
}

#[test]
fn a_grant_that_was_held_back_does_not_undo_its_revocation() {
    let held_back = |bed: &mut Testbed| {
        let cast = bed.network.keys.roster.clone();
        let tid = shared(bed);
        let grant = grant(bed, tid, &cast.assistant, |_| ());
        let old = Message::Grant(Box::new(grant));
        to_cloud(bed, &cast.doctor, old.clone()).assert_accepted();
        let revoke = revoke(bed, tid, &cast.assistant, |_| ());
        to_cloud(bed, &cast.doctor, Message::Revoke(revoke)).assert_accepted();
        to_cloud(bed, &cast.doctor, old)
    };
    refused_by(Clause::StatementAdvances, held_back);
}

#[test]
fn a_revocation_that_comes_again_is_answered_again_and_ends_no_later_grant() {
    let again = |bed: &mut Testbed| {
        let cast = bed.network.keys.roster.clone();
        let tid = shared(bed);
        let revoke = revoke(bed, tid, &cast.colleague, |_| ());
        let old = Message::Revoke(revoke);
        to_cloud(bed, &cast.doctor, old.clone()).assert_accepted();
        bed.later += 1;
        let grant = grant(bed, tid, &cast.colleague, |_| ());
        to_cloud(bed, &cast.doctor, Message::Grant(Box::new(grant))).assert_accepted();
        let heard = to_cloud(bed, &cast.doctor, old);
        if heard.step.verdict() == Verdict::Ignore {
            assert!(
                matches!(&heard.answers[..], [Message::Answer(answer)] if answer.decision == Decision::Committed)
            );
            reads(bed, &cast.colleague, tid).assert_accepted();
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
        refused_by(clause, |bed| erased(bed, by, |_| ()));
    }
    // Not by who is neither owner nor administrator, nor without an administrator.
    for by in [&["dr-ben", "root-1"][..], &["root-1", "dr-ben"], &["dr-ada", "dr-ben"]] {
        refused_by(clause, |bed| erased(bed, by, |_| ()));
    }
    refused_by(clause, |bed| erased(bed, &["dr-ada", "root-1"], |body| body.cloud = name("cloud-2")));
    // Nobody approved anything.
    refused_by(clause, |bed| {
        let [administrator, _] = bed.network.keys.roster.administrators.clone();
        let tid = shared(bed);
        let erase = erase(bed, tid, &[], |_| ());
        to_cloud(bed, &administrator, Message::Erase(erase))
    });
    // Two approve, and a third sends it.
    refused_by(clause, |bed| {
        let cast = bed.network.keys.roster.clone();
        let tid = shared(bed);
        let erase = erase(bed, tid, &[&cast.administrators[0], &cast.administrators[1]], |_| ());
        to_cloud(bed, &cast.doctor, Message::Erase(erase))
    });
    // An approval of something else.
    refused_by(clause, |bed| {
        let cast = bed.network.keys.roster.clone();
        let tid = shared(bed);
        let mut erase = erase(bed, tid, &[&cast.doctor, &cast.administrators[0]], |_| ());
        erase.body.issued = erase.body.issued.after(1);
        to_cloud(bed, &cast.doctor, Message::Erase(erase))
    });
    for by in [["dr-ada", "root-2"], ["root-1", "dr-ada"], ["root-1", "root-2"]] {
        erased(&mut Testbed::new(RULES, 4), &by, |_| ()).assert_accepted();
    }
}

#[test]
fn an_authority_that_was_revoked_erases_nothing() {
    refused_by(Clause::CertificateNotRevoked, |bed| {
        let cast = bed.network.keys.roster.clone();
        let tid = shared(bed);
        let erase = erase(bed, tid, &[&cast.doctor, &cast.administrators[0]], |_| ());
        let list = bed.revoked(&cast.administrators[0]);
        bed.publish(&Gossip::RevocationList(list));
        to_cloud(bed, &cast.doctor, Message::Erase(erase))
    });
    refused_by(Clause::CertificateSignedByKdc, |bed| {
        let cast = bed.network.keys.roster.clone();
        let tid = shared(bed);
        let mut erase = erase(bed, tid, &[&cast.doctor, &cast.administrators[0]], |_| ());
        let mut approvals = erase.approvals.as_slice().to_vec();
        approvals[1].authority.body.serial += 1000;
        erase.approvals = approvals.into();
        to_cloud(bed, &cast.doctor, Message::Erase(erase))
    });
}

#[test]
fn what_is_erased_is_read_shared_and_erased_no_more() {
    // The mutant of CLD-12 destroys nothing, and goes on as if nothing had happened.
    let gone = |bed: &mut Testbed| {
        let cast = bed.network.keys.roster.clone();
        let tid = shared(bed);
        let first = erase(bed, tid, &[&cast.doctor, &cast.administrators[0]], |_| ());
        to_cloud(bed, &cast.doctor, Message::Erase(first)).assert_accepted();
        tid
    };
    let clause = Clause::ErasedStaysErased;
    refused_by(clause, |bed| {
        let tid = gone(bed);
        let colleague = bed.network.keys.roster.colleague.clone();
        reads(bed, &colleague, tid)
    });
    refused_by(clause, |bed| {
        let tid = gone(bed);
        let (doctor, assistant) =
            (bed.network.keys.roster.doctor.clone(), bed.network.keys.roster.assistant.clone());
        let grant = grant(bed, tid, &assistant, |_| ());
        to_cloud(bed, &doctor, Message::Grant(Box::new(grant)))
    });
    refused_by(clause, |bed| {
        let tid = gone(bed);
        let (doctor, colleague) =
            (bed.network.keys.roster.doctor.clone(), bed.network.keys.roster.colleague.clone());
        let revoke = revoke(bed, tid, &colleague, |_| ());
        to_cloud(bed, &doctor, Message::Revoke(revoke))
    });
    refused_by(clause, |bed| {
        let tid = gone(bed);
        let [first, second] = bed.network.keys.roster.administrators.clone();
        let erase = erase(bed, tid, &[&first, &second], |_| ());
        to_cloud(bed, &first, Message::Erase(erase))
    });
    // The very erasure that was carried out is answered as before.
    let mut bed = Testbed::new(RULES, 4);
    let cast = bed.network.keys.roster.clone();
    let tid = shared(&mut bed);
    let same = Message::Erase(erase(&bed, tid, &[&cast.doctor, &cast.administrators[0]], |_| ()));
    let first = to_cloud(&mut bed, &cast.doctor, same.clone());
    let again = to_cloud(&mut bed, &cast.doctor, same);
    again.assert_refused(clause);
    assert_eq!(first.answers, again.answers);
}

#[test]
fn a_user_who_was_revoked_is_not_served() {
    refused_by(Clause::CertificateNotRevoked, |bed| {
        let colleague = bed.network.keys.roster.colleague.clone();
        let tid = shared(bed);
        reads(bed, &colleague, tid).assert_accepted();
        let list = bed.revoked(&colleague);
        bed.publish(&Gossip::RevocationList(list));
        reads(bed, &colleague, tid)
    });
}

#[test]
fn the_cloud_takes_no_other_message_of_a_user() {
    refused(Clause::MessageTypeIsExpected, |bed| {
        let colleague = bed.network.keys.roster.colleague.clone();
        let tid = shared(bed);
        let answer = RequestOutcome {
            request: [0; 32],
            tid,
            decision: Decision::Committed,
            reason: bemr::wire::Reason::NONE,
        };
        to_cloud(bed, &colleague, Message::Answer(answer))
    });
}

// The reader, and a cloud that lies.

/// The colleague asks for a record, and the liar, who has the cloud's keys, hears it.
fn asks(bed: &mut Testbed, tid: Digest) -> (RequestId, ReadRequest) {
    let (cloud, colleague) =
        (bed.network.keys.roster.cloud.clone(), bed.network.keys.roster.colleague.clone());
    let now = bed.now();
    let (id, outputs) = bed.network.user(&colleague).unwrap().read(now, tid).unwrap();
    let said = to_liar(bed, &cloud, &colleague, outputs);
    match said.as_slice() {
        [Message::ReadRequest(request)] => (id, request.clone()),
        other => panic!("{other:?}"),
    }
}

/// What the colleague sends reaches the liar: what was said.
fn to_liar(bed: &mut Testbed, liar: &Name, user: &Name, mut outputs: Vec<Output>) -> Vec<Message> {
    let now = bed.now();
    let mut said = Vec::new();
    while !outputs.is_empty() {
        let (replies, messages) = bed.receive(liar, user, &outputs);
        said.extend(messages);
        outputs = Vec::new();
        for reply in replies {
            let Output::Send { packet, .. } = reply else { continue };
            let step = bed.actor(user).handle(now, Input::Packet { from: liar.clone(), packet });
            outputs.extend(step.outputs().cloned());
        }
    }
    said
}

/// What the honest cloud answers to the colleague's request. The liar asked it with the colleague's keys.
fn honest(bed: &mut Testbed, request: &ReadRequest) -> ReadResponse {
    let colleague = bed.network.keys.roster.colleague.clone();
    let heard = to_cloud(bed, &colleague, Message::ReadRequest(request.clone()));
    match heard.answers.as_slice() {
        [Message::ReadResponse(response)] => (**response).clone(),
        other => panic!("{other:?}"),
    }
}

/// The liar answers the colleague.
fn answers(bed: &mut Testbed, response: ReadResponse) -> Reply {
    let (cloud, colleague) =
        (bed.network.keys.roster.cloud.clone(), bed.network.keys.roster.colleague.clone());
    bed.send(&cloud, &colleague, Message::ReadResponse(Box::new(response)))
}

/// The colleague reads the doctor's record, and the liar changes the honest answer.
fn lied(bed: &mut Testbed, change: impl FnOnce(&mut Testbed, &mut ReadResponse)) -> Reply {
    let tid = shared(bed);
    let (_, request) = asks(bed, tid);
    let mut response = honest(bed, &request);
    change(bed, &mut response);
    answers(bed, response)
}

/// A log of the liar's own: leaves of these contents, the last one of the record that is shown, and its newest head.
struct Fork {
    log: CloudLog,
    tree: MerkleTree,
    last: Option<CloudLeaf>,
}

impl Fork {
    fn new(bed: &Testbed) -> Fork {
        let (network, cloud) =
            (bed.network.keys.genesis.network.clone(), bed.network.keys.roster.cloud.clone());
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
    fn show(self, bed: &Testbed, response: &mut ReadResponse) -> Fork {
        let now = bed.now();
        let fork = self.leaf(LeafKind::Record, response.record.initial.tid, response.record.digest(), now);
        let key = bed.key(&bed.network.keys.roster.cloud);
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
    let mut bed = Testbed::new(RULES, 4);
    let tid = shared(&mut bed);
    let (id, request) = asks(&mut bed, tid);
    let response = honest(&mut bed, &request);
    let heard = answers(&mut bed, response.clone());
    heard.assert_accepted();
    assert!(!heard.unchanged);
    let colleague = bed.network.keys.roster.colleague.clone();
    assert_eq!(bed.network.user(&colleague).unwrap().answer(id), Some(&record()));
    // Once: there is no open request any more.
    answers(&mut bed, response).assert_refused(Clause::ReadAnswersRequest);
}

#[test]
fn an_answer_to_another_request_is_refused() {
    let clause = Clause::ReadAnswersRequest;
    refused_by(clause, |bed| lied(bed, |_, response| response.nonce = [8; 32]));
    // The former answer again, as if nothing had happened since.
    refused_by(clause, |bed| {
        let tid = shared(bed);
        let (_, request) = asks(bed, tid);
        let former = honest(bed, &request);
        answers(bed, former.clone()).assert_accepted();
        asks(bed, tid);
        answers(bed, former)
    });
    // Another record; without CLD-08 its leaf is not that of the record that was asked for.
    for (rules, clause) in [(RULES, clause), (RULES.without(clause), Clause::LeafIsIncluded)] {
        let mut bed = Testbed::new(rules, 4);
        let colleague = bed.network.keys.roster.colleague.clone();
        let other = bed.stored(sample("Condition-f201"), &[colleague]);
        let tid = shared(&mut bed);
        let (_, request) = asks(&mut bed, tid);
        let response = honest(&mut bed, &ReadRequest { tid: other, ..request });
        answers(&mut bed, response).assert_refused(clause);
    }
}

#[test]
fn the_answer_to_one_statement_is_not_the_answer_to_the_next() {
    refused_by(Clause::ReadAnswersRequest, |bed| {
        let cast = bed.network.keys.roster.clone();
        let (doctor, cloud, assistant) = (&cast.doctor, &cast.cloud, &cast.assistant);
        let tid = bed.commit(doctor, sample(RECORD), &[]);
        let now = bed.now();
        let (_, outputs) = bed.network.user(doctor).unwrap().grant(now, tid, assistant).unwrap();
        let said = to_liar(bed, cloud, doctor, outputs);
        let request = said[0].request().unwrap();
        let done = Message::Answer(RequestOutcome {
            request,
            tid,
            decision: Decision::Committed,
            reason: bemr::wire::Reason::NONE,
        });
        bed.send(cloud, doctor, done.clone()).assert_accepted();
        let (id, outputs) = bed.network.user(doctor).unwrap().revoke(now, tid, assistant).unwrap();
        to_liar(bed, cloud, doctor, outputs);
        // A grant that was sent twice is answered twice; the revocation is not carried out by that.
        let heard = bed.send(cloud, doctor, done);
        let user = bed.network.user(doctor).unwrap();
        assert_eq!(user.awaits_answer(id), heard.step.outcome.is_err());
        heard
    });
}

#[test]
fn nobody_else_answers_for_the_cloud() {
    // A principal of another name whose role is cloud: the handshake is refused before it comes to HSK-02 here.
    let mut bed = Testbed::new(RULES, 4);
    let cast = bed.network.keys.roster.clone();
    let tid = shared(&mut bed);
    let now = bed.now();
    let (_, outputs) = bed.network.user(&cast.colleague).unwrap().read(now, tid).unwrap();
    bed.enrol(&name("cloud-2"), Role::Cloud);
    let (replies, _) = bed.receive(&name("cloud-2"), &cast.colleague, &[rename(&outputs[0], "cloud-2")]);
    let Output::Send { packet, .. } = &replies[0] else { panic!("{replies:?}") };
    let before = bed.actor(&cast.colleague).state();
    let step = bed
        .actor(&cast.colleague)
        .handle(now, Input::Packet { from: cast.cloud.clone(), packet: packet.clone() });
    assert_eq!(step.clause(), Some(Clause::PeerIsIntended));
    assert_eq!(bed.actor(&cast.colleague).state(), before);
}

fn rename(output: &Output, to: &str) -> Output {
    match output {
        Output::Send { label, packet, .. } => Output::Send { to: name(to), label, packet: packet.clone() },
        other => other.clone(),
    }
}

#[test]
fn the_bsd_cannot_answer_for_the_cloud() {
    // Its session carries another bed; the mutant of that lets the message through to HSK-02.
    for (rules, clause) in
        [(RULES, Clause::StageFitsSession), (RULES.without(Clause::StageFitsSession), Clause::PeerIsIntended)]
    {
        let mut bed = Testbed::new(rules, 4);
        let cast = bed.network.keys.roster.clone();
        let record = Record::read(&RULES, sample(RECORD)).unwrap();
        let now = bed.now();
        let (tid, outputs) = bed.network.user(&cast.colleague).unwrap().submit(now, &record, &[]).unwrap();
        to_liar(&mut bed, &cast.bsd, &cast.colleague, outputs);
        bed.context(&cast.bsd).rules = RULES.without(Clause::StageFitsSession);
        let answer = RequestOutcome {
            request: [0; 32],
            tid,
            decision: Decision::Committed,
            reason: bemr::wire::Reason::NONE,
        };
        bed.send(&cast.bsd, &cast.colleague, Message::Answer(answer)).assert_refused(clause);
    }
}

#[test]
fn a_head_that_the_cloud_did_not_sign_is_refused() {
    refused_by(Clause::HeadSignedByCloud, |bed| {
        lied(bed, |bed, response| {
            let bsd = bed.network.keys.roster.bsd.clone();
            response.proof.head.signature =
                bed.sign(&bsd, Domain::CLOUD_HEAD, &encode(&response.proof.head.head));
        })
    });
    refused_by(Clause::HeadSignedByCloud, |bed| {
        lied(bed, |bed, response| {
            response.proof.head.head.network = name("pbn-2");
            let cloud = bed.network.keys.roster.cloud.clone();
            response.proof.head.signature =
                bed.sign(&cloud, Domain::CLOUD_HEAD, &encode(&response.proof.head.head));
        })
    });
}

#[test]
fn a_cloud_that_rolls_back_is_caught_by_who_remembers() {
    refused_by(Clause::HeadNotOlder, |bed| {
        let tid = shared(bed);
        let old = honest(bed, &request(tid));
        bed.later += 1_000;
        bed.stored(sample("Condition-f201"), &[]);
        let (_, request) = asks(bed, tid);
        let response = honest(bed, &request);
        let forward = response.proof.extends_remembered.clone();
        answers(bed, response).assert_accepted();
        // Before the second record there was one leaf.
        assert!(forward.path.as_slice().is_empty());
        let (_, request) = asks(bed, tid);
        let mut rolled = ReadResponse { nonce: request.nonce, ..old };
        let leaves: Vec<CloudLeaf> = all(bed, Table::Leaves);
        let tree: MerkleTree = leaves.iter().map(CloudLeaf::digest).collect::<Vec<_>>().iter().collect();
        rolled.proof.extends_remembered = tree.prove_consistency(1, 2).unwrap();
        answers(bed, rolled)
    });
}

#[test]
fn a_cloud_that_forks_its_log_is_caught_by_who_remembers() {
    let forked = |bed: &mut Testbed, others: u64| {
        let tid = shared(bed);
        bed.stored(sample("Condition-f201"), &[]);
        let (_, first) = asks(bed, tid);
        let response = honest(bed, &first);
        answers(bed, response).assert_accepted();
        // The liar hides what came after the record.
        let (_, request) = asks(bed, tid);
        let mut response = honest(bed, &request);
        let mut fork = Fork::new(bed);
        for _ in 0..others {
            fork = fork.leaf(LeafKind::Record, stray_digest(), stray_digest(), bed.now());
        }
        let fork = fork.show(bed, &mut response);
        if fork.log.size() > 2 {
            response.proof.extends_remembered = fork.tree.prove_consistency(2, fork.log.size()).unwrap();
        }
        answers(bed, response)
    };
    refused_by(Clause::LogIsAppendOnly, |bed| forked(bed, 1));
    refused_by(Clause::LogIsAppendOnly, |bed| forked(bed, 6));
}

#[test]
fn a_record_that_is_not_in_the_log_is_refused() {
    refused_by(Clause::LeafIsIncluded, |bed| {
        bed.stored(sample("Condition-f201"), &[]);
        lied(bed, |_, response| response.proof.inclusion.index = 0)
    });
    refused_by(Clause::LeafIsIncluded, |bed| lied(bed, |_, response| response.proof.leaf.time = Time(1)));
    // A leaf that is there, and tells of something else.
    refused_by(Clause::LeafIsIncluded, |bed| {
        lied(bed, |bed, response| {
            let mut other = response.clone();
            other.record.height.0 += 1;
            Fork::new(bed).show(bed, &mut other);
            response.proof = other.proof;
        })
    });
    refused_by(Clause::LeafIsIncluded, |bed| {
        lied(bed, |bed, response| {
            let (tid, content) = (response.record.initial.tid, response.record.digest());
            let fork = Fork::new(bed).leaf(LeafKind::Erase, tid, content, bed.now());
            response.proof.head = fork.log.sign(&RULES, &bed.key(&bed.network.keys.roster.cloud), bed.now());
            response.proof.leaf = fork.last.clone().unwrap();
            response.proof.inclusion = fork.tree.prove_inclusion(1, 0).unwrap();
        })
    });
}

/// The newest head of the cloud's log stands in a final block.
fn anchored(bed: &mut Testbed) {
    let head = bed.network.cloud().unwrap().head().unwrap().head.clone();
    let anchor =
        Anchor { kind: LogKind::Cloud, keeper: head.cloud.clone(), size: head.size, head: head.digest() };
    bed.close(vec![Entry::Anchor(anchor)]);
}

#[test]
fn a_cloud_that_forks_its_log_is_caught_by_the_ledger() {
    // The reader has never seen a head of this cloud.
    refused_by(Clause::HeadIsAnchored, |bed| {
        lied(bed, |bed, response| {
            anchored(bed);
            let fork = Fork::new(bed).leaf(LeafKind::Record, stray_digest(), stray_digest(), bed.now());
            fork.show(bed, response);
        })
    });
    // The head is older than the anchor, though the record is there.
    refused_by(Clause::HeadIsAnchored, |bed| {
        lied(bed, |bed, response| {
            bed.stored(sample("Condition-f201"), &[]);
            anchored(bed);
            response.proof.anchored = Some(bed.network.cloud().unwrap().head().unwrap().head.clone());
        })
    });
    let mut bed = Testbed::new(RULES, 4);
    let tid = shared(&mut bed);
    anchored(&mut bed);
    bed.stored(sample("Condition-f201"), &[]);
    let (_, request) = asks(&mut bed, tid);
    let response = honest(&mut bed, &request);
    assert_eq!(response.proof.anchored.as_ref().map(|head| head.size), Some(1));
    answers(&mut bed, response).assert_accepted();
}

#[test]
fn the_owners_certificate_is_the_kdcs_theirs_and_not_revoked() {
    // The liar logs what it shows.
    let shown = |bed: &mut Testbed, change: &dyn Fn(&mut Testbed, &mut ReadResponse)| {
        lied(bed, |bed, response| {
            change(bed, response);
            Fork::new(bed).show(bed, response);
        })
    };
    refused_by(Clause::CertificateSignedByKdc, |bed| {
        shown(bed, &|_, response| response.record.user.body.serial += 1000)
    });
    refused_by(Clause::SubjectIsClaimedPrincipal, |bed| {
        shown(bed, &|bed, response| {
            let assistant = bed.network.keys.roster.assistant.clone();
            response.record.user = bed.network.keys.credentials[&assistant].certified().certificate().clone();
            let message = encode(&response.record.initial);
            response.record.user_signature = bed.sign(&assistant, Domain::T_INITIAL, &message);
        })
    });
    refused_by(Clause::CertificateNotRevoked, |bed| {
        lied(bed, |bed, _| {
            let doctor = bed.network.keys.roster.doctor.clone();
            let list = bed.revoked(&doctor);
            bed.publish(&Gossip::RevocationList(list));
        })
    });
}

#[test]
fn a_record_that_its_owner_did_not_sign_is_refused() {
    let clause = Clause::ReadMatchesSigned;
    refused_by(clause, |bed| {
        lied(bed, |bed, response| {
            let cloud = bed.network.keys.roster.cloud.clone();
            response.record.user_signature =
                bed.sign(&cloud, Domain::T_INITIAL, &encode(&response.record.initial));
            Fork::new(bed).show(bed, response);
        })
    });
    // A header that the owner did not write.
    refused_by(clause, |bed| {
        lied(bed, |bed, response| {
            response.record.initial.patient = name("Patient/another");
            Fork::new(bed).show(bed, response);
        })
    });
    // Another ciphertext: AED-01 stands behind CLD-14, and for a colleague who conspires CLD-15.
    for (rules, clause) in [(RULES, clause), (RULES.without(clause), Clause::TagVerifiedBeforeUse)] {
        let mut bed = Testbed::new(rules, 4);
        let heard = lied(&mut bed, |_, response| {
            let mut tampered = response.ciphertext.as_slice().to_vec();
            tampered[20] ^= 1;
            response.ciphertext = tampered.into();
        });
        heard.assert_refused(clause);
    }
    // Who has the record's key can make another ciphertext that opens.
    refused_by(clause, |bed| {
        lied(bed, |bed, response| {
            let colleague = bed.network.keys.credentials[&bed.network.keys.roster.colleague].clone();
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
    refused(Clause::TagVerifiedBeforeUse, |bed| {
        let colleague = bed.network.keys.roster.colleague.clone();
        let other = bed.stored(sample("Condition-f201"), &[colleague]);
        let key = honest(bed, &request(other)).key;
        lied(bed, |_, response| response.key = key)
    });
    refused(Clause::ElementInRange, |bed| {
        lied(bed, |_, response| {
            let length = response.key.encapsulation.as_slice().len();
            response.key.encapsulation = vec![0xff; length].into();
        })
    });
}

/// A submission in which the ciphertext is that of another record than the one that the commitments tell of.
fn conspired(bed: &mut Testbed) -> Digest {
    let cast = bed.network.keys.roster.clone();
    let mut initial: TInitial =
        bed.initial(&cast.doctor, sample(RECORD), std::slice::from_ref(&cast.colleague));
    // Judged: the sound record. Stored: one that no contract would let pass.
    let judged = bed.block(&initial);
    let header = &mut initial.header;
    let context = record_context(&header.user, &header.nonce);
    let key = AeadKey::from_bytes(initial.record_key);
    initial.ciphertext = key.seal(&ONE_NONCE, &context, sample("broken-impossible-heart-rate")).into();
    header.ciphertext = Digest::of(Domain::CIPHERTEXT, initial.ciphertext.as_slice());
    header.tid = transaction_id(&header.user, &header.nonce, &header.ciphertext);
    let mut grants = Vec::new();
    for reader in [&cast.doctor, &cast.colleague] {
        let reader = bed.network.keys.directory.get(reader).unwrap().clone();
        grants.push(wrap(&RULES, &mut bed.rng, &header.tid, &reader, &initial.record_key));
    }
    initial.grants = grants.into();
    header.grants = bemr::actors::initial_builder::grants_digest(&initial.grants);
    let message = encode(header);
    initial.signature = bed.sign(&cast.doctor, Domain::T_INITIAL, &message);
    let mut block = judged;
    block.initial = initial.header.clone();
    block.user_signature = initial.signature.clone();
    block.body.tid = initial.header.tid;
    block.body.initial = Digest::of(Domain::T_INITIAL, &message);
    bed.sign_block(&mut block);
    // The honest validators find nothing wrong.
    for validator in &cast.validators {
        let heard = bed.send(&cast.bsd, validator, Message::TBlock(Box::new(block.clone())));
        assert!(matches!(&heard.answers[..], [Message::Vote(vote)] if vote.body.reason == 0));
    }
    let certificate = bed.certificate(&block, bemr::wire::Ballot::True, 0);
    let valid = bed.valid_with(&initial, &block, certificate);
    bed.store(&valid).assert_accepted();
    valid.body.tid
}

#[test]
fn a_submitter_and_a_bsd_who_conspire_are_caught_by_who_reads() {
    refused_by(Clause::ReadMatchesCommitments, |bed| {
        let tid = conspired(bed);
        let (_, request) = asks(bed, tid);
        let response = honest(bed, &request);
        answers(bed, response)
    });
    // The record does say something else than what was judged.
    let template = |bed: &Testbed| {
        let height = bed.replica.next_height();
        bed.replica.policy.template_for("Observation", height).unwrap().clone()
    };
    let bed = Testbed::new(RULES, 4);
    let committed = |file| {
        let record = Record::read(&RULES, sample(file)).unwrap();
        commitments(&[7; 32], &template(&bed), &map(&RULES, &template(&bed), &record).unwrap())
    };
    assert_ne!(committed(RECORD), committed("broken-impossible-heart-rate"));
}

// What a user does who waits for the cloud.

/// A user whose cloud answers nothing, and what they send when they wake.
fn wakes(bed: &mut Testbed, who: &Name, after: u64) -> (&'static str, Vec<Output>) {
    bed.later += after;
    let now = bed.now();
    let step = bed.actor(who).handle(now, Input::Wake);
    (step.event.name(), step.outputs().cloned().collect())
}

#[test]
fn a_user_asks_three_times_and_gives_up() {
    let asked = |rules: Rules| {
        let mut bed = Testbed::new(rules, 4);
        let (cloud, colleague) =
            (bed.network.keys.roster.cloud.clone(), bed.network.keys.roster.colleague.clone());
        let tid = shared(&mut bed);
        let (id, first) = asks(&mut bed, tid);
        for _ in 0..2 {
            let (event, outputs) = wakes(&mut bed, &colleague, constants::USER_ANSWER_MS);
            assert_eq!(event, "AnswerExpired");
            let said = to_liar(&mut bed, &cloud, &colleague, outputs);
            assert_eq!(said, [Message::ReadRequest(first.clone())]);
            assert!(bed.network.user(&colleague).unwrap().awaits_answer(id));
        }
        let (event, outputs) = wakes(&mut bed, &colleague, constants::USER_ANSWER_MS);
        assert_eq!(event, "AnswerExpired");
        (bed, id, first, !outputs.is_empty())
    };
    let (mut bed, id, first, more) = asked(RULES);
    let colleague = bed.network.keys.roster.colleague.clone();
    assert!(!more);
    let user = bed.network.user(&colleague).unwrap();
    assert!(!user.awaits_answer(id) && user.answer(id).is_none());
    // What comes too late is not taken.
    let late = honest(&mut bed, &first);
    answers(&mut bed, late).assert_refused(Clause::ReadAnswersRequest);
    // The mutant goes on asking.
    let (mut bed, id, _, more) = asked(RULES.without(Clause::FailoverIsBounded));
    assert!(more && bed.network.user(&colleague).unwrap().awaits_answer(id));
}

#[test]
fn an_answer_ends_the_waiting() {
    for (decision, reason, expected) in [
        (Decision::Committed, 0, Answer::Done),
        (Decision::Refused, Clause::ReaderIsGranted.code(), refusal(Clause::ReaderIsGranted)),
    ] {
        let mut bed = Testbed::new(RULES, 4);
        let (cloud, colleague) =
            (bed.network.keys.roster.cloud.clone(), bed.network.keys.roster.colleague.clone());
        let tid = shared(&mut bed);
        let (id, request) = asks(&mut bed, tid);
        let answer = RequestOutcome {
            request: request.nonce,
            tid,
            decision,
            reason: bemr::wire::Reason::from_code(reason),
        };
        bed.send(&cloud, &colleague, Message::Answer(answer.clone())).assert_accepted();
        assert_eq!(bed.network.user(&colleague).unwrap().answer(id), Some(&expected));
        assert_eq!(bed.network.user(&colleague).unwrap().wake(), None);
        bed.send(&cloud, &colleague, Message::Answer(answer)).assert_refused(Clause::ReadAnswersRequest);
    }
}

#[test]
fn two_reads_at_once_are_both_answered_though_the_log_grows() {
    let mut bed = Testbed::new(RULES, 4);
    let (cloud, colleague) =
        (bed.network.keys.roster.cloud.clone(), bed.network.keys.roster.colleague.clone());
    let tid = shared(&mut bed);
    let (first, earlier) = asks(&mut bed, tid);
    let (second, later) = asks(&mut bed, tid);
    let response = honest(&mut bed, &earlier);
    answers(&mut bed, response).assert_accepted();
    bed.stored(sample("Condition-f201"), &[]);
    // Both were sent by a reader who remembered nothing; one head later that is not what they remember.
    let response = honest(&mut bed, &later);
    answers(&mut bed, response).assert_refused(Clause::LogIsAppendOnly);
    let (_, outputs) = wakes(&mut bed, &colleague, constants::USER_ANSWER_MS);
    let said = to_liar(&mut bed, &cloud, &colleague, outputs);
    let [Message::ReadRequest(again)] = said.as_slice() else { panic!("{said:?}") };
    assert_eq!((again.nonce, again.remembered), (later.nonce, 1));
    let response = honest(&mut bed, again);
    answers(&mut bed, response).assert_accepted();
    let user = bed.network.user(&colleague).unwrap();
    assert_eq!((user.answer(first), user.answer(second)), (Some(&record()), Some(&record())));
}

#[test]
fn an_app_that_starts_again_awaits_no_answer_and_knows_none() {
    let mut bed = Testbed::new(RULES, 4);
    let doctor = bed.network.keys.roster.doctor.clone();
    let tid = bed.commit(&doctor, sample(RECORD), &[]);
    let read = |bed: &mut Testbed| bed.network.as_user(&doctor, |user, now| user.read(now, tid)).unwrap();
    let answered = read(&mut bed);
    bed.run_for(30_000);
    let open = read(&mut bed);
    let before = bed.network.user(&doctor).unwrap();
    assert!(before.answer(answered).is_some() && before.awaits_answer(open));
    let (bsd, cloud) = (bed.network.keys.roster.bsd.clone(), bed.network.keys.cloud.clone());
    let (fresh, again) = (bed.new_context(&doctor), bed.new_context(&doctor));
    let Some(Node::User(user)) = bed.network.node(&doctor) else { panic!("a user") };
    let after = std::mem::replace(&mut **user, User::new(fresh, bsd, cloud)).restart(again);
    assert!(after.answer(answered).is_none() && !after.awaits_answer(open));
}
