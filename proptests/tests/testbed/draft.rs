//! A T_initial that a test changes and signs again.

use super::{RULES, Testbed};
use bemr::actors::initial_builder::{ONE_NONCE, grants_digest, record_context, transaction_id, wrap};
use bemr::crypto::{AeadKey, Digest, Domain};
use bemr::keys::Credentials;
use bemr::records::Record;
use bemr::wire::{Message, Name, TInitial, WrappedKey, encode};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

/// A T_initial that can be changed and signed again.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) initial: TInitial,
    pub(crate) own: Credentials,
    pub(crate) bytes: Vec<u8>,
}

impl Testbed {
    /// A T_initial of `who`, as an honest app builds it.
    pub(crate) fn draft(&mut self, who: &Name, record: &Record, readers: &[Name]) -> Draft {
        let own = self.network.keys.credentials[who].clone();
        Draft { initial: self.initial_of(who, record, readers), own, bytes: record.bytes().to_vec() }
    }
}

impl Draft {
    /// Signs the header as it is.
    pub(crate) fn sign(&mut self) {
        let key = self.own.identity().signing_key();
        self.initial.signature = key.sign(&RULES, Domain::T_INITIAL, &encode(&self.initial.header));
    }

    /// Puts digest and tid of the ciphertext as it is into the header, and signs.
    pub(crate) fn bind(&mut self) {
        let header = &mut self.initial.header;
        header.ciphertext = Digest::of(Domain::CIPHERTEXT, self.initial.ciphertext.as_slice());
        header.tid = transaction_id(&header.user, &header.nonce, &header.ciphertext);
        self.sign();
    }

    /// Encrypts other bytes under the same key.
    pub(crate) fn encrypt(&mut self, bytes: &[u8]) {
        let header = &self.initial.header;
        let context = record_context(&header.user, &header.nonce);
        let key = AeadKey::from_bytes(self.initial.record_key);
        self.initial.ciphertext = key.seal(&ONE_NONCE, &context, bytes).into();
    }

    /// Grants to these first readers, in this order, and signs.
    pub(crate) fn readers(&mut self, bed: &Testbed, readers: &[&Name]) {
        let mut rng = ChaCha20Rng::seed_from_u64(77);
        let tid = self.initial.header.tid;
        let wrapped = |name: &&Name| {
            let reader = bed.network.keys.directory.get(name).unwrap();
            wrap(&RULES, &mut rng, &tid, reader, &self.initial.record_key)
        };
        let grants: Vec<WrappedKey> = readers.iter().map(wrapped).collect();
        self.initial.grants = grants.into();
        self.initial.header.grants = grants_digest(&self.initial.grants);
        self.sign();
    }

    pub(crate) fn message(&self) -> Message {
        Message::TInitial(Box::new(self.initial.clone()))
    }

    pub(crate) fn tid(&self) -> Digest {
        self.initial.header.tid
    }
}
