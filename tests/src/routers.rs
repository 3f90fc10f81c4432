//! What routers do for a network in one process: seal blocks, make anchors, sign them.

use std::collections::BTreeSet;

use ddt_contracts::REGISTRY;
use ddt_ledger::anchor::{ANCHOR_VERSION, AnchorBody, Span, TimeStatement, Tip};
use ddt_ledger::certificate::{
    Certificate, CertificateSignature, Validator, ValidatorAddress, VoteKind, vote_digest,
};
use ddt_ledger::event::Checked;
use ddt_ledger::lane::{BLOCK_VERSION, BlockHeader, CheckedBlock};
use ddt_ledger::merkle::list_root;
use ddt_ledger::schema::List;
use ddt_ledger::store::BookStore;
use ddt_ledger::system::{Head, Lane, Validators};
use ddt_ledger::{ChainId, Hash, Millis, PublicKey, Zone};

use crate::people::Router;

/// Blocks of events, each of a zone; several of one zone follow each other.
pub type Blocks = [(Zone, Vec<Checked>)];

/// The routers of a network, above a book. Whose turn it is, says the state.
pub(crate) struct Routers<'n> {
    /// Everybody who may be one.
    pub all: &'n [Router],
    /// The book as of the last anchor.
    pub store: &'n BookStore,
}

impl Routers<'_> {
    fn chain(&self) -> ChainId {
        self.store.chain()
    }

    fn of_key(&self, key: &PublicKey) -> Result<&Router, String> {
        let found = self.all.iter().find(|router| router.person.key() == *key);
        found.ok_or_else(|| "nobody knows that router's key".to_string())
    }

    /// Who signs the next anchor, and the hash of the set that signs the one after it.
    fn council(&self) -> (Vec<&Router>, Hash) {
        let snapshot = self.store.snapshot().expect("memory does not fail");
        let sets = Validators::read(&snapshot).expect("validators");
        let router = |one: &Validator| self.of_key(&one.key).expect("a known router");
        (sets.next.0.iter().map(router).collect(), sets.after_next.hash())
    }

    /// Seals the blocks.
    pub fn spans(&self, blocks: &Blocks) -> Result<Vec<Span>, String> {
        let snapshot = self.store.snapshot().map_err(|fault| fault.to_string())?;
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
        let head = self.store.head().0;
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
        let router = &self.of_key(&lane.key)?.person;
        let sign = |id: &Hash| router.sign(id);
        let sealed = CheckedBlock::seal(header, router.key(), events.to_vec(), sign);
        let (_, bytes) = sealed.expect("a small block");
        let block = CheckedBlock::check(&bytes, self.chain(), &lane.key, &REGISTRY);
        let block = block.map_err(|error| error.to_string())?;
        (lane.height, lane.tip) = (lane.height + 1, block.id());
        lane.next_number += events.len() as u64;
        Ok(block)
    }

    /// The body of the next anchor over these spans, `step` after the last one.
    pub fn body(&self, spans: &[Span], step: Millis) -> AnchorBody {
        let (head, roots) = self.store.head();
        let height = head.height + 1;
        let tips = spans.iter().filter_map(|span| {
            let last = span.blocks.last()?;
            let header = last.header();
            let (term, height) = (header.term, header.height);
            Some(Tip { zone: span.zone, term, height, block: last.id() })
        });
        let (council, next_validators) = self.council();
        let maker = council[height as usize % council.len()];
        AnchorBody {
            version: ANCHOR_VERSION,
            chain: self.chain(),
            height,
            previous: head.anchor,
            statements: self.statements(&council, &head, head.time.plus(step)),
            tips: List::new(tips.collect()).expect("few zones"),
            state_root: roots.state,
            receipts_root: roots.receipts,
            next_validators,
            maker: ValidatorAddress::of(&maker.person.key()),
            vrf: maker.vrf.prove(&head.anchor, height),
        }
    }

    fn statements(
        &self,
        council: &[&Router],
        head: &Head,
        time: Millis,
    ) -> List<TimeStatement, 100> {
        let digest = TimeStatement::digest(self.chain(), head.height + 1, &head.anchor, time);
        let state = |router: &&Router| {
            let (key, signature) = (router.person.key(), router.person.sign(&digest));
            TimeStatement { key, time, signature }
        };
        let mut statements: Vec<TimeStatement> = council.iter().map(state).collect();
        statements.sort_by_key(|statement| statement.key);
        List::new(statements).expect("few routers")
    }

    /// Everybody's precommit.
    pub fn certificate(&self, body: &AnchorBody) -> Certificate {
        let (height, round, anchor) = (body.height, 0, body.id());
        let sign = |router: &Router| {
            let key = router.person.key();
            let (voter, kind) = (ValidatorAddress::of(&key), VoteKind::Precommit);
            let digest = vote_digest(self.chain(), kind, height, round, Some(anchor), voter);
            CertificateSignature { key, signature: router.person.sign(&digest) }
        };
        let signatures = self.council().0.into_iter().map(sign).collect();
        Certificate { height, round, anchor, signatures }
    }
}
