//! What survives when nodes die, are silent, or come back.

use crate::load::{
    all_is_well, further, home_of, is_done, pays, text, under_load, until_it_knows, until_it_seals,
    waits_in_vain,
};
use crate::support::cluster::{Cluster, FUNDS};
use crate::support::{cli, eventually};

// Broken by: a block that is promised before it is durable; a quorum that counts the dead; a
// router that comes back and does not catch up, or signs another block or vote for a place.
#[test]
fn each_router_in_turn_may_die_under_load_and_come_back() {
    let mut cluster = Cluster::running(4, &[]);
    let finals = under_load(&mut cluster, |cluster, paid| {
        for at in [3, 1, 0, 2] {
            further(paid, 5);
            cluster.nodes[at].kill();
            further(paid, 10);
            cluster.nodes[at].start();
        }
        further(paid, 10);
    });
    all_is_well(&cluster, &finals, &[]);
}

// Broken by: a final event that is in no book after all died; a WAL or a lane that is not
// there after a crash.
#[test]
fn all_may_die_at_once() {
    let mut cluster = Cluster::running(4, &[]);
    let mut all = Vec::new();
    for _ in 0..2 {
        all.extend(under_load(&mut cluster, |cluster, paid| {
            further(paid, 5);
            cluster.nodes.iter_mut().for_each(|node| node.kill());
        }));
        cluster.start_all();
        all.push(pays(&cluster, 1));
    }
    all_is_well(&cluster, &all, &[]);
}

// Broken by: a quorum that is right for four routers only.
#[test]
fn two_of_seven_may_be_dead_and_three_may_not() {
    let mut cluster = Cluster::running(7, &[]);
    let mut finals = vec![pays(&cluster, 6)];
    cluster.nodes[2].kill();
    cluster.nodes[5].kill();
    finals.extend([0, 6].map(|at| pays(&cluster, at)));
    until_it_seals(&cluster.nodes[0]);
    cluster.nodes[4].kill();
    let event = waits_in_vain(&cluster, 0, 0);
    cluster.nodes[4].start();
    eventually("the payment is final", || is_done(&cluster.nodes[0], &event).then_some(()));
    finals.push(event);
    cluster.start_all();
    all_is_well(&cluster, &finals, &[]);
}

// Broken by: an anchor that two of four can decide; a node that does not go on when enough are
// back.
#[test]
fn two_of_four_decide_nothing_and_go_on_when_the_others_are_back() {
    let cluster = Cluster::running(4, &[]);
    pays(&cluster, 0);
    until_it_seals(&cluster.nodes[0]);
    for at in [2, 3] {
        cli::signal(cluster.nodes[at].pid(), "STOP");
    }
    let event = waits_in_vain(&cluster, 0, 0);
    eventually("the doctor says what is wrong", || {
        let doctor = cluster.nodes[0].ddt(&["doctor"]);
        let is_said = doctor.stdout.contains("2 of 4 validators are connected");
        (is_said && doctor.code == Some(1)).then_some(())
    });
    for at in [2, 3] {
        cli::signal(cluster.nodes[at].pid(), "CONT");
    }
    eventually("the payment is final", || is_done(&cluster.nodes[0], &event).then_some(()));
    all_is_well(&cluster, &[event], &[]);
}

// Broken by: a node that has to be told of each anchor, or executes what no quorum signed.
#[test]
fn a_full_node_joins_late_under_load_and_follows() {
    let mut cluster = Cluster::running(4, &[]);
    let finals = under_load(&mut cluster, |cluster, paid| {
        further(paid, 20);
        cluster.add_full_node(1);
        cluster.start_all();
        further(paid, 20);
    });
    all_is_well(&cluster, &finals, &[]);
}

// Broken by: an event that is brought to one router only; a second copy that is charged again
// (a nonce that is used, but not remembered).
#[test]
fn what_a_silent_router_was_given_goes_to_another_and_is_charged_once() {
    let mut cluster = Cluster::running(4, &[]);
    let (from, to) = (cluster.person(0), cluster.people[3].account);
    let home = home_of(&from.account, 4);
    let full = cluster.add_full_node((home + 1) % 4);
    cluster.start_all();
    until_it_seals(&cluster.nodes[home]);
    until_it_knows(&cluster.nodes[full], &cluster.nodes[home]);
    pays(&cluster, full);
    let before = cluster.nodes[full].balance(&from.account);
    cli::signal(cluster.nodes[home].pid(), "STOP");
    let payment = from.pay(&to, "1");
    let receipt = cluster.nodes[full].submit("final", &payment).unwrap().json(200);
    assert_eq!(text(&receipt, "stage"), "final", "{receipt}");
    let after = cluster.nodes[full].balance(&from.account);
    assert_ne!(before, after);
    cli::signal(cluster.nodes[home].pid(), "CONT");
    // Now the silent one reads what it was given, and is given it again.
    let finals = [text(&receipt, "event").to_string(), pays(&cluster, home)];
    cluster.nodes[home].submit("final", &payment).unwrap();
    all_is_well(&cluster, &finals, &[]);
    for node in &cluster.nodes {
        let plus = |apt: u64| (FUNDS.parse::<u64>().unwrap() + apt).to_string();
        assert_eq!(node.balance(&to), plus(3), "three payments, one of them sent three times");
    }
}
