//! A small network with a little of everything, made once: what valid inputs look like.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use ddt_ledger::anchor::Roots;
use ddt_ledger::genesis::Genesis;
use ddt_ledger::lane::CheckedBlock;
use ddt_ledger::merkle::ListTree;
use ddt_ledger::proof::{CertifiedAnchor, Claim, Hex, PROOF_VERSION, Proof};
use ddt_ledger::receipt::Receipt;
use ddt_ledger::state::{MemoryState, StateReader};
use ddt_ledger::store::{LaneStore, Snapshot};
use ddt_ledger::table::Rows;
use ddt_ledger::{ChainId, Millis, Zone, codec::encode};
use ddt_tests::disk::Disk;
use ddt_tests::network::Network;
use ddt_tests::people::Router;
use ddt_tests::scenario::network_after;

/// The story that the network lived.
pub const STORY: &str = include_str!("../../vectors/store-v1/story.txt");

/// What can be shared between threads of the network.
pub struct World {
    /// Its genesis.
    pub genesis: Genesis,
    /// Its chain.
    pub chain: ChainId,
    /// Every event's bytes.
    pub events: Vec<Vec<u8>>,
    /// Every lane block's bytes, with its zone.
    pub blocks: Vec<(Zone, Vec<u8>)>,
    /// Every anchor as it was certified.
    pub anchors: Vec<CertifiedAnchor>,
    /// Every receipt.
    pub receipts: Vec<Receipt>,
    /// The last state.
    pub state: MemoryState,
    /// Its roots.
    pub roots: Roots,
    /// The state before, which is certified, and its height.
    pub before: (u64, BTreeMap<Vec<u8>, Vec<u8>>),
    /// The body of the anchor that could come next, with no blocks.
    pub next_anchor: Vec<u8>,
    /// Proofs of some rows, of a missing one, and of receipts.
    pub proofs: Vec<Proof>,
    /// The bytes of `book.redb`.
    pub book: Vec<u8>,
    /// The bytes of `lanes.redb`.
    pub lanes: Vec<u8>,
}

/// Lives the story.
pub fn network() -> Network {
    network_after("story.txt", STORY).unwrap_or_else(|trouble| panic!("{trouble}"))
}

/// The world, lived at the first call.
pub fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| World::of(&network()))
}

/// The bytes of a block that its router sealed: the same every time, as signatures are.
pub fn sealed(block: &CheckedBlock) -> Vec<u8> {
    let header = block.header().clone();
    let router = Router::of_zone(header.zone.0).person;
    let events = block.events().to_vec();
    let sealed = CheckedBlock::seal(header, router.key(), events, |id| router.sign(id));
    sealed.expect("a block as it was").1
}

/// A lane store with all blocks of a network, on a disk of its own.
pub fn lanes(network: &Network) -> (LaneStore, Disk) {
    let disk = Disk::default();
    let lanes = LaneStore::open(disk.backend(), network.chain()).expect("lanes in memory");
    for block in blocks(network) {
        let header = block.header();
        let put = lanes.put_block(header.zone, header.term, header.height, &sealed(block));
        put.expect("memory does not fail");
    }
    (lanes, disk)
}

fn blocks(network: &Network) -> impl Iterator<Item = &CheckedBlock> {
    network.history().iter().flat_map(|decided| &decided.spans).flat_map(|span| &span.blocks)
}

fn rows_of(snapshot: &Snapshot) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    snapshot.after(&[], &[], usize::MAX).expect("in memory").into_iter()
}

fn before(network: &Network) -> (u64, BTreeMap<Vec<u8>, Vec<u8>>) {
    let certified = network.store().certified().expect("in memory").expect("certified");
    let rows = certified.rows().rows_after(&[], &[], usize::MAX);
    (certified.height, rows.into_iter().collect())
}

impl World {
    /// The rows of a certified state.
    pub fn rows_at(&self, height: u64) -> Option<&BTreeMap<Vec<u8>, Vec<u8>>> {
        (self.before.0 == height).then_some(&self.before.1)
    }

    fn of(network: &Network) -> World {
        let snapshot = network.snapshot();
        let height = network.head().height;
        let anchors: Vec<CertifiedAnchor> =
            (1..=height).filter_map(|height| certified(&snapshot, height)).collect();
        let receipts = |height| snapshot.receipts(height, 0, usize::MAX).expect("in memory");
        World {
            genesis: network.store().genesis().clone(),
            chain: network.chain(),
            events: blocks(network)
                .flat_map(|block| block.events().iter().map(|event| event.bytes().to_vec()))
                .collect(),
            blocks: blocks(network).map(|block| (block.header().zone, sealed(block))).collect(),
            receipts: (1..=height).flat_map(receipts).collect(),
            state: MemoryState { rows: rows_of(&snapshot).collect() },
            roots: network.store().head().1,
            before: before(network),
            next_anchor: encode(&network.next_body(Millis(1_000))),
            proofs: proofs(network, &snapshot, height),
            anchors,
            book: network.disk().bytes(),
            lanes: lanes(network).1.bytes(),
        }
    }
}

fn certified(snapshot: &Snapshot, height: u64) -> Option<CertifiedAnchor> {
    let record = snapshot.anchor(height).expect("in memory")?;
    Some(CertifiedAnchor { body: Hex(record.body), certificate: record.certificate })
}

fn proofs(network: &Network, snapshot: &Snapshot, last: u64) -> Vec<Proof> {
    let chain = network.chain();
    let proof = |height: u64, claim: Claim| {
        let anchor = certified(snapshot, height + 1).expect("the next anchor");
        Proof { version: PROOF_VERSION, chain, height, handovers: Vec::new(), anchor, claim }
    };
    let mut proofs = Vec::new();
    let keys = rows_of(snapshot).map(|(key, _)| key).step_by(7);
    for key in keys.chain([vec![1, 2, 3]]) {
        let (certified, path) = network.store().prove(&key).expect("in memory").expect("certified");
        let value = certified.rows().row(&key).map(Hex);
        proofs.push(proof(certified.height, Claim::Row { key: Hex(key), value, path }));
    }
    for height in 1..last {
        let receipts = snapshot.receipts(height, 0, usize::MAX).expect("in memory");
        let items: Vec<Vec<u8>> = receipts.iter().map(encode).collect();
        let tree = ListTree::new(&items);
        for (index, item) in items.iter().enumerate().take(2) {
            let path = tree.prove(index as u64).expect("a receipt");
            proofs.push(proof(height, Claim::Receipt { receipt: Hex(item.clone()), path }));
        }
    }
    let all_hold = proofs.iter().all(|proof| proof.verify(network.store().genesis()).is_ok());
    assert!(all_hold, "the world's own proofs hold");
    proofs
}
