//! What travels between routers and clients.

use ddt_core::agents::reveal::Task;
use ddt_core::availability::{Ask, SignedVote};
use ddt_core::follower::Decided;
use ddt_ledger::anchor::TimeStatement;
use ddt_ledger::certificate::CertificateSignature;
use ddt_ledger::lane::SoftReceipt;
use ddt_ledger::receipt::Outcome;
use ddt_ledger::{Hash, PublicKey, Refusal, Signature};

use crate::engine::StoredProposal;

/// A router by its number from 0, or a client after the routers.
pub type Endpoint = usize;

/// A message.
#[derive(Clone, Debug)]
pub enum Message {
    /// Bytes of a lane block.
    Block(Vec<u8>),
    /// An availability vote.
    Vote(SignedVote),
    /// Asks for a block.
    AskBlock(Ask),
    /// A decided anchor.
    Decided(Box<Decided>),
    /// The sender has committed this height.
    Height(u64),
    /// Asks for anchors from this height on.
    AskAnchors(u64),
    /// Consensus: the leader wants to know the time, for the anchor of `height`.
    AskTime {
        /// The height.
        height: u64,
        /// The anchor before.
        previous: Hash,
    },
    /// Consensus: a time statement.
    Time {
        /// For the anchor of this height.
        height: u64,
        /// The statement.
        statement: TimeStatement,
    },
    /// Consensus: a body.
    Proposal(Box<StoredProposal>),
    /// Consensus: a vote for a body.
    Precommit {
        /// The height.
        height: u64,
        /// The round.
        round: u32,
        /// The body's id.
        anchor: Hash,
        /// The vote.
        vote: CertificateSignature,
    },
    /// A client's preimage, for the reveal agent.
    Reveal(Box<Task>),
    /// A client's event.
    Submit(Vec<u8>),
    /// What became of an event.
    Reply {
        /// Its id; zero if it has none.
        event: Hash,
        /// What.
        answer: Answer,
    },
}

/// What a router says about an event.
#[derive(Clone, Debug)]
pub enum Answer {
    /// It has a place.
    Sequenced(SoftReceipt, PublicKey, Signature),
    /// It was executed.
    Final {
        /// In which anchor.
        height: u64,
        /// Its receipt there.
        index: u32,
        /// How it ended.
        outcome: Outcome,
    },
    /// The task of revealing this commit was taken.
    Taken,
    /// It was not taken.
    Refused(Refusal),
}

impl Message {
    /// A word for the trace.
    pub fn name(&self) -> &'static str {
        match self {
            Message::Block(_) => "block",
            Message::Vote(_) => "vote",
            Message::AskBlock(_) => "ask-block",
            Message::Decided(_) => "decided",
            Message::Height(_) => "height",
            Message::AskAnchors(_) => "ask-anchors",
            Message::AskTime { .. } => "ask-time",
            Message::Time { .. } => "time",
            Message::Proposal(_) => "proposal",
            Message::Precommit { .. } => "precommit",
            Message::Reveal(_) => "reveal",
            Message::Submit(_) => "submit",
            Message::Reply { .. } => "reply",
        }
    }

    /// Changes one byte of what carries bytes; others stay.
    pub fn garble(&mut self, at: u64) {
        let bytes = match self {
            Message::Block(bytes) | Message::Submit(bytes) => bytes,
            Message::Decided(decided) => &mut decided.body,
            _ => return,
        };
        let place = at.checked_rem(bytes.len() as u64).unwrap_or_default() as usize;
        if let Some(byte) = bytes.get_mut(place) {
            *byte ^= 1 << (at % 7);
        }
    }
}
