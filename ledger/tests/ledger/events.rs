//! What is wrong with an event without any state: each refusal of the format, one by one.

use ddt_ledger::codec::encode;
use ddt_ledger::event::{
    BODY, BODY_BYTES_MAX, CHAIN, Checked, Draft, EVENT_BYTES_MAX, MALFORMED, ROLE, Role, SIGNATURE,
    Signed, TOO_LONG, UNKNOWN_TAG, VERSION,
};
use ddt_ledger::schema::Bytes;
use ddt_ledger::{AccountId, Amount, ChainId, Hash, Millis, PublicKey, Refusal, Signature};

use crate::support::network::{Network, Person};
use crate::support::programme::{Pay, Poke, REGISTRY, Serve, ZERO};
use crate::support::records::{Record, field_refusal, sample};

fn pay() -> Pay {
    Pay { to: Person::new(2).id(), amount: Amount::from_apt(1) }
}

fn check(network: &Network, bytes: &[u8]) -> Result<Checked, Refusal> {
    Checked::check(bytes, network.chain, &REGISTRY)
}

fn changed(change: impl FnOnce(&mut Draft)) -> Result<Checked, Refusal> {
    let mut network = Network::new();
    let alice = Person::new(1);
    let mut draft = network.draft(&alice, &pay());
    change(&mut draft);
    check(&network, &alice.seal(draft))
}

/// Broken by: leaving out any one check of `Checked::check`.
#[test]
fn each_wrong_draft_is_refused_for_its_reason() {
    assert!(changed(|_| {}).is_ok());
    assert_eq!(changed(|draft| draft.version = 0), Err(VERSION));
    assert_eq!(changed(|draft| draft.version = 2), Err(VERSION));
    assert_eq!(changed(|draft| draft.chain = ChainId(Hash::ZERO)), Err(CHAIN));
    assert_eq!(changed(|draft| draft.tag = 999), Err(UNKNOWN_TAG));
    assert_eq!(changed(|draft| draft.role = Role::Node), Err(ROLE));
    assert_eq!(changed(|draft| draft.role = Role::Router), Err(ROLE));
    assert_eq!(changed(|draft| draft.body = Bytes::default()), Err(BODY));
    let trailing = [encode(&pay()), vec![0]].concat();
    assert_eq!(changed(|draft| draft.body = Bytes::new(trailing).expect("short")), Err(BODY));
    let nothing = encode(&Pay { amount: Amount::ZERO, ..pay() });
    assert_eq!(changed(|draft| draft.body = Bytes::new(nothing).expect("short")), Err(ZERO));
    let other = Person::new(2).key();
    assert_eq!(changed(|draft| draft.key = other), Err(SIGNATURE));
    let no_point = PublicKey([2; 32]);
    assert_eq!(changed(|draft| draft.key = no_point), Err(SIGNATURE));
}

/// Broken by: hiding a field's own refusal behind "the body does not decode".
#[test]
fn a_body_says_which_rule_of_a_field_it_breaks() {
    let mut network = Network::new();
    let alice = Person::new(1);
    let mut draft = network.draft(&alice, &sample());
    let mut body = encode(&sample());
    body[..16].copy_from_slice(&u128::MAX.to_le_bytes());
    draft.body = Bytes::new(body).expect("short");
    let error = check(&network, &alice.seal(draft.clone()));
    assert_eq!(error.err(), Some(ddt_ledger::amount::TOO_LARGE));
    let mut body = encode(&Record { amount: Amount::ZERO, ..sample() });
    let name_length = 16 + 32 + 32 + 32;
    body[name_length] = 9;
    draft.body = Bytes::new(body).expect("short");
    let error = check(&network, &alice.seal(draft));
    assert_eq!(error.err(), Some(field_refusal("field.too_long")));
}

/// Broken by: a role that an event does not name, or refusing one that it does.
#[test]
fn only_the_declared_roles_may_sign() {
    let mut network = Network::new();
    let alice = Person::new(1);
    for role in [Role::Owner, Role::Node, Role::Router] {
        let mut draft = network.draft(&alice, &Poke { key: Hash::ZERO });
        draft.role = role;
        assert!(check(&network, &alice.seal(draft)).is_ok(), "anyone's event by {role:?}");
        let mut draft = network.draft(&alice, &Serve { key: Hash::ZERO });
        draft.role = role;
        let allowed = role == Role::Node;
        let result = check(&network, &alice.seal(draft));
        assert_eq!(result.err(), (!allowed).then_some(ROLE), "a node's event by {role:?}");
    }
}

/// Broken by: decoding longer bytes, or calling them malformed.
#[test]
fn bytes_of_a_wrong_length_are_refused() {
    let mut network = Network::new();
    let bytes = network.event(&Person::new(1), &pay());
    for length in 0..bytes.len() {
        assert_eq!(Signed::decode(&bytes[..length]), Err(MALFORMED), "cut at {length}");
    }
    assert_eq!(Signed::decode(&[&bytes[..], &[0]].concat()), Err(MALFORMED));
    let mut long = bytes.clone();
    long.resize(EVENT_BYTES_MAX, 0);
    assert_eq!(Signed::decode(&long), Err(MALFORMED));
    long.push(0);
    assert_eq!(Signed::decode(&long), Err(TOO_LONG));
    assert_eq!(Bytes::<BODY_BYTES_MAX>::new(vec![0; BODY_BYTES_MAX + 1]), None);
    let unknown_role = 1 + 32 + 32 + 32;
    let mut wrong = bytes;
    wrong[unknown_role] = 3;
    assert_eq!(Signed::decode(&wrong), Err(MALFORMED));
}

/// Broken by: a limit below the largest event that fits its parts.
#[test]
fn the_largest_body_fits_an_event() {
    let alice = Person::new(1);
    let mut draft = Network::new().draft(&alice, &pay());
    draft.body = Bytes::new(vec![0; BODY_BYTES_MAX]).expect("the largest body");
    let bytes = alice.seal(draft);
    assert!(Signed::decode(&bytes).is_ok());
}

/// Broken by: leaving any byte out of what is signed.
#[test]
fn no_byte_of_an_event_may_change() {
    let mut network = Network::new();
    let bytes = network.event(&Person::new(1), &pay());
    for at in 0..bytes.len() {
        for bit in [0, 3, 7] {
            let mut wrong = bytes.clone();
            wrong[at] ^= 1 << bit;
            assert!(check(&network, &wrong).is_err(), "byte {at}, bit {bit}");
        }
    }
}

/// Broken by: an id that leaves out the signature, or a digest that leaves out a field.
#[test]
fn ids_and_digests_tell_events_apart() {
    let mut network = Network::new();
    let alice = Person::new(1);
    let draft = network.draft(&alice, &pay());
    let bytes = alice.seal(draft.clone());
    let signed = Signed::decode(&bytes).expect("an event");
    let checked = network.checked(&bytes);
    assert_eq!((checked.id(), checked.bytes()), (signed.id(), bytes.as_slice()));
    assert_eq!(checked.draft(), &draft);
    let other = Signed { signature: Signature([1; 64]), ..signed.clone() };
    assert_ne!(other.id(), signed.id());
    let changes: [fn(&mut Draft); 8] = [
        |draft| draft.version = 2,
        |draft| draft.chain = ChainId(Hash::ZERO),
        |draft| draft.author = AccountId([0; 32]),
        |draft| draft.key = PublicKey([0; 32]),
        |draft| draft.role = Role::Node,
        |draft| draft.nonce += 1,
        |draft| draft.valid_until = draft.valid_until.plus(Millis(1)),
        |draft| draft.tag += 1,
    ];
    for change in changes {
        let mut other = draft.clone();
        change(&mut other);
        assert_ne!(other.digest(), draft.digest());
    }
}

/// Broken by: a body built from text that is not the one built in code, or words without
/// the values.
#[test]
fn rows_build_and_show_what_is_signed() {
    let row = REGISTRY.row_named("test.pay").expect("a row");
    let fields = (row.show)(&encode(&pay())).expect("a body");
    let named = fields.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
    assert_eq!((row.build)(&named).ok(), Some(encode(&pay())));
    let words = ddt_ledger::schema::fill_words(row.words, &fields);
    assert_eq!(words, format!("Pay 1 to {}", Person::new(2).id()));
    assert_eq!((row.show)(&[]), Err(BODY));
    assert_eq!((row.check)(&[]), Err(BODY));
    let missing = (row.build)(&Default::default()).expect_err("no fields");
    assert_eq!(missing.field, "to");
}
