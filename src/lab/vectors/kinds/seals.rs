//! Escrow packages, as the custodian opens them (chapter 6).

use super::keys::{Authority, LIFETIME, Trust};
use super::prelude::*;
use crate::vectors::replayer::Own;
use bemr::session::Custodian;

data! {
    OpenSealInput { own: Own, trust: Trust, now: u64, start: Hex, earlier: Vec<Hex>, seal: Hex }
    OpenSealOutput { digest: Hex, keys: Vec<Recovered> }
    /// A key, and which record it opens.
    Recovered { session: Hex, direction: u8, stage: u8, sequence: u64, key: Hex }
}

/// An escrow ratchet whose first key is at hand.
struct Ratchet {
    start: SealChainStart,
    chain: Digest,
    first: [u8; 32],
}

impl Ratchet {
    fn new(suite: Suite, kind: &str, custodian: &DecapsulationKey) -> Result<Ratchet, Refusal> {
        let (owner, custodian_name) = (known("bsd"), known("custodian"));
        let body = SealChainBody { version: PROTOCOL_VERSION, suite, owner, custodian: custodian_name };
        let public = EncapsulationKey::decode(&RULES, suite, &custodian.encapsulation_key().encode())?;
        let (encapsulation, shared) = public.encapsulate(&RULES, &mut rng(kind), &encode(&body));
        let start = SealChainStart { body, encapsulation: encapsulation.into() };
        let chain = Digest::of(Domain::SEAL_CHAIN, &encode(&start));
        let first = *expand::<32>(shared.expose(), Domain::SEAL_CHAIN, chain.as_bytes());
        Ok(Ratchet { start, chain, first })
    }

    /// A package of the keys of these records, each named by a byte of its session and its number.
    fn package(&self, index: u64, stage: ContentType, records: &[(u8, u64)]) -> Vec<u8> {
        let key = |(byte, sequence): &(u8, u64)| SealedKey {
            session: SessionId(Digest::from_bytes([*byte; 32])),
            direction: Direction::InitiatorToResponder,
            sequence: *sequence,
            peer: known("dr-ada"),
        };
        self.sealed(SealContext {
            version: PROTOCOL_VERSION,
            chain: self.chain,
            index,
            tid: Digest::from_bytes([5; 32]),
            stage,
            owner: self.start.body.owner.clone(),
            keys: records.iter().map(key).collect(),
        })
    }

    /// What is no key, the same bytes for each.
    fn sealed(&self, context: SealContext) -> Vec<u8> {
        let steps = context.index.clamp(1, 1_000);
        let before = (1..steps).fold(self.first, |chain, _| *expand::<32>(&chain, Domain::SEAL_NEXT, b""));
        let key = AeadKey::from_bytes(*expand::<32>(&before, Domain::SEAL_KEY, b""));
        let mut nonce = [0; 12];
        nonce[4..].copy_from_slice(&context.index.to_be_bytes());
        let plain: Vec<u8> = (0..context.keys.len()).flat_map(|at| [at as u8 + 1; 32]).collect();
        let wrapped = key.seal(&nonce, &encode(&context), &plain).into();
        encode(&Seal { context, wrapped })
    }
}

/// The custodian opens an escrow package.
impl OpenSealInput {
    pub(super) fn evaluate(&self, suite: Suite) -> Result<OpenSealOutput, Stop> {
        let mut trust = self.trust.store(suite)?;
        let custodian = Custodian::new(&RULES, self.own.credentials(suite, &mut trust, Time(self.now))?)?;
        let mut chain = custodian.open_chain(&RULES, &self.start.decode()?)?;
        for seal in &self.earlier {
            chain.open(&RULES, &seal.decode()?)?;
        }
        let keys = chain.open(&RULES, &self.seal.decode()?)?.into_iter().map(|key| {
            let position = key.position();
            Recovered {
                session: position.session.0.as_bytes().into(),
                direction: position.direction as u8,
                stage: position.stage as u8,
                sequence: position.sequence,
                key: key.key().expose().into(),
            }
        });
        let digest = Digest::of(Domain::SEAL, &self.seal.0).as_bytes().into();
        Ok(OpenSealOutput { digest, keys: keys.collect() })
    }

    pub(super) fn cases(suite: Suite) -> Result<Vec<Case<Self>>, Refusal> {
        use ContentType::{Block, Initial};
        let authority = Authority::new(suite, Self::NAME);
        let identity = &authority.identity;
        let certificate = authority.certificate(1, "custodian", Role::Custodian, identity);
        let ratchet = Ratchet::new(suite, Self::NAME, identity.agreement_key())?;
        let genuine = ratchet.package(1, Initial, &[(1, 1), (2, 9)]);
        let given = OpenSealInput {
            own: Own::with(identity, &certificate),
            trust: authority.trust(&authority.list(1, &[])),
            now: START.0 + LIFETIME / 2,
            start: Hex::of(&ratchet.start),
            earlier: Vec::new(),
            seal: Hex(genuine.clone()),
        };
        let mut cases = Cases::of(suite, given);
        let another = ratchet.package(2, Initial, &[(3, 1), (2, 9)]);
        let twice = ratchet.package(1, Initial, &[(1, 1), (1, 1)]);
        let erased = Some(Clause::SealedKeyIsErased);
        for (clause, comment, after, seal) in [
            (None, "the first of the chain", false, genuine.clone()),
            (None, "the same again", true, genuine.clone()),
            (None, "the third", false, ratchet.package(3, Block, &[(1, 1)])),
            (erased, "a key that came out of another seal", true, another),
            (erased, "one key twice", false, twice),
        ] {
            let fields: &[&str] = if clause.is_none() { &[] } else { &["SealContext.keys"] };
            let change = |input: &mut OpenSealInput| {
                input.earlier.extend(after.then(|| Hex(genuine.clone())));
                input.seal = Hex(seal);
            };
            cases.add(clause, comment, change).about(fields);
        }
        let mut sweep = Sweep::new(suite, &["~", "bsd-2"], 2);
        let repair = |message: &MutatedMessage, way: u8| match (way, decode::<Seal>(&RULES, &message.bytes)) {
            (0, Ok(seal)) => Some(ratchet.sealed(seal.context)),
            (1, _) => Some(message.bytes.clone()),
            _ => None,
        };
        cases.sweep(&mut sweep, "Seal", |input| &mut input.seal, &repair);
        cases.sweep(&mut sweep, "SealChainStart", |input| &mut input.start, &as_it_is);
        Ok(cases.all())
    }
}
