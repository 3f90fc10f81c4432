//! Passwords, and how long a wallet stays open.

use crate::browser::{Browser, PASSWORD, Ui};
use crate::support::eventually;
use crate::support::network::Network;

// Broken by: not saying what is wrong, or letting a program guess as fast as it can.
#[test]
fn a_wrong_password_is_told_and_costs_time() {
    let network = Network::new();
    let ui = Ui::start(&network.home, &[]);
    let browser = Browser::enter(&ui.url);
    let wrong = browser.unlock("alice", "not it");
    assert_eq!(wrong.status, 403);
    assert!(wrong.text().contains("the password is wrong"), "{}", wrong.text());
    assert!(!wrong.text().contains("not it"), "what was typed is not shown again");
    let early = browser.unlock("alice", PASSWORD);
    assert_eq!(early.status, 429, "also the right one waits");
    let wait: u64 = early.header("retry-after").unwrap().parse().unwrap();
    assert!(wait >= 1);
    assert!(early.text().contains("wait"), "{}", early.text());
    assert_eq!(browser.next(&browser.get("overview")), "unlock");
    let opened = eventually("the pause ends", || {
        let answer = browser.unlock("alice", PASSWORD);
        (answer.status != 429).then_some(answer)
    });
    assert_eq!(browser.next(&opened), "overview");
    assert!(browser.page("overview").contains("1000000"));

    let unknown = browser.unlock("nobody", PASSWORD);
    assert_eq!(unknown.status, 403);
    assert!(unknown.text().contains("there is no wallet nobody"), "{}", unknown.text());
}

/// A payment that waits for consent. On a busy machine the wallet may lock before it does.
fn proposed(browser: &Browser) -> String {
    eventually("a payment waits", || {
        assert_eq!(browser.unlock("alice", PASSWORD).status, 303);
        let fields = [("to", "bob"), ("amount", "1")];
        let place = browser.next(&browser.post("send", &fields));
        place.strip_prefix("review?id=").map(str::to_string)
    })
}

// Broken by: keeping keys for whoever sits down at the machine next, or what was under way.
#[test]
fn it_locks_when_nobody_uses_it() {
    let network = Network::new();
    let ui = Ui::start(&network.home, &["--lock-after", "1500ms"]);
    let browser = Browser::enter(&ui.url);
    let id = proposed(&browser);
    ui.wait_for("Locked");
    let review = format!("review?id={id}");
    for page in ["overview", "send", "history", &review] {
        assert_eq!(browser.next(&browser.get(page)), "unlock", "{page}");
    }
    assert_eq!(browser.agree(&id), "unlock", "nothing is signed by a locked wallet");
    assert_eq!(browser.unlock("alice", PASSWORD).status, 303);
    let gone = browser.post("confirm", &[("id", &id)]);
    assert_eq!(gone.status, 404, "what waited is forgotten with the keys");
    assert_eq!(network.json("/v1/status")["events"], 0);
}

// Broken by: a page that keeps the wallet open by looking again by itself.
#[test]
fn a_page_that_looks_again_is_no_use() {
    let network = Network::new();
    let ui = Ui::start(&network.home, &["--lock-after", "1500ms"]);
    let browser = Browser::enter(&ui.url);
    let result = eventually("a payment is made before it locks", || {
        let result = browser.agree(&proposed(&browser));
        result.starts_with("result").then_some(result)
    });
    eventually("it locks although the page looks again", || {
        let answer = browser.get(&format!("{result}&again=1"));
        (answer.status == 303).then_some(())
    });
    ui.wait_for("Locked");
}

// Broken by: a button that only changes the page.
#[test]
fn the_button_locks() {
    let network = Network::new();
    let ui = Ui::start(&network.home, &[]);
    let browser = Browser::with_wallet(&ui.url, "alice");
    assert!(browser.page("overview").contains("alice"));
    assert_eq!(browser.next(&browser.get("unlock")), "overview", "it is open already");
    assert_eq!(browser.next(&browser.post("lock", &[])), "unlock");
    assert_eq!(browser.next(&browser.get("overview")), "unlock");
    assert_eq!(ui.interrupt(), Some(0));
}
