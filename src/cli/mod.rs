//! SHELL. One file for each command: load, compute, act, render, and an exit status.
//!
//! `args` is what was typed, `settings` what that means here; only `settings` reads the environment, only `output`
//! writes to the streams, and only `exit` knows the codes.

pub mod action;
pub mod adopt;
pub mod apply;
pub mod args;
pub mod checkout;
pub mod command;
pub mod comment;
pub mod connect;
pub mod diff;
pub mod drift;
pub mod exit;
pub mod explain;
pub mod forge;
pub mod git;
pub mod history;
pub mod history_args;
pub mod html;
pub mod import;
pub mod import_args;
pub mod init;
pub mod issue;
pub mod list;
pub mod man;
pub mod markdown;
pub mod open;
pub mod output;
pub mod plan;
pub mod progress;
pub mod publish;
pub mod pull_request;
pub mod release;
pub mod report;
pub mod revision;
pub mod rollback;
pub mod sandbox;
pub mod schema;
pub mod schema_cache;
pub mod settings;
pub mod show;
pub mod signals;
pub mod step_summary;
pub mod validate;
pub mod workflow;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use args::{Cli, Command};
use exit::Exit;
use report::CommandError;
use settings::Settings;
use workflow::annotate;

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // clap ends with 2 on a usage error, which means "there are changes" here. Help and version are results.
            let is_result = !error.use_stderr();
            output::guard(Settings::is_read_by_a_runner());
            output::usage(&error);
            if is_result {
                return ended(Exit::Done);
            }
            let problem = report::unreadable(&error);
            output::json_of_unread(std::env::args_os(), &problem.json());
            return Exit::Usage.into();
        }
    };
    output::set_color(cli.global.color);
    let mut settings = Settings::gather(&cli.global);
    // A new project begins where it was asked for, and a pipeline names its folder.
    if cli.global.dir.is_none() && !matches!(cli.command, Command::Init(_) | Command::Action) {
        settings = settings.in_nearest_project();
    }
    output::guard(settings.annotations || Settings::is_read_by_a_runner());
    // The embedded service prints the token that it takes, for whoever wants to talk to it.
    if !matches!(cli.command, Command::Sandbox(_)) {
        output::hide(&settings.secrets());
    }
    start_logging(cli.global.verbose);
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::aside(&CommandError::io("the runtime could not be started", &error).text());
            return Exit::Failed.into();
        }
    };
    let outcome = runtime.block_on(run(&cli, &settings));
    // A request that hangs must not hold the process back after a signal.
    runtime.shutdown_background();
    match outcome {
        Ok(exit) => ended(exit),
        Err(error) => {
            output::aside(&error.text());
            annotate::failure(&error, settings.annotations);
            output::json_of_failure(&settings, &error.json());
            error.exit.into()
        }
    }
}

/// How the program ends: a result that nobody could be given is a failure.
fn ended(exit: Exit) -> ExitCode {
    match output::unwritten() {
        Some(error) if matches!(exit, Exit::Done | Exit::Changes) => {
            output::aside(&error.text());
            error.exit.into()
        }
        Some(error) => {
            output::aside(&error.text());
            exit.into()
        }
        None => exit.into(),
    }
}

async fn run(cli: &Cli, settings: &Settings) -> Result<Exit, CommandError> {
    // Known before anything is done, not after it: a report must not be lost for want of a folder.
    if let Some(path) = &settings.json_out {
        output::check_writable(path)?;
    }
    let serves = matches!(cli.command, Command::Sandbox(_));
    let is_bent = !cli.global.behave.is_empty() || !cli.global.fault.is_empty();
    if is_bent && !cli.global.sandbox && !serves {
        return Err(CommandError::usage("--behave and --fault are for the embedded service: add --sandbox"));
    }
    match &cli.command {
        Command::Init(arguments) => init::run(arguments, settings).await,
        Command::Import(arguments) => import::run(arguments, settings).await,
        Command::Validate(arguments) => validate::run(arguments, settings).await,
        Command::Plan(arguments) => plan::run(arguments, settings).await,
        Command::Apply(arguments) => apply::run(arguments, settings, cli.global.verbose > 0).await,
        Command::Diff(arguments) => diff::run(arguments, settings),
        Command::Drift(arguments) => drift::run(arguments, settings).await,
        Command::Show(arguments) => show::run(arguments, settings).await,
        Command::Versions(arguments) => history::versions(arguments, settings).await,
        Command::Compare(arguments) => history::compare(arguments, settings).await,
        Command::Log(arguments) => history::log(arguments, settings).await,
        Command::Rollback(arguments) => rollback::run(arguments, settings, cli.global.verbose > 0).await,
        Command::Release(arguments) => release::run(arguments, settings).await,
        Command::Comment(arguments) => comment::run(arguments, settings).await,
        Command::List(arguments) => list::run(arguments, settings).await,
        Command::Schema(arguments) => schema::run(arguments, settings).await,
        Command::Sandbox(arguments) => sandbox::run(&arguments.action, settings).await,
        Command::Completions(arguments) => {
            let mut out = Vec::new();
            clap_complete::generate(arguments.shell, &mut Cli::command(), "reachform", &mut out);
            output::result(&String::from_utf8_lossy(&out));
            Ok(Exit::Done)
        }
        Command::Explain(arguments) => explain::run(arguments, settings),
        Command::Action => action::run(settings).await,
        Command::Man(arguments) => man::run(arguments),
    }
}

/// Logs go to stderr, and only when asked for.
fn start_logging(verbose: u8) {
    let level = match verbose {
        0 => "error",
        1 => "reachform=info",
        2 => "reachform=debug",
        _ => "reachform=trace",
    };
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(level))
        .with_writer(|| output::Log)
        .with_target(false)
        .with_ansi(output::stderr_is_colored())
        .without_time()
        .init();
}
