//! What a node says of its health.

use crate::support::eventually;
use crate::support::network::{Network, folder};

// Broken by: a number that operators are told to watch being gone, or never moving.
#[test]
fn the_numbers_to_watch_are_there() {
    let network = Network::new();
    network.ddt(&["wallet", "send", "5", "bob", "--from", "alice"]).data();
    assert_eq!(network.get("/livez").text(), "ok\n");
    assert_eq!(network.get("/readyz").status, 200);
    let text = network.get("/metrics").text();
    for line in [
        "ddt_ready 1",
        "ddt_mempool_events 0",
        "ddt_peers 0",
        "ddt_events_total 1",
        "ddt_events_executed_total{outcome=\"done\"} 1",
        "ddt_events_executed_total{outcome=\"bug\"} 0",
        "ddt_agent_tasks{agent=\"reveal\"} 0",
        "ddt_event_stage_seconds_count{stage=\"sequenced\"} 1",
        "ddt_event_stage_seconds_count{stage=\"final\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
    let number = |text: &str, name: &str| -> f64 {
        let line = text.lines().find(|line| line.starts_with(name)).expect(name).to_string();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    for name in [
        "ddt_uptime_seconds ",
        "ddt_anchor_height ",
        "ddt_anchors_committed_total ",
        "ddt_store_bytes{store=\"book.redb\"}",
        "ddt_store_bytes{store=\"lanes.redb\"}",
        "ddt_disk_free_bytes ",
        "ddt_http_requests_total{status=\"200\"}",
        "ddt_http_request_duration_seconds_count ",
    ] {
        assert!(number(&text, name) > 0.0, "{name} in\n{text}");
    }
    assert!(number(&text, "ddt_anchor_age_seconds ") < 60.0, "{text}");
    let first = number(&text, "ddt_http_requests_total{status=\"200\"}");
    eventually("requests are counted", || {
        let text = network.get("/metrics").text();
        (number(&text, "ddt_http_requests_total{status=\"200\"}") > first).then_some(())
    });
}

// Broken by: being ready, or silent about why not, while nothing can be sequenced; a log in which
// a node that is alone and well complains that nobody listens to its votes.
#[test]
fn numbers_begin_anew_and_the_ledger_does_not() {
    let folder = folder();
    let home = folder.path().join("state");
    let network = Network::start(&home);
    network.ddt(&["wallet", "send", "5", "bob", "--from", "alice", "--wait", "proven"]).data();
    assert_eq!(network.interrupt(), Some(0));
    let log = std::fs::read_to_string(home.with_extension("log")).unwrap();
    assert!(!log.contains("ERROR"), "{log}");
    let network = Network::start(&home);
    let text = network.get("/metrics").text();
    for line in ["ddt_events_total 1", "ddt_events_executed_total{outcome=\"done\"} 0"] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
}
