//! What of the engine's log is worth reading.

use std::sync::atomic::{AtomicBool, Ordering};

/// Log directives that leave out what the engine says of its connections: several lines for each
/// that ends or does not come about, and for each message to nobody, again and again while a
/// router is away; and that a turn is skipped, which our own words explain. What is left says of
/// every address that it cannot be reached.
pub const LOG_DIRECTIVES: &str = "arc_malachitebft_network=off,\
    arc_malachitebft_discovery::handlers::close=error,\
    arc_malachitebft_app_channel::connector=off";

static IS_ENDING: AtomicBool = AtomicBool::new(false);

pub(crate) fn begins() {
    IS_ENDING.store(false, Ordering::Relaxed);
}

pub(crate) fn ends() {
    IS_ENDING.store(true, Ordering::Relaxed);
}

/// Whether lines of this target mean anything now. When consensus ends, in order or because
/// something failed that was said before, the engine's parts report as errors, until the last
/// one is gone, that the others are.
pub fn is_worth_reading(target: &str) -> bool {
    !(target.starts_with("arc_malachitebft") && IS_ENDING.load(Ordering::Relaxed))
}
