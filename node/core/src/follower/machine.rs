//! How the follower steps.

use ddt_ledger::anchor::AnchorBody;
use ddt_ledger::{Millis, PublicKey};

use super::{
    Decided, Effect, FETCH_MAX, FETCH_MS, FETCH_MS_MAX, Follower, Input, PEERS_MAX, Position,
    Stage, TELL_MS, WINDOW, Waiting, verify,
};

impl Follower {
    /// Takes an input at the time `now` and says what to do.
    pub fn step(&mut self, now: Millis, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::Decided { from, decided } => self.decided(from, decided),
            Input::Height { from, height } => self.heard(from, height),
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
        if from != self.me {
            self.heard(from, height);
        }
        self.waiting.insert(height, Waiting { from, decided });
    }

    fn heard(&mut self, from: PublicKey, height: u64) {
        if self.peers.len() < PEERS_MAX || self.peers.contains_key(&from) {
            let next = self.next();
            let heard = self.peers.entry(from).or_default();
            if *heard < next && next <= height {
                // News, at most once a peer and height: worth asking at once.
                (self.attempts, self.asked_at) = (0, None);
            }
            *heard = height.max(*heard);
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
            }
            Err(why) => effects.push(Effect::Refused { from, why }),
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
        let first = self.next();
        let is_here = self.waiting.contains_key(&first) || !matches!(self.stage, Stage::Open);
        let ahead = self.peers.iter().filter(|(_, height)| **height >= first);
        let ahead: Vec<PublicKey> = ahead.map(|(peer, _)| *peer).collect();
        if is_here || ahead.is_empty() {
            return;
        }
        let wait = backoff(self.attempts);
        if let Some(due) = self.asked_at.map(|at| at.min(now).plus(wait)).filter(|due| *due > now) {
            effects.push(Effect::WakeAt(due));
            return;
        }
        let turn = usize::try_from(self.attempts).unwrap_or_default();
        let to = turn.checked_rem(ahead.len()).and_then(|turn| ahead.get(turn)).copied();
        effects.extend(to.map(|to| Effect::Ask { to, first }));
        self.attempts = self.attempts.saturating_add(1);
        self.asked_at = Some(now);
        effects.push(Effect::WakeAt(now.plus(backoff(self.attempts))));
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

fn backoff(attempts: u32) -> Millis {
    let factor = 1_u64.checked_shl(attempts.min(16)).unwrap_or(u64::MAX);
    Millis(FETCH_MS.0.saturating_mul(factor)).min(FETCH_MS_MAX)
}
