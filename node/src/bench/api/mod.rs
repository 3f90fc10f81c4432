//! `ddt bench api`: reads of random rows through the API, against a route that reads nothing.
//!
//! Clients and servers share the machine, for the trivial route as for the others.

mod backend;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use ddt_api::Limits;
use ddt_ledger::accounts::Account;
use ddt_ledger::store::{Backend as File, LaneStore};
use ddt_ledger::{AccountId, Hash};
use serde_json::json;

use self::backend::Reader;
use super::client::{Paths, rate};
use super::ledger::Kind;
use super::ledger::load::{Load, ZONE};
use super::ledger::path::Through;
use crate::cli::Output;
use crate::failure::Failure;

/// Events of one block: what a busy router seals in a tenth of a second.
const PER_BLOCK: usize = 2_500;

/// Measure reads through the API.
#[derive(Args)]
pub struct ApiArgs {
    /// Accounts, and events
    #[arg(long, default_value_t = 1_000_000)]
    rows: usize,
    /// How long each figure is measured
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Clients at the same time
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// Folder for the stores; a temporary one without it
    #[arg(long)]
    state: Option<std::path::PathBuf>,
}

/// `ddt bench api`.
pub fn run(args: &ApiArgs, output: &Output) -> Result<(), Failure> {
    if args.rows < 2 || args.connections == 0 || args.seconds == 0 {
        return Err(Failure::usage("want 2 rows, 1 connection and 1 second"));
    }
    let temporary = tempfile::tempdir().map_err(|e| Failure::fault(e.to_string()))?;
    let folder = args.state.as_deref().unwrap_or(temporary.path());
    output.note(format!("Making {} accounts and as many events…", args.rows));
    let (reader, rows) = fill(args.rows, folder)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::fault(error.to_string()))?;
    let figures = runtime.block_on(measure(args, reader.clone(), Arc::new(rows)))?;
    let proofs = proofs(&reader, args)?;
    report(args, &figures, proofs, output);
    Ok(())
}

struct Rows {
    accounts: Vec<AccountId>,
    events: Vec<Hash>,
}

/// A ledger with so many accounts and transfers, and the lanes that the events stand in.
fn fill(rows: usize, folder: &Path) -> Result<(Arc<Reader>, Rows), Failure> {
    let load = Load::new(rows);
    let mut through = Through::open(&load, folder)?;
    load.found(&mut through)?;
    let lanes = LaneStore::open(File::File(folder.join("bench-lanes.redb")), through.chain())?;
    let mut events: Vec<Hash> = Vec::with_capacity(rows);
    let mut height = 0;
    while events.len() < rows {
        let count = rows.saturating_sub(events.len()).min(100_000);
        let signed = load.sign(Kind::Transfer, count, events.len(), through.chain())?;
        let sealed = through.seal_all(&signed, PER_BLOCK)?;
        for bytes in &sealed {
            height += 1;
            lanes.put_block(ZONE, 1, height, bytes)?;
        }
        through.anchor_all(&sealed)?;
        events.extend(signed.iter().map(|event| event.id()));
    }
    let accounts = (0..rows).filter_map(|index| load.account(index)).collect();
    Ok((Arc::new(Reader::new(through.into_book(), lanes)), Rows { accounts, events }))
}

struct Figures {
    trivial: f64,
    account: f64,
    event: f64,
}

async fn measure(args: &ApiArgs, reader: Arc<Reader>, rows: Arc<Rows>) -> Result<Figures, Failure> {
    let limits = Limits { rate: None, ..Limits::default() };
    let trivial = axum::Router::new()
        .route("/", axum::routing::get(async || axum::Json(json!({ "ok": true }))));
    let trivial = serve(trivial, &limits).await?;
    let api = serve(ddt_api::public(reader, limits.clone()), &limits).await?;
    let time = Duration::from_secs(args.seconds);
    let measure = async |address, paths: Paths| rate(address, args.connections, time, paths).await;
    let (accounts, events) = (rows.clone(), rows);
    Ok(Figures {
        trivial: measure(trivial, Arc::new(|_| "/".to_string())).await?,
        account: measure(
            api,
            Arc::new(move |random| format!("/v1/accounts/{}", pick(&accounts.accounts, random))),
        )
        .await?,
        event: measure(
            api,
            Arc::new(move |random| format!("/v1/events/{}", pick(&events.events, random))),
        )
        .await?,
    })
}

fn pick<T: Copy>(rows: &[T], random: u64) -> T {
    rows[random as usize % rows.len()]
}

/// Serves a router as a node does, until the process ends.
async fn serve(router: axum::Router, limits: &Limits) -> Result<std::net::SocketAddr, Failure> {
    let fault = |error: std::io::Error| Failure::fault(error.to_string());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(fault)?;
    let address = listener.local_addr().map_err(fault)?;
    tokio::spawn(ddt_api::serve(listener, router, limits.clone(), std::future::pending()));
    Ok(address)
}

/// Proofs of random accounts a second, made on all cores.
fn proofs(reader: &Reader, args: &ApiArgs) -> Result<f64, Failure> {
    let load = Load::new(args.rows.min(10_000));
    let keys: Vec<Vec<u8>> = (0..args.rows.min(10_000))
        .filter_map(|index| load.account(index).map(|id| Account::full_key(&id)))
        .collect();
    let (made, begun) = (AtomicU64::new(0), Instant::now());
    let time = Duration::from_secs(args.seconds);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let prove = |core: usize| -> Result<(), Failure> {
        for key in keys.iter().cycle().skip(core.saturating_mul(37)) {
            let proof = reader.book.prove(key)?;
            proof.ok_or_else(|| Failure::fault("nothing is certified"))?;
            made.fetch_add(1, Ordering::Relaxed);
            if begun.elapsed() > time {
                break;
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let prove = &prove;
        let threads: Vec<_> = (0..cores).map(|core| scope.spawn(move || prove(core))).collect();
        for thread in threads {
            thread.join().map_err(|_| Failure::fault("a proof panicked"))??;
        }
        Ok::<(), Failure>(())
    })?;
    Ok(made.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64())
}

fn report(args: &ApiArgs, figures: &Figures, proofs: f64, output: &Output) {
    let Figures { trivial, account, event } = figures;
    let words = format!(
        "{trivial:.0} answers a second of a route that reads nothing\n\
         {account:.0} accounts by id, ratio {:.3}\n{event:.0} events by id, ratio {:.3}\n\
         {proofs:.0} proofs of an account a second on all cores\n\
         {} accounts and as many events, {} connections",
        account / trivial,
        event / trivial,
        args.rows,
        args.connections,
    );
    let data = json!({
        "trivial_per_second": trivial,
        "accounts_per_second": account,
        "events_per_second": event,
        "ratio_of_accounts": account / trivial,
        "ratio_of_events": event / trivial,
        "proofs_per_second": proofs,
        "rows": args.rows,
        "connections": args.connections,
    });
    output.result(data, words);
}
