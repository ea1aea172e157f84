//! The report of a fuzzing campaign: format `bemr-fuzz/1`, one JSON document that `fuzz/` writes.
//!
//! A campaign that missed a planted bug is uninformative: its silence about other bugs is no evidence.

use bemr_spec::Clause;
use serde::{Deserialize, Serialize};

/// The name and version of the format.
pub const FUZZ_FORMAT: &str = "bemr-fuzz/1";

/// The most bytes of a report.
pub const MAX_REPORT: usize = 1 << 20;

/// A campaign.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FuzzReport {
    /// The name and version of the format.
    pub format: String,
    /// The commit that was fuzzed.
    pub commit: String,
    /// The compiler.
    pub toolchain: String,
    /// The engine that made the inputs.
    pub engine: String,
    /// The initial corpus: the committed one, or none.
    pub corpus: String,
    /// One row per target.
    pub targets: Vec<TargetRow>,
    /// The clauses by which the lockstep target had an input refused.
    pub clauses: Vec<Clause>,
    /// One row per planted bug.
    pub canaries: Vec<CanaryRow>,
}

/// A target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetRow {
    /// Its name.
    pub name: String,
    /// Inputs that were executed.
    pub executions: u64,
    /// The duration.
    pub seconds: f64,
    /// Inputs with new coverage.
    pub kept: u64,
    /// The fault, if one was found.
    pub found: Option<String>,
}

/// A planted bug.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CanaryRow {
    /// Its name.
    pub name: String,
    /// The target that should find it.
    pub target: String,
    /// What it does.
    pub what: String,
    /// Whether it was found.
    pub found: bool,
    /// Inputs that were executed until then, or until the time-out.
    pub executions: u64,
    /// The duration.
    pub seconds: f64,
}

impl FuzzReport {
    /// Reads a report.
    ///
    /// # Errors
    /// The field, if it is one, and the problem.
    pub fn read(bytes: &[u8]) -> Result<FuzzReport, String> {
        if bytes.len() > MAX_REPORT {
            return Err(format!("more than {MAX_REPORT} bytes"));
        }
        let mut input = serde_json::Deserializer::from_slice(bytes);
        let report: FuzzReport = serde_path_to_error::deserialize(&mut input).map_err(|error| {
            let told = error.to_string();
            told.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect::<String>()
        })?;
        input.end().map_err(|error| error.to_string())?;
        let refuse = |field: String, problem: &str| Err(format!("{field}: {problem}"));
        if report.format != FUZZ_FORMAT {
            return refuse("format".to_owned(), &format!("not `{FUZZ_FORMAT}`"));
        }
        let texts = [&report.commit, &report.toolchain, &report.engine, &report.corpus];
        let rows = report.targets.iter().flat_map(|row| [Some(&row.name), row.found.as_ref()]).flatten();
        let planted = report.canaries.iter().flat_map(|row| [&row.name, &row.target, &row.what]);
        if texts.into_iter().chain(rows).chain(planted).any(|text| text.chars().any(char::is_control)) {
            return refuse("report".to_owned(), "a control character");
        }
        let times =
            report.targets.iter().map(|row| row.seconds).chain(report.canaries.iter().map(|row| row.seconds));
        if times.into_iter().any(|seconds| !(0.0..1e9).contains(&seconds)) {
            return refuse("seconds".to_owned(), "not a time that somebody waits");
        }
        if !report.clauses.is_sorted_by(|one, next| one < next) {
            return refuse("clauses".to_owned(), "not ascending, each once");
        }
        Ok(report)
    }

    /// Why the campaign has shown nothing, where it has not.
    pub fn uninformative(&self) -> Option<String> {
        let missed: Vec<&str> =
            self.canaries.iter().filter(|row| !row.found).map(|row| row.name.as_str()).collect();
        let idle: Vec<&str> =
            self.targets.iter().filter(|row| row.executions == 0).map(|row| row.name.as_str()).collect();
        let blind: Vec<&str> = self
            .targets
            .iter()
            .map(|row| row.name.as_str())
            .filter(|name| !self.canaries.iter().any(|row| row.target == *name))
            .collect();
        let why = |what: &str, names: &[&str]| format!("{what}: {}", names.join(", "));
        match (self.targets.is_empty(), missed.is_empty(), idle.is_empty(), blind.is_empty()) {
            (true, ..) => Some("no target was run".to_owned()),
            (_, false, ..) => Some(why("planted bugs were not found", &missed)),
            (_, _, false, _) => Some(why("nothing was executed of", &idle)),
            (_, _, _, false) => Some(why("no bug was planted for", &blind)),
            _ => None,
        }
    }

    /// What was found in the product, by target.
    pub fn found(&self) -> impl Iterator<Item = (&str, &str)> {
        self.targets.iter().filter_map(|row| Some((row.name.as_str(), row.found.as_deref()?)))
    }
}
