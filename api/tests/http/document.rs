//! The OpenAPI document: complete, and true of every answer.

use ddt_api::Limits;
use ddt_ledger::Hash;
use serde_json::{Value as Json, json};

use crate::network::{Network, account};
use crate::programmes::{REGISTRY, claim, pay};
use crate::wire::{Answer, get, post_event, send};

/// Checks `value` against a schema of the document; says where it differs.
fn check(document: &Json, schema: &Json, value: &Json, at: &str) -> Result<(), String> {
    if let Some(name) = schema["$ref"].as_str() {
        let target = document.pointer(name.strip_prefix('#').unwrap());
        return check(document, target.ok_or(format!("no {name}"))?, value, at);
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let fits = any.iter().any(|one| check(document, one, value, at).is_ok());
        return if fits { Ok(()) } else { Err(format!("{at}: {value} fits none of {schema}")) };
    }
    let fits = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_u64(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        other => panic!("{at}: type {other:?}"),
    };
    if !fits {
        return Err(format!("{at}: {value} is no {}", schema["type"]));
    }
    for item in value.as_array().into_iter().flatten() {
        check(document, &schema["items"], item, &format!("{at}[]"))?;
    }
    let (Some(object), Some(known)) = (value.as_object(), schema["properties"].as_object()) else {
        return Ok(());
    };
    for name in schema["required"].as_array().into_iter().flatten() {
        if !object.contains_key(name.as_str().unwrap()) {
            return Err(format!("{at}: {name} is missing"));
        }
    }
    for (name, value) in object {
        let at = format!("{at}.{name}");
        check(document, known.get(name).ok_or(format!("{at} is not documented"))?, value, &at)?;
    }
    Ok(())
}

fn check_answer(document: &Json, path: &str, method: &str, answer: &Answer) {
    let responses = &document["paths"][path][method]["responses"];
    let content = &responses[answer.status.to_string()]["content"];
    let kind = answer.header("content-type").unwrap();
    let plain = kind.split(';').next().unwrap();
    let entry = content
        .as_object()
        .and_then(|all| all.iter().find(|(media, _)| media.split(';').next() == Some(plain)));
    let at = format!("{method} {path} {}", answer.status);
    let (_, entry) = entry.unwrap_or_else(|| panic!("{at}: {kind} is not documented"));
    if plain.ends_with("json") {
        check(document, &entry["schema"], &answer.json(), &at).unwrap();
    }
}

/// Every read's documented path, and an address that it stands for.
fn reads(event: &Hash, refused: &Hash) -> Vec<(&'static str, String)> {
    let owner = account(1);
    vec![
        ("/livez", "/livez".to_string()),
        ("/readyz", "/readyz".to_string()),
        ("/metrics", "/metrics".to_string()),
        ("/v1/status", "/v1/status".to_string()),
        ("/v1/genesis", "/v1/genesis".to_string()),
        ("/v1/openapi.json", "/v1/openapi.json".to_string()),
        ("/v1/registry", "/v1/registry".to_string()),
        ("/v1/search", "/v1/search?q=7".to_string()),
        ("/v1/search", "/v1/search".to_string()),
        ("/v1/zones", "/v1/zones".to_string()),
        ("/v1/zones/{zone}", "/v1/zones/7".to_string()),
        ("/v1/zones/{zone}", "/v1/zones/8".to_string()),
        ("/v1/lanes", "/v1/lanes".to_string()),
        ("/v1/lanes/{zone}", "/v1/lanes/7".to_string()),
        ("/v1/anchors", "/v1/anchors?limit=1".to_string()),
        ("/v1/anchors/{height}", "/v1/anchors/7".to_string()),
        ("/v1/accounts/{account}", format!("/v1/accounts/{owner}?proof=1")),
        ("/v1/accounts/{account}", format!("/v1/accounts/{}", account(66))),
        ("/v1/accounts/{account}/events", format!("/v1/accounts/{owner}/events")),
        ("/v1/events", "/v1/events?subject=all".to_string()),
        ("/v1/events/{event}", format!("/v1/events/{event}?proof=1")),
        ("/v1/events/{event}", format!("/v1/events/{refused}")),
        ("/v1/fees", "/v1/fees?event=bank.pay".to_string()),
        ("/v1/economy", "/v1/economy?limit=1".to_string()),
        ("/v1/views", "/v1/views".to_string()),
        ("/v1/views/domains/record", "/v1/views/domains/record?name=bob&proof=1".to_string()),
        ("/v1/views/domains/of_owner", format!("/v1/views/domains/of_owner?owner={owner}")),
        ("/v1/views/bank/broken", "/v1/views/bank/broken".to_string()),
        ("/v1/views/zones/members", "/v1/views/zones/members?zone=7&limit=1".to_string()),
        ("/v1/views/zones/router", format!("/v1/views/zones/router?account={}", account(2))),
        ("/v1/views/zones/routers", "/v1/views/zones/routers".to_string()),
        ("/v1/views/zones/seats", "/v1/views/zones/seats".to_string()),
        ("/v1/domains", format!("/v1/domains?owner={owner}")),
        ("/v1/domains/{name}", "/v1/domains/bob".to_string()),
        ("/v1/domains/{name}", "/v1/domains/nobody".to_string()),
        ("/v1/domains/{name}/events", "/v1/domains/bob/events?limit=1".to_string()),
    ]
}

// Broken by: a route, field or status that the document does not tell of, or tells wrongly.
#[tokio::test(flavor = "multi_thread")]
async fn every_route_answers_as_documented() {
    let network = Network::new();
    let at = network.serve(Limits::default()).await;
    let private = network.serve_private("token").await;
    network.pay_in_anchors(6);
    let event = network.enqueue(&network.event(1, claim("bob")));
    let refused = network.enqueue(&network.event(2, claim("bob")));
    network.commit();
    network.commit();
    let document = get(&at, "/v1/openapi.json").await.ok();
    let mut served = Vec::new();
    for (path, url) in reads(&event, &refused) {
        check_answer(&document, path, "get", &get(&at, &url).await);
        served.push(format!("get {path}"));
    }
    for (path, url) in [
        ("/v1/events", "/v1/events?wait=sequenced"),
        ("/v1/events", "/v1/events?wait=final"),
        ("/v1/events", "/v1/events"),
        ("/v1/events/forecast", "/v1/events/forecast"),
    ] {
        let answer = post_event(&at, url, &network.event(1, pay(account(3), "1"))).await;
        check_answer(&document, path, "post", &answer);
        check_answer(&document, path, "post", &post_event(&at, url, b"\x01x").await);
        check_answer(&document, path, "post", &send(&at, "POST", url, &[], b"x").await);
        served.push(format!("post {path}"));
    }
    let token = ("Authorization", "Bearer token");
    let json = ("Content-Type", "application/json");
    for (method, path) in [
        ("get", "/v1/node"),
        ("get", "/v1/backup"),
        ("get", "/v1/reveals"),
        ("post", "/v1/reveals"),
    ] {
        let upper = method.to_uppercase();
        let answer = send(&private, &upper, path, &[token, json], b"{\"name\": 1}").await;
        check_answer(&document, path, method, &answer);
        check_answer(&document, path, method, &send(&private, &upper, path, &[], b"").await);
        served.push(format!("{method} {path}"));
    }
    // A stream does not end; its own tests read it.
    served.push("get /v1/live".to_string());
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let known = served.contains(&format!("{method} {path}"));
            assert!(known, "{method} {path} is documented and was not asked");
        }
    }
}

// Broken by: an event or a view of the registry that is left out, or a kind without a schema.
#[test]
fn the_registry_is_documented() {
    let document = ddt_api::openapi(&REGISTRY);
    assert_eq!(document["openapi"], "3.1.0");
    let schemas = &document["components"]["schemas"];
    for row in REGISTRY.rows() {
        let schema = &schemas[format!("event.{}", row.name)];
        assert_eq!(schema["x-tag"], row.tag);
        for field in row.fields {
            assert!(schema["properties"][field.name].is_object(), "{} {}", row.name, field.name);
        }
    }
    for view in REGISTRY.views() {
        let path = format!("/v1/views/{}", view.name.replace('.', "/"));
        let parameters = document["paths"][&path]["get"]["parameters"].as_array().unwrap();
        for field in view.query {
            assert!(parameters.iter().any(|one| one["name"] == field.name), "{path}");
        }
    }
    assert_eq!(schemas["event.bank.pay"]["required"], json!(["to", "amount"]));
    let ids: Vec<&Json> = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|methods| methods.as_object().unwrap().values())
        .map(|operation| &operation["operationId"])
        .collect();
    for (place, id) in ids.iter().enumerate() {
        assert!(!ids[..place].contains(id), "{id} stands twice");
    }
}
