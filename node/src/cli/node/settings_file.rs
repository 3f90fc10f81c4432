//! Putting settings into `config.toml` of a data folder, without touching the others.

use std::path::Path;

use crate::config::FILE;
use crate::failure::Failure;
use crate::secret_file;

/// Sets `table.key = "text"` for each, unless the file says something of that key already.
///
/// # Errors
/// A file that is no TOML, or a disk that fails.
pub fn set(home: &Path, values: &[(&str, &str, String)]) -> Result<(), Failure> {
    let path = home.join(FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Failure::io(&path, &error)),
    };
    let wrong = |error: toml::de::Error| Failure::usage(format!("{}: {error}", path.display()));
    let mut table: toml::Table = toml::from_str(&text).map_err(wrong)?;
    let mut is_changed = false;
    for (name, key, value) in values {
        let inner = table.entry(name.to_string()).or_insert_with(|| toml::Table::new().into());
        if let toml::Value::Table(inner) = inner
            && !inner.contains_key(*key)
        {
            inner.insert(key.to_string(), toml::Value::from(value.as_str()));
            is_changed = true;
        }
    }
    if !is_changed {
        return Ok(());
    }
    let text = toml::to_string_pretty(&table).map_err(|error| Failure::fault(error.to_string()))?;
    secret_file::replace(&path, &text)
}
