//! Admission: whether an event may be executed at a state, before its own rules are asked.
//!
//! The same function guards the mempool and the executor, so what a node lets in is what
//! will not be void (spec EVT-7 … EVT-12).

use crate::accounts::{Account, Duty};
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
use crate::ids::{Millis, Zone};
use crate::key::Signature;
use crate::refusal::Refusal;
use crate::registry::{Apply, Registry, Row};
use crate::state::{Overlay, StateReader};
use crate::system::{Head, params, value_index};
use crate::table::Rows;

/// Whether the event's time, nonce and key are good at this state.
pub(crate) fn may_execute<R: Rows + ?Sized>(
    rows: &R,
    cx: &Context,
    event: &Checked,
) -> Result<(), Refusal> {
    let draft = event.draft();
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
    let account = Account::read(rows, &draft.author).ok_or(ACCOUNT)?;
    match draft.role {
        Role::Owner => {
            if !account.is_current(&draft.author, &draft.key) {
                return Err(KEY);
            }
            account.nonces.check(draft.nonce)
        }
        role => {
            let duty = Duty::read(rows, &draft.author, &draft.key).ok_or(KEY)?;
            if duty.role != role || duty.is_revoked {
                return Err(KEY);
            }
            duty.nonces.check(draft.nonce)
        }
    }
}

/// Whose money pays the event's fee.
pub(crate) fn payer_of(
    book: &Book,
    cx: &Context,
    event: &Checked,
    row: &Row,
) -> Result<Party, Refusal> {
    let draft = event.draft();
    let payer = guarded(|| (row.payer)(draft.body.as_slice(), cx, book))?;
    Ok(match payer {
        Payer::Hold(key) => Party::Hold { programme: book.scope.programme, key },
        Payer::Author if draft.role == Role::Owner => Party::Account(draft.author),
        Payer::Author => Party::Allowance { account: draft.author, key: draft.key },
    })
}

/// What admission answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It would be executed now; `outcome` is what its own rules would say.
    Admitted {
        /// The fee it would pay.
        fee: Amount,
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
    let admission = forecast(registry, &mut book, &cx, event);
    match book.rows.fault() {
        Some(fault) => Err(fault),
        None => Ok(admission),
    }
}

/// The same for an event that nobody has signed: what would become of it if its key signed it
/// now. So a wallet can show a forecast before it asks for consent.
pub fn admit_unsigned(
    registry: &Registry,
    base: &dyn StateReader,
    draft: Draft,
    now: Millis,
) -> Result<Admission, StoreFault> {
    let chain = draft.chain;
    // As long as the real one: the fee depends on the length.
    let bytes = encode(&draft.signed(Signature([0; 64])));
    match Checked::check_unsigned(&bytes, chain, registry) {
        Ok((event, _)) => admit(registry, base, &event, now),
        Err(refusal) => Ok(Admission::Void(refusal)),
    }
}

fn forecast(registry: &Registry, book: &mut Book, cx: &Context, event: &Checked) -> Admission {
    if let Err(refusal) = may_execute(book, cx, event) {
        return Admission::Void(refusal);
    }
    let draft = event.draft();
    let Some(row) = event.row(registry) else {
        return Admission::Void(crate::event::UNKNOWN_TAG);
    };
    let programme = registry.programme_of(row.tag).map_or(0, |programme| programme.id);
    book.scope = Scope { programme, spender: None };
    let fee = cx.fees.event(event.bytes().len());
    let payer = match payer_of(book, cx, event, row) {
        Ok(payer) => payer,
        Err(bug) => return Admission::Void(bug),
    };
    if book.shift(payer, Party::Fees(Zone::default()), fee, "fee").is_err() {
        return Admission::Void(FEE);
    }
    book.scope.spender = (draft.role == Role::Owner).then_some(draft.author);
    let body = draft.body.as_slice();
    let forecast = guarded(|| match row.apply {
        Apply::Book(apply) => apply(body, cx, book),
        Apply::Mint(apply) => apply(body, cx, &mut crate::mint::Mint::new(book)),
    });
    Admission::Admitted { fee, forecast: forecast.and_then(|answer| answer) }
}

/// The context that an event would meet if it were executed at `now`.
fn context_after(rows: &Overlay, head: &Head, now: Millis, event: &Checked) -> Context {
    let draft = event.draft();
    let mut cx = context_at(rows, head);
    cx.height = head.height.saturating_add(1);
    cx.clock = head.clock.plus(now.since(head.time).min(cx.params.clock_step_ms_max));
    cx.time = head.time.max(now);
    cx.origin = Some(Origin {
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
        beacon: if head.height == 0 { Hash::ZERO } else { head.beacon },
        params: params(rows),
        fees: Fees::at(value_index(rows)),
        origin: None,
    }
}
