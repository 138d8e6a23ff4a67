//! What is typed for looking at versions and for going back to one.

use std::path::PathBuf;

use clap::Args;

use crate::model::{Digest, Key};

use super::args::{DiffDetail, digest, key, percent};

/// `show`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  reachform show riverside     what is live, what points at it, and what was applied last\n  \
    reachform show review.plan   a plan that `plan --out` saved\n\nA file that exists, or a name that ends in `.plan`, is \
    a plan; anything else is the key or the id of an agent."
)]
pub struct Show {
    /// The key or the id of an agent, or a saved plan
    #[arg(value_name = "KEY|PLAN")]
    pub what: PathBuf,
    /// How much of each difference is shown (a plan only)
    #[arg(long, value_enum, default_value_t = DiffDetail::Words)]
    pub diff: DiffDetail,
    /// Write the plan as Markdown, as a pull request shows it
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Write the plan as one self-contained HTML page, for whoever approves it
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// `versions`
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  reachform versions riverside --env prod")]
pub struct Versions {
    /// The key or the id of the agent
    #[arg(value_name = "KEY")]
    pub agent: String,
}

/// `compare`
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  reachform compare riverside --from 3 --to 5")]
pub struct Compare {
    /// The key or the id of the agent
    #[arg(value_name = "KEY")]
    pub agent: String,
    /// The older version [default: the published one before the other]
    #[arg(long, value_name = "N")]
    pub from: Option<u64>,
    /// The newer version [default: the live one]
    #[arg(long, value_name = "N")]
    pub to: Option<u64>,
    /// Also show the service's own words about the difference
    ///
    /// They are written by a language model of the service, decide nothing and are part of no hash.
    #[arg(long)]
    pub summary: bool,
    /// How much of each difference is shown
    #[arg(long, value_enum, default_value_t = DiffDetail::Words)]
    pub diff: DiffDetail,
}

/// `log`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  reachform log               everything that this project published\n  \
    reachform log riverside     the same of one agent\n\nThe commit and the plan are recorded for the last apply of each \
    agent; of older versions the service knows who made them and when.")]
pub struct Log {
    /// The key or the id of an agent [default: all of the project]
    #[arg(value_name = "KEY")]
    pub agent: Option<String>,
    /// How many versions are shown at most
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub limit: usize,
}

/// `rollback`
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  reachform rollback riverside --reason \"callers hear nothing\"\n  \
    reachform rollback riverside --to 3 --reason \"the price list was wrong\" --write\n  \
    reachform rollback --plan sha256:… --reason \"undo this morning's release\"\n\nA new version is copied from the older \
    one and published where the live version rings now. Until the manifest changes, `apply` holds the agent; \
    `apply --redo KEY` goes forward again.")]
pub struct Rollback {
    /// The key of the agent
    #[arg(value_name = "KEY", value_parser = key, required_unless_present = "plan", conflicts_with = "plan")]
    pub agent: Option<Key>,
    /// The version to go back to [default: the published one before the live one]
    #[arg(long, value_name = "N", conflicts_with = "plan")]
    pub to: Option<u64>,
    /// Why: it is recorded on the agent and shown to whoever applies next
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub reason: String,
    /// Undo the apply of this plan: every agent that it released goes back to the version before
    #[arg(long, value_name = "HASH", value_parser = digest)]
    pub plan: Option<Digest>,
    /// With --plan: leave this agent as it is (repeatable)
    #[arg(long, value_name = "KEY", value_parser = key, requires = "plan")]
    pub exclude: Vec<Key>,
    /// Write the old values into the manifests and their files as well
    ///
    /// As `drift --adopt` does: everything else in the files stays as it is, what cannot be written is named, and nothing
    /// is committed.
    #[arg(long)]
    pub write: bool,
    /// Do not ask
    #[arg(long, conflicts_with = "approved_plan")]
    pub auto_approve: bool,
    /// Roll back only if the plan has this hash
    #[arg(long, value_name = "HASH", value_parser = digest)]
    pub approved_plan: Option<Digest>,
    /// How long to wait for another run that is working on the same agent
    #[arg(long, value_name = "SECONDS", default_value_t = 180)]
    pub lease_timeout: u64,
    /// Go on although another run is working on the same agent
    #[arg(long)]
    pub break_lease: bool,
    /// Write although the credential does not show that it belongs to the environment's organization
    #[arg(long)]
    pub organization_unverified: bool,
    /// Let this run change up to N percent of the live agents
    #[arg(long, value_name = "N", value_parser = percent)]
    pub max_change_percent: Option<usize>,
    /// How much of each difference is shown
    #[arg(long, value_enum, default_value_t = DiffDetail::Words)]
    pub diff: DiffDetail,
    /// Write the plan as Markdown, as a pull request shows it
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Write the plan as one self-contained HTML page, for whoever approves it
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// `release`
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  reachform release riverside\n\nThe agent, its versions and its numbers stay as they \
    are. Take its manifest away as well: while one declares an agent of this name, the next apply takes it over again."
)]
pub struct Release {
    /// The key of the agent
    #[arg(value_name = "KEY", value_parser = key)]
    pub agent: Key,
    /// Do not ask
    #[arg(long)]
    pub auto_approve: bool,
    /// Go on although another run is working on the agent
    #[arg(long)]
    pub break_lease: bool,
    /// Write although the credential does not show that it belongs to the environment's organization
    #[arg(long)]
    pub organization_unverified: bool,
}

/// Most characters of a reason: it is kept in the agent's metadata, and shown on one line.
const LONGEST_REASON: usize = 300;

fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("it is empty: whoever applies next needs to know why".to_owned());
    }
    if text.chars().count() > LONGEST_REASON || text.chars().any(char::is_control) {
        return Err(format!("one line of at most {LONGEST_REASON} characters"));
    }
    Ok(text.to_owned())
}
