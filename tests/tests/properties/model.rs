//! Who has which name until when, told a second time from what was done, without any of the
//! programme's rows.

use std::collections::BTreeMap;

use ddt_contracts::REGISTRY;
use ddt_ledger::book::Party;
use ddt_ledger::event::Checked;
use ddt_ledger::receipt::{Outcome, Receipt};
use ddt_ledger::schema::{Field, Value};
use ddt_ledger::view::Page;
use ddt_ledger::{AccountId, Hash, Zone};
use ddt_tests::invariants::event_receipts;
use ddt_tests::network::Network;

use crate::generate::YEAR_MS;

/// A name, as the model tells it.
#[derive(Clone, Debug)]
struct Told {
    owner: AccountId,
    until: u64,
    /// For how many years it is renewed by itself.
    years: Option<u64>,
}

/// All names.
#[derive(Default)]
pub struct Model {
    names: BTreeMap<String, Told>,
    /// Who put money aside, by the hold it is in.
    aside: BTreeMap<Hash, AccountId>,
    /// Events done, by name, and how often.
    pub done: BTreeMap<&'static str, usize>,
}

/// An event's fields.
type Values = BTreeMap<&'static str, Value>;

fn count(values: &Values, field: &str) -> u64 {
    match values.get(field) {
        Some(Value::Count(count)) => *count,
        other => panic!("{field}: {other:?}"),
    }
}

impl Model {
    /// Goes through an anchor's receipts, then compares with the state. `blocks` holds the
    /// events.
    pub fn follow(
        &mut self,
        network: &Network,
        blocks: &[(Zone, Vec<Checked>)],
        receipts: &[Receipt],
    ) -> Result<(), String> {
        let events: BTreeMap<Hash, &Checked> =
            blocks.iter().flat_map(|(_, events)| events).map(|e| (e.id(), e)).collect();
        let clock = network.head().clock.0;
        for (place, receipt) in event_receipts(receipts) {
            let Some(event) = events.get(&place.id) else { return Err("unknown event".into()) };
            if receipt.outcome == Outcome::Done {
                self.done(event, place.author, receipt, clock)?;
            }
        }
        receipts.iter().try_for_each(|receipt| self.refunds(receipt))?;
        self.compare(network, clock)
    }

    fn done(
        &mut self,
        event: &Checked,
        author: AccountId,
        receipt: &Receipt,
        clock: u64,
    ) -> Result<(), String> {
        let row = event.row(&REGISTRY).expect("a row");
        *self.done.entry(row.name).or_default() += 1;
        let values = (row.show)(event.draft().body.as_slice()).expect("a body");
        let values: Values = values.into_iter().collect();
        let name = values.get("name").map(ToString::to_string).unwrap_or_default();
        let Some(event) = row.name.strip_prefix("domains.") else { return Ok(()) };
        if event == "reveal" {
            let Some(Value::Account(owner)) = values.get("owner") else { return Ok(()) };
            let until = clock + count(&values, "years") * YEAR_MS;
            self.names.insert(name, Told { owner: *owner, until, years: None });
            return Ok(());
        }
        if event == "commit" {
            return Ok(());
        }
        let told = self.names.get_mut(&name).ok_or(format!("{event} of {name}: nobody's"))?;
        let is_owner = author == told.owner;
        match event {
            "renew" => told.until += count(&values, "years") * YEAR_MS,
            "renew_prepaid" => {
                let years = told.years.ok_or(format!("{name} is renewed from nothing"))?;
                told.until += years * YEAR_MS;
            }
            "prepay_renewal" => told.years = Some(count(&values, "years")),
            "stop_renewal" => told.years = None,
            "accept" | "purchase" if is_owner => return Err(format!("{name} went nowhere")),
            "accept" => (told.owner, told.years) = (author, None),
            "purchase" => {
                let price = values.get("price").cloned();
                let sale =
                    receipt.postings.iter().filter(|posting| posting.reason == "domain sale");
                let paid: Vec<_> = sale
                    .map(|sale| (sale.from.clone(), sale.to.clone(), Some(sale.amount.show())))
                    .collect();
                let wanted = (Party::Account(author), Party::Account(told.owner), price);
                if paid != [wanted] {
                    return Err(format!("{name} was sold for {paid:?}"));
                }
                (told.owner, told.years) = (author, None);
            }
            _ => {}
        }
        let is_its_owners = !matches!(event, "renew" | "renew_prepaid" | "accept" | "purchase");
        if is_its_owners && !is_owner {
            return Err(format!("{event} of {name} by somebody else"));
        }
        Ok(())
    }

    /// What was put aside goes back to whoever put it there, and nowhere else but to the pool
    /// and to fees.
    fn refunds(&mut self, receipt: &Receipt) -> Result<(), String> {
        for posting in &receipt.postings {
            match (&posting.from, &posting.to) {
                (Party::Account(payer), Party::Hold { key, .. })
                    if posting.reason == "renewal prepaid" =>
                {
                    self.aside.insert(*key, *payer);
                }
                (Party::Hold { key, .. }, Party::Account(to)) => match self.aside.get(key) {
                    Some(payer) if payer != to => return Err(format!("{payer}'s went to {to}")),
                    _ => {}
                },
                _ => {}
            }
        }
        Ok(())
    }

    /// The state has the same names, owners and terms, and no term is too long.
    fn compare(&self, network: &Network, clock: u64) -> Result<(), String> {
        let found = network.view("domains.search", &BTreeMap::new(), &Page::first(100));
        let found = found.map_err(|error| error.to_string())?;
        let mut state = BTreeMap::new();
        for row in found.rows {
            let record = row.first().and_then(|(_, record)| record.group().ok());
            let record = record.ok_or("a row without a record")?;
            let text = |field: &str| record.get(field).map(ToString::to_string).unwrap_or_default();
            state.insert(text("name"), (text("owner"), text("until")));
        }
        let told = self
            .names
            .iter()
            .map(|(name, told)| (name.clone(), (told.owner.to_string(), told.until.to_string())));
        let told: BTreeMap<_, _> = told.collect();
        if told != state {
            return Err(format!("told {told:?}, the state has {state:?}"));
        }
        match self.names.iter().find(|(_, told)| told.until > clock + 10 * YEAR_MS) {
            Some((name, _)) => Err(format!("{name} has more than ten years")),
            None => Ok(()),
        }
    }
}
