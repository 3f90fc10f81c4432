//! Admission: whether an event may be executed at a state, before its own rules are asked.
//!
//! The same function guards the mempool and the executor, so what a node lets in is what
//! will not be void (spec EVT-7 … EVT-12).

use crate::accounts::{ACCOUNTS, Account, DUTIES, Duty};
use crate::amount::Amount;
use crate::book::{Book, Party, Payer, Scope};
use crate::codec::encode;
use crate::context::{Context, Origin};
use crate::event::{
    ACCOUNT, Checked, Draft, EXPIRED, FEE, KEY, NONCE_AHEAD, NONCE_AHEAD_US_MAX, Role, VALIDITY,
    VALIDITY_MS_MAX,
};
use crate::fault::StoreFault;
use crate::fees::Fees;
use crate::guard::guarded;
use crate::hash::Hash;
use crate::ids::{AccountId, Millis, Zone};
use crate::key::Signature;
use crate::refusal::Refusal;
use crate::registry::{Apply, Registry, Row};
use crate::routers::{RouterKey, Routers};
use crate::stamp::{self, StampWeight, Stamps};
use crate::state::{Overlay, StateReader};
use crate::system::{Head, params, value_index};
use crate::table::Rows;
use crate::tickets::{TICKET_NONCE_END, Tickets};

/// The ledger's own deadline: an account without coins may be forgotten.
pub(crate) const LAPSE: u16 = 0;
/// Node keys of a lapsing account that one piece of work removes.
const DUTIES_LAPSING_MAX: usize = 64;

/// What an event is carried for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fare {
    /// Its fee.
    Fee,
    /// Its stamp.
    Stamp(StampWeight),
    /// Nothing: a router's own word.
    Free,
}

/// Whether the event's time, stamp, nonce and key are good at this state.
pub(crate) fn may_execute<R: Rows + ?Sized>(
    rows: &R,
    cx: &Context,
    event: &Checked,
    row: &Row,
) -> Result<Fare, Refusal> {
    let draft = event.draft();
    check_time(cx, draft)?;
    let fare = match guarded(|| (row.stamp)(draft.body.as_slice()))? {
        Some((stamp, weight)) => {
            stamp::check(rows, draft, &stamp, weight)?;
            Fare::Stamp(weight)
        }
        None if row.is_free && is_router(rows, draft) => Fare::Free,
        None => Fare::Fee,
    };
    let account = Account::read(rows, &draft.author).or_else(|| stamped(cx, draft, fare));
    let account = account.ok_or(ACCOUNT)?;
    match draft.role {
        Role::Owner => {
            if !account.is_current(&draft.author, &draft.key) {
                return Err(KEY);
            }
            match draft.nonce < TICKET_NONCE_END {
                true => Tickets::read(rows, &draft.author).check(draft.nonce)?,
                false => account.nonces.check(draft.nonce)?,
            }
        }
        role => {
            let duty = Duty::read(rows, &draft.author, &draft.key).ok_or(KEY)?;
            if duty.role != role || duty.is_revoked {
                return Err(KEY);
            }
            duty.nonces.check(draft.nonce)?;
        }
    }
    Ok(fare)
}

/// Whether it is signed by the key of now of a router that its author is.
fn is_router<R: Rows + ?Sized>(rows: &R, draft: &Draft) -> bool {
    let known = || RouterKey::read(rows, &draft.key);
    let is_own = |key: RouterKey| key.account == draft.author && key.past.is_none();
    draft.role == Role::Router && known().is_some_and(is_own)
}

fn check_time(cx: &Context, draft: &Draft) -> Result<(), Refusal> {
    if draft.valid_until <= cx.time {
        return Err(EXPIRED);
    }
    if draft.valid_until.since(cx.time).0 > VALIDITY_MS_MAX {
        return Err(VALIDITY);
    }
    let now_us = cx.time.0.saturating_mul(1_000);
    if draft.nonce > now_us.saturating_add(NONCE_AHEAD_US_MAX) {
        return Err(NONCE_AHEAD);
    }
    Ok(())
}

/// The row that a stamp opens for an author who has none.
fn stamped(cx: &Context, draft: &Draft, fare: Fare) -> Option<Account> {
    let is_opened = matches!(fare, Fare::Stamp(_)) && draft.role == Role::Owner;
    is_opened.then(|| Account::stamped_at(cx))
}

/// Uses the event's nonce or ticket, and notes what its stamp did (spec EVT-7, EVT-13, STP-5).
/// The row that a stamp opens goes by itself, if no coins come.
pub(crate) fn use_nonce(book: &mut Book, cx: &Context, draft: &Draft, fare: Fare) {
    let rows = &mut book.rows;
    if let Fare::Stamp(weight) = fare {
        Stamps::count(rows, weight);
    }
    if draft.role != Role::Owner {
        if let Some(mut duty) = DUTIES.get(rows, &(draft.author, draft.key)) {
            duty.nonces.insert(draft.nonce);
            DUTIES.put(rows, &(draft.author, draft.key), &duty);
        }
    } else if draft.nonce < TICKET_NONCE_END {
        Tickets::take(rows, &draft.author, draft.nonce);
    }
    let known = Account::read(rows, &draft.author);
    let is_new = known.is_none();
    let Some(mut account) = known.or_else(|| stamped(cx, draft, fare)) else { return };
    if draft.role == Role::Owner && draft.nonce >= TICKET_NONCE_END {
        account.nonces.insert(draft.nonce);
    }
    account.lapses = account.lapses.map(|_| Account::lapse(cx));
    ACCOUNTS.put(rows, &draft.author, &account);
    if is_new {
        book.supply.account_count = book.supply.account_count.saturating_add(1);
        book.schedule(Account::lapse(cx), LAPSE, &draft.author.0);
    }
}

/// Forgets an account that a stamp opened, once nothing it ever signed can be used again and
/// if it never held coins; otherwise looks again later (spec STP-6).
pub(crate) fn lapse(key: &[u8], cx: &Context, book: &mut Book) {
    let Ok(author) = key.try_into().map(AccountId) else { return };
    let Some(account) = book.account(&author) else { return };
    let Some(until) = account.lapses else { return };
    if cx.clock < until {
        book.schedule(until, LAPSE, key);
        return;
    }
    let duties = Duty::of_account(&book.rows, &author, None, DUTIES_LAPSING_MAX);
    for (key, _) in &duties {
        DUTIES.remove(&mut book.rows, &(author, *key));
    }
    if duties.len() == DUTIES_LAPSING_MAX {
        book.schedule(cx.clock.plus(Millis(1)), LAPSE, key);
        return;
    }
    ACCOUNTS.remove(&mut book.rows, &author);
    book.supply.account_count = book.supply.account_count.saturating_sub(1);
}

/// Whose money pays the event's fee.
fn payer_of(book: &Book, cx: &Context, event: &Checked, row: &Row) -> Result<Party, Refusal> {
    let draft = event.draft();
    let payer = guarded(|| (row.payer)(draft.body.as_slice(), cx, book))?;
    Ok(match payer {
        Payer::Hold(key) => Party::Hold { programme: book.scope.programme, key },
        Payer::Author if draft.role == Role::Owner => Party::Account(draft.author),
        Payer::Author => Party::Allowance { account: draft.author, key: draft.key },
    })
}

/// The fee of an event that is carried for this.
pub(crate) fn fee_of(cx: &Context, event: &Checked, fare: Fare) -> Amount {
    match fare {
        Fare::Fee => cx.fees.event(event.bytes().len()),
        Fare::Stamp(_) | Fare::Free => Amount::ZERO,
    }
}

/// Uses the nonce and pays the fee: both are kept whatever the event itself does. On a
/// refusal the caller undoes what was changed.
pub(crate) fn take_fee(
    book: &mut Book,
    cx: &Context,
    event: &Checked,
    row: &Row,
    (fare, zone): (Fare, Zone),
) -> Result<(), Refusal> {
    if fare == Fare::Fee {
        let payer = payer_of(book, cx, event, row)?;
        let supply = book.supply;
        if book.shift(payer, Party::Fees(zone), fee_of(cx, event, fare), "fee").is_err() {
            book.supply = supply;
            return Err(FEE);
        }
    }
    use_nonce(book, cx, event.draft(), fare);
    Ok(())
}

/// What admission answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It would be executed now; `outcome` is what its own rules would say.
    Admitted {
        /// The fee it would pay.
        fee: Amount,
        /// The hold that would pay it, if one would: programme and key. Others' events may empty
        /// it, so whoever sequences has one event of a hold in flight at most.
        hold: Option<(u16, Hash)>,
        /// Its own rules' answer at this state. Others may come first, so it is a forecast.
        forecast: Result<(), Refusal>,
    },
    /// It would be void: nobody should sequence it.
    Void(Refusal),
}

/// Asks what would become of `event` if it were executed right after the state `base`, at
/// the time `now`. Changes nothing.
pub fn admit(
    registry: &Registry,
    base: &dyn StateReader,
    event: &Checked,
    now: Millis,
) -> Result<Admission, StoreFault> {
    let rows = Overlay::new(base);
    let Some(head) = Head::read(&rows) else {
        return Err(rows.fault().unwrap_or(StoreFault::damaged("it has no head")));
    };
    let cx = context_after(&rows, &head, now, event);
    let mut book = Book::open(rows, cx.time);
    // The next anchor may begin a period, from which on older stamps are void.
    Stamps::turn(&mut book.rows, &cx, head.clock_start);
    let admission = forecast(registry, &mut book, &cx, event);
    match book.rows.fault() {
        Some(fault) => Err(fault),
        None => Ok(admission),
    }
}

/// What [`admit`] says of an event that nobody has signed: what would become of it if its key
/// signed it now. So a wallet can show a forecast before it asks for consent.
pub fn admit_unsigned(
    registry: &Registry,
    base: &dyn StateReader,
    draft: Draft,
    now: Millis,
) -> Result<Admission, StoreFault> {
    let chain = draft.chain;
    // As long as the real one: the fee depends on the length.
    let bytes = encode(&draft.signed(Signature([0; 64])));
    match Checked::check_unsigned(bytes, chain, registry) {
        Ok((event, _)) => admit(registry, base, &event, now),
        Err(refusal) => Ok(Admission::Void(refusal)),
    }
}

fn forecast(registry: &Registry, book: &mut Book, cx: &Context, event: &Checked) -> Admission {
    let draft = event.draft();
    let Some(row) = event.row(registry) else {
        return Admission::Void(crate::event::UNKNOWN_TAG);
    };
    let fare = match may_execute(book, cx, event, row) {
        Ok(fare) => fare,
        Err(refusal) => return Admission::Void(refusal),
    };
    let programme = registry.programme_of(row.tag).map_or(0, |programme| programme.id);
    book.scope = Scope { programme, spender: None };
    let fee = fee_of(cx, event, fare);
    let hold = match payer_of(book, cx, event, row) {
        Ok(Party::Hold { programme, key }) if fare == Fare::Fee => Some((programme, key)),
        _ => None,
    };
    if let Err(refusal) = take_fee(book, cx, event, row, (fare, Zone::default())) {
        return Admission::Void(refusal);
    }
    book.scope.spender = (draft.role == Role::Owner).then_some(draft.author);
    let body = draft.body.as_slice();
    let forecast = guarded(|| match row.apply {
        Apply::Book(apply) => apply(body, cx, book),
        Apply::Mint(apply) => apply(body, cx, &mut crate::mint::Mint::new(book)),
        Apply::Routers(apply) => apply(body, cx, &mut Routers::new(book)),
    });
    match forecast {
        // What costs nothing is void where its rules refuse it (spec EVT-15).
        Ok(Err(refusal)) if fare == Fare::Free => Admission::Void(refusal),
        forecast => Admission::Admitted { fee, hold, forecast: forecast.and_then(|answer| answer) },
    }
}

/// The context that an event would meet if it were executed at `now`.
fn context_after(rows: &Overlay, head: &Head, now: Millis, event: &Checked) -> Context {
    let draft = event.draft();
    let mut cx = context_at(rows, head);
    cx.height = head.height.saturating_add(1);
    cx.clock = head.clock.plus(now.since(head.time).min(cx.params.clock_step_ms_max));
    cx.time = head.time.max(now);
    cx.origin = Some(Origin {
        chain: draft.chain,
        author: draft.author,
        role: draft.role,
        key: draft.key,
        event: event.id(),
        zone: Zone::default(),
        number: 0,
        place: 0,
    });
    cx
}

/// The context of views at this state.
pub fn context_at<R: Rows + ?Sized>(rows: &R, head: &Head) -> Context {
    Context {
        height: head.height,
        time: head.time,
        clock: head.clock,
        epoch: head.epoch,
        beacon: head.beacon,
        params: params(rows),
        fees: Fees::at(value_index(rows)),
        origin: None,
    }
}
