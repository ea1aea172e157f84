//! The attacks of chapter 18, and how each is executed. The runs of searched attacks are not listed: a search finds them.

use crate::attacks::evidence::Evidence;
use crate::attacks::scenarios::*;
use crate::attacks::{algebra, bytes, forged, rates};
use crate::explore::{SearchConfig, TERMINATION};
use crate::faults::Capability::{self, Order, Silence, User};
use bemr_spec::Clause::{self, *};

/// An attack.
#[derive(Clone, Copy, Debug)]
pub struct Attack {
    /// Its id, such as `C-08`.
    pub id: &'static str,
    /// What it is.
    pub says: &'static str,
    /// How it is executed.
    pub how: How,
}

/// How an attack is executed.
#[derive(Clone, Copy, Debug)]
pub enum How {
    /// A search finds a run that breaks `goal` in `part`, where the protocol lacks `without`.
    Searched {
        /// The network, and what the adversary can do there.
        part: &'static SearchConfig,
        /// The clauses that the paper does not have, without which the attack works.
        without: &'static [Clause],
        /// The goal that it breaks.
        goal: &'static str,
        /// The least capability that is searched. For the black hole it is silence, which is what that attack is about: an adversary that
        /// orders messages can lose one as well, and its run would hide the silent validator.
        from: Capability,
    },
    /// It is executed on bytes, or measured over many runs.
    Computed {
        /// The goal that it breaks.
        goal: &'static str,
        /// Executes it.
        show: fn() -> Result<Evidence, String>,
    },
}

const fn searched(
    id: &'static str,
    says: &'static str,
    part: &'static SearchConfig,
    without: &'static [Clause],
    goal: &'static str,
) -> Attack {
    Attack { id, says, how: How::Searched { part, without, goal, from: Order } }
}

const fn at_least(power: Capability, attack: Attack) -> Attack {
    match attack.how {
        How::Searched { part, without, goal, .. } => {
            Attack { how: How::Searched { part, without, goal, from: power }, ..attack }
        }
        How::Computed { .. } => attack,
    }
}

const fn computed(
    id: &'static str,
    says: &'static str,
    goal: &'static str,
    show: fn() -> Result<Evidence, String>,
) -> Attack {
    Attack { id, says, how: How::Computed { goal, show } }
}

/// Every attack of chapter 18, in its order.
pub const CATALOGUE: &[Attack] = &[
    searched(
        "C-01",
        "man in the middle of the key exchange",
        &STRANGERS,
        &[ResponderSignsTranscript],
        "G-KEY",
    ),
    searched("C-02", "identity misbinding", &MISLED, &[PeerIsIntended], "G-KEY"),
    computed("C-03", "element of small order", "G-SEC", algebra::small_order),
    searched("C-04", "reflection, exchange of roles", &STRANGERS, &[PeerIsNotSelf, RoleFitsPlace], "G-KEY"),
    searched("C-05", "replay of T_initial, record used again", &REPLAYED, &[SequenceAdvances], "G-FRE"),
    computed("C-06", "a message of one stage taken for another", "G-AGR", bytes::tag_confusion),
    searched("C-07", "signature lifted to another transaction", &FALSE_USER, &[UserSignsInitial], "G-ORI"),
    searched("C-08", "ACK of another transaction", &FALSE_VOTER, &[VoteNamesBlock], "G-CIV"),
    searched("C-09", "ACK flipped", &FALSE_VOTER, &[VoteSigned], "G-CIV"),
    at_least(Silence, searched("C-10", "black hole", &SILENT, &[FailoverIsBounded], TERMINATION)),
    at_least(Silence, searched("C-11", "fail-open continuation", &SILENT, &[AcceptNeedsQuorum], "G-CIV")),
    searched("C-12", "late, duplicate, contrary ACK", &FALSE_VOTER, &[FirstDecisionStands], "G-SDN"),
    computed("C-13", "existential forgery of unhashed ElGamal", "G-ORI", algebra::unhashed),
    computed("C-14", "signatures for a weak generator", "G-ORI", algebra::weak_generator),
    computed("C-14b", "the same on safe-prime groups with g = 2", "G-ORI", algebra::standard_groups),
    computed("C-15", "nonce used twice", "G-SEC", algebra::one_nonce),
    computed("C-16", "r >= p accepted", "G-ORI", algebra::unbounded),
    searched("C-17", "surreptitious forwarding", &FALSE_USER, &[InitialNamesRecipient], "G-AGR"),
    computed("C-18", "wrapped key without context", "G-SEC", forged::seals),
    searched("C-19", "KDC holds or doubles keys", &FALSE_KDC, &[OnePrincipalOneCertificate], "G-ORI"),
    computed("C-20", "nonce repeated, cipher without authentication", "G-SEC", bytes::malleable),
    searched(
        "C-21",
        "BSD invents a record or maps as it likes",
        &FALSE_BSD,
        &[BlockCarriesUserSignature],
        "G-ORI",
    ),
    searched("C-22", "majority, fork, double decision", &REORGANISED, &[ConfirmationsReached], "G-CIV"),
    searched("C-23", "Sybil, whitewashing", &FALSE_VOTER, &[VoterIsAdmitted], "G-CIV"),
    searched("C-24", "equivocation", &FALSE_VOTER, &[OneVotePerValidator], "G-ACC"),
    searched("C-25", "old contract", &CHANGED, &[TemplateIsInForce], "G-POL"),
    searched(
        "C-26",
        "template exchanged, attribute left out",
        &FALSE_BSD,
        &[CheckedAttributesOpened],
        "G-POL",
    ),
    searched("C-27", "patient or user exchanged", &FALSE_USER, &[InitialSenderIsPeer], "G-ORI"),
    searched("C-28", "cloud rolls back, forks, deletes, alters", &FALSE_CLOUD, &[LeafIsIncluded], "G-DEL"),
    at_least(
        User,
        searched(
            "C-29",
            "escalation of role",
            &FALSE_ROLE,
            &[RoleMaySubmit, GrantsNameAuthorisedReaders],
            "G-PRV",
        ),
    ),
    computed("C-30", "public chain tells medical facts", "G-HID", bytes::guessed_attribute),
    computed("C-31", "log cut or reordered", "G-AUD", forged::audit_log),
    searched("C-32", "tid taken first", &FALSE_USER, &[TidIsDerived], "G-ORI"),
    searched("C-33", "two readings of one message", &FALSE_USER, &[NoDuplicateKeys], "G-AGR"),
    searched("C-34", "only refusals are checked again", &CONSPIRACY, &[AcceptNeedsReverification], "G-CIV"),
    computed("C-35", "re-verification as a load", "G-TER", rates::load),
    searched("C-36", "eclipse of the BSD", &ECLIPSE, &[VoterIsAdmitted, VoteSigned], "G-CIV"),
    searched("C-37", "keys leak later", &LATER, &[SealedKeyIsErased], "G-SEC"),
    computed("C-38", "trust poisoned: sleepers, coalitions, bad-mouthing", "G-CIV", rates::poisoned_trust),
];

impl Attack {
    /// The attack of this id.
    pub fn find(id: &str) -> Option<&'static Attack> {
        CATALOGUE.iter().find(|attack| attack.id.eq_ignore_ascii_case(id))
    }

    /// The goal that is at stake.
    pub const fn goal(&self) -> &'static str {
        match self.how {
            How::Searched { goal, .. } | How::Computed { goal, .. } => goal,
        }
    }
}
