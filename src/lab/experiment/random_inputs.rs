//! The random inputs of one run, drawn before it begins, so that every decider and every adversary gets the same.
//!
//! They contain the truth, and which honest validators err, are silent or are distant; not the reactions of adversary and
//! decider.

use super::Voters;
use super::setting::{ATTEMPTS, LATEST};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

/// The error probabilities of honest parties.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Noise {
    /// An honest validator's verdict is wrong (e).
    pub error: f64,
    /// An honest validator's answer is lost, in each attempt (d).
    pub silence: f64,
    /// A re-execution gives the wrong verdict (e_v). The EHR server's own verdict has the same error.
    pub execution: f64,
}

impl Noise {
    /// The noise under which the rules are compared.
    pub const USUAL: Noise = Noise { error: 0.02, silence: 0.02, execution: 0.001 };
}

/// The size of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Size {
    /// Validators, 1 to [`Voters::MOST`].
    pub validators: usize,
    /// Transactions of one run.
    pub transactions: usize,
    /// Runs.
    pub runs: usize,
}

/// The random inputs of one transaction among some voters.
pub(super) struct NetworkDraw {
    /// Those that err if honest.
    pub(super) errs: Voters,
    /// Those that are silent if honest, in each attempt.
    pub(super) silent: [Voters; ATTEMPTS],
    /// A fair coin for each, in each attempt.
    pub(super) coins: [Voters; ATTEMPTS],
    /// Those at most this many ticks away.
    pub(super) near: [Voters; LATEST + 1],
}

/// The random inputs of one transaction that concern no single voter.
pub(super) struct RequestDraw {
    /// The request is valid where this lies below the share of valid ones.
    pub(super) right: f64,
    /// It is audited where this lies below the audited share.
    pub(super) audit: f64,
    /// A re-execution gives the wrong verdict.
    pub(super) misexecuted: bool,
}

/// The random inputs of one run.
pub(super) struct RandomInputs {
    /// Validators in the order in which an attacker corrupts them.
    pub(super) taken: Vec<usize>,
    /// The server is corrupted where the attacker's share lies above this.
    pub(super) server_taken: f64,
    pub(super) requests: Vec<RequestDraw>,
    pub(super) network: Vec<NetworkDraw>,
    pub(super) server: Vec<NetworkDraw>,
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
        let request = |rng: &mut ChaCha8Rng| RequestDraw {
            right: rng.random(),
            audit: rng.random(),
            misexecuted: rng.random_bool(noise.execution),
        };
        let mut rng = stream(1);
        let requests = (0..size.transactions).map(|_| request(&mut rng)).collect();
        let mut rng = stream(2);
        let network =
            (0..size.transactions).map(|_| NetworkDraw::draw(&mut rng, size.validators, noise)).collect();
        let mut rng = stream(3);
        let alone = Noise { error: noise.execution, ..*noise };
        let server = (0..size.transactions).map(|_| NetworkDraw::draw(&mut rng, 1, &alone)).collect();
        RandomInputs { taken, server_taken, requests, network, server }
    }
}

impl NetworkDraw {
    fn draw(rng: &mut ChaCha8Rng, voters: usize, noise: &Noise) -> NetworkDraw {
        let mut moment = NetworkDraw {
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
