//! What the public log and the cloud's answers tell of grants, revocations and erasures: nothing to who only guesses.

use crate::testbed::{RULES, Testbed, sample};
use bemr::crypto::{Digest, Domain};
use bemr::wire::{
    CloudLeaf, Decision, Erase, EraseApproval, EraseBody, Message, Name, PROTOCOL_VERSION, Revoke,
    RevokeBody, encode,
};
use bemr_spec::Clause;

/// A stored record that a colleague may read, and the cast's doctor, colleague and cloud.
fn shared() -> (Testbed, Digest, [Name; 3]) {
    let mut bed = Testbed::new(RULES, 4);
    let cast = bed.network.keys.roster.clone();
    let tid = bed.stored(sample("Patient-example"), std::slice::from_ref(&cast.colleague));
    (bed, tid, [cast.doctor, cast.colleague, cast.cloud])
}

fn leaf(bed: &Testbed, index: u64) -> CloudLeaf {
    bed.network.store.read(|store| store.leaf(&RULES, index)).expect("a store in memory").expect("a leaf")
}

/// A revocation of the colleague's grant that the doctor seems to make, signed by `signer`.
fn revocation(bed: &Testbed, tid: Digest, [doctor, colleague, cloud]: &[Name; 3], signer: &Name) -> Revoke {
    let body = RevokeBody {
        version: PROTOCOL_VERSION,
        suite: bed.network.keys.credentials[doctor].identity().suite(),
        tid,
        owner: doctor.clone(),
        cloud: cloud.clone(),
        reader: colleague.clone(),
        issued: bed.now(),
    };
    Revoke { signature: bed.sign(signer, Domain::REVOKE, &encode(&body)), body }
}

fn erasure(bed: &Testbed, tid: Digest, cloud: &Name, by: &[&Name]) -> Erase {
    let body = EraseBody {
        version: PROTOCOL_VERSION,
        suite: bed.network.keys.credentials[by[0]].identity().suite(),
        tid,
        cloud: cloud.clone(),
        issued: bed.now(),
    };
    let approve = |who: &&Name| EraseApproval {
        authority: bed.network.keys.credentials[*who].certified().certificate().clone(),
        signature: bed.sign(who, Domain::ERASE, &encode(&body)),
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
    let (mut bed, tid, names) = shared();
    let [doctor, _, cloud] = names.clone();
    let administrator = bed.network.keys.roster.administrators[0].clone();

    let revoke = revocation(&bed, tid, &names, &doctor);
    bed.send(&doctor, &cloud, Message::Revoke(revoke.clone())).assert_accepted();
    assert_eq!(leaf(&bed, 1).content, Digest::of(Domain::REVOKE, &encode(&revoke)));
    assert_ne!(leaf(&bed, 1).content, Digest::of(Domain::REVOKE, &encode(&revoke.body)));

    let erase = erasure(&bed, tid, &cloud, &[&administrator, &doctor]);
    bed.send(&doctor, &cloud, Message::Erase(erase.clone())).assert_accepted();
    assert_eq!(leaf(&bed, 2).content, Digest::of(Domain::ERASE, &encode(&erase)));
}

#[test]
fn who_guesses_a_statement_is_not_told_that_it_was_carried_out() {
    let (mut bed, tid, names) = shared();
    let [doctor, _, cloud] = names.clone();
    let assistant = bed.network.keys.roster.assistant.clone();

    let revoke = revocation(&bed, tid, &names, &doctor);
    let guess = revocation(&bed, tid, &names, &assistant);
    assert_eq!(revoke.body, guess.body);
    bed.send(&doctor, &cloud, Message::Revoke(revoke.clone())).assert_accepted();
    let heard = bed.send(&assistant, &cloud, Message::Revoke(guess));
    heard.assert_refused(Clause::RevokeByOwner);
    answered(&heard.answers, Decision::Refused, Clause::RevokeByOwner.code());

    // The owner's own repetition is answered as before.
    let again = bed.send(&doctor, &cloud, Message::Revoke(revoke));
    again.assert_refused(Clause::StatementAdvances);
    answered(&again.answers, Decision::Committed, 0);
}
