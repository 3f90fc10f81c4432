//! What of the engine's log is not worth reading.

use std::sync::atomic::{AtomicBool, Ordering};

/// Where the engine speaks from.
const ENGINE: &str = "arc_malachitebft";

/// Where it speaks of connections, and how it begins: several lines for each that ends or does not
/// come about, again and again while a router is away; that nobody listens to a router that is
/// alone; and that a turn is skipped, which our own words explain. That an address could not be
/// reached five times running is said in yet other words, and stays.
const TALK: [(&str, &str); 6] = [
    ("arc_malachitebft_network", "Connection closed with"),
    ("arc_malachitebft_network", "Error dialing peer"),
    ("arc_malachitebft_network", "Error broadcasting message: NoPeersSubscribedToTopic"),
    ("arc_malachitebft_network", "Error publishing message: NoPeersSubscribedToTopic"),
    ("arc_malachitebft_discovery::handlers::close", ""),
    ("arc_malachitebft_app_channel::connector", "Error processing message: channel closed"),
];

static IS_ENDING: AtomicBool = AtomicBool::new(false);

pub(crate) fn begins() {
    IS_ENDING.store(false, Ordering::Relaxed);
}

pub(crate) fn ends() {
    IS_ENDING.store(true, Ordering::Relaxed);
}

/// Whether a line of this target means nothing to an operator. When consensus ends, the engine's
/// parts report as errors, until the last one is gone, that the others are: then nothing does.
pub fn is_mere_talk(target: &str, message: &str) -> bool {
    let is_ending = IS_ENDING.load(Ordering::Relaxed) && target.starts_with(ENGINE);
    let is_known = |(from, begins): &(&str, &str)| target == *from && message.starts_with(begins);
    is_ending || TALK.iter().any(is_known)
}
