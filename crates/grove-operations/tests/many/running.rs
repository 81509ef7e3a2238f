//! Operations that run, half of them from async code.

use std::{
    io::Write as _,
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::Duration,
};

use grove_operations::Token;
use tokio::runtime::{Builder, Runtime};

use crate::operation::{Came, Operation};

/// What was started, and what of it goes on.
pub(crate) struct Running {
    runtime: Runtime,
    threads: Vec<JoinHandle<()>>,
    operations: Vec<Operation>,
    tokens: Vec<Token>,
    goes_on: Vec<bool>,
    sender: Sender<(usize, Came)>,
    receiver: Receiver<(usize, Came)>,
}

impl Running {
    /// For so many at once.
    pub(crate) fn new(most: usize) -> Self {
        let (sender, receiver) = mpsc::channel();
        Self {
            runtime: Builder::new_multi_thread()
                .worker_threads(2)
                .max_blocking_threads(most)
                .enable_all()
                .build()
                .unwrap(),
            threads: Vec::new(),
            operations: Vec::new(),
            tokens: Vec::new(),
            goes_on: Vec::new(),
            sender,
            receiver,
        }
    }

    /// Starts them, every second one from a task of a runtime, and says what their numbers are.
    pub(crate) fn start(&mut self, operations: Vec<Operation>) -> Vec<usize> {
        let mut numbers = Vec::new();
        for operation in operations {
            let number = self.operations.len();
            let mut around = operation.around.clone();
            around.token = Token::new();
            self.tokens.push(around.token.clone());
            self.operations.push(operation.clone());
            self.goes_on.push(true);
            numbers.push(number);
            let sender = self.sender.clone();
            if number.is_multiple_of(2) {
                around.runtime = Some(self.runtime.handle().clone());
                self.runtime.spawn(async move {
                    let work = tokio::task::spawn_blocking(move || operation.carry_out(&around));
                    sender.send((number, work.await.unwrap())).unwrap();
                });
            } else {
                self.threads.push(thread::spawn(move || {
                    sender.send((number, operation.carry_out(&around))).unwrap();
                }));
            }
        }
        numbers
    }

    /// What comes next. Fails with what hangs where nothing does.
    pub(crate) fn next(&mut self, limit: Duration) -> (usize, Came) {
        if let Ok((number, what)) = self.receiver.recv_timeout(limit) {
            self.goes_on[number] = false;
            return (number, what);
        }
        let hang: Vec<String> = (0..self.operations.len())
            .filter(|number| self.goes_on[*number])
            .map(|number| self.name(number))
            .collect();
        // Past what the test keeps of its output: threads that hang keep it from its end.
        let text = format!("nothing comes; these go on:\n{}\n", hang.join("\n"));
        std::io::stderr().write_all(text.as_bytes()).unwrap();
        std::process::exit(101);
    }

    /// Nothing comes for some time.
    pub(crate) fn nothing(&self, time: Duration) {
        let came = self.receiver.recv_timeout(time);
        assert!(matches!(came, Err(RecvTimeoutError::Timeout)), "{came:?}");
    }

    pub(crate) fn end(&self, number: usize) {
        self.tokens[number].end();
    }

    pub(crate) fn name(&self, number: usize) -> String {
        format!("{number}: {:?}", self.operations[number])
    }

    /// Waits for the threads. Gives what was started.
    pub(crate) fn join(self) -> Vec<Operation> {
        for thread in self.threads {
            thread.join().unwrap();
        }
        drop(self.runtime);
        self.operations
    }
}
