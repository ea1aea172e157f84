//! The life of one actor, byte by byte: an honest one, and between its steps what has to be refused.

use super::{Kind, Made, SUITES, Stop};
use crate::crypto::Suite;
use crate::network::LedgerKind;
use crate::vectors::player::{Begin, Did, Event, Step};
use crate::vectors::town::{Pairs, Parcel, Town};
use bemr_spec::Refusal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An actor's life.
pub(in crate::vectors) enum Run {}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct RunInput {
    begin: Begin,
    steps: Vec<Step>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct RunOutput {
    steps: Vec<Did>,
}

/// A short record.
pub(super) const PATIENT: &[u8] =
    br#"{"resourceType":"Patient","id":"p1","gender":"other","birthDate":"1970-01"}"#;

impl Kind for Run {
    const NAME: &'static str = "run";
    const SUITES: &'static [&'static str] = SUITES;
    type Input = RunInput;
    type Output = RunOutput;

    fn judge(suite: Suite, input: &RunInput) -> Result<RunOutput, Stop> {
        let mut player = input.begin.start(suite, None)?;
        let steps = input.steps.iter().map(|step| player.take(step)).collect::<Result<_, Stop>>()?;
        Ok(RunOutput { steps })
    }

    fn make(suite: Suite) -> Result<Vec<Made<RunInput>>, Refusal> {
        let mut town = Town::new(suite, 1, LedgerKind::Quorum)?;
        let doctor = town.foundation.cast.doctor.as_str().to_owned();
        town.happen(&doctor, Event::Submit { record: PATIENT.into(), readers: Vec::new() }, "", &[])?;
        town.until(20_000, |_| false)?;
        let mut made = honest(&mut town, &doctor);
        if suite == Suite::Ristretto255 {
            made.extend(beset(suite)?);
        }
        Ok(made)
    }
}

fn honest(town: &mut Town, doctor: &str) -> Vec<Made<RunInput>> {
    let actors = [doctor, "bsd", "validator-001", "cloud"];
    let made = actors.into_iter().filter_map(|who| {
        let tape = town.tapes.remove(who)?;
        let comment = format!("{who}, from a submission to its receipt");
        Some(Made::valid(comment, RunInput { begin: tape.begin, steps: tape.steps }))
    });
    made.collect()
}

/// Lives in which one actor hears, before each message, what is wrong with it.
fn beset(suite: Suite) -> Result<Vec<Made<RunInput>>, Refusal> {
    let mut made = Vec::new();
    let mut done = Pairs::new();
    for (who, kinds) in [("bsd", &[1, 4, 6][..]), ("validator-002", &[3]), ("cloud", &[5]), ("dr-ada", &[2])]
    {
        let mut town = Town::new(suite, 4, LedgerKind::Quorum)?;
        let readers = vec!["dr-ben".to_owned()];
        town.happen("dr-ada", Event::Submit { record: PATIENT.into(), readers }, "", &[])?;
        let mut left: Vec<u8> = kinds.to_vec();
        while !left.is_empty() {
            let wanted = |parcel: &Parcel| {
                parcel.to == who && kind_of(parcel).is_some_and(|kind| left.contains(&kind))
            };
            let Some(parcel) = town.until(60_000, wanted)? else { break };
            let kind = kind_of(&parcel);
            left.retain(|one| Some(*one) != kind);
            town.beset(parcel, &mut done)?;
        }
        town.until(20_000, |_| false)?;
        if let Some(tape) = town.tapes.remove(who) {
            let comment = format!("{who}, with what is wrong before each message");
            made.push(Made::valid(comment, RunInput { begin: tape.begin, steps: tape.steps }));
        }
    }
    Ok(made)
}

/// The kind of the message in a parcel's record.
fn kind_of(parcel: &Parcel) -> Option<u8> {
    match &parcel.event {
        Event::Packet { message: Some(message), .. } => message.0.first().copied(),
        _ => None,
    }
}
