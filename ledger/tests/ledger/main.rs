//! The ledger's promises, tested through its public face with a small programme of their own.

mod admission;
mod amounts;
mod anchors;
mod blocks;
mod books;
mod codec;
mod conservation;
mod crashes;
mod events;
mod faults;
mod halts;
mod indexes;
mod lists;
mod names;
mod parameters;
mod proofs;
mod receipts;
mod replay;
mod routers;
mod signatures;
mod snapshots;
mod stamps;
mod states;
mod support;
mod vectors;
mod zip215;
