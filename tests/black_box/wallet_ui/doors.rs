//! Who may come in.

use crate::browser::{Browser, PASSWORD, Ui, between, split};
use crate::support::cli;
use crate::support::http::{Answer, exchange};
use crate::support::network::{Network, folder};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const PAGES: [&str; 8] =
    ["unlock", "overview", "send", "receive", "history", "events", "review?id=1", "result?id=1"];

fn requires_strictness(answer: &Answer) {
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'self'; img-src 'self';"));
    for part in ["form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains("script-src"), "{policy}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert!(answer.header("access-control-allow-origin").is_none());
    assert!(!answer.text().contains("<script"), "pages run nothing");
}

// Broken by: trusting loopback, comparing part of the token, or a cookie that scripts, other
// sites or other ports' pages get.
#[test]
fn the_token_lets_one_browser_in() {
    let network = Network::new();
    let ui = Ui::start(&network.home, &[]);
    let (address, path) = split(&ui.url);
    assert!(address.starts_with("127.0.0.1:"));
    let token = path.strip_prefix("/enter?token=").unwrap();
    assert_eq!(token.len(), 64);
    let get = |path: &str, headers: &[(&str, &str)]| {
        exchange(address, &format!("GET {path}"), headers, &[]).unwrap()
    };
    let zeros = "0".repeat(64);
    for wrong in ["", &zeros, &token[..63], &format!("{token}0"), &token.to_uppercase()] {
        let answer = get(&format!("/enter?token={wrong}"), &[]);
        assert_eq!(answer.status, 403, "{wrong}");
        assert!(answer.header("set-cookie").is_none());
        requires_strictness(&answer);
    }
    let entered = get(path, &[]);
    let cookie = entered.header("set-cookie").unwrap();
    let (pair, flags) = cookie.split_once("; ").unwrap();
    let browser = Browser::enter(&ui.url);
    assert_eq!(flags, format!("Path={}; HttpOnly; SameSite=Strict", browser.room));
    assert!(!cookie.contains(token), "the cookie is no copy of the token");
    assert_eq!(entered.header("location").unwrap(), format!("{}/overview", browser.room));
    assert_eq!(pair, browser.cookie);

    let name = pair.split('=').next().unwrap();
    let forged = format!("{name}={zeros}");
    let as_cookie = format!("{name}={token}");
    for page in PAGES {
        let path = format!("{}/{page}", browser.room);
        for headers in [
            vec![],
            vec![("Cookie", forged.as_str())],
            vec![("Cookie", &as_cookie)],
            vec![("Authorization", &as_cookie)],
        ] {
            let answer = get(&path, &headers);
            assert_eq!(answer.status, 403, "{page}: {headers:?}");
            requires_strictness(&answer);
        }
    }
    assert_eq!(get("/overview", &[("Cookie", pair)]).status, 404);
    for path in ["/style.css", "/icon.svg"] {
        assert_eq!(get(path, &[]).status, 200);
    }
    let unlock = browser.get("unlock");
    requires_strictness(&unlock);
    for name in ["alice", "bob", "carol"] {
        assert!(unlock.text().contains(name));
    }
    assert_eq!(browser.next(&browser.get("overview")), "unlock");
}

// Broken by: a name that leads here, a page of another origin or port, or a request that does
// not say where it comes from.
#[test]
fn only_its_own_pages_may_ask() {
    let network = Network::new();
    let ui = Ui::start(&network.home, &[]);
    let browser = Browser::enter(&ui.url);
    let port = browser.address.rsplit(':').next().unwrap();
    let unlock = format!("GET {}/unlock", browser.room);
    for host in ["example.org", &format!("example.org:{port}"), "127.0.0.1", "127.0.0.1:1", ""] {
        for request in [unlock.as_str(), "GET /style.css", &format!("GET {}", split(&ui.url).1)] {
            let answer = browser.ask(request, &[("Host", host)], &[]);
            assert_eq!(answer.status, 403, "{request}: {host}");
        }
    }
    for host in [format!("localhost:{port}"), format!("[::1]:{port}")] {
        assert_eq!(browser.ask(&unlock, &[("Host", &host)], &[]).status, 200, "{host}");
    }
    for site in ["cross-site", "same-site"] {
        assert_eq!(browser.ask(&unlock, &[("Sec-Fetch-Site", site)], &[]).status, 403);
    }

    let own = format!("http://{}", browser.address);
    let post = |headers: &[(&str, &str)], key: &str| {
        let body = format!("wallet=alice&password={PASSWORD}&form_key={key}");
        browser.ask(&format!("POST {}/unlock", browser.room), headers, body.as_bytes())
    };
    let key = browser.form_key.as_str();
    for origin in
        ["null", "http://example.org", "http://127.0.0.1:1", &format!("https{}", &own[4..])]
    {
        assert_eq!(post(&[FORM, ("Origin", origin)], key).status, 403, "{origin}");
    }
    assert_eq!(post(&[FORM], key).status, 403, "no origin");
    let other = format!("http://localhost:{port}");
    assert_eq!(post(&[FORM, ("Origin", &other)], key).status, 403, "another host than asked");
    for wrong in ["", &"0".repeat(64), &key[..63]] {
        assert_eq!(post(&[FORM, ("Origin", &own)], wrong).status, 403, "form key {wrong}");
    }
    let plain = ("Content-Type", "text/plain");
    assert_eq!(post(&[plain, ("Origin", &own)], key).status, 415);
    let long = "x".repeat(64 * 1024 + 1);
    assert_eq!(post(&[FORM, ("Origin", &own)], &long).status, 413);
    assert_eq!(browser.get("lock").status, 405, "nothing changes by GET");
    assert_eq!(browser.get("confirm").status, 405);
    assert_eq!(browser.next(&browser.get("overview")), "unlock", "nothing of that opened it");
    assert_eq!(post(&[FORM, ("Origin", &own)], key).status, 303);
}

// Broken by: listening for a network, or taking a node of another network.
#[test]
fn it_starts_on_this_machine_for_its_own_network() {
    let folder = folder();
    let start = |home: &std::path::Path, arguments: &[&str]| {
        cli::ddt(home, &[&["wallet", "ui"], arguments].concat()).refusal()
    };
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "10.0.0.1:4000"] {
        let refused = start(folder.path(), &["--listen", address]);
        assert_eq!(refused, (2, "usage".to_string()), "{address}");
    }
    let nobody = start(folder.path(), &["--api", "http://127.0.0.1:1"]);
    assert_eq!(nobody, (5, "client.refused".to_string()));
    let (one, other) = (Network::new(), Network::new());
    let foreign = start(&one.home, &["--api", other.text("api")]);
    assert_eq!(foreign, (1, "fault".to_string()));
    for wrong in ["0s", "5", "2d"] {
        let ending = cli::ddt(&one.home, &["wallet", "ui", "--lock-after", wrong]);
        assert_eq!(ending.code, Some(2), "{ending:?}");
    }
    let ui = Ui::start(&one.home, &["--listen", "127.0.0.1:0"]);
    let text = Browser::enter(&ui.url).page("unlock");
    assert_eq!(between(&text, "<h1>", "</h1>"), "Unlock a wallet");
    assert_eq!(ui.interrupt(), Some(0));
}
