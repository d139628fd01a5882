//! Whether references go in a circle. Pure: names in, circles out. Each name is walked once, however many ways lead to it,
//! and the way is kept on the heap, however long it is.

use std::collections::{BTreeMap, BTreeSet};

/// So many circles are told; whoever has undone them is told of further ones.
const MOST: usize = 10;

/// Circles that can be reached from those names: when there are any, at least one.
pub(super) fn circles<N: Ord + Clone>(
    starts: impl IntoIterator<Item = N>,
    onward: impl Fn(&N) -> Vec<N>,
) -> Vec<Vec<N>> {
    let mut walked = BTreeSet::new();
    let mut found = Vec::new();
    for start in starts {
        if !walked.insert(start.clone()) {
            continue;
        }
        let mut places = BTreeMap::from([(start.clone(), 0)]);
        let mut way = vec![(onward(&start).into_iter(), start)];
        while let Some((ahead, here)) = way.last_mut() {
            let Some(next) = ahead.next() else {
                places.remove(here);
                way.pop();
                continue;
            };
            if let Some(place) = places.get(&next) {
                found.push(way[*place..].iter().map(|(_, name)| name.clone()).collect());
                if found.len() == MOST {
                    return found;
                }
            } else if walked.insert(next.clone()) {
                places.insert(next.clone(), way.len());
                way.push((onward(&next).into_iter(), next));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circles_are_found_and_ways_that_meet_again_are_none() {
        for (edges, expected) in [
            (&[][..], &[][..]),
            (&[(1, 2), (2, 3)], &[]),
            (&[(1, 2), (1, 3), (2, 4), (3, 4)], &[]),
            (&[(1, 1)], &[&[1][..]]),
            (&[(1, 2), (2, 1)], &[&[1, 2]]),
            (&[(1, 2), (2, 3), (3, 2)], &[&[2, 3]]),
            (&[(1, 2), (2, 1), (3, 4), (4, 3)], &[&[1, 2], &[3, 4]]),
            (&[(1, 2), (2, 3), (3, 1), (2, 1)], &[&[1, 2, 3], &[1, 2]]),
        ] {
            let onward = |from: &u32| edges.iter().filter(|edge| edge.0 == *from).map(|edge| edge.1).collect();
            assert_eq!(circles(1..=4, onward), expected, "{edges:?}");
        }
    }

    #[test]
    fn neither_many_ways_nor_long_ones_take_long() {
        // Two names in each layer, each of which leads to both of the next: 2^64 ways.
        let layers = |from: &u32| match from / 2 {
            layer @ 0..63 => vec![2 * layer + 2, 2 * layer + 3],
            _ => vec![],
        };
        assert!(circles(0..128, layers).is_empty());
        let chain = |from: &u32| if *from < 100_000 { vec![from + 1] } else { vec![0] };
        assert_eq!(circles([5], chain)[0].len(), 100_001);
        // Everybody leads back to everybody: told is a little of it.
        assert_eq!(circles(0..1000, |_| (0..1000).collect()).len(), MOST);
    }
}
