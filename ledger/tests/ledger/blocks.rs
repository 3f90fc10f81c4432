//! Lane blocks: each way to be no block.

use ddt_ledger::codec::{decode, encode};
use ddt_ledger::event::{CHAIN, Draft, EVENT_BYTES_MAX, MALFORMED, SIGNATURE};
use ddt_ledger::lane::{
    BLOCK_BYTES_MAX, BLOCK_EVENTS_MAX, BlockError, BlockHeader, CheckedBlock, LaneBlock,
    SoftReceipt,
};
use ddt_ledger::merkle::list_root;
use ddt_ledger::schema::{Bytes, List};
use ddt_ledger::{Amount, ChainId, Hash, Signature, Zone};

use crate::support::network::{Network, Person};
use crate::support::programme::{Pay, REGISTRY};
use crate::support::records::sample;

struct Bench {
    network: Network,
    events: Vec<Vec<u8>>,
}

impl Bench {
    fn new(count: usize) -> Bench {
        let mut network = Network::new();
        let pay = Pay { to: Person::new(2).id(), amount: Amount::from_apt(1) };
        let events = (0..count).map(|_| network.event(&Person::new(1), &pay)).collect();
        Bench { network, events }
    }

    fn header(&self) -> BlockHeader {
        self.network.header(&self.network.lane(Zone(1)), Zone(1), &self.events)
    }

    /// A block with this header and these events, signed by the lane's key.
    fn block(&self, header: BlockHeader, events: &[Vec<u8>]) -> LaneBlock {
        let signature = self.network.routers[0].person.sign(&header.id());
        let events = events.iter().map(|event| Bytes::new(event.as_slice()).expect("an event"));
        LaneBlock { header, signature, events: List::new(events.collect()).expect("few events") }
    }

    fn check(&self, block: &LaneBlock) -> Result<CheckedBlock, BlockError> {
        let key = self.network.routers[0].person.key();
        CheckedBlock::check(&encode(block), self.network.chain, &key, &REGISTRY)
    }

    fn error(&self, change: impl FnOnce(&mut BlockHeader)) -> Option<BlockError> {
        let mut header = self.header();
        change(&mut header);
        self.check(&self.block(header, &self.events)).err()
    }
}

/// Broken by: leaving out any one check of a header.
#[test]
fn each_wrong_header_is_refused_for_its_reason() {
    let bench = Bench::new(2);
    assert_eq!(bench.error(|_| {}), None);
    let wrong = |what| Some(BlockError::Header(what));
    assert_eq!(bench.error(|header| header.version = 2), wrong("version"));
    assert_eq!(bench.error(|header| header.chain = ChainId(Hash::ZERO)), wrong("chain"));
    assert_eq!(bench.error(|header| header.count = 0), wrong("count"));
    assert_eq!(bench.error(|header| header.count = 1), wrong("count"));
    assert_eq!(bench.error(|header| header.count = 3), wrong("count"));
    let last = |header: &mut BlockHeader| header.first_number = u64::MAX - 1;
    assert_eq!(bench.error(last), wrong("first number"));
    assert_eq!(bench.error(|header| header.events_root = Hash::ZERO), wrong("events root"));
    let mut header = bench.header();
    header.count = 0;
    header.events_root = list_root::<&[u8]>([]);
    assert_eq!(bench.check(&bench.block(header, &[])).err(), wrong("count"));
}

/// Broken by: checking another key's signature, or another header's.
#[test]
fn only_the_lanes_key_signs() {
    let bench = Bench::new(1);
    let mut block = bench.block(bench.header(), &bench.events);
    block.signature = bench.network.routers[1].person.sign(&block.header.id());
    assert_eq!(bench.check(&block).err(), Some(BlockError::Signature));
    block.signature = Signature([0; 64]);
    assert_eq!(bench.check(&block).err(), Some(BlockError::Signature));
    let mut block = bench.block(bench.header(), &bench.events);
    block.header.height += 1;
    assert_eq!(bench.check(&block).err(), Some(BlockError::Signature));
}

/// Broken by: an order of events that the header does not commit to.
#[test]
fn events_in_another_order_are_another_block() {
    let bench = Bench::new(2);
    let turned: Vec<_> = bench.events.iter().rev().cloned().collect();
    let error = bench.check(&bench.block(bench.header(), &turned)).err();
    assert_eq!(error, Some(BlockError::Header("events root")));
}

/// Broken by: a batch that hides which event is wrong, or is off by a batch.
#[test]
fn the_first_invalid_event_is_named() {
    let bench = Bench::new(600);
    let valid = bench.check(&bench.block(bench.header(), &bench.events)).expect("a block");
    assert_eq!(valid.events().len(), 600);
    assert_eq!(valid.work(&REGISTRY), 1_800);
    for place in [0, 255, 256, 511, 599] {
        let mut events = bench.events.clone();
        *events[place].last_mut().expect("a signature") ^= 1;
        let error = bench.check(&bench.block(bench.header(), &events)).err();
        assert_eq!(error, Some(BlockError::Event { place, refusal: SIGNATURE }));
        events[place].pop();
        let error = bench.check(&bench.block(bench.header(), &events)).err();
        assert_eq!(error, Some(BlockError::Event { place, refusal: MALFORMED }));
    }
}

/// Broken by: checking events of a block for another chain than the block's.
#[test]
fn an_event_of_another_chain_spoils_its_block() {
    let mut bench = Bench::new(1);
    let alice = Person::new(1);
    let pay = Pay { to: alice.id(), amount: Amount::from_apt(1) };
    let draft = Draft { chain: ChainId(Hash::ZERO), ..bench.network.draft(&alice, &pay) };
    let header = bench.header();
    let error = bench.check(&bench.block(header, &[alice.seal(draft)])).err();
    assert_eq!(error, Some(BlockError::Event { place: 0, refusal: CHAIN }));
}

/// Broken by: an event counted twice in one block.
#[test]
fn a_repeated_event_is_named() {
    let mut bench = Bench::new(3);
    bench.events[2] = bench.events[0].clone();
    let error = bench.check(&bench.block(bench.header(), &bench.events)).err();
    assert_eq!(error, Some(BlockError::Duplicate { place: 2 }));
}

/// Broken by: decoding what is cut, too long, or followed by something.
#[test]
fn bytes_that_are_no_block_are_refused() {
    let bench = Bench::new(2);
    let key = bench.network.routers[0].person.key();
    let check = |bytes: &[u8]| CheckedBlock::check(bytes, bench.network.chain, &key, &REGISTRY);
    let bytes = encode(&bench.block(bench.header(), &bench.events));
    let is_malformed = |bytes: &[u8]| matches!(check(bytes), Err(BlockError::Malformed(_)));
    assert!((0..bytes.len()).all(|length| is_malformed(&bytes[..length])));
    assert!(is_malformed(&[&bytes[..], &[0]].concat()));
    assert!(is_malformed(&vec![0; BLOCK_BYTES_MAX + 1]));
    let fixed = encode(&bench.header()).len() + 64;
    for count in [BLOCK_EVENTS_MAX as u32 + 1, u32::MAX] {
        let mut bomb = bytes.clone();
        bomb[fixed..fixed + 4].copy_from_slice(&count.to_le_bytes());
        assert!(is_malformed(&bomb));
    }
    let mut bomb = bytes.clone();
    bomb[fixed + 4..fixed + 8].copy_from_slice(&(EVENT_BYTES_MAX as u32 + 1).to_le_bytes());
    assert!(is_malformed(&bomb));
    for at in 0..bytes.len() {
        let mut wrong = bytes.clone();
        wrong[at] ^= 4;
        assert!(check(&wrong).is_err(), "byte {at}");
    }
}

/// Broken by: sealing a block that no other router would read: its lane would stand still.
#[test]
fn a_block_that_is_too_long_for_others_is_not_sealed() {
    let mut bench = Bench::new(0);
    bench.events.push(bench.network.event(&Person::new(1), &sample()));
    let (router, event) = (&bench.network.routers[0].person, &bench.events[0]);
    let empty = encode(&bench.block(bench.header(), &[])).len();
    let most = (BLOCK_BYTES_MAX - empty) / encode(event).len();
    assert!(most < BLOCK_EVENTS_MAX, "bytes are what limits it");
    let seal = |count: usize| {
        let events = vec![bench.network.checked(event); count];
        CheckedBlock::seal(bench.header(), router.key(), events, |id| router.sign(id))
    };
    let (_, bytes) = seal(most).expect("the longest block");
    assert!(bytes.len() <= BLOCK_BYTES_MAX);
    assert!(seal(most + 1).is_none());
}

/// Broken by: a router that seals other bytes than others accept.
#[test]
fn a_sealed_block_is_a_checked_one() {
    let bench = Bench::new(3);
    let (sealed, bytes) = bench.network.block(bench.header(), &bench.events);
    let key = bench.network.routers[0].person.key();
    let checked = CheckedBlock::check(&bytes, bench.network.chain, &key, &REGISTRY);
    let checked = checked.expect("a block");
    assert_eq!((sealed.id(), sealed.size()), (checked.id(), checked.size()));
    assert_eq!((sealed.header(), sealed.key()), (checked.header(), checked.key()));
    assert_eq!(sealed.events(), checked.events());
    let decoded: LaneBlock = decode(&bytes, BLOCK_BYTES_MAX).expect("a block");
    assert_eq!(encode(&decoded), bytes);
}

/// Broken by: a promise that leaves out one of its fields.
#[test]
fn soft_receipts_differ_in_every_field() {
    let (chain, zone) = (ChainId(Hash::ZERO), Zone(1));
    let base = SoftReceipt { chain, event: Hash::ZERO, zone, term: 1, height: 1, number: 1 };
    let others = [
        SoftReceipt { chain: ChainId(Hash([1; 32])), ..base.clone() },
        SoftReceipt { event: Hash([1; 32]), ..base.clone() },
        SoftReceipt { zone: Zone(2), ..base.clone() },
        SoftReceipt { term: 2, ..base.clone() },
        SoftReceipt { height: 2, ..base.clone() },
        SoftReceipt { number: 2, ..base.clone() },
    ];
    assert!(others.iter().all(|other| other.digest() != base.digest()));
}
