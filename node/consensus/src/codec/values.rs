//! Bodies, values, sync and proofs on the wire.

use std::sync::Arc;

use arc_malachitebft_core_consensus::{PeerId, ProposedValue};
use arc_malachitebft_core_types as engine;
use arc_malachitebft_engine::util::streaming::{StreamContent, StreamId, StreamMessage};
use arc_malachitebft_sync as sync;
use ddt_ledger::Signature;
use engine::Validity;

use super::votes::{optional_round, round, turn};
use super::{BODY_MESSAGE_BYTES_MAX, Framed, SMALL_BYTES_MAX, SYNC_BYTES_MAX, WireError};
use crate::context::{Address, Anchor, Ddt, Height, Part};
use crate::wire::{self, At, Turn};

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
        let peer_id =
            PeerId::from_bytes(&wire.peer.0).map_err(|_| WireError::Meaning("not a peer id"))?;
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
