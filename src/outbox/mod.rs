//! The outbox: one row per article whose latest change has not reached the index.
//!
//! Every function works on the connection it is given: recording inside the writer's transaction, claiming and
//! completing inside the worker's. Rows hold ids, never content; the worker reads the article when it indexes it.

mod claim;
mod control;
mod lag;
mod record;
mod wait;

pub use claim::{Change, claim, complete, postpone, release_leases, set_back};
pub use control::{
    Request, any_submitted, begin_comparison, database_uuid, declined_model, end_comparison, is_submitted,
    last_error, resume_comparison, set_declined_model, set_last_error, submit, withdraw,
};
pub use lag::{
    ATTEMPTS_UNTIL_FAILED, ChangeState, Lag, due_in, lag, last_failure, newest_seq, pending_among, states,
};
pub use record::{expedite, record, record_all, record_everything, record_failed, seq_of};
pub use wait::{IndexWait, Ticket, WaitOutcome, is_current};

use std::time::{SystemTime, UNIX_EPOCH};

/// The time as the outbox keeps it: whole milliseconds since 1970.
pub fn unix_millis() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}
