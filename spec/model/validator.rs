//! A validator: votes on T_blocks (chapters 8 and 9), and closes blocks with the others ([`Closing`]).

use crate::checks::Checks;
use crate::consensus::Closing;
use crate::ledger::Ledger;
use crate::rename::renamed;
use crate::roles::may_handle_records;
use crate::session_manager::{Received, SessionManager};
use crate::shared::Shared;
use crate::{Actor, Ballot, Flaws, Gossip, Message, Output, Packet, Question, Tid, Time, View, Vote};
use bemr_spec::{Clause, Event, Rules, constants, order};
use std::collections::BTreeMap;

/// One validator.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Validator {
    number: u8,
    pub(super) sessions: Shared<SessionManager>,
    pub(super) ledger: Shared<Ledger>,
    pub(super) votes: BTreeMap<Tid, Vote>,
    /// Whether a vote was given on two T_blocks of one tid: only without BLK-07.
    pub(super) voted_twice: bool,
    /// Whether one was given by a policy that was not in force at the height that it names: only without TPL-01 and CON-01.
    pub(super) misjudged: bool,
    pub(super) closing: Shared<Closing>,
}

impl Validator {
    pub(super) fn new(number: u8, ledger: Ledger, sessions: SessionManager) -> Validator {
        Validator {
            number,
            sessions: Shared::new(sessions),
            ledger: Shared::new(ledger),
            votes: BTreeMap::new(),
            voted_twice: false,
            misjudged: false,
            closing: Shared::new(Closing::new(number)),
        }
    }

    /// Votes, the ledger and what was signed last survive (chapter 13).
    pub(super) fn crash(&mut self, rules: &Rules) {
        self.sessions.crash();
        self.ledger.crash();
        if !rules.in_force(Clause::StoredBeforeSent) {
            self.votes.clear();
        }
        self.closing.crash(&self.ledger);
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
            (_, Ok(Received::Message(peer, Message::Block { question, flaws }, _))) => {
                (Event::BlockRequestArrived, self.on_block_request(rules, now, peer, question, flaws))
            }
            (_, Ok(Received::Message(..))) => (Event::Unexpected, Err(Clause::MessageTypeIsExpected)),
        }
    }

    fn on_block_request(
        &mut self,
        rules: &Rules,
        now: Time,
        peer: Actor,
        question: Question,
        flaws: Flaws,
    ) -> Result<Vec<Output>, Clause> {
        let checks = Checks::of(rules, flaws);
        let header = &question.header;
        let mut asked = checks.in_order(order::T_BLOCK);
        asked.require(Clause::BsdSignsBlock, peer == Actor::Bsd)?;
        asked.part(order::CERTIFICATE)?;
        self.sessions.trust.verify(&checks, now, Actor::User(header.user))?;
        asked.require(Clause::RoleMaySubmit, may_handle_records(header.user))?;
        let valid = header.issued <= now && now < header.issued + constants::SUBMISSION_LIFETIME_MS;
        asked.require(Clause::InitialWithinValidity, valid)?;
        let (height, current) = (question.height, self.ledger.height());
        let in_window =
            height <= current + constants::HEIGHTS_AHEAD && height + constants::HEIGHTS_BEHIND >= current;
        asked.require(Clause::HeightInWindow, in_window)?;
        if let Some(vote) = self.votes.get(&header.tid) {
            let same = vote.question.number == question.number;
            asked.require(Clause::OneBlockPerTid, same)?;
            if same {
                let vote = *vote;
                return self.sessions.say(rules, now, peer, Message::Vote(vote));
            }
        }
        asked.part(order::POLICY)?;
        let policy = &self.ledger.policy;
        let named = policy.check(&checks, header.policy, height)?;
        asked.require(Clause::AllContractsApplied, named == question.policy)?;
        asked.require(Clause::SealDigestIsCarried, question.sealed)?;
        asked.rest()?;
        let in_force = self.ledger.policy.in_force(height);
        self.misjudged |= in_force != question.policy || in_force.versions() != header.policy;
        let ballot = header.verdict().map_or(Ballot::True, Ballot::False);
        let vote = Vote { validator: self.number, question, ballot, flaws: Flaws::NONE };
        self.voted_twice |= self.votes.insert(header.tid, vote).is_some();
        self.sessions.say(rules, now, peer, Message::Vote(vote))
    }

    pub(super) fn on_gossip(
        &mut self,
        rules: &Rules,
        now: Time,
        from: Actor,
        gossip: &Gossip,
    ) -> (Event, Result<Vec<Output>, Clause>, Vec<Output>) {
        let Validator { ledger, closing, .. } = self;
        let (outcome, repeats) = match gossip {
            Gossip::Decision(certificate) => {
                (closing.on_decision(rules, ledger, now, *certificate).map(|()| Vec::new()), Vec::new())
            }
            Gossip::Head { head, flaws } => {
                (closing.on_head(rules, ledger, now, *head, *flaws).map(|()| Vec::new()), Vec::new())
            }
            Gossip::Proposal { proposal, signatory, flaws } => {
                closing.on_proposal(rules, ledger, now, from, proposal, *signatory, *flaws)
            }
            Gossip::Closing { block, signatory, flaws, .. } => {
                (closing.on_signature(rules, ledger, now, *block, *signatory, *flaws), Vec::new())
            }
            Gossip::Block(block) => {
                let taken = closing.on_block(rules, ledger, now, block);
                let missing = taken.err().map_or(Vec::new(), |refused| ledger.missing(now, refused, from));
                (taken.map(|()| Vec::new()), missing)
            }
            Gossip::BlocksFrom(height) => (Ok(ledger.blocks_from(*height, from)), Vec::new()),
            // What every actor takes alike does not come here.
            Gossip::PolicyChange { .. } | Gossip::RevocationList { .. } => (Ok(Vec::new()), Vec::new()),
        };
        (gossip.event(), outcome, repeats)
    }

    /// `found` is the nonce that mining found by now.
    pub(super) fn on_wake(&mut self, rules: &Rules, now: Time, found: Option<u64>) -> (Event, Vec<Output>) {
        let mut outputs = self.sessions.retry(now);
        let (event, own) = self.closing.on_wake(rules, &mut self.ledger, now, found);
        outputs.extend(own);
        (event, outputs)
    }

    pub(super) fn wake(&self) -> Option<Time> {
        self.closing.wake().into_iter().chain(self.sessions.wake()).min()
    }

    pub(super) fn view(&self) -> View {
        let (closing, signed, signatures, waiting) = self.closing.view();
        View::Validator {
            public: self.ledger.view(&self.sessions.trust),
            votes: self.votes.iter().map(|(tid, vote)| (*tid, vote.ballot)).collect(),
            closing,
            signed,
            signatures,
            waiting,
        }
    }
}

renamed!(Validator { number: of_validators, sessions, ledger, votes, voted_twice, misjudged, closing });
