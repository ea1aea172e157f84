//! The auditor's replay of all that is public (chapter 12).

use super::keys::name;
use super::run::PATIENT;
use super::voters::Set;
use super::{Kind, Made, RULES, Stop, rejected_by, swept_inputs};
use crate::forge::{MutatedMessage, ReSigner, Sweep};
use crate::simulator::{LedgerKind, ProvisionedKeys};
use crate::vectors::Hex;
use crate::vectors::recorder::Recorder;
use crate::vectors::replayer::Event;
use bemr::audit::{AuditReport, Auditor, PublicRecord, audit};
use bemr::crypto::{Digest, Suite, VerifyingKey};
use bemr::merkle::MerkleTree;
use bemr::store::Table;
use bemr::transparency::LogOperator;
use bemr::wire::{
    AuditEntry, AuditStart, Block, CloudLeaf, Entry, LogKind, PROTOCOL_VERSION, SignedAuditHead,
    SignedCloudHead, Time, decode, encode,
};
use bemr_spec::{Clause, Refusal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An audit.
pub(in crate::vectors) enum Audit {}

/// All that is public.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct AuditInput {
    now: u64,
    genesis: Hex,
    validators: Set,
    cloud: String,
    cloud_key: Hex,
    bsd: String,
    bsd_key: Hex,
    blocks: Vec<Hex>,
    leaves: Vec<Hex>,
    cloud_heads: Vec<Hex>,
    entries: Vec<Hex>,
    audit_heads: Vec<Hex>,
}

/// What a consistent record amounts to.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct Summary {
    blocks: u64,
    final_blocks: u64,
    decided_true: u64,
    decided_false: u64,
    anchors: u64,
    leaves: u64,
    records: u64,
    erased: u64,
    entries: u64,
    committed: u64,
    rejected: u64,
    deferred: u64,
    aborted: u64,
    closed: bool,
}

fn all<T: tls_codec::DeserializeBytes + tls_codec::Serialize>(bytes: &[Hex]) -> Result<Vec<T>, Refusal> {
    bytes.iter().map(|one| decode(&RULES, &one.0)).collect()
}

impl Kind for Audit {
    const NAME: &'static str = "audit";
    const SUITES: &'static [&'static str] = &["ristretto255"];
    type Input = AuditInput;
    type Output = Summary;

    fn judge(suite: Suite, input: &AuditInput) -> Result<Summary, Stop> {
        let validators = input.validators.set(suite)?;
        let key = |bytes: &Hex| VerifyingKey::decode(&RULES, suite, &bytes.0);
        let network = validators.network().clone();
        let cloud = LogOperator { network, name: name(&input.cloud)?, key: key(&input.cloud_key)? };
        let bsd = (name(&input.bsd)?, key(&input.bsd_key)?);
        let genesis = decode(&RULES, &input.genesis.0)?;
        let auditor = Auditor::new(&RULES, Time(input.now), genesis, validators, cloud, bsd)?;
        let record = PublicRecord {
            blocks: &all(&input.blocks)?,
            leaves: &all(&input.leaves)?,
            cloud_heads: &all(&input.cloud_heads)?,
            entries: &all(&input.entries)?,
            audit_heads: &all(&input.audit_heads)?,
        };
        let AuditReport {
            blocks,
            final_blocks,
            decided_true,
            decided_false,
            anchors,
            leaves,
            records,
            erased,
            entries,
            committed,
            rejected,
            deferred,
            aborted,
            closed,
            ..
        } = audit(auditor, &record).map_err(|inconsistency| inconsistency.refusal)?;
        Ok(Summary {
            blocks,
            final_blocks,
            decided_true,
            decided_false,
            anchors,
            leaves,
            records,
            erased,
            entries,
            committed,
            rejected,
            deferred,
            aborted,
            closed,
        })
    }

    fn make(suite: Suite) -> Result<Vec<Made<AuditInput>>, Refusal> {
        let mut recorder = Recorder::new(suite, 1, LedgerKind::Quorum)?;
        let wrong = br#"{"resourceType":"Patient","id":"p2","gender":"unheard-of"}"#;
        for record in [PATIENT, wrong] {
            let event = Event::Submit { record: record.into(), readers: vec!["dr-ben".to_owned()] };
            recorder.happen("dr-ada", event)?;
            recorder.until(20_000, |_| false)?;
        }
        let open = public(&recorder)?;
        let tid = recorder.tid().ok_or(Refusal::new(Clause::LeafIsIncluded))?;
        let grant = Event::Grant { tid: tid.as_bytes().into(), reader: "mia".to_owned() };
        recorder.happen("dr-ada", grant)?;
        recorder.until(20_000, |_| false)?;
        recorder.happen("bsd", Event::Close {})?;
        recorder.until(20_000, |_| false)?;
        let given = public(&recorder)?;
        let mut made = vec![
            Made::valid("a log that goes on", open.clone()),
            Made::valid("a log that is closed", given.clone()),
        ];
        let shown = |clause, comment: &str, change: &dyn Fn(&mut AuditInput)| {
            let mut input = given.clone();
            change(&mut input);
            Made::invalid(clause, comment, input)
        };
        use Clause::{
            AuditHeadAnchored, BlockLinksPrevious, CountIsClosed, EntryLinksPrevious, LeafIsIncluded,
            LogIsAppendOnly, OneEntryPerTerminal,
        };
        let foundation = &recorder.network.keys;
        let signer = Signer { foundation, again: ReSigner::new(foundation) };
        made.extend([
            shown(BlockLinksPrevious, "without the first block", &|input| drop(input.blocks.remove(0))),
            shown(LeafIsIncluded, "without the first leaf", &|input| drop(input.leaves.remove(0))),
            shown(LogIsAppendOnly, "without the last leaf", &|input| input.leaves.truncate(1)),
            shown(LogIsAppendOnly, "without the cloud's heads", &|input| input.cloud_heads.clear()),
            shown(EntryLinksPrevious, "without the first entry", &|input| drop(input.entries.remove(0))),
            shown(CountIsClosed, "without the last entry", &|input| input.entries.truncate(1))
                .of("AuditHead.count"),
            shown(CountIsClosed, "without the audit heads", &|input| input.audit_heads.clear()),
            shown(AuditHeadAnchored, "without the first audit head", &|input| {
                drop(input.audit_heads.remove(0))
            }),
        ]);
        let mut twice = open;
        twice.entries.push(twice.entries[0].clone());
        remake(&mut twice, &signer, 0);
        made.push(Made::invalid(OneEntryPerTerminal, "an entry twice", twice).of("AuditEntry.tid"));
        let mut sweep = Sweep::new(suite, &["~"], 8);
        let judge = |input: &AuditInput| rejected_by(Self::judge(suite, input));
        type Part = fn(&mut AuditInput) -> &mut Vec<Hex>;
        let parts: [(&str, Part); 4] = [
            ("CloudLeaf", |input| &mut input.leaves),
            ("SignedCloudHead", |input| &mut input.cloud_heads),
            ("AuditEntry", |input| &mut input.entries),
            ("SignedAuditHead", |input| &mut input.audit_heads),
        ];
        for (table, part) in parts {
            let count = part(&mut given.clone()).len();
            for place in 0..count {
                let genuine = part(&mut given.clone())[place].0.clone();
                let changed = |near: &MutatedMessage, way: u8| {
                    let mut input = given.clone();
                    part(&mut input)[place] = Hex(near.bytes.clone());
                    remake(&mut input, &signer, way);
                    Some(input)
                };
                made.extend(swept_inputs(&mut sweep, table, &genuine, changed, judge));
            }
        }
        let other = |anchor: &mut bemr::wire::Anchor| {
            if anchor.kind == LogKind::Audit {
                anchor.head = Digest::default();
            }
        };
        let mut input = given.clone();
        close_again(&mut input, &signer, other);
        made.push(
            Made::invalid(AuditHeadAnchored, "anchors of other heads", input)
                .of("Entry.anchor.anchor")
                .of("Anchor.head"),
        );
        // A log that begins as that of another server database, or of another network.
        for (field, start) in starts(&recorder.network.keys) {
            let mut input = given.clone();
            chain(&mut input, start, &signer);
            made.push(Made::invalid(EntryLinksPrevious, format!("another {field}"), input).of(field));
        }
        Ok(made)
    }
}

/// All that is public in a recorder.
fn public(recorder: &Recorder) -> Result<AuditInput, Refusal> {
    let ProvisionedKeys { genesis, validators, cloud, bsd, .. } = &recorder.network.keys;
    Ok(AuditInput {
        now: recorder.network.now().0,
        genesis: Hex(encode(genesis)),
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

fn starts(foundation: &ProvisionedKeys) -> [(&'static str, AuditStart); 3] {
    let network = foundation.genesis.network.clone();
    let bsd = foundation.roster.bsd.clone();
    let other = foundation.roster.cloud.clone();
    let start = AuditStart { version: PROTOCOL_VERSION, network, bsd };
    [
        ("AuditStart.version", AuditStart { version: 2, ..start.clone() }),
        ("AuditStart.network", AuditStart { network: other.clone(), ..start.clone() }),
        ("AuditStart.bsd", AuditStart { bsd: other, ..start }),
    ]
}

/// Everybody's keys, and what they make anew.
struct Signer<'a> {
    foundation: &'a ProvisionedKeys,
    again: ReSigner<'a, ProvisionedKeys>,
}

/// Makes the rest fit again; each bit leaves something as it was: the cloud's heads, the audit log, the blocks.
fn remake(input: &mut AuditInput, signer: &Signer<'_>, way: u8) {
    if way & 1 == 0 {
        let leaves: Option<Vec<CloudLeaf>> = all(&input.leaves).ok();
        let heads: Option<Vec<SignedCloudHead>> = all(&input.cloud_heads).ok();
        if let (Some(leaves), Some(heads)) = (leaves, heads) {
            let digests: Vec<Digest> = leaves.iter().map(CloudLeaf::digest).collect();
            let tree: MerkleTree = digests.iter().collect();
            let again = heads.into_iter().map(|mut head| {
                head.head.root = tree.root_at(head.head.size).unwrap_or(head.head.root);
                signer.again.cloud_head(&mut head);
                Hex(encode(&head))
            });
            input.cloud_heads = again.collect();
        }
    }
    if way & 2 == 0 {
        let [_, (_, start), _] = starts(signer.foundation);
        let start = AuditStart { network: signer.foundation.genesis.network.clone(), ..start };
        chain(input, start, signer);
    }
    if way & 4 == 0 {
        anchor(input, signer);
    }
}

/// Links the audit log anew and signs its heads.
fn chain(input: &mut AuditInput, start: AuditStart, signer: &Signer<'_>) {
    let entries: Option<Vec<AuditEntry>> = all(&input.entries).ok();
    let heads: Option<Vec<SignedAuditHead>> = all(&input.audit_heads).ok();
    let (Some(mut entries), Some(mut heads)) = (entries, heads) else { return };
    let mut last = vec![start.digest()];
    for (place, entry) in (0..).zip(&mut entries) {
        entry.previous = last[place];
        entry.sequence = place as u64;
        last.push(entry.digest());
    }
    for head in &mut heads {
        let known = usize::try_from(head.head.count).ok().and_then(|count| last.get(count));
        head.head.last = known.copied().unwrap_or(head.head.last);
        signer.again.audit_head(head);
    }
    input.entries = entries.iter().map(|entry| Hex(encode(entry))).collect();
    input.audit_heads = heads.iter().map(|head| Hex(encode(head))).collect();
}

/// The blocks anchor the heads as they are now, and are closed anew.
fn anchor(input: &mut AuditInput, signer: &Signer<'_>) {
    let cloud: Option<Vec<SignedCloudHead>> = all(&input.cloud_heads).ok();
    let audit: Option<Vec<SignedAuditHead>> = all(&input.audit_heads).ok();
    let (Some(cloud), Some(audit)) = (cloud, audit) else { return };
    let mut audited = audit.iter();
    close_again(input, signer, |anchor| {
        let head = match anchor.kind {
            LogKind::Cloud => {
                cloud.iter().rev().find(|one| one.head.size == anchor.size).map(|one| one.head.digest())
            }
            LogKind::Audit => audited.find(|one| one.head.count == anchor.size).map(|one| one.head.digest()),
        };
        anchor.head = head.unwrap_or(anchor.head);
    });
}

/// The blocks with their anchors changed, linked and closed anew.
fn close_again(input: &mut AuditInput, signer: &Signer<'_>, mut change: impl FnMut(&mut bemr::wire::Anchor)) {
    let Ok(blocks) = all::<Block>(&input.blocks) else { return };
    let mut previous = signer.foundation.genesis.digest();
    let mut again = Vec::new();
    for mut block in blocks {
        let mut entries = block.entries.as_slice().to_vec();
        for entry in &mut entries {
            if let Entry::Anchor(anchor) = entry {
                change(anchor);
            }
        }
        block.entries = entries.into();
        block.closed.header.previous = previous;
        signer.again.closed(&mut block, 0);
        previous = block.closed.header.digest();
        again.push(Hex(encode(&block)));
    }
    input.blocks = again;
}
