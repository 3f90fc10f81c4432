//! Reading domains.

mod commits;
mod of_owner;
mod price;
mod record;
mod search;

pub(crate) use commits::Commits;
pub(crate) use of_owner::OfOwner;
pub(crate) use price::Price;
pub(crate) use record::{Record, RecordRow};
pub(crate) use search::Search;
