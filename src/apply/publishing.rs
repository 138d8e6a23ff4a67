//! Publishing a version with its numbers, and what is looked at just before and just after it.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt as _;

use crate::api::{Assignment, Reader, VersionSource};
use crate::live::tell;
use crate::model::value::same;
use crate::model::{LiveAgent, LiveNumber, PhoneNumber, VersionHead};
use crate::plan::{Outcome, SlotHolder, SlotTarget};

use super::calls::{Assign, ONLY_ONCE, SAME_NUMBERS, publish_calls, with_carried};
use super::context::EVENTUAL;
use super::ended::Ended;
use super::recover;
use super::worker::Worker;

/// How many numbers of an agent are asked for one by one. More are read as the list.
const NUMBERS_AT_ONCE: usize = 8;

impl Worker<'_> {
    /// One call for each direction that differs, `both` where they agree, the direction always named.
    pub(super) async fn publish(&mut self) -> Result<(), Ended> {
        let version = match self.draft {
            Some(draft) => draft,
            None => self
                .change
                .base_version
                .ok_or_else(|| Ended::new(Outcome::Failed, "internal error: nothing to publish; this is a bug"))?,
        };
        if self.draft.is_none() {
            // Nothing was read back here, so this is the only look at the agent before its numbers move.
            let agent = self.agent_since_intent(self.id()?).await?;
            self.take_reading(&agent);
            self.fence(&agent)?;
        }
        self.look_at_slots().await?;
        if let (Some(draft), true) = (self.draft, self.work().verify.is_some()) {
            // `verify` may have taken minutes, and a draft can be edited by anybody.
            let now = recover::version(self.ctx, self.id()?, draft).await?;
            if !self.read_config.as_ref().is_some_and(|read| same(read, &now)) {
                return Err(Ended::new(Outcome::Stale, format!("draft {draft} was edited while `verify` was running"))
                    .hint("publish or discard it in the dashboard, and run again"));
            }
        }
        match self.publish_version(version, &self.work().assign).await {
            Err(PublishEnd::Republish) => {
                let all = with_carried(&self.work().assign, &self.work().carry);
                if publish_calls(&all).len() > 1 {
                    return Err(Ended::new(Outcome::Failed, ONLY_ONCE).hint(SAME_NUMBERS));
                }
                // A service that publishes only once: a copy of the live version takes the numbers.
                self.create_version(VersionSource::Base(version)).await?;
                let copy = self.draft_number()?;
                self.read_copy(copy).await?;
                self.publish_version(copy, &all).await.map_err(PublishEnd::into_ended)?;
            }
            ended => ended.map_err(PublishEnd::into_ended)?,
        }
        self.look_at_published(self.draft.unwrap_or(version)).await
    }

    /// A slot that holds neither what the plan found there nor a version of this agent was filled or emptied by somebody
    /// else since. It is left alone, and nothing is published.
    async fn look_at_slots(&self) -> Result<(), Ended> {
        let filled: Vec<_> = self.change.numbers.iter().filter(|slot| slot.to != SlotTarget::Empty).collect();
        let found =
            numbers_now(self.ctx.writer.reader(), filled.iter().map(|slot| slot.number.clone()).collect()).await?;
        for slot in filled {
            let Some(now) = found.get(&slot.number) else { continue };
            let holder = now.slot(slot.direction);
            if !self.is_as_found(&slot.from, holder).await? {
                let what = if holder.is_some() { "moved" } else { "emptied" };
                return Err(Ended::new(
                    Outcome::Stale,
                    format!("{} {} was {what} by somebody else since the plan", slot.number, slot.direction),
                )
                .hint("plan again, and look at what changed"));
            }
        }
        Ok(())
    }

    /// Whether a slot still is with whom the plan found it, whatever version of that agent it points at, or with this
    /// agent already.
    async fn is_as_found(&self, found: &SlotHolder, now: Option<&str>) -> Result<bool, Ended> {
        let Some(now) = now else { return Ok(*found == SlotHolder::Empty) };
        if let SlotHolder::Unknown { version_id } = found
            && version_id == now
        {
            return Ok(true);
        }
        let their_id = match found {
            SlotHolder::Agent { agent_id, .. } => Some(agent_id.as_str()),
            SlotHolder::Empty | SlotHolder::Unknown { .. } => None,
        };
        if let Some((owner, _)) = self.live.owner_of(now) {
            return Ok(Some(owner.id.as_str()) == their_id || Some(&owner.id) == self.agent_id.as_ref());
        }
        // A version that was made since the lists were read.
        for id in their_id.into_iter().chain(self.agent_id.as_deref()) {
            let agent = recover::agent(self.ctx, id).await;
            if agent.is_ok_and(|agent| agent.versions.iter().any(|head| head.id == now)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Numbers that were to come here and did not, as far as they can be seen now. After a publish that failed anything may
    /// have happened, so the agent and its numbers are looked at once more, after a signal as well.
    pub(super) async fn left_behind(&mut self) -> Vec<String> {
        let work = self.work();
        let assigned = || work.assign.iter().flat_map(|(to, numbers)| numbers.iter().map(move |number| (number, *to)));
        if !self.asked_to_publish {
            return assigned().map(|(number, direction)| format!("{number} {direction}")).collect();
        }
        let writer = self.ctx.writer.finishing();
        let id = self.agent_id.clone().unwrap_or_default();
        let agent = tell(writer.reader(), &id).await.ok().flatten().map(|record| record.agent);
        self.seen_live = agent.as_ref().and_then(LiveAgent::live_version).map(|head| head.version);
        let version = self.draft.or(self.change.base_version);
        let head = version.and_then(|version| agent.as_ref()?.version(version));
        if let Some(head) = head.filter(|head| head.published) {
            self.published = self.draft.filter(|draft| *draft == head.version);
        }
        let numbers = numbers_now(writer.reader(), assigned().map(|(number, _)| number.clone()).collect()).await;
        let numbers = numbers.unwrap_or_default();
        let mut left = Vec::new();
        for (number, direction) in assigned() {
            match (head, numbers.get(number)) {
                (Some(head), Some(now)) if now.slot(direction) == Some(head.id.as_str()) => {}
                (Some(_), Some(_)) => left.push(format!("{number} {direction}")),
                (None, _) | (_, None) => left.push(format!("{number} {direction} (not confirmed)")),
            }
        }
        left
    }

    /// That the service answered is not yet that the version is live, and somebody may have published another in the same
    /// moment: the agent is read once more before its stamp says anything.
    async fn look_at_published(&mut self, version: u64) -> Result<(), Ended> {
        let id = self.id()?.to_owned();
        let deadline = self.ctx.clock.now() + EVENTUAL;
        loop {
            let agent = self.agent_since_intent(&id).await?;
            let live = agent.live_version().map(|head| head.version);
            if live >= Some(version) {
                self.take_reading(&agent);
                return published_above(&agent, version).map_or(Ok(()), Err);
            }
            if self.ctx.clock.now() >= deadline {
                self.take_reading(&agent);
                self.published = None;
                return Err(Ended::new(
                    Outcome::Failed,
                    format!("the service answered that version {version} was published, and it is not published"),
                )
                .hint("run the same command again: it finishes what was begun"));
            }
            self.ctx.clock.sleep(recover::PAUSE).await;
        }
    }

    async fn read_copy(&mut self, version: u64) -> Result<(), Ended> {
        let id = self.id()?.to_owned();
        let (config, agent) = tokio::join!(recover::version(self.ctx, &id, version), self.agent_since_intent(&id));
        let agent = agent?;
        self.take_reading(&agent);
        self.fence(&agent)?;
        self.read_config = Some(config?);
        Ok(())
    }

    async fn publish_version(&mut self, version: u64, assign: &Assign) -> Result<(), PublishEnd> {
        let id = self.id().map_err(PublishEnd::Ended)?.to_owned();
        for (call, (directions, numbers)) in publish_calls(assign).into_iter().enumerate() {
            let assignment = Assignment { directions, assign: &numbers, unassign: &[] };
            self.asked_to_publish = true;
            match self.ctx.writer.publish(&id, version, Some(assignment)).await {
                Ok(_) => self.published = self.draft.or(self.published),
                Err(error) if self.draft.is_none() && matches!(error.status(), Some(400 | 409)) => {
                    return Err(PublishEnd::Republish);
                }
                Err(error) => {
                    let mut ended = Ended::request(&error);
                    // The version is published before its numbers are written, so it may be live by now (contract 7.2).
                    ended.causes.insert(0, format!("version {version} was published, or not, without all its numbers"));
                    if call > 0 && matches!(error.status(), Some(400 | 409)) {
                        ended.causes.insert(0, ONLY_ONCE.to_owned());
                        ended.hints.push(SAME_NUMBERS.to_owned());
                    }
                    return Err(PublishEnd::Ended(ended));
                }
            }
        }
        Ok(())
    }
}

/// The numbers as they are now. A credential that may not read them has nothing to compare.
async fn numbers_now(
    reader: &Reader,
    numbers: BTreeSet<PhoneNumber>,
) -> Result<BTreeMap<PhoneNumber, LiveNumber>, Ended> {
    let mut found = BTreeMap::new();
    if numbers.len() > NUMBERS_AT_ONCE {
        let listing = reader.list_numbers().await;
        let numbers = listing.items.into_iter().map(|record| record.number);
        found.extend(numbers.map(|number| (number.number.clone(), number)));
        return Ok(found);
    }
    let answers: Vec<_> = futures_util::stream::iter(numbers)
        .map(|number| async move { reader.number(&number).await })
        .buffered(NUMBERS_AT_ONCE)
        .collect()
        .await;
    for answer in answers {
        match answer {
            Ok(Some(record)) => {
                found.insert(record.number.number.clone(), record.number);
            }
            Ok(None) => {}
            Err(error) if error.status() == Some(403) => {}
            Err(error) => return Err(Ended::request(&error)),
        }
    }
    Ok(found)
}

enum PublishEnd {
    /// The service does not publish a published version again.
    Republish,
    Ended(Ended),
}

impl PublishEnd {
    fn into_ended(self) -> Ended {
        match self {
            Self::Republish => {
                Ended::new(Outcome::Failed, "the service refuses to publish this version, and a copy of it as well")
            }
            Self::Ended(ended) => ended,
        }
    }
}

/// What ends an agent above whose version somebody else published another.
pub(super) fn published_above(agent: &LiveAgent, version: u64) -> Option<Ended> {
    let head = agent.live_version().filter(|head| head.version > version)?;
    let by = publisher(head);
    Some(
        Ended::new(
            Outcome::Stale,
            format!("version {} was published by {by} above version {version} of this run", head.version),
        )
        .hint("plan again, and look at what changed"),
    )
}

/// Who published a version, as far as the service says.
pub(super) fn publisher(head: &VersionHead) -> &str {
    head.modified_by.as_deref().or(head.created_by.as_deref()).unwrap_or("an unnamed author")
}
