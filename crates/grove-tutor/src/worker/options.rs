//! How a worker works, and what one instance may use.

use serde::Serialize;

/// How a worker works.
#[derive(Clone, Copy, Debug)]
pub struct WorkerOptions {
    /// Instances that are rendered at the same time.
    pub parallel: usize,
    /// What each of them may use.
    pub limits: Limits,
}

impl Default for WorkerOptions {
    /// As many instances at once as there are processors.
    fn default() -> Self {
        Self {
            parallel: std::thread::available_parallelism().map_or(1, Into::into),
            limits: Limits::default(),
        }
    }
}

/// What one instance may use.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Limits {
    /// Processor time, in seconds.
    pub cpu_seconds: u32,
    /// Time on the clock, in seconds.
    pub wall_seconds: u32,
    /// Address space, in MiB.
    pub memory_mib: u32,
    /// Largest file that a plugin may write, in MiB.
    pub file_mib: u32,
    /// Disk that all its files take together, in MiB. It is looked at several times a second.
    pub disk_mib: u32,
    /// Files and directories. They are looked at several times a second.
    pub files: u32,
    /// Threads. They are looked at several times a second.
    pub threads: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            cpu_seconds: 60,
            wall_seconds: 120,
            memory_mib: 1024,
            file_mib: 64,
            disk_mib: 256,
            files: 20_000,
            threads: 64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_about_isolation_says_the_limits() {
        let page = include_str!("../../../../docs/isolation.md");
        let limits = Limits::default();
        for row in [
            format!("| processor time | {} s |", limits.cpu_seconds),
            format!("| time on the clock | {} s |", limits.wall_seconds),
            format!("| memory | {} GiB ", limits.memory_mib >> 10),
            format!("| one file | {} MiB |", limits.file_mib),
            format!(
                "| all files, those without a name too | {} MiB |",
                limits.disk_mib
            ),
            format!(
                "| number of files and directories | {},000,",
                limits.files / 1000
            ),
            format!("| threads | {} |", limits.threads),
        ] {
            assert!(page.contains(&row), "{row}");
        }
    }
}
