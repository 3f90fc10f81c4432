//! Where a node listens for other nodes, and how they find it.

use std::net::{IpAddr, SocketAddr};

use crate::failure::Failure;

/// Where a node listens for others, and how they reach it.
#[derive(Clone, Debug)]
pub struct Place {
    /// Address and port, for TCP and, on the network, QUIC.
    pub listen: SocketAddr,
    /// Host and port as others see them, where they differ.
    pub external: Option<String>,
}

impl Place {
    fn multiaddr(host: &str, port: u16, end: &str) -> String {
        let kind = match host.parse::<IpAddr>() {
            Ok(IpAddr::V4(_)) => "ip4",
            Ok(IpAddr::V6(_)) => "ip6",
            Err(_) => "dns",
        };
        format!("/{kind}/{host}/{}", end.replace("PORT", &port.to_string()))
    }

    /// What to listen on, over TCP.
    pub fn tcp(&self) -> String {
        Place::multiaddr(&self.listen.ip().to_string(), self.listen.port(), "tcp/PORT")
    }

    /// What to listen on, over QUIC.
    pub fn quic(&self) -> String {
        Place::multiaddr(&self.listen.ip().to_string(), self.listen.port(), "udp/PORT/quic-v1")
    }

    /// How others reach it over TCP (and QUIC), if that is known.
    ///
    /// # Errors
    /// An external address that is none.
    pub fn reached(&self, with_quic: bool) -> Result<Vec<String>, Failure> {
        let is_anywhere = self.listen.ip().is_unspecified() || self.listen.port() == 0;
        let (host, port) = match &self.external {
            Some(external) => {
                let parts = external.rsplit_once(':');
                let parts = parts.and_then(|(host, port)| Some((host, port.parse().ok()?)));
                let (host, port) = parts.ok_or_else(|| {
                    Failure::usage(format!("{external}: an external address is host:port"))
                })?;
                (host.trim_matches(['[', ']']).to_string(), port)
            }
            None if is_anywhere => return Ok(Vec::new()),
            None => (self.listen.ip().to_string(), self.listen.port()),
        };
        let mut addresses = vec![Place::multiaddr(&host, port, "tcp/PORT")];
        if with_quic {
            addresses.push(Place::multiaddr(&host, port, "udp/PORT/quic-v1"));
        }
        Ok(addresses)
    }
}

/// How a node takes part in its network.
#[derive(Clone, Debug)]
pub struct NetworkConfig {
    /// For all nodes.
    pub network: Place,
    /// For the consensus of routers.
    pub consensus: Place,
    /// Multiaddrs of nodes to begin with.
    pub peers: Vec<String>,
    /// Whether others may reach third nodes through this one.
    pub is_relay: bool,
}
