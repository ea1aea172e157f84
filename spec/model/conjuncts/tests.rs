//! A state for each thing that a conjunct forbids, made from an honest run: it breaks that conjunct and no other of its goal.
#![allow(clippy::unwrap_used, reason = "the honest run has what is damaged here")]
#![allow(clippy::unit_arg, reason = "whether somebody was damaged is what is handed back")]

use super::*;
use crate::bsd::Bsd;
use crate::cloud::{Cloud, Stored};
use crate::policy::{Change, Edition, Taken};
use crate::session_manager::PeerSession;
use crate::system::Node;
use crate::user::User;
use crate::validator::Validator;
use crate::{
    Action, Actor, BlockId, Command, Execution, Flaws, GOALS, Lifetimes, Members, SHOWN, SessionId, Setup,
    Tid,
};
use bemr_spec::{Clause, Rules};
use std::sync::LazyLock;

/// The states of an honest run in which a record is committed and read.
static QUORUM: LazyLock<Vec<System>> = LazyLock::new(|| states(LedgerKind::Quorum));
static WORK: LazyLock<Vec<System>> = LazyLock::new(|| states(LedgerKind::Work));

fn states(ledger: LedgerKind) -> Vec<System> {
    let setup =
        Setup { users: 2, validators: 4, ledger, seed: 0, established: false, lifetimes: Lifetimes::LONG };
    let mut world = Execution::new(Rules::hardened(), &setup);
    let (mut states, mut next, mut woken) = (Vec::new(), 0, 0);
    let submit = Command::Submit { record: 1, breaks: None, readers: [1].into_iter().collect() };
    for (user, command) in [(0, submit), (1, Command::Read { tid: Tid::FIRST })] {
        world.step(&Action::Command { actor: Actor::User(user), command }).unwrap();
        while !(states.last().is_some_and(everything_ended_somewhere)
            && next as usize == world.envelopes().len())
        {
            if (next as usize) < world.envelopes().len() {
                world.step(&Action::Deliver { envelope: next }).unwrap();
                next += 1;
            } else {
                let waits = |actor| Some((world.system().wakes(actor)?, actor));
                let (_, actor) = world.system().actors().filter_map(waits).min().unwrap();
                woken += 1;
                let found = (ledger == LedgerKind::Work && woken % 5 == 0).then_some(woken);
                world.step(&Action::Wake { actor, found }).unwrap();
            }
            states.push(world.system().clone());
        }
        states.push(world.system().clone());
    }
    states
}

fn everything_ended_somewhere(system: &System) -> bool {
    !system.bsd().ended.is_empty() && EVERYTHING_ENDED.iter().all(|conjunct| conjunct.holds(system))
}

fn end() -> System {
    QUORUM.last().unwrap().clone()
}

fn first(is_it: impl Fn(&System) -> bool) -> System {
    QUORUM.iter().find(|system| is_it(system)).unwrap().clone()
}

fn with(change: impl Fn(&mut System)) -> System {
    let mut system = end();
    change(&mut system);
    system
}

fn asked() -> System {
    first(|system| !system.bsd().open.is_empty() && votes(system).next().is_some())
}

fn accepted() -> System {
    first(|system| system.bsd().open.values().any(is_accepted))
}

fn node<T>(mut system: System, change: impl Fn(&mut Node) -> Option<T>) -> System {
    let mut nodes = system.nodes.iter_mut();
    assert!(nodes.any(|node| change(Arc::make_mut(node)).is_some()), "nobody to damage");
    system
}

fn bsd(system: System, change: impl Fn(&mut Bsd)) -> System {
    node(system, |node| match node {
        Node::Bsd(bsd) => Some(change(bsd)),
        _ => None,
    })
}

fn cloud(system: System, change: impl Fn(&mut Cloud)) -> System {
    node(system, |node| match node {
        Node::Cloud(cloud) => Some(change(cloud)),
        _ => None,
    })
}

/// The first user of whom `change` does something.
fn user<T>(system: System, change: impl Fn(&mut User) -> Option<T>) -> System {
    node(system, |node| match node {
        Node::User(user) => change(user),
        _ => None,
    })
}

fn validator<T>(system: System, change: impl Fn(&mut Validator) -> Option<T>) -> System {
    node(system, |node| match node {
        Node::Validator(validator) => change(validator),
        _ => None,
    })
}

fn stored_header(change: impl Fn(&mut Header)) -> System {
    record(end(), |stored| change(&mut stored.certificate.question.header))
}

fn vote_header(change: impl Fn(&mut Header)) -> System {
    validator(end(), |validator| Some(change(&mut validator.votes.values_mut().next()?.question.header)))
}

fn open_header(change: impl Fn(&mut Header)) -> System {
    bsd(asked(), |bsd| change(&mut bsd.open.values_mut().next().unwrap().question.header))
}

fn record(system: System, change: impl Fn(&mut Stored)) -> System {
    cloud(system, |cloud| cloud.records.values_mut().for_each(&change))
}

/// Another certificate is stored, and the same one is in the ledger.
fn committed(change: impl Fn(&mut Certificate)) -> System {
    cloud(end(), |cloud| {
        for stored in cloud.records.values_mut() {
            change(&mut stored.certificate);
        }
        for block in &mut cloud.ledger.trunk {
            for entry in &mut Arc::make_mut(block).proposal.entries {
                if let Entry::Decision(certificate) = entry {
                    change(certificate);
                }
            }
        }
    })
}

fn acknowledged(change: impl Fn(&mut Option<Certificate>)) -> System {
    bsd(accepted(), |bsd| bsd.open.values_mut().for_each(|open| change(&mut open.acknowledgement)))
}

fn acknowledged_by(change: impl Fn(&mut Certificate)) -> System {
    acknowledged(|acknowledgement| change(acknowledgement.as_mut().unwrap()))
}

/// A session of one who began it, or answered, is another one.
fn session(initiator: bool, change: impl Fn(&mut SessionId, &mut PeerSession)) -> System {
    user_or_bsd(|sessions| {
        let (id, line) = sessions.sessions.iter().find(|(_, line)| line.initiator == initiator)?;
        let (old, mut id, mut line) = (*id, *id, line.clone());
        change(&mut id, &mut line);
        sessions.sessions.remove(&old);
        sessions.sessions.insert(id, line);
        Some(())
    })
}

fn user_or_bsd<T>(change: impl Fn(&mut SessionManager) -> Option<T>) -> System {
    node(end(), |node| match node {
        Node::Bsd(bsd) => change(&mut bsd.sessions),
        Node::User(user) => change(&mut user.sessions),
        _ => None,
    })
}

fn changed(change: impl Fn(&mut Taken)) -> System {
    let edition = Edition { version: 2, effective: 9 };
    let mut taken = Taken {
        change: Change { templates: Some(edition), abeyance: None, admission: None },
        approvals: [8, 9].into_iter().collect(),
        height: 3,
        flaws: Flaws::NONE,
    };
    change(&mut taken);
    registry(move |registry| registry.taken.push(taken))
}

fn registry(change: impl Fn(&mut Registry)) -> System {
    bsd(end(), |bsd| change(&mut bsd.ledger.policy))
}

const STRANGER: Actor = Actor::Validator(60);
const BREAKS: Option<Clause> = Some(Clause::RangeRule);
const ODD: Edition = Edition { version: 7, effective: 9 };

/// A name and how the state is made.
type Named = (&'static str, fn() -> System);

/// What every state is called in [`Conjunct::broken_by`].
const STATES: &[Named] = &[
    ("a vote on another record", || vote_header(|header| header.record = 77)),
    ("another record is stored", || stored_header(|header| header.record = 77)),
    ("another record is open", || open_header(|header| header.record = 77)),
    ("another record has ended", || {
        bsd(end(), |bsd| bsd.ended.values_mut().for_each(|ended| ended.question.header.record = 77))
    }),
    ("the KDC certified two keys", || {
        node(end(), |node| match node {
            Node::Kdc(kdc) => Some(kdc.doubled = true),
            _ => None,
        })
    }),
    ("a record is stored under two tids", || {
        cloud(end(), |cloud| {
            let mut stored = cloud.records[&Tid::FIRST].clone();
            stored.certificate.question.header.tid = Tid::UNKNOWN;
            cloud.records.insert(Tid::UNKNOWN, stored);
        })
    }),
    ("a validator votes twice", || validator(end(), |validator| Some(validator.voted_twice = true))),
    ("an end is logged twice", || bsd(end(), |bsd| bsd.audit.push(bsd.audit[0].clone()))),
    ("an open submission is logged", || {
        let logged = end().bsd().audit[0].clone();
        bsd(asked(), move |bsd| bsd.audit.push(logged.clone()))
    }),
    ("a user hears the contrary", || {
        user(end(), |user| Some(*user.ended.values_mut().next()? = Some(Decision::Rejected)))
    }),
    ("a late vote counts", || bsd(end(), |bsd| bsd.reconsidered = true)),
    ("a forged certificate is stored", || {
        committed(|certificate| certificate.flaws = Flaws::of(Clause::VoteSigned))
    }),
    ("a forged certificate is accepted", || {
        acknowledged_by(|certificate| certificate.flaws = Flaws::of(Clause::VoteSigned))
    }),
    ("a rejection is stored", || {
        committed(|certificate| certificate.ballot = Ballot::False(Clause::RangeRule))
    }),
    ("a rejection is accepted", || {
        acknowledged_by(|certificate| certificate.ballot = Ballot::False(Clause::RangeRule))
    }),
    ("too few signed what is stored", || {
        committed(|certificate| certificate.signatories = Members::default().with(0).with(1))
    }),
    ("too few signed what is accepted", || {
        acknowledged_by(|certificate| certificate.signatories = Members::default().with(0).with(1))
    }),
    ("what is stored breaks a rule", || committed(|certificate| certificate.question.header.breaks = BREAKS)),
    ("what is accepted breaks a rule", || {
        acknowledged_by(|certificate| certificate.question.header.breaks = BREAKS)
    }),
    ("what is stored names another block", || record(end(), |stored| stored.block = BlockId(0))),
    ("the block lacks the decision", || {
        cloud(end(), |cloud| {
            cloud.ledger.trunk.iter_mut().for_each(|block| Arc::make_mut(block).proposal.entries.clear());
        })
    }),
    ("the block is not final", || {
        cloud(WORK.last().unwrap().clone(), |cloud| {
            let id = cloud.records[&Tid::FIRST].block;
            let place = cloud.ledger.trunk.iter().position(|block| block.id == id).unwrap();
            cloud.ledger.trunk.truncate(place + CONFIRMATIONS);
        })
    }),
    ("no certificate is accepted", || acknowledged(|acknowledgement| *acknowledgement = None)),
    ("too few votes are counted", || {
        bsd(accepted(), |bsd| {
            bsd.open.values_mut().for_each(|open| open.votes.retain(|number, _| *number < 2))
        })
    }),
    ("a record is read that is not stored", || cloud(end(), |cloud| cloud.records.clear())),
    ("a record is read that was not granted", || record(end(), |stored| stored.ever = Members::default())),
    ("an administrator submits, and a validator votes", || {
        vote_header(|header| header.user = administrator())
    }),
    ("an administrator's submission is open", || open_header(|header| header.user = administrator())),
    ("a physician approves a policy", || {
        changed(|taken| taken.approvals = Members::default().with(0).with(1))
    }),
    ("a user remembers an old head", || user(end(), |user| user.remembered.take())),
    ("a record is taken twice", || session(true, |_, line| line.repeated = true)),
    ("a hello is answered twice", || {
        user_or_bsd(|sessions| Some(sessions.heard.values_mut().next()?.1 += 1))
    }),
    ("a hello displaced a session", || {
        user_or_bsd(|sessions| {
            let id = *sessions.sessions.keys().next()?;
            Some(sessions.displaced.insert(id))
        })
    }),
    ("an open question is not sealed", || {
        bsd(asked(), |bsd| bsd.open.values_mut().for_each(|open| open.question.sealed = false))
    }),
    ("what is stored is not sealed", || record(end(), |stored| stored.sealed = false)),
    ("a key is held", || bsd(end(), |bsd| bsd.held.extend([(Tid::FIRST, true)]))),
    ("a leaked key opens a record", || with(|system| system.betrayed = true)),
    ("another answers the hello", || session(true, |id, _| id.hello.to = STRANGER)),
    ("an initiator takes another for its peer", || session(true, |_, line| line.peer = STRANGER)),
    ("a responder takes another for its peer", || session(false, |_, line| line.peer = STRANGER)),
    ("an initiator has the session of others", || session(true, |id, _| id.hello.from = STRANGER)),
    ("a responder has the session of others", || session(false, |id, _| id.by = STRANGER)),
    ("a final block was undone", || bsd(end(), |bsd| bsd.ledger.undone = true)),
    ("two blocks of one height are final", || {
        bsd(end(), |bsd| Arc::make_mut(bsd.ledger.trunk.last_mut().unwrap()).id = BlockId(0))
    }),
    ("an end is not logged", || bsd(end(), |bsd| bsd.audit.clear())),
    ("what has not ended is logged", || {
        bsd(end(), |bsd| {
            let mut logged = bsd.audit[0].clone();
            logged.tid = Tid::UNKNOWN;
            bsd.audit.push(logged);
        })
    }),
    ("an erased record is served", || cloud(end(), |cloud| cloud.served_erased = true)),
    ("an erased record keeps its readers", || {
        let request = *end().users().find_map(|user| user.read.keys().next()).unwrap();
        record(end(), move |stored| stored.erased = Some(request))
    }),
    ("one approves a change", || changed(|taken| taken.approvals = Members::default().with(9))),
    ("a change is forged", || changed(|taken| taken.flaws = Flaws::of(Clause::PolicyIsWellFormed))),
    ("a change is empty", || changed(|taken| taken.change = Change::default())),
    ("a change holds at its own height", || changed(|taken| taken.height = 9)),
    ("a version of templates is left out", || registry(|registry| registry.templates.push(ODD))),
    ("a version of abeyance is left out", || registry(|registry| registry.abeyance.push(ODD))),
    ("a version of admission is left out", || registry(|registry| registry.admission.push(ODD))),
    ("a validator misjudges", || validator(end(), |validator| Some(validator.misjudged = true))),
    ("a contrary vote is overlooked", || bsd(end(), |bsd| bsd.overlooked = true)),
    ("somebody is convicted without proof", || {
        bsd(end(), |bsd| bsd.convicted.extend([((Tid::FIRST, STRANGER), false)]))
    }),
    ("the cloud's log deceives", || with(|system| system.deceived = [true, false])),
    ("the audit log deceives", || with(|system| system.deceived = [false, true])),
    ("a submission stays open", || {
        let open = asked().bsd().open.clone();
        bsd(end(), move |bsd| bsd.open.clone_from(&open))
    }),
    ("a user waits for a submission", || {
        let waiting = asked().users().next().unwrap().submissions.clone();
        user(end(), move |user| Some(user.submissions.clone_from(&waiting)))
    }),
    ("a user waits for an answer", || {
        let asking = |system: &System| {
            system.users().find(|user| !user.requests.is_empty()).map(|user| user.requests.clone())
        };
        let waiting = QUORUM.iter().find_map(asking).unwrap();
        user(end(), move |user| Some(user.requests.clone_from(&waiting)))
    }),
    ("nothing has ended", || bsd(end(), |bsd| bsd.ended.clear())),
    ("what breaks no rule is rejected", || {
        bsd(end(), |bsd| bsd.ended.values_mut().for_each(|ended| ended.decision = Decision::Rejected))
    }),
];

fn administrator() -> u8 {
    (0..=u8::MAX).find(|user| !may_handle_records(*user)).unwrap()
}

fn all() -> impl Iterator<Item = (&'static str, &'static [Conjunct])> {
    let goals = GOALS.iter().chain(SHOWN).map(|goal| (goal.name, goal.conjuncts));
    goals.chain(BESIDE_GOALS.iter().copied())
}

#[test]
fn every_conjunct_is_broken_by_each_of_its_states_and_no_other_of_its_goal_is() {
    let mut used = BTreeSet::new();
    for (goal, conjuncts) in all() {
        for conjunct in conjuncts {
            assert!(conjunct.holds(&end()), "{goal}: {conjunct:?}");
            assert!(!conjunct.broken_by.is_empty(), "{goal}: {conjunct:?}");
            for name in conjunct.broken_by {
                let (_, state) = STATES.iter().find(|(state, _)| state == name).unwrap();
                let state = state();
                let broken: Vec<_> = conjuncts.iter().filter(|one| !one.holds(&state)).collect();
                assert_eq!(format!("{broken:?}"), format!("[{conjunct:?}]"), "{goal}: {name}");
                used.insert(*name);
            }
        }
    }
    let known: BTreeSet<_> = STATES.iter().map(|(name, _)| *name).collect();
    assert_eq!(used, known);
    assert_eq!(known.len(), STATES.len(), "two states have one name");
}

#[test]
fn a_goal_with_a_broken_conjunct_is_not_kept_and_the_honest_run_keeps_all() {
    for goal in GOALS.iter().chain(SHOWN) {
        assert!(QUORUM.iter().chain(&*WORK).all(|system| goal.is_kept(system)), "{goal:?}");
        for name in goal.conjuncts.iter().flat_map(|conjunct| conjunct.broken_by) {
            let (_, state) = STATES.iter().find(|(state, _)| state == name).unwrap();
            assert!(!goal.is_kept(&state()), "{goal:?}: {name}");
        }
    }
    for (states, ended) in [(&QUORUM, 1), (&WORK, 1)] {
        assert_eq!(states.last().unwrap().bsd().ended.len(), ended);
        assert!(states.last().unwrap().users().any(|user| !user.read.is_empty()));
    }
}

#[test]
fn whatever_a_goal_forbids_to_believe_breaks_it_by_itself() {
    let mut tried = 0;
    for goal in GOALS {
        for (kind, clauses) in goal.forbids {
            for clause in *clauses {
                let state = user_or_bsd(|sessions| Some(sessions.believed.insert((*kind, *clause))));
                assert!(!goal.is_kept(&state), "{goal:?}: {kind} {clause:?}");
                assert!(goal.conjuncts.iter().all(|conjunct| conjunct.holds(&state)), "{goal:?}");
                tried += 1;
            }
        }
    }
    assert!(tried > 50, "{tried}");
}
