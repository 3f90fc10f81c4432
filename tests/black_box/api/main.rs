//! The API where it needs a real node: live streams over restarts, the private listener,
//! pages as a browser loads them, lists that grow while they are read.

mod live;
mod pages;
mod paging;
mod private;
#[path = "../support/mod.rs"]
mod support;
