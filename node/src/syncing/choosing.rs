//! Which snapshot to take.

use std::collections::BTreeMap;
use std::path::Path;

use ddt_ledger::{Hash, PublicKey};
use ddt_net::message::{Answer, Request};

use super::kept::{folder_of, given_up};
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

impl Candidate {
    /// What is taken first is greatest: one of which pieces are here already, then what more
    /// than one peer has, then the newest, then what most peers have.
    fn rank(&self, home: &Path) -> (bool, bool, u64, usize) {
        let is_begun = folder_of(home, &self.snapshot).exists();
        (is_begun, self.peers.len() > 1, self.height, self.peers.len())
    }
}

/// The snapshots worth trying, best first. Those that were given up are not.
pub async fn candidates(peers: &mut Peers, home: &Path, ahead_min: u64) -> Vec<Candidate> {
    let asking = peers.honest().into_iter().map(|peer| {
        let net = peers.net.clone();
        async move { (peer, ask(&net, peer, Request::Snapshots).await) }
    });
    let mut found: BTreeMap<(u64, Hash), Vec<PublicKey>> = BTreeMap::new();
    for (peer, answer) in futures_util::future::join_all(asking).await {
        let offers = match answer {
            Some(Answer::Snapshots(offers)) => offers,
            Some(Answer::Busy) => continue,
            _ => {
                peers.was_silent(peer);
                continue;
            }
        };
        for offer in offers.iter().filter(|offer| offer.height >= ahead_min) {
            let of = found.entry((offer.height, offer.snapshot)).or_default();
            // One that names a snapshot twice is still one.
            if !of.contains(&peer) {
                of.push(peer);
            }
        }
    }
    let given_up = given_up(home);
    let candidates = found.into_iter();
    let mut candidates: Vec<Candidate> = candidates
        .map(|((height, snapshot), peers)| Candidate { height, snapshot, peers })
        .filter(|candidate| !given_up.contains(&candidate.snapshot))
        .collect();
    candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.rank(home)));
    candidates
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Broken by: a newer snapshot that one peer has before one that several have; pieces that
    /// are here and not used.
    #[test]
    fn what_several_have_comes_before_what_is_newer() {
        let home = tempfile::tempdir().expect("a folder");
        let of = |height: u64, number: u8, peers: u8| Candidate {
            height,
            snapshot: Hash([number; 32]),
            peers: (0..peers).map(|peer| PublicKey([peer; 32])).collect(),
        };
        let (newest, newer, older) = (of(30, 1, 1), of(20, 2, 2), of(10, 3, 5));
        let rank = |candidate: &Candidate| candidate.rank(home.path());
        assert!(rank(&newer) > rank(&newest) && rank(&newer) > rank(&older));
        std::fs::create_dir_all(folder_of(home.path(), &older.snapshot)).expect("a folder");
        assert!(rank(&older) > rank(&newer));
    }
}
