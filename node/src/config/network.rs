//! Where a node listens for other nodes, and how they find it.

use std::collections::BTreeSet;
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

    /// How others reach it over TCP: as said, else at the hosts of these multiaddrs, where this
    /// machine is reached otherwise; on loopback only where there is nothing else, for there
    /// others find themselves.
    ///
    /// # Errors
    /// An external address that is none.
    pub fn reached_beside(&self, others: &[String]) -> Result<Vec<String>, Failure> {
        let reached = self.reached(false)?;
        if !reached.is_empty() || self.listen.port() == 0 {
            return Ok(reached);
        }
        let mut hosts: BTreeSet<&str> =
            others.iter().filter_map(|other| other.split('/').nth(2)).collect();
        let is_far =
            |host: &&str| !host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        if hosts.iter().any(is_far) {
            hosts.retain(is_far);
        }
        let at = |host| Place::multiaddr(host, self.listen.port(), "tcp/PORT");
        Ok(hosts.into_iter().map(at).collect())
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
    /// Multiaddrs of relays to have a place at.
    pub relays: Vec<String>,
    /// Whether others may reach third nodes through this one.
    pub is_relay: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Broken by: a router whose card names no place for votes, because it listens anywhere; or
    /// one at which every reader finds itself.
    #[test]
    fn votes_come_where_the_rest_comes() {
        let place = |listen: &str, external: Option<&str>| Place {
            listen: listen.parse().expect("an address"),
            external: external.map(str::to_string),
        };
        let others = [
            "/ip4/127.0.0.1/tcp/8410",
            "/ip4/192.0.2.1/tcp/8410",
            "/ip4/192.0.2.1/udp/8410/quic-v1",
            "/dns/a.example/tcp/1",
        ];
        let others = others.map(str::to_string);
        let reached = |place: Place| place.reached_beside(&others).expect("addresses");
        let beside = ["/ip4/192.0.2.1/tcp/8420", "/dns/a.example/tcp/8420"];
        assert_eq!(reached(place("0.0.0.0:8420", None)), beside);
        assert_eq!(reached(place("0.0.0.0:0", None)), Vec::<String>::new());
        let alone = place("0.0.0.0:8420", None).reached_beside(&others[..1]).expect("addresses");
        assert_eq!(alone, ["/ip4/127.0.0.1/tcp/8420"]);
        assert_eq!(reached(place("127.0.1.1:8420", None)), ["/ip4/127.0.1.1/tcp/8420"]);
        assert_eq!(reached(place("0.0.0.0:8420", Some("b.example:9"))), ["/dns/b.example/tcp/9"]);
    }
}
