//! The door in: `init`, `list` and `import` in a folder with nothing in it.

use serde_json::{Value, json};

use super::program::{MANIFEST, Project};
use super::service::Server;

fn schema(name: &str) -> jsonschema::Validator {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/render/{name}.schema.json"));
    jsonschema::validator_for(&serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()).unwrap()
}

fn files(project: &Project) -> Vec<String> {
    let files = walkdir::WalkDir::new(project.dir()).sort_by_file_name().into_iter().map(Result::unwrap);
    let files = files.filter(|entry| entry.file_type().is_file());
    let names = files.map(|entry| entry.path().strip_prefix(project.dir()).unwrap().display().to_string());
    names.filter(|name| !name.starts_with(".reachform")).collect()
}

/// A service with the agent of the quickstart, which no project manages.
fn service() -> Server {
    let server = Server::new();
    let project = Project::at(&server);
    project.run(&["apply", "--auto-approve"]).ends(0);
    server.sandbox.with(|service| {
        let agent = service.agent_named("Riverside Dental Scheduler").unwrap();
        let mut metadata = agent.metadata.clone();
        metadata.as_object_mut().unwrap().remove("reachform");
        let fields = serde_json::Map::from_iter([("metadata".to_owned(), metadata)]);
        service.dashboard_change(&agent.id, &fields).unwrap();
    });
    server
}

fn empty(server: &Server) -> Project {
    let quickstart = Project::at(server);
    let token =
        quickstart.command(&[]).get_envs().find(|(name, _)| *name == "ANYREACH_TOKEN").unwrap().1.unwrap().to_owned();
    Project::empty().with("ANYREACH_API_URL", &server.url).with("ANYREACH_TOKEN", token.to_str().unwrap())
}

#[test]
fn a_new_project_is_valid_has_a_name_of_its_own_and_is_planned_in_the_sandbox() {
    let project = Project::empty();
    project.run(&["init"]).ends(0);
    assert_eq!(
        files(&project),
        [
            ".github/workflows/reachform-apply.yml",
            ".github/workflows/reachform-plan.yml",
            ".gitignore",
            ".vscode/settings.json",
            "agents/front-desk.yaml",
            "prompts/front-desk.md",
            "reachform.yaml",
        ]
    );
    let name =
        project.read("reachform.yaml").lines().find_map(|line| line.strip_prefix("project: ").map(str::to_owned));
    let name = name.unwrap();
    assert!(name.starts_with("project-") && name.len() == "project-".len() + 4, "{name}");
    assert!(serde_json::from_str::<Value>(&project.read(".vscode/settings.json")).is_ok());
    project.run(&["validate", "--sandbox"]).ends(0);
    assert!(project.run(&["plan", "--sandbox"]).ends(0).stdout.contains("Plan: 1 to create,"));
}

#[test]
fn what_is_there_is_left_as_it_is_and_named() {
    let project = Project::empty();
    project.write("reachform.yaml", "version: 1\nproject: ours\n");
    project.write(".gitignore", "target");
    project.write("agents/a.yaml", "key: a\nname: A\n");
    let ran = project.run(&["init", "--json"]).ends(0);
    let document = ran.json();
    assert!(schema("init").is_valid(&document), "{document:#}");
    assert_eq!((&document["project"], &document["left"]), (&json!("ours"), &json!(["reachform.yaml"])));
    assert_eq!(project.read("reachform.yaml"), "version: 1\nproject: ours\n");
    assert_eq!(project.read(".gitignore"), "target\n.reachform/\n*.plan\n");
    assert!(!files(&project).contains(&"agents/front-desk.yaml".to_owned()), "there are agents already");
    let again = project.run(&["init"]).ends(0).stdout;
    assert!(again.contains("left  .gitignore as it is") && !again.contains("wrote"), "{again}");
}

#[test]
fn an_import_into_an_empty_folder_is_planned_and_applied_without_a_change() {
    let server = service();
    let project = empty(&server);
    let dry = project.run(&["import", "--all", "--dry-run"]).ends(0).stdout;
    assert!(dry.contains("agents/riverside-dental-scheduler.yaml") && files(&project).is_empty(), "{dry}");
    let document = project.run(&["import", "--all", "--json"]).ends(0).json();
    assert!(schema("import").is_valid(&document), "{document:#}");
    assert_eq!(files(&project), ["agents/riverside-dental-scheduler.yaml", "prompts/riverside-dental-scheduler.md"]);
    let text = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart/prompts/riverside.md"),
    );
    assert_eq!(project.read("prompts/riverside-dental-scheduler.md"), text.unwrap());
    project.run(&["validate"]).ends(0);
    let line = "Plan: 0 to create, 0 to update, 0 to delete, 1 to adopt. 0 unchanged.";
    assert!(project.run(&["plan"]).ends(0).stdout.contains(line));
    project.run(&["apply", "--auto-approve"]).ends(0);
    project.run(&["plan", "--detailed-exitcode"]).ends(0);
    let again = project.run(&["import", "--all"]).ends(0).stdout;
    assert!(again.contains("Import: 0 agents in 0 files, 0 not imported. 1 agent has a manifest already."), "{again}");
}

#[test]
fn init_from_live_is_init_and_an_import_of_all() {
    let server = service();
    let project = empty(&server);
    let ran = project.run(&["init", "--from-live"]).ends(0);
    assert!(ran.stdout.contains("wrote reachform.yaml") && ran.stdout.contains("1 to adopt"), "{}", ran.stdout);
    assert!(!files(&project).contains(&"agents/front-desk.yaml".to_owned()));
    project.run(&["apply", "--auto-approve"]).ends(0);
    project.run(&["plan", "--detailed-exitcode"]).ends(0);
}

#[test]
fn a_list_needs_no_manifest_shows_which_number_rings_where_and_fits_a_narrow_terminal() {
    let server = service();
    let project = empty(&server);
    let ran = project.run(&["list"]).ends(0);
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 80), "{}", ran.stdout);
    for words in ["unmanaged", "Riverside Dental Scheduler", "NUMBER", "reachform import --all"] {
        assert!(ran.stdout.contains(words), "{words}\n{}", ran.stdout);
    }
    let document = project.run(&["list", "--json"]).ends(0).json();
    assert!(schema("list").is_valid(&document), "{document:#}");
    let inbound: Vec<&Value> = document["agents"][0]["inbound"].as_array().unwrap().iter().collect();
    let rings = document["numbers"].as_array().unwrap().iter().filter(|number| number["inbound"]["holder"] == "agent");
    let rings: Vec<&Value> = rings.map(|number| &number["number"]).collect();
    assert!(!rings.is_empty() && rings == inbound, "{document:#}");
}

#[test]
fn an_agent_that_is_named_and_cannot_be_imported_is_a_failure_and_one_that_is_not_there_wrong_usage() {
    let server = service();
    let project = empty(&server);
    project.run(&["import", "Riverside Dental"]).ends(64).says("there is no agent with the id or the name");
    project.run(&["import"]).ends(64);
    let other = empty(&server);
    other.write("reachform.yaml", "version: 1\nproject: other\n");
    other.run(&["import", "--all"]).ends(0);
    other.run(&["apply", "--auto-approve"]).ends(0);
    let ran = project.run(&["import", "Riverside Dental Scheduler"]).ends(1);
    assert!(ran.stdout.contains("was not imported: it belongs to project `other`"), "{}", ran.stdout);
}

#[cfg(unix)]
#[test]
fn an_import_writes_nothing_behind_a_link_and_leaves_no_half_of_itself() {
    let server = service();
    let project = empty(&server);
    let outside = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path(), project.path("prompts")).unwrap();
    project.run(&["import", "--all"]).ends(1).says("nothing was written");
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
    assert!(!project.path("agents").exists());
}

#[test]
fn a_project_is_found_from_a_folder_in_it() {
    let project = Project::quickstart();
    project.write("prompts/deep/note.txt", "x");
    let mut command = project.command(&["validate", "--sandbox", "--env", "demo"]);
    let ran = super::program::Ran::of(command.current_dir(project.path("prompts/deep")).output().unwrap());
    assert!(ran.ends(0).stdout.contains("1 manifest is valid"), "{MANIFEST}");
}
