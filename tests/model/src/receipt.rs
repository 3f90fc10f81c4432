//! Receipts: what each event, and each piece of the ledger's own work, did.

use crate::canonical::{Canonical, Id};
use crate::money::Posting;
use crate::{Code, Money};

/// What something did.
#[derive(Clone, Debug)]
pub struct Receipt {
    pub(crate) height: u64,
    pub(crate) index: u32,
    pub(crate) subject: Subject,
    pub(crate) outcome: Outcome,
    pub(crate) fee: Money,
    pub(crate) postings: Vec<Posting>,
}

/// What did it.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    /// An event, its author and tag, and where its bytes stand.
    Event {
        id: Id,
        author: Id,
        tag: u16,
        zone: u32,
        number: u64,
        term: u64,
        block: u64,
        at: u32,
    },
    Deadline {
        tag: u16,
        key: Vec<u8>,
    },
    Fees {
        zone: u32,
    },
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    Refused(Code),
    Void(Code),
}

impl Receipt {
    /// The code of a refusal or of what made an event void; nothing if it is done.
    pub fn code(&self) -> Option<Code> {
        match self.outcome {
            Outcome::Done => None,
            Outcome::Refused(code) | Outcome::Void(code) => Some(code),
        }
    }

    /// The tag of an event or of a deadline.
    pub fn tag(&self) -> Option<u16> {
        match self.subject {
            Subject::Event { tag, .. } | Subject::Deadline { tag, .. } => Some(tag),
            Subject::Fees { .. } => None,
        }
    }

    /// Whether it is an event's.
    pub fn is_of_event(&self) -> bool {
        matches!(self.subject, Subject::Event { .. })
    }
}

impl Canonical for Receipt {
    fn write(&self, out: &mut Vec<u8>) {
        (1u8, self.height, self.index).write(out);
        match &self.subject {
            Subject::Event { id, author, tag, zone, number, term, block, at } => {
                (0u8, id, author, tag, zone, number, term, block, at).write(out);
            }
            Subject::Deadline { tag, key } => (1u8, tag, key).write(out),
            Subject::Fees { zone } => (2u8, zone).write(out),
        }
        match self.outcome {
            Outcome::Done => 0u8.write(out),
            Outcome::Refused(code) => (1u8, code).write(out),
            Outcome::Void(code) => (2u8, code).write(out),
        }
        (&self.fee, &self.postings).write(out);
    }
}
