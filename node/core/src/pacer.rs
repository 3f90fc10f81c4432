//! The pacer: decides when the proposer should make the next anchor.
//!
//! At once while tips wait, while the last anchor's receipts are not certified by another
//! one, or when a deadline is due; otherwise only so often that an idle network stays alive.

use ddt_ledger::Millis;
use ddt_ledger::execute::wants_anchor;
use ddt_ledger::params::Params;
use ddt_ledger::system::Head;

/// Anchors made only for a deadline are at least this far apart: this node's clock may run
/// ahead of the network's, and until the latter reaches the deadline they would do nothing.
pub const DEADLINE_GAP_MS: Millis = Millis(250);

/// Why an anchor should be made now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Lane blocks wait.
    TipWaits,
    /// The last anchor's receipts are certified by the next one only.
    Uncertified,
    /// A deadline is due on the epoch clock.
    Deadline,
    /// Nothing happened for long.
    Idle,
}

/// The machine that paces anchors.
#[derive(Clone, Debug)]
pub struct Pacer {
    head: Head,
    deadline: Option<Millis>,
    idle_ms: Millis,
    clock_step_ms_max: Millis,
    /// This node's time when it saw the head.
    seen: Millis,
    is_tip_waiting: bool,
}

impl Pacer {
    /// A pacer at the state with this head, its earliest deadline and its parameters.
    pub fn new(head: Head, deadline: Option<Millis>, params: &Params, now: Millis) -> Pacer {
        Pacer {
            head,
            deadline,
            idle_ms: params.anchor_idle_ms,
            clock_step_ms_max: params.clock_step_ms_max,
            seen: now,
            is_tip_waiting: false,
        }
    }

    /// Whether blocks of any lane wait to be anchored. Say so again after each anchor.
    pub fn set_tip_waiting(&mut self, is_waiting: bool) {
        self.is_tip_waiting = is_waiting;
    }

    /// An anchor was executed. What the state says now; whether tips wait is open again.
    pub fn anchored(&mut self, head: Head, deadline: Option<Millis>, params: &Params, now: Millis) {
        *self = Pacer::new(head, deadline, params, now);
    }

    /// Why an anchor should be made at `now`, if it should.
    pub fn reason(&self, now: Millis) -> Option<Reason> {
        let wants = |deadline| wants_anchor(&self.head, deadline, self.clock_step_ms_max, now);
        if self.is_tip_waiting {
            return Some(Reason::TipWaits);
        }
        if wants(None) {
            return Some(Reason::Uncertified);
        }
        if now >= self.seen.plus(DEADLINE_GAP_MS) && wants(self.deadline) {
            return Some(Reason::Deadline);
        }
        self.idle_at().filter(|at| *at <= now).map(|_| Reason::Idle)
    }

    /// Whether an anchor should be made at `now`.
    pub fn should_propose(&self, now: Millis) -> bool {
        self.reason(now).is_some()
    }

    /// When to ask again, if nothing else happens: `now` itself if an anchor should be made.
    /// `None` if only a new block can make one necessary.
    pub fn next_wake(&self, now: Millis) -> Option<Millis> {
        if self.should_propose(now) {
            return Some(now);
        }
        let deadline_at = self.deadline_at().filter(|at| *at > now);
        [self.idle_at(), deadline_at].into_iter().flatten().min()
    }

    /// `None` if the idle interval never ends.
    fn idle_at(&self) -> Option<Millis> {
        self.seen.0.checked_add(self.idle_ms.0).map(Millis)
    }

    /// When the deadline is due, if the epoch clock reaches it before the next anchor.
    fn deadline_at(&self) -> Option<Millis> {
        let wait = self.deadline?.since(self.head.clock);
        let at = self.head.time.plus(wait).max(self.seen.plus(DEADLINE_GAP_MS));
        (wait <= self.clock_step_ms_max).then_some(at)
    }
}
