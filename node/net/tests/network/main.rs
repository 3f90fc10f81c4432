//! The network over real sockets on loopback.

mod bad_peers;
mod cards;
mod finding;
mod fixture;
mod news;
mod raw;
mod relays;
mod requests;
mod transports;
mod vectors;
