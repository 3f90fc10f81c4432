//! Who may come in. Every program and every web page on this machine reaches a loopback port,
//! so each request must show that it comes from the browser that was let in, and from a page
//! of this listener.
//!
//! The token in the printed address is exchanged for a cookie. Browsers send a cookie to
//! every port of a host, so it is bound to a path that nobody else knows either.

use std::net::{IpAddr, SocketAddr};

use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::trouble::Trouble;
use crate::failure::Failure;
use crate::secret_file;

/// Where the token is exchanged for the cookie.
pub const ENTRANCE: &str = "/enter";
/// What anybody who names this machine rightly may load: it holds nothing of anybody.
pub const OPEN: [&str; 3] = [ENTRANCE, "/style.css", "/icon.svg"];

/// What a request must show.
pub struct Gate {
    listen: SocketAddr,
    token: Zeroizing<String>,
    cookie: Zeroizing<String>,
    form_key: Zeroizing<String>,
    room: String,
}

fn secret() -> Result<Zeroizing<String>, Failure> {
    Ok(Zeroizing::new(hex::encode(&secret_file::random()?[..])))
}

fn is_same(given: &str, secret: &str) -> bool {
    given.as_bytes().ct_eq(secret.as_bytes()).into()
}

impl Gate {
    /// A gate with new secrets for the listener at this address.
    pub fn new(listen: SocketAddr) -> Result<Gate, Failure> {
        let room = format!("/{}", secret()?.get(..32).unwrap_or_default());
        let (token, cookie, form_key) = (secret()?, secret()?, secret()?);
        Ok(Gate { listen, token, cookie, form_key, room })
    }

    /// The address to open, with the token in it.
    pub fn address(&self) -> String {
        format!("http://{}{ENTRANCE}?token={}", self.listen, self.token.as_str())
    }

    /// The path under which all pages are.
    pub fn room(&self) -> &str {
        &self.room
    }

    /// What every form holds, so that no other page can have made it.
    pub fn form_key(&self) -> &str {
        &self.form_key
    }

    /// Whether this is the printed token.
    pub fn knows_token(&self, given: &str) -> bool {
        is_same(given, &self.token)
    }

    /// Whether a form is one of ours.
    pub fn knows_form(&self, given: &str) -> bool {
        is_same(given, &self.form_key)
    }

    /// The cookie's name: another wallet page on this machine has another.
    fn cookie_name(&self) -> String {
        format!("ddt_wallet_{}", self.listen.port())
    }

    /// The header that lets a browser in.
    pub fn set_cookie(&self) -> String {
        let (name, value) = (self.cookie_name(), self.cookie.as_str());
        format!("{name}={value}; Path={}; HttpOnly; SameSite=Strict", self.room)
    }

    fn has_cookie(&self, headers: &HeaderMap) -> bool {
        let name = self.cookie_name();
        let lines = headers.get_all(header::COOKIE).iter();
        let pairs = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(';'));
        let values = pairs.filter_map(|pair| pair.trim().strip_prefix(&name)?.strip_prefix('='));
        values.fold(false, |found, value| found | is_same(value, &self.cookie))
    }

    /// Lets a request pass, or says why not.
    pub fn check(&self, method: &Method, path: &str, headers: &HeaderMap) -> Result<(), Trouble> {
        let forbidden = |words: &str| Err(Trouble::new(StatusCode::FORBIDDEN, words));
        let host = text(headers, &header::HOST).unwrap_or_default();
        if headers.get_all(header::HOST).iter().count() != 1 || !self.is_own_host(host) {
            return forbidden(
                "The Host must be this listener, by a loopback address or localhost.",
            );
        }
        let origin = headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
        let is_own = origin.map(|origin| origin.strip_prefix("http://") == Some(host));
        // Browsers say with every form where it was; what does not is no page of ours.
        if !is_own.unwrap_or(method != Method::POST) {
            return forbidden("Pages of other origins may not use the wallet.");
        }
        if OPEN.contains(&path) {
            return Ok(());
        }
        let site = headers.get(HeaderName::from_static("sec-fetch-site"));
        if site.is_some_and(|site| site != "same-origin" && site != "none") {
            return forbidden(
                "Another page led here. Open the address that ddt wallet ui printed in the \
                 browser's address line.",
            );
        }
        if self.has_cookie(headers) {
            return Ok(());
        }
        forbidden("Open the address that ddt wallet ui printed: it lets this browser in.")
    }

    /// Whether a Host is this listener by literal. Any other name might be pointed here by
    /// its owner.
    fn is_own_host(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else { return false };
        if host.contains('@') || authority.port_u16().unwrap_or(80) != self.listen.port() {
            return false;
        }
        let name = authority.host();
        let literal = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        literal.map_or(name.eq_ignore_ascii_case("localhost"), |address| address.is_loopback())
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate() -> Gate {
        Gate::new("127.0.0.1:4000".parse().unwrap()).unwrap()
    }

    // Broken by: resolving names, forgetting the port, or user names before the host.
    #[test]
    fn hosts_are_literal() {
        let gate = gate();
        for host in ["127.0.0.1:4000", "localhost:4000", "LOCALHOST:4000", "[::1]:4000"] {
            assert!(gate.is_own_host(host), "{host}");
        }
        for host in [
            "",
            "127.0.0.1",
            "127.0.0.1:4001",
            "localhost",
            "localhost.:4000",
            "example.org:4000",
            "127.0.0.1.example.org:4000",
            "x@127.0.0.1:4000",
            "10.0.0.1:4000",
            "0.0.0.0:4000",
            "[::]:4000",
            "2130706433:4000",
        ] {
            assert!(!gate.is_own_host(host), "{host}");
        }
    }

    // Broken by: comparing beginnings, taking another port's cookie, or an empty one.
    #[test]
    fn only_the_whole_cookie_counts() {
        let gate = gate();
        let own = gate.set_cookie();
        let (pair, flags) = own.split_once("; ").unwrap();
        assert_eq!(flags, format!("Path={}; HttpOnly; SameSite=Strict", gate.room()));
        let has = |cookie: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, cookie.parse().unwrap());
            gate.has_cookie(&headers)
        };
        assert!(has(pair) && has(&format!("a=b; {pair}; c=d")));
        let value = pair.split_once('=').unwrap().1;
        for wrong in [
            "",
            "ddt_wallet_4000=",
            &pair[..pair.len() - 1],
            &format!("{pair}0"),
            &format!("ddt_wallet_4001={value}"),
            &format!("xddt_wallet_4000={value}"),
        ] {
            assert!(!has(wrong), "{wrong}");
        }
    }

    // Broken by: making one secret of another, or the same twice.
    #[test]
    fn secrets_differ() {
        let (one, other) = (gate(), gate());
        let of = |gate: &Gate| {
            let secrets = [gate.token.as_str(), &gate.cookie, &gate.form_key, &gate.room[1..]];
            secrets.map(str::to_string)
        };
        let mut all = [of(&one), of(&other)].concat();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 8);
        assert!(one.knows_token(&one.token) && !one.knows_token(&other.token));
        assert!(!one.knows_token("") && !one.knows_token(&one.token[..63]));
    }
}
