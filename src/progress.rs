//! A line on a terminal that says how far a long run is, and leaves no trace.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// A run this short needs no line.
const PATIENCE: Duration = Duration::from_millis(500);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(100);
/// Back to the start of the line, and away with what stands there.
const CLEAR: &str = "\r\u{1b}[K";

/// Shows a line from half a second on until it is dropped.
#[derive(Debug)]
pub struct Progress {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// Begins to show what the words make of a count, on that terminal.
    #[must_use]
    pub fn start(count: Arc<AtomicUsize>, words: fn(usize) -> String, terminal: impl Write + Send + 'static) -> Self {
        Self::start_after(PATIENCE, count, words, terminal)
    }

    fn start_after(
        patience: Duration,
        count: Arc<AtomicUsize>,
        words: fn(usize) -> String,
        mut terminal: impl Write + Send + 'static,
    ) -> Self {
        let (end, ended) = channel();
        let thread = std::thread::spawn(move || {
            let mut wait = patience;
            let mut shown = false;
            while ended.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                let _ = write!(terminal, "{CLEAR}{}", words(count.load(Ordering::Relaxed)));
                let _ = terminal.flush();
                (wait, shown) = (PAUSE, true);
            }
            if shown {
                let _ = terminal.write_all(CLEAR.as_bytes());
                let _ = terminal.flush();
            }
        });
        Self { end: Some(end), thread: Some(thread) }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// How many files are read.
#[must_use]
pub fn files(read: usize) -> String {
    if read == 0 { "looking for files …".to_owned() } else { format!("{read} files read …") }
}

/// How many members are still to answer.
#[must_use]
pub fn members(left: usize) -> String {
    format!("waiting for {left} members …")
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Paper {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().expect("no panic").clone()).expect("UTF-8")
        }
    }

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("no panic").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_short_run_shows_nothing() {
        let paper = Paper::default();
        drop(Progress::start(Arc::default(), files, paper.clone()));
        assert_eq!(paper.text(), "");
    }

    #[test]
    fn a_long_run_shows_a_line_and_takes_it_away() {
        let paper = Paper::default();
        let read = Arc::new(AtomicUsize::new(0));
        let progress = Progress::start_after(Duration::ZERO, Arc::clone(&read), files, paper.clone());
        while !paper.text().contains("looking for files") {
            std::thread::yield_now();
        }
        read.store(7, Ordering::Relaxed);
        while !paper.text().contains("7 files read") {
            std::thread::yield_now();
        }
        drop(progress);
        assert!(paper.text().ends_with(CLEAR), "{:?}", paper.text());
    }
}
