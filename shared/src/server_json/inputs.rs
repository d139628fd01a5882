//! Inputs of a document to parameters of a Template, and to texts with places for them.

use std::collections::BTreeMap;

use super::document::{Format, Input};
use crate::kinds::template::{Parameter, ParameterType, literal};
use crate::path::FieldPath;
use crate::problem::{Code, FieldProblem};

/// Gathers parameters, and what cannot be one.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    parameters: Vec<Parameter>,
    problems: Vec<FieldProblem>,
    notes: Vec<String>,
}

/// Where a value ends up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spot {
    /// As the whole value of a variable or a header, which may be a secret.
    Value,
    /// Where others see it.
    Open,
}

impl Inputs {
    /// The parameters, the problems and the notes.
    pub(super) fn finish(self) -> (Vec<Parameter>, Vec<FieldProblem>, Vec<String>) {
        (self.parameters, self.problems, self.notes)
    }

    /// Notes what a Template cannot say.
    pub(super) fn refuse(&mut self, at: FieldPath, message: impl Into<String>, hint: impl Into<String>) {
        let problem = FieldProblem::new(Code::InvalidValue, at, message.into());
        self.problems.push(problem.hint(hint.into()));
    }

    /// Notes what a Template does not say and nobody will miss.
    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// The text that stands for an input; `None` for one that is neither fixed nor to be given.
    pub(super) fn text(&mut self, input: &Input, name: &str, spot: Spot, at: &FieldPath) -> Option<String> {
        self.text_among(input, &input.variables, name, spot, at)
    }

    /// The same, with the variables that its value may hold.
    pub(super) fn text_among(
        &mut self,
        input: &Input,
        variables: &BTreeMap<String, Input>,
        name: &str,
        spot: Spot,
        at: &FieldPath,
    ) -> Option<String> {
        let Some(value) = &input.value else {
            return self.parameter(input, name, spot, at);
        };
        let pieces = pieces(value, variables);
        let secrets = pieces.iter().filter(|piece| match piece {
            Piece::Variable(_, variable) => variable.is_secret || input.is_secret,
            Piece::Text(_) => false,
        });
        let variables_in_it = pieces.iter().filter(|piece| matches!(piece, Piece::Variable(..)));
        match (secrets.count(), variables_in_it.count(), pieces.len()) {
            (0, _, _) | (1, 1, 1) => {}
            // `Bearer {token}`: what is kept secret is the whole.
            (1, 1, _) if spot == Spot::Value => return self.whole_secret(input, variables, value, name, at),
            (_, _, _) => {
                self.refuse(
                    at.key("value"),
                    "a secret stands inside a longer text",
                    "a secret is the whole value of a variable or a header",
                );
                return None;
            }
        }
        let mut text = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(part) => text.push_str(&literal(part)),
                Piece::Variable(name, variable) => {
                    let at = at.key("variables").key(name);
                    text.push_str(&self.parameter(variable, name, spot, &at)?);
                }
            }
        }
        Some(text)
    }

    /// A secret that is given with what stands around it.
    fn whole_secret(
        &mut self,
        input: &Input,
        variables: &BTreeMap<String, Input>,
        form: &str,
        name: &str,
        at: &FieldPath,
    ) -> Option<String> {
        let variable = variables.values().find(|variable| variable.is_secret);
        let about = variable.and_then(|variable| variable.description.as_deref());
        let about = about.or(input.description.as_deref()).unwrap_or(name);
        let whole = Input {
            description: Some(format!("{about}; the whole value, in the form `{form}`")),
            is_required: input.is_required || variable.is_some_and(|variable| variable.is_required),
            is_secret: true,
            ..Input::default()
        };
        self.parameter(&whole, name, Spot::Value, at)
    }

    /// The place of a parameter that is made of an input.
    fn parameter(&mut self, input: &Input, name: &str, spot: Spot, at: &FieldPath) -> Option<String> {
        if let Some(fixed) = &input.value {
            return Some(literal(fixed));
        }
        if input.is_secret && spot == Spot::Open {
            self.refuse(
                at.clone(),
                format!("the secret `{name}` would stand where others see it"),
                "secrets go into variables of the environment and headers; write the Template by hand if the server reads one",
            );
            return None;
        }
        if input.is_secret && input.default.is_some() {
            self.refuse(
                at.key("default"),
                "a secret with a default is none",
                "take one of the two out",
            );
            return None;
        }
        let value_type = match input.format {
            Format::String | Format::Filepath => None,
            Format::Number => Some(ParameterType::Number),
            Format::Boolean => Some(ParameterType::Boolean),
        };
        let mut parameter = Parameter {
            name: self.name(name),
            description: description(input),
            value_type,
            required: None,
            default: None,
            choices: (!input.choices.is_empty()).then(|| input.choices.clone()),
            secret: input.is_secret.then_some(true),
        };
        // What is given empty by default is what is left out.
        let default = input.default.as_deref().filter(|text| !text.is_empty());
        parameter.default = default.map(|text| parameter.read(text));
        parameter.required = match (input.is_secret, input.is_required) {
            (true, true) => None,
            (true, false) => Some(false),
            (false, true) => parameter.default.is_none().then_some(true),
            (false, false) => None,
        };
        // Two variables of one name that are alike are one.
        let name = match self.alike(&parameter, name) {
            Some(known) => known,
            None => {
                let name = parameter.name.clone();
                self.parameters.push(parameter);
                name
            }
        };
        Some(format!("${{{name}}}"))
    }

    fn alike(&self, parameter: &Parameter, name: &str) -> Option<String> {
        let plain = plain(name);
        let same = |known: &&Parameter| {
            let renamed = Parameter {
                name: known.name.clone(),
                ..parameter.clone()
            };
            known.name == plain && renamed == **known
        };
        self.parameters.iter().find(same).map(|known| known.name.clone())
    }

    /// A name that is free: the first by itself, further ones with a number.
    fn name(&self, name: &str) -> String {
        let plain = plain(name);
        let is_free = |name: &String| self.parameters.iter().all(|known| known.name != *name);
        let numbered = (2..).map(|number| format!("{plain}_{number}"));
        let mut names = std::iter::once(plain.clone()).chain(numbered);
        names.find(is_free).expect("numbers do not end")
    }
}

/// What is said about an input, with an example when there is one.
fn description(input: &Input) -> Option<String> {
    let about = input
        .description
        .as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty());
    let example = input.placeholder.as_deref().filter(|text| !text.is_empty());
    match (about, example) {
        (Some(about), Some(example)) => Some(format!("{}; such as {example}", about.trim_end_matches('.'))),
        (None, Some(example)) => Some(format!("Such as {example}")),
        (about, None) => about.map(str::to_owned),
    }
}

/// `--api-key` as the name of a parameter.
fn plain(name: &str) -> String {
    let legal = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let name: String = name.trim_start_matches('-').chars().map(legal).collect();
    if name.is_empty() { "value".to_owned() } else { name }
}

/// A part of a value.
enum Piece<'v> {
    Text(&'v str),
    Variable(&'v str, &'v Input),
}

/// A value taken apart: `{name}` is a variable where there is one of that name, and itself where there is none.
fn pieces<'v>(value: &'v str, variables: &'v BTreeMap<String, Input>) -> Vec<Piece<'v>> {
    let mut pieces = Vec::new();
    let (mut rest, mut from) = (value, 0);
    while let Some(start) = rest[from..].find('{').map(|start| from + start) {
        let end = rest[start..].find('}').map(|end| start + end);
        let variable = end.and_then(|end| variables.get_key_value(&rest[start + 1..end]));
        match (variable, end) {
            (Some((name, variable)), Some(end)) => {
                if start > 0 {
                    pieces.push(Piece::Text(&rest[..start]));
                }
                pieces.push(Piece::Variable(name, variable));
                (rest, from) = (&rest[end + 1..], 0);
            }
            (_, _) => from = start + 1,
        }
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    pieces
}

/// Whether a text stands for nothing but itself.
pub(super) fn is_plain(input: &Input) -> Option<&str> {
    let value = input.value.as_deref()?;
    let is_text = pieces(value, &input.variables)
        .iter()
        .all(|piece| matches!(piece, Piece::Text(_)));
    is_text.then_some(value)
}

/// The port and path of a URL on this machine, when it says them plainly.
pub(super) fn port_and_path(url: &str) -> Option<(u16, Option<String>)> {
    let rest = url.strip_prefix("http://")?;
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (_, port) = host.rsplit_once(':')?;
    let port = port.parse().ok().filter(|port| *port > 0)?;
    (!path.contains('{')).then(|| (port, (path.len() > 1).then(|| path.to_owned())))
}

/// A list that is absent when it is empty.
pub(super) fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}
