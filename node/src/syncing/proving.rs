//! Proving a snapshot's root before anything of it is fetched.

use std::sync::Arc;
use std::time::Duration;

use ddt_core::follower::Decided;
use ddt_ledger::PublicKey;
use ddt_ledger::genesis::Genesis;
use ddt_ledger::proof::{CertifiedAnchor, Hex};
use ddt_ledger::state::Manifest;
use ddt_ledger::store::Standing;
use ddt_ledger::trust::Trust;
use ddt_net::message::{Answer, Request};

use super::choosing::Candidate;
use super::peers::Peers;
use crate::failure::Failure;

/// Longest time that one peer may take to prove a snapshot.
const PROOF: Duration = Duration::from_secs(60);

/// A snapshot whose root certificates prove.
pub struct Proven {
    /// Its pieces.
    pub manifest: Arc<Manifest>,
    /// Where its state stands in the history.
    pub standing: Standing,
}

/// Why a peer proves nothing.
enum Unproven {
    /// It does not answer, or has not what it takes.
    Silent,
    /// It sent something wrong.
    Wrong(String),
}

/// Asks those who have it, one after the other, until one proves it.
///
/// # Errors
/// A genesis that is none.
pub async fn prove(
    peers: &mut Peers,
    genesis: &Genesis,
    candidate: &Candidate,
) -> Result<Option<Proven>, Failure> {
    let trust = Trust::of(genesis).map_err(|error| Failure::fault(error.to_string()))?;
    for peer in &candidate.peers {
        if peers.is_passed_over(peer) {
            continue;
        }
        let proven = tokio::time::timeout(PROOF, by(peers, *peer, trust.clone(), candidate)).await;
        match proven.unwrap_or(Err(Unproven::Silent)) {
            Ok(proven) => return Ok(Some(proven)),
            Err(Unproven::Silent) => peers.was_silent(*peer),
            Err(Unproven::Wrong(why)) => peers.lied(*peer, &format!("a snapshot's proof: {why}")),
        }
    }
    Ok(None)
}

async fn by(
    peers: &Peers,
    peer: PublicKey,
    mut trust: Trust,
    candidate: &Candidate,
) -> Result<Proven, Unproven> {
    let (height, snapshot) = (candidate.height, candidate.snapshot);
    let mut handovers = Vec::new();
    loop {
        let request = Request::Handovers { after: trust.height(), last: height };
        let Some(Answer::Handovers(more)) = peers.ask(peer, request).await else {
            return Err(Unproven::Silent);
        };
        if more.is_empty() {
            break;
        }
        for handover in more {
            trust.follow(&handover).map_err(|error| Unproven::Wrong(error.to_string()))?;
            if trust.height() > height {
                return Err(Unproven::Wrong("a later handover than was asked for".to_string()));
            }
            handovers.push(handover);
        }
    }
    let anchors = peers.ask(peer, Request::Anchors { first: height }).await;
    let Some(Answer::Anchors(anchors)) = anchors else { return Err(Unproven::Silent) };
    let mut anchors = anchors.into_iter().map(certified);
    let (Some(own), Some(next)) = (anchors.next(), anchors.next()) else {
        return Err(Unproven::Silent);
    };
    let roots = trust.roots(&own, &next).map_err(|error| Unproven::Wrong(error.to_string()))?;
    let (body, roots) = roots;
    if body.height != height {
        return Err(Unproven::Wrong("another anchor than was asked for".to_string()));
    }
    let manifest = peers.ask(peer, Request::Manifest { snapshot }).await;
    let Some(Answer::Manifest(Some(bytes))) = manifest else { return Err(Unproven::Silent) };
    if Manifest::id_of(&bytes) != snapshot {
        return Err(Unproven::Wrong("another manifest than it offered".to_string()));
    }
    let wrong = |error| Unproven::Wrong(format!("the manifest: {error}"));
    let manifest = Manifest::decode(&bytes).map_err(wrong)?;
    manifest.check(body.chain, height, &roots.state).map_err(wrong)?;
    let standing = Standing { anchor: own, roots, handovers };
    Ok(Proven { manifest: Arc::new(manifest), standing })
}

fn certified(decided: Decided) -> CertifiedAnchor {
    CertifiedAnchor { body: Hex(decided.body), certificate: decided.certificate }
}
