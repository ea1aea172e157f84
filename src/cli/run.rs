//! `bemr run`: submits records to a simulated network and reads them back.

use crate::inputs;
use crate::run_loop::RunLoop;
use crate::{ExitStatus, adversary, bar, files, note, trace_file};
use bemr::actors::StoreHandle;
use bemr::crypto::Suite;
use bemr::records::FhirDate;
use bemr::store::{MemoryStore, RedbStore, Store, Table};
use bemr::wire::{AttributeType, Time};
use bemr_lab::faults::Adversary;
use bemr_lab::simulator::{Injection, LedgerKind, MAX_VALIDATORS, NetworkConfig};
use bemr_lab::trace::MAX_TRACED;
use bemr_spec::Rules;
use std::path::{Path, PathBuf};

/// The most submissions in flight at once.
const WINDOW: usize = 32;

/// The latest start of a run: the end of the year 9999.
const LATEST: Time = Time(253_402_300_799_999);

/// Options of `bemr run`.
#[derive(clap::Args)]
pub(super) struct Options {
    /// Record files, or folders of them; without any, the sample that ships with the program.
    #[arg(long, num_args = 1.., value_name = "FILE|DIR")]
    records: Vec<PathBuf>,
    /// The cryptographic suite: ffdhe2048, ffdhe3072, ristretto255, or tiny (insecure, for tests).
    #[arg(long, default_value = "ffdhe2048")]
    suite: Suite,
    /// The number of validators.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=MAX_VALIDATORS as i64))]
    validators: u16,
    /// How blocks are committed: by a quorum of validators or by proof of work.
    #[arg(long, value_enum, default_value_t = Ledger::Quorum)]
    ledger: Ledger,
    /// Stores ledger, cloud and audit log in a database at this path, which must not hold one yet.
    #[arg(long, value_name = "PATH")]
    store: Option<PathBuf>,
    /// Writes the trace of the run to this file, line by line as it happens; for at most 64 validators.
    #[arg(long, value_name = "OUT")]
    trace: Option<PathBuf>,
    /// Runs under this adversary: a name (`bemr adversary` lists them) or a file of fault rules; for at most 64 validators.
    #[arg(long, value_name = "NAME|FILE")]
    adversary: Option<String>,
    /// The seed of all randomness: the same seed gives the same bytes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The start of virtual time: a date, a date and time with zone as in RFC 3339, or milliseconds since 1970. A record
    /// dated after it is rejected.
    #[arg(long, default_value = "2027-01-01T00:00:00Z", value_name = "TIME", value_parser = instant)]
    start: Time,
    /// Prints one JSON document instead of the table.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Ledger {
    Quorum,
    Pow,
}

/// Digits alone are milliseconds since 1970.
fn instant(text: &str) -> Result<Time, String> {
    let time = match text.parse() {
        Ok(milliseconds) => Some(Time(milliseconds)),
        Err(_) => FhirDate::parse(AttributeType::DateTime, text).and_then(|moment| moment.begins()),
    };
    time.filter(|time| *time <= LATEST).ok_or_else(|| {
        "expected a date, a date and time with zone such as 2027-01-01T00:00:00Z, or milliseconds, from 1970 to 9999"
            .to_owned()
    })
}

pub(super) fn run(options: &Options) -> Result<ExitStatus, String> {
    let rules = Rules::hardened();
    // Everything that can fail comes before the trace file, which overwrites.
    if options.trace.is_some() && usize::from(options.validators) > MAX_TRACED {
        return Err(format!("--trace: a trace has at most {MAX_TRACED} validators"));
    }
    let injection = options.adversary.as_deref().map(|name| injection(name, options)).transpose()?;
    // Before the outputs are created, one of which may be in a folder of records.
    let sources = inputs::sources(&options.records);
    let mut used: Vec<PathBuf> = inputs::files(&sources).cloned().collect();
    if let Some(store) = &options.store {
        used.extend([store.clone(), RedbStore::keys_of(store)]);
    }
    let reserve = |path: &PathBuf| files::reserve(path, trace_file::HEAD, &used);
    let trace = options.trace.as_ref().map(reserve).transpose()?;
    let store = match &options.store {
        None => StoreHandle::new(MemoryStore::new()),
        Some(path) => StoreHandle::new(fresh_store(path)?),
    };
    let mut config = NetworkConfig {
        rules,
        ledger: match options.ledger {
            Ledger::Quorum => LedgerKind::Quorum,
            Ledger::Pow => LedgerKind::Work,
        },
        seed: options.seed,
        start: options.start,
        store,
        ..NetworkConfig::new(options.suite, options.validators.into())
    };
    let mut injected = None;
    if let Some((adversary, Injection { injector, policies, injected: counts })) = injection {
        (config.injector, config.policies) = (injector, policies);
        injected = Some((adversary, counts));
    }
    let mut run = RunLoop::begin(config, trace)?;
    let bar = bar(Some(sources.len() as u64), "{bar:30} {pos}/{len} records {msg}");
    for source in sources {
        run.submit(inputs::read(&rules, source));
        run.settle(WINDOW - 1)?;
        bar.set_position(run.settled());
    }
    run.settle(0)?;
    bar.set_message("reading back");
    let verified_reads = run.read_all()?;
    run.close()?;
    bar.finish_and_clear();
    let (report, failures) = run.end(verified_reads);
    let status = report.show(options.json)?;
    if let Some((adversary, counts)) = injected {
        for (rule, count) in adversary.rules().iter().zip(counts.borrow().iter()) {
            let done = if rule.kind.is_of_votes() { String::new() } else { format!(": {count} times") };
            note(&format!("adversary: {rule}{done}"));
        }
    }
    Ok(failures.into_iter().fold(status, |status, (failure, weight)| {
        note(&failure);
        status.max(weight)
    }))
}

/// The adversary that was asked for, and what it makes of the network.
fn injection(name: &str, options: &Options) -> Result<(Adversary, Injection), String> {
    let validators =
        u8::try_from(options.validators).ok().filter(|validators| usize::from(*validators) <= MAX_TRACED);
    let validators =
        validators.ok_or(format!("--adversary: fault rules name at most {MAX_TRACED} validators"))?;
    let adversary = adversary::find(name, validators)?;
    let injection = Injection::new(&adversary, usize::from(validators), options.start, options.seed);
    Ok((adversary, injection.map_err(|problem| format!("{name}: {problem}"))?))
}

/// Runs the shipped sample in memory and returns its store.
pub(super) fn sample() -> Result<StoreHandle, String> {
    let rules = Rules::hardened();
    let config = NetworkConfig::new(Suite::Ristretto255, 4);
    let store = config.store.clone();
    let mut run = RunLoop::begin(config, None)?;
    for source in inputs::sources(&[]) {
        run.submit(inputs::read(&rules, source));
    }
    run.settle(0)?;
    run.close()?;
    Ok(store)
}

fn fresh_store(path: &Path) -> Result<RedbStore, String> {
    let store = RedbStore::open(path).map_err(|error| error.to_string())?;
    let held = store.len(Table::Meta).map_err(|error| error.to_string())?;
    if held > 0 {
        return Err(format!(
            "{}: holds a network already; `bemr audit --store` checks it, `bemr run` needs a new path",
            path.display()
        ));
    }
    Ok(store)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bemr_lab::simulator::START;

    #[test]
    fn a_start_is_a_day_a_time_or_milliseconds() {
        assert_eq!(instant("2027-01-01T00:00:00Z"), Ok(START));
        assert_eq!(instant("2027-01-01T01:00:00+01:00"), Ok(START));
        assert_eq!(instant("2027-01-01"), Ok(START));
        assert_eq!(instant("1798761600000"), Ok(START));
        assert_eq!(instant("9999-12-31T23:59:59.999Z"), Ok(LATEST));
        for bad in ["", "now", "-1", "1969-12-31", "2027-02-30", "2027-01-01T00:00:00", "253402300800000"] {
            assert!(instant(bad).is_err(), "{bad}");
        }
    }
}
