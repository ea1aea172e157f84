//! The user's app: submits records, awaits what becomes of them, and reads, shares and erases what the cloud holds.
//!
//! It believes neither BSD nor cloud: what it reads it checks against the owner's signature, the cloud's signed log
//! and the ledger.

mod check;

use crate::actors::initial_builder::{Destination, build_initial, wrap};
use crate::actors::{Actor, Input, LedgerView, NodeContext, Output, Received, Step};
use crate::crypto::{Digest, Domain};
use crate::keys::{CertifiedPrincipal, TrustStore};
use crate::records::Record;
use crate::transparency::{LogClient, LogOperator};
use crate::wire::{
    ApprovedChange, Decision, Erase, EraseApproval, EraseBody, Gossip, Grant, GrantBody, Height, Message,
    Name, Outcome, PROTOCOL_VERSION, PolicyApproval, PolicyChange, ReadRequest, RequestOutcome, Revoke,
    RevokeBody, TInitial, Time, encode,
};
use bemr_spec::{Clause, Refusal, constants};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

pub use bemr_spec::machines::{requesting_machine, submitting_machine};

use requesting_machine::{Event as Asked, Guard as Holds, State as Asking};
use submitting_machine::{Event, Guard, State};

/// A submission that awaits its outcome.
struct Submitted {
    /// How many were made before.
    number: usize,
    state: State,
    initial: Box<TInitial>,
    attempts: u32,
    deadline: Time,
}

/// A submission that is over: its key, for grants, and its outcome, if one came.
struct Past {
    state: State,
    record_key: Zeroizing<[u8; 32]>,
    outcome: Option<Outcome>,
}

/// A request that awaits its answer.
struct Request {
    state: Asking,
    tid: Digest,
    /// What names it in its answer.
    id: [u8; 32],
    message: Message,
    attempts: u32,
    deadline: Time,
}

/// What a user got for a request to the cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The record's bytes, every check passed.
    Record(Zeroizing<Vec<u8>>),
    /// The request was carried out.
    Done,
    /// The cloud refused because of this clause; nothing when it names one that this version does not have.
    Refused(Option<Clause>),
}

/// Names a request of a user to the cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestId(u64);

/// A user.
pub struct User {
    context: NodeContext,
    bsd: Name,
    witness: LogClient,
    submissions: BTreeMap<Digest, Submitted>,
    past: BTreeMap<Digest, Past>,
    requests: BTreeMap<RequestId, Request>,
    answers: BTreeMap<RequestId, Answer>,
    next_request: u64,
}

impl User {
    /// A user who submits to `bsd` and reads from `cloud`.
    pub fn new(context: NodeContext, bsd: Name, cloud: LogOperator) -> User {
        User {
            context,
            bsd,
            witness: LogClient::new(cloud),
            submissions: BTreeMap::new(),
            past: BTreeMap::new(),
            requests: BTreeMap::new(),
            answers: BTreeMap::new(),
            next_request: 0,
        }
    }

    /// A user whose app starts again with what it keeps: record keys, submissions that await their outcome, the newest
    /// head of the cloud and what is public. `context` has their keys, and no sessions.
    #[must_use]
    pub fn restart(self, mut context: NodeContext) -> User {
        (context.ledger_view, context.trust) = (self.context.ledger_view, self.context.trust);
        let (requests, answers) = (BTreeMap::new(), BTreeMap::new());
        User { context, requests, answers, ..self }
    }

    /// Their copy of the ledger and the policy.
    pub fn ledger_view(&self) -> &LedgerView {
        &self.context.ledger_view
    }

    /// Their copy of what the KDC publishes.
    pub fn trust(&self) -> &TrustStore {
        &self.context.trust
    }

    /// Its context, for checkers that observe it or act in its name.
    #[cfg(bemr_weaken)]
    pub fn context(&mut self) -> &mut NodeContext {
        &mut self.context
    }

    /// The submissions that await their outcome.
    pub fn open(&self) -> impl Iterator<Item = &Digest> {
        self.submissions.keys()
    }

    /// The submissions that are over, with their outcomes where one came.
    pub fn past(&self) -> impl Iterator<Item = (&Digest, Option<&Outcome>)> {
        self.past.iter().map(|(tid, past)| (tid, past.outcome.as_ref()))
    }

    /// The requests that await their answer, by what names them there.
    pub fn requests(&self) -> impl Iterator<Item = &[u8; 32]> {
        self.requests.values().map(|request| &request.id)
    }

    /// The size of the cloud's log that the user remembers.
    pub fn remembered(&self) -> u64 {
        self.witness.size()
    }

    /// Submits a record that `readers` shall be able to read. Gives the tid.
    ///
    /// # Errors
    /// Those of [`build_initial`].
    pub fn submit(
        &mut self,
        now: Time,
        record: &Record,
        readers: &[Name],
    ) -> Result<(Digest, Vec<Output>), Refusal> {
        let NodeContext { rules, own, directory, ledger_view, rng, .. } = &mut self.context;
        let destination = Destination {
            bsd: self.bsd.clone(),
            network: ledger_view.validators.network().clone(),
            height: ledger_view.next_height(),
        };
        let initial = build_initial(
            rules,
            rng,
            now,
            own,
            directory,
            &ledger_view.policy,
            &destination,
            record,
            readers,
        )?;
        let tid = initial.header.tid;
        let submitted = Submitted {
            number: self.past.len() + self.submissions.len(),
            state: State::INITIAL,
            initial: Box::new(initial),
            attempts: 0,
            deadline: now,
        };
        self.submissions.insert(tid, submitted);
        match self.send(now, &tid) {
            Ok(outputs) => Ok((tid, outputs)),
            Err(refusal) => {
                self.submissions.remove(&tid);
                Err(refusal)
            }
        }
    }

    /// Sends a T_initial that somebody made: what an honest user does not do, and a test of the BSD does.
    ///
    /// # Errors
    /// Those of the session.
    #[cfg(bemr_weaken)]
    pub fn submit_as_is(&mut self, now: Time, initial: TInitial) -> Result<Vec<Output>, Refusal> {
        let bsd = self.bsd.clone();
        self.context.send(now, &bsd, Message::TInitial(Box::new(initial))).map(|(outputs, _)| outputs)
    }

    fn send(&mut self, now: Time, tid: &Digest) -> Result<Vec<Output>, Refusal> {
        let Some(submitted) = self.submissions.get_mut(tid) else { return Ok(Vec::new()) };
        submitted.attempts += 1;
        submitted.deadline = now.after(constants::USER_OUTCOME_MS);
        let message = Message::TInitial(submitted.initial.clone());
        let again = submitted.attempts > 1;
        let bsd = self.bsd.clone();
        let sent = match again {
            true => self.context.retransmit(now, &bsd, message),
            false => self.context.send(now, &bsd, message),
        };
        sent.map(|(outputs, _)| outputs)
    }

    /// What became of a submission, once it is known.
    pub fn outcome(&self, tid: &Digest) -> Option<&Outcome> {
        self.past.get(tid)?.outcome.as_ref()
    }

    /// Whether a submission still awaits its outcome.
    pub fn awaits(&self, tid: &Digest) -> bool {
        self.submissions.contains_key(tid)
    }

    /// What the cloud answered to a request, once it is known.
    pub fn answer(&self, request: RequestId) -> Option<&Answer> {
        self.answers.get(&request)
    }

    /// As [`User::answer`]; the user keeps no copy.
    pub fn take_answer(&mut self, request: RequestId) -> Option<Answer> {
        self.answers.remove(&request)
    }

    /// Whether a request still awaits its answer.
    pub fn awaits_answer(&self, request: RequestId) -> bool {
        self.requests.contains_key(&request)
    }

    /// Asks the cloud for a record.
    ///
    /// # Errors
    /// Those of the session.
    pub fn read(&mut self, now: Time, tid: Digest) -> Result<(RequestId, Vec<Output>), Refusal> {
        let mut nonce = [0; 32];
        rand::Rng::fill_bytes(&mut self.context.rng, &mut nonce);
        let request = ReadRequest { tid, nonce, remembered: self.witness.size() };
        self.ask(now, tid, Message::ReadRequest(request))
    }

    /// Lets `reader` read a record of one's own, whose key one has.
    ///
    /// # Errors
    /// INI-11 for a reader without a certificate; CLD-10 for a record that one did not submit; those of the session.
    pub fn grant(
        &mut self,
        now: Time,
        tid: Digest,
        reader: &Name,
    ) -> Result<(RequestId, Vec<Output>), Refusal> {
        let unknown = || Refusal::new(Clause::GrantsNameAuthorisedReaders).at(reader.as_str());
        let reader = self.context.directory.get(reader).cloned().ok_or_else(unknown)?;
        let open = self.submissions.get(&tid).map(|open| Zeroizing::new(open.initial.record_key));
        let past = || self.past.get(&tid).map(|past| past.record_key.clone());
        let record_key = open.or_else(past).ok_or_else(|| Refusal::new(Clause::GrantByOwner))?;
        let NodeContext { rules, rng, own, .. } = &mut self.context;
        let body = GrantBody {
            version: PROTOCOL_VERSION,
            suite: own.identity().suite(),
            tid,
            owner: own.name().clone(),
            cloud: self.witness.identity().name.clone(),
            key: wrap(rules, rng, &tid, &reader, &record_key),
            issued: now,
        };
        let signature = own.identity().signing_key().sign(rules, Domain::GRANT, &encode(&body));
        let grant = Grant { body, signature, reader: reader.certificate().clone() };
        self.ask(now, tid, Message::Grant(Box::new(grant)))
    }

    /// Ends a grant.
    ///
    /// # Errors
    /// Those of the session.
    pub fn revoke(
        &mut self,
        now: Time,
        tid: Digest,
        reader: &Name,
    ) -> Result<(RequestId, Vec<Output>), Refusal> {
        let NodeContext { rules, own, .. } = &mut self.context;
        let body = RevokeBody {
            version: PROTOCOL_VERSION,
            suite: own.identity().suite(),
            tid,
            owner: own.name().clone(),
            cloud: self.witness.identity().name.clone(),
            reader: reader.clone(),
            issued: now,
        };
        let signature = own.identity().signing_key().sign(rules, Domain::REVOKE, &encode(&body));
        self.ask(now, tid, Message::Revoke(Revoke { body, signature }))
    }

    /// The statement that erases a record, for its two authorities to approve.
    pub fn erasure(&self, now: Time, tid: Digest) -> EraseBody {
        EraseBody {
            version: PROTOCOL_VERSION,
            suite: self.context.own.identity().suite(),
            tid,
            cloud: self.witness.identity().name.clone(),
            issued: now,
        }
    }

    /// Approves the erasure of a record.
    pub fn approve(&self, body: &EraseBody) -> EraseApproval {
        let key = self.context.own.identity().signing_key();
        EraseApproval {
            authority: self.context.own.certified().certificate().clone(),
            signature: key.sign(&self.context.rules, Domain::ERASE, &encode(body)),
        }
    }

    /// Approves a change of policy.
    pub fn approve_change(&self, change: &PolicyChange) -> PolicyApproval {
        let key = self.context.own.identity().signing_key();
        PolicyApproval {
            administrator: self.context.name().clone(),
            signature: key.sign(&self.context.rules, Domain::POLICY_CHANGE, &encode(change)),
        }
    }

    /// Publishes a change of policy, once this node has taken it.
    ///
    /// # Errors
    /// Those of [`LedgerView::on_policy_change`].
    pub fn change_policy(&mut self, now: Time, approved: ApprovedChange) -> Result<Vec<Output>, Refusal> {
        self.context.on_policy_change(now, &approved)?;
        Ok(vec![Output::Publish(Gossip::PolicyChange(approved))])
    }

    /// Has a record erased.
    ///
    /// # Errors
    /// Those of the session.
    pub fn erase(
        &mut self,
        now: Time,
        body: EraseBody,
        approvals: Vec<EraseApproval>,
    ) -> Result<(RequestId, Vec<Output>), Refusal> {
        let tid = body.tid;
        self.ask(now, tid, Message::Erase(Erase { body, approvals: approvals.into() }))
    }

    fn ask(&mut self, now: Time, tid: Digest, message: Message) -> Result<(RequestId, Vec<Output>), Refusal> {
        let named = message
            .request()
            .ok_or_else(|| Refusal::new(Clause::MessageTypeIsExpected).at(message.name()))?;
        let cloud = self.witness.identity().name.clone();
        let (outputs, _) = self.context.send(now, &cloud, message.clone())?;
        let id = RequestId(self.next_request);
        self.next_request += 1;
        let deadline = now.after(constants::USER_ANSWER_MS);
        let state = Asking::INITIAL;
        self.requests.insert(id, Request { state, tid, id: named, message, attempts: 1, deadline });
        Ok((id, outputs))
    }

    fn on_message(&mut self, now: Time, peer: &CertifiedPrincipal, message: Message) -> Step {
        let (event, outcome) = match message {
            Message::Outcome(outcome) => (Event::OutcomeArrived.into(), self.on_outcome(peer, outcome)),
            Message::Answer(outcome) => (Asked::AnswerArrived.into(), self.on_answer(peer, &outcome)),
            Message::ReadResponse(response) => {
                (Asked::RecordArrived.into(), self.on_record(now, peer, &response))
            }
            other => (
                bemr_spec::Event::Unexpected,
                Err(Refusal::new(Clause::MessageTypeIsExpected).at(other.name())),
            ),
        };
        Step { event, outcome: outcome.map(|()| Vec::new()), repeats: Vec::new() }
    }

    fn on_outcome(&mut self, peer: &CertifiedPrincipal, outcome: Outcome) -> Result<(), Refusal> {
        let rules = self.context.rules;
        rules.require(Clause::PeerIsIntended, *peer.name() == self.bsd)?;
        let tid = outcome.tid;
        let open = self.submissions.get(&tid).map(|submitted| submitted.state);
        let state = open.or_else(|| self.past.get(&tid).map(|past| past.state));
        let state = state.ok_or_else(|| Refusal::new(Clause::EventFitsState).at("tid"))?;
        let state =
            state.on(&rules, Event::OutcomeArrived, Guard::ItComesFromTheBSDAndNamesAnOpenSubmission)?;
        self.put_aside(&tid, state);
        if let Some(past) = self.past.get_mut(&tid) {
            past.state = state;
            past.outcome = Some(outcome);
        }
        Ok(())
    }

    /// Of a submission that is over only its key and its outcome are kept.
    fn put_aside(&mut self, tid: &Digest, state: State) {
        if let Some(submitted) = self.submissions.remove(tid) {
            let record_key = Zeroizing::new(submitted.initial.record_key);
            self.past.insert(*tid, Past { state, record_key, outcome: None });
        }
    }

    fn on_answer(&mut self, peer: &CertifiedPrincipal, outcome: &RequestOutcome) -> Result<(), Refusal> {
        let rules = self.context.rules;
        rules.require(Clause::PeerIsIntended, *peer.name() == self.witness.identity().name)?;
        let open = self.requests.iter().find(|(_, one)| {
            let answers = one.id == outcome.request || !rules.in_force(Clause::ReadAnswersRequest);
            one.tid == outcome.tid && answers
        });
        let (id, request) = open.ok_or_else(|| Refusal::new(Clause::ReadAnswersRequest).at("request"))?;
        let id = *id;
        request.state.on(&rules, Asked::AnswerArrived, Holds::ItComesFromTheCloudAndNamesAnOpenRequest)?;
        let answer = match outcome.decision {
            Decision::Committed => Answer::Done,
            _ => Answer::Refused(outcome.reason.clause()),
        };
        self.requests.remove(&id);
        self.answers.insert(id, answer);
        Ok(())
    }

    fn on_wake(&mut self, now: Time) -> Step {
        let rules = self.context.rules;
        let mut outputs = self.context.retry(now);
        let late = self.submissions.iter().filter(|(_, one)| one.deadline <= now);
        let mut late: Vec<(usize, Digest)> = late.map(|(tid, one)| (one.number, *tid)).collect();
        late.sort_unstable();
        let late: Vec<Digest> = late.into_iter().map(|(_, tid)| tid).collect();
        for tid in &late {
            let Some(submitted) = self.submissions.get_mut(tid) else { continue };
            let left = rules
                .require(Clause::FailoverIsBounded, submitted.attempts < constants::USER_ATTEMPTS)
                .is_ok();
            let guard = if left { Guard::AttemptsAreLeft } else { Guard::NoneIsLeft };
            let next = match submitted.state.on(&rules, Event::OutcomeExpired, guard) {
                Ok(state) => state,
                Err(refusal) => {
                    return Step {
                        event: Event::OutcomeExpired.into(),
                        outcome: Err(refusal),
                        repeats: outputs,
                    };
                }
            };
            submitted.state = next;
            if !left {
                self.put_aside(tid, next);
            } else if let Ok(sent) = self.send(now, tid) {
                outputs.extend(sent);
            }
        }
        let mut expired = late.first().map(|_| bemr_spec::Event::from(Event::OutcomeExpired));
        let cloud = self.witness.identity().name.clone();
        let late_requests: Vec<RequestId> =
            self.requests.iter().filter(|(_, one)| one.deadline <= now).map(|(id, _)| *id).collect();
        for id in late_requests {
            let Some(request) = self.requests.get_mut(&id) else { continue };
            let left =
                rules.require(Clause::FailoverIsBounded, request.attempts < constants::USER_ATTEMPTS).is_ok();
            let guard = if left { Holds::AttemptsAreLeft } else { Holds::NoneIsLeft };
            match request.state.on(&rules, Asked::AnswerExpired, guard) {
                Ok(state) => request.state = state,
                Err(refusal) => {
                    return Step {
                        event: Asked::AnswerExpired.into(),
                        outcome: Err(refusal),
                        repeats: outputs,
                    };
                }
            }
            expired = expired.or(Some(Asked::AnswerExpired.into()));
            request.attempts += 1;
            request.deadline = now.after(constants::USER_ANSWER_MS);
            if let Message::ReadRequest(read) = &mut request.message {
                // Another answer may have brought a newer head meanwhile.
                read.remembered = self.witness.size();
            }
            let message = request.message.clone();
            if !left {
                self.requests.remove(&id);
            } else if let Ok((sent, _)) = self.context.retransmit(now, &cloud, message) {
                outputs.extend(sent);
            }
        }
        Step::taken(expired.unwrap_or(bemr_spec::Event::Wake), outputs)
    }

    fn on_gossip(&mut self, now: Time, from: &Name, gossip: Gossip) -> Step {
        match gossip {
            Gossip::Block(block) => {
                let (taken, repeats) = self.context.on_block(now, from, block);
                Step { event: bemr_spec::Event::BlockArrived, outcome: taken.map(|_| Vec::new()), repeats }
            }
            // Users have blocks from others, and others have none from them.
            Gossip::BlocksFrom(_) => Step::taken(bemr_spec::Event::BlockRangeRequested, Vec::new()),
            other => self.context.on_gossip(now, from, other),
        }
    }
}

impl Actor for User {
    fn name(&self) -> &Name {
        self.context.name()
    }

    fn handle(&mut self, now: Time, input: Input) -> Step {
        match input {
            Input::Wake => self.on_wake(now),
            Input::Gossip { from, gossip } => self.on_gossip(now, &from, gossip),
            Input::Packet { from, packet } => match self.context.receive(now, &from, &packet) {
                (event, Err(refusal)) => Step::refused(event, refusal),
                (_, Ok(Received::HandshakeProgress(event, outputs, _))) => Step::taken(event, outputs),
                (_, Ok(Received::Message { peer, message, .. })) => self.on_message(now, &peer, message),
            },
        }
    }

    fn wake(&self) -> Option<Time> {
        let submissions = self.submissions.values().map(|one| one.deadline);
        let requests = self.requests.values().map(|one| one.deadline);
        submissions.chain(requests).chain(self.context.sessions.wake()).min()
    }

    fn state(&self) -> Digest {
        let mut public = self.context.ledger_view.state();
        public.extend((self.submissions.len() as u64).to_be_bytes());
        public.extend((self.requests.len() as u64).to_be_bytes());
        public.extend(Height(self.witness.size()).0.to_be_bytes());
        Digest::of(Domain::PUBLIC_STATE, &public)
    }
}
