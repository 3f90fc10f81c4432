//! A small programme with one event for each thing that the book can do, and each way to fail.

use ddt_ledger::accounts::Account;
use ddt_ledger::book::{Book, Payer};
use ddt_ledger::context::Context;
use ddt_ledger::event::Role;
use ddt_ledger::mint::{Mint, MintEvent};
use ddt_ledger::registry::{DeadlineRow, Event, Programme, Registry, mint_row};
use ddt_ledger::schema::Text;
use ddt_ledger::table::{IndexInfo, Rows, RowsMut, Table, TableInfo};
use ddt_ledger::view::{Found, Page, View, view_row};
use ddt_ledger::{
    AccountId, Amount, Hash, Millis, PublicKey, Refusal, event, refusals, rows, view,
};

use super::naming::{self, Call};
use super::records::Record;
use super::stamped::{Heavily, Lightly};

refusals! {
    NO = "test.no", "This event is always refused.";
    ZERO = "test.zero", "Paying nothing is refused before any state is read.";
}

/// What a note says.
pub type Line = Text<64>;

/// Notes by key.
pub static NOTES: Table<Hash, Line> = Table::new(300);
/// Who gets a hold when its deadline comes.
pub static KEPT: Table<Hash, AccountId> = Table::new(301);

/// By text, then key: unique for each row.
pub const BY_TEXT: u16 = 1;
/// By text alone: the entry moves from row to row.
pub const BY_TEXT_ALONE: u16 = 2;

event! {
    /// Pays.
    Pay = "test.pay", Owner, "Pay {amount} to {to}" { to: AccountId, amount: Amount }
}

impl Event for Pay {
    const REFUSALS: &'static [Refusal] = &[ZERO];
    const WORK: u32 = 3;

    fn check(&self) -> Result<(), Refusal> {
        if self.amount.is_zero() { Err(ZERO) } else { Ok(()) }
    }

    fn apply(&self, _: &Context, book: &mut Book) -> Result<(), Refusal> {
        book.pay(self.to, self.amount, "test")
    }
}

event! {
    /// Holds money until the deadline `tag` gives it to somebody.
    Keep = "test.keep", Owner, "Keep {amount} for {to} until {due}"
        { key: Hash, amount: Amount, to: AccountId, due: Millis, tag: u16 }
}

impl Event for Keep {
    const REFUSALS: &'static [Refusal] = &[];

    fn apply(&self, _: &Context, book: &mut Book) -> Result<(), Refusal> {
        book.hold(self.key, self.amount, "test")?;
        KEPT.put(book, &self.key, &self.to);
        book.schedule(self.due, self.tag, &self.key.0);
        Ok(())
    }
}

event! {
    /// Does a little of everything, then panics.
    Panic = "test.panic", Owner, "Panic over {amount}" { amount: Amount }
}

impl Event for Panic {
    const REFUSALS: &'static [Refusal] = &[];

    fn apply(&self, cx: &Context, book: &mut Book) -> Result<(), Refusal> {
        disturb(cx, book, self.amount)?;
        panic!("on purpose")
    }
}

event! {
    /// Does a little of everything, then refuses.
    Refuse = "test.refuse", Owner, "Refuse over {amount}" { amount: Amount }
}

impl Event for Refuse {
    const REFUSALS: &'static [Refusal] = &[NO];

    fn apply(&self, cx: &Context, book: &mut Book) -> Result<(), Refusal> {
        disturb(cx, book, self.amount)?;
        Err(NO)
    }
}

/// Writes rows, schedules, holds, burns, opens an account and grants a key.
fn disturb(cx: &Context, book: &mut Book, amount: Amount) -> Result<(), Refusal> {
    let event = cx.origin()?.event;
    NOTES.put(book, &Hash::ZERO, &Line::default());
    KEPT.put(book, &event, &AccountId(event.0));
    book.schedule(cx.clock, 1, &event.0);
    book.hold(event, amount, "test")?;
    book.burn(event, amount.half(), "test")?;
    book.release(event, AccountId(event.0), amount.half(), "test")?;
    book.grant_duty(Role::Node, PublicKey(event.0), amount.half())?;
    book.rotate_owner_key(PublicKey(event.0))
}

event! {
    /// Anyone's event, paid from a hold.
    Poke = "test.poke", Anyone, "Poke the hold {key}" { key: Hash }
}

impl Event for Poke {
    const REFUSALS: &'static [Refusal] = &[];

    fn payer(&self, _: &Context, _: &Book) -> Payer {
        Payer::Hold(self.key)
    }

    fn apply(&self, _: &Context, book: &mut Book) -> Result<(), Refusal> {
        NOTES.put(book, &self.key, &Line::new("poked").unwrap_or_default());
        Ok(())
    }
}

event! {
    /// Anyone's event that tries to spend its author's balance.
    Grab = "test.grab", Anyone, "Take {amount} from the author" { amount: Amount }
}

impl Event for Grab {
    const REFUSALS: &'static [Refusal] = &[];

    fn apply(&self, cx: &Context, book: &mut Book) -> Result<(), Refusal> {
        book.hold(cx.origin()?.event, self.amount, "test")
    }
}

event! {
    /// Burns from a hold.
    Burn = "test.burn", Owner, "Burn {amount} of the hold {key}" { key: Hash, amount: Amount }
}

impl Event for Burn {
    const REFUSALS: &'static [Refusal] = &[];

    fn apply(&self, _: &Context, book: &mut Book) -> Result<(), Refusal> {
        book.burn(self.key, self.amount, "test")
    }
}

event! {
    /// Gives from a hold to an account, half of it by way of another hold, the rest to the pool.
    Give = "test.give", Owner, "Give {amount} of the hold {key} to {to}"
        { key: Hash, to: AccountId, amount: Amount }
}

impl Event for Give {
    const REFUSALS: &'static [Refusal] = &[];

    fn apply(&self, cx: &Context, book: &mut Book) -> Result<(), Refusal> {
        let other = cx.origin()?.event;
        book.release(self.key, self.to, self.amount, "test")?;
        let rest = book.held(self.key);
        book.move_hold(self.key, other, rest, "test")?;
        book.release_to_pool(other, rest.half(), "test")
    }
}

event! {
    /// Writes raw rows into every system table, and one of its own.
    Overreach = "test.overreach", Owner, "Write where it may not" { key: Hash }
}

impl Event for Overreach {
    const REFUSALS: &'static [Refusal] = &[];

    fn apply(&self, cx: &Context, book: &mut Book) -> Result<(), Refusal> {
        let author = cx.origin()?.author;
        for table in 0..256u16 {
            book.set_row(table.to_be_bytes().to_vec(), Some(vec![0xff; 32]));
            book.set_row([&table.to_be_bytes()[..], &author.0].concat(), None);
        }
        book.set_row(Vec::new(), Some(vec![1]));
        book.set_row(vec![1], Some(vec![1]));
        book.set_row(Account::full_key(&author), None);
        NOTES.put(book, &self.key, &Line::default());
        Ok(())
    }
}

event! {
    /// Replaces the author's owner key.
    Rotate = "test.rotate", Owner, "Use the key {key} from now on" { key: PublicKey }
}

impl Event for Rotate {
    const REFUSALS: &'static [Refusal] = &[];

    fn apply(&self, _: &Context, book: &mut Book) -> Result<(), Refusal> {
        book.rotate_owner_key(self.key)
    }
}

event! {
    /// Registers a node key, or tops it up, or revokes it.
    Grant = "test.grant", Owner, "{what} the node key {key} with {allowance}"
        { key: PublicKey, allowance: Amount, role: Role, what: u8 }
}

impl Event for Grant {
    const REFUSALS: &'static [Refusal] = &[];

    fn apply(&self, _: &Context, book: &mut Book) -> Result<(), Refusal> {
        match self.what {
            0 => book.grant_duty(self.role, self.key, self.allowance),
            1 => book.top_up_duty(self.key, self.allowance),
            _ => book.revoke_duty(self.key),
        }
    }
}

event! {
    /// A node's duty.
    Serve = "test.serve", Node, "Serve {key}" { key: Hash }
}

impl Event for Serve {
    const REFUSALS: &'static [Refusal] = &[];

    fn apply(&self, _: &Context, book: &mut Book) -> Result<(), Refusal> {
        NOTES.put(book, &self.key, &Line::default());
        Ok(())
    }
}

event! {
    /// Writes a note, or removes it.
    Write = "test.write", Owner, "Note {text} at {key}" { key: Hash, text: Option<Line> }
}

impl Event for Write {
    const REFUSALS: &'static [Refusal] = &[];

    fn apply(&self, _: &Context, book: &mut Book) -> Result<(), Refusal> {
        match &self.text {
            Some(text) => NOTES.put(book, &self.key, text),
            None => NOTES.remove(book, &self.key),
        }
        Ok(())
    }
}

event! {
    /// Panics when it is asked who pays.
    Payless = "test.payless", Owner, "Panic over who pays" {}
}

impl Event for Payless {
    const REFUSALS: &'static [Refusal] = &[];

    fn payer(&self, _: &Context, _: &Book) -> Payer {
        panic!("on purpose")
    }

    fn apply(&self, _: &Context, _: &mut Book) -> Result<(), Refusal> {
        Ok(())
    }
}

impl Event for Record {
    const REFUSALS: &'static [Refusal] = &[];

    fn apply(&self, _: &Context, _: &mut Book) -> Result<(), Refusal> {
        Ok(())
    }
}

event! {
    /// Creates coins.
    Create = "mint.create", Owner, "Create {amount} for {to}" { to: AccountId, amount: Amount }
}

impl MintEvent for Create {
    const REFUSALS: &'static [Refusal] = &[];

    fn apply(&self, _: &Context, mint: &mut Mint) -> Result<(), Refusal> {
        mint.create(self.to, self.amount, "test")
    }
}

event! {
    /// Another programme that tries to take what the first one holds.
    Steal = "thief.steal", Owner, "Take {amount} from the hold {key}"
        { key: Hash, amount: Amount, way: u8 }
}

impl Event for Steal {
    const REFUSALS: &'static [Refusal] = &[];

    fn apply(&self, cx: &Context, book: &mut Book) -> Result<(), Refusal> {
        let author = cx.origin()?.author;
        match self.way {
            0 => book.release(self.key, author, self.amount, "test"),
            1 => book.burn(self.key, self.amount, "test"),
            2 => book.release_to_pool(self.key, self.amount, "test"),
            _ => book.move_hold(self.key, Hash::ZERO, self.amount, "test"),
        }
    }
}

view! {
    NoteOf = "test.note", "What a note says."
    query { key: Hash }
    row NoteRow { text: Line }
}

impl View for NoteOf {
    fn run(&self, _: &Context, rows: &dyn Rows, _: &Page) -> Result<Found<NoteRow>, Refusal> {
        let text = NOTES.get(rows, &self.key).ok_or(ddt_ledger::view::NOT_FOUND)?;
        Ok(Found::one(NoteRow { text }))
    }

    fn proof_key(&self) -> Option<Vec<u8>> {
        Some(NOTES.full_key(&self.key))
    }
}

fn release(key: &[u8], _: &Context, book: &mut Book) -> Result<(), Refusal> {
    let key = Hash(key.try_into().map_err(|_| NO)?);
    let to = KEPT.get(book, &key).ok_or(NO)?;
    KEPT.remove(book, &key);
    book.release(key, to, book.held(key), "deadline")
}

const DEADLINES: &[DeadlineRow] = &[
    DeadlineRow { tag: 1, name: "test.release", run: release },
    DeadlineRow {
        tag: 2,
        name: "test.panics",
        run: |key, cx, book| {
            release(key, cx, book)?;
            panic!("on purpose")
        },
    },
    DeadlineRow {
        tag: 3,
        name: "test.refuses",
        run: |key, cx, book| {
            release(key, cx, book)?;
            Err(NO)
        },
    },
    naming::DEADLINE,
];

const INDEXES: &[IndexInfo] = &[
    IndexInfo { id: BY_TEXT, entries: |key, value| vec![[value, key].concat()] },
    IndexInfo { id: BY_TEXT_ALONE, entries: |_, value| vec![value.to_vec()] },
];

static TEST: Programme = Programme {
    id: 1,
    name: "test",
    purpose: "To try everything.",
    rows: rows! {
        1 => Pay, 2 => Keep, 3 => Panic, 4 => Refuse, 5 => Poke, 6 => Grab, 7 => Burn, 8 => Give,
        9 => Overreach, 10 => Rotate, 11 => Grant, 12 => Serve, 13 => Write, 14 => Payless,
        15 => Record, 16 => Heavily, 17 => Lightly, 18 => Call,
    },
    views: &[view_row::<NoteOf>()],
    tables: &[
        TableInfo { id: 300, name: "test.notes", indexes: INDEXES, show: |_, _| None },
        TableInfo { id: 301, name: "test.kept", indexes: &[], show: |_, _| None },
        naming::TABLE,
        naming::HASHES,
    ],
    deadlines: DEADLINES,
    is_full: None,
    audit: |_| Vec::new(),
};

static MINT: Programme = Programme {
    id: 2,
    name: "mint",
    purpose: "To create coins.",
    rows: &[mint_row::<Create>(20)],
    views: &[],
    tables: &[],
    deadlines: &[],
    is_full: None,
    audit: |_| Vec::new(),
};

static THIEF: Programme = Programme {
    id: 3,
    name: "thief",
    purpose: "To take what is not its own.",
    rows: rows! { 30 => Steal },
    views: &[],
    tables: &[],
    deadlines: &[],
    is_full: None,
    audit: |_| Vec::new(),
};

/// The registry of the tests.
pub const REGISTRY: Registry =
    Registry { programmes: &[&TEST, &MINT, &THIEF, &super::governing::GOVERNING] };
