//! Every decoder of the wire: it gives back the bytes that it takes, or refuses them by ENC-01 or ENC-04; and it takes what
//! another decoder takes, which knows nothing but the tables of the chapters.
//!
//! The first two bytes of an input say whose value the others are. They are a digest of its table's name, so that an input
//! keeps its meaning when tables come and go.

use crate::{Seen, Subject};
use bemr::wire::{CODECS, Codec};
use bemr_spec::messages::Tables;
use bemr_spec::{Clause, constants};

/// The first two bytes of the inputs of this table: FNV-1a, folded.
pub const fn tag_of(table: &str) -> [u8; 2] {
    let (bytes, mut hash, mut at) = (table.as_bytes(), 0x811c_9dc5_u32, 0);
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    ((hash >> 16) as u16 ^ hash as u16).to_be_bytes()
}

/// In [`BY_TAG`]: a tag of no table.
const NONE: u8 = u8::MAX;

/// For each tag the place of its decoder in [`CODECS`]: looked up once for every input.
static BY_TAG: [u8; 1 << 16] = {
    assert!(CODECS.len() < NONE as usize);
    let (mut places, mut at) = ([NONE; 1 << 16], 0);
    while at < CODECS.len() {
        let place = &mut places[u16::from_be_bytes(tag_of(CODECS[at].table)) as usize];
        assert!(*place == NONE, "two tables have one tag");
        *place = at as u8;
        at += 1;
    }
    places
};

/// The decoder that an input is for, and its bytes.
pub fn codec_of(input: &[u8]) -> Option<(&'static Codec, &[u8])> {
    let (tag, bytes) = input.split_first_chunk::<2>()?;
    let place = BY_TAG[usize::from(u16::from_be_bytes(*tag))];
    CODECS.get(usize::from(place)).map(|codec| (codec, bytes))
}

/// What is taken is written again as it was; what is not is refused by the clauses of encoding.
pub(super) fn run(subject: &Subject, input: &[u8], seen: &mut Seen) {
    let Some((codec, bytes)) = codec_of(input) else { return };
    match subject.again.unwrap_or(Codec::again)(codec, &subject.rules, bytes) {
        Ok(again) => {
            assert!(again == bytes, "{}: taken, and written otherwise", codec.table);
            seen.note((codec.table, true));
        }
        Err(refusal) => {
            let due = if bytes.len() > constants::MESSAGE_BYTES {
                Clause::SizeWithinBound
            } else {
                Clause::OneEncodingPerValue
            };
            assert!(refusal.clause() == due, "{}: refused by {refusal}", codec.table);
            seen.note((codec.table, false, bytes.len().min(64)));
        }
    }
}

/// The tables of the chapters.
pub(crate) fn tables() -> &'static Tables {
    Tables::of_the_chapters().expect("a test of the specification says that its tables have no flaw")
}

/// Both decoders take it, or both do not.
pub(super) fn compare(subject: &Subject, input: &[u8], seen: &mut Seen) {
    let Some((codec, bytes)) = codec_of(input) else { return };
    let walked = tables().walk(codec.table, bytes);
    let taken = subject.again.unwrap_or(Codec::again)(codec, &subject.rules, bytes);
    match (&walked, &taken) {
        (Ok(tree), Ok(again)) => {
            assert!(again == bytes, "{}: taken, and written otherwise", codec.table);
            assert!(tree.encode() == bytes, "{}: the tables write it otherwise", codec.table);
            seen.note((codec.table, true, bytes.len().checked_ilog2()));
        }
        (Err(mismatch), Err(_)) => seen.note((codec.table, &mismatch.field, mismatch.what)),
        (Err(mismatch), Ok(_)) => panic!("{}: taken, against the tables: {mismatch}", codec.table),
        (Ok(_), Err(refusal)) => panic!("{}: the tables take it: {refusal}", codec.table),
    }
}
