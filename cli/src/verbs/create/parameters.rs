//! Parameters of a Template from flags: what a text stands for is said by the Template, not by the text.
//!
//! The daemon is asked for the Template once. Where it cannot be asked, texts are read as YAML reads them; a daemon that is
//! told to make the object checks all of it again.

use clap::ArgMatches;
use orch_shared::kind::{Kind, Report, downcast};
use orch_shared::kinds::server::Server;
use orch_shared::kinds::template::Template;
use orch_shared::name::{Name, ObjectRef};
use orch_shared::path::FieldPath;
use orch_shared::problem::FieldProblem;
use orch_shared::resource::Resource;
use serde_json::Value;

use super::{many, values};
use crate::report::Failure;
use crate::settings::Settings;

/// Puts the values of `--param` in the form that the Template asks for.
pub(super) fn read(settings: &Settings, kind: Kind, matches: &ArgMatches, spec: &mut Value) -> Result<(), Failure> {
    if kind != Kind::Server || many(matches, "short.param").next().is_none() {
        return Ok(());
    }
    let name = spec.pointer("/template/name").and_then(Value::as_str);
    let Some(name) = name else {
        let failure = Failure::usage("--param is for a server that is made from a Template");
        return Err(failure.hint("name it: --from-template NAME; what there is: orchctl get templates"));
    };
    let Some(template) = template(settings, name) else {
        return Ok(());
    };
    for text in many(matches, "short.param") {
        let refuse = |error: String| Failure::usage(format!("--param: {error}"));
        let (name, text) = values::pair(text).map_err(refuse)?;
        if let Some(parameter) = template.parameter(name) {
            let at = FieldPath::parse("template.parameters").key(name);
            values::put(spec, &at, parameter.read(text)).map_err(refuse)?;
        }
    }
    Ok(())
}

/// What is wrong with the values that a Server gives to its Template, as far as the Template can be had.
pub(super) fn check(settings: &Settings, resource: &Resource) -> Result<(), Vec<FieldProblem>> {
    let server = downcast::<Server>(resource.spec.as_ref());
    let Some((server, usage)) = server.and_then(|server| Some((server, server.template.as_ref()?))) else {
        return Ok(());
    };
    let resolved = template(settings, usage.name.as_str()).map(|template| template.resolve(server, usage));
    match resolved {
        Some(Err(report)) => Err(Report::into_problems(report)),
        Some(Ok(_)) | None => Ok(()),
    }
}

/// The Template of that name, when the daemon knows it and says so.
fn template(settings: &Settings, name: &str) -> Option<Template> {
    let object = ObjectRef::cluster(Kind::Template, name.parse::<Name>().ok()?);
    let found = settings.client().ok()?.find(&settings.ui, &object).ok()??;
    downcast::<Template>(found.typed_spec()?.as_ref()).cloned()
}
