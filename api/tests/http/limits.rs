//! Bounds: sizes, times, rates, and our own bugs.

use std::time::Duration;

use ddt_api::{Limits, Rate};

use crate::network::Network;
use crate::wire::{get, post_event, raw, send};

// Broken by: no limit, or one that leaves its answer to the framework.
#[tokio::test(flavor = "multi_thread")]
async fn long_bodies_and_heads_are_refused() {
    let network = Network::new();
    let at = network.serve(Limits::default()).await;
    let answer = post_event(&at, "/v1/events", &vec![1; 64 * 1024 + 1]).await;
    assert_eq!(answer.problem(413), "request.body_too_long");
    let fits = post_event(&at, "/v1/events", &vec![1; 64 * 1024]).await;
    assert_eq!(fits.problem(422), "event.too_long");
    let long = "x".repeat(40_000);
    let answer = send(&at, "GET", "/livez", &[("X-Long", &long)], b"").await;
    assert_eq!(answer.status, 431);
    let many: Vec<(&str, &str)> = (0..80).map(|_| ("X-Many", "x")).collect();
    assert_eq!(send(&at, "GET", "/livez", &many, b"").await.status, 431);
}

// Broken by: waiting for a body for ever.
#[tokio::test(flavor = "multi_thread")]
async fn slow_bodies_are_not_waited_for() {
    let network = Network::new();
    let limits = Limits { body_timeout: Duration::from_millis(50), ..Limits::default() };
    let at = network.serve(limits).await;
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\
         Content-Type: application/octet-stream\r\nContent-Length: 100\r\n\r\nonly this"
    );
    assert_eq!(raw(&at, head.as_bytes()).await.problem(408), "request.body_timeout");
}

// Broken by: limiting nobody, a Retry-After that is not true, or plain text.
#[tokio::test(flavor = "multi_thread")]
async fn too_many_requests_are_told_when_to_return() {
    let network = Network::new();
    let rate = Some(Rate { burst: 3, refill: Duration::from_secs(3_600) });
    let limits = Limits { rate, is_loopback_spared: false, ..Limits::default() };
    let at = network.serve(limits.clone()).await;
    for _ in 0..3 {
        get(&at, "/v1/status").await.ok();
    }
    let answer = get(&at, "/v1/status").await;
    assert_eq!(answer.problem(429), "request.rate");
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((3_000..=3_600).contains(&wait), "{wait}");
    let spared = network.serve(Limits { is_loopback_spared: true, ..limits }).await;
    for _ in 0..6 {
        get(&spared, "/v1/status").await.ok();
    }
}

// Broken by: an unbounded number of requests or streams at once.
#[tokio::test(flavor = "multi_thread")]
async fn crowds_are_sent_away() {
    let network = Network::new();
    let at = network.serve(Limits { requests_max: 0, ..Limits::default() }).await;
    let answer = get(&at, "/v1/status").await;
    assert_eq!(answer.problem(503), "server.busy");
    assert_eq!(answer.header("retry-after"), Some("1"));
    let at = network.serve(Limits { streams_max: 0, ..Limits::default() }).await;
    assert_eq!(get(&at, "/v1/live").await.problem(503), "server.busy");
}

// Broken by: a panic that closes the connection, or that tells its words to strangers.
#[tokio::test(flavor = "multi_thread")]
async fn our_own_bugs_are_faults() {
    let network = Network::new();
    let at = network.serve(Limits::default()).await;
    let answer = get(&at, "/v1/views/bank/broken").await;
    assert_eq!(answer.problem(500), "server.fault");
    assert!(!answer.text().contains("own bug"));
    *network.status.lock().unwrap() = None;
    for path in ["/readyz", "/v1/status", "/metrics"] {
        assert_eq!(get(&at, path).await.problem(500), "server.fault", "{path}");
    }
    assert_eq!(get(&at, "/livez").await.text(), "ok\n");
}

// Broken by: being ready without following the network, or counting answers wrongly.
#[tokio::test(flavor = "multi_thread")]
async fn health_and_metrics() {
    let network = Network::new();
    let at = network.serve(Limits::default()).await;
    network.pay_in_anchors(2);
    assert_eq!(get(&at, "/readyz").await.status, 200);
    get(&at, "/nowhere").await.problem(404);
    let text = get(&at, "/metrics").await.text();
    for line in [
        "ddt_anchor_height 2",
        "ddt_events_total 2",
        "ddt_ready 1",
        "ddt_supply_apt{part=\"pool\"} 50.000964",
        "ddt_http_answers_total{class=\"4xx\"} 1",
        "ddt_http_requests_total{status=\"404\"} 1",
        "ddt_http_request_duration_seconds_count 2",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
    let status = ddt_api::NodeStatus { not_ready: "catching up".into(), ..Default::default() };
    *network.status.lock().unwrap() = Some(status);
    let answer = get(&at, "/readyz").await;
    assert_eq!(answer.problem(503), "node.not_ready");
    assert!(answer.text().contains("catching up"));
}
