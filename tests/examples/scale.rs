//! What a network of a thousand to a thousand million members would cost each kind of node.
//!
//! `cargo run -p ddt-tests --example scale` prints the tables of `docs/scale.md`. Whole
//! numbers only, so that every machine prints the same. `tests/tests/scale.rs` compares the
//! page with what this prints, and the sizes in it with real encodings.

#[path = "scale/constants.rs"]
pub mod constants;
#[path = "scale/formulas.rs"]
pub mod formulas;
#[path = "scale/limits.rs"]
pub mod limits;
#[path = "scale/nodes.rs"]
pub mod nodes;
#[path = "scale/tables.rs"]
pub mod tables;

/// Prints every table under its name.
pub fn main() {
    for (name, table) in tables::all() {
        println!("## {name}\n\n{table}");
    }
}
