//! The world: virtual time, one queue of events, and everything in it.

use std::collections::BTreeMap;
use std::rc::Rc;

use ddt_ledger::fault::{FaultKind, StoreFault};
use ddt_ledger::system::Lane;
use ddt_ledger::{Millis, Zone};
use ddt_tests::network::START;

use crate::clients::Client;
use crate::engine::{Command, Engine, View};
use crate::facts::{Fact, Out};
use crate::message::{Endpoint, Message};
use crate::network::Network;
use crate::random::Random;
use crate::router::{Disks, Router, Task};
use crate::town::Town;
use crate::trace::Trace;
use crate::traitor::Traitor;
use crate::truth::Truth;

/// The engine looks around this often.
const POLL_MS: Millis = Millis(50);

/// Something that happens at a moment.
pub(crate) enum Event {
    Deliver { from: Endpoint, to: Endpoint, message: Message },
    Task { router: Endpoint, life: u64, task: Task },
    Restart { router: Endpoint, life: u64 },
    Poll,
    Client(usize),
    Chaos,
}

/// A router's place: its disks stay when it dies.
pub(crate) struct Seat {
    pub disks: Disks,
    pub router: Option<Router>,
    /// Tasks of an earlier life are nobody's.
    pub life: u64,
    /// How far its clock is ahead.
    pub skew: Millis,
    pub is_member: bool,
    /// A bit of its disks was flipped; whoever reads it will notice, perhaps much later.
    pub is_flipped: bool,
    pub is_full: bool,
}

/// How often what happened.
pub type Counts = BTreeMap<&'static str, u64>;

/// A network of routers and clients.
pub struct World {
    pub(crate) random: Random,
    pub(crate) now: Millis,
    queue: BTreeMap<(Millis, u64), Event>,
    sequence: u64,
    pub(crate) town: Rc<Town>,
    pub(crate) seats: Vec<Seat>,
    pub(crate) network: Network,
    pub(crate) engine: Engine,
    clients: Vec<Client>,
    /// At most one, and only where f routers may be lost.
    pub(crate) traitor: Option<Traitor>,
    pub(crate) truth: Truth,
    pub(crate) trace: Trace,
    pub(crate) is_calm: bool,
    /// Longest time between two things that go wrong.
    pub(crate) chaos_ms_max: u64,
    pub(crate) counts: Counts,
}

impl World {
    /// A new network, as this seed wants it.
    pub fn new(seed: u64) -> Result<World, String> {
        let mut random = Random::new(seed);
        let routers = random.between(3, 5) as usize;
        let client_count = random.between(2, 6) as usize;
        let town = Rc::new(Town::new((routers, client_count), &mut random));
        let chain = town.chain;
        let traitor = Traitor::of(seed, &town);
        let chaos_ms_max = random.between(500, 8_000);
        let mut world = World {
            network: Network::of(&mut random),
            random,
            now: START,
            queue: BTreeMap::new(),
            sequence: 0,
            town,
            seats: Vec::new(),
            engine: Engine::new(routers),
            clients: (0..client_count).map(|number| Client::new(number, chain)).collect(),
            truth: Truth::new(traitor.as_ref().map(|traitor| traitor.seat)),
            traitor,
            trace: Trace::default(),
            is_calm: false,
            chaos_ms_max,
            counts: Counts::new(),
        };
        world.begin(routers)?;
        Ok(world)
    }

    fn begin(&mut self, routers: usize) -> Result<(), String> {
        for number in 0..routers {
            let skew = Millis(self.random.below(600));
            self.seats.push(Seat {
                disks: Disks::default(),
                router: None,
                life: 0,
                skew,
                is_member: true,
                is_flipped: false,
                is_full: false,
            });
            self.restart(number)?;
        }
        for client in 0..self.clients.len() {
            self.after(Millis(client as u64), Event::Client(client));
        }
        self.after(POLL_MS, Event::Poll);
        self.after(Millis(500), Event::Chaos);
        Ok(())
    }

    pub(crate) fn after(&mut self, delay: Millis, event: Event) {
        self.sequence += 1;
        self.queue.insert((self.now.plus(delay), self.sequence), event);
    }

    pub(crate) fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// What a router's clock says.
    pub(crate) fn clock(&self, router: Endpoint) -> Millis {
        self.now.plus(self.seats[router].skew)
    }

    /// One event happens; then every promise must hold.
    pub fn step(&mut self) -> Result<(), String> {
        let Some(((at, _), event)) = self.queue.pop_first() else {
            return Err("nothing happens any more".to_string());
        };
        self.now = at;
        match event {
            Event::Deliver { from, to, message } => self.deliver(from, to, message),
            Event::Task { router, life, task } => self.perform(router, life, task),
            Event::Restart { router, life } => match self.seats[router].life == life {
                true => self.restart(router),
                false => Ok(()),
            },
            Event::Poll => self.poll(),
            Event::Client(client) => {
                self.tick_client(client);
                Ok(())
            }
            Event::Chaos => self.chaos(),
        }
    }

    fn deliver(&mut self, from: Endpoint, to: Endpoint, message: Message) -> Result<(), String> {
        let (name, routers) = (message.name(), self.seats.len());
        if let (Some(client), Message::Reply { event, answer }) =
            (to.checked_sub(routers), &message)
        {
            let is_said = self.truth.told(*event, answer);
            if let Some(client) = self.clients.get_mut(client) {
                client.hear(*event, answer);
            }
            return is_said;
        }
        self.note(format!("{from}>{to} {name}"));
        let now = if to < routers { self.clock(to) } else { return Ok(()) };
        let mut out = Vec::new();
        let Some(router) = self.seats[to].router.as_mut() else { return Ok(()) };
        let done = router.receive(now, from, message, &mut out);
        self.finish(to, done, out)
    }

    fn perform(&mut self, router: Endpoint, life: u64, task: Task) -> Result<(), String> {
        let now = self.clock(router);
        let seat = &mut self.seats[router];
        let Some(running) = seat.router.as_mut().filter(|_| seat.life == life) else {
            return Ok(());
        };
        let mut out = Vec::new();
        let done = running.perform(now, task, &mut out);
        self.finish(router, done, out)
    }

    /// Spreads what came out of a router, and judges it. A router with a fault ends.
    pub(crate) fn finish(
        &mut self,
        from: Endpoint,
        done: Result<(), StoreFault>,
        out: Vec<Out>,
    ) -> Result<(), String> {
        for out in self.twisted(from, out) {
            match out {
                Out::Send(to, message) => self.send(from, to, message),
                Out::ToRouters(message) => {
                    for to in (0..self.seats.len()).filter(|to| *to != from) {
                        self.send(from, to, message.clone());
                    }
                }
                Out::Later(delay, task) => {
                    let life = self.seats[from].life;
                    self.after(delay, Event::Task { router: from, life, task });
                }
                Out::Fact(fact) => {
                    self.note(format!("{from}! {fact:?}"));
                    self.check_decided(&fact)?;
                    self.truth.judge(from, fact)?;
                }
                Out::Engine(input) => {
                    let command = self.engine.hear(self.now, input);
                    self.command(command)?;
                }
            }
        }
        if let Err(fault) = done {
            return self.failed(from, &fault);
        }
        self.seats[from].router.as_ref().map_or(Ok(()), Router::check_bounds)
    }

    /// What leaves a router: as its machines want it, unless it is a traitor.
    fn twisted(&mut self, from: Endpoint, out: Vec<Out>) -> Vec<Out> {
        let clients = self.clients.len();
        match self.traitor.as_mut().filter(|traitor| traitor.seat == from) {
            Some(traitor) => out.into_iter().flat_map(|out| traitor.twist(clients, out)).collect(),
            None => out,
        }
    }

    /// Only what consensus decided is committed.
    fn check_decided(&self, fact: &Fact) -> Result<(), String> {
        let Fact::Committed { height, anchor, .. } = fact else { return Ok(()) };
        let decided = self.engine.decided.get(height).map(|decided| decided.certificate.anchor);
        match decided == Some(*anchor) {
            true => Ok(()),
            false => Err(format!("{anchor} was committed at {height}, {decided:?} decided")),
        }
    }

    pub(crate) fn note(&mut self, words: String) {
        let mut words = format!("{} {words}", self.now.since(START).0);
        words.truncate(300);
        self.trace.note(words);
    }

    pub(crate) fn send(&mut self, from: Endpoint, to: Endpoint, message: Message) {
        for arrival in self.network.carry(from, to, &mut self.random) {
            let mut message = message.clone();
            if let Some(at) = arrival.garbled_at {
                message.garble(at);
            }
            self.after(arrival.delay, Event::Deliver { from, to, message });
        }
    }

    fn poll(&mut self) -> Result<(), String> {
        self.after(POLL_MS, Event::Poll);
        let (leader, height) = (self.engine.leader(), self.engine.height);
        let mut view = View { is_leader_ready: false, is_wanted: false };
        for number in 0..self.seats.len() {
            let now = self.clock(number);
            let Some(router) = self.seats[number].router.as_mut() else { continue };
            let is_ready = router.is_member && router.height() + 1 == height;
            if is_ready && router.wants_anchor(now) {
                view.is_wanted = true;
                view.is_leader_ready |= number == leader;
            }
        }
        self.tell_again(height)?;
        let command = self.engine.poll(self.now, &view, &mut self.random);
        self.command(command)
    }

    /// Until a quorum has committed it, a decision reaches one more router now and then: the
    /// real engine keeps it on as many disks.
    fn tell_again(&mut self, height: u64) -> Result<(), String> {
        let Some(decided) = self.engine.decided.get(&(height - 1)).cloned() else { return Ok(()) };
        let committed =
            |seat: &&Seat| seat.router.as_ref().is_some_and(|router| router.height() + 1 >= height);
        let count = self.seats.iter().filter(committed).count();
        if count < self.engine.quorum() && self.random.chance(50) {
            let to = self.random.place(self.seats.len());
            self.hand(to, Box::new(decided))?;
        }
        Ok(())
    }

    /// Consensus tells its own router what was decided.
    fn hand(
        &mut self,
        to: Endpoint,
        decided: Box<ddt_core::follower::Decided>,
    ) -> Result<(), String> {
        let now = self.clock(to);
        let Some(router) = self.seats[to].router.as_mut() else { return Ok(()) };
        let mut out = Vec::new();
        let done = router.receive(now, to, Message::Decided(decided), &mut out);
        self.finish(to, done, out)
    }

    fn command(&mut self, command: Option<Command>) -> Result<(), String> {
        match command {
            None => Ok(()),
            Some(Command::AskTime(leader)) => {
                let now = self.clock(leader);
                let Some(router) = &self.seats[leader].router else { return Ok(()) };
                let (height, previous) = (router.height() + 1, router.book.head().0.anchor);
                let statement = router.statement(height, &previous, now);
                for to in (0..self.seats.len()).filter(|to| *to != leader) {
                    self.send(leader, to, Message::AskTime { height, previous });
                }
                let input = crate::engine::Input::Time { leader, height, statement };
                let command = self.engine.hear(self.now, input);
                self.command(command)
            }
            Some(Command::Propose(leader, statements)) => {
                let (height, round, now) =
                    (self.engine.height, self.engine.round, self.clock(leader));
                let Some(router) = self.seats[leader].router.as_mut() else { return Ok(()) };
                let traitor = self.traitor.as_mut().filter(|traitor| traitor.seat == leader);
                router.tempting = traitor.and_then(Traitor::tempting);
                let mut out = Vec::new();
                let made = router.propose(height, round, statements, &mut out);
                let done = match made {
                    Ok(Some(proposal)) => {
                        self.engine.sent(&proposal);
                        let message = Message::Proposal(Box::new(proposal.clone()));
                        out.push(Out::ToRouters(message));
                        router.proposed(now, proposal, &mut out)
                    }
                    Ok(None) => Ok(()),
                    Err(fault) => Err(fault),
                };
                self.finish(leader, done, out)
            }
            Some(Command::Tell(leader, decided)) => {
                self.note(format!("decided {}", decided.certificate.height));
                for to in (0..self.seats.len()).filter(|to| *to != leader) {
                    self.send(leader, to, Message::Decided(decided.clone()));
                }
                self.hand(leader, decided)
            }
        }
    }

    fn tick_client(&mut self, number: usize) {
        let delay = Millis(self.random.between(20, 400));
        self.after(delay, Event::Client(number));
        let (now, routers, clients) = (self.now, self.seats.len(), self.clients.len());
        let client = &mut self.clients[number];
        let sent = client.tick(now, (routers, clients), self.is_calm, &mut self.random);
        for (to, message) in sent {
            self.send(routers + number, to, message);
        }
    }

    /// What is still open although the world is calm; `None` when nothing is.
    pub(crate) fn open(&self) -> Option<String> {
        let waiting = self.clients.iter().filter(|client| !client.is_idle()).count();
        let steady = self.steady();
        let term_of = |zone| self.term_of(zone);
        let promises = self.truth.open_promises(|router| steady.contains(&router), term_of);
        let height = |seat: &Seat| seat.router.as_ref().map(Router::height);
        let heights: Vec<Option<u64>> = self.seats.iter().map(height).collect();
        let is_level = heights.iter().all(|height| *height == Some(self.engine.height - 1));
        let height = self.engine.height;
        if waiting > 0 || promises > 0 || !is_level {
            return Some(format!(
                "{waiting} clients, {promises} promises, at {heights:?} before {height}"
            ));
        }
        let router = self.seats.first().and_then(|seat| seat.router.as_ref());
        let due = router.map_or(Ok(0), |router| router.overdue(&steady));
        due.map_or(Some("a book that cannot be read".to_string()), |due| {
            (due > 0).then(|| format!("{due} renewals and heartbeats that are due"))
        })
    }

    /// The routers that have their data and keep the rules.
    /// The term of a lane, as the router that is furthest knows it.
    fn term_of(&self, zone: Zone) -> u64 {
        let routers = self.seats.iter().filter_map(|seat| seat.router.as_ref());
        let furthest = routers.max_by_key(|router| router.height());
        let lane = furthest.and_then(|router| Lane::read(&router.book.snapshot().ok()?, zone));
        lane.map_or(1, |lane| lane.term)
    }

    fn steady(&self) -> Vec<Endpoint> {
        let is_traitor = |seat: usize| self.truth.traitor == Some(seat);
        let seats = 0..self.seats.len();
        seats.filter(|seat| self.seats[*seat].is_member && !is_traitor(*seat)).collect()
    }

    /// What this run saw.
    pub(crate) fn report(&self, steps: u64) -> crate::Report {
        let mut counts = self.counts.clone();
        let (anchors, events, promises) = self.truth.counts();
        counts.insert("anchors", anchors as u64);
        counts.insert("events executed", events as u64);
        counts.insert("domains bought", self.truth.reveals);
        counts.insert("terms closed", self.truth.closings);
        counts.insert("promises", promises as u64);
        counts.extend(self.truth.chores.iter().map(|(event, count)| (*event, *count)));
        counts
            .extend(self.traitor.as_ref().map(|traitor| ("places signed twice", traitor.count())));
        counts.insert("evidence", self.truth.evidence());
        counts.extend(self.truth.refusals.iter().map(|(why, count)| (*why, *count)));
        let virtual_ms = self.now.since(START).0;
        crate::Report { steps, virtual_ms, trace: self.trace.hash(), counts }
    }

    /// Whether the power of a router went in the middle of a write.
    pub(crate) fn is_dead(&self, router: Endpoint) -> bool {
        let disks = &self.seats[router].disks;
        disks.book.is_dead() || disks.lanes.is_dead() || disks.agents.is_dead()
    }

    /// Whether a fault of this kind has a cause here.
    pub(crate) fn is_expected(&self, router: Endpoint, fault: &StoreFault) -> bool {
        let seat = &self.seats[router];
        let is_full = seat.is_full && fault.kind == FaultKind::Full;
        self.is_dead(router) || seat.is_flipped || is_full
    }
}
