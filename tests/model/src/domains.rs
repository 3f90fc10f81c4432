//! Domains (DOM): their events and rows. What the events do is in `names` (buying),
//! `renewals` and `offers` (giving, selling, and what a name leads to).

use crate::canonical::{Canonical, Id, Time, hash};
use crate::event::{Rules, check_amounts};
use crate::record_form::check_records;
use crate::state::{By, State, demand};
use crate::{Code, Money};

/// The programme's number.
pub(crate) const PROGRAMME: u16 = 3;

/// What a commit publishes (DOM-2).
pub fn commit_hash(owner: &Id, name: &str, years: u8, salt: &Id) -> Id {
    hash("ddt v1 domain commit", &[&(owner, name, years, salt).bytes()])
}

#[derive(Clone, Debug)]
pub(crate) struct Escrow {
    pub price_max: Money,
    /// Anchor and place in it: lower is older.
    pub order: (u64, u32),
    pub clock: Time,
    pub expires: Time,
}

#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub owner: Id,
    pub from: Time,
    pub until: Time,
    pub price: Money,
    pub order: (u64, u32),
    /// Until when and which anchor at least, and the premium of whoever wins.
    pub contest: Option<(Time, u64, Money)>,
}

/// A name on offer.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // docs/spec/domains.md says what each is.
pub struct Offer {
    pub seller: Id,
    pub price: Money,
    pub to: Option<Id>,
    pub clock: Time,
}

#[derive(Clone, Debug)]
pub(crate) struct Renewal {
    pub payer: Id,
    pub years: u8,
    pub price_max: Money,
    pub due: Time,
    pub ends: Time,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Records {
    pub records: Vec<Record>,
    pub site: Option<Id>,
    pub version: u64,
}

/// A record of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // docs/spec/domains.md says what each is.
pub struct Record {
    pub label: String,
    pub kind: u8,
    pub ttl: u32,
    pub value: String,
}

impl Canonical for Record {
    fn write(&self, out: &mut Vec<u8>) {
        (&self.label, self.kind, self.ttl, &self.value).write(out);
    }
}

/// Events of domains.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // docs/spec/domains.md says what each is.
pub enum Domains {
    Commit { hash: Id, price_max: Money },
    Reveal { owner: Id, name: String, years: u8, salt: Id },
    Renew { name: String, years: u8, price_max: Money },
    PrepayRenewal { name: String, years: u8, price_max: Money, amount: Money },
    RenewPrepaid { name: String },
    StopRenewal { name: String },
    Transfer { name: String, to: Id },
    Accept { name: String },
    Cancel { name: String },
    Sell { name: String, price: Money, to: Option<Id> },
    Purchase { name: String, price: Money },
    SetRecords { name: String, records: Vec<Record> },
    SetSite { name: String, manifest: Option<Id>, version: u64 },
}

use Domains::*;

impl Rules for Domains {
    fn tag(&self) -> u16 {
        match self {
            Commit { .. } => 301,
            Reveal { .. } => 302,
            Renew { .. } => 303,
            PrepayRenewal { .. } => 304,
            RenewPrepaid { .. } => 305,
            StopRenewal { .. } => 306,
            Transfer { .. } => 307,
            Accept { .. } => 308,
            Cancel { .. } => 309,
            Sell { .. } => 310,
            Purchase { .. } => 311,
            SetRecords { .. } => 312,
            SetSite { .. } => 313,
        }
    }

    fn body(&self) -> Vec<u8> {
        match self {
            Commit { hash, price_max } => (hash, price_max).bytes(),
            Reveal { owner, name, years, salt } => (owner, name, years, salt).bytes(),
            Renew { name, years, price_max } => (name, years, price_max).bytes(),
            PrepayRenewal { name, years, price_max, amount } => {
                (name, years, price_max, amount).bytes()
            }
            RenewPrepaid { name } | StopRenewal { name } => name.bytes(),
            Accept { name } | Cancel { name } => name.bytes(),
            Transfer { name, to } => (name, to).bytes(),
            Sell { name, price, to } => (name, price, to).bytes(),
            Purchase { name, price } => (name, price).bytes(),
            SetRecords { name, records } => (name, records).bytes(),
            SetSite { name, manifest, version } => (name, manifest, version).bytes(),
        }
    }

    fn check(&self) -> Result<(), Code> {
        if let Some(name) = self.name() {
            check_name(name)?;
        }
        match self {
            Commit { price_max, .. } => check_amounts(&[price_max]),
            Reveal { years, .. } => check_years(*years),
            Renew { years, price_max, .. } => {
                check_amounts(&[price_max])?;
                check_years(*years)
            }
            PrepayRenewal { years, price_max, amount, .. } => {
                check_amounts(&[price_max, amount])?;
                check_years(*years)
            }
            Sell { price, .. } | Purchase { price, .. } => {
                check_amounts(&[price])?;
                demand(*price > Money::ZERO, "domains.nothing")
            }
            SetRecords { records, .. } => check_records(records),
            _ => Ok(()),
        }
    }

    fn payer(&self, state: &State) -> Option<(u16, Id)> {
        let hold = match self {
            Reveal { owner, name, years, salt } => {
                state.hold_that_pays_reveal(owner, &commit_hash(owner, name, *years, salt))
            }
            RenewPrepaid { name } => state.hold_that_pays_renewal(name),
            _ => None,
        };
        hold.map(|key| (PROGRAMME, key))
    }

    fn apply(&self, state: &mut State, by: &By) -> Result<(), Code> {
        match self {
            Commit { hash, price_max } => state.commit(by, hash, price_max),
            Reveal { owner, name, years, salt } => {
                let hash = commit_hash(owner, name, *years, salt);
                state.reveal(owner, name, *years, &hash)
            }
            Renew { name, years, price_max } => state.renew(by, name, *years, price_max),
            PrepayRenewal { name, years, price_max, amount } => {
                state.prepay_renewal(by, name, (*years, price_max), amount)
            }
            RenewPrepaid { name } => state.renew_prepaid(name),
            StopRenewal { name } => state.stop_renewal(by, name),
            Transfer { name, to } => state.offer(by, name, &Money::ZERO, Some(*to)),
            Sell { name, price, to } => state.offer(by, name, price, *to),
            Accept { name } => state.accept(by, name),
            Cancel { name } => state.cancel(by, name),
            Purchase { name, price } => state.purchase(by, name, price),
            SetRecords { name, records } => state.set_records(by, name, records),
            SetSite { name, manifest, version } => state.set_site(by, name, *manifest, *version),
        }
    }
}

impl Domains {
    fn name(&self) -> Option<&String> {
        match self {
            Commit { .. } => None,
            Reveal { name, .. } | Renew { name, .. } | PrepayRenewal { name, .. } => Some(name),
            RenewPrepaid { name } | StopRenewal { name } | Transfer { name, .. } => Some(name),
            Accept { name } | Cancel { name } | Sell { name, .. } => Some(name),
            Purchase { name, .. } | SetRecords { name, .. } | SetSite { name, .. } => Some(name),
        }
    }
}

/// DOM-1.
fn check_name(name: &str) -> Result<(), Code> {
    demand(name.len() <= 63, "field.too_long")?;
    let is_plain = |letter: char| matches!(letter, 'a'..='z' | '0'..='9' | '-');
    let is_good = !name.is_empty()
        && name.chars().all(is_plain)
        && !name.starts_with('-')
        && !name.ends_with('-')
        && name.get(2..4) != Some("--");
    demand(is_good, "domains.name_rule")
}

fn check_years(years: u8) -> Result<(), Code> {
    demand((1..=10).contains(&years), "domains.term")
}
