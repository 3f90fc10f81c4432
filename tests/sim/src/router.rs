//! A router: the real machines and stores, and the thin shell between them.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use ddt_contracts::REGISTRY;
use ddt_core::agents::reveal::RevealConfig;
use ddt_core::availability::{AHEAD_MAX, Availability, AvailabilityConfig, LANE_BYTES_MAX};
use ddt_core::follower::{Decided, Follower, Position};
use ddt_core::mempool::MempoolLimits;
use ddt_core::pacer::Pacer;
use ddt_core::sequencer::{Sequencer, SequencerConfig, Sign};
use ddt_ledger::anchor::{TIPS_MAX, Tip};
use ddt_ledger::fault::StoreFault;
use ddt_ledger::lane::{BlockHeader, CheckedBlock};
use ddt_ledger::store::{BookStore, LaneStore};
use ddt_ledger::system::{Lane, Validators, next_deadline, params};
use ddt_ledger::{Hash, Millis, Zone};
use ddt_tests::people::Person;
use ddt_tests::vrf::TestVrf;

use crate::agents_shell::Agent;
use crate::chores_shell::Chores;
use crate::disk::Disk;
use crate::engine::StoredProposal;
use crate::facts::{Fact, Out};
use crate::message::{Endpoint, Message};
use crate::town::Town;

/// A router's disks.
#[derive(Clone, Default)]
pub struct Disks {
    /// `book.redb`.
    pub book: Disk,
    /// `lanes.redb`.
    pub lanes: Disk,
    /// `agents.redb`.
    pub agents: Disk,
}

/// What a router has to do later.
#[derive(Clone, Debug)]
pub enum Task {
    /// Write an own block.
    Seal(BlockHeader, Vec<u8>),
    /// Write another router's block, perhaps beside another.
    Keep(Box<CheckedBlock>, Vec<u8>, bool),
    /// Execute an anchor.
    Execute(Box<Decided>),
    /// Tell a machine that time has passed, unless it is told at another time by now.
    Tick(Machine, Millis),
}

/// Which machine wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Machine {
    /// The sequencer.
    Lane,
    /// Availability.
    Blocks,
    /// The follower.
    Anchors,
    /// The agents.
    Agent,
}

/// Where a block stands.
pub type Place = (Zone, u64, Hash);

/// A running router.
pub struct Router {
    /// Its number; it governs the zone after it.
    pub number: Endpoint,
    pub(crate) town: Rc<Town>,
    pub(crate) vrf: TestVrf,
    /// The agreed history.
    pub book: BookStore,
    /// Sealed blocks and proposals.
    pub lanes: LaneStore,
    /// The machines.
    pub sequencer: Sequencer,
    pub(crate) availability: Availability,
    pub(crate) follower: Follower,
    pub(crate) pacer: Pacer,
    /// The reveal agent.
    pub agent: Agent,
    pub(crate) chores: Chores,
    pub(crate) checked: BTreeMap<Place, CheckedBlock>,
    pub(crate) clients: BTreeMap<Hash, BTreeSet<Endpoint>>,
    pub(crate) bodies: Vec<StoredProposal>,
    pub(crate) needed: Option<(u64, Vec<Tip>)>,
    /// What it wants anchored of its lane, if it is a traitor's.
    pub(crate) tempting: Option<Tip>,
    pub(crate) wakes: BTreeMap<Machine, Millis>,
    /// Whether it seals and votes; one that lost its data only follows.
    pub is_member: bool,
    pub(crate) disk_ms: u64,
}

/// Limits that a simulation can reach.
const MEMPOOL: MempoolLimits = MempoolLimits {
    events_max: 200,
    bytes_max: 200_000,
    per_author_max: 32,
    author_bytes_max: 65_536,
    lead_ms: Millis(0),
};

impl Router {
    /// Starts on what is on the disks.
    ///
    /// # Errors
    /// When a store cannot be opened, or holds what it should not.
    pub fn open(
        town: &Rc<Town>,
        (number, is_member, disk_ms): (Endpoint, bool, u64),
        disks: &Disks,
        now: Millis,
    ) -> Result<Router, StoreFault> {
        let book = BookStore::open(disks.book.backend(), &town.genesis, REGISTRY)?;
        let lanes = LaneStore::open(disks.lanes.backend(), town.chain)?;
        let snapshot = book.snapshot()?;
        let heads = Lane::scan(&snapshot, None, TIPS_MAX);
        let stored = stored(town, &lanes, &heads)?;
        let keys = &town.keys[number];
        let zone = Zone(number as u32 + 1);
        let own: Vec<CheckedBlock> = stored
            .iter()
            .filter(|(block, is_other)| block.header().zone == zone && !is_other)
            .map(|(block, _)| block.clone())
            .collect();
        let checked = stored.iter().map(|(block, _)| (place(block), block.clone())).collect();
        let lane = Lane::read(&snapshot, zone).ok_or_else(|| StoreFault::damaged("no lane"))?;
        let position = position(&book, &snapshot)?;
        let params = params(&snapshot);
        let stranger = Person::named("nobody");
        let person = if is_member { &keys.person } else { &stranger };
        let config = sequencing(town, zone, person, params.anchor_work_max);
        let sequencer = Sequencer::new(config, signer(person), &lane, own, position.height);
        let config = AvailabilityConfig {
            chain: town.chain,
            registry: REGISTRY,
            me: keys.person.key(),
            peers: town.keys.iter().map(|keys| keys.person.key()).collect(),
            lane_bytes_max: LANE_BYTES_MAX,
            anchor_bytes_max: params.anchor_bytes_max,
            sign: is_member.then(|| signer(person)),
        };
        let (height, validators) = (position.height, position.validators.clone());
        let availability = Availability::new(config, height, heads, validators, stored);
        let follower = Follower::new(town.chain, keys.person.key(), position);
        let pacer = Pacer::new(book.head().0, next_deadline(&snapshot), &params, now);
        let agent = Agent::open(&disks.agents, town.chain, RevealConfig::of(&params))?;
        if let Some(fault) = snapshot.fault() {
            return Err(fault);
        }
        drop(snapshot);
        let chores = Chores::new(&params, town.node_keys[number].key());
        Ok(Router {
            agent,
            chores,
            number,
            town: town.clone(),
            vrf: TestVrf::named(&keys.name),
            book,
            lanes,
            sequencer,
            availability,
            follower,
            pacer,
            checked,
            clients: BTreeMap::new(),
            bodies: Vec::new(),
            needed: None,
            tempting: None,
            wakes: BTreeMap::new(),
            is_member,
            disk_ms,
        })
    }

    /// The first turn of each machine.
    pub fn begin(&mut self, now: Millis, out: &mut Vec<Out>) -> Result<(), StoreFault> {
        self.lane(now, ddt_core::sequencer::Input::Tick, out)?;
        self.blocks(now, ddt_core::availability::Input::Tick, out)?;
        self.anchors(now, ddt_core::follower::Input::Tick, out)?;
        self.agent_turn(now, out)
    }

    /// Does a task whose time has come.
    pub fn perform(
        &mut self,
        now: Millis,
        task: Task,
        out: &mut Vec<Out>,
    ) -> Result<(), StoreFault> {
        match task {
            Task::Seal(header, bytes) => self.sealed(now, &header, bytes, out),
            Task::Keep(block, bytes, is_other) => self.kept(now, &block, &bytes, is_other, out),
            Task::Execute(decided) => self.decided(now, &decided, out),
            Task::Tick(machine, at) => {
                if self.wakes.get(&machine) != Some(&at) {
                    return Ok(());
                }
                self.wakes.remove(&machine);
                match machine {
                    Machine::Lane => self.lane(now, ddt_core::sequencer::Input::Tick, out),
                    Machine::Blocks => self.blocks(now, ddt_core::availability::Input::Tick, out),
                    Machine::Anchors => self.anchors(now, ddt_core::follower::Input::Tick, out),
                    Machine::Agent => self.agent_turn(now, out),
                }
            }
        }
    }

    /// Takes a message.
    pub fn receive(
        &mut self,
        now: Millis,
        from: Endpoint,
        message: Message,
        out: &mut Vec<Out>,
    ) -> Result<(), StoreFault> {
        use ddt_core::{availability, follower};
        if let Message::Submit(bytes) = message {
            return self.submitted(now, from, &bytes, out);
        }
        if let Message::Reveal(task) = message {
            return self.take_task(now, from, *task, out);
        }
        let Some(keys) = self.town.keys.get(from) else { return Ok(()) };
        let key = keys.person.key();
        match message {
            Message::Block(bytes) => {
                self.blocks(now, availability::Input::Block { from: key, bytes }, out)
            }
            Message::Vote(vote) => self.blocks(now, availability::Input::Vote(vote), out),
            Message::AskBlock(ask) => {
                self.blocks(now, availability::Input::Asked { from: key, ask }, out)
            }
            Message::Decided(decided) => {
                self.anchors(now, follower::Input::Decided { from: key, decided }, out)
            }
            Message::Height(height) => self.anchors(
                now,
                follower::Input::Height { from: key, height, is_router: true },
                out,
            ),
            Message::AskAnchors(first) => {
                self.anchors(now, follower::Input::Asked { from: key, first }, out)
            }
            other => self.consensus(now, from, other, out),
        }
    }

    /// Notes when a machine wants to be woken.
    pub(crate) fn wake(&mut self, machine: Machine, now: Millis, at: Millis, out: &mut Vec<Out>) {
        let at = at.max(now.plus(Millis(1)));
        if self.wakes.get(&machine).is_none_or(|known| at < *known) {
            self.wakes.insert(machine, at);
            out.push(Out::Later(at.since(now), Task::Tick(machine, at)));
        }
    }

    /// How many things it remembers: bounded, whatever happens.
    pub fn check_bounds(&self) -> Result<(), String> {
        let waiting = self.sequencer.mempool().len();
        let lanes = self.town.keys.len();
        let remembered = self.availability.remembered();
        let remembered_max = lanes * 6_000;
        if waiting > MEMPOOL.events_max
            || self.follower.waiting() > ddt_core::follower::WINDOW as usize
            || remembered > remembered_max
            || self.bodies.len() > crate::voting::BODIES_MAX
        {
            return Err(format!("memory grows: {waiting} events, {remembered} blocks"));
        }
        Ok(())
    }

    pub(crate) fn broken(out: &mut Vec<Out>, words: impl Into<String>) {
        out.push(Out::Fact(Fact::Broken(words.into())));
    }
}

fn sequencing(town: &Town, zone: Zone, person: &Person, work_max: u64) -> SequencerConfig {
    SequencerConfig {
        chain: town.chain,
        zone,
        key: person.key(),
        registry: REGISTRY,
        seal_every_ms: Millis(100),
        work_max,
        mempool: MEMPOOL,
    }
}

fn signer(person: &Person) -> Sign {
    let person = person.clone();
    Box::new(move |digest| person.sign(digest))
}

/// Zone, height and id of a block.
pub(crate) fn place(block: &CheckedBlock) -> Place {
    (block.header().zone, block.header().height, block.id())
}

/// Where the book stands.
pub(crate) fn position(
    book: &BookStore,
    snapshot: &ddt_ledger::store::Snapshot,
) -> Result<Position, StoreFault> {
    let head = book.head().0;
    let validators = Validators::read(snapshot);
    let validators = validators.ok_or_else(|| StoreFault::damaged("it has no validators"))?;
    Ok(Position { height: head.height, anchor: head.anchor, validators: validators.next })
}

/// Every block on disk above the lanes' tips, checked again.
fn stored(
    town: &Town,
    lanes: &LaneStore,
    heads: &[(Zone, Lane)],
) -> Result<Vec<(CheckedBlock, bool)>, StoreFault> {
    let mut stored = Vec::new();
    for (zone, lane) in heads {
        let limit = AHEAD_MAX as usize;
        let first = lanes.blocks_after(*zone, lane.term, lane.height, limit)?;
        let others = lanes.others_after(*zone, lane.term, lane.height, limit)?;
        let first = first.into_iter().map(|bytes| (bytes, false));
        for (bytes, is_other) in first.chain(others.into_iter().map(|bytes| (bytes, true))) {
            let block = CheckedBlock::check(&bytes, town.chain, &lane.key, &REGISTRY);
            stored.push((block.map_err(StoreFault::damaged)?, is_other));
        }
    }
    Ok(stored)
}
