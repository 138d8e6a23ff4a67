//! A plan that one job saves and another applies: on another machine, from another checkout, with a secret in between.

use serde_json::{Value, json};

use super::echoes::{SECRETS, assert_hidden};
use super::program::{MANIFEST, Project};
use super::service::Server;

/// The checkout of one job.
fn job(server: &Server, secret: &str) -> Project {
    let project = Project::at(server).with("REACHFORM_SECRET_CRM_KEY", secret);
    project.edit(MANIFEST, "  team: patient-access", "  team: patient-access\n  crm: !secret CRM_KEY");
    project.edit(
        MANIFEST,
        "  version: \"1\"\n",
        "  version: \"1\"\n  metadata: {hook: !format \"Bearer {secret:CRM_KEY}\"}\n",
    );
    project
}

#[test]
fn a_plan_is_saved_by_one_job_and_applied_by_the_next_and_holds_no_secret() {
    for secret in SECRETS {
        let server = Server::new();
        let planning = job(&server, secret);
        planning.run(&["plan", "--out", "saved.plan", "--html", "plan.html", "--json-out", "plan.json"]).ends(0);
        assert_eq!(server.writes(), 0);
        for file in ["saved.plan", "plan.html", "plan.json"] {
            let text = planning.read(file);
            assert!(text.contains("crm"), "{file} does not even tell of the value");
            assert_hidden(file, &text, secret);
            assert_hidden(file, &text, reachform::sandbox::SANDBOX_TOKEN);
        }

        // Nothing of the first machine is left but the file.
        let applying = job(&server, secret);
        applying.write("artifact/saved.plan", planning.read("saved.plan"));
        drop(planning);
        applying.run(&["apply", "artifact/saved.plan"]).ends(0).says("1 applied");
        let agent = server.sandbox.with(|service| service.agent_named("Riverside Dental Scheduler").unwrap());
        let live = agent.live().unwrap().config.clone();
        assert_eq!(live["metadata"]["hook"], json!(format!("Bearer {secret}")));
        applying.run(&["plan", "--detailed-exitcode"]).ends(0);
    }
}

#[test]
fn a_saved_plan_is_refused_where_the_next_job_would_do_something_else() {
    let server = Server::new();
    let secret = SECRETS[1];
    let planning = job(&server, secret);
    planning.run(&["plan", "--out", "saved.plan"]).ends(0);

    // Another commit.
    let other = job(&server, secret);
    other.edit(MANIFEST, "max_tool_steps: 4", "max_tool_steps: 9");
    other.write("saved.plan", planning.read("saved.plan"));
    other.run(&["apply", "saved.plan"]).ends(3);

    // A file whose hashes are not its own.
    let edited = job(&server, secret);
    let saved: Value = serde_json::from_str(&planning.read("saved.plan")).unwrap();
    let hash = saved["changes"][0]["change_hash"].as_str().unwrap();
    let forged = format!("sha256:{}", "0".repeat(64));
    edited.write("saved.plan", planning.read("saved.plan").replace(hash, &forged));
    edited.run(&["apply", "saved.plan"]).ends(1).says("edited");

    // A job that plans without the secret cannot tell whether its value is new, and says so instead of promising.
    let blind = job(&server, "");
    blind.run(&["plan", "--out", "saved.plan"]).ends(1).says("REACHFORM_SECRET_CRM");
    let applying = job(&server, secret);
    applying.write("saved.plan", blind.read("saved.plan"));
    applying.run(&["apply", "saved.plan"]).ends(1).says("could not be applied");
    assert_eq!(server.writes(), 0);
}

#[test]
fn nothing_in_a_saved_plan_is_sent_to_the_service() {
    let server = Server::new();
    let planning = job(&server, SECRETS[1]);
    planning.run(&["plan", "--out", "saved.plan"]).ends(0);
    // The values in it are for people. A secret that was rotated since has no trace in it, so it is no other plan.
    let applying = job(&server, "another-value-of-it");
    let edited = planning.read("saved.plan").replace("patient-access", "someone-else");
    applying.write("saved.plan", &edited);
    for command in ["apply", "show", "comment"] {
        let refused = applying.run(&[command, "saved.plan"]).ends(1);
        assert!(refused.stderr.contains("it was edited after it was saved"), "{refused:#?}");
    }
    // Also with a digest to match, which anyone can compute, none of its values is sent.
    applying.write("saved.plan", reachform::render::json::sealed(&edited));
    applying.run(&["apply", "saved.plan"]).ends(0);
    let metadata = server.sandbox.with(|service| service.agent_named("Riverside Dental Scheduler").unwrap()).metadata;
    assert_eq!((&metadata["team"], &metadata["crm"]), (&json!("patient-access"), &json!("another-value-of-it")));
}
