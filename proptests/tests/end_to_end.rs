//! Records travel from a user to the cloud and back.

use bemr::actors::user::Answer;
use bemr::crypto::Suite;
use bemr::records::{Record, SAMPLES};
use bemr::wire::Decision;
use bemr_lab::simulator::{LedgerKind, NetworkConfig};
use bemr_spec::Rules;

#[test]
fn a_record_travels_to_the_cloud_and_back() {
    let rules = Rules::hardened();
    for ledger in [LedgerKind::Quorum, LedgerKind::Work] {
        let mut town = NetworkConfig { ledger, ..NetworkConfig::new(Suite::Tiny, 4) }.build().unwrap();
        let doctor = town.cast.doctor.clone();
        let (_, bytes) = SAMPLES[0];
        let record = Record::read(&rules, bytes).unwrap();
        let tid = town.by(&doctor, |user, now| user.submit(now, &record, &[])).unwrap();
        town.run_until(
            600_000,
            |event| {
                println!(
                    "{} {} <- {:?} {} {:?} {:?} {:?}",
                    event.time.0 - 1_798_761_600_000,
                    event.actor,
                    event.from,
                    event.event,
                    event.verdict,
                    event.clause,
                    event.sends.len()
                )
            },
            |town| town.user(&town.cast.doctor.clone()).is_some_and(|user| !user.awaits(&tid)),
        );
        let outcome = town.user(&doctor).unwrap().outcome(&tid).unwrap().clone();
        assert_eq!(outcome.decision, Decision::Committed);
        town.run_until(10_000, |_| (), |_| false);
        let request = town.by(&doctor, |user, now| user.read(now, tid)).unwrap();
        town.run_until(
            60_000,
            |event| {
                println!(
                    "{} <- {:?} {} {:?} {:?}",
                    event.actor, event.from, event.event, event.verdict, event.clause
                )
            },
            |town| town.user(&town.cast.doctor.clone()).is_some_and(|user| !user.awaits_answer(request)),
        );
        let answer = town.user(&doctor).unwrap().answer(request).unwrap().clone();
        assert!(matches!(answer, Answer::Record(read) if read.as_slice() == bytes));
    }
}
