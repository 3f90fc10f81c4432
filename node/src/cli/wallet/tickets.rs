//! Tickets: nonces that wait. An event signed with one counts whenever it comes, once.

use std::collections::BTreeMap;

use clap::Subcommand;
use ddt_ledger::AccountId;
use ddt_ledger::schema::Value;
use serde_json::{Value as Json, json};

use super::claims::Claims;
use super::{Global, Output};
use crate::cli::connection::{Connection, text};
use crate::cli::moment;
use crate::cli::output::table;
use crate::cli::send::{Sender, Waiting, check_outcome, row};
use crate::cli::wallets;
use crate::failure::Failure;

/// Numbers for events signed ahead of time.
#[derive(Subcommand)]
pub enum TicketsCommand {
    /// Reserve the account's next tickets
    Reserve {
        /// How many, from 1 to 128 open ones in all
        count: u8,
        /// The account, NAME or NAME/1
        #[arg(long)]
        from: Option<String>,
        #[command(flatten)]
        waiting: Waiting,
    },
    /// The account's open tickets, and which were given to an event here
    List {
        /// NAME or NAME/1 of a wallet here, or an account id; without it, the only wallet
        account: Option<String>,
    },
}

/// `ddt wallet tickets …`.
pub fn run(global: &Global, command: &TicketsCommand, output: &Output) -> Result<(), Failure> {
    match command {
        TicketsCommand::Reserve { count, from, waiting } => {
            reserve(global, *count, from.as_deref(), *waiting, output)
        }
        TicketsCommand::List { account } => list(global, account.as_deref(), output),
    }
}

fn reserve(
    global: &Global,
    count: u8,
    from: Option<&str>,
    waiting: Waiting,
    output: &Output,
) -> Result<(), Failure> {
    let values = BTreeMap::from([("count".to_string(), Value::Count(u64::from(count)))]);
    let connection = Connection::open(global)?;
    let (wallet, account) = wallets::unlock(global, from)?;
    let sender = Sender { global, connection: &connection, wallet: &wallet, account, output };
    let mut answer = sender.send(row("accounts.reserve_tickets")?, values, waiting)?;
    check_outcome(&answer)?;
    let tickets = open_tickets(&connection, &account)?;
    let words: Vec<String> = tickets.iter().map(ToString::to_string).collect();
    output.note(format!("Open tickets: {}", words.join(", ")));
    if let Some(object) = answer.as_object_mut() {
        object.insert("tickets".to_string(), json!(tickets));
    }
    sender.finish(&answer, waiting)
}

/// An account's open tickets, in order.
pub fn open_tickets(connection: &Connection, account: &AccountId) -> Result<Vec<u64>, Failure> {
    let rows = connection.view_all("accounts.tickets", &[("account", account.to_string())])?;
    let ticket = |row: &Json| text(row, "/ticket").and_then(|ticket| ticket.parse().ok());
    let tickets: Option<Vec<u64>> = rows.iter().map(ticket).collect();
    tickets.ok_or_else(|| Failure::fault("the node's answer about tickets makes no sense"))
}

fn list(global: &Global, account: Option<&str>, output: &Output) -> Result<(), Failure> {
    let account = match account {
        Some(text) => wallets::shown_account(global, text)?,
        None => {
            let entry = wallets::choose(&wallets::keystore(global)?, None)?;
            wallets::nth_account(&entry, 0)?
        }
    };
    let connection = Connection::open(global)?;
    let claims = Claims::load(global)?;
    let (mut rows, mut data) = (Vec::new(), Vec::new());
    for ticket in open_tickets(&connection, &account)? {
        let claim = claims.of(connection.chain(), &account, ticket);
        let event = claim.map(|claim| claim.event);
        let words = match claim {
            Some(claim) => {
                format!("given to {} until {}", claim.event, moment::text(claim.valid_until))
            }
            None => "free".to_string(),
        };
        rows.push((ticket.to_string(), words));
        data.push(json!({ "ticket": ticket, "given_to": event }));
    }
    let words = match rows.is_empty() {
        true => "No open tickets: ddt wallet tickets reserve N makes some.".to_string(),
        false => table(&rows),
    };
    output.result(json!({ "account": account, "tickets": data }), words);
    Ok(())
}
