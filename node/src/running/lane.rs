//! The thread that seals the lane: a shell around the sequencer machine.
//!
//! It alone writes blocks. A block is on disk, synced, before the machine hears of it, and
//! the machine lets no promise leave before that.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use ddt_core::availability;
use ddt_core::sequencer::{Effect, Input, Sequencer};
use ddt_ledger::admit::{Admission, admit};
use ddt_ledger::event::Checked;
use ddt_ledger::fault::StoreFault;
use ddt_ledger::system::Lane;
use ddt_ledger::{AccountId, Hash, Millis, Refusal};

use super::core::{Core, now};
use super::gathering;
use super::tracker::Progress;
use crate::failure::Failure;

/// What the thread is told.
pub enum Order {
    /// An event to sequence.
    Event(Checked),
    /// An anchor was committed.
    Anchored(Anchored),
    /// End.
    Stop,
}

/// What the lane must know of a committed anchor.
pub struct Anchored {
    /// Its height.
    pub height: u64,
    /// This zone's lane right after it.
    pub lane: Lane,
    /// All its events, of every zone.
    pub executed: Vec<Hash>,
    /// Their authors, whose waiting events may have become void.
    pub authors: BTreeSet<AccountId>,
}

/// While a block waits to be anchored, the last one is sent again this often.
const PUSH_AGAIN_MS: Millis = Millis(5_000);

/// Orders waiting at most; whoever sends more waits.
pub const ORDERS_MAX: usize = 4_096;

/// Runs until told to stop, or until the disk fails, which it reports.
pub fn run(core: &Arc<Core>, mut sequencer: Sequencer, orders: &mpsc::Receiver<Order>) {
    let mut lane = LaneThread { core, sequencer: &mut sequencer, wake: None, pushed: None };
    let mut input = Some(Input::Tick);
    loop {
        let done = match input.take() {
            Some(input) => lane.feed(input),
            None => Ok(()),
        };
        if let Err(fault) = done {
            core.end(Failure::from(fault));
            return;
        }
        input = match lane.next(orders) {
            #[cfg(debug_assertions)]
            Ok(Order::Event(event)) if super::treason::censors(&event) => None,
            #[cfg(debug_assertions)]
            Ok(Order::Event(event)) if super::treason::misleads(core, &event) => None,
            Ok(Order::Event(event)) => Some(Input::Event(event, 0)),
            Ok(Order::Anchored(anchored)) => match lane.anchored(anchored) {
                Ok(()) => None,
                Err(fault) => {
                    core.end(Failure::from(fault));
                    return;
                }
            },
            Ok(Order::Stop) | Err(mpsc::RecvTimeoutError::Disconnected) => return,
            Err(mpsc::RecvTimeoutError::Timeout) => Some(Input::Tick),
        };
    }
}

struct LaneThread<'a> {
    core: &'a Arc<Core>,
    sequencer: &'a mut Sequencer,
    wake: Option<Millis>,
    /// When the last block was sent again.
    pushed: Option<Millis>,
}

impl LaneThread<'_> {
    fn next(&mut self, orders: &mpsc::Receiver<Order>) -> Result<Order, mpsc::RecvTimeoutError> {
        match self.wake.take() {
            Some(at) => {
                let wait = Duration::from_millis(at.since(now()).0);
                let order = orders.recv_timeout(wait);
                if order.is_ok() {
                    self.wake = Some(at);
                }
                order
            }
            None => orders.recv().map_err(|_| mpsc::RecvTimeoutError::Disconnected),
        }
    }

    /// Steps the machine and does what it says, in order.
    fn feed(&mut self, input: Input) -> Result<(), StoreFault> {
        let mut effects = self.sequencer.step(now(), input);
        while !effects.is_empty() {
            for effect in std::mem::take(&mut effects) {
                effects.extend(self.perform(effect)?);
            }
        }
        let waiting = u64::try_from(self.sequencer.mempool().len()).unwrap_or(u64::MAX);
        self.core.mempool.store(waiting, Ordering::Relaxed);
        self.core.is_open.store(self.sequencer.is_open(), Ordering::Relaxed);
        self.core.is_held.store(self.sequencer.is_held(now()), Ordering::Relaxed);
        self.push_again();
        Ok(())
    }

    fn perform(&mut self, effect: Effect) -> Result<Vec<Effect>, StoreFault> {
        let core = self.core;
        match effect {
            Effect::Store { header, bytes } => {
                core.lanes.put_block(header.zone, header.term, header.height, &bytes)?;
                let height = header.height;
                let effects = self.sequencer.step(now(), Input::Stored { height });
                let below = height.saturating_sub(1);
                if let Some(block) = self.sequencer.unanchored_blocks_after(below).first() {
                    gathering::push(core, &bytes);
                    core.blocks.put(block);
                    let sealed = availability::Input::Sealed(Box::new(block.clone()));
                    core.gather.put(gathering::Order::Input(sealed));
                }
                return Ok(effects);
            }
            Effect::Promise(receipts) => {
                for receipt in receipts {
                    if let Some((receipt, sig)) = self.sequencer.signed_promise(&receipt.event) {
                        core.tracker.promised(receipt, sig);
                    }
                }
            }
            // It counts once more than two thirds of the routers have it.
            Effect::TipWaits => {}
            Effect::Executed(event) => core.tracker.end(&event, Progress::Final),
            Effect::Answer { event, refusal } => {
                core.tracker.end(&event, Progress::Dropped(refusal));
            }
            Effect::WakeAt(at) => self.wake = Some(self.wake.map_or(at, |wake| wake.min(at))),
            Effect::Alarm(words) => tracing::error!("the lane is closed: {words}"),
        }
        Ok(Vec::new())
    }

    /// Tells the machine of a committed anchor, and asks admission again for what may have
    /// become void by it.
    fn anchored(&mut self, anchored: Anchored) -> Result<(), StoreFault> {
        let Anchored { height, lane, executed, authors } = anchored;
        for event in &executed {
            // A promise of this thread may have come after the anchor's word that it is final.
            self.core.tracker.end(event, Progress::Final);
        }
        let void = self.void(|event| {
            let row = event.row(self.core.book.registry());
            let is_else_paid = row.is_some_and(|row| {
                row.is_free || row.fields.iter().any(|field| field.name == "stamp")
            });
            is_else_paid
                || authors.contains(&event.draft().author)
                || self.core.holds.is_paying(&event.id())
        })?;
        self.feed(Input::Anchored { height, lane, executed, void })?;
        if self.sequencer.is_asking() {
            let void = self.void(|_| true)?;
            self.feed(Input::Void(void))?;
        }
        Ok(())
    }

    /// Which of these waiting events would be void now. What was executed meanwhile is none.
    fn void(
        &self,
        is_asked: impl Fn(&Checked) -> bool,
    ) -> Result<Vec<(Hash, Refusal)>, StoreFault> {
        let snapshot = self.core.book.snapshot()?;
        let registry = self.core.book.registry();
        let mut void = Vec::new();
        let waiting = self.sequencer.mempool().waiting();
        for event in waiting.filter(|event| is_asked(event)) {
            if let Admission::Void(refusal) = admit(registry, &snapshot, event, now())?
                && snapshot.event_place(&event.id())?.is_none()
            {
                void.push((event.id(), refusal));
            }
        }
        Ok(void)
    }

    /// A block that nobody has is never voted for. A validator's votes say what it has, again and
    /// again; another router sends its last block once more while the first one waits for long.
    fn push_again(&mut self) {
        let Some(oldest) = self.sequencer.oldest() else { return };
        // A clock that was put back must not silence it until it has caught up.
        let last = self.pushed.map_or(oldest, |pushed| pushed.max(oldest)).min(now());
        self.pushed = Some(last);
        let at = last.plus(PUSH_AGAIN_MS);
        let is_due = at <= now();
        let next = if is_due { now().plus(PUSH_AGAIN_MS) } else { at };
        self.wake = Some(self.wake.map_or(next, |wake| wake.min(next)));
        if !is_due {
            return;
        }
        self.pushed = Some(now());
        let last = self.sequencer.unanchored_blocks_after(0).last();
        if let Some(last) = last.filter(|_| !self.core.role.is_validator) {
            let header = last.header();
            let (zone, term, height) = (header.zone, header.term, header.height);
            match self.core.lanes.block(zone, term, height) {
                Ok(Some(bytes)) => gathering::push(self.core, &bytes),
                Ok(None) => {}
                Err(fault) => tracing::warn!("a block to be sent again: {fault}"),
            }
        }
    }
}
