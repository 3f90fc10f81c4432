//! Buying: commit, wait, reveal, each step repeatable and finished by the node if this
//! command is interrupted.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ddt_api::Stage;
use ddt_contracts::domains::{DomainName, commit_hash};
use ddt_ledger::schema::Value;
use ddt_ledger::{Amount, Hash};
use serde_json::{Value as Json, json};

use super::super::connection::{Connection, now_us, text};
use super::super::output::Output;
use super::super::progress::Spinner;
use super::super::send::{Sender, Waiting, check_outcome, row};
use super::super::{Global, wallets};
use super::look::{price_of, price_words, record_words};
use super::{amount_at, domain_name, refused, term};
use crate::failure::{Failure, FailureKind};

/// How long a purchase is waited for.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// How long the node's agent is left alone with a reveal that could be made.
const AGENT_PATIENCE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(200);

/// What a purchase needs to know at each step.
struct Purchase<'a> {
    sender: Sender<'a>,
    name: DomainName,
    years: u8,
    salt: Hash,
    nonce: u64,
}

/// `ddt domain buy`.
pub fn buy(
    global: &Global,
    name: &str,
    years: u8,
    max: Option<Amount>,
    from: Option<&str>,
    output: &Output,
) -> Result<(), Failure> {
    let name = domain_name(name)?;
    let connection = Connection::open(global)?;
    let quote = price_of(&connection, &name, years)?;
    // With the premium of a name that became free a short while ago.
    let price = amount_at(&quote, "/total")?;
    if quote.pointer("/is_free") != Some(&Json::Bool(true)) {
        let words = format!("{name}.ddt is taken; ddt domain search {name} says if it is for sale");
        return Err(refused("domains.name_taken", words));
    }
    let cap = max.unwrap_or(price);
    if cap < price {
        let words = format!("{name}.ddt costs {price} APT, more than --max-price {cap}");
        return Err(refused("domains.price_above_cap", words));
    }
    output.tell(format!(
        "{name}.ddt for {}: {}, at most {cap} APT",
        term(years),
        price_words(&quote)?
    ));
    let (wallet, account) = wallets::unlock(global, from)?;
    // Salt and commit share one nonce, which stands in the ledger: so the words alone bring
    // the salt back.
    let nonce = now_us();
    let salt = Hash(wallet.seed().salt(name.as_str(), nonce));
    let sender = Sender { global, connection: &connection, wallet: &wallet, account, output };
    let purchase = Purchase { sender, name, years, salt, nonce };
    purchase.run(cap)
}

impl Purchase<'_> {
    fn run(&self, cap: Amount) -> Result<(), Failure> {
        let owner = self.sender.account;
        let hash = commit_hash(&owner, &self.name, self.years, &self.salt);
        let values = BTreeMap::from([
            ("hash".to_string(), Value::Hash(hash)),
            ("price_max".to_string(), Value::Amount(cap)),
        ]);
        let waiting = Waiting { wait: Stage::Final, force: false };
        let is_handed_over = Cell::new(false);
        // The node learns of the reveal after the consent and before the money moves: from
        // then on it finishes the purchase by itself, whatever becomes of this command.
        let hand_over = || {
            let connection = self.sender.connection;
            if connection.is_own_node() {
                match connection.reveal(&self.preimage()) {
                    Ok(_) => is_handed_over.set(true),
                    Err(failure) => self.sender.output.note(format!(
                        "The node cannot finish this by itself ({failure}): keep this running."
                    )),
                }
            }
            Ok(())
        };
        let commit = row("domains.commit")?;
        let committed = self.sender.send_after(commit, values, waiting, self.nonce, hand_over)?;
        check_outcome(&committed)?;
        self.sender.output.note("Committed; the name is revealed when the commit is old enough.");
        let record = self.wait_for_record(is_handed_over.get())?;
        let words = match text(&record, "/status").as_deref() {
            Some("pending") => "Bought; yours for good when its contest ends in a moment.",
            _ => "Bought.",
        };
        let shown = format!("{words}\n{}", record_words(&record));
        self.sender.output.result(json!({ "commit": committed, "record": record }), shown);
        Ok(())
    }

    fn preimage(&self) -> Json {
        json!({
            "owner": self.sender.account,
            "name": self.name.to_string(),
            "years": self.years,
            "salt": self.salt,
        })
    }

    fn values(&self) -> BTreeMap<String, Value> {
        BTreeMap::from([
            ("owner".to_string(), Value::Account(self.sender.account)),
            ("name".to_string(), Value::Text(self.name.to_string())),
            ("years".to_string(), Value::Count(u64::from(self.years))),
            ("salt".to_string(), Value::Hash(self.salt)),
        ])
    }

    /// Waits until the name is the buyer's; reveals by itself when no node does it in time.
    fn wait_for_record(&self, is_handed_over: bool) -> Result<Json, Failure> {
        let _spinner = Spinner::new("waiting for the reveal");
        let connection = self.sender.connection;
        let me = self.sender.account.to_string();
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            let query = [("name", self.name.to_string())];
            let record = connection.view_one("domains.record", &query)?;
            let get = |field: &str| record.as_ref().and_then(|record| text(record, field));
            let is_mine = get("/owner").as_deref() == Some(me.as_str());
            match get("/status").as_deref() {
                Some("pending" | "active") if is_mine => return Ok(record.unwrap_or_default()),
                Some("active" | "grace") => return Err(older_commit()),
                // Nobody's, expired, or another's while an older commit can still win it.
                _ if !is_handed_over || start.elapsed() > AGENT_PATIENCE => self.try_reveal()?,
                _ => {}
            }
            std::thread::sleep(POLL);
        }
        let words = "the reveal takes long; ddt domain list shows when it is done";
        Err(Failure::new(FailureKind::Fault, "timeout", words))
    }

    /// Reveals with the wallet's own key. Too early is a reason to wait; no commit means that
    /// the reveal has just happened, which the record will tell.
    fn try_reveal(&self) -> Result<(), Failure> {
        let waiting = Waiting { wait: Stage::Final, force: false };
        match self.sender.send_agreed(row("domains.reveal")?, self.values(), waiting) {
            Ok(answer) => check_outcome(&answer),
            Err(failure)
                if ["domains.too_early", "domains.no_commit"].contains(&failure.code.as_str()) =>
            {
                Ok(())
            }
            Err(failure) => Err(failure),
        }
    }
}

fn older_commit() -> Failure {
    let words = "somebody committed earlier; the escrow comes back by itself";
    refused("domains.older_commit", words.to_string())
}
