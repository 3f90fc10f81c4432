//! Tickets that were given to events here and may not have been used yet: of two events with
//! one ticket only one can ever count. A note in the data folder, no more: it may be deleted.

use std::path::PathBuf;

use ddt_ledger::{AccountId, ChainId, Hash, Millis};
use serde::{Deserialize, Serialize};

use super::{Global, lock};
use crate::cli::connection::{home, now_us};
use crate::failure::Failure;
use crate::secret_file;

const VERSION: u32 = 1;
/// Most claims remembered; the one that expires first is forgotten for a new one.
const CLAIMS_MAX: usize = 200;

/// A ticket, and the event it was given to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// On which chain.
    pub chain: ChainId,
    /// Whose ticket.
    pub account: AccountId,
    /// The ticket.
    pub ticket: u64,
    /// The event.
    pub event: Hash,
    /// When the event is void anyway.
    pub valid_until: Millis,
}

#[derive(Serialize, Deserialize)]
struct File {
    version: u32,
    claims: Vec<Claim>,
}

/// The claims of this data folder that may still count.
pub struct Claims(Vec<Claim>);

fn path(global: &Global) -> PathBuf {
    home(global).join("tickets.json")
}

impl Claims {
    /// Reads them; a note that does not read counts as none.
    pub fn load(global: &Global) -> Result<Claims, Failure> {
        let text = secret_file::read(&path(global))?;
        let file = text.and_then(|text| serde_json::from_str::<File>(&text).ok());
        let now = Millis(now_us() / 1_000);
        let claims = file.filter(|file| file.version == VERSION).map(|file| file.claims);
        let still = claims.unwrap_or_default().into_iter().filter(|it| it.valid_until > now);
        Ok(Claims(still.collect()))
    }

    /// The event that a ticket was given to.
    pub fn of(&self, chain: ChainId, account: &AccountId, ticket: u64) -> Option<&Claim> {
        let is = |claim: &&Claim| {
            claim.chain == chain && claim.account == *account && claim.ticket == ticket
        };
        self.0.iter().find(is)
    }

    /// Notes that a ticket was given to an event.
    pub fn add(global: &Global, claim: Claim) -> Result<(), Failure> {
        let path = path(global);
        let _alone = lock::hold(&path)?;
        let Claims(mut claims) = Claims::load(global)?;
        claims.retain(|known| {
            (known.chain, known.account, known.ticket) != (claim.chain, claim.account, claim.ticket)
        });
        claims.push(claim);
        claims.sort_by_key(|claim| claim.valid_until);
        let surplus = claims.len().saturating_sub(CLAIMS_MAX);
        claims.drain(..surplus);
        let text = serde_json::to_string(&File { version: VERSION, claims });
        let text = text.map_err(|error| Failure::fault(error.to_string()))?;
        secret_file::replace(&path, &text)
    }
}
