//! A validator of the network: votes on T_blocks, and closes blocks of the ledger with the others.
//!
//! It sees of a record the attributes that the contracts check, and nothing else.

mod check;
mod consensus;

use crate::actors::gossip::event_of;
use crate::actors::{Actor, Input, LedgerView, NodeContext, Output, Received, Step, StoreHandle};
use crate::crypto::{Digest, Domain};
use crate::keys::{CertifiedPrincipal, TrustStore};
use crate::store::{Commit, StoreError, Table, for_each_row};
use crate::transparency::LogOperator;
use crate::wire::{Gossip, Message, Name, TBlock, Time, Vote, decode, encode};
use bemr_spec::{Clause, Refusal};
pub use check::vote_body;
use consensus::Consensus;
pub use consensus::ConsensusReport;
use std::collections::BTreeMap;

pub use bemr_spec::machines::{closing_machine, voting_machine};

use voting_machine::{Event, Guard, State};

/// Two T_blocks for one transaction, both signed by one BSD: attributable evidence against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TwoBlocks {
    /// The one that was voted on.
    pub voted: Digest,
    /// The other.
    pub refused: Box<TBlock>,
}

/// The most pieces of evidence that a validator keeps.
const MAX_EVIDENCE: usize = 1024;

/// A validator.
pub struct Validator {
    context: NodeContext,
    votes: BTreeMap<Digest, Vote>,
    consensus: Consensus,
    evidence: Vec<TwoBlocks>,
    store: Option<StoreHandle>,
}

/// Where a store keeps the vote on a transaction.
fn vote_row(tid: &Digest) -> String {
    format!("{VOTES}{tid}")
}

const VOTES: &str = "vote/";

impl Validator {
    /// A validator that has voted on nothing. `cloud` and `bsd` are those whose heads it anchors.
    pub fn new(context: NodeContext, cloud: LogOperator, bsd: LogOperator) -> Validator {
        let consensus = Consensus::new(context.name().clone(), cloud, bsd);
        Validator { context, votes: BTreeMap::new(), consensus, evidence: Vec::new(), store: None }
    }

    /// A validator that goes on from what its store holds: the votes that it gave and the last header that it signed.
    /// From now on it keeps them there, and the blocks, before it sends them. Its ledger was recovered from the
    /// same store.
    ///
    /// # Errors
    /// CLD-06 when the store is damaged.
    pub fn resume(
        mut context: NodeContext,
        cloud: LogOperator,
        bsd: LogOperator,
        store: StoreHandle,
    ) -> Result<Validator, Refusal> {
        let rules = context.rules;
        context.persist_in(&store)?;
        let mut votes = BTreeMap::new();
        store.read(|store| {
            for_each_row(store, Table::Meta, |key, bytes| {
                if key.starts_with(VOTES.as_bytes()) {
                    let damaged = |cause: Refusal| {
                        StoreError::damaged(store.place(), Some((Table::Meta, key)), cause.to_string())
                    };
                    let vote: Vote = decode(&rules, bytes).map_err(damaged)?;
                    votes.insert(vote.body.tid, vote);
                }
                Ok(())
            })
        })?;
        let mut validator = Validator::new(context, cloud, bsd);
        validator.votes = votes;
        validator.consensus.resume(&validator.context, store.clone())?;
        validator.store = Some(store);
        Ok(validator)
    }

    /// Its copy of the ledger and the policy.
    pub fn ledger_view(&self) -> &LedgerView {
        &self.context.ledger_view
    }

    /// Its copy of what the KDC publishes.
    pub fn trust(&self) -> &TrustStore {
        &self.context.trust
    }

    /// Its context, for checkers that observe it or act in its name.
    #[cfg(bemr_weaken)]
    pub fn context(&mut self) -> &mut NodeContext {
        &mut self.context
    }

    /// Makes the nonces that it tries at `now`, if it tries any, meet the target or not: for checkers, whose kept runs must not
    /// hang on the bytes of a block.
    #[cfg(bemr_weaken)]
    pub fn steer_mining(&mut self, now: Time, lucky: bool) {
        self.consensus.steer_mining(&self.context, now, lucky);
    }

    /// The votes that it gave.
    pub fn votes(&self) -> impl Iterator<Item = &Vote> {
        self.votes.values()
    }

    /// What it does for the height that it works on.
    pub fn consensus(&self) -> ConsensusReport {
        self.consensus.report()
    }

    /// Attributable evidence against a BSD.
    pub fn evidence(&self) -> &[TwoBlocks] {
        &self.evidence
    }

    fn on_block_request(
        &mut self,
        now: Time,
        peer: &CertifiedPrincipal,
        block: TBlock,
    ) -> Result<Vec<Output>, Refusal> {
        let rules = self.context.rules;
        check::check_origin(&mut self.context, now, peer, &block)?;
        let tid = block.body.tid;
        let given = self.votes.get(&tid);
        let state = if given.is_some() { State::Voted } else { State::AwaitingBlock };
        if let Some(vote) = given {
            let asked = Digest::of(Domain::T_BLOCK, &encode(&block.body));
            let same = rules.require(Clause::OneBlockPerTid, vote.body.block == asked);
            if let Err(refusal) = same {
                if self.evidence.len() < MAX_EVIDENCE {
                    self.evidence.push(TwoBlocks { voted: vote.body.block, refused: Box::new(block) });
                }
                return Err(refusal);
            }
            if vote.body.block == asked {
                state.on(&rules, Event::BlockRequestArrived, Guard::TheSameDigest)?;
                let vote = vote.clone();
                return self.send_vote(now, peer.name(), vote);
            }
        }
        let policy = check::check_policy(&rules, &self.context.ledger_view, &block)?;
        let verdict = check::verdict(&rules, &policy, &block)?;
        state.on(&rules, Event::BlockRequestArrived, Guard::EveryCheckOfTBlockHolds)?;
        let body = vote_body(&block, &verdict);
        let key = self.context.own.identity().signing_key();
        let signature = key.sign(&rules, Domain::VOTE, &encode(&body));
        let vote = Vote { validator: self.context.name().clone(), body, signature };
        if let Some(store) = &self.store
            && rules.in_force(Clause::StoredBeforeSent)
        {
            store.commit(Commit::new().meta(&vote_row(&tid), encode(&vote)))?;
        }
        self.votes.insert(tid, vote.clone());
        self.send_vote(now, peer.name(), vote)
    }

    fn send_vote(&mut self, now: Time, bsd: &Name, vote: Vote) -> Result<Vec<Output>, Refusal> {
        self.context.send(now, bsd, Message::Vote(vote)).map(|(outputs, _)| outputs)
    }

    fn on_gossip(&mut self, now: Time, from: &Name, gossip: Gossip) -> Step {
        let event = event_of(&gossip);
        let context = &mut self.context;
        let (outcome, repeats) = match gossip {
            Gossip::Decision(certificate) => {
                (self.consensus.on_decision(context, now, certificate), Vec::new())
            }
            Gossip::CloudHead(head) => (self.consensus.on_cloud_head(context, now, head), Vec::new()),
            Gossip::AuditHead(head) => (self.consensus.on_audit_head(context, now, head), Vec::new()),
            Gossip::Proposal(proposal) => self.consensus.on_proposal(context, now, from, proposal),
            Gossip::Closing(signature) => (self.consensus.on_signature(context, now, signature), Vec::new()),
            Gossip::Block(block) => {
                let outcome = self.consensus.on_block(context, now, block);
                let missing =
                    outcome.as_ref().err().map(|refusal| context.ledger_view.missing(now, refusal, from));
                (outcome, missing.unwrap_or_default())
            }
            other => return context.on_gossip(now, from, other),
        };
        Step { event, outcome, repeats }
    }
}

impl Actor for Validator {
    fn name(&self) -> &Name {
        self.context.name()
    }

    fn handle(&mut self, now: Time, input: Input) -> Step {
        match input {
            Input::Wake => {
                let mut outputs = self.context.retry(now);
                let (event, own) = self.consensus.on_wake(&mut self.context, now);
                outputs.extend(own);
                Step::taken(event, outputs)
            }
            Input::Gossip { from, gossip } => self.on_gossip(now, &from, gossip),
            Input::Packet { from, packet } => match self.context.receive(now, &from, &packet) {
                (event, Err(refusal)) => Step::refused(event, refusal),
                (_, Ok(Received::HandshakeProgress(event, outputs, _))) => Step::taken(event, outputs),
                (_, Ok(Received::Message { peer, message: Message::TBlock(block), .. })) => {
                    let outcome = self.on_block_request(now, &peer, *block);
                    Step { event: Event::BlockRequestArrived.into(), outcome, repeats: Vec::new() }
                }
                (_, Ok(Received::Message { message, .. })) => {
                    let refusal = Refusal::new(Clause::MessageTypeIsExpected).at(message.name());
                    Step::refused(bemr_spec::Event::Unexpected, refusal)
                }
            },
        }
    }

    fn wake(&self) -> Option<Time> {
        self.consensus.wake().into_iter().chain(self.context.sessions.wake()).min()
    }

    fn state(&self) -> Digest {
        let mut public = self.context.ledger_view.state();
        public.extend((self.votes.len() as u64).to_be_bytes());
        public.extend(self.consensus.state());
        Digest::of(Domain::PUBLIC_STATE, &public)
    }
}
