//! Replacing the owner key.

use ddt_ledger::book::{Book, SAME_KEY};
use ddt_ledger::context::Context;
use ddt_ledger::registry::Event;
use ddt_ledger::schema::Bytes;
use ddt_ledger::{AccountId, Domain, Hash, PublicKey, Refusal, Signature, event, refusals};

event! {
    /// Makes another key the account's owner key. The id stays.
    RotateKey = "accounts.rotate_key", Owner,
    "Replace the owner key of this account by {new_key}; the old key signs nothing any more"
    {
        /// The new owner key.
        new_key: PublicKey,
        /// The new key's signature over the account's id, so that a typing error loses nothing.
        possession: Bytes<64>,
    }
}

refusals! {
    POSSESSION = "accounts.possession",
        "The new key has not signed for this account; sign the possession digest with it.";
}

/// What the new key signs to show that somebody holds it.
pub fn possession_digest(account: &AccountId, new_key: &PublicKey) -> Hash {
    Domain("ddt v1 key possession").hash(&[&account.0, &new_key.0])
}

impl Event for RotateKey {
    const REFUSALS: &'static [Refusal] = &[POSSESSION, SAME_KEY];

    fn apply(&self, cx: &Context, book: &mut Book) -> Result<(), Refusal> {
        let author = cx.origin()?.author;
        let signature: [u8; 64] = self.possession.as_slice().try_into().map_err(|_| POSSESSION)?;
        let digest = possession_digest(&author, &self.new_key);
        if !self.new_key.verifies(&digest, &Signature(signature)) {
            return Err(POSSESSION);
        }
        book.rotate_owner_key(self.new_key)
    }
}
