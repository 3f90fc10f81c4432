//! Events, and what can be said of one without any state (EVT-1 … EVT-6).

use crate::accounts::Accounts;
use crate::bank::Bank;
use crate::canonical::{Canonical, Id, Time, hash};
use crate::domains::Domains;
use crate::locks::Locks;
use crate::money::amount_max;
use crate::routers::Routers;
use crate::stamps::Stamp;
use crate::state::{By, State, demand};
use crate::usernames::Usernames;
use crate::zones::Zones;
use crate::{Code, Money};

/// Events that any role may sign; all others are the owner's (EVT-4).
const FOR_ANYONE: [u16; 5] = [204, 302, 305, 402, 408];
/// Events that a router's key may sign as well as the owner's (EVT-4).
const FOR_ROUTERS: [u16; 3] = [406, 409, 410];

/// In which role a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // docs/spec/events.md says what each is.
pub enum Role {
    Owner,
    Node,
    Router,
}

impl Canonical for Role {
    fn write(&self, out: &mut Vec<u8>) {
        (*self as u8).write(out);
    }
}

/// An event, good or bad.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // docs/spec/events.md says what each is.
pub struct Event {
    pub version: u8,
    pub chain: Id,
    pub author: Id,
    pub key: Id,
    pub role: Role,
    pub nonce: u64,
    pub valid_until: Time,
    pub deed: Deed,
    pub signature: [u8; 64],
    /// Whether the signature is the key's: verifying is somebody else's work.
    pub is_signed: bool,
    /// Bytes after its end, where none may be.
    pub tail: Vec<u8>,
}

impl Event {
    /// What is signed.
    pub fn digest(&self) -> Id {
        hash("ddt v1 event signature", &[&self.draft()])
    }

    /// What travels.
    pub fn sent(&self) -> Vec<u8> {
        [self.draft().as_slice(), &self.signature, &self.tail].concat()
    }

    /// Its id.
    pub fn id(&self) -> Id {
        hash("ddt v1 event id", &[&self.sent()])
    }

    fn draft(&self) -> Vec<u8> {
        let mut out = Vec::new();
        (self.version, self.chain, self.author, self.key, self.role).write(&mut out);
        (self.nonce, self.valid_until, self.deed.tag(), self.deed.body()).write(&mut out);
        out
    }
}

impl State {
    /// Whether an event can stand in a block at all: asked before any state is.
    pub fn check(&self, event: &Event) -> Result<(), Code> {
        demand(event.version == 1, "event.version")?;
        demand(event.sent().len() <= 16_640, "event.too_long")?;
        demand(event.tail.is_empty(), "event.malformed")?;
        demand(event.chain == self.chain, "event.chain")?;
        let is_known = !matches!(event.deed, Deed::Unknown { .. });
        demand(is_known, "event.unknown_tag")?;
        let is_for_router = event.role == Role::Router && event.deed.is_for_routers();
        let is_allowed = event.role == Role::Owner || event.deed.is_for_anyone() || is_for_router;
        demand(is_allowed, "event.role")?;
        event.deed.rules().check()?;
        demand(event.is_signed, "event.signature")
    }
}

/// What an event says.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // Each is the events of one page of the specification.
pub enum Deed {
    Accounts(Accounts),
    Bank(Bank),
    Locks(Locks),
    Domains(Domains),
    Zones(Zones),
    Routers(Routers),
    Usernames(Usernames),
    /// A tag that no event has.
    Unknown {
        tag: u16,
    },
    /// A tag with another body than its own.
    Garbage {
        tag: u16,
        body: Vec<u8>,
    },
}

/// What a programme says of one of its events.
pub(crate) trait Rules {
    fn tag(&self) -> u16;
    fn body(&self) -> Vec<u8>;
    /// Rules without a state (EVT-5).
    fn check(&self) -> Result<(), Code>;
    /// What it does, or why not.
    fn apply(&self, state: &mut State, by: &By) -> Result<(), Code>;
    /// The stamp it carries, and whether that has to be a heavy one.
    fn stamp(&self) -> Option<(Stamp, bool)> {
        None
    }
    /// The hold that pays the fee instead of the author.
    fn payer(&self, _: &State) -> Option<(u16, Id)> {
        None
    }
}

struct Nothing;

impl Rules for Nothing {
    fn tag(&self) -> u16 {
        0
    }
    fn body(&self) -> Vec<u8> {
        Vec::new()
    }
    fn check(&self) -> Result<(), Code> {
        Err("event.body")
    }
    fn apply(&self, _: &mut State, _: &By) -> Result<(), Code> {
        unreachable!("no block has it")
    }
}

impl Deed {
    pub(crate) fn rules(&self) -> &dyn Rules {
        match self {
            Deed::Accounts(deed) => deed,
            Deed::Bank(deed) => deed,
            Deed::Locks(deed) => deed,
            Deed::Domains(deed) => deed,
            Deed::Zones(deed) => deed,
            Deed::Routers(deed) => deed,
            Deed::Usernames(deed) => deed,
            Deed::Unknown { .. } | Deed::Garbage { .. } => &Nothing,
        }
    }

    /// Which event of the registry it is.
    pub fn tag(&self) -> u16 {
        match self {
            Deed::Unknown { tag } | Deed::Garbage { tag, .. } => *tag,
            deed => deed.rules().tag(),
        }
    }

    /// Its fields.
    pub fn body(&self) -> Vec<u8> {
        match self {
            Deed::Garbage { body, .. } => body.clone(),
            deed => deed.rules().body(),
        }
    }

    /// Whether any role may sign it.
    pub fn is_for_anyone(&self) -> bool {
        FOR_ANYONE.contains(&self.tag())
    }

    /// Whether a router's key may sign it.
    pub fn is_for_routers(&self) -> bool {
        FOR_ROUTERS.contains(&self.tag())
    }

    /// Whether the stamp it carries has to be a heavy one; nothing if it carries none.
    pub fn is_stamp_heavy(&self) -> Option<bool> {
        self.rules().stamp().map(|(_, is_heavy)| is_heavy)
    }

    /// Puts a stamp on an event that takes one.
    pub fn set_stamp(&mut self, with: Stamp) {
        match self {
            Deed::Zones(deed) => *deed.stamp_mut() = Some(with),
            Deed::Routers(Routers::Evidence { stamp, .. }) => *stamp = Some(with),
            Deed::Usernames(deed) => *deed.stamp_mut() = Some(with),
            _ => {}
        }
    }
}

/// No field holds more than there can be.
pub(crate) fn check_amounts(amounts: &[&Money]) -> Result<(), Code> {
    demand(amounts.iter().all(|amount| **amount <= amount_max()), "amount.too_large")
}
