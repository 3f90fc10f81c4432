//! The life of a name after it was bought: renewed, given, sold, led somewhere, told of.

mod hands;
mod leads;
mod parameters;
mod scene;
mod stays;
#[path = "../support/mod.rs"]
mod support;
