//! One history: whoever executes it, in one go or with restarts, from bytes or from memory,
//! has the same roots after every anchor.

use std::collections::BTreeMap;

use ddt_ledger::anchor::{AnchorBody, Roots, Span};
use ddt_ledger::codec::encode;
use ddt_ledger::lane::CheckedBlock;
use ddt_ledger::receipt::{Receipt, Subject};
use ddt_ledger::schema::{Bytes, List};
use ddt_ledger::store::{BookStore, Snapshot};
use ddt_ledger::system::Lane;
use ddt_ledger::{AccountId, Amount, Hash, Millis, Zone};

use crate::support::disk::{Disk, Random};
use crate::support::network::{Decided, Network, Person};
use crate::support::programme::{Create, Give, Keep, Line, Panic, Pay, REGISTRY, Refuse, Write};

/// Random events of the three rich people; some of them are refused or broken.
pub fn events(network: &mut Network, random: &mut Random, count: usize) -> Vec<Vec<u8>> {
    let mut events = Vec::new();
    for _ in 0..count {
        let who = Person::new(1 + random.below(3) as u8);
        let to = Person::new(1 + random.below(8) as u8).id();
        let amount = Amount::from_units(u128::from(1 + random.next() % (1 << 40)));
        let (amount, key) = (amount.expect("in range"), Hash([random.below(5) as u8; 32]));
        let due = network.head().clock.plus(Millis(random.next() % 4_000));
        let text = (random.below(3) > 0).then(|| Line::new(format!("{amount}")).expect("short"));
        events.push(match random.below(8) {
            0 => network
                .event(&who, &Keep { key, amount, to, due, tag: 1 + amount.units() as u16 % 3 }),
            1 => network.event(&who, &Give { key, to, amount }),
            2 => network.event(&who, &Refuse { amount }),
            3 => network.event(&who, &Panic { amount }),
            4 => network.event(&who, &Create { to, amount }),
            5 | 6 => network.event(&who, &Write { key, text }),
            _ => network.event(&who, &Pay { to, amount }),
        });
    }
    events
}

/// A history of some anchors over several lanes.
pub fn history(network: &mut Network, seed: u64, anchors: usize) {
    let mut random = Random(seed);
    for _ in 0..anchors {
        let mut spans = Vec::new();
        for zone in 1..=4 {
            let blocks = random.below(3);
            let mut batches = Vec::new();
            for _ in 0..blocks {
                let count = 1 + random.below(4);
                batches.push(events(network, &mut random, count));
            }
            if !batches.is_empty() {
                spans.push(network.span(zone, &batches));
            }
        }
        let body = network.body(&spans, 1 + random.next() % 30_000);
        network.decide(body, spans);
    }
}

fn roots(network: &Network) -> Vec<Roots> {
    let snapshot = network.store.snapshot().expect("a snapshot");
    let roots = |height| snapshot.anchor(height).expect("a read").expect("an anchor").roots;
    (1..=network.head().height).map(roots).collect()
}

/// The same anchor, as it comes over the wire: everything decoded and checked again.
fn from_bytes(network: &Network, decided: &Decided) -> Decided {
    let body = AnchorBody::decode(&encode(&decided.body)).expect("a body");
    let again = |block: &CheckedBlock| {
        let router = &network.routers[block.header().zone.0 as usize - 1].person;
        let events = block.events().iter().map(|event| Bytes::new(event.bytes()).expect("short"));
        let wire = encode(&ddt_ledger::lane::LaneBlock {
            header: block.header().clone(),
            signature: router.sign(&block.id()),
            events: List::new(events.collect()).expect("few"),
        });
        let key = network.lane(block.header().zone).key;
        CheckedBlock::check(&wire, network.chain, &key, &REGISTRY).expect("a block")
    };
    let span =
        |span: &Span| Span { zone: span.zone, blocks: span.blocks.iter().map(again).collect() };
    let spans = decided.spans.iter().map(span).collect();
    Decided { body, spans, certificate: decided.certificate.clone() }
}

/// Broken by: anything in execution that depends on the process, its caches, or the moment:
/// a hash map's order, a counter that is not in the state, a tree that is not rebuilt alike.
#[test]
fn a_history_has_one_result() {
    let mut first = Network::new();
    history(&mut first, 11, 14);
    let expected = roots(&first);
    let decided = first.history.clone();

    let mut in_one_go = Network::new();
    for anchor in &decided {
        let anchor = from_bytes(&in_one_go, anchor);
        assert_eq!(in_one_go.check(&anchor.body, &anchor.spans), Ok(()));
        in_one_go.replay(anchor);
    }
    assert_eq!(roots(&in_one_go), expected);
    assert_eq!(in_one_go.rows(), first.rows());

    let disk = Disk::default();
    for (height, anchor) in decided.iter().enumerate() {
        let mut network = Network::on(&disk);
        assert_eq!(network.head().height, height as u64);
        let anchor = from_bytes(&network, anchor);
        assert_eq!(network.check(&anchor.body, &anchor.spans), Ok(()));
        network.replay(anchor);
        assert_eq!(network.roots(), expected[height]);
    }
    let reopened = Network::on(&disk);
    assert_eq!(roots(&reopened), expected);
    assert_eq!(reopened.rows(), first.rows());
}

/// Broken by: a snapshot, receipt or listing that a restart loses or changes; a place, number or
/// account that leads to nothing, or to another receipt.
#[test]
fn everything_kept_is_there_after_a_restart() {
    let disk = Disk::default();
    let mut network = Network::on(&disk);
    history(&mut network, 12, 8);
    let many = events(&mut network, &mut Random(5), 40);
    network.run(many);
    let look = |store: &BookStore| {
        let snapshot = store.snapshot().expect("a snapshot");
        let receipts = snapshot.receipts_after((0, 0), 10_000).expect("receipts");
        let places: Vec<_> =
            receipts.iter().map(|receipt| (receipt.height, receipt.index)).collect();
        let newest = snapshot.receipts_before(None, 10_000).expect("receipts");
        assert_eq!(newest.into_iter().rev().collect::<Vec<_>>(), receipts);
        let people = (1..9).map(|number| Person::new(number).id());
        let own: Vec<_> =
            people.map(|id| snapshot.history(&id, None, 10_000).expect("places")).collect();
        let events: Vec<_> = (1..=4)
            .flat_map(|zone| (0..40).map(move |number| (Zone(zone), number)))
            .map(|(zone, number)| snapshot.event_numbered(zone, number).expect("a read"))
            .collect();
        for id in events.iter().flatten() {
            let place = snapshot.event_place(id).expect("a read").expect("a place");
            assert!(places.contains(&place));
        }
        look_up_each(&snapshot, &receipts);
        (receipts, own, events, store.head())
    };
    let before = look(&network.store);
    assert!(before.0.len() > 40);
    drop(network);
    assert_eq!(look(&Network::on(&disk).store), before);
}

/// Each receipt is found by its place, its event's number, and the accounts it touched.
fn look_up_each(snapshot: &Snapshot, receipts: &[Receipt]) {
    let mut touched: BTreeMap<AccountId, Vec<(u64, u32)>> = BTreeMap::new();
    for receipt in receipts {
        let place = (receipt.height, receipt.index);
        assert_eq!(snapshot.receipt(place).as_ref(), Ok(&Some(receipt.clone())), "{place:?}");
        for account in receipt.accounts() {
            touched.entry(account).or_default().insert(0, place);
        }
        let Subject::Event(event) = &receipt.subject else { continue };
        let found = snapshot.event_numbered(event.zone, event.number);
        assert_eq!(found, Ok(Some(event.id)), "{}:{}", event.zone, event.number);
    }
    for (account, places) in touched {
        assert_eq!(snapshot.history(&account, None, 10_000), Ok(places.clone()));
        let rest = places.get(1..3.min(places.len())).unwrap_or_default();
        assert_eq!(snapshot.history(&account, Some(places[0]), 2).as_deref(), Ok(rest));
    }
    for (zone, lane) in Lane::scan(snapshot, None, 9) {
        for nobodys in [0, lane.next_number, u64::MAX] {
            assert_eq!(snapshot.event_numbered(zone, nobodys), Ok(None), "{zone}:{nobodys}");
        }
    }
}

/// Broken by: fees, deadlines or nonces that depend on how events were cut into blocks.
#[test]
fn balances_do_not_depend_on_batches() {
    let mut random = Random(13);
    let mut source = Network::new();
    let mut all = Vec::new();
    for _ in 0..24 {
        let who = Person::new(1 + random.below(3) as u8);
        let to = Person::new(1 + random.below(8) as u8).id();
        let amount = Amount::from_units(1 + u128::from(random.next() % (1 << 40)));
        all.push(source.event(&who, &Pay { to, amount: amount.expect("in range") }));
    }
    let mut results = Vec::new();
    for (per_anchor, per_block) in [(24, 24), (24, 1), (1, 1), (8, 3), (5, 2)] {
        let mut network = Network::new();
        for anchor in all.chunks(per_anchor) {
            let batches: Vec<_> = anchor.chunks(per_block).map(<[_]>::to_vec).collect();
            let spans = vec![network.span(1, &batches)];
            let body = network.body(&spans, 1_000);
            network.decide(body, spans);
        }
        let people = (1..9).chain([101]).map(|number| network.balance(Person::new(number).id()));
        results.push((
            people.collect::<Vec<_>>(),
            network.supply(),
            network.lane(Zone(1)).next_number,
        ));
    }
    assert!(results.windows(2).all(|pair| pair[0] == pair[1]));
}

/// Broken by: committing an anchor twice, or one that is not the next.
#[test]
fn only_the_next_anchor_is_committed() {
    let mut network = Network::new();
    let body = network.body(&[], 1_000);
    let executed = network.decide(body.clone(), Vec::new());
    let before = network.store.head();
    let certificate = network.certificate(&body);
    let again = network.store.commit(&executed, &encode(&body), &certificate);
    assert!(again.is_err());
    assert_eq!(network.store.head(), before);
    network.run(Vec::new());
}
