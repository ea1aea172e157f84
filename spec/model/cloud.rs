//! The cloud: checks T_valid, stores, serves, shares, erases; every change is a leaf of its log (chapters 8 and 11).

use crate::checks::Checks;
use crate::ledger::{Ledger, quorum};
use crate::public::LeafKind;
use crate::rename::renamed;
use crate::roles::{is_administrator, may_handle_records};
use crate::session_manager::{Received, SessionManager};
use crate::shared::Shared;
use crate::{
    Actor, Ballot, BlockId, Certificate, Decision, Entry, Flaws, Gossip, Head, Height, LogKind, Members,
    Message, Order, Output, Packet, RequestId, Tid, Time, View,
};
use bemr_spec::{Clause, Event, Rules, order};
use std::collections::BTreeMap;

/// A stored record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Stored {
    pub(super) owner: u8,
    pub(super) index: u32,
    pub(super) certificate: Certificate,
    pub(super) block: BlockId,
    pub(super) readers: Members,
    /// Who was ever let read it.
    pub(super) ever: Members,
    revoked: BTreeMap<u8, (RequestId, Time)>,
    pub(super) erased: Option<RequestId>,
    /// Whether its T_valid passed every check of this ledger's.
    pub(super) sealed: bool,
}

/// The cloud.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Cloud {
    pub(super) sessions: Shared<SessionManager>,
    pub(super) ledger: Shared<Ledger>,
    pub(super) records: BTreeMap<Tid, Stored>,
    pub(super) heads: Vec<Head>,
    /// What the log tells of, one head for each leaf.
    pub(super) leaves: Vec<(LeafKind, Tid)>,
    /// Whether an erased record was handed over: only without CLD-12.
    pub(super) served_erased: bool,
}

impl Cloud {
    pub(super) fn new(ledger: Ledger, sessions: SessionManager) -> Cloud {
        Cloud {
            sessions: Shared::new(sessions),
            ledger: Shared::new(ledger),
            records: BTreeMap::new(),
            heads: Vec::new(),
            leaves: Vec::new(),
            served_erased: false,
        }
    }

    /// Store, ledger and policy survive.
    pub(super) fn crash(&mut self) {
        self.sessions.crash();
        self.ledger.crash();
    }

    pub(super) fn on_packet(
        &mut self,
        rules: &Rules,
        now: Time,
        from: Actor,
        packet: &Packet,
        flaws: Flaws,
    ) -> (Event, Result<Vec<Output>, Clause>, Vec<Output>) {
        match self.sessions.receive(rules, now, from, packet, flaws) {
            (event, Err(clause)) => (event, Err(clause), Vec::new()),
            (event, Ok(Received::HandshakeProgress(outputs))) => (event, Ok(outputs), Vec::new()),
            (_, Ok(Received::Message(peer, message, _))) => self.on_message(rules, now, peer, message),
        }
    }

    fn on_message(
        &mut self,
        rules: &Rules,
        now: Time,
        peer: Actor,
        message: Message,
    ) -> (Event, Result<Vec<Output>, Clause>, Vec<Output>) {
        let event = event_of(&message);
        let checks = Checks::of(rules, Flaws::NONE);
        let fits = match message {
            Message::Valid { .. } => checks.require(Clause::RoleFitsPlace, peer == Actor::Bsd),
            Message::Read { .. } | Message::Order { .. } => {
                checks.require(Clause::RoleFitsPlace, matches!(peer, Actor::User(_)))
            }
            _ => Err(Clause::MessageTypeIsExpected),
        };
        if let Err(clause) = fits {
            return (event, Err(clause), Vec::new());
        }
        match message {
            Message::Valid { certificate, block, height, sealed, flaws } => {
                let valid = Valid { certificate, block, height, sealed };
                let outcome = self.on_valid(rules, now, peer, &valid, flaws);
                let tid = certificate.question.header.tid;
                let repeats = match outcome {
                    Err(Clause::StoredOnce) => self.receipt(rules, now, peer, tid),
                    _ => Vec::new(),
                };
                (event, outcome, repeats)
            }
            Message::Read { request, tid, remembered } => {
                let outcome = self.on_read(rules, now, peer, request, tid, remembered);
                let repeats = self.answer_refused(rules, now, peer, request, tid, &outcome, false);
                (event, outcome, repeats)
            }
            Message::Order { request, tid, owner, order, issued, flaws } => {
                let asked = Asked { request, tid, owner, issued };
                let outcome = self.on_order(rules, now, peer, asked, order, flaws);
                let done = self.records.get(&tid).is_some_and(|stored| match order {
                    Order::Grant(_) => false,
                    Order::Revoke(reader) => {
                        stored.revoked.get(&reader).is_some_and(|last| last.0 == request)
                    }
                    Order::Erase(_) => stored.erased == Some(request),
                });
                let repeats = self.answer_refused(rules, now, peer, request, tid, &outcome, done);
                (event, outcome, repeats)
            }
            _ => (event, Err(Clause::MessageTypeIsExpected), Vec::new()),
        }
    }

    fn on_valid(
        &mut self,
        rules: &Rules,
        now: Time,
        peer: Actor,
        valid: &Valid,
        flaws: Flaws,
    ) -> Result<Vec<Output>, Clause> {
        let checks = Checks::of(rules, flaws);
        let Valid { certificate, block, height, sealed } = *valid;
        let header = certificate.question.header;
        let tid = header.tid;
        let mut asked = checks.in_order(order::T_VALID);
        asked.require(Clause::BsdSignsValid, peer == Actor::Bsd)?;
        asked.require(Clause::StoredOnce, !self.records.contains_key(&tid))?;
        asked.part(order::CERTIFICATE)?;
        self.sessions.trust.verify_as_signed(&checks, now, Actor::User(header.user))?;
        asked.require(Clause::AckIsTrue, certificate.ballot == Ballot::True)?;
        asked.part(order::QUORUM)?;
        let members = self.ledger.members();
        let certified = Checks::of(rules, certificate.flaws);
        let admitted = certificate.signatories.iter().all(|signatory| signatory < members);
        // The validator set, then the signatories, then who they are.
        checks.sound(Clause::VoterIsAdmitted).and(certified.sound(Clause::VoterIsAdmitted))?;
        checks.sound(Clause::SignersAreDistinct).and(certified.sound(Clause::SignersAreDistinct))?;
        checks.require(Clause::VoterIsAdmitted, admitted)?;
        let enough = certificate.signatories.len() >= quorum(members);
        checks.require(Clause::MoreThanTwoThirds, enough).and(certified.sound(Clause::MoreThanTwoThirds))?;
        certified.sound(Clause::VoteSigned)?;
        checks.sound(Clause::VoteSigned)?;
        let found = self.ledger.at(height).filter(|(found, _)| found.id == block);
        let is_final = found.is_some_and(|(_, last)| last || !rules.in_force(Clause::ConfirmationsReached));
        asked.require(Clause::DecisionIsFinal, is_final)?;
        let included =
            found.is_some_and(|(found, _)| found.proposal.entries.contains(&Entry::Decision(certificate)));
        asked.require(Clause::EntryInclusionProven, included)?;
        asked.require(Clause::SealDigestIsCarried, sealed)?;
        let readers = header.readers.has(header.user)
            && header.readers.iter().all(may_handle_records)
            && self.ledger.policy.knows_contracts(header.policy)
            && self.sessions.trust.certifies(rules, now, header.readers);
        asked.require(Clause::GrantsNameAuthorisedReaders, readers)?;

        let head = self.append(now, LeafKind::Record, tid);
        let stored = Stored {
            owner: header.user,
            index: head.size - 1,
            certificate,
            block,
            readers: header.readers,
            ever: header.readers,
            revoked: BTreeMap::new(),
            erased: None,
            sealed,
        };
        self.records.insert(tid, stored);
        let mut outputs = self.receipt(rules, now, peer, tid);
        outputs.push(published(head));
        Ok(outputs)
    }

    fn append(&mut self, now: Time, kind: LeafKind, tid: Tid) -> Head {
        let head = Head { kind: LogKind::Cloud, size: self.heads.len() as u32 + 1, closed: false, time: now };
        self.heads.push(head);
        self.leaves.push((kind, tid));
        head
    }

    fn receipt(&mut self, rules: &Rules, now: Time, peer: Actor, tid: Tid) -> Vec<Output> {
        let Some(stored) = self.records.get(&tid) else { return Vec::new() };
        let Stored { index, certificate, block, .. } = *stored;
        let message = Message::Receipt { tid, index, certificate, block, flaws: Flaws::NONE };
        self.sessions.say(rules, now, peer, message).unwrap_or_default()
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of an answer")]
    fn answer_refused(
        &mut self,
        rules: &Rules,
        now: Time,
        peer: Actor,
        request: RequestId,
        tid: Tid,
        outcome: &Result<Vec<Output>, Clause>,
        done: bool,
    ) -> Vec<Output> {
        let Err(clause) = outcome else { return Vec::new() };
        let (decision, reason) =
            if done { (Decision::Committed, None) } else { (Decision::Refused, Some(*clause)) };
        let message = Message::Answer { request, tid, decision, reason };
        self.sessions.say(rules, now, peer, message).unwrap_or_default()
    }

    /// The record, which is there and not erased.
    fn stored(&self, rules: &Rules, tid: Tid) -> Result<&Stored, Clause> {
        let stored = self.records.get(&tid).ok_or(Clause::LeafIsIncluded)?;
        Checks::of(rules, Flaws::NONE).require(Clause::ErasedStaysErased, stored.erased.is_none())?;
        Ok(stored)
    }

    fn on_read(
        &mut self,
        rules: &Rules,
        now: Time,
        peer: Actor,
        request: RequestId,
        tid: Tid,
        remembered: u32,
    ) -> Result<Vec<Output>, Clause> {
        let mut asked = Checks::of(rules, Flaws::NONE).in_order(order::READ_REQUEST);
        let Actor::User(reader) = peer else { return Err(Clause::RoleFitsPlace) };
        let stored = self.stored(rules, tid)?;
        asked.require(Clause::RoleMayRead, may_handle_records(reader))?;
        asked.require(Clause::ReaderIsGranted, stored.readers.has(reader))?;
        let head = *self.heads.last().ok_or(Clause::LeafIsIncluded)?;
        let anchored = self.ledger.final_anchor(LogKind::Cloud);
        let message = Message::Record {
            request,
            tid,
            owner: stored.owner,
            head,
            from: remembered,
            anchored: anchored.filter(|anchor| self.heads.get(anchor.size as usize - 1) == Some(anchor)),
            template: stored.certificate.question.header.policy.templates,
            flaws: Flaws::NONE,
        };
        self.served_erased |= stored.erased.is_some();
        self.sessions.say(rules, now, peer, message)
    }

    fn on_order(
        &mut self,
        rules: &Rules,
        now: Time,
        peer: Actor,
        asked: Asked,
        order: Order,
        flaws: Flaws,
    ) -> Result<Vec<Output>, Clause> {
        let checks = Checks::of(rules, flaws);
        let Actor::User(user) = peer else { return Err(Clause::RoleFitsPlace) };
        let Asked { request, tid, owner, issued } = asked;
        let mut asked = checks.in_order(match order {
            Order::Grant(_) => order::GRANT,
            Order::Revoke(_) => order::REVOKE,
            Order::Erase(_) => order::ERASE,
        });
        asked.require(Clause::LeafIsIncluded, true)?;
        let stored = self.stored(rules, tid)?;
        let by_owner = owner == user && owner == stored.owner;
        let advances = |reader: &u8| stored.revoked.get(reader).is_none_or(|(_, last)| *last < issued);
        match order {
            Order::Grant(reader) => {
                asked.require(Clause::RoleMayGrant, may_handle_records(user))?;
                asked.require(Clause::GrantByOwner, by_owner)?;
                asked.require(Clause::StatementAdvances, advances(&reader))?;
                asked.part(order::CERTIFICATE)?;
                self.sessions.trust.verify(&checks, now, Actor::User(reader))?;
                asked.require(Clause::RoleMayRead, may_handle_records(reader))?;
                asked.rest()?;
            }
            Order::Revoke(reader) => {
                asked.require(Clause::RoleMayGrant, may_handle_records(user))?;
                asked.require(Clause::RevokeByOwner, by_owner && reader != owner)?;
                asked.require(Clause::StatementAdvances, advances(&reader))?;
                asked.require(Clause::ReaderIsGranted, stored.readers.has(reader))?;
            }
            Order::Erase(approvals) => {
                // A flaw of CLD-13 is that of the cloud's name: who the two are comes after the certificates.
                asked.part(order::CERTIFICATE)?;
                let mut shown = checks;
                for approver in approvals.iter() {
                    self.sessions.trust.verify(&shown, now, Actor::User(approver))?;
                    // A flaw is that of the first certificate.
                    shown = Checks::of(rules, Flaws::NONE);
                }
                let all_may = approvals.iter().all(|one| is_administrator(one) || one == stored.owner);
                let allowed = approvals.len() == 2
                    && approvals.iter().any(is_administrator)
                    && all_may
                    && approvals.has(user);
                asked.require_state(Clause::ErasureByAuthority, allowed)?;
            }
        }
        let kind = match order {
            Order::Grant(_) => LeafKind::Grant,
            Order::Revoke(_) => LeafKind::Revoke,
            Order::Erase(_) => LeafKind::Erase,
        };
        let head = self.append(now, kind, tid);
        if let Some(stored) = self.records.get_mut(&tid) {
            match order {
                Order::Grant(reader) => {
                    stored.readers = stored.readers.with(reader);
                    stored.ever = stored.ever.with(reader);
                }
                Order::Revoke(reader) => {
                    stored.readers = stored.readers.without(reader);
                    stored.revoked.insert(reader, (request, issued));
                }
                Order::Erase(_) => {
                    stored.erased = Some(request);
                    if rules.in_force(Clause::ErasedStaysErased) {
                        stored.readers = Members::default();
                    }
                }
            }
        }
        let message = Message::Answer { request, tid, decision: Decision::Committed, reason: None };
        let mut outputs = self.sessions.say(rules, now, peer, message)?;
        outputs.push(published(head));
        Ok(outputs)
    }

    pub(super) fn on_gossip(
        &mut self,
        rules: &Rules,
        now: Time,
        from: Actor,
        gossip: &Gossip,
    ) -> (Event, Result<Vec<Output>, Clause>, Vec<Output>) {
        match gossip {
            Gossip::Block(block) => {
                let (taken, missing) = self.ledger.on_block(rules, now, from, block);
                (Event::BlockArrived, taken.map(|_| Vec::new()), missing)
            }
            Gossip::BlocksFrom(height) => {
                (Event::BlockRangeRequested, Ok(self.ledger.blocks_from(*height, from)), Vec::new())
            }
            other => (other.event(), Ok(Vec::new()), Vec::new()),
        }
    }

    pub(super) fn view(&self) -> View {
        let state = |stored: &Stored| if stored.erased.is_some() { "Erased" } else { "Stored" };
        View::Cloud {
            public: self.ledger.view(&self.sessions.trust),
            records: self.records.iter().map(|(tid, stored)| (*tid, state(stored))).collect(),
            leaves: self.heads.len() as u32,
        }
    }
}

/// The event that the arrival of this message is.
const fn event_of(message: &Message) -> Event {
    match message {
        Message::Valid { .. } => Event::ValidArrived,
        Message::Read { .. } => Event::ReadArrived,
        Message::Order { order: Order::Grant(_), .. } => Event::GrantArrived,
        Message::Order { order: Order::Revoke(_), .. } => Event::RevokeArrived,
        Message::Order { order: Order::Erase(_), .. } => Event::EraseArrived,
        _ => Event::Unexpected,
    }
}

/// What a T_valid says.
#[derive(Clone, Copy)]
struct Valid {
    certificate: Certificate,
    block: BlockId,
    height: Height,
    sealed: bool,
}

/// What every order says.
#[derive(Clone, Copy)]
struct Asked {
    request: RequestId,
    tid: Tid,
    owner: u8,
    issued: Time,
}

fn published(head: Head) -> Output {
    Output::Publish(Gossip::Head { head, flaws: Flaws::NONE })
}

renamed!(Stored {
    owner: of_users,
    index,
    certificate,
    block,
    readers: of_users,
    ever: of_users,
    revoked: of_users,
    erased,
    sealed,
});
renamed!(Cloud { sessions, ledger, records, heads, leaves, served_erased });
