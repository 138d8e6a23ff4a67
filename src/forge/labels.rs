//! The label by which a list of pull requests shows what each plan would do: one for each place, never two. A place is an
//! environment of a project ([`check::place`](super::check::place)), so that two projects do not take off each other's.

use sha2::{Digest as _, Sha256};

use crate::model::digest::hex;

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
    pub fn label(self, place: &str) -> String {
        let what = match self {
            Self::Nothing => "no changes",
            Self::Change => "changes",
            Self::Delete => "deletes",
        };
        format!("agents {}: {what}", fitting(place))
    }
}

/// Most letters of a label: more is refused by GitHub.
const LONGEST: usize = 50;

/// A place as far as a label has room for it, the same before all three words: its end, which tells most, and some
/// digits of the whole, so that two long ones stay two.
fn fitting(place: &str) -> String {
    // GitLab takes a comma for the end of a label.
    let place = place.replace(',', "");
    let room = LONGEST - "agents : no changes".len();
    let letters = place.chars().count();
    if letters <= room {
        return place;
    }
    let digits: String = hex(&Sha256::digest(place.as_bytes())).chars().take(6).collect();
    let kept: String = place.chars().skip(letters - (room - digits.len() - 2)).collect();
    format!("{digits} …{kept}")
}

/// Leaves exactly this label of the place's three on a pull request, and every other label as it is. Where it is
/// there already, nothing is written.
pub async fn keep(forge: &dyn Forge, number: u64, place: &str, would: Would) -> Result<(), Warning> {
    let there = forge.labels(number).await?;
    let wanted = would.label(place);
    let stale: Vec<String> = Would::ALL
        .into_iter()
        .filter(|other| *other != would)
        .map(|other| other.label(place))
        .filter(|label| there.contains(label))
        .collect();
    let missing = (!there.contains(&wanted)).then_some(wanted.as_str());
    if missing.is_none() && stale.is_empty() {
        return Ok(());
    }
    forge.relabel(number, missing, &stale).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_names_its_place_and_is_never_too_long() {
        assert_eq!(Would::Nothing.label("prod in clinics/east"), "agents prod in clinics/east: no changes");
        let long = |end: &str| Would::Nothing.label(&format!("prod in {}/{end}", "clinics/".repeat(9)));
        assert_eq!(long("east").chars().count(), LONGEST);
        assert!(long("east").ends_with("/east: no changes"));
        let (one, other) = (format!("{}east", "a".repeat(60)), format!("b{}east", "a".repeat(59)));
        assert_ne!(fitting(&one), fitting(&other));
    }
}
