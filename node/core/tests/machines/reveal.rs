//! The reveal agent: refusals, waiting, retries, ends.

use ddt_core::agents::reveal::{
    ALARM_ATTEMPTS, CommitFacts, Effect, Ended, IN_FLIGHT_MAX, Input, MARGIN_MS, RETRY_MS_MAX,
    RevealAgent, RevealConfig, SETTLE_MS, SKEW_MS, Task,
};
use ddt_ledger::params::Params;
use ddt_ledger::{AccountId, Hash, Millis, Refusal};

use crate::fixture::{START, key};

const REFUSAL: Refusal = Refusal::new("test.refused", "No.");
/// The epoch clock at [`START`].
const CLOCK: Millis = Millis(500_000);

fn config() -> RevealConfig {
    RevealConfig::of(&Params::network())
}

fn at(ms: u64) -> Millis {
    START.plus(Millis(ms))
}

fn task(number: u16) -> Task {
    let mut commit = [1; 32];
    commit[..2].copy_from_slice(&number.to_be_bytes());
    Task {
        owner: AccountId::of(&key(1)),
        name: format!("name-{number}"),
        years: 1,
        salt: Hash([9; 32]),
        commit: Hash(commit),
        created: START,
    }
}

fn agent(tasks: &[Task]) -> RevealAgent {
    RevealAgent::new(config(), tasks.to_vec())
}

/// A commit of anchor 10, at the epoch clock [`CLOCK`].
fn there() -> Option<CommitFacts> {
    Some(CommitFacts { height: 10, clock: CLOCK, expires: CLOCK.plus(Millis(86_400_000)) })
}

/// An anchor this long after [`START`], when clock and time advance alike.
fn anchor(height: u64, ms: u64, facts: &[(&Task, Option<CommitFacts>)]) -> Input {
    let facts = facts.iter().map(|(task, facts)| (task.commit, *facts)).collect();
    Input::Anchor { height, time: at(ms), clock: CLOCK.plus(Millis(ms)), facts }
}

fn submits(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::Submit { .. })).count()
}

fn answer(commit: Hash, result: Result<(), Refusal>) -> Input {
    Input::Submitted { commit, result }
}

#[test]
fn a_task_is_kept_before_it_is_acknowledged() {
    let mut agent = agent(&[]);
    let effects = agent.step(at(0), Input::Task(task(1)));
    // Mutation: acknowledging first loses the task if the node dies in between.
    let commit = task(1).commit;
    assert_eq!(effects, [Effect::StoreTask(task(1)), Effect::Accepted(commit)]);
    // Asking again is idempotent, also later.
    let again = Task { created: at(5), ..task(1) };
    assert_eq!(agent.step(at(5), Input::Task(again)), [Effect::Accepted(commit)]);
    assert_eq!(agent.tasks().count(), 1);
}

#[test]
fn each_refusal_is_given_and_keeps_nothing() {
    let mut agent = RevealAgent::new(RevealConfig { tasks_max: 1, ..config() }, vec![task(1)]);
    let late = at(86_400_000 + MARGIN_MS.0 + 1);
    let cases = [
        (at(0), task(2), "reveals.full"),
        (at(0), Task { years: 2, ..task(1) }, "reveals.other_task"),
        (at(0), Task { name: String::new(), ..task(2) }, "reveals.name"),
        (at(0), Task { name: "x".repeat(64), ..task(2) }, "reveals.name"),
        (late, task(2), "reveals.too_late"),
    ];
    for (now, task, code) in cases {
        let commit = task.commit;
        let effects = agent.step(now, Input::Task(task));
        let [Effect::Refused(refused, refusal)] = effects.as_slice() else {
            panic!("{code}: {effects:?}")
        };
        assert_eq!((*refused, refusal.code), (commit, code));
    }
    assert_eq!(agent.tasks().count(), 1);
}

#[test]
fn a_task_from_the_future_is_given_up_as_if_made_now() {
    let mut agent = agent(&[]);
    let future = Task { created: Millis(u64::MAX), ..task(1) };
    let effects = agent.step(at(7), Input::Task(future));
    assert_eq!(effects[0], Effect::StoreTask(Task { created: at(7), ..task(1) }));
}

#[test]
fn a_reveal_waits_for_its_commit_its_age_and_its_anchors() {
    let mut agent = agent(&[task(1)]);
    assert_eq!(agent.step(at(0), Input::Tick), []);
    assert_eq!(agent.step(at(0), anchor(9, 0, &[(&task(1), None)])), []);
    assert_eq!(agent.step(at(0), anchor(10, 0, &[(&task(1), there())])), []);
    // Deep enough, and not old enough by this node's clock, which may run ahead.
    assert_eq!(agent.step(at(50_000), anchor(12, 50_000, &[(&task(1), there())])), []);
    // Mutation: no allowance for skew; the reveal is refused and costs a fee.
    let ripe = 60_000 + SKEW_MS.0;
    assert_eq!(agent.step(at(ripe - 1), Input::Tick), []);
    assert_eq!(agent.step(at(ripe), Input::Tick), [Effect::Submit { task: task(1) }]);
}

#[test]
fn age_in_anchors_counts_as_well() {
    let mut agent = agent(&[task(1)]);
    assert_eq!(agent.step(at(99_000), anchor(10, 99_000, &[(&task(1), there())])), []);
    // Mutation: the age alone. The reveal will stand in anchor 12 at the earliest.
    let effects = agent.step(at(99_001), anchor(11, 99_001, &[(&task(1), there())]));
    assert_eq!(submits(&effects), 1);
}

#[test]
fn the_clock_is_extrapolated_by_one_step_at_most() {
    let mut agent = agent(&[task(1)]);
    agent.step(at(30_000), anchor(15, 30_000, &[(&task(1), there())]));
    // The network stands still: the epoch clock does, too.
    assert_eq!(agent.step(at(900_000), Input::Tick), []);
    // What an anchor says needs no allowance.
    let effects = agent.step(at(60_000), anchor(16, 60_000, &[(&task(1), there())]));
    assert_eq!(submits(&effects), 1);
}

#[test]
fn an_expired_commit_is_not_revealed() {
    let mut agent = agent(&[task(1)]);
    let end = 86_400_000;
    let effects = agent.step(at(end), anchor(99, end, &[(&task(1), there())]));
    assert_eq!(effects, []);
}

#[test]
fn refused_reveals_are_repeated_ever_more_slowly_and_people_are_told_once() {
    let mut agent = agent(&[task(1)]);
    let mut now = at(70_000);
    let mut effects = agent.step(now, anchor(20, 70_000, &[(&task(1), there())]));
    let (mut waits, mut alarms) = (Vec::new(), Vec::new());
    for attempt in 1..=10 {
        assert_eq!(submits(&effects), 1);
        let told = agent.step(now, answer(task(1).commit, Err(REFUSAL)));
        alarms.extend(told.iter().any(|e| matches!(e, Effect::Alarm(_))).then_some(attempt));
        let secret = format!("{told:?}");
        assert!(!secret.contains(&task(1).name), "the name is secret: {secret}");
        let before = now;
        effects = loop {
            now = now.plus(Millis(500));
            let effects = agent.step(now, Input::Tick);
            if submits(&effects) > 0 {
                break effects;
            }
        };
        waits.push(now.since(before).0);
    }
    // Mutation: no backoff, or one without bounds.
    assert_eq!(&waits[..7], [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000]);
    assert!(waits[7..].iter().all(|wait| *wait == RETRY_MS_MAX.0));
    assert_eq!(alarms, [ALARM_ATTEMPTS]);
}

#[test]
fn an_accepted_or_lost_reveal_is_repeated_if_the_commit_stays() {
    for is_answered in [true, false] {
        let mut agent = agent(&[task(1)]);
        let now = at(70_000);
        assert_eq!(submits(&agent.step(now, anchor(20, 70_000, &[(&task(1), there())]))), 1);
        if is_answered {
            agent.step(now, answer(task(1).commit, Ok(())));
        }
        let settle = now.plus(SETTLE_MS);
        assert_eq!(agent.step(Millis(settle.0 - 1), Input::Tick), []);
        assert_eq!(submits(&agent.step(settle, Input::Tick)), 1);
        // A clock that is put back far does not make it wait until it has caught up.
        assert_eq!(submits(&agent.step(at(0), Input::Tick)), 1);
    }
}

#[test]
fn a_task_ends_when_its_commit_is_gone_or_never_came() {
    let mut agent = agent(&[task(1), task(2), task(3)]);
    let facts = [(&task(1), there()), (&task(2), None), (&task(3), there())];
    agent.step(at(1), anchor(10, 1, &facts));
    let effects = agent.step(at(2), anchor(11, 2, &[(&task(1), None), (&task(2), None)]));
    assert_eq!(effects, [Effect::DropTask(task(1).commit, Ended::Gone)]);
    let end = 86_400_000 + MARGIN_MS.0;
    // Mutation: giving up by this node's clock while it catches up, or the network stands.
    assert_eq!(agent.step(at(end + 9), Input::Tick), []);
    assert_eq!(agent.step(at(end + 9), anchor(12, end, &[(&task(2), None)])), []);
    let effects = agent.step(at(end + 9), anchor(13, end + 1, &[(&task(2), None)]));
    assert_eq!(effects, [Effect::DropTask(task(2).commit, Ended::NeverSeen)]);
    // The third commit is still there: the ledger will end it.
    assert_eq!(agent.tasks().map(|task| task.commit).collect::<Vec<_>>(), [task(3).commit]);
    assert_eq!(agent.step(at(end), answer(task(1).commit, Ok(()))), []);
}

#[test]
fn few_are_in_flight_and_failing_ones_do_not_block_the_others() {
    let tasks: Vec<Task> = (0..40).map(task).collect();
    let facts: Vec<_> = tasks.iter().map(|task| (task, there())).collect();
    let mut agent = agent(&tasks);
    let now = at(70_000);
    // Mutation: submitting all at once overruns the node key's nonces.
    let effects = agent.step(now, anchor(20, 70_000, &facts));
    assert_eq!(submits(&effects), IN_FLIGHT_MAX);
    assert_eq!(agent.step(now, Input::Tick), []);
    let mut seen = Vec::new();
    let mut queue = effects;
    while let Some(effect) = queue.pop() {
        if let Effect::Submit { task } = effect {
            queue.extend(agent.step(now, answer(task.commit, Err(REFUSAL))));
            seen.push(task.commit);
        }
    }
    seen.sort();
    // Mutation: a refused one keeps its place in flight.
    assert_eq!(seen, tasks.iter().map(|task| task.commit).collect::<Vec<_>>());
}
