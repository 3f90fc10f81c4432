//! Giving and selling a name, and what it leads to (DOM-20 … DOM-27).

use crate::canonical::Id;
use crate::domains::{Name, Offer, Record, Records};
use crate::money::Party;
use crate::names::Status;
use crate::state::{By, State, demand};
use crate::{Code, Money};

/// A record of this kind speaks for the owner (DOM-23).
const KEY: u8 = 6;

impl State {
    fn active(&self, name: &str) -> Result<Name, Code> {
        let row = self.owned(name)?;
        demand(self.status(&row) == Status::Active, "domains.not_active")?;
        Ok(row)
    }

    /// DOM-20: a transfer is an offer for nothing.
    pub(crate) fn offer(
        &mut self,
        by: &By,
        name: &str,
        price: &Money,
        to: Option<Id>,
    ) -> Result<(), Code> {
        let row = self.active(name)?;
        demand(row.owner == by.author, "domains.not_owner")?;
        demand(to != Some(row.owner), "domains.own_name")?;
        let (seller, price, clock) = (row.owner, price.clone(), self.head.clock);
        self.offers.insert(name.to_string(), Offer { seller, price, to, clock });
        Ok(())
    }

    pub(crate) fn cancel(&mut self, by: &By, name: &str) -> Result<(), Code> {
        self.own(by, name)?;
        self.offers.remove(name).map(|_| ()).ok_or("domains.no_offer")
    }

    /// DOM-21.
    pub(crate) fn accept(&mut self, by: &By, name: &str) -> Result<(), Code> {
        self.active(name)?;
        let offer = self.offers.get(name).filter(|offer| offer.price == Money::ZERO);
        let to = offer.ok_or("domains.no_offer")?.to;
        demand(to == Some(by.author), "domains.not_for_you")?;
        self.hand_over(name, by.author)
    }

    /// DOM-21.
    pub(crate) fn purchase(&mut self, by: &By, name: &str, price: &Money) -> Result<(), Code> {
        let row = self.active(name)?;
        demand(row.owner != by.author, "domains.own_name")?;
        let offer = self.offers.get(name).filter(|offer| offer.price > Money::ZERO);
        let offer = offer.ok_or("domains.no_offer")?;
        demand(offer.to.is_none_or(|to| to == by.author), "domains.not_for_you")?;
        demand(offer.price == *price, "domains.offer_changed")?;
        let (from, to) = (Party::Account(by.author), Party::Account(row.owner));
        self.shift(from, to, price, "domain sale")?;
        self.hand_over(name, by.author)
    }

    /// DOM-22, DOM-23, DOM-19.
    fn hand_over(&mut self, name: &str, to: Id) -> Result<(), Code> {
        self.offers.remove(name);
        self.give_back_renewal(name)?;
        let mut records = self.records.get(name).cloned().unwrap_or_default();
        records.records.retain(|record| record.kind != KEY);
        records.version = 0;
        self.put_records(name, records);
        self.names.get_mut(name).expect("a name").owner = to;
        Ok(())
    }

    /// DOM-24: an empty row does not stay.
    fn put_records(&mut self, name: &str, records: Records) {
        match records.records.is_empty() && records.site.is_none() && records.version == 0 {
            true => self.records.remove(name),
            false => self.records.insert(name.to_string(), records),
        };
    }

    pub(crate) fn set_records(
        &mut self,
        by: &By,
        name: &str,
        records: &[Record],
    ) -> Result<(), Code> {
        self.own(by, name)?;
        let row = self.records.get(name).cloned().unwrap_or_default();
        self.put_records(name, Records { records: records.to_vec(), ..row });
        Ok(())
    }

    /// DOM-27.
    pub(crate) fn set_site(
        &mut self,
        by: &By,
        name: &str,
        site: Option<Id>,
        version: u64,
    ) -> Result<(), Code> {
        self.own(by, name)?;
        let row = self.records.get(name).cloned().unwrap_or_default();
        demand(version > row.version, "domains.version_not_higher")?;
        self.put_records(name, Records { site, version, ..row });
        Ok(())
    }

    /// Every name that was ever bought, its owner, and its offer.
    pub fn names_owned(&self) -> Vec<(String, Id, Option<Offer>)> {
        let row = |(name, row): (&String, &Name)| {
            (name.clone(), row.owner, self.offers.get(name).cloned())
        };
        self.names.iter().map(row).collect()
    }
}
