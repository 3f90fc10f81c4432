//! Who waits for which event, and how far each has come that is not final yet.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use ddt_ledger::lane::SoftReceipt;
use ddt_ledger::{Hash, Refusal, Signature};
use tokio::sync::watch;

/// How far an event has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// In the mempool.
    Accepted,
    /// Its router promised it a number.
    Sequenced(SoftReceipt, Signature),
    /// In the book.
    Final,
    /// Not sequenced after all.
    Dropped(Refusal),
}

/// Progress of events between submission and finality.
#[derive(Default)]
pub struct Tracker {
    events: Mutex<BTreeMap<Hash, watch::Sender<Progress>>>,
}

impl Tracker {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Hash, watch::Sender<Progress>>> {
        self.events.lock().unwrap_or_else(|error| error.into_inner())
    }

    /// Follows an event; the flag says whether it is new here.
    pub fn follow(&self, event: Hash) -> (watch::Receiver<Progress>, bool) {
        let mut events = self.lock();
        if let Some(sender) = events.get(&event) {
            return (sender.subscribe(), false);
        }
        let (sender, receiver) = watch::channel(Progress::Accepted);
        events.insert(event, sender);
        (receiver, true)
    }

    /// Follows an event that is already on its way here.
    pub fn following(&self, event: &Hash) -> Option<watch::Receiver<Progress>> {
        self.lock().get(event).map(watch::Sender::subscribe)
    }

    /// How far an event is that is not final yet.
    pub fn progress(&self, event: &Hash) -> Option<Progress> {
        self.lock().get(event).map(|sender| sender.borrow().clone())
    }

    /// Notes progress short of an end.
    pub fn advance(&self, event: Hash, progress: Progress) {
        let mut events = self.lock();
        let sender = events.entry(event).or_insert_with(|| watch::channel(Progress::Accepted).0);
        sender.send_replace(progress);
    }

    /// Notes progress of an event that is still followed here.
    pub fn advance_known(&self, event: &Hash, progress: Progress) {
        if let Some(sender) = self.lock().get(event) {
            sender.send_replace(progress);
        }
    }

    /// Notes an event's end here: final, or dropped. Its followers hear of it once more.
    pub fn end(&self, event: &Hash, progress: Progress) {
        if let Some(sender) = self.lock().remove(event) {
            sender.send_replace(progress);
        }
    }
}
