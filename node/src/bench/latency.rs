//! `ddt bench latency`: how long a payment takes from its submission until it is sequenced,
//! final and proven, at a router of its own with the settings of a real one: idle, and while it
//! takes half as many payments as it can.
//!
//! Clients and router share the machine.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use ddt_api::Limits;
use ddt_contracts::REGISTRY;
use ddt_core::mempool::MempoolLimits;
use ddt_ledger::event::Checked;
use ddt_ledger::genesis::{Genesis, GenesisZone};
use serde_json::json;

use super::client::{Connection, next};
use super::ledger::Kind;
use super::ledger::load::{FOUNDERS, Load, ZONE};
use crate::cli::Output;
use crate::data_folder::DataFolder;
use crate::data_folder::migration::OldLedger;
use crate::failure::Failure;
use crate::running::{Listeners, Node, NodeConfig, NodeKeys, bind};

/// The stages, as the API names them.
pub(super) const STAGES: [&str; 3] = ["sequenced", "final", "proven"];
/// Clients that make load.
const CLIENTS: usize = 64;
/// Payments that are ready for each second of load: more than a small machine takes.
pub(super) const READY_PER_SECOND: usize = 12_000;
/// Before each measured payment, and up to as much again: idle is when nothing was just sealed.
pub(super) const PAUSE: Duration = Duration::from_millis(150);
/// Payments measured for each stage, at most: under load so many more are signed ahead.
const PAYMENTS_MAX: usize = 300;
/// Seconds for which the highest rate is looked for, at most.
const SECONDS_MAX: u64 = 60;
/// Load beyond what the pauses take.
pub(super) const LOAD_SPARE: Duration = Duration::from_secs(30);
/// How long a client waits that was told to come again later.
const LATER: Duration = Duration::from_millis(5);

/// Measure how long payments take.
#[derive(Args)]
pub struct LatencyArgs {
    /// Payments measured for each stage, one after the other, with pauses
    #[arg(long, default_value_t = 100)]
    payments: usize,
    /// How long the highest rate is looked for
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Folder of the router; a temporary one without it
    #[arg(long)]
    state: Option<std::path::PathBuf>,
}

/// `ddt bench latency`.
pub fn run(args: &LatencyArgs, output: &Output) -> Result<(), Failure> {
    if !(1..=PAYMENTS_MAX).contains(&args.payments) || !(1..=SECONDS_MAX).contains(&args.seconds) {
        return Err(Failure::usage("want 1 to 300 payments, and 1 to 60 seconds"));
    }
    let temporary = tempfile::tempdir().map_err(|e| Failure::fault(e.to_string()))?;
    let home = args.state.as_deref().unwrap_or(temporary.path());
    let (load, folder) = prepare(home)?;
    let runtime = tokio::runtime::Runtime::new().map_err(|e| Failure::fault(e.to_string()))?;
    let done = runtime.block_on(measure(args, &load, folder, output));
    runtime.shutdown_timeout(Duration::from_secs(5));
    done
}

/// A new network of this router and its accounts.
fn prepare(home: &Path) -> Result<(Load, DataFolder), Failure> {
    let folder = DataFolder::open(home, OldLedger::Refuse, &mut |_| {})?;
    if folder.genesis()?.is_some() {
        return Err(Failure::usage("the folder holds a network already: choose an empty one"));
    }
    let mut load = Load::new(FOUNDERS);
    let keys = NodeKeys::make(&home.join("node.key"))?;
    let zone = |router| -> Result<GenesisZone, Failure> {
        Ok(GenesisZone {
            zone: ZONE,
            router,
            key: keys.router_public(),
            vrf_key: keys.vrf()?.public(),
            bond: load.genesis.params.router_bond_min(),
        })
    };
    let router = load.account(0).ok_or_else(|| Failure::fault("no account"))?;
    let genesis = Genesis { zones: vec![zone(router)?], ..load.genesis };
    folder.set_genesis(&genesis)?;
    load.genesis = genesis;
    Ok((load, folder))
}

async fn measure(
    args: &LatencyArgs,
    load: &Load,
    folder: DataFolder,
    output: &Output,
) -> Result<(), Failure> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let public = bind(any)?;
    let address = public.local_addr().map_err(|error| Failure::fault(error.to_string()))?;
    let listeners = Listeners::of(public, any)?;
    let config = NodeConfig {
        limits: Limits { rate: None, ..Limits::default() },
        mempool: MempoolLimits::default(),
        continue_restored: false,
        accept_lost_data: false,
        snapshots: None,
        registry: REGISTRY,
        history: None,
        network: None,
    };
    let router = Node::start(folder, &listeners, config).await?;
    let figures = figures(args, load, address, output).await;
    router.stop().await?;
    report(args, &figures?, output);
    Ok(())
}

struct Figures {
    rate_max: f64,
    rate: f64,
    idle: Vec<Times>,
    loaded: Vec<Times>,
}

async fn figures(
    args: &LatencyArgs,
    load: &Load,
    address: SocketAddr,
    output: &Output,
) -> Result<Figures, Failure> {
    let mut payments = Payments { load, is_opaque: false, done: 0 };
    output.note("Idle…");
    let probes = payments.sign(args.payments * STAGES.len())?;
    let idle = probe(address, args.payments, &probes, (PAUSE, None)).await?;
    output.note("As many as it takes…");
    let seconds = usize::try_from(args.seconds).unwrap_or(usize::MAX);
    let ready = payments.sign(seconds.saturating_mul(READY_PER_SECOND))?;
    let begun = Instant::now();
    let accepted = press(address, ready, None, Duration::from_secs(args.seconds)).await?;
    let rate_max = accepted as f64 / begun.elapsed().as_secs_f64();
    output.note("Half as many…");
    let half = rate_max / 2.0;
    // Longer than the probes need; they end it.
    let time = PAUSE.mul_f64(2.0 * (args.payments * STAGES.len()) as f64) + LOAD_SPARE;
    let ready = payments.sign((half * time.as_secs_f64()) as usize)?;
    let probes = payments.sign(args.payments * STAGES.len())?;
    let pressing = press(address, ready, Some(half), time);
    let loaded = tokio::select! {
        loaded = probe(address, args.payments, &probes, (PAUSE, Some(time))) => loaded?,
        pressed = pressing => {
            pressed?;
            return Err(Failure::fault("the payments took longer than the load"));
        }
    };
    Ok(Figures { rate_max, rate: half, idle, loaded })
}

/// Payments, or payloads, with nonces that nobody used.
pub(super) struct Payments<'l> {
    pub load: &'l Load,
    pub is_opaque: bool,
    pub done: usize,
}

impl Payments<'_> {
    pub fn sign(&mut self, count: usize) -> Result<Vec<Checked>, Failure> {
        let chain = self.load.genesis.chain();
        let signed = match self.is_opaque {
            true => self.load.sign_payloads(count, self.done, chain),
            false => self.load.sign(Kind::Transfer, count, self.done, chain),
        };
        self.done = self.done.saturating_add(count);
        signed
    }
}

pub(super) fn failed(error: std::io::Error) -> Failure {
    Failure::fault(format!("a client: {error}"))
}

/// How long payments took, in milliseconds.
pub(super) struct Times {
    pub payments: usize,
    pub p50: f64,
    pub p99: f64,
    pub mean: f64,
}

impl Times {
    fn of(mut times: Vec<f64>) -> Times {
        times.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let place = (times.len() as f64 * share).ceil() as usize;
            times.get(place.saturating_sub(1)).copied().unwrap_or_default()
        };
        let mean = times.iter().sum::<f64>() / times.len().max(1) as f64;
        Times { payments: times.len(), p50: at(0.5), p99: at(0.99), mean }
    }
}

/// Sends so many payments for each stage, one after the other, with a pause before each, and up
/// to as much again; fewer where a load ends before, after so long.
pub(super) async fn probe(
    address: SocketAddr,
    count: usize,
    payments: &[Checked],
    (pause, load): (Duration, Option<Duration>),
) -> Result<Vec<Times>, Failure> {
    let each = load.map_or(Duration::MAX, |load| load.saturating_sub(LOAD_SPARE / 3) / 3);
    let mut connection = Connection::open(address).await.map_err(failed)?;
    let (mut found, mut random) = (Vec::new(), 1);
    for (stage, payments) in STAGES.iter().zip(payments.chunks(count)) {
        let (path, mut times) = (format!("/v1/events?wait={stage}"), Vec::new());
        let stage_begun = Instant::now();
        for payment in payments {
            if stage_begun.elapsed() > each {
                break;
            }
            random = next(random);
            tokio::time::sleep(pause + pause.mul_f64((random % 1_000) as f64 / 1_000.0)).await;
            let begun = Instant::now();
            let status = connection.post(&path, payment.bytes()).await.map_err(failed)?;
            if status != 200 {
                return Err(Failure::fault(format!("a payment got the status {status}")));
            }
            times.push(begun.elapsed().as_secs_f64() * 1_000.0);
        }
        found.push(Times::of(times));
    }
    Ok(found)
}

/// Sends payments from many clients, each its next one once the last is accepted, at most so
/// many a second together; answers how many were accepted in that time. Who is told that too
/// many wait comes again.
pub(super) async fn press(
    address: SocketAddr,
    payments: Vec<Checked>,
    rate: Option<f64>,
    time: Duration,
) -> Result<usize, Failure> {
    let (payments, taken) = (Arc::new(payments), Arc::new(AtomicUsize::new(0)));
    let begun = Instant::now();
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..CLIENTS {
        let (payments, taken) = (payments.clone(), taken.clone());
        clients.spawn(async move {
            let mut connection = Connection::open(address).await?;
            let mut accepted = 0usize;
            while begun.elapsed() < time {
                let place = taken.fetch_add(1, Ordering::Relaxed);
                let Some(payment) = payments.get(place) else { break };
                if let Some(rate) = rate {
                    let due = begun + Duration::from_secs_f64(place as f64 / rate);
                    tokio::time::sleep_until(due.into()).await;
                }
                loop {
                    match connection.post("/v1/events", payment.bytes()).await? {
                        200 | 202 => break,
                        429 | 503 if begun.elapsed() < time => tokio::time::sleep(LATER).await,
                        429 | 503 => return Ok(accepted),
                        status => {
                            let words = format!("a payment got the status {status}");
                            return Err(std::io::Error::other(words));
                        }
                    }
                }
                accepted = accepted.saturating_add(1);
            }
            Ok::<usize, std::io::Error>(accepted)
        });
    }
    let mut accepted = 0usize;
    while let Some(client) = clients.join_next().await {
        let client = client.map_err(|error| Failure::fault(error.to_string()))?;
        accepted = accepted.saturating_add(client.map_err(failed)?);
    }
    Ok(accepted)
}

/// A line for each stage.
pub(super) fn lines(times: &[Times]) -> String {
    let line = |(stage, times): (&&str, &Times)| {
        format!("  {stage:<10} {:>8.1} {:>8.1} {:>6}\n", times.p50, times.p99, times.payments)
    };
    STAGES.iter().zip(times).map(line).collect()
}

/// Milliseconds by stage.
pub(super) fn by_stage(times: &[Times]) -> serde_json::Map<String, serde_json::Value> {
    let one = |(stage, times): (&&str, &Times)| {
        let Times { payments, p50, p99, .. } = times;
        (stage.to_string(), json!({ "p50_ms": p50, "p99_ms": p99, "payments": payments }))
    };
    STAGES.iter().zip(times).map(one).collect()
}

fn report(args: &LatencyArgs, figures: &Figures, output: &Output) {
    let Figures { rate_max, rate, idle, loaded } = figures;
    let words = format!(
        "milliseconds from a submission on: p50, p99, of how many payments\nidle\n{}at {rate:.0} \
         payments a second, half of the {rate_max:.0} that it takes\n{}{FOUNDERS} accounts",
        lines(idle),
        lines(loaded),
    );
    let data = json!({
        "payments_per_second_max": rate_max,
        "payments_per_second_loaded": rate,
        "idle": by_stage(idle),
        "loaded": by_stage(loaded),
        "payments": args.payments,
        "accounts": FOUNDERS,
    });
    output.result(data, words);
}
