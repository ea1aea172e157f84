//! Reads the clauses out of the chapters and writes the `Clause` enum, and the list of the chapters' texts.
//!
//! The chapters are the register: a clause is a heading `### ID · Name` followed by the paragraphs `**MUST.**`,
//! `**Why.**` and `**From.**`. Anything else under such a heading stops the build with the file and line.

use std::{
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

struct Clause {
    id: String,
    name: String,
    verdict: &'static str,
    must: String,
    why: String,
    paper: Vec<u16>,
    stops: Vec<String>,
    chapter: String,
}

fn main() {
    let chapters = Path::new("chapters");
    println!("cargo:rerun-if-changed=chapters");
    let mut files: Vec<_> = fs::read_dir(chapters)
        .expect("the chapters are beside this script")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "md"))
        .collect();
    files.sort();
    let mut clauses: Vec<Clause> = Vec::new();
    for file in &files {
        println!("cargo:rerun-if-changed={}", file.display());
        let text = fs::read_to_string(file).expect("a chapter is UTF-8");
        let chapter = file.file_name().and_then(|name| name.to_str()).expect("a plain file name").to_owned();
        read_chapter(&chapter, &text, &mut clauses);
    }
    for (index, clause) in clauses.iter().enumerate() {
        for other in &clauses[..index] {
            assert!(other.id != clause.id, "{}: clause id {} stands twice", clause.chapter, clause.id);
            assert!(
                other.name != clause.name,
                "{}: clause name {} stands twice",
                clause.chapter,
                clause.name
            );
        }
    }
    assert!(clauses.len() <= 256, "`Rules` holds 256 clauses");
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&out).join("clauses.rs"), render(&clauses)).expect("OUT_DIR is writable");
    fs::write(Path::new(&out).join("chapters.rs"), list(&files)).expect("OUT_DIR is writable");
}

fn read_chapter(chapter: &str, text: &str, clauses: &mut Vec<Clause>) {
    let lines: Vec<&str> = text.lines().collect();
    let mut at = 0;
    while at < lines.len() {
        let Some((id, name)) = lines[at].strip_prefix("### ").and_then(|rest| rest.split_once(" · ")) else {
            at += 1;
            continue;
        };
        let place = format!("{chapter}:{}", at + 1);
        assert!(is_id(id), "{place}: `{id}` is not a clause id such as KEY-03");
        let end = (at + 1..lines.len()).find(|&i| lines[i].starts_with('#')).unwrap_or(lines.len());
        let (mut must, mut why, mut from) = (None, None, None);
        let mut verdict = "Reject";
        for paragraph in lines[at + 1..end].join("\n").split("\n\n") {
            let paragraph = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
            if let Some(rest) = paragraph.strip_prefix("**MUST.** ") {
                assert!(must.replace(rest.to_owned()).is_none(), "{place}: two MUST paragraphs");
                assert!(rest.matches("MUST").count() == 1, "{place}: a clause has exactly one MUST");
            } else if let Some(rest) = paragraph.strip_prefix("**Why.** ") {
                assert!(why.replace(rest.to_owned()).is_none(), "{place}: two Why paragraphs");
            } else if let Some(rest) = paragraph.strip_prefix("**From.** ") {
                assert!(from.replace(rest.to_owned()).is_none(), "{place}: two From paragraphs");
            } else if paragraph == "**Verdict.** ignore" {
                verdict = "Ignore";
            }
        }
        let from = from.unwrap_or_else(|| panic!("{place}: {id} has no From paragraph"));
        let marks: Vec<&str> = from.split([' ', ',', ';', '.']).filter(|word| !word.is_empty()).collect();
        let paper =
            marks.iter().filter_map(|m| m.strip_prefix("P-")).map(|n| n.parse().expect("P-n")).collect();
        let stops = marks.iter().filter(|m| m.starts_with("C-")).map(|m| (*m).to_owned()).collect();
        clauses.push(Clause {
            id: id.to_owned(),
            name: name.to_owned(),
            verdict,
            must: must.unwrap_or_else(|| panic!("{place}: {id} has no MUST paragraph")),
            why: why.unwrap_or_else(|| panic!("{place}: {id} has no Why paragraph")),
            paper,
            stops,
            chapter: chapter.to_owned(),
        });
        at = end;
    }
}

/// The prefixes of clause ids. A clause's code on the wire is a hundred times the place of its prefix, counted from
/// one, plus its number: new clauses change no code, and new prefixes stand at the end.
const PREFIXES: [&str; 23] = [
    "ENC", "GRP", "SIG", "KEM", "AED", "KEY", "ROL", "HSK", "SES", "SEA", "REC", "TPL", "CON", "INI", "BLK",
    "VAL", "VOT", "QUO", "ACK", "LED", "CLD", "AUD", "STA",
];

fn code(id: &str) -> usize {
    let (prefix, number) = id.split_once('-').expect("an id was checked");
    let place = PREFIXES.iter().position(|known| *known == prefix);
    let place = place.unwrap_or_else(|| panic!("{id}: the prefix has no code yet: see PREFIXES"));
    100 * (place + 1) + number.parse::<usize>().expect("an id was checked")
}

fn is_id(id: &str) -> bool {
    id.split_once('-').is_some_and(|(prefix, number)| {
        prefix.len() == 3
            && prefix.bytes().all(|b| b.is_ascii_uppercase())
            && number.len() == 2
            && number.bytes().all(|b| b.is_ascii_digit())
    })
}

/// An array of file names and texts.
fn list(files: &[PathBuf]) -> String {
    let here = env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let mut out = String::from("&[\n");
    for file in files {
        let name = file.file_name().expect("a file has a name");
        writeln!(out, "    ({name:?}, include_str!({:?})),", Path::new(&here).join(file))
            .expect("a string grows");
    }
    out.push_str("]\n");
    out
}

fn render(clauses: &[Clause]) -> String {
    let mut out = String::new();
    out.push_str("/// One normative sentence of the chapters, by its name.\n");
    out.push_str("#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]\npub enum Clause {\n");
    for clause in clauses {
        let must = clause.must.replace('[', "\\[").replace(']', "\\]");
        writeln!(out, "    /// **{}** {}\n    {},", clause.id, must, clause.name).expect("a string grows");
    }
    out.push_str("}\n\nimpl Clause {\n    /// Every clause, in the order of the chapters.\n");
    let names: Vec<String> = clauses.iter().map(|c| format!("Clause::{}", c.name)).collect();
    writeln!(out, "    pub const ALL: [Clause; {}] = [{}];\n}}\n", clauses.len(), names.join(", "))
        .expect("a string grows");
    writeln!(out, "static REGISTER: [Entry; {}] = [", clauses.len()).expect("a string grows");
    for c in clauses {
        writeln!(
            out,
            "    Entry {{ id: {:?}, code: {}, name: {:?}, verdict: Verdict::{}, must: {:?}, why: {:?}, paper: &{:?}, stops: &{:?}, chapter: {:?} }},",
            c.id, code(&c.id), c.name, c.verdict, c.must, c.why, c.paper, c.stops, c.chapter
        )
        .expect("a string grows");
    }
    out.push_str("];\n");
    out
}
