//! What every actor has: a name and keys, the KDC's list, its sessions and a source of randomness.

use crate::actors::{
    CertificateDirectory, LedgerView, Output, Randomness, Received, SessionManager, StoreHandle,
};
use crate::keys::{Credentials, TrustStore};
use crate::session::UsedKey;
use crate::wire::{Message, Name, Time, WrappedKey};
use bemr_spec::{Clause, Event, Refusal, Rules};
use tls_codec::TlsVecU32;

/// The common part of every actor.
pub struct NodeContext {
    /// The rules in force.
    pub rules: Rules,
    /// Its keys and certificate.
    pub own: Credentials,
    /// What it trusts.
    pub trust: TrustStore,
    /// The published certificates.
    pub directory: CertificateDirectory,
    /// Its sessions.
    pub sessions: SessionManager,
    /// Its copy of what is public.
    pub ledger_view: LedgerView,
    /// Its randomness.
    pub rng: Randomness,
    /// Where it keeps what the KDC and the administrators publish, and how many changes of policy it keeps there.
    pub(super) kept: Option<(StoreHandle, usize)>,
}

impl NodeContext {
    /// A context without sessions, which persists nothing.
    pub fn new(
        rules: Rules,
        own: Credentials,
        trust: TrustStore,
        directory: CertificateDirectory,
        ledger_view: LedgerView,
        rng: Randomness,
    ) -> NodeContext {
        let sessions = SessionManager::new(&own);
        NodeContext { rules, own, trust, directory, sessions, ledger_view, rng, kept: None }
    }

    /// Its name.
    pub fn name(&self) -> &Name {
        self.own.name()
    }

    /// Sends `message` to `peer`.
    ///
    /// # Errors
    /// Those of [`SessionManager::send`].
    pub fn send(
        &mut self,
        now: Time,
        peer: &Name,
        message: Message,
    ) -> Result<(Vec<Output>, Option<UsedKey>), Refusal> {
        self.sessions.send(&self.rules, &mut self.rng, now, peer, message)
    }

    /// Retransmits to `peer` what got no answer before.
    ///
    /// # Errors
    /// Those of [`SessionManager::retransmit`].
    pub fn retransmit(
        &mut self,
        now: Time,
        peer: &Name,
        message: Message,
    ) -> Result<(Vec<Output>, Option<UsedKey>), Refusal> {
        self.sessions.retransmit(&self.rules, &mut self.rng, now, peer, message)
    }

    /// Sends `message` to each of `peers`.
    pub fn send_to_all(
        &mut self,
        now: Time,
        peers: &[Name],
        message: &Message,
    ) -> (Vec<Output>, Vec<UsedKey>) {
        self.sessions.send_to_all(&self.rules, &mut self.rng, now, peers, message)
    }

    /// Takes a packet.
    pub fn receive(&mut self, now: Time, from: &Name, packet: &[u8]) -> (Event, Result<Received, Refusal>) {
        self.sessions.receive(&self.rules, &mut self.rng, &mut self.trust, now, from, packet)
    }

    /// Checks that the certificates of a record's first readers are in force: valid when the header was issued, and not
    /// revoked now.
    ///
    /// # Errors
    /// INI-11.
    pub fn check_readers_certified(
        &self,
        now: Time,
        issued: Time,
        grants: &TlsVecU32<WrappedKey>,
    ) -> Result<(), Refusal> {
        let rules = &self.rules;
        grants.iter().try_for_each(|grant| {
            let certified = self.directory.get(&grant.reader);
            rules
                .check(Clause::GrantsNameAuthorisedReaders, || {
                    certified.is_some_and(|one| self.trust.recheck_as_of(rules, now, issued, one).is_ok())
                })
                .map_err(|refusal| refusal.at(grant.reader.as_str()))
        })
    }

    /// Begins anew the handshakes that got no response.
    pub fn retry(&mut self, now: Time) -> Vec<Output> {
        self.sessions.retry(&self.rules, &mut self.rng, now)
    }
}
