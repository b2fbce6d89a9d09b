//! A process that embeds: a request a line, an answer a line.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::Context;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub struct Request {
    /// One after the other, each timed; otherwise as fast as can be.
    pub one_by_one: bool,
    pub texts: Vec<String>,
}

#[derive(Serialize, Deserialize)]
pub struct Answer {
    pub seconds: f64,
    /// Seconds of each text, when one by one.
    pub times: Vec<f64>,
}

pub struct Contestant {
    pub name: String,
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Contestant {
    /// Starts this program anew with other arguments.
    pub fn of_this(name: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(arguments);
        Self::start(name, &mut command)
    }

    pub fn start(name: &str, command: &mut Command) -> anyhow::Result<Self> {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = process.stdin.take().context("no input")?;
        let output = BufReader::new(process.stdout.take().context("no output")?);
        let mut contestant = Self { name: name.to_owned(), process, input, output };
        // Until it answers it is still starting.
        contestant.embed(&Request { one_by_one: false, texts: vec!["warm up".to_owned()] })?;
        Ok(contestant)
    }

    pub fn embed(&mut self, request: &Request) -> anyhow::Result<Answer> {
        writeln!(self.input, "{}", serde_json::to_string(request)?)?;
        self.input.flush()?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        serde_json::from_str(&line).with_context(|| format!("{} has ended", self.name))
    }
}

impl Drop for Contestant {
    fn drop(&mut self) {
        // It has nothing to lose.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Answers requests on standard input until it ends.
pub fn answer(mut embed: impl FnMut(&Request) -> anyhow::Result<Answer>) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let answer = embed(&serde_json::from_str(&line?)?)?;
        writeln!(output, "{}", serde_json::to_string(&answer)?)?;
        output.flush()?;
    }
    Ok(())
}
