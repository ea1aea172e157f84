//! The kill matrix: its inputs are answered as they have to be, each shows that its clause is missing, and what is published is
//! what the checkers say.

use bemr::kill::unit::doors;
use bemr_spec::{Clause, Rules};

const RULES: Rules = Rules::hardened();

#[test]
fn each_input_is_refused_by_its_clause_and_the_mutant_of_the_clause_answers_otherwise() {
    let doors = doors();
    let mut wrong = Vec::new();
    for door in &doors {
        if let Err(answered) = door.knock(&RULES) {
            wrong.push(format!("{}: {}: {answered}", door.clause().id(), door.name()));
        } else if door.knock(&RULES.without(door.clause())).is_ok() {
            wrong.push(format!("{}: {}: the mutant answers the same", door.clause().id(), door.name()));
        }
    }
    let shown = |clause: &Clause| doors.iter().any(|door| door.clause() == *clause);
    let without: Vec<&str> =
        Clause::ALL.iter().filter(|clause| !shown(clause)).map(|clause| clause.id()).collect();
    println!("{} inputs; clauses without one: {} {without:?}", doors.len(), without.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}
