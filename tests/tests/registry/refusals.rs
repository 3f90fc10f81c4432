//! Every refusal that is declared is seen in some scenario, and every event is done in one.

use std::collections::BTreeSet;

use ddt_contracts::REGISTRY;
use ddt_ledger::registry::ledger_refusals;
use ddt_tests::scenario::{Report, run_all};

/// Declared by an event, but out of reach: event, code, why.
const OUT_OF_REACH: [(&str, &str, &str); 3] = [
    ("accounts.grant_node_key", "ledger.overflow", WHOLE_SUPPLY),
    ("accounts.top_up_node_key", "ledger.overflow", WHOLE_SUPPLY),
    ("bank.transfer", "ledger.overflow", WHOLE_SUPPLY),
];
const WHOLE_SUPPLY: &str = "all money together is one amount, so a part of it never overflows";

/// Given by the ledger, but not to what a scenario can do: code, why.
const NOT_IN_SCENARIOS: [(&str, &str); 9] = [
    ("field.flag", "no event or view has a flag to type"),
    ("field.kind", "only a wrong JSON type, and JSON does not come from a command line"),
    ("field.list", "no event or view has a list to type"),
    ("field.time", "only a wrong JSON type; a typed time that is none is field.count"),
    ("field.unknown", "only a JSON object's field; a typed one is field.argument"),
    ("ledger.bug", "only a programme that panics"),
    ("ledger.hold", "only a programme that forgets what it holds"),
    ("ledger.no_author", "only a programme's deadline that asks for an author"),
    ("ledger.not_owner", "only a programme that spends for who is no owner"),
];

fn report() -> Report {
    let mut all = Report::default();
    for (name, report) in run_all() {
        let report = report.unwrap_or_else(|trouble| panic!("{name}: {trouble}"));
        all.observed.extend(report.observed);
        all.done.extend(report.done);
    }
    all
}

/// Broken by: a rule without a scenario, or one that can never say no.
#[test]
fn every_refusal_is_seen_and_every_event_done() {
    let report = report();
    let mut missing = Vec::new();
    let mut excuses: BTreeSet<(&str, &str)> =
        OUT_OF_REACH.iter().map(|(event, code, _)| (*event, *code)).collect();
    excuses.extend(NOT_IN_SCENARIOS.iter().map(|(code, _)| ("", *code)));
    let saw = |event: &str, code: &str| {
        let mut seen = report.observed.iter();
        seen.any(|seen| seen.code == code && (event.is_empty() || seen.row == event))
    };
    let of_events = REGISTRY.rows().flat_map(|row| row.refusals.iter().map(|r| (row.name, r.code)));
    let of_ledger = ledger_refusals().map(|refusal| ("", refusal.code));
    for (event, code) in of_events.chain(of_ledger) {
        let is_excused = excuses.remove(&(event, code));
        match (saw(event, code), is_excused) {
            (false, false) => missing.push(format!("{event} {code}: no scenario shows it")),
            (true, true) => missing.push(format!("{event} {code}: seen, so needs no excuse")),
            _ => {}
        }
    }
    missing.extend(excuses.iter().map(|(event, code)| format!("{event} {code}: nobody gives it")));
    let idle = REGISTRY.rows().filter(|row| !report.done.contains(row.name));
    missing.extend(idle.map(|row| format!("{}: no scenario does it", row.name)));
    assert!(missing.is_empty(), "\n{}\n", missing.join("\n"));
}

/// Broken by: a programme that gives a "no" it did not declare (each scenario would fail on
/// its line), or codes of the language itself that nobody sees.
#[test]
fn arguments_are_refused_in_scenarios_too() {
    let report = report();
    for refusal in ddt_ledger::arguments::ALL {
        assert!(report.observed.iter().any(|seen| seen.code == refusal.code), "{refusal}");
    }
}
