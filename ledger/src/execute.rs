//! Executing an anchor: the same changes and receipts on every node.
//!
//! Order: the end of an epoch that is over; lanes, rotated by the beacon, in each by sequence
//! number; deadlines that are due; the sharing-out of fees (spec EXE-1 … EXE-8).

use std::collections::BTreeSet;

use crate::admit::{Fare, LAPSE, fee_of, lapse, may_execute, take_fee, use_nonce};
use crate::amount::Amount;
use crate::anchor::{AnchorBody, Span};
use crate::book::{Book, Party, Scope};
use crate::codec::encode;
use crate::context::{Context, Origin};
use crate::event::{Checked, Role};
use crate::fault::StoreFault;
use crate::fees::Fees;
use crate::guard::guarded;
use crate::hash::Hash;
use crate::ids::{AccountId, Millis, Zone};
use crate::merkle::list_root;
use crate::mint::Mint;
use crate::names::{self, Naming};
use crate::receipt::{EventPlace, Outcome, RECEIPT_VERSION, Receipt, Subject};
use crate::refusal::Refusal;
use crate::registry::{Apply, Registry, Row};
use crate::routers::{self, FORGET_KEY, FORGET_TERM, PROTOCOL_VERSION, RELEASE, Routers};
use crate::stamp::Stamps;
use crate::state::{Changes, Overlay, StateReader};
use crate::system::{
    AGENDA, EPOCHS, EpochRecord, HEAD, Head, LANES, STATE_VERSION, ZONE_EPOCHS, params, value_index,
};
use crate::table::Rows;

/// What executing an anchor did.
#[derive(Clone, Debug)]
pub struct Executed {
    /// The new head.
    pub head: Head,
    /// Rows written and removed.
    pub changes: Changes,
    /// What happened, in order.
    pub receipts: Vec<Receipt>,
    /// Over the receipts' canonical bytes.
    pub receipts_root: Hash,
    /// Which names the receipts are about; outside the roots.
    pub names: Vec<Naming>,
}

const NOT_CONSERVED: Halt = Halt::Broken("money was created or lost");

/// Why an anchor could not be executed: the node must stop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Halt {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// The state broke a promise: a bug of ours.
    #[error("the ledger broke its own promise: {0}; stop and report this")]
    Broken(&'static str),
    /// The network goes on by rules that this release does not know.
    #[error(
        "the network goes on by protocol version {needed}, this release knows {known}; \
         nothing is lost: start a newer release on the same data folder"
    )]
    Outdated {
        /// The version in force.
        needed: u32,
        /// The highest this code executes.
        known: u32,
    },
}

/// Executes a checked anchor over the state before it.
pub fn execute(
    registry: &Registry,
    base: &dyn StateReader,
    body: &AnchorBody,
    spans: &[Span],
) -> Result<Executed, Halt> {
    let rows = Overlay::new(base);
    let before = Head::read(&rows).ok_or(Halt::Broken("a state without a head"))?;
    let head = next_head(&rows, &before, body);
    known_rules(&rows, &head)?;
    let cx = Context {
        height: head.height,
        time: head.time,
        clock: head.clock,
        epoch: head.epoch,
        beacon: head.beacon,
        params: params(&rows),
        fees: Fees::at(value_index(&rows)),
        origin: None,
    };
    let book = Book::open(rows, head.time);
    let (receipts, names, executed) = (Vec::new(), Vec::new(), BTreeSet::new());
    let mut run = Run { registry, cx, book, receipts, names, executed };
    Stamps::turn(&mut run.book.rows, &run.cx, head.clock_start);
    routers::council::move_up(&mut run.book.rows);
    routers::upgrade::begin(&mut run.book.rows, &run.cx);
    // Who sealed the blocks has their fees, whoever governs the lane afterwards.
    let sealers: Vec<Option<AccountId>> = rotated(spans, &head.beacon)
        .map(|span| Some(LANES.get(&run.book.rows, &span.zone)?.router))
        .collect();
    if head.epoch > before.epoch {
        run.end_epoch(&before);
    }
    let mut accounts: Vec<(Zone, AccountId, Dues)> = Vec::new();
    for (span, sealer) in rotated(spans, &head.beacon).zip(sealers) {
        if let Some(sealer) = sealer {
            accounts.push((span.zone, sealer, run.lane(span)?));
        }
    }
    run.deadlines()?;
    for (zone, sealer, dues) in accounts {
        run.settle_lane(zone, sealer, dues)?;
    }
    run.finish(head)
}

fn rotated<'a>(spans: &'a [Span], beacon: &Hash) -> impl Iterator<Item = &'a Span> {
    let [a, b, c, d, ..] = beacon.0;
    let start = u32::from_le_bytes([a, b, c, d]) as usize;
    let start = start.checked_rem(spans.len()).unwrap_or_default();
    let (front, back) = spans.split_at_checked(start).unwrap_or((spans, &[]));
    back.iter().chain(front)
}

/// Whether this release may execute, propose and vote for an anchor after the state before it
/// (spec RTR-20).
///
/// # Errors
/// It needs rules that this release does not know: the node must stop before it.
pub fn may_follow<R: Rows + ?Sized>(before: &R, body: &AnchorBody) -> Result<(), Halt> {
    let head = Head::read(before).ok_or(Halt::Broken("a state without a head"))?;
    known_rules(before, &next_head(before, &head, body))
}

fn known_rules<R: Rows + ?Sized>(rows: &R, head: &Head) -> Result<(), Halt> {
    let needed = routers::protocol_at(rows, head.epoch);
    match needed > PROTOCOL_VERSION {
        true => Err(Halt::Outdated { needed, known: PROTOCOL_VERSION }),
        false => Ok(()),
    }
}

fn next_head<R: Rows + ?Sized>(rows: &R, before: &Head, body: &AnchorBody) -> Head {
    let params = params(rows);
    let time = body.time(before.time);
    let step = time.since(before.time).min(params.clock_step_ms_max);
    let clock = before.clock.plus(step);
    let elapsed = clock.since(before.clock_start).0;
    Head {
        version: STATE_VERSION,
        height: body.height,
        anchor: body.id(),
        time,
        clock,
        clock_start: before.clock_start,
        epoch: elapsed.checked_div(params.epoch_ms.0).unwrap_or_default(),
        beacon: body.beacon(&before.beacon),
        receipts: 0,
    }
}

/// What a lane's blocks brought in an anchor.
#[derive(Clone, Copy, Debug, Default)]
struct Dues {
    /// The fees of what was executed.
    fees: Amount,
    /// How many events were void.
    voids: u64,
    /// What the router owes for these.
    owed: Amount,
}

struct Run<'r, 's> {
    registry: &'r Registry,
    cx: Context,
    book: Book<'s>,
    receipts: Vec<Receipt>,
    names: Vec<Naming>,
    /// What lanes have executed, to know their copies in lanes that come later.
    executed: BTreeSet<Hash>,
}

impl Run<'_, '_> {
    /// Closes the epoch that ended with the anchor before: its record, for ever.
    fn end_epoch(&mut self, before: &Head) {
        let lanes = LANES.scan(&self.book.rows, None, crate::anchor::TIPS_MAX);
        // A lane's first number is 1.
        let sequenced = lanes.iter().map(|(_, lane)| lane.next_number.saturating_sub(1));
        let events = sequenced.fold(0, u64::saturating_add);
        let (height, time, supply) = (before.height, before.time, self.book.supply);
        let record = EpochRecord { height, time, supply, events };
        EPOCHS.put(&mut self.book.rows, &before.epoch, &record);
        for (zone, lane) in lanes {
            ZONE_EPOCHS.put(&mut self.book.rows, &(before.epoch, zone), &lane.next_number);
        }
        let (registry, params) = (self.registry, &self.cx.params);
        let is_full = |rows: &Overlay, zone| registry.is_full(rows, params, zone);
        routers::end_epoch(&mut self.book, &self.cx, is_full);
    }

    /// Executes a lane's blocks; answers what is due for them.
    fn lane(&mut self, span: &Span) -> Result<Dues, Halt> {
        let fees_before = self.book.supply.fees;
        let mut dues = Dues::default();
        for block in &span.blocks {
            let header = block.header();
            for (event, place) in block.events().iter().zip(0u32..) {
                let draft = event.draft();
                let subject = EventPlace {
                    id: event.id(),
                    author: draft.author,
                    tag: draft.tag,
                    zone: span.zone,
                    number: header.first_number.saturating_add(u64::from(place)),
                    term: header.term,
                    block: header.height,
                    place,
                };
                let id = subject.id;
                if !self.event(event, subject)? {
                    self.executed.insert(id);
                    continue;
                }
                dues.voids = dues.voids.saturating_add(1);
                if !self.executed.contains(&id) {
                    let price = routers::void_price(&self.cx, event.bytes().len());
                    dues.owed = dues.owed.plus(price).unwrap_or(Amount::MAX);
                }
            }
        }
        self.go_on(span, dues.voids);
        dues.fees = self.book.supply.fees.minus(fees_before).unwrap_or_default();
        Ok(dues)
    }

    /// Notes how far a lane counts. Its term may have closed in this very anchor: then the
    /// blocks still count, and the next term goes on after them.
    fn go_on(&mut self, span: &Span, voids: u64) {
        let rows = &mut self.book.rows;
        let (Some(mut lane), Some(last)) = (LANES.get(rows, &span.zone), span.blocks.last()) else {
            return;
        };
        let header = last.header();
        lane.voids = lane.voids.saturating_add(voids);
        lane.next_number = header.first_number.saturating_add(u64::from(header.count));
        if lane.term == header.term {
            lane.height = header.height;
            lane.tip = last.id();
            lane.heard = self.cx.clock;
        }
        LANES.put(rows, &span.zone, &lane);
    }

    /// Executes one event; answers whether it was void.
    fn event(&mut self, event: &Checked, place: EventPlace) -> Result<bool, Halt> {
        // A void event takes back its own changes, not those of the lane or epoch before it.
        self.book.rows.keep();
        let Some((programme, row)) = self.registry.event(event.draft().tag) else {
            return Err(Halt::Broken("a checked event without a row"));
        };
        self.cx.origin = Some(Origin {
            chain: event.draft().chain,
            author: place.author,
            role: event.draft().role,
            key: event.draft().key,
            event: place.id,
            zone: place.zone,
            number: place.number,
            place: u32::try_from(self.receipts.len()).unwrap_or(u32::MAX),
        });
        self.book.scope.programme = programme.id;
        let admitted = may_execute(&self.book, &self.cx, event, row).and_then(|fare| {
            take_fee(&mut self.book, &self.cx, event, row, (fare, place.zone))?;
            Ok((fee_of(&self.cx, event, fare), fare))
        });
        self.no_fault()?;
        let (outcome, fee) = match admitted {
            Err(refusal) => {
                self.book.rows.undo();
                self.book.postings.clear();
                (Outcome::Void(refusal.code.to_string()), Amount::ZERO)
            }
            // What costs nothing leaves nothing where its rules refuse it (spec EVT-15); where
            // they break, its nonce is used none the less (spec EXE-5).
            Ok((fee, Fare::Free)) => (
                match self.apply(event, row)? {
                    Outcome::Refused(code) => Outcome::Void(code),
                    outcome => {
                        if let Outcome::Bug(_) = outcome {
                            use_nonce(&mut self.book, &self.cx, event.draft(), Fare::Free);
                        }
                        outcome
                    }
                },
                fee,
            ),
            Ok((fee, _)) => {
                self.book.rows.keep();
                (self.apply(event, row)?, fee)
            }
        };
        let is_void = matches!(outcome, Outcome::Void(_));
        if !is_void {
            // What is void did nothing and cost nothing: it is no part of a name's history.
            self.name(|_| names::of_event(row, event.draft().body.as_slice()));
        }
        self.receipt(Subject::Event(place), outcome, fee);
        Ok(is_void)
    }

    fn apply(&mut self, event: &Checked, row: &Row) -> Result<Outcome, Halt> {
        let draft = event.draft();
        self.book.scope.spender = (draft.role == Role::Owner).then_some(draft.author);
        let body = draft.body.as_slice();
        let apply = row.apply;
        let outcome = self.guarded(|cx, book| match apply {
            Apply::Book(apply) => apply(body, cx, book),
            Apply::Mint(apply) => apply(body, cx, &mut Mint::new(book)),
            Apply::Routers(apply) => apply(body, cx, &mut Routers::new(book)),
        });
        self.no_fault()?;
        Ok(outcome)
    }

    /// Runs a programme's rule. A refusal, or a bug of the programme's, changes nothing.
    fn guarded(
        &mut self,
        rule: impl FnOnce(&Context, &mut Book) -> Result<(), Refusal>,
    ) -> Outcome {
        let (supply, postings) = (self.book.supply, self.book.postings.len());
        let (cx, book) = (&self.cx, &mut self.book);
        let result = guarded(|| rule(cx, book));
        let outcome = match result {
            Ok(Ok(())) if self.book.supply.is_conserved() => Outcome::Done,
            Ok(Ok(())) => Outcome::Bug("ledger.not_conserved".to_string()),
            Ok(Err(refusal)) => Outcome::Refused(refusal.code.to_string()),
            Err(bug) => Outcome::Bug(bug.code.to_string()),
        };
        if outcome != Outcome::Done {
            self.book.rows.undo();
            self.book.supply = supply;
            self.book.postings.truncate(postings);
        }
        self.book.rows.keep();
        self.book.scope.spender = None;
        outcome
    }

    /// Works off deadlines that the epoch clock has reached, earliest first, at most as many
    /// as the parameters allow; the rest waits for the next anchor.
    fn deadlines(&mut self) -> Result<(), Halt> {
        self.cx.origin = None;
        let limit = self.cx.params.anchor_deadlines_max as usize;
        let (due, clock) = (AGENDA.scan(&self.book.rows, None, limit), self.cx.clock.0);
        for ((at, tag, key), ()) in due.into_iter().filter(|((at, ..), ())| *at <= clock) {
            AGENDA.remove(&mut self.book.rows, &(at, tag, key.clone()));
            self.book.rows.keep();
            if self.own_deadline(tag, &key)? {
                if !self.book.supply.is_conserved() {
                    return Err(NOT_CONSERVED);
                }
                self.book.rows.keep();
                self.no_fault()?;
                self.receipt(Subject::Deadline { tag, key }, Outcome::Done, Amount::ZERO);
                continue;
            }
            let Some((programme, deadline)) = self.registry.deadline(tag) else {
                return Err(Halt::Broken("a deadline that no programme has"));
            };
            self.book.scope = Scope { programme: programme.id, spender: None };
            let outcome = self.guarded(|cx, book| (deadline.run)(&key, cx, book));
            self.no_fault()?;
            self.name(|registry| names::of_deadline(registry, tag, &key));
            self.receipt(Subject::Deadline { tag, key }, outcome, Amount::ZERO);
        }
        Ok(())
    }

    /// Runs a deadline of the ledger's own; answers whether it is one.
    fn own_deadline(&mut self, tag: u16, key: &[u8]) -> Result<bool, Halt> {
        let (cx, book) = (&self.cx, &mut self.book);
        match tag {
            LAPSE => lapse(key, cx, book),
            RELEASE => routers::release(key, cx, book)
                .map_err(|_| Halt::Broken("a bond that cannot be paid out"))?,
            FORGET_KEY => routers::forget_key(key, cx, book),
            FORGET_TERM => routers::lanes::forget_term(key, &mut book.rows, cx),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Half of a zone's fees to the router that sealed, the rest to the pool; and its bond pays
    /// for the room that void events took.
    fn settle_lane(&mut self, zone: Zone, sealer: AccountId, dues: Dues) -> Result<(), Halt> {
        let half = dues.fees.half();
        let rest = dues.fees.minus(half).unwrap_or_default();
        let from = Party::Fees(zone);
        let router = Party::Account(sealer);
        let shared = self
            .book
            .shift(from.clone(), router, half, "router's half")
            .and_then(|()| self.book.shift(from, Party::Pool, rest, "pool's half"));
        shared.map_err(|_| Halt::Broken("fees that cannot be shared out"))?;
        routers::pay_for_voids(&mut self.book, &self.cx, sealer, dues.owed)
            .map_err(|_| Halt::Broken("a bond that cannot pay"))?;
        if !self.book.postings.is_empty() {
            self.receipt(Subject::Fees { zone }, Outcome::Done, Amount::ZERO);
        }
        Ok(())
    }

    /// Says that the next receipt is about these names of the programme at work.
    fn name<N: IntoIterator<Item = String> + Default>(
        &mut self,
        find: impl FnOnce(&Registry) -> N,
    ) {
        // Programmes show bodies and keys: a panic of theirs is contained here, too.
        let names = guarded(|| find(self.registry)).unwrap_or_default();
        let index = u32::try_from(self.receipts.len()).unwrap_or(u32::MAX);
        let programme = self.book.scope.programme;
        let naming = |name| Naming { index, programme, name };
        self.names.extend(names.into_iter().map(naming));
    }

    fn receipt(&mut self, subject: Subject, outcome: Outcome, fee: Amount) {
        self.receipts.push(Receipt {
            version: RECEIPT_VERSION,
            height: self.cx.height,
            index: u32::try_from(self.receipts.len()).unwrap_or(u32::MAX),
            subject,
            outcome,
            fee,
            postings: std::mem::take(&mut self.book.postings),
        });
    }

    fn no_fault(&self) -> Result<(), Halt> {
        match self.book.rows.fault() {
            Some(fault) => Err(Halt::Store(fault)),
            None => Ok(()),
        }
    }

    fn finish(mut self, mut head: Head) -> Result<Executed, Halt> {
        if !self.book.supply.is_conserved() || !self.book.supply.fees.is_zero() {
            return Err(NOT_CONSERVED);
        }
        head.receipts = u32::try_from(self.receipts.len()).unwrap_or(u32::MAX);
        let rows = &mut self.book.rows;
        HEAD.put(rows, &(), &head);
        let receipts_root = list_root(self.receipts.iter().map(encode));
        let changes = self.book.finish()?;
        let (receipts, names) = (self.receipts, self.names);
        Ok(Executed { head, changes, receipts, receipts_root, names })
    }
}

/// When the proposer should make the next anchor at once although no tip waits: the last one
/// changed something whose root nobody certified yet, or a deadline is due by `now`.
pub fn wants_anchor(
    head: &Head,
    deadline: Option<Millis>,
    params_step: Millis,
    now: Millis,
) -> bool {
    let clock = head.clock.plus(now.since(head.time).min(params_step));
    head.receipts > 0 || deadline.is_some_and(|due| due <= clock)
}
