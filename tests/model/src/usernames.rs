//! Usernames (USR-4 … USR-12).

use crate::Code;
use crate::canonical::{Canonical, Id, Time, hash};
use crate::event::Rules;
use crate::stamps::Stamp;
use crate::state::{By, State, demand, id};

/// What a commit publishes (USR-4).
pub fn claim_hash(author: &Id, row: &Id, ciphertext: &[u8], salt: &Id) -> Id {
    let ciphertext = ciphertext.to_vec();
    hash("ddt v1 username commit", &[&(author, row, ciphertext, salt).bytes()])
}

/// What a new one-time key signs (USR-9).
pub fn username_digest(row: &Id, new_key: &Id) -> Id {
    hash("ddt v1 username possession", &[row, new_key])
}

#[derive(Clone, Debug)]
pub(crate) struct Username {
    pub holder: Id,
    pub from: Time,
    pub until: Time,
    pub ciphertext: Vec<u8>,
}

/// Events of usernames.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // docs/spec/usernames.md says what each is.
pub enum Usernames {
    Commit {
        hash: Id,
        stamp: Option<Stamp>,
    },
    Claim {
        row: Id,
        ciphertext: Vec<u8>,
        salt: Id,
        stamp: Option<Stamp>,
    },
    Rotate {
        row: Id,
        new_key: Id,
        possession: Vec<u8>,
        ciphertext: Vec<u8>,
        stamp: Option<Stamp>,
        /// Whether the new key signed: verifying is somebody else's work.
        is_possessed: bool,
    },
    Renew {
        row: Id,
        stamp: Option<Stamp>,
    },
    Release {
        row: Id,
        stamp: Option<Stamp>,
    },
}

use Usernames::*;

impl Usernames {
    pub(crate) fn stamp_mut(&mut self) -> &mut Option<Stamp> {
        match self {
            Commit { stamp, .. } | Claim { stamp, .. } | Rotate { stamp, .. } => stamp,
            Renew { stamp, .. } | Release { stamp, .. } => stamp,
        }
    }
}

impl Rules for Usernames {
    fn tag(&self) -> u16 {
        match self {
            Commit { .. } => 501,
            Claim { .. } => 502,
            Rotate { .. } => 503,
            Renew { .. } => 504,
            Release { .. } => 505,
        }
    }

    fn body(&self) -> Vec<u8> {
        match self {
            Commit { hash, stamp } => (hash, stamp).bytes(),
            Claim { row, ciphertext, salt, stamp } => (row, ciphertext, salt, stamp).bytes(),
            Rotate { row, new_key, possession, ciphertext, stamp, .. } => {
                (row, new_key, possession, ciphertext, stamp).bytes()
            }
            Renew { row, stamp } | Release { row, stamp } => (row, stamp).bytes(),
        }
    }

    fn check(&self) -> Result<(), Code> {
        let ciphertext = match self {
            Claim { ciphertext, .. } | Rotate { ciphertext, .. } => Some(ciphertext.len()),
            _ => None,
        };
        demand(ciphertext.is_none_or(|length| length <= 296), "field.too_long")?;
        demand(self.stamp().is_some(), "usernames.no_stamp")?;
        demand(ciphertext.is_none_or(|length| length == 296), "usernames.ciphertext")?;
        let is_possessed = !matches!(self, Rotate { is_possessed: false, .. });
        demand(is_possessed, "usernames.possession")
    }

    fn stamp(&self) -> Option<(Stamp, bool)> {
        match self {
            Commit { stamp, .. } | Renew { stamp, .. } => stamp.map(|stamp| (stamp, true)),
            Claim { stamp, .. } | Rotate { stamp, .. } | Release { stamp, .. } => {
                stamp.map(|stamp| (stamp, false))
            }
        }
    }

    fn apply(&self, state: &mut State, by: &By) -> Result<(), Code> {
        match self {
            Commit { hash, .. } => state.commit_username(by, hash),
            Claim { row, ciphertext, salt, .. } => state.claim_username(by, row, ciphertext, salt),
            Rotate { row, new_key, ciphertext, .. } => {
                let username = state.own_username(by, row)?;
                state.check_free_key(new_key)?;
                let (holder, ciphertext) = (*new_key, ciphertext.clone());
                state.put_username(row, Username { holder, ciphertext, ..username });
                Ok(())
            }
            Renew { row, .. } => state.renew_username(by, row),
            Release { row, .. } => {
                let ends = state.username_ends(&state.own_username(by, row)?);
                state.unschedule(ends, 502, row);
                state.remove_username(row);
                Ok(())
            }
        }
    }
}

impl State {
    /// USR-4.
    fn commit_username(&mut self, by: &By, hash: &Id) -> Result<(), Code> {
        let (key, clock) = ((by.author, *hash), self.head.clock);
        let waits = self.username_commits.get(&key).is_some_and(|(_, _, end)| clock < *end);
        demand(!waits, "usernames.commit_exists")?;
        let expires = clock + self.params.commit_life_ms;
        self.username_commits.insert(key, (self.head.height, clock, expires));
        self.schedule(expires, 501, &[by.author, *hash].concat());
        Ok(())
    }

    /// USR-5, USR-6.
    fn claim_username(
        &mut self,
        by: &By,
        row: &Id,
        ciphertext: &[u8],
        salt: &Id,
    ) -> Result<(), Code> {
        let commit = (by.author, claim_hash(&by.author, row, ciphertext, salt));
        let found = self.username_commits.get(&commit);
        let (height, made, expires) = *found.ok_or("usernames.no_commit")?;
        let clock = self.head.clock;
        let is_old = clock >= made + self.params.commit_age_ms
            && self.head.height >= height + self.params.commit_age_anchors;
        demand(is_old, "usernames.too_early")?;
        demand(clock < expires, "usernames.too_late")?;
        demand(self.held_username(row).is_none(), "usernames.taken")?;
        self.check_free_key(&by.key)?;
        self.username_commits.remove(&commit);
        self.unschedule(expires, 501, &[commit.0, commit.1].concat());
        let until = clock + self.params.username_year_ms;
        let ciphertext = ciphertext.to_vec();
        let username = Username { holder: by.key, from: clock, until, ciphertext };
        let ends = self.username_ends(&username);
        self.put_username(row, username);
        self.schedule(ends, 502, row);
        Ok(())
    }

    /// USR-8.
    fn renew_username(&mut self, by: &By, row: &Id) -> Result<(), Code> {
        let mut username = self.own_username(by, row)?;
        let year = self.params.username_year_ms;
        let from = username.until - self.params.domain_renewal_ms.min(year / 2);
        demand(self.head.clock >= from, "usernames.renew_early")?;
        self.unschedule(self.username_ends(&username), 502, row);
        username.until += year;
        self.schedule(self.username_ends(&username), 502, row);
        self.put_username(row, username);
        Ok(())
    }

    fn username_ends(&self, username: &Username) -> Time {
        username.until + self.params.domain_grace_ms
    }

    fn held_username(&self, row: &Id) -> Option<&Username> {
        let username = self.usernames.get(row);
        username.filter(|username| self.head.clock < self.username_ends(username))
    }

    /// USR-7.
    fn own_username(&self, by: &By, row: &Id) -> Result<Username, Code> {
        let username = self.held_username(row).ok_or("usernames.unknown")?;
        demand(username.holder == by.key, "usernames.not_holder")?;
        Ok(username.clone())
    }

    fn check_free_key(&self, key: &Id) -> Result<(), Code> {
        let row = self.username_keys.get(key).and_then(|row| self.held_username(row));
        demand(row.is_none(), "usernames.key_used")
    }

    /// Whatever stood in the row's place, or was the key's, is over (USR-10, USR-11).
    fn put_username(&mut self, row: &Id, username: Username) {
        self.remove_username(row);
        if let Some(old) = self.username_keys.get(&username.holder).copied() {
            self.remove_username(&old);
        }
        self.username_keys.insert(username.holder, *row);
        self.usernames.insert(*row, username);
    }

    fn remove_username(&mut self, row: &Id) {
        if let Some(username) = self.usernames.remove(row) {
            self.username_keys.remove(&username.holder);
        }
    }

    pub(crate) fn expire_username_commit(&mut self, key: &[u8]) -> Result<(), Code> {
        let (key, clock) = ((id(&key[..32]), id(&key[32..])), self.head.clock);
        // The same commit may have been made again, with an end of its own.
        if self.username_commits.get(&key).is_some_and(|(_, _, end)| *end <= clock) {
            self.username_commits.remove(&key);
        }
        Ok(())
    }

    /// USR-10: the deadline of an earlier holder looks again at the end of the present one.
    pub(crate) fn expire_username(&mut self, key: &[u8]) -> Result<(), Code> {
        let row = id(key);
        let Some(username) = self.usernames.get(&row) else { return Ok(()) };
        let ends = self.username_ends(username);
        match self.head.clock < ends {
            true => self.schedule(ends, 502, key),
            false => self.remove_username(&row),
        }
        Ok(())
    }

    /// Whether a commit waits for its claim.
    pub fn has_username_commit(&self, author: &Id, hash: &Id) -> bool {
        self.username_commits.contains_key(&(*author, *hash))
    }

    /// The rows that are somebody's, and the keys that hold them.
    pub fn usernames_held(&self) -> Vec<(Id, Id)> {
        self.usernames.iter().map(|(row, username)| (*row, username.holder)).collect()
    }
}
