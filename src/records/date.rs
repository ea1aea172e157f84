//! FHIR dates: partial dates, and days with time and zone, as the span of time that they name.

use crate::wire::{AttributeType, Time};

const SECOND: i128 = 1_000_000_000;
const HOUR: i128 = 3600 * SECOND;
const DAY: i128 = 24 * HOUR;

/// The widest offset of a zone from UTC. A date has no zone: compared with an instant that has one, it may be off by
/// this much.
const WIDEST_ZONE: i128 = 14 * HOUR;

/// A span of time in nanoseconds since 1970-01-01T00:00:00Z, without leap seconds: from `start` up to and without
/// `end`; of a date, which has no zone, as if its zone were UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FhirDate {
    start: i128,
    end: i128,
    zoned: bool,
}

impl FhirDate {
    /// Parses the literal of a date, dateTime or instant.
    ///
    /// # Errors
    /// Nothing when `literal` is not in the form of `kind`, or names a day or time that does not exist.
    pub fn parse(kind: AttributeType, literal: &str) -> Option<FhirDate> {
        let (day, time) = match literal.split_once('T') {
            Some((day, time)) => (day, Some(time)),
            None => (literal, None),
        };
        match (kind, time) {
            (AttributeType::Date | AttributeType::DateTime, None) => {
                let (start, end) = days(day)?;
                Some(FhirDate { start: start * DAY, end: end * DAY, zoned: false })
            }
            (AttributeType::DateTime | AttributeType::Instant, Some(time)) if day.len() == 10 => {
                let (midnight, _) = days(day)?;
                let (start, width) = time_of_day(time)?;
                let start = midnight * DAY + start;
                Some(FhirDate { start, end: start + width, zoned: true })
            }
            _ => None,
        }
    }

    /// The millisecond in which it begins, from 1970 on.
    pub fn begins(&self) -> Option<Time> {
        u64::try_from(self.start.div_euclid(1_000_000)).ok().map(Time)
    }

    /// Whether all of it comes after `now`, in whatever zone.
    pub fn is_after(&self, now: Time) -> bool {
        let slack = if self.zoned { 0 } else { WIDEST_ZONE };
        self.start - slack > i128::from(now.0) * 1_000_000
    }

    /// Whether all of it comes after all of `other`, in whatever zone when just one of them has one.
    pub fn is_wholly_after(&self, other: &FhirDate) -> bool {
        let slack = if self.zoned == other.zoned { 0 } else { WIDEST_ZONE };
        self.start - slack >= other.end
    }
}

/// The number that exactly `N` digits spell.
fn number<const N: usize>(text: &str) -> Option<i64> {
    (text.len() == N && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// The first day of a year, month or day, and the first after it, counted from 1970-01-01.
fn days(text: &str) -> Option<(i128, i128)> {
    let mut parts = text.split('-');
    let year = number::<4>(parts.next()?).filter(|&year| year > 0)?;
    let month = parts.next().map(number::<2>);
    let day = parts.next().map(number::<2>);
    if parts.next().is_some() {
        return None;
    }
    let (start, end) = match (month, day) {
        (None, _) => (day_number(year, 1, 1), day_number(year + 1, 1, 1)),
        (Some(month), day) => {
            let month = month.filter(|month| (1..=12).contains(month))?;
            let first = day_number(year, month, 1);
            let next = if month == 12 { day_number(year + 1, 1, 1) } else { day_number(year, month + 1, 1) };
            match day {
                None => (first, next),
                Some(day) => {
                    let day = first + day.filter(|&day| (1..=next - first).contains(&day))? - 1;
                    (day, day + 1)
                }
            }
        }
    };
    Some((start.into(), end.into()))
}

/// Days from 1970-01-01 to a day of the Gregorian calendar. The year is taken to begin in March, so that the leap
/// day comes last.
fn day_number(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468
}

/// The start of `hh:mm:ss[.f…](Z|±hh:mm)` after midnight UTC, and its width.
fn time_of_day(text: &str) -> Option<(i128, i128)> {
    let clock = text.get(..8)?;
    let mut parts = clock.split(':');
    let hour = number::<2>(parts.next()?).filter(|&hour| hour < 24)?;
    let minute = number::<2>(parts.next()?).filter(|&minute| minute < 60)?;
    let second = number::<2>(parts.next()?).filter(|&second| second <= 60)?;
    if parts.next().is_some() {
        return None;
    }
    let rest = &text[8..];
    let (fraction, zone) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?),
        None => ("", rest),
    };
    if fraction.is_empty() && rest.starts_with('.') {
        return None;
    }
    // Digits beyond the nanosecond are valid and do not count.
    let mut width = SECOND;
    let mut start = i128::from(hour) * HOUR + i128::from(minute * 60 + second) * SECOND;
    for digit in fraction.bytes().take(9) {
        width /= 10;
        start += i128::from(digit - b'0') * width;
    }
    Some((start - offset(zone)?, width))
}

/// The offset of a zone from UTC.
fn offset(zone: &str) -> Option<i128> {
    if zone == "Z" {
        return Some(0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hour, minute) = zone.get(1..)?.split_once(':')?;
    let (hour, minute) = (number::<2>(hour)?, number::<2>(minute)?);
    let within = (hour < 14 && minute < 60) || (hour == 14 && minute == 0);
    within.then(|| sign * i128::from(hour * 60 + minute) * 60 * SECOND)
}
