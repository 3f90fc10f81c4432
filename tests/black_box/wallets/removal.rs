//! Deleting wallets.

use std::fs;

use crate::desk::{Desk, refused};
use crate::support::cli;

// Broken by: deleting a wallet whose words nobody showed to have.
#[test]
fn a_wallet_goes_only_with_its_words_or_its_owners_word() {
    let desk = Desk::new();
    let (words, others) = (desk.wallet("alice"), desk.wallet("bob"));
    let file = desk.home.join("keystore/alice.json");
    let remove = |more: &[&str]| desk.ddt(&[&["wallet", "remove", "alice"], more].concat());
    refused(&remove(&[]), (2, "usage"), &["--yes-lose-it"]);
    let wrong = desk.secret("wrong", &others);
    refused(&remove(&["--words-file", &wrong]), (6, "wallet.words"), &["another wallet's"]);
    let right = desk.secret("right", &words);
    let asked = ["wallet", "remove", "alice", "--words-file", &right, "--json"];
    let mut command = cli::command(&desk.home);
    let declined = cli::finish(command.args(asked).args(["--password-file", &desk.password]));
    assert_eq!(declined.refusal().0, 8, "{declined:#?}");
    assert!(file.exists());
    assert_eq!(remove(&["--words-file", &right]).data()["removed"], true);
    assert!(!file.exists());
    refused(&remove(&["--yes-lose-it"]), (6, "wallet"), &["no wallet"]);

    let bob = desk.home.join("keystore/bob.json");
    fs::write(&bob, "{}").unwrap();
    refused(&desk.ddt(&["wallet", "remove", "bob"]), (6, "wallet"), &["damaged"]);
    assert_eq!(desk.ddt(&["wallet", "remove", "bob", "--yes-lose-it"]).code, Some(0));
    assert!(!bob.exists());
}
