//! Members of zones, as a newcomer meets them: real processes, real sockets.

#[path = "../support/mod.rs"]
mod support;

use serde_json::Value as Json;
use support::network::Network;
use support::{cli, eventually};

/// A new wallet with no coins; answers its account.
fn newcomer(network: &Network, name: &str) -> String {
    let made = network.ddt(&["wallet", "new", name]).data();
    made["account"].as_str().unwrap().to_string()
}

fn member(network: &Network, account: &str) -> Option<Json> {
    let answer = network.get(&format!("/v1/views/zones/member?account={account}"));
    (answer.status == 200).then(|| answer.json(200)["rows"][0]["member"].clone())
}

/// Broken by: a fee where a stamp stands, an address from what the newcomer chose, or a node
/// that is not heard of for those who named it.
#[test]
fn a_newcomer_without_coins_gets_an_address_and_the_node_keeps_it() {
    let network = Network::with_parameters(&["heartbeat_ms=500", "inactive_ms=3000"]);
    let dave = newcomer(&network, "dave");
    let signed_up = network.ddt(&["signup", "--from", "dave"]).data();
    let address = signed_up["member"]["address"].as_str().unwrap().to_string();
    assert!(address.starts_with("ddt1"), "{address}");
    assert_eq!(signed_up["event"]["receipt"]["fee"], "0");
    assert_eq!(network.json(&format!("/v1/accounts/{dave}"))["balance"], "0");
    let whose = network.json(&format!("/v1/views/zones/address?address={address}"));
    assert_eq!(whose["rows"][0]["member"]["account"], dave.as_str());

    // The node is heard of for dave, again and again, and dave pays nothing.
    let joined = member(&network, &dave).unwrap()["joined"].as_u64().unwrap();
    let mut last = joined;
    for _ in 0..3 {
        last = eventually("the node is heard of for dave", || {
            let seen = member(&network, &dave)?["seen"].as_u64()?;
            (seen > last).then_some(seen)
        });
    }
    // Signing up again changes nothing.
    let again = network.ddt(&["signup", "--from", "dave"]).data();
    assert_eq!(again["member"]["address"], address.as_str());
    // And the proof of it holds offline.
    let refused = network.ddt(&["send", "zones.sign_up", "zone=0", "--from", "alice"]).data();
    assert_eq!(refused["receipt"]["outcome"], "done");
}

/// Broken by: a lease that does not end, or one that ends though the member is heard of.
#[test]
fn who_is_silent_loses_the_address() {
    let parameters = ["heartbeat_ms=500", "inactive_ms=1500", "lease_ms=4000"];
    let network = Network::with_parameters(&parameters);
    let kept = newcomer(&network, "kept");
    let silent = newcomer(&network, "silent");
    network.ddt(&["signup", "--from", "kept"]).data();
    let alone = network.ddt(&["signup", "--from", "silent", "--no-node"]).data();
    let address = alone["member"]["address"].as_str().unwrap().to_string();
    eventually("the silent one's lease ends", || member(&network, &silent).is_none().then_some(()));
    let gone = network.get(&format!("/v1/views/zones/address?address={address}"));
    assert_eq!(gone.status, 404);
    let presence = member(&network, &kept).unwrap()["presence"].clone();
    assert!(presence != "joining", "{presence}");
    // There is room again: the silent one comes back, with another address.
    let back = network.ddt(&["signup", "--from", "silent"]).data();
    assert_ne!(back["member"]["address"], address.as_str());
}

/// Broken by: a zone that is not looked for, or a refusal without its code.
#[test]
fn refusals_say_what_is_wrong() {
    let network = Network::with_parameters(&["zone_seats=4"]);
    newcomer(&network, "dave");
    let nowhere = network.ddt(&["signup", "--from", "dave", "--zone", "7"]);
    assert_eq!(nowhere.refusal(), (3, "zones.no_zone".to_string()));
    network.ddt(&["signup", "--from", "alice"]).data();
    let full = network.ddt(&["signup", "--from", "dave"]);
    assert_eq!(full.refusal(), (3, "zones.newcomers_full".to_string()));
    let early = network.ddt(&["send", "zones.heartbeat", "--from", "bob"]);
    assert_eq!(early.refusal(), (3, "zones.no_member".to_string()));
}

/// What a command says to people.
fn words(network: &Network, arguments: &[&str]) -> String {
    let ending = cli::finish(cli::command(&network.home).args(arguments));
    assert_eq!(ending.code, Some(0), "{ending:#?}");
    ending.stdout
}

/// Broken by: a figure read from another row than it is called after, a member or a router that
/// is left out, or words that leave out what scripts are told.
#[test]
fn an_operator_sees_the_zone_its_lane_its_router_and_its_members() {
    let network = Network::new();
    let dave = newcomer(&network, "dave");
    let signed_up = network.ddt(&["signup", "--from", "dave"]).data();
    let address = signed_up["member"]["address"].as_str().unwrap();
    let listed = network.ddt(&["zone", "list"]).data();
    assert_eq!(listed["rows"].as_array().unwrap().len(), 1, "{listed}");
    let zone = &listed["rows"][0];
    let flags = ["is_governed", "is_validator"].map(|name| zone[name].as_bool());
    assert_eq!(flags, [Some(true); 2], "{zone}");
    for (name, figure) in [("zone", 0), ("members", 1), ("newcomers", 1), ("term", 1)] {
        assert_eq!(zone[name], figure, "{name}: {zone}");
    }
    assert!(zone["next_number"].as_u64() > Some(1) && zone["height"].as_u64() > Some(0), "{zone}");
    // One zone with more about it.
    let shown = network.ddt(&["zone", "show", "0"]).data()["rows"][0].clone();
    assert_eq!((&shown["router"], &shown["opened"]), (&zone["router"], &zone["opened"]));
    assert!(shown["heard"].as_u64() >= shown["opened"].as_u64(), "{shown}");
    assert_eq!(shown["tip"].as_str().map(str::len), Some(64), "{shown}");
    // Its router, and its members.
    let routers = network.ddt(&["router", "list"]).data();
    let router = &routers["routers"][0]["router"];
    assert_eq!((&router["account"], &router["bond"]), (&shown["router"], &shown["bond"]));
    let members = network.ddt(&["zone", "members", "0"]).data();
    assert_eq!(members["rows"].as_array().unwrap().len(), 1, "{members}");
    let member = &members["rows"][0];
    for (name, said) in [
        ("account", dave.as_str()),
        ("address", address),
        ("presence", "active"),
        ("standing", "new"),
    ] {
        assert_eq!(member[name], said, "{member}");
    }
    // People see the same.
    let account = shown["router"].as_str().unwrap();
    for (arguments, said) in [
        (&["zone", "list"][..], ["seats", account]),
        (&["zone", "show", "0"][..], ["10000 APT", account]),
        (&["zone", "members", "0"][..], [address, "active"]),
        (&["router", "list"][..], ["zone 0", "votes"]),
    ] {
        let words = words(&network, arguments);
        assert!(said.iter().all(|said| words.contains(said)), "{arguments:?}: {words}");
    }
    // And so does who has a browser.
    for (path, said) in [("/zones", "/zone/0"), ("/zone/0", address), ("/routers", account)] {
        let page = network.get(path);
        assert_eq!((page.status, page.text().contains(said)), (200, true), "{path}");
    }
}

/// Broken by: a zone that is not there shown as an empty one.
#[test]
fn a_zone_that_is_not_there_is_not_shown() {
    let network = Network::new();
    for command in ["show", "members"] {
        let nothing = network.ddt(&["zone", command, "99"]);
        assert_eq!(nothing.refusal(), (4, "request.not_found".to_string()), "{command}");
        assert!(nothing.words().contains("no such zone"), "{nothing:?}");
    }
    assert_eq!(network.get("/zone/99").status, 404);
    // The only zone has no members yet.
    let members = network.ddt(&["zone", "members", "0"]).data();
    assert_eq!(members["rows"].as_array().map(Vec::len), Some(0), "{members}");
}
