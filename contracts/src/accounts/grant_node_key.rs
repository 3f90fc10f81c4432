//! Authorising a hot key for duties.

use borsh::{BorshDeserialize, BorshSerialize};
use ddt_ledger::book::{Book, DUTY_EXISTS, INSUFFICIENT, OVERFLOW};
use ddt_ledger::context::Context;
use ddt_ledger::event::Role;
use ddt_ledger::registry::Event;
use ddt_ledger::schema::Choice;
use ddt_ledger::{Amount, PublicKey, Refusal, event};

event! {
    /// Lets a key of a running node act for the account, for duties only.
    GrantNodeKey = "accounts.grant_node_key", Owner,
    "Let the key {key} act as {role} for this account, with {allowance} APT for its fees"
    {
        /// In which role.
        role: NodeRole,
        /// The node's key.
        key: PublicKey,
        /// Prepaid fees: all that a stolen node key can spend.
        allowance: Amount,
    }
}

/// Roles that an account can hand out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum NodeRole {
    /// A node's duties.
    Node,
    /// A router's duties.
    Router,
}

impl Choice for NodeRole {
    const WORDS: &'static [&'static str] = &["node", "router"];
    const ALL: &'static [NodeRole] = &[NodeRole::Node, NodeRole::Router];
}

impl Event for GrantNodeKey {
    const REFUSALS: &'static [Refusal] = &[DUTY_EXISTS, INSUFFICIENT, OVERFLOW];

    fn apply(&self, _: &Context, book: &mut Book) -> Result<(), Refusal> {
        let role = match self.role {
            NodeRole::Node => Role::Node,
            NodeRole::Router => Role::Router,
        };
        book.grant_duty(role, self.key, self.allowance)
    }
}
