//! What the public log and the cloud's answers tell of grants, revocations and erasures: nothing to who only guesses.

use crate::common::{RULES, Stage, sample};
use bemr::crypto::{Digest, Domain};
use bemr::wire::{
    CloudLeaf, Decision, Erase, EraseApproval, EraseBody, Message, Name, PROTOCOL_VERSION, Revoke,
    RevokeBody, encode,
};
use bemr_spec::Clause;

/// A stored record that a colleague may read, and the cast's doctor, colleague and cloud.
fn shared() -> (Stage, Digest, [Name; 3]) {
    let mut stage = Stage::new(RULES);
    let cast = stage.town.cast.clone();
    let tid = stage.stored(sample("Patient-example"), std::slice::from_ref(&cast.colleague));
    (stage, tid, [cast.doctor, cast.colleague, cast.cloud])
}

fn leaf(stage: &Stage, index: u64) -> CloudLeaf {
    stage.archive.read(|store| store.leaf(&RULES, index)).expect("a store in memory").expect("a leaf")
}

/// A revocation of the colleague's grant that the doctor seems to make, signed by `signer`.
fn revocation(stage: &Stage, tid: Digest, [doctor, colleague, cloud]: &[Name; 3], signer: &Name) -> Revoke {
    let body = RevokeBody {
        version: PROTOCOL_VERSION,
        suite: stage.town.credentials[doctor].identity().suite(),
        tid,
        owner: doctor.clone(),
        cloud: cloud.clone(),
        reader: colleague.clone(),
        issued: stage.now(),
    };
    Revoke { signature: stage.sign(signer, Domain::REVOKE, &encode(&body)), body }
}

fn erasure(stage: &Stage, tid: Digest, cloud: &Name, by: &[&Name]) -> Erase {
    let body = EraseBody {
        version: PROTOCOL_VERSION,
        suite: stage.town.credentials[by[0]].identity().suite(),
        tid,
        cloud: cloud.clone(),
        issued: stage.now(),
    };
    let approve = |who: &&Name| EraseApproval {
        authority: stage.town.credentials[*who].certified().certificate().clone(),
        signature: stage.sign(who, Domain::ERASE, &encode(&body)),
    };
    Erase { approvals: by.iter().map(approve).collect::<Vec<_>>().into(), body }
}

#[track_caller]
fn answered(answers: &[Message], decision: Decision, reason: u16) {
    let [Message::Answer(answer)] = answers else { panic!("one answer") };
    assert_eq!((answer.decision, answer.reason), (decision, bemr::wire::Reason::from_code(reason)));
}

#[test]
fn a_leaf_names_the_whole_signed_statement_and_not_its_guessable_body() {
    let (mut stage, tid, names) = shared();
    let [doctor, _, cloud] = names.clone();
    let administrator = stage.town.cast.administrators[0].clone();

    let revoke = revocation(&stage, tid, &names, &doctor);
    stage.say(&doctor, &cloud, Message::Revoke(revoke.clone())).assert_taken();
    assert_eq!(leaf(&stage, 1).content, Digest::of(Domain::REVOKE, &encode(&revoke)));
    assert_ne!(leaf(&stage, 1).content, Digest::of(Domain::REVOKE, &encode(&revoke.body)));

    let erase = erasure(&stage, tid, &cloud, &[&administrator, &doctor]);
    stage.say(&doctor, &cloud, Message::Erase(erase.clone())).assert_taken();
    assert_eq!(leaf(&stage, 2).content, Digest::of(Domain::ERASE, &encode(&erase)));
}

#[test]
fn who_guesses_a_statement_is_not_told_that_it_was_carried_out() {
    let (mut stage, tid, names) = shared();
    let [doctor, _, cloud] = names.clone();
    let assistant = stage.town.cast.assistant.clone();

    let revoke = revocation(&stage, tid, &names, &doctor);
    let guess = revocation(&stage, tid, &names, &assistant);
    assert_eq!(revoke.body, guess.body);
    stage.say(&doctor, &cloud, Message::Revoke(revoke.clone())).assert_taken();
    let heard = stage.say(&assistant, &cloud, Message::Revoke(guess));
    heard.assert_refused(Clause::RevokeByOwner);
    answered(&heard.answers, Decision::Refused, Clause::RevokeByOwner.code());

    // The owner's own repetition is answered as before.
    let again = stage.say(&doctor, &cloud, Message::Revoke(revoke));
    again.assert_refused(Clause::StatementAdvances);
    answered(&again.answers, Decision::Committed, 0);
}
