//! Views: reads as rows of the registry, pure over the state at an anchor.

use std::collections::BTreeMap;

use crate::context::Context;
use crate::refusal::Refusal;
use crate::schema::{FieldError, FieldInfo, Fields, Shape, Value};
use crate::table::Rows;

/// Most rows of one page.
pub const PAGE_ROWS_MAX: usize = 1_000;

crate::refusals! {
    CURSOR = "view.cursor", "The cursor is not one that this view gave; start without one.";
    NOT_FOUND = "view.not_found", "There is no such row at this anchor.";
}

/// Which rows of a view: at most `limit`, after the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// At most this many rows.
    pub limit: usize,
    /// The cursor of the page before; its meaning is the view's own.
    pub after: Option<Vec<u8>>,
}

impl Page {
    /// The first page.
    pub fn first(limit: usize) -> Page {
        Page { limit, after: None }
    }
}

/// Rows that a view found, and the cursor of the next page if there may be more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<R> {
    /// The rows.
    pub rows: Vec<R>,
    /// Where the next page starts.
    pub next: Option<Vec<u8>>,
}

impl<R> Found<R> {
    /// One row, and no more.
    pub fn one(row: R) -> Found<R> {
        Found { rows: vec![row], next: None }
    }
}

/// What [`view!`](crate::view!) declares of a view.
pub trait DeclaredView: Shape {
    /// `programme.view`.
    const NAME: &'static str;
    /// What it answers, in one sentence.
    const DOC: &'static str;
    /// Its rows.
    type Row: Shape;
}

/// A view's query and how to answer it.
pub trait View: DeclaredView {
    /// The rows that this query asks for. `cx` is the last anchor's; it has no origin.
    fn run(&self, cx: &Context, rows: &dyn Rows, page: &Page) -> Result<Found<Self::Row>, Refusal>;

    /// The full key of the row that the whole answer stands in, if there is one: then the
    /// answer can be proven, or its absence.
    fn proof_key(&self) -> Option<Vec<u8>> {
        None
    }
}

type Values = BTreeMap<String, Value>;

/// Answers a query with rows.
pub type Answer = fn(&Values, &Context, &dyn Rows, &Page) -> Result<Found<Fields>, FieldError>;

/// One view of the registry.
#[derive(Clone, Copy)]
pub struct ViewRow {
    /// `programme.view`.
    pub name: &'static str,
    /// What it answers.
    pub doc: &'static str,
    /// What to ask with.
    pub query: &'static [FieldInfo],
    /// What a row of the answer has.
    pub row: &'static [FieldInfo],
    /// Answers.
    pub run: Answer,
    /// The full key of the row to prove.
    pub proof_key: fn(&Values) -> Result<Option<Vec<u8>>, FieldError>,
}

/// The registry's row of a view.
pub const fn view_row<V: View>() -> ViewRow {
    ViewRow {
        name: V::NAME,
        doc: V::DOC,
        query: V::FIELDS,
        row: V::Row::FIELDS,
        run: |values, cx, rows, page| {
            let found = V::read(values)?.run(cx, rows, page)?;
            let rows = found.rows.iter().map(Shape::show).collect();
            Ok(Found { rows, next: found.next })
        },
        proof_key: |values| Ok(V::read(values)?.proof_key()),
    }
}

/// Declares a view: its name, what it answers, its query and its rows.
#[macro_export]
macro_rules! view {
    ($name:ident = $text:literal, $words:literal
        query { $($(#[doc = $qdoc:literal])* $query:ident : $query_kind:ty),* $(,)? }
        row $row:ident { $($(#[doc = $rdoc:literal])* $field:ident : $kind:ty),* $(,)? }) => {
        $crate::shape! {
            #[doc = concat!("The query of `", $text, "`.")]
            $name { $($(#[doc = $qdoc])* $query: $query_kind),* }
        }
        $crate::shape! {
            #[doc = concat!("A row of `", $text, "`.")]
            $row { $($(#[doc = $rdoc])* $field: $kind),* }
        }

        impl $crate::view::DeclaredView for $name {
            const NAME: &'static str = $text;
            const DOC: &'static str = $words;
            type Row = $row;
        }
    };
}
