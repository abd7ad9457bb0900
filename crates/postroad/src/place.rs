//! Where the config file and the data lie: `--data`, the environment, or the usual place.

use std::path::{Path, PathBuf};

use crate::config::{self, Config, ConfigError};
use crate::output::Failure;

/// The config file of a real host, when it is not in the data directory.
const SYSTEM_CONFIG: &str = "/etc/postroad/postroad.toml";
const SYSTEM_DATA: &str = "/var/lib/postroad";

/// Which directory and which file the command works with. Neither need exist yet.
#[derive(Clone, Debug)]
pub struct Place {
    pub data: PathBuf,
    pub config: PathBuf,
}

impl Place {
    /// `--data DIR`, else $POSTROAD_DATA, else /var/lib/postroad as root, else the XDG data directory.
    pub fn find(flag: Option<&Path>) -> Self {
        let variable = || std::env::var_os("POSTROAD_DATA").filter(|value| !value.is_empty());
        if let Some(data) = flag
            .map(Path::to_path_buf)
            .or_else(|| variable().map(PathBuf::from))
        {
            return Self::at(data);
        }
        if nix::unistd::geteuid().is_root() {
            let config = PathBuf::from(SYSTEM_CONFIG);
            let place = Self::at(PathBuf::from(SYSTEM_DATA));
            return if config.exists() {
                Place { config, ..place }
            } else {
                place
            };
        }
        Self::at(user_data_home().join("postroad"))
    }

    fn at(data: PathBuf) -> Self {
        // Made absolute, so that messages say where it really is.
        let data = std::path::absolute(&data).unwrap_or(data);
        Place {
            config: data.join(config::FILE_NAME),
            data,
        }
    }

    /// The settings in force; `None` when there is no file yet.
    pub fn load(&self) -> Result<Option<Config>, ConfigError> {
        match std::fs::exists(&self.config) {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            // Told better where the directory is opened.
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => return Ok(None),
            // Not "missing": the directory is somebody else's.
            Err(source) => {
                let path = self.config.display().to_string();
                return Err(ConfigError::Unreadable { path, source });
            }
        }
        Config::load(&self.config).map(Some)
    }

    /// The settings in force; without a file, what to do about it.
    pub fn load_or_fail(&self) -> Result<Config, Failure> {
        match self.load() {
            Ok(Some(config)) => Ok(config),
            Ok(None) => Err(self.nothing_there()),
            Err(error) => Err(Failure::failed(error.to_string())),
        }
    }

    pub fn nothing_there(&self) -> Failure {
        Failure::failed(format!(
            "there is no Postroad in {} (no file {}); begin with `postroad quickstart you@example.org`, or name its directory with --data",
            self.data.display(),
            self.config.display()
        ))
    }
}

fn user_data_home() -> PathBuf {
    let variable = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    variable("XDG_DATA_HOME")
        .or_else(|| variable("HOME").map(|home| home.join(".local/share")))
        .unwrap_or_else(|| PathBuf::from("."))
}
