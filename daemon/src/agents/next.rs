//! What a turn does next, given what it has done: the same after a restart as before it. Pure.
//!
//! A turn is made of answers of the model. Each may want tools to be called, which are, all of one answer together; then the
//! model is asked again. What is written down of a call before it is made is never made again, whatever has become of it.

use std::time::Duration;

use orch_shared::kinds::agent;
use orch_shared::money::Money;
use orch_shared::problem::{Code, Problem};

use crate::store::Spent;

/// What a turn may use. Nothing bounds what is not said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bounds {
    /// How often the model may be asked.
    pub(super) iterations: u32,
    pub(super) tokens: Option<u64>,
    /// In the currency of the model.
    pub(super) cost: Option<f64>,
    pub(super) tool_calls: Option<u32>,
    pub(super) time: Duration,
}

/// However long a turn may take, it ends after that.
const LONGEST: Duration = Duration::from_secs(3600);

impl Bounds {
    /// What an agent declares.
    pub(super) fn of(spec: &agent::Agent) -> Self {
        let budget = spec.budget.clone().unwrap_or_default();
        let time = budget.wall_time.as_ref().map(orch_shared::quantity::Span::duration);
        Self {
            iterations: spec.iterations(),
            tokens: budget.tokens,
            cost: budget.cost,
            tool_calls: budget.tool_calls,
            time: time.map_or(LONGEST, |time| time.min(LONGEST)),
        }
    }

    /// What of it is used up; nothing when there is some of everything left.
    pub(super) fn over(&self, spent: &Spent) -> Option<Over> {
        let tokens = u64::try_from(spent.input.saturating_add(spent.output)).unwrap_or(0);
        if let Some(most) = self.tokens.filter(|most| tokens >= *most) {
            return Some(Over::Tokens { most, spent: tokens });
        }
        if let (Some(most), Some(cost)) = (self.cost, &spent.cost)
            && cost.nanos >= Money::of_units(most, &cost.currency).nanos
        {
            let spent = cost.clone();
            return Some(Over::Cost { most, spent });
        }
        let took = Duration::from_millis(u64::try_from(spent.took_ms).unwrap_or(0));
        (took >= self.time).then_some(Over::Time { most: self.time })
    }

    /// Whether so many more calls are too many.
    pub(super) fn over_by_calls(&self, spent: &Spent, more: usize) -> Option<Over> {
        let calls = usize::try_from(spent.tool_calls).unwrap_or(0).saturating_add(more);
        let most = self.tool_calls?;
        (calls > most as usize).then_some(Over::ToolCalls { most })
    }
}

/// What of a turn is used up.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Over {
    /// The model was asked as often as it may be.
    Iterations {
        most: u32,
    },
    Tokens {
        most: u64,
        spent: u64,
    },
    Cost {
        most: f64,
        spent: Money,
    },
    /// There is a bound to what it may cost in one currency, and it costs in another one as well.
    Currencies {
        bounded: String,
        other: String,
    },
    ToolCalls {
        most: u32,
    },
    Time {
        most: Duration,
    },
}

impl Over {
    /// The same, for people and programs.
    pub(super) fn problem(&self) -> Problem {
        let budget = |what: String| {
            Problem::new(Code::TurnBudget, what)
                .suggest("ask for less in one turn, or raise `spec.budget` of the agent")
        };
        match self {
            Self::Iterations { most } => {
                let detail = format!("exceeded {most}: the model still wanted tools after it was asked {most} times");
                Problem::new(Code::TooManyIterations, detail)
                    .suggest("ask for less in one turn, or raise `spec.maxIterations` of the agent")
            }
            Self::Tokens { most, spent } => budget(format!(
                "the turn has taken {spent} tokens, and may take {most} (budget.tokens)"
            )),
            Self::Cost { most, spent } => budget(format!(
                "the turn has cost {spent}, and may cost {} (budget.cost)",
                Money::of_units(*most, &spent.currency)
            )),
            Self::Currencies { bounded, other } => Problem::new(
                Code::TurnBudget,
                format!("the turn costs in {bounded} and would in {other}, which nobody can add up (budget.cost)"),
            )
            .suggest("declare the prices of all models that work for the agent in one currency, or no `budget.cost`"),
            Self::ToolCalls { most } => budget(format!(
                "the turn wants more tools to be called than {most}, which is all it may (budget.toolCalls)"
            )),
            Self::Time { most } => budget(format!(
                "the turn has taken {} s, which is all it may (budget.wallTime)",
                most.as_secs_f64()
            )),
        }
    }
}

/// How a call that the model wants stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stands {
    /// Nothing is written down of it: it was not made.
    Wanted,
    /// It is written down, and was made or is about to be. It is not made again.
    Begun,
    /// What has become of it is written down; that may be that nobody knows.
    Settled,
}

/// What a turn does next.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    /// Ask the model; for the how manieth time.
    Ask(u32),
    /// Write these calls of the last answer down, and make them.
    Call(Vec<usize>),
    /// Wait for calls that are under way.
    Wait,
    /// The last answer is the turn's.
    Finish,
    /// It comes to nothing.
    Fail(Over),
}

/// What a turn does next: after so many answers, with the calls of the last one, and what was spent.
pub(super) fn next(answers: u32, calls: &[Stands], spent: &Spent, bounds: &Bounds) -> Action {
    if answers > 0 && calls.is_empty() {
        return Action::Finish;
    }
    // What the tools answer could not be told to anybody.
    if answers >= bounds.iterations {
        let most = bounds.iterations;
        return Action::Fail(Over::Iterations { most });
    }
    if let Some(over) = bounds.over(spent) {
        return Action::Fail(over);
    }
    let wanted: Vec<usize> = (0..calls.len())
        .filter(|place| calls[*place] == Stands::Wanted)
        .collect();
    if !wanted.is_empty() {
        return match bounds.over_by_calls(spent, wanted.len()) {
            Some(over) => Action::Fail(over),
            None => Action::Call(wanted),
        };
    }
    match calls.contains(&Stands::Begun) {
        true => Action::Wait,
        false => Action::Ask(answers + 1),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OPEN: Bounds = Bounds {
        iterations: 12,
        tokens: None,
        cost: None,
        tool_calls: None,
        time: LONGEST,
    };

    #[test]
    fn what_is_used_up_says_how_much_that_is() {
        let spent = Spent {
            cost: Some(Money::of_units(2.39, "EUR")),
            ..Spent::default()
        };
        let bounds = Bounds {
            cost: Some(0.5),
            ..OPEN
        };
        let over = bounds.over(&spent).expect("it is used up");
        assert_eq!(
            over.problem().detail,
            "the turn has cost 2.39 EUR, and may cost 0.50 EUR (budget.cost)"
        );
    }

    #[test]
    fn a_turn_goes_from_answers_to_tools_and_back() {
        use Stands::{Begun, Settled, Wanted};
        let spent = Spent {
            tool_calls: 2,
            input: 60,
            output: 40,
            took_ms: 5000,
            cost: Some(Money::of_units(0.5, "USD")),
            ..Spent::default()
        };
        let bounded = |bounds: Bounds| bounds;
        for (answers, calls, bounds, action) in [
            (0, &[][..], OPEN, Action::Ask(1)),
            (1, &[], OPEN, Action::Finish),
            (1, &[Wanted, Wanted], OPEN, Action::Call(vec![0, 1])),
            (1, &[Settled, Wanted], OPEN, Action::Call(vec![1])),
            (1, &[Settled, Begun], OPEN, Action::Wait),
            (1, &[Settled, Settled], OPEN, Action::Ask(2)),
            (12, &[Wanted], OPEN, Action::Fail(Over::Iterations { most: 12 })),
            (12, &[], OPEN, Action::Finish),
            (
                1,
                &[Wanted],
                bounded(Bounds {
                    tool_calls: Some(2),
                    ..OPEN
                }),
                Action::Fail(Over::ToolCalls { most: 2 }),
            ),
            (
                1,
                &[Wanted],
                bounded(Bounds {
                    tool_calls: Some(3),
                    ..OPEN
                }),
                Action::Call(vec![0]),
            ),
            (
                1,
                &[Settled],
                bounded(Bounds {
                    tokens: Some(100),
                    ..OPEN
                }),
                Action::Fail(Over::Tokens { most: 100, spent: 100 }),
            ),
            (
                1,
                &[Settled],
                bounded(Bounds {
                    cost: Some(0.5),
                    ..OPEN
                }),
                Action::Fail(Over::Cost {
                    most: 0.5,
                    spent: Money::of_units(0.5, "USD"),
                }),
            ),
            (
                1,
                &[Settled],
                bounded(Bounds {
                    time: Duration::from_secs(5),
                    ..OPEN
                }),
                Action::Fail(Over::Time {
                    most: Duration::from_secs(5),
                }),
            ),
            // What is complete is complete, whatever it has taken.
            (
                1,
                &[],
                bounded(Bounds {
                    tokens: Some(1),
                    ..OPEN
                }),
                Action::Finish,
            ),
        ] {
            assert_eq!(next(answers, calls, &spent, &bounds), action, "{answers} {calls:?}");
        }
    }

    /// What is durable of a turn.
    #[derive(Debug, Clone, Default)]
    struct Written {
        /// How the calls of each answer stand.
        answers: Vec<Vec<Stands>>,
    }

    /// Does what a turn does, with a crash after each write if the draw says so; how often each call was made.
    fn run(script: &[usize], crashes: &[bool]) -> (Written, Vec<Vec<u32>>, bool) {
        let mut written = Written::default();
        let mut made: Vec<Vec<u32>> = Vec::new();
        let mut crashes = crashes.iter().copied();
        let mut crash = || crashes.next().unwrap_or(false);
        for _ in 0..1000 {
            let calls = written.answers.last().cloned().unwrap_or_default();
            let answers = u32::try_from(written.answers.len()).unwrap();
            let action = next(answers, &calls, &Spent::default(), &OPEN);
            match action {
                Action::Ask(number) => {
                    if crash() {
                        // The model has answered, and nobody has written it down.
                        continue;
                    }
                    let calls = script.get(number as usize - 1).copied().unwrap_or(0);
                    written.answers.push(vec![Stands::Wanted; calls]);
                    made.push(vec![0; calls]);
                }
                Action::Call(places) => {
                    let last = written.answers.len() - 1;
                    for place in &places {
                        written.answers[last][*place] = Stands::Begun;
                    }
                    for place in places {
                        if crash() {
                            break;
                        }
                        made[last][place] += 1;
                        if crash() {
                            break;
                        }
                        written.answers[last][place] = Stands::Settled;
                    }
                    // What was under way when the daemon ended is settled when the turn is taken up again.
                    for call in &mut written.answers[last] {
                        if *call == Stands::Begun {
                            *call = Stands::Settled;
                        }
                    }
                }
                Action::Wait => unreachable!("nothing is under way between two steps"),
                Action::Finish => return (written, made, true),
                Action::Fail(_) => return (written, made, false),
            }
        }
        (written, made, false)
    }

    proptest! {
        /// However often the daemon is killed, no call is made twice, and the turn comes to its end.
        #[test]
        fn no_call_is_made_twice(
            script in proptest::collection::vec(0_usize..4, 0..8),
            crashes in proptest::collection::vec(any::<bool>(), 0..40),
        ) {
            let (written, made, is_complete) = run(&script, &crashes);
            prop_assert!(is_complete, "{written:?}");
            prop_assert!(made.iter().flatten().all(|times| *times <= 1), "{made:?}");
            let (_, undisturbed, _) = run(&script, &[]);
            prop_assert!(undisturbed.iter().flatten().all(|times| *times == 1));
        }
    }
}
