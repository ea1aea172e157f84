//! A small network that records every actor: what it received, drew and did.

use crate::forge::{MutatedMessage, ReSigner, Sweep, mended};
use crate::simulator::{LedgerKind, Network, NetworkConfig, Next, Scheduler};
use crate::vectors::Hex;
use crate::vectors::kinds::{RULES, Trust, name};
use crate::vectors::replayer::{Begin, Did, Event, Own, Replayer, Send, Step, handle_drawing};
use bemr::actors::StoreHandle;
use bemr::crypto::{Digest, Domain, Suite};
use bemr::store::{Table, for_each_row};
use bemr::wire::{CloudLeaf, Gossip, Message, Name, SealChainStart, decode, encode};
use bemr_spec::{Clause, Refusal};
use std::collections::{BTreeMap, BTreeSet};

/// The latency of every link, in milliseconds.
const LATENCY: u64 = 5;

/// After how many mutated messages in one session a fresh pair of actors takes over, before the session's keys are exhausted.
const MESSAGES_PER_SESSION: u32 = 900;

/// What one actor received and did.
pub(super) struct ActorRecording {
    pub(super) begin: Begin,
    pub(super) steps: Vec<Step>,
    pub(super) did: Vec<Did>,
    store: StoreHandle,
    start: Option<SealChainStart>,
}

/// Pairs of field and clause.
pub(super) type Pairs = BTreeSet<(String, Clause)>;

impl ActorRecording {
    /// Another actor in the state that this one has reached.
    fn replay(&self, suite: Suite) -> Option<Replayer> {
        let mut actor = self.begin.start(suite, None).ok()?;
        for step in &self.steps {
            actor.take(step).ok()?;
        }
        Some(actor)
    }
}

/// An envelope that is about to arrive, as the event that a vector has for it.
#[derive(Clone)]
pub(super) struct Envelope {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) event: Event,
}

/// A network and the recordings of its actors.
pub(super) struct Recorder {
    pub(super) suite: Suite,
    pub(super) network: Network,
    pub(super) recordings: BTreeMap<String, ActorRecording>,
    /// The message in each protected record that was sent.
    messages: BTreeMap<Vec<u8>, Hex>,
    /// How many records were written from whom to whom that are in nobody's recording.
    written: BTreeMap<(String, String), u32>,
}

impl Recorder {
    /// A network of so many validators.
    pub(super) fn new(suite: Suite, validators: usize, ledger: LedgerKind) -> Result<Recorder, Refusal> {
        let config = NetworkConfig { ledger, ..NetworkConfig::new(suite, validators) };
        let keys = config.provision()?;
        let roster = keys.roster.clone();
        let text = |name: &Name| name.as_str().to_owned();
        // A list that names a serial which nobody has.
        let mut list = keys.trust.revocation_list().clone();
        list.body.serials = vec![u64::MAX].into();
        list.signature = keys.kdc.signing_key().sign(&RULES, Domain::REVOCATION_LIST, &encode(&list.body));
        let begin = Begin {
            now: config.start.0,
            own: Own::of(&keys.credentials[&roster.doctor]),
            trust: Trust::of(&keys.kdc.anchor(), &list),
            certificates: keys.directory.iter().map(|one| Hex::of(one.certificate())).collect(),
            genesis: Hex::of(&keys.genesis),
            validators: roster.validators.iter().map(text).collect(),
            bsd: text(&roster.bsd),
            cloud: text(&roster.cloud),
            custodian: text(&roster.custodian),
            drawn: Hex::default(),
        };
        let scheduler = Scheduler::new(config.start, (LATENCY, 0), config.seed, config.injector);
        let mut recorder = Recorder {
            suite,
            network: Network::empty(keys, config.store, scheduler),
            recordings: BTreeMap::new(),
            messages: BTreeMap::new(),
            written: BTreeMap::new(),
        };
        let users = roster.users().map(Name::clone);
        let all = users.iter().chain(&roster.validators).chain([&roster.bsd, &roster.cloud]);
        for (seed, who) in (1..).zip(all) {
            let own = Own::of(&recorder.network.keys.credentials[who]);
            let mut begin = Begin { own, ..begin.clone() };
            let Replayer { mut node, store, start } = begin.start(suite, Some(seed))?;
            begin.drawn = Hex(node.context().rng.drawn());
            recorder.network.add(node);
            let recording = ActorRecording { begin, steps: Vec::new(), did: Vec::new(), store, start };
            recorder.recordings.insert(text(who), recording);
        }
        Ok(recorder)
    }

    /// Lets an actor handle an event, and puts in flight what it sends.
    pub(super) fn happen(&mut self, who: &str, event: Event) -> Result<Did, Refusal> {
        self.record(who, event, "", &[], true)
    }

    fn record(
        &mut self,
        who: &str,
        event: Event,
        comment: &str,
        fields: &[String],
        sends: bool,
    ) -> Result<Did, Refusal> {
        let unknown = || Refusal::new(Clause::PeerIsIntended).at(who);
        let now = self.network.now().0;
        let handled =
            self.network.command(&name(who)?, |node, now| match handle_drawing(node, now, &event) {
                Ok((did, drawn, outputs)) => (Ok((did, drawn)), if sends { outputs } else { Vec::new() }),
                Err(stop) => (Err(Refusal::from(stop)), Vec::new()),
            });
        let (did, drawn) = handled.ok_or_else(unknown)?.0?;
        for send in &did.sends {
            if let Send::Packet { bytes, message: Some(message), .. } = send {
                self.messages.insert(bytes.0.clone(), message.clone());
            }
        }
        let recording = self.recordings.get_mut(who).ok_or_else(unknown)?;
        let (comment, fields) = (comment.to_owned(), fields.to_vec());
        recording.steps.push(Step { now, comment, fields, drawn, event });
        recording.did.push(did.clone());
        Ok(did)
    }

    /// The tid of the first record that the cloud stored.
    pub(super) fn tid(&self) -> Option<Digest> {
        let leaves = self.rows("cloud", Table::Leaves).ok()?;
        decode::<CloudLeaf>(&RULES, &leaves.first()?.0).ok().map(|leaf| leaf.tid)
    }

    /// What an actor stores in a table, in the order of its keys.
    pub(super) fn rows(&self, who: &str, table: Table) -> Result<Vec<Hex>, Refusal> {
        let mut rows = Vec::new();
        let mut keep = |_: &[u8], value: &[u8]| {
            rows.push(value.into());
            Ok(())
        };
        if let Some(recording) = self.recordings.get(who) {
            recording.store.read(|store| for_each_row(store, table, &mut keep))?;
        }
        Ok(rows)
    }

    /// What BSD and cloud store and do not send, by table.
    pub(super) fn stored(&self) -> Result<Vec<(&'static str, Vec<u8>)>, Refusal> {
        let mut stored = Vec::new();
        for (name, who, table) in [
            ("AuditEntry", "bsd", Table::AuditEntries),
            ("SignedAuditHead", "bsd", Table::AuditHeads),
            ("CloudLeaf", "cloud", Table::Leaves),
            // Escrow packages are among the other rows of this table.
            ("Seal", "bsd", Table::Meta),
        ] {
            stored.extend(self.rows(who, table)?.into_iter().map(|row| (name, row.0)));
        }
        let start = self.recordings.get("bsd").and_then(|bsd| bsd.start.as_ref());
        stored.extend(start.map(|start| ("SealChainStart", encode(start))));
        Ok(stored)
    }

    /// Runs, at most so many milliseconds, until an envelope that `is` accepts is about to arrive: that envelope, which is
    /// then no longer in flight.
    pub(super) fn until(
        &mut self,
        limit: u64,
        mut is: impl FnMut(&Envelope) -> bool,
    ) -> Result<Option<Envelope>, Refusal> {
        let end = self.network.now().after(limit);
        while let Some(next) = self.network.next(Some(end)) {
            match next {
                Next::Timer(who) => drop(self.happen(who.as_str(), Event::Wake {})?),
                Next::Arrival(_, envelope) => {
                    let envelope = self.arriving(&envelope);
                    if is(&envelope) {
                        return Ok(Some(envelope));
                    }
                    self.deliver(envelope)?;
                }
            }
        }
        Ok(None)
    }

    /// Runs for so many milliseconds.
    pub(super) fn wait(&mut self, limit: u64) -> Result<(), Refusal> {
        self.until(limit, |_| false).map(drop)
    }

    /// A user submits a record that others may read.
    pub(super) fn submit(&mut self, who: &str, record: &[u8], readers: &[&str]) -> Result<(), Refusal> {
        let readers = readers.iter().map(|reader| (*reader).to_owned()).collect();
        self.happen(who, Event::Submit { record: record.into(), readers }).map(drop)
    }

    fn arriving(&self, envelope: &crate::simulator::Envelope) -> Envelope {
        let (from, to) = (envelope.from.as_str().to_owned(), envelope.to.as_str().to_owned());
        let event = match envelope.packet() {
            Some(packet) => {
                let message = self.messages.get(packet).cloned();
                Event::Packet { from: from.clone(), bytes: packet.into(), message }
            }
            None => Event::Gossip { from: from.clone(), bytes: envelope.gossip().unwrap_or_default().into() },
        };
        Envelope { from, to, event }
    }

    /// Delivers an envelope, and before it the mutations of it, each of which has to be refused.
    pub(super) fn deliver_with_mutations(
        &mut self,
        envelope: Envelope,
        done: &mut Pairs,
    ) -> Result<Did, Refusal> {
        let Envelope { from, to, event } = envelope;
        let mut event = event;
        if let Event::Packet { message: Some(Hex(message)), .. } = &event {
            for (mutated, clause) in self.mutated_messages(&from, &to, message, done)? {
                let event = self.written(&from, &to, &mutated.bytes)?;
                self.refused(&to, event, &mutated, clause)?;
            }
            // Their records have used up the number of the one that is in flight.
            event = self.written(&from, &to, message)?;
        } else if let Event::Gossip { bytes, .. } = &event {
            for (mutated, clause) in self.mutated_gossip(&from, &to, &bytes.0, done)? {
                let event = Event::Gossip { from: from.clone(), bytes: (&mutated.bytes).into() };
                self.refused(&to, event, &mutated, clause)?;
            }
        }
        self.happen(&to, event)
    }

    /// A message in a record of the newest session of `from` with `to`.
    pub(super) fn written(&mut self, from: &str, to: &str, message: &[u8]) -> Result<Event, Refusal> {
        let (sender, peer) = (name(from)?, name(to)?);
        let node = self.network.node(&sender).ok_or_else(|| Refusal::new(Clause::PeerIsIntended))?;
        let written = node.context().sessions.write_as_is(&RULES, &peer, message);
        let bytes = written.ok_or_else(|| Refusal::new(Clause::SessionEstablished).at(to))?;
        *self.written.entry((from.to_owned(), to.to_owned())).or_default() += 1;
        Ok(Event::Packet { from: from.to_owned(), bytes: Hex(bytes), message: Some(message.into()) })
    }

    /// Delivers what has to be refused; what the actor answers is lost.
    pub(super) fn refused(
        &mut self,
        to: &str,
        event: Event,
        mutated: &MutatedMessage,
        clause: Clause,
    ) -> Result<(), Refusal> {
        let comment = mutated.comment();
        let did = self.record(to, event, &comment, &mutated.fields, false)?;
        if did.clause == Some(clause) {
            return Ok(());
        }
        let answered = did.clause.map_or("accepted", Clause::id);
        Err(Refusal::new(clause).at(format!("{comment}: {answered} instead")))
    }

    fn mutated_messages(
        &self,
        from: &str,
        to: &str,
        genuine: &[u8],
        done: &mut Pairs,
    ) -> Result<Vec<(MutatedMessage, Clause)>, Refusal> {
        let (sender, peer) = (name(from)?, name(to)?);
        let ways = decode::<Message>(&RULES, genuine).map(|message| ReSigner::ways(&message))?;
        let signer = ReSigner::new(&self.network.keys);
        let sign = mended(|message: &mut Message, way| signer.message(message, &sender, way));
        let mut sent = 0;
        let mut pair: Option<(Replayer, Replayer)> = None;
        let evaluate = |message: &[u8]| {
            if sent >= MESSAGES_PER_SESSION {
                pair = None;
            }
            if pair.is_none() {
                sent = 0;
                let mut sender = self.recordings[from].replay(self.suite)?;
                let written = self.written.get(&(from.to_owned(), to.to_owned()));
                for _ in 0..written.copied().unwrap_or_default() {
                    sender.node.context().sessions.write_as_is(&RULES, &peer, b"")?;
                }
                pair = Some((sender, self.recordings[to].replay(self.suite)?));
            }
            let (sender, receiver) = pair.as_mut()?;
            sent += 1;
            let bytes = sender.node.context().sessions.write_as_is(&RULES, &peer, message)?;
            let (from, message) = (from.to_owned(), Some(message.into()));
            let event = Event::Packet { from, bytes: Hex(bytes), message };
            let clause = self.refusal(receiver, &event);
            if clause.is_none() {
                pair = None;
            }
            clause
        };
        Ok(self.sweep(ways, done, |sweep| sweep.run("Message", genuine, sign, evaluate)))
    }

    fn mutated_gossip(
        &self,
        from: &str,
        to: &str,
        genuine: &[u8],
        done: &mut Pairs,
    ) -> Result<Vec<(MutatedMessage, Clause)>, Refusal> {
        let ways = decode::<Gossip>(&RULES, genuine).map(|gossip| ReSigner::gossip_ways(&gossip))?;
        let signer = ReSigner::new(&self.network.keys);
        let sign = mended(|gossip: &mut Gossip, way| signer.gossip(gossip, way));
        let mut receiver: Option<Replayer> = None;
        let evaluate = |bytes: &[u8]| {
            if receiver.is_none() {
                receiver = self.recordings[to].replay(self.suite);
            }
            let event = Event::Gossip { from: from.to_owned(), bytes: bytes.into() };
            let clause = self.refusal(receiver.as_mut()?, &event);
            if clause.is_none() {
                receiver = None;
            }
            clause
        };
        Ok(self.sweep(ways, done, |sweep| sweep.run("Gossip", genuine, sign, evaluate)))
    }

    /// The clause by which an actor refuses an event now.
    fn refusal(&self, actor: &mut Replayer, event: &Event) -> Option<Clause> {
        handle_drawing(&mut actor.node, self.network.now(), event).ok()?.0.clause
    }

    fn sweep<T>(&self, ways: u8, done: &mut Pairs, run: impl FnOnce(&mut Sweep<'static>) -> T) -> T {
        let names = &["~", "dr-ben", "root-1", "validator-002", "cloud"];
        let mut sweep = Sweep { done: std::mem::take(done), ..Sweep::new(self.suite, names, ways) };
        let found = run(&mut sweep);
        *done = sweep.done;
        found
    }

    /// Delivers an envelope.
    pub(super) fn deliver(&mut self, envelope: Envelope) -> Result<Did, Refusal> {
        self.happen(&envelope.to, envelope.event)
    }
}
