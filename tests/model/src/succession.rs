//! Who governs which lane and who validates, when somebody goes or an epoch ends (RTR-11 …
//! RTR-15, RTR-19, RTR-22, RTR-23).

use crate::Money;
use crate::canonical::Id;
use crate::money::Party;
use crate::routers::{Router, Validator};
use crate::state::{Lane, State};

impl State {
    /// Routers that govern a lane or not, in the order in which they are chosen (RTR-11).
    fn ranked(&self, chosen: impl Fn(&Router) -> bool) -> Vec<Id> {
        let mut all: Vec<Id> =
            self.routers.iter().filter(|(_, router)| chosen(router)).map(|(id, _)| *id).collect();
        all.sort_by_key(|account| (-self.held(0, account), self.routers[account].bonded, *account));
        all
    }

    fn standby(&self) -> Option<Id> {
        let (clock, silent) = (self.head.clock, self.params.router_silent_ms);
        let waits = |router: &Router| {
            router.stays() && router.zone.is_none() && clock < router.heard + silent
        };
        self.ranked(waits).first().copied()
    }

    fn take(&mut self, zone: u32) {
        let Lane { router, heard, is_governed, .. } = self.lanes[&zone].clone();
        let Some(old) = self.routers.get_mut(&router).filter(|_| is_governed) else { return };
        (old.zone, old.heard) = (None, heard);
        if old.leaves.is_some() {
            self.answers_from_now(router);
        }
    }

    /// RTR-11.
    pub(crate) fn replace(&mut self, zone: u32) -> bool {
        let Some(account) = self.standby() else { return false };
        self.take(zone);
        self.close_term(zone);
        let clock = self.head.clock;
        let router = self.routers.get_mut(&account).expect("a router");
        router.zone = Some(zone);
        let key = router.key;
        let lane = self.lanes.get_mut(&zone).expect("a lane");
        (lane.router, lane.key, lane.heard, lane.is_governed) = (account, key, clock, true);
        true
    }

    /// RTR-12.
    pub(crate) fn abandon(&mut self, zone: u32) -> bool {
        if !self.lanes.iter().any(|(other, lane)| *other != zone && lane.is_governed) {
            return false;
        }
        self.take(zone);
        self.close_term(zone);
        self.lanes.get_mut(&zone).expect("a lane").is_governed = false;
        true
    }

    /// RTR-11 … RTR-15, RTR-19.
    pub(crate) fn end_epoch_of_routers(&mut self) {
        let (clock, silent) = (self.head.clock, self.params.router_silent_ms);
        let zones: Vec<u32> = self.lanes.keys().copied().collect();
        for &zone in &zones {
            let lane = self.lanes[&zone].clone();
            let is_silent = clock >= lane.heard + silent;
            let is_well = lane.is_governed && self.routers[&lane.router].stays() && !is_silent;
            if !is_well && !self.replace(zone) && lane.is_governed && is_silent {
                self.abandon(zone);
            }
        }
        let newcomers = self.params.zone_seats / 4;
        let is_full = |zone: &u32| {
            let seats = self.seats.get(zone).cloned().unwrap_or_default();
            seats.members >= self.params.zone_seats || seats.newcomers >= newcomers
        };
        let governed = self.lanes.iter().filter(|(_, lane)| lane.is_governed);
        let all_full = governed.map(|(zone, _)| zone).all(is_full);
        if let Some(account) = self.standby().filter(|_| all_full && self.lanes.len() < 1_024) {
            let zone = zones.last().expect("a zone") + 1;
            let router = self.routers.get_mut(&account).expect("a router");
            router.zone = Some(zone);
            self.lanes.insert(zone, Lane::first(account, router.key, clock));
        }
        self.choose_validators();
        self.agree();
    }

    /// RTR-13 … RTR-15.
    fn choose_validators(&mut self) {
        let most = usize::from(self.params.validators_max).min(100);
        let all: Vec<Validator> = self
            .ranked(|router| router.stays() && router.zone.is_some())
            .iter()
            .map(|account| &self.routers[account])
            .map(|router| (router.zone.expect("a zone"), router.key, router.vrf_key))
            .collect();
        let (best, spare) = all.split_at(all.len().min(most));
        let before = self.validators[1].clone();
        let changes = (before.len() / 10).max(1);
        let has = |set: &[Validator], key: &Id| set.iter().any(|one| one.1 == *key);
        let mut leaving: Vec<Id> =
            before.iter().map(|one| one.1).filter(|key| !has(best, key)).collect();
        // Those who govern nothing, by key; then the last of the others.
        leaving.sort_by_key(|key| match spare.iter().position(|one| one.1 == *key) {
            None => (0, 0, *key),
            Some(place) => (1, spare.len() - place, *key),
        });
        leaving.truncate(changes);
        let mut set: Vec<Validator> =
            before.iter().filter(|one| !leaving.contains(&one.1)).copied().collect();
        for one in &mut set {
            if let Some(now) = all.iter().find(|now| now.1 == one.1) {
                *one = *now;
            }
        }
        let joining = best.iter().filter(|one| !has(&before, &one.1)).take(changes);
        for one in joining {
            if set.len() < most {
                set.push(*one);
            }
        }
        if set.is_empty() {
            return;
        }
        set.sort();
        self.validators[1] = set;
        for key in leaving {
            let Some((account, _)) = self.router_keys.get(&key).copied() else { continue };
            if self.routers.get(&account).is_some_and(|router| router.leaves.is_some()) {
                self.answers_from_now(account);
            }
        }
    }

    /// RTR-19.
    fn agree(&mut self) {
        let signal = |one: &Validator| {
            let account = self.router_keys.get(&one.1).map(|(account, _)| account);
            let router = account.and_then(|account| self.routers.get(account));
            router.map_or(0, |router| router.signal)
        };
        let mut signals: Vec<u32> = self.validators[1].iter().map(signal).collect();
        signals.sort();
        signals.reverse();
        let ready = signals.get(signals.len() * 2 / 3).copied().unwrap_or(0);
        let both = ready.min(self.protocol.ready);
        self.protocol.ready = ready;
        let known = self.protocol.next.map_or(self.protocol.version, |(version, _)| version);
        if both > known {
            self.protocol.next = Some((both, self.head.epoch as u64 + 2));
        }
    }

    /// RTR-22.
    pub(crate) fn put_out(&mut self, account: Id) {
        let router = self.routers.get_mut(&account).expect("a router");
        router.is_out = true;
        let (key, zone) = (router.key, router.zone);
        self.answers_from_now(account);
        let others: Vec<Validator> =
            self.validators[1].iter().filter(|one| one.1 != key).copied().collect();
        if !others.is_empty() {
            self.validators[1] = others;
        }
        if let Some(zone) = zone
            && !self.replace(zone)
            && !self.abandon(zone)
        {
            self.close_term(zone);
        }
    }

    /// RTR-23.
    pub(crate) fn pay_for_voids(&mut self, account: Id, owed: &Money) {
        if self.routers.get(&account).is_none_or(|router| router.is_out) {
            return;
        }
        let bond = self.held(0, &account);
        let paid = owed.min(&bond).clone();
        self.shift(Party::Hold(0, account), Party::Pool, &paid, "void events").expect("a bond");
        if *owed > Money::ZERO && *owed >= bond {
            self.put_out(account);
        }
    }
}
