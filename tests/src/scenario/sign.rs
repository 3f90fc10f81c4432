//! From a line's words to a signed event, good or deliberately wrong.

use std::collections::BTreeMap;

use ddt_contracts::REGISTRY;
use ddt_contracts::accounts::possession_digest;
use ddt_contracts::bank::lock_hash;
use ddt_contracts::domains::{DomainName, commit_hash};
use ddt_contracts::usernames;
use ddt_contracts::zones::router_digest;
use ddt_ledger::codec::encode;
use ddt_ledger::event::{Checked, Draft, EVENT_BYTES_MAX, EVENT_VERSION, Role};
use ddt_ledger::registry::Row;
use ddt_ledger::schema::{Bytes, Choice, FieldInfo, Kind};
use ddt_ledger::{AccountId, ChainId, Domain, Hash, Millis, Refusal, Zone};

use super::line::duration;
use super::stamp::{Letter, Press};
use super::statement::statement;
use crate::people::Person;
use crate::vrf::TestVrf;

/// How long an event is valid, unless told.
const VALIDITY: Millis = Millis(3_600_000);

/// Who is known, and which commits have labels.
#[derive(Default)]
pub(super) struct Names {
    pub people: BTreeMap<String, Person>,
    pub commits: BTreeMap<String, Preimage>,
    /// Ids of events that have labels.
    pub events: BTreeMap<String, Hash>,
    /// The last anchor's time.
    pub now: Millis,
    /// The chain.
    pub chain: Hash,
}

/// What a commit hides.
#[derive(Clone)]
pub(super) struct Preimage {
    pub owner: AccountId,
    pub name: String,
    pub years: String,
    pub salt: Hash,
}

impl Preimage {
    /// What the commit publishes; any hash where name or term could never be revealed.
    pub(super) fn hash(&self) -> Hash {
        let name = DomainName::new(&self.name).ok();
        match name.zip(self.years.parse().ok()) {
            Some((name, years)) => commit_hash(&self.owner, &name, years, &self.salt),
            None => Hash::ZERO,
        }
    }
}

/// The hash that `#word` stands for.
pub(super) fn word_hash(word: &str) -> Hash {
    Domain("ddt test word").hash(&[word.as_bytes()])
}

/// The ciphertext that `sealed:word` stands for: as long as a row's has to be.
fn sealed(word: &str) -> Vec<u8> {
    word_hash(word).0.iter().copied().cycle().take(usernames::CIPHERTEXT_BYTES).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The hash that `claim:row,sealed,salt` stands for: what a username's commit publishes.
fn claim(author: &AccountId, text: &str) -> Result<String, String> {
    let words: Vec<&str> = text.trim_start_matches("claim:").split(',').collect();
    let [row, content, salt] = words[..] else {
        return Err(format!("{text}: want row,sealed,salt"));
    };
    let ciphertext = Bytes::new(sealed(content)).ok_or("too long")?;
    let hash = usernames::claim_hash(author, &word_hash(row), &ciphertext, &word_hash(salt));
    Ok(hash.to_string())
}

impl Names {
    /// The person of this name.
    pub(super) fn person(&self, name: &str) -> Result<&Person, String> {
        self.people.get(name).ok_or_else(|| format!("nobody is called {name}"))
    }

    /// What stands for a hash: `#word`, `sha256:word`, a commit's or an event's label.
    pub(super) fn hash(&self, text: &str) -> Option<Hash> {
        if let Some(word) = text.strip_prefix('#') {
            return Some(word_hash(word));
        }
        if let Some(word) = text.strip_prefix("sha256:") {
            return Some(lock_hash(&word_hash(word)));
        }
        let commit = self.commits.get(text).map(Preimage::hash);
        commit.or_else(|| self.events.get(text).copied())
    }

    /// Puts what they stand for in the place of names in `field=value`.
    pub(super) fn resolve(
        &self,
        fields: &[FieldInfo],
        author: &AccountId,
        words: &[String],
    ) -> Result<Vec<String>, String> {
        let values: BTreeMap<&str, &str> =
            words.iter().filter_map(|word| word.split_once('=')).collect();
        let resolve = |word: &String| {
            let Some((name, text)) = word.split_once('=') else { return Ok(word.clone()) };
            let field = fields.iter().find(|field| field.name == name);
            let kind = field.map(|field| match field.kind {
                Kind::Optional(inner) => *inner,
                kind => kind,
            });
            let is_name = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric());
            let text = match kind {
                Some(Kind::Account) if is_name && !text.starts_with("apt1") => {
                    self.person(text)?.id().to_string()
                }
                Some(Kind::PublicKey) if name == "vrf_key" && is_name && text.len() < 64 => {
                    TestVrf::named(text).public().to_string()
                }
                Some(Kind::PublicKey) if self.people.contains_key(text) => {
                    self.person(text)?.key().to_string()
                }
                // JSON in single quotes, double ones being the line's own; people are "@name".
                Some(Kind::List { .. } | Kind::Group(_)) => {
                    let mut text = text.replace('\'', "\"");
                    for (name, person) in &self.people {
                        text =
                            text.replace(&format!("\"@{name}\""), &format!("\"{}\"", person.id()));
                    }
                    text
                }
                Some(Kind::Hash) if text.starts_with("claim:") => claim(author, text)?,
                Some(Kind::Hash) => {
                    self.hash(text).map_or(text.to_string(), |hash| hash.to_string())
                }
                Some(Kind::Time) if text.starts_with('+') => {
                    self.now.plus(duration(text.trim_start_matches('+'))?).0.to_string()
                }
                Some(Kind::Bytes { .. }) if text.contains(':') => {
                    self.bytes(author, &values, name, text)?
                }
                _ => text.to_string(),
            };
            Ok(format!("{name}={text}"))
        };
        words.iter().map(resolve).collect()
    }

    /// What stands for bytes: a signature, a ciphertext, what a router signs.
    fn bytes(
        &self,
        author: &AccountId,
        values: &BTreeMap<&str, &str>,
        name: &str,
        text: &str,
    ) -> Result<String, String> {
        Ok(match text {
            _ if text.starts_with("possession:") => {
                let signer = self.person(text.trim_start_matches("possession:"))?;
                let new = values.get("new_key").copied().unwrap_or_default();
                let new = self.person(new)?.key();
                let digest = match values.get("row").and_then(|row| row.strip_prefix('#')) {
                    Some(row) => usernames::possession_digest(&word_hash(row), &new),
                    None => possession_digest(author, &new),
                };
                signer.sign(&digest).to_string()
            }
            _ if text.starts_with("router:") => {
                let signer = self.person(text.trim_start_matches("router:"))?;
                let vrf_key = values.get("vrf_key").copied().unwrap_or_default();
                let vrf_key = TestVrf::named(vrf_key).public();
                let digest = router_digest(&ChainId(self.chain), author, &vrf_key);
                signer.sign(&digest).to_string()
            }
            _ if text.starts_with("by:") => {
                let signer = self.person(text.trim_start_matches("by:"))?;
                let of = name.trim_end_matches("_signature");
                let of = values.get(of).copied().unwrap_or_default();
                signer.sign(&statement(ChainId(self.chain), of)?.1).to_string()
            }
            _ if text.contains(':') && !text.starts_with("sealed:") => {
                hex(&statement(ChainId(self.chain), text)?.0)
            }
            _ if text.starts_with("sealed:") => hex(&sealed(text.trim_start_matches("sealed:"))),
            _ => text.to_string(),
        })
    }
}

/// Everything about an event beside its fields.
pub(super) struct Envelope {
    pub press: Press,
    pub now: Millis,
    pub nonce: u64,
    pub zone: Zone,
    options: BTreeMap<String, String>,
}

impl Envelope {
    /// Takes the words that start with `@` away from `words`.
    pub(super) fn take(
        words: &mut Vec<String>,
        press: Press,
        now: Millis,
        nonce: u64,
    ) -> Result<Envelope, String> {
        let mut options = BTreeMap::new();
        for word in words.extract_if(.., |word| word.starts_with('@')) {
            let word = if word == "@stamp" { "@stamp=good" } else { &word };
            let (name, value) = word[1..].split_once('=').ok_or(format!("{word}: want @x=y"))?;
            options.insert(name.to_string(), value.to_string());
        }
        let zone = options.remove("zone").unwrap_or_else(|| "1".to_string());
        let zone = zone.parse().map(Zone).map_err(|_| format!("there is no zone {zone}"))?;
        Ok(Envelope { press, now, nonce, zone, options })
    }

    /// Signs `row` with these fields. The inner result is what everybody would say to the
    /// bytes before sequencing them.
    pub(super) fn sign(
        mut self,
        names: &Names,
        author: AccountId,
        signer: &Person,
        row: &'static Row,
        words: &[String],
    ) -> Result<Result<Checked, Refusal>, String> {
        let words = names.resolve(row.fields, &author, words)?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let nonce = self.moment("nonce")?.unwrap_or(self.nonce);
        let mut values = match row.parse(&words) {
            Ok(values) => values,
            Err(error) => return Ok(Err(error.refusal)),
        };
        if let Some(kind) = self.options.remove("stamp") {
            let key = match self.options.get("key") {
                Some(name) => names.person(name)?.key(),
                None => signer.key(),
            };
            self.press.stamp(&Letter { author, key, row, nonce }, &kind, &mut values)?;
        }
        let body = match (row.build)(&values) {
            Ok(body) => body,
            Err(error) => return Ok(Err(error.refusal)),
        };
        let chain = self.press.chain;
        let signer = match self.options.remove("key") {
            Some(name) => names.person(&name)?,
            None => signer,
        };
        let draft = Draft {
            version: self.number("version")?.unwrap_or(EVENT_VERSION),
            chain: match self.options.remove("chain") {
                Some(other) => ChainId(word_hash(&other)),
                None => chain,
            },
            author,
            key: signer.key(),
            role: self.role()?,
            nonce,
            valid_until: match self.moment("valid")? {
                Some(micros) => Millis(micros / 1_000),
                None => self.now.plus(VALIDITY),
            },
            tag: self.number("tag")?.unwrap_or(row.tag),
            body: Bytes::new(body).ok_or("the body is too long")?,
        };
        let bytes = self.spoil(signer, draft)?;
        match self.options.keys().next() {
            Some(name) => Err(format!("there is no option @{name}")),
            None => Ok(Checked::check(&bytes, chain, &REGISTRY)),
        }
    }

    fn number<T: std::str::FromStr>(&mut self, name: &str) -> Result<Option<T>, String> {
        let text = self.options.remove(name);
        text.map(|text| text.parse().map_err(|_| format!("@{name}={text}?"))).transpose()
    }

    fn role(&mut self) -> Result<Role, String> {
        let Some(word) = self.options.remove("role") else { return Ok(Role::Owner) };
        let place = Role::WORDS.iter().position(|known| *known == word);
        place.map(|place| Role::ALL[place]).ok_or(format!("@role={word}?"))
    }

    /// A moment in microseconds: `7` since 1970, `+11m` from the last anchor.
    fn moment(&mut self, name: &str) -> Result<Option<u64>, String> {
        let Some(text) = self.options.remove(name) else { return Ok(None) };
        match text.strip_prefix('+') {
            Some(ahead) => Ok(Some(self.now.plus(duration(ahead)?).0 * 1_000)),
            None => text.parse().map(Some).map_err(|_| format!("@{name}={text}?")),
        }
    }

    /// The signed bytes, damaged as told.
    fn spoil(&mut self, signer: &Person, draft: Draft) -> Result<Vec<u8>, String> {
        let mut bytes = match self.options.remove("signature").as_deref() {
            None => signer.seal(draft),
            Some("wrong") => encode(&draft.signed(signer.sign(&Hash::ZERO))),
            Some(other) => return Err(format!("@signature={other}?")),
        };
        match self.options.remove("bytes").as_deref() {
            None => {}
            Some("cut") => bytes.truncate(bytes.len() - 1),
            Some("more") => bytes.push(0),
            Some("long") => bytes.resize(EVENT_BYTES_MAX + 1, 0),
            Some(other) => return Err(format!("@bytes={other}?")),
        }
        Ok(bytes)
    }
}
