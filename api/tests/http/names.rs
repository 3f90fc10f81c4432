//! Histories by name: what they show, what they refuse, and pages that stay put.

use ddt_api::Limits;
use serde_json::{Value as Json, json};

use crate::network::{Network, account};
use crate::programmes::claim;
use crate::wire::get;

fn rows(json: &Json) -> Vec<Json> {
    json["rows"].as_array().unwrap().clone()
}

// Broken by: a receipt under another name, or one without who, when or how it ended.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_tells_who_did_what_when_and_how_it_ended() {
    let network = Network::new();
    let at = network.serve(Limits::default()).await;
    let taken = network.enqueue(&network.event(1, claim("bob")));
    network.enqueue(&network.event(1, claim("bobby")));
    network.commit();
    let refused = network.enqueue(&network.event(2, claim("bob")));
    network.commit();
    let history = get(&at, "/v1/domains/bob/events").await.ok();
    assert_eq!(history, get(&at, "/v1/domains/bob.ddt/events").await.ok());
    let found = rows(&history);
    let ids: Vec<&Json> = found.iter().map(|row| &row["id"]).collect();
    assert_eq!(ids, [&json!(refused), &json!(taken)], "newest first, and of this name alone");
    assert_eq!(found[0]["author"], json!(account(2)));
    assert_eq!(found[0]["refusal"]["code"], "domains.name_taken");
    assert_eq!((&found[1]["outcome"], &found[1]["height"]), (&json!("done"), &json!(1)));
    assert_eq!(
        (&found[1]["words"], &found[1]["name"]),
        (&json!("Take bob.ddt"), &json!("domains.claim"))
    );
    assert_eq!(found[1]["fields"], json!({"name": "bob"}));
    let anchor = get(&at, "/v1/anchors/1").await.ok();
    assert_eq!(found[1]["time"], anchor["time"]);
    assert_eq!(rows(&get(&at, "/v1/domains/nobody/events").await.ok()), [] as [Json; 0]);
}

// Broken by: cursors that count rows instead of naming a place.
#[tokio::test(flavor = "multi_thread")]
async fn a_names_pages_stay_put_while_it_goes_on() {
    let network = Network::new();
    let at = network.serve(Limits::default()).await;
    let more = || {
        for _ in 0..2 {
            network.enqueue(&network.event(1, claim("bob")));
        }
        network.commit()
    };
    assert_eq!([more(), more(), more()], [1, 2, 3]);
    let (mut seen, mut next) = (Vec::new(), Some("/v1/domains/bob/events?limit=2".to_string()));
    while let Some(path) = next {
        let page = get(&at, &path).await.ok();
        seen.extend(rows(&page).iter().map(|row| (row["height"].clone(), row["index"].clone())));
        let cursor = page["next"].as_str();
        next = cursor.map(|cursor| format!("/v1/domains/bob/events?limit=2&cursor={cursor}"));
        more();
    }
    let all = [(3, 1), (3, 0), (2, 1), (2, 0), (1, 1), (1, 0)];
    assert_eq!(seen, all.map(|(height, index)| (json!(height), json!(index))));
}

// Broken by: believing another list's cursor, or answering for what cannot be a name.
#[tokio::test(flavor = "multi_thread")]
async fn wrong_names_and_parameters_are_refused() {
    let network = Network::new();
    let at = network.serve(Limits::default()).await;
    let long = "a".repeat(64);
    for (path, code) in [
        ("/v1/domains/bob/events?cursor=e000000000000000100000000", "request.cursor"),
        ("/v1/domains/bob/events?cursor=n00", "request.cursor"),
        ("/v1/domains/bob/events?limit=101", "request.parameter"),
        ("/v1/domains/bob/events?name=x", "request.parameter"),
        (&format!("/v1/domains/{long}/events"), "field.too_long"),
    ] {
        assert_eq!(get(&at, path).await.problem(400), code, "{path}");
    }
}
