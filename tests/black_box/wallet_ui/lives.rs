//! When the pages end.

use std::net::TcpStream;

use crate::browser::{Browser, split};
use crate::support::eventually;
use crate::support::network::Network;

fn nobody_listens(address: &str) {
    eventually("the pages are gone", || TcpStream::connect(address).is_err().then_some(()));
}

// Broken by: pages in the node's own process, or a child that outlives a killed parent.
#[test]
fn the_pages_end_with_the_network_that_started_them() {
    let network = Network::with_wallet_ui();
    let url = network.text("wallet_ui").to_string();
    let address = split(&url).0.to_string();
    let browser = Browser::with_wallet(&url, "carol");
    assert!(browser.page("overview").contains(network.text("api")));
    network.kill();
    nobody_listens(&address);
}

// Broken by: a network that waits for its pages, or leaves them behind.
#[test]
fn the_pages_end_in_order() {
    let network = Network::with_wallet_ui();
    let url = network.text("wallet_ui").to_string();
    let address = split(&url).0.to_string();
    Browser::with_wallet(&url, "carol");
    assert_eq!(network.interrupt(), Some(0));
    nobody_listens(&address);
    let without = Network::new();
    assert!(without.data["wallet_ui"].is_null(), "the key is there, the pages are not");
}
