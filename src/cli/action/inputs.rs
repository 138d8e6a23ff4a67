//! The inputs of `action.yml`, checked. A runner checks none: a mistyped value would otherwise mean something else.

use crate::cli::args::{CommentMode, IssueMode};
use crate::cli::report::CommandError;
use crate::model::Digest;

/// What `action.yml` maps inputs to.
const PREFIX: &str = "REACHFORM_INPUT_";

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Check the manifests.
    Validate,
    /// Plan.
    Plan,
    /// Apply.
    Apply,
    /// Check for drift.
    Drift,
}

impl Command {
    /// The word on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Validate => "validate",
            Self::Plan => "plan",
            Self::Apply => "apply",
            Self::Drift => "drift",
        }
    }
}

/// What an apply holds itself to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approve {
    /// The plan of that hash.
    PlanHash,
    /// The saved plan.
    Artifact,
    /// Whatever it finds to do.
    Nothing,
}

/// What fails the step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailOn {
    /// Errors alone.
    Error,
    /// Changes of any kind as well.
    Changes,
    /// What was changed on the service as well.
    Drift,
    /// Nothing.
    Never,
}

/// What is done for a stranger without a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForkPolicy {
    /// The offline difference is shown.
    Diff,
    /// The same, and it fails where there is any.
    FailIfChanged,
    /// Nothing.
    Skip,
}

/// The inputs.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// `command`
    pub command: Command,
    /// `config`
    pub config: String,
    /// `environment`
    pub environment: Option<String>,
    /// `token-anyreach`
    pub token_anyreach: Option<String>,
    /// `pr-number`
    pub pr_number: Option<u64>,
    /// `comment`
    pub comment: CommentMode,
    /// `comment-key`
    pub comment_key: Option<String>,
    /// `comment-max-bytes`
    pub comment_max_bytes: Option<usize>,
    /// `summary`
    pub summary: bool,
    /// `annotations`
    pub annotations: bool,
    /// `check`
    pub check: bool,
    /// `labels`
    pub labels: bool,
    /// `detail`
    pub detail: &'static str,
    /// `approve`
    pub approve: Approve,
    /// `approved-plan`
    pub approved_plan: Option<Digest>,
    /// `plan-file`
    pub plan_file: Option<String>,
    /// `fail-on`
    pub fail_on: FailOn,
    /// `allow-delete`
    pub allow_delete: Option<u32>,
    /// `target`
    pub target: Vec<String>,
    /// `parallelism`
    pub parallelism: Option<u64>,
    /// `fork-policy`
    pub fork_policy: ForkPolicy,
    /// `drift-issue`
    pub drift_issue: IssueMode,
    /// `drift-labels`
    pub drift_labels: Vec<String>,
    /// `sarif-file`
    pub sarif_file: Option<String>,
    /// `args`
    pub args: Vec<String>,
}

impl Inputs {
    /// Reads them. Every mistake is told, not only the first.
    pub fn read<'v>(variable: &dyn Fn(&str) -> Option<&'v str>) -> Result<Self, CommandError> {
        let mut reader = Reader { variable, faults: Vec::new() };
        let inputs = reader.inputs();
        match (inputs, reader.faults) {
            (Some(inputs), faults) if faults.is_empty() => Ok(inputs),
            (_, faults) => Err(faults
                .into_iter()
                .fold(CommandError::usage("the inputs of the action cannot be used"), CommandError::cause)),
        }
    }
}

struct Reader<'r, 'v> {
    variable: &'r dyn Fn(&str) -> Option<&'v str>,
    faults: Vec<String>,
}

impl Reader<'_, '_> {
    fn inputs(&mut self) -> Option<Inputs> {
        let commands = [
            ("validate", Command::Validate),
            ("plan", Command::Plan),
            ("apply", Command::Apply),
            ("drift", Command::Drift),
        ];
        let command = self.choice("command", &commands, None);
        let comments = [
            ("update", CommentMode::Update),
            ("changes", CommentMode::Changes),
            ("new", CommentMode::New),
            ("off", CommentMode::Off),
        ];
        let approvals = [("plan-hash", Approve::PlanHash), ("artifact", Approve::Artifact), ("none", Approve::Nothing)];
        let failures = [
            ("error", FailOn::Error),
            ("changes", FailOn::Changes),
            ("drift", FailOn::Drift),
            ("never", FailOn::Never),
        ];
        let policies =
            [("diff", ForkPolicy::Diff), ("fail-if-changed", ForkPolicy::FailIfChanged), ("skip", ForkPolicy::Skip)];
        let issues = [("open", IssueMode::Open), ("update", IssueMode::Update), ("off", IssueMode::Off)];
        let details = [("summary", "summary"), ("words", "words"), ("full", "full")];
        let comment = self.choice("comment", &comments, Some(CommentMode::Update));
        let comment_max_bytes = self.number("comment-max-bytes", 4_000, 1_000_000);
        let summary = self.boolean("summary", true);
        let annotations = self.boolean("annotations", true);
        let check = self.boolean("check", true);
        let labels = self.boolean("labels", false);
        let detail = self.choice("detail", &details, Some("words"));
        let approve = self.choice("approve", &approvals, Some(Approve::PlanHash));
        let approved_plan = self.digest("approved-plan");
        let fail_on = self.choice("fail-on", &failures, Some(FailOn::Error));
        let allow_delete = self.number("allow-delete", 0, u64::from(u32::MAX));
        let parallelism = self.number("parallelism", 1, 64);
        let fork_policy = self.choice("fork-policy", &policies, Some(ForkPolicy::Diff));
        let drift_issue = self.choice("drift-issue", &issues, Some(IssueMode::Open));
        let pr_number = self.number("pr-number", 1, u64::MAX);
        let plan_file = self.text("plan-file");
        let (command, approve) = (command?, approve?);
        if command == Command::Apply && approve == Approve::Artifact && plan_file.is_none() {
            self.faults.push("`approve: artifact` needs `plan-file`, the plan that was reviewed".to_owned());
        }
        if approved_plan.is_some() && approve != Approve::PlanHash {
            self.faults
                .push("`approved-plan` says which plan to apply, which only `approve: plan-hash` asks".to_owned());
        }
        if command == Command::Plan && approve == Approve::PlanHash && check == Some(false) {
            self.faults.push(
                "`check: false` leaves `approve: plan-hash` without the check run that holds the hash; if no merge is \
                 applied by it, say `approve: none`"
                    .to_owned(),
            );
        }
        Some(Inputs {
            command,
            config: self.text("config").unwrap_or_else(|| ".".to_owned()),
            environment: self.text("environment"),
            token_anyreach: self.text("token-anyreach"),
            pr_number,
            comment: comment?,
            comment_key: self.text("comment-key"),
            comment_max_bytes: comment_max_bytes.and_then(|bytes| usize::try_from(bytes).ok()),
            summary: summary?,
            annotations: annotations?,
            check: check?,
            labels: labels?,
            detail: detail?,
            approve,
            approved_plan,
            plan_file,
            fail_on: fail_on?,
            allow_delete: allow_delete.and_then(|count| u32::try_from(count).ok()),
            target: self.lines("target"),
            parallelism,
            fork_policy: fork_policy?,
            drift_issue: drift_issue?,
            drift_labels: self.lines("drift-labels"),
            sarif_file: self.text("sarif-file"),
            args: self.lines("args"),
        })
    }

    fn text(&self, name: &str) -> Option<String> {
        let variable = format!("{PREFIX}{}", name.to_ascii_uppercase().replace('-', "_"));
        (self.variable)(&variable).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    fn lines(&self, name: &str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }

    fn choice<T: Copy>(&mut self, name: &str, choices: &[(&str, T)], usual: Option<T>) -> Option<T> {
        let text = self.text(name);
        let found = match &text {
            None => usual,
            Some(text) => choices.iter().find(|(word, _)| word == text).map(|(_, value)| *value),
        };
        if found.is_none() {
            let words: Vec<String> = choices.iter().map(|(word, _)| format!("`{word}`")).collect();
            let is = text.map_or_else(|| "is missing".to_owned(), |text| format!("is `{text}`"));
            self.faults.push(format!("the input `{name}` {is}, and may be {}", words.join(", ")));
        }
        found
    }

    /// YAML's older `yes` and `on` reach an action as text: taking them for false, or for true, would be a guess.
    fn boolean(&mut self, name: &str, usual: bool) -> Option<bool> {
        self.choice(name, &[("true", true), ("false", false)], Some(usual))
    }

    fn number(&mut self, name: &str, least: u64, most: u64) -> Option<u64> {
        let text = self.text(name)?;
        let found = text.parse().ok().filter(|number| (least..=most).contains(number));
        if found.is_none() {
            let range = if most == u64::MAX { format!("from {least}") } else { format!("from {least} to {most}") };
            self.faults.push(format!("the input `{name}` is `{text}`, and may be a whole number {range}"));
        }
        found
    }

    fn digest(&mut self, name: &str) -> Option<Digest> {
        let text = self.text(name)?;
        let found = Digest::parse(&text);
        if found.is_none() {
            self.faults.push(format!(
                "the input `{name}` is `{text}`, and a plan hash is `sha256:` and 64 hexadecimal digits"
            ));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(given: &[(&'static str, &'static str)]) -> Result<Inputs, CommandError> {
        let variable = |name: &str| {
            let short = name.strip_prefix(PREFIX).unwrap();
            given.iter().find(|(known, _)| *known == short).map(|(_, value)| *value)
        };
        Inputs::read(&variable)
    }

    #[test]
    fn the_command_alone_is_enough() {
        let inputs = read(&[("COMMAND", "plan")]).unwrap();
        assert_eq!((inputs.command, inputs.approve), (Command::Plan, Approve::PlanHash));
        assert_eq!((inputs.config.as_str(), inputs.summary, inputs.fail_on), (".", true, FailOn::Error));
    }

    #[test]
    fn every_mistake_is_told_at_once_and_names_the_choices() {
        let error = read(&[
            ("COMMAND", "destroy"),
            ("SUMMARY", "yes"),
            ("FAIL_ON", "warning"),
            ("ALLOW_DELETE", "-1"),
            ("APPROVED_PLAN", "sha256:12"),
        ])
        .unwrap_err();
        let text = error.text();
        for words in [
            "`command` is `destroy`, and may be `validate`, `plan`, `apply`, `drift`",
            "`summary` is `yes`, and may be `true`, `false`",
            "`fail-on` is `warning`, and may be `error`, `changes`, `drift`, `never`",
            "`allow-delete` is `-1`, and may be a whole number from 0",
            "`approved-plan` is `sha256:12`",
        ] {
            assert!(text.contains(words), "`{words}` is not in {text}");
        }
        assert!(read(&[]).unwrap_err().text().contains("`command` is missing"));
    }

    #[test]
    fn inputs_that_contradict_each_other_are_refused() {
        let refused = |given: &[(&'static str, &'static str)]| read(given).unwrap_err().text();
        assert!(refused(&[("COMMAND", "apply"), ("APPROVE", "artifact")]).contains("needs `plan-file`"));
        assert!(refused(&[("COMMAND", "plan"), ("CHECK", "false")]).contains("check run that holds the hash"));
        read(&[("COMMAND", "plan"), ("CHECK", "false"), ("APPROVE", "none")]).unwrap();
    }

    #[test]
    fn lists_are_lines_and_nothing_is_split_at_blanks() {
        let inputs = read(&[("COMMAND", "drift"), ("DRIFT_LABELS", "agent drift\n\n  prod \n")]).unwrap();
        assert_eq!(inputs.drift_labels, ["agent drift", "prod"]);
    }
}
