//! Names: what may not be bought, not yet, not by that reveal, not at that price.
//!
//! A commit's end takes two minutes of the ledger's clock; that is tested with the rules.

use ddt_contracts::domains::Reveal;
use ddt_ledger::Hash;
use serde_json::Value as Json;

use crate::scene::{Scene, apt};
use crate::support::signer::{Purchase, Signer};
use crate::support::{cli, eventually};

impl Scene {
    fn record(&self, name: &str) -> Option<Json> {
        let answer = self.network.get(&format!("/v1/domains/{name}"));
        (answer.status == 200).then(|| answer.json(200)["rows"][0].clone())
    }

    fn commit(&self, signer: &Signer, purchase: &Purchase) {
        self.expect_receipt("done", &signer.event(&purchase.commit));
    }

    /// Waits until the ledger would no longer say that the commit is too young.
    fn ripen(&self, signer: &Signer, purchase: &Purchase) {
        eventually("the commit is old enough", || {
            let bytes = signer.event(&purchase.reveal);
            let headers = [("content-type", "application/octet-stream")];
            let post = "POST /v1/events/forecast";
            let address = self.network.public();
            let answer = crate::support::http::exchange(address, post, &headers, &bytes);
            let code = answer.unwrap().json(200)["refusal"]["code"].clone();
            (code != "domains.too_early").then_some(())
        });
    }
}

// Broken by: names that look alike or cannot be typed.
#[test]
fn names_keep_the_rule() {
    let scene = Scene::new();
    let before = scene.state();
    let long = "a".repeat(64);
    for name in ["", "-a", "a-", "ab--c", "UPPER", "dot.ted", "späße", "a_b", "a b", &long] {
        let buy = ["domain", "buy", "--from", "alice", "--json", "--yes", "--", name];
        let ending = cli::finish(cli::command(&scene.network.home).args(buy));
        assert_eq!(ending.refusal(), (3, "domains.name_rule".to_string()), "{name}");
    }
    for name in ["A", "a--", "ab--c"] {
        let ending = scene.network.ddt(&["domain", "search", name]);
        assert_eq!(ending.refusal(), (3, "domains.name_rule".to_string()), "{name}");
        let answer = scene.network.get(&format!("/v1/domains/{name}"));
        assert_eq!((answer.status, answer.problem().as_str()), (400, "domains.name_rule"));
    }
    let reveal = scene.alice.purchase("good", 1, "500").reveal;
    for years in [0, 11, 255] {
        let wrong = Reveal { years, ..reveal.clone() };
        scene.expect_refusal("domains.term", &scene.alice.event(&wrong));
        let price = format!("/v1/views/domains/price?name=good&years={years}");
        assert_eq!(scene.network.get(&price).problem(), "domains.term");
    }
    assert_eq!(scene.state(), before);
}

// Broken by: a reveal that works without, before, or beside its commit.
#[test]
fn a_reveal_needs_its_own_ripe_commit() {
    let scene = Scene::new();
    let (alice, carol) = (&scene.alice, &scene.carol);
    let purchase = alice.purchase("early-bird", 1, "60");
    let reveal = &purchase.reveal;
    scene.expect_refused_receipt("domains.no_commit", alice, &alice.event(reveal));
    scene.commit(alice, &purchase);
    let twice = alice.event(&purchase.commit);
    scene.expect_refused_receipt("domains.commit_exists", alice, &twice);

    let before = scene.balance(alice);
    let receipt = scene.expect_receipt("domains.too_early", &alice.event(reveal));
    assert_eq!(receipt["outcome"], "refused");
    assert_eq!(scene.balance(alice), before, "the escrow paid the fee");
    // Who lacks a part of the preimage pays for the attempt, and gets nowhere.
    for wrong in [
        Reveal { salt: Hash([9; 32]), ..reveal.clone() },
        Reveal { years: 2, ..reveal.clone() },
        Reveal { owner: carol.account, ..reveal.clone() },
        Reveal { name: carol.purchase("early-birds", 1, "1").reveal.name, ..reveal.clone() },
    ] {
        scene.expect_refused_receipt("domains.no_commit", carol, &carol.event(&wrong));
    }
    assert_eq!(scene.record("early-bird"), None);

    // The escrow pays for one attempt; whoever makes another pays it, and serves the owner.
    scene.ripen(carol, &purchase);
    let before = scene.balance(carol);
    let receipt = scene.expect_receipt("done", &carol.event(reveal));
    let fee = apt(receipt["fee"].as_str().unwrap());
    assert_eq!(scene.balance(carol), before.minus(fee).unwrap());
    let record = scene.record("early-bird").unwrap();
    assert_eq!(record["owner"], alice.account.to_string());
    scene.expect_refused_receipt("domains.no_commit", alice, &alice.event(reveal));
}

// Broken by: a reveal that buys for whoever submits it, or makes them pay.
#[test]
fn a_stranger_who_knows_the_preimage_serves_the_owner() {
    let scene = Scene::new();
    let (alice, carol) = (&scene.alice, &scene.carol);
    let purchase = alice.purchase("for-alice", 1, "60");
    let start = scene.balance(alice);
    let commit = scene.expect_receipt("done", &alice.event(&purchase.commit));
    scene.ripen(carol, &purchase);
    let before = scene.balance(carol);
    let reveal = scene.expect_receipt("done", &carol.event(&purchase.reveal));
    assert_eq!(scene.balance(carol), before, "the escrow paid");
    let record = scene.record("for-alice").unwrap();
    assert_eq!(record["owner"], alice.account.to_string());
    let fees = [&commit, &reveal].map(|receipt| apt(receipt["fee"].as_str().unwrap()));
    let spent = apt("50").plus(fees[0]).unwrap().plus(fees[1]).unwrap();
    assert_eq!(scene.balance(alice), start.minus(spent).unwrap(), "price and fees, no more");
}

// Broken by: charging above the cap, or giving a name twice.
#[test]
fn a_name_is_sold_once_and_not_above_the_cap() {
    let scene = Scene::new();
    let (alice, bob, carol) = (&scene.alice, &scene.bob, &scene.carol);
    let early = alice.purchase("wanted-name", 1, "60");
    let late = bob.purchase("wanted-name", 2, "60");
    let mean = carol.purchase("other-name", 3, "49.999999999");
    scene.commit(alice, &early);
    scene.commit(bob, &late);
    scene.commit(carol, &mean);
    scene.ripen(alice, &early);
    scene.ripen(bob, &late);
    scene.ripen(carol, &mean);
    scene.expect_receipt("domains.price_above_cap", &carol.event(&mean.reveal));
    assert_eq!(scene.record("other-name"), None);

    // The older commit wins, though it is revealed second; then the name is taken.
    scene.expect_receipt("done", &bob.event(&late.reveal));
    assert_eq!(scene.record("wanted-name").unwrap()["status"], "pending");
    let before = scene.balance(bob);
    scene.expect_receipt("done", &alice.event(&early.reveal));
    assert_eq!(scene.record("wanted-name").unwrap()["owner"], alice.account.to_string());
    assert_eq!(scene.balance(bob), before.plus(apt("50")).unwrap(), "the loser is paid back");
    let younger = carol.purchase("wanted-name", 4, "60");
    scene.commit(carol, &younger);
    eventually("the contest is over", || {
        (scene.record("wanted-name")?["status"] == "active").then_some(())
    });
    scene.ripen(carol, &younger);
    scene.expect_receipt("domains.name_taken", &carol.event(&younger.reveal));
    let ending = scene.network.ddt(&["domain", "buy", "wanted-name", "--from", "carol"]);
    assert_eq!(ending.refusal(), (3, "domains.name_taken".to_string()));
    let capped = ["domain", "buy", "free-name", "--max-price", "1", "--from", "carol"];
    let ending = scene.network.ddt(&capped);
    assert_eq!(ending.refusal(), (3, "domains.price_above_cap".to_string()));
    let poor = scene.alice.stranger(7).purchase("free-name", 5, "60");
    let bytes =
        carol.event(&ddt_contracts::domains::Commit { price_max: apt("999999999"), ..poor.commit });
    scene.expect_refused_receipt("ledger.insufficient_funds", carol, &bytes);
}

// Broken by: letting a younger commit win while the contest is open.
#[test]
fn a_younger_commit_loses_the_contest() {
    let scene = Scene::new();
    let (alice, bob) = (&scene.alice, &scene.bob);
    let older = alice.purchase("contested", 1, "60");
    let younger = bob.purchase("contested", 2, "60");
    scene.commit(alice, &older);
    scene.commit(bob, &younger);
    scene.ripen(alice, &older);
    scene.ripen(bob, &younger);
    // One after the other, before an anchor in between ends the contest.
    scene.network.submit("sequenced", &alice.event(&older.reveal)).json(200);
    scene.expect_receipt("domains.older_commit", &bob.event(&younger.reveal));
    assert_eq!(scene.record("contested").unwrap()["owner"], alice.account.to_string());
}
