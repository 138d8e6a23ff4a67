//! From what was typed and what the environment holds to settings. The only reader of the environment.
#![expect(clippy::disallowed_methods, reason = "this module is part of the shell: it reads the environment")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use secrecy::SecretString;

use crate::disk;
use crate::http::BaseUrl;
use crate::http::reqwest_transport::CA_FILE_VARIABLE;
use crate::manifest::project::{DEFAULT_AGENTS, PROJECT_FILE};
use crate::model::look::sounds_secret;
use crate::model::verify::is_withheld;

use super::args::{Annotations, Global};
use super::report::{CommandError, Reason};

/// Where the service is when nobody says otherwise.
pub const DEFAULT_API_URL: &str = "https://api.anyreach.ai";

/// Most bytes of a token file.
const TOKEN_BYTES: usize = 64 * 1024;

/// What every command works with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The project's folder.
    pub dir: PathBuf,
    /// The environment that was asked for.
    pub environment: Option<String>,
    /// The service's address.
    pub api_url: String,
    /// Use the embedded service.
    pub sandbox: bool,
    /// Its switches.
    pub behave: Vec<String>,
    /// Its faults.
    pub faults: Vec<String>,
    /// Print JSON on stdout.
    pub json: bool,
    /// Write JSON to a file.
    pub json_out: Option<PathBuf>,
    /// How many requests are in flight at most.
    pub parallelism: usize,
    /// No progress.
    pub quiet: bool,
    /// A file with the token.
    pub token_file: Option<PathBuf>,
    /// Further certificate authorities.
    pub ca_file: Option<PathBuf>,
    /// Whether a person can be asked.
    pub interactive: bool,
    /// Whether stderr is a terminal.
    pub stderr_is_terminal: bool,
    /// Columns of the terminal, where there is one.
    pub width: usize,
    /// Whether the locale can show more than ASCII.
    pub unicode: bool,
    /// Whether problems are written as annotations too.
    pub annotations: bool,
    token: Option<SecretString>,
    variables: BTreeMap<String, String>,
}

/// The variable that a GitHub runner, or one that works like it, sets to `true`.
const ACTIONS: &str = "GITHUB_ACTIONS";

/// Narrowest and widest that text is laid out for: narrower breaks words, wider tires the eye.
const WIDTHS: (usize, usize) = (60, 120);

/// The width where there is no terminal to ask.
const PLAIN_WIDTH: usize = 100;

impl Settings {
    /// Gathers the settings.
    pub fn gather(global: &Global) -> Self {
        // A variable that is no UTF-8 is none of ours.
        let variables: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let stdout_is_terminal = std::io::stdout().is_terminal();
        let width = if stdout_is_terminal { terminal_width(&variables) } else { PLAIN_WIDTH };
        let locale =
            ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| variables.get(*name).filter(|v| !v.is_empty()));
        let unicode = locale.is_none_or(|locale| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        });
        Self {
            dir: global.dir.clone().unwrap_or_else(|| PathBuf::from(".")),
            environment: global.env.clone(),
            api_url: global
                .api_url
                .clone()
                .or_else(|| variables.get("ANYREACH_API_URL").filter(|url| !url.is_empty()).cloned())
                .unwrap_or_else(|| DEFAULT_API_URL.to_owned()),
            sandbox: global.sandbox,
            behave: global.behave.clone(),
            faults: global.fault.clone(),
            json: global.json,
            json_out: global.json_out.clone(),
            parallelism: usize::from(global.parallelism),
            quiet: global.quiet,
            token_file: global.token_file.clone(),
            ca_file: global.ca_file.clone().or_else(|| {
                let named = variables.get(CA_FILE_VARIABLE).filter(|file| !file.is_empty());
                named.map(PathBuf::from)
            }),
            interactive: std::io::stdin().is_terminal() && std::io::stderr().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
            width: width.clamp(WIDTHS.0, WIDTHS.1),
            unicode,
            annotations: match global.annotations {
                Annotations::On => true,
                Annotations::Off => false,
                Annotations::Auto => variables.get(ACTIONS).is_some_and(|value| value == "true"),
            },
            token: None,
            variables,
        }
    }

    /// The same with a token that was handed in, where there is one. It goes before every variable.
    #[must_use]
    pub fn with_token(mut self, token: Option<&str>) -> Self {
        self.token = token.map(|token| SecretString::from(token.trim().to_owned()));
        self
    }

    /// The same in the project that the current folder is in, as git and cargo look for theirs.
    #[must_use]
    pub fn in_nearest_project(mut self) -> Self {
        let home = self.variable("HOME").map(PathBuf::from);
        if let Some(dir) = disk::nearest_above(PROJECT_FILE, DEFAULT_AGENTS, home.as_deref()) {
            self.dir = dir;
        }
        self
    }

    /// Whether what is printed is read for commands. Asked before the command line is known to be a good one.
    pub fn is_read_by_a_runner() -> bool {
        std::env::var_os(ACTIONS).is_some_and(|value| value == "true")
    }

    /// A variable of the environment.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether this runs in a pipeline, where other steps of a job leave files beside those of the commit.
    pub fn is_in_a_pipeline(&self) -> bool {
        self.variable("CI").is_some_and(|value| !matches!(value, "false" | "0"))
            || self.variable(ACTIONS) == Some("true")
    }

    /// All variables, for the process that `verify` runs.
    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// The value of `!secret NAME`: the variable `REACHFORM_SECRET_NAME` and no other. In the sandbox it is a text made
    /// of its name, and the environment is not read (design, section 10).
    pub fn secret(&self, name: &str) -> Option<String> {
        if self.sandbox {
            return Some(format!("sandbox:{name}"));
        }
        self.variable(&format!("REACHFORM_SECRET_{name}")).map(str::to_owned)
    }

    /// Every value that no output may hold, whoever sends it back: what `!secret` could stand for, and the credentials
    /// of the service and of the forge.
    pub fn secrets(&self) -> Vec<SecretString> {
        let is_secret = |name: &str| is_withheld(name) && sounds_secret(name);
        let named = self.variables.iter().filter(|(name, value)| is_secret(name) && !value.trim().is_empty());
        let values = named.map(|(_, value)| SecretString::from(value.trim().to_owned()));
        values.chain(self.token.clone()).collect()
    }

    /// The token: from the file, else from the variable that the environment of the project names.
    pub fn token(&self, variable: &str) -> Result<SecretString, CommandError> {
        if let Some(token) = &self.token {
            return Ok(token.clone());
        }
        if let Some(file) = &self.token_file {
            let text = disk::read_text(file, TOKEN_BYTES).map_err(|error| {
                CommandError::chain(format!("the token file {} could not be read", file.display()), &error)
            })?;
            let token = text.trim();
            if token.is_empty() {
                return Err(CommandError::config(format!("the token file {} is empty", file.display())));
            }
            return Ok(SecretString::from(token.to_owned()));
        }
        self.variable(variable).map(|token| SecretString::from(token.trim().to_owned())).ok_or_else(|| {
            CommandError::config(format!("there is no credential: {variable} is not set"))
                .because(Reason::Auth)
                .hint(format!("set {variable} to an organization key (`ak_…`), or name a file with `--token-file`"))
                .hint("to try everything without an account, use `--sandbox`")
        })
    }

    /// Where the token comes from: the file, or the variable.
    pub fn token_source(&self, variable: &str) -> String {
        if self.token.is_some() {
            return "the input `token-anyreach`".to_owned();
        }
        self.token_file.as_ref().map_or_else(|| variable.to_owned(), |file| file.display().to_string())
    }

    /// The address of the service.
    pub fn base_url(&self) -> Result<BaseUrl, CommandError> {
        BaseUrl::parse(&self.api_url).map_err(|error| {
            CommandError::chain("the address of the service cannot be used", &error)
                .hint(format!("it comes from --api-url or ANYREACH_API_URL; without both it is {DEFAULT_API_URL}"))
        })
    }

    /// The organization for personal tokens.
    pub fn organization(&self) -> Option<&str> {
        self.variable("ANYREACH_ORG_ID")
    }

    /// Where this run can be seen, as a pipeline's variables tell.
    pub fn run_url(&self) -> Option<String> {
        let names = ["GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"];
        match names.map(|name| self.variable(name)) {
            [Some(server), Some(repository), Some(run)] => Some(format!("{server}/{repository}/actions/runs/{run}")),
            _ => self.variable("CI_JOB_URL").map(str::to_owned),
        }
    }

    /// The name of this run: the CI job where there is one, so that its re-run is known as the same, and a random part.
    pub fn run_name(&self, random: &str) -> String {
        match (self.variable("GITHUB_RUN_ID"), self.variable("CI_PIPELINE_ID")) {
            (Some(id), _) => format!("github-{id}-{}/{random}", self.variable("GITHUB_JOB").unwrap_or("job")),
            (None, Some(id)) => format!("gitlab-{id}-{}/{random}", self.variable("CI_JOB_NAME").unwrap_or("job")),
            (None, None) => random.to_owned(),
        }
    }
}

/// A variable for a child process that gets no others, as it is.
pub fn inherited(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// The columns of the terminal, as the shell exports them or as the kernel knows.
fn terminal_width(variables: &BTreeMap<String, String>) -> usize {
    let known = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    known.or_else(|| variables.get("COLUMNS").and_then(|columns| columns.parse().ok())).unwrap_or(PLAIN_WIDTH)
}
