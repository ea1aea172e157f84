//! The BSD: takes submissions, asks the network, decides, has stored what was accepted, keeps the audit log (chapters 8, 9
//! and 12).

use crate::checks::Checks;
use crate::custodian::{RecordId, Seal, SealId};
use crate::ledger::{Ledger, quorum};
use crate::rename::{Rename, Renaming, renamed};
use crate::roles::may_handle_records;
use crate::session_manager::{Received, SessionManager};
use crate::shared::{Past, Shared};
use crate::{
    Actor, Ballot, BlockId, Certificate, ContentType, Decision, Flaws, Gossip, Head, Header, Height, LogKind,
    Members, Message, Ordinal, Output, Packet, Question, Tid, Time, View, Vote,
};
use bemr_spec::{Clause, Event, Rules, constants, order};
use std::collections::{BTreeMap, BTreeSet};

/// The states of one submission, as chapter 13 names them.
#[expect(clippy::enum_variant_names, reason = "states are named for what they await")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum State {
    AwaitingVotes,
    AwaitingFinality,
    AwaitingRejection,
    AwaitingReceipt,
}

impl State {
    const fn name(self) -> &'static str {
        match self {
            State::AwaitingVotes => "AwaitingVotes",
            State::AwaitingFinality => "AwaitingFinality",
            State::AwaitingRejection => "AwaitingRejection",
            State::AwaitingReceipt => "AwaitingReceipt",
        }
    }
}

/// What the network says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Acknowledgement {
    True,
    False,
    Conflict,
    Timeout,
}

/// A submission under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Open {
    pub(super) state: State,
    pub(super) question: Question,
    pub(super) votes: BTreeMap<u8, Ballot>,
    /// Whose vote is counted and proves nothing: only without VOT-02 or VOT-03.
    unproven: Members,
    attempts: u32,
    deadline: Time,
    pub(super) acknowledgement: Option<Certificate>,
    /// The records that carried T_block and the votes that count.
    used: Past<Vec<RecordId>>,
    /// The T_valid that was sent, and the height of its block.
    valid: Option<(Message, Certificate, BlockId, Height)>,
}

/// How a submission ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Ended {
    pub(super) user: u8,
    pub(super) decision: Decision,
    pub(super) reason: Option<Clause>,
    pub(super) height: Height,
    pub(super) question: Question,
    votes: BTreeMap<u8, Ballot>,
    unproven: Members,
    pub(super) acknowledgement: Option<Certificate>,
}

/// What an entry of the audit log says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Logged {
    pub(super) tid: Tid,
    pub(super) decision: Decision,
    pub(super) question: Question,
    /// The certificate in the ledger, when the submission ended by a final decision.
    pub(super) certificate: Option<Certificate>,
}

/// The BSD.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Bsd {
    pub(super) sessions: Shared<SessionManager>,
    pub(super) ledger: Shared<Ledger>,
    pub(super) open: BTreeMap<Tid, Open>,
    pub(super) ended: BTreeMap<Tid, Ended>,
    /// Records of submissions that are open or were committed.
    known: BTreeSet<u16>,
    questions: u32,
    /// The audit log: how each submission ended.
    pub(super) audit: Vec<Logged>,
    /// Its heads.
    pub(super) heads: Past<Vec<Head>>,
    closed: bool,
    /// What it sealed, and how often it died.
    pub(super) seals: Past<Vec<Seal>>,
    chain: Past<u32>,
    /// Of whom in which transaction there is evidence, and whether it proves to anyone that they lie: two votes on one
    /// question, both signed.
    pub(super) convicted: BTreeMap<(Tid, Actor), bool>,
    /// Whether a vote took the place of a contrary one: only without VOT-06.
    pub(super) overlooked: bool,
    /// Whether a vote was counted after the decision: only without ACK-01.
    pub(super) reconsidered: bool,
    overruled: u32,
    /// Keys of a stage that are still held after it was over: only without SEA-03.
    pub(super) held: BTreeSet<(Tid, bool)>,
}

impl Bsd {
    pub(super) fn new(ledger: Ledger, sessions: SessionManager) -> Bsd {
        Bsd {
            sessions: Shared::new(sessions),
            ledger: Shared::new(ledger),
            open: BTreeMap::new(),
            ended: BTreeMap::new(),
            known: BTreeSet::new(),
            questions: 0,
            audit: Vec::new(),
            heads: Past::default(),
            closed: false,
            seals: Past::default(),
            chain: Past::default(),
            convicted: BTreeMap::new(),
            overlooked: false,
            reconsidered: false,
            overruled: 0,
            held: BTreeSet::new(),
        }
    }

    /// What lives in memory alone is gone (chapter 13).
    pub(super) fn crash(&mut self) {
        self.sessions.crash();
        self.ledger.crash();
        self.chain.0 += 1;
        for (_, open) in std::mem::take(&mut self.open) {
            self.known.remove(&open.question.header.record);
        }
        self.held.clear();
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
            (event, Ok(Received::HandshakeProgress(outputs))) => {
                self.note_asked(&outputs);
                (event, Ok(outputs), Vec::new())
            }
            (_, Ok(Received::Message(peer, message, key))) => self.on_message(rules, now, peer, message, key),
        }
    }

    fn on_message(
        &mut self,
        rules: &Rules,
        now: Time,
        peer: Actor,
        message: Message,
        key: RecordId,
    ) -> (Event, Result<Vec<Output>, Clause>, Vec<Output>) {
        match message {
            Message::Initial { header, flaws } => {
                let taken = self.on_initial(rules, now, peer, header, flaws, key);
                let repeats = match taken {
                    Err(Clause::TidIsFresh) => self.repeat_outcome(rules, now, peer, header.tid),
                    Err(clause) => {
                        self.say_outcome(rules, now, peer, header.tid, Decision::Refused, Some(clause), 0)
                    }
                    Ok(_) => Vec::new(),
                };
                (Event::InitialArrived, taken, repeats)
            }
            Message::Vote(vote) => {
                (Event::VoteArrived, self.on_vote(rules, now, peer, vote, key), Vec::new())
            }
            Message::Receipt { tid, certificate, block, flaws, .. } => (
                Event::ReceiptArrived,
                self.on_receipt(rules, now, peer, tid, (certificate, block), flaws),
                Vec::new(),
            ),
            _ => (Event::Unexpected, Err(Clause::MessageTypeIsExpected), Vec::new()),
        }
    }

    fn on_initial(
        &mut self,
        rules: &Rules,
        now: Time,
        peer: Actor,
        header: Header,
        flaws: Flaws,
        key: RecordId,
    ) -> Result<Vec<Output>, Clause> {
        let checks = Checks::of(rules, flaws);
        let mut asked = checks.in_order(order::T_INITIAL);
        let tid = header.tid;
        asked.require(Clause::InitialSenderIsPeer, peer == Actor::User(header.user))?;
        asked.require(Clause::RoleMaySubmit, may_handle_records(header.user))?;
        let valid = header.issued <= now && now < header.issued + constants::SUBMISSION_LIFETIME_MS;
        asked.require(Clause::InitialWithinValidity, valid)?;
        let fresh = !self.open.contains_key(&tid) && !self.ended.contains_key(&tid);
        asked.require(Clause::TidIsFresh, fresh)?;
        asked.require(Clause::CountIsClosed, !self.closed)?;
        // A flaw of REC-05 is too many values, not too many bytes.
        asked.require_state(Clause::RecordWithinSize, true)?;
        asked.part(order::POLICY)?;
        let height = self.ledger.height() + 1;
        let policy = self.ledger.policy.check(&checks, header.policy, height)?;
        asked.require(Clause::RecordNotReused, !self.known.contains(&header.record))?;
        let readers = header.readers.has(header.user) && header.readers.iter().all(may_handle_records);
        let certified = self.sessions.trust.certifies(rules, now, header.readers);
        asked.require(Clause::GrantsNameAuthorisedReaders, readers && certified)?;

        self.seal(rules, tid, ContentType::Initial, vec![key]);
        self.questions += 1;
        let question = Question {
            header,
            number: Ordinal::nth(self.questions),
            height,
            sealed: rules.in_force(Clause::SealBeforeNextStage),
            policy,
        };
        if !rules.in_force(Clause::SealedKeyIsErased) {
            self.held.insert((tid, false));
        }
        self.known.insert(header.record);
        let open = Open {
            state: State::AwaitingVotes,
            question,
            votes: BTreeMap::new(),
            unproven: Members::default(),
            attempts: 0,
            deadline: now,
            acknowledgement: None,
            used: Past::default(),
            valid: None,
        };
        self.open.insert(tid, open);
        Ok(self.send_block(rules, now, tid))
    }

    /// T_block to the validators that have not answered.
    fn send_block(&mut self, rules: &Rules, now: Time, tid: Tid) -> Vec<Output> {
        let Some(open) = self.open.get_mut(&tid) else { return Vec::new() };
        open.attempts += 1;
        open.deadline = now + constants::BSD_ATTEMPT_MS;
        let again = open.attempts > 1;
        if again && !rules.in_force(Clause::FailoverKeepsDigest) {
            // Another question each time: votes on the first answer nothing.
            self.questions += 1;
        }
        let mut question = open.question;
        if again && !rules.in_force(Clause::FailoverKeepsDigest) {
            question.number = Ordinal::nth(self.questions);
        }
        let message = Message::Block { question, flaws: Flaws::NONE };
        let silent: Vec<u8> =
            (0..self.ledger.members()).filter(|validator| !open.votes.contains_key(validator)).collect();
        let mut outputs = Vec::new();
        for validator in silent {
            let to = Actor::Validator(validator);
            let said = match again {
                true => self.sessions.say_again(rules, now, to, message),
                false => self.sessions.say(rules, now, to, message),
            };
            outputs.extend(said.unwrap_or_default());
        }
        self.note_asked(&outputs);
        outputs
    }

    /// Notes the records that carry T_block: their keys are sealed before T_valid.
    fn note_asked(&mut self, outputs: &[Output]) {
        for output in outputs {
            if let Output::Send(_, Packet::Record(record)) = output
                && let Message::Block { question, .. } = record.message
                && let Some(open) = self.open.get_mut(&question.header.tid)
            {
                open.used.0.push(RecordId::of(record));
            }
        }
    }

    /// Seals the keys of a stage that is over.
    fn seal(&mut self, rules: &Rules, tid: Tid, stage: ContentType, keys: Vec<RecordId>) {
        if rules.in_force(Clause::SealBeforeNextStage) {
            let chain = self.chain.0;
            let before = self.seals.0.iter().filter(|seal| seal.id.chain == chain).count();
            let id = SealId { chain, index: before as u32 + 1 };
            self.seals.0.push(Seal { id, tid, stage, keys });
        }
    }

    fn on_vote(
        &mut self,
        rules: &Rules,
        now: Time,
        peer: Actor,
        vote: Vote,
        key: RecordId,
    ) -> Result<Vec<Output>, Clause> {
        let mut asks = Checks::of(rules, vote.flaws).in_order(order::VOTE);
        // A flaw of VOT-01 is that of the validator set, and one of VOT-03 that of the T_block, which come later.
        let named = peer == Actor::Validator(vote.validator);
        asks.require_state(Clause::VoterIsAdmitted, named)?;
        asks.require_state(Clause::VoteNamesBlock, true)?;
        let tid = vote.question.header.tid;
        let asked = self.open.get(&tid).map(|open| open.question);
        let asked = asked.or_else(|| self.ended.get(&tid).map(|ended| ended.question));
        let asked = asked.ok_or(Clause::VoteNamesBlock)?;
        asks.require(Clause::VoterIsAdmitted, vote.validator < self.ledger.members())?;
        asks.require(Clause::VoteNamesBlock, vote.question.number == asked.number)?;
        asks.rest()?;
        let (votes, unproven, decided, is_open) = match (self.open.get(&tid), self.ended.get(&tid)) {
            (Some(open), _) => {
                (&open.votes, open.unproven, open.acknowledgement, open.state == State::AwaitingVotes)
            }
            (None, Some(ended)) => (&ended.votes, ended.unproven, ended.acknowledgement, false),
            (None, None) => return Err(Clause::VoteNamesBlock),
        };
        let counted = votes.get(&vote.validator).copied();
        let proven = vote.flaws.is_empty() && vote.question.number == asked.number;
        let proves = proven && !unproven.has(vote.validator);
        if !is_open && (rules.in_force(Clause::FirstDecisionStands) || !self.open.contains_key(&tid)) {
            let contrary = match counted {
                Some(first) => first != vote.ballot,
                None => decided.is_some_and(|decided| decided.ballot != vote.ballot),
            };
            if contrary {
                self.convicted.entry((tid, Actor::Validator(vote.validator))).or_insert(proves);
            }
            return Err(Clause::FirstDecisionStands);
        }
        let Some(open) = self.open.get_mut(&tid) else { return Err(Clause::VoteNamesBlock) };
        self.reconsidered |= open.state != State::AwaitingVotes;
        open.state = State::AwaitingVotes;
        if let Some(first) = counted {
            let contrary = first != vote.ballot;
            if rules.in_force(Clause::OneVotePerValidator) {
                if contrary {
                    self.convicted.entry((tid, Actor::Validator(vote.validator))).or_insert(proves);
                }
                return Err(Clause::OneVotePerValidator);
            }
            self.overlooked |= contrary;
        }
        if !proven {
            open.unproven = open.unproven.with(vote.validator);
        }
        open.votes.insert(vote.validator, vote.ballot);
        open.used.0.push(key);
        let (question, votes) = (open.question, &open.votes);
        let (most, certificate) = tally(rules, question, votes);
        let needed =
            if rules.in_force(Clause::MoreThanTwoThirds) { quorum(self.ledger.members()) } else { 1 };
        let missing = usize::from(self.ledger.members()).saturating_sub(votes.len());
        match certificate {
            Some(certificate) if most >= needed => {
                let acknowledgement = match certificate.ballot {
                    Ballot::True => Acknowledgement::True,
                    Ballot::False(_) => Acknowledgement::False,
                };
                Ok(self.decide(rules, now, tid, acknowledgement, Some(certificate)))
            }
            _ if most + missing < needed => Ok(self.decide(rules, now, tid, Acknowledgement::Conflict, None)),
            _ => Ok(Vec::new()),
        }
    }

    /// T_v: the table of chapter 9.
    fn decide(
        &mut self,
        rules: &Rules,
        now: Time,
        tid: Tid,
        acknowledgement: Acknowledgement,
        certificate: Option<Certificate>,
    ) -> Vec<Output> {
        let Some(open) = self.open.get_mut(&tid) else { return Vec::new() };
        let breaks = open.question.header.verdict();
        open.acknowledgement = certificate;
        let fail_open = !rules.in_force(Clause::AcceptNeedsQuorum);
        let blind = !rules.in_force(Clause::AcceptNeedsReverification);
        let next = match (acknowledgement, breaks) {
            (Acknowledgement::True, None) => Ok(State::AwaitingFinality),
            (Acknowledgement::True, Some(_)) if blind => Ok(State::AwaitingFinality),
            (Acknowledgement::False, Some(_)) => Ok(State::AwaitingRejection),
            (Acknowledgement::True, Some(_)) | (Acknowledgement::False, None) => {
                self.overruled += 1;
                Err((Decision::Deferred, Some(Clause::AcceptNeedsReverification)))
            }
            (Acknowledgement::Conflict | Acknowledgement::Timeout, _) if fail_open => {
                Ok(State::AwaitingFinality)
            }
            (Acknowledgement::Conflict | Acknowledgement::Timeout, Some(rule)) => {
                Err((Decision::Rejected, Some(rule)))
            }
            (Acknowledgement::Conflict, None) => Err((Decision::Deferred, Some(Clause::AcceptNeedsQuorum))),
            (Acknowledgement::Timeout, None) => Err((Decision::Deferred, Some(Clause::FailoverIsBounded))),
        };
        match next {
            Ok(state) => {
                (open.state, open.attempts, open.deadline) = (state, 0, now + constants::BSD_FINALITY_MS);
                certificate
                    .map(|certificate| Output::Publish(Gossip::Decision(certificate)))
                    .into_iter()
                    .collect()
            }
            Err((decision, reason)) => self.end(rules, now, tid, decision, reason, 0),
        }
    }

    /// One audit entry, its head, one outcome.
    fn end(
        &mut self,
        rules: &Rules,
        now: Time,
        tid: Tid,
        decision: Decision,
        reason: Option<Clause>,
        height: Height,
    ) -> Vec<Output> {
        let Some(Open { question, votes, unproven, acknowledgement, valid, .. }) = self.open.remove(&tid)
        else {
            return Vec::new();
        };
        let certificate = (height > 0).then(|| self.ledger.decision(tid)).flatten();
        let certificate = certificate.map(|(certificate, ..)| certificate);
        self.audit.push(Logged { tid, decision, question, certificate });
        // Once T_valid was sent the cloud may have the record.
        if valid.is_none() {
            self.known.remove(&question.header.record);
        }
        let user = question.header.user;
        let mut outputs = vec![self.head(now, false)];
        let peer = Actor::User(user);
        outputs.extend(self.say_outcome(rules, now, peer, tid, decision, reason, height));
        self.ended.insert(
            tid,
            Ended { user, decision, reason, height, question, votes, unproven, acknowledgement },
        );
        outputs
    }

    fn head(&mut self, now: Time, closed: bool) -> Output {
        let head = Head { kind: LogKind::Audit, size: self.audit.len() as u32, closed, time: now };
        self.heads.0.push(head);
        Output::Publish(Gossip::Head { head, flaws: Flaws::NONE })
    }

    /// Closes the audit log, once and when nothing is open that would follow.
    pub(super) fn close_audit(&mut self, rules: &Rules, now: Time) -> Result<Vec<Output>, Clause> {
        let last = !self.closed && self.open.is_empty();
        Checks::of(rules, Flaws::NONE).require(Clause::CountIsClosed, last)?;
        self.closed = true;
        Ok(vec![self.head(now, true)])
    }

    #[expect(clippy::too_many_arguments, reason = "an outcome has this many fields")]
    fn say_outcome(
        &mut self,
        rules: &Rules,
        now: Time,
        to: Actor,
        tid: Tid,
        decision: Decision,
        reason: Option<Clause>,
        height: Height,
    ) -> Vec<Output> {
        let message = Message::Outcome { tid, decision, reason, height };
        self.sessions.say(rules, now, to, message).unwrap_or_default()
    }

    fn repeat_outcome(&mut self, rules: &Rules, now: Time, peer: Actor, tid: Tid) -> Vec<Output> {
        match self.ended.get(&tid) {
            Some(Ended { user, decision, reason, height, .. }) if peer == Actor::User(*user) => {
                let (decision, reason, height) = (*decision, *reason, *height);
                self.say_outcome(rules, now, peer, tid, decision, reason, height)
            }
            _ => Vec::new(),
        }
    }

    fn on_receipt(
        &mut self,
        rules: &Rules,
        now: Time,
        peer: Actor,
        tid: Tid,
        stored: (Certificate, BlockId),
        flaws: Flaws,
    ) -> Result<Vec<Output>, Clause> {
        let mut asked = Checks::of(rules, flaws).in_order(order::RECEIPT);
        asked.require(Clause::SubjectIsClaimedPrincipal, peer == Actor::Cloud)?;
        let open = self.open.get(&tid).ok_or(Clause::EventFitsState)?;
        asked.require(Clause::EventFitsState, open.state == State::AwaitingReceipt)?;
        asked.require(Clause::HeadSignedByCloud, true)?;
        let (_, certificate, block, height) = open.valid.ok_or(Clause::EventFitsState)?;
        asked.require(Clause::LeafIsIncluded, stored == (certificate, block))?;
        Ok(self.end(rules, now, tid, Decision::Committed, None, height))
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
                (Event::BlockArrived, taken.map(|_| self.on_blocks(rules, now)), missing)
            }
            Gossip::BlocksFrom(height) => {
                (Event::BlockRangeRequested, Ok(self.ledger.blocks_from(*height, from)), Vec::new())
            }
            other => (other.event(), Ok(Vec::new()), Vec::new()),
        }
    }

    /// Goes on with what awaits a final block.
    fn on_blocks(&mut self, rules: &Rules, now: Time) -> Vec<Output> {
        let waiting = |open: &Open| matches!(open.state, State::AwaitingFinality | State::AwaitingRejection);
        let tids = self.in_order(waiting);
        tids.into_iter().flat_map(|tid| self.on_final(rules, now, tid)).collect()
    }

    fn on_final(&mut self, rules: &Rules, now: Time, tid: Tid) -> Vec<Output> {
        let Some((certificate, block, is_final)) = self.ledger.decision(tid) else { return Vec::new() };
        if !is_final && rules.in_force(Clause::ConfirmationsReached) {
            return Vec::new();
        }
        let (height, block) = (block.proposal.height, block.id);
        let Some(open) = self.open.get_mut(&tid) else { return Vec::new() };
        let says = |one: &Certificate| (one.question, one.ballot);
        if open.acknowledgement.is_some_and(|own| says(&own) != says(&certificate)) {
            self.overruled += 1;
            let reason = Some(Clause::AcceptNeedsReverification);
            return self.end(rules, now, tid, Decision::Deferred, reason, height);
        }
        if open.state == State::AwaitingRejection && rules.in_force(Clause::OnlyAcceptedIsPromoted) {
            let reason = match certificate.ballot {
                Ballot::False(rule) => Some(rule),
                Ballot::True => None,
            };
            return self.end(rules, now, tid, Decision::Rejected, reason, height);
        }
        let used = std::mem::take(&mut open.used.0);
        self.seal(rules, tid, ContentType::Block, used);
        let sealed = rules.in_force(Clause::SealBeforeNextStage);
        if !rules.in_force(Clause::SealedKeyIsErased) {
            self.held.insert((tid, true));
        }
        let message = Message::Valid { certificate, block, height, sealed, flaws: Flaws::NONE };
        let Some(open) = self.open.get_mut(&tid) else { return Vec::new() };
        open.state = State::AwaitingReceipt;
        (open.attempts, open.valid) = (0, Some((message, certificate, block, height)));
        self.send_valid(rules, now, tid)
    }

    fn send_valid(&mut self, rules: &Rules, now: Time, tid: Tid) -> Vec<Output> {
        let Some(open) = self.open.get_mut(&tid) else { return Vec::new() };
        let Some((message, ..)) = open.valid else { return Vec::new() };
        open.attempts += 1;
        open.deadline = now + constants::BSD_ATTEMPT_MS;
        let said = match open.attempts > 1 {
            true => self.sessions.say_again(rules, now, Actor::Cloud, message),
            false => self.sessions.say(rules, now, Actor::Cloud, message),
        };
        said.unwrap_or_default()
    }

    /// The open submissions that are `such`, in the order in which they were taken (chapter 13).
    fn in_order(&self, such: impl Fn(&Open) -> bool) -> Vec<Tid> {
        let these = self.open.iter().filter(|(_, one)| such(one));
        let mut these: Vec<(Ordinal, Tid)> = these.map(|(tid, one)| (one.question.number, *tid)).collect();
        these.sort_unstable();
        these.into_iter().map(|(_, tid)| tid).collect()
    }

    /// What expired first names the event.
    pub(super) fn on_wake(&mut self, rules: &Rules, now: Time) -> (Event, Vec<Output>) {
        let mut outputs = self.sessions.retry(now);
        let late = self.in_order(|one| one.deadline <= now);
        let first = late.first().and_then(|tid| self.open.get(tid));
        let event = first.map_or(Event::Wake, |first| match first.state {
            State::AwaitingVotes => Event::AttemptExpired,
            State::AwaitingReceipt => Event::ReceiptExpired,
            State::AwaitingFinality | State::AwaitingRejection => Event::FinalityExpired,
        });
        for tid in late {
            outputs.extend(self.on_expiry(rules, now, tid));
        }
        (event, outputs)
    }

    fn on_expiry(&mut self, rules: &Rules, now: Time, tid: Tid) -> Vec<Output> {
        let Some(open) = self.open.get(&tid) else { return Vec::new() };
        let left = open.attempts < constants::BSD_ATTEMPTS || !rules.in_force(Clause::FailoverIsBounded);
        let height = open.valid.map_or(0, |(_, _, _, height)| height);
        match open.state {
            State::AwaitingVotes if left => self.send_block(rules, now, tid),
            State::AwaitingVotes => self.decide(rules, now, tid, Acknowledgement::Timeout, None),
            State::AwaitingReceipt if left => self.send_valid(rules, now, tid),
            State::AwaitingReceipt => {
                self.end(rules, now, tid, Decision::Deferred, Some(Clause::FailoverIsBounded), height)
            }
            State::AwaitingFinality => {
                self.end(rules, now, tid, Decision::Deferred, Some(Clause::ConfirmationsReached), 0)
            }
            State::AwaitingRejection => {
                let reason = match open.acknowledgement.map(|own| own.ballot) {
                    Some(Ballot::False(rule)) => Some(rule),
                    _ => None,
                };
                self.end(rules, now, tid, Decision::Rejected, reason, 0)
            }
        }
    }

    pub(super) fn wake(&self) -> Option<Time> {
        self.open.values().map(|open| open.deadline).chain(self.sessions.wake()).min()
    }

    pub(super) fn view(&self) -> View {
        let open = self.open.iter().map(|(tid, open)| (*tid, open.state.name()));
        let ended = self.ended.iter().map(|(tid, ended)| {
            let state = match ended.decision {
                Decision::Committed => "Committed",
                Decision::Rejected => "Rejected",
                Decision::Deferred | Decision::Refused => "Deferred",
            };
            (*tid, state)
        });
        let mut submissions: Vec<(Tid, &'static str)> = open.chain(ended).collect();
        submissions.sort_unstable();
        View::Bsd {
            public: self.ledger.view(&self.sessions.trust),
            submissions,
            audit: self.audit.len() as u32,
            evidence: self.convicted.len() as u32 + self.overruled,
        }
    }
}

/// The most votes that agree, and the certificate that they make (QUO-03).
fn tally(rules: &Rules, question: Question, votes: &BTreeMap<u8, Ballot>) -> (usize, Option<Certificate>) {
    let mut said: BTreeMap<Ballot, Members> = BTreeMap::new();
    for (validator, ballot) in votes {
        let counted = match ballot {
            // Without QUO-03 a vote is a vote, whatever it says.
            _ if !rules.in_force(Clause::QuorumIsUnanimous) => Ballot::True,
            ballot => *ballot,
        };
        let members = said.entry(counted).or_default();
        *members = members.with(*validator);
    }
    let leading = said.into_iter().max_by_key(|(_, members)| members.len());
    let Some((ballot, signatories)) = leading else { return (0, None) };
    (signatories.len(), Some(Certificate { question, ballot, signatories, flaws: Flaws::NONE }))
}

renamed!(Open {
    state,
    question,
    votes: of_validators,
    unproven: of_validators,
    attempts,
    deadline,
    acknowledgement,
    used,
    valid
});
renamed!(Ended {
    user: of_users,
    decision,
    reason,
    height,
    question,
    votes: of_validators,
    unproven: of_validators,
    acknowledgement
});
renamed!(Logged { tid, decision, question, certificate });
renamed!(Bsd {
    sessions,
    ledger,
    open,
    ended,
    known,
    questions,
    audit,
    heads,
    closed,
    seals,
    chain,
    convicted,
    overlooked,
    reconsidered,
    overruled,
    held
});

impl Rename for State {
    fn renamed(&self, _: &Renaming) -> State {
        *self
    }
}
