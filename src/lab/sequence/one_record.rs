//! The sequence diagram of one record, from a run.

use crate::sequence::of_transactions;
use crate::simulator::{Event, NetworkConfig};
use crate::trace::{Recorder, Step, Trace};
use bemr::crypto::Suite;
use bemr::records::{Record, SAMPLES};
use bemr_spec::Refusal;

/// The timeout of submission and of reading, in virtual milliseconds.
const LIMIT: u64 = 60_000;

/// The sequence diagram of a run in which a doctor submits a sample record to four validators and reads it back.
///
/// # Errors
/// The refusal of the network, the record or a request.
pub fn one_record() -> Result<String, Refusal> {
    let config = NetworkConfig::new(Suite::Ristretto255, 4);
    let (rules, seed, start) = (config.rules, config.seed, config.start);
    let mut network = config.build()?;
    let (mut recorder, header) = Recorder::begin(rules, seed, start, &mut network)?;
    let (_, sample) = SAMPLES.iter().find(|(name, _)| name.starts_with("Patient")).unwrap_or(&SAMPLES[0]);
    let record = Record::read(&rules, sample)?;
    let doctor = network.keys.roster.doctor.clone();
    let mut steps: Vec<Step> = Vec::new();
    let mut observe = |event: &Event| steps.extend(recorder.event(event));
    let tid = network.as_user(&doctor, |user, now| user.submit(now, &record, &[]))?;
    network.outcomes(&doctor, &[tid], LIMIT, &mut observe);
    let request = network.as_user(&doctor, |user, now| user.read(now, tid))?;
    network.answer(&doctor, request, LIMIT, &mut observe);
    Ok(of_transactions(&Trace { header, steps }))
}
