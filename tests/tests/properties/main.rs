//! What holds of every history, whatever anybody sends and whenever.
//!
//! [`ddt_tests::network::Network::anchor`] itself checks after every anchor: the audit is
//! clean, receipts and state give everybody the same money, fees are as published, every
//! "no" was declared, admission foretold the execution, the ledger's own work was done, and
//! the state root is that of the rows. Here are the histories, and what needs more than one
//! anchor to be seen.

mod batches;
mod deeds;
mod generate;
mod histories;
mod locks;
mod model;
mod usernames;
