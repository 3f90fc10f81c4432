//! What nodes say to each other. Every format has a version byte and a limit.

use std::fmt;

use borsh::{BorshDeserialize, BorshSerialize};
use ddt_core::availability::{Ask, SignedVote};
use ddt_core::follower::{Decided, FETCH_MAX};
use ddt_ledger::anchor::{ANCHOR_BYTES_MAX, TimeStatement};
use ddt_ledger::codec::{self, CodecError};
use ddt_ledger::lane::{BLOCK_BYTES_MAX, SoftReceipt};
use ddt_ledger::proof::Handover;
use ddt_ledger::state::{MANIFEST_BYTES_MAX, PIECE_BYTES_MAX};
use ddt_ledger::{ChainId, Hash, Signature};

use crate::card::SignedCard;

/// The version of everything in this module.
pub const VERSION: u8 = 1;
/// Longest evidence, in bytes.
pub const EVIDENCE_BYTES_MAX: usize = 2 * 1024;
/// Longest news, in bytes: gossip carries announcements, never bodies. A full card fits.
pub const NEWS_BYTES_MAX: usize = 8 * 1024;
/// Longest request, in bytes: a block and little else.
pub const REQUEST_BYTES_MAX: usize = BLOCK_BYTES_MAX + 1024;
/// Longest answer, in bytes: a block, or anchors up to [`ANCHORS_BYTES_MAX`].
pub const ANSWER_BYTES_MAX: usize = BLOCK_BYTES_MAX + 64 * 1024;
/// Anchors in one answer, in bytes; the first is sent whatever its size.
pub const ANCHORS_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Handovers in one answer, in bytes; the first is sent whatever its size.
pub const HANDOVERS_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Most handovers in one answer.
pub const HANDOVERS_MAX: usize = 256;
/// Most snapshots in one answer.
pub const OFFERS_MAX: usize = 8;
/// Most cards in one greeting.
pub const CARDS_MAX: usize = 128;

/// What is told to everybody, by gossip.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum News {
    /// The sender has committed this anchor.
    Committed {
        /// Its height.
        height: u64,
        /// Its id.
        anchor: Hash,
    },
    /// A router has stored a block.
    Vote(SignedVote),
    /// A router says what time it is, for the anchor after `previous`.
    Time {
        /// The anchor's height.
        height: u64,
        /// The anchor before it.
        previous: Hash,
        /// What it says.
        statement: TimeStatement,
    },
    /// Where a router is to be found.
    Card(Box<SignedCard>),
}

/// What one node asks another.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Request {
    /// The first request on a connection.
    Hello(Hello),
    /// For a lane block.
    Block(Ask),
    /// For anchors from this height on.
    Anchors {
        /// The first.
        first: u64,
    },
    /// Takes a lane block that the sender has; answered with [`Answer::Taken`].
    Push(Vec<u8>),
    /// Takes an event's canonical bytes, to sequence it.
    Submit(Vec<u8>),
    /// For the snapshots it has.
    Snapshots,
    /// For a snapshot's manifest.
    Manifest {
        /// The manifest's id.
        snapshot: Hash,
    },
    /// For a piece of a snapshot.
    Piece {
        /// The manifest's id.
        snapshot: Hash,
        /// Which, from 0.
        index: u32,
    },
    /// For changes of validators, in order.
    Handovers {
        /// Those of later anchors only.
        after: u64,
        /// And up to this one's.
        last: u64,
    },
    /// Takes evidence against a router (a canonical body of `zones.evidence`), to take it to the
    /// ledger; answered with [`Answer::Taken`].
    Accuse(Vec<u8>),
}

/// A snapshot that a node has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Offer {
    /// The anchor after which its state holds.
    pub height: u64,
    /// Its manifest's id.
    pub snapshot: Hash,
}

/// Who is there, said by both sides of a connection.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Hello {
    /// The chain. Nodes of another chain part at once.
    pub chain: ChainId,
    /// The program and its version, for people; at most 64 bytes.
    pub agent: String,
    /// The last committed height.
    pub height: u64,
    /// The lowest height whose anchor and blocks this node can send.
    pub lowest: u64,
    /// The router cards it knows, at most [`CARDS_MAX`].
    pub cards: Vec<SignedCard>,
}

/// What is answered to a [`Request`].
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Answer {
    /// To a greeting.
    Hello(Hello),
    /// A block's canonical bytes, if it is on disk.
    Block(Option<Vec<u8>>),
    /// Anchors in order from the height asked for; none if they are not here.
    Anchors(Vec<Decided>),
    /// A pushed block was taken to be looked at, or evidence to be handed in.
    Taken,
    /// What became of an event.
    Submitted(Submitted),
    /// Not now: too much at once. Ask again, or somebody else.
    Busy,
    /// The snapshots that are here, newest first, at most [`OFFERS_MAX`].
    Snapshots(Vec<Offer>),
    /// A manifest's canonical bytes, if it is here.
    Manifest(Option<Vec<u8>>),
    /// A piece's canonical bytes, if it is here.
    Piece(Option<Vec<u8>>),
    /// Handovers in order, as many as fit; none if there are no more.
    Handovers(Vec<Handover>),
}

/// What became of a submitted event.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Submitted {
    /// It waits to be sequenced.
    Taken,
    /// It has a sequence number; the router's signed promise.
    Sequenced {
        /// What is promised.
        receipt: SoftReceipt,
        /// The router's over [`SoftReceipt::digest`].
        signature: Signature,
    },
    /// It is in the book of the node that was asked.
    Executed {
        /// That node's height now; the event's anchor is at this height or below.
        height: u64,
    },
    /// A rule said no.
    Refused {
        /// The refusal's stable code; at most 64 bytes.
        code: String,
    },
    /// The node that was asked seals no lane now.
    Closed,
}

/// Bytes that are no message.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// There are none.
    #[error("an empty message")]
    Empty,
    /// Of a later version.
    #[error("message version {0} is not known here")]
    Version(u8),
    /// They do not decode, or are too long.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// A part has more than it may.
    #[error("a message with too much in {0}")]
    TooMuch(&'static str),
}

/// A message with its limits.
pub trait Message: BorshSerialize + BorshDeserialize + fmt::Debug + Sized {
    /// Longest encoding, in bytes, without the version.
    const BYTES_MAX: usize;

    /// Whether the parts are within their own limits.
    fn check(&self) -> Result<(), MessageError>;

    /// The version byte, then Borsh.
    fn encode(&self) -> Vec<u8> {
        let length = borsh::object_length(self).unwrap_or_default();
        let mut bytes = Vec::with_capacity(length.saturating_add(1));
        bytes.push(VERSION);
        // Writing to a Vec fails only for lists over 4 GiB: the rest would decode as nothing.
        if self.serialize(&mut bytes).is_err() {
            bytes.truncate(1);
        }
        bytes
    }

    /// Reads what [`Message::encode`] wrote.
    ///
    /// # Errors
    /// For anything else.
    fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        match bytes.split_first() {
            None => Err(MessageError::Empty),
            Some((&VERSION, rest)) => {
                let message: Self = codec::decode(rest, Self::BYTES_MAX)?;
                message.check().map(|()| message)
            }
            Some((&other, _)) => Err(MessageError::Version(other)),
        }
    }
}

fn at_most(count: usize, limit: usize, what: &'static str) -> Result<(), MessageError> {
    if count <= limit { Ok(()) } else { Err(MessageError::TooMuch(what)) }
}

impl Hello {
    fn check(&self) -> Result<(), MessageError> {
        at_most(self.agent.len(), 64, "the agent")?;
        at_most(self.cards.len(), CARDS_MAX, "the cards")?;
        self.cards.iter().try_for_each(SignedCard::check)
    }
}

impl Message for SignedCard {
    const BYTES_MAX: usize = NEWS_BYTES_MAX;

    fn check(&self) -> Result<(), MessageError> {
        SignedCard::check(self)
    }
}

impl Message for News {
    const BYTES_MAX: usize = NEWS_BYTES_MAX;

    fn check(&self) -> Result<(), MessageError> {
        match self {
            News::Card(card) => card.check(),
            _ => Ok(()),
        }
    }
}

impl Message for Request {
    const BYTES_MAX: usize = REQUEST_BYTES_MAX;

    fn check(&self) -> Result<(), MessageError> {
        match self {
            Request::Hello(hello) => hello.check(),
            Request::Push(bytes) => at_most(bytes.len(), BLOCK_BYTES_MAX, "a block"),
            Request::Submit(bytes) => {
                at_most(bytes.len(), ddt_ledger::event::EVENT_BYTES_MAX, "an event")
            }
            Request::Accuse(bytes) => at_most(bytes.len(), EVIDENCE_BYTES_MAX, "evidence"),
            _ => Ok(()),
        }
    }
}

impl Message for Answer {
    const BYTES_MAX: usize = ANSWER_BYTES_MAX;

    fn check(&self) -> Result<(), MessageError> {
        match self {
            Answer::Hello(hello) => hello.check(),
            Answer::Anchors(anchors) => {
                let most = usize::try_from(FETCH_MAX).unwrap_or(usize::MAX);
                at_most(anchors.len(), most, "the anchors")?;
                let is_long = |anchor: &&Decided| anchor.body.len() > ANCHOR_BYTES_MAX;
                at_most(anchors.iter().filter(is_long).count(), 0, "an anchor")
            }
            Answer::Snapshots(offers) => at_most(offers.len(), OFFERS_MAX, "the snapshots"),
            Answer::Manifest(Some(bytes)) => at_most(bytes.len(), MANIFEST_BYTES_MAX, "a manifest"),
            Answer::Piece(Some(bytes)) => at_most(bytes.len(), PIECE_BYTES_MAX, "a piece"),
            Answer::Handovers(handovers) => {
                at_most(handovers.len(), HANDOVERS_MAX, "the handovers")
            }
            Answer::Submitted(Submitted::Refused { code }) => at_most(code.len(), 64, "a code"),
            _ => Ok(()),
        }
    }
}
