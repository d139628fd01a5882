//! Tables: columns that line up where they have room, cells that are broken where they have less, and where they have none,
//! each row by itself.

use unicode_width::UnicodeWidthChar as _;

use super::Look;
use super::flow::{Flow, Lead, Style, Word, painted, width, words};
use super::inline::{self, Span};

/// Between columns.
const GAP: usize = 2;
/// A column that is narrower is of no use to a cell that is wider.
const LEAST: usize = 8;

/// On which side of its column a cell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// Draws the rows of a table. Rows that no line of dashes makes a table of are lines like any other.
pub(super) fn draw(lead: &Lead, rows: &[String], look: Look, out: &mut String) {
    let Some(sides) = rows.get(1).and_then(|row| sides(row)) else {
        return lines(lead, rows, look, out);
    };
    let mut cells: Vec<Vec<Vec<Word>>> = Vec::new();
    for (at, row) in rows.iter().enumerate().filter(|(at, _)| *at != 1) {
        let base = if at == 0 { Style::STRONG } else { Style::default() };
        let mut row: Vec<Vec<Word>> = split(row)
            .iter()
            .map(|cell| words(&inline::read(cell, base, look).spans))
            .collect();
        row.resize(sides.len(), Vec::new());
        cells.push(row);
    }
    let room = look.width.saturating_sub(lead.width());
    match rooms(&cells, sides.len(), room) {
        Some(rooms) => grid(lead, &cells, &sides, &rooms, look, out),
        None => records(lead, &cells, look, out),
    }
}

fn lines(lead: &Lead, rows: &[String], look: Look, out: &mut String) {
    let mut flow = Flow::new(look);
    for row in rows {
        flow.begin(lead, &lead.hanging(), out);
        flow.words(&inline::read(row, Style::default(), look).spans, out);
        flow.end(out);
    }
}

/// The cells of a row. `\|` is no end of one.
fn split(row: &str) -> Vec<String> {
    let row = row.trim();
    let row = row.strip_prefix('|').unwrap_or(row);
    let mut cells = vec![String::new()];
    let mut is_escaped = false;
    for c in row.chars() {
        let cell = cells.last_mut().expect("there is always one");
        match c {
            '|' if is_escaped => {
                cell.pop();
                cell.push('|');
            }
            '|' => cells.push(String::new()),
            c => cell.push(c),
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    if cells.len() > 1 && cells.last().is_some_and(|cell| cell.trim().is_empty()) {
        cells.pop();
    }
    cells.iter().map(|cell| cell.trim().to_owned()).collect()
}

/// What the line of dashes says of each column; nothing when it is none.
fn sides(row: &str) -> Option<Vec<Side>> {
    let side = |cell: &String| {
        let inner = cell.strip_prefix(':').unwrap_or(cell);
        let dashes = inner.strip_suffix(':').unwrap_or(inner);
        let is_right = inner.len() > dashes.len() && inner.len() == cell.len();
        let is_dashes = !dashes.is_empty() && dashes.bytes().all(|byte| byte == b'-');
        is_dashes.then_some(if is_right { Side::Right } else { Side::Left })
    };
    split(row).iter().map(side).collect()
}

fn full_width(cell: &[Word]) -> usize {
    cell.iter().map(width).sum::<usize>() + cell.len().saturating_sub(1)
}

/// How wide each column may be; nothing when they have no room beside each other.
fn rooms(cells: &[Vec<Vec<Word>>], columns: usize, room: usize) -> Option<Vec<usize>> {
    let widest = |column: usize| cells.iter().map(|row| full_width(&row[column])).max().unwrap_or(0);
    let mut rooms: Vec<usize> = (0..columns).map(widest).collect();
    let gaps = GAP * columns.saturating_sub(1);
    let mut surplus = (rooms.iter().sum::<usize>() + gaps).saturating_sub(room);
    while surplus > 0 {
        let widest = rooms.iter_mut().filter(|room| **room > LEAST).max()?;
        *widest -= 1;
        surplus -= 1;
    }
    Some(rooms)
}

fn grid(lead: &Lead, cells: &[Vec<Vec<Word>>], sides: &[Side], rooms: &[usize], look: Look, out: &mut String) {
    let last = rooms.len().saturating_sub(1);
    for (at, row) in cells.iter().enumerate() {
        let broken: Vec<Vec<Vec<Word>>> = row.iter().zip(rooms).map(|(cell, room)| fitted(cell, *room)).collect();
        let height = broken.iter().map(Vec::len).max().unwrap_or(0).max(1);
        for line in 0..height {
            let mut text = lead.painted(look);
            for (column, cell) in broken.iter().enumerate() {
                let words = cell.get(line).map(Vec::as_slice).unwrap_or_default();
                let blanks = rooms[column].saturating_sub(full_width(words));
                let shown: Vec<String> = words.iter().map(|word| painted(word, look)).collect();
                let shown = shown.join(" ");
                let between = if column == last { 0 } else { GAP };
                match sides[column] {
                    Side::Right => text.push_str(&format!("{}{shown}{}", " ".repeat(blanks), " ".repeat(between))),
                    Side::Left => text.push_str(&format!("{shown}{}", " ".repeat(blanks + between))),
                }
            }
            out.push_str(text.trim_end());
            out.push('\n');
        }
        if at == 0 {
            let rule: Vec<String> = rooms.iter().map(|room| "─".repeat(*room)).collect();
            out.push_str(&lead.painted(look));
            out.push_str(&Style::DIM.painted(&rule.join(&" ".repeat(GAP)), look));
            out.push('\n');
        }
    }
}

/// The lines of a cell. A word that is wider than the column is broken.
fn fitted(cell: &[Word], room: usize) -> Vec<Vec<Word>> {
    let mut lines: Vec<Vec<Word>> = Vec::new();
    for word in cell.iter().flat_map(|word| broken(word, room)) {
        match lines.last_mut() {
            Some(line) if full_width(line) + 1 + width(&word) <= room => line.push(word),
            Some(_) | None => lines.push(vec![word]),
        }
    }
    lines
}

fn broken(word: &Word, room: usize) -> Vec<Word> {
    if width(word) <= room {
        return vec![word.clone()];
    }
    let mut parts: Vec<Word> = vec![Vec::new()];
    let mut used = 0;
    for span in word {
        for c in span.text.chars() {
            let wide = c.width().unwrap_or(0);
            if used > 0 && used + wide > room {
                parts.push(Vec::new());
                used = 0;
            }
            used += wide;
            let part = parts.last_mut().expect("there is always one");
            match part.last_mut().filter(|last| last.style == span.style) {
                Some(last) => last.text.push(c),
                None => part.push(Span {
                    style: span.style,
                    text: c.to_string(),
                }),
            }
        }
    }
    parts
}

/// A row by itself: a line for each of its cells, with the heading before it.
fn records(lead: &Lead, cells: &[Vec<Vec<Word>>], look: Look, out: &mut String) {
    let Some((titles, rows)) = cells.split_first() else {
        return;
    };
    let mut flow = Flow::new(look);
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            out.push_str(lead.painted(look).trim_end());
            out.push('\n');
        }
        for (title, cell) in titles.iter().zip(row) {
            flow.begin(lead, &lead.clone().and_blanks(2), out);
            let mut line: Vec<Span> = joined(title);
            line.push(Span {
                style: Style::STRONG,
                text: ": ".to_owned(),
            });
            line.extend(joined(cell));
            flow.words(&line, out);
            flow.end(out);
        }
    }
}

/// The words in one row again, with blanks between them.
fn joined(words: &[Word]) -> Vec<Span> {
    let blank = Span {
        style: Style::default(),
        text: " ".to_owned(),
    };
    let mut spans = Vec::new();
    for (at, word) in words.iter().enumerate() {
        spans.extend((at > 0).then(|| blank.clone()));
        spans.extend(word.iter().cloned());
    }
    spans
}
