//! Several accounts of one wallet.

use crate::desk::{Desk, apt, balance, refused, text};
use crate::support::network::Network;

// Broken by: a verb that takes the first account whatever is named, or a lost account.
#[test]
fn each_account_of_a_wallet_is_used_by_its_number() {
    let network = Network::new();
    let added = network.ddt(&["wallet", "add-account", "alice"]).data();
    assert_eq!(text(&added, "/added"), "alice/1");
    let second = text(&added, "/added_account").to_string();
    assert_eq!(added["accounts"].as_array().unwrap().len(), 2);
    assert_eq!(balance(&network, "alice/1"), apt("0"));
    let pay = |amount: &str, to: &str, from: &str| {
        network.ddt(&["wallet", "send", amount, to, "--from", from]).data()
    };
    pay("50", "alice/1", "alice");
    assert_eq!(network.balance(&second), "50");
    let paid = pay("20", "bob", "alice/1");
    let fee = apt(text(&paid, "/receipt/fee"));
    assert_eq!(balance(&network, "alice/1"), apt("30").minus(fee).unwrap());
    let paid = network.ddt(&["send", "bank.transfer", "to=alice/1", "amount=1", "--from", "bob"]);
    assert_eq!(paid.code, Some(0), "{paid:#?}");
    assert_eq!(balance(&network, "alice/1"), apt("31").minus(fee).unwrap());
    assert_eq!(balance(&network, "alice/0"), balance(&network, "alice"));
    let all = network.ddt(&["wallet", "balance"]).data();
    let names: Vec<&str> =
        all["balances"].as_array().unwrap().iter().map(|row| text(row, "/name")).collect();
    assert_eq!(names, ["alice", "alice/1", "bob", "carol", "operator"]);

    let desk = Desk::new();
    let back = desk.import_from(&network, "alice", "2");
    assert_eq!(back["accounts"], added["accounts"]);
}

// Broken by: guessing which account was meant.
#[test]
fn accounts_that_are_not_there_are_refused() {
    let desk = Desk::new();
    desk.wallet("alice");
    let send = |to: &str| desk.ddt(&["send", "bank.transfer", &format!("to={to}"), "amount=1"]);
    refused(&send("alice/1"), (6, "wallet"), &["its last is alice", "add-account"]);
    refused(&send("nobody/1"), (2, "usage"), &["neither an account id"]);
    for wrong in ["alice/", "alice/x", "alice/-1", "alice/256", "alice/1/1", "alice/+1"] {
        refused(&send(wrong), (2, "usage"), &["NAME/1"]);
    }
    let sign = desk.ddt(&["wallet", "sign-message", "alice/3", "hello", "--offline"]);
    refused(&sign, (6, "wallet"), &["alice/3"]);
    refused(&desk.ddt(&["wallet", "add-account", "bob"]), (6, "wallet"), &["no wallet bob"]);
    let wrong = desk.secret("wrong", "not it");
    let arguments = ["wallet", "add-account", "alice", "--password-file", &wrong];
    let ending = crate::support::cli::ddt(&desk.home, &arguments);
    refused(&ending, (6, "wallet"), &["password is wrong"]);
    assert_eq!(desk.ddt(&["wallet", "add-account", "alice"]).data()["added"], "alice/1");
}
