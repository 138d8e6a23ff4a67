//! `sandbox serve`: the embedded service on loopback, for anything that speaks HTTP.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::http::SystemClock;
use crate::sandbox::{SANDBOX_TOKEN, Sandbox, Seed, ServeOptions, Service, serve};

use super::args::SandboxAction;
use super::connect;
use super::exit::Exit;
use super::report::CommandError;
use super::settings::Settings;
use super::{output, signals};

/// Largest seed that is read.
const SEED_BYTES: usize = 64 * 1024 * 1024;

/// Runs the command.
pub async fn run(action: &SandboxAction, settings: &Settings) -> Result<Exit, CommandError> {
    let SandboxAction::Serve { port, seed, data, delay } = action;
    let behaviour = connect::behaviour(settings)?;
    let fresh = match seed {
        Some(path) => {
            let unusable = |error: &dyn std::error::Error| {
                CommandError::chain(format!("the seed {} cannot be used", path.display()), error)
            };
            let seed = Seed::parse(&output::read(path, SEED_BYTES)?).map_err(|error| unusable(&error))?;
            Service::seeded(&seed, behaviour.clone()).map_err(|error| unusable(&error))?
        }
        None => Service::quickstart(behaviour.clone()),
    };
    let sandbox = match data {
        Some(path) => connect::stored_sandbox(path, behaviour, fresh)?,
        None => Sandbox::new(fresh),
    };
    connect::add_faults(&sandbox, settings)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, *port))
        .await
        .map_err(|error| CommandError::io(format!("the port {port} on loopback cannot be used"), &error))?;
    let address = listener.local_addr().map_err(|error| CommandError::io("the port is unknown", &error))?;
    output::result(&format!("http://{address}"));
    output::aside(&format!("ANYREACH_API_URL=http://{address} ANYREACH_TOKEN={SANDBOX_TOKEN}"));
    let cancel = CancellationToken::new();
    signals::listen(cancel.clone());
    let options = ServeOptions { delay: Duration::from_millis(*delay) };
    let stop = async move { cancel.cancelled().await };
    serve(listener, sandbox, Arc::new(SystemClock), options, stop)
        .await
        .map_err(|error| CommandError::chain("the sandbox ended", &error))?;
    Ok(Exit::Done)
}
