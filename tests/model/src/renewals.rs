//! Renewing a name (DOM-16 … DOM-19).

use crate::canonical::{Id, Time, hash};
use crate::domains::{Name, PROGRAMME, Renewal};
use crate::money::{Party, fee};
use crate::names::{Status, price_of};
use crate::state::{By, State, demand};
use crate::{Code, Money};

fn renewal_hold(name: &str) -> Id {
    hash("ddt v1 domain renewal hold", &[name.as_bytes()])
}

impl State {
    /// The row of a name that somebody has for good (DOM-28).
    pub(crate) fn owned(&self, name: &str) -> Result<Name, Code> {
        let row = self.names.get(name).ok_or("domains.not_registered")?;
        match self.status(row) {
            Status::Pending => Err("domains.pending"),
            Status::Expired => Err("domains.not_registered"),
            Status::Active | Status::Grace => Ok(row.clone()),
        }
    }

    /// The same, if it is the author's.
    pub(crate) fn own(&self, by: &By, name: &str) -> Result<Name, Code> {
        let row = self.owned(name)?;
        demand(row.owner == by.author, "domains.not_owner")?;
        Ok(row)
    }

    fn years(&self, years: u8) -> Time {
        self.params.domain_year_ms * Time::from(years)
    }

    /// DOM-16.
    pub(crate) fn renew(
        &mut self,
        by: &By,
        name: &str,
        years: u8,
        price_max: &Money,
    ) -> Result<(), Code> {
        let row = self.owned(name)?;
        let until = row.until + self.years(years);
        demand(until <= self.head.clock + self.years(10), "domains.term_limit")?;
        let price = price_of(name, years);
        demand(price <= *price_max, "domains.price_above_cap")?;
        let hold = Party::Hold(PROGRAMME, by.event);
        self.shift(Party::Account(by.author), hold.clone(), &price, "domain renewal")?;
        self.shift(hold, Party::Pool, &price, "domain renewal")?;
        self.prolong(name, years);
        Ok(())
    }

    /// DOM-17.
    pub(crate) fn prepay_renewal(
        &mut self,
        by: &By,
        name: &str,
        (years, price_max): (u8, &Money),
        amount: &Money,
    ) -> Result<(), Code> {
        let row = self.own(by, name)?;
        let present = self.renewals.get(name);
        demand(present.is_some() || *amount > Money::ZERO, "domains.nothing")?;
        let ends = present.map_or(0, |present| present.ends);
        let hold = Party::Hold(PROGRAMME, renewal_hold(name));
        self.shift(Party::Account(by.author), hold, amount, "renewal prepaid")?;
        let (payer, price_max) = (row.owner, price_max.clone());
        let renewal = Renewal { payer, years, price_max, due: 0, ends };
        self.renewals.insert(name.to_string(), renewal);
        self.plan_renewal(name);
        Ok(())
    }

    /// Computes anew when a renewal is due and when it ends (DOM-18, DOM-19).
    fn plan_renewal(&mut self, name: &str) {
        let until = self.names[name].until;
        let (year, most) = (self.years(1), self.params.domain_renewal_ms);
        let Some(renewal) = self.renewals.get_mut(name) else { return };
        let ended = renewal.ends;
        let room = Time::from(10u8.saturating_sub(renewal.years)) * year;
        renewal.due = until - most.min(year).min(room);
        renewal.ends = until + self.params.domain_grace_ms;
        let ends = renewal.ends;
        self.unschedule(ended, 303, name.as_bytes());
        self.schedule(ends, 303, name.as_bytes());
    }

    fn prolong(&mut self, name: &str, years: u8) {
        let more = self.years(years);
        if self.status(&self.names[name]) == Status::Grace {
            self.offers.remove(name);
        }
        self.names.get_mut(name).expect("a name").until += more;
        self.plan_renewal(name);
    }

    /// DOM-18: what a renewal costs that can be made now.
    fn due_renewal(&self, name: &str) -> Result<(u8, Money), Code> {
        self.owned(name)?;
        let renewal = self.renewals.get(name).ok_or("domains.no_prepaid")?;
        demand(self.head.clock >= renewal.due, "domains.not_due")?;
        let price = price_of(name, renewal.years);
        demand(price <= renewal.price_max, "domains.price_above_cap")?;
        let held = self.held(PROGRAMME, &renewal_hold(name));
        demand(price <= held, "domains.prepaid_insufficient")?;
        Ok((renewal.years, price))
    }

    pub(crate) fn hold_that_pays_renewal(&self, name: &str) -> Option<Id> {
        let (_, price) = self.due_renewal(name).ok()?;
        let hold = renewal_hold(name);
        (self.held(PROGRAMME, &hold) >= price + fee(256)).then_some(hold)
    }

    pub(crate) fn renew_prepaid(&mut self, name: &str) -> Result<(), Code> {
        let (years, price) = self.due_renewal(name)?;
        let hold = Party::Hold(PROGRAMME, renewal_hold(name));
        self.shift(hold, Party::Pool, &price, "domain renewal")?;
        self.prolong(name, years);
        Ok(())
    }

    pub(crate) fn stop_renewal(&mut self, by: &By, name: &str) -> Result<(), Code> {
        self.own(by, name)?;
        demand(self.renewals.contains_key(name), "domains.no_prepaid")?;
        self.give_back_renewal(name)
    }

    /// Names for which money is put aside.
    pub fn names_prepaid(&self) -> Vec<String> {
        self.renewals.keys().cloned().collect()
    }

    /// What is left goes back (DOM-19).
    pub(crate) fn give_back_renewal(&mut self, name: &str) -> Result<(), Code> {
        let Some(renewal) = self.renewals.remove(name) else { return Ok(()) };
        self.unschedule(renewal.ends, 303, name.as_bytes());
        let hold = renewal_hold(name);
        let held = self.held(PROGRAMME, &hold);
        let to = Party::Account(renewal.payer);
        self.shift(Party::Hold(PROGRAMME, hold), to, &held, "renewal refund")
    }

    /// The end of the grace. Every renewal moves the deadline, so the term is really over.
    pub(crate) fn lapse_renewal(&mut self, key: &[u8]) -> Result<(), Code> {
        self.give_back_renewal(&String::from_utf8_lossy(key))
    }
}
