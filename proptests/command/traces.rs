//! Traces of runs: verified, replayed in every format, and refused once changed.

use crate::{Ran, bemr, run};
use bemr_lab::lockstep::{Campaign, Sides};
use bemr_lab::trace::{Flaw, Step, Trace};
use bemr_model::{Action, Command, Tid};
use bemr_spec::{Clause, Rules};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The trace of a run over the sample.
fn traced(ledger: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.trace");
    let ran = run([Path::new("--ledger"), Path::new(ledger), Path::new("--trace"), &path]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    (folder, path)
}

fn verify(path: &Path) -> Ran {
    bemr([Path::new("trace"), Path::new("verify"), path])
}

fn replay(path: &Path, format: &str) -> String {
    let ran = bemr([Path::new("replay"), path, Path::new("--format"), Path::new(format)]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.starts_with("the model explains all "), "{}", ran.err);
    ran.out
}

/// The steps that are shown: those of an actor.
fn shown(trace: &Trace) -> Vec<&Step> {
    trace.steps.iter().filter(|step| step.actor.is_some()).collect()
}

#[test]
fn a_run_leaves_a_consistent_trace_of_its_commands_and_of_all_that_follows() {
    for ledger in ["quorum", "pow"] {
        let (_folder, path) = traced(ledger);
        let trace = Trace::open(&path).unwrap();
        assert_eq!(trace.to_bytes(), fs::read(&path).unwrap());
        let refused = trace.steps.iter().filter(|step| step.clause.is_some()).count();
        assert!(refused > 0);
        let ran = verify(&path);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
        let steps = trace.steps.len();
        assert_eq!(ran.out, format!("consistent: emr-trace/5, {steps} steps, {refused} refused\n"));
        let json = bemr([Path::new("trace"), Path::new("verify"), &path, Path::new("--json")]).json();
        assert_eq!(
            (&json["consistent"], &json["steps"], &json["line"]),
            (&true.into(), &steps.into(), &().into())
        );

        let commands: Vec<&Command> = trace
            .steps
            .iter()
            .filter_map(|step| match &step.action {
                Action::Command { command, .. } => Some(command),
                _ => None,
            })
            .collect();
        let submitted = |command: &&&Command| matches!(command, Command::Submit { .. });
        let broken = |command: &&&Command| matches!(command, Command::Submit { breaks: Some(_), .. });
        let read = |command: &&&Command| matches!(command, Command::Read { .. });
        let count =
            |what: &dyn Fn(&&&Command) -> bool| commands.iter().filter(|command| what(command)).count();
        assert_eq!((count(&submitted), count(&broken), count(&read)), (13, 3, 10));
        assert_eq!(commands.last(), Some(&&Command::CloseAudit));
        let found =
            trace.steps.iter().filter(|step| matches!(step.action, Action::Wake { found: Some(_), .. }));
        assert_eq!(found.count() > 0, ledger == "pow");
    }
}

#[test]
fn a_record_that_a_template_refuses_is_in_the_trace_with_its_clause_and_has_no_number() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("a.json"), br#"{"resourceType":"Observation","subject":{"reference":"Patient/1"}}"#)
        .unwrap();
    fs::write(at("b.json"), crate::GOOD).unwrap();
    fs::write(at("c.json"), crate::GOOD).unwrap();
    let trace = folder.path().with_extension("trace");
    assert_eq!(run([Path::new("--records"), folder.path(), Path::new("--trace"), &trace]).code, 0);
    let steps = Trace::open(&trace).unwrap().steps;
    fs::remove_file(trace).unwrap();
    assert_eq!(steps[0].clause.map(|clause| clause.id()), Some("TPL-03"));
    let records: Vec<u16> = steps
        .iter()
        .filter_map(|step| match step.action {
            Action::Command { command: Command::Submit { record, .. }, .. } => Some(record),
            _ => None,
        })
        .collect();
    assert_eq!(records, [0, 1, 1], "equal bytes have equal numbers");
    assert!(steps.iter().any(|step| matches!(
        step.action,
        Action::Command { command: Command::Read { tid: Tid::FIRST }, .. }
    )));
}

#[test]
fn a_trace_that_was_changed_is_inconsistent_or_unreadable() {
    let (folder, path) = traced("quorum");
    let text = fs::read_to_string(&path).unwrap();
    let hurt = folder.path().join("hurt.trace");
    let changed = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        fs::write(&hurt, text.replacen(from, to, 1)).unwrap();
        verify(&hurt)
    };
    let shown = hurt.display().to_string();

    let gap = changed("{\"step\":7,", "{\"step\":8,");
    assert_eq!((gap.code, gap.err.as_str()), (1, ""));
    assert_eq!(gap.out, format!("INCONSISTENT: {shown}: line 8: step: 8, where 7 comes next\n"));
    let json = bemr([Path::new("trace"), Path::new("verify"), &hurt, Path::new("--json")]);
    assert_eq!((json.code, &json.json()["consistent"]), (1, &false.into()));
    assert_eq!((&json.json()["line"], &json.json()["field"]), (&8.into(), &"step".into()));

    // Events that their actions cannot bring about, at each kind of actor.
    for (from, to, problem) in [
        (
            "\"event\":\"Command\"",
            "\"event\":\"CloseAudit\"",
            "CloseAudit cannot be what this action is at user 0",
        ),
        ("\"event\":\"Hello\"", "\"event\":\"Finish\"", "Finish cannot be what Hello is at bsd"),
        ("\"event\":\"Hello\"", "\"event\":\"Malformed\"", "Malformed, and no clause refuses it"),
        (
            "\"event\":\"InitialArrived\"",
            "\"event\":\"VoteArrived\"",
            "VoteArrived cannot be what T_initial is at bsd",
        ),
        (
            "\"event\":\"BlockRequestArrived\"",
            "\"event\":\"ValidArrived\"",
            "ValidArrived cannot be what T_block is at validator 0",
        ),
        (
            "\"event\":\"ValidArrived\"",
            "\"event\":\"GrantArrived\"",
            "GrantArrived cannot be what T_valid is at cloud",
        ),
        (
            "\"event\":\"OutcomeArrived\"",
            "\"event\":\"RecordArrived\"",
            "RecordArrived cannot be what Outcome is at user 0",
        ),
        (
            "\"event\":\"TurnCame\"",
            "\"event\":\"AttemptExpired\"",
            "AttemptExpired cannot be what this action is at",
        ),
    ] {
        assert!(text.contains(from), "{from}");
        let invented = changed(from, to);
        assert_eq!((invented.code, invented.err.as_str()), (1, ""), "{from}");
        assert!(invented.out.contains(&format!(": event: {problem}")), "{}", invented.out);
    }

    let unsent = changed("\"do\":\"deliver\",\"envelope\":0}", "\"do\":\"deliver\",\"envelope\":9}");
    assert_eq!(unsent.code, 1);
    assert!(unsent.out.contains(": action.envelope: 9 was not sent yet; 1 envelopes were"), "{}", unsent.out);

    for (from, to, place) in [
        ("emr-trace/5", "emr-trace/3", "line 1: format: `emr-trace/3` is not `emr-trace/5`"),
        ("\"event\":\"Command\",", "", "line 2: event: missing field"),
        (
            "\"event\":\"Command\",",
            "\"event\":\"Submit\",",
            "line 2: event: no event has the name \"Submit\"",
        ),
        ("{\"step\":1,", "{\"step\":1,\"mood\":2,", "line 2: mood: unknown field"),
        ("\"verdict\":\"accept\"", "\"verdict\":\"fine\"", "line 2: verdict: "),
    ] {
        let ran = changed(from, to);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""));
        assert!(ran.err.starts_with(&format!("bemr: {shown}: {place}")), "{}", ran.err);
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
        let ran = bemr([Path::new("replay"), &hurt]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    }
    assert_eq!(Trace::open(&hurt).unwrap_err().flaw, Flaw::Unreadable);
}

#[test]
fn what_is_no_trace_gets_one_line_and_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("empty"), "").unwrap();
    fs::write(at("letter"), "Dear Sir").unwrap();
    fs::write(at("odd\n\u{1b}name"), "Dear Sir\n").unwrap();
    fs::write(at("zeros"), vec![0; 2 << 20]).unwrap();
    for path in [
        at("absent"),
        at("empty"),
        at("letter"),
        at("odd\n\u{1b}name"),
        at("zeros"),
        folder.path().to_owned(),
    ] {
        for arguments in [&["replay"][..], &["trace", "verify"], &["trace", "verify", "--json"]] {
            let ran = bemr(arguments.iter().map(Path::new).chain([path.as_path()]));
            assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{path:?}");
            assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
            assert!(!ran.err.contains('\u{1b}'), "{:?}", ran.err);
        }
    }
    let wrong: [&[&str]; 5] = [
        &["replay"],
        &["trace"],
        &["trace", "verify"],
        &["trace", "look", "x"],
        &["replay", "x", "--format", "gif"],
    ];
    for arguments in wrong {
        assert_eq!(bemr(arguments).code, 2, "{arguments:?}");
    }
}

#[test]
fn a_trace_of_more_validators_than_it_can_hold_is_refused_before_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace");
    let ran = run([Path::new("--validators"), Path::new("65"), Path::new("--trace"), &path]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert_eq!(ran.err, "bemr: --trace: a trace has at most 64 validators\n");
    assert!(!path.exists());
}

#[test]
fn a_replay_shows_every_step_as_text_and_as_mermaid() {
    let (_folder, path) = traced("quorum");
    let trace = Trace::open(&path).unwrap();
    let steps = shown(&trace);
    let text = replay(&path, "text");
    assert_eq!(bemr([Path::new("replay"), &path]).out, text, "as text unless told otherwise");
    assert_eq!(text.lines().count(), steps.len());
    for (line, step) in text.lines().zip(&steps) {
        assert!(line.trim_start().starts_with(&format!("{} ", step.step)), "{line}");
        assert!(step.clause.is_none_or(|clause| line.contains(clause.id())), "{line}");
    }
    let mermaid = replay(&path, "mermaid");
    assert!(mermaid.starts_with("sequenceDiagram\n"));
    let crossed = mermaid.lines().filter(|line| line.contains("-x")).count();
    let refused = steps.iter().filter(|step| step.clause.is_some() && step.from.is_some()).count();
    assert_eq!(crossed, refused);
}

#[test]
fn a_drawing_is_xml_that_is_self_contained_else_and_has_every_step() {
    let (_folder, path) = traced("quorum");
    let trace = Trace::open(&path).unwrap();
    let svg = replay(&path, "svg");
    let document = roxmltree::Document::parse(&svg).unwrap();
    assert!(document.root_element().has_tag_name(("http://www.w3.org/2000/svg", "svg")));
    for step in shown(&trace) {
        let id = format!("step-{}", step.step);
        let group = document.descendants().find(|node| node.attribute("id") == Some(&id)).unwrap();
        let text: String = group.descendants().filter_map(|node| node.text()).collect();
        assert!(text.contains(&format!("{} ms", step.time)), "{text}");
        let crossed = group.attribute("class") == Some("step bad");
        assert_eq!(crossed, step.clause.is_some());
        assert!(step.clause.is_none_or(|clause| text.contains(clause.id())), "{text}");
    }
    assert!(svg.contains("prefers-color-scheme:dark"));
    crate::is_self_contained(&svg.replace("http://www.w3.org/2000/svg", ""));
}

#[test]
fn a_page_is_self_contained_else_and_has_every_step_without_its_script() {
    let (_folder, path) = traced("pow");
    let trace = Trace::open(&path).unwrap();
    let page = replay(&path, "html");
    crate::is_self_contained(&page);
    crate::page(&page);
    let (still, script) = page.split_once("<script>").unwrap();
    assert!(script.trim_end().ends_with("</script>\n</body>\n</html>"));
    for step in shown(&trace) {
        let row = format!("<tr data-step=\"{}\"", step.step);
        let (_, row) = still.split_once(&row).unwrap_or_else(|| panic!("no {row}"));
        let (row, _) = row.split_once("</tr>").unwrap();
        assert!(row.contains(&format!("<td>{}</td>", step.event)), "{row}");
        assert!(step.clause.is_none_or(|clause| row.contains(clause.id())), "{row}");
        assert!(still.contains(&format!("id=\"step-{}\"", step.step)), "it is drawn too");
    }
    for part in
        ["lang=\"en\"", "aria-live=\"polite\"", "data-go=\"first\"", "data-go=\"last\"", "scope=\"col\""]
    {
        assert!(still.contains(part), "{part}");
    }
}

#[test]
fn what_a_note_and_names_say_is_text_and_never_markup() {
    let (folder, path) = traced("quorum");
    let mut trace = Trace::open(&path).unwrap();
    trace.header.note = Some("<script>alert('a & b')</script>\"".to_owned());
    let odd = folder.path().join("odd");
    fs::write(&odd, trace.to_bytes()).unwrap();
    for format in ["svg", "html"] {
        let shown = replay(&odd, format);
        assert!(!shown.contains("<script>alert"), "{format}");
        assert!(shown.contains("&lt;script&gt;alert(&#39;a &amp; b&#39;)&lt;/script&gt;&quot;"), "{format}");
    }
}

#[test]
fn the_model_explains_every_step_of_a_run_and_a_replay_as_json_is_one_document() {
    let (_folder, path) = traced("pow");
    let ran = bemr([Path::new("replay"), &path, Path::new("--json")]);
    assert_eq!(ran.code, 0);
    assert_eq!(ran.json()["rerun"], "agrees");
    let (_folder, path) = traced("quorum");
    let ran = bemr([Path::new("replay"), &path, Path::new("--json")]);
    assert_eq!(ran.code, 0);
    let json = ran.json();
    assert_eq!(json["header"]["format"], "emr-trace/5");
    assert_eq!(json["steps"].as_array().unwrap().len(), Trace::open(&path).unwrap().steps.len());
    let steps = json["steps"].as_array().map(Vec::len);
    assert_eq!((&json["rerun"], &json["both"]), (&"agrees".into(), &false.into()));
    assert_eq!(json["rerun_steps"].as_u64().map(|steps| steps as usize), steps);
}

#[test]
fn what_shows_a_fault_is_replayed_with_what_goes_otherwise_and_exits_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fault.jsonl");
    let law = Rules::hardened();
    let sides = Sides { model: law, implementation: law.without(Clause::SequenceAdvances) };
    let failure = Campaign { seed: 1, runs: 60, steps: 400, sides }.run(|_| ()).failure.unwrap();
    let trace = failure.trace(sides);
    fs::write(&path, trace.to_bytes()).unwrap();
    assert_eq!(verify(&path).code, 0);
    let ran = bemr([Path::new("replay"), &path]);
    let (step, again) = (trace.steps.len(), format!("\nreproduce: bemr replay {}\n", path.display()));
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.starts_with(&format!("step {step}: the trace: SES-03, again: ")), "{}", ran.err);
    assert!(ran.err.ends_with(&again), "{}", ran.err);
    assert!(ran.out.lines().count() >= step);
    let json = bemr([Path::new("replay"), &path, Path::new("--json")]).json();
    assert_eq!((&json["rerun"], &json["step"]), (&"diverges".into(), &step.into()));
}
