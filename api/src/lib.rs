//! The face of a node over HTTP: public and private listeners, explorer pages, OpenAPI, and
//! the client that the command line uses.
//!
//! Everything about events and views comes from the registry's rows, so a new event appears
//! here without a change of this crate. The node implements [`Backend`], makes a router with
//! [`public`] or [`private`], and runs it with [`serve`].

pub mod backend;
mod body;
pub mod client;
mod error;
mod guard;
mod limits;
pub mod moment;
pub mod openapi;
mod paging;
mod reading;
mod routes;
mod serve;
mod times;
mod web;

pub use backend::{
    Backend, NodeStatus, Percentiles, Stage, StageTimes, SubmitError, Submitted, Wait,
};
pub use client::{ApiError, Client, without_password};
pub use error::Problem;
pub use limits::{Limits, Rate};
pub use openapi::openapi;
pub use routes::{private, public};
pub use serve::serve;
pub use times::Histogram;
