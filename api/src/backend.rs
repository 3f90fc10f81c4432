//! What the face asks of a node.
//!
//! The node implements [`Backend`]; everything the routes show of the ledger they read
//! themselves from the stores it lends, each request from one snapshot.

use std::time::Duration;

use async_trait::async_trait;
use ddt_ledger::fault::StoreFault;
use ddt_ledger::lane::SoftReceipt;
use ddt_ledger::receipt::Receipt;
use ddt_ledger::store::{BookStore, LaneStore};
use ddt_ledger::{Hash, Millis, Refusal, Signature};
use serde::Serialize;
use serde_json::Value as Json;
use tokio::sync::{broadcast, mpsc};

/// Bytes that are made while they are sent.
pub type ByteStream = mpsc::Receiver<Vec<u8>>;

/// How far an event has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// A node keeps it for a router; it may still be lost.
    Accepted,
    /// A router promised it a sequence number.
    Sequenced,
    /// The anchor that covers it was decided, executed and committed.
    Final,
    /// The next anchor certified the root that its receipt stands under.
    Proven,
}

impl Stage {
    /// The word in URLs and answers.
    pub fn word(self) -> &'static str {
        match self {
            Stage::Accepted => "accepted",
            Stage::Sequenced => "sequenced",
            Stage::Final => "final",
            Stage::Proven => "proven",
        }
    }

    /// The stage with this word.
    pub fn from_word(word: &str) -> Option<Stage> {
        let all = [Stage::Accepted, Stage::Sequenced, Stage::Final, Stage::Proven];
        all.into_iter().find(|stage| stage.word() == word)
    }
}

/// A submitted event and how far it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// The event's id.
    pub event: Hash,
    /// How far it is.
    pub stage: Stage,
    /// The router's promise, once there is one.
    pub soft_receipt: Option<(SoftReceipt, Signature)>,
    /// What it did, once it is final.
    pub receipt: Option<Receipt>,
}

/// How far a submission is waited for, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// The stage to reach.
    pub stage: Stage,
    /// After this much time the answer is [`SubmitError::Timeout`].
    pub timeout: Duration,
}

/// Why something handed to the node was not done.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SubmitError {
    /// A rule says no: 422 with the refusal's code.
    #[error("{0}")]
    Refused(Refusal),
    /// The node cannot take it now (not ready, mempool full): 503, try again.
    #[error("{0}")]
    Busy(String),
    /// One author has too much in flight: 429, try again after this many seconds.
    #[error("too many events of this author are in flight")]
    TooMany {
        /// Seconds until another one may be taken.
        retry_after_s: u64,
    },
    /// A field of a JSON body is missing or wrong: 422 with the field's name.
    #[error("{field}: {words}")]
    Field {
        /// Which field.
        field: String,
        /// What is wrong with it, and what to do.
        words: String,
    },
    /// Disk, peer or task failed: 500.
    #[error("{0}")]
    Fault(String),
    /// The stage waited for was not reached in time; the event goes on: 202.
    #[error("not reached in time; the event is on its way")]
    Timeout(Box<Submitted>),
}

/// What a node says of itself to everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NodeStatus {
    /// Release, and commit where known.
    pub version: String,
    /// `router`, `follower` or whatever the node calls its role.
    pub role: String,
    /// When the process started.
    pub started_ms: Millis,
    /// Events waiting to be sequenced.
    pub mempool: u64,
    /// Connected peers.
    pub peers: u64,
    /// Its name on the network, as multiaddrs have it after `/p2p/`.
    pub peer_id: String,
    /// Whether it follows the network closely enough to be asked.
    pub is_ready: bool,
    /// Why not, in words; empty when ready.
    pub not_ready: String,
    /// How long events took lately.
    pub times: StageTimes,
}

/// How long events took to get so far, from when the node took them in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StageTimes {
    /// To a router's promise; where none came, to the book.
    pub sequenced: Percentiles,
    /// To the book.
    #[serde(rename = "final")]
    pub in_book: Percentiles,
}

/// Times of the newest events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Percentiles {
    /// How many, since the node last started, also in another role.
    pub events: u64,
    /// Half of the newest ones took at most so many milliseconds.
    pub p50_ms: Option<u64>,
    /// 99 of 100 did.
    pub p99_ms: Option<u64>,
}

/// The node behind the face. Methods that are not `async` must not block: they are called
/// on the runtime's threads, except the stores', which are read on blocking threads.
#[async_trait]
pub trait Backend: Send + Sync + 'static {
    /// The book.
    fn book(&self) -> &BookStore;

    /// The lanes: bytes of sequenced events.
    fn lanes(&self) -> &LaneStore;

    /// Hands over an event's canonical bytes. Without `wait` it answers as soon as the node
    /// keeps the event. Submitting an event again is no error: the answer is its stage.
    async fn submit(&self, bytes: Vec<u8>, wait: Option<Wait>) -> Result<Submitted, SubmitError>;

    /// An event that this node keeps, or has a soft receipt for, and that is not final yet.
    fn pending(&self, event: &Hash) -> Option<Submitted>;

    /// Heights, each sent after its anchor was committed.
    fn anchors(&self) -> broadcast::Receiver<u64>;

    /// What the node says of itself.
    fn status(&self) -> NodeStatus;

    /// Now, by the node's clock.
    fn now(&self) -> Millis;

    /// Private: more about the node than everybody may know. An object.
    async fn node(&self) -> Result<Json, StoreFault> {
        Ok(Json::Object(serde_json::Map::new()))
    }

    /// Private: hands a preimage `{owner, name, years, salt}` of a commit to the node's
    /// agent, which reveals it in time. Answers with the task.
    async fn reveal(&self, preimage: Json) -> Result<Json, SubmitError>;

    /// Private: the reveals the agent is to make, oldest first.
    async fn reveals(&self) -> Result<Vec<Json>, SubmitError>;

    /// Private: begins a backup of the data folder, with wallets or without. The stream ends
    /// with it; what went wrong on the way stands in it.
    async fn backup(&self, with_wallets: bool) -> Result<ByteStream, SubmitError> {
        let _ = with_wallets;
        Err(SubmitError::Busy("this node makes no backups".to_string()))
    }

    /// More lines in Prometheus' text format, each family complete. Called on a blocking thread.
    fn metrics(&self) -> String {
        String::new()
    }
}
