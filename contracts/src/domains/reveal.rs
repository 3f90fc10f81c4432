//! The reveal: names what a commit paid for. Whoever knows the preimage may submit it, and
//! it serves the commit's owner: so a node can finish a purchase without the wallet's key.

use ddt_ledger::book::{Book, Payer};
use ddt_ledger::context::Context;
use ddt_ledger::registry::Event;
use ddt_ledger::{AccountId, Amount, Hash, Refusal, event, refusals};

use super::commit::escrow;
use super::name::{DomainName, RULE};
use super::ownership::clear;
use super::price::{ABOVE_CAP, TERM, check_term, premium_of, price, years_ms};
use super::record::{
    COMMITS, CommitRow, Contest, DOMAINS, DomainRow, Status, commit_hash, commit_hold, name_hold,
};
use super::{EXPIRE, SETTLE};

event! {
    /// Buys the name of a commit for the commit's owner.
    Reveal = "domains.reveal", Anyone,
    "Reveal the purchase of {name}.ddt for {years} years by {owner}"
    {
        /// The account that committed, and will own the name.
        owner: AccountId,
        /// The name.
        name: DomainName,
        /// The term, in years.
        years: u8,
        /// What hid the name.
        salt: Hash,
    }
}

refusals! {
    NO_COMMIT = "domains.no_commit",
        "No commit of that owner has this name, term and salt; commit first.";
    TOO_EARLY = "domains.too_early", "The commit is too young; wait, then reveal again.";
    TOO_LATE = "domains.too_late", "The commit has expired and is refunded; commit again.";
    NAME_TAKEN = "domains.name_taken", "The name belongs to somebody; choose another.";
    OLDER_COMMIT = "domains.older_commit",
        "Somebody committed to this name earlier and gets it; the escrow comes back.";
}

impl Reveal {
    fn hash(&self) -> Hash {
        commit_hash(&self.owner, &self.name, self.years, &self.salt)
    }

    fn hold(&self) -> Hash {
        commit_hold(&self.owner, &self.hash())
    }

    /// The commit is there and of the right age (spec DOM-5, DOM-6).
    fn ripe_commit(&self, cx: &Context, book: &Book) -> Result<CommitRow, Refusal> {
        let commit = COMMITS.get(book, &(self.owner, self.hash())).ok_or(NO_COMMIT)?;
        let ripe_at = commit.clock.plus(cx.params.commit_age_ms);
        let ripe_height = commit.order.height.saturating_add(cx.params.commit_age_anchors);
        if cx.clock < ripe_at || cx.height < ripe_height {
            return Err(TOO_EARLY);
        }
        if cx.clock >= commit.expires {
            return Err(TOO_LATE);
        }
        Ok(commit)
    }

    /// Makes room: a free name needs none, a contested one goes to the older commit
    /// (spec DOM-7, DOM-8). Answers the contest that goes on.
    fn claim(
        &self,
        commit: &CommitRow,
        cx: &Context,
        book: &mut Book,
    ) -> Result<Option<Contest>, Refusal> {
        let Some(present) = DOMAINS.get(book, &self.name) else { return Ok(None) };
        match present.status(cx) {
            Status::Expired => {
                // The term can end before the contest is settled: the price is the pool's.
                let hold = name_hold(&self.name);
                book.release_to_pool(hold, book.held(hold), "domain price")?;
                clear(&self.name, book)?;
                Ok(None)
            }
            Status::Active | Status::Grace => Err(NAME_TAKEN),
            Status::Pending if present.order < commit.order => Err(OLDER_COMMIT),
            Status::Pending => {
                let hold = name_hold(&self.name);
                book.release(hold, present.owner, present.price, "domain refund")?;
                Ok(present.contest)
            }
        }
    }

    fn buy(
        &self,
        commit: CommitRow,
        contest: Option<Contest>,
        (price, premium): (Amount, Amount),
        cx: &Context,
        book: &mut Book,
    ) -> Result<(), Refusal> {
        let hold = self.hold();
        book.move_hold(hold, name_hold(&self.name), price, "domain price")?;
        book.release(hold, self.owner, book.held(hold), "domain change")?;
        let hash = self.hash();
        COMMITS.remove(book, &(self.owner, hash));
        book.unschedule(commit.expires, EXPIRE, &super::expire::key(&self.owner, &hash));
        let contest = contest.unwrap_or_else(|| {
            let until = cx.clock.plus(cx.params.contest_ms);
            book.schedule(until, SETTLE, self.name.as_str().as_bytes());
            let height = cx.height.saturating_add(cx.params.contest_anchors);
            Contest { until, height, premium }
        });
        let row = DomainRow {
            owner: self.owner,
            from: cx.clock,
            until: cx.clock.plus(years_ms(cx, self.years)),
            price,
            order: commit.order,
            contest: Some(contest),
        };
        DOMAINS.put(book, &self.name, &row);
        Ok(())
    }
}

impl Event for Reveal {
    const REFUSALS: &'static [Refusal] =
        &[RULE, TERM, NO_COMMIT, TOO_EARLY, TOO_LATE, ABOVE_CAP, NAME_TAKEN, OLDER_COMMIT];
    const WORK: u32 = 3;

    fn check(&self) -> Result<(), Refusal> {
        check_term(self.years)
    }

    /// The commit's escrow pays for one reveal by whoever knows the preimage (spec DOM-3).
    /// Later attempts pay for themselves: a published preimage must not drain the escrow.
    fn payer(&self, cx: &Context, book: &Book) -> Payer {
        let commit = COMMITS.get(book, &(self.owner, self.hash()));
        let whole = commit.and_then(|commit| escrow(commit.price_max, &cx.fees));
        match whole {
            Some(whole) if book.held(self.hold()) >= whole => Payer::Hold(self.hold()),
            _ => Payer::Author,
        }
    }

    fn apply(&self, cx: &Context, book: &mut Book) -> Result<(), Refusal> {
        let commit = self.ripe_commit(cx, book)?;
        let premium = premium_of(&self.name, DOMAINS.get(book, &self.name).as_ref(), cx);
        let plain = price(&cx.fees, &self.name, self.years);
        let price = plain.plus(premium).ok_or(ABOVE_CAP)?;
        if price > commit.price_max || price > book.held(self.hold()) {
            return Err(ABOVE_CAP);
        }
        let contest = self.claim(&commit, cx, book)?;
        self.buy(commit, contest, (price, premium), cx, book)
    }
}
