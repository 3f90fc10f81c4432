//! The public part of a router: what its operator sends to whoever assembles the network.

use ddt_ledger::codec::encode;
use ddt_ledger::{Domain, Hash, PublicKey, Signature};
use ddt_net::card::ADDRESSES_MAX;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::running::NodeKeys;

const PART: Domain = Domain("ddt v1 router part");
const VERSION: u32 = 1;
/// Longest file, in bytes.
const BYTES_MAX: usize = 16 * 1024;

/// What of a router is public before there is a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouterPart {
    /// 1.
    pub version: u32,
    /// For people: `[a-z0-9-]`, at most 32 bytes.
    pub name: String,
    /// The first owner key of the account that gets the router's fees.
    pub owner_key: PublicKey,
    /// Signs lane blocks and votes.
    pub key: PublicKey,
    /// Of its random values.
    pub vrf_key: PublicKey,
    /// Signs the node's other duties.
    pub node_key: PublicKey,
    /// Where other nodes find it: multiaddrs, at most [`ADDRESSES_MAX`].
    pub addresses: Vec<String>,
    /// The router key's over everything else: nobody enters a key that is not theirs.
    pub signature: Signature,
}

impl RouterPart {
    /// A part, signed.
    pub fn new(
        name: &str,
        owner_key: PublicKey,
        keys: &NodeKeys,
        addresses: Vec<String>,
    ) -> Result<RouterPart, Failure> {
        let mut part = RouterPart {
            version: VERSION,
            name: name.to_string(),
            owner_key,
            key: keys.router_public(),
            vrf_key: keys.vrf()?.public(),
            node_key: keys.node_public(),
            addresses,
            signature: Signature([0; 64]),
        };
        part.signature = keys.sign_as_router(&part.digest());
        Ok(part)
    }

    fn digest(&self) -> Hash {
        let keys = (self.owner_key, self.key, self.vrf_key, self.node_key);
        PART.hash(&[&encode(&(self.version, &self.name, keys, &self.addresses))])
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// When it is no part, or its router key did not sign it.
    pub fn read(name: &str, text: &str) -> Result<RouterPart, Failure> {
        let wrong = |why: &str| Failure::usage(format!("{name}: {why}"));
        if text.len() > BYTES_MAX {
            return Err(wrong("too long for a router's public part"));
        }
        let part: RouterPart =
            toml::from_str(text).map_err(|error| wrong(error.to_string().trim_end()))?;
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if part.version != VERSION {
            return Err(wrong("made by another release: make it again with ddt network key"));
        }
        if part.name.is_empty() || part.name.len() > 32 || !part.name.bytes().all(is_plain) {
            return Err(wrong("its name must be 1 to 32 of a-z, 0-9, -"));
        }
        if part.addresses.len() > ADDRESSES_MAX {
            return Err(wrong(&format!("it may have at most {ADDRESSES_MAX} addresses")));
        }
        for address in &part.addresses {
            ddt_net::check_address(address).map_err(|error| wrong(&error.to_string()))?;
        }
        if !part.key.verifies(&part.digest(), &part.signature) {
            return Err(wrong("its router key did not sign it: ask its operator for it again"));
        }
        Ok(part)
    }

    /// The file's text.
    ///
    /// # Errors
    /// None that can happen.
    pub fn to_toml(&self) -> Result<String, Failure> {
        toml::to_string_pretty(self).map_err(|error| Failure::fault(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Broken by: addresses that are not looked at, or without a number: each stands in
    /// everybody's `peers.txt`.
    #[test]
    fn a_part_is_refused_for_addresses_that_are_none() {
        let home = tempfile::tempdir().expect("a folder");
        let keys = NodeKeys::make(&home.path().join("node.key")).expect("keys");
        let read = |addresses: &[&str]| {
            let addresses = addresses.iter().map(|address| address.to_string()).collect();
            let part = RouterPart::new("north", keys.node_public(), &keys, addresses);
            let text = part.and_then(|part| part.to_toml()).expect("a part");
            RouterPart::read("north.toml", &text).map_err(|error| error.to_string())
        };
        let good = "/dns/north.example/tcp/8410";
        assert!(read(&[good; 8]).is_ok());
        assert!(read(&[good; 9]).expect_err("nine").contains("at most 8"));
        for wrong in ["", "north.example", "/dns/a\n/dns/b/tcp/1", "/dns/a,/dns/b", "/dns/a b"] {
            let refused = read(&[good, wrong]).expect_err(wrong);
            assert!(refused.contains("no multiaddr") && !refused.contains('\n'), "{refused}");
        }
        let long = format!("/dns/{}/tcp/1", "x".repeat(256));
        assert!(read(&[&long]).is_err());
    }
}
