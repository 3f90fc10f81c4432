//! Members of zones and their addresses (ZON).

use crate::Code;
use crate::canonical::{Canonical, Id, Time, hash};
use crate::event::{Role, Rules};
use crate::stamps::Stamp;
use crate::state::{By, State, demand, id};

#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub zone: u32,
    /// Where the sign-up was sequenced.
    pub lane: u32,
    pub number: u64,
    pub joined: Time,
    pub seen: Time,
    pub node_key: Option<Id>,
    pub address: Option<[u8; 20]>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Seats {
    pub members: u32,
    pub newcomers: u32,
}

/// Events of zones.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // docs/spec/zones.md says what each is.
pub enum Zones {
    SignUp { zone: u32, node_key: Option<Id>, stamp: Option<Stamp> },
    Heartbeat { stamp: Option<Stamp> },
    Leave { stamp: Option<Stamp> },
}

impl Zones {
    pub(crate) fn stamp_mut(&mut self) -> &mut Option<Stamp> {
        let (Zones::SignUp { stamp, .. } | Zones::Heartbeat { stamp } | Zones::Leave { stamp }) =
            self;
        stamp
    }
}

impl Rules for Zones {
    fn tag(&self) -> u16 {
        match self {
            Zones::SignUp { .. } => 401,
            Zones::Heartbeat { .. } => 402,
            Zones::Leave { .. } => 403,
        }
    }

    fn body(&self) -> Vec<u8> {
        match self {
            Zones::SignUp { zone, node_key, stamp } => (zone, node_key, stamp).bytes(),
            Zones::Heartbeat { stamp } | Zones::Leave { stamp } => stamp.bytes(),
        }
    }

    fn check(&self) -> Result<(), Code> {
        Ok(())
    }

    fn stamp(&self) -> Option<(Stamp, bool)> {
        let (Zones::SignUp { stamp, .. } | Zones::Heartbeat { stamp } | Zones::Leave { stamp }) =
            self;
        stamp.map(|stamp| (stamp, false))
    }

    fn apply(&self, state: &mut State, by: &By) -> Result<(), Code> {
        match self {
            Zones::SignUp { zone, node_key, .. } => state.sign_up(by, *zone, *node_key),
            Zones::Heartbeat { .. } => {
                let (clock, pause) = (state.head.clock, state.params.heartbeat_ms);
                let member = state.members.get_mut(&by.author).ok_or("zones.no_member")?;
                demand(clock >= member.seen + pause, "zones.too_often")?;
                member.seen = clock;
                state.merge(&by.author);
                Ok(())
            }
            Zones::Leave { .. } => {
                let member = state.members.get(&by.author).ok_or("zones.no_member")?;
                let look = member.joined + state.params.lease_ms;
                state.remove_member(&by.author);
                state.unschedule(look, 402, &by.author);
                Ok(())
            }
        }
    }
}

impl State {
    /// ZON-1 … ZON-4.
    fn sign_up(&mut self, by: &By, zone: u32, node_key: Option<Id>) -> Result<(), Code> {
        let is_governed = self.lanes.get(&zone).ok_or("zones.no_zone")?.is_governed;
        let guest = self.members.get(&by.author).map(|member| member.zone);
        let is_guest = guest.is_some_and(|zone| !self.lanes[&zone].is_governed);
        demand(guest.is_none() || is_guest, "zones.member_already")?;
        demand(is_governed, "zones.ungoverned")?;
        let (all, seats) = (self.params.zone_seats, self.seats.entry(zone).or_default());
        demand(seats.members < all, "zones.full")?;
        demand(seats.newcomers < all / 4, "zones.newcomers_full")?;
        seats.members += 1;
        seats.newcomers += 1;
        if let Some(key) = node_key {
            self.name_node_key(by.author, key)?;
        }
        // ZON-10
        if let Some(old) = guest {
            let seats = self.seats.get_mut(&old).expect("seats");
            seats.members -= 1;
            seats.newcomers -= 1;
            let member = self.members.get_mut(&by.author).expect("a member");
            member.zone = zone;
            member.node_key = node_key.or(member.node_key);
            return Ok(());
        }
        let (joined, seen) = (self.head.clock, self.head.clock);
        let (lane, number, address) = (by.zone, by.number, None);
        let member = Member { zone, lane, number, joined, seen, node_key, address };
        self.members.insert(by.author, member);
        self.schedule(joined + 1, 401, &by.author);
        self.schedule(joined + self.params.lease_ms, 402, &by.author);
        Ok(())
    }

    /// ZON-12.
    fn merge(&mut self, author: &Id) {
        let own = self.members[author].zone;
        let lane = &self.lanes[&own];
        if lane.is_governed || self.head.clock < lane.opened + self.params.epoch_ms {
            return;
        }
        let others = self.lanes.iter().filter(|(zone, _)| **zone != own);
        // Zones after one's own come first.
        let mut others: Vec<(bool, u32)> = others.map(|(zone, _)| (*zone < own, *zone)).collect();
        others.sort();
        others.truncate(16);
        let all = self.params.zone_seats;
        let is_open = |zone: &u32| {
            let seats = self.seats.get(zone).cloned().unwrap_or_default();
            self.lanes[zone].is_governed && seats.members < all && seats.newcomers < all / 4
        };
        let Some(zone) = others.into_iter().map(|(_, zone)| zone).find(is_open) else { return };
        for (zone, change) in [(own, -1), (zone, 1)] {
            let seats = self.seats.entry(zone).or_default();
            seats.members = seats.members.checked_add_signed(change).expect("seats");
            seats.newcomers = seats.newcomers.checked_add_signed(change).expect("seats");
        }
        self.members.get_mut(author).expect("a member").zone = zone;
        self.merged += 1;
    }

    /// ZON-3.
    fn name_node_key(&mut self, account: Id, key: Id) -> Result<(), Code> {
        let present = self.node_keys.get(&(account, key));
        if present.is_some_and(|node| node.role == Role::Node && !node.is_revoked) {
            return Ok(());
        }
        let count = self.node_keys.keys().filter(|(of, _)| *of == account).count();
        demand(count < 8, "zones.node_keys")?;
        self.register(account, key, Role::Node)
    }

    /// ZON-4.
    pub(crate) fn draw_address(&mut self, key: &[u8]) -> Result<(), Code> {
        let account = id(key);
        let (beacon, clock) = (self.head.beacon, self.head.clock);
        let Some(member) = self.members.get_mut(&account) else { return Ok(()) };
        if member.address.is_some() || clock <= member.joined {
            return Ok(());
        }
        let place = (member.lane, member.number).bytes();
        let draw = |attempt: u8| {
            let digest = hash("ddt v1 address", &[&beacon, &account, &place, &[attempt]]);
            digest[..20].try_into().expect("20 bytes")
        };
        let address: [u8; 20] = (0..=u8::MAX)
            .map(draw)
            .find(|address| !self.addresses.contains_key(address))
            .expect("addresses do not meet");
        member.address = Some(address);
        self.addresses.insert(address, account);
        Ok(())
    }

    /// ZON-7.
    pub(crate) fn end_lease(&mut self, key: &[u8]) -> Result<(), Code> {
        let (account, clock, lease) = (id(key), self.head.clock, self.params.lease_ms);
        let Some(member) = self.members.get(&account) else { return Ok(()) };
        let ends = member.seen + lease;
        if clock >= ends {
            self.remove_member(&account);
        } else if clock >= member.joined + lease {
            self.schedule(ends, 402, key);
        }
        Ok(())
    }

    fn remove_member(&mut self, account: &Id) {
        let member = self.members.remove(account).expect("a member");
        if let Some(address) = member.address {
            self.addresses.remove(&address);
        }
        let seats = self.seats.get_mut(&member.zone).expect("seats");
        seats.members -= 1;
        seats.newcomers -= 1;
    }

    /// Accounts that are members.
    pub fn member_accounts(&self) -> Vec<Id> {
        self.members.keys().copied().collect()
    }

    /// Members of zones without a router.
    pub fn guest_accounts(&self) -> Vec<Id> {
        let is_guest = |member: &Member| !self.lanes[&member.zone].is_governed;
        let guests = self.members.iter().filter(|(_, member)| is_guest(member));
        guests.map(|(account, _)| *account).collect()
    }
}
