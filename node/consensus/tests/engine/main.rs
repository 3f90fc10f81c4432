//! The real engine, through the public face of this crate.

mod application;
mod network;

mod alone;
mod four;
