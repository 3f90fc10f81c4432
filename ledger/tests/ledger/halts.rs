//! A state that breaks a promise stops the executor: nothing is built on it.

use ddt_ledger::codec::encode;
use ddt_ledger::execute::{Executed, Halt, execute};
use ddt_ledger::fault::{FaultKind, StoreFault};
use ddt_ledger::receipt::Outcome;
use ddt_ledger::state::MemoryState;
use ddt_ledger::system::Supply;
use ddt_ledger::{Amount, Hash, Millis};

use crate::support::network::{Network, Person, START_MS};
use crate::support::programme::{KEPT, Keep, REGISTRY};

/// The row of the totals.
const SUPPLY: [u8; 2] = [0, 4];

/// Executes an anchor without events, so much later, over the network's rows after a change.
fn execute_over(
    network: &Network,
    step_ms: u64,
    change: impl FnOnce(&mut MemoryState),
) -> Result<Executed, Halt> {
    let mut state = MemoryState { rows: network.rows() };
    change(&mut state);
    execute(&REGISTRY, &state, &network.body(&[], step_ms), &[])
}

/// Broken by: `&&` for `||` in `Run::finish`, or leaving either side out: then the node would
/// commit, and certify, books that do not balance.
#[test]
fn books_that_do_not_balance_stop_the_node() {
    let network = Network::new();
    let supply = network.supply();
    let one = Amount::from_apt(1);
    let changes = [
        ("as it was", supply, true),
        ("one more in accounts", Supply { accounts: plus(supply.accounts), ..supply }, false),
        ("one more in the pool", Supply { pool: plus(supply.pool), ..supply }, false),
        ("one less at genesis", Supply { burned: one, ..supply }, false),
        ("one more created", Supply { minted: one, ..supply }, false),
        ("fees without a zone", Supply { fees: one, minted: one, ..supply }, false),
    ];
    for (what, supply, is_good) in changes {
        let executed = execute_over(&network, 1, |state| {
            state.rows.insert(SUPPLY.to_vec(), encode(&supply));
        });
        let error = executed.err();
        assert_eq!(error.is_none(), is_good, "{what}: {error:?}");
        assert!(error.is_none_or(|halt| matches!(halt, Halt::Broken(_))), "{what}");
    }
}

fn plus(amount: Amount) -> Amount {
    amount.plus(Amount::from_apt(1)).expect("in range")
}

/// Broken by: a book that keeps to itself what it could not read; then a rule that finds
/// nothing says no, and this node's history is another than everybody's.
#[test]
fn a_row_that_does_not_decode_is_no_refusal() {
    let mut network = Network::new();
    let (key, due) = (Hash([5; 32]), Millis(START_MS + 5_000));
    let to = Person::new(70).id();
    let keep = Keep { key, amount: Amount::from_apt(10), to, due, tag: 1 };
    let event = network.event(&Person::new(1), &keep);
    network.run(vec![event]);
    let whole = execute_over(&network, 10_000, |_| {}).expect("a whole state");
    assert_eq!(whole.receipts[0].outcome, Outcome::Done);
    let row = KEPT.full_key(&key);
    let halt = execute_over(&network, 10_000, |state| {
        state.rows.insert(row.clone(), vec![1, 2, 3]);
    });
    match halt {
        Err(Halt::Store(StoreFault { kind: FaultKind::Damaged, context })) => {
            assert!(context.contains("does not decode"), "{context}");
        }
        other => panic!("{other:?}"),
    }
}
