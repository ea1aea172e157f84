//! The sequence diagram of one record, from a run.

use crate::sequence::{mermaid, of_transactions};
use crate::simulator::{Event, Network, NetworkConfig};
use crate::trace::{Recorder, Step};
use bemr::actors::User;
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
    let mut town = config.build()?;
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
    Ok(mermaid(&header, of_transactions(&steps)))
}
