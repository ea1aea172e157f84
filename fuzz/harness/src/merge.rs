//! Takes into the corpus what campaigns kept and the corpus does not exercise. Nothing in the corpus is changed or removed: its names say what each
//! input is for.

use crate::corpus::{self, Named};
use crate::engine::execute;
use crate::{Seen, Subject, Target, kept};
use std::fs;
use std::io;
use std::path::Path;

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// The names in the corpus of the inputs that were taken.
    pub taken: Vec<String>,
    /// How many exercise nothing that the corpus does not, or no input before.
    pub left: usize,
    /// Those that show a fault, by their names: none is taken.
    pub faults: Vec<String>,
}

/// Takes of the inputs in one folder, the cheap ones first, those that exercise what the corpus in the other folder does not.
///
/// # Errors
/// A file that cannot be read or written.
pub fn merge(target: &Target, corpus: &Path, kept: &Path) -> io::Result<Merged> {
    let subject = Subject::product();
    let mut all = Seen::default();
    for (_, input) in corpus::read_folder(corpus)? {
        // What it finds is told by the test that replays the corpus.
        let _ = execute(target, &subject, &input, &mut all);
    }
    let mut merged = Merged::default();
    let mut judged: Vec<(Seen, Named)> = Vec::new();
    for (name, input) in corpus::read_folder(kept)? {
        let mut seen = Seen::default();
        match execute(target, &subject, &input, &mut seen) {
            Ok(()) => judged.push((seen, (name, input))),
            Err(_) => merged.faults.push(name),
        }
    }
    judged.sort_by_cached_key(|(seen, (name, input))| (seen.cost(), input.len(), name.clone()));
    fs::create_dir_all(corpus)?;
    for (seen, (_, input)) in judged {
        if !seen.adds_to(&all) {
            merged.left += 1;
            continue;
        }
        all.take(&seen);
        let name = format!("kept-{}", &kept::name(&input)[..16]);
        fs::write(corpus.join(&name), &input)?;
        merged.taken.push(name);
    }
    Ok(merged)
}
