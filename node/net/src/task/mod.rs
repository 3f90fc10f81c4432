//! The task that owns the swarm. It never waits for the node: whatever asks the node runs on a
//! task or thread of its own and sends its result back through a bounded channel.

mod asking;
mod cards;
mod dialling;
mod events;
mod greeting;
mod news;
mod peers;
mod relays;
mod serving;
mod worker;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use libp2p::request_response::{InboundRequestId, ResponseChannel};
use libp2p::{Multiaddr, PeerId, Swarm};
use libp2p_gossipsub::MessageId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::JoinHandle;

use crate::behaviour::{Behaviour, Names};
use crate::card::SignedCard;
use crate::config::{NetConfig, NetError, NetLimits};
use crate::host::{Host, Verdict};
use crate::message::{Hello, News};
use crate::meter::Room;
use crate::net::{Command, Routers, Shared};
use crate::standing::{Offence, Standing};
use crate::stream::Packet;
use asking::Asks;
use cards::Cards;
use dialling::Dialling;
use greeting::Composed;
use peers::Peer;
use relays::Relays;
pub(crate) use worker::take_cards;

/// How often what is due is looked for.
const TICK: Duration = Duration::from_millis(250);
/// Threads on which the node judges news, all peers together.
const THREADS: usize = 4;
/// Threads on which the node says what it says of itself.
const GREETERS: usize = 2;
/// How long closing may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Results of work that was done elsewhere.
pub(crate) enum Inside {
    /// This node's greeting, to be sent.
    Greet { peer: PeerId, bytes: Vec<u8> },
    /// A peer's greeting, to be answered.
    Greeted {
        peer: PeerId,
        hello: Box<Hello>,
        room: Option<Room>,
        channel: ResponseChannel<Packet>,
    },
    /// An answer, to be sent.
    Respond { channel: ResponseChannel<Packet>, bytes: Vec<u8> },
    /// What became of news.
    Judged { peer: PeerId, verdicts: Vec<(MessageId, Verdict)>, heights: Vec<(PeerId, u64)> },
    /// What a peer did wrong.
    Blame { peer: PeerId, offence: Offence },
}

/// Where everything comes from that is not the network.
pub(crate) struct Inputs {
    pub commands: mpsc::Receiver<Command>,
    pub news: mpsc::Receiver<News>,
    pub results: mpsc::Receiver<Inside>,
    pub routers: watch::Receiver<Routers>,
    pub card: watch::Receiver<Option<SignedCard>>,
    pub stop: watch::Receiver<bool>,
}

/// Everything the task knows.
pub(crate) struct Task {
    swarm: Swarm<Behaviour>,
    limits: NetLimits,
    names: Arc<Names>,
    agent: String,
    host: Arc<dyn Host>,
    shared: Arc<Shared>,
    standing: Arc<Mutex<Standing>>,
    inside: mpsc::Sender<Inside>,
    threads: Arc<Semaphore>,
    greeters: Arc<Semaphore>,
    composed: Arc<Mutex<Composed>>,
    peers: HashMap<PeerId, Peer>,
    /// The last worker of each peer: a new one begins when it has ended.
    workers: HashMap<PeerId, JoinHandle<()>>,
    asks: Asks,
    /// Room that requests of peers take until their answers have left.
    serving: HashMap<InboundRequestId, [OwnedSemaphorePermit; 2]>,
    at_work: Arc<Semaphore>,
    /// The same for requests of routers.
    at_work_for_routers: Arc<Semaphore>,
    dialling: Dialling,
    relays: Relays,
    cards: Cards,
    routers: Routers,
}

impl Task {
    pub(crate) fn new(
        swarm: Swarm<Behaviour>,
        config: NetConfig,
        (peers, relays): (Vec<Multiaddr>, Vec<Multiaddr>),
        host: Arc<dyn Host>,
        shared: Arc<Shared>,
        standing: Arc<Mutex<Standing>>,
        inside: mpsc::Sender<Inside>,
    ) -> Task {
        let now = Instant::now();
        Task {
            swarm,
            names: Arc::new(Names::new(config.chain)),
            agent: crate::setup::cut(&config.agent),
            host,
            shared,
            standing,
            inside,
            threads: Arc::new(Semaphore::new(THREADS)),
            greeters: Arc::new(Semaphore::new(GREETERS)),
            composed: Arc::default(),
            peers: HashMap::new(),
            workers: HashMap::new(),
            asks: Asks::default(),
            serving: HashMap::new(),
            at_work: Arc::new(Semaphore::new(config.limits.requests_total)),
            at_work_for_routers: Arc::new(Semaphore::new(config.limits.requests_total)),
            dialling: Dialling::new(peers, now),
            relays: Relays::new(relays, now),
            cards: Cards::new(now),
            routers: Routers::default(),
            limits: config.limits,
        }
    }

    /// Runs until it is stopped, or nobody holds its handle any more.
    pub(crate) async fn run(mut self, mut inputs: Inputs) -> NetError {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_event(event),
                Some(result) = inputs.results.recv() => self.on_result(result),
                command = inputs.commands.recv() => match command {
                    Some(command) => self.on_command(command),
                    None => break,
                },
                Some(news) = inputs.news.recv() => self.tell(&news),
                Ok(()) = inputs.routers.changed() => {
                    let routers = inputs.routers.borrow_and_update().clone();
                    self.on_routers(routers);
                }
                Ok(()) = inputs.card.changed() => {
                    let card = inputs.card.borrow_and_update().clone();
                    self.on_card(card);
                }
                _ = tick.tick() => self.on_tick(Instant::now()),
                _ = inputs.stop.changed() => break,
            }
        }
        self.close().await;
        NetError::Stopped
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Ask { to, frame, reply } => self.on_ask(to, frame, reply),
            Command::Dial(address) => self.dial_once(address),
            Command::Nonsense(from) => {
                if let Some(peer) = self.peer_behind(&from) {
                    self.blame(peer, Offence::Answer);
                }
            }
        }
    }

    fn on_result(&mut self, result: Inside) {
        match result {
            Inside::Greet { peer, bytes } => self.send_greeting(peer, bytes),
            Inside::Greeted { peer, hello, room, channel } => {
                self.on_greeting(peer, *hello, room, channel);
            }
            Inside::Respond { channel, bytes } => self.respond(channel, Arc::new(bytes)),
            Inside::Judged { peer, verdicts, heights } => self.on_judged(peer, verdicts, heights),
            Inside::Blame { peer, offence } => self.blame(peer, offence),
        }
    }

    fn on_tick(&mut self, now: Instant) {
        self.part_with_the_silent(now);
        self.give_up_asks(now);
        self.keep_the_best(now);
        self.dial_what_is_due(now);
        self.look_after_places(now);
        self.look_after_cards(now);
        self.show_peers(now);
        self.workers.retain(|peer, worker| self.peers.contains_key(peer) || !worker.is_finished());
    }

    /// Closes everything, as far as others let it, and waits for the node's last answers.
    async fn close(mut self) {
        let deadline = tokio::time::Instant::now() + CLOSE_TIMEOUT;
        let all: Vec<PeerId> = self.swarm.connected_peers().copied().collect();
        for peer in all {
            // It may have gone just now.
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        let swarm = &mut self.swarm;
        let parted = async {
            while swarm.network_info().num_peers() > 0 {
                swarm.select_next_some().await;
            }
        };
        let _ = tokio::time::timeout_at(deadline, parted).await;
        let ports =
            self.swarm.listeners().filter_map(crate::setup::udp_socket_of).collect::<Vec<_>>();
        drop(self.swarm);
        // QUIC lets go of its sockets by itself, a little later.
        for port in ports {
            while std::net::UdpSocket::bind(port).is_err() && tokio::time::Instant::now() < deadline
            {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        self.peers.clear();
        for worker in self.workers.into_values() {
            let _ = tokio::time::timeout_at(deadline, worker).await;
        }
        crate::net::lock(&self.shared.peers).clear();
    }
}
