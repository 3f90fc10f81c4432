//! What is counted.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What the network did since it was started.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Counters {
            $($(#[$doc])* pub $name: u64,)*
        }

        /// Counters that are being counted.
        #[derive(Default)]
        pub(crate) struct Counting {
            $(pub $name: AtomicU64,)*
        }

        impl Counting {
            pub(crate) fn now(&self) -> Counters {
                Counters { $($name: self.$name.load(Relaxed),)* }
            }
        }
    };
}

counters! {
    /// Bytes of requests and answers that came, headers of transport aside.
    bytes_in,
    /// Bytes of requests and answers that were sent, headers of transport aside.
    bytes_out,
    /// Requests that came.
    requests_in,
    /// Requests that were sent.
    requests_out,
    /// Requests that were answered with `Busy`.
    busy,
    /// Requests of this node without an answer.
    unanswered,
    /// News that came, each once.
    news_in,
    /// News that this node told.
    news_out,
    /// Bytes of news that came.
    news_bytes_in,
    /// Bytes of news that this node told.
    news_bytes_out,
    /// News that were not told, or not looked at, because too many waited.
    news_dropped,
    /// News that were wrong.
    news_rejected,
    /// Messages that were none, too long, of another version, or came too early.
    refusals,
    /// Signatures of cards that were looked at.
    cards_checked,
    /// Peers that were sent away for a time.
    bans,
    /// Connections that were made, in both directions.
    connections,
    /// Dials that failed.
    dials_failed,
}

/// Adds one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

/// Adds a number of bytes.
pub(crate) fn add(counter: &AtomicU64, bytes: usize) {
    counter.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Relaxed);
}
