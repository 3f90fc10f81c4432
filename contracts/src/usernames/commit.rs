//! The commit: a claim is hidden in it until nobody can run ahead of it.

use ddt_ledger::book::Book;
use ddt_ledger::context::Context;
use ddt_ledger::registry::Event;
use ddt_ledger::stamp::{Stamp, StampWeight};
use ddt_ledger::{Hash, Refusal, event, refusals};

use super::record::{COMMITS, CommitRow};
use super::{EXPIRE_COMMIT, NO_STAMP, expire};

event! {
    /// Publishes the hash of a claim that nobody can read from it.
    Commit = "usernames.commit", Owner, "Commit to a username that nobody can read from this"
    {
        /// Hash of author, row, ciphertext and salt.
        hash: Hash,
        /// Heavy: usernames are free, so taking many costs work.
        stamp: Option<Stamp>,
    }
}

refusals! {
    COMMIT_EXISTS = "usernames.commit_exists",
        "This very commit waits for its claim already; go on with the claim.";
}

impl Event for Commit {
    const REFUSALS: &'static [Refusal] = &[NO_STAMP, COMMIT_EXISTS];
    const STAMP: Option<StampWeight> = Some(StampWeight::Heavy);

    fn check(&self) -> Result<(), Refusal> {
        if self.stamp.is_some() { Ok(()) } else { Err(NO_STAMP) }
    }

    fn stamp(&self) -> Option<Stamp> {
        self.stamp.clone()
    }

    fn apply(&self, cx: &Context, book: &mut Book) -> Result<(), Refusal> {
        let key = (cx.origin()?.author, self.hash);
        let waiting = COMMITS.get(book, &key).filter(|commit| cx.clock < commit.expires);
        if waiting.is_some() {
            return Err(COMMIT_EXISTS);
        }
        let expires = cx.clock.plus(cx.params.commit_life_ms);
        let row = CommitRow { height: cx.height, clock: cx.clock, expires };
        COMMITS.put(book, &key, &row);
        book.schedule(expires, EXPIRE_COMMIT, &expire::key(&key.0, &key.1));
        Ok(())
    }
}
