//! What a run does next: the lines of a trace that somebody chooses, be it a user, an adversary or the network.

use crate::{
    Actor, Ballot, BlockId, Change, Damage, Decision, Enrolment, Falsification, Flaws, Gossip, Height,
    Lifetimes, Members, Message, Newest, Order, Output, Packet, Place, RequestId, SealFault, SealId, Serial,
    Tid, Time,
};
use bemr_spec::{Clause, Event};
use serde::{Deserialize, Serialize};

/// What happens to the bytes of an envelope on its way.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Corruption {
    /// A bit of the last byte is turned over: of a ciphertext its tag, of a handshake packet its proof.
    Flip,
    /// The last byte is cut off.
    Cut,
    /// A byte is added.
    Extend,
    /// Zeros are added, beyond the longest message.
    Bloat,
    /// A hello names another suite.
    Suite,
    /// A hello names a purpose that its receiver does not answer.
    SessionType,
    /// The ephemeral of a hello or response is the neutral element.
    Neutral,
    /// The ephemeral of a hello or response is outside the subgroup.
    Outside,
    /// The header of a record names another stage.
    Stage,
    /// The header of a record names a sequence that is greater by what can be skipped.
    Ahead,
    /// The last 16 bytes of a ciphertext and the 16 before them change places.
    Swap,
    /// A record goes on, after its header, as the last one before it that its sender sent.
    Splice,
}

impl Corruption {
    /// All of them.
    pub const ALL: [Corruption; 12] = [
        Corruption::Flip,
        Corruption::Cut,
        Corruption::Extend,
        Corruption::Bloat,
        Corruption::Suite,
        Corruption::SessionType,
        Corruption::Neutral,
        Corruption::Outside,
        Corruption::Stage,
        Corruption::Ahead,
        Corruption::Swap,
        Corruption::Splice,
    ];
}

/// What an actor does of its own accord.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// A user submits the next record. `record` numbers its bytes and patient; `breaks` is what the contracts say of it.
    Submit {
        /// The record and its patient; equal numbers are equal bytes.
        record: u16,
        /// The rule that it breaks, if it breaks one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        breaks: Option<Clause>,
        /// Who shall be able to read it beside the submitter.
        #[serde(default, skip_serializing_if = "Members::is_empty_ref")]
        readers: Members,
    },
    /// A user asks for a record.
    Read {
        /// Which.
        tid: Tid,
    },
    /// A user has something done with a record.
    Order {
        /// Which.
        tid: Tid,
        /// What.
        order: Order,
    },
    /// A user publishes a change of policy, after taking it.
    ChangePolicy {
        /// What changes.
        change: Change,
        /// The users who approve it.
        approvals: Members,
    },
    /// The BSD closes its audit log.
    CloseAudit,
    /// The KDC answers a request for a certificate, which came to it outside of the network.
    Enrol(Enrolment),
    /// The KDC takes back a principal's latest certificate, and publishes the list that says so.
    RevokeCertificate {
        /// Whose.
        subject: Actor,
    },
    /// The KDC publishes its next list.
    IssueList,
}

impl Command {
    /// Whether this actor does such things.
    pub const fn is_for(&self, actor: Actor) -> bool {
        match self {
            Command::Submit { .. }
            | Command::Read { .. }
            | Command::Order { .. }
            | Command::ChangePolicy { .. } => matches!(actor, Actor::User(_)),
            Command::CloseAudit => matches!(actor, Actor::Bsd),
            Command::Enrol(_) | Command::RevokeCertificate { .. } | Command::IssueList => {
                matches!(actor, Actor::Kdc)
            }
        }
    }

    /// The event that it is.
    pub const fn event(&self) -> Event {
        match self {
            Command::CloseAudit => Event::CloseAudit,
            Command::Enrol(_) => Event::Enrol,
            Command::RevokeCertificate { .. } => Event::RevokeCertificate,
            Command::IssueList => Event::IssueList,
            Command::Submit { .. }
            | Command::Read { .. }
            | Command::Order { .. }
            | Command::ChangePolicy { .. } => Event::Command,
        }
    }
}

/// The most things that are falsified in what one auditor is shown.
pub const MOST_FALSIFIED: usize = 2;

/// One thing that happens.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// An actor does something of its own accord.
    Command {
        /// Who.
        actor: Actor,
        /// What.
        command: Command,
    },
    /// An envelope arrives where it was sent to. Envelopes are numbered from 0 in the order in which they were sent; what is
    /// published is one envelope for each other actor, in the order of actors. One that was delivered can be delivered again.
    Deliver {
        /// Which.
        envelope: u32,
    },
    /// An envelope arrives at somebody else, or from somebody else.
    Redirect {
        /// Which.
        envelope: u32,
        /// Where.
        to: Actor,
        /// From where it seems to come; as it was sent, when there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Actor>,
    },
    /// An envelope arrives with its bytes changed.
    Corrupt {
        /// Which.
        envelope: u32,
        /// How.
        how: Corruption,
    },
    /// The instant comes that an actor waits for; time goes on to it.
    Wake {
        /// Who.
        actor: Actor,
        /// Under proof of work: the nonce that the validator found in this interval.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        found: Option<u64>,
    },
    /// Time passes, and nobody does anything.
    Pass {
        /// Milliseconds.
        time: u64,
    },
    /// An actor whose keys the adversary has says something, in a session of its own. The message is made and signed as its
    /// sender would, but for its flaws.
    Send {
        /// Who.
        actor: Actor,
        /// To whom.
        to: Actor,
        /// What.
        message: Message,
    },
    /// The adversary says something in public.
    Publish {
        /// From whom it seems to come.
        actor: Actor,
        /// To whom.
        to: Actor,
        /// What.
        gossip: Gossip,
    },
    /// A packet of a handshake arrives that the adversary made with the keys of whom it shows: a hello of its own, a response
    /// to a hello of somebody else, or the finish after a hello of its own.
    Inject {
        /// From whom it seems to come.
        actor: Actor,
        /// To whom.
        to: Actor,
        /// What.
        packet: Packet,
        /// What is wrong with it.
        #[serde(default, skip_serializing_if = "Flaws::is_empty")]
        flaws: Flaws,
    },
    /// An auditor replays what is public, as it is or falsified.
    Audit {
        /// Whose copy of the ledger it is shown.
        ledger: Actor,
        /// What is not as it was: one after the other is done to what is shown.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schemars(length(min = 1, max = MOST_FALSIFIED))]
        falsified: Vec<Falsification>,
    },
    /// The custodian opens a seal of the BSD, as it is or with faults.
    Unseal {
        /// Which.
        seal: SealId,
        /// What is wrong with it or with the start of its chain.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schemars(length(min = 1, max = crate::MOST_FAULTS))]
        faults: Vec<SealFault>,
    },
    /// Somebody reads what an actor has in memory: the keys of its sessions.
    Leak {
        /// Whose.
        actor: Actor,
    },
    /// An actor dies and starts again from what it keeps.
    Crash {
        /// Who.
        actor: Actor,
        /// What happened to its store meanwhile. It tries to start from that first, and what is found wrong then is made good.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        damage: Option<Damage>,
    },
}

impl Action {
    /// Whether it happens to none of the actors: time passes, or somebody looks at what they left behind.
    pub const fn is_nobodys(&self) -> bool {
        matches!(
            self,
            Action::Pass { .. } | Action::Audit { .. } | Action::Unseal { .. } | Action::Leak { .. }
        )
    }
}

/// What every actor but the KDC follows in public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Public {
    /// The ledger's height.
    pub height: Height,
    /// The height of its newest final block.
    pub final_height: Height,
    /// Its newest block in force.
    pub tip: BlockId,
    /// The newest version of all that changes in the policy.
    pub policy: Newest,
    /// The number of the revocation list held.
    pub list: u32,
}

/// What can be seen of an actor from outside its secrets, to compare model and implementation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum View {
    /// Of a user.
    User {
        /// Ledger, policy and revocation list.
        public: Public,
        /// Submissions that await their outcome.
        open: Vec<Tid>,
        /// How the others ended, where it is known.
        ended: Vec<(Tid, Option<Decision>)>,
        /// Requests that await their answer.
        requests: Vec<RequestId>,
        /// The size of the cloud's log that it remembers.
        remembered: u32,
    },
    /// Of the BSD.
    Bsd {
        /// As of a user.
        public: Public,
        /// The state of each submission that it knows, by the names of `submission_machine`.
        submissions: Vec<(Tid, &'static str)>,
        /// Entries of the audit log.
        audit: u32,
        /// Pieces of evidence.
        evidence: u32,
    },
    /// Of a validator.
    Validator {
        /// As of a user.
        public: Public,
        /// Its votes.
        votes: Vec<(Tid, Ballot)>,
        /// The state of `closing_machine`.
        closing: &'static str,
        /// The greatest height that it signed, and what.
        signed: Option<(Height, BlockId)>,
        /// How many signatures it has of the open height.
        signatures: u32,
        /// What waits for a block: decisions and anchors.
        waiting: (u32, u32),
    },
    /// Of the KDC.
    Kdc {
        /// The last serial.
        serial: Serial,
        /// The serials revoked.
        revoked: Vec<Serial>,
        /// The number of the last list.
        list: u32,
    },
    /// Of the cloud.
    Cloud {
        /// As of a user.
        public: Public,
        /// The state of each record that it knows, by the names of `record_machine`.
        records: Vec<(Tid, &'static str)>,
        /// Leaves of its log.
        leaves: u32,
    },
}

impl View {
    /// How many entries its lists have that grow with what happened.
    pub fn entries(&self) -> usize {
        match self {
            View::User { open, ended, .. } => open.len() + ended.len(),
            View::Bsd { submissions, .. } => submissions.len(),
            View::Validator { votes, .. } => votes.len(),
            View::Cloud { records, .. } => records.len(),
            View::Kdc { revoked, .. } => revoked.len(),
        }
    }
}

/// How blocks are closed.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum LedgerKind {
    /// By more than two thirds of the validators.
    Quorum,
    /// By proof of work.
    Work,
}

/// What a model begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// How many users, 1 to 5: two doctors, an assistant, two administrators, in this order.
    #[schemars(range(min = 1, max = 5))]
    pub users: u8,
    /// How many validators, 1 to 64.
    #[schemars(range(min = 1, max = 64))]
    pub validators: u8,
    /// How blocks are closed.
    pub ledger: LedgerKind,
    /// Where the implementation's randomness comes from; the model has none.
    pub seed: u64,
    /// Whether every session that an honest run needs is there from the beginning.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schemars(extend("const" = true))]
    pub established: bool,
    /// How long certificates and revocation lists hold; ten years, where it does not say.
    #[serde(default, skip_serializing_if = "Lifetimes::are_long")]
    pub lifetimes: Lifetimes,
}

/// What became of an action, the same of model and implementation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    /// When.
    pub time: Time,
    /// To whom.
    pub actor: Actor,
    /// Who sent what arrived, as far as the receiver can tell.
    pub from: Option<Actor>,
    /// What happened.
    pub event: Event,
    /// The clause that refused it.
    pub clause: Option<Clause>,
    /// The clause of the primitive because of which it did, where the clause demands that a signature verifies or that
    /// something opens.
    pub cause: Option<Clause>,
    /// Where what is public contradicts itself, or a store is not what was kept.
    pub place: Option<Place>,
    /// The records that the custodian could open, or whoever read what leaked, by the numbers of their envelopes, ascending.
    pub opened: Vec<u32>,
    /// What the actor sent, in order.
    pub sends: Vec<Output>,
}
