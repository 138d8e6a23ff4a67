//! Web widgets: `/core/web-widgets`. A widget runs the version that it names until it is told another.

use serde_json::{Value, json};

use super::answer::{Answer, Refusal, Reply};
use super::body::Body;
use super::call::Call;
use super::listing::{self, page};
use super::mint::Kind;
use super::record::Widget;
use super::wire;

/// `GET /core/web-widgets`
pub(super) fn list(call: &mut Call<'_>) -> Reply {
    let request = call.request;
    let published = listing::flag(request, "published")?;
    let ids = listing::several(request, "ids");
    let mut widgets = call.organization.widgets.see_under("");
    widgets.retain(|widget| {
        published.is_none_or(|wanted| widget.published == wanted)
            && ids.as_ref().is_none_or(|ids| ids.contains(&widget.id))
            && request.query("agent_id").is_none_or(|wanted| widget.agent_id == wanted)
            && request.query("agent_version_id").is_none_or(|wanted| widget.agent_version_id == wanted)
    });
    let page = page(request, call.behaviour, widgets)?;
    Ok(page.answer(request, call.behaviour, |widget| wire::widget(call, &widget)))
}

/// `GET /core/web-widgets/{id}`
pub(super) fn get(call: &mut Call<'_>) -> Reply {
    let id = call.parameter(0).to_owned();
    let widget = call.organization.widgets.see(&id).ok_or_else(not_found)?;
    Ok(Answer::ok(wire::widget(call, &widget)))
}

/// `POST /core/web-widgets`
pub(super) fn create(call: &mut Call<'_>) -> Reply {
    let mut body = Body::read(call.request)?;
    let agent_id = body.required_text("agent_id");
    let agent_version_id = body.required_text("agent_version_id");
    let domains = body.texts("domains").unwrap_or_default();
    let published = body.flag("published").unwrap_or(false);
    let config = body.value("config").unwrap_or_else(|| json!({}));
    body.finish()?;
    check_target(call, &agent_id, &agent_version_id)?;
    let (id, _) = call.mint.id(Kind::Widget);
    let authored = call.authored();
    let widget = Widget { id, agent_id, agent_version_id, domains, published, config, authored };
    call.organization.widgets.put(&widget.id, widget.clone(), call.behaviour.eventual);
    Ok(Answer::ok(wire::widget(call, &widget)))
}

/// `PUT /core/web-widgets/{id}`: each field that is sent replaces the stored one.
pub(super) fn update(call: &mut Call<'_>) -> Reply {
    let mut widget = find(call)?;
    let mut body = Body::read(call.request)?;
    let agent_id = body.text("agent_id");
    let agent_version_id = body.text("agent_version_id");
    let domains = body.texts("domains");
    let published = body.flag("published");
    body.finish()?;
    if agent_id.is_some() || agent_version_id.is_some() {
        widget.agent_id = agent_id.unwrap_or(widget.agent_id);
        widget.agent_version_id = agent_version_id.unwrap_or(widget.agent_version_id);
        check_target(call, &widget.agent_id, &widget.agent_version_id)?;
    }
    widget.domains = domains.unwrap_or(widget.domains);
    widget.published = published.unwrap_or(widget.published);
    widget.config = body.value("config").unwrap_or(widget.config);
    Ok(store(call, widget))
}

/// `DELETE /core/web-widgets/{id}`
pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let widget = find(call)?;
    call.organization.widgets.remove(&widget.id, call.behaviour.eventual);
    Ok(Answer::no_content())
}

/// `POST /core/web-widgets/{id}/auto-brand`: 404 where nothing is known of the domain.
pub(super) fn auto_brand(call: &mut Call<'_>) -> Reply {
    let mut widget = find(call)?;
    let mut body = Body::read(call.request)?;
    let domain = body.required_text("domain");
    body.finish()?;
    let brand = call.organization.brands.get(&domain).cloned().ok_or_else(|| Refusal::not_found("Brand data"))?;
    if !widget.config.is_object() {
        widget.config = json!({});
    }
    widget.config["v1"]["brand"] = brand;
    Ok(store(call, widget))
}

/// `GET /core/public/web-widgets/{id}`: what a browser asks for. Both gates must be open.
pub(super) fn public(call: &mut Call<'_>) -> Reply {
    let widget = find(call)?;
    let version = call.organization.version_by_id(&widget.agent_version_id);
    if !widget.published || !version.is_some_and(|version| version.published) {
        return Err(not_found());
    }
    let shown: Value = json!({
        "id": widget.id,
        "agent_id": widget.agent_id,
        "agent_version_id": widget.agent_version_id,
        "domains": widget.domains,
        "config": widget.config,
    });
    Ok(Answer::ok(shown))
}

fn not_found() -> Refusal {
    Refusal::not_found("Web widget")
}

fn find(call: &Call<'_>) -> Result<Widget, Refusal> {
    call.organization.widgets.get(call.parameter(0)).cloned().ok_or_else(not_found)
}

fn store(call: &mut Call<'_>, mut widget: Widget) -> Answer {
    call.touch()(&mut widget.authored);
    call.organization.widgets.put(&widget.id, widget.clone(), call.behaviour.eventual);
    Answer::ok(wire::widget(call, &widget))
}

fn check_target(call: &Call<'_>, agent_id: &str, version_id: &str) -> Result<(), Refusal> {
    call.organization.agents.get(agent_id).ok_or_else(|| Refusal::not_found("Agent"))?;
    let version = call.organization.version_by_id(version_id).filter(|version| version.agent_id == agent_id);
    let version = version.ok_or_else(|| Refusal::not_found("Agent version"))?;
    if call.behaviour.reject_unpublished_widget && !version.published {
        return Err(Refusal::bad_request("The agent version is not published"));
    }
    Ok(())
}
