//! The node's face: any request, through the whole router, without a socket.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use ddt_api::{Backend, Limits, NodeStatus, Stage, SubmitError, Submitted, Wait};
use ddt_contracts::REGISTRY;
use ddt_ledger::event::Checked;
use ddt_ledger::store::{BookStore, LaneStore};
use ddt_ledger::{Hash, Millis};
use serde_json::{Value as Json, json};
use tokio::sync::broadcast;
use tower::ServiceExt;

use crate::world::{self, world};
use crate::{End, Target, end};

pub const TARGET: Target = Target {
    name: "http",
    about: "Requests to the public and the private router: never a failure of the server's own.",
    run,
    seeds,
    bytes_max: 8 * 1024,
    tries: 4_000,
};

const TOKEN: &str = "token";
/// Longest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A node that keeps the world's stores and takes every event.
struct Node {
    book: BookStore,
    lanes: LaneStore,
    commits: broadcast::Sender<u64>,
}

#[async_trait]
impl Backend for Node {
    fn book(&self) -> &BookStore {
        &self.book
    }

    fn lanes(&self) -> &LaneStore {
        &self.lanes
    }

    async fn submit(&self, bytes: Vec<u8>, _: Option<Wait>) -> Result<Submitted, SubmitError> {
        let checked = Checked::check(&bytes, self.book.chain(), &REGISTRY);
        let event = checked.map_err(SubmitError::Refused)?.id();
        Ok(Submitted { event, stage: Stage::Accepted, soft_receipt: None, receipt: None })
    }

    fn pending(&self, _: &Hash) -> Option<Submitted> {
        None
    }

    fn anchors(&self) -> broadcast::Receiver<u64> {
        self.commits.subscribe()
    }

    fn status(&self) -> NodeStatus {
        NodeStatus { is_ready: true, ..NodeStatus::default() }
    }

    fn now(&self) -> Millis {
        self.book.head().0.time
    }

    async fn reveal(&self, preimage: Json) -> Result<Json, SubmitError> {
        let words = "Which name?".to_string();
        match preimage.get("name") {
            Some(_) => Ok(json!({})),
            None => Err(SubmitError::Field { field: "name".to_string(), words }),
        }
    }

    async fn reveals(&self) -> Result<Vec<Json>, SubmitError> {
        Ok(Vec::new())
    }
}

fn routers() -> &'static (tokio::runtime::Runtime, Router, Router) {
    static ROUTERS: OnceLock<(tokio::runtime::Runtime, Router, Router)> = OnceLock::new();
    ROUTERS.get_or_init(|| {
        let network = world::network();
        let book = ddt_tests::disk::Disk::holding(network.disk().bytes());
        let book = BookStore::open(book.backend(), &world().genesis, REGISTRY).expect("in memory");
        let lanes = world::lanes(&network).0;
        let node: Arc<dyn Backend> =
            Arc::new(Node { book, lanes, commits: broadcast::channel(4).0 });
        let limits = Limits { rate: None, ..Limits::default() };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let (public, private) =
            (ddt_api::public(node.clone(), limits), ddt_api::private(node, TOKEN));
        (runtime, public, private)
    })
}

/// `METHOD path`, then header lines, an empty line and the body; with `!` before the method
/// it goes to the private router with the token.
fn run(bytes: &[u8]) -> End {
    let Some((request, is_private)) = request(bytes) else { return end("no request") };
    let (runtime, public, private) = routers();
    let router = if is_private { private } else { public };
    let path = request.uri().path().to_string();
    let what = format!("{} {}", request.method(), request.uri());
    let answer = runtime.block_on(async {
        let answer = router.clone().oneshot(request).await.expect("a router answers");
        let (head, body) = answer.into_parts();
        // A stream does not end, and is not read.
        let is_stream = head.headers.get("content-type").is_some_and(|t| t == "text/event-stream");
        let body = match is_stream {
            true => Vec::new(),
            false => to_bytes(body, ANSWER_BYTES_MAX).await.expect("an answer that ends").to_vec(),
        };
        (head, body)
    });
    let (head, body) = answer;
    // 503 says "later" with words of its own.
    let is_failure =
        head.status.is_server_error() && head.status != StatusCode::SERVICE_UNAVAILABLE;
    assert!(!is_failure, "{what}: {} {}", head.status, String::from_utf8_lossy(&body));
    let kind = head.headers.get("content-type").and_then(|kind| kind.to_str().ok());
    // An answer to HEAD has no body.
    let is_json = kind.is_some_and(|kind| kind.contains("json")) && !what.starts_with("HEAD ");
    let json = is_json.then(|| {
        serde_json::from_slice::<Json>(&body).unwrap_or_else(|error| panic!("{what}: {error}"))
    });
    let code = json.as_ref().and_then(|json| json.get("code")).map(Json::to_string);
    let route: String = path.split('/').take(4).flat_map(|part| part.chars().take(9)).collect();
    end((head.status.as_u16(), code, head.status.is_success().then_some(route)))
}

fn request(bytes: &[u8]) -> Option<(Request<Body>, bool)> {
    let at = bytes.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = match at {
        Some(at) => (&bytes[..at], &bytes[at + 2..]),
        None => (bytes, &[][..]),
    };
    let is_private = head.first() == Some(&b'!');
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = lines.next()?.strip_prefix(b"!").unwrap_or(head.split(|b| *b == b'\n').next()?);
    let space = first.iter().position(|byte| *byte == b' ')?;
    let uri = axum::http::Uri::try_from(&first[space + 1..]).ok()?;
    // What a wait is waited for is the node's affair, and this one never gets further.
    let is_slow = uri.query().is_some_and(|query| query.contains("wait"));
    let mut request = Request::builder().method(&first[..space]).uri(uri);
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':')?;
        request = request.header(&line[..colon], line[colon + 1..].trim_ascii());
    }
    if is_private {
        request = request.header("authorization", format!("Bearer {TOKEN}"));
        request = request.header("host", "127.0.0.1");
    }
    let peer = SocketAddr::from(([127, 0, 0, 1], 9));
    let mut request = request.body(Body::from(body.to_vec())).ok()?;
    request.extensions_mut().insert(ConnectInfo(peer));
    (!is_slow).then_some((request, is_private))
}

fn seeds() -> Vec<Vec<u8>> {
    let world = world();
    let event = hex::encode(&world.events[0]);
    let id = ddt_ledger::event::Signed::decode(&world.events[0]).expect("of the world").id();
    let account = ddt_tests::people::Person::named("alice").id();
    let mut seeds: Vec<Vec<u8>> = vec![
        format!("GET /v1/events/{id}?proof=1").into(),
        format!("GET /v1/accounts/{account}?proof=1").into(),
        format!("GET /v1/accounts/{account}/history?limit=3").into(),
        "GET /v1/anchors?limit=2&cursor=a00".into(),
        "GET /v1/anchors/3/receipts?limit=2".into(),
        "GET /v1/zones/1/blocks/1".into(),
        "GET /v1/search?q=letters".into(),
        "GET /v1/fees?event=bank.transfer&bytes=200".into(),
        "GET /v1/events?name=bank.transfer&subject=all&limit=3".into(),
        "GET /v1/views/domains/record?name=letters&proof=1".into(),
        "GET /v1/views/domains/search?prefix=le&limit=1".into(),
        format!("POST /v1/events\ncontent-type: application/json\n\n{{\"event\":\"{event}\"}}")
            .into(),
        format!(
            "POST /v1/events/forecast\ncontent-type: application/json\n\n{{\"event\":\"{event}\"}}"
        )
        .into(),
        "GET /explorer".into(),
        "GET /zone/1?limit=2&cursor=v00".into(),
        "GET /routers?limit=1".into(),
        "HEAD / ".into(),
        "!POST /v1/node/reveals\ncontent-type: application/json\n\n{\"name\":\"letters\"}".into(),
        "!GET /v1/node".into(),
        [
            b"POST /v1/events\ncontent-type: application/octet-stream\n\n".as_slice(),
            &world.events[1],
        ]
        .concat(),
    ];
    let document = ddt_api::openapi(&REGISTRY);
    let paths = document["paths"].as_object().map(|paths| paths.keys().cloned().collect());
    let paths: Vec<String> = paths.unwrap_or_default();
    for path in paths {
        let path = path
            .replace("{account}", &account.to_string())
            .replace("{event}", &id.to_string())
            .replace("{name}", "letters")
            .replace("{height}", "3")
            .replace("{zone}", "1");
        seeds.push(format!("GET {path}").into());
        seeds.push(format!("!GET {path}").into());
    }
    seeds
}
