//! Closing terms: a router asks for it, through itself or another one.

use ddt_contracts::REGISTRY;
use ddt_contracts::zones::CloseTerm;
use ddt_core::sequencer::Input;
use ddt_ledger::admit::{Admission, admit};
use ddt_ledger::codec::encode;
use ddt_ledger::event::{Checked, Draft, EVENT_VERSION, Role};
use ddt_ledger::fault::StoreFault;
use ddt_ledger::registry::Declared;
use ddt_ledger::schema::Bytes;
use ddt_ledger::system::Lane;
use ddt_ledger::{Millis, Zone};

use crate::facts::Out;
use crate::message::Endpoint;
use crate::router::Router;

impl Router {
    /// Sequences another router's word, or its own, that its lane's term is to close.
    pub(crate) fn close_term(
        &mut self,
        now: Millis,
        whose: Endpoint,
        out: &mut Vec<Out>,
    ) -> Result<(), StoreFault> {
        let zone = Zone(whose as u32 + 1);
        let snapshot = self.book.snapshot()?;
        let Some(Lane { term, .. }) = Lane::read(&snapshot, zone) else { return Ok(()) };
        let person = &self.town.keys[whose].person;
        let row = REGISTRY.row_named(CloseTerm::NAME);
        let body = Bytes::new(encode(&CloseTerm { zone, term }));
        let Some((row, body)) = row.zip(body) else { return Ok(()) };
        let draft = Draft {
            version: EVENT_VERSION,
            chain: self.town.chain,
            author: person.id(),
            key: person.key(),
            role: Role::Router,
            nonce: now.0 * 1_000 + self.number as u64,
            valid_until: now.plus(Millis(60_000)),
            tag: row.tag,
            body,
        };
        let event = Checked::check(&person.seal(draft), self.town.chain, &REGISTRY);
        let Ok(event) = event else { return Ok(()) };
        match admit(&REGISTRY, &snapshot, &event, now)? {
            Admission::Admitted { forecast: Ok(()), .. } => {
                drop(snapshot);
                self.lane(now, Input::Event(event, 0), out)
            }
            _ => Ok(()),
        }
    }
}
