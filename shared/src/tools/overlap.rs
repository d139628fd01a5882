//! What two lists of patterns both name, as a list of patterns: two who each say what may be used, as one.
//!
//! Guarantee: the outcome names exactly the tools that both lists name, or there is none.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::pattern::{Pattern, Piece};

/// An outcome with more patterns than this is none: nobody could read it.
const MOST: usize = 256;

/// Patterns, piece by piece.
type Texts = BTreeSet<Vec<Piece>>;

/// The patterns that name what both lists name; nothing when that cannot be written down in a moderate number of them.
#[must_use]
pub fn in_common(one: &[Pattern], other: &[Pattern]) -> Option<Vec<String>> {
    let mut all = Texts::new();
    for one in one {
        for other in other {
            let mut meeting = Meeting {
                one: &one.pieces,
                other: &other.pieces,
                known: BTreeMap::new(),
            };
            all.extend(meeting.from(0, 0)?);
        }
    }
    // No tool is called nothing.
    all.remove(&Vec::new());
    if all.len() > MOST {
        return None;
    }
    all.iter().map(|pieces| written(pieces)).collect()
}

/// Two patterns that are laid over each other.
struct Meeting<'p> {
    one: &'p [Piece],
    other: &'p [Piece],
    /// What the rests from two places on have in common.
    known: BTreeMap<(usize, usize), Texts>,
}

impl Meeting<'_> {
    fn from(&mut self, one: usize, other: usize) -> Option<Texts> {
        if let Some(known) = self.known.get(&(one, other)) {
            return Some(known.clone());
        }
        let is_over = |rest: &[Piece]| rest.iter().all(|piece| *piece == Piece::Run);
        let found = match (self.one.get(one), self.other.get(other)) {
            (None, _) if is_over(&self.other[other..]) => Texts::from([Vec::new()]),
            (_, None) if is_over(&self.one[one..]) => Texts::from([Vec::new()]),
            (None, _) | (_, None) => Texts::new(),
            // One of the runs is over first.
            (Some(Piece::Run), Some(Piece::Run)) => {
                let mut rests = self.from(one + 1, other)?;
                rests.extend(self.from(one, other + 1)?);
                before(&Piece::Run, &rests)
            }
            // The run is over, or takes one character more.
            (Some(Piece::Run), Some(piece)) => {
                let mut all = self.from(one + 1, other)?;
                all.extend(before(piece, &self.from(one, other + 1)?));
                all
            }
            (Some(piece), Some(Piece::Run)) => {
                let mut all = self.from(one, other + 1)?;
                all.extend(before(piece, &self.from(one + 1, other)?));
                all
            }
            (Some(mine), Some(its)) => match both(mine, its) {
                Some(piece) => before(&piece, &self.from(one + 1, other + 1)?),
                None => Texts::new(),
            },
        };
        if found.len() > MOST {
            return None;
        }
        self.known.insert((one, other), found.clone());
        Some(found)
    }
}

/// A piece before each of these.
fn before(piece: &Piece, rests: &Texts) -> Texts {
    let begun = rests.iter().map(|rest| {
        // Two runs in a row are one.
        let is_there = *piece == Piece::Run && rest.first() == Some(&Piece::Run);
        let first = (!is_there).then(|| piece.clone());
        first.into_iter().chain(rest.iter().cloned()).collect()
    });
    begun.collect()
}

/// The characters that two pieces for one character both admit; nothing when there is none.
fn both(one: &Piece, other: &Piece) -> Option<Piece> {
    let (mine, its) = match (one, other) {
        (Piece::Any, piece) | (piece, Piece::Any) => return Some(piece.clone()),
        (Piece::One(character), piece) | (piece, Piece::One(character)) => {
            return piece.admits(*character).then_some(Piece::One(*character));
        }
        (
            Piece::Set {
                negated: true,
                ranges: mine,
            },
            Piece::Set {
                negated: true,
                ranges: its,
            },
        ) => {
            let ranges = mine.iter().chain(its).copied().collect();
            return Some(Piece::Set { negated: true, ranges });
        }
        (Piece::Set { negated: false, ranges }, other) => (ranges, other),
        (other, Piece::Set { negated: false, ranges }) => (ranges, other),
        // A run is no piece for one character.
        (Piece::Run, _) | (_, Piece::Run) => return None,
    };
    let Piece::Set { negated, ranges: its } = its else {
        return None;
    };
    let ranges: Vec<(char, char)> = match negated {
        false => mine
            .iter()
            .flat_map(|mine| its.iter().map(|its| (mine.0.max(its.0), mine.1.min(its.1))))
            .filter(|(from, to)| from <= to)
            .collect(),
        true => its.iter().fold(mine.clone(), |left, taken| {
            left.into_iter().flat_map(|range| without(range, *taken)).collect()
        }),
    };
    match ranges.as_slice() {
        [] => None,
        [(from, to)] if from == to => Some(Piece::One(*from)),
        _ => Some(Piece::Set { negated: false, ranges }),
    }
}

/// What is left of a range without another.
fn without((from, to): (char, char), (first, last): (char, char)) -> Vec<(char, char)> {
    let below = (from..first).next_back().map(|before| (from, before.min(to)));
    let above = (last..=to).nth(1).map(|after| (after.max(from), to));
    let left = below.into_iter().chain(above);
    left.filter(|(from, to)| from <= to).collect()
}

/// Pieces as they are written, when they can be: a set holds no `]`.
fn written(pieces: &[Piece]) -> Option<String> {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Run => text.push('*'),
            Piece::Any => text.push('?'),
            Piece::One(special @ ('*' | '?' | '[' | '\\')) => {
                let _ = write!(text, "[{special}]");
            }
            Piece::One(character) => text.push(*character),
            Piece::Set { negated, ranges } => {
                text.push_str(if *negated { "[!" } else { "[" });
                for (from, to) in ranges {
                    let _ = match from == to {
                        true => write!(text, "{from}"),
                        false => write!(text, "{from}-{to}"),
                    };
                }
                text.push(']');
            }
        }
    }
    let read: Pattern = text.parse().ok()?;
    let is_special = |character: char| matches!(character, '*' | '?' | '[' | '\\');
    let is_same = read.pieces.iter().zip(pieces).all(|(read, meant)| match meant {
        Piece::One(character) if is_special(*character) => read.admits(*character),
        Piece::Run | Piece::Any | Piece::One(_) | Piece::Set { .. } => read == meant,
    });
    (is_same && read.pieces.len() == pieces.len()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(texts: &[&str]) -> Vec<Pattern> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn what_is_in_common() {
        for (one, other, common) in [
            (&["read"][..], &["read"][..], &["read"][..]),
            (&["read"], &["write"], &[]),
            (&["*"], &["read_*"], &["read_*"]),
            (&["read_*", "stat"], &["*"], &["read_*", "stat"]),
            (&["read_*"], &["*_file"], &["read_*_file", "read_file"]),
            (&["a*"], &["*b"], &["a*b"]),
            (&["*a*"], &["*b*"], &["*a*b*", "*b*a*"]),
            (&["v?"], &["v[1-3]"], &["v[1-3]"]),
            (&["v[1-5]"], &["v[3-9]"], &["v[3-5]"]),
            (&["v[1-5]"], &["v[!2-9]"], &["v1"]),
            (&["v[!a]"], &["v[!b]"], &["v[!ab]"]),
            (&["[*]?"], &["?[[]"], &["[*][[]"]),
            (&[], &["*"], &[]),
        ] {
            let mut told = in_common(&list(one), &list(other)).unwrap();
            told.sort_unstable();
            assert_eq!(told, common, "{one:?} {other:?}");
        }
    }

    /// Whatever the patterns, what comes out names what both name, and nothing else.
    #[test]
    fn it_is_neither_more_nor_less() {
        let patterns = [
            "*", "a", "?", "a*", "*b", "*a*", "?*", "[ab]*", "[!a]?", "a?b", "*ab*", "b*a*b", "??", "*[!b]",
        ];
        let mut names = vec![String::new()];
        for length in 0..5 {
            let longest: Vec<String> = names.iter().filter(|name| name.len() == length).cloned().collect();
            names.extend(
                longest
                    .iter()
                    .flat_map(|name| ["a", "b", "c"].map(|next| format!("{name}{next}"))),
            );
        }
        for (one, other) in patterns.iter().flat_map(|one| patterns.map(|other| (*one, other))) {
            let (one, other) = (list(&[one]), list(&[other]));
            let common: Vec<Pattern> = in_common(&one, &other)
                .unwrap()
                .iter()
                .map(|text| text.parse().unwrap())
                .collect();
            for name in names.iter().filter(|name| !name.is_empty()) {
                let is_common = common.iter().any(|pattern| pattern.matches(name));
                assert_eq!(
                    is_common,
                    one[0].matches(name) && other[0].matches(name),
                    "{one:?} {other:?} {name}"
                );
            }
        }
    }

    #[test]
    fn what_cannot_be_written_down_is_told_so() {
        let many = "*?".repeat(40);
        assert_eq!(
            in_common(&list(&[&format!("{many}a*b*c*d*e*f*g")]), &list(&["*1*2*3*4*5*6*7*8*"])),
            None
        );
        // The set that is left would end with a bracket.
        assert_eq!(in_common(&list(&["[Z-a]"]), &list(&["[!^-a]"])), None);
    }
}
