//! The addresses of logins and of questions about access.

use orch_shared::{identity, route};
use serde_json::{Map, Value, json};

use super::{Schemas, done, in_path, operation};

pub(super) fn describe(schemas: &mut Schemas, paths: &mut Map<String, Value>) {
    let mut log_in = operation(
        "Log in with a name and a password",
        vec![],
        Some(schemas.add::<identity::LoginRequest>("LoginRequest")),
        Some(("200", schemas.add::<identity::LoginAnswer>("LoginAnswer"))),
    );
    log_in["security"] = json!([]);
    paths.insert(route::LOGIN.into(), json!({"post": log_in}));
    let who = schemas.add::<identity::WhoAmI>("WhoAmI");
    paths.insert(
        route::WHOAMI.into(),
        json!({"get": operation("Who is asking, and what that entails", vec![], None, Some(("200", who)))}),
    );
    let logins = schemas.add::<identity::OpenLogins>("OpenLogins");
    paths.insert(
        route::LOGINS.into(),
        json!({"get": operation("The logins that are open", vec![], None, Some(("200", logins)))}),
    );
    let id = in_path("id", "Its id, or `current` for the one that asks.");
    let mut end = operation("End a login", vec![id], None, None);
    done(&mut end);
    paths.insert(format!("{}/{{id}}", route::LOGINS), json!({"delete": end}));
    let review = operation(
        "Whether whoever asks may do something",
        vec![],
        Some(schemas.add::<identity::AccessReview>("AccessReview")),
        Some(("200", schemas.add::<identity::AccessAnswer>("AccessAnswer"))),
    );
    paths.insert(route::ACCESS_REVIEW.into(), json!({"post": review}));
    let introspect = operation(
        "What a credential opens",
        vec![],
        Some(schemas.add::<identity::Introspect>("Introspect")),
        Some(("200", schemas.add::<identity::Introspection>("Introspection"))),
    );
    paths.insert(route::INTROSPECT.into(), json!({"post": introspect}));
    let change = schemas.add::<identity::PasswordChange>("PasswordChange");
    let name = in_path("name", "Its name, or its uid.");
    let mut password = operation("Set the password of a user", vec![name], Some(change), None);
    done(&mut password);
    paths.insert(
        format!("{}/users/{{name}}/password", route::PREFIX),
        json!({"put": password}),
    );
}
