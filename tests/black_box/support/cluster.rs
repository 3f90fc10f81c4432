//! Networks of several operators: each node a process with a folder and an address of its own,
//! made as operators make them.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};

use ddt_ledger::{AccountId, ChainId, Hash};
use ddt_wallet::Seed;
use serde_json::Value as Json;
use tempfile::TempDir;

use super::cli::{self, Ending};
use super::doors::Doors;
use super::http::{self, Answer};
use super::network::{folder, submit};
use super::signer::Signer;
use super::{PATIENCE, eventually};

/// What everybody's account starts with.
pub const FUNDS: &str = "1000000";

/// What nodes log, unless `DDT_TEST_LOG` says otherwise: the engine would say too much.
const LOG: &str = "info,arc_malachitebft=warn,libp2p=warn";

/// Several nodes of one network.
pub struct Cluster {
    folder: TempDir,
    /// The routers, in the order of their zones, then the full nodes.
    pub nodes: Vec<Node>,
    /// Accounts with coins.
    pub people: Vec<Signer>,
    /// The chain.
    pub chain: ChainId,
    /// What lies between the nodes, if anything does.
    pub doors: Option<Doors>,
}

/// A node, running or not.
pub struct Node {
    /// Its data folder.
    pub home: PathBuf,
    /// Its address on loopback.
    pub ip: IpAddr,
    /// Of the network, of consensus, of the API: the same after every start.
    pub ports: (u16, u16, u16),
    /// The ports of its doors, for the network and for consensus: of them alone others are told.
    pub doors: Option<(u16, u16)>,
    /// Which process it is, or was last; 0 before its first start.
    pub process_id: Arc<AtomicU32>,
    /// The network namespace that it lives in, if not this one.
    pub namespace: Option<String>,
    /// Variables of its process.
    pub environment: Vec<(&'static str, String)>,
    /// Further flags of `ddt node run`.
    pub flags: Vec<&'static str>,
    /// No file it writes may grow beyond this, if it is said.
    pub file_bytes_max: Option<u64>,
    process: Option<Child>,
    printed: Arc<Mutex<String>>,
    /// The data of the line it printed.
    pub data: Json,
}

/// The seed of a person, from 0, or of the operator of router N, as 50 + N.
pub fn seed(number: u8) -> [u8; 32] {
    std::array::from_fn(|at| number.wrapping_add(100).wrapping_mul(7).wrapping_add(at as u8))
}

fn person(number: u8) -> ddt_wallet::OwnerKey {
    Seed::from_bytes(&seed(number)).owner_key(0).unwrap()
}

/// A port of this process alone. A node that is dead for a while must find its ports free when it
/// comes back, so they are none of those that the system gives away by itself.
fn free_port(ip: IpAddr) -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let mut ports = std::iter::repeat_with(|| {
        let number = NEXT.fetch_add(1, Ordering::Relaxed) + 97 * std::process::id();
        16_384 + (number % 16_384) as u16
    });
    ports.find(|port| TcpListener::bind((ip, *port)).is_ok()).unwrap()
}

impl Cluster {
    /// A network of so many routers, none of them running yet, with parameters `name=value`.
    pub fn of(routers: usize, parameters: &[&str]) -> Cluster {
        Cluster::placed(routers, parameters, Node::at)
    }

    /// The same, of nodes that are made so; they are counted from 1.
    pub fn placed(
        routers: usize,
        parameters: &[&str],
        place: impl Fn(&Path, usize) -> Node,
    ) -> Cluster {
        let folder = folder();
        let people: Vec<_> = (0..4).map(person).collect();
        let mut nodes: Vec<Node> = Vec::new();
        let mut parts = Vec::new();
        for number in 1..=routers {
            let node = place(&folder.path().join(number.to_string()), number);
            let owner = person(number as u8 + 50).public().to_string();
            let (name, host) = (format!("router-{number}"), node.ip.to_string());
            let (port, consensus) = node.told();
            let (port, consensus) = (port.to_string(), consensus.to_string());
            let made = cli::ddt(
                &node.home,
                &[
                    "network",
                    "key",
                    "--name",
                    &name,
                    "--owner-key",
                    &owner,
                    "--host",
                    &host,
                    "--port",
                    &port,
                    "--consensus-port",
                    &consensus,
                ],
            );
            parts.push(made.data()["file"].as_str().unwrap().to_string());
            nodes.push(node);
        }
        let out = folder.path().join("public");
        let mut arguments = vec!["network", "assemble", "--name", "test", "--preset", "dev"];
        arguments.extend(["--out", out.to_str().unwrap(), "--balance", FUNDS]);
        arguments.extend(parameters.iter().flat_map(|parameter| ["--param", parameter]));
        let funds: Vec<String> =
            people.iter().map(|key| format!("{}={FUNDS}", key.public())).collect();
        arguments.extend(funds.iter().flat_map(|fund| ["--fund", fund]));
        arguments.extend(parts.iter().map(String::as_str));
        let assembled = cli::ddt(folder.path(), &arguments).data();
        let chain = ChainId(Hash::from_hex(assembled["chain"].as_str().unwrap()).unwrap());
        let signer = |key: ddt_wallet::OwnerKey| Signer { chain, account: key.account(), key };
        let people = people.into_iter().map(signer).collect();
        let cluster = Cluster { folder, nodes, people, chain, doors: None };
        if cluster.nodes.iter().any(|node| node.doors.is_some()) {
            cluster.name_peers_over_tcp_alone();
        }
        for at in 0..routers {
            let peers = cluster.file("peers.txt");
            cluster.init(at, &["--peers", &peers]);
        }
        cluster
    }

    /// A network of so many routers, all running.
    pub fn running(routers: usize, parameters: &[&str]) -> Cluster {
        let mut cluster = Cluster::of(routers, parameters);
        cluster.start_all();
        cluster
    }

    /// The same with doors between the nodes: see [`Doors`].
    pub fn apart(routers: usize, parameters: &[&str]) -> Cluster {
        let doors = Doors::new();
        let place = |home: &Path, number: usize| doors.before(Node::at(home, number));
        let mut cluster = Cluster::placed(routers, parameters, place);
        cluster.doors = Some(doors);
        cluster.start_all();
        cluster
    }

    /// What lies between the nodes.
    pub fn doors(&self) -> &Doors {
        self.doors.as_ref().unwrap()
    }

    /// There are no other doors.
    fn name_peers_over_tcp_alone(&self) {
        let path = self.file("peers.txt");
        let all = fs::read_to_string(&path).unwrap();
        let peers: Vec<&str> = all.lines().filter(|peer| peer.contains("/tcp/")).collect();
        fs::write(&path, peers.join("\n")).unwrap();
    }

    /// A file that every operator has.
    pub fn file(&self, name: &str) -> String {
        self.folder.path().join("public").join(name).to_str().unwrap().to_string()
    }

    /// `ddt node init` for a node, with these flags that name peers.
    pub fn init(&self, at: usize, peers: &[&str]) {
        let genesis = self.file("genesis.toml");
        let arguments = [&["node", "init", "--genesis", &genesis], peers].concat();
        cli::ddt(&self.nodes[at].home, &arguments).data();
    }

    /// One of the people, for a client of its own.
    pub fn person(&self, at: usize) -> Signer {
        let key = person(at as u8);
        Signer { chain: self.chain, account: key.account(), key }
    }

    /// Adds a full node that knows one other; answers its place.
    pub fn add_full_node(&mut self, peer: usize) -> usize {
        let number = self.nodes.len() + 1;
        let node = Node::at(&self.folder.path().join(number.to_string()), number);
        self.nodes.push(match &self.doors {
            Some(doors) => doors.before(node),
            None => node,
        });
        let address = self.nodes[peer].multiaddr();
        self.init(number - 1, &["--peer", &address]);
        number - 1
    }

    /// Gives a node that does not run a new disk: nothing is left but its saved key.
    pub fn lose_disk(&self, at: usize) {
        let home = &self.nodes[at].home;
        // Moved, it keeps its mode.
        let (key, saved) = (home.join("node.key"), home.with_extension("key"));
        fs::rename(&key, &saved).unwrap();
        fs::remove_dir_all(home).unwrap();
        fs::create_dir(home).unwrap();
        fs::rename(&saved, &key).unwrap();
        self.init(at, &["--peers", &self.file("peers.txt")]);
    }

    /// Leaves the data folders where they are, for people to look at.
    pub fn keep(mut self) -> PathBuf {
        self.nodes.iter_mut().for_each(Node::kill);
        self.folder.keep()
    }

    /// Starts every node that does not run.
    pub fn start_all(&mut self) {
        let idle = self.nodes.iter_mut().filter(|node| node.process.is_none());
        std::thread::scope(|scope| {
            let starting: Vec<_> = idle.map(|node| scope.spawn(|| node.start())).collect();
            starting.into_iter().for_each(|start| start.join().unwrap());
        });
    }

    /// Waits until every running node has the anchor of this height, and sees that all have
    /// the same.
    pub fn agree_at(&self, height: u64) {
        let running: Vec<&Node> = self.nodes.iter().filter(|node| node.process.is_some()).collect();
        let anchors: Vec<Json> = running
            .iter()
            .map(|node| {
                eventually(&format!("anchor {height} at {}", node.home.display()), || {
                    node.anchor(height)
                })
            })
            .collect();
        for (node, anchor) in running.iter().zip(&anchors) {
            assert_eq!(anchor, &anchors[0], "{} has another history", node.home.display());
        }
    }

    /// The highest height of any running node.
    pub fn height(&self) -> u64 {
        let running = self.nodes.iter().filter(|node| node.process.is_some());
        running.map(Node::height).max().unwrap()
    }

    /// Waits until all running nodes have what the highest of them has now, and agree.
    pub fn agree(&self) {
        let height = self.height();
        (height.saturating_sub(20)..=height).filter(|at| *at > 0).for_each(|at| self.agree_at(at));
    }
}

impl Node {
    fn at(home: &Path, number: usize) -> Node {
        let ip = IpAddr::V4(Ipv4Addr::new(127, 0, number as u8, 1));
        Node::new(home, ip, (free_port(ip), free_port(ip), free_port(ip)))
    }

    /// A node at this address with these ports.
    pub fn new(home: &Path, ip: IpAddr, ports: (u16, u16, u16)) -> Node {
        Node {
            home: home.to_path_buf(),
            ip,
            ports,
            doors: None,
            process_id: Arc::default(),
            namespace: None,
            environment: Vec::new(),
            flags: Vec::new(),
            file_bytes_max: None,
            process: None,
            printed: Arc::default(),
            data: Json::Null,
        }
    }

    /// The ports that others are told of, of the network and of consensus.
    fn told(&self) -> (u16, u16) {
        self.doors.unwrap_or((self.ports.0, self.ports.1))
    }

    /// Where other nodes reach it.
    pub fn multiaddr(&self) -> String {
        format!("/ip4/{}/tcp/{}", self.ip, self.told().0)
    }

    /// Starts it; panics when it does not start.
    pub fn start(&mut self) {
        self.try_start().unwrap_or_else(|ending| panic!("no node: {ending:#?}"));
    }

    /// Starts it, or says how the process ended.
    pub fn try_start(&mut self) -> Result<(), Ending> {
        let log = self.home.with_extension("log");
        let log_file = File::options().append(true).create(true).open(&log).unwrap();
        let mut command = match (self.file_bytes_max, &self.namespace) {
            (Some(bytes), _) => cli::bounded(&self.home, bytes),
            (None, Some(namespace)) => cli::inside(&self.home, namespace),
            (None, None) => cli::command(&self.home),
        };
        let listen = format!("{}:{}", self.ip, self.ports.2);
        command.args(["node", "run", "--json", "--listen", &listen]).args(&self.flags);
        // Whatever ends the test ends its nodes.
        command.arg("--until-stdin-ends").stdin(Stdio::piped());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.env("DDT_NETWORK_LISTEN", format!("{}:{}", self.ip, self.ports.0));
        command.env("DDT_CONSENSUS_LISTEN", format!("{}:{}", self.ip, self.ports.1));
        if let Some((network, consensus)) = self.doors {
            command.env("DDT_NETWORK_EXTERNAL", format!("{}:{network}", self.ip));
            command.env("DDT_CONSENSUS_EXTERNAL", format!("{}:{consensus}", self.ip));
        }
        let level = std::env::var("DDT_TEST_LOG").unwrap_or_else(|_| LOG.to_string());
        command.args(["--log", &level]);
        command.stdout(Stdio::piped()).stderr(log_file);
        let mut process = command.spawn().unwrap();
        self.process_id.store(process.id(), Ordering::SeqCst);
        let stdout = BufReader::new(process.stdout.take().unwrap());
        let (sender, receiver) = mpsc::channel();
        let printed = self.printed.clone();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                printed.lock().unwrap().push_str(&line);
                drop(sender.send(line));
            }
        });
        let line = match receiver.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(RecvTimeoutError::Disconnected) => String::new(),
            Err(RecvTimeoutError::Timeout) => panic!("no line from ddt node run"),
        };
        let envelope: Json = serde_json::from_str(&line).unwrap_or_default();
        if envelope["ok"] == true {
            self.data = envelope["data"].clone();
            self.process = Some(process);
            return Ok(());
        }
        let code = process.wait().unwrap().code();
        Err(Ending { code, stdout: line, stderr: fs::read_to_string(log).unwrap() })
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Ctrl-C; answers the exit code.
    pub fn interrupt(&mut self) -> Option<i32> {
        let mut process = self.process.take()?;
        cli::signal(process.id(), "INT");
        eventually("the node ends", || process.try_wait().unwrap()).code()
    }

    /// Waits until it ends by itself; answers the exit code.
    pub fn ended(&mut self) -> Option<i32> {
        let mut process = self.process.take()?;
        eventually("the node ends by itself", || process.try_wait().unwrap()).code()
    }

    /// Everything it printed, other than its log.
    pub fn printed(&self) -> String {
        self.printed.lock().unwrap().clone()
    }

    /// Everything it logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.home.with_extension("log")).unwrap_or_default()
    }

    /// Whether it was started and not ended since.
    pub fn is_running(&self) -> bool {
        self.process.is_some()
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.process.as_ref().unwrap().id()
    }

    /// Whether its process still runs.
    pub fn is_alive(&mut self) -> bool {
        self.process.as_mut().is_some_and(|process| process.try_wait().unwrap().is_none())
    }

    /// Host and port of the public API.
    pub fn public(&self) -> &str {
        self.data["api"].as_str().unwrap().strip_prefix("http://").unwrap()
    }

    /// Reads a path of the public API, if the node answers.
    pub fn try_get(&self, path: &str) -> Option<Answer> {
        http::exchange(self.public(), &format!("GET {path}"), &[], &[]).ok()
    }

    /// The JSON at a path.
    pub fn json(&self, path: &str) -> Json {
        self.try_get(path).unwrap().json(200)
    }

    /// The last committed height.
    pub fn height(&self) -> u64 {
        self.json("/v1/status")["anchor"].as_u64().unwrap()
    }

    /// What everybody must agree on about an anchor, if it is here.
    pub fn anchor(&self, height: u64) -> Option<Json> {
        let answer = self.try_get(&format!("/v1/anchors/{height}"))?;
        let all = (answer.status == 200).then(|| answer.json(200))?;
        // Any 2f+1 signatures make a certificate, and how far a node is is its own.
        let agreed = ["height", "id", "body", "receipts", "receipts_root", "state_root", "time"];
        Some(agreed.into_iter().map(|name| (name.to_string(), all[name].clone())).collect())
    }

    /// The JSON at a path of the private API.
    pub fn private(&self, path: &str) -> Json {
        let address = self.data["private_api"].as_str().unwrap().strip_prefix("http://").unwrap();
        let token = fs::read_to_string(self.home.join("token")).unwrap();
        let bearer = format!("Bearer {}", token.trim());
        let headers = [("authorization", bearer.as_str())];
        http::exchange(address, &format!("GET {path}"), &headers, &[]).unwrap().json(200)
    }

    /// What an account has, as this node says.
    pub fn balance(&self, account: &AccountId) -> String {
        self.json(&format!("/v1/accounts/{account}"))["balance"].as_str().unwrap().to_string()
    }

    /// Submits an event.
    pub fn submit(&self, wait: &str, bytes: &[u8]) -> std::io::Result<Answer> {
        submit(self.public(), wait, bytes)
    }

    /// Runs `ddt` on this node's folder.
    pub fn ddt(&self, arguments: &[&str]) -> Ending {
        cli::ddt(&self.home, arguments)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}
