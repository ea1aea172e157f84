//! The auditor's replay of all that is public (chapter 12).

use super::prelude::*;
use super::run::PATIENT;
use super::voters::Set;
use crate::simulator::{LedgerKind, ProvisionedKeys};
use crate::vectors::recorder::Recorder;
use crate::vectors::replayer::Event;
use bemr::audit::{AuditReport, Auditor, PublicRecord, audit};
use bemr::merkle::MerkleTree;
use bemr::store::Table;
use bemr::transparency::LogOperator;

data! {
    /// All that is public.
    AuditInput {
        now: u64, genesis: Hex, validators: Set, cloud: String, cloud_key: Hex, bsd: String, bsd_key: Hex,
        blocks: Vec<Hex>, leaves: Vec<Hex>, cloud_heads: Vec<Hex>, entries: Vec<Hex>, audit_heads: Vec<Hex>,
    }
    /// What a consistent record amounts to.
    Summary {
        blocks: u64, final_blocks: u64, decided_true: u64, decided_false: u64, anchors: u64, leaves: u64,
        records: u64, erased: u64, entries: u64, committed: u64, rejected: u64, deferred: u64, aborted: u64,
        closed: bool,
    }
}

fn all<T: tls_codec::DeserializeBytes + tls_codec::Serialize>(bytes: &[Hex]) -> Result<Vec<T>, Refusal> {
    bytes.iter().map(Hex::decode).collect()
}

/// An audit.
impl AuditInput {
    pub(super) fn evaluate(&self, suite: Suite) -> Result<Summary, Stop> {
        let validators = self.validators.set(suite)?;
        let key = |bytes: &Hex| VerifyingKey::decode(&RULES, suite, &bytes.0);
        let network = validators.network().clone();
        let cloud = LogOperator { network, name: name(&self.cloud)?, key: key(&self.cloud_key)? };
        let bsd = (name(&self.bsd)?, key(&self.bsd_key)?);
        let auditor = Auditor::new(&RULES, Time(self.now), self.genesis.decode()?, validators, cloud, bsd)?;
        let record = PublicRecord {
            blocks: &all(&self.blocks)?,
            leaves: &all(&self.leaves)?,
            cloud_heads: &all(&self.cloud_heads)?,
            entries: &all(&self.entries)?,
            audit_heads: &all(&self.audit_heads)?,
        };
        let report = audit(auditor, &record).map_err(|inconsistency| inconsistency.refusal)?;
        /// The fields of the same names.
        macro_rules! summary {
            ($($field:ident)*) => {{
                let AuditReport { $($field,)* .. } = report;
                Summary { $($field),* }
            }};
        }
        Ok(summary!(
            blocks final_blocks decided_true decided_false anchors leaves records erased entries committed
            rejected deferred aborted closed
        ))
    }

    pub(super) fn cases(suite: Suite) -> Result<Vec<Case<Self>>, Refusal> {
        use Clause::*;
        let mut recorder = Recorder::new(suite, 1, LedgerKind::Quorum)?;
        let wrong = br#"{"resourceType":"Patient","id":"p2","gender":"unheard-of"}"#;
        for record in [PATIENT, wrong] {
            recorder.submit("dr-ada", record, &["dr-ben"])?;
            recorder.wait(20_000)?;
        }
        let mut open = public(&recorder)?;
        let tid = recorder.tid().ok_or(Refusal::new(LeafIsIncluded))?;
        let grant = Event::Grant { tid: tid.as_bytes().into(), reader: "mia".to_owned() };
        for (who, event) in [("dr-ada", grant), ("bsd", Event::Close {})] {
            recorder.happen(who, event)?;
            recorder.wait(20_000)?;
        }
        let signer = Signer { keys: &recorder.network.keys, again: ReSigner::new(&recorder.network.keys) };
        let mut cases = Cases::of(suite, public(&recorder)?);
        cases.valid("a log that goes on", |input| *input = open.clone());
        cases.valid("a log that is closed", |_| ());
        type Row<'a> = (Clause, &'a str, &'a [&'a str], fn(&mut AuditInput));
        let missing: [Row<'_>; 8] = [
            (BlockLinksPrevious, "the first block", &[], |input| drop(input.blocks.remove(0))),
            (LeafIsIncluded, "the first leaf", &[], |input| drop(input.leaves.remove(0))),
            (LogIsAppendOnly, "the last leaf", &[], |input| input.leaves.truncate(1)),
            (LogIsAppendOnly, "the cloud's heads", &[], |input| input.cloud_heads.clear()),
            (EntryLinksPrevious, "the first entry", &[], |input| drop(input.entries.remove(0))),
            (CountIsClosed, "the last entry", &["AuditHead.count"], |input| input.entries.truncate(1)),
            (CountIsClosed, "the audit heads", &[], |input| input.audit_heads.clear()),
            (AuditHeadAnchored, "the first audit head", &[], |input| drop(input.audit_heads.remove(0))),
        ];
        for (clause, what, fields, change) in missing {
            cases.invalid(clause, format!("without {what}"), change).about(fields);
        }
        open.entries.push(open.entries[0].clone());
        signer.repair(&mut open, 0);
        cases
            .invalid(OneEntryPerTerminal, "an entry twice", |input| *input = open)
            .about(&["AuditEntry.tid"]);
        let mut sweep = Sweep::new(suite, &["~"], 8);
        type Part = fn(&mut AuditInput) -> &mut Vec<Hex>;
        let parts: [(&str, Part); 4] = [
            ("CloudLeaf", |input| &mut input.leaves),
            ("SignedCloudHead", |input| &mut input.cloud_heads),
            ("AuditEntry", |input| &mut input.entries),
            ("SignedAuditHead", |input| &mut input.audit_heads),
        ];
        for (table, part) in parts {
            for (place, genuine) in part(&mut cases.given.clone()).iter().enumerate() {
                let changed = |given: &AuditInput, message: &MutatedMessage, way: u8| {
                    let mut input = given.clone();
                    part(&mut input)[place] = Hex(message.bytes.clone());
                    signer.repair(&mut input, way);
                    Some(input)
                };
                cases.sweep_inputs(&mut sweep, table, &genuine.0, &changed);
            }
        }
        let other = |anchor: &mut Anchor| {
            if anchor.kind == LogKind::Audit {
                anchor.head = Digest::default();
            }
        };
        cases
            .invalid(AuditHeadAnchored, "anchors of other heads", |input| signer.close(input, other))
            .about(&["Entry.anchor.anchor", "Anchor.head"]);
        // A log that begins as that of another server database, or of another network.
        let (start, other) = (signer.start(), signer.keys.roster.cloud.clone());
        for (field, start) in [
            ("AuditStart.version", AuditStart { version: 2, ..start.clone() }),
            ("AuditStart.network", AuditStart { network: other.clone(), ..start.clone() }),
            ("AuditStart.bsd", AuditStart { bsd: other, ..start }),
        ] {
            let change = |input: &mut AuditInput| signer.chain(input, &start).unwrap_or_default();
            cases.invalid(EntryLinksPrevious, format!("another {field}"), change).about(&[field]);
        }
        Ok(cases.all())
    }
}

/// All that is public in a recorder.
fn public(recorder: &Recorder) -> Result<AuditInput, Refusal> {
    let ProvisionedKeys { genesis, validators, cloud, bsd, .. } = &recorder.network.keys;
    Ok(AuditInput {
        now: recorder.network.now().0,
        genesis: Hex::of(genesis),
        validators: Set::of(validators),
        cloud: cloud.name.as_str().to_owned(),
        cloud_key: Hex(cloud.key.encode()),
        bsd: bsd.name.as_str().to_owned(),
        bsd_key: Hex(bsd.key.encode()),
        blocks: recorder.rows("bsd", Table::Blocks)?,
        leaves: recorder.rows("cloud", Table::Leaves)?,
        cloud_heads: recorder.rows("cloud", Table::CloudHeads)?,
        entries: recorder.rows("bsd", Table::AuditEntries)?,
        audit_heads: recorder.rows("bsd", Table::AuditHeads)?,
    })
}

/// Everybody's keys, and what they sign anew.
struct Signer<'a> {
    keys: &'a ProvisionedKeys,
    again: ReSigner<'a, ProvisionedKeys>,
}

impl Signer<'_> {
    fn start(&self) -> AuditStart {
        let (network, bsd) = (self.keys.genesis.network.clone(), self.keys.roster.bsd.clone());
        AuditStart { version: PROTOCOL_VERSION, network, bsd }
    }

    /// Makes the rest consistent again; each bit leaves something as it was: the cloud's heads, the audit log, the blocks.
    /// What no longer decodes stays as it was too.
    fn repair(&self, input: &mut AuditInput, way: u8) {
        if way & 1 == 0 {
            self.cloud_heads(input).unwrap_or_default();
        }
        if way & 2 == 0 {
            self.chain(input, &self.start()).unwrap_or_default();
        }
        if way & 4 == 0 {
            self.anchor(input).unwrap_or_default();
        }
    }

    /// Signs the cloud's heads over the leaves.
    fn cloud_heads(&self, input: &mut AuditInput) -> Result<(), Refusal> {
        let leaves: Vec<CloudLeaf> = all(&input.leaves)?;
        let mut heads: Vec<SignedCloudHead> = all(&input.cloud_heads)?;
        let tree: MerkleTree = leaves.iter().map(CloudLeaf::digest).collect::<Vec<_>>().iter().collect();
        for head in &mut heads {
            head.head.root = tree.root_at(head.head.size).unwrap_or(head.head.root);
            self.again.cloud_head(head);
        }
        input.cloud_heads = heads.iter().map(Hex::of).collect();
        Ok(())
    }

    /// Links the audit log anew and signs its heads.
    fn chain(&self, input: &mut AuditInput, start: &AuditStart) -> Result<(), Refusal> {
        let mut entries: Vec<AuditEntry> = all(&input.entries)?;
        let mut heads: Vec<SignedAuditHead> = all(&input.audit_heads)?;
        let mut last = vec![start.digest()];
        for (place, entry) in (0..).zip(&mut entries) {
            (entry.previous, entry.sequence) = (last[place], place as u64);
            last.push(entry.digest());
        }
        for head in &mut heads {
            let known = usize::try_from(head.head.count).ok().and_then(|count| last.get(count));
            head.head.last = known.copied().unwrap_or(head.head.last);
            self.again.audit_head(head);
        }
        input.entries = entries.iter().map(Hex::of).collect();
        input.audit_heads = heads.iter().map(Hex::of).collect();
        Ok(())
    }

    /// The blocks anchor the heads as they are now.
    fn anchor(&self, input: &mut AuditInput) -> Result<(), Refusal> {
        let cloud: Vec<SignedCloudHead> = all(&input.cloud_heads)?;
        let audit: Vec<SignedAuditHead> = all(&input.audit_heads)?;
        let mut audited = audit.iter();
        self.close(input, |anchor| {
            let (kind, size) = (anchor.kind, anchor.size);
            let head = match kind {
                LogKind::Cloud => {
                    cloud.iter().rev().find(|one| one.head.size == size).map(|one| one.head.digest())
                }
                LogKind::Audit => audited.find(|one| one.head.count == size).map(|one| one.head.digest()),
            };
            anchor.head = head.unwrap_or(anchor.head);
        });
        Ok(())
    }

    /// The blocks with their anchors changed, linked and closed anew.
    fn close(&self, input: &mut AuditInput, mut change: impl FnMut(&mut Anchor)) {
        let Ok(mut blocks) = all::<Block>(&input.blocks) else { return };
        let mut previous = self.keys.genesis.digest();
        for block in &mut blocks {
            let mut entries = block.entries.as_slice().to_vec();
            entries.iter_mut().for_each(|entry| {
                if let Entry::Anchor(anchor) = entry {
                    change(anchor);
                }
            });
            block.entries = entries.into();
            block.closed.header.previous = previous;
            self.again.closed(block, 0);
            previous = block.closed.header.digest();
        }
        input.blocks = blocks.iter().map(Hex::of).collect();
    }
}
