//! The wallet's file, version 1: JSON that people can read, of which no field is a secret.
//!
//! All of a sealed file but the ciphertext is authenticated with it: as compact JSON, fields in
//! the order declared here. White space and the case of hex digits may differ in the file.

use ddt_ledger::{AccountId, PublicKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::cost::KdfCost;
use super::name::WalletName;
use super::seal::CIPHERTEXT_BYTES;

/// The newest version of the file that is read, and the one that is written.
pub const VERSION: u64 = 1;

/// Most accounts one wallet's file lists.
pub const ACCOUNTS_MAX: usize = 256;

/// Longest file read; [`ACCOUNTS_MAX`] accounts take less than half.
pub(super) const FILE_BYTES_MAX: u64 = 128 * 1024;

const FORMAT: &str = "ddt-keystore";

/// Why a text is no wallet's file.
#[derive(Debug)]
pub(super) enum EnvelopeError {
    Newer(u64),
    Damaged(String),
}

/// Either kind of file.
#[derive(Debug)]
pub(super) enum Envelope {
    Sealed(Sealed),
    WatchOnly(WatchOnly),
}

/// A wallet with a sealed secret.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sealed {
    format: String,
    version: u64,
    pub(super) header: Header,
    pub(super) ciphertext: Hex<CIPHERTEXT_BYTES>,
}

/// What is authenticated with the secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) name: WalletName,
    pub(super) unsafe_test: bool,
    kdf: KdfAlgorithm,
    pub(super) cost: KdfCost,
    pub(super) salt: Hex<16>,
    cipher: CipherAlgorithm,
    pub(super) nonce: Hex<24>,
    pub(super) accounts: Vec<AccountRecord>,
}

/// One account derived from the secret, in order of its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountRecord {
    pub(super) account: AccountId,
    pub(super) key: PublicKey,
}

/// A wallet without a secret.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WatchOnly {
    format: String,
    version: u64,
    pub(super) name: WalletName,
    pub(super) watch_only: AccountId,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum KdfAlgorithm {
    #[serde(rename = "argon2id-v19")]
    Argon2id,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum CipherAlgorithm {
    #[serde(rename = "xchacha20-poly1305")]
    XChaCha20Poly1305,
}

/// `N` bytes as hex digits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hex<const N: usize>(pub(super) [u8; N]);

impl Header {
    pub(super) fn new(
        name: WalletName,
        unsafe_test: bool,
        cost: KdfCost,
        (salt, nonce): ([u8; 16], [u8; 24]),
        accounts: Vec<AccountRecord>,
    ) -> Header {
        Header {
            name,
            unsafe_test,
            kdf: KdfAlgorithm::Argon2id,
            cost,
            salt: Hex(salt),
            cipher: CipherAlgorithm::XChaCha20Poly1305,
            nonce: Hex(nonce),
            accounts,
        }
    }

    /// The bytes that are authenticated: `["ddt-keystore",1,{…}]`.
    pub(super) fn authenticated(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&(FORMAT, VERSION, self))
    }

    fn check(&self) -> Result<(), String> {
        self.cost.check().map_err(|reason| format!("its password's {reason}"))?;
        if !(1..=ACCOUNTS_MAX).contains(&self.accounts.len()) {
            return Err(format!("it lists {} accounts, not 1 to 256", self.accounts.len()));
        }
        if self.accounts.iter().any(|record| AccountId::of(&record.key) != record.account) {
            return Err("an account listed is not the one of its key".to_owned());
        }
        Ok(())
    }
}

impl Envelope {
    pub(super) fn sealed(header: Header, ciphertext: [u8; CIPHERTEXT_BYTES]) -> Envelope {
        let format = FORMAT.to_owned();
        Envelope::Sealed(Sealed { format, version: VERSION, header, ciphertext: Hex(ciphertext) })
    }

    pub(super) fn watch_only(name: WalletName, account: AccountId) -> Envelope {
        let format = FORMAT.to_owned();
        Envelope::WatchOnly(WatchOnly { format, version: VERSION, name, watch_only: account })
    }

    /// The file's text.
    pub(super) fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut text = match self {
            Envelope::Sealed(sealed) => serde_json::to_vec_pretty(sealed)?,
            Envelope::WatchOnly(watch_only) => serde_json::to_vec_pretty(watch_only)?,
        };
        text.push(b'\n');
        Ok(text)
    }

    /// Reads a file's text and checks everything that needs no password, bounds included.
    pub(super) fn parse(text: &[u8]) -> Result<Envelope, EnvelopeError> {
        let probe: Probe = serde_json::from_slice(text).map_err(damaged)?;
        if probe.format != FORMAT {
            return Err(EnvelopeError::Damaged("it is no keystore file".to_owned()));
        }
        if probe.version > VERSION {
            return Err(EnvelopeError::Newer(probe.version));
        }
        if probe.watch_only.is_some() {
            let watch_only: WatchOnly = serde_json::from_slice(text).map_err(damaged)?;
            check_format(&watch_only.format, watch_only.version).map_err(EnvelopeError::Damaged)?;
            return Ok(Envelope::WatchOnly(watch_only));
        }
        let sealed: Sealed = serde_json::from_slice(text).map_err(damaged)?;
        check_format(&sealed.format, sealed.version).map_err(EnvelopeError::Damaged)?;
        sealed.header.check().map_err(EnvelopeError::Damaged)?;
        Ok(Envelope::Sealed(sealed))
    }

    pub(super) fn name(&self) -> &WalletName {
        match self {
            Envelope::Sealed(sealed) => &sealed.header.name,
            Envelope::WatchOnly(watch_only) => &watch_only.name,
        }
    }
}

/// The fields every version has, read before anything else is believed.
#[derive(Deserialize)]
struct Probe {
    format: String,
    version: u64,
    watch_only: Option<serde::de::IgnoredAny>,
}

fn check_format(format: &str, version: u64) -> Result<(), String> {
    if format != FORMAT || version != VERSION {
        return Err(format!("version {version} of {format:?} is none that was ever written"));
    }
    Ok(())
}

fn damaged(error: serde_json::Error) -> EnvelopeError {
    EnvelopeError::Damaged(error.to_string())
}

impl<const N: usize> Serialize for Hex<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de, const N: usize> Deserialize<'de> for Hex<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; N];
        hex::decode_to_slice(&text, &mut bytes)
            .map_err(|_| serde::de::Error::custom(format!("want {N} bytes of hex digits")))?;
        Ok(Hex(bytes))
    }
}
