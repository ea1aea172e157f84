//! Random sequences of what can happen, the model as reference and both sides in lockstep as what is tested. What fails is made
//! shorter, sequence and values alike, and left as a trace. The lockstep's own driver lives longer lives and knows more troubles;
//! this one draws each step from all that is possible then.
#![allow(clippy::unwrap_used, reason = "helpers of tests stop at what is not as expected")]

use bemr_lab::lockstep::{Lockstep, Register, Sides, SymbolicAction, forgery_of, trace_of};
use bemr_lab::trace::{Replay, Trace, rerun};
use bemr_model::{
    Action, Actor, Command, Corruption, Execution, LedgerKind, Lifetimes, Members, Order, Setup, Tid,
};
use bemr_spec::{Clause, Rules};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;
use proptest::test_runner::{TestCaseError, TestError, TestRunner};
use proptest_state_machine::{ReferenceStateMachine, Sequential, StateMachineTest, prop_state_machine};
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

/// The model, and what of it has a name.
#[derive(Clone)]
struct Reference {
    sides: Sides,
    setup: Setup,
    model: Execution,
    register: Register,
    /// What has not arrived yet.
    flying: Vec<u32>,
    /// The statements of the present instant.
    stated: BTreeSet<(Option<Actor>, Tid, Order)>,
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.setup.fmt(f)
    }
}

impl Reference {
    fn new(sides: Sides, setup: Setup) -> Reference {
        let model = Execution::new(sides.model, &setup);
        Reference {
            sides,
            setup,
            model,
            register: Register::default(),
            flying: Vec::new(),
            stated: BTreeSet::new(),
        }
    }

    fn apply(mut self, deed: &SymbolicAction) -> Reference {
        let Some(action) = deed.action(&self.model, &self.register) else { return self };
        let (sent, now) = (self.model.envelopes().len() as u32, self.model.now());
        self.stated.extend(statement(&action));
        if self.model.step(&action).is_some() {
            self.register.note(None, &action, &self.model);
            if let Action::Deliver { envelope } = action {
                self.flying.retain(|other| *other != envelope);
            }
            self.flying.extend(sent..self.model.envelopes().len() as u32);
        }
        if self.model.now() != now {
            self.stated.clear();
        }
        self
    }

    /// Whether it is possible and says something that was not said at this instant: two statements that say the same at one
    /// instant are one, and have one name.
    fn can(&self, deed: &SymbolicAction) -> bool {
        let action = deed.action(&self.model, &self.register);
        let said = action.as_ref().and_then(statement);
        deed.fits(&self.setup) && action.is_some() && said.is_none_or(|said| !self.stated.contains(&said))
    }

    /// What can happen now, each as often as it should.
    fn possible(&self) -> BoxedStrategy<SymbolicAction> {
        let model = &self.model;
        let sent = model.envelopes().len() as u32;
        let mut ways: Vec<(u32, BoxedStrategy<Action>)> = Vec::new();
        ways.push((if sent == 0 { 100 } else { 6 }, commands(&self.setup, model.submissions())));
        if let Some(first) = self.flying.first() {
            ways.push((60, Just(Action::Deliver { envelope: *first }).boxed()));
            let near = self.flying.iter().copied().take(8).collect::<Vec<_>>();
            ways.push((15, select(near).prop_map(|envelope| Action::Deliver { envelope }).boxed()));
        }
        let actors: Vec<Actor> = model.system().actors().collect();
        let waits = |actor: &Actor| Some((model.system().wakes(*actor)?, *actor));
        if let Some((_, actor)) = actors.iter().filter_map(waits).min() {
            let often = if self.flying.is_empty() { 60 } else { 3 };
            ways.push((often, Just(Action::Wake { actor, found: None }).boxed()));
        }
        if sent > 0 {
            let envelope = || (sent.saturating_sub(40)..sent).boxed();
            ways.push((4, envelope().prop_map(|envelope| Action::Deliver { envelope }).boxed()));
            let elsewhere = (envelope(), select(actors.clone()));
            ways.push((
                2,
                elsewhere.prop_map(|(envelope, to)| Action::Redirect { envelope, to, from: None }).boxed(),
            ));
            let corrupted = (envelope(), select(Corruption::ALL.to_vec()));
            ways.push((2, corrupted.prop_map(|(envelope, how)| Action::Corrupt { envelope, how }).boxed()));
            let mortal: Vec<Actor> = actors
                .iter()
                .copied()
                .filter(|actor| !matches!(actor, Actor::User(_) | Actor::Kdc))
                .collect();
            ways.push((1, select(mortal).prop_map(|actor| Action::Crash { actor, damage: None }).boxed()));
            let (state, otherwise) = (model.clone(), Action::Pass { time: 1 });
            ways.push((
                8,
                any::<u64>()
                    .prop_map(move |seed| forgery_of(seed, &state).unwrap_or_else(|| otherwise.clone()))
                    .boxed(),
            ));
        }
        let (state, register) = (model.clone(), self.register.clone());
        Union::new_weighted(ways)
            .prop_map(move |action| SymbolicAction::of(&action, &state, &register))
            .boxed()
    }
}

/// What an order says. An erasure does not even say who asks for it.
fn statement(action: &Action) -> Option<(Option<Actor>, Tid, Order)> {
    match action {
        Action::Command { command: Command::Order { tid, order: Order::Erase(_) }, .. } => {
            Some((None, *tid, Order::Erase(Members::default())))
        }
        Action::Command { actor, command: Command::Order { tid, order } } => {
            Some((Some(*actor), *tid, *order))
        }
        _ => None,
    }
}

fn commands(setup: &Setup, submissions: u16) -> BoxedStrategy<Action> {
    let user = (0..setup.users).prop_map(Actor::User);
    let readers = (0..1_u64 << setup.users.min(3)).prop_map(Members);
    // A record breaks the same rule each time.
    let breaks = |record: u16| (record == 3).then_some(Clause::RangeRule);
    let submit = (0..4_u16, readers);
    let submit =
        submit.prop_map(move |(record, readers)| Command::Submit { record, breaks: breaks(record), readers });
    if submissions == 0 {
        return (user, submit).prop_map(|(actor, command)| Action::Command { actor, command }).boxed();
    }
    let tid = (submissions.saturating_sub(4)..submissions).prop_map(Tid::nth);
    let other = 0..setup.users;
    let erased = (0..1_u64 << setup.users).prop_map(|who| Order::Erase(Members(who)));
    let order = prop_oneof![other.clone().prop_map(Order::Grant), other.prop_map(Order::Revoke), erased];
    let order = (tid.clone(), order).prop_map(|(tid, order)| Command::Order { tid, order });
    let command = prop_oneof![2 => submit, 2 => tid.prop_map(|tid| Command::Read { tid }), 2 => order];
    (user, command).prop_map(|(actor, command)| Action::Command { actor, command }).boxed()
}

fn setups() -> impl Strategy<Value = Setup> {
    (1..=5_u8, select(vec![1_u8, 3, 4]), any::<u64>(), any::<bool>()).prop_map(
        |(users, validators, seed, stranger)| Setup {
            users,
            validators,
            ledger: LedgerKind::Quorum,
            seed,
            established: !stranger,
            lifetimes: Lifetimes::LONG,
        },
    )
}

/// Both sides, and what was done to them.
struct Tested {
    sides: Sides,
    setup: Setup,
    both: Lockstep,
    register: Register,
    done: Vec<Action>,
    /// Where the trace is left when they part.
    left: PathBuf,
}

impl Tested {
    fn new(reference: &Reference, name: &str) -> Tested {
        let Reference { sides, setup, .. } = *reference;
        let both = Lockstep::new(sides, &setup).expect("a drawn network can be built");
        let left = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.jsonl"));
        Tested { sides, setup, both, register: Register::default(), done: Vec::new(), left }
    }

    fn act(&mut self, deed: &SymbolicAction) -> Result<(), String> {
        let Some(action) = deed.action(self.both.model(), &self.register) else { return Ok(()) };
        match self.both.step(&action) {
            Ok(None) => Ok(()),
            Ok(Some((action, _))) => {
                self.register.note(None, &action, self.both.model());
                self.done.push(action);
                Ok(())
            }
            Err(divergence) => {
                self.done.push(action);
                Err(self.leave(&divergence.to_string()))
            }
        }
    }

    fn check(&self) -> Result<(), String> {
        self.both.check().map_err(|divergence| self.leave(&divergence.to_string()))
    }

    /// The last sequence that failed is the shortest: each leaves its trace over that of the one before.
    fn leave(&self, divergence: &str) -> String {
        let trace = trace_of(self.sides, &self.setup, &self.done);
        let kept = std::fs::write(&self.left, trace.to_bytes());
        format!("{divergence}\n{kept:?}; again: cargo run -- replay {}", self.left.display())
    }
}

struct Machine;

impl ReferenceStateMachine for Machine {
    type State = Reference;
    type Transition = SymbolicAction;

    fn init_state() -> BoxedStrategy<Reference> {
        setups().prop_map(|setup| Reference::new(Rules::hardened().into(), setup)).boxed()
    }

    fn transitions(state: &Reference) -> BoxedStrategy<SymbolicAction> {
        state.possible()
    }

    fn preconditions(state: &Reference, deed: &SymbolicAction) -> bool {
        state.can(deed)
    }

    fn apply(state: Reference, deed: &SymbolicAction) -> Reference {
        state.apply(deed)
    }
}

impl StateMachineTest for Machine {
    type SystemUnderTest = Tested;
    type Reference = Machine;

    fn init_test(state: &Reference) -> Tested {
        Tested::new(state, "state-machine")
    }

    fn apply(mut tested: Tested, _: &Reference, deed: SymbolicAction) -> Tested {
        if let Err(found) = tested.act(&deed) {
            panic!("{found}");
        }
        tested
    }

    fn teardown(tested: Tested, _: Reference) {
        if let Err(found) = tested.check() {
            panic!("{found}");
        }
    }
}

prop_state_machine! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn model_and_implementation_agree_on_whatever_is_possible(sequential 1..160 => Machine);
}

/// The shortest sequence that this machine finds for a fault, as it left it.
fn shortest(clause: Clause) -> (String, Trace) {
    let law = Rules::hardened();
    let sides = Sides { model: law, implementation: law.without(clause) };
    let begin = move || setups().prop_map(move |setup| Reference::new(sides, setup)).boxed();
    let (may, next) = (Machine::preconditions, <Machine as ReferenceStateMachine>::apply);
    let sequences = Sequential::new((1..160).into(), begin, may, Machine::transitions, next);
    let config = ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() };
    let name = format!("state-machine-{}", clause.id());
    let failed = TestRunner::new_deterministic_with(config).run(&sequences, |(state, deeds, seen)| {
        let mut tested = Tested::new(&state, &name);
        for deed in &deeds {
            if let Some(seen) = &seen {
                seen.fetch_add(1, Ordering::SeqCst);
            }
            tested.act(deed).map_err(TestCaseError::fail)?;
        }
        tested.check().map_err(TestCaseError::fail)
    });
    let reason = match failed {
        Err(TestError::Fail(reason, _)) => reason.to_string(),
        other => panic!("{}: {other:?}", clause.id()),
    };
    let left = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.jsonl"));
    (reason, Trace::open(&left).unwrap())
}

/// A runner whose sequences are the same each time.
trait Deterministic {
    fn new_deterministic_with(config: ProptestConfig) -> Self;
}

impl Deterministic for TestRunner {
    fn new_deterministic_with(config: ProptestConfig) -> TestRunner {
        use proptest::test_runner::{RngAlgorithm, TestRng};
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        TestRunner::new_with_rng(config, rng)
    }
}

#[test]
fn a_fault_is_found_and_its_sequence_is_short_and_can_be_run_again() {
    for (clause, most) in
        [(Clause::SequenceAdvances, 12), (Clause::TidIsFresh, 12), (Clause::FirstDecisionStands, 16)]
    {
        let (reason, trace) = shortest(clause);
        println!("{}: {} steps: {reason}", clause.id(), trace.steps.len());
        assert!(reason.contains(clause.id()), "{reason}");
        assert!(trace.steps.len() <= most, "{}: {} steps", clause.id(), trace.steps.len());
        let step = trace.steps.len() as u64;
        assert!(matches!(rerun(&trace), Replay::Diverges { step: at, .. } if at == step));
    }
}
