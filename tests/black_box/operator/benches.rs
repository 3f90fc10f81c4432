//! The benchmarks run, small, and say what they measured. Nothing is asserted about speed.

use serde_json::Value as Json;

use crate::support::cli::ddt;

fn measured(arguments: &[&str], keys: &[&str]) -> Json {
    let home = tempfile::tempdir().unwrap();
    let data = ddt(home.path(), arguments).data();
    for key in keys {
        assert!(data[*key].as_f64().is_some_and(|figure| figure > 0.0), "{key}: {data}");
    }
    data
}

// Broken by: an event of the load that is not executed, or a store that does not open again.
#[test]
fn the_ledgers_bench_takes_every_kind_of_event_through() {
    let keys = [
        "events_per_second",
        "verification_limit_per_second",
        "ratio_to_verification_limit",
        "open_seconds",
    ];
    let small = ["--accounts", "50", "--seconds", "0", "--round", "100", "--per-anchor", "5"];
    for (kind, deeds) in [
        ("transfer", "transfers_per_second"),
        ("batch", "transfers_per_second"),
        ("domain", "purchases_per_second"),
    ] {
        let arguments = [["bench", "ledger", "--kind", kind].as_slice(), &small].concat();
        let data = measured(&arguments, &[keys.as_slice(), &[deeds]].concat());
        assert_eq!(data["events"], 100);
    }
    let home = tempfile::tempdir().unwrap();
    let wrong = ddt(home.path(), &["bench", "ledger", "--per-anchor", "0"]);
    assert_eq!(wrong.refusal(), (2, "usage".to_string()));
}

// Broken by: a route that answers an account or an event with an error.
#[test]
fn the_apis_bench_reads_accounts_events_and_proofs() {
    let keys = ["trivial_per_second", "accounts_per_second", "events_per_second"];
    let small = ["bench", "api", "--rows", "50", "--seconds", "1", "--connections", "2"];
    measured(&small, &[keys.as_slice(), &["proofs_per_second"]].concat());
}

// Broken by: routers whose patience is shorter than their distance; a new full node that does
// not arrive, or only where nothing happens meanwhile; figures of an event that should be those
// of a payload.
#[test]
fn routers_far_apart_that_lose_packets_decide_and_payloads_are_ordered() {
    let small = ["bench", "zones", "--payments", "1", "--seconds", "1"];
    let far = ["--delay-ms", "100", "--jitter-ms", "50", "--loss-percent", "5"];
    let data = measured(&[small, far].concat(), &["verification_limit_per_second"]);
    let four = &data["networks"][1];
    assert_eq!(four["zones"], 4);
    assert!(four["idle_final_in_delays"].as_f64().unwrap() >= 3.0, "{data}");
    assert!(four["synced"].is_null());
    let payloads = ["--zones", "1", "--opaque", "--follow-at", "20"];
    let data = measured(&[small.as_slice(), &payloads].concat(), &[]);
    let network = &data["networks"][0];
    let figure = |name: &str| network[name].as_f64().unwrap();
    let each = figure("payloads_per_second") / figure("events_per_second");
    assert_eq!(each.round(), 31.0);
    let synced = &network["synced"];
    assert!(synced["events"].as_f64().unwrap() >= 12.0, "{network}");
    assert!(synced["live_events_per_second"].as_f64().unwrap() > 0.0, "{network}");
}

// Broken by: a payment that never reaches a stage, or a router that does not start.
#[test]
fn the_bench_of_latency_takes_payments_to_every_stage() {
    let small = ["bench", "latency", "--payments", "2", "--seconds", "1"];
    let data = measured(&small, &["payments_per_second_max", "payments_per_second_loaded"]);
    for load in ["idle", "loaded"] {
        for stage in ["sequenced", "final", "proven"] {
            let times = &data[load][stage];
            let (p50, p99) = (times["p50_ms"].as_f64().unwrap(), times["p99_ms"].as_f64().unwrap());
            assert!(0.0 < p50 && p50 <= p99, "{data}");
            assert_eq!(times["payments"], 2, "{data}");
        }
    }
}
