//! Reading usernames: by the row's own key only. No view lists rows.

mod commits;
mod row;
mod stamp;

pub(crate) use commits::Commits;
pub(crate) use row::Row;
pub(crate) use stamp::Stamp;
