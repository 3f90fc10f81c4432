//! Reading zones.

mod member;
mod seats;
mod stamp;

pub(crate) use member::{Address, Member, Members};
pub(crate) use seats::Seats;
pub(crate) use stamp::Stamp;
