//! What an ACK is worth: the rules, their bounds and claims, the real protocol beside them, and the page.

mod limits;
mod page;
mod protocol;
mod rules;

use bemr_lab::experiment::{Campaign, Rule, Size, Table};

/// Every adversary, share and mix, with few runs: the seed is fixed, so that what holds once holds always.
fn table(rules: &[Rule], transactions: usize, runs: usize) -> Table {
    let size = Size { validators: 20, transactions, runs };
    Campaign { rules: rules.to_vec(), ..Campaign::usual(1, size) }.run(2, |_| ())
}
