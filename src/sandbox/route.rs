//! The paths of the service: which handler serves each, and which scope it wants.

use percent_encoding::percent_decode_str;

use super::answer::{Refusal, Reply};
use super::call::Call;
use super::{agent, builder, email, number, publish, routing, trunk, version, widget};
use crate::http::Method::{self, Delete, Get, Patch, Post, Put};

/// What a route asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// No credential at all.
    Public,
    /// Any credential.
    Member,
    /// The `read` or the `manage` scope of a resource.
    Read(&'static str),
    /// The `manage` scope of a resource.
    Manage(&'static str),
}

impl Access {
    /// The scopes of which the caller needs one; none where any caller will do.
    pub(super) fn scopes(self) -> Vec<String> {
        match self {
            Self::Public | Self::Member => Vec::new(),
            Self::Read(resource) => vec![format!("{resource}:read"), format!("{resource}:manage")],
            Self::Manage(resource) => vec![format!("{resource}:manage")],
        }
    }
}

/// Serves one route.
pub(super) type Handler = fn(&mut Call<'_>) -> Reply;

/// One line of the table.
pub(super) struct Route {
    method: Method,
    pattern: &'static str,
    pub(super) access: Access,
    pub(super) handler: Handler,
}

const fn route(method: Method, pattern: &'static str, access: Access, handler: Handler) -> Route {
    Route { method, pattern, access, handler }
}

use Access::{Manage, Member, Public, Read};

/// The first line that fits counts, so words stand before parameters.
const ROUTES: &[Route] = &[
    route(Get, "/admin/members/me/scopes", Member, agent::scopes),
    route(Get, "/core/agent-config-schema", Read("agents"), agent::config_schema),
    route(Get, "/core/agents", Read("agents"), agent::list),
    route(Post, "/core/agents", Manage("agents"), agent::create),
    route(Post, "/core/agents/create-from-website", Manage("agents"), builder::from_website),
    route(Post, "/core/agents/create-demo", Manage("agents"), builder::demo),
    route(Get, "/core/agents/{id}", Read("agents"), agent::get),
    route(Put, "/core/agents/{id}", Manage("agents"), agent::update),
    route(Delete, "/core/agents/{id}", Manage("agents"), agent::delete),
    route(Post, "/core/agents/{id}/clone", Manage("agents"), agent::clone),
    route(Post, "/core/agents/{id}/deploy-as-sip", Manage("agents"), agent::deploy_sip),
    route(Delete, "/core/agents/{id}/deploy-as-sip", Manage("agents"), agent::undeploy_sip),
    route(Get, "/core/agents/{id}/versions", Read("agents"), version::list),
    route(Post, "/core/agents/{id}/versions", Manage("agents"), version::create),
    route(Post, "/core/agents/{id}/versions/compare", Read("agents"), version::compare),
    route(Get, "/core/agents/{id}/versions/{version}", Read("agents"), version::get),
    route(Put, "/core/agents/{id}/versions/{version}", Manage("agents"), version::update),
    route(Post, "/core/agents/{id}/versions/{version}/publish", Manage("agents"), publish::publish),
    route(Post, "/core/agents/{id}/versions/{version}/generate-instructions", Manage("agents"), builder::generate),
    route(Post, "/core/agents/{id}/versions/{version}/starting-message/audio", Manage("agents"), version::record_audio),
    route(
        Post,
        "/core/agents/{id}/versions/{version}/starting-message/audio/playback-url",
        Manage("agents"),
        version::playback_url,
    ),
    route(Get, "/core/phone-numbers", Read("phone_numbers"), number::list),
    route(Post, "/core/phone-numbers", Manage("phone_numbers"), number::create),
    route(Get, "/core/phone-numbers/{phone_number}", Read("phone_numbers"), number::get),
    route(Patch, "/core/phone-numbers/{phone_number}", Manage("phone_numbers"), number::update),
    route(Delete, "/core/phone-numbers/{phone_number}", Manage("phone_numbers"), number::delete),
    route(Get, "/core/trunks", Read("trunks"), trunk::list),
    route(Post, "/core/trunks", Manage("trunks"), trunk::create),
    route(Get, "/core/trunks/{id}", Read("trunks"), trunk::get),
    route(Put, "/core/trunks/{id}", Manage("trunks"), trunk::update),
    route(Delete, "/core/trunks/{id}", Manage("trunks"), trunk::delete),
    route(Get, "/core/inbound-routing-config", Read("phone_numbers"), routing::get),
    route(Post, "/core/inbound-routing-config", Manage("phone_numbers"), routing::create),
    route(Put, "/core/inbound-routing-config", Manage("phone_numbers"), routing::update),
    route(Delete, "/core/inbound-routing-config", Manage("phone_numbers"), routing::delete),
    route(Get, "/core/web-widgets", Read("web_widgets"), widget::list),
    route(Post, "/core/web-widgets", Manage("web_widgets"), widget::create),
    route(Get, "/core/web-widgets/{id}", Read("web_widgets"), widget::get),
    route(Put, "/core/web-widgets/{id}", Manage("web_widgets"), widget::update),
    route(Delete, "/core/web-widgets/{id}", Manage("web_widgets"), widget::delete),
    route(Post, "/core/web-widgets/{id}/auto-brand", Manage("web_widgets"), widget::auto_brand),
    route(Get, "/core/public/web-widgets/{id}", Public, widget::public),
    route(Get, "/core/email-addresses", Read("email_domains"), email::list),
    route(Post, "/core/email-addresses", Manage("email_domains"), email::create),
    route(Get, "/core/email-addresses/{id}", Read("email_domains"), email::get),
    route(Patch, "/core/email-addresses/{id}", Manage("email_domains"), email::update),
    route(Delete, "/core/email-addresses/{id}", Manage("email_domains"), email::delete),
];

/// Finds the route of a request and the parameters in its path: 404 for an unknown path, 405 for an unknown method.
pub(super) fn find(method: Method, path: &str) -> Result<(&'static Route, Vec<String>), Refusal> {
    let mut known = false;
    for route in ROUTES {
        if let Some(parameters) = fit(route.pattern, path) {
            if route.method == method {
                return Ok((route, parameters));
            }
            known = true;
        }
    }
    Err(if known {
        Refusal::Detail(405, "Method Not Allowed".to_owned())
    } else {
        Refusal::Detail(404, "Not Found".to_owned())
    })
}

fn fit(pattern: &str, path: &str) -> Option<Vec<String>> {
    let mut parameters = Vec::new();
    let (mut wanted, mut found) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return Some(parameters),
            (Some(word), Some(segment)) if word.starts_with('{') && !segment.is_empty() => {
                parameters.push(percent_decode_str(segment).decode_utf8().ok()?.into_owned());
            }
            (Some(word), Some(segment)) if word == segment => {}
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_before_parameters_and_parameters_are_decoded() {
        let (found, parameters) = find(Post, "/core/agents/create-demo").unwrap();
        assert_eq!((found.pattern, parameters.len()), ("/core/agents/create-demo", 0));
        let (found, parameters) = find(Get, "/core/phone-numbers/%2B15551234567").unwrap();
        assert_eq!((found.pattern, parameters[0].as_str()), ("/core/phone-numbers/{phone_number}", "+15551234567"));
    }

    #[test]
    fn an_unknown_path_is_404_and_an_unknown_method_405() {
        let status = |method, path| match find(method, path) {
            Err(Refusal::Detail(status, _)) => status,
            _ => 200,
        };
        assert_eq!(status(Get, "/core/agent"), 404);
        assert_eq!(status(Get, "/core/agents/"), 404);
        assert_eq!(status(Patch, "/core/agents"), 405);
        assert_eq!(status(Get, "/core/agents/x/versions/1/publish"), 405);
    }
}
