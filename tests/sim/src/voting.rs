//! What consensus asks of a router: the questions of `ddt_consensus::Application`, answered
//! by the real ledger and stores. The engine behind them is a [stand-in](crate::engine).

use ddt_contracts::REGISTRY;
use ddt_core::availability::Input;
use ddt_core::sequencer::reach;
use ddt_ledger::anchor::{ANCHOR_VERSION, AnchorBody, TIPS_MAX, TimeStatement, Tip, check_anchor};
use ddt_ledger::certificate::{CertificateSignature, ValidatorAddress, VoteKind, vote_digest};
use ddt_ledger::codec::{decode, encode};
use ddt_ledger::fault::StoreFault;
use ddt_ledger::schema::List;
use ddt_ledger::store::Snapshot;
use ddt_ledger::system::{Lane, Validators, params};
use ddt_ledger::{Hash, Millis, Zone};

use crate::engine::{self, StoredProposal};
use crate::facts::{Fact, Out};
use crate::message::{Endpoint, Message};
use crate::router::Router;

/// Bodies that wait for blocks or for the anchor before them.
pub const BODIES_MAX: usize = 8;
const PROPOSAL_BYTES_MAX: usize = 2 * 1024 * 1024;

/// What a router thinks of a body.
enum Verdict {
    Valid,
    Invalid(String),
    Missing,
}

impl Router {
    /// Whether it would make an anchor now.
    pub fn wants_anchor(&mut self, now: Millis) -> bool {
        let zones = self.town.keys.len() as u32;
        let is_waiting = (1..=zones).any(|zone| self.availability.available(Zone(zone)).is_some());
        self.pacer.set_tip_waiting(is_waiting);
        self.pacer.should_propose(now)
    }

    /// The last committed height.
    pub fn height(&self) -> u64 {
        self.book.head().0.height
    }

    pub(crate) fn consensus(
        &mut self,
        now: Millis,
        from: Endpoint,
        message: Message,
        out: &mut Vec<Out>,
    ) -> Result<(), StoreFault> {
        match message {
            Message::AskTime { height, previous } => {
                let head = self.book.head().0;
                if self.is_member && head.height + 1 == height && head.anchor == previous {
                    let statement = self.statement(height, &previous, now);
                    out.push(Out::Send(from, Message::Time { height, statement }));
                }
                Ok(())
            }
            Message::Time { height, statement } => {
                out.push(Out::Engine(engine::Input::Time {
                    leader: self.number,
                    height,
                    statement,
                }));
                Ok(())
            }
            Message::Proposal(proposal) => self.proposed(now, *proposal, out),
            Message::Precommit { height, round, anchor, vote } => {
                let leader = self.number;
                let input = engine::Input::Vote { leader, height, round, anchor, vote };
                out.push(Out::Engine(input));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// This router's word on what time it is.
    pub fn statement(&self, height: u64, previous: &Hash, time: Millis) -> TimeStatement {
        let person = &self.town.keys[self.number].person;
        let digest = TimeStatement::digest(self.town.chain, height, previous, time);
        TimeStatement { key: person.key(), time, signature: person.sign(&digest) }
    }

    /// Builds a body, or answers the one that it made before in this height and round: one for
    /// ever, durable before anybody sees it.
    pub fn propose(
        &mut self,
        height: u64,
        round: u32,
        statements: Vec<TimeStatement>,
        out: &mut Vec<Out>,
    ) -> Result<Option<StoredProposal>, StoreFault> {
        let own = |kept: &StoredProposal| kept.round == round && kept.maker == self.number;
        if let Some(kept) = self.proposals(height)?.into_iter().find(own) {
            return Ok(Some(kept));
        }
        let (head, roots) = self.book.head();
        let snapshot = self.book.snapshot()?;
        let validators = Validators::read(&snapshot);
        let Some(validators) = validators.filter(|_| head.height + 1 == height) else {
            return Ok(None);
        };
        let body = encode(&AnchorBody {
            version: ANCHOR_VERSION,
            chain: self.town.chain,
            height,
            previous: head.anchor,
            statements: List::new(statements).unwrap_or_default(),
            tips: List::new(self.tips(&snapshot, height)).unwrap_or_default(),
            state_root: roots.state,
            receipts_root: roots.receipts,
            next_validators: validators.after_next.hash(),
            maker: ValidatorAddress::of(&self.town.keys[self.number].person.key()),
            vrf: self.vrf.prove(&head.anchor, height),
        });
        let proposal = StoredProposal { height, round, maker: self.number, body };
        self.save_proposal(&proposal)?;
        out.push(Out::Fact(Fact::Body { height, round, anchor: proposal.anchor() }));
        Ok(Some(proposal))
    }

    fn save_proposal(&self, proposal: &StoredProposal) -> Result<(), StoreFault> {
        let (id, bytes) = (proposal.anchor(), encode(proposal));
        self.lanes.put_proposal(proposal.height, proposal.round, &id.0, &bytes)
    }

    fn proposals(&self, height: u64) -> Result<Vec<StoredProposal>, StoreFault> {
        let stored = self.lanes.proposals(height)?;
        let read = |bytes: &Vec<u8>| decode(bytes, PROPOSAL_BYTES_MAX).map_err(StoreFault::damaged);
        stored.iter().map(read).collect()
    }

    /// Every lane as far as a quorum has it, sharing the anchor's limits fairly.
    fn tips(&self, snapshot: &Snapshot, height: u64) -> Vec<Tip> {
        let mut lanes = Lane::scan(snapshot, None, TIPS_MAX);
        let params = params(snapshot);
        let sharers = lanes.len() as u64;
        let share = (params.anchor_bytes_max / sharers, params.anchor_work_max / sharers);
        lanes.rotate_left((height % sharers) as usize);
        let (mut bytes, mut work, mut tips) = (0, 0, Vec::new());
        for (zone, lane) in lanes {
            let term = lane.term;
            if let Some(tip) = self.tempting(zone, &lane) {
                tips.push(tip);
                continue;
            }
            let blocks = self.availability.available_blocks(zone).into_iter();
            let blocks = blocks.filter_map(|(at, id)| self.checked.get(&(zone, at, id)));
            let Some(reach) = reach(blocks, share.0, share.1, &REGISTRY) else { continue };
            let sum = (bytes + reach.bytes, work + reach.work);
            let fits = sum.0 <= params.anchor_bytes_max && sum.1 <= params.anchor_work_max;
            if fits || tips.is_empty() {
                (bytes, work) = sum;
                tips.push(Tip { zone, term, height: reach.height, block: reach.block });
            }
        }
        tips.sort_unstable_by_key(|tip| tip.zone);
        tips
    }

    /// What a traitor would have everybody anchor of its own lane, whoever has it.
    fn tempting(&self, zone: Zone, lane: &Lane) -> Option<Tip> {
        let is_open = |tip: &Tip| tip.zone == zone && tip.height > lane.height;
        self.tempting.filter(is_open)
    }

    /// A body came from its leader: judge it, keep it durably, and vote.
    pub fn proposed(
        &mut self,
        now: Millis,
        proposal: StoredProposal,
        out: &mut Vec<Out>,
    ) -> Result<(), StoreFault> {
        let next = self.height() + 1;
        if !self.is_member || proposal.height < next {
            return Ok(());
        }
        let verdict = match proposal.height == next {
            true => self.check(now, &proposal, out)?,
            false => Verdict::Missing,
        };
        match verdict {
            Verdict::Valid => {
                self.save_proposal(&proposal)?;
                let vote = self.precommit(&proposal);
                let (height, round, anchor) = (proposal.height, proposal.round, proposal.anchor());
                let message = Message::Precommit { height, round, anchor, vote };
                out.push(Out::Send(proposal.maker, message));
            }
            Verdict::Invalid(words) => {
                out.push(Out::Fact(Fact::Invalid { maker: proposal.maker, words }));
            }
            Verdict::Missing => {
                if self.bodies.len() >= BODIES_MAX {
                    self.bodies.remove(0);
                }
                self.bodies.push(proposal);
            }
        }
        Ok(())
    }

    fn check(
        &mut self,
        now: Millis,
        proposal: &StoredProposal,
        out: &mut Vec<Out>,
    ) -> Result<Verdict, StoreFault> {
        let body = match AnchorBody::decode(&proposal.body) {
            Ok(body) => body,
            Err(error) => return Ok(Verdict::Invalid(error.to_string())),
        };
        let Some(spans) = self.spans(body.tips.items())? else {
            let need = Input::Need(body.tips.items().to_vec());
            self.blocks(now, need, out)?;
            return Ok(Verdict::Missing);
        };
        let snapshot = self.book.snapshot()?;
        let roots = self.book.head().1;
        let checked = check_anchor(&snapshot, self.town.chain, &roots, &body, &spans, &REGISTRY);
        Ok(checked.map_or_else(|error| Verdict::Invalid(error.to_string()), |()| Verdict::Valid))
    }

    fn precommit(&self, proposal: &StoredProposal) -> CertificateSignature {
        let person = &self.town.keys[self.number].person;
        let (key, kind) = (person.key(), VoteKind::Precommit);
        let voter = ValidatorAddress::of(&key);
        let (height, round) = (proposal.height, proposal.round);
        let anchor = Some(proposal.anchor());
        let digest = vote_digest(self.town.chain, kind, height, round, anchor, voter);
        CertificateSignature { key, signature: person.sign(&digest) }
    }

    /// Judges the bodies that had to wait.
    pub(crate) fn judge_again(
        &mut self,
        now: Millis,
        out: &mut Vec<Out>,
    ) -> Result<(), StoreFault> {
        for proposal in std::mem::take(&mut self.bodies) {
            self.proposed(now, proposal, out)?;
        }
        Ok(())
    }
}
