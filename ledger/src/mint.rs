//! The right to create coins: only an event declared with [`MintEvent`] receives a [`Mint`].

use crate::amount::Amount;
use crate::book::Book;
use crate::context::Context;
use crate::ids::AccountId;
use crate::refusal::Refusal;
use crate::registry::Declared;

/// The book, with the right to create coins. Nothing outside the ledger can make one.
pub struct Mint<'m, 'b> {
    book: &'m mut Book<'b>,
}

impl<'m, 'b> Mint<'m, 'b> {
    pub(crate) fn new(book: &'m mut Book<'b>) -> Self {
        Mint { book }
    }

    /// Creates `amount` and gives it to `to`.
    pub fn create(
        &mut self,
        to: AccountId,
        amount: Amount,
        reason: &'static str,
    ) -> Result<(), Refusal> {
        self.book.create(to, amount, reason)
    }

    /// The book, for everything that creates nothing.
    pub fn book(&mut self) -> &mut Book<'b> {
        self.book
    }
}

/// The rules of an event that may create coins.
pub trait MintEvent: Declared {
    /// Every refusal that `check` and `apply` may give.
    const REFUSALS: &'static [Refusal];

    /// Rules that need no state.
    fn check(&self) -> Result<(), Refusal> {
        Ok(())
    }

    /// Changes the state, or says why not; then everything is as it was.
    fn apply(&self, cx: &Context, mint: &mut Mint) -> Result<(), Refusal>;
}
