//! What has happened since the process started, in Prometheus' words.

use std::fmt::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use ddt_ledger::Millis;
use ddt_ledger::receipt::{Outcome, Receipt, Subject};
use ddt_net::Counters;

/// Stores whose sizes are told.
const STORES: [&str; 3] = ["book.redb", "lanes.redb", "agents.redb"];
const OUTCOMES: [&str; 4] = ["done", "refused", "void", "bug"];
/// A node is not ready when no anchor was made for so many idle intervals…
const IDLE_INTERVALS: u64 = 6;
/// … and for at least so long.
const SILENCE_MIN_MS: u64 = 60_000;

/// Counts since the start.
pub struct Meters {
    events: [AtomicU64; 4],
    anchors: AtomicU64,
    /// Time of the last anchor, in milliseconds.
    anchor_time: AtomicU64,
    silence_max: u64,
    /// The epoch in which an upgrade was last warned of.
    warned: AtomicU64,
}

impl Meters {
    /// Nothing has happened since the anchor of this time.
    pub fn new(anchor_time: Millis, idle: Millis) -> Meters {
        Meters {
            events: Default::default(),
            anchors: AtomicU64::new(0),
            anchor_time: AtomicU64::new(anchor_time.0),
            warned: AtomicU64::new(u64::MAX),
            silence_max: idle.0.saturating_mul(IDLE_INTERVALS).max(SILENCE_MIN_MS),
        }
    }

    /// An anchor was committed, with these receipts.
    pub fn anchored(&self, time: Millis, receipts: &[Receipt]) {
        self.anchor_time.store(time.0, Ordering::Relaxed);
        self.anchors.fetch_add(1, Ordering::Relaxed);
        for receipt in receipts {
            let place = match receipt.outcome {
                _ if !matches!(receipt.subject, Subject::Event(_)) => continue,
                Outcome::Done => 0,
                Outcome::Refused(_) => 1,
                Outcome::Void(_) => 2,
                Outcome::Bug(_) => 3,
            };
            if let Some(count) = self.events.get(place) {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Whether it is the first time in this epoch that somebody asks: then a warning is due.
    pub fn is_warning_due(&self, epoch: u64) -> bool {
        self.warned.swap(epoch, Ordering::Relaxed) != epoch
    }

    /// How long no anchor was made, if that is too long.
    pub fn silence(&self, now: Millis) -> Option<Millis> {
        let silence = now.since(Millis(self.anchor_time.load(Ordering::Relaxed)));
        (silence.0 > self.silence_max).then_some(silence)
    }

    /// Families of lines for `/metrics`.
    pub fn text(
        &self,
        home: &Path,
        started: Millis,
        now: Millis,
        agents: &[(&str, usize)],
    ) -> String {
        let mut text = String::new();
        let mut family = |name: &str, kind: &str, help: &str, rows: &[(String, String)]| {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for (labels, value) in rows {
                let _ = writeln!(text, "{name}{labels} {value}");
            }
        };
        let one = |value: String| [(String::new(), value)];
        let since = |time: Millis| now.since(time).0;
        let lag = since(Millis(self.anchor_time.load(Ordering::Relaxed)));
        let help = "Since the process started.";
        family("ddt_uptime_seconds", "gauge", help, &one(seconds(since(started))));
        let help = "From the last anchor's time to this machine's clock.";
        family("ddt_anchor_age_seconds", "gauge", help, &one(seconds(lag)));
        let anchors = self.anchors.load(Ordering::Relaxed).to_string();
        let help = "Anchors committed since the process started.";
        family("ddt_anchors_committed_total", "counter", help, &one(anchors));
        let counts = OUTCOMES.iter().zip(&self.events);
        let label = |name: &str, value: &str| format!("{{{name}=\"{value}\"}}");
        let rows: Vec<_> = counts
            .map(|(name, n)| (label("outcome", name), n.load(Ordering::Relaxed).to_string()))
            .collect();
        let help = "Events executed since the process started, by outcome.";
        family("ddt_events_executed_total", "counter", help, &rows);
        let size = |name: &&str| {
            let bytes = std::fs::metadata(home.join(name)).ok()?.len();
            Some((label("store", name), bytes.to_string()))
        };
        let rows: Vec<_> = STORES.iter().filter_map(size).collect();
        family("ddt_store_bytes", "gauge", "Length of a store's file.", &rows);
        let rows: Vec<_> =
            agents.iter().map(|(name, count)| (label("agent", name), count.to_string())).collect();
        family("ddt_agent_tasks", "gauge", "Tasks that an agent has not finished.", &rows);
        if let Some(free) = crate::data_folder::space::free_bytes(home) {
            let help = "Free bytes on the data folder's disk.";
            family("ddt_disk_free_bytes", "gauge", help, &one(free.to_string()));
        }
        text
    }
}

/// Families of lines about the network.
pub fn network(text: &mut String, counters: &Counters, peers: usize) {
    let peers = u64::try_from(peers).unwrap_or(u64::MAX);
    let sent = counters.bytes_out.saturating_add(counters.news_bytes_out);
    let received = counters.bytes_in.saturating_add(counters.news_bytes_in);
    let families = [
        ("peers", "gauge", "Connected nodes.", peers),
        ("sent_bytes_total", "counter", "Messages sent, consensus aside.", sent),
        ("received_bytes_total", "counter", "Messages received, consensus aside.", received),
        ("requests_sent_total", "counter", "Requests sent.", counters.requests_out),
        ("requests_received_total", "counter", "Requests received.", counters.requests_in),
        ("busy_total", "counter", "Requests refused for want of room.", counters.busy),
        ("unanswered_total", "counter", "Requests without an answer.", counters.unanswered),
        ("news_sent_total", "counter", "News told.", counters.news_out),
        ("news_received_total", "counter", "News received.", counters.news_in),
        ("news_dropped_total", "counter", "News dropped for want of room.", counters.news_dropped),
        ("news_rejected_total", "counter", "News that were wrong.", counters.news_rejected),
        ("bans_total", "counter", "Peers sent away for a time.", counters.bans),
    ];
    for (name, kind, help, value) in families {
        let name = format!("ddt_network_{name}");
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
    }
}

/// Milliseconds as seconds, exactly.
fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1_000, ms % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Broken by: being ready for ever, or never on a network whose anchors are rare.
    #[test]
    fn silence_is_told_after_six_idle_intervals_and_a_minute() {
        let silence = |idle: u64, now: u64| {
            let meters = Meters::new(Millis(1_000), Millis(idle));
            meters.silence(Millis(1_000 + now)).map(|silence| silence.0)
        };
        assert_eq!(silence(1_000, 60_000), None);
        assert_eq!(silence(1_000, 60_001), Some(60_001));
        assert_eq!(silence(20_000, 120_000), None);
        assert_eq!(silence(20_000, 120_001), Some(120_001));
        let meters = Meters::new(Millis(0), Millis(1_000));
        meters.anchored(Millis(100_000), &[]);
        assert_eq!(meters.silence(Millis(150_000)), None);
    }

    // Broken by: figures that are cut off or rounded.
    #[test]
    fn seconds_are_exact() {
        assert_eq!((seconds(7).as_str(), seconds(61_020).as_str()), ("0.007", "61.020"));
    }
}
