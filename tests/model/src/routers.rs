//! Routers, their bonds, lanes and terms; validators; upgrades (RTR).

use crate::accounts::NodeKey;
use crate::canonical::{Canonical, Id, Time, hash};
use crate::event::{Role, Rules};
use crate::money::Party;
use crate::stamps::Stamp;
use crate::state::{By, Lane, State, demand, id};
use crate::{Code, Money};

/// The ledger's own deadlines.
pub(crate) const RELEASE: u16 = 10;
pub(crate) const FORGET_KEY: u16 = 11;
pub(crate) const FORGET_TERM: u16 = 12;

#[derive(Clone, Debug)]
pub(crate) struct Router {
    pub key: Id,
    pub vrf_key: Id,
    pub bonded: Time,
    pub zone: Option<u32>,
    pub heard: Time,
    pub leaves: Option<Time>,
    pub is_out: bool,
    pub signal: u32,
    pub signalled: Time,
    pub since: u64,
    pub moved: Option<Time>,
}

impl Router {
    pub fn new(key: Id, vrf_key: Id, now: Time, since: u64) -> Router {
        Router {
            key,
            vrf_key,
            bonded: now,
            zone: None,
            heard: now,
            leaves: None,
            is_out: false,
            signal: 0,
            signalled: 0,
            since,
            moved: None,
        }
    }

    pub(crate) fn stays(&self) -> bool {
        self.leaves.is_none() && !self.is_out
    }
}

/// A validator: zone, key, VRF key.
pub(crate) type Validator = (u32, Id, Id);

/// By which rules the network goes on: in force, ready, next and from which epoch.
#[derive(Clone, Debug, Default)]
pub(crate) struct Protocol {
    pub version: u32,
    pub ready: u32,
    pub next: Option<(u32, u64)>,
}

/// What two statements are about, and whether they contradict each other: reading them is
/// somebody else's work.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)] // docs/spec/routers.md says what each is.
pub enum About {
    Term { zone: u32, term: u64 },
    Height(u64),
}

/// Events of routers.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // docs/spec/routers.md says what each is.
pub enum Routers {
    Bond {
        key: Id,
        vrf_key: Id,
        amount: Money,
        proof: Vec<u8>,
        /// Whether the key signed: verifying is somebody else's work.
        is_proven: bool,
        /// And whether the VRF key is one.
        is_vrf_key: bool,
    },
    Unbond,
    CloseTerm {
        zone: u32,
        term: u64,
    },
    Move {
        key: Id,
        vrf_key: Id,
        proof: Vec<u8>,
        is_proven: bool,
        is_vrf_key: bool,
    },
    Evidence {
        fault: u8,
        key: Id,
        statements: [(Vec<u8>, Vec<u8>); 2],
        stamp: Option<Stamp>,
        /// The refusal without a state, if there is one.
        wrong: Option<Code>,
        is_this_chain: bool,
        about: About,
    },
    Alive,
    Signal {
        version: u32,
    },
}

impl Rules for Routers {
    fn tag(&self) -> u16 {
        match self {
            Routers::Bond { .. } => 404,
            Routers::Unbond => 405,
            Routers::CloseTerm { .. } => 406,
            Routers::Move { .. } => 407,
            Routers::Evidence { .. } => 408,
            Routers::Alive => 409,
            Routers::Signal { .. } => 410,
        }
    }

    fn body(&self) -> Vec<u8> {
        match self {
            Routers::Bond { key, vrf_key, amount, proof, .. } => {
                (key, vrf_key, amount, proof).bytes()
            }
            Routers::Unbond | Routers::Alive => Vec::new(),
            Routers::CloseTerm { zone, term } => (zone, term).bytes(),
            Routers::Move { key, vrf_key, proof, .. } => (key, vrf_key, proof).bytes(),
            Routers::Evidence { fault, key, statements: [first, second], stamp, .. } => {
                (fault, key, &first.0, &first.1, &second.0, &second.1, stamp).bytes()
            }
            Routers::Signal { version } => version.bytes(),
        }
    }

    fn check(&self) -> Result<(), Code> {
        match self {
            Routers::Bond { amount, .. } => {
                crate::event::check_amounts(&[amount])?;
                demand(*amount > Money::ZERO, "zones.bond_nothing")
            }
            Routers::Evidence { wrong: Some(code), .. } => Err(code),
            _ => Ok(()),
        }
    }

    fn stamp(&self) -> Option<(Stamp, bool)> {
        match self {
            Routers::Evidence { stamp, .. } => stamp.map(|stamp| (stamp, false)),
            _ => None,
        }
    }

    fn apply(&self, state: &mut State, by: &By) -> Result<(), Code> {
        match self {
            Routers::Bond { key, vrf_key, amount, is_proven, is_vrf_key, .. } => {
                state.bond(by.author, (*key, *vrf_key), amount, (*is_proven, *is_vrf_key))
            }
            Routers::Unbond => state.unbond(by.author),
            Routers::CloseTerm { zone, term } => state.close(by, *zone, *term),
            Routers::Move { key, vrf_key, is_proven, is_vrf_key, .. } => {
                state.change_keys(by.author, (*key, *vrf_key), (*is_proven, *is_vrf_key))
            }
            Routers::Evidence { key, is_this_chain, about, .. } => {
                demand(*is_this_chain, "zones.evidence_chain")?;
                state.report(by.author, *key, *about)
            }
            Routers::Alive => state.alive(by.author),
            Routers::Signal { version } => state.signal(by.author, *version),
        }
    }
}

impl State {
    fn router_of(&mut self, account: Id) -> Result<&mut Router, Code> {
        self.routers.get_mut(&account).ok_or("zones.no_router")
    }

    /// RTR-1, RTR-2.
    fn bond(
        &mut self,
        author: Id,
        (key, vrf_key): (Id, Id),
        amount: &Money,
        (is_proven, is_vrf_key): (bool, bool),
    ) -> Result<(), Code> {
        let known = self.routers.get(&author).cloned();
        demand(known.as_ref().is_none_or(Router::stays), "zones.leaving")?;
        demand(is_vrf_key, "zones.vrf_key")?;
        demand(is_proven, "zones.router_proof")?;
        if let Some(router) = known {
            demand((router.key, router.vrf_key) == (key, vrf_key), "zones.other_keys")?;
        } else {
            let least = Money::from(self.params.router_bond_apt_min) * 1_000_000_000u64;
            demand(*amount >= least, "zones.bond_small")?;
            demand(!self.router_keys.contains_key(&key), "zones.router_key")?;
        }
        let is_new = !self.routers.contains_key(&author);
        if is_new {
            self.note_router_key(author, key)?;
        }
        let (from, to) = (Party::Account(author), Party::Hold(0, author));
        self.shift(from, to, amount, "bond")?;
        if is_new {
            let (now, height) = (self.head.clock, self.head.height);
            self.routers.insert(author, Router::new(key, vrf_key, now, height));
        }
        Ok(())
    }

    /// RTR-3.
    fn note_router_key(&mut self, author: Id, key: Id) -> Result<(), Code> {
        let present = self.node_keys.get(&(author, key));
        if !present.is_some_and(|node| node.role == Role::Router && !node.is_revoked) {
            self.register(author, key, Role::Router)?;
        }
        self.router_keys.insert(key, (author, None));
        Ok(())
    }

    /// RTR-4.
    fn unbond(&mut self, author: Id) -> Result<(), Code> {
        demand(self.router_of(author)?.stays(), "zones.leaving")?;
        self.answers_from_now(author);
        Ok(())
    }

    /// RTR-5.
    pub(crate) fn answers_from_now(&mut self, account: Id) {
        let until = self.head.clock + self.params.router_unbond_ms;
        self.routers.get_mut(&account).expect("a router").leaves = Some(until);
        self.schedule(until, RELEASE, &account);
    }

    /// RTR-5.
    pub(crate) fn release(&mut self, key: &[u8]) -> Result<(), Code> {
        let (account, clock) = (id(key), self.head.clock);
        let Some(router) = self.routers.get(&account).cloned() else { return Ok(()) };
        if router.leaves.is_none_or(|leaves| clock < leaves) {
            return Ok(());
        }
        let again = clock + self.params.epoch_ms;
        if let Some(zone) = router.zone {
            if !self.replace(zone) && !self.abandon(zone) {
                self.schedule(again, RELEASE, key);
            }
            return Ok(());
        }
        let mut validators = self.validators.iter().flatten();
        if validators.any(|(_, key, _)| *key == router.key) {
            self.schedule(again, RELEASE, key);
            return Ok(());
        }
        self.routers.remove(&account);
        self.router_keys.remove(&router.key);
        let bond = self.held(0, &account);
        self.shift(Party::Hold(0, account), Party::Account(account), &bond, "bond back")
    }

    /// RTR-6.
    fn close(&mut self, by: &By, zone: u32, term: u64) -> Result<(), Code> {
        let (clock, params) = (self.head.clock, &self.params);
        let lane = self.lanes.get(&zone).ok_or("zones.no_zone")?;
        demand(lane.is_governed && lane.router == by.author, "zones.other_router")?;
        demand(lane.term == term, "zones.other_term")?;
        demand(clock >= lane.opened + params.term_ms_min, "zones.term_young")?;
        let is_noted = |(key, _): &(Id, Time)| *key == lane.key;
        if by.role == Role::Router && self.closed_terms.get(&(zone, term - 1)).is_some_and(is_noted)
        {
            demand(clock >= lane.opened + params.router_alive_ms, "zones.term_young")?;
        }
        self.close_term(zone);
        Ok(())
    }

    /// RTR-7.
    pub(crate) fn close_term(&mut self, zone: u32) {
        let (clock, until) = (self.head.clock, self.head.clock + self.params.router_unbond_ms);
        let lane = self.lanes[&zone].clone();
        if lane.is_governed {
            self.closed_terms.insert((zone, lane.term), (lane.key, until));
            let key = [&zone.to_be_bytes()[..], &lane.term.to_be_bytes()].concat();
            self.schedule(until, FORGET_TERM, &key);
        }
        let lane = self.lanes.get_mut(&zone).expect("a lane");
        lane.term += 1;
        lane.height = 0;
        lane.tip = [0; 32];
        lane.opened = clock;
    }

    /// RTR-7.
    pub(crate) fn forget_term(&mut self, key: &[u8]) {
        let (zone, term) = key.split_at(4);
        let zone = u32::from_be_bytes(zone.try_into().expect("a zone"));
        let term = u64::from_be_bytes(term.try_into().expect("a term"));
        let clock = self.head.clock;
        if self.closed_terms.get(&(zone, term)).is_some_and(|(_, until)| *until <= clock) {
            self.closed_terms.remove(&(zone, term));
        }
    }

    /// RTR-9.
    fn change_keys(
        &mut self,
        author: Id,
        (key, vrf_key): (Id, Id),
        (is_proven, is_vrf_key): (bool, bool),
    ) -> Result<(), Code> {
        let (clock, epoch) = (self.head.clock, self.params.epoch_ms);
        let router = self.router_of(author)?;
        demand(router.stays(), "zones.leaving")?;
        demand(router.moved.is_none_or(|moved| clock >= moved + epoch), "zones.move_early")?;
        demand(is_vrf_key, "zones.vrf_key")?;
        demand(is_proven, "zones.router_proof")?;
        demand(!self.router_keys.contains_key(&key), "zones.router_key")?;
        self.note_router_key(author, key)?;
        let router = self.routers.get_mut(&author).expect("a router");
        let (old, zone) = (router.key, router.zone);
        (router.key, router.vrf_key, router.moved) = (key, vrf_key, Some(clock));
        if self.node_keys.get(&(author, old)).is_some_and(|node| !node.is_revoked) {
            let allowance = self.node_keys[&(author, old)].allowance.clone();
            let (from, to) = (Party::Allowance(author, old), Party::Account(author));
            self.shift(from, to, &allowance, "allowance back")?;
            self.node_keys.get_mut(&(author, old)).expect("a key").is_revoked = true;
        }
        let until = self.head.clock + self.params.router_unbond_ms;
        self.router_keys.insert(old, (author, Some((self.head.height + 1, until))));
        self.schedule(until, FORGET_KEY, &old);
        for validator in &mut self.validators[1] {
            if validator.1 == old {
                *validator = (validator.0, key, vrf_key);
            }
        }
        self.validators[1].sort();
        if let Some(zone) = zone {
            self.close_term(zone);
            self.lanes.get_mut(&zone).expect("a lane").key = key;
        }
        Ok(())
    }

    /// RTR-9.
    pub(crate) fn forget_key(&mut self, key: &[u8]) {
        let (key, clock) = (id(key), self.head.clock);
        if let Some((_, Some((_, until)))) = self.router_keys.get(&key)
            && *until <= clock
        {
            self.router_keys.remove(&key);
        }
    }

    /// RTR-17.
    fn report(&mut self, reporter: Id, key: Id, about: About) -> Result<(), Code> {
        let (account, past) = *self.router_keys.get(&key).ok_or("zones.evidence_key")?;
        let router = self.routers.get(&account).ok_or("zones.evidence_key")?.clone();
        demand(!router.is_out, "zones.evidence_known")?;
        let clock = self.head.clock;
        let answers = match about {
            About::Term { zone, term } => {
                let lane = self.lanes.get(&zone);
                let is_now = lane.is_some_and(|l| l.term == term && l.is_governed && l.key == key);
                let closed = self.closed_terms.get(&(zone, term));
                is_now || closed.is_some_and(|(of, until)| *of == key && clock < *until)
            }
            About::Height(height) => {
                past.is_none_or(|(last, _)| height <= last)
                    && height > router.since
                    && self.oldest().is_none_or(|oldest| height > oldest)
            }
        };
        demand(answers, "zones.evidence_old")?;
        let bond = self.held(0, &account);
        let reward = &bond / 20u8;
        let rest = &bond - &reward;
        self.shift(Party::Hold(0, account), Party::Account(reporter), &reward, "evidence")?;
        self.shift(Party::Hold(0, account), Party::Burned, &rest, "bond burned")?;
        self.put_out(account);
        Ok(())
    }

    /// The last height of the epoch before the one in which the window begins.
    fn oldest(&self) -> Option<u64> {
        let passed = self.head.clock - self.head.clock_start - self.params.router_unbond_ms;
        let epoch = passed.div_euclid(self.params.epoch_ms) - 1;
        if passed <= 0 || epoch < 0 {
            return None;
        }
        let row = crate::rows::number(10, &[&(epoch as u64).to_be_bytes()]);
        let record = self.records_of_epochs.get(&row)?;
        Some(u64::from_le_bytes(record[..8].try_into().expect("a height")))
    }

    /// RTR-10.
    fn alive(&mut self, author: Id) -> Result<(), Code> {
        let (clock, pause) = (self.head.clock, self.params.router_alive_ms);
        let zone = self.router_of(author)?.zone;
        let heard = match zone {
            Some(zone) => &mut self.lanes.get_mut(&zone).expect("a lane").heard,
            None => &mut self.router_of(author)?.heard,
        };
        demand(clock >= *heard + pause, "zones.alive_early")?;
        *heard = clock;
        Ok(())
    }

    /// RTR-18.
    fn signal(&mut self, author: Id, version: u32) -> Result<(), Code> {
        let (clock, pause) = (self.head.clock, self.params.router_alive_ms);
        let router = self.router_of(author)?;
        demand(clock >= router.signalled + pause, "zones.signal_early")?;
        (router.signal, router.signalled) = (version, clock);
        Ok(())
    }

    /// CON-4, RTR-20: what an anchor begins with.
    pub(crate) fn begin_of_routers(&mut self) {
        self.validators[0] = self.validators[1].clone();
        if let Some((version, epoch)) = self.protocol.next
            && epoch <= self.head.epoch as u64
        {
            (self.protocol.version, self.protocol.next) = (version, None);
        }
    }

    /// Genesis: a router with its lane, its key and its bond (GEN-3).
    pub(crate) fn start_router(&mut self, zone: &crate::Zone) {
        let time = self.head.clock;
        let mut router = Router::new(zone.key, zone.vrf_key, time, 0);
        router.zone = Some(zone.zone);
        self.routers.insert(zone.router, router);
        self.router_keys.insert(zone.key, (zone.router, None));
        self.lanes.insert(zone.zone, Lane::first(zone.router, zone.key, time));
        self.node_keys.insert((zone.router, zone.key), NodeKey::new(Role::Router));
        let account = crate::accounts::Account::open(time);
        self.accounts.entry(zone.router).or_insert(account);
        self.holds.insert((0, zone.router), zone.bond.clone());
    }
}

/// What whoever writes events wants to know.
impl State {
    /// Routers, their keys, and the zones they govern.
    pub fn router_rows(&self) -> Vec<(Id, Id, Option<u32>)> {
        self.routers.iter().map(|(account, row)| (*account, row.key, row.zone)).collect()
    }

    /// Keys that are a router's, or were.
    pub fn router_keys(&self) -> Vec<Id> {
        self.router_keys.keys().copied().collect()
    }

    /// The term of each lane.
    pub fn lane_terms(&self) -> Vec<(u32, u64)> {
        self.lanes.iter().map(|(zone, lane)| (*zone, lane.term)).collect()
    }

    /// Zones whose lanes have a router.
    pub fn governed_zones(&self) -> Vec<u32> {
        let governed = self.lanes.iter().filter(|(_, lane)| lane.is_governed);
        governed.map(|(zone, _)| *zone).collect()
    }

    /// The last height.
    pub fn height(&self) -> u64 {
        self.head.height
    }

    /// Whether a key is the one of now of the router that this account is.
    pub(crate) fn is_router_key(&self, account: &Id, key: &Id) -> bool {
        self.router_keys.get(key) == Some(&(*account, None))
    }
}

/// What a router key signs to show that somebody holds it (RTR-1).
pub fn router_digest(chain: &Id, account: &Id, vrf_key: &Id) -> Id {
    hash("ddt v1 router proof", &[chain, account, vrf_key])
}
