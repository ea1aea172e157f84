//! Honest runs of the model, as whoever hears what is said sees them.
#![allow(clippy::unwrap_used, reason = "helpers of tests stop at what is not as expected")]

use bemr_model::{
    Action, Actor, Command, Datagram, Decision, Envelope, Execution, LedgerKind, Lifetimes, Message, Order,
    Packet, SealFault, Setup, Tid, View,
};
use bemr_spec::{Clause, Rules};

fn setup(validators: u8, ledger: LedgerKind) -> Setup {
    Setup { users: 2, validators, ledger, seed: 0, established: false, lifetimes: Lifetimes::LONG }
}

/// What an envelope carries, once it is opened.
fn message(envelope: &Envelope) -> Option<&Message> {
    match &envelope.datagram {
        Datagram::Packet(Packet::Record(record)) => Some(&record.message),
        _ => None,
    }
}

/// Delivers everything in order, then wakes who waits for the earliest instant, until `limit`. A record that is read is taken.
fn run(model: &mut Execution, next: &mut u32, limit: u64) {
    let mut nonce = 0;
    loop {
        while (*next as usize) < model.envelopes().len() {
            let happened = model.step(&Action::Deliver { envelope: *next }).unwrap();
            let carried = message(&model.envelopes()[*next as usize]);
            assert!(
                happened.clause.is_none() || !matches!(carried, Some(Message::Record { .. })),
                "{happened:?}"
            );
            *next += 1;
        }
        let waits = |actor| Some((model.system().wakes(actor)?, actor));
        let Some((time, actor)) = model.system().actors().filter_map(waits).min() else { return };
        if time > limit {
            return;
        }
        nonce += 1;
        let found = (model.system().ledger_kind() == LedgerKind::Work && nonce % 5 == 0).then_some(nonce);
        assert!(model.step(&Action::Wake { actor, found }).is_some());
    }
}

fn submit(model: &mut Execution, record: u16, breaks: Option<Clause>) {
    let command = Command::Submit { record, breaks, readers: [1].into_iter().collect() };
    let happened = model.step(&Action::Command { actor: Actor::User(0), command });
    assert_eq!(happened.map(|happened| happened.clause), Some(None));
}

/// What was said that `which` looks for, in the order in which it was said.
fn said<T>(model: &Execution, which: impl Fn(&Message) -> Option<T>) -> Vec<T> {
    model.envelopes().iter().filter_map(message).filter_map(which).collect()
}

#[test]
fn an_honest_network_commits_rejects_reads_and_erases() {
    for (validators, ledger) in [
        (1, LedgerKind::Quorum),
        (4, LedgerKind::Quorum),
        (7, LedgerKind::Quorum),
        (1, LedgerKind::Work),
        (2, LedgerKind::Work),
    ] {
        let mut model = Execution::new(Rules::hardened(), &Setup { users: 5, ..setup(validators, ledger) });
        let mut next = 0;
        submit(&mut model, 1, None);
        submit(&mut model, 2, Some(Clause::RangeRule));
        run(&mut model, &mut next, 100_000);
        let mut ends = said(&model, |message| match *message {
            Message::Outcome { tid, decision, reason, .. } => Some((tid, decision, reason)),
            _ => None,
        });
        // A rejection needs no block.
        ends.sort_unstable();
        let rejected = (Tid::nth(1), Decision::Rejected, Some(Clause::RangeRule));
        assert_eq!(ends, [(Tid::FIRST, Decision::Committed, None), rejected], "{validators} {ledger:?}");
        for user in [0, 1] {
            let command = Command::Read { tid: Tid::FIRST };
            model.step(&Action::Command { actor: Actor::User(user), command }).unwrap();
        }
        run(&mut model, &mut next, 200_000);
        let read = said(&model, |message| matches!(message, Message::Record { .. }).then_some(()));
        assert_eq!(read.len(), 2);
        for user in [0, 1] {
            let view = model.view(Actor::User(user));
            assert!(matches!(&view, Some(View::User { requests, .. }) if requests.is_empty()), "{view:?}");
        }
        let order = Command::Order { tid: Tid::FIRST, order: Order::Erase([0, 3].into_iter().collect()) };
        model.step(&Action::Command { actor: Actor::User(0), command: order }).unwrap();
        run(&mut model, &mut next, 300_000);
        match model.view(Actor::Cloud) {
            Some(View::Cloud { records, leaves, .. }) => {
                assert_eq!((records, leaves), (vec![(Tid::FIRST, "Erased")], 2));
            }
            view => panic!("{view:?}"),
        }
    }
}

/// Model and implementation parted over this once: the implementation is given the second of the two.
#[test]
fn an_element_is_wrong_in_one_way_at_a_time() {
    let mut model = Execution::new(Rules::hardened(), &setup(1, LedgerKind::Quorum));
    submit(&mut model, 1, None);
    run(&mut model, &mut 0, 100_000);
    let seal = model.system().seals().next().unwrap();
    for (faults, refused_by) in [
        (vec![SealFault::StartElement], Some(Some(Clause::ElementInRange))),
        (vec![SealFault::StartSubgroup], Some(Some(Clause::ElementInSubgroup))),
        (vec![SealFault::StartElement, SealFault::StartSubgroup], None),
        (vec![SealFault::StartSubgroup, SealFault::StartElement], None),
    ] {
        let happened = model.step(&Action::Unseal { seal, faults: faults.clone() });
        assert_eq!(happened.map(|happened| happened.clause), refused_by, "{faults:?}");
    }
}
