//! Reading lines, on a thread of its own.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, RwLock};

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{ColorMode, CompletionType, Config, Context, Editor, Helper, Hinter};
use tokio::sync::mpsc;

use super::completion::Words;
use super::{highlight, is_whole};

const PROMPT: &str = "levada> ";
const HISTORY_LINES: usize = 10_000;

/// What the user entered.
#[derive(Debug)]
pub enum Line {
    /// A command or statements.
    Text(String),
    /// Ctrl-C: what was typed is gone.
    Discarded,
    /// Ctrl-D.
    End,
}

/// The thread that reads.
pub struct Prompt {
    ask: mpsc::Sender<()>,
    lines: mpsc::Receiver<io::Result<Line>>,
    asked: bool,
    _terminal: SavedTerminal,
}

impl Prompt {
    /// Starts the thread.
    ///
    /// # Errors
    /// The terminal cannot be used.
    pub fn start(words: Arc<RwLock<Words>>, history: Option<PathBuf>) -> io::Result<Self> {
        let saved = SavedTerminal::save();
        let (ask, asked) = mpsc::channel(1);
        let (sender, lines) = mpsc::channel(1);
        let mut editor = editor(words, history.as_deref())?;
        std::thread::Builder::new()
            .name("prompt".to_string())
            .spawn(move || read(&mut editor, history, asked, sender))?;
        Ok(Prompt {
            ask,
            lines,
            asked: false,
            _terminal: saved,
        })
    }

    /// The next line. Cancel-safe: a call that is dropped leaves its prompt standing for the next.
    ///
    /// # Errors
    /// The terminal is gone.
    pub async fn next(&mut self) -> io::Result<Line> {
        if !self.asked {
            self.asked = true;
            if self.ask.send(()).await.is_err() {
                return Ok(Line::End);
            }
        }
        let line = self.lines.recv().await;
        self.asked = false;
        line.unwrap_or(Ok(Line::End))
    }
}

type LineEditor = Editor<Assistant, FileHistory>;

fn editor(words: Arc<RwLock<Words>>, history: Option<&std::path::Path>) -> io::Result<LineEditor> {
    let colours = match std::env::var_os("NO_COLOR") {
        Some(value) if !value.is_empty() => ColorMode::Disabled,
        _ => ColorMode::Enabled,
    };
    let config = Config::builder()
        .max_history_size(HISTORY_LINES)
        .map_err(to_io)?
        .completion_type(CompletionType::List)
        .color_mode(colours)
        .build();
    let past = FileHistory::with_config(&config);
    let mut editor = LineEditor::with_history(config, past).map_err(to_io)?;
    editor.set_helper(Some(Assistant { words }));
    if let Some(path) = history
        && let Err(error) = editor.load_history(path)
    {
        tracing::debug!(%error, "there is no history yet");
    }
    Ok(editor)
}

fn read(
    editor: &mut LineEditor,
    history: Option<PathBuf>,
    mut asked: mpsc::Receiver<()>,
    lines: mpsc::Sender<io::Result<Line>>,
) {
    while asked.blocking_recv().is_some() {
        let line = match editor.readline(PROMPT) {
            Ok(text) => {
                remember(editor, &text, history.as_deref());
                Ok(Line::Text(text))
            }
            Err(ReadlineError::Interrupted) => Ok(Line::Discarded),
            Err(ReadlineError::Eof) => Ok(Line::End),
            Err(error) => Err(to_io(error)),
        };
        if lines.blocking_send(line).is_err() {
            return;
        }
    }
}

/// A history that cannot be written is no reason to stop.
fn remember(editor: &mut LineEditor, text: &str, path: Option<&std::path::Path>) {
    if text.trim().is_empty() {
        return;
    }
    let added = editor.add_history_entry(text.trim());
    let written = added.and_then(|added| match path {
        Some(path) if added => editor.append_history(path),
        _ => Ok(()),
    });
    if let Err(error) = written {
        tracing::warn!(%error, "the history cannot be written");
    }
}

fn to_io(error: ReadlineError) -> io::Error {
    match error {
        ReadlineError::Io(error) => error,
        other => io::Error::other(other.to_string()),
    }
}

/// The terminal as it was before the prompt changed it: a shell that is told to end while it
/// waits for a key has to leave it so.
struct SavedTerminal(Option<nix::sys::termios::Termios>);

impl SavedTerminal {
    fn save() -> Self {
        SavedTerminal(nix::sys::termios::tcgetattr(io::stdin()).ok())
    }
}

impl Drop for SavedTerminal {
    fn drop(&mut self) {
        use nix::sys::termios::{SetArg, tcsetattr};
        if let Some(termios) = &self.0 {
            let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, termios);
        }
    }
}

/// Completes, colours, and knows when a statement is whole.
#[derive(Helper, Hinter)]
struct Assistant {
    words: Arc<RwLock<Words>>,
}

impl Completer for Assistant {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        cursor: usize,
        _context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(match self.words.read() {
            Ok(words) => words.complete(line, cursor),
            Err(_) => (cursor, Vec::new()),
        })
    }
}

impl Highlighter for Assistant {
    fn highlight<'l>(&self, line: &'l str, _cursor: usize) -> Cow<'l, str> {
        Cow::Owned(highlight::highlight(line))
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        Cow::Owned(format!("\x1b[1m{prompt}\x1b[0m"))
    }

    fn highlight_char(&self, _line: &str, _cursor: usize, _kind: CmdKind) -> bool {
        true
    }
}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(match is_whole(context.input()) {
            true => ValidationResult::Valid(None),
            false => ValidationResult::Incomplete,
        })
    }
}
