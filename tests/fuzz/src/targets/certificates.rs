//! Certificates and sets of validators.

use ddt_ledger::certificate::{Certificate, ValidatorSet};
use ddt_ledger::codec::{decode, encode};
use ddt_ledger::proof::CertifiedAnchor;

use crate::world::world;
use crate::{End, Target, end, end_of};

pub const TARGET: Target = Target {
    name: "certificates",
    about: "Certificate::verify against the world's validators: bytes and JSON.",
    run,
    seeds,
    bytes_max: 64 * 1024,
    tries: 8_000,
};

fn run(bytes: &[u8]) -> End {
    if let Ok(json) = serde_json::from_slice::<CertifiedAnchor>(bytes) {
        return judged(&json.certificate);
    }
    if let Ok(set) = decode::<ValidatorSet>(bytes, 64 * 1024) {
        assert_eq!(encode(&set), bytes);
        assert!(set.quorum() > set.0.len() * 2 / 3);
    }
    match decode::<Certificate>(bytes, 64 * 1024) {
        Ok(certificate) => {
            assert_eq!(encode(&certificate), bytes, "another encoding");
            judged(&certificate)
        }
        Err(error) => end_of(error),
    }
}

fn judged(certificate: &Certificate) -> End {
    match certificate.verify(world().chain, &world().genesis.validators()) {
        Ok(()) => {
            let known = world().anchors.iter().map(|anchor| &anchor.certificate);
            let same = |known: &Certificate| {
                (known.height, known.round, known.anchor)
                    == (certificate.height, certificate.round, certificate.anchor)
            };
            assert!(known.clone().any(same), "a forged certificate");
            end("verified")
        }
        Err(error) => end_of(error),
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let of = |anchor: &CertifiedAnchor| {
        let json = serde_json::to_vec(anchor).expect("JSON");
        [encode(&anchor.certificate), json]
    };
    let mut seeds: Vec<Vec<u8>> = world().anchors.iter().take(3).flat_map(of).collect();
    seeds.push(encode(&world().genesis.validators()));
    seeds
}
