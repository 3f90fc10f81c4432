//! What people do with names that somebody has, from apt to absurd.

use std::collections::BTreeMap;

use ddt_contracts::domains::{
    Accept, Cancel, DomainName, PrepayRenewal, Purchase, Record, RecordKind, Renew, RenewPrepaid,
    Sell, SetRecords, SetSite, StopRenewal, Transfer,
};
use ddt_ledger::event::Checked;
use ddt_ledger::schema::{Field, List, Text, Value};
use ddt_ledger::view::Page;
use ddt_ledger::{AccountId, Amount, Hash};
use ddt_tests::network::Network;
use ddt_tests::people::Person;
use proptest::prelude::*;

use crate::generate::{NAMES, PEOPLE, Scribe, Wish, years};

/// What somebody does with one of the names.
#[derive(Clone, Debug)]
pub struct Deed {
    /// Which name.
    pub name: usize,
    /// Whether it is done by whom it is for, and with what the name's rows say.
    pub is_apt: bool,
    pub kind: DeedKind,
}

#[derive(Clone, Debug)]
pub enum DeedKind {
    Renew { years: u8, cap: Amount },
    Prepay { years: u8, cap: Amount, amount: Amount },
    RenewPrepaid,
    StopRenewal,
    Transfer { to: usize },
    Accept,
    Cancel,
    Sell { price: Amount, to: Option<usize> },
    Purchase { price: Amount },
    SetRecords { keys: usize, texts: usize },
    SetSite { has_site: bool, version: u64 },
}

fn prices() -> impl Strategy<Value = Amount> {
    prop_oneof![8 => 1..4u64, 1 => 3_000..9_000u64, 1 => Just(0)].prop_map(Amount::from_apt)
}

fn caps() -> impl Strategy<Value = Amount> {
    prop_oneof![6 => 50..300u64, 1 => 1_000..2_100u64, 1 => 0..50u64].prop_map(Amount::from_apt)
}

fn people() -> std::ops::Range<usize> {
    0..PEOPLE.len()
}

/// Deeds of every kind.
pub fn deeds() -> impl Strategy<Value = Deed> {
    let kind = prop_oneof![
        3 => (years(), caps()).prop_map(|(years, cap)| DeedKind::Renew { years, cap }),
        4 => (years(), caps(), caps())
            .prop_map(|(years, cap, amount)| DeedKind::Prepay { years, cap, amount }),
        5 => Just(DeedKind::RenewPrepaid),
        1 => Just(DeedKind::StopRenewal),
        3 => people().prop_map(|to| DeedKind::Transfer { to }),
        5 => Just(DeedKind::Accept),
        1 => Just(DeedKind::Cancel),
        3 => (prices(), proptest::option::of(people()))
            .prop_map(|(price, to)| DeedKind::Sell { price, to }),
        4 => prices().prop_map(|price| DeedKind::Purchase { price }),
        2 => (0usize..3, prop_oneof![4 => 0usize..30, 1 => 30usize..66])
            .prop_map(|(keys, texts)| DeedKind::SetRecords { keys, texts }),
        2 => (any::<bool>(), prop_oneof![0..5u64, Just(u64::MAX)])
            .prop_map(|(has_site, version)| DeedKind::SetSite { has_site, version }),
    ];
    (0..NAMES.len(), prop_oneof![4 => Just(true), 1 => Just(false)], kind)
        .prop_map(|(name, is_apt, kind)| Deed { name, is_apt, kind })
}

/// What a view says of a name.
fn row(network: &Network, view: &str, name: &DomainName) -> BTreeMap<&'static str, Value> {
    let query = [("name".to_string(), name.show())].into();
    let found = network.view(view, &query, &Page::first(1));
    found
        .ok()
        .and_then(|found| found.rows.into_iter().next())
        .unwrap_or_default()
        .into_iter()
        .collect()
}

/// Which of the people has this account.
fn place(account: Option<&Value>) -> Option<usize> {
    let Some(Value::Account(account)) = account else { return None };
    PEOPLE.iter().position(|name| Person::named(name).id() == *account)
}

fn account(person: usize) -> AccountId {
    Person::named(PEOPLE[person]).id()
}

fn records(keys: usize, texts: usize) -> Option<List<Record, 64>> {
    let record = |kind, label: String, value: String| Record {
        label: Text::new(label).expect("short"),
        kind,
        ttl: 300,
        value: Text::new(value).expect("short"),
    };
    let key = |place: usize| {
        record(RecordKind::Key, "@".to_string(), format!("s{place} {}", Hash([7; 32])))
    };
    let text = |place: usize| record(RecordKind::Txt, format!("t{place}"), "x".repeat(texts));
    List::new((0..keys).map(key).chain((0..texts).map(text)).collect())
}

impl Deed {
    /// The name that is wished for; if that is not apt, the next one that is.
    fn name(&self, network: &Network) -> DomainName {
        let names = NAMES.iter().cycle().skip(self.name).take(NAMES.len());
        let mut names = names.map(|name| DomainName::new(name).expect("a good name"));
        let first = names.next().expect("a name");
        let fits = |name: &DomainName| {
            let is_gift = row(network, "domains.offer", name)
                .get("price")
                .map(|price| *price == Value::Amount(Amount::ZERO));
            match self.kind {
                DeedKind::Accept => is_gift == Some(true),
                DeedKind::Purchase { .. } => is_gift == Some(false),
                DeedKind::Cancel => is_gift.is_some(),
                DeedKind::RenewPrepaid | DeedKind::StopRenewal => {
                    !row(network, "domains.prepaid", name).is_empty()
                }
                _ => {
                    let active = Value::Text("active".to_string());
                    row(network, "domains.record", name).get("status") == Some(&active)
                }
            }
        };
        if !self.is_apt || fits(&first) { first } else { names.find(fits).unwrap_or(first) }
    }

    /// The event, by whom it is apt or by whoever wishes it.
    pub fn write(&self, scribe: &mut Scribe, network: &Network, wish: &Wish) -> Option<Checked> {
        let name = self.name(network);
        let offer = row(network, "domains.offer", &name);
        let by = match self.kind {
            _ if !self.is_apt => None,
            DeedKind::Renew { .. } | DeedKind::RenewPrepaid => None,
            DeedKind::Accept | DeedKind::Purchase { .. } => place(offer.get("to")),
            _ => place(row(network, "domains.record", &name).get("owner")),
        };
        let wish = &Wish { who: by.unwrap_or(wish.who), ..wish.clone() };
        match &self.kind {
            DeedKind::Renew { years, cap } => {
                scribe.sign(network, wish, &Renew { name, years: *years, price_max: *cap })
            }
            DeedKind::Prepay { years, cap, amount } => {
                let (years, price_max, amount) = (*years, *cap, *amount);
                scribe.sign(network, wish, &PrepayRenewal { name, years, price_max, amount })
            }
            DeedKind::RenewPrepaid => scribe.sign(network, wish, &RenewPrepaid { name }),
            DeedKind::StopRenewal => scribe.sign(network, wish, &StopRenewal { name }),
            DeedKind::Transfer { to } => {
                scribe.sign(network, wish, &Transfer { name, to: account(*to) })
            }
            DeedKind::Accept => scribe.sign(network, wish, &Accept { name }),
            DeedKind::Cancel => scribe.sign(network, wish, &Cancel { name }),
            DeedKind::Sell { price, to } => {
                scribe.sign(network, wish, &Sell { name, price: *price, to: to.map(account) })
            }
            DeedKind::Purchase { price } => {
                let price = match offer.get("price") {
                    Some(Value::Amount(offered)) if self.is_apt => *offered,
                    _ => *price,
                };
                scribe.sign(network, wish, &Purchase { name, price })
            }
            DeedKind::SetRecords { keys, texts } => {
                let records = records(*keys, *texts)?;
                scribe.sign(network, wish, &SetRecords { name, records })
            }
            DeedKind::SetSite { has_site, version } => {
                let manifest = has_site.then_some(Hash([9; 32]));
                scribe.sign(network, wish, &SetSite { name, manifest, version: *version })
            }
        }
    }
}
