//! The network of DDT: libp2p behind one handle and one trait.
//!
//! [`start`] listens and returns a [`Net`]: what the node may do. What the network needs of the
//! node is a [`Host`]. One task owns the swarm; it never waits for the node. The protocols,
//! their names and limits are those of `docs/spec/network.md`.

mod address;
mod behaviour;
mod bucket;
mod candidates;
pub mod card;
mod card_book;
mod config;
mod counters;
mod frame;
mod gate;
mod host;
mod key;
pub mod message;
mod meter;
mod net;
mod requests;
mod setup;
mod standing;
mod stream;
mod task;

pub use address::check_address;
pub use config::{AskError, NetConfig, NetError, NetLimits};
pub use counters::Counters;
pub use frame::Frame;
pub use host::{BoxFuture, Greeting, Host, Verdict};
pub use key::{key_of, peer_of};
pub use net::{Direction, Net, PeerInfo, REACHES_MAX, Reach};
pub use setup::start;
