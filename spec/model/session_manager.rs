//! Sessions with sessions: handshake, records, what waits, when it is begun anew (chapters 5 and 13).
//!
//! A session is the pair of hello and response that made it; only its two ends can write into it, and a record opens at
//! the other end alone. That this is so is what the handshake's clauses are for: without them an input with their flaw is
//! taken.

use crate::checks::Checks;
use crate::custodian::RecordId;
use crate::knowledge::ChainId;
use crate::rename::renamed;
use crate::roles::{initiates, responds};
use crate::shared::Shared;
use crate::trust::Trust;
use crate::{
    Actor, ContentType, Datagram, Flaws, HelloId, Message, Ordinal, Output, Packet, Record, SessionId, Time,
};
use bemr_spec::{Clause, Event, Rules, constants, order};
use std::collections::{BTreeMap, BTreeSet};

/// The most records of one direction of a session.
pub(super) const RECORDS: u32 = constants::SESSION_RECORDS as u32;

/// The most records skipped at once.
pub(super) const SKIPPED: u32 = constants::RECORDS_SKIPPED as u32;

/// A handshake that was begun, and what waits for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct PendingHandshake {
    hello: HelloId,
    /// When that hello was sent, and when the first one was.
    sent: Time,
    began: Time,
    next: Time,
    patience: Time,
    waiting: Vec<Message>,
}

/// A handshake that was answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Answer {
    session: SessionId,
    purpose: ContentType,
    began: Time,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct PeerSession {
    pub(super) peer: Actor,
    pub(super) initiator: bool,
    purpose: ContentType,
    sent: u32,
    received: u32,
    /// Nothing came back since something was said.
    silent: bool,
    /// A record was taken that is not after the last: only without SES-03.
    pub(super) repeated: bool,
}

/// The sessions of one actor.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct SessionManager {
    own: Actor,
    calling: BTreeMap<Actor, PendingHandshake>,
    /// The handshakes answered to each address, in the order of their hellos.
    answering: BTreeMap<Actor, Vec<Answer>>,
    pub(super) sessions: BTreeMap<SessionId, PeerSession>,
    newest: BTreeMap<Actor, SessionId>,
    /// When a hello was answered, and how many times.
    pub(super) heard: BTreeMap<HelloId, (Time, u32)>,
    /// How many hellos were sent to whom, and how many responses to anybody. Not something that an actor keeps: it makes
    /// every hello and response differ from all others, as random nonces do.
    hellos: BTreeMap<Actor, u32>,
    responses: u32,
    /// Handshakes in progress that another hello has ended: only without HSK-10. Not something that an actor keeps: it
    /// did not notice.
    pub(super) displaced: BTreeSet<SessionId>,
    /// What it knows of certificates.
    pub(super) trust: Shared<Trust>,
    /// What it took for what it is not, by the name of the message and the check that it fails: only without that clause.
    /// Not something that an actor keeps: it did not notice.
    pub(super) believed: BTreeSet<(&'static str, Clause)>,
}

/// What became of a packet.
pub(super) enum Received {
    /// A handshake went on.
    HandshakeProgress(Vec<Output>),
    /// A message of a session with this peer, in this record.
    Message(Actor, Message, RecordId),
}

impl SessionManager {
    pub(super) fn new(own: Actor, trust: Shared<Trust>) -> SessionManager {
        SessionManager {
            own,
            trust,
            calling: BTreeMap::new(),
            answering: BTreeMap::new(),
            sessions: BTreeMap::new(),
            newest: BTreeMap::new(),
            heard: BTreeMap::new(),
            hellos: BTreeMap::new(),
            responses: 0,
            displaced: BTreeSet::new(),
            believed: BTreeSet::new(),
        }
    }

    /// What was just taken fails these checks.
    pub(super) fn believe(&mut self, rules: &Rules, taken: &Datagram, flaws: Flaws) {
        let unchecked = flaws.iter().filter(|flaw| !rules.in_force(*flaw));
        self.believed.extend(unchecked.map(|flaw| (taken.name(), flaw)));
    }

    /// What it took for what it is not.
    pub(super) const fn believed(&self) -> &BTreeSet<(&'static str, Clause)> {
        &self.believed
    }

    /// Sessions live in memory alone.
    pub(super) fn crash(&mut self) {
        let SessionManager { own, hellos, responses, trust, believed, .. } = self;
        let (hellos, responses, believed) = (std::mem::take(hellos), *responses, std::mem::take(believed));
        *self = SessionManager { hellos, responses, believed, ..SessionManager::new(*own, trust.clone()) };
    }

    /// Makes a session of two actors that both have just shaken hands, of which nobody else has heard.
    pub(super) fn establish(&mut self, peer: Actor, purpose: ContentType) {
        let initiator = initiates(self.own, purpose);
        let (from, to) = if initiator { (self.own, peer) } else { (peer, self.own) };
        let session = SessionId {
            hello: HelloId { from, to, number: Ordinal::nth(1) },
            by: to,
            number: Ordinal::default(),
        };
        if initiator {
            self.hellos.insert(peer, 1);
        }
        self.keep(
            session,
            PeerSession { peer, initiator, purpose, sent: 0, received: 0, silent: false, repeated: false },
        );
    }

    /// The chains of all its sessions, each with the last number that went through it.
    pub(super) fn chains(&self) -> impl Iterator<Item = (ChainId, u32)> {
        self.sessions.iter().flat_map(|(session, line)| {
            let chain = |from_initiator| ChainId { session: *session, from_initiator };
            [(chain(line.initiator), line.sent), (chain(!line.initiator), line.received)]
        })
    }

    /// Says a message: in the newest session with the peer, or after a handshake.
    pub(super) fn say(
        &mut self,
        rules: &Rules,
        now: Time,
        peer: Actor,
        message: Message,
    ) -> Result<Vec<Output>, Clause> {
        let line = self.newest.get(&peer).and_then(|id| Some((*id, self.sessions.get_mut(id)?)));
        match line {
            Some((session, line)) if line.sent < RECORDS || !rules.in_force(Clause::KeyNotExhausted) => {
                Ok(vec![line.write(rules, session, peer, message)?])
            }
            _ => self.call(rules, now, peer, message),
        }
    }

    /// Says what got no answer before: where nothing at all came back, the peer may lack the session.
    pub(super) fn say_again(
        &mut self,
        rules: &Rules,
        now: Time,
        peer: Actor,
        message: Message,
    ) -> Result<Vec<Output>, Clause> {
        let line = self.newest.get(&peer).and_then(|id| self.sessions.get(id));
        match line.is_some_and(|line| line.silent) {
            true => self.call(rules, now, peer, message),
            false => self.say(rules, now, peer, message),
        }
    }

    fn call(
        &mut self,
        rules: &Rules,
        now: Time,
        peer: Actor,
        message: Message,
    ) -> Result<Vec<Output>, Clause> {
        if let Some(call) = self.calling.get_mut(&peer) {
            if call.waiting.len() < constants::SESSION_QUEUE && !call.waiting.contains(&message) {
                call.waiting.push(message);
            }
            return Ok(Vec::new());
        }
        let checks = Checks::of(rules, Flaws::NONE);
        checks.require(Clause::PeerIsNotSelf, peer != self.own)?;
        checks.require(Clause::RoleFitsPlace, initiates(self.own, message.stage()))?;
        let hello = self.hello(peer);
        let (next, patience) = (now + constants::HANDSHAKE_RETRY_MS, 2 * constants::HANDSHAKE_RETRY_MS);
        let purpose = message.stage();
        self.calling.insert(
            peer,
            PendingHandshake { hello, sent: now, began: now, next, patience, waiting: vec![message] },
        );
        Ok(vec![Output::Send(peer, Packet::Hello { hello, purpose })])
    }

    fn hello(&mut self, to: Actor) -> HelloId {
        let number = self.hellos.entry(to).or_default();
        *number += 1;
        HelloId { from: self.own, to, number: Ordinal::nth(*number) }
    }

    /// Takes a packet that comes from the address `from`. Which event a message is depends on who receives it.
    pub(super) fn receive(
        &mut self,
        rules: &Rules,
        now: Time,
        from: Actor,
        packet: &Packet,
        flaws: Flaws,
    ) -> (Event, Result<Received, Clause>) {
        let checks = Checks::of(rules, flaws);
        // Corrupt bytes show before anybody knows what they are.
        let decodes =
            checks.sound(Clause::SizeWithinBound).and_then(|()| checks.sound(Clause::OneEncodingPerValue));
        if let Err(clause) = decodes {
            return (Event::Malformed, Err(clause));
        }
        match packet {
            Packet::Hello { hello, purpose } => {
                (Event::Hello, self.on_hello(&checks, now, from, *hello, *purpose))
            }
            Packet::Response { session } => {
                (Event::Response, self.on_response(rules, &checks, now, from, *session))
            }
            Packet::Finish { session, by } => {
                (Event::Finish, self.on_finish(&checks, now, from, *session, *by))
            }
            Packet::Record(record) => match self.on_record(&checks, now, record) {
                Err(Clause::MessageTypeIsExpected) => (Event::Unexpected, Err(Clause::MessageTypeIsExpected)),
                received => (Event::Record, received),
            },
        }
    }

    fn on_hello(
        &mut self,
        checks: &Checks<'_>,
        now: Time,
        from: Actor,
        hello: HelloId,
        purpose: ContentType,
    ) -> Result<Received, Clause> {
        let mut asked = checks.in_order(order::HELLO);
        asked.require(Clause::RoleFitsPlace, responds(self.own, purpose))?;
        let remembered =
            self.heard.get(&hello).is_some_and(|(heard, _)| now < heard + constants::HANDSHAKE_MS);
        asked.require(Clause::SessionIsFresh, !remembered)?;
        asked.rest()?;
        self.heard.retain(|_, (heard, _)| now < *heard + constants::HANDSHAKE_MS);
        let heard = self.heard.entry(hello).or_insert((now, 0));
        *heard = (now, heard.1 + 1);
        self.responses += 1;
        let session = SessionId { hello, by: self.own, number: Ordinal::nth(self.responses) };
        if !checks.in_force(Clause::HelloDisplacesNone)
            && let Some(answers) = self.answering.remove(&from)
        {
            self.displaced.extend(answers.into_iter().map(|answer| answer.session));
        }
        self.evict(now, from);
        self.answering.entry(from).or_default().push(Answer { session, purpose, began: now });
        Ok(Received::HandshakeProgress(vec![Output::Send(from, Packet::Response { session })]))
    }

    /// Makes room for one more handshake that awaits a finish from this address.
    fn evict(&mut self, now: Time, from: Actor) {
        let full = |own: &Self| {
            let of_address = own.answering.get(&from).map_or(0, Vec::len);
            let of_all: usize = own.answering.values().map(Vec::len).sum();
            (of_address >= constants::HALF_OPEN_KEPT, of_all >= constants::SESSIONS_KEPT)
        };
        if full(self) == (false, false) {
            return;
        }
        for answers in self.answering.values_mut() {
            answers.retain(|answer| now < answer.began + constants::HANDSHAKE_MS);
        }
        let oldest = |answers: &Vec<Answer>| answers.first().map(|answer| answer.session.number);
        let address = match full(self) {
            (true, _) => Some(from),
            (false, true) => {
                let by_age =
                    self.answering.iter().filter_map(|(peer, answers)| Some((oldest(answers)?, *peer)));
                by_age.min().map(|(_, peer)| peer)
            }
            (false, false) => None,
        };
        if let Some(answers) = address.and_then(|address| self.answering.get_mut(&address)) {
            answers.remove(0);
        }
        self.answering.retain(|_, answers| !answers.is_empty());
    }

    fn on_response(
        &mut self,
        rules: &Rules,
        checks: &Checks<'_>,
        now: Time,
        from: Actor,
        session: SessionId,
    ) -> Result<Received, Clause> {
        let call = self.calling.get(&from).ok_or(Clause::EventFitsState)?;
        let mut asked = checks.in_order(order::RESPONSE);
        asked.require(Clause::SessionIsFresh, now < call.sent + constants::HANDSHAKE_MS)?;
        // The proof opens under a key that the hello's ephemeral makes.
        asked.require(Clause::FlightIsAuthentic, session.hello == call.hello)?;
        asked.part(order::CERTIFICATE)?;
        self.trust.verify(checks, now, session.by)?;
        asked.require(Clause::PeerIsNotSelf, session.by != self.own)?;
        asked.require(Clause::PeerIsIntended, session.by == from)?;
        let purpose = call.waiting.first().map_or(ContentType::Initial, Message::stage);
        asked.require(Clause::RoleFitsPlace, responds(session.by, purpose))?;
        asked.rest()?;
        let waiting = self.calling.remove(&from).map_or(Vec::new(), |call| call.waiting);
        let mut line = PeerSession {
            peer: session.by,
            initiator: true,
            purpose,
            sent: 0,
            received: 0,
            silent: false,
            repeated: false,
        };
        let mut outputs = vec![Output::Send(from, Packet::Finish { session, by: self.own })];
        outputs
            .extend(waiting.into_iter().filter_map(|message| line.write(rules, session, from, message).ok()));
        self.keep(session, line);
        Ok(Received::HandshakeProgress(outputs))
    }

    fn on_finish(
        &mut self,
        checks: &Checks<'_>,
        now: Time,
        from: Actor,
        session: SessionId,
        by: Actor,
    ) -> Result<Received, Clause> {
        let answers = self.answering.get(&from).ok_or(Clause::EventFitsState)?;
        let place = opened_by(answers, checks, now, session);
        let answer = answers.get(place).ok_or(Clause::EventFitsState)?;
        let mut asked = checks.in_order(order::FINISH);
        asked.require(Clause::SessionIsFresh, now < answer.began + constants::HANDSHAKE_MS)?;
        asked.require(Clause::FlightIsAuthentic, session == answer.session)?;
        asked.part(order::CERTIFICATE)?;
        self.trust.verify(checks, now, by)?;
        asked.require(Clause::PeerIsNotSelf, by != self.own)?;
        asked.require(Clause::RoleFitsPlace, initiates(by, answer.purpose))?;
        asked.rest()?;
        let purpose = answer.purpose;
        if let Some(answers) = self.answering.get_mut(&from) {
            answers.remove(place);
        }
        self.answering.retain(|_, answers| !answers.is_empty());
        self.keep(
            session,
            PeerSession {
                peer: by,
                initiator: false,
                purpose,
                sent: 0,
                received: 0,
                silent: false,
                repeated: false,
            },
        );
        Ok(Received::HandshakeProgress(Vec::new()))
    }

    fn on_record(&mut self, checks: &Checks<'_>, now: Time, record: &Record) -> Result<Received, Clause> {
        let line = self.sessions.get_mut(&record.session).ok_or(Clause::SessionEstablished)?;
        self.trust.recheck(checks, now, line.peer)?;
        let mut asked = checks.in_order(order::RECORD);
        asked.require(Clause::DirectionIsIncoming, record.from_initiator != line.initiator)?;
        asked.require(Clause::StageFitsSession, record.stage == line.purpose)?;
        asked.require(Clause::SequenceAdvances, record.sequence > line.received)?;
        asked.require(Clause::SkipIsBounded, record.sequence <= line.received.saturating_add(SKIPPED))?;
        asked.require(Clause::KeyNotExhausted, record.sequence <= RECORDS)?;
        asked.rest()?;
        line.repeated |= record.sequence <= line.received;
        (line.received, line.silent) = (record.sequence, false);
        let peer = line.peer;
        checks.require(Clause::MessageTypeIsExpected, record.message.stage() == record.stage)?;
        Ok(Received::Message(peer, record.message, RecordId::of(record)))
    }

    fn keep(&mut self, session: SessionId, line: PeerSession) {
        self.newest.insert(line.peer, session);
        self.sessions.insert(session, line);
    }

    /// Begins anew the handshakes that got no response, and gives up those that never got one.
    pub(super) fn retry(&mut self, now: Time) -> Vec<Output> {
        self.calling.retain(|_, call| now < call.began + constants::HANDSHAKE_MS);
        let due: Vec<Actor> =
            self.calling.iter().filter(|(_, call)| call.next <= now).map(|(peer, _)| *peer).collect();
        let mut outputs = Vec::new();
        for peer in due {
            let hello = self.hello(peer);
            let Some(call) = self.calling.get_mut(&peer) else { continue };
            (call.next, call.patience) = (now + call.patience, 2 * call.patience);
            (call.hello, call.sent) = (hello, now);
            let purpose = call.waiting.first().map_or(ContentType::Initial, Message::stage);
            outputs.push(Output::Send(peer, Packet::Hello { hello, purpose }));
        }
        outputs
    }

    /// Whether it took no record twice.
    pub(super) fn no_record_repeated(&self) -> bool {
        self.sessions.values().all(|line| !line.repeated)
    }

    /// Whether it answered no hello twice.
    pub(super) fn no_hello_repeated(&self) -> bool {
        self.heard.values().all(|(_, times)| *times == 1)
    }

    /// Whether those answered its hellos whom they were meant for.
    pub(super) fn answered_as_meant(&self) -> bool {
        self.sessions.iter().all(|(id, line)| !line.initiator || id.hello.to == id.by)
    }

    /// Whether its peer in every session is the other end.
    pub(super) fn peers_are_ends(&self) -> bool {
        self.sessions.iter().all(|(id, line)| line.peer == if line.initiator { id.by } else { id.hello.from })
    }

    /// Whether it is itself at its end of every session.
    pub(super) fn is_end_itself(&self) -> bool {
        self.sessions.iter().all(|(id, line)| self.own == if line.initiator { id.hello.from } else { id.by })
    }

    /// Whether the handshake of none of its sessions was ended at the other side by another hello.
    pub(super) fn none_displaced_by(&self, peers: &[&SessionManager]) -> bool {
        let displaced = |id: &SessionId| peers.iter().any(|peer| peer.displaced.contains(id));
        !self.sessions.keys().any(displaced)
    }

    /// Whether there is any session.
    pub(super) fn has_sessions(&self) -> bool {
        !self.sessions.is_empty()
    }

    /// When there is something to begin anew or to give up.
    pub(super) fn wake(&self) -> Option<Time> {
        self.calling.values().map(|call| call.next.min(call.began + constants::HANDSHAKE_MS)).min()
    }
}

/// The place of the answered handshake that a finish of `session` opens in, the one with the newest hello first; the newest
/// one's when it opens in none.
fn opened_by(answers: &[Answer], checks: &Checks<'_>, now: Time, session: SessionId) -> usize {
    let opens = |answer: &Answer| {
        checks.require(Clause::SessionIsFresh, now < answer.began + constants::HANDSHAKE_MS).is_ok()
            && checks.require(Clause::FlightIsAuthentic, session == answer.session).is_ok()
    };
    answers.iter().rposition(opens).unwrap_or(answers.len().saturating_sub(1))
}

impl PeerSession {
    fn write(
        &mut self,
        rules: &Rules,
        session: SessionId,
        to: Actor,
        message: Message,
    ) -> Result<Output, Clause> {
        let checks = Checks::of(rules, Flaws::NONE);
        checks.require(Clause::StageFitsSession, message.stage() == self.purpose)?;
        checks.require(Clause::KeyNotExhausted, self.sent < RECORDS)?;
        self.sent += 1;
        self.silent = true;
        let (from_initiator, stage, sequence) = (self.initiator, message.stage(), self.sent);
        let record = Record { session, from_initiator, stage, sequence, message };
        Ok(Output::Send(to, Packet::Record(record)))
    }
}

renamed!(PendingHandshake { hello, sent, began, next, patience, waiting });
renamed!(Answer { session, purpose, began });
renamed!(PeerSession { peer, initiator, purpose, sent, received, silent, repeated });
renamed!(SessionManager {
    own,
    calling,
    answering,
    sessions,
    newest,
    heard,
    hellos,
    responses,
    displaced,
    trust,
    believed
});
