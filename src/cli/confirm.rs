//! Asking before something is deleted.

use std::io::{self, BufRead, IsTerminal, Write};

/// Goes on when `yes` was given or the person at the terminal agrees; elsewhere fails and names the flag.
pub fn or_fail(yes: bool, what: &str) -> anyhow::Result<()> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        anyhow::bail!("{what} Give --yes to go on.");
    }
    let mut stderr = io::stderr().lock();
    write!(stderr, "{what} Go on? [y/N] ")?;
    stderr.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") { Ok(()) } else { anyhow::bail!("nothing was changed") }
}
