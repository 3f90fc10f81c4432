//! A door to the codec of the engine's messages, which nobody outside may name: for fuzzing
//! alone, behind the feature `fuzz`.

use arc_malachitebft_codec::Codec;
use arc_malachitebft_core_consensus::{LivenessMsg, ProposedValue, SignedConsensusMsg};
use arc_malachitebft_core_types as engine;
use arc_malachitebft_engine::util::streaming::StreamMessage;
use arc_malachitebft_sync as sync;
use bytes::Bytes;
use ddt_ledger::codec::{decode, encode};

use crate::application::StoredProposal;
use crate::codec::{BODY_MESSAGE_BYTES_MAX, DdtCodec, Framed, WireError};
use crate::context::{Ddt, Part};

/// Kinds of messages.
pub const KINDS: u8 = 11;

/// Decodes a message of a kind, any number, and answers how it is encoded again.
///
/// # Errors
/// Why the bytes are no such message.
pub fn message(kind: u8, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let again = match kind % KINDS {
        0 => again::<SignedConsensusMsg<Ddt>>(bytes),
        1 => again::<LivenessMsg<Ddt>>(bytes),
        2 => again::<engine::PolkaCertificate<Ddt>>(bytes),
        3 => again::<Part>(bytes),
        4 => again::<StreamMessage<Part>>(bytes),
        5 => again::<ProposedValue<Ddt>>(bytes),
        6 => again::<sync::Status<Ddt>>(bytes),
        7 => again::<sync::Request<Ddt>>(bytes),
        8 => again::<sync::Response<Ddt>>(bytes),
        9 => again::<engine::ValidatorProof<Ddt>>(bytes),
        _ => decode::<StoredProposal>(bytes, BODY_MESSAGE_BYTES_MAX)
            .map(|proposal| encode(&proposal))
            .map_err(WireError::from),
    };
    again.map_err(|error| error.to_string())
}

fn again<T: Framed>(bytes: &[u8]) -> Result<Vec<u8>, WireError> {
    let message: T = DdtCodec.decode(Bytes::copy_from_slice(bytes))?;
    DdtCodec.encode(&message).map(|bytes| bytes.to_vec())
}
