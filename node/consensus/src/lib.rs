//! DDT.
#![allow(dead_code)]
mod application;
mod codec;
mod context;
mod error;
mod signing;
mod wire;
