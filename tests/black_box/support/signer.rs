//! Whoever signs events, rightly or wrongly.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use ddt_contracts::REGISTRY;
use ddt_contracts::bank::Transfer;
use ddt_contracts::domains::{Commit, DomainName, Reveal, commit_hash};
use ddt_ledger::codec::encode;
use ddt_ledger::event::Draft;
use ddt_ledger::registry::Declared;
use ddt_ledger::schema::Bytes;
use ddt_ledger::{AccountId, ChainId, Hash};
use ddt_wallet::sign::{Occasion, sign};
use ddt_wallet::{Keystore, OwnerKey, Seed};
use serde_json::{Value as Json, json};

static LAST_NONCE: AtomicU64 = AtomicU64::new(0);

/// Unix time in microseconds.
pub fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(since.as_micros()).unwrap()
}

fn next_nonce() -> u64 {
    let now = now_us();
    let next = |last: u64| Some(now.max(last + 1));
    let last = LAST_NONCE.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next).unwrap();
    now.max(last + 1)
}

/// A key that signs for an account.
pub struct Signer {
    pub chain: ChainId,
    pub account: AccountId,
    pub key: OwnerKey,
}

impl Signer {
    /// Opens a wallet of a keystore.
    pub fn of_wallet(home: &Path, password_file: &Path, name: &str, chain: &str) -> Signer {
        let password = std::fs::read_to_string(password_file).unwrap();
        let keystore = Keystore::open_dir(&home.join("keystore")).unwrap();
        let wallet = keystore.unlock(name, password.trim()).unwrap();
        let key = wallet.seed().owner_key(0).unwrap();
        Signer { chain: ChainId(Hash::from_hex(chain).unwrap()), account: key.account(), key }
    }

    /// Somebody new on the same chain.
    pub fn stranger(&self, seed: u8) -> Signer {
        let key = Seed::from_bytes(&[seed; 32]).owner_key(0).unwrap();
        Signer { chain: self.chain, account: key.account(), key }
    }

    /// An unsigned event.
    pub fn draft<E: Declared>(&self, event: &E) -> Draft {
        let row = REGISTRY.row_named(E::NAME).unwrap();
        let nonce = next_nonce();
        let occasion = Occasion::owner(self.chain, self.account, self.key.public(), nonce);
        Draft {
            version: 1,
            chain: occasion.chain,
            author: occasion.author,
            key: occasion.key,
            role: occasion.role,
            nonce: occasion.nonce,
            valid_until: occasion.valid_until,
            tag: row.tag,
            body: Bytes::new(encode(event)).unwrap(),
        }
    }

    /// A draft's signed bytes.
    pub fn sign(&self, draft: Draft) -> Vec<u8> {
        encode(&sign(draft, &self.key))
    }

    /// A signed event's bytes.
    pub fn event<E: Declared>(&self, event: &E) -> Vec<u8> {
        self.sign(self.draft(event))
    }

    /// A payment's bytes.
    pub fn pay(&self, to: &AccountId, apt: &str) -> Vec<u8> {
        self.event(&payment(to, apt))
    }

    /// A purchase that this account may commit to and anybody may reveal.
    pub fn purchase(&self, name: &str, salt: u8, price_max: &str) -> Purchase {
        let (name, salt) = (DomainName::new(name).unwrap(), Hash([salt; 32]));
        let hash = commit_hash(&self.account, &name, 1, &salt);
        Purchase {
            commit: Commit { hash, price_max: price_max.parse().unwrap() },
            reveal: Reveal { owner: self.account, name, years: 1, salt },
        }
    }
}

/// A payment.
pub fn payment(to: &AccountId, apt: &str) -> Transfer {
    Transfer { to: *to, amount: apt.parse().unwrap(), memo: None }
}

/// Both halves of the purchase of a name.
pub struct Purchase {
    pub commit: Commit,
    pub reveal: Reveal,
}

impl Purchase {
    /// What the node's agent is told.
    pub fn preimage(&self) -> Json {
        let Reveal { owner, name, years, salt } = &self.reveal;
        json!({ "owner": owner, "name": name.to_string(), "years": years, "salt": salt })
    }
}
