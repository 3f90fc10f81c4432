//! Names: bought, renewed, given, sold, and what they lead to.

use ddt_model::{Deed, Domains, Id, Money, Offer, Record, State, commit_hash};
use ddt_tests::random::Random;

use super::{Wishes, somebody};

/// At 50, 50, 100, 250 and 1,000 APT a year.
const NAMES: [&str; 5] = ["letters", "paragraph", "fives", "four", "ab"];
const BAD_NAMES: [&str; 6] = ["", "-a", "a-", "ab--c", "Upper", "a.b"];

fn name(random: &mut Random) -> String {
    match random.below(40) {
        0 => random.one(BAD_NAMES).to_string(),
        1 => "x".repeat(63 + random.below(2)),
        // Most want the same ones.
        2..24 => random.one(["letters", "fives"]).to_string(),
        _ => random.one(NAMES).to_string(),
    }
}

fn years(random: &mut Random) -> u8 {
    if random.percent(95) { 1 + random.below(2) as u8 } else { random.one([0, 9, 10, 11]) }
}

fn apt(random: &mut Random, from: u64, to: u64) -> Money {
    Money::from(from + random.number() % (to - from)) * 1_000_000_000
}

/// A highest price: enough for most, or for the premium too.
fn cap(random: &mut Random) -> Money {
    match random.below(20) {
        0 => Money::from(10u8).pow(27),
        1 => apt(random, 0, 60),
        2..8 => apt(random, 1_000, 30_000),
        _ => apt(random, 50, 600),
    }
}

impl Wishes {
    /// What somebody wants of a name.
    pub fn domain(&mut self, state: &State, random: &mut Random) -> (Id, Deed) {
        let (author, deed) = match random.below(30) {
            0..5 => self.commit(random),
            5..12 => self.reveal(state, random),
            _ => of_owned(state, random),
        };
        (author, Deed::Domains(deed))
    }

    fn commit(&mut self, random: &mut Random) -> (Id, Domains) {
        let (owner, salt) = (somebody(random), [random.below(3) as u8; 32]);
        let (name, years) = (name(random), years(random));
        let hash = commit_hash(&owner, &name, years, &salt);
        self.preimages.push((owner, name, years, salt));
        (owner, Domains::Commit { hash, price_max: cap(random) })
    }

    /// Mostly of a commit that waits, by anybody.
    fn reveal(&mut self, state: &State, random: &mut Random) -> (Id, Domains) {
        let waits = |(owner, name, years, salt): &&(Id, String, u8, Id)| {
            state.has_commit(owner, &commit_hash(owner, name, *years, salt))
        };
        let waiting: Vec<_> = self.preimages.iter().filter(waits).cloned().collect();
        let old = random.pick(&self.preimages);
        let chosen = random.pick(&waiting).or(old).filter(|_| random.percent(90));
        let (owner, name, years, salt) =
            chosen.unwrap_or_else(|| (somebody(random), name(random), years(random), [7; 32]));
        (somebody(random), Domains::Reveal { owner, name, years, salt })
    }
}

/// What is done with names that are somebody's, mostly by whom it may be.
fn of_owned(state: &State, random: &mut Random) -> (Id, Domains) {
    let known = random.pick(&state.names_owned()).filter(|_| random.percent(95));
    let (name, owner, offer) = known.unwrap_or_else(|| (name(random), somebody(random), None));
    let owner = if random.percent(90) { owner } else { somebody(random) };
    let (to, years, other) = (somebody(random), years(random), somebody(random));
    if let Some(offer) = offer.as_ref().filter(|_| random.percent(50)) {
        return of_offered(name, owner, offer, random);
    }
    let alone = Some(other).filter(|_| random.percent(50));
    let price = apt(random, 0, 9);
    match random.below(18) {
        0..2 => (to, Domains::Renew { name, years, price_max: cap(random) }),
        2..5 => {
            let years = if random.percent(20) { 10 } else { years };
            let (price_max, amount) = match random.percent(70) {
                true => (apt(random, 1_000, 3_000), apt(random, 1_000, 3_000)),
                false => (cap(random), random.one([Money::ZERO, Money::from(50_000_000_000u64)])),
            };
            (owner, Domains::PrepayRenewal { name, years, price_max, amount })
        }
        5..8 => {
            let prepaid = random.pick(&state.names_prepaid());
            (other, Domains::RenewPrepaid { name: prepaid.unwrap_or(name) })
        }
        8 => (owner, Domains::StopRenewal { name }),
        9..11 => (owner, Domains::Transfer { name, to }),
        11 => (to, Domains::Accept { name }),
        12..14 => (owner, Domains::Sell { name, price, to: alone }),
        14 => (to, Domains::Purchase { name, price }),
        15..17 => (owner, Domains::SetRecords { name, records: records(random) }),
        _ => {
            let manifest = Some([9; 32]).filter(|_| random.percent(70));
            let version = random.one([0, 1, 2, 3, 4, 5, u64::MAX]);
            (owner, Domains::SetSite { name, manifest, version })
        }
    }
}

/// A name on offer is taken, mostly by whom it is for and at the price it has, or taken back.
fn of_offered(name: String, owner: Id, offer: &Offer, random: &mut Random) -> (Id, Domains) {
    let taker = offer.to.filter(|_| random.percent(80)).unwrap_or_else(|| somebody(random));
    let is_gift = offer.price == Money::ZERO;
    match random.below(10) {
        0 => (owner, Domains::Cancel { name }),
        1..9 if is_gift => (taker, Domains::Accept { name }),
        1 => (taker, Domains::Accept { name }),
        2 => (taker, Domains::Purchase { name, price: apt(random, 0, 9) }),
        _ => (taker, Domains::Purchase { name, price: offer.price.clone() }),
    }
}

const LABELS: [&str; 8] = ["@", "www", "_443._tcp", "a.b", "*", "-a", "", "_"];
/// Values by kind: a good one, another, and bad ones.
const VALUES: [[&str; 5]; 7] = [
    ["192.0.2.1", "0.0.0.0", "1.2.3", "01.2.3.4", "256.1.1.1"],
    ["2001:db8::1", "::", "2001:DB8::1", "2001:0db8::1", "::ffff:1.2.3.4"],
    ["www.example.org", "_a.b", "example", "example.org.", "a.7"],
    ["text", "é", "", "a\u{7}", " "],
    ["10 5 5060 sip.example.org", "0 0 0 .", "10 5 65536 a.b", "1 2 a.b", "1 2 3 _a.b"],
    [
        "3 1 0 00ff",
        "3 1 1 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        "4 1 0 00",
        "3 1 1 00",
        "3 1 0 0F",
    ],
    [
        "ssh 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        "-x- 00112233445566778899aabbccddeeff00112233445566778899aabbccddee00",
        "ssh 00",
        "SSH 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
    ],
];

fn records(random: &mut Random) -> Vec<Record> {
    let is_careful = random.percent(55);
    let count = random.one([0, 1, 2, 3, 4, 20]);
    let record = |random: &mut Random| {
        // The last kind goes when the name goes.
        let kind = random.below(VALUES.len() + 3).min(VALUES.len() - 1);
        let good = if is_careful { 2 } else { 5 };
        let label = if is_careful { random.below(4) } else { random.below(LABELS.len()) };
        Record {
            label: LABELS[label].to_string(),
            kind: kind as u8,
            ttl: if is_careful { 60 } else { random.one([59, 60, 604_800, 604_801]) },
            value: VALUES[kind][random.below(good)].to_string(),
        }
    };
    let long = |random: &mut Random| {
        let label = format!("t{}", random.below(1_000));
        Record { label, kind: 3, ttl: 60, value: "x".repeat(200) }
    };
    match random.percent(10) {
        true => (0..random.one([9, 10, 11])).map(|_| long(random)).collect(),
        false => (0..count).map(|_| record(random)).collect(),
    }
}
