//! The writing end of the log.

use crate::crypto::{Digest, Domain, SigningKey, Suite};
use crate::merkle::{Frontier, Node};
use crate::wire::{CloudHead, CloudLeaf, LeafKind, Name, PROTOCOL_VERSION, SignedCloudHead, Time, encode};
use bemr_spec::Rules;

/// A cloud's log: its right edge. Leaves and nodes are the store's. Cheap to clone, so that a step which is not
/// committed is forgotten by dropping the clone.
#[derive(Clone, Debug)]
pub struct CloudLog {
    suite: Suite,
    network: Name,
    cloud: Name,
    frontier: Frontier,
}

/// A leaf and the complete subtrees that it finishes.
#[derive(Clone, Debug)]
pub struct Appended {
    /// The leaf.
    pub leaf: CloudLeaf,
    /// The subtrees, its own leaf first.
    pub nodes: Vec<Node>,
}

impl CloudLog {
    /// A log with this right edge; [`Frontier::default`] for an empty one.
    pub fn new(suite: Suite, network: Name, cloud: Name, frontier: Frontier) -> CloudLog {
        CloudLog { suite, network, cloud, frontier }
    }

    /// How many leaves it has.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The root of its tree.
    pub fn root(&self) -> Digest {
        self.frontier.root()
    }

    /// Appends a leaf for `content`, the digest of the signed message that was carried out for `tid`.
    pub fn append(&mut self, kind: LeafKind, tid: Digest, content: Digest, time: Time) -> Appended {
        let leaf = CloudLeaf { sequence: self.frontier.size(), kind, tid, content, time };
        let nodes = self.frontier.append(&leaf.digest());
        Appended { leaf, nodes }
    }

    /// Signs the log as it stands.
    pub fn sign(&self, rules: &Rules, key: &SigningKey, time: Time) -> SignedCloudHead {
        let head = CloudHead {
            version: PROTOCOL_VERSION,
            suite: self.suite,
            network: self.network.clone(),
            cloud: self.cloud.clone(),
            size: self.size(),
            root: self.root(),
            time,
        };
        let signature = key.sign(rules, Domain::CLOUD_HEAD, &encode(&head));
        SignedCloudHead { head, signature }
    }
}
