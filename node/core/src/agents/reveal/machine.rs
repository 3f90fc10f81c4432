//! How the reveal agent steps.

use ddt_ledger::{Hash, Millis, Refusal};

use super::{
    ALARM_ATTEMPTS, CommitFacts, Effect, Ended, FULL, IN_FLIGHT_MAX, Input, MARGIN_MS, NAME,
    NAME_BYTES_MAX, OTHER_TASK, RETRY_MS, RETRY_MS_MAX, RevealAgent, RevealConfig, SETTLE_MS,
    SKEW_MS, TOO_LATE, Task,
};

#[derive(Clone, Copy, Debug)]
enum Attempt {
    /// Due from this time.
    Due(Millis),
    /// Submitted; due again from this time.
    InFlight(Millis),
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) task: Task,
    commit: Option<CommitFacts>,
    attempts: u32,
    refused: u32,
    attempt: Attempt,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Anchor {
    height: u64,
    time: Millis,
    clock: Millis,
}

impl RevealAgent {
    /// Takes an input at the time `now` and says what to do.
    pub fn step(&mut self, now: Millis, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::Task(task) => self.task(task, now, &mut effects),
            Input::Anchor { height, time, clock, facts } => {
                self.anchor = Some(Anchor { height, time, clock });
                self.anchored(time, facts, &mut effects);
            }
            Input::Submitted { commit, result } => {
                self.submitted(commit, result, now, &mut effects);
            }
            Input::Tick => {}
        }
        self.submit_due(now, &mut effects);
        effects
    }

    fn task(&mut self, mut task: Task, now: Millis, effects: &mut Vec<Effect>) {
        // A task from the future would never be given up.
        task.created = task.created.min(now);
        let commit = task.commit;
        if let Err(refusal) = self.may_take(&task, now) {
            effects.push(Effect::Refused(commit, refusal));
            return;
        }
        self.entries.entry(commit).or_insert_with(|| {
            effects.push(Effect::StoreTask(task.clone()));
            Entry::new(task)
        });
        effects.push(Effect::Accepted(commit));
    }

    fn may_take(&self, task: &Task, now: Millis) -> Result<(), Refusal> {
        if let Some(known) = self.entries.get(&task.commit) {
            let is_same = Task { created: known.task.created, ..task.clone() } == known.task;
            return if is_same { Ok(()) } else { Err(OTHER_TASK) };
        }
        if task.name.is_empty() || task.name.len() > NAME_BYTES_MAX {
            return Err(NAME);
        }
        if now > self.given_up_at(task) {
            return Err(TOO_LATE);
        }
        if self.entries.len() >= self.config.tasks_max { Err(FULL) } else { Ok(()) }
    }

    fn given_up_at(&self, task: &Task) -> Millis {
        task.created.plus(self.config.commit_life_ms).plus(MARGIN_MS)
    }

    fn anchored(
        &mut self,
        time: Millis,
        facts: Vec<(Hash, Option<CommitFacts>)>,
        effects: &mut Vec<Effect>,
    ) {
        for (commit, facts) in facts {
            let Some(entry) = self.entries.get_mut(&commit) else { continue };
            let was_there = entry.commit.is_some();
            entry.commit = facts;
            if was_there && facts.is_none() {
                self.entries.remove(&commit);
                effects.push(Effect::DropTask(commit, Ended::Gone));
            }
        }
        // By the network's time, not this node's: a network that stood still, or a node that
        // is catching up, must not lose a commit that is still to come. And while the commit
        // is there, the ledger itself will end it.
        let is_over =
            |entry: &&Entry| entry.commit.is_none() && time > self.given_up_at(&entry.task);
        let over: Vec<Hash> =
            self.entries.values().filter(is_over).map(|entry| entry.task.commit).collect();
        for commit in over {
            self.entries.remove(&commit);
            effects.push(Effect::DropTask(commit, Ended::NeverSeen));
        }
    }

    fn submitted(
        &mut self,
        commit: Hash,
        result: Result<(), Refusal>,
        now: Millis,
        effects: &mut Vec<Effect>,
    ) {
        let Some(entry) = self.entries.get_mut(&commit) else { return };
        let Err(refusal) = result else {
            entry.refused = 0;
            return;
        };
        entry.refused = entry.refused.saturating_add(1);
        entry.attempt = Attempt::Due(now.plus(backoff(entry.attempts)));
        if entry.refused == ALARM_ATTEMPTS {
            let words = format!("the reveal of commit {commit} was refused again: {refusal}");
            effects.push(Effect::Alarm(words));
        }
    }

    fn submit_due(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        let Some(anchor) = self.anchor else { return };
        let is_ready = |entry: &&Entry| entry.is_ready(&self.config, &anchor, now);
        let due = |entry: &Entry| Some((entry.due_at(now)?, entry.task.commit));
        let mut ready: Vec<(Millis, Hash)> =
            self.entries.values().filter(is_ready).filter_map(due).collect();
        ready.sort_unstable();
        let in_flight = self.entries.values().filter(|entry| entry.is_in_flight(now)).count();
        for (_, commit) in ready.into_iter().take(IN_FLIGHT_MAX.saturating_sub(in_flight)) {
            let Some(entry) = self.entries.get_mut(&commit) else { continue };
            entry.attempts = entry.attempts.saturating_add(1);
            let wait = SETTLE_MS.max(backoff(entry.attempts));
            entry.attempt = Attempt::InFlight(now.plus(wait));
            effects.push(Effect::Submit { task: entry.task.clone() });
        }
    }
}

/// How long to wait after this many attempts.
fn backoff(attempts: u32) -> Millis {
    let doublings = attempts.saturating_sub(1).min(16);
    Millis(RETRY_MS.0.saturating_mul(1_u64.checked_shl(doublings).unwrap_or(u64::MAX)))
        .min(RETRY_MS_MAX)
}

/// Whether the time has come, also if this node's clock was put back meanwhile.
fn has_come(at: Millis, now: Millis) -> bool {
    at <= now || at.since(now) > RETRY_MS_MAX
}

impl Entry {
    pub(super) fn new(task: Task) -> Entry {
        Entry { task, commit: None, attempts: 0, refused: 0, attempt: Attempt::Due(Millis(0)) }
    }

    fn due_at(&self, now: Millis) -> Option<Millis> {
        let (Attempt::Due(at) | Attempt::InFlight(at)) = self.attempt;
        has_come(at, now).then_some(at)
    }

    fn is_in_flight(&self, now: Millis) -> bool {
        matches!(self.attempt, Attempt::InFlight(at) if !has_come(at, now))
    }

    /// Whether the ledger would reveal the commit in the anchor after `anchor`.
    fn is_ready(&self, config: &RevealConfig, anchor: &Anchor, now: Millis) -> bool {
        let Some(commit) = &self.commit else { return false };
        let step = now.since(anchor.time).min(config.clock_step_ms_max);
        let clock = anchor.clock.plus(step);
        let old_enough = commit.clock.plus(config.commit_age_ms);
        // What an anchor's clock says is certain; what this node's clock adds is a guess.
        let is_old = anchor.clock >= old_enough || clock >= old_enough.plus(SKEW_MS);
        // It would be executed in the next anchor at the earliest.
        let next = anchor.height.saturating_add(1);
        let is_deep = next >= commit.height.saturating_add(config.commit_age_anchors);
        is_old && is_deep && clock < commit.expires
    }
}
