//! Random intentions of a few people, from sensible to absurd, as signed events.

use ddt_contracts::REGISTRY;
use ddt_contracts::accounts::{
    GrantNodeKey, NodeRole, RevokeNodeKey, RotateKey, TopUpNodeKey, possession_digest,
};
use ddt_contracts::bank::Transfer;
use ddt_contracts::domains::{Commit, DomainName, Reveal, commit_hash};
use ddt_ledger::accounts::Account;
use ddt_ledger::codec::encode;
use ddt_ledger::event::{ALL as VOIDS, Checked, Draft, EVENT_VERSION, Role};
use ddt_ledger::params::Params;
use ddt_ledger::registry::Declared;
use ddt_ledger::schema::{Bytes, Text};
use ddt_ledger::{AccountId, Amount, Hash, Millis};
use ddt_tests::network::{Network, START, Setup};
use ddt_tests::people::Person;
use proptest::prelude::*;

use crate::deeds::{Deed, deeds};

/// People: three with money, one who is not there yet.
pub const PEOPLE: [&str; 4] = ["alice", "bob", "carol", "dave"];
const KEYS: [&str; 3] = ["laptop", "phone", "spare"];
/// Names at 50, 50 and 1,000 APT a year.
pub const NAMES: [&str; 3] = ["letters", "paragraph", "ab"];

/// Length of a domain's year.
pub const YEAR_MS: u64 = 15_000;

/// A network in which everything ends soon.
pub fn setup(zones: u32) -> Setup {
    let params = Params {
        epoch_ms: Millis(30_000),
        anchor_deadlines_max: 2,
        commit_life_ms: Millis(30_000),
        domain_year_ms: Millis(YEAR_MS),
        domain_grace_ms: Millis(5_000),
        domain_premium_ms: Millis(2_000),
        domain_renewal_ms: Millis(12_000),
        router_silent_ms: Millis(u64::MAX),
        ..Params::dev()
    };
    let rich = PEOPLE.iter().take(3).map(|name| (Person::named(name), Amount::from_apt(2_500)));
    let accounts = rich.collect();
    Setup { params, pool: Amount::from_apt(9), accounts, zones, ..Setup::new() }
}

/// What somebody wants. Numbers choose among people, keys and names.
#[derive(Clone, Debug)]
pub struct Wish {
    pub what: What,
    /// Who wants it.
    pub who: usize,
    /// How it is signed.
    pub hand: Hand,
    /// Where it is sent.
    pub zone: u32,
}

#[derive(Clone, Debug)]
pub enum What {
    Pay {
        to: usize,
        amount: Amount,
        has_memo: bool,
    },
    Rotate {
        key: usize,
        is_possessed: bool,
    },
    Grant {
        key: usize,
        is_router: bool,
        allowance: Amount,
    },
    TopUp {
        key: usize,
        amount: Amount,
    },
    Revoke {
        key: usize,
    },
    Commit {
        name: usize,
        years: u8,
        cap: Amount,
        salt: u8,
    },
    Reveal {
        owner: usize,
        name: usize,
        years: u8,
        salt: u8,
    },
    /// Whatever is done with names that are somebody's.
    Deed(Deed),
    /// Reveals a commit that was made, counted from the last one.
    Finish(usize),
    /// The same bytes once more, counted from the last ones.
    Again(usize),
}

/// With which key and in which role, and how carelessly.
#[derive(Clone, Copy, Debug)]
pub enum Hand {
    /// The current owner key.
    Owner,
    /// The first owner key, even if it was replaced.
    First,
    /// One of the keys, as a node or as a router.
    Key(usize, Role),
    /// A nonce from a few.
    Nonce(u64),
    /// Valid until so long after the last anchor.
    Valid(u64),
}

fn amounts() -> impl Strategy<Value = Amount> {
    let units = prop_oneof![
        8 => 1..50_000_000_000u128,
        2 => 0..3_000_000_000_000u128,
        1 => Just(0),
        1 => Just(Amount::MAX.units()),
    ];
    units.prop_map(|units| Amount::from_units(units).expect("in range"))
}

fn caps() -> impl Strategy<Value = Amount> {
    prop_oneof![6 => 50..120u64, 1 => 1_000..2_100u64, 1 => 0..50u64].prop_map(Amount::from_apt)
}

pub fn years() -> impl Strategy<Value = u8> {
    prop_oneof![8 => 1u8..=2, 1 => Just(0), 1 => any::<u8>()]
}

fn payments_and_keys() -> impl Strategy<Value = What> {
    let key = 0..KEYS.len();
    prop_oneof![
        4 => (0..PEOPLE.len(), amounts(), any::<bool>())
            .prop_map(|(to, amount, has_memo)| What::Pay { to, amount, has_memo }),
        1 => (key.clone(), any::<bool>())
            .prop_map(|(key, is_possessed)| What::Rotate { key, is_possessed }),
        2 => (key.clone(), any::<bool>(), amounts())
            .prop_map(|(key, is_router, allowance)| What::Grant { key, is_router, allowance }),
        1 => (key.clone(), amounts()).prop_map(|(key, amount)| What::TopUp { key, amount }),
        1 => key.prop_map(|key| What::Revoke { key }),
    ]
}

fn anything() -> impl Strategy<Value = What> {
    let commit = (0..NAMES.len(), years(), caps(), 0u8..3)
        .prop_map(|(name, years, cap, salt)| What::Commit { name, years, cap, salt });
    let reveal = (0..PEOPLE.len(), 0..NAMES.len(), years(), 0u8..3)
        .prop_map(|(owner, name, years, salt)| What::Reveal { owner, name, years, salt });
    prop_oneof![
        4 => payments_and_keys(),
        4 => commit,
        1 => reveal,
        6 => (0usize..4).prop_map(What::Finish),
        20 => deeds().prop_map(What::Deed),
        1 => (0usize..6).prop_map(What::Again),
    ]
}

fn hands() -> impl Strategy<Value = Hand> {
    let role = prop_oneof![Just(Role::Node), Just(Role::Router)];
    prop_oneof![
        12 => Just(Hand::Owner),
        1 => Just(Hand::First),
        3 => (0..KEYS.len(), role).prop_map(|(key, role)| Hand::Key(key, role)),
        1 => prop_oneof![1..4u64, Just(u64::MAX)].prop_map(Hand::Nonce),
        1 => prop_oneof![Just(0), 1..20_000u64, Just(u64::MAX)].prop_map(Hand::Valid),
    ]
}

/// Wishes of every kind.
pub fn wishes(zones: u32) -> impl Strategy<Value = Wish> {
    (anything(), 0..PEOPLE.len(), hands(), 1..=zones).prop_map(|(what, who, hand, zone)| Wish {
        what,
        who,
        hand,
        zone,
    })
}

/// Wishes whose end does not depend on when they are anchored, for one zone.
pub fn timeless_wishes() -> impl Strategy<Value = Wish> {
    let hand = prop_oneof![
        4 => Just(Hand::First),
        1 => (0..KEYS.len()).prop_map(|key| Hand::Key(key, Role::Owner)),
        1 => (1..4u64).prop_map(Hand::Nonce),
    ];
    (payments_and_keys(), 0..PEOPLE.len(), hand).prop_map(|(what, who, hand)| Wish {
        what,
        who,
        hand,
        zone: 1,
    })
}

/// Turns wishes into events.
#[derive(Default)]
pub struct Scribe {
    signed: u64,
    sent: Vec<Checked>,
    commits: Vec<Reveal>,
}

impl Scribe {
    /// The signed event of a wish; `None` if it is nonsense without any state.
    pub fn write(&mut self, network: &Network, wish: &Wish) -> Option<Checked> {
        let person = Person::named(PEOPLE[wish.who]);
        match &wish.what {
            What::Deed(deed) => deed.write(self, network, wish),
            What::Again(back) => {
                let place = self.sent.len().checked_sub(back + 1)?;
                self.sent.get(place).cloned()
            }
            What::Finish(back) => {
                let place = self.commits.len().checked_sub(back + 1)?;
                let reveal = self.commits.get(place)?.clone();
                self.sign(network, wish, &reveal)
            }
            What::Pay { to, amount, has_memo } => {
                let memo = has_memo.then(|| Text::new("for you").expect("short"));
                let to = Person::named(PEOPLE[*to]).id();
                self.sign(network, wish, &Transfer { to, amount: *amount, memo })
            }
            What::Rotate { key, is_possessed } => {
                let new = Person::named(KEYS[*key]);
                let signer = if *is_possessed { &new } else { &person };
                let signature = signer.sign(&possession_digest(&person.id(), &new.key()));
                let possession = Bytes::new(signature.0).expect("64 bytes");
                self.sign(network, wish, &RotateKey { new_key: new.key(), possession })
            }
            What::Grant { key, is_router, allowance } => {
                let role = if *is_router { NodeRole::Router } else { NodeRole::Node };
                let (key, allowance) = (Person::named(KEYS[*key]).key(), *allowance);
                self.sign(network, wish, &GrantNodeKey { role, key, allowance })
            }
            What::TopUp { key, amount } => {
                let (key, amount) = (Person::named(KEYS[*key]).key(), *amount);
                self.sign(network, wish, &TopUpNodeKey { key, amount })
            }
            What::Revoke { key } => {
                self.sign(network, wish, &RevokeNodeKey { key: Person::named(KEYS[*key]).key() })
            }
            What::Commit { name, years, cap, salt } => {
                let reveal = reveal_of(person.id(), *name, *years, *salt);
                let Reveal { owner, name, years, salt } = &reveal;
                let hash = commit_hash(owner, name, *years, salt);
                self.commits.push(reveal);
                self.sign(network, wish, &Commit { hash, price_max: *cap })
            }
            What::Reveal { owner, name, years, salt } => {
                let owner = Person::named(PEOPLE[*owner]).id();
                self.sign(network, wish, &reveal_of(owner, *name, *years, *salt))
            }
        }
    }

    /// The signed event, unless it is nonsense without any state.
    pub fn sign<E: Declared>(
        &mut self,
        network: &Network,
        wish: &Wish,
        event: &E,
    ) -> Option<Checked> {
        self.signed += 1;
        let row = REGISTRY.row_named(E::NAME).expect("a row");
        let author = Person::named(PEOPLE[wish.who]);
        let now = network.head().time;
        let (mut role, mut nonce) = (Role::Owner, START.0 * 1_000 + self.signed);
        let (mut signer, mut valid_until) = (author.clone(), now.plus(Millis(3_600_000)));
        match wish.hand {
            Hand::Owner => signer = owner_key(network, &author),
            Hand::First => {}
            Hand::Key(key, as_role) => (signer, role) = (Person::named(KEYS[key]), as_role),
            Hand::Nonce(number) => nonce = number,
            Hand::Valid(ahead) => valid_until = now.plus(Millis(ahead)),
        }
        let draft = Draft {
            version: EVENT_VERSION,
            chain: network.chain(),
            author: author.id(),
            key: signer.key(),
            role,
            nonce,
            valid_until,
            tag: row.tag,
            body: Bytes::new(encode(event)).expect("a short body"),
        };
        match Checked::check(&signer.seal(draft), network.chain(), &REGISTRY) {
            Ok(event) => {
                self.sent.push(event.clone());
                Some(event)
            }
            Err(refusal) => {
                let declared = row.refusals.iter().chain(VOIDS).any(|known| *known == refusal);
                assert!(declared, "{} does not declare {refusal:?}", row.name);
                None
            }
        }
    }
}

fn reveal_of(owner: AccountId, name: usize, years: u8, salt: u8) -> Reveal {
    let name = DomainName::new(NAMES[name]).expect("a good name");
    Reveal { owner, name, years, salt: Hash([salt; 32]) }
}

/// Whoever holds the current owner key of a person's account.
fn owner_key(network: &Network, person: &Person) -> Person {
    let account = Account::read(&network.snapshot(), &person.id());
    let key = account.and_then(|account| account.key).unwrap_or(person.key());
    let keys = KEYS.iter().chain(&PEOPLE).map(|name| Person::named(name));
    keys.into_iter().find(|known| known.key() == key).unwrap_or_else(|| person.clone())
}
