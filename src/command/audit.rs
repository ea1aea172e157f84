//! `bemr audit`: an auditor who needs no secret.

use crate::actors::{Archive, Directory, User};
use crate::audit::{AuditReport, Auditor, PublicRecord, audit as replay};
use crate::command::{Found, print, print_json};
use crate::crypto::{Suite, VerifyingKey};
use crate::keys::{Place, TrustAnchor, TrustStore};
use crate::log::CloudIdentity;
use crate::network::{START, Scenario, Town};
use crate::records::{Record, SAMPLES};
use crate::store::{RedbStore, Store, StoreError, Table, for_each, for_each_row};
use crate::votes::ValidatorSet;
use crate::wire::{
    AuditEntry, Block, Certificate, CloudLeaf, Genesis, Name, RevocationList, SignedAuditHead, SignedCloudHead, Time,
    decode,
};
use bemr_spec::Rules;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Options of `bemr audit`.
#[derive(clap::Args)]
pub(super) struct Options {
    /// The database that `bemr run --store` wrote. Without it, the shipped sample is run in memory and audited.
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

pub(super) fn audit(options: &Options) -> Result<Found, String> {
    let rules = Rules::hardened();
    let verdict = match &options.store {
        Some(path) => {
            if !path.is_file() {
                return Err(format!("{}: no such file", path.display()));
            }
            match RedbStore::open(path) {
                Ok(store) => audit_store(&rules, &store),
                Err(error) => Err(error),
            }
        }
        None => {
            let archive = sample(&rules)?;
            archive.read(|store| Ok(audit_store(&rules, store))).map_err(|refusal| refusal.to_string())?
        }
    };
    let verdict = match verdict {
        Ok(verdict) => verdict,
        Err(error) => Verdict {
            consistent: false,
            entry: None,
            clause: error.clause().map(|clause| clause.id()),
            problem: Some(error.to_string()),
            report: None,
        },
    };
    if options.json {
        print_json(&verdict)?;
    } else {
        describe(&verdict);
    }
    Ok(if verdict.consistent { Found::Nothing } else { Found::Something })
}

fn describe(verdict: &Verdict) {
    if let Some(report) = &verdict.report {
        print("consistent: ledger, cloud log and audit log agree");
        print(&format!("blocks   {} ({} final), {} anchors", report.blocks, report.final_blocks, report.anchors));
        print(&format!("decided  {} true, {} false", report.decided_true, report.decided_false));
        print(&format!("cloud    {} leaves, {} anchored; {} records, {} erased", report.leaves, report.leaves_anchored, report.records, report.erased));
        print(&format!(
            "audit    {} entries, {} anchored, {}; {} committed, {} rejected, {} deferred, {} aborted",
            report.entries,
            report.entries_anchored,
            if report.closed { "closed" } else { "open" },
            report.committed,
            report.rejected,
            report.deferred,
            report.aborted
        ));
    } else {
        let entry = verdict.entry.as_deref().unwrap_or("the store");
        print(&format!("INCONSISTENT at {entry}: {}", verdict.problem.as_deref().unwrap_or("unknown")));
    }
}

/// Runs the shipped sample in memory.
fn sample(rules: &Rules) -> Result<Archive, String> {
    let scenario = Scenario::new(Suite::Ristretto255, 4);
    let archive = scenario.archive.clone();
    let mut town = scenario.build().map_err(|refusal| refusal.to_string())?;
    let doctor = town.cast.doctor.clone();
    let mut open = Vec::new();
    for (name, bytes) in SAMPLES {
        let record = Record::read(rules, bytes).map_err(|refusal| format!("sample/{name}: {refusal}"))?;
        open.extend(town.by(&doctor, |user: &mut User, now| user.submit(now, &record, &[])).ok());
    }
    let ended = |town: &mut Town| {
        town.user(&doctor).is_none_or(|user| open.iter().all(|tid| !user.awaits(tid)))
    };
    town.run_until(3_600_000, |_| (), ended);
    town.run_until(60_000, |_| (), |_| false);
    Ok(archive)
}

/// What a store says in public, and the keys to check it with.
struct Public {
    genesis: Genesis,
    validators: ValidatorSet,
    cloud: CloudIdentity,
    bsd: (Name, VerifyingKey),
    latest: Time,
    blocks: Vec<Block>,
    leaves: Vec<CloudLeaf>,
    cloud_heads: Vec<SignedCloudHead>,
    entries: Vec<AuditEntry>,
    audit_heads: Vec<SignedAuditHead>,
}

fn audit_store<S: Store + ?Sized>(rules: &Rules, store: &S) -> Result<Verdict, StoreError> {
    let public = read_public(rules, store)?;
    let recovered = crate::store::recover(rules, store, &public.cloud);
    let broken = |entry: Option<String>, clause, problem: String| Verdict {
        consistent: false,
        entry,
        clause: Some(clause),
        problem: Some(problem),
        report: None,
    };
    let auditor =
        Auditor::new(rules, public.latest, public.genesis, public.validators, public.cloud, public.bsd);
    let auditor = match auditor {
        Ok(auditor) => auditor,
        Err(refusal) => {
            return Ok(broken(Some("genesis".to_owned()), refusal.clause().id(), refusal.to_string()));
        }
    };
    let record = PublicRecord {
        blocks: &public.blocks,
        leaves: &public.leaves,
        cloud_heads: &public.cloud_heads,
        entries: &public.entries,
        audit_heads: &public.audit_heads,
    };
    Ok(match replay(auditor, &record) {
        Ok(report) => {
            recovered?;
            Verdict { consistent: true, entry: None, clause: None, problem: None, report: Some(report) }
        }
        Err(found) => broken(Some(found.entry.to_string()), found.refusal.clause().id(), found.refusal.to_string()),
    })
}

fn read_public<S: Store + ?Sized>(rules: &Rules, store: &S) -> Result<Public, StoreError> {
    let damaged = |what: &str| StoreError::damaged(store.place(), None, what.to_owned());
    let meta = |name: &str| store.meta(name)?.ok_or_else(|| damaged(&format!("meta `{name}` is missing")));
    let genesis: Genesis = decode(rules, &meta("genesis")?).map_err(|error| damaged(&format!("genesis: {error}")))?;
    let number = meta("suite")?;
    let suite = Suite::ALL.iter().copied().find(|suite| suite.number()[..] == number[..]);
    let suite = suite.ok_or_else(|| damaged("an unknown suite"))?;
    let refused = |what: &'static str| move |error: bemr_spec::Refusal| format!("{what}: {error}");
    let issuer: Name = decode(rules, &meta("kdc")?).map_err(refused("kdc")).map_err(|text| damaged(&text))?;
    let key = VerifyingKey::decode(rules, suite, &meta("kdc-key")?).map_err(|error| damaged(&error.to_string()))?;
    let list: RevocationList =
        decode(rules, &meta("revocation-list")?).map_err(|error| damaged(&error.to_string()))?;
    let now = genesis.start.max(START.min(genesis.start));
    let mut trust = TrustStore::new(rules, TrustAnchor { issuer, suite, key }, list)
        .map_err(|error| damaged(&format!("revocation list: {error}")))?;
    let mut certificates: Vec<Certificate> = Vec::new();
    for_each_row(store, Table::Certificates, |_, bytes| {
        let certificate = decode(rules, bytes).map_err(|error| damaged(&format!("certificate: {error}")))?;
        certificates.push(certificate);
        Ok(())
    })?;
    let directory = Directory::verified(rules, &mut trust, now, &certificates)
        .map_err(|error| damaged(&format!("certificate: {error}")))?;
    let at = |place: Place| directory.iter().filter(move |one| one.role().place() == place);
    let members: BTreeMap<Name, VerifyingKey> =
        at(Place::Validator).map(|one| (one.name().clone(), one.signing_key().clone())).collect();
    let validators = ValidatorSet::new(genesis.network.clone(), members);
    let only = |place: Place, what: &str| {
        let found = at(place).next().ok_or_else(|| damaged(&format!("no certificate of a {what}")))?;
        Ok::<_, StoreError>((found.name().clone(), found.signing_key().clone()))
    };
    let (cloud, cloud_key) = only(Place::Cloud, "cloud")?;
    let bsd = only(Place::Bsd, "BSD")?;
    let mut public = Public {
        cloud: CloudIdentity { network: genesis.network.clone(), cloud, key: cloud_key },
        genesis,
        validators,
        bsd,
        latest: now,
        blocks: Vec::new(),
        leaves: Vec::new(),
        cloud_heads: Vec::new(),
        entries: Vec::new(),
        audit_heads: Vec::new(),
    };
    for_each(store, rules, Table::Blocks, |block| {
        public.blocks.push(block);
        Ok(())
    })?;
    for_each(store, rules, Table::Leaves, |leaf| {
        public.leaves.push(leaf);
        Ok(())
    })?;
    for_each(store, rules, Table::CloudHeads, |head| {
        public.cloud_heads.push(head);
        Ok(())
    })?;
    for_each(store, rules, Table::AuditEntries, |entry| {
        public.entries.push(entry);
        Ok(())
    })?;
    for_each(store, rules, Table::AuditHeads, |head| {
        public.audit_heads.push(head);
        Ok(())
    })?;
    // The auditor's clock: nothing that was recorded lies in its future.
    public.latest = public.blocks.last().map_or(now, |block| block.header().time);
    Ok(public)
}
