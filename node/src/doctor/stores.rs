//! The stores: by the node that has them open, or, where none runs, as they are on disk.

use std::path::Path;

use ddt_contracts::REGISTRY;
use ddt_ledger::genesis::Genesis;
use ddt_ledger::store::{Backend, BookStore, LaneStore, open_file};

use super::folder::{Held, held};
use super::network::Node;
use super::overlay::Overlay;
use super::{Findings, Patient};
use crate::backup::restored::Restored;
use crate::backup::verify;
use crate::data_folder::read_genesis;
use crate::failure::Failure;

const ADVICE: &str = "restore the folder from a backup; on a development network, start a new one";

/// Checks the stores.
pub fn check(patient: &Patient, node: Option<&Node>, findings: &mut Findings) {
    if let Some(node) = node.filter(|node| node.is_own) {
        by_node(node, findings);
        return;
    }
    // Held, so that no node starts meanwhile.
    let lock = match held(&patient.home) {
        Ok(Held::Free(lock)) => lock,
        Ok(Held::By(pid)) => {
            let words = format!("the process {pid} has them open, and no node answers");
            findings.warn("stores", words, "wait for it, or stop it");
            return;
        }
        Err(_) => return,
    };
    let genesis = match read_genesis(&patient.home.join("genesis.toml")) {
        Ok(Some(genesis)) => genesis,
        Ok(None) => {
            findings.ok("stores", "none here yet");
            return;
        }
        Err(failure) => {
            findings.problem("stores", failure.words, ADVICE);
            return;
        }
    };
    for name in ["book.redb", "lanes.redb", "agents.redb"] {
        let path = patient.home.join(name);
        match Overlay::open(&path).map(|store| open_file(Backend::Custom(store), genesis.chain())) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let is_needed = name == "lanes.redb" && patient.home.join("book.redb").exists();
                if is_needed {
                    findings.problem("stores", format!("{name} is missing"), ADVICE);
                }
            }
            Err(error) => findings.problem("stores", format!("{name}: {error}"), ADVICE),
            Ok(Err(fault)) => findings.problem("stores", format!("{name}: {fault}"), ADVICE),
            Ok(Ok(_)) => findings.ok("stores", format!("{name} opens")),
        }
    }
    if patient.is_deep && patient.home.join("book.redb").exists() {
        match deep(&patient.home, &genesis) {
            Ok(words) => findings.ok("audit", words),
            Err(failure) => findings.problem("audit", failure.words, ADVICE),
        }
    }
    drop(lock);
}

fn by_node(node: &Node, findings: &mut Findings) {
    match node.client.get_json("/v1/economy") {
        Ok(economy) if economy.pointer("/is_conserved") == Some(&true.into()) => {
            findings.ok("stores", "the node answers from them, and money is conserved");
        }
        Ok(_) => findings.problem(
            "stores",
            "the node says that money is not conserved",
            "stop it, keep a backup, and report this",
        ),
        Err(error) => findings.problem("stores", error.detail, "look at the node's log"),
    }
}

/// Recounts everything, without changing a byte.
fn deep(home: &Path, genesis: &Genesis) -> Result<String, Failure> {
    let open = |name: &str| {
        let path = home.join(name);
        let store = Overlay::open(&path).map_err(|error| Failure::io(&path, &error))?;
        Ok::<_, Failure>(Backend::Custom(store))
    };
    let book = BookStore::open(open("book.redb")?, genesis, REGISTRY)?;
    let lanes = LaneStore::open(open("lanes.redb")?, genesis.chain())?;
    Restored::check(&[], &book, &lanes)?;
    let verdict = verify::verify(&book)?;
    let head = book.head().0;
    Ok(format!(
        "anchor {}: the rows hash to the agreed root, everything adds up, and {} of {} \
         validators signed the state after anchor {}",
        head.height, verdict.signers.0, verdict.signers.1, verdict.height
    ))
}
