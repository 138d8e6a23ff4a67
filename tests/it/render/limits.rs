//! Sizes: a comment fits its budget, a small change stays small, an agent does not flood the terminal.

use reachform::diagnostics::SourceMap;
use reachform::plan::{Action, AgentChange, Plan};
use reachform::render::markdown::{COMMENT_BYTES, CommentContext, plan_comment};
use reachform::render::style::Detail;
use reachform::render::text::{TextOptions, plan_text};
use serde_json::json;

use super::build::{change, field, plan, prompt, risky, unchanged};
use super::{context, markdown};

/// Agents with long prompts in several scripts, every seventh with a risk, and five deletes.
pub(crate) fn many(count: usize) -> Plan {
    let mut changes: Vec<_> = (0..5).map(|number| change(&format!("gone-{number}"), Action::Delete)).collect();
    for number in 0..count {
        let mut agent = change(&format!("agent-{number}"), Action::Update);
        // Thousands of whole prompts would test the patience of who runs this, and nothing else.
        let head: String = prompt().chars().take(if count > 1000 { 1_000 } else { 10_000 }).collect();
        let before = format!("{head}\n\n{}", "请用中文回答客户的问题。👩\u{200D}⚕\u{FE0F} ".repeat(40));
        let after = before.replace("friendly, brief", "warm, short").replace("中文", "英文").replace("then", "and");
        // No two agents change alike, for such a change is shown once.
        let after = after.replace("front desk", &format!("front desk {number}"));
        agent.fields.push(field("/config/agent/instructions", json!(before), json!(after)));
        let steps = field("/config/agent/max_tool_steps", json!(number), json!(number + 2));
        agent.fields.push(if number % 7 == 0 { risky("it may loop longer", steps) } else { steps });
        changes.push(agent);
    }
    let mut plan = plan(changes);
    plan.unchanged = unchanged(4);
    plan
}

#[test]
fn a_comment_fits_its_budget_and_names_every_delete() {
    for (count, budget, truncated) in [
        (2, COMMENT_BYTES, false),
        (50, COMMENT_BYTES, true),
        (200, COMMENT_BYTES, true),
        (2000, COMMENT_BYTES, true),
        (200, 4_000, true),
    ] {
        let plan = many(count);
        let body = plan_comment(&plan, &SourceMap::default(), &CommentContext { max_bytes: budget, ..context() });
        assert!(body.text.len() <= budget, "{count} agents: {} bytes", body.text.len());
        assert_eq!(body.truncated, truncated, "{count} agents, {} bytes", body.text.len());
        assert_eq!(body.text.contains(" changes are shown in full here."), truncated);
        if truncated {
            assert!(body.text.len() > budget / 2, "{count} agents use {} of {budget} bytes", body.text.len());
        }
        let totals = format!("Plan: 0 to create, {count} to update, 5 to delete, 0 to adopt. 4 unchanged.");
        assert!(body.text.contains(&totals));
        for number in 0..5 {
            assert!(body.text.contains(&format!("agent.gone-{number}")));
        }
        markdown::check(&body.text);
    }
}

#[test]
fn even_totals_alone_are_a_whole_comment() {
    let body = plan_comment(&many(200), &SourceMap::default(), &CommentContext { max_bytes: 1_500, ..context() });
    assert!(body.text.len() <= 1_500, "{}", body.text.len());
    assert!(
        body.text.contains("0 of 400 changes are shown in full here.") && body.text.contains("5 to delete"),
        "{body:?}"
    );
    markdown::check(&body.text);
}

#[test]
fn three_words_of_a_30_kb_paragraph_take_less_than_1500_bytes() {
    let words: Vec<String> = (0..5_000).map(|n| format!("word{}", (n * 7919) % 1201)).collect();
    let before = words.join(" ");
    assert!(before.len() > 30_000);
    let mut changed = words.clone();
    for at in [100, 2500, 4900] {
        changed[at] = "other".to_owned();
    }
    let mut agent = change("front-desk", Action::Update);
    let empty = plan_text(&plan(vec![agent.clone()]), &TextOptions::default()).len();
    agent.fields.push(field("/config/agent/instructions", json!(before), json!(changed.join(" "))));
    let text = plan_text(&plan(vec![agent]), &TextOptions::default());
    assert!(text.len() - empty < 1_500, "{text}");
    assert_eq!(text.matches("{+other+}").count(), 3);
}

#[test]
fn an_agent_with_many_changes_shows_all_of_them() {
    let mut agent = change("front-desk", Action::Update);
    for number in 0..300 {
        agent.fields.push(field(&format!("/config/agent/value_{number}"), json!(number), json!(number + 1)));
    }
    let plan = plan(vec![agent]);
    for detail in [Detail::Summary, Detail::Words, Detail::Full] {
        let text = plan_text(&plan, &TextOptions { detail, ..TextOptions::default() });
        for number in 0..300 {
            assert!(text.contains(&format!("/config/agent/value_{number} ")), "{number}");
        }
    }
}

#[test]
fn no_line_of_prose_is_wider_than_the_terminal() {
    let plan = many(3);
    for width in [80, 100, 120] {
        let text = plan_text(&plan, &TextOptions { width, ..TextOptions::default() });
        for line in text.lines() {
            assert!(unicode_width::UnicodeWidthStr::width(line) <= width, "{width}: {line}");
        }
    }
}

#[test]
fn a_plan_of_a_thousand_agents_uses_its_room_and_names_the_others() {
    let agent = |number: usize| {
        let mut agent = change(&format!("agent-{number}"), Action::Update);
        agent.fields.push(field("/config/agent/max_tool_steps", json!(number), json!(number + 2)));
        if number == 777 {
            AgentChange { fields: vec![risky("look", agent.fields[0].clone())], ..agent }
        } else {
            agent
        }
    };
    let plan = plan((0..1_000).map(agent).collect());
    let body = plan_comment(&plan, &SourceMap::default(), &context());
    assert!((50_000..=COMMENT_BYTES).contains(&body.text.len()), "{}", body.text.len());
    let (before, _) = body.text.split_once(" of 1000 changes are shown in full here.").unwrap();
    let shown: usize = before.rsplit_once("<b>").unwrap().1.parse().unwrap();
    assert!(shown > 100, "{shown}");
    assert_eq!(body.text.matches("<summary><code>~</code>").count(), shown);
    assert!(body.text.contains("`777` → `779`"), "what is risky is shown before what is not");
    markdown::check(&body.text);
}

#[test]
fn a_new_prompt_of_40_kb_is_whole_and_one_that_has_no_room_is_counted() {
    let lines: String =
        (0..1_000).fold(String::new(), |all, n| all + &format!("Line {n} of what the agent says to a caller.\n"));
    let mut agent = change("front-desk", Action::Create);
    agent.fields.push(field("/config/agent/instructions", json!(null), json!(lines)));
    agent.fields.push(field("/config/agent/max_tool_steps", json!(null), json!(3)));
    let plan = plan(vec![agent]);
    let comment = |max_bytes| plan_comment(&plan, &SourceMap::default(), &CommentContext { max_bytes, ..context() });
    let whole = comment(COMMENT_BYTES);
    assert!(!whole.truncated && lines.lines().all(|line| whole.text.contains(line)));
    let part = comment(20_000);
    assert!(part.text.contains("<b>1 of 2 changes is shown in full here.</b>"), "{}", part.text);
    assert!(part.text.contains("only the first ") && part.text.len() > 15_000, "{}", part.text);
    assert!(part.text.contains("`/max_tool_steps` `3`"), "{}", part.text);
    markdown::check(&part.text);
}
