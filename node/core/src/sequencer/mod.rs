//! The sequencer: seals a zone's lane.
//!
//! A block is on disk before anything about it leaves: first [`Effect::Store`], and only
//! after [`Input::Stored`] its promises, and its place among the
//! [blocks to be anchored](Sequencer::unanchored_blocks_after). So a router that dies at any
//! point and is rebuilt from its disk never contradicts itself.

mod machine;
mod recent;
mod tail;

use ddt_ledger::event::Checked;
use ddt_ledger::lane::{BlockHeader, CheckedBlock, SoftReceipt};
use ddt_ledger::registry::Registry;
use ddt_ledger::system::Lane;
use ddt_ledger::{ChainId, Hash, Millis, PublicKey, Refusal, Signature, Zone};

use crate::mempool::{Mempool, MempoolLimits};
use recent::Recent;
use tail::Tail;

/// Most blocks that may wait to be anchored; then sealing pauses and the mempool fills.
pub const UNANCHORED_BLOCKS_MAX: usize = 4_096;
/// Most bytes of blocks that may wait to be anchored before sealing pauses.
pub const UNANCHORED_BYTES_MAX: usize = 64 * 1024 * 1024;
/// While a block waits for longer to be anchored, sealing pauses: what expires in a halt of the
/// network is dropped here, and is no void event for which the router's bond would pay.
pub const UNANCHORED_MS_MAX: Millis = Millis(30_000);

ddt_ledger::refusals! {
    CLOSED = "sequencer.closed",
        "This router seals nothing at present; send the same bytes to another router.";
}

/// Makes the lane key's signature over a digest. Must be deterministic, as Ed25519 is.
pub type Sign = Box<dyn Fn(&Hash) -> Signature + Send + Sync>;

/// What a sequencer is for.
#[derive(Clone, Copy)]
pub struct SequencerConfig {
    /// The chain.
    pub chain: ChainId,
    /// The zone.
    pub zone: Zone,
    /// The key that [`Sign`] signs with.
    pub key: PublicKey,
    /// The events of the network.
    pub registry: Registry,
    /// Blocks are sealed at most this often, unless full. 100 ms on a network.
    pub seal_every_ms: Millis,
    /// Most work units of a block, so that an anchor can cover it with others.
    pub work_max: u64,
    /// How much may wait for a place.
    pub mempool: MempoolLimits,
}

/// What happens to a sequencer.
#[derive(Clone, Debug)]
pub enum Input {
    /// An event that admission let in, and its author's karma class, 0 to 7.
    Event(Checked, u8),
    /// Admission at a newer state found which waiting events would be void, and why. Ends what
    /// [`Sequencer::is_asking`] says.
    Void(Vec<(Hash, Refusal)>),
    /// Time has passed.
    Tick,
    /// The block of this height is on disk, durably.
    Stored {
        /// As in the header of [`Effect::Store`].
        height: u64,
    },
    /// An anchor was executed and committed.
    Anchored {
        /// The anchor.
        height: u64,
        /// The zone's lane in the state after it.
        lane: Lane,
        /// Every event of the anchor, of all zones.
        executed: Vec<Hash>,
        /// Which of the waiting events would be void after it, and why.
        void: Vec<(Hash, Refusal)>,
    },
}

/// What the shell must do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Write this block durably, then answer [`Input::Stored`]. Nothing else is sealed before.
    /// If it cannot be written, the node must stop.
    Store {
        /// Where it belongs: zone, term, height.
        header: BlockHeader,
        /// Its canonical bytes.
        bytes: Vec<u8>,
    },
    /// Promises that may leave now, in the order of their numbers.
    Promise(Vec<SoftReceipt>),
    /// Blocks wait to be anchored: tell the proposer and the other routers.
    TipWaits,
    /// The event is already in the book: answer with its receipt.
    Executed(Hash),
    /// The event waits no longer, because of this refusal.
    Answer {
        /// Which.
        event: Hash,
        /// Why.
        refusal: Refusal,
    },
    /// Send a [`Input::Tick`] at this time.
    WakeAt(Millis),
    /// People should know. The lane is closed until its next term.
    Alarm(&'static str),
}

/// A sequenced event that is not anchored yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The promise. It may leave only if `is_stored`.
    pub receipt: SoftReceipt,
    /// Whether its block is on disk.
    pub is_stored: bool,
}

/// The machine that seals a zone's lane.
pub struct Sequencer {
    config: SequencerConfig,
    sign: Sign,
    /// The key that the lane is to have next, and its hand.
    next: Option<(PublicKey, Sign)>,
    mempool: Mempool,
    tail: Tail,
    recent: Recent,
    after_anchor: u64,
    /// Height of the block being written.
    writing: Option<u64>,
    sealed_at: Option<Millis>,
    is_closed: bool,
    /// Whether events of lapsed blocks wait again that admission has not looked at since.
    is_asking: bool,
    alarm: Option<&'static str>,
    is_tip_told: bool,
}

impl Sequencer {
    /// A sequencer that goes on where its disk and the state say.
    ///
    /// `lane` is the zone's lane in the state after anchor `after_anchor`; `unanchored` are
    /// the blocks of the lane's term that the lane store has after the lane's tip, in order.
    /// If they do not continue the lane, or the lane has another key, it starts closed.
    pub fn new(
        config: SequencerConfig,
        sign: Sign,
        lane: &Lane,
        unanchored: Vec<CheckedBlock>,
        after_anchor: u64,
    ) -> Sequencer {
        let tail = Tail::new(config.chain, config.zone, lane.clone(), Millis(0));
        let mut sequencer = Sequencer {
            config,
            sign,
            next: None,
            mempool: Mempool::new(config.mempool, config.registry),
            tail,
            recent: Recent::default(),
            after_anchor,
            writing: None,
            sealed_at: None,
            is_closed: false,
            is_asking: false,
            alarm: None,
            is_tip_told: false,
        };
        sequencer.close_if_not_ours();
        for block in unanchored {
            if !sequencer.tail.is_next(&block) {
                sequencer.close(machine::GAP);
                break;
            }
            sequencer.tail.push(block);
            sequencer.tail.set_stored();
        }
        sequencer
    }

    /// Tells it of the key that the router moves to. From the anchor on that gives the lane
    /// this key it seals with it; until then with the one it has.
    pub fn expect_key(&mut self, key: PublicKey, sign: Sign) {
        self.next = Some((key, sign));
    }

    /// Whether it seals; otherwise it waits for the lane's next term.
    pub fn is_open(&self) -> bool {
        !self.is_closed
    }

    /// The lane's term.
    pub fn term(&self) -> u64 {
        self.tail.lane().term
    }

    /// When the first block that waits to be anchored was sealed.
    pub fn oldest(&self) -> Option<Millis> {
        self.tail.oldest()
    }

    /// Whether nothing is sealed until admission was asked of all that waits, and
    /// [`Input::Void`] says what it found: a term began, and events of lapsed blocks wait again.
    pub fn is_asking(&self) -> bool {
        self.is_asking
    }

    /// The mempool, to ask admission again after an anchor ([`Input::Void`]).
    pub fn mempool(&self) -> &Mempool {
        &self.mempool
    }

    /// A sequenced event that is not anchored yet.
    pub fn pending(&self, id: &Hash) -> Option<Pending> {
        let (receipt, is_stored) = self.tail.place(id)?;
        Some(Pending { receipt, is_stored })
    }

    /// An event's promise, signed; `None` before its block is on disk and after it is anchored.
    pub fn signed_promise(&self, id: &Hash) -> Option<(SoftReceipt, Signature)> {
        let pending = self.pending(id).filter(|pending| pending.is_stored && self.is_open())?;
        let signature = (self.sign)(&pending.receipt.digest());
        Some((pending.receipt, signature))
    }

    /// The blocks on disk above `height` in the lane's term, and above its anchored tip.
    pub fn unanchored_blocks_after(&self, height: u64) -> &[CheckedBlock] {
        let blocks = self.tail.stored();
        let skipped = blocks.partition_point(|block| block.header().height <= height);
        blocks.get(skipped..).unwrap_or_default()
    }
}

/// How far an anchor goes into a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Height of the last block taken.
    pub height: u64,
    /// Its id.
    pub block: Hash,
    /// Bytes of all blocks taken.
    pub bytes: u64,
    /// Their work units.
    pub work: u64,
}

/// How far an anchor goes into `blocks`, a lane's next ones in order, within these limits: at
/// least one block, so that a lane never stands still; `None` without one.
pub fn reach<'b>(
    blocks: impl IntoIterator<Item = &'b CheckedBlock>,
    bytes_max: u64,
    work_max: u64,
    registry: &Registry,
) -> Option<Reach> {
    let mut reach: Option<Reach> = None;
    for block in blocks {
        let (bytes, work) = reach.map_or((0, 0), |reach| (reach.bytes, reach.work));
        let bytes = bytes.saturating_add(u64::try_from(block.size()).unwrap_or(u64::MAX));
        let work = work.saturating_add(block.work(registry));
        if reach.is_some() && (bytes > bytes_max || work > work_max) {
            break;
        }
        reach = Some(Reach { height: block.header().height, block: block.id(), bytes, work });
    }
    reach
}
