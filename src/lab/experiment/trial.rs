//! One run of one cell: a decider meets an adversary over one tape.

use super::adversary::{Adversary, deeds};
use super::counts::{Counts, Note};
use super::deciders::{Asks, Rule, Ruling};
use super::random_inputs::{Moment, RandomInputs};
use super::setting::{Ballots, Delay, Reexecution};
use super::{Share, Voters};
use bemr::wire::Ballot;

/// Whose hands the voters are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// So large a share of them, and what they do.
    By(Adversary, Share),
    /// Every voter is silent: what the rule is worth without the network.
    AllSilent,
}

/// A request is right with this probability.
pub(super) type Prior = f64;

fn ballot(truth: bool) -> Ballot {
    if truth { Ballot::True } else { Ballot::False }
}

/// Runs the tape through a rule. `watch` sees, of each audited transaction, the decision, the ballots and the label.
pub(super) fn trial(
    rule: Rule,
    held: Held,
    prior: Prior,
    tape: &RandomInputs,
    mut watch: impl FnMut(Ruling, &Ballots<'_>, Ballot),
) -> Counts {
    let (moments, all) = match rule.asks() {
        Asks::Server => (&tape.server, Voters::first(1)),
        Asks::Validators | Asks::Nobody => (&tape.network, Voters::first(tape.taken.len())),
    };
    let (adversary, share) = match held {
        Held::By(adversary, share) => (adversary, share),
        Held::AllSilent => (Adversary::BlackHole, Share::WHOLE),
    };
    let taken: Voters = match rule.asks() {
        Asks::Server if share.of_one() > tape.server_taken => all,
        Asks::Server => Voters::NOBODY,
        _ => tape.taken[..share.of(tape.taken.len())].iter().copied().collect(),
    };
    let mut decider = rule.begin(all.len());
    let mut counts = Counts::default();
    let (audited, length) = (rule.uses().audited(), tape.fates.len() as f64);
    for (number, (fate, moment)) in tape.fates.iter().zip(moments).enumerate() {
        let truth = fate.right < prior;
        let deeds = deeds(adversary, taken, all, moment, number as f64 / length, decider.as_ref());
        let says_true = if truth { deeds.right } else { all.without(deeds.right) };
        let Moment { near, .. } = moment;
        let ballots = Ballots { all, says_true, answered: deeds.answered, near };
        let mut contracts = Reexecution::new(ballot(truth != fate.misexecuted));
        let decided = decider.decide(&ballots, &mut contracts);
        let by_then = decided.at;
        assert!(by_then <= Delay::end_of(super::setting::ATTEMPTS - 1).and_execution(), "waiting is bounded");
        let lies = taken.without(deeds.right);
        let mut shown = Voters::NOBODY;
        if fate.audit < audited {
            let label = contracts.run();
            watch(decided.ruling, &ballots, label);
            decider.learn(&ballots, label);
            if adversary == Adversary::Whitewash {
                // An audit is public: whoever it showed to lie goes.
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
        let false_votes = lies & deeds.answered[0];
        let proves = contracts.ran() && !fate.misexecuted;
        let asks = rule.asks() != Asks::Nobody;
        counts.note(&Note {
            right: truth,
            ruling: decided.ruling,
            at: decided.at,
            acknowledged: decided.acknowledged,
            executed: contracts.ran(),
            misled: !ruled_right && !(decided.evidence & lies).is_empty(),
            asked: if asks { all.len() } else { 0 },
            suppressed: if asks { taken.without(deeds.answered[0]).len() } else { 0 },
            delivered: if asks { deeds.answered[0].len() } else { 0 },
            falsified: if asks { false_votes.len() } else { 0 },
            proved: if asks && proves { false_votes.len() } else { 0 },
        });
    }
    counts
}
