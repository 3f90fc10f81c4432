//! Payment requests as text: `ddt:apt1…?amount=5&chain=…` (spec REQ-1 … REQ-7).
//!
//! Pure, and for text from anywhere: what is not understood to the last byte is refused.

use std::fmt;

use ddt_ledger::{AccountId, Amount, ChainId, Hash, Millis};

/// Longest request, in bytes.
pub const BYTES_MAX: usize = 1_024;
/// Longest memo, in bytes, as of `bank.transfer`.
const MEMO_BYTES_MAX: usize = 128;
/// Most parameters.
const PARAMETERS_MAX: usize = 16;
/// Longest name of a parameter, in bytes.
const NAME_BYTES_MAX: usize = 32;
/// What a value may hold beside letters, digits and `%` with two hexadecimal digits.
const VALUE_MARKS: &[u8] = b"-._~!$'()*+,;:@/?=";

/// Somebody asks for money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who receives.
    pub to: AccountId,
    /// How much; who pays chooses without it.
    pub amount: Option<Amount>,
    /// A public remark, to be paid with.
    pub memo: Option<String>,
    /// Until when, by people's clock.
    pub expires: Option<Millis>,
    /// On which network.
    pub chain: ChainId,
}

/// Why a text is no request that can be paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestError {
    /// A stable code.
    pub code: &'static str,
    /// What is wrong.
    pub words: String,
}

fn wrong<T>(code: &'static str, words: impl Into<String>) -> Result<T, RequestError> {
    Err(RequestError { code, words: words.into() })
}

/// What the parameters said so far.
#[derive(Default)]
struct Parameters {
    amount: Option<Amount>,
    memo: Option<String>,
    expires: Option<Millis>,
    chain: Option<ChainId>,
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// The first thing that is wrong, from left to right; a missing chain last.
    pub fn read(text: &str) -> Result<Request, RequestError> {
        if text.len() > BYTES_MAX {
            return wrong("request.too_long", format!("a request has at most {BYTES_MAX} bytes"));
        }
        let Some((scheme, rest)) = text.split_once(':') else {
            return wrong("request.scheme", "a payment request starts with ddt:");
        };
        if !scheme.eq_ignore_ascii_case("ddt") {
            return wrong("request.scheme", "a payment request starts with ddt:");
        }
        let (account, query) = match rest.split_once('?') {
            Some((account, query)) => (account, Some(query)),
            None => (rest, None),
        };
        let to = match account.parse::<AccountId>() {
            Ok(to) if to.to_string() == account => to,
            _ => {
                let words = "the account is none: apt1…, in small letters, without typing errors";
                return wrong("request.account", words);
            }
        };
        let mut parameters = Parameters::default();
        let mut names: Vec<&str> = Vec::new();
        for pair in query.into_iter().flat_map(|query| query.split('&')) {
            let (name, value) = read_pair(pair)?;
            if names.contains(&name) {
                return wrong("request.twice", format!("{name} is given twice"));
            }
            if names.len() == PARAMETERS_MAX {
                let words = format!("a request has at most {PARAMETERS_MAX} parameters");
                return wrong("request.parameter", words);
            }
            names.push(name);
            parameters.take(name, value)?;
        }
        let Parameters { amount, memo, expires, chain } = parameters;
        let Some(chain) = chain else {
            return wrong("request.chain", "the request names no network: chain is missing");
        };
        Ok(Request { to, amount, memo, expires, chain })
    }
}

impl Parameters {
    fn take(&mut self, name: &str, value: String) -> Result<(), RequestError> {
        match name {
            "amount" => self.amount = Some(read_amount(&value)?),
            "memo" => self.memo = Some(read_memo(value)?),
            "expires" => self.expires = Some(read_expires(&value)?),
            "chain" => self.chain = Some(read_chain(&value)?),
            name if name.starts_with("req-") => {
                let words = format!(
                    "the request demands {name}, which this release does not know: nothing may \
                     be paid"
                );
                return wrong("request.required", words);
            }
            // What is not demanded may be passed over.
            _ => {}
        }
        Ok(())
    }
}

/// `name=value`, the value with its percent signs resolved.
fn read_pair(pair: &str) -> Result<(&str, String), RequestError> {
    let malformed = || RequestError {
        code: "request.parameter",
        words: "a parameter is name=value, with %20 for a space and so on".to_string(),
    };
    let (name, value) = pair.split_once('=').ok_or_else(malformed)?;
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let fits = (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(is_plain);
    if !fits || value.is_empty() {
        return Err(malformed());
    }
    let (mut bytes, mut rest) = (Vec::new(), value.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            let (digits, after) = after.split_at_checked(2).ok_or_else(malformed)?;
            let mut byte = [0];
            hex::decode_to_slice(digits, &mut byte).map_err(|_| malformed())?;
            bytes.extend(byte);
            rest = after;
        } else if first.is_ascii_alphanumeric() || VALUE_MARKS.contains(first) {
            bytes.push(*first);
            rest = after;
        } else {
            return Err(malformed());
        }
    }
    let value = String::from_utf8(bytes).map_err(|_| malformed())?;
    Ok((name, value))
}

fn read_amount(value: &str) -> Result<Amount, RequestError> {
    match value.parse::<Amount>() {
        Ok(amount) if !amount.is_zero() => Ok(amount),
        Ok(_) => wrong("request.amount", "the request asks for nothing"),
        Err(refusal) => wrong("request.amount", format!("the amount is none: {refusal}")),
    }
}

/// Letters that change what a terminal shows of others could make a request look harmless.
fn read_memo(value: String) -> Result<String, RequestError> {
    let deceives = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}')
            || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if value.len() > MEMO_BYTES_MAX {
        return wrong("request.memo", format!("a memo has at most {MEMO_BYTES_MAX} bytes"));
    }
    if value.chars().any(deceives) {
        return wrong("request.memo", "the memo has control characters in it");
    }
    Ok(value)
}

fn read_expires(value: &str) -> Result<Millis, RequestError> {
    let is_plain = value.bytes().all(|byte| byte.is_ascii_digit());
    match value.parse().ok().filter(|_| is_plain) {
        Some(time) => Ok(Millis(time)),
        None => wrong("request.expires", "expires is a number of milliseconds since 1970"),
    }
}

fn read_chain(value: &str) -> Result<ChainId, RequestError> {
    match Hash::from_hex(value).filter(|hash| hash.to_string() == value) {
        Some(hash) => Ok(ChainId(hash)),
        None => wrong("request.chain", "chain is 64 hexadecimal digits in small letters"),
    }
}

/// The one text of a request: parameters in this order, everything but `A-Z a-z 0-9 - . _ ~`
/// as percent signs.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ddt:{}?", self.to)?;
        if let Some(amount) = &self.amount {
            write!(f, "amount={amount}&")?;
        }
        if let Some(memo) = &self.memo {
            write!(f, "memo={}&", escape(memo))?;
        }
        if let Some(expires) = &self.expires {
            write!(f, "expires={}&", expires.0)?;
        }
        write!(f, "chain={}", self.chain)
    }
}

fn escape(text: &str) -> String {
    let each = |byte: u8| match byte {
        b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(each).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::*;

    fn vectors() -> Json {
        serde_json::from_str(include_str!("../../../../tests/vectors/swaps.json")).unwrap()
    }

    fn good() -> Vec<(String, Request)> {
        let vectors = vectors();
        let each = |known: &Json| {
            let text = |name: &str| known[name].as_str().map(str::to_string);
            let request = Request {
                to: text("to").unwrap().parse().unwrap(),
                amount: text("amount").map(|amount| amount.parse().unwrap()),
                memo: text("memo"),
                expires: known["expires"].as_u64().map(Millis),
                chain: ChainId(Hash::from_hex(&text("chain").unwrap()).unwrap()),
            };
            (text("uri").unwrap(), request)
        };
        vectors["requests"].as_array().unwrap().iter().map(each).collect()
    }

    /// Broken by: another order, another escape, a parameter that is dropped.
    #[test]
    fn requests_are_those_of_the_independent_script() {
        for (uri, request) in good() {
            assert_eq!(Request::read(&uri), Ok(request.clone()));
            assert_eq!(request.to_string(), uri);
        }
        for known in vectors()["other_spellings"].as_array().unwrap() {
            let [one, other] = ["uri", "means"].map(|name| known[name].as_str().unwrap());
            assert_eq!(Request::read(one), Request::read(other), "{one}");
            assert!(Request::read(one).is_ok(), "{one}");
        }
    }

    /// Broken by: whatever is taken although it is not understood.
    #[test]
    fn what_is_no_request_is_refused_for_its_reason() {
        let vectors = vectors();
        let bad = vectors["bad_requests"].as_array().unwrap();
        assert!(bad.len() > 20);
        for known in bad {
            let uri = known["uri"].as_str().unwrap();
            let code = Request::read(uri).map_err(|error| error.code.to_string());
            assert_eq!(code, Err(known["code"].as_str().unwrap().to_string()), "{uri}");
        }
    }

    /// What is read says the same when it is written and read again.
    fn check(text: &str) -> bool {
        let Ok(request) = Request::read(text) else { return false };
        assert_eq!(Request::read(&request.to_string()), Ok(request), "{text}");
        true
    }

    /// Broken by: a panic on a cut percent sign, or a part that is taken for the whole.
    #[test]
    fn cut_requests_never_pay_another() {
        for (uri, _) in good() {
            let end = uri.len();
            for at in 0..end {
                assert!(!check(&uri[..at]), "{}", &uri[..at]);
                check(&format!("{}{}", &uri[..at], &uri[at + 1..]));
            }
        }
    }

    /// Broken by: a panic on any bytes.
    #[test]
    fn noise_is_refused_or_read_one_way() {
        let mut state = 7u64;
        let mut roll = |end: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as usize % end
        };
        let letters: Vec<char> =
            "ddt:apt1?&=%aF09-. é\u{202e}\u{7}req-amountmemochain".chars().collect();
        for (uri, _) in good() {
            for _ in 0..2_000 {
                let mut noisy: Vec<char> = uri.chars().collect();
                for _ in 0..=roll(3) {
                    let (at, letter) = (roll(noisy.len()), letters[roll(letters.len())]);
                    match roll(3) {
                        0 => noisy[at] = letter,
                        1 => noisy.insert(at, letter),
                        _ => drop(noisy.remove(at)),
                    }
                }
                check(&noisy.into_iter().collect::<String>());
            }
        }
        for _ in 0..2_000 {
            let length = roll(80);
            let noise: String = (0..length).map(|_| letters[roll(letters.len())]).collect();
            check(&format!("ddt:{noise}"));
        }
    }
}
