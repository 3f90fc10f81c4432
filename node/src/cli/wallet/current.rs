//! Which key signs for an account now. The ledger says it; the wallet's words make it.

use ddt_ledger::{AccountId, PublicKey};
use ddt_wallet::keys::path_text;
use ddt_wallet::{OwnerKey, Unlocked};

use super::Global;
use crate::cli::connection::{Connection, text};
use crate::cli::wallets;
use crate::failure::{Failure, FailureKind};

/// Most keys derived in search of one: a second or two.
const SEARCH_MAX: usize = 2_000;

/// What the ledger says of an account's owner key.
#[derive(Clone, Copy, Debug, Default)]
pub struct LedgerKey {
    /// The key, once it was replaced; before, the one whose hash the account is.
    pub key: Option<PublicKey>,
    /// How often it was replaced.
    pub rotations: u32,
    /// Whether the account has opened.
    pub is_open: bool,
}

impl LedgerKey {
    /// Asks the node.
    pub fn ask(connection: &Connection, account: &AccountId) -> Result<LedgerKey, Failure> {
        let row = connection.view_one("accounts.account", &[("account", account.to_string())])?;
        let Some(row) = row else { return Ok(LedgerKey::default()) };
        let strange = || Failure::fault("the node's answer about the account makes no sense");
        let key = match text(&row, "/key") {
            Some(key) => Some(PublicKey::from_hex(&key).ok_or_else(strange)?),
            None => None,
        };
        let rotations = text(&row, "/rotations").and_then(|count| count.parse().ok());
        Ok(LedgerKey { key, rotations: rotations.ok_or_else(strange)?, is_open: true })
    }

    /// Whether `key` is the account's current owner key.
    pub fn is(&self, account: &AccountId, key: &PublicKey) -> bool {
        self.key.map_or_else(|| AccountId::of(key) == *account, |current| current == *key)
    }
}

/// A key of a wallet, and where it stands.
pub struct Found {
    /// The key.
    pub key: OwnerKey,
    /// The account's index in the wallet whose path it has.
    pub index: u32,
    /// After how many replacements.
    pub rotation: u32,
}

impl Found {
    /// Its path.
    pub fn path(&self) -> String {
        path_text(self.index, self.rotation)
    }
}

/// The account's index in the wallet, if it is one of its own.
pub fn index_of(wallet: &Unlocked, account: &AccountId) -> Option<u32> {
    let at = wallet.keys().iter().position(|key| key.account() == *account)?;
    u32::try_from(at).ok()
}

/// The key at a place of a wallet.
pub fn derive(wallet: &Unlocked, index: u32, rotation: u32) -> Result<Found, Failure> {
    let key = wallet.seed().rotated_key(index, rotation);
    let key = key.map_err(|error| Failure::usage(format!("no such key: {error}")))?;
    Ok(Found { key, index, rotation })
}

/// Looks for the wallet's key that the ledger names: first where this wallet's own rotations
/// put it, then at every earlier place, then at its other accounts'.
pub fn search(wallet: &Unlocked, account: &AccountId, ledger: &LedgerKey) -> Option<Found> {
    let own = index_of(wallet, account);
    let count = u32::try_from(wallet.keys().len()).unwrap_or(u32::MAX);
    let others = (0..count).filter(|index| Some(*index) != own);
    let places = own.into_iter().chain(others);
    let rotations = |index: u32| (0..=ledger.rotations).rev().map(move |turn| (index, turn));
    // The first keys of all accounts are looked at before a long search.
    let likely = own.map(|index| (index, ledger.rotations)).into_iter();
    let first = (0..count).map(|index| (index, 0));
    let all = likely.chain(first).chain(places.flat_map(rotations));
    all.take(SEARCH_MAX)
        .filter_map(|(index, rotation)| derive(wallet, index, rotation).ok())
        .find(|found| ledger.is(account, &found.key.public()))
}

/// The key that signs for `account` now; a clear error when this wallet does not have it.
pub fn current_key(
    global: &Global,
    connection: &Connection,
    wallet: &Unlocked,
    account: &AccountId,
) -> Result<Found, Failure> {
    let ledger = LedgerKey::ask(connection, account)?;
    search(wallet, account, &ledger).ok_or_else(|| stranger(global, wallet, account, &ledger))
}

/// Says whose key it is, where that is known.
fn stranger(
    global: &Global,
    wallet: &Unlocked,
    account: &AccountId,
    ledger: &LedgerKey,
) -> Failure {
    let name = wallet.name();
    let words = match ledger.key {
        None => format!("the account {account} is not one of the wallet {name}: it cannot sign"),
        Some(key) => {
            let holder = holder_of(global, &key);
            let advice = match &holder {
                Some(holder) => format!("the wallet {holder} has it: add --from {holder}"),
                None => "sign with the wallet that has it".to_string(),
            };
            format!(
                "the owner key of {account} was replaced by {key}, which does not come from \
                 the words of {name}: {advice} --author {account}"
            )
        }
    };
    Failure::new(FailureKind::Refused, "event.key", words)
}

/// The wallet here whose listed first keys have this one.
fn holder_of(global: &Global, key: &PublicKey) -> Option<String> {
    let listing = wallets::keystore(global).ok()?.list().ok()?;
    let mut entries = listing.entries.into_iter();
    entries.find(|entry| entry.keys.contains(key)).map(|entry| entry.name)
}
