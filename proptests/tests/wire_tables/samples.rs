//! One value of every message. A new table gets a line here, in [`samples`] or below it.
//!
//! Most come from a small network that carried one record: overheard on its links, read in its store, or put together
//! again from both. What does not occur in such a run is written down.

use super::policies::policies;
use bemr::actors::StoreHandle;
use bemr::actors::initial_builder::{Destination, build_initial, wrap};
use bemr::crypto::{Digest, Domain, Signature, Suite};
use bemr::keys::{Credentials, Identity};
use bemr::records::Record;
use bemr::store::{MemoryStore, Table, for_each_row};
use bemr::wire::{
    Anchor, AttributeOpening, AuditEntry, AuditStart, Block, BlockHeader, Certificate, Closing, ClosingRule,
    CloudHead, CloudLeaf, ConsistencyProof, EnrolmentRequest, Entry, Erase, EraseApproval, EraseBody,
    Genesis, Gossip, Grant, GrantBody, Height, IdentityProof, InclusionProof, LogKind, Message, Name,
    PROTOCOL_VERSION, Packet, ReadProof, ReadRequest, ReadResponse, Receipt, RevocationList, Revoke,
    RevokeBody, Role, Seal, SealChainStart, SignedAuditHead, SignedCloudHead, StoredContent, TBlock,
    TInitial, TValid, Target, Time, ValidBody, Vote, Work, WorkRule, WrappedKey, decode, encode,
};
use bemr_lab::simulator::{Envelope, Network, NetworkConfig};
use bemr_spec::{Refusal, Rules};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use std::cell::RefCell;
use std::rc::Rc;
use tls_codec::{DeserializeBytes, Serialize};

const RULES: Rules = Rules::hardened();

/// Decodes and encodes what it decoded.
type Again = fn(&[u8]) -> Result<Vec<u8>, Refusal>;

/// The bytes of one value and the table that describes them.
pub(crate) struct Sample {
    pub(crate) table: &'static str,
    pub(crate) bytes: Vec<u8>,
    /// Nothing for a structure that is hashed or signed and never received.
    pub(crate) again: Option<Again>,
}

impl Sample {
    /// A message that is sent or kept, and read again.
    pub(crate) fn of<T: Serialize + DeserializeBytes>(table: &'static str, value: &T) -> Sample {
        Sample::written::<T>(table, encode(value))
    }

    /// Bytes that the implementation wrote as a `T`.
    fn written<T: Serialize + DeserializeBytes>(table: &'static str, bytes: Vec<u8>) -> Sample {
        let again: Again = |bytes| decode::<T>(&RULES, bytes).map(|value| encode(&value));
        Sample { table, bytes, again: Some(again) }
    }
}

/// The samples.
pub(crate) fn samples() -> Vec<Sample> {
    let mut run = Run::new();
    let mut samples = run.overheard();
    samples.extend(run.messages().map(|message| Sample::of("Message", &message)));
    samples.extend(run.kept());
    samples.extend(run.in_public());
    samples.extend(run.of_keys());
    samples.extend(policies());
    samples
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

pub(crate) fn digest(byte: u8) -> Digest {
    Digest::from_bytes([byte; 32])
}

const PATIENT: &[u8] = br#"{"resourceType":"Patient","id":"p1","gender":"other","birthDate":"1970-01"}"#;

/// A network that carried a record.
struct Run {
    network: Network,
    archive: StoreHandle,
    rng: ChaCha20Rng,
    carried: Vec<Envelope>,
    tid: Digest,
    stored: StoredContent,
    block: Block,
    vote: Vote,
}

impl Run {
    fn new() -> Run {
        let carried: Rc<RefCell<Vec<Envelope>>> = Rc::default();
        let listener = Rc::clone(&carried);
        let injector = move |_: Time, envelope: Envelope| {
            listener.borrow_mut().push(envelope.clone());
            vec![(0, envelope)]
        };
        let archive = StoreHandle::new(MemoryStore::new());
        let config = NetworkConfig {
            injector: Box::new(injector),
            store: archive.clone(),
            ..NetworkConfig::new(Suite::Tiny, 2)
        };
        let mut network = config.build().expect("two validators are a network");
        let doctor = network.keys.roster.doctor.clone();
        let record = Record::read(&RULES, PATIENT).expect("a record");
        let tid =
            network.as_user(&doctor, |user, now| user.submit(now, &record, &[])).expect("it is composed");
        let mut ended = |network: &mut Network| network.user(&doctor).is_some_and(|user| !user.awaits(&tid));
        network.run_until(600_000, &mut ended);
        network.run_for(30_000);

        let key = archive.read(|store| store.vault_key(&tid)).expect("readable").expect("it was stored");
        let blob = archive.read(|store| store.blob(&tid)).expect("readable").expect("it was stored");
        let content = key.open(&[0; 12], tid.as_bytes(), &blob).expect("the vault key opens it");
        let stored = decode(&RULES, &content).expect("the cloud wrote it");
        let ledger = &network.bsd().expect("there is one").ledger_view().ledger;
        let decision = ledger.decision(&tid).expect("it was decided");
        let (block, certificate) = (decision.block.clone(), decision.certificate);
        let signatory = certificate.signatories[0].clone();
        let vote = Vote {
            validator: signatory.validator,
            body: certificate.body.clone(),
            signature: signatory.signature,
        };
        let carried = carried.take();
        Run { network, archive, rng: ChaCha20Rng::seed_from_u64(3), carried, tid, stored, block, vote }
    }

    fn credentials(&self, who: &Name) -> &Credentials {
        &self.network.keys.credentials[who]
    }

    fn certificate(&self, who: &Name) -> Certificate {
        self.credentials(who).certified().certificate().clone()
    }

    fn sign(&self, who: &Name, tag: Domain, message: &[u8]) -> Signature {
        self.credentials(who).identity().signing_key().sign(&RULES, tag, message)
    }

    /// The rows of a table of the store: the values.
    fn rows(&self, table: Table) -> Vec<(String, Vec<u8>)> {
        let mut rows = Vec::new();
        let read = self.archive.read(|store| {
            for_each_row(store, table, |key, value| {
                rows.push((String::from_utf8_lossy(key).into_owned(), value.to_vec()));
                Ok(())
            })
        });
        read.expect("readable");
        rows
    }

    /// The shortest packet and the shortest gossip of each kind that went over the links.
    fn overheard(&self) -> Vec<Sample> {
        let mut shortest: [Vec<Option<Vec<u8>>>; 2] = [vec![None; 5], vec![None; 9]];
        for envelope in &self.carried {
            // The frame of the network in memory: what it is, and a length before a packet.
            let (of, bytes) = match envelope.bytes.split_first().expect("a frame") {
                (1, packet) => (0, &packet[4..]),
                (2, gossip) => (1, gossip),
                (kind, _) => panic!("a frame of kind {kind}"),
            };
            let held = &mut shortest[of][usize::from(bytes[0])];
            if held.as_ref().is_none_or(|held| bytes.len() < held.len()) {
                *held = Some(bytes.to_vec());
            }
        }
        let [packets, gossip] = shortest.map(|kinds| kinds.into_iter().flatten().collect::<Vec<_>>());
        assert_eq!(
            (packets.len(), gossip.len()),
            (4, 6),
            "a run has all packets, and all gossip but two kinds"
        );
        let packets = packets.into_iter().map(|bytes| Sample::written::<Packet>("Packet", bytes));
        packets.chain(gossip.into_iter().map(|bytes| Sample::written::<Gossip>("Gossip", bytes))).collect()
    }

    /// What the records carried, put together again.
    fn messages(&mut self) -> impl Iterator<Item = Message> + use<> {
        let outcome = self.outcome();
        [
            Message::TInitial(Box::new(self.t_initial())),
            Message::Outcome(outcome),
            Message::TBlock(Box::new(self.t_block())),
            Message::Vote(self.vote.clone()),
            Message::TValid(Box::new(self.t_valid())),
            Message::Receipt(self.receipt()),
            Message::ReadRequest(ReadRequest { tid: self.tid, nonce: [5; 32], remembered: 1 }),
            Message::ReadResponse(Box::new(self.read_response())),
            Message::Grant(Box::new(self.grant())),
            Message::Revoke(self.revoke()),
            Message::Erase(self.erase()),
            Message::Answer(bemr::wire::RequestOutcome {
                request: [5; 32],
                tid: self.tid,
                decision: bemr::wire::Decision::Refused,
                reason: bemr::wire::Reason::from_code(2109),
            }),
        ]
        .into_iter()
    }

    fn outcome(&mut self) -> bemr::wire::Outcome {
        let doctor = self.network.keys.roster.doctor.clone();
        let user = self.network.user(&doctor).expect("there is one");
        user.outcome(&self.tid).expect("it ended").clone()
    }

    fn t_initial(&mut self) -> TInitial {
        let bemr_lab::simulator::ProvisionedKeys { roster, credentials, directory, .. } = &self.network.keys;
        let (own, bsd) = (&credentials[&roster.doctor], roster.bsd.clone());
        let destination = Destination { bsd, network: self.vote.body.network.clone(), height: Height(1) };
        let record = Record::read(&RULES, PATIENT).expect("a record");
        let policy = bemr::records::PolicyRegistry::shipped(destination.network.clone());
        let now = self.network.now();
        build_initial(&RULES, &mut self.rng, now, own, directory, &policy, &destination, &record, &[])
            .expect("it was composed before")
    }

    fn t_block(&self) -> TBlock {
        let record = &self.stored.record;
        let opening = AttributeOpening { index: 1, opening: [2; 32], value: vec![0].into() };
        TBlock {
            body: record.block.clone(),
            signature: self.sign(&self.network.keys.roster.bsd, Domain::T_BLOCK, &encode(&record.block)),
            initial: record.initial.clone(),
            user: record.user.clone(),
            user_signature: record.user_signature.clone(),
            openings: vec![opening].into(),
        }
    }

    fn t_valid(&mut self) -> TValid {
        let record = self.stored.record.clone();
        let wrapped = self.wrapped();
        let Entry::Decision(acknowledgement) = &self.block.entries[0] else { panic!("the first entry") };
        let body = ValidBody {
            version: PROTOCOL_VERSION,
            suite: record.block.suite,
            tid: self.tid,
            bsd: self.network.keys.roster.bsd.clone(),
            cloud: self.network.keys.roster.cloud.clone(),
            block: self.vote.body.block,
            acknowledgement: record.acknowledgement,
            height: record.height,
            header: self.block.header().digest(),
            seals: digest(3),
            issued: self.network.now(),
        };
        TValid {
            signature: self.sign(&body.bsd, Domain::T_VALID, &encode(&body)),
            body,
            initial: record.initial,
            user: record.user,
            user_signature: record.user_signature,
            block: record.block,
            acknowledgement: acknowledgement.clone(),
            inclusion: inclusion(),
            grants: vec![wrapped].into(),
            ciphertext: self.stored.ciphertext.clone(),
        }
    }

    fn wrapped(&mut self) -> WrappedKey {
        let reader = self.network.keys.directory.get(&self.network.keys.roster.colleague).expect("certified");
        wrap(&RULES, &mut self.rng, &self.tid, reader, &[7; 32])
    }

    fn cloud_head(&self) -> SignedCloudHead {
        let (_, newest) = self.rows(Table::CloudHeads).pop().expect("a head");
        decode(&RULES, &newest).expect("the cloud wrote it")
    }

    fn leaf(&self) -> CloudLeaf {
        let (_, newest) = self.rows(Table::Leaves).pop().expect("a leaf");
        decode(&RULES, &newest).expect("the cloud wrote it")
    }

    fn receipt(&self) -> Receipt {
        Receipt { head: self.cloud_head(), leaf: self.leaf(), inclusion: inclusion() }
    }

    fn read_response(&mut self) -> ReadResponse {
        let key = self.wrapped();
        let StoredContent { record, ciphertext } = self.stored.clone();
        let head = self.cloud_head();
        let anchored: Option<CloudHead> = Some(head.head.clone());
        let proof = ReadProof {
            head,
            extends_remembered: ConsistencyProof { path: vec![digest(8), digest(9)].into() },
            anchored,
            extends_anchored: ConsistencyProof { path: Vec::new().into() },
            leaf: self.leaf(),
            inclusion: inclusion(),
        };
        ReadResponse { nonce: [5; 32], record, key, ciphertext, proof }
    }

    fn grant(&mut self) -> Grant {
        let key = self.wrapped();
        let cast = &self.network.keys.roster;
        let body = GrantBody {
            version: PROTOCOL_VERSION,
            suite: Suite::Tiny,
            tid: self.tid,
            owner: cast.doctor.clone(),
            cloud: cast.cloud.clone(),
            key,
            issued: self.network.now(),
        };
        let signature = self.sign(&body.owner, Domain::GRANT, &encode(&body));
        Grant { body, signature, reader: self.certificate(&cast.colleague) }
    }

    fn revoke(&self) -> Revoke {
        let cast = &self.network.keys.roster;
        let body = RevokeBody {
            version: PROTOCOL_VERSION,
            suite: Suite::Tiny,
            tid: self.tid,
            owner: cast.doctor.clone(),
            cloud: cast.cloud.clone(),
            reader: cast.colleague.clone(),
            issued: self.network.now(),
        };
        Revoke { signature: self.sign(&body.owner, Domain::REVOKE, &encode(&body)), body }
    }

    fn erase(&self) -> Erase {
        let cast = &self.network.keys.roster;
        let body = EraseBody {
            version: PROTOCOL_VERSION,
            suite: Suite::Tiny,
            tid: self.tid,
            cloud: cast.cloud.clone(),
            issued: self.network.now(),
        };
        let message = encode(&body);
        let approve = |who| EraseApproval {
            authority: self.certificate(who),
            signature: self.sign(who, Domain::ERASE, &message),
        };
        let approvals = vec![approve(&cast.doctor), approve(&cast.administrators[0])];
        Erase { body, approvals: approvals.into() }
    }

    /// What BSD and cloud keep.
    fn kept(&self) -> Vec<Sample> {
        let meta = self.rows(Table::Meta);
        let named = |start: &str| {
            let row = meta.iter().find(|(key, _)| key.starts_with(start));
            row.unwrap_or_else(|| panic!("no {start}")).1.clone()
        };
        let first = |table| self.rows(table).swap_remove(0).1;
        let start = AuditStart {
            version: PROTOCOL_VERSION,
            network: self.vote.body.network.clone(),
            bsd: self.network.keys.roster.bsd.clone(),
        };
        vec![
            Sample::written::<Genesis>("Genesis", named("genesis")),
            Sample::written::<SealChainStart>("SealChainStart", named("seal-chain")),
            Sample::written::<Seal>("Seal", named("seal/")),
            Sample::of("StoredContent", &self.stored),
            Sample::of("AuditStart", &start),
            Sample::written::<AuditEntry>("AuditEntry", first(Table::AuditEntries)),
            Sample::written::<SignedAuditHead>("SignedAuditHead", first(Table::AuditHeads)),
        ]
    }

    /// What is said in public and does not occur in a run of this kind.
    fn in_public(&self) -> Vec<Sample> {
        let rule = WorkRule { easiest: Target([0xff; 32]), interval: 1000, window: 4, confirmations: 2 };
        let genesis = Genesis { rule: ClosingRule::Work(rule), ..self.network.keys.genesis.clone() };
        let work = Work { target: Target([0x0f; 32]), nonce: 77 };
        let header = BlockHeader { closing: Closing::Work(work), ..self.block.header().clone() };
        let anchor = |kind| Entry::Anchor(Anchor { kind, keeper: name("k"), size: 3, head: digest(4) });
        vec![
            Sample::of("Genesis", &genesis),
            Sample::of("BlockHeader", &header),
            Sample::of("Block", &self.block),
            Sample::of("Entry", &anchor(LogKind::Cloud)),
            Sample::of("Entry", &anchor(LogKind::Audit)),
            Sample::of("Gossip", &Gossip::BlocksFrom(Height(9))),
            Sample::of("Gossip", &Gossip::RevocationList(self.network.keys.trust.revocation_list().clone())),
        ]
    }

    fn of_keys(&mut self) -> Vec<Sample> {
        let identity = Identity::generate(Suite::Tiny, &mut self.rng);
        let request: EnrolmentRequest = identity.enrolment_request(&RULES, name("new"), Role::Assistant);
        let now = self.network.now();
        let list: RevocationList = {
            let kdc = &mut self.network.keys.kdc;
            assert!(kdc.revoke(2));
            kdc.revocation_list(&RULES, now)
        };
        let doctor = self.network.keys.roster.doctor.clone();
        let proof = IdentityProof {
            certificate: self.certificate(&doctor),
            signature: self.sign(&doctor, Domain::INITIATOR_SIGNATURE, &[1; 32]),
            confirmation: [6; 32],
        };
        vec![
            Sample::of("EnrolmentRequest", &request),
            Sample::of("Certificate", &self.certificate(&doctor)),
            Sample::of("RevocationList", &list),
            Sample::of("IdentityProof", &proof),
            self.validator_set(),
        ]
    }

    /// It is hashed and never sent: these are the bytes whose digest the implementation uses.
    fn validator_set(&self) -> Sample {
        let set = &self.network.keys.validators;
        let members = set.names().flat_map(|validator| {
            let key = set.key(validator).expect("a member has a key").encode();
            [encode(validator), (key.len() as u16).to_be_bytes().to_vec(), key].concat()
        });
        let members: Vec<u8> = members.collect();
        let length = (members.len() as u32).to_be_bytes().to_vec();
        let bytes = [encode(set.network()), length, members].concat();
        assert_eq!(Digest::of(Domain::VALIDATOR_SET, &bytes), set.digest());
        Sample { table: "ValidatorSet", bytes, again: None }
    }
}

fn inclusion() -> InclusionProof {
    InclusionProof { index: 2, path: vec![digest(1), digest(2)].into() }
}
