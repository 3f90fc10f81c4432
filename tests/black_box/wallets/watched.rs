//! Watched wallets: every verb that needs a key says that there is none.

use crate::desk::{Desk, refused};
use crate::support::network::Network;

// Broken by: asking for a password first, or an error that speaks of something else.
#[test]
fn a_watched_wallet_says_that_it_cannot_sign() {
    let network = Network::new();
    let bob = network.signer("bob").account.to_string();
    let watched = network.ddt(&["wallet", "watch", "friend", &bob]).data();
    assert_eq!(watched["watch_only"], true);
    let desk = Desk::new();
    let out = desk.path("out");
    for verb in [
        vec!["wallet", "send", "1", "alice", "--from", "friend"],
        vec!["wallet", "add-account", "friend"],
        vec!["wallet", "rotate", "friend"],
        vec!["wallet", "export", "friend", "--words-file", &out, "--i-know"],
        vec!["wallet", "check-words", "friend"],
        vec!["wallet", "password", "friend"],
        vec!["wallet", "tickets", "reserve", "1", "--from", "friend"],
        vec![
            "wallet",
            "sign",
            "bank.transfer",
            "to=alice",
            "amount=1",
            "--from",
            "friend",
            "--out",
            &out,
        ],
        vec!["wallet", "sign-message", "friend", "hello"],
        vec!["domain", "buy", "a-name-for-a-friend", "--from", "friend"],
        vec!["send", "bank.transfer", "to=alice", "amount=1", "--from", "friend"],
    ] {
        refused(&network.ddt(&verb), (6, "wallet"), &["friend", "cannot sign"]);
    }
    assert!(!std::path::Path::new(&out).exists());
    for verb in [
        vec!["wallet", "balance", "friend"],
        vec!["wallet", "history", "friend"],
        vec!["wallet", "keys", "friend"],
        vec!["wallet", "tickets", "list", "friend"],
        vec!["wallet", "remove", "friend"],
    ] {
        assert_eq!(network.ddt(&verb).code, Some(0), "{verb:?}");
    }
}
