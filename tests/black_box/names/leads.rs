//! What a name leads to, and the proofs of it.

use std::fs;

use serde_json::{Value as Json, json};

use crate::scene::Scene;
use crate::support::{cli, eventually};

fn record(label: &str, kind: &str, ttl: u32, value: &str) -> Json {
    json!({ "label": label, "kind": kind, "ttl": ttl, "value": value })
}

impl Scene {
    fn records(&self, name: &str) -> Json {
        self.domain(&["records", name])["records"].clone()
    }

    fn set(&self, name: &str, more: &[&str]) -> Json {
        self.domain(&[&["set", name, "--from", "alice"], more].concat())
    }
}

// Broken by: an edit that loses other records, or a spelling that the ledger does not take.
#[test]
fn records_are_set_added_removed_and_cleared() {
    let scene = Scene::new();
    scene.buy("alice", "leading");
    assert_eq!(scene.records("leading"), json!([]));
    scene.set("leading", &["www A 192.0.2.1 300", "@ 600 IN TXT \"v=1; all of it\""]);
    let www = record("www", "a", 300, "192.0.2.1");
    let text = record("@", "txt", 600, "v=1; all of it");
    assert_eq!(scene.records("leading"), json!([www, text]));

    scene.set("leading", &["--add", "WWW AAAA 2001:DB8:0::1", "--remove", "@ TXT"]);
    let six = record("www", "aaaa", 3_600, "2001:db8::1");
    assert_eq!(scene.records("leading"), json!([www, six]));
    let longer = record("www", "a", 900, "192.0.2.1");
    scene.set("leading", &["--add", "www A 192.0.2.1 900"]);
    assert_eq!(scene.records("leading"), json!([six, longer]), "the same one, kept longer");
    let same = scene.set("leading", &["www AAAA 2001:db8::1", "www A 192.0.2.1 900"]);
    assert_eq!(same["changed"], false, "nothing is signed for nothing");

    let file = scene.network.home.join("records.toml");
    let toml = "[[record]]\nkind = \"key\"\nttl = 60\nvalue = \"mail ";
    fs::write(&file, format!("{toml}{}\"\n", "ab".repeat(32))).unwrap();
    scene.set("leading", &["--file", file.to_str().unwrap()]);
    let key = record("@", "key", 60, &format!("mail {}", "ab".repeat(32)));
    assert_eq!(scene.records("leading"), json!([key]));
    let file = scene.network.home.join("records.txt");
    fs::write(&file, "; a zone\n_sip._tcp 60 IN SRV 10 5 5060 SIP.Example.org. ; calls\n").unwrap();
    scene.set("leading", &["--file", file.to_str().unwrap(), "@ A 192.0.2.9"]);
    let calls = record("_sip._tcp", "srv", 60, "10 5 5060 sip.example.org");
    assert_eq!(scene.records("leading"), json!([calls, record("@", "a", 3_600, "192.0.2.9")]));
    scene.set("leading", &["--clear"]);
    assert_eq!(scene.records("leading"), json!([]));
}

// Broken by: a version that stands still, so that an older site could come back.
#[test]
fn a_site_has_a_version_that_rises_by_itself() {
    let scene = Scene::new();
    scene.buy("alice", "sited-name");
    for (version, hash) in [(1, "ab".repeat(32)), (2, "cd".repeat(32))] {
        scene.set("sited-name", &["--site", &hash]);
        let shown = scene.domain(&["records", "sited-name"]);
        assert_eq!((&shown["manifest"], &shown["version"]), (&json!(hash), &json!(version)));
    }
    scene.set("sited-name", &["--site", "none"]);
    let shown = scene.domain(&["records", "sited-name"]);
    assert_eq!((&shown["manifest"], &shown["version"]), (&Json::Null, &json!(3)));
    let wrong = ["set", "sited-name", "--site", "abc", "--from", "alice"];
    assert_eq!(scene.refusal(&wrong).0, 2);
}

// Broken by: passing on what is no record, or saying only that something is wrong.
#[test]
fn wrong_records_are_named() {
    let scene = Scene::new();
    scene.buy("alice", "leading");
    let set = |more: &[&str]| {
        scene.network.ddt(&[&["domain", "set", "leading", "--from", "alice"], more].concat())
    };
    for (code, line, shown) in [
        ("domains.record_a", "www A 192.0.2.256", "www A 192.0.2.256 3600"),
        ("domains.record_aaaa", "www AAAA 2001::db8::1", "www AAAA 2001::db8::1 3600"),
        ("domains.record_cname", "www CNAME localhost", "www CNAME localhost 3600"),
        ("domains.record_cname_alone", "@ CNAME www.example.org", "@ CNAME www.example.org 3600"),
        ("domains.record_key", "@ KEY mail ab", "@ KEY mail ab 3600"),
        ("domains.record_label", "www- A 192.0.2.1", "www- A 192.0.2.1 3600"),
        ("domains.record_srv", "@ SRV 1 2 65536 a.b", "@ SRV 1 2 65536 a.b 3600"),
        ("domains.record_tlsa", "@ TLSA 4 1 1 ab", "@ TLSA 4 1 1 ab 3600"),
        ("domains.record_ttl", "www A 192.0.2.1 59", "www A 192.0.2.1 59"),
        ("domains.record_txt", "www TXT \"\"", "www TXT \"\" 3600"),
    ] {
        let ending = set(&["@ A 192.0.2.1", line]);
        assert_eq!(ending.refusal(), (3, code.to_string()), "{line}");
        assert_eq!(ending.envelope()["error"]["field"], shown);
    }
    let twice = set(&["www A 192.0.2.1", "www A 192.0.2.1"]);
    assert_eq!(twice.refusal(), (3, "domains.record_twice".to_string()));
    let words = "x".repeat(250);
    let many: Vec<String> = (0..9).map(|at| format!("@ TXT {at}{words}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(set(&many).refusal(), (3, "domains.records_too_long".to_string()));
    for wrong in [
        &["www MX 10 mail"][..],
        &["www"],
        &[],
        &["--remove", "www A"],
        &["--file", "/nowhere/at/all.toml"],
    ] {
        let code = set(wrong).code;
        assert!(code == Some(2) || code == Some(1), "{wrong:?}: {code:?}");
    }
    scene.expect("domains.not_owner", &["set", "leading", "@ A 192.0.2.1", "--from", "bob"]);
    assert_eq!(scene.refusal(&["set", "nobody", "@ A 192.0.2.1", "--from", "alice"]).0, 4);
    assert_eq!(scene.refusal(&["records", "nobody"]).0, 4);
    assert_eq!(scene.records("leading"), json!([]));
}

// Broken by: a proof of another row, or one of absence that holds where there is a row.
#[test]
fn records_and_their_absence_are_proven_offline() {
    let scene = Scene::new();
    scene.buy("alice", "proven");
    let genesis = scene.network.text("genesis").to_string();
    let verify =
        |file: &str| cli::ddt(&scene.network.home, &["verify", file, "--genesis", &genesis]);
    let path = |name: &str| scene.network.home.join(name).to_str().unwrap().to_string();
    let (absent, present) = (path("absent.json"), path("present.json"));
    // The proof is of the last certified anchor.
    scene.domain(&["records", "proven", "--proof", &absent]);
    let none = verify(&absent).data();
    assert!(none["proven"].as_str().unwrap().contains("no "), "{none}");
    assert_eq!(none["values"]["name"], "proven");
    scene.set("proven", &["www A 192.0.2.1 300"]);
    let shown = eventually("the records are proven", || {
        scene.domain(&["records", "proven", "--proof", &present]);
        let shown = verify(&present).data();
        shown["values"]["records"].is_array().then_some(shown)
    });
    assert_eq!(shown["values"]["records"], json!([record("www", "a", 300, "192.0.2.1")]));
    // A name that nobody has: the absence is proven, and the command says so.
    let nobody = path("nobody.json");
    assert_eq!(scene.refusal(&["records", "nobody", "--proof", &nobody]).0, 4);
    assert_eq!(verify(&nobody).data()["values"]["name"], "nobody");
    // What is changed does not hold.
    let text = fs::read_to_string(&present).unwrap();
    let mut proof: Json = serde_json::from_str(&text).unwrap();
    let value = proof.pointer_mut("/claim/row/value").unwrap();
    let changed = value.as_str().unwrap().replacen('3', "4", 1);
    *value = Json::from(changed);
    fs::write(&present, proof.to_string()).unwrap();
    assert_eq!(verify(&present).refusal(), (7, "proof".to_string()));
}
