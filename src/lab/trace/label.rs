//! What distinguishes a message from others of its name: submission, verdict, height, head. Every view of a trace and every
//! error text takes it from here.

use bemr_model::{
    Ballot, BlockId, Certificate, Change, Command, Datagram, Decision, Entry, Flaws, Gossip, Head, Message,
    Order, Ordinal, Output, Packet, Proposal, Public, Question, Tid, View,
};
use bemr_spec::Clause;

/// The name of a submission in labels.
pub fn submission(tid: Tid) -> String {
    format!("tid#{tid}")
}

/// What travels.
pub fn datagram(datagram: &Datagram) -> String {
    match datagram {
        Datagram::Packet(sent) => packet(sent),
        Datagram::Gossip(said) => gossip(said),
    }
}

/// What an actor sends.
pub fn output(output: &Output) -> String {
    match output {
        Output::Send(_, sent) => packet(sent),
        Output::SendGossip(_, said) | Output::Publish(said) => gossip(said),
    }
}

/// A packet.
pub fn packet(sent: &Packet) -> String {
    let name = sent.name();
    match sent {
        Packet::Hello { hello, purpose } => {
            format!("{name} {} ({})", ordinal(hello.number), format!("{purpose:?}").to_lowercase())
        }
        Packet::Response { session } | Packet::Finish { session, .. } => {
            format!("{name} {} to Hello {}", ordinal(session.number), ordinal(session.hello.number))
        }
        Packet::Record(record) => message(&record.message),
    }
}

/// A message of a session.
pub fn message(message: &Message) -> String {
    let name = message.name();
    let (said, flaws) = match message {
        Message::Initial { header, flaws } => {
            (format!("{} record {}", submission(header.tid), header.record), *flaws)
        }
        Message::Outcome { tid, decision, reason, height } => {
            let block = if *height == 0 { String::new() } else { format!(" at height {height}") };
            (format!("{} {}{block}", submission(*tid), ended(*decision, *reason)), Flaws::NONE)
        }
        Message::Block { question, flaws } => (asked(question), *flaws),
        Message::Vote(vote) => {
            let on = ordinal(vote.question.number);
            (format!("{} {} on {on}", submission(vote.question.header.tid), ballot(vote.ballot)), vote.flaws)
        }
        Message::Valid { certificate: said, height, block, flaws, .. } => {
            (format!("{} at height {height}, {}", certificate(said), named(*block)), *flaws)
        }
        Message::Receipt { tid, index, block, flaws, .. } => {
            (format!("{} leaf {index}, {}", submission(*tid), named(*block)), *flaws)
        }
        Message::Read { request, tid, .. } => {
            (format!("{} request {}", submission(*tid), ordinal(request.number)), Flaws::NONE)
        }
        Message::Record { request, tid, head: shown, flaws, .. } => {
            let number = ordinal(request.number);
            (format!("{} request {number}, head {}", submission(*tid), head(shown)), *flaws)
        }
        Message::Order { request, tid, order, flaws, .. } => {
            let whom = match order {
                Order::Grant(reader) | Order::Revoke(reader) => format!(" user {reader}"),
                Order::Erase(_) => String::new(),
            };
            (format!("{}{whom} request {}", submission(*tid), ordinal(request.number)), *flaws)
        }
        Message::Answer { request, tid, decision, reason } => {
            let number = ordinal(request.number);
            (format!("{} request {number} {}", submission(*tid), ended(*decision, *reason)), Flaws::NONE)
        }
    };
    format!("{name} {said}{}", broken(flaws))
}

/// A public message.
pub fn gossip(gossip: &Gossip) -> String {
    let name = gossip.name();
    let (said, flaws) = match gossip {
        Gossip::Decision(said) => (certificate(said), said.flaws),
        Gossip::Head { head: said, flaws } => (head(said), *flaws),
        Gossip::Proposal { proposal, flaws, .. } => {
            (format!("height {}, {}", proposal.height, named(proposal.id())), *flaws)
        }
        Gossip::Closing { height, block, flaws, .. } => {
            (format!("height {height}, {}", named(*block)), *flaws)
        }
        Gossip::Block(block) => {
            (format!("height {}, {}", block.proposal.height, named(block.id)), block.flaws)
        }
        Gossip::BlocksFrom(height) => (format!("height {height}"), Flaws::NONE),
        Gossip::PolicyChange { change, flaws, .. } => (change_of(change), *flaws),
        Gossip::RevocationList { list, flaws } => {
            (format!("no. {}, {} revoked", list.number, list.serials.len()), *flaws)
        }
    };
    format!("{name} {said}{}", broken(flaws))
}

/// What an actor does of its own accord. `next` is the submission that it makes, should it make one.
pub fn command(command: &Command, next: Tid) -> String {
    match command {
        Command::Submit { record, .. } => format!("Submit record {record} as {}", submission(next)),
        Command::Read { tid } => format!("Read {}", submission(*tid)),
        Command::Order { tid, order: Order::Grant(user) } => {
            format!("Grant {} to user {user}", submission(*tid))
        }
        Command::Order { tid, order: Order::Revoke(user) } => {
            format!("Revoke {} from user {user}", submission(*tid))
        }
        Command::Order { tid, order: Order::Erase(_) } => format!("Erase {}", submission(*tid)),
        Command::ChangePolicy { change, .. } => format!("Change the policy: {}", change_of(change)),
        Command::CloseAudit => "Close the audit log".to_owned(),
        Command::Enrol(enrolment) => enrolment.subject.map_or_else(
            || "Certify an unregistered subject".to_owned(),
            |subject| format!("Certify {subject}"),
        ),
        Command::RevokeCertificate { subject } => format!("Revoke the certificate of {subject}"),
        Command::IssueList => "Issue a CRL".to_owned(),
    }
}

/// What can be seen of an actor.
pub fn state(view: &View) -> String {
    let each = |items: Vec<String>| if items.is_empty() { "none".to_owned() } else { items.join(", ") };
    let states = |list: &[(Tid, &str)]| {
        each(list.iter().map(|(tid, state)| format!("{} {state}", submission(*tid))).collect())
    };
    match view {
        View::User { public, open, ended: over, requests, remembered } => {
            let ended = |(tid, how): &(Tid, Option<Decision>)| {
                format!("{} {}", submission(*tid), how.map_or("unknown".to_owned(), |how| ended(how, None)))
            };
            format!(
                "{}; open: {}; ended: {}; open requests: {}; remembers {remembered} leaves",
                ledger(public),
                each(open.iter().copied().map(submission).collect()),
                each(over.iter().map(ended).collect()),
                each(requests.iter().map(|request| ordinal(request.number)).collect()),
            )
        }
        View::Bsd { public, submissions, audit, evidence } => format!(
            "{}; submissions: {}; {audit} audit entries; {evidence} pieces of evidence",
            ledger(public),
            states(submissions)
        ),
        View::Validator { public, votes, closing, signed, signatures, waiting: (decisions, anchors) } => {
            let votes = votes.iter().map(|(tid, said)| format!("{} {}", submission(*tid), ballot(*said)));
            let signed =
                signed.map_or("nothing".to_owned(), |(height, id)| format!("height {height}, {}", named(id)));
            format!(
                "{}; votes: {}; closing: {closing}; last signed: {signed}; {signatures} signatures; waiting: {decisions} \
                 decisions, {anchors} anchors",
                ledger(public),
                each(votes.collect())
            )
        }
        View::Cloud { public, records, leaves } => {
            format!("{}; records: {}; {leaves} leaves", ledger(public), states(records))
        }
        View::Kdc { revoked, list, .. } => format!("{} certificates revoked; CRL no. {list}", revoked.len()),
    }
}

fn ledger(public: &Public) -> String {
    let Public { height, final_height, tip, list, .. } = public;
    format!("height {height} (final {final_height}), {}; CRL no. {list}", named(*tip))
}

/// The submissions that a message is about. Signatures for a block name it by its digest alone: `block` knows those in it.
pub(super) fn about(datagram: &Datagram, block: impl Fn(BlockId) -> Vec<Tid>) -> Vec<Tid> {
    match datagram {
        Datagram::Packet(Packet::Record(record)) => vec![subject(&record.message)],
        Datagram::Gossip(Gossip::Decision(certificate)) => vec![certificate.question.header.tid],
        Datagram::Gossip(Gossip::Proposal { proposal, .. }) => decided(proposal),
        Datagram::Gossip(Gossip::Block(closed)) => decided(&closed.proposal),
        Datagram::Gossip(Gossip::Closing { block: id, .. }) => block(*id),
        Datagram::Packet(_) | Datagram::Gossip(_) => Vec::new(),
    }
}

/// The submission that a message of a session is about.
pub(super) fn subject(message: &Message) -> Tid {
    match message {
        Message::Initial { header, .. } => header.tid,
        Message::Block { question, .. } => question.header.tid,
        Message::Vote(vote) => vote.question.header.tid,
        Message::Valid { certificate, .. } => certificate.question.header.tid,
        Message::Outcome { tid, .. }
        | Message::Receipt { tid, .. }
        | Message::Read { tid, .. }
        | Message::Record { tid, .. }
        | Message::Order { tid, .. }
        | Message::Answer { tid, .. } => *tid,
    }
}

/// The submissions that a block decides.
pub(super) fn decided(proposal: &Proposal) -> Vec<Tid> {
    let tid = |entry: &Entry| match entry {
        Entry::Decision(certificate) => Some(certificate.question.header.tid),
        Entry::Anchor(_) => None,
    };
    proposal.entries.iter().filter_map(tid).collect()
}

fn asked(question: &Question) -> String {
    format!("{} {}", submission(question.header.tid), ordinal(question.number))
}

fn certificate(said: &Certificate) -> String {
    format!("{} {}", submission(said.question.header.tid), ballot(said.ballot))
}

fn ballot(ballot: Ballot) -> String {
    match ballot {
        Ballot::True => "true".to_owned(),
        Ballot::False(clause) => format!("false {}", clause.id()),
    }
}

fn ended(decision: Decision, reason: Option<Clause>) -> String {
    let decision = format!("{decision:?}").to_lowercase();
    reason.map_or(decision.clone(), |reason| format!("{decision} {}", reason.id()))
}

fn head(head: &Head) -> String {
    let closed = if head.closed { " closed" } else { "" };
    format!("size {}{closed} at {} ms", head.size, head.time)
}

/// A block by the first digits of its digest.
fn named(BlockId(digest): BlockId) -> String {
    format!("block {:04x}", digest >> 48)
}

fn ordinal(number: Ordinal) -> String {
    let forged = if number.is_forged() { " forged" } else { "" };
    let place = serde_json::to_value(number.genuine()).expect("an ordinal has a JSON form");
    format!("no. {place}{forged}")
}

fn change_of(change: &Change) -> String {
    let name = format!("{change:?}");
    name.split(['{', '(']).next().unwrap_or(&name).trim().to_owned()
}

fn broken(flaws: Flaws) -> String {
    let clauses: Vec<&str> = flaws.iter().map(Clause::id).collect();
    if clauses.is_empty() { String::new() } else { format!(" (breaks {})", clauses.join(", ")) }
}
