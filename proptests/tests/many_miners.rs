//! Many honest miners commit, and a certificate of as many validators as a network has can be encoded.
#![allow(clippy::unwrap_used, reason = "helpers of tests stop at what is not as expected")]

use bemr::crypto::{Digest, Signature, Suite};
use bemr::records::Record;
use bemr::wire::{
    Ballot, Decision, Height, Name, PROTOCOL_VERSION, QuorumCertificate, Signatory, VoteBody, decode, encode,
};
use bemr_lab::simulator::{LedgerKind, MAX_VALIDATORS, NetworkConfig};
use bemr_spec::Rules;

const RULES: Rules = Rules::hardened();

#[test]
fn sixty_four_miners_commit_a_record_and_few_blocks_compete() {
    let config = NetworkConfig { ledger: LedgerKind::Work, ..NetworkConfig::new(Suite::Tiny, 64) };
    let mut network = config.build().unwrap();
    let doctor = network.keys.roster.doctor.clone();
    let record =
        Record::read(&RULES, br#"{"resourceType":"Patient","id":"p","birthDate":"1970-01-01"}"#).unwrap();
    let tid = network.as_user(&doctor, |user, now| user.submit(now, &record, &[])).unwrap();
    let mut mined = 0_u64;
    let done = |network: &mut bemr_lab::simulator::Network| !network.user(&doctor).unwrap().awaits(&tid);
    let observe = |event: &bemr_lab::simulator::Event| {
        mined +=
            event.sends.iter().filter(|(to, message, _)| to.is_none() && *message == "Block").count() as u64;
    };
    network.run_observed(600_000, observe, done);
    assert_eq!(network.user(&doctor).unwrap().outcome(&tid).unwrap().decision, Decision::Committed);
    let height = network.bsd().unwrap().ledger_view().ledger.height();
    assert!(height > Height(6) && mined <= 4 * height.0, "{mined} blocks for {} heights", height.0);
}

#[test]
fn a_certificate_of_every_validator_of_the_largest_network_has_an_encoding_in_every_suite() {
    for suite in [Suite::Ffdhe2048, Suite::Ffdhe3072, Suite::Ristretto255] {
        let signature = vec![7; suite.element_len() + suite.scalar_len()];
        let signatory = |number: usize| Signatory {
            validator: Name::new(&format!("validator-{number:03}")).unwrap(),
            signature: Signature::from_bytes(&signature),
        };
        let body = VoteBody {
            version: PROTOCOL_VERSION,
            suite,
            network: Name::new("network").unwrap(),
            validators: Digest::default(),
            tid: Digest::default(),
            block: Digest::default(),
            policy: Digest::default(),
            height: Height(1),
            ballot: Ballot::True,
            reason: 0,
        };
        let signatories = (0..MAX_VALIDATORS).map(signatory).collect::<Vec<_>>().into();
        let certificate = QuorumCertificate { body, signatories };
        assert_eq!(decode::<QuorumCertificate>(&RULES, &encode(&certificate)).unwrap(), certificate);
    }
}
