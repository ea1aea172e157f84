//! A BSD that dies at an instant of a transaction and starts again (chapter 13, STA-02), on model and implementation.

use bemr_lab::lockstep::Lockstep;
use bemr_model::{
    Action, Actor, Command, Datagram, Happened, LedgerKind, Lifetimes, Members, Message, Output, Packet,
    Setup,
};
use bemr_spec::Rules;
use std::collections::VecDeque;

/// Longer than every time-out of a submission together, in milliseconds.
const REST: u64 = 3_600_000;

struct Run {
    lockstep: Lockstep,
    flying: VecDeque<u32>,
    envelopes: u32,
    /// Every message that was sent in a session, in order.
    sent: Vec<Message>,
}

impl Run {
    fn begin() -> Run {
        let (ledger, lifetimes) = (LedgerKind::Quorum, Lifetimes::default());
        let setup = Setup { users: 1, validators: 4, ledger, seed: 1, established: true, lifetimes };
        let lockstep = Lockstep::new(Rules::hardened(), &setup).expect("a network");
        let mut run = Run { lockstep, flying: VecDeque::new(), envelopes: 0, sent: Vec::new() };
        run.submit();
        run
    }

    fn submit(&mut self) {
        let command = Command::Submit { record: 0, breaks: None, readers: Members::default() };
        self.act(&Action::Command { actor: Actor::User(0), command });
    }

    fn act(&mut self, action: &Action) -> Happened {
        let (_, happened) =
            self.lockstep.step(action).expect("model and implementation agree").expect("it can happen");
        let sent = self.lockstep.model().envelopes().len() as u32;
        self.flying.extend(self.envelopes..sent);
        self.envelopes = sent;
        for output in &happened.sends {
            if let Output::Send(_, Packet::Record(record)) = output {
                self.sent.push(record.message);
            }
        }
        happened
    }

    /// Delivers everything in the order in which it was sent and lets time pass, until `is` says yes to what is about to be
    /// delivered, or for an hour.
    fn until(&mut self, is: impl Fn(Actor, &Datagram) -> bool) -> bool {
        let end = self.lockstep.model().now() + REST;
        loop {
            while let Some(envelope) = self.flying.pop_front() {
                let arriving = &self.lockstep.model().envelopes()[envelope as usize];
                if is(arriving.to, &arriving.datagram) {
                    self.flying.push_front(envelope);
                    return true;
                }
                self.act(&Action::Deliver { envelope });
            }
            let system = self.lockstep.model().system();
            let wakes = system.actors().filter_map(|actor| Some((system.wakes(actor)?, actor)));
            match wakes.min() {
                Some((time, actor)) if time <= end => {
                    self.act(&Action::Wake { actor, found: None });
                }
                _ => return false,
            }
        }
    }

    fn decisions(&self) -> Vec<bemr_model::Decision> {
        let outcome = |message: &Message| match message {
            Message::Outcome { decision, .. } => Some(*decision),
            _ => None,
        };
        self.sent.iter().filter_map(outcome).collect()
    }

    fn sent(&self, kind: &str) -> usize {
        self.sent.iter().filter(|message| message.name() == kind).count()
    }
}

/// The block in which the decision becomes final is about to arrive at the BSD.
fn deciding(to: Actor, datagram: &Datagram) -> bool {
    to == Actor::Bsd && datagram.name() == "Block"
}

#[test]
fn a_bsd_that_dies_between_the_decision_and_t_valid_promotes_nothing_and_the_user_learns_of_it() {
    let mut run = Run::begin();
    assert!(run.until(deciding));
    assert_eq!(run.sent("T_valid"), 0);
    run.act(&Action::Crash { actor: Actor::Bsd, damage: None });
    assert!(!run.until(|_, _| false));
    // The decision is final, and nobody has the record.
    assert_eq!((run.sent("T_valid"), run.sent("Receipt")), (0, 0));
    assert_eq!(run.decisions(), [bemr_model::Decision::Deferred]);
    // The record itself is free to be submitted again.
    run.submit();
    assert!(!run.until(|_, _| false));
    assert_eq!(run.decisions().last(), Some(&bemr_model::Decision::Committed));
    assert_eq!(run.sent("Receipt"), 1);
}

#[test]
fn a_bsd_that_dies_after_t_valid_was_sent_sends_no_second_one_and_ends_it_deferred() {
    let mut run = Run::begin();
    assert!(run.until(|to, datagram| to == Actor::Cloud && datagram.name() == "T_valid"));
    run.act(&Action::Crash { actor: Actor::Bsd, damage: None });
    assert!(!run.until(|_, _| false));
    // The receipt finds nobody who awaits it: deferred means manual adjudication (chapter 14), which finds the record.
    assert_eq!((run.sent("T_valid"), run.sent("Receipt")), (1, 1));
    assert_eq!(run.decisions(), [bemr_model::Decision::Deferred]);
}

#[test]
fn a_bsd_that_dies_after_the_end_repeats_the_outcome_that_it_stored() {
    let mut run = Run::begin();
    assert!(run.until(|to, datagram| to == Actor::User(0) && datagram.name() == "Outcome"));
    run.flying.clear();
    run.act(&Action::Crash { actor: Actor::Bsd, damage: None });
    assert!(!run.until(|_, _| false));
    assert_eq!(run.decisions(), [bemr_model::Decision::Committed; 2]);
    assert_eq!(run.sent("T_valid"), 1);
}
