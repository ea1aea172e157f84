//! Protected records of a session (chapter 5).

use super::handshake::purpose;
use super::prelude::*;
use bemr::session::insider::Line;

data! {
    SealRecordInput {
        session: Hex, purpose: u8, direction: u8, chain: Hex, sent: u64, stage: u8, message: Hex,
    }
    SealRecordOutput { packet: Hex, chain: Hex }
    OpenRecordInput { session: Hex, purpose: u8, direction: u8, chain: Hex, received: u64, packet: Hex }
    OpenRecordOutput { message: Hex, chain: Hex }
}

fn direction(number: u8) -> Result<Direction, Stop> {
    match number {
        1 => Ok(Direction::InitiatorToResponder),
        2 => Ok(Direction::ResponderToInitiator),
        _ => Err(Stop::Malformed(format!("no direction {number}"))),
    }
}

fn stage(number: u8) -> Result<ContentType, Stop> {
    use ContentType::*;
    let known = [Handshake, Initial, Block, Valid, Read].into_iter().find(|stage| *stage as u8 == number);
    known.ok_or_else(|| Stop::Malformed(format!("no stage {number}")))
}

/// The name of a session, and the key of a chain.
fn session(kind: &str) -> [[u8; 32]; 2] {
    let mut rng = rng(kind);
    [(); 2].map(|()| {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(&drawn(&mut rng, 32));
        bytes
    })
}

/// A record is sealed.
impl SealRecordInput {
    pub(super) fn evaluate(&self, _: Suite) -> Result<SealRecordOutput, Stop> {
        let (id, sending) = (SessionId(self.session.digest()?), (self.chain.array()?, self.sent));
        let (purpose, own) = (purpose(self.purpose)?, direction(self.direction)?);
        let mut line = Line::new(&RULES, id, purpose, own, sending, ([0; 32], 0));
        let packet = line.seal(&RULES, stage(self.stage)?, &self.message.0)?;
        Ok(SealRecordOutput { packet: Hex(packet), chain: line.chains()[0].into() })
    }

    pub(super) fn cases(suite: Suite) -> Result<Vec<Case<Self>>, Refusal> {
        let [session, chain] = session(Self::NAME).map(Hex::from);
        let (purpose, direction, sent, stage, message) = (1, 1, 0, 1, b"what is said".into());
        let given = SealRecordInput { session, purpose, direction, chain, sent, stage, message };
        let mut cases = Cases::of(suite, given);
        cases.valid("the first", |_| ());
        cases.valid("nothing", |input| input.message.0.clear());
        cases.valid("the other direction", |input| input.direction = 2);
        cases.valid("another purpose", |input| (input.purpose, input.stage) = (3, 3));
        cases.valid("the last", |input| input.sent = (1 << 20) - 1);
        cases.invalid(Clause::KeyNotExhausted, "one more", |input| input.sent = 1 << 20);
        cases
            .invalid(Clause::StageFitsSession, "another stage", |input| input.stage = 2)
            .about(&["RecordHeader.stage"]);
        Ok(cases.all())
    }
}

/// A record is opened.
impl OpenRecordInput {
    pub(super) fn evaluate(&self, _: Suite) -> Result<OpenRecordOutput, Stop> {
        let (id, receiving) = (SessionId(self.session.digest()?), (self.chain.array()?, self.received));
        let (purpose, own) = (purpose(self.purpose)?, direction(self.direction)?.reverse());
        let mut line = Line::new(&RULES, id, purpose, own, ([0; 32], 0), receiving);
        let message = line.open(&RULES, &self.packet.0)?;
        Ok(OpenRecordOutput { message: message.as_slice().into(), chain: line.chains()[1].into() })
    }

    pub(super) fn cases(suite: Suite) -> Result<Vec<Case<Self>>, Refusal> {
        let [session, chain] = session(Self::NAME);
        // What the sender of record `sequence` says, with a header like this.
        let sealed = |header: &RecordHeader| {
            let steps = header.sequence.clamp(1, 2_000);
            let before = (1..steps).fold(chain, |chain, _| *expand::<32>(&chain, Domain::CHAIN_NEXT, b""));
            let key = AeadKey::from_bytes(*expand::<32>(&before, Domain::RECORD_KEY, b""));
            let mut nonce = [0; 12];
            (nonce[0], nonce[1]) = (header.direction as u8, header.stage as u8);
            nonce[4..].copy_from_slice(&header.sequence.to_be_bytes());
            let ciphertext = key.seal(&nonce, &encode(header), b"what was said").into();
            encode(&Packet::Record(Record { header: *header, ciphertext }))
        };
        let numbered = |sequence| {
            let (session, stage) = (SessionId(Digest::from_bytes(session)), ContentType::Initial);
            let direction = Direction::InitiatorToResponder;
            Hex(sealed(&RecordHeader { session, direction, stage, sequence }))
        };
        let (purpose, direction, received, packet) = (1, 1, 0, numbered(1));
        let (session, chain) = (session.into(), chain.into());
        let given = OpenRecordInput { session, purpose, direction, chain, received, packet };
        let mut cases = Cases::of(suite, given);
        let rows = [
            (None, "the first", 0, 1),
            (None, "one that skips 1023", 0, 1024),
            (Some(Clause::SkipIsBounded), "one that skips 1024", 0, 1025),
            (Some(Clause::KeyNotExhausted), "one more than there are", 1 << 20, (1 << 20) + 1),
            (Some(Clause::SequenceAdvances), "the last one again", 1, 1),
        ];
        for (clause, comment, received, sequence) in rows {
            let change = |input: &mut OpenRecordInput| {
                (input.received, input.packet) = (received, numbered(sequence));
            };
            let fields: &[&str] = if clause.is_none() { &[] } else { &["RecordHeader.sequence"] };
            cases.add(clause, comment, change).about(fields);
        }
        let hello = Hello {
            version: PROTOCOL_VERSION,
            suite: Suite::Ristretto255,
            purpose: SessionType::Initial,
            nonce: [7; 32],
            ephemeral: vec![0; 32].into(),
        };
        let hello = Hex::of(&Packet::Hello(hello));
        cases
            .invalid(Clause::MessageTypeIsExpected, "a hello", |input| input.packet = hello)
            .about(&["Packet.kind"]);
        let repair = |message: &MutatedMessage, way: u8| match (way, decode(&RULES, &message.bytes)) {
            (0, Ok(Packet::Record(record))) => Some(sealed(&record.header)),
            (1, _) => Some(message.bytes.clone()),
            _ => None,
        };
        cases.sweep(&mut Sweep::new(suite, &[], 2), "Packet", |input| &mut input.packet, &repair);
        Ok(cases.all())
    }
}
