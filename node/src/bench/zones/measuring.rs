//! What is measured of a network that runs.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use ddt_ledger::event::Checked;

use super::ZonesArgs;
use crate::bench::client::Connection;
use crate::bench::latency::{
    LOAD_SPARE, PAUSE, Payments, READY_PER_SECOND, STAGES, Times, failed, press, probe,
};
use crate::cli::{Output, text};
use crate::dev::cluster::free_port;
use crate::dev::process::{Process, start};
use crate::failure::Failure;

/// Delays that a measured payment may take, with its stages, under load.
const DELAYS_EACH: u32 = 30;
/// Delays after which nothing follows any more from an event that was final: the anchor that
/// certifies its root.
const DELAYS_UNTIL_IDLE: u32 = 10;
/// Events with payloads that are ready for each second of load.
const PAYLOADS_READY_PER_SECOND: usize = 4_000;
/// What was pressed is in the book once nothing more came for so long: a full anchor can take
/// longer than a second.
const QUIET_SECONDS: f64 = 4.0;
/// How long a new full node may take.
const SYNC_WITHIN: Duration = Duration::from_secs(600);
/// The same where the routers have work meanwhile: that much is signed before.
const SYNC_UNDER_LOAD_WITHIN: Duration = Duration::from_secs(120);
/// It has arrived when it lacks no more than what comes in so much time.
const ARRIVED_WITHIN: Duration = Duration::from_secs(1);
/// Linux tells times in hundredths of a second on every machine.
const TICKS_PER_SECOND: f64 = 100.0;

/// What a network did.
pub struct Measured {
    /// Events in the book, a second.
    pub rate: f64,
    pub idle: Vec<Times>,
    pub loaded: Vec<Times>,
    pub loaded_rate: f64,
    /// Seconds of processor time of all routers, for an event.
    pub cpu: Option<f64>,
    /// Bytes over loopback, the clients' too, for an event.
    pub bytes: Option<f64>,
}

/// What a new full node did.
pub struct Synced {
    pub events: f64,
    pub seconds: f64,
    /// Events a second that came into the book meanwhile.
    pub live_rate: f64,
}

pub(in crate::bench) fn address(process: &Process) -> Result<SocketAddr, Failure> {
    let api = text(&process.about, "/api").unwrap_or_default();
    let address = api.strip_prefix("http://").and_then(|address| address.parse().ok());
    address.ok_or_else(|| Failure::fault("a node says no address"))
}

/// Measures routers, idle and under load.
pub async fn measure(
    args: &ZonesArgs,
    payments: &mut Payments<'_>,
    processes: &[Process],
    output: &Output,
) -> Result<Measured, Failure> {
    let addresses: Vec<SocketAddr> = processes.iter().map(address).collect::<Result<_, _>>()?;
    let first = *addresses.first().ok_or_else(|| Failure::fault("no router"))?;
    let delay = Duration::from_millis(args.delay_ms + args.jitter_ms);
    // The first anchor waits until all routers have found each other.
    probe(first, 1, &payments.sign(STAGES.len())?, (PAUSE, None)).await?;
    output.note("  idle…");
    let probes = payments.sign(args.payments * STAGES.len())?;
    let pause = PAUSE + delay * DELAYS_UNTIL_IDLE;
    let idle = probe(first, args.payments, &probes, (pause, None)).await?;
    output.note("  as many as it takes…");
    let seconds = usize::try_from(args.seconds).unwrap_or(usize::MAX);
    let each = if args.opaque { PAYLOADS_READY_PER_SECOND } else { READY_PER_SECOND };
    let ready = shared(payments.sign(seconds.saturating_mul(each))?, addresses.len());
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
    let each = PAUSE * 2 + delay * DELAYS_EACH;
    let time = each.mul_f64((args.payments * STAGES.len()) as f64) + LOAD_SPARE;
    let ready = payments.sign((half * time.as_secs_f64()) as usize)?;
    let ready = shared(ready, addresses.len());
    let probes = payments.sign(args.payments * STAGES.len())?;
    let share = half / addresses.len() as f64;
    let loaded = tokio::select! {
        loaded = probe(first, args.payments, &probes, (PAUSE, Some(time))) => loaded?,
        pressed = press_all(&addresses, ready, Some(share), time) => {
            pressed?;
            return Err(Failure::fault("the payments took longer than the load"));
        }
    };
    Ok(Measured { rate, idle, loaded, loaded_rate: half, cpu, bytes })
}

/// Starts a full node that has the genesis and knows the routers' addresses, while they take so
/// many events a second, and waits until it has executed all that they have by then.
pub async fn follow(
    args: &ZonesArgs,
    payments: &mut Payments<'_>,
    routers: &[Process],
    (home, number): (&Path, u32),
) -> Result<Synced, Failure> {
    let addresses: Vec<SocketAddr> = routers.iter().map(address).collect::<Result<_, _>>()?;
    let first = *addresses.first().ok_or_else(|| Failure::fault("no router"))?;
    let rate = f64::from(args.follow_at);
    let within = if args.follow_at == 0 { SYNC_WITHIN } else { SYNC_UNDER_LOAD_WITHIN };
    let ready = payments.sign((rate * within.as_secs_f64()) as usize)?;
    let ready = shared(ready, addresses.len());
    let live = async {
        match args.follow_at {
            0 => std::future::pending().await,
            _ => {
                let share = rate / addresses.len() as f64;
                press_all(&addresses, ready, Some(share), within).await
            }
        }
    };
    let before = executed(first).await?;
    let begun = Instant::now();
    let arrived = async {
        let node = start(home, free_port(number)?, "error", args.flags()).await?;
        let at = address(&node)?;
        let events = loop {
            let there = executed(at).await?;
            if there > 0.0 && there >= executed(first).await? - rate * ARRIVED_WITHIN.as_secs_f64()
            {
                break there;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        let seconds = begun.elapsed().as_secs_f64();
        let live_rate = (executed(first).await? - before) / begun.elapsed().as_secs_f64();
        node.stop().await;
        Ok::<_, Failure>(Synced { events, seconds, live_rate })
    };
    tokio::select! {
        arrived = arrived => arrived,
        pressed = live => {
            pressed?;
            Err(Failure::fault("a new full node does not arrive"))
        }
        () = tokio::time::sleep(within) => {
            Err(Failure::fault("a new full node does not arrive"))
        }
    }
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
    while begun.elapsed() < time * 2 && begun.elapsed().as_secs_f64() < last.1 + QUIET_SECONDS {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = executed(first).await?;
        if now > last.0 {
            last = (now, begun.elapsed().as_secs_f64());
        }
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
