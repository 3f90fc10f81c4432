//! A consensus engine that the follower has left behind for good.
//!
//! The engine decides one height after the other, and moves on only by a decision, its own or
//! one that another validator's engine sends. When the follower has the anchor already and those
//! who decided it validate no more, nobody sends it: the engine must begin anew, where the book
//! is.

use std::sync::Arc;
use std::time::Duration;

use ddt_consensus::UnderWay;
use tokio::time::Instant;

use super::core::{Core, Ending};

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long the engine may take to move on by itself.
const PATIENCE: Duration = Duration::from_secs(5);

/// Starts the node again when its engine stays at a height that the book has. Runs until the
/// runtime ends.
pub async fn watch(core: Arc<Core>, under_way: UnderWay) {
    let mut since: Option<(u64, Instant)> = None;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let committed = core.book.head().0.height;
        let behind = under_way.height().filter(|height| *height <= committed);
        since = behind.map(|height| match since {
            Some((own, since)) if own == height => (own, since),
            _ => (height, Instant::now()),
        });
        if since.is_some_and(|(_, since)| since.elapsed() >= PATIENCE) {
            let _ = core.ending.send(Ending::Again("was left behind by the other routers"));
            return;
        }
    }
}
