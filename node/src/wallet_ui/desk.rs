//! What this process holds: at most one open wallet, what waits for its owner's consent, and
//! how long nobody has used it.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime};

use axum::http::StatusCode;
use ddt_ledger::AccountId;
use ddt_wallet::{Entry, Keystore, KeystoreError, OwnerKey, Unlocked};
use tokio::sync::Notify;

use super::reviews::Reviews;
use super::trouble::Trouble;
use crate::cli::connection::Connection;
use crate::cli::wallet::current::current_key;
use crate::cli::{Global, wallets};
use crate::failure::Failure;

/// Longest pause after a wrong password.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// A wallet that somebody opened. Its secrets are overwritten when the last request that uses
/// it ends.
pub struct Open {
    /// What is known of it without its password.
    pub entry: Entry,
    /// Its keys; none when it only watches.
    pub wallet: Option<Unlocked>,
    /// What waits for consent.
    pub reviews: Mutex<Reviews>,
}

impl Open {
    /// What signs for an account of this wallet now.
    ///
    /// # Errors
    /// When the wallet only watches, or the ledger names a key that does not come from it.
    pub fn key(
        &self,
        global: &Global,
        connection: &Connection,
        account: &AccountId,
    ) -> Result<OwnerKey, Trouble> {
        let wallet = self.wallet.as_ref().ok_or_else(|| self.watches())?;
        Ok(current_key(global, connection, wallet, account)?.key)
    }

    /// Why this wallet signs nothing, if it only watches.
    pub fn may_sign(&self) -> Result<(), Trouble> {
        self.wallet.as_ref().map(|_| ()).ok_or_else(|| self.watches())
    }

    fn watches(&self) -> Trouble {
        let name = self.entry.name.clone();
        wallets::failure(KeystoreError::WatchOnly { name }).into()
    }

    /// One of the wallet's accounts: the one named, or the first.
    pub fn account(&self, named: &str) -> Result<AccountId, Trouble> {
        let accounts = &self.entry.accounts;
        let found = match named {
            "" => accounts.first(),
            id => accounts.iter().find(|account| account.to_string() == id),
        };
        found.copied().ok_or_else(|| Trouble::input("That is no account of this wallet."))
    }
}

/// A moment by both clocks: the steady one stands still while the machine sleeps.
#[derive(Clone, Copy)]
struct Moment(Instant, SystemTime);

impl Moment {
    fn now() -> Moment {
        Moment(Instant::now(), SystemTime::now())
    }

    fn age(&self) -> Duration {
        self.0.elapsed().max(self.1.elapsed().unwrap_or_default())
    }
}

#[derive(Default)]
struct Guesses {
    failures: u32,
    /// No other guess before this.
    pause: Option<(Instant, Duration)>,
}

impl Guesses {
    fn failed(&mut self, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        self.pause = Some((now, pause(self.failures)));
    }

    fn rest(&self, now: Instant) -> Option<Duration> {
        let (since, pause) = self.pause?;
        let rest = pause.checked_sub(now.saturating_duration_since(since))?;
        (!rest.is_zero()).then_some(rest)
    }
}

/// One second after the first wrong password, then twice as long each time, up to a minute.
fn pause(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(6);
    Duration::from_secs(1 << doublings).min(PAUSE_MAX)
}

#[derive(Default)]
struct State {
    open: Option<Arc<Open>>,
    used: Option<Moment>,
}

/// The wallet of this process.
pub struct Desk {
    /// Flags: the data folder and the node.
    pub global: Global,
    lock_after: Duration,
    /// Told when it locks by itself.
    locked: fn(),
    state: Mutex<State>,
    /// Held while a password is tried: one guess at a time.
    guesses: Mutex<Guesses>,
    unlocked: Notify,
}

/// A poisoned lock is as good as another: what is behind it is replaced whole.
pub fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|error| error.into_inner())
}

impl Desk {
    /// A desk with no wallet open; calls `locked` each time it locks by itself.
    pub fn new(global: Global, lock_after: Duration, locked: fn()) -> Desk {
        Desk {
            global,
            lock_after,
            locked,
            state: Mutex::default(),
            guesses: Mutex::default(),
            unlocked: Notify::new(),
        }
    }

    /// The keystore of the data folder.
    pub fn keystore(&self) -> Result<Keystore, Failure> {
        wallets::keystore(&self.global)
    }

    /// The node; it follows the data folder's network, or this fails.
    pub fn node(&self) -> Result<Connection, Failure> {
        Connection::open(&self.global)
    }

    /// The open wallet, unless nobody has used it for too long. A request that somebody made
    /// counts as use; one that a page makes by itself does not.
    pub fn open(&self, is_use: bool) -> Option<Arc<Open>> {
        let mut state = hold(&self.state);
        self.lock_if_idle(&mut state);
        if is_use && state.open.is_some() {
            state.used = Some(Moment::now());
        }
        state.open.clone()
    }

    /// Opens a wallet with its password; one that only watches needs none.
    ///
    /// # Errors
    /// A wrong password, after which every guess must wait longer; a guess too early;
    /// whatever is wrong with the wallet's file.
    pub fn unlock(&self, name: &str, password: &str) -> Result<(), Trouble> {
        let mut guesses = hold(&self.guesses);
        if let Some(rest) = guesses.rest(Instant::now()) {
            let seconds = rest.as_secs().saturating_add(1);
            let words = format!("After a wrong password: wait {seconds} s, then try again.");
            let trouble = Trouble::new(StatusCode::TOO_MANY_REQUESTS, words);
            return Err(Trouble { wait_s: Some(seconds), ..trouble });
        }
        let keystore = self.keystore()?;
        let entry = wallets::choose(&keystore, Some(name))?;
        let wallet = match keystore.unlock(&entry.name, password) {
            Ok(wallet) => Some(wallet),
            Err(KeystoreError::WatchOnly { .. }) => None,
            Err(error) => {
                if matches!(error, KeystoreError::DoesNotOpen { .. }) {
                    guesses.failed(Instant::now());
                }
                return Err(wallets::failure(error).into());
            }
        };
        // Whoever only watches has shown no password.
        if wallet.is_some() {
            *guesses = Guesses::default();
        }
        let open = Arc::new(Open { entry, wallet, reviews: Mutex::default() });
        *hold(&self.state) = State { open: Some(open), used: Some(Moment::now()) };
        self.unlocked.notify_one();
        Ok(())
    }

    /// Forgets the keys.
    pub fn lock(&self) {
        hold(&self.state).open = None;
    }

    /// Locks when nobody has used the open wallet for too long; answers how long it may stay
    /// open, if it is.
    fn lock_if_idle(&self, state: &mut State) -> Option<Duration> {
        let used = state.used.filter(|_| state.open.is_some())?;
        let rest = self.lock_after.saturating_sub(used.age());
        if rest.is_zero() {
            state.open = None;
            (self.locked)();
            return None;
        }
        Some(rest)
    }

    /// Forgets the keys of an open wallet that nobody uses, when it is time; for ever.
    pub async fn lock_when_idle(&self) {
        loop {
            let rest = self.lock_if_idle(&mut hold(&self.state));
            match rest {
                None => self.unlocked.notified().await,
                Some(rest) => tokio::time::sleep(rest).await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Broken by: a pause that does not grow, or that shuts the owner out.
    #[test]
    fn wrong_passwords_cost_time() {
        let seconds: Vec<u64> = (1..10).map(|failures| pause(failures).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(pause(u32::MAX), PAUSE_MAX);
        let (mut guesses, start) = (Guesses::default(), Instant::now());
        assert_eq!(guesses.rest(start), None);
        guesses.failed(start);
        guesses.failed(start);
        let rest =
            |ms| guesses.rest(start + Duration::from_millis(ms)).map(|rest| rest.as_millis());
        assert_eq!((rest(0), rest(1_999), rest(2_000)), (Some(2_000), Some(1), None));
    }
}
