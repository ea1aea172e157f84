//! Blocks, as they arrive at a member of the network (chapter 10).

use super::voters::{Set, Voters};
use super::{Kind, Made, RULES, SUITES, Stop, known, rejected_by, swept_inputs};
use crate::forge::{MutatedMessage, Sweep, mended};
use crate::simulator::START;
use crate::vectors::Hex;
use bemr::crypto::{Digest, Domain, Suite};
use bemr::ledger::Ledger;
use bemr::wire::{
    Anchor, Block, ClosingRule, Entry, Genesis, LogKind, Target, Time, WorkRule, decode, encode,
};
use bemr_spec::{Clause, Refusal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A block arrives at a member of the network.
pub(in crate::vectors) enum TakeBlock {}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct BlockInput {
    genesis: Hex,
    validators: Set,
    earlier: Vec<Arrived>,
    now: u64,
    block: Hex,
}

/// A block that was taken before.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct Arrived {
    pub(super) now: u64,
    pub(super) block: Hex,
}

/// The ledger afterwards.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct Standing {
    height: u64,
    tip: Hex,
    final_height: u64,
}

impl Kind for TakeBlock {
    const NAME: &'static str = "block";
    const SUITES: &'static [&'static str] = SUITES;
    type Input = BlockInput;
    type Output = Standing;

    fn judge(suite: Suite, input: &BlockInput) -> Result<Standing, Stop> {
        let validators = input.validators.set(suite)?;
        let mut ledger = Ledger::new(&RULES, decode(&RULES, &input.genesis.0)?)?;
        for Arrived { now, block } in &input.earlier {
            ledger.append(&RULES, &validators, Time(*now), decode(&RULES, &block.0)?)?;
        }
        ledger.append(&RULES, &validators, Time(input.now), decode(&RULES, &input.block.0)?)?;
        Ok(Standing {
            height: ledger.height().0,
            tip: ledger.tip().as_bytes().into(),
            final_height: ledger.final_height().0,
        })
    }

    fn make(suite: Suite) -> Result<Vec<Made<BlockInput>>, Refusal> {
        let voters = Voters::new(suite, Self::NAME, 4);
        let mut made = Vec::new();
        // What depends on the group is shown for each; the whole of the rules once.
        let full = suite == Suite::Ristretto255;
        let mut sweep = Sweep::new(suite, &["~", "validator-2"], 8);
        for rule in [ClosingRule::Quorum, ClosingRule::Work(work())] {
            let by_work = rule != ClosingRule::Quorum;
            let genesis = voters.genesis(rule.clone());
            let mut ledger = Ledger::new(&RULES, genesis.clone())?;
            let anchor = |size: u64| {
                let head = Digest::from_bytes([size as u8; 32]);
                Entry::Anchor(Anchor { kind: LogKind::Cloud, keeper: known("cloud"), size, head })
            };
            let decision = |number: u8| Entry::Decision(voters.certificate(voters.vote(number)));
            let lives = [vec![decision(1), anchor(1)], vec![anchor(3)], vec![decision(2), anchor(4)]];
            let (mut blocks, mut earlier) = (Vec::new(), Vec::new());
            for (height, entries) in (1..).zip(lives) {
                let time = START.after(1_500 * height);
                let block = voters.block(&ledger, entries, time);
                let input = BlockInput {
                    genesis: Hex(encode(&genesis)),
                    validators: Set::of(&voters.set),
                    earlier: earlier.clone(),
                    now: time.0,
                    block: Hex(encode(&block)),
                };
                let comment = format!("block {height}{}", if by_work { ", by work" } else { "" });
                made.push(Made::valid(comment, input.clone()));
                earlier.push(Arrived { now: time.0, block: Hex(encode(&block)) });
                ledger.append(&RULES, &voters.set, time, block.clone())?;
                blocks.push((input, block));
            }
            if !full {
                continue;
            }
            let (given, genuine) = blocks.pop().expect("three were made");
            let with = |bytes: &[u8]| BlockInput { block: bytes.into(), ..given.clone() };
            let mend = mended(|block: &mut Block, way| voters.signer().closed(block, way));
            sweep.ways = if by_work { 16 } else { 8 };
            made.extend(Self::swept(suite, &mut sweep, "Block", &encode(&genuine), mend, with));
            let twice = |entries: Vec<Entry>| {
                let mut block = genuine.clone();
                block.entries = entries.into();
                with(&encode(&voters.closed_again(block)))
            };
            let entries = genuine.entries.as_slice();
            let decided = |input| {
                Made::invalid(Clause::TidDecidedOnce, "a tid that the first block decided", input)
                    .of("Block.entries")
                    .of("Entry.body")
                    .of("Entry.decision.certificate")
            };
            made.push(decided(twice(vec![decision(1)])));
            made.push(
                Made::invalid(
                    Clause::AnchorAdvances,
                    "an anchor that does not advance",
                    twice(vec![anchor(3)]),
                )
                .of("Block.entries")
                .of("Entry.body")
                .of("Entry.anchor.anchor")
                .of("Anchor.size"),
            );
            let mut again = given.clone();
            again.earlier.push(Arrived { now: given.now, block: given.block.clone() });
            made.push(Made::invalid(Clause::HeaviestChainWins, "a block that is held", again.clone()));
            if by_work {
                let mut signed = genuine.clone();
                let digest = signed.closed.header.digest();
                signed.closed.signatories =
                    voters.signatories(1, Domain::BLOCK_CLOSE, digest.as_bytes()).into();
                let input = with(&encode(&signed));
                made.push(
                    Made::invalid(Clause::WorkMeetsTarget, "signatories where there is work", input)
                        .of("Block.closed")
                        .of("ClosedHeader.signatories"),
                );
            }
            let rival = twice(entries[1..].to_vec());
            again.block = rival.block;
            if !by_work {
                made.push(Made::invalid(Clause::FinalBlockStands, "a second block of its height", again));
            }
            let early = BlockInput { now: given.now - 7_200_001, ..given.clone() };
            made.push(
                Made::invalid(Clause::BlockTimeAdvances, "too far ahead of the clock", early)
                    .of("BlockHeader.time"),
            );
            made.extend(of_genesis(suite, &voters, &genesis, &given, by_work)?);
        }
        Ok(made)
    }
}

/// Two blocks to a window, so that the third target is set anew.
fn work() -> WorkRule {
    let mut easiest = [0xff; 32];
    easiest[0] = 0x3f;
    WorkRule { easiest: Target(easiest), interval: 2_000, window: 2, confirmations: 1 }
}

/// One block in a network whose members agreed on something else.
fn of_genesis(
    suite: Suite,
    voters: &Voters,
    genesis: &Genesis,
    given: &BlockInput,
    by_work: bool,
) -> Result<Vec<Made<BlockInput>>, Refusal> {
    // Way 1: the blocks are those of the other network; way 0: they are linked to this one.
    let linked = |other: &Genesis, way: u8| -> Result<BlockInput, Refusal> {
        let bytes = Hex(encode(other));
        if way == 1 {
            return Ok(BlockInput { genesis: bytes, ..given.clone() });
        }
        let mut previous = other.digest();
        let all = given.earlier.iter().map(|one| (one.now, &one.block)).chain([(given.now, &given.block)]);
        let mut arrived = Vec::new();
        for (now, block) in all {
            let mut block: Block = decode(&RULES, &block.0)?;
            block.closed.header.previous = previous;
            let block = voters.closed_again(block);
            previous = block.closed.header.digest();
            arrived.push(Arrived { now, block: Hex(encode(&block)) });
        }
        let last = arrived.pop().ok_or(Refusal::new(Clause::BlockLinksPrevious))?;
        Ok(BlockInput { genesis: bytes, earlier: arrived, block: last.block, ..given.clone() })
    };
    let judge = |input: &BlockInput| rejected_by(TakeBlock::judge(suite, input));
    let changed = |near: &MutatedMessage, way| linked(&decode(&RULES, &near.bytes).ok()?, way).ok();
    let sweep = &mut Sweep::new(suite, &["~"], 2);
    let mut made = swept_inputs(sweep, "Genesis", &encode(genesis), changed, judge);
    // The other way to close blocks.
    let rule = if by_work { ClosingRule::Quorum } else { ClosingRule::Work(work()) };
    let other = Genesis { rule, ..genesis.clone() };
    let first = BlockInput { earlier: Vec::new(), ..linked(&other, 0)? };
    let mut first = first;
    let mut block: Block = decode(&RULES, &given.earlier[0].block.0)?;
    block.closed.header.previous = other.digest();
    (first.block, first.now) = (Hex(encode(&voters.closed_again(block))), given.earlier[0].now);
    let clause = if by_work { Clause::BlockHasQuorum } else { Clause::WorkMeetsTarget };
    let both = [
        "ClosingRule.kind",
        "BlockHeader.closing",
        "Closing.kind",
        "Closing.body",
        "Block.closed",
        "ClosedHeader.header",
    ];
    made.push(
        both.into_iter()
            .fold(Made::invalid(clause, "a block that is closed in another way", first), |made, field| {
                made.of(field)
            }),
    );
    if by_work {
        made.extend(confirmed(voters, genesis)?);
    }
    Ok(made)
}

/// A rival to a block that is final when one block stands on it, and not when two have to.
fn confirmed(voters: &Voters, genesis: &Genesis) -> Result<Vec<Made<BlockInput>>, Refusal> {
    let lives = |genesis: &Genesis| -> Result<BlockInput, Refusal> {
        let mut ledger = Ledger::new(&RULES, genesis.clone())?;
        let rival = voters.block(&ledger, Vec::new(), START.after(700));
        let mut earlier = Vec::new();
        for height in 1..=2 {
            let time = START.after(1_000 * height);
            let block = voters.block(&ledger, Vec::new(), time);
            earlier.push(Arrived { now: time.0, block: Hex(encode(&block)) });
            ledger.append(&RULES, &voters.set, time, block)?;
        }
        Ok(BlockInput {
            genesis: Hex(encode(genesis)),
            validators: Set::of(&voters.set),
            earlier,
            now: START.0 + 3_000,
            block: Hex(encode(&rival)),
        })
    };
    let rule = |confirmations| ClosingRule::Work(WorkRule { confirmations, ..work() });
    let [one, two] = [1, 2].map(|confirmations| Genesis { rule: rule(confirmations), ..genesis.clone() });
    Ok(vec![
        Made::invalid(Clause::FinalBlockStands, "a rival of a block that one confirms", lives(&one)?)
            .of("WorkRule.confirmations"),
        Made::valid("a rival of a block that two have to confirm", lives(&two)?),
    ])
}
