//! Distance for routers of one machine: a door for each address, behind which every byte takes
//! its time, there and back. Connections are made through the doors, so none is shorter.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::cli::node::settings_file::{self, Rule};
use crate::dev::cluster::free_port;
use crate::failure::Failure;

/// Bytes read at a time.
const CHUNK: usize = 64 * 1024;
/// Chunks on their way through one door in one direction.
const CHUNKS_MAX: usize = 1_024;

/// Sets the routers of these folders apart: whatever one sends another takes so long. Lasts
/// until it is dropped.
///
/// # Errors
/// No port is free, or a settings file cannot be written.
pub async fn apart(homes: &[&Path], delay: Duration) -> Result<JoinSet<()>, Failure> {
    let (mut doors, mut peers) = (JoinSet::new(), Vec::new());
    for (home, number) in homes.iter().zip(1..) {
        let (network, consensus) = (free_port(number)?, free_port(number)?);
        let before_network = door(&mut doors, network, delay).await?;
        let before_consensus = door(&mut doors, consensus, delay).await?;
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
    delay: Duration,
) -> Result<SocketAddr, Failure> {
    let fault = |error: std::io::Error| Failure::fault(format!("no door before {to}: {error}"));
    let listener = TcpListener::bind((to.ip(), 0)).await.map_err(fault)?;
    let at = listener.local_addr().map_err(fault)?;
    doors.spawn(async move {
        let mut through = JoinSet::new();
        while let Ok((outside, _)) = listener.accept().await {
            while through.try_join_next().is_some() {}
            // Who is not there yet is tried again by whoever came.
            let Ok(inside) = TcpStream::connect(to).await else { continue };
            let _ = (outside.set_nodelay(true), inside.set_nodelay(true));
            let ((from_one, to_one), (from_two, to_two)) =
                (outside.into_split(), inside.into_split());
            through.spawn(carry(from_one, to_two, delay));
            through.spawn(carry(from_two, to_one, delay));
        }
    });
    Ok(at)
}

/// Carries bytes until one side ends; each arrives a delay after it came.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay: Duration) {
    let (sender, mut receiver) = mpsc::channel::<(Instant, Vec<u8>)>(CHUNKS_MAX);
    let read = async move {
        let mut chunk = vec![0; CHUNK];
        while let Ok(count @ 1..) = from.read(&mut chunk).await {
            let bytes = chunk.get(..count).unwrap_or_default().to_vec();
            if sender.send((Instant::now() + delay, bytes)).await.is_err() {
                break;
            }
        }
    };
    let write = async move {
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
