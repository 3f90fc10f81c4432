//! Several routers and full nodes, in processes of their own, agree on one history.

mod agreement;
mod apart;
mod clocks;
mod dev;
mod disks;
mod faults;
mod governing;
mod held;
mod load;
mod members;
mod promises;
mod records;
mod relayed;
mod strangers;
#[path = "../support/mod.rs"]
mod support;
mod traitors;
