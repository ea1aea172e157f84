//! What can be made.

use bemr_model::Flaws;
use bemr_spec::Clause;
use bemr_spec::Clause::*;
use bemr_spec::order::{self, Order};

/// These clauses in the sequence of their checks in `order`. Where a clause is checked more than once, it is the first of its
/// checks that a message is made to fail, or the one that `later` counts from 0.
const fn in_order<const N: usize>(
    order: &Order,
    mut clauses: [Clause; N],
    later: &[(Clause, usize)],
) -> [Clause; N] {
    let mut places = [0; N];
    let mut next = 0;
    while next < N {
        let (clause, mut occurrence, mut one) = (clauses[next], 0, 0);
        while one < later.len() {
            if later[one].0 as usize == clause as usize {
                occurrence = later[one].1;
            }
            one += 1;
        }
        let Some(place) = order.position(clause, occurrence) else {
            panic!("the order of checks has no such check");
        };
        let mut at = next;
        while at > 0 && places[at - 1] >= place {
            assert!(places[at - 1] != place, "a clause is listed twice");
            (places[at], clauses[at]) = (places[at - 1], clauses[at - 1]);
            at -= 1;
        }
        (places[at], clauses[at]) = (place, clause);
        next += 1;
    }
    clauses
}

/// The clauses of a kind of message, sequenced by the order of checks in brackets where there is one.
macro_rules! listed {
    ([] $clause:ident) => { &[$clause] };
    ([$order:ident $($checked_later:ident $occurrence:literal)*] $($clause:ident)+) => {
        &in_order(order::$order, [$($clause),+], &[$(($checked_later, $occurrence)),*])
    };
}

macro_rules! flaws {
    ($($kind:literal $order:tt: $($clause:ident)+;)+) => { &[$(($kind, listed!($order $($clause)+))),+] };
}

/// Of each kind of message, by its name, the clauses whose checks it can be made to fail, in the order of the chapter's table:
/// of two flaws the first here refuses the message. Which are listed is written here, their sequence comes from the table;
/// a clause that the table does not have stops the build. `Certificate` is a quorum certificate inside T_valid,
/// `Decision` one on its way into the ledger, `Close` the close of a `Block`.
///
/// What a message says, be it true or not, is no flaw, and so is not here: a tid that nobody knows (CLD-02, VOT-03), a reader without a grant (CLD-09). Nor is what hangs on the receiver's state alone: INI-03, INI-07,
/// BLK-07, CLD-07, CLD-12, VOT-06, LED-07, LED-12, LED-15, and of what goes to and comes from the authorities
/// KEY-02, KEY-03, KEY-10, TPL-07, TPL-08, ROL-03. These cannot be made:
///
/// | kind | clause | reason |
/// |---|---|---|
/// | T_valid | KEY-05 in another way | at the header's `issued` the user held a certificate, or nobody would have voted |
/// | Grant | INI-11 | every contract that is shipped lets every role read that ROL-02 lets |
/// | Grant, Revoke | ROL-05 | as ROL-01: it takes an owner whose role changed |
/// | Vote | ENC-03, GRP-04 | version and suite of a vote are VOT-03's |
/// | PolicyChange | TPL-09 for another network | it comes first, and this one last |
/// | T_initial | TPL-09 | a malformed template does not come into force |
/// | Record | SES-05 | SES-04 comes first by far |
/// | all | ENC-01, ENC-02 | they are of bytes, not of messages |
/// | all | KEY-11 | it hangs on the receiver's list alone |
pub const FLAWS: &[(&str, &[Clause])] = flaws! {
    "T_initial" [T_INITIAL RecordWithinSize 1]: ProtocolVersionIsOne SuiteMatches InitialSenderIsPeer
        RoleMaySubmit InitialNamesRecipient InitialWithinValidity TidIsDerived UserSignsInitial
        CiphertextIsTheSigned RecordOpensUnderItsKey RecordIsUtf8 RecordIsJson DepthWithinBound
        RecordWithinSize NoDuplicateKeys ResourceTypeIsKnown TemplateIsInForce AllContractsApplied
        TemplateFitsResource AttributeHasItsType RequiredAttributePresent CommitmentsMatchMapping
        GrantsNameAuthorisedReaders;
    "T_block" [T_BLOCK]: ProtocolVersionIsOne SuiteMatches BlockNamesNetwork BsdSignsBlock
        CertificateSignedByKdc CertificateWithinValidity CertificateNotRevoked SubjectIsClaimedPrincipal
        BlockCarriesUserSignature RoleMaySubmit TidIsDerived InitialNamesRecipient InitialWithinValidity
        HeightInWindow TemplateIsInForce AllContractsApplied SealDigestIsCarried CheckedAttributesOpened
        OpeningsMatchCommitments AttributeHasItsType RequiredAttributePresent;
    "Vote" [VOTE VoterIsAdmitted 1 VoteNamesBlock 1]: VoterIsAdmitted VoteNamesBlock VoteNamesHeight
        VoteNamesPolicy VoteSigned;
    "Certificate" [QUORUM]: VoterIsAdmitted SignersAreDistinct MoreThanTwoThirds VoteSigned;
    "T_valid" [T_VALID]: ProtocolVersionIsOne SuiteMatches BsdSignsValid CertificateSignedByKdc
        CertificateWithinValidity CertificateNotRevoked SubjectIsClaimedPrincipal ValidCarriesUserSignature
        TidIsDerived InitialNamesRecipient AckAnswersThisBlock AckIsTrue VoterIsAdmitted SignersAreDistinct
        MoreThanTwoThirds VoteSigned DecisionIsFinal EntryInclusionProven SealDigestIsCarried
        CiphertextMatchesSigned GrantsNameAuthorisedReaders;
    "Receipt" [RECEIPT]: HeadSignedByCloud LeafIsIncluded;
    "ReadResponse" [READ_RESPONSE ElementInRange 2 ElementInSubgroup 2]: ReadAnswersRequest
        HeadSignedByCloud HeadNotOlder LogIsAppendOnly LeafIsIncluded HeadIsAnchored CertificateSignedByKdc
        CertificateWithinValidity CertificateNotRevoked SubjectIsClaimedPrincipal ReadMatchesSigned
        ElementInRange ElementInSubgroup TagVerifiedBeforeUse ReadMatchesCommitments;
    "Grant" [GRANT]: ProtocolVersionIsOne SuiteMatches GrantByOwner StatementAdvances CertificateSignedByKdc
        CertificateWithinValidity CertificateNotRevoked SubjectIsClaimedPrincipal RoleMayRead;
    "Revoke" [REVOKE]: ProtocolVersionIsOne SuiteMatches RevokeByOwner StatementAdvances;
    "Erase" [ERASE]: ProtocolVersionIsOne SuiteMatches ErasureByAuthority CertificateSignedByKdc
        CertificateWithinValidity CertificateNotRevoked;
    "Answer" [ANSWER]: ReadAnswersRequest;
    "Outcome" []: EventFitsState;
    "Enrolment" [ENROLMENT]: ProtocolVersionIsOne SuiteMatches ElementInRange ElementInSubgroup
        EnrolmentProvesPossession;
    "RevocationList" [REVOCATION_LIST]: ProtocolVersionIsOne SuiteMatches OneEncodingPerValue
        RevocationListAdvances RevocationListSignedByKdc;
    "PolicyChange" [POLICY_CHANGE PolicyIsWellFormed 1]: ProtocolVersionIsOne
        PolicyChangeHasTwoAdministrators PolicyIsWellFormed MandatoryAreChecked;
    "Decision" [DECISION]: EntryHasQuorum;
    "CloudHead" []: HeadSignedByCloud;
    "AuditHead" []: AuditHeadSigned;
    "Proposal" [PROPOSAL]: VoterIsAdmitted VoteSigned ProtocolVersionIsOne SizeWithinBound
        BlockLinksPrevious HeightAdvancesByOne BlockTimeAdvances BlockHasQuorum MerkleRootMatches
        TidDecidedOnce AnchorAdvances EntryHasQuorum;
    "Closing" [CLOSING_SIGNATURE EventFitsState 1]: VoterIsAdmitted EventFitsState VoteSigned;
    "Block" [BLOCK WorkMeetsTarget 2]: ProtocolVersionIsOne SizeWithinBound BlockLinksPrevious
        HeightAdvancesByOne BlockTimeAdvances BlockHasQuorum TargetIsScheduled WorkMeetsTarget
        MerkleRootMatches TidDecidedOnce AnchorAdvances EntryHasQuorum;
    "Close" [BLOCK BlockHasQuorum 2]: WorkMeetsTarget BlockHasQuorum;
    "Hello" [HELLO]: SuiteNotDowngraded RoleFitsPlace ElementInRange ElementInSubgroup;
    "Response" [RESPONSE]: ElementInRange ElementInSubgroup FlightIsAuthentic CertificateSignedByKdc
        CertificateWithinValidity CertificateNotRevoked PeerIsNotSelf PeerIsIntended RoleFitsPlace
        ResponderSignsTranscript ResponderConfirmsKey;
    "Finish" [FINISH]: FlightIsAuthentic CertificateSignedByKdc CertificateWithinValidity
        CertificateNotRevoked PeerIsNotSelf RoleFitsPlace InitiatorSignsTranscript InitiatorConfirmsKey;
    "Record" [SESSION_RECORD]: SessionEstablished DirectionIsIncoming StageFitsSession SequenceAdvances
        SkipIsBounded RecordIsAuthentic;
};

/// How else a check can be made to fail: of a kind of message, beside a flaw, the clause of chapter 3 that its maker breaks.
/// Without one a signature is over another message, and a ciphertext has another bit.
pub const MANNERS: &[(&str, Clause, Clause)] = &[
    ("T_initial", UserSignsInitial, ScalarInRange),
    ("T_initial", UserSignsInitial, ChallengeCoversKeyAndTag),
    ("T_block", BsdSignsBlock, ScalarInRange),
    ("T_block", BsdSignsBlock, ChallengeCoversKeyAndTag),
    ("Vote", VoteSigned, ScalarInRange),
    ("Vote", VoteSigned, ChallengeCoversKeyAndTag),
    ("T_valid", BsdSignsValid, ScalarInRange),
    ("T_valid", BsdSignsValid, ChallengeCoversKeyAndTag),
    ("Receipt", HeadSignedByCloud, ScalarInRange),
    ("Receipt", HeadSignedByCloud, ChallengeCoversKeyAndTag),
    ("ReadResponse", HeadSignedByCloud, ScalarInRange),
    ("ReadResponse", HeadSignedByCloud, ChallengeCoversKeyAndTag),
    ("ReadResponse", TagVerifiedBeforeUse, EncapsulationIsContextual),
    ("CloudHead", HeadSignedByCloud, ScalarInRange),
    ("CloudHead", HeadSignedByCloud, ChallengeCoversKeyAndTag),
    ("AuditHead", AuditHeadSigned, ScalarInRange),
    ("AuditHead", AuditHeadSigned, ChallengeCoversKeyAndTag),
    ("Proposal", VoteSigned, ScalarInRange),
    ("Proposal", VoteSigned, ChallengeCoversKeyAndTag),
    ("Closing", VoteSigned, ScalarInRange),
    ("Closing", VoteSigned, ChallengeCoversKeyAndTag),
];

pub(super) fn is_manner(flaw: Clause) -> bool {
    MANNERS.iter().any(|(.., manner)| *manner == flaw)
}

/// Flaws of a T_initial that change its ciphertext, and so its tid: who says it says something new.
pub const RENEWING: &[Clause] = &[
    RecordOpensUnderItsKey,
    RecordIsUtf8,
    RecordIsJson,
    DepthWithinBound,
    RecordWithinSize,
    NoDuplicateKeys,
    ResourceTypeIsKnown,
    TemplateFitsResource,
    AttributeHasItsType,
    RequiredAttributePresent,
];

/// Flaws that make a message of megabytes, or of thousands of entries.
pub const COSTLY: &[(&str, Clause)] =
    &[("T_initial", RecordWithinSize), ("Proposal", SizeWithinBound), ("Block", SizeWithinBound)];

/// Flaws that the mutant of their clause refuses by the same clause, and why.
pub const STUBBORN: &[(&str, Clause, &str)] = &[
    ("T_initial", TemplateIsInForce, "a template that does not exist maps nothing"),
    ("T_initial", RecordIsJson, "what is no JSON has no members"),
    ("T_block", TemplateIsInForce, "a template that does not exist has no attributes"),
    ("Proposal", VoterIsAdmitted, "who is no member has no key"),
    ("Closing", VoterIsAdmitted, "who is no member has no key"),
    ("Closing", EventFitsState, "a signature of another header helps to close nothing"),
    ("Outcome", EventFitsState, "there is no submission that it could end"),
    ("Record", SessionEstablished, "what has no session has no key"),
];

/// Flaws that the receiver sees only in some states: kind, flaw, and what it takes.
pub const CONDITIONAL: &[(&str, Clause, &str)] = &[
    ("ReadResponse", HeadNotOlder, "the reader remembers a head; else it is not made"),
    (
        "ReadResponse",
        HeadIsAnchored,
        "the reader's ledger anchors the cloud's log; not made when the cloud's does not",
    ),
    ("Grant", StatementAdvances, "a grant to this reader was revoked"),
    ("Revoke", StatementAdvances, "a grant to this reader was revoked"),
];

/// Flaws that bring another with them, further down in the order of checks: kind, flaw, what it entails, and why.
pub const ENTAILS: &[(&str, Clause, Clause, &str)] = &[
    ("T_initial", RoleMaySubmit, GrantsNameAuthorisedReaders, "who may not submit may not read"),
    ("T_initial", ResourceTypeIsKnown, TemplateFitsResource, "no template is for it"),
    ("T_initial", RequiredAttributePresent, CommitmentsMatchMapping, "the record says something else"),
    ("T_initial", AttributeHasItsType, CommitmentsMatchMapping, "the record says something else"),
    ("T_valid", TidIsDerived, EntryInclusionProven, "the ledger has another certificate"),
    ("T_valid", InitialNamesRecipient, EntryInclusionProven, "the ledger has another certificate"),
    ("T_valid", AckIsTrue, EntryInclusionProven, "the ledger has another certificate"),
    ("T_valid", VoterIsAdmitted, EntryInclusionProven, "the ledger has another certificate"),
    ("T_valid", SignersAreDistinct, EntryInclusionProven, "the ledger has another certificate"),
    ("T_valid", MoreThanTwoThirds, EntryInclusionProven, "the ledger has another certificate"),
    ("T_valid", VoteSigned, EntryInclusionProven, "the ledger has another certificate"),
    ("ReadResponse", ReadMatchesSigned, TagVerifiedBeforeUse, "nothing else opens under this key"),
    ("ReadResponse", ElementInRange, TagVerifiedBeforeUse, "it encapsulates no key"),
    ("ReadResponse", ElementInSubgroup, TagVerifiedBeforeUse, "it encapsulates no key"),
    ("Grant", RoleMayRead, GrantsNameAuthorisedReaders, "no contract lets such a role read"),
    ("Enrolment", ElementInRange, EnrolmentProvesPossession, "nobody has its secret"),
    ("Enrolment", ElementInSubgroup, EnrolmentProvesPossession, "nobody has its secret"),
    ("RevocationList", ProtocolVersionIsOne, RevocationListSignedByKdc, "the KDC alone signs"),
    ("RevocationList", SuiteMatches, RevocationListSignedByKdc, "the KDC alone signs"),
    ("RevocationList", OneEncodingPerValue, RevocationListSignedByKdc, "the KDC alone signs"),
    ("RevocationList", RevocationListAdvances, RevocationListSignedByKdc, "the KDC alone signs"),
    ("PolicyChange", PolicyIsWellFormed, MandatoryAreChecked, "it took the place of a rule that checks"),
    ("Record", DirectionIsIncoming, RecordIsAuthentic, "the header is authenticated"),
    ("Record", StageFitsSession, RecordIsAuthentic, "the header is authenticated"),
    ("Record", SequenceAdvances, RecordIsAuthentic, "the header is authenticated"),
    ("Record", SkipIsBounded, RecordIsAuthentic, "the header is authenticated"),
    ("Response", ElementInRange, FlightIsAuthentic, "the proof is of another exchange"),
    ("Response", ElementInSubgroup, FlightIsAuthentic, "the proof is of another exchange"),
    ("Response", PeerIsNotSelf, PeerIsIntended, "nobody calls themselves"),
    ("Response", PeerIsIntended, RoleFitsPlace, "there is one cloud and one BSD"),
    ("Finish", PeerIsNotSelf, RoleFitsPlace, "nobody answers themselves"),
];

/// Pairs of which one message can have only one.
const CONFLICTS: &[(&str, Clause, Clause)] = &[
    // The patient is the attribute that both would be made of.
    ("T_initial", AttributeHasItsType, RequiredAttributePresent),
    ("T_block", AttributeHasItsType, RequiredAttributePresent),
    // Who may not read never had a grant that was revoked.
    ("Grant", StatementAdvances, RoleMayRead),
    // One number, one element.
    ("Record", SequenceAdvances, SkipIsBounded),
    ("Hello", ElementInRange, ElementInSubgroup),
    ("Response", ElementInRange, ElementInSubgroup),
    ("Enrolment", ElementInRange, ElementInSubgroup),
    ("ReadResponse", ElementInRange, ElementInSubgroup),
    // How a block is closed is one or the other.
    ("Block", BlockHasQuorum, TargetIsScheduled),
    ("Block", BlockHasQuorum, WorkMeetsTarget),
    ("Close", BlockHasQuorum, WorkMeetsTarget),
];

/// One certificate is shown, and it is wrong in one of these ways.
const ODD: &[Clause] = &[
    CertificateWithinValidity,
    CertificateNotRevoked,
    SubjectIsClaimedPrincipal,
    RoleMaySubmit,
    RoleFitsPlace,
];

/// The flaws that a message of this kind can be made with, in the order in which its receiver checks them.
pub fn flaws_of(kind: &str) -> &'static [Clause] {
    FLAWS.iter().find(|(name, _)| *name == kind).map_or(&[], |(_, listed)| listed)
}

/// Whether messages of this kind can be made with these flaws, by a forger who has all the keys.
pub fn makes(kind: &str, flaws: Flaws) -> bool {
    let listed = FLAWS.iter().find(|(name, _)| *name == kind);
    let conflict =
        |(name, one, other): &(&str, Clause, Clause)| *name == kind && flaws.has(*one) && flaws.has(*other);
    let manner =
        |flaw| MANNERS.iter().any(|(name, of, manner)| *name == kind && *manner == flaw && flaws.has(*of));
    listed.is_some_and(|(_, listed)| flaws.iter().all(|flaw| listed.contains(&flaw) || manner(flaw)))
        && !CONFLICTS.iter().any(conflict)
        && flaws.iter().filter(|flaw| ODD.contains(flaw)).count() < 2
}

pub(super) fn require(kind: &str, flaws: Flaws) -> Option<()> {
    makes(kind, flaws).then_some(())
}
