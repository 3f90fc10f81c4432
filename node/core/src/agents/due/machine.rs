//! How the agent of what is due steps.

use ddt_ledger::{Domain, Millis, Refusal};

use super::{
    ALARM_ATTEMPTS, DUE_MAX, Due, DueAgent, DueConfig, Effect, IN_FLIGHT_MAX, Input, RETRY_MS,
    RETRY_MS_MAX, SETTLE_MS, SKEW_MS,
};

const TURN: Domain = Domain("ddt v1 renewal turn");

#[derive(Clone, Copy, Debug)]
enum Attempt {
    /// Due from this time.
    Due(Millis),
    /// Submitted; due again from this time.
    InFlight(Millis),
}

#[derive(Debug)]
pub(super) struct Entry {
    due: Millis,
    /// How often it was taken and is due all the same.
    taken: u32,
    refused: u32,
    attempt: Attempt,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Anchor {
    time: Millis,
    clock: Millis,
}

impl DueAgent {
    /// Takes an input at the time `now` and says what to do.
    pub fn step(&mut self, now: Millis, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::Anchor { time, clock, due } => {
                self.anchor = Some(Anchor { time, clock });
                self.look(due);
            }
            Input::Submitted { name, result } => self.submitted(&name, result, now, &mut effects),
            Input::Tick => {}
        }
        self.submit_due(now, &mut effects);
        effects
    }

    /// Takes the state's word for what there is: what is gone was done, stopped or lost.
    fn look(&mut self, due: Vec<Due>) {
        let mut known = std::mem::take(&mut self.entries);
        for next in due.into_iter().take(DUE_MAX) {
            // What is due anew is another task than before.
            let same = known.remove(&next.name).filter(|entry| entry.due == next.due);
            let entry = same.unwrap_or_else(|| Entry::new(next.due));
            self.entries.insert(next.name, entry);
        }
    }

    fn submitted(
        &mut self,
        name: &str,
        result: Result<(), Refusal>,
        now: Millis,
        effects: &mut Vec<Effect>,
    ) {
        let Some(entry) = self.entries.get_mut(name) else { return };
        let Err(refusal) = result else {
            entry.refused = 0;
            entry.taken = entry.taken.saturating_add(1);
            return;
        };
        entry.refused = entry.refused.saturating_add(1);
        entry.attempt = Attempt::Due(now.plus(backoff(entry.refused)));
        if entry.refused == ALARM_ATTEMPTS {
            let words = format!("{} of {name} was refused again: {refusal}", self.config.what);
            effects.push(Effect::Alarm(words));
        }
    }

    fn submit_due(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        let Some(anchor) = self.anchor else { return };
        let in_flight = self.entries.values().filter(|entry| entry.is_in_flight(now)).count();
        let room = IN_FLIGHT_MAX.saturating_sub(in_flight);
        let config = self.config;
        let is_ready = |(name, entry): &(&String, &mut Entry)| {
            entry.may_go(now) && anchor.has_reached(turn(&config, name, entry.due), &config, now)
        };
        let ready = self.entries.iter_mut().filter(is_ready);
        // The oldest attempt first, so that those which are refused again and again do not
        // keep the others from their turn.
        let mut ready: Vec<(Millis, &String, &mut Entry)> =
            ready.map(|(name, entry)| (entry.at(), name, entry)).collect();
        ready.sort_unstable_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
        for (_, name, entry) in ready.into_iter().take(room) {
            // Longer each time: while anchors stall, what was taken is on its way.
            let wait = SETTLE_MS.max(backoff(entry.taken.saturating_add(5)));
            entry.attempt = Attempt::InFlight(now.plus(wait));
            effects.push(Effect::Submit(name.clone()));
        }
    }
}

/// When it is this node's turn, on the epoch clock: the same after a restart, and another one
/// for every other node and every other name.
fn turn(config: &DueConfig, name: &str, due: Millis) -> Millis {
    let [a, b, c, d, e, f, g, h, ..] = TURN.hash(&[&config.node.0, name.as_bytes()]).0;
    let chance = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
    due.plus(Millis(chance.checked_rem(config.spread_ms.0).unwrap_or_default()))
}

/// How long to wait after this many refusals in a row.
fn backoff(refused: u32) -> Millis {
    let doublings = refused.saturating_sub(1).min(16);
    Millis(RETRY_MS.0.saturating_mul(1_u64.checked_shl(doublings).unwrap_or(u64::MAX)))
        .min(RETRY_MS_MAX)
}

/// Whether the time has come, also if this node's clock was put back meanwhile.
fn has_come(at: Millis, now: Millis) -> bool {
    at <= now || at.since(now) > RETRY_MS_MAX
}

impl Anchor {
    /// Whether the next anchor's epoch clock will have reached `at`. What an anchor's clock
    /// says is certain; what this node's clock adds is a guess.
    fn has_reached(&self, at: Millis, config: &DueConfig, now: Millis) -> bool {
        let step = now.since(self.time).min(config.clock_step_ms_max);
        self.clock >= at || self.clock.plus(step) >= at.plus(SKEW_MS)
    }
}

impl Entry {
    fn new(due: Millis) -> Entry {
        Entry { due, taken: 0, refused: 0, attempt: Attempt::Due(Millis(0)) }
    }

    fn at(&self) -> Millis {
        let (Attempt::Due(at) | Attempt::InFlight(at)) = self.attempt;
        at
    }

    fn may_go(&self, now: Millis) -> bool {
        has_come(self.at(), now)
    }

    fn is_in_flight(&self, now: Millis) -> bool {
        matches!(self.attempt, Attempt::InFlight(at) if !has_come(at, now))
    }
}
