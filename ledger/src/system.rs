//! The ledger's own rows: the head, supply, lanes, validators, parameters, the agenda and
//! the history that plots need.

use borsh::{BorshDeserialize, BorshSerialize};
use serde::Serialize;

use crate::amount::Amount;
use crate::certificate::ValidatorSet;
use crate::fees::ValueIndex;
use crate::hash::Hash;
use crate::ids::{AccountId, Millis, Zone};
use crate::key::PublicKey;
use crate::params::Params;
use crate::table::{Rows, Table};

/// The version of the state's rows that this code writes.
pub const STATE_VERSION: u8 = 2;

pub(crate) static SUPPLY: Table<(), Supply> = Table::system(4);
pub(crate) static HEAD: Table<(), Head> = Table::system(5);
pub(crate) static LANES: Table<Zone, Lane> = Table::system(6);
pub(crate) static VALIDATORS: Table<(), Validators> = Table::system(7);
pub(crate) static PARAMS: Table<(), Params> = Table::system(8);
/// Deadlines by (due on the epoch clock, tag, key).
pub(crate) static AGENDA: Table<(u64, u16, Vec<u8>), ()> = Table::system(9);
pub(crate) static EPOCHS: Table<u64, EpochRecord> = Table::system(10);
pub(crate) static ZONE_EPOCHS: Table<(u64, Zone), u64> = Table::system(11);
pub(crate) static INDEX: Table<(), ValueIndex> = Table::system(12);

/// Where all money is. `accounts + held + pool + fees = genesis + minted - burned`, always.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize,
)]
pub struct Supply {
    /// There from the beginning.
    pub genesis: Amount,
    /// Created since.
    pub minted: Amount,
    /// Destroyed since.
    pub burned: Amount,
    /// In balances.
    pub accounts: Amount,
    /// In holds and allowances.
    pub held: Amount,
    /// In the pool.
    pub pool: Amount,
    /// Fees of the running anchor; nothing between anchors.
    pub fees: Amount,
    /// Accounts that have opened.
    pub account_count: u64,
}

impl Supply {
    /// Genesis + minted − burned.
    pub fn total(&self) -> Option<Amount> {
        self.genesis.plus(self.minted)?.minus(self.burned)
    }

    /// Whether what is somewhere equals what was created and not destroyed (promise 1).
    pub fn is_conserved(&self) -> bool {
        let somewhere = [self.held, self.pool, self.fees]
            .into_iter()
            .try_fold(self.accounts, |sum, part| sum.plus(part));
        somewhere.is_some() && somewhere == self.total()
    }

    /// The supply at this state.
    pub fn read<R: Rows + ?Sized>(rows: &R) -> Supply {
        SUPPLY.get(rows, &()).unwrap_or_default()
    }
}

/// The last executed anchor, as the state knows it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
pub struct Head {
    /// [`STATE_VERSION`].
    pub version: u8,
    /// Its height; 0 is genesis.
    pub height: u64,
    /// Its id; the chain id at genesis.
    pub anchor: Hash,
    /// Its time.
    pub time: Millis,
    /// The epoch clock.
    pub clock: Millis,
    /// The epoch clock at genesis.
    pub clock_start: Millis,
    /// Epochs since genesis.
    pub epoch: u64,
    /// The random value of the anchor.
    pub beacon: Hash,
    /// Receipts it made.
    pub receipts: u32,
}

impl Head {
    /// The head of a state, if it has one.
    pub fn read<R: Rows + ?Sized>(rows: &R) -> Option<Head> {
        HEAD.get(rows, &())
    }
}

/// How far a zone's lane counts.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
pub struct Lane {
    /// The account that governs it and receives the router's half of fees.
    pub router: AccountId,
    /// The key that signs the lane's blocks.
    pub key: PublicKey,
    /// The current term.
    pub term: u64,
    /// Height of the last anchored block in this term; 0 before the first.
    pub height: u64,
    /// Its id; zero before the first of a term.
    pub tip: Hash,
    /// The next sequence number.
    pub next_number: u64,
    /// Void events the router sequenced.
    pub voids: u64,
    /// The epoch clock when the term began.
    pub opened: Millis,
    /// The epoch clock when the router was last heard of: by a block or a word of its own.
    pub heard: Millis,
    /// Whether a router governs it. Without one no block counts, and `router` and `key` are
    /// those of the last one.
    pub is_governed: bool,
}

impl Lane {
    /// A lane before its first block.
    pub fn first(router: AccountId, key: PublicKey, now: Millis) -> Lane {
        Lane {
            router,
            key,
            term: 1,
            height: 0,
            tip: Hash::ZERO,
            next_number: 1,
            voids: 0,
            opened: now,
            heard: now,
            is_governed: true,
        }
    }

    /// A zone's lane.
    pub fn read<R: Rows + ?Sized>(rows: &R, zone: Zone) -> Option<Lane> {
        LANES.get(rows, &zone)
    }

    /// At most `limit` lanes after `zone`.
    pub fn scan<R: Rows + ?Sized>(
        rows: &R,
        after: Option<Zone>,
        limit: usize,
    ) -> Vec<(Zone, Lane)> {
        LANES.scan(rows, after.as_ref(), limit)
    }
}

/// Who signs the next anchors.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Validators {
    /// The set that signs the next anchor.
    pub next: ValidatorSet,
    /// The set that signs the one after it; its hash stands in the next anchor.
    pub after_next: ValidatorSet,
}

impl Validators {
    /// The validators as of this state.
    pub fn read<R: Rows + ?Sized>(rows: &R) -> Option<Validators> {
        VALIDATORS.get(rows, &())
    }
}

/// What an epoch looked like when it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
pub struct EpochRecord {
    /// Its last anchor.
    pub height: u64,
    /// That anchor's time.
    pub time: Millis,
    /// Where all money was.
    pub supply: Supply,
    /// Events sequenced since genesis.
    pub events: u64,
}

impl EpochRecord {
    /// At most `limit` epochs after `after`.
    pub fn scan<R: Rows + ?Sized>(
        rows: &R,
        after: Option<u64>,
        limit: usize,
    ) -> Vec<(u64, EpochRecord)> {
        EPOCHS.scan(rows, after.as_ref(), limit)
    }
}

/// The parameters in force at this state.
pub fn params<R: Rows + ?Sized>(rows: &R) -> Params {
    PARAMS.get(rows, &()).unwrap_or_else(Params::network)
}

/// The value index at this state.
pub fn value_index<R: Rows + ?Sized>(rows: &R) -> ValueIndex {
    INDEX.get(rows, &()).unwrap_or(ValueIndex::ONE)
}

/// When the earliest deadline is due on the epoch clock, if there is any.
pub fn next_deadline<R: Rows + ?Sized>(rows: &R) -> Option<Millis> {
    AGENDA.scan(rows, None, 1).first().map(|((due, _, _), ())| Millis(*due))
}
