//! From receipts to lines: one for each movement of money that touched an account's balance.

use std::collections::BTreeMap;

use ddt_contracts::REGISTRY;
use ddt_ledger::{AccountId, Amount, Millis};
use serde_json::{Value as Json, json};

use super::filter::Filter;
use crate::cli::connection::{Connection, text};
use crate::cli::progress::Spinner;
use crate::cli::wallet::keys::anchor_time;
use crate::cli::wallet::names::Names;
use crate::cli::wallet::pages::{Pages, patiently};
use crate::failure::Failure;

/// One movement, or an event of the account that moved nothing.
#[derive(Clone, Debug)]
pub struct Line {
    /// Anchor, place in it, and place in its receipt: the order of a history.
    pub place: (u64, u64, usize),
    /// The anchor's time.
    pub time: Millis,
    /// What the account is called here.
    pub account_name: String,
    /// The account.
    pub account: AccountId,
    /// `programme.event`, a deadline's name, or `fees`.
    pub event: String,
    /// The event's id.
    pub id: Option<String>,
    /// How it ended.
    pub outcome: String,
    /// Why money moved.
    pub reason: String,
    /// The other side, by name; empty where nothing moved.
    pub counterparty: String,
    /// The other side, where it is an account.
    pub counterparty_account: Option<AccountId>,
    /// What came in.
    pub incoming: Amount,
    /// What went out, the fee aside.
    pub outgoing: Amount,
    /// The fee paid from this balance; on the receipt's first line.
    pub fee: Amount,
    /// The payer's remark.
    pub memo: Option<String>,
}

impl Line {
    /// By how much the balance changed, with its sign.
    pub fn effect(&self) -> String {
        let spent = self.outgoing.plus(self.fee).unwrap_or(Amount::MAX);
        match (self.incoming.minus(spent), spent.minus(self.incoming)) {
            (Some(Amount::ZERO), _) => "0".to_string(),
            (Some(gain), _) => format!("+{gain}"),
            (None, loss) => format!("-{}", loss.unwrap_or_default()),
        }
    }

    /// For scripts.
    pub fn to_json(&self) -> Json {
        json!({
            "time": self.time, "anchor": self.place.0, "account": self.account,
            "account_name": self.account_name, "event": self.event, "id": self.id,
            "outcome": self.outcome, "reason": self.reason, "counterparty": self.counterparty,
            "counterparty_account": self.counterparty_account, "in": self.incoming,
            "out": self.outgoing, "fee": self.fee, "effect": self.effect(), "memo": self.memo,
        })
    }
}

/// Reads histories from a node.
pub struct Reader<'r> {
    connection: &'r Connection,
    names: &'r Names,
    filter: &'r Filter,
    spinner: &'r Spinner,
    /// Times of anchors asked for already.
    times: BTreeMap<u64, Millis>,
    seen: usize,
}

impl<'r> Reader<'r> {
    /// A reader that shows how far it is.
    pub fn new(
        connection: &'r Connection,
        names: &'r Names,
        filter: &'r Filter,
        spinner: &'r Spinner,
    ) -> Reader<'r> {
        Reader { connection, names, filter, spinner, times: BTreeMap::new(), seen: 0 }
    }

    /// Adds an account's lines, newest first, at most `limit` of them. Answers whether there
    /// may be more.
    pub fn read(
        &mut self,
        name: &str,
        account: &AccountId,
        limit: usize,
        lines: &mut Vec<Line>,
    ) -> Result<bool, Failure> {
        let path = format!("/v1/accounts/{account}/events");
        let mut pages = Pages::new(self.connection, path, &[]);
        let full = lines.len().saturating_add(limit);
        while let Some(receipts) = pages.next()? {
            self.seen += receipts.len();
            self.spinner.say(format!("{}: {} receipts read", name, self.seen));
            let Some(oldest) = receipts.last() else { continue };
            let oldest = self.time(height(oldest)?)?;
            // A whole page after the time that is wanted.
            if self.filter.until.is_some_and(|until| oldest > until) {
                continue;
            }
            for receipt in &receipts {
                for line in self.lines_of(name, account, receipt)? {
                    if lines.len() >= full {
                        return Ok(true);
                    }
                    lines.push(line);
                }
            }
            if self.filter.since.is_some_and(|since| oldest < since) {
                return Ok(false);
            }
        }
        Ok(false)
    }

    fn time(&mut self, height: u64) -> Result<Millis, Failure> {
        if let Some(time) = self.times.get(&height) {
            return Ok(*time);
        }
        let time = anchor_time(self.connection, height)?;
        self.times.insert(height, time);
        Ok(time)
    }

    fn lines_of(
        &mut self,
        name: &str,
        account: &AccountId,
        receipt: &Json,
    ) -> Result<Vec<Line>, Failure> {
        let subject = text(receipt, "/subject").unwrap_or_default();
        let event = text(receipt, "/name").unwrap_or_else(|| subject.clone());
        if !self.filter.takes_kind(&event, &subject) {
            return Ok(Vec::new());
        }
        let time = self.time(height(receipt)?)?;
        let is_in = self.filter.since.is_none_or(|since| time >= since)
            && self.filter.until.is_none_or(|until| time <= until);
        if !is_in {
            return Ok(Vec::new());
        }
        let mut lines = self.movements(name, account, receipt, (time, event))?;
        lines.retain(|line| self.filter.takes(line));
        if !lines.is_empty()
            && let Some(memo) = self.memo(receipt)?
        {
            lines.iter_mut().for_each(|line| line.memo = Some(memo.clone()));
        }
        Ok(lines)
    }

    /// Every movement of the account's balance; at least one line, so that an event that
    /// moved nothing is not hidden.
    fn movements(
        &self,
        name: &str,
        account: &AccountId,
        receipt: &Json,
        (time, event): (Millis, String),
    ) -> Result<Vec<Line>, Failure> {
        let index = receipt.pointer("/index").and_then(Json::as_u64).unwrap_or_default();
        let blank = Line {
            place: (height(receipt)?, index, 0),
            time,
            account_name: name.to_string(),
            account: *account,
            event,
            id: text(receipt, "/id"),
            outcome: text(receipt, "/outcome").unwrap_or_default(),
            reason: String::new(),
            counterparty: String::new(),
            counterparty_account: None,
            incoming: Amount::ZERO,
            outgoing: Amount::ZERO,
            fee: Amount::ZERO,
            memo: None,
        };
        let (mut lines, mut fee) = (Vec::new(), Amount::ZERO);
        let postings = receipt.pointer("/postings").and_then(Json::as_array);
        for posting in postings.into_iter().flatten() {
            let amount: Amount = text(posting, "/amount").unwrap_or_default().parse()?;
            let (from, to) = (side(posting, "from"), side(posting, "to"));
            let is_mine = [account_of(from), account_of(to)].map(|side| side == Some(*account));
            let is_fee = text(to, "/kind").as_deref() == Some("fees");
            match is_mine {
                [true, _] if is_fee => fee = fee.plus(amount).unwrap_or(Amount::MAX),
                [false, false] => {}
                [is_out, is_in] => {
                    let other = if is_out { to } else { from };
                    lines.push(Line {
                        place: (blank.place.0, index, lines.len()),
                        reason: text(posting, "/reason").unwrap_or_default(),
                        counterparty: self.show(other),
                        counterparty_account: account_of(other),
                        incoming: if is_in { amount } else { Amount::ZERO },
                        outgoing: if is_out { amount } else { Amount::ZERO },
                        ..blank.clone()
                    });
                }
            }
        }
        if lines.is_empty() {
            lines.push(blank);
        }
        if let Some(first) = lines.first_mut() {
            first.fee = fee;
        }
        Ok(lines)
    }

    /// A side of a movement, in words.
    fn show(&self, side: &Json) -> String {
        let get = |pointer: &str| text(side, pointer).unwrap_or_default();
        match get("/kind").as_str() {
            "account" => account_of(side).map_or(get("/account"), |it| self.names.show(&it)),
            "hold" => format!("held by {}", programme(&get("/programme"))),
            "allowance" => format!("the allowance of the node key {}", get("/node_key")),
            "fees" => format!("the fees of zone {}", get("/zone")),
            "pool" => "the common pool".to_string(),
            other => other.to_string(),
        }
    }

    /// The remark of an event that has one; a node that no longer keeps its bytes has none.
    fn memo(&self, receipt: &Json) -> Result<Option<String>, Failure> {
        let has_memo = text(receipt, "/name")
            .and_then(|name| REGISTRY.row_named(&name))
            .is_some_and(|row| row.fields.iter().any(|field| field.name == "memo"));
        let Some(id) = text(receipt, "/id").filter(|_| has_memo) else { return Ok(None) };
        let event = patiently(self.connection, &format!("/v1/events/{id}"))?;
        Ok(text(&event, "/fields/memo"))
    }
}

fn height(receipt: &Json) -> Result<u64, Failure> {
    let height = receipt.pointer("/height").and_then(Json::as_u64);
    height.ok_or_else(|| Failure::fault("the node's answer about a history makes no sense"))
}

fn side<'j>(posting: &'j Json, name: &str) -> &'j Json {
    posting.get(name).unwrap_or(&Json::Null)
}

fn account_of(side: &Json) -> Option<AccountId> {
    let is_account = text(side, "/kind").as_deref() == Some("account");
    text(side, "/account").filter(|_| is_account)?.parse().ok()
}

fn programme(id: &str) -> String {
    let found = REGISTRY.programmes.iter().find(|programme| programme.id.to_string() == id);
    found.map_or(format!("programme {id}"), |programme| programme.name.to_string())
}
