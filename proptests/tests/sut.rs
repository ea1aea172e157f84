//! The implementation's side of the lockstep does what honest actors do, says it in the model's words, and does it again.
#![allow(clippy::unwrap_used, reason = "helpers of tests stop at what is not as expected")]

use bemr::wire;
use bemr_lab::sut::{BREAKABLE, Forger, SystemUnderTest};
use bemr_model::{
    Action, Actor, Change, Command, Corruption, Decision, Edition, Flaws, Gossip, Happened, LedgerKind,
    Lifetimes, Members, Message, Order, Output, Packet, Public, Setup, Tid, View,
};
use bemr_spec::{Clause, Event, Rules};

const RULES: Rules = Rules::hardened();

/// Delivers what is sent, in order; when nothing is on its way, the next instant comes that somebody waits for.
struct Driver {
    sut: SystemUnderTest,
    next: u32,
    happened: Vec<Happened>,
}

impl Driver {
    fn new(validators: u8, ledger: LedgerKind) -> Driver {
        Driver::seeded(validators, ledger, 7)
    }

    fn seeded(validators: u8, ledger: LedgerKind, seed: u64) -> Driver {
        let lifetimes = Lifetimes::LONG;
        let setup = Setup { users: 5, validators, ledger, seed, established: false, lifetimes };
        let mut sut = SystemUnderTest::new(RULES, &setup).unwrap();
        sut.watch();
        Driver { sut, next: 0, happened: Vec::new() }
    }

    #[track_caller]
    fn act(&mut self, action: &Action) -> Happened {
        let happened = self.sut.step(action).unwrap_or_else(|| panic!("{action:?} cannot happen"));
        assert_eq!(self.sut.tables().strange(), 0, "{action:?}: {happened:?}");
        assert_eq!(self.sut.leaks(), [] as [&str; 0], "{action:?}: {happened:?}");
        self.happened.push(happened.clone());
        happened
    }

    #[track_caller]
    fn command(&mut self, actor: Actor, command: Command) -> Happened {
        let happened = self.act(&Action::Command { actor, command });
        assert_eq!(happened.clause, None);
        happened
    }

    fn submit(&mut self, user: u8, record: u16, breaks: Option<Clause>) {
        self.command(Actor::User(user), Command::Submit { record, breaks, readers: Members::default() });
    }

    #[track_caller]
    fn crash(&mut self, actor: Actor) {
        let happened = self.act(&Action::Crash { actor, damage: None });
        assert_eq!((happened.event, happened.clause, happened.sends), (Event::Crash, None, Vec::new()));
    }

    /// Everything that is on its way arrives, and nobody waits for anything any more.
    fn settle(&mut self) {
        self.until(|sut| {
            let idle = |actor: &Actor| match sut.view(*actor) {
                Some(View::Validator { waiting, .. }) => waiting == (0, 0),
                _ => true,
            };
            sut.actors().iter().all(idle)
        });
        while self.next < self.sut.sent() {
            self.go_on();
        }
    }

    /// One thing happens.
    fn go_on(&mut self) {
        if self.next < self.sut.sent() {
            let envelope = self.next;
            self.next += 1;
            self.act(&Action::Deliver { envelope });
            return;
        }
        let actors = self.sut.actors().to_vec();
        let due = actors.into_iter().filter_map(|actor| Some((self.sut.wakes(actor)?, actor)));
        let (_, actor) = due.collect::<Vec<_>>().into_iter().min().unwrap();
        self.act(&Action::Wake { actor, found: None });
    }

    #[track_caller]
    fn until(&mut self, done: impl Fn(&SystemUnderTest) -> bool) {
        for _ in 0..20_000 {
            if done(&self.sut) {
                return;
            }
            self.go_on();
        }
        panic!("it does not come to that: {:#?}", &self.happened[self.happened.len() - 20..]);
    }

    #[track_caller]
    fn ends(&mut self, user: u8, place: u16, decision: Decision) {
        let tid = Tid::nth(place);
        self.until(|sut| ended(sut, user).iter().any(|(one, _)| *one == tid));
        assert!(ended(&self.sut, user).contains(&(tid, Some(decision))));
    }

    #[track_caller]
    fn is_answered(&mut self, user: u8) -> Message {
        self.until(|sut| {
            matches!(sut.view(Actor::User(user)), Some(View::User { requests, .. }) if requests.is_empty())
        });
        let answers = self.happened.iter().rev().flat_map(|step| &step.sends);
        let records = answers.filter_map(|sent| match sent {
            Output::Send(to, Packet::Record(record)) if *to == Actor::User(user) => Some(record.message),
            _ => None,
        });
        records.into_iter().next().unwrap()
    }
}

fn ended(sut: &SystemUnderTest, user: u8) -> Vec<(Tid, Option<Decision>)> {
    match sut.view(Actor::User(user)) {
        Some(View::User { ended, .. }) => ended,
        other => panic!("{other:?}"),
    }
}

const NETWORKS: [(u8, LedgerKind); 3] =
    [(1, LedgerKind::Quorum), (4, LedgerKind::Quorum), (1, LedgerKind::Work)];

#[test]
fn a_sound_record_is_committed_and_read_and_a_broken_one_rejected() {
    for (validators, ledger) in NETWORKS {
        let mut driver = Driver::new(validators, ledger);
        driver.submit(0, 3, None);
        driver.ends(0, 0, Decision::Committed);
        driver.command(Actor::User(0), Command::Read { tid: Tid::FIRST });
        let answer = driver.is_answered(0);
        assert!(matches!(answer, Message::Record { tid: Tid::FIRST, owner: 0, from: 0, .. }), "{answer:?}");
        driver.submit(1, 4, Some(Clause::ValueSetRule));
        driver.ends(1, 1, Decision::Rejected);
        let order = Order::Grant(1);
        driver.command(Actor::User(0), Command::Order { tid: Tid::FIRST, order });
        let answer = driver.is_answered(0);
        assert!(matches!(answer, Message::Answer { decision: Decision::Committed, .. }), "{answer:?}");
    }
}

#[test]
fn every_broken_record_of_the_supply_breaks_the_rule_that_it_says() {
    let mut driver = Driver::new(1, LedgerKind::Quorum);
    for (tid, clause) in (0..).zip(BREAKABLE) {
        driver.submit(2, tid, Some(clause));
        driver.ends(2, tid, Decision::Rejected);
        let outcome = driver.happened.iter().rev().flat_map(|step| &step.sends).find_map(|sent| match sent {
            Output::Send(_, Packet::Record(record)) => match record.message {
                Message::Outcome { reason, .. } => Some(reason),
                _ => None,
            },
            _ => None,
        });
        assert_eq!(outcome, Some(Some(clause)));
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = |seed| {
        let mut driver = Driver::seeded(4, LedgerKind::Work, seed);
        driver.submit(0, 0, None);
        driver.ends(0, 0, Decision::Committed);
        driver.happened
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn a_corrupted_envelope_is_refused_and_the_next_one_is_not() {
    for how in [Corruption::Flip, Corruption::Cut, Corruption::Extend] {
        let mut driver = Driver::new(1, LedgerKind::Quorum);
        driver.submit(0, 0, None);
        // Hello, response, finish, T_initial.
        for clause in [
            Clause::ElementInSubgroup,
            Clause::FlightIsAuthentic,
            Clause::FlightIsAuthentic,
            Clause::RecordIsAuthentic,
        ] {
            let envelope = driver.next;
            let refused = driver.act(&Action::Corrupt { envelope, how });
            let unreadable = how != Corruption::Flip;
            let expected = if unreadable { Clause::OneEncodingPerValue } else { clause };
            assert_eq!(refused.clause, Some(expected), "{how:?} {refused:?}");
            assert_eq!(refused.sends, []);
            driver.go_on();
        }
    }
}

fn public(view: &View) -> Public {
    match view {
        View::User { public, .. }
        | View::Bsd { public, .. }
        | View::Validator { public, .. }
        | View::Cloud { public, .. } => *public,
        View::Kdc { .. } => panic!("the KDC follows nobody"),
    }
}

#[test]
fn a_record_that_goes_on_as_another_one_does_not_open() {
    let mut driver = Driver::new(1, LedgerKind::Quorum);
    driver.submit(0, 0, None);
    // Hello, response, finish, T_initial.
    (0..4).for_each(|_| driver.go_on());
    driver.submit(0, 1, None);
    let envelope = driver.sut.sent() - 1;
    let refused = driver.act(&Action::Corrupt { envelope, how: Corruption::Splice });
    assert_eq!(refused.clause, Some(Clause::RecordIsAuthentic), "{refused:?}");
    assert_eq!(refused.sends, []);
    assert_eq!(driver.act(&Action::Deliver { envelope }).clause, None);
}

#[test]
fn what_a_packet_says_in_clear_can_be_changed_on_the_way() {
    let mut driver = Driver::new(1, LedgerKind::Quorum);
    driver.submit(0, 0, None);
    let bloated = (Corruption::Bloat, Clause::SizeWithinBound);
    let element =
        [(Corruption::Neutral, Clause::ElementInRange), (Corruption::Outside, Clause::ElementInSubgroup)];
    let hello =
        [(Corruption::Suite, Clause::SuiteNotDowngraded), (Corruption::SessionType, Clause::RoleFitsPlace)];
    let flight = (Corruption::Swap, Clause::FlightIsAuthentic);
    let record = [
        (Corruption::Stage, Clause::StageFitsSession),
        (Corruption::Ahead, Clause::SkipIsBounded),
        (Corruption::Swap, Clause::RecordIsAuthentic),
    ];
    let packets: [Vec<(Corruption, Clause)>; 4] = [
        hello.into_iter().chain(element).chain([bloated]).collect(),
        element.into_iter().chain([bloated, flight]).collect(),
        vec![bloated, flight],
        record.into_iter().chain([bloated]).collect(),
    ];
    for changes in packets {
        let envelope = driver.next;
        for how in Corruption::ALL {
            let Some((_, clause)) = changes.iter().find(|(change, _)| *change == how) else { continue };
            let refused = driver.act(&Action::Corrupt { envelope, how });
            assert_eq!(refused.clause, Some(*clause), "{how:?} {refused:?}");
            assert_eq!(refused.sends, []);
        }
        driver.go_on();
    }
}

#[test]
fn who_crashes_goes_on_with_what_the_chapter_says_survives() {
    for (validators, ledger) in NETWORKS {
        for actor in [Actor::Cloud, Actor::Bsd, Actor::Validator(0), Actor::User(0), Actor::User(1)] {
            let mut driver = Driver::new(validators, ledger);
            driver.submit(0, 0, None);
            driver.ends(0, 0, Decision::Committed);
            driver.submit(0, 1, Some(Clause::DateOrderRule));
            driver.ends(0, 1, Decision::Rejected);
            let change =
                Change { admission: Some(Edition { version: 2, effective: 100 }), ..Change::default() };
            let approvals = [3, 4].into_iter().collect();
            driver.command(Actor::User(3), Command::ChangePolicy { change, approvals });
            driver.command(Actor::Kdc, Command::IssueList);
            driver.settle();
            let before = driver.sut.view(actor).unwrap();
            let public = public(&before);
            assert_eq!((public.policy.admission, public.list), (change.admission, 2));
            assert!(matches!(
                before,
                View::Bsd { audit: 2, .. } | View::Validator { .. } | View::Cloud { .. } | View::User { .. }
            ));
            driver.crash(actor);
            let after = driver.sut.view(actor).unwrap();
            match (before, after) {
                // A validator that closed its height works on the next one.
                (View::Validator { public, votes, signed, .. }, after) => {
                    assert!(
                        matches!(&after, View::Validator { public: p, votes: v, signed: s, .. }
                            if (p, v, s) == (&public, &votes, &signed)),
                        "{after:?}"
                    );
                    assert_eq!(votes.len(), 2);
                }
                (before, after) => assert_eq!(before, after, "{actor}"),
            }
            // The peers do not know; all goes on nevertheless.
            driver.submit(0, 2, None);
            driver.ends(0, 2, Decision::Committed);
            driver.command(Actor::User(0), Command::Read { tid: Tid::FIRST });
            assert!(matches!(driver.is_answered(0), Message::Record { tid: Tid::FIRST, .. }));
        }
    }
}

#[test]
fn a_bsd_that_crashes_knows_the_records_that_it_took_and_the_tids_that_ended() {
    let mut driver = Driver::new(1, LedgerKind::Quorum);
    driver.submit(0, 0, None);
    let initial = |driver: &Driver| {
        let mut sent = driver.happened.iter().flat_map(|step| &step.sends);
        sent.find_map(|sent| match sent {
            Output::Send(_, Packet::Record(record)) => Some(record.message),
            _ => None,
        })
    };
    driver.ends(0, 0, Decision::Committed);
    assert!(matches!(initial(&driver), Some(Message::Initial { .. })));
    driver.crash(Actor::Bsd);
    // The same record once more, under another tid.
    driver.submit(1, 0, None);
    driver.ends(1, 1, Decision::Refused);
    let reason = driver.happened.iter().rev().find_map(|step| step.clause);
    assert_eq!(reason, Some(Clause::RecordNotReused));
    // A submission that was open is lost; the user sends it again, and the validator votes on no other T_block.
    driver.submit(0, 2, None);
    driver.until(|sut| {
        matches!(sut.view(Actor::Validator(0)), Some(View::Validator { votes, .. }) if votes.len() == 2)
    });
    driver.crash(Actor::Bsd);
    driver.ends(0, 2, Decision::Deferred);
    assert!(driver.happened.iter().any(|step| step.clause == Some(Clause::OneBlockPerTid)));
}

#[test]
fn a_validator_that_crashes_keeps_the_block_that_it_closed() {
    let mut driver = Driver::new(1, LedgerKind::Quorum);
    driver.submit(0, 0, None);
    let height = |sut: &SystemUnderTest| match sut.view(Actor::Validator(0)) {
        Some(View::Validator { public, .. }) => public.height,
        other => panic!("{other:?}"),
    };
    driver.until(|sut| height(sut) == 1);
    let before = height(&driver.sut);
    driver.crash(Actor::Validator(0));
    assert_eq!(height(&driver.sut), before);
}

#[test]
fn what_cannot_happen_does_not() {
    let mut driver = Driver::new(1, LedgerKind::Quorum);
    let submit = |breaks| Command::Submit { record: 0, breaks, readers: Members::default() };
    let (ada, nobody) = (Actor::User(0), Actor::User(5));
    for action in [
        Action::Deliver { envelope: 0 },
        Action::Corrupt { envelope: 0, how: Corruption::Flip },
        Action::Redirect { envelope: 0, to: Actor::Bsd, from: None },
        Action::Wake { actor: Actor::Bsd, found: None },
        Action::Wake { actor: nobody, found: None },
        Action::Crash { actor: Actor::Validator(1), damage: None },
        Action::Command { actor: nobody, command: submit(None) },
        Action::Command { actor: Actor::Cloud, command: submit(None) },
        Action::Command { actor: ada, command: Command::CloseAudit },
        Action::Command { actor: ada, command: Command::Read { tid: Tid::FIRST } },
        Action::Command { actor: ada, command: submit(Some(Clause::SubmitterRule)) },
        Action::Command { actor: ada, command: submit(Some(Clause::VoteSigned)) },
    ] {
        assert_eq!(driver.sut.step(&action), None, "{action:?}");
    }
    let command = Command::Submit { record: 0, breaks: None, readers: Members::default().with(9) };
    let refused = driver.act(&Action::Command { actor: ada, command });
    assert_eq!(refused.clause, Some(Clause::GrantsNameAuthorisedReaders));
    // It was no submission: the next one has the first tid.
    driver.submit(0, 0, None);
    driver.ends(0, 0, Decision::Committed);
}

#[test]
fn the_watch_knows_the_secrets_that_it_looks_for() {
    let mut driver = Driver::new(1, LedgerKind::Quorum);
    let keys = driver.sut.secrets();
    driver.submit(0, 12, None);
    driver.ends(0, 0, Decision::Committed);
    assert!(driver.sut.secrets() > keys + 10);
    assert_eq!(driver.sut.tells(b"xx canary.record.00012 xx"), ["a record"]);
    assert_eq!(driver.sut.tells(b"canary.record.00013"), [] as [&str; 0]);
}

/// Says outcomes and asks for blocks.
struct Liar;

impl Forger for Liar {
    fn message(
        &mut self,
        sut: &SystemUnderTest,
        _: Actor,
        _: Actor,
        term: &Message,
    ) -> Option<wire::Message> {
        let Message::Outcome { tid, .. } = term else { return None };
        let tid = sut.tables().real_tid(*tid)?;
        let (decision, height) = (wire::Decision::Committed, wire::Height(1));
        Some(wire::Message::Outcome(wire::Outcome { tid, decision, reason: wire::Reason::NONE, height }))
    }

    fn packet(&mut self, _: &SystemUnderTest, _: &Packet, _: Flaws) -> Option<wire::Packet> {
        None
    }

    fn gossip(&mut self, _: &SystemUnderTest, _: Actor, _: Actor, term: &Gossip) -> Option<wire::Gossip> {
        let Gossip::BlocksFrom(height) = term else { return None };
        Some(wire::Gossip::BlocksFrom(wire::Height(*height)))
    }
}

#[test]
fn an_insider_says_what_is_forged_and_the_model_knows_it_by_its_term() {
    let mut driver = Driver::new(1, LedgerKind::Quorum);
    let tid = Tid::FIRST;
    let message = Message::Outcome { tid, decision: Decision::Rejected, reason: None, height: 7 };
    let say = Action::Send { actor: Actor::User(1), to: Actor::Bsd, message };
    let gossip = Gossip::BlocksFrom(1);
    let tell = Action::Publish { actor: Actor::User(1), to: Actor::Validator(0), gossip: gossip.clone() };
    assert_eq!((driver.sut.step(&say), driver.sut.step(&tell)), (None, None));
    driver.sut.forge_with(Liar);
    driver.submit(0, 0, None);
    driver.ends(0, 0, Decision::Committed);
    assert_eq!(driver.act(&say).event, Event::Send);
    let said = |happened: &[Happened]| {
        happened.iter().flat_map(|step| &step.sends).any(|sent| {
            matches!(sent, Output::Send(Actor::Bsd, Packet::Record(record)) if record.message == message)
        })
    };
    while !said(&driver.happened) || driver.next < driver.sut.sent() {
        driver.go_on();
    }
    let refused = driver.happened.iter().find(|step| step.clause == Some(Clause::MessageTypeIsExpected));
    assert_eq!(refused.map(|step| (step.actor, step.event)), Some((Actor::Bsd, Event::Unexpected)));
    assert_eq!(driver.act(&tell).sends, [Output::SendGossip(Actor::Validator(0), gossip)]);
    let answer = (driver.act(&Action::Deliver { envelope: driver.next })).sends;
    assert!(
        matches!(&answer[0], Output::SendGossip(Actor::User(1), Gossip::Block(block)) if block.proposal.height == 1)
    );
}
