//! The messages of an honest run, made and signed with the principals' keys, for tests to change.

use super::{RULES, Reply, Testbed};
use bemr::actors::bsd::{Addressee, SubmissionCheck};
use bemr::actors::initial_builder::{Destination, build_initial};
use bemr::crypto::{Digest, Domain, Signature};
use bemr::keys::Credentials;
use bemr::records::{Record, SAMPLES};
use bemr::wire::{
    ApprovedChange, Ballot, Block, BlockBody, Entry, Gossip, InclusionProof, InitialHeader, Message, Name,
    PROTOCOL_VERSION, PolicyApproval, PolicyChange, QuorumCertificate, Signatory, TBlock, TInitial, TValid,
    ValidBody, Vote, VoteBody, encode,
};
use bemr_spec::Clause;

/// The bytes of a sample record, by the beginning of its file name.
pub(crate) fn sample(name: &str) -> &'static [u8] {
    SAMPLES.iter().find(|(file, _)| file.starts_with(name)).expect("a file of the sample").1
}

/// A sample record, by the beginning of its file name.
pub(crate) fn record(name: &str) -> Record {
    Record::read(&RULES, sample(name)).unwrap()
}

/// A record that no contract rejects.
pub(crate) fn sound() -> Record {
    record("Condition-f201")
}

/// A record that a contract rejects.
pub(crate) fn broken() -> Record {
    record("broken-impossible-heart-rate")
}

/// The reason of an honest vote against [`broken`].
pub(crate) fn reason() -> u16 {
    Clause::RangeRule.code()
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

/// A digest that nothing else has.
pub(crate) fn stray_digest() -> Digest {
    Digest::of(Domain::SEAL, b"stray")
}

/// What a vote on `block` signs.
pub(crate) fn ballot_on(block: &TBlock, ballot: Ballot, reason: u16) -> VoteBody {
    let body = &block.body;
    VoteBody {
        version: body.version,
        suite: body.suite,
        network: body.network.clone(),
        validators: body.validators,
        tid: body.tid,
        block: Digest::of(Domain::T_BLOCK, &encode(body)),
        policy: body.policy,
        height: body.height,
        ballot,
        reason,
    }
}

/// The vote of `own` on `block`.
pub(crate) fn vote(own: &Credentials, block: &TBlock, ballot: Ballot, reason: u16) -> Vote {
    sign_vote(own, ballot_on(block, ballot, reason))
}

pub(crate) fn sign_vote(own: &Credentials, body: VoteBody) -> Vote {
    let signature = own.identity().signing_key().sign(&RULES, Domain::VOTE, &encode(&body));
    Vote { validator: own.name().clone(), body, signature }
}

/// A certificate of the votes of these validators.
pub(crate) fn certify(bed: &Testbed, validators: &[Name], body: &VoteBody) -> QuorumCertificate {
    let signed = |name: &Name| {
        let vote = sign_vote(&bed.network.keys.credentials[name], body.clone());
        Signatory { validator: vote.validator, signature: vote.signature }
    };
    let signatories: Vec<Signatory> = validators.iter().map(signed).collect();
    QuorumCertificate { body: body.clone(), signatories: signatories.into() }
}

impl Testbed {
    /// T_initial of a record, by `who`.
    pub(crate) fn initial(&mut self, who: &Name, record: &[u8], readers: &[Name]) -> TInitial {
        self.initial_of(who, &Record::read(&RULES, record).expect("a record"), readers)
    }

    /// T_initial of a record, by `who`, for the BSD's next height.
    pub(super) fn initial_of(&mut self, who: &Name, record: &Record, readers: &[Name]) -> TInitial {
        let now = self.now();
        let view = self.bsd().ledger_view();
        let (height, policy) = (view.next_height(), view.policy.clone());
        let Testbed { network, rng, .. } = self;
        let keys = &network.keys;
        let (bsd, network) = (keys.roster.bsd.clone(), keys.genesis.network.clone());
        let (to, own) = (Destination { bsd, network, height }, &keys.credentials[who]);
        build_initial(&RULES, rng, now, own, &keys.directory, &policy, &to, record, readers)
            .expect("a record that maps")
    }

    /// T_block of a T_initial: `header` and `body` change what user and BSD sign.
    pub(crate) fn block_with(
        &mut self,
        initial: &TInitial,
        header: impl FnOnce(&mut InitialHeader),
        body: impl FnOnce(&mut BlockBody),
    ) -> TBlock {
        let roster = self.network.keys.roster.clone();
        let height = self.replica.next_height();
        let user = self.network.keys.credentials[&initial.header.user].certified().clone();
        let addressee =
            Addressee { bsd: roster.bsd.clone(), network: self.network.keys.genesis.network.clone() };
        let check = SubmissionCheck {
            rules: &RULES,
            addressee: &addressee,
            directory: &self.network.keys.directory,
            policy: &self.replica.policy,
            height,
            now: self.now(),
        };
        let checked = check.check_record(initial, &user).expect("a sound submission");
        let mut signed = initial.header.clone();
        header(&mut signed);
        let message = encode(&signed);
        let mut signed_body = BlockBody {
            version: PROTOCOL_VERSION,
            suite: signed.suite,
            tid: signed.tid,
            bsd: roster.bsd.clone(),
            network: self.network.keys.genesis.network.clone(),
            validators: self.network.keys.validators.digest(),
            height,
            initial: Digest::of(Domain::T_INITIAL, &message),
            policy: checked.policy,
            seal: stray_digest(),
            issued: self.now(),
        };
        body(&mut signed_body);
        TBlock {
            signature: self.sign(&roster.bsd, Domain::T_BLOCK, &encode(&signed_body)),
            body: signed_body,
            initial: signed,
            user: user.certificate().clone(),
            user_signature: self.sign(&initial.header.user, Domain::T_INITIAL, &message),
            openings: checked.openings.into(),
        }
    }

    pub(crate) fn block(&mut self, initial: &TInitial) -> TBlock {
        self.block_with(initial, |_| (), |_| ())
    }

    /// Signs a T_block again, as user and BSD would, after a change of its parts.
    pub(crate) fn sign_block(&self, block: &mut TBlock) {
        block.signature = self.sign(&self.network.keys.roster.bsd, Domain::T_BLOCK, &encode(&block.body));
    }

    /// The certificate of all validators' votes on a T_block.
    pub(crate) fn certificate(&self, block: &TBlock, ballot: Ballot, reason: u16) -> QuorumCertificate {
        certify(self, &self.network.keys.roster.validators, &ballot_on(block, ballot, reason))
    }

    /// Commits a block of these entries, which every actor receives.
    pub(crate) fn close(&mut self, entries: Vec<Entry>) -> Block {
        let validators = self.network.keys.roster.validators.clone();
        let mut proposal = self.replica.ledger.propose(entries, self.now(), validators[0].clone());
        let by_work = proposal.mine(1 << 20);
        let sign = |validator: &Name| proposal.sign(&RULES, validator, &self.key(validator));
        let signatories = if by_work { Vec::new() } else { validators.iter().map(sign).collect() };
        let block = proposal.close(signatories);
        let now = self.now();
        // A view refuses a block that breaks a clause which its actor enforces.
        let _ = self.replica.on_block(&self.network.keys.rules, now, block.clone());
        self.publish(&Gossip::Block(block.clone()));
        block
    }

    /// T_valid of a submission whose decision is alone in the next block.
    pub(crate) fn valid_with(
        &mut self,
        initial: &TInitial,
        block: &TBlock,
        certificate: QuorumCertificate,
    ) -> TValid {
        let closed = self.close(vec![Entry::Decision(certificate.clone())]);
        let roster = &self.network.keys.roster;
        let inclusion = InclusionProof { index: 0, path: Vec::new().into() };
        let mut valid = TValid {
            body: ValidBody {
                version: PROTOCOL_VERSION,
                suite: block.body.suite,
                tid: block.body.tid,
                bsd: roster.bsd.clone(),
                cloud: roster.cloud.clone(),
                block: Digest::of(Domain::T_BLOCK, &encode(&block.body)),
                acknowledgement: certificate.digest(),
                height: closed.header().height,
                header: closed.header().digest(),
                seals: stray_digest(),
                issued: self.now(),
            },
            signature: Signature::from_bytes(&[]),
            initial: block.initial.clone(),
            user: block.user.clone(),
            user_signature: block.user_signature.clone(),
            block: block.body.clone(),
            acknowledgement: certificate,
            inclusion,
            grants: initial.grants.clone(),
            ciphertext: initial.ciphertext.clone(),
        };
        self.sign_valid(&mut valid);
        valid
    }

    /// Signs a T_valid again after a change of its parts.
    pub(crate) fn sign_valid(&self, valid: &mut TValid) {
        valid.signature = self.sign(&self.network.keys.roster.bsd, Domain::T_VALID, &encode(&valid.body));
    }

    /// T_valid of a record that the network accepted.
    pub(crate) fn valid(&mut self, record: &[u8], readers: &[Name]) -> TValid {
        let initial = self.initial(&self.network.keys.roster.doctor.clone(), record, readers);
        let block = self.block(&initial);
        let certificate = self.certificate(&block, Ballot::True, 0);
        self.valid_with(&initial, &block, certificate)
    }

    /// The BSD sends a T_valid to the cloud.
    #[track_caller]
    pub(crate) fn store(&mut self, valid: &TValid) -> Reply {
        let roster = self.network.keys.roster.clone();
        self.send(&roster.bsd, &roster.cloud, Message::TValid(Box::new(valid.clone())))
    }

    /// A record of the doctor, stored by the cloud; its tid.
    #[track_caller]
    pub(crate) fn stored(&mut self, record: &[u8], readers: &[Name]) -> Digest {
        let valid = self.valid(record, readers);
        self.store(&valid).assert_accepted();
        valid.body.tid
    }

    /// A change of policy that these principals sign.
    pub(crate) fn approved(&self, change: PolicyChange, by: &[&Name]) -> ApprovedChange {
        let message = encode(&change);
        let approve = |who: &&Name| PolicyApproval {
            administrator: (*who).clone(),
            signature: self.sign(who, Domain::POLICY_CHANGE, &message),
        };
        ApprovedChange { change, approvals: by.iter().map(approve).collect() }
    }
}
