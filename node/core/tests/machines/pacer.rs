//! The pacer: why and when an anchor is made.

use ddt_core::pacer::{DEADLINE_GAP_MS, Pacer, Reason};
use ddt_ledger::params::Params;
use ddt_ledger::system::Head;
use ddt_ledger::{Hash, Millis};

use crate::fixture::START;

const CLOCK: Millis = Millis(500);

fn head(receipts: u32) -> Head {
    Head {
        version: 1,
        height: 9,
        anchor: Hash::ZERO,
        time: START,
        clock: CLOCK,
        clock_start: Millis(0),
        epoch: 0,
        beacon: Hash::ZERO,
        receipts,
    }
}

fn at(ms: u64) -> Millis {
    START.plus(Millis(ms))
}

fn idle_pacer(deadline: Option<u64>) -> Pacer {
    Pacer::new(head(0), deadline.map(|ms| CLOCK.plus(Millis(ms))), &Params::network(), START)
}

#[test]
fn an_idle_network_makes_an_anchor_every_interval() {
    let pacer = idle_pacer(None);
    assert_eq!(pacer.next_wake(START), Some(at(10_000)));
    // Mutation: no interval at all, and the engine spins.
    assert!(!pacer.should_propose(at(9_999)));
    assert_eq!(pacer.reason(at(10_000)), Some(Reason::Idle));
    assert_eq!(pacer.next_wake(at(10_000)), Some(at(10_000)));
}

#[test]
fn a_tip_makes_an_anchor_at_once_and_only_once() {
    let mut pacer = idle_pacer(None);
    pacer.set_tip_waiting(true);
    assert_eq!(pacer.reason(START), Some(Reason::TipWaits));
    assert_eq!(pacer.next_wake(START), Some(START));
    pacer.anchored(head(0), None, &Params::network(), at(5));
    assert_eq!(pacer.reason(at(5)), None);
    pacer.set_tip_waiting(true);
    pacer.set_tip_waiting(false);
    assert_eq!(pacer.reason(at(5)), None);
}

#[test]
fn receipts_are_certified_at_once_by_one_more_anchor() {
    let mut pacer = Pacer::new(head(3), None, &Params::network(), START);
    assert_eq!(pacer.reason(START), Some(Reason::Uncertified));
    // Mutation: wanting an anchor after one without receipts never ends.
    pacer.anchored(head(0), None, &Params::network(), at(1));
    assert_eq!(pacer.next_wake(at(1)), Some(at(10_001)));
}

#[test]
fn a_deadline_wakes_the_pacer_when_the_epoch_clock_reaches_it() {
    let pacer = idle_pacer(Some(3_000));
    assert_eq!(pacer.next_wake(START), Some(at(3_000)));
    assert!(!pacer.should_propose(at(2_999)));
    assert_eq!(pacer.reason(at(3_000)), Some(Reason::Deadline));
}

#[test]
fn a_deadline_beyond_one_clock_step_waits_for_the_next_anchor() {
    let mut params = Params::network();
    params.anchor_idle_ms = Millis(u64::MAX);
    let beyond = Some(CLOCK.plus(Millis(20_001)));
    let pacer = Pacer::new(head(0), beyond, &params, START);
    // Mutation: waking at the deadline's wall-clock time, when no clock will have reached it.
    assert_eq!(pacer.next_wake(START), None);
    assert!(!pacer.should_propose(at(100_000)));
}

#[test]
fn a_clock_that_runs_ahead_does_not_make_anchors_spin() {
    // The network's time lags this node's by more than the deadline is away.
    let mut pacer = idle_pacer(None);
    let due = Some(CLOCK.plus(Millis(10)));
    let now = at(2_000);
    pacer.anchored(head(0), due, &Params::network(), now);
    assert_eq!(pacer.next_wake(now), Some(now.plus(DEADLINE_GAP_MS)));
    assert!(!pacer.should_propose(now));
    assert_eq!(pacer.reason(now.plus(DEADLINE_GAP_MS)), Some(Reason::Deadline));
}
