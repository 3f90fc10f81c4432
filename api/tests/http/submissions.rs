//! Submissions, forecasts, and the client that the command line uses.

use std::time::Duration;

use ddt_api::{Client, Limits, Stage};
use serde_json::json;

use crate::network::{Mood, Network, account};
use crate::programmes::{claim, pay};
use crate::wire::{get, post_event, send};

const JSON: [(&str, &str); 1] = [("Content-Type", "application/json")];

// Broken by: answering before the stage asked for, or 200 for what is only on its way.
#[tokio::test(flavor = "multi_thread")]
async fn stages_are_waited_for() {
    let network = Network::new();
    let at = network.serve(Limits::default()).await;
    let submit = async |query: &str| {
        let bytes = network.event(1, pay(account(3), "1"));
        post_event(&at, &format!("/v1/events{query}"), &bytes).await
    };
    let answer = submit("").await;
    assert_eq!((answer.status, &answer.json()["stage"]), (202, &json!("accepted")));
    let answer = submit("?wait=sequenced").await.ok();
    assert_eq!(answer["soft_receipt"]["zone"], 7);
    let url = format!("/v1/events/{}", answer["event"].as_str().unwrap());
    let pending = get(&at, &url).await.ok();
    assert_eq!((&pending["stage"], &pending["number"]), (&json!("sequenced"), &json!(1)));
    let answer = submit("?wait=final").await;
    assert_eq!(answer.ok()["receipt"]["outcome"], "done");
    let url = answer.header("location").unwrap();
    assert_eq!(get(&at, url).await.ok()["stage"], "final");
    assert_eq!(submit("?wait=proven&timeout_ms=60000").await.ok()["receipt"]["stage"], "proven");
    *network.mood.lock().unwrap() = Mood::Stalled;
    let answer = submit("?wait=final&timeout_ms=1").await;
    assert_eq!((answer.status, &answer.json()["stage"]), (202, &json!("accepted")));
    for query in ["?wait=done", "?wait=accepted", "?timeout_ms=0", "?timeout_ms=60001", "?w=1"] {
        submit(query).await.problem(400);
    }
}

// Broken by: a refusal without its code, or a fault that tells its cause to strangers.
#[tokio::test(flavor = "multi_thread")]
async fn refusals_and_faults_have_their_status() {
    let network = Network::new();
    let at = network.serve(Limits::default()).await;
    let good = network.event(1, pay(account(3), "1"));
    let mut forged = good.clone();
    *forged.last_mut().unwrap() ^= 1;
    for path in ["/v1/events", "/v1/events/forecast"] {
        assert_eq!(post_event(&at, path, &forged).await.problem(422), "event.signature");
        assert_eq!(post_event(&at, path, b"\x01rubbish").await.problem(422), "event.malformed");
        let none = network.event(1, pay(account(3), "0"));
        assert_eq!(post_event(&at, path, &none).await.problem(422), "bank.nothing");
    }
    for (mood, status, code, retry) in [
        (Mood::Busy, 503, "node.busy", Some("1")),
        (Mood::Crowded, 429, "node.too_many", Some("3")),
        (Mood::Failing, 500, "server.fault", None),
    ] {
        *network.mood.lock().unwrap() = mood;
        let answer = post_event(&at, "/v1/events", &good).await;
        assert_eq!(answer.problem(status), code);
        assert_eq!(answer.header("retry-after"), retry);
        assert!(!answer.text().contains("secret"), "{}", answer.text());
    }
}

// Broken by: guessing what a body might be.
#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_of_a_known_form() {
    let network = Network::new();
    let at = network.serve(Limits::default()).await;
    let hex: String =
        network.event(1, pay(account(3), "1")).iter().map(|b| format!("{b:02x}")).collect();
    let body = format!("{{\"event\": \"{hex}\"}}");
    let answer = send(&at, "POST", "/v1/events", &JSON, body.as_bytes()).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    for path in ["/v1/events", "/v1/events/forecast"] {
        for body in ["", "{", "[]", "{}", "{\"event\": 1}", "{\"event\": \"0\"}", "{\"x\": \"00\"}"]
        {
            send(&at, "POST", path, &JSON, body.as_bytes()).await.problem(400);
        }
        for kind in ["text/plain", "application/x-www-form-urlencoded", ""] {
            let kind = [("Content-Type", kind)];
            let answer = send(&at, "POST", path, &kind, b"x").await;
            assert_eq!(answer.problem(415), "request.media_type");
        }
        post_event(&at, path, b"").await.problem(400);
    }
}

// Broken by: a forecast that changes something, or that forgets the fee.
#[tokio::test(flavor = "multi_thread")]
async fn forecasts_change_nothing() {
    let network = Network::new();
    let at = network.serve(Limits::default()).await;
    network.enqueue(&network.event(1, claim("bob")));
    network.commit();
    let forecast = async |author: u8, body| {
        let bytes = network.event(author, body);
        post_event(&at, "/v1/events/forecast", &bytes).await.ok()
    };
    let before = get(&at, &format!("/v1/accounts/{}", account(1))).await.ok();
    let good = forecast(1, pay(account(3), "1")).await;
    assert_eq!((&good["outcome"], &good["refusal"]), (&json!("done"), &json!(null)));
    assert_eq!(good["fee"], "0.000964");
    let taken = forecast(2, claim("bob")).await;
    assert_eq!(taken["outcome"], "refused");
    assert_eq!(taken["refusal"]["code"], "domains.name_taken");
    let poor = forecast(5, claim("eve")).await;
    assert_eq!((&poor["outcome"], &poor["fee"]), (&json!("void"), &json!(null)));
    assert_eq!(poor["refusal"]["code"], "event.account");
    assert_eq!(get(&at, &format!("/v1/accounts/{}", account(1))).await.ok(), before);
}

// Broken by: asking for a signature, which could be submitted, or forecasting something else.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_forecast_before_it_is_signed() {
    let network = Network::new();
    let at = network.serve(Limits::default()).await;
    let forecast = async |bytes: &[u8], query: &str| {
        post_event(&at, &format!("/v1/events/forecast{query}"), bytes).await
    };
    for (author, body) in [(1, pay(account(3), "1")), (5, claim("eve")), (2, claim("bob"))] {
        let signed = network.event(author, body);
        let draft = &signed[..signed.len() - 64];
        let mut known = forecast(&signed, "").await.ok();
        assert!(known["event"].is_string());
        known["event"] = json!(null);
        assert_eq!(forecast(draft, "?unsigned=1").await.ok(), known, "an id needs a signature");
        assert_eq!(forecast(draft, "").await.problem(422), "event.malformed");
        assert_eq!(forecast(&signed, "?unsigned=1").await.problem(422), "event.malformed");
        let mut other = draft.to_vec();
        other[1] ^= 1;
        assert_eq!(forecast(&other, "?unsigned=1").await.problem(422), "event.chain");
        other[0] = 2;
        assert_eq!(forecast(&other, "?unsigned=1").await.problem(422), "event.version");
    }
    let none = network.event(1, pay(account(3), "0"));
    let none = forecast(&none[..none.len() - 64], "?unsigned=1").await.ok();
    assert_eq!(
        (&none["outcome"], &none["refusal"]["code"]),
        (&json!("void"), &json!("bank.nothing"))
    );
}

// Broken by: a client that loses the problem, or that calls a closed port anything else.
#[tokio::test(flavor = "multi_thread")]
async fn the_client_speaks_clearly() {
    let network = Network::new();
    let at = network.serve(Limits::default()).await;
    let good = network.event(1, pay(account(3), "1"));
    let none = network.event(1, pay(account(3), "0"));
    let work = move || {
        let client = Client::new(&format!("http://{at}/"));
        assert_eq!(client.get_json("/v1/status").unwrap()["anchor"], 0);
        let hits = client.get_query("/v1/search", &[("q", "a&b=c d")]).unwrap();
        assert_eq!(hits["rows"], json!([]));
        assert!(client.get_text("/v1/genesis").unwrap().contains("name = \"test\""));
        assert_eq!(client.forecast(&good).unwrap()["outcome"], "done");
        let wait = Some((Stage::Final, Duration::from_secs(5)));
        assert_eq!(client.submit(&good, wait).unwrap()["stage"], "final");
        let refused = client.submit(&none, None).unwrap_err();
        assert!(refused.is_refusal());
        assert_eq!((refused.status, refused.code()), (422, "bank.nothing"));
        assert_eq!(refused.detail, "Pay more than nothing.");
        let wrong = client.get_json("/v1/anchors?limit=0").unwrap_err();
        assert_eq!((wrong.status, wrong.field.as_deref()), (400, Some("limit")));
        assert!(wrong.request_id.is_some());
        let strange = client.get_json("/livez").unwrap_err();
        assert_eq!(strange.code(), "client.answer");
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let alone = Client::new(&format!("http://{closed}")).get_json("/v1/status").unwrap_err();
        assert_eq!((alone.status, alone.code()), (0, "client.refused"));
        assert!(alone.detail.contains("No node answers"), "{alone}");
        let no_url = Client::new("no url").get_json("/v1/status").unwrap_err();
        assert_eq!(no_url.status, 0);
    };
    tokio::task::spawn_blocking(work).await.unwrap();
}
