//! Errors in log lines: `Display` of our errors leaves the causes out.

/// An error with its causes, for one log line.
pub struct Chain<'a>(pub &'a (dyn std::error::Error + 'static));

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut told = self.0.to_string();
        formatter.write_str(&told)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            let text = error.to_string();
            // Some libraries' errors repeat their causes.
            if !told.contains(&text) {
                write!(formatter, ": {text}")?;
                told = text;
            }
            source = error.source();
        }
        Ok(())
    }
}
