//! What the BSD asks the validators, and their votes.

use crate::actors::Output;
use crate::actors::bsd::evidence::contrary;
use crate::actors::bsd::{Acknowledgement, Bsd, Event, Evidence, Guard, State};
use crate::crypto::{Digest, Domain};
use crate::keys::CertifiedPrincipal;
use crate::session::{Sealed, UsedKey, stage};
use crate::votes::Tally;
use crate::wire::{
    AttributeOpening, BlockBody, Height, Message, Name, PROTOCOL_VERSION, TBlock, TInitial, Time, Vote,
    encode,
};
use bemr_spec::{Clause, Refusal, constants};

impl Bsd {
    #[expect(clippy::too_many_arguments, reason = "T_block is made from exactly these parts")]
    pub(super) fn build_block(
        &self,
        now: Time,
        peer: &CertifiedPrincipal,
        initial: &TInitial,
        height: Height,
        policy: Digest,
        openings: Vec<AttributeOpening>,
        sealed: Sealed<stage::Initial>,
    ) -> Result<TBlock, Refusal> {
        let rules = &self.context.rules;
        let header = &initial.header;
        let body = BlockBody {
            version: PROTOCOL_VERSION,
            suite: header.suite,
            tid: header.tid,
            bsd: self.context.name().clone(),
            network: self.addressee.network.clone(),
            validators: self.context.ledger_view.validators.digest(),
            height,
            initial: Digest::of(Domain::T_INITIAL, &encode(header)),
            policy,
            seal: sealed.digest_for(rules, &header.tid)?.0,
            issued: now,
        };
        let signature =
            self.context.own.identity().signing_key().sign(rules, Domain::T_BLOCK, &encode(&body));
        Ok(TBlock {
            body,
            signature,
            initial: header.clone(),
            user: peer.certificate().clone(),
            user_signature: initial.signature.clone(),
            openings: openings.into(),
        })
    }

    /// Sends T_block, the same bytes each time, to the validators that have not voted. One that cannot be reached
    /// does not keep it from the others.
    pub(super) fn send_block(&mut self, now: Time, tid: &Digest) -> Vec<Output> {
        let Some(submission) = self.open.get_mut(tid) else { return Vec::new() };
        submission.attempts += 1;
        submission.deadline = Some(now.after(constants::BSD_ATTEMPT_MS));
        let again = submission.attempts > 1;
        let mut block = submission.block.clone();
        let silent: Vec<Name> = submission.ballots.silent().cloned().collect();
        if again && !self.context.rules.in_force(Clause::FailoverKeepsDigest) {
            block.body.issued = now;
            let key = self.context.own.identity().signing_key();
            block.signature = key.sign(&self.context.rules, Domain::T_BLOCK, &encode(&block.body));
        }
        if !again {
            let message = Message::TBlock(Box::new(block));
            let (outputs, keys) = self.context.send_to_all(now, &silent, &message);
            self.note_used(tid, keys);
            return outputs;
        }
        let mut outputs = Vec::new();
        for validator in silent {
            let message = Message::TBlock(Box::new(block.clone()));
            if let Ok((sent, key)) = self.context.retransmit(now, &validator, message) {
                outputs.extend(sent);
                self.note_used(tid, key);
            }
        }
        outputs
    }

    pub(super) fn note_used(&mut self, tid: &Digest, keys: impl IntoIterator<Item = UsedKey>) {
        if let Some(submission) = self.open.get_mut(tid) {
            submission.used.extend(keys);
        }
    }

    pub(super) fn on_vote(
        &mut self,
        now: Time,
        peer: &CertifiedPrincipal,
        vote: Vote,
        key: UsedKey,
    ) -> Result<Vec<Output>, Refusal> {
        let rules = self.context.rules;
        rules
            .require(Clause::VoterIsAdmitted, vote.validator == *peer.name())
            .map_err(|refusal| refusal.at("sent by another"))?;
        let tid = vote.body.tid;
        let Some(submission) = self.open.get_mut(&tid) else {
            let ended = self.ended.get(&tid).ok_or_else(|| Refusal::new(Clause::VoteNamesBlock).at("tid"))?;
            let vote = ended.ballots.verify(&rules, vote)?;
            let contrary = contrary(&ended.ballots, ended.acknowledgement.as_ref(), vote);
            self.keep_evidence(contrary);
            return Err(Refusal::new(Clause::FirstDecisionStands));
        };
        let vote = submission.ballots.verify(&rules, vote)?;
        if submission.state != State::AwaitingVotes {
            // By the table the first decision stands (ACK-01).
            match submission.state.on(&rules, Event::VoteArrived, Guard::AQuorumIsPossibleNoneIsThere) {
                Ok(state) => submission.state = state,
                Err(refusal) => {
                    let contrary = contrary(&submission.ballots, submission.acknowledgement.as_ref(), vote);
                    self.keep_evidence(contrary);
                    return Err(refusal);
                }
            }
        }
        if let Some(equivocation) = submission.ballots.cast(&rules, vote)? {
            self.keep_evidence(Some(Evidence::Equivocation(equivocation)));
            return Err(Refusal::new(Clause::OneVotePerValidator).at("contrary"));
        }
        submission.used.push(key);
        let tally = submission.ballots.tally(&rules);
        match tally {
            Tally::Open => {
                let submission = self.open.get_mut(&tid).expect("it was there above");
                let guard = Guard::AQuorumIsPossibleNoneIsThere;
                submission.state = submission.state.on(&rules, Event::VoteArrived, guard)?;
                Ok(Vec::new())
            }
            Tally::Conflict => self.decide(now, &tid, Acknowledgement::Conflict, None),
            Tally::Quorum(certificate) => {
                let acknowledgement = Acknowledgement::from(certificate.body.ballot);
                self.decide(now, &tid, acknowledgement, Some(certificate))
            }
        }
    }
}
