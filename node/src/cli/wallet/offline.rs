//! Signing an event into a file: now, here, to be submitted later and from elsewhere.

use std::path::PathBuf;

use clap::Args;
use ddt_contracts::REGISTRY;
use ddt_ledger::codec::encode;
use ddt_ledger::registry::{Row, Signer};
use ddt_ledger::tickets::TICKET_NONCE_END;
use ddt_ledger::{AccountId, ChainId};
use ddt_wallet::describe::describe;
use ddt_wallet::sign::{Occasion, draft, sign as sign_draft};
use ddt_wallet::{SignedFile, Unlocked};
use serde_json::json;

use super::claims::{Claim, Claims};
use super::current::{self, Found, current_key};
use super::tickets::open_tickets;
use super::{Global, Output};
use crate::cli::connection::{Connection, home, now_us};
use crate::cli::moment;
use crate::cli::output::table;
use crate::cli::plain::plain;
use crate::cli::proposal::SIGNATURE_BYTES;
use crate::cli::send::{parse_fields, row};
use crate::cli::wallets;
use crate::data_folder::read_genesis;
use crate::failure::{Failure, FailureKind};
use crate::secret_file;

const DAY_MS: u64 = 86_400_000;

/// `ddt wallet sign`.
#[derive(Args)]
pub struct Sign {
    /// The event, programme.event; ddt send lists all there are
    event: String,
    /// Its fields, name=value
    fields: Vec<String>,
    /// The account that signs, NAME or NAME/1
    #[arg(long)]
    from: Option<String>,
    /// The account to sign for, where its owner key was replaced by this wallet's
    #[arg(long, value_name = "ACCOUNT")]
    author: Option<String>,
    /// Use no node and no network: everything comes from here
    #[arg(long)]
    offline: bool,
    /// The reserved ticket to use; with a node, by default the lowest free one
    #[arg(long, value_name = "N", conflicts_with = "nonce",
        value_parser = clap::value_parser!(u32).range(1..))]
    ticket: Option<u32>,
    /// "now": a nonce that counts only until 32 later ones of the account were used
    #[arg(long, value_name = "now", value_parser = ["now"])]
    nonce: Option<String>,
    /// For how many days it may be submitted
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u64).range(1..=7))]
    valid_days: u64,
    /// The network's genesis file; by default the data folder's
    #[arg(long, value_name = "FILE")]
    genesis: Option<PathBuf>,
    /// How often the account's owner key was replaced; a node knows it
    #[arg(long, value_name = "R", requires = "offline")]
    rotations: Option<u32>,
    /// Use a ticket that was given to another event here: only one of the two can count
    #[arg(long)]
    again: bool,
    /// The new file to write
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
}

/// Where an event is signed, and with what.
struct Desk {
    chain: ChainId,
    author: AccountId,
    found: Found,
    nonce: u64,
    connection: Option<Connection>,
}

/// Signs an event into a file.
pub fn sign(global: &Global, args: &Sign, output: &Output) -> Result<(), Failure> {
    let row = row(&args.event)?;
    if !matches!(row.signer, Signer::Owner | Signer::Anyone) {
        return Err(Failure::usage(format!("{} is signed by a node, not a wallet", row.name)));
    }
    let values = parse_fields(global, row, &args.fields)?;
    if args.out.symlink_metadata().is_ok() {
        let path = args.out.display();
        return Err(Failure::usage(format!("{path} is there already: choose another --out")));
    }
    let connection = match args.offline {
        true => None,
        false => Some(Connection::open(global)?),
    };
    let chain = chain(global, args, connection.as_ref())?;
    let (wallet, index) = wallets::unlock_indexed(global, args.from.as_deref())?;
    let desk = desk(global, args, connection, chain, (&wallet, index))?;
    let now = now_us();
    let occasion = Occasion::owner(chain, desk.author, desk.found.key.public(), now);
    let occasion = occasion.ahead(desk.nonce, now, args.valid_days * DAY_MS);
    let draft = draft(row, &values, occasion)?;
    let words = in_words(&desk, &wallet, row, &draft)?;
    output.agree(words, "Sign this?")?;
    let signed = sign_draft(draft, &desk.found.key);
    let file = SignedFile::new(&signed, &REGISTRY)?;
    let text = file.to_json().map_err(|error| Failure::fault(error.to_string()))?;
    secret_file::create_anywhere(&args.out, &text)?;
    if desk.nonce < TICKET_NONCE_END {
        let (account, ticket, event) = (desk.author, desk.nonce, file.event);
        let valid_until = file.valid_until;
        Claims::add(global, Claim { chain, account, ticket, event, valid_until })?;
    }
    let path = args.out.display();
    let shown = format!("Wrote {path}. Where a node is:  ddt submit {path}");
    let data = json!({
        "file": args.out, "event": file.event, "chain": chain, "words": file.words,
        "author": file.author, "key": file.key, "nonce": file.nonce,
        "valid_until": file.valid_until,
    });
    output.result(data, shown);
    Ok(())
}

/// The chain to sign for: the genesis file's, and the node's where there is one.
fn chain(
    global: &Global,
    args: &Sign,
    connection: Option<&Connection>,
) -> Result<ChainId, Failure> {
    let path = args.genesis.clone().unwrap_or_else(|| home(global).join("genesis.toml"));
    let genesis = read_genesis(&path)?.map(|genesis| genesis.chain());
    if args.genesis.is_some() && genesis.is_none() {
        return Err(Failure::usage(format!("there is no {}", path.display())));
    }
    match (connection.map(Connection::chain), genesis) {
        (Some(node), Some(genesis)) if node != genesis => Err(Failure::fault(format!(
            "the node follows another network than {}: choose another --api or --genesis",
            path.display()
        ))),
        (Some(chain), _) | (None, Some(chain)) => Ok(chain),
        (None, None) => Err(Failure::usage(
            "which network? add --genesis FILE, its genesis file: ddt dev keeps it in its data \
             folder, a node gives it at /v1/genesis",
        )),
    }
}

fn desk(
    global: &Global,
    args: &Sign,
    connection: Option<Connection>,
    chain: ChainId,
    (wallet, index): (&Unlocked, usize),
) -> Result<Desk, Failure> {
    let own = wallet.keys().get(index).map(|key| key.account());
    let author = match (&args.author, own) {
        (Some(text), _) => wallets::account(global, text)?,
        (None, Some(own)) => own,
        (None, None) => return Err(Failure::fault("the wallet does not hold that account")),
    };
    let found = match &connection {
        Some(connection) => current_key(global, connection, wallet, &author)?,
        None => {
            let index = u32::try_from(index).map_err(|_| Failure::usage("no such account"))?;
            current::derive(wallet, index, args.rotations.unwrap_or(0))?
        }
    };
    let nonce = nonce(global, args, connection.as_ref(), chain, &author)?;
    Ok(Desk { chain, author, found, nonce, connection })
}

/// The ticket or nonce: the one asked for, else what the node knows to be free.
fn nonce(
    global: &Global,
    args: &Sign,
    connection: Option<&Connection>,
    chain: ChainId,
    author: &AccountId,
) -> Result<u64, Failure> {
    let claims = Claims::load(global)?;
    let open = match connection {
        Some(connection) if args.nonce.is_none() => open_tickets(connection, author)?,
        _ => Vec::new(),
    };
    if args.nonce.is_some() {
        return Ok(now_us());
    }
    let Some(ticket) = args.ticket.map(u64::from) else {
        if connection.is_none() {
            return Err(Failure::usage(
                "which number? add --ticket N, one that ddt wallet tickets reserve made and no \
                 other event got, or --nonce now, which counts only until 32 later nonces of \
                 the account were used",
            ));
        }
        let free = open.into_iter().find(|ticket| claims.of(chain, author, *ticket).is_none());
        return Ok(free.unwrap_or_else(now_us));
    };
    if connection.is_some() && !open.contains(&ticket) {
        let words = format!(
            "ticket {ticket} of {author} is not open: it was used or never reserved; ddt wallet \
             tickets list shows the open ones"
        );
        return Err(Failure::new(FailureKind::Refused, "event.ticket", words));
    }
    match claims.of(chain, author, ticket) {
        Some(claim) if !args.again => Err(Failure::usage(format!(
            "ticket {ticket} was given to the event {} here, which is good until {}: take \
             another, or add --again if that event shall not count (of the two only the first \
             to arrive does)",
            claim.event,
            moment::text(claim.valid_until)
        ))),
        _ => Ok(ticket),
    }
}

/// What is signed, read back from the very bytes, and when it counts.
fn in_words(
    desk: &Desk,
    wallet: &Unlocked,
    row: &Row,
    draft: &ddt_ledger::event::Draft,
) -> Result<String, Failure> {
    let description = describe(draft, &REGISTRY)?;
    let mut rows: Vec<(String, String)> =
        description.fields.iter().map(|(name, value)| (name.to_string(), plain(value))).collect();
    let mut add = |name: &str, value: String| rows.push((name.to_string(), value));
    add("from", format!("{} ({})", desk.author, wallet.name()));
    add("event", format!("{}, tag {}", row.name, row.tag));
    add("key", format!("{} at {}", desk.found.key.public(), desk.found.path()));
    add("chain", desk.chain.to_string());
    match desk.nonce < TICKET_NONCE_END {
        true => add("ticket", desk.nonce.to_string()),
        false => add("nonce", format!("{}; void after 32 later ones", desk.nonce)),
    }
    add("valid until", moment::text(draft.valid_until));
    let fee = match &desk.connection {
        Some(connection) => {
            format!("{} APT now", connection.fee(encode(draft).len() + SIGNATURE_BYTES)?)
        }
        None => "what the network asks when it is submitted".to_string(),
    };
    add("fee", fee);
    Ok(format!("{}\n{}", plain(&description.words), table(&rows).trim_end()))
}
