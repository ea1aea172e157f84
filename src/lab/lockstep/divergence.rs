//! Where model and implementation diverge, and what of a divergence stays the same when the run around it is shrunk.

use bemr_model::{Actor, Happened, Output, Place, View};
use bemr_spec::{Clause, Event};
use std::fmt;

/// Where model and implementation diverge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Divergence {
    /// The implementation cannot be set up: this clause rejects the configuration.
    Beginning(Clause),
    /// One of them cannot do it now.
    Possible {
        /// Whether the model can.
        model: bool,
    },
    /// They do it at different instants.
    Time {
        /// The model.
        model: u64,
        /// The implementation.
        implementation: u64,
    },
    /// They name different events.
    Event {
        /// The model's.
        model: Event,
        /// The implementation's.
        implementation: Event,
    },
    /// They reject it by different clauses, or one accepts it.
    Clause {
        /// The model's clause.
        model: Option<Clause>,
        /// The implementation's.
        implementation: Option<Clause>,
    },
    /// They reject it by one clause, because of different ones.
    Cause {
        /// The model's cause.
        model: Option<Clause>,
        /// The implementation's.
        implementation: Option<Clause>,
    },
    /// They name different places in what is public.
    Place {
        /// The model's.
        model: Option<Place>,
        /// The implementation's.
        implementation: Option<Place>,
    },
    /// The key-recovery agent decrypts different records.
    Opened {
        /// The model's.
        model: Vec<u32>,
        /// The implementation's.
        implementation: Vec<u32>,
    },
    /// They send different things.
    Sends {
        /// What the model alone sends.
        model: Vec<Output>,
        /// What the implementation alone sends.
        implementation: Vec<Output>,
    },
    /// The actor looks different afterwards.
    View {
        /// Which actor.
        actor: Actor,
        /// The model's.
        model: Box<View>,
        /// The implementation's.
        implementation: Box<View>,
    },
    /// A security property is violated.
    Goal(&'static str),
    /// A secret left an actor.
    Leak(String),
}

/// Compares what a step did on both sides.
pub(super) fn compare(model: Happened, implementation: &Happened) -> Result<(), Divergence> {
    let (m, i) = (model, implementation);
    same(m.time, &i.time, |model, implementation| Divergence::Time { model, implementation })?;
    same(m.clause, &i.clause, |model, implementation| Divergence::Clause { model, implementation })?;
    same(m.event, &i.event, |model, implementation| Divergence::Event { model, implementation })?;
    // A forgery that does not fit is rejected by the clause of an honest message, and the model does not say because of which one.
    if m.cause.is_some() {
        same(m.cause, &i.cause, |model, implementation| Divergence::Cause { model, implementation })?;
    }
    same(m.place, &i.place, |model, implementation| Divergence::Place { model, implementation })?;
    same(m.opened, &i.opened, |model, implementation| Divergence::Opened { model, implementation })?;
    compare_sends(m.sends, &i.sends)
}

fn same<T: PartialEq + Clone>(
    model: T,
    implementation: &T,
    divergence: impl FnOnce(T, T) -> Divergence,
) -> Result<(), Divergence> {
    if model == *implementation { Ok(()) } else { Err(divergence(model, implementation.clone())) }
}

/// Compares what both sides send as multisets: some orders are those of digests, which the model does not have.
fn compare_sends(mut model: Vec<Output>, implementation: &[Output]) -> Result<(), Divergence> {
    if model == *implementation {
        return Ok(());
    }
    let mut implementation = implementation.to_vec();
    model.retain(|output| match implementation.iter().position(|other| other == output) {
        Some(place) => {
            implementation.remove(place);
            false
        }
        None => true,
    });
    let equal = model.is_empty() && implementation.is_empty();
    if equal { Ok(()) } else { Err(Divergence::Sends { model, implementation }) }
}

impl Divergence {
    /// What makes two divergences the same one, whoever they happen to and whatever else is so: the two clauses, the
    /// messages that one side alone sends, what looks different, the goal, the secret and its place.
    pub fn essence(&self) -> String {
        match self {
            Divergence::Beginning(_)
            | Divergence::Possible { .. }
            | Divergence::Event { .. }
            | Divergence::Clause { .. }
            | Divergence::Cause { .. }
            | Divergence::Goal(_)
            | Divergence::Leak(_) => self.to_string(),
            Divergence::Time { .. } => "time".to_owned(),
            Divergence::Place { .. } => "place".to_owned(),
            Divergence::Opened { .. } => "opened".to_owned(),
            Divergence::Sends { model, implementation } => {
                let names = |outputs: &[Output]| {
                    let mut names: Vec<&str> = outputs.iter().map(Output::name).collect();
                    names.sort_unstable();
                    names.dedup();
                    names.join(" ")
                };
                format!("sends {}; {}", names(model), names(implementation))
            }
            Divergence::View { actor, model, implementation } => {
                let kind = match actor {
                    Actor::Bsd => "BSD",
                    Actor::Cloud => "cloud",
                    Actor::Kdc => "KDC",
                    Actor::User(_) => "user",
                    Actor::Validator(_) => "validator",
                };
                let names: Vec<&str> =
                    apart(model, implementation).into_iter().map(|(name, ..)| name).collect();
                format!("{kind}: {}", names.join(" "))
            }
        }
    }
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = |clause: &Option<Clause>| clause.map_or("taken", Clause::id);
        match self {
            Divergence::Beginning(clause) => {
                write!(f, "the implementation cannot be set up: {}", clause.id())
            }
            Divergence::Possible { model: true } => {
                f.write_str("the model can do it, the implementation cannot")
            }
            Divergence::Possible { model: false } => {
                f.write_str("the implementation can do it, the model cannot")
            }
            Divergence::Time { model, implementation } => {
                write!(f, "the model does it at {model} ms, the implementation at {implementation} ms")
            }
            Divergence::Event { model, implementation } => {
                write!(f, "{model} in the model, {implementation} in the implementation")
            }
            Divergence::Clause { model, implementation } => {
                write!(f, "model: {}, implementation: {}", id(model), id(implementation))
            }
            Divergence::Cause { model, implementation } => {
                let id = |clause: &Option<Clause>| clause.map_or("no primitive", Clause::id);
                let (ours, theirs) = (id(model), id(implementation));
                write!(f, "because of {ours} in the model, {theirs} in the implementation")
            }
            Divergence::Place { model, implementation } => {
                write!(f, "model: {model:?}, implementation: {implementation:?}")
            }
            Divergence::Opened { model, implementation } => {
                write!(f, "the model opens envelopes {model:?}, the implementation {implementation:?}")
            }
            Divergence::Sends { model, implementation } => {
                let named = |outputs: &[Output]| {
                    let named = outputs.iter().map(|output| match output.to() {
                        Some(to) => format!("{} to {to}", output.name()),
                        None => format!("{} to everybody", output.name()),
                    });
                    named.collect::<Vec<_>>().join(", ")
                };
                let (ours, theirs) = (named(model), named(implementation));
                if ours == theirs {
                    // The same by name: what is in it differs.
                    return write!(
                        f,
                        "sent in the model: {model:?}, in the implementation: {implementation:?}"
                    );
                }
                let or_nothing = |names: String| if names.is_empty() { "nothing".to_owned() } else { names };
                let (ours, theirs) = (or_nothing(ours), or_nothing(theirs));
                write!(f, "the model alone sends {ours}; the implementation alone {theirs}")
            }
            Divergence::View { actor, model, implementation } => {
                let each = apart(model, implementation).into_iter().map(|(name, model, implementation)| {
                    format!("{actor}: {name}: model: {model}, implementation: {implementation}")
                });
                f.write_str(&each.collect::<Vec<_>>().join("; "))
            }
            Divergence::Goal(goal) => write!(f, "{goal} is broken"),
            Divergence::Leak(what) => write!(f, "a secret is out: {what}"),
        }
    }
}

/// What looks different, by name.
fn apart(model: &View, implementation: &View) -> Vec<(&'static str, String, String)> {
    let both = fields(model).into_iter().zip(fields(implementation));
    both.filter(|((_, model), (_, other))| model != other)
        .map(|((name, model), (_, other))| (name, model, other))
        .collect()
}

/// The fields of a view, by name.
fn fields(view: &View) -> Vec<(&'static str, String)> {
    macro_rules! fields {
        ($($kind:ident { $($field:ident),* $(,)? })*) => {
            match view {
                $(View::$kind { $($field),* } => vec![$((stringify!($field), format!("{:?}", $field))),*],)*
            }
        };
    }
    fields! {
        User { public, open, ended, requests, remembered }
        Bsd { public, submissions, audit, evidence }
        Validator { public, votes, closing, signed, signatures, waiting }
        Cloud { public, records, leaves }
        Kdc { serial, revoked, list }
    }
}
