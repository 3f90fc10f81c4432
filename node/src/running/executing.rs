//! Executing what was decided, whoever brought it: consensus, or another node.

use std::collections::BTreeSet;
use std::sync::Arc;

use ddt_core::follower::Position;
use ddt_core::{availability, follower};
use ddt_ledger::anchor::{AnchorBody, Span, TIPS_MAX, check_anchor};
use ddt_ledger::certificate::Certificate;
use ddt_ledger::execute::{Halt, execute};
use ddt_ledger::fault::StoreFault;
use ddt_ledger::receipt::{Outcome, Receipt, Subject};
use ddt_ledger::routers::{PROTOCOL_VERSION, Protocol};
use ddt_ledger::store::{BookStore, Snapshot};
use ddt_ledger::system::{Lane, Validators};

use super::blocks::SpanError;
use super::core::{Core, Ending};
use super::following::Step;
use super::gathering;
use super::lane::{Anchored, Order};
use super::role::Role;
use super::tracker::Progress;

/// Why a decided anchor could not be executed. The node must stop, except for
/// [`ExecuteError::Missing`].
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// A block is not on disk.
    #[error("a block of a decided anchor is not here")]
    Missing,
    /// It was decided, and this node finds it wrong.
    #[error(
        "anchor {height} was decided, but here {why}: this node's book or program differs \
             from the others'"
    )]
    Wrong {
        /// Which.
        height: u64,
        /// What is wrong.
        why: String,
    },
    /// This release is too old.
    #[error("{0}")]
    Outdated(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreFault),
}

/// Where the book stands, as far as it decides about the next anchor.
///
/// # Errors
/// The store failed, or its state is none.
pub fn position(book: &BookStore, snapshot: &Snapshot) -> Result<Position, StoreFault> {
    let head = book.head().0;
    let validators = Validators::read(snapshot);
    let validators = validators.ok_or_else(|| StoreFault::damaged("it has no validators"))?;
    Ok(Position { height: head.height, anchor: head.anchor, validators: validators.next })
}

impl Core {
    /// Executes an anchor whose certificate was verified, commits it durably, and tells every
    /// part of the node. Does nothing for a height that is committed already.
    ///
    /// # Errors
    /// As [`ExecuteError`] says.
    pub fn execute(
        self: &Arc<Core>,
        bytes: &[u8],
        certificate: &Certificate,
    ) -> Result<(), ExecuteError> {
        let one_at_a_time = self.executing.lock().unwrap_or_else(|error| error.into_inner());
        let height = certificate.height;
        if height <= self.book.head().0.height {
            return Ok(());
        }
        let wrong = |why: String| ExecuteError::Wrong { height, why };
        let body = AnchorBody::decode(bytes).map_err(|error| wrong(error.to_string()))?;
        let spans = self.spans(&body)?;
        // Among the workers that check blocks: beside them it would have to share a core.
        let receipts = rayon::scope(|_| {
            let snapshot = self.book.snapshot()?;
            if !self.was_judged(certificate.anchor) {
                let (chain, registry) = (self.book.chain(), self.book.registry());
                let roots = self.book.head().1;
                let checked = check_anchor(&snapshot, chain, &roots, &body, &spans, registry);
                if let Some(fault) = snapshot.fault() {
                    return Err(ExecuteError::Store(fault));
                }
                checked.map_err(|error| wrong(error.to_string()))?;
            }
            let executed = execute(self.book.registry(), &snapshot, &body, &spans);
            let executed = executed.map_err(|halt| match halt {
                Halt::Store(fault) => ExecuteError::Store(fault),
                Halt::Broken(_) => wrong(halt.to_string()),
                Halt::Outdated { .. } => ExecuteError::Outdated(halt.to_string()),
            })?;
            self.book.commit(&executed, bytes, certificate)?;
            Ok(executed.receipts)
        })?;
        self.spread(height, &receipts)?;
        drop(one_at_a_time);
        Ok(())
    }

    fn spans(&self, body: &AnchorBody) -> Result<Vec<Span>, ExecuteError> {
        let snapshot = self.book.snapshot()?;
        let spans = self.blocks.spans(&snapshot, &self.lanes, body.tips.items());
        spans.map_err(|error| match error {
            SpanError::Missing => ExecuteError::Missing,
            SpanError::Invalid(why) => ExecuteError::Wrong { height: body.height, why },
            SpanError::Fault(fault) => ExecuteError::Store(fault),
        })
    }

    /// Says, once an epoch, that a newer release will be needed.
    fn warn_of_upgrade(&self, protocol: &Protocol) {
        let Some(next) = protocol.next.filter(|next| next.version > PROTOCOL_VERSION) else {
            return;
        };
        if self.meters.is_warning_due(self.book.head().0.epoch) {
            tracing::warn!(
                "from epoch {} on the network goes on by protocol version {}; this release knows \
                 {PROTOCOL_VERSION}, and stops there: start a newer one on this folder before",
                next.epoch,
                next.version
            );
        }
    }

    /// Tells everybody what an anchor did.
    fn spread(self: &Arc<Core>, height: u64, receipts: &[Receipt]) -> Result<(), StoreFault> {
        self.meters.anchored(self.book.head().0.time, receipts);
        let (mut executed, mut authors) = (Vec::new(), BTreeSet::new());
        for receipt in receipts {
            if let Outcome::Bug(code) = &receipt.outcome {
                tracing::error!("a programme's bug was undone: {code} in {:?}", receipt.subject);
            }
            if let Subject::Event(place) = &receipt.subject {
                executed.push(place.id);
                authors.insert(place.author);
                self.tracker.end(&place.id, Progress::Final);
            }
        }
        let snapshot = self.book.snapshot()?;
        let lanes = Lane::scan(&snapshot, None, TIPS_MAX);
        let position = position(&self.book, &snapshot)?;
        if let Some(validators) = Validators::read(&snapshot) {
            self.sets.committed(height, &validators);
        }
        self.warn_of_upgrade(&Protocol::read(&snapshot));
        let role = Role::of(&snapshot, &self.keys.router_public(), self.standing);
        if let Some(fault) = snapshot.fault() {
            return Err(fault);
        }
        drop(snapshot);
        for (zone, lane) in &lanes {
            self.blocks.forget(*zone, lane);
        }
        self.repace()?;
        let own = lanes.iter().find(|(zone, _)| Some(*zone) == self.role.zone);
        let own = own.map(|(_, lane)| lane.clone());
        let validators = position.validators.clone();
        self.routers.set(&lanes, &validators, &self.keys.router_public());
        if let Some(net) = self.net.get() {
            net.set_routers(self.routers.keys(), self.role.is_router());
        }
        let input = availability::Input::Anchored { height, lanes, validators };
        // Before the lane goes on: of a term that it does not know it would keep no block.
        self.gather.put(gathering::Order::Input(input));
        if let Some(lane) = own {
            let anchored = Anchored { height, lane, executed, authors };
            let _ = self.orders.send(Order::Anchored(anchored));
        }
        self.follow.put(Step::Input(follower::Input::Committed(position)));
        let _ = self.anchors.send(height);
        self.snapshots.anchored(&self.book)?;
        if role != self.role {
            let _ = self.ending.send(Ending::Again("has another role now"));
        }
        Ok(())
    }
}
