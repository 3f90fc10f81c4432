//! libFuzzer over one target: `DDT_FUZZ_TARGET=name guided [its options] FOLDER…`.
//!
//! `.ci/fuzz` builds it with the instruments that it needs. With `DDT_FUZZ_SEEDS=FOLDER` it writes
//! the target's known inputs there and ends.

#![no_main]

use std::sync::OnceLock;

use ddt_fuzz::Target;
use ddt_fuzz::targets::{ALL, named};

fn target() -> &'static Target {
    static TARGET: OnceLock<Target> = OnceLock::new();
    TARGET.get_or_init(|| {
        let name = std::env::var("DDT_FUZZ_TARGET").unwrap_or_default();
        let names: Vec<&str> = ALL.iter().map(|target| target.name).collect();
        *named(&name).unwrap_or_else(|| panic!("DDT_FUZZ_TARGET is one of {}", names.join(", ")))
    })
}

libfuzzer_sys::fuzz_target!(
    init: {
        let target = target();
        // Made before the first input is judged by its time.
        let seeds = (target.seeds)();
        if let Some(folder) = std::env::var_os("DDT_FUZZ_SEEDS") {
            for (place, seed) in seeds.iter().enumerate() {
                let path = std::path::Path::new(&folder).join(format!("seed-{place:04}"));
                std::fs::write(path, seed).expect("a folder for the seeds");
            }
            std::process::exit(0);
        }
    },
    |bytes: &[u8]| {
        let target = target();
        if bytes.len() <= target.bytes_max {
            (target.run)(bytes);
        }
    }
);
