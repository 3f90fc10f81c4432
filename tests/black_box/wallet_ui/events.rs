//! Any event of the registry, by a form from its row.

use ddt_contracts::REGISTRY;
use ddt_ledger::registry::Signer;

use crate::browser::{Browser, Ui, between};
use crate::support::network::Network;

// Broken by: an event that a wallet may sign and has no form, or a form for a node's.
#[test]
fn every_event_that_a_wallet_signs_has_a_form() {
    let network = Network::new();
    let ui = Ui::start(&network.home, &[]);
    let browser = Browser::with_wallet(&ui.url, "alice");
    let list = browser.page("events");
    for row in REGISTRY.rows() {
        let link = format!("/event?name={}\"", row.name);
        let is_ours = matches!(row.signer, Signer::Owner | Signer::Anyone);
        assert_eq!(list.contains(&link), is_ours, "{}", row.name);
        if is_ours {
            let form = browser.page(&format!("event?name={}", row.name));
            for field in row.fields {
                assert!(form.contains(&format!("name=\"field.{}\"", field.name)), "{form}");
            }
        }
    }
    assert_eq!(browser.get("event?name=no.such").status, 422);

    let bob = network.signer("bob").account.to_string();
    let payments = format!(r#"[{{"to":"{bob}","amount":"1.5"}},{{"to":"{bob}","amount":"2"}}]"#);
    let batch = |payments: &str| {
        browser.post("event", &[("name", "bank.batch"), ("field.payments", payments)])
    };
    let wrong = batch(r#"[{"to":"bob"}]"#);
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("payments[0]"), "{}", wrong.text());
    assert!(wrong.text().contains("[{&quot;to&quot;:&quot;bob&quot;}]"), "it is kept");
    let place = browser.next(&batch(&payments));
    let review = browser.page(&place);
    assert!(review.contains("Make these payments, all or none"), "{review}");
    let id = place.strip_prefix("review?id=").unwrap();
    let result = browser.finished(&browser.agree(id));
    let event = between(&result, "/event/", "\"");
    assert_eq!(network.json(&format!("/v1/events/{event}"))["name"], "bank.batch");
    assert_eq!(network.balance(&bob), "1000003.5");
}
