//! Generated states: what was applied, what Git says now, what an apply left half done, and what somebody did in the
//! dashboard.

use proptest::prelude::*;
use reachform::model::stamp::STAMP_KEY;
use reachform::model::{Direction, Intent, Seal, Stamp};
use reachform::plan::stamping::intended_fields;
use serde_json::{Value, json};
use std::fmt::Write as _;

use super::{assert_agreement, claims_as_declared, claims_no_drift, drift_of};
use crate::scene::{CONFIG, Scene};

const NUMBERS: [&str; 3] = ["+15550100001", "+15550100002", "+15550100003"];
const KEYS: [&str; 2] = ["a", "b"];
const SECRET: &str = "a-long-enough-secret";

/// What the manifests of both agents say at one time.
#[derive(Clone, Debug)]
struct Says {
    config: bool,
    steps: Option<u8>,
    prompt: u8,
    cards: Option<u8>,
    images: Option<bool>,
    bucket: Option<u8>,
    realtime: bool,
    voice: u8,
    description: Option<u8>,
    active: Option<bool>,
    team: Option<u8>,
    crm: Option<bool>,
    /// The owner of each number, and whether each agent manages its inbound direction.
    numbers: [u8; 3],
    manages: [bool; 2],
    /// A path that is left alone, and until when.
    ignore: Option<(u8, bool)>,
    release: bool,
}

/// What somebody did outside of Git.
#[derive(Clone, Debug)]
enum Deed {
    Config(u8, u8),
    Gone(u8),
    Field(u8, u8),
    /// A number now points at an agent, at an old version of it, at another agent, or nowhere.
    Slot(u8, u8),
    /// A version is published and the numbers stay where they were.
    Publish,
    /// This credential is shown the applied version otherwise than it was when it was applied.
    Rendered(u8, u8),
}

/// How far an apply got before it died.
#[derive(Clone, Debug)]
struct Died {
    published: bool,
    rewritten: bool,
    slots: u8,
    fields: bool,
}

const PLACES: [&str; 7] = [
    "/agent/max_tool_steps",
    "/agent/instructions",
    "/scorecard_ids",
    "/agent/built_in_tools",
    "/custom_recording_locations",
    "/agent/stack/tts/models",
    "/agent/stack/llm/models",
];

fn value_at(place: &str, n: u8) -> Value {
    match place {
        "/agent/max_tool_steps" => json!(n + 2),
        "/agent/instructions" => json!(format!("You answer, {n}.")),
        "/scorecard_ids" => json!([format!("s{n}")]),
        "/agent/built_in_tools" if n == 0 => json!({}),
        "/agent/built_in_tools" => json!({"images": {"default_tier": "fast"}}),
        "/custom_recording_locations" => bucket(n % 2, if n > 1 { "somebody-elses-secret" } else { SECRET }),
        "/agent/stack/llm/models" => {
            json!([{"provider": "openai", "model": {"name": "gpt-4.1", "parameters": {"temperature": f64::from(n) / 10.0}}}])
        }
        _ => json!([{"provider": "cartesia", "model": {"name": "sonic-3", "parameters": {"voice": format!("v{n}")}}}]),
    }
}

fn bucket(n: u8, secret: &str) -> Value {
    json!([{"provider": "s3", "bucket": format!("b{n}"), "region": "r", "access_key": "key-id", "secret_access_key": secret}])
}

impl Says {
    fn manifest(&self, index: usize) -> String {
        let key = KEYS[index];
        let mut more = String::new();
        // The second agent says little: it is there for numbers to move to.
        if index == 0 {
            for (name, value) in [
                ("description", self.description.map(|n| format!("Words {n}."))),
                ("active", self.active.map(|on| on.to_string())),
            ] {
                more.extend(value.map(|value| format!("{name}: {value}\n")));
            }
            let team = self.team.map(|n| format!("team: t{n}"));
            let crm = self.crm.map(|full| if full { "crm: {id: 7}" } else { "crm: {}" }.to_owned());
            let metadata: Vec<String> = team.into_iter().chain(crm).collect();
            if !metadata.is_empty() {
                writeln!(more, "metadata: {{{}}}", metadata.join(", ")).unwrap();
            }
            if let Some((place, holds)) = self.ignore {
                let path = match place {
                    7 => "/description".to_owned(),
                    8 => "/metadata/team".to_owned(),
                    9 => "/phone_numbers/inbound".to_owned(),
                    10 => "/active".to_owned(),
                    place => format!("/config{}", PLACES[usize::from(place) % PLACES.len()]),
                };
                let until = if holds { "2026-12-31" } else { "2026-01-31" };
                writeln!(more, "ignore: [{{path: {path}, until: {until}}}]").unwrap();
            }
            if self.release {
                more.push_str("release: [/config/scorecard_ids]\n");
            }
        }
        if self.manages[index] {
            let mine: Vec<&str> = (0..3)
                .filter(|number| usize::from(self.numbers[*number]) == index + 1)
                .map(|number| NUMBERS[number])
                .collect();
            writeln!(more, "phone_numbers: {{inbound: {mine:?}}}").unwrap();
        }
        if !self.config && index == 0 {
            return format!("key: {key}\nname: Agent {key}\n{more}");
        }
        let mut config = CONFIG.to_owned();
        if index == 0 {
            config = config.replace("You answer the telephone of a clinic.", &format!("You answer, {}.", self.prompt));
            config = config.replace("voice: v1", &format!("voice: v{}", self.voice));
            config = match self.steps {
                Some(steps) => config.replace("max_tool_steps: 3", &format!("max_tool_steps: {}", steps + 2)),
                None => config.replace("      max_tool_steps: 3\n", ""),
            };
            if let Some(full) = self.images {
                let images = if full { "{default_tier: fast}" } else { "{}" };
                config = config.replace(
                    "      tools: []",
                    &format!("      tools: []\n      built_in_tools: {{images: {images}}}"),
                );
            }
            if self.realtime {
                let (head, _) = config.split_once("        type: stt_llm_tts").unwrap();
                config = format!(
                    "{head}        type: realtime\n        llm: {{models: [{{provider: openai, model: {{name: gpt-4.1, parameters: {{temperature: 0.4}}}}}}]}}"
                );
            }
            config.extend(self.cards.map(|n| format!("\n    scorecard_ids: [s{n}]")));
            config.extend(self.bucket.map(|n| {
                format!(
                    "\n    custom_recording_locations:\n      - {{provider: s3, bucket: b{n}, region: r, access_key: key-id, secret_access_key: !secret RECORDINGS}}"
                )
            }));
        }
        format!("key: {key}\nname: Agent {key}\nconfig:{config}\n{more}")
    }

    fn write(&self, scene: &mut Scene) {
        for (index, key) in KEYS.into_iter().enumerate() {
            scene.write(key, self.manifest(index));
        }
    }
}

fn says() -> impl Strategy<Value = Says> {
    use proptest::option::of;
    let config = (prop::bool::weighted(0.9), of(0..3_u8), 0..3_u8, of(0..3_u8), of(any::<bool>()), of(0..2_u8));
    let more = (prop::bool::weighted(0.1), 0..3_u8, of(0..3_u8), of(any::<bool>()), of(0..3_u8), of(any::<bool>()));
    let slots = ([0..3_u8, 0..3_u8, 0..3_u8], [prop::bool::weighted(0.8), prop::bool::weighted(0.8)]);
    let rules = (of((0..11_u8, any::<bool>())), any::<bool>());
    (config, more, slots, rules).prop_map(
        |(
            (config, steps, prompt, cards, images, bucket),
            (realtime, voice, description, active, team, crm),
            (numbers, manages),
            (ignore, release),
        )| Says {
            config,
            steps,
            prompt,
            cards,
            images,
            bucket,
            realtime,
            voice,
            description,
            active,
            team,
            crm,
            numbers,
            manages,
            ignore,
            release,
        },
    )
}

/// What is said later: mostly the same, so that single differences are common.
fn later(first: &Says) -> impl Strategy<Value = Says> + use<> {
    let first = first.clone();
    (says(), any::<u16>()).prop_map(move |(other, mask)| {
        let keep = |bit: u16| mask & (1 << bit) != 0;
        let mut out = first.clone();
        macro_rules! take {
            ($($bit:literal $field:ident),*) => { $(if !keep($bit) && !keep($bit + 1) { out.$field = other.$field.clone(); })* };
        }
        take!(0 config, 1 steps, 2 prompt, 3 cards, 4 images, 5 bucket, 6 realtime, 7 voice, 8 description, 9 active,
              10 team, 11 crm, 12 numbers, 13 manages, 14 ignore, 3 release);
        out
    })
}

fn deed() -> impl Strategy<Value = Deed> {
    let place = 0..u8::try_from(PLACES.len()).unwrap();
    prop_oneof![
        3 => (place.clone(), 0..4_u8).prop_map(|(place, n)| Deed::Config(place, n)),
        1 => place.clone().prop_map(Deed::Gone),
        3 => (0..4_u8, 0..4_u8).prop_map(|(field, n)| Deed::Field(field, n)),
        3 => (0..3_u8, 0..5_u8).prop_map(|(number, to)| Deed::Slot(number, to)),
        1 => Just(Deed::Publish),
        1 => (place, 0..4_u8).prop_map(|(place, n)| Deed::Rendered(place, n)),
    ]
}

fn died() -> impl Strategy<Value = Died> {
    (any::<bool>(), prop::bool::weighted(0.3), 0..4_u8, any::<bool>())
        .prop_map(|(published, rewritten, slots, fields)| Died { published, rewritten, slots, fields })
}

fn state() -> impl Strategy<Value = (Says, Option<(Says, Died)>, Vec<Deed>, Says, bool)> {
    says().prop_flat_map(|mut first| {
        // The first is applied whole.
        first.config = true;
        let half = proptest::option::weighted(0.4, (later(&first), died()));
        (Just(first), half, prop::collection::vec(deed(), 0..3)).prop_flat_map(|(first, half, deeds)| {
            let last = half.as_ref().map_or(first.clone(), |(second, _)| second.clone());
            (Just(first), Just(half), Just(deeds), later(&last), prop::bool::weighted(0.8))
        })
    })
}

/// Begins an apply of what Git says now and leaves it as a killed run would.
fn die(scene: &mut Scene, died: &Died) {
    let plan = scene.plan();
    for change in &plan.changes {
        let (Some(id), work) = (&change.agent_id, &change.work) else { continue };
        let agent = scene.live.agents.get_mut(id).unwrap();
        let mut stamp = Stamp::read(&agent.metadata).unwrap().unwrap();
        stamp.state.intent = Some(Intent {
            run: "dead".to_owned(),
            plan: "sha256:dead".to_owned(),
            change: "sha256:dead".to_owned(),
            base: agent.live_version().map(|head| head.version),
            highest: agent.highest_version(),
            by: Some("us".to_owned()),
            fields: intended_fields(Seal::of(&stamp), &work.sent),
            verify: None,
            source: None,
            rollback: None,
            shown: (work.shown.iter()).map(|(path, live)| (path.clone(), Seal::of(&stamp).hash(live))).collect(),
        });
        agent.metadata[STAMP_KEY] = stamp.write();
        if !died.published {
            continue;
        }
        if let Some(config) = work.config() {
            let mut config = config.clone();
            if died.rewritten
                && let Some(models) = config.pointer_mut("/agent/stack/tts/models/0/model/parameters/voice")
            {
                *models = json!("rewritten");
            }
            scene.publish(id, config, "us");
        } else {
            continue;
        }
        let version = scene.live.agents[id].live_version().unwrap().id.clone();
        for number in work.assign.get(&Direction::Inbound).into_iter().flatten().take(died.slots.into()) {
            scene.point(number.as_str(), Direction::Inbound, Some(version.clone()));
        }
        if died.fields {
            let agent = scene.live.agents.get_mut(id).unwrap();
            if let Some(Value::String(text)) = work.agent_fields.get("description") {
                agent.description = Some(text.clone());
            }
            if let Some(Value::Bool(active)) = work.agent_fields.get("active") {
                agent.active = Some(*active);
            }
            for (key, value) in &work.metadata {
                agent.metadata[key] = value.clone();
            }
        }
    }
}

fn do_deed(scene: &mut Scene, deed: &Deed) {
    let id = scene.id("a");
    match deed {
        Deed::Config(place, n) => {
            let place = PLACES[usize::from(*place)];
            if scene.config_of("a").pointer(place.rsplit_once('/').unwrap().0).is_some_and(Value::is_object) {
                scene.dashboard(&id, place, value_at(place, *n));
            }
        }
        Deed::Gone(place) => {
            let place = PLACES[usize::from(*place)];
            let mut config = scene.config_of("a");
            reachform::model::FieldPath::parse(place).unwrap().remove(&mut config);
            let old = scene.live.agents[&id].live_version().unwrap().id.clone();
            let version = scene.publish(&id, config, "a person");
            follow(scene, &old, &format!("{id}-v{version}"));
        }
        Deed::Field(field, n) => {
            let agent = scene.live.agents.get_mut(&id).unwrap();
            agent.modified_by = Some("a person".to_owned());
            match (field, n) {
                (0, 0) => agent.description = None,
                (0, n) => agent.description = Some(format!("Words {n}.")),
                (1, n) => agent.active = Some(n % 2 == 0),
                (2, n) => agent.metadata["team"] = json!(format!("t{n}")),
                (_, 0) => agent.metadata["crm"] = json!({}),
                (_, 1) => agent.metadata["crm"] = json!({"id": 8}),
                (_, 2) => agent.metadata["crm"] = json!("text"),
                (_, _) => drop(agent.metadata.as_object_mut().unwrap().shift_remove("crm")),
            }
        }
        Deed::Slot(number, to) => {
            let agent = scene.live.agents[&id].clone();
            let version = match to {
                0 => None,
                1 => agent.live_version().map(|head| head.id.clone()),
                2 => agent.versions.first().map(|head| head.id.clone()),
                3 => scene.live.agents[&scene.id("b")].live_version().map(|head| head.id.clone()),
                _ => scene.live.agents["other"].live_version().map(|head| head.id.clone()),
            };
            scene.point(NUMBERS[usize::from(*number)], Direction::Inbound, version);
        }
        Deed::Publish => {
            let config = scene.config_of("a");
            scene.publish(&id, config, "a person");
        }
        Deed::Rendered(place, n) => {
            let place = PLACES[usize::from(*place)];
            let agent = scene.live.agents.get_mut(&id).unwrap();
            let stamp = Stamp::read(&agent.metadata).unwrap().unwrap();
            let applied = stamp.state.applied.and_then(|applied| applied.version).unwrap();
            for config in agent.configs.range_mut(applied..).map(|(_, read)| &mut read.config) {
                if let Some(found) = config.pointer_mut(place) {
                    *found = value_at(place, *n);
                }
            }
        }
    }
}

fn follow(scene: &mut Scene, old: &str, new: &str) {
    for number in scene.live.numbers.values_mut() {
        if number.inbound.as_deref() == Some(old) {
            number.inbound = Some(new.to_owned());
        }
    }
}

fn scene_of(first: &Says, half: Option<&(Says, Died)>, deeds: &[Deed], last: &Says, has_secret: bool) -> Scene {
    let mut scene = Scene::new();
    scene.options.limits.change_percent = 100;
    scene.secrets.insert("RECORDINGS".to_owned(), SECRET.to_owned());
    scene.unmanaged("other", "Other", Some(json!({"agent": {}})));
    first.write(&mut scene);
    scene.apply();
    if let Some((second, died)) = half {
        second.write(&mut scene);
        die(&mut scene, died);
    }
    for deed in deeds {
        do_deed(&mut scene, deed);
    }
    last.write(&mut scene);
    if !has_secret {
        scene.secrets.clear();
    }
    scene
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, max_shrink_iters: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn plan_and_drift_agree_about_every_value_and_every_slot(
        (first, half, deeds, last, has_secret) in state()
    ) {
        let scene = scene_of(&first, half.as_ref(), &deeds, &last, has_secret);
        let (plan, drift) = (scene.plan(), drift_of(&scene));
        assert_agreement(&plan, &drift, "a generated state");
    }

    #[test]
    fn an_apply_of_ours_that_died_is_no_drift_in_either(
        (first, half, _deeds, _last, _) in state()
    ) {
        let Some((second, died)) = half else { return Ok(()) };
        let scene = scene_of(&first, Some(&(second.clone(), died)), &[], &second, true);
        let (plan, drift) = (scene.plan(), drift_of(&scene));
        prop_assert!(super::in_plan(&plan).is_empty(), "{:#?}", plan.changes);
        prop_assert!(super::in_drift(&drift).is_empty(), "{:#?}", drift.agents);
    }

    #[test]
    fn neither_says_that_all_is_well_where_something_differs_or_could_not_be_compared(
        (first, half, deeds, last, has_secret) in state()
    ) {
        let scene = scene_of(&first, half.as_ref(), &deeds, &last, has_secret);
        let (plan, drift) = (scene.plan(), drift_of(&scene));
        if claims_no_drift(&drift) {
            prop_assert!(super::in_plan(&plan).is_empty(), "{:#?}", plan.changes);
        }
        if claims_as_declared(&plan) {
            // What is switched off and not declared is said in a notice beside it.
            let is_off = plan.notices.iter().any(|notice| notice.code == "switched-off");
            prop_assert!(is_off || super::in_drift(&drift).is_empty(), "{:#?}", drift.agents);
            let is_left = last.ignore.is_some_and(|(place, holds)| place == 4 && holds);
            prop_assert!(has_secret || last.bucket.is_none() || !last.config || is_left, "a secret was not compared");
            prop_assert!(!plan.notices.iter().any(|notice| notice.code == "rewritten-by-the-service"));
        }
    }
}
