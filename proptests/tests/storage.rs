//! What the cloud makes of T_valid: every check refuses by its clause and changes nothing, every mutant of a clause lets
//! the same T_valid through, one record is stored once, and a cloud that restarts goes on.
#![allow(clippy::unwrap_used, reason = "helpers of tests stop at what is not as expected")]

use crate::common::{Heard, RULES, Stage, name, refused, refused_by, sample, stray_digest};
use bemr::actors::cloud::record_machine::State;
use bemr::actors::{Actor, Cloud};
use bemr::crypto::{Digest, Domain, Suite};
use bemr::store::{MemoryStore, RedbStore, recover, recover_ledger};
use bemr::transparency::{CloudLog, verify_head, verify_leaf};
use bemr::wire::{
    Ballot, BlockBody, Entry, Gossip, Height, InclusionProof, InitialHeader, LeafKind, Message,
    QuorumCertificate, Receipt, Role, Signatory, StoredRecord, TInitial, TValid, Time, WrappedKey, encode,
};
use bemr_lab::simulator::{NetworkConfig, Node};
use bemr_spec::{Clause, Verdict};

const RECORD: &str = "Observation-blood-pressure";

fn doctor(stage: &mut Stage) -> TInitial {
    let doctor = stage.town.cast.doctor.clone();
    stage.initial(&doctor, sample(RECORD), &[])
}

/// A T_valid of which `header` and `block` change what the user and the BSD sign of the submission.
fn signed(
    stage: &mut Stage,
    header: impl FnOnce(&mut InitialHeader),
    block: impl FnOnce(&mut BlockBody),
) -> TValid {
    let initial = doctor(stage);
    let block = stage.block_with(&initial, header, block);
    let certificate = stage.certificate(&block, Ballot::True, 0);
    stage.valid_with(&initial, &block, certificate)
}

/// A T_valid with another certificate, which stands in the ledger as far as the cloud's clauses let it.
fn certified(stage: &mut Stage, change: impl FnOnce(&mut Stage, &mut QuorumCertificate)) -> Heard {
    let initial = doctor(stage);
    let block = stage.block(&initial);
    let mut certificate = stage.certificate(&block, Ballot::True, 0);
    change(stage, &mut certificate);
    let valid = stage.valid_with(&initial, &block, certificate);
    stage.store(&valid)
}

/// A T_valid that is changed before the BSD signs it.
fn changed(stage: &mut Stage, change: impl FnOnce(&mut Stage, &mut TValid)) -> Heard {
    let mut valid = stage.valid(sample(RECORD), &[]);
    change(stage, &mut valid);
    stage.sign_valid(&mut valid);
    stage.store(&valid)
}

fn receipt(heard: &Heard) -> Receipt {
    match heard.answers.as_slice() {
        [Message::Receipt(receipt)] => receipt.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_accepted_record_is_stored_and_its_receipt_proves_it() {
    let mut stage = Stage::new(RULES);
    let valid = stage.valid(sample(RECORD), &[]);
    let tid = valid.body.tid;
    assert_eq!(stage.town.cloud().unwrap().state_of(&tid), State::AwaitingValid);
    let heard = stage.store(&valid);
    heard.assert_taken();
    assert!(!heard.unchanged);
    assert_eq!(stage.town.cloud().unwrap().state_of(&tid), State::Stored);
    let receipt = receipt(&heard);
    verify_head(&RULES, &stage.town.cloud, &receipt.head).unwrap();
    verify_leaf(&RULES, &receipt.head.head, &receipt.leaf, &receipt.inclusion).unwrap();
    assert_eq!((receipt.leaf.kind, receipt.leaf.tid), (LeafKind::Record, tid));
    assert_eq!(receipt.leaf.content, StoredRecord::of(&valid).digest());
    // Nothing of the record lies in the store but under its vault key.
    let blob = stage.archive.read(|store| store.blob(&tid)).unwrap().unwrap();
    let ciphertext = valid.ciphertext.as_slice();
    assert!(!blob.windows(32).any(|part| part == &ciphertext[..32]));
}

#[test]
fn a_repeated_t_valid_gets_the_receipt_that_was_given() {
    let repeated = |stage: &mut Stage| {
        let valid = stage.valid(sample(RECORD), &[]);
        let first = receipt(&stage.store(&valid));
        stage.later += 5_000;
        stage.stored(sample("Condition-f201"), &[]);
        let heard = stage.store(&valid);
        assert_eq!(heard.step.verdict() == Verdict::Ignore, receipt(&heard) == first);
        heard
    };
    // The mutant stores it a second time.
    refused_by(Clause::StoredOnce, repeated);
}

#[test]
fn version_and_suite_are_the_networks() {
    refused_by(Clause::ProtocolVersionIsOne, |stage| changed(stage, |_, valid| valid.body.version = 2));
    refused_by(Clause::ProtocolVersionIsOne, |stage| {
        let valid = signed(stage, |header| header.version = 2, |_| ());
        stage.store(&valid)
    });
    refused_by(Clause::SuiteMatches, |stage| {
        changed(stage, |_, valid| valid.body.suite = Suite::Ristretto255)
    });
    refused_by(Clause::SuiteMatches, |stage| {
        let valid = signed(stage, |_| (), |block| block.suite = Suite::Ristretto255);
        stage.store(&valid)
    });
}

#[test]
fn a_t_valid_that_the_bsd_did_not_sign_for_this_cloud_is_refused() {
    refused_by(Clause::BsdSignsValid, |stage| {
        let mut valid = stage.valid(sample(RECORD), &[]);
        valid.body.issued = Time(1);
        stage.store(&valid)
    });
    refused_by(Clause::BsdSignsValid, |stage| changed(stage, |_, valid| valid.body.cloud = name("cloud-2")));
    refused_by(Clause::BsdSignsValid, |stage| {
        let mut valid = signed(stage, |header| header.recipient = name("bsd-2"), |_| ());
        valid.body.bsd = name("bsd-2");
        stage.sign_valid(&mut valid);
        stage.store(&valid)
    });
}

#[test]
fn only_a_bsd_has_records_stored() {
    // The mutant of ROL-04 lets the validator in, which VAL-01 refuses then.
    for (rules, clause) in
        [(RULES, Clause::RoleFitsPlace), (RULES.without(Clause::RoleFitsPlace), Clause::BsdSignsValid)]
    {
        let mut stage = Stage::new(rules);
        let cast = stage.town.cast.clone();
        let mut valid = stage.valid(sample(RECORD), &[]);
        let validator = &cast.validators[1];
        valid.body.bsd = validator.clone();
        valid.signature = stage.sign(validator, Domain::T_VALID, &encode(&valid.body));
        stage.context(validator).rules = RULES.without(Clause::RoleFitsPlace);
        stage.say(validator, &cast.cloud, Message::TValid(Box::new(valid))).assert_refused(clause);
    }
}

#[test]
fn the_submitters_certificate_is_the_kdcs_and_theirs() {
    refused_by(Clause::CertificateSignedByKdc, |stage| {
        changed(stage, |_, valid| valid.user.body.serial += 1000)
    });
    refused_by(Clause::SubjectIsClaimedPrincipal, |stage| {
        changed(stage, |stage, valid| {
            let colleague = stage.town.cast.colleague.clone();
            valid.user = stage.town.credentials[&colleague].certified().certificate().clone();
            valid.user_signature = stage.sign(&colleague, Domain::T_INITIAL, &encode(&valid.initial));
        })
    });
}

#[test]
fn a_submitter_who_was_revoked_since_is_refused() {
    let attack = |stage: &mut Stage| {
        let valid = stage.valid(sample(RECORD), &[]);
        let list = stage.revoked(&valid.initial.user);
        stage.publish(&Gossip::RevocationList(list));
        stage.store(&valid)
    };
    refused_by(Clause::CertificateNotRevoked, attack);
}

/// A T_valid that arrives ten years later, an hour after the submitter's certificate came to its end; `issued` says
/// how long before the end the header was issued. The others have new certificates.
fn after_ten_years(stage: &mut Stage, issued: u64) -> Heard {
    let cast = stage.town.cast.clone();
    let end = stage.town.credentials[&cast.doctor].certified().certificate().body.not_after;
    stage.later = end.0 - stage.now().0 - issued;
    let list = stage.list();
    stage.publish(&Gossip::RevocationList(list.clone()));
    stage.town.trust.update(&RULES, list).unwrap();
    let initial = doctor(stage);
    let block = stage.block(&initial);
    let certificate = stage.certificate(&block, Ballot::True, 0);
    stage.later += issued + 3_600_000;
    stage.enrol(&cast.bsd, Role::Bsd);
    let valid = stage.valid_with(&initial, &block, certificate);
    // The cloud's own certificate is not what is tested here.
    stage.context(&cast.bsd).rules = RULES.without(Clause::CertificateWithinValidity);
    stage.store(&valid)
}

#[test]
fn a_certificate_that_expired_since_does_not_undo_a_submission() {
    after_ten_years(&mut Stage::new(RULES), 1).assert_taken();
    // It was not valid any more when the header was issued.
    refused_by(Clause::CertificateWithinValidity, |stage| after_ten_years(stage, 0));
}

#[test]
fn a_t_valid_without_the_users_signature_is_refused() {
    refused_by(Clause::ValidCarriesUserSignature, |stage| {
        changed(stage, |stage, valid| {
            let bsd = stage.town.cast.bsd.clone();
            valid.user_signature = stage.sign(&bsd, Domain::T_INITIAL, &encode(&valid.initial));
        })
    });
    // The BSD gives an accepted record another tid.
    refused_by(Clause::ValidCarriesUserSignature, |stage| {
        let initial = doctor(stage);
        let block = stage.block_with(&initial, |_| (), |body| body.tid = stray_digest());
        let certificate = stage.certificate(&block, Ballot::True, 0);
        let valid = stage.valid_with(&initial, &block, certificate);
        stage.store(&valid)
    });
}

#[test]
fn a_tid_of_the_users_choice_is_refused() {
    refused_by(Clause::TidIsDerived, |stage| {
        let valid = signed(stage, |header| header.tid = stray_digest(), |_| ());
        stage.store(&valid)
    });
}

#[test]
fn a_record_that_was_submitted_elsewhere_is_refused() {
    for change in [
        (|header: &mut InitialHeader| header.recipient = name("bsd-2")) as fn(&mut InitialHeader),
        |header| header.network = name("pbn-2"),
    ] {
        refused_by(Clause::InitialNamesRecipient, |stage| {
            let valid = signed(stage, change, |_| ());
            stage.store(&valid)
        });
    }
}

#[test]
fn the_acknowledgement_of_another_transaction_is_refused() {
    refused_by(Clause::AckAnswersThisBlock, |stage| {
        let accepted = stage.valid(sample("Condition-f201"), &[]);
        let initial = doctor(stage);
        let block = stage.block(&initial);
        let refused = stage.certificate(&block, Ballot::False, Clause::RangeRule.code());
        let mut valid = stage.valid_with(&initial, &block, refused);
        valid.acknowledgement = accepted.acknowledgement;
        valid.body.acknowledgement = accepted.body.acknowledgement;
        (valid.body.height, valid.body.header) = (accepted.body.height, accepted.body.header);
        stage.sign_valid(&mut valid);
        stage.store(&valid)
    });
}

#[test]
fn digests_of_t_valid_are_those_of_its_parts() {
    refused_by(Clause::AckAnswersThisBlock, |stage| {
        changed(stage, |_, valid| valid.body.block = stray_digest())
    });
    refused_by(Clause::AckAnswersThisBlock, |stage| {
        changed(stage, |_, valid| valid.body.acknowledgement = stray_digest())
    });
    // What the validators judged was another header of the same tid.
    refused_by(Clause::AckAnswersThisBlock, |stage| {
        let valid = signed(stage, |_| (), |body| body.initial = stray_digest());
        stage.store(&valid)
    });
    for change in [
        (|said: &mut QuorumCertificate| said.body.policy = stray_digest()) as fn(&mut QuorumCertificate),
        |said| said.body.height = Height(9),
        |said| said.body.block = stray_digest(),
    ] {
        refused_by(Clause::AckAnswersThisBlock, |stage| {
            certified(stage, |stage, certificate| {
                change(certificate);
                sign_votes(stage, certificate);
            })
        });
    }
}

/// The validators sign what a certificate says, all four of them.
fn sign_votes(stage: &Stage, certificate: &mut QuorumCertificate) {
    let message = encode(&certificate.body);
    let sign = |validator: &bemr::wire::Name| Signatory {
        validator: validator.clone(),
        signature: stage.sign(validator, Domain::VOTE, &message),
    };
    certificate.signatories = stage.town.cast.validators.iter().map(sign).collect::<Vec<_>>().into();
}

#[test]
fn what_the_network_rejected_is_not_stored() {
    refused_by(Clause::AckIsTrue, |stage| {
        certified(stage, |stage, certificate| {
            (certificate.body.ballot, certificate.body.reason) = (Ballot::False, Clause::RangeRule.code());
            sign_votes(stage, certificate);
        })
    });
}

#[test]
fn a_certificate_without_a_quorum_is_refused() {
    refused_by(Clause::MoreThanTwoThirds, |stage| {
        certified(stage, |_, certificate| {
            let two = certificate.signatories.as_slice()[..2].to_vec();
            certificate.signatories = two.into();
        })
    });
    refused_by(Clause::SignersAreDistinct, |stage| {
        certified(stage, |_, certificate| {
            let one = certificate.signatories.as_slice()[0].clone();
            certificate.signatories = vec![one; 3].into();
        })
    });
    refused_by(Clause::VoteSigned, |stage| {
        certified(stage, |_, certificate| {
            let mut signatories = certificate.signatories.as_slice().to_vec();
            signatories[1].signature = signatories[0].signature.clone();
            certificate.signatories = signatories.into();
        })
    });
    refused_by(Clause::VoterIsAdmitted, |stage| {
        certified(stage, |stage, certificate| {
            let doctor = stage.town.cast.doctor.clone();
            let signature = stage.sign(&doctor, Domain::VOTE, &encode(&certificate.body));
            let mut signatories = certificate.signatories.as_slice()[..3].to_vec();
            signatories.insert(0, Signatory { validator: doctor, signature });
            certificate.signatories = signatories.into();
        })
    });
    refused_by(Clause::VoterIsAdmitted, |stage| {
        certified(stage, |stage, certificate| {
            certificate.body.validators = stray_digest();
            sign_votes(stage, certificate);
        })
    });
}

#[test]
fn a_decision_that_is_not_in_the_clouds_ledger_is_refused() {
    refused_by(Clause::DecisionIsFinal, |stage| {
        changed(stage, |_, valid| valid.body.header = stray_digest())
    });
    refused_by(Clause::DecisionIsFinal, |stage| changed(stage, |_, valid| valid.body.height = Height(2)));
}

#[test]
fn a_decision_that_is_not_final_is_refused_until_it_is() {
    let early = |stage: &mut Stage| {
        let valid = stage.valid(sample(RECORD), &[]);
        (stage.store(&valid), valid)
    };
    let mut stage = Stage::by_work(RULES);
    let (heard, valid) = early(&mut stage);
    heard.assert_refused(Clause::DecisionIsFinal);
    for _ in 0..5 {
        stage.later += 2_000;
        stage.close(Vec::new());
        stage.store(&valid).assert_refused(Clause::DecisionIsFinal);
    }
    stage.later += 2_000;
    stage.close(Vec::new());
    stage.store(&valid).assert_taken();
    // Both clauses say so: VAL-05 to the cloud, LED-08 to whoever acts on a block.
    for clause in [Clause::DecisionIsFinal, Clause::ConfirmationsReached] {
        early(&mut Stage::by_work(RULES.without(clause))).0.assert_taken();
    }
}

#[test]
fn a_decision_stands_where_its_proof_says() {
    refused_by(Clause::EntryInclusionProven, |stage| {
        changed(stage, |_, valid| valid.inclusion = InclusionProof { index: 1, path: Vec::new().into() })
    });
    // The certificate stands in another block than the one named.
    refused_by(Clause::EntryInclusionProven, |stage| {
        let other = stage.valid(sample("Condition-f201"), &[]);
        changed(stage, |_, valid| {
            (valid.body.height, valid.body.header) = (other.body.height, other.body.header)
        })
    });
}

#[test]
fn a_t_valid_without_a_seal_is_refused() {
    refused_by(Clause::SealDigestIsCarried, |stage| {
        changed(stage, |_, valid| valid.body.seals = Digest::default())
    });
}

#[test]
fn another_ciphertext_than_the_one_signed_is_refused() {
    refused_by(Clause::CiphertextMatchesSigned, |stage| {
        changed(stage, |_, valid| {
            let mut other = valid.ciphertext.as_slice().to_vec();
            other[0] ^= 1;
            valid.ciphertext = other.into();
        })
    });
}

/// A T_valid whose wrapped keys are changed and signed by the user.
fn granted(stage: &mut Stage, change: impl FnOnce(&mut Stage, &mut Vec<WrappedKey>)) -> Heard {
    let colleague = stage.town.cast.colleague.clone();
    let doctor = stage.town.cast.doctor.clone();
    let mut initial = stage.initial(&doctor, sample(RECORD), &[colleague]);
    let honest = stage.block(&initial);
    let mut keys = initial.grants.as_slice().to_vec();
    change(stage, &mut keys);
    initial.grants = keys.into();
    let digest = bemr::actors::initial_builder::grants_digest(&initial.grants);
    let mut block = honest;
    block.initial.grants = digest;
    let message = encode(&block.initial);
    block.user_signature = stage.sign(&doctor, Domain::T_INITIAL, &message);
    block.body.initial = Digest::of(Domain::T_INITIAL, &message);
    stage.sign_block(&mut block);
    let certificate = stage.certificate(&block, Ballot::True, 0);
    let valid = stage.valid_with(&initial, &block, certificate);
    stage.store(&valid)
}

#[test]
fn first_readers_are_those_whom_the_submitter_signed_and_the_contract_lets_read() {
    granted(&mut Stage::new(RULES), |_, _| ()).assert_taken();
    let clause = Clause::GrantsNameAuthorisedReaders;
    refused_by(clause, |stage| {
        changed(stage, |_, valid| {
            let mut keys = valid.grants.as_slice().to_vec();
            keys[0].wrapped = vec![0; 48].into();
            valid.grants = keys.into();
        })
    });
    refused_by(clause, |stage| granted(stage, |_, keys| keys.reverse()));
    refused_by(clause, |stage| granted(stage, |_, keys| keys.push(keys[1].clone())));
    refused_by(clause, |stage| granted(stage, |_, keys| drop(keys.remove(0))));
    for reader in ["root-1", "bsd", "validator-001", "nobody"] {
        refused_by(clause, |stage| {
            granted(stage, |_, keys| {
                let key = WrappedKey { reader: name(reader), ..keys[1].clone() };
                keys.push(key);
                keys.sort_by(|a, b| a.reader.cmp(&b.reader));
            })
        });
    }
    refused_by(clause, |stage| {
        granted(stage, |stage, _| {
            let colleague = stage.town.cast.colleague.clone();
            let list = stage.revoked(&colleague);
            stage.publish(&Gossip::RevocationList(list));
        })
    });
}

#[test]
fn the_cloud_takes_no_other_message_of_a_bsd() {
    refused(Clause::MessageTypeIsExpected, |stage| {
        let cast = stage.town.cast.clone();
        let valid = stage.valid(sample(RECORD), &[]);
        let receipt = receipt(&stage.store(&valid));
        stage.say(&cast.bsd, &cast.cloud, Message::Receipt(receipt))
    });
}

#[test]
fn a_refused_t_valid_leaves_nothing_in_the_store() {
    let mut stage = Stage::new(RULES);
    let mut valid = stage.valid(sample(RECORD), &[]);
    let sound = valid.clone();
    valid.body.seals = Digest::default();
    stage.sign_valid(&mut valid);
    stage.store(&valid).assert_refused(Clause::SealDigestIsCarried);
    let tid = valid.body.tid;
    assert!(stage.archive.read(|store| store.blob(&tid)).unwrap().is_none());
    assert!(stage.archive.read(|store| store.vault_key(&tid)).unwrap().is_none());
    assert_eq!(stage.town.cloud().unwrap().state_of(&tid), State::AwaitingValid);
    // Nor does it stand in the way of the one that the network accepted.
    stage.store(&sound).assert_taken();
}

/// The cloud ends, and another process starts from what it kept.
fn restart(stage: &mut Stage) {
    let cast = stage.town.cast.clone();
    let identity = stage.town.cloud.clone();
    let genesis = stage.town.genesis.clone();
    let validators = stage.town.validators.clone();
    let now = stage.now();
    let recovered = stage.archive.read(|store| recover(&RULES, store, &identity)).unwrap();
    let ledger =
        stage.archive.read(|store| recover_ledger(&RULES, store, genesis, &validators, now)).unwrap();
    let mut office = stage.new_office(&cast.cloud);
    office.ledger_view.ledger = ledger;
    let log = CloudLog::new(Suite::Tiny, identity.network.clone(), cast.cloud, recovered.frontier);
    let cloud = Cloud::new(office, stage.archive.clone(), log).unwrap();
    stage.town.world.add(Node::Cloud(Box::new(cloud)));
}

#[test]
fn a_cloud_that_restarts_is_where_it_was() {
    let mut stage = Stage::new(RULES);
    let first = stage.valid(sample(RECORD), &[]);
    let given = receipt(&stage.store(&first));
    stage.stored(sample("Condition-f201"), &[]);
    let before = stage.town.cloud().unwrap().state();
    let head = stage.town.cloud().unwrap().head().cloned();
    restart(&mut stage);
    let cloud = stage.town.cloud().unwrap();
    assert_eq!((cloud.state(), cloud.head().cloned()), (before, head));
    assert_eq!(cloud.state_of(&first.body.tid), State::Stored);
    // Sessions are never durable: the BSD's old one is not known any more.
    stage.store(&first).assert_refused(Clause::SessionEstablished);
    let bsd = stage.town.cast.bsd.clone();
    stage.forget_office(&bsd);
    let heard = stage.store(&first);
    heard.assert_refused(Clause::StoredOnce);
    assert_eq!(receipt(&heard), given);
    let next = stage.valid(sample("Patient-example"), &[]);
    let receipt = receipt(&stage.store(&next));
    assert_eq!((receipt.leaf.sequence, receipt.head.head.size), (2, 3));
    verify_leaf(&RULES, &receipt.head.head, &receipt.leaf, &receipt.inclusion).unwrap();
}

#[test]
fn a_cloud_that_restarts_goes_on_for_peers_who_do_not_know() {
    let folder = tempfile::tempdir().unwrap();
    for on_disk in [false, true] {
        let archive = match on_disk {
            true => bemr::actors::StoreHandle::new(RedbStore::open(folder.path().join("store")).unwrap()),
            false => bemr::actors::StoreHandle::new(MemoryStore::new()),
        };
        let scenario = NetworkConfig { archive, ..NetworkConfig::new(Suite::Tiny, 4) };
        let mut stage = Stage::of(scenario);
        let cast = stage.town.cast.clone();
        let read = |stage: &mut Stage, tid| {
            let id = stage.town.by(&cast.doctor, |user, now| user.read(now, tid)).unwrap();
            stage.town.run_until(
                60_000,
                |_| (),
                |town| town.user(&cast.doctor).is_none_or(|user| !user.awaits_answer(id)),
            );
            stage.town.user(&cast.doctor).and_then(|user| user.answer(id)).cloned()
        };
        let record = |bytes: &[u8]| Some(bemr::actors::user::Answer::Record(bytes.to_vec().into()));
        let first = stage.submit(&cast.doctor, sample(RECORD), &[]);
        assert_eq!(read(&mut stage, first), record(sample(RECORD)));
        stage.run(10_000);
        restart(&mut stage);
        // User and BSD have sessions with a process that is gone.
        assert_eq!(read(&mut stage, first), record(sample(RECORD)));
        let second = stage.submit(&cast.doctor, sample("Condition-f201"), &[]);
        assert_eq!(read(&mut stage, second), record(sample("Condition-f201")));
    }
}

#[test]
fn an_erased_record_is_erased_after_a_restart_too() {
    let mut stage = Stage::new(RULES);
    let cast = stage.town.cast.clone();
    let valid = stage.valid(sample(RECORD), &[]);
    let given = receipt(&stage.store(&valid));
    let tid = valid.body.tid;
    let now = stage.now();
    let body = stage.town.user(&cast.doctor).unwrap().erasure(now, tid);
    let approve = |who| {
        stage.town.world.nodes().find_map(|(name, node)| match node {
            Node::User(user) if name == who => Some(user.approve(&body)),
            _ => None,
        })
    };
    let approvals = vec![approve(&cast.doctor).unwrap(), approve(&cast.administrators[0]).unwrap()];
    let erase = bemr::wire::Erase { body: body.clone(), approvals: approvals.into() };
    stage.say(&cast.doctor, &cast.cloud, Message::Erase(erase)).assert_taken();
    for _ in 0..2 {
        assert_eq!(stage.town.cloud().unwrap().state_of(&tid), State::Erased);
        let heard = stage.store(&valid);
        heard.assert_refused(Clause::StoredOnce);
        assert_eq!(receipt(&heard), given);
        restart(&mut stage);
        stage.forget_office(&cast.bsd);
    }
}

#[test]
fn a_cloud_with_a_store_of_its_own_keeps_the_blocks() {
    let mut stage = Stage::new(RULES);
    let valid = stage.valid(sample(RECORD), &[]);
    stage.close(vec![Entry::Anchor(bemr::wire::Anchor {
        kind: bemr::wire::LogKind::Cloud,
        keeper: stage.town.cast.cloud.clone(),
        size: 1,
        head: stray_digest(),
    })]);
    let kept = |height| stage.archive.read(|store| store.block(&RULES, height)).unwrap();
    assert_eq!(kept(valid.body.height).map(|block| block.header().digest()), Some(valid.body.header));
    assert!(kept(Height(2)).is_some() && kept(Height(3)).is_none());
}
