//! Running a story line by line.

use std::collections::BTreeMap;

use ddt_contracts::REGISTRY;
use ddt_ledger::event::Checked;
use ddt_ledger::params::Params;
use ddt_ledger::receipt::{Outcome, Receipt, Subject};
use ddt_ledger::registry::Row;
use ddt_ledger::stamp::Stamps;
use ddt_ledger::{Amount, Millis, Refusal, Zone};

use super::Report;
use super::line::{RESERVED, Statement, What};
use super::sign::{Envelope, Names, Preimage, word_hash};
use super::stamp::Press;
use crate::invariants::event_receipts;
use crate::network::{Network, START, Setup};
use crate::people::{Person, Router};

/// How much later an anchor is, unless told.
const STEP: Millis = Millis(1_000);

/// A line and what is wrong there.
pub(super) type Fault = (usize, String);

/// An event's name, its zone, and the event unless nobody would sequence it.
type Attempt = (&'static str, Zone, Result<Checked, Refusal>);

/// An event that waits for its anchor.
struct Pending {
    line: usize,
    zone: Zone,
    event: Checked,
    ends: String,
}

/// A story so far.
#[derive(Default)]
pub(super) struct Story {
    setup: Setup,
    pub(super) names: Names,
    network: Option<Network>,
    events: BTreeMap<String, Checked>,
    pending: Vec<Pending>,
    step: Option<Millis>,
    signed: u64,
    pub(super) deadlines: usize,
    pub(super) report: Report,
}

impl Story {
    /// Does what a line says.
    pub(super) fn line(&mut self, line: usize, text: &str) -> Result<(), Fault> {
        let here = |words: String| (line, words);
        match Statement::read(text).map_err(here)? {
            Statement::Empty => Ok(()),
            Statement::Network(words) => self.parameters(&words).map_err(here),
            Statement::Fund(name, amount) => self.fund(&name, amount).map_err(here),
            Statement::Keys(names) => {
                names.iter().try_for_each(|name| self.person(name).map(drop)).map_err(here)
            }
            Statement::Event { who, what, words, times, ends } => {
                (0..times).try_for_each(|_| self.event(line, &who, &what, words.clone(), &ends))
            }
            Statement::Anchor if !self.pending.is_empty() => self.flush(),
            Statement::Anchor => self.anchor(line),
            other => {
                self.flush()?;
                match other {
                    Statement::Time(more) => {
                        self.step = Some(self.step.unwrap_or_default().plus(more));
                        Ok(())
                    }
                    Statement::Wait(time) => self.wait(line, time),
                    check => self.check(check).map_err(here),
                }
            }
        }
    }

    /// Anchors what waits and executes everything once more from the beginning.
    pub(super) fn end(mut self, line: usize) -> Result<Report, Fault> {
        self.flush()?;
        let network = self.started();
        let twice = network.replay().map_err(|words| (line, words))?;
        if let Some(height) = twice.iter().position(|(first, again)| first != again) {
            return Err((line, format!("anchor {} has two roots", height + 1)));
        }
        let observed = network.observed().clone();
        Ok(Report { observed, ..self.report })
    }

    /// The network after everything that waits was anchored.
    pub(super) fn network(mut self, line: usize) -> Result<Network, Fault> {
        self.flush()?;
        self.network.ok_or((line, "nothing happens in it".to_string()))
    }

    /// The network, started with the first use.
    pub(super) fn started(&mut self) -> &mut Network {
        if self.network.is_none() {
            for router in Router::all() {
                self.names.people.entry(router.name).or_insert(router.person);
            }
        }
        self.network.get_or_insert_with(|| Network::start(&self.setup))
    }

    fn person(&mut self, name: &str) -> Result<Person, String> {
        let is_plain = name.chars().all(|letter| letter.is_ascii_alphanumeric());
        let is_known = self.names.people.contains_key(name) || name.starts_with("router");
        if self.network.is_some() || !is_plain || is_known || RESERVED.contains(&name) {
            return Err(format!("{name} cannot be a new name here"));
        }
        let person = Person::named(name);
        self.names.people.insert(name.to_string(), person.clone());
        Ok(person)
    }

    fn fund(&mut self, name: &str, amount: Amount) -> Result<(), String> {
        if name == "pool" && self.network.is_none() {
            self.setup.pool = amount;
            return Ok(());
        }
        let person = self.person(name)?;
        self.setup.accounts.push((person, amount));
        Ok(())
    }

    fn parameters(&mut self, words: &[String]) -> Result<(), String> {
        let json = serde_json::to_value(&self.setup.params);
        let mut json = json.map_err(|error| error.to_string())?;
        for word in words {
            let (name, number) = word.split_once('=').ok_or(format!("{word}: want x=y"))?;
            let number: u64 = number.parse().map_err(|_| format!("{word}: want a number"))?;
            match name {
                "zones" => self.setup.zones = u32::try_from(number).unwrap_or(u32::MAX),
                _ => json[name] = number.into(),
            }
        }
        self.setup.params =
            serde_json::from_value::<Params>(json).map_err(|error| error.to_string())?;
        Ok(())
    }

    fn event(
        &mut self,
        line: usize,
        who: &str,
        what: &What,
        words: Vec<String>,
        ends: &str,
    ) -> Result<(), Fault> {
        let (name, zone, said) = self.sign(who, what, words).map_err(|words| (line, words))?;
        match said {
            Ok(event) => {
                if let What::Commit { label, .. } = what {
                    self.events.insert(label.clone(), event.clone());
                }
                self.pending.push(Pending { line, zone, event, ends: ends.to_string() });
                Ok(())
            }
            Err(refusal) => {
                self.started().observe(name, refusal.code);
                compare(ends, &format!("invalid {}", refusal.code)).map_err(|words| (line, words))
            }
        }
    }

    fn sign(&mut self, who: &str, what: &What, mut words: Vec<String>) -> Result<Attempt, String> {
        self.signed += 1;
        let nonce = START.0 * 1_000 + self.signed;
        let network = self.started();
        let now = network.head().time;
        let envelope = Envelope::take(&mut words, press(network)?, now, nonce)?;
        let zone = envelope.zone;
        self.names.now = now;
        self.names.chain = self.started().chain().0;
        if let What::Again(label) = what {
            let event = self.events.get(label).ok_or(format!("{label} is nothing"))?.clone();
            return Ok(("", zone, Ok(event)));
        }
        let label = self.label(&mut words);
        let author = self.names.person(who)?.clone();
        let row = self.fields(&author, what, &mut words)?;
        let said = envelope.sign(&self.names, author.id(), &author, row, &words)?;
        if let (Some(label), Ok(event)) = (label, &said) {
            self.names.events.insert(label.clone(), event.id());
            self.events.insert(label, event.clone());
        }
        Ok((row.name, zone, said))
    }

    /// Takes `as label` away from the end of an event's words.
    fn label(&mut self, words: &mut Vec<String>) -> Option<String> {
        let at = words.len().checked_sub(2).filter(|at| words[*at] == "as")?;
        let label = words.pop();
        words.truncate(at);
        label
    }

    /// The row, and its fields where a recipe gives them.
    fn fields(
        &mut self,
        author: &Person,
        what: &What,
        words: &mut Vec<String>,
    ) -> Result<&'static Row, String> {
        let name = match what {
            What::Row(name) => name,
            What::Commit { name, label } => {
                let mut take = |field: &str| {
                    let at = words.iter().position(|word| word.starts_with(field))?;
                    Some(words.remove(at)[field.len()..].to_string())
                };
                let years = take("years=").ok_or("for how many years=?")?;
                let cap = take("cap=").ok_or("up to what cap=?")?;
                let salt = word_hash(&take("salt=").unwrap_or_else(|| label.clone()));
                let preimage = Preimage { owner: author.id(), name: name.clone(), years, salt };
                words.push(format!("hash={}", preimage.hash()));
                words.push(format!("price_max={cap}"));
                self.names.commits.insert(label.clone(), preimage);
                "domains.commit"
            }
            What::Reveal(label) => {
                let known = self.names.commits.get(label);
                let known = known.ok_or(format!("{label} is no commit"))?;
                for (field, value) in [
                    ("owner", known.owner.to_string()),
                    ("name", known.name.clone()),
                    ("years", known.years.clone()),
                    ("salt", known.salt.to_string()),
                ] {
                    let start = format!("{field}=");
                    if words.iter().all(|word| !word.starts_with(&start)) {
                        words.push(format!("{start}{value}"));
                    }
                }
                "domains.reveal"
            }
            What::Again(label) => return Err(format!("{label} has no fields")),
        };
        REGISTRY.row_named(name).ok_or(format!("there is no event {name}"))
    }

    /// Anchors what waits, if anything does.
    pub(super) fn flush(&mut self) -> Result<(), Fault> {
        match self.pending.first().map(|first| first.line) {
            Some(line) => self.anchor(line),
            None => Ok(()),
        }
    }

    fn anchor(&mut self, line: usize) -> Result<(), Fault> {
        let pending = std::mem::take(&mut self.pending);
        let step = self.step.take().unwrap_or(STEP);
        let mut blocks: BTreeMap<Zone, Vec<Checked>> = BTreeMap::new();
        for one in &pending {
            blocks.entry(one.zone).or_default().push(one.event.clone());
        }
        let blocks: Vec<_> = blocks.into_iter().collect();
        let receipts = self.started().anchor(step, &blocks).map_err(|words| (line, words))?;
        let deadlines = receipts.iter().filter(|r| matches!(r.subject, Subject::Deadline { .. }));
        self.deadlines = deadlines.count();
        self.compare_all(&pending, &receipts)
    }

    /// Compares each event's end; an event may stand in several lanes.
    fn compare_all(&mut self, pending: &[Pending], receipts: &[Receipt]) -> Result<(), Fault> {
        let mut by_zone: BTreeMap<Zone, Vec<&Receipt>> = BTreeMap::new();
        for (place, receipt) in event_receipts(receipts) {
            by_zone.entry(place.zone).or_default().push(receipt);
        }
        let mut by_zone: BTreeMap<Zone, _> =
            by_zone.into_iter().map(|(zone, list)| (zone, list.into_iter())).collect();
        for one in pending {
            let receipt = by_zone.get_mut(&one.zone).and_then(Iterator::next);
            let receipt = receipt.ok_or((one.line, "there is no receipt".to_string()))?;
            let end = match &receipt.outcome {
                Outcome::Done => "ok".to_string(),
                Outcome::Refused(code) => format!("refused {code}"),
                Outcome::Void(code) => format!("void {code}"),
                Outcome::Bug(code) => format!("bug {code}"),
            };
            if receipt.outcome == Outcome::Done {
                self.report.done.extend(one.event.row(&REGISTRY).map(|row| row.name));
            }
            compare(&one.ends, &end).map_err(|words| (one.line, words))?;
        }
        Ok(())
    }

    fn wait(&mut self, line: usize, time: Millis) -> Result<(), Fault> {
        let until = self.started().head().clock.plus(time);
        self.step = None;
        loop {
            let left = until.since(self.started().head().clock);
            if left == Millis(0) {
                return Ok(());
            }
            self.step = Some(left.min(self.setup.params.clock_step_ms_max));
            self.anchor(line)?;
        }
    }
}

/// What stamps are made over now.
fn press(network: &Network) -> Result<Press, String> {
    let snapshot = network.snapshot();
    let stamps = Stamps::read(&snapshot).ok_or("the state has no stamps")?;
    Ok(Press { chain: network.chain(), stamps })
}

/// `ends` is what was expected, with `or` between alternatives.
pub(super) fn compare(ends: &str, end: &str) -> Result<(), String> {
    if ends.split(" or ").any(|expected| expected == end) {
        return Ok(());
    }
    Err(format!("expected {ends}, it was {end}"))
}
