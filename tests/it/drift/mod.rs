//! `drift`: live against applied, in worlds of the embedded service. What a person reads is held by files under
//! `fixtures/drift`, re-blessed with `REACHFORM_BLESS=1`.

mod adopted;
mod interrupted;
mod judged;
mod left_alone;
mod limits;
mod random;
mod shown;

use reachform::plan::drift::{Drift, DriftState};
use reachform::sandbox::Behaviour;
use reachform::session::{NoPast, SessionError, check_drift, read};

use crate::scene::manifest;
use crate::world::World;

impl World {
    pub async fn try_drift(&self) -> Result<Drift, SessionError> {
        let (workspace, outside) = (self.workspace(), self.outside());
        let reader = outside.reader();
        let mut service = read(&outside, &reader, None).await?;
        check_drift(&workspace, &self.options, &outside, &reader, &mut service, &NoPast).await
    }

    pub async fn drift(&self) -> Drift {
        self.try_drift().await.unwrap_or_else(|error| panic!("{error}: {:?}", std::error::Error::source(&error)))
    }

    /// Checks, and insists that nothing was changed.
    pub async fn assert_clean(&self, what: &str) -> Drift {
        let drift = self.drift().await;
        assert_eq!(drift.state(), DriftState::Clean, "{what}: {:#?} {:#?}", drift.agents, drift.unchecked);
        drift
    }
}

/// Agents `a`, `b` and so on, applied, the first with a number in each direction.
async fn applied(agents: &[&str]) -> World {
    applied_at(agents, Behaviour::default()).await
}

async fn applied_at(agents: &[&str], behaviour: Behaviour) -> World {
    let mut world = World::new(behaviour);
    world.options.limits.change_percent = 100;
    for (index, key) in agents.iter().enumerate() {
        let numbers = if index == 0 {
            "phone_numbers: {inbound: [\"+15550100001\"], outbound: [\"+15550100001\"]}\ndescription: Answers.\nmetadata: {team: x}"
        } else {
            ""
        };
        world.write(key, manifest(key, numbers));
    }
    world.apply().await;
    world
}

fn edit(world: &World, name: &str, place: &str, value: serde_json::Value) {
    let id = world.id(name);
    world.sandbox.with(|service| service.dashboard_edit(&id, place, value).unwrap());
}

fn paths(drift: &Drift) -> Vec<String> {
    let fields = drift.agents.iter().flat_map(|agent| &agent.fields);
    fields.map(|field| field.path.to_string()).collect()
}
