//! What the BSD takes from a validator: every check of a vote, what a quorum is, and what a vote after the decision does.
#![allow(clippy::unwrap_used, reason = "in a test what fails to unwrap fails the test")]

use crate::testbed::{RULES, Testbed, always, broken, reason, sign_vote, silent, sound, vote};
use bemr::actors::bsd::{Evidence, State};
use bemr::actors::{Input, Step};
use bemr::crypto::{Digest, Domain, Suite};
use bemr::keys::Credentials;
use bemr::votes::{BallotBox, Equivocation, ValidatorSet};
use bemr::wire::{Ballot, Height, Message, Name, TBlock, Vote, VoteBody, encode};
use bemr_spec::{Clause, Rules, Verdict};
use std::collections::BTreeMap;

/// Bends what an honest validator says.
type Bend = fn(&mut VoteBody);

/// A network whose validators are silent until the test lets them vote, and what they were asked.
struct Poll {
    bed: Testbed,
    tid: Digest,
    block: TBlock,
    voters: Vec<Credentials>,
}

impl Poll {
    fn new(rules: Rules, validators: usize) -> Poll {
        Poll::on(rules, validators, &sound())
    }

    fn on(rules: Rules, validators: usize, record: &bemr::records::Record) -> Poll {
        let mut bed = Testbed::new(rules, validators);
        bed.script_all(|_| silent());
        let tid = bed.submit(record);
        let last = bed.validators().pop().unwrap();
        assert!(bed.run(1_000, |bed| !bed.received(&last).is_empty()));
        let block = bed.received(&last)[0].clone();
        let voters = bed.validators().iter().map(|name| bed.network.keys.credentials[name].clone()).collect();
        Poll { bed, tid, block, voters }
    }

    fn ballot(&self, voter: usize, ballot: Ballot, reason: u16) -> Vote {
        vote(&self.voters[voter], &self.block, ballot, reason)
    }

    fn always(&mut self, voter: usize, ballot: Ballot, reason: u16) -> Step {
        let said = self.ballot(voter, ballot, reason);
        self.sends(voter, said)
    }

    fn sends(&mut self, voter: usize, said: Vote) -> Step {
        let name = self.voters[voter].name().clone();
        self.bed.vote(&name, said)
    }

    fn state(&mut self) -> State {
        let tid = self.tid;
        self.bed.state_of(&tid)
    }

    fn public(&mut self) -> Digest {
        let bsd = self.bed.network.keys.roster.bsd.clone();
        self.bed.actor(&bsd).state()
    }

    /// The vote is refused and changes nothing.
    fn refuses(&mut self, voter: usize, said: Vote) -> Step {
        let (state, public) = (self.state(), self.public());
        let step = self.sends(voter, said);
        assert!(step.outcome.is_err(), "{step:?}");
        assert_eq!((self.state(), self.public()), (state, public));
        assert_eq!(step.outputs().count(), 0);
        step
    }
}

/// A bent and signed vote is refused by this clause and counts without it: with two more there is a quorum.
fn only(clause: Clause, bend: Bend) {
    let bent = |poll: &Poll| {
        let mut body = poll.ballot(0, Ballot::True, 0).body;
        bend(&mut body);
        sign_vote(&poll.voters[0], body)
    };
    let mut poll = Poll::new(RULES, 4);
    let said = bent(&poll);
    let step = poll.refuses(0, said);
    assert_eq!((step.clause(), step.verdict()), (Some(clause), Verdict::Reject));
    for voter in [1, 2] {
        assert_eq!(poll.always(voter, Ballot::True, 0).clause(), None);
        assert_eq!(poll.state(), State::AwaitingVotes, "the bent vote did not count");
    }

    let mut poll = Poll::new(RULES.without(clause), 4);
    let said = bent(&poll);
    assert_eq!(poll.sends(0, said).clause(), None, "{clause}");
    assert_eq!(poll.always(1, Ballot::True, 0).clause(), None);
    assert_eq!(poll.always(2, Ballot::True, 0).clause(), None);
    assert_eq!(poll.state(), State::AwaitingFinality, "{clause}: the bent vote counted");
}

/// The products with a power of the generator that each vote takes until there is a quorum: what verifies a signature does one.
#[cfg(bemr_weaken)]
fn verifications(validators: usize) -> Vec<usize> {
    use bemr::crypto::operations::{Operation, record, recorded};
    let mut poll = Poll::new(RULES, validators);
    let mut counts = Vec::new();
    for voter in 0..validators {
        if poll.state() != State::AwaitingVotes {
            break;
        }
        let said = poll.ballot(voter, Ballot::True, 0);
        record();
        let step = poll.sends(voter, said);
        let done = recorded().done;
        assert_eq!(step.clause(), None);
        counts.push(done.iter().filter(|one| matches!(one, Operation::Product(_, Some(_), _))).count());
    }
    assert_eq!(poll.state(), State::AwaitingFinality);
    counts
}

#[test]
#[cfg(bemr_weaken)]
fn a_vote_costs_one_verification_however_many_were_counted_before_it() {
    for (validators, quorum) in [(1, 1), (4, 3), (7, 5), (10, 7)] {
        assert_eq!(verifications(validators), vec![1; quorum], "{validators} validators");
    }
}

#[test]
fn a_vote_names_the_validator_set_and_network_that_was_asked() {
    only(Clause::VoterIsAdmitted, |body| body.validators = Digest::default());
    only(Clause::VoterIsAdmitted, |body| body.network = Name::new("another").unwrap());
}

#[test]
fn a_vote_names_the_block_that_was_asked_in_version_and_suite() {
    only(Clause::VoteNamesBlock, |body| body.block = Digest::of(Domain::T_BLOCK, b"harmless"));
    only(Clause::VoteNamesBlock, |body| body.version = 2);
    only(Clause::VoteNamesBlock, |body| body.suite = Suite::Ristretto255);
}

#[test]
fn a_vote_names_the_policy_and_the_height_that_were_asked() {
    only(Clause::VoteNamesPolicy, |body| body.policy = Digest::default());
    only(Clause::VoteNamesHeight, |body| body.height = Height(body.height.0 + 1));
}

#[test]
fn a_vote_on_a_transaction_that_nobody_asked_about_is_refused() {
    // No mutant: there is no ballot box that it could be counted in.
    let mut poll = Poll::new(RULES, 4);
    let mut body = poll.ballot(0, Ballot::True, 0).body;
    body.tid = Digest::of(Domain::TRANSACTION_ID, b"another");
    let said = sign_vote(&poll.voters[0], body);
    assert_eq!(poll.refuses(0, said).clause(), Some(Clause::VoteNamesBlock));
}

#[test]
fn a_vote_is_signed_by_the_validator_that_it_names() {
    let forged = |poll: &Poll| {
        let mut said = poll.ballot(0, Ballot::True, 0);
        said.signature = poll.ballot(1, Ballot::True, 0).signature;
        said
    };
    let turned = |poll: &Poll| {
        let mut said = poll.ballot(0, Ballot::False, reason());
        (said.body.ballot, said.body.reason) = (Ballot::True, 0);
        said
    };
    let makers: [&dyn Fn(&Poll) -> Vote; 2] = [&forged, &turned];
    for make in makers {
        let mut poll = Poll::new(RULES, 4);
        let said = make(&poll);
        assert_eq!(poll.refuses(0, said).clause(), Some(Clause::VoteSigned));
        let mut poll = Poll::new(RULES.without(Clause::VoteSigned), 4);
        let said = make(&poll);
        assert_eq!(poll.sends(0, said).clause(), None);
        for voter in [1, 2] {
            poll.always(voter, Ballot::True, 0).outcome.unwrap();
        }
        assert_eq!(poll.state(), State::AwaitingFinality);
    }
}

#[test]
fn a_validator_hands_in_no_vote_of_another() {
    let mut poll = Poll::new(RULES, 4);
    let genuine = poll.ballot(1, Ballot::True, 0);
    assert_eq!(poll.refuses(0, genuine).clause(), Some(Clause::VoterIsAdmitted));
    let mut poll = Poll::new(RULES.without(Clause::VoterIsAdmitted), 4);
    let genuine = poll.ballot(1, Ballot::True, 0);
    assert_eq!(poll.sends(0, genuine).clause(), None);
}

#[test]
fn a_vote_is_checked_in_the_order_of_the_chapter() {
    // Everything is wrong; each clause that is dropped lets the next one speak.
    let order = [
        Clause::VoterIsAdmitted,
        Clause::VoteNamesBlock,
        Clause::VoteNamesHeight,
        Clause::VoteNamesPolicy,
        Clause::VoteSigned,
    ];
    let mut rules = RULES;
    for clause in order {
        let mut poll = Poll::new(rules, 4);
        let mut said = poll.ballot(0, Ballot::True, 0);
        said.body.network = Name::new("another").unwrap();
        said.body.block = Digest::default();
        said.body.height = Height(0);
        said.body.policy = Digest::default();
        assert_eq!(poll.sends(0, said).clause(), Some(clause));
        rules = rules.without(clause);
    }
}

#[test]
fn a_validator_sends_nothing_but_votes() {
    let mut poll = Poll::new(RULES, 4);
    let bsd = poll.bed.network.keys.roster.bsd.clone();
    let before = poll.public();
    // T_block in the direction of the vote: nothing handles it, so there is no mutant.
    let step =
        poll.bed.send_as(&poll.voters[0].name().clone(), &bsd, Message::TBlock(Box::new(poll.block.clone())));
    assert_eq!(step.clause(), Some(Clause::MessageTypeIsExpected));
    let garbage = Input::Packet { from: poll.voters[0].name().clone(), packet: vec![4, 0, 1] };
    assert_eq!(poll.bed.deliver(&bsd, garbage).clause(), Some(Clause::OneEncodingPerValue));
    assert_eq!(poll.public(), before);
}

#[test]
fn a_validator_votes_once() {
    let mut poll = Poll::new(RULES, 4);
    assert_eq!(poll.always(0, Ballot::True, 0).clause(), None);
    let same = poll.ballot(0, Ballot::True, 0);
    let step = poll.refuses(0, same);
    assert_eq!((step.clause(), step.verdict()), (Some(Clause::OneVotePerValidator), Verdict::Ignore));
    assert!(poll.bed.bsd().evidence().is_empty(), "a repetition is no lie");
    // Contrary votes do not count, however many; one pair of them is kept.
    let first = poll.ballot(0, Ballot::True, 0);
    let second = poll.ballot(0, Ballot::False, reason());
    for contrary in [second.clone(), poll.ballot(0, Ballot::False, 7), second.clone()] {
        let step = poll.refuses(0, contrary);
        assert_eq!((step.clause(), step.verdict()), (Some(Clause::OneVotePerValidator), Verdict::Ignore));
    }
    assert_eq!(poll.bed.bsd().evidence(), [Evidence::Equivocation(Equivocation { first, second })]);
    for voter in [1, 2] {
        poll.always(voter, Ballot::True, 0).outcome.unwrap();
    }
    assert_eq!(poll.state(), State::AwaitingFinality);
    let tid = poll.tid;
    assert_eq!(poll.bed.finish(&tid), State::Committed);
}

#[test]
fn without_vot_06_a_vote_can_be_turned() {
    let mut poll = Poll::new(RULES.without(Clause::OneVotePerValidator), 4);
    poll.always(0, Ballot::True, 0).outcome.unwrap();
    assert_eq!(poll.always(0, Ballot::False, reason()).clause(), None);
    for voter in [1, 2] {
        poll.always(voter, Ballot::True, 0).outcome.unwrap();
    }
    assert_eq!(poll.state(), State::AwaitingVotes, "only two of four say true now");
}

#[test]
fn a_liar_cannot_fill_the_room_for_evidence_or_seals() {
    let mut poll = Poll::new(RULES, 4);
    poll.always(0, Ballot::True, 0).outcome.unwrap();
    for reason in 1..=4200 {
        let said = poll.ballot(0, Ballot::False, reason);
        assert_eq!(poll.sends(0, said).clause(), Some(Clause::OneVotePerValidator));
    }
    assert_eq!(poll.bed.bsd().evidence().len(), 1);
    for voter in [1, 2] {
        poll.always(voter, Ballot::True, 0).outcome.unwrap();
    }
    let tid = poll.tid;
    assert_eq!(poll.bed.finish(&tid), State::Committed);
}

#[test]
fn a_quorum_is_more_than_two_thirds() {
    for (validators, quorum) in [(1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (6, 5), (7, 5)] {
        let mut poll = Poll::new(RULES, validators);
        for voter in 0..quorum {
            assert_eq!(poll.state(), State::AwaitingVotes, "{voter} of {validators}");
            poll.always(voter, Ballot::True, 0).outcome.unwrap();
        }
        assert_eq!(poll.state(), State::AwaitingFinality, "{quorum} of {validators}");
    }
    let mut poll = Poll::new(RULES.without(Clause::MoreThanTwoThirds), 4);
    poll.always(0, Ballot::True, 0).outcome.unwrap();
    assert_eq!(poll.state(), State::AwaitingFinality, "one vote is a quorum of the mutant");
}

#[test]
fn only_votes_of_one_verdict_and_reason_are_counted_together() {
    let mixed = |rules: Rules| {
        let mut poll = Poll::on(rules, 4, &broken());
        for (voter, reason) in [(0, reason()), (1, reason()), (2, 1)] {
            poll.always(voter, Ballot::False, reason).outcome.unwrap();
        }
        poll
    };
    let mut poll = mixed(RULES);
    assert_eq!(poll.state(), State::AwaitingVotes, "three say false, for two reasons");
    poll.always(3, Ballot::False, reason()).outcome.unwrap();
    assert_eq!(poll.state(), State::AwaitingRejection);
    // The mutant takes three votes against the record for a quorum in its favour, which T_v alone then stops.
    let mut poll = mixed(RULES.without(Clause::QuorumIsUnanimous));
    assert_eq!(poll.state(), State::Deferred);
    assert!(
        matches!(poll.bed.bsd().evidence(), [Evidence::Overruled(one)] if one.body.ballot == Ballot::True)
    );
}

#[test]
fn the_certificate_names_its_signers_in_ascending_order_whatever_the_order_of_votes() {
    let mut poll = Poll::new(RULES, 4);
    for voter in [3, 0, 2] {
        poll.always(voter, Ballot::True, 0).outcome.unwrap();
    }
    let tid = poll.tid;
    assert_eq!(poll.bed.finish(&tid), State::Committed);
    let certificate = poll.bed.decided(&tid).unwrap();
    let signers: Vec<&str> = certificate.signatories.iter().map(|one| one.validator.as_str()).collect();
    assert_eq!(signers, ["validator-001", "validator-003", "validator-004"]);
    bemr::votes::verify_quorum(&RULES, &poll.bed.network.keys.validators, &certificate).unwrap();
}

/// The clause that refuses a vote after the decision, and whether the decision was published once more.
fn late(rules: Rules) -> (Option<Clause>, usize) {
    let mut poll = Poll::new(rules, 4);
    for voter in [0, 1, 2] {
        poll.always(voter, Ballot::True, 0).outcome.unwrap();
    }
    let step = poll.always(3, Ballot::False, reason());
    (step.clause(), step.outputs().count())
}

#[test]
fn a_vote_after_the_decision_changes_nothing() {
    let mut poll = Poll::new(RULES, 4);
    for voter in [0, 1, 2] {
        poll.always(voter, Ballot::True, 0).outcome.unwrap();
    }
    let contrary = poll.ballot(3, Ballot::False, reason());
    let step = poll.refuses(3, contrary.clone());
    assert_eq!((step.clause(), step.verdict()), (Some(Clause::FirstDecisionStands), Verdict::Ignore));
    assert_eq!(poll.bed.bsd().evidence(), [Evidence::LateAndContrary(contrary.clone())]);
    let tid = poll.tid;
    assert_eq!(poll.bed.finish(&tid), State::Committed);
    // And after the end.
    let step = poll.refuses(3, contrary);
    assert_eq!(step.clause(), Some(Clause::FirstDecisionStands));
    assert_eq!(poll.bed.bsd().evidence().len(), 1, "one piece convicts");
    assert_eq!(late(RULES), (Some(Clause::FirstDecisionStands), 0));
    assert_eq!(late(RULES.without(Clause::FirstDecisionStands)), (None, 1), "the mutant decides again");
}

#[test]
fn a_late_vote_is_contrary_to_the_decision_or_to_itself_and_to_nothing_else() {
    // Five of seven decide true against one that lies.
    let mut poll = Poll::new(RULES, 7);
    poll.always(0, Ballot::False, reason()).outcome.unwrap();
    for voter in 1..=5 {
        poll.always(voter, Ballot::True, 0).outcome.unwrap();
    }
    assert_eq!(poll.state(), State::AwaitingFinality);
    let agrees = poll.ballot(6, Ballot::True, 0);
    assert_eq!(poll.refuses(6, agrees).clause(), Some(Clause::FirstDecisionStands));
    let repeats = poll.ballot(0, Ballot::False, reason());
    assert_eq!(poll.refuses(0, repeats).clause(), Some(Clause::FirstDecisionStands));
    assert!(poll.bed.bsd().evidence().is_empty(), "neither the honest nor the constant is accused");
    let (first, second) = (poll.ballot(1, Ballot::True, 0), poll.ballot(1, Ballot::False, reason()));
    poll.refuses(1, second.clone());
    assert_eq!(poll.bed.bsd().evidence(), [Evidence::Equivocation(Equivocation { first, second })]);
}

#[test]
fn a_late_vote_is_checked_like_any_other() {
    let mut poll = Poll::new(RULES, 4);
    let tid = poll.tid;
    assert_eq!(poll.bed.finish(&tid), State::Deferred);
    let mut forged = poll.ballot(3, Ballot::True, 0);
    forged.signature = poll.ballot(2, Ballot::True, 0).signature;
    assert_eq!(poll.refuses(3, forged).clause(), Some(Clause::VoteSigned));
    let honest = poll.ballot(3, Ballot::True, 0);
    assert_eq!(poll.refuses(3, honest).clause(), Some(Clause::FirstDecisionStands));
    assert!(poll.bed.bsd().evidence().is_empty(), "a timeout is nobody's verdict to contradict");
}

#[test]
fn what_a_lying_quorum_accepts_is_stored_only_without_re_verification() {
    for (rules, state) in
        [(RULES, State::Deferred), (RULES.without(Clause::AcceptNeedsReverification), State::Committed)]
    {
        let mut bed = Testbed::new(rules, 4);
        bed.script_all(|_| always(Ballot::True, 0));
        let tid = bed.submit(&broken());
        assert_eq!(bed.finish(&tid), state);
    }
}

#[test]
fn a_true_quorum_is_needed_to_accept() {
    // Torn votes, and none at all: without ACK-04 both pass for accepted.
    for (number, event) in [(2, "VoteArrived"), (0, "AttemptExpired")] {
        for (rules, state) in
            [(RULES, State::Deferred), (RULES.without(Clause::AcceptNeedsQuorum), State::AwaitingFinality)]
        {
            let mut bed = Testbed::new(rules, 4);
            bed.script_all(|voter| match (number, voter) {
                (0, _) => silent(),
                (_, 0 | 1) => always(Ballot::True, 0),
                _ => always(Ballot::False, reason()),
            });
            let tid = bed.submit(&sound());
            let open = [State::AwaitingInitial, State::AwaitingVotes];
            assert!(bed.run(600_000, |bed| !open.contains(&bed.state_of(&tid))));
            assert_eq!(bed.state_of(&tid), state);
            assert!(bed.transitions.contains(&(State::AwaitingVotes, event, state)), "{:?}", bed.transitions);
        }
    }
}

#[test]
fn a_vote_says_the_same_in_every_order() {
    // Three honest votes and a lie, in all orders: the lie never decides.
    let orders: Vec<Vec<usize>> = (0..24)
        .map(|mut n| {
            let mut left: Vec<usize> = (0..4).collect();
            (1..=4)
                .rev()
                .map(|size| {
                    let at = n % size;
                    n /= size;
                    left.remove(at)
                })
                .collect()
        })
        .collect();
    for order in orders {
        let mut poll = Poll::new(RULES, 4);
        for voter in &order {
            let (ballot, reason) = if *voter == 0 { (Ballot::False, 9) } else { (Ballot::True, 0) };
            poll.always(*voter, ballot, reason);
        }
        assert_eq!(poll.state(), State::AwaitingFinality, "{order:?}");
        let bytes = encode(&poll.block.body);
        assert_eq!(poll.ballot(1, Ballot::True, 0).body.block, Digest::of(Domain::T_BLOCK, &bytes));
    }
}

#[test]
fn a_set_without_members_is_empty_and_has_no_turns() {
    let network = Name::new("pbn").unwrap();
    let none = ValidatorSet::new(network, BTreeMap::new());
    assert!(none.is_empty() && none.at(0).is_none());
    assert!(!Poll::new(RULES, 4).bed.network.keys.validators.is_empty());
}

#[test]
fn a_box_shows_the_votes_that_it_counted_and_a_directory_everybody_with_a_certificate() {
    let poll = Poll::new(RULES, 4);
    let asked = poll.ballot(0, Ballot::True, 0).body;
    let mut ballots = BallotBox::new(poll.bed.network.keys.validators.clone(), asked);
    let votes = [2, 0].map(|voter| poll.ballot(voter, Ballot::True, 0));
    for vote in votes.clone() {
        let verified = ballots.verify(&RULES, vote).unwrap();
        ballots.cast(&RULES, verified).unwrap();
    }
    assert!(ballots.votes().eq([&votes[1], &votes[0]]));
    let network = &poll.bed.network;
    assert!(network.keys.directory.iter().map(|one| one.name()).eq(network.keys.credentials.keys()));
}
