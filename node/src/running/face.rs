//! The node as the API sees it: submits, follows and answers.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use ddt_api::backend::ByteStream;
use ddt_api::{Backend, NodeStatus, Stage, SubmitError, Submitted, Wait};
use ddt_core::{mempool, sequencer};
use ddt_ledger::admit::{Admission, admit};
use ddt_ledger::anchor::Tip;
use ddt_ledger::event::Checked;
use ddt_ledger::fault::StoreFault;
use ddt_ledger::store::{BookStore, LaneStore, Snapshot};
use ddt_ledger::{Hash, Millis, Refusal};
use ddt_net::{Direction, Net};
use serde_json::{Value as Json, json};
use tokio::sync::{broadcast, watch};

use super::copying::{self, Lent};
use super::core::{Core, now};
use super::forwarding::carry;
use super::lane::Order;
use super::meters;
use super::reveals::Reveals;
use super::tracker::Progress;

/// A node so many anchors behind is not ready to be asked.
const BEHIND_MAX: u64 = 10;

/// The node as the API sees it.
pub struct Face {
    home: PathBuf,
    core: Arc<Core>,
    reveals: Arc<Reveals>,
    /// One backup at a time.
    is_copying: Arc<AtomicBool>,
}

fn fault(error: impl std::fmt::Display) -> SubmitError {
    SubmitError::Fault(error.to_string())
}

/// What the book already knows of an event.
pub(super) fn in_book(
    core: &Core,
    snapshot: &Snapshot,
    event: Hash,
) -> Result<Option<Submitted>, StoreFault> {
    let Some(place) = snapshot.event_place(&event)? else { return Ok(None) };
    let receipt = snapshot.receipt(place)?;
    let stage = match core.book.head().0.height > place.0 {
        true => Stage::Proven,
        false => Stage::Final,
    };
    Ok(Some(Submitted { event, stage, soft_receipt: None, receipt }))
}

/// What a router cannot do now it may do later; only a rule's "no" is final.
fn dropped(refusal: Refusal) -> SubmitError {
    match refusal {
        mempool::FULL | sequencer::CLOSED => SubmitError::Busy(refusal.words.to_string()),
        mempool::AUTHOR_LIMIT => SubmitError::TooMany { retry_after_s: 1 },
        rule => SubmitError::Refused(rule),
    }
}

fn submitted(event: Hash, progress: &Progress) -> Submitted {
    let (stage, soft_receipt) = match progress {
        Progress::Accepted | Progress::Dropped(_) => (Stage::Accepted, None),
        Progress::Sequenced(receipt, sig) => (Stage::Sequenced, Some((receipt.clone(), *sig))),
        Progress::Final => (Stage::Final, None),
    };
    Submitted { event, stage, soft_receipt, receipt: None }
}

/// An event that was handed in.
pub enum Intake {
    /// In the book.
    Known(Submitted),
    /// On its way.
    Followed(Hash, watch::Receiver<Progress>),
}

/// Takes an event in, or finds it already here.
///
/// A person's event is sequenced even if its own rules would refuse it now: what it waits for
/// may be on its way. With `only_if_good` it is not: the node does not pay for attempts.
pub fn take_in(core: &Arc<Core>, bytes: &[u8], only_if_good: bool) -> Result<Intake, SubmitError> {
    let registry = core.book.registry();
    let event = Checked::check(bytes, core.book.chain(), registry);
    let event = event.map_err(SubmitError::Refused)?;
    let id = event.id();
    // One snapshot for both questions: an anchor between them would make a final event void.
    let snapshot = core.book.snapshot().map_err(fault)?;
    if let Some(known) = in_book(core, &snapshot, id).map_err(fault)? {
        return Ok(Intake::Known(known));
    }
    if let Some(receiver) = core.tracker.following(&id) {
        return Ok(Intake::Followed(id, receiver));
    }
    if let Some(refusal) = mempool::late(event.draft().valid_until, now(), mempool::LEAD_MS) {
        return Err(SubmitError::Refused(refusal));
    }
    let admission = admit(registry, &snapshot, &event, now()).map_err(fault)?;
    #[cfg(debug_assertions)]
    let admission = super::treason::admission(admission);
    match admission {
        Admission::Void(refusal) => Err(SubmitError::Refused(refusal)),
        Admission::Admitted { forecast: Err(refusal), .. } if only_if_good => {
            Err(SubmitError::Refused(refusal))
        }
        // Others must sequence it.
        Admission::Admitted { .. } if !core.seals() => {
            let full = || SubmitError::Busy(mempool::FULL.words.to_string());
            let room = core.forwards.clone().try_acquire_owned().map_err(|_| full())?;
            let (receiver, is_new) = core.tracker.follow(id);
            if is_new {
                core.spawn(carry(core.clone(), event, room));
            }
            Ok(Intake::Followed(id, receiver))
        }
        Admission::Admitted { hold, .. } => {
            let (receiver, is_new) = core.tracker.follow(id);
            if let Some(hold) = hold.filter(|_| is_new)
                && let Err(refusal) = core.holds.take(hold, id, &core.tracker)
            {
                core.tracker.end(&id, Progress::Dropped(refusal));
                return Err(SubmitError::Refused(refusal));
            }
            if is_new && core.orders.try_send(Order::Event(event)).is_err() {
                let refusal = mempool::FULL;
                core.tracker.end(&id, Progress::Dropped(refusal));
                return Err(SubmitError::Busy(refusal.words.to_string()));
            }
            Ok(Intake::Followed(id, receiver))
        }
    }
}

impl Face {
    /// The face of a node on a data folder, with its agent.
    pub fn new(home: &Path, core: Arc<Core>, reveals: Arc<Reveals>) -> Face {
        Face { home: home.to_path_buf(), core, reveals, is_copying: Arc::default() }
    }

    /// Follows an event until it reaches a stage.
    async fn reach(
        &self,
        event: Hash,
        mut progress: watch::Receiver<Progress>,
        stage: Stage,
    ) -> Result<Submitted, SubmitError> {
        let mut anchors = self.core.anchors.subscribe();
        loop {
            let now = progress.borrow_and_update().clone();
            match now {
                Progress::Dropped(refusal) => return Err(dropped(refusal)),
                Progress::Final => break,
                now if submitted(event, &now).stage >= stage => {
                    return Ok(submitted(event, &now));
                }
                _ => {}
            }
            if progress.changed().await.is_err() {
                break;
            }
        }
        loop {
            let core = self.core.clone();
            let known = blocking(move || {
                let snapshot = core.book.snapshot().map_err(fault)?;
                in_book(&core, &snapshot, event).map_err(fault)
            });
            let known = known.await?;
            let known = known.ok_or_else(|| fault("a final event is not in the book"))?;
            if known.stage >= stage {
                return Ok(known);
            }
            // Lagging behind is as good as hearing: either way the book is asked again.
            let _ = anchors.recv().await;
        }
    }
}

/// The node's name on the network.
fn peer_id_of(core: &Core) -> String {
    let peer = ddt_net::peer_of(&core.keys.network_public());
    peer.map(|peer| peer.to_string()).unwrap_or_default()
}

/// At which addresses others could dial it, and where not.
fn reached(net: &Net) -> Vec<Json> {
    let shown = |reach: ddt_net::Reach| {
        let ddt_net::Reach { address, is_near, is_reached, by, at } = reach;
        json!({
            "address": address, "is_near": is_near, "is_reached": is_reached, "by": by, "at": at,
        })
    };
    net.reaches().into_iter().map(shown).collect()
}

/// Who is connected.
fn peers(net: &Net) -> Vec<Json> {
    let shown = |peer: ddt_net::PeerInfo| {
        json!({
            "key": peer.key,
            "role": if peer.router.is_some() { "router" } else { "full node" },
            "router_key": peer.router,
            "address": peer.addresses.first(),
            "addresses": peer.addresses,
            "agent": peer.agent,
            "height": peer.height,
            "rtt_ms": peer.rtt_ms.map(|ms| (ms * 1_000.0).round() / 1_000.0),
            "since": peer.since,
            "direction": match peer.direction {
                Direction::In => "in",
                Direction::Out => "out",
            },
            "score": peer.score,
        })
    };
    net.peers().into_iter().map(shown).collect()
}

/// How far each lane's blocks may be anchored.
fn available(core: &Core) -> Vec<Json> {
    let shown = |(tip, time): (Tip, Option<Millis>)| {
        let Tip { zone, term, height, .. } = tip;
        json!({ "zone": zone, "term": term, "height": height, "time": time })
    };
    core.blocks.available().into_iter().map(shown).collect()
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SubmitError> + Send + 'static,
) -> Result<T, SubmitError> {
    tokio::task::spawn_blocking(work).await.map_err(fault)?
}

#[async_trait]
impl Backend for Face {
    fn book(&self) -> &BookStore {
        &self.core.book
    }

    fn lanes(&self) -> &LaneStore {
        &self.core.lanes
    }

    async fn submit(&self, bytes: Vec<u8>, wait: Option<Wait>) -> Result<Submitted, SubmitError> {
        let core = self.core.clone();
        let (event, progress) = match blocking(move || take_in(&core, &bytes, false)).await? {
            Intake::Known(known) => match wait {
                Some(wait) if wait.stage > known.stage => {
                    let (sender, receiver) = watch::channel(Progress::Final);
                    drop(sender);
                    (known.event, receiver)
                }
                _ => return Ok(known),
            },
            Intake::Followed(event, progress) => (event, progress),
        };
        let Some(wait) = wait else {
            let now = progress.borrow().clone();
            return match now {
                Progress::Dropped(refusal) => Err(dropped(refusal)),
                now => Ok(submitted(event, &now)),
            };
        };
        let latest = progress.clone();
        match tokio::time::timeout(wait.timeout, self.reach(event, progress, wait.stage)).await {
            Ok(reached) => reached,
            Err(_) => {
                let so_far = submitted(event, &latest.borrow());
                Err(SubmitError::Timeout(Box::new(so_far)))
            }
        }
    }

    fn pending(&self, event: &Hash) -> Option<Submitted> {
        let progress = self.core.tracker.progress(event)?;
        Some(submitted(*event, &progress))
    }

    fn anchors(&self) -> broadcast::Receiver<u64> {
        self.core.anchors.subscribe()
    }

    fn status(&self) -> NodeStatus {
        let core = &self.core;
        let is_open = core.role.zone.is_none() || core.is_open.load(Ordering::Relaxed);
        let (own, heard) = (core.book.head().0.height, core.heard.load(Ordering::Relaxed));
        let is_up_to_date = core.is_up_to_date.load(Ordering::Relaxed);
        let not_ready = match (is_open, core.meters.silence(now())) {
            (false, _) => sequencer::CLOSED.words.to_string(),
            _ if !is_up_to_date => "it has not yet met enough of the other routers".to_string(),
            _ if heard > own.saturating_add(BEHIND_MAX) => {
                format!("at anchor {own} of {heard}: it still catches up")
            }
            (true, Some(silence)) => format!("the last anchor is {} s old", silence.0 / 1_000),
            (true, None) => String::new(),
        };
        NodeStatus {
            version: crate::cli::VERSION.to_string(),
            role: core.role.word().to_string(),
            started_ms: core.started,
            mempool: core.mempool.load(Ordering::Relaxed),
            peers: core.net.get().map_or(0, |net| net.peers().len() as u64),
            peer_id: peer_id_of(core),
            is_ready: not_ready.is_empty(),
            not_ready,
            times: core.tracker.stages().newest(),
        }
    }

    fn now(&self) -> Millis {
        now()
    }

    async fn node(&self) -> Result<Json, StoreFault> {
        Ok(json!({
            "role": self.core.role.word(),
            "zone": self.core.role.zone,
            "is_validator": self.core.role.is_validator,
            "anchor": self.core.book.head().0.height,
            "heard_of": self.core.heard.load(Ordering::Relaxed),
            "network_key": self.core.keys.network_public(),
            "addresses": self.core.net.get().map(Net::addresses).unwrap_or_default(),
            "reached": self.core.net.get().map(reached).unwrap_or_default(),
            "peers": self.core.net.get().map(peers).unwrap_or_default(),
            "available": available(&self.core),
            "router_key": self.core.keys.router_public(),
            "node_key": self.core.keys.node_public(),
        }))
    }

    async fn reveal(&self, preimage: Json) -> Result<Json, SubmitError> {
        let reveals = self.reveals.clone();
        blocking(move || reveals.take(&preimage)).await
    }

    async fn reveals(&self) -> Result<Vec<Json>, SubmitError> {
        let reveals = self.reveals.clone();
        blocking(move || Ok(reveals.list())).await
    }

    async fn backup(&self, with_wallets: bool) -> Result<ByteStream, SubmitError> {
        let lent = Lent { core: self.core.clone(), reveals: self.reveals.clone() };
        copying::start(&self.home, lent, with_wallets, &self.is_copying)
    }

    fn metrics(&self) -> String {
        let agents = [("reveal", self.reveals.count())];
        let mut text = self.core.meters.text(&self.home, self.core.started, now(), &agents);
        self.core.tracker.stages().write(&mut text);
        if let Some(net) = self.core.net.get() {
            meters::network(&mut text, &net.counters(), net.peers().len());
        }
        text
    }
}
