//! One run of one cell: a decider and an adversary on the same random inputs.

use super::adversary::{Adversary, behaviour};
use super::counts::{Counts, Note};
use super::deciders::{Asks, Rule, Ruling};
use super::random_inputs::{NetworkDraw, RandomInputs};
use super::setting::{Ballots, Delay, Reexecution};
use super::{Share, Voters};
use bemr::wire::Ballot;

/// Which voters are Byzantine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// This share of them, with this strategy.
    By(Adversary, Share),
    /// Every voter is silent: the rule without votes.
    AllSilent,
}

/// The probability of a valid request.
pub(super) type Prior = f64;

fn ballot(truth: bool) -> Ballot {
    if truth { Ballot::True } else { Ballot::False }
}

/// Applies a rule to the inputs. `watch` receives, of each audited transaction, the decision, the ballots and the label.
pub(super) fn trial(
    rule: Rule,
    held: Held,
    prior: Prior,
    inputs: &RandomInputs,
    mut watch: impl FnMut(Ruling, &Ballots<'_>, Ballot),
) -> Counts {
    let (moments, all) = match rule.asks() {
        Asks::Server => (&inputs.server, Voters::first(1)),
        Asks::Validators | Asks::Nobody => (&inputs.network, Voters::first(inputs.taken.len())),
    };
    let (adversary, share) = match held {
        Held::By(adversary, share) => (adversary, share),
        Held::AllSilent => (Adversary::BlackHole, Share::WHOLE),
    };
    let taken: Voters = match rule.asks() {
        Asks::Server if share.of_one() > inputs.server_taken => all,
        Asks::Server => Voters::NOBODY,
        _ => inputs.taken[..share.of(inputs.taken.len())].iter().copied().collect(),
    };
    let mut decider = rule.begin(all.len());
    let mut counts = Counts::default();
    let (audited, length) = (rule.uses().audited(), inputs.requests.len() as f64);
    for (number, (request, moment)) in inputs.requests.iter().zip(moments).enumerate() {
        let truth = request.right < prior;
        let behaviour = behaviour(adversary, taken, all, moment, number as f64 / length, decider.as_ref());
        let says_true = if truth { behaviour.right } else { all.without(behaviour.right) };
        let NetworkDraw { near, .. } = moment;
        let ballots = Ballots { all, says_true, answered: behaviour.answered, near };
        let mut contracts = Reexecution::new(ballot(truth != request.misexecuted));
        let decided = decider.decide(&ballots, &mut contracts);
        let by_then = decided.at;
        assert!(by_then <= Delay::end_of(super::setting::ATTEMPTS - 1).and_execution(), "waiting is bounded");
        let lies = taken.without(behaviour.right);
        let mut shown = Voters::NOBODY;
        if request.audit < audited {
            let label = contracts.run();
            watch(decided.ruling, &ballots, label);
            decider.learn(&ballots, label);
            if adversary == Adversary::Whitewash {
                // An audit is public: a validator that it exposes leaves.
                shown = if label == ballot(truth) { lies } else { Voters::NOBODY };
            }
        }
        if adversary == Adversary::Whitewash {
            let newcomer = decider.newcomer();
            let fallen: Voters = taken.places().filter(|place| decider.weight(*place) < newcomer).collect();
            let gone = shown | fallen;
            if !gone.is_empty() {
                decider.renew(gone);
            }
        }
        let ruled_right = decided.ruling == Ruling::from(ballot(truth));
        let false_votes = lies & behaviour.answered[0];
        let proves = contracts.ran() && !request.misexecuted;
        let asks = rule.asks() != Asks::Nobody;
        counts.note(&Note {
            right: truth,
            ruling: decided.ruling,
            at: decided.at,
            acknowledged: decided.acknowledged,
            executed: contracts.ran(),
            misled: !ruled_right && !(decided.evidence & lies).is_empty(),
            asked: if asks { all.len() } else { 0 },
            suppressed: if asks { taken.without(behaviour.answered[0]).len() } else { 0 },
            delivered: if asks { behaviour.answered[0].len() } else { 0 },
            falsified: if asks { false_votes.len() } else { 0 },
            proved: if asks && proves { false_votes.len() } else { 0 },
        });
    }
    counts
}
