//! The face over real sockets: every route's success, refusal and fault.

mod document;
mod explorer;
mod limits;
mod live;
mod names;
mod network;
mod private;
mod programmes;
mod proofs;
mod reads;
mod submissions;
mod wire;
mod zones;
