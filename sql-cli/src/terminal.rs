//! What the process is connected to.

use std::io::{IsTerminal, Write};

/// Which standard streams are terminals.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// Standard output.
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
}

impl Terminal {
    /// As the process finds itself.
    pub fn detect() -> Self {
        Terminal {
            stdout: std::io::stdout().is_terminal(),
            stderr: std::io::stderr().is_terminal(),
        }
    }
}

/// Columns and lines of the terminal; of a usual one, if it does not say.
pub fn size() -> (usize, usize) {
    match crossterm::terminal::size() {
        Ok((columns, lines)) if columns > 0 && lines > 0 => {
            (usize::from(columns), usize::from(lines))
        }
        _ => (80, 24),
    }
}

/// A line at the bottom of the terminal that is written over again and again, on standard error.
#[derive(Debug)]
pub struct StatusLine {
    enabled: bool,
    shown: bool,
}

impl StatusLine {
    /// A line that is shown only if `enabled`.
    pub fn new(enabled: bool) -> Self {
        StatusLine {
            enabled,
            shown: false,
        }
    }

    /// Shows a text in place of the last one.
    pub fn show(&mut self, text: &str) {
        if self.enabled {
            let text = crate::render::table::truncate(text, size().0.saturating_sub(1));
            self.write(&format!("\r{text}\x1b[K"));
            self.shown = true;
        }
    }

    /// Takes the line away, so that other output can follow.
    pub fn clear(&mut self) {
        if self.shown {
            self.write("\r\x1b[K");
            self.shown = false;
        }
    }

    /// Progress that cannot be shown is no reason to fail.
    fn write(&self, text: &str) {
        let mut stderr = std::io::stderr().lock();
        let _ = stderr.write_all(text.as_bytes());
        let _ = stderr.flush();
    }
}

impl Drop for StatusLine {
    fn drop(&mut self) {
        self.clear();
    }
}
