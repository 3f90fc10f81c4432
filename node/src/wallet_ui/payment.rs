//! Payment requests in the pages: the same texts as `ddt request` makes and `ddt pay` takes.

use ddt_ledger::{AccountId, Amount};

use super::trouble::Trouble;
use crate::cli::Global;
use crate::cli::connection::Connection;
use crate::cli::request;
use crate::cli::request::uri::Request;

/// Longest remark of a payment, in bytes.
pub const MEMO_BYTES_MAX: usize = 128;
const SCHEME: &str = "ddt:";

/// The request for a payment to an account, with these texts, of which both may be empty.
///
/// # Errors
/// Says which of them is wrong, or that nobody says which network this is.
pub fn line(global: &Global, to: AccountId, amount: &str, memo: &str) -> Result<Request, Trouble> {
    let amount = match amount {
        "" => None,
        text => Some(
            text.parse::<Amount>()
                .map_err(|error| Trouble::input(format!("amount: {}", error.words)))?,
        ),
    };
    let memo = Some(memo.to_string()).filter(|memo| !memo.is_empty());
    let made = Request { to, amount, memo, expires: None, chain: request::chain(global)? };
    // Whoever is asked applies the same rules: what they would refuse is refused here.
    Request::read(&made.to_string()).map_err(|error| Trouble::input(error.words))?;
    Ok(made)
}

/// Reads a request that may be paid on the node's network now; nothing when the text is none.
///
/// # Errors
/// It is one, and wrong, over, or for another network.
pub fn read(node: &Connection, text: &str) -> Result<Option<Request>, Trouble> {
    let text = text.trim();
    if !text.get(..SCHEME.len()).is_some_and(|start| start.eq_ignore_ascii_case(SCHEME)) {
        return Ok(None);
    }
    let asked = Request::read(text).map_err(|error| Trouble::input(error.words))?;
    request::check(&asked, node.chain())?;
    Ok(Some(asked))
}
