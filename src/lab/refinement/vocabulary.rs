//! Enumerations that model and implementation have both, value by value under one name.

use bemr::wire;
use bemr_model::{ContentType, Decision};

macro_rules! same_names {
    ($($(#[$doc:meta])+ $function:ident: $from:path => $to:path { $($value:ident)+ $(, $more:ident => $as:ident)? })+) => {
        $($(#[$doc])+
        pub(crate) const fn $function(value: $from) -> $to {
            use $from as From;
            use $to as To;
            match value {
                $(From::$value => To::$value,)+
                $(From::$more => To::$as,)?
            }
        })+
    };
}

same_names! {
    /// What was decided.
    decision: wire::Decision => Decision { Committed Rejected Deferred Refused }
    /// The content type of a record.
    content_type: wire::ContentType => ContentType { Initial Block Valid Read, Handshake => Initial }
    /// The type of a session, which is that of its records.
    session_type: wire::SessionType => ContentType { Initial Block Valid Read }
    /// What a role is called on the wire.
    real_role: bemr_model::Role => wire::Role { Doctor Assistant Administrator Bsd Validator Cloud }
}
