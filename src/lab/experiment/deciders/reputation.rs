//! Votes weighed by beta reputation: how often a validator agreed with its reference.

use super::counting::more;
use super::{Decided, Decider, Ruling};
use crate::experiment::Voters;
use crate::experiment::setting::{Ballots, Delay, LATEST, Reexecution};
use bemr::wire::Ballot;

/// The record of a validator, with a prior of one each.
#[derive(Clone, Copy)]
struct Record {
    agreed: u32,
    differed: u32,
    /// max(0, ln(agreed / differed)), the log-odds of its being right.
    weight: f64,
}

const NEWCOMER: Record = Record { agreed: 1, differed: 1, weight: 0.0 };

impl Record {
    fn note(&mut self, agreed: bool, logarithms: &mut Vec<f64>) {
        let count = if agreed { &mut self.agreed } else { &mut self.differed };
        *count += 1;
        while logarithms.len() <= *count as usize {
            logarithms.push((logarithms.len() as f64).ln());
        }
        self.weight = (logarithms[self.agreed as usize] - logarithms[self.differed as usize]).max(0.0);
    }
}

/// Beta reputation.
pub(super) struct Beta {
    records: Vec<Record>,
    logarithms: Vec<f64>,
    by_itself: bool,
}

impl Beta {
    /// Fed by its own decisions.
    pub(super) fn fed_by_itself(validators: usize) -> Beta {
        Beta { records: vec![NEWCOMER; validators], logarithms: vec![0.0, 0.0], by_itself: true }
    }

    /// Fed by re-execution after the decision.
    pub(super) fn fed_by_audits(validators: usize) -> Beta {
        Beta { by_itself: false, ..Beta::fed_by_itself(validators) }
    }

    fn note(&mut self, ballots: &Ballots<'_>, label: Ballot) {
        let answered = ballots.answered(0);
        let agreed = ballots.saying(label, answered);
        for place in answered.places() {
            self.records[place].note(agreed.has(place), &mut self.logarithms);
        }
    }
}

/// Sums the weights of the answers as they arrive, and ends when the rest cannot change the result or at the end of the first
/// attempt. Returns the weights for true and for false.
pub(super) fn weigh(
    ballots: &Ballots<'_>,
    total: f64,
    weight: impl Fn(usize) -> f64,
) -> ((f64, f64), Voters, Delay) {
    let (mut for_true, mut for_false, mut counted) = (0.0, 0.0, Voters::NOBODY);
    let all = ballots.all();
    for tick in 0..=LATEST {
        let heard = ballots.heard(0, tick);
        if heard == counted {
            continue;
        }
        let fresh = heard.without(counted);
        for_true += ballots.saying(Ballot::True, fresh).places().map(&weight).sum::<f64>();
        for_false += ballots.saying(Ballot::False, fresh).places().map(&weight).sum::<f64>();
        counted = heard;
        if 2.0 * for_true > total || 2.0 * for_false > total || counted == all {
            return ((for_true, for_false), counted, Delay { expired: 0, ticks: tick as u8 });
        }
    }
    ((for_true, for_false), counted, Delay::end_of(0))
}

impl Decider for Beta {
    fn decide(&mut self, ballots: &Ballots<'_>, _: &mut Reexecution) -> Decided {
        let total = self.records.iter().map(|record| record.weight).sum();
        let ((for_true, for_false), heard, at) = weigh(ballots, total, |place| self.records[place].weight);
        let verdict = match for_true.total_cmp(&for_false) {
            std::cmp::Ordering::Greater => Some(Ballot::True),
            std::cmp::Ordering::Less => Some(Ballot::False),
            // No validator has a weight yet, or both sides weigh the same.
            std::cmp::Ordering::Equal => more(ballots, heard).map(|(ballot, _)| ballot),
        };
        if self.by_itself
            && let Some(label) = verdict
        {
            self.note(ballots, label);
        }
        let ruling = verdict.map_or(Ruling::Undecided, Ruling::from);
        Decided { ruling, at, acknowledged: verdict.map(|_| 0), evidence: heard }
    }

    fn learn(&mut self, ballots: &Ballots<'_>, label: Ballot) {
        self.note(ballots, label);
    }

    fn weight(&self, place: usize) -> f64 {
        self.records[place].weight
    }

    fn newcomer(&self) -> f64 {
        NEWCOMER.weight
    }

    fn renew(&mut self, places: Voters) {
        places.places().for_each(|place| self.records[place] = NEWCOMER);
    }
}
