//! Which pairs of a field and a clause that checks it have a negative vector, and why the others have none.

use crate::forge::pairs;
use crate::vectors::{File, Outcome};
use bemr_spec::Clause::{self, *};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;

/// Why a pair has no vector of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The vectors of this field show it: both hold one value.
    ShownBy(&'static str),
    /// No input can show it.
    Because(&'static str),
}

use Reason::{Because, ShownBy};

const HUGE_MESSAGE: Reason = Because("it takes a message of more than 17 MiB");
const HUGE_GOSSIP: Reason = Because("it takes a block of 4097 entries, or a message of more than 17 MiB");
const OWNER_SUBMITTED: Reason =
    Because("an owner submitted, so that its role may grant; it takes one whose role changed");
const ALL_MAY_READ: Reason = Because("every shipped contract lets every role read that ROL-02 lets");
const COUNTING: Reason = Because("it is a rule of counting: no input is refused by it");
const VOTE_NAMES_QUESTION: Reason = Because("VOT-03 compares it with what was asked, and comes first");
const NO_PROPOSALS: Reason = Because("nobody proposes where blocks are closed by work");
const ASKED_LOCALLY: Reason =
    Because("it is asked by who acts on a block, in its own ledger: no input is refused by it");
const BINDS_MAKER: Reason = Because("it binds the maker: a receiver refuses by SEA-02");
const LEAVES_ALONE: Reason = Because("an auditor is shown leaves, not what they commit to");
const SCHEDULED: Reason = Because("LED-06 fixes it before a digest is compared with it");
const OTHER_KIND: Reason = Because("an anchor of another kind is of another log, and passed over");
const OTHER_KEEPER: Reason = Because("an anchor of another keeper is of another log, and passed over");
const WHOLE_LEAF: Reason = Because("CLD-02 compares all of the leaf first");

/// Pairs without a vector of their own.
pub const REASONS: &[(&str, Clause, Reason)] = &[
    ("Message.body", SizeWithinBound, HUGE_MESSAGE),
    ("Gossip.body", SizeWithinBound, HUGE_GOSSIP),
    ("CertificateBody.role", RoleMayGrant, OWNER_SUBMITTED),
    ("Contract.readers", GrantsNameAuthorisedReaders, ALL_MAY_READ),
    ("GrantBody.key", GrantsNameAuthorisedReaders, ALL_MAY_READ),
    ("QuorumCertificate.body", QuorumIsUnanimous, COUNTING),
    ("VoteBody.ballot", QuorumIsUnanimous, COUNTING),
    ("VoteBody.reason", QuorumIsUnanimous, COUNTING),
    ("VoteBody.version", ProtocolVersionIsOne, VOTE_NAMES_QUESTION),
    ("VoteBody.suite", SuiteMatches, VOTE_NAMES_QUESTION),
    ("BlockProposal.header", WorkMeetsTarget, NO_PROPOSALS),
    ("BlockProposal.header", TargetIsScheduled, NO_PROPOSALS),
    ("WorkRule.confirmations", ConfirmationsReached, ASKED_LOCALLY),
    ("SealContext.tid", SealBeforeNextStage, BINDS_MAKER),
    ("SealContext.stage", SealBeforeNextStage, BINDS_MAKER),
    ("StoredRecord.acknowledgement", EntryAgreesWithLedger, LEAVES_ALONE),
    ("StoredRecord.height", EntryAgreesWithLedger, LEAVES_ALONE),
    ("Target.number", WorkMeetsTarget, SCHEDULED),
    ("Anchor.kind", HeadIsAnchored, OTHER_KIND),
    ("Anchor.kind", AuditHeadAnchored, OTHER_KIND),
    ("Anchor.keeper", HeadIsAnchored, OTHER_KEEPER),
    ("Anchor.keeper", AuditHeadAnchored, OTHER_KEEPER),
    ("ClosingSignature.header", VoteSigned, ShownBy("ClosingSignature.signatory")),
    ("BlockProposal.entries", AnchorAdvances, ShownBy("Block.entries")),
    ("ReadProof.leaf", ReadMatchesSigned, WHOLE_LEAF),
    ("StoredRecord.block", AckAnswersThisBlock, ShownBy("TValid.block")),
    ("StoredContent.record", ReadMatchesSigned, ShownBy("ReadResponse.record")),
    ("StoredContent.ciphertext", ReadMatchesSigned, ShownBy("ReadResponse.ciphertext")),
    ("ReadRequest.nonce", ReadAnswersRequest, ShownBy("ReadResponse.nonce")),
    ("ReadRequest.remembered", LogIsAppendOnly, ShownBy("ReadProof.extends_remembered")),
    ("InitialHeader.ciphertext", CiphertextMatchesSigned, ShownBy("TValid.ciphertext")),
    ("AuditEntry.seal", SealDigestIsCarried, ShownBy("BlockBody.seal")),
    ("PolicyEntry.policy", VoteNamesPolicy, ShownBy("VoteBody.policy")),
    ("PolicyEntry.digest", VoteNamesPolicy, ShownBy("VoteBody.policy")),
    ("PolicySet.template", VoteNamesPolicy, ShownBy("VoteBody.policy")),
    ("PolicySet.contracts", VoteNamesPolicy, ShownBy("VoteBody.policy")),
    ("ValidatorSet.network", BlockNamesNetwork, ShownBy("BlockBody.validators")),
];

/// What is shown and what is not.
#[derive(Clone, Debug, Serialize)]
pub struct Coverage {
    /// Pairs of a field and a clause in the tables.
    pub pairs: usize,
    /// Pairs with a negative vector.
    pub shown: usize,
    /// Pairs with a reason instead.
    pub reasoned: usize,
    /// Pairs with neither.
    pub missing: Vec<String>,
    /// Reasons of pairs that do not exist, that have a vector, or that lean on a pair without one.
    pub stale: Vec<String>,
}

/// Counts the pairs that the files show.
pub fn coverage<'a>(files: impl IntoIterator<Item = &'a File>) -> Coverage {
    let all = pairs();
    let shown: BTreeSet<(String, Clause)> = files.into_iter().flat_map(shown_by).collect();
    let shown: BTreeSet<&(String, Clause)> = shown.iter().filter(|pair| all.contains(pair)).collect();
    let reasoned = |pair: &(String, Clause)| {
        REASONS.iter().any(|(field, clause, _)| (*field, *clause) == (pair.0.as_str(), pair.1))
    };
    let missing = all.iter().filter(|pair| !shown.contains(pair) && !reasoned(pair));
    let stale = REASONS.iter().filter(|(field, clause, reason)| {
        let pair = ((*field).to_owned(), *clause);
        let leans = match reason {
            ShownBy(other) => !shown.contains(&((*other).to_owned(), *clause)),
            Because(_) => false,
        };
        leans || shown.contains(&pair) || !all.contains(&pair)
    });
    let told = |field: &str, clause: Clause| format!("{field} {}", clause.id());
    Coverage {
        pairs: all.len(),
        shown: shown.len(),
        reasoned: all.iter().filter(|pair| !shown.contains(pair) && reasoned(pair)).count(),
        missing: missing.map(|(field, clause)| told(field, *clause)).collect(),
        stale: stale.map(|(field, clause, _)| told(field, *clause)).collect(),
    }
}

/// The pairs that a file shows: of its tests, and of the steps of its runs.
fn shown_by(file: &File) -> Vec<(String, Clause)> {
    let mut shown = Vec::new();
    for test in &file.tests {
        if let (Outcome::Invalid, Some(clause)) = (test.answer.result, test.answer.clause) {
            shown.extend(test.fields.iter().map(|field| (field.clone(), clause)));
        }
        let steps = |value: &Value| value.get("steps").and_then(Value::as_array).cloned().unwrap_or_default();
        for (step, did) in steps(&test.input).iter().zip(steps(&test.answer.output)) {
            let clause = did.get("clause").and_then(Value::as_str).and_then(Clause::find);
            let fields = step.get("fields").and_then(Value::as_array).cloned().unwrap_or_default();
            let fields = fields.iter().filter_map(Value::as_str);
            shown.extend(fields.filter_map(|field| Some((field.to_owned(), clause?))));
        }
    }
    shown
}
