//! What a store holds for every auditor to see.

use bemr::audit::PublicRecord;
use bemr::store::{Store, StoreError, Table, for_each};
use bemr::wire::{AuditEntry, Block, CloudLeaf, SignedAuditHead, SignedCloudHead, Time};
use bemr_spec::Rules;
use tls_codec::{DeserializeBytes, Serialize};

/// The public tables of a store: the owned form of a [`PublicRecord`].
#[derive(Clone, Debug, Default)]
pub struct PublicTables {
    /// The canonical chain.
    pub blocks: Vec<Block>,
    /// The cloud's log.
    pub leaves: Vec<CloudLeaf>,
    /// The signed heads of the cloud's log.
    pub cloud_heads: Vec<SignedCloudHead>,
    /// The audit log.
    pub entries: Vec<AuditEntry>,
    /// The signed heads of the audit log.
    pub audit_heads: Vec<SignedAuditHead>,
}

impl PublicTables {
    /// Reads them.
    ///
    /// # Errors
    /// Those of the store, and a row that does not decode.
    pub fn read<S: Store + ?Sized>(rules: &Rules, store: &S) -> Result<PublicTables, StoreError> {
        Ok(PublicTables {
            blocks: rows(rules, store, Table::Blocks)?,
            leaves: rows(rules, store, Table::Leaves)?,
            cloud_heads: rows(rules, store, Table::CloudHeads)?,
            entries: rows(rules, store, Table::AuditEntries)?,
            audit_heads: rows(rules, store, Table::AuditHeads)?,
        })
    }

    /// As an auditor takes them.
    pub fn record(&self) -> PublicRecord<'_> {
        let PublicTables { blocks, leaves, cloud_heads, entries, audit_heads } = self;
        PublicRecord { blocks, leaves, cloud_heads, entries, audit_heads }
    }

    /// When the newest block was proposed: the earliest clock of an auditor to whom no block lies in the future.
    pub fn latest(&self) -> Option<Time> {
        self.blocks.last().map(|block| block.header().time)
    }
}

/// Every row of a table.
fn rows<T: DeserializeBytes + Serialize, S: Store + ?Sized>(
    rules: &Rules,
    store: &S,
    table: Table,
) -> Result<Vec<T>, StoreError> {
    let mut rows = Vec::new();
    for_each(store, rules, table, |row| {
        rows.push(row);
        Ok(())
    })?;
    Ok(rows)
}
