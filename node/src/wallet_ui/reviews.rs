//! Events that wait for their owner's consent. Each is kept here, not in the page: what is
//! signed is what was shown, and once.

use std::collections::VecDeque;

use axum::http::StatusCode;
use ddt_ledger::{Amount, Hash};

use super::trouble::Trouble;
use crate::cli::proposal::Proposal;

/// Most events kept; a new one pushes the oldest out.
const REVIEWS_MAX: usize = 32;

/// What became of an event that was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nobody has agreed yet.
    Waiting,
    /// It is being signed and sent.
    Underway,
    /// It was signed and sent; what went wrong then, if something did.
    Sent {
        /// Its id.
        event: Hash,
        /// What went wrong.
        trouble: Option<String>,
    },
    /// It was not signed, and never will be.
    Stopped(String),
}

/// An event that was shown.
pub struct Review {
    id: String,
    /// The event.
    pub proposal: Proposal,
    /// What its author had when it was made.
    pub balance: Amount,
    /// Why the rules would refuse it, if they would.
    pub refusal: Option<String>,
    /// What became of it.
    pub fate: Fate,
}

/// The events that were shown, newest last.
#[derive(Default)]
pub struct Reviews(VecDeque<Review>);

impl Reviews {
    /// Keeps an event until somebody agrees to it.
    pub fn keep(&mut self, id: &str, proposal: Proposal, balance: Amount, refusal: Option<String>) {
        if self.0.len() >= REVIEWS_MAX {
            self.0.pop_front();
        }
        let fate = Fate::Waiting;
        self.0.push_back(Review { id: id.to_string(), proposal, balance, refusal, fate });
    }

    /// The event with this id.
    ///
    /// # Errors
    /// There is none, for instance after the wallet was locked.
    pub fn find(&mut self, id: &str) -> Result<&mut Review, Trouble> {
        let found = self.0.iter_mut().find(|review| review.id == id);
        found.ok_or_else(|| {
            let words = "Nothing of that name waits here: the wallet was locked since, or many \
                         others came after it. If you agreed to it before, the history shows it.";
            Trouble::new(StatusCode::NOT_FOUND, words)
        })
    }

    /// Somebody agrees: whether for the first time. Only then is it to be signed.
    pub fn agree(&mut self, id: &str) -> Result<bool, Trouble> {
        let review = self.find(id)?;
        let is_first = review.fate == Fate::Waiting;
        if is_first {
            review.fate = Fate::Underway;
        }
        Ok(is_first)
    }
}
