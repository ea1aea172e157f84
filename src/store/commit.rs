//! One step, to be kept as a whole.

use crate::crypto::{AeadKey, Digest};
use crate::store::{Table, table};
use crate::transparency::Appended;
use crate::wire::{AuditEntry, Block, Name, SignedAuditHead, SignedCloudHead, encode};

/// What one step changes. Later changes of a row win over earlier ones.
#[derive(Debug, Default)]
pub struct Commit {
    pub(super) writes: Vec<Write>,
}

/// One change. Erased keys are named apart from rows, so that a store can destroy them by other means.
#[derive(Debug)]
pub(super) enum Write {
    Put(Table, Vec<u8>, Vec<u8>),
    Delete(Table, Vec<u8>),
    DeletePrefix(Table, Vec<u8>),
    Key(Digest, AeadKey),
    DestroyKey(Digest),
}

impl Commit {
    /// A step that changes nothing yet.
    pub fn new() -> Commit {
        Commit::default()
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// The keys and values of the rows that it puts, for checkers.
    #[cfg(bemr_weaken)]
    pub fn rows(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.writes.iter().filter_map(|write| match write {
            Write::Put(_, key, value) => Some((key.as_slice(), value.as_slice())),
            _ => None,
        })
    }

    /// The vault keys that it keeps, for checkers.
    #[cfg(bemr_weaken)]
    pub fn vault_keys(&self) -> impl Iterator<Item = &AeadKey> {
        self.writes.iter().filter_map(|write| match write {
            Write::Key(_, key) => Some(key),
            _ => None,
        })
    }

    fn put(mut self, table: Table, key: impl Into<Vec<u8>>, value: Vec<u8>) -> Commit {
        self.writes.push(Write::Put(table, key.into(), value));
        self
    }

    /// Keeps the encrypted bytes of a record and the key that they are encrypted under.
    #[must_use]
    pub fn record(mut self, tid: &Digest, key: AeadKey, blob: Vec<u8>) -> Commit {
        self.writes.push(Write::Key(*tid, key));
        self.put(Table::Blobs, *tid.as_bytes(), blob)
    }

    /// Keeps a grant.
    #[must_use]
    pub fn grant(self, tid: &Digest, reader: &Name, grant: Vec<u8>) -> Commit {
        self.put(Table::Grants, table::record_key(tid, reader), grant)
    }

    /// Removes a grant and keeps the order to do so.
    #[must_use]
    pub fn revoke(mut self, tid: &Digest, reader: &Name, order: Vec<u8>) -> Commit {
        let key = table::record_key(tid, reader);
        self.writes.push(Write::Delete(Table::Grants, key.clone()));
        self.put(Table::Revoked, key, order)
    }

    /// Destroys a record's key, removes its bytes and grants, and keeps the order to do so.
    #[must_use]
    pub fn erase(mut self, tid: &Digest, order: Vec<u8>) -> Commit {
        self.writes.push(Write::DestroyKey(*tid));
        self.writes.push(Write::Delete(Table::Blobs, tid.as_bytes().to_vec()));
        self.writes.push(Write::DeletePrefix(Table::Grants, tid.as_bytes().to_vec()));
        self.put(Table::Erased, *tid.as_bytes(), order)
    }

    /// Keeps a leaf of the cloud's log and the subtrees that it completes.
    #[must_use]
    pub fn leaf(self, appended: &Appended) -> Commit {
        let leaf = &appended.leaf;
        let mut commit = self.put(Table::Leaves, leaf.sequence.to_be_bytes(), encode(leaf));
        // A tree's lowest level is hashed from the leaves when it is needed.
        for node in appended.nodes.iter().filter(|node| node.level > 0) {
            let key = table::node_key(node.level, node.index);
            commit = commit.put(Table::Nodes, key, node.digest.as_bytes().to_vec());
        }
        commit
    }

    /// Keeps a head of the cloud's log.
    #[must_use]
    pub fn cloud_head(self, signed: &SignedCloudHead) -> Commit {
        let head = &signed.head;
        self.put(Table::CloudHeads, table::cloud_head_key(head.size, head.time), encode(signed))
    }

    /// Keeps a block as the one of its height.
    #[must_use]
    pub fn block(self, block: &Block) -> Commit {
        self.put(Table::Blocks, block.header().height.0.to_be_bytes(), encode(block))
    }

    /// Removes the block of a height, which a reorganisation took out of force.
    #[must_use]
    pub fn remove_block(mut self, block: &Block) -> Commit {
        let key = block.header().height.0.to_be_bytes().to_vec();
        self.writes.push(Write::Delete(Table::Blocks, key));
        self
    }

    /// Keeps an audit entry.
    #[must_use]
    pub fn audit_entry(self, entry: &AuditEntry) -> Commit {
        self.put(Table::AuditEntries, entry.sequence.to_be_bytes(), encode(entry))
    }

    /// Keeps a head of the audit log.
    #[must_use]
    pub fn audit_head(self, signed: &SignedAuditHead) -> Commit {
        self.put(Table::AuditHeads, table::audit_head_key(&signed.head), encode(signed))
    }

    /// Keeps a certificate.
    #[must_use]
    pub fn certificate(self, subject: &Name, certificate: Vec<u8>) -> Commit {
        self.put(Table::Certificates, subject.as_str(), certificate)
    }

    /// Keeps anything small under a name.
    #[must_use]
    pub fn meta(self, name: &str, value: Vec<u8>) -> Commit {
        self.put(Table::Meta, name, value)
    }
}
