//! A run that a search found, as a trace that can be read, drawn and replayed.
//!
//! The implementation executes it in lockstep with the model. What it cannot be made to do, the model does alone.

use crate::explore::{Found, FoundStep};
use crate::lockstep::{Divergence, Lockstep};
use crate::trace::{Header, Step, Trace};
use bemr::crypto::Suite;
use bemr_model::{Action, Datagram, Envelope, LedgerKind, Output, Setup};
use bemr_spec::Rules;

/// A run as a trace.
#[derive(Clone, Debug)]
pub struct Counterexample {
    /// The trace.
    pub trace: Trace,
    /// Whether the implementation executed it too, and if not, why.
    pub both: Result<(), String>,
}

/// How many seeds are tried until the implementation finds nonces at the instants at which the run has them found.
const SEEDS: u64 = 512;

impl Found {
    /// The run as a trace, under the rules and from the setup of its search.
    pub fn counterexample(&self, rules: Rules, setup: Setup) -> Counterexample {
        let seeds = if setup.ledger == LedgerKind::Work { SEEDS } else { 1 };
        let mut reason = None;
        for seed in 0..seeds {
            let setup = Setup { seed, ..setup };
            match self.in_lockstep(rules, &setup) {
                Ok(steps) => {
                    let header = Header::new(Suite::Tiny, &rules, setup);
                    return Counterexample { trace: Trace { header, steps }, both: Ok(()) };
                }
                Err(why) => reason = reason.or(Some(why)),
            }
        }
        let reason = reason.unwrap_or_default();
        // A trace of the tiny suite is run again on both sides.
        let mut header = Header::new(Suite::Ristretto255, &rules, setup);
        header.note = Some(format!("the model alone: {reason}"));
        let steps = (1..).zip(&self.steps);
        let steps =
            steps.map(|(number, step)| Step::of(number, step.action.clone(), &step.happened)).collect();
        Counterexample { trace: Trace { header, steps }, both: Err(reason) }
    }

    fn in_lockstep(&self, rules: Rules, setup: &Setup) -> Result<Vec<Step>, String> {
        let mut both = Lockstep::new(rules, setup).map_err(|refusal| refusal.to_string())?;
        let mut steps = Vec::new();
        for (number, step) in (1..).zip(&self.steps) {
            let why = |what: &str| format!("step {number}, {}: {what}", step.happened.event);
            let action =
                renumbered(step, both.model().envelopes()).ok_or_else(|| why("its envelope was not sent"))?;
            match both.step(&action) {
                Ok(Some((done, happened))) => {
                    if nonce(&done) != nonce(&action) {
                        return Err(why("nonces are found at other instants"));
                    }
                    steps.push(Step::of(number, done, &happened));
                }
                Ok(None) => return Err(why("nobody can make that")),
                // The run ends where it breaks its goal.
                Err(divergence) if matches!(*divergence, Divergence::Goal(_)) => break,
                Err(divergence) => return Err(why(&divergence.to_string())),
            }
        }
        Ok(steps)
    }
}

const fn nonce(action: &Action) -> bool {
    matches!(action, Action::Wake { found: Some(_), .. })
}

fn kind(envelope: &Envelope) -> &'static str {
    match &envelope.datagram {
        Datagram::Packet(packet) => Output::Send(envelope.to, *packet).name(),
        Datagram::Gossip(gossip) => gossip.name(),
    }
}

/// The action with the number that its envelope has among these: what is sent together may be ordered by digest, which the model does
/// not compute.
fn renumbered(step: &FoundStep, envelopes: &[Envelope]) -> Option<Action> {
    let mut action = step.action.clone();
    if let (Action::Deliver { envelope } | Action::Redirect { envelope, .. }, Some(sent)) =
        (&mut action, &step.envelope)
    {
        // Under proof of work the model has no digest of a block either: only kind and ends can be compared.
        let like = |other: &Envelope| (other.from, other.to, kind(other)) == (sent.from, sent.to, kind(sent));
        let same = envelopes.iter().position(|other| other == sent);
        let place = same
            .or_else(|| envelopes.get(*envelope as usize).is_some_and(like).then_some(*envelope as usize));
        *envelope = place? as u32;
    }
    Some(action)
}
