//! What the user sees: results on stdout, progress and messages on stderr, colour and moving
//! pictures only on a terminal.

use std::{
    fmt::Write as _,
    io::{IsTerminal as _, Write as _},
    sync::Mutex,
    time::Duration,
};

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::error::{CommandError, Exit, Result};

/// How results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON document, for scripts.
    Json,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The two streams of a command.
pub(crate) struct Output {
    /// How results are written.
    pub(crate) format: Format,
    quiet: bool,
    colour: Colour,
    bar: Mutex<Option<ProgressBar>>,
}

impl Output {
    pub(crate) fn new(format: Format, colour: Colour, quiet: bool) -> Self {
        match colour {
            Colour::Auto => anstream::ColorChoice::Auto,
            Colour::Always => anstream::ColorChoice::Always,
            Colour::Never => anstream::ColorChoice::Never,
        }
        .write_global();
        Self {
            format,
            quiet,
            colour,
            bar: Mutex::new(None),
        }
    }

    /// Whether text on stdout may hold colour.
    pub(crate) fn colour(&self) -> bool {
        match self.colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => {
                std::io::stdout().is_terminal()
                    && crate::surroundings::variable("NO_COLOR").is_none()
            }
        }
    }

    /// Writes a result to stdout. A reader that has gone away is no error.
    pub(crate) fn print(&self, text: &str) -> Result<()> {
        self.without_bar(|| write_to(&mut anstream::stdout().lock(), text))
    }

    /// Writes a result to stdout as one JSON document.
    pub(crate) fn json(&self, value: &impl Serialize) -> Result<()> {
        let mut text = serde_json::to_string_pretty(value).map_err(|error| {
            CommandError::new(
                Exit::Bug,
                format!("a result cannot be written as JSON: {error}"),
            )
        })?;
        text.push('\n');
        self.print(&text)
    }

    /// Writes one of several results to stdout, each a line of JSON.
    pub(crate) fn json_line(&self, value: &impl Serialize) -> Result<()> {
        let mut text = serde_json::to_string(value)
            .map_err(|error| CommandError::from_error(Exit::Bug, &error))?;
        text.push('\n');
        self.print(&text)
    }

    /// Says something on stderr that is not a result; silent under `--quiet`.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.say(text);
        }
    }

    /// Says something on stderr that must be seen.
    pub(crate) fn warn(&self, text: &str) {
        let style = anstyle::AnsiColor::Yellow.on_default().bold();
        self.say(&format!("{style}warning{style:#}: {text}"));
    }

    /// Whether text on stderr may hold colour.
    pub(crate) fn colour_on_stderr(&self) -> bool {
        match self.colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => {
                std::io::stderr().is_terminal()
                    && crate::surroundings::variable("NO_COLOR").is_none()
            }
        }
    }

    /// Shows text on stderr that must be seen, such as findings that end a command.
    pub(crate) fn must_see(&self, text: &str) {
        if !text.is_empty() {
            self.say(text.trim_end());
        }
    }

    /// Shows an error with its causes and hints.
    pub(crate) fn error(&self, error: &CommandError) {
        let red = anstyle::AnsiColor::Red.on_default().bold();
        let cyan = anstyle::AnsiColor::Cyan.on_default().bold();
        let mut messages = error.messages.iter();
        let mut text = format!(
            "{red}error{red:#}: {}",
            messages.next().map_or("", |first| first)
        );
        for cause in messages {
            text.push_str("\n  cause: ");
            text.push_str(&cause.replace('\n', "\n    "));
        }
        for hint in &error.hints {
            text.push('\n');
            let _written = write!(text, "{cyan}hint{cyan:#}: ");
            text.push_str(&hint.replace('\n', "\n  "));
        }
        self.say(&text);
    }

    /// Shows what is going on now: a moving line on a terminal, a plain line elsewhere.
    pub(crate) fn progress(&self, text: &str) {
        if self.quiet {
            return;
        }
        if !std::io::stderr().is_terminal() {
            self.say(text);
            return;
        }
        if let Ok(mut bar) = self.bar.lock() {
            let bar = bar.get_or_insert_with(|| {
                let bar = ProgressBar::new_spinner();
                if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}") {
                    bar.set_style(style);
                }
                bar.enable_steady_tick(Duration::from_millis(120));
                bar
            });
            bar.set_message(text.to_owned());
        }
    }

    /// Takes the moving line away.
    pub(crate) fn progress_done(&self) {
        if let Ok(mut bar) = self.bar.lock()
            && let Some(bar) = bar.take()
        {
            bar.finish_and_clear();
        }
    }

    fn say(&self, text: &str) {
        // A message that stderr does not take has no other place to go.
        self.without_bar(|| write_to(&mut anstream::stderr().lock(), &format!("{text}\n")))
            .ok();
    }

    fn without_bar<T>(&self, write: impl FnOnce() -> T) -> T {
        match self.bar.lock() {
            Ok(bar) => match &*bar {
                Some(bar) => bar.suspend(write),
                None => write(),
            },
            Err(_) => write(),
        }
    }
}

fn write_to(stream: &mut impl std::io::Write, text: &str) -> Result<()> {
    match stream
        .write_all(text.as_bytes())
        .and_then(|()| stream.flush())
    {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|error| {
            CommandError::from_error(Exit::Tool, &error).context("cannot write the result")
        }),
    }
}

/// `1 error`, `2 errors`: a number of things whose plural takes an `s`.
pub(crate) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// Asks a yes-or-no question on the terminal; without one the answer is no.
pub(crate) fn confirm(question: &str) -> bool {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return false;
    }
    let mut stderr = anstream::stderr();
    if write!(stderr, "{question} [y/N] ")
        .and_then(|()| stderr.flush())
        .is_err()
    {
        return false;
    }
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).is_ok()
        && matches!(answer.trim(), "y" | "Y" | "yes" | "Yes")
}

/// Asks for a value on the terminal; without one, nothing is answered. An empty answer is the default.
pub(crate) fn ask(question: &str, default: &str) -> Result<Option<String>> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(None);
    }
    let mut stderr = anstream::stderr();
    let default_shown = if default.is_empty() {
        String::new()
    } else {
        format!(" [{default}]")
    };
    write!(stderr, "{question}{default_shown} ")?;
    stderr.flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    let answer = answer.trim();
    Ok(Some(
        if answer.is_empty() { default } else { answer }.to_owned(),
    ))
}
