//! `ddt dev` with several nodes.

use crate::support::cli;
use crate::support::eventually;
use crate::support::network::{Network, folder};

// Broken by: nodes that share an address or a folder; a node that dies and is not started
// again; a first node whom nobody finds by the network's folder once it was started again; nodes
// that outlive the command; a log that is full of the engine's errors although nothing is wrong
// but what `ddt` says in its own words, or of a terminal's colours; times to finality that nobody
// sees.
#[test]
fn dev_runs_several_nodes_and_starts_again_what_dies() {
    let folder = folder();
    let home = folder.path().join("state");
    let flags = ["--zones", "4", "--nodes", "5", "--no-wallet-ui"];
    let network = Network::try_start_with(&home, &flags).unwrap();
    let nodes = network.data["nodes"].as_array().unwrap().clone();
    let roles: Vec<&str> = nodes.iter().map(|node| node["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["router", "router", "router", "router", "full node"]);
    let pay = || {
        let send = network.ddt(&["wallet", "send", "5", "bob", "--from", "alice"]).data();
        assert_eq!(send["stage"], "final", "{send}");
    };
    pay();
    let dies = |number: usize| {
        let pid = nodes[number - 1]["pid"].as_u64().unwrap() as u32;
        cli::signal(pid, "KILL");
        let run = home.join(format!("nodes/{number}/run.json"));
        move || {
            let text = std::fs::read_to_string(&run).ok()?;
            let running: serde_json::Value = serde_json::from_str(&text).ok()?;
            running["pid"].as_u64().filter(|again| *again != u64::from(pid))
        }
    };
    let again = dies(2);
    pay();
    let again = eventually("the second node runs again", again);
    eventually("the first node runs again", dies(1));
    let finds = || (network.ddt(&["node", "peers"]).code == Some(0)).then_some(());
    eventually("commands find it", finds);
    pay();
    let status = network.ddt(&["node", "status"]).data();
    let times = &status["node"]["times"]["final"];
    let [half, most] = ["p50_ms", "p99_ms"].map(|name| times[name].as_u64().unwrap());
    assert!(times["events"].as_u64().unwrap() >= 1 && 1 <= half && half <= most, "{status}");
    assert_eq!(network.interrupt(), Some(0));
    let log = std::fs::read_to_string(home.with_extension("log")).unwrap();
    // An address that cannot be reached is worth a line.
    let is_error = |line: &&str| line.contains("ERROR") && !line.contains("Failed to dial peer");
    let errors: Vec<&str> = log.lines().filter(is_error).collect();
    assert!(errors.is_empty() && !log.contains('\x1b'), "{log}");
    let is_gone = !std::path::Path::new(&format!("/proc/{again}")).exists();
    assert!(is_gone || !cfg!(target_os = "linux"), "node {again} outlived the command");
}
