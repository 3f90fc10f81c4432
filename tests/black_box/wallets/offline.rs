//! Signing far from any network, and submitting later.

use std::fs;

use serde_json::{Value as Json, json};

use crate::desk::{Desk, apt, balance, refused, text};
use crate::support::cli::{self, Ending};
use crate::support::network::{Network, folder};

/// A wallet's words and a genesis file on a machine without a network.
struct Cold {
    desk: Desk,
    genesis: String,
    bob: String,
}

impl Cold {
    fn new(network: &Network) -> Cold {
        let desk = Desk::new();
        desk.import_from(network, "alice", "1");
        let genesis = desk.path("genesis.toml");
        fs::copy(network.text("genesis"), &genesis).unwrap();
        let bob = network.signer("bob").account.to_string();
        Cold { desk, genesis, bob }
    }

    /// Signs a payment to bob into a new file.
    fn sign(&self, amount: &str, out: &str, more: &[&str]) -> Ending {
        let (to, amount) = (format!("to={}", self.bob), format!("amount={amount}"));
        let sign = ["wallet", "sign", "bank.transfer", &to, &amount, "--from", "alice"];
        let flags = ["--offline", "--genesis", &self.genesis, "--out", out];
        self.desk.ddt(&[&sign[..], &flags, more].concat())
    }

    /// The same; answers the file.
    fn signed(&self, amount: &str, name: &str, more: &[&str]) -> String {
        let out = self.desk.path(name);
        let data = self.sign(amount, &out, more).data();
        assert!(text(&data, "/words").starts_with(&format!("Pay {amount} APT to ")));
        assert_eq!(crate::desk::mode(&out), 0o600);
        out
    }
}

fn tickets(network: &Network) -> Vec<u64> {
    let listed = network.ddt(&["wallet", "tickets", "list", "alice"]).data();
    let rows = listed["tickets"].as_array().unwrap();
    rows.iter().map(|row| row["ticket"].as_u64().unwrap()).collect()
}

// Broken by: a ticket that ages, counts twice, or outlives its account's key; a nonce that
// does not age; an offline command that looks for a node.
#[test]
fn what_is_signed_offline_counts_once_and_whenever_it_comes() {
    let place = folder();
    let home = place.path().join("state");
    let network = Network::start(&home);
    let reserved = network.ddt(&["wallet", "tickets", "reserve", "4", "--from", "alice"]).data();
    assert_eq!(reserved["tickets"], json!([1, 2, 3, 4]));
    let cold = Cold::new(&network);
    assert_eq!(network.interrupt(), Some(0));

    let waiting = cold.signed("7", "waiting", &["--ticket", "1"]);
    let rival = cold.signed("8", "rival", &["--ticket", "1", "--again"]);
    let aging = cold.signed("9", "aging", &["--nonce", "now"]);
    let stale = cold.signed("10", "stale", &["--ticket", "2"]);
    let renewed = cold.signed("11", "renewed", &["--ticket", "3", "--rotations", "1"]);

    let network = Network::start(&home);
    let (alice, carol) = (network.signer("alice"), network.signer("carol"));
    for round in 0..44 {
        let stage = if round % 11 == 10 { "final" } else { "sequenced" };
        assert!(network.submit(stage, &alice.pay(&carol.account, "0.1")).status < 300);
    }
    let submit = |file: &str| network.ddt(&["submit", file]);
    refused(&submit(&aging), (3, "event.nonce_old"), &["did other things", "ticket"]);
    let done = submit(&waiting).data();
    assert_eq!(done["receipt"]["outcome"], "done");
    assert_eq!(balance(&network, "bob"), apt("1000007"));
    assert_eq!(tickets(&network), [2, 3, 4]);
    let again = submit(&waiting).data();
    assert_eq!(again["event"], done["event"], "the same event is not paid again");
    assert_eq!(balance(&network, "bob"), apt("1000007"));
    refused(&submit(&rival), (3, "event.ticket"), &["used the ticket"]);
    let forced = network.ddt(&["submit", &rival, "--force"]);
    refused(&forced, (3, "event.ticket"), &["Nothing was submitted"]);

    refused(&submit(&renewed), (3, "event.key"), &["--rotations"]);
    assert_eq!(network.ddt(&["wallet", "rotate", "alice"]).code, Some(0));
    refused(&submit(&stale), (3, "event.key"), &["replaced since", "sign it again"]);
    let stage = submit(&renewed).data()["stage"].clone();
    assert!(stage == "final" || stage == "proven", "{stage}");
    assert_eq!(balance(&network, "bob"), apt("1000018"));
    assert_eq!(tickets(&network), [2, 4]);
    people_read_what_they_submit(&network, &stale);
}

fn people_read_what_they_submit(network: &Network, file: &str) {
    let desk = Desk::new();
    let online = desk.path("fresh");
    let sign = ["wallet", "sign", "bank.transfer", "to=bob", "amount=1", "--from", "alice"];
    let signed = network.ddt(&[&sign[..], &["--out", &online]].concat()).data();
    assert_eq!(signed["nonce"], 2, "with a node, the lowest free ticket");
    let asked = cli::finish(cli::command(&network.home).args(["submit", &online]));
    assert_eq!(asked.code, Some(8), "{asked:#?}");
    assert!(asked.stderr.contains("Pay 1 APT to "), "{asked:#?}");
    let declined = cli::finish(cli::command(&network.home).args(["submit", file]));
    assert!(declined.stderr.contains("Pay 10 APT to "), "the words come first: {declined:#?}");
    let events = network.json("/v1/status")["events"].clone();
    assert_eq!(network.ddt(&["submit", &online]).code, Some(0));
    assert_ne!(network.json("/v1/status")["events"], events);
}

// Broken by: two events that silently share a ticket, or a ticket that nobody reserved.
#[test]
fn tickets_are_given_once() {
    let network = Network::new();
    let desk = Desk::new();
    let reserve =
        |count: &str| network.ddt(&["wallet", "tickets", "reserve", count, "--from", "alice"]);
    assert_eq!(tickets(&network), Vec::<u64>::new());
    let sign = |name: &str, more: &[&str]| {
        let out = desk.path(name);
        let sign = ["wallet", "sign", "bank.transfer", "to=bob", "amount=1", "--from", "alice"];
        network.ddt(&[&sign[..], &["--out", &out], more].concat())
    };
    let none = sign("none", &[]).data();
    assert!(none["nonce"].as_u64().unwrap() > 1 << 32, "without a ticket it is a nonce: {none}");
    refused(&sign("one", &["--ticket", "1"]), (3, "event.ticket"), &["never reserved"]);
    assert_eq!(reserve("2").code, Some(0));
    assert_eq!(sign("one", &[]).data()["nonce"], 1);
    assert_eq!(sign("two", &[]).data()["nonce"], 2);
    let listed = network.ddt(&["wallet", "tickets", "list", "alice"]).data();
    assert!(listed["tickets"][0]["given_to"].is_string(), "{listed}");
    let third = sign("three", &[]).data();
    assert!(third["nonce"].as_u64().unwrap() > 1 << 32, "no ticket is given twice: {third}");
    let taken = sign("four", &["--ticket", "2"]);
    refused(&taken, (2, "usage"), &["was given to the event", "--again"]);
    assert_eq!(sign("four", &["--ticket", "2", "--again"]).data()["nonce"], 2);
    refused(&reserve("0"), (3, "accounts.no_tickets"), &["at least one"]);
    assert_eq!(reserve("256").code, Some(2));
    refused(&reserve("127"), (3, "ledger.tickets_full"), &["ticket"]);
    assert_eq!(tickets(&network), [1, 2]);
}

// Broken by: signing for nobody knows which chain, for longer than it can count, or over a file.
#[test]
fn what_cannot_be_signed_is_refused() {
    let network = Network::new();
    let cold = Cold::new(&network);
    let out = cold.desk.path("out");
    let sign = |more: &[&str]| cold.sign("1", &out, more);
    refused(&sign(&[]), (2, "usage"), &["--ticket N", "--nonce now"]);
    for wrong in [
        vec!["--ticket", "0"],
        vec!["--ticket", "4294967296"],
        vec!["--ticket", "1", "--nonce", "now"],
        vec!["--nonce", "7"],
        vec!["--nonce", "now", "--valid-days", "0"],
        vec!["--nonce", "now", "--valid-days", "8"],
    ] {
        assert_eq!(sign(&wrong).code, Some(2), "{wrong:?}");
    }
    let amount = ["amount=1", "--from", "alice", "--offline", "--nonce", "now", "--out", &out];
    let to = format!("to={}", cold.bob);
    let unknown = cold.desk.ddt(&[&["wallet", "sign", "bank.nothing"], &amount[..]].concat());
    refused(&unknown, (2, "usage"), &["no event bank.nothing"]);
    let transfer = ["wallet", "sign", "bank.transfer", &to];
    let nowhere = cold.desk.ddt(&[&transfer[..], &amount].concat());
    refused(&nowhere, (2, "usage"), &["which network", "--genesis FILE"]);
    let missing = cold.desk.ddt(&[&transfer[..], &amount, &["--genesis", "/no"]].concat());
    refused(&missing, (2, "usage"), &["there is no /no"]);
    let field = ["wallet", "sign", "bank.transfer", "too=x"];
    assert_eq!(cold.desk.ddt(&[&field[..], &amount].concat()).refusal().0, 2);
    let online = [&transfer[..], &["amount=1", "--rotations", "1", "--out", &out]].concat();
    assert_eq!(cold.desk.ddt(&online).code, Some(2));
    let mut asked = cli::command(&cold.desk.home);
    let arguments = [&transfer[..], &amount, &["--genesis", &cold.genesis, "--json"]].concat();
    let asked = asked.args(arguments).args(["--password-file", &cold.desk.password]);
    assert_eq!(cli::finish(asked).refusal().0, 8, "nobody agreed");
    assert!(!fs::exists(&out).unwrap());
    assert_eq!(sign(&["--nonce", "now"]).code, Some(0));
    refused(&sign(&["--nonce", "now"]), (2, "usage"), &["is there already"]);
}

// Broken by: submitting what was changed, what is another chain's, or what is no event.
#[test]
fn what_cannot_be_submitted_is_refused() {
    let network = Network::new();
    let cold = Cold::new(&network);
    let good = cold.signed("5", "good", &["--nonce", "now"]);
    let file: Json = serde_json::from_str(&fs::read_to_string(&good).unwrap()).unwrap();
    let submit = |content: &str| {
        let path = cold.desk.secret("changed", content);
        network.ddt(&["submit", &path])
    };
    let with = |field: &str, value: Json| {
        let mut changed = file.clone();
        changed[field] = value;
        changed.to_string()
    };
    for (content, says) in [
        (with("valid_until", json!(9)), "was changed"),
        (with("author", json!(cold.bob)), "was changed"),
        (with("version", json!(2)), "update it"),
        (with("surprise", json!(2)), "damaged"),
        (with("bytes", json!("xyz")), "damaged"),
        (file.to_string()[..100].to_string(), "damaged"),
        (String::new(), "damaged"),
        ("x".repeat(200_000), "longer"),
    ] {
        refused(&submit(&content), (2, "submit.file"), &["changed", says]);
    }
    let bytes = text(&file, "/bytes");
    let flipped = if bytes.ends_with('0') { "1" } else { "0" };
    let forged = with("bytes", json!(format!("{}{flipped}", &bytes[..bytes.len() - 1])));
    refused(&submit(&forged), (3, "event.signature"), &[]);
    let missing = network.ddt(&["submit", &cold.desk.path("missing")]);
    refused(&missing, (2, "usage"), &["there is no"]);

    let genesis = fs::read_to_string(&cold.genesis).unwrap();
    let other = genesis.replacen("name = \"dev\"", "name = \"other\"", 1);
    assert_ne!(other, genesis);
    fs::write(&cold.genesis, other).unwrap();
    let foreign = cold.signed("5", "foreign", &["--nonce", "now"]);
    let ending = network.ddt(&["submit", &foreign]);
    refused(&ending, (3, "event.chain"), &["a node of its own network"]);
    let rich = Cold { genesis: network.text("genesis").to_string(), ..cold };
    let rich_file = rich.signed("5000000", "rich", &["--nonce", "now"]);
    let ending = network.ddt(&["submit", &rich_file]);
    refused(&ending, (3, "ledger.insufficient_funds"), &["--force"]);
    assert_eq!(network.json("/v1/status")["events"], 0, "nothing was submitted");
    let unreachable = network.ddt(&["submit", &good, "--api", "http://127.0.0.1:1"]);
    assert_eq!(unreachable.refusal().0, 5);
    let done = network.ddt(&["submit", &good, "--wait", "proven"]).data();
    assert_eq!(text(&done, "/stage"), "proven");
}
