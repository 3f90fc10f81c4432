//! A town: people who pay each other and have usernames, and everything the ledger keeps.

use std::collections::BTreeMap;

use ddt_contracts::REGISTRY;
use ddt_contracts::bank::Transfer;
use ddt_contracts::usernames::{
    Claim, Commit, Release, Renew, Rotate, UsernameRow, claim_hash, possession_digest, username_key,
};
use ddt_ledger::accounts::Account;
use ddt_ledger::codec::{decode, encode};
use ddt_ledger::event::{Checked, Draft, EVENT_VERSION, Role};
use ddt_ledger::params::Params;
use ddt_ledger::receipt::{Outcome, Receipt, Subject};
use ddt_ledger::registry::Declared;
use ddt_ledger::schema::Bytes;
use ddt_ledger::stamp::{Stamp, Stamps};
use ddt_ledger::state::StateReader;
use ddt_ledger::{AccountId, Address, Amount, ChainId, Hash, Millis, PublicKey, Zone};
use ddt_tests::network::{Network, START, Setup};
use ddt_tests::people::Person;
use ddt_wallet::stamp::{Order, solve_on};
use ddt_wallet::username::{Handle, HashCost, NameKeys, Username, record_digest};
use ddt_wallet::{OwnerKey, Seed};

/// Names that everybody tries.
pub const WEAK_NAMES: [&str; 4] = ["margaret", "password1", "blackbird", "letmein"];
/// Names that are on no list. The last two are one account's.
pub const SECRET_NAMES: [&str; 6] =
    ["qx7vz0k3mw9r", "h4t9zzq8c1", "zp0o3m5u7v2x", "f8d2k6j4s1a9", "u3n7w5y9t1b6", "c0v8x2z4q6e1"];
const YEAR_MS: u64 = 40_000;

/// A town and all it left on the ledger.
pub struct Town {
    pub chain: ChainId,
    pub rows: BTreeMap<Vec<u8>, Vec<u8>>,
    pub events: Vec<Checked>,
    pub receipts: Vec<Receipt>,
    /// Who has which name.
    pub usernames: Vec<(&'static str, AccountId)>,
    /// Two names of one account, claimed in the same way at the same time.
    pub twins: [&'static str; 2],
    people: Vec<Somebody>,
    network: Network,
}

/// A wallet with one account.
struct Somebody {
    seed: Seed,
    owner: OwnerKey,
    address: Option<Address>,
}

impl Somebody {
    fn new(number: u8) -> Somebody {
        let seed = Seed::from_bytes(blake3::hash(&[number]).as_bytes());
        let owner = seed.owner_key(0).expect("a key");
        // Every second one has an address: no row may show that.
        let address = Hash(*blake3::hash(&[number, 1]).as_bytes());
        let address = address.0.first_chunk().map(|bytes| Address(*bytes));
        Somebody { seed, owner, address: address.filter(|_| number.is_multiple_of(2)) }
    }

    fn handle(&self, chain: ChainId, keys: &NameKeys, place: u32) -> Handle {
        let account = (self.owner.account(), &self.owner);
        self.seed.username_handle(chain, keys, account, self.address, place).expect("a handle")
    }
}

/// A username.
pub fn name(text: &str) -> Username {
    text.parse().expect("a username")
}

fn names() -> impl Iterator<Item = (usize, &'static str)> {
    // The last two are both the last one's.
    let last = WEAK_NAMES.len() + SECRET_NAMES.len() - 2;
    WEAK_NAMES.into_iter().chain(SECRET_NAMES).enumerate().map(move |(n, name)| (n.min(last), name))
}

impl Town {
    /// Lives a short while.
    pub fn build() -> Town {
        let people: Vec<Somebody> = (0..9).map(Somebody::new).collect();
        let params = Params {
            stamp_bits: 3,
            stamp_bits_heavy: 1,
            username_year_ms: Millis(YEAR_MS),
            router_silent_ms: Millis(u64::MAX),
            ..Params::dev()
        };
        let accounts = vec![(Person::named("bank"), Amount::from_apt(1_000))];
        let network = Network::start(&Setup { params, accounts, ..Setup::new() });
        let chain = network.chain();
        let twins = [SECRET_NAMES[4], SECRET_NAMES[5]];
        let usernames =
            names().map(|(person, name)| (name, people[person].owner.account())).collect();
        let (rows, events, receipts) = Default::default();
        let mut town = Town { chain, rows, events, receipts, usernames, twins, people, network };
        town.live();
        let snapshot = town.network.snapshot();
        town.rows = snapshot.after(&[], &[], 100_000).expect("rows").into_iter().collect();
        town
    }

    /// The account behind a name.
    pub fn of(&self, name: &str) -> AccountId {
        self.usernames.iter().find(|(known, _)| *known == name).expect("a name").1
    }

    /// What an account has; nothing when it has no row.
    pub fn balance(&self, account: &AccountId) -> Option<Amount> {
        Account::read(&self.network.snapshot(), account).map(|row| row.balance)
    }

    fn live(&mut self) {
        self.pay_everybody();
        let handles = self.handles(0);
        let commits = handles.iter().map(|(keys, handle)| {
            let ciphertext = Bytes::new(handle.ciphertext).expect("in range");
            claim_hash(&handle.key.account(), &keys.row, &ciphertext, &handle.salt)
        });
        let commits: Vec<Hash> = commits.collect();
        self.pay_around();
        let batch = handles
            .iter()
            .zip(commits)
            .map(|((_, handle), hash)| self.sign(&handle.key, |stamp| Commit { hash, stamp }, 4));
        let batch = batch.collect();
        self.anchor(2_000, batch);
        self.anchor(1_000, Vec::new());
        let batch = handles.iter().map(|(keys, handle)| {
            let ciphertext = Bytes::new(handle.ciphertext).expect("in range");
            let (row, salt) = (keys.row, handle.salt);
            let claim = |stamp| Claim { row, ciphertext: ciphertext.clone(), salt, stamp };
            self.sign(&handle.key, claim, 3)
        });
        let batch = batch.collect();
        self.anchor(1_000, batch);
        self.pay_around();
        self.hand_on(&handles);
        self.release_one();
    }

    /// Everybody hands every row on to the next one-time key, and renews it.
    fn hand_on(&mut self, handles: &[(NameKeys, Handle)]) {
        let next = self.handles(1);
        let batch = handles.iter().zip(&next).map(|((keys, old), (_, new))| {
            let (row, new_key) = (keys.row, new.key.public());
            let possession = new.key.sign(&possession_digest(&row, &new_key));
            let possession = Bytes::new(possession.0).expect("64 bytes");
            let ciphertext = Bytes::new(new.ciphertext).expect("in range");
            let rotate = |stamp| Rotate {
                row,
                new_key,
                possession: possession.clone(),
                ciphertext: ciphertext.clone(),
                stamp,
            };
            self.sign(&old.key, rotate, 3)
        });
        let batch = batch.collect();
        self.anchor(1_000, batch);
        self.anchor(20_000, Vec::new());
        self.anchor(10_000, Vec::new());
        let renew = |(keys, handle): &(NameKeys, Handle)| {
            let row = keys.row;
            self.sign(&handle.key, |stamp| Renew { row, stamp }, 4)
        };
        let batch = next.iter().map(renew).collect();
        self.anchor(1_000, batch);
        self.pay_around();
    }

    /// Somebody takes another name and gives it up again.
    fn release_one(&mut self) {
        let keys = NameKeys::of(&name("given0up"), self.chain, HashCost::UNSAFE_TEST);
        let keys = keys.expect("memory");
        let handle = self.people[3].handle(self.chain, &keys, 0);
        let ciphertext = Bytes::new(handle.ciphertext).expect("in range");
        let (row, salt) = (keys.row, handle.salt);
        let hash = claim_hash(&handle.key.account(), &row, &ciphertext, &salt);
        let commit = self.sign(&handle.key, |stamp| Commit { hash, stamp }, 4);
        self.anchor(2_000, vec![commit]);
        self.anchor(1_000, Vec::new());
        let claim = |stamp| Claim { row, ciphertext: ciphertext.clone(), salt, stamp };
        let claim = self.sign(&handle.key, claim, 3);
        self.anchor(1_000, vec![claim]);
        let release = self.sign(&handle.key, |stamp| Release { row, stamp }, 3);
        self.anchor(1_000, vec![release]);
    }

    /// Every name's keys and handle with its one-time key at `place`.
    fn handles(&self, place: u32) -> Vec<(NameKeys, Handle)> {
        let handle = |(person, text): (usize, &str)| {
            let keys = NameKeys::of(&name(text), self.chain, HashCost::UNSAFE_TEST);
            let keys = keys.expect("memory");
            let handle = self.people[person].handle(self.chain, &keys, place);
            (keys, handle)
        };
        names().map(handle).collect()
    }

    /// Somebody with coins gives everybody some.
    fn pay_everybody(&mut self) {
        let bank = Person::named("bank");
        let pay = |(number, person): (usize, &Somebody)| {
            let (to, amount) = (person.owner.account(), Amount::from_apt(20));
            let pay = Transfer { to, amount, memo: None };
            let draft = self.draft(bank.key(), &pay, number as u64);
            Checked::check(&bank.seal(draft), self.chain, &REGISTRY).expect("a good event")
        };
        let batch = self.people.iter().enumerate().map(pay).collect();
        self.anchor(1_000, batch);
    }

    /// Everybody pays the next one.
    fn pay_around(&mut self) {
        let (mut batch, count) = (Vec::new(), self.people.len());
        for (place, person) in self.people.iter().enumerate() {
            let to = self.people[(place + 1) % count].owner.account();
            let pay = Transfer { to, amount: Amount::from_apt(1), memo: None };
            batch.push(self.seal(&person.owner, &pay, batch.len()));
        }
        self.anchor(1_000, batch);
    }

    fn draft<E: Declared>(&self, key: PublicKey, event: &E, number: u64) -> Draft {
        Draft {
            version: EVENT_VERSION,
            chain: self.chain,
            author: AccountId::of(&key),
            key,
            role: Role::Owner,
            nonce: START.0 * 1_000 + number,
            valid_until: self.network.head().time.plus(Millis(3_600_000)),
            tag: REGISTRY.row_named(E::NAME).expect("a row").tag,
            body: Bytes::new(encode(event)).expect("a short body"),
        }
    }

    fn seal<E: Declared>(&self, key: &OwnerKey, event: &E, place: usize) -> Checked {
        let number = (self.events.len() + place) as u64;
        let signed = ddt_wallet::sign::sign(self.draft(key.public(), event, number), key);
        Checked::check(&encode(&signed), self.chain, &REGISTRY).expect("a good event")
    }

    /// An event with a stamp of so many bits.
    fn sign<E: Declared>(
        &self,
        key: &OwnerKey,
        event: impl Fn(Option<Stamp>) -> E,
        bits: u8,
    ) -> Checked {
        let now = Stamps::read(&self.network.snapshot()).expect("stamps").now;
        // Each key signs one event an anchor, so its nonce need not differ from others'.
        let draft = self.draft(key.public(), &event(None), self.events.len() as u64);
        let order = Order {
            chain: self.chain,
            author: draft.author,
            key: draft.key,
            tag: draft.tag,
            event_nonce: draft.nonce,
            period: now.number,
            beacon: now.beacon,
            bits,
        };
        let stamp = solve_on(&order, 1, |_| std::ops::ControlFlow::Continue(()));
        self.seal(key, &event(Some(stamp.expect("a stamp"))), 0)
    }

    fn anchor(&mut self, step_ms: u64, batch: Vec<Checked>) {
        let blocks = [(Zone(1), batch.clone())];
        let blocks = if batch.is_empty() { &blocks[..0] } else { &blocks[..] };
        let receipts = self.network.anchor(Millis(step_ms), blocks).expect("an anchor");
        for receipt in &receipts {
            assert_eq!(receipt.outcome, Outcome::Done, "{:?}", receipt.subject);
        }
        self.events.extend(batch);
        self.receipts.extend(receipts);
    }
}

// What an attacker picks out of it.

impl Town {
    /// Events of usernames.
    pub fn username_events(&self) -> impl Iterator<Item = &Checked> {
        self.events.iter().filter(|event| (501..=505).contains(&event.draft().tag))
    }

    /// Rows of usernames, by key.
    pub fn username_rows(&self) -> Vec<(Vec<u8>, UsernameRow)> {
        let prefix = &username_key(&Hash::ZERO)[..2];
        let rows = self.rows.iter().filter(|(key, _)| key.starts_with(prefix));
        rows.map(|(key, row)| (key.clone(), decode(row, 1 << 16).expect("a row"))).collect()
    }

    /// Everything of usernames: events, receipts, rows of all their tables, one-time accounts.
    pub fn of_usernames(&self) -> Vec<Vec<u8>> {
        let mut all: Vec<Vec<u8>> =
            self.username_events().map(|event| event.bytes().to_vec()).collect();
        let is_ours = |receipt: &&Receipt| match &receipt.subject {
            Subject::Event(place) => (501..=505).contains(&place.tag),
            _ => false,
        };
        all.extend(self.receipts.iter().filter(is_ours).map(encode));
        let authors: Vec<AccountId> =
            self.username_events().map(|event| event.draft().author).collect();
        for (key, row) in &self.rows {
            let table = u16::from_be_bytes([key[0], key[1]]);
            let is_author = authors.iter().any(|author| key.ends_with(&author.0));
            if (501..=503).contains(&table) || is_author {
                all.push([key.as_slice(), row].concat());
            }
        }
        all
    }

    /// Events, receipts and row of one name, and its one-time accounts' rows.
    pub fn bytes_of(&self, text: &str) -> Vec<Vec<u8>> {
        let keys = NameKeys::of(&name(text), self.chain, HashCost::UNSAFE_TEST).expect("memory");
        let (person, _) = names().find(|(_, known)| *known == text).expect("a name");
        let authors =
            [0, 1].map(|place| self.people[person].seed.username_key(&keys.row, place).account());
        let mut all = Vec::new();
        for event in self.username_events().filter(|e| authors.contains(&e.draft().author)) {
            all.push(event.bytes().to_vec());
            let of = |r: &&Receipt| matches!(&r.subject, Subject::Event(p) if p.id == event.id());
            all.extend(self.receipts.iter().find(of).map(encode));
        }
        let full = username_key(&keys.row);
        all.push([full.as_slice(), &self.rows[&full]].concat());
        let of_author =
            |(key, _): &(&Vec<u8>, &Vec<u8>)| authors.iter().any(|author| key.ends_with(&author.0));
        all.extend(self.rows.iter().filter(of_author).map(|(key, row)| [&key[..], row].concat()));
        all
    }

    /// All that the ledger, or a friend, knows of accounts: ids, keys, addresses, signatures.
    pub fn known_of_accounts(&self) -> Vec<Vec<u8>> {
        let mut known = Vec::new();
        for person in &self.people {
            known.push(person.owner.account().0.to_vec());
            known.push(person.owner.public().0.to_vec());
            known.extend(person.address.map(|address| address.0.to_vec()));
        }
        for event in self.events.iter().filter(|event| event.draft().tag == 201) {
            let bytes = event.bytes();
            known.push(bytes[bytes.len() - 64..].to_vec());
            known.push(event.id().0.to_vec());
        }
        // The signatures inside the sealed records.
        for (person, text) in names() {
            let person = &self.people[person];
            let keys = NameKeys::of(&name(text), self.chain, HashCost::UNSAFE_TEST);
            let keys = keys.expect("memory");
            for place in [0, 1] {
                let holder = person.seed.username_key(&keys.row, place).public();
                let (account, address) = (person.owner.account(), person.address.as_ref());
                let digest = record_digest(self.chain, &keys.row, &holder, &account, address);
                known.push(digest.0.to_vec());
                known.push(person.owner.sign(&digest).0.to_vec());
            }
        }
        known
    }
}
