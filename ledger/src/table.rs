//! Typed tables over the one ordered map of rows that the state is.
//!
//! A row's full key is the table's number (2 bytes, big-endian) and the row's key in an
//! order-preserving encoding; its value is canonical bytes. Programmes' tables have numbers
//! from [`PROGRAMME_TABLES`] up; the ones below (balances!) cannot be named outside this
//! crate.

use std::marker::PhantomData;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::codec::{decode, encode};
use crate::hash::Hash;
use crate::ids::{AccountId, Address, Zone};
use crate::key::PublicKey;

/// Numbers below are the ledger's own.
pub const PROGRAMME_TABLES: u16 = 256;
/// Longest value of a row, in bytes.
pub const ROW_BYTES_MAX: usize = 64 * 1024;

/// Reading rows. Faults of the disk are kept by the reader and stop the node; a rule never
/// sees them.
pub trait Rows {
    /// The row with this full key.
    fn row(&self, key: &[u8]) -> Option<Vec<u8>>;
    /// At most `limit` rows whose full keys start with `prefix` and lie after `after`.
    fn rows_after(&self, prefix: &[u8], after: &[u8], limit: usize) -> Vec<(Vec<u8>, Vec<u8>)>;
    /// Says that a row does not decode: the store is damaged.
    fn damaged(&self, key: &[u8]);
    /// At most `limit` entries of a secondary index: (entry, full key of the row).
    fn index_after(&self, prefix: &[u8], after: &[u8], limit: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        let _ = (prefix, after, limit);
        Vec::new()
    }
}

/// Writing rows.
pub trait RowsMut: Rows {
    /// Writes or removes the row with this full key.
    fn set_row(&mut self, key: Vec<u8>, value: Option<Vec<u8>>);
}

/// A part of a row's key: its bytes order as its values do.
pub trait Key: Sized {
    /// Appends the encoding.
    fn write(&self, out: &mut Vec<u8>);
    /// Reads it from the front of `bytes`.
    fn read(bytes: &mut &[u8]) -> Option<Self>;
}

fn take<'b>(bytes: &mut &'b [u8], count: usize) -> Option<&'b [u8]> {
    let (front, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(front)
}

macro_rules! integer_key {
    ($($name:ty)*) => { $(
        impl Key for $name {
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }
            fn read(bytes: &mut &[u8]) -> Option<Self> {
                take(bytes, size_of::<$name>())?.try_into().ok().map(<$name>::from_be_bytes)
            }
        }
    )* };
}

integer_key!(u8 u16 u32 u64);

macro_rules! array_key {
    ($($name:path, $length:literal;)*) => { $(
        impl Key for $name {
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.0);
            }
            fn read(bytes: &mut &[u8]) -> Option<Self> {
                take(bytes, $length)?.try_into().ok().map($name)
            }
        }
    )* };
}

array_key!(AccountId, 32; Address, 20; Hash, 32; PublicKey, 32;);

impl Key for Zone {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        u32::read(bytes).map(Zone)
    }
}

impl Key for () {
    fn write(&self, _: &mut Vec<u8>) {}

    fn read(_: &mut &[u8]) -> Option<Self> {
        Some(())
    }
}

/// Bytes of any length; only as the last part of a key.
impl Key for Vec<u8> {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        Some(std::mem::take(bytes).to_vec())
    }
}

impl<A: Key, B: Key> Key for (A, B) {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
        self.1.write(out);
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        Some((A::read(bytes)?, B::read(bytes)?))
    }
}

impl<A: Key, B: Key, C: Key> Key for (A, B, C) {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
        self.1.write(out);
        self.2.write(out);
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        Some((A::read(bytes)?, B::read(bytes)?, C::read(bytes)?))
    }
}

/// A table of rows `V` by keys `K`.
pub struct Table<K, V> {
    id: u16,
    rows: PhantomData<fn() -> (K, V)>,
}

impl<K: Key, V: BorshSerialize + BorshDeserialize> Table<K, V> {
    /// A programme's table. Fails to compile below [`PROGRAMME_TABLES`].
    pub const fn new(id: u16) -> Self {
        assert!(id >= PROGRAMME_TABLES, "numbers below 256 are the ledger's own tables");
        Table { id, rows: PhantomData }
    }

    pub(crate) const fn system(id: u16) -> Self {
        Table { id, rows: PhantomData }
    }

    /// The start of every full key of this table.
    pub fn prefix(&self) -> [u8; 2] {
        self.id.to_be_bytes()
    }

    /// The full key of a row.
    pub fn full_key(&self, key: &K) -> Vec<u8> {
        let mut full = self.prefix().to_vec();
        key.write(&mut full);
        full
    }

    /// The row with this key.
    pub fn get<R: Rows + ?Sized>(&self, rows: &R, key: &K) -> Option<V> {
        let full = self.full_key(key);
        let bytes = rows.row(&full)?;
        self.value(rows, &full, &bytes)
    }

    /// Writes a row.
    pub fn put<R: RowsMut + ?Sized>(&self, rows: &mut R, key: &K, value: &V) {
        rows.set_row(self.full_key(key), Some(encode(value)));
    }

    /// Removes a row, if there is one.
    pub fn remove<R: RowsMut + ?Sized>(&self, rows: &mut R, key: &K) {
        rows.set_row(self.full_key(key), None);
    }

    /// At most `limit` rows after the row `after` (from the first, if none), in key order.
    pub fn scan<R: Rows + ?Sized>(&self, rows: &R, after: Option<&K>, limit: usize) -> Vec<(K, V)> {
        let start = after.map_or(Vec::new(), |key| self.full_key(key));
        self.read_all(rows, rows.rows_after(&self.prefix(), &start, limit))
    }

    /// At most `limit` rows whose keys start with `prefix`, after the row `after` (from the
    /// first, if none), in key order.
    pub fn scan_under<R: Rows + ?Sized>(
        &self,
        rows: &R,
        prefix: &[u8],
        after: Option<K>,
        limit: usize,
    ) -> Vec<(K, V)> {
        let start = after.map_or(Vec::new(), |key| self.full_key(&key));
        let prefix = [self.prefix().as_slice(), prefix].concat();
        self.read_all(rows, rows.rows_after(&prefix, &start, limit))
    }

    /// Every row, in key order, a thousand at a time.
    pub fn each<R: Rows + ?Sized>(&self, rows: &R, mut visit: impl FnMut(K, V)) {
        let mut after = Vec::new();
        loop {
            let page = rows.rows_after(&self.prefix(), &after, 1_000);
            let Some((last, _)) = page.last() else { return };
            after = last.clone();
            for (key, value) in self.read_all(rows, page) {
                visit(key, value);
            }
        }
    }

    fn read_all<R: Rows + ?Sized>(&self, rows: &R, page: Vec<(Vec<u8>, Vec<u8>)>) -> Vec<(K, V)> {
        let mut found = Vec::with_capacity(page.len());
        for (full, bytes) in page {
            let mut rest = full.get(2..).unwrap_or_default();
            match (K::read(&mut rest), self.value(rows, &full, &bytes)) {
                (Some(key), Some(value)) if rest.is_empty() => found.push((key, value)),
                _ => rows.damaged(&full),
            }
        }
        found
    }

    fn value<R: Rows + ?Sized>(&self, rows: &R, full: &[u8], bytes: &[u8]) -> Option<V> {
        let value = decode(bytes, ROW_BYTES_MAX).ok();
        if value.is_none() {
            rows.damaged(full);
        }
        value
    }
}

/// What the store must know of a table: its number, its name, its indexes.
#[derive(Clone, Copy)]
pub struct TableInfo {
    /// The table's number.
    pub id: u16,
    /// `programme.table`.
    pub name: &'static str,
    /// Its secondary indexes: outside the state root, rebuildable.
    pub indexes: &'static [IndexInfo],
    /// Reads a row's parts: (key without the table's number, value if there is one) → parts.
    pub show: ShowRow,
}

/// Reads the parts of a row, or of the key of an absent one.
pub type ShowRow = fn(&[u8], Option<&[u8]>) -> Option<crate::schema::Fields>;

/// A secondary index of a table.
#[derive(Clone, Copy)]
pub struct IndexInfo {
    /// Its number, unique among all indexes.
    pub id: u16,
    /// The entries of one row: (key without the table's number, value) → index keys.
    pub entries: fn(&[u8], &[u8]) -> Vec<Vec<u8>>,
}

/// The start of every entry of index `id`.
pub fn index_prefix(id: u16) -> [u8; 2] {
    id.to_be_bytes()
}
