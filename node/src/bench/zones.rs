//! `ddt bench zones`: routers in processes of their own on this machine, against one router in
//! the same run, and against what the machine could verify if each event were verified once at
//! each of them.
//!
//! Every router executes every event, and all share the machine with the clients: more routers
//! are more work here, not more machines. What more zones cost is what this shows.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use ddt_ledger::event::Checked;
use ddt_ledger::genesis::{Genesis, GenesisZone};
use ddt_ledger::params::Params;
use ddt_ledger::{AccountId, Zone};
use serde_json::{Value as Json, json};

use super::client::Connection;
use super::delay::apart;
use super::latency::{
    LOAD_SPARE, PAUSE, Payments, READY_PER_SECOND, STAGES, Times, by_stage, failed, lines, press,
    probe,
};
use super::ledger::Limit;
use super::ledger::load::{FOUNDERS, Load};
use crate::cli::{Output, text};
use crate::data_folder::DataFolder;
use crate::data_folder::migration::OldLedger;
use crate::dev::cluster::{free_port, settle};
use crate::dev::process::{Process, start};
use crate::failure::Failure;
use crate::running::NodeKeys;

/// Longest delay: consensus begins to give up rounds beyond it.
const DELAY_MS_MAX: u64 = 500;
/// Delays that a measured payment may take, with its stages, under load.
const DELAYS_EACH: u32 = 30;
/// Most zones: a small machine has little for each.
const ZONES_MAX: u32 = 16;
/// Payments whose signatures the limit is measured with.
const LIMIT_SAMPLE: usize = 20_000;

/// Measure several routers on this machine.
#[derive(Args)]
pub struct ZonesArgs {
    /// Routers, each with a zone; one is measured beside them
    #[arg(long, default_value_t = 4)]
    zones: u32,
    /// How long the highest rate is looked for
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Payments measured for each stage, one after the other, with pauses
    #[arg(long, default_value_t = 50)]
    payments: usize,
    /// Milliseconds that whatever one router sends another takes on its way
    #[arg(long, default_value_t = 0)]
    delay_ms: u64,
}

/// What a network did.
struct Figures {
    zones: u32,
    /// Payments in the book, a second.
    rate: f64,
    idle: Vec<Times>,
    loaded: Vec<Times>,
    loaded_rate: f64,
    /// Seconds of processor time of all routers, for an event.
    cpu: Option<f64>,
    /// Bytes over loopback, the clients' too, for an event.
    bytes: Option<f64>,
}

/// `ddt bench zones`.
///
/// # Errors
/// A router that does not start or answer.
pub fn run(args: &ZonesArgs, output: &Output) -> Result<(), Failure> {
    let in_range = (1..=ZONES_MAX).contains(&args.zones)
        && (1..=60).contains(&args.seconds)
        && (1..=300).contains(&args.payments)
        && args.delay_ms <= DELAY_MS_MAX;
    if !in_range {
        return Err(Failure::usage(
            "want 1 to 16 zones, 1 to 60 seconds, 1 to 300 payments, 0 to 500 milliseconds",
        ));
    }
    let runtime = tokio::runtime::Runtime::new().map_err(|e| Failure::fault(e.to_string()))?;
    let load = Load::new(FOUNDERS);
    let sample = Payments { load: &load, done: 0 }.sign(LIMIT_SAMPLE)?;
    let mut limit = Limit::default();
    limit.measure(&sample);
    let mut all = Vec::new();
    for zones in if args.zones == 1 { vec![1] } else { vec![1, args.zones] } {
        output.note(format!("{zones} router(s)…"));
        all.push(runtime.block_on(network(args, zones, output))?);
    }
    report(&all, args.delay_ms, limit.signatures as f64 / limit.seconds, output);
    Ok(())
}

/// Makes, runs and measures a network of so many routers.
async fn network(args: &ZonesArgs, zones: u32, output: &Output) -> Result<Figures, Failure> {
    let temporary = tempfile::tempdir().map_err(|error| Failure::fault(error.to_string()))?;
    let load = prepare(temporary.path(), zones)?;
    let homes: Vec<PathBuf> =
        (1..=zones).map(|number| temporary.path().join(number.to_string())).collect();
    let homes: Vec<&Path> = homes.iter().map(PathBuf::as_path).collect();
    let delay = Duration::from_millis(args.delay_ms);
    let _doors = match delay.is_zero() {
        true => None,
        false => Some(apart(&homes, delay).await?),
    };
    let mut processes = Vec::new();
    for number in 1..=zones {
        let listen = free_port(number)?;
        // Clients of one address are one client to the limiter.
        processes.push((listen, temporary.path().join(number.to_string())));
    }
    let starting = processes.iter().map(|(listen, home)| start(home, *listen, "error"));
    let processes = futures_util::future::try_join_all(starting).await?;
    let measured = measure(args, &load, &processes, output).await;
    for process in processes {
        process.stop().await;
    }
    let (rate, cpu, bytes, idle, loaded, loaded_rate) = measured?;
    Ok(Figures { zones, rate, idle, loaded, loaded_rate, cpu, bytes })
}

fn prepare(home: &Path, zones: u32) -> Result<Load, Failure> {
    let mut load = Load::new(FOUNDERS);
    let (mut folders, mut routers) = (Vec::new(), Vec::new());
    for number in 0..zones {
        let path = home.join(number.saturating_add(1).to_string());
        let folder = DataFolder::open(&path, OldLedger::Refuse, &mut |_| {})?;
        let keys = NodeKeys::make(&path.join("node.key"))?;
        let router = load.account(number as usize).ok_or_else(|| Failure::fault("no account"))?;
        routers.push(zone(router, Zone(number), &keys)?);
        let spares = "[limits]\nrate_spares_loopback = true\n";
        crate::secret_file::replace(&path.join(crate::config::FILE), spares)?;
        folders.push(folder);
    }
    load.genesis = Genesis { zones: routers, ..load.genesis };
    settle(&folders, zones, &load.genesis)?;
    Ok(load)
}

fn zone(router: AccountId, zone: Zone, keys: &NodeKeys) -> Result<GenesisZone, Failure> {
    let vrf_key = keys.vrf()?.public();
    let bond = Params::network().router_bond_min();
    Ok(GenesisZone { zone, router, key: keys.router_public(), vrf_key, bond })
}

type Measured = (f64, Option<f64>, Option<f64>, Vec<Times>, Vec<Times>, f64);

async fn measure(
    args: &ZonesArgs,
    load: &Load,
    processes: &[Process],
    output: &Output,
) -> Result<Measured, Failure> {
    let address = |process: &Process| -> Result<SocketAddr, Failure> {
        let api = text(&process.about, "/api").unwrap_or_default();
        let address = api.strip_prefix("http://").and_then(|address| address.parse().ok());
        address.ok_or_else(|| Failure::fault("a router says no address"))
    };
    let addresses: Vec<SocketAddr> = processes.iter().map(address).collect::<Result<_, _>>()?;
    let mut payments = Payments { load, done: 0 };
    let first = *addresses.first().ok_or_else(|| Failure::fault("no router"))?;
    // The first anchor waits until all routers have found each other.
    probe(first, 1, &payments.sign(STAGES.len())?).await?;
    output.note("  idle…");
    let idle = probe(first, args.payments, &payments.sign(args.payments * STAGES.len())?).await?;
    output.note("  as many as it takes…");
    let seconds = usize::try_from(args.seconds).unwrap_or(usize::MAX);
    let ready = shared(payments.sign(seconds.saturating_mul(READY_PER_SECOND))?, addresses.len());
    let before = (executed(first).await?, cpu(processes), wire());
    let begun = Instant::now();
    let time = Duration::from_secs(args.seconds);
    press_all(&addresses, ready, None, time).await?;
    // Half of the time more, for what still waits.
    let after = settled(first, begun, time).await?;
    let taken = (after.1, cpu(processes), wire());
    let events = after.0 - before.0;
    let rate = events / taken.0;
    let cpu = before.1.zip(taken.1).map(|(before, after)| (after - before) / events);
    let bytes = before.2.zip(taken.2).map(|(before, after)| (after - before) / events);
    output.note("  half as many…");
    let half = rate / 2.0;
    // Payments far apart take many delays.
    let each = PAUSE * 2 + Duration::from_millis(args.delay_ms) * DELAYS_EACH;
    let time = each.mul_f64((args.payments * STAGES.len()) as f64) + LOAD_SPARE;
    let ready = payments.sign((half * time.as_secs_f64()) as usize)?;
    let ready = shared(ready, addresses.len());
    let probes = payments.sign(args.payments * STAGES.len())?;
    let share = half / addresses.len() as f64;
    let loaded = tokio::select! {
        loaded = probe(first, args.payments, &probes) => loaded?,
        pressed = press_all(&addresses, ready, Some(share), time) => {
            pressed?;
            return Err(Failure::fault("the payments took longer than the load"));
        }
    };
    Ok((rate, cpu, bytes, idle, loaded, half))
}

/// A share for each router. An account stays with one: of what it sends on two ways at once, the
/// earlier nonces could come last, and too late.
fn shared(payments: Vec<Checked>, routers: usize) -> Vec<Vec<Checked>> {
    let mut shares = vec![Vec::new(); routers];
    for payment in payments {
        let byte = payment.draft().author.0.first().copied().unwrap_or_default();
        if let Some(share) = shares.get_mut(usize::from(byte) % routers) {
            share.push(payment);
        }
    }
    shares
}

async fn press_all(
    addresses: &[SocketAddr],
    ready: Vec<Vec<Checked>>,
    rate: Option<f64>,
    time: Duration,
) -> Result<(), Failure> {
    let presses = addresses.iter().zip(ready).map(|(at, ready)| press(*at, ready, rate, time));
    futures_util::future::try_join_all(presses).await.map(drop)
}

/// Waits until nothing more comes into the book; answers how many are there, and when the last
/// came, in seconds.
async fn settled(first: SocketAddr, begun: Instant, time: Duration) -> Result<(f64, f64), Failure> {
    let mut last = (executed(first).await?, begun.elapsed().as_secs_f64());
    while begun.elapsed() < time * 2 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let now = executed(first).await?;
        if now <= last.0 {
            break;
        }
        last = (now, begun.elapsed().as_secs_f64());
    }
    Ok(last)
}

/// A figure of `/metrics`, summed over its labels.
async fn metric(address: SocketAddr, name: &str) -> Result<Option<f64>, Failure> {
    let mut connection = Connection::open(address).await.map_err(failed)?;
    connection.get("/metrics").await.map_err(failed)?;
    let text = String::from_utf8_lossy(connection.body());
    let of_name = text.lines().filter_map(|line| {
        let (label, value) = line.rsplit_once(' ')?;
        let is_it = label == name || label.starts_with(&format!("{name}{{"));
        is_it.then(|| value.parse::<f64>().ok())?
    });
    let values: Vec<f64> = of_name.collect();
    Ok((!values.is_empty()).then(|| values.iter().sum()))
}

async fn executed(address: SocketAddr) -> Result<f64, Failure> {
    Ok(metric(address, "ddt_events_executed_total").await?.unwrap_or_default())
}

/// Bytes that went over loopback since this machine started: between the routers, and between
/// them and their clients; `None` where the system does not say.
fn wire() -> Option<f64> {
    let devices = std::fs::read_to_string("/proc/net/dev").ok()?;
    let loopback = devices.lines().find_map(|line| line.trim().strip_prefix("lo:"))?;
    loopback.split_whitespace().next()?.parse().ok()
}

/// Seconds of processor time that all have used; `None` where the system does not say.
fn cpu(processes: &[Process]) -> Option<f64> {
    let of = |process: &Process| {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.child.id()?)).ok()?;
        // After the name, which may hold anything: user and system time are the 12th and 13th.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
        Some((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND)
    };
    processes.iter().map(of).sum()
}

/// Linux tells times in hundredths of a second on every machine.
const TICKS_PER_SECOND: f64 = 100.0;

fn report(all: &[Figures], delay_ms: u64, limit: f64, output: &Output) {
    let words: Vec<String> = all.iter().map(|figures| shown(figures, delay_ms, limit)).collect();
    let data: Vec<Json> = all
        .iter()
        .map(|figures| {
            let share = limit / f64::from(figures.zones);
            json!({
                "zones": figures.zones,
                "events_per_second": figures.rate,
                "ratio_to_verification_limit_over_zones": figures.rate / share,
                "cpu_seconds_per_event": figures.cpu,
                "loopback_bytes_per_event": figures.bytes,
                "idle": by_stage(&figures.idle),
                "loaded": by_stage(&figures.loaded),
                "events_per_second_loaded": figures.loaded_rate,
                "idle_final_in_delays": in_delays(figures, delay_ms),
            })
        })
        .collect();
    let data = json!({
        "networks": data,
        "delay_ms": delay_ms,
        "verification_limit_per_second": limit,
    });
    output.result(data, words.join("\n"));
}

/// Times to finality on an idle network, on average, in delays between two routers.
fn in_delays(figures: &Figures, delay_ms: u64) -> Option<f64> {
    let at = STAGES.iter().position(|stage| *stage == "final")?;
    let mean = figures.idle.get(at)?.mean;
    (delay_ms > 0 && figures.zones > 1).then(|| mean / delay_ms as f64)
}

fn shown(figures: &Figures, delay_ms: u64, limit: f64) -> String {
    let share = limit / f64::from(figures.zones);
    let or_unknown = |value: Option<f64>, unit: &str| {
        value.map_or("unknown".to_string(), |value| format!("{value:.1} {unit}"))
    };
    format!(
        "{} router(s): {:.0} payments a second in the book, ratio {:.3} to the {limit:.0} \
         signatures that the machine verifies, divided by the routers\n  {} of processor and {} \
         over loopback, clients included, for a payment\n  milliseconds, p50 and p99, idle\n\
         {}  at {:.0} a second\n{}",
        figures.zones,
        figures.rate,
        figures.rate / share,
        or_unknown(figures.cpu.map(|seconds| seconds * 1e6), "µs"),
        or_unknown(figures.bytes, "bytes"),
        lines(&figures.idle),
        figures.loaded_rate,
        lines(&figures.loaded),
    ) + &in_delays(figures, delay_ms).map_or(String::new(), |delays| {
        format!("  idle, final after {delays:.1} delays of {delay_ms} ms, on average\n")
    })
}
