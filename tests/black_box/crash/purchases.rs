//! A purchase interrupted between commit and reveal is finished by the node alone.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::support::network::{Network, folder};
use crate::support::{cli, eventually};

/// A command that is killed, whatever happens.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `ddt domain buy`, up to the moment when it has committed.
fn committed(network: &Network, name: &str) -> Killed {
    let mut command: Command = cli::command(&network.home);
    command.args(["domain", "buy", name, "--from", "alice", "--yes"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut child = Killed(child);
    let lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
    let mut lines = lines.map_while(Result::ok);
    assert!(lines.any(|line| line.starts_with("Committed")), "it says that it has committed");
    child
}

fn is_bought(network: &Network, name: &str) -> Option<()> {
    let answer = network.get(&format!("/v1/domains/{name}"));
    let owner = (answer.status == 200).then(|| answer.json(200)["rows"][0]["owner"].clone())?;
    assert_eq!(owner, network.signer("alice").account.to_string());
    Some(())
}

// Broken by: a reveal that only the command can make.
#[test]
fn killing_the_command_loses_no_purchase() {
    let network = Network::new();
    drop(committed(&network, "orphan"));
    assert_eq!(is_bought(&network, "orphan"), None, "the commit is too young yet");
    eventually("the node finishes", || is_bought(&network, "orphan"));
}

// Broken by: keeping the agent's tasks in memory, or committing before the node has them.
#[test]
fn killing_the_node_loses_no_purchase() {
    let folder = folder();
    let home = folder.path().join("state");
    let network = Network::start(&home);
    let buyer = committed(&network, "survivor");
    network.kill();
    drop(buyer);
    let network = Network::start(&home);
    eventually("the node finishes", || is_bought(&network, "survivor"));
    let list = network.ddt(&["domain", "list", "alice"]).data();
    assert_eq!(list["commits"].as_array().unwrap().len(), 0);
}
