//! Which configs must be read. The lists usually settle it, and then none is (design, section 4).

use std::collections::BTreeSet;

use crate::model::{Desired, FieldPath, LiveAgent, Seal, Stamp};

use super::back;
use super::identity::{Identities, identify};
use super::options::Inputs;
use super::readback::PROMPT_LENGTH;
use super::scope::Scope;

/// Whether the lists prove that the config is as it was applied and as it is declared: nothing need be read.
pub fn is_settled(desired: &Desired, agent: &LiveAgent, stamp: &Stamp, scope: &Scope<'_>) -> bool {
    let Some(applied) = &stamp.state.applied else { return false };
    let live = agent.live_version().map(|head| head.version);
    if stamp.state.intent.is_some() || live.is_none() || live != applied.version {
        return false;
    }
    let leaves: Vec<(FieldPath, serde_json::Value)> =
        desired.declared.leaves().into_iter().filter(|(path, _)| path.in_config()).collect();
    let declared: BTreeSet<&FieldPath> = leaves.iter().map(|(path, _)| path).collect();
    let seal = Seal::of(stamp);
    seal.expect(&desired.declared);
    // An ignored value is written where nothing is live. Whether that is so, only the config tells, and what Git said at the
    // last apply was written then.
    if applied.source != desired.source.as_str() && leaves.iter().any(|(path, _)| scope.is_ignored(path)) {
        return false;
    }
    let all_as_sent = leaves.iter().filter(|(path, _)| !scope.is_ignored(path)).all(|(path, _)| {
        let Ok(Some(value)) = desired.declared.reveal(path) else { return false };
        applied.fields.get(path).is_some_and(|hash| hash.sent == seal.hash(&value))
    });
    let nothing_dropped = applied
        .fields
        .keys()
        .filter(|path| path.in_config())
        .all(|path| declared.contains(path) || scope.is_ignored(path) || scope.is_released(path));
    all_as_sent && nothing_dropped && rewritten(&leaves, stamp, desired).next().is_none()
}

/// Declared values in whose place the service keeps others, as far as the stamp alone says it: whether they say otherwise,
/// the config tells. Prompts are left out, of which only blanks may differ, and so are secrets.
pub fn rewritten<'l>(
    leaves: &'l [(FieldPath, serde_json::Value)],
    stamp: &'l Stamp,
    desired: &'l Desired,
) -> impl Iterator<Item = &'l FieldPath> {
    let fields = stamp.state.applied.as_ref().map(|applied| &applied.fields);
    let is_prompt = |value: &serde_json::Value| value.as_str().is_some_and(|text| text.chars().count() > PROMPT_LENGTH);
    let secrets = desired.declared.secrets();
    leaves
        .iter()
        .filter(move |(path, value)| {
            let sounds_secret = value.is_string() && path.last().is_some_and(crate::model::look::sounds_secret);
            !is_prompt(value) && !secrets.contains_key(path) && !sounds_secret
        })
        .filter(move |(path, _)| fields.and_then(|fields| fields.get(path)).is_some_and(|hash| hash.read.is_some()))
        .map(|(path, _)| path)
}

/// The configs to read, as agent ids and versions: the live one of every agent that is not settled, and the applied
/// one beside it where another has been published since, so that edits can be told apart.
pub fn configs_needed(inputs: &Inputs<'_>) -> Vec<(String, u64)> {
    let Identities { bindings, .. } = identify(inputs);
    let mut wanted = BTreeSet::new();
    for desired in inputs.desired.iter().filter(|desired| inputs.options.is_wanted(&desired.key)) {
        let Some(binding) = bindings.get(&desired.key) else { continue };
        let Some(agent) = binding.agent() else { continue };
        if let Some(asked) = inputs.options.rollback.get(&desired.key) {
            let versions = binding.stamp().map(|stamp| back::configs_needed(agent, stamp, asked)).unwrap_or_default();
            wanted.extend(versions.into_iter().map(|version| (agent.id.clone(), version)));
            continue;
        }
        let Some(live) = agent.live_version() else { continue };
        let scope = Scope::of(desired, inputs.options.today);
        if desired.declared.config().is_none() {
            continue;
        }
        let stamp = binding.stamp();
        if let Some(stamp) = stamp
            && !inputs.options.refresh
            && is_settled(desired, agent, stamp, &scope)
        {
            continue;
        }
        wanted.insert((agent.id.clone(), live.version));
        let applied = stamp.and_then(|stamp| stamp.state.applied.as_ref()).and_then(|applied| applied.version);
        if let Some(version) = applied
            && agent.version(version).is_some()
        {
            wanted.insert((agent.id.clone(), version));
        }
    }
    wanted.into_iter().collect()
}
