//! Golden bytes of every kind of message: what an independent implementation compares with.

use ddt_core::availability::{Ask, SignedVote, Vote};
use ddt_core::follower::Decided;
use ddt_ledger::anchor::TimeStatement;
use ddt_ledger::certificate::{Certificate, ValidatorSet};
use ddt_ledger::lane::SoftReceipt;
use ddt_ledger::proof::{CertifiedAnchor, Handover, Hex};
use ddt_ledger::{ChainId, Hash, Millis, PublicKey, Signature, Zone};
use ddt_net::card::{Card, SignedCard};
use ddt_net::message::{
    Answer, EVIDENCE_BYTES_MAX, Hello, Message, News, Offer, Request, Submitted,
};

use crate::fixture::{router, sign};

const CHAIN: ChainId = ChainId(Hash([0xc1; 32]));

fn card() -> SignedCard {
    let ((key, public), (transport, transport_public)) = (router(7), router(8));
    let card = Card {
        chain: CHAIN,
        router: public,
        transport: transport_public,
        addresses: vec!["/ip4/192.0.2.1/tcp/4001".into()],
        consensus: vec!["/ip4/192.0.2.1/tcp/4002".into()],
        api: vec!["https://r.example".into()],
        time: Millis(1_700_000_000_000),
    };
    sign((&key, &transport), card)
}

fn hello(cards: Vec<SignedCard>) -> Hello {
    Hello { chain: CHAIN, agent: "ddt/1".into(), height: 300, lowest: 2, cards }
}

fn news() -> Vec<News> {
    let vote = Vote { chain: CHAIN, zone: Zone(3), term: 1, height: 9, block: Hash([0xb3; 32]) };
    let (key, signature) = (PublicKey([0x0e; 32]), Signature([0x5f; 64]));
    vec![
        News::Committed { height: 258, anchor: Hash([0xa4; 32]) },
        News::Vote(SignedVote { vote, key, signature }),
        News::Time {
            height: 259,
            previous: Hash([0xa4; 32]),
            statement: TimeStatement { key, time: Millis(5), signature },
        },
        News::Card(Box::new(card())),
    ]
}

fn requests() -> Vec<Request> {
    let ask = |block| Ask { zone: Zone(3), term: 1, height: 9, block };
    vec![
        Request::Hello(hello(vec![card()])),
        Request::Block(ask(None)),
        Request::Block(ask(Some(Hash([0xb3; 32])))),
        Request::Anchors { first: 258 },
        Request::Push(vec![1, 2, 3]),
        Request::Submit(vec![4, 5]),
        Request::Snapshots,
        Request::Manifest { snapshot: Hash([0xd6; 32]) },
        Request::Piece { snapshot: Hash([0xd6; 32]), index: 4 },
        Request::Handovers { after: 5, last: 258 },
        Request::Accuse(vec![6, 7]),
    ]
}

fn answers() -> Vec<Answer> {
    let receipt = SoftReceipt {
        chain: CHAIN,
        event: Hash([0xe5; 32]),
        zone: Zone(3),
        term: 1,
        height: 9,
        number: 77,
    };
    let certificate =
        Certificate { height: 258, round: 1, anchor: Hash([0xa4; 32]), signatures: Vec::new() };
    let validators = ValidatorSet(Vec::new());
    let anchor = CertifiedAnchor { body: Hex(vec![9, 9]), certificate: certificate.clone() };
    let handover = Handover { anchor, validators };
    vec![
        Answer::Hello(hello(Vec::new())),
        Answer::Block(None),
        Answer::Block(Some(vec![1, 2, 3])),
        Answer::Anchors(vec![Decided { body: vec![9, 9], certificate: certificate.clone() }]),
        Answer::Taken,
        Answer::Submitted(Submitted::Taken),
        Answer::Submitted(Submitted::Sequenced { receipt, signature: Signature([0x5f; 64]) }),
        Answer::Submitted(Submitted::Executed { height: 258 }),
        Answer::Submitted(Submitted::Refused { code: "bank.insufficient".into() }),
        Answer::Submitted(Submitted::Closed),
        Answer::Busy,
        Answer::Snapshots(vec![Offer { height: 258, snapshot: Hash([0xd6; 32]) }]),
        Answer::Manifest(None),
        Answer::Manifest(Some(vec![1, 2, 3])),
        Answer::Piece(Some(vec![1, 2, 3])),
        Answer::Handovers(vec![handover]),
    ]
}

fn lines<M: Message + PartialEq>(name: &str, all: &[M]) -> Vec<String> {
    let mut lines = Vec::new();
    for message in all {
        let bytes = message.encode();
        assert_eq!(M::decode(&bytes).expect("a message"), *message);
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        lines.push(format!("{name} {digits}"));
    }
    lines
}

/// Broken by: a variant that is put anywhere but at the end; fields in another order.
#[test]
fn golden_messages_are_unchanged() {
    let mut now = lines("news", &news());
    now.extend(lines("request", &requests()));
    now.extend(lines("answer", &answers()));
    now.extend(lines("card", &[card()]));
    let golden: Vec<&str> = include_str!("messages-v1.txt").lines().collect();
    for (now, golden) in now.iter().zip(&golden) {
        assert_eq!(now, golden);
    }
    assert_eq!(now.len(), golden.len(), "all that there are:\n{}", now.join("\n"));
}

/// Broken by: a limit that is not looked at, or by a byte that may follow.
#[test]
fn messages_keep_their_limits() {
    let refused = |bytes: &[u8]| Request::decode(bytes).expect_err("a refusal").to_string();
    assert_eq!(refused(&[]), "an empty message");
    assert_eq!(refused(&[2, 3]), "message version 2 is not known here");
    let mut more = Request::Anchors { first: 1 }.encode();
    more.push(0);
    assert!(refused(&more).contains("malformed"));
    let long = Hello { agent: "x".repeat(65), ..hello(Vec::new()) };
    assert_eq!(refused(&Request::Hello(long).encode()), "a message with too much in the agent");
    let many = hello(vec![card(); 129]);
    assert_eq!(refused(&Request::Hello(many).encode()), "a message with too much in the cards");
    let mut wide = card();
    wide.card.api = vec![String::new(); 9];
    assert!(SignedCard::decode(&wide.encode()).is_err());
    wide.card.api = vec!["x".repeat(257)];
    assert!(News::decode(&News::Card(Box::new(wide.clone())).encode()).is_err());
    // The largest card there may be is news.
    let full = vec!["x".repeat(256); 8];
    let card = &mut wide.card;
    (card.addresses, card.consensus, card.api) = (full.clone(), full.clone(), full);
    let news = News::Card(Box::new(wide));
    assert_eq!(News::decode(&news.encode()).expect("news"), news);
    let long = Request::Submit(vec![0; ddt_ledger::event::EVENT_BYTES_MAX + 1]).encode();
    assert_eq!(refused(&long), "a message with too much in an event");
    let long = Request::Accuse(vec![0; EVIDENCE_BYTES_MAX + 1]).encode();
    assert_eq!(refused(&long), "a message with too much in evidence");
}

/// Broken by: a peer id that is anything but the key.
#[test]
fn transport_keys_are_peer_ids() {
    for seed in 0..=20 {
        let key = router(seed).1;
        let peer = ddt_net::peer_of(&key).expect("a peer id");
        assert_eq!(ddt_net::key_of(&peer), Some(key));
    }
    let peer = ddt_net::peer_of(&router(7).1).expect("a peer id");
    let other = libp2p::identity::Keypair::ed25519_from_bytes([7; 32]).expect("a seed");
    assert_eq!(peer, other.public().to_peer_id());
    let hashed = "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N".parse().expect("a peer id");
    assert_eq!(ddt_net::key_of(&hashed), None, "a hash is no key");
}
