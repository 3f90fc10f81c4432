//! `ddt domain`: the whole life of a name, from finding it to giving it away. Each verb is a
//! recipe over events and views of the registry.

mod buy;
mod history;
mod look;
mod offers;
mod record_lines;
mod records;
mod renew;

use std::collections::BTreeMap;

use clap::Subcommand;
use ddt_api::Stage;
use ddt_contracts::domains::DomainName;
use ddt_ledger::schema::Value;
use ddt_ledger::{Amount, Refusal};
use serde_json::Value as Json;

use super::connection::{Connection, text};
use super::output::Output;
use super::send::{Sender, Waiting, row};
use super::{Global, wallets};
use crate::failure::{Failure, FailureKind};

/// Find, buy, keep, use, sell and look up names under .ddt.
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
    /// Make a name's term longer, now or by itself
    Renew(renew::RenewArgs),
    /// Give a name to another account, which must accept it
    Transfer {
        /// The name
        name: String,
        /// A wallet's name or an account id
        to: String,
        /// The owner's wallet
        #[arg(long)]
        from: Option<String>,
    },
    /// Take a name that is given, or buy one that is for sale
    Accept {
        /// The name
        name: String,
        /// The price agreed to, in APT; by default the price shown before consent
        #[arg(long, value_name = "APT")]
        price: Option<String>,
        /// The wallet that takes it
        #[arg(long)]
        from: Option<String>,
    },
    /// Take back the transfer or the sale of a name
    Cancel {
        /// The name
        name: String,
        /// The owner's wallet
        #[arg(long)]
        from: Option<String>,
    },
    /// Offer a name for sale
    Sell {
        /// The name
        name: String,
        /// What it costs, in APT
        price: String,
        /// The only account that may buy it: a wallet's name or an account id
        #[arg(long, value_name = "ACCOUNT")]
        to: Option<String>,
        /// The owner's wallet
        #[arg(long)]
        from: Option<String>,
    },
    /// Names that are for sale, or offered to an account
    Offers {
        /// A wallet's name or an account id; all wallets here, if there is none
        account: Option<String>,
    },
    /// Say what a name leads to: its records, or its site
    Set(records::SetArgs),
    /// What a name leads to
    Records {
        /// The name
        name: String,
        /// Write a proof, also of absence, to a file for ddt verify
        #[arg(long, value_name = "FILE")]
        proof: Option<std::path::PathBuf>,
    },
    /// Whose is a name, and until when
    Resolve {
        /// The name
        name: String,
        /// Write a proof, also of absence, to a file for ddt verify
        #[arg(long, value_name = "FILE")]
        proof: Option<std::path::PathBuf>,
    },
    /// What happened to a name, newest first
    History {
        /// The name
        name: String,
        /// At most so many
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
    /// The names of an account
    List {
        /// A wallet's name or an account id
        account: Option<String>,
    },
}

/// `ddt domain …`.
pub fn run(global: &Global, command: DomainCommand, output: &Output) -> Result<(), Failure> {
    use DomainCommand as Verb;
    match command {
        Verb::Search { name, years } => look::search(global, &name, years, output),
        Verb::Buy { name, years, max_price, from } => {
            let max = max_price.map(|text| amount("max-price", &text)).transpose()?;
            buy::buy(global, &name, years, max, from.as_deref(), output)
        }
        Verb::Renew(args) => renew::run(global, &args, output),
        Verb::Transfer { name, to, from } => {
            offers::transfer(&Desk::open(global, &name, output)?, &to, from.as_deref())
        }
        Verb::Accept { name, price, from } => {
            let price = price.map(|text| amount("price", &text)).transpose()?;
            offers::accept(&Desk::open(global, &name, output)?, price, from.as_deref())
        }
        Verb::Cancel { name, from } => {
            offers::cancel(&Desk::open(global, &name, output)?, from.as_deref())
        }
        Verb::Sell { name, price, to, from } => {
            let (price, to) = (amount("price", &price)?, to.as_deref());
            offers::sell(&Desk::open(global, &name, output)?, price, to, from.as_deref())
        }
        Verb::Offers { account } => offers::list(global, account.as_deref(), output),
        Verb::Set(args) => records::set(global, &args, output),
        Verb::Records { name, proof } => records::show(global, &name, proof.as_deref(), output),
        Verb::Resolve { name, proof } => look::resolve(global, &name, proof.as_deref(), output),
        Verb::History { name, limit } => history::run(global, &name, limit, output),
        Verb::List { account } => look::list(global, account.as_deref(), output),
    }
}

fn domain_name(text: &str) -> Result<DomainName, Failure> {
    DomainName::new(text).map_err(|refusal: Refusal| Failure {
        field: Some("name".to_string()),
        ..Failure::from(refusal)
    })
}

/// An amount of the flag or argument `field`.
fn amount(field: &str, text: &str) -> Result<Amount, Failure> {
    text.parse::<Amount>().map_err(|refusal: Refusal| Failure {
        field: Some(field.to_string()),
        ..Failure::from(refusal)
    })
}

fn term(years: u8) -> String {
    if years == 1 { "one year".to_string() } else { format!("{years} years") }
}

fn refused(code: &str, words: String) -> Failure {
    Failure::new(FailureKind::Refused, code, words)
}

fn not_owned(name: &DomainName) -> Failure {
    let words = format!("nobody owns {name}.ddt");
    Failure::new(FailureKind::NotFound, "domains.unknown", words)
}

/// The amount at a pointer of an answer.
fn amount_at(json: &Json, pointer: &str) -> Result<Amount, Failure> {
    let missing = || Failure::fault(format!("the node's answer has no {pointer}"));
    Ok(text(json, pointer).ok_or_else(missing)?.parse::<Amount>()?)
}

/// A name and the node that knows it: what every verb about one name starts from.
struct Desk<'a> {
    global: &'a Global,
    output: &'a Output,
    connection: Connection,
    name: DomainName,
}

impl<'a> Desk<'a> {
    fn open(global: &'a Global, name: &str, output: &'a Output) -> Result<Desk<'a>, Failure> {
        let name = domain_name(name)?;
        Ok(Desk { global, output, connection: Connection::open(global)?, name })
    }

    /// The only row of a view about the name, if there is one.
    fn view(&self, view: &str) -> Result<Option<Json>, Failure> {
        self.connection.view_one(view, &[("name", self.name.to_string())])
    }

    /// The price view for a term.
    fn quote(&self, years: u8) -> Result<Json, Failure> {
        look::price_of(&self.connection, &self.name, years)
    }

    /// Refuses at once what nobody could renew, sell or set: a name without an owner.
    fn record(&self) -> Result<Json, Failure> {
        let record = self.view("domains.record")?;
        let is_owned = |row: &Json| text(row, "/status").as_deref() != Some("expired");
        record.filter(is_owned).ok_or_else(|| not_owned(&self.name))
    }

    /// Opens the wallet, shows the event in words, asks, signs, submits, waits for the end
    /// and prints it. The name is added to the values.
    fn send(
        &self,
        from: Option<&str>,
        event: &str,
        values: impl IntoIterator<Item = (&'static str, Value)>,
    ) -> Result<(), Failure> {
        let (global, output) = (self.global, self.output);
        let (wallet, account) = wallets::unlock(global, from)?;
        let connection = &self.connection;
        let sender = Sender { global, connection, wallet: &wallet, account, output };
        let mut all: BTreeMap<String, Value> =
            values.into_iter().map(|(name, value)| (name.to_string(), value)).collect();
        all.insert("name".to_string(), Value::Text(self.name.to_string()));
        let waiting = Waiting { wait: Stage::Final, force: false };
        let answer = sender.send(row(event)?, all, waiting)?;
        sender.finish(&answer, waiting)
    }
}
