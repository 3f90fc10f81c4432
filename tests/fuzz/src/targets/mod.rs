//! What is fuzzed.

mod anchors;
mod blocks;
mod bodies;
mod certificates;
mod events;
mod genesis;
#[cfg(feature = "faces")]
mod http;
mod keystore;
mod lanes;
mod life;
#[cfg(feature = "consensus")]
mod messages;
#[cfg(feature = "network")]
mod network;
#[cfg(feature = "faces")]
mod node_files;
mod peers;
mod proofs;
mod records;
mod rows;
mod snapshots;
mod stores;
mod texts;
mod values;
mod views;
mod wallet_files;

pub use life::lived;

use crate::Target;

/// Every target, by name.
pub const ALL: &[Target] = &[
    anchors::TARGET,
    blocks::TARGET,
    bodies::TARGET,
    certificates::TARGET,
    events::TARGET,
    genesis::TARGET,
    #[cfg(feature = "faces")]
    http::TARGET,
    keystore::TARGET,
    lanes::TARGET,
    life::TARGET,
    #[cfg(feature = "consensus")]
    messages::TARGET,
    #[cfg(feature = "network")]
    network::TARGET,
    #[cfg(feature = "faces")]
    node_files::TARGET,
    peers::TARGET,
    proofs::TARGET,
    records::TARGET,
    rows::TARGET,
    snapshots::TARGET,
    stores::TARGET,
    texts::TARGET,
    values::TARGET,
    views::TARGET,
    wallet_files::TARGET,
];

/// The target of this name.
pub fn named(name: &str) -> Option<&'static Target> {
    ALL.iter().find(|target| target.name == name)
}
