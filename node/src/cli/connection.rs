//! Finding the node to talk to, and talking to it.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ddt_api::Stage;
use ddt_api::client::{ApiError, Client};
use ddt_ledger::{AccountId, Amount, ChainId, Hash, PublicKey};
use serde_json::Value as Json;

use super::Global;
use crate::data_folder::{read_genesis, running_node};
use crate::failure::{Failure, FailureKind};
use crate::secret_file;

/// The node that is asked when nobody names one.
pub const DEFAULT_API: &str = "http://127.0.0.1:8400";

/// A node that answers.
pub struct Connection {
    client: Client,
    private: Option<Client>,
    chain: ChainId,
}

/// The data folder of this command: `--home`, or the system's usual place.
pub fn home(global: &Global) -> PathBuf {
    global.home.clone().unwrap_or_else(|| global.config.home.clone())
}

/// Unix time in microseconds, from this machine's clock.
pub fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

impl Connection {
    /// Finds the node: `--api`, else the one that runs on the data folder, else the default.
    pub fn open(global: &Global) -> Result<Connection, Failure> {
        let home = home(global);
        let running = running_node(&home);
        let api = global.api.clone().or_else(|| running.as_ref().map(|node| node.api.clone()));
        let client = Client::new(api.as_deref().unwrap_or(DEFAULT_API));
        let is_own = running.as_ref().is_some_and(|node| Some(&node.api) == api.as_ref());
        let private = match running.filter(|_| is_own) {
            Some(node) => private_client(&home, &node.private_api)?,
            None => None,
        };
        let status = client.get_json("/v1/status").map_err(failure)?;
        let chain = text(&status, "/chain").and_then(|chain| Hash::from_hex(&chain));
        let chain = chain.map(ChainId).ok_or_else(|| Failure::fault("the node names no chain"))?;
        check_chain(&home, chain)?;
        Ok(Connection { client, private, chain })
    }

    /// A node of another network, only to be read: what it says must be checked otherwise.
    pub fn elsewhere(url: &str) -> Result<Connection, Failure> {
        let client = Client::new(url);
        let status = client.get_json("/v1/status").map_err(failure)?;
        let chain = text(&status, "/chain").and_then(|chain| Hash::from_hex(&chain));
        let chain = chain.map(ChainId).ok_or_else(|| Failure::fault("the node names no chain"))?;
        Ok(Connection { client, private: None, chain })
    }

    /// The chain the node follows.
    pub fn chain(&self) -> ChainId {
        self.chain
    }

    /// URL of the node's public API, where its explorer is too, without a password.
    pub fn api(&self) -> &str {
        self.client.shown()
    }

    /// Reads a path of the public API.
    pub fn get(&self, path: &str) -> Result<Json, Failure> {
        self.client.get_json(path).map_err(failure)
    }

    /// Asks a view; answers its rows.
    pub fn view(&self, name: &str, query: &[(&str, String)]) -> Result<Vec<Json>, Failure> {
        let answer = self.get(&view_path(name, query))?;
        Ok(answer.pointer("/rows").and_then(Json::as_array).cloned().unwrap_or_default())
    }

    /// Asks a view for all its rows, page by page.
    pub fn view_all(&self, name: &str, query: &[(&str, String)]) -> Result<Vec<Json>, Failure> {
        self.get_all(&format!("/v1/views/{}", name.replace('.', "/")), query)
    }

    /// Reads all rows of a list of the public API, page by page.
    pub fn get_all(&self, path: &str, query: &[(&str, String)]) -> Result<Vec<Json>, Failure> {
        let (mut rows, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let mut page = query.to_vec();
            page.push(("limit", "100".to_string()));
            page.extend(cursor.map(|cursor| ("cursor", cursor)));
            let answer = self.get(&with_query(path, &page))?;
            rows.extend(
                answer.pointer("/rows").and_then(Json::as_array).cloned().into_iter().flatten(),
            );
            cursor = text(&answer, "/next");
            if cursor.is_none() {
                return Ok(rows);
            }
        }
    }

    /// The only row of a view, if there is one.
    pub fn view_one(&self, name: &str, query: &[(&str, String)]) -> Result<Option<Json>, Failure> {
        match self.view(name, query) {
            Ok(rows) => Ok(rows.into_iter().next()),
            Err(failure) if failure.kind == FailureKind::NotFound => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// What an account has; nothing when it has not opened.
    pub fn balance(&self, account: &AccountId) -> Result<Amount, Failure> {
        let row = self.view_one("accounts.account", &[("account", account.to_string())])?;
        let balance = row.and_then(|row| text(&row, "/balance"));
        balance.map_or(Ok(Amount::ZERO), |balance| balance.parse().map_err(Failure::from))
    }

    /// The fee of an event of so many bytes.
    pub fn fee(&self, bytes: usize) -> Result<Amount, Failure> {
        let fees = self.get(&format!("/v1/fees?bytes={bytes}"))?;
        let fee =
            text(&fees, "/asked/fee").ok_or_else(|| Failure::fault("the node names no fee"))?;
        Ok(fee.parse()?)
    }

    /// What would become of a signed event; changes nothing.
    pub fn forecast(&self, bytes: &[u8]) -> Result<Json, Failure> {
        self.client.forecast(bytes).map_err(failure)
    }

    /// What would become of an event if it were signed; takes its draft's bytes.
    pub fn forecast_unsigned(&self, bytes: &[u8]) -> Result<Json, Failure> {
        self.client.forecast_unsigned(bytes).map_err(failure)
    }

    /// Submits a signed event and waits for a stage.
    pub fn submit(&self, bytes: &[u8], stage: Stage) -> Result<Json, Failure> {
        self.client.submit(bytes, Some((stage, Duration::from_secs(60)))).map_err(failure)
    }

    /// Whether this node's private API may be used from here.
    pub fn is_own_node(&self) -> bool {
        self.private.is_some()
    }

    /// The key of this machine's node, if it runs here.
    pub fn node_key(&self) -> Result<Option<PublicKey>, Failure> {
        let Some(private) = &self.private else { return Ok(None) };
        let node = private.get_json("/v1/node").map_err(failure)?;
        Ok(text(&node, "/node_key").and_then(|key| PublicKey::from_hex(&key)))
    }

    /// Reads a path of the private API.
    pub fn get_private(&self, path: &str) -> Result<Json, Failure> {
        let private = self.private.as_ref();
        let words = "no node runs on this data folder: choose its --home";
        private
            .ok_or_else(|| Failure::new(FailureKind::Unreachable, "unreachable", words))?
            .get_json(path)
            .map_err(failure)
    }

    /// Hands the preimage of a commit to the node's agent.
    pub fn reveal(&self, preimage: &Json) -> Result<Json, Failure> {
        let private = self.private.as_ref();
        let private = private.ok_or_else(|| Failure::fault("the node is not this machine's"))?;
        private.post_json("/v1/reveals", preimage).map_err(failure)
    }
}

/// The private API of the node that runs on a folder, if one does and answers.
pub fn own_node(home: &Path) -> Result<Option<Client>, Failure> {
    let Some(node) = running_node(home) else { return Ok(None) };
    let Some(client) = private_client(home, &node.private_api)? else { return Ok(None) };
    // No answer, or another's: the process was killed, and its port may be anybody's by now.
    // If it runs all the same, it holds the folder, and whoever needs that is told so.
    Ok(client.get_json("/v1/node").is_ok().then_some(client))
}

fn private_client(home: &Path, url: &str) -> Result<Option<Client>, Failure> {
    let Some(token) = secret_file::read(&home.join("token"))? else { return Ok(None) };
    Ok(Some(Client::new(url).with_token(&token)))
}

/// A data folder belongs to one network: a node of another must not get signatures for it.
fn check_chain(home: &Path, chain: ChainId) -> Result<(), Failure> {
    match read_genesis(&home.join("genesis.toml"))? {
        Some(genesis) if genesis.chain() != chain => Err(Failure::fault(format!(
            "the node follows another network than {}: choose another --api or --home",
            home.display()
        ))),
        _ => Ok(()),
    }
}

/// The path of a view with its query.
pub fn view_path(name: &str, query: &[(&str, String)]) -> String {
    with_query(&format!("/v1/views/{}", name.replace('.', "/")), query)
}

fn with_query(path: &str, query: &[(&str, String)]) -> String {
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    for (field, value) in query {
        pairs.append_pair(field, value);
    }
    format!("{path}?{}", pairs.finish())
}

/// The text at a JSON pointer.
pub fn text(json: &Json, pointer: &str) -> Option<String> {
    match json.pointer(pointer)? {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// An API error as this command's failure.
pub fn failure(error: ApiError) -> Failure {
    let kind = match error.status {
        0 => FailureKind::Unreachable,
        404 => FailureKind::NotFound,
        400..=499 => FailureKind::Refused,
        _ => FailureKind::Fault,
    };
    let code = error.code().to_string();
    Failure { kind, code, words: error.detail, field: error.field }
}
