//! The names of what was forged: they are those that its term has for them.

use crate::refinement::RefinementMap;
use bemr::crypto::{Digest, Domain};
use bemr::wire::{self, StoredRecord, encode};
use bemr_model::{Gossip, Message};
use std::sync::Arc;

impl RefinementMap {
    /// Takes the names of the values in a forged message from its term.
    pub(crate) fn learn(&mut self, term: &Message, real: &wire::Message) {
        match (term, real) {
            (Message::Initial { header, .. }, wire::Message::TInitial(initial)) => {
                self.name_header(&initial.header, *header);
            }
            (Message::Block { question, .. }, wire::Message::TBlock(block)) => {
                self.name_header(&block.initial, question.header);
                self.name_question(Digest::of(Domain::T_BLOCK, &encode(&block.body)), *question);
            }
            (Message::Vote(vote), wire::Message::Vote(real)) => {
                self.name_question(real.body.block, vote.question);
            }
            (Message::Valid { certificate, block, .. }, wire::Message::TValid(valid)) => {
                self.name_question(valid.acknowledgement.body.block, certificate.question);
                self.promoted(StoredRecord::of(valid).digest(), *certificate, *block);
            }
            (Message::Receipt { certificate, block, .. }, wire::Message::Receipt(receipt)) => {
                self.promoted(receipt.leaf.content, *certificate, *block);
            }
            (Message::Read { request, .. } | Message::Order { request, .. }, real) => {
                if let Some(named) = real.request() {
                    self.name_request(named, *request);
                }
            }
            _ => {}
        }
    }

    /// As [`RefinementMap::learn`], of gossip.
    pub(crate) fn learn_gossip(&mut self, term: &Gossip, real: &wire::Gossip) {
        match (term, real) {
            (Gossip::Decision(certificate), wire::Gossip::Decision(real)) => {
                self.name_question(real.body.block, certificate.question);
            }
            (Gossip::Head { head, .. }, wire::Gossip::CloudHead(real)) => {
                self.head(real.head.digest(), *head);
            }
            (Gossip::Head { head, .. }, wire::Gossip::AuditHead(real)) => {
                self.head(real.head.digest(), *head);
            }
            (Gossip::Proposal { proposal, .. }, wire::Gossip::Proposal(real)) => {
                self.name_block(real.header.digest(), proposal.id(), proposal);
            }
            (Gossip::Block(block), wire::Gossip::Block(real)) => {
                self.name_block(real.header().digest(), block.id, &Arc::new(block.proposal.clone()));
            }
            _ => {}
        }
    }
}
