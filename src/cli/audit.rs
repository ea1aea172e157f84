//! `bemr audit`: audits a store from its public data, without any secret.

use crate::{ExitStatus, files, print, print_json, run};
use bemr::actors::CertificateDirectory;
use bemr::audit::{AuditReport, Auditor, PublicRecord, audit as replay};
use bemr::crypto::{Suite, VerifyingKey};
use bemr::keys::{Party, TrustAnchor, TrustStore};
use bemr::store::{RedbStore, Store, StoreError, Table, for_each, for_each_row, recover};
use bemr::transparency::LogOperator;
use bemr::votes::ValidatorSet;
use bemr::wire::{
    AuditEntry, Block, Certificate, CloudLeaf, Genesis, Name, RevocationList, SignedAuditHead,
    SignedCloudHead, Time, decode,
};
use bemr_spec::{Refusal, Rules};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Options of `bemr audit`.
#[derive(clap::Args)]
pub(super) struct Options {
    /// The database that `bemr run --store` wrote. Without it, the command runs the shipped sample in memory and audits that.
    #[arg(long, value_name = "PATH")]
    store: Option<PathBuf>,
    /// Prints one JSON document.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Verdict {
    consistent: bool,
    entry: Option<String>,
    clause: Option<&'static str>,
    problem: Option<String>,
    report: Option<AuditReport>,
}

pub(super) fn audit(options: &Options) -> Result<ExitStatus, String> {
    let rules = Rules::hardened();
    let verdict = match &options.store {
        Some(path) if !path.exists() => return Err(format!("{}: no such file", path.display())),
        Some(path) if !is_store(path)? => return Err(format!("{}: no store of bemr run", path.display())),
        Some(path) => RedbStore::open(path).and_then(|store| audit_store(&rules, &store)),
        None => {
            let store = run::sample()?;
            store.read(|store| Ok(audit_store(&rules, store))).map_err(|refusal| refusal.to_string())?
        }
    };
    let verdict = match verdict {
        Ok(Some(verdict)) => verdict,
        Ok(None) => {
            let place = options.store.as_deref().unwrap_or(Path::new("sample"));
            return Err(format!("{}: nothing is stored yet", place.display()));
        }
        Err(StoreError::Damaged { file, entry, refusal }) => {
            let file = file.map(|file| file.display().to_string());
            let entry: Vec<String> = file.into_iter().chain(entry).collect();
            broken(if entry.is_empty() { "the store".to_owned() } else { entry.join(", ") }, &refusal)
        }
        Err(unavailable) => return Err(unavailable.to_string()),
    };
    if options.json {
        print_json(&verdict)?;
    } else {
        print(&describe(&verdict))?;
    }
    Ok(ExitStatus::of(verdict.consistent))
}

/// Whether a file is a store, intact or not: it begins as every store does, or has the keys of one beside it.
fn is_store(path: &Path) -> Result<bool, String> {
    let mut head = [0; 4];
    let opened = files::open(path).and_then(|file| file.take(4).read(&mut head));
    let read = opened.map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(&head[..read] == b"redb" || RedbStore::keys_of(path).exists())
}

fn broken(entry: String, refusal: &Refusal) -> Verdict {
    Verdict {
        consistent: false,
        entry: Some(entry),
        clause: Some(refusal.clause().id()),
        problem: Some(refusal.to_string()),
        report: None,
    }
}

fn describe(verdict: &Verdict) -> String {
    let Some(report) = &verdict.report else {
        let (entry, problem) = (verdict.entry.as_deref(), verdict.problem.as_deref());
        return format!("INCONSISTENT at {}: {}", entry.unwrap_or("the store"), problem.unwrap_or("unknown"));
    };
    let AuditReport { blocks, final_blocks, anchors, decided_true, decided_false, .. } = report;
    let AuditReport { leaves, leaves_anchored, records, erased, .. } = report;
    let AuditReport { entries, entries_anchored, committed, rejected, deferred, aborted, .. } = report;
    let state = if report.closed { "closed" } else { "open" };
    format!(
        "consistent: ledger, cloud log and audit log agree\n\
         blocks   {blocks} ({final_blocks} final), {anchors} checkpoints\n\
         decided  {decided_true} true, {decided_false} false\n\
         cloud    {leaves} leaves, {leaves_anchored} under a checkpoint; {records} records, {erased} erased\n\
         audit    {entries} entries, {entries_anchored} under a checkpoint, {state}; {committed} committed, \
         {rejected} rejected, {deferred} deferred, {aborted} aborted"
    )
}

/// The public data of a store, and the keys that verify it.
struct Public {
    genesis: Genesis,
    validators: ValidatorSet,
    cloud: LogOperator,
    bsd: (Name, VerifyingKey),
    latest: Time,
    blocks: Vec<Block>,
    leaves: Vec<CloudLeaf>,
    cloud_heads: Vec<SignedCloudHead>,
    entries: Vec<AuditEntry>,
    audit_heads: Vec<SignedAuditHead>,
}

/// `None` where the store is intact and holds no network yet.
fn audit_store<S: Store + ?Sized>(rules: &Rules, store: &S) -> Result<Option<Verdict>, StoreError> {
    // A network writes its setup in one commit before anything else, so an empty store holds none.
    if Table::ALL.iter().try_fold(0, |rows, table| Ok::<_, StoreError>(rows + store.len(*table)?))? == 0 {
        return Ok(None);
    }
    let public = read_public(rules, store)?;
    let identity = public.cloud.clone();
    let auditor =
        Auditor::new(rules, public.latest, public.genesis, public.validators, public.cloud, public.bsd);
    let auditor = match auditor {
        Ok(auditor) => auditor,
        Err(refusal) => return Ok(Some(broken("genesis".to_owned(), &refusal))),
    };
    let record = PublicRecord {
        blocks: &public.blocks,
        leaves: &public.leaves,
        cloud_heads: &public.cloud_heads,
        entries: &public.entries,
        audit_heads: &public.audit_heads,
    };
    Ok(Some(match replay(auditor, &record) {
        Ok(report) => {
            recover(rules, store, &identity)?;
            Verdict { consistent: true, entry: None, clause: None, problem: None, report: Some(report) }
        }
        Err(violation) => broken(violation.entry.to_string(), &violation.refusal),
    }))
}

fn read_public<S: Store + ?Sized>(rules: &Rules, store: &S) -> Result<Public, StoreError> {
    let damaged = |table: Table, key: &str, what: String| {
        StoreError::damaged(store.place(), Some((table, key.as_bytes())), what)
    };
    let meta = |name: &'static str| {
        let value = store.meta(name)?.ok_or_else(|| damaged(Table::Meta, name, "is missing".to_owned()))?;
        Ok::<_, StoreError>((value, move |refusal: Refusal| damaged(Table::Meta, name, refusal.to_string())))
    };
    let (bytes, invalid) = meta("genesis")?;
    let genesis: Genesis = decode(rules, &bytes).map_err(invalid)?;
    let (bytes, _) = meta("suite")?;
    let suite = Suite::ALL.iter().copied().find(|suite| suite.number()[..] == bytes[..]);
    let suite = suite.ok_or_else(|| damaged(Table::Meta, "suite", "names no known suite".to_owned()))?;
    let (bytes, invalid) = meta("kdc")?;
    let issuer: Name = decode(rules, &bytes).map_err(invalid)?;
    let (bytes, invalid) = meta("kdc-key")?;
    let key = VerifyingKey::decode(rules, suite, &bytes).map_err(invalid)?;
    let (bytes, invalid) = meta("revocation-list")?;
    let list: RevocationList = decode(rules, &bytes).map_err(invalid)?;
    let mut trust = TrustStore::new(rules, TrustAnchor { issuer, suite, key }, list).map_err(invalid)?;
    let now = genesis.start;
    let mut certificates: Vec<Certificate> = Vec::new();
    for_each_row(store, Table::Certificates, |subject, bytes| {
        let invalid = |refusal: Refusal| {
            StoreError::damaged(store.place(), Some((Table::Certificates, subject)), refusal.to_string())
        };
        let certificate: Certificate = decode(rules, bytes).map_err(invalid)?;
        certificates.push(certificate);
        Ok(())
    })?;
    let directory = CertificateDirectory::verified(rules, &mut trust, now, &certificates)
        .map_err(|refusal| damaged(Table::Certificates, "all", refusal.to_string()))?;
    let at = |place: Party| directory.iter().filter(move |one| one.role().place() == place);
    let members: BTreeMap<Name, VerifyingKey> =
        at(Party::Validator).map(|one| (one.name().clone(), one.signing_key().clone())).collect();
    let validators = ValidatorSet::new(genesis.network.clone(), members);
    let only = |place: Party, what: &str| {
        let found =
            at(place).next().ok_or_else(|| damaged(Table::Certificates, what, "is missing".to_owned()))?;
        Ok::<_, StoreError>((found.name().clone(), found.signing_key().clone()))
    };
    let (cloud, cloud_key) = only(Party::Cloud, "cloud")?;
    let bsd = only(Party::Bsd, "bsd")?;
    // A macro, because the bound on the type of a row would need a dependency on the codec.
    macro_rules! rows {
        ($table:ident) => {{
            let mut rows = Vec::new();
            for_each(store, rules, Table::$table, |row| {
                rows.push(row);
                Ok(())
            })?;
            rows
        }};
    }
    let blocks: Vec<Block> = rows!(Blocks);
    Ok(Public {
        cloud: LogOperator { network: genesis.network.clone(), name: cloud, key: cloud_key },
        genesis,
        validators,
        bsd,
        // The auditor's clock: no recorded time may lie in its future.
        latest: blocks.last().map_or(now, |block| block.header().time),
        blocks,
        leaves: rows!(Leaves),
        cloud_heads: rows!(CloudHeads),
        entries: rows!(AuditEntries),
        audit_heads: rows!(AuditHeads),
    })
}
