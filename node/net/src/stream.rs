//! Requests and answers on a stream: four bytes of length, big-endian, then the message.

use std::io;
use std::sync::{Arc, Mutex};

use futures_util::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::StreamProtocol;
use libp2p::request_response::Codec;

use crate::message::{ANSWER_BYTES_MAX, REQUEST_BYTES_MAX, VERSION};
use crate::meter::{Meter, Room};
use crate::net::lock;

/// Read at a time, so that no more memory is taken than bytes are there.
const PIECE: usize = 256 * 1024;
/// Messages up to this length are sent in one piece with their length.
const SHORT: usize = 16 * 1024;

/// A message on its way out or in.
#[derive(Debug)]
pub(crate) enum Packet {
    /// To be sent.
    Out(Arc<Vec<u8>>),
    /// As it came, with its version byte, and the room it takes.
    In(Vec<u8>, Option<Room>),
    /// What came is no message, and why.
    Bad(&'static str),
}

/// Reads and writes messages. A clone made while a connection is being set up belongs to that
/// connection's peer, and so do the clones of that clone.
pub(crate) struct PacketCodec {
    meter: Option<Arc<Meter>>,
    next: Arc<Mutex<Option<Arc<Meter>>>>,
}

impl PacketCodec {
    /// The codec that others are cloned from, and where to put the meter of the next peer.
    pub(crate) fn new(next: Arc<Mutex<Option<Arc<Meter>>>>) -> PacketCodec {
        PacketCodec { meter: None, next }
    }

    async fn read<T: AsyncRead + Unpin + Send>(
        &self,
        io: &mut T,
        limit: usize,
    ) -> io::Result<Packet> {
        let Some(meter) = &self.meter else { return Ok(Packet::Bad("a stream of nobody")) };
        let mut length = [0; 4];
        io.read_exact(&mut length).await?;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        // The version byte is not part of a message's own limit.
        if length == 0 || length > meter.longest(limit).saturating_add(1) {
            return Ok(Packet::Bad("a length that is not allowed"));
        }
        let room = meter.room(length).await;
        let mut bytes = Vec::new();
        while bytes.len() < length {
            let start = bytes.len();
            let end = length.min(start.saturating_add(PIECE));
            bytes.reserve_exact(end - start);
            bytes.resize(end, 0);
            io.read_exact(&mut bytes[start..]).await?;
            meter.read(end - start).await;
            if bytes.first() != Some(&VERSION) {
                return Ok(Packet::Bad("another version"));
            }
        }
        Ok(Packet::In(bytes, room))
    }

    async fn write<T: AsyncWrite + Unpin + Send>(
        &self,
        io: &mut T,
        packet: &Packet,
    ) -> io::Result<()> {
        let Packet::Out(bytes) = packet else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not to be sent"));
        };
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?.to_be_bytes();
        if bytes.len() <= SHORT {
            io.write_all(&[&length[..], bytes].concat()).await?;
        } else {
            io.write_all(&length).await?;
            io.write_all(bytes).await?;
        }
        if let Some(meter) = &self.meter {
            meter.wrote(bytes.len().saturating_add(4));
        }
        Ok(())
    }
}

impl Clone for PacketCodec {
    fn clone(&self) -> PacketCodec {
        let meter = self.meter.clone().or_else(|| lock(&self.next).clone());
        PacketCodec { meter, next: Arc::clone(&self.next) }
    }
}

impl Codec for PacketCodec {
    type Protocol = StreamProtocol;
    type Request = Packet;
    type Response = Packet;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Packet>
    where
        T: AsyncRead + Unpin + Send,
    {
        self.read(io, REQUEST_BYTES_MAX).await
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Packet>
    where
        T: AsyncRead + Unpin + Send,
    {
        self.read(io, ANSWER_BYTES_MAX).await
    }

    async fn write_request<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        packet: Packet,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        self.write(io, &packet).await
    }

    async fn write_response<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        packet: Packet,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        self.write(io, &packet).await
    }
}
