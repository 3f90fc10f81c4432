//! What the tests share: a programme, a network that makes anchors, and a disk that fails.

pub mod disk;
pub mod governing;
pub mod naming;
pub mod network;
pub mod programme;
pub mod records;
pub mod stamped;
