//! Proofs: taken from a node, checked without any, and every change to one noticed.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use crate::support::cli::{self, Ending};
use crate::support::network::{Network, folder};
use crate::support::{Dice, eventually};

const FLIPS: usize = 200;

struct Proofs {
    folder: tempfile::TempDir,
    genesis: String,
    alice: String,
    event: String,
}

const ALL: [&str; 4] = ["balance", "domain", "absence", "receipt"];

impl Proofs {
    /// One proof of each kind, of a network that has ended since.
    fn take() -> Proofs {
        let folder = folder();
        let network = Network::start(&folder.path().join("state"));
        let alice = network.signer("alice").account.to_string();
        network.ddt(&["domain", "buy", "proven", "--from", "alice"]).data();
        let pay = ["wallet", "send", "7", "bob", "--from", "alice", "--wait", "proven"];
        let event = network.ddt(&pay).data()["event"].as_str().unwrap().to_string();
        // The proof is of the last certified anchor; the name must have settled before it.
        eventually("the name is proven", || {
            let answer = network.json("/v1/domains/proven?proof=1");
            answer["proof"]["claim"]["row"]["value"].as_str().map(drop)
        });
        let proofs = Proofs { genesis: String::new(), folder, alice, event };
        for (name, what) in [
            ("balance", ["account", "alice"]),
            ("domain", ["domain", "proven"]),
            ("absence", ["domain", "nobody"]),
            ("receipt", ["receipt", &proofs.event]),
        ] {
            let file = proofs.file(name);
            let arguments = ["ledger", "proof", what[0], what[1], "-o", file.to_str().unwrap()];
            network.ddt(&arguments).data();
        }
        let genesis = proofs.folder.path().join("genesis.toml");
        fs::copy(network.text("genesis"), &genesis).unwrap();
        assert_eq!(network.interrupt(), Some(0));
        fs::remove_dir_all(proofs.folder.path().join("state")).unwrap();
        Proofs { genesis: genesis.to_str().unwrap().to_string(), ..proofs }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.json"))
    }

    fn json(&self, name: &str) -> Json {
        serde_json::from_str(&fs::read_to_string(self.file(name)).unwrap()).unwrap()
    }

    fn verify(&self, file: &Path, genesis: &str) -> Ending {
        let file = file.to_str().unwrap();
        cli::ddt(self.folder.path(), &["verify", file, "--genesis", genesis])
    }

    /// What becomes of a changed proof.
    fn check(&self, changed: &Json) -> Ending {
        let file = self.file("changed");
        fs::write(&file, changed.to_string()).unwrap();
        self.verify(&file, &self.genesis)
    }
}

// Broken by: reading the claim from beside the proven bytes, or asking a node.
#[test]
fn proofs_hold_without_a_node() {
    let proofs = Proofs::take();
    let proven = |name: &str| proofs.verify(&proofs.file(name), &proofs.genesis).data();
    let balance = proven("balance");
    assert_eq!(balance["values"]["account"], proofs.alice);
    let apt = balance["values"]["balance"].as_str().unwrap();
    assert!(apt.starts_with("999942.99"), "1000000 less 50 for the name and 7 and fees: {apt}");
    let domain = proven("domain");
    assert_eq!(domain["values"]["name"], "proven");
    assert_eq!(domain["values"]["owner"], proofs.alice);
    assert_eq!((&domain["signed"], &domain["validators"]), (&json!(1), &json!(1)));
    let receipt = proven("receipt");
    assert_eq!(receipt["values"]["subject"]["id"], proofs.event);
    assert_eq!(receipt["values"]["outcome"]["outcome"], "done");
    let absence = proven("absence");
    assert!(absence["proven"].as_str().unwrap().contains("no "), "{absence}");
    assert!(absence.to_string().contains("nobody"), "it says of what: {absence}");

    let file = proofs.file("balance");
    let words = cli::finish(cli::command(proofs.folder.path()).args([
        "verify",
        file.to_str().unwrap(),
        "--genesis",
        &proofs.genesis,
    ]));
    assert!(words.stdout.contains("Assumed:"), "the assumption is printed: {words:#?}");
}

/// Every hex text and number in a JSON, by pointer.
fn leaves(json: &Json, at: &str, found: &mut Vec<String>) {
    match json {
        Json::Object(map) => {
            map.iter().for_each(|(name, inner)| leaves(inner, &format!("{at}/{name}"), found));
        }
        Json::Array(list) => {
            let numbered = list.iter().enumerate();
            numbered.for_each(|(place, inner)| leaves(inner, &format!("{at}/{place}"), found));
        }
        Json::String(_) | Json::Number(_) => found.push(at.to_string()),
        Json::Null | Json::Bool(_) => {}
    }
}

/// Another value in the place of one byte.
fn flip(json: &mut Json, pointer: &str, dice: &mut Dice) -> String {
    let leaf = json.pointer_mut(pointer).unwrap();
    if let Some(number) = leaf.as_u64() {
        *leaf = json!(number ^ (1 << dice.below(16)));
        return format!("{pointer}: {number} -> {leaf}");
    }
    let text = leaf.as_str().unwrap().to_string();
    let mut bytes = hex::decode(&text).unwrap();
    let place = dice.below(bytes.len());
    bytes[place] ^= 1 << dice.below(8);
    *leaf = Json::from(hex::encode(bytes));
    format!("{pointer}, byte {place}")
}

// Broken by: any part of a proof that is carried but not checked.
#[test]
fn no_changed_byte_is_believed() {
    let proofs = Proofs::take();
    let seed = 20;
    let mut dice = Dice(seed);
    for turn in 0..FLIPS {
        let kind = ALL[turn % ALL.len()];
        let mut json = proofs.json(kind);
        let mut found = Vec::new();
        leaves(&json, "", &mut found);
        // The first turns take each leaf once, so that none is left out by chance.
        let place = if turn / ALL.len() < found.len() { turn / ALL.len() } else { usize::MAX };
        let pointer = found.get(place).cloned();
        let pointer = pointer.unwrap_or_else(|| found[dice.below(found.len())].clone());
        let what = flip(&mut json, &pointer, &mut dice);
        let ending = proofs.check(&json);
        // A path that ends in nothing is a true proof for every name whose place lies there
        // (spec STA-5): then another name is shown to be free, never the one that was asked.
        if kind == "absence" && pointer == "/claim/row/key" && ending.code == Some(0) {
            let data = ending.data();
            assert!(data["proven"].as_str().unwrap().contains("no "), "{what}: {data}");
            assert!(!data.to_string().contains("nobody"), "{what}: {data}");
            continue;
        }
        assert_eq!(ending.code, Some(7), "seed {seed}, {kind}: {what}");
        assert_eq!(ending.refusal().1, "proof");
    }
}

// Broken by: believing who did not sign, another network, or more than was proven.
#[test]
fn no_rearranged_proof_is_believed() {
    let proofs = Proofs::take();
    let refused = |what: &str, change: &dyn Fn(&mut Json)| {
        let mut json = proofs.json(what);
        change(&mut json);
        let ending = proofs.check(&json);
        assert_eq!(ending.refusal(), (7, "proof".to_string()), "{what}: {json}");
    };
    let signatures = "/anchor/certificate/signatures";
    let other = proofs.json("domain");
    refused("balance", &|json| {
        json.pointer_mut(signatures).unwrap().as_array_mut().unwrap().clear();
    });
    refused("balance", &|json| {
        let list = json.pointer_mut(signatures).unwrap().as_array_mut().unwrap();
        list.push(list[0].clone());
    });
    refused("absence", &|json| {
        json["claim"]["row"]["value"] = other["claim"]["row"]["value"].clone();
    });
    refused("domain", &|json| json["claim"]["row"]["value"] = Json::Null);
    refused("domain", &|json| {
        json["claim"]["row"]["key"] = proofs.json("absence")["claim"]["row"]["key"].clone();
    });
    refused("domain", &|json| json["note"] = json!("an unknown field"));
    refused("domain", &|json| json["claim"] = json!({}));
    refused("domain", &|json| *json = json!("no proof at all"));

    let another = Network::new();
    let balance = proofs.file("balance");
    let wrong = proofs.verify(&balance, another.text("genesis"));
    assert_eq!(wrong.refusal(), (7, "proof".to_string()));
    let edited = proofs.folder.path().join("edited.toml");
    let text = fs::read_to_string(&proofs.genesis).unwrap();
    fs::write(&edited, text.replacen("\"1000000\"", "\"1000001\"", 1)).unwrap();
    assert_ne!(fs::read_to_string(&edited).unwrap(), text);
    let wrong = proofs.verify(&balance, edited.to_str().unwrap());
    assert_eq!(wrong.refusal(), (7, "proof".to_string()));
    let cut = proofs.file("cut");
    let half = fs::read_to_string(&balance).unwrap();
    fs::write(&cut, &half[..half.len() / 2]).unwrap();
    assert_eq!(proofs.verify(&cut, &proofs.genesis).refusal(), (7, "proof".to_string()));
    let nowhere = proofs.file("nowhere");
    assert_eq!(proofs.verify(&nowhere, &proofs.genesis).refusal().0, 1);
    assert_eq!(proofs.verify(&balance, nowhere.to_str().unwrap()).refusal().0, 2);
}
