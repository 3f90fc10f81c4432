//! The rows of usernames, and what their holders sign.

use borsh::{BorshDeserialize, BorshSerialize};
use ddt_ledger::codec::encode;
use ddt_ledger::context::Context;
use ddt_ledger::schema::Bytes;
use ddt_ledger::table::{Rows, RowsMut, Table};
use ddt_ledger::{AccountId, Domain, Hash, Millis, PublicKey, Refusal, refusals};

pub(crate) const COMMITS_ID: u16 = 501;
pub(crate) const USERNAMES_ID: u16 = 502;
pub(crate) const KEYS_ID: u16 = 503;

pub(crate) static COMMITS: Table<(AccountId, Hash), CommitRow> = Table::new(COMMITS_ID);
static USERNAMES: Table<Hash, UsernameRow> = Table::new(USERNAMES_ID);
/// Which row a one-time key holds: at most one.
static KEYS: Table<PublicKey, Hash> = Table::new(KEYS_ID);

/// Bytes of a row's ciphertext, always: what differed in length would tell what is in it.
pub const CIPHERTEXT_BYTES: usize = 296;

/// A row's ciphertext as a field.
pub(crate) type Ciphertext = Bytes<CIPHERTEXT_BYTES>;

refusals! {
    CIPHERTEXT = "usernames.ciphertext",
        "The ciphertext has exactly 296 bytes; seal the row with the wallet.";
    UNKNOWN = "usernames.unknown", "Nobody holds that row: it was never claimed, or it expired.";
    NOT_HOLDER = "usernames.not_holder",
        "Another one-time key holds that row; only its own key changes it.";
    KEY_USED = "usernames.key_used",
        "That one-time key holds a row already; use a fresh one for each username.";
}

/// A commit that waits for its claim.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct CommitRow {
    /// The anchor it was made in.
    pub height: u64,
    /// The epoch clock when it was made.
    pub clock: Millis,
    /// The epoch clock at which it is removed.
    pub expires: Millis,
}

/// A username: who may change it, until when, and what only its name opens.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct UsernameRow {
    /// The one-time key that holds it.
    pub holder: PublicKey,
    /// The epoch clock when it was claimed.
    pub from: Millis,
    /// First moment after its year, on the epoch clock.
    pub until: Millis,
    /// Nonce, sealed record and tag: [`CIPHERTEXT_BYTES`].
    pub ciphertext: Bytes<CIPHERTEXT_BYTES>,
}

/// Where a username stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Status {
    /// Its holder's.
    Active,
    /// Past its year: still its holder's, to renew.
    Grace,
    /// Anybody's.
    Expired,
}

impl ddt_ledger::schema::Choice for Status {
    const WORDS: &'static [&'static str] = &["active", "grace", "expired"];
    const ALL: &'static [Status] = &[Status::Active, Status::Grace, Status::Expired];
}

impl UsernameRow {
    /// The first moment at which it is anybody's, on the epoch clock.
    pub(crate) fn ends(&self, cx: &Context) -> Millis {
        self.until.plus(cx.params.domain_grace_ms)
    }

    /// From when its holder may renew it: a domain's time before the end, but never in the
    /// first half of its year (spec USR-8).
    pub(crate) fn renewable(&self, cx: &Context) -> Millis {
        let half = cx.params.username_year_ms.0.checked_div(2).unwrap_or_default();
        self.until.since(cx.params.domain_renewal_ms.min(Millis(half)))
    }

    /// Where it stands now.
    pub(crate) fn status(&self, cx: &Context) -> Status {
        if cx.clock < self.until {
            Status::Active
        } else if cx.clock < self.ends(cx) {
            Status::Grace
        } else {
            Status::Expired
        }
    }
}

/// The row as it stands, expired or not.
pub(crate) fn read<R: Rows + ?Sized>(rows: &R, row: &Hash) -> Option<UsernameRow> {
    USERNAMES.get(rows, row)
}

/// The row, if it is somebody's.
pub(crate) fn held<R: Rows + ?Sized>(rows: &R, row: &Hash, cx: &Context) -> Option<UsernameRow> {
    read(rows, row).filter(|held| held.status(cx) != Status::Expired)
}

/// The row, if it is held by the key that signs this event (spec USR-7).
pub(crate) fn own<R: Rows + ?Sized>(
    rows: &R,
    row: &Hash,
    cx: &Context,
) -> Result<UsernameRow, Refusal> {
    let held = held(rows, row, cx).ok_or(UNKNOWN)?;
    if held.holder == cx.origin()?.key { Ok(held) } else { Err(NOT_HOLDER) }
}

/// Whether the key holds no row now.
pub(crate) fn check_fresh<R: Rows + ?Sized>(
    rows: &R,
    key: &PublicKey,
    cx: &Context,
) -> Result<(), Refusal> {
    let row = KEYS.get(rows, key).and_then(|row| held(rows, &row, cx));
    if row.is_some() { Err(KEY_USED) } else { Ok(()) }
}

/// Writes a row in the place of whatever was there, and notes whose it is.
pub(crate) fn put<R: RowsMut + ?Sized>(rows: &mut R, row: &Hash, username: &UsernameRow) {
    remove(rows, row);
    if let Some(old) = KEYS.get(rows, &username.holder) {
        remove(rows, &old);
    }
    KEYS.put(rows, &username.holder, row);
    USERNAMES.put(rows, row, username);
}

/// Removes a row, and the note of whose it was.
pub(crate) fn remove<R: RowsMut + ?Sized>(rows: &mut R, row: &Hash) {
    if let Some(old) = USERNAMES.get(rows, row) {
        KEYS.remove(rows, &old.holder);
        USERNAMES.remove(rows, row);
    }
}

/// Visits every row and every note, for the audit.
pub(crate) fn each<R: Rows + ?Sized>(
    rows: &R,
    username: impl FnMut(Hash, UsernameRow),
    key: impl FnMut(PublicKey, Hash),
) {
    USERNAMES.each(rows, username);
    KEYS.each(rows, key);
}

/// What a commit publishes of its claim (spec USR-4).
pub fn claim_hash(
    author: &AccountId,
    row: &Hash,
    ciphertext: &Bytes<CIPHERTEXT_BYTES>,
    salt: &Hash,
) -> Hash {
    Domain("ddt v1 username commit").hash(&[&encode(&(author, row, ciphertext, salt))])
}

/// What the new one-time key of a row signs to show that somebody holds it (spec USR-9).
pub fn possession_digest(row: &Hash, new_key: &PublicKey) -> Hash {
    Domain("ddt v1 username possession").hash(&[&row.0, &new_key.0])
}

/// The full key of a row, for proofs.
pub fn username_key(row: &Hash) -> Vec<u8> {
    USERNAMES.full_key(row)
}

/// Refuses a ciphertext of another length.
pub(crate) fn check_ciphertext(ciphertext: &Ciphertext) -> Result<(), Refusal> {
    if ciphertext.as_slice().len() == CIPHERTEXT_BYTES { Ok(()) } else { Err(CIPHERTEXT) }
}
