//! What an idle daemon keeps in memory.

use std::time::Duration;

use crate::amount::mebibytes;
use crate::ask::Effort;
use crate::objects::home_with;
use crate::process::resident;
use crate::report::{Holds, Line, Report};

/// In kibibytes.
const MOST: u32 = 40 * 1024;

pub(crate) fn measure(effort: Effort, report: &mut Report) {
    let count = effort.pick(1000, 20);
    let mut home = home_with(count, &[]);
    let mut rest = |what: &str, home: &crate::support::daemon::Home| {
        std::thread::sleep(Duration::from_secs(effort.pick(10, 0) as u64));
        let resident = resident(home.pid());
        report.tell(
            Line::of(format!("resident memory with {count} objects, {what}"))
                .ours(mebibytes(resident))
                .target(format!("<= {}", mebibytes(MOST)), resident <= MOST, Holds::Anywhere),
        );
    };
    rest("applied just now", &home);
    home.stop();
    home.start();
    rest("found at the start", &home);
}
