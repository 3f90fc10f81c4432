//! Clients that pay as fast as they are answered, and write down what they were promised.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value as Json;

use crate::support::network::submit;
use crate::support::signer::Signer;

/// What a client knows of an event when its node has gone.
#[derive(Clone, Debug)]
pub enum Known {
    /// Nobody answered: it may have been taken or not.
    Nothing,
    /// The router promised this sequence number.
    Promised(u64),
    /// It is in the book, with this receipt.
    Final(Json),
}

/// A submitted event.
#[derive(Clone, Debug)]
pub struct Sent {
    pub bytes: Vec<u8>,
    /// Its id, where a node named it.
    pub id: Option<String>,
    pub known: Known,
}

/// A receipt without what changes as the ledger grows.
pub fn settled(receipt: &Json) -> Json {
    let names = ["height", "index", "id", "zone", "number", "outcome", "fee", "postings"];
    names.into_iter().map(|name| (name.to_string(), receipt[name].clone())).collect()
}

/// Reads an answer; `None` when the node has gone.
fn known(address: &str, wait: &str, bytes: &[u8]) -> (Option<String>, Known) {
    let Ok(answer) = submit(address, wait, bytes) else { return (None, Known::Nothing) };
    let json = answer.json(200);
    let id = json["event"].as_str().map(str::to_string);
    let known = match (json["receipt"].is_object(), json["soft_receipt"]["number"].as_u64()) {
        (true, _) => Known::Final(settled(&json["receipt"])),
        (false, Some(number)) => Known::Promised(number),
        (false, None) => panic!("neither a promise nor a receipt: {json}"),
    };
    (id, known)
}

/// Pays until the node has gone; counts each answer.
pub fn pay(address: &str, from: &Signer, to: &Signer, answers: &AtomicUsize) -> Vec<Sent> {
    let mut sent = Vec::new();
    loop {
        let bytes = from.pay(&to.account, "0.000000001");
        let wait = if sent.len() % 3 == 2 { "final" } else { "sequenced" };
        let (id, known) = known(address, wait, &bytes);
        let is_gone = matches!(known, Known::Nothing);
        sent.push(Sent { bytes, id, known });
        if is_gone {
            return sent;
        }
        answers.fetch_add(1, Ordering::SeqCst);
    }
}

/// Submits one event; the node may go at any moment.
pub fn send(address: &str, wait: &str, bytes: Vec<u8>) -> Sent {
    let (id, known) = known(address, wait, &bytes);
    Sent { bytes, id, known }
}
