//! Reading usernames: by the row's own key only. No view lists rows.

mod commits;
mod row;

pub(crate) use commits::Commits;
pub(crate) use row::Row;
