//! The claim: opens a commit and takes the row.

use ddt_ledger::book::Book;
use ddt_ledger::context::Context;
use ddt_ledger::registry::Event;
use ddt_ledger::stamp::{Stamp, StampWeight};
use ddt_ledger::{Hash, Refusal, event, refusals};

use super::record::{
    self, CIPHERTEXT, COMMITS, Ciphertext, CommitRow, KEY_USED, UsernameRow, check_ciphertext,
    claim_hash,
};
use super::{EXPIRE_COMMIT, EXPIRE_ROW, NO_STAMP, expire};

event! {
    /// Takes a free row for the one-time key that signs.
    Claim = "usernames.claim", Owner,
    "Claim the username row {row} for the one-time key that signs this"
    {
        /// The slow hash of the name.
        row: Hash,
        /// What only the name opens: exactly 296 bytes.
        ciphertext: Ciphertext,
        /// What hid the claim in its commit.
        salt: Hash,
        /// Light: the commit's was heavy.
        stamp: Option<Stamp>,
    }
}

refusals! {
    NO_COMMIT = "usernames.no_commit",
        "No commit of this key has this row, ciphertext and salt; commit first.";
    TOO_EARLY = "usernames.too_early", "The commit is too young; wait, then claim again.";
    TOO_LATE = "usernames.too_late", "The commit has expired; commit again.";
    TAKEN = "usernames.taken", "Somebody holds that username; choose another.";
}

/// The commit is of the right age (spec USR-5).
fn check_age(commit: &CommitRow, cx: &Context) -> Result<(), Refusal> {
    let ripe_at = commit.clock.plus(cx.params.commit_age_ms);
    let ripe_height = commit.height.saturating_add(cx.params.commit_age_anchors);
    if cx.clock < ripe_at || cx.height < ripe_height {
        return Err(TOO_EARLY);
    }
    if cx.clock >= commit.expires { Err(TOO_LATE) } else { Ok(()) }
}

impl Event for Claim {
    const REFUSALS: &'static [Refusal] =
        &[NO_STAMP, CIPHERTEXT, NO_COMMIT, TOO_EARLY, TOO_LATE, TAKEN, KEY_USED];
    const WORK: u32 = 2;
    const STAMP: Option<StampWeight> = Some(StampWeight::Light);

    fn check(&self) -> Result<(), Refusal> {
        if self.stamp.is_none() {
            return Err(NO_STAMP);
        }
        check_ciphertext(&self.ciphertext)
    }

    fn stamp(&self) -> Option<Stamp> {
        self.stamp.clone()
    }

    fn apply(&self, cx: &Context, book: &mut Book) -> Result<(), Refusal> {
        let origin = cx.origin()?;
        let hash = claim_hash(&origin.author, &self.row, &self.ciphertext, &self.salt);
        let commit = COMMITS.get(book, &(origin.author, hash)).ok_or(NO_COMMIT)?;
        check_age(&commit, cx)?;
        if record::held(book, &self.row, cx).is_some() {
            return Err(TAKEN);
        }
        record::check_fresh(book, &origin.key, cx)?;
        COMMITS.remove(book, &(origin.author, hash));
        book.unschedule(commit.expires, EXPIRE_COMMIT, &expire::key(&origin.author, &hash));
        let row = UsernameRow {
            holder: origin.key,
            from: cx.clock,
            until: cx.clock.plus(cx.params.username_year_ms),
            ciphertext: self.ciphertext.clone(),
        };
        record::put(book, &self.row, &row);
        book.schedule(row.ends(cx), EXPIRE_ROW, &self.row.0);
        Ok(())
    }
}
