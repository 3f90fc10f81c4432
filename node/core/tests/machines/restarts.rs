//! The sequencer against a model of its shell: any interleaving of events, disk, anchors,
//! new terms and crashes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use ddt_core::sequencer::{Effect, Input, Sequencer};
use ddt_ledger::event::Checked;
use ddt_ledger::lane::{CheckedBlock, SoftReceipt};
use ddt_ledger::system::Lane;
use ddt_ledger::{Hash, Millis};
use proptest::prelude::*;

use crate::fixture::*;

#[derive(Clone, Copy, Debug)]
enum Action {
    /// An event arrives, perhaps again.
    Event(usize, u8),
    /// Time passes.
    Wait(u64),
    /// The disk finishes a write.
    Store,
    /// The network anchors this many of the blocks that left, if there are so many.
    Anchor(usize),
    /// The process dies; what was being written is on disk or not.
    Crash { is_written: bool },
    /// The lane's term ends.
    EndTerm,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        8 => (0_usize..40, 0_u8..8).prop_map(|(event, class)| Action::Event(event, class)),
        4 => (0_u64..150).prop_map(Action::Wait),
        6 => Just(Action::Store),
        3 => (0_usize..4).prop_map(Action::Anchor),
        2 => any::<bool>().prop_map(|is_written| Action::Crash { is_written }),
        1 => Just(Action::EndTerm),
    ]
}

fn events() -> &'static [Checked] {
    static EVENTS: OnceLock<Vec<Checked>> = OnceLock::new();
    EVENTS.get_or_init(|| (0..40_u8).map(|n| note(n % 7, u64::from(n))).collect())
}

/// A router's machine, disk and network.
struct Shell {
    sequencer: Sequencer,
    now: Millis,
    /// Blocks by (term, height): a place is written once.
    disk: BTreeMap<(u64, u64), CheckedBlock>,
    writing: Option<CheckedBlock>,
    lane: Lane,
    anchor: u64,
    executed: BTreeSet<Hash>,
    promised: Vec<SoftReceipt>,
}

impl Shell {
    fn new() -> Shell {
        Shell {
            sequencer: sequencer(),
            now: START,
            disk: BTreeMap::new(),
            writing: None,
            lane: first_lane(),
            anchor: 0,
            executed: BTreeSet::new(),
            promised: Vec::new(),
        }
    }

    /// The blocks of the lane's term after its tip.
    fn unanchored(&self) -> Vec<CheckedBlock> {
        let first = (self.lane.term, self.lane.height + 1);
        let last = (self.lane.term, u64::MAX);
        self.disk.range(first..=last).map(|(_, block)| block.clone()).collect()
    }

    fn step(&mut self, input: Input) {
        for effect in self.sequencer.step(self.now, input) {
            match &effect {
                Effect::Store { .. } => {
                    assert!(self.writing.is_none(), "one write at a time");
                    let block = block_of(&effect).expect("a block");
                    self.check_next(&block);
                    self.writing = Some(block);
                }
                Effect::Promise(receipts) => {
                    receipts.iter().for_each(|receipt| self.check_promise(receipt));
                    self.promised.extend(receipts.iter().cloned());
                }
                Effect::Alarm(words) => panic!("{words}"),
                Effect::WakeAt(at) => assert!(*at > self.now),
                Effect::Executed(id) => assert!(self.executed.contains(id)),
                Effect::TipWaits => assert!(!self.unanchored().is_empty()),
                Effect::Answer { refusal, .. } => panic!("{refusal}"),
            }
        }
        self.check_span();
    }

    /// The sealed block continues what is on disk and repeats nothing.
    fn check_next(&self, block: &CheckedBlock) {
        let header = block.header();
        let unanchored = self.unanchored();
        let before = unanchored.last();
        let (height, parent, number) = match before.map(|block| (block.header(), block.id())) {
            Some((last, id)) => (last.height + 1, id, last.first_number + u64::from(last.count)),
            None => (self.lane.height + 1, self.lane.tip, self.lane.next_number),
        };
        // Mutation: rebuilding from the state alone, without the blocks on disk.
        assert_eq!((header.term, header.height), (self.lane.term, height));
        assert_eq!((header.parent, header.first_number), (parent, number));
        assert_eq!(header.after_anchor, self.anchor);
        assert!(before.is_none_or(|last| last.header().time <= header.time));
        let mut seen: BTreeSet<Hash> = self.executed.clone();
        seen.extend(unanchored.iter().flat_map(|b| b.events()).map(Checked::id));
        assert!(block.events().iter().all(|event| seen.insert(event.id())), "repeats an event");
    }

    /// A promise is only about what is on disk. Mutation: promise before stored.
    fn check_promise(&self, receipt: &SoftReceipt) {
        let block = self.disk.get(&(receipt.term, receipt.height)).expect("it is on disk");
        let place = receipt.number - block.header().first_number;
        assert_eq!(block.events()[place as usize].id(), receipt.event);
    }

    /// What leaves is what is on disk. Mutation: a span with the block being written.
    fn check_span(&self) {
        let ids = |blocks: &[CheckedBlock]| blocks.iter().map(CheckedBlock::id).collect::<Vec<_>>();
        let on_disk = ids(&self.unanchored());
        assert_eq!(ids(self.sequencer.unanchored_blocks_after(0)), on_disk);
    }

    fn write(&mut self) -> Option<u64> {
        let block = self.writing.take()?;
        let header = block.header().clone();
        let replaced = self.disk.insert((header.term, header.height), block);
        assert!(replaced.is_none(), "a block was replaced");
        Some(header.height)
    }

    fn anchor(&mut self, blocks: &[CheckedBlock], ends_term: bool) {
        let ids: Vec<Hash> = blocks.iter().flat_map(|b| b.events()).map(Checked::id).collect();
        self.executed.extend(&ids);
        if let Some(last) = blocks.last() {
            self.lane = lane_at(last);
        }
        if ends_term {
            let term = self.lane.term + 1;
            self.lane = Lane { term, height: 0, tip: Hash::ZERO, ..self.lane.clone() };
        }
        self.anchor += 1;
        let (height, lane) = (self.anchor, self.lane.clone());
        self.step(Input::Anchored { height, lane, executed: ids, void: Vec::new() });
        self.step(Input::Void(Vec::new()));
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Event(event, class) => {
                let event = &events()[event];
                // Admission knows what is in the book.
                if !self.executed.contains(&event.id()) {
                    self.step(Input::Event(event.clone(), class));
                }
            }
            Action::Wait(ms) => {
                self.now = self.now.plus(Millis(ms));
                self.step(Input::Tick);
            }
            Action::Store => {
                if let Some(height) = self.write() {
                    self.step(Input::Stored { height });
                }
            }
            Action::Anchor(count) => {
                let blocks = self.unanchored();
                let count = count.min(blocks.len());
                self.anchor(&blocks[..count], false);
            }
            Action::EndTerm => self.anchor(&[], true),
            Action::Crash { is_written } => {
                if is_written {
                    self.write();
                }
                self.writing = None;
                let unanchored = self.unanchored();
                self.sequencer =
                    Sequencer::new(config(), sign(), &self.lane, unanchored, self.anchor);
            }
        }
    }

    /// Everything comes to its end: all events sequenced, promised and anchored.
    fn settle(&mut self) {
        for _ in 0..3 {
            (0..events().len()).for_each(|event| self.act(Action::Event(event, 0)));
            for action in [Action::Store, Action::Wait(100), Action::Store, Action::Anchor(99)] {
                self.act(action);
            }
        }
        assert_eq!(self.executed.len(), events().len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_number_is_reused_and_no_block_replaced_whatever_happens(
        actions in prop::collection::vec(action(), 1..80),
    ) {
        let mut shell = Shell::new();
        for action in actions {
            shell.act(action);
        }
        shell.settle();
        // Every promise ever made still names the block that is on disk.
        shell.promised.iter().for_each(|receipt| shell.check_promise(receipt));
        // Within a term each number was promised to one event only.
        let mut numbers = BTreeMap::new();
        for receipt in &shell.promised {
            let event = numbers.entry((receipt.term, receipt.number)).or_insert(receipt.event);
            prop_assert_eq!(*event, receipt.event);
        }
        // In the end the disk holds consecutive numbers, term by term.
        let mut next = BTreeMap::new();
        for ((term, _), block) in &shell.disk {
            let header = block.header();
            let first = next.entry(*term).or_insert(header.first_number);
            prop_assert_eq!(*first, header.first_number);
            *first += u64::from(header.count);
        }
    }

    /// The same inputs give the same effects, to the byte.
    #[test]
    fn a_sequencer_is_deterministic(feed in prop::collection::vec((0_usize..40, 0_u8..8), 1..40)) {
        let run = || {
            let mut sequencer = sequencer();
            let mut effects = Vec::new();
            let mut now = START;
            for (event, class) in &feed {
                now = now.plus(Millis(30));
                effects.extend(sequencer.step(now, Input::Event(events()[*event].clone(), *class)));
                let stores: Vec<_> = effects.iter().filter_map(block_of).collect();
                if let Some(block) = stores.last() {
                    let height = block.header().height;
                    effects.extend(sequencer.step(now, Input::Stored { height }));
                }
            }
            effects
        };
        prop_assert_eq!(run(), run());
    }
}
