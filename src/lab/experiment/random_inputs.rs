//! All chance of one run, drawn before it begins: so every decider and every adversary meets the same.
//!
//! It knows what is true, and who errs, is silent or is far away when honest. What is made of that is the adversary's
//! matter and the decider's.

use super::Voters;
use super::setting::{ATTEMPTS, LATEST};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

/// How often honest parties go wrong, each a probability.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Noise {
    /// An honest validator's verdict is wrong (e).
    pub error: f64,
    /// An honest validator's answer does not come, in each attempt (d).
    pub silence: f64,
    /// A re-execution comes to the wrong verdict (e_v). The EHR server's own verdict has the same error.
    pub execution: f64,
}

impl Noise {
    /// Of the set-up in which the rules are compared.
    pub const USUAL: Noise = Noise { error: 0.02, silence: 0.02, execution: 0.001 };
}

/// How large a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Size {
    /// Validators, 1 to [`Voters::MOST`].
    pub validators: usize,
    /// Transactions of one run.
    pub transactions: usize,
    /// Runs.
    pub runs: usize,
}

/// The chance of one transaction among some voters.
pub(super) struct Moment {
    /// Who would err if honest.
    pub(super) errs: Voters,
    /// Who would be silent if honest, in each attempt.
    pub(super) silent: [Voters; ATTEMPTS],
    /// A fair coin of each, for each attempt.
    pub(super) coins: [Voters; ATTEMPTS],
    /// Who is so many ticks away or nearer.
    pub(super) near: [Voters; LATEST + 1],
}

/// The chance of one transaction that concerns nobody in particular.
pub(super) struct Fate {
    /// The request is right where this lies below the share of right ones.
    pub(super) right: f64,
    /// It is audited where this lies below the share that is.
    pub(super) audit: f64,
    /// A re-execution comes to the wrong verdict.
    pub(super) misexecuted: bool,
}

/// All chance of one run.
pub(super) struct RandomInputs {
    /// Validators in the order in which an attacker takes them.
    pub(super) taken: Vec<usize>,
    /// The server is taken where the attacker's share lies above this.
    pub(super) server_taken: f64,
    pub(super) fates: Vec<Fate>,
    pub(super) network: Vec<Moment>,
    pub(super) server: Vec<Moment>,
}

/// One-way latency of the network's links, in ticks: 5 to 25 ms.
const LINK: std::ops::RangeInclusive<usize> = 1..=5;

impl RandomInputs {
    pub(super) fn draw(seed: u64, run: usize, size: &Size, noise: &Noise) -> RandomInputs {
        let stream = |part: u64| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(run as u64 * 4 + part);
            rng
        };
        let mut rng = stream(0);
        let server_taken = rng.random::<f64>();
        let mut taken: Vec<usize> = (0..size.validators).collect();
        for last in (1..taken.len()).rev() {
            taken.swap(last, rng.random_range(0..=last));
        }
        let fate = |rng: &mut ChaCha8Rng| Fate {
            right: rng.random(),
            audit: rng.random(),
            misexecuted: rng.random_bool(noise.execution),
        };
        let mut rng = stream(1);
        let fates = (0..size.transactions).map(|_| fate(&mut rng)).collect();
        let mut rng = stream(2);
        let network =
            (0..size.transactions).map(|_| Moment::draw(&mut rng, size.validators, noise)).collect();
        let mut rng = stream(3);
        let alone = Noise { error: noise.execution, ..*noise };
        let server = (0..size.transactions).map(|_| Moment::draw(&mut rng, 1, &alone)).collect();
        RandomInputs { taken, server_taken, fates, network, server }
    }
}

impl Moment {
    fn draw(rng: &mut ChaCha8Rng, voters: usize, noise: &Noise) -> Moment {
        let mut moment = Moment {
            errs: Voters::NOBODY,
            silent: [Voters::NOBODY; ATTEMPTS],
            coins: [Voters::NOBODY; ATTEMPTS],
            near: [Voters::NOBODY; LATEST + 1],
        };
        for place in 0..voters {
            let only = Voters::only(place);
            if rng.random_bool(noise.error) {
                moment.errs = moment.errs | only;
            }
            for silent in &mut moment.silent {
                if rng.random_bool(noise.silence) {
                    *silent = *silent | only;
                }
            }
            let away = rng.random_range(LINK) + rng.random_range(LINK);
            moment.near[away..].iter_mut().for_each(|near| *near = *near | only);
        }
        for coins in &mut moment.coins {
            let (high, low) = (u128::from(rng.next_u64()), u128::from(rng.next_u64()));
            *coins = Voters::of_bits(high << 64 | low) & Voters::first(voters);
        }
        moment
    }
}
