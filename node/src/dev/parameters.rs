//! `--param NAME=VALUE`: a development network with other parameters.

use ddt_ledger::params::Params;
use serde_json::{Map, Value as Json};

use crate::failure::Failure;

/// The parameters with what was asked for put in their places.
pub fn with(params: &Params, asked: &[String]) -> Result<Params, Failure> {
    let mut all = object(params)?;
    for (name, value) in read(&all, asked)? {
        all.insert(name.clone(), value.clone());
        // One at a time, so that the failure names the one that does not fit.
        serde_json::from_value::<Params>(Json::Object(all.clone()))
            .map_err(|error| Failure::usage(format!("--param {name}={value}: {error}")))?;
    }
    serde_json::from_value(Json::Object(all)).map_err(|error| Failure::fault(error.to_string()))
}

/// Refuses what a network that is there already does not have: its parameters are part of
/// what it started from.
pub fn check(there: &Params, asked: &[String]) -> Result<(), Failure> {
    let all = object(there)?;
    for (name, value) in read(&all, asked)? {
        let present = all.get(&name).cloned().unwrap_or_default();
        if present != value {
            return Err(Failure::usage(format!(
                "--param {name}={value}: this network was made with {name}={present}; leave \
                 --param out, or make a new network with another --state"
            )));
        }
    }
    Ok(())
}

fn object(params: &Params) -> Result<Map<String, Json>, Failure> {
    match serde_json::to_value(params) {
        Ok(Json::Object(object)) => Ok(object),
        _ => Err(Failure::fault("the parameters cannot be shown")),
    }
}

fn read(known: &Map<String, Json>, asked: &[String]) -> Result<Vec<(String, Json)>, Failure> {
    let mut read: Vec<(String, Json)> = Vec::new();
    for argument in asked {
        let wrong = |what: &str| Failure::usage(format!("--param {argument}: {what}"));
        let (name, value) = argument.split_once('=').ok_or_else(|| wrong("want NAME=VALUE"))?;
        if !known.contains_key(name) {
            let names: Vec<&str> = known.keys().map(String::as_str).collect();
            let words = format!("there is no such parameter; there are: {}", names.join(", "));
            return Err(wrong(&words));
        }
        if read.iter().any(|(other, _)| other == name) {
            return Err(wrong("it is given twice"));
        }
        let value: u64 = value.parse().map_err(|_| wrong("want a whole number"))?;
        read.push((name.to_string(), Json::from(value)));
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| text.to_string()).collect()
    }

    // Broken by: a parameter put in another's place.
    #[test]
    fn what_is_asked_for_is_set_and_nothing_else() {
        let asked = texts(&["domain_year_ms=20000", "stamp_bits=3"]);
        let params = with(&Params::dev(), &asked).unwrap();
        let year = ddt_ledger::Millis(20_000);
        assert_eq!(params, Params { domain_year_ms: year, stamp_bits: 3, ..Params::dev() });
        assert_eq!(with(&Params::dev(), &[]).unwrap(), Params::dev());
        assert!(check(&params, &asked).is_ok());
        let told = check(&Params::dev(), &asked).unwrap_err().words;
        assert!(told.contains("made with domain_year_ms=31536000000"), "{told}");
    }

    // Broken by: passing on what is no parameter, or no number that fits.
    #[test]
    fn wrong_names_and_numbers_are_named() {
        for (argument, words) in [
            ("domain_year=1", "there are: "),
            ("domain_year_ms", "NAME=VALUE"),
            ("domain_year_ms=1.5", "whole number"),
            ("domain_year_ms=-1", "whole number"),
            ("domain_year_ms=99999999999999999999", "whole number"),
            ("stamp_bits=256", "stamp_bits=256"),
        ] {
            let told = with(&Params::dev(), &texts(&[argument])).unwrap_err().words;
            assert!(told.contains(words) && told.contains(argument), "{told}");
        }
        let twice = texts(&["zone_seats=1", "zone_seats=2"]);
        assert!(with(&Params::dev(), &twice).unwrap_err().words.contains("twice"));
    }
}
