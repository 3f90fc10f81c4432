//! Making stamps.

use std::ops::ControlFlow;

use ddt_ledger::stamp::Stamp;
use ddt_ledger::{AccountId, ChainId, Hash, PublicKey};
use ddt_wallet::stamp::{Order, StampError, solve, solve_on};

fn order(bits: u8) -> Order {
    Order {
        chain: ChainId(Hash([1; 32])),
        author: AccountId([2; 32]),
        key: PublicKey([4; 32]),
        tag: 501,
        event_nonce: 1_700_000_000_000_000,
        period: 7,
        beacon: Hash([3; 32]),
        bits,
    }
}

fn go_on(_: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Broken by: threads that try the same nonces, or a stamp of another event or period.
#[test]
fn every_number_of_threads_finds_a_stamp() {
    let order = order(14);
    assert_eq!(order.expected_tries(), 1 << 14);
    for threads in [0, 1, 2, 5] {
        let stamp = solve_on(&order, threads, go_on).expect("a stamp");
        assert!(order.is_met_by(&stamp), "{threads} threads");
    }
    let stamp = solve(&order, go_on).expect("a stamp");
    assert!(order.is_met_by(&stamp));
    assert!(!order.is_met_by(&Stamp { period: 8, ..stamp.clone() }));
    assert_eq!(solve_on(&self::order(0), 1, go_on), Ok(Stamp { period: 7, nonce: 0 }));
}

/// Broken by: a search that nobody can stop, or one for what cannot be found.
#[test]
fn a_search_can_be_broken_off() {
    let mut told = Vec::new();
    let stopped = solve_on(&order(60), 2, |tries| {
        told.push(tries);
        if told.len() < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    assert_eq!(stopped, Err(StampError::Cancelled));
    assert!(told.is_sorted() && told.len() == 3 && told[0] > 0, "{told:?}");
    assert_eq!(solve_on(&order(61), 1, go_on), Err(StampError::Bits(61)));
}
