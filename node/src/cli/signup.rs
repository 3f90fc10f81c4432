//! `ddt signup`: becoming a member of a zone, with an address at random.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use clap::Args;
use ddt_ledger::schema::Value;
use ddt_ledger::{AccountId, Zone};
use serde_json::{Value as Json, json};

use super::connection::{Connection, now_us, text};
use super::output::{Output, table};
use super::progress::Spinner;
use super::send::{Sender, Waiting, check_outcome, row};
use super::stamping::stamp;
use super::username;
use super::wallet::current::current_key;
use super::{Global, wallets};
use crate::failure::{Failure, FailureKind};

/// The next anchor draws the address; it comes within seconds.
const DRAW_MAX: Duration = Duration::from_secs(60);

/// Become a member of a zone, with an address at random. Costs work, no coins.
#[derive(Args)]
pub struct SignupArgs {
    /// The account that signs up, NAME or NAME/1
    #[arg(long)]
    from: Option<String>,
    /// The zone; by default the one with the most free seats
    #[arg(long)]
    zone: Option<u32>,
    /// Do not let this machine's node be heard of for the member: send heartbeats yourself
    #[arg(long)]
    no_node: bool,
    /// Claim this username too, right afterwards: whoever watches can tell that both are one
    /// person's. See ddt username claim --help
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    #[command(flatten)]
    waiting: Waiting,
}

/// `ddt signup`.
pub fn run(global: &Global, args: &SignupArgs, output: &Output) -> Result<(), Failure> {
    let name = args.username.as_deref().map(username::username).transpose()?;
    let connection = Connection::open(global)?;
    let (wallet, account) = wallets::unlock(global, args.from.as_deref())?;
    let sender = Sender { global, connection: &connection, wallet: &wallet, account, output };
    let (verdict, event, member) = match member(&connection, &account)? {
        Some(member) => ("A member already.", Json::Null, member),
        None => {
            let event = sign_up(&sender, args)?;
            ("Signed up.", event, drawn(&connection, &account)?)
        }
    };
    let mut data = json!({ "event": event, "member": member });
    let mut words = shown(verdict, &member);
    if let Some(name) = name {
        output.note(&words);
        let address = text(&member, "/address").and_then(|address| address.parse().ok());
        let claimed = username::claim(&username::Own(&sender), &name, address)?;
        words = username::claimed_words(&claimed);
        data["username"] = claimed;
    }
    output.result(data, words);
    Ok(())
}

fn sign_up(sender: &Sender, args: &SignupArgs) -> Result<Json, Failure> {
    let connection = sender.connection;
    let zone = match args.zone {
        Some(zone) => Zone(zone),
        None => emptiest(connection)?,
    };
    let node_key = if args.no_node { None } else { connection.node_key()? };
    if node_key.is_none() {
        sender.output.tell(
            "No node of this machine will be heard of for the member: \
             ddt send zones.heartbeat keeps the address.",
        );
    }
    let sign_up = row("zones.sign_up")?;
    let nonce = now_us();
    let mut values = BTreeMap::from([("zone".to_string(), Value::Zone(zone))]);
    values.extend(node_key.map(|key| ("node_key".to_string(), Value::PublicKey(key))));
    let key = current_key(sender.global, connection, sender.wallet, &sender.account)?.key;
    stamp(connection, sign_up, &mut values, (sender.account, key.public(), nonce))?;
    let answer = sender.send_after(sign_up, values, args.waiting, nonce, || Ok(()))?;
    check_outcome(&answer)?;
    Ok(answer)
}

/// The account's membership, if it is a member.
pub fn member(connection: &Connection, account: &AccountId) -> Result<Option<Json>, Failure> {
    let row = connection.view_one("zones.member", &[("account", account.to_string())])?;
    Ok(row.and_then(|row| row.pointer("/member").cloned()))
}

fn shown(verdict: &str, member: &Json) -> String {
    let names = ["account", "address", "zone", "presence", "standing"];
    let value = |name: &str| Some((name.to_string(), text(member, &format!("/{name}"))?));
    let rows: Vec<(String, String)> = names.into_iter().filter_map(value).collect();
    format!("{verdict}\n{}", table(&rows))
}

/// The zone with the most free newcomers' seats; the lowest of equals.
fn emptiest(connection: &Connection) -> Result<Zone, Failure> {
    let seats = connection.view_all("zones.seats", &[])?;
    let number = |row: &Json, pointer: &str| row.pointer(pointer).and_then(Json::as_u64);
    let free = |row: &Json| {
        let seats = number(row, "/seats")?.saturating_sub(number(row, "/members")?);
        let newcomers = number(row, "/newcomer_seats")?.saturating_sub(number(row, "/newcomers")?);
        Some((seats.min(newcomers), u32::try_from(number(row, "/zone")?).ok()?))
    };
    let best = seats.iter().filter_map(free).filter(|(free, _)| *free > 0);
    let best = best.max_by_key(|(free, zone)| (*free, std::cmp::Reverse(*zone)));
    best.map(|(_, zone)| Zone(zone)).ok_or_else(|| {
        let words = "every zone's seats for newcomers are taken; try again later";
        Failure::new(FailureKind::Refused, "zones.newcomers_full", words)
    })
}

/// Waits for the anchor that draws the address.
fn drawn(connection: &Connection, account: &AccountId) -> Result<Json, Failure> {
    let _spinner = Spinner::new("waiting for the address to be drawn");
    let since = Instant::now();
    loop {
        let member = member(connection, account)?;
        if let Some(member) = member.filter(|member| text(member, "/address").is_some()) {
            return Ok(member);
        }
        if since.elapsed() > DRAW_MAX {
            return Err(Failure::fault(
                "signed up, but no address was drawn yet: look with \
                 ddt query zones.member account=…",
            ));
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}
