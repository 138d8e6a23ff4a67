//! The label by which a list of pull requests shows what each plan would do: one for each environment, never two.

use super::service::Forge;
use super::warning::Warning;

/// What a plan would do, as far as a label tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Would {
    /// Nothing.
    Nothing,
    /// Change something.
    Change,
    /// Delete an agent, whatever else it changes.
    Delete,
}

impl Would {
    const ALL: [Self; 3] = [Self::Nothing, Self::Change, Self::Delete];

    /// The label.
    pub fn label(self, environment: &str) -> String {
        let what = match self {
            Self::Nothing => "no changes",
            Self::Change => "changes",
            Self::Delete => "deletes",
        };
        format!("agents {environment}: {what}")
    }
}

/// Leaves exactly this label of the environment's three on a pull request, and every other label as it is. Where it is
/// there already, nothing is written.
pub async fn keep(forge: &dyn Forge, number: u64, environment: &str, would: Would) -> Result<(), Warning> {
    let there = forge.labels(number).await?;
    let wanted = would.label(environment);
    let stale: Vec<String> = Would::ALL
        .into_iter()
        .filter(|other| *other != would)
        .map(|other| other.label(environment))
        .filter(|label| there.contains(label))
        .collect();
    let missing = (!there.contains(&wanted)).then_some(wanted.as_str());
    if missing.is_none() && stale.is_empty() {
        return Ok(());
    }
    forge.relabel(number, missing, &stale).await
}
