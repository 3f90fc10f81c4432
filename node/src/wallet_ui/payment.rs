//! A payment that somebody asks for, as one line to hand on:
//! `ddt:apt1…?amount=5&memo=lunch`.

use std::fmt;

use ddt_ledger::{AccountId, Amount};

use super::form::Form;
use super::trouble::Trouble;

/// Longest remark of a payment, in bytes.
pub const MEMO_BYTES_MAX: usize = 128;
const SCHEME: &str = "ddt:";

/// Who asks, for how much, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Who is to receive.
    pub to: AccountId,
    /// How much, if that is said.
    pub amount: Option<Amount>,
    /// The public remark; empty when there is none.
    pub memo: String,
}

impl Payment {
    /// A payment asked for in these texts, of which the last two may be empty.
    ///
    /// # Errors
    /// Says which of them is wrong.
    pub fn new(to: AccountId, amount: &str, memo: &str) -> Result<Payment, Trouble> {
        let amount = match amount {
            "" => None,
            text => Some(
                text.parse::<Amount>()
                    .map_err(|error| Trouble::input(format!("amount: {}", error.words)))?,
            ),
        };
        if memo.len() > MEMO_BYTES_MAX {
            let words = format!("memo: at most {MEMO_BYTES_MAX} bytes are taken.");
            return Err(Trouble::input(words));
        }
        Ok(Payment { to, amount, memo: memo.to_string() })
    }

    /// Reads the line; nothing when the text is none.
    ///
    /// # Errors
    /// It is one, and wrong.
    pub fn read(text: &str) -> Option<Result<Payment, Trouble>> {
        let rest = text.trim().strip_prefix(SCHEME)?;
        let (account, query) = rest.split_once('?').unwrap_or((rest, ""));
        let fields = Form::parse(query.as_bytes());
        let account = account.parse::<AccountId>().map_err(|_| {
            Trouble::input("to: after ddt: comes an account id, apt1…; check it for typing errors.")
        });
        Some(account.and_then(|to| Payment::new(to, fields.get("amount"), fields.get("memo"))))
    }
}

impl fmt::Display for Payment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}", self.to)?;
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(amount) = self.amount {
            query.append_pair("amount", &amount.to_string());
        }
        if !self.memo.is_empty() {
            query.append_pair("memo", &self.memo);
        }
        match query.finish() {
            query if query.is_empty() => Ok(()),
            query => write!(f, "?{query}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Broken by: not encoding the memo, or reading another payment than was written.
    #[test]
    fn what_is_written_is_read() {
        let to = AccountId([7; 32]);
        for (amount, memo) in [("", ""), ("5", ""), ("0.5", "tea & biscuits?"), ("", "ü#%+=")] {
            let payment = Payment::new(to, amount, memo).unwrap();
            let line = payment.to_string();
            assert!(!line.contains(' '), "{line}");
            assert_eq!(Payment::read(&line).unwrap().unwrap(), payment, "{line}");
        }
        assert_eq!(Payment::read(&to.to_string()).map(drop), None);
        assert_eq!(Payment::read("alice").map(drop), None);
        for wrong in ["ddt:", "ddt:alice", &format!("ddt:{to}x"), &format!("ddt:{to}?amount=-1")] {
            assert!(Payment::read(wrong).unwrap().is_err(), "{wrong}");
        }
        assert!(Payment::new(to, "", &"x".repeat(129)).is_err());
    }
}
