//! The network of DDT: libp2p behind one handle and one trait.

pub mod card;
pub mod message;
