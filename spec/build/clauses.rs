//! The register of clauses, generated as the `Clause` enum.
//!
//! A clause is a heading `### ID · Name` followed by the paragraphs `**MUST.**`, `**Why.**` and `**From.**`.

use crate::chapter::Chapter;
use std::fmt::Write as _;

/// A clause.
pub(crate) struct Clause {
    /// Its id, such as `KEY-03`.
    pub(crate) id: String,
    /// Its name in code.
    pub(crate) name: String,
    place: String,
    verdict: &'static str,
    must: String,
    why: String,
    paper: Vec<u16>,
    stops: Vec<String>,
    findings: Vec<String>,
    chapter: String,
}

/// Every clause of the chapters, in their order.
///
/// # Errors
/// File, line and reason of the first heading or paragraph that is not in the form.
pub(crate) fn read(chapters: &[Chapter]) -> Result<Vec<Clause>, String> {
    let mut clauses: Vec<Clause> = Vec::new();
    for chapter in chapters {
        read_chapter(&chapter.file, &chapter.text, &mut clauses)?;
    }
    for (index, clause) in clauses.iter().enumerate() {
        for other in &clauses[..index] {
            if other.id == clause.id {
                return Err(format!("{}: clause id {} is defined twice", clause.place, clause.id));
            }
            if other.name == clause.name {
                return Err(format!("{}: clause name {} is defined twice", clause.place, clause.name));
            }
        }
    }
    if clauses.len() > 256 {
        return Err(format!("{} clauses: `Rules` holds 256", clauses.len()));
    }
    Ok(clauses)
}

fn read_chapter(file: &str, text: &str, clauses: &mut Vec<Clause>) -> Result<(), String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut at = 0;
    while at < lines.len() {
        let Some((id, name)) = lines[at].strip_prefix("### ").and_then(|rest| rest.split_once(" · ")) else {
            at += 1;
            continue;
        };
        let place = format!("{file}:{}", at + 1);
        if !is_id(id) {
            return Err(format!("{place}: `{id}` is not a clause id such as KEY-03"));
        }
        code(id).map_err(|reason| format!("{place}: {reason}"))?;
        let end = (at + 1..lines.len()).find(|&i| lines[i].starts_with('#')).unwrap_or(lines.len());
        clauses.push(read_clause(file, place, id, name, &lines[at + 1..end].join("\n"))?);
        at = end;
    }
    Ok(())
}

fn read_clause(file: &str, place: String, id: &str, name: &str, body: &str) -> Result<Clause, String> {
    let (mut must, mut why, mut from) = (None, None, None);
    let mut verdict = "Reject";
    for paragraph in body.split("\n\n") {
        let paragraph = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
        let twice = if let Some(rest) = paragraph.strip_prefix("**MUST.** ") {
            if rest.matches("MUST").count() != 1 {
                return Err(format!("{place}: a clause has exactly one MUST"));
            }
            must.replace(rest.to_owned()).is_some()
        } else if let Some(rest) = paragraph.strip_prefix("**Why.** ") {
            why.replace(rest.to_owned()).is_some()
        } else if let Some(rest) = paragraph.strip_prefix("**From.** ") {
            from.replace(rest.to_owned()).is_some()
        } else {
            if paragraph == "**Verdict.** ignore" {
                verdict = "Ignore";
            }
            false
        };
        if twice {
            return Err(format!("{place}: {id} has a paragraph twice"));
        }
    }
    let missing = |what: &str| format!("{place}: {id} has no {what} paragraph");
    let from = from.ok_or_else(|| missing("From"))?;
    let marks: Vec<&str> = from.split([' ', ',', ';', '.']).filter(|word| !word.is_empty()).collect();
    let number = |mark: &str| mark.parse().map_err(|_| format!("{place}: `P-{mark}` has no number"));
    let paper: Result<Vec<u16>, String> =
        marks.iter().filter_map(|mark| mark.strip_prefix("P-")).map(number).collect();
    let starting = |prefix: &str| -> Vec<String> {
        marks.iter().filter(|mark| mark.starts_with(prefix)).map(|mark| (*mark).to_owned()).collect()
    };
    Ok(Clause {
        id: id.to_owned(),
        name: name.to_owned(),
        verdict,
        must: must.ok_or_else(|| missing("MUST"))?,
        why: why.ok_or_else(|| missing("Why"))?,
        paper: paper?,
        stops: starting("C-"),
        findings: starting("R-"),
        chapter: file.to_owned(),
        place,
    })
}

/// The prefixes of clause ids. A clause's code on the wire is a hundred times the place of its prefix, counted from
/// one, plus its number: new clauses change no code, and new prefixes stand at the end.
const PREFIXES: [&str; 23] = [
    "ENC", "GRP", "SIG", "KEM", "AED", "KEY", "ROL", "HSK", "SES", "SEA", "REC", "TPL", "CON", "INI", "BLK",
    "VAL", "VOT", "QUO", "ACK", "LED", "CLD", "AUD", "STA",
];

fn code(id: &str) -> Result<usize, String> {
    let (prefix, number) = id.split_once('-').expect("an id was checked");
    let place = PREFIXES.iter().position(|known| *known == prefix);
    let place = place.ok_or_else(|| format!("{id}: the prefix has no code yet: see PREFIXES"))?;
    Ok(100 * (place + 1) + number.parse::<usize>().expect("an id was checked"))
}

fn is_id(id: &str) -> bool {
    id.split_once('-').is_some_and(|(prefix, number)| {
        prefix.len() == 3
            && prefix.bytes().all(|b| b.is_ascii_uppercase())
            && number.len() == 2
            && number.bytes().all(|b| b.is_ascii_digit())
    })
}

/// The enum, its list and the register behind it.
pub(crate) fn render(clauses: &[Clause]) -> String {
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
            "    Entry {{ id: {:?}, code: {}, name: {:?}, verdict: Verdict::{}, must: {:?}, why: {:?}, paper: &{:?}, stops: &{:?}, findings: &{:?}, chapter: {:?} }},",
            c.id, code(&c.id).expect("an id was checked"), c.name, c.verdict, c.must, c.why, c.paper, c.stops, c.findings, c.chapter
        )
        .expect("a string grows");
    }
    out.push_str("];\n");
    out
}
