//! `ddt dev`, started and ended.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};

use serde_json::Value as Json;
use tempfile::TempDir;

use super::cli::{self, Ending};
use super::http::{self, Answer};
use super::signer::Signer;
use super::{PATIENCE, eventually};

/// A running `ddt dev`. It is killed when this is dropped, also by a panic.
pub struct Network {
    process: Child,
    /// The data of the line it printed.
    pub data: Json,
    /// Where its state is.
    pub home: PathBuf,
    /// Keeps a folder that nobody else keeps.
    _folder: Option<TempDir>,
}

/// A folder for state, and beside it room for a test's own files.
pub fn folder() -> TempDir {
    tempfile::Builder::new().prefix("ddt-black-box-").tempdir().unwrap()
}

impl Network {
    /// A new network in a folder of its own.
    pub fn new() -> Network {
        let folder = folder();
        let mut network = Network::start(&folder.path().join("state"));
        network._folder = Some(folder);
        network
    }

    /// A new network in a folder of its own, with these parameters, `name=value`.
    pub fn with_parameters(parameters: &[&str]) -> Network {
        let folder = folder();
        let home = folder.path().join("state");
        let started = Network::try_start_with(&home, parameters);
        let mut network = started.unwrap_or_else(|ending| panic!("no network: {ending:#?}"));
        network._folder = Some(folder);
        network
    }

    /// Starts on a state folder with these parameters, or says how the process ended.
    pub fn try_start_with(home: &Path, parameters: &[&str]) -> Result<Network, Ending> {
        let given = parameters.iter().flat_map(|parameter| ["--param", parameter]);
        let arguments: Vec<&str> = ["--no-wallet-ui", "--state", home.to_str().unwrap()]
            .into_iter()
            .chain(given)
            .collect();
        Network::launch(home, &arguments)
    }

    /// Starts on a state folder; panics when it does not start.
    pub fn start(home: &Path) -> Network {
        Network::try_start(home).unwrap_or_else(|ending| panic!("no network: {ending:#?}"))
    }

    /// Starts on a state folder, or says how the process ended.
    pub fn try_start(home: &Path) -> Result<Network, Ending> {
        Network::launch(home, &["--no-wallet-ui", "--state", home.to_str().unwrap()])
    }

    /// A new network with the wallet's pages beside it.
    pub fn with_wallet_ui() -> Network {
        let folder = folder();
        let home = folder.path().join("state");
        let mut network = Network::launch(&home, &["--state", home.to_str().unwrap()]).unwrap();
        network._folder = Some(folder);
        network
    }

    /// The same with further flags.
    pub fn try_start_with(home: &Path, flags: &[&str]) -> Result<Network, Ending> {
        let state = ["--state", home.to_str().unwrap()];
        Network::launch(home, &[&state, flags].concat())
    }

    /// Starts a network that forgets everything at its end; the log is written beside `log`.
    pub fn start_forgetful(log: &Path) -> Network {
        let mut network = Network::launch(log, &["--no-wallet-ui"]).unwrap();
        network.home = PathBuf::from(network.text("home"));
        network
    }

    fn launch(home: &Path, arguments: &[&str]) -> Result<Network, Ending> {
        let log = home.with_extension("log");
        let mut command = cli::command(home);
        command.args(["dev", "--json", "--listen", "127.0.0.1:0"]).args(arguments);
        command.stdout(Stdio::piped()).stderr(File::create(&log).unwrap());
        let mut process = command.spawn().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        let mut network =
            Network { process, data: Json::Null, home: home.to_path_buf(), _folder: None };
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line)));
        });
        let line = match receiver.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(RecvTimeoutError::Disconnected) => String::new(),
            Err(RecvTimeoutError::Timeout) => panic!("no line from ddt dev"),
        };
        let envelope: Json = serde_json::from_str(&line).unwrap_or_default();
        if envelope["ok"] == true {
            assert_eq!(envelope["version"], 1);
            network.data = envelope["data"].clone();
            return Ok(network);
        }
        let code = network.ended();
        let stderr = std::fs::read_to_string(log).unwrap();
        Err(Ending { code, stdout: line, stderr })
    }

    /// The exit code, once the process ends by itself.
    fn ended(&mut self) -> Option<i32> {
        eventually("the process ends", || self.process.try_wait().unwrap()).code()
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Ctrl-C; answers the exit code.
    pub fn interrupt(mut self) -> Option<i32> {
        cli::signal(self.process.id(), "INT");
        self.ended()
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// A text of the line it printed.
    pub fn text(&self, name: &str) -> &str {
        self.data[name].as_str().unwrap()
    }

    /// Host and port of the public API.
    pub fn public(&self) -> &str {
        self.text("api").strip_prefix("http://").unwrap()
    }

    /// Host and port of the private API.
    pub fn private(&self) -> &str {
        self.text("private_api").strip_prefix("http://").unwrap()
    }

    /// The private API's token.
    pub fn token(&self) -> String {
        std::fs::read_to_string(self.text("token_file")).unwrap().trim().to_string()
    }

    /// Runs `ddt` on this network's folder.
    pub fn ddt(&self, arguments: &[&str]) -> Ending {
        cli::ddt(&self.home, arguments)
    }

    /// Reads a path of the public API.
    pub fn get(&self, path: &str) -> Answer {
        http::exchange(self.public(), &format!("GET {path}"), &[], &[]).unwrap()
    }

    /// The JSON at a path.
    pub fn json(&self, path: &str) -> Json {
        self.get(path).json(200)
    }

    /// Submits bytes as an event.
    pub fn submit(&self, wait: &str, bytes: &[u8]) -> Answer {
        submit(self.public(), wait, bytes).unwrap()
    }

    /// Hands a preimage to the node's agent.
    pub fn reveal(&self, preimage: &Json) -> Answer {
        let token = format!("Bearer {}", self.token());
        let headers = [("content-type", "application/json"), ("authorization", token.as_str())];
        let body = preimage.to_string();
        let request = "POST /v1/reveals";
        http::exchange(self.private(), request, &headers, body.as_bytes()).unwrap()
    }

    /// Opens one of the test wallets.
    pub fn signer(&self, name: &str) -> Signer {
        let chain = self.json("/v1/status")["chain"].as_str().unwrap().to_string();
        Signer::of_wallet(&self.home, Path::new(self.text("password_file")), name, &chain)
    }

    /// What an account has, as the API says it.
    pub fn balance(&self, account: &str) -> String {
        self.json(&format!("/v1/accounts/{account}"))["balance"].as_str().unwrap().to_string()
    }
}

/// Submits bytes as an event to the API at an address.
pub fn submit(address: &str, wait: &str, bytes: &[u8]) -> std::io::Result<Answer> {
    let request = format!("POST /v1/events?wait={wait}&timeout_ms=60000");
    http::exchange(address, &request, &[("content-type", "application/octet-stream")], bytes)
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
