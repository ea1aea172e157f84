//! The custodian: opens the chains of seals that were made for it, and gives back the keys in them (chapter 6).
//!
//! A key is the record that it opens. Nobody but an owner that lies wraps what is no key.

use crate::checks::Checks;
use crate::{ContentType, Flaws, Record, SessionId, Tid};
use bemr_spec::{Clause, Rules};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A session record by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct RecordId {
    pub(super) session: SessionId,
    pub(super) from_initiator: bool,
    pub(super) sequence: u32,
}

/// A seal: which records its keys open.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Seal {
    /// The chain, by the number of times that its owner had died before; and the number in it, from 1.
    pub(super) id: SealId,
    pub(super) tid: Tid,
    pub(super) stage: ContentType,
    pub(super) keys: Vec<RecordId>,
}

/// Names a seal of the BSD.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct SealId {
    /// The chain, from 0: the BSD begins another whenever it starts again.
    pub chain: u32,
    /// The number in it, from 1.
    pub index: u32,
}

/// What is wrong with a seal, or with the start of its chain, that the custodian is given.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum SealFault {
    /// The start has another version.
    StartVersion,
    /// The start is of another suite.
    StartSuite,
    /// The start is for another custodian.
    StartCustodian,
    /// The start encapsulates the neutral element.
    StartElement,
    /// The start encapsulates an element outside the subgroup.
    StartSubgroup,
    /// Another version.
    Version,
    /// Another chain.
    Chain,
    /// Another owner.
    Owner,
    /// It names no key.
    NoKeys,
    /// It names one key 4097 times.
    TooManyKeys,
    /// Index 0.
    IndexZero,
    /// An index beyond the end of a chain.
    IndexBeyond,
    /// The index of the next seal.
    IndexNext,
    /// The wrapped bytes of this other seal of the chain.
    WrappedOf(u32),
    /// The last wrapped byte is missing.
    Cut,
    /// Another transaction.
    Tid,
    /// The other stage.
    Stage,
    /// The first key is that of the next record.
    Sequence,
    /// The first key is that of a session with somebody else.
    Peer,
    /// Its owner names the first key twice, and wraps what is no key.
    Twice,
    /// Its owner names the first key of this other seal of the chain before its own, and wraps what is no key.
    KeyOf(u32),
}

impl SealFault {
    /// All but those that take something from another seal.
    pub const PLAIN: [SealFault; 19] = {
        use SealFault::*;
        [
            StartVersion,
            StartSuite,
            StartCustodian,
            StartElement,
            StartSubgroup,
            Version,
            Chain,
            Owner,
            NoKeys,
            TooManyKeys,
            IndexZero,
            IndexBeyond,
            IndexNext,
            Cut,
            Tid,
            Stage,
            Sequence,
            Peer,
            Twice,
        ]
    };
}

impl SealFault {
    /// The check that fails, unless it hangs on what the custodian holds.
    const fn clause(self) -> Option<Clause> {
        Some(match self {
            SealFault::StartVersion | SealFault::Version => Clause::ProtocolVersionIsOne,
            SealFault::StartSuite => Clause::SuiteMatches,
            SealFault::StartElement => Clause::ElementInRange,
            SealFault::StartSubgroup => Clause::ElementInSubgroup,
            SealFault::NoKeys | SealFault::TooManyKeys => Clause::SizeWithinBound,
            SealFault::IndexZero | SealFault::IndexBeyond => Clause::KeyNotExhausted,
            SealFault::Twice => Clause::SealedKeyIsErased,
            SealFault::KeyOf(_) => return None,
            _ => Clause::SealNamesItsContext,
        })
    }

    /// Whether its owner wraps anew: what the seal says then is what was wrapped.
    const fn is_wrapped_anew(self) -> bool {
        matches!(self, SealFault::Twice | SealFault::KeyOf(_))
    }

    /// Whether it says of the keys how many there are.
    const fn is_of_count(self) -> bool {
        matches!(self, SealFault::NoKeys | SealFault::TooManyKeys)
    }

    /// Whether it is one of the element that the start encapsulates to.
    const fn is_of_element(&self) -> bool {
        matches!(self, SealFault::StartElement | SealFault::StartSubgroup)
    }

    /// Whether it says of the index which it is.
    const fn is_of_index(self) -> bool {
        matches!(self, SealFault::IndexZero | SealFault::IndexBeyond | SealFault::IndexNext)
    }

    /// Whether it is a seal that does not open.
    const fn is_of_wrapping(self) -> bool {
        matches!(
            self,
            SealFault::IndexNext
                | SealFault::WrappedOf(_)
                | SealFault::Cut
                | SealFault::Tid
                | SealFault::Stage
                | SealFault::Sequence
                | SealFault::Peer
        )
    }
}

/// The most things that are wrong with one seal.
pub const MOST_FAULTS: usize = 2;

/// A seal by its digest.
type Digest = (SealId, Option<u32>);

/// The custodian: of each chain that it opened, which seal held the key of which record.
#[derive(Clone, Debug, Default)]
pub(super) struct Custodian {
    opened: BTreeMap<u32, BTreeMap<(RecordId, ContentType), Digest>>,
}

impl Custodian {
    /// Opens one of these seals, as it is or with faults: the records that its keys open, or the clause that refuses it.
    /// `None` where there is no such seal.
    pub(super) fn unseal(
        &mut self,
        rules: &Rules,
        seals: &[Seal],
        id: SealId,
        faults: &[SealFault],
    ) -> Option<Result<Vec<RecordId>, Clause>> {
        let seal = seals.iter().find(|seal| seal.id == id)?;
        let of_chain = |index: u32| {
            let id = SealId { index, ..id };
            seals.iter().find(|other| other.id == id && other.id != seal.id)
        };
        let anew = faults.iter().filter(|fault| fault.is_wrapped_anew()).count();
        let same = faults.len() > 1 && faults[0] == faults[1];
        let indices = faults.iter().filter(|fault| fault.is_of_index()).count();
        let elements = faults.iter().filter(|fault| fault.is_of_element()).count();
        let muddled = same
            || indices > 1
            || elements > 1
            || anew > 1
            || anew == 1 && faults.iter().any(|fault| fault.is_of_wrapping() || fault.is_of_count());
        (faults.len() <= MOST_FAULTS && !muddled).then_some(())?;
        let mut borrowed = None;
        for fault in faults {
            match fault {
                SealFault::WrappedOf(other) => drop(of_chain(*other)?),
                SealFault::KeyOf(other) => borrowed = Some((*other, *of_chain(*other)?.keys.first()?)),
                _ => {}
            }
        }
        Some(self.open(rules, seal, faults, borrowed))
    }

    fn open(
        &mut self,
        rules: &Rules,
        seal: &Seal,
        faults: &[SealFault],
        borrowed: Option<(u32, RecordId)>,
    ) -> Result<Vec<RecordId>, Clause> {
        let in_order = |these: &[SealFault]| {
            let there = these.iter().filter(|fault| faults.contains(fault));
            let failed = there.filter_map(|fault| fault.clause()).find(|clause| rules.in_force(*clause));
            failed.map_or(Ok(()), Err)
        };
        use SealFault as Fault;
        in_order(&[
            Fault::StartVersion,
            Fault::StartSuite,
            Fault::StartCustodian,
            Fault::StartElement,
            Fault::StartSubgroup,
        ])?;
        let recovered = self.opened.entry(seal.id.chain).or_default();
        in_order(&[
            Fault::Version,
            Fault::Chain,
            Fault::Owner,
            Fault::NoKeys,
            Fault::TooManyKeys,
            Fault::IndexZero,
            Fault::IndexBeyond,
        ])?;
        let opens = !faults.iter().any(|fault| fault.is_of_wrapping());
        Checks::of(rules, Flaws::NONE).require(Clause::SealNamesItsContext, opens)?;
        in_order(&[Fault::Twice])?;
        let digest = (seal.id, borrowed.map(|(other, _)| other));
        let keys: Vec<RecordId> =
            borrowed.map(|(_, key)| key).into_iter().chain(seal.keys.iter().copied()).collect();
        let places = || keys.iter().map(|key| (*key, seal.stage));
        let fresh = places().all(|place| recovered.get(&place).is_none_or(|held| *held == digest));
        let mut distinct: Vec<RecordId> = keys.clone();
        distinct.sort_unstable();
        let once = distinct.is_sorted_by(|one, next| one < next);
        Checks::of(rules, Flaws::NONE).require(Clause::SealedKeyIsErased, once && fresh)?;
        recovered.extend(places().map(|place| (place, digest)));
        Ok(if faults.iter().any(|fault| fault.is_wrapped_anew()) { Vec::new() } else { keys })
    }
}

impl RecordId {
    /// Of a record.
    pub(super) const fn of(record: &Record) -> RecordId {
        RecordId { session: record.session, from_initiator: record.from_initiator, sequence: record.sequence }
    }
}
