//! `postroad completions`: scripts that let shells complete our commands.

use clap::CommandFactory;
use clap_complete::Shell;

#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Which shell: bash, zsh, fish, elvish or powershell
    #[arg(value_enum)]
    shell: Shell,
}

/// The script, for standard output.
pub fn script(args: &Args) -> Vec<u8> {
    let mut script = Vec::new();
    let mut command = crate::cli::Cli::command();
    clap_complete::generate(args.shell, &mut command, "postroad", &mut script);
    script
}
