//! People who pay each other at random, and what they sign.

use ddt_contracts::REGISTRY;
use ddt_contracts::bank::{Batch, Payment, Transfer};
use ddt_ledger::codec::encode;
use ddt_ledger::event::{Checked, Draft, EVENT_VERSION, Role};
use ddt_ledger::genesis::{GENESIS_VERSION, Genesis, GenesisAccount, GenesisZone};
use ddt_ledger::params::Params;
use ddt_ledger::registry::Declared;
use ddt_ledger::schema::{Bytes, List};
use ddt_ledger::vrf::VrfKey;
use ddt_ledger::{AccountId, Amount, Hash, Millis, PublicKey, Signature, Zone};
use ed25519_dalek::{Signer, SigningKey};
use rayon::prelude::*;

use super::Kind;
use super::path::Through;
use crate::failure::Failure;

pub const ZONE: Zone = Zone(0);

/// Accounts with money, and a router.
pub struct Load {
    keys: Vec<SigningKey>,
    /// Seals blocks and states times.
    pub router: SigningKey,
    pub genesis: Genesis,
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
    /// So many accounts, in a network with the parameters of real ones.
    pub fn new(accounts: usize) -> Load {
        let keys: Vec<SigningKey> = (0..accounts)
            .into_par_iter()
            .map(|index| SigningKey::from_bytes(&seeded("ddt v1 UNSAFE bench account", index)))
            .collect();
        let router = SigningKey::from_bytes(&seeded("ddt v1 UNSAFE bench router", 0));
        let balance = Amount::from_apt(1_000_000);
        let accounts: Vec<GenesisAccount> =
            keys.par_iter().map(|key| GenesisAccount { key: public(key), balance }).collect();
        let zone = |vrf: VrfKey| GenesisZone {
            zone: ZONE,
            router: AccountId::of(&public(&router)),
            key: public(&router),
            vrf_key: vrf.public(),
        };
        let genesis = Genesis {
            version: GENESIS_VERSION,
            name: "bench".to_string(),
            time_ms: crate::router::now(),
            pool: Amount::ZERO,
            params: Params::network(),
            zones: vrf().map(zone).into_iter().collect(),
            accounts,
            node_keys: Vec::new(),
        };
        Load { keys, router, genesis }
    }

    fn pick(&self, salt: &'static str, index: usize) -> &SigningKey {
        let [a, b, c, d, ..] = seeded(salt, index);
        let place = u32::from_le_bytes([a, b, c, d]) as usize;
        &self.keys[place % self.keys.len()]
    }

    fn to(&self, index: usize) -> AccountId {
        AccountId::of(&public(self.pick("to", index)))
    }

    /// So many events after the first `done`, checked as a router checks what arrives.
    pub fn sign(
        &self,
        kind: Kind,
        count: usize,
        done: usize,
        through: &Through,
    ) -> Result<Vec<Checked>, Failure> {
        let (chain, time) = (through.chain(), crate::router::now());
        let tag = |name| REGISTRY.row_named(name).map_or(0, |row| row.tag);
        let tags = (tag(Transfer::NAME), tag(Batch::NAME));
        let one = |index: usize| {
            let from = self.pick("from", index);
            let amount = Amount::from_units(1 + index as u128)?;
            let (tag, body) = match kind {
                Kind::Transfer => {
                    (tags.0, encode(&Transfer { to: self.to(index), amount, memo: None }))
                }
                Kind::Batch => {
                    let many = (0..kind.payments()).map(|place| index * kind.payments() + place);
                    let payments = many.map(|index| Payment { to: self.to(index), amount });
                    (tags.1, encode(&Batch { payments: List::new(payments.collect())? }))
                }
            };
            let draft = Draft {
                version: EVENT_VERSION,
                chain,
                author: AccountId::of(&public(from)),
                key: public(from),
                role: Role::Owner,
                nonce: time.0 * 1_000 + (index - done) as u64,
                valid_until: time.plus(Millis(3_600_000)),
                tag,
                body: Bytes::new(body)?,
            };
            let signature = sign(from, &draft.digest());
            Checked::check(&encode(&draft.signed(signature)), chain, &REGISTRY).ok()
        };
        let events: Vec<Checked> =
            (done..done.saturating_add(count)).into_par_iter().filter_map(one).collect();
        match events.len() == count {
            true => Ok(events),
            false => Err(Failure::fault("an event of the load is not valid")),
        }
    }
}
