//! The goals of chapter 1 as predicates over the model, each with a `sometimes` twin: what happens in some run, so that the goal does not hold
//! because nothing happens.
//!
//! Goals about bytes have no predicate here: G-HID and the part of G-SEC that is about ciphertext are shown on the implementation.

use crate::ledger::{CONFIRMATIONS, quorum};
use crate::policy::Registry;
use crate::roles::may_handle_records;
use crate::{Ballot, Decision, Entry, LedgerKind, LogKind, System};
use bemr_spec::Clause;
use std::collections::{BTreeMap, BTreeSet};
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
    /// Whether it holds apart from that.
    pub holds: fn(&System) -> bool,
    /// What has to happen in some run.
    pub sometimes: (&'static str, fn(&System) -> bool),
}

impl Goal {
    /// Whether it holds.
    pub fn is_kept(&self, system: &System) -> bool {
        (self.holds)(system) && !system.believes(self.forbids)
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
        holds: origin,
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
        holds: agreement,
        sometimes: ("every actor knows one submission", all_know),
    },
    Goal {
        name: "G-SDN",
        says: "a tid ends once, users hear how it ended, and final blocks hold one decision on it",
        under: "DY, INS, BYZ(b < 2·quorum − n)",
        needs: &[Clause::FirstDecisionStands],
        forbids: &[],
        holds: single_decision,
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
        holds: commit_implies_verdict,
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
        holds: least_privilege,
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
        holds: freshness,
        sometimes: ("a session is established", session),
    },
    Goal {
        name: "G-HSK",
        says: "no hello ends a handshake that others have begun",
        under: "DY, INS, BYZ(n), mB, mC, CRASH",
        needs: &[Clause::HelloDisplacesNone],
        forbids: &[],
        holds: handshakes_go_on,
        sometimes: ("a session is established", session),
    },
    Goal {
        name: "G-ORD",
        says: "no stage begins before the keys of the one before it are sealed",
        under: "any, honest BSD",
        needs: &[Clause::SealBeforeNextStage],
        forbids: &[("T_block", &[Clause::SealDigestIsCarried]), ("T_valid", &[Clause::SealDigestIsCarried])],
        holds: stage_order,
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
        holds: nothing_held,
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
        holds: sessions_keep,
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
        holds: immutability,
        sometimes: ("a block is final", some_final),
    },
    Goal {
        name: "G-AUD",
        says: "every end has exactly one entry in the audit log",
        under: "DY, INS, BYZ(n), CRASH, honest BSD",
        needs: &[Clause::TidIsFresh],
        forbids: &[],
        holds: audit_complete,
        sometimes: ("a submission is decided", decided),
    },
    Goal {
        name: "G-ERA",
        says: "an erased record is handed to nobody",
        under: "INS",
        needs: &[Clause::ErasedStaysErased],
        forbids: &[],
        holds: erasure,
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
        holds: policy_agreement,
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
        holds: |_| true,
        sometimes: ("a record is read", read),
    },
    Goal {
        name: "G-ACC",
        says: "who votes for and against on one question is convicted, by what proves it to anyone, and nobody else is",
        under: "any, honest BSD",
        needs: &[Clause::OneVotePerValidator, Clause::VoteSigned, Clause::VoteNamesBlock],
        forbids: &[],
        holds: accountable,
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
        holds: deletion_evident,
        sometimes: ("a head of the cloud's log is anchored", head_anchored),
    },
    Goal {
        name: "G-AUD",
        says: "no auditor takes a log for the audit log that lacks what is anchored",
        under: "mB, mC, DY, BYZ(b < 2·quorum − n)",
        needs: &[Clause::AuditHeadSigned, Clause::AuditHeadAnchored],
        forbids: &[],
        holds: audit_evident,
        sometimes: ("a submission is decided", decided),
    },
];

/// G-TER where nothing is left to happen: whether whatever was submitted or asked has ended.
pub fn everything_ended(system: &System) -> bool {
    system.bsd().open.is_empty() && system.users().all(super::user::User::is_done)
}

/// The second half of G-TER where nothing is left to happen: whether something was submitted and all of it that breaks no rule is committed.
pub fn sound_is_committed(system: &System) -> bool {
    let bsd = system.bsd();
    let sound = |ended: &super::bsd::Ended| {
        ended.question.header.breaks.is_some() || ended.decision == Decision::Committed
    };
    !bsd.ended.is_empty() && everything_ended(system) && bsd.ended.values().all(sound)
}

/// G-CIV whatever the BSD does: whether what the cloud stores has a true certificate of a quorum, and breaks no rule.
pub fn stored_is_certified(system: &System) -> bool {
    let members = system.bsd().ledger.members();
    system.cloud().records.values().all(|stored| is_good(&stored.certificate, members))
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

fn is_good(certificate: &super::Certificate, members: u8) -> bool {
    certificate.flaws.is_empty()
        && certificate.ballot == Ballot::True
        && certificate.signatories.len() >= quorum(members)
        && certificate.question.header.breaks.is_none()
}

fn origin(system: &System) -> bool {
    let submitted = |header: &super::Header| {
        let user = system.users().nth(usize::from(header.user));
        user.is_some_and(|user| user.submitted.get(&header.tid) == Some(header))
    };
    let votes =
        system.validators().flat_map(|validator| validator.votes.values().map(|vote| vote.question.header));
    let stored = system.cloud().records.values().map(|stored| stored.certificate.question.header);
    let open = system.bsd().open.values().map(|open| open.question.header);
    !system.kdc().doubled && votes.chain(stored).chain(open).all(|header| submitted(&header))
}

fn stored(system: &System) -> bool {
    !system.cloud().records.is_empty()
}

fn agreement(system: &System) -> bool {
    let bsd = system.bsd();
    let voted = system.validators().flat_map(|validator| validator.votes.values().map(|vote| vote.question));
    let stored = system.cloud().records.values().map(|stored| stored.certificate.question);
    let open =
        bsd.open.values().map(|open| open.question).chain(bsd.ended.values().map(|ended| ended.question));
    let mut headers: BTreeMap<super::Tid, super::Header> = BTreeMap::new();
    let mut questions = voted.chain(stored).chain(open);
    let one_header = questions.all(|question| {
        let header = question.header;
        *headers.entry(header.tid).or_insert(header) == header
    });
    let committed = system.cloud().records.values().map(|stored| stored.certificate.question.header.record);
    let (count, distinct) = (committed.clone().count(), committed.collect::<BTreeSet<_>>().len());
    one_header && count == distinct && system.validators().all(|validator| !validator.voted_twice)
}

fn all_know(system: &System) -> bool {
    stored(system) && system.validators().all(|validator| !validator.votes.is_empty())
}

fn single_decision(system: &System) -> bool {
    let bsd = system.bsd();
    let audited: BTreeSet<_> = bsd.audit.iter().map(|entry| entry.tid).collect();
    let once = audited.len() == bsd.audit.len() && bsd.open.keys().all(|tid| !audited.contains(tid));
    let told = bsd.ended.iter().all(|(tid, ended)| {
        let heard = system.users().nth(usize::from(ended.user)).and_then(|user| user.outcome(*tid));
        heard.is_none_or(|heard| heard == ended.decision || heard == Decision::Refused)
    });
    once && told && !bsd.reconsidered
}

fn decided(system: &System) -> bool {
    !system.bsd().audit.is_empty()
}

fn commit_implies_verdict(system: &System) -> bool {
    let members = system.bsd().ledger.members();
    let good = |certificate: &super::Certificate| is_good(certificate, members);
    let ledger = &system.cloud().ledger;
    let in_final = |stored: &super::cloud::Stored| {
        ledger.blocks()[..ledger.final_blocks()].iter().any(|block| {
            block.id == stored.block && block.proposal.entries.contains(&Entry::Decision(stored.certificate))
        })
    };
    let accepted = |open: &super::bsd::Open| {
        use super::bsd::State;
        !matches!(open.state, State::AwaitingFinality | State::AwaitingReceipt)
            || open.acknowledgement.as_ref().is_some_and(good) && open.votes.len() >= quorum(members)
    };
    system.cloud().records.values().all(|stored| good(&stored.certificate) && in_final(stored))
        && system.bsd().open.values().all(accepted)
}

fn committed(system: &System) -> bool {
    system.bsd().ended.values().any(|ended| ended.decision == Decision::Committed)
}

fn least_privilege(system: &System) -> bool {
    let granted = system.users().enumerate().all(|(reader, user)| {
        user.read.values().all(|tid| {
            let stored = system.cloud().records.get(tid);
            stored.is_some_and(|stored| stored.ever.has(reader as u8))
        })
    });
    let allowed = |header: &super::Header| may_handle_records(header.user);
    let mut voted =
        system.validators().flat_map(|validator| validator.votes.values().map(|vote| vote.question.header));
    let mut open = system.bsd().open.values().map(|open| open.question.header);
    granted
        && voted.all(|header| allowed(&header))
        && open.all(|header| allowed(&header))
        && system.policies().all(Registry::is_by_administrators)
}

fn read(system: &System) -> bool {
    system.users().any(|user| !user.read.is_empty())
}

fn freshness(system: &System) -> bool {
    let heads = system.users().all(|user| user.remembered == user.newest);
    heads && system.sessions().all(super::session_manager::SessionManager::nothing_repeated)
}

fn session(system: &System) -> bool {
    system.sessions().any(super::session_manager::SessionManager::has_sessions)
}

fn handshakes_go_on(system: &System) -> bool {
    let managers: Vec<_> = system.sessions().collect();
    managers.iter().all(|manager| manager.none_displaced_by(&managers))
}

fn stage_order(system: &System) -> bool {
    let sealed = |open: &super::bsd::Open| open.question.sealed;
    system.bsd().open.values().all(sealed) && system.cloud().records.values().all(|stored| stored.sealed)
}

fn voted(system: &System) -> bool {
    system.validators().any(|validator| !validator.votes.is_empty())
}

fn nothing_held(system: &System) -> bool {
    system.bsd().held.is_empty()
}

fn sessions_keep(system: &System) -> bool {
    !system.betrayed && system.sessions().all(super::session_manager::SessionManager::ends_agree)
}

fn immutability(system: &System) -> bool {
    system.ledgers().all(|ledger| !ledger.undone) && (final_blocks_agree(system) || parted_deeply(system))
}

/// What depth alone bounds: whether two chains closed by work part by more blocks, on both sides, than confirm one. No clause can prevent it: who is cut
/// off cannot know. The depth is counted here and not taken from what actors hold to be final.
fn parted_deeply(system: &System) -> bool {
    let chains: Vec<_> = system
        .ledgers()
        .filter(|ledger| ledger.kind() == LedgerKind::Work)
        .map(super::ledger::Ledger::blocks)
        .collect();
    let deep = |one: &[Arc<super::Block>], other: &[Arc<super::Block>]| {
        let shared = one.iter().zip(other).take_while(|(one, other)| one.id == other.id).count();
        one.len().min(other.len()) - shared > CONFIRMATIONS
    };
    chains.iter().enumerate().any(|(place, one)| chains[..place].iter().any(|other| deep(one, other)))
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

fn audit_complete(system: &System) -> bool {
    let bsd = system.bsd();
    let logged: Vec<_> = bsd.audit.iter().map(|entry| entry.tid).collect();
    let mut sorted = logged.clone();
    sorted.sort_unstable();
    sorted.iter().eq(bsd.ended.keys())
}

fn audit_evident(system: &System) -> bool {
    !system.deceived[1]
}

fn deletion_evident(system: &System) -> bool {
    !system.deceived[0]
}

fn head_anchored(system: &System) -> bool {
    system.ledgers().any(|ledger| ledger.final_anchor(LogKind::Cloud).is_some())
}

fn accountable(system: &System) -> bool {
    let bsd = system.bsd();
    !bsd.overlooked && bsd.convicted.values().all(|proves| *proves)
}

fn convicted(system: &System) -> bool {
    !system.bsd().convicted.is_empty()
}

fn erasure(system: &System) -> bool {
    !system.cloud().served_erased
        && system.cloud().records.values().all(|stored| stored.erased.is_none() || stored.readers.is_empty())
}

fn policy_agreement(system: &System) -> bool {
    system.policies().all(Registry::is_sound) && system.validators().all(|validator| !validator.misjudged)
}

fn judged_anew(system: &System) -> bool {
    let mut votes = system.validators().flat_map(|validator| validator.votes.values());
    votes.any(|vote| vote.question.policy != super::Policy::SHIPPED)
}

fn erased(system: &System) -> bool {
    system.cloud().records.values().any(|stored| stored.erased.is_some())
}
