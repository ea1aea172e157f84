//! The flow of one record, drawn from a run.

use crate::sequence::{mermaid, story};
use crate::simulator::{Event, Network, NetworkConfig};
use crate::trace::{Recorder, Step};
use bemr::actors::User;
use bemr::crypto::Suite;
use bemr::records::{Record, SAMPLES};
use bemr_spec::Refusal;

/// How long each half of the way may take, in virtual milliseconds.
const LIMIT: u64 = 60_000;

/// A sample record from a doctor through four validators to the cloud, read back and anchored: the sequence diagram of
/// that run.
///
/// # Errors
/// What refused the network, the record or the requests.
pub fn one_record() -> Result<String, Refusal> {
    let scenario = NetworkConfig::new(Suite::Ristretto255, 4);
    let (rules, seed, start) = (scenario.rules, scenario.seed, scenario.start);
    let mut town = scenario.build()?;
    let (mut recorder, header) = Recorder::begin(rules, seed, start, &mut town)?;
    let (_, sample) = SAMPLES.iter().find(|(name, _)| name.starts_with("Patient")).unwrap_or(&SAMPLES[0]);
    let record = Record::read(&rules, sample)?;
    let doctor = town.cast.doctor.clone();
    let mut steps: Vec<Step> = Vec::new();
    let mut until = |town: &mut Network, done: &dyn Fn(&User) -> bool| {
        let doctor = town.cast.doctor.clone();
        let see = |event: &Event| steps.extend(recorder.event(event));
        town.run_until(LIMIT, see, |town| town.user(&doctor).is_none_or(|user| done(user)));
    };
    let tid = town.by(&doctor, |user, now| user.submit(now, &record, &[]))?;
    until(&mut town, &|user| !user.awaits(&tid));
    let request = town.by(&doctor, |user, now| user.read(now, tid))?;
    until(&mut town, &|user| !user.awaits_answer(request));
    Ok(mermaid(&header, story(&steps)))
}
