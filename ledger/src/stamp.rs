//! Stamps: proof of work in the place of a fee, for whoever has no coins yet.
//!
//! A stamp is bound to chain, author, key, event and nonce, so it serves one event, and to the
//! beacon of a recent period, so it cannot be made long before. When many of a weight are made,
//! the next period's grow by a bit (spec STP-1 … STP-5).

use borsh::{BorshDeserialize, BorshSerialize};

use crate::codec::encode;
use crate::context::Context;
use crate::event::{Draft, STAMP, STAMP_OLD};
use crate::hash::{Domain, Hash};
use crate::ids::{AccountId, ChainId, Millis};
use crate::key::PublicKey;
use crate::params::Params;
use crate::refusal::Refusal;
use crate::table::{Rows, RowsMut, Table};

/// No stamp ever wants more leading zero bits.
pub const STAMP_BITS_MAX: u8 = 60;

static STAMPS: Table<(), Stamps> = Table::system(13);

crate::shape! {
    /// Work done for one event.
    Stamp {
        /// The period whose beacon it is made over.
        period: u64,
        /// What makes the hash small.
        nonce: u64,
    }
}

/// How much work an event wants in the place of its fee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StampWeight {
    /// A moment's.
    Light,
    /// Enough that nobody does it for thousands of events.
    Heavy,
}

/// Something of light stamps and of heavy ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PerWeight<T> {
    /// Of light ones.
    pub light: T,
    /// Of heavy ones.
    pub heavy: T,
}

impl<T> PerWeight<T> {
    /// That of this weight.
    pub fn of(&self, weight: StampWeight) -> &T {
        match weight {
            StampWeight::Light => &self.light,
            StampWeight::Heavy => &self.heavy,
        }
    }

    fn of_mut(&mut self, weight: StampWeight) -> &mut T {
        match weight {
            StampWeight::Light => &mut self.light,
            StampWeight::Heavy => &mut self.heavy,
        }
    }
}

/// The beacon of a period and its stamps' sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Period {
    /// Its number: the epoch clock since genesis over `stamp_period_ms`.
    pub number: u64,
    /// The beacon of its first anchor.
    pub beacon: Hash,
    /// Leading zero bits of its stamps.
    pub bits: PerWeight<u8>,
}

/// The periods whose stamps are good now.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Stamps {
    /// The present one.
    pub now: Period,
    /// The last one that had an anchor.
    pub before: Period,
    /// Events stamped in the present one.
    pub made: PerWeight<u64>,
}

impl Stamps {
    /// The periods at this state; `None` only where there is no state.
    pub fn read<R: Rows + ?Sized>(rows: &R) -> Option<Stamps> {
        STAMPS.get(rows, &())
    }

    pub(crate) fn at_genesis(chain: ChainId, params: &Params) -> Stamps {
        let now = Period { number: 0, beacon: chain.0, bits: least_bits(params) };
        Stamps { now, before: now, made: PerWeight::default() }
    }

    pub(crate) fn put<R: RowsMut + ?Sized>(&self, rows: &mut R) {
        STAMPS.put(rows, &(), self);
    }

    /// Begins a new period if the epoch clock is in one (spec STP-4).
    pub(crate) fn turn<R: RowsMut + ?Sized>(rows: &mut R, cx: &Context, start: Millis) {
        let Some(stamps) = Stamps::read(rows) else { return };
        let elapsed = cx.clock.since(start).0;
        let number = elapsed.checked_div(cx.params.stamp_period_ms.0).unwrap_or_default();
        if number <= stamps.now.number {
            return;
        }
        let least = least_bits(&cx.params);
        let bits = |weight| {
            let (bits, made) = (*stamps.now.bits.of(weight), *stamps.made.of(weight));
            if made > cx.params.stamp_target {
                bits.saturating_add(1).min(STAMP_BITS_MAX)
            } else if made.saturating_mul(2) < cx.params.stamp_target {
                bits.saturating_sub(1).max(*least.of(weight))
            } else {
                bits
            }
        };
        let bits = PerWeight { light: bits(StampWeight::Light), heavy: bits(StampWeight::Heavy) };
        let now = Period { number, beacon: cx.beacon, bits };
        Stamps { now, before: stamps.now, made: PerWeight::default() }.put(rows);
    }

    pub(crate) fn count<R: RowsMut + ?Sized>(rows: &mut R, weight: StampWeight) {
        if let Some(mut stamps) = Stamps::read(rows) {
            let made = stamps.made.of_mut(weight);
            *made = made.saturating_add(1);
            stamps.put(rows);
        }
    }

    /// The period with this number, if its stamps are good now: the present one or the one
    /// right before it.
    pub fn period(&self, number: u64) -> Option<&Period> {
        let is_next = self.before.number.saturating_add(1) == self.now.number;
        match number {
            number if number == self.now.number => Some(&self.now),
            number if number == self.before.number && is_next => Some(&self.before),
            _ => None,
        }
    }
}

/// The sizes below which stamps never fall.
fn least_bits(params: &Params) -> PerWeight<u8> {
    let light = params.stamp_bits.min(STAMP_BITS_MAX);
    let heavy = light.saturating_add(params.stamp_bits_heavy).min(STAMP_BITS_MAX);
    PerWeight { light, heavy }
}

/// What a stamp's work is done for (spec STP-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    base: Hash,
    key: [u8; 32],
}

impl Task {
    /// The work for the event of `author` with this tag and nonce in a period, signed by `key`:
    /// each key has nonces of its own.
    pub fn new(
        chain: ChainId,
        author: &AccountId,
        key: &PublicKey,
        tag: u16,
        event_nonce: u64,
        period: &Period,
    ) -> Task {
        let parts = encode(&(chain, author, key, tag, event_nonce, period.number, period.beacon));
        let base = Domain("ddt v1 stamp base").hash(&[&parts]);
        Task { base, key: Domain("ddt v1 stamp").key() }
    }

    /// Leading zero bits of the work with this stamp nonce.
    pub fn bits(&self, stamp_nonce: u64) -> u32 {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(&self.base.0);
        hasher.update(&stamp_nonce.to_le_bytes());
        let digest = hasher.finalize();
        let [a, b, c, d, e, f, g, h, ..] = *digest.as_bytes();
        u64::from_be_bytes([a, b, c, d, e, f, g, h]).leading_zeros()
    }
}

/// Whether the stamp is good for this draft at this state.
pub(crate) fn check<R: Rows + ?Sized>(
    rows: &R,
    draft: &Draft,
    stamp: &Stamp,
    weight: StampWeight,
) -> Result<(), Refusal> {
    let stamps = Stamps::read(rows).ok_or(STAMP_OLD)?;
    let period = stamps.period(stamp.period).ok_or(STAMP_OLD)?;
    let task = Task::new(draft.chain, &draft.author, &draft.key, draft.tag, draft.nonce, period);
    let wanted = u32::from(*period.bits.of(weight));
    if task.bits(stamp.nonce) >= wanted { Ok(()) } else { Err(STAMP) }
}
