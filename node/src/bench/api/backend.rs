//! A node that only lets its stores be read.

use async_trait::async_trait;
use ddt_api::{Backend, NodeStatus, SubmitError, Submitted, Wait};
use ddt_ledger::store::{BookStore, LaneStore};
use ddt_ledger::{Hash, Millis};
use serde_json::Value as Json;
use tokio::sync::broadcast;

/// The stores.
pub struct Reader {
    pub book: BookStore,
    lanes: LaneStore,
    anchors: broadcast::Sender<u64>,
}

impl Reader {
    pub fn new(book: BookStore, lanes: LaneStore) -> Reader {
        Reader { book, lanes, anchors: broadcast::Sender::new(1) }
    }
}

fn nothing<T>() -> Result<T, SubmitError> {
    Err(SubmitError::Busy("this node is only read".to_string()))
}

#[async_trait]
impl Backend for Reader {
    fn book(&self) -> &BookStore {
        &self.book
    }

    fn lanes(&self) -> &LaneStore {
        &self.lanes
    }

    async fn submit(&self, _: Vec<u8>, _: Option<Wait>) -> Result<Submitted, SubmitError> {
        nothing()
    }

    fn pending(&self, _: &Hash) -> Option<Submitted> {
        None
    }

    fn anchors(&self) -> broadcast::Receiver<u64> {
        self.anchors.subscribe()
    }

    fn status(&self) -> NodeStatus {
        NodeStatus { is_ready: true, ..NodeStatus::default() }
    }

    fn now(&self) -> Millis {
        crate::running::now()
    }

    async fn reveal(&self, _: Json) -> Result<Json, SubmitError> {
        nothing()
    }

    async fn reveals(&self) -> Result<Vec<Json>, SubmitError> {
        nothing()
    }
}
