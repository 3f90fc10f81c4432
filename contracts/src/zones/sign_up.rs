//! Joining a zone.

use ddt_ledger::accounts::Duty;
use ddt_ledger::book::{Book, DUTY_EXISTS};
use ddt_ledger::context::Context;
use ddt_ledger::event::Role;
use ddt_ledger::registry::Event;
use ddt_ledger::stamp::{Stamp, StampWeight};
use ddt_ledger::system::Lane;
use ddt_ledger::{AccountId, Amount, Millis, PublicKey, Refusal, Zone, event, refusals};

use super::record::{MEMBERS, MemberRow, SEATS, Standing, move_seat, newcomer_seats, take_seat};
use super::{DRAW, LEASE};

event! {
    /// Makes the author a member of a zone; the next anchor draws its address.
    SignUp = "zones.sign_up", Owner, "Become a member of zone {zone}, with an address at random"
    {
        /// The zone.
        zone: Zone,
        /// The node that is heard of for the member: it may act for the account, for duties
        /// only, and has no coins to spend.
        node_key: Option<PublicKey>,
        /// Work in the place of the fee.
        stamp: Option<Stamp>,
    }
}

refusals! {
    NO_ZONE = "zones.no_zone", "This network has no such zone; choose another.";
    MEMBER = "zones.member_already", "The account is a member already; leave first.";
    FULL = "zones.full", "Every seat of the zone is taken; choose another zone.";
    NEWCOMERS_FULL = "zones.newcomers_full",
        "Newcomers hold a quarter of the zone's seats, which is all they may; choose another zone.";
    UNGOVERNED = "zones.ungoverned",
        "That zone has no router at present and takes no members; choose another.";
    NODE_KEYS = "zones.node_keys",
        "The account has 8 node keys or more; sign up with one of them, or without.";
}

/// An account with so many node keys cannot name another one by signing up.
const NODE_KEYS_MAX: usize = 8;

fn is_governed(book: &Book, zone: Zone) -> bool {
    Lane::read(book, zone).is_some_and(|lane| lane.is_governed)
}

impl SignUp {
    /// A guest of a zone without a router joins this one: the address and everything else
    /// stays (spec ZON-10).
    fn join_from(&self, book: &mut Book, author: &AccountId, mut member: MemberRow) {
        move_seat(book, &mut member, self.zone);
        member.node_key = self.node_key.or(member.node_key);
        MEMBERS.put(book, author, &member);
    }
}

impl Event for SignUp {
    const REFUSALS: &'static [Refusal] =
        &[NO_ZONE, MEMBER, UNGOVERNED, FULL, NEWCOMERS_FULL, NODE_KEYS, DUTY_EXISTS];
    const STAMP: Option<StampWeight> = Some(StampWeight::Light);
    const WORK: u32 = 2;

    fn stamp(&self) -> Option<Stamp> {
        self.stamp.clone()
    }

    fn apply(&self, cx: &Context, book: &mut Book) -> Result<(), Refusal> {
        let origin = cx.origin()?;
        let author = origin.author;
        let lane = Lane::read(book, self.zone).ok_or(NO_ZONE)?;
        let known = MEMBERS.get(book, &author);
        if let Some(member) = &known
            && is_governed(book, member.zone)
        {
            return Err(MEMBER);
        }
        if !lane.is_governed {
            return Err(UNGOVERNED);
        }
        let seats = SEATS.get(book, &self.zone).unwrap_or_default();
        if seats.members >= cx.params.zone_seats {
            return Err(FULL);
        }
        if seats.newcomers >= newcomer_seats(&cx.params) {
            return Err(NEWCOMERS_FULL);
        }
        if let Some(key) = self.node_key {
            match book.duty_role(&author, &key) {
                // A member that comes back may keep its node.
                Some(Role::Node) => {}
                // What costs no coins must not fill the state: no row of a key ever goes while
                // its account stays.
                _ if Duty::of_account(book, &author, None, NODE_KEYS_MAX).len()
                    >= NODE_KEYS_MAX =>
                {
                    return Err(NODE_KEYS);
                }
                _ => book.grant_duty(Role::Node, key, Amount::ZERO)?,
            }
        }
        if let Some(member) = known {
            self.join_from(book, &author, member);
            return Ok(());
        }
        take_seat(book, &self.zone);
        let member = MemberRow {
            zone: self.zone,
            lane: origin.zone,
            number: origin.number,
            joined: cx.clock,
            seen: cx.clock,
            node_key: self.node_key,
            address: None,
            standing: Standing::New,
        };
        MEMBERS.put(book, &author, &member);
        book.schedule(cx.clock.plus(Millis(1)), DRAW, &author.0);
        book.schedule(cx.clock.plus(cx.params.lease_ms), LEASE, &author.0);
        Ok(())
    }
}
