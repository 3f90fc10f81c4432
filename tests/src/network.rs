//! A network in one process: real signatures, blocks, anchors and a real book, but time goes
//! as the test says. After every anchor all that must hold is checked.

use std::collections::{BTreeMap, BTreeSet};

use ddt_contracts::REGISTRY;
use ddt_ledger::admit::{Admission, admit, context_at};
use ddt_ledger::anchor::{AnchorBody, Roots, Span, check_anchor};
use ddt_ledger::certificate::Certificate;
use ddt_ledger::codec::encode;
use ddt_ledger::event::Checked;
use ddt_ledger::execute::execute;
use ddt_ledger::genesis::Genesis;
use ddt_ledger::lane::CheckedBlock;
use ddt_ledger::receipt::{Outcome, Receipt, Subject};
use ddt_ledger::schema::{FieldError, Fields, Value};
use ddt_ledger::store::{BookStore, Snapshot};
use ddt_ledger::system::{Head, Validators};
use ddt_ledger::view::{Found, Page};
use ddt_ledger::{Amount, ChainId, Millis};

use crate::disk::Disk;
use crate::invariants::{Recount, check_receipt, check_state, event_receipts};
use crate::people::Router;
use crate::routers::{Blocks, Routers};

pub use crate::setup::{START, Setup};

/// A "no" that was seen: of which event, and which.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Observation {
    /// `programme.event`, or `programme.view`.
    pub row: String,
    /// The refusal's code.
    pub code: String,
}

/// What admission says: the fee, or whether it would be void, and why.
type Forecast = Result<Amount, (bool, String)>;

/// An anchor as it was decided, with the blocks it covers.
pub struct Decided {
    /// What the routers agreed on.
    pub body: AnchorBody,
    /// That they did.
    pub certificate: Certificate,
    /// The blocks.
    pub spans: Vec<Span>,
}

/// How often the power failed while an anchor was committed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cuts {
    /// And the anchor had to be committed again.
    pub lost: usize,
    /// And the anchor was durable already.
    pub durable: usize,
}

/// A network.
pub struct Network {
    genesis: Genesis,
    routers: Vec<Router>,
    disk: Disk,
    cuts: Cuts,
    store: BookStore,
    history: Vec<Decided>,
    recount: Recount,
    observed: BTreeSet<Observation>,
}

impl Network {
    /// A new network.
    pub fn start(setup: &Setup) -> Network {
        Network::resume(setup.genesis(), Disk::default()).expect("a network in memory")
    }

    /// Goes on with the book on a disk, after recounting all money from its receipts.
    pub fn resume(genesis: Genesis, disk: Disk) -> Result<Network, String> {
        let store = BookStore::open(disk.backend(), &genesis, REGISTRY);
        let store = store.map_err(|fault| fault.to_string())?;
        let mut recount = Recount::start(&genesis);
        let snapshot = store.snapshot().map_err(|fault| fault.to_string())?;
        for height in 1..=store.head().0.height {
            let receipts = snapshot.receipts(height, 0, usize::MAX);
            recount.apply(&receipts.map_err(|fault| fault.to_string())?)?;
        }
        recount.check(&snapshot)?;
        Ok(Network {
            routers: Router::all(),
            store,
            disk,
            cuts: Cuts::default(),
            history: Vec::new(),
            recount,
            observed: BTreeSet::new(),
            genesis,
        })
    }

    /// The chain.
    pub fn chain(&self) -> ChainId {
        self.store.chain()
    }

    /// The last anchor.
    pub fn head(&self) -> Head {
        self.store.head().0
    }

    /// The book.
    pub fn snapshot(&self) -> Snapshot {
        self.store.snapshot().expect("memory does not fail")
    }

    /// All money, by the receipts.
    pub fn recount(&self) -> &Recount {
        &self.recount
    }

    /// Every "no" that events and views gave.
    pub fn observed(&self) -> &BTreeSet<Observation> {
        &self.observed
    }

    /// Notes a "no" that was seen outside of receipts.
    pub fn observe(&mut self, row: &str, code: &str) {
        self.observed.insert(Observation { row: row.to_string(), code: code.to_string() });
    }

    /// What a view answers after the last anchor.
    pub fn view(
        &self,
        name: &str,
        query: &BTreeMap<String, Value>,
        page: &Page,
    ) -> Result<Found<Fields>, FieldError> {
        let row = REGISTRY.view(name).expect("a view of the registry");
        let snapshot = self.snapshot();
        let cx = context_at(&snapshot, &self.head());
        (row.run)(query, &cx, &snapshot, page)
    }

    /// The next anchor, `step` after the last one, over these blocks; several of one zone
    /// follow each other. Answers its receipts, or which promise was broken.
    pub fn anchor(&mut self, step: Millis, blocks: &Blocks) -> Result<Vec<Receipt>, String> {
        let routers = Routers { all: &self.routers, store: &self.store };
        let spans = routers.spans(blocks)?;
        let body = routers.body(&spans, step);
        let (admission, epoch) = (self.admission(&spans, step)?, self.head().epoch);
        let certificate = routers.certificate(&body);
        let decided = Decided { body, certificate, spans };
        let (receipts, roots) = self.commit(&decided)?;
        self.history.push(decided);
        for ((place, receipt), event) in event_receipts(&receipts).zip(self.last_events()) {
            if place.id != event.id() {
                return Err("receipts are not in the events' order".to_string());
            }
            check_receipt(receipt, place, &event)?;
            if let Outcome::Refused(code) | Outcome::Void(code) = &receipt.outcome {
                let row = REGISTRY.row(place.tag).map_or("", |row| row.name);
                self.observe(row, code);
            }
        }
        // What the end of an epoch does to zones comes first, and nobody foresees it.
        let of_zones = self.last_events().first().and_then(|event| REGISTRY.row(event.draft().tag));
        let of_zones = of_zones.is_some_and(|row| row.name.starts_with("zones."));
        if !of_zones || self.head().epoch == epoch {
            check_admission(admission, &receipts)?;
        }
        check_own_work(&receipts)?;
        self.recount.apply(&receipts)?;
        let snapshot = self.snapshot();
        self.recount.check(&snapshot)?;
        check_state(&snapshot, roots.state)?;
        Ok(receipts)
    }

    /// Every anchor as it was decided.
    pub fn history(&self) -> &[Decided] {
        &self.history
    }

    /// The book's store.
    pub fn store(&self) -> &BookStore {
        &self.store
    }

    /// The disk below it.
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// The body of the anchor that could come next without any blocks.
    pub fn next_body(&self, step: Millis) -> AnchorBody {
        Routers { all: &self.routers, store: &self.store }.body(&[], step)
    }

    /// The last anchor as it was decided.
    pub fn last(&self) -> Option<&Decided> {
        self.history.last()
    }

    /// How often the power failed inside a commit.
    pub fn cuts(&self) -> Cuts {
        self.cuts
    }

    /// Lets the power fail at a change of the disk, counted from 0, if the next commit makes
    /// as many, or at its sync; then the network starts again from what was durable and goes on.
    pub fn cut_power_at(&mut self, change: Option<usize>) {
        match change {
            Some(change) => self.disk.fail_at(change),
            None => self.disk.fail_at_sync(),
        }
    }

    /// Lets the power fail now and starts again. `seed` chooses what arrived of what was not
    /// durable yet.
    pub fn restart(&mut self, seed: u64) {
        let disk = self.disk.after_power_cut(seed);
        self.store = open(&disk, &self.genesis);
        self.disk = disk;
    }

    /// Commits an anchor; if the power fails meanwhile, starts again and commits it again,
    /// unless it had become durable.
    fn commit(&mut self, decided: &Decided) -> Result<(Vec<Receipt>, Roots), String> {
        let done = commit(&self.store, decided);
        if !self.disk.has_failed() {
            self.disk.fail_never();
            return done;
        }
        self.restart(decided.body.height);
        let (head, roots) = self.store.head();
        if head.height == decided.body.height {
            self.cuts.durable += 1;
            let receipts = self.snapshot().receipts(head.height, 0, usize::MAX);
            return Ok((receipts.map_err(|fault| fault.to_string())?, roots));
        }
        match done {
            Ok(_) => Err("an anchor was committed and is lost".to_string()),
            Err(_) => {
                self.cuts.lost += 1;
                commit(&self.store, decided)
            }
        }
    }

    /// Executes the whole history again on a new book; answers both books' roots by height.
    pub fn replay(&self) -> Result<Vec<(Roots, Roots)>, String> {
        let store = open(&Disk::default(), &self.genesis);
        let snapshot = self.snapshot();
        let mut roots = Vec::new();
        for decided in &self.history {
            let (_, again) = commit(&store, decided)?;
            let first = snapshot.anchor(decided.body.height).map_err(|e| e.to_string())?;
            roots.push((first.ok_or("an anchor is missing")?.roots, again));
        }
        Ok(roots)
    }

    /// What admission says of the first event, if it is surely the first to be executed.
    fn admission(&self, spans: &[Span], step: Millis) -> Result<Option<Forecast>, String> {
        let [span] = spans else { return Ok(None) };
        let Some(first) = span.blocks.first().and_then(|block| block.events().first()) else {
            return Ok(None);
        };
        let now = self.head().time.plus(step);
        let said = admit(&REGISTRY, &self.snapshot(), first, now).map_err(|f| f.to_string())?;
        Ok(Some(match said {
            Admission::Void(refusal) => Err((true, refusal.code.to_string())),
            Admission::Admitted { forecast: Err(no), .. } => Err((false, no.code.to_string())),
            Admission::Admitted { fee, forecast: Ok(()), .. } => Ok(fee),
        }))
    }

    /// The last anchor's events, in the order of execution.
    fn last_events(&self) -> Vec<Checked> {
        let Some(decided) = self.history.last() else { return Vec::new() };
        let beacon = self.head().beacon.0;
        let start = u32::from_le_bytes([beacon[0], beacon[1], beacon[2], beacon[3]]) as usize;
        let (spans, count) = (&decided.spans, decided.spans.len().max(1));
        let (before, from) = spans.split_at(start % count);
        let blocks = from.iter().chain(before).flat_map(|span| &span.blocks);
        blocks.flat_map(CheckedBlock::events).cloned().collect()
    }
}

fn open(disk: &Disk, genesis: &Genesis) -> BookStore {
    BookStore::open(disk.backend(), genesis, REGISTRY).expect("a book in memory")
}

/// Checks, executes and commits an anchor.
fn commit(store: &BookStore, decided: &Decided) -> Result<(Vec<Receipt>, Roots), String> {
    let snapshot = store.snapshot().map_err(|fault| fault.to_string())?;
    let (_, roots) = store.head();
    let Decided { body, certificate, spans } = decided;
    check_anchor(&snapshot, store.chain(), &roots, body, spans, &REGISTRY)
        .map_err(|error| error.to_string())?;
    let validators = Validators::read(&snapshot).ok_or("the state has no validators")?;
    certificate.verify(store.chain(), &validators.next).map_err(|error| error.to_string())?;
    let executed = execute(&REGISTRY, &snapshot, body, spans).map_err(|halt| halt.to_string())?;
    let roots =
        store.commit(&executed, &encode(body), certificate).map_err(|fault| fault.to_string())?;
    Ok((executed.receipts, roots))
}

/// Admission said what the execution did.
fn check_admission(said: Option<Forecast>, receipts: &[Receipt]) -> Result<(), String> {
    let first = event_receipts(receipts).next();
    let (Some(said), Some((_, receipt))) = (said, first) else { return Ok(()) };
    let done = match &receipt.outcome {
        Outcome::Void(code) => Err((true, code.clone())),
        Outcome::Refused(code) | Outcome::Bug(code) => Err((false, code.clone())),
        Outcome::Done => Ok(receipt.fee),
    };
    if said == done { Ok(()) } else { Err(format!("admission said {said:?}, then {done:?}")) }
}

/// The ledger's own work is never refused: what it should have paid would be lost.
fn check_own_work(receipts: &[Receipt]) -> Result<(), String> {
    let own = receipts.iter().filter(|r| !matches!(r.subject, Subject::Event(_)));
    let failed = own.map(|r| (&r.subject, &r.outcome)).find(|(_, o)| **o != Outcome::Done);
    failed.map_or(Ok(()), |what| Err(format!("the ledger's own work failed: {what:?}")))
}
