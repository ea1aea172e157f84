//! The tables drive: what has a row leads where the row says, everything else is refused by the clause that the tables name.

use super::{Other, Row, Table};
use crate::machines::{self, submission_machine};
use crate::{Clause, Event, Rules};
use submission_machine::{Event as Input, Guard, ROWS, State};

const RULES: Rules = Rules::hardened();

#[test]
fn exactly_the_rows_of_the_table_are_transitions() {
    let (mut taken, mut refused) = (0, 0);
    for &from in State::ALL {
        for &event in Input::ALL {
            let any = ROWS.iter().any(|row| (row.from, row.event) == (from, event));
            assert_eq!(from.expects(&RULES, event).is_ok(), any, "{event} in {from}");
            for &guard in Guard::ALL {
                let row = ROWS.iter().find(|row| (row.from, row.event, row.guard) == (from, event, guard));
                match (row, from.on(&RULES, event, guard)) {
                    (Some(row), Ok(state)) => assert_eq!(state, row.to),
                    (None, Err(_)) => refused += 1,
                    (row, outcome) => panic!("{from} {event} {guard}: {row:?}, {outcome:?}"),
                }
                taken += usize::from(row.is_some());
            }
        }
    }
    assert_eq!(taken, ROWS.len());
    assert!(refused > taken);
}

#[test]
fn an_event_without_a_row_is_refused_by_the_clause_that_the_tables_name() {
    let refused = |state: State, event, guard| {
        let refusal = state.on(&RULES, event, guard).expect_err("there is no row");
        let named = submission_machine::MACHINE.refusals_of(state.name(), event.name());
        assert!(named.is_empty() || named[0] == refusal.clause());
        (refusal.clause(), refusal.place().map(str::to_owned))
    };
    let (clause, place) = refused(State::Deferred, Input::ReceiptArrived, Guard::EveryCheckOfTheReceiptHolds);
    assert_eq!(clause, Clause::EventFitsState);
    assert_eq!(place.as_deref(), Some("ReceiptArrived in Deferred: EveryCheckOfTheReceiptHolds"));
    let initial = Guard::EveryCheckOfTInitialHolds;
    assert_eq!(refused(State::AwaitingVotes, Input::InitialArrived, initial).0, Clause::TidIsFresh);
    let vote = Guard::AQuorumIsPossibleNoneIsThere;
    assert_eq!(refused(State::Committed, Input::VoteArrived, vote).0, Clause::FirstDecisionStands);
    // What does not concern the machine is refused by STA-01 all the same.
    assert_eq!(
        refused(State::Committed, Input::BlockArrived, Guard::TheDecisionIsFinal).0,
        Clause::EventFitsState
    );
}

#[cfg(bemr_weaken)]
#[test]
fn without_the_clause_the_event_is_taken_as_in_the_state_that_has_the_row() {
    let without = |clause| RULES.without(clause);
    let receipt = |rules: &Rules, state: State| {
        state.on(rules, Input::ReceiptArrived, Guard::EveryCheckOfTheReceiptHolds)
    };
    assert_eq!(receipt(&without(Clause::EventFitsState), State::Deferred), Ok(State::Committed));
    assert_eq!(State::Deferred.expects(&without(Clause::EventFitsState), Input::ReceiptArrived), Ok(()));
    // The clause that the tables name, and no other, lets the event through.
    let vote = |rules: &Rules| {
        State::AwaitingReceipt.on(rules, Input::VoteArrived, Guard::AQuorumIsPossibleNoneIsThere)
    };
    assert_eq!(vote(&without(Clause::FirstDecisionStands)), Ok(State::AwaitingVotes));
    assert!(vote(&without(Clause::EventFitsState)).is_err());
    // A guard that the state has no row for is refused by what tells the guards of its rows apart.
    use machines::voting_machine::{Event as Asked, Guard as Holds, State as Voting};
    let voted =
        |rules: &Rules| Voting::Voted.on(rules, Asked::BlockRequestArrived, Holds::EveryCheckOfTBlockHolds);
    assert_eq!(voted(&RULES).expect_err("it voted").clause(), Clause::OneBlockPerTid);
    assert_eq!(voted(&without(Clause::OneBlockPerTid)), Ok(Voting::Voted));
}

#[test]
fn a_row_that_refuses_leads_nowhere() {
    use machines::responder::{Event as Packet, Guard as Holds, State as Side};
    let record = Side::AwaitingFinish.on(&RULES, Packet::Record, Holds::Always);
    assert_eq!(record.expect_err("no session yet").clause(), Clause::SessionEstablished);
    let late = Side::AwaitingFinish.on(&RULES, Packet::Finish, Holds::TooLate);
    assert_eq!(late.expect_err("too late").clause(), Clause::SessionIsFresh);
    let state = Side::AwaitingFinish.on(&RULES, Packet::Finish, Holds::EveryCheckHolds);
    assert_eq!(state, Ok(Side::Established));
}

#[test]
fn a_table_without_the_row_anywhere_refuses_whatever_is_in_force() {
    static ROWS: &[Row<&str, &str, &str>] =
        &[Row { from: "A", event: "X", guard: "", to: "B", output: "", clauses: &[], refuses: false }];
    let others: &[Other<&str, &str>] =
        &[Other { states: &["B"], events: &["X"], clauses: &[Clause::VoteSigned] }];
    let table = Table { name: "small", rows: ROWS, others };
    assert_eq!(table.on(&RULES, "A", "X", ""), Ok("B"));
    assert_eq!(table.on(&RULES, "B", "X", "").expect_err("refused").clause(), Clause::VoteSigned);
    let rules = if cfg!(bemr_weaken) { weakened() } else { RULES };
    assert!(table.on(&rules, "A", "X", "it rains").is_err());
}

/// The rules without STA-01, where there are any.
fn weakened() -> Rules {
    #[cfg(bemr_weaken)]
    return RULES.without(Clause::EventFitsState);
    #[cfg(not(bemr_weaken))]
    RULES
}

#[test]
fn the_text_of_a_machine_is_its_table() {
    for machine in machines::MACHINES {
        assert!(!machine.about.is_empty() && !machine.rows.is_empty());
        assert!(machine.events.iter().all(|(event, _)| Event::ALL.iter().any(|one| one.name() == *event)));
    }
    let machine = &submission_machine::MACHINE;
    let typed = ROWS.iter().map(|row| (row.from.name(), row.event.name(), row.to.name(), row.clauses));
    assert!(typed.eq(machine.rows.iter().map(|row| (row.from, row.event, row.to, row.clauses))));
    for state in State::ALL {
        assert_eq!(state.is_terminal(), machine.is_terminal(state.name()));
    }
    assert_eq!(State::INITIAL, State::AwaitingInitial);
    assert_eq!(Event::from(Input::VoteArrived), Event::VoteArrived);
}
