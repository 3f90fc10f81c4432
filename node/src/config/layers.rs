//! Where values come from, one layer on the other.

use std::path::{Path, PathBuf};

use figment::error::Kind as ErrorKind;
use figment::value::{Dict, Map, Value};
use figment::{Error, Figment, Metadata, Profile, Provider, Source};

use super::settings::{Kind, SETTINGS, Setting, nearest};
use super::{Config, Given, Giver, Origin};
use crate::failure::{Failure, FailureKind};

const DEFAULT: &str = "default";
const FILE: &str = "file";
const ENVIRONMENT: &str = "environment";
const FLAG: &str = "flag";

/// Values of one origin.
pub struct Layer {
    name: &'static str,
    file: Option<PathBuf>,
    values: Dict,
}

impl Layer {
    /// The defaults.
    pub fn defaults(config: &Config) -> Result<Layer, Failure> {
        let value = Value::serialize(config).map_err(|error| wrong(error.to_string()))?;
        Ok(Layer { name: DEFAULT, file: None, values: value.into_dict().unwrap_or_default() })
    }

    fn empty(name: &'static str) -> Layer {
        Layer { name, file: None, values: Dict::new() }
    }

    fn put(&mut self, key: &str, value: Value) {
        match key.split_once('.') {
            None => drop(self.values.insert(key.to_string(), value)),
            Some((table, key)) => {
                let entry = self.values.entry(table.to_string());
                let table = entry.or_insert_with(|| Value::from(Dict::new()));
                if let Value::Dict(_, table) = table {
                    table.insert(key.to_string(), value);
                }
            }
        }
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        match &self.file {
            Some(path) => Metadata::from(self.name, Source::File(path.clone())),
            None => Metadata::named(self.name),
        }
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

fn wrong(words: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Usage, "config", words)
}

/// The file's values; `None` where a file that nobody named is not there.
pub fn file(path: &Path, is_beside: bool) -> Result<Option<Layer>, Failure> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && is_beside => {
            return Ok(None);
        }
        // A data folder that is no folder: whoever uses it says so.
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory && is_beside => {
            return Ok(None);
        }
        Err(error) => return Err(Failure::io(path, &error)),
    };
    let name = path.display();
    let table: toml::Table = toml::from_str(&text)
        .map_err(|error| wrong(format!("{name}: {}", error.to_string().trim_end())))?;
    for key in keys(&table) {
        if SETTINGS.iter().all(|setting| setting.key != key) {
            let hint = nearest(&key).map(|known| format!("; did you mean {known}?"));
            let hint = hint.unwrap_or_else(|| "; ddt config show lists all".to_string());
            return Err(field(&key, format!("{name} has an unknown setting {key}{hint}")));
        }
        if key == "home" && is_beside {
            let words = format!("{name} is found by the data folder and cannot name another one");
            return Err(field(&key, words));
        }
    }
    let value = Value::serialize(&table).map_err(|error| wrong(format!("{name}: {error}")))?;
    let values = value.into_dict().unwrap_or_default();
    Ok(Some(Layer { name: FILE, file: Some(path.to_path_buf()), values }))
}

fn field(key: &str, words: String) -> Failure {
    Failure { field: Some(key.to_string()), ..wrong(words) }
}

/// Every key of the file, dotted; a table that no setting is in counts as a key itself.
fn keys(table: &toml::Table) -> Vec<String> {
    let mut keys = Vec::new();
    for (name, value) in table {
        let prefix = format!("{name}.");
        let is_table = SETTINGS.iter().any(|setting| setting.key.starts_with(&prefix));
        match value {
            toml::Value::Table(inner) if is_table => {
                keys.extend(inner.keys().map(|key| format!("{prefix}{key}")));
            }
            // A table's name with another value is of the wrong kind, not unknown.
            _ if is_table => {}
            _ => keys.push(name.clone()),
        }
    }
    keys
}

/// What the environment says, as far as it is set and not empty.
pub fn environment(given: &Given) -> Layer {
    let mut layer = Layer::empty(ENVIRONMENT);
    let by_flag = |key: &str| SETTINGS.iter().any(|s| s.key == key && is_global(s));
    for setting in SETTINGS.iter().filter(|setting| !by_flag(setting.key)) {
        let text = std::env::var(setting.variable).unwrap_or_default();
        if !text.is_empty() {
            layer.put(setting.key, read(setting, text));
        }
    }
    for (key, text, _) in given.iter().filter(|given| given.2 == Giver::Environment) {
        layer.put(key, Value::from(text.clone()));
    }
    layer
}

/// Whether the command line's parser reads the setting's variable itself.
fn is_global(setting: &Setting) -> bool {
    matches!(setting.key, "home" | "api" | "password_file")
}

/// A text as a value of the setting's kind; one that is none stays a text, and is refused
/// as such by name.
fn read(setting: &Setting, text: String) -> Value {
    match setting.kind {
        Kind::Count => text.parse::<u64>().map_or_else(|_| Value::from(text), Value::from),
        Kind::Flag => text.parse::<bool>().map_or_else(|_| Value::from(text), Value::from),
        Kind::Text => Value::from(text),
    }
}

/// What flags say.
pub fn flags(given: &Given) -> Layer {
    let mut layer = Layer::empty(FLAG);
    for (key, text, _) in given.iter().filter(|given| given.2 == Giver::Flag) {
        layer.put(key, Value::from(text.clone()));
    }
    layer
}

/// Where a setting's value came from.
pub fn origin(figment: &Figment, setting: &Setting) -> Origin {
    let Some(metadata) = figment.find_metadata(setting.key) else { return Origin::Default };
    match (metadata.name.as_ref(), &metadata.source) {
        (FILE, Some(Source::File(path))) => Origin::File(path.clone()),
        (ENVIRONMENT, _) => Origin::Environment(setting.variable),
        (FLAG, _) => Origin::Flag(setting.flag.unwrap_or_default()),
        _ => Origin::Default,
    }
}

/// A value as people write it.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(_, text) => Some(text.clone()),
        Value::Bool(_, flag) => Some(flag.to_string()),
        Value::Num(_, number) => {
            number.to_u128().map(|n| n.to_string()).or(number.to_i128().map(|n| n.to_string()))
        }
        _ => None,
    }
}

/// A wrong value, with its key and where it stands.
pub fn failure(figment: &Figment, error: &Error) -> Failure {
    let key = error.path.join(".");
    let setting = SETTINGS.iter().find(|setting| setting.key == key);
    let place = match setting.map(|setting| origin(figment, setting)) {
        Some(Origin::File(path)) => path.display().to_string(),
        Some(Origin::Environment(name)) => name.to_string(),
        Some(Origin::Flag(name)) => name.to_string(),
        _ => match error.metadata.as_ref().and_then(|metadata| metadata.source.as_ref()) {
            Some(Source::File(path)) => path.display().to_string(),
            _ => "the settings".to_string(),
        },
    };
    let words = match &error.kind {
        ErrorKind::InvalidType(actual, wanted) | ErrorKind::InvalidValue(actual, wanted) => {
            format!("found {actual}, wanted {wanted}")
        }
        other => other.to_string(),
    };
    field(&key, format!("{place}: {words}"))
}
