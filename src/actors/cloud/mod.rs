//! The cloud: stores what the network accepted, in an append-only log, and serves it to whom its owner lets read.
//!
//! It checks everything itself and can open nothing: it holds ciphertext, and keys encapsulated to others.

mod check;

use crate::actors::initial_builder::ONE_NONCE;
use crate::actors::{Actor, Input, LedgerView, NodeContext, Output, Received, Step, StoreHandle};
use crate::crypto::{AeadKey, Digest, Domain};
use crate::keys::{CertifiedPrincipal, Party, Permission, TrustStore};
use crate::merkle::{prove_consistency, prove_inclusion};
use crate::store::{Commit, LogNodes, Table, for_each};
use crate::transparency::CloudLog;
use crate::wire::{
    CloudHead, CloudLeaf, Decision, Erase, Gossip, Grant, InclusionProof, LeafKind, LogKind, Message, Name,
    PROTOCOL_VERSION, ReadProof, ReadRequest, ReadResponse, Reason, Receipt, RequestOutcome, Revoke, Role,
    SignedCloudHead, StoredContent, StoredRecord, TValid, Time, WrappedKey, decode, encode,
};
use bemr_spec::{Clause, Refusal};
use std::collections::BTreeMap;

pub use bemr_spec::machines::record_machine;

use record_machine::{Event, Guard, State};

/// The cloud.
pub struct Cloud {
    context: NodeContext,
    store: StoreHandle,
    log: CloudLog,
    records: BTreeMap<Digest, (State, u64)>,
    head: Option<SignedCloudHead>,
}

impl Cloud {
    /// A cloud that goes on from what its store holds, whose log was recovered as `log`.
    ///
    /// # Errors
    /// CLD-06 when the store is damaged.
    pub fn new(mut context: NodeContext, store: StoreHandle, log: CloudLog) -> Result<Cloud, Refusal> {
        context.persist_in(&store)?;
        let mut records = BTreeMap::new();
        let rules = context.rules;
        let head = store.read(|store| {
            for_each(store, &rules, Table::Leaves, |leaf: CloudLeaf| {
                match leaf.kind {
                    LeafKind::Record => drop(records.insert(leaf.tid, (State::Stored, leaf.sequence))),
                    LeafKind::Erase => {
                        records
                            .entry(leaf.tid)
                            .and_modify(|record: &mut (State, u64)| record.0 = State::Erased);
                    }
                    LeafKind::Grant | LeafKind::Revoke => {}
                }
                Ok(())
            })?;
            store.newest_cloud_head(&rules)
        })?;
        Ok(Cloud { context, store, log, records, head })
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

    /// The state of every record that it knows.
    pub fn records(&self) -> impl Iterator<Item = (&Digest, State)> {
        self.records.iter().map(|(tid, (state, _))| (tid, *state))
    }

    /// How many leaves its log has.
    pub fn log_size(&self) -> u64 {
        self.log.size()
    }

    /// The newest head of its log.
    pub fn head(&self) -> Option<&SignedCloudHead> {
        self.head.as_ref()
    }

    /// The state of a record.
    pub fn state_of(&self, tid: &Digest) -> State {
        self.records.get(tid).map_or(State::INITIAL, |(state, _)| *state)
    }

    fn on_valid(
        &mut self,
        now: Time,
        peer: &CertifiedPrincipal,
        valid: TValid,
    ) -> (Result<Vec<Output>, Refusal>, Vec<Output>) {
        if let Err(refusal) = check::check_sender(&self.context, peer, &valid) {
            return (Err(refusal), Vec::new());
        }
        let rules = self.context.rules;
        let tid = valid.body.tid;
        if let Some((_, index)) = self.records.get(&tid).copied()
            && let Err(refusal) = rules.require(Clause::StoredOnce, false)
        {
            let receipt = self.receipt(index).ok().map(Message::Receipt);
            let repeated = receipt.and_then(|receipt| self.context.send(now, peer.name(), receipt).ok());
            return (Err(refusal), repeated.map_or(Vec::new(), |(outputs, _)| outputs));
        }
        (self.store(now, peer, valid), Vec::new())
    }

    fn store(&mut self, now: Time, peer: &CertifiedPrincipal, valid: TValid) -> Result<Vec<Output>, Refusal> {
        let rules = self.context.rules;
        check::check_content(&mut self.context, now, &valid)?;
        let tid = valid.body.tid;
        let state = self.state_of(&tid).on(&rules, Event::ValidArrived, Guard::EveryCheckOfTValidHolds)?;
        let record = StoredRecord::of(&valid);
        let content = record.digest();
        let mut vault_key = [0; 32];
        rand::Rng::fill_bytes(&mut self.context.rng, &mut vault_key);
        let vault_key = AeadKey::from_bytes(vault_key);
        let stored = encode(&StoredContent { record, ciphertext: valid.ciphertext });
        let blob = vault_key.seal(&ONE_NONCE, tid.as_bytes(), &stored);
        let mut commit = Commit::new().record(&tid, vault_key, blob);
        for grant in valid.grants.iter() {
            commit = commit.grant(&tid, &grant.reader, encode(grant));
        }
        let (index, head) = self.append(now, LeafKind::Record, tid, content, commit)?;
        self.records.insert(tid, (state, index));
        let receipt = self.receipt(index)?;
        let (mut outputs, _) = self.context.send(now, peer.name(), Message::Receipt(receipt))?;
        outputs.push(Output::Publish(Gossip::CloudHead(head)));
        Ok(outputs)
    }

    /// Appends a leaf and signs the new head; both are kept with `commit`, or nothing is.
    fn append(
        &mut self,
        now: Time,
        kind: LeafKind,
        tid: Digest,
        content: Digest,
        commit: Commit,
    ) -> Result<(u64, SignedCloudHead), Refusal> {
        let mut log = self.log.clone();
        let appended = log.append(kind, tid, content, now);
        let head = log.sign(&self.context.rules, self.context.own.identity().signing_key(), now);
        self.store.commit(commit.leaf(&appended).cloud_head(&head))?;
        self.log = log;
        self.head = Some(head.clone());
        Ok((appended.leaf.sequence, head))
    }

    /// The receipt of the record at `index`, the same each time: under the head that was signed when it was stored.
    fn receipt(&self, index: u64) -> Result<Receipt, Refusal> {
        let rules = self.context.rules;
        let size = index.saturating_add(1);
        let head = self.store.read(|store| store.cloud_head(&rules, size))?;
        let head = head.ok_or_else(|| Refusal::new(Clause::StoreMatchesHead).at(format!("head {size}")))?;
        let (leaf, inclusion) = self.prove_leaf(size, index)?;
        Ok(Receipt { head, leaf, inclusion })
    }

    fn prove_leaf(&self, size: u64, index: u64) -> Result<(CloudLeaf, InclusionProof), Refusal> {
        let rules = self.context.rules;
        self.store
            .read(|store| {
                let leaf = store.leaf(&rules, index)?;
                let proof = prove_inclusion(&LogNodes::new(&rules, store), size, index)?;
                Ok(leaf.map(|leaf| (leaf, proof)))
            })?
            .ok_or_else(|| Refusal::new(Clause::StoreMatchesHead).at(format!("leaf {index}")))
    }

    /// State and leaf of the record of `tid`, which is stored and not erased.
    fn require_stored(&self, tid: &Digest) -> Result<(State, u64), Refusal> {
        let rules = self.context.rules;
        let found = self.records.get(tid).copied();
        let (state, index) =
            found.ok_or_else(|| Refusal::new(Clause::LeafIsIncluded).at("no such record"))?;
        rules.require(Clause::ErasedStaysErased, state != State::Erased)?;
        Ok((state, index))
    }

    fn content(&self, tid: &Digest) -> Result<StoredContent, Refusal> {
        let rules = self.context.rules;
        let gone = |place: &str| Refusal::new(Clause::ErasedStaysErased).at(place);
        let key = self.store.read(|store| store.vault_key(tid))?.ok_or_else(|| gone("vault key"))?;
        let blob = self.store.read(|store| store.blob(tid))?.ok_or_else(|| gone("record"))?;
        let stored = key.open_by(&rules, Clause::StoreMatchesHead, &ONE_NONCE, tid.as_bytes(), &blob);
        decode(&rules, &stored.map_err(|refusal| refusal.at("record"))?)
    }

    fn on_read(
        &mut self,
        now: Time,
        peer: &CertifiedPrincipal,
        request: &ReadRequest,
    ) -> Result<Vec<Output>, Refusal> {
        let rules = self.context.rules;
        let (state, index) = self.require_stored(&request.tid)?;
        peer.role().require(&rules, Permission::Read)?;
        let grant = self.store.read(|store| store.grant(&request.tid, peer.name()))?;
        let key: WrappedKey = match grant {
            Some(grant) => decode(&rules, &grant)?,
            None => {
                rules
                    .require(Clause::ReaderIsGranted, false)
                    .map_err(|refusal| refusal.at(peer.name().as_str()))?;
                WrappedKey {
                    reader: peer.name().clone(),
                    encapsulation: Vec::new().into(),
                    wrapped: Vec::new().into(),
                }
            }
        };
        state.on(&rules, Event::ReadArrived, Guard::TheReaderHoldsAGrant)?;
        let StoredContent { record, ciphertext } = self.content(&request.tid)?;
        let proof = self.read_proof(index, request.remembered)?;
        let response = ReadResponse { nonce: request.nonce, record, key, ciphertext, proof };
        let message = Message::ReadResponse(Box::new(response));
        self.context.send(now, peer.name(), message).map(|(outputs, _)| outputs)
    }

    fn read_proof(&self, index: u64, remembered: u64) -> Result<ReadProof, Refusal> {
        let rules = self.context.rules;
        let head = self.head.clone().ok_or_else(|| Refusal::new(Clause::LeafIsIncluded))?;
        let size = head.head.size;
        let (leaf, inclusion) = self.prove_leaf(size, index)?;
        let ledger = &self.context.ledger_view.ledger;
        let anchor =
            ledger.final_anchor(LogKind::Cloud, self.context.name()).map(|(_, anchor)| anchor.clone());
        let anchored: Option<CloudHead> = match &anchor {
            Some(anchor) => self
                .store
                .read(|store| store.cloud_head(&rules, anchor.size))?
                .map(|signed| signed.head)
                .filter(|head| head.digest() == anchor.head),
            None => None,
        };
        let extends =
            |old: u64| self.store.read(|store| prove_consistency(&LogNodes::new(&rules, store), old, size));
        Ok(ReadProof {
            extends_remembered: extends(remembered)?,
            extends_anchored: extends(anchored.as_ref().map_or(0, |head| head.size))?,
            anchored,
            head,
            leaf,
            inclusion,
        })
    }

    fn check_statement(&self, version: u16, suite: crate::crypto::Suite) -> Result<(), Refusal> {
        let rules = &self.context.rules;
        rules.require(Clause::ProtocolVersionIsOne, version == PROTOCOL_VERSION)?;
        rules.require(Clause::SuiteMatches, suite == self.context.own.identity().suite())
    }

    fn on_grant(
        &mut self,
        now: Time,
        peer: &CertifiedPrincipal,
        grant: &Grant,
    ) -> Result<Vec<Output>, Refusal> {
        let rules = self.context.rules;
        let body = &grant.body;
        self.check_statement(body.version, body.suite)?;
        let (state, _) = self.require_stored(&body.tid)?;
        peer.role().require(&rules, Permission::Grant)?;
        let record = self.content(&body.tid)?.record;
        let by_owner = body.owner == *peer.name()
            && body.owner == record.initial.user
            && body.cloud == *self.context.name();
        rules.require(Clause::GrantByOwner, by_owner).map_err(|refusal| refusal.at("owner"))?;
        peer.signing_key()
            .vouches(&rules, Clause::GrantByOwner, Domain::GRANT, &encode(body), &grant.signature)
            .map_err(|refusal| refusal.at("signature"))?;
        self.check_advances(&body.tid, &body.key.reader, body.issued)?;
        let reader = self.context.trust.verify(&rules, now, &grant.reader)?;
        reader.require_claim(&rules, &body.key.reader, reader.role())?;
        reader.role().require(&rules, Permission::Read)?;
        let contracts = record.initial.contracts.as_slice();
        let authorised = self.context.ledger_view.policy.lets_read(contracts, reader.role());
        rules
            .require(Clause::GrantsNameAuthorisedReaders, authorised)
            .map_err(|refusal| refusal.at(reader.name().as_str()))?;
        state.on(&rules, Event::GrantArrived, Guard::TheOwnerSigns)?;
        let commit = Commit::new().grant(&body.tid, reader.name(), encode(&body.key));
        self.carry_out(now, peer, LeafKind::Grant, body.tid, grant.digest(), commit)
    }

    /// The last revocation of a reader's grant.
    fn last_revocation(&self, tid: &Digest, reader: &Name) -> Result<Option<Revoke>, Refusal> {
        let order = self.store.read(|store| store.revocation(tid, reader))?;
        order.map(|order| decode::<Revoke>(&self.context.rules, &order)).transpose()
    }

    /// An old statement that comes late, or again, must not undo a revocation, nor a grant that followed it.
    fn check_advances(&self, tid: &Digest, reader: &Name, issued: Time) -> Result<(), Refusal> {
        let last = self.last_revocation(tid, reader)?;
        let advances = last.is_none_or(|last| last.body.issued < issued);
        self.context
            .rules
            .require(Clause::StatementAdvances, advances)
            .map_err(|refusal| refusal.at(format!("issued {issued}")))
    }

    /// Whether this very statement was carried out before. Its signatures count: who guesses a body learns nothing.
    fn is_carried_out(&self, message: &Message) -> bool {
        match message {
            Message::Revoke(revoke) => {
                let last = self.last_revocation(&revoke.body.tid, &revoke.body.reader);
                last.is_ok_and(|last| last.as_ref() == Some(revoke))
            }
            Message::Erase(erase) => {
                let order = self.store.read(|store| store.erasure(&erase.body.tid)).ok().flatten();
                order.is_some_and(|order| order == encode(erase))
            }
            _ => false,
        }
    }

    fn on_revoke(
        &mut self,
        now: Time,
        peer: &CertifiedPrincipal,
        revoke: &Revoke,
    ) -> Result<Vec<Output>, Refusal> {
        let rules = self.context.rules;
        let body = &revoke.body;
        self.check_statement(body.version, body.suite)?;
        let (state, _) = self.require_stored(&body.tid)?;
        peer.role().require(&rules, Permission::Grant)?;
        let record = self.content(&body.tid)?.record;
        let by_owner = body.owner == *peer.name()
            && body.owner == record.initial.user
            && body.cloud == *self.context.name()
            && body.reader != body.owner;
        rules.require(Clause::RevokeByOwner, by_owner).map_err(|refusal| refusal.at("owner"))?;
        peer.signing_key()
            .vouches(&rules, Clause::RevokeByOwner, Domain::REVOKE, &encode(body), &revoke.signature)
            .map_err(|refusal| refusal.at("signature"))?;
        self.check_advances(&body.tid, &body.reader, body.issued)?;
        let granted = self.store.read(|store| store.grant(&body.tid, &body.reader))?.is_some();
        rules
            .require(Clause::ReaderIsGranted, granted)
            .map_err(|refusal| refusal.at(body.reader.as_str()))?;
        state.on(&rules, Event::RevokeArrived, Guard::TheOwnerSigns)?;
        let commit = Commit::new().revoke(&body.tid, &body.reader, encode(revoke));
        self.carry_out(now, peer, LeafKind::Revoke, body.tid, revoke.digest(), commit)
    }

    fn on_erase(
        &mut self,
        now: Time,
        peer: &CertifiedPrincipal,
        erase: &Erase,
    ) -> Result<Vec<Output>, Refusal> {
        let rules = self.context.rules;
        let body = &erase.body;
        self.check_statement(body.version, body.suite)?;
        let (state, _) = self.require_stored(&body.tid)?;
        let record = self.content(&body.tid)?.record;
        let here = body.cloud == *self.context.name();
        rules.require(Clause::ErasureByAuthority, here).map_err(|refusal| refusal.at("cloud"))?;
        let mut authorities: Vec<(Name, Role)> = Vec::new();
        for approval in erase.approvals.iter() {
            let authority = self.context.trust.verify(&rules, now, &approval.authority)?;
            authority
                .signing_key()
                .vouches(
                    &rules,
                    Clause::ErasureByAuthority,
                    Domain::ERASE,
                    &encode(body),
                    &approval.signature,
                )
                .map_err(|refusal| refusal.at(authority.name().as_str()))?;
            authorities.push((authority.name().clone(), authority.role()));
        }
        let administrators = authorities.iter().any(|(_, role)| *role == Role::Administrator);
        let all_may = authorities
            .iter()
            .all(|(name, role)| *role == Role::Administrator || *name == record.initial.user);
        let two = authorities.len() == 2 && authorities[0].0 != authorities[1].0;
        let present = authorities.iter().any(|(name, _)| name == peer.name());
        rules
            .require(Clause::ErasureByAuthority, administrators && all_may && two && present)
            .map_err(|refusal| refusal.at("approvals"))?;
        let state = state.on(&rules, Event::EraseArrived, Guard::TwoAuthoritiesSign)?;
        // The mutant of CLD-12 keeps what it serves afterwards.
        let commit = match rules.in_force(Clause::ErasedStaysErased) {
            true => Commit::new().erase(&body.tid, encode(erase)),
            false => Commit::new(),
        };
        let outputs = self.carry_out(now, peer, LeafKind::Erase, body.tid, erase.digest(), commit)?;
        if let Some(record) = self.records.get_mut(&body.tid) {
            record.0 = state;
        }
        Ok(outputs)
    }

    fn carry_out(
        &mut self,
        now: Time,
        peer: &CertifiedPrincipal,
        kind: LeafKind,
        tid: Digest,
        content: Digest,
        commit: Commit,
    ) -> Result<Vec<Output>, Refusal> {
        let (_, head) = self.append(now, kind, tid, content, commit)?;
        let request = *content.as_bytes();
        let answer = RequestOutcome { request, tid, decision: Decision::Committed, reason: Reason::NONE };
        let (mut outputs, _) = self.context.send(now, peer.name(), Message::Answer(answer))?;
        outputs.push(Output::Publish(Gossip::CloudHead(head)));
        Ok(outputs)
    }

    fn on_message(&mut self, now: Time, peer: &CertifiedPrincipal, message: Message) -> Step {
        let event = event_of(&message);
        let message = match message {
            Message::TValid(valid) => {
                let (outcome, repeats) = self.on_valid(now, peer, *valid);
                return Step { event, outcome, repeats };
            }
            other => other,
        };
        let (tid, outcome) = match &message {
            Message::ReadRequest(request) => (request.tid, self.on_read(now, peer, request)),
            Message::Grant(grant) => (grant.body.tid, self.on_grant(now, peer, grant)),
            Message::Revoke(revoke) => (revoke.body.tid, self.on_revoke(now, peer, revoke)),
            Message::Erase(erase) => (erase.body.tid, self.on_erase(now, peer, erase)),
            other => {
                return Step::refused(event, Refusal::new(Clause::MessageTypeIsExpected).at(other.name()));
            }
        };
        let mut repeats = Vec::new();
        if let (Err(refusal), Some(request)) = (&outcome, message.request())
            && !self.context.rules.is_silent(refusal)
        {
            let (decision, reason) = match self.is_carried_out(&message) {
                true => (Decision::Committed, Reason::NONE),
                false => (Decision::Refused, refusal.clause().into()),
            };
            let answer = Message::Answer(RequestOutcome { request, tid, decision, reason });
            repeats = self.context.send(now, peer.name(), answer).map_or(Vec::new(), |(outputs, _)| outputs);
        }
        Step { event, outcome, repeats }
    }

    fn on_gossip(&mut self, now: Time, from: &Name, gossip: Gossip) -> Step {
        let Gossip::Block(block) = gossip else { return self.context.on_gossip(now, from, gossip) };
        let (taken, repeats) = self.context.on_block(now, from, block);
        let kept = taken.and_then(|change| self.store.store_block(&change, &self.context.ledger_view.ledger));
        Step { event: bemr_spec::Event::BlockArrived, outcome: kept.map(|()| Vec::new()), repeats }
    }
}

/// The event that the arrival of this message is.
fn event_of(message: &Message) -> bemr_spec::Event {
    match message {
        Message::TValid(_) => Event::ValidArrived.into(),
        Message::ReadRequest(_) => Event::ReadArrived.into(),
        Message::Grant(_) => Event::GrantArrived.into(),
        Message::Revoke(_) => Event::RevokeArrived.into(),
        Message::Erase(_) => Event::EraseArrived.into(),
        _ => bemr_spec::Event::Unexpected,
    }
}

/// Who may send this to a cloud.
fn sender(message: &Message) -> Result<Party, Refusal> {
    match message {
        Message::TValid(_) => Ok(Party::Bsd),
        Message::ReadRequest(_) | Message::Grant(_) | Message::Revoke(_) | Message::Erase(_) => {
            Ok(Party::User)
        }
        other => Err(Refusal::new(Clause::MessageTypeIsExpected).at(other.name())),
    }
}

impl Actor for Cloud {
    fn name(&self) -> &Name {
        self.context.name()
    }

    fn handle(&mut self, now: Time, input: Input) -> Step {
        match input {
            Input::Wake => Step::taken(bemr_spec::Event::Wake, self.context.retry(now)),
            Input::Gossip { from, gossip } => self.on_gossip(now, &from, gossip),
            Input::Packet { from, packet } => match self.context.receive(now, &from, &packet) {
                (event, Err(refusal)) => Step::refused(event, refusal),
                (_, Ok(Received::HandshakeProgress(event, outputs, _))) => Step::taken(event, outputs),
                (_, Ok(Received::Message { peer, message, .. })) => {
                    match sender(&message)
                        .and_then(|place| peer.role().require_place(&self.context.rules, place))
                    {
                        Ok(()) => self.on_message(now, &peer, message),
                        Err(refusal) => Step::refused(event_of(&message), refusal),
                    }
                }
            },
        }
    }

    fn wake(&self) -> Option<Time> {
        self.context.sessions.wake()
    }

    fn state(&self) -> Digest {
        let mut public = self.context.ledger_view.state();
        public.extend(self.log.size().to_be_bytes());
        public.extend(self.log.root().as_bytes());
        Digest::of(Domain::PUBLIC_STATE, &public)
    }
}
