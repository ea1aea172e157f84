//! Every row of every machine is driven by some run of a town: none stands in the tables for nothing.
//!
//! What each step has to look like is asserted in the files of its subject.
#![allow(clippy::unwrap_used, reason = "in a test what fails to unwrap fails the test")]

use crate::testbed::{RULES, Script, Testbed, broken, certify, reason, says, sound, vote};
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
fn wait(stage: &mut Testbed, milliseconds: u64) {
    stage.run(milliseconds, |_| false);
}

fn town(validators: usize) -> Testbed {
    Testbed::new(RULES, validators)
}

/// Submits a record to its end.
fn end(stage: &mut Testbed, record: &Record) -> State {
    let tid = stage.submit(record);
    let state = stage.finish(&tid);
    wait(stage, 20_000);
    state
}

/// A record is stored, read, granted, revoked and erased; the network rejects another.
fn everything_goes_well() {
    let mut stage = town(4);
    let cast = stage.town.cast.clone();
    let tid = stage.submit(&sound());
    assert_eq!(stage.finish(&tid), State::Committed);
    wait(&mut stage, 20_000);
    let mut asked = Vec::new();
    asked.push(stage.town.by(&cast.doctor, |user, now| user.grant(now, tid, &cast.colleague)).unwrap());
    wait(&mut stage, 1_000);
    asked.push(stage.town.by(&cast.colleague, |user, now| user.read(now, tid)).unwrap());
    wait(&mut stage, 1_000);
    asked.push(stage.town.by(&cast.doctor, |user, now| user.revoke(now, tid, &cast.colleague)).unwrap());
    wait(&mut stage, 1_000);
    let now = stage.town.world.now();
    let order = stage.town.user(&cast.doctor).unwrap().erasure(now, tid);
    let approvals =
        [&cast.doctor, &cast.administrators[0]].map(|who| stage.town.user(who).unwrap().approve(&order));
    asked.push(stage.town.by(&cast.doctor, |user, now| user.erase(now, order, approvals.into())).unwrap());
    wait(&mut stage, 20_000);
    assert!(asked.iter().all(|id| !stage.town.user(&cast.doctor).unwrap().awaits_answer(*id)));
    assert_eq!(end(&mut stage, &broken()), State::Rejected);
}

/// What each validator says, by its number.
type Play = dyn Fn(usize) -> Script;

/// The validators say no to what holds, and yes to what does not; half of them this, half of them that.
fn votes_contradict() {
    let split = |number: usize| match number {
        0 | 1 => says(Ballot::True, 0),
        _ => says(Ballot::False, reason()),
    };
    let all = |ballot, reason| move |_: usize| says(ballot, reason);
    let plays: [(&Play, bool, State); 4] = [
        (&all(Ballot::False, reason()), true, State::Deferred),
        (&all(Ballot::True, 0), false, State::Deferred),
        (&split, true, State::Deferred),
        (&split, false, State::Rejected),
    ];
    for (play, holds, state) in plays {
        let mut stage = town(4);
        stage.play_all(play);
        assert_eq!(end(&mut stage, &if holds { sound() } else { broken() }), state);
    }
}

/// What has this label never arrives.
fn nothing_of(label: &'static str, record: &Record) -> State {
    let mut stage = town(4);
    stage.lose(move |parcel| parcel.label == label);
    end(&mut stage, record)
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
    let mut stage = town(4);
    let doctor = stage.town.cast.doctor.clone();
    stage.lose(|parcel| matches!(parcel.label, "Outcome" | "ReadResponse" | "Answer"));
    let tid = stage.submit(&sound());
    let id = stage.town.by(&doctor, |user, now| user.read(now, tid)).unwrap();
    wait(&mut stage, 5 * constants::USER_OUTCOME_MS);
    let user = stage.town.user(&doctor).unwrap();
    assert!(!user.awaits(&tid) && !user.awaits_answer(id) && user.outcome(&tid).is_none());
}

/// The validators tell the ledger the opposite of what they told the BSD.
fn the_ledger_contradicts() {
    for (record, told, (ballot, why)) in [
        (sound(), (Ballot::True, 0), (Ballot::False, reason())),
        (broken(), (Ballot::False, reason()), (Ballot::True, 0)),
    ] {
        let mut stage = town(4);
        stage.play_all(|_| says(told.0, told.1));
        stage.lose(|parcel| parcel.label == "Decision");
        let tid = stage.submit(&record);
        let waits = |state| matches!(state, State::AwaitingFinality | State::AwaitingRejection);
        assert!(stage.run(10_000, |stage| waits(stage.state_of(&tid))));
        let names = stage.validators();
        let block = stage.heard(&names[0])[0].clone();
        let body = vote(&stage.town.credentials[&names[0]], &block, ballot, why).body;
        let other = certify(&stage, &names[..3], &body);
        for validator in &names {
            let gossip = Gossip::Decision(other.clone());
            stage.give(validator, Input::Gossip { from: names[0].clone(), gossip }).outcome.unwrap();
        }
        assert_eq!(stage.finish(&tid), State::Deferred);
    }
}

/// One validator, two, and miners.
fn blocks_are_closed_otherwise() {
    for validators in [1, 2] {
        assert_eq!(end(&mut town(validators), &sound()), State::Committed);
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
