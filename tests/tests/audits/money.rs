//! The ledger's own audit, and the bank's.

use ddt_contracts::bank::{LockRow, LockState, PROGRAMME, lock_hash};
use ddt_ledger::audit::audit;
use ddt_ledger::codec::encode;
use ddt_ledger::registry::Registry;
use ddt_ledger::state::{MemoryState, Overlay};
use ddt_ledger::system::Supply;
use ddt_ledger::table::Table;
use ddt_ledger::{Amount, Hash, Millis};
use ddt_tests::setup::Setup;

use crate::{ANN, BEN, demand, hold};

fn apt(apt: u64) -> Amount {
    Amount::from_apt(apt)
}

/// Broken by: leaving out any one thing that the ledger's audit compares.
#[test]
fn the_ledgers_audit_compares_every_total() {
    let person = ddt_tests::people::Person::named("ann");
    let setup = Setup { accounts: vec![(person, apt(9))], pool: apt(7), ..Setup::new() };
    let genesis = setup.genesis().state().expect("a genesis").rows;
    let nobody = Registry { programmes: &[] };
    let before = Supply::read(&Overlay::new(&genesis));
    let found = |supply: Supply| {
        let mut rows: MemoryState = genesis.clone();
        rows.rows.insert(vec![0, 4], encode(&supply));
        audit(&nobody, &Overlay::new(&rows))
    };
    assert_eq!(found(before), Vec::<String>::new());
    let count = before.account_count + 1;
    for (words, supply) in [
        ("balances", Supply { accounts: apt(8), pool: apt(8), ..before }),
        (
            "holds",
            Supply { held: before.held.plus(apt(1)).expect("little"), pool: apt(6), ..before },
        ),
        ("accounts: counted", Supply { account_count: count, ..before }),
        ("fees", Supply { fees: apt(1), pool: apt(6), ..before }),
        ("conserved", Supply { pool: apt(8), ..before }),
        ("conserved", Supply { minted: apt(1), ..before }),
        ("conserved", Supply { pool: Amount::MAX, minted: Amount::MAX, ..before }),
    ] {
        let said = found(supply);
        assert!(said.len() == 1 && said[0].contains(words), "{words}: {said:?}");
    }
}

static LOCKS: Table<Hash, LockRow> = Table::new(260);
const OPEN: Hash = Hash([7; 32]);
const ENDED: Hash = Hash([8; 32]);
const SECRET: Hash = Hash([9; 32]);

fn lock() -> LockRow {
    LockRow {
        from: ANN,
        to: BEN,
        amount: apt(5),
        hash: lock_hash(&SECRET),
        deadline: Millis(1),
        refund_at: Millis(1),
        height: 1,
        state: LockState::Open,
    }
}

fn claimed(secret: Hash) -> LockRow {
    LockRow { state: LockState::Claimed { secret, removed_at: Millis(9) }, ..lock() }
}

fn good(rows: &mut Overlay) {
    LOCKS.put(rows, &OPEN, &lock());
    hold(rows, PROGRAMME.id, OPEN, 5);
    LOCKS.put(rows, &ENDED, &claimed(SECRET));
    hold(rows, PROGRAMME.id + 1, ENDED, 5);
}

/// Broken by: leaving out any one thing that the bank's audit compares.
#[test]
fn the_banks_audit_finds_every_wrong_lock() {
    demand(
        PROGRAMME.audit,
        good,
        &[
            ("holds None", |rows| hold(rows, PROGRAMME.id, OPEN, 0)),
            ("holds Some", |rows| hold(rows, PROGRAMME.id, OPEN, 6)),
            ("holds Some", |rows| hold(rows, PROGRAMME.id, ENDED, 5)),
            ("no lock", |rows| hold(rows, PROGRAMME.id, SECRET, 5)),
            ("no lock", |rows| LOCKS.remove(rows, &OPEN)),
            ("for its payer", |rows| LOCKS.put(rows, &OPEN, &LockRow { to: ANN, ..lock() })),
            ("of nothing", |rows| {
                LOCKS.put(rows, &ENDED, &LockRow { amount: Amount::ZERO, ..claimed(SECRET) });
            }),
            ("wrong secret", |rows| LOCKS.put(rows, &ENDED, &claimed(OPEN))),
        ],
    );
}
