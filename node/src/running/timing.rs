//! When an anchor is due, and telling the others what time it is then.
//!
//! A proposer needs the signed time statements of more than two thirds. Everybody states its
//! time with its vote for a block, as soon as it finds an anchor due, or when it hears that
//! enough others do; so whoever proposes has them by the time the blocks have their votes.

use std::sync::Arc;
use std::time::Duration;

use ddt_ledger::anchor::TimeStatement;
use ddt_ledger::{Hash, Millis};
use ddt_net::message::News;

use super::core::{Core, now};

/// A statement is told again this often while its anchor does not come.
const TELL_EVERY: Duration = Duration::from_millis(500);

/// After so long a round begins all the same: some router may know more than this one.
const RIPE_PATIENCE: Duration = Duration::from_secs(3);

/// States the time for the anchor of this height, after `previous`.
pub fn state(core: &Core, (height, previous): (u64, Hash)) {
    let time = now();
    #[cfg(debug_assertions)]
    let time = super::treason::time(height, time);
    let digest = TimeStatement::digest(core.book.chain(), height, &previous, time);
    let (key, signature) = (core.keys.router_public(), core.keys.sign_as_router(&digest));
    let statement = TimeStatement { key, time, signature };
    let set = core.routers.validators();
    core.times.take(core.book.chain(), (height, &set), (height, previous), statement);
    core.tell(News::Time { height, previous, statement });
}

/// Whether an anchor is due, and when to look again.
fn look(core: &Core) -> (bool, Millis) {
    let time = now();
    let pacer = core.pacer();
    let wake = pacer.next_wake(time).unwrap_or(time.plus(Millis(1_000))).since(time);
    (pacer.should_propose(time), Millis(wake.0.max(1)))
}

/// Resolves when an anchor is due.
pub async fn due(core: &Arc<Core>) {
    loop {
        let rings = core.work.clone();
        let ring = rings.notified();
        tokio::pin!(ring);
        ring.as_mut().enable();
        let (is_due, wake) = look(core);
        if is_due {
            return;
        }
        tokio::select! {
            () = ring => {}
            () = tokio::time::sleep(Duration::from_millis(wake.0)) => {}
        }
    }
}

/// Resolves when an anchor is due and enough validators said what time it is: before that a
/// proposer could not make one, and would waste its turn.
pub async fn ripe(core: &Arc<Core>) {
    due(core).await;
    let deadline = tokio::time::Instant::now() + RIPE_PATIENCE;
    loop {
        let came = core.times.came();
        let head = core.book.head().0;
        let next = head.height.saturating_add(1);
        let quorum = core.routers.validators().quorum();
        // A proposer alone states its time when it makes the anchor.
        if quorum <= 1 || core.times.count(next, &head.anchor) >= quorum {
            return;
        }
        if tokio::time::timeout_at(deadline, came).await.is_err() {
            return;
        }
    }
}

/// Tells the others the time whenever an anchor is due, or will be soon. Runs until the runtime
/// ends.
pub async fn tell(core: Arc<Core>) {
    loop {
        tokio::select! {
            () = due(&core) => {}
            () = core.times.soon() => {}
            () = others_find_one_due(&core) => {}
        }
        let head = core.book.head().0;
        state(&core, (head.height.saturating_add(1), head.anchor));
        // Again if it does not come: messages get lost.
        let mut anchors = core.anchors.subscribe();
        if core.book.head().0.height == head.height {
            let _ = tokio::time::timeout(TELL_EVERY, anchors.recv()).await;
        }
    }
}

/// Resolves when so many others state the time for the next anchor that one is honest.
async fn others_find_one_due(core: &Arc<Core>) {
    loop {
        let came = core.times.came();
        let head = core.book.head().0;
        let one_honest = core.routers.validators().0.len().saturating_sub(1) / 3;
        let next = head.height.saturating_add(1);
        if core.times.count(next, &head.anchor) > one_honest.saturating_add(1) {
            return;
        }
        let mut anchors = core.anchors.subscribe();
        tokio::select! {
            () = came => {}
            _ = anchors.recv() => {}
        }
    }
}
