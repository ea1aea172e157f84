//! The tables and their keys.

use crate::crypto::Digest;
use crate::wire::{AuditHead, Name, Time};

/// A table of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Anything small, under a name.
    Meta,
    /// Certificates, under their subjects.
    Certificates,
    /// Encrypted records, under tid.
    Blobs,
    /// Where the key of a record is kept, under tid.
    VaultKeys,
    /// Grants, under tid and reader.
    Grants,
    /// Revocations, under tid and reader.
    Revoked,
    /// Erasures, under tid.
    Erased,
    /// Leaves of the cloud's log, under their indices.
    Leaves,
    /// Complete subtrees of at least two leaves, under level and index.
    Nodes,
    /// Heads of the cloud's log, under their sizes and times.
    CloudHeads,
    /// Blocks of the branch in force, under their heights.
    Blocks,
    /// Audit entries, under their sequence numbers.
    AuditEntries,
    /// Heads of the audit log, under their counts, states and times.
    AuditHeads,
}

impl Table {
    /// Every table.
    pub const ALL: [Table; 13] = [
        Table::Meta,
        Table::Certificates,
        Table::Blobs,
        Table::VaultKeys,
        Table::Grants,
        Table::Revoked,
        Table::Erased,
        Table::Leaves,
        Table::Nodes,
        Table::CloudHeads,
        Table::Blocks,
        Table::AuditEntries,
        Table::AuditHeads,
    ];

    /// Its name in the database and in errors.
    pub const fn name(self) -> &'static str {
        match self {
            Table::Meta => "meta",
            Table::Certificates => "certificates",
            Table::Blobs => "blobs",
            Table::VaultKeys => "vault_keys",
            Table::Grants => "grants",
            Table::Revoked => "revoked",
            Table::Erased => "erased",
            Table::Leaves => "leaves",
            Table::Nodes => "nodes",
            Table::CloudHeads => "cloud_heads",
            Table::Blocks => "blocks",
            Table::AuditEntries => "audit_entries",
            Table::AuditHeads => "audit_heads",
        }
    }

    /// A key as people read it: a number, a text, or hexadecimal digits.
    pub(super) fn show(self, key: &[u8]) -> String {
        match (self, key) {
            (Table::Meta | Table::Certificates, _) => String::from_utf8_lossy(key).into_owned(),
            (Table::Nodes, [level, index @ ..]) if index.len() == 8 => {
                format!("level {level} index {}", number(index))
            }
            (Table::CloudHeads, [size @ .., _, _, _, _, _, _, _, _]) if size.len() == 8 => {
                format!("size {}", number(size))
            }
            (Table::AuditHeads, [count @ .., _, _, _, _, _, _, _, _, _]) if count.len() == 8 => {
                format!("count {}", number(count))
            }
            (_, key) if key.len() == 8 => number(key).to_string(),
            (_, key) => base16ct::lower::encode_string(key),
        }
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// tid, then the reader's name.
pub(super) fn record_key(tid: &Digest, reader: &Name) -> Vec<u8> {
    [tid.as_bytes(), reader.as_str().as_bytes()].concat()
}

/// level, then index.
pub(super) fn node_key(level: u8, index: u64) -> [u8; 9] {
    let mut key = [level; 9];
    key[1..].copy_from_slice(&index.to_be_bytes());
    key
}

/// size, then time.
pub(super) fn cloud_head_key(size: u64, time: Time) -> [u8; 16] {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&size.to_be_bytes());
    key[8..].copy_from_slice(&time.0.to_be_bytes());
    key
}

/// count, then state, then time: the head that closes a log is its last.
pub(super) fn audit_head_key(head: &AuditHead) -> [u8; 17] {
    let mut key = [0; 17];
    key[..8].copy_from_slice(&head.count.to_be_bytes());
    key[8] = head.state as u8;
    key[9..].copy_from_slice(&head.time.0.to_be_bytes());
    key
}
