//! Names of accounts, chains, zones and moments.

use std::fmt;
use std::str::FromStr;

use bech32::{Bech32m, Hrp};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::hash::{Domain, Hash};
use crate::key::PublicKey;

const ACCOUNT_PREFIX: Hrp = Hrp::parse_unchecked("apt");
const ADDRESS_PREFIX: Hrp = Hrp::parse_unchecked("ddt");

/// An account for ever: the hash of its first owner key. Shown in bech32m (BIP 350), `apt1…`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct AccountId(pub [u8; 32]);

impl AccountId {
    /// The account whose first owner key is `key`.
    pub fn of(key: &PublicKey) -> AccountId {
        AccountId(Domain::ACCOUNT.hash(&[&key.0]).0)
    }
}

/// A member's place in the network: 160 random bits, leased while the member is active.
/// Shown in bech32m (BIP 350), `ddt1…`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct Address(pub [u8; 20]);

/// Why a text is no id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not bech32m: a typing error, usually.
    #[error("not an id: {0}; check it for typing errors")]
    Encoding(String),
    /// Another kind of id.
    #[error("such an id starts with {wanted}1, this starts with {found}1")]
    Prefix {
        /// How it should start.
        wanted: String,
        /// How it starts.
        found: String,
    },
    /// Too short or too long.
    #[error("such an id holds {wanted} bytes, this holds {found}")]
    Length {
        /// How many it should hold.
        wanted: usize,
        /// How many it holds.
        found: usize,
    },
}

fn read_id<const LENGTH: usize>(prefix: Hrp, text: &str) -> Result<[u8; LENGTH], IdError> {
    let checked = bech32::primitives::decode::CheckedHrpstring::new::<Bech32m>(text)
        .map_err(|error| IdError::Encoding(error.to_string()))?;
    if checked.hrp() != prefix {
        let (wanted, found) = (prefix.to_string(), checked.hrp().to_string());
        return Err(IdError::Prefix { wanted, found });
    }
    let bytes: Vec<u8> = checked.byte_iter().collect();
    let found = bytes.len();
    bytes.try_into().map_err(|_| IdError::Length { wanted: LENGTH, found })
}

macro_rules! id_text {
    ($name:ident, $prefix:ident) => {
        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                read_id($prefix, text).map($name)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                bech32::encode_lower_to_fmt::<Bech32m, _>(f, $prefix, &self.0)
                    .map_err(|_| fmt::Error)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id_text!(AccountId, ACCOUNT_PREFIX);
id_text!(Address, ADDRESS_PREFIX);

/// A chain: the hash of its canonical genesis.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    BorshSerialize,
    BorshDeserialize,
    Serialize,
    Deserialize,
)]
#[serde(transparent)]
pub struct ChainId(pub Hash);

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A zone: at most 1,024 member nodes governed by one router.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    BorshSerialize,
    BorshDeserialize,
    Serialize,
    Deserialize,
)]
#[serde(transparent)]
pub struct Zone(pub u32);

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A moment, or a length of time, in milliseconds. Moments count from 1970-01-01 UTC.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    BorshSerialize,
    BorshDeserialize,
    Serialize,
    Deserialize,
)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    /// The sum, at most `u64::MAX`.
    pub fn plus(self, other: Millis) -> Millis {
        Millis(self.0.saturating_add(other.0))
    }

    /// The difference, at least 0.
    pub fn since(self, earlier: Millis) -> Millis {
        Millis(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
