//! The same state under other numbers: users for users, validators for validators.
//!
//! Who explores wants to know which states differ in nothing but who is who. Every term and every part of an actor's state
//! says here, or beside its declaration, which of its numbers are whose; a bare `u8` has no answer, so none is forgotten.

use crate::shared::Shared;
use crate::{
    Actor, Ballot, Block, BlockId, Certificate, Change, ContentType, Datagram, Decision, Edition, Entry,
    Envelope, Flaws, Gossip, Head, Header, HelloId, LeafKind, LedgerKind, LogKind, Members, Message, Order,
    Ordinal, Packet, Policy, Proposal, Question, Record, RequestId, RevocationList, SessionId, Tid, Versions,
    Vote,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Other numbers for users and validators.
#[derive(Clone, Debug)]
pub struct Renaming {
    users: Vec<u8>,
    validators: Vec<u8>,
    /// A block's digest is of what it says, names among it.
    blocks: BTreeMap<BlockId, BlockId>,
}

impl Renaming {
    /// The `n`th user becomes number `users[n]`, a validator likewise; numbers beyond stay as they are.
    pub const fn new(users: Vec<u8>, validators: Vec<u8>) -> Renaming {
        Renaming { users, validators, blocks: BTreeMap::new() }
    }

    /// Takes note of a block: what names it by its digest can be renamed from now on. Blocks are to be shown in the order
    /// of their heights.
    pub fn meet(&mut self, proposal: &Proposal) {
        let id = proposal.id();
        if !self.blocks.contains_key(&id) {
            let renamed = proposal.renamed(self).id();
            self.blocks.insert(id, renamed);
        }
    }

    fn user(&self, number: u8) -> u8 {
        self.users.get(usize::from(number)).copied().unwrap_or(number)
    }

    fn validator(&self, number: u8) -> u8 {
        self.validators.get(usize::from(number)).copied().unwrap_or(number)
    }
}

/// What has names in it.
pub trait Rename {
    /// The same under other names.
    #[must_use]
    fn renamed(&self, names: &Renaming) -> Self;
}

/// A number of a user or a validator, or a set of them: it does not say itself of whom.
pub(super) trait Numbered {
    fn of_users(&self, names: &Renaming) -> Self;
    fn of_validators(&self, names: &Renaming) -> Self;
}

/// A number that counts.
pub(super) trait Counted {
    fn of_nobody(&self, names: &Renaming) -> Self;
}

impl Counted for u8 {
    fn of_nobody(&self, _: &Renaming) -> u8 {
        *self
    }
}

impl Numbered for u8 {
    fn of_users(&self, names: &Renaming) -> u8 {
        names.user(*self)
    }

    fn of_validators(&self, names: &Renaming) -> u8 {
        names.validator(*self)
    }
}

impl Numbered for Members {
    fn of_users(&self, names: &Renaming) -> Members {
        self.iter().map(|user| names.user(user)).collect()
    }

    fn of_validators(&self, names: &Renaming) -> Members {
        self.iter().map(|validator| names.validator(validator)).collect()
    }
}

impl<V: Rename> Numbered for BTreeMap<u8, V> {
    fn of_users(&self, names: &Renaming) -> Self {
        self.iter().map(|(user, value)| (names.user(*user), value.renamed(names))).collect()
    }

    fn of_validators(&self, names: &Renaming) -> Self {
        self.iter().map(|(validator, value)| (names.validator(*validator), value.renamed(names))).collect()
    }
}

/// Renames a struct field by field: each by itself, or as numbers `of_users`, `of_validators` or `of_nobody`.
macro_rules! renamed {
    ($name:ident { $($field:ident $(: $whose:ident)?),* $(,)? }) => {
        impl $crate::rename::Rename for $name {
            fn renamed(&self, names: &$crate::rename::Renaming) -> Self {
                let $name { $($field),* } = self;
                $name { $($field: $crate::rename::renamed!(@ $field names $($whose)?)),* }
            }
        }
    };
    (@ $field:ident $names:ident) => { $crate::rename::Rename::renamed($field, $names) };
    (@ $field:ident $names:ident of_nobody) => { $crate::rename::Counted::of_nobody($field, $names) };
    (@ $field:ident $names:ident $whose:ident) => { $crate::rename::Numbered::$whose($field, $names) };
}
pub(super) use renamed;

/// What names nobody.
macro_rules! nameless {
    ($($name:ty),*) => {
        $(impl Rename for $name {
            fn renamed(&self, _: &Renaming) -> Self {
                *self
            }
        })*
    };
}

nameless!(
    Change,
    Edition,
    Policy,
    Versions,
    bool,
    u16,
    u32,
    u64,
    usize,
    Ballot,
    Decision,
    Flaws,
    Ordinal,
    Tid,
    Head,
    LeafKind,
    LedgerKind,
    LogKind,
    ContentType,
    bemr_spec::Clause,
    &'static str
);

impl Rename for Actor {
    fn renamed(&self, names: &Renaming) -> Actor {
        match *self {
            Actor::Bsd | Actor::Cloud | Actor::Kdc => *self,
            Actor::User(number) => Actor::User(names.user(number)),
            Actor::Validator(number) => Actor::Validator(names.validator(number)),
        }
    }
}

impl Rename for RevocationList {
    fn renamed(&self, _: &Renaming) -> RevocationList {
        // Serials are numbers of nobody: where somebody is enrolled or revoked, nobody is taken for anybody else.
        self.clone()
    }
}

impl Rename for BlockId {
    fn renamed(&self, names: &Renaming) -> BlockId {
        match self {
            // The genesis.
            BlockId(0) => *self,
            id => *names.blocks.get(id).expect("who names a block was shown it, and so was the renaming"),
        }
    }
}

impl<T: Rename> Rename for Option<T> {
    fn renamed(&self, names: &Renaming) -> Self {
        self.as_ref().map(|one| one.renamed(names))
    }
}

impl<T: Rename> Rename for Vec<T> {
    fn renamed(&self, names: &Renaming) -> Self {
        self.iter().map(|one| one.renamed(names)).collect()
    }
}

impl<T: Rename + Ord> Rename for BTreeSet<T> {
    fn renamed(&self, names: &Renaming) -> Self {
        self.iter().map(|one| one.renamed(names)).collect()
    }
}

impl<K: Rename + Ord, V: Rename> Rename for BTreeMap<K, V> {
    fn renamed(&self, names: &Renaming) -> Self {
        self.iter().map(|(key, value)| (key.renamed(names), value.renamed(names))).collect()
    }
}

impl<A: Rename, B: Rename> Rename for (A, B) {
    fn renamed(&self, names: &Renaming) -> Self {
        (self.0.renamed(names), self.1.renamed(names))
    }
}

impl<A: Rename, B: Rename, C: Rename> Rename for (A, B, C) {
    fn renamed(&self, names: &Renaming) -> Self {
        (self.0.renamed(names), self.1.renamed(names), self.2.renamed(names))
    }
}

impl<A: Rename, B: Rename, C: Rename, D: Rename> Rename for (A, B, C, D) {
    fn renamed(&self, names: &Renaming) -> Self {
        (self.0.renamed(names), self.1.renamed(names), self.2.renamed(names), self.3.renamed(names))
    }
}

impl<T: Rename> Rename for Arc<T> {
    fn renamed(&self, names: &Renaming) -> Self {
        Arc::new((**self).renamed(names))
    }
}

impl<T: Rename> Rename for Shared<T> {
    fn renamed(&self, names: &Renaming) -> Self {
        Shared::new((**self).renamed(names))
    }
}

renamed!(HelloId { from, to, number });
renamed!(SessionId { hello, by, number });
renamed!(Header { tid, user: of_users, record, breaks, readers: of_users, issued, policy });
renamed!(Question { header, number, height, sealed, policy });
renamed!(Vote { validator: of_validators, question, ballot, flaws });
renamed!(Certificate { question, ballot, signatories: of_validators, flaws });
renamed!(RequestId { user: of_users, number });
renamed!(Record { session, from_initiator, stage, sequence, message });
renamed!(Proposal { height, previous, time, proposer: of_validators, entries, nonce, flaws });
renamed!(Block { proposal, id, signatories: of_validators, flaws });
renamed!(Envelope { from, to, datagram, flaws });

impl Rename for Order {
    fn renamed(&self, names: &Renaming) -> Order {
        match self {
            Order::Grant(user) => Order::Grant(user.of_users(names)),
            Order::Revoke(user) => Order::Revoke(user.of_users(names)),
            Order::Erase(users) => Order::Erase(users.of_users(names)),
        }
    }
}

impl Rename for Message {
    fn renamed(&self, names: &Renaming) -> Message {
        match *self {
            Message::Initial { header, flaws } => Message::Initial { header: header.renamed(names), flaws },
            Message::Outcome { .. } => *self,
            Message::Block { question, flaws } => Message::Block { question: question.renamed(names), flaws },
            Message::Vote(vote) => Message::Vote(vote.renamed(names)),
            Message::Valid { certificate, block, height, sealed, flaws } => {
                let (certificate, block) = (certificate.renamed(names), block.renamed(names));
                Message::Valid { certificate, block, height, sealed, flaws }
            }
            Message::Receipt { tid, index, certificate, block, flaws } => {
                let (certificate, block) = (certificate.renamed(names), block.renamed(names));
                Message::Receipt { tid, index, certificate, block, flaws }
            }
            Message::Read { request, tid, remembered } => {
                Message::Read { request: request.renamed(names), tid, remembered }
            }
            Message::Record { request, tid, owner, head, from, anchored, template, flaws } => {
                let (request, owner) = (request.renamed(names), owner.of_users(names));
                Message::Record { request, tid, owner, head, from, anchored, template, flaws }
            }
            Message::Order { request, tid, owner, order, issued, flaws } => {
                let (request, owner) = (request.renamed(names), owner.of_users(names));
                Message::Order { request, tid, owner, order: order.renamed(names), issued, flaws }
            }
            Message::Answer { request, tid, decision, reason } => {
                Message::Answer { request: request.renamed(names), tid, decision, reason }
            }
        }
    }
}

impl Rename for Packet {
    fn renamed(&self, names: &Renaming) -> Packet {
        match self {
            Packet::Hello { hello, purpose } => {
                Packet::Hello { hello: hello.renamed(names), purpose: *purpose }
            }
            Packet::Response { session } => Packet::Response { session: session.renamed(names) },
            Packet::Finish { session, by } => {
                Packet::Finish { session: session.renamed(names), by: by.renamed(names) }
            }
            Packet::Record(record) => Packet::Record(record.renamed(names)),
        }
    }
}

impl Rename for Entry {
    fn renamed(&self, names: &Renaming) -> Entry {
        match self {
            Entry::Decision(certificate) => Entry::Decision(certificate.renamed(names)),
            Entry::Anchor(_) => *self,
        }
    }
}

impl Rename for Gossip {
    fn renamed(&self, names: &Renaming) -> Gossip {
        match self {
            Gossip::Decision(certificate) => Gossip::Decision(certificate.renamed(names)),
            Gossip::Head { .. } | Gossip::BlocksFrom(_) | Gossip::RevocationList { .. } => self.clone(),
            Gossip::PolicyChange { change, approvals, flaws } => {
                let approvals = approvals.of_users(names);
                Gossip::PolicyChange { change: *change, approvals, flaws: *flaws }
            }
            Gossip::Proposal { proposal, signatory, flaws } => {
                let (proposal, signatory) = (proposal.renamed(names), signatory.of_validators(names));
                Gossip::Proposal { proposal, signatory, flaws: *flaws }
            }
            Gossip::Closing { height, block, signatory, flaws } => {
                let (block, signatory) = (block.renamed(names), signatory.of_validators(names));
                Gossip::Closing { height: *height, block, signatory, flaws: *flaws }
            }
            Gossip::Block(block) => Gossip::Block(block.renamed(names)),
        }
    }
}

impl Rename for Datagram {
    fn renamed(&self, names: &Renaming) -> Datagram {
        match self {
            Datagram::Packet(packet) => Datagram::Packet(packet.renamed(names)),
            Datagram::Gossip(gossip) => Datagram::Gossip(gossip.renamed(names)),
        }
    }
}
