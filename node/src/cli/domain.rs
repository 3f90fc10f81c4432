//! `ddt domain`: finding, buying and looking up names. Buying is a recipe: commit, wait,
//! reveal, each step repeatable and finished by the node if this command is interrupted.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use clap::Subcommand;
use ddt_api::Stage;
use ddt_contracts::domains::{DomainName, commit_hash};
use ddt_ledger::schema::Value;
use ddt_ledger::{Amount, Hash, Refusal};
use serde_json::{Value as Json, json};

use super::connection::{Connection, now_us, text};
use super::output::{Output, table};
use super::progress::Spinner;
use super::send::{Sender, Waiting, check_outcome, row};
use super::{Global, wallets};
use crate::failure::{Failure, FailureKind};

/// Find, buy and look up names under .ddt.
#[derive(Subcommand)]
pub enum DomainCommand {
    /// Is a name free, what does it cost, and which are like it
    Search {
        /// The name, or its beginning
        name: String,
        /// The term, in years
        #[arg(long, default_value_t = 1)]
        years: u8,
    },
    /// Buy a name: commit, wait, reveal, in one command
    Buy {
        /// The name
        name: String,
        /// The term, in years
        #[arg(long, default_value_t = 1)]
        years: u8,
        /// The highest price to pay, in APT; by default the price shown now
        #[arg(long, value_name = "APT")]
        max_price: Option<String>,
        /// The wallet that buys
        #[arg(long)]
        from: Option<String>,
    },
    /// Whose is a name, and until when
    Resolve {
        /// The name
        name: String,
        /// Write a proof, also of absence, to a file for ddt verify
        #[arg(long, value_name = "FILE")]
        proof: Option<std::path::PathBuf>,
    },
    /// The names of an account
    List {
        /// A wallet's name or an account id
        account: Option<String>,
    },
}

/// `ddt domain …`.
pub fn run(global: &Global, command: DomainCommand, output: &Output) -> Result<(), Failure> {
    match command {
        DomainCommand::Search { name, years } => search(global, &name, years, output),
        DomainCommand::Buy { name, years, max_price, from } => {
            let max = max_price.map(|text| text.parse::<Amount>()).transpose()?;
            buy(global, &name, years, max, from.as_deref(), output)
        }
        DomainCommand::Resolve { name, proof } => resolve(global, &name, proof.as_deref(), output),
        DomainCommand::List { account } => list(global, account.as_deref(), output),
    }
}

fn domain_name(text: &str) -> Result<DomainName, Failure> {
    DomainName::new(text).map_err(|refusal: Refusal| Failure {
        field: Some("name".to_string()),
        ..Failure::from(refusal)
    })
}

fn term(years: u8) -> String {
    if years == 1 { "one year".to_string() } else { format!("{years} years") }
}

fn price_of(connection: &Connection, name: &DomainName, years: u8) -> Result<Json, Failure> {
    let query = [("name", name.to_string()), ("years", years.to_string())];
    let row = connection.view_one("domains.price", &query)?;
    row.ok_or_else(|| Failure::fault("the node names no price"))
}

fn search(global: &Global, name: &str, years: u8, output: &Output) -> Result<(), Failure> {
    let name = domain_name(name)?;
    let connection = Connection::open(global)?;
    let price = price_of(&connection, &name, years)?;
    let alike = connection.view("domains.search", &[("prefix", name.to_string())])?;
    let is_free = price.pointer("/is_free") == Some(&Json::Bool(true));
    let cost = text(&price, "/price").unwrap_or_default();
    let mut words = match is_free {
        true => format!("{name}.ddt is free: {cost} APT for {}", term(years)),
        false => format!("{name}.ddt is taken"),
    };
    for row in &alike {
        let other = text(row, "/record/name").unwrap_or_default();
        let status = text(row, "/record/status").unwrap_or_default();
        words.push_str(&format!("\n  {other}.ddt is {status}"));
    }
    output.result(json!({ "name": name.to_string(), "quote": price, "registered": alike }), words);
    Ok(())
}

fn resolve(
    global: &Global,
    name: &str,
    proof: Option<&std::path::Path>,
    output: &Output,
) -> Result<(), Failure> {
    let name = domain_name(name)?;
    let connection = Connection::open(global)?;
    if let Some(path) = proof {
        let query = [("name", name.to_string()), ("proof", "1".to_string())];
        let answer = connection.get(&super::connection::view_path("domains.record", &query))?;
        super::ledger::write_proof(path, &answer)?;
    }
    let record = connection.view_one("domains.record", &[("name", name.to_string())])?;
    let record = record.ok_or_else(|| {
        let words = format!("nobody owns {name}.ddt");
        Failure::new(FailureKind::NotFound, "domains.unknown", words)
    })?;
    output.result(record.clone(), record_words(&record));
    Ok(())
}

fn record_words(record: &Json) -> String {
    let get = |pointer: &str| text(record, pointer).unwrap_or_default();
    let rows = ["owner", "status", "price", "from", "until"]
        .map(|field| (field.to_string(), get(&format!("/{field}"))));
    format!("{}.ddt\n{}", get("/name"), table(&rows))
}

fn list(global: &Global, account: Option<&str>, output: &Output) -> Result<(), Failure> {
    let owners = match account {
        Some(text) => vec![(text.to_string(), wallets::account(global, text)?)],
        None => {
            let listing = wallets::keystore(global)?.list().map_err(wallets::failure)?;
            let first = |entry: ddt_wallet::Entry| Some((entry.name, *entry.accounts.first()?));
            listing.entries.into_iter().filter_map(first).collect()
        }
    };
    let connection = Connection::open(global)?;
    let (mut names, mut waiting, mut words) = (Vec::new(), Vec::new(), String::new());
    for (name, owner) in owners {
        let owner = [("owner", owner.to_string())];
        for row in connection.view_all("domains.of_owner", &owner)? {
            let get = |pointer: &str| text(&row, pointer).unwrap_or_default();
            let (domain, status) = (get("/record/name"), get("/record/status"));
            words.push_str(&format!("{domain}.ddt  {status}  {name}\n"));
            names.extend(row.pointer("/record").cloned());
        }
        waiting.extend(connection.view_all("domains.commits", &owner)?);
    }
    if names.is_empty() {
        words.push_str("No names yet.\n");
    }
    if !waiting.is_empty() {
        words.push_str(&format!("{} purchases wait for their reveal.\n", waiting.len()));
    }
    output.result(json!({ "domains": names, "commits": waiting }), words);
    Ok(())
}

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

fn buy(
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
    let price: Amount = text(&quote, "/price").unwrap_or_default().parse()?;
    let refused = |code: &str, words: String| Failure::new(FailureKind::Refused, code, words);
    if quote.pointer("/is_free") != Some(&Json::Bool(true)) {
        return Err(refused("domains.name_taken", format!("{name}.ddt is taken")));
    }
    let cap = max.unwrap_or(price);
    if cap < price {
        let words = format!("{name}.ddt costs {price} APT, more than --max-price {cap}");
        return Err(refused("domains.price_above_cap", words));
    }
    output.note(format!("{name}.ddt for {}: {price} APT, at most {cap} APT", term(years)));
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
    Failure::new(FailureKind::Refused, "domains.older_commit", words)
}
