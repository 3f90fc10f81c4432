//! Who waits for which event, and how far each has come that is not final yet.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

use ddt_ledger::lane::SoftReceipt;
use ddt_ledger::{Hash, Refusal, Signature};
use tokio::sync::watch;

use super::stages::Stages;

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

/// An event that is followed.
struct Followed {
    sender: watch::Sender<Progress>,
    /// When this node took it in; unknown for what was promised before a restart and not handed
    /// in again since.
    since: Option<Instant>,
}

impl Followed {
    fn new(since: Option<Instant>) -> Followed {
        Followed { sender: watch::channel(Progress::Accepted).0, since }
    }
}

/// Progress of events between submission and finality.
#[derive(Default)]
pub struct Tracker {
    events: Mutex<BTreeMap<Hash, Followed>>,
    stages: Mutex<Stages>,
}

impl Tracker {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Hash, Followed>> {
        self.events.lock().unwrap_or_else(|error| error.into_inner())
    }

    /// How long events took.
    pub fn stages(&self) -> MutexGuard<'_, Stages> {
        self.stages.lock().unwrap_or_else(|error| error.into_inner())
    }

    /// Follows an event; the flag says whether it is new here.
    pub fn follow(&self, event: Hash) -> (watch::Receiver<Progress>, bool) {
        let mut events = self.lock();
        if let Some(followed) = events.get(&event) {
            return (followed.sender.subscribe(), false);
        }
        let followed = Followed::new(Some(Instant::now()));
        let receiver = followed.sender.subscribe();
        events.insert(event, followed);
        (receiver, true)
    }

    /// Follows an event that is already on its way here.
    pub fn following(&self, event: &Hash) -> Option<watch::Receiver<Progress>> {
        self.lock().get(event).map(|followed| followed.sender.subscribe())
    }

    /// How far an event is that is not final yet.
    pub fn progress(&self, event: &Hash) -> Option<Progress> {
        self.lock().get(event).map(|followed| followed.sender.borrow().clone())
    }

    /// Notes a promise, also of an event that nobody follows yet.
    pub fn promised(&self, receipt: SoftReceipt, signature: Signature) {
        let mut events = self.lock();
        let followed = events.entry(receipt.event).or_insert_with(|| Followed::new(None));
        self.promise(followed, Progress::Sequenced(receipt, signature));
    }

    /// Notes another router's promise of an event that is still followed here.
    pub fn promised_elsewhere(&self, receipt: SoftReceipt, signature: Signature) {
        if let Some(followed) = self.lock().get(&receipt.event) {
            self.promise(followed, Progress::Sequenced(receipt, signature));
        }
    }

    fn promise(&self, followed: &Followed, progress: Progress) {
        let is_first = *followed.sender.borrow() == Progress::Accepted;
        if let Some(since) = followed.since.filter(|_| is_first) {
            self.stages().sequenced.add(since.elapsed());
        }
        followed.sender.send_replace(progress);
    }

    /// Notes an event's end here: final, or dropped. Its followers hear of it once more.
    pub fn end(&self, event: &Hash, progress: Progress) {
        let ended = self.lock().remove(event);
        let Some(followed) = ended else { return };
        if let Some(since) = followed.since.filter(|_| progress == Progress::Final) {
            let (took, mut stages) = (since.elapsed(), self.stages());
            if *followed.sender.borrow() == Progress::Accepted {
                // No promise came here.
                stages.sequenced.add(took);
            }
            stages.in_book.add(took);
        }
        followed.sender.send_replace(progress);
    }

    /// Notes that an event was final before it was followed here: how long it took is not known.
    pub fn was_final(&self, event: &Hash) {
        let ended = self.lock().remove(event);
        if let Some(followed) = ended {
            followed.sender.send_replace(Progress::Final);
        }
    }
}
