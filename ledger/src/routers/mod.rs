//! Routers: accounts with a bond that govern lanes and, the largest of them, decide anchors.
//!
//! Who governs and who validates is the ledger's own business, like balances. Events of one
//! programme may change it, through [`Routers`]; nothing else can reach these rows
//! (spec RTR-1 … RTR-23).

pub(crate) mod council;
mod evidence;
pub(crate) mod lanes;
mod record;
pub(crate) mod upgrade;

pub use evidence::{
    ConflictError, FIRST_BYTES_MAX, Fault, Place, SECOND_BYTES_MAX, Sealed, Statement, conflict,
    is_answered_for,
};
pub use record::{ClosedTerm, LEDGER_HOLDS, PastKey, Router, RouterKey, bond_of, bond_party};
pub(crate) use record::{ROUTER_KEYS, ROUTERS};
pub use upgrade::{PROTOCOL_VERSION, PlannedUpgrade, Protocol, protocol_at};

use crate::amount::Amount;
use crate::book::{Book, NOT_OWNER, Party};
use crate::context::Context;
use crate::event::Role;
use crate::ids::{AccountId, Millis, Zone};
use crate::key::PublicKey;
use crate::refusal::Refusal;
use crate::registry::Declared;
use crate::stamp::{Stamp, StampWeight};
use crate::system::{AGENDA, LANES, Lane};
use crate::table::RowsMut;

/// Of a lost bond, one in so many parts is the reporter's.
const REPORTER_SHARE: u128 = 20;

/// Of the fee of a void event, one in so many parts is its router's to pay. Events of one key that
/// a router has in flight are as many: who pays one fee to make them all void costs it about one.
const VOID_SHARE: u128 = crate::accounts::NONCES_MAX as u128;

/// The ledger's own deadline: a router's bond may be paid out.
pub(crate) const RELEASE: u16 = 10;
/// The ledger's own deadline: a replaced key is answered for no longer.
pub(crate) const FORGET_KEY: u16 = 11;
/// The ledger's own deadline: a closed term is answered for no longer.
pub(crate) const FORGET_TERM: u16 = 12;

/// The book, with the right to change who governs and who validates.
pub struct Routers<'m, 'b> {
    book: &'m mut Book<'b>,
}

/// The rules of an event that may change routers.
pub trait RouterEvent: Declared {
    /// Every refusal that `check` and `apply` may give.
    const REFUSALS: &'static [Refusal];
    /// Work units of `apply`, in typical payments.
    const WORK: u32 = 1;
    /// How heavy a stamp is that stands in the place of the fee; `None` where only coins do.
    const STAMP: Option<StampWeight> = None;
    /// Whether a router's own key signs it for nothing. Then it is void where its rules refuse
    /// it: nobody sequences what costs nothing and does nothing.
    const IS_FREE: bool = false;

    /// Rules that need no state.
    fn check(&self) -> Result<(), Refusal> {
        Ok(())
    }

    /// The stamp it carries; without one its fee is paid.
    fn stamp(&self) -> Option<Stamp> {
        None
    }

    /// Changes the state, or says why not; then everything is as it was.
    fn apply(&self, cx: &Context, routers: &mut Routers) -> Result<(), Refusal>;
}

impl<'m, 'b> Routers<'m, 'b> {
    pub(crate) fn new(book: &'m mut Book<'b>) -> Self {
        Routers { book }
    }

    /// The book, for everything else.
    pub fn book(&mut self) -> &mut Book<'b> {
        self.book
    }

    /// The router that an account is.
    pub fn router(&self, account: &AccountId) -> Option<Router> {
        Router::read(self.book, account)
    }

    /// Makes the author a standby router with the keys it has proven to have.
    pub fn join(
        &mut self,
        cx: &Context,
        (key, vrf_key): (PublicKey, PublicKey),
        bond: Amount,
    ) -> Result<(), Refusal> {
        let author = self.book.scope.spender.ok_or(NOT_OWNER)?;
        // Whether there is enough money is asked last of all.
        self.note_key(author, key)?;
        self.add_bond(bond)?;
        let rows = &mut self.book.rows;
        ROUTERS.put(rows, &author, &Router::new((key, vrf_key), cx.clock, cx.height));
        Ok(())
    }

    /// Adds to the author's bond.
    pub fn add_bond(&mut self, amount: Amount) -> Result<(), Refusal> {
        let author = self.book.scope.spender.ok_or(NOT_OWNER)?;
        self.book.shift(Party::Account(author), bond_party(&author), amount, "bond")
    }

    /// A key for events in the router role, which an account may have had before.
    fn note_key(&mut self, account: AccountId, key: PublicKey) -> Result<(), Refusal> {
        if self.book.duty_role(&account, &key) != Some(Role::Router) {
            self.book.grant_duty(Role::Router, key, Amount::ZERO)?;
        }
        ROUTER_KEYS.put(&mut self.book.rows, &key, &RouterKey { account, past: None });
        Ok(())
    }

    /// A router leaves: another one has its lane from an epoch's end on, once one waits, at the
    /// latest when the bond is paid out.
    pub fn leave(&mut self, cx: &Context, account: AccountId) {
        let Some(mut router) = self.router(&account) else { return };
        let rows = &mut self.book.rows;
        answer_from_now(rows, cx, &account, &mut router);
        ROUTERS.put(rows, &account, &router);
    }

    /// The account is heard of: as its lane's router, or while it waits for one.
    pub fn hear(&mut self, cx: &Context, account: AccountId) {
        let Some(mut router) = self.router(&account) else { return };
        let rows = &mut self.book.rows;
        if let Some(zone) = router.zone
            && let Some(mut lane) = LANES.get(rows, &zone)
        {
            lane.heard = cx.clock;
            LANES.put(rows, &zone, &lane);
            return;
        }
        router.heard = cx.clock;
        ROUTERS.put(rows, &account, &router);
    }

    /// A router says which protocol version it is ready for.
    pub fn signal(&mut self, cx: &Context, account: AccountId, version: u32) {
        let Some(mut router) = self.router(&account) else { return };
        (router.signal, router.signalled) = (version, cx.clock);
        ROUTERS.put(&mut self.book.rows, &account, &router);
    }

    /// Puts a router out that was proven to have signed two ways: a twentieth of its bond to
    /// who reported it, the rest burned; at once no validator and without a lane. The last
    /// validator and the last router with a lane go on until there is another.
    pub fn punish(
        &mut self,
        cx: &Context,
        account: AccountId,
        reporter: AccountId,
    ) -> Result<(), Refusal> {
        let Some(router) = self.router(&account) else { return Ok(()) };
        let bond = bond_of(self.book, &account);
        let reward = part(bond, REPORTER_SHARE);
        let rest = bond.minus(reward).unwrap_or_default();
        self.book.shift(bond_party(&account), Party::Account(reporter), reward, "evidence")?;
        self.book.shift(bond_party(&account), Party::Burned, rest, "bond burned")?;
        put_out(&mut self.book.rows, cx, account, router);
        Ok(())
    }

    /// Closes the term of a lane.
    pub fn close_term(&mut self, cx: &Context, zone: Zone) {
        if let Some(mut lane) = Lane::read(self.book, zone) {
            lanes::close_term(&mut self.book.rows, cx, zone, &mut lane);
        }
    }

    /// Gives the author's router other keys: its lane's term closes, and it votes with the new
    /// key from the second anchor after this one.
    pub fn change_keys(
        &mut self,
        cx: &Context,
        (key, vrf_key): (PublicKey, PublicKey),
    ) -> Result<(), Refusal> {
        let author = self.book.scope.spender.ok_or(NOT_OWNER)?;
        let Some(mut router) = self.router(&author) else { return Ok(()) };
        self.note_key(author, key)?;
        let old = std::mem::replace(&mut router.key, key);
        router.vrf_key = vrf_key;
        router.moved = Some(cx.clock);
        if self.book.duty_role(&author, &old).is_some() {
            self.book.revoke_duty(old)?;
        }
        let until = cx.clock.plus(cx.params.router_unbond_ms);
        let past = Some(PastKey { height: cx.height.saturating_add(1), until });
        let rows = &mut self.book.rows;
        ROUTER_KEYS.put(rows, &old, &RouterKey { account: author, past });
        ROUTERS.put(rows, &author, &router);
        council::rekey(rows, &old, (key, vrf_key));
        if let Some(zone) = router.zone
            && let Some(mut lane) = LANES.get(rows, &zone)
        {
            lanes::close_term(rows, cx, zone, &mut lane);
            lane.key = key;
            LANES.put(rows, &zone, &lane);
        }
        self.book.schedule(until, FORGET_KEY, &old.0);
        Ok(())
    }
}

fn part(amount: Amount, of: u128) -> Amount {
    Amount::from_units(amount.units().checked_div(of).unwrap_or_default()).unwrap_or_default()
}

/// A router without a bond is out: no validator, and another one has its lane. The last
/// validator and the last router with a lane go on until there is another.
fn put_out<R: RowsMut + ?Sized>(
    rows: &mut R,
    cx: &Context,
    account: AccountId,
    mut router: Router,
) {
    router.is_out = true;
    answer_from_now(rows, cx, &account, &mut router);
    ROUTERS.put(rows, &account, &router);
    council::expel(rows, &router.key);
    let Some(zone) = router.zone else { return };
    if !lanes::replace(rows, cx, zone)
        && !lanes::abandon(rows, cx, zone)
        && let Some(mut lane) = LANES.get(rows, &zone)
    {
        lanes::close_term(rows, cx, zone, &mut lane);
    }
}

/// What a router owes for a void event of so many bytes (spec RTR-23).
pub(crate) fn void_price(cx: &Context, bytes: usize) -> Amount {
    part(cx.fees.event(bytes), VOID_SHARE)
}

/// A router pays for void events that it sequenced, into the pool. Whose bond is spent by that
/// is out (spec RTR-23).
pub(crate) fn pay_for_voids(
    book: &mut Book,
    cx: &Context,
    account: AccountId,
    owed: Amount,
) -> Result<(), Refusal> {
    let Some(router) = Router::read(book, &account).filter(|router| !router.is_out) else {
        return Ok(());
    };
    if owed.is_zero() {
        return Ok(());
    }
    let bond = bond_of(book, &account);
    book.shift(bond_party(&account), Party::Pool, owed.min(bond), "void events")?;
    if owed >= bond {
        put_out(&mut book.rows, cx, account, router);
    }
    Ok(())
}

/// A router that leaves answers from now on, for `router_unbond_ms`, for what it signed.
fn answer_from_now<R: RowsMut + ?Sized>(
    rows: &mut R,
    cx: &Context,
    account: &AccountId,
    router: &mut Router,
) {
    let until = cx.clock.plus(cx.params.router_unbond_ms);
    router.leaves = Some(until);
    AGENDA.put(rows, &(until.0, RELEASE, account.0.to_vec()), &());
}

/// Pays a bond out, unless its router still governs or validates; then looks again an epoch
/// later (spec RTR-5).
pub(crate) fn release(key: &[u8], cx: &Context, book: &mut Book) -> Result<(), Refusal> {
    let Ok(account) = key.try_into().map(AccountId) else { return Ok(()) };
    let Some(router) = Router::read(book, &account) else { return Ok(()) };
    // It governed or validated since, or was put out: then there is a later time.
    if router.leaves.is_none_or(|leaves| cx.clock < leaves) {
        return Ok(());
    }
    let rows = &mut book.rows;
    let is_heir = |zone| lanes::replace(rows, cx, zone) || lanes::abandon(rows, cx, zone);
    match router.zone.map(is_heir) {
        // From now on it governs no more, and answers for what it signed until now.
        Some(true) => return Ok(()),
        None if !council::is_validator(&book.rows, &router.key) => {}
        _ => {
            book.schedule(cx.clock.plus(again(cx)), RELEASE, key);
            return Ok(());
        }
    }
    let rows = &mut book.rows;
    ROUTERS.remove(rows, &account);
    ROUTER_KEYS.remove(rows, &router.key);
    let bond = bond_of(book, &account);
    book.shift(bond_party(&account), Party::Account(account), bond, "bond back")
}

/// The time after which a bond that could not be paid out is looked at again.
fn again(cx: &Context) -> Millis {
    cx.params.epoch_ms.max(Millis(1))
}

/// Forgets a key that was replaced long enough ago (spec RTR-9).
pub(crate) fn forget_key(key: &[u8], cx: &Context, book: &mut Book) {
    let Ok(key) = key.try_into().map(PublicKey) else { return };
    let past = RouterKey::read(book, &key).and_then(|known| known.past);
    if past.is_some_and(|past| past.until <= cx.clock) {
        ROUTER_KEYS.remove(&mut book.rows, &key);
    }
}

/// What follows for routers from the end of an epoch, in this order: lanes find successors, a
/// zone opens, the validators change, an upgrade is agreed on.
pub(crate) fn end_epoch(
    book: &mut Book,
    cx: &Context,
    is_full: impl Fn(&crate::state::Overlay<'_>, Zone) -> bool,
) {
    let rows = &mut book.rows;
    lanes::succeed(rows, cx);
    lanes::open(rows, cx, is_full);
    council::choose(rows, cx);
    upgrade::agree(rows, cx);
}
