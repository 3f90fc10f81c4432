//! What a router's step brings about: messages, later tasks, and facts to be judged.

use ddt_core::availability::Vote;
use ddt_ledger::anchor::Roots;
use ddt_ledger::lane::SoftReceipt;
use ddt_ledger::receipt::Receipt;
use ddt_ledger::{Hash, Millis, Zone};

use crate::engine;
use crate::message::{Endpoint, Message};
use crate::router::Task;

/// What comes out of a router.
#[derive(Debug)]
pub enum Out {
    /// A message to somebody.
    Send(Endpoint, Message),
    /// A message to all other routers.
    ToRouters(Message),
    /// Something to do after so long.
    Later(Millis, Task),
    /// Something that must agree with everything else.
    Fact(Fact),
    /// Something for the stand-in of consensus.
    Engine(engine::Input),
}

/// Something that a router did or said for ever.
#[derive(Debug)]
pub enum Fact {
    /// A block left its router.
    Left {
        /// Its zone.
        zone: Zone,
        /// The lane's term.
        term: u64,
        /// Its height.
        height: u64,
        /// Its id.
        block: Hash,
    },
    /// A router voted for a block.
    Voted(Vote),
    /// A router promised a place.
    Promised(SoftReceipt),
    /// A leader made a body.
    Body {
        /// For this height,
        height: u64,
        /// this round,
        round: u32,
        /// with this id.
        anchor: Hash,
    },
    /// A router committed an anchor.
    Committed {
        /// The height.
        height: u64,
        /// The anchor.
        anchor: Hash,
        /// The roots after it.
        roots: Roots,
        /// What happened.
        receipts: Vec<Receipt>,
    },
    /// A node took over a reveal.
    TaskTaken(Hash),
    /// And has done with it.
    TaskEnded(Hash),
    /// A machine refused what a peer sent.
    Refused(&'static str),
    /// A router wrote another router's block.
    Kept {
        /// The zone.
        zone: Zone,
        /// The lane's term.
        term: u64,
        /// Its height.
        height: u64,
        /// Whether another stands at its place.
        is_other: bool,
    },
    /// A router saw two blocks of one place.
    Evidence {
        /// The zone.
        zone: Zone,
        /// The lane's term.
        term: u64,
        /// The height.
        height: u64,
    },
    /// A router that has its data closes its lane.
    Closed(&'static str),
    /// A router judged a body to be against the rules.
    Invalid {
        /// Whose body.
        maker: Endpoint,
        /// Which rule.
        words: String,
    },
    /// A promise is broken.
    Broken(String),
}
