//! A peer that speaks the protocols by hand, and so can break every rule.

use std::io;

use ddt_ledger::{ChainId, PublicKey};
use ddt_net::message::{Answer, Hello, Message as _, Request};
use futures_util::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, StreamExt};
use libp2p::request_response::{
    Behaviour, Codec, Config, Event, Message, OutboundFailure, ProtocolSupport, ResponseChannel,
};
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, PeerId, StreamProtocol, Swarm, SwarmBuilder, noise, tcp, yamux};

use crate::fixture::{CHAIN, within};

/// Sends bytes exactly as they are given, and reads what comes until the end.
#[derive(Clone, Default)]
pub struct Plain {
    /// Whether answers stay unread.
    pub is_deaf: bool,
}

async fn read_all<T: AsyncRead + Unpin + Send>(io: &mut T) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    io.read_exact(&mut length).await?;
    let mut bytes = vec![0; usize::try_from(u32::from_be_bytes(length)).expect("a length")];
    io.read_exact(&mut bytes).await?;
    Ok(bytes)
}

impl Codec for Plain {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        read_all(io).await
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        if self.is_deaf {
            std::future::pending::<()>().await;
        }
        read_all(io).await
    }

    async fn write_request<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        bytes: Vec<u8>,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        io.write_all(&bytes).await
    }

    async fn write_response<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        bytes: Vec<u8>,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        io.write_all(&bytes).await
    }
}

/// A message with its length before it.
pub fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("a length").to_be_bytes();
    [&length[..], message].concat()
}

/// A greeting of this chain.
pub fn hello(chain: ChainId) -> Hello {
    Hello { chain, agent: "by hand".into(), height: 0, lowest: 0, cards: Vec::new() }
}

/// What came of a request.
pub type Outcome = Result<Vec<u8>, String>;

/// The peer.
pub struct Raw {
    pub swarm: Swarm<Behaviour<Plain>>,
    /// What it answers to any request; `None` if nothing.
    pub welcome: Option<Vec<u8>>,
    to: PeerId,
    unanswered: Vec<ResponseChannel<Vec<u8>>>,
}

impl Raw {
    /// Connects with a node. Says nothing yet.
    pub async fn connect(seed: u8, address: &str, to: PublicKey, codec: Plain) -> Raw {
        let pair = libp2p::identity::Keypair::ed25519_from_bytes([seed; 32]).expect("a seed");
        let name = format!("/ddt/{CHAIN}/ask/1");
        let protocol = StreamProtocol::try_from_owned(name).expect("a name");
        let requests = Behaviour::with_codec(
            codec,
            [(protocol, ProtocolSupport::Full)],
            Config::default().with_max_concurrent_streams(10_000),
        );
        let mut swarm = SwarmBuilder::with_existing_identity(pair)
            .with_tokio()
            .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
            .expect("a transport")
            .with_behaviour(|_| requests)
            .expect("a behaviour")
            .with_swarm_config(|config| {
                config.with_idle_connection_timeout(std::time::Duration::from_secs(600))
            })
            .build();
        let address: Multiaddr = address.parse().expect("an address");
        swarm.dial(address).expect("a dial");
        let to = ddt_net::peer_of(&to).expect("a key");
        let welcome = Some(framed(&Answer::Hello(hello(CHAIN)).encode()));
        let mut raw = Raw { swarm, welcome, to, unanswered: Vec::new() };
        within("a connection", async {
            loop {
                if let SwarmEvent::ConnectionEstablished { .. } = raw.next().await {
                    break;
                }
            }
        })
        .await;
        raw
    }

    pub fn key(&self) -> PublicKey {
        ddt_net::key_of(self.swarm.local_peer_id()).expect("a key")
    }

    /// The next event, greetings answered.
    pub async fn next(&mut self) -> SwarmEvent<Event<Vec<u8>, Vec<u8>>> {
        loop {
            let event = self.swarm.select_next_some().await;
            if let SwarmEvent::Behaviour(Event::Message {
                message: Message::Request { channel, .. },
                ..
            }) = event
            {
                match &self.welcome {
                    // The node may have gone.
                    Some(bytes) => {
                        drop(self.swarm.behaviour_mut().send_response(channel, bytes.clone()))
                    }
                    None => self.unanswered.push(channel),
                }
            } else {
                return event;
            }
        }
    }

    /// Sends bytes as a request, without waiting.
    pub fn send(&mut self, bytes: Vec<u8>) {
        let to = self.to;
        self.swarm.behaviour_mut().send_request(&to, bytes);
    }

    /// Sends bytes as a request, and waits for what comes of it.
    pub async fn ask(&mut self, bytes: Vec<u8>) -> Outcome {
        self.send(bytes);
        self.outcome().await
    }

    /// What comes of the next request.
    pub async fn outcome(&mut self) -> Outcome {
        within("an outcome", async {
            loop {
                match self.next().await {
                    SwarmEvent::Behaviour(Event::Message {
                        message: Message::Response { response, .. },
                        ..
                    }) => return Ok(response),
                    SwarmEvent::Behaviour(Event::OutboundFailure { error, .. }) => {
                        return Err(match error {
                            OutboundFailure::Io(error) => error.to_string(),
                            error => error.to_string(),
                        });
                    }
                    _ => {}
                }
            }
        })
        .await
    }

    /// Greets, as it should.
    pub async fn greet(&mut self) {
        let greeting = framed(&Request::Hello(hello(CHAIN)).encode());
        let answer = self.ask(greeting).await.expect("an answer");
        assert!(
            matches!(Answer::decode(&answer), Ok(Answer::Hello(hello)) if hello.chain == CHAIN)
        );
    }

    /// Whether the node has not closed the connection yet.
    pub fn is_connected(&self) -> bool {
        self.swarm.is_connected(&self.to)
    }

    /// Waits until the node closes the connection.
    pub async fn until_closed(&mut self) {
        within("the end", async {
            while self.is_connected() {
                self.next().await;
            }
        })
        .await;
    }
}
