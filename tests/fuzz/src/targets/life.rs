//! Whole histories: events that the input describes, well signed, admitted, anchored, executed.
//!
//! After every anchor all that must hold is checked: money is conserved and recounted from the
//! receipts, audits are clean, the root is that of the rows, no event ended as a bug, every
//! refusal is declared, and what admission said of the first event is what became of it.

use std::collections::{BTreeMap, BTreeSet};

use ddt_contracts::REGISTRY;
use ddt_contracts::accounts::possession_digest;
use ddt_contracts::bank::lock_hash;
use ddt_contracts::domains::{DomainName, commit_hash};
use ddt_contracts::usernames::{self, claim_hash};
use ddt_ledger::accounts::Account;
use ddt_ledger::codec::encode;
use ddt_ledger::event::{BODY_BYTES_MAX, Checked, Draft, EVENT_VERSION, Role};
use ddt_ledger::params::Params;
use ddt_ledger::receipt::Outcome;
use ddt_ledger::registry::Row;
use ddt_ledger::schema::{Bytes, FieldInfo, Kind, Shape, Value};
use ddt_ledger::stamp::{Stamp, Stamps, Task};
use ddt_ledger::{AccountId, Address, Amount, Domain, Hash, Millis, PublicKey, Zone};
use ddt_tests::invariants::event_receipts;
use ddt_tests::network::{Network, START, Setup};
use ddt_tests::people::Person;

use crate::cursor::Cursor;
use crate::{End, Target, end};

pub const TARGET: Target = Target {
    name: "life",
    about: "Any events, well signed, through admit and execute: every promise after every anchor.",
    run,
    seeds,
    bytes_max: 2_048,
    tries: 300,
};

const PEOPLE: [&str; 5] = ["alice", "bob", "carol", "laptop", "one"];
const NAMES: [&str; 4] = ["letters", "ghost", "ab", "a-b"];
const WORDS: [&str; 3] = ["red", "green", "blue"];
/// Most anchors of a history.
const ANCHORS_MAX: usize = 12;
/// Most events of an anchor.
const EVENTS_MAX: usize = 4;

/// A network in which everything ends soon, and stamps are light.
fn setup() -> Setup {
    let params = Params {
        epoch_ms: Millis(30_000),
        anchor_deadlines_max: 2,
        commit_life_ms: Millis(30_000),
        domain_year_ms: Millis(15_000),
        domain_grace_ms: Millis(5_000),
        domain_premium_ms: Millis(2_000),
        domain_renewal_ms: Millis(12_000),
        username_year_ms: Millis(40_000),
        stamp_bits: 2,
        stamp_bits_heavy: 1,
        router_silent_ms: Millis(u64::MAX),
        ..Params::dev()
    };
    let rich = PEOPLE.iter().take(3).map(|name| (Person::named(name), Amount::from_apt(2_500)));
    let (accounts, node_keys) = (rich.collect(), Vec::new());
    Setup { params, pool: Amount::from_apt(9), accounts, zones: 2, node_keys }
}

fn run(bytes: &[u8]) -> End {
    end(lived(bytes).into_iter().collect::<Vec<_>>())
}

/// Lives a history; answers how events ended: which, by tag, and `done` or a refusal's code.
pub fn lived(bytes: &[u8]) -> BTreeSet<(u16, String)> {
    let mut cursor = Cursor::of(bytes);
    let mut history = History { network: Network::start(&setup()), signed: 0, sent: Vec::new() };
    let mut ends = BTreeSet::new();
    for _ in 0..ANCHORS_MAX {
        if cursor.is_empty() {
            break;
        }
        let step = Millis(u64::from(cursor.byte()) * 100);
        let mut blocks: [Vec<Checked>; 2] = Default::default();
        for _ in 0..=cursor.below(EVENTS_MAX) {
            let zone = cursor.below(2);
            if let Some(event) = history.event(&mut cursor)
                && !blocks[zone].contains(&event)
            {
                blocks[zone].push(event);
            }
        }
        let blocks: Vec<(Zone, Vec<Checked>)> =
            (1..).map(Zone).zip(blocks).filter(|(_, events)| !events.is_empty()).collect();
        let receipts = history.network.anchor(step, &blocks).unwrap_or_else(|e| panic!("{e}"));
        for (place, receipt) in event_receipts(&receipts) {
            let how = match &receipt.outcome {
                Outcome::Done => "done".to_string(),
                Outcome::Refused(code) | Outcome::Void(code) | Outcome::Bug(code) => code.clone(),
            };
            ends.insert((place.tag, how));
        }
    }
    let twice = history.network.replay().unwrap_or_else(|error| panic!("{error}"));
    assert!(twice.iter().all(|(first, again)| first == again), "two histories");
    ends
}

struct History {
    network: Network,
    signed: u64,
    sent: Vec<Checked>,
}

impl History {
    /// The next event, unless nobody would sequence it.
    fn event(&mut self, cursor: &mut Cursor) -> Option<Checked> {
        if cursor.byte() < 8 {
            let place = cursor.below(self.sent.len());
            return self.sent.get(place).cloned();
        }
        let rows: Vec<&Row> = REGISTRY.rows().collect();
        let (row, author) = (cursor.pick(&rows), person(cursor));
        self.signed += 1;
        let now = self.network.head().time;
        let (mut role, mut nonce, mut signer) =
            (Role::Owner, START.0 * 1_000 + self.signed, self.owner(&author));
        let mut valid_until = now.plus(Millis(3_600_000));
        match cursor.byte() {
            0..=7 => (role, signer) = (Role::Node, person(cursor)),
            8..=11 => (role, signer) = (Role::Router, person(cursor)),
            12..=15 => signer = person(cursor),
            16..=19 => nonce = cursor.number(),
            20..=27 => nonce = 1 + u64::from(cursor.byte() % 4),
            28..=31 => valid_until = now.plus(Millis(cursor.number() >> 20)),
            _ => {}
        }
        let mut maker = Maker { cursor, history: self, author: author.id(), signer: &signer };
        let mut values = maker.record(row.fields);
        maker.commit(row, &mut values);
        let mut draft = Draft {
            version: EVENT_VERSION,
            chain: self.network.chain(),
            author: author.id(),
            key: signer.key(),
            role,
            nonce,
            valid_until,
            tag: row.tag,
            body: Bytes::default(),
        };
        if values.contains_key("stamp") && cursor.byte() >= 16 {
            let stamp = self.stamp(&draft);
            values.insert("stamp".to_string(), Value::Group(Shape::show(&stamp)));
        }
        let body = match cursor.byte() < 4 {
            true => cursor.bytes(200),
            false => (row.build)(&values).ok()?,
        };
        draft.body = Bytes::new(body).filter(|body| body.as_slice().len() <= BODY_BYTES_MAX)?;
        let event = Checked::check(&signer.seal(draft), self.network.chain(), &REGISTRY).ok()?;
        self.sent.push(event.clone());
        Some(event)
    }

    /// Whoever holds the author's key now.
    fn owner(&self, author: &Person) -> Person {
        let account = Account::read(&self.network.snapshot(), &author.id());
        let key = account.and_then(|account| account.key).unwrap_or(author.key());
        let people = PEOPLE.iter().map(|name| Person::named(name));
        people.into_iter().find(|known| known.key() == key).unwrap_or_else(|| author.clone())
    }

    /// A stamp with its work done, as heavy as any.
    fn stamp(&self, draft: &Draft) -> Stamp {
        let stamps = Stamps::read(&self.network.snapshot()).expect("a state has stamps");
        let (period, wanted) = (&stamps.now, stamps.now.bits.heavy);
        let task =
            Task::new(draft.chain, &draft.author, &draft.key, draft.tag, draft.nonce, period);
        let nonce = (0..).find(|nonce| task.bits(*nonce) >= u32::from(wanted)).unwrap_or_default();
        Stamp { period: period.number, nonce }
    }
}

fn person(cursor: &mut Cursor) -> Person {
    Person::named(cursor.pick(&PEOPLE))
}

fn word(cursor: &mut Cursor) -> Hash {
    Domain("ddt test word").hash(&[cursor.pick(&WORDS).as_bytes()])
}

/// Makes fields out of choices.
struct Maker<'m, 'c> {
    cursor: &'m mut Cursor<'c>,
    history: &'m History,
    author: AccountId,
    signer: &'m Person,
}

impl Maker<'_, '_> {
    fn record(&mut self, fields: &'static [FieldInfo]) -> BTreeMap<String, Value> {
        fields.iter().map(|field| (field.name.to_string(), self.field(field))).collect()
    }

    fn field(&mut self, field: &FieldInfo) -> Value {
        match (field.name, field.kind) {
            ("ciphertext", _) => Value::Bytes(vec![self.cursor.byte(); CIPHERTEXT]),
            ("possession", _) => self.possession(),
            ("lock", _) if self.cursor.byte() >= 32 => self.sent_id(),
            ("row" | "salt" | "secret", Kind::Hash) => Value::Hash(word(self.cursor)),
            ("years", _) => Value::Count(u64::from(self.cursor.byte() % 4)),
            (_, kind) => self.value(kind),
        }
    }

    fn value(&mut self, kind: Kind) -> Value {
        match kind {
            Kind::Amount => Value::Amount(self.amount()),
            Kind::Account => Value::Account(person(self.cursor).id()),
            Kind::Address => Value::Address(Address([self.cursor.byte(); 20])),
            Kind::PublicKey => Value::PublicKey(self.key()),
            Kind::Hash => match self.cursor.byte() % 3 {
                0 => Value::Hash(lock_hash(&word(self.cursor))),
                1 => self.sent_id(),
                _ => Value::Hash(word(self.cursor)),
            },
            Kind::Name { .. } => Value::Text(self.cursor.pick(&NAMES).to_string()),
            Kind::Text { bytes_max } => {
                let text = self.cursor.bytes(bytes_max.min(40));
                Value::Text(String::from_utf8_lossy(&text).chars().take(12).collect())
            }
            Kind::Bytes { bytes_max } => Value::Bytes(self.cursor.bytes(bytes_max.min(64))),
            Kind::Time => {
                let ahead = u64::from(self.cursor.byte()) * 1_000;
                Value::Time(self.history.network.head().clock.plus(Millis(ahead)))
            }
            Kind::Duration => Value::Duration(Millis(u64::from(self.cursor.byte()) * 500)),
            Kind::Count { max } => match self.cursor.byte() {
                255 => Value::Count(max),
                small => Value::Count(u64::from(small % 80).min(max)),
            },
            Kind::Zone => Value::Zone(Zone(u32::from(self.cursor.byte() % 4))),
            Kind::Flag => Value::Flag(self.cursor.byte() >= 128),
            Kind::Choice(words) => Value::Text(self.cursor.pick(words).to_string()),
            Kind::List { of, length_max } => {
                let length = self.cursor.below(length_max.min(4) + 1);
                Value::List((0..length).map(|_| self.value(*of)).collect())
            }
            Kind::Optional(_) if self.cursor.byte() < 128 => Value::Nothing,
            Kind::Optional(inner) => self.value(*inner),
            Kind::Group(fields) => {
                Value::Group(fields.iter().map(|f| (f.name, self.field(f))).collect())
            }
        }
    }

    fn amount(&mut self) -> Amount {
        match self.cursor.byte() {
            0..=3 => Amount::ZERO,
            4..=7 => Amount::MAX,
            8..=63 => Amount::from_units(u128::from(self.cursor.number() >> 20)).expect("small"),
            apt => Amount::from_apt(u64::from(apt)),
        }
    }

    fn key(&mut self) -> PublicKey {
        person(self.cursor).key()
    }

    /// The id of an event that was sent, as commits and locks have.
    fn sent_id(&mut self) -> Value {
        let place = self.cursor.below(self.history.sent.len());
        Value::Hash(self.history.sent.get(place).map_or(Hash::ZERO, Checked::id))
    }

    /// A new key's signature, for an account's rotation.
    fn possession(&mut self) -> Value {
        let new = person(self.cursor);
        let digest = possession_digest(&self.author, &new.key());
        let signer = if self.cursor.byte() >= 16 { &new } else { self.signer };
        Value::Bytes(signer.sign(&digest).0.to_vec())
    }

    /// Makes fields that belong together fit, most of the time: a commit and what it hides,
    /// a new key and its signature.
    fn commit(&mut self, row: &Row, values: &mut BTreeMap<String, Value>) {
        if self.cursor.byte() < 16 {
            return;
        }
        let (name, salt) = (self.cursor.pick(&NAMES), word(self.cursor));
        match row.name {
            "domains.commit" => {
                let years = 1 + self.cursor.byte() % 2;
                let name = DomainName::new(name).expect("a name");
                let hash = commit_hash(&self.author, &name, years, &salt);
                values.insert("hash".to_string(), Value::Hash(hash));
            }
            "domains.reveal" => {
                let years = u64::from(1 + self.cursor.byte() % 2);
                values.insert("name".to_string(), Value::Text(name.to_string()));
                values.insert("salt".to_string(), Value::Hash(salt));
                values.insert("years".to_string(), Value::Count(years));
            }
            "usernames.commit" => {
                let content = Bytes::new(vec![self.cursor.byte() % 2; CIPHERTEXT]).expect("fits");
                let hash = claim_hash(&self.author, &word(self.cursor), &content, &salt);
                values.insert("hash".to_string(), Value::Hash(hash));
            }
            "usernames.claim" => {
                let content = vec![self.cursor.byte() % 2; CIPHERTEXT];
                values.insert("ciphertext".to_string(), Value::Bytes(content));
                values.insert("salt".to_string(), Value::Hash(salt));
                values.insert("row".to_string(), Value::Hash(word(self.cursor)));
            }
            "accounts.rotate_key" | "usernames.rotate" => {
                let new = person(self.cursor);
                let row = values.get("row").cloned();
                let digest = match row {
                    Some(Value::Hash(row)) => usernames::possession_digest(&row, &new.key()),
                    _ => possession_digest(&self.author, &new.key()),
                };
                let signature = new.sign(&digest).0.to_vec();
                values.insert("new_key".to_string(), Value::PublicKey(new.key()));
                values.insert("possession".to_string(), Value::Bytes(signature));
            }
            _ => {}
        }
    }
}

/// Bytes of a username's ciphertext.
const CIPHERTEXT: usize = usernames::CIPHERTEXT_BYTES;

/// Something of every event, alone and one after the other.
fn seeds() -> Vec<Vec<u8>> {
    let count = REGISTRY.rows().count() as u8;
    let event = |row: u8, salt: u8| {
        let mut bytes = vec![10, 0, 0, 200, row, salt % 3, 200];
        bytes.extend([100u8.wrapping_add(salt); 60]);
        bytes
    };
    let mut seeds: Vec<Vec<u8>> = (0..count).map(|row| event(row, row)).collect();
    seeds.push((0..count).flat_map(|row| event(row, 0)).take(2_000).collect());
    seeds.push(encode(&[[37u8; 32]; 40]));
    seeds
}
