//! The command line, exactly as it was typed. Nothing here reads the environment or judges more than a value's form.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::model::{Digest, Key, PhoneNumber};

pub use super::history_args::{Compare, Log, Release, Rollback, Show, Versions};
pub use super::import_args::{Import, Init};

/// Keeps hosted voice agents in Git: validate, plan and apply for the Anyreach platform.
#[derive(Debug, Parser)]
#[command(name = "reachform", version, max_term_width = 100, propagate_version = true)]
#[command(
    after_help = "Tokens come from the environment (ANYREACH_TOKEN) or from --token-file, never from an argument."
)]
pub struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// The project's folder [default: the nearest one, from here upward, that holds a `reachform.yaml`]
    #[arg(short = 'C', long = "dir", global = true, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// The environment to work on: one of `reachform.yaml`, or without that file one for which a manifest has a patch
    #[arg(long, global = true, value_name = "NAME")]
    pub env: Option<String>,
    /// The service's address; also ANYREACH_API_URL [default: `https://api.anyreach.ai`]
    #[arg(long, global = true, value_name = "URL")]
    pub api_url: Option<String>,
    /// Use the embedded service, its data in `.reachform/sandbox.json`
    #[arg(long, global = true)]
    pub sandbox: bool,
    /// How the embedded service behaves where the real one's behaviour is not known, such as `metadata=merge` (repeatable)
    #[arg(long, global = true, value_name = "KEY=VALUE", hide_short_help = true)]
    pub behave: Vec<String>,
    /// A fault of the embedded service, such as `drop-after:POST /core/agents` (repeatable)
    #[arg(long, global = true, value_name = "FAULT", hide_short_help = true)]
    pub fault: Vec<String>,
    /// A file that holds the token
    #[arg(long, global = true, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// A PEM file with additional certificate authorities; also ANYREACH_CA_FILE
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub ca_file: Option<PathBuf>,
    /// Print one JSON document on stdout, and nothing else
    #[arg(long, global = true)]
    pub json: bool,
    /// Write that JSON document to a file, in addition to the usual output
    #[arg(long, global = true, value_name = "FILE")]
    pub json_out: Option<PathBuf>,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto)]
    pub color: ColorChoice,
    /// When to write problems as GitHub annotations (auto: if GITHUB_ACTIONS is `true`)
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Annotations::Auto, hide_short_help = true)]
    pub annotations: Annotations,
    /// How many requests are in flight at most
    #[arg(long, global = true, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub parallelism: u16,
    /// Show no progress on stderr
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Show more of what is done on stderr (-vv for every request)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, and as NO_COLOR and CLICOLOR_FORCE say.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// When to write problems as annotations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Annotations {
    /// Where a runner reads them.
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

/// Files that hold the problems of a run, for `validate` and `plan`.
#[derive(Clone, Debug, Args)]
pub struct Reports {
    /// Write the problems as SARIF 2.1.0, for code scanning
    #[arg(long, value_name = "FILE")]
    pub sarif: Option<PathBuf>,
    /// Write the problems as GitLab's code quality report
    #[arg(long, value_name = "FILE")]
    pub code_quality: Option<PathBuf>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write `reachform.yaml`, a first manifest and what belongs beside them
    Init(Init),
    /// Write manifests of agents that are live and have none
    Import(Import),
    /// Check manifests against each other and against the service's schema
    Validate(Validate),
    /// Show what would change on the service, without changing anything
    Plan(Plan),
    /// Plan, show the plan, ask, and apply it
    Apply(Apply),
    /// Show what was changed on the service since the last apply, ignoring what is pending in Git
    Drift(Drift),
    /// Show the difference between two states of the repository, offline and without a credential
    Diff(Diff),
    /// Show one agent as it is, or a saved plan
    Show(Show),
    /// List the versions of an agent
    Versions(Versions),
    /// Show the difference between two versions of an agent
    Compare(Compare),
    /// Show what was published when, and by which commit and plan
    Log(Log),
    /// Go back to an older version of an agent, or undo one apply
    Rollback(Rollback),
    /// Stop managing an agent, and leave it as it is
    Release(Release),
    /// Post a plan, the result of an apply or an error on the pull request
    Comment(Comment),
    /// List managed, unmanaged, orphaned and absent agents
    List(List),
    /// Print the JSON Schema of manifests, for editors
    Schema(Schema),
    /// Explain the code of a problem: what it means and what to do about it
    Explain(Explain),
    /// Serve the embedded service on loopback
    Sandbox(Sandbox),
    /// Print shell completions
    Completions(Completions),
    /// Print the manual page, or write a page for each command
    Man(Man),
    /// What `action.yml` runs: the inputs come from REACHFORM_INPUT_*
    #[command(hide = true)]
    Action,
}

/// `man`
#[derive(Debug, Args)]
pub struct Man {
    /// Write the page of each command to this folder instead, as `reachform-plan.1`; the folder must exist
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
}

/// `validate`
#[derive(Clone, Debug, Args)]
pub struct Validate {
    /// Report only on these files or folders (all manifests are read all the same)
    pub paths: Vec<PathBuf>,
    /// Use the cached schema, and no network and no credential
    #[arg(long)]
    pub offline: bool,
    /// Whether a value or property that the schema does not list is an error or a warning
    #[arg(long, value_enum, default_value_t = SchemaMode::Strict)]
    pub schema: SchemaMode,
    /// Files for the problems.
    #[command(flatten)]
    pub reports: Reports,
}

/// How values are judged that the schema does not list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaMode {
    /// An error.
    Strict,
    /// A warning.
    Lenient,
}

/// How much of each difference is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DiffDetail {
    /// The counts.
    Summary,
    /// Changed words with some context.
    Words,
    /// Everything.
    Full,
}

/// Flags that change a plan, for `plan` and `apply` alike.
#[derive(Clone, Debug, Args)]
pub struct Planning {
    /// Plan only this agent (repeatable)
    #[arg(long, value_name = "KEY", value_parser = key)]
    pub target: Vec<Key>,
    /// Plan all but this agent (repeatable)
    #[arg(long, value_name = "KEY", value_parser = key)]
    pub exclude: Vec<Key>,
    /// Delete agents of this project that have no manifest, within the limits
    #[arg(long)]
    pub prune: bool,
    /// Read every config again instead of trusting recorded hashes
    #[arg(long)]
    pub refresh: bool,
    /// Overwrite edits made on the service since the last apply
    #[arg(long)]
    pub force_conflicts: bool,
    /// Take this number although it belongs to an agent of another project (repeatable)
    #[arg(long, value_name = "NUMBER", value_parser = number)]
    pub take: Vec<PhoneNumber>,
    /// Create this agent although its numbers belong to an unmanaged one (repeatable)
    #[arg(long, value_name = "KEY", value_parser = key)]
    pub create: Vec<Key>,
    /// Apply the manifest again after a rollback of this agent (repeatable)
    #[arg(long, value_name = "KEY", value_parser = key)]
    pub redo: Vec<Key>,
    /// Let this run delete up to N agents
    #[arg(long, value_name = "N")]
    pub max_delete: Option<usize>,
    /// Let this run change up to N percent of the live agents
    #[arg(long, value_name = "N", value_parser = percent)]
    pub max_change_percent: Option<usize>,
    /// Whether a value or property that the schema does not list is an error or a warning
    #[arg(long, value_enum, default_value_t = SchemaMode::Strict)]
    pub schema: SchemaMode,
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

/// `plan`
#[derive(Clone, Debug, Args)]
pub struct Plan {
    /// Flags that change a plan.
    #[command(flatten)]
    pub planning: Planning,
    /// Save the plan, for `apply FILE`
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Exit with 2 when there is something to change
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Write the counts that GitLab shows on a merge request (`artifacts: reports: terraform`)
    #[arg(long, value_name = "FILE")]
    pub gitlab_report: Option<PathBuf>,
    /// Files for the problems.
    #[command(flatten)]
    pub reports: Reports,
}

/// `apply`
#[derive(Clone, Debug, Args)]
pub struct Apply {
    /// A saved plan: exactly its changes are applied, or nothing is
    #[arg(value_name = "PLAN", conflicts_with_all = ["auto_approve", "approved_plan"])]
    pub file: Option<PathBuf>,
    /// Flags that change a plan.
    #[command(flatten)]
    pub planning: Planning,
    /// Do not ask
    #[arg(long, conflicts_with = "approved_plan")]
    pub auto_approve: bool,
    /// Apply the plan only if it has this hash
    #[arg(long, value_name = "HASH", value_parser = digest)]
    pub approved_plan: Option<Digest>,
    /// Overwrite the existing draft of this agent, if the service allows only one (repeatable)
    #[arg(long, value_name = "KEY", value_parser = key)]
    pub replace_draft: Vec<Key>,
    /// How long to wait for another run that is working on the same agent
    #[arg(long, value_name = "SECONDS", default_value_t = LEASE_SECONDS)]
    pub lease_timeout: u64,
    /// Go on although another run is working on the same agent
    #[arg(long)]
    pub break_lease: bool,
    /// Write although the credential does not show that it belongs to the environment's organization
    #[arg(long)]
    pub organization_unverified: bool,
}

/// How many seconds another run is waited for.
pub const LEASE_SECONDS: u64 = 180;

/// `drift`
#[derive(Clone, Debug, Args)]
pub struct Drift {
    /// Look only at this agent (repeatable)
    #[arg(long, value_name = "KEY", value_parser = key)]
    pub target: Vec<Key>,
    /// Look at all but this agent (repeatable)
    #[arg(long, value_name = "KEY", value_parser = key)]
    pub exclude: Vec<Key>,
    /// Exit with 2 when something was changed on the service
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// How much of each difference is shown
    #[arg(long, value_enum, default_value_t = DiffDetail::Words)]
    pub diff: DiffDetail,
    /// Write what was found as Markdown, as an issue shows it
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Keep one issue for the environment: `open` it on drift, or only `update` an existing one
    ///
    /// It is edited in place, gets one comment when the drift changes, is closed when there is none, and is opened
    /// again when it returns. The forge is found from the pipeline's variables, as for `comment`.
    #[arg(long, value_enum, value_name = "WHEN", num_args = 0..=1, require_equals = true,
        default_missing_value = "open", conflicts_with = "adopt")]
    pub issue: Option<IssueMode>,
    /// A label for a new issue (repeatable); the first one also makes it faster to find
    #[arg(long, value_name = "LABEL", requires = "issue")]
    pub issue_label: Vec<String>,
    /// Write live values into the manifests and their files
    ///
    /// Everything else in the files stays exactly as it is: comments, order, quotes, layout. A value that other environments
    /// share is written into the `environments:` patch of this one. Left alone, and named, are: values behind `!var`,
    /// `!format`, `!agent` and `!secret`; secrets; what an agent with another live value shares; what Git has changed as
    /// well since the last apply (see --force). Nothing outside the project is written, and nothing is committed.
    #[arg(long)]
    pub adopt: bool,
    /// With --adopt: show the difference and write nothing
    #[arg(long, requires = "adopt")]
    pub dry_run: bool,
    /// With --adopt: if Git and the service changed the same value, write the live one over Git's
    #[arg(long, requires = "adopt")]
    pub force: bool,
}

/// When the issue on drift is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum IssueMode {
    /// It is opened if there is none.
    Open,
    /// Only one that there is already is kept.
    Update,
    /// Never.
    Off,
}

/// `diff`
#[derive(Debug, Args)]
pub struct Diff {
    /// The older state: a branch, a tag or a commit of this checkout, as `origin/main`
    ///
    /// It is compared with the files as they are. If the base branch has moved on, compare with the common
    /// ancestor: `--base "$(git merge-base origin/main HEAD)"`.
    #[arg(long, value_name = "REF")]
    pub base: String,
    /// Exit with 2 when there is a difference
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// How much of each difference is shown
    #[arg(long, value_enum, default_value_t = DiffDetail::Words)]
    pub diff: DiffDetail,
    /// Write the difference as Markdown, as a pull request shows it
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
}

/// `comment`
#[derive(Debug, Args)]
#[command(
    after_help = "The forge is found from the pipeline's variables (GITHUB_*, CI_*), the token in GITHUB_TOKEN or \
    GITLAB_TOKEN. What the forge refuses is a warning and never a failure."
)]
pub struct Comment {
    /// What to post: a JSON document (`--json-out` of `plan`, `apply` or `diff`), or Markdown (`--markdown`)
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Refuse the file if it holds anything else (a `workflow_run` job accepts only a difference)
    #[arg(long, value_enum, value_name = "KIND", requires = "file")]
    pub expect: Option<DocumentKind>,
    /// What the comment says, if there is no document
    #[arg(long, value_enum)]
    pub state: Option<CommentState>,
    /// Why it failed, or what replaced it, for a state without a document
    #[arg(long, value_name = "TEXT", requires = "state")]
    pub message: Option<String>,
    /// The failure is that of an apply
    #[arg(long)]
    pub apply: bool,
    /// The plan as it is now, shown below a refusal
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// The pull request [default: the event's, else that of the commit]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub pull_request: Option<u64>,
    /// Distinguishes this comment from others for the same environment
    #[arg(long, value_name = "TEXT")]
    pub key: Option<String>,
    /// When it is written: `changes` creates one only if there are changes, but always updates an existing one
    #[arg(long, value_enum, default_value_t = CommentMode::Update)]
    pub mode: CommentMode,
    /// Its maximum size in bytes [default: 60000 on GitHub, 900000 on GitLab]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(4_000..=1_000_000))]
    pub max_bytes: Option<u32>,
    /// Also append it to the step summary (GITHUB_STEP_SUMMARY)
    #[arg(long)]
    pub summary: bool,
}

/// What a file to post holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DocumentKind {
    /// A plan.
    Plan,
    /// What became of one.
    Apply,
    /// A difference of files.
    Difference,
    /// Why a command failed.
    Error,
    /// Finished Markdown.
    Markdown,
}

/// What a comment says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CommentState {
    /// A plan is being made.
    Planning,
    /// A plan.
    Planned,
    /// A plan is being applied.
    Applying,
    /// It was applied.
    Applied,
    /// Some of it was.
    PartlyApplied,
    /// It was refused.
    Refused,
    /// The run failed.
    Failed,
    /// A newer run has taken over.
    Superseded,
}

/// When a comment is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CommentMode {
    /// Made once, then edited.
    Update,
    /// Made only for changes, but always edited.
    Changes,
    /// A new one for every run.
    New,
    /// Never.
    Off,
}

/// `list`
#[derive(Debug, Args)]
pub struct List {}

/// `schema`
#[derive(Debug, Args)]
pub struct Schema {
    /// Use the cached schema, and no network and no credential
    #[arg(long)]
    pub offline: bool,
    /// Write it to a file instead
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `explain`
#[derive(Debug, Args)]
pub struct Explain {
    /// The code, such as `unknown-field`; without one, all of them are listed
    #[arg(value_name = "CODE")]
    pub code: Option<String>,
}

/// `sandbox`
#[derive(Debug, Args)]
pub struct Sandbox {
    /// What to do
    #[command(subcommand)]
    pub action: SandboxAction,
}

/// What to do with the sandbox.
#[derive(Debug, Subcommand)]
pub enum SandboxAction {
    /// Serve it
    Serve {
        /// The port on loopback; 0 chooses a free one
        #[arg(long, default_value_t = 7878)]
        port: u16,
        /// A file with the data that it starts with, if there is none yet
        #[arg(long, value_name = "FILE")]
        seed: Option<PathBuf>,
        /// Keep its data in this file between runs
        #[arg(long, value_name = "FILE")]
        data: Option<PathBuf>,
        /// Milliseconds to wait before every answer
        #[arg(long, default_value_t = 0)]
        delay: u64,
    },
}

/// `completions`
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}

pub(super) fn key(text: &str) -> Result<Key, String> {
    let bare = text.strip_prefix("agent.").unwrap_or(text);
    Key::parse(bare).ok_or_else(|| {
        format!("a key consists of lower-case letters, digits and hyphens, such as `{}`", Key::suggest(bare))
    })
}

fn number(text: &str) -> Result<PhoneNumber, String> {
    PhoneNumber::parse(text)
        .ok_or_else(|| "a phone number is written in E.164 format, such as `+15551234567`".to_owned())
}

pub(super) fn digest(text: &str) -> Result<Digest, String> {
    if text.is_empty() {
        return Err("it is empty, and an unset variable must not mean \"no check\"".to_owned());
    }
    Digest::parse(text)
        .ok_or_else(|| "a plan hash is `sha256:` and 64 hexadecimal digits, as `plan` prints it".to_owned())
}

pub(super) fn percent(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| *n <= 100).ok_or_else(|| "a number from 0 to 100".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn an_empty_approved_plan_is_a_usage_error_and_not_no_check() {
        assert!(Cli::try_parse_from(["reachform", "apply", "--approved-plan", ""]).is_err());
        assert!(Cli::try_parse_from(["reachform", "apply", "x.plan", "--auto-approve"]).is_err());
    }
}
