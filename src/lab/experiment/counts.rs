//! Counts of what happened. They add up; what they mean is in [`super::measures`].

use super::deciders::Ruling;
use super::setting::{ATTEMPTS, Delay, LATEST};

/// What one transaction came to.
pub(super) struct Note {
    pub(super) right: bool,
    pub(super) ruling: Ruling,
    pub(super) at: Delay,
    pub(super) acknowledged: Option<u8>,
    pub(super) executed: bool,
    /// A falsified verdict is among what the decision was made from.
    pub(super) misled: bool,
    pub(super) asked: usize,
    pub(super) suppressed: usize,
    pub(super) delivered: usize,
    pub(super) falsified: usize,
    /// Those of the falsified that a re-execution proved false.
    pub(super) proved: usize,
}

/// The counts of one run, or of many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// By truth (false, true) and by ruling (accept, reject, undecided).
    pub(super) by: [[u64; 3]; 2],
    pub(super) acknowledged: [u64; ATTEMPTS],
    pub(super) executed: u64,
    pub(super) misled: u64,
    pub(super) asked: u64,
    pub(super) suppressed: u64,
    pub(super) delivered: u64,
    pub(super) falsified: u64,
    pub(super) proved: u64,
    /// Milliseconds over decided ones, and over right decisions.
    pub(super) waited: u64,
    pub(super) waited_right: u64,
    /// Decided ones by expired attempts and ticks.
    pub(super) delays: [[u64; LATEST + 2]; ATTEMPTS + 1],
}

impl Counts {
    pub(super) fn note(&mut self, note: &Note) {
        let ruling = match note.ruling {
            Ruling::Accept => 0,
            Ruling::Reject => 1,
            Ruling::Undecided => 2,
        };
        self.by[usize::from(note.right)][ruling] += 1;
        if let Some(attempt) = note.acknowledged {
            self.acknowledged[usize::from(attempt)] += 1;
        }
        self.executed += u64::from(note.executed);
        self.misled += u64::from(note.misled);
        self.asked += note.asked as u64;
        self.suppressed += note.suppressed as u64;
        self.delivered += note.delivered as u64;
        self.falsified += note.falsified as u64;
        self.proved += note.proved as u64;
        if note.ruling != Ruling::Undecided {
            let milliseconds = note.at.milliseconds();
            self.waited += milliseconds;
            if (note.ruling == Ruling::Accept) == note.right {
                self.waited_right += milliseconds;
            }
            self.delays[usize::from(note.at.expired)][usize::from(note.at.ticks)] += 1;
        }
    }

    pub(super) fn merge(&mut self, other: &Counts) {
        let add = |into: &mut [u64], from: &[u64]| into.iter_mut().zip(from).for_each(|(a, b)| *a += b);
        for (into, from) in self.by.iter_mut().zip(&other.by) {
            add(into, from);
        }
        for (into, from) in self.delays.iter_mut().zip(&other.delays) {
            add(into, from);
        }
        add(&mut self.acknowledged, &other.acknowledged);
        self.executed += other.executed;
        self.misled += other.misled;
        self.asked += other.asked;
        self.suppressed += other.suppressed;
        self.delivered += other.delivered;
        self.falsified += other.falsified;
        self.proved += other.proved;
        self.waited += other.waited;
        self.waited_right += other.waited_right;
    }

    pub(super) fn all(&self) -> u64 {
        self.by.iter().flatten().sum()
    }

    pub(super) fn of(&self, right: bool) -> u64 {
        self.by[usize::from(right)].iter().sum()
    }

    pub(super) fn correct(&self) -> u64 {
        self.by[1][0] + self.by[0][1]
    }

    pub(super) fn undecided(&self) -> u64 {
        self.by[0][2] + self.by[1][2]
    }

    /// CDR = 1 - pi FRR - (1 - pi) FAR - UR, with the run's own pi; in counts, where it is exact.
    pub(super) fn identity_holds(&self) -> bool {
        self.correct() + self.by[1][1] + self.by[0][0] + self.undecided() == self.all()
    }
}
