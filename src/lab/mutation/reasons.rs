//! Why a clause is there whose lack breaks none of the goals that the model has.
//!
//! Of most of them the chapters say that a goal needs them (chapter 1). The model's predicates are narrower than the goals, and
//! have no bytes; or another clause stands behind, and it would take the lack of both.

use bemr_spec::Clause;
use bemr_spec::Clause::*;

/// Clauses whose mutant is noticed by a difference alone, and why no goal breaks.
pub const DEFENCE: &[(Clause, &str)] = &[
    (
        MessageTypeIsExpected,
        "the types keep messages apart; what is handled out of place meets the checks of its own kind",
    ),
    (ScalarInRange, "a second signature on the same message says nothing new"),
    (SuiteMatches, "there is one suite in a network; a weaker one is a matter of numbers"),
    (NonceIsDerived, "it is about numbers, and the model has symbols: two signatures give the key away"),
    (
        ChallengeCoversKeyAndTag,
        "what is signed says itself which message and whose it is; a lifted signature meets another form",
    ),
    (CommitmentRecomputed, "the model looks at the clause of the signed message, which stands in its place"),
    (
        EncapsulationIsContextual,
        "a wrapped key names its context a second time, in the statement that is signed",
    ),
    (
        EnrolmentProvesPossession,
        "who is certified for a key of somebody else cannot use it; what they could claim is no goal of the model",
    ),
    (KeysHaveOneUse, "that one use of a key helps against another is a matter of numbers"),
    (
        RevocationListSignedByKdc,
        "a forged list takes rights away and gives none: KEY-06 is what it could weaken",
    ),
    (EnrolmentIsAdmitted, "who takes part in the model is fixed when it begins"),
    (
        RevocationListIsCurrent,
        "it keeps KEY-06 from being undone by silence, and the goals say nothing of revocation",
    ),
    (RoleMayRead, "nobody is granted what their role may not read: INI-11"),
    (RoleMayGrant, "a grant is by the owner, who could submit and so may grant: CLD-10, ROL-01"),
    (PeerIsNotSelf, "nobody calls themselves, and no place is at both ends: HSK-02, ROL-04"),
    (
        SessionEstablished,
        "a record before the finish is of nobody, and what it says has a signature of its own",
    ),
    (RecordIsAuthentic, "what is said in a session is signed as well, or answers a request: INI-01, CLD-08"),
    (SkipIsBounded, "it bounds work, of which no goal speaks"),
    (KeyNotExhausted, "no life is as long as a chain"),
    (RecordNamesSession, "another session has other keys: SES-02"),
    (StageFitsSession, "the stage is authenticated with the record: SES-02"),
    (DirectionIsIncoming, "each direction has its own keys: SES-02"),
    (SealNamesItsContext, "the custodian opens keys when all is over, and no goal looks at what it is given"),
    (RequiredRule, "what a contract says is the verdict: without the rule the record breaks none"),
    (ValueSetRule, "what a contract says is the verdict: without the rule the record breaks none"),
    (RangeRule, "what a contract says is the verdict: without the rule the record breaks none"),
    (NotInFutureRule, "what a contract says is the verdict: without the rule the record breaks none"),
    (SubmitterRule, "what a contract says is the verdict: without the rule the record breaks none"),
    (DateOrderRule, "what a contract says is the verdict: without the rule the record breaks none"),
    (OneOfRule, "what a contract says is the verdict: without the rule the record breaks none"),
    (SubjectRule, "what a contract says is the verdict: without the rule the record breaks none"),
    (DecisionIsFinal, "an honest BSD waits for finality itself: LED-08"),
    (QuorumIsUnanimous, "a certificate has one body, under which another vote does not verify: VOT-02"),
    (FailoverKeepsDigest, "a validator answers one question on a tid: BLK-07"),
    (HeaviestChainWins, "what is final stands whatever chain is in force: LED-12"),
    (FinalBlockStands, "a second chain has no quorum below a third of liars: LED-04, LED-15"),
    (StoreMatchesHead, "the goals end with what was made durable, and the model makes good what is damaged"),
    (StoredOnce, "the ledger decides a tid once, and the first record stands: LED-10"),
    (RevokeByOwner, "it takes a right away and gives none"),
    (ErasureByAuthority, "no goal forbids an erasure; that it stays seen is CLD-01"),
    (StatementAdvances, "sessions keep the order of one owner's statements: SES-03"),
    (EntryLinksPrevious, "the signed head is over the last entry: AUD-02, AUD-05"),
    (
        OneEntryPerTerminal,
        "an honest BSD ends a tid once; of a lying one the count is fixed by an anchor: AUD-03",
    ),
    (CountIsClosed, "what is anchored has to be shown: AUD-03"),
    (EntryAgreesWithLedger, "an auditor's goals are about what is missing, and this is about what is said"),
    (EventFitsState, "what comes out of turn meets the checks of its own kind"),
    (
        StoredBeforeSent,
        "who votes again after a restart votes on another T_block, and votes on another are not counted: VOT-03",
    ),
    (FailedStoreIsSilent, "stores of the model never fail"),
];
