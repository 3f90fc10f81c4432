//! Requests that are none.

use std::io::Write;

use crate::scene::Scene;
use crate::support::http::{connect, exchange, read_answer};

const OCTETS: (&str, &str) = ("content-type", "application/octet-stream");
const JSON: (&str, &str) = ("content-type", "application/json");
/// Longest body that the node reads, in bytes.
const BODY_BYTES_MAX: usize = 64 * 1024;

type Case<'c> = (&'c str, &'c [(&'c str, &'c str)], &'c [u8], u16, &'c str);

// Broken by: an answer without a problem, another status, or a handler that panics.
#[test]
fn malformed_requests_get_problems() {
    let scene = Scene::new();
    let (before, huge) = (scene.state(), vec![1; BODY_BYTES_MAX + 1]);
    let post = "POST /v1/events";
    let cases: [Case; 22] = [
        (post, &[JSON], b"{", 400, "request.malformed"),
        (post, &[JSON], b"", 400, "request.malformed"),
        (post, &[JSON], b"[]", 400, "request.malformed"),
        (post, &[JSON], b"{\"event\":1}", 400, "request.malformed"),
        (post, &[JSON], b"{\"event\":\"zz\"}", 400, "request.malformed"),
        (post, &[JSON], b"{\"event\":\"00\",\"x\":1}", 400, "request.malformed"),
        (post, &[OCTETS], b"", 400, "request.malformed"),
        (post, &[], b"x", 415, "request.media_type"),
        (post, &[("content-type", "text/plain")], b"x", 415, "request.media_type"),
        (post, &[OCTETS], &huge, 413, "request.body_too_long"),
        ("POST /v1/events/forecast", &[OCTETS], &huge, 413, "request.body_too_long"),
        ("POST /v1/events?wait=soon", &[OCTETS], b"x", 400, "request.parameter"),
        ("POST /v1/events?wait=final&timeout_ms=0", &[OCTETS], b"x", 400, "request.parameter"),
        ("GET /v1/nothing", &[], b"", 404, "request.not_found"),
        ("GET /v1/events/0:999", &[], b"", 404, "request.not_found"),
        ("GET /v1/events/x", &[], b"", 400, "request.parameter"),
        ("GET /v1/anchors/999999999", &[], b"", 404, "request.not_found"),
        ("GET /v1/accounts/apt1nobody", &[], b"", 400, "request.parameter"),
        ("GET /v1/zones/7", &[], b"", 404, "request.not_found"),
        ("GET /v1/fees?bytes=999999", &[], b"", 400, "request.parameter"),
        ("DELETE /v1/events", &[], b"", 405, "request.method"),
        ("POST /v1/status", &[], b"", 405, "request.method"),
    ];
    for (request, headers, body, status, code) in cases {
        let answer = exchange(scene.network.public(), request, headers, body).unwrap();
        let told = (answer.status, answer.problem());
        assert_eq!(told, (status, code.to_string()), "{request}: {}", answer.text());
        assert_eq!(answer.header("allow").is_some(), status == 405, "{request}");
    }
    assert_eq!(scene.state(), before);
}

// Broken by: waiting for ever for a body that does not come, and keeping others waiting.
#[test]
fn a_slow_body_is_given_up() {
    let scene = Scene::new();
    let mut slow = connect(scene.network.public()).unwrap();
    let head = "POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n";
    let body = "Content-Type: application/octet-stream\r\nContent-Length: 100\r\n\r\nhalf";
    slow.write_all([head, body].concat().as_bytes()).unwrap();
    scene.expect_receipt("done", &scene.alice.pay(&scene.bob.account, "1"));
    let answer = read_answer(slow).unwrap();
    assert_eq!((answer.status, answer.problem().as_str()), (408, "request.body_timeout"));

    // Bytes that are no HTTP at all, and a client that leaves in the middle.
    let mut noise = connect(scene.network.public()).unwrap();
    noise.write_all(b"\x16\x03\x01 no http\r\n\r\n").unwrap();
    assert_eq!(read_answer(noise).map_or(400, |answer| answer.status), 400);
    let mut leaver = connect(scene.network.public()).unwrap();
    leaver.write_all([head, body].concat().as_bytes()).unwrap();
    drop(leaver);
    scene.expect_receipt("done", &scene.alice.pay(&scene.bob.account, "1"));
}
