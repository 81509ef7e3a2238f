//! The launcher of the tests: what `grove sandbox` does.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use grove_exec::sandbox;

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    let description = args.get(2).and_then(|text| text.to_str()).unwrap_or("");
    let line = args.get(4..).unwrap_or(&[]);
    let failed = if line.is_empty() {
        match sandbox::report(description) {
            Ok(report) => {
                let text = serde_json::to_string(&report).unwrap_or_default();
                let written = std::io::stdout().write_all(text.as_bytes());
                return ExitCode::from(u8::from(written.is_err()));
            }
            Err(error) => error,
        }
    } else {
        let Err(error) = sandbox::enter(description, line);
        error
    };
    let message = format!("sandbox: {failed}\n");
    let written = std::io::stderr().write_all(message.as_bytes());
    ExitCode::from(if written.is_ok() { 126 } else { 125 })
}
