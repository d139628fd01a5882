//! `why`: the causal chain behind an object that is not well: its conditions, what it refers to, what belongs to it, how
//! that ended, what it wrote last; and what mends it.

use std::fmt::Write as _;
use std::time::Duration;

use clap::Args;
use clap_complete::ArgValueCompleter;
use orch_shared::kind::Kind;
use orch_shared::kinds::token::TokenPhase;
use orch_shared::name::ObjectRef;
use orch_shared::problem::Code;
use orch_shared::query::Severity;
use orch_shared::resource::{Condition, ConditionStatus, Timestamp};
use serde::Deserialize as _;
use serde_json::Value;

use super::describe::events;
use super::wait::spelled;
use crate::args::targets;
use crate::client::Object;
use crate::complete;
use crate::render::age;
use crate::render::cell::{one_line, trouble};
use crate::report::{Failure, Outcome};
use crate::settings::Settings;
use crate::ui::{Stream, Tone};

/// How many of the objects that belong to it are told of.
const MOST_OWNED: usize = 3;
/// How many lines of standard error are shown.
const MOST_LINES: usize = 10;
/// How many warnings are shown.
const MOST_WARNINGS: usize = 3;

/// Tell why an object is not well, and what mends it
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl why server/search
  orchctl why agent reviewer
  orchctl why instance/search-7f2c1
")]
pub(crate) struct Arguments {
    /// Object: KIND NAME or KIND/NAME
    #[arg(value_name = "OBJECT", required = true, add = ArgValueCompleter::new(complete::targets))]
    target: Vec<String>,
}

/// Tells.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let client = settings.client()?;
    let object = client.object(&settings.ui, &targets::object(settings, &arguments.target)?)?;
    let reference = object.reference();
    let mut chain = Chain::new(settings);
    chain.head(&object);
    chain.conditions(&object);
    let references = object.typed_spec().map(|spec| spec.references()).unwrap_or_default();
    for reference in references {
        match client.find(&settings.ui, &reference.target)? {
            None => {
                chain.because(&format!("{} ({}) is not there", reference.target, reference.path));
                chain.failing.push(reference.target);
            }
            Some(target) => chain.referred(&target),
        }
    }
    let owned = client.owned(&settings.ui, object.kind, object.uid())?;
    let unwell: Vec<&Object> = owned.iter().filter(|one| !one.is_ready()).collect();
    for one in unwell.iter().take(MOST_OWNED) {
        chain.owned(one);
    }
    if unwell.len() > MOST_OWNED {
        chain.because(&format!("{} more are not well", unwell.len() - MOST_OWNED));
    }
    chain.ended(&object);
    if chain.has_reasons() {
        let warnings = events(settings, &reference)?;
        let warnings: Vec<_> = warnings
            .iter()
            .rev()
            .filter(|event| event.severity == Severity::Warning)
            .collect();
        for event in warnings.into_iter().take(MOST_WARNINGS) {
            chain.event(&event.reason, &event.message, event.last_at);
        }
        chain.remedies(&object, &unwell);
    }
    settings.ui.write(&chain.out)?;
    Ok(Outcome::Done)
}

struct Chain<'s> {
    settings: &'s Settings,
    now: Timestamp,
    out: String,
    /// What was told, so that nothing is told twice.
    told: Vec<String>,
    reasons: usize,
    codes: Vec<Code>,
    /// What it refers to that is not there, or not well.
    failing: Vec<ObjectRef>,
    /// How to make it anew, where it cannot be mended.
    again: Option<String>,
}

impl<'s> Chain<'s> {
    fn new(settings: &'s Settings) -> Self {
        Self {
            settings,
            now: settings.now(),
            out: String::new(),
            told: Vec::new(),
            reasons: 0,
            codes: Vec::new(),
            failing: Vec::new(),
            again: None,
        }
    }

    fn line(&mut self, label: &str, tone: Tone, text: &str) {
        let label = self.settings.ui.paint(Stream::Data, tone, &format!("{label:9}"));
        let _ = writeln!(self.out, "  {label} {text}");
    }

    const fn has_reasons(&self) -> bool {
        self.reasons > 0
    }

    /// Notes a reason, unless it was told already; its codes lead to what mends it.
    fn because(&mut self, text: &str) {
        let (text, codes) = without_codes(text);
        self.codes.extend(codes);
        if self.is_new(&text) {
            self.reasons += 1;
            self.line("because", Tone::Plain, &age::spoken(self.now, &text));
        }
    }

    /// Whether something like it was not told yet; from now on it was. Numbers and instants make no difference.
    fn is_new(&mut self, text: &str) -> bool {
        let gist: String = text.chars().filter(|c| !c.is_ascii_digit()).collect();
        let is_new = !self.told.iter().any(|told| told.contains(&gist));
        self.told.push(gist);
        is_new
    }

    fn head(&mut self, object: &Object) {
        let reference = object.reference();
        let phase = object.phase();
        let going = object.identity().and_then(|identity| identity.deleting_since);
        let line = match (going, object.is_ready() || token(object) == Some(TokenPhase::Active)) {
            (Some(since), _) => format!("{reference} is being deleted, for {}.", age::since(self.now, since)),
            (None, true) => format!("{reference} is {phase}."),
            (None, false) => format!("{reference} is not Ready ({phase})."),
        };
        let _ = writeln!(
            self.out,
            "{}",
            self.settings.ui.paint(Stream::Data, Tone::Strong, &line)
        );
    }

    /// The conditions that do not hold: the particular ones first, since `Ready` only sums them up. They explain nothing of
    /// an object that is Ready, and are only worth a note there.
    fn conditions(&mut self, object: &Object) {
        let conditions = object.conditions();
        // That it does not progress, and whether it answers, follows from the others; that it goes back to what ran before
        // is for somebody to decide.
        let follows = |condition: &Condition| match condition.condition.as_str() {
            "Progressing" => condition.reason != "RolloutStuck",
            name => name == "Available",
        };
        let is_wrong = |condition: &&Condition| condition.status != ConditionStatus::True && !follows(condition);
        let (summary, particular): (Vec<_>, Vec<_>) = conditions
            .iter()
            .filter(is_wrong)
            .partition(|condition| condition.condition == "Ready");
        if let Some(phase) = token(object) {
            self.token(object, phase);
        } else if conditions.is_empty() {
            self.because("the daemon has not said anything about it yet");
        }
        for condition in particular.into_iter().chain(summary) {
            let since = age::local(self.now, condition.last_transition_time);
            let (said, codes) = without_codes(&one_line(&condition.message));
            let said = match said.is_empty() {
                true => condition.reason.clone(),
                false => format!("{}: {said}", condition.reason),
            };
            let holds = format!("{}={:?} since {since} ({said})", condition.condition, condition.status);
            if !self.is_new(&said) {
                self.codes.extend(codes);
            } else if object.is_ready() {
                self.line("note", Tone::Dim, &age::spoken(self.now, &holds));
            } else {
                self.codes.extend(codes);
                self.because(&holds);
            }
        }
    }

    /// A token has no conditions: it opens something or it does not.
    fn token(&mut self, object: &Object, phase: TokenPhase) {
        let at = |field: &str| {
            let at = object.status.get(field).and_then(Value::as_str);
            let at = at.and_then(|at| at.parse().ok());
            at.map(|at| format!(" since {}", age::local(self.now, at)))
                .unwrap_or_default()
        };
        let because = match phase {
            TokenPhase::Active => return,
            TokenPhase::Expired => format!("its time is over{}", at("expiresAt")),
            TokenPhase::Revoked => format!("it was revoked, or what it was made with was{}", at("revokedAt")),
        };
        self.because(&because);
        let again = spelled(&object.reference()).replacen('/', " ", 1);
        self.again = Some(format!("another one in its place: orchctl create {again} --force"));
    }

    /// An object that this one refers to, when it is not well.
    fn referred(&mut self, target: &Object) {
        if !target.is_ready() {
            let conditions = target.conditions();
            let said = trouble(&conditions).map_or("not ready", |condition| &condition.message);
            self.because(&format!("{} is not well: {}", target.reference(), one_line(said)));
            self.failing.push(target.reference());
        }
    }

    /// An object that belongs to this one and is not well.
    fn owned(&mut self, one: &Object) {
        if one.status.get("lastExit").is_none() {
            let conditions = one.conditions();
            let said = trouble(&conditions)
                .map(|condition| one_line(&condition.message))
                .unwrap_or_default();
            let phase = one.phase();
            let more = if said.is_empty() {
                String::new()
            } else {
                format!(": {said}")
            };
            self.because(&format!("{} is {phase}{more}", one.reference()));
        }
        self.ended(one);
    }

    /// How the process of an object ended last, and what it wrote before.
    fn ended(&mut self, object: &Object) {
        let Some(exit) = object.status.get("lastExit").filter(|_| !object.is_ready()) else {
            return;
        };
        let text = |key: &str| exit.get(key).and_then(Value::as_str);
        let how = match (exit.get("code").and_then(Value::as_i64), text("signal")) {
            (Some(code), _) => format!("exited with code {code}"),
            (None, Some(signal)) => format!("was ended by {signal}"),
            (None, None) => "ended".to_owned(),
        };
        let after = exit.get("ranForMs").and_then(Value::as_u64).map(Duration::from_millis);
        let after = after
            .map(|ran| format!(" after {}", age::run_time(ran)))
            .unwrap_or_default();
        let reason = text("reason").map(|reason| format!(": {reason}")).unwrap_or_default();
        self.because(&format!("{} {how}{after}{reason}", object.reference()));
        let lines: Vec<&str> = exit
            .get("stderr")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        if !lines.is_empty() {
            let _ = writeln!(self.out, "  last lines of its stderr");
            for line in &lines[lines.len().saturating_sub(MOST_LINES)..] {
                let indent = line.len() - line.trim_start().len();
                let _ = writeln!(self.out, "      {}{}", &line[..indent], one_line(line));
            }
        }
    }

    fn event(&mut self, reason: &str, message: &str, at: Timestamp) {
        let (message, codes) = without_codes(&one_line(message));
        self.codes.extend(codes);
        if self.is_new(&message) {
            let at = age::local(self.now, at);
            let message = age::spoken(self.now, &message);
            self.line("event", Tone::Dim, &format!("{at} {reason}: {message}"));
        }
    }

    /// What mends it: the pages of the codes that were met, then where to look further.
    fn remedies(&mut self, object: &Object, unwell: &[&Object]) {
        self.codes.sort_unstable();
        self.codes.dedup();
        for code in self.codes.clone() {
            if let Some(remedy) = remedy(code, &object.reference(), &self.failing) {
                self.line("try", Tone::Hint, &format!("{remedy} ({code})"));
            }
        }
        let again = self.again.take();
        if let Some(change) = again.or_else(|| change(object, unwell, &self.codes)) {
            self.line("try", Tone::Hint, &change);
        }
        let ended =
            unwell.iter().any(|one| one.status.get("lastExit").is_some()) || object.status.get("lastExit").is_some();
        let next = match ended {
            true => format!("what it wrote: orchctl logs {} --previous", object.metadata.name),
            false => format!("the whole picture: orchctl describe {}", spelled(&object.reference())),
        };
        self.line("see", Tone::Hint, &next);
    }
}

/// Whether a token opens anything; nothing for what is none.
fn token(object: &Object) -> Option<TokenPhase> {
    let phase = object.status.get("phase").filter(|_| object.kind == Kind::Token)?;
    TokenPhase::deserialize(phase).ok()
}

/// What to change in the spec, by how it ended. What went over a limit does so in any version.
fn change(object: &Object, unwell: &[&Object], codes: &[Code]) -> Option<String> {
    let all = || std::iter::once(object).chain(unwell.iter().copied());
    let reasons = all().filter_map(|one| one.status.get("lastExit")?.get("reason")?.as_str());
    if let Some(limit) = reasons.into_iter().find_map(limit) {
        return Some(limit);
    }
    if !codes.contains(&Code::CrashLoop) {
        return None;
    }
    let is_from = |source: &str| {
        all().any(|one| {
            let spec = one.spec();
            spec.get("run").unwrap_or(&spec).get(source).is_some()
        })
    };
    let resolved = |part: &str| object.status.get("resolved")?.get(part)?.as_str();
    if is_from("image") {
        let name = resolved("name")?;
        return Some(format!("another image than {name}: spec.image.reference"));
    }
    let version = resolved("version")?;
    Some(format!(
        "another version of the package than {version}: spec.package.version"
    ))
}

/// What to do about the limit that a reason tells of.
fn limit(reason: &str) -> Option<String> {
    let between = |start: &str, end: &str| reason.strip_prefix(start)?.strip_suffix(end);
    if let Some(memory) = between("memory limit of ", " exceeded") {
        return Some(format!("more memory than {memory}: spec.resources.memory"));
    }
    if reason == "the machine ran out of memory" {
        return Some("a limit that leaves the machine enough memory: spec.resources.memory; or more memory".to_owned());
    }
    if let Some(processor) = between("processor time limit of ", " exceeded") {
        return Some(format!("more processor time than {processor}: spec.resources.cpu"));
    }
    let processes = between("limit of ", " processes reached")?;
    Some(format!("more processes than {processes}: spec.resources.pids"))
}

/// The text without the `(ORCH6006)` in it, and the codes that were.
fn without_codes(text: &str) -> (String, Vec<Code>) {
    let mut out = text.to_owned();
    let mut codes = Vec::new();
    while let Some(start) = out.find("(ORCH") {
        let Some(length) = out[start..].find(')') else { break };
        match out[start + 1..start + length].parse() {
            Ok(code) => codes.push(code),
            Err(()) => break,
        }
        out.replace_range(start..=start + length, "");
        out = out.replace("  ", " ").trim_end().to_owned();
    }
    (out, codes)
}

/// What the page of a code says to do, for that object and what it refers to that fails. Advice to run this very verb is left
/// out.
fn remedy(code: Code, object: &ObjectRef, failing: &[ObjectRef]) -> Option<String> {
    let (_, advice) = code.page().split_once("## What to do")?;
    let words: Vec<&str> = advice.split_whitespace().collect();
    let useful = !words.join(" ").contains("orchctl why");
    useful.then(|| filled(&words, object, failing))
}

/// The words of a page with the names that are meant. A command about another kind is about what fails of that kind; where
/// nothing is known to, it stays as the page has it.
fn filled(words: &[&str], object: &ObjectRef, failing: &[ObjectRef]) -> String {
    let meant = |noun: &str| match Kind::from_noun(noun) {
        Some(kind) => std::iter::once(object).chain(failing).find(|one| one.kind == kind),
        None if noun == "KIND" => Some(object),
        // Whose output it is goes without saying.
        None if noun == "logs" && matches!(object.kind, Kind::Server | Kind::Instance) => Some(object),
        None => None,
    };
    let mut out: Vec<String> = Vec::new();
    for word in words {
        let Some((before, after)) = word.split_once("NAME") else {
            out.push((*word).to_owned());
            continue;
        };
        let noun = match before.strip_suffix('/') {
            Some(noun) => Some(noun.trim_start_matches('`').to_owned()),
            None => out.last().filter(|_| before.is_empty()).cloned(),
        };
        let Some((found, noun)) = noun.and_then(|noun| Some((meant(&noun)?, noun))) else {
            out.push((*word).to_owned());
            continue;
        };
        let quote = if before.starts_with('`') { "`" } else { "" };
        if noun == "logs" {
            out.push(format!("{}{after}", found.name));
            continue;
        }
        if before.is_empty() {
            out.pop();
        }
        out.push(format!("{quote}{}{after}", spelled(found)));
    }
    out.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use orch_shared::name::Scope;
    use serde_json::json;

    #[test]
    fn what_is_to_be_changed_fits_how_it_ended() {
        let object = |kind: &str, spec: &Value, status: &Value| -> Object {
            let whole = json!({"kind": kind, "metadata": {"name": "x"}, "spec": spec, "status": status});
            serde_json::from_str(&whole.to_string()).unwrap()
        };
        let package = json!({"package": {"registry": "npm", "name": "p"}});
        let image = json!({"image": {"reference": "a/b:1"}});
        let template = json!({"template": {"name": "t"}});
        let of_image = json!({"name": "a/b:1", "version": "sha256:91c0"});
        let of_package = json!({"name": "p", "version": "1.2.0"});
        let memory = Some("memory limit of 64Mi exceeded");
        let version = Some("another version of the package than 1.2.0: spec.package.version");
        let more = Some("more memory than 64Mi: spec.resources.memory");
        for (spec, run, resolved, reason, code, expected) in [
            (&image, &image, &of_image, memory, Code::CrashLoop, more),
            (&package, &package, &of_package, memory, Code::CrashLoop, more),
            (&image, &image, &of_image, memory, Code::Unhealthy, more),
            (
                &image,
                &image,
                &of_image,
                Some("limit of 16 processes reached"),
                Code::CrashLoop,
                Some("more processes than 16: spec.resources.pids"),
            ),
            (
                &image,
                &image,
                &of_image,
                None,
                Code::CrashLoop,
                Some("another image than a/b:1: spec.image.reference"),
            ),
            (&package, &package, &of_package, None, Code::CrashLoop, version),
            (&template, &package, &of_package, None, Code::CrashLoop, version),
            (&package, &package, &of_package, None, Code::Unhealthy, None),
        ] {
            let server = object("Server", spec, &json!({"resolved": resolved}));
            let exit = json!({"code": 137, "reason": reason});
            let copy = json!({"server": "x", "generation": 1, "digest": "d", "run": run});
            let copy = object("Instance", &copy, &json!({"lastExit": exit}));
            let told = change(&server, &[&copy], &[code]);
            assert_eq!(told.as_deref(), expected, "{spec} {reason:?}");
        }
        let told = limit("the machine ran out of memory").unwrap();
        assert!(told.contains("spec.resources.memory"), "{told}");
    }

    #[test]
    fn codes_are_taken_out_of_messages() {
        for (text, rest, codes) in [
            (
                "exit 1; 6 restarts (ORCH6006)",
                "exit 1; 6 restarts",
                vec![Code::CrashLoop],
            ),
            (
                "a (ORCH6009) b (ORCH6008)",
                "a b",
                vec![Code::ReferenceBroken, Code::NotImplemented],
            ),
            ("(ORCHIDS) bloom", "(ORCHIDS) bloom", vec![]),
            ("no code", "no code", vec![]),
        ] {
            assert_eq!(without_codes(text), (rest.to_owned(), codes), "{text}");
        }
    }

    #[test]
    fn pages_give_remedies() {
        let x = ObjectRef::cluster(Kind::Server, "x".parse().unwrap());
        assert!(remedy(Code::ToolMissing, &x, &[]).is_some_and(|text| text.starts_with("Install")));
        assert_eq!(
            remedy(Code::CrashLoop, &x, &[]),
            None,
            "it would send the user back here"
        );
    }

    #[test]
    fn remedies_name_what_they_are_about() {
        let object = |kind, name: &str| ObjectRef::cluster(kind, name.parse().unwrap());
        let user = object(Kind::Server, "user");
        let bao = object(Kind::SecretBackend, "bao");
        let tone = ObjectRef {
            scope: Scope::Project("web".parse().unwrap()),
            ..object(Kind::Prompt, "tone")
        };
        for (page, object, failing, expected) in [
            (
                "`orchctl describe server NAME`.",
                &user,
                None,
                "`orchctl describe server/user`.",
            ),
            (
                "`orchctl describe secretbackend NAME` says",
                &user,
                None,
                "`orchctl describe secretbackend NAME` says",
            ),
            (
                "`orchctl describe secretbackend NAME` says",
                &user,
                Some(&bao),
                "`orchctl describe secretbackend/bao` says",
            ),
            (
                "`orchctl describe secretbackend NAME` says",
                &bao,
                None,
                "`orchctl describe secretbackend/bao` says",
            ),
            (
                "`orchctl describe KIND NAME` names",
                &tone,
                None,
                "`orchctl describe prompt/tone -p web` names",
            ),
            (
                "`orchctl history KIND/NAME`.",
                &tone,
                None,
                "`orchctl history prompt/tone -p web`.",
            ),
            (
                "`orchctl events server/NAME`, then",
                &user,
                None,
                "`orchctl events server/user`, then",
            ),
            (
                "`orchctl logs NAME --previous`",
                &user,
                None,
                "`orchctl logs user --previous`",
            ),
            (
                "`orchctl apply --set NAME -f x`",
                &user,
                None,
                "`orchctl apply --set NAME -f x`",
            ),
            (
                "`orchctl create secret NAME --from-file a`",
                &user,
                None,
                "`orchctl create secret NAME --from-file a`",
            ),
        ] {
            let words: Vec<&str> = page.split(' ').collect();
            let failing: Vec<ObjectRef> = failing.into_iter().cloned().collect();
            assert_eq!(filled(&words, object, &failing), expected);
        }
    }
}
