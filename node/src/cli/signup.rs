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

/// Routers count as equally near whose answers take as many of these.
const NEAR_MS: f64 = 10.0;

/// Become a member of a zone, with an address at random. Costs work, no coins.
#[derive(Args)]
pub struct SignupArgs {
    /// The account that signs up, NAME or NAME/1
    #[arg(long)]
    from: Option<String>,
    /// The zone; by default one with free seats whose router is near to this machine's node, or
    /// the one with the most free seats
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
    let zones = zones(&connection)?;
    let known = member(&connection, &account)?;
    let chosen = choose(&connection, args.zone, &zones, known.as_ref())?;
    let (verdict, event, member) = match (chosen, known) {
        (Choice::Stay(verdict), known) => (verdict, Json::Null, known.unwrap_or_default()),
        (Choice::Zone(zone), _) => {
            let event = sign_up(&sender, args, zone)?;
            ("Signed up.", event, drawn(&connection, &account, zone)?)
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

/// Whether a member asks to belong elsewhere. A guest, whose zone has no router, may sign up at
/// another one (spec ZON-10), and does where nothing else is asked; of anybody else the ledger
/// says why not.
fn is_to_move(member: &Json, zones: &[Seats], asked: Option<u32>) -> bool {
    let number = member.pointer("/zone").and_then(Json::as_u64);
    let home = zones.iter().find(|seats| Some(u64::from(seats.zone)) == number);
    let is_guest = home.is_some_and(|home| !home.is_governed);
    let is_elsewhere = asked.is_some_and(|asked| Some(u64::from(asked)) != number);
    is_elsewhere || (is_guest && asked.is_none())
}

/// What a sign-up comes to.
enum Choice {
    /// For this zone.
    Zone(Zone),
    /// The member stays where it is, and is told this.
    Stay(&'static str),
}

fn choose(
    connection: &Connection,
    asked: Option<u32>,
    zones: &[Seats],
    known: Option<&Json>,
) -> Result<Choice, Failure> {
    if known.is_some_and(|member| !is_to_move(member, zones, asked)) {
        return Ok(Choice::Stay("A member already."));
    }
    if let Some(asked) = asked {
        return Ok(Choice::Zone(Zone(asked)));
    }
    match best(zones, &distances(connection)?) {
        Err(_) if known.is_some() => {
            Ok(Choice::Stay("Still a guest: its zone has no router, and no other one a free seat."))
        }
        best => best.map(Choice::Zone),
    }
}

fn sign_up(sender: &Sender, args: &SignupArgs, zone: Zone) -> Result<Json, Failure> {
    let connection = sender.connection;
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

/// A zone, as far as a newcomer's choice goes.
struct Seats {
    zone: u32,
    /// Seats that a newcomer may take.
    free: u64,
    is_governed: bool,
}

fn zones(connection: &Connection) -> Result<Vec<Seats>, Failure> {
    let number = |row: &Json, pointer: &str| row.pointer(pointer).and_then(Json::as_u64);
    let seats = |row: &Json| {
        let seats = number(row, "/seats")?.saturating_sub(number(row, "/members")?);
        let newcomers = number(row, "/newcomer_seats")?.saturating_sub(number(row, "/newcomers")?);
        Some(Seats {
            zone: u32::try_from(number(row, "/zone")?).ok()?,
            free: seats.min(newcomers),
            is_governed: row.pointer("/is_governed").and_then(Json::as_bool)?,
        })
    };
    Ok(connection.view_all("zones.seats", &[])?.iter().filter_map(seats).collect())
}

/// How far the zones' routers are from this machine's node, in steps of [`NEAR_MS`]; nothing of
/// those that it is not connected with.
fn distances(connection: &Connection) -> Result<BTreeMap<u32, u64>, Failure> {
    if !connection.is_own_node() {
        return Ok(BTreeMap::new());
    }
    let node = connection.get_private("/v1/node")?;
    let peers = node.pointer("/peers").and_then(Json::as_array).into_iter().flatten();
    let mut steps: BTreeMap<String, u64> = peers
        .filter_map(|peer| {
            let rtt = peer.pointer("/rtt_ms").and_then(Json::as_f64)?;
            Some((text(peer, "/router_key")?, (rtt / NEAR_MS) as u64))
        })
        .collect();
    steps.extend(text(&node, "/router_key").map(|own| (own, 0)));
    let routers = connection.view_all("zones.routers", &[])?;
    let distance = |row: &Json| {
        let zone = row.pointer("/router/zone").and_then(Json::as_u64)?;
        let steps = steps.get(&text(row, "/router/key")?)?;
        Some((u32::try_from(zone).ok()?, *steps))
    };
    Ok(routers.iter().filter_map(distance).collect())
}

/// Of the zones with a router and a newcomer's seat the nearest; of equally near ones the one with
/// the most free seats; of equals the lowest.
fn best(zones: &[Seats], distances: &BTreeMap<u32, u64>) -> Result<Zone, Failure> {
    let open = zones.iter().filter(|seats| seats.is_governed && seats.free > 0);
    let best = open.min_by_key(|seats| {
        let steps = distances.get(&seats.zone).copied().unwrap_or(u64::MAX);
        (steps, std::cmp::Reverse(seats.free), seats.zone)
    });
    best.map(|seats| Zone(seats.zone)).ok_or_else(|| {
        let words = "no zone has a router and a free seat for newcomers; try again later";
        Failure::new(FailureKind::Refused, "zones.newcomers_full", words)
    })
}

/// Waits until the account is a member there and has an address: the next anchor draws it.
fn drawn(connection: &Connection, account: &AccountId, zone: Zone) -> Result<Json, Failure> {
    let _spinner = Spinner::new("waiting for the address to be drawn");
    let since = Instant::now();
    loop {
        let member = member(connection, account)?;
        let is_there = |member: &Json| {
            let number = member.pointer("/zone").and_then(Json::as_u64);
            number == Some(u64::from(zone.0)) && text(member, "/address").is_some()
        };
        if let Some(member) = member.filter(is_there) {
            return Ok(member);
        }
        if since.elapsed() > DRAW_MAX {
            return Err(Failure::fault(
                "signed up, but not a member with an address there yet: look with \
                 ddt query zones.member account=…",
            ));
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seats(zone: u32, free: u64, is_governed: bool) -> Seats {
        Seats { zone, free, is_governed }
    }

    // Broken by: a zone that is full or has no router, a far one before a near one, or the most
    // crowded of equally near ones.
    #[test]
    fn the_nearest_zone_with_room_is_taken() {
        let zones = [seats(0, 9, false), seats(1, 3, true), seats(2, 7, true), seats(3, 0, true)];
        let chosen = |distances: &[(u32, u64)]| {
            best(&zones, &distances.iter().copied().collect()).map(|zone| zone.0).ok()
        };
        assert_eq!(chosen(&[]), Some(2));
        assert_eq!(chosen(&[(0, 0), (1, 1), (2, 4), (3, 0)]), Some(1));
        assert_eq!(chosen(&[(1, 2), (2, 2)]), Some(2));
        assert_eq!(chosen(&[(1, 9)]), Some(1));
        assert!(best(&zones[3..], &BTreeMap::new()).is_err());
    }

    // Broken by: a guest who stays where nobody sequences, or a member who is told that all is
    // done when another zone was asked for.
    #[test]
    fn guests_move_and_others_ask_the_ledger() {
        let zones = [seats(0, 1, true), seats(1, 1, false)];
        let member = |zone: u32| json!({ "zone": zone });
        assert!(!is_to_move(&member(0), &zones, None));
        assert!(!is_to_move(&member(0), &zones, Some(0)));
        assert!(is_to_move(&member(0), &zones, Some(1)));
        assert!(is_to_move(&member(1), &zones, None));
        assert!(is_to_move(&member(1), &zones, Some(0)));
        assert!(!is_to_move(&member(1), &zones, Some(1)));
    }
}
