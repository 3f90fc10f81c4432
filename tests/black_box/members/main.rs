//! Members of zones, as a newcomer meets them: real processes, real sockets.

#[path = "../support/mod.rs"]
mod support;

use serde_json::Value as Json;
use support::eventually;
use support::network::Network;

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
