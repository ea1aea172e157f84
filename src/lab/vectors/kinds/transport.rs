//! Records of a session (chapter 5).

use super::draws::rng;
use super::handshake::purpose;
use super::{Kind, Made, RULES, Stop};
use crate::forge::{MutatedMessage, Sweep};
use crate::vectors::Hex;
use bemr::crypto::{AeadKey, Digest, Domain, Suite, expand};
use bemr::session::insider::Line;
use bemr::wire::{
    ContentType, Direction, Hello, PROTOCOL_VERSION, Packet, Record, RecordHeader, SessionId, SessionType,
    decode, encode,
};
use bemr_spec::{Clause, Refusal};
use rand::Rng;
use rand_chacha::ChaCha20Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A record is sealed.
pub(in crate::vectors) enum SealRecord {}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct SealRecordInput {
    session: Hex,
    purpose: u8,
    direction: u8,
    chain: Hex,
    sent: u64,
    stage: u8,
    message: Hex,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct SealRecordOutput {
    packet: Hex,
    chain: Hex,
}

fn direction(number: u8) -> Result<Direction, Stop> {
    match number {
        1 => Ok(Direction::InitiatorToResponder),
        2 => Ok(Direction::ResponderToInitiator),
        _ => Err(Stop::Malformed(format!("no direction {number}"))),
    }
}

fn stage(number: u8) -> Result<ContentType, Stop> {
    let all = [
        ContentType::Handshake,
        ContentType::Initial,
        ContentType::Block,
        ContentType::Valid,
        ContentType::Read,
    ];
    let known = all.into_iter().find(|stage| *stage as u8 == number);
    known.ok_or_else(|| Stop::Malformed(format!("no stage {number}")))
}

/// The keys of two chains, and the name of their session.
fn chains(rng: &mut ChaCha20Rng) -> [[u8; 32]; 2] {
    [(); 2].map(|()| {
        let mut key = [0; 32];
        rng.fill_bytes(&mut key);
        key
    })
}

impl Kind for SealRecord {
    const NAME: &'static str = "seal-record";
    const SUITES: &'static [&'static str] = super::NONE;
    type Input = SealRecordInput;
    type Output = SealRecordOutput;

    fn judge(_: Suite, input: &SealRecordInput) -> Result<SealRecordOutput, Stop> {
        let id = SessionId(Digest::from_bytes(input.session.array()?));
        let (purpose, own) = (purpose(input.purpose)?, direction(input.direction)?);
        let sending = (input.chain.array()?, input.sent);
        let mut line = Line::new(&RULES, id, purpose, own, sending, ([0; 32], 0));
        let packet = line.seal(&RULES, stage(input.stage)?, &input.message.0)?;
        Ok(SealRecordOutput { packet: Hex(packet), chain: line.chains()[0].into() })
    }

    fn make(_: Suite) -> Result<Vec<Made<SealRecordInput>>, Refusal> {
        let [session, chain] = chains(&mut rng(Self::NAME));
        let given = SealRecordInput {
            session: session.into(),
            purpose: 1,
            direction: 1,
            chain: chain.into(),
            sent: 0,
            stage: 1,
            message: b"what is said".into(),
        };
        let last = SealRecordInput { sent: (1 << 20) - 1, ..given.clone() };
        Ok(vec![
            Made::valid("the first", given.clone()),
            Made::valid("nothing", SealRecordInput { message: Hex::default(), ..given.clone() }),
            Made::valid("the other direction", SealRecordInput { direction: 2, ..given.clone() }),
            Made::valid("another purpose", SealRecordInput { purpose: 3, stage: 3, ..given.clone() }),
            Made::valid("the last", last.clone()),
            Made::invalid(Clause::KeyNotExhausted, "one more", SealRecordInput { sent: 1 << 20, ..last }),
            Made::invalid(Clause::StageFitsSession, "another stage", SealRecordInput { stage: 2, ..given })
                .of("RecordHeader.stage"),
        ])
    }
}

/// A record is opened.
pub(in crate::vectors) enum OpenRecord {}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct OpenRecordInput {
    session: Hex,
    purpose: u8,
    direction: u8,
    chain: Hex,
    received: u64,
    packet: Hex,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct OpenRecordOutput {
    message: Hex,
    chain: Hex,
}

impl Kind for OpenRecord {
    const NAME: &'static str = "open-record";
    const SUITES: &'static [&'static str] = super::NONE;
    type Input = OpenRecordInput;
    type Output = OpenRecordOutput;

    fn judge(_: Suite, input: &OpenRecordInput) -> Result<OpenRecordOutput, Stop> {
        let id = SessionId(Digest::from_bytes(input.session.array()?));
        let (purpose, own) = (purpose(input.purpose)?, direction(input.direction)?.reverse());
        let receiving = (input.chain.array()?, input.received);
        let mut line = Line::new(&RULES, id, purpose, own, ([0; 32], 0), receiving);
        let message = line.open(&RULES, &input.packet.0)?;
        Ok(OpenRecordOutput { message: message.as_slice().into(), chain: line.chains()[1].into() })
    }

    fn make(suite: Suite) -> Result<Vec<Made<OpenRecordInput>>, Refusal> {
        let [session, chain] = chains(&mut rng(Self::NAME));
        let id = SessionId(Digest::from_bytes(session));
        let message = b"what was said";
        // What the sender of record `sequence` says, with a header like this.
        let sealed = |header: &RecordHeader| {
            let steps = header.sequence.clamp(1, 2_000);
            let before = (1..steps).fold(chain, |chain, _| *expand::<32>(&chain, Domain::CHAIN_NEXT, b""));
            let key = AeadKey::from_bytes(*expand::<32>(&before, Domain::RECORD_KEY, b""));
            let mut nonce = [0; 12];
            (nonce[0], nonce[1]) = (header.direction as u8, header.stage as u8);
            nonce[4..].copy_from_slice(&header.sequence.to_be_bytes());
            let ciphertext = key.seal(&nonce, &encode(header), message).into();
            encode(&Packet::Record(Record { header: *header, ciphertext }))
        };
        let header = |sequence| RecordHeader {
            session: id,
            direction: Direction::InitiatorToResponder,
            stage: ContentType::Initial,
            sequence,
        };
        let given = OpenRecordInput {
            session: session.into(),
            purpose: 1,
            direction: 1,
            chain: chain.into(),
            received: 0,
            packet: Hex(sealed(&header(1))),
        };
        let with = |packet: Vec<u8>| OpenRecordInput { packet: Hex(packet), ..given.clone() };
        let mut made = vec![
            Made::valid("the first", given.clone()),
            Made::valid("one that skips 1023", with(sealed(&header(1024)))),
            Made::invalid(Clause::SkipIsBounded, "one that skips 1024", with(sealed(&header(1025))))
                .of("RecordHeader.sequence"),
        ];
        let exhausted = OpenRecordInput { received: 1 << 20, ..with(sealed(&header((1 << 20) + 1))) };
        made.push(
            Made::invalid(Clause::KeyNotExhausted, "one more than there are", exhausted)
                .of("RecordHeader.sequence"),
        );
        let repeated = OpenRecordInput { received: 1, ..given.clone() };
        made.push(
            Made::invalid(Clause::SequenceAdvances, "the last one again", repeated)
                .of("RecordHeader.sequence"),
        );
        let hello = Hello {
            version: PROTOCOL_VERSION,
            suite: Suite::Ristretto255,
            purpose: SessionType::Initial,
            nonce: [7; 32],
            ephemeral: vec![0; 32].into(),
        };
        made.push(
            Made::invalid(Clause::MessageTypeIsExpected, "a hello", with(encode(&Packet::Hello(hello))))
                .of("Packet.kind"),
        );
        let mut sweep = Sweep::new(suite, &[], 2);
        let mend = |near: &MutatedMessage, way: u8| match (way, decode(&RULES, &near.bytes)) {
            (0, Ok(Packet::Record(record))) => Some(sealed(&record.header)),
            (1, _) => Some(near.bytes.clone()),
            _ => None,
        };
        let with = |packet: &[u8]| with(packet.to_vec());
        made.extend(Self::swept(suite, &mut sweep, "Packet", &given.packet.0, mend, with));
        Ok(made)
    }
}
