//! Members of zones by what a node and a light client look for: a node key, an address.

use std::collections::BTreeMap;

use ddt_contracts::REGISTRY;
use ddt_contracts::zones::{Leave, SignUp, members_of_key, read_member};
use ddt_ledger::codec::encode;
use ddt_ledger::event::{Checked, Draft, EVENT_VERSION, Role};
use ddt_ledger::registry::Declared;
use ddt_ledger::schema::{Bytes, Value};
use ddt_ledger::table::Rows;
use ddt_ledger::view::Page;
use ddt_ledger::{AccountId, Address, Amount, Millis, Zone};
use ddt_tests::network::{Network, Setup};
use ddt_tests::people::Person;

fn event<E: Declared>(network: &Network, who: &Person, event: &E) -> Checked {
    let now = network.head().time;
    let draft = Draft {
        version: EVENT_VERSION,
        chain: network.chain(),
        author: who.id(),
        key: who.key(),
        role: Role::Owner,
        nonce: now.0 * 1_000,
        valid_until: now.plus(Millis(60_000)),
        tag: REGISTRY.row_named(E::NAME).expect("a row").tag,
        body: Bytes::new(encode(event)).expect("short"),
    };
    Checked::check(&who.seal(draft), network.chain(), &REGISTRY).expect("a good event")
}

fn anchor(network: &mut Network, events: Vec<Checked>) {
    let blocks = [(Zone(1), events)];
    let blocks = if blocks[0].1.is_empty() { &[] } else { &blocks[..] };
    network.anchor(Millis(1_000), blocks).expect("an anchor");
}

/// A network where two people signed up with one node's key, and their accounts in order.
fn town() -> (Network, [Person; 2], Person) {
    let mut people = ["ann", "ben"].map(Person::named);
    people.sort_by_key(Person::id);
    let accounts = people.iter().map(|one| (one.clone(), Amount::from_apt(10))).collect();
    let mut network = Network::start(&Setup { accounts, ..Setup::new() });
    let node = Person::named("node");
    let sign_up = SignUp { zone: Zone(1), node_key: Some(node.key()), stamp: None };
    let events = people.iter().map(|who| event(&network, who, &sign_up)).collect();
    anchor(&mut network, events);
    anchor(&mut network, Vec::new());
    (network, people, node)
}

/// Broken by: an index of node keys that is not kept, or a page that starts at the wrong
/// place: a node would be silent for some of its members, and they would lose their leases.
#[test]
fn a_node_finds_every_member_that_named_it() {
    let (mut network, [first, second], node) = town();
    let found = |network: &Network, key: &Person, after: Option<AccountId>, limit: usize| {
        let members = members_of_key(&network.snapshot(), &key.key(), after, limit);
        members.into_iter().map(|(account, _)| account).collect::<Vec<_>>()
    };
    assert_eq!(found(&network, &node, None, 9), [first.id(), second.id()]);
    assert_eq!(found(&network, &node, None, 1), [first.id()]);
    assert_eq!(found(&network, &node, Some(first.id()), 9), [second.id()]);
    assert_eq!(found(&network, &node, Some(second.id()), 9), []);
    assert_eq!(found(&network, &first, None, 9), [], "nobody named that key");
    let leaves = event(&network, &first, &Leave { stamp: None });
    anchor(&mut network, vec![leaves]);
    assert_eq!(found(&network, &node, None, 9), [second.id()]);
}

/// Broken by: an address that leads to somebody else, or whose proof is of another row.
#[test]
fn an_address_leads_to_its_member_and_can_be_proven() {
    let (network, people, _) = town();
    let view = REGISTRY.view("zones.address").expect("a view");
    let query = |address: Address| BTreeMap::from([("address".into(), Value::Address(address))]);
    for who in people {
        let member = read_member(&network.snapshot(), &who.id()).expect("a member");
        let query = query(member.address.expect("it is drawn"));
        let found = network.view(view.name, &query, &Page::first(9)).expect("an answer");
        let [row] = found.rows.as_slice() else { panic!("{found:?}") };
        let Some((_, Value::Group(facts))) = row.first() else { panic!("{row:?}") };
        assert!(facts.iter().any(|(_, value)| *value == Value::Account(who.id())));
        let key = (view.proof_key)(&query).expect("a query").expect("a row");
        assert_eq!(network.snapshot().row(&key), Some(encode(&who.id())));
    }
    let nobody = query(Address([0; 20]));
    assert!(network.view(view.name, &nobody, &Page::first(9)).is_err());
    let key = (view.proof_key)(&nobody).expect("a query").expect("a row");
    assert_eq!(network.snapshot().row(&key), None);
}
