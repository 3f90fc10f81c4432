//! A disk in memory whose power fails when it is told to: what was not synced is then lost, or
//! arrives in part.

use std::io::{Error, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard};

use ddt_ledger::store::Backend;
use redb::StorageBackend;

use crate::random::Random;

#[derive(Clone, Debug)]
enum Change {
    Write(u64, Vec<u8>),
    Length(u64),
}

#[derive(Debug, Default)]
struct Inner {
    bytes: Vec<u8>,
    durable: Vec<u8>,
    /// Changes since the last sync.
    waiting: Vec<Change>,
    /// Changes that still succeed.
    left: Option<usize>,
    fails_at_sync: bool,
    has_failed: bool,
}

/// A disk: clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Disk(Arc<Mutex<Inner>>);

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write(offset, data) => {
            let start = *offset as usize;
            let end = start + data.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[start..end].copy_from_slice(data);
        }
        Change::Length(length) => bytes.resize(*length as usize, 0),
    }
}

impl Disk {
    /// A disk with these bytes on it, durably.
    pub fn holding(bytes: Vec<u8>) -> Disk {
        let durable = bytes.clone();
        Disk(Arc::new(Mutex::new(Inner { bytes, durable, ..Inner::default() })))
    }

    /// What is on it.
    pub fn bytes(&self) -> Vec<u8> {
        self.inner().bytes.clone()
    }

    /// The same, for a store to use.
    pub fn backend(&self) -> Backend {
        Backend::Custom(Box::new(self.clone()))
    }

    /// Fails at a change, counted from 0, and at all that follow.
    pub fn fail_at(&self, change: usize) {
        self.inner().left = Some(change);
    }

    /// Fails at the next sync, and at all that follows.
    pub fn fail_at_sync(&self) {
        self.inner().fails_at_sync = true;
    }

    /// Does not fail, unless it has failed already.
    pub fn fail_never(&self) {
        let mut inner = self.inner();
        (inner.left, inner.fails_at_sync) = (None, false);
    }

    /// Whether it failed.
    pub fn has_failed(&self) -> bool {
        self.inner().has_failed
    }

    /// What is there when the power is back, as a disk of its own: all that was synced, and of
    /// the rest nothing, all or a part, as `seed` chooses.
    pub fn after_power_cut(&self, seed: u64) -> Disk {
        let inner = self.inner();
        let (mut random, mut durable) = (Random::of(seed), inner.durable.clone());
        let part = random.one([0, 50, 100]);
        for change in inner.waiting.iter().filter(|_| random.percent(part)) {
            apply(&mut durable, change);
        }
        Disk::holding(durable)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Inner {
    fn spend(&mut self) -> Result<(), Error> {
        if self.has_failed || self.left == Some(0) {
            self.has_failed = true;
            return Err(ErrorKind::BrokenPipe.into());
        }
        self.left = self.left.map(|left| left - 1);
        Ok(())
    }

    fn change(&mut self, change: Change) -> Result<(), Error> {
        self.spend()?;
        apply(&mut self.bytes, &change);
        self.waiting.push(change);
        Ok(())
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, Error> {
        Ok(self.inner().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), Error> {
        let inner = self.inner();
        let start = offset as usize;
        let found = inner.bytes.get(start..start + out.len());
        out.copy_from_slice(found.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, length: u64) -> Result<(), Error> {
        self.inner().change(Change::Length(length))
    }

    fn sync_data(&self) -> Result<(), Error> {
        let mut inner = self.inner();
        inner.has_failed |= inner.fails_at_sync;
        inner.spend()?;
        let waiting = std::mem::take(&mut inner.waiting);
        waiting.iter().for_each(|change| apply(&mut inner.durable, change));
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), Error> {
        self.inner().change(Change::Write(offset, data.to_vec()))
    }
}
