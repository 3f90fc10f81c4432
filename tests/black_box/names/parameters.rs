//! `ddt dev --param`: on a new network only, by name, within what fits.

use crate::support::network::{Network, folder};

// Broken by: a parameter that is ignored, or a kept network that becomes another one.
#[test]
fn parameters_are_set_when_a_network_is_made_and_never_again() {
    let folder = folder();
    let home = folder.path().join("state");
    for (wrong, words) in [
        ("domain_year=1", "there is no such parameter"),
        ("domain_year_ms=soon", "whole number"),
        ("stamp_bits=256", "stamp_bits=256"),
        ("domain_year_ms=0", "domain_year_ms must be above 0"),
    ] {
        let ending = Network::try_start_tuned(&home, &[wrong]).err().unwrap();
        assert_eq!(ending.refusal(), (2, "usage".to_string()), "{wrong}");
        assert!(ending.words().contains(words), "{}", ending.words());
        assert!(!home.join("genesis.toml").exists(), "{wrong} leaves no network behind");
    }
    let asked = ["domain_year_ms=12345678", "contest_ms=1500"];
    let network = Network::try_start_tuned(&home, &asked).unwrap();
    let params = network.json("/v1/fees")["params"].clone();
    assert_eq!(
        (&params["domain_year_ms"], &params["contest_ms"]),
        (&12_345_678.into(), &1_500.into())
    );
    assert_eq!(network.interrupt(), Some(0));
    let ending = Network::try_start_tuned(&home, &["domain_year_ms=1"]).err().unwrap();
    assert_eq!(ending.refusal(), (2, "usage".to_string()));
    assert!(ending.words().contains("made with domain_year_ms=12345678"), "{}", ending.words());
    let network = Network::try_start_tuned(&home, &asked[..1]).unwrap();
    assert_eq!(network.interrupt(), Some(0));
}
