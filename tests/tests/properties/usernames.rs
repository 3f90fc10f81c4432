//! Random intentions about three usernames, compared with a model of their rules.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use ddt_contracts::REGISTRY;
use ddt_contracts::usernames::{
    CIPHERTEXT_BYTES, Claim, Commit, Release, Renew, Rotate, claim_hash, possession_digest,
};
use ddt_ledger::codec::encode;
use ddt_ledger::event::{Checked, Draft, EVENT_VERSION, Role};
use ddt_ledger::params::Params;
use ddt_ledger::receipt::Outcome;
use ddt_ledger::registry::{Declared, Event};
use ddt_ledger::schema::{Bytes, Field, Value};
use ddt_ledger::stamp::{Stamp, StampWeight, Stamps};
use ddt_ledger::view::Page;
use ddt_ledger::{Hash, Millis, Zone};
use ddt_tests::invariants::event_receipts;
use ddt_tests::network::{Network, START, Setup};
use ddt_tests::people::Person;
use ddt_wallet::stamp::{Order, solve_on};
use proptest::prelude::*;

const KEYS: [&str; 3] = ["one", "two", "three"];
const ROWS: u8 = 3;
const CONTENTS: u8 = 2;
const YEAR_MS: u64 = 12_000;
const GRACE_MS: u64 = 4_000;
const COMMIT_LIFE_MS: u64 = 9_000;
const COMMIT_AGE_MS: u64 = 1_000;

/// What a one-time key wants with a row.
#[derive(Clone, Copy, Debug)]
enum Wish {
    Commit { row: u8, content: u8 },
    Claim { row: u8, content: u8 },
    Rotate { row: u8, to: usize, content: u8 },
    Renew { row: u8 },
    Release { row: u8 },
}

/// What each key wants at an anchor, and how long after the last one it comes.
type Batch = (u64, Vec<(usize, Wish)>);

fn wishes() -> impl Strategy<Value = Wish> {
    let (row, content) = (0..ROWS, 0..CONTENTS);
    let both = (row.clone(), content.clone());
    prop_oneof![
        4 => both.clone().prop_map(|(row, content)| Wish::Commit { row, content }),
        6 => both.prop_map(|(row, content)| Wish::Claim { row, content }),
        3 => (row.clone(), 0..KEYS.len(), content)
            .prop_map(|(row, to, content)| Wish::Rotate { row, to, content }),
        5 => row.clone().prop_map(|row| Wish::Renew { row }),
        1 => row.prop_map(|row| Wish::Release { row }),
    ]
}

fn histories() -> impl Strategy<Value = Vec<Batch>> {
    let step = prop_oneof![4 => 300..1_500u64, 1 => 2_000..9_000u64];
    let batch = proptest::collection::vec((0..KEYS.len(), wishes()), 0..6);
    proptest::collection::vec((step, batch), 1..40)
}

/// A row as the model knows it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Held {
    by: usize,
    until: u64,
    content: u8,
}

/// The rules once more, in the plainest words.
#[derive(Default)]
struct Model {
    clock: u64,
    height: u64,
    rows: BTreeMap<u8, Held>,
    /// (key, row, content) → (height, clock).
    commits: BTreeMap<(usize, u8, u8), (u64, u64)>,
    claimed: usize,
    rotated: usize,
    renewed: usize,
    expired: usize,
}

impl Model {
    /// A new anchor: what is over by then is nobody's.
    fn anchor(&mut self, clock: u64) {
        (self.clock, self.height) = (clock, self.height + 1);
        let before = self.rows.len();
        self.rows.retain(|_, held| clock < held.until + GRACE_MS);
        self.expired += before - self.rows.len();
    }

    fn holds(&self, key: usize) -> bool {
        self.rows.values().any(|held| held.by == key)
    }

    fn own(&mut self, key: usize, row: u8) -> Result<&mut Held, &'static str> {
        let held = self.rows.get_mut(&row).ok_or("usernames.unknown")?;
        if held.by == key { Ok(held) } else { Err("usernames.not_holder") }
    }

    /// What the ledger must say to it.
    fn apply(&mut self, key: usize, wish: Wish) -> Result<(), &'static str> {
        let (clock, height) = (self.clock, self.height);
        match wish {
            Wish::Commit { row, content } => {
                let made = self.commits.get(&(key, row, content));
                if made.is_some_and(|(_, at)| clock < at + COMMIT_LIFE_MS) {
                    return Err("usernames.commit_exists");
                }
                self.commits.insert((key, row, content), (height, clock));
            }
            Wish::Claim { row, content } => {
                let commit = (key, row, content);
                let (at, since) = *self.commits.get(&commit).ok_or("usernames.no_commit")?;
                if clock < since + COMMIT_AGE_MS || height < at + 1 {
                    return Err("usernames.too_early");
                }
                if clock >= since + COMMIT_LIFE_MS {
                    return Err("usernames.too_late");
                }
                if self.rows.contains_key(&row) {
                    return Err("usernames.taken");
                }
                if self.holds(key) {
                    return Err("usernames.key_used");
                }
                self.commits.remove(&commit);
                self.rows.insert(row, Held { by: key, until: clock + YEAR_MS, content });
                self.claimed += 1;
            }
            Wish::Rotate { row, to, content } => {
                self.own(key, row)?;
                if self.holds(to) {
                    return Err("usernames.key_used");
                }
                let held = self.own(key, row)?;
                (held.by, held.content) = (to, content);
                self.rotated += 1;
            }
            Wish::Renew { row } => {
                let held = self.own(key, row)?;
                if clock < held.until - YEAR_MS / 2 {
                    return Err("usernames.renew_early");
                }
                held.until += YEAR_MS;
                self.renewed += 1;
            }
            Wish::Release { row } => {
                self.own(key, row)?;
                self.rows.remove(&row);
            }
        }
        Ok(())
    }
}

fn row_key(row: u8) -> Hash {
    Hash([row + 1; 32])
}

fn sealed(content: u8) -> Bytes<CIPHERTEXT_BYTES> {
    Bytes::new([content; CIPHERTEXT_BYTES]).expect("in range")
}

/// A network, and how many events were signed.
struct Scene {
    network: Network,
    signed: u64,
}

impl Scene {
    fn start() -> Scene {
        let params = Params {
            username_year_ms: Millis(YEAR_MS),
            domain_grace_ms: Millis(GRACE_MS),
            commit_life_ms: Millis(COMMIT_LIFE_MS),
            commit_age_ms: Millis(COMMIT_AGE_MS),
            commit_age_anchors: 1,
            stamp_bits: 1,
            stamp_bits_heavy: 1,
            stamp_period_ms: Millis(600_000),
            // Less work than there is: what is over may wait for its removal.
            anchor_deadlines_max: 1,
            router_silent_ms: Millis(u64::MAX),
            ..Params::dev()
        };
        Scene { network: Network::start(&Setup { params, ..Setup::new() }), signed: 0 }
    }

    fn event(&mut self, key: usize, wish: Wish) -> Checked {
        let person = Person::named(KEYS[key]);
        match wish {
            Wish::Commit { row, content } => {
                let salt = Hash::ZERO;
                let hash = claim_hash(&person.id(), &row_key(row), &sealed(content), &salt);
                self.sign(&person, |stamp| Commit { hash, stamp })
            }
            Wish::Claim { row, content } => self.sign(&person, |stamp| {
                let (row, ciphertext) = (row_key(row), sealed(content));
                Claim { row, ciphertext, salt: Hash::ZERO, stamp }
            }),
            Wish::Rotate { row, to, content } => {
                let (row, new) = (row_key(row), Person::named(KEYS[to]));
                let signature = new.sign(&possession_digest(&row, &new.key()));
                let possession = Bytes::new(signature.0).expect("64 bytes");
                self.sign(&person, |stamp| Rotate {
                    row,
                    new_key: new.key(),
                    possession: possession.clone(),
                    ciphertext: sealed(content),
                    stamp,
                })
            }
            Wish::Renew { row } => self.sign(&person, |stamp| Renew { row: row_key(row), stamp }),
            Wish::Release { row } => {
                self.sign(&person, |stamp| Release { row: row_key(row), stamp })
            }
        }
    }

    fn sign<E: Event + Declared>(
        &mut self,
        person: &Person,
        event: impl Fn(Option<Stamp>) -> E,
    ) -> Checked {
        self.signed += 1;
        let now = Stamps::read(&self.network.snapshot()).expect("stamps").now;
        let weight = E::STAMP.unwrap_or(StampWeight::Light);
        let mut draft = Draft {
            version: EVENT_VERSION,
            chain: self.network.chain(),
            author: person.id(),
            key: person.key(),
            role: Role::Owner,
            nonce: START.0 * 1_000 + self.signed,
            valid_until: self.network.head().time.plus(Millis(3_600_000)),
            tag: REGISTRY.row_named(E::NAME).expect("a row").tag,
            body: Bytes::default(),
        };
        let order = Order {
            chain: draft.chain,
            author: draft.author,
            key: draft.key,
            tag: draft.tag,
            event_nonce: draft.nonce,
            period: now.number,
            beacon: now.beacon,
            bits: *now.bits.of(weight),
        };
        let stamp = solve_on(&order, 1, |_| ControlFlow::Continue(())).expect("a stamp");
        draft.body = Bytes::new(encode(&event(Some(stamp)))).expect("a short body");
        let bytes = person.seal(draft);
        Checked::check(&bytes, self.network.chain(), &REGISTRY).expect("a good event")
    }

    /// The rows that somebody holds, as the ledger answers.
    fn rows(&self) -> BTreeMap<u8, (String, u64, Value)> {
        let row = |row: u8| {
            let query = [("row".to_string(), row_key(row).show())].into();
            let found = self.network.view("usernames.row", &query, &Page::first(1)).ok()?;
            let fields: BTreeMap<_, _> = found.rows.into_iter().next()?.into_iter().collect();
            let is_held = fields["status"].to_string() != "expired";
            let until = fields["until"].to_string().parse().ok()?;
            let said = (fields["holder"].to_string(), until, fields["ciphertext"].clone());
            is_held.then_some((row, said))
        };
        (0..ROWS).filter_map(row).collect()
    }
}

fn live(history: &[Batch]) -> Result<Model, TestCaseError> {
    let (mut scene, mut model) = (Scene::start(), Model::default());
    for (step, batch) in history {
        let events: Vec<Checked> =
            batch.iter().map(|(key, wish)| scene.event(*key, *wish)).collect();
        let blocks = [(Zone(1), events)];
        let blocks = if batch.is_empty() { &blocks[..0] } else { &blocks[..] };
        let receipts = scene.network.anchor(Millis(*step), blocks).map_err(TestCaseError::fail)?;
        model.anchor(scene.network.head().clock.0);
        for ((key, wish), (_, receipt)) in batch.iter().zip(event_receipts(&receipts)) {
            let expected = match model.apply(*key, *wish) {
                Ok(()) => Outcome::Done,
                // Whether a commit that is over was removed yet depends on the work there is.
                Err("usernames.too_late") if receipt.outcome == no_commit() => no_commit(),
                Err(code) => Outcome::Refused(code.to_string()),
            };
            prop_assert_eq!(&receipt.outcome, &expected, "{:?} by {}", wish, KEYS[*key]);
        }
        let held = model.rows.iter().map(|(row, held)| {
            let holder = Person::named(KEYS[held.by]).key().to_string();
            (*row, (holder, held.until, sealed(held.content).show()))
        });
        prop_assert_eq!(scene.rows(), held.collect::<BTreeMap<_, _>>());
    }
    Ok(model)
}

fn no_commit() -> Outcome {
    Outcome::Refused("usernames.no_commit".to_string())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64, max_shrink_iters: 300, failure_persistence: None, ..Default::default()
    })]

    /// Broken by: a row that another key changes, an expired row that stays somebody's, a
    /// deadline that removes a row which was renewed or claimed anew, a key with two rows.
    #[test]
    fn usernames_keep_to_their_rules(history in histories()) {
        live(&history)?;
    }
}

/// The histories above are no empty talk.
/// Broken by: a generator whose commits are never ripe when they are claimed.
#[test]
fn usernames_come_and_go_in_histories() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut claimed, mut rotated, mut renewed, mut expired) = (0, 0, 0, 0);
    for _ in 0..24 {
        let tree = histories().new_tree(&mut runner).expect("a history");
        let model = live(&proptest::strategy::ValueTree::current(&tree)).expect("it holds");
        claimed += model.claimed;
        rotated += model.rotated;
        renewed += model.renewed;
        expired += model.expired;
    }
    let counts = [claimed, rotated, renewed, expired];
    assert!(counts.into_iter().all(|count| count > 2), "{counts:?}");
}
