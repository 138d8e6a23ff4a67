//! The `verify` command of a manifest: run on the new draft before it is published (design, section 10).

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::Value;
use tokio::io::AsyncReadExt as _;

use crate::http::Redactor;
use crate::http::runtime::Later;
use crate::model::look::sounds_secret;
use crate::model::verify::is_withheld;
use crate::model::{Seal, Verify};
use crate::plan::mask::{Labels, Mask};
use crate::plan::{Outcome, Step};

use super::agent::Agent;
use super::context::LEASE;
use super::ended::Ended;
use super::proof::{Proven, prove_again};

/// How long a command may take.
const TIMEOUT: Duration = Duration::from_secs(300);

/// How much of its output is kept.
const OUTPUT_BYTES: usize = 16 * 1024;

/// What a command is run on.
#[derive(Clone, Debug)]
pub struct VerifyInput {
    /// `REACHFORM_KEY`.
    pub key: String,
    /// `REACHFORM_AGENT_ID`.
    pub agent_id: String,
    /// `REACHFORM_VERSION`.
    pub version: u64,
    /// `REACHFORM_BASE_VERSION`, empty for a first version.
    pub base_version: Option<u64>,
    /// What `REACHFORM_CONFIG_FILE` holds.
    pub config: Value,
    /// What this run knows to be secret, the config's secrets among it: none of it may come back in the output.
    pub redactor: Redactor,
}

/// Runs the command on a proven draft, and proves it once more: the command may have taken minutes, and a draft can be
/// edited by anybody.
pub(super) async fn verify(
    agent: &mut Agent<'_>,
    proven: Proven,
    config: &Value,
    command: &Verify,
) -> Result<Proven, Ended> {
    agent.begin(&Step::Verify)?;
    let (ctx, change) = (agent.job.ctx, agent.job.change);
    let input = VerifyInput {
        key: change.key.to_string(),
        agent_id: agent.id.clone(),
        version: proven.version(),
        base_version: change.base_version,
        config: config.clone(),
        redactor: redactor(agent, config),
    };
    let mut run = ctx.verifier.verify(command, &input);
    let ended = loop {
        tokio::select! {
            biased;
            () = ctx.cancel.cancelled() => {
                return Err(Ended::new(Outcome::Failed, "interrupted while `verify` was running"));
            }
            // It may take longer than a lease holds. A renewal that was begun is never dropped, also where the command
            // ends meanwhile: it could reach the service after the final stamp.
            () = ctx.clock.sleep(LEASE / 2) => agent.renew_lease().await?,
            ended = &mut run => break ended,
        }
    };
    ended.map_err(|why| Ended::new(Outcome::Failed, "`verify` did not pass; the version stays a draft").cause(why))?;
    prove_again(agent, proven, "`verify` was running").await
}

/// Everything that this run knows to be secret: what the client knows, and what stands at secret paths of the config,
/// which may be live secrets that no manifest names.
fn redactor(agent: &Agent<'_>, config: &Value) -> Redactor {
    let ctx = agent.job.ctx;
    let mask = Mask {
        shape: ctx.shape.as_ref(),
        declared: None,
        config,
        seal: Some(Seal::of(&agent.stamp)),
        not_secret: &BTreeSet::new(),
        labels: &Labels::default(),
        as_applied: false,
    };
    let texts: Vec<SecretString> = mask.secret_texts().into_iter().map(SecretString::from).collect();
    ctx.writer.reader().client().redactor().clone().and(&texts)
}

/// Runs a command; a test hands in another.
pub trait Verifier: Send + Sync {
    /// Runs it. `Err` holds why the version must not be published.
    fn verify<'a>(&'a self, command: &'a Verify, input: &'a VerifyInput) -> Later<'a, Result<(), String>>;
}

/// Runs the command as a process, without a shell, with no more of the environment than is named.
#[derive(Clone, Debug)]
pub struct ProcessVerifier {
    /// The environment of this program, from which `PATH`, `HOME`, `LANG` and the names in `verify.env` are taken.
    pub environment: BTreeMap<String, String>,
    /// The folder that the command runs in.
    pub dir: std::path::PathBuf,
}

impl Verifier for ProcessVerifier {
    fn verify<'a>(&'a self, command: &'a Verify, input: &'a VerifyInput) -> Later<'a, Result<(), String>> {
        Box::pin(async move {
            let redactor = self.redactor(command, &input.redactor);
            self.run(command, input, &redactor).await.map_err(|why| redactor.clean(&why))
        })
    }
}

impl ProcessVerifier {
    async fn run(&self, verify: &Verify, input: &VerifyInput, redactor: &Redactor) -> Result<(), String> {
        let Some((program, arguments)) = verify.command.split_first() else { return Ok(()) };
        let mut file = tempfile::Builder::new()
            .prefix("reachform-config-")
            .suffix(".json")
            .tempfile()
            .map_err(|error| format!("no file for the config could be made: {error}"))?;
        file.write_all(input.config.to_string().as_bytes())
            .map_err(|error| format!("the config could not be written to {}: {error}", file.path().display()))?;
        let mut child = tokio::process::Command::new(program);
        child
            .args(arguments)
            .current_dir(&self.dir)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        for name in ["PATH", "HOME", "LANG"].into_iter().chain(promised(verify)) {
            if let Some(value) = self.environment.get(name) {
                child.env(name, value);
            }
        }
        child
            .env("REACHFORM_KEY", &input.key)
            .env("REACHFORM_AGENT_ID", &input.agent_id)
            .env("REACHFORM_VERSION", input.version.to_string())
            .env("REACHFORM_BASE_VERSION", input.base_version.map(|version| version.to_string()).unwrap_or_default())
            .env("REACHFORM_CONFIG_FILE", file.path());
        let mut child = child.spawn().map_err(|error| format!("`{program}` could not be started: {error}"))?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let work = async {
            let (out, err) = tokio::join!(read_bounded(stdout), read_bounded(stderr));
            (child.wait().await, out, err)
        };
        match tokio::time::timeout(TIMEOUT, work).await {
            Err(_) => Err(format!("`{program}` did not end within {} minutes", TIMEOUT.as_secs() / 60)),
            Ok((Err(error), ..)) => Err(format!("`{program}` could not be waited for: {error}")),
            Ok((Ok(status), ..)) if status.success() => Ok(()),
            Ok((Ok(status), out, err)) => {
                let said = |output: &Output| redactor.head(&output.kept, output.is_whole).trim().to_owned();
                let said = [said(&err), said(&out)].into_iter().find(|text| !text.is_empty());
                let said = said.unwrap_or_else(|| "it printed nothing".to_owned());
                Err(format!("`{program}` ended with {status}: {said}"))
            }
        }
    }

    /// What may not be shown of its output: what the run knows, the values that the command was handed, and the credentials
    /// that were kept from it, for a process finds ways to what is near it.
    fn redactor(&self, verify: &Verify, known: &Redactor) -> Redactor {
        let handed = promised(verify).filter_map(|name| self.environment.get(name));
        let withheld = self.environment.iter().filter(|(name, _)| is_withheld(name) && sounds_secret(name));
        let values = handed.chain(withheld.map(|(_, value)| value));
        let values: Vec<SecretString> = values.map(|value| SecretString::from(value.as_str())).collect();
        known.clone().and(&values)
    }
}

/// The variables that a command is handed beside the fixed ones. What must never reach one does not, also where the
/// manifest was not checked.
fn promised(verify: &Verify) -> impl Iterator<Item = &str> {
    verify.env.iter().map(String::as_str).filter(|name| !is_withheld(name))
}

/// The beginning of what a command printed.
#[derive(Debug, Default)]
struct Output {
    kept: Vec<u8>,
    is_whole: bool,
}

/// Reads to the end and keeps the beginning, so that a chatty command neither blocks nor fills memory.
async fn read_bounded<R: tokio::io::AsyncRead + Unpin>(stream: Option<R>) -> Output {
    let Some(mut stream) = stream else { return Output::default() };
    let mut kept = Vec::new();
    let mut is_whole = true;
    let mut buffer = [0_u8; 4096];
    while let Ok(count) = stream.read(&mut buffer).await {
        if count == 0 {
            break;
        }
        let room = OUTPUT_BYTES.saturating_sub(kept.len()).min(count);
        kept.extend_from_slice(&buffer[..room]);
        is_whole &= room == count;
    }
    Output { kept, is_whole }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "ak_1.secret-value";
    const LIVE: &str = "live-secret-that-no-manifest-names";

    fn run(script: &str, env: &[&str]) -> Result<(), String> {
        let verifier = ProcessVerifier {
            environment: BTreeMap::from([
                ("PATH".to_owned(), "/usr/bin:/bin".to_owned()),
                ("ANYREACH_TOKEN".to_owned(), TOKEN.to_owned()),
                ("GITHUB_REF_NAME".to_owned(), "check".to_owned()),
                ("CHECK_URL".to_owned(), "https://check.example".to_owned()),
                ("CHECK_PASSWORD".to_owned(), "check-pass-4417".to_owned()),
            ]),
            dir: std::env::temp_dir(),
        };
        let verify = Verify {
            command: vec!["sh".to_owned(), "-c".to_owned(), script.to_owned()],
            env: env.iter().map(|name| (*name).to_owned()).collect(),
        };
        let input = VerifyInput {
            key: "a".to_owned(),
            agent_id: "id".to_owned(),
            version: 4,
            base_version: Some(3),
            config: serde_json::json!({"x": 1, "webhook_secret": LIVE}),
            redactor: Redactor::new([&SecretString::from(LIVE)]),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(verifier.verify(&verify, &input))
    }

    #[test]
    fn the_command_sees_the_draft_and_no_token() {
        let script = r#"test "$REACHFORM_VERSION/$REACHFORM_BASE_VERSION/$REACHFORM_KEY" = 4/3/a &&
            test -z "$ANYREACH_TOKEN" && test -z "$CHECK_URL" && grep -q '"x":1' "$REACHFORM_CONFIG_FILE""#;
        assert_eq!(run(script, &[]), Ok(()));
        assert_eq!(run("test -n \"$CHECK_URL\"", &["CHECK_URL"]), Ok(()));
    }

    #[test]
    fn a_credential_is_not_handed_over_although_a_manifest_names_it() {
        let named = ["ANYREACH_TOKEN", "anyreach_token", "GITHUB_REF_NAME"];
        assert_eq!(run("test -z \"$ANYREACH_TOKEN$anyreach_token$GITHUB_REF_NAME\"", &named), Ok(()));
    }

    #[test]
    fn a_failing_command_says_why_without_what_it_was_handed() {
        let error = run("echo \"no: $CHECK_PASSWORD\" >&2; exit 3", &["CHECK_PASSWORD"]).unwrap_err();
        assert!(error.contains("no: (secret)"), "{error}");
        assert!(run("exit 1", &[]).unwrap_err().ends_with("it printed nothing"));
    }

    #[test]
    fn nothing_that_the_run_knows_to_be_secret_comes_back_in_clear_or_in_base64() {
        for script in [
            "cat \"$REACHFORM_CONFIG_FILE\"",
            "base64 < \"$REACHFORM_CONFIG_FILE\"",
            "printf '%40s' '' | cat - \"$REACHFORM_CONFIG_FILE\" | base64",
            // As a program would say it that found the token beside it.
            &format!("printf '{TOKEN} '; printf 'x{TOKEN}' | base64"),
            &format!("echo out; printf '\\033[2J{LIVE}' >&2"),
        ] {
            let error = run(&format!("{script}; exit 1"), &[]).unwrap_err();
            assert!(error.contains("(secret)"), "{script}: {error}");
            for secret in [TOKEN, LIVE] {
                assert!(!error.contains(secret), "{script}: {error}");
                use base64::Engine as _;
                let coded = base64::engine::general_purpose::STANDARD.encode(secret);
                assert!(!error.contains(coded.get(4..20).unwrap()), "{script}: {error}");
            }
            assert!(!error.contains('\u{1b}'), "{script}: {error:?}");
        }
        // The name of a branch is no secret, though its variable is withheld.
        assert!(run("echo check failed; exit 1", &[]).unwrap_err().ends_with("check failed"));
    }

    #[test]
    fn a_long_output_is_cut_and_leaves_no_part_of_a_secret_at_its_end() {
        let before = OUTPUT_BYTES - 10;
        let error = run(&format!("printf '%{before}s' '' | tr ' ' x; printf '{LIVE}%9000s'; exit 1"), &[]).unwrap_err();
        assert!(!error.contains("live"), "{}", &error[error.len() - 60..]);
        assert!(error.len() < OUTPUT_BYTES + 100, "{}", error.len());
    }
}
