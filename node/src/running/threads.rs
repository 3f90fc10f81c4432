//! The threads of a running node: one seals the lane, one collects blocks, one follows.

use std::sync::{Arc, mpsc};
use std::thread::{Builder, JoinHandle};

use ddt_core::availability::Availability;
use ddt_core::follower::Follower;
use ddt_core::sequencer::Sequencer;

use super::core::Core;
use super::following::Step;
use super::inbox::Outbox;
use super::{following, gathering, lane};
use crate::failure::Failure;

/// What the threads read.
pub struct Queues {
    /// For the thread that seals.
    pub orders: mpsc::Receiver<lane::Order>,
    /// For the one that collects.
    pub gather: Outbox<gathering::Order>,
    /// For the one that follows.
    pub follow: Outbox<Step>,
}

/// The threads under way.
pub struct Threads(Vec<JoinHandle<()>>);

/// Ends the node if its thread panics: nothing else would notice.
struct Watched(Arc<Core>, &'static str);

impl Drop for Watched {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let words = format!("the thread “{}” panicked; start again, report this", self.1);
            self.0.end(Failure::fault(words));
        }
    }
}

fn spawn(
    core: &Arc<Core>,
    name: &'static str,
    work: impl FnOnce(&Arc<Core>) + Send + 'static,
) -> Result<JoinHandle<()>, Failure> {
    let watched = Watched(core.clone(), name);
    let thread = Builder::new().name(name.to_string()).spawn(move || work(&watched.0));
    thread.map_err(|error| Failure::fault(format!("no thread: {error}")))
}

impl Threads {
    /// Starts them; the first only where there is a lane to seal.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(
        core: &Arc<Core>,
        queues: Queues,
        sequencer: Option<Sequencer>,
        availability: Availability,
        follower: Follower,
    ) -> Result<Threads, Failure> {
        let Queues { orders, gather, follow } = queues;
        let mut threads = Vec::new();
        let blocks = move |core: &_| gathering::run(core, availability, &gather);
        threads.push(spawn(core, "blocks", blocks)?);
        let anchors = move |core: &_| following::run(core, follower, &follow);
        threads.push(spawn(core, "anchors", anchors)?);
        if let Some(sequencer) = sequencer {
            let lane = move |core: &_| lane::run(core, sequencer, &orders);
            threads.push(spawn(core, "lane", lane)?);
        }
        Ok(Threads(threads))
    }

    /// Tells them to end, and waits.
    ///
    /// # Errors
    /// One of them panicked.
    pub async fn stop(self, core: &Arc<Core>) -> Result<(), Failure> {
        // Nobody reads it in a node without a lane.
        let _ = core.orders.send(lane::Order::Stop);
        core.gather.put(gathering::Order::Stop);
        core.follow.put(Step::Stop);
        for thread in self.0 {
            let name = thread.thread().name().unwrap_or("a").to_string();
            let joined = tokio::task::spawn_blocking(move || thread.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                return Err(Failure::fault(format!("the thread “{name}” panicked")));
            }
        }
        Ok(())
    }
}
