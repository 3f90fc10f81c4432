//! What time the validators say it is, each signed for one anchor.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use ddt_ledger::anchor::TimeStatement;
use ddt_ledger::certificate::ValidatorSet;
use ddt_ledger::{ChainId, Hash, PublicKey};
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

/// How far above the next height statements are kept: others commit a moment earlier.
const AHEAD_MAX: u64 = 2;

type Known = BTreeMap<(u64, PublicKey), (Hash, TimeStatement)>;

/// The statements of the heights under way.
#[derive(Default)]
pub struct Times {
    known: Mutex<Known>,
    came: Condvar,
    /// The same for tasks.
    bell: Arc<Notify>,
    /// Rings when an anchor will be due as soon as others have voted.
    soon: Notify,
}

impl Times {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(|error| error.into_inner())
    }

    /// Takes a statement for an anchor of this height, after `previous`. The latest of a
    /// validator counts. Whether it was signed by one of `set`; `None` if it is too early or
    /// too late to be of use, or no later than one that is known.
    pub fn take(
        &self,
        chain: ChainId,
        (next, set): (u64, &ValidatorSet),
        (height, previous): (u64, Hash),
        statement: TimeStatement,
    ) -> Option<bool> {
        if height < next || height > next.saturating_add(AHEAD_MAX) {
            return None;
        }
        let place = (height, statement.key);
        if self.lock().get(&place).is_some_and(|(_, known)| statement.time <= known.time) {
            return None;
        }
        let is_member = set.0.iter().any(|validator| validator.key == statement.key);
        let digest = TimeStatement::digest(chain, height, &previous, statement.time);
        if !is_member || !statement.key.verifies(&digest, &statement.signature) {
            return Some(false);
        }
        let mut known = self.lock();
        known.retain(|(of, _), _| *of >= next);
        if known.get(&place).is_some_and(|(_, known)| statement.time <= known.time) {
            return None;
        }
        known.insert(place, (previous, statement));
        self.came.notify_all();
        self.bell.notify_waiters();
        Some(true)
    }

    /// Resolves when the next statement has come.
    pub fn came(&self) -> OwnedNotified {
        self.bell.clone().notified_owned()
    }

    /// An anchor will be due as soon as others have voted, too.
    pub fn due_soon(&self) {
        self.soon.notify_one();
    }

    /// Resolves when an anchor will be due soon.
    pub async fn soon(&self) {
        self.soon.notified().await;
    }

    /// How many statements are known for the anchor of this height after `previous`.
    pub fn count(&self, height: u64, previous: &Hash) -> usize {
        known_for(&self.lock(), height, previous).len()
    }

    /// The statements for an anchor, ascending by key: as soon as there are `quorum`, or
    /// those that came until the patience ended.
    pub fn gather(
        &self,
        (height, previous): (u64, &Hash),
        set: &ValidatorSet,
        patience: Duration,
    ) -> Vec<TimeStatement> {
        let until = Instant::now().checked_add(patience);
        let mut known = self.lock();
        loop {
            let mut found = known_for(&known, height, previous);
            found.retain(|said| set.0.iter().any(|validator| validator.key == said.key));
            let left = until.and_then(|until| until.checked_duration_since(Instant::now()));
            let Some(left) = left.filter(|_| found.len() < set.quorum()) else { return found };
            let waited = self.came.wait_timeout(known, left);
            known = waited.unwrap_or_else(|error| error.into_inner()).0;
        }
    }
}

fn known_for(known: &Known, height: u64, previous: &Hash) -> Vec<TimeStatement> {
    let lowest = (height, PublicKey([0; 32]));
    let highest = (height, PublicKey([0xff; 32]));
    let of_height = known.range(lowest..=highest);
    of_height.filter(|(_, (after, _))| after == previous).map(|(_, (_, said))| *said).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ddt_ledger::certificate::Validator;
    use ddt_ledger::{Millis, Signature, Zone};
    use ed25519_dalek::{Signer, SigningKey};

    // Broken by: taking a statement again, or an older one in the place of a newer one.
    #[test]
    fn the_latest_statement_counts_and_only_later_ones_are_news() {
        let signing = SigningKey::from_bytes(&[5; 32]);
        let key = PublicKey(signing.verifying_key().to_bytes());
        let (chain, previous) = (ChainId(Hash([1; 32])), Hash([2; 32]));
        let set = ValidatorSet(vec![Validator { zone: Zone(1), key, vrf_key: key }]);
        let statement = |time: u64| {
            let digest = TimeStatement::digest(chain, 7, &previous, Millis(time));
            let signature = Signature(signing.sign(&digest.0).to_bytes());
            TimeStatement { key, time: Millis(time), signature }
        };
        let times = Times::default();
        let take = |said| times.take(chain, (7, &set), (7, previous), said);
        assert_eq!(take(statement(100)), Some(true));
        assert_eq!((take(statement(100)), take(statement(99))), (None, None));
        let forged = TimeStatement { time: Millis(300), ..statement(200) };
        assert_eq!(take(forged), Some(false));
        assert_eq!(take(statement(101)), Some(true));
        let gathered = times.gather((7, &previous), &set, Duration::ZERO);
        assert_eq!(gathered, [statement(101)]);
    }
}
