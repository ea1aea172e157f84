//! Every row of every machine is driven by some run of a network: none stands in the tables for nothing.
//!
//! What each step has to look like is asserted in the files of its subject.
#![allow(clippy::unwrap_used, reason = "in a test what fails to unwrap fails the test")]

use crate::testbed::{RULES, Script, Testbed, always, broken, certify, reason, sound, vote};
use bemr::actors::Input;
use bemr::actors::bsd::State;
use bemr::crypto::Suite;
use bemr::records::Record;
use bemr::wire::{Ballot, Gossip};
use bemr_lab::simulator::{LedgerKind, NetworkConfig};
use bemr_spec::constants;
use bemr_spec::machine::driven;
use bemr_spec::machines::MACHINES;
use std::collections::BTreeSet;

/// Lets time pass.
fn wait(bed: &mut Testbed, milliseconds: u64) {
    bed.run(milliseconds, |_| false);
}

fn network(validators: usize) -> Testbed {
    Testbed::new(RULES, validators)
}

/// Submits a record to its end.
fn end(bed: &mut Testbed, record: &Record) -> State {
    let tid = bed.submit(record);
    let state = bed.finish(&tid);
    wait(bed, 20_000);
    state
}

/// A record is stored, read, granted, revoked and erased; the network rejects another.
fn everything_goes_well() {
    let mut bed = network(4);
    let cast = bed.network.keys.roster.clone();
    let tid = bed.submit(&sound());
    assert_eq!(bed.finish(&tid), State::Committed);
    wait(&mut bed, 20_000);
    let mut asked = Vec::new();
    asked.push(bed.network.as_user(&cast.doctor, |user, now| user.grant(now, tid, &cast.colleague)).unwrap());
    wait(&mut bed, 1_000);
    asked.push(bed.network.as_user(&cast.colleague, |user, now| user.read(now, tid)).unwrap());
    wait(&mut bed, 1_000);
    asked
        .push(bed.network.as_user(&cast.doctor, |user, now| user.revoke(now, tid, &cast.colleague)).unwrap());
    wait(&mut bed, 1_000);
    let now = bed.network.now();
    let order = bed.network.user(&cast.doctor).unwrap().erasure(now, tid);
    let approvals =
        [&cast.doctor, &cast.administrators[0]].map(|who| bed.network.user(who).unwrap().approve(&order));
    asked.push(
        bed.network.as_user(&cast.doctor, |user, now| user.erase(now, order, approvals.into())).unwrap(),
    );
    wait(&mut bed, 20_000);
    assert!(asked.iter().all(|id| !bed.network.user(&cast.doctor).unwrap().awaits_answer(*id)));
    assert_eq!(end(&mut bed, &broken()), State::Rejected);
}

/// What each validator always, by its number.
type Play = dyn Fn(usize) -> Script;

/// The validators say no to what holds, and yes to what does not; half of them this, half of them that.
fn votes_contradict() {
    let split = |number: usize| match number {
        0 | 1 => always(Ballot::True, 0),
        _ => always(Ballot::False, reason()),
    };
    let all = |ballot, reason| move |_: usize| always(ballot, reason);
    let plays: [(&Play, bool, State); 4] = [
        (&all(Ballot::False, reason()), true, State::Deferred),
        (&all(Ballot::True, 0), false, State::Deferred),
        (&split, true, State::Deferred),
        (&split, false, State::Rejected),
    ];
    for (play, holds, state) in plays {
        let mut bed = network(4);
        bed.script_all(play);
        assert_eq!(end(&mut bed, &if holds { sound() } else { broken() }), state);
    }
}

/// What has this label never arrives.
fn nothing_of(label: &'static str, record: &Record) -> State {
    let mut bed = network(4);
    bed.lose(move |envelope| envelope.label == label);
    end(&mut bed, record)
}

fn messages_get_lost() {
    for (record, state) in [(sound(), State::Deferred), (broken(), State::Rejected)] {
        assert_eq!(nothing_of("Vote", &record), state);
        assert_eq!(nothing_of("Decision", &record), state);
    }
    assert_eq!(nothing_of("Receipt", &sound()), State::Deferred);
    // Proposals carry signatures too: those of the next proposers close the block.
    assert_eq!(nothing_of("Closing", &sound()), State::Committed);
    // The user hears nothing of it.
    let mut bed = network(4);
    let doctor = bed.network.keys.roster.doctor.clone();
    bed.lose(|envelope| matches!(envelope.label, "Outcome" | "ReadResponse" | "Answer"));
    let tid = bed.submit(&sound());
    let id = bed.network.as_user(&doctor, |user, now| user.read(now, tid)).unwrap();
    wait(&mut bed, 5 * constants::USER_OUTCOME_MS);
    let user = bed.network.user(&doctor).unwrap();
    assert!(!user.awaits(&tid) && !user.awaits_answer(id) && user.outcome(&tid).is_none());
}

/// The validators tell the ledger the opposite of what they told the BSD.
fn the_ledger_contradicts() {
    for (record, told, (ballot, why)) in [
        (sound(), (Ballot::True, 0), (Ballot::False, reason())),
        (broken(), (Ballot::False, reason()), (Ballot::True, 0)),
    ] {
        let mut bed = network(4);
        bed.script_all(|_| always(told.0, told.1));
        bed.lose(|envelope| envelope.label == "Decision");
        let tid = bed.submit(&record);
        let waits = |state| matches!(state, State::AwaitingFinality | State::AwaitingRejection);
        assert!(bed.run(10_000, |bed| waits(bed.state_of(&tid))));
        let names = bed.validators();
        let block = bed.received(&names[0])[0].clone();
        let body = vote(&bed.network.keys.credentials[&names[0]], &block, ballot, why).body;
        let other = certify(&bed, &names[..3], &body);
        for validator in &names {
            let gossip = Gossip::Decision(other.clone());
            bed.deliver(validator, Input::Gossip { from: names[0].clone(), gossip }).outcome.unwrap();
        }
        assert_eq!(bed.finish(&tid), State::Deferred);
    }
}

/// One validator, two, and miners.
fn blocks_are_closed_otherwise() {
    for validators in [1, 2] {
        assert_eq!(end(&mut network(validators), &sound()), State::Committed);
    }
    for (record, state) in [(sound(), State::Committed), (broken(), State::Rejected)] {
        let work = NetworkConfig { ledger: LedgerKind::Work, ..NetworkConfig::new(Suite::Tiny, 4) };
        assert_eq!(end(&mut Testbed::of(work), &record), state);
    }
}

#[test]
fn every_row_of_every_machine_is_driven() {
    driven::take();
    everything_goes_well();
    votes_contradict();
    messages_get_lost();
    the_ledger_contradicts();
    blocks_are_closed_otherwise();
    let driven = driven::take();
    let rows: BTreeSet<_> = MACHINES
        .iter()
        .flat_map(|machine| machine.rows.iter().filter(|row| !row.refuses).map(|row| (machine.name, row)))
        .map(|(machine, row)| (machine, row.from, row.event, row.to))
        .collect();
    assert!(rows.len() > 30);
    let idle: Vec<_> = rows.difference(&driven).collect();
    assert!(idle.is_empty(), "{idle:#?}");
    assert_eq!(driven.len(), rows.len(), "a step is a row");
}
