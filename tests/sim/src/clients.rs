//! Clients: make events, good and bad, send them, and send them again until they have ended.

use ddt_contracts::bank::Transfer;
use ddt_contracts::domains::{Commit, DomainName, PrepayRenewal, commit_hash};
use ddt_contracts::zones::{Leave, SignUp};
use ddt_core::agents::reveal::Task;
use ddt_ledger::codec::encode;
use ddt_ledger::event::{Draft, EVENT_VERSION, Role, Signed};
use ddt_ledger::registry::Declared;
use ddt_ledger::schema::Bytes;
use ddt_ledger::{Amount, ChainId, Hash, Millis, Zone};
use ddt_tests::people::Person;

use crate::message::{Answer, Endpoint, Message};
use crate::random::Random;
use crate::town::node_of;

/// Events that a client has on the way.
const WISHES_MAX: usize = 6;
/// Without an end an event is sent again after this long.
const RETRY_MS: u64 = 2_000;
/// Refusals after which the same bytes may be taken later, or elsewhere.
const PASSING: [&str; 4] =
    ["mempool.full", "mempool.author_limit", "mempool.nonce_waiting", "sequencer.closed"];

/// An event on the way.
struct Wish {
    id: Hash,
    bytes: Vec<u8>,
    router: Endpoint,
    next: Millis,
    is_nonsense: bool,
}

/// A preimage on the way to a node.
struct Errand {
    task: Task,
    next: Millis,
}

/// A client with an account.
pub struct Client {
    person: Person,
    chain: ChainId,
    wishes: Vec<Wish>,
    tasks: Vec<Errand>,
    made: u64,
    /// Names that it wanted to buy.
    names: Vec<DomainName>,
}

impl Client {
    /// The client with this number.
    pub fn new(number: usize, chain: ChainId) -> Client {
        Client {
            person: Client::person(number),
            chain,
            wishes: Vec::new(),
            tasks: Vec::new(),
            made: 0,
            names: Vec::new(),
        }
    }

    /// Whose keys the client with this number has.
    pub fn person(number: usize) -> Person {
        Person::named(&format!("client{number}"))
    }

    /// Whether all its events have ended.
    pub fn is_idle(&self) -> bool {
        self.wishes.is_empty() && self.tasks.is_empty()
    }

    /// What it sends now, and to whom.
    pub fn tick(
        &mut self,
        now: Millis,
        (routers, clients): (usize, usize),
        is_calm: bool,
        random: &mut Random,
    ) -> Vec<(Endpoint, Message)> {
        if !is_calm && self.wishes.len() < WISHES_MAX && random.chance(600) {
            self.wish(now, routers, clients, random);
        }
        let mut sent = Vec::new();
        for wish in self.wishes.iter_mut().filter(|wish| wish.next <= now) {
            sent.push((wish.router, Message::Submit(wish.bytes.clone())));
            wish.router = (wish.router + 1) % routers;
            wish.next = now.plus(Millis(RETRY_MS + random.below(RETRY_MS)));
        }
        for errand in self.tasks.iter_mut().filter(|errand| errand.next <= now) {
            let message = Message::Reveal(Box::new(errand.task.clone()));
            sent.push((random.place(routers), message));
            errand.next = now.plus(Millis(RETRY_MS));
        }
        sent
    }

    fn wish(&mut self, now: Millis, routers: usize, clients: usize, random: &mut Random) {
        self.made += 1;
        let kind = random.below(24);
        let (name, body) = self.body(kind, (routers, clients), now, random);
        let tag = ddt_contracts::REGISTRY.row_named(name).map_or(0, |row| row.tag);
        let validity = if kind == 3 { random.between(100, 4_000) } else { 600_000 };
        let nonce = now.0 * 1_000 + self.made % 1_000;
        let mut draft = Draft {
            version: EVENT_VERSION,
            chain: self.chain,
            author: self.person.id(),
            key: self.person.key(),
            role: Role::Owner,
            nonce,
            valid_until: now.plus(Millis(validity)),
            tag,
            body: Bytes::new(body).expect("a short body"),
        };
        let first = self.person.seal(draft.clone());
        let router = random.place(routers);
        self.push(first, router, now, false);
        match kind {
            // Another event with the same nonce, elsewhere: one of them wins.
            4 => {
                draft.valid_until = now.plus(Millis(validity + 1));
                let second = self.person.seal(draft);
                self.push(second, (router + 1) % routers, now, false);
            }
            // The same bytes to two routers at once.
            5 => {
                let (id, bytes) = match self.wishes.last() {
                    Some(wish) => (wish.id, wish.bytes.clone()),
                    None => return,
                };
                let router = (router + 1) % routers;
                self.wishes.push(Wish { id, bytes, router, next: now, is_nonsense: false });
            }
            6 => {
                let mut bytes = self.person.seal(draft);
                let place = random.place(bytes.len());
                bytes[place] ^= 1;
                self.push(bytes, router, now, true);
            }
            _ => {}
        }
    }

    fn body(
        &mut self,
        kind: u64,
        (routers, clients): (usize, usize),
        now: Millis,
        random: &mut Random,
    ) -> (&'static str, Vec<u8>) {
        match kind {
            0..3 => {
                let price = random.between(1, 60_000_000_000);
                let price_max = amount(if random.chance(700) { 70_000_000_000 } else { price });
                let body = encode(&Commit { hash: self.errand(now, random), price_max });
                return (Commit::NAME, body);
            }
            20..22 => {
                let place = random.place(self.names.len().max(1));
                if let Some(name) = self.names.get(place).cloned() {
                    let amount = amount(random.between(1, 150_000_000_000));
                    let price_max = Amount::from_apt(60);
                    let body = PrepayRenewal { name, years: 1, price_max, amount };
                    return (PrepayRenewal::NAME, encode(&body));
                }
            }
            22 => {
                let (zone, node) = (Zone(1 + random.below(routers as u64) as u32), routers);
                let node_key = Some(node_of(random.place(node) as u32 + 1).key());
                return (SignUp::NAME, encode(&SignUp { zone, node_key, stamp: None }));
            }
            23 if random.chance(300) => return (Leave::NAME, encode(&Leave { stamp: None })),
            _ => {}
        }
        let to = Client::person(random.place(clients)).id();
        let units = if kind == 7 { u64::MAX } else { random.between(1, 5_000_000_000) };
        (Transfer::NAME, encode(&Transfer { to, amount: amount(units), memo: None }))
    }

    /// Chooses a name, one of few, and somebody to reveal it; answers the commit.
    fn errand(&mut self, now: Millis, random: &mut Random) -> Hash {
        let text = format!("longname{}", random.below(30));
        let name = DomainName::new(&text).expect("a name");
        let (owner, salt, years) = (self.person.id(), Hash(random.bytes()), 1);
        let commit = commit_hash(&owner, &name, years, &salt);
        if !self.names.contains(&name) {
            self.names.push(name);
        }
        if self.tasks.len() < WISHES_MAX {
            let task = Task { owner, name: text, years, salt, commit, created: now };
            self.tasks.push(Errand { task, next: now });
        }
        commit
    }

    fn push(&mut self, bytes: Vec<u8>, router: Endpoint, now: Millis, is_nonsense: bool) {
        let id = Signed::decode(&bytes).map_or(Hash::ZERO, |signed| signed.id());
        self.wishes.push(Wish { id, bytes, router, next: now, is_nonsense });
    }

    /// Hears what became of an event.
    pub fn hear(&mut self, event: Hash, answer: &Answer) {
        match answer {
            Answer::Sequenced(..) => {}
            Answer::Taken => self.tasks.retain(|errand| errand.task.commit != event),
            Answer::Final { .. } => self.wishes.retain(|wish| wish.id != event),
            Answer::Refused(refusal) if event == Hash::ZERO => {
                // Garbled on the way, perhaps; what was nonsense from the start has its answer.
                let _ = refusal;
                if let Some(at) = self.wishes.iter().position(|wish| wish.is_nonsense) {
                    self.wishes.remove(at);
                }
            }
            Answer::Refused(refusal) => {
                if !PASSING.contains(&refusal.code) {
                    self.wishes.retain(|wish| wish.id != event);
                }
            }
        }
    }
}

fn amount(units: u64) -> Amount {
    Amount::from_units(u128::from(units)).expect("less than all there is")
}
