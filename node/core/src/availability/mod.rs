//! Availability: collects the lane blocks of all routers and says which are safe to anchor.
//!
//! A block counts once it continues its lane and is on disk, durably; only then does this
//! node vote for it, and for one block at a place for ever: the first that it stored there.
//! Proposers name tips with votes of a quorum, so that who must execute them finds them. What
//! is missing (by votes, by blocks out of order, by a body's tips) is asked for, from one peer
//! after the other, ever less often. Nothing here grows without a limit.

mod doubts;
mod lane;
mod machine;
mod needs;
mod waiting;
mod wants;

use std::collections::BTreeMap;

use borsh::{BorshDeserialize, BorshSerialize};
use ddt_ledger::anchor::{SPAN_BLOCKS_MAX, Tip};
use ddt_ledger::certificate::ValidatorSet;
use ddt_ledger::codec::encode;
use ddt_ledger::lane::{CheckedBlock, SignedHeader};
use ddt_ledger::registry::Registry;
use ddt_ledger::system::Lane;
use ddt_ledger::{ChainId, Domain, Hash, Millis, PublicKey, Signature, Zone};

use crate::sequencer::Sign;
use lane::LaneBook;

/// How far above a lane's anchored tip blocks are taken.
pub const AHEAD_MAX: u64 = SPAN_BLOCKS_MAX;
/// Twice what an honest router lets wait to be anchored.
pub const LANE_BYTES_MAX: usize = 2 * crate::sequencer::UNANCHORED_BYTES_MAX;
/// Most blocks of a lane that wait for the one before them.
pub const WAITING_BLOCKS_MAX: usize = 64;
/// Most bytes of all blocks that wait for the one before them.
pub const WAITING_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Most places of a lane that are asked for at one time.
pub const ASKS_MAX: usize = 32;
/// Most tips of a lane that bodies need at one time.
pub const NEEDS_MAX: usize = 8;
/// Places asked for at once only to find out who signed two blocks.
pub const DOUBTS_MAX: usize = 4;
/// The first answer is waited for this long; then twice as long each time.
pub const ASK_MS: Millis = Millis(200);
/// Longest first wait of a lane whose blocks came twice because they were asked for too early.
pub const PATIENCE_MS_MAX: Millis = Millis(4_000);
/// Longest wait for an answer.
pub const ASK_MS_MAX: Millis = Millis(10_000);
/// A vote for a block that is not anchored yet is repeated this often: messages get lost.
pub const TELL_MS: Millis = Millis(1_000);

const VOTE: Domain = Domain("ddt v1 availability vote");

/// What a router signs about a block that it has stored, and all before it in the lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Vote {
    /// The chain.
    pub chain: ChainId,
    /// The zone.
    pub zone: Zone,
    /// The lane's term.
    pub term: u64,
    /// The block's height.
    pub height: u64,
    /// Its id.
    pub block: Hash,
}

impl Vote {
    /// What is signed.
    pub fn digest(&self) -> Hash {
        VOTE.hash(&[&encode(self)])
    }
}

/// A vote as it travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SignedVote {
    /// For what.
    pub vote: Vote,
    /// Whose.
    pub key: PublicKey,
    /// Over [`Vote::digest`].
    pub signature: Signature,
}

/// Asks for a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct Ask {
    /// The zone.
    pub zone: Zone,
    /// The lane's term.
    pub term: u64,
    /// The block's height.
    pub height: u64,
    /// Which, if not whichever stands there.
    pub block: Option<Hash>,
}

/// What a block is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// A body for an anchor needs it.
    Needed,
    /// The lane has a gap there.
    Missing,
    /// It would tell of a router that signed two blocks.
    Doubted,
}

/// Who the node is.
pub struct AvailabilityConfig {
    /// The chain.
    pub chain: ChainId,
    /// The events of the network.
    pub registry: Registry,
    /// The node's own key.
    pub me: PublicKey,
    /// Routers that it may ask; after an anchor those of the state.
    pub peers: Vec<PublicKey>,
    /// Most bytes of one lane that are kept above its anchored tip, unless an anchor needs
    /// more. [`LANE_BYTES_MAX`] on a network.
    pub lane_bytes_max: usize,
    /// Most bytes of the blocks of one anchor: a body that names more is followed no further.
    pub anchor_bytes_max: u64,
    /// Signs its votes; `None` if it only follows. Must be deterministic, as Ed25519 is.
    pub sign: Option<Sign>,
}

/// What happens to the machine.
#[derive(Clone, Debug)]
pub enum Input {
    /// A peer sent bytes that should be a block.
    Block {
        /// Who.
        from: PublicKey,
        /// What.
        bytes: Vec<u8>,
    },
    /// This node's own sequencer sealed a block, and it is on disk.
    Sealed(Box<CheckedBlock>),
    /// A block of an [`Effect::Store`] is on disk, durably.
    Stored {
        /// Its zone.
        zone: Zone,
        /// Its height in the lane's term.
        height: u64,
        /// Its id.
        block: Hash,
    },
    /// A peer says what it has.
    Vote(SignedVote),
    /// A peer asks for a block.
    Asked {
        /// Who.
        from: PublicKey,
        /// For which.
        ask: Ask,
    },
    /// Nobody answered a question, or what was asked for is not there.
    Unanswered {
        /// Who was asked: of an [`Effect::AskAnybody`] whom the shell chose, if anybody.
        from: Option<PublicKey>,
        /// For what.
        ask: Ask,
    },
    /// A body for the next anchor names these tips: get what leads to them.
    Need(Vec<Tip>),
    /// An anchor was executed and committed.
    Anchored {
        /// Its height.
        height: u64,
        /// All lanes in the state after it.
        lanes: Vec<(Zone, Lane)>,
        /// Who signs the next one.
        validators: ValidatorSet,
    },
    /// Time has passed.
    Tick,
}

/// What the shell must do, in this order.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Write this block durably, then answer [`Input::Stored`].
    Store {
        /// The block.
        block: Box<CheckedBlock>,
        /// Its canonical bytes.
        bytes: Vec<u8>,
        /// Another block stands at its place: keep both, and replace neither.
        is_other: bool,
    },
    /// Send this vote to all routers.
    Tell(SignedVote),
    /// Ask a peer.
    Ask {
        /// Whom.
        to: PublicKey,
        /// For what.
        ask: Ask,
        /// And why.
        why: Why,
    },
    /// Ask a connected peer that should have it, any: those that the state names may be gone.
    AskAnybody {
        /// Another number is another peer.
        turn: u32,
        /// For what.
        ask: Ask,
        /// And why.
        why: Why,
    },
    /// Send a block to a peer, if it is on disk.
    Serve {
        /// To whom.
        to: PublicKey,
        /// Which.
        ask: Ask,
    },
    /// Everything that leads to a needed tip is on disk.
    Here(Tip),
    /// More of this lane may be anchored than before.
    Available(Zone),
    /// A router signed two blocks for one place. The first is kept; so is the other, if an
    /// anchor needs it.
    Evidence {
        /// The lane's key, which signed both.
        key: PublicKey,
        /// The header of the first one.
        first: Box<SignedHeader>,
        /// The header of the other one, for the same zone, term and height.
        second: Box<SignedHeader>,
    },
    /// A peer sent as a block what no honest node would.
    Forged {
        /// Who.
        from: PublicKey,
        /// What is wrong.
        why: &'static str,
    },
    /// A peer sent what is of no use.
    Refused {
        /// Who.
        from: PublicKey,
        /// What is wrong.
        why: &'static str,
    },
    /// Send an [`Input::Tick`] at this time.
    WakeAt(Millis),
}

/// The machine.
pub struct Availability {
    config: AvailabilityConfig,
    validators: ValidatorSet,
    lanes: BTreeMap<Zone, LaneBook>,
    turn: u32,
}

impl Availability {
    /// A machine that goes on where the state and its disk say, after the anchor of this height:
    /// `stored` are the blocks that the lane store has after the lanes' tips; the flag marks
    /// those that stand beside another.
    pub fn new(
        config: AvailabilityConfig,
        height: u64,
        lanes: Vec<(Zone, Lane)>,
        validators: ValidatorSet,
        stored: Vec<(CheckedBlock, bool)>,
    ) -> Availability {
        let bytes_max = config.anchor_bytes_max;
        let book = |(zone, lane)| (zone, LaneBook::new(bytes_max, height, lane));
        let lanes = lanes.into_iter().map(book).collect();
        let mut machine = Availability { config, validators, lanes, turn: 0 };
        for (block, is_other) in stored {
            let header = block.header();
            if let Some(lane) = machine.lanes.get_mut(&header.zone)
                && lane.is_in_reach(header)
                && *block.key() == lane.lane.key
            {
                lane.keep(&block, is_other);
                lane.set_stored(header.height, block.id());
            }
        }
        let me = machine.config.sign.is_some().then_some(machine.config.me);
        for lane in machine.lanes.values_mut() {
            lane.extend(me);
        }
        machine
    }

    /// The node votes with another key from now on, for the same blocks as before: what it
    /// voted for at a place stays what it votes for there.
    pub fn set_key(&mut self, me: PublicKey, sign: Option<Sign>) {
        let old = std::mem::replace(&mut self.config.me, me);
        self.config.sign = sign;
        for lane in self.lanes.values_mut() {
            lane.rekey(&old, me);
        }
    }

    /// How far a lane may be anchored: a quorum has stored everything up to this height.
    pub fn available(&self, zone: Zone) -> Option<u64> {
        let me = &self.config.me;
        let is_voter = self.validators.0.iter().any(|known| known.key == *me);
        let but = (!is_voter).then_some(me);
        self.lanes.get(&zone)?.available(self.validators.quorum(), but)
    }

    /// The blocks up to there, from the lane's tip on, as (height, id).
    pub fn available_blocks(&self, zone: Zone) -> Vec<(u64, Hash)> {
        let highest = self.available(zone).unwrap_or_default();
        let lane = self.lanes.get(&zone);
        let blocks = lane.into_iter().flat_map(|lane| lane.first.range(..=highest));
        blocks.map(|(height, id)| (*height, *id)).collect()
    }

    /// The highest block up to there.
    pub fn available_tip(&self, zone: Zone) -> Option<Tip> {
        let height = self.available(zone)?;
        let lane = self.lanes.get(&zone)?;
        let block = *lane.first.get(&height)?;
        Some(Tip { zone, term: lane.lane.term, height, block })
    }

    /// The blocks from the lane's tip to this one, as (height, id), if all are on disk here.
    pub fn span(&self, tip: &Tip) -> Option<Vec<(u64, Hash)>> {
        self.lanes.get(&tip.zone).filter(|lane| lane.lane.term == tip.term)?.span(tip)
    }

    /// Bytes of the blocks that wait for the one before them; at most [`WAITING_BYTES_MAX`].
    pub fn waiting_bytes(&self) -> usize {
        self.lanes.values().map(|lane| lane.waiting.bytes()).fold(0, usize::saturating_add)
    }

    /// Places of blocks that are remembered, asked for or waiting; all bounded.
    pub fn remembered(&self) -> usize {
        self.lanes.values().map(LaneBook::size).fold(0, usize::saturating_add)
    }
}
