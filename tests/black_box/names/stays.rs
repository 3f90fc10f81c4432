//! Keeping a name: renewing it, having it renewed, and losing it.

use crate::scene::{Scene, apt, fee};
use crate::support::eventually;
use crate::support::network::{Network, folder};

/// Years of a minute, in which nearly all is time for renewals.
const SHORT: [&str; 3] =
    ["domain_year_ms=60000", "domain_grace_ms=60000", "domain_renewal_ms=58000"];

// Broken by: a renewal that begins anew instead of going on, or costs another price.
#[test]
fn a_name_is_renewed_at_the_price_shown() {
    let scene = Scene::new();
    scene.buy("alice", "hello");
    let year = 31_536_000_000;
    let until = |scene: &Scene| scene.domain(&["resolve", "hello"])["until"].as_u64().unwrap();
    let before = (until(&scene), scene.balance("alice"));
    let renewed = scene.domain(&["renew", "hello", "--years", "2", "--from", "alice"]);
    assert_eq!(until(&scene), before.0 + 2 * year);
    let spent = apt("200").plus(fee(&renewed)).unwrap();
    assert_eq!(scene.balance("alice"), before.1.minus(spent).unwrap());
    // Anybody may pay for it; it stays its owner's.
    scene.domain(&["renew", "hello.ddt", "--max-price", "100", "--from", "bob"]);
    assert_eq!(
        (until(&scene), scene.owner("hello")),
        (before.0 + 3 * year, scene.account("alice"))
    );

    let renew = |more: &[&'static str]| [&["renew", "hello", "--from", "alice"], more].concat();
    scene.expect("domains.price_above_cap", &renew(&["--max-price", "99.9"]));
    scene.expect("domains.term", &renew(&["--years", "11"]));
    scene.expect("domains.term_limit", &renew(&["--years", "8"]));
    assert_eq!(scene.refusal(&["renew", "nobody", "--from", "alice"]).0, 4);
    assert_eq!(scene.refusal(&renew(&["--max-price", "x"])).0, 3);
    assert_eq!(scene.refusal(&renew(&["--auto"])), (2, "usage".to_string()), "how much?");
    scene.expect("domains.no_prepaid", &renew(&["--auto-off"]));
    scene.expect(
        "domains.not_owner",
        &["renew", "hello", "--auto", "--allowance", "1", "--from", "bob"],
    );
    assert_eq!(until(&scene), before.0 + 3 * year);
    scene.check_sums();
}

// Broken by: an agent that does not submit, submits twice for one term, or pays itself.
#[test]
fn a_node_renews_a_name_from_money_put_aside() {
    let scene = Scene::with(&SHORT);
    scene.buy("alice", "kept-name");
    let until = |scene: &Scene| scene.domain(&["resolve", "kept-name"])["until"].as_u64().unwrap();
    let before = until(&scene);
    let auto = ["renew", "kept-name", "--auto", "--allowance", "250", "--max-price", "60"];
    scene.domain(&[auto.as_slice(), &["--from", "alice"]].concat());
    let renewed = eventually("the node renews it", || {
        scene.history("kept-name", "domains.renew_prepaid").pop()
    });
    assert_eq!(renewed["outcome"], "done");
    assert_eq!(renewed["author"], scene.account("operator"), "by its own key");
    assert!(until(&scene) >= before + 60_000);
    assert_eq!(scene.owner("kept-name"), scene.account("alice"));

    // A zero allowance only changes how; what is left comes back.
    scene.domain(&["renew", "kept-name", "--auto", "--max-price", "70", "--from", "alice"]);
    let prepaid = scene.network.json("/v1/views/domains/prepaid?name=kept-name")["rows"][0].clone();
    assert_eq!(prepaid["price_max"], "70");
    let aside = apt(prepaid["balance"].as_str().unwrap());
    assert!(aside < apt("201"), "{aside} APT are left after one renewal");
    let done = scene.history("kept-name", "domains.renew_prepaid").len();
    let balance = scene.balance("alice");
    let stopped = scene.domain(&["renew", "kept-name", "--auto-off", "--from", "alice"]);
    if scene.history("kept-name", "domains.renew_prepaid").len() == done {
        let back = balance.plus(aside).unwrap().minus(fee(&stopped)).unwrap();
        assert_eq!(scene.balance("alice"), back);
    }
    assert_eq!(scene.network.get("/v1/views/domains/prepaid?name=kept-name").status, 404);
    scene.check_sums();
}

// Broken by: tasks that a restart forgets.
#[test]
fn a_node_that_was_killed_renews_what_became_due() {
    let folder = folder();
    let home = folder.path().join("state");
    let scene = Scene { network: Network::try_start_tuned(&home, &SHORT).unwrap() };
    scene.buy("alice", "kept-name");
    let auto = ["renew", "kept-name", "--auto", "--allowance", "60", "--from", "alice"];
    scene.domain(&auto);
    scene.network.kill();
    let scene = Scene { network: Network::start(&home) };
    eventually("the node renews it", || scene.history("kept-name", "domains.renew_prepaid").pop());
    scene.check_sums();
}

// Broken by: selling an expired name without its premium, or hiding the premium.
#[test]
fn a_name_that_ran_out_costs_a_premium_that_falls() {
    let scene = Scene::with(&["domain_year_ms=20000", "domain_grace_ms=1000"]);
    scene.domain(&["buy", "forgotten", "--from", "alice"]);
    let quote = eventually("it is free again", || {
        let found = scene.domain(&["search", "forgotten"]);
        (found["quote"]["is_free"] == true).then(|| found["quote"].clone())
    });
    let of = |name: &str| apt(quote[name].as_str().unwrap());
    assert!(of("premium") > apt("1000"), "{quote}");
    assert_eq!(of("total"), of("price").plus(of("premium")).unwrap());
    let words = scene.network.ddt(&["domain", "search", "forgotten"]);
    assert_eq!(words.code, Some(0));
    scene.expect(
        "domains.price_above_cap",
        &["buy", "forgotten", "--max-price", "50", "--from", "bob"],
    );
    let before = scene.balance("bob");
    scene.domain(&["buy", "forgotten", "--from", "bob"]);
    let paid = before.minus(scene.balance("bob")).unwrap();
    assert!(paid > apt("1000") && paid <= of("total").plus(apt("1")).unwrap(), "{paid} APT");
    scene.check_sums();
}
