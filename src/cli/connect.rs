//! From settings to a client: the embedded service or the real one.

use std::path::Path;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::disk;
use crate::http::{
    Client, ClientOptions, Clock, Credential, Entropy, OsEntropy, Redactor, ReqwestTransport, SystemClock, Transport,
    TransportOptions,
};
use crate::manifest::Project;
use crate::sandbox::{Behaviour, Fault, InProcess, Sandbox, Service, Store, StoreError};
use crate::session::{Outside, SANDBOX_HOST};

use super::report::CommandError;
use super::settings::Settings;
use super::{output, progress};

/// Builds the connection. Nothing is sent yet; a credential of the wrong form is refused here.
pub fn connect(settings: &Settings, project: &Project, cancel: CancellationToken) -> Result<Outside, CommandError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
    let (transport, host, redactor): (Arc<dyn Transport>, String, Redactor) = if settings.sandbox {
        (open_sandbox(settings, clock.clone())?, SANDBOX_HOST.to_owned(), Redactor::default())
    } else {
        let base = settings.base_url()?;
        let token = settings.token(project.token_variable())?;
        let credential = Credential::new(&token, settings.organization()).map_err(|error| {
            CommandError::chain("the credential cannot be used", &error)
                .hint(format!("it came from {}", settings.token_source(project.token_variable())))
        })?;
        let host = base.host();
        // What the service answers may hold what it was sent: the token, and the secrets of the manifests.
        let secrets = settings.secrets();
        let redactor = Redactor::new(secrets.iter().chain([&token]));
        output::hide(&[secrets, vec![token.clone()]].concat());
        let options = TransportOptions { extra_ca: settings.ca_file.clone(), ..TransportOptions::default() };
        let transport = ReqwestTransport::new(base, Some(&credential), &options)
            .map_err(|error| CommandError::chain("the HTTP client could not be built", &error))?;
        (Arc::new(transport), host, redactor)
    };
    let token_source = settings.token_source(project.token_variable());
    let in_flight = settings.parallelism;
    let options = ClientOptions { in_flight, redactor, token_source, cancel, ..ClientOptions::default() };
    let client = Client::new(transport, clock.clone(), entropy.clone(), options);
    progress::watch(&client, settings);
    Ok(Outside { client, host, clock, entropy, schemas: Arc::default() })
}

fn open_sandbox(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Arc<dyn Transport>, CommandError> {
    let behaviour = behaviour(settings)?;
    let folder = settings.dir.join(".reachform");
    // Its place in the project is fixed, so whoever writes the files could put a link there.
    disk::own_folder(&folder)
        .map_err(|error| CommandError::io(format!("the folder {} cannot be used", folder.display()), &error))?;
    let fresh = Service::quickstart(behaviour.clone());
    let sandbox = stored_sandbox(&folder.join("sandbox.json"), behaviour, fresh)?;
    add_faults(&sandbox, settings)?;
    Ok(Arc::new(InProcess::new(sandbox, clock)))
}

/// How the embedded service behaves.
pub fn behaviour(settings: &Settings) -> Result<Behaviour, CommandError> {
    Behaviour::parse(&settings.behave)
        .map_err(|error| CommandError::usage("--behave cannot be read").cause(error.to_string()))
}

/// Gives the embedded service the faults that were asked for.
pub fn add_faults(sandbox: &Sandbox, settings: &Settings) -> Result<(), CommandError> {
    for text in &settings.faults {
        let fault = Fault::parse(text)
            .map_err(|error| CommandError::usage("--fault cannot be read").cause(error.to_string()))?;
        sandbox.add_fault(fault);
    }
    Ok(())
}

/// The embedded service with its data in a file, or `fresh` if the file holds none yet.
pub fn stored_sandbox(path: &Path, behaviour: Behaviour, fresh: Service) -> Result<Sandbox, CommandError> {
    let failed = |error: StoreError| {
        CommandError::chain(format!("the sandbox's data at {} cannot be used", path.display()), &error)
    };
    let store = Store::open(path).map_err(failed)?;
    let service = store.load(behaviour).map_err(failed)?.unwrap_or(fresh);
    Sandbox::stored(service, store).map_err(failed)
}
