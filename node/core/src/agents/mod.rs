//! Agents: duties that a node does on its own, without a wallet's key.

pub mod due;
pub mod reveal;
