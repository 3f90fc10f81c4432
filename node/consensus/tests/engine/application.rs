//! A small application in memory. It outlives the engine, as a disk would.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ddt_consensus::{Application, BoxFuture, DoubleVote, Fault, StoredProposal, Verdict};
use ddt_ledger::certificate::{Certificate, ValidatorSet};
use tokio::sync::watch;

/// What every good body begins with.
const GOOD: &[u8] = b"good";

/// How an application misbehaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Manner {
    /// Not at all.
    #[default]
    Honest,
    /// Proposes bodies that everybody else finds invalid.
    Bad,
    /// Has the blocks of no body when it sees it first.
    Late,
    /// Its disk fails when it commits this height.
    FailsToCommit(u64),
    /// Panics when it commits this height.
    PanicsAt(u64),
    /// Has nothing to propose in round 0.
    SkipsFirstRound,
}

#[derive(Default)]
struct Disk {
    manner: Manner,
    proposals: BTreeMap<u64, Vec<StoredProposal>>,
    decided: BTreeMap<u64, (Vec<u8>, Certificate)>,
    proposed: Vec<(u64, u32)>,
    seen: BTreeSet<Vec<u8>>,
    double_votes: Vec<DoubleVote>,
}

pub struct TestApplication {
    name: String,
    set: ValidatorSet,
    disk: Mutex<Disk>,
    committed: watch::Sender<u64>,
    work_until: watch::Sender<u64>,
    waited_for: watch::Sender<u64>,
}

impl TestApplication {
    pub fn new(name: &str, set: &ValidatorSet) -> Arc<TestApplication> {
        Arc::new(TestApplication {
            name: name.to_owned(),
            set: set.clone(),
            disk: Mutex::default(),
            committed: watch::Sender::new(0),
            work_until: watch::Sender::new(0),
            waited_for: watch::Sender::new(0),
        })
    }

    /// What the engine reported of others.
    pub fn double_votes(&self) -> Vec<DoubleVote> {
        self.disk().double_votes.clone()
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn behave(&self, manner: Manner) {
        self.disk().manner = manner;
    }

    /// There is work for every height up to this one.
    pub fn work_until(&self, height: u64) {
        self.work_until.send_replace(height);
    }

    pub async fn reached(&self, height: u64) {
        self.committed.subscribe().wait_for(|at| *at >= height).await.unwrap();
    }

    /// Resolves when consensus is idle before this height.
    pub async fn idle_before(&self, height: u64) {
        self.waited_for.subscribe().wait_for(|at| *at == height).await.unwrap();
    }

    pub fn value(&self, height: u64) -> (Vec<u8>, Certificate) {
        self.disk().decided.get(&height).cloned().unwrap()
    }

    pub fn bodies(&self, heights: std::ops::RangeInclusive<u64>) -> Vec<Vec<u8>> {
        heights.map(|height| self.value(height).0).collect()
    }

    pub fn decided_nothing_beyond(&self, height: u64) -> bool {
        self.disk().decided.keys().all(|decided| *decided <= height)
    }

    /// Whether it ever lacked the blocks of a body.
    pub fn was_late(&self) -> bool {
        !self.disk().seen.is_empty()
    }

    /// How often it was asked to build a body for this height and round.
    pub fn times_proposed(&self, height: u64, round: u32) -> usize {
        self.disk().proposed.iter().filter(|asked| **asked == (height, round)).count()
    }
}

pub fn is_good(body: &[u8]) -> bool {
    body.starts_with(GOOD)
}

impl Application for TestApplication {
    fn committed_height(&self) -> u64 {
        *self.committed.borrow()
    }

    fn validators(&self, height: u64) -> Result<ValidatorSet, Fault> {
        if height <= self.committed_height() + 2 {
            Ok(self.set.clone())
        } else {
            Err(Fault::new(format!("the validators of {height} are not known yet")))
        }
    }

    fn propose(&self, height: u64, round: u32) -> Result<Vec<u8>, Fault> {
        let mut disk = self.disk();
        disk.proposed.push((height, round));
        let text = format!(" {height}.{round} by {}, no. {}", self.name, disk.proposed.len());
        match disk.manner {
            Manner::Bad => Ok([b"bad", text.as_bytes()].concat()),
            Manner::SkipsFirstRound if round == 0 => Err(Fault::new("nothing to propose")),
            _ => Ok([GOOD, text.as_bytes()].concat()),
        }
    }

    fn check(&self, height: u64, body: &[u8]) -> Verdict {
        assert_eq!(height, self.committed_height() + 1, "asked to judge too early");
        let mut disk = self.disk();
        if disk.manner == Manner::Late && disk.seen.insert(body.to_vec()) {
            return Verdict::Missing;
        }
        if is_good(body) || disk.manner == Manner::Bad {
            Verdict::Valid
        } else {
            Verdict::Invalid("not good".to_owned())
        }
    }

    fn save_proposal(&self, proposal: &StoredProposal) -> Result<(), Fault> {
        let mut disk = self.disk();
        let kept = disk.proposals.entry(proposal.height).or_default();
        if !kept.contains(proposal) {
            kept.push(proposal.clone());
        }
        Ok(())
    }

    fn proposals(&self, height: u64) -> Result<Vec<StoredProposal>, Fault> {
        Ok(self.disk().proposals.get(&height).cloned().unwrap_or_default())
    }

    fn decided(&self, body: &[u8], certificate: &Certificate) -> Result<(), Fault> {
        let height = certificate.height;
        if height <= self.committed_height() {
            return Ok(());
        }
        assert_eq!(height, self.committed_height() + 1, "a height was skipped");
        let mut disk = self.disk();
        match disk.manner {
            Manner::FailsToCommit(at) if at == height => return Err(Fault::new("disk on fire")),
            Manner::PanicsAt(at) if at == height => panic!("a bug, on purpose"),
            _ => {}
        }
        disk.decided.insert(height, (body.to_vec(), certificate.clone()));
        disk.proposals.retain(|of, _| *of > height);
        drop(disk);
        self.committed.send_replace(height);
        Ok(())
    }

    fn double_voted(&self, votes: &[DoubleVote]) -> Result<(), Fault> {
        self.disk().double_votes.extend(votes.iter().cloned());
        Ok(())
    }

    fn decided_value(&self, height: u64) -> Result<Option<(Vec<u8>, Certificate)>, Fault> {
        Ok(self.disk().decided.get(&height).cloned())
    }

    fn history_min_height(&self) -> u64 {
        1
    }

    fn wait_for_work(&self, height: u64) -> BoxFuture<'static, ()> {
        let mut work = self.work_until.subscribe();
        self.waited_for.send_replace(height);
        Box::pin(async move {
            if work.wait_for(|until| *until >= height).await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}
