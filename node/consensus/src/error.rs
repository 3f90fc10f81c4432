//! What can go wrong: faults of the application, and reasons why consensus cannot run.

use std::error::Error;
use std::path::PathBuf;

/// The application could not answer: a disk, a broken invariant. Never the fault of a peer.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Fault(Box<dyn Error + Send + Sync>);

impl Fault {
    /// A fault with this cause; a text will do.
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Fault {
        Fault(cause.into())
    }
}

/// Why consensus did not start, or ended. The process must exit and recover by restarting;
/// nothing here may be answered by starting again inside the same process, except `Config`.
#[derive(Debug, thiserror::Error)]
pub enum ConsensusError {
    /// The configuration makes no sense.
    #[error("consensus configuration: {0}")]
    Config(String),
    /// This router has voted before, but what it signed is lost: signing again could be
    /// read as equivocation. Start with `accept_lost_wal` only when the router has been
    /// down for so long that its last height is surely decided.
    #[error("{path}: WAL missing although anchors up to {committed_height} are committed")]
    WalMissing {
        /// Where it should be.
        path: PathBuf,
        /// What the application has committed.
        committed_height: u64,
    },
    /// The WAL is of a later height than the application's store, as when the store was
    /// restored from a backup: the engine would reset it and could sign twice.
    #[error("{path}: WAL is at height {wal_height}, but only {committed_height} is committed")]
    WalAhead {
        /// Where it is.
        path: PathBuf,
        /// Height for which it holds what was signed.
        wal_height: u64,
        /// What the application has committed.
        committed_height: u64,
    },
    /// The WAL cannot be opened: damaged, or in use by another process with the same home.
    #[error("{path}: cannot open the WAL: {source}")]
    Wal {
        /// Where it is.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The engine refused to start.
    #[error("the consensus engine did not start: {0}")]
    Engine(String),
    /// The mesh cannot be listened on, usually because another process does.
    #[error("cannot listen on {0}: is the address another process's, or not this machine's?")]
    NotListening(String),
    /// The engine ended by itself (its log says why; after a WAL failure it must not be
    /// restarted before somebody looked at the disk).
    #[error("the consensus engine stopped")]
    EngineStopped,
    /// The application failed where consensus cannot go on without it.
    #[error("{during}: {fault}")]
    Application {
        /// What was asked.
        during: &'static str,
        /// What it answered.
        fault: Fault,
    },
    /// The application panicked.
    #[error("{during}: the application panicked")]
    Panicked {
        /// What was asked.
        during: &'static str,
    },
}
