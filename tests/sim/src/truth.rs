//! What must hold of everything that routers did and said, whatever happened to them.

use std::collections::{BTreeMap, BTreeSet};

use ddt_contracts::REGISTRY;
use ddt_contracts::domains::{RenewPrepaid, Reveal};
use ddt_contracts::zones::{CloseTerm, Heartbeat};
use ddt_core::availability::Vote;
use ddt_ledger::anchor::{Roots, TIPS_MAX};
use ddt_ledger::lane::SoftReceipt;
use ddt_ledger::receipt::{Outcome, Receipt, Subject};
use ddt_ledger::registry::Declared;
use ddt_ledger::system::Lane;
use ddt_ledger::{Hash, Zone};

use crate::facts::Fact;
use crate::message::{Answer, Endpoint};
use crate::router::Router;

/// Everything said for ever.
#[derive(Default)]
pub struct Truth {
    /// By zone, term and height.
    left: BTreeMap<(Zone, u64, u64), Hash>,
    votes: BTreeMap<(Endpoint, Zone, u64, u64), Hash>,
    /// By zone, term and number.
    promised: BTreeMap<(Zone, u64, u64), Hash>,
    places: BTreeMap<(Zone, u64, Hash), u64>,
    bodies: BTreeMap<(u64, u32), Hash>,
    anchors: BTreeMap<u64, (Hash, Roots)>,
    /// In which term a number was anchored, and for which event.
    numbers: BTreeMap<(Zone, u64), (u64, Hash)>,
    finals: BTreeMap<Hash, (u64, u32, Outcome)>,
    heights: BTreeMap<Endpoint, u64>,
    tasks: BTreeSet<(Endpoint, Hash)>,
    evidence: BTreeSet<(Endpoint, Zone, u64, u64)>,
    /// Who signs two blocks for one place: nothing that it says of its lane counts.
    pub traitor: Option<Endpoint>,
    /// What the nodes' agents did that was due, by event.
    pub chores: BTreeMap<&'static str, u64>,
    /// Domains bought by reveals.
    pub reveals: u64,
    /// Terms of lanes that closed.
    pub closings: u64,
    /// How often machines refused what they got, by why.
    pub refusals: BTreeMap<&'static str, u64>,
}

/// Notes something said for ever; it must not have been said otherwise before.
fn say<K: Ord, V: PartialEq + std::fmt::Debug>(
    said: &mut BTreeMap<K, V>,
    key: K,
    value: V,
    what: &str,
) -> Result<(), String> {
    match said.get(&key) {
        Some(before) if *before != value => Err(format!("{what}: {before:?}, then {value:?}")),
        Some(_) => Ok(()),
        None => {
            said.insert(key, value);
            Ok(())
        }
    }
}

impl Truth {
    /// Nothing is said yet; who breaks the rules is known.
    pub fn new(traitor: Option<Endpoint>) -> Truth {
        Truth { traitor, ..Truth::default() }
    }

    /// Judges what a router did or said.
    pub fn judge(&mut self, router: Endpoint, fact: Fact) -> Result<(), String> {
        match fact {
            Fact::Left { zone, term, height, block } => {
                say(&mut self.left, (zone, term, height), block, "two blocks at one place")
            }
            Fact::Voted(Vote { zone, term, height, block, .. }) => {
                let place = (router, zone, term, height);
                say(&mut self.votes, place, block, "a router votes for two blocks at one place")
            }
            Fact::Promised(receipt) => self.promised(&receipt),
            Fact::Body { height, round, anchor } => {
                say(&mut self.bodies, (height, round), anchor, "two bodies of one turn")
            }
            Fact::Committed { height, anchor, roots, receipts } => {
                self.committed(router, height, (anchor, roots), &receipts)
            }
            Fact::TaskTaken(commit) => {
                self.tasks.insert((router, commit));
                Ok(())
            }
            Fact::TaskEnded(commit) => {
                self.tasks.remove(&(router, commit));
                Ok(())
            }
            Fact::Refused(why) => {
                *self.refusals.entry(why).or_default() += 1;
                Ok(())
            }
            Fact::Evidence { zone, .. } if self.is_honest(zone) => {
                Err(format!("two blocks of the honest zone {zone}"))
            }
            Fact::Evidence { zone, term, height } => {
                self.evidence.insert((router, zone, term, height));
                Ok(())
            }
            Fact::Kept { zone, term, height, is_other } => {
                match is_other && !self.evidence.contains(&(router, zone, term, height)) {
                    true => Err(format!("a second block at {height} of {zone}, and no evidence")),
                    false => Ok(()),
                }
            }
            Fact::Closed(words) => match self.traitor == Some(router) {
                true => Ok(()),
                false => Err(format!("router {router} closes its lane: {words}")),
            },
            Fact::Invalid { maker, words } => match self.traitor == Some(maker) {
                true => Ok(()),
                false => Err(format!("an honest leader's body: {words}")),
            },
            Fact::Broken(words) => Err(words),
        }
    }

    /// Whether a zone's router keeps the rules.
    fn is_honest(&self, zone: Zone) -> bool {
        self.traitor != Some(zone.0 as usize - 1)
    }

    fn promised(&mut self, receipt: &SoftReceipt) -> Result<(), String> {
        let SoftReceipt { zone, term, number, event, .. } = *receipt;
        if !self.is_honest(zone) {
            return Ok(());
        }
        let place = (zone, term, number);
        say(&mut self.promised, place, event, "two events promised one number")?;
        say(&mut self.places, (zone, term, event), number, "one event promised two numbers")?;
        match self.numbers.get(&(zone, number)) {
            // A promise of a term that closed lapses; one of a later term comes too late.
            Some((of, there)) if *of == term && *there != event => {
                Err(format!("{event} is promised {there}'s number"))
            }
            Some((of, there)) if *of < term => {
                Err(format!("{event} is promised the number of {there} of an earlier term"))
            }
            _ => Ok(()),
        }
    }

    fn committed(
        &mut self,
        router: Endpoint,
        height: u64,
        anchor: (Hash, Roots),
        receipts: &[Receipt],
    ) -> Result<(), String> {
        let before = self.heights.insert(router, height).unwrap_or_default();
        if height != before + 1 {
            return Err(format!("router {router} commits {height} after {before}"));
        }
        self.record(height, anchor, receipts)
    }

    fn record(
        &mut self,
        height: u64,
        anchor: (Hash, Roots),
        receipts: &[Receipt],
    ) -> Result<(), String> {
        let is_first = !self.anchors.contains_key(&height);
        say(&mut self.anchors, height, anchor, &format!("two histories at {height}"))?;
        for receipt in receipts.iter().filter(|_| is_first) {
            let Subject::Event(place) = &receipt.subject else { continue };
            let (number, said) = ((place.zone, place.number), (place.term, place.id));
            say(&mut self.numbers, number, said, "two events with one number")?;
            let promised = self.promised.get(&(place.zone, place.term, place.number));
            if let Some(promised) = promised.filter(|id| **id != place.id) {
                return Err(format!("{promised} was promised the number of {}", place.id));
            }
            match &receipt.outcome {
                Outcome::Void(_) => {}
                Outcome::Bug(code) => return Err(format!("a programme's bug: {code}")),
                outcome => {
                    let row = REGISTRY.row(place.tag).map(|row| row.name);
                    let row = row.filter(|_| *outcome == Outcome::Done);
                    self.reveals += u64::from(row == Some(Reveal::NAME));
                    self.closings += u64::from(row == Some(CloseTerm::NAME));
                    let is_chore = [RenewPrepaid::NAME, Heartbeat::NAME];
                    if let Some(row) = row.filter(|row| is_chore.contains(row)) {
                        *self.chores.entry(row).or_default() += 1;
                    }
                    let end = (height, receipt.index, outcome.clone());
                    say(&mut self.finals, place.id, end, "an event executed twice")?;
                }
            }
        }
        Ok(())
    }

    /// A client was told something.
    pub fn told(&mut self, event: Hash, answer: &Answer) -> Result<(), String> {
        match answer {
            Answer::Final { height, index, outcome } => {
                let told = (*height, *index, outcome.clone());
                let known = self.finals.get(&event);
                if known == Some(&told) { Ok(()) } else { Err(format!("{known:?}, told {told:?}")) }
            }
            Answer::Sequenced(receipt, key, signature) => {
                let promised = self.promised.get(&(receipt.zone, receipt.term, receipt.number));
                let is_known = promised == Some(&event) || !self.is_honest(receipt.zone);
                let is_signed = key.verifies(&receipt.digest(), signature);
                match receipt.event == event && is_known && is_signed {
                    true => Ok(()),
                    false => Err(format!("a promise that nobody made: {receipt:?}")),
                }
            }
            Answer::Taken | Answer::Refused(_) => Ok(()),
        }
    }

    /// A router is there again: everything that it ever said must be on its disks.
    pub fn check_restarted(&mut self, router: &Router, is_new: bool) -> Result<(), String> {
        let number = router.number;
        if is_new {
            self.heights.remove(&number);
            self.votes.retain(|(of, ..), _| *of != number);
            self.tasks.retain(|(of, _)| *of != number);
        }
        let (head, roots) = router.book.head();
        let before = self.heights.get(&number).copied().unwrap_or_default();
        if head.height < before {
            return Err(format!("router {number} committed {before} and has {}", head.height));
        }
        // A commit may have become durable although its router never said so.
        let snapshot = router.book.snapshot().map_err(|fault| fault.to_string())?;
        if head.height > 0 {
            let receipts = snapshot.receipts(head.height, 0, usize::MAX);
            let receipts = receipts.map_err(|fault| fault.to_string())?;
            self.record(head.height, (head.anchor, roots), &receipts)?;
        }
        self.heights.insert(number, head.height);
        let lanes: BTreeMap<Zone, Lane> =
            Lane::scan(&snapshot, None, TIPS_MAX).into_iter().collect();
        let lost =
            self.tasks.iter().find(|(of, commit)| *of == number && !router.agent.has(commit));
        if let Some((_, commit)) = lost {
            return Err(format!("router {number} forgot the reveal of {commit}"));
        }
        self.check_votes(router, &lanes)?;
        self.check_promises(router, &lanes)
    }

    fn check_votes(&self, router: &Router, lanes: &BTreeMap<Zone, Lane>) -> Result<(), String> {
        for ((of, zone, term, height), block) in &self.votes {
            let is_open = |lane: &&Lane| *term == lane.term && *height > lane.height;
            let Some(lane) = lanes.get(zone).filter(is_open) else { continue };
            if *of != router.number {
                continue;
            }
            let stored = router.lanes.block(*zone, lane.term, *height);
            let is_there = router.checked.contains_key(&(*zone, *height, *block));
            if !is_there || stored.map_err(|fault| fault.to_string())?.is_none() {
                return Err(format!("router {of} voted for {height} of {zone} and lost it"));
            }
        }
        Ok(())
    }

    fn check_promises(&self, router: &Router, lanes: &BTreeMap<Zone, Lane>) -> Result<(), String> {
        let zone = Zone(router.number as u32 + 1);
        let is_bound = router.is_member && self.is_honest(zone);
        let Some(lane) = lanes.get(&zone).filter(|_| is_bound) else { return Ok(()) };
        let first = (zone, lane.term, lane.next_number);
        for ((.., number), event) in self.promised.range(first..=(zone, lane.term, u64::MAX)) {
            let pending = router.sequencer.pending(event);
            if pending.is_none_or(|pending| pending.receipt.number != *number) {
                return Err(format!("router {} forgot its promise {number}", router.number));
            }
        }
        Ok(())
    }

    /// Promises that were not kept yet, of routers that still have their data.
    pub fn open_promises(
        &self,
        is_member: impl Fn(Endpoint) -> bool,
        term_of: impl Fn(Zone) -> u64,
    ) -> usize {
        let is_open = |((zone, term, number), _): &(&(Zone, u64, u64), &Hash)| {
            let router = zone.0 as usize - 1;
            let is_anchored = self.numbers.contains_key(&(*zone, *number));
            !is_anchored && *term == term_of(*zone) && is_member(router)
        };
        self.promised.iter().filter(is_open).count()
    }

    /// Places at which a router saw two blocks, each router by itself.
    pub fn evidence(&self) -> u64 {
        self.evidence.len() as u64
    }

    /// Anchors, and events executed.
    pub fn counts(&self) -> (usize, usize, usize) {
        (self.anchors.len(), self.finals.len(), self.promised.len())
    }
}
