//! Payments and locks.

use ddt_model::{Bank, Deed, Id, Locks, Money, State, lock_hash};
use ddt_tests::random::Random;

use super::{Wishes, amount, somebody};
use crate::letters::{STRANGERS, account};

/// A payment or several.
pub fn payment(state: &State, random: &mut Random) -> (Id, Deed) {
    let author = somebody(random);
    let to = |random: &mut Random| match random.percent(4) {
        true => account(random.one(STRANGERS)),
        false => somebody(random),
    };
    let deed = match random.percent(75) {
        true => {
            let memo = random.one([0, 0, 0, 5, 128, 129]);
            let memo = (memo > 0).then(|| "m".repeat(memo));
            Bank::Transfer { to: to(random), amount: amount(state, &author, random), memo }
        }
        false => {
            let count = random.one([0, 1, 2, 3, 4, 65]);
            let pay = |_| (to(random), Money::from(random.number() % 9_000_000_000));
            Bank::Batch { payments: (0..count).map(pay).collect() }
        }
    };
    (author, Deed::Bank(deed))
}

impl Wishes {
    /// A lock, or its end.
    pub fn lock(&mut self, state: &State, random: &mut Random) -> (Id, Deed) {
        let open = state.open_locks();
        let (author, deed) = match random.below(10) {
            0..4 => self.new_lock(state, random),
            4..8 => {
                let lock = self.old_lock(&open, random);
                let hash = self.locks.iter().find(|(id, _)| *id == lock);
                let secret = hash.and_then(|(_, hash)| self.secrets.get(hash)).copied();
                let secret = secret.filter(|_| random.percent(80)).unwrap_or([9; 32]);
                (somebody(random), Locks::Claim { lock, secret })
            }
            _ => {
                let lock = self.old_lock(&open, random);
                let to = open.iter().find(|(id, _, _)| *id == lock).map(|(_, _, to)| *to);
                let to = to.filter(|_| random.percent(80));
                (to.unwrap_or_else(|| somebody(random)), Locks::GiveBack { lock })
            }
        };
        (author, Deed::Locks(deed))
    }

    fn new_lock(&mut self, state: &State, random: &mut Random) -> (Id, Locks) {
        let author = somebody(random);
        let secret = [random.below(4) as u8; 32];
        let hash = lock_hash(&secret);
        self.secrets.insert(hash, secret);
        let amount = match random.percent(30) {
            // About the fee of a claim, 996,000 units.
            true => Money::from(995_999 + random.below(3)),
            false => amount(state, &author, random),
        };
        let days_90 = 90 * 24 * 3_600_000;
        let ahead = match random.below(12) {
            0 => i128::from(random.number() % 3) - 1,
            1 => days_90 + i128::from(random.number() % 4_000),
            2 => days_90,
            3..8 => 500 * i128::from(2 + random.number() % 50),
            _ => 1_000 + i128::from(random.number() % 25_000),
        };
        let deadline = state.time() + ahead;
        (author, Locks::Lock { to: somebody(random), amount, hash, deadline })
    }

    /// Mostly one that is open.
    fn old_lock(&self, open: &[(Id, Id, Id)], random: &mut Random) -> Id {
        let open = random.pick(open).map(|(id, _, _)| id).filter(|_| random.percent(80));
        let any = random.pick(&self.locks).map(|(id, _)| id);
        open.or(any).unwrap_or([3; 32])
    }
}
