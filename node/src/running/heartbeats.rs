//! The chore of saying for members that they are there.
//!
//! Whoever signs up may name a node. From then on that node is heard of for the member, with
//! its own key and a stamp, so that nobody has to pay or to think of it.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ddt_contracts::zones::{Heartbeat, MemberRow, members_of_key};
use ddt_core::agents::due::{DUE_MAX, Due, DueConfig, heartbeat_due};
use ddt_ledger::accounts::Duty;
use ddt_ledger::codec::encode;
use ddt_ledger::event::{ACCOUNT, KEY, Role, STAMP, STAMP_OLD, UNKNOWN_TAG};
use ddt_ledger::params::Params;
use ddt_ledger::registry::Declared;
use ddt_ledger::stamp::{Period, Stamps};
use ddt_ledger::store::Snapshot;
use ddt_ledger::system::{Head, params};
use ddt_ledger::{AccountId, PublicKey, Refusal};
use ddt_wallet::stamp::{Order, solve_on};

use super::core::Core;
use super::due::Chore;
use super::duties::Duties;

/// Longest work on one stamp; more than a minute's is nobody's to ask of a node.
const WORK_MAX: Duration = Duration::from_secs(60);
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
        let registry = self.core.book.registry();
        let row = registry.row_named(Heartbeat::NAME).ok_or(UNKNOWN_TAG)?;
        let (event_nonce, key) = (self.duties.next_nonce(), self.core.keys.node_public());
        let (period, bits) = self.wanted(&author)?;
        let order = Order {
            chain: self.core.book.chain(),
            author,
            key,
            tag: row.tag,
            event_nonce,
            period: period.number,
            beacon: period.beacon,
            bits,
        };
        // One core, and not for longer than it may take: whoever named this node asked nobody.
        let since = Instant::now();
        let stamp = solve_on(&order, 1, |_| match since.elapsed() < WORK_MAX {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        });
        let body = encode(&Heartbeat { stamp: Some(stamp.map_err(|_| STAMP)?) });
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

    /// What the stamp is made over, and its size; a refusal where it would be for nothing.
    fn wanted(&self, author: &AccountId) -> Result<(Period, u8), Refusal> {
        let snapshot = self.core.book.snapshot().map_err(|_| STAMP_OLD)?;
        let duty = Duty::read(&snapshot, author, &self.core.keys.node_public());
        if duty.is_none_or(|duty| duty.is_revoked || duty.role != Role::Node) {
            return Err(KEY);
        }
        let period = Stamps::read(&snapshot).ok_or(STAMP_OLD)?.now;
        Ok((period, period.bits.light))
    }
}
