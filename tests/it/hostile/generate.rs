//! Inputs made from scratch: well-formed enough to get far, odd enough to meet what nobody wrote on purpose.

use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::sample::Index;
use reachform::model::Digest;
use reachform::plan::hash::plan_hash;
use serde_json::{Value, json};

use super::bend::{change, odd_value};
use crate::render::properties::hostile;
use crate::schema::properties::{any_config, any_schema};

/// Two texts, parted as the renderers' targets read them.
pub fn texts() -> impl Strategy<Value = Vec<u8>> {
    (hostile(), hostile()).prop_map(|(one, other)| format!("{one}\n===\n{other}").into_bytes())
}

/// A schema and a config in its words.
pub fn schemas() -> impl Strategy<Value = Vec<u8>> {
    (any_schema(), any_schema(), any_config()).prop_map(|(root, shared, config)| {
        let schema = json!({"allOf": [root], "$defs": {"a": shared}});
        format!("=== schema\n{schema}\n=== config\n{config}\n=== secret /config/a\n=== secret /config/b/a\n")
            .into_bytes()
    })
}

/// A YAML scalar, tag or flow collection, as it may stand behind a key.
fn yaml_value() -> impl Strategy<Value = String> {
    let scalar = prop::sample::select(vec![
        "x",
        "'x'",
        "\"x\\n\"",
        "7",
        "-1",
        "0.5",
        "1e3",
        "true",
        "null",
        "~",
        "''",
        "[]",
        "{}",
        "!secret S",
        "!secret MISSING",
        "!var front_desk",
        "!var nope",
        "!agent a",
        "!agent b",
        "!file ../prompts/p.md",
        "!file ../shared/s.yaml",
        "!file ../../etc/passwd",
        "!format \"Bearer {secret:S} {front_desk} {{x}}\"",
        "!merge [{a: 1}, {a: null, b: 2}]",
        "!unknown x",
        "!!str 7",
        "*anchor",
        "9007199254740992",
        "9007199254740993",
        "+15550100000",
        "'+15550100000'",
        "0o17",
        "2026-12-31",
        "{{name}}",
        "${x}",
    ]);
    let leaf = prop_oneof![4 => scalar.prop_map(str::to_owned), 1 => odd_value().prop_map(|value| value.to_string())];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let names =
            prop::sample::select(vec!["a", "b", "agent", "type", "tools", "'<<'", "<<", "\"\"", "instructions"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|all| format!("[{}]", all.join(", "))),
            prop::collection::vec((names, inner), 0..4).prop_map(|all| {
                let all: Vec<String> = all.into_iter().map(|(name, value)| format!("{name}: {value}")).collect();
                format!("{{{}}}", all.join(", "))
            }),
        ]
    })
}

/// One line of a manifest behind its key and name: mostly as it should be.
fn field() -> impl Strategy<Value = String> {
    let good = prop::sample::select(vec![
        "description: !format \"at {front_desk}\"",
        "active: true",
        "metadata: {team: x}",
        "metadata: {crm: !secret S}",
        "config: {agent: {max_tool_steps: 3}}",
        "config: !file ../shared/s.yaml",
        "config: {a: &anchor {b: 1}, c: *anchor}",
        "phone_numbers: {inbound: ['+15550100000']}",
        "phone_numbers: {outbound: [!var front_desk]}",
        "protect: true",
        "sip_endpoint: false",
        "web_widgets: []",
        "email_addresses: [e1]",
        "release: [/config/a]",
        "moved: [old]",
        "id: ag_1",
        "ignore: [{path: /config/agent/stack, reason: r, until: 2026-12-31}]",
        "environments: {prod: {name: P}, demo: false}",
        "environments: {prod: {config: {agent: null}}}",
        "verify: {command: [true]}",
        "instruction_builder_inputs: {a: 1}",
    ]);
    let names = prop::sample::select(vec![
        "key",
        "name",
        "description",
        "active",
        "metadata",
        "config",
        "phone_numbers",
        "web_widgets",
        "sip_endpoint",
        "protect",
        "ignore",
        "release",
        "environments",
        "id",
        "moved",
        "verify",
        "nmae",
    ]);
    prop_oneof![
        4 => good.prop_map(str::to_owned),
        1 => (names, yaml_value()).prop_map(|(name, value)| format!("{name}: {value}")),
        1 => yaml_value().prop_map(|value| format!("config: {{agent: {value}}}")),
    ]
}

/// Projects of one to three manifests, with a project file, a prompt and a structure to pull in.
pub fn manifests() -> impl Strategy<Value = Vec<u8>> {
    let manifest = prop::collection::vec(field(), 0..5);
    (prop::collection::vec(manifest, 1..4), yaml_value(), any::<bool>()).prop_map(|(manifests, shared, chosen)| {
        let mut out = String::from(
            "=== reachform.yaml\nversion: 1\nproject: test\nenvironments:\n  prod: {variables: {front_desk: '+15550100001'}}\n  \
             demo: {}\n=== prompts/p.md\nBe kind. {{name}} ${x}\n",
        );
        if chosen {
            out.push_str("=== environment prod\n");
        }
        write!(out, "=== shared/s.yaml\nagent: {shared}\n").unwrap();
        for (index, fields) in manifests.iter().enumerate() {
            let key = ["a", "b", "c"][index];
            write!(out, "=== agents/{key}.yaml\nkey: {key}\nname: Agent {key}\n{}\n", fields.join("\n")).unwrap();
        }
        out.into_bytes()
    })
}

/// The reviewed plan with some values changed and, mostly, with hashes that fit again: so the doorkeeper lets it in.
pub fn plan_files(reviewed: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
    let document: Value = serde_json::from_str(reviewed).unwrap();
    let changes = prop::collection::vec((any::<Index>(), prop::option::weighted(0.8, odd_value())), 0..4);
    (changes, prop::bool::weighted(0.9)).prop_map(move |(changes, fits)| {
        let mut document = document.clone();
        for (at, value) in &changes {
            change(&mut document, *at, value.as_ref());
        }
        if fits && let Some(list) = document["changes"].as_array() {
            let hashes: Vec<Digest> =
                list.iter().filter_map(|change| Digest::parse(change["change_hash"].as_str()?)).collect();
            document["plan_hash"] = json!(plan_hash(hashes.iter()).as_str());
        }
        document.to_string().into_bytes()
    })
}

/// A version of an agent, mostly as the service writes it.
fn version() -> impl Strategy<Value = Value> {
    (0_u64..4, any::<bool>(), prop::option::weighted(0.1, odd_value())).prop_map(|(number, published, odd)| {
        let mut version =
            json!({"id": format!("ver_{number}"), "version": number, "published": published, "created_by": "u_1"});
        if let Some(odd) = odd {
            version["version"] = odd;
        }
        version
    })
}

/// An agent of a list, mostly as the service writes it, sometimes with one of its values replaced.
fn agent() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec!["Agent a", "Agent b", "Another", ""]);
    let ids = prop::sample::select(vec!["ag_a", "ag_b", "ag_c", "ag/../d"]);
    let metadata = prop_oneof![
        3 => Just(json!({})),
        1 => Just(Value::Null),
        1 => odd_value(),
        2 => (ids.clone(), odd_value()).prop_map(|(id, state)| json!({"reachform": {"v": 1, "project": "test",
            "environment": "prod", "key": "a", "agent": id, "state": state}})),
        1 => odd_value().prop_map(|state| json!({"reachform": {"v": 1, "project": "test", "environment": "prod",
            "key": "gone", "agent": "ag_c", "state": json!({"salt": "00112233445566778899aabbccddeeff", "applied": state}).to_string()}})),
    ];
    let bent = prop::option::weighted(0.2, (any::<Index>(), odd_value()));
    let versions = prop::option::weighted(0.8, prop::collection::vec(version(), 0..4));
    (ids, names, metadata, versions, any::<bool>(), bent, 0_u8..60).prop_map(
        |(id, name, metadata, versions, active, bent, second)| {
            let mut agent = json!({"id": id, "organization_id": "org_1", "name": name, "description": null, "active": active,
                "metadata": metadata, "created_at": format!("2026-01-01T00:00:{second:02}Z"), "versions": versions,
                "phone_numbers": [{"phone_number": "+15550100000", "agent_version_id": "ver_1", "direction": "inbound"}],
                "widgets": [{"id": "w1", "agent_version_id": "ver_1"}], "sip_endpoint": {"deployed": true}});
            if let Some((at, value)) = bent {
                change(&mut agent, at, Some(&value));
            }
            agent
        },
    )
}

/// One answer: its status, how it tells of a next page, and its body.
fn page(path: &'static str, items: impl Strategy<Value = Value>) -> impl Strategy<Value = String> {
    let statuses =
        prop_oneof![12 => Just(200_u16), 1 => prop::sample::select(vec![204, 301, 401, 403, 404, 422, 429, 500, 503])];
    let forms = 0_u8..4;
    (statuses, forms, prop::collection::vec(items, 0..5)).prop_map(move |(status, form, items)| match form {
        0 => format!("=== {path} {status} | x-next-cursor: c1\n{}\n", json!(items)),
        1 => format!("=== {path} {status}\n{}\n", json!({"data": items, "pagination": {"next_cursor": "c1"}})),
        2 => format!(
            "=== {path} {status} | retry-after: 1\n{}\n",
            json!({"data": items, "pagination": {"next_cursor": null}})
        ),
        _ => format!("=== {path} {status}\n{}\n", json!(items)),
    })
}

/// A conversation: pages of agents and numbers, versions that are asked for singly, and now and then another list.
pub fn answers() -> impl Strategy<Value = Vec<u8>> {
    let number = (prop_oneof![Just(json!("ver_1")), Just(Value::Null), odd_value()], odd_value(), any::<bool>())
        .prop_map(|(inbound, odd, plain)| {
            let outbound = if plain { Value::Null } else { odd };
            json!({"phone_number": "+15550100000", "organization_id": "org_1", "inbound_agent_version_id": inbound,
                "outbound_agent_version_id": outbound, "created_at": "2026-01-01T00:00:00Z"})
        });
    let config =
        prop_oneof![any_config(), odd_value(), Just(json!({"agent": {"max_tool_steps": 3, "x": 1.0}, "y": [1e2]}))];
    let versions = prop::collection::vec((0_u64..4, config, any::<bool>()), 0..3).prop_map(|versions| {
        let ids = ["ag_a", "ag_b", "ag_c"];
        let mut out = String::new();
        for (number, config, published) in versions {
            for id in ids {
                let body = json!({"id": format!("ver_{number}"), "version": number, "agent_id": id, "published": published,
                    "config": config});
                write!(out, "=== /core/agents/{id}/versions/{number} 200\n{body}\n").unwrap();
            }
        }
        out
    });
    let bound = json!({"id": "ag_b", "organization_id": "org_1", "name": "Agent b", "active": true, "metadata": {},
        "created_at": "2026-01-01T00:00:00Z", "versions": [], "phone_numbers": [], "widgets": []});
    let whole = prop::collection::vec(agent(), 0..3).prop_map(move |mut agents| {
        agents.retain(|agent| agent["id"] != "ag_b");
        agents.push(bound.clone());
        format!("=== /core/agents 200\n{}\n", json!({"data": agents, "pagination": {"next_cursor": null}}))
    });
    let pages = prop_oneof![
        1 => whole,
        2 => prop::collection::vec(page("/core/agents", agent()), 0..3).prop_map(|pages| pages.concat()),
    ];
    let numbers = prop::collection::vec(page("/core/phone-numbers", number), 0..3).prop_map(|pages| pages.concat());
    let other = prop_oneof![
        4 => Just(String::new()),
        1 => page("/core/inbound-routing-config", odd_value()),
        1 => page("/core/agents/ag_b", agent()),
        1 => page("/admin/members/me/scopes", odd_value()),
    ];
    // An agent that is bound by its id and declares a little, or the manifests of the target, which declare much.
    let project = prop_oneof![
        3 => Just(
            "=== reachform.yaml\nversion: 1\nproject: test\nenvironments:\n  prod: {}\n=== agents/b.yaml\nkey: b\n\
             name: Agent b\nid: ag_b\nmetadata: {team: x}\n"
        ),
        1 => Just(""),
    ];
    (project, pages, numbers, versions, other).prop_map(|(project, pages, numbers, versions, other)| {
        [project, &pages, &numbers, &versions, &other].concat().into_bytes()
    })
}
