//! What a line of Markdown is, told by its beginning.

/// A line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line<'t> {
    /// How many quotes it stands in.
    pub(super) quotes: usize,
    /// How far it is indented within those.
    pub(super) indent: usize,
    /// What stands behind that.
    pub(super) rest: &'t str,
    /// What it is.
    pub(super) kind: Kind<'t>,
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind<'t> {
    /// Nothing stands in it.
    Blank,
    /// Code begins.
    Fence {
        /// The character of the fence.
        mark: char,
        /// How many there are.
        length: usize,
    },
    /// A heading.
    Heading {
        /// 1 to 6.
        level: usize,
        /// What it says.
        text: &'t str,
    },
    /// A line across.
    Rule,
    /// A row of a table.
    Row,
    /// An item of a list.
    Item {
        /// What it begins with: `-`, `1.`.
        marker: &'t str,
        /// What it says.
        text: &'t str,
    },
    /// Anything else.
    Text,
}

/// A line that is there as a whole.
pub(super) fn whole(text: &str) -> Line<'_> {
    let (quotes, inner) = quoted(text);
    let (indent, rest) = indented(inner);
    Line {
        quotes,
        indent,
        rest,
        kind: kind(rest),
    }
}

/// A line of which only the beginning is there, up to a blank, once that says what it is; and only if its words may be drawn
/// one by one.
pub(super) fn begun(text: &str) -> Option<Line<'_>> {
    let line = whole(text);
    let bare = line.rest.trim_end();
    let may_be_rule = ['-', '*', '_'].iter().any(|mark| is_only(bare, *mark));
    let may_be_heading = !bare.is_empty() && bare.chars().all(|c| c == '#');
    match line.kind {
        _ if may_be_rule || may_be_heading => None,
        Kind::Blank | Kind::Fence { .. } | Kind::Heading { .. } | Kind::Rule | Kind::Row => None,
        Kind::Item { text: "", .. } => None,
        Kind::Item { text, .. } if fence(text).is_some() => None,
        Kind::Item { .. } | Kind::Text => Some(line),
    }
}

/// What stands within so many quotes.
pub(super) fn unquoted(text: &str, quotes: usize) -> &str {
    (0..quotes).fold(text, |text, _| unquote(text).unwrap_or(text))
}

fn quoted(mut text: &str) -> (usize, &str) {
    let mut quotes = 0;
    while let Some(inner) = unquote(text) {
        text = inner;
        quotes += 1;
    }
    (quotes, text)
}

fn unquote(text: &str) -> Option<&str> {
    let bare = text.trim_start_matches(' ');
    if text.len() - bare.len() > 3 {
        return None;
    }
    let inner = bare.strip_prefix('>')?;
    Some(inner.strip_prefix(' ').unwrap_or(inner))
}

fn indented(text: &str) -> (usize, &str) {
    let rest = text.trim_start_matches([' ', '\t']);
    let indent = text[..text.len() - rest.len()]
        .chars()
        .map(|c| if c == '\t' { 4 } else { 1 })
        .sum();
    (indent, rest)
}

fn kind(rest: &str) -> Kind<'_> {
    let bare = rest.trim_end();
    if bare.is_empty() {
        return Kind::Blank;
    }
    if let Some((mark, length)) = fence(rest) {
        return Kind::Fence { mark, length };
    }
    if let Some((level, text)) = heading(bare) {
        return Kind::Heading { level, text };
    }
    let is_rule = |mark: char| is_only(bare, mark) && bare.chars().filter(|c| *c == mark).count() >= 3;
    if is_rule('-') || is_rule('*') || is_rule('_') {
        return Kind::Rule;
    }
    if bare.starts_with('|') {
        return Kind::Row;
    }
    item(rest).unwrap_or(Kind::Text)
}

/// The fence that a line begins with. What stands behind one of backticks holds none.
fn fence(rest: &str) -> Option<(char, usize)> {
    let mark = rest.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = rest.chars().take_while(|c| *c == mark).count();
    let is_inline = mark == '`' && rest[length..].contains('`');
    (length >= 3 && !is_inline).then_some((mark, length))
}

fn heading(bare: &str) -> Option<(usize, &str)> {
    let text = bare.trim_start_matches('#');
    let level = bare.len() - text.len();
    if !(1..=6).contains(&level) || !(text.is_empty() || text.starts_with([' ', '\t'])) {
        return None;
    }
    let text = text.trim();
    let without = text.trim_end_matches('#');
    let is_closed = without.is_empty() || without.ends_with([' ', '\t']);
    Some((level, if is_closed { without.trim_end() } else { text }))
}

fn item(rest: &str) -> Option<Kind<'_>> {
    let end = rest.find([' ', '\t']).unwrap_or(rest.len());
    let (marker, text) = rest.split_at(end);
    let is_number = || {
        let digits = marker.strip_suffix(['.', ')'])?;
        ((1..=9).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit())).then_some(())
    };
    let is_marker = matches!(marker, "-" | "*" | "+") || is_number().is_some();
    is_marker.then_some(Kind::Item {
        marker,
        text: text.trim_start(),
    })
}

/// Whether nothing but that character and blanks stands there.
fn is_only(bare: &str, mark: char) -> bool {
    bare.starts_with(mark) && bare.chars().all(|c| c == mark || c == ' ' || c == '\t')
}
