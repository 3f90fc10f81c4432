//! One of four routers lies. The others go on, agree, and say what they saw.

use ddt_ledger::Amount;
use serde_json::Value;

use crate::load::{
    all_is_well, further, give, home_of, pays, text, under_load, until_it_knows, until_it_seals,
};
use crate::support::cluster::{Cluster, Node};
use crate::support::eventually;

const LIAR: usize = 3;

fn with(treason: &str) -> Cluster {
    let mut cluster = Cluster::of(4, &[]);
    cluster.nodes[LIAR].environment = vec![("DDT_TEST_TREASON", treason.to_string())];
    cluster.start_all();
    cluster
}

/// Whether an honest router logged these words.
fn is_seen(cluster: &Cluster, words: &str) -> bool {
    (0..LIAR).any(|at| cluster.nodes[at].log().contains(words))
}

/// The others' clients pay while the liar lies, until it was seen; then all agree.
fn survives(cluster: &mut Cluster, words: &str, liars: &[usize]) {
    let finals = under_load(cluster, |cluster, paid| {
        further(paid, 10);
        eventually(words, || {
            give(cluster, LIAR);
            is_seen(cluster, words).then_some(())
        });
        further(paid, 10);
    });
    assert!(cluster.nodes[LIAR].log().contains("this node lies"));
    all_is_well(cluster, &finals, liars);
}

// Broken by: a second block that takes the place of the first; votes for two blocks of one
// place that add up; a node that cannot get the block that was anchored because it has the
// other one; evidence that nobody sees.
#[test]
fn a_router_that_signs_two_blocks_for_each_place_is_seen() {
    let mut cluster = with("equivocate");
    (0..3).for_each(|_| give(&cluster, LIAR));
    survives(&mut cluster, "the router of zone 3 signed two blocks", &[LIAR]);
}

// Broken by: two votes that nobody compares, or whose evidence the ledger does not take.
#[test]
fn a_validator_that_votes_twice_is_out() {
    let mut cluster = with("double-vote");
    survives(&mut cluster, "voted two ways for anchor", &[LIAR]);
    eventually("three routers are left", || {
        let view = cluster.nodes[0].json("/v1/views/zones/routers");
        let rows = view["rows"].as_array().unwrap().clone();
        let out: Vec<&Value> = rows.iter().filter(|row| row["router"]["is_out"] == true).collect();
        (out.len() == 1 && out[0]["router"]["bond"] == "0").then_some(())
    });
    let finals = vec![pays(&cluster, 0)];
    all_is_well(&cluster, &finals, &[LIAR]);
}

// Broken by: an anchor that counts blocks which nobody else has (a tip that is believed
// because it is proposed, or because its router voted for it).
#[test]
fn blocks_that_are_shown_to_nobody_count_for_nothing() {
    let mut cluster = with("withhold");
    until_it_seals(&cluster.nodes[LIAR]);
    let hidden = cluster.person(3).pay(&cluster.people[0].account, "1");
    let promise = cluster.nodes[LIAR].submit("sequenced", &hidden).unwrap().json(200);
    survives(&mut cluster, "an anchor names blocks that are not here", &[]);
    for node in &cluster.nodes[..LIAR] {
        let found = node.try_get(&format!("/v1/events/{}", text(&promise, "event"))).unwrap();
        assert_eq!(found.status, 404, "it was shown to nobody");
    }
}

// Broken by: a vote for a block that claims to follow an anchor which is not there; and a
// proposer who takes whatever a quorum has, though no anchor may take it.
#[test]
fn blocks_that_no_anchor_may_take_stand_in_nobodys_way() {
    for treason in ["future", "repeat"] {
        let mut cluster = with(treason);
        until_it_seals(&cluster.nodes[LIAR]);
        let finals = under_load(&mut cluster, |cluster, paid| {
            further(paid, 5);
            give(cluster, LIAR);
            further(paid, 20);
        });
        cluster.nodes[LIAR].kill();
        assert!(cluster.nodes[LIAR].log().contains("this node lies"));
        all_is_well(&cluster, &finals, &[LIAR]);
    }
}

/// The bonds by zone, in units.
fn bonds(node: &Node) -> Vec<u128> {
    let view = node.json("/v1/views/zones/routers");
    let mut rows = view["rows"].as_array().unwrap().clone();
    rows.sort_by_key(|row| row["router"]["zone"].as_u64());
    let units = |row: &Value| text(&row["router"], "bond").parse::<Amount>().unwrap().units();
    rows.iter().map(units).collect()
}

// Broken by: void events that cost their router nothing, or cost another one something.
#[test]
fn a_router_that_sequences_void_events_pays_for_them() {
    let mut cluster = with("heedless");
    until_it_seals(&cluster.nodes[LIAR]);
    let before = bonds(&cluster.nodes[0]);
    let mut owed = 0;
    let finals = under_load(&mut cluster, |cluster, paid| {
        let nobody = cluster.person(99);
        further(paid, 3);
        for _ in 0..8 {
            let payment = nobody.pay(&cluster.people[0].account, "1");
            let at_honest = cluster.nodes[0].submit("final", &payment).unwrap();
            assert_eq!(at_honest.problem(), "event.account");
            let done = cluster.nodes[LIAR].submit("final", &payment).unwrap().json(200);
            assert_eq!(done["receipt"]["outcome"], "void", "{done}");
            owed += (500_000 + 2_000 * payment.len() as u128) / 32;
        }
        further(paid, 3);
    });
    all_is_well(&cluster, &finals, &[]);
    let after = bonds(&cluster.nodes[0]);
    let mut lost: Vec<u128> = before.iter().zip(after).map(|(had, has)| had - has).collect();
    // Now and then an honest router's own word is void, because a block was quicker.
    let by_chance = owed / 2;
    assert!((owed..owed + by_chance).contains(&lost.remove(LIAR)), "{owed}");
    assert!(lost.iter().all(|lost| *lost < by_chance), "{lost:?}, {owed}");
}

// Broken by: a body whose state root is not compared with one's own.
#[test]
fn an_anchor_with_a_wrong_state_root_is_refused() {
    survives(&mut with("wrong-root"), "an invalid anchor body", &[]);
}

// Broken by: an anchor's time that one statement can move.
#[test]
fn times_that_are_an_hour_off_move_nothing() {
    let mut cluster = with("wrong-time");
    let finals = under_load(&mut cluster, |_, paid| further(paid, 30));
    assert!(cluster.nodes[LIAR].log().contains("this node lies"));
    all_is_well(&cluster, &finals, &[]);
    let (last, half_an_hour_ms) = (cluster.height(), 1_800_000);
    let times: Vec<u64> = (last.saturating_sub(5).max(1)..=last)
        .map(|height| cluster.nodes[0].json(&format!("/v1/anchors/{height}"))["time"].as_u64())
        .map(Option::unwrap)
        .collect();
    let now_ms = crate::support::signer::now_us() / 1_000;
    assert!(times.iter().all(|time| time.abs_diff(now_ms) < half_an_hour_ms), "{times:?}");
}

// Broken by: a router that starts and believes whoever is highest: it would never seal.
#[test]
fn a_router_that_boasts_of_its_height_keeps_no_other_from_sealing() {
    let mut cluster = with("boast");
    let mut finals = vec![pays(&cluster, 0)];
    cluster.nodes[1].kill();
    cluster.nodes[1].start();
    until_it_seals(&cluster.nodes[1]);
    finals.push(pays(&cluster, 1));
    assert!(cluster.nodes[LIAR].log().contains("this node lies"));
    all_is_well(&cluster, &finals, &[]);
}

// Broken by: an event that is given to its home router alone.
#[test]
fn a_censored_account_pays_by_way_of_another_router() {
    let mut cluster = Cluster::of(4, &[]);
    let (from, to) = (cluster.person(0), cluster.people[1].account);
    let liar = home_of(&from.account, 4);
    let treason = format!("censor:{}", from.account);
    cluster.nodes[liar].environment = vec![("DDT_TEST_TREASON", treason)];
    let full = cluster.add_full_node((liar + 1) % 4);
    cluster.start_all();
    until_it_seals(&cluster.nodes[liar]);
    until_it_knows(&cluster.nodes[full], &cluster.nodes[liar]);
    let mut finals = Vec::new();
    for _ in 0..3 {
        let receipt = cluster.nodes[full].submit("final", &from.pay(&to, "1")).unwrap().json(200);
        assert_eq!(text(&receipt, "stage"), "final", "{receipt}");
        finals.push(text(&receipt, "event").to_string());
    }
    all_is_well(&cluster, &finals, &[]);
    assert_eq!(cluster.nodes[full].balance(&to), "1000003");
}
