//! The thread that collects lane blocks: a shell around the availability machine.
//!
//! It writes what other routers sealed, durably, before it votes for it; asks for what is
//! missing; and says how far each lane may be anchored.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ddt_contracts::zones::Evidence;
use ddt_core::availability::{
    AHEAD_MAX, Ask, Availability, AvailabilityConfig, Effect, Input, LANE_BYTES_MAX, Why,
};
use ddt_core::follower;
use ddt_ledger::anchor::{TIPS_MAX, Tip};
use ddt_ledger::fault::StoreFault;
use ddt_ledger::lane::CheckedBlock;
use ddt_ledger::store::Snapshot;
use ddt_ledger::system::{Head, Lane, Validators, params};
use ddt_ledger::{Millis, PublicKey, Zone};
use ddt_net::Frame;
use ddt_net::message::{Answer, News, Request};

use super::blocks::Available;
use super::core::{Core, now};
use super::following::Step;
use super::inbox::Outbox;
use crate::failure::Failure;

/// What the thread is told.
pub enum Order {
    /// For the machine.
    Input(Input),
    /// The next anchor's blocks must be here: say so to the follower.
    Need {
        /// The anchor's height.
        height: u64,
        /// How far it goes.
        tips: Vec<Tip>,
    },
    /// End.
    Stop,
}

/// Bytes of blocks and votes from outside that may wait for the thread.
pub const ROOM: usize = 64 * 1024 * 1024;
/// What anything costs in the queue beside its bytes.
pub const ITEM_BYTES: usize = 256;

/// The machine, going on where state and disk say.
pub fn open(core: &Arc<Core>) -> Result<Availability, Failure> {
    let snapshot = core.book.snapshot()?;
    let heads = Lane::scan(&snapshot, None, TIPS_MAX);
    let validators = Validators::read(&snapshot);
    let validators = validators.ok_or_else(|| Failure::fault("the state has no validators"))?;
    let height = Head::read(&snapshot).map(|head| head.height).unwrap_or_default();
    let stored = stored(core, &snapshot, &heads)?;
    for (block, _) in &stored {
        core.blocks.put(block);
    }
    let signer = core.clone();
    let sign: ddt_core::sequencer::Sign =
        Box::new(move |digest| signer.keys.sign_as_router(digest));
    let config = AvailabilityConfig {
        chain: core.book.chain(),
        registry: *core.book.registry(),
        me: core.keys.router_public(),
        peers: heads.iter().map(|(_, lane)| lane.key).collect(),
        lane_bytes_max: LANE_BYTES_MAX,
        anchor_bytes_max: params(&snapshot).anchor_bytes_max,
        sign: core.role.is_validator.then_some(sign),
    };
    let machine = Availability::new(config, height, heads, validators.next, stored);
    for (zone, _) in Lane::scan(&snapshot, None, TIPS_MAX) {
        core.blocks.set_available(zone, available(&machine, zone));
    }
    Ok(machine)
}

/// Every block on disk above the lanes' tips, checked again.
fn stored(
    core: &Core,
    snapshot: &Snapshot,
    heads: &[(Zone, Lane)],
) -> Result<Vec<(CheckedBlock, bool)>, Failure> {
    let (chain, registry) = (core.book.chain(), core.book.registry());
    let limit = usize::try_from(AHEAD_MAX).unwrap_or(usize::MAX);
    let mut stored = Vec::new();
    for (zone, lane) in heads {
        let first = core.lanes.blocks_after(*zone, lane.term, lane.height, limit)?;
        let others = core.lanes.others_after(*zone, lane.term, lane.height, limit)?;
        let first = first.into_iter().map(|bytes| (bytes, false));
        for (bytes, is_other) in first.chain(others.into_iter().map(|bytes| (bytes, true))) {
            let block = CheckedBlock::check(&bytes, chain, &lane.key, registry);
            let block = block.map_err(|error| Failure::fault(format!("lanes.redb: {error}")))?;
            stored.push((block, is_other));
        }
    }
    match snapshot.fault() {
        Some(fault) => Err(Failure::from(fault)),
        None => Ok(stored),
    }
}

/// Runs until told to stop, or until the disk fails, which it reports.
pub fn run(core: &Arc<Core>, machine: Availability, orders: &Outbox<Order>) {
    let (asked, doubted) = Default::default();
    let mut shell = Gathering { core, machine, wake: None, needed: None, asked, doubted };
    let mut order = Some(Order::Input(Input::Tick));
    loop {
        let done = match order.take() {
            Some(Order::Stop) => return,
            Some(Order::Input(input)) => shell.feed(input),
            Some(Order::Need { height, tips }) => {
                shell.needed = Some((height, tips.clone()));
                shell.feed(Input::Need(tips)).and_then(|()| shell.arrived())
            }
            None => shell.feed(Input::Tick),
        };
        if let Err(fault) = done {
            core.end(Failure::from(fault));
            return;
        }
        match orders.next(shell.wake) {
            Ok(Some(next)) => order = Some(next),
            Ok(None) => shell.wake = None,
            Err(_) => return,
        }
    }
}

/// Questions under way at one time. What an anchor needs finds as much room beside them: whoever
/// votes for blocks that nobody has must not keep it from coming.
const ASKED_MAX: usize = 64;
/// The same, of those that would only tell of a router that signed two blocks.
const DOUBTED_MAX: usize = 16;

struct Gathering<'a> {
    core: &'a Arc<Core>,
    machine: Availability,
    wake: Option<Millis>,
    needed: Option<(u64, Vec<Tip>)>,
    asked: Arc<AtomicUsize>,
    doubted: Arc<AtomicUsize>,
}

impl Gathering<'_> {
    /// Steps the machine and does what it says, in order.
    fn feed(&mut self, input: Input) -> Result<(), StoreFault> {
        let anchored = match &input {
            Input::Anchored { lanes, .. } => lanes.iter().map(|(zone, _)| *zone).collect(),
            _ => Vec::new(),
        };
        let mut effects: std::collections::VecDeque<Effect> =
            self.machine.step(now(), input).into();
        let mut is_here = false;
        while let Some(effect) = effects.pop_front() {
            match effect {
                Effect::Store { block, bytes, is_other } => {
                    effects.extend(self.store(&block, &bytes, is_other)?);
                }
                Effect::Tell(vote) => {
                    self.core.tell(News::Vote(vote));
                    self.core.times.due_soon();
                }
                Effect::Ask { to, ask, why } => self.ask(to, ask, why),
                Effect::AskAnybody { turn, ask, why } => {
                    if let Some(to) = anybody(self.core, turn) {
                        self.ask(to, ask, why);
                    }
                }
                Effect::Serve { .. } => {}
                Effect::Here(_) => is_here = true,
                Effect::Available(zone) => {
                    self.core.blocks.set_available(zone, available(&self.machine, zone));
                    self.core.tip_waits();
                }
                Effect::Evidence { key, first, second } => {
                    let (zone, height) = (first.header.zone, first.header.height);
                    tracing::error!("the router of zone {zone} signed two blocks at {height}");
                    let evidence = Evidence::of_blocks(key, &first, &second);
                    self.core.accused.accuse(self.core, evidence)?;
                }
                Effect::Forged { from, why } => {
                    tracing::debug!("{from}: {why}");
                    if let Some(net) = self.core.net.get() {
                        net.blame(from);
                    }
                }
                Effect::Refused { from, why } => tracing::debug!("{from}: {why}"),
                Effect::WakeAt(at) => self.wake = Some(self.wake.map_or(at, |wake| wake.min(at))),
            }
        }
        for zone in anchored {
            self.core.blocks.set_available(zone, available(&self.machine, zone));
        }
        if is_here { self.arrived() } else { Ok(()) }
    }

    fn store(
        &mut self,
        block: &CheckedBlock,
        bytes: &[u8],
        is_other: bool,
    ) -> Result<Vec<Effect>, StoreFault> {
        let (header, id) = (block.header(), block.id());
        let (zone, height) = (header.zone, header.height);
        match is_other {
            true => self.core.lanes.put_other((zone, header.term, height), &id.0, bytes)?,
            false => self.core.lanes.put_block(zone, header.term, height, bytes)?,
        }
        self.core.blocks.put(block);
        Ok(self.machine.step(now(), Input::Stored { zone, height, block: id }))
    }

    /// Something that was missing is here: the follower may go on, and so may consensus.
    fn arrived(&mut self) -> Result<(), StoreFault> {
        let Some((height, tips)) = &self.needed else { return Ok(()) };
        if tips.iter().all(|tip| self.machine.span(tip).is_some()) {
            self.core.follow.put(Step::Input(follower::Input::Here { height: *height }));
            self.needed = None;
        }
        Ok(())
    }

    fn ask(&self, to: PublicKey, ask: Ask, why: Why) {
        let Some(net) = self.core.net.get().cloned() else { return };
        let (asked, most) = match why {
            Why::Needed => (&self.asked, 2 * ASKED_MAX),
            Why::Missing => (&self.asked, ASKED_MAX),
            Why::Doubted => (&self.doubted, DOUBTED_MAX),
        };
        if asked.fetch_add(1, Ordering::Relaxed) >= most {
            asked.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        let (core, asked) = (self.core.clone(), asked.clone());
        self.core.spawn(async move {
            let (input, size) = match net.ask(to, Request::Block(ask)).await {
                Ok(Answer::Block(Some(bytes))) => {
                    let size = bytes.len().saturating_add(ITEM_BYTES);
                    (Input::Block { from: to, bytes }, size)
                }
                _ => (Input::Unanswered { from: Some(to), ask }, ITEM_BYTES),
            };
            // Without room it is asked for again.
            let _ = core.gather.offer(Order::Input(input), size);
            asked.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

/// How far a lane may be anchored by now.
fn available(machine: &Availability, zone: Zone) -> Option<Available> {
    let tip = machine.available_tip(zone)?;
    Some(Available { tip, way: machine.available_blocks(zone) })
}

/// A connected peer that can send what is not anchored yet: with each turn another.
fn anybody(core: &Core, turn: u32) -> Option<PublicKey> {
    let next = core.book.head().0.height.saturating_add(1);
    let lowests = core.lowests.lock().unwrap_or_else(|error| error.into_inner());
    let fitting = lowests.iter().filter(|(_, lowest)| **lowest <= next).map(|(peer, _)| *peer);
    let fitting: Vec<PublicKey> = fitting.collect();
    let turn = usize::try_from(turn).unwrap_or_default();
    turn.checked_rem(fitting.len()).and_then(|turn| fitting.get(turn)).copied()
}

/// Sends an own block to the other routers at once, without an announcement: it saves the time
/// that a question would take. Whoever is slow misses some, and asks for what it lacks.
pub fn push(core: &Arc<Core>, bytes: &[u8]) {
    #[cfg(debug_assertions)]
    if super::treason::push(core, bytes) {
        return;
    }
    let Some(net) = core.net.get() else { return };
    let request = Frame::from(Request::Push(bytes.to_vec()));
    for (router, way) in core.routers.others() {
        let Some(way) = way.enter(bytes.len()) else { continue };
        let (net, request) = (net.clone(), request.clone());
        core.spawn(async move {
            if let Err(error) = net.ask(router, request).await {
                tracing::debug!("a block did not reach {router}: {error}");
            }
            drop(way);
        });
    }
}
