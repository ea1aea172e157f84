//! Random histories of blocks, honest and not, on ledgers of both kinds.
#![allow(clippy::unwrap_used, reason = "in a test what fails to unwrap fails the test")]

use bemr::crypto::{Digest, Domain, SigningKey, Suite};
use bemr::ledger::{ChainUpdate, Ledger, Proposal};
use bemr::votes::ValidatorSet;
use bemr::wire::{
    Anchor, Ballot, Block, ClosingRule, Entry, Genesis, Height, LogKind, Name, PROTOCOL_VERSION,
    QuorumCertificate, Signatory, Target, Time, VoteBody, WorkRule, decode, encode,
};
use bemr_spec::{Clause, Rules};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

const RULES: Rules = Rules::hardened();
const NOW: Time = Time(1 << 40);

struct Net {
    keys: BTreeMap<Name, SigningKey>,
    validators: ValidatorSet,
    /// Decisions, signed once: signing is what costs.
    decisions: Vec<Entry>,
}

static NET: LazyLock<Net> = LazyLock::new(|| {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let keys: BTreeMap<Name, SigningKey> = (0..4)
        .map(|i| (name(&format!("v{i}")), SigningKey::generate(Suite::Ristretto255, &mut rng)))
        .collect();
    let members = keys.iter().map(|(name, key)| (name.clone(), key.verifying_key().clone())).collect();
    let validators = ValidatorSet::new(name("net"), members);
    let mut net = Net { keys, validators, decisions: Vec::new() };
    net.decisions = (0..12).map(|n| net.decide(n)).collect();
    net
});

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

impl Net {
    fn sign(&self, tag: Domain, message: &[u8]) -> Vec<Signatory> {
        let quorum = self.keys.iter().take(self.validators.quorum());
        quorum
            .map(|(name, key)| Signatory {
                validator: name.clone(),
                signature: key.sign(&RULES, tag, message),
            })
            .collect()
    }

    fn decide(&self, n: u64) -> Entry {
        let body = VoteBody {
            version: PROTOCOL_VERSION,
            suite: Suite::Ristretto255,
            network: name("net"),
            validators: self.validators.digest(),
            tid: Digest::of(Domain::TRANSACTION_ID, &n.to_be_bytes()),
            block: Digest::of(Domain::T_BLOCK, &n.to_be_bytes()),
            policy: Digest::default(),
            height: Height(1),
            ballot: Ballot::True,
            reason: 0,
        };
        let signatories = self.sign(Domain::VOTE, &encode(&body)).into();
        Entry::Decision(QuorumCertificate { body, signatories })
    }

    fn ledger(&self, work: bool, confirmations: u32) -> Ledger {
        let mut easiest = [255; 32];
        easiest[0] = 63;
        let rule = match work {
            true => ClosingRule::Work(WorkRule {
                easiest: Target(easiest),
                interval: 1000,
                window: 3,
                confirmations,
            }),
            false => ClosingRule::Quorum,
        };
        let genesis = Genesis {
            version: PROTOCOL_VERSION,
            network: name("net"),
            validators: self.validators.digest(),
            start: Time(0),
            rule,
        };
        Ledger::new(&RULES, genesis).unwrap()
    }

    fn close(&self, ledger: &Ledger, mut proposal: Proposal) -> Block {
        match ledger.genesis().rule {
            ClosingRule::Quorum => {
                let signatories = self.sign(Domain::BLOCK_CLOSE, proposal.digest().as_bytes());
                proposal.close(signatories)
            }
            ClosingRule::Work(_) => {
                assert!(proposal.mine(1 << 20));
                proposal.close(Vec::new())
            }
        }
    }
}

/// What holds of every ledger whatever happened to it.
fn check(ledger: &Ledger) {
    let mut previous = ledger.genesis().digest();
    let mut time = ledger.genesis().start;
    let mut tids = BTreeSet::new();
    let mut anchored = 0;
    for (position, block) in ledger.blocks().enumerate() {
        let header = block.header();
        assert_eq!((header.previous, header.height), (previous, Height(position as u64 + 1)));
        assert!(header.time > time);
        (previous, time) = (header.digest(), header.time);
        for (index, entry) in block.entries.iter().enumerate() {
            let proof = ledger.prove_entry(header.height, index).unwrap();
            bemr::ledger::verify_entry(&RULES, header, entry, &proof).unwrap();
            match entry {
                Entry::Decision(certificate) => {
                    assert!(tids.insert(certificate.body.tid));
                    let found = ledger.decision(&certificate.body.tid).unwrap();
                    assert_eq!((found.digest, found.index), (&previous, index));
                }
                Entry::Anchor(anchor) => {
                    assert!(anchor.size > anchored);
                    anchored = anchor.size;
                }
            }
        }
    }
    assert_eq!(previous, ledger.tip());
    for entry in &NET.decisions {
        let Entry::Decision(certificate) = entry else { unreachable!() };
        assert_eq!(ledger.decision(&certificate.body.tid).is_some(), tids.contains(&certificate.body.tid));
    }
}

/// One move of an adversary who mines as well as everybody: a block on any block that it has seen.
#[derive(Clone, Debug)]
struct Move {
    parent: prop::sample::Index,
    delay: u64,
    decision: Option<usize>,
    anchor: Option<u64>,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one =
        (any::<prop::sample::Index>(), 0u64..5000, prop::option::of(0usize..12), prop::option::of(1u64..20))
            .prop_map(|(parent, delay, decision, anchor)| Move { parent, delay, decision, anchor });
    prop::collection::vec(one, 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_history_of_forks_leaves_a_sound_ledger_and_no_final_block_is_undone(moves in moves(), confirmations in 1u32..4) {
        let mut ledger = NET.ledger(true, confirmations);
        // Replicas, one for the chain that ends in each block seen so far.
        let mut seen = vec![ledger.clone()];
        for Move { parent, delay, decision, anchor } in moves {
            let base = parent.get(&seen).clone();
            let mut entries: Vec<Entry> = decision.map(|n| NET.decisions[n].clone()).into_iter().collect();
            entries.extend(anchor.map(|size| {
                Entry::Anchor(Anchor { kind: LogKind::Cloud, keeper: name("cloud"), size, head: Digest::default() })
            }));
            let time = base.blocks().last().map_or(Time(0), |block| block.header().time).after(delay);
            let block = NET.close(&base, base.propose(entries, time, name("v0")));
            let mut extended = base;
            let valid = extended.append(&RULES, &NET.validators, NOW, block.clone()).is_ok();
            let finals: Vec<Digest> =
                ledger.blocks().take(ledger.final_height().0 as usize).map(|block| block.header().digest()).collect();
            let (tip, work) = (ledger.tip(), ledger.height());
            let change = ledger.append(&RULES, &NET.validators, NOW, block);
            match &change {
                Ok(ChainUpdate::Kept) | Err(_) => prop_assert_eq!((ledger.tip(), ledger.height()), (tip, work)),
                Ok(_) => prop_assert_ne!(ledger.tip(), tip),
            }
            if let Err(refusal) = &change {
                let expected = [
                    Clause::HeaviestChainWins, Clause::BlockLinksPrevious, Clause::FinalBlockStands,
                    Clause::TidDecidedOnce, Clause::AnchorAdvances,
                ];
                prop_assert!(expected.contains(&refusal.clause()), "{}", refusal);
            }
            let still: Vec<Digest> =
                ledger.blocks().take(finals.len()).map(|block| block.header().digest()).collect();
            prop_assert_eq!(still, finals);
            check(&ledger);
            if valid {
                seen.push(extended);
            }
        }
    }

    #[test]
    fn a_block_with_any_byte_changed_is_refused_and_changes_nothing(at in any::<prop::sample::Index>(), bit in 0u8..8, work in any::<bool>()) {
        let mut ledger = NET.ledger(work, 2);
        let first = NET.close(&ledger, ledger.propose(vec![NET.decisions[0].clone()], Time(1000), name("v0")));
        ledger.append(&RULES, &NET.validators, NOW, first).unwrap();
        let block = NET.close(&ledger, ledger.propose(vec![NET.decisions[1].clone()], Time(2000), name("v0")));
        let mut bytes = encode(&block);
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let tip = ledger.tip();
        if let Ok(changed) = decode::<Block>(&RULES, &bytes) {
            // Half of all headers meet so easy a target, so a change of the nonce, proposer or time may be a block of its own.
            let own = work && changed.entries == block.entries && changed.closed.signatories == block.closed.signatories;
            let result = ledger.append(&RULES, &NET.validators, NOW, changed);
            prop_assert!(result.is_err() || own, "byte {}", at);
            if result.is_err() {
                prop_assert_eq!(ledger.tip(), tip);
            }
        }
        check(&ledger);
    }

    #[test]
    fn mining_finds_the_first_nonce(seed in any::<u64>()) {
        let ledger = NET.ledger(true, 1);
        let fresh = ledger.propose(vec![], Time(seed >> 8), name("v0"));
        let mut mined = fresh.clone();
        prop_assert!(mined.mine(u64::MAX));
        let mut header = fresh.header().clone();
        let bemr::wire::Closing::Work(_) = header.closing else { panic!("mined") };
        let mut tried = 0;
        loop {
            let bemr::wire::Closing::Work(work) = &mut header.closing else { panic!("mined") };
            work.nonce = tried;
            let target = work.target;
            if header.digest().as_bytes() < &target.0 {
                break;
            }
            tried += 1;
        }
        prop_assert_eq!(mined.header(), &header);
    }
}
