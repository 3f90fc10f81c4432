//! A disk in memory that remembers everything done to it, so that a power cut at any moment
//! can be replayed, and that fails when it is told to.

use std::io::{Error, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard};

use ddt_ledger::store::Backend;
use redb::StorageBackend;

/// What was done to the disk, or promised on its strength.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Bytes were written, perhaps only into a cache.
    Write(u64, Vec<u8>),
    /// The file was cut or grew.
    Length(u64),
    /// Everything before is durable.
    Sync,
    /// The store said that so much is safe.
    Promise(u64),
}

#[derive(Debug, Default)]
struct Inner {
    bytes: Vec<u8>,
    steps: Vec<Step>,
    changes: usize,
    fails_from: Option<(usize, ErrorKind)>,
}

/// A disk: clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Disk(Arc<Mutex<Inner>>);

impl Disk {
    /// A disk with these bytes on it.
    pub fn with(bytes: Vec<u8>) -> Disk {
        Disk(Arc::new(Mutex::new(Inner { bytes, ..Inner::default() })))
    }

    /// The same, for a store to use.
    pub fn backend(&self) -> Backend {
        Backend::Custom(Box::new(self.clone()))
    }

    /// What a program that was killed leaves behind: everything written.
    pub fn bytes(&self) -> Vec<u8> {
        self.inner().bytes.clone()
    }

    /// Everything that was done.
    pub fn steps(&self) -> Vec<Step> {
        self.inner().steps.clone()
    }

    /// How many changes were made or tried.
    pub fn changes(&self) -> usize {
        self.inner().changes
    }

    /// Notes that the store promised something.
    pub fn promise(&self, what: u64) {
        self.inner().steps.push(Step::Promise(what));
    }

    /// Every change from the `number`-th on fails.
    pub fn fail_from(&self, number: usize, kind: ErrorKind) {
        self.inner().fails_from = Some((number, kind));
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Inner {
    fn change(&mut self, step: Step) -> Result<(), Error> {
        self.changes += 1;
        match self.fails_from {
            Some((number, kind)) if self.changes >= number => Err(kind.into()),
            _ => {
                apply(&mut self.bytes, &step);
                self.steps.push(step);
                Ok(())
            }
        }
    }
}

fn apply(bytes: &mut Vec<u8>, step: &Step) {
    match step {
        Step::Write(offset, data) => {
            let start = usize::try_from(*offset).expect("a small disk");
            let end = start + data.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[start..end].copy_from_slice(data);
        }
        Step::Length(length) => {
            bytes.resize(usize::try_from(*length).expect("a small disk"), 0);
        }
        Step::Sync | Step::Promise(_) => {}
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, Error> {
        Ok(self.inner().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), Error> {
        let inner = self.inner();
        let start = usize::try_from(offset).map_err(Error::other)?;
        let found = inner.bytes.get(start..start + out.len());
        out.copy_from_slice(found.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, length: u64) -> Result<(), Error> {
        self.inner().change(Step::Length(length))
    }

    fn sync_data(&self) -> Result<(), Error> {
        self.inner().change(Step::Sync)
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), Error> {
        self.inner().change(Step::Write(offset, data.to_vec()))
    }
}

/// How a power cut treats what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// All of it is lost.
    Lost,
    /// Some writes arrived and some did not, and one arrived half.
    Torn(u64),
}

/// What is on the disk after a power cut before step `at`, and the highest promise until then.
/// With `lies`, the disk never synced although it said so.
pub fn cut(steps: &[Step], at: usize, how: Cut, lies: bool) -> (Vec<u8>, Option<u64>) {
    let mut durable = Vec::new();
    let mut waiting = Vec::new();
    let mut promised = None;
    for step in &steps[..at] {
        match step {
            Step::Sync if !lies => {
                waiting.drain(..).for_each(|step| apply(&mut durable, step));
            }
            Step::Promise(what) => promised = promised.max(Some(*what)),
            step => waiting.push(step),
        }
    }
    if let Cut::Torn(seed) = how {
        let mut random = Random(seed);
        for step in waiting {
            match (random.next() % 4, step) {
                (0, _) => {}
                (1, Step::Write(offset, data)) => {
                    let half = data[..data.len() / 2].to_vec();
                    apply(&mut durable, &Step::Write(*offset, half));
                }
                (_, step) => apply(&mut durable, step),
            }
        }
    }
    (durable, promised)
}

/// Numbers that look random and are the same every time (SplitMix64).
pub struct Random(pub u64);

impl Random {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}
