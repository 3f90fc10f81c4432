//! The agent of what is due: turns, retries, bounds, ends, restarts.

use std::collections::BTreeMap;

use ddt_core::agents::due::{
    ALARM_ATTEMPTS, DUE_MAX, Due, DueAgent, DueConfig, Effect, IN_FLIGHT_MAX, Input, RETRY_MS_MAX,
    SETTLE_MS, SKEW_MS, SPREAD_MS_MAX,
};
use ddt_ledger::params::Params;
use ddt_ledger::{Millis, Refusal};
use proptest::prelude::*;

use crate::fixture::{START, key};

const REFUSAL: Refusal = Refusal::new("test.refused", "No.");
/// The epoch clock at [`START`].
const CLOCK: Millis = Millis(500_000);

fn config(node: u8) -> DueConfig {
    DueConfig::renewals(&Params::network(), key(node))
}

fn agent() -> DueAgent {
    DueAgent::new(config(1))
}

fn at(ms: u64) -> Millis {
    START.plus(Millis(ms))
}

/// A renewal due this long after [`START`].
fn renewal(number: u32, ms: u64) -> Due {
    Due { name: format!("name-{number}"), due: CLOCK.plus(Millis(ms)) }
}

/// An anchor this long after [`START`], when clock and time advance alike.
fn anchor(ms: u64, due: &[Due]) -> Input {
    Input::Anchor { time: at(ms), clock: CLOCK.plus(Millis(ms)), due: due.to_vec() }
}

fn answer(name: &str, result: Result<(), Refusal>) -> Input {
    Input::Submitted { name: name.to_string(), result }
}

fn submits(effects: &[Effect]) -> Vec<&str> {
    let name = |effect| match effect {
        &Effect::Submit(ref name) => Some(name.as_str()),
        Effect::Alarm(_) => None,
    };
    effects.iter().filter_map(name).collect()
}

/// After so long every node has had its turn for what is due at [`START`].
const ALL_TURNS: u64 = SPREAD_MS_MAX.0;

/// When a node submits what is due at [`START`], to the second.
fn turn(node: u8, number: u32) -> u64 {
    let mut agent = DueAgent::new(config(node));
    let due = [renewal(number, 0)];
    let first = |ms: &u64| !agent.step(at(*ms), anchor(*ms, &due)).is_empty();
    (0..=ALL_TURNS).step_by(1_000).find(first).expect("a turn")
}

#[test]
fn what_is_not_due_is_left_alone() {
    let mut agent = agent();
    let due = [renewal(1, 1_000_000)];
    assert_eq!(agent.step(at(0), Input::Tick), []);
    for ms in [0, 500_000, 999_999] {
        // Mutation: submitting whatever the state lists.
        assert_eq!(agent.step(at(ms), anchor(ms, &due)), [], "{ms}");
    }
    let ms = 1_000_000 + ALL_TURNS;
    assert_eq!(submits(&agent.step(at(ms), anchor(ms, &due))), ["name-1"]);
}

#[test]
fn nodes_and_names_have_their_own_turns_and_keep_them() {
    let turns: Vec<u64> = (1..=8).map(|node| turn(node, 1)).collect();
    let distinct: std::collections::BTreeSet<&u64> = turns.iter().collect();
    // Mutation: a turn without the node's key; then every node submits at once.
    assert!(distinct.len() >= 6, "{turns:?}");
    let names: std::collections::BTreeSet<u64> = (1..=8).map(|name| turn(1, name)).collect();
    assert!(names.len() >= 6, "{names:?}");
    // Mutation: a turn drawn anew at each start.
    assert_eq!(turns, (1..=8).map(|node| turn(node, 1)).collect::<Vec<_>>());
    assert!(turns.iter().all(|turn| *turn <= ALL_TURNS));
}

#[test]
fn the_spread_is_a_quarter_of_the_time_for_renewals() {
    let params = Params { domain_renewal_ms: Millis(20_000), ..Params::dev() };
    assert_eq!(DueConfig::renewals(&params, key(1)).spread_ms, Millis(5_000));
    let none = Params { domain_renewal_ms: Millis(0), ..Params::dev() };
    let mut agent = DueAgent::new(DueConfig::renewals(&none, key(1)));
    assert_eq!(submits(&agent.step(at(0), anchor(0, &[renewal(1, 0)]))), ["name-1"]);
}

#[test]
fn the_clock_is_extrapolated_by_one_step_at_most() {
    let spread_ms = Millis(0);
    let mut agent = DueAgent::new(DueConfig { spread_ms, ..config(1) });
    let due = [renewal(1, 10_000)];
    agent.step(at(0), anchor(0, &due));
    assert_eq!(agent.step(at(10_000 + SKEW_MS.0 - 1), Input::Tick), []);
    assert_eq!(submits(&agent.step(at(10_000 + SKEW_MS.0), Input::Tick)), ["name-1"]);
    // A network that stands still does not make anything due.
    let mut agent = DueAgent::new(DueConfig { spread_ms, ..config(1) });
    agent.step(at(0), anchor(0, &[renewal(1, 60_000)]));
    // Mutation: a guess without bounds.
    assert_eq!(agent.step(at(900_000), Input::Tick), []);
    // A clock that runs behind the network's makes no difference to what an anchor says.
    assert_eq!(submits(&agent.step(at(0), anchor(60_000, &[renewal(1, 60_000)]))), ["name-1"]);
}

#[test]
fn one_is_never_in_flight_twice_and_is_repeated_when_it_was_lost() {
    for is_answered in [true, false] {
        let (mut agent, due) = (agent(), [renewal(1, 0)]);
        let now = at(ALL_TURNS);
        assert_eq!(submits(&agent.step(now, anchor(ALL_TURNS, &due))).len(), 1);
        if is_answered {
            assert_eq!(agent.step(now, answer("name-1", Ok(()))), []);
        }
        let settle = now.plus(SETTLE_MS);
        // Mutation: submitting at each anchor while it is still listed.
        for later in [ALL_TURNS + 1, ALL_TURNS + SETTLE_MS.0 - 1] {
            assert_eq!(agent.step(at(later), anchor(later, &due)), []);
        }
        assert_eq!(submits(&agent.step(settle, Input::Tick)), ["name-1"]);
        // A clock that is put back far does not make it wait until it has caught up.
        let back = anchor(ALL_TURNS, &due);
        assert_eq!(submits(&agent.step(Millis(0), back)), ["name-1"]);
    }
}

#[test]
fn what_is_renewed_or_stopped_ends_and_the_next_term_is_another_task() {
    let (mut agent, now) = (agent(), at(ALL_TURNS));
    assert_eq!(submits(&agent.step(now, anchor(ALL_TURNS, &[renewal(1, 0)]))).len(), 1);
    assert_eq!(agent.step(now, anchor(ALL_TURNS, &[])), []);
    assert_eq!(agent.known(), 0);
    // The answer may come after the anchor.
    assert_eq!(agent.step(now, answer("name-1", Err(REFUSAL))), []);
    // Mutation: entries by name alone; a short year's next term would wait for the old one.
    let again = renewal(1, 1);
    assert_eq!(submits(&agent.step(now, anchor(ALL_TURNS, &[renewal(1, 0)]))).len(), 1);
    let later = ALL_TURNS + 1;
    assert_eq!(submits(&agent.step(at(later), anchor(later, &[again]))).len(), 1);
}

#[test]
fn refused_ones_are_repeated_ever_more_slowly_and_people_are_told_once() {
    let (mut agent, due) = (agent(), [renewal(1, 0)]);
    let mut now = at(ALL_TURNS);
    let mut effects = agent.step(now, anchor(ALL_TURNS, &due));
    let (mut waits, mut alarms) = (Vec::new(), Vec::new());
    for attempt in 1..=14 {
        assert_eq!(submits(&effects).len(), 1);
        let told = agent.step(now, answer("name-1", Err(REFUSAL)));
        alarms.extend(told.iter().any(|e| matches!(e, Effect::Alarm(_))).then_some(attempt));
        let before = now;
        effects = loop {
            now = now.plus(Millis(500));
            let effects = agent.step(now, Input::Tick);
            if !submits(&effects).is_empty() {
                break effects;
            }
        };
        waits.push(now.since(before).0);
    }
    // Mutation: no back-off, or one without bounds.
    assert_eq!(&waits[..6], [1_000, 2_000, 4_000, 8_000, 16_000, 32_000]);
    assert!(waits[10..].iter().all(|wait| *wait == RETRY_MS_MAX.0), "{waits:?}");
    assert_eq!(alarms, [ALARM_ATTEMPTS]);
    // One that was taken begins anew.
    agent.step(now, answer("name-1", Ok(())));
    let settled = now.plus(SETTLE_MS);
    assert_eq!(submits(&agent.step(settled, Input::Tick)).len(), 1);
    agent.step(settled, answer("name-1", Err(REFUSAL)));
    assert_eq!(submits(&agent.step(settled.plus(Millis(1_000)), Input::Tick)).len(), 1);
}

#[test]
fn after_a_restart_the_ledger_alone_says_what_to_do() {
    let due = [renewal(1, 0), renewal(2, 0), renewal(3, 9_000_000)];
    let mut agent = agent();
    let before = agent.step(at(ALL_TURNS), anchor(ALL_TURNS, &due));
    // Mutation: keeping tasks anywhere else than in the state.
    let mut restarted = DueAgent::new(config(1));
    assert_eq!(restarted.step(at(ALL_TURNS), Input::Tick), [], "nothing before an anchor");
    assert_eq!(restarted.step(at(ALL_TURNS), anchor(ALL_TURNS, &due)), before);
}

#[test]
fn few_are_in_flight_and_refused_ones_do_not_block_the_others() {
    let due: Vec<Due> = (0..40).map(|number| renewal(number, 0)).collect();
    let (mut agent, now) = (agent(), at(ALL_TURNS));
    // Mutation: submitting all at once overruns the node key's nonces.
    let mut queue = agent.step(now, anchor(ALL_TURNS, &due));
    assert_eq!(submits(&queue).len(), IN_FLIGHT_MAX);
    assert_eq!(agent.step(now, Input::Tick), []);
    let mut seen = Vec::new();
    while let Some(effect) = queue.pop() {
        if let Effect::Submit(name) = effect {
            queue.extend(agent.step(now, answer(&name, Err(REFUSAL))));
            seen.push(name);
        }
    }
    seen.sort();
    let mut all: Vec<String> = due.into_iter().map(|renewal| renewal.name).collect();
    all.sort();
    // Mutation: a refused one keeps its place in flight.
    assert_eq!(seen, all);
}

#[test]
fn it_knows_of_no_more_than_its_limit() {
    let many: Vec<Due> = (0..20_000).map(|number| renewal(number, 0)).collect();
    let mut agent = agent();
    agent.step(at(0), anchor(0, &many));
    assert_eq!(agent.known(), DUE_MAX);
}

/// What may happen between two steps: time passes or jumps, an answer comes, names come and
/// go.
#[derive(Clone, Debug)]
enum Happening {
    Passes(u64),
    Jumps(u64),
    Answered(usize, bool),
    Listed(Vec<(u32, u64)>),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        (0u64..40_000).prop_map(Happening::Passes),
        (0u64..4_000_000).prop_map(Happening::Jumps),
        (any::<usize>(), any::<bool>()).prop_map(|(which, good)| Happening::Answered(which, good)),
        proptest::collection::vec((0u32..24, 0u64..2), 0..24).prop_map(Happening::Listed),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None,
        ..ProptestConfig::default() })]

    /// Whatever happens while time goes forward: at most so many are in flight, none twice,
    /// none that the last anchor did not list. Mutation: any of the three bounds left out.
    #[test]
    fn bounds_hold_whatever_happens(happenings in proptest::collection::vec(happening(), 1..60)) {
        let mut agent = agent();
        let mut ms = ALL_TURNS * 2;
        let mut due: Vec<Due> = Vec::new();
        let mut flying: BTreeMap<String, Millis> = BTreeMap::new();
        for happening in happenings {
            let input = match happening {
                Happening::Passes(step) | Happening::Jumps(step) => {
                    ms += step;
                    Input::Tick
                }
                Happening::Answered(which, is_good) => {
                    let which = which % flying.len().max(1);
                    let Some(name) = flying.keys().nth(which).cloned() else { continue };
                    if !is_good {
                        flying.remove(&name);
                    }
                    answer(&name, if is_good { Ok(()) } else { Err(REFUSAL) })
                }
                Happening::Listed(listed) => {
                    let listed: BTreeMap<u32, u64> = listed.into_iter().collect();
                    let listed = listed.into_iter().map(|(number, ms)| renewal(number, ms));
                    let new: Vec<Due> = listed.collect();
                    // Who is gone, or has another term, is in flight no more.
                    flying.retain(|name, _| {
                        let same = |all: &[Due]| {
                            all.iter().find(|renewal| renewal.name == *name).map(|r| r.due)
                        };
                        same(&new).is_some() && same(&new) == same(&due)
                    });
                    due = new;
                    anchor(ms, &due)
                }
            };
            let now = at(ms);
            flying.retain(|_, until| *until > now);
            for effect in agent.step(now, input) {
                let Effect::Submit(name) = effect else { continue };
                let is_listed = due.iter().any(|renewal| renewal.name == name);
                prop_assert!(is_listed, "{name} is not listed");
                let twice = flying.insert(name.clone(), now.plus(SETTLE_MS));
                prop_assert!(twice.is_none(), "{name} is in flight already");
            }
            prop_assert!(flying.len() <= IN_FLIGHT_MAX, "{} in flight", flying.len());
        }
    }
}
