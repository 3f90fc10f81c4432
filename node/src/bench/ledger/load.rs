//! People who pay each other at random, and what they sign.

use ddt_contracts::REGISTRY;
use ddt_contracts::bank::{Batch, PAYMENTS_MAX, Payment, Transfer};
use ddt_contracts::domains::{Commit, DomainName, Reveal, commit_hash};
use ddt_ledger::codec::encode;
use ddt_ledger::event::{Checked, Draft, EVENT_VERSION, Role};
use ddt_ledger::genesis::{GENESIS_VERSION, Genesis, GenesisAccount, GenesisZone};
use ddt_ledger::params::Params;
use ddt_ledger::registry::{Declared, Registry};
use ddt_ledger::schema::{Bytes, List};
use ddt_ledger::vrf::VrfKey;
use ddt_ledger::{AccountId, Amount, ChainId, Hash, Millis, PublicKey, Signature, Zone};
use ed25519_dalek::{Signer, SigningKey};
use rayon::prelude::*;

use super::Kind;
use super::path::{Stages, Through};
use crate::bench::opaque;
use crate::failure::Failure;

pub const ZONE: Zone = Zone(0);
/// Events of one part of the founding.
const PART: usize = 10_000;
/// Long enough for anchors whose time runs ahead.
const VALIDITY: Millis = Millis(6 * 24 * 3_600_000);

/// Accounts of the genesis; they pay the others' first coins.
pub const FOUNDERS: usize = 1_000;

/// Accounts with money, and a router.
pub struct Load {
    accounts: Vec<AccountId>,
    /// Seals blocks and states times.
    pub router: SigningKey,
    pub genesis: Genesis,
    /// Purchases of domains between a commit and its reveal: so many anchors' that the commit is
    /// old enough.
    pub ripe_after: usize,
}

pub fn public(key: &SigningKey) -> PublicKey {
    PublicKey(key.verifying_key().to_bytes())
}

pub fn sign(key: &SigningKey, digest: &Hash) -> Signature {
    Signature(key.sign(&digest.0).to_bytes())
}

fn seeded(context: &'static str, index: usize) -> [u8; 32] {
    blake3::derive_key(context, &index.to_le_bytes())
}

/// The router's VRF key.
pub fn vrf() -> Result<VrfKey, Failure> {
    let key = VrfKey::from_seed(&seeded("ddt v1 UNSAFE bench vrf", 0));
    key.ok_or_else(|| Failure::fault("no VRF key"))
}

impl Load {
    /// So many accounts, in a network with the parameters of real ones. The first are there
    /// from the beginning, [`Load::found`] opens the others.
    pub fn new(accounts: usize) -> Load {
        let router = SigningKey::from_bytes(&seeded("ddt v1 UNSAFE bench router", 0));
        let balance = Amount::from_apt(100_000_000_000_000);
        let founder = |index| GenesisAccount { key: public(&key(index)), balance };
        let zone = |vrf: VrfKey| GenesisZone {
            zone: ZONE,
            router: AccountId::of(&public(&router)),
            key: public(&router),
            vrf_key: vrf.public(),
            bond: Params::network().router_bond_min(),
        };
        let genesis = Genesis {
            version: GENESIS_VERSION,
            name: "bench".to_string(),
            time_ms: crate::running::now(),
            pool: Amount::ZERO,
            params: Params::network(),
            zones: vrf().map(zone).into_iter().collect(),
            accounts: (0..accounts.min(FOUNDERS)).map(founder).collect(),
            node_keys: Vec::new(),
        };
        let id = |index| AccountId::of(&public(&key(index)));
        let accounts = (0..accounts).into_par_iter().map(id).collect();
        Load { accounts, router, genesis, ripe_after: 0 }
    }

    /// What opens the accounts that the genesis does not have, each with a million APT: a part at
    /// a time, for each event is checked and waits in memory.
    pub fn founding(
        &self,
        chain: ChainId,
    ) -> impl Iterator<Item = Result<Vec<Checked>, Failure>> + '_ {
        let time = crate::running::now();
        let amount = Amount::from_apt(1_000_000);
        let open = move |(at, accounts): (usize, &[AccountId])| {
            let payments = accounts.iter().map(|to| Payment { to: *to, amount }).collect();
            let body = encode(&Batch { payments: List::new(payments)? });
            signed(chain, at % FOUNDERS, (time, at), (&REGISTRY, tag::<Batch>()?), body)
        };
        let others = self.accounts.get(FOUNDERS..).unwrap_or_default();
        others.chunks(PART * PAYMENTS_MAX).enumerate().map(move |(part, accounts)| {
            let batches: Vec<&[AccountId]> = accounts.chunks(PAYMENTS_MAX).collect();
            let numbered = batches.into_par_iter().enumerate();
            let events: Option<Vec<Checked>> =
                numbered.map(|(at, accounts)| open((part * PART + at, accounts))).collect();
            events.ok_or_else(|| Failure::fault("an event of the load is not valid"))
        })
    }

    /// Opens these accounts.
    pub fn found(&self, through: &mut Through) -> Result<(), Failure> {
        for events in self.founding(through.chain()) {
            through.anchors(&events?, 1_000)?;
        }
        through.stages = Stages::default();
        Ok(())
    }

    fn pick(&self, salt: &'static str, index: usize) -> usize {
        let [a, b, c, d, ..] = seeded(salt, index);
        u32::from_le_bytes([a, b, c, d]) as usize % self.accounts.len()
    }

    /// The account with this number, from 0.
    pub fn account(&self, index: usize) -> Option<AccountId> {
        self.accounts.get(index).copied()
    }

    fn to(&self, index: usize) -> AccountId {
        self.accounts[self.pick("to", index)]
    }

    /// So many events after the first `done`, checked as a router checks what arrives.
    pub fn sign(
        &self,
        kind: Kind,
        count: usize,
        done: usize,
        chain: ChainId,
    ) -> Result<Vec<Checked>, Failure> {
        let time = crate::running::now();
        let one = |index: usize| {
            let (from, tag, body) = self.act(kind, index)?;
            signed(chain, from, (time, index - done), (&REGISTRY, tag), body)
        };
        all((done, count), one)
    }

    /// So many events with payloads that mean nothing after the first `done`.
    pub fn sign_payloads(
        &self,
        count: usize,
        done: usize,
        chain: ChainId,
    ) -> Result<Vec<Checked>, Failure> {
        let time = crate::running::now();
        let registry = &opaque::REGISTRY;
        let row = registry.row_named(opaque::Payloads::NAME);
        let tag = row.ok_or_else(|| Failure::fault("no payloads"))?.tag;
        let one = |index: usize| {
            let payloads = opaque::Payloads::of(&seeded("ddt v1 UNSAFE bench payloads", index));
            let from = self.pick("from", index);
            signed(chain, from, (time, index - done), (registry, tag), encode(&payloads))
        };
        all((done, count), one)
    }

    /// Who does what in the event with this number.
    fn act(&self, kind: Kind, index: usize) -> Option<(usize, u16, Vec<u8>)> {
        let from = self.pick("from", index);
        let amount = Amount::from_units(1 + index as u128)?;
        let transfer = || Transfer { to: self.to(index), amount, memo: None };
        Some(match kind {
            Kind::Transfer => (from, tag::<Transfer>()?, encode(&transfer())),
            Kind::Batch => {
                let many = (0..PAYMENTS_MAX).map(|place| index * PAYMENTS_MAX + place);
                let payments = many.map(|index| Payment { to: self.to(index), amount });
                let payments = List::new(payments.collect())?;
                (from, tag::<Batch>()?, encode(&Batch { payments }))
            }
            // Commits and reveals take turns.
            Kind::Domain if index.is_multiple_of(2) => {
                let purchase = self.purchase(index / 2)?;
                let Reveal { owner, name, years, salt } = &purchase;
                let hash = commit_hash(owner, name, *years, salt);
                let price_max = Amount::from_apt(1_000);
                (
                    self.pick("buyer", index / 2),
                    tag::<Commit>()?,
                    encode(&Commit { hash, price_max }),
                )
            }
            Kind::Domain => match (index / 2).checked_sub(self.ripe_after) {
                Some(number) => {
                    (self.pick("buyer", number), tag::<Reveal>()?, encode(&self.purchase(number)?))
                }
                // The first commits are not old enough yet.
                None => (from, tag::<Transfer>()?, encode(&transfer())),
            },
        })
    }

    fn purchase(&self, number: usize) -> Option<Reveal> {
        Some(Reveal {
            owner: self.account(self.pick("buyer", number))?,
            name: DomainName::new(&format!("bench-{number:09}")).ok()?,
            years: 1,
            salt: Hash(seeded("ddt v1 UNSAFE bench salt", number)),
        })
    }
}

/// The events with so many numbers from the first on.
fn all(
    (first, count): (usize, usize),
    one: impl Fn(usize) -> Option<Checked> + Send + Sync,
) -> Result<Vec<Checked>, Failure> {
    let numbers = first..first.saturating_add(count);
    let events: Vec<Checked> = numbers.into_par_iter().filter_map(one).collect();
    match events.len() == count {
        true => Ok(events),
        false => Err(Failure::fault("an event of the load is not valid")),
    }
}

/// An event of an account, checked as a router checks what arrives. Its nonce is the time, and
/// what the number says beside it.
fn signed(
    chain: ChainId,
    from: usize,
    (time, number): (Millis, usize),
    (registry, tag): (&Registry, u16),
    body: Vec<u8>,
) -> Option<Checked> {
    let from = key(from);
    let draft = Draft {
        version: EVENT_VERSION,
        chain,
        author: AccountId::of(&public(&from)),
        key: public(&from),
        role: Role::Owner,
        nonce: time.0 * 1_000 + number as u64,
        valid_until: time.plus(VALIDITY),
        tag,
        body: Bytes::new(body)?,
    };
    let signature = sign(&from, &draft.digest());
    Checked::check(&encode(&draft.signed(signature)), chain, registry).ok()
}

/// The key of the account with this number.
fn key(index: usize) -> SigningKey {
    SigningKey::from_bytes(&seeded("ddt v1 UNSAFE bench account", index))
}

fn tag<E: Declared>() -> Option<u16> {
    REGISTRY.row_named(E::NAME).map(|row| row.tag)
}
