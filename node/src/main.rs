//! The `ddt` binary.
fn main() {}
