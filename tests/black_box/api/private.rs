//! The private listener: for whoever has the token, on this machine, and no web page.

use serde_json::Value as Json;

use crate::support::http::{Answer, exchange};
use crate::support::network::Network;
use crate::support::{eventually, signer::Purchase};

fn ask(network: &Network, headers: &[(&str, &str)]) -> Answer {
    exchange(network.private(), "GET /v1/reveals", headers, &[]).unwrap()
}

// Broken by: trusting loopback, names that resolve to it, or any page of a browser.
#[test]
fn only_the_token_of_this_machine_opens_it() {
    let network = Network::new();
    let token = network.token();
    let (bearer, cookie) = (format!("Bearer {token}"), format!("a=b; ddt_token={token}"));
    let wrong = format!("Bearer {}", "0".repeat(token.len()));
    let origin = format!("http://{}", network.private());
    for (headers, status, code) in [
        (vec![], 401, "private.token"),
        (vec![("authorization", wrong.as_str())], 401, "private.token"),
        (vec![("authorization", "Bearer ")], 401, "private.token"),
        (vec![("authorization", token.as_str())], 401, "private.token"),
        (vec![("authorization", &bearer), ("host", "example.org")], 403, "private.host"),
        (vec![("authorization", &bearer), ("host", "10.0.0.1:80")], 403, "private.host"),
        (vec![("authorization", &bearer), ("origin", "http://example.org")], 403, "private.origin"),
        (vec![("authorization", &bearer), ("origin", "null")], 403, "private.origin"),
        (vec![("cookie", &cookie), ("origin", "http://127.0.0.1:1")], 403, "private.origin"),
    ] {
        let answer = ask(&network, &headers);
        assert_eq!((answer.status, answer.problem().as_str()), (status, code), "{headers:?}");
        assert!(answer.header("access-control-allow-origin").is_none());
    }
    for headers in [
        vec![("authorization", bearer.as_str())],
        vec![("cookie", &cookie)],
        vec![("authorization", &bearer), ("origin", &origin)],
    ] {
        let rows = ask(&network, &headers).json(200)["rows"].clone();
        assert_eq!(rows, Json::Array(Vec::new()), "{headers:?}");
    }
    assert!(network.private().starts_with("127.0.0.1:"));
    for path in ["/v1/reveals", "/v1/node"] {
        assert_eq!(network.get(path).problem(), "request.not_found", "public: {path}");
    }
}

// Broken by: an agent that needs the wallet's key, forgets a task, or keeps one for ever.
#[test]
fn the_agent_finishes_a_purchase() {
    let network = Network::new();
    let alice = network.signer("alice");
    let purchase: Purchase = alice.purchase("agent-made", 1, "60");
    let taken = network.reveal(&purchase.preimage()).json(202);
    let bearer = format!("Bearer {}", network.token());
    let tasks = || ask(&network, &[("authorization", &bearer)]).json(200)["rows"].clone();
    assert_eq!(tasks()[0]["commit"], taken["commit"]);
    assert_eq!(network.reveal(&purchase.preimage()).status, 202, "twice is once");
    assert_eq!(tasks().as_array().unwrap().len(), 1);
    let committed = network.submit("final", &alice.event(&purchase.commit)).json(200);
    assert_eq!(committed["receipt"]["outcome"], "done");
    eventually("the agent reveals", || {
        let answer = network.get("/v1/domains/agent-made");
        (answer.status == 200).then(|| answer.json(200))
    });
    eventually("the task ends", || tasks().as_array().unwrap().is_empty().then_some(()));

    let mut wrong = purchase.preimage();
    wrong["years"] = 11.into();
    assert_eq!(network.reveal(&wrong).problem(), "domains.term");
    wrong["years"] = "x".into();
    let answer = network.reveal(&wrong);
    assert_eq!(
        (answer.problem().as_str(), &answer.json(422)["field"]),
        ("request.field", &"years".into())
    );
    let headers = [("authorization", bearer.as_str()), ("content-type", "text/plain")];
    let post = exchange(network.private(), "POST /v1/reveals", &headers, b"{}").unwrap();
    assert_eq!((post.status, post.problem().as_str()), (415, "request.media_type"));
}
