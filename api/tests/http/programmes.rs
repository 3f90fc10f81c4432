//! Small programmes, so that the face is tested without the real ones.

use ddt_ledger::book::Book;
use ddt_ledger::context::Context;
use ddt_ledger::registry::{Event, Programme, Registry};
use ddt_ledger::schema::{Field, FieldError, Kind, Text, Value};
use ddt_ledger::table::{Rows, Table, TableInfo};
use ddt_ledger::view::{CURSOR, Found, NOT_FOUND, Page, View, view_row};
use ddt_ledger::{AccountId, Amount, Refusal, borsh, event, refusals, rows, view};

refusals! {
    NOTHING = "bank.nothing", "Pay more than nothing.";
    TAKEN = "domains.name_taken", "The name is taken.";
    EMPTY = "domains.empty", "A name has at least one letter.";
}

event! {
    /// A payment.
    Pay = "bank.pay", Owner, "Pay {amount} APT to {to}" {
        /// Who receives it.
        to: AccountId,
        /// How much.
        amount: Amount,
    }
}

impl Event for Pay {
    const REFUSALS: &'static [Refusal] = &[NOTHING];

    fn check(&self) -> Result<(), Refusal> {
        if self.amount.is_zero() { Err(NOTHING) } else { Ok(()) }
    }

    fn apply(&self, _: &Context, book: &mut Book) -> Result<(), Refusal> {
        book.pay(self.to, self.amount, "payment")
    }
}

event! {
    /// A name taken at once.
    Claim = "domains.claim", Owner, "Take {name}.ddt" {
        /// The name.
        name: Label,
    }
}

/// Text that is a name.
#[derive(Clone, Debug, PartialEq, Eq, borsh::BorshSerialize, borsh::BorshDeserialize)]
#[borsh(crate = "ddt_ledger::borsh")]
pub struct Label(Text<63>);

impl Field for Label {
    const KIND: Kind = Kind::Name { bytes_max: 63 };

    fn show(&self) -> Value {
        self.0.show()
    }

    fn read(value: &Value) -> Result<Label, FieldError> {
        Text::read(value).map(Label)
    }
}

static NAMES: Table<Vec<u8>, AccountId> = Table::new(300);

impl Event for Claim {
    const REFUSALS: &'static [Refusal] = &[TAKEN, EMPTY];

    fn check(&self) -> Result<(), Refusal> {
        if self.name.0.as_str().is_empty() { Err(EMPTY) } else { Ok(()) }
    }

    fn apply(&self, cx: &Context, book: &mut Book) -> Result<(), Refusal> {
        let key = self.name.0.as_str().as_bytes().to_vec();
        if NAMES.get(book, &key).is_some() {
            return Err(TAKEN);
        }
        NAMES.put(book, &key, &cx.origin()?.author);
        Ok(())
    }
}

view! {
    Record = "domains.record", "A name's owner."
    query {
        /// The name.
        name: Text<63>,
    }
    row RecordRow {
        /// The name.
        name: Text<63>,
        /// Its owner.
        owner: AccountId,
    }
}

fn record(name: Vec<u8>, owner: AccountId) -> Option<RecordRow> {
    Some(RecordRow { name: Text::new(String::from_utf8(name).ok()?)?, owner })
}

impl View for Record {
    fn run(&self, _: &Context, rows: &dyn Rows, _: &Page) -> Result<Found<RecordRow>, Refusal> {
        let key = self.name.as_str().as_bytes().to_vec();
        let owner = NAMES.get(rows, &key).ok_or(NOT_FOUND)?;
        Ok(Found::one(record(key, owner).ok_or(NOT_FOUND)?))
    }

    fn proof_key(&self) -> Option<Vec<u8>> {
        Some(NAMES.full_key(&self.name.as_str().as_bytes().to_vec()))
    }
}

view! {
    OfOwner = "domains.of_owner", "An account's names, in order."
    query {
        /// Whose.
        owner: AccountId,
    }
    row OwnedRow {
        /// The name.
        record: RecordRow,
    }
}

impl View for OfOwner {
    fn run(&self, _: &Context, rows: &dyn Rows, page: &Page) -> Result<Found<OwnedRow>, Refusal> {
        if page.after.as_ref().is_some_and(|after| after.len() > 63) {
            return Err(CURSOR);
        }
        let names = NAMES.scan(rows, page.after.as_ref(), page.limit + 1);
        let next = (names.len() > page.limit).then(|| names[page.limit - 1].0.clone());
        let own = names.into_iter().take(page.limit).filter(|(_, owner)| *owner == self.owner);
        let own = own.filter_map(|(name, owner)| record(name, owner));
        Ok(Found { rows: own.map(|record| OwnedRow { record }).collect(), next })
    }
}

view! {
    Broken = "bank.broken", "Panics, as a view never should."
    query {}
    row BrokenRow {
        /// Never answered.
        nothing: u8,
    }
}

impl View for Broken {
    fn run(&self, _: &Context, _: &dyn Rows, _: &Page) -> Result<Found<BrokenRow>, Refusal> {
        panic!("a view's own bug")
    }
}

static BANK: Programme = Programme {
    id: 1,
    name: "bank",
    purpose: "Payments.",
    rows: rows! { 101 => Pay },
    views: &[view_row::<Broken>()],
    tables: &[],
    deadlines: &[],
    is_full: None,
    audit: |_| Vec::new(),
};

static DOMAINS: Programme = Programme {
    id: 2,
    name: "domains",
    purpose: "Names.",
    rows: rows! { 201 => Claim },
    views: &[view_row::<Record>(), view_row::<OfOwner>()],
    tables: &[TableInfo { id: 300, name: "domains.names", indexes: &[], show: |_, _| None }],
    deadlines: &[],
    is_full: None,
    audit: |_| Vec::new(),
};

/// All programmes.
pub static REGISTRY: Registry =
    Registry { programmes: &[&BANK, &DOMAINS, &crate::zones::PROGRAMME] };

/// A body of `bank.pay`.
pub fn pay(to: AccountId, amount: &str) -> (u16, Vec<u8>) {
    (101, borsh::to_vec(&Pay { to, amount: amount.parse().unwrap() }).unwrap())
}

/// A body of `domains.claim`.
pub fn claim(name: &str) -> (u16, Vec<u8>) {
    (201, borsh::to_vec(&Claim { name: Label(Text::new(name).unwrap()) }).unwrap())
}
