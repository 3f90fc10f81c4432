//! The worked example of docs/operate/swaps.md, run as it stands there on two networks.

use std::path::Path;
use std::process::{Command, Stdio};

use ddt_ledger::Amount;
use serde_json::Value as Json;

use crate::support::cli;
use crate::support::network::{Network, folder};

const MARKER: &str = "<!-- ci: swap -->";

/// The lines of the fenced block right after the marker.
fn block(page: &str) -> String {
    let mut lines = page.lines().skip_while(|line| line.trim() != MARKER).skip(1);
    let opened = lines.find(|line| !line.trim().is_empty()).expect("a marker and a block");
    assert!(opened.starts_with("```"), "a fenced block right after the marker: {opened}");
    let block: Vec<&str> = lines.take_while(|line| !line.starts_with("```")).collect();
    assert!(block.iter().any(|line| line.starts_with("ddt ")), "commands");
    block.join("\n")
}

fn balance(network: &Network, name: &str) -> Amount {
    let account = network.signer(name).account.to_string();
    network.balance(&account).parse().unwrap()
}

fn apt(text: &str) -> Amount {
    text.parse().unwrap()
}

// Broken by: a page whose commands do not work any more; a claim that pays somebody else; a
// secret that the words do not bring back; a search by hash that finds no claimed lock.
#[test]
fn two_networks_swap_as_the_page_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = std::fs::read_to_string(root.join("docs/operate/swaps.md")).unwrap();
    let (one, two, desk) = (Network::new(), Network::new(), folder());
    let programs = Path::new(cli::DDT).parent().unwrap().to_str().unwrap();
    let path = format!("{programs}:{}", std::env::var("PATH").unwrap());
    let mut bash = Command::new("bash");
    bash.args(["-euxo", "pipefail", "-c", &block(&page)]).current_dir(desk.path());
    bash.env("PATH", path).stdin(Stdio::null());
    bash.env("ONE", &one.home).env("TWO", &two.home);
    bash.env("ONE_API", one.text("api")).env("TWO_API", two.text("api"));
    for name in ["DDT_API", "DDT_HOME", "DDT_PASSWORD_FILE"] {
        bash.env_remove(name);
    }
    let ending = cli::finish(&mut bash);
    assert_eq!(ending.code, Some(0), "{}\n{}", ending.stdout, ending.stderr);
    assert!(!ending.stderr.contains("warning:"), "{}", ending.stderr);
    // Each has what was agreed, less the claim's fee.
    let (start, fee) = (apt("1000000"), apt("0.000996"));
    let with = |amount: &str| start.plus(apt(amount)).unwrap().minus(fee).unwrap();
    assert_eq!(balance(&one, "bob"), with("5"));
    assert_eq!(balance(&two, "alice"), with("3"));
    // And each gave that and the fee of one lock.
    let without = |amount: &str| start.minus(apt(amount)).unwrap();
    for (network, name, least, most) in [(&one, "alice", "5.01", "5"), (&two, "bob", "3.01", "3")] {
        let left = balance(network, name);
        assert!(left > without(least) && left < without(most), "{name} has {left}");
    }
    let secrets: Vec<Json> = [&one, &two]
        .map(|network| {
            let locks = network.ddt(&["swap", "list"]).data()["locks"].clone();
            assert_eq!(locks.as_array().unwrap().len(), 1);
            assert_eq!(locks[0]["status"], "claimed");
            let path = format!("/v1/views/bank/lock?lock={}", locks[0]["lock"].as_str().unwrap());
            assert_eq!(network.json(&path)["rows"][0]["status"], "claimed");
            locks[0]["secret"].clone()
        })
        .to_vec();
    assert_eq!(secrets[0], secrets[1]);
    let kept = std::fs::read_to_string(desk.path().join("secret")).unwrap();
    assert_eq!(secrets[0], kept.trim());
}
