//! What negative vectors say, the model says too: it is asked what a message with this flaw and no other comes to.
//!
//! The model has no bytes. A vector whose clause is of bytes, numbers or one function is not asked about; how many those are is
//! counted, and by which clauses.

use bemr::wire::{self, decode};
use bemr_lab::forge::FLAWS;
use bemr_lab::lockstep::{Driver, Instruction, Kind, MOST_AT_ONCE, instead};
use bemr_lab::vectors::Outcome;
use bemr_model::{
    Action, Actor, Ballot, Command, Datagram, Envelope, Execution, Flaws, LedgerKind, Lifetimes, Message,
    Output, Packet, Setup, Tid, Vote,
};
use bemr_spec::{Clause, Rules};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A kind of message, by its name.
type Name = &'static str;

/// Of 100 negative vectors the model has a verdict on so many at least.
const LEAST: usize = 70;

/// Clauses that some vectors show where the model does not tell who breaks them, and why.
const NOT_TOLD: &[(Clause, &str)] = &[
    (Clause::OneEncodingPerValue, "it has no bytes"),
    (Clause::MessageTypeIsExpected, "what is a message of one kind for it is none of another"),
    (Clause::ProtocolVersionIsOne, "its certificates and handshakes are of one version"),
    (Clause::SuiteMatches, "its certificates, elements and handshakes are of one suite"),
    (Clause::ElementInRange, "its certificates are of keys that are elements"),
    (Clause::ElementInSubgroup, "the same"),
    (Clause::ScalarInRange, "it has no numbers; a signature with a wrong one is a flaw of what is signed"),
    (Clause::CommitmentRecomputed, "the same"),
    (Clause::TagVerifiedBeforeUse, "what nobody sealed is a flaw of the message that it is in"),
    (
        Clause::LogIsAppendOnly,
        "it has no trees; a proof that proves nothing is a flaw of the message that it is in",
    ),
    (Clause::EntryInclusionProven, "the same"),
    (Clause::KeysHaveOneUse, "its KDC certifies no such keys"),
    (Clause::SessionEstablished, "in it no record arrives in the place of a flight of a handshake"),
    (Clause::KeyNotExhausted, "it counts no records of a session to the end"),
    (Clause::RecordNamesSession, "who hears a record finds its session by its name"),
    (Clause::StageFitsSession, "whoever seals in it seals for the stage that is said"),
];

/// How many lives with an adversary are looked at, and how many steps of each.
const RUNS: u64 = 400;
const STEPS: usize = 400;

/// For each kind of message and flaw what receivers say to it; nothing where it is taken.
type Verdicts = BTreeMap<(Name, Clause), BTreeSet<Option<Clause>>>;

fn lives() -> impl Iterator<Item = (Setup, Vec<Instruction>)> {
    let networks =
        [(5, 4, LedgerKind::Quorum, true), (5, 1, LedgerKind::Work, true), (3, 1, LedgerKind::Quorum, false)];
    networks.into_iter().flat_map(|(users, validators, ledger, established)| {
        (0..12).map(move |seed| {
            let setup = Setup { users, validators, ledger, seed: 0, established, lifetimes: Lifetimes::LONG };
            let wish = |number: u16| {
                [
                    Instruction { kind: Kind::Command, choice: seed * 40 + number },
                    Instruction { kind: Kind::Govern, choice: seed * 40 + number },
                    Instruction { kind: Kind::Go, choice: MOST_AT_ONCE },
                ]
            };
            (setup, (0..10).flat_map(wish).collect())
        })
    })
}

/// The verdict on a lie that is said instead of this envelope.
fn verdict(model: &Execution, lie: &Action, to: Actor) -> Option<Option<Clause>> {
    let mut model = model.clone();
    let sent = model.envelopes().len();
    let done = model.step(lie)?;
    if !matches!(lie, Action::Send { .. } | Action::Publish { .. }) {
        return Some(done.clause);
    }
    let envelope = (sent..model.envelopes().len()).find(|at| model.envelopes()[*at].to == to)?;
    model.step(&Action::Deliver { envelope: envelope as u32 }).map(|done| done.clause)
}

/// What can be done instead of a genuine action, of this kind and with this flaw.
fn lies(model: &Execution, genuine: &Action, kind: Name, flaw: Clause) -> Vec<Action> {
    let flaws = Flaws::NONE.and(flaw);
    match genuine {
        Action::Deliver { envelope } => {
            let envelope: &Envelope = &model.envelopes()[*envelope as usize];
            let (actor, to) = (envelope.from, envelope.to);
            match envelope.datagram {
                Datagram::Packet(
                    packet @ (Packet::Hello { .. } | Packet::Response { .. } | Packet::Finish { .. }),
                ) if packet.name() == kind => {
                    vec![Action::Inject { actor, to, packet, flaws }]
                }
                _ => instead(envelope, kind, flaws).into_iter().map(beside).collect(),
            }
        }
        Action::Command { actor, command: Command::Enrol(asked) } if kind == "Enrolment" => {
            let mut asked = *asked;
            asked.flaws = flaws;
            vec![Action::Command { actor: *actor, command: Command::Enrol(asked) }]
        }
        _ => Vec::new(),
    }
}

/// An answer or outcome has no flaws: what is wrong with it is what it says.
fn beside(mut lie: Action) -> Action {
    match &mut lie {
        Action::Send { message: Message::Outcome { tid, .. }, .. } => {
            *tid = Tid::nth(tid.place().map_or(0, |place| place as u16 + 1))
        }
        Action::Send { message: Message::Answer { request, .. }, .. } => {
            request.number = request.number.next()
        }
        _ => {}
    }
    lie
}

/// Asks about everything that is taken in honest lives.
fn ask(verdicts: &mut Verdicts, model: &Execution, genuine: &Action) {
    let to = match genuine {
        Action::Deliver { envelope } => model.envelopes()[*envelope as usize].to,
        Action::Command { actor, command: Command::Enrol(_) } => *actor,
        _ => return,
    };
    if model.clone().step(genuine).is_none_or(|done| done.clause.is_some()) {
        return;
    }
    for (kind, listed) in FLAWS {
        for flaw in *listed {
            for lie in lies(model, genuine, kind, *flaw) {
                if let Some(clause) = verdict(model, &lie, to) {
                    verdicts.entry((kind, *flaw)).or_default().insert(clause);
                }
            }
        }
    }
}

fn verdicts() -> Verdicts {
    let mut verdicts = Verdicts::new();
    for (setup, moves) in lives() {
        let (mut model, mut driver, mut tried) =
            (Execution::new(Rules::hardened(), &setup), Driver::led(setup), 0);
        for one in moves {
            let times = if one.kind == Kind::Go { one.choice } else { 1 };
            for _ in 0..times {
                let Some(mut action) = driver.make(&model, one) else { break };
                if let Action::Wake { found, .. } = &mut action {
                    tried += 1;
                    // Every few nonces one meets the target.
                    *found = (setup.ledger == LedgerKind::Work && tried % 5 == 0).then_some(tried);
                }
                ask(&mut verdicts, &model, &action);
                model.step(&action);
                driver.attend(&model);
            }
        }
    }
    verdicts
}

/// By which clauses the model refused what in lives with an adversary: of what hangs on state there is no flaw.
fn seen() -> BTreeSet<(Name, Clause)> {
    let mut seen = BTreeSet::new();
    for seed in 0..RUNS {
        let mut driver = Driver::new(seed);
        let mut model = Execution::new(Rules::hardened(), driver.setup());
        for _ in 0..STEPS {
            let Some(action) = driver.next(&model) else { break };
            let Some(done) = model.step(&action) else { continue };
            let refused = done
                .clause
                .into_iter()
                .flat_map(|clause| names(&model, &action).into_iter().map(move |name| (name, clause)));
            seen.extend(refused);
            seen.extend(done.sends.iter().filter_map(judged));
        }
    }
    seen
}

/// A rule of a contract that a validator saw broken.
fn judged(output: &Output) -> Option<(Name, Clause)> {
    match output {
        Output::Send(_, Packet::Record(record)) => match record.message {
            Message::Vote(Vote { ballot: Ballot::False(clause), .. }) => Some(("contract", clause)),
            _ => None,
        },
        _ => None,
    }
}

/// What somebody looked at, by the names of its kinds.
fn names(model: &Execution, action: &Action) -> Vec<Name> {
    match action {
        Action::Deliver { envelope }
        | Action::Corrupt { envelope, .. }
        | Action::Redirect { envelope, .. } => match &model.envelopes()[*envelope as usize].datagram {
            Datagram::Packet(Packet::Record(record)) => vec!["Record", record.message.name()],
            Datagram::Packet(packet) => vec![packet.name()],
            Datagram::Gossip(gossip) => vec![gossip.name()],
        },
        Action::Inject { packet, .. } => vec![packet.name()],
        Action::Unseal { .. } => vec!["seal"],
        Action::Audit { .. } => vec!["audit"],
        Action::Command { command: Command::Enrol(_), .. } => vec!["Enrolment"],
        _ => Vec::new(),
    }
}

/// Of every negative vector the kinds of message that it stands for, the clause, and where it stands.
fn negatives() -> Vec<(Vec<Name>, Clause, String)> {
    let mut negatives = Vec::new();
    for file in super::vectors::files() {
        let name = file.name();
        for test in &file.tests {
            let place = format!("{name} {}", test.tc_id);
            if let (Outcome::Invalid, Some(clause)) = (test.answer.result, test.answer.clause) {
                negatives.push((kinds_of(&file.kind).to_vec(), clause, place.clone()));
            }
            let steps =
                |value: &Value| value.get("steps").and_then(Value::as_array).cloned().unwrap_or_default();
            for (number, (step, did)) in steps(&test.input).iter().zip(steps(&test.answer.output)).enumerate()
            {
                let Some(clause) = did["clause"].as_str().and_then(Clause::find) else { continue };
                negatives.push((said(&step["event"]), clause, format!("{place}, step {}", number + 1)));
            }
        }
    }
    negatives
}

/// What the vectors of a kind are, in the words of the model.
fn kinds_of(kind: &str) -> &'static [Name] {
    match kind {
        "agree" | "element" => &["Hello"],
        "audit" => &["audit"],
        "block" => &["Block", "Close"],
        "certificate" => &["T_block", "Response", "Finish"],
        "cloud-head" => &["CloudHead", "ReadResponse"],
        "cloud-leaf" => &["ReadResponse"],
        "contracts" => &["contract"],
        "decapsulate" => &["ReadResponse"],
        "enrolment" => &["Enrolment"],
        "initiator" => &["Response"],
        "open-record" => &["Record"],
        "open-seal" => &["seal"],
        "policy-change" => &["PolicyChange"],
        "quorum" => &["T_valid"],
        "record" | "value" => &["T_initial"],
        "responder" => &["Hello", "Finish"],
        "revocation-list" => &["RevocationList"],
        _ => &[],
    }
}

/// What is said or told in a step of a run; nothing where it cannot be decoded.
fn said(event: &Value) -> Vec<Name> {
    let bytes = |value: &Value| base16ct::lower::decode_vec(value.as_str()?).ok();
    let packet = bytes(&event["packet"]["message"])
        .and_then(|bytes| decode::<wire::Message>(&Rules::hardened(), &bytes).ok());
    let gossip = bytes(&event["gossip"]["bytes"])
        .and_then(|bytes| decode::<wire::Gossip>(&Rules::hardened(), &bytes).ok());
    packet.map(|message| message.name()).into_iter().chain(gossip.map(|gossip| gossip.name())).collect()
}

#[test]
fn the_model_gives_the_verdict_of_every_negative_vector_that_it_can_tell() {
    let (verdicts, seen, negatives) = (verdicts(), seen(), negatives());
    let (mut asked, mut met) = (0, 0);
    let mut not = BTreeMap::<(String, &str), u32>::new();
    for (kinds, clause, place) in &negatives {
        let answers: Vec<_> = kinds.iter().filter_map(|kind| verdicts.get(&(*kind, *clause))).collect();
        if !answers.is_empty() {
            asked += 1;
            // What is public is not looked at by who has no use for it, or has it already.
            let agrees = |answer: &&BTreeSet<Option<Clause>>| {
                answer.contains(&Some(*clause)) && answer.iter().flatten().all(|other| other == clause)
            };
            assert!(
                answers.iter().any(agrees),
                "{place}: the vector says {}, the model {answers:?}",
                clause.id()
            );
        } else if kinds.iter().any(|kind| seen.contains(&(*kind, *clause))) {
            met += 1;
        } else {
            *not.entry((kinds.join(" or "), clause.id())).or_default() += 1;
        }
    }
    println!(
        "{asked} asked with one flaw and {met} seen in lives, of {} negative vectors; not {not:?}",
        negatives.len()
    );
    let reason = |clause: &str| NOT_TOLD.iter().find(|(of, _)| of.id() == clause);
    let open: Vec<_> = not.keys().filter(|(_, clause)| reason(clause).is_none()).collect();
    assert!(open.is_empty(), "the model was not asked, and nobody says why: {open:?}");
    let needed = |clause: &Clause| not.keys().any(|(_, of)| *of == clause.id());
    let stale: Vec<_> = NOT_TOLD.iter().filter(|(clause, _)| !needed(clause)).collect();
    assert!(stale.is_empty(), "the model was asked about all of these: {stale:?}");
    assert!(100 * (asked + met) >= LEAST * negatives.len(), "{asked} and {met} of {}", negatives.len());
}
