//! Seals, as the custodian opens them (chapter 6).

use super::draws::rng;
use super::keys::{Authority, LIFE, Trust};
use super::{Kind, Made, RULES, SUITES, Stop, known};
use crate::forge::{MutatedMessage, Sweep, as_it_is};
use crate::simulator::START;
use crate::vectors::Hex;
use crate::vectors::replayer::Own;
use bemr::crypto::{AeadKey, Digest, Domain, EncapsulationKey, Suite, expand};
use bemr::session::Custodian;
use bemr::wire::{
    ContentType, Direction, PROTOCOL_VERSION, Role, Seal, SealChainBody, SealChainStart, SealContext,
    SealedKey, SessionId, Time, decode, encode,
};
use bemr_spec::{Clause, Refusal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The custodian opens a seal.
pub(in crate::vectors) enum OpenSeal {}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct OpenSealInput {
    own: Own,
    trust: Trust,
    now: u64,
    start: Hex,
    earlier: Vec<Hex>,
    seal: Hex,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct OpenSealOutput {
    digest: Hex,
    keys: Vec<Recovered>,
}

/// A key, and which record it opens.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct Recovered {
    session: Hex,
    direction: u8,
    stage: u8,
    sequence: u64,
    key: Hex,
}

impl Kind for OpenSeal {
    const NAME: &'static str = "open-seal";
    const SUITES: &'static [&'static str] = SUITES;
    type Input = OpenSealInput;
    type Output = OpenSealOutput;

    fn judge(suite: Suite, input: &OpenSealInput) -> Result<OpenSealOutput, Stop> {
        let mut trust = input.trust.store(suite)?;
        let custodian = Custodian::new(&RULES, input.own.credentials(suite, &mut trust, Time(input.now))?)?;
        let mut chain = custodian.open_chain(&RULES, &decode(&RULES, &input.start.0)?)?;
        for seal in &input.earlier {
            chain.open(&RULES, &decode(&RULES, &seal.0)?)?;
        }
        let seal: Seal = decode(&RULES, &input.seal.0)?;
        let keys = chain.open(&RULES, &seal)?.into_iter().map(|key| {
            let position = key.position();
            Recovered {
                session: position.session.0.as_bytes().into(),
                direction: position.direction as u8,
                stage: position.stage as u8,
                sequence: position.sequence,
                key: key.key().expose().into(),
            }
        });
        Ok(OpenSealOutput {
            digest: Digest::of(Domain::SEAL, &input.seal.0).as_bytes().into(),
            keys: keys.collect(),
        })
    }

    fn make(suite: Suite) -> Result<Vec<Made<OpenSealInput>>, Refusal> {
        let mut rng = rng(Self::NAME);
        let authority = Authority::new(suite, Self::NAME);
        let identity = &authority.identity;
        let certificate = authority.certificate(1, "custodian", Role::Custodian, identity);
        let own = Authority::own(&certificate, identity);
        let body = SealChainBody {
            version: PROTOCOL_VERSION,
            suite,
            owner: known("bsd"),
            custodian: known("custodian"),
        };
        let public =
            EncapsulationKey::decode(&RULES, suite, &identity.agreement_key().encapsulation_key().encode())?;
        let (encapsulation, shared) = public.encapsulate(&RULES, &mut rng, &encode(&body));
        let start = SealChainStart { body, encapsulation: encapsulation.into() };
        let chain = Digest::of(Domain::SEAL_CHAIN, &encode(&start));
        let first = *expand::<32>(shared.expose(), Domain::SEAL_CHAIN, chain.as_bytes());
        let key = |byte: u8, sequence| SealedKey {
            session: SessionId(Digest::from_bytes([byte; 32])),
            direction: Direction::InitiatorToResponder,
            sequence,
            peer: known("dr-ada"),
        };
        let context = |index, stage, keys: Vec<SealedKey>| SealContext {
            version: PROTOCOL_VERSION,
            chain,
            index,
            tid: Digest::from_bytes([5; 32]),
            stage,
            owner: start.body.owner.clone(),
            keys: keys.into(),
        };
        // What is no key, the same bytes for each.
        let sealed = |context: SealContext| {
            let steps = context.index.clamp(1, 1_000);
            let before = (1..steps).fold(first, |chain, _| *expand::<32>(&chain, Domain::SEAL_NEXT, b""));
            let key = AeadKey::from_bytes(*expand::<32>(&before, Domain::SEAL_KEY, b""));
            let mut nonce = [0; 12];
            nonce[4..].copy_from_slice(&context.index.to_be_bytes());
            let plain: Vec<u8> = (0..context.keys.len()).flat_map(|at| [at as u8 + 1; 32]).collect();
            let wrapped = key.seal(&nonce, &encode(&context), &plain).into();
            encode(&Seal { context, wrapped })
        };
        let genuine = sealed(context(1, ContentType::Initial, vec![key(1, 1), key(2, 9)]));
        let given = OpenSealInput {
            own,
            trust: Trust::of(&authority.anchor(), &authority.list(1, &[])),
            now: START.0 + LIFE / 2,
            start: Hex(encode(&start)),
            earlier: Vec::new(),
            seal: Hex(genuine.clone()),
        };
        let with = |seal: Vec<u8>| OpenSealInput { seal: Hex(seal), ..given.clone() };
        let after = |seal: Vec<u8>| OpenSealInput { earlier: vec![Hex(genuine.clone())], ..with(seal) };
        let mut made = vec![
            Made::valid("the first of the chain", given.clone()),
            Made::valid("the same again", after(genuine.clone())),
            Made::valid("the third", with(sealed(context(3, ContentType::Block, vec![key(1, 1)])))),
            Made::invalid(
                Clause::SealedKeyIsErased,
                "a key that came out of another seal",
                after(sealed(context(2, ContentType::Initial, vec![key(3, 1), key(2, 9)]))),
            )
            .of("SealContext.keys"),
            Made::invalid(
                Clause::SealedKeyIsErased,
                "one key twice",
                with(sealed(context(1, ContentType::Initial, vec![key(1, 1), key(1, 1)]))),
            )
            .of("SealContext.keys"),
        ];
        let mut sweep = Sweep::new(suite, &["~", "bsd-2"], 2);
        let mend = |near: &MutatedMessage, way: u8| match (way, decode::<Seal>(&RULES, &near.bytes)) {
            (0, Ok(seal)) => Some(sealed(seal.context)),
            (1, _) => Some(near.bytes.clone()),
            _ => None,
        };
        let with = |seal: &[u8]| OpenSealInput { seal: seal.into(), ..given.clone() };
        made.extend(Self::swept(suite, &mut sweep, "Seal", &genuine, mend, with));
        let with = |start: &[u8]| OpenSealInput { start: start.into(), ..given.clone() };
        made.extend(Self::swept(suite, &mut sweep, "SealChainStart", &given.start.0, as_it_is, with));
        Ok(made)
    }
}
