//! What people want: from sensible to absurd, one file for each programme.

mod accounts;
mod bank;
mod domains;
mod routers;
mod usernames;
mod zones;

use std::collections::BTreeMap;

use ddt_model::{Deed, Event, Id, Money, State};
use ddt_tests::random::Random;

use crate::genesis::PEOPLE;
use crate::letters::account;

/// What was wanted before, and can be gone on with.
#[derive(Default)]
pub struct Wishes {
    /// Secrets of locks, by hash.
    secrets: BTreeMap<Id, Id>,
    /// Locks in the order of their making, accepted or not, with their hashes.
    locks: Vec<(Id, Id)>,
    /// What domains' commits hide: owner, name, years, salt.
    preimages: Vec<(Id, String, u8, Id)>,
    /// What usernames' commits hide: author, row, ciphertext, salt.
    claims: Vec<(Id, Id, Vec<u8>, Id)>,
}

impl Wishes {
    /// Who wants what.
    pub fn wish(&mut self, state: &State, random: &mut Random) -> (Id, Deed) {
        match random.below(100) {
            0..14 => accounts::wish(state, random),
            14..24 => bank::payment(state, random),
            24..40 => self.lock(state, random),
            40..72 => self.domain(state, random),
            72..80 => zones::wish(state, random),
            80..88 => routers::wish(state, random),
            _ => self.username(state, random),
        }
    }

    /// Remembers what needs the finished event.
    pub fn note(&mut self, event: &Event) {
        if let Deed::Locks(ddt_model::Locks::Lock { hash, .. }) = &event.deed {
            self.locks.push((event.id(), *hash));
        }
    }
}

/// Somebody's account: mostly of somebody with money.
fn somebody(random: &mut Random) -> Id {
    let rich = random.one(["alice", "bob", "carol", "dave"]);
    account(if random.percent(75) { rich } else { random.one(PEOPLE) })
}

/// An amount of the size of a payment; seldom nothing, all there is, or more than there can be.
fn amount(state: &State, from: &Id, random: &mut Random) -> Money {
    let most = Money::from(10u8).pow(27);
    match random.below(30) {
        0 => Money::ZERO,
        1 => state.balance(from),
        2 => state.balance(from) + 1u8,
        3 => most,
        4 => most + 1u8,
        5..12 => Money::from(random.number() % 3_000_000),
        _ => Money::from(random.number() % 20_000_000_000),
    }
}
