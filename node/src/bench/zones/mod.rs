//! `ddt bench zones`: routers in processes of their own on this machine, against one router in
//! the same run, and against what the machine could verify if each event were verified once at
//! each of them; then a full node that begins with nothing.
//!
//! Every router executes every event, and all share the machine with the clients: more routers
//! are more work here, not more machines. What more zones cost is what this shows.

mod distance;
pub(super) mod measuring;
mod report;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use ddt_ledger::genesis::GenesisZone;
use ddt_ledger::params::Params;
use ddt_ledger::{AccountId, Zone};

use self::distance::{Distance, apart};
use self::measuring::{follow, measure};
use self::report::{Figures, report};
use super::latency::Payments;
use super::ledger::Limit;
use super::ledger::load::{FOUNDERS, Load};
use super::opaque;
use crate::cli::Output;
use crate::data_folder::DataFolder;
use crate::data_folder::migration::OldLedger;
use crate::dev::cluster::{free_port, settle};
use crate::dev::process::{Process, start};
use crate::failure::Failure;
use crate::running::NodeKeys;

/// Longest delay: consensus begins to give up rounds beyond it.
const DELAY_MS_MAX: u64 = 500;
/// Most packets of a hundred that are lost.
const LOSS_PERCENT_MAX: u64 = 20;
/// Most events a second while a new node comes: they are signed before.
const FOLLOW_AT_MAX: u32 = 5_000;
/// Most zones: a small machine has little for each.
pub(super) const ZONES_MAX: u32 = 16;
/// Payments whose signatures the limit is measured with.
const LIMIT_SAMPLE: usize = 20_000;

/// Measure several routers on this machine.
#[derive(Args)]
pub struct ZonesArgs {
    /// Routers, each with a zone; one is measured beside them
    #[arg(long, default_value_t = 4)]
    zones: u32,
    /// Measure two, three, … of them, too
    #[arg(long)]
    each: bool,
    /// How long the highest rate is looked for
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Payments measured for each stage, one after the other, with pauses
    #[arg(long, default_value_t = 50)]
    payments: usize,
    /// Milliseconds that whatever one router sends another takes on its way
    #[arg(long, default_value_t = 0)]
    delay_ms: u64,
    /// It takes so many milliseconds more, or less, at most
    #[arg(long, default_value_t = 0)]
    jitter_ms: u64,
    /// Of a hundred packets so many come only when they were sent again
    #[arg(long, default_value_t = 0)]
    loss_percent: u64,
    /// In the place of payments: payloads of 512 bytes that mean nothing, 31 in an event, which
    /// nobody signs or checks but together
    #[arg(long)]
    opaque: bool,
    /// Payments a second that the routers take while a new full node comes; two minutes' worth of
    /// them are signed before
    #[arg(long, default_value_t = 0)]
    follow_at: u32,
}

impl ZonesArgs {
    fn distance(&self) -> Distance {
        Distance {
            delay: Duration::from_millis(self.delay_ms),
            jitter: Duration::from_millis(self.jitter_ms),
            loss_percent: self.loss_percent,
        }
    }

    /// Flags of the nodes.
    fn flags(&self) -> &'static [&'static str] {
        if self.opaque { &["--bench-opaque"] } else { &[] }
    }
}

/// `ddt bench zones`.
///
/// # Errors
/// A router that does not start or answer.
pub fn run(args: &ZonesArgs, output: &Output) -> Result<(), Failure> {
    let in_range = (1..=ZONES_MAX).contains(&args.zones)
        && (1..=60).contains(&args.seconds)
        && (1..=300).contains(&args.payments)
        && args.delay_ms <= DELAY_MS_MAX
        && args.jitter_ms <= args.delay_ms
        && args.loss_percent <= LOSS_PERCENT_MAX
        && args.follow_at <= FOLLOW_AT_MAX;
    if args.follow_at > 0 && args.distance().is_any() {
        let words = "--follow-at goes with no distance: a new node's own ways have no doors";
        return Err(Failure::usage(words));
    }
    if !in_range {
        return Err(Failure::usage(
            "want 1 to 16 zones, 1 to 60 seconds, 1 to 300 payments, a delay of 0 to 500 \
             milliseconds, no more jitter than delay, 0 to 20 percent of loss, a new node at \
             0 to 5000 payments a second",
        ));
    }
    let runtime = tokio::runtime::Runtime::new().map_err(|e| Failure::fault(e.to_string()))?;
    let load = Load::new(FOUNDERS);
    let sample = Payments { load: &load, is_opaque: false, done: 0 }.sign(LIMIT_SAMPLE)?;
    let mut limit = Limit::default();
    limit.measure(&sample);
    let networks = match (args.zones, args.each) {
        (zones, true) => (1..=zones).collect(),
        (1, false) => vec![1],
        (zones, false) => vec![1, zones],
    };
    let mut all = Vec::new();
    for zones in networks {
        output.note(format!("{zones} router(s)…"));
        all.push(runtime.block_on(network(args, zones, output))?);
    }
    report(args, &all, limit.signatures as f64 / limit.seconds, output);
    Ok(())
}

/// Makes, runs and measures a network of so many routers.
async fn network(args: &ZonesArgs, zones: u32, output: &Output) -> Result<Figures, Failure> {
    let temporary = tempfile::tempdir().map_err(|error| Failure::fault(error.to_string()))?;
    let mut load = Load::new(FOUNDERS);
    if args.opaque {
        load.genesis.name = opaque::NETWORK.to_string();
    }
    let load = prepare(temporary.path(), zones, load)?;
    let home = |number: u32| temporary.path().join(number.to_string());
    let homes: Vec<PathBuf> = (1..=zones).map(home).collect();
    let homes: Vec<&Path> = homes.iter().map(PathBuf::as_path).collect();
    let _doors = match args.distance() {
        distance if distance.is_any() => Some(apart(&homes, distance).await?),
        _ => None,
    };
    let processes = start_all(&homes, args.flags()).await?;
    let mut payments = Payments { load: &load, is_opaque: args.opaque, done: 0 };
    let measured = measure(args, &mut payments, &processes, output).await;
    let synced = match (&measured, args.distance().is_any()) {
        // The new node's own way to the routers has no doors.
        (Ok(_), false) => {
            output.note("  a full node that begins with nothing…");
            let number = zones.saturating_add(1);
            let new = (home(number), number);
            follow(args, &mut payments, &processes, (&new.0, new.1)).await.map(Some)
        }
        _ => Ok(None),
    };
    for process in processes {
        process.stop().await;
    }
    Ok(Figures { zones, measured: measured?, synced: synced? })
}

/// Starts the routers of these folders.
pub(super) async fn start_all(homes: &[&Path], flags: &[&str]) -> Result<Vec<Process>, Failure> {
    let numbered = homes.iter().zip(1..);
    let starting = numbered
        .map(|(home, number)| async move { start(home, free_port(number)?, "error", flags).await });
    futures_util::future::try_join_all(starting).await
}

/// Folders of the routers, and of a full node, with the accounts and parameters of this load.
pub(super) fn prepare(home: &Path, zones: u32, mut load: Load) -> Result<Load, Failure> {
    let (mut folders, mut routers) = (Vec::new(), Vec::new());
    for number in 0..=zones {
        let path = home.join(number.saturating_add(1).to_string());
        let folder = DataFolder::open(&path, OldLedger::Refuse, &mut |_| {})?;
        let keys = NodeKeys::make(&path.join("node.key"))?;
        if number < zones {
            let router = load.account(number as usize);
            let router = router.ok_or_else(|| Failure::fault("no account"))?;
            routers.push(zone(router, Zone(number), &keys)?);
        }
        // Clients of one address are one client to the limiter.
        let spares = "[limits]\nrate_spares_loopback = true\n";
        crate::secret_file::replace(&path.join(crate::config::FILE), spares)?;
        folders.push(folder);
    }
    load.genesis.zones = routers;
    settle(&folders, zones, &load.genesis)?;
    Ok(load)
}

fn zone(router: AccountId, zone: Zone, keys: &NodeKeys) -> Result<GenesisZone, Failure> {
    let vrf_key = keys.vrf()?.public();
    let bond = Params::network().router_bond_min();
    Ok(GenesisZone { zone, router, key: keys.router_public(), vrf_key, bond })
}
