//! The names of real values in the model: tables that are filled in the order in which the values first appear.

use crate::refinement::authority;
use bemr::crypto::Digest;
use bemr::wire::{
    self, BlockBody, BlockHeader, InitialHeader, Name, QuorumCertificate, Role, TInitial, Time,
};
use bemr_model::{
    Actor, Ballot, BlockId, Certificate, Entry, Flaws, Head, Header, HelloId, LogKind, Members, Ordinal,
    Policy, Proposal, Question, RequestId, Serial, SessionId, Tid, Versions,
};
use bemr_spec::Clause;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The number of a name that the model does not have.
pub(crate) const STRANGER: u8 = u8::MAX;

/// A block that was seen.
struct KnownBlock {
    id: BlockId,
    proposal: Arc<Proposal>,
}

/// Real values and their names in the model.
#[derive(Default)]
pub struct RefinementMap {
    start: Time,
    actors: BTreeMap<Name, Actor>,
    tids: BTreeMap<Digest, Tid>,
    /// The submissions by their tids in the model.
    submissions: Vec<Digest>,
    /// What users signed, by what tells apart two headers of one tid.
    headers: BTreeMap<(Digest, Digest, Time), Header>,
    questions: BTreeMap<Digest, Question>,
    asked: u32,
    hellos: BTreeMap<(Actor, Actor), u32>,
    responses: BTreeMap<Actor, u32>,
    sessions: BTreeMap<wire::SessionId, SessionId>,
    requests: BTreeMap<[u8; 32], RequestId>,
    requested: BTreeMap<u8, u32>,
    genesis: Digest,
    blocks: BTreeMap<Digest, KnownBlock>,
    /// Under which nonces a recorded run knows blocks that were mined anew, by the digests of their headers.
    recorded_nonces: BTreeMap<Digest, u64>,
    heads: BTreeMap<Digest, Head>,
    stored: BTreeMap<Digest, (Certificate, BlockId)>,
    /// The KDC's serials, and whose latest certificate has which.
    pub(crate) serials: BTreeMap<u64, Serial>,
    pub(crate) latest: BTreeMap<Actor, u64>,
    /// The number of the list that everybody begins with.
    pub(crate) first_list: u32,
    /// Policies by their digests, of all histories that were seen.
    pub(crate) policies: BTreeMap<Digest, Policy>,
    pub(crate) histories: BTreeSet<Digest>,
    strange: u32,
}

fn key(header: &InitialHeader) -> (Digest, Digest, Time) {
    (header.tid, header.grants, header.issued)
}

impl RefinementMap {
    /// A map that knows these actors alone.
    pub(crate) fn new(start: Time, genesis: Digest, actors: BTreeMap<Name, Actor>) -> RefinementMap {
        RefinementMap { start, actors, genesis, first_list: 1, ..RefinementMap::default() }
    }

    /// How often a value came that no table knows. In a run of honest actors it is 0.
    pub fn strange(&self) -> u32 {
        self.strange
    }

    pub(crate) fn or_strange<T>(&mut self, found: Option<T>, instead: T) -> T {
        if found.is_none() {
            self.strange += 1;
        }
        found.unwrap_or(instead)
    }

    /// An instant, counted from the beginning.
    pub(crate) fn time(&self, time: Time) -> u64 {
        time.0.saturating_sub(self.start.0)
    }

    /// The actor of this name.
    pub(crate) fn actor(&self, name: &Name) -> Option<Actor> {
        self.actors.get(name).copied()
    }

    pub(crate) fn user(&self, name: &Name) -> u8 {
        match self.actor(name) {
            Some(Actor::User(number)) => number,
            _ => STRANGER,
        }
    }

    pub(crate) fn validator(&self, name: &Name) -> u8 {
        match self.actor(name) {
            Some(Actor::Validator(number)) => number,
            _ => STRANGER,
        }
    }

    pub(crate) fn users<'a>(&self, names: impl Iterator<Item = &'a Name>) -> Members {
        names.map(|name| self.user(name)).filter(|number| *number < 64).collect()
    }

    fn validators<'a>(&self, names: impl Iterator<Item = &'a Name>) -> Members {
        names.map(|name| self.validator(name)).filter(|number| *number < 64).collect()
    }

    /// The real tid of a submission.
    pub fn real_tid(&self, tid: Tid) -> Option<Digest> {
        self.submissions.get(tid.place()?).copied()
    }

    /// The submission of this tid.
    pub(crate) fn tid(&mut self, tid: &Digest) -> Tid {
        let found = self.tids.get(tid).copied();
        self.or_strange(found, Tid::UNKNOWN)
    }

    /// As [`RefinementMap::tid`], for who may look only.
    pub(crate) fn known_tid(&self, tid: &Digest) -> Tid {
        self.tids.get(tid).copied().unwrap_or(Tid::UNKNOWN)
    }

    /// A user made a T_initial of record `record`, which breaks `breaks`. It gets the next tid, unless its tid has one.
    pub(crate) fn submitted(&mut self, initial: &TInitial, record: u16, breaks: Option<Clause>) -> Header {
        let digest = initial.header.tid;
        let next = Tid::nth(self.submissions.len() as u16);
        let tid = *self.tids.entry(digest).or_insert(next);
        if tid == next {
            self.submissions.push(digest);
        }
        let header = Header {
            tid,
            user: self.user(&initial.header.user),
            record,
            breaks,
            readers: self.users(initial.grants.iter().map(|grant| &grant.reader)),
            issued: self.time(initial.header.issued),
            policy: authority::versions(&initial.header),
        };
        self.headers.insert(key(&initial.header), header);
        header
    }

    /// Gives a header the name that the model has for it, unless it has one.
    pub(crate) fn name_header(&mut self, real: &InitialHeader, header: Header) {
        self.tids.entry(real.tid).or_insert(header.tid);
        if header.tid.place() == Some(self.submissions.len()) {
            self.submissions.push(real.tid);
        }
        self.headers.entry(key(real)).or_insert(header);
    }

    /// As [`RefinementMap::name_header`], of a T_block.
    pub(crate) fn name_question(&mut self, digest: Digest, question: Question) {
        self.questions.entry(digest).or_insert(question);
    }

    /// As [`RefinementMap::name_header`], of a request.
    pub(crate) fn name_request(&mut self, named: [u8; 32], request: RequestId) {
        self.requests.entry(named).or_insert(request);
    }

    /// As [`RefinementMap::name_header`], of a block.
    pub(crate) fn name_block(&mut self, digest: Digest, id: BlockId, proposal: &Arc<Proposal>) {
        self.blocks.entry(digest).or_insert_with(|| KnownBlock { id, proposal: Arc::clone(proposal) });
    }

    /// What a user signed.
    pub(crate) fn header(&mut self, header: &InitialHeader) -> Header {
        let found = self.headers.get(&key(header)).copied();
        let instead = Header {
            tid: self.known_tid(&header.tid),
            user: self.user(&header.user),
            record: u16::MAX,
            breaks: None,
            readers: Members::default(),
            issued: self.time(header.issued),
            policy: authority::versions(header),
        };
        self.or_strange(found, instead)
    }

    /// A T_block; one that was not seen before gets the next number.
    pub(crate) fn question(&mut self, digest: Digest, initial: &InitialHeader, body: &BlockBody) -> Question {
        if let Some(question) = self.questions.get(&digest) {
            return *question;
        }
        self.asked += 1;
        let question = Question {
            header: self.header(initial),
            number: Ordinal::nth(self.asked),
            height: body.height.0,
            sealed: body.seal != Digest::default(),
            policy: self.policy(&body.policy),
        };
        self.questions.insert(digest, question);
        question
    }

    /// The T_block of this digest.
    pub(crate) fn asked(&mut self, digest: &Digest) -> Question {
        let found = self.questions.get(digest).copied();
        let header = Header {
            tid: Tid::UNKNOWN,
            user: STRANGER,
            record: u16::MAX,
            breaks: None,
            readers: Members::default(),
            issued: 0,
            policy: Versions::SHIPPED,
        };
        let instead = Question {
            header,
            number: Ordinal::default(),
            height: 0,
            sealed: false,
            policy: Policy::SHIPPED,
        };
        self.or_strange(found, instead)
    }

    /// What votes say.
    pub(crate) fn certificate(&mut self, certificate: &QuorumCertificate) -> Certificate {
        Certificate {
            question: self.asked(&certificate.body.block),
            ballot: ballot(&certificate.body),
            signatories: self.validators(certificate.signatories.iter().map(|one| &one.validator)),
            flaws: Flaws::NONE,
        }
    }

    pub(crate) fn signatories(&self, signatories: &[wire::Signatory]) -> Members {
        self.validators(signatories.iter().map(|one| &one.validator))
    }

    /// The next hello of `from` to `to`.
    pub(crate) fn hello(&mut self, from: Actor, to: Actor) -> HelloId {
        let number = self.hellos.entry((from, to)).or_default();
        *number += 1;
        HelloId { from, to, number: Ordinal::nth(*number) }
    }

    /// The session that the next response of `by` makes of `hello`.
    pub(crate) fn response(&mut self, hello: HelloId, by: Actor) -> SessionId {
        let number = self.responses.entry(by).or_default();
        *number += 1;
        SessionId { hello, by, number: Ordinal::nth(*number) }
    }

    /// A session began, of which the model says `session`.
    pub(crate) fn began(&mut self, real: wire::SessionId, session: SessionId) {
        self.sessions.entry(real).or_insert(session);
    }

    pub(crate) fn session(&mut self, real: &wire::SessionId) -> SessionId {
        let found = self.sessions.get(real).copied();
        let hello = HelloId { from: Actor::Bsd, to: Actor::Bsd, number: Ordinal::default() };
        self.or_strange(found, SessionId { hello, by: Actor::Bsd, number: Ordinal::default() })
    }

    /// A user asked for something: the next request of theirs. Of two that are named alike the first keeps the name.
    pub(crate) fn requested(&mut self, user: u8, named: [u8; 32]) -> RequestId {
        let next = self.requested.entry(user).or_default();
        let request = RequestId { user, number: Ordinal::nth(*next) };
        *next += 1;
        self.requests.entry(named).or_insert(request);
        request
    }

    pub(crate) fn request(&mut self, named: &[u8; 32]) -> RequestId {
        let found = self.requests.get(named).copied();
        self.or_strange(found, RequestId { user: STRANGER, number: Ordinal::default() })
    }

    /// As [`RefinementMap::request`], for who may look only.
    pub(crate) fn known_request(&self, named: &[u8; 32]) -> RequestId {
        self.requests.get(named).copied().unwrap_or(RequestId { user: STRANGER, number: Ordinal::default() })
    }

    /// A head of a log was signed.
    pub(crate) fn head(&mut self, digest: Digest, head: Head) -> Head {
        self.heads.insert(digest, head);
        head
    }

    fn entry(&mut self, entry: &wire::Entry) -> Entry {
        match entry {
            wire::Entry::Decision(certificate) => Entry::Decision(self.certificate(certificate)),
            wire::Entry::Anchor(anchor) => {
                let kind = match anchor.kind {
                    wire::LogKind::Cloud => LogKind::Cloud,
                    wire::LogKind::Audit => LogKind::Audit,
                };
                let found = self.heads.get(&anchor.head).copied();
                let instead = Head { kind, size: anchor.size as u32, closed: false, time: u64::MAX };
                Entry::Anchor(self.or_strange(found, instead))
            }
        }
    }

    /// From now on the block with this header has the nonce of a recorded run.
    pub(crate) fn record_nonce(&mut self, header: &BlockHeader, recorded: u64) {
        self.recorded_nonces.insert(header.digest(), recorded);
    }

    /// A block without its close.
    pub(crate) fn proposal(&mut self, header: &BlockHeader, entries: &[wire::Entry]) -> Arc<Proposal> {
        let digest = header.digest();
        if let Some(known) = self.blocks.get(&digest) {
            return Arc::clone(&known.proposal);
        }
        // Decisions stand in the order of tids, which here are numbers and there are digests.
        let mut entries: Vec<Entry> = entries.iter().map(|entry| self.entry(entry)).collect();
        entries.sort_unstable();
        let proposal = Arc::new(Proposal {
            height: header.height.0,
            previous: self.block(&header.previous),
            time: self.time(header.time),
            proposer: self.validator(&header.proposer),
            entries,
            nonce: match (&header.closing, self.recorded_nonces.get(&digest)) {
                (wire::Closing::Work(_), Some(recorded)) => *recorded,
                (wire::Closing::Work(work), None) => work.nonce,
                (wire::Closing::Quorum(_), _) => 0,
            },
            flaws: Flaws::NONE,
        });
        self.blocks.insert(digest, KnownBlock { id: proposal.id(), proposal: Arc::clone(&proposal) });
        proposal
    }

    /// The block whose header has this digest.
    pub(crate) fn block(&mut self, digest: &Digest) -> BlockId {
        let found = self.known_block(digest);
        self.or_strange(found, BlockId(u64::MAX))
    }

    /// As [`RefinementMap::block`], for who may look only.
    pub(crate) fn known_block(&self, digest: &Digest) -> Option<BlockId> {
        if *digest == self.genesis {
            return Some(BlockId(0));
        }
        self.blocks.get(digest).map(|known| known.id)
    }

    /// A T_valid was made: what a receipt will name.
    pub(crate) fn promoted(&mut self, content: Digest, certificate: Certificate, block: BlockId) {
        self.stored.insert(content, (certificate, block));
    }

    /// What a receipt names.
    pub(crate) fn stored(&mut self, content: &Digest) -> (Certificate, BlockId) {
        let found = self.stored.get(content).copied();
        let question = self.questions.values().next().copied();
        let question = question.unwrap_or_else(|| self.asked(&Digest::default()));
        let instead = Certificate {
            question,
            ballot: Ballot::True,
            signatories: Members::default(),
            flaws: Flaws::NONE,
        };
        self.or_strange(found, (instead, BlockId(u64::MAX)))
    }
}

/// What a vote says.
pub(crate) fn ballot(body: &wire::VoteBody) -> Ballot {
    match (body.ballot, Clause::from_code(body.reason)) {
        (wire::Ballot::False, Some(clause)) => Ballot::False(clause),
        _ => Ballot::True,
    }
}

/// The role of a user by number.
pub(crate) fn role(user: u8) -> Role {
    match user {
        0 | 1 => Role::Doctor,
        2 => Role::Assistant,
        _ => Role::Administrator,
    }
}
