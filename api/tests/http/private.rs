//! The private listener: who may come in, and what is there.

use serde_json::json;

use crate::network::Network;
use crate::wire::send;

const TOKEN: (&str, &str) = ("Authorization", "Bearer 0123456789abcdef");
const JSON: (&str, &str) = ("Content-Type", "application/json");

// Broken by: trusting loopback, a name that resolves to it, or a page of another origin.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_comes_in_without_the_token() {
    let network = Network::new();
    let at = network.serve_private("0123456789abcdef\n").await;
    let own = format!("http://{at}");
    for (headers, status, code) in [
        (vec![], 401, "private.token"),
        (vec![("Authorization", "Bearer 0123456789abcdee")], 401, "private.token"),
        (vec![("Authorization", "Bearer ")], 401, "private.token"),
        (vec![("Authorization", "Basic 0123456789abcdef")], 401, "private.token"),
        (vec![("Cookie", "ddt_token=wrong")], 401, "private.token"),
        (vec![TOKEN, ("Host", "evil.example")], 403, "private.host"),
        (vec![TOKEN, ("Host", "127.0.0.1.evil.example:80")], 403, "private.host"),
        (vec![TOKEN, ("Host", "")], 403, "private.host"),
        (vec![TOKEN, ("Origin", "http://evil.example")], 403, "private.origin"),
        (vec![TOKEN, ("Origin", "http://127.0.0.1:1")], 403, "private.origin"),
        (vec![TOKEN, ("Origin", "null")], 403, "private.origin"),
    ] {
        let paths = ["/v1/node", "/v1/backup?wallets=1", "/x"].map(|path| ("GET", path));
        for (method, path) in paths.into_iter().chain([("POST", "/v1/reveals")]) {
            let answer = send(&at, method, path, &headers, b"").await;
            assert_eq!(answer.problem(status), code, "{headers:?} {path}");
            assert!(answer.header("access-control-allow-origin").is_none());
        }
    }
    let answer = send(&at, "GET", "/v1/node", &[], b"").await;
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    for headers in [
        vec![TOKEN],
        vec![("Cookie", "a=b; ddt_token=0123456789abcdef")],
        vec![TOKEN, ("Origin", &own)],
        vec![TOKEN, ("Host", "localhost:1")],
    ] {
        send(&at, "GET", "/v1/node", &headers, b"").await.ok();
    }
}

// Broken by: forms being taken for JSON, or a reveal that is forgotten.
#[tokio::test(flavor = "multi_thread")]
async fn reveals_are_handed_over() {
    let network = Network::new();
    let at = network.serve_private("0123456789abcdef").await;
    let preimage = json!({"owner": "apt1", "name": "bob", "years": 1, "salt": "00"});
    let body = preimage.to_string();
    let answer = send(&at, "POST", "/v1/reveals", &[TOKEN, JSON], body.as_bytes()).await;
    assert_eq!((answer.status, answer.json()), (202, json!({"task": 1})));
    let kept = send(&at, "GET", "/v1/reveals", &[TOKEN], b"").await.ok();
    assert_eq!(kept["rows"], json!([preimage]));
    let answer = send(&at, "POST", "/v1/reveals", &[TOKEN, JSON], b"{}").await;
    assert_eq!(answer.problem(422), "request.field");
    assert_eq!(answer.json()["field"], "name");
    send(&at, "POST", "/v1/reveals", &[TOKEN, JSON], b"[1]").await.problem(400);
    let form = ("Content-Type", "text/plain");
    send(&at, "POST", "/v1/reveals", &[TOKEN, form], b"{}").await.problem(415);
    send(&at, "GET", "/v1/status", &[TOKEN], b"").await.problem(404);
    send(&at, "PUT", "/v1/node", &[TOKEN], b"").await.problem(405);
}
