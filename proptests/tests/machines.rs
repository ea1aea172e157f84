//! BSD and cloud do what their tables say: every event of some runs is held against the rows, and against what the matrix
//! says where there is no row.

use bemr::actors::bsd::submission_machine;
use bemr::actors::cloud::record_machine;
use bemr::actors::initial_builder::{Destination, build_initial};
use bemr::crypto::{Digest, Suite};
use bemr::records::{PolicyRegistry, Record, SAMPLES};
use bemr::wire::{Height, TInitial, Time};
use bemr_lab::simulator::{Envelope, Event, FaultInjector, Network, NetworkConfig, Reliable};
use bemr_spec::machine::Machine;
use bemr_spec::{Rules, Verdict};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use std::collections::BTreeSet;

const RULES: Rules = Rules::hardened();

/// The cells of a matrix that runs went through: state before, event, state after.
type Seen = BTreeSet<(String, String, String)>;

/// What becomes of one record, event by event.
struct Watch {
    network: Network,
    initial: TInitial,
    seen: [Seen; 2],
}

impl Watch {
    fn new(injector: Box<dyn FaultInjector>, record: &[u8]) -> Watch {
        let network =
            NetworkConfig { injector, ..NetworkConfig::new(Suite::Tiny, 4) }.build().expect("a network");
        let keys = &network.keys;
        let (own, name) = (&keys.credentials[&keys.roster.doctor], keys.validators.network().clone());
        let policy = PolicyRegistry::shipped(name.clone());
        let destination = Destination { bsd: keys.roster.bsd.clone(), network: name, height: Height(1) };
        let record = Record::read(&RULES, record).expect("a record");
        let (mut rng, now) = (ChaCha20Rng::seed_from_u64(1), network.now());
        let initial =
            build_initial(&RULES, &mut rng, now, own, &keys.directory, &policy, &destination, &record, &[])
                .expect("it maps");
        let mut watch = Watch { network, initial, seen: Default::default() };
        watch.submit();
        watch
    }

    fn tid(&self) -> Digest {
        self.initial.header.tid
    }

    /// The doctor sends T_initial, the same each time.
    fn submit(&mut self) {
        let (doctor, initial) = (self.network.keys.roster.doctor.clone(), self.initial.clone());
        let sent = self.network.as_user(&doctor, |user, now| Ok(((), user.submit_as_is(now, initial)?)));
        sent.expect("it is sent");
    }

    fn states(&mut self) -> [&'static str; 2] {
        let tid = self.tid();
        let bsd = self.network.bsd().expect("there is one").state_of(&tid).name();
        [bsd, self.network.cloud().expect("there is one").state_of(&tid).name()]
    }

    /// Lets time pass, or goes on until the BSD reaches a state, and holds every event against the tables.
    fn run(&mut self, milliseconds: u64, until: Option<submission_machine::State>) {
        let end = self.network.now().after(milliseconds);
        while self.network.now() < end && until.is_none_or(|state| self.states()[0] != state.name()) {
            let before = self.states();
            let Some(event) = self.network.step() else { return };
            let after = self.states();
            let who = [self.network.keys.roster.bsd.clone(), self.network.keys.roster.cloud.clone()];
            let machines = [&submission_machine::MACHINE, &record_machine::MACHINE];
            for index in 0..2 {
                if event.actor == who[index]
                    && machines[index].events.iter().any(|(name, _)| *name == event.event.name())
                {
                    check(machines[index], before[index], &event, after[index]);
                    let cell = [before[index], event.event.name(), after[index]].map(str::to_owned);
                    self.seen[index].insert(cell.into());
                } else {
                    assert_eq!(before[index], after[index], "{event:?}");
                }
            }
        }
    }
}

fn check(machine: &Machine, before: &str, event: &Event, after: &str) {
    let rows: Vec<_> = machine.rows_of(before, event.event.name()).collect();
    let said = machine.refusals_of(before, event.event.name());
    let place = format!("{}: {} in {before} leads to {after}: {:?}", machine.name, event.event, event.clause);
    match event.verdict {
        Verdict::Accept if rows.is_empty() => assert!(said.is_empty() && before == after, "{place}"),
        Verdict::Accept => assert!(rows.iter().any(|row| row.to == after), "{place}"),
        Verdict::Ignore | Verdict::Reject => {
            assert_eq!(before, after, "{place}");
            let named = event.clause.is_some_and(|clause| said.contains(&clause));
            assert!(!rows.is_empty() || named, "{place}: it says {said:?}");
        }
    }
}

fn sample(name: &str) -> &'static [u8] {
    SAMPLES.iter().find(|(file, _)| *file == name).expect("a sample").1
}

const VALID: &str = "Patient-infant-mom.json";

/// Loses what has this label.
fn without(label: &'static str) -> Box<dyn FaultInjector> {
    Box::new(
        move |_: Time, envelope: Envelope| {
            if envelope.label == label { Vec::new() } else { vec![(0, envelope)] }
        },
    )
}

fn went(watch: &Watch, machine: usize, steps: &[(&str, &str, &str)]) {
    for (from, event, to) in steps {
        let cell = [from, event, to].map(|text| (*text).to_owned());
        assert!(
            watch.seen[machine].contains(&cell.into()),
            "{from}, {event}, {to} not in {:?}",
            watch.seen[machine]
        );
    }
}

#[test]
fn a_record_goes_from_submission_to_erasure_by_the_tables() {
    let mut watch = Watch::new(Box::new(Reliable), sample(VALID));
    watch.run(60_000, Some(submission_machine::State::AwaitingVotes));
    watch.submit();
    watch.run(60_000, Some(submission_machine::State::Committed));
    watch.submit();
    let (tid, cast) = (watch.tid(), watch.network.keys.roster.clone());
    watch.run(10_000, None);
    let unknown = Digest::from_bytes([9; 32]);
    watch.network.as_user(&cast.doctor, |user, now| user.read(now, unknown)).expect("it is sent");
    let erasure = watch.network.user(&cast.doctor).expect("there is one").erasure(Time(1), tid);
    for _ in 0..2 {
        watch.network.as_user(&cast.doctor, |user, now| user.read(now, tid)).expect("it is sent");
        watch
            .network
            .as_user(&cast.doctor, |user, now| user.revoke(now, tid, &cast.colleague))
            .expect("it is sent");
        watch.run(5_000, None);
        let approvals = [&cast.doctor, &cast.administrators[0]]
            .map(|who| watch.network.user(who).expect("there is one").approve(&erasure));
        let erasure = erasure.clone();
        watch
            .network
            .as_user(&cast.doctor, |user, now| user.erase(now, erasure, approvals.into()))
            .expect("it is sent");
        watch.run(5_000, None);
    }
    went(
        &watch,
        0,
        &[
            ("AwaitingInitial", "InitialArrived", "AwaitingVotes"),
            ("AwaitingVotes", "VoteArrived", "AwaitingVotes"),
            ("AwaitingVotes", "VoteArrived", "AwaitingFinality"),
            ("AwaitingFinality", "VoteArrived", "AwaitingFinality"),
            ("AwaitingFinality", "BlockArrived", "AwaitingReceipt"),
            ("AwaitingReceipt", "ReceiptArrived", "Committed"),
            ("Committed", "InitialArrived", "Committed"),
            ("Committed", "BlockArrived", "Committed"),
        ],
    );
    went(
        &watch,
        1,
        &[
            ("AwaitingValid", "ValidArrived", "Stored"),
            ("Stored", "ReadArrived", "Stored"),
            ("Stored", "RevokeArrived", "Stored"),
            ("Stored", "EraseArrived", "Erased"),
            ("Erased", "ReadArrived", "Erased"),
            ("Erased", "RevokeArrived", "Erased"),
            ("Erased", "EraseArrived", "Erased"),
        ],
    );
}

#[test]
fn a_record_that_breaks_a_contract_is_rejected_by_the_tables() {
    let mut watch = Watch::new(Box::new(Reliable), sample("broken-impossible-heart-rate.json"));
    watch.run(60_000, Some(submission_machine::State::Rejected));
    watch.submit();
    watch.run(1_000, None);
    went(
        &watch,
        0,
        &[
            ("AwaitingVotes", "VoteArrived", "AwaitingRejection"),
            ("AwaitingRejection", "BlockArrived", "Rejected"),
            ("Rejected", "InitialArrived", "Rejected"),
        ],
    );
    assert!(watch.seen[1].is_empty(), "{:?}", watch.seen[1]);
}

#[test]
fn silence_of_validators_ends_deferred_by_the_tables() {
    let mut watch = Watch::new(without("Vote"), sample(VALID));
    watch.run(60_000, None);
    went(
        &watch,
        0,
        &[
            ("AwaitingVotes", "AttemptExpired", "AwaitingVotes"),
            ("AwaitingVotes", "AttemptExpired", "Deferred"),
        ],
    );
}

#[test]
fn a_decision_that_never_becomes_final_ends_deferred_by_the_tables() {
    let mut watch = Watch::new(without("Decision"), sample(VALID));
    watch.run(120_000, None);
    went(&watch, 0, &[("AwaitingFinality", "FinalityExpired", "Deferred")]);
}

#[test]
fn receipts_that_are_lost_are_given_again_and_end_deferred_by_the_tables() {
    let mut watch = Watch::new(without("Receipt"), sample(VALID));
    watch.run(120_000, None);
    went(
        &watch,
        0,
        &[
            ("AwaitingReceipt", "ReceiptExpired", "AwaitingReceipt"),
            ("AwaitingReceipt", "ReceiptExpired", "Deferred"),
        ],
    );
    went(&watch, 1, &[("Stored", "ValidArrived", "Stored")]);
}
