//! From what somebody wants to a signed event, often good, sometimes deliberately wrong.

use std::collections::BTreeMap;

use ddt_ledger::Hash;
use ddt_model::{Deed, Event, Id, Role, Stamp, State, account_of, bits};
use ddt_tests::network::START;
use ddt_tests::people::Person;
use ddt_tests::random::Random;

use crate::genesis::PEOPLE;
use crate::wishes::Wishes;

/// Keys that accounts rotate to and give to their nodes.
pub const KEYS: [&str; 4] = ["laptop", "phone", "spare", "tablet"];
/// Other keys of nodes, so that an account comes to have too many. They sign nothing.
pub const NODES: [&str; 6] = ["node1", "node2", "node3", "node4", "node5", "node6"];
/// One-time keys of usernames and newcomers without coins.
pub const STRANGERS: [&str; 5] = ["one", "two", "three", "four", "five"];

/// Routers, and keys that routers come to have.
pub const ROUTERS: [&str; 12] = [
    "router1", "router2", "router3", "router4", "router5", "router6", "router7", "router8",
    "router9", "router10", "router11", "router12",
];

/// Who can write, and what was written.
pub struct Letters {
    people: BTreeMap<Id, Person>,
    names: BTreeMap<Id, &'static str>,
    wishes: Wishes,
}

/// Somebody's id as an account.
pub fn account(name: &str) -> Id {
    Person::named(name).id().0
}

/// Who signs, and in which role.
struct Hand {
    signer: Person,
    role: Role,
}

impl Letters {
    /// Nothing is written yet.
    pub fn new() -> Letters {
        let all = || PEOPLE.into_iter().chain(KEYS).chain(STRANGERS).chain(ROUTERS);
        Letters {
            people: all().map(|name| (Person::named(name).key().0, Person::named(name))).collect(),
            names: all().map(|name| (account(name), name)).collect(),
            wishes: Wishes::default(),
        }
    }

    /// Whose account it is.
    pub fn name(&self, account: &Id) -> &'static str {
        self.names.get(account).copied().unwrap_or("somebody")
    }

    /// The event with this number.
    pub fn write(&mut self, number: u64, state: &State, random: &mut Random) -> Event {
        let (author, deed) = self.wishes.wish(state, random);
        let hand = self.hand(author, &deed, state, random);
        let event = Event {
            version: 1,
            chain: state.chain(),
            author,
            key: hand.signer.key().0,
            role: hand.role,
            nonce: nonce(number, &author, state, random),
            valid_until: state.time() + validity(random),
            deed,
            signature: [0; 64],
            is_signed: true,
            tail: Vec::new(),
        };
        let event = stamped(event, state, random);
        let mut event = spoiled(event, state, random);
        let signature = hand.signer.sign(&Hash(event.digest()));
        event.signature = signature.0;
        if !event.is_signed {
            event.signature[random.below(32)] ^= 1 << random.below(8);
        }
        self.wishes.note(&event);
        event
    }

    /// Mostly the owner's key as it is now.
    fn hand(&self, author: Id, deed: &Deed, state: &State, random: &mut Random) -> Hand {
        let first = self.people.values().find(|person| person.id().0 == author);
        let first = first.expect("somebody").clone();
        let owner = state.owner_key(&author).and_then(|key| self.people.get(&key)).cloned();
        let owner = owner.unwrap_or(first.clone());
        let any = Person::named(random.one(KEYS));
        let nodes: Vec<(Id, Role)> = state.node_keys_of(&author);
        let of_node = match random.pick(&nodes) {
            Some((key, role)) => {
                Hand { signer: self.people.get(&key).cloned().unwrap_or(any.clone()), role }
            }
            None => Hand { signer: any.clone(), role: Role::Node },
        };
        let of_router = state.router_rows().into_iter().find(|(account, ..)| *account == author);
        let of_router = of_router.and_then(|(_, key, _)| self.people.get(&key)).cloned();
        if let Some(signer) = of_router.filter(|_| deed.is_for_routers() && random.percent(80)) {
            return Hand { signer, role: Role::Router };
        }
        match random.below(60) {
            0 => Hand { signer: first, role: Role::Owner },
            1 => Hand { signer: any, role: Role::Owner },
            2 => Hand { signer: owner, role: random.one([Role::Node, Role::Router]) },
            3 => of_node,
            4..30 if deed.is_for_anyone() && !nodes.is_empty() => of_node,
            _ => Hand { signer: owner, role: Role::Owner },
        }
    }
}

/// Mostly a new one, in no particular order.
fn nonce(number: u64, author: &Id, state: &State, random: &mut Random) -> u64 {
    let start = START.0 * 1_000;
    let now = u64::try_from(state.time()).expect("a time") * 1_000;
    match random.below(40) {
        0 => random.one([0, 1, 2, (1 << 32) - 1, 1 << 32]),
        1 => start + random.number() % (1 + number),
        2 => now + 600_000_000 + random.number() % 4_000_000,
        3 => u64::MAX,
        4..7 => random.pick(&state.tickets_of(author)).map_or(start, u64::from),
        _ => start + 9 * number - random.number() % 40,
    }
}

/// Milliseconds from now to the end, good or not.
fn validity(random: &mut Random) -> i128 {
    let week = 7 * 24 * 3_600_000;
    match random.below(60) {
        0 => 0,
        1 => week,
        2 => week + 1 + i128::from(random.number() % 30_000),
        3..7 => i128::from(random.number() % 20_000),
        _ => 3_600_000,
    }
}

/// The event with a stamp, if its deed carries one: mostly a good one.
fn stamped(mut event: Event, state: &State, random: &mut Random) -> Event {
    let Some(is_heavy) = event.deed.is_stamp_heavy() else { return event };
    let (number, beacon, wanted) = state.period();
    let wanted = wanted[usize::from(is_heavy)];
    let (period, fits): (u64, &dyn Fn(u32) -> bool) = match random.below(20) {
        0 => (number, &|bits| bits < wanted),
        1 => (number.wrapping_sub(2), &|_| true),
        2 => (number.wrapping_sub(1), &|_| true),
        3 => (number + (1 << 40), &|_| true),
        _ => (number, &|bits| bits >= wanted),
    };
    let from = random.number() >> 1;
    let nonce = (from..).find(|nonce| fits(bits(&event, period, &beacon, *nonce)));
    event.deed.set_stamp(Stamp { period, nonce: nonce.expect("a small task") });
    event
}

/// The event with something that is wrong with it, sometimes.
fn spoiled(mut event: Event, state: &State, random: &mut Random) -> Event {
    if state.check(&event).is_err() {
        return event;
    }
    match random.below(150) {
        0 => event.version = 2,
        1 => event.chain = account_of(&event.chain),
        2 => event.is_signed = false,
        3 => event.tail = vec![0],
        4 => event.tail = vec![7; 16_640],
        5 => event.deed = Deed::Unknown { tag: random.one([0, 100, 206, 314, 9_999]) },
        6 => {
            let (tag, mut body) = (event.deed.tag(), event.deed.body());
            if body.pop().is_none() {
                body.push(1);
            }
            event.deed = Deed::Garbage { tag, body };
        }
        7 => {
            let (tag, mut body) = (event.deed.tag(), event.deed.body());
            body.push(1);
            event.deed = Deed::Garbage { tag, body };
        }
        _ => {}
    }
    event
}

/// A signature over a digest, or over another one.
pub fn possession(name: &str, digest: Id, is_possessed: bool) -> Vec<u8> {
    let digest = if is_possessed { digest } else { account_of(&digest) };
    Person::named(name).sign(&Hash(digest)).0.to_vec()
}
