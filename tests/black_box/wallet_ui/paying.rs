//! Paying, looking back, being paid.

use ddt_ledger::Amount;

use crate::browser::{Browser, PASSWORD, Ui, between};
use crate::support::network::Network;

fn apt(text: &str) -> Amount {
    text.parse().unwrap()
}

struct Scene {
    network: Network,
    _ui: Ui,
    browser: Browser,
    bob: String,
}

/// A network, its pages, and alice's wallet open.
fn scene() -> Scene {
    let network = Network::new();
    let ui = Ui::start(&network.home, &[]);
    let browser = Browser::with_wallet(&ui.url, "alice");
    let bob = network.signer("bob").account.to_string();
    Scene { network, _ui: ui, browser, bob }
}

impl Scene {
    fn events(&self) -> u64 {
        self.network.json("/v1/status")["events"].as_u64().unwrap()
    }
}

// Broken by: signing before consent, showing other words than are signed, or a result that is
// not the ledger's.
#[test]
fn a_payment_is_shown_agreed_to_and_final() {
    let scene = scene();
    let Scene { network, browser, bob, .. } = &scene;
    let fields = [("to", "bob"), ("amount", "2.5"), ("memo", "<b>tea</b> & cake")];
    let id = browser.propose("send", &fields);
    let review = browser.page(&format!("review?id={id}"));
    for part in [
        &format!("Pay 2.5 APT to {bob}"),
        "&lt;b&gt;tea&lt;/b&gt; &amp; cake",
        "(alice)",
        "<dt>fee</dt>",
        "<dt>forecast</dt><dd>done",
        "Sign and send",
    ] {
        assert!(review.contains(part), "{part}: {review}");
    }
    let fee = apt(between(&review, "<dt>fee</dt><dd>", " APT"));
    assert_eq!(scene.events(), 0, "nothing leaves the wallet before consent");
    let result = browser.finished(&browser.agree(&id));
    assert!(result.contains("<strong id=\"stage\">"), "{result}");
    assert!(result.contains("<dt>outcome</dt><dd>done</dd>"), "{result}");
    let event = between(&result, "/event/", "\"").to_string();
    assert!(result.contains(&format!("href=\"{}/event/{event}\"", network.text("api"))));
    let known = network.json(&format!("/v1/events/{event}"));
    assert_eq!(known["fields"]["memo"], "<b>tea</b> & cake");
    assert_eq!(apt(known["fee"].as_str().unwrap()), fee, "the fee that was shown");
    assert_eq!(network.balance(bob), "1000002.5");
    let alice = network.signer("alice").account;
    let spent = apt("2.5").plus(fee).unwrap();
    let left = apt("1000000").minus(spent).unwrap();
    assert_eq!(apt(&network.balance(&alice.to_string())), left);
    assert!(browser.page("overview").contains(&left.to_string()));
    let history = browser.page("history");
    for part in ["bank.transfer", &format!("−{spent}"), &format!("/event/{event}")] {
        assert!(history.contains(part), "{part}: {history}");
    }
}

// Broken by: signing anew at each press of the button.
#[test]
fn agreeing_twice_pays_once() {
    let scene = scene();
    let Scene { network, browser, bob, .. } = &scene;
    let id = browser.propose("send", &[("to", bob), ("amount", "3")]);
    let results: Vec<String> = std::thread::scope(|threads| {
        let presses: Vec<_> = (0..4).map(|_| threads.spawn(|| browser.agree(&id))).collect();
        presses.into_iter().map(|press| press.join().unwrap()).collect()
    });
    assert!(results.iter().all(|result| *result == results[0]), "{results:?}");
    let first = browser.finished(&results[0]);
    let event = between(&first, "/event/", "\"").to_string();
    assert_eq!(browser.agree(&id), results[0], "also much later");
    let place = browser.next(&browser.get(&format!("review?id={id}")));
    assert_eq!(place, results[0], "and by the button Back");
    // A payment made afterwards is behind whatever the presses made.
    let next = browser.propose("send", &[("to", bob), ("amount", "0.5")]);
    browser.finished(&browser.agree(&next));
    assert_eq!(scene.events(), 2);
    assert_eq!(network.balance(bob), "1000003.5");
    assert!(browser.finished(&results[0]).contains(&event));
}

// Broken by: signing what would be refused, or losing what was typed.
#[test]
fn what_cannot_be_is_not_signed() {
    let scene = scene();
    let Scene { browser, bob, .. } = &scene;
    let id = browser.propose("send", &[("to", bob), ("amount", "2000000")]);
    let review = browser.page(&format!("review?id={id}"));
    assert!(review.contains("bank.insufficient") || review.contains("insufficient"), "{review}");
    assert!(!review.contains("Sign and send"), "{review}");
    let insisted = browser.finished(&browser.agree(&id));
    assert!(insisted.contains("Nothing was signed."), "{insisted}");
    for (to, amount, memo, words) in [
        ("nobody", "1", "", "neither an account id"),
        ("", "1", "", "who receives"),
        ("bob", "", "", "how much"),
        ("bob", "-1", "", "amount"),
        ("bob", "0", "", "bank.nothing"),
        ("bob", "1", &"x".repeat(129), "memo"),
        ("ddt:bob", "1", "", "the account is none"),
    ] {
        let fields = [("to", to), ("amount", amount), ("memo", memo)];
        let answer = browser.post("send", &fields);
        let text = match answer.status {
            303 => browser.page(&browser.next(&answer)),
            status => {
                assert_eq!(status, 422, "{fields:?}");
                let kept = format!("name=\"amount\" value=\"{amount}\"");
                assert!(answer.text().contains(&kept), "{}", answer.text());
                answer.text()
            }
        };
        assert!(text.contains(words), "{words}: {text}");
        assert!(!text.contains("Sign and send"), "{text}");
    }
    assert_eq!(browser.get("review?id=1").status, 404);
    assert_eq!(browser.post("confirm", &[("id", "1")]).status, 404);
    assert_eq!(scene.events(), 0);
}

// Broken by: a line that this wallet makes and does not take.
#[test]
fn a_payment_line_is_made_and_taken() {
    let scene = scene();
    let Scene { network, browser, bob, .. } = &scene;
    let line = {
        assert_eq!(browser.unlock("bob", PASSWORD).status, 303);
        let page = browser.page("receive?amount=7.25&memo=two%20words");
        assert!(between(&page, "id=\"account-id\">", "<").contains(bob.as_str()));
        between(&page, "id=\"payment-line\">", "<").replace("&amp;", "&")
    };
    let chain = network.json("/v1/status")["chain"].as_str().unwrap().to_string();
    assert_eq!(line, format!("ddt:{bob}?amount=7.25&memo=two%20words&chain={chain}"));
    assert_eq!(browser.get("receive?amount=x").status, 422);
    assert_eq!(browser.unlock("alice", PASSWORD).status, 303);
    // Another network's, one that is over, one that asks for what nobody knows, another amount.
    let elsewhere = line.replace(&chain, &"7".repeat(64));
    let over = line.replace("&chain", "&expires=1000&chain");
    let strange = format!("{line}&req-split=2");
    for (to, amount) in [(&elsewhere, ""), (&over, ""), (&strange, ""), (&line, "8")] {
        assert_eq!(browser.post("send", &[("to", to), ("amount", amount)]).status, 422, "{to}");
    }
    let id = browser.propose("send", &[("to", &line)]);
    let result = browser.finished(&browser.agree(&id));
    let event = between(&result, "/event/", "\"");
    let fields = network.json(&format!("/v1/events/{event}"))["fields"].clone();
    assert_eq!((&fields["amount"], &fields["memo"]), (&"7.25".into(), &"two words".into()));
    assert_eq!(network.balance(bob), "1000007.25");
}

// Broken by: a wallet without a key that pays, or that shows nothing.
#[test]
fn a_watched_wallet_shows_and_signs_nothing() {
    let scene = scene();
    let Scene { network, browser, bob, .. } = &scene;
    network.ddt(&["wallet", "watch", "friend", bob]).data();
    assert_eq!(browser.unlock("friend", "").status, 303);
    assert!(browser.page("overview").contains("1000000"));
    assert!(browser.page("receive").contains(bob.as_str()));
    assert_eq!(browser.get("history").status, 200);
    let fields = [("to", "alice"), ("amount", "1")];
    for answer in [browser.get("send"), browser.post("send", &fields), browser.get("events")] {
        assert_eq!(answer.status, 403);
        assert!(answer.text().contains("only watches its account"), "{}", answer.text());
    }
    let event = [("name", "bank.transfer"), ("field.to", "alice"), ("field.amount", "1")];
    assert_eq!(browser.post("event", &event).status, 403);
    assert_eq!(scene.events(), 0);
}

// Broken by: an older page that repeats or leaves out rows.
#[test]
fn history_goes_on_on_older_pages() {
    let scene = scene();
    let Scene { network, browser, bob, .. } = &scene;
    let alice = network.signer("alice");
    let to = network.signer("bob").account;
    for _ in 0..25 {
        let answer = network.submit("final", &alice.pay(&to, "1"));
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_eq!(network.balance(bob), "1000025");
    let mut events = Vec::new();
    let mut page = "history".to_string();
    loop {
        let text = browser.page(&page);
        let of_page = text.split("/event/").skip(1).map(|rest| rest[..64].to_string());
        events.extend(of_page);
        let Some((before, _)) = text.split_once("\">Older</a>") else { break };
        let link = before.rsplit_once("href=\"").unwrap().1.replace("&amp;", "&");
        page = link.strip_prefix(&format!("{}/", browser.room)).unwrap().to_string();
    }
    assert_eq!(events.len(), 25);
    events.sort();
    events.dedup();
    assert_eq!(events.len(), 25);
    assert_eq!(browser.get("history?cursor=x").status, 422);
}
