//! The life of one actor, byte by byte: an honest one, and between its steps what has to be refused.

use super::{Kind, Made, RULES, SUITES, Stop};
use crate::forge::{MutatedMessage, ReSigner};
use crate::simulator::{LedgerKind, Node};
use crate::vectors::Hex;
use crate::vectors::recorder::{Envelope, Pairs, Recorder};
use crate::vectors::replayer::{Begin, Did, Event, Step};
use bemr::crypto::{Digest, Suite};
use bemr::wire::{Message, ReadRequest, decode, encode};
use bemr_spec::{Clause, Refusal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An actor's life.
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
        let mut town = Recorder::new(suite, 1, LedgerKind::Quorum)?;
        let doctor = town.foundation.cast.doctor.as_str().to_owned();
        town.happen(&doctor, Event::Submit { record: PATIENT.into(), readers: Vec::new() }, "", &[])?;
        town.until(20_000, |_| false)?;
        let mut made = honest(&mut town, &doctor);
        if matches!(suite, Suite::Ristretto255 | Suite::Tiny) {
            made.extend(beset(suite)?);
        }
        Ok(made)
    }
}

fn honest(town: &mut Recorder, doctor: &str) -> Vec<Made<RunInput>> {
    let actors = [doctor, "bsd", "validator-001", "cloud"];
    let made = actors.into_iter().filter_map(|who| {
        let tape = town.tapes.remove(who)?;
        let comment = format!("{who}, from a submission to its receipt");
        Some(Made::valid(comment, RunInput { begin: tape.begin, steps: tape.steps }))
    });
    made.collect()
}

/// Lives in which one actor hears, before each message, what is wrong with it.
fn beset(suite: Suite) -> Result<Vec<Made<RunInput>>, Refusal> {
    let mut done = Pairs::new();
    let mut made = Vec::new();
    type Life = fn(&mut Recorder, &mut Pairs) -> Result<(), Refusal>;
    let lives: [(&str, Life); 7] = [
        ("bsd", server),
        ("validator-001", voter),
        ("validator-002", proposer),
        ("validator-004", follower),
        ("cloud", cloud),
        ("dr-ada", owner),
        ("dr-ben", reader),
    ];
    for (who, life) in lives {
        // Of the finite fields one shows what ristretto255 cannot: what is outside the subgroup.
        if suite == Suite::Tiny && who != "dr-ben" {
            continue;
        }
        let mut town = Recorder::new(suite, 4, LedgerKind::Quorum)?;
        life(&mut town, &mut done)?;
        if let Some(tape) = town.tapes.remove(who) {
            let comment = format!("{who}, with what is wrong before each message");
            made.push(Made::valid(comment, RunInput { begin: tape.begin, steps: tape.steps }));
        }
    }
    Ok(made)
}

/// How long somebody waits for a parcel, in milliseconds.
const PATIENCE: u64 = 60_000;

/// What a parcel is, by its first byte: in a record, or public.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Said(u8),
    Told(u8),
}

fn what(parcel: &Envelope) -> Option<What> {
    match &parcel.event {
        Event::Packet { message: Some(message), .. } => message.0.first().copied().map(What::Said),
        Event::Gossip { bytes, .. } => bytes.0.first().copied().map(What::Told),
        _ => None,
    }
}

/// Besets the first parcel of each of these that arrives at `who`, whichever comes first.
fn beset_all(town: &mut Recorder, done: &mut Pairs, who: &str, kinds: &[What]) -> Result<(), Refusal> {
    let mut left = kinds.to_vec();
    while !left.is_empty() {
        let wanted =
            |parcel: &Envelope| parcel.to == who && what(parcel).is_some_and(|kind| left.contains(&kind));
        let Some(parcel) = town.until(PATIENCE, wanted)? else { break };
        let kind = what(&parcel);
        left.retain(|one| Some(*one) != kind);
        town.beset(parcel, done)?;
    }
    Ok(())
}

/// Says again what a parcel said, after it has arrived: that breaks this clause, which is about this field.
fn again(town: &mut Recorder, parcel: Envelope, clause: Clause, field: &str) -> Result<(), Refusal> {
    let Event::Packet { message: Some(message), .. } = parcel.event.clone() else { return Ok(()) };
    let (from, to) = (parcel.from.clone(), parcel.to.clone());
    town.deliver(parcel)?;
    odd(town, &from, &to, &message.0, clause, &[field], "said once more")
}

/// Something that is said breaks this clause.
fn odd(
    town: &mut Recorder,
    from: &str,
    to: &str,
    message: &[u8],
    clause: Clause,
    fields: &[&str],
    comment: &str,
) -> Result<(), Refusal> {
    let event = town.written(from, to, message)?;
    let fields = fields.iter().map(|field| (*field).to_owned()).collect();
    let near = MutatedMessage { fields, comment: comment.to_owned(), bytes: Vec::new() };
    town.refused(to, event, &near, clause)
}

fn submit(town: &mut Recorder) -> Result<(), Refusal> {
    let readers = vec!["dr-ben".to_owned()];
    town.happen("dr-ada", Event::Submit { record: PATIENT.into(), readers }, "", &[]).map(drop)
}

fn first(town: &mut Recorder, who: &str, kind: What) -> Result<Envelope, Refusal> {
    let found = town.until(PATIENCE, |parcel| parcel.to == who && what(parcel) == Some(kind))?;
    found.ok_or_else(|| Refusal::new(Clause::EventFitsState).at(format!("nothing comes to {who}")))
}

fn server(town: &mut Recorder, done: &mut Pairs) -> Result<(), Refusal> {
    submit(town)?;
    beset_all(town, done, "bsd", &[What::Said(1)])?;
    let request = ReadRequest { tid: Digest::default(), nonce: [0; 32], remembered: 0 };
    let stray = encode(&Message::ReadRequest(request));
    let type_ = Clause::MessageTypeIsExpected;
    odd(town, "dr-ada", "bsd", &stray, type_, &["Message.kind"], "a request to the cloud")?;
    // Somebody whose role may not submit.
    let wrong = Event::Submit { record: PATIENT.into(), readers: Vec::new() };
    town.happen("root-1", wrong, "", &[])?;
    let submitted = |parcel: &Envelope| parcel.from == "root-1" && what(parcel) == Some(What::Said(1));
    if let Some(Envelope { event: Event::Packet { message: Some(message), .. }, .. }) =
        town.until(PATIENCE, submitted)?
    {
        let fields = ["TInitial.header", "InitialHeader.role", "CertificateBody.role"];
        odd(town, "root-1", "bsd", &message.0, Clause::RoleMaySubmit, &fields, "an administrator submits")?;
    }
    beset_all(town, done, "bsd", &[What::Said(4)])?;
    let vote = first(town, "bsd", What::Said(4))?;
    again(town, vote, Clause::OneVotePerValidator, "Vote.validator")?;
    beset_all(town, done, "bsd", &[What::Said(6)])?;
    town.until(2_000, |_| false)?;
    // A second submission, said twice.
    let record = br#"{"resourceType":"Patient","id":"p2"}"#;
    town.happen("dr-ada", Event::Submit { record: record.into(), readers: Vec::new() }, "", &[])?;
    let initial = first(town, "bsd", What::Said(1))?;
    again(town, initial, Clause::TidIsFresh, "InitialHeader.tid")?;
    town.until(20_000, |_| false)?;
    town.happen("bsd", Event::Close {}, "", &[])?;
    town.until(5_000, |_| false).map(drop)
}

fn voter(town: &mut Recorder, done: &mut Pairs) -> Result<(), Refusal> {
    submit(town)?;
    let block = first(town, "validator-001", What::Said(3))?;
    let Event::Packet { message: Some(message), .. } = block.event.clone() else { return Ok(()) };
    town.beset(block, done)?;
    let Ok(Message::TBlock(mut other)) = decode::<Message>(&RULES, &message.0) else { return Ok(()) };
    other.body.issued = other.body.issued.after(1);
    let mut other = Message::TBlock(other);
    ReSigner::new(&town.foundation).message(&mut other, &town.foundation.cast.bsd.clone(), 0);
    let fields = ["TBlock.body", "BlockBody.tid"];
    let clause = Clause::OneBlockPerTid;
    odd(town, "bsd", "validator-001", &encode(&other), clause, &fields, "another T_block for the tid")?;
    town.until(20_000, |_| false).map(drop)
}

fn proposer(town: &mut Recorder, done: &mut Pairs) -> Result<(), Refusal> {
    submit(town)?;
    let kinds = [What::Told(1), What::Told(5), What::Told(2), What::Told(3)];
    beset_all(town, done, "validator-002", &kinds)?;
    town.until(20_000, |_| false).map(drop)
}

fn follower(town: &mut Recorder, done: &mut Pairs) -> Result<(), Refusal> {
    submit(town)?;
    beset_all(town, done, "validator-004", &[What::Told(4)])?;
    // The next height: anchors.
    let first = first(town, "validator-004", What::Told(6))?;
    town.deliver(first)?;
    beset_all(town, done, "validator-004", &[What::Told(4), What::Told(6)])?;
    town.until(20_000, |_| false).map(drop)
}

fn cloud(town: &mut Recorder, done: &mut Pairs) -> Result<(), Refusal> {
    submit(town)?;
    let valid = first(town, "cloud", What::Said(5))?;
    let Event::Packet { message: Some(message), .. } = valid.event.clone() else { return Ok(()) };
    town.beset(valid, done)?;
    let clause = Clause::StoredOnce;
    odd(town, "bsd", "cloud", &message.0, clause, &["TValid.body", "ValidBody.tid"], "said once more")?;
    town.until(5_000, |_| false)?;
    let tid = town.tid().ok_or(Refusal::new(Clause::LeafIsIncluded))?;
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
        town.happen("dr-ada", request, "", &[])?;
        beset_all(town, done, "cloud", &[What::Said(kind)])?;
        town.until(1_500, |_| false)?;
    }
    let (body, approvals) = erasure(town, tid)?;
    town.happen("dr-ada", Event::Erase { body, approvals }, "", &[])?;
    beset_all(town, done, "cloud", &[What::Said(11)])?;
    town.until(5_000, |_| false).map(drop)
}

/// What the owner and an administrator approve.
fn erasure(town: &mut Recorder, tid: Digest) -> Result<(Hex, Vec<Hex>), Refusal> {
    let now = town.now;
    let mut body = None;
    let mut approvals = Vec::new();
    for who in ["dr-ada", "root-1"] {
        let player = town.players.get_mut(who).ok_or(Refusal::new(Clause::PeerIsIntended))?;
        if let Node::User(user) = &player.node {
            let body = body.get_or_insert_with(|| user.erasure(now, tid));
            approvals.push(Hex(encode(&user.approve(body))));
        }
    }
    let body = body.ok_or(Refusal::new(Clause::PeerIsIntended))?;
    Ok((Hex(encode(&body)), approvals))
}

fn owner(town: &mut Recorder, done: &mut Pairs) -> Result<(), Refusal> {
    submit(town)?;
    beset_all(town, done, "dr-ada", &[What::Said(2)])?;
    town.until(5_000, |_| false)?;
    let tid = town.tid().ok_or(Refusal::new(Clause::LeafIsIncluded))?;
    town.happen("dr-ada", Event::Grant { tid: tid.as_bytes().into(), reader: "mia".to_owned() }, "", &[])?;
    beset_all(town, done, "dr-ada", &[What::Said(12)])?;
    town.until(5_000, |_| false).map(drop)
}

fn reader(town: &mut Recorder, done: &mut Pairs) -> Result<(), Refusal> {
    submit(town)?;
    // The log has one leaf, and no anchor yet.
    let receipt = first(town, "bsd", What::Said(6))?;
    town.deliver(receipt)?;
    let tid = town.tid().ok_or(Refusal::new(Clause::LeafIsIncluded))?;
    let of = || -> Hex { tid.as_bytes().into() };
    town.happen("dr-ben", Event::Read { tid: of() }, "", &[])?;
    beset_all(town, done, "dr-ben", &[What::Said(8)])?;
    town.until(20_000, |_| false)?;
    // Another leaf, which no anchor covers yet.
    town.happen("dr-ada", Event::Grant { tid: of(), reader: "mia".to_owned() }, "", &[])?;
    let answer = first(town, "dr-ada", What::Said(12))?;
    town.deliver(answer)?;
    town.happen("dr-ben", Event::Read { tid: of() }, "", &[])?;
    beset_all(town, done, "dr-ben", &[What::Said(8)])?;
    town.until(2_000, |_| false).map(drop)
}
