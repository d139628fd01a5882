//! Tables in the manner of kubectl: no lines, three spaces between columns, numbers to the right.
//!
//! Enters: a heading and rows of text with a meaning. Leaves: lines without trailing spaces. A terminal that is too
//! narrow costs the last column its end, then the widest columns theirs, and a line break only where nothing is left to cut.

use std::borrow::Cow;
use std::cell::RefCell;

use comfy_table::{Cell, CellAlignment, Color, Table, TableStyle};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::cell::NOTHING;
use crate::ui::{Stream, Tone, Ui};

/// What takes the colour of a text back.
const COLOR_ENDS: &str = "\u{1b}[39m";
const GAP: u16 = 3;
/// What the last column keeps on a terminal that is too narrow, when it has that much to say.
const LAST: usize = 20;
/// What every other column keeps.
const LEAST: usize = 12;

/// One piece of a row.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    /// What it says.
    pub(crate) text: String,
    /// What that means.
    pub(crate) tone: Tone,
}

impl Piece {
    /// A piece that means nothing special.
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            tone: Tone::Plain,
        }
    }
}

/// What the columns of a table were like so far, so that rows that come later line up with it.
#[derive(Debug, Default)]
pub(crate) struct Columns(RefCell<Vec<Shape>>);

/// What a column is like.
#[derive(Debug, Clone, Copy, Default)]
struct Shape {
    width: usize,
    is_numeric: bool,
}

impl Columns {
    /// Takes in what the columns are like now, and tells what they were and are together.
    fn widen(&self, now: &[Shape]) -> Vec<Shape> {
        let mut known = self.0.borrow_mut();
        let length = known.len().max(now.len());
        known.resize(length, Shape::default());
        for (known, now) in known.iter_mut().zip(now) {
            known.width = known.width.max(now.width);
            known.is_numeric |= now.is_numeric;
        }
        known.clone()
    }
}

/// How a table is drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style<'s> {
    /// Whether the heading is shown.
    pub(crate) heading: Heading,
    /// Whether colours are used.
    pub(crate) color: bool,
    /// The terminal's width, when a person watches.
    pub(crate) width: Option<u16>,
    /// The columns of the table that these rows belong to, when it is drawn in parts.
    pub(crate) columns: Option<&'s Columns>,
}

impl Style<'_> {
    /// A table of its own on standard output, as whoever reads it there sees it.
    pub(crate) fn whole(ui: &Ui, heading: Heading) -> Self {
        Self {
            heading,
            color: ui.has_color(Stream::Data),
            width: terminal_width(),
            columns: None,
        }
    }
}

/// Whether the heading is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heading {
    /// It is.
    Shown,
    /// It is not: `--no-headers`.
    Hidden,
}

impl Heading {
    /// As the flag `--no-headers` says.
    pub(crate) const fn unless(is_left_out: bool) -> Self {
        if is_left_out { Self::Hidden } else { Self::Shown }
    }
}

/// The width of the terminal that standard output is, when it is one.
pub(crate) fn terminal_width() -> Option<u16> {
    Table::new().width()
}

/// Draws a table. Every line ends in a line break.
pub(crate) fn draw(titles: &[&str], rows: Vec<Vec<Piece>>, style: Style<'_>) -> String {
    let is_empty = |row: &Vec<Piece>| row.last().is_none_or(|piece| piece.text.is_empty());
    let shown = if titles.last() == Some(&"") && rows.iter().all(is_empty) {
        titles.len() - 1
    } else {
        titles.len()
    };
    let measured: Vec<Shape> = (0..shown).map(|column| measure(titles, &rows, column)).collect();
    let shapes = style
        .columns
        .map_or_else(|| measured.clone(), |columns| columns.widen(&measured));
    let mut table = Table::new();
    table.load_style(TableStyle::new()).force_no_tty();
    if style.color {
        table.enforce_styling();
    }
    if style.heading == Heading::Shown {
        table.set_header(titles[..shown].iter().map(Cell::new).collect::<Vec<_>>());
    }
    let rooms = style.width.map(|width| rooms(&shapes, usize::from(width)));
    for row in rows {
        let cells = row
            .into_iter()
            .take(shown)
            .zip(&shapes)
            .enumerate()
            .map(|(column, (piece, shape))| {
                let room = rooms.as_ref().map_or(shape.width, |rooms| rooms[column]);
                let text = shortened(piece.text, room);
                // In parts, a column is as wide as it ever was.
                let text = match style.columns {
                    Some(_) if column + 1 < shown => padded(text, room, *shape),
                    Some(_) | None => text,
                };
                // Colour on nothing would keep the blanks behind it.
                let has_color = style.color && !text.is_empty();
                let cell = Cell::new_owned(text);
                match color(piece.tone).filter(|_| has_color) {
                    Some(color) => cell.fg(color),
                    None => cell,
                }
            });
        table.add_row(cells.collect::<Vec<_>>());
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if index + 1 == shown { 0 } else { GAP }));
        if shapes[index].is_numeric {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
        .lines()
        .fold(String::new(), |out, line| out + &trimmed(&line) + "\n")
}

/// The line without the blanks at its end, painted ones neither.
fn trimmed(line: &str) -> Cow<'_, str> {
    let line = line.trim_end();
    match line.strip_suffix(COLOR_ENDS) {
        Some(painted) => Cow::Owned(format!("{}{COLOR_ENDS}", painted.trim_end())),
        None => Cow::Borrowed(line),
    }
}

fn measure(titles: &[&str], rows: &[Vec<Piece>], column: usize) -> Shape {
    let texts = || {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|piece| piece.text.as_str())
    };
    // Of a number with `,` between its thousands, each part is one.
    let is_number = |text: &str| {
        text.split(',')
            .all(|part| part.parse::<f64>().is_ok_and(f64::is_finite))
    };
    let width = texts().chain([titles[column]]).map(str::width).max().unwrap_or(0);
    let is_numeric = texts().all(|text| text == NOTHING || is_number(text)) && texts().any(is_number);
    Shape { width, is_numeric }
}

/// How wide each column may be, so that a line fits: the last gives first, then the widest of the others.
fn rooms(shapes: &[Shape], width: usize) -> Vec<usize> {
    let gaps = usize::from(GAP) * shapes.len().saturating_sub(1);
    let mut rooms: Vec<usize> = shapes.iter().map(|shape| shape.width).collect();
    let mut surplus = (rooms.iter().sum::<usize>() + gaps).saturating_sub(width);
    let Some((last, others)) = rooms.split_last_mut() else {
        return rooms;
    };
    let given = surplus.min(last.saturating_sub(LAST));
    *last -= given;
    surplus -= given;
    // The first column is the name, which nobody can do without.
    while surplus > 0 {
        let widest = others.iter_mut().skip(1).filter(|room| **room > LEAST).max();
        let Some(widest) = widest else { break };
        *widest -= 1;
        surplus -= 1;
    }
    rooms
}

fn padded(text: String, width: usize, shape: Shape) -> String {
    let blanks = " ".repeat(width.saturating_sub(text.width()));
    match shape.is_numeric {
        true => blanks + &text,
        false => text + &blanks,
    }
}

/// The beginning of a text that is wider than there is room for.
pub(crate) fn shortened(text: String, room: usize) -> String {
    if text.width() <= room {
        return text;
    }
    // One column is for the `…`; a wide letter that would reach into it is left out.
    let mut left = room.saturating_sub(1);
    let fits = |c: &char| {
        let width = c.width().unwrap_or(0);
        let fits = width <= left;
        left = left.saturating_sub(width);
        fits
    };
    let beginning: String = text.chars().take_while(fits).collect();
    beginning + "…"
}

const fn color(tone: Tone) -> Option<Color> {
    match tone {
        Tone::Plain | Tone::Strong => None,
        Tone::Good => Some(Color::DarkGreen),
        Tone::Warn => Some(Color::DarkYellow),
        Tone::Bad => Some(Color::DarkRed),
        Tone::Dim | Tone::Thought => Some(Color::DarkGrey),
        Tone::Hint => Some(Color::DarkCyan),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(titles: &[&str], rows: &[&[&str]], width: Option<u16>, expected: &str) {
        let rows = rows
            .iter()
            .map(|row| row.iter().map(|text| Piece::plain(*text)).collect())
            .collect();
        let style = Style {
            heading: Heading::Shown,
            color: false,
            width,
            columns: None,
        };
        assert_eq!(draw(titles, rows, style), expected);
    }

    #[test]
    fn columns_line_up() {
        check(
            &["NAME", "TOOLS", "AGE", ""],
            &[&["files", "14", "4m", ""], &["gitea-long", "-", "8s", "exit 1"]],
            None,
            "NAME         TOOLS   AGE\nfiles           14   4m\ngitea-long       -   8s    exit 1\n",
        );
    }

    #[test]
    fn numbers_with_separators_are_numbers() {
        check(
            &["NAME", "TOKENS"],
            &[&["a", "1,234,567"], &["b", "89"]],
            None,
            "NAME      TOKENS\na      1,234,567\nb             89\n",
        );
    }

    #[test]
    fn wide_letters_take_two_columns() {
        check(
            &["NAME", "WHAT", ""],
            &[&["記憶", "2", "ok"], &["notes", "10", "ok"]],
            None,
            "NAME    WHAT\n記憶       2   ok\nnotes     10   ok\n",
        );
        for (room, expected) in [(6, "日本語"), (5, "日本…"), (4, "日…"), (1, "…")] {
            assert_eq!(shortened("日本語".to_owned(), room), expected, "{room}");
        }
    }

    #[test]
    fn an_empty_last_column_without_a_title_is_left_out() {
        check(&["NAME", ""], &[&["files", ""]], None, "NAME\nfiles\n");
        check(&["NAME"], &[], None, "NAME\n");
    }

    #[test]
    fn a_narrow_terminal_costs_the_last_column_its_end() {
        check(
            &["NAME", ""],
            &[&["files", "a very long message that does not fit anywhere"]],
            Some(33),
            "NAME\nfiles   a very long message that…\n",
        );
    }

    #[test]
    fn a_very_narrow_terminal_costs_the_widest_columns_theirs() {
        let row: &[&str] = &[
            "files",
            "command /usr/local/bin/files --verbose",
            "Ready",
            "it said something long",
        ];
        check(
            &["NAME", "SOURCE", "STATUS", ""],
            &[row],
            Some(60),
            "NAME    SOURCE                 STATUS\nfiles   command /usr/local/…   Ready    it said something l…\n",
        );
        check(
            &["NAME", "SOURCE", "STATUS", ""],
            &[row],
            Some(10),
            "NAME    SOURCE         STATUS\nfiles   command /us…   Ready    it said something l…\n",
        );
    }

    #[test]
    fn colour_paints_no_blanks() {
        let row = |name: &str, text: &str| {
            let text = Piece {
                text: text.to_owned(),
                tone: Tone::Dim,
            };
            vec![Piece::plain(name), text]
        };
        let rows = vec![row("a", "something long"), row("b", "short"), row("c", "")];
        let style = Style {
            heading: Heading::Shown,
            color: true,
            width: None,
            columns: None,
        };
        let text = draw(&["NAME", ""], rows, style);
        assert!(text.contains("\u{1b}["), "{text:?}");
        let ends_in_blanks = |line: &str| {
            let end = line.rfind("\u{1b}[").map_or(line, |at| &line[..at]);
            end.ends_with(' ') || line.ends_with(' ')
        };
        assert!(!text.lines().any(ends_in_blanks), "{text:?}");
    }

    #[test]
    fn rows_that_come_later_line_up() {
        let columns = Columns::default();
        let part = |heading, row: [&str; 3]| {
            let style = Style {
                heading,
                color: false,
                width: None,
                columns: Some(&columns),
            };
            draw(&["NAME", "TOOLS", "AGE"], vec![row.map(Piece::plain).to_vec()], style)
        };
        assert_eq!(
            part(Heading::Shown, ["gitea-long", "14", "4m"]),
            "NAME         TOOLS   AGE\ngitea-long      14   4m\n"
        );
        assert_eq!(part(Heading::Hidden, ["a", "-", "4m"]), "a                -   4m\n");
        assert_eq!(
            part(Heading::Hidden, ["much-longer-name", "7", "4m"]),
            "much-longer-name       7   4m\n"
        );
    }
}
