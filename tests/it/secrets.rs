//! A secret that is planted stands in no byte that anyone may see: not in a plan, a report, a document or a stamp.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reachform::diagnostics::SourceMap;
use reachform::plan::{Approval, Plan, approve};
use reachform::render::html::{PageContext, plan_page};
use reachform::render::json::{plan_document, report_document};
use reachform::render::markdown::{CommentContext, plan_comment, report_comment};
use reachform::render::style::{Detail, Styles};
use reachform::render::text::{TextOptions, plan_text, report_text};
use reachform::sandbox::Behaviour;

use crate::scene::manifest;
use crate::world::{World, run};

/// Secrets of every awkward form.
const SECRETS: [&str; 5] =
    ["short-12345x", "with \"quotes\" & <tags>", "url/with?a=b&c=%20d", "back\\slash-and-ümläut", "line-one-of-a-key"];

/// The secret as it may stand in a text: as it is, and as JSON, a URL or base64 would write it.
fn forms(secret: &str) -> Vec<String> {
    let json = serde_json::to_string(secret).unwrap();
    let url = percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC).to_string();
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    vec![secret.to_owned(), json.trim_matches('"').to_owned(), url, html, STANDARD.encode(secret)]
}

fn assert_hidden(what: &str, text: &str, secret: &str) {
    for form in forms(secret) {
        assert!(!text.contains(&form), "{what} shows {form:?}");
    }
}

pub fn everything_of(plan: &Plan) -> Vec<(String, String)> {
    let mut shown = vec![("debug".to_owned(), format!("{plan:?}"))];
    for detail in [Detail::Summary, Detail::Words, Detail::Full] {
        for styles in [Styles::plain(), Styles::colored()] {
            let options = TextOptions { detail, styles, ..TextOptions::default() };
            shown.push((format!("text {detail:?}"), plan_text(plan, &options)));
        }
    }
    shown.push(("document".to_owned(), plan_document(plan, &SourceMap::default())));
    shown.push(("comment".to_owned(), plan_comment(plan, &SourceMap::default(), &CommentContext::default()).text));
    shown.push(("page".to_owned(), plan_page(plan, &SourceMap::default(), &PageContext::default())));
    shown
}

fn declared(more: &str) -> String {
    let config = manifest("a", "").replace("    agent:\n", "    metadata: {hook: !format \"Bearer {secret:S}\"}\n    custom_recording_locations: [{provider: s3, bucket: b, region: r, access_key: AKIA, secret_access_key: !secret S}]\n    agent:\n");
    format!("{config}metadata: {{crm_token: !secret S, plain: x}}\n{more}")
}

#[test]
fn a_planted_secret_is_seen_by_the_service_and_by_nobody_else() {
    for secret in SECRETS {
        run(async {
            let mut world = World::new(Behaviour::default());
            world.secrets.insert("S".to_owned(), secret.to_owned());
            world.write("a", declared(""));
            let plan = world.plan().await;
            assert!(plan.is_applyable(), "{:#?}", plan.diagnostics);
            for (what, text) in everything_of(&plan) {
                assert_hidden(&format!("the first plan's {what}"), &text, secret);
            }
            let report = world.apply().await;
            assert!(report.is_complete(), "{:#?}", report.outcomes);
            assert_hidden("the report", &report_text(&report, None, &TextOptions::default()), secret);
            assert_hidden("the report's document", &report_document(&report), secret);
            assert_hidden(
                "the report's comment",
                &report_comment(&report, None, None, &CommentContext::default()).text,
                secret,
            );
            let stamp = world.metadata("Agent a")["reachform"].to_string();
            assert_hidden("the stamp", &stamp, secret);
            assert_eq!(world.live_config("Agent a")["metadata"]["hook"], serde_json::json!(format!("Bearer {secret}")));
            world.assert_empty("with the same secret").await;

            // Another value, and the service's own edit beside it.
            world.secrets.insert("S".to_owned(), format!("{secret}-rotated"));
            let id = world.id("Agent a");
            let edit = serde_json::json!("edited-in-the-dashboard");
            world.sandbox.with(|service| {
                service.dashboard_edit(&id, "/custom_recording_locations/0/secret_access_key", edit).unwrap()
            });
            let plan = world.plan().await;
            assert!(plan.summary().has_changes());
            for (what, text) in everything_of(&plan) {
                assert_hidden(&format!("the second plan's {what}"), &text, secret);
                assert!(!text.contains("edited-in-the-dashboard"), "{what} shows what the dashboard put there");
            }
            let approved = approve(plan, &Approval::Person).unwrap();
            assert_hidden("an approved plan", &format!("{approved:?}"), secret);
        });
    }
}

#[test]
fn without_its_values_a_plan_says_what_it_did_not_check_and_an_apply_names_what_is_missing() {
    run(async {
        let mut world = World::new(Behaviour::default());
        world.secrets.insert("S".to_owned(), SECRETS[0].to_owned());
        world.write("a", declared(""));
        world.converge("create").await;
        world.secrets.clear();
        let plan = world.plan().await;
        assert!(!plan.summary().has_changes(), "{:#?}", plan.changes);
        world.write("a", declared("description: new\n"));
        let plan = world.plan().await;
        let missing: Vec<_> = plan.diagnostics.iter().filter(|problem| problem.code == "secret-missing").collect();
        let [missing] = missing.as_slice() else { panic!("{:#?}", plan.diagnostics) };
        assert_eq!(missing.message, "`!secret S` has no value here, and without it agent.a cannot be applied");
        assert!(matches!(missing.place, Some(reachform::diagnostics::Place::Span(_))), "{:?}", missing.place);
        let refused = world.try_apply(Approval::Person).await.unwrap().unwrap_err();
        assert_eq!(refused, reachform::plan::Refusal::NotApplyable);
    });
}

#[test]
fn what_only_sounds_like_a_secret_is_hidden_as_well_before_and_after() {
    // A value that was a number before, or is one after, is still a secret on the side on which it is text.
    let number_or = |value: &str, number: bool| if number { "5".to_owned() } else { format!("turned-{value}") };
    let text = |value: &str| {
        let was = number_or(value, value == "first");
        let becomes = number_or(value, value == "second");
        let config = manifest("a", "").replace(
            "    agent:\n",
            &format!(
                "    metadata: {{api_token: in-config-{value}, color: blue-{value}, was_token: {was}, \
                 becomes_token: {becomes}}}\n    agent:\n"
            ),
        );
        format!("{config}metadata: {{crm_token: outside-{value}, team: green-{value}}}\n")
    };
    run(async {
        let mut world = World::new(Behaviour::default());
        world.options.limits.change_percent = 100;
        world.write("a", text("first"));
        world.apply().await;
        world.write("a", text("second"));
        let plan = world.plan().await;
        assert!(plan.summary().has_changes());
        for (what, shown) in everything_of(&plan) {
            for value in [
                "in-config-first",
                "in-config-second",
                "outside-first",
                "outside-second",
                "turned-first",
                "turned-second",
            ] {
                assert!(!shown.contains(value), "{what} shows {value}: {shown}");
            }
            if what.starts_with("document") {
                assert!(shown.contains("blue-second") && shown.contains("green-second"), "{what}: {shown}");
            }
        }
    });
}
