//! What the model speaks of: principals, messages, packets. Cryptography is symbolic: a term says what a value is, and
//! never how it looks. A term that some check will refuse says which ([`Flaws`]).

use crate::{Change, Ordinal, Policy, RevocationList, Tid, Versions};
use bemr_spec::{Clause, Event};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Virtual time, in milliseconds since the beginning.
pub type Time = u64;

/// A height of the ledger.
pub type Height = u64;

/// Who takes part. The order is that of the names in a real network.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The BSD.
    Bsd,
    /// The cloud.
    Cloud,
    /// A user.
    User(u8),
    /// A validator.
    Validator(u8),
    /// The KDC. It has no address: nothing is delivered to it.
    Kdc,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Bsd => f.write_str("bsd"),
            Actor::Cloud => f.write_str("cloud"),
            Actor::User(number) => write!(f, "user {number}"),
            Actor::Validator(number) => write!(f, "validator {number}"),
            Actor::Kdc => f.write_str("kdc"),
        }
    }
}

/// The checks that a value does not pass, beside those that depend on the receiver's state: at most two, so that the
/// order of checks shows. An honest value has none.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(from = "Vec<Clause>", into = "Vec<Clause>")]
#[schemars(extend("minItems" = 1, "maxItems" = 2, "uniqueItems" = true))]
pub struct Flaws([Option<Clause>; 2]);

impl Flaws {
    /// Passes every check.
    pub const NONE: Flaws = Flaws([None, None]);

    /// Fails the check of one clause.
    pub const fn of(clause: Clause) -> Flaws {
        Flaws([Some(clause), None])
    }

    /// Fails the checks of both; the first two when there are more.
    #[must_use]
    pub fn and(self, clause: Clause) -> Flaws {
        match self.0 {
            [None, None] => Flaws::of(clause),
            [Some(one), None] if one != clause => Flaws([Some(one.min(clause)), Some(one.max(clause))]),
            _ => self,
        }
    }

    /// Whether the check of `clause` fails.
    pub fn has(&self, clause: Clause) -> bool {
        self.0.contains(&Some(clause))
    }

    /// The clauses, ascending.
    pub fn iter(&self) -> impl Iterator<Item = Clause> {
        self.0.into_iter().flatten()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0 == [None, None]
    }
}

/// Flaws of a record that is handed over which say that it was never logged as it is: it is shown under the head of another
/// log, which is none of those that were seen.
pub const FORKING: &[Clause] = &[
    Clause::CertificateSignedByKdc,
    Clause::CertificateWithinValidity,
    Clause::CertificateNotRevoked,
    Clause::SubjectIsClaimedPrincipal,
    Clause::ReadMatchesCommitments,
];

impl From<Vec<Clause>> for Flaws {
    fn from(clauses: Vec<Clause>) -> Flaws {
        clauses.into_iter().fold(Flaws::NONE, Flaws::and)
    }
}

impl From<Flaws> for Vec<Clause> {
    fn from(flaws: Flaws) -> Vec<Clause> {
        flaws.iter().collect()
    }
}

/// Principals of one kind as a set of small numbers.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
pub struct Members(pub u64);

impl Members {
    /// With `member`.
    #[must_use]
    pub const fn with(self, member: u8) -> Members {
        Members(self.0 | 1 << member)
    }

    /// Without `member`.
    #[must_use]
    pub const fn without(self, member: u8) -> Members {
        Members(self.0 & !(1 << member))
    }

    /// Whether `member` is one.
    pub const fn has(self, member: u8) -> bool {
        self.0 >> member & 1 == 1
    }

    /// How many.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
    pub(super) const fn is_empty_ref(&self) -> bool {
        self.is_empty()
    }

    /// Ascending.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (0..64).filter(move |member| self.has(*member))
    }
}

impl FromIterator<u8> for Members {
    fn from_iter<T: IntoIterator<Item = u8>>(members: T) -> Members {
        members.into_iter().fold(Members::default(), Members::with)
    }
}

/// What a session is for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ContentType {
    /// T_initial and its outcome.
    Initial,
    /// T_block and votes.
    Block,
    /// T_valid and its receipt.
    Valid,
    /// Requests to the cloud.
    Read,
}

/// A hello: the `number`th of `from` to `to`. Two hellos never share a nonce.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct HelloId {
    /// The initiator.
    pub from: Actor,
    /// Whom it intends.
    pub to: Actor,
    /// From 1.
    pub number: Ordinal,
}

/// A session: the hello that began it, and the `number`th response of `by` to any hello.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct SessionId {
    /// The hello.
    pub hello: HelloId,
    /// The responder.
    pub by: Actor,
    /// From 1.
    pub number: Ordinal,
}

/// What a user signs of a submission, with the verdict that the contracts come to.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Header {
    /// The submission.
    pub tid: Tid,
    /// Who submits.
    pub user: u8,
    /// The record's bytes and the patient; equal for equal ones.
    pub record: u16,
    /// The rule that the record breaks, if it breaks one.
    pub breaks: Option<Clause>,
    /// The first readers, the submitter among them.
    pub readers: Members,
    /// When it was made.
    pub issued: Time,
    /// The policy that it names.
    #[serde(default, skip_serializing_if = "Versions::are_shipped")]
    pub policy: Versions,
}

impl Header {
    /// The rule that the submission breaks by the policy that it names.
    pub fn verdict(&self) -> Option<Clause> {
        if self.policy.abeyance > 0 { Some(Clause::SubmitterRule) } else { self.breaks }
    }
}

/// A T_block by its digest: the `number`th that the BSD made, for one submission.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Question {
    /// What it asks about.
    pub header: Header,
    /// From 1, of one BSD; a BSD that starts again does not repeat one.
    pub number: Ordinal,
    /// The height whose policy applies.
    pub height: Height,
    /// Whether the BSD sealed the key of stage *initial* before.
    pub sealed: bool,
    /// The digest of the policy that applies.
    #[serde(default, skip_serializing_if = "Policy::is_shipped")]
    pub policy: Policy,
}

/// What a validator says: *true*, or *false* with the rule that does not hold.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Ballot {
    /// Every contract holds.
    True,
    /// This one does not.
    False(Clause),
}

/// A vote.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Vote {
    /// Whose.
    pub validator: u8,
    /// On what.
    pub question: Question,
    /// The verdict.
    pub ballot: Ballot,
    /// What is wrong with it.
    #[serde(default, skip_serializing_if = "Flaws::is_empty")]
    pub flaws: Flaws,
}

/// A quorum certificate.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Certificate {
    /// On what.
    pub question: Question,
    /// The verdict that all its signatories give.
    pub ballot: Ballot,
    /// Who signed.
    pub signatories: Members,
    /// What is wrong with it.
    #[serde(default, skip_serializing_if = "Flaws::is_empty")]
    pub flaws: Flaws,
}

/// How a submission or a request ended.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Stored; or carried out.
    Committed,
    /// The contracts do not hold.
    Rejected,
    /// A person decides.
    Deferred,
    /// Not taken.
    Refused,
}

/// Names a request in its answer: the `number`th of this user.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct RequestId {
    /// Whose.
    pub user: u8,
    /// From 0.
    pub number: Ordinal,
}

/// What a user asks the cloud to do with a record.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Let this reader read it.
    Grant(u8),
    /// End that.
    Revoke(u8),
    /// Erase it, with the approvals of these users.
    Erase(Members),
}

/// What is carried in session records.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// T_initial.
    Initial {
        /// What is signed.
        header: Header,
        /// What is wrong with it.
        #[serde(default, skip_serializing_if = "Flaws::is_empty")]
        flaws: Flaws,
    },
    /// What became of a submission.
    Outcome {
        /// Which.
        tid: Tid,
        /// How it ended.
        decision: Decision,
        /// The rule or clause that decided.
        reason: Option<Clause>,
        /// Of the block that holds the decision; 0 for none.
        height: Height,
    },
    /// T_block.
    Block {
        /// By its digest.
        question: Question,
        /// What is wrong with it.
        #[serde(default, skip_serializing_if = "Flaws::is_empty")]
        flaws: Flaws,
    },
    /// A vote.
    Vote(Vote),
    /// T_valid.
    Valid {
        /// The acknowledgement, which names the T_block.
        certificate: Certificate,
        /// The header of the block that holds the decision.
        block: BlockId,
        /// The height of that block.
        height: Height,
        /// Whether the BSD sealed the keys of stage *block* before.
        sealed: bool,
        /// What is wrong with it.
        #[serde(default, skip_serializing_if = "Flaws::is_empty")]
        flaws: Flaws,
    },
    /// The cloud stored a record.
    Receipt {
        /// Which.
        tid: Tid,
        /// The leaf's index.
        index: u32,
        /// What was stored: the certificate and block of the T_valid.
        certificate: Certificate,
        /// Its block.
        block: BlockId,
        /// What is wrong with it.
        #[serde(default, skip_serializing_if = "Flaws::is_empty")]
        flaws: Flaws,
    },
    /// A user asks for a record.
    Read {
        /// Names it in its answer.
        request: RequestId,
        /// Which record.
        tid: Tid,
        /// The size of the log that the user remembers.
        remembered: u32,
    },
    /// The cloud hands it over.
    Record {
        /// What it answers.
        request: RequestId,
        /// Which record.
        tid: Tid,
        /// Whose.
        owner: u8,
        /// The head that it is shown under.
        head: Head,
        /// The size from which the head is proven to extend.
        from: u32,
        /// The anchored head that it is proven to extend.
        anchored: Option<Head>,
        /// The version of the template that the owner named.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        template: u32,
        /// What is wrong with it.
        #[serde(default, skip_serializing_if = "Flaws::is_empty")]
        flaws: Flaws,
    },
    /// A user has something done with a record.
    Order {
        /// Names it in its answer.
        request: RequestId,
        /// Which record.
        tid: Tid,
        /// Who signed it as its owner.
        owner: u8,
        /// What.
        order: Order,
        /// When it was signed.
        issued: Time,
        /// What is wrong with it.
        #[serde(default, skip_serializing_if = "Flaws::is_empty")]
        flaws: Flaws,
    },
    /// The cloud says what became of a request.
    Answer {
        /// Which request.
        request: RequestId,
        /// Which record.
        tid: Tid,
        /// Committed or refused.
        decision: Decision,
        /// The clause that refused it.
        reason: Option<Clause>,
    },
}

const fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_one(version: &u32) -> bool {
    *version == 1
}

/// The messages that are sent, by name.
pub const MESSAGES: [&str; 24] = [
    "Hello",
    "Response",
    "Finish",
    "T_initial",
    "Outcome",
    "T_block",
    "Vote",
    "T_valid",
    "Receipt",
    "ReadRequest",
    "ReadResponse",
    "Grant",
    "Revoke",
    "Erase",
    "Answer",
    "Decision",
    "CloudHead",
    "AuditHead",
    "Proposal",
    "Closing",
    "Block",
    "BlocksFrom",
    "PolicyChange",
    "RevocationList",
];

impl Message {
    /// Its name in traces and diagrams.
    pub const fn name(&self) -> &'static str {
        match self {
            Message::Initial { .. } => "T_initial",
            Message::Outcome { .. } => "Outcome",
            Message::Block { .. } => "T_block",
            Message::Vote(_) => "Vote",
            Message::Valid { .. } => "T_valid",
            Message::Receipt { .. } => "Receipt",
            Message::Read { .. } => "ReadRequest",
            Message::Record { .. } => "ReadResponse",
            Message::Order { order: Order::Grant(_), .. } => "Grant",
            Message::Order { order: Order::Revoke(_), .. } => "Revoke",
            Message::Order { order: Order::Erase(_), .. } => "Erase",
            Message::Answer { .. } => "Answer",
        }
    }

    /// The stage of the records that carry it (chapter 8).
    pub const fn stage(&self) -> ContentType {
        match self {
            Message::Initial { .. } | Message::Outcome { .. } => ContentType::Initial,
            Message::Block { .. } | Message::Vote(_) => ContentType::Block,
            Message::Valid { .. } | Message::Receipt { .. } => ContentType::Valid,
            Message::Read { .. }
            | Message::Record { .. }
            | Message::Order { .. }
            | Message::Answer { .. } => ContentType::Read,
        }
    }
}

/// A session record.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Record {
    /// Its session.
    pub session: SessionId,
    /// Whether the session's initiator wrote it.
    pub from_initiator: bool,
    /// Its stage.
    pub stage: ContentType,
    /// From 1 in each direction.
    pub sequence: u32,
    /// What it carries.
    pub message: Message,
}

/// What travels between two actors.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Packet {
    /// The first message of a handshake.
    Hello {
        /// Which.
        hello: HelloId,
        /// What for.
        purpose: ContentType,
    },
    /// The second.
    Response {
        /// The session that it makes.
        session: SessionId,
    },
    /// The third.
    Finish {
        /// The session that it makes.
        session: SessionId,
        /// The initiator, as it proves itself.
        by: Actor,
    },
    /// A session record.
    Record(Record),
}

/// A header of the ledger by its digest: what it says, in 64 bits.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
pub struct BlockId(pub u64);

/// Whose log an anchor fixes.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum LogKind {
    /// The cloud's.
    Cloud,
    /// The BSD's.
    Audit,
}

/// The head of a log.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Head {
    /// Whose.
    pub kind: LogKind,
    /// How many leaves or entries.
    pub size: u32,
    /// Whether the log is closed; that of a cloud never is.
    pub closed: bool,
    /// When it was signed.
    pub time: Time,
}

/// An entry of a block.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// What was decided.
    Decision(Certificate),
    /// The head of a log.
    Anchor(Head),
}

/// A block without its close.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Proposal {
    /// Its height.
    pub height: Height,
    /// The block before; zero for the genesis.
    pub previous: BlockId,
    /// When it was made.
    pub time: Time,
    /// Who made it.
    pub proposer: u8,
    /// What it holds.
    pub entries: Vec<Entry>,
    /// Under proof of work, what tells apart two attempts: the nonce that was found.
    #[serde(default)]
    pub nonce: u64,
    /// What is wrong with it.
    #[serde(default, skip_serializing_if = "Flaws::is_empty")]
    pub flaws: Flaws,
}

impl Proposal {
    /// The digest of its header. Two that say the same have the same, and no others.
    pub fn id(&self) -> BlockId {
        BlockId(fingerprint(self))
    }
}

/// A digest: FNV-1a over what the derived hash feeds it, the same on every machine and in every run.
pub(super) fn fingerprint<T: Hash + ?Sized>(value: &T) -> u64 {
    let mut fnv = Fnv(0xcbf2_9ce4_8422_2325);
    value.hash(&mut fnv);
    fnv.finish()
}

struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

/// A closed block.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Block {
    /// What was closed.
    pub proposal: Proposal,
    /// The digest of its header.
    pub id: BlockId,
    /// Under a quorum, who signed it.
    pub signatories: Members,
    /// What is wrong with the close.
    #[serde(default, skip_serializing_if = "Flaws::is_empty")]
    pub flaws: Flaws,
}

/// What is said in public.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Gossip {
    /// The BSD tells the validators what a quorum said.
    Decision(Certificate),
    /// A signed head of the cloud's log or of the audit log.
    Head {
        /// Which.
        head: Head,
        /// What is wrong with it.
        #[serde(default, skip_serializing_if = "Flaws::is_empty")]
        flaws: Flaws,
    },
    /// A block to be closed.
    Proposal {
        /// The block.
        proposal: Arc<Proposal>,
        /// Who signed it and sends it.
        signatory: u8,
        /// What is wrong with the signature.
        #[serde(default, skip_serializing_if = "Flaws::is_empty")]
        flaws: Flaws,
    },
    /// A signature for a block.
    Closing {
        /// Its height.
        height: Height,
        /// Its header.
        block: BlockId,
        /// Who signed.
        signatory: u8,
        /// What is wrong with it.
        #[serde(default, skip_serializing_if = "Flaws::is_empty")]
        flaws: Flaws,
    },
    /// A closed block.
    Block(Arc<Block>),
    /// Asks for blocks from this height on.
    BlocksFrom(Height),
    /// A change of templates and contracts.
    PolicyChange {
        /// What changes.
        change: Change,
        /// The users who approve, each once, ascending.
        approvals: Members,
        /// What is wrong with it.
        #[serde(default, skip_serializing_if = "Flaws::is_empty")]
        flaws: Flaws,
    },
    /// The KDC's newest list.
    RevocationList {
        /// What it says.
        list: RevocationList,
        /// What is wrong with it.
        #[serde(default, skip_serializing_if = "Flaws::is_empty")]
        flaws: Flaws,
    },
}

impl Gossip {
    /// Its name in traces and diagrams.
    pub const fn name(&self) -> &'static str {
        match self {
            Gossip::Decision(_) => "Decision",
            Gossip::Head { head: Head { kind: LogKind::Cloud, .. }, .. } => "CloudHead",
            Gossip::Head { .. } => "AuditHead",
            Gossip::Proposal { .. } => "Proposal",
            Gossip::Closing { .. } => "Closing",
            Gossip::Block(_) => "Block",
            Gossip::BlocksFrom(_) => "BlocksFrom",
            Gossip::PolicyChange { .. } => "PolicyChange",
            Gossip::RevocationList { .. } => "RevocationList",
        }
    }

    /// The event that its arrival is.
    pub(super) const fn event(&self) -> Event {
        match self {
            Gossip::Decision(_) => Event::DecisionArrived,
            Gossip::Head { head: Head { kind: LogKind::Cloud, .. }, .. } => Event::CloudHeadArrived,
            Gossip::Head { .. } => Event::AuditHeadArrived,
            Gossip::Proposal { .. } => Event::ProposalArrived,
            Gossip::Closing { .. } => Event::SignatureArrived,
            Gossip::Block(_) => Event::BlockArrived,
            Gossip::BlocksFrom(_) => Event::BlockRangeRequested,
            Gossip::PolicyChange { .. } => Event::PolicyChangeArrived,
            Gossip::RevocationList { .. } => Event::RevocationListArrived,
        }
    }
}

impl Packet {
    /// Its name in traces and diagrams.
    pub const fn name(&self) -> &'static str {
        match self {
            Packet::Hello { .. } => "Hello",
            Packet::Response { .. } => "Response",
            Packet::Finish { .. } => "Finish",
            Packet::Record(record) => record.message.name(),
        }
    }
}

impl Datagram {
    /// The name of what is in it.
    pub const fn name(&self) -> &'static str {
        match self {
            Datagram::Packet(packet) => packet.name(),
            Datagram::Gossip(gossip) => gossip.name(),
        }
    }

    /// Whether an actor makes something of it: chapter 10 says who hears what.
    pub const fn concerns(&self, actor: Actor) -> bool {
        match self {
            Datagram::Packet(_)
            | Datagram::Gossip(
                Gossip::Block(_) | Gossip::PolicyChange { .. } | Gossip::RevocationList { .. },
            ) => true,
            Datagram::Gossip(Gossip::BlocksFrom(_)) => !matches!(actor, Actor::User(_)),
            Datagram::Gossip(_) => matches!(actor, Actor::Validator(_)),
        }
    }
}

/// What an actor sends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Output {
    /// A packet to one peer.
    Send(Actor, Packet),
    /// Something public to one peer.
    SendGossip(Actor, Gossip),
    /// Something public to everybody.
    Publish(Gossip),
}

impl Output {
    /// The name of what is sent.
    pub const fn name(&self) -> &'static str {
        match self {
            Output::Send(_, packet) => packet.name(),
            Output::SendGossip(_, gossip) | Output::Publish(gossip) => gossip.name(),
        }
    }

    /// To whom; nobody in particular means everybody.
    pub const fn to(&self) -> Option<Actor> {
        match self {
            Output::Send(to, _) | Output::SendGossip(to, _) => Some(*to),
            Output::Publish(_) => None,
        }
    }
}

/// What travels.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Datagram {
    /// Between two actors.
    Packet(Packet),
    /// In public.
    Gossip(Gossip),
}

/// One datagram on its way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Envelope {
    /// From where it comes, as far as the receiver can tell.
    pub from: Actor,
    /// To whom.
    pub to: Actor,
    /// What.
    pub datagram: Datagram,
    /// What happened to its bytes on the way: the check that it fails because of it.
    pub flaws: Flaws,
}
