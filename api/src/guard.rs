//! What every request passes through: an id, problems for every error, rate and time limits.

use std::any::Any;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::error::Problem;
use crate::limits::Rate;
use crate::reading::App;
use crate::times::Times;

/// Most client addresses remembered for rate limiting.
const CLIENTS_MAX: usize = 65_536;
/// Pages bring nothing from elsewhere and send nothing elsewhere.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// Counts of a listener, for `/metrics`, and the source of request ids.
pub(crate) struct Meters {
    first_id: u64,
    requests: AtomicU64,
    answers: [AtomicU64; 5],
    times: Times,
}

impl Meters {
    pub(crate) fn new() -> Meters {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Meters {
            first_id: u64::try_from(since.as_nanos() & u128::from(u64::MAX)).unwrap_or_default(),
            requests: AtomicU64::new(0),
            answers: Default::default(),
            times: Times::default(),
        }
    }

    fn next_id(&self) -> String {
        let count = self.requests.fetch_add(1, Ordering::Relaxed);
        // An odd factor permutes the numbers, so that neighbours are easily told apart.
        let id = self.first_id.wrapping_add(count).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        format!("{id:016x}")
    }

    fn answered(&self, status: StatusCode, time: Duration) {
        self.times.answered(status.as_u16(), time);
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(counter) = self.answers.get(class) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Answers by status and by time, for `/metrics`.
    pub(crate) fn write(&self, text: &mut String) {
        self.times.write(text);
    }

    /// Answers by class of status: (`1xx`, count) and so on.
    pub(crate) fn answers(&self) -> impl Iterator<Item = (usize, u64)> {
        self.answers.iter().map(|count| count.load(Ordering::Relaxed)).enumerate()
    }
}

/// Outermost: gives the request an id and every error its problem body.
pub(crate) async fn finish(State(app): State<App>, request: Request, next: Next) -> Response {
    let id = app.meters.next_id();
    let what = format!("{} {}", request.method(), request.uri().path());
    let begun = Instant::now();
    let mut response = next.run(request).await;
    let status = response.status();
    app.meters.answered(status, begun.elapsed());
    if status.is_server_error() {
        tracing::warn!(request_id = id, request = what, status = status.as_u16(), "failed");
    } else {
        tracing::debug!(request_id = id, request = what, status = status.as_u16(), "answered");
    }
    let is_error = status.is_client_error() || status.is_server_error();
    if is_error && !is_page(&response) {
        let allow = response.headers_mut().remove(header::ALLOW);
        let problem = response.extensions_mut().remove::<Problem>();
        response = problem.unwrap_or_else(|| Problem::of_status(status)).render(Some(&id));
        if let Some(allow) = allow {
            response.headers_mut().insert(header::ALLOW, allow);
        }
    }
    let headers = response.headers_mut();
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    response
}

fn is_page(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// A panic of a handler: our bug, told as a fault.
pub(crate) fn panicked(cause: Box<dyn Any + Send + 'static>) -> Response {
    let words = cause.downcast_ref::<String>().map(String::as_str);
    let words = words.or_else(|| cause.downcast_ref::<&str>().copied());
    Problem::fault(format!("a handler panicked: {}", words.unwrap_or("no words"))).into_response()
}

/// Bounds the time and the number of requests at once.
pub(crate) async fn bounded(State(app): State<App>, request: Request, next: Next) -> Response {
    let Ok(_permit) = app.requests.try_acquire() else {
        let words = "The node is serving as many requests as it takes at once.";
        return Problem::busy("server.busy", words).into_response();
    };
    let is_submission = request.method() == Method::POST && request.uri().path() == "/v1/events";
    let limits = &app.limits;
    let extra = if is_submission { limits.wait_max } else { Duration::ZERO };
    let limit = limits.request_timeout.saturating_add(extra);
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let words = "The node did not answer in time.";
            Problem::busy("server.timeout", words).into_response()
        }
    }
}

/// Takes a request from its client's allowance.
pub(crate) async fn rated(State(app): State<App>, request: Request, next: Next) -> Response {
    let Some(rate) = app.limits.rate else { return next.run(request).await };
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let address = peer.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |peer| peer.0.ip());
    let address = address.to_canonical();
    if app.limits.is_loopback_spared && address.is_loopback() {
        return next.run(request).await;
    }
    match app.clients.take(address, rate, Instant::now()) {
        Ok(()) => next.run(request).await,
        Err(wait) => {
            let words = "Too many requests from this address; wait, then go on more slowly.";
            let status = StatusCode::TOO_MANY_REQUESTS;
            let problem = Problem::new(status, "request.rate", words);
            let seconds = wait.as_millis().div_ceil(1_000).max(1);
            let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
            Problem { retry_after_s: Some(seconds), ..problem }.into_response()
        }
    }
}

/// Token buckets by client address. A bucket is kept as the moment at which it is full again
/// (the theoretical arrival time of the generic cell rate algorithm).
#[derive(Default)]
pub(crate) struct Clients(Mutex<HashMap<IpAddr, Instant>>);

impl Clients {
    /// Takes one token, or says how long until there is one.
    fn take(&self, address: IpAddr, rate: Rate, now: Instant) -> Result<(), Duration> {
        let mut full_at = self.0.lock().unwrap_or_else(|error| error.into_inner());
        if full_at.len() >= CLIENTS_MAX {
            full_at.retain(|_, moment| *moment > now);
        }
        let network = network_of(address);
        let is_crowded = full_at.len() >= CLIENTS_MAX && !full_at.contains_key(&network);
        // With more clients than are remembered, the others share one bucket.
        let key = if is_crowded { IpAddr::V6(Ipv6Addr::UNSPECIFIED) } else { network };
        let moment = full_at.get(&key).copied().unwrap_or(now).max(now);
        let room = rate.refill.saturating_mul(rate.burst.saturating_sub(1));
        let ahead = moment.saturating_duration_since(now);
        if let Some(wait) = ahead.checked_sub(room).filter(|wait| !wait.is_zero()) {
            return Err(wait);
        }
        if let Some(next) = moment.checked_add(rate.refill) {
            full_at.insert(key, next);
        }
        Ok(())
    }
}

/// Whoever has one IPv6 address has its whole /64.
fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Broken by: not waiting, waiting too long, or one client's requests counting for another.
    #[test]
    fn a_client_waits_as_long_as_it_was_told() {
        let (clients, start) = (Clients::default(), Instant::now());
        let rate = Rate { burst: 2, refill: Duration::from_secs(10) };
        let take = |address: &str, second: u64| {
            let now = start + Duration::from_secs(second);
            clients.take(address.parse().unwrap(), rate, now).map_err(|wait| wait.as_secs())
        };
        assert_eq!(take("203.0.113.1", 0), Ok(()));
        assert_eq!(take("203.0.113.1", 0), Ok(()));
        assert_eq!(take("203.0.113.1", 0), Err(10));
        assert_eq!(take("203.0.113.2", 0), Ok(()));
        assert_eq!(take("203.0.113.1", 4), Err(6));
        assert_eq!(take("203.0.113.1", 10), Ok(()));
        assert_eq!(take("203.0.113.1", 10), Err(10));
    }

    // Broken by: limiting single IPv6 addresses, of which everybody has 2^64.
    #[test]
    fn an_ipv6_network_is_one_client() {
        let network = |text: &str| network_of(text.parse().unwrap());
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:2"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
    }
}
