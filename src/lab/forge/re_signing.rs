//! Digests and signatures anew, by those who make them, of a message in which a field was changed.
//!
//! Each bit of a way leaves one of them as it was; way 0 makes all anew.

use super::change;
use crate::simulator::ProvisionedKeys;
use bemr::actors::initial_builder::{grants_digest, transaction_id};
use bemr::crypto::{Digest, Domain, Signature, SigningKey};
use bemr::keys::{Credentials, Identity};
use bemr::merkle::root_of;
use bemr::wire::{
    ApprovedChange, Block, BlockHeader, Certificate, Closing, Entry, EraseApproval, Gossip, InitialHeader,
    Message, Name, PolicyApproval, QuorumCertificate, ReadResponse, Signatory, SignedAuditHead,
    SignedCloudHead, TBlock, TInitial, TValid, encode,
};
use bemr_spec::Rules;
use std::collections::BTreeMap;
use tls_codec::TlsVecU32;

const RULES: Rules = Rules::hardened();

/// Whoever has the signing keys of principals.
pub(crate) trait KeyOwners {
    /// The key of one of them.
    fn signing_key(&self, owner: &Name) -> Option<&SigningKey>;
}

impl KeyOwners for ProvisionedKeys {
    fn signing_key(&self, owner: &Name) -> Option<&SigningKey> {
        self.credentials.signing_key(owner)
    }
}

impl KeyOwners for BTreeMap<Name, Credentials> {
    fn signing_key(&self, owner: &Name) -> Option<&SigningKey> {
        self.get(owner).map(|one| one.identity().signing_key())
    }
}

impl KeyOwners for BTreeMap<Name, SigningKey> {
    fn signing_key(&self, owner: &Name) -> Option<&SigningKey> {
        self.get(owner)
    }
}

impl KeyOwners for BTreeMap<Name, Identity> {
    fn signing_key(&self, owner: &Name) -> Option<&SigningKey> {
        self.get(owner).map(Identity::signing_key)
    }
}

/// Signs for the owners of keys; what somebody else signed stays as it was.
pub(crate) struct ReSigner<'a, K> {
    owners: &'a K,
    rules: Rules,
}

/// Whether a way leaves this as it was.
const fn keeps(way: u8, bit: u8) -> bool {
    way >> bit & 1 == 1
}

impl<'a, K: KeyOwners> ReSigner<'a, K> {
    /// For the owners of these keys.
    pub(crate) const fn new(owners: &'a K) -> ReSigner<'a, K> {
        ReSigner { owners, rules: RULES }
    }

    /// By other rules than the protocol's.
    pub(crate) const fn by(rules: Rules, owners: &'a K) -> ReSigner<'a, K> {
        ReSigner { owners, rules }
    }

    fn sign(&self, who: &Name, domain: Domain, message: &[u8], signature: &mut Signature) {
        if let Some(key) = self.owners.signing_key(who) {
            *signature = key.sign(&self.rules, domain, message);
        }
    }

    /// Those who signed sign this.
    pub(crate) fn signatories(&self, signatories: &mut TlsVecU32<Signatory>, domain: Domain, message: &[u8]) {
        change(signatories, |all| {
            for Signatory { validator, signature } in all {
                self.sign(validator, domain, message, signature);
            }
        });
    }

    /// The signatories of a certificate sign its body.
    pub(crate) fn quorum(&self, certificate: &mut QuorumCertificate) {
        self.signatories(&mut certificate.signatories, Domain::VOTE, &encode(&certificate.body));
    }

    /// Those who approve a change of policy sign it.
    pub(crate) fn approvals(&self, approved: &mut ApprovedChange) {
        let changed = encode(&approved.change);
        let mut approvals = approved.approvals.to_vec();
        for PolicyApproval { administrator, signature } in &mut approvals {
            self.sign(administrator, Domain::POLICY_CHANGE, &changed, signature);
        }
        approved.approvals = approvals.into();
    }

    fn entries(&self, header: &mut BlockHeader, entries: &mut [Entry], way: u8) {
        for entry in entries.iter_mut() {
            if let Entry::Decision(certificate) = entry
                && !keeps(way, 2)
            {
                self.quorum(certificate);
            }
        }
        if !keeps(way, 1) {
            let digests: Vec<Digest> = entries.iter().map(Entry::digest).collect();
            header.root = root_of(&digests);
            header.count = u32::try_from(entries.len()).unwrap_or(u32::MAX);
        }
    }

    /// A closed block: entries, root and count, work, signatures.
    pub(crate) fn closed(&self, block: &mut Block, way: u8) {
        change(&mut block.entries, |entries| self.entries(&mut block.closed.header, entries, way));
        if let Closing::Work(_) = block.closed.header.closing
            && !keeps(way, 3)
        {
            mine(&mut block.closed.header);
        }
        if !keeps(way, 0) {
            let digest = block.closed.header.digest();
            self.signatories(&mut block.closed.signatories, Domain::BLOCK_CLOSE, digest.as_bytes());
        }
    }
}

impl ReSigner<'_, ProvisionedKeys> {
    /// How many ways there are.
    pub(crate) const fn ways(message: &Message) -> u8 {
        match message {
            Message::TInitial(_) | Message::TBlock(_) | Message::TValid(_) => 32,
            Message::ReadResponse(_) => 16,
            Message::Grant(_) => 8,
            Message::Erase(_) => 4,
            Message::Vote(_) | Message::Receipt(_) | Message::Revoke(_) => 2,
            Message::Outcome(_) | Message::ReadRequest(_) | Message::Answer(_) => 1,
        }
    }

    /// A message, made to fit in this way; `sender` says it.
    pub(crate) fn message(&self, message: &mut Message, sender: &Name, way: u8) {
        match message {
            Message::TInitial(initial) => self.initial(initial, sender, way),
            Message::TBlock(block) => self.block(block, sender, way),
            Message::TValid(valid) => self.valid(valid, sender, way),
            Message::Vote(vote) if way == 0 => {
                self.sign(sender, Domain::VOTE, &encode(&vote.body), &mut vote.signature);
            }
            Message::Receipt(receipt) if way == 0 => self.cloud_head(&mut receipt.head),
            Message::ReadResponse(response) => self.response(response, way),
            Message::Grant(grant) => {
                if !keeps(way, 1) {
                    let named = self.owners.directory.get(&grant.body.key.reader);
                    if let Some(named) = named.filter(|_| !keeps(way, 2)) {
                        grant.reader = named.certificate().clone();
                    }
                    self.certificate(&mut grant.reader);
                }
                if !keeps(way, 0) {
                    self.sign(sender, Domain::GRANT, &encode(&grant.body), &mut grant.signature);
                }
            }
            Message::Revoke(revoke) if way == 0 => {
                self.sign(sender, Domain::REVOKE, &encode(&revoke.body), &mut revoke.signature);
            }
            Message::Erase(erase) => {
                let body = encode(&erase.body);
                change(&mut erase.approvals, |approvals| {
                    for EraseApproval { authority, signature } in approvals {
                        if !keeps(way, 1) {
                            self.certificate(authority);
                        }
                        if !keeps(way, 0) {
                            self.sign(&authority.body.subject, Domain::ERASE, &body, signature);
                        }
                    }
                });
            }
            _ => {}
        }
    }

    fn certificate(&self, certificate: &mut Certificate) {
        let body = encode(&certificate.body);
        certificate.signature = self.owners.kdc.signing_key().sign(&RULES, Domain::CERTIFICATE, &body);
    }

    fn header(&self, header: &mut InitialHeader, signer: &Name, derive: bool) -> Option<Signature> {
        if derive {
            header.tid = transaction_id(&header.user, &header.nonce, &header.ciphertext);
        }
        self.owners.signing_key(signer).map(|key| key.sign(&RULES, Domain::T_INITIAL, &encode(header)))
    }

    fn initial(&self, initial: &mut TInitial, sender: &Name, way: u8) {
        if !keeps(way, 3) {
            initial.header.grants = grants_digest(&initial.grants);
        }
        if !keeps(way, 2) {
            initial.header.ciphertext = Digest::of(Domain::CIPHERTEXT, initial.ciphertext.as_slice());
        }
        let signature = self.header(&mut initial.header, sender, !keeps(way, 1));
        if let Some(signature) = signature.filter(|_| !keeps(way, 0)) {
            initial.signature = signature;
        }
    }

    fn block(&self, block: &mut TBlock, sender: &Name, way: u8) {
        let user = block.user.body.subject.clone();
        let signature = self.header(&mut block.initial, &user, !keeps(way, 2));
        if !keeps(way, 1) {
            block.body.initial = Digest::of(Domain::T_INITIAL, &encode(&block.initial));
            block.user_signature = signature.unwrap_or_else(|| block.user_signature.clone());
        }
        if !keeps(way, 4) {
            block.body.tid = block.initial.tid;
        }
        if !keeps(way, 3) {
            self.certificate(&mut block.user);
        }
        if !keeps(way, 0) {
            self.sign(sender, Domain::T_BLOCK, &encode(&block.body), &mut block.signature);
        }
    }

    fn valid(&self, valid: &mut TValid, sender: &Name, way: u8) {
        let user = valid.user.body.subject.clone();
        let signature = self.header(&mut valid.initial, &user, !keeps(way, 2));
        if !keeps(way, 1) {
            valid.user_signature = signature.unwrap_or_else(|| valid.user_signature.clone());
            valid.block.initial = Digest::of(Domain::T_INITIAL, &encode(&valid.initial));
            (valid.block.tid, valid.body.tid) = (valid.initial.tid, valid.initial.tid);
            valid.body.block = Digest::of(Domain::T_BLOCK, &encode(&valid.block));
            let body = &mut valid.acknowledgement.body;
            (body.tid, body.block) = (valid.initial.tid, valid.body.block);
        }
        if !keeps(way, 4) {
            self.quorum(&mut valid.acknowledgement);
        }
        if !keeps(way, 4) || keeps(way, 3) {
            valid.body.acknowledgement = valid.acknowledgement.digest();
        }
        if !keeps(way, 3) {
            self.certificate(&mut valid.user);
        }
        if !keeps(way, 0) {
            self.sign(sender, Domain::T_VALID, &encode(&valid.body), &mut valid.signature);
        }
    }

    fn response(&self, response: &mut ReadResponse, way: u8) {
        if !keeps(way, 3) {
            self.certificate(&mut response.record.user);
        }
        if !keeps(way, 1) {
            let (header, signature) = (encode(&response.record.initial), &mut response.record.user_signature);
            self.sign(&response.record.user.body.subject, Domain::T_INITIAL, &header, signature);
        }
        let proof = &mut response.proof;
        if !keeps(way, 2) {
            // The log has one leaf, which is this one.
            proof.leaf.content = response.record.digest();
            proof.head.head.root = root_of(&[proof.leaf.digest()]);
        }
        if !keeps(way, 0) {
            self.cloud_head(&mut proof.head);
        }
    }

    pub(crate) fn cloud_head(&self, head: &mut SignedCloudHead) {
        self.sign(&self.owners.roster.cloud, Domain::CLOUD_HEAD, &encode(&head.head), &mut head.signature);
    }

    pub(crate) fn audit_head(&self, head: &mut SignedAuditHead) {
        self.sign(&self.owners.roster.bsd, Domain::AUDIT_HEAD, &encode(&head.head), &mut head.signature);
    }

    fn commit_vote(&self, Signatory { validator, signature }: &mut Signatory, header: &Digest) {
        self.sign(validator, Domain::BLOCK_CLOSE, header.as_bytes(), signature);
    }

    /// What is public, made to fit in this way.
    pub(crate) fn gossip(&self, gossip: &mut Gossip, way: u8) {
        match gossip {
            Gossip::Decision(certificate) if way == 0 => self.quorum(certificate),
            Gossip::CloudHead(head) if way == 0 => self.cloud_head(head),
            Gossip::AuditHead(head) if way == 0 => self.audit_head(head),
            Gossip::Proposal(proposal) => {
                change(&mut proposal.entries, |entries| self.entries(&mut proposal.header, entries, way));
                if !keeps(way, 0) {
                    self.commit_vote(&mut proposal.signatory, &proposal.header.digest());
                }
            }
            Gossip::Closing(closing) if way == 0 => self.commit_vote(&mut closing.signatory, &closing.header),
            Gossip::Block(block) => self.closed(block, way),
            Gossip::PolicyChange(approved) if way == 0 => self.approvals(approved),
            Gossip::RevocationList(list) if way == 0 => {
                let body = encode(&list.body);
                list.signature = self.owners.kdc.signing_key().sign(&RULES, Domain::REVOCATION_LIST, &body);
            }
            _ => {}
        }
    }

    /// How many ways there are.
    pub(crate) const fn gossip_ways(gossip: &Gossip) -> u8 {
        match gossip {
            Gossip::Proposal(_) | Gossip::Block(_) => 16,
            Gossip::BlocksFrom(_) => 1,
            _ => 2,
        }
    }
}

/// The first nonce, from the header's own on, that meets its target; no target of a neighbour is so hard that it takes more.
fn mine(header: &mut BlockHeader) {
    for _ in 0..1 << 16 {
        let digest = header.digest();
        let Closing::Work(work) = &mut header.closing else { return };
        if work.target.is_met_by(&digest) {
            return;
        }
        work.nonce = work.nonce.wrapping_add(1);
    }
}
