//! The same events in the same order, cut into blocks and anchors elsewhere.

use std::collections::BTreeMap;

use ddt_ledger::book::Party;
use ddt_ledger::event::Checked;
use ddt_ledger::receipt::Outcome;
use ddt_ledger::system::Supply;
use ddt_ledger::{Amount, Millis, Zone};
use ddt_tests::invariants::event_receipts;
use ddt_tests::network::Network;
use ddt_tests::people::Person;
use proptest::prelude::*;

use crate::generate::{PEOPLE, Scribe, setup, timeless_wishes};

/// What came of the events: each one's end, everybody's money, and all money.
#[derive(Debug, PartialEq)]
struct End {
    outcomes: Vec<Outcome>,
    balances: BTreeMap<&'static str, Amount>,
    supply: Supply,
}

/// Anchors the events; `cuts` says after how many a block ends, and whether its anchor does.
fn run(events: &[Checked], cuts: &[(usize, bool)]) -> Result<End, TestCaseError> {
    let mut network = Network::start(&setup(1));
    let (mut outcomes, mut waiting, mut rest) = (Vec::new(), Vec::new(), events);
    for (length, ends_anchor) in cuts.iter().copied().cycle() {
        let (block, after) = rest.split_at(length.min(rest.len()));
        waiting.push((Zone(1), block.to_vec()));
        rest = after;
        if ends_anchor || rest.is_empty() {
            let blocks = std::mem::take(&mut waiting);
            let receipts = network.anchor(Millis(7), &blocks).map_err(TestCaseError::fail)?;
            outcomes.extend(event_receipts(&receipts).map(|(_, r)| r.outcome.clone()));
        }
        if rest.is_empty() {
            break;
        }
    }
    let routers = ["router1"];
    let balance = |name: &'static str| {
        let party = Party::Account(Person::named(name).id());
        (name, network.recount().of(&party))
    };
    let balances = PEOPLE.into_iter().chain(routers).map(balance).collect();
    Ok(End { outcomes, balances, supply: Supply::read(&network.snapshot()) })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 32, max_shrink_iters: 300, failure_persistence: None, ..Default::default()
    })]

    /// Broken by: a rule that asks where in its block or anchor an event stands, a savepoint
    /// that is kept over events, or fees that are shared out before the anchor's end.
    #[test]
    fn cuts_change_nobodys_money(
        wishes in proptest::collection::vec(timeless_wishes(), 1..40),
        cuts in proptest::collection::vec((1usize..9, any::<bool>()), 1..6),
    ) {
        let network = Network::start(&setup(1));
        let mut scribe = Scribe::default();
        let mut events: Vec<Checked> = Vec::new();
        for wish in &wishes {
            let event = scribe.write(&network, wish);
            // Small nonces repeat; the same bytes twice could not share an anchor.
            events.extend(event.filter(|e| events.iter().all(|sent| sent.id() != e.id())));
        }
        prop_assume!(!events.is_empty());
        let at_once = run(&events, &[(usize::MAX, true)])?;
        prop_assert_eq!(&run(&events, &cuts)?, &at_once);
        prop_assert_eq!(&run(&events, &[(1, true)])?, &at_once);
    }
}
