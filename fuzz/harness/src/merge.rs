//! Takes into the corpus what campaigns kept and the corpus does not exercise. Nothing in the corpus is changed or removed: its names say what each
//! input is for.

use crate::corpus::{self, Named};
use crate::engine::execute;
use crate::{Seen, Subject, Target, kept};
use std::cmp::Reverse;
use std::fs;
use std::io;
use std::path::Path;

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// The names in the corpus of the inputs that were taken.
    pub taken: Vec<String>,
    /// How many were not.
    pub left: usize,
    /// Those that show a fault, by their names: none is taken.
    pub faults: Vec<String>,
}

/// Takes of the inputs in one folder at most so many, those first that exercise most of what the corpus in the other folder does not.
///
/// # Errors
/// A file that cannot be read or written.
pub fn merge(target: &Target, corpus: &Path, kept: &Path, most: usize) -> io::Result<Merged> {
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
    // Of two that add as much, the cheap one.
    judged.sort_by_cached_key(|(seen, (name, input))| (seen.cost(), input.len(), name.clone()));
    fs::create_dir_all(corpus)?;
    while merged.taken.len() < most {
        judged.retain(|(seen, _)| {
            let adds = seen.adds_to(&all);
            merged.left += usize::from(!adds);
            adds
        });
        let gains =
            judged.iter().enumerate().map(|(place, (seen, _))| (seen.more_than(&all), Reverse(place)));
        let Some((_, Reverse(place))) = gains.max() else { break };
        let (seen, (_, input)) = judged.remove(place);
        all.take(&seen);
        let name = format!("kept-{}", &kept::name(&input)[..16]);
        fs::write(corpus.join(&name), &input)?;
        merged.taken.push(name);
    }
    merged.left += judged.len();
    Ok(merged)
}
