//! Payloads that mean nothing and that nobody signed or checks, so that ordering alone can be
//! compared with prototypes that order such payloads: as many as fit ride in one event, whose
//! signature and fee are those of whoever batched them.
//!
//! The event is in no network's registry but that of a bench.

use ddt_ledger::book::Book;
use ddt_ledger::context::Context;
use ddt_ledger::event::BODY_BYTES_MAX;
use ddt_ledger::registry::{Event, Programme, Registry};
use ddt_ledger::schema::Bytes;
use ddt_ledger::{Refusal, event, rows};

/// The name of a genesis whose network takes payloads.
pub const NETWORK: &str = "bench-opaque";
/// Bytes of a payload.
pub const PAYLOAD_BYTES: usize = 512;
/// Payloads in an event: as many as its body holds beside their length.
pub const PAYLOADS: usize = (BODY_BYTES_MAX - 4) / PAYLOAD_BYTES;
const BYTES: usize = PAYLOADS * PAYLOAD_BYTES;

/// The registry of a real network, and payloads.
pub const REGISTRY: Registry = Registry { programmes: &PROGRAMMES };

const REAL: &[&Programme] = ddt_contracts::REGISTRY.programmes;

static PROGRAMMES: [&Programme; REAL.len() + 1] = {
    let (mut all, mut at) = ([&PROGRAMME; REAL.len() + 1], 0);
    while at < REAL.len() {
        all[at] = REAL[at];
        at += 1;
    }
    all
};

static PROGRAMME: Programme = Programme {
    id: u16::MAX,
    name: "bench",
    purpose: "Measuring.",
    rows: rows! { 65_535 => Payloads },
    views: &[],
    tables: &[],
    deadlines: &[],
    is_full: None,
    audit: |_| Vec::new(),
};

event! {
    /// Payloads that mean nothing.
    Payloads = "bench.payloads", Owner, "Nothing"
    {
        /// One after the other.
        bytes: Bytes<BYTES>,
    }
}

impl Payloads {
    /// Filled from a seed.
    pub fn of(seed: &[u8; 32]) -> Payloads {
        let mut bytes = vec![0; BYTES];
        blake3::Hasher::new_keyed(seed).finalize_xof().fill(&mut bytes);
        Payloads { bytes: Bytes::new(bytes).unwrap_or_default() }
    }
}

impl Event for Payloads {
    const REFUSALS: &'static [Refusal] = &[];

    fn apply(&self, _: &Context, _: &mut Book) -> Result<(), Refusal> {
        Ok(())
    }
}
