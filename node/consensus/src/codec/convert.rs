//! What each message of the engine is on the wire.

use std::sync::Arc;

use arc_malachitebft_core_consensus::{LivenessMsg, PeerId, ProposedValue, SignedConsensusMsg};
use arc_malachitebft_core_types as engine;
use arc_malachitebft_engine::util::streaming::{StreamContent, StreamId, StreamMessage};
use arc_malachitebft_sync as sync;
use ddt_ledger::{Hash, Signature};
use engine::{NilOrVal, Round, SignedMessage, Validity, VoteType};

use super::{BODY_MESSAGE_BYTES_MAX, Framed, SMALL_BYTES_MAX, SYNC_BYTES_MAX, WireError};
use crate::context::{Address, Anchor, Ddt, Height, Part, Proposal, Vote};
use crate::wire::{self, At, Turn};

fn turn(round: Round) -> Result<Turn, WireError> {
    round.as_u32().map(Turn).ok_or(WireError::Meaning("a round is needed here"))
}

fn round(turn: Turn) -> Round {
    Round::new(turn.0)
}

fn optional_round(turn: Option<Turn>) -> Round {
    turn.map_or(Round::Nil, round)
}

fn kind(kind: VoteType) -> wire::Kind {
    match kind {
        VoteType::Prevote => wire::Kind::Prevote,
        VoteType::Precommit => wire::Kind::Precommit,
    }
}

fn vote_type(kind: wire::Kind) -> VoteType {
    match kind {
        wire::Kind::Prevote => VoteType::Prevote,
        wire::Kind::Precommit => VoteType::Precommit,
    }
}

fn optional(anchor: &NilOrVal<Hash>) -> Option<Hash> {
    match anchor {
        NilOrVal::Nil => None,
        NilOrVal::Val(anchor) => Some(*anchor),
    }
}

fn nil_or(anchor: Option<Hash>) -> NilOrVal<Hash> {
    anchor.map_or(NilOrVal::Nil, NilOrVal::Val)
}

fn vote_to(vote: &SignedMessage<Ddt, Vote>) -> Result<wire::Vote, WireError> {
    Ok(wire::Vote {
        kind: kind(vote.message.kind),
        height: At(vote.message.height.0),
        round: turn(vote.message.round)?,
        anchor: optional(&vote.message.anchor),
        voter: vote.message.voter,
        signature: vote.signature,
    })
}

fn vote_from(vote: wire::Vote) -> SignedMessage<Ddt, Vote> {
    let message = Vote {
        kind: vote_type(vote.kind),
        height: Height(vote.height.0),
        round: round(vote.round),
        anchor: nil_or(vote.anchor),
        voter: vote.voter,
    };
    SignedMessage::new(message, vote.signature)
}

fn proposal_to(proposal: &SignedMessage<Ddt, Proposal>) -> Result<wire::Proposal, WireError> {
    Ok(wire::Proposal {
        height: At(proposal.message.height.0),
        round: turn(proposal.message.round)?,
        anchor: proposal.message.anchor.0,
        pol_round: proposal.message.pol_round.as_u32().map(Turn),
        proposer: proposal.message.proposer,
        signature: proposal.signature,
    })
}

fn proposal_from(proposal: wire::Proposal) -> SignedMessage<Ddt, Proposal> {
    let message = Proposal {
        height: Height(proposal.height.0),
        round: round(proposal.round),
        anchor: Anchor(proposal.anchor),
        pol_round: optional_round(proposal.pol_round),
        proposer: proposal.proposer,
    };
    SignedMessage::new(message, proposal.signature)
}

impl Framed for SignedConsensusMsg<Ddt> {
    type Wire = wire::Signed;
    const BYTES_MAX: usize = SMALL_BYTES_MAX;

    fn to_wire(&self) -> Result<wire::Signed, WireError> {
        Ok(match self {
            SignedConsensusMsg::Vote(vote) => wire::Signed::Vote(vote_to(vote)?),
            SignedConsensusMsg::Proposal(proposal) => {
                wire::Signed::Proposal(proposal_to(proposal)?)
            }
        })
    }

    fn from_wire(wire: wire::Signed) -> Result<Self, WireError> {
        Ok(match wire {
            wire::Signed::Vote(vote) => SignedConsensusMsg::Vote(vote_from(vote)),
            wire::Signed::Proposal(proposal) => {
                SignedConsensusMsg::Proposal(proposal_from(proposal))
            }
        })
    }
}

impl Framed for Part {
    type Wire = wire::Part;
    const BYTES_MAX: usize = BODY_MESSAGE_BYTES_MAX;

    fn to_wire(&self) -> Result<wire::Part, WireError> {
        Ok(wire::Part {
            height: At(self.height.0),
            round: Turn(self.round),
            proposer: self.proposer,
            body: wire::Bytes(self.body.to_vec()),
            signature: self.signature,
        })
    }

    fn from_wire(wire: wire::Part) -> Result<Part, WireError> {
        Ok(Part {
            height: Height(wire.height.0),
            round: wire.round.0,
            proposer: wire.proposer,
            body: Arc::new(wire.body.0),
            signature: wire.signature,
        })
    }
}

impl Framed for StreamMessage<Part> {
    type Wire = wire::Stream;
    const BYTES_MAX: usize = BODY_MESSAGE_BYTES_MAX;

    fn to_wire(&self) -> Result<wire::Stream, WireError> {
        let part = self.content.as_data().map(Part::to_wire).transpose()?;
        let id = wire::Bytes(self.stream_id.to_bytes().to_vec());
        Ok(wire::Stream { id, sequence: self.sequence, part })
    }

    fn from_wire(wire: wire::Stream) -> Result<Self, WireError> {
        let content = match wire.part {
            Some(part) => StreamContent::Data(Part::from_wire(part)?),
            None => StreamContent::Fin,
        };
        Ok(StreamMessage::new(StreamId::new(wire.id.0.into()), wire.sequence, content))
    }
}

fn polka_to(polka: &engine::PolkaCertificate<Ddt>) -> Result<wire::Certificate, WireError> {
    let pairs = polka.polka_signatures.iter().map(|one| (one.address, one.signature));
    Ok(wire::Certificate {
        height: At(polka.height.0),
        round: turn(polka.round)?,
        anchor: polka.value_id,
        signatures: wire::List(pairs.collect()),
    })
}

fn polka_from(wire: wire::Certificate) -> engine::PolkaCertificate<Ddt> {
    let pairs = wire.signatures.0.into_iter();
    engine::PolkaCertificate {
        height: Height(wire.height.0),
        round: round(wire.round),
        value_id: wire.anchor,
        polka_signatures: pairs.map(|(a, s)| engine::PolkaSignature::new(a, s)).collect(),
    }
}

impl Framed for engine::PolkaCertificate<Ddt> {
    type Wire = wire::Certificate;
    const BYTES_MAX: usize = SMALL_BYTES_MAX;

    fn to_wire(&self) -> Result<wire::Certificate, WireError> {
        polka_to(self)
    }

    fn from_wire(wire: wire::Certificate) -> Result<Self, WireError> {
        Ok(polka_from(wire))
    }
}

fn round_to(
    certificate: &engine::RoundCertificate<Ddt>,
) -> Result<wire::RoundCertificate, WireError> {
    let votes = certificate.round_signatures.iter().map(|vote| wire::RoundVote {
        kind: kind(vote.vote_type),
        anchor: optional(&vote.value_id),
        voter: vote.address,
        signature: vote.signature,
    });
    Ok(wire::RoundCertificate {
        height: At(certificate.height.0),
        round: turn(certificate.round)?,
        reason: match certificate.cert_type {
            engine::RoundCertificateType::Skip => wire::RoundReason::Skip,
            engine::RoundCertificateType::Precommit => wire::RoundReason::Precommit,
        },
        votes: wire::List(votes.collect()),
    })
}

fn round_from(wire: wire::RoundCertificate) -> engine::RoundCertificate<Ddt> {
    let votes = wire.votes.0.into_iter().map(|vote| {
        let (kind, anchor) = (vote_type(vote.kind), nil_or(vote.anchor));
        engine::RoundSignature::new(kind, anchor, vote.voter, vote.signature)
    });
    engine::RoundCertificate {
        height: Height(wire.height.0),
        round: round(wire.round),
        cert_type: match wire.reason {
            wire::RoundReason::Skip => engine::RoundCertificateType::Skip,
            wire::RoundReason::Precommit => engine::RoundCertificateType::Precommit,
        },
        round_signatures: votes.collect(),
    }
}

impl Framed for LivenessMsg<Ddt> {
    type Wire = wire::Liveness;
    const BYTES_MAX: usize = SMALL_BYTES_MAX;

    fn to_wire(&self) -> Result<wire::Liveness, WireError> {
        Ok(match self {
            LivenessMsg::Vote(vote) => wire::Liveness::Vote(vote_to(vote)?),
            LivenessMsg::PolkaCertificate(polka) => wire::Liveness::Polka(polka_to(polka)?),
            LivenessMsg::SkipRoundCertificate(round) => wire::Liveness::Round(round_to(round)?),
        })
    }

    fn from_wire(wire: wire::Liveness) -> Result<Self, WireError> {
        Ok(match wire {
            wire::Liveness::Vote(vote) => LivenessMsg::Vote(vote_from(vote)),
            wire::Liveness::Polka(polka) => LivenessMsg::PolkaCertificate(polka_from(polka)),
            wire::Liveness::Round(round) => LivenessMsg::SkipRoundCertificate(round_from(round)),
        })
    }
}

impl Framed for ProposedValue<Ddt> {
    type Wire = wire::Proposed;
    const BYTES_MAX: usize = SMALL_BYTES_MAX;

    fn to_wire(&self) -> Result<wire::Proposed, WireError> {
        Ok(wire::Proposed {
            height: At(self.height.0),
            round: turn(self.round)?,
            valid_round: self.valid_round.as_u32().map(Turn),
            proposer: self.proposer,
            anchor: self.value.0,
            valid: self.validity.is_valid(),
        })
    }

    fn from_wire(wire: wire::Proposed) -> Result<Self, WireError> {
        Ok(ProposedValue {
            height: Height(wire.height.0),
            round: round(wire.round),
            valid_round: optional_round(wire.valid_round),
            proposer: wire.proposer,
            value: Anchor(wire.anchor),
            validity: Validity::from_bool(wire.valid),
        })
    }
}

impl Framed for sync::Status<Ddt> {
    type Wire = wire::Status;
    const BYTES_MAX: usize = SMALL_BYTES_MAX;

    fn to_wire(&self) -> Result<wire::Status, WireError> {
        Ok(wire::Status {
            peer: wire::Bytes(self.peer_id.to_bytes()),
            tip: At(self.tip_height.0),
            history_min: At(self.history_min_height.0),
        })
    }

    fn from_wire(wire: wire::Status) -> Result<Self, WireError> {
        let peer_id = PeerId::from_bytes(&wire.peer.0)
            .map_err(|_| WireError::Meaning("not a peer id"))?;
        Ok(sync::Status {
            peer_id,
            tip_height: Height(wire.tip.0),
            history_min_height: Height(wire.history_min.0),
        })
    }
}

impl Framed for sync::Request<Ddt> {
    type Wire = wire::Request;
    const BYTES_MAX: usize = SMALL_BYTES_MAX;

    fn to_wire(&self) -> Result<wire::Request, WireError> {
        let sync::Request::ValueRequest(request) = self;
        Ok(wire::Request { first: At(request.range.start().0), last: At(request.range.end().0) })
    }

    fn from_wire(wire: wire::Request) -> Result<Self, WireError> {
        let range = Height(wire.first.0)..=Height(wire.last.0);
        Ok(sync::Request::ValueRequest(sync::ValueRequest::new(range)))
    }
}

fn decided_to(value: &sync::RawDecidedValue<Ddt>) -> Result<wire::Decided, WireError> {
    let certificate = &value.certificate;
    let pairs = certificate.commit_signatures.iter().map(|one| (one.address, one.signature));
    Ok(wire::Decided {
        body: wire::Bytes(value.value_bytes.to_vec()),
        certificate: wire::Certificate {
            height: At(certificate.height.0),
            round: turn(certificate.round)?,
            anchor: certificate.value_id,
            signatures: wire::List(pairs.collect()),
        },
    })
}

fn decided_from(wire: wire::Decided) -> sync::RawDecidedValue<Ddt> {
    let certificate = wire.certificate;
    let signer = |(address, signature): (Address, Signature)| {
        engine::ExtendedCommitSignature::new(address, signature, None)
    };
    let certificate = engine::ExtendedCommitCertificate {
        height: Height(certificate.height.0),
        round: round(certificate.round),
        value_id: certificate.anchor,
        commit_signatures: certificate.signatures.0.into_iter().map(signer).collect(),
    };
    sync::RawDecidedValue::new(wire.body.0.into(), certificate)
}

impl Framed for sync::Response<Ddt> {
    type Wire = wire::Response;
    const BYTES_MAX: usize = SYNC_BYTES_MAX;

    fn to_wire(&self) -> Result<wire::Response, WireError> {
        let sync::Response::ValueResponse(response) = self;
        let values = response.values.iter().map(decided_to).collect::<Result<Vec<_>, _>>()?;
        Ok(wire::Response { first: At(response.start_height.0), values: wire::List(values) })
    }

    fn from_wire(wire: wire::Response) -> Result<Self, WireError> {
        let values = wire.values.0.into_iter().map(decided_from).collect();
        let response = sync::ValueResponse::new(Height(wire.first.0), values);
        Ok(sync::Response::ValueResponse(response))
    }
}

impl Framed for engine::ValidatorProof<Ddt> {
    type Wire = wire::Proof;
    const BYTES_MAX: usize = SMALL_BYTES_MAX;

    fn to_wire(&self) -> Result<wire::Proof, WireError> {
        Ok(wire::Proof {
            key: wire::Bytes(self.public_key.clone()),
            peer: wire::Bytes(self.peer_id.clone()),
            signature: self.signature,
        })
    }

    fn from_wire(wire: wire::Proof) -> Result<Self, WireError> {
        Ok(engine::ValidatorProof::new(wire.key.0, wire.peer.0, wire.signature))
    }
}
