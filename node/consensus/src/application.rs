//! What consensus asks of the node around it.

use std::future::Future;
use std::pin::Pin;

use ddt_ledger::certificate::{Certificate, ValidatorAddress, ValidatorSet};
use ddt_ledger::{Domain, Hash, Signature};

use crate::error::Fault;
use crate::evidence::DoubleVote;

/// Bytes of an anchor body, at most.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Bodies kept for one undecided height, at most.
pub const PROPOSALS_MAX: usize = 1024;

/// A future that consensus waits for without blocking anything else.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What the application thinks of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may be decided, and everything needed to execute it is here.
    Valid,
    /// No correct node may vote for it. Must depend on body, blocks and state alone.
    Invalid(String),
    /// A lane block is lacking. Fetch it by other means: the body is judged again when the
    /// next round starts.
    Missing,
}

/// An anchor body that was proposed at a height not yet decided.
#[derive(Clone, Debug, PartialEq, Eq, borsh::BorshSerialize, borsh::BorshDeserialize)]
pub struct StoredProposal {
    /// Height it was proposed for.
    pub height: u64,
    /// Round it was proposed in.
    pub round: u32,
    /// Who proposed it.
    pub proposer: ValidatorAddress,
    /// The canonical bytes.
    pub body: Vec<u8>,
    /// The proposer's, binding it to chain, height and round. None when it came from a peer
    /// that had already decided it.
    pub signature: Option<Signature>,
}

impl StoredProposal {
    /// The value voted on.
    pub fn anchor(&self) -> Hash {
        Domain::ANCHOR.hash(&[&self.body])
    }
}

/// The node, seen from consensus. Methods that are not async run on threads made for
/// blocking, one at a time except [`Application::decided`]. A fault anywhere but in
/// `propose` and `decided_value` ends consensus, and with it the process.
pub trait Application: Send + Sync + 'static {
    /// Height of the last anchor executed and committed; 0 when there is only genesis.
    fn committed_height(&self) -> u64;

    /// Who decides `height`. Asked up to two heights beyond the committed one.
    fn validators(&self, height: u64) -> Result<ValidatorSet, Fault>;

    /// Builds an anchor body. Asked once for a height and round; what it answers is saved.
    /// On a fault this router skips its turn.
    fn propose(&self, height: u64, round: u32) -> Result<Vec<u8>, Fault>;

    /// Judges a body for `height`, which is the next to be committed.
    fn check(&self, height: u64, body: &[u8]) -> Verdict;

    /// Keeps a proposal; durable (fsync) before returning. The same one may come again.
    /// Proposals of heights at or below the committed one may be deleted. At most
    /// [`PROPOSALS_MAX`] of at most [`BODY_BYTES_MAX`] arrive for a height.
    fn save_proposal(&self, proposal: &StoredProposal) -> Result<(), Fault>;

    /// Every proposal kept for `height`.
    fn proposals(&self, height: u64) -> Result<Vec<StoredProposal>, Fault>;

    /// Executes an anchor and commits it durably with its certificate; at most 250 ms.
    /// For a height already committed it does nothing and succeeds.
    fn decided(&self, body: &[u8], certificate: &Certificate) -> Result<(), Fault>;

    /// Validators were seen to vote two ways; told once, after the height was decided. It must
    /// not be forgotten.
    fn double_voted(&self, votes: &[DoubleVote]) -> Result<(), Fault>;

    /// Body and certificate of a committed height, if still kept.
    fn decided_value(&self, height: u64) -> Result<Option<(Vec<u8>, Certificate)>, Fault>;

    /// The lowest height that [`Application::decided_value`] still has.
    fn history_min_height(&self) -> u64;

    /// Resolves when an anchor of `height` should be made: tips wait, a root is not
    /// certified, a deadline is due, or the idle interval has passed since the time of the
    /// anchor before. Must resolve some day: a router that missed its peers' messages joins
    /// them only then.
    fn wait_for_work(&self, height: u64) -> BoxFuture<'static, ()>;
}
