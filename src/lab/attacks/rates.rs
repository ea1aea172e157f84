//! Attacks on a rate: many runs of the experiment's decision rules, against bounds that were fixed before anything was measured.

use crate::attacks::evidence::Evidence;
use crate::experiment::{Adversary, Campaign, Metric, Noise, Rule, Share, Size};
use bemr_spec::Clause;

/// Twenty validators, and few runs: each bound is far from what is measured.
const SIZE: Size = Size { validators: 20, transactions: 500, runs: 20 };

/// C-35: the attack works where two Byzantine validators of twenty add more than this to the re-executions of a transaction.
const ADDED: f64 = 0.5;

/// C-38: the attack works where more than this share of the wrong requests is accepted; the protocol accepts less than a tenth of it.
const ACCEPTED: f64 = 0.1;

/// A metric of a rule against an adversary who holds this share.
fn measured(rule: Rule, adversary: Adversary, share: Share, metric: Metric) -> Result<f64, String> {
    let campaign = Campaign {
        seed: 1,
        size: SIZE,
        noise: Noise::USUAL,
        priors: vec![0.5],
        rules: vec![rule],
        adversaries: vec![adversary],
        shares: vec![share],
    };
    let table = campaign.run(1, |_| ());
    let cell = table.cell(0.5, adversary, share, rule).ok_or("the cell is not in the table")?;
    Ok(cell.measured.estimate(metric).ok_or("nothing was measured")?.mean)
}

/// C-35: two dissenters of twenty have every transaction executed again, where dissent is what asks for it.
pub(super) fn load() -> Result<Evidence, String> {
    let cost = |rule, share| measured(rule, Adversary::Falsify, share, Metric::Cost);
    let [nobody, two] = [Share::SWEEP[0], Share::SWEEP[1]];
    let (quiet, loaded) = (cost(Rule::ConflictRv, nobody)?, cost(Rule::ConflictRv, two)?);
    if loaded - quiet < ADDED {
        return Err(format!("dissent adds {:.2} re-executions to {quiet:.2}", loaded - quiet));
    }
    let (own, under_attack) = (cost(Rule::Bemr, nobody)?, cost(Rule::Bemr, two)?);
    if (under_attack - own).abs() > ADDED / 10.0 || under_attack > 1.0 {
        return Err(format!(
            "the protocol executes {own:.2} times, and {under_attack:.2} times for dissenters"
        ));
    }
    let published = format!(
        "two of twenty who dissent: {quiet:.2} re-executions of a transaction become {loaded:.2}; here it is one, whatever they say"
    );
    Ok(Evidence { published, refused_by: Clause::AcceptNeedsReverification, steps: SIZE.runs })
}

/// C-38: a coalition that is honest until it outweighs the others has what is wrong accepted, where votes are weighed by a
/// trust that the votes themselves earn.
pub(super) fn poisoned_trust() -> Result<Evidence, String> {
    let accepted = |rule, share| measured(rule, Adversary::Strategic, share, Metric::Far);
    let (four_tenths, nine_tenths) = (Share::SWEEP[4], Share::SWEEP[9]);
    let trusting = accepted(Rule::BetaSelf, four_tenths)?;
    if trusting < ACCEPTED {
        return Err(format!("{trusting:.3} of what is wrong is accepted"));
    }
    let here = accepted(Rule::Bemr, nine_tenths)?;
    if here > ACCEPTED / 10.0 {
        return Err(format!("the protocol accepts {here:.3} of what is wrong"));
    }
    let published = format!(
        "eight of twenty who wait until they outweigh the rest: {trusting:.2} of what is wrong is accepted; here {here:.3}, of eighteen"
    );
    Ok(Evidence { published, refused_by: Clause::AcceptNeedsReverification, steps: SIZE.runs })
}
