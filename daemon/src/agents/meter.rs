//! What a turn takes, held against what it may: its own bounds, and those of the turns that it works for.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use orch_shared::chat::Usage;
use orch_shared::money::Money;
use orch_shared::usage::Tokens;

use super::next::{Bounds, Over};
use crate::store::Spent;

/// What one turn takes, and what of it is taken for another one.
#[derive(Debug)]
pub(super) struct Meter {
    bounds: Bounds,
    began: Instant,
    /// What it had taken before this run of the daemon, and takes now, time apart.
    spent: Mutex<Spent>,
    /// What it costs in besides the currency of what is spent.
    other: OnceLock<String>,
    /// How long it had taken before this run of the daemon.
    before: Duration,
    /// The turn that it works for.
    parent: Option<Arc<Meter>>,
}

impl Meter {
    /// The meter of a turn that has taken so much already.
    pub(super) fn new(bounds: Bounds, spent: Spent, parent: Option<Arc<Self>>) -> Arc<Self> {
        Arc::new(Self {
            bounds,
            began: Instant::now(),
            before: Duration::from_millis(u64::try_from(spent.took_ms).unwrap_or(0)),
            spent: Mutex::new(spent),
            other: OnceLock::new(),
            parent,
        })
    }

    fn held(&self) -> MutexGuard<'_, Spent> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An answer of a model was complete.
    pub(super) fn answered(&self, tokens: Tokens, cost: Option<&Money>) {
        let mut spent = self.held();
        spent.input = spent.input.saturating_add(tokens.input);
        spent.cached = spent.cached.saturating_add(tokens.cached);
        spent.output = spent.output.saturating_add(tokens.output);
        match (&mut spent.cost, cost) {
            (Some(sum), Some(cost)) if sum.currency == cost.currency => {
                sum.nanos = sum.nanos.saturating_add(cost.nanos);
            }
            // Nobody can add up what is of two currencies; the first one is told.
            (Some(_), Some(cost)) if cost.nanos > 0 => {
                let _ = self.other.set(cost.currency.clone());
            }
            (Some(_) | None, None) | (Some(_), Some(_)) => {}
            (empty @ None, Some(cost)) => *empty = Some(cost.clone()),
        }
        drop(spent);
        if let Some(parent) = &self.parent {
            parent.answered(tokens, cost);
        }
    }

    /// The model was asked once more.
    pub(super) fn asked(&self) {
        self.held().iterations += 1;
    }

    /// So many tools are about to be called.
    pub(super) fn calls(&self, count: usize) {
        let more = i64::try_from(count).unwrap_or(i64::MAX);
        let mut spent = self.held();
        spent.tool_calls = spent.tool_calls.saturating_add(more);
        drop(spent);
        if let Some(parent) = &self.parent {
            parent.calls(count);
        }
    }

    /// What was taken until now.
    pub(super) fn spent(&self) -> Spent {
        let took = self.before + self.began.elapsed();
        Spent {
            took_ms: i64::try_from(took.as_millis()).unwrap_or(i64::MAX),
            ..self.held().clone()
        }
    }

    /// The bounds of the turn itself.
    pub(super) const fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// Whether what costs in that currency can be held against what this turn, and those that it works for, may cost.
    pub(super) fn takes(&self, currency: &str) -> Result<(), Over> {
        let bounded = self.spent().cost.map(|cost| cost.currency);
        match bounded.filter(|bounded| self.bounds.cost.is_some() && bounded != currency) {
            Some(bounded) => Err(Over::Currencies {
                bounded,
                other: currency.to_owned(),
            }),
            None => self.parent.as_ref().map_or(Ok(()), |parent| parent.takes(currency)),
        }
    }

    /// What of the bounds of those is used up for whom this turn works, if it wants so many tools to be called; or what was
    /// spent that cannot be held against the bounds of any of them.
    pub(super) fn over_above(&self, calls: usize) -> Option<Over> {
        if let Some(Err(over)) = self.other.get().map(|other| self.takes(other)) {
            return Some(over);
        }
        let parent = self.parent.as_ref()?;
        let spent = parent.spent();
        let own = parent
            .bounds
            .over(&spent)
            .or_else(|| parent.bounds.over_by_calls(&spent, calls));
        own.or_else(|| parent.over_above(calls))
    }

    /// How long it may still take.
    pub(super) fn left(&self) -> Duration {
        let own = self.bounds.time.saturating_sub(self.before + self.began.elapsed());
        self.parent.as_ref().map_or(own, |parent| own.min(parent.left()))
    }
}

/// What was spent, as the API tells it.
pub(super) fn usage(spent: &Spent) -> Usage {
    Usage {
        tokens: Tokens {
            input: spent.input,
            cached: spent.cached,
            output: spent.output,
        },
        cost: spent.cost.clone(),
        iterations: u32::try_from(spent.iterations).unwrap_or(u32::MAX),
        tool_calls: u32::try_from(spent.tool_calls).unwrap_or(u32::MAX),
        took_ms: spent.took_ms,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_counts_for_everybody_it_is_taken_for() {
        let bounds = Bounds {
            iterations: 3,
            tokens: Some(100),
            cost: None,
            tool_calls: Some(2),
            time: Duration::from_secs(60),
        };
        let outer = Meter::new(bounds, Spent::default(), None);
        let open = Bounds {
            tokens: None,
            tool_calls: None,
            time: Duration::from_secs(600),
            ..bounds
        };
        let inner = Meter::new(open, Spent::default(), Some(Arc::clone(&outer)));
        assert_eq!(inner.over_above(0), None);
        assert!(inner.left() <= Duration::from_secs(60));
        inner.calls(2);
        assert_eq!(inner.over_above(1), Some(Over::ToolCalls { most: 2 }));
        let tokens = Tokens {
            input: 60,
            cached: 0,
            output: 40,
        };
        inner.answered(tokens, Some(&Money::of_units(1.0, "USD")));
        inner.answered(Tokens::default(), Some(&Money::of_units(1.0, "EUR")));
        assert_eq!(inner.over_above(0), Some(Over::Tokens { most: 100, spent: 100 }));
        let (spent, outer) = (inner.spent(), outer.spent());
        assert_eq!((spent.input, outer.input, outer.tool_calls), (60, 60, 2));
        assert_eq!(outer.cost, Some(Money::of_units(1.0, "USD")));
        assert_eq!(outer.iterations, 0, "the outer turn's own model was not asked");
    }

    #[test]
    fn what_is_of_another_currency_is_not_overlooked() {
        let open = Bounds {
            iterations: 3,
            tokens: None,
            cost: None,
            tool_calls: None,
            time: Duration::from_secs(60),
        };
        let bounded = Bounds {
            cost: Some(5.0),
            ..open
        };
        let over = Over::Currencies {
            bounded: "USD".to_owned(),
            other: "EUR".to_owned(),
        };
        let outer = Meter::new(bounded, Spent::default(), None);
        assert_eq!(outer.takes("EUR"), Ok(()), "nothing was spent yet");
        outer.answered(Tokens::default(), Some(&Money::of_units(1.0, "USD")));
        let inner = Meter::new(open, Spent::default(), Some(Arc::clone(&outer)));
        assert_eq!((inner.takes("USD"), inner.takes("EUR")), (Ok(()), Err(over.clone())));
        inner.answered(Tokens::default(), Some(&Money::of_units(0.0, "EUR")));
        assert_eq!(outer.over_above(0), None, "what costs nothing is of no currency");
        inner.answered(Tokens::default(), Some(&Money::of_units(1.0, "EUR")));
        assert_eq!(
            (outer.over_above(0), inner.over_above(0)),
            (Some(over.clone()), Some(over))
        );
        let unbounded = Meter::new(open, Spent::default(), None);
        unbounded.answered(Tokens::default(), Some(&Money::of_units(1.0, "USD")));
        unbounded.answered(Tokens::default(), Some(&Money::of_units(1.0, "EUR")));
        assert_eq!(unbounded.over_above(0), None, "nothing bounds it");
    }
}
