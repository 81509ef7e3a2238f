//! A machine that gives less than this one does.

/// Sets a filter of system calls, and becomes what it was given.
const SCRIPT: &str = r#"
import ctypes, struct, sys, os
error, *calls = map(int, sys.argv[1].split(","))
step = struct.Struct("=HBBI").pack
steps = step(0x20, 0, 0, 0)
for call in calls:
    steps += step(0x15, 0, 1, call) + step(0x06, 0, 0, 0x50000 | error)
steps += step(0x06, 0, 0, 0x7fff0000)
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_char_p)]
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(Program(len(steps) // 8, steps)), 0, 0) == 0
os.execvp(sys.argv[2], sys.argv[2:])
"#;

/// What a kernel may lack, or refuse.
#[derive(Clone, Copy, Debug)]
pub enum Lesser {
    /// A kernel without Landlock.
    NoLandlock,
    /// A kernel without filters of system calls.
    NoFilters,
    /// Namespaces are refused, as container engines do.
    NoNamespaces,
}

impl Lesser {
    /// The start of a command line that runs a program, and all that it starts, on such a machine.
    pub fn line(self) -> Vec<String> {
        let arm = cfg!(target_arch = "aarch64");
        // The error, and the numbers of the system calls that end in it.
        let refused = match self {
            Self::NoLandlock => "38,444,445,446",
            Self::NoFilters if arm => "38,277",
            Self::NoFilters => "38,317",
            Self::NoNamespaces if arm => "1,97",
            Self::NoNamespaces => "1,272",
        };
        ["/usr/bin/python3", "-I", "-c", SCRIPT, refused]
            .map(str::to_owned)
            .into()
    }

    /// A program that runs another on such a machine, as a script.
    pub fn script(self, program: &str) -> String {
        let words: Vec<String> = self.line().iter().map(|word| format!("'{word}'")).collect();
        format!("#!/bin/sh\nexec {} '{program}' \"$@\"\n", words.join(" "))
    }
}
