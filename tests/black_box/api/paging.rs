//! Lists that grow while they are read.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value as Json;

use crate::support::eventually;
use crate::support::network::{Network, submit};

const PAGE: usize = 3;
/// Enough events for many pages before reading begins.
const EVENTS_BEFORE: u64 = 60;
const WRITERS: usize = 6;
/// Of each list, how many readings must have seen it grow meanwhile.
const GROWN_WANTED: usize = 2;

/// All rows from the newest on, page by page, and that each page links to the next.
fn pages(network: &Network, first: &str) -> Vec<Json> {
    let (mut rows, mut path) = (Vec::new(), format!("{first}limit={PAGE}"));
    loop {
        let answer = network.get(&path);
        let page = answer.json(200);
        rows.extend(page["rows"].as_array().unwrap().iter().cloned());
        let Some(cursor) = page["next"].as_str() else {
            assert!(answer.header("link").is_none());
            return rows;
        };
        let link = answer.header("link").expect("a link to the next page");
        let url = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap();
        assert!(url.contains(cursor), "{link}");
        path = url.to_string();
    }
}

/// Ends the writer also when the reader panics.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn numbers(rows: &[Json]) -> Vec<u64> {
    rows.iter().map(|row| row["number"].as_u64().unwrap()).collect()
}

// Broken by: cursors that count rows from the top, which moves while events arrive.
#[test]
fn pages_are_whole_while_events_arrive() {
    let network = Network::new();
    let (alice, bob) = (network.signer("alice"), network.signer("bob"));
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let over = Over(&is_over);
        let address = network.public().to_string();
        let (alice, bob, is_over) = (&alice, &bob, &is_over);
        for _ in 0..WRITERS {
            let address = address.clone();
            scope.spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    let bytes = alice.pay(&bob.account, "0.001");
                    assert_eq!(submit(&address, "sequenced", &bytes).unwrap().status, 200);
                }
            });
        }
        let count = || network.json("/v1/status")["events"].as_u64().unwrap();
        eventually("enough events", || (count() >= EVENTS_BEFORE).then_some(()));
        for list in ["/v1/events?", "/v1/events?name=bank.transfer&"] {
            let mut grown = 0;
            eventually("the list grows while it is read", || {
                let before = count();
                let numbers = numbers(&pages(&network, list));
                let top = numbers[0];
                assert!(top >= before, "the newest come first");
                let whole: Vec<u64> = (1..=top).rev().collect();
                assert_eq!(numbers, whole, "no gap, nothing twice: {list}");
                grown += usize::from(count() > top);
                (grown >= GROWN_WANTED).then_some(())
            });
        }
        let own = pages(&network, &format!("/v1/accounts/{}/events?", bob.account));
        let own = numbers(&own);
        assert_eq!(own, (1..=own[0]).rev().collect::<Vec<_>>());
        drop(over);
    });
    let heights = pages(&network, "/v1/anchors?");
    let heights: Vec<u64> = heights.iter().map(|row| row["height"].as_u64().unwrap()).collect();
    let lowest = *heights.last().unwrap();
    assert!(lowest <= 1, "down to the first anchor");
    assert_eq!(heights, (lowest..=heights[0]).rev().collect::<Vec<_>>());
}

// Broken by: taking a made-up cursor, another list's cursor, or a page without bounds.
#[test]
fn cursors_and_limits_are_checked() {
    let network = Network::new();
    for (query, code) in [
        ("events?limit=0", "request.parameter"),
        ("events?limit=101", "request.parameter"),
        ("events?limit=x", "request.parameter"),
        ("events?cursor=zzz", "request.cursor"),
        ("events?cursor=e00", "request.cursor"),
        ("anchors?cursor=e0000000000000001", "request.cursor"),
        ("events?limit=1&limit=2", "request.parameter"),
        ("events?sort=up", "request.parameter"),
    ] {
        let answer = network.get(&format!("/v1/{query}"));
        assert_eq!((answer.status, answer.problem().as_str()), (400, code), "{query}");
    }
}
