//! Conservation over random histories: whatever is sequenced, money is neither made nor lost.

use ddt_ledger::event::Role;
use ddt_ledger::receipt::{Outcome, Receipt, Subject};
use ddt_ledger::system::Supply;
use ddt_ledger::{AccountId, Amount, Hash, Millis, Zone};
use proptest::prelude::*;

use crate::support::network::{Network, Person};
use crate::support::programme::{
    Burn, Create, Give, Grab, Grant, Keep, Overreach, Panic, Pay, Poke, Refuse, Steal,
};

/// Something that one of three people tries.
#[derive(Clone, Copy, Debug)]
struct Try {
    what: u8,
    who: u8,
    other: u8,
    amount: Amount,
}

fn tries() -> impl Strategy<Value = Try> {
    let units = prop_oneof![0..2_000_000_000_000u128, 0..5u128, Just(10u128.pow(27))];
    let parts = (0u8..16, 0u8..4, 0u8..6, units);
    parts.prop_map(|(what, who, other, units)| {
        let amount = Amount::from_units(units).expect("in range");
        Try { what, who: who + 1, other, amount }
    })
}

fn event(network: &mut Network, wanted: Try, sent: &mut Vec<Vec<u8>>) -> Option<Vec<u8>> {
    let Try { what, other, amount, .. } = wanted;
    let who = Person::new(wanted.who);
    let (key, to) = (Hash([other % 3; 32]), Person::new(other).id());
    let node = Person::new(200 + other).key();
    let due = network.head().clock.plus(Millis(u64::from(other) * 1_500));
    let grant = Grant { key: node, allowance: amount, role: Role::Router, what: other % 3 };
    let bytes = match what {
        0..=2 if amount.is_zero() => return None,
        0..=2 => network.event(&who, &Pay { to, amount }),
        3 | 4 => network.event(&who, &Keep { key, amount, to, due, tag: u16::from(other) % 3 + 1 }),
        5 => network.event(&who, &Give { key, to, amount: amount.half() }),
        6 => network.event(&who, &Burn { key, amount }),
        7 => network.event(&who, &Create { to, amount }),
        8 => network.event(&who, &Panic { amount }),
        9 => network.event(&who, &Refuse { amount }),
        10 => network.event(&who, &Poke { key }),
        11 => network.event(&who, &Grab { amount }),
        12 => network.event(&who, &grant),
        13 => network.event(&who, &Steal { key, amount, way: other % 4 }),
        14 => network.event(&who, &Overreach { key }),
        _ => sent.get(usize::from(other)).cloned()?,
    };
    sent.push(bytes.clone());
    Some(bytes)
}

/// What the postings of an anchor do to an account.
fn moved(receipts: &[Receipt], id: AccountId, before: Amount) -> Amount {
    let party = ddt_ledger::book::Party::Account(id);
    receipts.iter().flat_map(|receipt| &receipt.postings).fold(before, |balance, posting| {
        let balance = match posting.from == party {
            true => balance.minus(posting.amount).expect("enough"),
            false => balance,
        };
        if posting.to == party { balance.plus(posting.amount).expect("in range") } else { balance }
    })
}

type Rows = std::collections::BTreeMap<Vec<u8>, Vec<u8>>;

/// The tables of the rows that changed, without those that every anchor changes.
fn changed_tables(before: &Rows, after: &Rows) -> Vec<u16> {
    let keys: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let changed = keys.into_iter().filter(|key| before.get(*key) != after.get(*key));
    let tables = changed.map(|key| u16::from_be_bytes([key[0], key[1]]));
    let mut tables: Vec<u16> = tables.filter(|table| ![5, 6, 7].contains(table)).collect();
    tables.dedup();
    tables
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200,
        failure_persistence: None, ..ProptestConfig::default() })]

    /// Broken by: any one-sided movement, a total that is not kept, or an undo that forgets
    /// totals (each anchor's audit recounts everything).
    #[test]
    fn money_is_conserved_and_postings_tell_all(
        history in proptest::collection::vec(proptest::collection::vec(tries(), 0..14), 1..6)
    ) {
        let mut network = Network::new();
        let people: Vec<AccountId> =
            (0..6).chain(101..=104).map(|number| Person::new(number).id()).collect();
        let mut sent = Vec::new();
        for batch in history {
            let events: Vec<_> =
                batch.into_iter().filter_map(|one| event(&mut network, one, &mut sent)).collect();
            let before: Vec<Amount> = people.iter().map(|id| network.balance(*id)).collect();
            let mut unique: Vec<Vec<u8>> = Vec::new();
            for event in events {
                if !unique.contains(&event) {
                    unique.push(event);
                }
            }
            let receipts = network.run_after(2_000, unique);
            let supply = network.supply();
            prop_assert!(supply.is_conserved());
            prop_assert_eq!(supply.genesis, Amount::from_apt(43_051));
            for (id, before) in people.iter().zip(before) {
                prop_assert_eq!(moved(&receipts, *id, before), network.balance(*id));
            }
        }
    }

    /// Broken by: a void event that leaves a trace, or a refused or broken one that leaves
    /// more than fee and nonce.
    #[test]
    fn what_does_not_succeed_leaves_fee_and_nonce_only(
        history in proptest::collection::vec(tries(), 1..16)
    ) {
        let mut network = Network::new();
        let mut sent = Vec::new();
        for one in history {
            let Some(event) = event(&mut network, one, &mut sent) else { continue };
            let (rows, supply) = (network.rows(), network.supply());
            let receipts = network.run_after(1, vec![event]);
            let deadlines = receipts.iter().any(|r| matches!(r.subject, Subject::Deadline { .. }));
            if deadlines {
                continue;
            }
            let tables = changed_tables(&rows, &network.rows());
            let after = network.supply();
            match &receipts[0].outcome {
                Outcome::Done => {}
                Outcome::Void(_) => {
                    // The router's bond and the totals: it pays for the room.
                    prop_assert_eq!(tables, [3, 4]);
                    prop_assert_eq!(receipts[0].postings.len(), 0);
                    let (held, pool) = (after.held, after.pool);
                    prop_assert_eq!(after, Supply { held, pool, ..supply });
                    prop_assert!(after.is_conserved() && held < supply.held);
                }
                Outcome::Refused(_) | Outcome::Bug(_) => {
                    // The author (and the router's half), a paying hold, the totals.
                    prop_assert!(tables.iter().all(|table| [1, 3, 4].contains(table)));
                    prop_assert_eq!(receipts[0].postings.len(), 1);
                    prop_assert_eq!(after.total(), supply.total());
                    prop_assert_eq!((after.minted, after.burned), (supply.minted, supply.burned));
                    prop_assert_eq!(network.lane(Zone(1)).next_number > 1, true);
                }
            }
        }
    }
}
