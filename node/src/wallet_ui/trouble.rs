//! What went wrong, as a page says it.

use axum::http::StatusCode;

use crate::failure::{Failure, FailureKind};

/// What went wrong.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// The HTTP status.
    pub status: StatusCode,
    /// What is wrong, and what to do.
    pub words: String,
    /// Seconds after which to try again.
    pub wait_s: Option<u64>,
}

impl Trouble {
    /// Trouble of this status.
    pub fn new(status: StatusCode, words: impl Into<String>) -> Trouble {
        Trouble { status, words: words.into(), wait_s: None }
    }

    /// Something typed that makes no sense.
    pub fn input(words: impl Into<String>) -> Trouble {
        Trouble::new(StatusCode::UNPROCESSABLE_ENTITY, words)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Trouble {
        let status = match failure.kind {
            FailureKind::Usage | FailureKind::Refused => StatusCode::UNPROCESSABLE_ENTITY,
            FailureKind::NotFound => StatusCode::NOT_FOUND,
            FailureKind::Unreachable => StatusCode::BAD_GATEWAY,
            FailureKind::Wallet | FailureKind::Declined => StatusCode::FORBIDDEN,
            FailureKind::Fault | FailureKind::Proof => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Trouble::new(status, failure.to_string())
    }
}
