//! Names: searched, bought, found, listed.

use crate::support::eventually;
use crate::support::network::Network;

// Broken by: a purchase that does not end with the name, the price and the change in place.
#[test]
fn a_name_is_searched_bought_and_found() {
    let network = Network::new();
    let search = |name: &str| network.ddt(&["domain", "search", name]).data();
    let offered = search("hello");
    assert_eq!(offered["quote"]["is_free"], true);
    assert_eq!(offered["quote"]["price"], "100");
    assert_eq!(offered["registered"].as_array().unwrap().len(), 0);
    let missing = network.ddt(&["domain", "resolve", "hello"]);
    assert_eq!(missing.refusal(), (4, "domains.unknown".to_string()));

    let bought = network.ddt(&["domain", "buy", "hello", "--from", "alice"]).data();
    assert_eq!(bought["commit"]["receipt"]["outcome"], "done");
    let alice = network.signer("alice").account.to_string();
    assert_eq!(bought["record"]["owner"], alice);

    let resolved = network.ddt(&["domain", "resolve", "hello.ddt"]).data();
    assert_eq!((&resolved["owner"], &resolved["price"]), (&alice.clone().into(), &"100".into()));
    let list = network.ddt(&["domain", "list", "alice"]).data();
    assert_eq!(list["domains"][0]["name"], "hello");
    assert_eq!(list["commits"].as_array().unwrap().len(), 0);
    let taken = search("hel");
    assert_eq!(taken["registered"][0]["record"]["name"], "hello");
    assert_eq!(search("hello")["quote"]["is_free"], false);
    let nothing = network.ddt(&["domain", "list", "bob"]).data();
    assert_eq!(nothing["domains"].as_array().unwrap().len(), 0);

    // When nobody committed earlier, the contest ends by itself and the pool is paid.
    eventually("the contest is over", || {
        let resolved = network.ddt(&["domain", "resolve", "hello"]).data();
        (resolved["status"] == "active").then_some(())
    });
    let economy = network.json("/v1/economy");
    assert_eq!(economy["is_conserved"], true);
    assert_eq!(economy["held"], "11000", "only a bond and an allowance are left");
}
