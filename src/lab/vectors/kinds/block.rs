//! Blocks, as they arrive at a member of the network (chapter 10).

use super::prelude::*;
use super::voters::{Arrived, Set, Voters};
use bemr::ledger::Ledger;

data! {
    BlockInput { genesis: Hex, validators: Set, earlier: Vec<Arrived>, now: u64, block: Hex }
    /// The ledger afterwards.
    Standing { height: u64, tip: Hex, final_height: u64 }
}

/// A block arrives at a member of the network.
impl BlockInput {
    pub(super) fn evaluate(&self, suite: Suite) -> Result<Standing, Stop> {
        let mut ledger = self.validators.ledger(suite, &self.genesis, &self.earlier)?;
        ledger.append(&RULES, &self.validators.set(suite)?, Time(self.now), self.block.decode()?)?;
        Ok(Standing {
            height: ledger.height().0,
            tip: ledger.tip().as_bytes().into(),
            final_height: ledger.final_height().0,
        })
    }

    pub(super) fn cases(suite: Suite) -> Result<Vec<Case<Self>>, Refusal> {
        let voters = Voters::new(suite, Self::NAME, 4);
        let mut all = Vec::new();
        let mut sweep = Sweep::new(suite, &["~", "validator-2"], 8);
        for rule in [ClosingRule::Quorum, ClosingRule::Work(work())] {
            let genesis = voters.genesis(rule);
            let mut chain = chain(&voters, &genesis)?;
            // What depends on the group is shown for each; the whole of the rules once.
            let last = chain.last().expect("three were made").input.clone();
            all.append(&mut chain);
            if suite == Suite::Ristretto255 {
                let block: Block = last.block.decode()?;
                all.extend(beside(&voters, &genesis, Cases::of(suite, last), &block, &mut sweep)?);
            }
        }
        Ok(all)
    }
}

fn anchor(size: u64) -> Entry {
    let head = Digest::from_bytes([size as u8; 32]);
    Entry::Anchor(Anchor { kind: LogKind::Cloud, keeper: known("cloud"), size, head })
}

fn decision(voters: &Voters, number: u8) -> Entry {
    Entry::Decision(voters.certificate(voters.vote(number)))
}

/// Three blocks, one after the other.
fn chain(voters: &Voters, genesis: &Genesis) -> Result<Vec<Case<BlockInput>>, Refusal> {
    let mut ledger = Ledger::new(&RULES, genesis.clone())?;
    let contents =
        [vec![decision(voters, 1), anchor(1)], vec![anchor(3)], vec![decision(voters, 2), anchor(4)]];
    let (mut cases, mut earlier) = (Vec::new(), Vec::new());
    for (height, entries) in (1..).zip(contents) {
        let time = START.after(1_500 * height);
        let block = voters.block(&ledger, entries, time);
        let input = BlockInput {
            genesis: Hex::of(genesis),
            validators: Set::of(&voters.set),
            earlier: earlier.clone(),
            now: time.0,
            block: Hex::of(&block),
        };
        let by_work = if genesis.rule == ClosingRule::Quorum { "" } else { ", by work" };
        earlier.push(Arrived { now: time.0, block: Hex::of(&block) });
        cases.push(Case::new(format!("block {height}{by_work}"), None, input));
        ledger.append(&RULES, &voters.set, time, block)?;
    }
    Ok(cases)
}

/// What is beside the third block.
fn beside(
    voters: &Voters,
    genesis: &Genesis,
    mut cases: Cases<BlockInput>,
    genuine: &Block,
    sweep: &mut Sweep<'_>,
) -> Result<Vec<Case<BlockInput>>, Refusal> {
    use Clause::*;
    let by_work = genesis.rule != ClosingRule::Quorum;
    sweep.ways = if by_work { 16 } else { 8 };
    let repair = mended(|block: &mut Block, way| voters.signer().closed(block, way));
    cases.sweep(sweep, "Block", |input| &mut input.block, &repair);
    let with = |entries: &[Entry]| {
        Hex::of(&voters.closed_again(Block { entries: entries.to_vec().into(), ..genuine.clone() }))
    };
    let in_entry = ["Block.entries", "Entry.body"];
    cases
        .invalid(TidDecidedOnce, "a tid that the first block decided", |input| {
            input.block = with(&[decision(voters, 1)]);
        })
        .about(&in_entry)
        .about(&["Entry.decision.certificate"]);
    cases
        .invalid(AnchorAdvances, "an anchor that does not advance", |input| input.block = with(&[anchor(3)]))
        .about(&in_entry)
        .about(&["Entry.anchor.anchor", "Anchor.size"]);
    let again = |input: &mut BlockInput| {
        input.earlier.push(Arrived { now: input.now, block: input.block.clone() });
    };
    cases.invalid(HeaviestChainWins, "a block that is held", again);
    if by_work {
        let mut signed = genuine.clone();
        let digest = signed.closed.header.digest();
        signed.closed.signatories = voters.signatories(1, Domain::BLOCK_CLOSE, digest.as_bytes()).into();
        cases
            .invalid(WorkMeetsTarget, "signatories where there is work", |input| {
                input.block = Hex::of(&signed)
            })
            .about(&["Block.closed", "ClosedHeader.signatories"]);
    } else {
        cases.invalid(FinalBlockStands, "a second block of its height", |input| {
            again(input);
            input.block = with(&genuine.entries.as_slice()[1..]);
        });
    }
    cases
        .invalid(BlockTimeAdvances, "too far ahead of the clock", |input| input.now -= 7_200_001)
        .about(&["BlockHeader.time"]);
    of_genesis(voters, genesis, &mut cases)?;
    Ok(cases.all())
}

/// Two blocks to a window, so that the third target is set anew.
fn work() -> WorkRule {
    let mut easiest = [0xff; 32];
    easiest[0] = 0x3f;
    WorkRule { easiest: Target(easiest), interval: 2_000, window: 2, confirmations: 1 }
}

/// The blocks of an input, linked to another genesis.
fn linked(voters: &Voters, given: &BlockInput, other: &Genesis) -> Result<BlockInput, Refusal> {
    let mut previous = other.digest();
    let mut input = BlockInput { genesis: Hex::of(other), ..given.clone() };
    for place in input.earlier.iter_mut().map(|one| &mut one.block).chain([&mut input.block]) {
        let mut block: Block = place.decode()?;
        block.closed.header.previous = previous;
        let block = voters.closed_again(block);
        previous = block.closed.header.digest();
        *place = Hex::of(&block);
    }
    Ok(input)
}

/// One block in a network whose members agreed on something else.
fn of_genesis(voters: &Voters, genesis: &Genesis, cases: &mut Cases<BlockInput>) -> Result<(), Refusal> {
    let by_work = genesis.rule != ClosingRule::Quorum;
    // Way 1: the blocks are those of the other network; way 0: they are linked to this one.
    let changed = |given: &BlockInput, message: &MutatedMessage, way: u8| {
        let other: Genesis = decode(&RULES, &message.bytes).ok()?;
        match way {
            1 => Some(BlockInput { genesis: Hex::of(&other), ..given.clone() }),
            _ => linked(voters, given, &other).ok(),
        }
    };
    let sweep = &mut Sweep::new(voters.suite, &["~"], 2);
    cases.sweep_inputs(sweep, "Genesis", &encode(genesis), &changed);
    // The other way to close blocks.
    let rule = if by_work { ClosingRule::Quorum } else { ClosingRule::Work(work()) };
    let mut input = cases.given.clone();
    let first = input.earlier.remove(0);
    let first = BlockInput { earlier: Vec::new(), now: first.now, block: first.block, ..input };
    let first = linked(voters, &first, &Genesis { rule, ..genesis.clone() })?;
    let clause = if by_work { Clause::BlockHasQuorum } else { Clause::WorkMeetsTarget };
    cases.invalid(clause, "a block that is closed in another way", |input| *input = first).about(&[
        "ClosingRule.kind",
        "BlockHeader.closing",
        "Closing.kind",
        "Closing.body",
        "Block.closed",
        "ClosedHeader.header",
    ]);
    if by_work {
        let [one, two] = [1, 2].map(|confirmations| rival(voters, genesis, confirmations));
        let (one, two) = (one?, two?);
        let comment = "a rival of a block that one confirms";
        cases
            .invalid(Clause::FinalBlockStands, comment, |input| *input = one)
            .about(&["WorkRule.confirmations"]);
        cases.valid("a rival of a block that two have to confirm", |input| *input = two);
    }
    Ok(())
}

/// A rival to a block on which one block stands.
fn rival(voters: &Voters, genesis: &Genesis, confirmations: u32) -> Result<BlockInput, Refusal> {
    let rule = ClosingRule::Work(WorkRule { confirmations, ..work() });
    let genesis = Genesis { rule, ..genesis.clone() };
    let mut ledger = Ledger::new(&RULES, genesis.clone())?;
    let rival = voters.block(&ledger, Vec::new(), START.after(700));
    let mut earlier = Vec::new();
    for height in 1..=2 {
        let time = START.after(1_000 * height);
        let block = voters.block(&ledger, Vec::new(), time);
        earlier.push(Arrived { now: time.0, block: Hex::of(&block) });
        ledger.append(&RULES, &voters.set, time, block)?;
    }
    let (genesis, validators, now) = (Hex::of(&genesis), Set::of(&voters.set), START.0 + 3_000);
    Ok(BlockInput { genesis, validators, earlier, now, block: Hex::of(&rival) })
}
