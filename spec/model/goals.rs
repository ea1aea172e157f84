//! The goals of chapter 1 as predicates over the model, each with a `sometimes` twin: what happens in some run, so that the goal does not hold
//! because nothing happens.
//!
//! Goals about bytes have no predicate here: G-HID and the part of G-SEC that is about ciphertext are shown on the implementation.

use crate::conjuncts::{self, Conjunct};
use crate::ledger::quorum;
use crate::{Decision, LogKind, System};
use bemr_spec::Clause;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A goal.
#[derive(Clone, Copy)]
pub struct Goal {
    /// Its name in chapter 1.
    pub name: &'static str,
    /// What it says.
    pub says: &'static str,
    /// The greatest adversary under which it holds, in the words of chapter 15.
    pub under: &'static str,
    /// Clauses without each of which the model breaks it: the search has to find how.
    pub needs: &'static [Clause],
    /// What nobody may take for what it is not: of a kind of message, the checks that one fails that breaks it.
    pub forbids: &'static [(&'static str, &'static [Clause])],
    /// What it says apart from that: each has to hold.
    pub conjuncts: &'static [Conjunct],
    /// What has to happen in some run.
    pub sometimes: (&'static str, fn(&System) -> bool),
}

impl Goal {
    /// Whether it holds.
    pub fn is_kept(&self, system: &System) -> bool {
        self.conjuncts.iter().all(|conjunct| conjunct.holds(system)) && !system.believes(self.forbids)
    }

    /// Whether it is claimed although actors die and start again.
    pub fn holds_through_crashes(&self) -> bool {
        self.under.contains("CRASH") || self.under.starts_with("any")
    }
}

impl std::fmt::Debug for Goal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// Every goal that has a predicate and is searched for.
pub const GOALS: &[Goal] = &[
    Goal {
        name: "G-ORI",
        says: "what validators vote on and the cloud stores was submitted by the user whom it names",
        under: "DY, INS, BYZ(b < 2·quorum − n), mB",
        needs: &[Clause::InitialSenderIsPeer, Clause::BlockCarriesUserSignature],
        forbids: &[
            (
                "T_initial",
                &[
                    Clause::InitialSenderIsPeer,
                    Clause::TidIsDerived,
                    Clause::UserSignsInitial,
                    Clause::CiphertextIsTheSigned,
                ],
            ),
            (
                "T_block",
                &[
                    Clause::BsdSignsBlock,
                    Clause::CertificateSignedByKdc,
                    Clause::SubjectIsClaimedPrincipal,
                    Clause::BlockCarriesUserSignature,
                    Clause::TidIsDerived,
                ],
            ),
            (
                "T_valid",
                &[
                    Clause::BsdSignsValid,
                    Clause::CertificateSignedByKdc,
                    Clause::SubjectIsClaimedPrincipal,
                    Clause::ValidCarriesUserSignature,
                    Clause::TidIsDerived,
                    Clause::CiphertextMatchesSigned,
                ],
            ),
        ],
        conjuncts: conjuncts::ORIGIN,
        sometimes: ("a record is stored", stored),
    },
    Goal {
        name: "G-AGR",
        says: "user, BSD, validators and cloud agree on what was submitted, and it is stored at most once",
        under: "DY, INS, BYZ(b < 2·quorum − n), mB",
        needs: &[Clause::OneBlockPerTid, Clause::RecordNotReused],
        forbids: &[
            (
                "T_initial",
                &[
                    Clause::InitialNamesRecipient,
                    Clause::CommitmentsMatchMapping,
                    Clause::NoDuplicateKeys,
                    Clause::RecordOpensUnderItsKey,
                ],
            ),
            (
                "T_block",
                &[Clause::BlockNamesNetwork, Clause::InitialNamesRecipient, Clause::OpeningsMatchCommitments],
            ),
            ("T_valid", &[Clause::InitialNamesRecipient, Clause::AckAnswersThisBlock]),
            ("Receipt", &[Clause::HeadSignedByCloud, Clause::LeafIsIncluded]),
        ],
        conjuncts: conjuncts::AGREEMENT,
        sometimes: ("every actor knows one submission", all_know),
    },
    Goal {
        name: "G-SDN",
        says: "a tid ends once, users hear how it ended, and final blocks hold one decision on it",
        under: "DY, INS, BYZ(b < 2·quorum − n)",
        needs: &[Clause::FirstDecisionStands],
        forbids: &[],
        conjuncts: conjuncts::SINGLE_DECISION,
        sometimes: ("a submission is decided", decided),
    },
    Goal {
        name: "G-CIV",
        says: "a committed record has a true certificate of a quorum in a final block, and breaks no rule",
        under: "DY, INS, BYZ(n), honest BSD",
        needs: &[
            Clause::AcceptNeedsQuorum,
            Clause::AcceptNeedsReverification,
            Clause::MoreThanTwoThirds,
            Clause::ConfirmationsReached,
        ],
        forbids: &[
            ("Vote", &[Clause::VoterIsAdmitted, Clause::VoteNamesBlock, Clause::VoteSigned]),
            (
                "T_valid",
                &[
                    Clause::AckAnswersThisBlock,
                    Clause::AckIsTrue,
                    Clause::VoterIsAdmitted,
                    Clause::SignersAreDistinct,
                    Clause::MoreThanTwoThirds,
                    Clause::VoteSigned,
                    Clause::DecisionIsFinal,
                    Clause::EntryInclusionProven,
                ],
            ),
            ("Decision", &[Clause::EntryHasQuorum]),
        ],
        conjuncts: conjuncts::COMMIT_IMPLIES_VERDICT,
        sometimes: ("a record is committed", committed),
    },
    Goal {
        name: "G-PRV",
        says: "who submits may, who reads a record was granted it, and who approves a change of policy is an administrator",
        under: "DY, INS",
        needs: &[Clause::ReaderIsGranted, Clause::RoleMayChangePolicy],
        forbids: &[
            ("T_initial", &[Clause::RoleMaySubmit, Clause::GrantsNameAuthorisedReaders]),
            ("T_block", &[Clause::RoleMaySubmit]),
            ("T_valid", &[Clause::GrantsNameAuthorisedReaders]),
            (
                "Grant",
                &[
                    Clause::GrantByOwner,
                    Clause::CertificateSignedByKdc,
                    Clause::SubjectIsClaimedPrincipal,
                    Clause::RoleMayRead,
                ],
            ),
            ("Revoke", &[Clause::RevokeByOwner]),
            (
                "Erase",
                &[Clause::ErasureByAuthority, Clause::CertificateSignedByKdc, Clause::CertificateNotRevoked],
            ),
        ],
        conjuncts: conjuncts::LEAST_PRIVILEGE,
        sometimes: ("a record is read", read),
    },
    Goal {
        name: "G-FRE",
        says: "no hello, record or submission is taken twice, and no head goes back",
        under: "DY, INS, mC",
        needs: &[Clause::SequenceAdvances, Clause::SessionIsFresh, Clause::HeadNotOlder],
        forbids: &[
            ("T_initial", &[Clause::InitialWithinValidity]),
            ("T_block", &[Clause::InitialWithinValidity]),
            ("ReadResponse", &[Clause::ReadAnswersRequest, Clause::HeadNotOlder]),
            ("Grant", &[Clause::StatementAdvances]),
            ("Revoke", &[Clause::StatementAdvances]),
            ("RevocationList", &[Clause::RevocationListAdvances]),
        ],
        conjuncts: conjuncts::FRESHNESS,
        sometimes: ("a session is established", session),
    },
    Goal {
        name: "G-HSK",
        says: "no hello ends a handshake that others have begun",
        under: "DY, INS, BYZ(n), mB, mC, CRASH",
        needs: &[Clause::HelloDisplacesNone],
        forbids: &[],
        conjuncts: conjuncts::HANDSHAKES_GO_ON,
        sometimes: ("a session is established", session),
    },
    Goal {
        name: "G-ORD",
        says: "no stage begins before the keys of the one before it are sealed",
        under: "any, honest BSD",
        needs: &[Clause::SealBeforeNextStage],
        forbids: &[("T_block", &[Clause::SealDigestIsCarried]), ("T_valid", &[Clause::SealDigestIsCarried])],
        conjuncts: conjuncts::STAGE_ORDER,
        sometimes: ("a stage follows another", voted),
    },
    Goal {
        name: "G-SEC",
        says: "the BSD holds no key of a stage that is over, so that what leaks from it later opens nothing earlier",
        under: "KEY(session state, afterwards)",
        needs: &[Clause::SealedKeyIsErased],
        forbids: &[
            ("Hello", &[Clause::ElementInRange, Clause::ElementInSubgroup]),
            ("Response", &[Clause::ElementInRange, Clause::ElementInSubgroup]),
        ],
        conjuncts: conjuncts::NOTHING_HELD,
        sometimes: ("a stage follows another", voted),
    },
    Goal {
        name: "G-KEY",
        says: "a session is between the two whom it was meant for, and keys that leak open no record from before",
        under: "DY, INS, BYZ(n), CRASH",
        needs: &[Clause::PeerIsIntended],
        forbids: &[
            ("Hello", &[Clause::SuiteNotDowngraded]),
            (
                "Response",
                &[
                    Clause::FlightIsAuthentic,
                    Clause::CertificateSignedByKdc,
                    Clause::CertificateWithinValidity,
                    Clause::CertificateNotRevoked,
                    Clause::PeerIsNotSelf,
                    Clause::PeerIsIntended,
                    Clause::RoleFitsPlace,
                    Clause::ResponderSignsTranscript,
                    Clause::ResponderConfirmsKey,
                ],
            ),
            (
                "Finish",
                &[
                    Clause::FlightIsAuthentic,
                    Clause::CertificateSignedByKdc,
                    Clause::CertificateWithinValidity,
                    Clause::CertificateNotRevoked,
                    Clause::PeerIsNotSelf,
                    Clause::RoleFitsPlace,
                    Clause::InitiatorSignsTranscript,
                    Clause::InitiatorConfirmsKey,
                ],
            ),
        ],
        conjuncts: conjuncts::SESSIONS_KEEP,
        sometimes: ("a session is established", session),
    },
    Goal {
        name: "G-IMM",
        says: "a final block stands, and those of one height are one block; by work, as long as no two chains part by more blocks than confirm one",
        under: "DY, BYZ(b < 2·quorum − n)",
        needs: &[Clause::OneCloseByValidator],
        forbids: &[
            (
                "Proposal",
                &[
                    Clause::VoterIsAdmitted,
                    Clause::VoteSigned,
                    Clause::BlockLinksPrevious,
                    Clause::HeightAdvancesByOne,
                    Clause::MerkleRootMatches,
                    Clause::TidDecidedOnce,
                ],
            ),
            ("Closing", &[Clause::VoterIsAdmitted, Clause::VoteSigned]),
            (
                "Block",
                &[
                    Clause::BlockLinksPrevious,
                    Clause::HeightAdvancesByOne,
                    Clause::BlockHasQuorum,
                    Clause::TargetIsScheduled,
                    Clause::WorkMeetsTarget,
                    Clause::MerkleRootMatches,
                    Clause::TidDecidedOnce,
                ],
            ),
        ],
        conjuncts: conjuncts::IMMUTABILITY,
        sometimes: ("a block is final", some_final),
    },
    Goal {
        name: "G-AUD",
        says: "every end has exactly one entry in the audit log",
        under: "DY, INS, BYZ(n), CRASH, honest BSD",
        needs: &[Clause::TidIsFresh],
        forbids: &[],
        conjuncts: conjuncts::AUDIT_COMPLETE,
        sometimes: ("a submission is decided", decided),
    },
    Goal {
        name: "G-ERA",
        says: "an erased record is handed to nobody",
        under: "INS",
        needs: &[Clause::ErasedStaysErased],
        forbids: &[],
        conjuncts: conjuncts::ERASURE,
        sometimes: ("a record is erased", erased),
    },
    Goal {
        name: "G-POL",
        says: "votes are by the policy in force at the height that they name, and every change of it was sound, approved by two and told before it held",
        under: "DY, INS (one administrator), BYZ(b < 2·quorum − n), mB",
        needs: &[
            Clause::TemplateIsInForce,
            Clause::AllContractsApplied,
            Clause::MandatoryAreChecked,
            Clause::PolicyChangeHasTwoAdministrators,
            Clause::PolicyVersionAdvances,
            Clause::PolicyEffectiveLater,
            Clause::PolicyIsWellFormed,
        ],
        forbids: &[
            (
                "T_initial",
                &[
                    Clause::TemplateIsInForce,
                    Clause::AllContractsApplied,
                    Clause::TemplateFitsResource,
                    Clause::AttributeHasItsType,
                    Clause::RequiredAttributePresent,
                ],
            ),
            (
                "T_block",
                &[
                    Clause::HeightInWindow,
                    Clause::TemplateIsInForce,
                    Clause::AllContractsApplied,
                    Clause::CheckedAttributesOpened,
                    Clause::AttributeHasItsType,
                    Clause::RequiredAttributePresent,
                ],
            ),
            ("Vote", &[Clause::VoteNamesHeight, Clause::VoteNamesPolicy]),
            (
                "PolicyChange",
                &[
                    Clause::PolicyChangeHasTwoAdministrators,
                    Clause::PolicyIsWellFormed,
                    Clause::MandatoryAreChecked,
                ],
            ),
        ],
        conjuncts: conjuncts::POLICY_AGREEMENT,
        sometimes: ("a changed policy judges", judged_anew),
    },
    Goal {
        name: "G-DEL",
        says: "what a reader takes is what the log of the cloud holds, under the head that the ledger anchors",
        under: "mC, mB, DY, BYZ(b < 2·quorum − n)",
        needs: &[],
        forbids: &[
            (
                "ReadResponse",
                &[
                    Clause::HeadSignedByCloud,
                    Clause::LogIsAppendOnly,
                    Clause::LeafIsIncluded,
                    Clause::HeadIsAnchored,
                    Clause::CertificateSignedByKdc,
                    Clause::SubjectIsClaimedPrincipal,
                    Clause::ReadMatchesSigned,
                    Clause::TagVerifiedBeforeUse,
                    Clause::ReadMatchesCommitments,
                ],
            ),
            ("CloudHead", &[Clause::HeadSignedByCloud]),
        ],
        conjuncts: &[],
        sometimes: ("a record is read", read),
    },
    Goal {
        name: "G-ACC",
        says: "who votes for and against on one question is convicted, by what proves it to anyone, and nobody else is",
        under: "any, honest BSD",
        needs: &[Clause::OneVotePerValidator, Clause::VoteSigned, Clause::VoteNamesBlock],
        forbids: &[],
        conjuncts: conjuncts::ACCOUNTABLE,
        sometimes: ("a validator is convicted", convicted),
    },
];

/// Goals that lockstep alone looks at: what they speak of is what somebody was shown or convicted of, and the search does not
/// show logs to anybody.
pub const SHOWN: &[Goal] = &[
    Goal {
        name: "G-DEL",
        says: "no auditor takes a cloud's log for whole that lacks what is anchored, or has it otherwise",
        under: "mC, mB, DY, BYZ(b < 2·quorum − n)",
        needs: &[Clause::LogIsAppendOnly, Clause::HeadIsAnchored],
        forbids: &[],
        conjuncts: conjuncts::DELETION_EVIDENT,
        sometimes: ("a head of the cloud's log is anchored", head_anchored),
    },
    Goal {
        name: "G-AUD",
        says: "no auditor takes a log for the audit log that lacks what is anchored",
        under: "mB, mC, DY, BYZ(b < 2·quorum − n)",
        needs: &[Clause::AuditHeadSigned, Clause::AuditHeadAnchored],
        forbids: &[],
        conjuncts: conjuncts::AUDIT_EVIDENT,
        sometimes: ("a submission is decided", decided),
    },
];

/// G-TER where nothing is left to happen: whether whatever was submitted or asked has ended.
pub fn everything_ended(system: &System) -> bool {
    conjuncts::EVERYTHING_ENDED.iter().all(|conjunct| conjunct.holds(system))
}

/// The second half of G-TER where nothing is left to happen: whether something was submitted and all of it that breaks no rule is committed.
pub fn sound_is_committed(system: &System) -> bool {
    conjuncts::SOUND_IS_COMMITTED.iter().all(|conjunct| conjunct.holds(system)) && everything_ended(system)
}

/// G-CIV whatever the BSD does: whether what the cloud stores has a true certificate of a quorum, and breaks no rule.
pub fn stored_is_certified(system: &System) -> bool {
    conjuncts::STORED_IS_CERTIFIED.iter().all(|conjunct| conjunct.holds(system))
}

/// Whether these validators, who sign whatever they like, and the honest ones by the votes that they gave, are enough for certificates on
/// two T_blocks of one tid.
pub fn two_certificates(system: &System, liars: super::Members) -> bool {
    let members = system.bsd().ledger.members();
    let mut honest: BTreeMap<(super::Tid, super::Ordinal), usize> = BTreeMap::new();
    for (_, validator) in (0..).zip(system.validators()).filter(|(number, _)| !liars.has(*number)) {
        for vote in validator.votes.values() {
            *honest.entry((vote.question.header.tid, vote.question.number)).or_default() += 1;
        }
    }
    let enough = |votes: usize| votes + liars.len() >= quorum(members);
    let certified: Vec<super::Tid> =
        honest.iter().filter(|(_, votes)| enough(**votes)).map(|((tid, _), _)| *tid).collect();
    // A quorum of liars needs nobody to have voted at all.
    enough(0) || certified.windows(2).any(|pair| pair[0] == pair[1])
}

fn stored(system: &System) -> bool {
    !system.cloud().records.is_empty()
}

fn all_know(system: &System) -> bool {
    stored(system) && system.validators().all(|validator| !validator.votes.is_empty())
}

fn decided(system: &System) -> bool {
    !system.bsd().audit.is_empty()
}

fn committed(system: &System) -> bool {
    system.bsd().ended.values().any(|ended| ended.decision == Decision::Committed)
}

fn read(system: &System) -> bool {
    system.users().any(|user| !user.read.is_empty())
}

fn session(system: &System) -> bool {
    system.sessions().any(super::session_manager::SessionManager::has_sessions)
}

fn voted(system: &System) -> bool {
    system.validators().any(|validator| !validator.votes.is_empty())
}

/// Whether blocks of one height that are final for somebody are one block, however deep chains part: G-IMM without its bound.
pub fn final_blocks_agree(system: &System) -> bool {
    let mut longest: &[Arc<super::Block>] = &[];
    system.ledgers().all(|ledger| {
        let blocks = &ledger.blocks()[..ledger.final_blocks()];
        let shared = blocks.len().min(longest.len());
        let agree = shared == 0 || blocks[shared - 1].id == longest[shared - 1].id;
        if blocks.len() > longest.len() {
            longest = blocks;
        }
        agree
    })
}

fn some_final(system: &System) -> bool {
    system.ledgers().any(|ledger| ledger.final_blocks() > 0)
}

fn head_anchored(system: &System) -> bool {
    system.ledgers().any(|ledger| ledger.final_anchor(LogKind::Cloud).is_some())
}

fn convicted(system: &System) -> bool {
    !system.bsd().convicted.is_empty()
}

fn judged_anew(system: &System) -> bool {
    let mut votes = system.validators().flat_map(|validator| validator.votes.values());
    votes.any(|vote| vote.question.policy != super::Policy::SHIPPED)
}

fn erased(system: &System) -> bool {
    system.cloud().records.values().any(|stored| stored.erased.is_some())
}
