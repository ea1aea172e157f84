//! The run of one actor, byte by byte: an honest one, and between its steps inputs that have to be refused.

use super::{Kind, Made, RULES, SUITES, Stop};
use crate::forge::{MutatedMessage, ReSigner};
use crate::simulator::LedgerKind;
use crate::vectors::Hex;
use crate::vectors::recorder::{Envelope, Pairs, Recorder};
use crate::vectors::replayer::{Begin, Did, Event, Step};
use bemr::crypto::{Digest, Suite};
use bemr::wire::{Message, Name, ReadRequest, decode, encode};
use bemr_spec::{Clause, Refusal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An actor's run.
pub(in crate::vectors) enum Run {}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct RunInput {
    begin: Begin,
    steps: Vec<Step>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct RunOutput {
    steps: Vec<Did>,
}

/// A short record.
pub(super) const PATIENT: &[u8] =
    br#"{"resourceType":"Patient","id":"p1","gender":"other","birthDate":"1970-01"}"#;

impl Kind for Run {
    const NAME: &'static str = "run";
    const SUITES: &'static [&'static str] = SUITES;
    type Input = RunInput;
    type Output = RunOutput;

    fn judge(suite: Suite, input: &RunInput) -> Result<RunOutput, Stop> {
        let mut player = input.begin.start(suite, None)?;
        let steps = input.steps.iter().map(|step| player.take(step)).collect::<Result<_, Stop>>()?;
        Ok(RunOutput { steps })
    }

    fn make(suite: Suite) -> Result<Vec<Made<RunInput>>, Refusal> {
        let mut recorder = Recorder::new(suite, 1, LedgerKind::Quorum)?;
        let doctor = recorder.network.keys.roster.doctor.as_str().to_owned();
        recorder.happen(&doctor, Event::Submit { record: PATIENT.into(), readers: Vec::new() })?;
        recorder.until(20_000, |_| false)?;
        let mut made = honest(&mut recorder, &doctor);
        if matches!(suite, Suite::Ristretto255 | Suite::Tiny) {
            made.extend(mutated(suite)?);
        }
        Ok(made)
    }
}

fn honest(recorder: &mut Recorder, doctor: &str) -> Vec<Made<RunInput>> {
    let actors = [doctor, "bsd", "validator-001", "cloud"];
    let made = actors.into_iter().filter_map(|who| {
        let recording = recorder.recordings.remove(who)?;
        let comment = format!("{who}, from a submission to its receipt");
        Some(Made::valid(comment, RunInput { begin: recording.begin, steps: recording.steps }))
    });
    made.collect()
}

/// Runs in which one actor receives, before each message, mutations of it.
fn mutated(suite: Suite) -> Result<Vec<Made<RunInput>>, Refusal> {
    let mut done = Pairs::new();
    let mut made = Vec::new();
    type Script = fn(&mut Recorder, &mut Pairs) -> Result<(), Refusal>;
    let scripts: [(&str, Script); 7] = [
        ("bsd", server),
        ("validator-001", voter),
        ("validator-002", proposer),
        ("validator-004", follower),
        ("cloud", cloud),
        ("dr-ada", owner),
        ("dr-ben", reader),
    ];
    for (who, script) in scripts {
        // Of the finite fields one shows what ristretto255 cannot: what is outside the subgroup.
        if suite == Suite::Tiny && who != "dr-ben" {
            continue;
        }
        let mut recorder = Recorder::new(suite, 4, LedgerKind::Quorum)?;
        script(&mut recorder, &mut done)?;
        if let Some(recording) = recorder.recordings.remove(who) {
            let comment = format!("{who}, with what is wrong before each message");
            made.push(Made::valid(comment, RunInput { begin: recording.begin, steps: recording.steps }));
        }
    }
    Ok(made)
}

/// How long a script waits for an envelope, in milliseconds.
const PATIENCE: u64 = 60_000;

/// The kind of a message in a record, or of gossip: its first byte.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Message(u8),
    Gossip(u8),
}

fn what(envelope: &Envelope) -> Option<What> {
    match &envelope.event {
        Event::Packet { message: Some(message), .. } => message.0.first().copied().map(What::Message),
        Event::Gossip { bytes, .. } => bytes.0.first().copied().map(What::Gossip),
        _ => None,
    }
}

/// Precedes the first envelope of each of these kinds that arrives at `who` with its mutations, in the order of arrival.
fn mutate_each(recorder: &mut Recorder, done: &mut Pairs, who: &str, kinds: &[What]) -> Result<(), Refusal> {
    let mut left = kinds.to_vec();
    while !left.is_empty() {
        let wanted = |envelope: &Envelope| {
            envelope.to == who && what(envelope).is_some_and(|kind| left.contains(&kind))
        };
        let Some(envelope) = recorder.until(PATIENCE, wanted)? else { break };
        let kind = what(&envelope);
        left.retain(|one| Some(*one) != kind);
        recorder.deliver_with_mutations(envelope, done)?;
    }
    Ok(())
}

/// Delivers an envelope and then its message again: that breaks this clause, which is about this field.
fn again(recorder: &mut Recorder, envelope: Envelope, clause: Clause, field: &str) -> Result<(), Refusal> {
    let Event::Packet { message: Some(message), .. } = envelope.event.clone() else { return Ok(()) };
    let (from, to) = (envelope.from.clone(), envelope.to.clone());
    recorder.deliver(envelope)?;
    odd(recorder, &from, &to, &message.0, clause, &[field], "said once more")
}

/// Delivers a message that breaks this clause.
fn odd(
    recorder: &mut Recorder,
    from: &str,
    to: &str,
    message: &[u8],
    clause: Clause,
    fields: &[&str],
    comment: &str,
) -> Result<(), Refusal> {
    let event = recorder.written(from, to, message)?;
    let fields = fields.iter().map(|field| (*field).to_owned()).collect();
    let near = MutatedMessage { fields, comment: comment.to_owned(), bytes: Vec::new() };
    recorder.refused(to, event, &near, clause)
}

fn submit(recorder: &mut Recorder) -> Result<(), Refusal> {
    let readers = vec!["dr-ben".to_owned()];
    recorder.happen("dr-ada", Event::Submit { record: PATIENT.into(), readers }).map(drop)
}

fn first(recorder: &mut Recorder, who: &str, kind: What) -> Result<Envelope, Refusal> {
    let found = recorder.until(PATIENCE, |envelope| envelope.to == who && what(envelope) == Some(kind))?;
    found.ok_or_else(|| Refusal::new(Clause::EventFitsState).at(format!("nothing comes to {who}")))
}

fn server(recorder: &mut Recorder, done: &mut Pairs) -> Result<(), Refusal> {
    submit(recorder)?;
    mutate_each(recorder, done, "bsd", &[What::Message(1)])?;
    let request = ReadRequest { tid: Digest::default(), nonce: [0; 32], remembered: 0 };
    let stray = encode(&Message::ReadRequest(request));
    let type_ = Clause::MessageTypeIsExpected;
    odd(recorder, "dr-ada", "bsd", &stray, type_, &["Message.kind"], "a request to the cloud")?;
    // Somebody whose role may not submit.
    let wrong = Event::Submit { record: PATIENT.into(), readers: Vec::new() };
    recorder.happen("root-1", wrong)?;
    let submitted =
        |envelope: &Envelope| envelope.from == "root-1" && what(envelope) == Some(What::Message(1));
    if let Some(Envelope { event: Event::Packet { message: Some(message), .. }, .. }) =
        recorder.until(PATIENCE, submitted)?
    {
        let fields = ["TInitial.header", "InitialHeader.role", "CertificateBody.role"];
        odd(
            recorder,
            "root-1",
            "bsd",
            &message.0,
            Clause::RoleMaySubmit,
            &fields,
            "an administrator submits",
        )?;
    }
    mutate_each(recorder, done, "bsd", &[What::Message(4)])?;
    let vote = first(recorder, "bsd", What::Message(4))?;
    again(recorder, vote, Clause::OneVotePerValidator, "Vote.validator")?;
    mutate_each(recorder, done, "bsd", &[What::Message(6)])?;
    recorder.until(2_000, |_| false)?;
    // A second submission, said twice.
    let record = br#"{"resourceType":"Patient","id":"p2"}"#;
    recorder.happen("dr-ada", Event::Submit { record: record.into(), readers: Vec::new() })?;
    let initial = first(recorder, "bsd", What::Message(1))?;
    again(recorder, initial, Clause::TidIsFresh, "InitialHeader.tid")?;
    recorder.until(20_000, |_| false)?;
    recorder.happen("bsd", Event::Close {})?;
    recorder.until(5_000, |_| false).map(drop)
}

fn voter(recorder: &mut Recorder, done: &mut Pairs) -> Result<(), Refusal> {
    submit(recorder)?;
    let block = first(recorder, "validator-001", What::Message(3))?;
    let Event::Packet { message: Some(message), .. } = block.event.clone() else { return Ok(()) };
    recorder.deliver_with_mutations(block, done)?;
    let Ok(Message::TBlock(mut other)) = decode::<Message>(&RULES, &message.0) else { return Ok(()) };
    other.body.issued = other.body.issued.after(1);
    let mut other = Message::TBlock(other);
    ReSigner::new(&recorder.network.keys).message(&mut other, &recorder.network.keys.roster.bsd.clone(), 0);
    let fields = ["TBlock.body", "BlockBody.tid"];
    let clause = Clause::OneBlockPerTid;
    odd(recorder, "bsd", "validator-001", &encode(&other), clause, &fields, "another T_block for the tid")?;
    recorder.until(20_000, |_| false).map(drop)
}

fn proposer(recorder: &mut Recorder, done: &mut Pairs) -> Result<(), Refusal> {
    submit(recorder)?;
    let kinds = [What::Gossip(1), What::Gossip(5), What::Gossip(2), What::Gossip(3)];
    mutate_each(recorder, done, "validator-002", &kinds)?;
    recorder.until(20_000, |_| false).map(drop)
}

fn follower(recorder: &mut Recorder, done: &mut Pairs) -> Result<(), Refusal> {
    submit(recorder)?;
    mutate_each(recorder, done, "validator-004", &[What::Gossip(4)])?;
    // The next height: anchors.
    let first = first(recorder, "validator-004", What::Gossip(6))?;
    recorder.deliver(first)?;
    mutate_each(recorder, done, "validator-004", &[What::Gossip(4), What::Gossip(6)])?;
    recorder.until(20_000, |_| false).map(drop)
}

fn cloud(recorder: &mut Recorder, done: &mut Pairs) -> Result<(), Refusal> {
    submit(recorder)?;
    let valid = first(recorder, "cloud", What::Message(5))?;
    let Event::Packet { message: Some(message), .. } = valid.event.clone() else { return Ok(()) };
    recorder.deliver_with_mutations(valid, done)?;
    let clause = Clause::StoredOnce;
    odd(recorder, "bsd", "cloud", &message.0, clause, &["TValid.body", "ValidBody.tid"], "said once more")?;
    recorder.until(5_000, |_| false)?;
    let tid = recorder.tid().ok_or(Refusal::new(Clause::LeafIsIncluded))?;
    let of = || -> Hex { tid.as_bytes().into() };
    let reader = || "mia".to_owned();
    let requests = [
        (Event::Read { tid: of() }, 7),
        (Event::Grant { tid: of(), reader: reader() }, 9),
        (Event::Revoke { tid: of(), reader: reader() }, 10),
        (Event::Grant { tid: of(), reader: reader() }, 9),
        (Event::Revoke { tid: of(), reader: reader() }, 10),
    ];
    for (request, kind) in requests {
        recorder.happen("dr-ada", request)?;
        mutate_each(recorder, done, "cloud", &[What::Message(kind)])?;
        recorder.until(1_500, |_| false)?;
    }
    let (body, approvals) = erasure(recorder, tid)?;
    recorder.happen("dr-ada", Event::Erase { body, approvals })?;
    mutate_each(recorder, done, "cloud", &[What::Message(11)])?;
    recorder.until(5_000, |_| false).map(drop)
}

/// What the owner and an administrator approve.
fn erasure(recorder: &mut Recorder, tid: Digest) -> Result<(Hex, Vec<Hex>), Refusal> {
    let now = recorder.network.now();
    let mut body = None;
    let mut approvals = Vec::new();
    for who in ["dr-ada", "root-1"] {
        let user = Name::new(who).and_then(|who| recorder.network.user(&who));
        let user = user.ok_or(Refusal::new(Clause::PeerIsIntended))?;
        let body = body.get_or_insert_with(|| user.erasure(now, tid));
        approvals.push(Hex(encode(&user.approve(body))));
    }
    let body = body.ok_or(Refusal::new(Clause::PeerIsIntended))?;
    Ok((Hex(encode(&body)), approvals))
}

fn owner(recorder: &mut Recorder, done: &mut Pairs) -> Result<(), Refusal> {
    submit(recorder)?;
    mutate_each(recorder, done, "dr-ada", &[What::Message(2)])?;
    recorder.until(5_000, |_| false)?;
    let tid = recorder.tid().ok_or(Refusal::new(Clause::LeafIsIncluded))?;
    recorder.happen("dr-ada", Event::Grant { tid: tid.as_bytes().into(), reader: "mia".to_owned() })?;
    mutate_each(recorder, done, "dr-ada", &[What::Message(12)])?;
    recorder.until(5_000, |_| false).map(drop)
}

fn reader(recorder: &mut Recorder, done: &mut Pairs) -> Result<(), Refusal> {
    submit(recorder)?;
    // The log has one leaf, and no anchor yet.
    let receipt = first(recorder, "bsd", What::Message(6))?;
    recorder.deliver(receipt)?;
    let tid = recorder.tid().ok_or(Refusal::new(Clause::LeafIsIncluded))?;
    let of = || -> Hex { tid.as_bytes().into() };
    recorder.happen("dr-ben", Event::Read { tid: of() })?;
    mutate_each(recorder, done, "dr-ben", &[What::Message(8)])?;
    recorder.until(20_000, |_| false)?;
    // Another leaf, which no anchor covers yet.
    recorder.happen("dr-ada", Event::Grant { tid: of(), reader: "mia".to_owned() })?;
    let answer = first(recorder, "dr-ada", What::Message(12))?;
    recorder.deliver(answer)?;
    recorder.happen("dr-ben", Event::Read { tid: of() })?;
    mutate_each(recorder, done, "dr-ben", &[What::Message(8)])?;
    recorder.until(2_000, |_| false).map(drop)
}
