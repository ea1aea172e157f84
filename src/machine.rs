//! State machines as tables.
//!
//! An actor writes its life down once, with [`machine!`](crate::machine!); the code can then make only the steps that
//! the table lists, and the chapter's tables, diagrams and matrices are made from the same rows. Which guard holds is
//! decided by the actor: a table checks that the step exists, not that it was the right one of several.

use bemr_spec::{Clause, Refusal, Rules};
use std::collections::BTreeSet;
use std::fmt::Display;

/// One row: in state `from`, `event` leads to state `to` when `guard` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<S, E> {
    /// The state before.
    pub from: S,
    /// What happens.
    pub event: E,
    /// What must hold besides; empty when nothing.
    pub guard: &'static str,
    /// The state after.
    pub to: S,
    /// What the actor sends or records; empty when nothing.
    pub output: &'static str,
    /// The clauses that decide.
    pub clauses: &'static [Clause],
}

/// A machine as text, for the chapters.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// Its name.
    pub name: &'static str,
    /// What it is the life of: its doc comment, line by line.
    pub about: &'static str,
    /// The states and what each means; the first is the initial one.
    pub states: &'static [(&'static str, &'static str)],
    /// The events and what each means.
    pub events: &'static [(&'static str, &'static str)],
    /// The rows.
    pub rows: &'static [Row<&'static str, &'static str>],
    /// States, an event that none of them has a row for, and what becomes of it there: the clauses that refuse it, or
    /// nothing where it does not concern the machine. STA-01 refuses every event that is listed nowhere.
    pub others: &'static [Other],
}

/// What becomes of an event in states that have no row for it.
pub type Other = (&'static [&'static str], &'static str, &'static [Clause]);

/// Goes on when some row leads on from `from` by `event`, and to `to` when that is given.
///
/// # Errors
/// STA-01 otherwise.
pub fn permit<S: Copy + Eq + Display, E: Copy + Eq + Display>(
    rows: &[Row<S, E>],
    rules: &Rules,
    from: S,
    event: E,
    to: Option<S>,
) -> Result<(), Refusal> {
    let fits = |row: &Row<S, E>| row.from == from && row.event == event && to.is_none_or(|to| row.to == to);
    rules.check(Clause::EventFitsState, || rows.iter().any(fits)).map_err(|refusal| {
        refusal.at(match to {
            Some(to) => format!("{event} does not lead from {from} to {to}"),
            None => format!("{event} in {from}"),
        })
    })
}

/// The state `to`, when a row of the machine `name` leads there from `from` by `event`.
///
/// # Errors
/// STA-01 otherwise.
pub fn step<S: Copy + Eq + Display, E: Copy + Eq + Display>(
    name: &'static str,
    rows: &[Row<S, E>],
    rules: &Rules,
    from: S,
    event: E,
    to: S,
) -> Result<S, Refusal> {
    permit(rows, rules, from, event, Some(to))?;
    #[cfg(feature = "driven")]
    driven::note(name, &from, &event, &to);
    #[cfg(not(feature = "driven"))]
    let _ = name;
    Ok(to)
}

/// Which steps a thread has made, so that a test can tell which rows nothing drives. Only with the feature `driven`.
#[cfg(feature = "driven")]
pub mod driven {
    use std::cell::RefCell;
    use std::collections::BTreeSet;
    use std::fmt::Display;

    /// Steps: machine, state before, event, state after.
    pub type Steps = BTreeSet<(&'static str, String, String, String)>;

    thread_local! {
        static STEPS: RefCell<Steps> = const { RefCell::new(Steps::new()) };
    }

    pub(super) fn note(machine: &'static str, from: &dyn Display, event: &dyn Display, to: &dyn Display) {
        let step = (machine, from.to_string(), event.to_string(), to.to_string());
        STEPS.with_borrow_mut(|steps| steps.insert(step));
    }

    /// The steps of this thread since it began or since the last time; it starts again from none.
    pub fn take() -> Steps {
        STEPS.take()
    }
}

impl Machine {
    /// The rows from `state` by `event`.
    pub fn rows_of(
        &self,
        state: &str,
        event: &str,
    ) -> impl Iterator<Item = &Row<&'static str, &'static str>> {
        self.rows.iter().filter(move |row| row.from == state && row.event == event)
    }

    /// What refuses `event` in `state`, which has no row for it; nothing when the event does not concern the machine.
    pub fn refusals_of(&self, state: &str, event: &str) -> &'static [Clause] {
        let others = self.others.iter().find(|(states, other, _)| *other == event && states.contains(&state));
        others.map_or(&[Clause::EventFitsState], |(_, _, clauses)| clauses)
    }

    /// Whether no row leads on from `state`.
    pub fn is_terminal(&self, state: &str) -> bool {
        self.rows.iter().all(|row| row.from != state)
    }

    /// What is wrong with the table: a state that is never reached, an event that no state takes, rows of one state and
    /// event that their guards do not tell apart, an event that has a row and is said to have none.
    pub fn flaws(&self) -> Vec<String> {
        let mut reached: BTreeSet<&str> = self.states.first().map(|(name, _)| *name).into_iter().collect();
        loop {
            let before = reached.len();
            reached.extend(
                self.rows
                    .iter()
                    .filter(|row| reached.contains(row.from))
                    .map(|row| row.to)
                    .collect::<Vec<_>>(),
            );
            if reached.len() == before {
                break;
            }
        }
        let lost = self.states.iter().filter(|(name, _)| !reached.contains(name));
        let idle = self.events.iter().filter(|(name, _)| self.rows.iter().all(|row| row.event != *name));
        let twins = self.rows.iter().enumerate().filter(|(index, row)| {
            let others =
                self.rows[..*index].iter().filter(|other| (other.from, other.event) == (row.from, row.event));
            others
                .clone()
                .any(|other| other.guard == row.guard || other.guard.is_empty() || row.guard.is_empty())
        });
        let both = self.others.iter().flat_map(|(states, event, _)| {
            let taken = states.iter().filter(|state| self.rows_of(state, event).next().is_some());
            taken.map(move |state| format!("{}: {event} in {state} is taken and refused", self.name))
        });
        lost.map(|(name, _)| format!("{}: no row leads to {name}", self.name))
            .chain(idle.map(|(name, _)| format!("{}: no state takes {name}", self.name)))
            .chain(twins.map(|(_, row)| {
                format!(
                    "{}: the guards of {} in {} do not tell its rows apart",
                    self.name, row.event, row.from
                )
            }))
            .chain(both)
            .collect()
    }
}

/// Declares a state machine.
///
/// The first state is the initial one; a state that no row leads on from is terminal. The guard may be left out, the
/// output may be `""`. What has no row is refused by STA-01, unless `others` says by what else, or, with no clause, that it
/// does not concern the machine.
///
/// ```
/// bemr::machine! {
///     /// The life of a door.
///     name: door,
///     states {
///         Shut "it is shut",
///         Open "one can walk through",
///     }
///     events {
///         Pushed "somebody pushes",
///     }
///     rows {
///         Shut, Pushed, "it is not locked" => Open, "a draught", [RoleMayRead];
///         Shut, Pushed, "it is locked" => Shut, "", [RoleMayRead];
///     }
///     others {
///         [Open], Pushed => [TidIsFresh];
///     }
/// }
///
/// let rules = bemr_spec::Rules::hardened();
/// let state = door::State::INITIAL;
/// state.expects(&rules, door::Event::Pushed)?;
/// let state = state.step(&rules, door::Event::Pushed, door::State::Open)?;
/// assert!(state.is_terminal());
/// assert!(state.expects(&rules, door::Event::Pushed).is_err());
/// # Ok::<(), bemr_spec::Refusal>(())
/// ```
///
/// It makes a module of the given name with `State`, `Event`, `ROWS` and `MACHINE`.
#[macro_export]
macro_rules! machine {
    (
        $(#[doc = $about:literal])+
        name: $name:ident,
        states { $first:ident $first_is:literal $(, $state:ident $state_is:literal)* $(,)? } $(,)?
        events { $($event:ident $event_is:literal),+ $(,)? } $(,)?
        rows {
            $($from:ident, $on:ident $(, $guard:literal)? => $to:ident, $output:literal, [$($clause:ident),* $(,)?];)+
        }
        $(others {
            $([$($in:ident),+ $(,)?], $other:ident => [$($refused:ident),*];)+
        })?
    ) => {
        $(#[doc = $about])+
        #[allow(dead_code, unreachable_pub, reason = "an actor may keep its machine to itself and use part of it")]
        pub mod $name {
            use $crate::machine::{Machine, Row};

            /// What is awaited.
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub enum State {
                #[doc = $first_is]
                $first,
                $(#[doc = $state_is] $state,)*
            }

            /// What happened.
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub enum Event {
                $(#[doc = $event_is] $event,)+
            }

            /// Every step that exists.
            pub const ROWS: &[Row<State, Event>] = &[$(Row {
                from: State::$from,
                event: Event::$on,
                guard: concat!($($guard)?),
                to: State::$to,
                output: $output,
                clauses: &[$(::bemr_spec::Clause::$clause),*],
            }),+];

            /// The machine as text.
            pub static MACHINE: Machine = Machine {
                name: stringify!($name),
                about: concat!($($about, "\n"),+),
                states: &[(stringify!($first), $first_is) $(, (stringify!($state), $state_is))*],
                events: &[$((stringify!($event), $event_is)),+],
                rows: &[$(Row {
                    from: stringify!($from),
                    event: stringify!($on),
                    guard: concat!($($guard)?),
                    to: stringify!($to),
                    output: $output,
                    clauses: &[$(::bemr_spec::Clause::$clause),*],
                }),+],
                others: &[$($((
                    &[$(State::$in.name()),+],
                    Event::$other.name(),
                    &[$(::bemr_spec::Clause::$refused),*],
                )),+)?],
            };

            impl State {
                /// Where it begins.
                pub const INITIAL: State = State::$first;

                /// Every state.
                pub const ALL: &'static [State] = &[State::$first $(, State::$state)*];

                /// Its name in the tables.
                pub const fn name(self) -> &'static str {
                    match self {
                        State::$first => stringify!($first),
                        $(State::$state => stringify!($state),)*
                    }
                }

                /// Whether no step leads on.
                pub fn is_terminal(self) -> bool {
                    ROWS.iter().all(|row| row.from != self)
                }

                /// Goes on when `event` may happen in this state at all; asked before anything else is checked.
                ///
                /// # Errors
                /// STA-01 when the table has no row for it.
                pub fn expects(
                    self,
                    rules: &::bemr_spec::Rules,
                    event: Event,
                ) -> ::core::result::Result<(), ::bemr_spec::Refusal> {
                    $crate::machine::permit(ROWS, rules, self, event, None)
                }

                /// The state `to`, when a row leads there by `event`.
                ///
                /// # Errors
                /// STA-01 when none does.
                pub fn step(
                    self,
                    rules: &::bemr_spec::Rules,
                    event: Event,
                    to: State,
                ) -> ::core::result::Result<State, ::bemr_spec::Refusal> {
                    $crate::machine::step(stringify!($name), ROWS, rules, self, event, to)
                }
            }

            impl Event {
                /// Every event.
                pub const ALL: &'static [Event] = &[$(Event::$event),+];

                /// Its name in the tables.
                pub const fn name(self) -> &'static str {
                    match self {
                        $(Event::$event => stringify!($event),)+
                    }
                }
            }

            impl ::core::fmt::Display for State {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    f.write_str(self.name())
                }
            }

            impl ::core::fmt::Display for Event {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    f.write_str(self.name())
                }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    machine! {
        /// A submission, much shortened.
        name: small,
        states {
            AwaitingVotes "T_block is out",
            AwaitingFinality "the decision is on its way to the ledger",
            Accepted "the cloud has it",
            Deferred "nobody decided",
        }
        events {
            VoteArrived "a vote came in",
            Closed "a block was closed",
            TimePassed "nobody said anything for too long",
        }
        rows {
            AwaitingVotes, VoteArrived, "no quorum yet" => AwaitingVotes, "", [VoteSigned];
            AwaitingVotes, VoteArrived, "a quorum says true" => AwaitingFinality, "decision entry", [MoreThanTwoThirds];
            AwaitingVotes, TimePassed => Deferred, "audit entry", [FailoverIsBounded, AcceptNeedsQuorum];
            AwaitingFinality, Closed => Accepted, "T_valid", [DecisionIsFinal];
        }
        others {
            [Accepted, Deferred], VoteArrived => [FirstDecisionStands];
            [Accepted, Deferred], TimePassed => [];
        }
    }
    use small::{Event, State};

    #[test]
    fn only_the_rows_of_the_table_are_steps() {
        let rules = Rules::hardened();
        let mut steps = 0;
        for &from in State::ALL {
            for &event in Event::ALL {
                let expected = small::ROWS.iter().any(|row| row.from == from && row.event == event);
                assert_eq!(from.expects(&rules, event).is_ok(), expected);
                for &to in State::ALL {
                    let listed =
                        small::ROWS.iter().any(|row| (row.from, row.event, row.to) == (from, event, to));
                    match from.step(&rules, event, to) {
                        Ok(state) => assert!(listed && state == to),
                        Err(refusal) => assert!(!listed && refusal.clause() == Clause::EventFitsState),
                    }
                    steps += usize::from(listed);
                }
            }
        }
        assert_eq!(steps, small::ROWS.len());
    }

    #[cfg(bemr_weaken)]
    #[test]
    fn without_the_table_every_step_is_taken() {
        let rules = Rules::hardened().without(Clause::EventFitsState);
        assert_eq!(State::Deferred.expects(&rules, Event::Closed), Ok(()));
        assert_eq!(State::Deferred.step(&rules, Event::Closed, State::Accepted), Ok(State::Accepted));
    }

    #[test]
    fn an_event_without_a_row_is_refused_by_what_is_said_of_it() {
        let refused = |state, event| small::MACHINE.refusals_of(state, event);
        assert_eq!(refused("Deferred", "VoteArrived"), [Clause::FirstDecisionStands]);
        assert_eq!(refused("Deferred", "TimePassed"), []);
        assert_eq!(refused("Deferred", "Closed"), [Clause::EventFitsState]);
    }

    #[test]
    fn a_refusal_says_which_step_does_not_exist() {
        let refusal = State::Deferred
            .step(&Rules::hardened(), Event::Closed, State::Accepted)
            .expect_err("no such row");
        assert_eq!(refusal.place(), Some("Closed does not lead from Deferred to Accepted"));
    }

    #[test]
    fn the_text_of_a_machine_is_its_table() {
        assert_eq!(small::MACHINE.about, " A submission, much shortened.\n");
        assert_eq!(small::MACHINE.flaws(), Vec::<String>::new());
        let rows = small::ROWS.iter().map(|row| (row.from.to_string(), row.event.to_string(), row.guard));
        assert!(rows.eq(small::MACHINE.rows.iter().map(|row| (
            row.from.into(),
            row.event.into(),
            row.guard
        ))));
        for state in State::ALL {
            assert_eq!(state.is_terminal(), small::MACHINE.is_terminal(&state.to_string()));
        }
        assert_eq!(State::INITIAL, State::AwaitingVotes);
    }

    #[test]
    fn a_table_with_a_hole_is_found_out() {
        machine! {
            /// Wrong in four ways.
            name: wrong,
            states { A "the first", B "the second", C "never reached" }
            events { X "one", Y "never taken" }
            rows {
                A, X, "it rains" => B, "", [];
                A, X => A, "", [];
                C, X => B, "", [];
            }
            others { [A, B], X => [TidIsFresh]; }
        }
        let expected = [
            "wrong: no row leads to C",
            "wrong: no state takes Y",
            "wrong: the guards of X in A do not tell its rows apart",
            "wrong: X in A is taken and refused",
        ];
        assert_eq!(wrong::MACHINE.flaws(), expected);
    }
}
