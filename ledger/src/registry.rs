//! The registry: what programmes exist, and every event, view, table and deadline of theirs.
//!
//! Tags are for ever, so they stand in one reviewed table per programme (`rows!`), not in
//! code that registers itself.

use std::collections::BTreeMap;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::book::{Book, Payer};
use crate::codec::{CodecError, decode, encode};
use crate::context::Context;
use crate::event::{BODY, BODY_BYTES_MAX, Role};
use crate::ids::Zone;
use crate::mint::{Mint, MintEvent};
use crate::refusal::Refusal;
use crate::routers::{RouterEvent, Routers};
use crate::schema::{FieldError, FieldInfo, Fields, Shape, Value};
use crate::stamp::{Stamp, StampWeight};
use crate::table::TableInfo;
use crate::view::ViewRow;

/// Which roles may sign an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer {
    /// Only the account's own key.
    Owner,
    /// Only a node's hot key.
    Node,
    /// A router's hot key, or the account's own.
    Router,
    /// Any of an account's keys: the event does nothing that needs its author's authority.
    Anyone,
}

impl Signer {
    /// Whether `role` may sign.
    pub fn allows(self, role: Role) -> bool {
        matches!(
            (self, role),
            (Signer::Anyone, _)
                | (Signer::Owner, Role::Owner)
                | (Signer::Node, Role::Node)
                | (Signer::Router, Role::Router | Role::Owner)
        )
    }
}

/// What [`event!`](crate::event!) declares of an event.
pub trait Declared: Shape + BorshSerialize + BorshDeserialize {
    /// `programme.event`.
    const NAME: &'static str;
    /// Who may sign it.
    const SIGNER: Signer;
    /// What the signer reads before signing, with `{field}` places.
    const WORDS: &'static str;
}

/// An event's rules.
pub trait Event: Declared {
    /// Every refusal that `check` and `apply` may give.
    const REFUSALS: &'static [Refusal];
    /// Work units of `apply`, in typical payments.
    const WORK: u32 = 1;

    /// How heavy a stamp is that stands in the place of the fee; `None` where only coins do.
    const STAMP: Option<StampWeight> = None;

    /// Rules that need no state.
    fn check(&self) -> Result<(), Refusal> {
        Ok(())
    }

    /// The stamp it carries; without one its fee is paid.
    fn stamp(&self) -> Option<Stamp> {
        None
    }

    /// Who pays the fee.
    fn payer(&self, _: &Context, _: &Book) -> Payer {
        Payer::Author
    }

    /// Changes the state, or says why not; then everything is as it was.
    fn apply(&self, cx: &Context, book: &mut Book) -> Result<(), Refusal>;
}

/// How an event changes the state: through the book, or with a right beside it.
#[derive(Clone, Copy)]
pub enum Apply {
    /// Moves money that exists.
    Book(fn(&[u8], &Context, &mut Book) -> Result<(), Refusal>),
    /// May create money.
    Mint(fn(&[u8], &Context, &mut Mint) -> Result<(), Refusal>),
    /// May change who governs lanes and who validates.
    Routers(fn(&[u8], &Context, &mut Routers) -> Result<(), Refusal>),
}

/// Makes a canonical body from values.
pub type Build = fn(&BTreeMap<String, Value>) -> Result<Vec<u8>, FieldError>;

/// One event of the registry.
#[derive(Clone, Copy)]
pub struct Row {
    /// Its number in signed bytes, for ever.
    pub tag: u16,
    /// `programme.event`.
    pub name: &'static str,
    /// Who may sign it.
    pub signer: Signer,
    /// What the signer reads before signing.
    pub words: &'static str,
    /// Its fields.
    pub fields: &'static [FieldInfo],
    /// What it may be refused for.
    pub refusals: &'static [Refusal],
    /// Work units.
    pub work: u32,
    /// Whether a router's own key signs it for nothing.
    pub is_free: bool,
    /// Decodes a body and applies the rules that need no state.
    pub check: fn(&[u8]) -> Result<(), Refusal>,
    /// The stamp that a body carries in the place of a fee, and how heavy it has to be.
    pub stamp: fn(&[u8]) -> Option<(Stamp, StampWeight)>,
    /// Who pays the fee.
    pub payer: fn(&[u8], &Context, &Book) -> Payer,
    /// Changes the state.
    pub apply: Apply,
    /// A body's values.
    pub show: fn(&[u8]) -> Result<Fields, Refusal>,
    /// The canonical body with these values.
    pub build: Build,
}

fn body<E: BorshDeserialize>(bytes: &[u8]) -> Result<E, Refusal> {
    decode(bytes, BODY_BYTES_MAX).map_err(|error| match error {
        CodecError::Field(refusal) => refusal,
        _ => BODY,
    })
}

const fn row_of<E: Declared>(tag: u16, apply: Apply) -> Row {
    Row {
        tag,
        name: E::NAME,
        signer: E::SIGNER,
        words: E::WORDS,
        fields: E::FIELDS,
        refusals: &[],
        work: 1,
        is_free: false,
        check: |bytes| body::<E>(bytes).map(|_| ()),
        stamp: |_| None,
        payer: |_, _, _| Payer::Author,
        apply,
        show: |bytes| body::<E>(bytes).map(|event| event.show()),
        build: |values| E::read(values).map(|event| encode(&event)),
    }
}

/// The row of an event that moves existing money.
pub const fn row<E: Event>(tag: u16) -> Row {
    let apply = |bytes: &[u8], cx: &Context, book: &mut Book| body::<E>(bytes)?.apply(cx, book);
    let mut row = row_of::<E>(tag, Apply::Book(apply));
    row.refusals = E::REFUSALS;
    row.work = E::WORK;
    row.check = |bytes| body::<E>(bytes)?.check();
    row.stamp = |bytes| body::<E>(bytes).ok()?.stamp().zip(E::STAMP);
    row.payer = |bytes, cx, book| match body::<E>(bytes) {
        Ok(event) => event.payer(cx, book),
        Err(_) => Payer::Author,
    };
    row
}

/// The row of an event that may create money.
pub const fn mint_row<E: MintEvent>(tag: u16) -> Row {
    let apply = |bytes: &[u8], cx: &Context, mint: &mut Mint| body::<E>(bytes)?.apply(cx, mint);
    let mut row = row_of::<E>(tag, Apply::Mint(apply));
    row.refusals = E::REFUSALS;
    row.check = |bytes| body::<E>(bytes)?.check();
    row
}

/// The row of an event that may change routers.
pub const fn router_row<E: RouterEvent>(tag: u16) -> Row {
    let apply =
        |bytes: &[u8], cx: &Context, routers: &mut Routers| body::<E>(bytes)?.apply(cx, routers);
    let mut row = row_of::<E>(tag, Apply::Routers(apply));
    row.refusals = E::REFUSALS;
    row.work = E::WORK;
    row.is_free = E::IS_FREE;
    row.check = |bytes| body::<E>(bytes)?.check();
    row.stamp = |bytes| body::<E>(bytes).ok()?.stamp().zip(E::STAMP);
    row
}

/// Work that the ledger itself does when the epoch clock reaches a time.
#[derive(Clone, Copy)]
pub struct DeadlineRow {
    /// Its number in the state, for ever.
    pub tag: u16,
    /// `programme.deadline`.
    pub name: &'static str,
    /// Does the work for the row with this key. A refusal undoes it and is recorded.
    pub run: fn(&[u8], &Context, &mut Book) -> Result<(), Refusal>,
}

/// Whether a zone has no room for newcomers.
pub type IsFull = fn(&dyn crate::table::Rows, &crate::params::Params, Zone) -> bool;

/// Rules and events with one purpose.
pub struct Programme {
    /// Its number, for ever: it owns the holds made under it.
    pub id: u16,
    /// One word.
    pub name: &'static str,
    /// What it is for, in one sentence.
    pub purpose: &'static str,
    /// Its events.
    pub rows: &'static [Row],
    /// Its views.
    pub views: &'static [ViewRow],
    /// Its tables.
    pub tables: &'static [TableInfo],
    /// Its deadlines.
    pub deadlines: &'static [DeadlineRow],
    /// Whether a zone has no room for newcomers; for the programme that knows its members.
    pub is_full: Option<IsFull>,
    /// Checks its invariants over a whole state; returns what is broken.
    pub audit: fn(&dyn crate::table::Rows) -> Vec<String>,
}

/// Every programme of a network.
#[derive(Clone, Copy)]
pub struct Registry {
    /// The programmes, by id.
    pub programmes: &'static [&'static Programme],
}

impl Registry {
    /// Whether a zone has no room for newcomers, as a programme says; no room if none does.
    pub fn is_full(
        &self,
        rows: &dyn crate::table::Rows,
        params: &crate::params::Params,
        zone: Zone,
    ) -> bool {
        let says = self.programmes.iter().find_map(|programme| programme.is_full);
        says.is_none_or(|is_full| is_full(rows, params, zone))
    }

    /// All events.
    pub fn rows(&self) -> impl Iterator<Item = &'static Row> + use<> {
        self.programmes.iter().flat_map(|programme| programme.rows)
    }

    /// The event with this tag.
    pub fn row(&self, tag: u16) -> Option<&'static Row> {
        self.event(tag).map(|(_, row)| row)
    }

    /// The event with this tag, and its programme.
    pub fn event(&self, tag: u16) -> Option<(&'static Programme, &'static Row)> {
        self.programmes.iter().find_map(|programme| {
            // A programme's tags ascend: each event is looked for several times.
            let at = programme.rows.binary_search_by_key(&tag, |row| row.tag).ok()?;
            programme.rows.get(at).map(|row| (*programme, row))
        })
    }

    /// The event with this name.
    pub fn row_named(&self, name: &str) -> Option<&'static Row> {
        self.rows().find(|row| row.name == name)
    }

    /// The programme whose event has this tag.
    pub fn programme_of(&self, tag: u16) -> Option<&'static Programme> {
        self.event(tag).map(|(programme, _)| programme)
    }

    /// The programme and deadline with this tag.
    pub fn deadline(&self, tag: u16) -> Option<(&'static Programme, &'static DeadlineRow)> {
        let mut found = self.programmes.iter().flat_map(|programme| {
            programme.deadlines.iter().map(move |deadline| (*programme, deadline))
        });
        found.find(|(_, deadline)| deadline.tag == tag)
    }

    /// All views.
    pub fn views(&self) -> impl Iterator<Item = &'static ViewRow> + use<> {
        self.programmes.iter().flat_map(|programme| programme.views)
    }

    /// The view with this name.
    pub fn view(&self, name: &str) -> Option<&'static ViewRow> {
        self.views().find(|view| view.name == name)
    }

    /// All tables of programmes.
    pub fn tables(&self) -> impl Iterator<Item = &'static TableInfo> + use<> {
        self.programmes.iter().flat_map(|programme| programme.tables)
    }
}

/// Declares an event: its name, who signs, the words before signing, and its fields.
#[macro_export]
macro_rules! event {
    ($(#[$meta:meta])* $name:ident = $text:literal, $signer:ident, $words:literal
        { $($(#[doc = $doc:literal])* $field:ident : $kind:ty),* $(,)? }) => {
        $crate::shape! { $(#[$meta])* $name { $($(#[doc = $doc])* $field: $kind),* } }

        impl $crate::registry::Declared for $name {
            const NAME: &'static str = $text;
            const SIGNER: $crate::registry::Signer = $crate::registry::Signer::$signer;
            const WORDS: &'static str = $words;
        }
    };
}

/// A programme's table of events: `tag => type`, by ascending tag, which does not compile
/// otherwise. A tag is for ever.
#[macro_export]
macro_rules! rows {
    ($($tag:literal => $event:ty),* $(,)?) => {{
        const ROWS: &[$crate::registry::Row] =
            $crate::registry::ascending(&[$($crate::registry::row::<$event>($tag)),*]);
        ROWS
    }};
}

/// The rows, if their tags ascend.
pub const fn ascending(rows: &[Row]) -> &[Row] {
    let mut rest = rows;
    while let [first, after @ ..] = rest {
        if let [next, ..] = after {
            assert!(first.tag < next.tag, "tags must ascend");
        }
        rest = after;
    }
    rows
}

/// Every refusal that the ledger itself gives, beside those that programmes declare.
pub fn ledger_refusals() -> impl Iterator<Item = Refusal> {
    let lists = [
        crate::amount::ALL,
        crate::arguments::ALL,
        crate::book::ALL,
        crate::context::ALL,
        crate::event::ALL,
        crate::guard::ALL,
        crate::schema::REFUSALS,
        crate::view::ALL,
    ];
    lists.into_iter().flatten().copied()
}
