//! `sentio schema`

use std::process::ExitCode;

use super::output;
use crate::graphql;

pub fn run() -> anyhow::Result<ExitCode> {
    output::print(&graphql::sdl())?;
    Ok(ExitCode::SUCCESS)
}
