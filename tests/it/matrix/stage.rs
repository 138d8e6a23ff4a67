//! The apply that everything is done to: one agent created, one adopted, one updated, numbers moved between all three.

use std::collections::BTreeMap;

use reachform::sandbox::{Behaviour, Direction, Phase, Slots};
use serde_json::{Value, json};

use crate::scene::{CONFIG, manifest};
use crate::world::{World, run};

/// Rings at the updated agent before, at the created one after.
pub const TO_CREATED: &str = "+15550100001";
/// Rings at the updated agent before, at the adopted one after.
pub const TO_ADOPTED: &str = "+15550100002";
/// Rings nowhere before, at the updated agent after.
pub const FILLED: &str = "+15550100003";
/// Rings at the adopted agent before, at the updated one after.
pub const TO_UPDATED: &str = "+15550100004";

/// Switches that change what becomes of something written, or how it is answered; the others change lists alone.
const WRITING: [&str; 24] = [
    "metadata",
    "publish",
    "publish-body",
    "publish-unknown-number",
    "publish-blocked",
    "publish-both",
    "publish-atomic",
    "republish",
    "takeover",
    "defaults",
    "unknown-keys",
    "secrets",
    "put-config",
    "base-copies",
    "drafts",
    "latest",
    "create-id",
    "authors",
    "voice-rewrite",
    "strip-text",
    "name-unique",
    "put-marks-edited",
    "error-input",
    "eventual",
];

/// The worlds in which writing is not what it is in the likely one, and the likely one first.
pub fn worlds() -> Vec<(String, Behaviour)> {
    let writes = |name: &str| {
        name == "likely"
            || name.split(' ').any(|spec| WRITING.contains(&spec.split_once('=').map_or(spec, |(key, _)| key)))
    };
    Behaviour::worlds().into_iter().filter(|(name, _)| writes(name)).collect()
}

/// A world just before the apply, and what an undisturbed apply makes of it.
pub struct Stage {
    pub name: String,
    pub before: World,
    pub slots: BTreeMap<String, Slots>,
    /// How many requests an undisturbed apply makes.
    pub requests: usize,
    /// Versions of each agent after an undisturbed apply.
    pub versions: BTreeMap<String, usize>,
    /// What stands in the metadata beside our stamp, by agent.
    foreign: BTreeMap<String, Value>,
    /// A draft of somebody else on the updated agent.
    draft: Option<(u64, Value)>,
    /// Who holds each number in the end.
    holders: [(&'static str, &'static str); 4],
}

impl Stage {
    pub fn new(name: &str, behaviour: Behaviour) -> Self {
        // A service that refuses takeovers moves no number, disturbed or not: there each agent keeps what it has.
        let moves = !name.contains("takeover=conflict");
        let drafts = !name.contains("drafts=one");
        let mut world = World::new(behaviour);
        world.options.limits.change_percent = 100;
        let numbers = |key: &str, inbound: &[&str]| manifest(key, &format!("phone_numbers: {{inbound: {inbound:?}}}"));
        world.write("updated", numbers("updated", &[TO_CREATED, TO_ADOPTED]));
        run(async { world.converge(&format!("{name}: before the stage")).await });

        // Someone made an agent in the dashboard, with a number, notes of their own and no stamp.
        let body = json!({"name": "Agent adopted", "metadata": {"crm": {"id": 7}}});
        let adopted = run(async {
            let writer = world.outside().writer();
            writer.create_agent(body.as_object().unwrap()).await.unwrap().agent.id
        });
        let mut config: Value = serde_yaml::from_str(CONFIG).unwrap();
        config["agent"]["max_tool_steps"] = json!(9);
        let updated = world.id("Agent updated");
        let draft = world.sandbox.with(|service| {
            service.dashboard_release(&adopted, config).unwrap();
            service.dashboard_assign(TO_UPDATED, Direction::Inbound, Some(&adopted)).unwrap();
            drafts.then(|| service.dashboard_draft(&updated).unwrap())
        });
        let draft = draft.map(|number| {
            let theirs = json!("A text that somebody is still writing.");
            world.sandbox.with(|service| {
                service.dashboard_edit_version(&updated, number, "/agent/instructions", theirs).unwrap();
            });
            (number, draft_config(&world, number))
        });
        world.annotate("Agent updated", "theirs", json!({"keep": [1, 2]}));

        let holders = if moves {
            [
                (TO_CREATED, "Agent created"),
                (TO_ADOPTED, "Agent adopted"),
                (FILLED, "Agent updated"),
                (TO_UPDATED, "Agent updated"),
            ]
        } else {
            [
                (TO_CREATED, "Agent updated"),
                (TO_ADOPTED, "Agent updated"),
                (FILLED, "Agent created"),
                (TO_UPDATED, "Agent adopted"),
            ]
        };
        let of = |agent: &str| -> Vec<&str> {
            holders.iter().filter(|(_, holder)| *holder == agent).map(|(number, _)| *number).collect()
        };
        world.write("created", numbers("created", &of("Agent created")));
        world.write("adopted", format!("id: {adopted}\n{}", numbers("adopted", &of("Agent adopted"))));
        world.write("updated", numbers("updated", &of("Agent updated")).replace("steps: 3", "steps: 4"));
        world.sandbox.clear_log();

        let mut undisturbed = world.fork();
        run(async { undisturbed.converge(&format!("{name}: undisturbed")).await });
        let mut counted = world.fork();
        run(async { counted.apply().await });
        let slots = world.sandbox.with(|service| service.slots());
        let mut stage = Self {
            name: name.to_owned(),
            slots,
            requests: counted.sandbox.log().len(),
            versions: versions(&undisturbed),
            foreign: BTreeMap::new(),
            draft,
            holders,
            before: world,
        };
        stage.foreign = foreign(&stage.before);
        stage.check(&undisturbed, "undisturbed");
        stage
    }

    /// The world to disturb, and a record of each slot that was ever empty in between.
    pub fn raise(&self) -> (World, std::sync::Arc<std::sync::Mutex<Vec<String>>>) {
        let world = self.before.fork();
        let gaps = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let (slots, told) = (self.slots.clone(), gaps.clone());
        world.sandbox.on_request(move |phase, number, request, service| {
            if phase == Phase::After {
                let emptied = service.emptied_since(&slots);
                if !emptied.is_empty() {
                    told.lock().unwrap().push(format!("{emptied:?} after request {number}, {}", request.name()));
                }
            }
        });
        (world, gaps)
    }

    /// What must be true in the end, whatever happened before.
    pub fn check(&self, world: &World, what: &str) {
        let what = format!("{}: {what}", self.name);
        assert_eq!(world.agents(), 3, "{what}: one agent a key");
        for (number, agent) in self.holders {
            assert_eq!(world.holder(number, "inbound").as_deref(), Some(agent), "{what}: {number}");
        }
        assert_eq!(world.live_config("Agent updated")["agent"]["max_tool_steps"], json!(4), "{what}");
        assert_eq!(world.live_config("Agent adopted")["agent"]["max_tool_steps"], json!(3), "{what}");
        assert_eq!(foreign(world), self.foreign_after(), "{what}: what others keep in the metadata");
        if let Some((number, config)) = &self.draft {
            assert_eq!(draft_config(world, *number), *config, "{what}: the draft of somebody else");
        }
        let violations = world.sandbox.with(|service| service.violations());
        assert!(violations.is_empty(), "{what}: {violations:?}");
    }

    /// No version more than an undisturbed run makes.
    pub fn check_versions(&self, world: &World, what: &str) {
        // Where a version is published only once, a number that moves in a second run takes a copy of it along.
        if self.name.contains("republish=refuse") {
            return;
        }
        for (agent, made) in versions(world) {
            let most = self.versions[&agent];
            assert!(made <= most, "{}: {what}: {agent} has {made} versions, undisturbed {most}", self.name);
        }
    }

    fn foreign_after(&self) -> BTreeMap<String, Value> {
        let mut all = self.foreign.clone();
        all.insert("Agent created".to_owned(), json!({}));
        all
    }
}

fn versions(world: &World) -> BTreeMap<String, usize> {
    let agents = world.sandbox.with(|service| service.agents());
    agents.into_iter().map(|agent| (agent.name, agent.versions.len())).collect()
}

fn foreign(world: &World) -> BTreeMap<String, Value> {
    let agents = world.sandbox.with(|service| service.agents());
    let without_stamp = |mut metadata: Value| {
        if let Value::Object(map) = &mut metadata {
            map.shift_remove("reachform");
        }
        metadata
    };
    agents.into_iter().map(|agent| (agent.name, without_stamp(agent.metadata))).collect()
}

fn draft_config(world: &World, number: u64) -> Value {
    let agent = world.sandbox.with(|service| service.agent_named("Agent updated").unwrap());
    let draft = agent.versions.iter().find(|version| version.number == number && !version.published);
    draft.map_or(Value::Null, |draft| draft.config.clone())
}
