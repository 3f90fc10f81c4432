//! Events that a stamp may carry, and stamps for them.

use ddt_ledger::book::Book;
use ddt_ledger::codec::encode;
use ddt_ledger::context::Context;
use ddt_ledger::event::Draft;
use ddt_ledger::registry::Event;
use ddt_ledger::schema::Bytes;
use ddt_ledger::stamp::{Period, Stamp, StampWeight, Stamps, Task};
use ddt_ledger::{Refusal, event};

use super::network::{Network, Person};
use super::programme::NO;

event! {
    /// Reserves tickets, or is refused.
    Heavily = "test.heavily", Owner, "Reserve {tickets} tickets"
        { is_refused: bool, tickets: u8, stamp: Option<Stamp> }
}

impl Event for Heavily {
    const REFUSALS: &'static [Refusal] = &[NO];
    const STAMP: Option<StampWeight> = Some(StampWeight::Heavy);

    fn stamp(&self) -> Option<Stamp> {
        self.stamp.clone()
    }

    fn apply(&self, _: &Context, book: &mut Book) -> Result<(), Refusal> {
        book.reserve_tickets(self.tickets)?;
        if self.is_refused { Err(NO) } else { Ok(()) }
    }
}

event! {
    /// Does nothing.
    Lightly = "test.lightly", Owner, "Nothing" { stamp: Option<Stamp> }
}

impl Event for Lightly {
    const REFUSALS: &'static [Refusal] = &[];
    const STAMP: Option<StampWeight> = Some(StampWeight::Light);

    fn stamp(&self) -> Option<Stamp> {
        self.stamp.clone()
    }

    fn apply(&self, _: &Context, _: &mut Book) -> Result<(), Refusal> {
        Ok(())
    }
}

/// The periods now.
pub fn stamps(network: &Network) -> Stamps {
    Stamps::read(&network.store.snapshot().expect("a snapshot")).expect("stamps")
}

/// The work for a draft over a period.
pub fn task(draft: &Draft, period: &Period) -> Task {
    Task::new(draft.chain, &draft.author, &draft.key, draft.tag, draft.nonce, period)
}

/// Leading zero bits of a light and a heavy stamp over a period.
pub fn bits(period: &Period) -> [u32; 2] {
    [period.bits.light, period.bits.heavy].map(u32::from)
}

/// A light stamp for a draft over a period.
pub fn light(draft: &Draft, period: &Period) -> Stamp {
    solve(draft, period, period.bits.light)
}

/// A heavy stamp for a draft over a period.
pub fn heavy(draft: &Draft, period: &Period) -> Stamp {
    solve(draft, period, period.bits.heavy)
}

fn solve(draft: &Draft, period: &Period, bits: u8) -> Stamp {
    let task = task(draft, period);
    let nonce = (0..).find(|nonce| task.bits(*nonce) >= u32::from(bits)).expect("a stamp");
    Stamp { period: period.number, nonce }
}

/// A draft of a [`Heavily`] without a stamp.
pub fn draft(network: &mut Network, who: &Person, tickets: u8) -> Draft {
    network.draft(who, &Heavily { is_refused: false, tickets, stamp: None })
}

/// The bytes of the draft of a [`Heavily`] with this stamp, signed.
pub fn seal(who: &Person, draft: &Draft, stamp: Stamp) -> Vec<u8> {
    let tickets = draft.body.as_slice().get(1).copied().unwrap_or_default();
    let body = encode(&Heavily { is_refused: false, tickets, stamp: Some(stamp) });
    who.seal(Draft { body: Bytes::new(body).expect("short"), ..draft.clone() })
}

/// A stamped event of somebody now.
pub fn stamped(network: &mut Network, who: &Person) -> Vec<u8> {
    let draft = draft(network, who, 0);
    let stamp = heavy(&draft, &stamps(network).now);
    seal(who, &draft, stamp)
}
