//! Distance for routers of one machine: a door for each address, behind which every byte takes
//! its time, there and back. Connections are made through the doors, so none is shorter.
//!
//! A lost packet is what TCP shows of it: it comes later, and so does whatever was sent after it.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::bench::client::next;
use crate::cli::node::settings_file::{self, Rule};
use crate::dev::cluster::free_port;
use crate::failure::Failure;

/// Bytes read at a time.
const CHUNK: usize = 64 * 1024;
/// Chunks on their way through one door in one direction.
const CHUNKS_MAX: usize = 1_024;
/// Bytes of a packet, as most networks carry them.
const PACKET: usize = 1_460;
/// What a sender waits beyond a journey there and back before it sends a packet again: the usual
/// lower bound of the wait on Linux.
const RESEND_AFTER: Duration = Duration::from_millis(200);

/// What lies between two routers.
#[derive(Clone, Copy)]
pub struct Distance {
    /// How long a byte takes, on average.
    pub delay: Duration,
    /// By how much more or less, at most.
    pub jitter: Duration,
    /// Of a hundred packets so many are lost.
    pub loss_percent: u64,
}

impl Distance {
    /// Whether anything lies between them.
    pub fn is_any(&self) -> bool {
        !self.delay.is_zero() || self.loss_percent > 0
    }

    /// How long so many bytes take; moves the random number on.
    fn takes(&self, bytes: usize, random: &mut u64) -> Duration {
        *random = next(*random);
        let share = (*random % 2_001) as f64 / 1_000.0;
        let mut time = self.delay.saturating_sub(self.jitter) + self.jitter.mul_f64(share);
        for _ in 0..bytes.div_ceil(PACKET) {
            *random = next(*random);
            if *random % 100 < self.loss_percent {
                time += self.delay * 2 + RESEND_AFTER;
                // More of them are sent again together.
                break;
            }
        }
        time
    }
}

/// Sets the routers of these folders apart. Lasts until it is dropped.
///
/// # Errors
/// No port is free, or a settings file cannot be written.
pub async fn apart(homes: &[&Path], distance: Distance) -> Result<JoinSet<()>, Failure> {
    let (mut doors, mut peers) = (JoinSet::new(), Vec::new());
    for (home, number) in homes.iter().zip(1..) {
        let (network, consensus) = (free_port(number)?, free_port(number)?);
        let before_network = door(&mut doors, network, distance).await?;
        let before_consensus = door(&mut doors, consensus, distance).await?;
        let settings = [
            ("network", "listen", network.to_string(), Rule::Replace),
            ("network", "external", before_network.to_string(), Rule::Replace),
            ("network", "peers", peers.join(","), Rule::Replace),
            ("consensus", "listen", consensus.to_string(), Rule::Replace),
            ("consensus", "external", before_consensus.to_string(), Rule::Replace),
        ];
        settings_file::set(home, &settings)?;
        peers.push(format!("/ip4/{}/tcp/{}", before_network.ip(), before_network.port()));
    }
    Ok(doors)
}

/// Opens a door before an address; answers where.
async fn door(
    doors: &mut JoinSet<()>,
    to: SocketAddr,
    distance: Distance,
) -> Result<SocketAddr, Failure> {
    let fault = |error: std::io::Error| Failure::fault(format!("no door before {to}: {error}"));
    let listener = TcpListener::bind((to.ip(), 0)).await.map_err(fault)?;
    let at = listener.local_addr().map_err(fault)?;
    doors.spawn(async move {
        let (mut through, mut seed) = (JoinSet::new(), u64::from(at.port()));
        while let Ok((outside, _)) = listener.accept().await {
            while through.try_join_next().is_some() {}
            // Who is not there yet is tried again by whoever came.
            let Ok(inside) = TcpStream::connect(to).await else { continue };
            let _ = (outside.set_nodelay(true), inside.set_nodelay(true));
            let ((from_one, to_one), (from_two, to_two)) =
                (outside.into_split(), inside.into_split());
            seed = next(seed);
            through.spawn(carry(from_one, to_two, distance, seed));
            seed = next(seed);
            through.spawn(carry(from_two, to_one, distance, seed));
        }
    });
    Ok(at)
}

/// Carries bytes until one side ends; each arrives a while after it came, and none before an
/// earlier one.
async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    distance: Distance,
    mut random: u64,
) {
    let (sender, mut receiver) = mpsc::channel::<(Instant, Vec<u8>)>(CHUNKS_MAX);
    let read = async move {
        let mut chunk = vec![0; CHUNK];
        while let Ok(count @ 1..) = from.read(&mut chunk).await {
            let bytes = chunk.get(..count).unwrap_or_default().to_vec();
            let due = Instant::now() + distance.takes(count, &mut random);
            if sender.send((due, bytes)).await.is_err() {
                break;
            }
        }
    };
    let write = async move {
        // One after the other: what is late makes late what follows.
        while let Some((due, bytes)) = receiver.recv().await {
            tokio::time::sleep_until(due).await;
            if to.write_all(&bytes).await.is_err() {
                break;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(read, write);
}
