//! An actor's sessions with its peers: it performs a handshake when there is a message to send, queues what waits for a
//! session, and sorts packets by what they belong to.

use crate::actors::Output;
#[cfg(bemr_weaken)]
use crate::crypto::AeadKey;
use crate::keys::{CertifiedPrincipal, Credentials, TrustStore};
#[cfg(bemr_weaken)]
use crate::session::Position;
use crate::session::{AwaitingFinish, AwaitingHello, AwaitingResponse, Session, UsedKey};
use crate::wire::{Message, Name, Packet, Record, SessionId, SessionType, Time, decode, encode};
use bemr_spec::{Clause, Event, Refusal, Rules, constants};
use rand::CryptoRng;
use std::collections::BTreeMap;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The sessions of one actor.
pub struct SessionManager {
    own: Credentials,
    listening: AwaitingHello,
    calling: BTreeMap<Name, PendingHandshake>,
    /// Handshakes that await their finish, by the address of the initiator and the order of their hellos.
    answering: BTreeMap<(Name, u64), AwaitingFinish>,
    /// How many hellos were answered.
    answered: u64,
    sessions: BTreeMap<SessionId, PeerSession>,
    /// The newest session with each peer.
    newest: BTreeMap<Name, SessionId>,
    #[cfg(bemr_weaken)]
    tap: Option<Vec<Overheard>>,
    /// What the last record held.
    #[cfg(bemr_weaken)]
    opened: Option<Vec<u8>>,
}

/// What a checker observes of an actor's sessions and nobody else does.
#[cfg(bemr_weaken)]
#[expect(clippy::large_enum_variant, reason = "nearly all of them are messages")]
pub enum Overheard {
    /// A message that the actor wants to send, or has just written into a session.
    Message {
        /// To whom.
        peer: Name,
        /// What.
        message: Message,
        /// Where it was written, and the key that protects it; nothing while it waits for a session.
        written: Option<(Position, AeadKey)>,
    },
    /// A session began, with these chain keys.
    Session(SessionId, [[u8; 32]; 2]),
}

/// A session and how it goes.
struct PeerSession {
    session: Session,
    used: Time,
    /// Whether nothing came back since something was sent: the peer may not have the session, or not any more.
    silent: bool,
}

/// A handshake that this side began, and what waits for it.
struct PendingHandshake {
    state: Option<AwaitingResponse>,
    /// When the first hello was sent.
    began: Time,
    /// When the next one is due, and how long the one after waits.
    next: Time,
    patience: u64,
    waiting: Vec<Message>,
}

/// What became of a packet.
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it is taken apart at once")]
pub enum Received {
    /// A handshake went on; these packets continue it, and carry what waited for it.
    HandshakeProgress(Event, Vec<Output>, Vec<(Name, Message, UsedKey)>),
    /// A message of an established session.
    Message {
        /// The sender.
        peer: Arc<CertifiedPrincipal>,
        /// The message.
        message: Message,
        /// The key that protected it.
        key: UsedKey,
    },
}

impl SessionManager {
    /// No sessions yet.
    pub fn new(own: &Credentials) -> SessionManager {
        SessionManager {
            own: own.clone(),
            listening: AwaitingHello::new(own),
            calling: BTreeMap::new(),
            answering: BTreeMap::new(),
            answered: 0,
            sessions: BTreeMap::new(),
            newest: BTreeMap::new(),
            #[cfg(bemr_weaken)]
            tap: None,
            #[cfg(bemr_weaken)]
            opened: None,
        }
    }

    /// From now on a checker can observe what is sent.
    #[cfg(bemr_weaken)]
    pub fn tap(&mut self) {
        self.tap = Some(Vec::new());
    }

    /// What an intruder finds in memory: the keys of all its sessions.
    #[cfg(bemr_weaken)]
    pub fn stolen(&self) -> impl Iterator<Item = crate::session::Stolen> {
        self.sessions.values().map(|line| line.session.stolen())
    }

    /// What was sent since the last call, in order.
    #[cfg(bemr_weaken)]
    pub fn overheard(&mut self) -> Vec<Overheard> {
        self.tap.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// The last message that was sent since the last call of [`SessionManager::overheard`].
    #[cfg(bemr_weaken)]
    pub fn last_overheard(&self) -> Option<&Message> {
        self.tap.iter().flatten().rev().find_map(|heard| match heard {
            Overheard::Message { message, .. } => Some(message),
            Overheard::Session(..) => None,
        })
    }

    /// What the record held that was opened since this was last asked, if one was.
    #[cfg(bemr_weaken)]
    pub fn last_opened(&mut self) -> Option<Vec<u8>> {
        self.opened.take()
    }

    /// Writes these bytes into the newest session with `peer`, whatever they are.
    #[cfg(bemr_weaken)]
    pub fn write_as_is(&mut self, rules: &Rules, peer: &Name, plaintext: &[u8]) -> Option<Vec<u8>> {
        let session = &mut self.newest.get(peer).and_then(|id| self.sessions.get_mut(id))?.session;
        let stage = session.purpose().stage();
        session.seal_record(rules, stage, plaintext).ok().map(|sent| sent.record)
    }

    /// Notes a message for the checker that observes this actor.
    #[cfg_attr(not(bemr_weaken), expect(clippy::unused_self, unused_variables, reason = "no checker"))]
    fn note(&mut self, peer: &Name, message: &Message, key: Option<&UsedKey>) {
        #[cfg(bemr_weaken)]
        if let Some(tap) = &mut self.tap {
            let written = key.map(|key| (key.position(), key.key().clone()));
            tap.push(Overheard::Message { peer: peer.clone(), message: message.clone(), written });
        }
    }

    /// Sends `message` to `peer`: at once where there is a session, else after a handshake. The key that protected
    /// the message comes back, or comes with [`Received::HandshakeProgress`].
    ///
    /// # Errors
    /// Those of [`AwaitingResponse::begin`] and [`Session::seal_record`].
    pub fn send<R: CryptoRng + ?Sized>(
        &mut self,
        rules: &Rules,
        rng: &mut R,
        now: Time,
        peer: &Name,
        message: Message,
    ) -> Result<(Vec<Output>, Option<UsedKey>), Refusal> {
        match self.write_to(rules, peer, &message, &plaintext(&message)) {
            Some(written) => written.map(|(output, key)| (vec![output], Some(key))),
            None => self.call(rules, rng, now, peer, message),
        }
    }

    /// Retransmits what got no answer. Where nothing at all came back, the peer may lack the session, and this
    /// begins another.
    ///
    /// # Errors
    /// As [`SessionManager::send`].
    pub fn retransmit<R: CryptoRng + ?Sized>(
        &mut self,
        rules: &Rules,
        rng: &mut R,
        now: Time,
        peer: &Name,
        message: Message,
    ) -> Result<(Vec<Output>, Option<UsedKey>), Refusal> {
        let line = self.newest.get(peer).and_then(|id| self.sessions.get(id));
        match line.is_some_and(|line| line.silent) {
            true => self.call(rules, rng, now, peer, message),
            false => self.send(rules, rng, now, peer, message),
        }
    }

    fn call<R: CryptoRng + ?Sized>(
        &mut self,
        rules: &Rules,
        rng: &mut R,
        now: Time,
        peer: &Name,
        message: Message,
    ) -> Result<(Vec<Output>, Option<UsedKey>), Refusal> {
        self.note(peer, &message, None);
        if let Some(call) = self.calling.get_mut(peer) {
            if call.waiting.len() < constants::SESSION_QUEUE && !call.waiting.contains(&message) {
                call.waiting.push(message);
            }
            return Ok((Vec::new(), None));
        }
        let hello = self.begin(rules, rng, now, peer, purpose_of(&message), vec![message])?;
        Ok((vec![hello], None))
    }

    fn begin<R: CryptoRng + ?Sized>(
        &mut self,
        rules: &Rules,
        rng: &mut R,
        now: Time,
        peer: &Name,
        purpose: SessionType,
        waiting: Vec<Message>,
    ) -> Result<Output, Refusal> {
        let (state, packet) = AwaitingResponse::begin(rules, rng, now, &self.own, purpose, peer)?;
        let (next, patience) = (now.after(constants::HANDSHAKE_RETRY_MS), 2 * constants::HANDSHAKE_RETRY_MS);
        let call = PendingHandshake { state: Some(state), began: now, next, patience, waiting };
        self.calling.insert(peer.clone(), call);
        Ok(Output::Send { to: peer.clone(), label: "Hello", packet })
    }

    /// Begins a handshake with `peer` without a message to send.
    ///
    /// # Errors
    /// Those of [`AwaitingResponse::begin`].
    #[cfg(bemr_weaken)]
    pub fn greet<R: CryptoRng + ?Sized>(
        &mut self,
        rules: &Rules,
        rng: &mut R,
        now: Time,
        peer: &Name,
        purpose: SessionType,
    ) -> Result<Output, Refusal> {
        self.begin(rules, rng, now, peer, purpose, Vec::new())
    }

    /// Sends `message` to each of `peers`, as [`SessionManager::send`] does; it is encoded once. One that cannot be reached
    /// does not keep it from the others.
    pub fn send_to_all<R: CryptoRng + ?Sized>(
        &mut self,
        rules: &Rules,
        rng: &mut R,
        now: Time,
        peers: &[Name],
        message: &Message,
    ) -> (Vec<Output>, Vec<UsedKey>) {
        let plaintext = plaintext(message);
        let (mut outputs, mut keys) = (Vec::new(), Vec::new());
        for peer in peers {
            let sent = match self.write_to(rules, peer, message, &plaintext) {
                Some(Ok((output, key))) => Ok((vec![output], Some(key))),
                Some(Err(refusal)) => Err(refusal),
                None => self.call(rules, rng, now, peer, message.clone()),
            };
            if let Ok((sent, key)) = sent {
                outputs.extend(sent);
                keys.extend(key);
            }
        }
        (outputs, keys)
    }

    /// Writes into the newest session with `peer`; nothing where there is none that has keys left.
    fn write_to(
        &mut self,
        rules: &Rules,
        peer: &Name,
        message: &Message,
        plaintext: &[u8],
    ) -> Option<Result<(Output, UsedKey), Refusal>> {
        let line = self.newest.get(peer).and_then(|id| self.sessions.get_mut(id))?;
        match write(rules, &mut line.session, peer, message, plaintext) {
            // A session at its end is followed by another.
            Err(refusal) if refusal.clause() == Clause::KeyNotExhausted => None,
            written => {
                line.silent |= written.is_ok();
                if let Ok((_, key)) = &written {
                    self.note(peer, message, Some(key));
                }
                Some(written)
            }
        }
    }

    /// Takes a packet.
    ///
    /// # Errors
    /// Those of the handshake and of [`Session::open_record`]; ENC-01 for a plaintext that is no message; ENC-02 for
    /// a message of another stage.
    pub fn receive<R: CryptoRng + ?Sized>(
        &mut self,
        rules: &Rules,
        rng: &mut R,
        trust: &mut TrustStore,
        now: Time,
        from: &Name,
        packet: &[u8],
    ) -> (Event, Result<Received, Refusal>) {
        match decode::<Packet>(rules, packet) {
            Err(refusal) => (Event::Malformed, Err(refusal)),
            Ok(Packet::Hello(_)) => (Event::Hello, self.on_hello(rules, rng, now, from, packet)),
            Ok(Packet::Response(_)) => (Event::Response, self.on_response(rules, trust, now, from, packet)),
            Ok(Packet::Finish(_)) => (Event::Finish, self.on_finish(rules, trust, now, from, packet)),
            Ok(Packet::Record(record)) => self.on_record(rules, now, trust, &record),
        }
    }

    fn on_hello<R: CryptoRng + ?Sized>(
        &mut self,
        rules: &Rules,
        rng: &mut R,
        now: Time,
        from: &Name,
        packet: &[u8],
    ) -> Result<Received, Refusal> {
        let (state, response) = self.listening.on_hello(rules, rng, now, packet)?;
        if !rules.in_force(Clause::HelloDisplacesNone) {
            self.answering.retain(|(address, _), _| address != from);
        }
        self.make_room(now, from);
        self.answering.insert((from.clone(), self.answered), state);
        self.answered += 1;
        let output = Output::Send { to: from.clone(), label: "Response", packet: response };
        Ok(Received::HandshakeProgress(Event::Hello, vec![output], Vec::new()))
    }

    fn on_response(
        &mut self,
        rules: &Rules,
        trust: &mut TrustStore,
        now: Time,
        from: &Name,
        packet: &[u8],
    ) -> Result<Received, Refusal> {
        let unasked = || Refusal::new(Clause::EventFitsState).at("Response");
        let call = self.calling.get_mut(from).ok_or_else(unasked)?;
        let state = call.state.take().ok_or_else(unasked)?;
        let (mut session, finish) = match state.on_response(rules, trust, now, packet) {
            Ok(established) => established,
            Err(refused) => {
                call.state = Some(refused.state);
                return Err(refused.refusal);
            }
        };
        let mut outputs = vec![Output::Send { to: from.clone(), label: "Finish", packet: finish }];
        let mut sent = Vec::new();
        let waiting = std::mem::take(&mut call.waiting);
        self.calling.remove(from);
        for message in waiting {
            // What one session does not carry, no other does: the message is too long for any.
            let Ok((output, key)) = write(rules, &mut session, from, &message, &plaintext(&message)) else {
                continue;
            };
            self.note(from, &message, Some(&key));
            outputs.push(output);
            sent.push((from.clone(), message, key));
        }
        self.keep(now, session, !sent.is_empty());
        Ok(Received::HandshakeProgress(Event::Response, outputs, sent))
    }

    fn on_finish(
        &mut self,
        rules: &Rules,
        trust: &mut TrustStore,
        now: Time,
        from: &Name,
        packet: &[u8],
    ) -> Result<Received, Refusal> {
        // A finish does not name the hello that it answers; only the right handshake's key opens it.
        let mut refusal = None;
        for place in self.answered_to(from).map(|(place, _)| place.clone()).rev().collect::<Vec<_>>() {
            let Some(state) = self.answering.remove(&place) else { continue };
            match state.on_finish(rules, trust, now, packet) {
                Ok(session) => {
                    self.keep(now, session, false);
                    return Ok(Received::HandshakeProgress(Event::Finish, Vec::new(), Vec::new()));
                }
                Err(refused) => {
                    self.answering.insert(place, refused.state);
                    let clause = refused.refusal.clause();
                    if !matches!(clause, Clause::SessionIsFresh | Clause::FlightIsAuthentic) {
                        return Err(refused.refusal);
                    }
                    refusal.get_or_insert(refused.refusal);
                }
            }
        }
        Err(refusal.unwrap_or_else(|| Refusal::new(Clause::EventFitsState).at("Finish")))
    }

    /// The handshakes that await a finish from this address, the oldest first.
    fn answered_to(&self, from: &Name) -> impl DoubleEndedIterator<Item = (&(Name, u64), &AwaitingFinish)> {
        self.answering.range((from.clone(), 0)..=(from.clone(), u64::MAX))
    }

    /// Makes room for one more handshake with `from`: those that are over give way, then the oldest one of that address, or
    /// else of all.
    fn make_room(&mut self, now: Time, from: &Name) {
        let crowded = |own: &Self| own.answered_to(from).count() >= constants::HALF_OPEN_KEPT;
        if crowded(self) || self.answering.len() >= constants::SESSIONS_KEPT {
            self.answering.retain(|_, state| now < state.began().after(constants::HANDSHAKE_MS));
        }
        let oldest = if crowded(self) {
            self.answered_to(from).next().map(|(place, _)| place.clone())
        } else if self.answering.len() >= constants::SESSIONS_KEPT {
            self.answering.keys().min_by_key(|(_, number)| *number).cloned()
        } else {
            None
        };
        if let Some(oldest) = oldest {
            self.answering.remove(&oldest);
        }
    }

    fn on_record(
        &mut self,
        rules: &Rules,
        now: Time,
        trust: &TrustStore,
        record: &Record,
    ) -> (Event, Result<Received, Refusal>) {
        let Some(PeerSession { session, used, silent }) = self.sessions.get_mut(&record.header.session)
        else {
            return (Event::Record, Err(Refusal::new(Clause::SessionEstablished)));
        };
        // A peer that was revoked after the handshake is refused from that instant on.
        if let Err(refusal) = trust.recheck(rules, now, session.peer()) {
            return (Event::Record, Err(refusal));
        }
        let opened = match session.open_decoded(rules, record) {
            Ok(opened) => opened,
            Err(refusal) => return (Event::Record, Err(refusal)),
        };
        (*used, *silent) = (now, false);
        #[cfg(bemr_weaken)]
        if self.tap.is_some() {
            self.opened = Some(opened.message.to_vec());
        }
        let stage = opened.key.position().stage;
        let peer = Arc::clone(session.peer());
        match decode::<Message>(rules, &opened.message) {
            Err(refusal) => (Event::Record, Err(refusal)),
            Ok(message) => {
                // Which event the message is depends on who receives it.
                let fits = rules.require(Clause::MessageTypeIsExpected, message.stage() == stage);
                (Event::Unexpected, fits.map(|()| Received::Message { peer, message, key: opened.key }))
            }
        }
    }

    fn keep(&mut self, now: Time, session: Session, silent: bool) {
        if self.sessions.len() >= constants::SESSIONS_KEPT
            && let Some(oldest) = self.sessions.iter().min_by_key(|(_, line)| line.used).map(|(id, _)| *id)
        {
            self.sessions.remove(&oldest);
        }
        #[cfg(bemr_weaken)]
        if let Some(tap) = &mut self.tap {
            tap.push(Overheard::Session(session.id(), session.chains()));
        }
        self.newest.insert(session.peer().name().clone(), session.id());
        self.sessions.insert(session.id(), PeerSession { session, used: now, silent });
    }

    /// Begins anew the handshakes that got no response in time, and gives up those that never got one, with what
    /// waits for them.
    pub fn retry<R: CryptoRng + ?Sized>(&mut self, rules: &Rules, rng: &mut R, now: Time) -> Vec<Output> {
        self.calling.retain(|_, call| now < call.began.after(constants::HANDSHAKE_MS));
        let mut outputs = Vec::new();
        for (peer, call) in &mut self.calling {
            if now < call.next {
                continue;
            }
            (call.next, call.patience) = (now.after(call.patience), 2 * call.patience);
            let purpose = call.waiting.first().map(purpose_of);
            let begun =
                purpose.map(|purpose| AwaitingResponse::begin(rules, rng, now, &self.own, purpose, peer));
            if let Some(Ok((state, packet))) = begun {
                call.state = Some(state);
                outputs.push(Output::Send { to: peer.clone(), label: "Hello", packet });
            }
        }
        outputs
    }

    /// When [`SessionManager::retry`] has something to do.
    pub fn wake(&self) -> Option<Time> {
        self.calling.values().map(|call| call.next.min(call.began.after(constants::HANDSHAKE_MS))).min()
    }
}

fn purpose_of(message: &Message) -> SessionType {
    match message.stage() {
        crate::wire::ContentType::Block => SessionType::Block,
        crate::wire::ContentType::Valid => SessionType::Valid,
        crate::wire::ContentType::Read => SessionType::Read,
        crate::wire::ContentType::Initial | crate::wire::ContentType::Handshake => SessionType::Initial,
    }
}

fn plaintext(message: &Message) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(encode(message))
}

fn write(
    rules: &Rules,
    session: &mut Session,
    peer: &Name,
    message: &Message,
    plaintext: &[u8],
) -> Result<(Output, UsedKey), Refusal> {
    let sent = session.seal_record(rules, message.stage(), plaintext)?;
    Ok((Output::Send { to: peer.clone(), label: message.name(), packet: sent.record }, sent.key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{Digest, Domain};
    use crate::keys::tests::{NOW, World, name};
    use crate::wire::{Decision, Height, Outcome, Reason, Role};

    const HARD: Rules = Rules::hardened();

    /// A BSD, and a user who calls it under any name.
    struct Door {
        world: World,
        user: Credentials,
        bsd: SessionManager,
    }

    impl Door {
        fn new(seed: u64) -> Door {
            let mut world = World::new(seed);
            let (user, bsd) = (world.enrol("alice", Role::Doctor), world.enrol("bsd", Role::Bsd));
            Door { world, user, bsd: SessionManager::new(&bsd) }
        }

        fn knock(&mut self, n: usize, now: Time) {
            let (rng, bsd) = (&mut self.world.rng, name("bsd"));
            let begun = AwaitingResponse::begin(&HARD, rng, now, &self.user, SessionType::Initial, &bsd);
            self.bsd.on_hello(&HARD, rng, now, &peer(n), &begun.unwrap().1).unwrap();
        }
    }

    impl Door {
        /// How many handshakes await a finish of this peer.
        fn awaited(&self, n: usize) -> usize {
            self.bsd.answered_to(&peer(n)).count()
        }
    }

    fn peer(n: usize) -> Name {
        name(&format!("peer-{n}"))
    }

    #[test]
    fn the_oldest_handshake_gives_way_and_those_that_are_over_before_it() {
        let mut door = Door::new(61);
        let at = |n: usize| NOW.after(n as u64);
        (0..constants::SESSIONS_KEPT).for_each(|n| door.knock(n, at(n)));
        assert_eq!(door.bsd.answering.len(), constants::SESSIONS_KEPT);
        door.knock(constants::SESSIONS_KEPT, at(constants::SESSIONS_KEPT));
        assert_eq!(door.bsd.answering.len(), constants::SESSIONS_KEPT);
        assert_eq!(door.awaited(0), 0);
        assert_eq!(door.awaited(1), 1);
        // The time of the newest of them ends now.
        door.knock(0, at(constants::SESSIONS_KEPT).after(constants::HANDSHAKE_MS));
        assert_eq!((door.bsd.answering.len(), door.awaited(0)), (1, 1));
    }

    #[test]
    fn hellos_under_one_address_take_no_more_than_their_share() {
        let mut door = Door::new(65);
        door.knock(0, NOW);
        (0..=constants::HALF_OPEN_KEPT).for_each(|n| door.knock(1, NOW.after(n as u64)));
        assert_eq!((door.awaited(0), door.awaited(1)), (1, constants::HALF_OPEN_KEPT));
        // What is over makes room before what is in progress.
        door.knock(1, NOW.after(constants::HANDSHAKE_MS + 1));
        assert_eq!((door.awaited(0), door.awaited(1)), (0, constants::HALF_OPEN_KEPT));
    }

    /// Both sides of a handshake up to its finish, with so many hellos under the same address before and after it.
    fn interrupted(rules: &Rules, before: usize, after: usize) -> Result<Received, Refusal> {
        let mut door = Door::new(66);
        let (alice, bsd) = (name("alice"), name("bsd"));
        let hello = |door: &mut Door, now| {
            let rng = &mut door.world.rng;
            let (near, hello) =
                AwaitingResponse::begin(&HARD, rng, now, &door.user, SessionType::Initial, &bsd).unwrap();
            let answered = door.bsd.on_hello(rules, rng, now, &alice, &hello).unwrap();
            let Received::HandshakeProgress(_, outputs, _) = answered else { panic!("a response") };
            let Some(Output::Send { packet, .. }) = outputs.into_iter().next() else { panic!("a packet") };
            (near, packet)
        };
        (0..before).for_each(|n| drop(hello(&mut door, NOW.after(n as u64))));
        let (near, response) = hello(&mut door, NOW.after(100));
        (0..after).for_each(|n| drop(hello(&mut door, NOW.after(101 + n as u64))));
        let World { trust, .. } = &mut door.world;
        let now = NOW.after(200);
        let (_, finish) =
            near.on_response(&HARD, trust, now, &response).map_err(|refused| refused.refusal)?;
        door.bsd.on_finish(rules, trust, now, &alice, &finish)
    }

    #[test]
    fn a_hello_under_the_same_address_ends_no_handshake() {
        for (before, after) in [(0, 0), (0, 1), (3, 5), (0, constants::HALF_OPEN_KEPT - 1)] {
            assert!(interrupted(&HARD, before, after).is_ok(), "{before} before, {after} after");
        }
        let displaced =
            interrupted(&HARD, 0, constants::HALF_OPEN_KEPT).err().map(|refusal| refusal.clause());
        assert_eq!(displaced, Some(Clause::FlightIsAuthentic));
    }

    #[cfg(bemr_weaken)]
    #[test]
    fn without_the_clause_one_hello_ends_the_handshake_in_progress() {
        let rules = HARD.without(Clause::HelloDisplacesNone);
        assert!(interrupted(&rules, 3, 0).is_ok());
        let refusal = interrupted(&rules, 0, 1).err().map(|refusal| refusal.clause());
        assert_eq!(refusal, Some(Clause::FlightIsAuthentic));
    }

    #[test]
    fn a_handshake_that_is_over_stays_while_there_is_room() {
        let mut door = Door::new(62);
        door.knock(0, NOW);
        door.knock(1, NOW.after(2 * constants::HANDSHAKE_MS));
        assert_eq!(door.bsd.answering.len(), 2);
    }

    fn message(n: usize) -> Message {
        let tid = Digest::of(Domain::TRANSACTION_ID, &n.to_be_bytes());
        Message::Outcome(Outcome {
            tid,
            decision: Decision::Refused,
            reason: Reason::NONE,
            height: Height(0),
        })
    }

    #[cfg(bemr_weaken)]
    #[test]
    fn a_session_at_its_end_is_followed_by_another_and_carries_what_a_checker_writes() {
        let mut door = Door::new(64);
        let mut user = SessionManager::new(&door.user);
        let (alice, bsd) = (name("alice"), name("bsd"));
        let World { rng, trust, .. } = &mut door.world;
        door.bsd.tap();
        let (hello, _) = user.send(&HARD, rng, NOW, &bsd, message(0)).unwrap();
        let mut packets = hello;
        // Hello, response, finish and message.
        for at_bsd in [true, false, true] {
            let (side, from) = if at_bsd { (&mut door.bsd, &alice) } else { (&mut user, &bsd) };
            let mut next = Vec::new();
            for output in packets {
                let Output::Send { packet, .. } = output else { panic!("a packet") };
                if let Received::HandshakeProgress(_, outputs, _) =
                    side.receive(&HARD, rng, trust, NOW, from, &packet).1.unwrap()
                {
                    next.extend(outputs);
                }
            }
            packets = next;
        }
        assert_eq!(door.bsd.last_opened(), Some(encode(&message(0))));
        assert_eq!(door.bsd.last_opened(), None);
        let packet = user.write_as_is(&HARD, &bsd, b"no message").unwrap();
        assert!(door.bsd.receive(&HARD, rng, trust, NOW, &alice, &packet).1.is_err());
        assert_eq!(door.bsd.last_opened().as_deref(), Some(&b"no message"[..]));
        user.sessions.values_mut().for_each(|line| line.session.wear_out());
        let (sent, key) = user.send(&HARD, rng, NOW, &bsd, message(1)).unwrap();
        assert!(key.is_none() && matches!(sent.as_slice(), [Output::Send { label: "Hello", .. }]));
    }

    #[test]
    fn what_waits_for_a_session_is_bounded_and_waits_once() {
        let mut door = Door::new(63);
        let mut user = SessionManager::new(&door.user);
        let mut send =
            |n| user.call(&HARD, &mut door.world.rng, NOW, &name("bsd"), message(n)).unwrap().0.len();
        // One hello for all of them.
        assert_eq!([send(0), send(1), send(1)], [1, 0, 0]);
        (2..=constants::SESSION_QUEUE).for_each(|n| assert_eq!(send(n), 0));
        let waiting = &user.calling[&name("bsd")].waiting;
        assert!(*waiting == (0..constants::SESSION_QUEUE).map(message).collect::<Vec<_>>());
    }
}
