//! What each goal says, taken apart: the conjuncts, and for each the states that break it and no other of its goal.
//!
//! A goal that is one predicate can lose a part of what it says, and every search goes on passing. Therefore each part is a
//! value of its own, and a test constructs every state that [`Conjunct::broken_by`] names.

#[cfg(test)]
mod tests;

use crate::bsd::{Open, State};
use crate::ledger::{CONFIRMATIONS, quorum};
use crate::policy::Registry;
use crate::roles::may_handle_records;
use crate::session_manager::SessionManager;
use crate::{Ballot, Certificate, Decision, Entry, Header, LedgerKind, Question, System, final_blocks_agree};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One of the statements that make up a goal.
#[derive(Clone, Copy)]
pub struct Conjunct {
    /// What it says.
    pub says: &'static str,
    /// The states that break it and no other conjunct of its goal: one for everything that it speaks of.
    pub broken_by: &'static [&'static str],
    holds: fn(&System) -> bool,
}

impl Conjunct {
    /// Whether it holds.
    pub fn holds(&self, system: &System) -> bool {
        (self.holds)(system)
    }
}

impl std::fmt::Debug for Conjunct {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.says)
    }
}

const fn conjunct(
    says: &'static str,
    broken_by: &'static [&'static str],
    holds: fn(&System) -> bool,
) -> Conjunct {
    Conjunct { says, broken_by, holds }
}

/// The conjuncts of what is asked beside the goals, by the names that searches use.
pub const BESIDE_GOALS: &[(&str, &[Conjunct])] = &[
    ("G-TER", EVERYTHING_ENDED),
    ("G-TER, committed", SOUND_IS_COMMITTED),
    ("G-CIV, lying BSD", STORED_IS_CERTIFIED),
];

fn votes(system: &System) -> impl Iterator<Item = Question> {
    system.validators().flat_map(|validator| validator.votes.values().map(|vote| vote.question))
}

fn open(system: &System) -> impl Iterator<Item = Question> {
    system.bsd().open.values().map(|open| open.question)
}

fn stored(system: &System) -> impl Iterator<Item = Certificate> {
    system.cloud().records.values().map(|stored| stored.certificate)
}

fn was_submitted(system: &System, header: &Header) -> bool {
    let user = system.users().nth(usize::from(header.user));
    user.is_some_and(|user| user.submitted.get(&header.tid) == Some(header))
}

pub(super) const ORIGIN: &[Conjunct] = &[
    conjunct(
        "what validators voted on was submitted by the user whom it names",
        &["a vote on another record"],
        |system| votes(system).all(|question| was_submitted(system, &question.header)),
    ),
    conjunct(
        "what the cloud stores was submitted by the user whom it names",
        &["another record is stored"],
        |system| stored(system).all(|certificate| was_submitted(system, &certificate.question.header)),
    ),
    conjunct(
        "what the BSD has open was submitted by the user whom it names",
        &["another record is open"],
        |system| open(system).all(|question| was_submitted(system, &question.header)),
    ),
    conjunct("nobody has two certificates in force", &["the KDC certified two keys"], |system| {
        !system.kdc().doubled
    }),
];

pub(super) const AGREEMENT: &[Conjunct] = &[
    conjunct(
        "questions on one tid have one header",
        &[
            "a vote on another record",
            "another record is stored",
            "another record is open",
            "another record has ended",
        ],
        one_header,
    ),
    conjunct("a record is stored once", &["a record is stored under two tids"], |system| {
        let records: Vec<_> = stored(system).map(|certificate| certificate.question.header.record).collect();
        records.iter().collect::<BTreeSet<_>>().len() == records.len()
    }),
    conjunct("a validator votes on one T_block of a tid", &["a validator votes twice"], |system| {
        system.validators().all(|validator| !validator.voted_twice)
    }),
];

fn one_header(system: &System) -> bool {
    let ended = system.bsd().ended.values().map(|ended| ended.question);
    let stored = stored(system).map(|certificate| certificate.question);
    let mut headers: BTreeMap<crate::Tid, Header> = BTreeMap::new();
    votes(system).chain(stored).chain(open(system)).chain(ended).all(|question| {
        let header = question.header;
        *headers.entry(header.tid).or_insert(header) == header
    })
}

pub(super) const SINGLE_DECISION: &[Conjunct] = &[
    conjunct("a tid ends once", &["an end is logged twice"], |system| {
        let audit = &system.bsd().audit;
        audit.iter().map(|entry| entry.tid).collect::<BTreeSet<_>>().len() == audit.len()
    }),
    conjunct("what has ended is not open", &["an open submission is logged"], |system| {
        let bsd = system.bsd();
        bsd.audit.iter().all(|entry| !bsd.open.contains_key(&entry.tid))
    }),
    conjunct("a user hears how it ended", &["a user hears the contrary"], |system| {
        system.bsd().ended.iter().all(|(tid, ended)| {
            let heard = system.users().nth(usize::from(ended.user)).and_then(|user| user.outcome(*tid));
            heard.is_none_or(|heard| heard == ended.decision || heard == Decision::Refused)
        })
    }),
    conjunct("no vote counts after the decision", &["a late vote counts"], |system| {
        !system.bsd().reconsidered
    }),
];

/// Whether the BSD takes its acknowledgement for enough.
fn is_accepted(open: &Open) -> bool {
    matches!(open.state, State::AwaitingFinality | State::AwaitingReceipt)
}

/// Whether every certificate by which something is stored or about to be is so.
fn accepted_are(system: &System, good: impl Fn(&Certificate) -> bool) -> bool {
    let mut accepted = system.bsd().open.values().filter(|open| is_accepted(open));
    stored(system).all(|certificate| good(&certificate))
        && accepted.all(|open| open.acknowledgement.as_ref().is_none_or(&good))
}

fn has_quorum(system: &System, certificate: &Certificate) -> bool {
    certificate.signatories.len() >= quorum(system.bsd().ledger.members())
}

pub(super) const COMMIT_IMPLIES_VERDICT: &[Conjunct] = &[
    conjunct(
        "certificates that count are as they should be",
        &["a forged certificate is stored", "a forged certificate is accepted"],
        |system| accepted_are(system, |certificate| certificate.flaws.is_empty()),
    ),
    conjunct(
        "certificates that count say true",
        &["a rejection is stored", "a rejection is accepted"],
        |system| accepted_are(system, |certificate| certificate.ballot == Ballot::True),
    ),
    conjunct(
        "certificates that count have a quorum",
        &["too few signed what is stored", "too few signed what is accepted"],
        |system| accepted_are(system, |certificate| has_quorum(system, certificate)),
    ),
    conjunct(
        "what has a certificate breaks no rule",
        &["what is stored breaks a rule", "what is accepted breaks a rule"],
        |system| accepted_are(system, |certificate| certificate.question.header.breaks.is_none()),
    ),
    conjunct(
        "the decision on what is stored is in the final block that it names",
        &["what is stored names another block", "the block lacks the decision", "the block is not final"],
        stored_in_final,
    ),
    conjunct("what the BSD accepts has a certificate", &["no certificate is accepted"], |system| {
        let mut accepted = system.bsd().open.values().filter(|open| is_accepted(open));
        accepted.all(|open| open.acknowledgement.is_some())
    }),
    conjunct("what the BSD accepts has the votes of a quorum", &["too few votes are counted"], |system| {
        let bsd = system.bsd();
        let enough = |open: &Open| open.votes.len() >= quorum(bsd.ledger.members());
        bsd.open.values().filter(|open| is_accepted(open)).all(enough)
    }),
];

fn stored_in_final(system: &System) -> bool {
    let ledger = &system.cloud().ledger;
    system.cloud().records.values().all(|stored| {
        ledger.blocks()[..ledger.final_blocks()].iter().any(|block| {
            block.id == stored.block && block.proposal.entries.contains(&Entry::Decision(stored.certificate))
        })
    })
}

pub(super) const LEAST_PRIVILEGE: &[Conjunct] = &[
    conjunct(
        "who reads a record was granted it",
        &["a record is read that is not stored", "a record is read that was not granted"],
        |system| {
            system.users().enumerate().all(|(reader, user)| {
                let stored = |tid| system.cloud().records.get(tid);
                user.read.values().all(|tid| stored(tid).is_some_and(|stored| stored.ever.has(reader as u8)))
            })
        },
    ),
    conjunct(
        "who submitted what validators voted on may",
        &["an administrator submits, and a validator votes"],
        |system| votes(system).all(|question| may_handle_records(question.header.user)),
    ),
    conjunct(
        "who submitted what the BSD has open may",
        &["an administrator's submission is open"],
        |system| open(system).all(|question| may_handle_records(question.header.user)),
    ),
    conjunct("administrators approve changes of policy", &["a physician approves a policy"], |system| {
        system.policies().all(Registry::is_by_administrators)
    }),
];

pub(super) const FRESHNESS: &[Conjunct] = &[
    conjunct("no head goes back", &["a user remembers an old head"], |system| {
        system.users().all(|user| user.remembered == user.newest)
    }),
    conjunct("no record is taken twice", &["a record is taken twice"], |system| {
        system.sessions().all(SessionManager::no_record_repeated)
    }),
    conjunct("no hello is answered twice", &["a hello is answered twice"], |system| {
        system.sessions().all(SessionManager::no_hello_repeated)
    }),
];

pub(super) const HANDSHAKES_GO_ON: &[Conjunct] = &[conjunct(
    "no hello ends a handshake that others have begun",
    &["a hello displaced a session"],
    |system| {
        let managers: Vec<_> = system.sessions().collect();
        managers.iter().all(|manager| manager.none_displaced_by(&managers))
    },
)];

pub(super) const STAGE_ORDER: &[Conjunct] = &[
    conjunct(
        "T_block follows the seal of the stage initial",
        &["an open question is not sealed"],
        |system| open(system).all(|question| question.sealed),
    ),
    conjunct("what is stored was sealed", &["what is stored is not sealed"], |system| {
        system.cloud().records.values().all(|stored| stored.sealed)
    }),
];

pub(super) const NOTHING_HELD: &[Conjunct] =
    &[conjunct("the BSD holds no key of a stage that is over", &["a key is held"], |system| {
        system.bsd().held.is_empty()
    })];

pub(super) const SESSIONS_KEEP: &[Conjunct] = &[
    conjunct("keys that leak open no record from before", &["a leaked key opens a record"], |system| {
        !system.betrayed
    }),
    conjunct("who answers a hello is whom it was meant for", &["another answers the hello"], |system| {
        system.sessions().all(SessionManager::answered_as_meant)
    }),
    conjunct(
        "the peer of a session is its other end",
        &["an initiator takes another for its peer", "a responder takes another for its peer"],
        |system| system.sessions().all(SessionManager::peers_are_ends),
    ),
    conjunct(
        "who has a session is one of its ends",
        &["an initiator has the session of others", "a responder has the session of others"],
        |system| system.sessions().all(SessionManager::is_end_itself),
    ),
];

pub(super) const IMMUTABILITY: &[Conjunct] = &[
    conjunct("a final block stands", &["a final block was undone"], |system| {
        system.ledgers().all(|ledger| !ledger.undone)
    }),
    conjunct(
        "final blocks of one height are one block, or chains part by more blocks than confirm one",
        &["two blocks of one height are final"],
        |system| final_blocks_agree(system) || parted_deeply(system),
    ),
];

/// What depth alone bounds: whether two chains closed by work part by more blocks, on both sides, than confirm one. No clause can prevent it: who is cut
/// off cannot know. The depth is counted here and not taken from what actors hold to be final.
fn parted_deeply(system: &System) -> bool {
    let chains: Vec<_> = system
        .ledgers()
        .filter(|ledger| ledger.kind() == LedgerKind::Work)
        .map(crate::ledger::Ledger::blocks)
        .collect();
    let deep = |one: &[Arc<crate::Block>], other: &[Arc<crate::Block>]| {
        let shared = one.iter().zip(other).take_while(|(one, other)| one.id == other.id).count();
        one.len().min(other.len()) - shared > CONFIRMATIONS
    };
    chains.iter().enumerate().any(|(place, one)| chains[..place].iter().any(|other| deep(one, other)))
}

pub(super) const AUDIT_COMPLETE: &[Conjunct] = &[
    conjunct("every end is in the audit log", &["an end is not logged"], |system| {
        let bsd = system.bsd();
        bsd.ended.keys().all(|tid| bsd.audit.iter().any(|entry| entry.tid == *tid))
    }),
    conjunct("what is in the audit log has ended", &["what has not ended is logged"], |system| {
        let bsd = system.bsd();
        bsd.audit.iter().all(|entry| bsd.ended.contains_key(&entry.tid))
    }),
    conjunct("no end is twice in the audit log", &["an end is logged twice"], |system| {
        let audit = &system.bsd().audit;
        audit.iter().map(|entry| entry.tid).collect::<BTreeSet<_>>().len() == audit.len()
    }),
];

pub(super) const ERASURE: &[Conjunct] = &[
    conjunct("an erased record is handed to nobody", &["an erased record is served"], |system| {
        !system.cloud().served_erased
    }),
    conjunct("an erased record has no readers", &["an erased record keeps its readers"], |system| {
        let mut records = system.cloud().records.values();
        records.all(|stored| stored.erased.is_none() || stored.readers.is_empty())
    }),
];

pub(super) const POLICY_AGREEMENT: &[Conjunct] = &[
    conjunct("two approve a change", &["one approves a change"], |system| {
        system.policies().all(Registry::is_approved_by_two)
    }),
    conjunct("a change is as it should be", &["a change is forged"], |system| {
        system.policies().all(Registry::is_genuine)
    }),
    conjunct("a change changes something", &["a change is empty"], |system| {
        system.policies().all(Registry::is_of_changes)
    }),
    conjunct("a change is told before it holds", &["a change holds at its own height"], |system| {
        system.policies().all(Registry::is_told_before)
    }),
    conjunct(
        "versions follow each other",
        &[
            "a version of templates is left out",
            "a version of abeyance is left out",
            "a version of admission is left out",
        ],
        |system| system.policies().all(Registry::is_in_order),
    ),
    conjunct("votes are by the policy in force", &["a validator misjudges"], |system| {
        system.validators().all(|validator| !validator.misjudged)
    }),
];

pub(super) const ACCOUNTABLE: &[Conjunct] = &[
    conjunct("a contrary vote is not overlooked", &["a contrary vote is overlooked"], |system| {
        !system.bsd().overlooked
    }),
    conjunct("what convicts proves", &["somebody is convicted without proof"], |system| {
        system.bsd().convicted.values().all(|proves| *proves)
    }),
];

pub(super) const DELETION_EVIDENT: &[Conjunct] =
    &[conjunct("no auditor is deceived about the cloud's log", &["the cloud's log deceives"], |system| {
        !system.deceived[0]
    })];

pub(super) const AUDIT_EVIDENT: &[Conjunct] =
    &[conjunct("no auditor is deceived about the audit log", &["the audit log deceives"], |system| {
        !system.deceived[1]
    })];

pub(super) const EVERYTHING_ENDED: &[Conjunct] = &[
    conjunct("nothing is open", &["a submission stays open"], |system| system.bsd().open.is_empty()),
    conjunct("no user waits", &["a user waits for a submission", "a user waits for an answer"], |system| {
        system.users().all(crate::user::User::is_done)
    }),
];

pub(super) const SOUND_IS_COMMITTED: &[Conjunct] = &[
    conjunct("something was submitted", &["nothing has ended"], |system| !system.bsd().ended.is_empty()),
    conjunct("what breaks no rule is committed", &["what breaks no rule is rejected"], |system| {
        let mut ended = system.bsd().ended.values();
        ended.all(|one| one.question.header.breaks.is_some() || one.decision == Decision::Committed)
    }),
];

pub(super) const STORED_IS_CERTIFIED: &[Conjunct] = &[
    conjunct(
        "what is stored has a certificate as it should be",
        &["a forged certificate is stored"],
        |system| stored(system).all(|certificate| certificate.flaws.is_empty()),
    ),
    conjunct("what is stored has a certificate that says true", &["a rejection is stored"], |system| {
        stored(system).all(|certificate| certificate.ballot == Ballot::True)
    }),
    conjunct("what is stored has a certificate of a quorum", &["too few signed what is stored"], |system| {
        stored(system).all(|certificate| has_quorum(system, &certificate))
    }),
    conjunct("what is stored breaks no rule", &["what is stored breaks a rule"], |system| {
        stored(system).all(|certificate| certificate.question.header.breaks.is_none())
    }),
];
