//! The path of a block: checked on its own thread, then executed and committed.

use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use ddt_contracts::REGISTRY;
use ddt_ledger::anchor::{ANCHOR_VERSION, AnchorBody, Span, TimeStatement, Tip, check_anchor};
use ddt_ledger::certificate::{Certificate, ValidatorAddress};
use ddt_ledger::codec::encode;
use ddt_ledger::event::Checked;
use ddt_ledger::execute::execute;
use ddt_ledger::lane::{BLOCK_VERSION, BlockHeader, CheckedBlock};
use ddt_ledger::merkle::list_root;
use ddt_ledger::receipt::Outcome;
use ddt_ledger::schema::List;
use ddt_ledger::store::{Backend, BookStore, Snapshot};
use ddt_ledger::system::{Lane, Validators};
use ddt_ledger::vrf::VrfKey;
use ddt_ledger::{ChainId, Hash, Millis};
use ed25519_dalek::SigningKey;

use super::load::{Load, ZONE, public, sign, vrf};
use crate::failure::Failure;

/// The store's file in its folder.
pub const FILE: &str = "bench-book.redb";
/// Blocks that are checked ahead.
const AHEAD: usize = 2;

/// Time spent in each stage, and from the first to the last.
#[derive(Default)]
pub struct Stages {
    pub check: Duration,
    pub agree: Duration,
    pub execute: Duration,
    pub commit: Duration,
    pub whole: Duration,
}

/// A router's book, and how long it was at work.
pub struct Through {
    book: BookStore,
    router: SigningKey,
    vrf: VrfKey,
    /// How far each anchor's time is after the one before; the clock's without it.
    pub step: Option<Millis>,
    pub stages: Stages,
}

impl Through {
    pub fn open(load: &Load, folder: &Path) -> Result<Through, Failure> {
        let book = BookStore::open(Backend::File(folder.join(FILE)), &load.genesis, REGISTRY)?;
        let (router, vrf) = (load.router.clone(), vrf()?);
        Ok(Through { book, router, vrf, step: None, stages: Stages::default() })
    }

    pub fn chain(&self) -> ChainId {
        self.book.chain()
    }

    pub fn close(self) -> Stages {
        self.stages
    }

    /// The book, with everything in it.
    pub fn into_book(self) -> BookStore {
        self.book
    }

    /// Takes events through, so many an anchor.
    pub fn anchors(&mut self, events: &[Checked], per_anchor: usize) -> Result<(), Failure> {
        let sealed = self.seal_all(events, per_anchor)?;
        self.anchor_all(&sealed)
    }

    /// Takes the lane's next blocks through, an anchor for each.
    pub fn anchor_all(&mut self, sealed: &[Vec<u8>]) -> Result<(), Failure> {
        let (chain, key) = (self.chain(), public(&self.router));
        let mut stages = std::mem::take(&mut self.stages);
        let start = Instant::now();
        let result = std::thread::scope(|scope| {
            let (sender, blocks) = sync_channel(AHEAD);
            let checker = scope.spawn(move || {
                let mut busy = Duration::ZERO;
                for bytes in sealed {
                    let start = Instant::now();
                    let block = CheckedBlock::check(bytes, chain, &key, &REGISTRY);
                    busy += start.elapsed();
                    if sender.send(block).is_err() {
                        break;
                    }
                }
                busy
            });
            for block in blocks {
                let block = block.map_err(|error| Failure::fault(error.to_string()))?;
                // A worker's task, as in a router.
                rayon::scope(|_| self.anchor(block, &mut stages))?;
            }
            checker.join().map_err(|_| Failure::fault("checking a block panicked"))
        });
        stages.check += result?;
        stages.whole += start.elapsed();
        self.stages = stages;
        Ok(())
    }

    /// One anchor over one block, as a router makes it.
    fn anchor(&self, block: CheckedBlock, stages: &mut Stages) -> Result<(), Failure> {
        let fault = |error: &dyn std::fmt::Display| Failure::fault(error.to_string());
        let snapshot = self.book.snapshot()?;
        let start = Instant::now();
        let body = self.body(&snapshot, &block)?;
        let spans = [Span { zone: ZONE, blocks: vec![block] }];
        let (_, roots) = self.book.head();
        check_anchor(&snapshot, self.chain(), &roots, &body, &spans, &REGISTRY)
            .map_err(|error| fault(&error))?;
        stages.agree += start.elapsed();
        let start = Instant::now();
        let executed =
            execute(&REGISTRY, &snapshot, &body, &spans).map_err(|error| fault(&error))?;
        stages.execute += start.elapsed();
        if executed.receipts.iter().any(|receipt| receipt.outcome != Outcome::Done) {
            return Err(Failure::fault("an event of the load was not executed"));
        }
        let certificate =
            Certificate { height: body.height, round: 0, anchor: body.id(), signatures: vec![] };
        let start = Instant::now();
        self.book.commit(&executed, &encode(&body), &certificate)?;
        stages.commit += start.elapsed();
        Ok(())
    }

    /// The lane's next blocks over all events.
    pub fn seal_all(&self, events: &[Checked], per_block: usize) -> Result<Vec<Vec<u8>>, Failure> {
        let lane = Lane::read(&self.book.snapshot()?, ZONE);
        let lane = lane.ok_or_else(|| Failure::fault("no lane"))?;
        let (mut height, mut number, mut parent) = (lane.height, lane.next_number, lane.tip);
        let mut sealed = Vec::new();
        for events in events.chunks(per_block) {
            height += 1;
            let place = (lane.term, height, number, parent);
            let (bytes, id) = self.seal(place, events)?;
            (number, parent) = (number + events.len() as u64, id);
            sealed.push(bytes);
        }
        Ok(sealed)
    }

    fn seal(
        &self,
        (term, height, first_number, parent): (u64, u64, u64, Hash),
        events: &[Checked],
    ) -> Result<(Vec<u8>, Hash), Failure> {
        let header = BlockHeader {
            version: BLOCK_VERSION,
            chain: self.chain(),
            zone: ZONE,
            term,
            height,
            parent,
            after_anchor: self.book.head().0.height,
            first_number,
            count: u32::try_from(events.len()).unwrap_or(u32::MAX),
            events_root: list_root(events.iter().map(|event| event.id().0)),
            time: crate::running::now(),
        };
        let router = |digest: &Hash| sign(&self.router, digest);
        let sealed = CheckedBlock::seal(header, public(&self.router), events.to_vec(), router);
        let too_large = || Failure::usage("the events do not fit a block: lower --per-anchor");
        sealed.map(|(block, bytes)| (bytes, block.id())).ok_or_else(too_large)
    }

    fn body(&self, snapshot: &Snapshot, block: &CheckedBlock) -> Result<AnchorBody, Failure> {
        let (head, roots) = self.book.head();
        let validators =
            Validators::read(snapshot).ok_or_else(|| Failure::fault("no validators"))?;
        let time = self.step.map_or_else(crate::running::now, |step| head.time.plus(step));
        let (height, chain) = (head.height + 1, self.chain());
        let digest = TimeStatement::digest(chain, height, &head.anchor, time);
        let key = public(&self.router);
        let statement = TimeStatement { key, time, signature: sign(&self.router, &digest) };
        let header = block.header();
        let tip = Tip { zone: ZONE, term: header.term, height: header.height, block: block.id() };
        Ok(AnchorBody {
            version: ANCHOR_VERSION,
            chain,
            height,
            previous: head.anchor,
            statements: List::new(vec![statement]).unwrap_or_default(),
            tips: List::new(vec![tip]).unwrap_or_default(),
            state_root: roots.state,
            receipts_root: roots.receipts,
            next_validators: validators.after_next.hash(),
            maker: ValidatorAddress::of(&key),
            vrf: self.vrf.prove(&head.anchor, height),
        })
    }
}
