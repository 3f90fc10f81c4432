//! Everything that goes wrong: power cuts, kills, full disks, flipped bits, partitions,
//! clocks; and the calm in which all must come to its end.

use ddt_ledger::Millis;
use ddt_ledger::fault::{FaultKind, StoreFault};

use crate::liar;
use crate::message::{Endpoint, Message};
use crate::network::Network;
use crate::router::{Disks, Router};
use crate::world::{Event, World};

/// A calm that is longer than this, in virtual time, is a standstill.
const CALM_MS_MAX: u64 = 180_000;

impl World {
    /// A router's process is there again, on what its disks hold.
    pub(crate) fn restart(&mut self, number: Endpoint) -> Result<(), String> {
        if self.seats[number].router.is_some() {
            return Ok(());
        }
        let is_new = self.seats[number].disks.book.is_empty();
        match self.open_router(number) {
            Ok(router) => {
                self.note(format!("{number} starts at {}", router.height()));
                self.truth.check_restarted(&router, is_new)?;
                let now = self.clock(number);
                self.seats[number].router = Some(router);
                let mut out = Vec::new();
                let Some(router) = self.seats[number].router.as_mut() else { return Ok(()) };
                let done = router.begin(now, &mut out);
                self.finish(number, done, out)
            }
            Err(_) if self.is_dead(number) => {
                self.end(number, true);
                Ok(())
            }
            Err(fault) if self.seats[number].is_full && fault.kind == FaultKind::Full => {
                self.down(number, 2_000);
                Ok(())
            }
            Err(fault) if self.seats[number].is_flipped => {
                self.note(format!("{number} finds its disk damaged: {fault}"));
                self.count("flips found");
                self.lose(number);
                self.restart(number)
            }
            Err(fault) => Err(format!("router {number} does not start: {fault}")),
        }
    }

    fn open_router(&mut self, number: Endpoint) -> Result<Router, StoreFault> {
        let now = self.clock(number);
        let disk_ms = self.random.between(1, 30);
        let seat = &self.seats[number];
        Router::open(&self.town, (number, seat.is_member, disk_ms), &seat.disks, now)
    }

    /// A router lost its data for ever: from now on it only follows.
    fn lose(&mut self, number: Endpoint) {
        let seat = &mut self.seats[number];
        seat.disks = Disks::default();
        seat.is_member = false;
        seat.is_flipped = false;
    }

    /// A router ended with a fault.
    pub(crate) fn failed(&mut self, number: Endpoint, fault: &StoreFault) -> Result<(), String> {
        if !self.is_expected(number, fault) {
            return Err(format!("router {number}: {fault}"));
        }
        self.note(format!("{number} ends: {fault}"));
        let is_damage = self.seats[number].is_flipped && fault.kind == FaultKind::Damaged;
        self.end(number, self.is_dead(number));
        if is_damage {
            self.count("flips found");
            self.lose(number);
        }
        Ok(())
    }

    /// A router's process ends; with the power, if it is cut.
    fn end(&mut self, number: Endpoint, is_cut: bool) {
        let (seat, random) = (&mut self.seats[number], &mut self.random);
        for disk in [&mut seat.disks.book, &mut seat.disks.lanes, &mut seat.disks.agents] {
            match is_cut {
                true => disk.cut(random),
                false => disk.kill(),
            }
            disk.set_full(seat.is_full);
        }
        self.count(if is_cut { "power cuts" } else { "kills" });
        let wait = self.random.between(10, 8_000);
        self.down(number, wait);
    }

    fn down(&mut self, number: Endpoint, wait: u64) {
        let seat = &mut self.seats[number];
        seat.router = None;
        seat.life += 1;
        let life = seat.life;
        self.after(Millis(wait), Event::Restart { router: number, life });
    }

    /// Something goes wrong, or right again.
    pub(crate) fn chaos(&mut self) -> Result<(), String> {
        let wait = Millis(self.random.between(50, self.chaos_ms_max));
        self.after(wait, Event::Chaos);
        if self.is_calm {
            return Ok(());
        }
        let number = self.random.place(self.seats.len());
        match self.random.below(23) {
            0..=2 => self.strike(number, true),
            3..=4 => self.strike(number, false),
            5..=8 => {
                let syncs = self.random.below(12);
                let choice = self.random.below(10);
                let disks = &self.seats[number].disks;
                match choice {
                    0..=4 => disks.lanes.arm(syncs),
                    5 => disks.agents.arm(syncs / 3),
                    _ => disks.book.arm(syncs),
                }
                self.note(format!("{number} power goes in {syncs} syncs"));
            }
            9..=11 => self.part(),
            12..=13 => self.network.parted.clear(),
            14 => self.network = Network::of(&mut self.random),
            15 => self.fill(number),
            16 => {
                self.seats[number].skew = Millis(self.random.below(1_500));
                self.count("clock jumps");
            }
            17 => self.flip(number),
            18 => self.stop(number),
            20..=22 => return self.close_term(number),
            _ => self.lie(number),
        }
        Ok(())
    }

    /// The term of some lane is to close, says its router through this one.
    fn close_term(&mut self, through: Endpoint) -> Result<(), String> {
        let whose = self.random.place(self.seats.len());
        let now = self.clock(through);
        let Some(router) = self.seats[through].router.as_mut() else { return Ok(()) };
        let mut out = Vec::new();
        let done = router.close_term(now, whose, &mut out);
        self.count("terms to close");
        self.finish(through, done, out)
    }

    fn strike(&mut self, number: Endpoint, is_cut: bool) {
        if self.seats[number].router.is_some() {
            self.note(format!("{number} {}", if is_cut { "power cut" } else { "kill" }));
            self.end(number, is_cut);
        }
    }

    /// A router ends in order: its stores are closed.
    fn stop(&mut self, number: Endpoint) {
        if self.seats[number].router.take().is_some() {
            self.note(format!("{number} stops"));
            self.count("stops");
            match self.is_dead(number) {
                true => self.end(number, true),
                false => self.down(number, 1_000),
            }
        }
    }

    /// Somebody tells a router of an anchor that nobody decided.
    fn lie(&mut self, to: Endpoint) {
        let Some(height) = self.seats[to].router.as_ref().map(Router::height) else { return };
        let lie = liar::invent(&self.town, &self.engine, height + 1, &mut self.random);
        if let Some(lie) = lie {
            let from = self.random.place(self.seats.len());
            self.count("lies");
            self.send(from, to, Message::Decided(Box::new(lie)));
        }
    }

    fn part(&mut self) {
        let routers = 0..self.seats.len();
        let random = &mut self.random;
        self.network.parted = routers.filter(|_| random.chance(400)).collect();
        self.count("partitions");
    }

    fn fill(&mut self, number: Endpoint) {
        let seat = &mut self.seats[number];
        seat.is_full = !seat.is_full;
        seat.disks.book.set_full(seat.is_full);
        seat.disks.lanes.set_full(seat.is_full);
        seat.disks.agents.set_full(seat.is_full);
        self.count("full disks");
    }

    /// A bit flips on the disk of a router that is down. At most f routers may lose their data.
    fn flip(&mut self, number: Endpoint) {
        // A bit may be found out much later: until then the router counts as one that is lost.
        let lost = self.seats.iter().filter(|seat| !seat.is_member || seat.is_flipped).count();
        let lost = lost + usize::from(self.traitor.is_some());
        let spare = (self.seats.len() - 1) / 3;
        if self.seats[number].router.is_some() {
            self.strike(number, false);
        }
        if lost >= spare || !self.seats[number].is_member {
            return;
        }
        let disks = self.seats[number].disks.clone();
        let lanes = self.random.chance(500);
        let disk = if lanes { disks.lanes } else { disks.book };
        if disk.flip(&mut self.random) {
            self.seats[number].is_flipped = true;
            self.note(format!("{number} a bit flips"));
            self.count("flips");
        }
    }

    /// Everything that went wrong is over: now all must come to its end.
    pub fn settle(&mut self) -> Result<(), String> {
        self.is_calm = true;
        self.network.heal();
        for number in 0..self.seats.len() {
            let seat = &mut self.seats[number];
            seat.is_full = false;
            for disk in [&seat.disks.book, &seat.disks.lanes, &seat.disks.agents] {
                disk.set_full(false);
                disk.disarm();
            }
            if self.is_dead(number) {
                self.end(number, true);
            }
            self.restart(number)?;
        }
        let end = self.now.plus(Millis(CALM_MS_MAX));
        while let Some(open) = self.open() {
            if self.now > end {
                return Err(format!("a standstill: {open}"));
            }
            self.step()?;
        }
        self.count("calms");
        self.is_calm = false;
        self.network = Network::of(&mut self.random);
        Ok(())
    }
}
