//! What a router says for itself: that it is there, what it is ready for, that its lane must go
//! on in another term.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ddt_contracts::zones::{Alive, CloseTerm, Signal};
use ddt_ledger::codec::encode;
use ddt_ledger::event::Role;
use ddt_ledger::fault::StoreFault;
use ddt_ledger::registry::Declared;
use ddt_ledger::routers::{PROTOCOL_VERSION, Protocol, Router, RouterKey};
use ddt_ledger::system::{Head, Lane, params};
use ddt_ledger::{AccountId, Refusal, Zone};

use super::core::Core;
use super::duties::Duties;

const TICK: Duration = Duration::from_secs(1);
/// Nothing is said again before this.
const PAUSE: Duration = Duration::from_secs(5);

/// Speaks for a router.
pub struct Governing {
    core: Arc<Core>,
    duties: Arc<Duties>,
    /// When each was said last.
    said: Mutex<BTreeMap<String, Instant>>,
}

impl Governing {
    /// With this node's keys.
    pub fn new(core: Arc<Core>, duties: Arc<Duties>) -> Governing {
        Governing { core, duties, said: Mutex::default() }
    }

    /// Runs until the runtime ends: a turn at each anchor, and once a second.
    pub async fn run(self: Arc<Self>) {
        let mut anchors = self.core.anchors.subscribe();
        loop {
            let _ = tokio::time::timeout(TICK, anchors.recv()).await;
            let governing = self.clone();
            let turn = tokio::task::spawn_blocking(move || governing.turn()).await;
            if let Ok(Err(fault)) = turn {
                tracing::error!("what a router says for itself: {fault}");
            }
        }
    }

    fn turn(&self) -> Result<(), StoreFault> {
        let snapshot = self.core.book.snapshot()?;
        let known = RouterKey::read(&snapshot, &self.core.keys.router_public());
        let Some(account) = known.filter(|key| key.past.is_none()).map(|key| key.account) else {
            return Ok(());
        };
        let (router, head) = (Router::read(&snapshot, &account), Head::read(&snapshot));
        let (Some(router), Some(head)) = (router, head) else { return Ok(()) };
        let lane = router.zone.and_then(|zone| Some((zone, Lane::read(&snapshot, zone)?)));
        let (params, protocol) = (params(&snapshot), Protocol::read(&snapshot));
        if let Some(fault) = snapshot.fault() {
            return Err(fault);
        }
        drop(snapshot);
        if !router.is_staying() || self.core.role.is_silent {
            return Ok(());
        }
        if let Some((zone, lane)) = lane.as_ref().filter(|(zone, lane)| self.must_end(*zone, lane))
        {
            let event = CloseTerm { zone: *zone, term: lane.term };
            self.say(account, CloseTerm::NAME, encode(&event));
        }
        let heard = lane.map_or(router.heard, |(_, lane)| lane.heard);
        if head.clock >= heard.plus(params.router_alive_ms) {
            self.say(account, Alive::NAME, encode(&Alive {}));
        }
        let version = known_version();
        let is_news = version > protocol.version && router.signal < version;
        if is_news && head.clock >= router.signalled.plus(params.router_alive_ms) {
            self.say(account, Signal::NAME, encode(&Signal { version }));
        }
        Ok(())
    }

    /// Whether this router may not seal in the lane's term: it lost blocks of it.
    fn must_end(&self, zone: Zone, lane: &Lane) -> bool {
        let core = &self.core;
        let is_closed = !core.is_open.load(std::sync::atomic::Ordering::Relaxed);
        let is_lost = core.standing.may_not_seal(zone, lane.term);
        is_lost || (is_closed && core.role.zone.is_some() && lane.key == core.keys.router_public())
    }

    fn may_say(&self, what: &str) -> bool {
        let mut said = self.said.lock().unwrap_or_else(|error| error.into_inner());
        let is_due = said.get(what).is_none_or(|last| last.elapsed() >= PAUSE);
        if is_due {
            said.insert(what.to_string(), Instant::now());
        }
        is_due
    }

    /// Says it with the router's key; what the rules refuse now is said again later.
    fn say(&self, account: AccountId, event: &str, body: Vec<u8>) {
        if !self.may_say(event) {
            return;
        }
        let nonce = self.duties.next_nonce();
        let said: Result<(), Refusal> =
            self.duties.submit_as(Role::Router, (account, nonce), event, body);
        if let Err(refusal) = said {
            tracing::debug!("{event}: {refusal}");
        }
    }
}

/// By which rules this release can go on; tests of debug builds let it promise more.
fn known_version() -> u32 {
    #[cfg(debug_assertions)]
    if let Some(version) = super::treason::version() {
        return version;
    }
    PROTOCOL_VERSION
}
