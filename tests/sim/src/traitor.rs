//! A router that signs two blocks for one place: some peers are shown the one, others the
//! other, with votes for both, and promises of one number for two events. Its own machines are
//! honest and know of the first block only; this stands between them and the network.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use ddt_contracts::REGISTRY;
use ddt_contracts::bank::Transfer;
use ddt_core::availability::{SignedVote, Vote};
use ddt_ledger::anchor::Tip;
use ddt_ledger::codec::encode;
use ddt_ledger::event::{Checked, Draft, EVENT_VERSION, Role};
use ddt_ledger::lane::{BlockHeader, CheckedBlock, SoftReceipt};
use ddt_ledger::merkle::list_root;
use ddt_ledger::registry::Declared;
use ddt_ledger::schema::Bytes;
use ddt_ledger::{Amount, Hash, Millis, Zone};
use ddt_tests::people::Person;

use crate::facts::Out;
use crate::message::{Answer, Endpoint, Message};
use crate::random::Random;
use crate::town::Town;

/// Second blocks that are remembered.
const SECONDS_MAX: usize = 64;

/// Where the second chain ends, and who believes in it.
struct Fork {
    /// The block of the first chain beside its tip.
    beside: Hash,
    tip: Tip,
    next_number: u64,
    deceived: BTreeSet<Endpoint>,
}

/// The traitor.
pub(crate) struct Traitor {
    /// Its seat.
    pub seat: Endpoint,
    town: Rc<Town>,
    random: Random,
    fork: Option<Fork>,
    /// The term of its lane that it forks.
    term: u64,
    /// Second blocks by height.
    seconds: BTreeMap<u64, (Hash, Vec<u8>)>,
    made: u64,
}

impl Traitor {
    /// In some of the networks that bear the loss of a router, one that signs what it likes.
    pub fn of(seed: u64, town: &Rc<Town>) -> Option<Traitor> {
        let mut random = Random::new(!seed);
        let seat = random.place(town.keys.len());
        let is_there = town.keys.len() > 3 && random.chance(600);
        let (town, seconds) = (town.clone(), BTreeMap::new());
        is_there.then_some(Traitor { seat, town, random, fork: None, term: 1, seconds, made: 0 })
    }

    /// How many places it signed twice.
    pub fn count(&self) -> u64 {
        self.made
    }

    /// What it would have everybody anchor, now and then: the end of its second chain.
    pub fn tempting(&mut self) -> Option<Tip> {
        let tip = self.fork.as_ref()?.tip;
        self.random.chance(500).then_some(tip)
    }

    /// What leaves in the place of what its honest machines would send.
    pub fn twist(&mut self, clients: usize, out: Out) -> Vec<Out> {
        match out {
            Out::ToRouters(Message::Block(bytes)) => self.block(clients, bytes),
            Out::ToRouters(Message::Vote(vote)) => self.vote(vote),
            Out::Send(to, Message::Block(bytes)) => {
                let second = self.second_beside(&bytes).filter(|_| self.random.chance(500));
                vec![Out::Send(to, Message::Block(second.unwrap_or(bytes)))]
            }
            other => vec![other],
        }
    }

    fn others(&self) -> impl Iterator<Item = Endpoint> + use<> {
        let seat = self.seat;
        (0..self.town.keys.len()).filter(move |to| *to != seat)
    }

    fn person(&self) -> &Person {
        &self.town.keys[self.seat].person
    }

    fn zone(&self) -> Zone {
        Zone(self.seat as u32 + 1)
    }

    fn read(&self, bytes: &[u8]) -> Option<CheckedBlock> {
        let block = CheckedBlock::check(bytes, self.town.chain, &self.person().key(), &REGISTRY);
        block.ok().filter(|block| block.header().zone == self.zone())
    }

    fn second_beside(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let height = self.read(bytes)?.header().height;
        self.seconds.get(&height).map(|(_, bytes)| bytes.clone())
    }

    /// The first block for some, the second for others, now and then both.
    fn block(&mut self, clients: usize, bytes: Vec<u8>) -> Vec<Out> {
        let both = |bytes: Vec<u8>| vec![Out::ToRouters(Message::Block(bytes))];
        let Some(first) = self.read(&bytes) else { return both(bytes) };
        if first.header().term != self.term {
            (self.term, self.fork) = (first.header().term, None);
            self.seconds.clear();
        }
        let goes_on = |fork: &Fork| fork.beside == first.header().parent;
        let is_old = self.fork.as_ref().is_none_or(|fork| !goes_on(fork));
        if is_old || self.random.chance(200) {
            self.fork = None;
        }
        if self.fork.is_none() && !self.random.chance(500) {
            return both(bytes);
        }
        let Some((second, second_bytes)) = self.second(&first) else { return both(bytes) };
        let mut out = Vec::new();
        let deceived = self.fork.as_ref().map(|fork| fork.deceived.clone()).unwrap_or_default();
        for to in self.others() {
            let is_deceived = deceived.contains(&to);
            let (told, kept) = match is_deceived {
                true => (&second_bytes, &bytes),
                false => (&bytes, &second_bytes),
            };
            out.push(Out::Send(to, Message::Block(told.clone())));
            if self.random.chance(150) {
                out.push(Out::Send(to, Message::Block(kept.clone())));
            }
        }
        out.extend(self.promises(clients, &second));
        out
    }

    /// Signs another block for the place of `first`; it goes on with the second chain.
    fn second(&mut self, first: &CheckedBlock) -> Option<(CheckedBlock, Vec<u8>)> {
        let header = first.header();
        let fork = self.fork.take();
        let start = (header.parent, header.first_number);
        let (parent, first_number) =
            fork.as_ref().map_or(start, |fork| (fork.tip.block, fork.next_number));
        let mut events = first.events().to_vec();
        match self.random.below(4) {
            0 => events.reverse(),
            1 => events.truncate(events.len().div_ceil(2)),
            2 => events.insert(0, self.own_event(header.time)?),
            _ => {}
        }
        let header = BlockHeader {
            parent,
            first_number,
            count: u32::try_from(events.len()).ok()?,
            events_root: list_root(events.iter().map(|event| event.id().0)),
            time: header.time.plus(Millis(1)),
            ..header.clone()
        };
        let person = self.person().clone();
        let next_number = first_number + events.len() as u64;
        let sign = |id: &Hash| person.sign(id);
        let (second, bytes) = CheckedBlock::seal(header.clone(), person.key(), events, sign)?;
        self.made += 1;
        self.seconds.insert(header.height, (second.id(), bytes.clone()));
        if self.seconds.len() > SECONDS_MAX {
            self.seconds.pop_first();
        }
        let BlockHeader { zone, term, height, .. } = header;
        let deceived = match fork {
            Some(fork) => fork.deceived,
            // All others, or some.
            None => {
                let share = if self.random.chance(300) { 1_000 } else { 500 };
                self.others().filter(|_| self.random.chance(share)).collect()
            }
        };
        let tip = Tip { zone, term, height, block: second.id() };
        self.fork = Some(Fork { beside: first.id(), tip, next_number, deceived });
        Some((second, bytes))
    }

    /// A payment to itself, so that all numbers after it are others.
    fn own_event(&mut self, time: Millis) -> Option<Checked> {
        let person = self.person();
        let body = Transfer { to: person.id(), amount: Amount::from_units(1)?, memo: None };
        let draft = Draft {
            version: EVENT_VERSION,
            chain: self.town.chain,
            author: person.id(),
            key: person.key(),
            role: Role::Owner,
            nonce: time.0 * 1_000 + self.made % 1_000,
            valid_until: time.plus(Millis(600_000)),
            tag: REGISTRY.row_named(Transfer::NAME)?.tag,
            body: Bytes::new(encode(&body))?,
        };
        Checked::check(&person.seal(draft), self.town.chain, &REGISTRY).ok()
    }

    /// A promise to a client for every event of the second block.
    fn promises(&mut self, clients: usize, second: &CheckedBlock) -> Vec<Out> {
        let (header, key) = (second.header().clone(), self.person().key());
        let mut out = Vec::new();
        for (event, number) in second.events().iter().zip(header.first_number..) {
            let BlockHeader { chain, zone, term, height, .. } = header;
            let receipt = SoftReceipt { chain, event: event.id(), zone, term, height, number };
            let signature = self.person().sign(&receipt.digest());
            let client = self.town.keys.len() + self.random.place(clients);
            let answer = Answer::Sequenced(receipt, key, signature);
            out.push(Out::Send(client, Message::Reply { event: event.id(), answer }));
        }
        out
    }

    /// Votes for the second block to those who have it, for the first to the others, to some
    /// for both.
    fn vote(&mut self, first: SignedVote) -> Vec<Out> {
        let Vote { zone, term, height, .. } = first.vote;
        let is_own = zone == self.zone() && term == self.term;
        let second = self.seconds.get(&height).filter(|_| is_own);
        let Some((block, fork)) = second.map(|(id, _)| *id).zip(self.fork.as_ref()) else {
            return vec![Out::ToRouters(Message::Vote(first))];
        };
        let vote = Vote { block, ..first.vote };
        let signature = self.person().sign(&vote.digest());
        let second = SignedVote { vote, signature, ..first };
        let deceived = fork.deceived.clone();
        let mut out = Vec::new();
        for to in self.others() {
            let told = if deceived.contains(&to) { second } else { first };
            out.push(Out::Send(to, Message::Vote(told)));
            if self.random.chance(200) {
                out.push(Out::Send(to, Message::Vote(second)));
            }
        }
        out
    }
}
