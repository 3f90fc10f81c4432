//! Blocks and small questions between two nodes on loopback, beside a bare TCP socket in the
//! same run: `cargo bench -p ddt-net`. What counts are the ratios.

use std::sync::Arc;
use std::time::Instant;

use ddt_ledger::lane::BLOCK_BYTES_MAX;
use ddt_ledger::{ChainId, Hash, PublicKey};
use ddt_net::message::{Answer, Hello, News, Request, Submitted};
use ddt_net::{BoxFuture, Frame, Greeting, Host, Net, NetConfig, Verdict};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use zeroize::Zeroizing;

/// Blocks that are pushed in one round.
const BLOCKS: usize = 32;
/// Small questions, one after the other, in one round.
const QUESTIONS: usize = 500;
/// Rounds; the median counts.
const ROUNDS: usize = 7;

#[derive(Default)]
struct Peer {
    greeted: Notify,
}

impl Host for Peer {
    fn hello(&self) -> Greeting {
        Greeting::default()
    }

    fn greeted(&self, _: PublicKey, _: &Hello) {
        self.greeted.notify_one();
    }

    fn lost(&self, _: PublicKey) {}

    fn news(&self, _: PublicKey, _: News) -> Verdict {
        Verdict::Ignore
    }

    fn answer(&self, _: PublicKey, request: Request) -> BoxFuture<'static, Answer> {
        Box::pin(async move {
            match request {
                Request::Push(_) => Answer::Taken,
                _ => Answer::Submitted(Submitted::Taken),
            }
        })
    }
}

/// Two nodes that have greeted.
async fn pair(listen: &str) -> (Net, Net) {
    let start = async |seed: u8, peers: Vec<String>| {
        let mut config = NetConfig::new(ChainId(Hash([1; 32])), Zeroizing::new([seed; 32]));
        config.listen = vec![listen.into()];
        config.peers = peers;
        // The limit is for others; here the sockets are to be measured.
        config.limits.bytes_rate = u64::MAX / 2;
        config.limits.requests_rate = u32::MAX;
        config.limits.requests_burst = u32::MAX;
        let host = Arc::new(Peer::default());
        let net = ddt_net::start(config, host.clone() as Arc<dyn Host>).await;
        (net.expect("a network"), host)
    };
    let (one, first) = start(1, Vec::new()).await;
    let (other, second) = start(2, one.addresses()).await;
    first.greeted.notified().await;
    second.greeted.notified().await;
    (one, other)
}

/// Seconds that some work takes: the median of its rounds.
async fn seconds(mut round: impl AsyncFnMut()) -> f64 {
    let mut all = Vec::new();
    round().await;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        round().await;
        all.push(start.elapsed().as_secs_f64());
    }
    all.sort_by(f64::total_cmp);
    all[ROUNDS / 2]
}

/// Pushes one after the other, and four at a time; then small questions.
async fn nodes(listen: &str) -> [f64; 3] {
    let (one, other) = pair(listen).await;
    let block = Frame::from(Request::Push(vec![7; BLOCK_BYTES_MAX]));
    let push = async || {
        for _ in 0..BLOCKS {
            assert_eq!(other.ask(one.me(), block.clone()).await, Ok(Answer::Taken));
        }
    };
    let at_once = async || {
        let ask = |_| {
            let (net, to, block) = (other.clone(), one.me(), block.clone());
            tokio::spawn(async move {
                for _ in 0..BLOCKS / 4 {
                    assert_eq!(net.ask(to, block.clone()).await, Ok(Answer::Taken));
                }
            })
        };
        for task in (0..4).map(ask).collect::<Vec<_>>() {
            task.await.expect("a task");
        }
    };
    let question = Frame::from(Request::Submit(vec![7; 200]));
    let small = async || {
        for _ in 0..QUESTIONS {
            let answer = other.ask(one.me(), question.clone()).await;
            assert_eq!(answer, Ok(Answer::Submitted(Submitted::Taken)));
        }
    };
    [seconds(push).await, seconds(at_once).await, seconds(small).await]
}

async fn answer_each(mut socket: TcpStream) {
    socket.set_nodelay(true).expect("an option");
    let mut length = [0; 4];
    while socket.read_exact(&mut length).await.is_ok() {
        let mut bytes = vec![0; u32::from_be_bytes(length) as usize];
        if socket.read_exact(&mut bytes).await.is_err() || socket.write_all(&[1]).await.is_err() {
            return;
        }
    }
}

/// The same over bare sockets, one byte for an answer.
async fn bare() -> [f64; 3] {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(answer_each(socket));
        }
    });
    let connect = async || {
        let socket = TcpStream::connect(address).await.expect("a socket");
        socket.set_nodelay(true).expect("an option");
        socket
    };
    async fn ask(socket: &mut TcpStream, bytes: &[u8]) {
        let length = u32::try_from(bytes.len()).expect("a length").to_be_bytes();
        socket.write_all(&length).await.expect("a socket");
        socket.write_all(bytes).await.expect("a socket");
        assert_eq!(socket.read_u8().await.expect("an answer"), 1);
    }
    let block = Arc::new(vec![7; BLOCK_BYTES_MAX]);
    let mut socket = connect().await;
    let push = seconds(async || {
        for _ in 0..BLOCKS {
            ask(&mut socket, &block).await;
        }
    })
    .await;
    let at_once = seconds(async || {
        let mut tasks = Vec::new();
        for _ in 0..4 {
            let (mut socket, block) = (connect().await, Arc::clone(&block));
            tasks.push(tokio::spawn(async move {
                for _ in 0..BLOCKS / 4 {
                    ask(&mut socket, &block).await;
                }
            }));
        }
        for task in tasks {
            task.await.expect("a task");
        }
    })
    .await;
    let small = seconds(async || {
        for _ in 0..QUESTIONS {
            ask(&mut socket, &[7; 200]).await;
        }
    })
    .await;
    [push, at_once, small]
}

fn main() {
    // `cargo test` runs benches too, to see that they work; there is nothing to measure then.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (bare, tcp, quic) = runtime.block_on(async {
        let bare = bare().await;
        let tcp = nodes("/ip4/127.0.0.1/tcp/0").await;
        (bare, tcp, nodes("/ip4/127.0.0.1/udp/0/quic-v1").await)
    });
    let what = ["4 MiB blocks, one by one", "4 MiB blocks, four at once", "small questions"];
    println!("{:28} {:>12} {:>18} {:>18}", "", "bare TCP", "ddt over TCP", "ddt over QUIC");
    for (index, what) in what.into_iter().enumerate() {
        let many = if index == 2 { QUESTIONS } else { BLOCKS };
        let millis = |seconds: f64| seconds * 1_000.0 / many as f64;
        let beside =
            |seconds: f64| format!("{:.3} ms = {:.1}x", millis(seconds), seconds / bare[index]);
        let (tcp, quic) = (beside(tcp[index]), beside(quic[index]));
        println!("{what:28} {:>9.3} ms {tcp:>18} {quic:>18}", millis(bare[index]));
    }
}
