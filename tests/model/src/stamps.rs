//! Stamps (STP): work in the place of a fee, and the accounts that it opens.

use crate::Code;
use crate::accounts::Account;
use crate::admission::VALIDITY_MS_MAX;
use crate::canonical::{Canonical, Id, Time, hash};
use crate::event::Event;
use crate::state::{State, demand, id};

/// Work done for one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // docs/spec/stamps.md says what each is.
pub struct Stamp {
    pub period: u64,
    pub nonce: u64,
}

impl Canonical for Stamp {
    fn write(&self, out: &mut Vec<u8>) {
        (self.period, self.nonce).write(out);
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Period {
    pub number: u64,
    pub beacon: Id,
    /// Of light stamps and of heavy ones.
    pub bits: [u8; 2],
}

impl Canonical for Period {
    fn write(&self, out: &mut Vec<u8>) {
        (self.number, self.beacon, self.bits).write(out);
    }
}

/// The present period, the last one before it that had an anchor, and how many events were
/// stamped in the present one, lightly and heavily.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stamps {
    pub now: Period,
    pub before: Period,
    pub made: [u64; 2],
}

/// How many leading zero bits this stamp nonce gives an event (STP-1).
pub fn bits(event: &Event, period: u64, beacon: &Id, nonce: u64) -> u32 {
    let mut task = Vec::new();
    (event.chain, event.author, event.key, event.deed.tag()).write(&mut task);
    (event.nonce, period, beacon).write(&mut task);
    let base = hash("ddt v1 stamp base", &[&task]);
    let key = hash("ddt v1 stamp", &[]);
    let digest = blake3::keyed_hash(&key, &[base.as_slice(), &nonce.to_le_bytes()].concat());
    let first = digest.as_bytes()[..8].try_into().expect("8 bytes");
    u64::from_be_bytes(first).leading_zeros()
}

impl State {
    /// The present period: its number, its beacon, and the bits of its stamps, light and
    /// heavy (STP-3).
    pub fn period(&self) -> (u64, Id, [u32; 2]) {
        let now = &self.stamps.now;
        (now.number, now.beacon, now.bits.map(u32::from))
    }

    /// STP-2.
    pub(crate) fn check_stamp(
        &self,
        event: &Event,
        stamp: &Stamp,
        is_heavy: bool,
    ) -> Result<(), Code> {
        let Stamps { now, before, .. } = &self.stamps;
        let period = match stamp.period {
            number if number == now.number => now,
            number if number == before.number && number + 1 == now.number => before,
            _ => return Err("event.stamp_old"),
        };
        let size = bits(event, period.number, &period.beacon, stamp.nonce);
        demand(size >= u32::from(period.bits[usize::from(is_heavy)]), "event.stamp")
    }

    /// Begins a new period with its first anchor (STP-4).
    pub(crate) fn turn_stamps(&mut self) {
        let elapsed = self.head.clock - self.head.clock_start;
        let number = (elapsed / self.params.stamp_period_ms) as u64;
        let (old, made, target) =
            (self.stamps.now.clone(), self.stamps.made, self.params.stamp_target);
        let least = self.params.least_bits();
        if number == old.number {
            return;
        }
        let bits = [0, 1].map(|weight| match old.bits[weight] {
            bits if made[weight] > target => 60.min(bits + 1),
            bits if made[weight] * 2 < target => least[weight].max(bits.saturating_sub(1)),
            bits => bits,
        });
        let now = Period { number, beacon: self.head.beacon, bits };
        self.stamps = Stamps { now, before: old, made: [0; 2] };
    }

    /// How long the row of an account without coins stays after its last event (STP-6).
    pub(crate) fn lapse_ms(&self) -> Time {
        VALIDITY_MS_MAX.max(7 * self.params.epoch_ms)
    }

    /// STP-5.
    pub(crate) fn open_by_stamp(&mut self, author: Id) {
        let lapses = self.head.clock + self.lapse_ms();
        let account = Account { lapses: Some(lapses), ..Account::open(self.head.time) };
        self.accounts.insert(author, account);
        self.schedule(lapses, 0, &author);
    }

    /// STP-6: the deadline looks again as long as the account was used since.
    pub(crate) fn lapse(&mut self, key: &[u8]) -> Result<(), Code> {
        let account = id(key);
        let Some(until) = self.accounts.get(&account).and_then(|row| row.lapses) else {
            return Ok(());
        };
        if self.head.clock < until {
            self.schedule(until, 0, key);
            return Ok(());
        }
        self.accounts.remove(&account);
        self.node_keys.retain(|(of, _), _| *of != account);
        Ok(())
    }
}
