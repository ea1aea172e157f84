//! What a reader checks of the cloud's answer, in the order of the chapter on the cloud.

use crate::actors::initial_builder::{ONE_NONCE, record_context, unwrap};
use crate::actors::user::{Answer, Asked, Holds, User};
use crate::crypto::{AeadKey, Digest, Domain};
use crate::keys::CertifiedPrincipal;
use crate::records::{Record, commitments, map};
use crate::transparency::{verify_anchored, verify_leaf};
use crate::wire::{InitialHeader, LeafKind, Message, ReadResponse, Time, encode};
use bemr_spec::{Clause, Refusal};
use zeroize::Zeroizing;

impl User {
    /// Takes the cloud's answer to a read request.
    ///
    /// # Errors
    /// The first check of [`READ_RESPONSE`](bemr_spec::order::READ_RESPONSE) that fails, from HSK-02 to CLD-15.
    pub(super) fn on_record(
        &mut self,
        now: Time,
        peer: &CertifiedPrincipal,
        response: &ReadResponse,
    ) -> Result<(), Refusal> {
        let rules = self.context.rules;
        rules.require(Clause::PeerIsIntended, *peer.name() == self.witness.identity().name)?;
        let header = &response.record.initial;
        let waits = |one: &super::Request| {
            let answers = one.id == response.nonce && one.tid == header.tid;
            matches!(one.message, Message::ReadRequest(_))
                && (answers || !rules.in_force(Clause::ReadAnswersRequest))
        };
        let request = self.requests.iter().find(|(_, one)| waits(one));
        let (id, request) = request.ok_or_else(|| Refusal::new(Clause::ReadAnswersRequest))?;
        let (id, asked) = (*id, Some(request.tid));
        let state = request.state;

        let proof = &response.proof;
        let mut witness = self.witness.clone();
        witness.observe(&rules, &proof.head, &proof.extends_remembered)?;
        let record = &response.record;
        let leaf = &proof.leaf;
        rules
            .check(Clause::LeafIsIncluded, || {
                leaf.kind == LeafKind::Record && Some(leaf.tid) == asked && leaf.content == record.digest()
            })
            .map_err(|refusal| refusal.at("leaf"))?;
        verify_leaf(&rules, &proof.head.head, leaf, &proof.inclusion)?;
        let anchored = proof.anchored.as_ref().map(|head| (head, &proof.extends_anchored));
        verify_anchored(&rules, &self.context.ledger_view.ledger, &proof.head.head, anchored)?;

        let owner = self.context.trust.verify_as_of(&rules, now, header.issued, &record.user)?;
        owner.require_claim(&rules, &header.user, header.role)?;
        let ciphertext = response.ciphertext.as_slice();
        rules
            .check(Clause::ReadMatchesSigned, || {
                Some(header.tid) == asked
                    && header.ciphertext == Digest::of(Domain::CIPHERTEXT, ciphertext)
                    && owner.signing_key().verify(
                        &rules,
                        Domain::T_INITIAL,
                        &encode(header),
                        &record.user_signature,
                    )
            })
            .map_err(|refusal| refusal.at("header"))?;
        let key = unwrap(&rules, &self.context.own, &header.tid, &response.key)?;
        let context = record_context(&header.user, &header.nonce);
        let bytes = AeadKey::from_bytes(*key)
            .open_checked(&rules, &ONE_NONCE, &context, ciphertext)
            .map(Zeroizing::new)
            .map_err(|refusal| refusal.at("ciphertext"))?;
        self.check_commitments(header, &key, &bytes)?;

        state.on(&rules, Asked::RecordArrived, Holds::EveryCheckOfTheResponseHolds)?;
        self.witness = witness;
        self.requests.remove(&id);
        self.answers.insert(id, Answer::Record(bytes));
        Ok(())
    }

    /// The network voted on the attributes of this record: the reader maps the record again and compares the
    /// commitments.
    fn check_commitments(&self, header: &InitialHeader, key: &[u8; 32], bytes: &[u8]) -> Result<(), Refusal> {
        let rules = self.context.rules;
        rules.check(Clause::ReadMatchesCommitments, || {
            let template = self.context.ledger_view.policy.template(&header.template);
            let record = Record::read(&rules, bytes).ok();
            template.zip(record).is_some_and(|(template, record)| {
                map(&rules, template, &record)
                    .is_ok_and(|values| header.commitments.as_slice() == commitments(key, template, &values))
            })
        })
    }
}
