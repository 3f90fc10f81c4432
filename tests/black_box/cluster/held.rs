//! What waits at a router while the others are away.

use ddt_contracts::bank::{Claim, Lock, lock_hash};
use ddt_ledger::{Hash, Millis};

use crate::load::{all_is_well, is_done, pays, text, until_it_seals};
use crate::support::cluster::{Cluster, Node};
use crate::support::eventually;
use crate::support::signer::now_us;

fn zones_that_vote(node: &Node) -> Vec<u64> {
    let set = node.json("/v1/views/zones/validators");
    set["rows"].as_array().unwrap().iter().map(|one| one["zone"].as_u64().unwrap()).collect()
}

// Broken by: a router without a vote that sends each block once only. Nobody hears of one that
// was lost, and after half a minute its lane would stand still for good.
#[test]
fn a_block_that_reached_nobody_is_sent_again() {
    // It says nothing else for long, and no epoch ends that would give it a vote.
    let quiet = ["router_silent_ms=900000", "router_alive_ms=600000", "epoch_ms=600000"];
    let quiet = [quiet.as_slice(), &["validators_max=3"]].concat();
    let mut cluster = Cluster::running(4, &quiet);
    let zones = zones_that_vote(&cluster.nodes[0]);
    let alone = (0..4).find(|zone| !zones.contains(&(*zone as u64))).unwrap();
    let others: Vec<usize> = (0..4).filter(|at| *at != alone).collect();
    until_it_seals(&cluster.nodes[alone]);
    others.iter().for_each(|at| cluster.nodes[*at].kill());
    let payment = cluster.people[0].pay(&cluster.people[3].account, "1");
    let promised = cluster.nodes[alone].submit("sequenced", &payment).unwrap().json(200);
    others.iter().for_each(|at| cluster.nodes[*at].start());
    let event = text(&promised, "event").to_string();
    eventually("it is final", || is_done(&cluster.nodes[others[0]], &event).then_some(()));
    all_is_well(&cluster, &[event], &[]);
}

// Broken by: several events in flight that one hold pays for. The first one empties it, and the
// others are void, at the router's expense.
#[test]
fn a_hold_pays_for_one_event_at_a_time() {
    let mut cluster = Cluster::running(4, &[]);
    until_it_seals(&cluster.nodes[0]);
    let secret = Hash([9; 32]);
    let lock = Lock {
        to: cluster.people[1].account,
        amount: "5".parse().unwrap(),
        hash: lock_hash(&secret),
        deadline: Millis(now_us() / 1_000 + 3_600_000),
    };
    let made = cluster.nodes[0].submit("final", &cluster.people[0].event(&lock)).unwrap();
    let made = made.json(200);
    let claim = Claim { lock: Hash::from_hex(text(&made, "event")).unwrap(), secret };
    for at in [2, 3] {
        cluster.nodes[at].kill();
    }
    let (first, second) = (cluster.people[2].event(&claim), cluster.people[3].event(&claim));
    let promised = cluster.nodes[0].submit("sequenced", &first).unwrap().json(200);
    let refused = cluster.nodes[0].submit("sequenced", &second).unwrap();
    assert_eq!((refused.status, refused.problem().as_str()), (422, "mempool.hold_waiting"));
    // The same bytes again are no other event.
    cluster.nodes[0].submit("sequenced", &first).unwrap().json(200);
    cluster.start_all();
    let event = text(&promised, "event").to_string();
    eventually("it is final", || is_done(&cluster.nodes[0], &event).then_some(()));
    let finals = [event, pays(&cluster, 0)];
    all_is_well(&cluster, &finals, &[]);
}
