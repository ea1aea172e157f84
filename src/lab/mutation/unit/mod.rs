//! Inputs that break one clause each, at the implementation's door: the mutant of the clause does not answer as it should.
//!
//! No model is asked. What has to be answered stands in the tables: of forged messages in those of the forge, of everything else
//! here. What is missing is looked for by the inputs of its own clause alone.

mod actions;
mod cases;
mod durability;
mod envelopes;
mod fixture;
mod sessions;
mod values;
mod violations;

use crate::mutation::unit::fixture::{Answer, Fixture, Perturbation};
use crate::mutation::{Corpus, Finding, Mutant, Notice};
use bemr_model::{Action, Setup};
use bemr_spec::{Clause, Rules};

/// An input, and what has to be answered.
pub struct Door {
    clause: Clause,
    name: String,
    input: Input,
}

/// What is tried.
enum Input {
    /// Something with the envelope of a kind and number in an honest life.
    Envelope {
        setup: Setup,
        script: &'static [Action],
        kind: &'static str,
        nth: usize,
        trick: Perturbation,
        answer: Answer,
    },
    /// Something after an honest life.
    Deed { setup: Setup, script: &'static [Action], deed: Action, answer: Answer },
    /// A value, given to a function.
    Value(fn(&Rules) -> Result<(), String>),
    /// A life that is about this clause.
    Story(fn(&Rules, Clause) -> Result<(), String>),
}

impl Door {
    /// The clause that the input breaks.
    pub const fn clause(&self) -> Clause {
        self.clause
    }

    /// What the input is.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tries the input under these rules; how many steps it took.
    ///
    /// # Errors
    /// What is answered, where it is not what has to be.
    pub fn knock(&self, rules: &Rules) -> Result<(), String> {
        let begin = |setup| Fixture::new(rules, setup).map_err(|refusal| format!("no network: {refusal}"));
        let (answered, expected) = match &self.input {
            Input::Value(look) => return look(rules),
            Input::Story(story) => return story(rules, self.clause),
            Input::Envelope { setup, script, kind, nth, trick, answer } => {
                let mut scene = begin(setup)?;
                let envelope = scene.awaits(script, kind, *nth).ok_or("there is no such envelope")?;
                (scene.attempt(envelope, *trick).ok_or("it cannot be made")?, answer)
            }
            Input::Deed { setup, script, deed, answer } => {
                let mut scene = begin(setup)?;
                scene.through(script).ok_or("the life before it cannot be lived")?;
                let happened = scene.act(deed).ok_or("it cannot be done")?;
                (Answer::of(&happened), answer)
            }
        };
        let id = |clause: Option<Clause>| clause.map_or("taken", Clause::id);
        if answered.clause != expected.clause {
            return Err(format!("{} instead of {}", id(answered.clause), id(expected.clause)));
        }
        if expected.cause.is_some() && answered.cause != expected.cause {
            return Err(format!("because of {} instead of {}", id(answered.cause), id(expected.cause)));
        }
        Ok(())
    }
}

/// Every input.
pub fn doors() -> Vec<Door> {
    violations::doors()
        .chain(envelopes::doors())
        .chain(actions::doors())
        .chain(values::doors())
        .chain(cases::doors())
        .collect()
}

pub(super) fn look(mutant: Mutant, _: &Corpus) -> Finding {
    let rules = mutant.rules();
    let mut cases = 0;
    for door in doors().iter().filter(|door| mutant.0.is_none_or(|clause| clause == door.clause)) {
        cases += 1;
        if let Err(answered) = door.knock(&rules) {
            let what = format!("{}: {answered}", door.name);
            return Finding::Noticed(Notice { cases, steps: 1, what, goal: None, trace: None });
        }
    }
    Finding::Missed { cases }
}
