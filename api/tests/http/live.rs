//! Live streams: what is new, what was missed, and what is too old.

use ddt_api::Limits;
use serde_json::Value as Json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;

use crate::network::{Network, account};
use crate::programmes::pay;
use crate::wire::send;

/// A stream's messages.
struct Stream(Lines<BufReader<TcpStream>>);

#[derive(Debug)]
struct Message {
    topic: String,
    id: String,
    data: Json,
}

impl Stream {
    async fn open(address: &str, query: &str, last: Option<&str>) -> Stream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let last = last.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
        let head = format!("GET /v1/live{query} HTTP/1.1\r\nHost: {address}\r\n{last}\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut lines = BufReader::new(stream).lines();
        let first = lines.next_line().await.unwrap().unwrap();
        assert!(first.contains("200"), "{first}");
        while !lines.next_line().await.unwrap().unwrap().is_empty() {}
        Stream(lines)
    }

    async fn next(&mut self) -> Message {
        let (mut topic, mut id, mut data) = (None, None, None);
        loop {
            let line = self.0.next_line().await.unwrap().expect("the stream goes on");
            match line.split_once(": ") {
                Some(("event", text)) => topic = Some(text.to_string()),
                Some(("id", text)) => id = Some(text.to_string()),
                Some(("data", text)) => data = Some(serde_json::from_str(text).unwrap()),
                _ => {}
            }
            if let (Some(topic), Some(id), Some(data)) = (&topic, &id, &data) {
                let (topic, id): (&String, &String) = (topic, id);
                let data: &Json = data;
                return Message { topic: topic.clone(), id: id.clone(), data: data.clone() };
            }
        }
    }

    async fn ids(&mut self, count: usize) -> Vec<String> {
        let mut ids = Vec::new();
        for _ in 0..count {
            let message = self.next().await;
            ids.push(format!("{} {}", message.topic, message.id));
        }
        ids
    }
}

// Broken by: announcing before the commit, skipping one, or sending what was not asked for.
#[tokio::test(flavor = "multi_thread")]
async fn commits_are_told_as_they_happen() {
    let network = Network::new();
    let at = network.serve(Limits::default()).await;
    network.pay_in_anchors(2);
    let mut all = Stream::open(&at, "", None).await;
    let mut anchors = Stream::open(&at, "?topics=anchors", None).await;
    let own = format!("?topics=account:{}", account(4));
    let mut own = Stream::open(&at, &own, None).await;
    network.pay_in_anchors(1);
    network.enqueue(&network.event(1, pay(account(4), "1")));
    network.commit();
    assert_eq!(all.ids(4).await, ["event 3:0", "anchor 3:2", "event 4:0", "anchor 4:2"]);
    assert_eq!(anchors.ids(2).await, ["anchor 3:2", "anchor 4:2"]);
    let message = own.next().await;
    assert_eq!((message.topic.as_str(), message.id.as_str()), ("account", "4:0"));
    assert_eq!(message.data["name"], "bank.pay");
}

// Broken by: an id that names another place than the one after which a client goes on.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_is_replayed() {
    let network = Network::new();
    let at = network.serve(Limits::default()).await;
    network.pay_in_anchors(3);
    let expected = ["event 1:0", "anchor 1:2", "event 2:0", "anchor 2:2", "event 3:0"];
    let mut all = Stream::open(&at, "", Some("0:4294967295")).await;
    assert_eq!(all.ids(5).await, expected);
    for (place, id) in expected.iter().enumerate().take(expected.len() - 1) {
        let (_, last) = id.split_once(' ').unwrap();
        let mut stream = Stream::open(&at, "", Some(last)).await;
        let rest = &expected[place + 1..];
        assert_eq!(stream.ids(rest.len()).await, rest, "after {last}");
    }
}

// Broken by: replaying without bound, or silently leaving a gap.
#[tokio::test(flavor = "multi_thread")]
async fn who_missed_too_much_is_told() {
    let network = Network::new();
    let at = network.serve(Limits { replay_anchors_max: 2, ..Limits::default() }).await;
    network.pay_in_anchors(4);
    for last in ["1:0", "99:0"] {
        let mut stream = Stream::open(&at, "?topics=anchors", Some(last)).await;
        let message = stream.next().await;
        assert_eq!(message.topic, "resync");
        assert_eq!(message.data["anchor"], network_height(&network));
        network.pay_in_anchors(1);
        assert_eq!(stream.next().await.data["height"], network_height(&network));
        let mut again = Stream::open(&at, "?topics=anchors", Some(&message.id)).await;
        assert_eq!(again.next().await.data["height"], network_height(&network));
    }
}

fn network_height(network: &Network) -> u64 {
    use ddt_api::Backend;
    network.book().head().0.height
}

// Broken by: a stream that opens and says nothing because its topic was misspelt.
#[tokio::test(flavor = "multi_thread")]
async fn wrong_topics_are_refused() {
    let network = Network::new();
    let at = network.serve(Limits::default()).await;
    for topics in ["x", "", "anchors,", "account:apt1", "account"] {
        send(&at, "GET", &format!("/v1/live?topics={topics}"), &[], b"").await.problem(400);
    }
    for last in ["x", "1", "1:x", "-1:0"] {
        let headers = [("Last-Event-ID", last)];
        send(&at, "GET", "/v1/live", &headers, b"").await.problem(400);
    }
}
