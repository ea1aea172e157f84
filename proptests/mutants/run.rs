//! Runs a program within bounds of time, memory and files, and ends what it started.
#![allow(clippy::disallowed_types, reason = "it measures real time")]

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Of memory, in KiB, and of one file, in blocks of 512 bytes: a mutant may ask for ever more.
const LIMITS: &str = "ulimit -v 8000000; ulimit -f 4000000; exec \"$0\" \"$@\"";

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Passed,
    Failed,
    TooLong,
}

/// Runs it for at most `longest`, and says how long it took.
pub(crate) fn run(command: &mut Command, longest: Duration) -> (Ended, Duration) {
    let mut bounded = Command::new("sh");
    bounded.args(["-c", LIMITS]).arg(command.get_program()).args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        bounded.current_dir(folder);
    }
    bounded.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    // Nothing is shrunk, and nothing is written into the copy.
    bounded.envs([("PROPTEST_MAX_SHRINK_ITERS", "0"), ("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "true")]);
    bounded.envs([("INSTA_UPDATE", "no"), ("RUST_BACKTRACE", "0")]);
    bounded.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    let start = Instant::now();
    let ended = match bounded.spawn().and_then(|child| wait(child, start, longest)) {
        Ok(ended) => ended,
        Err(_) => Ended::Failed,
    };
    (ended, start.elapsed())
}

fn wait(mut child: Child, start: Instant, longest: Duration) -> io::Result<Ended> {
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(if status.success() { Ended::Passed } else { Ended::Failed });
        }
        if start.elapsed() > longest {
            // With everything that it started, which is its group.
            Command::new("kill").args(["-KILL", "--", &format!("-{}", child.id())]).status()?;
            child.wait()?;
            return Ok(Ended::TooLong);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}
