//! Live streams: told once, in order, also over a restart.

use crate::support::http::{Live, Message};
use crate::support::network::{Network, folder};

fn pay(network: &Network, from: &str, to: &str) -> String {
    let (from, to) = (network.signer(from), network.signer(to));
    let answer = network.submit("final", &from.pay(&to.account, "1")).json(200);
    answer["event"].as_str().unwrap().to_string()
}

fn place(id: &str) -> (u64, u64) {
    let (height, index) = id.split_once(':').unwrap();
    (height.parse().unwrap(), index.parse().unwrap())
}

fn is_event(message: &Message) -> bool {
    message.topic == "event"
}

// Broken by: announcing before the commit, numbering streams by themselves instead of by the
// ledger's places, or forgetting what happened while the client or the node was away.
#[test]
fn a_stream_goes_on_over_a_restart() {
    let folder = folder();
    let home = folder.path().join("state");
    let network = Network::start(&home);
    let mut live = Live::open(network.public(), "anchors,events", None);
    let first = pay(&network, "alice", "bob");
    let told = live.find(4, is_event);
    assert_eq!(told.data["id"], first);
    let (height, index) = place(&told.id);
    let anchor = live.next();
    assert_eq!((anchor.topic.as_str(), place(&anchor.id).0), ("anchor", height));
    assert!(place(&anchor.id).1 > index, "it follows its receipts");
    assert_eq!(anchor.data["height"], height);

    let second = pay(&network, "bob", "alice");
    assert_eq!(network.interrupt(), Some(0));
    let network = Network::start(&home);
    let third = pay(&network, "carol", "alice");
    let mut live = Live::open(network.public(), "events,anchors", Some(&told.id));
    let mut last = place(&told.id);
    let mut events = Vec::new();
    while events.len() < 2 {
        let message = live.next();
        assert!(place(&message.id) > last, "{message:?} after {last:?}");
        last = place(&message.id);
        if is_event(&message) {
            events.push(message.data["id"].as_str().unwrap().to_string());
        }
    }
    assert_eq!(events, [second, third], "what was missed, once, in order");
    let fourth = pay(&network, "alice", "carol");
    assert_eq!(live.find(4, is_event).data["id"], fourth, "and then what is new");
}

// Broken by: ignoring the topics, or a place of another history.
#[test]
fn a_stream_tells_what_was_asked_for() {
    let network = Network::new();
    let carol = network.signer("carol").account;
    let mut own = Live::open(network.public(), &format!("account:{carol}"), None);
    let mut anchors = Live::open(network.public(), "anchors", None);
    pay(&network, "alice", "bob");
    let touching = pay(&network, "bob", "carol");
    let message = own.next();
    assert_eq!((message.topic.as_str(), &message.data["id"]), ("account", &touching.into()));
    let (one, two) = (anchors.next(), anchors.next());
    assert_eq!((one.topic.as_str(), two.topic.as_str()), ("anchor", "anchor"));
    assert_eq!(place(&one.id).0 + 1, place(&two.id).0, "no anchor is left out");

    let mut lost = Live::open(network.public(), "events", Some("999999:0"));
    assert_eq!(lost.next().topic, "resync");
    let event = pay(&network, "alice", "bob");
    assert_eq!(lost.next().data["id"], event);
    for wrong in ["/v1/live?topics=everything", "/v1/live?topics=account:bob", "/v1/live?x=1"] {
        assert_eq!(network.get(wrong).problem(), "request.parameter");
    }
}
