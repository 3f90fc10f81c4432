//! Clients that ask one thing after the other on connections that stay open.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::failure::Failure;

/// The path to ask for, from a random number.
pub type Paths = Arc<dyn Fn(u64) -> String + Send + Sync>;

/// Answers a second that so many clients get together; one that is not 200 is an error.
pub async fn rate(
    address: SocketAddr,
    connections: usize,
    time: Duration,
    paths: Paths,
) -> Result<f64, Failure> {
    let begun = Instant::now();
    let one = |seed| tokio::spawn(ask(address, seed, begun, time, paths.clone()));
    let clients: Vec<_> = (1..=connections as u64).map(one).collect();
    let mut answers = 0u64;
    for client in clients {
        let count = client.await.map_err(|error| Failure::fault(error.to_string()))?;
        answers += count.map_err(|error| Failure::fault(format!("a client: {error}")))?;
    }
    Ok(answers as f64 / begun.elapsed().as_secs_f64())
}

async fn ask(
    address: SocketAddr,
    seed: u64,
    begun: Instant,
    time: Duration,
    paths: Paths,
) -> std::io::Result<u64> {
    let mut connection = Connection::open(address).await?;
    let (mut random, mut answers) = (seed, 0);
    while begun.elapsed() < time {
        random = next(random);
        let status = connection.get(&paths(random)).await?;
        if status != 200 {
            return Err(std::io::Error::other(format!("an answer with status {status}")));
        }
        answers += 1;
    }
    Ok(answers)
}

/// A connection that stays open; it answers with the status of an answer.
pub struct Connection {
    address: SocketAddr,
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> std::io::Result<Connection> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Connection { address, stream, buffer: Vec::new() })
    }

    /// Reads what stands at a path.
    pub async fn get(&mut self, path: &str) -> std::io::Result<u16> {
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", self.address);
        self.stream.write_all(request.as_bytes()).await?;
        self.answer().await
    }

    /// What the last answer said.
    pub fn body(&self) -> &[u8] {
        let end = self.buffer.windows(4).position(|four| four == b"\r\n\r\n");
        let start = end.map(|end| end.saturating_add(4)).unwrap_or_default();
        self.buffer.get(start..).unwrap_or_default()
    }

    /// Sends bytes to a path.
    pub async fn post(&mut self, path: &str, body: &[u8]) -> std::io::Result<u16> {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/octet-stream\r\n\
             content-length: {}\r\n\r\n",
            self.address,
            body.len(),
        );
        self.stream.write_all(&[head.as_bytes(), body].concat()).await?;
        self.answer().await
    }

    /// Reads one answer, whose length its head says.
    async fn answer(&mut self) -> std::io::Result<u16> {
        let wrong = |words: &str| std::io::Error::other(words.to_string());
        let Connection { stream, buffer, .. } = self;
        buffer.clear();
        loop {
            if stream.read_buf(buffer).await? == 0 {
                return Err(wrong("the connection ended"));
            }
            let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else {
                continue;
            };
            let head = String::from_utf8_lossy(buffer.get(..end).unwrap_or_default());
            let status =
                head.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
            let status = status.ok_or_else(|| wrong("an answer that is not HTTP"))?;
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
            });
            let length: usize = length.ok_or_else(|| wrong("an answer without a length"))?;
            while buffer.len() < end.saturating_add(4).saturating_add(length) {
                if stream.read_buf(buffer).await? == 0 {
                    return Err(wrong("the connection ended"));
                }
            }
            return Ok(status);
        }
    }
}

/// xorshift64: good enough to pick rows.
pub fn next(mut random: u64) -> u64 {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    random
}
