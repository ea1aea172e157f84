//! Attacks on what is checked afterwards: a log by an auditor, an escrow package by the key-recovery agent. Everything in it is falsified,
//! one thing at a time, until a falsification is accepted.

use crate::attacks::evidence::Evidence;
use crate::attacks::replay::less;
use crate::lockstep::Lockstep;
use bemr::crypto::AeadKey;
use bemr_model::{
    Action, Actor, Command, Falsehood, Falsification, LedgerKind, Lifetimes, List, Members, SealFault, Setup,
};
use bemr_spec::{Clause, Rules};

const SETUP: Setup = Setup {
    users: 1,
    validators: 1,
    ledger: LedgerKind::Quorum,
    seed: 1,
    established: true,
    lifetimes: Lifetimes::LONG,
};

/// More than an honest run takes until its last tree heads are in a block.
const STEPS: usize = 400;

/// An honest run of one submission, in lockstep, until nothing is in flight and its tree heads are in a block.
fn honest(rules: Rules) -> Result<Lockstep, String> {
    let mut both = Lockstep::new(rules, &SETUP).map_err(|refusal| refusal.to_string())?;
    let command = Command::Submit { record: 1, breaks: None, readers: Members::default() };
    step(&mut both, &Action::Command { actor: Actor::User(0), command })?;
    let mut next = 0;
    for _ in 0..STEPS {
        if (next as usize) < both.model().envelopes().len() {
            step(&mut both, &Action::Deliver { envelope: next })?;
            next += 1;
            continue;
        }
        let system = both.model().system();
        let due = system.actors().filter_map(|actor| Some((system.wakes(actor)?, actor))).min();
        let Some((_, actor)) = due else { break };
        step(&mut both, &Action::Wake { actor, found: None })?;
    }
    Ok(both)
}

fn step(both: &mut Lockstep, action: &Action) -> Result<Option<Clause>, String> {
    let done = both.step(action).map_err(|divergence| divergence.to_string())?;
    Ok(done.and_then(|(_, happened)| happened.clause))
}

/// C-31: every single falsification of the audit log and its tree heads.
fn falsifications(both: &Lockstep) -> Vec<Falsification> {
    let mut all = Vec::new();
    for list in [List::Entries, List::AuditHeads] {
        for at in 0..both.model().system().listed(Actor::Validator(0), list) as u32 {
            let changes = list.fields().iter().copied().map(Falsehood::Change);
            for how in [Falsehood::Drop, Falsehood::Repeat, Falsehood::Swap].into_iter().chain(changes) {
                all.extend([false, true].map(|hidden| Falsification { list, at, how, hidden }));
            }
        }
    }
    all
}

/// C-31: a log that lacks its end passes for the audit log.
pub(super) fn audit_log() -> Result<Evidence, String> {
    let clause = Clause::AuditHeadAnchored;
    let mut both = honest(less(&[clause]))?;
    let shown = |one: &Falsification| Action::Audit { ledger: Actor::Validator(0), falsified: vec![*one] };
    for (tried, one) in (1..).zip(falsifications(&both)) {
        let refused = step(&mut both, &shown(&one))?;
        if refused.is_none() && both.model().system().deceived()[1] {
            let mut hardened = honest(Rules::hardened())?;
            let refused_by = step(&mut hardened, &shown(&one))?.ok_or("nothing stops it")?;
            let published = format!(
                "an auditor takes for whole an audit log with {:?} done to {:?} {}",
                one.how, one.list, one.at
            );
            return Ok(Evidence { published, refused_by, steps: tried });
        }
    }
    Err("every falsification is seen".to_owned())
}

/// C-18: a key that is wrapped without context opens wherever its wrap is put. A seal names what it is for.
pub(super) fn seals() -> Result<Evidence, String> {
    let (next, nonce) = (AeadKey::from_bytes([1; 32]), [0; 12]);
    let [of_block, of_valid] = [[2; 32], [3; 32]].map(|key| next.seal(&nonce, b"", &key));
    let opened = next.open(&nonce, b"", &of_block).ok_or("a wrap does not open")?;
    if next.open(&nonce, b"", &of_valid).is_none_or(|expected| expected == opened) {
        return Err("the two wraps are one".to_owned());
    }
    let mut both = honest(Rules::hardened())?;
    let seal = both.model().system().seals().next().ok_or("nothing was sealed")?;
    let mut refused_by = None;
    for fault in [SealFault::Tid, SealFault::Stage, SealFault::Peer, SealFault::Sequence] {
        let refused = step(&mut both, &Action::Unseal { seal, faults: vec![fault] })?;
        refused_by = Some(refused.ok_or_else(|| format!("a seal with another {fault:?} is opened"))?);
    }
    let published = "the wrapped key of one stage is taken for that of the next".to_owned();
    Ok(Evidence { published, refused_by: refused_by.ok_or("nothing was tried")?, steps: 1 })
}
