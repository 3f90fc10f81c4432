//! A disk in memory below the real stores: what is not synced is lost at a power cut, whole
//! or sector by sector; it may fill up, and its bits may flip.

use std::io::{Error, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard};

use ddt_ledger::store::Backend;
use redb::StorageBackend;

use crate::random::Random;

const SECTOR: usize = 512;
/// Of the stores.
const PAGE: usize = 4_096;

#[derive(Clone, Debug)]
enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

#[derive(Debug, Default)]
struct Inner {
    /// What a program sees.
    current: Vec<u8>,
    /// What surely survives.
    durable: Vec<u8>,
    pending: Vec<Change>,
    /// Where the last two syncs wrote: the last commit.
    written: [Vec<usize>; 2],
    /// The power goes at the sync after so many more.
    syncs_left: Option<u64>,
    is_dead: bool,
    is_full: bool,
}

/// A disk; clones are the same one, until the power goes.
#[derive(Clone, Debug, Default)]
pub struct Disk(Arc<Mutex<Inner>>);

impl Disk {
    /// The same, for a store to use.
    pub fn backend(&self) -> Backend {
        Backend::Custom(Box::new(self.clone()))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The power goes in the middle of a later write: at the sync after `syncs` more.
    pub fn arm(&self, syncs: u64) {
        self.inner().syncs_left = Some(syncs);
    }

    /// The power stays after all.
    pub fn disarm(&self) {
        self.inner().syncs_left = None;
    }

    /// Whether nothing was ever written.
    pub fn is_empty(&self) -> bool {
        self.inner().current.is_empty()
    }

    /// Writing fails from now on, or no more.
    pub fn set_full(&self, is_full: bool) {
        self.inner().is_full = is_full;
    }

    /// Whether the power went in the middle of a write.
    pub fn is_dead(&self) -> bool {
        self.inner().is_dead
    }

    /// The power goes. Whoever still has the disk open can do nothing to it any more; what was
    /// not synced is there or not, sector by sector.
    pub fn cut(&mut self, random: &mut Random) {
        let (mut durable, pending) = {
            let mut inner = self.inner();
            inner.is_dead = true;
            (std::mem::take(&mut inner.durable), std::mem::take(&mut inner.pending))
        };
        let fate = random.below(4);
        for change in &pending {
            match (fate, change) {
                (0, _) => {}
                (1, _) => apply(&mut durable, change),
                (_, Change::Length(_)) if random.chance(500) => {}
                (_, Change::Length(_)) => apply(&mut durable, change),
                (_, Change::Write(offset, data)) => tear(&mut durable, *offset, data, random),
            }
        }
        let current = durable.clone();
        *self = Disk(Arc::new(Mutex::new(Inner { current, durable, ..Inner::default() })));
    }

    /// The process ended without a word: what it wrote is there, synced or not.
    pub fn kill(&mut self) {
        let (current, written) = {
            let mut inner = self.inner();
            inner.is_dead = true;
            (std::mem::take(&mut inner.current), std::mem::take(&mut inner.written))
        };
        let durable = current.clone();
        let inner = Inner { current, durable, written, ..Inner::default() };
        *self = Disk(Arc::new(Mutex::new(inner)));
    }

    /// One bit is not what it was: anywhere, or where the last commit is. False on an empty
    /// disk.
    pub fn flip(&self, random: &mut Random) -> bool {
        let mut inner = self.inner();
        let length = inner.durable.len();
        if length == 0 {
            return false;
        }
        let written: Vec<usize> = inner.written.concat();
        let place = match written.get(random.place(written.len())) {
            Some(page) if random.chance(500) => (page + random.place(PAGE)).min(length - 1),
            _ => random.place(length),
        };
        let bit = 1 << random.below(8);
        inner.durable[place] ^= bit;
        inner.current[place] ^= bit;
        true
    }
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write(start, data) => {
            if bytes.len() < start + data.len() {
                bytes.resize(start + data.len(), 0);
            }
            bytes[*start..start + data.len()].copy_from_slice(data);
        }
        Change::Length(length) => bytes.resize(*length, 0),
    }
}

/// Some sectors of a write arrive.
fn tear(bytes: &mut Vec<u8>, start: usize, data: &[u8], random: &mut Random) {
    for (number, sector) in data.chunks(SECTOR).enumerate() {
        if random.chance(500) {
            apply(bytes, &Change::Write(start + number * SECTOR, sector.to_vec()));
        }
    }
}

impl Inner {
    fn change(&mut self, change: Change) -> Result<(), Error> {
        if self.is_dead {
            return Err(Error::other("the power is gone"));
        }
        if self.is_full {
            return Err(ErrorKind::StorageFull.into());
        }
        apply(&mut self.current, &change);
        self.pending.push(change);
        Ok(())
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, Error> {
        Ok(self.inner().current.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), Error> {
        let inner = self.inner();
        let start = usize::try_from(offset).map_err(Error::other)?;
        let found = inner.current.get(start..start + out.len());
        out.copy_from_slice(found.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, length: u64) -> Result<(), Error> {
        let length = usize::try_from(length).map_err(Error::other)?;
        self.inner().change(Change::Length(length))
    }

    fn sync_data(&self) -> Result<(), Error> {
        let mut inner = self.inner();
        if inner.is_dead {
            return Err(Error::other("the power is gone"));
        }
        match inner.syncs_left {
            Some(0) => {
                inner.is_dead = true;
                return Err(Error::other("the power goes"));
            }
            Some(left) => inner.syncs_left = Some(left - 1),
            None => {}
        }
        let pending = std::mem::take(&mut inner.pending);
        let place = |change: &Change| match change {
            Change::Write(place, _) => Some(*place),
            Change::Length(_) => None,
        };
        inner.written.swap(0, 1);
        inner.written[1] = pending.iter().filter_map(place).collect();
        pending.iter().for_each(|change| apply(&mut inner.durable, change));
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), Error> {
        let start = usize::try_from(offset).map_err(Error::other)?;
        self.inner().change(Change::Write(start, data.to_vec()))
    }
}
