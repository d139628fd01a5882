//! The forms of `-o`, read once.

use std::str::FromStr;

use orch_shared::path::FieldPath;
use orch_shared::problem::near_miss;

use super::jsonpath::Template;

/// How objects are printed.
#[derive(Debug, Clone)]
pub(crate) enum Output {
    /// A table.
    Table,
    /// A table with more columns.
    Wide,
    /// Manifests, as a stream of YAML documents.
    Yaml,
    /// The whole objects, as JSON.
    Json,
    /// `kind/name`, a line each.
    Name,
    /// A JSONPath template.
    Jsonpath(Template),
    /// A table of chosen fields.
    Columns(Vec<Column>),
}

/// A column that the user chose.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Column {
    /// Its heading.
    pub(crate) title: String,
    /// The field it shows.
    pub(crate) path: FieldPath,
}

const FORMS: [&str; 9] = [
    "table",
    "wide",
    "yaml",
    "json",
    "name",
    "jsonpath",
    "jsonpath-file",
    "custom-columns",
    "custom-columns-file",
];

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (form, argument) = match text.split_once('=') {
            Some((form, argument)) => (form, Some(argument)),
            None => (text, None),
        };
        let needed = |what: &str| argument.ok_or_else(|| format!("{form} needs {what}: {form}=..."));
        let from_file =
            |path: &str| std::fs::read_to_string(path).map_err(|error| format!("cannot read {path}: {error}"));
        match form {
            "table" => Ok(Self::Table),
            "wide" => Ok(Self::Wide),
            "yaml" => Ok(Self::Yaml),
            "json" => Ok(Self::Json),
            "name" => Ok(Self::Name),
            "jsonpath" => needed("a template")?.parse().map(Self::Jsonpath),
            "jsonpath-file" => from_file(needed("a file")?)?
                .trim_end_matches('\n')
                .parse()
                .map(Self::Jsonpath),
            "custom-columns" => columns(needed("columns")?.split(',')).map(Self::Columns),
            "custom-columns-file" => columns_in_file(&from_file(needed("a file")?)?).map(Self::Columns),
            other => Err(match near_miss(other, FORMS) {
                Some(near) => format!("there is no form `{other}`; did you mean `{near}`?"),
                None => format!("there is no form `{other}`; there are {}", FORMS.join(", ")),
            }),
        }
    }
}

/// `NAME:.metadata.name,PHASE:.status.phase`.
fn columns<'t>(terms: impl Iterator<Item = &'t str>) -> Result<Vec<Column>, String> {
    terms
        .map(|term| match term.split_once(':') {
            Some((title, path)) if !title.is_empty() && !path.is_empty() => Ok(Column {
                title: title.to_owned(),
                path: field_path(path),
            }),
            _ => Err(format!("`{term}` is no column; write TITLE:.field.path")),
        })
        .collect()
}

/// Two lines as kubectl has them: titles, and below each its path.
fn columns_in_file(text: &str) -> Result<Vec<Column>, String> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let (titles, paths) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let (titles, paths): (Vec<&str>, Vec<&str>) =
        (titles.split_whitespace().collect(), paths.split_whitespace().collect());
    if titles.is_empty() || titles.len() != paths.len() {
        return Err("the file has a line of titles and a line with as many paths".to_owned());
    }
    let column = |(title, path): (&&str, &&str)| Column {
        title: (*title).to_owned(),
        path: field_path(path),
    };
    Ok(titles.iter().zip(&paths).map(column).collect())
}

/// A field as `--sort-by` and columns name it: `.status.phase`, `{.status.phase}` or `status.phase`.
pub(crate) fn field_path(text: &str) -> FieldPath {
    let bare = text.trim().trim_start_matches('{').trim_end_matches('}');
    FieldPath::parse(bare.trim_start_matches(['$', '.']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_and_near_misses_named() {
        for (text, expected) in [
            ("yaml", Ok("Yaml")),
            ("custom-columns=A:.metadata.name,B:{.spec.x}", Ok("Columns")),
            ("jsonpath={.a}", Ok("Jsonpath")),
            ("jsonpath", Err("jsonpath needs a template: jsonpath=...")),
            ("jason", Err("there is no form `jason`; did you mean `json`?")),
            ("custom-columns=A", Err("`A` is no column; write TITLE:.field.path")),
        ] {
            match (text.parse::<Output>(), expected) {
                (Ok(output), Ok(start)) => assert!(format!("{output:?}").starts_with(start), "{text}"),
                (Err(said), Err(message)) => assert_eq!(said, message),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }

    #[test]
    fn fields_are_named_in_kubectls_ways() {
        for text in [".status.phase", "{.status.phase}", "status.phase", "$.status.phase"] {
            assert_eq!(field_path(text).to_string(), "status.phase");
        }
    }

    #[test]
    fn columns_from_a_file() {
        let columns = columns_in_file("NAME  PHASE\n.metadata.name  .status.phase\n").unwrap();
        assert_eq!(columns[1].path.to_string(), "status.phase");
        assert!(columns_in_file("NAME PHASE\n.metadata.name\n").is_err());
    }
}
