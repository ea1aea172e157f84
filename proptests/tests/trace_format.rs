//! Traces are read strictly, refused by line and field, and written as they were read.
#![allow(clippy::unwrap_used, reason = "helpers of tests stop at what is not as expected")]

use bemr_lab::trace::{Flaw, Trace, TraceError, TraceWriter};
use bemr_lab::trace::{MAX_LINE, MAX_STEPS, PRINTABLE, schema};
use proptest::prelude::*;

/// A user and a validator; somebody said something of every kind of action.
const LINES: [&str; 13] = [
    r#"{"format":"emr-trace/5","program":"bemr 0.1.0","suite":"tiny","rules":["KEY-03","INI-07"],"setup":{"users":2,"validators":3,"ledger":"work","seed":18446744073709551615},"start":1798761600000,"principals":[{"actor":"bsd","name":"bsd"},{"actor":"cloud","name":"cloud"},{"actor":{"user":0},"name":"dr-ada"},{"actor":{"user":1},"name":"dr-ben"},{"actor":{"validator":0},"name":"v1"},{"actor":{"validator":1},"name":"v2"},{"actor":{"validator":2},"name":"v3"}],"note":"by hand"}"#,
    r#"{"step":1,"action":{"do":"command","actor":{"user":0},"command":{"submit":{"record":0,"breaks":"CON-03","readers":2}}},"time":0,"actor":{"user":0},"from":null,"event":"Command","verdict":"accept","clause":null,"sends":[{"to":"bsd","message":"Hello","bytes":48}],"state":"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"}"#,
    r#"{"step":2,"action":{"do":"pass","time":5},"time":5,"actor":null,"from":null,"event":"Pass","verdict":"accept","clause":null,"sends":[]}"#,
    r#"{"step":3,"action":{"do":"deliver","envelope":0},"time":5,"actor":"bsd","from":{"user":0},"event":"Hello","verdict":"accept","clause":null,"sends":[{"to":{"user":0},"message":"Response"},{"to":null,"message":"AuditHead"}]}"#,
    r#"{"step":4,"action":{"do":"corrupt","envelope":1,"how":"flip"},"time":5,"actor":{"user":0},"from":"bsd","event":"Response","verdict":"reject","clause":"HSK-02","sends":[]}"#,
    r#"{"step":5,"action":{"do":"redirect","envelope":7,"to":{"user":1},"from":"cloud"},"time":5,"actor":{"user":1},"from":"cloud","event":"AuditHeadArrived","verdict":"accept","clause":null,"sends":[]}"#,
    r#"{"step":6,"action":{"do":"wake","actor":{"validator":1},"found":98},"time":60,"actor":{"validator":1},"from":null,"event":"Wake","verdict":"accept","clause":null,"sends":[{"to":null,"message":"Block","bytes":152}]}"#,
    r#"{"step":7,"action":{"do":"send","actor":{"validator":0},"to":"bsd","message":{"vote":{"validator":0,"question":{"header":{"tid":0,"user":0,"record":0,"breaks":null,"readers":1,"issued":0},"number":1,"height":1,"sealed":true},"ballot":{"false":"CON-03"},"flaws":["VOT-02","VOT-05"]}}},"time":60,"actor":{"validator":0},"from":null,"event":"Send","verdict":"accept","clause":null,"sends":[]}"#,
    r#"{"step":8,"action":{"do":"publish","actor":{"validator":2},"to":"cloud","gossip":{"closing":{"height":1,"block":77,"signatory":2}}},"time":60,"actor":{"validator":2},"from":null,"event":"Publish","verdict":"accept","clause":null,"sends":[{"to":"cloud","message":"Closing"}]}"#,
    r#"{"step":9,"action":{"do":"crash","actor":"cloud"},"time":60,"actor":"cloud","from":null,"event":"Crash","verdict":"accept","clause":null,"sends":[]}"#,
    r#"{"step":10,"action":{"do":"command","actor":{"user":1},"command":{"order":{"tid":0,"order":{"grant":0}}}},"time":60,"actor":{"user":1},"from":null,"event":"Command","verdict":"reject","clause":"CLD-01","sends":[]}"#,
    r#"{"step":11,"action":{"do":"command","actor":"bsd","command":"close_audit"},"time":60,"actor":"bsd","from":null,"event":"CloseAudit","verdict":"accept","clause":null,"sends":[]}"#,
    r#"{"step":12,"action":{"do":"deliver","envelope":13},"time":60,"actor":{"validator":2},"from":{"validator":1},"event":"BlockArrived","verdict":"accept","clause":null,"sends":[]}"#,
];

fn joined<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    lines.into_iter().flat_map(|line| [line, "\n"]).collect()
}

fn text() -> String {
    joined(LINES)
}

fn read(text: &str) -> Result<Trace, TraceError> {
    Trace::read(text.as_bytes())
}

#[test]
fn what_is_read_is_written_byte_for_byte() {
    let trace = read(&text()).unwrap();
    assert_eq!(trace.steps.len(), 12);
    assert_eq!(String::from_utf8(trace.to_bytes()).unwrap(), text());
    assert_eq!(read(&text()).unwrap(), trace);
}

#[test]
fn the_example_of_the_chapter_is_a_trace() {
    let (_, chapter) = bemr_spec::messages::CHAPTERS
        .iter()
        .find(|(name, _)| name.starts_with("19"))
        .expect("the chapter is there");
    let (_, rest) = chapter.split_once("```json\n").expect("the example");
    let (example, _) = rest.split_once("```").expect("the end of the example");
    let trace = read(example).unwrap();
    assert_eq!((trace.steps.len(), trace.to_bytes()), (3, example.as_bytes().to_vec()));
}

/// A change of one line: which, what becomes what, how it is refused, in which field, and whether the schema sees it.
struct Wrong(usize, &'static str, &'static str, Flaw, &'static str, bool);

use Flaw::{Inconsistent, Unreadable};

const WRONG: [Wrong; 84] = [
    // The header.
    Wrong(1, "emr-trace/5", "emr-trace/2", Unreadable, "format", true),
    Wrong(1, r#""format":"emr-trace/5","#, "", Unreadable, "format", true),
    Wrong(1, r#""emr-trace/5""#, "2", Unreadable, "format", true),
    Wrong(1, r#""suite":"tiny""#, r#""suite":"rot13""#, Unreadable, "suite", true),
    Wrong(1, r#","seed":18446744073709551615"#, "", Unreadable, "setup", true),
    Wrong(1, "18446744073709551615", "18446744073709551616", Unreadable, "setup.seed", true),
    Wrong(1, "18446744073709551615", "1.5", Unreadable, "setup.seed", true),
    Wrong(1, "18446744073709551615", r#"1,"established":false"#, Unreadable, "setup.established", true),
    Wrong(1, "18446744073709551615", r#"1,"established":1"#, Unreadable, "setup.established", true),
    Wrong(1, "18446744073709551615", "-1", Unreadable, "setup.seed", true),
    Wrong(1, r#""users":2"#, r#""users":0"#, Unreadable, "setup.users", true),
    Wrong(1, r#""users":2"#, r#""users":6"#, Unreadable, "setup.users", true),
    Wrong(1, r#""validators":3"#, r#""validators":65"#, Unreadable, "setup.validators", true),
    Wrong(1, r#""ledger":"work""#, r#""ledger":"paper""#, Unreadable, "setup.ledger", true),
    Wrong(1, r#""start":1798761600000"#, r#""start":253402300800000"#, Unreadable, "start", true),
    Wrong(1, r#""rules":["KEY-03","INI-07"]"#, r#""rules":["KEY-99"]"#, Unreadable, "rules[0]", true),
    Wrong(
        1,
        r#""rules":["KEY-03","INI-07"]"#,
        r#""rules":["INI-07","KEY-03"]"#,
        Inconsistent,
        "rules",
        false,
    ),
    Wrong(1, r#""rules":["KEY-03","INI-07"]"#, r#""rules":["INI-07","INI-07"]"#, Inconsistent, "rules", true),
    Wrong(1, r#""note":"by hand""#, r#""note":null"#, Unreadable, "note", true),
    Wrong(1, r#""note":"by hand""#, r#""note":"""#, Unreadable, "note", true),
    Wrong(1, r#""note":"by hand""#, r#""note":"\u001b[2J""#, Unreadable, "note", true),
    Wrong(1, r#""note":"by hand""#, r#""note":"by hand","mood":1"#, Unreadable, "mood", true),
    Wrong(1, r#""program":"bemr 0.1.0""#, r#""program":"""#, Unreadable, "program", true),
    Wrong(1, r#","name":"v2""#, r#","name":"v 2""#, Unreadable, "principals[5].name", true),
    Wrong(1, r#","name":"v2""#, r#","name":"v1""#, Inconsistent, "principals", false),
    Wrong(1, r#",{"actor":{"validator":2},"name":"v3"}"#, "", Inconsistent, "principals", false),
    Wrong(1, r#","rules""#, r#", "rules""#, Unreadable, "column 63", false),
    Wrong(1, "by hand", r"by\u0020hand", Unreadable, "column", false),
    // A step.
    Wrong(2, r#""step":1"#, r#""step":2"#, Inconsistent, "step", false),
    Wrong(2, r#""step":1"#, r#""step":0"#, Unreadable, "step", true),
    Wrong(2, r#""step":1"#, r#""step":"1""#, Unreadable, "step", true),
    Wrong(2, r#""step":1,"#, "", Unreadable, "step", true),
    Wrong(2, r#""step":1,"#, r#""step":1,"step":1,"#, Unreadable, "column", false),
    Wrong(2, r#""from":null,"#, "", Unreadable, "from", true),
    Wrong(2, r#""event":"Command","#, "", Unreadable, "event", true),
    Wrong(2, r#""event":"Command""#, r#""event":"Com-mand""#, Unreadable, "event", true),
    Wrong(2, r#""clause":null"#, r#""clause":"KEY-03""#, Inconsistent, "verdict", false),
    Wrong(2, r#""verdict":"accept""#, r#""verdict":"perhaps""#, Unreadable, "verdict", true),
    Wrong(2, r#""message":"Hello""#, r#""message":"Hullo""#, Unreadable, "sends[0].message", true),
    Wrong(2, r#""bytes":48"#, r#""bytes":4294967296"#, Unreadable, "sends[0].bytes", true),
    Wrong(2, r#""bytes":48"#, r#""bytes":null"#, Unreadable, "sends[0].bytes", true),
    Wrong(2, r#""to":"bsd","#, "", Unreadable, "sends[0].to", true),
    Wrong(2, r#""to":"bsd""#, r#""to":{"user":0}"#, Inconsistent, "sends[0].to", false),
    Wrong(2, r#""to":"bsd""#, r#""to":{"user":2}"#, Inconsistent, "sends[0].to", false),
    Wrong(2, r#""to":"bsd""#, r#""to":{"patient":2}"#, Unreadable, "sends[0].to", true),
    Wrong(2, "00112233445566778899", "0011", Unreadable, "state", true),
    Wrong(2, "00112233445566778899aabb", "00112233445566778899AABB", Unreadable, "state", true),
    Wrong(2, r#""readers":2"#, r#""readers":4"#, Inconsistent, "action.command.submit.readers", false),
    Wrong(2, r#""record":0"#, r#""record":0,"colour":1"#, Unreadable, "action.command.submit.colour", true),
    Wrong(2, r#""breaks":"CON-03""#, r#""breaks":null"#, Unreadable, "action.command.submit.breaks", true),
    Wrong(2, r#""do":"command""#, r#""do":"dance""#, Unreadable, "action", true),
    Wrong(
        2,
        r#""actor":{"user":0},"command""#,
        r#""actor":"bsd","command""#,
        Inconsistent,
        "action.actor",
        false,
    ),
    Wrong(2, r#"},"time":0,"#, r#"},"time":1,"#, Inconsistent, "time", false),
    // Invented events: of no name, of another action, of another message, of another actor, a refusal that none refuses.
    Wrong(2, r#""event":"Command""#, r#""event":"Submit""#, Unreadable, "event", true),
    Wrong(2, r#""event":"Command""#, r#""event":"CloseAudit""#, Inconsistent, "event", false),
    Wrong(3, r#""event":"Pass""#, r#""event":"Wake""#, Inconsistent, "event", false),
    Wrong(4, r#""event":"Hello""#, r#""event":"Response""#, Inconsistent, "event", false),
    Wrong(4, r#""event":"Hello""#, r#""event":"Malformed""#, Inconsistent, "event", false),
    Wrong(5, r#""event":"Response""#, r#""event":"Record""#, Inconsistent, "event", false),
    Wrong(6, r#""event":"AuditHeadArrived""#, r#""event":"CloudHeadArrived""#, Inconsistent, "event", false),
    Wrong(7, r#""event":"Wake""#, r#""event":"OutcomeExpired""#, Inconsistent, "event", false),
    Wrong(8, r#""event":"Send""#, r#""event":"VoteArrived""#, Inconsistent, "event", false),
    Wrong(9, r#""event":"Publish""#, r#""event":"SignatureArrived""#, Inconsistent, "event", false),
    Wrong(10, r#""event":"Crash""#, r#""event":"Leak""#, Inconsistent, "event", false),
    Wrong(11, r#""event":"Command""#, r#""event":"Enrol""#, Inconsistent, "event", false),
    Wrong(12, r#""event":"CloseAudit""#, r#""event":"Command""#, Inconsistent, "event", false),
    Wrong(13, r#""event":"BlockArrived""#, r#""event":"ProposalArrived""#, Inconsistent, "event", false),
    // Later ones.
    Wrong(3, r#""time":5,"actor""#, r#""time":6,"actor""#, Inconsistent, "time", false),
    Wrong(3, r#""actor":null"#, r#""actor":"bsd""#, Inconsistent, "actor", false),
    Wrong(3, r#""sends":[]"#, r#""sends":[{"to":"bsd","message":"Hello"}]"#, Inconsistent, "sends", false),
    Wrong(4, r#""envelope":0"#, r#""envelope":1"#, Inconsistent, "action.envelope", false),
    Wrong(4, r#""from":{"user":0}"#, r#""from":{"user":1}"#, Inconsistent, "from", false),
    Wrong(4, r#""time":5"#, r#""time":4"#, Inconsistent, "time", false),
    Wrong(5, r#""how":"flip""#, r#""how":"eat""#, Unreadable, "action", true),
    Wrong(6, r#""envelope":7"#, r#""envelope":8"#, Inconsistent, "action.envelope", false),
    Wrong(6, r#""from":"cloud","event""#, r#""from":"bsd","event""#, Inconsistent, "from", false),
    Wrong(
        7,
        r#""actor":{"validator":1},"found":98"#,
        r#""actor":"bsd","found":98"#,
        Inconsistent,
        "action.found",
        false,
    ),
    Wrong(
        7,
        r#""actor":{"validator":1},"from""#,
        r#""actor":{"validator":3},"from""#,
        Inconsistent,
        "actor",
        false,
    ),
    Wrong(8, r#""breaks":null,"#, "", Unreadable, "action.message.vote.question.header.breaks", true),
    Wrong(
        8,
        r#""flaws":["VOT-02","VOT-05"]"#,
        r#""flaws":[]"#,
        Unreadable,
        "action.message.vote.flaws",
        true,
    ),
    Wrong(
        8,
        r#"{"vote":{"validator":0"#,
        r#"{"vote":{"validator":200"#,
        Inconsistent,
        "action.message.vote.validator",
        false,
    ),
    Wrong(
        8,
        r#""flaws":["VOT-02","VOT-05"]"#,
        r#""flaws":["VOT-02","VOT-05","VOT-06"]"#,
        Unreadable,
        "action.message.vote.flaws",
        true,
    ),
    Wrong(9, r#""signatory":2"#, r#""signatory":3"#, Inconsistent, "action.gossip.closing.signatory", false),
    Wrong(13, r#""envelope":13"#, r#""envelope":15"#, Inconsistent, "action.envelope", false),
];

#[test]
fn what_is_wrong_is_refused_with_line_and_field_and_the_schema_agrees_where_it_can() {
    let schema = schema();
    let mut failures = Vec::new();
    for Wrong(number, from, to, flaw, place, seen) in WRONG {
        let mut lines = LINES.map(str::to_owned);
        assert!(lines[number - 1].contains(from), "line {number} has no {from}");
        lines[number - 1] = lines[number - 1].replacen(from, to, 1);
        let error = read(&joined(lines.iter().map(String::as_str))).expect_err(to);
        let shown = error.to_string();
        let line: serde_json::Value = serde_json::from_str(&lines[number - 1]).unwrap();
        let right = (error.line, error.flaw) == (number as u64, flaw)
            && shown.starts_with(&format!("line {number}: {place}"))
            && shown.lines().count() == 1;
        if !right || fits(&schema, &schema, &line) == seen {
            failures.push(format!("{to}: {shown}, the schema sees it: {}", !fits(&schema, &schema, &line)));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    for line in LINES {
        assert!(fits(&schema, &schema, &serde_json::from_str(line).unwrap()), "{line}");
    }
}

/// Whether a value fits a schema, by the keywords that [`schema()`] uses and by no others.
fn fits(root: &serde_json::Value, schema: &serde_json::Value, value: &serde_json::Value) -> bool {
    use serde_json::Value;
    let again = |schema: &Value, value: &Value| fits(root, schema, value);
    let length = |value: &Value| value.as_str().map(|text| text.chars().count() as u64);
    schema.as_object().unwrap().iter().all(|(keyword, want)| match keyword.as_str() {
        "$schema" | "$id" | "$defs" | "title" | "description" | "default" => true,
        "$ref" => again(root.pointer(&want.as_str().unwrap()[1..]).unwrap(), value),
        "oneOf" => want.as_array().unwrap().iter().filter(|one| again(one, value)).count() == 1,
        "anyOf" => want.as_array().unwrap().iter().any(|one| again(one, value)),
        "enum" => want.as_array().unwrap().contains(value),
        "const" => want == value,
        "type" => match want {
            Value::Array(types) => types.iter().any(|one| is_a(value, one.as_str().unwrap())),
            one => is_a(value, one.as_str().unwrap()),
        },
        "properties" => value.as_object().is_none_or(|fields| {
            fields.iter().all(|(name, field)| want.get(name).is_none_or(|schema| again(schema, field)))
        }),
        "required" => value.as_object().is_none_or(|fields| {
            want.as_array().unwrap().iter().all(|name| fields.contains_key(name.as_str().unwrap()))
        }),
        "additionalProperties" => {
            assert_eq!(want, &Value::Bool(false));
            let known = schema.get("properties").unwrap();
            value.as_object().is_none_or(|fields| fields.keys().all(|name| known.get(name).is_some()))
        }
        "items" => value.as_array().is_none_or(|items| items.iter().all(|item| again(want, item))),
        "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= want.as_u64().unwrap()),
        "maxItems" => value.as_array().is_none_or(|items| items.len() as u64 <= want.as_u64().unwrap()),
        "uniqueItems" => value
            .as_array()
            .is_none_or(|items| items.iter().enumerate().all(|(index, item)| !items[..index].contains(item))),
        "minimum" => value.as_f64().is_none_or(|number| number >= want.as_f64().unwrap()),
        "maximum" => match (value.as_u64(), value.as_f64()) {
            (Some(number), _) => number <= want.as_u64().unwrap(),
            (None, Some(number)) => number < want.as_f64().unwrap(),
            _ => true,
        },
        "minLength" => length(value).is_none_or(|length| length >= want.as_u64().unwrap()),
        "maxLength" => length(value).is_none_or(|length| length <= want.as_u64().unwrap()),
        "pattern" => value.as_str().is_none_or(|text| match want.as_str().unwrap() {
            PRINTABLE => !text.chars().any(char::is_control),
            "^[!-~]{1,64}$" => {
                (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
            }
            "^[0-9a-f]{64}$" => {
                text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
            }
            other => panic!("pattern {other}"),
        }),
        other => panic!("keyword {other}"),
    })
}

fn is_a(value: &serde_json::Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value.is_u64() || value.is_i64() || value.as_f64().is_some_and(|one| one.fract() == 0.0),
        other => panic!("type {other}"),
    }
}

fn refused(text: impl AsRef<[u8]>) -> String {
    let error = Trace::read(text.as_ref()).expect_err("it is no trace");
    assert_eq!(error.flaw, Unreadable, "{error}");
    error.to_string()
}

#[test]
fn what_is_no_trace_at_all_is_refused_in_one_line() {
    let all = text();
    let header = joined(LINES[..1].iter().copied());
    assert_eq!(refused(""), "line 1: empty; a trace begins with its header");
    assert_eq!(refused("\n"), "line 1: column 0: EOF while parsing a value");
    assert_eq!(refused("hello\n"), "line 1: column 1: expected value");
    assert_eq!(refused("[]\n"), "line 1: not an object");
    assert_eq!(
        refused(joined(LINES[1..].iter().copied())),
        "line 1: format: missing; the first line is the header"
    );
    assert_eq!(refused(header.clone() + &header), "line 2: format: unknown field");
    assert_eq!(refused(header.clone() + "\n"), "line 2: column 0: EOF while parsing a value");
    assert_eq!(refused(&all[..all.len() - 1]), "line 13: cut short: the line does not end");
    assert_eq!(refused(&all[..all.len() - 9]), "line 13: cut short: the line does not end");
    assert!(refused(all.replace('\n', "\r\n")).starts_with("line 1: column "));
    assert!(refused([b"\xef\xbb\xbf", all.as_bytes()].concat()).starts_with("line 1: column 1: "));
    assert_eq!(refused([header.as_bytes(), b"{\"step\":\xff}\n"].concat()), "line 2: column 9: not UTF-8");
}

#[test]
fn absurd_sizes_are_refused_before_they_are_held() {
    let header = joined(LINES[..1].iter().copied());
    // Never ends.
    let endless = std::io::BufReader::new(std::io::repeat(b' '));
    assert_eq!(Trace::read(endless).unwrap_err().to_string(), "line 1: longer than 1048576 bytes");
    let long = format!("{header}{}\n", " ".repeat(MAX_LINE + 1));
    assert_eq!(refused(long), "line 2: longer than 1048576 bytes");
    let deep = format!("{header}{{\"step\":{}{}}}\n", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(refused(deep), "line 2: column 40: deeper than 32 arrays and objects");
    let quoted = format!("{{\"format\":\"{}\"}}\n", "[".repeat(100));
    assert!(refused(quoted).starts_with("line 1: format: `[["), "brackets in a string do not count");
}

#[test]
fn a_writer_writes_nothing_that_no_reader_takes() {
    let mut trace = read(&text()).unwrap();
    trace.header.note = Some("x".repeat(MAX_LINE));
    assert_eq!(trace.write(std::io::sink()).unwrap_err().kind(), std::io::ErrorKind::FileTooLarge);
    let pass = trace.steps[1].clone();
    trace.header.note = None;
    let mut writer = TraceWriter::begin(std::io::sink(), &trace.header).unwrap();
    for _ in 0..MAX_STEPS {
        writer.step(&pass).unwrap();
    }
    assert_eq!(writer.step(&pass).unwrap_err().kind(), std::io::ErrorKind::FileTooLarge);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// Whatever is done to its bytes: it is refused in one line, or it is written as it was read.
    #[test]
    fn hurt_traces_are_refused_or_written_as_they_were_read(
        place in 0..text().len(),
        removed in 0_usize..4,
        put in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..4),
            proptest::sample::select(vec!["0", "1", "7", ",", "}", "null", "\"", "bsd", "[", "9999999999", "\n"])
                .prop_map(|text| text.as_bytes().to_vec()),
        ],
    ) {
        let mut bytes = text().into_bytes();
        let end = bytes.len().min(place + removed);
        bytes.splice(place..end, put);
        match Trace::read(bytes.as_slice()) {
            Ok(trace) => prop_assert_eq!(trace.to_bytes(), bytes),
            Err(error) => prop_assert_eq!(error.to_string().lines().count(), 1),
        }
    }
}
