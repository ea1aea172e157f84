//! A guess at how large a search is, from how it grew.

use crate::explore::Progress;

/// A guess at how many states a search will find.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Estimate {
    /// About so many.
    About(f64),
    /// The levels still grow as fast as before: no end can be seen from here, and there are more than these.
    MoreThan(usize),
}

/// Guesses how many states there are from how a search grew: `grown` is how far it was, again and again, in order.
///
/// The states at each depth make a bell, so that their logarithm is taken for a parabola, fitted to the levels that the
/// search has behind it and carried on to where it comes down to one state.
pub fn estimate(grown: &[Progress]) -> Estimate {
    let seen = grown.last().map_or(0, |last| last.states);
    // Where the search first reaches a depth, the depth before is behind it.
    let mut levels: Vec<(f64, f64)> = Vec::new();
    let mut before: Option<Progress> = None;
    for progress in grown {
        match before {
            Some(last) if progress.depth > last.depth && progress.states > last.states => {
                let (deeper, more) = (progress.depth - last.depth, progress.states - last.states);
                let width = more as f64 / deeper as f64;
                // In few states the whole numbers hide the bell.
                if width >= 16.0 {
                    levels.push((progress.depth as f64, width.ln()));
                }
                before = Some(*progress);
            }
            None => before = Some(*progress),
            Some(_) => {}
        }
    }
    let last = grown.last().map_or(0.0, |last| last.depth as f64);
    match parabola(&levels) {
        Some((height, slope, bend)) if bend < -1e-6 => {
            let at = |depth: f64| height + slope * depth + bend * depth * depth;
            let rest = (1..100_000).map(|more| at(last + f64::from(more)));
            // Past its top it only falls.
            let top = -slope / (2.0 * bend);
            let rest =
                rest.zip(1..).take_while(|(level, more)| *level > 0.0 || last + f64::from(*more) < top);
            Estimate::About(seen as f64 + rest.map(|(level, _)| level.exp()).sum::<f64>())
        }
        _ => Estimate::MoreThan(seen),
    }
}

/// Least squares: `y = a + b x + c x²`.
fn parabola(points: &[(f64, f64)]) -> Option<(f64, f64, f64)> {
    if points.len() < 4 {
        return None;
    }
    // About the mean of x, where the equations are well-conditioned.
    let mean = points.iter().map(|(x, _)| x).sum::<f64>() / points.len() as f64;
    let sum = |term: &dyn Fn(f64, f64) -> f64| points.iter().map(|(x, y)| term(x - mean, *y)).sum::<f64>();
    let moment = |power: i32| sum(&|x, _| x.powi(power));
    let target = |power: i32| sum(&|x, y| x.powi(power) * y);
    let rows: [[f64; 3]; 3] =
        std::array::from_fn(|row| std::array::from_fn(|column| moment((row + column) as i32)));
    let right: [f64; 3] = std::array::from_fn(|row| target(row as i32));
    let determinant = |m: &[[f64; 3]; 3]| {
        m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
            + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0])
    };
    let whole = determinant(&rows);
    if whole.abs() < 1e-9 {
        return None;
    }
    // Cramer's rule.
    let [a, b, c] = std::array::from_fn(|column| {
        let mut replaced = rows;
        replaced.iter_mut().zip(right).for_each(|(row, value)| row[column] = value);
        determinant(&replaced) / whole
    });
    Some((a - b * mean + c * mean * mean, b - 2.0 * c * mean, c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bell_of_levels_is_carried_on_to_its_end() {
        let level = |depth: usize| (12.0 - 0.05 * (depth as f64 - 20.0).powi(2)).exp();
        let until = |end: usize| -> Vec<Progress> {
            (1..=end)
                .map(|depth| Progress { depth, states: (1..=depth).map(|one| level(one) as usize).sum() })
                .collect()
        };
        let all = until(36).last().unwrap().states as f64;
        match estimate(&until(14)) {
            Estimate::About(guess) => assert!((guess / all - 1.0).abs() < 0.1, "{guess} of {all}"),
            Estimate::MoreThan(states) => panic!("no end after {states}"),
        }
        let doubling: Vec<Progress> = (1..20).map(|depth| Progress { depth, states: 1 << depth }).collect();
        assert!(matches!(estimate(&doubling), Estimate::MoreThan(_) | Estimate::About(1e9..)));
    }
}
