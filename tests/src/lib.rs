//! Tests that look at DDT as a whole, and what they share.
//!
//! `tests/tests` holds one folder or file per question: `tidy` (is the style kept?),
//! `architecture` (does each crate know only what it may?). The library is for what several
//! of them share. Tests that run the real `ddt` are test targets of `ddt-node`, because only
//! there does cargo build the binary first.
