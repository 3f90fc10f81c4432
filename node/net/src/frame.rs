//! Messages as they travel on a stream: encoded once, shared by all who send them.

use std::sync::Arc;

use crate::message::{Answer, Message, REQUEST_BYTES_MAX, Request};

/// A request, encoded. Cheap to clone: a block for a hundred routers is in memory once.
#[derive(Clone, Debug)]
pub struct Frame {
    pub(crate) bytes: Arc<Vec<u8>>,
    pub(crate) kind: Kind,
    /// Whether it keeps its limits: others would blame who sends it otherwise.
    pub(crate) is_allowed: bool,
}

/// What is asked, and so what may be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Hello,
    Block,
    Anchors,
    Push,
    Submit,
    Snapshots,
    Manifest,
    Piece,
    Handovers,
    Accuse,
}

impl Kind {
    pub(crate) fn of(request: &Request) -> Kind {
        match request {
            Request::Hello(_) => Kind::Hello,
            Request::Block(_) => Kind::Block,
            Request::Anchors { .. } => Kind::Anchors,
            Request::Push(_) => Kind::Push,
            Request::Submit(_) => Kind::Submit,
            Request::Snapshots => Kind::Snapshots,
            Request::Manifest { .. } => Kind::Manifest,
            Request::Piece { .. } => Kind::Piece,
            Request::Handovers { .. } => Kind::Handovers,
            Request::Accuse(_) => Kind::Accuse,
        }
    }

    /// Whether the answer is one to such a request.
    pub(crate) fn fits(self, answer: &Answer) -> bool {
        match answer {
            Answer::Busy => self != Kind::Hello,
            Answer::Hello(_) => self == Kind::Hello,
            Answer::Block(_) => self == Kind::Block,
            Answer::Anchors(_) => self == Kind::Anchors,
            Answer::Taken => matches!(self, Kind::Push | Kind::Accuse),
            Answer::Submitted(_) => self == Kind::Submit,
            Answer::Snapshots(_) => self == Kind::Snapshots,
            Answer::Manifest(_) => self == Kind::Manifest,
            Answer::Piece(_) => self == Kind::Piece,
            Answer::Handovers(_) => self == Kind::Handovers,
        }
    }
}

impl From<&Request> for Frame {
    fn from(request: &Request) -> Frame {
        let bytes = Arc::new(request.encode());
        // The version byte is not part of the limit.
        let is_short = bytes.len() <= REQUEST_BYTES_MAX + 1;
        let is_allowed = is_short && request.check().is_ok();
        Frame { bytes, kind: Kind::of(request), is_allowed }
    }
}

impl From<Request> for Frame {
    fn from(request: Request) -> Frame {
        Frame::from(&request)
    }
}
