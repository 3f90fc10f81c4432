//! Events that no ledger takes, and events that the rules refuse.

use ddt_ledger::codec::encode;
use ddt_ledger::event::{Draft, EVENT_BYTES_MAX, Role, VALIDITY_MS_MAX};
use ddt_ledger::schema::Bytes;
use ddt_ledger::{ChainId, Hash, Millis};
use ddt_wallet::sign::sign;

use crate::scene::{Scene, apt};
use crate::support::signer::{now_us, payment};

const MINUTE_US: u64 = 60_000_000;

/// A good payment of alice's, changed before she signs it.
fn changed(scene: &Scene, change: impl Fn(&mut Draft)) -> Vec<u8> {
    let mut draft = scene.alice.draft(&payment(&scene.bob.account, "1"));
    change(&mut draft);
    scene.alice.sign(draft)
}

/// A good payment's bytes, changed after she signed it.
fn damaged(scene: &Scene, change: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = scene.alice.pay(&scene.bob.account, "1");
    change(&mut bytes);
    bytes
}

type Make = fn(&Scene) -> Vec<u8>;

const FORMAT: [(&str, Make); 12] = [
    ("event.version", |scene| damaged(scene, |bytes| bytes[0] = 2)),
    ("event.version", |scene| damaged(scene, |bytes| bytes[0] = 0)),
    ("event.malformed", |scene| damaged(scene, |bytes| bytes.push(0))),
    ("event.malformed", |scene| damaged(scene, |bytes| bytes.truncate(bytes.len() - 1))),
    ("event.malformed", |_| vec![1]),
    ("event.too_long", |_| vec![1; EVENT_BYTES_MAX + 1]),
    ("event.chain", |scene| changed(scene, |draft| draft.chain = ChainId(Hash([7; 32])))),
    ("event.unknown_tag", |scene| changed(scene, |draft| draft.tag = 9_999)),
    ("event.body", |scene| {
        changed(scene, |draft| {
            let longer = [draft.body.as_slice(), &[0]].concat();
            draft.body = Bytes::new(longer).unwrap();
        })
    }),
    ("event.body", |scene| changed(scene, |draft| draft.body = Bytes::default())),
    ("bank.nothing", |scene| scene.alice.pay(&scene.bob.account, "0")),
    ("event.signature", |scene| {
        damaged(scene, |bytes| {
            let last = bytes.len() - 1;
            bytes[last - 40] ^= 1;
        })
    }),
];

const ADMISSION: [(&str, Make); 12] = [
    ("event.expired", |scene| {
        changed(scene, |draft| draft.valid_until = Millis(now_us() / 1_000 - 1))
    }),
    ("event.expired", |scene| changed(scene, |draft| draft.valid_until = Millis(0))),
    ("mempool.expires_soon", |scene| {
        changed(scene, |draft| draft.valid_until = Millis(now_us() / 1_000 + 30_000))
    }),
    ("event.validity", |scene| {
        let too_late = now_us() / 1_000 + VALIDITY_MS_MAX + 60_000;
        changed(scene, |draft| draft.valid_until = Millis(too_late))
    }),
    ("event.validity", |scene| changed(scene, |draft| draft.valid_until = Millis(u64::MAX))),
    ("event.nonce_ahead", |scene| changed(scene, |draft| draft.nonce = now_us() + 11 * MINUTE_US)),
    ("event.nonce_ahead", |scene| changed(scene, |draft| draft.nonce = u64::MAX)),
    // Bob signs for alice with his own key, then under her key's name.
    ("event.key", |scene| {
        let mut draft = scene.bob.draft(&payment(&scene.bob.account, "1"));
        draft.author = scene.alice.account;
        scene.bob.sign(draft)
    }),
    ("event.signature", |scene| {
        let draft = scene.alice.draft(&payment(&scene.bob.account, "1"));
        encode(&sign(draft, &scene.bob.key))
    }),
    ("event.role", |scene| changed(scene, |draft| draft.role = Role::Node)),
    ("event.role", |scene| changed(scene, |draft| draft.role = Role::Router)),
    ("event.account", |scene| scene.alice.stranger(9).pay(&scene.bob.account, "1")),
];

// Broken by: leaving out any check before the ledger, or doing something before it.
#[test]
fn what_is_no_good_event_never_reaches_the_ledger() {
    let scene = Scene::new();
    for (code, make) in FORMAT.iter().chain(&ADMISSION) {
        scene.expect_refusal(code, &make(&scene));
    }
    scene.expect_receipt("done", &scene.alice.pay(&scene.bob.account, "1"));
}

// Broken by: charging, or counting, the same bytes twice.
#[test]
fn the_same_bytes_twice_are_one_event() {
    let scene = Scene::new();
    let bytes = scene.alice.pay(&scene.bob.account, "10");
    let submissions: Vec<_> = std::thread::scope(|scope| {
        let submit = || scope.spawn(|| scene.network.submit("final", &bytes).json(200));
        let all: Vec<_> = (0..8).map(|_| submit()).collect();
        all.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let again = scene.network.submit("proven", &bytes).json(200);
    for answer in submissions.iter().chain([&again]) {
        assert_eq!(answer["event"], again["event"]);
        assert_eq!(answer["receipt"]["number"], 1);
    }
    assert_eq!(again["stage"], "proven");
    assert_eq!(scene.network.json("/v1/status")["events"], 1);
    assert_eq!(scene.balance(&scene.bob), apt("1000010"));
    let json = format!("{{\"event\":\"{}\"}}", hex::encode(&bytes));
    let headers = [("content-type", "application/json")];
    let post = "POST /v1/events?wait=final";
    let address = scene.network.public();
    let answer = crate::support::http::exchange(address, post, &headers, json.as_bytes());
    assert_eq!(answer.unwrap().json(200)["event"], again["event"], "as JSON it is the same");
}

// Broken by: forgetting used nonces, or remembering fewer than 32.
#[test]
fn nonces_are_used_once_and_not_below_the_window() {
    let scene = Scene::new();
    let base = now_us() - MINUTE_US;
    let pay = |nonce: u64, apt: &str| {
        let mut draft = scene.alice.draft(&payment(&scene.bob.account, apt));
        draft.nonce = nonce;
        scene.alice.sign(draft)
    };
    scene.expect_receipt("done", &pay(base + 100, "1"));
    scene.expect_refusal("event.nonce_used", &pay(base + 100, "2"));
    // Lower ones are good until 32 higher ones are there.
    scene.expect_receipt("done", &pay(base + 50, "1"));
    for step in 1..=31 {
        scene.expect_receipt("done", &pay(base + 100 + step, "1"));
    }
    scene.expect_refusal("event.nonce_old", &pay(base + 50, "2"));
    scene.expect_refusal("event.nonce_old", &pay(base + 99, "1"));
    scene.expect_refusal("event.nonce_used", &pay(base + 100, "2"));
    scene.expect_receipt("done", &pay(base + 132, "1"));
}

// Broken by: moving money before the rules are asked, or a free refusal on the ledger.
#[test]
fn what_cannot_be_paid_is_refused() {
    let scene = Scene::new();
    let poor = scene.alice.stranger(9);
    scene.expect_receipt("done", &scene.alice.pay(&poor.account, "0.0001"));
    scene.expect_refusal("event.fee", &poor.pay(&scene.bob.account, "0.00001"));

    let before = scene.state();
    let too_much = ["wallet", "send", "2000000", "bob", "--from", "alice"];
    let ending = scene.network.ddt(&too_much);
    assert_eq!(ending.refusal(), (3, "ledger.insufficient_funds".to_string()));
    assert_eq!(scene.state(), before, "a forecast changes nothing");
    let forced = scene.network.ddt(&[&too_much[..], &["--force"]].concat());
    assert_eq!(forced.refusal(), (3, "ledger.insufficient_funds".to_string()));
    let event = scene.network.json("/v1/events?limit=1")["rows"][0].clone();
    assert_eq!((&event["outcome"], &event["name"]), (&"refused".into(), &"bank.transfer".into()));
    let code = "ledger.insufficient_funds";
    let bytes = scene.alice.pay(&scene.bob.account, "2000000");
    scene.expect_refused_receipt(code, &scene.alice, &bytes);
    // Exactly all but the fee can be paid: one step more cannot.
    let fee = apt(scene.network.json("/v1/events?limit=1")["rows"][0]["fee"].as_str().unwrap());
    let rest = scene.balance(&scene.carol).minus(fee).unwrap();
    let more = rest.plus(apt("0.000000001")).unwrap().to_string();
    let bytes = scene.carol.pay(&scene.bob.account, &more);
    scene.expect_refused_receipt(code, &scene.carol, &bytes);
    let rest = rest.minus(fee).unwrap().to_string();
    scene.expect_receipt("done", &scene.carol.pay(&scene.bob.account, &rest));
    assert_eq!(scene.balance(&scene.carol), apt("0"));
    let huge = apt("0.000000001").times(u64::MAX).unwrap().to_string();
    scene.expect_refused_receipt(code, &scene.bob, &scene.bob.pay(&scene.alice.account, &huge));
}

// Broken by: a field that the command line takes though the rules cannot.
#[test]
fn wrong_fields_are_named() {
    let scene = Scene::new();
    let bob = scene.bob.account.to_string();
    let to = format!("to={bob}");
    let typo = format!("to={}", bob.replacen("apt1", "apt1q", 1));
    let before = scene.state();
    for (fields, field) in [
        (vec![to.as_str(), "amount=-1"], "amount"),
        (vec![&to, "amount=1.0000000001"], "amount"),
        (vec![&to, "amount=x"], "amount"),
        (vec![&to], "amount"),
        (vec![&typo, "amount=1"], "to"),
    ] {
        let arguments = [&["send", "bank.transfer", "--from", "alice"], &fields[..]].concat();
        let ending = scene.network.ddt(&arguments);
        assert_eq!(ending.code, Some(2), "{fields:?}: {ending:#?}");
        assert_eq!(ending.envelope()["error"]["field"], field, "{fields:?}");
    }
    for arguments in [
        vec!["send", "bank.gift", "--from", "alice"],
        vec!["send", "bank.transfer", &to, "amount=1", "amount=2", "--from", "alice"],
        vec!["send", "bank.transfer", &to, "sum=1", "--from", "alice"],
        vec!["send", "bank.transfer", "amount", "--from", "alice"],
        vec!["query", "bank.nothing"],
        vec!["wallet", "send", "1", "nobody", "--from", "alice"],
        vec!["wallet", "send", "1", &typo[3..], "--from", "alice"],
    ] {
        assert_eq!(scene.network.ddt(&arguments).refusal().0, 2, "{arguments:?}");
    }
    assert_eq!(scene.state(), before);
}
