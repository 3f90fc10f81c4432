//! The parameters of networks are those that the specification lists.

use std::collections::BTreeMap;

use ddt_ledger::params::Params;

const SPECIFICATION: &str = include_str!("../../../docs/spec/genesis.md");

/// The cells of the table's rows, without the marks around them.
fn rows() -> Vec<Vec<String>> {
    let lines = SPECIFICATION.lines().filter(|line| line.starts_with("| `"));
    let cells = |line: &str| {
        let cells = line.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().trim_matches('`').replace(',', "")).collect()
    };
    lines.map(cells).collect()
}

fn fields(params: &Params) -> BTreeMap<String, u64> {
    let json = serde_json::to_value(params).expect("JSON");
    let fields = json.as_object().expect("an object").iter();
    fields.map(|(name, value)| (name.clone(), value.as_u64().expect("a number"))).collect()
}

/// Broken by: any figure that differs from its row, in the code or on the page.
#[test]
fn parameters_are_those_of_the_specification() {
    let (mut network, mut dev) = (BTreeMap::new(), BTreeMap::new());
    for row in rows() {
        let [name, public, own, ..] = row.as_slice() else { panic!("{row:?}") };
        let public: u64 = public.parse().expect("a number");
        let own = if own == "same" { public } else { own.parse().expect("a number") };
        network.insert(name.clone(), public);
        dev.insert(name.clone(), own);
    }
    assert!(network.len() > 20, "the table was not found");
    assert_eq!(fields(&Params::network()), network);
    assert_eq!(fields(&Params::dev()), dev);
}
