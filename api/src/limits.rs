//! Bounds on what one listener takes from its callers.

use std::time::Duration;

/// A client's allowance of requests: a token bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Requests that may come at once.
    pub burst: u32,
    /// Time in which one more is earned.
    pub refill: Duration,
}

/// Every bound of a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest body, in bytes.
    pub body_bytes_max: usize,
    /// Longest request head, in bytes; hyper takes no less than 8 KiB.
    pub head_bytes_max: usize,
    /// Most header lines.
    pub header_count_max: usize,
    /// A request's head must have arrived after this; also closes idle connections.
    pub head_timeout: Duration,
    /// A request's body must have arrived after this.
    pub body_timeout: Duration,
    /// A read must be answered after this.
    pub request_timeout: Duration,
    /// Longest that a submission may be waited for.
    pub wait_max: Duration,
    /// Requests served at the same time; more are told to come back.
    pub requests_max: usize,
    /// Live streams at the same time.
    pub streams_max: usize,
    /// Open connections; more wait in the system's queue.
    pub connections_max: usize,
    /// Requests of one client address (IPv6: of one /64); `None` does not limit.
    pub rate: Option<Rate>,
    /// Whether clients of this machine are not rate-limited.
    pub is_loopback_spared: bool,
    /// A live stream replays at most so many anchors; who missed more is told to resync.
    pub replay_anchors_max: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            body_bytes_max: 64 * 1024,
            head_bytes_max: 16 * 1024,
            header_count_max: 64,
            head_timeout: Duration::from_secs(15),
            body_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(20),
            wait_max: Duration::from_secs(60),
            requests_max: 256,
            streams_max: 256,
            connections_max: 1_024,
            rate: Some(Rate { burst: 200, refill: Duration::from_millis(20) }),
            is_loopback_spared: true,
            replay_anchors_max: 1_000,
        }
    }
}
