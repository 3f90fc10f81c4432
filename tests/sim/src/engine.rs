//! A stand-in for the consensus engine: a leader for each round, honest, slow or silent, asks
//! for the time, sends a body, gathers votes, and tells what was decided, to some late.
//!
//! That only one body is decided at a height is assumed here, not shown: it is what the real
//! engine is for. Everything it asks of a router is what the real one asks.

use std::collections::BTreeMap;

use ddt_core::follower::Decided;
use ddt_ledger::anchor::{AnchorBody, TimeStatement};
use ddt_ledger::certificate::{Certificate, CertificateSignature};
use ddt_ledger::{Hash, Millis, PublicKey};

use crate::message::Endpoint;
use crate::random::Random;

/// A round in which nothing was decided ends after this long.
const ROUND_MS: Millis = Millis(2_500);
/// A leader that cannot lead although others want an anchor loses its turn after this long.
const TURN_MS: Millis = Millis(1_000);

/// A body as it was proposed.
#[derive(Clone, Debug, PartialEq, Eq, borsh::BorshSerialize, borsh::BorshDeserialize)]
pub struct StoredProposal {
    /// For this height.
    pub height: u64,
    /// In this round.
    pub round: u32,
    /// By this router.
    pub maker: Endpoint,
    /// The canonical bytes.
    pub body: Vec<u8>,
}

impl StoredProposal {
    /// The value voted on.
    pub fn anchor(&self) -> Hash {
        AnchorBody::id_of(&self.body)
    }
}

/// What the engine hears from routers.
#[derive(Debug)]
pub enum Input {
    /// The leader got a time statement.
    Time {
        /// Who got it.
        leader: Endpoint,
        /// For the anchor of this height.
        height: u64,
        /// The statement.
        statement: TimeStatement,
    },
    /// The leader got a vote.
    Vote {
        /// Who got it.
        leader: Endpoint,
        /// The height.
        height: u64,
        /// The round.
        round: u32,
        /// For what.
        anchor: Hash,
        /// The vote.
        vote: CertificateSignature,
    },
}

/// What the engine wants done.
#[derive(Debug)]
pub enum Command {
    /// The leader asks everybody for the time.
    AskTime(Endpoint),
    /// The leader makes a body of these statements and sends it out.
    Propose(Endpoint, Vec<TimeStatement>),
    /// Everybody is told what was decided.
    Tell(Endpoint, Box<Decided>),
}

/// How far a round has come.
enum Phase {
    /// The leader has no reason yet, or waits.
    Idle(Option<Millis>),
    /// The leader gathers statements.
    Times(BTreeMap<PublicKey, TimeStatement>),
    /// The leader gathers votes.
    Votes(BTreeMap<Hash, BTreeMap<PublicKey, CertificateSignature>>),
}

/// What is known of the routers when the engine looks.
pub struct View {
    /// Whether the leader is there, at the height before, and wants an anchor.
    pub is_leader_ready: bool,
    /// Whether anybody wants an anchor.
    pub is_wanted: bool,
}

/// The stand-in.
pub struct Engine {
    /// The height to decide.
    pub height: u64,
    /// The round.
    pub round: u32,
    routers: usize,
    phase: Phase,
    since: Millis,
    /// What was decided, by height.
    pub decided: BTreeMap<u64, Decided>,
    /// What was proposed of late.
    pub bodies: BTreeMap<(u64, Hash), Vec<u8>>,
}

impl Engine {
    /// Nothing is decided yet.
    pub fn new(routers: usize) -> Engine {
        Engine {
            height: 1,
            round: 0,
            routers,
            phase: Phase::Idle(None),
            since: Millis(0),
            decided: BTreeMap::new(),
            bodies: BTreeMap::new(),
        }
    }

    /// Votes needed.
    pub fn quorum(&self) -> usize {
        self.routers * 2 / 3 + 1
    }

    /// Whose turn it is.
    pub fn leader(&self) -> Endpoint {
        (self.height as usize + self.round as usize) % self.routers
    }

    /// Time has passed.
    pub fn poll(&mut self, now: Millis, view: &View, random: &mut Random) -> Option<Command> {
        match &self.phase {
            Phase::Idle(Some(start)) if *start <= now => {
                self.phase = Phase::Times(BTreeMap::new());
                self.since = now;
                return Some(Command::AskTime(self.leader()));
            }
            Phase::Idle(None) if view.is_leader_ready => {
                // Most are quick, some slow, some never begin.
                let delay = match random.below(20) {
                    0 => 60_000,
                    1 | 2 => random.between(500, 3_000),
                    _ => random.below(20),
                };
                self.phase = Phase::Idle(Some(now.plus(Millis(delay))));
                self.since = now;
            }
            Phase::Idle(None) if !view.is_wanted => self.since = now,
            Phase::Idle(None) if now > self.since.plus(TURN_MS) => self.next_round(now),
            _ if now > self.since.plus(ROUND_MS) => self.next_round(now),
            _ => {}
        }
        None
    }

    fn next_round(&mut self, now: Millis) {
        self.round += 1;
        self.phase = Phase::Idle(None);
        self.since = now;
    }

    /// A router heard something as leader.
    pub fn hear(&mut self, now: Millis, input: Input) -> Option<Command> {
        let (of, quorum, turn) = (self.height, self.quorum(), self.leader());
        match (input, &mut self.phase) {
            (Input::Time { leader, height, statement }, Phase::Times(times)) => {
                if leader != turn || height != of {
                    return None;
                }
                times.insert(statement.key, statement);
                if times.len() < quorum {
                    return None;
                }
                let statements = times.values().copied().collect();
                self.phase = Phase::Votes(BTreeMap::new());
                Some(Command::Propose(leader, statements))
            }
            (Input::Vote { leader, height, round, anchor, vote }, Phase::Votes(votes)) => {
                if leader != turn || (height, round) != (of, self.round) {
                    return None;
                }
                let votes = votes.entry(anchor).or_default();
                votes.insert(vote.key, vote);
                if votes.len() < quorum {
                    return None;
                }
                let signatures = votes.values().copied().collect();
                let certificate = Certificate { height, round, anchor, signatures };
                let body = self.bodies.get(&(height, anchor))?.clone();
                let decided = Decided { body, certificate };
                self.decided.insert(height, decided.clone());
                self.height += 1;
                self.round = 0;
                self.phase = Phase::Idle(None);
                self.since = now;
                Some(Command::Tell(leader, Box::new(decided)))
            }
            _ => None,
        }
    }

    /// A leader's body is out.
    pub fn sent(&mut self, proposal: &StoredProposal) {
        self.bodies.insert((proposal.height, proposal.anchor()), proposal.body.clone());
        while self.bodies.len() > 64 {
            self.bodies.pop_first();
        }
    }
}
