//! Faults: the disk or the data did not do what they must. Never a rule's "no".

/// What kind of fault it is, hence what a caller should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The disk is full: free space, start again.
    Full,
    /// The store may not be written: check permissions.
    ReadOnly,
    /// Another process holds the store.
    Busy,
    /// The store was written by a newer release.
    Newer,
    /// The store was written by an earlier release and lacks what this one needs.
    Older,
    /// The store's bytes are not what was written: restore from a backup, or sync again.
    Damaged,
    /// The store belongs to another network.
    WrongChain,
    /// Any other failure of the disk.
    Disk,
}

/// A failure of disk or data, with what was being done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{context}")]
pub struct StoreFault {
    /// What kind.
    pub kind: FaultKind,
    /// What was being done, what went wrong, and what to do.
    pub context: String,
}

impl StoreFault {
    /// A fault of this kind.
    pub fn new(kind: FaultKind, context: impl Into<String>) -> StoreFault {
        StoreFault { kind, context: context.into() }
    }

    /// Damage found while reading `what`.
    pub fn damaged(what: impl std::fmt::Display) -> StoreFault {
        let advice = "restore the data folder from a backup, or sync it again";
        StoreFault::new(FaultKind::Damaged, format!("the store is damaged: {what}; {advice}"))
    }
}
