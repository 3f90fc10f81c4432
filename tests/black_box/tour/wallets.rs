//! Wallets: made, brought back, watched; paying from them; any event and any view.

use std::fs;

use ddt_ledger::Amount;
use serde_json::Value as Json;

use crate::support::cli::{self, Ending};
use crate::support::network::{Network, folder};

fn text<'j>(json: &'j Json, pointer: &str) -> &'j str {
    json.pointer(pointer).and_then(Json::as_str).unwrap_or_else(|| panic!("{pointer}: {json}"))
}

fn apt(text: &str) -> Amount {
    text.parse().unwrap()
}

// Broken by: dropping or renaming a key that scripts read.
#[test]
fn dev_says_where_everything_is() {
    let network = Network::new();
    let keys: Vec<&str> = network.data.as_object().unwrap().keys().map(String::as_str).collect();
    let wanted = [
        "accounts",
        "api",
        "gateway",
        "genesis",
        "home",
        "nodes",
        "password_file",
        "private_api",
        "token_file",
        "wallet_ui",
    ];
    assert_eq!(keys, wanted);
    let accounts = network.data["accounts"].as_array().unwrap();
    let names: Vec<&str> = accounts.iter().map(|account| text(account, "/name")).collect();
    assert_eq!(names[..3], ["alice", "bob", "carol"]);
    for account in accounts {
        assert_eq!(network.balance(text(account, "/account")), text(account, "/balance"));
    }
    assert_eq!(network.text("home"), network.home.to_str().unwrap());
    for file in ["token_file", "genesis", "password_file"] {
        assert!(fs::metadata(network.text(file)).unwrap().is_file(), "{file}");
    }
    let genesis = fs::read_to_string(network.text("genesis")).unwrap();
    assert_eq!(network.get("/v1/genesis").text(), genesis, "whoever verifies needs this file");
    assert_eq!(network.get("/livez").status, 200);
    assert_eq!(network.get("/readyz").status, 200);
    assert_eq!(network.ddt(&["node", "status"]).data()["network"], "dev");
}

// Broken by: showing the words again, keeping them in the clear, or deriving another account.
#[test]
fn words_are_shown_once_and_bring_the_account_back() {
    let folder = folder();
    let (home, other) = (folder.path().join("home"), folder.path().join("other"));
    let password = secret(folder.path(), "password", "correct horse");
    let ddt = |home, arguments: &[&str]| {
        cli::ddt(home, &[arguments, &["--password-file", &password]].concat())
    };
    let made = ddt(&home, &["wallet", "new", "savings", "--short"]).data();
    let words = text(&made, "/words").to_string();
    assert_eq!(words.split(' ').count(), 12);
    let file = fs::read_dir(home.join("keystore")).unwrap().next().unwrap().unwrap().path();
    let sealed = fs::read_to_string(&file).unwrap();
    let listed = ddt(&home, &["wallet", "list"]);
    for hiding in [&sealed, &listed.stdout, &listed.stderr] {
        let shown = words.split(' ').filter(|word| word.len() > 4 && hiding.contains(word));
        assert!(shown.count() < 3, "the words are shown again");
    }
    assert_eq!(text(&listed.data(), "/wallets/0/account"), text(&made, "/account"));

    let words_file = secret(folder.path(), "words", &words);
    let import = ["wallet", "import", "back", "--words-file", &words_file];
    let imported = ddt(&other, &import).data();
    assert_eq!(text(&imported, "/account"), text(&made, "/account"));
    assert!(imported.get("words").is_none(), "words are shown only when they are made");

    let again = ddt(&home, &["wallet", "new", "savings"]);
    assert_eq!(again.refusal(), (6, "wallet".to_string()));
    assert_eq!(fs::read_to_string(&file).unwrap(), sealed, "the wallet there was is untouched");
    let full = ddt(&other, &["wallet", "new", "full"]).data();
    assert_eq!(text(&full, "/words").split(' ').count(), 24);
}

/// Writes a file that only this user may read.
fn secret(folder: &std::path::Path, name: &str, content: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path.to_str().unwrap().to_string()
}

// Broken by: answering before the stage asked for, or with another receipt than the ledger's.
#[test]
fn payments_reach_each_stage_and_both_balances() {
    let network = Network::new();
    let stage = |wait: &str| {
        let pay = ["wallet", "send", "2.5", "bob", "--from", "alice", "--wait", wait];
        network.ddt(&pay).data()
    };
    let sequenced = stage("sequenced");
    assert!(["sequenced", "final", "proven"].contains(&text(&sequenced, "/stage")));
    let last = stage("final");
    assert_eq!(last["receipt"]["outcome"], "done");
    let proven = stage("proven");
    assert_eq!(text(&proven, "/stage"), "proven");
    assert!(proven["anchor"].as_u64() > proven["receipt"]["height"].as_u64());

    let fee = apt(text(&last, "/receipt/fee"));
    let balance =
        |name| text(&network.ddt(&["wallet", "balance", name]).data(), "/balance").parse();
    let spent = apt("7.5").plus(fee.times(3).unwrap()).unwrap();
    assert_eq!(balance("alice"), Ok(apt("1000000").minus(spent).unwrap()));
    assert_eq!(balance("bob"), Ok(apt("1000007.5")));
    let all = network.ddt(&["wallet", "balance"]).data();
    assert_eq!(all["balances"].as_array().unwrap().len(), 4);

    let bob = network.signer("bob").account.to_string();
    let watched = network.ddt(&["wallet", "watch", "friend", &bob]).data();
    assert_eq!(watched["watch_only"], true);
    assert_eq!(balance("friend"), balance("bob"));
    let unsigned = network.ddt(&["wallet", "send", "1", "alice", "--from", "friend"]);
    assert_eq!(unsigned.refusal(), (6, "wallet".to_string()));
}

// Broken by: a person being shown less than what is signed, or signing without being asked.
#[test]
fn people_read_what_they_sign_and_are_asked() {
    let network = Network::new();
    let pay = ["wallet", "send", "5", "bob", "--from", "alice", "--memo", "lunch"];
    let asked = cli::finish(cli::command(&network.home).args(pay));
    assert_eq!(asked.code, Some(8), "{asked:#?}");
    let bob = network.signer("bob").account.to_string();
    for part in ["Pay 5 APT", &bob, "lunch", "fee"] {
        assert!(asked.stderr.contains(part), "{part}: {asked:#?}");
    }
    assert_eq!(network.json("/v1/status")["events"], 0);
    // Whoever is asked must have read it, also where the answer is for a script.
    let for_a_script = cli::finish(cli::command(&network.home).args(pay).arg("--json"));
    assert!(for_a_script.stderr.contains("Pay 5 APT"), "{for_a_script:#?}");
    let agreed = cli::finish(cli::command(&network.home).args(pay).arg("--yes"));
    assert_eq!(agreed.code, Some(0), "{agreed:#?}");
    assert!(agreed.stdout.contains("Done."));
    let event = network.json("/v1/events/0:1");
    assert_eq!(event["fields"]["memo"], "lunch");
}

fn names(listed: &Ending, of: &str) -> Vec<String> {
    let rows = listed.data()[of].as_array().unwrap().clone();
    let name = |row: &Json| row["name"].as_str().or(row.as_str()).unwrap().to_string();
    rows.iter().map(name).collect()
}

// Broken by: an event or view of the registry that cannot be reached by its name.
#[test]
fn every_event_and_view_is_reachable() {
    let network = Network::new();
    let events = names(&network.ddt(&["send"]), "events");
    assert!(events.contains(&"bank.transfer".to_string()));
    let views = names(&network.ddt(&["query"]), "views");
    assert!(views.contains(&"accounts.account".to_string()));
    let bob = network.signer("bob").account.to_string();
    let to = format!("to={bob}");
    let send = ["send", "bank.transfer", &to, "amount=0.25", "--from", "carol", "--wait", "proven"];
    let sent = network.ddt(&send).data();
    assert_eq!(sent["receipt"]["outcome"], "done");
    let query = ["query", "accounts.account", &format!("account={bob}")];
    let row = network.ddt(&query).data();
    assert_eq!(text(&row, "/rows/0/balance"), "1000000.25");

    let id = text(&sent, "/event");
    let events = network.ddt(&["ledger", "events", "--limit", "5"]);
    assert_eq!(text(&events.data(), "/rows/0/id"), id);
    let people = cli::finish(cli::command(&network.home).args(["ledger", "events"]));
    assert!(people.stdout.contains(id) && people.stdout.contains("0:1"), "{people:#?}");
    for name in [id, "0:1"] {
        let event = network.ddt(&["ledger", "event", name]).data();
        assert_eq!(text(&event, "/words"), format!("Pay 0.25 APT to {bob}"));
    }
    let height = sent["receipt"]["height"].to_string();
    let anchor = network.ddt(&["ledger", "anchor", &height]).data();
    assert_eq!(anchor["height"].to_string(), height);
    let newest = network.ddt(&["ledger", "anchor"]).data();
    assert!(newest["height"].as_u64() >= anchor["height"].as_u64());
}
