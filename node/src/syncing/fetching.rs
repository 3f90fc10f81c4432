//! Fetching pieces from several peers at once. What is on disk is verified; a kill loses
//! nothing of it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ddt_ledger::state::{Manifest, PIECE_BYTES_MAX, Piece};
use ddt_ledger::store::{piece_file, sync_folder, write_whole};
use ddt_ledger::{Hash, PublicKey};
use ddt_net::Net;
use ddt_net::message::{Answer, Request};
use tokio::task::JoinSet;

use super::choosing::Candidate;
use super::kept::{folder_of, keep_begun};
use super::peers::{Peers, ask};
use super::progress::{Phase, Progress};
use super::proving::Proven;
use super::sources::{Pace, Source};
use crate::failure::Failure;

/// Pieces under way at one time.
const UNDER_WAY: usize = 16;
/// How often new peers are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What a task brought.
enum Brought {
    Piece(PublicKey, (u32, Instant), Outcome),
    Offered(PublicKey, bool),
}

enum Outcome {
    /// It is on disk.
    Here(usize),
    /// There was no answer, or it has it no more.
    Nothing,
    /// Something else than the piece.
    Wrong(String),
    /// The disk failed.
    Failed(Failure),
}

struct Fetching<'a> {
    peers: &'a mut Peers,
    snapshot: Hash,
    manifest: Arc<Manifest>,
    folder: PathBuf,
    missing: VecDeque<u32>,
    /// Pieces that were asked for, also of peers that were dropped since.
    under_way: usize,
    /// Who has it; `None` for those who failed too often, or lied: they stay out.
    sources: BTreeMap<PublicKey, Option<Source>>,
    /// Who is being asked whether it has it.
    looking: BTreeSet<PublicKey>,
    tasks: JoinSet<Brought>,
    progress: Progress,
}

/// Fetches what is missing of a snapshot. Answers whether every piece is on disk, verified, or
/// those who are connected do not give the rest; while nobody is connected it waits.
///
/// # Errors
/// The disk failed.
pub async fn fetch(
    peers: &mut Peers,
    home: &Path,
    candidate: &Candidate,
    proven: &Proven,
) -> Result<bool, Failure> {
    let folder = folder_of(home, &candidate.snapshot);
    keep_begun(home, &folder)?;
    let manifest = proven.manifest.clone();
    let (missing, bytes) = {
        let (folder, manifest) = (folder.clone(), manifest.clone());
        let looked = tokio::task::spawn_blocking(move || missing(&folder, &manifest)).await;
        looked.map_err(|error| Failure::fault(format!("reading pieces: {error}")))?
    };
    let all = manifest.pieces();
    let here = all.saturating_sub(missing.len());
    let progress = Progress::begin(home, candidate.height, (all, here), bytes);
    let sources = candidate.peers.iter().filter(|peer| !peers.is_passed_over(peer));
    let sources = sources.map(|peer| (*peer, Some(Source::default()))).collect();
    let snapshot = candidate.snapshot;
    let tasks = JoinSet::new();
    let mut fetching = Fetching {
        peers,
        snapshot,
        manifest,
        folder,
        missing,
        under_way: 0,
        sources,
        looking: BTreeSet::new(),
        tasks,
        progress,
    };
    let fetched = fetching.run().await;
    // Whoever answers later is not listened to.
    fetching.tasks.shutdown().await;
    if matches!(fetched, Ok(true)) {
        sync_folder(&fetching.folder)?;
        fetching.progress.say(Phase::Building);
    }
    fetched
}

/// Which pieces are not on disk, and how many bytes are.
fn missing(folder: &Path, manifest: &Manifest) -> (VecDeque<u32>, u64) {
    let (mut missing, mut bytes) = (VecDeque::new(), 0u64);
    for index in 0..u32::try_from(manifest.pieces()).unwrap_or(u32::MAX) {
        match read(folder, manifest, index) {
            Some((_, length)) => bytes = bytes.saturating_add(length),
            None => missing.push_back(index),
        }
    }
    (missing, bytes)
}

/// A piece on disk, checked, and its length; `None` for anything else.
pub fn read(folder: &Path, manifest: &Manifest, index: u32) -> Option<(Piece, u64)> {
    let path = folder.join(piece_file(index));
    let length = std::fs::metadata(&path).ok()?.len();
    let bytes = (length <= PIECE_BYTES_MAX as u64).then(|| std::fs::read(&path).ok())??;
    Some((Piece::check(&bytes, manifest, index).ok()?, length))
}

impl Fetching<'_> {
    async fn run(&mut self) -> Result<bool, Failure> {
        let (mut looked, mut pace) = (Instant::now(), Pace::begin(Instant::now()));
        loop {
            self.assign();
            if self.missing.is_empty() && self.under_way == 0 {
                return Ok(true);
            }
            if pace.is_over(Instant::now()) {
                return Ok(false);
            }
            if looked.elapsed() > LOOK_EVERY {
                looked = Instant::now();
                if self.is_alone() {
                    pace = Pace::begin(looked);
                }
                self.look();
            }
            self.progress.tell(self.sources.values().flatten().count());
            tokio::select! {
                Some(brought) = self.tasks.join_next() => {
                    let brought = brought.map_err(|e| Failure::fault(format!("fetching: {e}")))?;
                    if self.take(brought)? {
                        pace.piece(Instant::now());
                    }
                }
                () = tokio::time::sleep(Duration::from_millis(200)) => {}
            }
        }
    }

    /// Whether nobody is connected. Then nobody is to blame, and all begin anew.
    fn is_alone(&mut self) -> bool {
        let is_alone = self.peers.net.peers().is_empty();
        if is_alone {
            if !self.sources.is_empty() {
                tracing::warn!("nobody is connected: the snapshot waits for somebody who has it");
            }
            self.sources.clear();
            self.peers.forgive();
        }
        is_alone
    }

    /// Asks the least busy for what is missing.
    fn assign(&mut self) {
        while self.under_way < UNDER_WAY {
            let free = self.sources.iter_mut().filter_map(|(peer, source)| {
                source.as_mut().filter(|s| s.is_free()).map(|s| (*peer, s))
            });
            let Some((peer, source)) = free.min_by_key(|(_, s)| (s.failures, s.under_way)) else {
                return;
            };
            let Some(index) = self.missing.pop_front() else { return };
            source.under_way = source.under_way.saturating_add(1);
            self.under_way = self.under_way.saturating_add(1);
            let (net, snapshot) = (self.peers.net.clone(), self.snapshot);
            let (manifest, folder) = (self.manifest.clone(), self.folder.clone());
            let asked = Instant::now();
            self.tasks.spawn(async move {
                let outcome = piece(net, peer, (snapshot, index), manifest, folder).await;
                Brought::Piece(peer, (index, asked), outcome)
            });
        }
    }

    /// Asks peers that came since whether they have it, and those that had it not.
    fn look(&mut self) {
        let snapshot = self.snapshot;
        for peer in self.peers.honest() {
            if self.sources.contains_key(&peer) || !self.looking.insert(peer) {
                continue;
            }
            let net = self.peers.net.clone();
            self.tasks.spawn(async move {
                let answer = ask(&net, peer, Request::Snapshots).await;
                let has = matches!(answer, Some(Answer::Snapshots(offers))
                    if offers.iter().any(|offer| offer.snapshot == snapshot));
                Brought::Offered(peer, has)
            });
        }
    }

    /// Says whether it was a piece.
    fn take(&mut self, brought: Brought) -> Result<bool, Failure> {
        let (peer, (index, asked), outcome) = match brought {
            Brought::Piece(peer, asked, outcome) => (peer, asked, outcome),
            Brought::Offered(peer, has) => {
                self.looking.remove(&peer);
                if has && !self.peers.is_liar(&peer) {
                    // Who failed out of it stays out, whatever it says.
                    self.sources.entry(peer).or_insert_with(|| Some(Source::default()));
                }
                return Ok(false);
            }
        };
        self.under_way = self.under_way.saturating_sub(1);
        // Whoever was forgotten since, with all others, is neither praised nor blamed.
        let mut source = self.sources.get_mut(&peer).and_then(Option::as_mut);
        if let Some(source) = source.as_mut() {
            source.under_way = source.under_way.saturating_sub(1);
        }
        match outcome {
            Outcome::Here(bytes) => {
                self.progress.piece(bytes);
                if let Some(source) = source {
                    source.gave();
                }
                return Ok(true);
            }
            Outcome::Nothing => {
                self.missing.push_back(index);
                if source.is_some_and(|source| source.fail(asked, Instant::now())) {
                    self.sources.insert(peer, None);
                }
            }
            Outcome::Wrong(why) => {
                self.missing.push_back(index);
                self.sources.insert(peer, None);
                self.peers.lied(peer, &format!("piece {index}: {why}"));
            }
            Outcome::Failed(failure) => return Err(failure),
        }
        Ok(false)
    }
}

/// Fetches a piece, checks it, and writes it whole.
async fn piece(
    net: Net,
    peer: PublicKey,
    (snapshot, index): (Hash, u32),
    manifest: Arc<Manifest>,
    folder: PathBuf,
) -> Outcome {
    let request = Request::Piece { snapshot, index };
    let Some(Answer::Piece(Some(bytes))) = ask(&net, peer, request).await else {
        return Outcome::Nothing;
    };
    let written = tokio::task::spawn_blocking(move || {
        if let Err(error) = Piece::check(&bytes, &manifest, index) {
            return Outcome::Wrong(error.to_string());
        }
        match write_whole(&folder.join(piece_file(index)), &bytes) {
            Ok(()) => Outcome::Here(bytes.len()),
            Err(fault) => Outcome::Failed(Failure::from(fault)),
        }
    });
    written.await.unwrap_or(Outcome::Nothing)
}
