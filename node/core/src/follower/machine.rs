//! How the follower steps.

use ddt_ledger::anchor::AnchorBody;
use ddt_ledger::{Millis, PublicKey};

use super::{
    Decided, Effect, FETCH_MAX, FETCH_MS, FETCH_MS_MAX, Follower, Input, Position, Stage, TELL_MS,
    WINDOW, Waiting, verify,
};

impl Follower {
    /// Takes an input at the time `now` and says what to do.
    pub fn step(&mut self, now: Millis, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::Decided { from, decided } => self.decided(from, decided),
            Input::Met { peer, height, lowest } => self.peers.met(now, peer, (height, lowest)),
            Input::Lost(peer) => self.peers.lost(&peer),
            Input::Height { from, height, is_router } => self.heard(now, from, height, is_router),
            Input::Unanswered { from, first } => self.unanswered(&from, first),
            Input::Asked { from, first } => self.asked(from, first, &mut effects),
            Input::Here { height } => self.here(height, &mut effects),
            Input::Committed(position) => self.committed(position),
            Input::Tick => {}
        }
        self.tell(now, &mut effects);
        self.verify_next(&mut effects);
        self.fetch(now, &mut effects);
        effects
    }

    /// The height of the next anchor.
    fn next(&self) -> u64 {
        self.position.height.saturating_add(1)
    }

    fn decided(&mut self, from: PublicKey, decided: Box<Decided>) {
        let height = decided.certificate.height;
        let last = self.position.height.saturating_add(WINDOW);
        if height < self.next()
            || height > last
            || (from != self.me && self.waiting.contains_key(&height))
        {
            return;
        }
        self.waiting.insert(height, Waiting { from, decided });
    }

    fn heard(&mut self, now: Millis, from: PublicKey, height: u64, is_router: bool) {
        if !self.peers.heard(now, from, (height, self.next()), is_router) {
            return;
        }
        // News, at most once a peer and height: worth asking at once, unless somebody is asked
        // already who may answer.
        let asked = self.asked_at.map(|at| at.min(now).plus(FETCH_MS));
        if self.peers.is_good(&from) || asked.is_none_or(|until| until <= now) {
            self.peers.prefer(from);
            self.asked_at = None;
        }
    }

    /// Somebody else is asked at once, until all were asked once.
    fn unanswered(&mut self, from: &PublicKey, first: u64) {
        self.peers.failed(from);
        if first == self.next() && self.attempts < self.peers.count(first).1 {
            self.asked_at = None;
        }
    }

    fn asked(&mut self, to: PublicKey, first: u64, effects: &mut Vec<Effect>) {
        let last = first.saturating_add(FETCH_MAX.saturating_sub(1)).min(self.position.height);
        if first > 0 && first <= last {
            effects.push(Effect::Serve { to, first, last });
        }
    }

    /// Verifies the next anchor, if it is here. A bad one is forgotten: another may come.
    fn verify_next(&mut self, effects: &mut Vec<Effect>) {
        if !matches!(self.stage, Stage::Open) {
            return;
        }
        let height = self.next();
        let Some(Waiting { from, decided }) = self.waiting.remove(&height) else { return };
        match verify(self.chain, &self.position, &decided) {
            Ok(body) => {
                self.stage = Stage::Verified(decided);
                effects.push(Effect::Need { height, tips: body.tips.items().to_vec() });
                self.peers.delivered(from);
            }
            Err(why) => {
                // Nothing else that it sent is worth a look.
                self.waiting.retain(|_, waiting| waiting.from != from);
                self.unanswered(&from, height);
                effects.push(Effect::Refused { from, why });
            }
        }
    }

    fn here(&mut self, height: u64, effects: &mut Vec<Effect>) {
        if height != self.next() {
            return;
        }
        match std::mem::replace(&mut self.stage, Stage::Executing) {
            Stage::Verified(decided) => effects.push(Effect::Execute(decided)),
            other => self.stage = other,
        }
    }

    fn committed(&mut self, position: Position) {
        if position.height <= self.position.height {
            return;
        }
        self.position = position;
        self.stage = Stage::Open;
        // What is told at once spares the others their asking.
        (self.attempts, self.asked_at, self.told_at) = (0, None, None);
        self.waiting = self.waiting.split_off(&self.next());
    }

    /// Asks for what is missing below what others have.
    fn fetch(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        self.peers.forget_the_silent(now);
        let first = self.next();
        let is_here = self.waiting.contains_key(&first) || !matches!(self.stage, Stage::Open);
        let (ahead, possible) = self.peers.count(first);
        if is_here || ahead == 0 {
            return;
        }
        let rounds = |attempts: usize| attempts.checked_div(possible).unwrap_or_default();
        let wait = backoff(rounds(self.attempts.saturating_sub(1)));
        if let Some(due) = self.asked_at.map(|at| at.min(now).plus(wait)).filter(|due| *due > now) {
            effects.push(Effect::WakeAt(due));
            return;
        }
        let to = self.peers.choose(first, self.attempts);
        effects.extend(to.map(|to| Effect::Ask { to, first }));
        effects.push(Effect::WakeAt(now.plus(backoff(rounds(self.attempts)))));
        self.attempts = self.attempts.saturating_add(1);
        self.asked_at = Some(now);
    }

    /// Tells again how far this node is: messages get lost.
    fn tell(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        let next = self.told_at.map(|at| at.min(now).plus(TELL_MS));
        if next.is_none_or(|next| next <= now) {
            effects.push(Effect::Tell(self.position.height));
            self.told_at = Some(now);
            if let Stage::Verified(decided) = &self.stage
                && let Ok(body) = AnchorBody::decode(&decided.body)
            {
                // Whoever fetches the blocks may have had to forget some.
                let (height, tips) = (body.height, body.tips.items().to_vec());
                effects.push(Effect::Need { height, tips });
            }
        }
        effects.push(Effect::WakeAt(self.told_at.unwrap_or(now).plus(TELL_MS)));
    }
}

/// How long an answer is waited for once so many rounds of asking everybody were in vain.
fn backoff(rounds: usize) -> Millis {
    let rounds = u32::try_from(rounds).unwrap_or(u32::MAX);
    let factor = 1_u64.checked_shl(rounds.min(16)).unwrap_or(u64::MAX);
    Millis(FETCH_MS.0.saturating_mul(factor)).min(FETCH_MS_MAX)
}
