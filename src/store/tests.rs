use super::*;
use crate::crypto::{Domain, Suite};
use crate::ledger::tests::{Network, name, tid};
use crate::merkle::{prove_consistency, prove_inclusion};
use crate::transparency::tests::Cloud;
use crate::wire::{Ballot, ClosingRule, LeafKind, Time};
use bemr_spec::{Clause, Rules};

const RULES: Rules = Rules::hardened();

/// Stores a record the way a cloud does: one commit for record, leaf and head.
fn store_record(store: &mut dyn Store, cloud: &mut Cloud, n: u64) {
    let appended = cloud.append(LeafKind::Record, tid(n));
    let blob = n.to_be_bytes().repeat(5);
    let head = cloud.head(n);
    let commit = Commit::new().record(&tid(n), key(n), blob).leaf(&appended).cloud_head(&head);
    store.commit(commit.grant(&tid(n), &name("reader"), vec![1])).unwrap();
}

fn erase_record(store: &mut dyn Store, cloud: &mut Cloud, n: u64) {
    let appended = cloud.append(LeafKind::Erase, tid(n));
    let head = cloud.head(1000 + n);
    store.commit(Commit::new().erase(&tid(n), vec![9]).leaf(&appended).cloud_head(&head)).unwrap();
}

fn key(n: u64) -> AeadKey {
    AeadKey::from_bytes(*Digest::of(Domain::RECORD_KEY, &n.to_be_bytes()).as_bytes())
}

fn filled(store: &mut dyn Store) -> Cloud {
    let mut cloud = Cloud::new(Suite::Ristretto255);
    (0..7).for_each(|n| store_record(store, &mut cloud, n));
    erase_record(store, &mut cloud, 3);
    cloud
}

fn every_store(test: impl Fn(&mut dyn Store)) {
    test(&mut MemoryStore::new());
    #[cfg(feature = "store")]
    {
        let folder = tempfile::tempdir().unwrap();
        test(&mut RedbStore::open(folder.path().join("db")).unwrap());
    }
}

#[test]
fn a_store_recovers_to_its_head_and_goes_on() {
    every_store(|store| {
        let mut cloud = Cloud::new(Suite::Ristretto255);
        let nothing = recover(&RULES, store, &cloud.identity).unwrap();
        assert_eq!((nothing.head, nothing.records), (None, 0));
        (0..7).for_each(|n| store_record(store, &mut cloud, n));
        erase_record(store, &mut cloud, 3);
        let recovered = recover(&RULES, store, &cloud.identity).unwrap();
        assert_eq!((recovered.records, recovered.erased), (6, 1));
        assert_eq!(recovered.frontier.root(), cloud.log.root());
        assert_eq!(recovered.head, store.newest_cloud_head(&RULES).unwrap());
    });
}

#[test]
fn proofs_from_a_store_are_those_of_the_tree_at_every_size() {
    every_store(|store| {
        let cloud = filled(store);
        let nodes = LogNodes::new(&RULES, store);
        for size in 1..=8 {
            for index in 0..size {
                let proof = prove_inclusion(&nodes, size, index).unwrap();
                assert_eq!(Some(proof), cloud.tree.prove_inclusion(size, index));
            }
            for first in 0..=size {
                let proof = prove_consistency(&nodes, first, size).unwrap();
                assert_eq!(Some(proof), cloud.tree.prove_consistency(first, size));
            }
        }
        assert!(prove_inclusion(&nodes, 9, 0).is_err());
    });
}

#[test]
fn what_is_kept_is_read_back_and_what_is_removed_is_not() {
    every_store(|store| {
        filled(store);
        assert_eq!(store.blob(&tid(1)).unwrap().unwrap(), 1u64.to_be_bytes().repeat(5));
        assert_eq!(store.vault_key(&tid(1)).unwrap().unwrap().expose(), key(1).expose());
        assert!(store.grant(&tid(1), &name("reader")).unwrap().is_some());
        let revoke = Commit::new().revoke(&tid(1), &name("reader"), vec![5]);
        store.commit(revoke.meta("m", vec![1, 2]).certificate(&name("doctor"), vec![3])).unwrap();
        assert_eq!(store.grant(&tid(1), &name("reader")).unwrap(), None);
        assert_eq!(store.revocation(&tid(1), &name("reader")).unwrap(), Some(vec![5]));
        assert_eq!(store.meta("m").unwrap(), Some(vec![1, 2]));
        assert_eq!(store.certificate(&name("doctor")).unwrap(), Some(vec![3]));
        assert_eq!(store.cloud_head(&RULES, 4).unwrap().unwrap().head.size, 4);
        assert_eq!(store.cloud_head(&RULES, 99).unwrap(), None);
        assert_eq!(store.leaf(&RULES, 5).unwrap().unwrap().sequence, 5);
        assert_eq!(store.len(Table::Leaves).unwrap(), 8);
    });
}

#[test]
fn an_erased_record_leaves_neither_bytes_nor_key_nor_grant() {
    every_store(|store| {
        filled(store);
        assert_eq!(store.blob(&tid(3)).unwrap(), None);
        assert!(store.vault_key(&tid(3)).unwrap().is_none());
        assert_eq!(store.grant(&tid(3), &name("reader")).unwrap(), None);
        assert_eq!(store.erasure(&tid(3)).unwrap(), Some(vec![9]));
        assert!(store.grant(&tid(4), &name("reader")).unwrap().is_some());
    });
}

#[test]
fn the_ledger_is_built_again_from_its_blocks() {
    every_store(|store| {
        let net = Network::new(Suite::Ristretto255, 4, 1);
        let mut ledger = net.ledger(ClosingRule::Quorum);
        for n in 0..3 {
            let block = net.extend(&mut ledger, vec![net.decision(n, Ballot::True)]);
            store.commit(Commit::new().block(&block)).unwrap();
        }
        let genesis = net.genesis(ClosingRule::Quorum);
        let again = recover_ledger(&RULES, store, genesis.clone(), &net.validators, Time(1 << 40)).unwrap();
        assert_eq!(again.tip(), ledger.tip());
        let second = store.block(&RULES, crate::wire::Height(2)).unwrap().unwrap();
        store.commit(Commit::new().remove_block(&second)).unwrap();
        let damage = recover_ledger(&RULES, store, genesis, &net.validators, Time(1 << 40)).unwrap_err();
        assert_eq!(damage.clause(), Some(Clause::StoreMatchesHead));
        assert!(damage.to_string().contains("table blocks, entry 3"), "{damage}");
    });
}

/// Changes a row of a store behind the back of every check value.
fn change(store: &mut dyn Store, table: Table, key: &[u8], value: Option<Vec<u8>>) {
    let write = match value {
        Some(value) => commit::Write::Put(table, key.to_vec(), value),
        None => commit::Write::Delete(table, key.to_vec()),
    };
    store.commit(Commit { writes: vec![write] }).unwrap();
}

#[test]
fn a_store_that_differs_from_its_head_is_refused_and_the_entry_named() {
    let last_head = table::cloud_head_key(8, Time(1003));
    let node = table::node_key(1, 2);
    let (record, erased) = (tid(2), tid(3));
    let leaf = |store: &dyn Store| {
        let mut leaf = store.leaf(&RULES, 2).unwrap().unwrap();
        leaf.time = Time(99);
        crate::wire::encode(&leaf)
    };
    let cases: [(Table, &[u8], bool, &str); 9] = [
        (Table::Leaves, &2u64.to_be_bytes(), true, "table nodes, entry level 1 index 1"),
        (Table::Leaves, &2u64.to_be_bytes(), false, "table leaves, entry 2"),
        (Table::Leaves, &7u64.to_be_bytes(), false, "table leaves, entry 7"),
        (Table::Nodes, &node, true, "table nodes, entry level 1 index 2"),
        (Table::Nodes, &node, false, "table nodes, entry level 1 index 2"),
        (Table::CloudHeads, &last_head, false, "table leaves, entry 7"),
        (Table::Blobs, record.as_bytes(), false, "table blobs, entry"),
        (Table::Blobs, erased.as_bytes(), true, "table blobs, entry"),
        (Table::Grants, &table::record_key(&tid(3), &name("x")), true, "table grants, entry"),
    ];
    for (table, key, put, place) in cases {
        every_store(|store| {
            let cloud = filled(store);
            let value = if table == Table::Leaves { leaf(store) } else { vec![7; 32] };
            change(store, table, key, put.then_some(value));
            let damage = recover(&RULES, store, &cloud.identity).unwrap_err();
            assert_eq!(damage.clause(), Some(Clause::StoreMatchesHead));
            assert!(damage.to_string().contains(place), "{damage}");
            let mutant = RULES.without(Clause::StoreMatchesHead);
            recover(&mutant, store, &cloud.identity).unwrap();
        });
    }
}

#[test]
fn a_head_of_another_cloud_is_refused() {
    every_store(|store| {
        let mut cloud = filled(store);
        cloud.identity.name = name("other");
        let damage = recover(&RULES, store, &cloud.identity).unwrap_err();
        assert!(damage.to_string().contains("table cloud_heads, entry size 8: CLD-06"), "{damage}");
    });
}

#[test]
fn a_leaf_that_stands_in_another_ones_place_is_damage_although_the_order_is_right() {
    every_store(|store| {
        let cloud = filled(store);
        let (last, beyond) = (7_u64.to_be_bytes(), 9_u64.to_be_bytes());
        let leaf = store.get(Table::Leaves, &last).unwrap().unwrap();
        let mut commit = Commit::new();
        commit.writes.push(commit::Write::Delete(Table::Leaves, last.to_vec()));
        commit.writes.push(commit::Write::Put(Table::Leaves, beyond.to_vec(), leaf));
        store.commit(commit).unwrap();
        let error = recover(&RULES, store, &cloud.identity).unwrap_err();
        assert_eq!(error.clause(), Some(Clause::StoreMatchesHead));
        assert!(error.to_string().contains("table leaves, entry 9"), "{error}");
    });
}

#[test]
fn an_error_names_its_entry_as_people_read_it() {
    let said = |table: Table, key: &[u8]| StoreError::damaged(None, Some((table, key)), "x").to_string();
    let (number, time) = (258u64.to_be_bytes(), 7u64.to_be_bytes());
    let long = |parts: &[&[u8]]| parts.concat();
    for (table, key, shown) in [
        (Table::Meta, b"genesis".to_vec(), "table meta, entry genesis"),
        (Table::Blocks, number.to_vec(), "table blocks, entry 258"),
        (Table::Nodes, long(&[&[3], &number]), "table nodes, entry level 3 index 258"),
        (Table::Nodes, vec![3, 1], "table nodes, entry 0301"),
        (Table::CloudHeads, long(&[&number, &time]), "table cloud_heads, entry size 258"),
        (Table::CloudHeads, long(&[&[1], &time]), "table cloud_heads, entry 010000000000000007"),
        (Table::AuditHeads, long(&[&number, &[1], &time]), "table audit_heads, entry count 258"),
        (Table::AuditHeads, long(&[&[1], &time]), "table audit_heads, entry 010000000000000007"),
        (Table::Blobs, vec![1, 171], "table blobs, entry 01ab"),
    ] {
        let said = said(table, &key);
        assert!(said.starts_with(&format!("store in memory, {shown}: ")), "{said}");
    }
}

/// The bytes of the file of keys beside a store.
#[cfg(feature = "store")]
fn keys_beside(path: &std::path::Path) -> Vec<u8> {
    std::fs::read(path.with_file_name("db.keys")).unwrap()
}

#[cfg(feature = "store")]
#[test]
fn a_key_that_another_replaces_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let mut store = RedbStore::open(&path).unwrap();
    let holds = |key: &AeadKey| keys_beside(&path).windows(32).any(|slot| slot == key.expose());
    store.commit(Commit::new().record(&tid(1), key(1), vec![1])).unwrap();
    assert!(holds(&key(1)));
    store.commit(Commit::new().record(&tid(1), key(2), vec![1])).unwrap();
    assert!(!holds(&key(1)) && holds(&key(2)));
    // The last of two in one commit stays.
    let twice = Commit::new().record(&tid(2), key(3), vec![1]).record(&tid(2), key(4), vec![1]);
    store.commit(twice).unwrap();
    assert_eq!(store.vault_key(&tid(2)).unwrap().unwrap().expose(), key(4).expose());
}

#[test]
fn every_row_of_a_table_of_any_length_is_handed_out_once() {
    every_store(|store| {
        for rows in [0u64, 255, 256, 257, 512] {
            let names = (0..rows).map(|n| name(&format!("n{rows:03}-{n:03}")));
            let put = names.fold(Commit::new(), |commit, name| commit.certificate(&name, vec![7]));
            store.commit(put).unwrap();
            let mut seen = Vec::new();
            for_each_row(store, Table::Certificates, |key, _| {
                seen.push(key.to_vec());
                Ok(())
            })
            .unwrap();
            assert_eq!(seen.len() as u64, store.len(Table::Certificates).unwrap());
            assert!(seen.is_sorted_by(|one, next| one < next));
        }
    });
}

#[cfg(feature = "store")]
#[test]
fn a_key_of_zeros_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let mut store = RedbStore::open(&path).unwrap();
    store.commit(Commit::new().record(&tid(1), key(1), vec![1])).unwrap();
    drop(store);
    std::fs::write(path.with_file_name("db.keys"), [0; 32]).unwrap();
    let said = RedbStore::open(&path).unwrap_err().to_string();
    assert!(said.ends_with("the key is missing"), "{said}");
}

#[cfg(bemr_weaken)]
#[test]
fn a_checker_sees_the_rows_and_keys_that_a_step_keeps() {
    let step = Commit::new().record(&tid(1), key(1), vec![5]).revoke(&tid(1), &name("reader"), vec![6]);
    let values: Vec<&[u8]> = step.rows().map(|(_, value)| value).collect();
    assert_eq!(values, [[5], [6]]);
    let keys: Vec<_> = step.vault_keys().map(|kept| *kept.expose()).collect();
    assert_eq!(keys, [*key(1).expose()]);
}

/// Rewrites a value beneath the store.
#[cfg(feature = "store")]
fn rewrite(path: &std::path::Path, table: &str, key: &[u8], change: impl FnOnce(&mut Vec<u8>)) {
    use redb::ReadableTable;
    let database = redb::Database::open(path).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let table = redb::TableDefinition::<&[u8], &[u8]>::new(table);
        let mut rows = transaction.open_table(table).unwrap();
        let mut value = rows.get(key).unwrap().unwrap().value().to_vec();
        change(&mut value);
        rows.insert(key, value.as_slice()).unwrap();
    }
    transaction.commit().unwrap();
}

#[cfg(feature = "store")]
#[test]
fn a_value_that_was_rewritten_beneath_the_store_is_named_when_it_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    RedbStore::open(&path).unwrap().commit(Commit::new().meta("m", vec![1, 2])).unwrap();
    rewrite(&path, "meta", b"m", |value| *value.last_mut().unwrap() ^= 1);
    let said = RedbStore::open(&path).unwrap_err().to_string();
    assert!(said.contains("table meta, entry m"), "{said}");
    rewrite(&path, "meta", b"m", |value| *value.last_mut().unwrap() ^= 1);
    RedbStore::open(&path).unwrap();
    rewrite(&path, "header", b"format", |value| value.push(0));
    let said = RedbStore::open(&path).unwrap_err().to_string();
    assert!(said.contains("not a store of this form"), "{said}");
}

#[test]
fn a_store_in_memory_counts_the_bytes_of_its_keys_and_values() {
    let mut store = MemoryStore::new();
    assert_eq!(store.bytes(), 0);
    store.commit(Commit::new().meta("abc", vec![1, 2, 3, 4]).certificate(&name("n"), vec![5])).unwrap();
    assert_eq!(store.bytes(), 9);
    // Of a record: tid and bytes, tid and key.
    store.commit(Commit::new().record(&tid(1), key(1), vec![6]).record(&tid(2), key(2), vec![7])).unwrap();
    assert_eq!(store.bytes(), 9 + 2 * (33 + 64));
}
