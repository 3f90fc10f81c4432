//! The listeners of a running node's API.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use ddt_api::{Backend, Limits};
use tokio::sync::watch;
use zeroize::Zeroizing;

use crate::data_folder::{DataFolder, RunningNode};
use crate::failure::Failure;
use crate::secret_file;

/// Where a node's API listens, and what opens the private one.
///
/// They are a process's, not a node's: a node that begins anew in its process serves at the same
/// ones, and who comes meanwhile waits instead of being refused.
pub struct Listeners {
    /// For everybody.
    public: TcpListener,
    /// For whoever can read the token file; on loopback.
    private: TcpListener,
    token: Zeroizing<String>,
}

impl Listeners {
    /// Listens at two addresses.
    ///
    /// # Errors
    /// When something else does, or an address is not this machine's.
    pub fn bind(public: SocketAddr, private: SocketAddr) -> Result<Listeners, Failure> {
        Listeners::of(bind(public)?, private)
    }

    /// With a public listener that is there already.
    ///
    /// # Errors
    /// As [`Listeners::bind`].
    pub fn of(public: TcpListener, private: SocketAddr) -> Result<Listeners, Failure> {
        let token = Zeroizing::new(hex::encode(&secret_file::random()?[..]));
        Ok(Listeners { public, private: bind(private)?, token })
    }

    /// Where they listen.
    ///
    /// # Errors
    /// The system does not say.
    pub fn reachable(&self) -> Result<RunningNode, Failure> {
        let url = |listener: &TcpListener| listener.local_addr().map(|at| format!("http://{at}"));
        let both = url(&self.public).and_then(|api| Ok((api, url(&self.private)?)));
        let (api, private_api) = both.map_err(|error| failed(&error))?;
        Ok(RunningNode { pid: std::process::id(), api, private_api })
    }
}

/// Listens at an address.
///
/// # Errors
/// When something else does, or the address is not this machine's.
pub fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    bound.map_err(|error| {
        Failure::fault(format!("cannot listen on {address}: {error}; choose another --listen"))
    })
}

fn failed(error: &std::io::Error) -> Failure {
    Failure::fault(format!("a listener fails: {error}"))
}

/// The same listener once more, for one run of a node.
fn again(listener: &TcpListener) -> Result<tokio::net::TcpListener, Failure> {
    let cloned = listener.try_clone().and_then(tokio::net::TcpListener::from_std);
    cloned.map_err(|error| failed(&error))
}

/// The public API's address, if others can reach it there.
pub fn published(api: &str) -> Option<String> {
    let address: SocketAddr = api.strip_prefix("http://")?.parse().ok()?;
    let ip = address.ip();
    (!ip.is_loopback() && !ip.is_unspecified()).then(|| api.to_string())
}

/// Serves both, until told to stop.
pub fn serve(
    folder: &DataFolder,
    listeners: &Listeners,
    face: Arc<dyn Backend>,
    limits: Limits,
    stop: &watch::Sender<bool>,
) -> Result<Vec<tokio::task::JoinHandle<()>>, Failure> {
    secret_file::replace(&folder.path().join("token"), &listeners.token)?;
    let stopping = || {
        let mut stopping = stop.subscribe();
        async move {
            let _ = stopping.wait_for(|is_stopping| *is_stopping).await;
        }
    };
    let public = ddt_api::public(face.clone(), limits.clone());
    let private = ddt_api::private(face, &listeners.token);
    let (at_public, at_private) = (again(&listeners.public)?, again(&listeners.private)?);
    Ok(vec![
        tokio::spawn(ddt_api::serve(at_public, public, limits, stopping())),
        tokio::spawn(ddt_api::serve(at_private, private, Limits::default(), stopping())),
    ])
}
