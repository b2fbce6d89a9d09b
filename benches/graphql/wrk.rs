//! Load by `wrk`, from a process of its own.

use anyhow::Context as _;
use tokio::process::Command;

/// Connections, each with one request at a time.
const CONNECTIONS: &str = "16";
const DURATION: &str = "3s";

/// What `wrk` tells of one run.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub requests_per_second: f64,
    /// In milliseconds.
    pub p99: f64,
}

/// Sends `body` again and again, each time with a comment of its own behind the document when `varied`, so that no document is
/// known.
pub async fn post(url: &str, body: &str, varied: bool) -> anyhow::Result<Load> {
    let script = tempfile::Builder::new().suffix(".lua").tempfile()?;
    let vary = if varied {
        "local number = 0\n\
         request = function()\n\
           number = number + 1\n\
           return wrk.format(nil, nil, nil, (wrk.body:gsub('NUMBER', number)))\n\
         end\n"
    } else {
        ""
    };
    let text = format!(
        "wrk.method = 'POST'\nwrk.headers['content-type'] = 'application/json'\nwrk.body = [==[{body}]==]\n{vary}"
    );
    std::fs::write(script.path(), text)?;
    let output = Command::new("wrk")
        .args(["-t1", "-c", CONNECTIONS, "-d", DURATION, "--latency", "-s"])
        .arg(script.path())
        .arg(url)
        .output()
        .await
        .context("wrk could not be started: install it, for example with `apt-get install wrk`")?;
    let printed = String::from_utf8(output.stdout)?;
    anyhow::ensure!(!printed.contains("Non-2xx") && !printed.contains("Socket errors"), "{printed}");
    let after = |label: &str| {
        let line = printed.lines().find_map(|line| line.trim().strip_prefix(label));
        line.map(str::trim).with_context(|| format!("wrk printed no {label}: {printed}"))
    };
    Ok(Load { requests_per_second: after("Requests/sec:")?.parse()?, p99: milliseconds(after("99%")?)? })
}

/// `wrk` writes `870.00us`, `1.20ms` or `2.00s`.
fn milliseconds(text: &str) -> anyhow::Result<f64> {
    for (unit, factor) in [("us", 1e-3), ("ms", 1.0), ("s", 1e3)] {
        if let Some(number) = text.strip_suffix(unit)
            && let Ok(number) = number.parse::<f64>()
        {
            return Ok(number * factor);
        }
    }
    anyhow::bail!("{text:?} is no time")
}
