//! The ledger's audit of routers, their bonds and their lanes.

use ddt_ledger::audit::audit;
use ddt_ledger::codec::encode;
use ddt_ledger::registry::Registry;
use ddt_ledger::routers::{PastKey, Router as Row, RouterKey};
use ddt_ledger::state::{MemoryState, Overlay};
use ddt_ledger::system::Lane;
use ddt_ledger::{Amount, Hash, Millis, Zone};
use ddt_tests::people::Router;
use ddt_tests::setup::Setup;

type Rows = std::collections::BTreeMap<Vec<u8>, Vec<u8>>;
type Change<'c> = &'c dyn Fn(&mut Rows);

fn key(table: u8, key: &[u8]) -> Vec<u8> {
    [&[0, table], key].concat()
}

fn router(zone: u32) -> (Vec<u8>, Router) {
    let router = Router::of_zone(zone);
    (key(15, &router.person.id().0), router)
}

fn with_router(rows: &mut Rows, change: impl Fn(&mut Row)) {
    let state = MemoryState { rows: rows.clone() };
    let (full, router) = router(1);
    let mut row = Row::read(&Overlay::new(&state), &router.person.id()).expect("a router");
    change(&mut row);
    rows.insert(full, encode(&row));
}

fn with_lane(rows: &mut Rows, change: impl Fn(&mut Lane)) {
    let state = MemoryState { rows: rows.clone() };
    let mut lane = Lane::read(&Overlay::new(&state), Zone(1)).expect("a lane");
    change(&mut lane);
    rows.insert(key(6, &1u32.to_be_bytes()), encode(&lane));
}

/// Broken by: leaving out any one thing that is compared.
#[test]
fn the_audit_of_routers_finds_whoever_governs_without_right() {
    let genesis = Setup { zones: 2, ..Setup::new() }.genesis().state().expect("a genesis");
    let nobody = Registry { programmes: &[] };
    let found = |change: &dyn Fn(&mut Rows)| {
        let mut state = genesis.rows.clone();
        change(&mut state.rows);
        audit(&nobody, &Overlay::new(&state))
    };
    assert_eq!(found(&|_| {}), Vec::<String>::new());
    let own = Router::of_zone(1).person;
    let other = Router::of_zone(2).person;
    let changes: [(&str, Change); 8] = [
        ("without a bond", &|rows| with_router(rows, |row| row.is_out = true)),
        ("does not govern the lane", &|rows| with_router(rows, |row| row.zone = Some(Zone(2)))),
        ("does not say so", &|rows| with_router(rows, |row| row.zone = None)),
        ("not noted as its own", &|rows| with_router(rows, |row| row.key = other.key())),
        ("not noted as its own", &|rows| {
            let past = Some(PastKey { height: 1, until: Millis(1) });
            let known = RouterKey { account: own.id(), past };
            rows.insert(key(16, &own.key().0), encode(&known));
        }),
        ("does not govern the lane", &|rows| with_lane(rows, |lane| lane.key = other.key())),
        ("does not govern the lane", &|rows| with_lane(rows, |lane| lane.is_governed = false)),
        ("of who is no router", &|rows| drop(rows.remove(&router(2).0))),
    ];
    for (words, change) in changes {
        let said = found(change);
        assert!(said.iter().any(|said| said.contains(words)), "{words}: {said:?}");
    }
    let full = [&[0, 3, 0, 0][..], &own.id().0].concat();
    let said = found(&|rows| drop(rows.remove(&full).expect("a bond")));
    assert!(said.iter().any(|said| said.contains("without a bond")), "{said:?}");
    let stray = [&[0, 3, 0, 0][..], &Hash([9; 32]).0].concat();
    let said = found(&|rows| drop(rows.insert(stray.clone(), encode(&Amount::from_apt(1)))));
    assert!(said.iter().any(|said| said.contains("of who is no router")), "{said:?}");
}
