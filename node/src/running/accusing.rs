//! Taking to the ledger what this node saw of routers that sign two ways, or telling routers of
//! it where the node has no account to speak for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use ddt_contracts::zones::Evidence;
use ddt_ledger::codec::{decode, encode};
use ddt_ledger::event::Role;
use ddt_ledger::fault::StoreFault;
use ddt_ledger::registry::Declared;
use ddt_ledger::routers::RouterKey;
use ddt_ledger::system::params;
use ddt_ledger::{AccountId, PublicKey, Refusal};
use ddt_net::Frame;
use ddt_net::message::{Answer, EVIDENCE_BYTES_MAX, Request};

use super::core::{Core, now};
use super::duties::Duties;
use super::promises;
use crate::failure::Failure;
use crate::secret_file;

/// Where accusations are kept until the state knows of them.
const FILE: &str = "accused";
const FILE_BYTES_MAX: usize = 128 * 1024;
/// Most routers that are accused at one time.
const ACCUSED_MAX: usize = 64;
/// How often it is looked whether there is anything to say.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// What was handed in is handed in again after this, if the state still does not know of it.
const AGAIN_AFTER: Duration = Duration::from_secs(60);

/// What this node saw two of, by the key that signed both; on disk, so that a restart forgives
/// nobody.
pub struct Accused {
    path: PathBuf,
    known: Mutex<BTreeMap<PublicKey, Evidence>>,
}

impl Accused {
    /// What a folder remembers.
    ///
    /// # Errors
    /// The file is there and cannot be read: to go on would write over it.
    pub fn open(home: &Path) -> Result<Accused, Failure> {
        let path = home.join(FILE);
        let all: Vec<Evidence> = match std::fs::read(&path) {
            Ok(bytes) => decode(&bytes, FILE_BYTES_MAX).unwrap_or_else(|error| {
                tracing::warn!("{}: {error}; what it said of others is forgotten", path.display());
                Vec::new()
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(Failure::io(&path, &error)),
        };
        let known = all.into_iter().take(ACCUSED_MAX).map(|evidence| (evidence.key, evidence));
        Ok(Accused { known: Mutex::new(known.collect()), path })
    }

    /// Remembers an accusation until the state knows of it, if it holds. The flag says whether
    /// it is new.
    ///
    /// # Errors
    /// The store failed.
    pub fn accuse(&self, core: &Core, evidence: Option<Evidence>) -> Result<bool, StoreFault> {
        let Some(evidence) = evidence.filter(|evidence| !self.knows(&evidence.key)) else {
            return Ok(false);
        };
        if let Err(refusal) = holds(core, &evidence)? {
            tracing::debug!(key = %evidence.key, "no evidence: {refusal}");
            return Ok(false);
        }
        let mut known = self.known();
        let is_new = known.len() < ACCUSED_MAX && !known.contains_key(&evidence.key);
        if is_new {
            known.insert(evidence.key, evidence);
            self.keep(&known);
        }
        Ok(is_new)
    }

    /// Takes another node's evidence. The flag says whether it is kept.
    ///
    /// # Errors
    /// The store failed.
    pub fn hear(&self, core: &Core, bytes: &[u8]) -> Result<bool, StoreFault> {
        let Ok(evidence) = decode::<Evidence>(bytes, EVIDENCE_BYTES_MAX) else { return Ok(false) };
        let (key, evidence) = (evidence.key, Evidence { stamp: None, ..evidence });
        if self.accuse(core, Some(evidence))? {
            tracing::error!(%key, "another node saw a router sign two ways");
        }
        Ok(self.knows(&key))
    }

    /// Whether somebody is accused already.
    pub fn knows(&self, key: &PublicKey) -> bool {
        self.known().contains_key(key)
    }

    fn acquit(&self, key: &PublicKey) {
        let mut known = self.known();
        if known.remove(key).is_some() {
            self.keep(&known);
        }
    }

    fn all(&self) -> Vec<Evidence> {
        self.known().values().cloned().collect()
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<PublicKey, Evidence>> {
        self.known.lock().unwrap_or_else(|error| error.into_inner())
    }

    fn keep(&self, known: &BTreeMap<PublicKey, Evidence>) {
        let all: Vec<Evidence> = known.values().cloned().collect();
        if let Err(failure) = secret_file::replace_bytes(&self.path, &encode(&all)) {
            tracing::warn!("{failure}");
        }
    }
}

/// Whether evidence would be taken at this node's state.
fn holds(core: &Core, evidence: &Evidence) -> Result<Result<(), Refusal>, StoreFault> {
    let snapshot = core.book.snapshot()?;
    let (chain, clock) = (core.book.chain(), core.book.head().0.clock);
    let accused = evidence.accused(&snapshot, chain, (clock, &params(&snapshot)));
    snapshot.fault().map_or(Ok(accused.map(drop)), Err)
}

/// Whether this node still catches up, or hears of no anchors.
fn is_old(core: &Core) -> bool {
    core.is_behind() || core.meters.silence(now()).is_some()
}

/// An account, and the role and key that may sign for it.
type Author = (AccountId, Role, PublicKey);

/// Hands evidence in.
pub struct Accuser {
    core: Arc<Core>,
    duties: Arc<Duties>,
    /// When each was handed in last.
    handed_in: Mutex<BTreeMap<PublicKey, Instant>>,
    /// Routers that were told of evidence.
    turns: AtomicUsize,
}

impl Accuser {
    /// With this node's keys.
    pub fn new(core: Arc<Core>, duties: Arc<Duties>) -> Accuser {
        Accuser { core, duties, handed_in: Mutex::default(), turns: AtomicUsize::new(0) }
    }

    /// Runs until the runtime ends.
    pub async fn run(self: Arc<Self>) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let accuser = self.clone();
            let turn = tokio::task::spawn_blocking(move || accuser.turn()).await;
            if let Ok(Err(fault)) = turn {
                tracing::error!("evidence: {fault}");
            }
        }
    }

    fn handed_in(&self) -> MutexGuard<'_, BTreeMap<PublicKey, Instant>> {
        self.handed_in.lock().unwrap_or_else(|error| error.into_inner())
    }

    fn turn(self: &Arc<Self>) -> Result<(), StoreFault> {
        promises::look(&self.core)?;
        self.handed_in().retain(|_, at| at.elapsed() < AGAIN_AFTER);
        for evidence in self.core.accused.all() {
            let (key, is_old) = (evidence.key, is_old(&self.core));
            if let Err(refusal) = holds(&self.core, &evidence)? {
                // What the rules refuse they always will, at the latest when the router is out;
                // but an old state may not know yet what it is about.
                if !is_old {
                    tracing::info!(%key, "evidence has done its work: {refusal}");
                    self.core.accused.acquit(&key);
                }
                continue;
            }
            if self.handed_in().contains_key(&key) {
                continue;
            }
            match self.author()? {
                None => self.tell_routers(&evidence),
                Some(author) => match self.testify(author, evidence)? {
                    Ok(()) => {
                        tracing::info!(%key, "evidence was handed in");
                        self.handed_in().insert(key, Instant::now());
                    }
                    Err(refusal) => tracing::debug!(%key, "evidence waits: {refusal}"),
                },
            }
        }
        Ok(())
    }

    /// For whom this node speaks: the router that it is, or else the account that authorised its
    /// node key.
    fn author(&self) -> Result<Option<Author>, StoreFault> {
        let keys = &self.core.keys;
        let snapshot = self.core.book.snapshot()?;
        let known = RouterKey::read(&snapshot, &keys.router_public());
        if let Some(fault) = snapshot.fault() {
            return Err(fault);
        }
        drop(snapshot);
        let own = known.filter(|key| key.past.is_none()).map(|key| key.account);
        Ok(match own {
            Some(account) => Some((account, Role::Router, keys.router_public())),
            None if !self.duties.is_authorised()? => None,
            None => self.duties.account().map(|own| (own, Role::Node, keys.node_public())),
        })
    }

    /// A hot key may have nothing to pay with, so it works for it.
    fn testify(
        &self,
        (author, role, key): Author,
        mut evidence: Evidence,
    ) -> Result<Result<(), Refusal>, StoreFault> {
        let nonce = self.duties.next_nonce();
        Ok(super::stamps::light(&self.core, (author, key, nonce), Evidence::NAME).and_then(
            |stamp| {
                evidence.stamp = Some(stamp);
                self.duties.submit_as(role, (author, nonce), Evidence::NAME, encode(&evidence))
            },
        ))
    }

    /// Tells so many routers that one of them is honest; others with the next turn.
    fn tell_routers(self: &Arc<Self>, evidence: &Evidence) {
        let frame = Frame::from(Request::Accuse(encode(evidence)));
        let mut routers = self.core.routers.others();
        routers.retain(|(router, _)| *router != evidence.key);
        let few = (routers.len() / 3).saturating_add(1);
        let turn = self.turns.fetch_add(few, Ordering::Relaxed);
        let first = turn.checked_rem(routers.len()).unwrap_or_default();
        routers.rotate_left(first);
        for (router, _) in routers.into_iter().take(few) {
            let (accuser, key, frame) = (self.clone(), evidence.key, frame.clone());
            self.core.spawn(async move {
                let Some(net) = accuser.core.net.get() else { return };
                if matches!(net.ask(router, frame).await, Ok(Answer::Taken)) {
                    tracing::info!(%router, "a router takes evidence to the ledger");
                    accuser.handed_in().insert(key, Instant::now());
                }
            });
        }
    }
}
