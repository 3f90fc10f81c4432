//! Names that change hands: given, sold, taken back; and what everybody can see of it.

use serde_json::Value as Json;

use crate::scene::{Scene, apt, fee};

fn names(offers: &Json, list: &str) -> Vec<String> {
    let offers = offers[list].as_array().unwrap();
    offers.iter().map(|offer| offer["name"].as_str().unwrap().to_string()).collect()
}

// Broken by: a name that moves without its taker's consent, or to another taker.
#[test]
fn a_name_is_given_in_two_steps_and_may_be_taken_back() {
    let scene = Scene::new();
    scene.buy("alice", "present");
    let (alice, bob) = (scene.account("alice"), scene.account("bob"));
    scene.expect("domains.no_offer", &["accept", "present", "--from", "bob"]);
    scene.expect("domains.not_owner", &["transfer", "present", "carol", "--from", "bob"]);
    scene.expect("domains.own_name", &["transfer", "present", "alice", "--from", "alice"]);

    scene.domain(&["transfer", "present", "bob", "--from", "alice"]);
    assert_eq!(scene.owner("present"), alice, "it moves when it is accepted");
    assert_eq!(names(&scene.domain(&["offers", "bob"]), "offered"), ["present"]);
    assert!(names(&scene.domain(&["offers", "carol"]), "offered").is_empty());
    scene.expect("domains.not_for_you", &["accept", "present", "--from", "carol"]);
    scene.expect("domains.not_owner", &["cancel", "present", "--from", "bob"]);
    scene.domain(&["cancel", "present", "--from", "alice"]);
    scene.expect("domains.no_offer", &["accept", "present", "--from", "bob"]);
    scene.expect("domains.no_offer", &["cancel", "present", "--from", "alice"]);

    scene.domain(&["transfer", "present", &bob, "--from", "alice"]);
    let before = scene.balance("bob");
    let accepted = scene.domain(&["accept", "present", "--from", "bob"]);
    assert_eq!(scene.owner("present"), bob);
    assert_eq!(scene.balance("bob"), before.minus(fee(&accepted)).unwrap(), "for nothing");
    assert!(names(&scene.domain(&["offers", "bob"]), "offered").is_empty());
    assert_eq!(scene.refusal(&["transfer", "nobody", "bob", "--from", "alice"]).0, 4);
    assert_eq!(scene.refusal(&["transfer", "present", "no-wallet", "--from", "bob"]).0, 2);
    scene.check_sums();
}

// Broken by: money without the name, the name without money, or another price than shown.
#[test]
fn a_name_is_sold_at_the_price_shown_or_not_at_all() {
    let scene = Scene::new();
    scene.buy("alice", "treasure");
    scene.buy("alice", "heirloom");
    scene.expect("domains.nothing", &["sell", "treasure", "0", "--from", "alice"]);
    scene.expect("domains.not_owner", &["sell", "treasure", "5", "--from", "bob"]);
    scene.domain(&["sell", "treasure", "500", "--from", "alice"]);
    scene.domain(&["sell", "heirloom", "700", "--to", "carol", "--from", "alice"]);
    assert_eq!(names(&scene.domain(&["offers", "bob"]), "for_sale"), ["treasure"]);
    assert_eq!(names(&scene.domain(&["offers", "carol"]), "offered"), ["heirloom"]);
    let found = scene.domain(&["search", "treasure"]);
    assert_eq!(
        (&found["offer"]["price"], &found["quote"]["is_free"]),
        (&"500".into(), &false.into())
    );

    scene.expect("domains.not_for_you", &["accept", "heirloom", "--from", "bob"]);
    scene.expect("domains.own_name", &["accept", "treasure", "--from", "alice"]);
    let low = ["accept", "treasure", "--price", "499.9", "--from", "bob"];
    scene.expect("domains.offer_changed", &low);
    let dear = ["sell", "treasure", "99999999", "--from", "alice"];
    scene.domain(&dear);
    scene.expect("ledger.insufficient_funds", &["accept", "treasure", "--from", "bob"]);
    scene.domain(&["sell", "treasure", "500", "--from", "alice"]);

    let before = (scene.balance("alice"), scene.balance("bob"));
    let bought = scene.domain(&["accept", "treasure", "--price", "500", "--from", "bob"]);
    assert_eq!(scene.owner("treasure"), scene.account("bob"));
    let spent = apt("500").plus(fee(&bought)).unwrap();
    assert_eq!(scene.balance("alice"), before.0.plus(apt("500")).unwrap());
    assert_eq!(scene.balance("bob"), before.1.minus(spent).unwrap());
    scene.domain(&["accept", "heirloom", "--from", "carol"]);
    assert_eq!(scene.owner("heirloom"), scene.account("carol"));
    assert!(names(&scene.domain(&["offers"]), "for_sale").is_empty());
    scene.check_sums();
}

// Broken by: a history that forgets a step, its end, its author or its order.
#[test]
fn a_history_tells_who_did_what_when_and_how_it_ended() {
    let scene = Scene::new();
    let nothing = scene.domain(&["history", "storied"]);
    assert_eq!(nothing["events"], Json::Array(Vec::new()));
    scene.buy("alice", "storied");
    scene.domain(&["sell", "storied", "5", "--from", "alice"]);
    scene.domain(&["accept", "storied", "--from", "bob"]);
    let forced = ["send", "domains.cancel", "name=storied", "--from", "carol", "--force"];
    assert_eq!(scene.network.ddt(&forced).refusal(), (3, "domains.not_owner".to_string()));

    let history = scene.domain(&["history", "storied"]);
    let rows = history["events"].as_array().unwrap();
    let told: Vec<(&str, &str)> = rows
        .iter()
        .map(|row| (row["name"].as_str().unwrap(), row["outcome"].as_str().unwrap()))
        .collect();
    let whole = [
        ("domains.cancel", "refused"),
        ("domains.purchase", "done"),
        ("domains.sell", "done"),
        ("domains.settle", "done"),
        ("domains.reveal", "done"),
    ];
    assert_eq!(told, whole);
    let authors: Vec<&Json> = rows.iter().map(|row| &row["author"]).collect();
    assert_eq!(authors[0], &Json::from(scene.account("carol")));
    assert_eq!(authors[1], &Json::from(scene.account("bob")));
    assert_eq!((authors[3], authors[4]), (&Json::Null, &Json::from(scene.account("operator"))));
    assert_eq!(rows[0]["refusal"]["code"], "domains.not_owner");
    assert_eq!(rows[1]["words"], "Buy storied.ddt from its owner for 5 APT");
    let anchor = scene.network.json(&format!("/v1/anchors/{}", rows[1]["height"]));
    assert_eq!(rows[1]["time"], anchor["time"]);

    let newest = scene.domain(&["history", "storied", "--limit", "2"]);
    let ids = |rows: &[Json]| rows.iter().map(|row| row["id"].clone()).collect::<Vec<Json>>();
    assert_eq!(ids(newest["events"].as_array().unwrap()), ids(&rows[..2]));
    assert_eq!(newest["has_more"], true);
    scene.expect("domains.name_rule", &["history", "Storied"]);
}
