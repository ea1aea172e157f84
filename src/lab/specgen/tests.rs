use super::coverage::{Coverage, Covered};
use super::machines::Chart;
use super::*;
use bemr_spec::Clause::{self, HeadNotOlder, MoreThanTwoThirds, TidIsFresh, VoteSigned};
use bemr_spec::machine::{Machine, Other, Row};

/// The coverage of these files, with one message and no machine.
fn coverage(files: &[(&str, &str)]) -> Coverage {
    try_coverage(files).expect("they are Rust")
}

fn try_coverage(files: &[(&str, &str)]) -> io::Result<Coverage> {
    const VOTE: &str = "## `Vote`\n\n| field | type | size | set by | checked by |\n|---|---|---|---|---|\n\
                        | signature | Signature | 2 + signature | validator | VOT-02, QUO-01 |\n";
    let tables = Tables::parse(&[("votes.md", VOTE)]).expect("the table has no flaw");
    let sources = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    Coverage::of(&Sources::new(sources), &tables, &[])
}

fn of<'c>(coverage: &'c Coverage, id: &str) -> &'c Covered {
    coverage.covered(Clause::find(id).expect("a clause")).expect("every clause has an entry")
}

fn enforced(coverage: &Coverage, id: &str) -> Vec<String> {
    of(coverage, id).enforced.iter().map(|place| format!("{} {}", place.file, place.item)).collect()
}

fn shown(coverage: &Coverage, id: &str) -> Vec<String> {
    of(coverage, id).shown.iter().map(|place| format!("{} {}", place.file, place.item)).collect()
}

const CODE: &str = r##"
use bemr_spec::Clause;
/// Clause::VoteSigned in a comment.
pub(crate) const LIST: [(Clause, u8); 1] = [(Clause::ScalarInRange, 1)];
pub struct Holder<const N: usize>([u8; N]);
impl<'a, T: Fn() -> u8> Holder<T> where T: Copy {
    const OF_IT: Clause = Clause::SuiteMatches;
    pub const fn check(&self, rules: &Rules) -> Result<(), Refusal> {
        let text = "Clause::VoteSigned";
        rules.require(bemr_spec::Clause::ElementInRange, true)?;
        fn nested() { refuse(Clause::ElementInSubgroup) }
        match refusal.clause() {
            Clause::VoteSigned => 1,
            Clause::VoterIsAdmitted | Clause::VoteNamesBlock => 2,
        }
        let same = refusal.clause() == bemr_spec::Clause::VoteNamesPolicy || Clause::VoteNamesHeight != x;
        Clause::Unheard
    }
}
impl std::fmt::Display for super::Other<'_> {
    fn fmt(&self) -> Clause { Clause::NonceIsDerived }
}
macro_rules! refuse { () => { Refusal::new(Clause::ChallengeCoversKeyAndTag) } }
fn only_weakened() { Clause::CommitmentRecomputed; }
#[cfg(not(test))]
fn not_for_tests() { Clause::TagVerifiedBeforeUse; }
#[cfg(test)]
mod attacks;
#[cfg(all(test, bemr_weaken))]
mod inline {
    const CASES: [Clause; 1] = [Clause::OneEncodingPerValue];
    fn helper() { deeper(Clause::MessageTypeIsExpected); }
    fn deeper(_: Clause) { Clause::ProtocolVersionIsOne; }
    fn idle() { Clause::SizeWithinBound; }
    #[test]
    fn it_holds() { helper(); for case in CASES {} assert!(x.clause() == Clause::ElementInRange); }
}
fn after_the_tests() { Clause::EncapsulationIsContextual; }
"##;

#[test]
fn code_outside_tests_enforces_what_it_names() {
    let coverage = coverage(&[("src/a/mod.rs", CODE)]);
    let enforced = |id| enforced(&coverage, id);
    assert_eq!(enforced("GRP-01"), ["src/a/mod.rs Holder::check"]);
    assert_eq!(enforced("GRP-02"), ["src/a/mod.rs Holder::check"]);
    assert_eq!(enforced("GRP-03"), ["src/a/mod.rs LIST"]);
    assert_eq!(enforced("GRP-04"), ["src/a/mod.rs Holder::OF_IT"]);
    assert_eq!(enforced("SIG-01"), ["src/a/mod.rs Other::fmt"]);
    assert_eq!(enforced("SIG-02"), ["src/a/mod.rs refuse!"]);
    assert_eq!(enforced("SIG-03"), ["src/a/mod.rs only_weakened"]);
    assert_eq!(enforced("AED-01"), ["src/a/mod.rs not_for_tests"]);
    assert_eq!(enforced("KEM-01"), ["src/a/mod.rs after_the_tests"]);
}

#[test]
fn comments_strings_patterns_and_tests_enforce_nothing() {
    let coverage = coverage(&[("src/a/mod.rs", CODE)]);
    for id in ["VOT-01", "VOT-02", "VOT-03", "VOT-04", "VOT-05", "ENC-01", "ENC-02", "ENC-03", "ENC-04"] {
        assert_eq!(enforced(&coverage, id), [""; 0], "{id}");
    }
}

#[test]
fn a_test_shows_what_it_and_its_helpers_name() {
    let coverage = coverage(&[("src/a/mod.rs", CODE)]);
    for id in ["GRP-01", "ENC-01", "ENC-02", "ENC-03"] {
        assert_eq!(shown(&coverage, id), ["src/a/mod.rs it_holds"], "{id}");
    }
    assert_eq!(shown(&coverage, "ENC-04"), [""; 0], "no test uses the helper that names it");
    assert_eq!(shown(&coverage, "GRP-02"), [""; 0]);
}

#[test]
fn tests_are_known_by_their_file_or_by_who_declares_them() {
    let test = "proptest! { #[test] fn p(x in 0..9) { assert_eq!(r.clause(), Clause::VoteSigned); } }";
    let files =
        ["src/a/attacks.rs", "src/a/attacks/deep.rs", "src/b/tests.rs", "proptests/tests/c.rs", "src/d.rs"];
    let mut sources: Vec<(&str, &str)> = files.iter().map(|file| (*file, test)).collect();
    sources.push(("src/a/mod.rs", CODE));
    let coverage = coverage(&sources);
    let expected =
        ["proptests/tests/c.rs p", "src/a/attacks.rs p", "src/a/attacks/deep.rs p", "src/b/tests.rs p"];
    assert_eq!(shown(&coverage, "VOT-02"), expected);
    assert_eq!(enforced(&coverage, "VOT-02"), ["src/d.rs p"]);
}

#[test]
fn a_clause_that_nothing_names_is_found_out() {
    let everything = |wrap: fn(&str) -> String| {
        Clause::ALL.into_iter().map(|clause| wrap(clause.name())).collect::<Vec<_>>().join("\n")
    };
    let code = everything(|name| format!("fn enforce() {{ rules.require(Clause::{name}, false)?; }}"));
    let tests = everything(|name| format!("#[test] fn test() {{ assert_eq!(c, Clause::{name}); }}"));
    let full = coverage(&[("src/a.rs", &code), ("src/tests.rs", &tests)]);
    assert_eq!((full.unenforced(), full.unshown()), (vec![], vec![]));
    let code = code.replace("Clause::MoreThanTwoThirds,", "Clause::Nothing,");
    let tests = tests.replace("Clause::VoteSigned)", "Clause::Nothing)");
    let holed = coverage(&[("src/a.rs", &code), ("src/tests.rs", &tests)]);
    assert_eq!((holed.unenforced(), holed.unshown()), (vec!["QUO-01"], vec!["VOT-02"]));
    let refusal = try_coverage(&[("src/a.rs", "fn broken( {")]);
    assert!(refusal.expect_err("no Rust").to_string().starts_with("src/a.rs: "));
}

#[test]
fn the_fields_that_a_clause_checks_are_those_of_the_tables() {
    let coverage = coverage(&[]);
    assert_eq!(of(&coverage, "VOT-02").fields, ["Vote.signature"]);
    assert_eq!(of(&coverage, "QUO-01").fields, ["Vote.signature"]);
    assert!(of(&coverage, "STA-01").fields.is_empty());
}

#[test]
fn every_listed_machine_is_whole() {
    let charts = machines::charts();
    let mut names: Vec<&str> = charts.iter().map(|chart| chart.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), charts.len(), "two machines have one name");
}

#[test]
fn a_machine_is_shown_as_table_diagram_and_matrix() {
    let row = |from, event, guard, to, output, clauses| Row {
        from,
        event,
        guard,
        to,
        output,
        clauses,
        refuses: false,
    };
    let rows = [
        row("Shut", "Pushed", "unlocked; dry", "Open", "a draught", &[VoteSigned, MoreThanTwoThirds]),
        row("Shut", "Pushed", "locked", "Shut", "", &[VoteSigned]),
        row("Open", "Shaken", "", "Gone", "noise", &[]),
    ];
    let others = [
        Other { states: &["Open", "Gone"], events: &["Pushed"], clauses: &[HeadNotOlder, TidIsFresh] },
        Other { states: &["Shut"], events: &["Shaken"], clauses: &[] },
    ];
    let machine = Machine {
        name: "door",
        about: "A door, much shortened.",
        states: &[("Shut", "it is shut"), ("Open", "one can walk | through"), ("Gone", "it fell off")],
        events: &[("Pushed", "somebody pushes"), ("Shaken", "the earth quakes")],
        rows: Vec::leak(rows.into()),
        others: Vec::leak(others.into()),
    };
    let door = Chart::of(&machine);
    let page = machines::render(std::slice::from_ref(&door));
    assert!(page.contains("\n## `door`\n\nA door, much shortened.\n"));
    assert_eq!(
        door.vocabulary(),
        "| state | meaning |\n|---|---|\n| Shut (initial) | it is shut |\n| Open | one can walk \\| through |\n\
         | Gone (terminal) | it fell off |\n\n| event | meaning |\n|---|---|\n| Pushed | somebody pushes |\n\
         | Shaken | the earth quakes |\n"
    );
    assert_eq!(
        door.transitions(),
        "| from | event | guard | to | output | clauses |\n|---|---|---|---|---|---|\n\
         | Shut | Pushed | unlocked; dry | Open | a draught | VOT-02, QUO-01 |\n\
         | Shut | Pushed | locked | Shut |  | VOT-02 |\n| Open | Shaken |  | Gone | noise |  |\n"
    );
    assert_eq!(
        door.diagram(),
        "stateDiagram-v2\n    [*] --> Shut\n    Shut --> Open: Pushed (unlocked, dry)\n    Shut --> Shut: Pushed (locked)\n    \
         Open --> Gone: Shaken\n    Gone --> [*]\n"
    );
    assert_eq!(
        door.matrix(),
        "| | Pushed | Shaken |\n|---|---|---|\n| **Shut** | Open, Shut | - |\n\
         | **Open** | refused CLD-04, INI-03 | Gone |\n| **Gone** | refused CLD-04, INI-03 | refused STA-01 |\n"
    );
    assert!(
        door.names(Clause::TidIsFresh)
            && door.names(Clause::VoteSigned)
            && !door.names(Clause::BlockHasQuorum)
    );
}

#[test]
fn a_table_with_refusals_is_shown_with_them() {
    let row = |from, guard, to, output, clauses: &'static [Clause]| Row {
        from,
        event: "Pushed",
        guard,
        to,
        output,
        clauses,
        refuses: !clauses.is_empty(),
    };
    let rows = [
        row("Shut", "unlocked", "Open", "a draught", &[]),
        row("Shut", "locked", "Shut", "", &[VoteSigned]),
        row("Open", "", "Open", "", &[TidIsFresh]),
        Row { event: "Shaken", ..row("Open", "", "Gone", "noise", &[]) },
    ];
    let door = Chart::of(&Machine {
        name: "door",
        about: "A door.",
        states: &[("Shut", "it is shut"), ("Open", "it is open"), ("Gone", "it fell off")],
        events: &[("Pushed", "somebody pushes"), ("Shaken", "the earth quakes")],
        rows: Vec::leak(rows.into()),
        others: &[
            Other { states: &["Shut"], events: &["Shaken"], clauses: &[] },
            Other { states: &["Gone"], events: &["Pushed", "Shaken"], clauses: &[] },
        ],
    });
    assert_eq!(
        door.transitions(),
        "| from | event | guard | to | output | clauses |\n|---|---|---|---|---|---|\n\
         | Shut | Pushed | unlocked | Open | a draught |  |\n| Shut | Pushed | locked | Shut |  | VOT-02 |\n\
         | Open | Pushed |  | Open |  | INI-03 |\n| Open | Shaken |  | Gone | noise |  |\n"
    );
    assert_eq!(
        door.diagram(),
        "stateDiagram-v2\n    [*] --> Shut\n    Shut --> Open: Pushed (unlocked)\n    Open --> Gone: Shaken\n    Gone --> [*]\n"
    );
    assert_eq!(
        door.matrix(),
        "| | Pushed | Shaken |\n|---|---|---|\n| **Shut** | Open; refused VOT-02 | - |\n\
         | **Open** | refused INI-03 | Gone |\n| **Gone** | - | - |\n"
    );
}

#[test]
fn a_clause_is_explained_with_what_enforces_and_shows_it() {
    for clause in Clause::ALL {
        let text = explain(clause);
        assert!(text.starts_with(&format!("{} {}", clause.id(), clause.name())));
        assert!(text.contains(clause.must()) && text.contains(clause.why()));
    }
    assert!(explain(Clause::MoreThanTwoThirds).contains("src/votes/quorum.rs  verify_signatories"));
}
