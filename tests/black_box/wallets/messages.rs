//! Signed messages.

use ddt_wallet::SignedMessage;

use crate::desk::{Desk, refused, text};
use crate::support::network::Network;

// Broken by: a signature that holds for another text, account or key, or a key that was
// replaced taken for the current one.
#[test]
fn a_message_is_held_against_the_ledger() {
    let network = Network::new();
    let desk = Desk::new();
    let sign = |name: &str, message: &str| {
        let signed = network.ddt(&["wallet", "sign-message", name, message]).data();
        text(&signed, "/signature").to_string()
    };
    let verify = |account: &str, signature: &str, message: &str, more: &[&str]| {
        let verify = ["wallet", "verify-message", account, signature, message];
        network.ddt(&[&verify[..], more].concat())
    };
    let old = sign("alice", "I am alice.");
    let good = verify("alice", &old, "I am alice.", &[]).data();
    assert_eq!((text(&good, "/standing"), &good["is_first_key"]), ("current", &true.into()));
    let alice = network.signer("alice");
    let id = alice.account.to_string();
    assert_eq!(verify(&id, &old, "I am alice.", &[]).code, Some(0));
    let file = desk.secret("signature", format!("{old}\n"));
    assert_eq!(verify("alice", &file, "I am alice.", &[]).code, Some(0));
    for (account, message) in [("alice", "I am alice"), ("bob", "I am alice."), ("alice", "")] {
        let wrong = verify(account, &old, message, &[]);
        refused(&wrong, (7, "message.signature"), &["another than was signed"]);
    }
    let bob = network.signer("bob");
    let forged = SignedMessage::sign(&alice.account, &bob.key, b"I am alice.").to_string();
    refused(&verify("alice", &forged, "I am alice.", &[]), (7, "message.key"), &["somebody else"]);

    assert_eq!(network.ddt(&["wallet", "rotate", "alice"]).code, Some(0));
    refused(&verify("alice", &old, "I am alice.", &[]), (7, "message.old_key"), &["replaced"]);
    let taken = verify("alice", &old, "I am alice.", &["--old-key"]).data();
    assert_eq!(text(&taken, "/standing"), "old");
    let offline = verify("alice", &old, "I am alice.", &["--offline"]).data();
    assert_eq!(text(&offline, "/standing"), "first");
    let new = sign("alice", "Still me.");
    let good = verify("alice", &new, "Still me.", &[]).data();
    assert_eq!((text(&good, "/standing"), &good["is_first_key"]), ("current", &false.into()));
    let offline = verify("alice", &new, "Still me.", &["--offline"]);
    refused(&offline, (7, "message.key"), &["only a node can say"]);
    assert_eq!(network.ddt(&["wallet", "rotate", "alice"]).code, Some(0));
    let middle = verify("alice", &new, "Still me.", &[]);
    refused(&middle, (7, "message.old_key"), &["--old-key"]);
}

// Broken by: needing a network for what needs none.
#[test]
fn messages_and_files_are_signed_without_a_network() {
    let desk = Desk::new();
    desk.wallet("alice");
    let file = desk.secret("letter", vec![0, 255, 10, 13, 0]);
    let other = desk.secret("other", vec![0, 255, 10, 13, 1]);
    let sign =
        |arguments: &[&str]| desk.ddt(&[&["wallet", "sign-message", "alice"], arguments].concat());
    let signed = sign(&["--file", &file, "--offline"]).data();
    assert_eq!(signed["message_bytes"], 5);
    assert_eq!(text(&signed, "/path"), "m/44'/4473940'/0'");
    let signature = text(&signed, "/signature").to_string();
    let verify = |arguments: &[&str]| {
        let verify = ["wallet", "verify-message", text(&signed, "/account"), &signature];
        desk.ddt(&[&verify[..], arguments].concat())
    };
    assert_eq!(verify(&["--file", &file, "--offline"]).data()["standing"], "first");
    refused(&verify(&["--file", &other, "--offline"]), (7, "message.signature"), &[]);
    assert_eq!(verify(&["--file", &file]).refusal().0, 5, "the ledger would have to be asked");
    let later = sign(&["hello", "--offline", "--rotations", "2"]).data();
    assert_eq!(text(&later, "/path"), "m/44'/4473940'/0'/2'");

    assert_eq!(sign(&["hello"]).refusal().0, 5, "which key is current, a node says");
    for wrong in [
        vec!["--offline"],
        vec!["hello", "--file", &file, "--offline"],
        vec!["hello", "--rotations", "1"],
    ] {
        assert_eq!(sign(&wrong).code, Some(2), "{wrong:?}");
    }
    assert_eq!(sign(&["--file", &desk.path("missing"), "--offline"]).refusal().0, 1);
    let account = text(&signed, "/account");
    for wrong in ["", "hello", "ddt-message-1:00:00", &signature[..40]] {
        let arguments = ["wallet", "verify-message", account, wrong, "hello", "--offline"];
        assert_eq!(desk.ddt(&arguments).refusal().0, 2, "{wrong}");
    }
}
