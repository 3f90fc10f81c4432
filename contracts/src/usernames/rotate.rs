//! Handing a row to another one-time key, with another content.

use ddt_ledger::book::Book;
use ddt_ledger::context::Context;
use ddt_ledger::registry::Event;
use ddt_ledger::schema::Bytes;
use ddt_ledger::stamp::{Stamp, StampWeight};
use ddt_ledger::{Hash, PublicKey, Refusal, Signature, event, refusals};

use super::NO_STAMP;
use super::record::{
    self, CIPHERTEXT, Ciphertext, KEY_USED, NOT_HOLDER, UNKNOWN, check_ciphertext,
    possession_digest,
};

event! {
    /// Makes another one-time key the row's holder and replaces what is in it.
    Rotate = "usernames.rotate", Owner,
    "Hand the username row {row} to the one-time key {new_key}, with a new content"
    {
        /// The slow hash of the name.
        row: Hash,
        /// The new one-time key.
        new_key: PublicKey,
        /// The new key's signature over row and key, so that a typing error loses nothing.
        possession: Bytes<64>,
        /// What only the name opens: exactly 296 bytes.
        ciphertext: Ciphertext,
        /// Light.
        stamp: Option<Stamp>,
    }
}

refusals! {
    POSSESSION = "usernames.possession",
        "The new one-time key has not signed for this row; sign the possession digest with it.";
}

impl Rotate {
    fn is_possessed(&self) -> bool {
        let signature = <[u8; 64]>::try_from(self.possession.as_slice()).map(Signature);
        let digest = possession_digest(&self.row, &self.new_key);
        signature.is_ok_and(|signature| self.new_key.verifies(&digest, &signature))
    }
}

impl Event for Rotate {
    const REFUSALS: &'static [Refusal] =
        &[NO_STAMP, CIPHERTEXT, POSSESSION, UNKNOWN, NOT_HOLDER, KEY_USED];
    const WORK: u32 = 2;
    const STAMP: Option<StampWeight> = Some(StampWeight::Light);

    fn check(&self) -> Result<(), Refusal> {
        if self.stamp.is_none() {
            return Err(NO_STAMP);
        }
        check_ciphertext(&self.ciphertext)?;
        if self.is_possessed() { Ok(()) } else { Err(POSSESSION) }
    }

    fn stamp(&self) -> Option<Stamp> {
        self.stamp.clone()
    }

    fn apply(&self, cx: &Context, book: &mut Book) -> Result<(), Refusal> {
        let mut row = record::own(book, &self.row, cx)?;
        record::check_fresh(book, &self.new_key, cx)?;
        row.holder = self.new_key;
        row.ciphertext = self.ciphertext.clone();
        record::put(book, &self.row, &row);
        Ok(())
    }
}
