//! What a node does on its own: events signed with its hot key, which moves nobody's coins.
//!
//! All agents share one of these: two events of one microsecond must not share a nonce.

use std::sync::{Arc, Mutex};

use ddt_api::SubmitError;
use ddt_ledger::accounts::Duty;
use ddt_ledger::codec::encode;
use ddt_ledger::event::{Draft, EVENT_VERSION, Role};
use ddt_ledger::fault::StoreFault;
use ddt_ledger::schema::Bytes;
use ddt_ledger::{AccountId, Millis, PublicKey, Refusal};

use super::core::{Core, now};
use super::face::{Intake, take_in};

/// How long an event of a node stays valid, in milliseconds: an hour.
const VALIDITY_MS: u64 = 3_600_000;

/// Signs and submits with this node's key.
pub struct Duties {
    core: Arc<Core>,
    /// The account whose node key signs; `None` when nobody authorised this node's key.
    account: Option<AccountId>,
    /// The last nonce used.
    nonce: Mutex<u64>,
}

impl Duties {
    /// For the account that the genesis names beside this node's key.
    pub fn new(core: Arc<Core>) -> Duties {
        let key = core.keys.node_public();
        let duty = core.book.genesis().node_keys.iter().find(|duty| duty.key == key);
        let account = duty.map(|duty| duty.account);
        Duties { core, account, nonce: Mutex::new(0) }
    }

    /// The account whose node key this node has, if anybody authorised it.
    pub fn account(&self) -> Option<AccountId> {
        self.account
    }

    /// Whether an account's node key, not revoked since, is this node's.
    pub fn is_authorised(&self) -> Result<bool, StoreFault> {
        let Some(account) = &self.account else { return Ok(false) };
        let snapshot = self.core.book.snapshot()?;
        let duty = Duty::read(&snapshot, account, &self.core.keys.node_public());
        Ok(duty.is_some_and(|duty| !duty.is_revoked))
    }

    /// Signs an event and submits it, unless the ledger's admission expects a refusal: a node
    /// does not pay for attempts.
    pub fn submit(&self, event: &str, body: Vec<u8>) -> Result<(), Refusal> {
        let author = self.account.ok_or(ddt_ledger::event::ACCOUNT)?;
        self.submit_for(author, self.next_nonce(), event, body)
    }

    /// The same for another account that authorised this node's key, with a nonce from
    /// [`Duties::next_nonce`].
    pub fn submit_for(
        &self,
        author: AccountId,
        nonce: u64,
        event: &str,
        body: Vec<u8>,
    ) -> Result<(), Refusal> {
        self.submit_as(Role::Node, (author, nonce), event, body)
    }

    /// The same with the node's or the router's key.
    pub fn submit_as(
        &self,
        role: Role,
        (author, nonce): (AccountId, u64),
        event: &str,
        body: Vec<u8>,
    ) -> Result<(), Refusal> {
        let keys = &self.core.keys;
        let key = match role {
            Role::Router => keys.router_public(),
            _ => keys.node_public(),
        };
        let draft = self.draft((role, key), (author, nonce), event, body)?;
        let signature = match role {
            Role::Router => keys.sign_as_router(&draft.digest()),
            _ => keys.sign_as_node(&draft.digest()),
        };
        match take_in(&self.core, &encode(&draft.signed(signature)), true) {
            Ok(Intake::Known(_) | Intake::Followed(..)) => Ok(()),
            Err(SubmitError::Refused(refusal)) => Err(refusal),
            Err(error) => {
                tracing::warn!("{event} was not taken: {error}");
                Err(ddt_core::mempool::FULL)
            }
        }
    }

    fn draft(
        &self,
        (role, key): (Role, PublicKey),
        (author, nonce): (AccountId, u64),
        event: &str,
        body: Vec<u8>,
    ) -> Result<Draft, Refusal> {
        let core = &self.core;
        let row = core.book.registry().row_named(event);
        let row = row.ok_or(ddt_ledger::event::UNKNOWN_TAG)?;
        Ok(Draft {
            version: EVENT_VERSION,
            chain: core.book.chain(),
            author,
            key,
            role,
            nonce,
            valid_until: now().plus(Millis(VALIDITY_MS)),
            tag: row.tag,
            body: Bytes::new(body).ok_or(ddt_ledger::event::TOO_LONG)?,
        })
    }

    /// A nonce that none of this node's events had before.
    pub fn next_nonce(&self) -> u64 {
        let mut last = self.nonce.lock().unwrap_or_else(|error| error.into_inner());
        *last = now().0.saturating_mul(1_000).max(last.saturating_add(1));
        *last
    }
}
