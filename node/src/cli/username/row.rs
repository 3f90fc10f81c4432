//! A name's row: finding it, reading it, and sending events that a one-time key signs.

use std::collections::BTreeMap;
use std::ops::Deref;

use ddt_api::Stage;
use ddt_contracts::REGISTRY;
use ddt_ledger::codec::encode;
use ddt_ledger::schema::Value;
use ddt_ledger::{Address, ChainId, Hash, PublicKey};
use ddt_wallet::OwnerKey;
use ddt_wallet::describe::describe;
use ddt_wallet::sign::{Occasion, draft, sign};
use ddt_wallet::username::{Handle, HashCost, NameKeys, Username};
use serde_json::Value as Json;

use crate::cli::connection::{Connection, now_us, text};
use crate::cli::progress::Spinner;
use crate::cli::send::{Sender, check_outcome, row};
use crate::cli::stamping::stamp;
use crate::cli::wallet::current::current_key;
use crate::failure::{Failure, FailureKind};

/// A row as the node shows it.
pub struct Shown {
    /// The one-time key that holds it.
    pub holder: PublicKey,
    /// `active`, `grace` or `expired`.
    pub status: String,
    /// What only the name opens.
    pub ciphertext: Vec<u8>,
    /// All of it.
    pub json: Json,
}

/// The slow hash of a name, behind a spinner.
pub fn name_keys(name: &Username, chain: ChainId) -> Result<NameKeys, Failure> {
    let _spinner = Spinner::new("hashing the name (256 MiB, on purpose slow)");
    let keys = NameKeys::of(name, chain, HashCost::PRODUCTION);
    keys.map_err(|error| Failure::fault(error.to_string()))
}

/// The row, unless nobody holds it.
pub fn shown(connection: &Connection, row: &Hash) -> Result<Option<Shown>, Failure> {
    let found = connection.view_one("usernames.row", &[("row", row.to_string())])?;
    let Some(json) = found else { return Ok(None) };
    let parts = || {
        let holder = PublicKey::from_hex(&text(&json, "/holder")?)?;
        let ciphertext = hex::decode(text(&json, "/ciphertext")?).ok()?;
        Some((holder, text(&json, "/status")?, ciphertext))
    };
    let strange = || Failure::fault("the node's answer about the row makes no sense");
    let (holder, status, ciphertext) = parts().ok_or_else(strange)?;
    let is_held = status != "expired";
    Ok(is_held.then_some(Shown { holder, status, ciphertext, json }))
}

/// Somebody with a wallet who acts on a username, by keys that serve nothing else.
pub struct Own<'a>(pub &'a Sender<'a>);

impl<'a> Deref for Own<'a> {
    type Target = Sender<'a>;

    fn deref(&self) -> &Sender<'a> {
        self.0
    }
}

impl Own<'_> {
    /// The record of the account for a row, in the hand of the wallet's one-time key at
    /// `place`.
    pub fn handle(
        &self,
        keys: &NameKeys,
        place: u32,
        address: Option<Address>,
    ) -> Result<Handle, Failure> {
        let owner = current_key(self.global, self.connection, self.wallet, &self.account)?.key;
        let (chain, seed) = (self.connection.chain(), self.wallet.seed());
        let handle = seed.username_handle(chain, keys, (self.account, &owner), address, place);
        handle.ok_or_else(|| Failure::fault("the record cannot be sealed"))
    }

    /// The address to seal: the one given, else the account's present one, as the node says.
    /// It is shown before anybody agrees, for the owner key signs it.
    pub fn address(&self, given: Option<Address>) -> Result<Option<Address>, Failure> {
        if given.is_some() {
            return Ok(given);
        }
        let query = [("account", self.account.to_string())];
        let member = self.connection.view_one("zones.member", &query)?;
        let address = member.and_then(|member| text(&member, "/member/address"));
        let strange = |_| Failure::fault("the node names an address that is none");
        address.map(|address| address.parse().map_err(strange)).transpose()
    }

    /// Which of this wallet's one-time keys holds the row.
    pub fn place(&self, keys: &NameKeys, row: &Shown) -> Result<u32, Failure> {
        self.wallet.seed().username_place(&keys.row, &row.holder).ok_or_else(|| {
            let words = "somebody else holds that username, or another wallet of yours";
            Failure::new(FailureKind::Refused, "usernames.not_holder", words)
        })
    }

    /// The row that this wallet holds, and the place of its one-time key.
    pub fn held(&self, keys: &NameKeys) -> Result<(Shown, u32), Failure> {
        let row = shown(self.connection, &keys.row)?.ok_or_else(unknown)?;
        let place = self.place(keys, &row)?;
        Ok((row, place))
    }

    /// Signs an event with a one-time key, with a stamp in the place of the fee.
    pub fn signed(
        &self,
        key: &OwnerKey,
        name: &str,
        mut values: BTreeMap<String, Value>,
    ) -> Result<Vec<u8>, Failure> {
        let (row, nonce) = (row(name)?, now_us());
        let author = key.account();
        stamp(self.connection, row, &mut values, (author, key.public(), nonce))?;
        let chain = self.connection.chain();
        let draft = draft(row, &values, Occasion::owner(chain, author, key.public(), nonce))?;
        // The words are taken from the bytes that are signed.
        let description = describe(&draft, &REGISTRY)?;
        self.output.note(format!("{}; one-time account {author}; no fee", description.words));
        Ok(encode(&sign(draft, key)))
    }

    /// What the ledger would say to an event, as a code; nothing where it would do it.
    pub fn forecast(&self, bytes: &[u8]) -> Result<Option<Failure>, Failure> {
        let forecast = self.connection.forecast(bytes)?;
        let code = text(&forecast, "/refusal/code");
        let words = text(&forecast, "/refusal/words").unwrap_or_default();
        Ok(code.map(|code| Failure::new(FailureKind::Refused, &code, words)))
    }

    /// Submits a signed event and waits until it is final.
    pub fn submit(&self, bytes: &[u8]) -> Result<Json, Failure> {
        let _spinner = Spinner::new("waiting until it is final");
        let answer = self.connection.submit(bytes, Stage::Final)?;
        check_outcome(&answer)?;
        Ok(answer)
    }

    /// Signs, asks what would come of it, and submits.
    pub fn send(
        &self,
        key: &OwnerKey,
        name: &str,
        values: BTreeMap<String, Value>,
    ) -> Result<Json, Failure> {
        let bytes = self.signed(key, name, values)?;
        match self.forecast(&bytes)? {
            Some(refusal) => Err(refusal),
            None => self.submit(&bytes),
        }
    }
}

/// What a record says of an address.
pub fn address_words(address: Option<Address>) -> String {
    address
        .map_or("without an address".to_string(), |address| format!("with the address {address}"))
}

/// Nobody holds it.
pub fn unknown() -> Failure {
    let words = "nobody has that username";
    Failure::new(FailureKind::NotFound, "usernames.unknown", words)
}
