//! The listeners of a running node's API.

use std::net::SocketAddr;
use std::sync::Arc;

use ddt_api::{Backend, Limits};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::Listeners;
use crate::data_folder::{DataFolder, RunningNode};
use crate::failure::Failure;
use crate::secret_file;

fn url(listener: &TcpListener) -> Result<String, Failure> {
    let address: SocketAddr = listener
        .local_addr()
        .map_err(|error| Failure::fault(format!("a listener has no address: {error}")))?;
    Ok(format!("http://{address}"))
}

/// Where they listen.
pub fn reachable(listeners: &Listeners) -> Result<RunningNode, Failure> {
    let (api, private_api) = (url(&listeners.public)?, url(&listeners.private)?);
    Ok(RunningNode { pid: std::process::id(), api, private_api })
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
    listeners: Listeners,
    face: Arc<dyn Backend>,
    limits: Limits,
    stop: &watch::Sender<bool>,
) -> Result<Vec<tokio::task::JoinHandle<()>>, Failure> {
    let token = hex::encode(&secret_file::random()?[..]);
    secret_file::replace(&folder.path().join("token"), &token)?;
    let stopping = || {
        let mut stopping = stop.subscribe();
        async move {
            let _ = stopping.wait_for(|is_stopping| *is_stopping).await;
        }
    };
    let public = ddt_api::public(face.clone(), limits.clone());
    let private = ddt_api::private(face, &token);
    Ok(vec![
        tokio::spawn(ddt_api::serve(listeners.public, public, limits, stopping())),
        tokio::spawn(ddt_api::serve(listeners.private, private, Limits::default(), stopping())),
    ])
}
