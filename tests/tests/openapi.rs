//! The checked-in copy of the OpenAPI document is the one the code serves.
//!
//! `DDT_REGENERATE=1 cargo test -p ddt-tests --test openapi` writes it anew.

use std::path::Path;

#[test]
fn the_copy_in_docs_is_what_the_code_serves() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let served = format!("{:#}\n", ddt_api::openapi(&ddt_contracts::REGISTRY));
    if std::env::var_os("DDT_REGENERATE").is_some() {
        std::fs::write(&path, &served).expect("docs/openapi.json is written");
    }
    let copy = std::fs::read_to_string(&path).expect("docs/openapi.json is there");
    // Mutation: any event, view or route added without a look at what the face shows.
    assert!(copy == served, "docs/openapi.json is stale: run this test with DDT_REGENERATE=1");
}
