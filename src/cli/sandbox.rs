//! `sandbox serve`: the embedded service on loopback, for anything that speaks HTTP.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::http::SystemClock;
use crate::sandbox::{self, Behaviour, Fault, InProcess, SANDBOX_TOKEN, Service};

use super::args::SandboxAction;
use super::exit::Exit;
use super::report::CommandError;
use super::{output, signals};

/// Largest seed that is read.
const SEED_BYTES: u64 = 64 * 1024 * 1024;

/// Runs the command.
pub async fn run(action: &SandboxAction) -> Result<Exit, CommandError> {
    let SandboxAction::Serve { port, seed, data, behaviour, faults, delay } = action;
    let behaviour = Behaviour::parse_all(behaviour)
        .map_err(|error| CommandError::usage("--behaviour cannot be read").cause(error.to_string()))?;
    let faults = faults
        .iter()
        .map(|text| Fault::parse(text))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| CommandError::usage("--with-fault cannot be read").cause(error.to_string()))?;
    let clock = Arc::new(SystemClock);
    let sandbox = match (seed, data) {
        (_, Some(path)) => sandbox::open_stored(path, behaviour, faults, clock).map_err(|error| {
            CommandError::chain(format!("the sandbox's data at {} cannot be used", path.display()), &error)
        })?,
        (Some(path), None) => {
            let text = output::read(path, SEED_BYTES)?;
            let service = Service::from_json(&text, behaviour)
                .map_err(|error| CommandError::chain(format!("the seed {} cannot be used", path.display()), &error))?;
            InProcess::new(service, clock).with_faults(faults)
        }
        (None, None) => InProcess::new(Service::fresh(behaviour), clock).with_faults(faults),
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, *port))
        .await
        .map_err(|error| CommandError::io(format!("the port {port} on loopback cannot be used"), &error))?;
    let address = listener.local_addr().map_err(|error| CommandError::io("the port is unknown", &error))?;
    output::result(&format!("http://{address}"));
    output::aside(&format!("ANYREACH_API_URL=http://{address} ANYREACH_TOKEN={SANDBOX_TOKEN}"));
    let cancel = CancellationToken::new();
    signals::listen(cancel.clone());
    sandbox::serve::serve(listener, sandbox, Duration::from_millis(*delay), async move { cancel.cancelled().await })
        .await
        .map_err(|error| CommandError::io("the sandbox ended", &error))?;
    Ok(Exit::Done)
}
