//! Nodes on loopback that write down what happens to them, and waiting for it.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ddt_ledger::{ChainId, Hash, Millis, PublicKey, Signature};
use ddt_net::card::{Card, SignedCard};
use ddt_net::message::{Answer, Hello, News, Request};
use ddt_net::{BoxFuture, Greeting, Host, Net, NetConfig, Verdict};
use ed25519_dalek::{Signer, SigningKey};
use tokio::sync::watch;
use zeroize::Zeroizing;

/// What happened to a node.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    Greeted(PublicKey, Hello),
    Lost(PublicKey),
    News(PublicKey, News),
}

type Judge = Box<dyn Fn(&News) -> Verdict + Send>;
type Replies = Arc<dyn Fn(PublicKey, Request) -> BoxFuture<'static, Answer> + Send + Sync>;

/// A node's side of the network.
pub struct Diary {
    pub seen: watch::Sender<Vec<Seen>>,
    judge: Mutex<Judge>,
    replies: Mutex<Replies>,
    pub greeting: Mutex<Greeting>,
}

impl Default for Diary {
    fn default() -> Diary {
        let replies: Replies = Arc::new(|_, _| Box::pin(async { Answer::Taken }));
        Diary {
            seen: watch::channel(Vec::new()).0,
            judge: Mutex::new(Box::new(|_| Verdict::Accept)),
            replies: Mutex::new(replies),
            greeting: Mutex::default(),
        }
    }
}

impl Diary {
    fn write(&self, seen: Seen) {
        self.seen.send_modify(|all| all.push(seen));
    }

    pub fn judging(&self, judge: impl Fn(&News) -> Verdict + Send + 'static) {
        *self.judge.lock().expect("a lock") = Box::new(judge);
    }

    pub fn answering<F>(&self, answer: impl Fn(PublicKey, Request) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        *self.replies.lock().expect("a lock") =
            Arc::new(move |from, request| Box::pin(answer(from, request)));
    }

    /// Waits until what happened is enough.
    pub async fn until(&self, what: &str, is_enough: impl Fn(&[Seen]) -> bool) {
        let mut seen = self.seen.subscribe();
        let seen = within(what, seen.wait_for(|all| is_enough(all))).await;
        drop(seen.expect("a diary"));
    }

    pub async fn until_greeted(&self, peer: PublicKey) {
        self.until("a greeting", |all| {
            let last = all.iter().rev().find_map(|seen| match seen {
                Seen::Greeted(key, _) if *key == peer => Some(true),
                Seen::Lost(key) if *key == peer => Some(false),
                _ => None,
            });
            last == Some(true)
        })
        .await;
    }

    pub async fn until_lost(&self, peer: PublicKey) {
        self.until("a loss", |all| all.contains(&Seen::Lost(peer))).await;
    }

    pub fn has(&self, wanted: impl Fn(&Seen) -> bool) -> bool {
        self.seen.borrow().iter().any(wanted)
    }
}

impl Host for Diary {
    fn hello(&self) -> Greeting {
        self.greeting.lock().expect("a lock").clone()
    }

    fn greeted(&self, peer: PublicKey, hello: &Hello) {
        self.write(Seen::Greeted(peer, hello.clone()));
    }

    fn lost(&self, peer: PublicKey) {
        self.write(Seen::Lost(peer));
    }

    fn news(&self, from: PublicKey, news: News) -> Verdict {
        let verdict = (self.judge.lock().expect("a lock"))(&news);
        self.write(Seen::News(from, news));
        verdict
    }

    fn answer(&self, from: PublicKey, request: Request) -> BoxFuture<'static, Answer> {
        let replies = Arc::clone(&self.replies.lock().expect("a lock"));
        replies(from, request)
    }
}

/// A running node.
pub struct Node {
    /// Its transport key.
    pub transport: SigningKey,
    pub net: Net,
    pub diary: Arc<Diary>,
}

pub const CHAIN: ChainId = ChainId(Hash([7; 32]));
pub const TCP: &str = "/ip4/127.0.0.1/tcp/0";
pub const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";

/// Usual settings of node `seed`, listening on TCP, with patience for busy machines.
pub fn config(seed: u8) -> NetConfig {
    let mut config = NetConfig::new(CHAIN, Zeroizing::new([seed; 32]));
    config.listen = vec![TCP.into()];
    config.limits.hello_timeout = Duration::from_secs(30);
    config.limits.redial_max = Duration::from_millis(500);
    config
}

pub async fn start(config: NetConfig) -> Node {
    let diary = Arc::new(Diary::default());
    let transport = SigningKey::from_bytes(&config.transport_seed);
    let net = ddt_net::start(config, Arc::clone(&diary) as Arc<dyn Host>).await;
    Node { transport, net: net.expect("a network"), diary }
}

/// A node that knows the first address of another.
pub async fn start_beside(seed: u8, other: &Node) -> Node {
    let mut config = config(seed);
    config.peers = vec![other.address()];
    start(config).await
}

/// Two nodes that have greeted, with these settings of the first one.
pub async fn pair(adjust: impl FnOnce(&mut NetConfig)) -> (Node, Node) {
    let mut first = config(1);
    adjust(&mut first);
    let one = start(first).await;
    let other = start_beside(2, &one).await;
    meet(&one, &other).await;
    (one, other)
}

/// Waits until two nodes have greeted.
pub async fn meet(one: &Node, other: &Node) {
    one.diary.until_greeted(other.key()).await;
    other.diary.until_greeted(one.key()).await;
}

impl Node {
    pub fn key(&self) -> PublicKey {
        self.net.me()
    }

    pub fn address(&self) -> String {
        self.net.addresses().first().expect("an address").clone()
    }
}

/// Fails if something does not happen at all.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(60), future).await {
        Ok(value) => value,
        Err(_) => panic!("waited in vain for {what}"),
    }
}

/// Waits for something that no event tells of.
pub async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let mut look = tokio::time::interval(Duration::from_millis(5));
    within(what, async {
        while !is_so() {
            look.tick().await;
        }
    })
    .await;
}

pub fn committed(height: u64) -> News {
    News::Committed { height, anchor: Hash([height.to_le_bytes()[0]; 32]) }
}

/// A router's keys.
pub fn router(seed: u8) -> (SigningKey, PublicKey) {
    let key = SigningKey::from_bytes(&[seed; 32]);
    let public = PublicKey(key.verifying_key().to_bytes());
    (key, public)
}

/// A card of the router `seed` that leads to a node.
pub fn card(seed: u8, node: &Node, time: Millis) -> SignedCard {
    let (key, public) = router(seed);
    let card = Card {
        chain: CHAIN,
        router: public,
        transport: node.key(),
        addresses: node.net.addresses(),
        consensus: Vec::new(),
        api: Vec::new(),
        time,
    };
    sign((&key, &node.transport), card)
}

/// Signs a card as a router and as the node it names.
pub fn sign((router, transport): (&SigningKey, &SigningKey), card: Card) -> SignedCard {
    let by = |key: &SigningKey| Signature(key.sign(&card.digest().0).to_bytes());
    let (signature, transport_signature) = (by(router), by(transport));
    SignedCard { card, signature, transport_signature }
}

pub fn set(keys: impl IntoIterator<Item = PublicKey>) -> BTreeSet<PublicKey> {
    keys.into_iter().collect()
}

pub fn now() -> Millis {
    let passed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Millis(u64::try_from(passed.expect("a time after 1970").as_millis()).expect("a short time"))
}

/// Bytes that look like nothing, the same every time.
pub fn noise(length: usize) -> Vec<u8> {
    let step = |state: u64| state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
    let states = std::iter::successors(Some(1), |state| Some(step(*state)));
    states.map(|state: u64| state.to_le_bytes()[7]).take(length).collect()
}
