//! What the cloud makes of T_valid: every check refuses by its clause and changes nothing, every mutant of a clause lets
//! the same T_valid through, one record is stored once, and a cloud that restarts goes on.
#![allow(clippy::unwrap_used, reason = "helpers of tests stop at what is not as expected")]

use crate::testbed::{RULES, Reply, Testbed, name, refused, refused_by, sample, stray_digest};
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

fn doctor(bed: &mut Testbed) -> TInitial {
    let doctor = bed.network.keys.roster.doctor.clone();
    bed.initial(&doctor, sample(RECORD), &[])
}

/// A T_valid of which `header` and `block` change what the user and the BSD sign of the submission.
fn signed(
    bed: &mut Testbed,
    header: impl FnOnce(&mut InitialHeader),
    block: impl FnOnce(&mut BlockBody),
) -> TValid {
    let initial = doctor(bed);
    let block = bed.block_with(&initial, header, block);
    let certificate = bed.certificate(&block, Ballot::True, 0);
    bed.valid_with(&initial, &block, certificate)
}

/// A T_valid with another certificate, which stands in the ledger as far as the cloud's clauses let it.
fn certified(bed: &mut Testbed, change: impl FnOnce(&mut Testbed, &mut QuorumCertificate)) -> Reply {
    let initial = doctor(bed);
    let block = bed.block(&initial);
    let mut certificate = bed.certificate(&block, Ballot::True, 0);
    change(bed, &mut certificate);
    let valid = bed.valid_with(&initial, &block, certificate);
    bed.store(&valid)
}

/// A T_valid that is changed before the BSD signs it.
fn changed(bed: &mut Testbed, change: impl FnOnce(&mut Testbed, &mut TValid)) -> Reply {
    let mut valid = bed.valid(sample(RECORD), &[]);
    change(bed, &mut valid);
    bed.sign_valid(&mut valid);
    bed.store(&valid)
}

fn receipt(heard: &Reply) -> Receipt {
    match heard.answers.as_slice() {
        [Message::Receipt(receipt)] => receipt.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_accepted_record_is_stored_and_its_receipt_proves_it() {
    let mut bed = Testbed::new(RULES, 4);
    let valid = bed.valid(sample(RECORD), &[]);
    let tid = valid.body.tid;
    assert_eq!(bed.network.cloud().unwrap().state_of(&tid), State::AwaitingValid);
    let heard = bed.store(&valid);
    heard.assert_accepted();
    assert!(!heard.unchanged);
    assert_eq!(bed.network.cloud().unwrap().state_of(&tid), State::Stored);
    let receipt = receipt(&heard);
    verify_head(&RULES, &bed.network.keys.cloud, &receipt.head).unwrap();
    verify_leaf(&RULES, &receipt.head.head, &receipt.leaf, &receipt.inclusion).unwrap();
    assert_eq!((receipt.leaf.kind, receipt.leaf.tid), (LeafKind::Record, tid));
    assert_eq!(receipt.leaf.content, StoredRecord::of(&valid).digest());
    // Nothing of the record lies in the store but under its vault key.
    let blob = bed.network.store.read(|store| store.blob(&tid)).unwrap().unwrap();
    let ciphertext = valid.ciphertext.as_slice();
    assert!(!blob.windows(32).any(|part| part == &ciphertext[..32]));
}

#[test]
fn a_repeated_t_valid_gets_the_receipt_that_was_given() {
    let repeated = |bed: &mut Testbed| {
        let valid = bed.valid(sample(RECORD), &[]);
        let first = receipt(&bed.store(&valid));
        bed.later += 5_000;
        bed.stored(sample("Condition-f201"), &[]);
        let heard = bed.store(&valid);
        assert_eq!(heard.step.verdict() == Verdict::Ignore, receipt(&heard) == first);
        heard
    };
    // The mutant stores it a second time.
    refused_by(Clause::StoredOnce, repeated);
}

#[test]
fn version_and_suite_are_the_networks() {
    refused_by(Clause::ProtocolVersionIsOne, |bed| changed(bed, |_, valid| valid.body.version = 2));
    refused_by(Clause::ProtocolVersionIsOne, |bed| {
        let valid = signed(bed, |header| header.version = 2, |_| ());
        bed.store(&valid)
    });
    refused_by(Clause::SuiteMatches, |bed| changed(bed, |_, valid| valid.body.suite = Suite::Ristretto255));
    refused_by(Clause::SuiteMatches, |bed| {
        let valid = signed(bed, |_| (), |block| block.suite = Suite::Ristretto255);
        bed.store(&valid)
    });
}

#[test]
fn a_t_valid_that_the_bsd_did_not_sign_for_this_cloud_is_refused() {
    refused_by(Clause::BsdSignsValid, |bed| {
        let mut valid = bed.valid(sample(RECORD), &[]);
        valid.body.issued = Time(1);
        bed.store(&valid)
    });
    refused_by(Clause::BsdSignsValid, |bed| changed(bed, |_, valid| valid.body.cloud = name("cloud-2")));
    refused_by(Clause::BsdSignsValid, |bed| {
        let mut valid = signed(bed, |header| header.recipient = name("bsd-2"), |_| ());
        valid.body.bsd = name("bsd-2");
        bed.sign_valid(&mut valid);
        bed.store(&valid)
    });
}

#[test]
fn only_a_bsd_has_records_stored() {
    // The mutant of ROL-04 lets the validator in, which VAL-01 refuses then.
    for (rules, clause) in
        [(RULES, Clause::RoleFitsPlace), (RULES.without(Clause::RoleFitsPlace), Clause::BsdSignsValid)]
    {
        let mut bed = Testbed::new(rules, 4);
        let cast = bed.network.keys.roster.clone();
        let mut valid = bed.valid(sample(RECORD), &[]);
        let validator = &cast.validators[1];
        valid.body.bsd = validator.clone();
        valid.signature = bed.sign(validator, Domain::T_VALID, &encode(&valid.body));
        bed.context(validator).rules = RULES.without(Clause::RoleFitsPlace);
        bed.send(validator, &cast.cloud, Message::TValid(Box::new(valid))).assert_refused(clause);
    }
}

#[test]
fn the_submitters_certificate_is_the_kdcs_and_theirs() {
    refused_by(Clause::CertificateSignedByKdc, |bed| changed(bed, |_, valid| valid.user.body.serial += 1000));
    refused_by(Clause::SubjectIsClaimedPrincipal, |bed| {
        changed(bed, |bed, valid| {
            let colleague = bed.network.keys.roster.colleague.clone();
            valid.user = bed.network.keys.credentials[&colleague].certified().certificate().clone();
            valid.user_signature = bed.sign(&colleague, Domain::T_INITIAL, &encode(&valid.initial));
        })
    });
}

#[test]
fn a_submitter_who_was_revoked_since_is_refused() {
    let attack = |bed: &mut Testbed| {
        let valid = bed.valid(sample(RECORD), &[]);
        let list = bed.revoked(&valid.initial.user);
        bed.publish(&Gossip::RevocationList(list));
        bed.store(&valid)
    };
    refused_by(Clause::CertificateNotRevoked, attack);
}

/// A T_valid that arrives ten years later, an hour after the submitter's certificate came to its end; `issued` says
/// how long before the end the header was issued. The others have new certificates.
fn after_ten_years(bed: &mut Testbed, issued: u64) -> Reply {
    let cast = bed.network.keys.roster.clone();
    let end = bed.network.keys.credentials[&cast.doctor].certified().certificate().body.not_after;
    bed.later = end.0 - bed.now().0 - issued;
    let list = bed.list();
    bed.publish(&Gossip::RevocationList(list.clone()));
    bed.network.keys.trust.update(&RULES, list).unwrap();
    let initial = doctor(bed);
    let block = bed.block(&initial);
    let certificate = bed.certificate(&block, Ballot::True, 0);
    bed.later += issued + 3_600_000;
    bed.enrol(&cast.bsd, Role::Bsd);
    let valid = bed.valid_with(&initial, &block, certificate);
    // The cloud's own certificate is not what is tested here.
    bed.context(&cast.bsd).rules = RULES.without(Clause::CertificateWithinValidity);
    bed.store(&valid)
}

#[test]
fn a_certificate_that_expired_since_does_not_undo_a_submission() {
    after_ten_years(&mut Testbed::new(RULES, 4), 1).assert_accepted();
    // It was not valid any more when the header was issued.
    refused_by(Clause::CertificateWithinValidity, |bed| after_ten_years(bed, 0));
}

#[test]
fn a_t_valid_without_the_users_signature_is_refused() {
    refused_by(Clause::ValidCarriesUserSignature, |bed| {
        changed(bed, |bed, valid| {
            let bsd = bed.network.keys.roster.bsd.clone();
            valid.user_signature = bed.sign(&bsd, Domain::T_INITIAL, &encode(&valid.initial));
        })
    });
    // The BSD gives an accepted record another tid.
    refused_by(Clause::ValidCarriesUserSignature, |bed| {
        let initial = doctor(bed);
        let block = bed.block_with(&initial, |_| (), |body| body.tid = stray_digest());
        let certificate = bed.certificate(&block, Ballot::True, 0);
        let valid = bed.valid_with(&initial, &block, certificate);
        bed.store(&valid)
    });
}

#[test]
fn a_tid_of_the_users_choice_is_refused() {
    refused_by(Clause::TidIsDerived, |bed| {
        let valid = signed(bed, |header| header.tid = stray_digest(), |_| ());
        bed.store(&valid)
    });
}

#[test]
fn a_record_that_was_submitted_elsewhere_is_refused() {
    for change in [
        (|header: &mut InitialHeader| header.recipient = name("bsd-2")) as fn(&mut InitialHeader),
        |header| header.network = name("pbn-2"),
    ] {
        refused_by(Clause::InitialNamesRecipient, |bed| {
            let valid = signed(bed, change, |_| ());
            bed.store(&valid)
        });
    }
}

#[test]
fn the_acknowledgement_of_another_transaction_is_refused() {
    refused_by(Clause::AckAnswersThisBlock, |bed| {
        let accepted = bed.valid(sample("Condition-f201"), &[]);
        let initial = doctor(bed);
        let block = bed.block(&initial);
        let refused = bed.certificate(&block, Ballot::False, Clause::RangeRule.code());
        let mut valid = bed.valid_with(&initial, &block, refused);
        valid.acknowledgement = accepted.acknowledgement;
        valid.body.acknowledgement = accepted.body.acknowledgement;
        (valid.body.height, valid.body.header) = (accepted.body.height, accepted.body.header);
        bed.sign_valid(&mut valid);
        bed.store(&valid)
    });
}

#[test]
fn digests_of_t_valid_are_those_of_its_parts() {
    refused_by(Clause::AckAnswersThisBlock, |bed| changed(bed, |_, valid| valid.body.block = stray_digest()));
    refused_by(Clause::AckAnswersThisBlock, |bed| {
        changed(bed, |_, valid| valid.body.acknowledgement = stray_digest())
    });
    // What the validators judged was another header of the same tid.
    refused_by(Clause::AckAnswersThisBlock, |bed| {
        let valid = signed(bed, |_| (), |body| body.initial = stray_digest());
        bed.store(&valid)
    });
    for change in [
        (|said: &mut QuorumCertificate| said.body.policy = stray_digest()) as fn(&mut QuorumCertificate),
        |said| said.body.height = Height(9),
        |said| said.body.block = stray_digest(),
    ] {
        refused_by(Clause::AckAnswersThisBlock, |bed| {
            certified(bed, |bed, certificate| {
                change(certificate);
                sign_votes(bed, certificate);
            })
        });
    }
}

/// The validators sign what a certificate says, all four of them.
fn sign_votes(bed: &Testbed, certificate: &mut QuorumCertificate) {
    let message = encode(&certificate.body);
    let sign = |validator: &bemr::wire::Name| Signatory {
        validator: validator.clone(),
        signature: bed.sign(validator, Domain::VOTE, &message),
    };
    certificate.signatories = bed.network.keys.roster.validators.iter().map(sign).collect::<Vec<_>>().into();
}

#[test]
fn what_the_network_rejected_is_not_stored() {
    refused_by(Clause::AckIsTrue, |bed| {
        certified(bed, |bed, certificate| {
            (certificate.body.ballot, certificate.body.reason) = (Ballot::False, Clause::RangeRule.code());
            sign_votes(bed, certificate);
        })
    });
}

#[test]
fn a_certificate_without_a_quorum_is_refused() {
    refused_by(Clause::MoreThanTwoThirds, |bed| {
        certified(bed, |_, certificate| {
            let two = certificate.signatories.as_slice()[..2].to_vec();
            certificate.signatories = two.into();
        })
    });
    refused_by(Clause::SignersAreDistinct, |bed| {
        certified(bed, |_, certificate| {
            let one = certificate.signatories.as_slice()[0].clone();
            certificate.signatories = vec![one; 3].into();
        })
    });
    refused_by(Clause::VoteSigned, |bed| {
        certified(bed, |_, certificate| {
            let mut signatories = certificate.signatories.as_slice().to_vec();
            signatories[1].signature = signatories[0].signature.clone();
            certificate.signatories = signatories.into();
        })
    });
    refused_by(Clause::VoterIsAdmitted, |bed| {
        certified(bed, |bed, certificate| {
            let doctor = bed.network.keys.roster.doctor.clone();
            let signature = bed.sign(&doctor, Domain::VOTE, &encode(&certificate.body));
            let mut signatories = certificate.signatories.as_slice()[..3].to_vec();
            signatories.insert(0, Signatory { validator: doctor, signature });
            certificate.signatories = signatories.into();
        })
    });
    refused_by(Clause::VoterIsAdmitted, |bed| {
        certified(bed, |bed, certificate| {
            certificate.body.validators = stray_digest();
            sign_votes(bed, certificate);
        })
    });
}

#[test]
fn a_decision_that_is_not_in_the_clouds_ledger_is_refused() {
    refused_by(Clause::DecisionIsFinal, |bed| changed(bed, |_, valid| valid.body.header = stray_digest()));
    refused_by(Clause::DecisionIsFinal, |bed| changed(bed, |_, valid| valid.body.height = Height(2)));
}

#[test]
fn a_decision_that_is_not_final_is_refused_until_it_is() {
    let early = |bed: &mut Testbed| {
        let valid = bed.valid(sample(RECORD), &[]);
        (bed.store(&valid), valid)
    };
    let mut bed = Testbed::by_work(RULES);
    let (heard, valid) = early(&mut bed);
    heard.assert_refused(Clause::DecisionIsFinal);
    for _ in 0..5 {
        bed.later += 2_000;
        bed.close(Vec::new());
        bed.store(&valid).assert_refused(Clause::DecisionIsFinal);
    }
    bed.later += 2_000;
    bed.close(Vec::new());
    bed.store(&valid).assert_accepted();
    // Both clauses say so: VAL-05 to the cloud, LED-08 to whoever acts on a block.
    for clause in [Clause::DecisionIsFinal, Clause::ConfirmationsReached] {
        early(&mut Testbed::by_work(RULES.without(clause))).0.assert_accepted();
    }
}

#[test]
fn a_decision_stands_where_its_proof_says() {
    refused_by(Clause::EntryInclusionProven, |bed| {
        changed(bed, |_, valid| valid.inclusion = InclusionProof { index: 1, path: Vec::new().into() })
    });
    // The certificate stands in another block than the one named.
    refused_by(Clause::EntryInclusionProven, |bed| {
        let other = bed.valid(sample("Condition-f201"), &[]);
        changed(bed, |_, valid| {
            (valid.body.height, valid.body.header) = (other.body.height, other.body.header)
        })
    });
}

#[test]
fn a_t_valid_without_a_seal_is_refused() {
    refused_by(Clause::SealDigestIsCarried, |bed| {
        changed(bed, |_, valid| valid.body.seals = Digest::default())
    });
}

#[test]
fn another_ciphertext_than_the_one_signed_is_refused() {
    refused_by(Clause::CiphertextMatchesSigned, |bed| {
        changed(bed, |_, valid| {
            let mut other = valid.ciphertext.as_slice().to_vec();
            other[0] ^= 1;
            valid.ciphertext = other.into();
        })
    });
}

/// A T_valid whose wrapped keys are changed and signed by the user.
fn granted(bed: &mut Testbed, change: impl FnOnce(&mut Testbed, &mut Vec<WrappedKey>)) -> Reply {
    let colleague = bed.network.keys.roster.colleague.clone();
    let doctor = bed.network.keys.roster.doctor.clone();
    let mut initial = bed.initial(&doctor, sample(RECORD), &[colleague]);
    let honest = bed.block(&initial);
    let mut keys = initial.grants.as_slice().to_vec();
    change(bed, &mut keys);
    initial.grants = keys.into();
    let digest = bemr::actors::initial_builder::grants_digest(&initial.grants);
    let mut block = honest;
    block.initial.grants = digest;
    let message = encode(&block.initial);
    block.user_signature = bed.sign(&doctor, Domain::T_INITIAL, &message);
    block.body.initial = Digest::of(Domain::T_INITIAL, &message);
    bed.sign_block(&mut block);
    let certificate = bed.certificate(&block, Ballot::True, 0);
    let valid = bed.valid_with(&initial, &block, certificate);
    bed.store(&valid)
}

#[test]
fn first_readers_are_those_whom_the_submitter_signed_and_the_contract_lets_read() {
    granted(&mut Testbed::new(RULES, 4), |_, _| ()).assert_accepted();
    let clause = Clause::GrantsNameAuthorisedReaders;
    refused_by(clause, |bed| {
        changed(bed, |_, valid| {
            let mut keys = valid.grants.as_slice().to_vec();
            keys[0].wrapped = vec![0; 48].into();
            valid.grants = keys.into();
        })
    });
    refused_by(clause, |bed| granted(bed, |_, keys| keys.reverse()));
    refused_by(clause, |bed| granted(bed, |_, keys| keys.push(keys[1].clone())));
    refused_by(clause, |bed| granted(bed, |_, keys| drop(keys.remove(0))));
    for reader in ["root-1", "bsd", "validator-001", "nobody"] {
        refused_by(clause, |bed| {
            granted(bed, |_, keys| {
                let key = WrappedKey { reader: name(reader), ..keys[1].clone() };
                keys.push(key);
                keys.sort_by(|a, b| a.reader.cmp(&b.reader));
            })
        });
    }
    refused_by(clause, |bed| {
        granted(bed, |bed, _| {
            let colleague = bed.network.keys.roster.colleague.clone();
            let list = bed.revoked(&colleague);
            bed.publish(&Gossip::RevocationList(list));
        })
    });
}

#[test]
fn the_cloud_takes_no_other_message_of_a_bsd() {
    refused(Clause::MessageTypeIsExpected, |bed| {
        let cast = bed.network.keys.roster.clone();
        let valid = bed.valid(sample(RECORD), &[]);
        let receipt = receipt(&bed.store(&valid));
        bed.send(&cast.bsd, &cast.cloud, Message::Receipt(receipt))
    });
}

#[test]
fn a_refused_t_valid_leaves_nothing_in_the_store() {
    let mut bed = Testbed::new(RULES, 4);
    let mut valid = bed.valid(sample(RECORD), &[]);
    let sound = valid.clone();
    valid.body.seals = Digest::default();
    bed.sign_valid(&mut valid);
    bed.store(&valid).assert_refused(Clause::SealDigestIsCarried);
    let tid = valid.body.tid;
    assert!(bed.network.store.read(|store| store.blob(&tid)).unwrap().is_none());
    assert!(bed.network.store.read(|store| store.vault_key(&tid)).unwrap().is_none());
    assert_eq!(bed.network.cloud().unwrap().state_of(&tid), State::AwaitingValid);
    // Nor does it stand in the way of the one that the network accepted.
    bed.store(&sound).assert_accepted();
}

/// The cloud ends, and another process starts from what it kept.
fn restart(bed: &mut Testbed) {
    let cast = bed.network.keys.roster.clone();
    let identity = bed.network.keys.cloud.clone();
    let genesis = bed.network.keys.genesis.clone();
    let validators = bed.network.keys.validators.clone();
    let now = bed.now();
    let recovered = bed.network.store.read(|store| recover(&RULES, store, &identity)).unwrap();
    let ledger =
        bed.network.store.read(|store| recover_ledger(&RULES, store, genesis, &validators, now)).unwrap();
    let mut office = bed.new_context(&cast.cloud);
    office.ledger_view.ledger = ledger;
    let log = CloudLog::new(Suite::Tiny, identity.network.clone(), cast.cloud, recovered.frontier);
    let cloud = Cloud::new(office, bed.network.store.clone(), log).unwrap();
    bed.network.add(Node::Cloud(Box::new(cloud)));
}

#[test]
fn a_cloud_that_restarts_is_where_it_was() {
    let mut bed = Testbed::new(RULES, 4);
    let first = bed.valid(sample(RECORD), &[]);
    let given = receipt(&bed.store(&first));
    bed.stored(sample("Condition-f201"), &[]);
    let before = bed.network.cloud().unwrap().state();
    let head = bed.network.cloud().unwrap().head().cloned();
    restart(&mut bed);
    let cloud = bed.network.cloud().unwrap();
    assert_eq!((cloud.state(), cloud.head().cloned()), (before, head));
    assert_eq!(cloud.state_of(&first.body.tid), State::Stored);
    // Sessions are never durable: the BSD's old one is not known any more.
    bed.store(&first).assert_refused(Clause::SessionEstablished);
    let bsd = bed.network.keys.roster.bsd.clone();
    bed.forget_context(&bsd);
    let heard = bed.store(&first);
    heard.assert_refused(Clause::StoredOnce);
    assert_eq!(receipt(&heard), given);
    let next = bed.valid(sample("Patient-example"), &[]);
    let receipt = receipt(&bed.store(&next));
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
        let scenario = NetworkConfig { store: archive, ..NetworkConfig::new(Suite::Tiny, 4) };
        let mut bed = Testbed::of(scenario);
        let cast = bed.network.keys.roster.clone();
        let read = |bed: &mut Testbed, tid| {
            let id = bed.network.as_user(&cast.doctor, |user, now| user.read(now, tid)).unwrap();
            bed.network.answer(&cast.doctor, id, 60_000, |_| ())
        };
        let record = |bytes: &[u8]| Some(bemr::actors::user::Answer::Record(bytes.to_vec().into()));
        let first = bed.commit(&cast.doctor, sample(RECORD), &[]);
        assert_eq!(read(&mut bed, first), record(sample(RECORD)));
        bed.run_for(10_000);
        restart(&mut bed);
        // User and BSD have sessions with a process that is gone.
        assert_eq!(read(&mut bed, first), record(sample(RECORD)));
        let second = bed.commit(&cast.doctor, sample("Condition-f201"), &[]);
        assert_eq!(read(&mut bed, second), record(sample("Condition-f201")));
    }
}

#[test]
fn an_erased_record_is_erased_after_a_restart_too() {
    let mut bed = Testbed::new(RULES, 4);
    let cast = bed.network.keys.roster.clone();
    let valid = bed.valid(sample(RECORD), &[]);
    let given = receipt(&bed.store(&valid));
    let tid = valid.body.tid;
    let now = bed.now();
    let body = bed.network.user(&cast.doctor).unwrap().erasure(now, tid);
    let approve = |who| {
        bed.network.nodes().find_map(|(name, node)| match node {
            Node::User(user) if name == who => Some(user.approve(&body)),
            _ => None,
        })
    };
    let approvals = vec![approve(&cast.doctor).unwrap(), approve(&cast.administrators[0]).unwrap()];
    let erase = bemr::wire::Erase { body: body.clone(), approvals: approvals.into() };
    bed.send(&cast.doctor, &cast.cloud, Message::Erase(erase)).assert_accepted();
    for _ in 0..2 {
        assert_eq!(bed.network.cloud().unwrap().state_of(&tid), State::Erased);
        let heard = bed.store(&valid);
        heard.assert_refused(Clause::StoredOnce);
        assert_eq!(receipt(&heard), given);
        restart(&mut bed);
        bed.forget_context(&cast.bsd);
    }
}

#[test]
fn a_cloud_with_a_store_of_its_own_keeps_the_blocks() {
    let mut bed = Testbed::new(RULES, 4);
    let valid = bed.valid(sample(RECORD), &[]);
    bed.close(vec![Entry::Anchor(bemr::wire::Anchor {
        kind: bemr::wire::LogKind::Cloud,
        keeper: bed.network.keys.roster.cloud.clone(),
        size: 1,
        head: stray_digest(),
    })]);
    let kept = |height| bed.network.store.read(|store| store.block(&RULES, height)).unwrap();
    assert_eq!(kept(valid.body.height).map(|block| block.header().digest()), Some(valid.body.header));
    assert!(kept(Height(2)).is_some() && kept(Height(3)).is_none());
}
