//! What the user sees: results on stdout, progress and messages on stderr, colour and moving
//! pictures only on a terminal.

use std::{
    fmt::Write as _,
    io::IsTerminal as _,
    ops::Deref,
    sync::{Arc, Mutex},
    time::Duration,
};

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use grove_cluster::argo::clean;
use grove_operations::{Event, Listener};

use crate::error::{Error, Kind, Result};

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

/// The two streams of a command. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Output(Arc<Streams>);

impl Deref for Output {
    type Target = Streams;

    fn deref(&self) -> &Streams {
        &self.0
    }
}

impl Output {
    /// The streams of this process; `plain` where the user wants no colour.
    pub(crate) fn new(format: Format, colour: Colour, quiet: bool, plain: bool) -> Self {
        match colour {
            Colour::Auto => anstream::ColorChoice::Auto,
            Colour::Always => anstream::ColorChoice::Always,
            Colour::Never => anstream::ColorChoice::Never,
        }
        .write_global();
        Self(Arc::new(Streams {
            format,
            quiet,
            colour,
            plain,
            bar: Mutex::new(None),
        }))
    }

    /// Shows what operations say.
    pub(crate) fn listener(&self) -> Arc<dyn Listener> {
        Arc::clone(&self.0) as Arc<dyn Listener>
    }
}

/// What an [`Output`] is.
pub(crate) struct Streams {
    /// How results are written.
    pub(crate) format: Format,
    quiet: bool,
    colour: Colour,
    /// Whether the user wants no colour unless it is asked for.
    plain: bool,
    bar: Mutex<Option<ProgressBar>>,
}

impl Streams {
    /// Whether text on stdout may hold colour.
    pub(crate) fn colour(&self) -> bool {
        match self.colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => !self.plain && std::io::stdout().is_terminal(),
        }
    }

    /// Writes a result to stdout. A reader that has gone away is no error.
    pub(crate) fn print(&self, text: &str) -> Result<()> {
        self.without_bar(|| write_to(&mut anstream::stdout().lock(), text))
    }

    /// Writes a result to stdout as one JSON document.
    pub(crate) fn json(&self, value: &impl Serialize) -> Result<()> {
        let mut text = serde_json::to_string_pretty(value).map_err(|error| {
            Error::new(
                Kind::Bug,
                format!("a result cannot be written as JSON: {error}"),
            )
        })?;
        text.push('\n');
        self.print(&text)
    }

    /// Writes an outcome to stdout: as JSON with its `version`, or in words.
    pub(crate) fn outcome(
        &self,
        outcome: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<()> {
        if self.format == Format::Text {
            return self.print(&text());
        }
        let mut value =
            serde_json::to_value(outcome).map_err(|error| Error::from_error(Kind::Bug, &error))?;
        if let Some(value) = value.as_object_mut() {
            value.insert("version".to_owned(), 1.into());
        }
        self.json(&value)
    }

    /// Writes one of several results to stdout, each a line of JSON.
    pub(crate) fn json_line(&self, value: &impl Serialize) -> Result<()> {
        let mut text =
            serde_json::to_string(value).map_err(|error| Error::from_error(Kind::Bug, &error))?;
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
            Colour::Auto => !self.plain && std::io::stderr().is_terminal(),
        }
    }

    /// Shows text on stderr that must be seen, such as findings that end a command.
    pub(crate) fn must_see(&self, text: &str) {
        if !text.is_empty() {
            self.say(text.trim_end());
        }
    }

    /// Shows an error with its causes and hints.
    pub(crate) fn error(&self, error: &Error) {
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

    /// Shows a line that a command wrote in an instance. A terminal gets no characters that would steer it.
    fn line(&self, from: Option<&str>, line: &str) {
        if self.format == Format::Json {
            // The result is one document; what was written is no part of it.
            self.note(&clean(line));
            return;
        }
        let plain = |c: char| if c.is_control() && c != '\t' { ' ' } else { c };
        let line = if std::io::stdout().is_terminal() {
            line.chars().map(plain).collect()
        } else {
            line.to_owned()
        };
        // Where nobody reads it, the command goes on all the same.
        self.print(&match from {
            Some(from) => format!("{from}: {line}\n"),
            None => format!("{line}\n"),
        })
        .ok();
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
            Error::from_error(Kind::Tool, &error).context("cannot write the result")
        }),
    }
}

impl Listener for Streams {
    fn hear(&self, event: &Event<'_>) {
        match event {
            Event::Doing { doing } => self.progress(&doing.to_string()),
            Event::Idle => self.progress_done(),
            Event::Note { text } => self.note(text),
            Event::Warning { text } => self.warn(text),
            Event::Failed { error } => self.error(error),
            Event::Findings { findings, snapshot } => {
                self.must_see(&grove_check::text(
                    findings,
                    snapshot,
                    self.colour_on_stderr(),
                ));
            }
            Event::Line { from, text } => self.line(*from, text),
            _ => {}
        }
    }
}

/// Whether results are JSON.
pub(crate) fn is_json(output: &Output) -> bool {
    output.format == Format::Json
}
