//! The reveal agent against a model of ledger and shell: any interleaving of anchors,
//! answers, losses and restarts.

use std::collections::BTreeMap;

use ddt_core::agents::reveal::{
    CommitFacts, Effect, Ended, Input, RevealAgent, RevealConfig, Task,
};
use ddt_ledger::params::Params;
use ddt_ledger::{AccountId, Hash, Millis, Refusal};
use proptest::prelude::*;

use crate::fixture::{START, key};

const TASKS: u8 = 6;
const REFUSAL: Refusal = Refusal::new("test.refused", "No.");

#[derive(Clone, Copy, Debug)]
enum Action {
    Ask(u8),
    Commit(u8),
    Wait(u64),
    Anchor,
    /// The oldest submitted reveal is taken, refused, or lost without an answer.
    Take,
    Refuse,
    Lose,
    Restart,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        (0..TASKS).prop_map(Action::Ask),
        (0..TASKS).prop_map(Action::Commit),
        (0_u64..30_000).prop_map(Action::Wait),
        Just(Action::Anchor),
        Just(Action::Take),
        Just(Action::Refuse),
        Just(Action::Lose),
        Just(Action::Restart),
    ]
}

fn config() -> RevealConfig {
    RevealConfig::of(&Params::network())
}

fn task(number: u8) -> Task {
    let owner = AccountId::of(&key(number));
    let (salt, commit) = (Hash([number; 32]), Hash([number + 100; 32]));
    Task { owner, name: format!("n{number}"), years: 1, salt, commit, created: START }
}

/// The ledger, as far as commits go, and the shell's disk and queues.
struct Model {
    agent: RevealAgent,
    now: Millis,
    height: u64,
    time: Millis,
    clock: Millis,
    /// Commits and reveals that the next anchor will execute.
    commits_next: Vec<Hash>,
    reveals_next: Vec<Hash>,
    commits: BTreeMap<Hash, CommitFacts>,
    revealed: Vec<Hash>,
    disk: BTreeMap<Hash, Task>,
    submitted: Vec<Hash>,
}

impl Model {
    fn new() -> Model {
        Model {
            agent: RevealAgent::new(config(), Vec::new()),
            now: START,
            height: 1,
            time: START,
            clock: Millis(7_000),
            commits_next: Vec::new(),
            reveals_next: Vec::new(),
            commits: BTreeMap::new(),
            revealed: Vec::new(),
            disk: BTreeMap::new(),
            submitted: Vec::new(),
        }
    }

    fn step(&mut self, input: Input) {
        for effect in self.agent.step(self.now, input) {
            match effect {
                Effect::StoreTask(task) => drop(self.disk.insert(task.commit, task)),
                Effect::Accepted(commit) => assert!(self.disk.contains_key(&commit)),
                Effect::DropTask(commit, why) => {
                    assert!(self.disk.remove(&commit).is_some());
                    assert!(!self.commits.contains_key(&commit), "its commit is still there");
                    assert!(why == Ended::NeverSeen || self.revealed.contains(&commit));
                }
                Effect::Submit { task } => {
                    self.check_submit(&task);
                    self.submitted.push(task.commit);
                }
                Effect::Refused(_, refusal) => panic!("{refusal}"),
                Effect::Alarm(_) => {}
            }
        }
    }

    /// Never early, never without a commit. Mutations: leaving out either age.
    fn check_submit(&self, task: &Task) {
        let commit = self.commits.get(&task.commit).expect("a commit");
        let config = config();
        let step = self.now.since(self.time).min(config.clock_step_ms_max);
        assert!(self.clock.plus(step) >= commit.clock.plus(config.commit_age_ms));
        assert!(self.height + 1 >= commit.height + config.commit_age_anchors);
        assert!(self.disk.contains_key(&task.commit), "it was kept first");
    }

    fn anchor(&mut self) {
        let time = self.now.max(self.time.plus(Millis(1)));
        self.clock = self.clock.plus(time.since(self.time).min(config().clock_step_ms_max));
        (self.time, self.height) = (time, self.height + 1);
        let expires = self.clock.plus(config().commit_life_ms);
        for commit in self.commits_next.drain(..) {
            if !self.revealed.contains(&commit) {
                let facts = CommitFacts { height: self.height, clock: self.clock, expires };
                self.commits.entry(commit).or_insert(facts);
            }
        }
        for commit in self.reveals_next.drain(..) {
            if self.commits.remove(&commit).is_some() {
                self.revealed.push(commit);
            }
        }
        self.tell();
    }

    fn tell(&mut self) {
        let fact = |task: &Task| (task.commit, self.commits.get(&task.commit).copied());
        let facts = self.agent.tasks().map(fact).collect();
        let (height, time, clock) = (self.height, self.time, self.clock);
        self.step(Input::Anchor { height, time, clock, facts });
    }

    fn answer(&mut self, result: Option<Result<(), Refusal>>) {
        if self.submitted.is_empty() {
            return;
        }
        let commit = self.submitted.remove(0);
        if result == Some(Ok(())) {
            self.reveals_next.push(commit);
        }
        if let Some(result) = result {
            self.step(Input::Submitted { commit, result });
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Ask(number) => {
                let is_new = !self.revealed.contains(&task(number).commit);
                if is_new {
                    self.step(Input::Task(task(number)));
                }
            }
            Action::Commit(number) => self.commits_next.push(task(number).commit),
            Action::Wait(ms) => {
                self.now = self.now.plus(Millis(ms));
                self.step(Input::Tick);
            }
            Action::Anchor => self.anchor(),
            Action::Take => self.answer(Some(Ok(()))),
            Action::Refuse => self.answer(Some(Err(REFUSAL))),
            Action::Lose => self.answer(None),
            Action::Restart => {
                self.submitted.clear();
                self.agent = RevealAgent::new(config(), self.disk.values().cloned().collect());
                self.tell();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Nothing is revealed early, and once the network works every kept task whose commit
    /// came is revealed, whatever happened before.
    #[test]
    fn every_task_comes_to_its_end(actions in prop::collection::vec(action(), 1..120)) {
        let mut model = Model::new();
        for action in actions {
            model.act(action);
        }
        let kept: Vec<Hash> = model.disk.keys().copied().collect();
        let ended = model.revealed.len();
        (0..TASKS).for_each(|number| model.act(Action::Commit(number)));
        for _ in 0..60 {
            for action in [Action::Wait(5_000), Action::Take, Action::Take, Action::Anchor] {
                model.act(action);
            }
        }
        prop_assert!(model.disk.keys().all(|commit| model.revealed.contains(commit)));
        prop_assert!(kept.iter().all(|commit| model.revealed.contains(commit)));
        prop_assert!(model.revealed.len() >= ended);
        // What a restart made it forget it gives up in the end: nothing is kept for ever.
        model.now = model.now.plus(Millis(100_000_000));
        model.act(Action::Anchor);
        prop_assert!(model.disk.is_empty());
    }
}
