//! What a campaign exercised: a check that nothing reached has shown nothing.

use bemr_model::{Action, Ballot, Decision, Execution, Happened, Message, Output, Packet};
use bemr_spec::Clause;
use serde::Serialize;
use std::collections::BTreeMap;

/// Counts of what happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Steps.
    pub steps: u64,
    /// Each kind of action.
    pub actions: BTreeMap<&'static str, u64>,
    /// Each clause that refused something.
    pub refused: BTreeMap<&'static str, u64>,
    /// Each clause of a primitive because of which another refused something (chapter 14).
    pub because: BTreeMap<&'static str, u64>,
    /// Each clause that binds a maker alone and was broken by the maker of something that was refused.
    pub broken: BTreeMap<&'static str, u64>,
    /// Each clause that was the stated reason of a decision: of a false vote, an outcome, an answer.
    pub decided: BTreeMap<&'static str, u64>,
    /// Each message that was sent.
    pub sent: BTreeMap<&'static str, u64>,
    /// Each end of a submission that its user was told of.
    pub ends: BTreeMap<&'static str, u64>,
}

impl Coverage {
    /// Counts one step, in which `broken` arrived.
    pub fn count(&mut self, action: &Action, happened: &Happened, broken: Option<Clause>) {
        self.steps += 1;
        *self.actions.entry(kind(action)).or_default() += 1;
        if let Some(clause) = happened.clause {
            *self.refused.entry(clause.id()).or_default() += 1;
            if let Some(cause) = happened.cause {
                *self.because.entry(cause.id()).or_default() += 1;
            }
            if let Some(broken) = broken {
                *self.broken.entry(broken.id()).or_default() += 1;
            }
        }
        for output in &happened.sends {
            *self.sent.entry(output.name()).or_default() += 1;
            // Who refuses a submission says so with the clause that was counted already.
            if let Some(reason) = reason(output).filter(|reason| happened.clause != Some(*reason)) {
                *self.decided.entry(reason.id()).or_default() += 1;
            }
            if let Output::Send(_, Packet::Record(record)) = output
                && let Message::Outcome { decision, .. } = record.message
            {
                let end = match decision {
                    Decision::Committed => "committed",
                    Decision::Rejected => "rejected",
                    Decision::Deferred => "deferred",
                    Decision::Refused => "refused",
                };
                *self.ends.entry(end).or_default() += 1;
            }
        }
    }

    /// Adds what another campaign counted.
    pub fn add(&mut self, other: &Coverage) {
        self.steps += other.steps;
        for (own, others) in [
            (&mut self.actions, &other.actions),
            (&mut self.refused, &other.refused),
            (&mut self.because, &other.because),
            (&mut self.broken, &other.broken),
            (&mut self.decided, &other.decided),
            (&mut self.sent, &other.sent),
            (&mut self.ends, &other.ends),
        ] {
            for (name, count) in others {
                *own.entry(name).or_default() += count;
            }
        }
    }

    /// How many times a clause kept something from being taken: it refused an input, or was the cause of that, or its maker
    /// had broken it; or it decided against a submission or request.
    pub fn refusals(&self, clause: Clause) -> u64 {
        let maps = [&self.refused, &self.because, &self.broken, &self.decided];
        maps.into_iter().filter_map(|counts| counts.get(clause.id())).sum()
    }

    /// The clauses that did so less than `floor` times, with how often.
    pub fn below(&self, floor: u64) -> Vec<(Clause, u64)> {
        let counted = Clause::ALL.into_iter().map(|clause| (clause, self.refusals(clause)));
        counted.filter(|(_, count)| *count < floor).collect()
    }
}

/// Clauses that refuse no input that an actor can get: they bind a maker, and why nobody sees them broken.
pub const UNREACHABLE: &[(Clause, &str)] = &[
    (Clause::NonceIsDerived, "a signature of whatever nonce verifies"),
    (
        Clause::RecordNamesSession,
        "an actor takes a record to the session that it names, or refuses it by SES-01",
    ),
    (Clause::HelloDisplacesNone, "it refuses nothing: without it a genuine finish is refused, by HSK-09"),
    (Clause::SealBeforeNextStage, "what was made without a seal carries no digest of one: SEA-04"),
    (
        Clause::QuorumIsUnanimous,
        "a certificate has one body, under which another vote does not verify: VOT-02",
    ),
    (Clause::FailoverKeepsDigest, "a validator that voted on one T_block refuses another of its tid: BLK-07"),
    (
        Clause::OnlyAcceptedIsPromoted,
        "what no quorum accepted has no certificate that the cloud takes: VAL-04, VAL-05",
    ),
    (Clause::StoredBeforeSent, "it refuses nothing: without it a validator votes a second time, by BLK-07"),
    (Clause::FailedStoreIsSilent, "stores in memory never fail"),
];

/// Clauses that a receiver does not check by themselves: a value whose maker broke one does not verify.
const MAKERS: [Clause; 2] = [Clause::ChallengeCoversKeyAndTag, Clause::EncapsulationIsContextual];

/// The clause of a maker that was broken by whoever made what `action` brings, before it does.
pub(super) fn broken(model: &Execution, action: &Action) -> Option<Clause> {
    let (Action::Deliver { envelope } | Action::Redirect { envelope, .. }) = action else { return None };
    let flaws = model.envelopes().get(*envelope as usize)?.datagram.flaws();
    MAKERS.into_iter().find(|maker| flaws.iter().any(|flaws| flaws.has(*maker)))
}

/// The clause that an answer, outcome or vote gives as its reason.
pub fn reason(output: &Output) -> Option<Clause> {
    let Output::Send(_, Packet::Record(record)) = output else { return None };
    match record.message {
        Message::Vote(vote) => match vote.ballot {
            Ballot::False(rule) => Some(rule),
            Ballot::True => None,
        },
        Message::Outcome { reason, .. } | Message::Answer { reason, .. } => reason,
        _ => None,
    }
}

const fn kind(action: &Action) -> &'static str {
    match action {
        Action::Command { .. } => "command",
        Action::Deliver { .. } => "deliver",
        Action::Redirect { .. } => "redirect",
        Action::Corrupt { .. } => "corrupt",
        Action::Wake { .. } => "wake",
        Action::Pass { .. } => "pass",
        Action::Send { .. } => "send",
        Action::Publish { .. } => "publish",
        Action::Inject { .. } => "inject",
        Action::Audit { .. } => "audit",
        Action::Unseal { .. } => "unseal",
        Action::Leak { .. } => "leak",
        Action::Crash { .. } => "crash",
    }
}
