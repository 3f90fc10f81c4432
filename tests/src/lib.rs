//! Tests that look at DDT as a whole, and what they share.
//!
//! `tests/tests` holds one folder or file per question: `tidy` (is the style kept?),
//! `architecture` (does each crate know only what it may?), `scenarios` (does each programme
//! do what the stories in `scenarios/` say?), `registry` (is every row whole, and every
//! refusal seen?), `properties` (what holds of every history?), `model` (is the state what the
//! specification says, told a second time by the package `ddt-model`?). The library is for what
//! several of them share: a network in one process and the language of the scenarios. Tests
//! that run the real `ddt` are test targets of `ddt-node`, because only there does cargo
//! build the binary first.

pub mod disk;
pub mod invariants;
pub mod network;
pub mod people;
pub mod random;
pub mod routers;
pub mod scenario;
pub mod setup;
pub mod vrf;
