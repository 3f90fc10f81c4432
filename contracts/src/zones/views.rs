//! Reading zones.

mod member;
mod router;
mod seats;
mod stamp;

pub(crate) use member::{Address, Member, Members};
pub(crate) use router::{Router, Routers, Upgrade, Validators};
pub(crate) use seats::Seats;
pub(crate) use stamp::Stamp;
