//! The thread that follows: a shell around the follower machine. It takes decided anchors from
//! other nodes, and executes what consensus did not bring here.

use std::sync::Arc;

use ddt_core::follower::{Effect, Follower, Input};
use ddt_ledger::{Millis, PublicKey};
use ddt_net::message::{Answer, News, Request};

use super::core::{Core, now};
use super::executing::{ExecuteError, position};
use super::gathering::{ITEM_BYTES, Order};
use super::inbox::Outbox;
use crate::failure::Failure;

/// What the thread is told.
pub enum Step {
    /// For the machine.
    Input(Input),
    /// End.
    Stop,
}

/// Bytes of anchors from outside that may wait for the thread.
pub const ROOM: usize = 16 * 1024 * 1024;

/// The machine, going on where the book is.
///
/// # Errors
/// The store failed.
pub fn open(core: &Arc<Core>) -> Result<Follower, Failure> {
    let snapshot = core.book.snapshot()?;
    let position = position(&core.book, &snapshot)?;
    Ok(Follower::new(core.book.chain(), core.keys.network_public(), position))
}

/// Runs until told to stop, or until something failed without which the node cannot go on.
pub fn run(core: &Arc<Core>, machine: Follower, steps: &Outbox<Step>) {
    let mut shell = Following { core, machine, wake: None };
    let mut step = Some(Step::Input(Input::Tick));
    loop {
        let done = match step.take() {
            Some(Step::Stop) => return,
            Some(Step::Input(input)) => shell.feed(input),
            None => shell.feed(Input::Tick),
        };
        if let Err(error) = done {
            core.end(Failure::fault(error.to_string()));
            return;
        }
        match steps.next(shell.wake) {
            Ok(Some(next)) => step = Some(next),
            Ok(None) => shell.wake = None,
            Err(_) => return,
        }
    }
}

struct Following<'a> {
    core: &'a Arc<Core>,
    machine: Follower,
    wake: Option<Millis>,
}

impl Following<'_> {
    /// Steps the machine and does what it says, in order.
    fn feed(&mut self, input: Input) -> Result<(), ExecuteError> {
        for effect in self.machine.step(now(), input) {
            match effect {
                Effect::Need { height, tips } => {
                    self.core.gather.put(Order::Need { height, tips });
                }
                Effect::Execute(decided) => {
                    self.core.execute(&decided.body, &decided.certificate)?;
                }
                Effect::Ask { to, first } => self.ask(to, first),
                Effect::Serve { .. } => {}
                // Who seals or votes is enough: everybody's heights would drown everybody.
                Effect::Tell(_) if !self.core.role.is_router() => {}
                Effect::Tell(height) => {
                    let anchor = self.core.book.head().0.anchor;
                    self.core.tell(News::Committed { height, anchor });
                }
                Effect::Refused { from, why } => tracing::debug!("{from}: {why}"),
                Effect::WakeAt(at) => self.wake = Some(self.wake.map_or(at, |wake| wake.min(at))),
            }
        }
        self.core.heard.store(self.machine.heard_of(), std::sync::atomic::Ordering::Relaxed);
        Ok(())
    }

    fn ask(&self, to: PublicKey, first: u64) {
        let Some(net) = self.core.net.get().cloned() else { return };
        let core = self.core.clone();
        self.core.spawn(async move {
            let anchors = match net.ask(to, Request::Anchors { first }).await {
                Ok(Answer::Anchors(anchors)) => anchors,
                _ => Vec::new(),
            };
            if anchors.first().is_none_or(|decided| decided.certificate.height != first) {
                let input = Input::Unanswered { from: to, first };
                // Without it somebody else is asked a little later.
                let _ = core.follow.offer(Step::Input(input), ITEM_BYTES);
                return;
            }
            for decided in anchors {
                let size = decided.body.len().saturating_add(ITEM_BYTES);
                let decided = Box::new(decided);
                let input = Input::Decided { from: to, decided };
                if !core.follow.offer(Step::Input(input), size) {
                    return;
                }
            }
        });
    }
}
