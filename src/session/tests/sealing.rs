//! Sealing: what the custodian can open, and nobody else.

use super::{HARD, Ward};
use crate::crypto::{Digest, Domain};
use crate::keys::tests::only;
use crate::session::{Custodian, OpenedChain, SealChain, Sealed, Session, UsedKey, seal, stage};
use crate::wire::{ContentType, Seal, SealChainStart, SealDigest, SessionType, encode};
use bemr_spec::{Clause, Refusal, Rules, constants};

fn tid(n: u8) -> Digest {
    Digest::of(Domain::TRANSACTION_ID, &[n])
}

struct Office {
    ward: Ward,
    user: Session,
    bsd: Session,
    chain: SealChain,
    start: SealChainStart,
}

impl Office {
    fn new(seed: u64) -> Office {
        let mut ward = Ward::new(seed);
        let (user, bsd) = ward.session(SessionType::Initial);
        let owner = ward.bsd.clone();
        let custodian = ward.custodian.clone();
        let (chain, start) =
            SealChain::open(&HARD, &mut ward.world.rng, &owner, custodian.certified()).unwrap();
        Office { ward, user, bsd, chain, start }
    }

    /// One message from the user to the BSD: the record and its used key at the BSD.
    fn message(&mut self, text: &[u8]) -> (Vec<u8>, UsedKey) {
        let record = self.user.seal_record(&HARD, ContentType::Initial, text).unwrap().record;
        let key = self.bsd.open_record(&HARD, &record).unwrap().key;
        (record, key)
    }

    fn seal(&mut self, rules: &Rules, n: u8, key: UsedKey) -> (Seal, Sealed<stage::Initial>) {
        self.chain.seal(rules, tid(n), &mut vec![key]).unwrap()
    }

    fn opened(&self) -> OpenedChain {
        let custodian = Custodian::new(&HARD, self.ward.custodian.clone()).unwrap();
        custodian.open_chain(&HARD, &self.start).unwrap()
    }
}

#[test]
fn the_custodian_opens_every_sealed_record_in_any_order() {
    let mut context = Office::new(80);
    let sealed: Vec<_> = (0..5)
        .map(|n| {
            let (record, key) = context.message(&[n]);
            (record, context.seal(&HARD, n, key).0)
        })
        .collect();
    let mut opened = context.opened();
    for at in [0, 3, 1, 4, 2, 2] {
        let (record, seal) = &sealed[at];
        let keys = opened.open(&HARD, seal).unwrap();
        assert_eq!(keys[0].open_record(&HARD, record).unwrap().as_slice(), [at as u8]);
        let other = &sealed[(at + 1) % 5].0;
        assert_eq!(keys[0].open_record(&HARD, other).unwrap_err().clause(), Clause::SealNamesItsContext);
    }
}

#[test]
fn one_seal_holds_the_keys_of_many_sessions() {
    let mut context = Office::new(81);
    let (mut bsd, mut validator) = context.ward.session(SessionType::Block);
    let sent = bsd.seal_record(&HARD, ContentType::Block, b"T_block").unwrap();
    validator.open_record(&HARD, &sent.record).unwrap();
    let vote = validator.seal_record(&HARD, ContentType::Block, b"vote").unwrap().record;
    let mut keys = vec![sent.key, bsd.open_record(&HARD, &vote).unwrap().key];
    let (seal, token) = context.chain.seal::<stage::Block>(&HARD, tid(1), &mut keys).unwrap();
    assert!(keys.is_empty());
    let keys = context.opened().open(&HARD, &seal).unwrap();
    assert_eq!(keys[0].open_record(&HARD, &sent.record).unwrap().as_slice(), b"T_block");
    assert_eq!(keys[1].open_record(&HARD, &vote).unwrap().as_slice(), b"vote");
    assert_eq!(seal.context.keys.as_slice()[0].peer, *context.ward.validator.name());
    assert_eq!(token.digest_for(&HARD, &tid(1)).unwrap(), SealDigest::of(&seal));
}

#[test]
fn sea_01_there_is_no_evidence_without_a_seal() {
    let token = only(Clause::SealBeforeNextStage, |rules| Sealed::<stage::Initial>::none(rules, tid(1)));
    assert_eq!(token.digest_for(&HARD, &tid(1)).unwrap(), SealDigest::default());
    only(Clause::SealBeforeNextStage, |rules| {
        Office::new(82).chain.seal::<stage::Initial>(rules, tid(1), &mut Vec::new()).map(|(seal, _)| seal)
    });
}

#[test]
fn sea_01_evidence_is_for_one_transaction_and_one_stage() {
    only(Clause::SealBeforeNextStage, |rules| {
        let mut context = Office::new(83);
        let (_, key) = context.message(b"m");
        context.seal(&HARD, 1, key).1.digest_for(rules, &tid(2))
    });
    only(Clause::SealBeforeNextStage, |rules| {
        let mut context = Office::new(84);
        let mut keys = vec![context.message(b"m").1];
        let sealed = context.chain.seal::<stage::Block>(rules, tid(1), &mut keys);
        assert_eq!(keys.len(), usize::from(sealed.is_err()), "a refusal leaves the keys");
        sealed.map(|(seal, _)| seal)
    });
}

#[test]
fn sea_02_c_18_a_seal_opens_in_its_own_context_alone() {
    let edits: [fn(&mut Seal); 7] = [
        |seal| seal.context.tid = tid(9),
        |seal| seal.context.stage = ContentType::Block,
        |seal| seal.context.chain = tid(9),
        |seal| seal.context.owner = crate::keys::tests::name("bsd2"),
        |seal| edit_key(seal, |key| key.sequence += 1),
        |seal| edit_key(seal, |key| key.peer = crate::keys::tests::name("mallory")),
        |seal| edit_key(seal, |key| key.direction = key.direction.reverse()),
    ];
    for edit in edits {
        only(Clause::SealNamesItsContext, |rules| {
            let mut context = Office::new(85);
            let (_, key) = context.message(b"m");
            let (mut seal, _) = context.seal(&HARD, 1, key);
            edit(&mut seal);
            context.opened().open(rules, &seal)
        });
    }
}

fn edit_key(seal: &mut Seal, edit: impl FnOnce(&mut crate::wire::SealedKey)) {
    let mut keys = seal.context.keys.as_slice().to_vec();
    edit(&mut keys[0]);
    seal.context.keys = keys.into();
}

#[test]
fn sea_02_wrapped_bytes_do_not_move_between_seals_or_chains() {
    let mut context = Office::new(86);
    let (_, first) = context.message(b"1");
    let (_, second) = context.message(b"2");
    let (one, _) = context.seal(&HARD, 1, first);
    let (mut two, _) = context.seal(&HARD, 2, second);
    let mut moved = one.clone();
    moved.context.index = 2;
    two.wrapped = one.wrapped.clone();
    let owner = context.ward.bsd.clone();
    let custodian = context.ward.custodian.clone();
    let (_, start) =
        SealChain::open(&HARD, &mut context.ward.world.rng, &owner, custodian.certified()).unwrap();
    let refuse = |opened: &mut OpenedChain, seal: &Seal| opened.open(&HARD, seal).unwrap_err().clause();
    let mut opened = context.opened();
    assert_eq!(refuse(&mut opened, &moved), Clause::SealNamesItsContext);
    assert_eq!(refuse(&mut opened, &two), Clause::SealNamesItsContext);
    let mut other = Custodian::new(&HARD, custodian).unwrap().open_chain(&HARD, &start).unwrap();
    assert_eq!(refuse(&mut other, &one), Clause::SealNamesItsContext);
    // Nothing was disturbed.
    assert!(opened.open(&HARD, &one).is_ok());
}

#[test]
fn sea_02_every_flipped_bit_of_a_seal_is_refused() {
    let mut context = Office::new(87);
    let (_, key) = context.message(b"m");
    let (seal, _) = context.seal(&HARD, 1, key);
    let bytes = encode(&seal);
    let mut opened = context.opened();
    for bit in 0..8 * bytes.len() {
        // The highest bits of the index ask for a long walk; one of them is enough.
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let result = crate::wire::decode::<Seal>(&HARD, &flipped).and_then(|seal| {
            if (1 << 10..=constants::CHAIN_SEALS).contains(&seal.context.index) {
                return Err(Refusal::new(Clause::SealNamesItsContext));
            }
            opened.open(&HARD, &seal)
        });
        assert!(result.is_err(), "bit {bit}");
    }
    assert!(opened.open(&HARD, &seal).is_ok());
}

#[test]
fn sea_02_a_chain_to_another_custodian_does_not_open() {
    only(Clause::SealNamesItsContext, |rules| {
        let mut context = Office::new(88);
        let other = context.ward.world.enrol("vault2", crate::wire::Role::Custodian);
        Custodian::new(&HARD, other).unwrap().open_chain(rules, &context.start)
    });
    // The key of a session of somebody else is not the chain owner's to seal.
    only(Clause::SealNamesItsContext, |rules| {
        let mut context = Office::new(88);
        let mut keys = vec![context.user.seal_record(&HARD, ContentType::Initial, b"m").unwrap().key];
        context.chain.seal::<stage::Initial>(rules, tid(1), &mut keys).map(|(seal, _)| seal)
    });
}

#[test]
fn rol_04_only_a_custodian_is_sealed_to_and_opens() {
    only(Clause::RoleFitsPlace, |rules| {
        let mut ward = Ward::new(89);
        let (owner, cloud) = (ward.bsd.clone(), ward.cloud.clone());
        SealChain::open(rules, &mut ward.world.rng, &owner, cloud.certified())
    });
    only(Clause::RoleFitsPlace, |rules| Custodian::new(rules, Ward::new(89).cloud));
}

#[test]
fn sea_03_a_sealed_key_opens_no_record_again() {
    let message = only(Clause::SealedKeyIsErased, |rules| {
        let mut context = Office::new(90);
        let (record, key) = context.message(b"m");
        let _evidence = context.seal(rules, 1, key);
        context.chain.reopen(rules, &record)
    });
    assert_eq!(message.as_slice(), b"m");
}

#[test]
fn sea_03_one_key_is_not_sealed_for_two_transactions() {
    only(Clause::SealedKeyIsErased, |rules| {
        let mut context = Office::new(91);
        let (_, key) = context.message(b"m");
        let copy = UsedKey {
            position: key.position,
            owner: key.owner.clone(),
            peer: key.peer.clone(),
            key: key.key.clone(),
        };
        let (first, _) = context.seal(&HARD, 1, key);
        let (second, _) = context.seal(&HARD, 2, copy);
        let mut opened = context.opened();
        opened.open(&HARD, &first).unwrap();
        opened.open(rules, &second)
    });
}

#[test]
fn sea_04_the_carried_digest_is_that_of_the_audited_seal() {
    let mut context = Office::new(92);
    let (_, key) = context.message(b"m");
    let digest = SealDigest::of(&context.seal(&HARD, 1, key).0);
    digest.require_some(&HARD).unwrap();
    digest.require_audited(&HARD, &digest).unwrap();
    only(Clause::SealDigestIsCarried, |rules| SealDigest::default().require_some(rules));
    only(Clause::SealDigestIsCarried, |rules| SealDigest(tid(1)).require_audited(rules, &digest));
}

#[test]
fn a_stolen_chain_opens_no_earlier_seal() {
    let mut context = Office::new(93);
    let (_, key) = context.message(b"m");
    let (seal, _) = context.seal(&HARD, 1, key);
    // What an intruder finds at the owner now is the next chain key; none of the keys ahead opens the seal.
    let mut chain = context.chain.stolen();
    let nonce = seal::seal_nonce(1);
    for _ in 0..100 {
        let (next, key) = seal::ratchet(&chain);
        assert!(key.open(&nonce, &encode(&seal.context), seal.wrapped.as_slice()).is_none());
        chain = next;
    }
}

#[test]
fn ses_05_a_chain_ends_at_its_last_seal() {
    only(Clause::KeyNotExhausted, |rules| {
        let mut context = Office::new(94);
        context.chain.exhaust();
        let mut keys = vec![context.message(b"m").1];
        context.chain.seal::<stage::Initial>(rules, tid(1), &mut keys).map(|(seal, _)| seal)
    });
    let mut context = Office::new(94);
    let (_, key) = context.message(b"m");
    let (mut seal, _) = context.seal(&HARD, 1, key);
    for index in [0, constants::CHAIN_SEALS + 1, u64::MAX] {
        seal.context.index = index;
        let refusal = context.opened().open(&HARD, &seal).unwrap_err();
        assert_eq!(refusal.clause(), Clause::KeyNotExhausted, "and no walk to {index}");
    }
}

#[test]
fn a_seal_of_another_chain_or_owner_is_refused_before_it_is_opened() {
    let edits: [fn(&mut Seal); 2] =
        [|seal| seal.context.chain = tid(9), |seal| seal.context.owner = crate::keys::tests::name("bsd2")];
    for edit in edits {
        let mut context = Office::new(95);
        let (_, key) = context.message(b"m");
        let (mut seal, _) = context.seal(&HARD, 1, key);
        edit(&mut seal);
        let refusal = context.opened().open(&HARD, &seal).unwrap_err();
        assert_eq!((refusal.clause(), refusal.place()), (Clause::SealNamesItsContext, Some("chain")));
    }
}
