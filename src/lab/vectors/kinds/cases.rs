//! The cases of a kind: an honest input, and inputs beside it of which one thing is changed.

use super::{Stop, Vector};
use crate::forge::{MutatedMessage, Sweep, mended};
use crate::vectors::Hex;
use bemr::crypto::Suite;
use bemr_spec::Clause;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// An input, and what the specification says of it.
pub(in crate::vectors) struct Case<I> {
    pub(super) comment: String,
    pub(super) clause: Option<Clause>,
    pub(super) flags: Vec<Clause>,
    pub(super) fields: Vec<String>,
    pub(super) input: I,
}

impl<I> Case<I> {
    pub(super) fn new(comment: impl Into<String>, clause: Option<Clause>, input: I) -> Case<I> {
        let flags = clause.into_iter().collect();
        Case { comment: comment.into(), clause, flags, fields: Vec::new(), input }
    }

    /// It is about these fields, as `Table.field`.
    pub(super) fn about(&mut self, fields: &[&str]) -> &mut Case<I> {
        self.fields.extend(fields.iter().map(|field| (*field).to_owned()));
        self
    }

    /// It shows that this clause is kept.
    pub(super) fn shows(&mut self, clause: Clause) -> &mut Case<I> {
        self.flags.push(clause);
        self
    }
}

/// Changes that leave a message in which one field was changed consistent in other respects, one for each number of a way.
type Repair<'a> = &'a dyn Fn(&MutatedMessage, u8) -> Option<Vec<u8>>;

/// The cases beside one input.
pub(super) struct Cases<I> {
    pub(super) suite: Suite,
    pub(super) given: I,
    all: Vec<Case<I>>,
}

impl<I: Vector> Cases<I> {
    pub(super) const fn of(suite: Suite, given: I) -> Cases<I> {
        Cases { suite, given, all: Vec::new() }
    }

    /// The given input with this change; `None` accepts it.
    pub(super) fn add(
        &mut self,
        clause: Option<Clause>,
        comment: impl Into<String>,
        change: impl FnOnce(&mut I),
    ) -> &mut Case<I> {
        let mut input = self.given.clone();
        change(&mut input);
        self.all.push(Case::new(comment, clause, input));
        self.all.last_mut().expect("one was pushed")
    }

    /// The given input with this change is accepted.
    pub(super) fn valid(&mut self, comment: impl Into<String>, change: impl FnOnce(&mut I)) -> &mut Case<I> {
        self.add(None, comment, change)
    }

    /// This clause refuses the given input with this change.
    pub(super) fn invalid(
        &mut self,
        clause: Clause,
        comment: impl Into<String>,
        change: impl FnOnce(&mut I),
    ) -> &mut Case<I> {
        self.add(Some(clause), comment, change)
    }

    /// Encodings in this place of the input, each with the clause that refuses it.
    pub(super) fn encodings(
        &mut self,
        place: fn(&mut I) -> &mut Hex,
        neighbours: Vec<(Clause, &'static str, Vec<u8>)>,
    ) {
        for (clause, comment, bytes) in neighbours {
            self.invalid(clause, comment, |input| *place(input) = Hex(bytes));
        }
    }

    /// The message of this table in this place of the input, with one field changed.
    pub(super) fn sweep(
        &mut self,
        sweep: &mut Sweep<'_>,
        table: &str,
        place: fn(&mut I) -> &mut Hex,
        repair: Repair<'_>,
    ) {
        let genuine = place(&mut self.given.clone()).0.clone();
        let (suite, put) = (self.suite, |input: &mut I, bytes: &[u8]| *place(input) = bytes.into());
        self.sweep_by(sweep, table, &genuine, repair, &put, &|input| rejected_by(input.evaluate(suite)));
    }

    /// As [`Cases::sweep`], for a message that `put` hides in the input, by another evaluation than that of the kind.
    pub(super) fn sweep_by(
        &mut self,
        sweep: &mut Sweep<'_>,
        table: &str,
        genuine: &[u8],
        repair: Repair<'_>,
        put: &dyn Fn(&mut I, &[u8]),
        evaluate: &dyn Fn(&I) -> Option<Clause>,
    ) {
        let input = |bytes: &[u8]| {
            let mut input = self.given.clone();
            put(&mut input, bytes);
            input
        };
        let found = sweep.run(table, genuine, repair, |bytes| evaluate(&input(bytes)));
        let found =
            found.into_iter().map(|(changed, clause)| neighbour(clause, &changed, input(&changed.bytes)));
        let found: Vec<_> = found.collect();
        self.all.extend(found);
    }

    /// As [`Cases::sweep`], where the rest of the input follows the changed message.
    pub(super) fn sweep_inputs(
        &mut self,
        sweep: &mut Sweep<'_>,
        table: &str,
        genuine: &[u8],
        changed: &dyn Fn(&I, &MutatedMessage, u8) -> Option<I>,
    ) {
        // A message and a way stand for the input that they make.
        let inputs = RefCell::new(BTreeMap::new());
        let input = |key: &[u8]| inputs.borrow().get(key).cloned();
        let repair = |message: &MutatedMessage, way: u8| {
            let key = [message.bytes.as_slice(), &[way]].concat();
            inputs.borrow_mut().insert(key.clone(), changed(&self.given, message, way)?);
            Some(key)
        };
        let found = sweep.run(table, genuine, repair, |key| {
            let input: I = input(key)?;
            rejected_by(input.evaluate(self.suite))
        });
        let found = found
            .into_iter()
            .filter_map(|(message, clause)| Some(neighbour(clause, &message, input(&message.bytes)?)));
        let found: Vec<_> = found.collect();
        self.all.extend(found);
    }

    pub(super) fn all(self) -> Vec<Case<I>> {
        self.all
    }
}

fn neighbour<I>(clause: Clause, message: &MutatedMessage, input: I) -> Case<I> {
    Case { fields: message.fields.clone(), ..Case::new(message.comment(), Some(clause), input) }
}

/// A repair: way 0 signs the changed message anew, way 1 leaves it as it is.
pub(super) fn signed_again<T: tls_codec::DeserializeBytes + tls_codec::Serialize>(
    sign: impl Fn(&mut T),
) -> impl Fn(&MutatedMessage, u8) -> Option<Vec<u8>> {
    mended(move |message, way| {
        if way == 0 {
            sign(message);
        }
    })
}

/// The clause that rejects.
pub(super) fn rejected_by<T>(evaluated: Result<T, Stop>) -> Option<Clause> {
    match evaluated {
        Err(Stop::Refused(refusal)) => Some(refusal.clause()),
        Ok(_) | Err(Stop::Malformed(_)) => None,
    }
}
