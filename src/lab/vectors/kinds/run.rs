//! The run of one actor, byte by byte: an honest one, and between its steps inputs that have to be refused.

use super::prelude::*;
use crate::simulator::LedgerKind;
use crate::vectors::recorder::{Envelope, Pairs, Recorder};
use crate::vectors::replayer::{Begin, Did, Event, Step};
use bemr::actors::User;

data! {
    RunInput { begin: Begin, steps: Vec<Step> }
    RunOutput { steps: Vec<Did> }
}

/// A short record.
pub(super) const PATIENT: &[u8] =
    br#"{"resourceType":"Patient","id":"p1","gender":"other","birthDate":"1970-01"}"#;

/// An actor's run.
impl RunInput {
    pub(super) fn evaluate(&self, suite: Suite) -> Result<RunOutput, Stop> {
        let mut actor = self.begin.start(suite, None)?;
        let steps = self.steps.iter().map(|step| actor.take(step)).collect::<Result<_, Stop>>()?;
        Ok(RunOutput { steps })
    }

    pub(super) fn cases(suite: Suite) -> Result<Vec<Case<Self>>, Refusal> {
        let mut recorder = Recorder::new(suite, 1, LedgerKind::Quorum)?;
        recorder.submit("dr-ada", PATIENT, &[])?;
        recorder.wait(20_000)?;
        let mut cases = Vec::new();
        for who in ["dr-ada", "bsd", "validator-001", "cloud"] {
            cases.extend(recorded(&mut recorder, who, "from a submission to its receipt"));
        }
        // Of the finite fields one shows what ristretto255 cannot: what is outside the subgroup.
        let scripts = match suite {
            Suite::Ristretto255 => SCRIPTS,
            Suite::Tiny => &SCRIPTS[SCRIPTS.len() - 1..],
            _ => &[],
        };
        let mut done = Pairs::new();
        for (who, script) in scripts {
            let recorder = Recorder::new(suite, 4, LedgerKind::Quorum)?;
            let mut scripted = Scripted { who, recorder, done: &mut done };
            scripted.recorder.submit("dr-ada", PATIENT, &["dr-ben"])?;
            script(&mut scripted)?;
            let comment = "with what is wrong before each message";
            cases.extend(recorded(&mut scripted.recorder, who, comment));
        }
        Ok(cases)
    }
}

fn recorded(recorder: &mut Recorder, who: &str, comment: &str) -> Option<Case<RunInput>> {
    let recording = recorder.recordings.remove(who)?;
    let input = RunInput { begin: recording.begin, steps: recording.steps };
    Some(Case::new(format!("{who}, {comment}"), None, input))
}

/// Runs after a first submission, in which one actor receives, before each message, mutations of it.
const SCRIPTS: &[(&str, Script)] = &[
    ("bsd", server),
    ("validator-001", voter),
    ("validator-002", proposer),
    ("validator-004", follower),
    ("cloud", cloud),
    ("dr-ada", owner),
    ("dr-ben", reader),
];

type Script = fn(&mut Scripted<'_>) -> Result<(), Refusal>;

/// How long a script waits for an envelope, in milliseconds.
const PATIENCE: u64 = 60_000;

/// The kind of a message in a record, or of gossip: its first byte.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    Message(u8),
    Gossip(u8),
}
use Content::{Gossip as G, Message as M};

fn content(envelope: &Envelope) -> Option<Content> {
    match &envelope.event {
        Event::Packet { message: Some(message), .. } => message.0.first().copied().map(M),
        Event::Gossip { bytes, .. } => bytes.0.first().copied().map(G),
        _ => None,
    }
}

/// The message in the record of an envelope.
fn message(envelope: &Envelope) -> Result<Vec<u8>, Refusal> {
    match &envelope.event {
        Event::Packet { message: Some(message), .. } => Ok(message.0.clone()),
        _ => Err(Refusal::new(Clause::EventFitsState).at("a packet without a message")),
    }
}

/// A network in which one actor receives mutations.
struct Scripted<'a> {
    who: &'a str,
    recorder: Recorder,
    done: &'a mut Pairs,
}

impl Scripted<'_> {
    /// Precedes the first envelope of each of these kinds with its mutations, in the order of arrival.
    fn mutate_each(&mut self, kinds: &[Content]) -> Result<(), Refusal> {
        let (who, mut left) = (self.who, kinds.to_vec());
        while !left.is_empty() {
            let wanted = |envelope: &Envelope| {
                envelope.to == who && content(envelope).is_some_and(|kind| left.contains(&kind))
            };
            let Some(envelope) = self.recorder.until(PATIENCE, wanted)? else { break };
            let kind = content(&envelope);
            left.retain(|one| Some(*one) != kind);
            self.recorder.deliver_with_mutations(envelope, self.done)?;
        }
        Ok(())
    }

    /// The first envelope of this kind that arrives there.
    fn first(&mut self, who: &str, kind: Content) -> Result<Envelope, Refusal> {
        let found = self
            .recorder
            .until(PATIENCE, |envelope| envelope.to == who && content(envelope) == Some(kind))?;
        found.ok_or_else(|| Refusal::new(Clause::EventFitsState).at(format!("nothing comes to {who}")))
    }

    /// Delivers the first envelope of this kind and then its message again: that breaks this clause, which is about this field.
    fn again(&mut self, kind: Content, clause: Clause, field: &str) -> Result<(), Refusal> {
        let envelope = self.first(self.who, kind)?;
        let (from, message) = (envelope.from.clone(), message(&envelope)?);
        self.recorder.deliver(envelope)?;
        self.odd(&from, &message, clause, &[field], "said once more")
    }

    /// Delivers a message that breaks this clause.
    fn odd(
        &mut self,
        from: &str,
        message: &[u8],
        clause: Clause,
        fields: &[&str],
        comment: &str,
    ) -> Result<(), Refusal> {
        let event = self.recorder.written(from, self.who, message)?;
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        let mutated = MutatedMessage { fields, comment: comment.to_owned(), bytes: Vec::new() };
        self.recorder.refused(self.who, event, &mutated, clause)
    }

    fn user(&mut self, who: &str) -> Result<&mut User, Refusal> {
        self.recorder.network.user(&known(who)).ok_or(Refusal::new(Clause::PeerIsIntended))
    }

    fn tid(&self) -> Result<Hex, Refusal> {
        let tid = self.recorder.tid().ok_or(Refusal::new(Clause::LeafIsIncluded))?;
        Ok(tid.as_bytes().into())
    }
}

fn server(run: &mut Scripted<'_>) -> Result<(), Refusal> {
    run.mutate_each(&[M(1)])?;
    let request = ReadRequest { tid: Digest::default(), nonce: [0; 32], remembered: 0 };
    let stray = encode(&Message::ReadRequest(request));
    run.odd("dr-ada", &stray, Clause::MessageTypeIsExpected, &["Message.kind"], "a request to the cloud")?;
    // Somebody whose role may not submit.
    run.recorder.submit("root-1", PATIENT, &[])?;
    let submitted = |envelope: &Envelope| envelope.from == "root-1" && content(envelope) == Some(M(1));
    if let Some(envelope) = run.recorder.until(PATIENCE, submitted)? {
        let fields = ["TInitial.header", "InitialHeader.role", "CertificateBody.role"];
        let comment = "an administrator submits";
        run.odd("root-1", &message(&envelope)?, Clause::RoleMaySubmit, &fields, comment)?;
    }
    run.mutate_each(&[M(4)])?;
    run.again(M(4), Clause::OneVotePerValidator, "Vote.validator")?;
    run.mutate_each(&[M(6)])?;
    run.recorder.wait(2_000)?;
    // A second submission, sent twice.
    run.recorder.submit("dr-ada", br#"{"resourceType":"Patient","id":"p2"}"#, &[])?;
    run.again(M(1), Clause::TidIsFresh, "InitialHeader.tid")?;
    run.recorder.wait(20_000)?;
    run.recorder.happen("bsd", Event::Close {})?;
    run.recorder.wait(5_000)
}

fn voter(run: &mut Scripted<'_>) -> Result<(), Refusal> {
    let envelope = run.first("validator-001", M(3))?;
    let block = message(&envelope)?;
    run.recorder.deliver_with_mutations(envelope, run.done)?;
    let mut other: Message = decode(&RULES, &block)?;
    if let Message::TBlock(block) = &mut other {
        block.body.issued = block.body.issued.after(1);
    }
    let keys = &run.recorder.network.keys;
    ReSigner::new(keys).message(&mut other, &keys.roster.bsd, 0);
    let (fields, comment) = (["TBlock.body", "BlockBody.tid"], "another T_block for the tid");
    run.odd("bsd", &encode(&other), Clause::OneBlockPerTid, &fields, comment)?;
    run.recorder.wait(20_000)
}

fn proposer(run: &mut Scripted<'_>) -> Result<(), Refusal> {
    run.mutate_each(&[G(1), G(5), G(2), G(3)])?;
    run.recorder.wait(20_000)
}

fn follower(run: &mut Scripted<'_>) -> Result<(), Refusal> {
    run.mutate_each(&[G(4)])?;
    // The next height: anchors.
    let block = run.first("validator-004", G(6))?;
    run.recorder.deliver(block)?;
    run.mutate_each(&[G(4), G(6)])?;
    run.recorder.wait(20_000)
}

fn cloud(run: &mut Scripted<'_>) -> Result<(), Refusal> {
    let envelope = run.first("cloud", M(5))?;
    let valid = message(&envelope)?;
    run.recorder.deliver_with_mutations(envelope, run.done)?;
    run.odd("bsd", &valid, Clause::StoredOnce, &["TValid.body", "ValidBody.tid"], "said once more")?;
    run.recorder.wait(5_000)?;
    let (tid, reader) = (run.tid()?, "mia".to_owned());
    let grant = (Event::Grant { tid: tid.clone(), reader: reader.clone() }, 9);
    let revoke = (Event::Revoke { tid: tid.clone(), reader }, 10);
    for (request, kind) in [(Event::Read { tid }, 7), grant.clone(), revoke.clone(), grant, revoke] {
        run.recorder.happen("dr-ada", request)?;
        run.mutate_each(&[M(kind)])?;
        run.recorder.wait(1_500)?;
    }
    let erase = erasure(run)?;
    run.recorder.happen("dr-ada", erase)?;
    run.mutate_each(&[M(11)])?;
    run.recorder.wait(5_000)
}

/// What the owner and an administrator approve.
fn erasure(run: &mut Scripted<'_>) -> Result<Event, Refusal> {
    let tid = run.recorder.tid().ok_or(Refusal::new(Clause::LeafIsIncluded))?;
    let now = run.recorder.network.now();
    let body = run.user("dr-ada")?.erasure(now, tid);
    let approvals =
        vec![Hex::of(&run.user("dr-ada")?.approve(&body)), Hex::of(&run.user("root-1")?.approve(&body))];
    Ok(Event::Erase { body: Hex::of(&body), approvals })
}

fn owner(run: &mut Scripted<'_>) -> Result<(), Refusal> {
    run.mutate_each(&[M(2)])?;
    run.recorder.wait(5_000)?;
    let tid = run.tid()?;
    run.recorder.happen("dr-ada", Event::Grant { tid, reader: "mia".to_owned() })?;
    run.mutate_each(&[M(12)])?;
    run.recorder.wait(5_000)
}

fn reader(run: &mut Scripted<'_>) -> Result<(), Refusal> {
    // The log has one leaf, and no anchor yet.
    let receipt = run.first("bsd", M(6))?;
    run.recorder.deliver(receipt)?;
    let tid = run.tid()?;
    run.recorder.happen("dr-ben", Event::Read { tid: tid.clone() })?;
    run.mutate_each(&[M(8)])?;
    run.recorder.wait(20_000)?;
    // Another leaf, which no anchor covers yet.
    run.recorder.happen("dr-ada", Event::Grant { tid: tid.clone(), reader: "mia".to_owned() })?;
    let answer = run.first("dr-ada", M(12))?;
    run.recorder.deliver(answer)?;
    run.recorder.happen("dr-ben", Event::Read { tid })?;
    run.mutate_each(&[M(8)])?;
    run.recorder.wait(2_000)
}
