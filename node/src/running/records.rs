//! Whether this folder still knows everything that its router signed.
//!
//! What a router signed stands in two files: its lane's blocks and the log of its votes. Who
//! has lost one of them could sign something else in the same places, and that is fraud. A
//! folder that lost everything but its key looks like a new one; so a key is born with a mark
//! that says it has signed nothing, and the mark goes before the first signature. Without the
//! mark and without the files a router follows, and signs nothing.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ddt_ledger::system::Lane;
use ddt_ledger::{PublicKey, Zone};
use serde::{Deserialize, Serialize};

use super::core::{Core, Ending};
use crate::data_folder::DataFolder;
use crate::failure::Failure;
use crate::secret_file;

/// The mark of a key that has signed nothing; names the key.
const UNSIGNED: &str = "unsigned";
/// The mark of a folder that lost what its router signed.
const LOST: &str = "lost";
/// The flag with which an operator lets such a router vote again.
pub const FLAG: &str = "--accept-lost-data";
/// How often a silent router looks whether it may speak.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often a router that starts looks whether it is as far as the others.
const UP_TO_DATE_EVERY: Duration = Duration::from_millis(50);
/// So many anchors behind the others it is as far as they: they go on meanwhile.
const BEHIND_MAX: u64 = 2;

/// A lane in which nothing may be sealed up to a term: what was sealed there may be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closed {
    /// The lane's zone.
    pub zone: Zone,
    /// The last such term.
    pub term: u64,
}

/// What is known of lost records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lost {
    /// Whether the operator lets it vote again once it has caught up.
    is_accepted: bool,
    /// Where it may have sealed what it does not know, if it governed a lane as it came back.
    closed: Option<Closed>,
    /// Whether it has come back.
    is_back: bool,
}

/// Why a router signs nothing, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// Records are lost; until its operator says so.
    Untold,
    /// The operator said so; until it has caught up with the others.
    CatchingUp,
    /// Its votes go further than its book; until the book is at this height.
    Below(u64),
}

/// What a router may do, by what its folder still knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Whether it must sign nothing.
    pub silence: Option<Silence>,
    /// Where it must seal nothing.
    pub closed: Option<Closed>,
}

fn damaged(path: &Path, error: impl std::fmt::Display) -> Failure {
    let advice = "this router must not sign before its operator knows why";
    Failure::fault(format!("{} is damaged: {error}; {advice}", path.display()))
}

/// Says of a new key, before it is made, that it has signed nothing.
///
/// # Errors
/// The disk fails.
pub fn born(home: &Path, key: &PublicKey) -> Result<(), Failure> {
    secret_file::replace(&home.join(UNSIGNED), &key.to_string())
}

/// What the files of a folder say.
pub struct Records {
    home: PathBuf,
    consensus: PathBuf,
}

impl Records {
    /// Those of a folder.
    pub fn of(folder: &DataFolder) -> Records {
        Records::at(folder.path())
    }

    /// Those of the folder at this path.
    pub fn at(home: &Path) -> Records {
        Records { consensus: home.join("consensus"), home: home.to_path_buf() }
    }

    /// Whether the router that lost them may sign again once it has caught up; `None` where none
    /// are lost, or it signs already.
    ///
    /// # Errors
    /// The disk fails, or the mark is damaged.
    pub fn lost_and_accepted(&self) -> Result<Option<bool>, Failure> {
        Ok(self.lost()?.filter(|mark| !mark.is_back).map(|mark| mark.is_accepted))
    }

    fn lost(&self) -> Result<Option<Lost>, Failure> {
        let path = self.home.join(LOST);
        let Some(text) = secret_file::read(&path)? else { return Ok(None) };
        serde_json::from_str(&text).map(Some).map_err(|error| damaged(&path, error))
    }

    fn write(&self, lost: Lost) -> Result<(), Failure> {
        let text = serde_json::to_string(&lost).map_err(|e| Failure::fault(e.to_string()))?;
        secret_file::replace(&self.home.join(LOST), &text)
    }

    fn is_unsigned(&self, key: &PublicKey) -> Result<bool, Failure> {
        let text = secret_file::read(&self.home.join(UNSIGNED))?;
        Ok(text.is_some_and(|text| text.trim() == key.to_string()))
    }

    /// Whether the folder is known to have lost what its router signed.
    ///
    /// # Errors
    /// The disk fails, or the mark is damaged.
    pub fn is_marked(&self) -> Result<bool, Failure> {
        Ok(self.lost()?.is_some())
    }

    /// Whether every vote of this key is known here.
    ///
    /// # Errors
    /// The disk fails.
    pub fn has_votes(&self, key: &PublicKey) -> Result<bool, Failure> {
        Ok(self.logged()?.is_some() || self.is_unsigned(key)?)
    }

    fn logged(&self) -> Result<Option<u64>, Failure> {
        let votes = ddt_consensus::logged_height(&self.consensus);
        votes.map_err(|error| Failure::fault(super::chain_of(&error)))
    }

    /// What a node may do whose book ends at `height`. Must be asked before its lane store is
    /// opened, which would make a new one.
    ///
    /// # Errors
    /// The disk fails, or a mark is damaged.
    pub fn standing(
        &self,
        (key, is_router): (&PublicKey, bool),
        height: u64,
        is_accepted: bool,
    ) -> Result<Standing, Failure> {
        let has_lanes = self.home.join("lanes.redb").exists();
        let votes = self.logged()?;
        let mut lost = self.lost()?;
        let is_first = votes.is_none() && (!is_router || self.is_unsigned(key)?);
        let is_whole = is_first || (votes.is_some() && has_lanes);
        let is_back = lost.is_some_and(|lost| lost.is_back);
        if !is_whole && lost.is_none_or(|_| is_back) {
            lost = Some(Lost::default());
            self.write(Lost::default())?;
        }
        if let Some(mark) = lost.as_mut().filter(|mark| !mark.is_back) {
            if is_accepted && !mark.is_accepted {
                mark.is_accepted = true;
                self.write(*mark)?;
            }
            let silence = match mark.is_accepted {
                true => Silence::CatchingUp,
                false => Silence::Untold,
            };
            return Ok(Standing { silence: Some(silence), closed: None });
        }
        // The engine works one height above the committed one, at most.
        let needed = votes.map(|votes| votes.saturating_sub(1)).filter(|needed| *needed > height);
        let closed = lost.and_then(|mark| mark.closed);
        Ok(Standing { silence: needed.map(Silence::Below), closed })
    }

    /// Whether a router may begin to sign here: the only one of a network must have its log
    /// already, unless it has signed nothing.
    ///
    /// # Errors
    /// The disk fails.
    pub fn may_begin(&self, core: &Core) -> Result<bool, Failure> {
        let is_first = core.book.head().0.height == 0 || core.routers.are_several();
        Ok(is_first || self.is_unsigned(&core.keys.router_public())?)
    }

    /// For a folder without a book, before a new one and a new lane store are made there: notes
    /// what is missing beside the log of votes. Answers whether the key has signed nothing that
    /// this folder does not know.
    ///
    /// # Errors
    /// The disk fails, or a mark is damaged.
    pub fn without_book(&self, key: &PublicKey) -> Result<bool, Failure> {
        let standing = self.standing((key, false), 0, false)?;
        let has_lanes = self.home.join("lanes.redb").exists();
        let is_lost = matches!(standing.silence, Some(Silence::Untold | Silence::CatchingUp));
        Ok(!is_lost && (has_lanes || self.is_unsigned(key)?))
    }

    /// Notes that the router signs from now on. Its lane store is there already.
    ///
    /// # Errors
    /// The disk fails.
    pub fn begin(&self) -> Result<(), Failure> {
        let begun = ddt_consensus::begin_log(&self.consensus);
        begun.map_err(|error| Failure::fault(super::chain_of(&error)))?;
        let path = self.home.join(UNSIGNED);
        let removed = match std::fs::remove_file(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            removed => removed,
        };
        let synced = removed.and_then(|()| File::open(&self.home)?.sync_all());
        synced.map_err(|error| Failure::io(&path, &error))
    }

    /// Lets the router vote again; whatever it sealed there may be lost.
    fn come_back(&self, closed: Option<Closed>) -> Result<(), Failure> {
        let begun = ddt_consensus::begin_log(&self.consensus);
        begun.map_err(|error| Failure::fault(super::chain_of(&error)))?;
        self.write(Lost { is_accepted: true, is_back: true, closed })
    }
}

impl Standing {
    /// Whether what it sealed in that term may be lost.
    pub fn may_not_seal(&self, zone: Zone, term: u64) -> bool {
        self.closed.is_some_and(|closed| closed.zone == zone && term <= closed.term)
    }

    /// Tells people what it means, and what to do.
    pub fn say(self, home: &Path) {
        let home = home.display();
        if let Some(Closed { zone, term }) = self.closed {
            tracing::warn!(
                "{home}: lost blocks that it may have sealed: it seals nothing in zone {zone} \
                 up to term {term}"
            );
        }
        let Some(silence) = self.silence else { return };
        match silence {
            Silence::Untold => tracing::error!(
                "{home} has the key of a router, but not the records of what it signed \
                 (lanes.redb, consensus/consensus.wal): this node follows and SIGNS NOTHING. If \
                 the records still exist, stop it and put them back with everything else of \
                 that folder. If they are lost, and the others have gone on without this router \
                 by at least two anchors, start once with {FLAG}"
            ),
            Silence::CatchingUp => {
                tracing::warn!("{home}: signs nothing until it has caught up with the others");
            }
            Silence::Below(height) => tracing::warn!(
                "{home}: it voted up to anchor {height} or beyond, which its book does not have: \
                 signs nothing until it has caught up"
            ),
        }
    }
}

/// Ends the node's silence when that is safe: it starts again then, in its role.
pub async fn watch(core: Arc<Core>, records: Records, silence: Silence) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        match silence {
            Silence::Untold => return,
            Silence::Below(height) if core.book.head().0.height < height => continue,
            Silence::Below(_) => {}
            // Here a liar can only keep it silent, and what it signed may be near the highest.
            Silence::CatchingUp if !has_caught_up(&core, 0, 0) => continue,
            Silence::CatchingUp => {
                let returned = own_lane(&core).and_then(|lane| records.come_back(lane));
                if let Err(failure) = returned {
                    return core.end(failure);
                }
            }
        }
        let _ = core.ending.send(Ending::Again("may sign again"));
        return;
    }
}

/// Lets the node sequence events once it has seen that it is not behind: what it promised in a
/// term that others closed meanwhile would be void.
pub async fn open_when_up_to_date(core: Arc<Core>) {
    let me = core.keys.router_public();
    // Who alone decides now is as far as anybody.
    let is_alone = || core.routers.validators().0.iter().all(|validator| validator.key == me);
    let faulty = || core.routers.validators().0.len().saturating_sub(1) / 3;
    while !is_alone() && !has_caught_up(&core, BEHIND_MAX, faulty()) {
        tokio::time::sleep(UP_TO_DATE_EVERY).await;
    }
    core.is_up_to_date.store(true, Ordering::Relaxed);
}

/// Whether so many validators are connected that the network goes on with this one, and it is
/// not behind them by more than that. The highest of them are not believed, so many as may be
/// `faulty`: nobody has proven its height. Without any other validator nobody can tell.
fn has_caught_up(core: &Core, behind: u64, faulty: usize) -> bool {
    let Some(net) = core.net.get() else { return false };
    let (set, me) = (core.routers.validators(), core.keys.router_public());
    let is_validator = |key: &PublicKey| set.0.iter().any(|validator| validator.key == *key);
    let peers = net.peers();
    let heights = peers.iter().filter_map(|peer| {
        let router = peer.router.filter(|key| *key != me && is_validator(key));
        router.map(|_| peer.height)
    });
    let mut heights: Vec<u64> = heights.collect();
    heights.sort_unstable_by(|a, b| b.cmp(a));
    let believed = heights.get(faulty).or(heights.last()).copied().unwrap_or_default();
    let highest = believed.max(core.heard.load(Ordering::Relaxed));
    // A node that votes is one of them itself.
    let own = usize::from(is_validator(&me));
    let is_quorum = !heights.is_empty() && heights.len().saturating_add(own) >= set.quorum();
    is_quorum && core.book.head().0.height.saturating_add(behind) >= highest
}

/// The lane that the state gives to this key, as it stands now.
fn own_lane(core: &Core) -> Result<Option<Closed>, Failure> {
    let snapshot = core.book.snapshot()?;
    let lanes: Vec<(Zone, Lane)> = Lane::scan(&snapshot, None, ddt_ledger::anchor::TIPS_MAX);
    let own = lanes.iter().find(|(_, lane)| lane.key == core.keys.router_public());
    Ok(own.map(|(zone, lane)| Closed { zone: *zone, term: lane.term }))
}
