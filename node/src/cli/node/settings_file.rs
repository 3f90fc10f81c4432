//! Putting settings into `config.toml` of a data folder, without touching anything else in it.

use std::net::SocketAddr;
use std::path::Path;

use toml_edit::{DocumentMut, Item, Table, value};

use crate::config::FILE;
use crate::failure::Failure;
use crate::secret_file;

/// What becomes of a setting that stands there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Another value is an error.
    Same,
    /// So is another port; an address is the operator's choice.
    SamePort,
    /// It is a list with commas between: what it lacks is added.
    Add,
    /// It is replaced.
    Replace,
}

/// Table, key, text, and what becomes of what stands there.
pub type Setting<'a> = (&'a str, &'a str, String, Rule);

/// Sets `table.key = "text"` for each: all of them, or none.
///
/// # Errors
/// A file that is no TOML, one that says something else, or a disk that fails.
pub fn set(home: &Path, settings: &[Setting<'_>]) -> Result<(), Failure> {
    let path = home.join(FILE);
    let before = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Failure::io(&path, &error)),
    };
    let wrong = |words: String| Failure::usage(format!("{}: {words}", path.display()));
    let document: Result<DocumentMut, _> = before.parse();
    let mut document = document.map_err(|error| wrong(error.to_string().trim_end().to_string()))?;
    for (name, key, text, rule) in settings {
        let table = document.entry(name).or_insert_with(|| Item::Table(Table::new()));
        let table = table.as_table_like_mut();
        let table = table.ok_or_else(|| wrong(format!("{name} is no table")))?;
        let wanted = match table.get(key) {
            None => text.clone(),
            Some(there) => {
                let there = there.as_str();
                let there = there.ok_or_else(|| wrong(format!("{name}.{key} is no text")))?;
                joined(there, text, *rule).ok_or_else(|| {
                    wrong(format!(
                        "{name}.{key} is \"{there}\" there, and not \"{text}\": change or remove \
                         one of the two"
                    ))
                })?
            }
        };
        if table.get(key).and_then(Item::as_str) != Some(&wanted) {
            table.insert(key, value(wanted));
        }
    }
    match document.to_string() {
        after if after == before => Ok(()),
        after => secret_file::replace(&path, &after),
    }
}

/// What stands there afterwards; `None` if that cannot be.
fn joined(there: &str, text: &str, rule: Rule) -> Option<String> {
    let port = |text: &str| text.parse().map(|address: SocketAddr| address.port()).ok();
    match rule {
        Rule::Replace => Some(text.to_string()),
        Rule::Add => {
            let parts = |text| str::split(text, ',').map(str::trim).filter(|part| !part.is_empty());
            let mut all: Vec<&str> = parts(there).collect();
            let more: Vec<&str> = parts(text).filter(|part| !all.contains(part)).collect();
            all.extend(&more);
            Some(if more.is_empty() { there.to_string() } else { all.join(",") })
        }
        _ if there == text => Some(there.to_string()),
        Rule::SamePort if port(there).is_some() && port(there) == port(text) => {
            Some(there.to_string())
        }
        Rule::Same | Rule::SamePort => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(key: &'static str, text: &str, rule: Rule) -> Setting<'static> {
        ("network", key, text.to_string(), rule)
    }

    /// Broken by: a file that is written anew without its comments; a value that is silently not
    /// set; peers that are dropped because there are some; half of the settings.
    #[test]
    fn settings_are_set_or_refused_and_comments_stay() {
        let home = tempfile::tempdir().expect("a folder");
        let (home, file) = (home.path(), home.path().join(FILE));
        let text = "# mine\n[network] # here\nlisten = \"10.0.0.1:9000\" # inside\n\n[log]\n";
        std::fs::write(&file, text).expect("a file");
        let read = || std::fs::read_to_string(&file).expect("a file");
        let other = [
            setting("external", "a.example:8410", Rule::Same),
            setting("listen", "0.0.0.0:8410", Rule::SamePort),
        ];
        let refused = set(home, &other).expect_err("another port").to_string();
        assert!(refused.contains("10.0.0.1:9000") && refused.contains("0.0.0.0:8410"), "{refused}");
        assert_eq!(read(), text, "half of it was set");
        let same = [
            setting("listen", "0.0.0.0:9000", Rule::SamePort),
            setting("peers", "/ip4/192.0.2.1/tcp/1", Rule::Add),
        ];
        set(home, &same).expect("a setting");
        set(home, &[setting("peers", "/ip4/192.0.2.2/tcp/1,/ip4/192.0.2.1/tcp/1", Rule::Add)])
            .expect("a setting");
        let peers = "peers = \"/ip4/192.0.2.1/tcp/1,/ip4/192.0.2.2/tcp/1\"\n";
        assert_eq!(read(), text.replace("# inside\n", &format!("# inside\n{peers}")));
        set(home, &[setting("listen", "0.0.0.0:1", Rule::Replace)]).expect("a setting");
        assert!(read().contains("listen = \"0.0.0.0:1\""), "{}", read());
        std::fs::write(&file, "network = 1\n").expect("a file");
        assert!(set(home, &same).is_err());
    }
}
