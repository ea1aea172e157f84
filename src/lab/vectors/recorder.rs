//! A small town whose life is noted: what each actor took, and what it made of it.

use crate::forge::{MutatedMessage, ReSigner, Sweep, mended};
use crate::simulator::{LedgerKind, NetworkConfig, ProvisionedKeys, START};
use crate::vectors::Hex;
use crate::vectors::kinds::{RULES, Stop, Trust};
use crate::vectors::replayer::{Begin, Did, Event, Own, Replayer, Send, Step};
use bemr::crypto::{Digest, Domain, Suite};
use bemr::store::{Table, for_each_row};
use bemr::wire::{CloudLeaf, Gossip, Message, Name, Time, decode, encode};
use bemr_spec::{Clause, Refusal};
use std::collections::{BTreeMap, BTreeSet};

/// How long anything travels, in milliseconds.
const WAY: u64 = 5;

/// The life of one actor.
pub(super) struct ActorRecording {
    pub(super) begin: Begin,
    pub(super) steps: Vec<Step>,
    pub(super) did: Vec<Did>,
}

/// Pairs of field and clause.
pub(super) type Pairs = BTreeSet<(String, Clause)>;

impl ActorRecording {
    /// The actor as it is at the end of its tape.
    fn again(&self, suite: Suite) -> Option<Replayer> {
        let mut player = self.begin.start(suite, None).ok()?;
        for step in &self.steps {
            player.take(step).ok()?;
        }
        Some(player)
    }
}

/// Something on its way.
#[derive(Clone)]
pub(super) struct Envelope {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) event: Event,
}

/// Everybody, and what is on its way.
pub(super) struct Recorder {
    pub(super) suite: Suite,
    pub(super) foundation: ProvisionedKeys,
    pub(super) now: Time,
    pub(super) players: BTreeMap<String, Replayer>,
    pub(super) tapes: BTreeMap<String, ActorRecording>,
    flying: Vec<(Time, Envelope)>,
    /// How many records were written in whose name to whom that are on nobody's tape.
    written: BTreeMap<(String, String), u32>,
}

fn stopped(stop: Stop) -> Refusal {
    match stop {
        Stop::Refused(refusal) => refusal,
        Stop::Malformed(problem) => Refusal::new(Clause::EventFitsState).at(problem),
    }
}

impl Recorder {
    /// A town of four validators, or of so many as are asked for.
    pub(super) fn new(suite: Suite, validators: usize, ledger: LedgerKind) -> Result<Recorder, Refusal> {
        let foundation = NetworkConfig { ledger, ..NetworkConfig::new(suite, validators) }.found()?;
        let cast = foundation.cast.clone();
        let text = |name: &Name| name.as_str().to_owned();
        // A list that names a serial which nobody has.
        let mut list = foundation.trust.revocation_list().clone();
        list.body.serials = vec![u64::MAX].into();
        list.signature =
            foundation.kdc.signing_key().sign(&RULES, Domain::REVOCATION_LIST, &encode(&list.body));
        let certificates = foundation.directory.iter().map(|one| Hex(encode(one.certificate()))).collect();
        let begin = Begin {
            now: START.0,
            own: Own::of(&foundation.credentials[&cast.doctor]),
            trust: Trust::of(&foundation.kdc.anchor(), &list),
            certificates,
            genesis: Hex(encode(&foundation.genesis)),
            validators: cast.validators.iter().map(text).collect(),
            bsd: text(&cast.bsd),
            cloud: text(&cast.cloud),
            custodian: text(&cast.custodian),
            drawn: Hex::default(),
        };
        let mut town = Recorder {
            suite,
            foundation,
            now: START,
            players: BTreeMap::new(),
            tapes: BTreeMap::new(),
            flying: Vec::new(),
            written: BTreeMap::new(),
        };
        let users = cast.users().map(Name::clone);
        let all = users.iter().chain(&cast.validators).chain([&cast.bsd, &cast.cloud]);
        for (seed, who) in (1..).zip(all) {
            let mut begin = Begin { own: Own::of(&town.foundation.credentials[who]), ..begin.clone() };
            let mut player = begin.start(suite, Some(seed)).map_err(stopped)?;
            begin.drawn = Hex(player.node.context().rng.drawn());
            town.players.insert(text(who), player);
            town.tapes.insert(text(who), ActorRecording { begin, steps: Vec::new(), did: Vec::new() });
        }
        Ok(town)
    }

    /// Lets something happen to somebody; what they send is on its way.
    pub(super) fn happen(
        &mut self,
        who: &str,
        event: Event,
        comment: &str,
        fields: &[String],
    ) -> Result<Did, Refusal> {
        let player = self.players.get_mut(who).ok_or_else(|| Refusal::new(Clause::PeerIsIntended).at(who))?;
        let (did, drawn) = player.live(self.now, &event).map_err(stopped)?;
        let tape = self.tapes.get_mut(who).expect("every player has a tape");
        let (comment, fields) = (comment.to_owned(), fields.to_vec());
        tape.steps.push(Step { now: self.now.0, comment, fields, drawn, event });
        tape.did.push(did.clone());
        let others: Vec<String> = self.players.keys().filter(|other| *other != who).cloned().collect();
        let arrives = self.now.after(WAY);
        let from = || who.to_owned();
        for send in &did.sends {
            match send {
                Send::Packet { to, bytes, message } => {
                    let (bytes, message) = (bytes.clone(), message.clone());
                    let event = Event::Packet { from: from(), bytes, message };
                    self.flying.push((arrives, Envelope { from: from(), to: to.clone(), event }));
                }
                Send::Tell { to, bytes } => {
                    let event = Event::Gossip { from: from(), bytes: bytes.clone() };
                    self.flying.push((arrives, Envelope { from: from(), to: to.clone(), event }));
                }
                Send::Publish { bytes } => {
                    for to in &others {
                        let event = Event::Gossip { from: from(), bytes: bytes.clone() };
                        self.flying.push((arrives, Envelope { from: from(), to: to.clone(), event }));
                    }
                }
            }
        }
        Ok(did)
    }

    /// The first record that the cloud stored.
    pub(super) fn tid(&self) -> Option<Digest> {
        let leaves = self.rows("cloud", Table::Leaves).ok()?;
        decode::<CloudLeaf>(&RULES, &leaves.first()?.0).ok().map(|leaf| leaf.tid)
    }

    /// What somebody keeps in a table, in the order of its keys.
    pub(super) fn rows(&self, who: &str, table: Table) -> Result<Vec<Hex>, Refusal> {
        let mut rows = Vec::new();
        if let Some(player) = self.players.get(who) {
            player.archive.read(|store| {
                for_each_row(store, table, |_, value| {
                    rows.push(value.into());
                    Ok(())
                })
            })?;
        }
        Ok(rows)
    }

    /// What BSD and cloud keep and do not send, by table.
    pub(super) fn kept(&self) -> Result<Vec<(&'static str, Vec<u8>)>, Refusal> {
        let mut kept = Vec::new();
        for (name, who, table) in [
            ("AuditEntry", "bsd", Table::AuditEntries),
            ("SignedAuditHead", "bsd", Table::AuditHeads),
            ("CloudLeaf", "cloud", Table::Leaves),
            // A seal stands among other things there.
            ("Seal", "bsd", Table::Meta),
        ] {
            kept.extend(self.rows(who, table)?.into_iter().map(|row| (name, row.0)));
        }
        let start = self.players.get("bsd").and_then(|bsd| bsd.start.as_ref());
        kept.extend(start.map(|start| ("SealChainStart", encode(start))));
        Ok(kept)
    }

    /// Lives on, at most so many milliseconds, until a parcel for which `is` says yes is about to arrive: that parcel,
    /// which is then in nobody's hands.
    pub(super) fn until(
        &mut self,
        limit: u64,
        mut is: impl FnMut(&Envelope) -> bool,
    ) -> Result<Option<Envelope>, Refusal> {
        let end = self.now.after(limit);
        loop {
            let first = self.flying.iter().enumerate().min_by_key(|(place, (time, _))| (*time, *place));
            let first = first.map(|(place, (time, _))| (*time, place));
            let wakes = self
                .players
                .iter_mut()
                .filter_map(|(who, player)| Some((player.node.actor().wake()?, who.clone())));
            let alarm = wakes.min();
            match (first, alarm) {
                (Some((time, place)), alarm) if alarm.as_ref().is_none_or(|(wake, _)| time <= *wake) => {
                    if time > end {
                        self.now = end;
                        return Ok(None);
                    }
                    self.now = self.now.max(time);
                    let (_, parcel) = self.flying.remove(place);
                    if is(&parcel) {
                        return Ok(Some(parcel));
                    }
                    self.deliver(parcel)?;
                }
                (_, Some((wake, who))) => {
                    if wake > end {
                        self.now = end;
                        return Ok(None);
                    }
                    self.now = self.now.max(wake);
                    self.happen(&who, Event::Wake {}, "", &[])?;
                }
                _ => return Ok(None),
            }
        }
    }

    /// A parcel arrives, and before it what is wrong with it in one field.
    pub(super) fn beset(&mut self, parcel: Envelope, done: &mut Pairs) -> Result<Did, Refusal> {
        match &parcel.event {
            Event::Packet { message: Some(message), .. } => {
                let message = message.0.clone();
                let (from, to) = (parcel.from.clone(), parcel.to.clone());
                for (near, clause) in self.wrong_messages(&from, &to, &message, done)? {
                    let event = self.written(&from, &to, &near.bytes)?;
                    self.refused(&to, event, &near, clause)?;
                }
                // Their records have used up the number of the one that is on its way.
                let event = self.written(&from, &to, &message)?;
                self.happen(&to, event, "", &[])
            }
            Event::Gossip { from, bytes } => {
                let (from, bytes) = (from.clone(), bytes.0.clone());
                for (near, clause) in self.wrong_gossip(&from, &parcel.to, &bytes, done)? {
                    let event = Event::Gossip { from: from.clone(), bytes: Hex(near.bytes.clone()) };
                    self.refused(&parcel.to, event, &near, clause)?;
                }
                self.deliver(parcel)
            }
            _ => self.deliver(parcel),
        }
    }

    /// A message in a record of the newest session of `from` with `to`.
    pub(super) fn written(&mut self, from: &str, to: &str, message: &[u8]) -> Result<Event, Refusal> {
        let peer = Name::new(to).ok_or_else(|| Refusal::new(Clause::PeerIsIntended).at(to))?;
        let player = self.players.get_mut(from).ok_or_else(|| Refusal::new(Clause::PeerIsIntended))?;
        let written = player.node.context().sessions.write_as_is(&RULES, &peer, message);
        let bytes = written.ok_or_else(|| Refusal::new(Clause::SessionEstablished).at(to))?;
        *self.written.entry((from.to_owned(), to.to_owned())).or_default() += 1;
        Ok(Event::Packet { from: from.to_owned(), bytes: Hex(bytes), message: Some(message.into()) })
    }

    /// Something arrives that has to be refused; nobody hears what is answered.
    pub(super) fn refused(
        &mut self,
        to: &str,
        event: Event,
        near: &MutatedMessage,
        clause: Clause,
    ) -> Result<(), Refusal> {
        let before = self.flying.len();
        let comment = near.comment();
        let did = self.happen(to, event, &comment, &near.fields)?;
        self.flying.truncate(before);
        match did.refused_by() {
            Some(answered) if answered == clause => Ok(()),
            answered => {
                let answered = answered.map_or("taken", Clause::id);
                Err(Refusal::new(clause).at(format!("{comment}: {answered} instead")))
            }
        }
    }

    fn wrong_messages(
        &self,
        from: &str,
        to: &str,
        genuine: &[u8],
        done: &mut Pairs,
    ) -> Result<Vec<(MutatedMessage, Clause)>, Refusal> {
        let sender = Name::new(from).ok_or_else(|| Refusal::new(Clause::PeerIsIntended).at(from))?;
        let ways = decode::<Message>(&RULES, genuine).map(|message| ReSigner::ways(&message))?;
        let (tape, own) = (&self.tapes[to], &self.tapes[from]);
        let signer = ReSigner::new(&self.foundation);
        let mend = mended(|message: &mut Message, way| signer.message(message, &sender, way));
        let peer = Name::new(to).ok_or_else(|| Refusal::new(Clause::PeerIsIntended).at(to))?;
        let mut said = u32::MAX;
        let mut pair: Option<(Replayer, Replayer)> = None;
        let judge = |message: &[u8]| {
            if said >= 900 {
                pair = None;
            }
            if pair.is_none() {
                said = 0;
                let mut speaker = own.again(self.suite)?;
                let written = self.written.get(&(from.to_owned(), to.to_owned()));
                for _ in 0..written.copied().unwrap_or_default() {
                    speaker.node.context().sessions.write_as_is(&RULES, &peer, b"")?;
                }
                pair = Some((speaker, tape.again(self.suite)?));
            }
            let (speaker, hearer) = pair.as_mut()?;
            said += 1;
            let bytes = speaker.node.context().sessions.write_as_is(&RULES, &peer, message)?;
            let event =
                Event::Packet { from: from.to_owned(), bytes: Hex(bytes), message: Some(message.into()) };
            let did = hearer.live(self.now, &event).ok()?.0;
            if did.refused_by().is_none() {
                pair = None;
            }
            did.refused_by()
        };
        let mut sweep = self.sweep(ways, done);
        let found = sweep.run("Message", genuine, mend, judge);
        *done = sweep.done;
        Ok(found)
    }

    fn wrong_gossip(
        &self,
        from: &str,
        to: &str,
        genuine: &[u8],
        done: &mut Pairs,
    ) -> Result<Vec<(MutatedMessage, Clause)>, Refusal> {
        let ways = decode::<Gossip>(&RULES, genuine).map(|gossip| ReSigner::gossip_ways(&gossip))?;
        let tape = &self.tapes[to];
        let signer = ReSigner::new(&self.foundation);
        let mend = mended(|gossip: &mut Gossip, way| signer.gossip(gossip, way));
        let mut hearer: Option<Replayer> = None;
        let judge = |bytes: &[u8]| {
            if hearer.is_none() {
                hearer = tape.again(self.suite);
            }
            let event = Event::Gossip { from: from.to_owned(), bytes: bytes.into() };
            let did = hearer.as_mut()?.live(self.now, &event).ok()?.0;
            if did.refused_by().is_none() {
                hearer = None;
            }
            did.refused_by()
        };
        let mut sweep = self.sweep(ways, done);
        let found = sweep.run("Gossip", genuine, mend, judge);
        *done = sweep.done;
        Ok(found)
    }

    fn sweep(&self, ways: u8, done: &mut Pairs) -> Sweep<'static> {
        let names = &["~", "dr-ben", "root-1", "validator-002", "cloud"];
        Sweep { done: std::mem::take(done), ..Sweep::new(self.suite, names, ways) }
    }

    /// A parcel arrives.
    pub(super) fn deliver(&mut self, parcel: Envelope) -> Result<Did, Refusal> {
        let Envelope { to, event, .. } = parcel;
        self.happen(&to, event, "", &[])
    }
}
