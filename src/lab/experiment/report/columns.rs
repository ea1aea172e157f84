//! The columns of a cell, under the names of both readings.

use crate::experiment::campaign::Cell;
use crate::experiment::{Delays, Injected, Metric};
use serde::{Serialize, Serializer};

/// What stands in a column.
pub(super) enum Value<'r> {
    /// A name or a reason.
    Text(&'r str),
    /// A count.
    Count(u64),
    /// A number, where there is one; six digits behind the point.
    Number(Option<f64>),
    /// Whether.
    Flag(bool),
}

impl Value<'_> {
    pub(super) fn csv(&self) -> String {
        match self {
            Value::Text(text) => format!("\"{}\"", text.replace('"', "\"\"")),
            Value::Count(count) => count.to_string(),
            Value::Number(None) => String::new(),
            Value::Number(Some(number)) => format!("{number:.6}"),
            Value::Flag(flag) => flag.to_string(),
        }
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Text(text) => serializer.serialize_str(text),
            Value::Count(count) => serializer.serialize_u64(*count),
            Value::Number(None) => serializer.serialize_none(),
            Value::Number(Some(number)) => serializer.serialize_f64((number * 1e6).round() / 1e6),
            Value::Flag(flag) => serializer.serialize_bool(*flag),
        }
    }
}

/// The names of the columns. `_ci` is half the width of a 95 % interval. `psr_lit` is what the paper calls its product loss
/// ratio; `delay_mean_lit_ms` is its average authentication delay.
pub(super) const NAMES: &[&str] = &[
    "validators",
    "prior",
    "adversary",
    "share",
    "held",
    "rule",
    "runs",
    "transactions",
    "prior_measured",
    "cdr",
    "cdr_ci",
    "bcdr",
    "bcdr_ci",
    "far",
    "far_ci",
    "frr",
    "frr_ci",
    "ur",
    "ur_ci",
    "authentication_rate",
    "authentication_rate_ci",
    "authorization_precision",
    "authorization_precision_ci",
    "psr_lit",
    "psr_lit_ci",
    "plr",
    "plr_ci",
    "bhr_effective",
    "bhr_effective_ci",
    "bhr_residual",
    "bhr_residual_ci",
    "fr_effective",
    "fr_effective_ci",
    "reexecutions",
    "reexecutions_ci",
    "plr_ack",
    "faultless_runs",
    "rule_of_three_runs",
    "bhr_injected",
    "fr_injected",
    "fr_detected",
    "delay_mean_ms",
    "delay_mean_right_ms",
    "delay_mean_lit_ms",
    "delay_median_ms",
    "delay_p95_ms",
    "delay_max_ms",
    "decided",
    "censored",
    "proved_lower",
    "proved_upper",
    "proved_by",
    "binding",
    "swap_upper",
];

/// The columns of a cell, as [`NAMES`] has them.
pub(super) fn columns(cell: &Cell) -> Vec<Value<'_>> {
    let Cell { validators, prior, adversary, share, rule, measured, limit, swap } = cell;
    let runs = measured.estimate(Metric::Cdr).map_or(0, |cdr| cdr.runs);
    let number = |value: Option<u64>| Value::Number(value.map(|value| value as f64));
    let mut all = vec![
        Value::Count(*validators as u64),
        Value::Number(Some(*prior)),
        Value::Text(adversary.name()),
        Value::Number(Some(share.of_one())),
        Value::Count(share.of(*validators) as u64),
        Value::Text(rule.name()),
        Value::Count(runs),
        Value::Count(measured.transactions()),
        Value::Number(Some(measured.prior())),
    ];
    for metric in Metric::ALL {
        let estimate = measured.estimate(metric);
        all.push(Value::Number(estimate.map(|estimate| estimate.mean)));
        all.push(Value::Number(estimate.map(|estimate| estimate.half)));
    }
    let acknowledged = measured.estimate(Metric::PsrLit).map(|estimate| 1.0 - estimate.mean);
    let Injected { suppressed, falsified, detected } = measured.injected();
    let Delays { mean, mean_right, average_lit, median, p95, max, decided, censored } = measured.delays();
    all.extend([
        Value::Number(acknowledged),
        Value::Count(measured.faultless()),
        Value::Number((measured.faultless() == runs).then(|| 3.0 / runs.max(1) as f64)),
        Value::Number(Some(suppressed)),
        Value::Number(Some(falsified)),
        Value::Number(detected),
        Value::Number(mean),
        Value::Number(mean_right),
        Value::Number(average_lit),
        number(median),
        number(p95),
        number(max),
        Value::Count(decided),
        Value::Count(censored),
        Value::Number(limit.lower),
        Value::Number(limit.upper),
        Value::Text(limit.by),
        Value::Flag(limit.binding),
        Value::Number(*swap),
    ]);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Campaign, Size};

    #[test]
    fn every_column_has_a_name_and_every_metric_the_name_that_it_calls_itself() {
        let size = Size { validators: 4, transactions: 4, runs: 1 };
        let table = Campaign::usual(1, size).run(1, |_| ());
        assert_eq!(columns(&table.cells[0]).len(), NAMES.len());
        for metric in Metric::ALL {
            let place = NAMES.iter().position(|name| *name == metric.name()).expect("a column of this name");
            assert_eq!(NAMES[place + 1], format!("{}_ci", metric.name()));
            assert_eq!(place, 9 + 2 * metric as usize);
        }
    }
}
