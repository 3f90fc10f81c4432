//! Which snapshot to take.

use std::collections::BTreeMap;
use std::path::Path;

use ddt_ledger::{Hash, PublicKey};
use ddt_net::message::{Answer, Offer, Request};

use super::peers::{Peers, ask};

/// A snapshot that peers say they have.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The anchor after which its state holds.
    pub height: u64,
    /// Its manifest's id.
    pub snapshot: Hash,
    /// Who has it.
    pub peers: Vec<PublicKey>,
}

/// What a peer says it has.
pub async fn offers(net: ddt_net::Net, peer: PublicKey) -> Vec<Offer> {
    match ask(&net, peer, Request::Snapshots).await {
        Some(Answer::Snapshots(offers)) => offers,
        _ => Vec::new(),
    }
}

/// The snapshots worth trying, best first: one of which pieces are here already, then the
/// newest, then what most peers have.
pub async fn candidates(peers: &Peers, home: &Path, ahead_min: u64) -> Vec<Candidate> {
    let asking = peers.honest().into_iter().map(|peer| {
        let net = peers.net.clone();
        async move { (peer, offers(net, peer).await) }
    });
    let mut found: BTreeMap<(u64, Hash), Vec<PublicKey>> = BTreeMap::new();
    for (peer, offers) in futures_util::future::join_all(asking).await {
        for offer in offers.iter().filter(|offer| offer.height >= ahead_min) {
            found.entry((offer.height, offer.snapshot)).or_default().push(peer);
        }
    }
    let candidates = found.into_iter();
    let mut candidates: Vec<Candidate> = candidates
        .map(|((height, snapshot), peers)| Candidate { height, snapshot, peers })
        .collect();
    candidates.sort_by_key(|candidate| {
        let is_begun = super::fetching::folder_of(home, &candidate.snapshot).exists();
        std::cmp::Reverse((is_begun, candidate.height, candidate.peers.len()))
    });
    candidates
}
