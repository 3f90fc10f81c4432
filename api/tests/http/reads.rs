//! Reads: what they answer, what they refuse, and pages that stay put.

use ddt_api::Limits;
use serde_json::{Value as Json, json};

use crate::network::{Network, account};
use crate::programmes::{claim, pay};
use crate::wire::{get, send};

// Broken by: any of these figures read from the wrong row.
#[tokio::test(flavor = "multi_thread")]
async fn status_fees_and_economy_add_up() {
    let network = Network::new();
    let at = network.serve(Limits::default()).await;
    network.pay_in_anchors(7);
    let status = get(&at, "/v1/status").await.ok();
    assert_eq!(status["anchor"], 7);
    assert_eq!((&status["events"], &status["accounts"]), (&json!(7), &json!(3)));
    assert_eq!(status["chain"], network.genesis.chain().to_string());
    let economy = get(&at, "/v1/economy").await.ok();
    // 2,051 in accounts and pool, and the bond of the router.
    assert_eq!(economy["supply"], "12051");
    assert_eq!(economy["is_conserved"], true);
    assert_eq!(economy["epochs"][0]["epoch"], 0);
    let fees = get(&at, "/v1/fees?bytes=100").await.ok();
    assert_eq!((&fees["event"], &fees["byte"]), (&json!("0.0005"), &json!("0.000002")));
    assert_eq!(fees["asked"]["fee"], "0.0007");
    let named = get(&at, "/v1/fees?event=bank.pay").await.ok();
    assert_eq!(named["asked"]["bytes"], 232);
    get(&at, "/v1/fees?event=bank.no").await.problem(400);
    get(&at, "/v1/fees?bytes=99999").await.problem(400);
    let toml = get(&at, "/v1/genesis").await.text();
    assert_eq!(ddt_ledger::genesis::Genesis::from_toml(&toml).unwrap(), network.genesis);
}

// Broken by: cursors that count rows instead of naming a place, or a link that loses filters.
#[tokio::test(flavor = "multi_thread")]
async fn pages_stay_put_while_the_ledger_grows() {
    let network = Network::new();
    let at = network.serve(Limits::default()).await;
    network.pay_in_anchors(7);
    for path in ["/v1/anchors?limit=2", "/v1/events?limit=2&name=bank.pay"] {
        let newest = get(&at, "/v1/status").await.ok()["anchor"].as_u64().unwrap();
        let mut seen = Vec::new();
        let mut next = Some(path.to_string());
        while let Some(path) = next {
            let answer = get(&at, &path).await;
            let json = answer.ok();
            let heights = json["rows"].as_array().unwrap().iter();
            seen.extend(heights.map(|row| row["height"].as_u64().unwrap()));
            let link = answer.header("link").map(|link| {
                let url = link.split_once('>').unwrap().0.trim_start_matches('<');
                assert!(link.ends_with("rel=\"next\"") && url.contains("limit=2"), "{link}");
                url.to_string()
            });
            assert_eq!(link.is_some(), json["next"].is_string());
            next = link;
            network.pay_in_anchors(1);
        }
        let expected: Vec<u64> = (1..=newest).rev().collect();
        assert_eq!(seen, expected, "{path}");
    }
}

// Broken by: a list believing a cursor it did not give, or clamping a limit silently.
#[tokio::test(flavor = "multi_thread")]
async fn wrong_parameters_are_named() {
    let network = Network::new();
    let at = network.serve(Limits::default()).await;
    network.pay_in_anchors(1);
    for (path, code, field) in [
        ("/v1/anchors?cursor=rubbish", "request.cursor", "cursor"),
        ("/v1/anchors?cursor=azz", "request.cursor", "cursor"),
        ("/v1/anchors?cursor=a00", "request.cursor", "cursor"),
        ("/v1/events?cursor=a0000000000000001", "request.cursor", "cursor"),
        ("/v1/domains?owner=apt1x&limit=1", "field.account", "owner"),
        ("/v1/anchors?limit=0", "request.parameter", "limit"),
        ("/v1/anchors?limit=101", "request.parameter", "limit"),
        ("/v1/anchors?limit=-1", "request.parameter", "limit"),
        ("/v1/anchors?limt=1", "request.parameter", "limt"),
        ("/v1/anchors?limit=1&limit=2", "request.parameter", "limit"),
        ("/v1/anchors/x", "request.parameter", "height"),
        ("/v1/events?name=no.such", "request.parameter", "name"),
        ("/v1/events?zone=x", "request.parameter", "zone"),
        ("/v1/events?subject=x", "request.parameter", "subject"),
        ("/v1/events?account=apt1", "request.parameter", "account"),
        ("/v1/events?proof=2", "request.parameter", "proof"),
        ("/v1/events/1:x", "request.parameter", "event"),
        ("/v1/accounts/apt1qqqq", "request.parameter", "account"),
        ("/v1/zones/-1", "request.parameter", "zone"),
        ("/v1/search", "request.parameter", "q"),
        ("/v1/views/domains/record", "field.missing", "name"),
        ("/v1/views/domains/record?name=a&x=1", "request.parameter", "x"),
    ] {
        let answer = get(&at, path).await;
        assert_eq!(answer.problem(400), code, "{path}");
        assert_eq!(answer.json()["field"], field, "{path}");
    }
    get(&at, "/v1/anchors?limit=%ff").await.problem(400);
}

// Broken by: any error that is left to the framework's own plain text.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_a_problem() {
    let network = Network::new();
    let at = network.serve(Limits::default()).await;
    network.pay_in_anchors(1);
    let nothing = "0".repeat(64);
    for path in [
        "/v2/status".to_string(),
        "/v1".to_string(),
        "/v1/anchors/9".to_string(),
        "/v1/anchors/0".to_string(),
        "/v1/zones/3".to_string(),
        "/v1/lanes/3".to_string(),
        format!("/v1/events/{nothing}"),
        "/v1/events/7:99".to_string(),
        "/v1/domains/nobody".to_string(),
        "/v1/views/no/such".to_string(),
        "/assets/none.js".to_string(),
    ] {
        get(&at, &path).await.problem(404);
    }
    let answer = send(&at, "DELETE", "/v1/events", &[], b"").await;
    assert_eq!(answer.problem(405), "request.method");
    assert_eq!(answer.header("allow"), Some("GET,HEAD,POST"));
}

// Broken by: a filter that is ignored, or a receipt shown under another event.
#[tokio::test(flavor = "multi_thread")]
async fn events_show_their_fields_and_outcomes() {
    let network = Network::new();
    let at = network.serve(Limits::default()).await;
    let paid = network.enqueue(&network.event(1, pay(account(3), "2.5")));
    network.enqueue(&network.event(1, claim("bob")));
    let refused = network.enqueue(&network.event(2, claim("bob")));
    network.commit();
    let event = get(&at, &format!("/v1/events/{paid}")).await.ok();
    assert_eq!(event["fields"], json!({"to": account(3), "amount": "2.5"}));
    assert_eq!(event["words"], format!("Pay 2.5 APT to {}", account(3)));
    assert_eq!((&event["stage"], &event["outcome"]), (&json!("final"), &json!("done")));
    assert_eq!(event["postings"][1]["to"], json!({"kind": "account", "account": account(3)}));
    let event = get(&at, &format!("/v1/events/{refused}")).await.ok();
    assert_eq!(event["refusal"]["code"], "domains.name_taken");
    assert_eq!(event["refusal"]["words"], "The name is taken.");
    let numbered = get(&at, &format!("/v1/events/7:{}", event["number"])).await.ok();
    assert_eq!(numbered["id"], refused.to_string());
    let count = async |query: &str| {
        let json = get(&at, &format!("/v1/events{query}")).await.ok();
        json["rows"].as_array().unwrap().len()
    };
    assert_eq!(count("").await, 3);
    assert_eq!(count("?tag=201").await, 2);
    assert_eq!(count("?name=bank.pay").await, 1);
    assert_eq!(count("?zone=8").await, 0);
    assert_eq!(count("?subject=all").await, 4);
    assert_eq!(count(&format!("?account={}", account(3))).await, 1);
    network.commit();
    let event = get(&at, &format!("/v1/events/{paid}")).await.ok();
    assert_eq!(event["stage"], "proven");
}

// Broken by: a history that forgets who was paid, or an unopened account being an error.
#[tokio::test(flavor = "multi_thread")]
async fn accounts_and_their_history() {
    let network = Network::new();
    let at = network.serve(Limits::default()).await;
    network.pay_in_anchors(3);
    let shown = get(&at, &format!("/v1/accounts/{}", account(3))).await.ok();
    assert_eq!((&shown["balance"], &shown["is_open"]), (&json!("4.5"), &json!(true)));
    let rich = get(&at, &format!("/v1/accounts/{}", account(1))).await.ok();
    assert_eq!(rich["node_keys"][0]["allowance"], "1");
    assert!(rich["nonce_highest"].as_u64().unwrap() > 0);
    let none = get(&at, &format!("/v1/accounts/{}", account(77))).await.ok();
    assert_eq!((&none["balance"], &none["is_open"]), (&json!("0"), &json!(false)));
    let path = format!("/v1/accounts/{}/events?limit=2", account(3));
    let first = get(&at, &path).await.ok();
    let next = format!("{path}&cursor={}", first["next"].as_str().unwrap());
    let heights = |json: &Json| {
        let rows = json["rows"].as_array().unwrap();
        rows.iter().map(|row| row["height"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(heights(&first), [3, 2]);
    assert_eq!(heights(&get(&at, &next).await.ok()), [1]);
}

// Broken by: the alias asking another view, or a cursor of one view taken by another list.
#[tokio::test(flavor = "multi_thread")]
async fn views_and_their_aliases() {
    let network = Network::new();
    let at = network.serve(Limits::default()).await;
    for name in ["ann", "bob", "cy"] {
        network.enqueue(&network.event(1, claim(name)));
    }
    network.commit();
    let view = get(&at, "/v1/views/domains/record?name=bob").await.ok();
    assert_eq!(view["rows"], json!([{"name": "bob", "owner": account(1)}]));
    assert_eq!(get(&at, "/v1/domains/bob.ddt").await.ok(), view);
    let path = format!("/v1/domains?owner={}&limit=2", account(1));
    let first = get(&at, &path).await.ok();
    assert_eq!(first["rows"][1]["record"]["name"], "bob");
    let next = format!("{path}&cursor={}", first["next"].as_str().unwrap());
    assert_eq!(get(&at, &next).await.ok()["rows"][0]["record"]["name"], "cy");
    get(&at, &format!("{path}&proof=1")).await.problem(400);
    let long = format!("{path}&cursor=v{}", "00".repeat(64));
    assert_eq!(get(&at, &long).await.problem(400), "request.cursor");
    let views = get(&at, "/v1/views").await.ok();
    assert_eq!(views["rows"].as_array().unwrap().len(), 7);
    let registry = get(&at, "/v1/registry").await.ok();
    assert_eq!(registry["rows"][0]["name"], "bank.pay");
    assert_eq!(registry["rows"][0]["refusals"][0]["code"], "bank.nothing");
}

// Broken by: missing one way in which a thing is named.
#[tokio::test(flavor = "multi_thread")]
async fn search_finds_everything_by_its_names() {
    let network = Network::new();
    let at = network.serve(Limits::default()).await;
    let event = network.enqueue(&network.event(1, claim("bob")));
    network.commit();
    let anchor = get(&at, "/v1/anchors/1").await.ok();
    let (id, block) = (anchor["id"].as_str().unwrap(), &anchor["tips"][0]["block"]);
    for (text, kind) in [
        ("1", "anchor"),
        (id, "anchor"),
        (block.as_str().unwrap(), "anchor"),
        (&event.to_string(), "event"),
        ("7:1", "event"),
        (&account(5).to_string(), "account"),
        ("BOB", "domain"),
        ("bob.ddt", "domain"),
    ] {
        let text = text.replace(':', "%3A");
        let hits = get(&at, &format!("/v1/search?q={text}")).await.ok();
        assert_eq!(hits["rows"][0]["kind"], kind, "{text}");
        let url = hits["rows"][0]["url"].as_str().unwrap();
        get(&at, url).await.ok();
    }
    for nothing in ["2", "nobody", "7:2", "x%20y", "apt1qq"] {
        let hits = get(&at, &format!("/v1/search?q={nothing}")).await.ok();
        assert_eq!(hits["rows"], json!([]), "{nothing}");
    }
    get(&at, &format!("/v1/search?q={}", "a".repeat(129))).await.problem(400);
}
