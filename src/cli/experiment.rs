//! `bemr experiment`: measures decision rules under Byzantine validators, beside the provable bounds.

use crate::{ExitStatus, bar, files, note, print, print_json, write_into};
use bemr::crypto::Suite;
use bemr_lab::experiment::{
    ADOPTED, Campaign, Claim, Expedition, GridPoint, Played, Report, Rule, Share, Size, Table, asking,
};
use std::path::PathBuf;

/// Options of `bemr experiment`.
#[derive(clap::Args)]
pub(super) struct Options {
    /// Seconds instead of minutes.
    #[arg(long)]
    quick: bool,
    /// The folder for experiment.csv, experiment.json and experiment.html; created where it does not exist.
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// The seed of all randomness.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The number of threads; the results do not depend on it.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=64))]
    threads: u8,
    /// Prints one JSON document.
    #[arg(long)]
    json: bool,
}

/// The size of each part.
struct Extent {
    sizes: Vec<Size>,
    asked: Size,
    suite: Suite,
    spots: Vec<GridPoint>,
    transactions: usize,
}

impl Extent {
    fn of(quick: bool) -> Extent {
        let size = |validators, transactions, runs| Size { validators, transactions, runs };
        let spot =
            |played, tenths: usize, under_way| GridPoint { played, share: Share::SWEEP[tenths], under_way };
        let sweep = |tenths: &[usize]| -> Vec<GridPoint> {
            let of = |played| tenths.iter().map(move |tenths| spot(played, *tenths, 1));
            Played::ALL.into_iter().flat_map(of).collect()
        };
        if quick {
            Extent {
                sizes: vec![size(20, 250, 10)],
                asked: size(20, 250, 4),
                suite: Suite::Tiny,
                spots: sweep(&[2, 7]),
                transactions: 20,
            }
        } else {
            Extent {
                sizes: vec![size(20, 1_000, 200), size(100, 600, 60)],
                asked: size(20, 1_000, 20),
                suite: Suite::Ristretto255,
                // The last point measures many transactions in flight at a time.
                spots: sweep(&[0, 2, 3, 4, 6, 7]).into_iter().chain([spot(Played::Falsify, 3, 16)]).collect(),
                transactions: 300,
            }
        }
    }
}

pub(super) fn experiment(options: &Options) -> Result<ExitStatus, String> {
    // Fails before the experiment, which takes minutes.
    files::create_folder(&options.out)?;
    let threads = usize::from(options.threads);
    let Extent { sizes, asked, suite, spots, transactions } = Extent::of(options.quick);
    let tables = sizes.into_iter().map(|size| {
        let bar = bar(Some(size.runs as u64), "runs {wide_bar} {pos}/{len}, {eta} left");
        let table = Campaign::usual(options.seed, size).run(threads, |done| bar.set_position(done as u64));
        let seconds = bar.elapsed().as_secs_f64();
        bar.finish_and_clear();
        note(&format!("{} validators: {} cells in {seconds:.1} s", size.validators, table.cells.len()));
        table
    });
    let tables = tables.collect();
    let asked = asking(options.seed, asked);
    let expedition =
        Expedition { seed: options.seed, suite, validators: 20, transactions, prior: 0.5, spots };
    let all = expedition.spots.len() * expedition.transactions;
    let bar = bar(Some(all as u64), "transactions of the real protocol {wide_bar} {pos}/{len}, {eta} left");
    let points = expedition.run(threads, |done| bar.set_position(done as u64));
    let points = points.map_err(|refusal| refusal.to_string())?;
    note(&format!("{all} transactions of the real protocol in {:.1} s", bar.elapsed().as_secs_f64()));
    bar.finish_and_clear();

    let report = Report { quick: options.quick, tables, asked, expedition, points };
    let failures = report.failures();
    if options.json {
        print_json(&report.summary())?;
    } else {
        print(&show(&report))?;
    }
    for (name, text) in [
        ("experiment.csv", report.csv()),
        ("experiment.json", report.json()),
        ("experiment.html", report.html()),
    ] {
        let path = write_into(&options.out, name, text)?;
        note(&format!("wrote {}", path.display()));
    }
    failures.iter().for_each(|failure| note(failure));
    Ok(ExitStatus::of(failures.is_empty()))
}

/// The claims of every rule, and the results of the real protocol.
fn show(report: &Report) -> String {
    let mut lines = Vec::new();
    for claims in report.tables.iter().map(Table::claims) {
        let Some(Claim { validators, .. }) = claims.first() else { continue };
        lines.push(format!("worst balanced rate of correct decisions (bCDR), n = {validators}"));
        lines.push(format!(
            "{:12}  {:>5}  {:>9}  {:>9}  {:>9}  {:5}  {:5}  {:>13}",
            "rule", "prior", "f < 1/2", "f = 1/2", "f > 1/2", "T1", "T2", "re-executions"
        ));
        for claim in &claims {
            let worst = [claim.below, claim.at, claim.above]
                .map(|worst| worst.map_or("-".to_owned(), |worst| format!("{:.4}", worst.bcdr.mean)));
            let says = |holds: bool| if holds { "holds" } else { "fails" };
            let mark = if claim.rule == ADOPTED { "  adopted" } else { "" };
            lines.push(format!(
                "{:12}  {:>5.1}  {:>9}  {:>9}  {:>9}  {:5}  {:5}  {:>13.2}{mark}",
                claim.rule.name(),
                claim.prior,
                worst[0],
                worst[1],
                worst[2],
                says(claim.t1),
                says(claim.t2),
                claim.cost
            ));
        }
        lines.push(String::new());
    }
    let inside = report.points.iter().filter(|point| point.inside).count();
    let explained = report.points.iter().filter(|point| point.explained && !point.inside).count();
    let rule = Rule::Bemr.name();
    lines.push(format!(
        "the real protocol is within the interval of `{rule}` at {inside} of {} points, and at {explained} more once late votes are counted",
        report.points.len()
    ));
    lines.join("\n")
}
