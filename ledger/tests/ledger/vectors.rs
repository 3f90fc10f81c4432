//! Golden bytes: what is hashed and signed never changes. `tests/vectors/ledger.py` computes
//! the same without any of our Rust.

use ddt_ledger::anchor::{ANCHOR_VERSION, AnchorBody, TimeStatement, Tip};
use ddt_ledger::certificate::{Validator, ValidatorAddress, ValidatorSet, VoteKind, vote_digest};
use ddt_ledger::codec::encode;
use ddt_ledger::event::{Draft, EVENT_VERSION, Role};
use ddt_ledger::genesis::{GENESIS_BYTES_MAX, Genesis};
use ddt_ledger::lane::{BLOCK_VERSION, BlockHeader, SoftReceipt};
use ddt_ledger::merkle::ListTree;
use ddt_ledger::schema::{Bytes, List};
use ddt_ledger::state::{StateTree, Version};
use ddt_ledger::vrf::{VrfKey, VrfOutput};
use ddt_ledger::{ChainId, Hash, Millis, Zone};
use serde_json::{Value as Json, json};

use crate::support::network::{Network, Person};

const VECTORS: &str = include_str!("../../../tests/vectors/ledger-v1.json");
const GENESIS: &str = include_str!("../../../tests/vectors/genesis-v2.toml");

fn hash(number: u8) -> Hash {
    Hash([number; 32])
}

fn chain() -> ChainId {
    Genesis::from_toml(GENESIS).expect("a genesis").chain()
}

fn event() -> Json {
    let alice = Person::new(1);
    let body = b"any body: forty-two".to_vec();
    let draft = Draft {
        version: EVENT_VERSION,
        chain: chain(),
        author: alice.id(),
        key: alice.key(),
        role: Role::Router,
        nonce: 1_700_000_000_000_001,
        valid_until: Millis(1_700_000_360_000),
        tag: 0x1234,
        body: Bytes::new(body.clone()).expect("a short body"),
    };
    let (bytes, digest) = (encode(&draft), draft.digest());
    let signature = alice.sign(&digest);
    let signed = draft.clone().signed(signature);
    json!({
        "seed": hex::encode([1; 32]),
        "fields": {
            "version": draft.version, "chain": draft.chain, "author": draft.author,
            "key": draft.key, "role": 2, "nonce": draft.nonce,
            "valid_until": draft.valid_until, "tag": draft.tag, "body": hex::encode(body),
        },
        "draft": hex::encode(bytes), "digest": digest, "signature": signature,
        "signed": hex::encode(encode(&signed)), "id": signed.id(),
    })
}

fn block() -> Json {
    let header = BlockHeader {
        version: BLOCK_VERSION,
        chain: chain(),
        zone: Zone(7),
        term: 2,
        height: 300,
        parent: hash(3),
        after_anchor: 12,
        first_number: 70_000,
        count: 3,
        events_root: hash(4),
        time: Millis(1_700_000_000_500),
    };
    let receipt = SoftReceipt {
        chain: chain(),
        event: hash(5),
        zone: Zone(7),
        term: 2,
        height: 300,
        number: 70_001,
    };
    json!({
        "header": header, "bytes": hex::encode(encode(&header)), "id": header.id(),
        "soft_receipt": receipt, "soft_receipt_digest": receipt.digest(),
    })
}

fn anchor() -> Json {
    let (previous, time) = (hash(6), Millis(1_700_000_001_000));
    let digest = TimeStatement::digest(chain(), 13, &previous, time);
    let statement = |number: u8| {
        let person = Person::new(number);
        TimeStatement { key: person.key(), time, signature: person.sign(&digest) }
    };
    let tip = Tip { zone: Zone(7), term: 2, height: 300, block: hash(7) };
    let body = AnchorBody {
        version: ANCHOR_VERSION,
        chain: chain(),
        height: 13,
        previous,
        statements: List::new(vec![statement(2), statement(3)]).expect("few"),
        tips: List::new(vec![tip]).expect("few"),
        state_root: hash(8),
        receipts_root: hash(9),
        next_validators: hash(10),
        maker: ValidatorAddress([11; 20]),
        vrf: VrfOutput { output: [12; 32], proof: [13; 64] },
    };
    json!({
        "chain": body.chain, "height": 13, "previous": previous,
        "statement_seeds": [hex::encode([2; 32]), hex::encode([3; 32])],
        "statement_time": time, "statement_digest": digest,
        "statements": body.statements.items(), "tips": body.tips.items(),
        "state_root": body.state_root, "receipts_root": body.receipts_root,
        "next_validators": body.next_validators, "maker": hex::encode(body.maker.0),
        "vrf_output": hex::encode(body.vrf.output), "vrf_proof": hex::encode(body.vrf.proof),
        "bytes": hex::encode(encode(&body)), "id": body.id(),
        "beacon_before": hash(14), "beacon": body.beacon(&hash(14)),
    })
}

fn votes() -> Json {
    let validator = |number: u8| Validator {
        zone: Zone(u32::from(number)),
        key: Person::new(number).key(),
        vrf_key: Person::new(100 + number).key(),
    };
    let set = ValidatorSet(vec![validator(1), validator(2)]);
    let voter = set.0[0].address();
    let vote = |kind, anchor| vote_digest(chain(), kind, 13, 4, anchor, voter);
    json!({
        "chain": chain(), "height": 13, "round": 4, "anchor": hash(15),
        "validators": set, "validator_set_hash": set.hash(), "voter": hex::encode(voter.0),
        "prevote_nil": vote(VoteKind::Prevote, None),
        "prevote": vote(VoteKind::Prevote, Some(hash(15))),
        "precommit_nil": vote(VoteKind::Precommit, None),
        "precommit": vote(VoteKind::Precommit, Some(hash(15))),
    })
}

fn lists() -> Json {
    let list = |length: usize| {
        let items: Vec<Vec<u8>> = (0..length).map(|n| vec![n as u8; n + 1]).collect();
        let tree = ListTree::new(&items);
        let proofs: Vec<_> = (0..length as u64).map(|at| tree.prove(at).expect("one")).collect();
        let items: Vec<String> = items.iter().map(hex::encode).collect();
        json!({ "items": items, "root": tree.root(), "proofs": proofs })
    };
    json!([list(0), list(1), list(2), list(3), list(6), list(7)])
}

fn state() -> Json {
    let rows =
        [(vec![1, 0, 1], b"one".to_vec()), (vec![1, 0, 2], b"two".to_vec()), (vec![2], vec![])];
    let tree = StateTree::build(rows.clone());
    let proof = |key: &[u8], value: Option<&[u8]>| {
        let path = tree.prove(key, Version::Now);
        assert!(path.verify(&tree.root(), key, value));
        json!({ "key": hex::encode(key), "value": value.map(hex::encode), "path": path })
    };
    let mut proofs: Vec<Json> =
        rows.iter().map(|(key, value)| proof(key, Some(value.as_slice()))).collect();
    proofs.extend((0..6u8).map(|number| proof(&[9, number], None)));
    let rows: Vec<_> =
        rows.iter().map(|(key, value)| [hex::encode(key), hex::encode(value)]).collect();
    json!({ "rows": rows, "root": tree.root(), "proofs": proofs })
}

fn vectors() -> Json {
    let genesis = Genesis::from_toml(GENESIS).expect("a genesis");
    let vrf = VrfKey::from_seed(&[16; 32]).expect("a key");
    let state_root = genesis.state().expect("a state").roots.state;
    json!({
        "account": { "key": Person::new(1).key(), "id": Person::new(1).id() },
        "genesis": {
            "file": "genesis-v2.toml", "bytes": hex::encode(encode(&genesis)),
            "chain": genesis.chain(), "state_root": state_root,
        },
        "event": event(), "block": block(), "anchor": anchor(), "votes": votes(),
        "lists": lists(), "state": state(),
        "vrf": {
            "seed": hex::encode([16; 32]), "public_key": vrf.public(), "previous": hash(17),
            "height": 13, "output": hex::encode(vrf.prove(&hash(17), 13).output),
        },
    })
}

/// Broken by: any change of an encoding, a hash, a domain or a signature: another history.
#[test]
fn golden_vectors_are_unchanged() {
    let expected: Json = serde_json::from_str(VECTORS).expect("the vectors");
    let actual = vectors();
    for (name, value) in actual.as_object().expect("sections") {
        assert_eq!(value, &expected[name], "{name}");
    }
    assert_eq!(actual, expected);
}

/// Broken by: a genesis file that is not written as it is read.
#[test]
fn the_genesis_file_survives_writing() {
    let genesis = Genesis::from_toml(GENESIS).expect("a genesis");
    let written = genesis.to_toml().expect("TOML");
    assert_eq!(Genesis::from_toml(&written), Ok(genesis));
}

/// Broken by: a rule of the genesis left out, or a field that may be misspelt.
#[test]
fn each_wrong_genesis_is_refused() {
    for (from, to, words) in [
        ("version = 2", "version = 1", "version must be 2"),
        ("name = \"golden\"", "name = \"Golden\"", "name must be"),
        ("name = \"golden\"", "name = \"\"", "name must be"),
        ("name = \"golden\"", "nam = \"golden\"", "nam"),
        ("epoch_ms = 60000", "epoch_ms = 0", "epoch_ms"),
        ("clock_step_ms_max = 20000", "clock_step_ms_max = 0", "clock_step_ms_max"),
        ("clock_step_ms_max = 20000", "clock_step_ms_max = 60001", "at most epoch_ms"),
        ("domain_year_ms = 31536000000", "domain_year_ms = 0", "domain_year_ms"),
        ("router_unbond_ms = 120000", "router_unbond_ms = 0", "router_unbond_ms must be"),
        ("zone_seats = 1024", "zone_seats = 1025", "zone_seats must be"),
        ("router_alive_ms = 20000", "router_alive_ms = 0", "router_alive_ms must be"),
        ("router_alive_ms = 20000", "router_alive_ms = 90000", "above router_alive_ms"),
        ("router_silent_ms = 90000", "router_silent_ms = 0", "router_silent_ms must be"),
        ("stamp_period_ms = 60000", "stamp_period_ms = 0", "stamp_period_ms"),
        ("username_year_ms = 31536000000", "username_year_ms = 0", "username_year_ms"),
        ("validators_max = 100", "validators_max = 0", "validators_max"),
        ("bond = \"10000\"", "bond = \"9999.999999999\"", "bond"),
        ("router_bond_apt_min = 10000", "router_bond_apt_min = 10001", "bond"),
        ("pool = \"1000.5\"", "pool = \"-1\"", "amount.malformed"),
        ("pool = \"1000.5\"", "pool = \"1000000000000000001\"", "amount.too_large"),
        ("zone = 2", "zone = 1", "zones must ascend"),
        ("balance = \"5\"", "balance = \"5\"\nage = 3", "age"),
    ] {
        assert!(GENESIS.contains(from), "{from}");
        let error = Genesis::from_toml(&GENESIS.replace(from, to)).expect_err(to);
        assert!(error.to_string().contains(words), "{to}: {error}");
    }
    // At their limits they are good.
    for (from, to) in [
        ("clock_step_ms_max = 20000", "clock_step_ms_max = 60000"),
        ("router_alive_ms = 20000", "router_alive_ms = 89999"),
        ("router_unbond_ms = 120000", "router_unbond_ms = 1"),
    ] {
        assert!(Genesis::from_toml(&GENESIS.replace(from, to)).is_ok(), "{to}");
    }
    let long = |bytes: usize| GENESIS.to_string() + &"#".repeat(bytes - GENESIS.len());
    assert!(Genesis::from_toml(&long(GENESIS_BYTES_MAX)).is_ok(), "a comment does no harm");
    let error = Genesis::from_toml(&long(GENESIS_BYTES_MAX + 1)).expect_err("too long");
    assert!(error.to_string().contains("16 MiB"), "{error}");
    let too_rich = GENESIS.replace("pool = \"1000.5\"", "pool = \"1000000000000000000\"");
    let genesis = Genesis::from_toml(&too_rich).expect("each amount is one");
    assert!(genesis.state().is_err(), "together they are too much");
    let mut doubled = Network::new().genesis;
    doubled.accounts.push(doubled.accounts[0].clone());
    assert!(doubled.state().is_err());
    let mut doubled = Network::new().genesis;
    doubled.zones[1].key = doubled.zones[0].key;
    assert!(doubled.state().is_err());
    let mut doubled = Network::new().genesis;
    doubled.zones[1].router = doubled.zones[0].router;
    assert!(doubled.state().is_err());
    let mut doubled = Network::new().genesis;
    doubled.node_keys[0].account = doubled.zones[0].router;
    doubled.node_keys[0].key = doubled.zones[0].key;
    assert!(doubled.state().is_err());
    let mut doubled = Network::new().genesis;
    doubled.node_keys.push(doubled.node_keys[0].clone());
    assert!(doubled.state().is_err());
    let mut homeless = Network::new().genesis;
    homeless.node_keys[0].account = Person::new(99).id();
    assert!(homeless.state().is_err());
}

#[test]
#[ignore = "rewrites the golden vectors; run with --ignored when their format gets a new version"]
fn rewrite_the_vectors() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/ledger-v1.json");
    let text = serde_json::to_string_pretty(&vectors()).expect("JSON");
    std::fs::write(path, text + "\n").expect("a written file");
}
