//! The arguments of the commands that lead into a project: `init` and `import`.

use clap::Args;

/// `import`
#[derive(Clone, Debug, Args)]
#[command(after_help = "Nothing is written over, and nothing changes on the service: a plan of the new manifests has \
    nothing to create, update or delete, and applying them only records on each agent that they manage it.\n\n\
    Example:\n  reachform import --all --dry-run\n  reachform import \"Riverside Dental Scheduler\"")]
pub struct Import {
    /// Agents by id or name
    #[arg(value_name = "ID|NAME", required_unless_present = "all", conflicts_with = "all")]
    pub agents: Vec<String>,
    /// All agents that have no manifest yet
    #[arg(long)]
    pub all: bool,
    /// With --all: only agents whose name contains this text
    #[arg(long, value_name = "NAME", requires = "all")]
    pub filter: Option<String>,
    /// Show what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Keep values that are defaults of the schema
    #[arg(long)]
    pub full: bool,
}

/// `init`
#[derive(Clone, Debug, Args)]
#[command(after_help = "A file that exists is left as it is, and named.\n\n\
    Example:\n  reachform init\n  reachform init --from-live --env prod")]
pub struct Init {
    /// Import all agents that are live, instead of writing an example
    #[arg(long)]
    pub from_live: bool,
    /// The beginning of the project's name [default: the name of the folder]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
}
