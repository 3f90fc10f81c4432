//! Buying a name: commit, reveal, contest (DOM-2 … DOM-15).

use crate::canonical::{Id, Time, hash};
use crate::domains::{Escrow, Name, PROGRAMME};
use crate::money::{Party, amount_max, fee, price};
use crate::state::{By, State, demand, id};
use crate::{Code, Money};

/// Where a name stands (DOM-10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Pending,
    Active,
    Grace,
    Expired,
}

fn commit_hold(owner: &Id, commit: &Id) -> Id {
    hash("ddt v1 domain commit hold", &[owner, commit])
}

fn name_hold(name: &str) -> Id {
    hash("ddt v1 domain name hold", &[name.as_bytes()])
}

/// DOM-4.
pub(crate) fn price_of(name: &str, years: u8) -> Money {
    let factor = match name.len() {
        0..=3 => 20,
        4 => 5,
        5 => 2,
        _ => 1,
    };
    price(50_000_000_000 * factor * u64::from(years))
}

impl State {
    pub(crate) fn status(&self, name: &Name) -> Status {
        let (clock, height) = (self.head.clock, self.head.height);
        let is_contested =
            name.contest.as_ref().is_some_and(|(until, at, _)| clock < *until || height < *at);
        match () {
            () if is_contested => Status::Pending,
            () if clock < name.until => Status::Active,
            () if clock < name.until + self.params.domain_grace_ms => Status::Grace,
            () => Status::Expired,
        }
    }

    /// DOM-14.
    fn premium(&self, name: &str) -> Money {
        let Some(row) = self.names.get(name) else { return Money::ZERO };
        match (self.status(row), &row.contest) {
            (Status::Pending, Some((_, _, premium))) => premium.clone(),
            (Status::Expired, _) => {
                let elapsed = self.head.clock - row.until - self.params.domain_grace_ms;
                falling(&(price_of(name, 1) * 1_000), elapsed, self.params.domain_premium_ms)
            }
            _ => Money::ZERO,
        }
    }

    /// DOM-2.
    pub(crate) fn commit(&mut self, by: &By, hash: &Id, price_max: &Money) -> Result<(), Code> {
        let key = (by.author, *hash);
        demand(!self.commits.contains_key(&key), "domains.commit_exists")?;
        let escrow = price_max + fee(384);
        demand(escrow <= amount_max(), "ledger.overflow")?;
        let hold = Party::Hold(PROGRAMME, commit_hold(&by.author, hash));
        self.shift(Party::Account(by.author), hold, &escrow, "domain escrow")?;
        let clock = self.head.clock;
        let (order, expires) = ((self.head.height, by.place), clock + self.params.commit_life_ms);
        self.commits.insert(key, Escrow { price_max: price_max.clone(), order, clock, expires });
        self.schedule(expires, 301, &[by.author, *hash].concat());
        Ok(())
    }

    /// Whether a commit waits for its reveal.
    pub fn has_commit(&self, owner: &Id, hash: &Id) -> bool {
        self.commits.contains_key(&(*owner, *hash))
    }

    /// DOM-3: a whole escrow pays for a reveal.
    pub(crate) fn hold_that_pays_reveal(&self, owner: &Id, hash: &Id) -> Option<Id> {
        let commit = self.commits.get(&(*owner, *hash))?;
        let hold = commit_hold(owner, hash);
        let is_whole = self.held(PROGRAMME, &hold) >= &commit.price_max + fee(384);
        is_whole.then_some(hold)
    }

    /// DOM-5 … DOM-9.
    pub(crate) fn reveal(
        &mut self,
        owner: &Id,
        name: &str,
        years: u8,
        hash: &Id,
    ) -> Result<(), Code> {
        let commit = self.commits.get(&(*owner, *hash)).cloned().ok_or("domains.no_commit")?;
        let (clock, height) = (self.head.clock, self.head.height);
        let is_old = clock >= commit.clock + self.params.commit_age_ms
            && height >= commit.order.0 + self.params.commit_age_anchors;
        demand(is_old, "domains.too_early")?;
        demand(clock < commit.expires, "domains.too_late")?;
        let premium = self.premium(name);
        let cost = price_of(name, years) + &premium;
        let hold = commit_hold(owner, hash);
        let is_paid = cost <= commit.price_max && cost <= self.held(PROGRAMME, &hold);
        demand(is_paid, "domains.price_above_cap")?;
        let contest = self.make_room(name, commit.order)?;

        let (from, to) = (Party::Hold(PROGRAMME, hold), Party::Hold(PROGRAMME, name_hold(name)));
        self.shift(from.clone(), to, &cost, "domain price")?;
        let rest = self.held(PROGRAMME, &hold);
        self.shift(from, Party::Account(*owner), &rest, "domain change")?;
        self.commits.remove(&(*owner, *hash));
        self.unschedule(commit.expires, 301, &[*owner, *hash].concat());
        let contest = contest.unwrap_or_else(|| {
            let until = clock + self.params.contest_ms;
            self.schedule(until, 302, name.as_bytes());
            (until, height + self.params.contest_anchors, premium)
        });
        let until = clock + self.params.domain_year_ms * Time::from(years);
        let (order, contest) = (commit.order, Some(contest));
        let row = Name { owner: *owner, from: clock, until, price: cost, order, contest };
        self.names.insert(name.to_string(), row);
        Ok(())
    }

    /// DOM-7, DOM-8, DOM-13, DOM-15: whoever had the name leaves it. Answers the contest that
    /// goes on.
    fn make_room(
        &mut self,
        name: &str,
        order: (u64, u32),
    ) -> Result<Option<(Time, u64, Money)>, Code> {
        let Some(row) = self.names.get(name).cloned() else { return Ok(None) };
        let hold = Party::Hold(PROGRAMME, name_hold(name));
        match self.status(&row) {
            Status::Active | Status::Grace => Err("domains.name_taken"),
            Status::Pending => {
                demand(order < row.order, "domains.older_commit")?;
                self.shift(hold, Party::Account(row.owner), &row.price, "domain refund")?;
                Ok(row.contest)
            }
            Status::Expired => {
                let held = self.held(PROGRAMME, &name_hold(name));
                self.shift(hold, Party::Pool, &held, "domain price")?;
                self.offers.remove(name);
                self.records.remove(name);
                self.give_back_renewal(name)?;
                Ok(None)
            }
        }
    }

    /// DOM-11.
    pub(crate) fn expire_commit(&mut self, key: &[u8]) -> Result<(), Code> {
        let (owner, hash) = (id(&key[..32]), id(&key[32..]));
        self.commits.remove(&(owner, hash));
        let hold = commit_hold(&owner, &hash);
        let held = self.held(PROGRAMME, &hold);
        self.shift(Party::Hold(PROGRAMME, hold), Party::Account(owner), &held, "domain refund")
    }

    /// DOM-9.
    pub(crate) fn settle(&mut self, key: &[u8]) -> Result<(), Code> {
        let name = String::from_utf8_lossy(key).to_string();
        let Some(row) = self.names.get(&name).cloned() else { return Ok(()) };
        if row.contest.is_none() {
            return Ok(());
        }
        if self.status(&row) == Status::Pending {
            self.schedule(self.head.clock + 1, 302, key);
            return Ok(());
        }
        let hold = name_hold(&name);
        let held = self.held(PROGRAMME, &hold);
        self.shift(Party::Hold(PROGRAMME, hold), Party::Pool, &held, "domain price")?;
        self.names.insert(name, Name { contest: None, ..row });
        Ok(())
    }
}

/// The premium after `elapsed` of `length`, of which `start` was there (DOM-14).
fn falling(start: &Money, elapsed: Time, length: Time) -> Money {
    if elapsed >= length {
        return Money::ZERO;
    }
    let (k, r) = (21 * elapsed / length, 21 * elapsed % length);
    let a: Money = start / Money::from(2u8).pow(k as u32);
    let b = &a / 2;
    let p = r * (1 << 32) / length;
    &a - (&a - b) * p / (1u64 << 32) - start / (1 << 21)
}
