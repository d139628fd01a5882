//! What it costs to look at many objects, of which none has changed, again and again: processor time, and no write.

use std::time::Duration;

use crate::amount::millis;
use crate::ask::Effort;
use crate::objects::{home_with, metric};
use crate::process::processor_time;
use crate::report::{Holds, Line, Report};

const MOST: Duration = Duration::from_millis(100);

pub(crate) fn measure(effort: Effort, report: &mut Report) {
    let (count, time) = (effort.pick(10_000, 20), effort.pick(20, 3));
    let home = home_with(count, &["--reconcile-interval", "1s"]);
    let look = || {
        let visits = metric(&home, "orchd_reconcile_duration_seconds_count");
        (visits, metric(&home, "orchd_store_writes"), processor_time(home.pid()))
    };
    let (visits, writes, used) = look();
    std::thread::sleep(Duration::from_secs(time as u64));
    let (visits_later, writes_later, used_later) = look();
    let ticks = u32::try_from((visits_later - visits) / count as u64).expect("some ticks");
    assert!(ticks > 0, "nothing was visited");
    let writes = writes_later - writes;
    assert_eq!(writes, 0, "a steady state is not written");
    let per_tick = (used_later - used) / ticks;
    report.tell(
        Line::of(format!("processor time of a tick over {count} unchanged objects"))
            .ours(millis(per_tick))
            .target(format!("< {} ms", MOST.as_millis()), per_tick < MOST, Holds::Anywhere),
    );
    report.tell(
        Line::of(format!("writes in {ticks} such ticks"))
            .ours(writes.to_string())
            .target("0", writes == 0, Holds::Anywhere),
    );
}
