//! The rows of domains, and the keys under which money is held for them.

use borsh::{BorshDeserialize, BorshSerialize};
use ddt_ledger::codec::{decode, encode};
use ddt_ledger::context::Context;
use ddt_ledger::table::{ROW_BYTES_MAX, Table};
use ddt_ledger::{AccountId, Amount, Domain, Hash, Millis};

use super::name::DomainName;

pub(crate) const COMMITS_ID: u16 = 301;
pub(crate) const DOMAINS_ID: u16 = 302;
pub(crate) const OWNER_INDEX: u16 = 301;

pub(crate) static COMMITS: Table<(AccountId, Hash), CommitRow> = Table::new(COMMITS_ID);
pub(crate) static DOMAINS: Table<DomainName, DomainRow> = Table::new(DOMAINS_ID);

/// A commit that waits for its reveal.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct CommitRow {
    /// The highest price it pays.
    pub price_max: Amount,
    /// Where it stands in the history: older ones win.
    pub order: Order,
    /// The epoch clock when it was made.
    pub clock: Millis,
    /// The epoch clock at which it is refunded.
    pub expires: Millis,
}

/// A place in the history: (anchor, place in the anchor).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct Order {
    /// The anchor.
    pub height: u64,
    /// The event's place in it.
    pub place: u32,
}

/// A name and its owner.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct DomainRow {
    /// Whose it is.
    pub owner: AccountId,
    /// First moment of the term, on the epoch clock.
    pub from: Millis,
    /// First moment after the term, on the epoch clock.
    pub until: Millis,
    /// What was paid when it was bought.
    pub price: Amount,
    /// Of the commit that won.
    pub order: Order,
    /// Until when an older commit could still win the name; `None` once that is over.
    pub contest: Option<Contest>,
}

/// While an older commit could still win.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Contest {
    /// On the epoch clock.
    pub until: Millis,
    /// And not before this anchor.
    pub height: u64,
    /// What the name costs beyond its price, whoever wins it: the falling premium as it stood
    /// when the contest began.
    pub premium: Amount,
}

impl Contest {
    /// Whether an older commit can still win.
    pub fn is_open(&self, cx: &Context) -> bool {
        cx.clock < self.until || cx.height < self.height
    }
}

/// Where a name stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Status {
    /// Bought, but an older commit could still win it.
    Pending,
    /// Its owner's.
    Active,
    /// Past its term, still its owner's.
    Grace,
    /// Anybody's.
    Expired,
}

impl ddt_ledger::schema::Choice for Status {
    const WORDS: &'static [&'static str] = &["pending", "active", "grace", "expired"];
    const ALL: &'static [Status] =
        &[Status::Pending, Status::Active, Status::Grace, Status::Expired];
}

impl DomainRow {
    /// First moment after the grace: anybody's from then on.
    pub fn grace_until(&self, cx: &Context) -> Millis {
        self.until.plus(cx.params.domain_grace_ms)
    }

    /// Where the name stands now.
    pub fn status(&self, cx: &Context) -> Status {
        if self.contest.is_some_and(|contest| contest.is_open(cx)) {
            Status::Pending
        } else if cx.clock < self.until {
            Status::Active
        } else if cx.clock < self.grace_until(cx) {
            Status::Grace
        } else {
            Status::Expired
        }
    }
}

/// What a commit publishes of what it wants (spec DOM-2).
pub fn commit_hash(owner: &AccountId, name: &DomainName, years: u8, salt: &Hash) -> Hash {
    Domain("ddt v1 domain commit").hash(&[&encode(&(owner, name, years, salt))])
}

/// Where a commit's escrow is held.
pub(crate) fn commit_hold(owner: &AccountId, hash: &Hash) -> Hash {
    Domain("ddt v1 domain commit hold").hash(&[&owner.0, &hash.0])
}

/// Where a contested name's price is held.
pub(crate) fn name_hold(name: &DomainName) -> Hash {
    Domain("ddt v1 domain name hold").hash(&[name.as_str().as_bytes()])
}

/// The full key of a name's row, for proofs.
pub fn domain_key(name: &DomainName) -> Vec<u8> {
    DOMAINS.full_key(name)
}

/// Entries of the index from owners to names.
pub(crate) fn owner_entries(name: &[u8], value: &[u8]) -> Vec<Vec<u8>> {
    let row = decode::<DomainRow>(value, ROW_BYTES_MAX).ok();
    row.map(|row| [row.owner.0.as_slice(), name].concat()).into_iter().collect()
}

/// A commit that waits for its reveal, if there is one.
pub fn read_commit<R: ddt_ledger::table::Rows + ?Sized>(
    rows: &R,
    owner: &AccountId,
    hash: &Hash,
) -> Option<CommitRow> {
    COMMITS.get(rows, &(*owner, *hash))
}
