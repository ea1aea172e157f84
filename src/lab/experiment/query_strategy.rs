//! Which validators to query first: the protocol's strategy beside two that save messages.
//!
//! Every transaction is re-executed, so that each strategy learns from correct labels. Each needs a quorum of all validators; the
//! comparison is about messages and waiting, not about decisions.

use super::adversary::{Adversary, Behaviour, behaviour};
use super::deciders::Rule;
use super::measures::{Estimate, Spread};
use super::random_inputs::{NetworkDraw, Noise, RandomInputs, Size};
use super::setting::{ATTEMPTS, Ballots, Delay, LATEST};
use super::{Share, Voters};
use bemr::wire::Ballot;
use serde::Serialize;

/// A query strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// All at once; retransmission to the silent ones.
    Everybody,
    /// As many as a quorum needs, those of the best beta reputation first; then all that have not answered.
    TrustedFirst,
    /// As many as a quorum needs, in an order that never changes; then all that have not answered.
    FixedFirst,
}

impl Order {
    /// All of them.
    pub const ALL: [Order; 3] = [Order::Everybody, Order::TrustedFirst, Order::FixedFirst];

    /// Its name in every table.
    pub fn name(self) -> &'static str {
        match self {
            Order::Everybody => "everybody",
            Order::TrustedFirst => "trusted_first",
            Order::FixedFirst => "fixed_first",
        }
    }
}

/// The cost and success of a strategy.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Asked {
    /// The order.
    pub order: Order,
    /// What those held do.
    pub adversary: Adversary,
    /// How many are held.
    pub share: Share,
    /// Transactions with a quorum for the correct verdict.
    pub quorum: Estimate,
    /// T_blocks sent for each transaction.
    pub messages: f64,
    /// Mean virtual milliseconds until a quorum, over those that have one.
    pub waited: Option<f64>,
}

/// The `count` validators that weigh most; of equals the first.
fn heaviest(count: usize, validators: usize, weight: impl Fn(usize) -> f64) -> Voters {
    let mut places: Vec<usize> = (0..validators).collect();
    places.sort_by(|a, b| weight(*b).total_cmp(&weight(*a)).then(a.cmp(b)));
    places.into_iter().take(count).collect()
}

/// Compares the strategies below the share at which no quorum remains, against falsifying and silent validators.
pub fn asking(seed: u64, size: Size) -> Vec<Asked> {
    let mut rows = Vec::new();
    for order in Order::ALL {
        for adversary in [Adversary::Falsify, Adversary::BlackHole] {
            for share in &Share::SWEEP[..4] {
                rows.push(ask(seed, size, order, adversary, *share));
            }
        }
    }
    rows
}

/// What came of asking for one transaction.
struct Gathered {
    /// The delay until a quorum for the correct verdict.
    at: Option<Delay>,
    /// Who answered.
    answered: Voters,
    /// Who was asked.
    asked: Voters,
    messages: usize,
}

/// Queries `first`, then all that have not answered, until a quorum for the correct verdict exists or is impossible.
fn gather(first: Voters, all: Voters, behaviour: &Behaviour, moment: &NetworkDraw) -> Gathered {
    let quorum = 2 * all.len() / 3 + 1;
    let mut gathered = Gathered { at: None, answered: Voters::NOBODY, asked: Voters::NOBODY, messages: 0 };
    for attempt in 0..ATTEMPTS {
        let before = gathered.answered;
        let asked = if attempt == 0 { first } else { all }.without(before);
        gathered.messages += asked.len();
        gathered.asked = gathered.asked | asked;
        // A validator that is not queried in an attempt is silent in it.
        let fresh = behaviour.answered[attempt] & asked;
        let enough =
            |tick: &usize| ((before | (fresh & moment.near[*tick])) & behaviour.right).len() >= quorum;
        let came = (0..=LATEST).find(enough);
        gathered.answered = before | fresh;
        gathered.at = came.map(|tick| Delay { expired: attempt as u8, ticks: tick as u8 });
        let lost = gathered.answered.without(behaviour.right).len() > all.len() - quorum;
        if lost || gathered.at.is_some() {
            break;
        }
    }
    gathered
}

fn ask(seed: u64, size: Size, order: Order, adversary: Adversary, share: Share) -> Asked {
    let noise = Noise { execution: 0.0, ..Noise::USUAL };
    let (validators, all) = (size.validators, Voters::first(size.validators));
    let quorum = 2 * validators / 3 + 1;
    let (mut reached, mut messages, mut waited, mut count) = (Spread::default(), 0, 0, 0);
    for run in 0..size.runs {
        let inputs = RandomInputs::draw(seed, run, &size, &noise);
        let held: Voters = inputs.taken[..share.of(validators)].iter().copied().collect();
        let mut trust = Rule::BetaFull.begin(validators);
        let mut quorums = 0;
        for (request, moment) in inputs.requests.iter().zip(&inputs.network) {
            let label = if request.right < 0.5 { Ballot::True } else { Ballot::False };
            let behaviour = behaviour(adversary, held, all, moment, 1.0, trust.as_ref());
            let first = match order {
                Order::Everybody => all,
                Order::TrustedFirst => heaviest(quorum, validators, |place| trust.weight(place)),
                Order::FixedFirst => Voters::first(quorum),
            };
            let gathered = gather(first, all, &behaviour, moment);
            messages += gathered.messages;
            if let Some(at) = gathered.at {
                quorums += 1;
                waited += at.milliseconds();
                count += 1;
            }
            let says_true =
                if label == Ballot::True { behaviour.right } else { all.without(behaviour.right) };
            // Only validators that were queried are judged, by their answer in any attempt.
            let answered = [gathered.answered; ATTEMPTS];
            trust.learn(&Ballots { all: gathered.asked, says_true, answered, near: &moment.near }, label);
        }
        reached.add(quorums, inputs.requests.len() as u64);
    }
    let transactions = (size.runs * size.transactions).max(1) as f64;
    Asked {
        order,
        adversary,
        share,
        quorum: reached.estimate().unwrap_or_default(),
        messages: messages as f64 / transactions,
        waited: (count > 0).then(|| waited as f64 / count as f64),
    }
}
