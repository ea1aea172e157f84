//! Standard output, standard error and progress bars.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::{ErrorKind, Write};
use std::time::Duration;

/// Prints lines on standard output.
pub(crate) fn print(lines: &str) -> Result<(), String> {
    write(std::io::stdout().lock(), lines).map_err(|error| format!("standard output: {error}"))
}

/// Prints a value as one JSON document on standard output.
pub(crate) fn print_json(value: &impl serde::Serialize) -> Result<(), String> {
    print(&serde_json::to_string_pretty(value).map_err(|error| error.to_string())?)
}

/// Prints a line on standard error.
pub(crate) fn note(line: &str) {
    // A failure here cannot be reported anywhere.
    let _ = write(std::io::stderr().lock(), line);
}

/// A reader that closed its end of the pipe is no error.
fn write(mut out: impl Write, lines: &str) -> std::io::Result<()> {
    match out.write_all(lines.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// A progress bar, or a spinner where the length is unknown. It is on standard error, and only where that is a terminal.
pub(crate) fn bar(length: Option<u64>, template: &str) -> ProgressBar {
    let bar = length.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar.with_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()))
}
