//! The chore of saying for members that they are there.
//!
//! Whoever signs up may name a node. From then on that node is heard of for the member, with
//! its own key and a stamp, so that nobody has to pay or to think of it.

use std::sync::Arc;

use ddt_contracts::zones::{Heartbeat, MemberRow, members_of_key};
use ddt_core::agents::due::{DUE_MAX, Due, DueConfig, heartbeat_due};
use ddt_ledger::accounts::Duty;
use ddt_ledger::codec::encode;
use ddt_ledger::event::{ACCOUNT, KEY, Role, STAMP_OLD};
use ddt_ledger::params::Params;
use ddt_ledger::registry::Declared;
use ddt_ledger::store::Snapshot;
use ddt_ledger::system::{Head, params};
use ddt_ledger::{AccountId, PublicKey, Refusal};

use super::core::Core;
use super::due::Chore;
use super::duties::Duties;
use super::stamps;

/// Members read at a time.
const PAGE: usize = 500;

/// Is heard of with this node's key.
pub struct Heartbeats {
    /// The book.
    pub core: Arc<Core>,
    /// The key's nonces.
    pub duties: Arc<Duties>,
}

impl Chore for Heartbeats {
    fn config(params: &Params, key: PublicKey) -> DueConfig {
        DueConfig::heartbeats(params, key)
    }

    fn due(&self, snapshot: &Snapshot, _: &Head) -> Vec<Due> {
        let params = params(snapshot);
        let due = |(account, member): &(AccountId, MemberRow)| Due {
            name: account.to_string(),
            due: heartbeat_due(member.seen, &params),
        };
        self.members(snapshot).iter().map(due).collect()
    }

    fn submit(&self, name: &str) -> Result<(), Refusal> {
        let author: AccountId = name.parse().map_err(|_| ACCOUNT)?;
        let (event_nonce, key) = (self.duties.next_nonce(), self.core.keys.node_public());
        self.is_wanted(&author)?;
        let stamp = stamps::light(&self.core, (author, key, event_nonce), Heartbeat::NAME)?;
        let body = encode(&Heartbeat { stamp: Some(stamp) });
        self.duties.submit_for(author, event_nonce, Heartbeat::NAME, body)
    }
}

impl Heartbeats {
    fn members(&self, snapshot: &Snapshot) -> Vec<(AccountId, MemberRow)> {
        let key = self.core.keys.node_public();
        let mut found = Vec::new();
        while found.len() < DUE_MAX {
            let after = found.last().map(|(account, _): &(AccountId, MemberRow)| *account);
            let page = members_of_key(snapshot, &key, after, PAGE);
            let is_last = page.len() < PAGE;
            found.extend(page);
            if is_last {
                break;
            }
        }
        found
    }

    /// A refusal where a stamp would be for nothing.
    fn is_wanted(&self, author: &AccountId) -> Result<(), Refusal> {
        let snapshot = self.core.book.snapshot().map_err(|_| STAMP_OLD)?;
        let duty = Duty::read(&snapshot, author, &self.core.keys.node_public());
        match duty.is_some_and(|duty| !duty.is_revoked && duty.role == Role::Node) {
            true => Ok(()),
            false => Err(KEY),
        }
    }
}
