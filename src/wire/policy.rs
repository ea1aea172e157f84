//! Templates, contracts and changes of them.

use crate::crypto::{Digest, Signature};
use crate::wire::{Coding, Height, List, Name, Role, Text, Version};
use serde::{Deserialize, Serialize};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

/// Yes or no, one byte: 1 or 0.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Default,
    Serialize,
    Deserialize,
    TlsSerialize,
    TlsDeserializeBytes,
    TlsSize,
)]
#[serde(from = "bool", into = "bool")]
#[repr(u8)]
pub enum Flag {
    /// No.
    #[default]
    No = 0,
    /// Yes.
    Yes = 1,
}

impl Flag {
    /// Whether it is yes.
    pub const fn is_yes(self) -> bool {
        matches!(self, Flag::Yes)
    }
}

impl From<bool> for Flag {
    fn from(yes: bool) -> Flag {
        if yes { Flag::Yes } else { Flag::No }
    }
}

impl From<Flag> for bool {
    fn from(flag: Flag) -> bool {
        flag.is_yes()
    }
}

macro_rules! policy {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field:meta])* $id:ident: $ty:ty,)* })*) => {
        $($(#[$doc])*
        #[derive(
            Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TlsSerialize, TlsDeserializeBytes, TlsSize,
        )]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$field])* pub $id: $ty,)*
        })*
    };
}

policy! {
    /// One version of a template or contract.
    PolicyRef {
        /// Which template or contract.
        id: Name,
        /// Which version of it.
        version: Version,
    }

    /// A template: the attributes that a record of one resource type is mapped onto.
    Template {
        /// Its id, the same in all versions.
        id: Name,
        /// Its version.
        version: Version,
        /// The resource type that it fits.
        resource: Name,
        /// The first height at which it is in force.
        effective: Height,
        /// The attributes; the first has index 0.
        attributes: List<Attribute>,
    }

    /// One attribute of a template.
    Attribute {
        /// Its name, unique in the template.
        name: Name,
        /// Where in the record it stands.
        path: Text,
        /// The type of its items.
        #[serde(rename = "type")]
        kind: AttributeType,
        /// Whether every element that could hold it must.
        #[serde(default)]
        required: Flag,
        /// Whether some contract must check it.
        #[serde(default)]
        mandatory: Flag,
    }

    /// A contract: rules that a record must keep.
    Contract {
        /// Its id, the same in all versions.
        id: Name,
        /// Its version.
        version: Version,
        /// The first height at which it is in force.
        effective: Height,
        /// The ids of the templates that it applies to.
        templates: List<Name>,
        /// The rules, in the order in which they are tried.
        rules: List<Rule>,
    }

    /// One rule of a contract.
    Rule {
        /// When it applies: all of these hold.
        #[serde(default)]
        when: List<Condition>,
        /// What must then hold.
        check: Check,
    }

    /// A condition on one attribute.
    Condition {
        /// The attribute.
        attribute: Name,
        /// The test.
        is: Test,
        /// What it must have or lack; empty for the other tests.
        #[serde(default)]
        codes: List<Coding>,
    }

    /// Check of CON-02: the attribute is present.
    RequiredRule {
        /// The attribute.
        attribute: Name,
    }

    /// Check of CON-03: each item of the attribute is, or has a coding that is, one of the members.
    ValueSetRule {
        /// The attribute.
        attribute: Name,
        /// The value set.
        members: List<Coding>,
    }

    /// Check of CON-04: each number, or each measure of these codes in these units, lies in the range.
    RangeRule {
        /// The attribute.
        attribute: Name,
        /// For measures, which ones; empty for numbers.
        #[serde(default)]
        codes: List<Coding>,
        /// For measures, in which units; empty for numbers.
        #[serde(default)]
        units: List<Coding>,
        /// The lower bound.
        #[serde(default)]
        low: Option<Bound>,
        /// The upper bound.
        #[serde(default)]
        high: Option<Bound>,
    }

    /// One end of a range.
    Bound {
        /// The literal of a decimal number.
        value: Text,
        /// Whether the number itself is in the range.
        inclusive: Flag,
    }

    /// Check of CON-05: no moment of the attribute begins after the record was issued.
    NotFutureRule {
        /// The attribute.
        attribute: Name,
    }

    /// Check of CON-06: the submitter has one of the roles.
    SubmitterRule {
        /// The roles.
        roles: List<Role>,
    }

    /// Check of CON-07: no moment of `earlier` begins after a moment of `later` has ended.
    DateOrderRule {
        /// The attribute that comes first.
        earlier: Name,
        /// The attribute that comes after it.
        later: Name,
    }

    /// Check of CON-08: the number of these attributes that are present lies in a range.
    OneOfRule {
        /// The attributes.
        attributes: List<Name>,
        /// The least number.
        min: u8,
        /// The greatest number.
        max: u8,
    }

    /// Check of CON-09: the attribute is the patient whom the submitter signed.
    SubjectRule {
        /// The attribute.
        attribute: Name,
    }

    /// New versions of templates and contracts that administrators approve together.
    PolicyChange {
        /// The protocol version, 1.
        protocol: u16,
        /// The validating network whose policy changes.
        network: Name,
        /// New versions of templates.
        templates: List<Template>,
        /// New versions of contracts.
        contracts: List<Contract>,
    }

    /// A template or contract version and its digest.
    PolicyEntry {
        /// Which version.
        policy: PolicyRef,
        /// The digest of its encoding.
        digest: Digest,
    }

    /// What decides about a record: one template and all contracts that apply to it.
    PolicySet {
        /// The template.
        template: PolicyEntry,
        /// The contracts, in the order of their ids.
        contracts: List<PolicyEntry>,
    }
}

/// An administrator's approval of a change: a signature with tag `policy change` over the encoded
/// [`PolicyChange`].
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct PolicyApproval {
    /// Who approves.
    pub administrator: Name,
    /// The signature.
    pub signature: Signature,
}

/// A change of policy with its approvals.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct ApprovedChange {
    /// The change.
    pub change: PolicyChange,
    /// The approvals.
    pub approvals: List<PolicyApproval>,
}

macro_rules! kinds {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant:meta])* $id:ident = $code:literal,)* }) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize,
            TlsSerialize, TlsDeserializeBytes, TlsSize,
        )]
        #[serde(rename_all = "kebab-case")]
        #[repr(u8)]
        pub enum $name {
            $($(#[$variant])* $id = $code,)*
        }
    };
}

kinds! {
    /// The type of an attribute.
    AttributeType {
        /// `true` or `false`.
        Boolean = 1,
        /// A 32-bit integer.
        Integer = 2,
        /// A decimal number of any precision.
        Decimal = 3,
        /// Text that is not empty.
        String = 4,
        /// A code: text without leading, trailing or double white space.
        Code = 5,
        /// Text without white space.
        Uri = 6,
        /// A year, a month or a day.
        Date = 7,
        /// A date, or a day with time and zone.
        DateTime = 8,
        /// A day with time and zone.
        Instant = 9,
        /// A concept: its codings.
        Concept = 10,
        /// An element with `code` and `valueQuantity`.
        Measure = 11,
        /// A reference: the name of what it refers to.
        Reference = 12,
        /// As a reference, and never absent: the patient whom the record is about.
        Patient = 13,
        /// The name of the member that is present.
        Choice = 14,
    }
}

kinds! {
    /// The test of a condition.
    Test {
        /// The attribute is present.
        Present = 1,
        /// It is absent.
        Absent = 2,
        /// It has one of the codes.
        Has = 3,
        /// It has none of them.
        Lacks = 4,
    }
}

/// What a rule checks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TlsSerialize, TlsDeserializeBytes, TlsSize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Check {
    /// CON-02.
    #[tls_codec(discriminant = 2)]
    Required(RequiredRule),
    /// CON-03.
    #[tls_codec(discriminant = 3)]
    ValueSet(ValueSetRule),
    /// CON-04.
    #[tls_codec(discriminant = 4)]
    Range(RangeRule),
    /// CON-05.
    #[tls_codec(discriminant = 5)]
    NotFuture(NotFutureRule),
    /// CON-06.
    #[tls_codec(discriminant = 6)]
    Submitter(SubmitterRule),
    /// CON-07.
    #[tls_codec(discriminant = 7)]
    DateOrder(DateOrderRule),
    /// CON-08.
    #[tls_codec(discriminant = 8)]
    OneOf(OneOfRule),
    /// CON-09.
    #[tls_codec(discriminant = 9)]
    Subject(SubjectRule),
}

impl Template {
    /// Its id and version.
    pub fn policy(&self) -> PolicyRef {
        PolicyRef { id: self.id.clone(), version: self.version }
    }

    /// The attribute of this name, with its index.
    pub fn attribute(&self, name: &Name) -> Option<(u16, &Attribute)> {
        (0u16..).zip(self.attributes.iter()).find(|(_, attribute)| attribute.name == *name)
    }
}

impl Contract {
    /// Its id and version.
    pub fn policy(&self) -> PolicyRef {
        PolicyRef { id: self.id.clone(), version: self.version }
    }
}

impl std::fmt::Display for PolicyRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.id, self.version)
    }
}
