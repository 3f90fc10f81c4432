//! The pages: they work without scripts and load nothing from elsewhere.

use ddt_api::Limits;

use crate::network::{Network, account};
use crate::programmes::claim;
use crate::wire::get;

async fn page(at: &str, path: &str) -> String {
    let answer = get(at, path).await;
    assert_eq!(answer.status, 200, "{path}");
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    answer.text()
}

/// Every value of these attributes in a page.
fn links(page: &str) -> Vec<String> {
    let of = |attribute: &str| {
        let start = format!(" {attribute}=\"");
        let parts = page.split(start.as_str()).skip(1);
        parts.map(|part| part.split('"').next().unwrap().to_string()).collect::<Vec<_>>()
    };
    [of("href"), of("src"), of("action")].concat()
}

// Broken by: a page that needs another host, or a link that leads nowhere.
#[tokio::test(flavor = "multi_thread")]
async fn pages_link_to_each_other_only() {
    let network = Network::new();
    let at = network.serve(Limits::default()).await;
    network.pay_in_anchors(25);
    let event = network.enqueue(&network.event(1, claim("bob")));
    network.commit();
    network.commit();
    let mut paths = vec![
        "/".to_string(),
        "/docs".to_string(),
        "/economy".to_string(),
        "/domain/bob.ddt".to_string(),
        format!("/event/{event}"),
        format!("/account/{}", account(1)),
    ];
    let mut seen = Vec::new();
    while let Some(path) = paths.pop() {
        if seen.contains(&path) {
            continue;
        }
        let markup = page(&at, &path).await;
        assert!(!markup.contains(" style=") && !markup.contains(" onclick="), "{path}");
        for link in links(&markup) {
            assert!(link.starts_with('/') && !link.starts_with("//"), "{path}: {link}");
            let is_page =
                ["/anchor", "/event", "/account", "/zone", "/routers", "/domain/", "/economy"]
                    .iter()
                    .any(|start| link.starts_with(start));
            if is_page && !link.contains('{') {
                paths.push(link);
            } else if link.starts_with("/assets/") {
                assert_eq!(get(&at, &link).await.status, 200, "{link}");
            }
        }
        seen.push(path);
    }
    assert!(seen.len() > 20, "{seen:?}");
}

// Broken by: figures that are not the API's, or words from the ledger taken for markup.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_page_shows_the_ledger() {
    let network = Network::new();
    let at = network.serve(Limits::default()).await;
    assert!(page(&at, "/").await.contains("None yet."));
    network.enqueue(&network.event(1, claim("<script>alert(1)</script>")));
    network.commit();
    let markup = page(&at, "/").await;
    assert!(markup.contains("domains.claim") && markup.contains("2,051") | markup.contains("2051"));
    let event = page(&at, "/event/7:1").await;
    assert!(event.contains("&lt;script&gt;alert(1)") && !event.contains("<script>alert"));
}

// Broken by: a search that answers JSON to people, or an error without a page.
#[tokio::test(flavor = "multi_thread")]
async fn the_search_box_leads_on() {
    let network = Network::new();
    let at = network.serve(Limits::default()).await;
    network.pay_in_anchors(1);
    let answer = get(&at, "/search?q=1").await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/anchor/1")));
    for (path, status) in [
        ("/search?q=nobody", 404),
        ("/search?q=", 400),
        ("/anchor/9", 404),
        ("/event/x", 404),
        ("/account/x", 404),
        ("/domain/nobody", 404),
    ] {
        let answer = get(&at, path).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.text().starts_with("<!DOCTYPE html>"), "{path}");
    }
}
