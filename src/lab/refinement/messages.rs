//! Real messages and gossip as terms of the model.

use crate::refinement::{RefinementMap, ballot, decision};
use bemr::crypto::{Digest, Domain};
use bemr::wire::{self, StoredRecord, encode};
use bemr_model::{Actor, Block, Flaws, Gossip, Head, LogKind, Message, Order, Packet, Record, Vote};
use std::sync::Arc;

impl RefinementMap {
    /// A message that `by` sends in answer to `cause`.
    pub(crate) fn message(&mut self, by: Actor, cause: Option<&Packet>, message: &wire::Message) -> Message {
        let flaws = Flaws::NONE;
        match message {
            wire::Message::TInitial(initial) => {
                Message::Initial { header: self.header(&initial.header), flaws }
            }
            wire::Message::Outcome(outcome) => Message::Outcome {
                tid: self.tid(&outcome.tid),
                decision: decision(outcome.decision),
                reason: outcome.reason.clause(),
                height: outcome.height.0,
            },
            wire::Message::TBlock(block) => {
                let digest = Digest::of(Domain::T_BLOCK, &encode(&block.body));
                Message::Block { question: self.question(digest, &block.initial, &block.body), flaws }
            }
            wire::Message::Vote(vote) => Message::Vote(Vote {
                validator: self.validator(&vote.validator),
                question: self.asked(&vote.body.block),
                ballot: ballot(&vote.body),
                flaws,
            }),
            wire::Message::TValid(valid) => {
                let certificate = self.certificate(&valid.acknowledgement);
                let block = self.block(&valid.body.header);
                self.promoted(StoredRecord::of(valid).digest(), certificate, block);
                let sealed = valid.body.seals != Digest::default();
                Message::Valid { certificate, block, height: valid.body.height.0, sealed, flaws }
            }
            wire::Message::Receipt(receipt) => {
                let (certificate, block) = self.stored(&receipt.leaf.content);
                let index = receipt.leaf.sequence as u32;
                Message::Receipt { tid: self.tid(&receipt.leaf.tid), index, certificate, block, flaws }
            }
            wire::Message::ReadRequest(read) => Message::Read {
                request: self.request(&read.nonce),
                tid: self.tid(&read.tid),
                remembered: read.remembered as u32,
            },
            wire::Message::ReadResponse(response) => self.read_response(response, cause),
            wire::Message::Grant(grant) => {
                let body = &grant.body;
                let order = Order::Grant(self.user(&body.key.reader));
                self.order(&grant.digest(), &body.tid, self.user(&body.owner), order, body.issued)
            }
            wire::Message::Revoke(revoke) => {
                let body = &revoke.body;
                let order = Order::Revoke(self.user(&body.reader));
                self.order(&revoke.digest(), &body.tid, self.user(&body.owner), order, body.issued)
            }
            wire::Message::Erase(erase) => {
                let approvals = erase.approvals.iter().map(|one| &one.authority.body.subject);
                let order = Order::Erase(self.users(approvals));
                // An erasure has no owner's signature: the model names the user who sends it.
                let owner = if let Actor::User(user) = by { user } else { u8::MAX };
                self.order(&erase.digest(), &erase.body.tid, owner, order, erase.body.issued)
            }
            wire::Message::Answer(answer) => Message::Answer {
                request: self.request(&answer.request),
                tid: self.tid(&answer.tid),
                decision: decision(answer.decision),
                reason: answer.reason.clause(),
            },
        }
    }

    /// A proof of consistency does not name the head that it starts from: that is the one which the request remembers.
    fn read_response(&mut self, response: &wire::ReadResponse, cause: Option<&Packet>) -> Message {
        let (initial, proof) = (&response.record.initial, &response.proof);
        let from = match cause {
            Some(Packet::Record(Record { message: Message::Read { remembered, .. }, .. })) => *remembered,
            _ => 0,
        };
        Message::Record {
            request: self.request(&response.nonce),
            tid: self.tid(&initial.tid),
            owner: self.user(&initial.user),
            head: self.cloud_head(&proof.head.head),
            from,
            anchored: proof.anchored.as_ref().map(|head| self.cloud_head(head)),
            template: initial.template.version.0,
            flaws: Flaws::NONE,
        }
    }

    fn order(
        &mut self,
        digest: &Digest,
        tid: &Digest,
        owner: u8,
        order: Order,
        issued: wire::Time,
    ) -> Message {
        let (request, tid) = (self.request(digest.as_bytes()), self.tid(tid));
        Message::Order { request, tid, owner, order, issued: self.time(issued), flaws: Flaws::NONE }
    }

    /// Something public.
    pub(crate) fn gossip(&mut self, gossip: &wire::Gossip) -> Gossip {
        let flaws = Flaws::NONE;
        match gossip {
            wire::Gossip::Decision(certificate) => Gossip::Decision(self.certificate(certificate)),
            wire::Gossip::CloudHead(signed) => {
                let named = self.cloud_head(&signed.head);
                Gossip::Head { head: self.head(signed.head.digest(), named), flaws }
            }
            wire::Gossip::AuditHead(signed) => {
                let head = &signed.head;
                let closed = head.state == wire::LogState::Closed;
                let (size, time) = (head.count as u32, self.time(head.time));
                let named = Head { kind: LogKind::Audit, size, closed, time };
                Gossip::Head { head: self.head(head.digest(), named), flaws }
            }
            wire::Gossip::Proposal(proposed) => Gossip::Proposal {
                proposal: self.proposal(&proposed.header, proposed.entries.as_slice()),
                signatory: self.validator(&proposed.signatory.validator),
                flaws,
            },
            wire::Gossip::Closing(signature) => Gossip::Closing {
                height: signature.height.0,
                block: self.block(&signature.header),
                signatory: self.validator(&signature.signatory.validator),
                flaws,
            },
            wire::Gossip::Block(block) => Gossip::Block(self.closed(block)),
            wire::Gossip::BlocksFrom(height) => Gossip::BlocksFrom(height.0),
            wire::Gossip::PolicyChange(approved) => self.change(approved),
            wire::Gossip::RevocationList(list) => self.list(list),
        }
    }

    fn cloud_head(&self, head: &wire::CloudHead) -> Head {
        let (size, time) = (head.size as u32, self.time(head.time));
        Head { kind: LogKind::Cloud, size, closed: false, time }
    }

    fn closed(&mut self, block: &wire::Block) -> Arc<Block> {
        let proposal = self.proposal(block.header(), block.entries.as_slice());
        let signatories = self.signatories(block.closed.signatories.as_slice());
        Arc::new(Block { id: proposal.id(), proposal: (*proposal).clone(), signatories, flaws: Flaws::NONE })
    }
}
