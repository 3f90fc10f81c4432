//! Proofs beside rows: they hold offline, and speak of the row they stand beside.

use ddt_api::Limits;
use ddt_ledger::proof::{Claim, Proof};
use serde_json::{Value as Json, json};

use crate::network::{Network, account};
use crate::programmes::claim;
use crate::wire::get;

fn proof(json: &Json) -> Proof {
    serde_json::from_value(json["proof"].clone()).unwrap()
}

// Broken by: proving against another anchor than the one the row was read at.
#[tokio::test(flavor = "multi_thread")]
async fn rows_are_proven_at_their_own_anchor() {
    let network = Network::new();
    let at = network.serve(Limits::default()).await;
    let path = format!("/v1/accounts/{}?proof=1", account(3));
    assert_eq!(get(&at, &path).await.ok()["proof"], json!(null));
    network.pay_in_anchors(3);
    let shown = get(&at, &path).await.ok();
    assert_eq!((&shown["anchor"], &shown["balance"]), (&json!(2), &json!("3")));
    let verified = proof(&shown).verify(&network.genesis).unwrap();
    assert_eq!((verified.height, verified.signers), (2, (1, 1)));
    let Claim::Row { value: Some(_), .. } = proof(&shown).claim else { panic!("no row") };
    let absent = get(&at, &format!("/v1/accounts/{}?proof=1", account(77))).await.ok();
    assert_eq!(absent["is_open"], false);
    let Claim::Row { value: None, .. } = proof(&absent).claim else { panic!("a row") };
    proof(&absent).verify(&network.genesis).unwrap();
}

// Broken by: a proof of another receipt, or one that is given before it can hold.
#[tokio::test(flavor = "multi_thread")]
async fn receipts_are_proven_by_the_next_anchor() {
    let network = Network::new();
    let at = network.serve(Limits::default()).await;
    network.pay_in_anchors(1);
    network.enqueue(&network.event(1, claim("ann")));
    let event = network.enqueue(&network.event(1, claim("bob")));
    network.commit();
    let path = format!("/v1/events/{event}?proof=1");
    assert_eq!(get(&at, &path).await.ok()["proof"], json!(null));
    network.commit();
    let shown = get(&at, &path).await.ok();
    let receipt = proof(&shown).verify(&network.genesis).unwrap().receipt.unwrap();
    assert_eq!((receipt.height, receipt.index, &shown["index"]), (2, 1, &json!(1)));
}

// Broken by: showing the newest rows beside a proof of older ones.
#[tokio::test(flavor = "multi_thread")]
async fn views_are_proven_with_their_absence() {
    let network = Network::new();
    let at = network.serve(Limits::default()).await;
    network.commit();
    network.enqueue(&network.event(1, claim("bob")));
    network.commit();
    let before = get(&at, "/v1/domains/bob?proof=1").await.ok();
    assert_eq!((&before["anchor"], &before["rows"]), (&json!(1), &json!([])));
    proof(&before).verify(&network.genesis).unwrap();
    network.commit();
    let after = get(&at, "/v1/views/domains/record?name=bob&proof=1").await.ok();
    assert_eq!(after["rows"][0]["owner"], account(1).to_string());
    proof(&after).verify(&network.genesis).unwrap();
}
