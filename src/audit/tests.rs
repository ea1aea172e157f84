use super::*;
use crate::crypto::{Digest, Domain, SigningKey, Suite};
use crate::ledger::Ledger;
use crate::ledger::tests::{Network, anchor, name, tid, work};
use crate::transparency::tests::Cloud;
use crate::wire::{
    AuditEntry, AuditHead, Ballot, Block, ClosingRule, CloudLeaf, Entry, LeafKind, LogKind, SignedAuditHead,
    SignedCloudHead, Terminal, Time, decode, encode,
};
use bemr_spec::{Clause, Rules};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

const RULES: Rules = Rules::hardened();
const SUITE: Suite = Suite::Ristretto255;

/// A whole run in public: three committed records (one erased later), one rejected, one deferred, one aborted.
struct World {
    net: Network,
    cloud: Cloud,
    bsd: SigningKey,
    ledger: Ledger,
    log: AuditLog,
    blocks: Vec<Block>,
    cloud_heads: Vec<SignedCloudHead>,
    entries: Vec<AuditEntry>,
    audit_heads: Vec<SignedAuditHead>,
}

impl World {
    /// The log that goes on after this entry.
    fn log_after(&self, entry: usize) -> AuditLog {
        let mut log = AuditLog::new(SUITE, name("net"), name("bsd"));
        log.go_on(&self.entries[entry]);
        log
    }

    fn empty() -> World {
        let net = Network::new(SUITE, 4, 1);
        let bsd = SigningKey::generate(SUITE, &mut ChaCha20Rng::seed_from_u64(9));
        World {
            cloud: Cloud::new(SUITE),
            bsd,
            ledger: net.ledger(ClosingRule::Quorum),
            log: AuditLog::new(SUITE, name("net"), name("bsd")),
            net,
            blocks: Vec::new(),
            cloud_heads: Vec::new(),
            entries: Vec::new(),
            audit_heads: Vec::new(),
        }
    }

    fn run() -> World {
        let mut world = World::empty();
        for n in [1, 2, 3] {
            world.decide(n, Ballot::True);
            world.store(LeafKind::Record, n);
            world.conclude(n, Terminal::Committed);
        }
        world.anchor();
        world.decide(4, Ballot::False);
        world.conclude(4, Terminal::Rejected);
        world.conclude(5, Terminal::Deferred);
        world.conclude(6, Terminal::Aborted);
        world.store(LeafKind::Grant, 1);
        world.store(LeafKind::Erase, 2);
        world.log.close();
        world.anchor();
        world
    }

    fn block(&mut self, entries: Vec<Entry>) {
        let block = self.net.extend(&mut self.ledger, entries);
        self.blocks.push(block);
    }

    fn decide(&mut self, n: u64, ballot: Ballot) {
        let entry = self.net.decision(n, ballot);
        self.block(vec![entry]);
    }

    fn store(&mut self, kind: LeafKind, n: u64) {
        self.cloud.append(kind, tid(n));
    }

    fn outcome(&self, n: u64, terminal: Terminal) -> Outcome {
        let decision = self.ledger.decision(&tid(n)).map(|decision| decision.certificate);
        Outcome {
            tid: tid(n),
            terminal,
            reason: 0,
            block: decision.map(|certificate| certificate.body.block),
            decision: decision.map(|certificate| certificate.digest()),
            seal: Some(Digest::of(Domain::SEAL, b"s")),
            time: Time(1),
        }
    }

    fn conclude(&mut self, n: u64, terminal: Terminal) {
        let outcome = self.outcome(n, terminal);
        self.entries.push(self.log.append(&RULES, outcome).unwrap());
    }

    /// Signs both logs and anchors their heads.
    fn anchor(&mut self) {
        let cloud = self.cloud.head(100 + self.cloud.log.size());
        let audit = self.log.sign(&RULES, &self.bsd, Time(1));
        self.block(vec![
            anchor(LogKind::Cloud, "cloud", cloud.head.size, cloud.head.digest()),
            anchor(LogKind::Audit, "bsd", audit.head.count, audit.head.digest()),
        ]);
        self.cloud_heads.push(cloud);
        self.audit_heads.push(audit);
    }

    fn sign(&mut self) {
        self.cloud_heads.push(self.cloud.head(100 + self.cloud.log.size()));
        self.audit_heads.push(self.log.sign(&RULES, &self.bsd, Time(1)));
    }

    fn auditor(&self, rules: &Rules) -> Auditor {
        let bsd = (name("bsd"), self.bsd.verifying_key().clone());
        let genesis = self.ledger.genesis().clone();
        let cloud = self.cloud.identity.clone();
        Auditor::new(rules, Time(1 << 40), genesis, self.net.validators.clone(), cloud, bsd).unwrap()
    }

    fn audit_with(&self, rules: &Rules) -> Result<AuditReport, Inconsistency> {
        let record = PublicRecord {
            blocks: &self.blocks,
            leaves: &self.cloud.leaves,
            cloud_heads: &self.cloud_heads,
            entries: &self.entries,
            audit_heads: &self.audit_heads,
        };
        audit(self.auditor(rules), &record)
    }

    fn audit(&self) -> Result<AuditReport, Inconsistency> {
        self.audit_with(&RULES)
    }

    /// The audit names `clause` at `place`, and its mutant goes on beyond it.
    fn shows(&self, clause: Clause, place: Location) {
        let found = self.audit().unwrap_err();
        assert_eq!((found.refusal.clause(), found.entry), (clause, place), "{found}");
        let mutant = self.audit_with(&RULES.without(clause));
        assert!(mutant.is_ok(), "{clause}: {mutant:?}");
    }
}

/// Re-signs the chain of entries from the first changed one on, as a lying server database would.
fn relink(world: &mut World) {
    let mut log = AuditLog::new(SUITE, name("net"), name("bsd"));
    world.entries = world
        .entries
        .drain(..)
        .map(|AuditEntry { tid, terminal, reason, block, decision, seal, time, .. }| {
            log.append(&RULES, Outcome { tid, terminal, reason, block, decision, seal, time }).unwrap()
        })
        .collect();
    world.audit_heads = vec![log.sign(&RULES, &world.bsd, Time(1))];
    world.log = log;
}

/// A run whose audit log is open and nowhere anchored, so that one change shows one clause.
fn open_world() -> World {
    let mut world = World::empty();
    for n in [1, 2] {
        world.decide(n, Ballot::True);
        world.store(LeafKind::Record, n);
        world.conclude(n, Terminal::Committed);
    }
    world.decide(3, Ballot::False);
    world.conclude(3, Terminal::Rejected);
    world.sign();
    world
}

#[test]
fn a_whole_run_is_consistent_and_counted() {
    let report = World::run().audit().unwrap();
    let expected = AuditReport {
        blocks: 6,
        final_blocks: 6,
        decided_true: 3,
        decided_false: 1,
        anchors: 4,
        leaves: 5,
        leaves_anchored: 5,
        records: 2,
        erased: 1,
        entries: 6,
        entries_anchored: 6,
        committed: 3,
        rejected: 1,
        deferred: 1,
        aborted: 1,
        closed: true,
    };
    assert_eq!(report, expected);
    assert!(World::empty().audit().is_ok());
}

#[test]
fn the_forms_of_the_log_have_one_encoding() {
    let world = World::run();
    for entry in &world.entries {
        assert_eq!(&decode::<AuditEntry>(&RULES, &encode(entry)).unwrap(), entry);
    }
    for head in &world.audit_heads {
        assert_eq!(&decode::<SignedAuditHead>(&RULES, &encode(head)).unwrap(), head);
    }
    for leaf in &world.cloud.leaves {
        assert_eq!(&decode::<CloudLeaf>(&RULES, &encode(leaf)).unwrap(), leaf);
    }
}

#[test]
fn entries_link_their_predecessors() {
    let mut world = open_world();
    world.entries[1].previous = tid(9);
    world.audit_heads = Vec::new();
    let found = world.audit().unwrap_err();
    assert_eq!((found.refusal.clause(), found.entry), (Clause::EntryLinksPrevious, Location::AuditEntry(1)));
    let mut swapped = open_world();
    swapped.entries.swap(0, 1);
    swapped.audit_heads = Vec::new();
    assert_eq!(swapped.audit().unwrap_err().refusal.clause(), Clause::EntryLinksPrevious);
    // With a head over the changed chain, the link alone gives it away.
    let mut log = world.log_after(2);
    world.audit_heads = vec![log.sign(&RULES, &world.bsd, Time(1))];
    world.entries[2].previous = world.entries[1].digest();
    log = world.log_after(2);
    world.audit_heads = vec![log.sign(&RULES, &world.bsd, Time(1))];
    world.shows(Clause::EntryLinksPrevious, Location::AuditEntry(1));
}

#[test]
fn an_audit_head_is_signed_over_the_last_entry() {
    let mut world = open_world();
    let stranger = SigningKey::generate(SUITE, &mut ChaCha20Rng::seed_from_u64(1234));
    world.audit_heads = vec![world.log.sign(&RULES, &stranger, Time(1))];
    world.shows(Clause::AuditHeadSigned, Location::AuditHead(3));
    let other = world.log_after(2);
    world.entries[2].reason = 7;
    world.audit_heads = vec![other.sign(&RULES, &world.bsd, Time(1))];
    world.shows(Clause::AuditHeadSigned, Location::AuditHead(3));
}

#[test]
fn an_anchored_audit_head_is_among_those_presented() {
    let mut world = open_world();
    world.block(vec![anchor(LogKind::Audit, "bsd", 3, tid(99))]);
    world.shows(Clause::AuditHeadAnchored, Location::LedgerEntry(crate::wire::Height(4), 0));
}

#[test]
fn an_audit_log_is_closed_once_its_closed_head_is_anchored() {
    let mut world = open_world();
    world.log.close();
    world.audit_heads.push(world.log.sign(&RULES, &world.bsd, Time(2)));
    assert!(!world.audit().unwrap().closed, "it may be that its keeper stopped here");
    let hasty = world.audit_with(&RULES.without(Clause::AuditHeadAnchored));
    assert!(hasty.unwrap().closed);
    let head = world.audit_heads[1].head.clone();
    world.block(vec![anchor(LogKind::Audit, "bsd", 3, head.digest())]);
    assert!(world.audit().unwrap().closed);
}

#[test]
fn a_transaction_ends_once() {
    let mut world = open_world();
    let outcome = world.outcome(3, Terminal::Deferred);
    world.entries.push(world.log.append(&RULES, outcome).unwrap());
    world.sign();
    world.cloud_heads.pop();
    world.shows(Clause::OneEntryPerTerminal, Location::AuditEntry(3));
}

#[test]
fn a_closed_audit_log_tells_of_every_decision_and_record() {
    let mut world = open_world();
    world.entries.remove(2);
    relink(&mut world);
    assert!(world.audit().is_ok(), "an open log may be behind");
    world.log.close();
    world.audit_heads = vec![world.log.sign(&RULES, &world.bsd, Time(2))];
    let head = world.audit_heads[0].head.clone();
    world.block(vec![anchor(LogKind::Audit, "bsd", head.count, head.digest())]);
    world.shows(Clause::OneEntryPerTerminal, Location::LedgerEntry(crate::wire::Height(3), 0));
}

#[test]
fn a_truncated_audit_log_does_not_have_the_count_of_its_head() {
    let mut world = open_world();
    world.entries.pop();
    assert_eq!(world.audit().unwrap_err().entry, Location::AuditHead(3));
    assert_eq!(world.audit().unwrap_err().refusal.clause(), Clause::CountIsClosed);
    let mut uncovered = open_world();
    let outcome = uncovered.outcome(8, Terminal::Aborted);
    uncovered.entries.push(uncovered.log.append(&RULES, outcome).unwrap());
    uncovered.shows(Clause::CountIsClosed, Location::AuditEntry(3));
}

#[test]
fn nothing_follows_the_close() {
    let mut world = World::run();
    let outcome = world.outcome(8, Terminal::Aborted);
    let refusal = world.log.append(&RULES, outcome.clone()).unwrap_err();
    assert_eq!(refusal.clause(), Clause::CountIsClosed);
    let entry = world.log.append(&RULES.without(Clause::CountIsClosed), outcome).unwrap();
    world.entries.push(entry);
    assert_eq!(world.audit().unwrap_err().refusal.clause(), Clause::CountIsClosed);
}

#[test]
fn a_commit_agrees_with_ledger_and_cloud() {
    let committed = |n| {
        let mut world = open_world();
        if n == 7 {
            world.decide(7, Ballot::False);
        } else if n == 8 {
            world.decide(8, Ballot::True);
        }
        world.conclude(n, Terminal::Committed);
        world.audit_heads.clear();
        world.audit_heads.push(world.log.sign(&RULES, &world.bsd, Time(1)));
        world
    };
    // Never decided; decided false; decided true but not stored.
    for n in [6, 7, 8] {
        committed(n).shows(Clause::EntryAgreesWithLedger, Location::AuditEntry(3));
    }
    let said = committed(7).audit().unwrap_err().to_string();
    assert!(said.contains("without a final decision that is true"), "{said}");
}

#[test]
fn what_is_stored_or_decided_true_is_not_called_rejected() {
    for terminal in [Terminal::Rejected, Terminal::Aborted] {
        let mut world = open_world();
        world.entries[1].terminal = terminal;
        relink(&mut world);
        world.shows(Clause::EntryAgreesWithLedger, Location::AuditEntry(1));
    }
}

#[test]
fn a_record_whose_receipt_was_lost_may_be_called_deferred_by_who_names_its_decision() {
    let mut world = open_world();
    world.entries[1].terminal = Terminal::Deferred;
    relink(&mut world);
    let report = world.audit().unwrap();
    assert_eq!(report.deferred, 1 + open_world().audit().unwrap().deferred);
    world.entries[1].decision = None;
    relink(&mut world);
    world.shows(Clause::EntryAgreesWithLedger, Location::AuditEntry(1));
}

#[test]
fn an_entry_names_the_decision_and_the_block_of_the_ledger() {
    let changes: [fn(&mut AuditEntry); 4] = [
        |entry| entry.decision = Some(tid(1)),
        |entry| entry.decision = None,
        |entry| entry.block = None,
        |entry| entry.seal = None,
    ];
    for change in changes {
        let mut world = open_world();
        change(&mut world.entries[0]);
        relink(&mut world);
        world.shows(Clause::EntryAgreesWithLedger, Location::AuditEntry(0));
    }
}

#[test]
fn the_cloud_stores_nothing_that_was_not_decided_true() {
    for n in [3, 50] {
        let mut world = open_world();
        world.store(LeafKind::Record, n);
        world.cloud_heads = vec![world.cloud.head(900)];
        world.shows(Clause::EntryAgreesWithLedger, Location::CloudLeaf(2));
    }
    for kind in [LeafKind::Grant, LeafKind::Revoke, LeafKind::Erase] {
        let mut world = open_world();
        world.store(kind, 50);
        world.cloud_heads = vec![world.cloud.head(900)];
        world.shows(Clause::EntryAgreesWithLedger, Location::CloudLeaf(2));
    }
}

#[test]
fn a_record_is_stored_once_and_stays_erased() {
    let mut world = open_world();
    world.store(LeafKind::Record, 1);
    world.cloud_heads = vec![world.cloud.head(900)];
    world.shows(Clause::StoredOnce, Location::CloudLeaf(2));
    for kind in [LeafKind::Record, LeafKind::Grant, LeafKind::Erase] {
        let mut world = open_world();
        world.store(LeafKind::Erase, 1);
        world.store(kind, 1);
        world.cloud_heads = vec![world.cloud.head(900)];
        world.shows(Clause::ErasedStaysErased, Location::CloudLeaf(3));
    }
}

#[test]
fn a_cloud_log_that_was_cut_or_changed_does_not_fit_its_heads() {
    let mut cut = World::run();
    cut.cloud.leaves.pop();
    let found = cut.audit().unwrap_err();
    assert_eq!((found.refusal.clause(), found.entry), (Clause::LogIsAppendOnly, Location::CloudHead(5)));
    let mut changed = open_world();
    changed.cloud.leaves[0].time = Time(12345);
    changed.shows(Clause::LogIsAppendOnly, Location::CloudHead(2));
    let mut uncovered = open_world();
    uncovered.store(LeafKind::Grant, 1);
    uncovered.shows(Clause::LogIsAppendOnly, Location::CloudLeaf(2));
    let mut moved = open_world();
    moved.cloud.leaves[1].sequence = 0;
    moved.cloud_heads = Vec::new();
    assert_eq!(moved.audit().unwrap_err().refusal.clause(), Clause::LeafIsIncluded);
}

#[test]
fn cloud_heads_are_signed_and_in_order() {
    let mut forged = open_world();
    forged.cloud_heads[0] = forged.cloud.log.sign(&RULES, &forged.bsd, Time(1));
    forged.shows(Clause::HeadSignedByCloud, Location::CloudHead(2));
    let mut back = open_world();
    back.cloud_heads.push(back.cloud.head(1));
    back.shows(Clause::HeadNotOlder, Location::CloudHead(2));
}

#[test]
fn an_anchored_cloud_head_is_among_those_presented() {
    let mut world = open_world();
    world.block(vec![anchor(LogKind::Cloud, "cloud", 2, tid(98))]);
    world.shows(Clause::HeadIsAnchored, Location::LedgerEntry(crate::wire::Height(4), 0));
}

#[test]
fn a_changed_ledger_is_named_by_its_block_and_clause() {
    let mut world = World::run();
    world.blocks.remove(1);
    let found = world.audit().unwrap_err();
    assert_eq!(
        (found.refusal.clause(), found.entry),
        (Clause::BlockLinksPrevious, Location::Block(crate::wire::Height(3)))
    );
    let mut turned = World::run();
    let mut entries = turned.blocks[3].entries.as_slice().to_vec();
    entries.swap(0, 1);
    turned.blocks[3].entries = entries.into();
    assert_eq!(turned.audit().unwrap_err().refusal.clause(), Clause::MerkleRootMatches);
    assert!(turned.audit().unwrap_err().to_string().starts_with("block 4: LED-03"));
}

#[test]
fn a_head_of_another_version_suite_network_or_server_is_refused() {
    let world = World::empty();
    let key = world.bsd.verifying_key();
    let signed = world.log.sign(&RULES, &world.bsd, Time(1));
    world.log.verify_head(&RULES, key, &signed).unwrap();
    let edits: [fn(&mut AuditHead); 4] = [
        |head| head.version += 1,
        |head| head.suite = Suite::Ffdhe2048,
        |head| head.network = name("net2"),
        |head| head.bsd = name("bsd2"),
    ];
    for edit in edits {
        let mut head = signed.head.clone();
        edit(&mut head);
        let signature = world.bsd.sign(&RULES, Domain::AUDIT_HEAD, &encode(&head));
        let refusal = world.log.verify_head(&RULES, key, &SignedAuditHead { head, signature }).unwrap_err();
        assert_eq!((refusal.clause(), refusal.place()), (Clause::AuditHeadSigned, Some("head")));
    }
}

#[test]
fn what_was_decided_true_is_not_called_rejected_before_it_is_stored() {
    let mut world = open_world();
    world.decide(9, Ballot::True);
    world.conclude(9, Terminal::Rejected);
    world.audit_heads = vec![world.log.sign(&RULES, &world.bsd, Time(1))];
    world.shows(Clause::EntryAgreesWithLedger, Location::AuditEntry(3));
}

#[test]
fn an_anchor_is_held_against_its_keeper_once_it_is_final() {
    let mut world = World::empty();
    world.ledger = world.net.ledger(work(2));
    world.block(vec![anchor(LogKind::Audit, "bsd", 3, tid(99))]);
    world.block(Vec::new());
    assert_eq!(world.audit().unwrap().anchors, 0);
    world.block(Vec::new());
    world.shows(Clause::AuditHeadAnchored, Location::LedgerEntry(crate::wire::Height(1), 0));
}
