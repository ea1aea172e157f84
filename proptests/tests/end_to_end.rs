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
        let mut network = NetworkConfig { ledger, ..NetworkConfig::new(Suite::Tiny, 4) }.build().unwrap();
        let doctor = network.keys.roster.doctor.clone();
        let (_, bytes) = SAMPLES[0];
        let record = Record::read(&rules, bytes).unwrap();
        let tid = network.as_user(&doctor, |user, now| user.submit(now, &record, &[])).unwrap();
        let outcome = network.outcome(&doctor, &tid, 600_000).unwrap();
        assert_eq!(outcome.decision, Decision::Committed);
        network.run_for(10_000);
        let request = network.as_user(&doctor, |user, now| user.read(now, tid)).unwrap();
        let answer = network.answer(&doctor, request, 60_000, |_| ()).unwrap();
        assert!(matches!(answer, Answer::Record(read) if read.as_slice() == bytes));
    }
}
