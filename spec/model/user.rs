//! A user: what is submitted and asked, and what is made of the answers (chapters 8, 11 and 13).

use crate::checks::Checks;
use crate::ledger::Ledger;
use crate::rename::renamed;
use crate::session_manager::{Received, SessionManager};
use crate::shared::Shared;
use crate::{
    Actor, Command, Decision, FORKING, Flaws, Gossip, Head, Header, LogKind, Message, Order, Ordinal, Output,
    Packet, RequestId, Tid, Time, View,
};
use bemr_spec::{Clause, Event, Rules, constants, order};
use std::collections::BTreeMap;

/// What awaits an outcome or an answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Waiting {
    message: Message,
    attempts: u32,
    deadline: Time,
}

/// One user.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct User {
    number: u8,
    pub(super) sessions: Shared<SessionManager>,
    pub(super) ledger: Shared<Ledger>,
    pub(super) submissions: BTreeMap<Tid, Waiting>,
    pub(super) ended: BTreeMap<Tid, Option<Decision>>,
    pub(super) requests: BTreeMap<RequestId, Waiting>,
    next_request: u32,
    /// Two statements that say the same are one.
    statements: BTreeMap<(Tid, Order, Time), RequestId>,
    /// What was submitted, for ever.
    pub(super) submitted: BTreeMap<Tid, Header>,
    /// The newest head of the cloud that was taken, and the newest that ever was.
    pub(super) remembered: Option<Head>,
    pub(super) newest: Option<Head>,
    /// Records that were read, each after every check.
    pub(super) read: BTreeMap<RequestId, Tid>,
}

impl User {
    pub(super) fn new(number: u8, ledger: Ledger, sessions: SessionManager) -> User {
        User {
            number,
            sessions: Shared::new(sessions),
            ledger: Shared::new(ledger),
            submissions: BTreeMap::new(),
            ended: BTreeMap::new(),
            requests: BTreeMap::new(),
            next_request: 0,
            statements: BTreeMap::new(),
            submitted: BTreeMap::new(),
            remembered: None,
            newest: None,
            read: BTreeMap::new(),
        }
    }

    fn size(&self) -> u32 {
        self.remembered.map_or(0, |head| head.size)
    }

    /// Does something of their own accord; `tid` is that of the submission, if it is one.
    pub(super) fn command(
        &mut self,
        rules: &Rules,
        now: Time,
        tid: Tid,
        command: Command,
    ) -> Result<Vec<Output>, Clause> {
        match command {
            Command::Submit { breaks: Some(Clause::RecordWithinSize), .. } => {
                // The file, before there is a record.
                Checks::of(rules, Flaws::NONE).require(Clause::RecordWithinSize, false)?;
                Ok(Vec::new())
            }
            Command::Submit { record, breaks, readers } => {
                let readers = readers.with(self.number);
                let policy = self.ledger.policy.in_force(self.ledger.height() + 1).versions();
                let header = Header { tid, user: self.number, record, breaks, readers, issued: now, policy };
                let message = Message::Initial { header, flaws: Flaws::NONE };
                let outputs = self.sessions.say(rules, now, Actor::Bsd, message)?;
                let deadline = now + constants::USER_OUTCOME_MS;
                self.submissions.insert(tid, Waiting { message, attempts: 1, deadline });
                self.submitted.insert(tid, header);
                Ok(outputs)
            }
            Command::Read { tid } => {
                let request = self.request();
                self.ask(rules, now, request, Message::Read { request, tid, remembered: self.size() })
            }
            Command::Order { tid, order } => {
                // Who did not submit a record has no key of it to give.
                if matches!(order, Order::Grant(_)) && !self.submitted.contains_key(&tid) {
                    return Err(Clause::GrantByOwner);
                }
                let request = match self.statements.get(&(tid, order, now)) {
                    // Encapsulation is random: no two grants are one.
                    Some(request) if !matches!(order, Order::Grant(_)) => *request,
                    _ => self.request(),
                };
                let (owner, issued, flaws) = (self.number, now, Flaws::NONE);
                let outputs = self.ask(
                    rules,
                    now,
                    request,
                    Message::Order { request, tid, owner, order, issued, flaws },
                )?;
                self.statements.insert((tid, order, now), request);
                Ok(outputs)
            }
            Command::ChangePolicy { change, approvals } => {
                let (ledger, trust) = (&mut self.ledger, &self.sessions.trust);
                ledger.on_policy_change(rules, now, trust, change, approvals, Flaws::NONE)?;
                let flaws = Flaws::NONE;
                Ok(vec![Output::Publish(Gossip::PolicyChange { change, approvals, flaws })])
            }
            // These are others'.
            Command::CloseAudit
            | Command::Enrol(_)
            | Command::RevokeCertificate { .. }
            | Command::IssueList => Ok(Vec::new()),
        }
    }

    fn request(&self) -> RequestId {
        RequestId { user: self.number, number: Ordinal::nth(self.next_request) }
    }

    fn ask(
        &mut self,
        rules: &Rules,
        now: Time,
        request: RequestId,
        message: Message,
    ) -> Result<Vec<Output>, Clause> {
        let outputs = self.sessions.say(rules, now, Actor::Cloud, message)?;
        self.next_request += 1;
        self.requests
            .insert(request, Waiting { message, attempts: 1, deadline: now + constants::USER_ANSWER_MS });
        Ok(outputs)
    }

    pub(super) fn on_packet(
        &mut self,
        rules: &Rules,
        now: Time,
        from: Actor,
        packet: &Packet,
        flaws: Flaws,
    ) -> (Event, Result<Vec<Output>, Clause>) {
        match self.sessions.receive(rules, now, from, packet, flaws) {
            (event, Err(clause)) => (event, Err(clause)),
            (event, Ok(Received::HandshakeProgress(outputs))) => (event, Ok(outputs)),
            (_, Ok(Received::Message(peer, message, _))) => {
                let event = match message {
                    Message::Outcome { .. } => Event::OutcomeArrived,
                    Message::Answer { .. } => Event::AnswerArrived,
                    Message::Record { .. } => Event::RecordArrived,
                    _ => Event::Unexpected,
                };
                (event, self.on_message(rules, now, peer, message).map(|()| Vec::new()))
            }
        }
    }

    fn on_message(&mut self, rules: &Rules, now: Time, peer: Actor, message: Message) -> Result<(), Clause> {
        match message {
            Message::Outcome { tid, decision, .. } => {
                Checks::of(rules, Flaws::NONE).require(Clause::PeerIsIntended, peer == Actor::Bsd)?;
                // The table has one row for an outcome, in the state that awaits it.
                self.submissions.remove(&tid).ok_or(Clause::EventFitsState)?;
                self.ended.insert(tid, Some(decision));
                Ok(())
            }
            Message::Answer { request, tid, .. } => {
                Checks::of(rules, Flaws::NONE).require(Clause::PeerIsIntended, peer == Actor::Cloud)?;
                let request = self.answered(rules, request, tid, |_| true)?;
                self.requests.remove(&request);
                Ok(())
            }
            Message::Record { request, tid, owner, head, from, anchored, template, flaws } => {
                let checks = Checks::of(rules, flaws);
                let mut asked = checks.in_order(order::READ_RESPONSE);
                asked.require(Clause::PeerIsIntended, peer == Actor::Cloud)?;
                asked.require(Clause::ReadAnswersRequest, true)?;
                let is_read = |message: &Message| matches!(message, Message::Read { .. });
                let request = self.answered(rules, request, tid, is_read)?;
                asked.require(Clause::HeadSignedByCloud, true)?;
                // What is wrong with what was stored stands in one more leaf: the log's head is then another than the one that is named.
                let forked = flaws.iter().any(|flaw| FORKING.contains(&flaw));
                let size = head.size + u32::from(forked);
                let newer = self.remembered.is_none_or(|old| old.size <= size && old.time <= head.time);
                asked.require(Clause::HeadNotOlder, newer)?;
                // A proof is between two sizes, and empty where there is nothing to prove.
                let trivial = |size: u32| size == 0 || !forked && size >= head.size;
                let extends = from == self.size() || trivial(from) && trivial(self.size());
                asked.require(Clause::LogIsAppendOnly, extends)?;
                let anchor = self.ledger.final_anchor(LogKind::Cloud);
                let covered =
                    anchor.is_none_or(|anchor| !forked && anchor == head || Some(anchor) == anchored);
                asked.require(Clause::HeadIsAnchored, covered)?;
                asked.part(order::CERTIFICATE)?;
                self.sessions.trust.verify_as_signed(&checks, now, Actor::User(owner))?;
                let mapped = self.ledger.policy.knows_template(template);
                asked.require(Clause::ReadMatchesCommitments, mapped)?;
                self.remembered = Some(head);
                self.newest = self.newest.max(Some(head));
                self.requests.remove(&request);
                self.read.insert(request, tid);
                Ok(())
            }
            _ => Err(Clause::MessageTypeIsExpected),
        }
    }

    /// The open request that an answer names (CLD-08).
    fn answered(
        &self,
        rules: &Rules,
        request: RequestId,
        tid: Tid,
        of: impl Fn(&Message) -> bool,
    ) -> Result<RequestId, Clause> {
        let about = |message: &Message| match message {
            Message::Read { tid, .. } | Message::Order { tid, .. } => Some(*tid),
            _ => None,
        };
        let strict = rules.in_force(Clause::ReadAnswersRequest);
        let named = |(id, open): &(&RequestId, &Waiting)| {
            of(&open.message) && (about(&open.message) == Some(tid) && **id == request || !strict)
        };
        self.requests.iter().find(named).map(|(id, _)| *id).ok_or(Clause::ReadAnswersRequest)
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
            other => (other.event(), Ok(Vec::new()), Vec::new()),
        }
    }

    /// What expired names the event, a submission before a request.
    pub(super) fn on_wake(&mut self, rules: &Rules, now: Time) -> (Event, Vec<Output>) {
        let mut outputs = self.sessions.retry(now);
        let bounded = rules.in_force(Clause::FailoverIsBounded);
        let late: Vec<Tid> =
            self.submissions.iter().filter(|(_, one)| one.deadline <= now).map(|(tid, _)| *tid).collect();
        let mut expired = late.first().map(|_| Event::OutcomeExpired);
        for tid in late {
            let Some(waiting) = self.submissions.get_mut(&tid) else { continue };
            if bounded && waiting.attempts >= constants::USER_ATTEMPTS {
                self.submissions.remove(&tid);
                self.ended.insert(tid, None);
                continue;
            }
            (waiting.attempts, waiting.deadline) = (waiting.attempts + 1, now + constants::USER_OUTCOME_MS);
            let message = waiting.message;
            outputs.extend(self.sessions.say_again(rules, now, Actor::Bsd, message).unwrap_or_default());
        }
        let late: Vec<RequestId> =
            self.requests.iter().filter(|(_, one)| one.deadline <= now).map(|(id, _)| *id).collect();
        expired = expired.or(late.first().map(|_| Event::AnswerExpired));
        let size = self.size();
        for request in late {
            let Some(waiting) = self.requests.get_mut(&request) else { continue };
            if bounded && waiting.attempts >= constants::USER_ATTEMPTS {
                self.requests.remove(&request);
                continue;
            }
            (waiting.attempts, waiting.deadline) = (waiting.attempts + 1, now + constants::USER_ANSWER_MS);
            if let Message::Read { remembered, .. } = &mut waiting.message {
                *remembered = size;
            }
            let message = waiting.message;
            outputs.extend(self.sessions.say_again(rules, now, Actor::Cloud, message).unwrap_or_default());
        }
        (expired.unwrap_or(Event::Wake), outputs)
    }

    pub(super) fn wake(&self) -> Option<Time> {
        let submissions = self.submissions.values().map(|one| one.deadline);
        let requests = self.requests.values().map(|one| one.deadline);
        submissions.chain(requests).chain(self.sessions.wake()).min()
    }

    /// What they were told of a submission.
    pub(super) fn outcome(&self, tid: Tid) -> Option<Decision> {
        self.ended.get(&tid).copied().flatten()
    }

    /// Whether nothing is awaited.
    pub(super) fn is_done(&self) -> bool {
        self.submissions.is_empty() && self.requests.is_empty()
    }

    pub(super) fn view(&self) -> View {
        View::User {
            public: self.ledger.view(&self.sessions.trust),
            open: self.submissions.keys().copied().collect(),
            ended: self.ended.iter().map(|(tid, decision)| (*tid, *decision)).collect(),
            requests: self.requests.keys().copied().collect(),
            remembered: self.size(),
        }
    }
}

renamed!(Waiting { message, attempts, deadline });
renamed!(User {
    number: of_users,
    sessions,
    ledger,
    submissions,
    ended,
    requests,
    next_request,
    statements,
    submitted,
    remembered,
    newest,
    read,
});
