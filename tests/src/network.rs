//! A network in one process: real signatures, blocks, anchors and a real book, but time goes
//! as the test says. After every anchor all that must hold is checked.

use std::collections::BTreeSet;

use ddt_contracts::REGISTRY;
use ddt_ledger::admit::{Admission, admit, context_at};
use ddt_ledger::anchor::{
    ANCHOR_VERSION, AnchorBody, Roots, Span, TimeStatement, Tip, check_anchor,
};
use ddt_ledger::certificate::{
    Certificate, CertificateSignature, ValidatorAddress, VoteKind, vote_digest,
};
use ddt_ledger::codec::encode;
use ddt_ledger::event::Checked;
use ddt_ledger::execute::execute;
use ddt_ledger::genesis::{GENESIS_VERSION, Genesis, GenesisAccount, GenesisZone};
use ddt_ledger::lane::{BLOCK_VERSION, BlockHeader, CheckedBlock};
use ddt_ledger::merkle::list_root;
use ddt_ledger::params::Params;
use ddt_ledger::receipt::{Outcome, Receipt, Subject};
use ddt_ledger::schema::{FieldError, Fields, List, Value};
use ddt_ledger::store::{Backend, BookStore, Snapshot};
use ddt_ledger::system::{Head, Lane};
use ddt_ledger::view::{Found, Page};
use ddt_ledger::{Amount, ChainId, Hash, Millis, Zone};
use redb::backends::InMemoryBackend;

use crate::invariants::{Recount, check_receipt, check_state, event_receipts};
use crate::people::{Person, Router};

/// When every network starts.
pub const START: Millis = Millis(1_700_000_000_000);

/// What a network starts from.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Its parameters.
    pub params: Params,
    /// What is in the pool.
    pub pool: Amount,
    /// Its accounts; one with nothing opens later.
    pub accounts: Vec<(Person, Amount)>,
    /// How many zones, each with a router: 1, 2, ….
    pub zones: u32,
}

impl Setup {
    /// One zone, the parameters of a development network, nobody in it.
    pub fn new() -> Setup {
        Setup { params: Params::dev(), pool: Amount::ZERO, accounts: Vec::new(), zones: 1 }
    }

    /// The genesis.
    pub fn genesis(&self) -> Genesis {
        let funded = self.accounts.iter().filter(|(_, balance)| !balance.is_zero());
        let account = |(person, balance): &(Person, Amount)| GenesisAccount {
            key: person.key(),
            balance: *balance,
        };
        let zone = |zone: u32| {
            let router = Router::of_zone(zone);
            let (key, vrf_key) = (router.person.key(), router.vrf.public());
            GenesisZone { zone: Zone(zone), router: router.person.id(), key, vrf_key }
        };
        Genesis {
            version: GENESIS_VERSION,
            name: "in-memory".to_string(),
            time_ms: START,
            pool: self.pool,
            params: self.params.clone(),
            accounts: funded.map(account).collect(),
            node_keys: Vec::new(),
            zones: (1..=self.zones).map(zone).collect(),
        }
    }
}

impl Default for Setup {
    fn default() -> Setup {
        Setup::new()
    }
}

/// A "no" that was seen: of which event, and which.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Observation {
    /// `programme.event`, or `programme.view`.
    pub row: String,
    /// The refusal's code.
    pub code: String,
}

/// An anchor as it was decided, with the blocks it covers.
pub struct Decided {
    body: AnchorBody,
    certificate: Certificate,
    spans: Vec<Span>,
}

/// A network.
pub struct Network {
    genesis: Genesis,
    routers: Vec<Router>,
    store: BookStore,
    history: Vec<Decided>,
    recount: Recount,
    observed: BTreeSet<Observation>,
}

impl Network {
    /// A new network.
    pub fn start(setup: &Setup) -> Network {
        let genesis = setup.genesis();
        Network {
            routers: (1..=setup.zones).map(Router::of_zone).collect(),
            store: open(&genesis),
            history: Vec::new(),
            recount: Recount::start(&genesis),
            observed: BTreeSet::new(),
            genesis,
        }
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
        query: &std::collections::BTreeMap<String, Value>,
        page: &Page,
    ) -> Result<Found<Fields>, FieldError> {
        let row = REGISTRY.view(name).expect("a view of the registry");
        let snapshot = self.snapshot();
        let cx = context_at(&snapshot, &self.head());
        (row.run)(query, &cx, &snapshot, page)
    }

    /// The next anchor, `step` after the last one, over these blocks; several of one zone
    /// follow each other. Answers its receipts, or which promise was broken.
    pub fn anchor(
        &mut self,
        step: Millis,
        blocks: &[(Zone, Vec<Checked>)],
    ) -> Result<Vec<Receipt>, String> {
        let spans = self.spans(blocks)?;
        let body = self.body(&spans, step);
        let admission = self.admission(&spans, step)?;
        let certificate = self.certificate(&body);
        let decided = Decided { body, certificate, spans };
        let (receipts, roots) = commit(&self.store, &decided)?;
        self.history.push(decided);
        let sizes = self.sizes();
        for ((place, receipt), (id, bytes)) in event_receipts(&receipts).zip(sizes) {
            if place.id != id {
                return Err("receipts are not in the events' order".to_string());
            }
            check_receipt(receipt, place, bytes)?;
            if let Outcome::Refused(code) | Outcome::Void(code) = &receipt.outcome {
                let row = REGISTRY.row(place.tag).map_or("", |row| row.name);
                self.observe(row, code);
            }
        }
        check_admission(admission, &receipts)?;
        check_own_work(&receipts)?;
        self.recount.apply(&receipts)?;
        let snapshot = self.snapshot();
        self.recount.check(&snapshot)?;
        check_state(&snapshot, roots.state)?;
        Ok(receipts)
    }

    /// Executes the whole history again on a new book; answers both books' roots by height.
    pub fn replay(&self) -> Result<Vec<(Roots, Roots)>, String> {
        let store = open(&self.genesis);
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
    fn admission(
        &self,
        spans: &[Span],
        step: Millis,
    ) -> Result<Option<Result<Amount, (bool, String)>>, String> {
        let [span] = spans else { return Ok(None) };
        let Some(first) = span.blocks.first().and_then(|block| block.events().first()) else {
            return Ok(None);
        };
        let now = self.head().time.plus(step);
        let said = admit(&REGISTRY, &self.snapshot(), first, now).map_err(|f| f.to_string())?;
        Ok(Some(match said {
            Admission::Void(refusal) => Err((true, refusal.code.to_string())),
            Admission::Admitted { forecast: Err(no), .. } => Err((false, no.code.to_string())),
            Admission::Admitted { fee, forecast: Ok(()) } => Ok(fee),
        }))
    }

    /// Ids and sizes of the last anchor's events, in the order of execution.
    fn sizes(&self) -> Vec<(Hash, usize)> {
        let Some(decided) = self.history.last() else { return Vec::new() };
        let beacon = self.head().beacon.0;
        let start = u32::from_le_bytes([beacon[0], beacon[1], beacon[2], beacon[3]]) as usize;
        let (spans, count) = (&decided.spans, decided.spans.len().max(1));
        let (before, from) = spans.split_at(start % count);
        let blocks = from.iter().chain(before).flat_map(|span| &span.blocks);
        blocks.flat_map(CheckedBlock::events).map(|e| (e.id(), e.bytes().len())).collect()
    }

    fn spans(&self, blocks: &[(Zone, Vec<Checked>)]) -> Result<Vec<Span>, String> {
        let snapshot = self.snapshot();
        let zones: BTreeSet<Zone> = blocks.iter().map(|(zone, _)| *zone).collect();
        let span = |zone: Zone| {
            let lane = Lane::read(&snapshot, zone);
            let mut lane = lane.ok_or_else(|| format!("there is no zone {zone}"))?;
            let of_zone = blocks.iter().filter(|(of, _)| *of == zone);
            let sealed = of_zone.map(|(_, events)| self.block(zone, &mut lane, events));
            Ok(Span { zone, blocks: sealed.collect::<Result<_, String>>()? })
        };
        zones.into_iter().map(span).collect()
    }

    /// Seals the next block of a lane, and reads it back as every other router would.
    fn block(
        &self,
        zone: Zone,
        lane: &mut Lane,
        events: &[Checked],
    ) -> Result<CheckedBlock, String> {
        let head = self.head();
        let header = BlockHeader {
            version: BLOCK_VERSION,
            chain: self.chain(),
            zone,
            term: lane.term,
            height: lane.height + 1,
            parent: lane.tip,
            after_anchor: head.height,
            first_number: lane.next_number,
            count: u32::try_from(events.len()).expect("few events"),
            events_root: list_root(events.iter().map(|event| event.id().0)),
            time: head.time,
        };
        let router = &self.routers[zone.0 as usize - 1].person;
        let sign = |id: &Hash| router.sign(id);
        let sealed = CheckedBlock::seal(header, router.key(), events.to_vec(), sign);
        let (_, bytes) = sealed.expect("a small block");
        let block = CheckedBlock::check(&bytes, self.chain(), &lane.key, &REGISTRY);
        let block = block.map_err(|error| error.to_string())?;
        (lane.height, lane.tip) = (lane.height + 1, block.id());
        lane.next_number += events.len() as u64;
        Ok(block)
    }

    fn body(&self, spans: &[Span], step: Millis) -> AnchorBody {
        let (head, roots) = self.store.head();
        let height = head.height + 1;
        let tips = spans.iter().filter_map(|span| {
            let last = span.blocks.last()?;
            let header = last.header();
            let (term, height) = (header.term, header.height);
            Some(Tip { zone: span.zone, term, height, block: last.id() })
        });
        let maker = &self.routers[height as usize % self.routers.len()];
        AnchorBody {
            version: ANCHOR_VERSION,
            chain: self.chain(),
            height,
            previous: head.anchor,
            statements: self.statements(&head, head.time.plus(step)),
            tips: List::new(tips.collect()).expect("few zones"),
            state_root: roots.state,
            receipts_root: roots.receipts,
            next_validators: self.genesis.validators().hash(),
            maker: ValidatorAddress::of(&maker.person.key()),
            vrf: maker.vrf.prove(&head.anchor, height),
        }
    }

    fn statements(&self, head: &Head, time: Millis) -> List<TimeStatement, 100> {
        let digest = TimeStatement::digest(self.chain(), head.height + 1, &head.anchor, time);
        let state = |router: &Router| {
            let (key, signature) = (router.person.key(), router.person.sign(&digest));
            TimeStatement { key, time, signature }
        };
        let mut statements: Vec<TimeStatement> = self.routers.iter().map(state).collect();
        statements.sort_by_key(|statement| statement.key);
        List::new(statements).expect("few routers")
    }

    fn certificate(&self, body: &AnchorBody) -> Certificate {
        let (height, round, anchor) = (body.height, 0, body.id());
        let sign = |router: &Router| {
            let key = router.person.key();
            let (voter, kind) = (ValidatorAddress::of(&key), VoteKind::Precommit);
            let digest = vote_digest(self.chain(), kind, height, round, Some(anchor), voter);
            CertificateSignature { key, signature: router.person.sign(&digest) }
        };
        let signatures = self.routers.iter().map(sign).collect();
        Certificate { height, round, anchor, signatures }
    }
}

fn open(genesis: &Genesis) -> BookStore {
    let backend = Backend::Custom(Box::new(InMemoryBackend::new()));
    BookStore::open(backend, genesis, REGISTRY).expect("a book in memory")
}

/// Checks, executes and commits an anchor.
fn commit(store: &BookStore, decided: &Decided) -> Result<(Vec<Receipt>, Roots), String> {
    let snapshot = store.snapshot().map_err(|fault| fault.to_string())?;
    let (_, roots) = store.head();
    let Decided { body, certificate, spans } = decided;
    check_anchor(&snapshot, store.chain(), &roots, body, spans, &REGISTRY)
        .map_err(|error| error.to_string())?;
    certificate
        .verify(store.chain(), &store.genesis().validators())
        .map_err(|error| error.to_string())?;
    let executed =
        execute(&REGISTRY, &snapshot, body, spans).map_err(|halt| halt.to_string())?;
    let roots = store
        .commit(&executed, &encode(body), certificate)
        .map_err(|fault| fault.to_string())?;
    Ok((executed.receipts, roots))
}

/// Admission said what the execution did.
fn check_admission(
    said: Option<Result<Amount, (bool, String)>>,
    receipts: &[Receipt],
) -> Result<(), String> {
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
