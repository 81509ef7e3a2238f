//! What operations leave behind in the process: nothing.

use std::{
    collections::BTreeMap,
    fs, thread,
    time::{Duration, Instant},
};

/// The threads of this process, by name, and its children.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Left {
    threads: BTreeMap<String, usize>,
    children: Vec<String>,
}

impl Left {
    /// As it is once nothing changes any more.
    pub(crate) fn settled() -> Self {
        let mut before = Self::now();
        for _ in 0..100 {
            thread::sleep(Duration::from_millis(200));
            let now = Self::now();
            if now == before {
                break;
            }
            before = now;
        }
        before
    }

    fn now() -> Self {
        let mut left = Self {
            threads: BTreeMap::new(),
            children: Vec::new(),
        };
        for task in fs::read_dir("/proc/self/task").unwrap() {
            let task = task.unwrap().path();
            // One that ends meanwhile has nothing any more.
            let Ok(name) = fs::read_to_string(task.join("comm")) else {
                continue;
            };
            *left.threads.entry(name.trim().to_owned()).or_default() += 1;
            let children = fs::read_to_string(task.join("children")).unwrap_or_default();
            left.children
                .extend(children.split_whitespace().map(str::to_owned));
        }
        left
    }

    /// Waits until there is no more than before: a thread takes a moment to go.
    pub(crate) fn holds(&self, limit: Duration) {
        let begun = Instant::now();
        loop {
            let now = Self::now();
            let more = |(name, count): (&String, &usize)| {
                self.threads.get(name).is_none_or(|before| before < count)
            };
            if !now.threads.iter().any(more) && now.children.is_empty() {
                return;
            }
            assert!(
                begun.elapsed() < limit,
                "left are {now:?}, there were {self:?}"
            );
            thread::sleep(Duration::from_millis(50));
        }
    }
}
