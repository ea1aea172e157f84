//! A copy of the project in which every mutant is a branch, built once.
//!
//! What the compiler does not take as a branch is taken out by its own messages, and the copy is built again, until it builds. It does not judge
//! whether such a mutant would compile in its own right.

use crate::branch::branch;
use crate::list::Mutant;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The file that declares the rooms.
const ROOT: &str = "src/lib.rs";

/// What every file of the copy that has branches may call.
const SWITCH: &str = include_str!("switch.rs");

/// Where the form allows no branch: `||` beside a `let`, which no compiler takes, and an iterator of another type.
const NO_BRANCH: &str = "no branch";

/// The copy, and where it is built.
pub(crate) struct Copy {
    pub(crate) tree: PathBuf,
    pub(crate) target: PathBuf,
    /// The mutants that are no branch of it, by their names, and what the compiler said of them.
    pub(crate) out: BTreeMap<String, String>,
}

/// A line of what cargo says.
#[derive(Deserialize)]
struct Line {
    message: Option<Message>,
    target: Option<Target>,
    profile: Option<Profile>,
    executable: Option<PathBuf>,
    manifest_path: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

#[derive(Deserialize)]
struct Message {
    level: String,
    message: String,
    #[serde(default)]
    spans: Vec<Place>,
    #[serde(default)]
    children: Vec<Message>,
}

#[derive(Deserialize)]
struct Place {
    file_name: String,
    byte_start: usize,
    is_primary: bool,
    expansion: Option<Box<Expansion>>,
}

#[derive(Deserialize)]
struct Expansion {
    span: Place,
}

/// A program of tests.
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    /// The folder of its package, in which it runs.
    pub(crate) folder: PathBuf,
}

type Places = BTreeMap<String, Vec<(Range<usize>, usize)>>;

impl Copy {
    /// Copies the files that the project keeps, as they are now, but for those that get branches. `out` is known to be none.
    pub(crate) fn of(
        project: &Path,
        home: &Path,
        mutants: &[Mutant],
        out: BTreeMap<String, String>,
    ) -> Result<Copy, String> {
        let tree = home.join("tree");
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(project)
            .output()
            .map_err(|error| format!("git: {error}"))?;
        for path in String::from_utf8_lossy(&listed.stdout).split('\0').filter(|path| !path.is_empty()) {
            let from = project.join(path);
            let branches = path == ROOT || mutants.iter().any(|mutant| mutant.file == path);
            if from.is_file() && !branches {
                write(&tree.join(path), &fs::read(&from).map_err(|error| format!("{path}: {error}"))?)?;
            }
        }
        Ok(Copy { tree, target: home.join("build"), out })
    }

    /// Writes the branches and builds, again and again, and says what programs of tests there are.
    pub(crate) fn build(&mut self, project: &Path, mutants: &[Mutant]) -> Result<Vec<Program>, String> {
        loop {
            let places = self.write(project, mutants)?;
            let said = self.cargo(&["test", "--no-run", "--message-format=json"])?;
            if !self.take_out(&said, &places, mutants)? {
                return Ok(programs(&said));
            }
            eprintln!("mutants: {} of {} are no branch", self.out.len(), mutants.len());
        }
    }

    fn cargo(&self, arguments: &[&str]) -> Result<String, String> {
        let ran = Command::new("cargo")
            .args(arguments)
            .current_dir(&self.tree)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_INCREMENTAL", "0")
            .output()
            .map_err(|error| format!("cargo: {error}"))?;
        Ok(String::from_utf8_lossy(&ran.stdout).into_owned())
    }

    fn write(&mut self, project: &Path, mutants: &[Mutant]) -> Result<Places, String> {
        let mut by_file: BTreeMap<&str, Vec<(usize, &Mutant)>> = BTreeMap::new();
        for (number, mutant) in (1..).zip(mutants) {
            let here = by_file.entry(&mutant.file).or_default();
            if !self.out.contains_key(&mutant.name) {
                here.push((number, mutant));
            }
        }
        let mut places = BTreeMap::new();
        for (file, here) in by_file {
            let source =
                fs::read_to_string(project.join(file)).map_err(|error| format!("{file}: {error}"))?;
            let branched = branch(&source, &here).map_err(|error| format!("{file}: {error}"))?;
            write(&self.tree.join(file), branched.text.as_bytes())?;
            places.insert(file.to_owned(), branched.places);
            let left_out = branched.left_out.iter().map(|number| mutants[number - 1].name.clone());
            self.out.extend(left_out.map(|name| (name, NO_BRANCH.to_owned())));
        }
        let root = fs::read_to_string(project.join(ROOT)).map_err(|error| error.to_string())?;
        write(&self.tree.join(ROOT), format!("{root}\nmod mutant;\n").as_bytes())?;
        write(&self.tree.join("src/mutant.rs"), SWITCH.as_bytes())?;
        Ok(places)
    }

    /// Takes out what the compiler complains of; false if it does not complain.
    fn take_out(&mut self, said: &str, places: &Places, mutants: &[Mutant]) -> Result<bool, String> {
        let lines = said.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok());
        let errors = lines.filter_map(|line| line.message).filter(|message| message.level == "error");
        let (mut taken, mut strange) = (BTreeMap::new(), Vec::new());
        for error in errors.filter(|error| !error.spans.is_empty()) {
            match blamed(&error, places) {
                numbers if numbers.is_empty() => strange.push(format!("{}: {}", at(&error), error.message)),
                numbers => {
                    let names = numbers.into_iter().map(|number| mutants[number - 1].name.clone());
                    taken.extend(names.map(|name| (name, error.message.clone())));
                }
            }
        }
        if taken.is_empty() && !strange.is_empty() {
            return Err(format!("the compiler blames no mutant:\n{}", strange.join("\n")));
        }
        let any = !taken.is_empty();
        self.out.extend(taken);
        Ok(any)
    }
}

fn programs(said: &str) -> Vec<Program> {
    let lines = said.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok());
    let tests = lines.filter(|line| line.profile.as_ref().is_some_and(|profile| profile.test));
    let programs = tests.filter_map(|line| {
        let folder = line.manifest_path?.parent()?.to_path_buf();
        Some(Program { name: line.target?.name, path: line.executable?, folder })
    });
    programs.collect()
}

fn at(message: &Message) -> String {
    message
        .spans
        .iter()
        .map(|span| format!("{}:{}", span.file_name, span.byte_start))
        .collect::<Vec<_>>()
        .join(" ")
}

/// The mutants that an error points at; where its first place is none, those of its other places.
fn blamed(error: &Message, places: &Places) -> BTreeSet<usize> {
    let among = |spans: &mut dyn Iterator<Item = &Place>| {
        let mut numbers = BTreeSet::new();
        for span in spans {
            let mut here = Some(span);
            while let Some(span) = here {
                let ranges = places.get(&span.file_name).into_iter().flatten();
                numbers.extend(
                    ranges.filter(|(range, _)| range.contains(&span.byte_start)).map(|(_, number)| number),
                );
                here = span.expansion.as_ref().map(|expansion| &expansion.span);
            }
        }
        numbers
    };
    let primary = among(&mut error.spans.iter().filter(|span| span.is_primary));
    if !primary.is_empty() {
        return primary;
    }
    let rest = error.spans.iter().chain(error.children.iter().flat_map(|child| &child.spans));
    among(&mut rest.into_iter())
}

/// Writes a file unless it says that already, so that cargo sees what changed.
fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    if fs::read(path).is_ok_and(|former| former == bytes) {
        return Ok(());
    }
    let folder = path.parent().ok_or("no folder")?;
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, bytes))
        .map_err(|error| format!("{}: {error}", path.display()))
}
