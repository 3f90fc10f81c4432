//! One history, lived twice.

use std::collections::{BTreeMap, BTreeSet};

use ddt_contracts::REGISTRY;
use ddt_ledger::event::Checked;
use ddt_ledger::state::StateReader;
use ddt_ledger::{Hash, Millis, Zone};
use ddt_model::{Anchor, Block, Event, Id, Receipt, Span, State};
use ddt_tests::network::{Cuts, Network};
use ddt_tests::random::Random;

use crate::genesis::{model_of, setup};
use crate::letters::Letters;
use crate::{Ends, compare};

/// Most rows of a history's state.
const ROWS_MAX: usize = 1_000_000;

/// The ledger, the model, and who writes events.
pub struct Life {
    network: Network,
    state: State,
    letters: Letters,
    seed: u64,
    random: Random,
    /// How many letters were thought of, and which of them are not written.
    thought: u64,
    left_out: BTreeSet<u64>,
    /// Whether the clock leaps a day.
    leaps: bool,
    /// Events that were checked, and wait to be sequenced.
    waiting: Vec<Checked>,
    /// All that were ever sequenced.
    sent: Vec<Checked>,
    events: BTreeMap<Id, Event>,
}

impl Life {
    /// The history of this seed, before its first anchor; without some of its letters.
    pub fn of(seed: u64, left_out: &BTreeSet<u64>) -> Life {
        let setup = setup(seed);
        Life {
            network: Network::start(&setup),
            state: State::start(&model_of(&setup)),
            letters: Letters::new(),
            seed,
            random: Random::of(seed),
            thought: 0,
            left_out: left_out.clone(),
            leaps: setup.params.clock_step_ms_max > Millis(20_000),
            waiting: Vec::new(),
            sent: Vec::new(),
            events: BTreeMap::new(),
        }
    }

    /// Writes events, makes an anchor of some, and compares everything.
    pub fn step(&mut self, ends: &mut Ends) -> Result<(), String> {
        // Steps and letters have numbers of their own, so that one that is left out changes no
        // other.
        self.random = Random::of(self.seed << 32 | self.network.head().height);
        for _ in 0..self.random.below(10) {
            self.thought += 1;
            if !self.left_out.contains(&self.thought) {
                self.write(ends)?;
            }
        }
        let (step, blocks) = (self.pause(), self.blocks());
        if self.random.percent(30) {
            let change = self.random.below(40);
            self.network.cut_power_at(Some(change).filter(|_| self.random.percent(80)));
        }
        let receipts = self.network.anchor(step, &blocks);
        let receipts = receipts.map_err(|broken| format!("{broken}{}", self.told(&blocks)))?;
        let anchor = self.anchor();
        let model = self.state.execute(&anchor);
        let differing = compare::receipts(&receipts, &model).and_then(|()| self.compare_rows());
        differing.map_err(|found| format!("{found}{}", self.told(&blocks)))?;
        count(&model, ends);
        if self.random.percent(10) {
            self.network.restart(self.random.number());
            self.compare_rows().map_err(|found| format!("after a restart {found}"))?;
        }
        Ok(())
    }

    /// How often the power failed inside a commit.
    pub fn cuts(&self) -> Cuts {
        self.network.cuts()
    }

    /// How many members were merged into another zone.
    pub fn merged(&self) -> usize {
        self.state.merged
    }

    /// How many letters were thought of.
    pub fn thought(&self) -> u64 {
        self.thought
    }

    /// The last anchor's id: whatever was before is hashed into it.
    pub fn last_anchor(&self) -> Hash {
        self.network.head().anchor
    }

    /// Every row is the model's, and the receipts that were kept are those that were told.
    pub fn compare_rows(&self) -> Result<(), String> {
        let rows = self.network.snapshot().after(&[], &[], ROWS_MAX);
        let rows = rows.map_err(|fault| fault.to_string())?.into_iter().collect();
        compare::rows(&rows, &self.state.rows())
    }

    /// Writes an event; both say the same of it before anybody sequences it.
    fn write(&mut self, ends: &mut Ends) -> Result<(), String> {
        let mut random = Random::of(!(self.seed << 32 | self.thought));
        let event = self.letters.write(self.thought, &self.state, &mut random);
        let checked = Checked::check(&event.sent(), self.network.chain(), &REGISTRY);
        let real = checked.as_ref().map(|_| ()).map_err(|refusal| refusal.code);
        let model = self.state.check(&event);
        if real != model {
            let event = compare::legible(&event);
            return Err(format!("{event}\n is {real:?} to the ledger, {model:?} to the model"));
        }
        if let Err(code) = model {
            *ends.entry((name(event.deed.tag()), format!("invalid {code}"))).or_default() += 1;
        }
        if let Ok(checked) = checked {
            self.events.insert(checked.id().0, event);
            self.waiting.push(checked);
        }
        Ok(())
    }

    /// How long the next anchor comes after the last one.
    fn pause(&mut self) -> Millis {
        let random = &mut self.random;
        let pause = match random.below(100) {
            0..3 => 0,
            3..35 => 1 + random.number() % 800,
            35..85 => 800 + random.number() % 1_400,
            part @ 85..97 if !self.leaps || part < 92 => 2_000 + random.number() % 9_000,
            _ if self.leaps => random.number() % (2 * 24 * 3_600_000),
            _ => random.number() % 60_000,
        };
        // In half of the histories times are round, so that what ends meets its end exactly.
        let is_round = (self.seed / 2).is_multiple_of(2);
        Millis(if is_round { pause.max(1).next_multiple_of(500) } else { pause })
    }

    /// Some of the events that wait, in any order, and some that were sequenced before; an
    /// event at most once in a lane. What is left out comes later, or never.
    fn blocks(&mut self) -> Vec<(Zone, Vec<Checked>)> {
        let mut blocks: Vec<(Zone, Vec<Checked>)> = Vec::new();
        let mut seen = BTreeSet::new();
        let mut chosen = Vec::new();
        while !self.waiting.is_empty() && self.random.percent(92) {
            let place = self.random.below(self.waiting.len());
            chosen.push(self.waiting.swap_remove(place));
        }
        for _ in 0..self.random.below(3) / 2 {
            chosen.extend(self.random.pick(&self.sent));
        }
        for event in chosen {
            let governed = self.state.governed_zones();
            let zone = self.random.pick(&governed).expect("a zone with a router");
            // A client that hears nothing sends the same bytes to the other routers too.
            let zones = if self.random.percent(5) { governed } else { vec![zone] };
            for zone in zones.into_iter().map(Zone) {
                if !seen.insert((zone, event.id())) {
                    continue;
                }
                self.sent.push(event.clone());
                let is_new_block = self.random.percent(30);
                match blocks.iter_mut().rfind(|(of, _)| *of == zone && !is_new_block) {
                    Some((_, events)) => events.push(event.clone()),
                    None => blocks.push((zone, vec![event.clone()])),
                }
            }
        }
        blocks
    }

    /// The last anchor, for the model.
    fn anchor(&self) -> Anchor {
        let decided = self.network.last().expect("an anchor");
        let event = |event: &Checked| self.events[&event.id().0].clone();
        let span = |span: &ddt_ledger::anchor::Span| Span {
            zone: span.zone.0,
            blocks: span
                .blocks
                .iter()
                .map(|block| Block {
                    id: block.id().0,
                    term: block.header().term,
                    height: block.header().height,
                    events: block.events().iter().map(event).collect(),
                })
                .collect(),
        };
        let times = decided.body.statements.items().iter().map(|statement| statement.time.0);
        Anchor {
            id: decided.body.id().0,
            // Every router states the same time.
            stated: times.max().expect("a router").into(),
            vrf: decided.body.vrf.output,
            spans: decided.spans.iter().map(span).collect(),
        }
    }

    fn told(&self, blocks: &[(Zone, Vec<Checked>)]) -> String {
        let events = blocks.iter().flat_map(|(zone, events)| events.iter().map(move |e| (zone, e)));
        let told = events.map(|(zone, event)| {
            let Event { role, nonce, valid_until, deed, .. } = &self.events[&event.id().0];
            let deed = compare::legible(deed);
            let (id, author) = (event.id(), self.letters.name(&event.draft().author.0));
            format!("\n zone {zone} {id}: {author} as {role:?}, {nonce}, {valid_until}: {deed}")
        });
        format!("\nwith these events:{}", told.collect::<String>())
    }
}

fn name(tag: u16) -> String {
    let deadline = || REGISTRY.deadline(tag).map(|(_, row)| row.name);
    let name = REGISTRY.row(tag).map(|row| row.name).or_else(deadline);
    let name = name.or((tag == 0).then_some("ledger.lapse"));
    name.map_or(format!("tag {tag}"), str::to_string)
}

fn count(receipts: &[Receipt], ends: &mut Ends) {
    for receipt in receipts {
        let Some(tag) = receipt.tag() else { continue };
        let name = match REGISTRY.deadline(tag) {
            Some((_, row)) if !receipt.is_of_event() => row.name.to_string(),
            _ => name(tag),
        };
        let end = receipt.code().unwrap_or("done").to_string();
        *ends.entry((name, end)).or_default() += 1;
    }
}
