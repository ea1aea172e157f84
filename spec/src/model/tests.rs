//! Honest runs of the model.

use crate::model::ledger::Ledger;
use crate::model::{
    Action, Actor, Block, BlockId, Command, Decision, Flaws, LedgerKind, Lifetimes, Members, Order, Proposal,
    SealFault, Setup, View, World,
};
use crate::{Clause, Rules};
use std::sync::Arc;

fn setup(validators: u8, ledger: LedgerKind) -> Setup {
    Setup { users: 2, validators, ledger, seed: 0, acquainted: false, lifetimes: Lifetimes::LONG }
}

/// Delivers everything in order, then wakes who waits for the earliest instant, until `limit`.
fn run(world: &mut World, next: &mut u32, limit: u64) {
    let mut nonce = 0;
    loop {
        while (*next as usize) < world.parcels().len() {
            let happened = world.step(&Action::Deliver { parcel: *next });
            assert!(happened.is_some());
            *next += 1;
        }
        let waits = |actor| Some((world.system().wakes(actor)?, actor));
        let Some((time, actor)) = world.system().actors().filter_map(waits).min() else { return };
        if time > limit {
            return;
        }
        nonce += 1;
        let found = (world.system().ledger_kind() == LedgerKind::Work && nonce % 5 == 0).then_some(nonce);
        assert!(world.step(&Action::Wake { actor, found }).is_some());
    }
}

fn submit(world: &mut World, record: u16, breaks: Option<Clause>) {
    let command = Command::Submit { record, breaks, readers: [1].into_iter().collect() };
    let happened = world.step(&Action::Command { actor: Actor::User(0), command });
    assert_eq!(happened.map(|happened| happened.clause), Some(None));
}

#[test]
fn an_honest_network_commits_rejects_reads_and_erases() {
    for (validators, ledger) in [
        (1, LedgerKind::Quorum),
        (4, LedgerKind::Quorum),
        (7, LedgerKind::Quorum),
        (1, LedgerKind::Work),
        (2, LedgerKind::Work),
    ] {
        let mut world = World::new(Rules::hardened(), &Setup { users: 5, ..setup(validators, ledger) });
        let mut next = 0;
        submit(&mut world, 1, None);
        submit(&mut world, 2, Some(Clause::RangeRule));
        run(&mut world, &mut next, 100_000);
        let bsd = world.system().bsd();
        let ends: Vec<_> = bsd.ended.values().map(|ended| (ended.decision, ended.reason)).collect();
        let rejected = (Decision::Rejected, Some(Clause::RangeRule));
        assert_eq!(ends, [(Decision::Committed, None), rejected], "{validators} {ledger:?}");
        assert_eq!(world.system().cloud().records.len(), 1);
        for user in [0, 1] {
            let command = Command::Read { tid: 0 };
            world.step(&Action::Command { actor: Actor::User(user), command }).unwrap();
        }
        run(&mut world, &mut next, 200_000);
        assert_eq!(world.system().users().map(|user| user.read.len()).sum::<usize>(), 2);
        let order = Command::Order { tid: 0, order: Order::Erase([0, 3].into_iter().collect()) };
        world.step(&Action::Command { actor: Actor::User(0), command: order }).unwrap();
        run(&mut world, &mut next, 300_000);
        match world.view(Actor::Cloud) {
            Some(View::Cloud { records, leaves, .. }) => {
                assert_eq!((records, leaves), (vec![(0, "Erased")], 2));
            }
            view => panic!("{view:?}"),
        }
    }
}

/// Model and implementation parted over this once: the implementation is given the second of the two.
#[test]
fn an_element_is_wrong_in_one_way_at_a_time() {
    let mut world = World::new(Rules::hardened(), &setup(1, LedgerKind::Quorum));
    submit(&mut world, 1, None);
    run(&mut world, &mut 0, 100_000);
    let seal = world.system().seals().next().unwrap();
    for (faults, refused_by) in [
        (vec![SealFault::StartElement], Some(Some(Clause::ElementInRange))),
        (vec![SealFault::StartSubgroup], Some(Some(Clause::ElementInSubgroup))),
        (vec![SealFault::StartElement, SealFault::StartSubgroup], None),
        (vec![SealFault::StartSubgroup, SealFault::StartElement], None),
    ] {
        let happened = world.step(&Action::Unseal { seal, faults: faults.clone() });
        assert_eq!(happened.map(|happened| happened.clause), refused_by, "{faults:?}");
    }
}

#[test]
fn a_longer_chain_undoes_a_final_block_only_where_final_blocks_need_not_stand() {
    let append = |rules: &Rules, ledger: &mut Ledger, chain: u64, blocks: u64| {
        let mut previous = BlockId(0);
        for height in 1..=blocks {
            let (time, proposer, entries, flaws) = (height, 0, Vec::new(), Flaws::NONE);
            let proposal = Proposal { height, previous, time, proposer, entries, nonce: chain, flaws };
            previous = proposal.id();
            let block = Block { id: previous, proposal, signatories: Members::default(), flaws };
            ledger.append(rules, blocks, Arc::new(block))?;
        }
        Ok::<(), Clause>(())
    };
    let hardened = Rules::hardened();
    let mut ledger = Ledger::new(LedgerKind::Work, 2);
    // As long as nothing of it is final, a chain gives way.
    append(&hardened, &mut ledger, 1, 6).unwrap();
    append(&hardened, &mut ledger, 2, 7).unwrap();
    assert!(!ledger.undone);
    assert_eq!(append(&hardened, &mut ledger, 3, 8), Err(Clause::FinalBlockStands));
    assert!(!ledger.undone);
    #[cfg(feature = "weaken")]
    {
        append(&hardened.without(Clause::FinalBlockStands), &mut ledger, 4, 8).unwrap();
        assert!(ledger.undone);
    }
}
