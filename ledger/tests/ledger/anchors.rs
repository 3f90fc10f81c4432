//! Anchors: each way to be no next anchor, from one that is otherwise valid.

use ddt_ledger::anchor::{AnchorBody, AnchorError, Roots, Span, check_anchor, fitting};
use ddt_ledger::certificate::ValidatorAddress;
use ddt_ledger::lane::{BlockHeader, CheckedBlock};
use ddt_ledger::schema::List;
use ddt_ledger::state::{MemoryState, Overlay};
use ddt_ledger::system::Lane;
use ddt_ledger::{Amount, ChainId, Hash, Millis, Signature, Zone};

use crate::support::disk::Disk;
use crate::support::network::{Network, Person, STEP_MS, genesis};
use crate::support::programme::{Pay, REGISTRY};

/// A network after one anchor, with the next one ready: two blocks in zone 1, one in zone 3.
struct Bench {
    network: Network,
    spans: Vec<Span>,
    body: AnchorBody,
}

fn pays(network: &mut Network, count: usize) -> Vec<Vec<u8>> {
    let pay = Pay { to: Person::new(2).id(), amount: Amount::from_apt(1) };
    (0..count).map(|_| network.event(&Person::new(1), &pay)).collect()
}

impl Bench {
    fn new() -> Bench {
        let mut network = Network::new();
        let events = pays(&mut network, 2);
        network.run(events);
        let (a, b) = (pays(&mut network, 2), pays(&mut network, 1));
        let c = pays(&mut network, 1);
        let spans = vec![network.span(1, &[a, b]), network.span(3, &[c])];
        let body = network.body(&spans, STEP_MS);
        Bench { network, spans, body }
    }

    fn demand(&self, what: &str, change: impl FnOnce(&mut AnchorBody, &mut Vec<Span>)) {
        let (mut body, mut spans) = (self.body.clone(), self.spans.clone());
        change(&mut body, &mut spans);
        let error = self.network.check(&body, &spans).expect_err(what);
        assert_eq!(error.0, what);
    }

    /// Replaces the last block of zone 1 by one with another header.
    fn demand_block(&self, what: &str, change: impl FnOnce(&mut BlockHeader)) {
        self.demand(what, |body, spans| {
            let last = spans[0].blocks.pop().expect("a block");
            let mut header = last.header().clone();
            change(&mut header);
            spans[0].blocks.push(self.seal(0, header, &last));
            retip(body, spans);
        });
    }

    fn seal(&self, router: usize, header: BlockHeader, like: &CheckedBlock) -> CheckedBlock {
        let router = &self.network.routers[router].person;
        let sign = |id: &Hash| router.sign(id);
        let sealed = CheckedBlock::seal(header, router.key(), like.events().to_vec(), sign);
        sealed.expect("a short block").0
    }
}

/// Makes the tips name the spans' last blocks.
fn retip(body: &mut AnchorBody, spans: &[Span]) {
    let mut tips = body.tips.items().to_vec();
    for (tip, span) in tips.iter_mut().zip(spans) {
        if let Some(last) = span.blocks.last() {
            tip.block = last.id();
        }
    }
    body.tips = List::new(tips).expect("few tips");
}

/// Broken by: leaving out any one comparison with the state before.
#[test]
fn each_wrong_field_is_refused_for_its_reason() {
    let bench = Bench::new();
    assert_eq!(bench.network.check(&bench.body, &bench.spans), Ok(()));
    bench.demand("version is unknown", |body, _| body.version = 2);
    bench.demand("chain is another", |body, _| body.chain = ChainId(Hash::ZERO));
    bench.demand("height is not the next", |body, _| body.height = 1);
    bench.demand("height is not the next", |body, _| body.height = 3);
    bench.demand("previous anchor is another", |body, _| body.previous = Hash::ZERO);
    bench.demand("state root is wrong", |body, _| body.state_root = Hash::ZERO);
    bench.demand("receipts root is wrong", |body, _| body.receipts_root = Hash::ZERO);
    bench.demand("next validators are wrong", |body, _| body.next_validators = Hash::ZERO);
    let nobody = ValidatorAddress::of(&Person::new(1).key());
    bench.demand("maker is no validator", |body, _| body.maker = nobody);
    let other = ValidatorAddress::of(&bench.network.routers[0].person.key());
    bench.demand("random value is not proven", |body, _| body.maker = other);
    bench.demand("random value is not proven", |body, _| body.vrf.output[0] ^= 1);
    bench.demand("random value is not proven", |body, _| body.vrf.proof[0] ^= 1);
    let stale = bench.network.routers[2].vrf.prove(&bench.body.previous, 1);
    bench.demand("random value is not proven", |body, _| body.vrf = stale);
}

/// Broken by: counting statements of strangers, of one validator twice, or unsigned ones.
#[test]
fn each_wrong_time_is_refused_for_its_reason() {
    let bench = Bench::new();
    let statements = |by: &[usize]| bench.network.statements(by, STEP_MS);
    let few = statements(&[0, 1]);
    bench.demand("time has too few statements", |body, _| body.statements = few);
    let nothing = List::new(Vec::new()).expect("few");
    bench.demand("time has too few statements", |body, _| body.statements = nothing);
    let twice = statements(&[0, 1, 1]);
    bench.demand("time statements are out of order", |body, _| body.statements = twice);
    let mut turned = statements(&[0, 1, 2]).items().to_vec();
    turned.reverse();
    let turned = List::new(turned).expect("few");
    bench.demand("time statements are out of order", |body, _| body.statements = turned);
    let change = |body: &mut AnchorBody, change: fn(&mut ddt_ledger::anchor::TimeStatement)| {
        let mut all = body.statements.items().to_vec();
        change(&mut all[1]);
        all.sort_by_key(|statement| statement.key);
        body.statements = List::new(all).expect("few");
    };
    bench.demand("time is stated by no validator", |body, _| {
        change(body, |statement| statement.key = Person::new(1).key());
    });
    bench.demand("time statement is not signed", |body, _| {
        change(body, |statement| statement.signature = Signature([0; 64]));
    });
    bench.demand("time statement is not signed", |body, _| {
        change(body, |statement| statement.time = statement.time.plus(Millis(1)));
    });
}

/// Broken by: a tip that is not compared with its lane and its blocks.
#[test]
fn each_wrong_tip_is_refused_for_its_reason() {
    let bench = Bench::new();
    let tips = |body: &mut AnchorBody, change: fn(&mut Vec<ddt_ledger::anchor::Tip>)| {
        let mut all = body.tips.items().to_vec();
        change(&mut all);
        body.tips = List::new(all).expect("few");
    };
    bench.demand("tips are out of order", |body, _| tips(body, |tips| tips.reverse()));
    bench.demand("tips are out of order", |body, _| tips(body, |tips| tips[1] = tips[0]));
    let strange = "tips are not those of the blocks";
    bench.demand(strange, |body, _| tips(body, |tips| tips.truncate(1)));
    bench.demand(strange, |_, spans| drop(spans.pop()));
    bench.demand(strange, |body, _| tips(body, |tips| tips[1].zone = Zone(4)));
    bench.demand("tip is of no zone", |body, spans| {
        spans[1].zone = Zone(9);
        tips(body, |tips| tips[1].zone = Zone(9));
    });
    bench.demand("tip is of another term", |body, _| tips(body, |tips| tips[0].term = 2));
    bench.demand("tip is too far ahead", |body, _| tips(body, |tips| tips[0].height += 4_096));
    bench.demand("tip is wrong", |body, _| tips(body, |tips| tips[0].height += 1));
    bench.demand("tip is wrong", |body, _| tips(body, |tips| tips[0].block = Hash::ZERO));
    bench.demand("tip is wrong", |_, spans| drop(spans[0].blocks.pop()));
    bench.demand("tip is wrong", |body, spans| {
        spans[1].blocks.clear();
        tips(body, |tips| (tips[1].height, tips[1].block) = (0, Hash::ZERO));
    });
}

/// Broken by: a block that need not continue its lane.
#[test]
fn each_wrong_block_is_refused_for_its_reason() {
    let bench = Bench::new();
    bench.demand_block("block is of another lane", |header| header.zone = Zone(2));
    bench.demand_block("block is of another lane", |header| header.term = 2);
    bench.demand_block("blocks have a gap", |header| header.height += 1);
    bench.demand_block("blocks have a gap", |header| header.parent = Hash::ZERO);
    bench.demand_block("sequence numbers have a gap", |header| header.first_number += 1);
    bench.demand_block("sequence numbers have a gap", |header| header.first_number -= 1);
    bench.demand_block("block is from the future", |header| header.after_anchor = 2);
    bench.demand("blocks have a gap", |body, spans| {
        spans[0].blocks.remove(0);
        retip(body, spans);
    });
    bench.demand("block is not signed by its lane's key", |body, spans| {
        let last = spans[0].blocks.pop().expect("a block");
        spans[0].blocks.push(bench.seal(1, last.header().clone(), &last));
        retip(body, spans);
    });
}

/// Broken by: letting one lane sequence an event twice in an anchor.
#[test]
fn a_lane_repeats_no_event() {
    let mut network = Network::new();
    let events = pays(&mut network, 1);
    let spans = vec![network.span(1, &[events.clone(), events])];
    let body = network.body(&spans, STEP_MS);
    assert_eq!(network.check(&body, &spans), Err(AnchorError("blocks repeat an event")));
    let lane = network.lane(Zone(1));
    assert_eq!(fitting(Zone(1), &lane, 1, &spans[0].blocks), 1);
}

/// Broken by: a proposer that takes what no anchor may have, and so proposes in vain for ever.
#[test]
fn a_proposer_takes_no_more_than_fits_a_lane() {
    let bench = Bench::new();
    let (lane, blocks) = (bench.network.lane(Zone(1)), &bench.spans[0].blocks);
    let height = bench.body.height;
    assert_eq!(fitting(Zone(1), &lane, height, blocks), blocks.len());
    assert_eq!(fitting(Zone(2), &lane, height, blocks), 0);
    assert_eq!(fitting(Zone(1), &lane, height, &blocks[1..]), 0);
    assert_eq!(fitting(Zone(1), &lane, 0, blocks), 0, "from the future");
    let nobodys = Lane { is_governed: false, ..lane };
    assert_eq!(fitting(Zone(1), &nobodys, height, blocks), 0);
}

/// Broken by: no limit, or one that lets a single large block block its lane for ever.
#[test]
fn an_anchor_has_limits_but_one_block_always_fits() {
    for (what, bytes, work) in [
        ("blocks are too large together", 400, 1_000),
        ("blocks are too much work together", 1_000_000, 5),
    ] {
        let mut small = genesis();
        (small.params.anchor_bytes_max, small.params.anchor_work_max) = (bytes, work);
        let mut network = Network::of(small, &Disk::default());
        let (a, b) = (pays(&mut network, 2), pays(&mut network, 1));
        let spans = vec![network.span(1, std::slice::from_ref(&a))];
        let body = network.body(&spans, STEP_MS);
        assert_eq!(network.check(&body, &spans), Ok(()));
        for spans in [
            vec![network.span(1, &[a.clone(), b.clone()])],
            vec![network.span(1, &[a]), network.span(2, &[b])],
        ] {
            let body = network.body(&spans, STEP_MS);
            assert_eq!(network.check(&body, &spans), Err(AnchorError(what)));
        }
    }
}

/// Broken by: unwrapping a state that has no head, or no validators.
#[test]
fn a_state_without_head_or_validators_is_named() {
    let bench = Bench::new();
    let check = |rows: &MemoryState| {
        let roots = Roots { state: Hash::ZERO, receipts: Hash::ZERO };
        let overlay = Overlay::new(rows);
        let chain = bench.network.chain;
        check_anchor(&overlay, chain, &roots, &bench.body, &bench.spans, &REGISTRY)
    };
    assert_eq!(check(&MemoryState::default()), Err(AnchorError("state has no head")));
    let mut rows = bench.network.genesis.state().expect("a state").rows;
    rows.rows.remove(&vec![0, 7]);
    assert_eq!(check(&rows), Err(AnchorError("state has no validators")));
}

/// Broken by: a mean instead of a median, a median that one liar can move outside the honest
/// times, or a time that stands still.
#[test]
fn time_is_the_median_and_always_advances() {
    let bench = Bench::new();
    let mut body = bench.body.clone();
    let mut all = body.statements.items().to_vec();
    for (statement, time) in all.iter_mut().zip([u64::MAX, 2_000, 3_000]) {
        statement.time = Millis(time);
    }
    body.statements = List::new(all).expect("few");
    assert_eq!(body.time(Millis(1_000)), Millis(3_000));
    assert_eq!(body.time(Millis(3_000)), Millis(3_001));
    assert_eq!(body.time(Millis(9_000)), Millis(9_001));
}

/// Broken by: a beacon without the one before it, or with the (random) proof in it.
#[test]
fn the_beacon_follows_from_outputs_alone() {
    let bench = Bench::new();
    let before = Hash([3; 32]);
    let beacon = bench.body.beacon(&before);
    let mut other = bench.body.clone();
    other.vrf.proof[0] ^= 1;
    assert_eq!(other.beacon(&before), beacon);
    other.vrf.output[0] ^= 1;
    assert_ne!(other.beacon(&before), beacon);
    assert_ne!(bench.body.beacon(&Hash::ZERO), beacon);
    let router = &bench.network.routers[0];
    let (one, two) = (router.vrf.prove(&before, 7), router.vrf.prove(&before, 7));
    assert_eq!(one.output, two.output, "one output for each key and input");
    assert!(one.verifies(&router.vrf.public(), &before, 7));
    assert!(!one.verifies(&router.vrf.public(), &before, 8));
    assert!(!one.verifies(&router.person.key(), &before, 7));
}
