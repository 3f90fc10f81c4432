//! The follower: takes decided anchors with their certificates, in order, from anybody.
//!
//! An anchor is executed once its certificate verifies against the validators that the state
//! before it names, and once the blocks it names are on disk. Anchors that came early wait,
//! unverified, in a window of fixed size; a bad one is thrown away in its turn and asked for
//! again from somebody else. Whoever is behind asks peer after peer, ever less often each:
//! first who delivered last. Only connected peers and routers count, and only what many
//! routers say tells how far the network is.

mod machine;
mod peers;

use std::collections::BTreeMap;

use ddt_ledger::anchor::{AnchorBody, Tip};
use ddt_ledger::certificate::{Certificate, ValidatorSet};
use ddt_ledger::{ChainId, Hash, Millis, PublicKey};

use peers::Peers;

/// How far above the committed height anchors are taken.
pub const WINDOW: u64 = 64;
/// Most anchors asked for, and sent, at one time.
pub const FETCH_MAX: u64 = 16;
/// Most peers whose height is remembered.
pub const PEERS_MAX: usize = 1_024;
/// An answer is waited for this long; twice as long each time that all were asked in vain.
pub const FETCH_MS: Millis = Millis(400);
/// Longest wait for an answer.
pub const FETCH_MS_MAX: Millis = Millis(10_000);
/// A router that is not connected is forgotten when it says nothing for so long.
pub const SILENCE_MS: Millis = Millis(60_000);
/// The own height is told this often.
pub const TELL_MS: Millis = Millis(2_000);

/// A decided anchor as it travels.
#[derive(Clone, Debug, PartialEq, Eq, borsh::BorshSerialize, borsh::BorshDeserialize)]
pub struct Decided {
    /// The body's canonical bytes.
    pub body: Vec<u8>,
    /// 2f+1 precommits for it.
    pub certificate: Certificate,
}

/// The state after the last committed anchor, as far as it decides about the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Its height; 0 is genesis.
    pub height: u64,
    /// Its id; the chain id at genesis.
    pub anchor: Hash,
    /// Who signs the next one.
    pub validators: ValidatorSet,
}

/// What happens to the follower.
#[derive(Clone, Debug)]
pub enum Input {
    /// Somebody says that this anchor was decided: consensus, or a peer.
    Decided {
        /// Who.
        from: PublicKey,
        /// What.
        decided: Box<Decided>,
    },
    /// A peer greeted: it is connected, and may be asked.
    Met {
        /// Who.
        peer: PublicKey,
        /// How far it is.
        height: u64,
        /// The lowest anchor that it can send.
        lowest: u64,
    },
    /// A peer is not connected any more.
    Lost(PublicKey),
    /// Somebody has committed this height, as it says.
    Height {
        /// Who.
        from: PublicKey,
        /// How far it is.
        height: u64,
        /// Whether the state names it as a router. Others count only while they are connected.
        is_router: bool,
    },
    /// A peer had no answer to an [`Effect::Ask`], or none of use.
    Unanswered {
        /// Who.
        from: PublicKey,
        /// What was asked for.
        first: u64,
    },
    /// A peer asks for anchors.
    Asked {
        /// Who.
        from: PublicKey,
        /// From this height on.
        first: u64,
    },
    /// Every block that the anchor of an [`Effect::Need`] names is on disk.
    Here {
        /// The anchor's height.
        height: u64,
    },
    /// An anchor was executed and committed, whoever decided it.
    Committed(Position),
    /// Time has passed.
    Tick,
}

/// What the shell must do, in this order.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Get the blocks that lead to these tips; then [`Input::Here`], at once if they are here.
    Need {
        /// The anchor's height.
        height: u64,
        /// How far it goes.
        tips: Vec<Tip>,
    },
    /// Execute and commit this anchor; then [`Input::Committed`]. It is the next, its
    /// certificate verifies, and its blocks are here. If it fails the anchor's own rules, more
    /// than a third of the validators are wrong, or this node: it must stop.
    Execute(Box<Decided>),
    /// Ask a peer for anchors.
    Ask {
        /// Whom.
        to: PublicKey,
        /// From this height on, at most [`FETCH_MAX`].
        first: u64,
    },
    /// Send a peer the anchors from `first` to `last`.
    Serve {
        /// To whom.
        to: PublicKey,
        /// The first.
        first: u64,
        /// The last; committed here.
        last: u64,
    },
    /// Tell all peers how far this node is.
    Tell(u64),
    /// A peer sent what it should not have.
    Refused {
        /// Who.
        from: PublicKey,
        /// What is wrong.
        why: &'static str,
    },
    /// Send an [`Input::Tick`] at this time.
    WakeAt(Millis),
}

/// An anchor that waits for its turn.
struct Waiting {
    from: PublicKey,
    decided: Box<Decided>,
}

/// How far the next anchor has come.
enum Stage {
    /// It is not here, or not verified.
    Open,
    /// Verified; its blocks are being fetched.
    Verified(Box<Decided>),
    /// Handed to the executor.
    Executing,
}

/// The machine.
pub struct Follower {
    chain: ChainId,
    me: PublicKey,
    position: Position,
    stage: Stage,
    waiting: BTreeMap<u64, Waiting>,
    peers: Peers,
    attempts: usize,
    asked_at: Option<Millis>,
    told_at: Option<Millis>,
}

impl Follower {
    /// A follower that goes on where the book is.
    pub fn new(chain: ChainId, me: PublicKey, position: Position) -> Follower {
        Follower {
            chain,
            me,
            position,
            stage: Stage::Open,
            waiting: BTreeMap::new(),
            peers: Peers::default(),
            attempts: 0,
            asked_at: None,
            told_at: None,
        }
    }

    /// The last committed height.
    pub fn height(&self) -> u64 {
        self.position.height
    }

    /// Anchors that wait for their turn; at most [`WINDOW`].
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Peers that are remembered; at most [`PEERS_MAX`].
    pub fn remembered(&self) -> usize {
        self.peers.len()
    }

    /// How far the network is, as far as this node heard: what more than a third of the routers
    /// have reached, or of the connected peers where it knows no router. A few that lie move
    /// nothing.
    pub fn heard_of(&self) -> u64 {
        self.peers.believed().max(self.position.height)
    }
}

/// Whether an anchor is decided at this position: it follows, and a quorum signed it.
fn verify(chain: ChainId, at: &Position, decided: &Decided) -> Result<AnchorBody, &'static str> {
    let body = AnchorBody::decode(&decided.body).map_err(|_| "bytes that are no anchor")?;
    let certificate = &decided.certificate;
    if certificate.anchor != AnchorBody::id_of(&decided.body) {
        return Err("a certificate of another anchor");
    }
    if body.chain != chain || body.previous != at.anchor || body.height != certificate.height {
        return Err("an anchor that does not follow");
    }
    certificate.verify(chain, &at.validators).map_err(|_| "a certificate that does not verify")?;
    Ok(body)
}
