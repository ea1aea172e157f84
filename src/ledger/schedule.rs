//! Proof of work: what a target is worth and which target a block has.

use crate::crypto::Digest;
use crate::ledger::branch::Ancestry;
use crate::wire::{BlockHeader, Closing, Genesis, Target, Time, WorkRule};
use num_bigint::BigUint;

/// Elapsed time counts as at least a quarter and at most four times what the schedule expects.
const CLAMP: u64 = 4;

impl Target {
    /// Whether `digest`, as a number, is below the target.
    pub fn is_met_by(&self, digest: &Digest) -> bool {
        digest.as_bytes() < &self.0
    }

    /// How many digests one tries on average before one meets the target: `2^256 / target`, rounded down.
    pub fn work(&self) -> BigUint {
        (BigUint::from(1u8) << 256) / self.number().max(1u8.into())
    }

    fn number(&self) -> BigUint {
        BigUint::from_bytes_be(&self.0)
    }

    fn from_number(number: &BigUint) -> Target {
        let digits = number.to_bytes_be();
        let mut bytes = [0; 32];
        let start = bytes.len().saturating_sub(digits.len());
        bytes[start..].copy_from_slice(&digits[digits.len().saturating_sub(32)..]);
        Target(bytes)
    }
}

impl BlockHeader {
    /// What the block counts for when branches are weighed (LED-07): its target's work, and under a quorum 1.
    pub fn worth(&self) -> BigUint {
        match &self.closing {
            Closing::Work(work) => work.target.work(),
            Closing::Quorum(_) => 1u8.into(),
        }
    }
}

impl WorkRule {
    /// Whether a schedule can be run by it: nothing in it is zero.
    pub(super) fn is_sound(&self) -> bool {
        self.easiest.0 != [0; 32] && self.interval > 0 && self.window > 0 && self.confirmations > 0
    }
}

/// The target of the block that extends `chain`.
pub(super) fn scheduled_target(genesis: &Genesis, rule: &WorkRule, chain: &Ancestry<'_>) -> Target {
    let Some(parent) = chain.parent() else { return rule.easiest };
    let before = match &parent.block.header().closing {
        crate::wire::Closing::Work(work) => work.target,
        crate::wire::Closing::Quorum(_) => rule.easiest,
    };
    let window = rule.window as usize;
    if !chain.len().is_multiple_of(window) {
        return before;
    }
    let start = chain.back(window).map_or(genesis.start, |held| held.block.header().time);
    retarget(rule, before, start, parent.block.header().time)
}

/// The target after a window that ran from `start` to `end`: `before * elapsed / expected`, rounded down, at
/// least 1 and at most the easiest.
fn retarget(rule: &WorkRule, before: Target, start: Time, end: Time) -> Target {
    let expected = BigUint::from(rule.interval) * rule.window;
    let elapsed = BigUint::from(end.0.saturating_sub(start.0));
    let elapsed = elapsed.clamp(&expected / CLAMP, &expected * CLAMP);
    let target = before.number() * elapsed / expected;
    Target::from_number(&target.clamp(1u8.into(), rule.easiest.number()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(easiest: [u8; 32]) -> WorkRule {
        WorkRule { easiest: Target(easiest), interval: 1000, window: 8, confirmations: 2 }
    }

    fn target(number: u64) -> Target {
        Target::from_number(&number.into())
    }

    #[test]
    fn the_target_follows_the_time_that_a_window_took() {
        let rule = rule([255; 32]);
        let after = |elapsed: u64| retarget(&rule, target(1_000_000), Time(500), Time(500 + elapsed));
        assert_eq!(after(8000), target(1_000_000));
        assert_eq!(after(4000), target(500_000));
        assert_eq!(after(16_000), target(2_000_000));
    }

    #[test]
    fn one_window_changes_the_target_at_most_fourfold() {
        let rule = rule([255; 32]);
        let after = |elapsed: u64| retarget(&rule, target(1_000_000), Time(0), Time(elapsed));
        assert_eq!(after(0), target(250_000));
        assert_eq!(after(u64::MAX), target(4_000_000));
    }

    #[test]
    fn the_target_stays_between_one_and_the_easiest() {
        let easiest = target(2_000_000).0;
        assert_eq!(retarget(&rule(easiest), target(1_900_000), Time(0), Time(u64::MAX)), Target(easiest));
        assert_eq!(retarget(&rule(easiest), target(1), Time(0), Time(0)), target(1));
        let widest = rule([255; 32]);
        assert_eq!(retarget(&widest, Target([255; 32]), Time(0), Time(u64::MAX)), Target([255; 32]));
    }

    #[test]
    fn work_is_the_number_of_digests_tried_on_average() {
        let mut half = [0; 32];
        half[0] = 128;
        assert_eq!(Target(half).work(), 2u8.into());
        assert_eq!(Target([255; 32]).work(), 1u8.into());
        assert_eq!(target(1).work(), BigUint::from(1u8) << 256);
        assert_eq!(target(0).work(), BigUint::from(1u8) << 256);
    }

    #[test]
    fn a_digest_meets_only_a_greater_target() {
        let digest = Digest::from_bytes([7; 32]);
        let mut greater = [7; 32];
        greater[31] = 8;
        assert!(!Target([7; 32]).is_met_by(&digest));
        assert!(Target(greater).is_met_by(&digest));
    }
}
