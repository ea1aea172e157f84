//! `bemr experiment`: what an ACK is worth.

use crate::command::{Found, print};
use crate::experiment::{Adversary, Campaign, Metric, Rule, Share, Size};

/// Options of `bemr experiment`.
#[derive(clap::Args)]
pub(super) struct Options {
    /// Seconds instead of minutes.
    #[arg(long)]
    quick: bool,
    #[arg(long, default_value_t = 20)]
    n: usize,
    #[arg(long, default_value_t = 10)]
    r: usize,
    #[arg(long, default_value_t = 200)]
    t: usize,
}

pub(super) fn experiment(options: &Options) -> Result<Found, String> {
    let size = Size { validators: options.n, transactions: options.t, runs: options.r };
    let table = Campaign::usual(1, size).run(2, |_| ());
    for prior in [0.5, 0.9] {
        for rule in Rule::ALL {
            for adversary in Adversary::ALL {
                let mut line = format!("{prior} {:12} {:10}", rule.name(), adversary.name());
                for share in Share::SWEEP {
                    let cell = table.cell(prior, adversary, share, rule).unwrap();
                    let e = cell.measured.estimate(Metric::Cdr).unwrap();
                    let bad = cell.limit.binding
                        && (cell.limit.lower.is_some_and(|l| e.upper() < l - 0.001)
                            || cell.limit.upper.is_some_and(|l| e.lower() > l + 0.001));
                    line += &format!(" {:.3}{}", e.mean, if bad { "!" } else { "" });
                }
                print(&line)?;
            }
        }
    }
    print(&format!("{:?}", table.mistakes))?;
    Ok(Found::Nothing)
}
