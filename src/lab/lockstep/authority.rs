//! What the KDC and the administrators do in a random run, and what is published in their names.

use crate::lockstep::{flaw_draw, forged_term};
use bemr_model::{
    Action, Actor, Change, Command, Datagram, Edition, Enrolment, Execution, Flaws, Gossip, Key, Lifetimes,
    Members, Public, Role, Setup, Time, View,
};
use bemr_spec::Clause;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Keys that nobody has at the beginning are numbered from here.
const FRESH: u32 = 1_000;

/// Draws what the authorities do.
pub(super) struct Authority {
    setup: Setup,
    fresh: u32,
    /// The subjects of revoked certificates that have not enrolled again.
    lapsed: Vec<Actor>,
    listed: Time,
}

/// How long certificates and lists are valid in a run: mostly for ever, now and then so briefly that they expire in it.
pub(super) fn lifetimes(rng: &mut ChaCha8Rng) -> Lifetimes {
    match rng.random_range(0..16) {
        0 => Lifetimes { list: rng.random_range(5_000..60_000), ..Lifetimes::LONG },
        1 => Lifetimes { certificate: rng.random_range(20_000..200_000), ..Lifetimes::LONG },
        _ => Lifetimes::LONG,
    }
}

fn public(view: View) -> Option<Public> {
    match view {
        View::User { public, .. }
        | View::Bsd { public, .. }
        | View::Validator { public, .. }
        | View::Cloud { public, .. } => Some(public),
        View::Kdc { .. } => None,
    }
}

impl Authority {
    pub(super) const fn new(setup: Setup) -> Authority {
        Authority { setup, fresh: FRESH, lapsed: Vec::new(), listed: 0 }
    }

    /// Time passes, or the KDC issues the list that is due, in a run in which what it signs expires.
    pub(super) fn in_time(&mut self, rng: &mut ChaCha8Rng, model: &Execution) -> Option<Action> {
        let Lifetimes { certificate, list } = self.setup.lifetimes;
        let shortest = certificate.min(list);
        if shortest == Lifetimes::LONG.list {
            return None;
        }
        if model.now() > self.listed + list / 2 && rng.random_range(0..1000) < 30 {
            return Some(self.list(model));
        }
        let passes = rng.random_range(0..1000) < 4;
        passes.then(|| Action::Pass { time: rng.random_range(1..=shortest / 2) })
    }

    fn list(&mut self, model: &Execution) -> Action {
        self.listed = model.now();
        Action::Command { actor: Actor::Kdc, command: Command::IssueList }
    }

    /// What happens next.
    pub(super) fn next(&mut self, rng: &mut ChaCha8Rng, model: &Execution) -> Option<Action> {
        // Who has a revoked certificate enrols again soon.
        let renewed = !self.lapsed.is_empty() && rng.random_range(0..2) == 0;
        match rng.random_range(0..20) {
            _ if renewed => Some(self.enrol(rng, model)),
            0..7 => Some(self.enrol(rng, model)),
            7..9 => Some(self.revoke(rng, model)),
            9..11 => Some(self.list(model)),
            11..14 => self.change(rng, model),
            14..18 => self.lie_about_policy(rng, model),
            _ => lie_about_list(rng, model),
        }
    }

    /// What honest authorities do: revoke a certificate, issue a list, change a policy.
    pub(super) fn honest(&mut self, rng: &mut ChaCha8Rng, model: &Execution) -> Option<Action> {
        match rng.random_range(0..8) {
            0 => Some(self.revoke(rng, model)),
            1 => Some(self.list(model)),
            _ => self.change(rng, model),
        }
    }

    /// Somebody who has a certificate asks for another one, of other keys.
    pub(super) fn certify(&mut self, rng: &mut ChaCha8Rng) -> Option<Action> {
        let subject = Some(self.anybody(rng)).filter(|subject| !self.lapsed.contains(subject))?;
        let (signing, agreement) = (Key(self.fresh), Key(self.fresh + 1));
        self.fresh += 2;
        let role = Role::of(subject)?;
        let request = Enrolment { subject: Some(subject), role, signing, agreement, flaws: Flaws::NONE };
        Some(Action::Command { actor: Actor::Kdc, command: Command::Enrol(request) })
    }

    fn anybody(&self, rng: &mut ChaCha8Rng) -> Actor {
        match rng.random_range(0..10) {
            0 => Actor::Bsd,
            1 => Actor::Cloud,
            2..5 => Actor::Validator(rng.random_range(0..self.setup.validators)),
            _ => Actor::User(rng.random_range(0..self.setup.users)),
        }
    }

    fn revoke(&mut self, rng: &mut ChaCha8Rng, model: &Execution) -> Action {
        let subject = self.anybody(rng);
        self.lapsed.push(subject);
        self.listed = model.now();
        Action::Command { actor: Actor::Kdc, command: Command::RevokeCertificate { subject } }
    }

    fn enrol(&mut self, rng: &mut ChaCha8Rng, model: &Execution) -> Action {
        let expired = model.now() >= self.setup.lifetimes.certificate;
        let place = rng.random_range(0..self.lapsed.len().max(1));
        let lapsed = self.lapsed.get(place).copied().filter(|_| rng.random_range(0..10) < 8);
        let somebody = lapsed.unwrap_or_else(|| self.anybody(rng));
        let subject = Some(somebody).filter(|_| rng.random_range(0..20) > 0);
        let right = subject.and_then(Role::of).filter(|_| rng.random_range(0..8) > 0);
        let role = right.unwrap_or_else(|| Role::ALL[rng.random_range(0..Role::ALL.len())]);
        let (signing, agreement) = (Key(self.fresh), Key(self.fresh + 1));
        self.fresh += 2;
        let old = Key(match rng.random_range(0..2) {
            0 => rng.random_range(0..10),
            _ => rng.random_range(FRESH..=self.fresh),
        });
        let (signing, agreement) = match rng.random_range(0..16) {
            0 => (signing, signing),
            1 => (old, agreement),
            2 => (signing, old),
            _ => (signing, agreement),
        };
        let drawn = (rng.random_range(0..5) < 2).then(|| flaw_draw::draw(rng, "Enrolment")).flatten();
        let mut flaws = drawn.unwrap_or(Flaws::NONE);
        if (lapsed.is_some() || expired) && rng.random_range(0..2) == 0 {
            flaws = Flaws::of(Clause::EnrolmentProvesPossession);
        }
        if flaws.is_empty() && lapsed.is_some() && !expired {
            self.lapsed.swap_remove(place);
        }
        let request = Enrolment { subject, role, signing, agreement, flaws };
        Action::Command { actor: Actor::Kdc, command: Command::Enrol(request) }
    }

    /// A change that `fits` what `taker` knows, or may not, with approvals of administrators, or may not.
    fn draw_change(
        &self,
        rng: &mut ChaCha8Rng,
        model: &Execution,
        taker: Actor,
        fits: bool,
    ) -> Option<(Change, Members)> {
        let Public { height, policy, .. } = public(model.view(taker)?)?;
        let mut edition = |newest: Option<Edition>, likely: u32| {
            (rng.random_range(0..10) < likely).then(|| {
                let version = newest.map_or(0, |newest| newest.version);
                let version = match rng.random_range(0..16) {
                    _ if fits => version + 1,
                    0 => version,
                    1 => version + 2,
                    _ => version + 1,
                };
                let effective = match rng.random_range(0..10) {
                    0 if !fits => height,
                    _ => height + rng.random_range(1..=3),
                };
                Edition { version, effective }
            })
        };
        // A contract that rejects all submissions is replaced soon: otherwise the rest of the run has no records.
        let held_up = policy.abeyance.is_some_and(|newest| newest.version % 2 == 1);
        let change = Change {
            templates: edition(policy.templates, 5),
            abeyance: edition(policy.abeyance, if held_up { 9 } else { 2 }),
            admission: edition(policy.admission, 4),
        };
        let administrators = 3..self.setup.users;
        let mut approvals: Members = administrators.collect();
        if !fits && rng.random_range(0..3) == 0 {
            approvals = approvals.with(rng.random_range(0..self.setup.users.min(3)));
        }
        Some((change, approvals))
    }

    fn change(&self, rng: &mut ChaCha8Rng, model: &Execution) -> Option<Action> {
        let actor = Actor::User(rng.random_range(0..self.setup.users));
        let fits = rng.random_range(0..2) == 0;
        let (change, approvals) = self.draw_change(rng, model, actor, fits)?;
        Some(Action::Command { actor, command: Command::ChangePolicy { change, approvals } })
    }

    fn lie_about_policy(&self, rng: &mut ChaCha8Rng, model: &Execution) -> Option<Action> {
        let others: Vec<Actor> = model.system().actors().collect();
        let actor = Actor::User(self.setup.users - 1);
        let to = others[rng.random_range(0..others.len())];
        let flaws = match rng.random_range(0..4) {
            0 => Flaws::NONE,
            1 => Flaws::of(Clause::MandatoryAreChecked),
            _ => flaw_draw::draw(rng, "PolicyChange")?,
        };
        let (change, approvals) = self.draw_change(rng, model, to, !flaws.is_empty())?;
        // A flaw is that of an approval, or of something that is changed.
        (to != actor && !change.is_empty() && !approvals.is_empty()).then_some(())?;
        Some(Action::Publish { actor, to, gossip: Gossip::PolicyChange { change, approvals, flaws } })
    }
}

/// The KDC's list, with a flaw or two.
fn lie_about_list(rng: &mut ChaCha8Rng, model: &Execution) -> Option<Action> {
    let mut lists = model.envelopes().iter().rev().filter_map(|envelope| match &envelope.datagram {
        Datagram::Gossip(Gossip::RevocationList { list, flaws }) if flaws.is_empty() => Some(list),
        _ => None,
    });
    let list = forged_term::newer(lists.next()?);
    let forged = Flaws::of(Clause::RevocationListSignedByKdc);
    let flaws = if rng.random_range(0..3) == 0 { forged } else { flaw_draw::draw(rng, "RevocationList")? };
    let others: Vec<Actor> = model.system().actors().collect();
    let to = others[rng.random_range(0..others.len())];
    Some(Action::Publish { actor: Actor::Kdc, to, gossip: Gossip::RevocationList { list, flaws } })
}
