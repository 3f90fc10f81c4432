//! Stamps for a story's events: good ones, and deliberately bad ones.

use std::collections::BTreeMap;

use ddt_ledger::event::EVENT_BYTES_MAX;
use ddt_ledger::registry::Row;
use ddt_ledger::schema::{Field, Value};
use ddt_ledger::stamp::{Period, STAMP_BITS_MAX, Stamp, StampWeight, Stamps, Task};
use ddt_ledger::{AccountId, ChainId, PublicKey};

/// What stamps are made over after the last anchor.
pub(super) struct Press {
    /// The chain.
    pub chain: ChainId,
    /// The periods.
    pub stamps: Stamps,
}

/// The event that a stamp is for.
pub(super) struct Letter<'l> {
    /// Its author.
    pub author: AccountId,
    /// Who signs it.
    pub key: PublicKey,
    /// Its row.
    pub row: &'l Row,
    /// Its nonce.
    pub nonce: u64,
}

impl Press {
    /// Sets the field `stamp` as `@stamp`, `@stamp=light`, `@stamp=wrong` or `@stamp=old` ask.
    pub fn stamp(
        &self,
        letter: &Letter,
        kind: &str,
        values: &mut BTreeMap<String, Value>,
    ) -> Result<(), String> {
        let Some(weight) = weight(letter.row, values) else {
            return Err(format!("{} takes no stamp, or lacks another field", letter.row.name));
        };
        let now = self.stamps.now;
        let bits = |weight| u32::from(*now.bits.of(weight));
        let (light, wanted) = (bits(StampWeight::Light), bits(weight));
        let stamp = match kind {
            "good" => self.solve(letter, &now, |bits| bits >= wanted),
            "light" => self.solve(letter, &now, |bits| bits >= light && bits < wanted),
            "wrong" => self.solve(letter, &now, |bits| bits < wanted),
            "old" => {
                let past = Period { number: now.number.wrapping_sub(2), ..now };
                self.solve(letter, &past, |bits| bits >= wanted)
            }
            other => return Err(format!("@stamp={other}?")),
        };
        values.insert("stamp".to_string(), stamp.show());
        Ok(())
    }

    fn solve(&self, letter: &Letter, period: &Period, fits: impl Fn(u32) -> bool) -> Stamp {
        let (author, tag) = (&letter.author, letter.row.tag);
        let task = Task::new(self.chain, author, &letter.key, tag, letter.nonce, period);
        let nonce = (0..).find(|nonce| fits(task.bits(*nonce))).unwrap_or_default();
        Stamp { period: period.number, nonce }
    }
}

/// How heavy a stamp the event wants; `None` where it takes none.
fn weight(row: &Row, values: &BTreeMap<String, Value>) -> Option<StampWeight> {
    let mut values = values.clone();
    values.insert("stamp".to_string(), Stamp { period: 0, nonce: 0 }.show());
    let body = (row.build)(&values).ok().filter(|body| body.len() <= EVENT_BYTES_MAX)?;
    (row.stamp)(&body).map(|(_, weight)| weight)
}

const _: () = assert!(STAMP_BITS_MAX < 64, "every stamp can be found");
