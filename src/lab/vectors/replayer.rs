//! An actor that begins in the state a vector gives, handles the vector's events, and reports what it did.

use crate::simulator::Node;
use crate::vectors::Hex;
use crate::vectors::kinds::{RULES, Stop, Trust, name};
use bemr::actors::{
    Bsd, CertificateDirectory, Cloud, Input, LedgerView, NodeContext, Output, Overheard, StoreHandle, User,
    Validator,
};
use bemr::audit::AuditLog;
use bemr::crypto::{DecapsulationKey, SigningKey, Suite};
use bemr::keys::{Credentials, Identity, Party, TrustStore};
use bemr::ledger::Ledger;
use bemr::merkle::Frontier;
use bemr::records::{PolicyRegistry, Record};
use bemr::session::SealChain;
use bemr::store::MemoryStore;
use bemr::transparency::{CloudLog, LogOperator};
use bemr::votes::ValidatorSet;
use bemr::wire::{Certificate, Genesis, Name, Packet, SealChainStart, Time, decode};
use bemr_spec::{Clause, Refusal, Verdict};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

data! {
    /// The keys of a principal and its certificate.
    Own { signing: Hex, agreement: Hex, certificate: Hex }
    /// What an actor begins with.
    Begin {
        now: u64, own: Own, trust: Trust, certificates: Vec<Hex>, genesis: Hex, validators: Vec<String>,
        bsd: String, cloud: String, custodian: String, drawn: Hex,
    }
    /// Something that happens to an actor.
    Step { now: u64, comment: String, fields: Vec<String>, drawn: Hex, event: Event }
    /// What an actor made of it.
    Did {
        verdict: Said,
        #[schemars(with = "Option<String>", regex(pattern = "^[A-Z]{3}-[0-9]{2}$"))]
        clause: Option<Clause>,
        sends: Vec<Send>,
        /// The next instant for which it waits.
        wakes: Option<u64>,
    }
}

impl Own {
    pub(super) fn of(credentials: &Credentials) -> Own {
        Own::with(credentials.identity(), credentials.certified().certificate())
    }

    pub(super) fn with(identity: &Identity, certificate: &Certificate) -> Own {
        Own {
            signing: (*identity.signing_key().to_bytes()).as_slice().into(),
            agreement: (*identity.agreement_key().to_bytes()).as_slice().into(),
            certificate: Hex::of(certificate),
        }
    }

    pub(super) fn identity(&self, suite: Suite) -> Result<Identity, Stop> {
        let signing = SigningKey::from_bytes(&RULES, suite, &self.signing.0)?;
        let agreement = DecapsulationKey::from_bytes(&RULES, suite, &self.agreement.0)?;
        Ok(Identity::of(&RULES, signing, agreement)?)
    }

    pub(super) fn credentials(
        &self,
        suite: Suite,
        trust: &mut TrustStore,
        now: Time,
    ) -> Result<Credentials, Stop> {
        let certificate: Certificate = self.certificate.decode()?;
        let certified = trust.verify(&RULES, now, &certificate)?;
        Ok(Credentials::new(&RULES, Arc::new(self.identity(suite)?), certified)?)
    }
}

/// What happens.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Event {
    /// A packet arrives.
    Packet {
        /// Where it comes from.
        from: String,
        /// It.
        bytes: Hex,
        /// What the record in it holds; null where it holds none that opens.
        message: Option<Hex>,
    },
    /// Something public arrives.
    Gossip {
        /// Where it comes from.
        from: String,
        /// It.
        bytes: Hex,
    },
    /// The instant came for which the actor waited.
    Wake {},
    /// The user submits.
    Submit {
        /// The record's bytes.
        record: Hex,
        /// Who shall be able to read it.
        readers: Vec<String>,
    },
    /// The user reads.
    Read {
        /// Which record.
        tid: Hex,
    },
    /// The user lets somebody read.
    Grant {
        /// Which record.
        tid: Hex,
        /// Whom.
        reader: String,
    },
    /// The user takes that back.
    Revoke {
        /// Which record.
        tid: Hex,
        /// Of whom.
        reader: String,
    },
    /// The user has a record erased.
    Erase {
        /// The encoding of the body.
        body: Hex,
        /// The encodings of the approvals.
        approvals: Vec<Hex>,
    },
    /// The BSD closes its audit log.
    Close {},
}

/// A verdict.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Said {
    Accept,
    Refuse,
    Ignore,
}

/// What an actor sends.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Send {
    /// A packet to one peer.
    Packet {
        /// The peer.
        to: String,
        /// It.
        bytes: Hex,
        /// What the record in it holds; null where it is none.
        message: Option<Hex>,
    },
    /// Something public, to one.
    Tell {
        /// To whom.
        to: String,
        /// It.
        bytes: Hex,
    },
    /// Something public, to everybody.
    Publish {
        /// It.
        bytes: Hex,
    },
}

/// An actor that handles the events of a vector.
pub(super) struct Replayer {
    pub(super) node: Node,
    pub(super) store: StoreHandle,
    /// The start of its escrow ratchet, where it has one.
    pub(super) start: Option<SealChainStart>,
}

/// The directory of these certificates.
pub(super) fn directory(
    certificates: &[Hex],
    trust: &mut TrustStore,
    now: Time,
) -> Result<CertificateDirectory, Refusal> {
    let certificates = certificates.iter().map(Hex::decode).collect::<Result<Vec<_>, _>>()?;
    CertificateDirectory::verified(&RULES, trust, now, &certificates)
}

impl Begin {
    /// The actor. Its randomness comes from a seed and is recorded, or else is what the vector says was drawn.
    pub(super) fn start(&self, suite: Suite, seed: Option<u64>) -> Result<Replayer, Stop> {
        let (now, mut trust) = (Time(self.now), self.trust.store(suite)?);
        let directory = directory(&self.certificates, &mut trust, now)?;
        let own = self.own.credentials(suite, &mut trust, now)?;
        let genesis: Genesis = self.genesis.decode()?;
        let network = genesis.network.clone();
        let certified = |who: &str| -> Result<_, Stop> {
            let who = name(who)?;
            directory.get(&who).cloned().ok_or_else(|| Stop::Malformed(format!("no certificate of {who}")))
        };
        let operator = |who: &str| -> Result<LogOperator, Stop> {
            let (network, one) = (network.clone(), certified(who)?);
            Ok(LogOperator { network, name: one.name().clone(), key: one.signing_key().clone() })
        };
        let members = self.validators.iter().map(|who| operator(who).map(|one| (one.name, one.key)));
        let validators = ValidatorSet::new(network.clone(), members.collect::<Result<_, Stop>>()?);
        let policy = PolicyRegistry::shipped(network.clone());
        let view = LedgerView::new(Ledger::new(&RULES, genesis)?, validators, policy);
        let (bsd, cloud) = (operator(&self.bsd)?, operator(&self.cloud)?);
        let source = ChaCha20Rng::seed_from_u64(seed.unwrap_or_default());
        let custodian = certified(&self.custodian)?;
        let role = own.role();
        let mut context = NodeContext::new(RULES, own, trust, directory, view, source.into());
        match seed {
            Some(_) => drop(context.rng.drawn()),
            None => context.rng.give(&self.drawn.0),
        }
        context.sessions.tap();
        let store = StoreHandle::new(MemoryStore::new());
        let mut start = None;
        let mut node = match role.place() {
            Party::User => Node::User(Box::new(User::new(context, bsd.name, cloud))),
            Party::Validator => Node::Validator(Box::new(Validator::new(context, cloud, bsd))),
            Party::Cloud => {
                let log = CloudLog::new(suite, network, cloud.name, Frontier::default());
                Node::Cloud(Box::new(Cloud::new(context, store.clone(), log)?))
            }
            Party::Bsd => {
                let (seals, opened) = SealChain::open(&RULES, &mut context.rng, &context.own, &custodian)?;
                start = Some(opened);
                let audit = AuditLog::new(suite, network, bsd.name);
                Node::Bsd(Box::new(Bsd::new(context, cloud, seals, store.clone(), audit)?))
            }
            Party::Custodian => return Err(Stop::Malformed("a custodian is no such actor".to_owned())),
        };
        if seed.is_none() && !node.context().rng.used_up() {
            return Err(Stop::Malformed("begin: not what it draws".to_owned()));
        }
        Ok(Replayer { node, store, start })
    }
}

impl Replayer {
    /// Handles a step of a vector, with the randomness that the vector gives.
    pub(super) fn take(&mut self, step: &Step) -> Result<Did, Stop> {
        self.node.context().rng.give(&step.drawn.0);
        let (did, _) = handle(&mut self.node, Time(step.now), &step.event)?;
        if !self.node.context().rng.used_up() {
            return Err(Stop::Malformed(format!("{}: not what it draws", step.comment)));
        }
        Ok(did)
    }
}

/// Lets a node handle an event with randomness of its own: what it did, what it drew, and what it sends.
pub(super) fn handle_drawing(
    node: &mut Node,
    now: Time,
    event: &Event,
) -> Result<(Did, Hex, Vec<Output>), Stop> {
    drop(node.context().rng.drawn());
    let (did, outputs) = handle(node, now, event)?;
    Ok((did, Hex(node.context().rng.drawn()), outputs))
}

fn handle(node: &mut Node, now: Time, event: &Event) -> Result<(Did, Vec<Output>), Stop> {
    drop(node.context().sessions.overheard());
    let mut repeats = Vec::new();
    let mut input = |input| {
        let step = node.actor().handle(now, input);
        repeats = step.repeats;
        step.outcome
    };
    let outcome = match event {
        Event::Packet { from, bytes, .. } => {
            input(Input::Packet { from: name(from)?, packet: bytes.0.clone() })
        }
        Event::Gossip { from, bytes } => {
            let from = name(from)?;
            bytes.decode().and_then(|gossip| input(Input::Gossip { from, gossip }))
        }
        Event::Wake {} => input(Input::Wake),
        _ => command(node, now, event)?,
    };
    if let Event::Packet { message, .. } = event
        && node.context().sessions.last_opened() != message.as_ref().map(|message| message.0.clone())
    {
        return Err(Stop::Malformed("the record does not hold the message".to_owned()));
    }
    let clause = outcome.as_ref().err().map(Refusal::clause);
    let verdict = match outcome.as_ref().err().map_or(Verdict::Accept, Refusal::verdict) {
        Verdict::Accept => Said::Accept,
        Verdict::Reject => Said::Refuse,
        Verdict::Ignore => Said::Ignore,
    };
    let outputs: Vec<Output> = outcome.into_iter().flatten().chain(repeats).collect();
    let wakes = node.actor().wake().map(|time| time.0);
    Ok((Did { verdict, clause, sends: sends(node, &outputs), wakes }, outputs))
}

fn command(node: &mut Node, now: Time, event: &Event) -> Result<Result<Vec<Output>, Refusal>, Stop> {
    let user = match (node, event) {
        (Node::Bsd(bsd), Event::Close {}) => return Ok(bsd.close(now)),
        (Node::User(user), _) => user,
        _ => return Err(Stop::Malformed("such an actor has no such command".to_owned())),
    };
    let requested = match event {
        Event::Submit { record, readers } => {
            let readers = readers.iter().map(|reader| name(reader)).collect::<Result<Vec<Name>, Stop>>()?;
            let submit = |record: Record| user.submit(now, &record, &readers);
            return Ok(Record::read(&RULES, &record.0).and_then(submit).map(|(_, outputs)| outputs));
        }
        Event::Read { tid: of } => user.read(now, of.digest()?),
        Event::Grant { tid: of, reader } => user.grant(now, of.digest()?, &name(reader)?),
        Event::Revoke { tid: of, reader } => user.revoke(now, of.digest()?, &name(reader)?),
        Event::Erase { body, approvals } => {
            let approvals = approvals.iter().map(Hex::decode).collect::<Result<Vec<_>, _>>()?;
            user.erase(now, body.decode()?, approvals)
        }
        _ => return Err(Stop::Malformed("such an actor has no such command".to_owned())),
    };
    Ok(requested.map(|(_, outputs)| outputs))
}

fn sends(node: &mut Node, outputs: &[Output]) -> Vec<Send> {
    let written = node.context().sessions.overheard().into_iter().filter_map(|heard| match heard {
        Overheard::Message { message, written: Some((position, _)), .. } => {
            Some(((position.session, position.sequence), Hex::of(&message)))
        }
        _ => None,
    });
    let written: Vec<_> = written.collect();
    let message = |packet: &[u8]| {
        let Ok(Packet::Record(record)) = decode(&RULES, packet) else { return None };
        let position = (record.header.session, record.header.sequence);
        written.iter().find(|(written, _)| *written == position).map(|(_, message)| message.clone())
    };
    let send = |output: &Output| match output {
        Output::Send { to, packet, .. } => {
            let (to, bytes) = (to.as_str().to_owned(), packet.as_slice().into());
            Send::Packet { to, bytes, message: message(packet) }
        }
        Output::SendGossip { to, gossip } => {
            Send::Tell { to: to.as_str().to_owned(), bytes: Hex::of(gossip) }
        }
        Output::Publish(gossip) => Send::Publish { bytes: Hex::of(gossip) },
    };
    outputs.iter().map(send).collect()
}
