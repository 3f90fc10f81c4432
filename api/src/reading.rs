//! One request's view of the ledger: a snapshot, its head, and the proofs against it.

use std::sync::Arc;

use ddt_ledger::proof::{CertifiedAnchor, Claim, Hex, PROOF_VERSION, Proof};
use ddt_ledger::registry::Registry;
use ddt_ledger::store::{BookStore, Certified, Snapshot};
use ddt_ledger::system::Head;
use ddt_ledger::table::Rows;
use serde_json::Value as Json;
use tokio::sync::Semaphore;

use crate::backend::Backend;
use crate::error::Problem;
use crate::guard::{Clients, Meters};
use crate::limits::Limits;

/// What the handlers of one listener share. One count of its owners, for each request clones it
/// many times.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) limits: Limits,
    pub(crate) meters: Meters,
    pub(crate) clients: Clients,
    pub(crate) requests: Semaphore,
    pub(crate) streams: Arc<Semaphore>,
    pub(crate) document: Json,
}

impl std::ops::Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl App {
    pub(crate) fn new(backend: Arc<dyn Backend>, limits: Limits) -> App {
        let document = crate::openapi::openapi(backend.book().registry());
        App(Arc::new(Shared {
            backend,
            meters: Meters::new(),
            clients: Clients::default(),
            requests: Semaphore::new(limits.requests_max),
            streams: Arc::new(Semaphore::new(limits.streams_max)),
            document,
            limits,
        }))
    }

    /// Reads a row or two of the ledger at once, everything from one snapshot. For what is found
    /// by a key and waits for nobody: a thread of its own would cost more than such a read does.
    pub(crate) fn look_up<T>(
        &self,
        read: impl FnOnce(&Reading) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        Reading::new(&*self.backend).answer(read)
    }

    /// Reads the ledger on a blocking thread, everything from one snapshot.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reading) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let backend = self.backend.clone();
        let task = tokio::task::spawn_blocking(move || Reading::new(&*backend).answer(read));
        task.await.unwrap_or_else(|error| Err(Problem::fault(error)))
    }
}

/// The ledger right after one anchor.
pub(crate) struct Reading<'n> {
    pub(crate) backend: &'n dyn Backend,
    pub(crate) snapshot: Snapshot,
    pub(crate) head: Head,
}

/// A row's state as of the last certified anchor, and what proves it.
pub(crate) struct Proven {
    pub(crate) certified: Certified,
    pub(crate) proof: Proof,
}

impl<'n> Reading<'n> {
    fn new(backend: &'n dyn Backend) -> Reading<'n> {
        let (snapshot, head) = backend.book().latest();
        Reading { backend, snapshot, head }
    }

    fn answer<T>(self, read: impl FnOnce(&Reading) -> Result<T, Problem>) -> Result<T, Problem> {
        let answer = read(&self);
        // After a fault of the disk every answer, an error too, may be made of nothing.
        match self.snapshot.fault() {
            Some(fault) => Err(fault.into()),
            None => answer,
        }
    }

    pub(crate) fn book(&self) -> &'n BookStore {
        self.backend.book()
    }

    pub(crate) fn registry(&self) -> &'n Registry {
        self.backend.book().registry()
    }

    /// The last certified state and the proof of one row in it, or of its absence. `None`
    /// while nothing is certified yet.
    pub(crate) fn prove(&self, full_key: &[u8]) -> Result<Option<Proven>, Problem> {
        let Some((certified, path)) = self.book().prove(full_key)? else { return Ok(None) };
        let rows = certified.rows();
        let value = rows.row(full_key).map(Hex);
        if let Some(fault) = rows.fault() {
            return Err(fault.into());
        }
        drop(rows);
        let claim = Claim::Row { key: Hex(full_key.to_vec()), value, path };
        let proof = self.proof(&certified.snapshot, certified.height, claim)?;
        Ok(Some(Proven { certified, proof }))
    }

    /// Everything that proves a claim about the state after anchor `height`.
    pub(crate) fn proof(
        &self,
        snapshot: &Snapshot,
        height: u64,
        claim: Claim,
    ) -> Result<Proof, Problem> {
        let next = snapshot.anchor(height.saturating_add(1))?;
        let next = next.ok_or_else(|| Problem::fault(format!("anchor {height} has no next")))?;
        Ok(Proof {
            version: PROOF_VERSION,
            chain: self.book().chain(),
            height,
            handovers: snapshot.handovers(height)?,
            anchor: CertifiedAnchor { body: Hex(next.body), certificate: next.certificate },
            claim,
        })
    }
}

/// Anything that serialises, as JSON.
pub(crate) fn to_json(value: &impl serde::Serialize) -> Result<Json, Problem> {
    serde_json::to_value(value).map_err(Problem::fault)
}
