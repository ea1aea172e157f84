//! Domain tags: what a hash, a signature or a derived key is for.

/// A domain tag: no two kinds of content share one. A signature over a message and that message's digest may, since
/// a signature hashes its message under a tag of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(&'static str);

macro_rules! tags {
    ($($(#[$doc:meta])* $name:ident = $label:literal;)*) => {
        impl Domain {
            $($(#[$doc])* pub const $name: Domain = Domain(concat!("bemr/1 ", $label));)*

            /// Every tag, in the order of the chapter on types.
            pub const ALL: &'static [Domain] = &[$(Domain::$name),*];
        }
    };
}

tags! {
    /// Nonce of a Schnorr signature.
    SIGNATURE_NONCE = "signature nonce";
    /// Challenge of a Schnorr signature.
    SIGNATURE_CHALLENGE = "signature challenge";
    /// Coefficients of a batch verification.
    SIGNATURE_BATCH = "signature batch";
    /// Key derived from an encapsulation.
    ENCAPSULATION = "encapsulation";
    /// Proof of possession of a signing key.
    POSSESSION_SIGNING = "possession of signing key";
    /// Proof of possession of an agreement key.
    POSSESSION_AGREEMENT = "possession of agreement key";
    /// Certificate, signed by the KDC.
    CERTIFICATE = "certificate";
    /// Revocation list, signed by the KDC.
    REVOCATION_LIST = "revocation list";
    /// Handshake transcript hash.
    TRANSCRIPT = "handshake transcript";
    /// Responder's signature over the transcript.
    RESPONDER_SIGNATURE = "handshake responder signature";
    /// Initiator's signature over the transcript.
    INITIATOR_SIGNATURE = "handshake initiator signature";
    /// Responder's key confirmation.
    RESPONDER_CONFIRMATION = "handshake responder confirmation";
    /// Initiator's key confirmation.
    INITIATOR_CONFIRMATION = "handshake initiator confirmation";
    /// Key of the responder's proof of identity.
    RESPONDER_PROOF_KEY = "handshake responder proof key";
    /// Key of the initiator's proof of identity.
    INITIATOR_PROOF_KEY = "handshake initiator proof key";
    /// Public name of a session.
    SESSION_ID = "session id";
    /// Chain key from initiator to responder.
    CHAIN_INITIATOR = "chain initiator to responder";
    /// Chain key from responder to initiator.
    CHAIN_RESPONDER = "chain responder to initiator";
    /// Next chain key.
    CHAIN_NEXT = "chain next";
    /// Key of one record.
    RECORD_KEY = "record key";
    /// First key of a seal chain.
    SEAL_CHAIN = "seal chain";
    /// Next key of a seal chain.
    SEAL_NEXT = "seal next";
    /// Key of one seal.
    SEAL_KEY = "seal key";
    /// Digest of a seal.
    SEAL = "seal";
    /// Template.
    TEMPLATE = "template";
    /// Contract.
    CONTRACT = "contract";
    /// Approval of a change of policy, signed by an administrator.
    POLICY_CHANGE = "policy change";
    /// Set of contract versions applied to a record.
    POLICY_SET = "policy set";
    /// Name of what a record refers to when it has no short name of its own.
    REFERENT = "referent";
    /// Opening of an attribute's commitment.
    OPENING = "attribute opening";
    /// Commitment to an attribute.
    COMMITMENT = "attribute commitment";
    /// Transaction id.
    TRANSACTION_ID = "transaction id";
    /// Record body, keyed by the server, to notice a record that is used again.
    RECORD_REUSE = "record reuse";
    /// Digest of a record's ciphertext.
    CIPHERTEXT = "record ciphertext";
    /// Record key wrapped for a reader.
    RECORD_GRANT = "record grant";
    /// T_initial, signed by the user.
    T_INITIAL = "t-initial";
    /// T_block, signed by the BSD.
    T_BLOCK = "t-block";
    /// T_valid, signed by the BSD.
    T_VALID = "t-valid";
    /// Vote of a validator.
    VOTE = "vote";
    /// Quorum certificate.
    QUORUM = "quorum certificate";
    /// Validator set.
    VALIDATOR_SET = "validator set";
    /// Leaf of a Merkle tree.
    MERKLE_LEAF = "merkle leaf";
    /// Inner node of a Merkle tree.
    MERKLE_NODE = "merkle node";
    /// Root of an empty Merkle tree.
    MERKLE_EMPTY = "merkle empty";
    /// Commitment in a ledger entry.
    LEDGER_ENTRY = "ledger entry";
    /// What the members of a network agree on before the first block.
    GENESIS = "ledger genesis";
    /// Block header.
    BLOCK_HEADER = "block header";
    /// Validator's signature that closes a block.
    BLOCK_CLOSE = "block close";
    /// Leaf of the cloud's log.
    CLOUD_LEAF = "cloud leaf";
    /// Cloud log head, signed by the cloud.
    CLOUD_HEAD = "cloud head";
    /// What the cloud keeps of a record.
    STORED_RECORD = "stored record";
    /// Grant of a record's key, signed by its owner.
    GRANT = "grant";
    /// Revocation of a grant, signed by the owner of the record.
    REVOKE = "revoke";
    /// Erasure of a record, signed by its authority.
    ERASE = "erase";
    /// Start of an audit log.
    AUDIT_START = "audit start";
    /// Public state of an actor, in traces.
    PUBLIC_STATE = "public state";
    /// Audit log entry.
    AUDIT_ENTRY = "audit entry";
    /// Audit log head, signed by the BSD.
    AUDIT_HEAD = "audit head";
    /// Check value of a row of the store.
    STORE_ROW = "store row";
}

impl Domain {
    /// The label that is hashed: ASCII, at most 255 bytes.
    pub const fn label(self) -> &'static str {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_tags_share_a_label() {
        let labels: std::collections::BTreeSet<_> = Domain::ALL.iter().map(|domain| domain.label()).collect();
        assert_eq!(labels.len(), Domain::ALL.len());
        assert!(labels.iter().all(|label| label.is_ascii() && label.len() <= 255));
    }

    #[test]
    fn the_chapter_lists_these_tags_and_no_others() {
        let chapter = concat!(env!("CARGO_MANIFEST_DIR"), "/spec/chapters/03-types-constants-suites.md");
        let text = std::fs::read_to_string(chapter).unwrap();
        let rows = text.lines().filter_map(|line| line.strip_prefix("| `bemr/")?.split_once("` |"));
        let listed: Vec<_> = rows.map(|(label, _)| format!("bemr/{label}")).collect();
        let labels: Vec<_> = Domain::ALL.iter().map(|domain| domain.label()).collect();
        assert_eq!(listed, labels);
    }
}
